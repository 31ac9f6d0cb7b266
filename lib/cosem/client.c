/* The client's state machine and its dealings with frames, keys and counters.
 *
 *               connect                AARE              HLS answer
 *   CLOSED ---------------> ASSOCIATING -----> AUTHENTICATING -----> READY
 *   FAILED (new line) ----^      |  AARE, no HLS                       ^
 *                                +-------------------------------------+
 *   READY --get--> GETTING --(next block)*--> READY
 *   READY --set--> SETTING --> READY      READY --action--> ACTING --> READY
 *   READY --release--> RELEASING --RLRE or line closed--> CLOSED
 *   any waiting state --failure--> FAILED
 *
 * Facts that hold between calls: buf carries either output (out_at < out_end) or a frame coming in,
 * never both; deadline_ms is UINT64_MAX unless an answer is awaited; FAILED has failure.err set; an
 * exception-response to one request leaves READY with failure.err = ERR_REFUSED. */
#include "lib/cosem/client_parts.h"

#include <string.h>

#define NO_DEADLINE UINT64_MAX

enum err cosem_client_init(struct cosem_client *c, const struct cosem_client_config *config)
{
    memset(c, 0, sizeof *c);
    c->config = *config;
    c->deadline_ms = NO_DEADLINE;
    if (config->max_pdu == 0)
        c->config.max_pdu = COSEM_CLIENT_PDU_MAX;
    if (c->config.max_pdu < 64 || c->config.max_pdu > COSEM_CLIENT_PDU_MAX ||
        (config->security & ~(DLMS_SC_AUTH | DLMS_SC_ENC)) != 0)
        return ERR_RANGE;
    if (config->mechanism != DLMS_MECHANISM_NONE && config->mechanism != DLMS_MECHANISM_LLS &&
        config->mechanism != DLMS_MECHANISM_HLS5)
        return ERR_RANGE;
    if (client_uses_keys(config) &&
        (!config->keys || !config->counter || !config->keys->has_guek || !config->keys->has_gak))
        return ERR_KEY;
    if ((config->mechanism == DLMS_MECHANISM_HLS5 && !config->rng) ||
        (config->mechanism == DLMS_MECHANISM_LLS && !config->password))
        return ERR_KEY;
    wrapper_reset(&c->rx, c->buf, c->config.max_pdu);
    return ERR_OK;
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
    c->out_at = c->out_end = 0;
}

void client_become(struct cosem_client *c, enum cosem_client_state state)
{
    c->state = state;
    c->deadline_ms = NO_DEADLINE;
}

/* ---- output ---- */

struct wr client_plain_writer(struct cosem_client *c)
{
    return wr_of(c->buf + CLIENT_PLAIN_AT, sizeof c->buf - CLIENT_PLAIN_AT - CLIENT_TAG_LEN);
}

/* Sends the APDU that `w` wrote at CLIENT_PLAIN_AT and waits for the answer in state `next`. */
enum err client_send(struct cosem_client *c, uint64_t now_ms, const struct wr *w,
                     enum cosem_client_state next, bool sealed)
{
    size_t at = CLIENT_PLAIN_AT, len = w->len;
    const size_t overhead = sealed ? client_overhead(c) : 0;
    if (w->err || (c->server_max_pdu != 0 && len + overhead > c->server_max_pdu))
        return ERR_FULL;
    if (sealed) {
        enum err err = client_protect(c, &at, &len);
        if (err)
            return err;
    }
    struct wr head = wr_of(c->buf + at - WRAPPER_HEAD_LEN, WRAPPER_HEAD_LEN);
    wrapper_put_head(&head, c->config.client_sap, c->config.server_sap, (uint16_t)len);
    c->out_at = at - WRAPPER_HEAD_LEN;
    c->out_end = at + len;
    c->state = next;
    c->deadline_ms = c->config.timeout_ms != 0 ? now_ms + c->config.timeout_ms : NO_DEADLINE;
    return ERR_OK;
}

enum err client_send_request(struct cosem_client *c, uint64_t now_ms, const struct apdu_request *q,
                             enum cosem_client_state next)
{
    struct wr w = client_plain_writer(c);
    apdu_put_request(&w, q);
    return client_send(c, now_ms, &w, next, c->config.security != 0);
}

size_t cosem_client_take(struct cosem_client *c, uint8_t *to, size_t size)
{
    const size_t left = c->out_end - c->out_at;
    const size_t n = left < size ? left : size;
    if (n == 0)
        return 0;
    memcpy(to, c->buf + c->out_at, n);
    c->out_at += n;
    if (c->out_at == c->out_end)
        wrapper_reset(&c->rx, c->buf, c->config.max_pdu);
    return n;
}

/* ---- operations ---- */

static enum err local(struct cosem_client *c, enum err err)
{
    if (err) {
        c->failure.err = err;
        c->failure.why = CLIENT_WHY_LOCAL;
        c->failure.during = c->state;
    }
    return err;
}

static enum err begin(struct cosem_client *c, enum cosem_client_state needed)
{
    memset(&c->failure, 0, sizeof c->failure);
    if (c->state != needed)
        return ERR_STATE;
    return c->rx.n_head > 0 ? ERR_BUSY : ERR_OK;
}

uint8_t client_next_invoke(struct cosem_client *c)
{
    c->invoke = (uint8_t)((c->invoke + 1) & 0x0F);
    return (uint8_t)(0xC0 | c->invoke); /* confirmed, high priority */
}

enum err cosem_client_connect(struct cosem_client *c, uint64_t now_ms)
{
    if (c->state == CLIENT_FAILED) {
        c->state = CLIENT_CLOSED;
        wrapper_reset(&c->rx, c->buf, c->config.max_pdu);
    }
    enum err err = begin(c, CLIENT_CLOSED);
    return local(c, err ? err : client_send_aarq(c, now_ms));
}

enum err cosem_client_release(struct cosem_client *c, uint64_t now_ms)
{
    enum err err = begin(c, CLIENT_READY);
    return local(c, err ? err : client_send_rlrq(c, now_ms));
}

static enum err operate(struct cosem_client *c, uint64_t now_ms, struct apdu_request *q,
                        enum cosem_client_state next, const struct cosem_client_sink *sink)
{
    enum err err = begin(c, CLIENT_READY);
    if (err)
        return local(c, err);
    c->sink = *sink;
    c->block = 0;
    c->n_list = q->n_list;
    q->invoke = client_next_invoke(c);
    return local(c, client_send_request(c, now_ms, q, next));
}

enum err cosem_client_get(struct cosem_client *c, uint64_t now_ms, const struct apdu_attr *attr,
                          const struct cosem_client_sink *sink)
{
    struct apdu_request q = {.tag = DLMS_GET_REQUEST, .type = DLMS_GET_NORMAL, .target = *attr};
    return operate(c, now_ms, &q, CLIENT_GETTING, sink);
}

enum err cosem_client_get_list(struct cosem_client *c, uint64_t now_ms,
                               const struct apdu_attr *attrs, size_t n,
                               const struct cosem_client_sink *sink)
{
    uint8_t list[COSEM_CLIENT_LIST_MAX * 16];
    struct wr w = wr_of(list, sizeof list);
    if (n == 0 || n > COSEM_CLIENT_LIST_MAX)
        return local(c, ERR_RANGE);
    for (size_t i = 0; i < n; i++)
        apdu_put_attr(&w, &attrs[i]);
    if (w.err)
        return local(c, w.err);
    struct apdu_request q = {.tag = DLMS_GET_REQUEST,
                             .type = DLMS_GET_LIST,
                             .n_list = (uint32_t)n,
                             .list = {list, w.len}};
    return operate(c, now_ms, &q, CLIENT_GETTING, sink);
}

enum err cosem_client_set(struct cosem_client *c, uint64_t now_ms, const struct apdu_attr *attr,
                          struct bytes value, const struct cosem_client_sink *sink)
{
    struct apdu_request q = {
        .tag = DLMS_SET_REQUEST, .type = DLMS_SET_NORMAL, .target = *attr, .data = value};
    return operate(c, now_ms, &q, CLIENT_SETTING, sink);
}

enum err cosem_client_action(struct cosem_client *c, uint64_t now_ms,
                             const struct apdu_attr *method, const struct cosem_client_sink *sink)
{
    struct apdu_request q = {
        .tag = DLMS_ACTION_REQUEST, .type = DLMS_ACTION_NORMAL, .target = *method};
    return operate(c, now_ms, &q, CLIENT_ACTING, sink);
}

/* ---- input ---- */

/* Pushed by the meter without a request; not this session's business. */
static bool is_notification(uint8_t tag)
{
    return tag == DLMS_DATA_NOTIFICATION || tag == DLMS_EVENT_NOTIFICATION ||
           tag == DLMS_EVENT_NOTIFICATION + DLMS_GLO_OFFSET || tag == DLMS_GENERAL_GLO;
}

static void on_apdu(struct cosem_client *c, uint64_t now_ms, struct bytes apdu)
{
    const uint8_t tag = apdu.len > 0 ? apdu.p[0] : 0;
    bool dedicated = false;
    const uint8_t plain_tag = apdu_plain_tag(tag, &dedicated);
    struct rd r = rd_of(apdu.p, apdu.len);
    if (apdu.len > 0 && is_notification(tag))
        return;
    if (tag == DLMS_EXCEPTION_RESPONSE || tag == DLMS_CONFIRMED_SERVICE_ERROR) {
        client_on_exception(c, apdu);
    } else if (c->state == CLIENT_ASSOCIATING && tag == DLMS_AARE) {
        client_on_aare(c, now_ms, apdu);
    } else if (c->state == CLIENT_RELEASING && tag == DLMS_RLRE) {
        client_become(c, CLIENT_CLOSED);
    } else if (c->state < CLIENT_AUTHENTICATING || c->state > CLIENT_ACTING ||
               c->state == CLIENT_READY) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, tag);
    } else if (c->config.security == 0) {
        client_on_response(c, now_ms, &r);
    } else if (plain_tag == 0 || dedicated) {
        client_fail(c, ERR_ACCESS, CLIENT_WHY_WEAK, 0);
    } else if (client_unprotect_apdu(c, apdu, &r)) {
        client_on_response(c, now_ms, &r);
    }
}

static void on_frame(struct cosem_client *c, uint64_t now_ms, enum wrapper_event event)
{
    const struct bytes apdu = {c->buf, c->rx.len};
    if (event != WRAPPER_FRAME || c->rx.source != c->config.server_sap ||
        c->rx.destination != c->config.client_sap) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_FRAME, 0);
        return;
    }
    wrapper_reset(&c->rx, c->buf, c->config.max_pdu);
    on_apdu(c, now_ms, apdu);
}

size_t cosem_client_feed(struct cosem_client *c, uint64_t now_ms, const uint8_t *p, size_t n)
{
    size_t used = 0;
    while (used < n && c->state != CLIENT_FAILED && c->out_at == c->out_end) {
        enum wrapper_event event;
        if (c->state == CLIENT_CLOSED) /* nothing is expected on a line without association */
            return n;
        used += wrapper_feed(&c->rx, p + used, n - used, &event);
        if (event != WRAPPER_MORE)
            on_frame(c, now_ms, event);
    }
    return used;
}

uint64_t cosem_client_poll(struct cosem_client *c, uint64_t now_ms)
{
    if (cosem_client_waiting(c) && now_ms >= c->deadline_ms)
        client_fail(c, ERR_TIMEOUT, CLIENT_WHY_TIMEOUT, 0);
    return c->deadline_ms;
}

void cosem_client_lost(struct cosem_client *c)
{
    if (c->state == CLIENT_RELEASING || c->state == CLIENT_READY)
        client_become(c, CLIENT_CLOSED);
    else if (cosem_client_waiting(c))
        client_fail(c, ERR_CLOSED, CLIENT_WHY_CLOSED, 0);
    c->out_at = c->out_end = 0;
    wrapper_reset(&c->rx, c->buf, c->config.max_pdu);
}
