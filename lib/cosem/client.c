/* The client's state machine, its link and its time.
 *
 *            connect           link open               AARE                 HLS answer
 *   CLOSED ----------> OPENING ---------> ASSOCIATING ------> AUTHENTICATING ----------> READY
 *   FAILED (new line) ---^                     |  AARE, no HLS                              ^
 *                                              +--------------------------------------------+
 *   READY --get--> GETTING --answer--> READY          (next blocks, next of a list: GETTING)
 *   READY --set--> SETTING --answer--> READY          READY --action--> ACTING --answer--> READY
 *   READY --access--> ACCESSING --answer--> READY
 *   READY --release--> RELEASING --RLRE, exception--> CLOSING --link closed--> CLOSED
 *   READY, RELEASING --link closed, line lost--> CLOSED
 *   any waiting state --failure--> FAILED             (look_at_link closes it, if it is open)
 *   READY --an answer to nothing, not over datagrams--> FAILED
 *
 * A link that needs no opening passes through OPENING within connect, and one that needs no closing
 * through CLOSING within feed.
 *
 * Facts that hold between calls: octets of buf are the link's until it has sent them
 * (dlms_link_sending), and nothing is written to buf before; with the built-in link a frame coming
 * in lies in buf, too, and then nothing goes out; deadline_ms is UINT64_MAX unless an answer is
 * awaited; FAILED has failure.err set; an exception-response to one request leaves READY with
 * failure.err = ERR_REFUSED; task is of the operation under way. */
#include "lib/cosem/client_parts.h"

#include <string.h>

#define NO_DEADLINE UINT64_MAX

uint32_t client_conformance(const struct cosem_client_config *k)
{
    uint32_t bits = DLMS_CONF_GET | DLMS_CONF_SET | DLMS_CONF_ACTION | DLMS_CONF_SELECTIVE |
                    DLMS_CONF_BLOCK_GET | DLMS_CONF_BLOCK_SET | DLMS_CONF_BLOCK_ACTION |
                    DLMS_CONF_MULTIPLE | DLMS_CONF_ACCESS | DLMS_CONF_ATTRIBUTE0_GET;
    if (k->gbt_window > 0)
        bits |= DLMS_CONF_GENERAL_BLOCK;
    if (k->general || k->security != 0) /* ACCESS has no other ciphered form */
        bits |= DLMS_CONF_GENERAL_PROT;
    if (k->notified)
        bits |= DLMS_CONF_NOTIFICATION | DLMS_CONF_EVENT;
    return bits;
}

static bool is_own_link(const struct cosem_client *c)
{
    return c->link == &c->own.link;
}

static void reset_link(struct cosem_client *c)
{
    if (is_own_link(c)) /* its buffer may have been shortened: client_gbt.c */
        wrapper_link_init_stream(&c->own, false, c->buf, sizeof c->buf);
    else
        dlms_link_reset(c->link);
    client_gbt_end(c);
}

/* The link is of no use any more. One that is closing already says ERR_STATE, and may. */
static void shut(struct cosem_client *c)
{
    const enum dlms_link_state link = dlms_link_state(c->link);
    if (link != LINK_OPEN && link != LINK_OPENING)
        return;
    const enum err err = dlms_link_close(c->link, c->now_ms);
    (void)err;
}

bool cosem_client_waiting(const struct cosem_client *c)
{
    return c->state != CLIENT_CLOSED && c->state != CLIENT_READY && c->state != CLIENT_FAILED;
}

void client_fail(struct cosem_client *c, enum err err, enum cosem_client_why why, uint32_t detail)
{
    c->failure.err = err;
    c->failure.why = why;
    c->failure.during = c->state;
    c->failure.detail = detail;
    c->state = CLIENT_FAILED;
    c->deadline_ms = NO_DEADLINE;
}

void client_become(struct cosem_client *c, enum cosem_client_state state)
{
    c->state = state;
    c->deadline_ms = NO_DEADLINE;
}

void client_await(struct cosem_client *c, uint64_t now_ms, uint32_t wait_ms)
{
    c->deadline_ms = wait_ms != 0 ? now_ms + wait_ms : NO_DEADLINE;
}

/* ---- output ---- */

struct wr client_plain_writer(struct cosem_client *c)
{
    struct wr w = wr_of(c->buf + CLIENT_PLAIN_AT, sizeof c->buf - CLIENT_PLAIN_AT - CLIENT_TAG_LEN);
    if (dlms_link_sending(c->link))
        wr_fail(&w, ERR_BUSY);
    return w;
}

size_t client_limit(const struct cosem_client *c)
{
    const size_t link = dlms_link_max_apdu(c->link);
    return c->server_max_pdu != 0 && c->server_max_pdu < link ? c->server_max_pdu : link;
}

enum err client_transmit(struct cosem_client *c, uint8_t *apdu, size_t len)
{
    const struct dlms_frame f = {
        .client = c->config.client_sap, .server = c->config.server_sap, .p = apdu, .len = len};
    const enum err err = dlms_link_send(c->link, c->now_ms, &f);
    return err == ERR_RANGE ? ERR_FULL : err;
}

/* Protects and hands over; `general`: by general blocks where they are agreed. */
static enum err dispatch(struct cosem_client *c, const struct wr *w, bool sealed, bool general)
{
    size_t at = CLIENT_PLAIN_AT, len = w->len;
    if (w->err)
        return w->err;
    const size_t most = len + (sealed ? client_overhead(c, c->buf[CLIENT_PLAIN_AT]) : 0);
    general = general && client_gbt_possible(c, most);
    if (!general && most > client_limit(c))
        return ERR_FULL;
    const enum err err = sealed ? client_protect(c, &at, &len) : ERR_OK;
    if (err)
        return err;
    return general ? client_gbt_begin(c, c->now_ms, at, len) : client_transmit(c, c->buf + at, len);
}

enum err client_send(struct cosem_client *c, uint64_t now_ms, const struct wr *w,
                     enum cosem_client_state next, bool sealed)
{
    const bool serves = next >= CLIENT_GETTING && next <= CLIENT_ACCESSING;
    const bool in_blocks = c->task.by_blocks || c->block > 0; /* of the service itself */
    c->now_ms = now_ms;
    client_gbt_end(c);
    const enum err err = dispatch(c, w, sealed, serves && !in_blocks);
    if (err)
        return err;
    c->state = next;
    if (c->gbt.active)
        client_gbt_await(c);
    else
        client_await(c, now_ms, c->config.timeout_ms);
    return ERR_OK;
}

void client_reply(struct cosem_client *c, const struct wr *w, bool sealed)
{
    const enum err err = dispatch(c, w, sealed, false);
    (void)err;
}

/* ---- connecting ---- */

enum err client_local(struct cosem_client *c, enum err err)
{
    if (err) {
        c->failure.err = err;
        c->failure.why = CLIENT_WHY_LOCAL;
        c->failure.during = c->state;
    }
    return err;
}

static bool frame_is_coming(const struct wrapper_rx *rx)
{
    const bool whole = rx->n_head == WRAPPER_HEAD_LEN && rx->len == rx->need;
    return rx->n_head > 0 && !whole;
}

enum err client_begin(struct cosem_client *c, uint64_t now_ms, enum cosem_client_state needed)
{
    memset(&c->failure, 0, sizeof c->failure);
    memset(&c->task, 0, sizeof c->task);
    c->now_ms = now_ms;
    if (c->state != needed)
        return ERR_STATE;
    return is_own_link(c) && frame_is_coming(&c->own.rx) ? ERR_BUSY : ERR_OK;
}

enum err cosem_client_init(struct cosem_client *c, const struct cosem_client_config *config)
{
    memset(c, 0, sizeof *c);
    c->config = *config;
    c->deadline_ms = NO_DEADLINE;
    c->link = config->link ? config->link : &c->own.link;
    reset_link(c);
    if (config->max_pdu == 0)
        c->config.max_pdu = COSEM_CLIENT_PDU_MAX;
    if (c->config.max_pdu < 64 || c->config.max_pdu > COSEM_CLIENT_PDU_MAX ||
        config->gbt_window > GBT_WINDOW_MAX ||
        (config->security & ~(DLMS_SC_AUTH | DLMS_SC_ENC)) != 0)
        return ERR_RANGE;
    if (c->config.max_pdu > client_gbt_max_pdu(config))
        c->config.max_pdu = (uint16_t)client_gbt_max_pdu(config);
    return client_check_secrets(config);
}

static enum err associate(struct cosem_client *c)
{
    client_become(c, CLIENT_CLOSED); /* where a failure leaves it */
    return client_send_aarq(c, c->now_ms);
}

enum err cosem_client_connect(struct cosem_client *c, uint64_t now_ms)
{
    if (c->state == CLIENT_FAILED)
        c->state = CLIENT_CLOSED;
    enum err err = client_begin(c, now_ms, CLIENT_CLOSED);
    if (err)
        return client_local(c, err);
    reset_link(c);
    c->conformance = 0;
    err = dlms_link_open(c->link, now_ms);
    if (!err && dlms_link_state(c->link) == LINK_OPEN)
        err = associate(c);
    else if (!err)
        c->state = CLIENT_OPENING;
    if (err) {
        shut(c);
        client_release_ciphers(c);
    }
    return client_local(c, err);
}

enum err cosem_client_release(struct cosem_client *c, uint64_t now_ms)
{
    enum err err = client_begin(c, now_ms, CLIENT_READY);
    return client_local(c, err ? err : client_send_rlrq(c, now_ms));
}

/* ---- input ---- */

void client_close_link(struct cosem_client *c)
{
    client_become(c, CLIENT_CLOSING);
    if (dlms_link_close(c->link, c->now_ms) == ERR_OK)
        return;
    client_become(c, CLIENT_CLOSED);
    client_release_ciphers(c);
}

static bool is_general(uint8_t tag)
{
    return tag == DLMS_GENERAL_GLO || tag == DLMS_GENERAL_DED;
}

bool client_may_double(const struct cosem_client *c)
{
    return c->link->ops->datagrams;
}

/* Opens the answer that is awaited. False after a failure; or it is a datagram seen before, then
 * the answer may still come. */
static bool open_answer(struct cosem_client *c, uint8_t *apdu, size_t len, struct rd *plain)
{
    const struct cosem_client_failure failure = c->failure;
    const enum cosem_client_state state = c->state;
    const uint64_t deadline_ms = c->deadline_ms;
    if (client_unprotect_apdu(c, apdu, len, plain))
        return true;
    if (client_may_double(c) && c->failure.why == CLIENT_WHY_COUNTER) {
        c->failure = failure;
        c->state = state;
        c->deadline_ms = deadline_ms;
    }
    return false;
}

/* While an answer is awaited. */
static void on_service(struct cosem_client *c, uint64_t now_ms, uint8_t *apdu, size_t len)
{
    const bool ciphered = c->config.security != 0;
    const uint8_t tag = len > 0 ? apdu[0] : 0;
    struct rd r = rd_of(apdu, len);
    bool dedicated;
    if (ciphered && apdu_plain_tag(tag, &dedicated) == 0 && !is_general(tag)) {
        client_fail(c, ERR_ACCESS, CLIENT_WHY_WEAK, 0);
        return;
    }
    if (ciphered && !open_answer(c, apdu, len, &r))
        return;
    if (!client_on_notice(c, (struct bytes){r.p + r.pos, rd_left(&r)}))
        client_on_response(c, now_ms, &r);
}

static bool is_ciphered_notice(uint8_t tag)
{
    return tag == DLMS_EVENT_NOTIFICATION + DLMS_GLO_OFFSET ||
           tag == DLMS_EVENT_NOTIFICATION + DLMS_DED_OFFSET;
}

/* Nobody waits for a service's answer: pushes may come, before an association, too. */
static void on_idle_apdu(struct cosem_client *c, uint8_t *apdu, size_t len)
{
    const uint8_t tag = len > 0 ? apdu[0] : 0;
    if (!is_general(tag) && !is_ciphered_notice(tag)) {
        if (c->state != CLIENT_CLOSED && !client_may_double(c))
            client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, tag);
    } else if (c->config.security != 0 && c->has_server_title) {
        struct rd r;
        if (client_open_unasked(c, apdu, len, &r))
            (void)client_on_notice(c, (struct bytes){r.p + r.pos, rd_left(&r)});
    }
}

static void on_whole_apdu(struct cosem_client *c, uint64_t now_ms, uint8_t *apdu, size_t len)
{
    const uint8_t tag = len > 0 ? apdu[0] : 0;
    const bool served = c->state >= CLIENT_AUTHENTICATING && c->state <= CLIENT_ACCESSING &&
                        c->state != CLIENT_READY;
    if (tag == DLMS_DATA_NOTIFICATION || tag == DLMS_EVENT_NOTIFICATION)
        (void)(c->config.security == 0 && client_on_notice(c, (struct bytes){apdu, len}));
    else if ((tag == DLMS_EXCEPTION_RESPONSE || tag == DLMS_CONFIRMED_SERVICE_ERROR) &&
             (cosem_client_waiting(c) || (c->state == CLIENT_READY && !client_may_double(c))))
        client_on_exception(c, (struct bytes){apdu, len});
    else if (c->state == CLIENT_ASSOCIATING && tag == DLMS_AARE)
        client_on_aare(c, now_ms, apdu, len);
    else if (c->state == CLIENT_RELEASING && tag == DLMS_RLRE)
        client_close_link(c);
    else if (served && is_ciphered_notice(tag))
        on_idle_apdu(c, apdu, len);
    else if (served)
        on_service(c, now_ms, apdu, len);
    else
        on_idle_apdu(c, apdu, len);
}

/* A block is an APDU only with the last of its row. */
static void on_apdu(struct cosem_client *c, uint64_t now_ms, uint8_t *apdu, size_t len)
{
    if (c->state == CLIENT_FAILED)
        return;
    if (len > 0 && apdu[0] == DLMS_GENERAL_BLOCK && !client_gbt_on_block(c, &apdu, &len))
        return;
    on_whole_apdu(c, now_ms, apdu, len);
}

/* ---- the link ---- */

/* The link is not there any more. */
static void on_link_down(struct cosem_client *c, bool failed)
{
    if (failed && is_own_link(c))
        client_fail(c, ERR_FORMAT, CLIENT_WHY_FRAME, 0);
    else if (c->state == CLIENT_READY || c->state == CLIENT_RELEASING || c->state == CLIENT_CLOSING)
        client_become(c, CLIENT_CLOSED);
    else if (failed || c->state == CLIENT_OPENING)
        client_fail(c, ERR_CLOSED, CLIENT_WHY_LINK, 0);
    else
        client_fail(c, ERR_CLOSED, CLIENT_WHY_CLOSED, 0);
}

static void look_at_link(struct cosem_client *c)
{
    const enum dlms_link_state link = dlms_link_state(c->link);
    enum err err = ERR_OK;
    if (c->state == CLIENT_CLOSED)
        return;
    if (c->state == CLIENT_FAILED) {
        if (is_own_link(c))
            reset_link(c);
        else
            shut(c);
    } else if (c->state == CLIENT_OPENING && link == LINK_OPEN) {
        err = associate(c);
    } else if (link == LINK_FAILED || link == LINK_CLOSED) {
        on_link_down(c, link == LINK_FAILED);
    }
    if (err)
        client_fail(c, err, CLIENT_WHY_LOCAL, 0);
    if (c->state == CLIENT_CLOSED || c->state == CLIENT_FAILED)
        client_release_ciphers(c);
}

static void on_frame(struct cosem_client *c, uint64_t now_ms, const struct dlms_frame *f)
{
    if (f->client == c->config.client_sap && f->server == c->config.server_sap)
        on_apdu(c, now_ms, f->p, f->len);
    else if (is_own_link(c)) /* a connection of its own: nobody else's frames belong there */
        client_fail(c, ERR_FORMAT, CLIENT_WHY_FRAME, 0);
}

/* Everything that can go on without the line. */
static void pump(struct cosem_client *c, uint64_t now_ms)
{
    struct dlms_frame f;
    bool goes_on = true;
    while (goes_on) {
        look_at_link(c);
        goes_on = client_gbt_step(c);
        if (!dlms_link_received(c->link, &f))
            continue;
        on_frame(c, now_ms, &f);
        dlms_link_release(c->link);
        goes_on = true;
    }
}

size_t cosem_client_feed(struct cosem_client *c, uint64_t now_ms, const uint8_t *p, size_t n)
{
    size_t used = 0, got = 1;
    c->now_ms = now_ms;
    if (c->state == CLIENT_CLOSED && is_own_link(c))
        return n; /* nothing is expected on a line without association */
    while (used < n && got > 0 && c->state != CLIENT_FAILED &&
           !(is_own_link(c) && dlms_link_sending(c->link))) {
        got = dlms_link_feed(c->link, now_ms, p + used, n - used);
        used += got;
        pump(c, now_ms);
    }
    return used;
}

size_t cosem_client_take(struct cosem_client *c, uint8_t *to, size_t size)
{
    const size_t n = dlms_link_take(c->link, c->now_ms, to, size);
    if (!dlms_link_sending(c->link))
        pump(c, c->now_ms);
    return n;
}

uint64_t cosem_client_poll(struct cosem_client *c, uint64_t now_ms)
{
    c->now_ms = now_ms;
    (void)dlms_link_poll(c->link, now_ms);
    pump(c, now_ms);
    if (cosem_client_waiting(c) && now_ms >= c->deadline_ms) {
        if (!client_gbt_again(c, now_ms))
            client_fail(c, ERR_TIMEOUT, CLIENT_WHY_TIMEOUT, 0);
        pump(c, now_ms);
    }
    /* what the pump sent has a timer of its own */
    const uint64_t link = dlms_link_poll(c->link, now_ms);
    return link < c->deadline_ms ? link : c->deadline_ms;
}

void cosem_client_lost(struct cosem_client *c)
{
    if (c->state == CLIENT_RELEASING || c->state == CLIENT_READY || c->state == CLIENT_CLOSING)
        client_become(c, CLIENT_CLOSED);
    else if (cosem_client_waiting(c))
        client_fail(c, ERR_CLOSED, CLIENT_WHY_CLOSED, 0);
    reset_link(c);
    client_release_ciphers(c);
}
