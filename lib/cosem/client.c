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
/* A plain APDU is written here: the heads that protection and wrapper need fit in front of it. */
#define PLAIN_AT  (WRAPPER_HEAD_LEN + APDU_CIPHER_HEAD_MAX + DLMS_HEAD_LEN)
#define SEALED_AT (PLAIN_AT - DLMS_HEAD_LEN)
#define TAG_LEN   12u

bool client_uses_keys(const struct cosem_client_config *k)
{
    return k->security != 0 || k->mechanism == DLMS_MECHANISM_HLS5;
}

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

static struct wr plain_writer(struct cosem_client *c)
{
    return wr_of(c->buf + PLAIN_AT, sizeof c->buf - PLAIN_AT - TAG_LEN);
}

/* Puts tag and length in front of the sealed body at SEALED_AT; gives where the APDU begins. */
static size_t put_cipher_head(struct cosem_client *c, uint8_t tag, size_t len)
{
    uint8_t head[APDU_CIPHER_HEAD_MAX];
    struct wr w = wr_of(head, sizeof head);
    wr_u8(&w, tag);
    wr_length(&w, len);
    memcpy(c->buf + SEALED_AT - w.len, head, w.len);
    return SEALED_AT - w.len;
}

/* Protects the plain APDU of *len octets at PLAIN_AT. On success buf[*at .. *at + *len) goes out.
 */
static enum err protect(struct cosem_client *c, size_t *at, size_t *len)
{
    const struct cosem_client_config *k = &c->config;
    const uint8_t tag = apdu_ciphered_tag(c->buf[PLAIN_AT], false); /* soon ciphered itself */
    uint32_t counter;
    size_t sealed;
    enum err err = dlms_counter_take(k->counter, &counter);
    if (!err)
        err = dlms_seal(k->keys->guek, k->keys->gak, k->title, k->security, counter,
                        c->buf + SEALED_AT, *len, sizeof c->buf - SEALED_AT, &sealed);
    if (err)
        return err;
    *at = put_cipher_head(c, tag, sealed);
    *len = SEALED_AT + sealed - *at;
    return ERR_OK;
}

/* Sends the APDU that `w` wrote at PLAIN_AT and waits for the answer in state `next`. */
static enum err send(struct cosem_client *c, uint64_t now_ms, const struct wr *w,
                     enum cosem_client_state next, bool sealed)
{
    size_t at = PLAIN_AT, len = w->len;
    const size_t overhead = sealed ? APDU_CIPHER_HEAD_MAX + DLMS_HEAD_LEN + TAG_LEN : 0;
    if (w->err || (c->server_max_pdu != 0 && len + overhead > c->server_max_pdu))
        return ERR_FULL;
    if (sealed) {
        enum err err = protect(c, &at, &len);
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
    struct wr w = plain_writer(c);
    apdu_put_request(&w, q);
    return send(c, now_ms, &w, next, c->config.security != 0);
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

/* Writes the InitiateRequest, ciphered where the association is; *out views `room`. */
static enum err put_initiate(struct cosem_client *c, uint8_t room[64], struct bytes *out)
{
    const struct dlms_initiate i = {.response_allowed = true,
                                    .version = DLMS_VERSION,
                                    .conformance = CLIENT_CONFORMANCE,
                                    .max_pdu = c->config.max_pdu};
    const struct cosem_client_config *k = &c->config;
    struct wr w = wr_of(room + 2 + DLMS_HEAD_LEN, 64 - 2 - DLMS_HEAD_LEN - TAG_LEN);
    uint32_t counter;
    size_t sealed;
    initiate_put_request(&w, &i);
    *out = (struct bytes){room + 2 + DLMS_HEAD_LEN, w.len};
    if (w.err || k->security == 0)
        return w.err;
    enum err err = dlms_counter_take(k->counter, &counter);
    if (!err)
        err = dlms_seal(k->keys->guek, k->keys->gak, k->title, k->security, counter, room + 2,
                        w.len, 62, &sealed);
    if (err)
        return err;
    room[0] = DLMS_GLO_INITIATE_REQUEST;
    room[1] = (uint8_t)sealed; /* below 64 */
    *out = (struct bytes){room, sealed + 2};
    return ERR_OK;
}

static struct bytes text_bytes(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* `request` views this side's title, secret and user_info, which the caller keeps. */
static enum err fill_aarq(struct cosem_client *c, struct acse_aarq *request)
{
    const struct cosem_client_config *k = &c->config;
    request->context = k->security != 0 ? DLMS_CONTEXT_LN_CIPHERED : DLMS_CONTEXT_LN;
    request->mechanism = k->mechanism;
    request->has_mechanism = k->mechanism != DLMS_MECHANISM_NONE;
    if (client_uses_keys(k))
        request->title = (struct bytes){k->title, DLMS_TITLE_LEN};
    if (k->mechanism == DLMS_MECHANISM_LLS)
        request->secret = text_bytes(k->password);
    if (k->mechanism != DLMS_MECHANISM_HLS5)
        return ERR_OK;
    request->secret = (struct bytes){c->ctos, sizeof c->ctos};
    return k->rng->fill(k->rng, c->ctos, sizeof c->ctos);
}

enum err cosem_client_connect(struct cosem_client *c, uint64_t now_ms)
{
    uint8_t room[64];
    struct acse_aarq request = {0};
    if (c->state == CLIENT_FAILED) {
        c->state = CLIENT_CLOSED;
        wrapper_reset(&c->rx, c->buf, c->config.max_pdu);
    }
    enum err err = begin(c, CLIENT_CLOSED);
    if (err)
        return local(c, err);
    c->has_server_title = false;
    c->server_max_pdu = 0;
    c->rx_floor = c->config.rx_floor;
    err = fill_aarq(c, &request);
    if (!err)
        err = put_initiate(c, room, &request.user_info);
    if (err)
        return local(c, err);
    struct wr w = plain_writer(c);
    acse_put_aarq(&w, &request);
    return local(c, send(c, now_ms, &w, CLIENT_ASSOCIATING, false));
}

enum err cosem_client_release(struct cosem_client *c, uint64_t now_ms)
{
    uint8_t room[64];
    struct acse_release request = {.has_reason = true, .reason = ACSE_RELEASE_NORMAL};
    enum err err = begin(c, CLIENT_READY);
    if (!err && c->config.security != 0)
        err = put_initiate(c, room, &request.user_info);
    if (err)
        return local(c, err);
    struct wr w = plain_writer(c);
    acse_put_release(&w, DLMS_RLRQ, &request);
    return local(c, send(c, now_ms, &w, CLIENT_RELEASING, false));
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
