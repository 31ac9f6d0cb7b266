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
#include "lib/cosem/client.h"
#include "lib/cosem/client_items.h"
#include "lib/dlms/axdr.h"

#include <string.h>

#define NO_DEADLINE UINT64_MAX
/* A plain APDU is written here: the heads that protection and wrapper need fit in front of it. */
#define PLAIN_AT  (WRAPPER_HEAD_LEN + APDU_CIPHER_HEAD_MAX + DLMS_HEAD_LEN)
#define SEALED_AT (PLAIN_AT - DLMS_HEAD_LEN)
#define TAG_LEN   12u
#define SC_SUITE  0x0Fu
#define OUR_CONFORMANCE                                                                            \
    (DLMS_CONF_BLOCK_GET | DLMS_CONF_MULTIPLE | DLMS_CONF_GET | DLMS_CONF_SET |                    \
     DLMS_CONF_SELECTIVE | DLMS_CONF_ACTION)

static const uint8_t current_association[6] = {0, 0, 40, 0, 0, 255};

static bool uses_keys(const struct cosem_client_config *k)
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
    if (uses_keys(config) &&
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

static void fail(struct cosem_client *c, enum err err, enum cosem_client_why why, uint32_t detail)
{
    c->failure.err = err;
    c->failure.why = why;
    c->failure.during = c->state;
    c->failure.detail = detail;
    c->state = CLIENT_FAILED;
    c->deadline_ms = NO_DEADLINE;
    c->out_at = c->out_end = 0;
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

static enum err send_request(struct cosem_client *c, uint64_t now_ms, const struct apdu_request *q,
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

static uint8_t next_invoke(struct cosem_client *c)
{
    c->invoke = (uint8_t)((c->invoke + 1) & 0x0F);
    return (uint8_t)(0xC0 | c->invoke); /* confirmed, high priority */
}

/* Writes the InitiateRequest, ciphered where the association is; *out views `room`. */
static enum err put_initiate(struct cosem_client *c, uint8_t room[64], struct bytes *out)
{
    const struct dlms_initiate i = {.response_allowed = true,
                                    .version = DLMS_VERSION,
                                    .conformance = OUR_CONFORMANCE,
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
    if (uses_keys(k))
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
    q->invoke = next_invoke(c);
    return local(c, send_request(c, now_ms, q, next));
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

static void become(struct cosem_client *c, enum cosem_client_state state)
{
    c->state = state;
    c->deadline_ms = NO_DEADLINE;
}

/* A ciphered body (SC first) in place; on success *plain is authentic as far as asked. */
static bool unprotect(struct cosem_client *c, uint8_t *body, size_t len, struct rd *plain)
{
    const struct cosem_client_config *k = &c->config;
    uint8_t sc, *text;
    uint32_t counter;
    size_t text_len;
    if (len == 0 || (body[0] & ~SC_SUITE & ~(DLMS_SC_AUTH | DLMS_SC_ENC)) != 0 ||
        (body[0] & k->security) != k->security) {
        fail(c, ERR_ACCESS, CLIENT_WHY_WEAK, len == 0 ? 0 : body[0]);
        return false;
    }
    enum err err = dlms_open(k->keys->guek, k->keys->gak, c->server_title, body, len, &sc, &counter,
                             &text, &text_len);
    if (err) {
        fail(c, err, CLIENT_WHY_DECIPHER, 0);
        return false;
    }
    if (counter < c->rx_floor || counter == UINT32_MAX) {
        fail(c, ERR_REPLAY, CLIENT_WHY_COUNTER, counter);
        return false;
    }
    c->rx_floor = counter + 1;
    *plain = rd_of(text, text_len);
    return true;
}

/* tag, length, body: the body must fill the rest. */
static bool unprotect_apdu(struct cosem_client *c, struct bytes apdu, struct rd *plain)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    (void)rd_u8(&r);
    const size_t len = rd_length(&r);
    if (r.err || len != rd_left(&r)) {
        fail(c, ERR_FORMAT, CLIENT_WHY_APDU, (uint32_t)r.pos);
        return false;
    }
    /* apdu views either buf or a part of it, so that deciphering in place is ours to do */
    if (!unprotect(c, c->buf + (apdu.p - c->buf) + r.pos, len, plain))
        return false;
    /* the outer tag is not covered by the authentication: the inner one decides */
    if (rd_left(plain) > 0 && apdu_ciphered_tag(plain->p[plain->pos], false) == apdu.p[0])
        return true;
    fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, apdu.p[0]);
    return false;
}

/* ERR_REFUSED, or what in fact went wrong: a security error must not look like a refusal. */
static enum err exception_err(uint8_t service_error)
{
    if (service_error == DLMS_EXC_DECIPHERING_ERROR)
        return ERR_TAG;
    return service_error == DLMS_EXC_COUNTER_ERROR ? ERR_REPLAY : ERR_REFUSED;
}

static void on_exception(struct cosem_client *c, struct bytes apdu)
{
    struct apdu_response a = {0};
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_response(&r, &a);
    if (r.err) {
        fail(c, r.err, CLIENT_WHY_APDU, (uint32_t)r.err_pos);
        return;
    }
    const bool keep = cosem_client_waiting(c) && c->state >= CLIENT_GETTING &&
                      c->state <= CLIENT_ACTING && exception_err(a.service_error) == ERR_REFUSED;
    fail(c, exception_err(a.service_error),
         a.tag == DLMS_EXCEPTION_RESPONSE ? CLIENT_WHY_EXCEPTION : CLIENT_WHY_INITIATE,
         a.service_error);
    c->failure.counter = a.counter;
    if (keep)
        become(c, CLIENT_READY);
}

static void send_hls_proof(struct cosem_client *c, uint64_t now_ms)
{
    const struct cosem_client_config *k = &c->config;
    uint8_t parameter[2 + DLMS_GMAC_LEN] = {AXDR_OCTETS, DLMS_GMAC_LEN};
    uint32_t counter;
    enum err err = dlms_counter_take(k->counter, &counter);
    if (!err)
        err = dlms_hls5_make(k->keys, k->title, counter, (struct bytes){c->stoc, c->stoc_len},
                             parameter + 2);
    struct apdu_request q = {
        .tag = DLMS_ACTION_REQUEST,
        .type = DLMS_ACTION_NORMAL,
        .invoke = next_invoke(c),
        .target = {.class_id = 15, .id = 1, .parameter = {parameter, sizeof parameter}}};
    memcpy(q.target.ln, current_association, sizeof current_association);
    if (!err)
        err = send_request(c, now_ms, &q, CLIENT_AUTHENTICATING);
    if (err)
        fail(c, err, CLIENT_WHY_LOCAL, 0);
}

static void on_hls_answer(struct cosem_client *c, const struct apdu_response *a)
{
    struct rd r = rd_of(a->data.p, a->data.len);
    uint32_t counter;
    enum err err = a->result == COSEM_SUCCESS && a->has_data ? ERR_OK : ERR_TAG;
    const struct bytes proof = axdr_get_octets(&r);
    if (!err)
        err = r.err;
    if (!err)
        err = dlms_hls5_check(c->config.keys, c->server_title,
                              (struct bytes){c->ctos, sizeof c->ctos}, proof, &counter);
    if (err) {
        fail(c, ERR_TAG, CLIENT_WHY_HLS, a->result);
        return;
    }
    if (counter >= c->rx_floor && counter < UINT32_MAX)
        c->rx_floor = counter + 1;
    become(c, CLIENT_READY);
}

/* Title and challenge, kept for the association. False after a failure. */
static bool keep_server(struct cosem_client *c, const struct acse_aare *a)
{
    const bool hls = c->config.mechanism == DLMS_MECHANISM_HLS5;
    if (!uses_keys(&c->config))
        return true;
    const bool good_title =
        a->title.len == DLMS_TITLE_LEN && memcmp(a->title.p, c->config.title, DLMS_TITLE_LEN) != 0;
    const bool good_challenge = a->secret.len >= 8 && a->secret.len <= sizeof c->stoc;
    if (!good_title || (hls && !good_challenge)) {
        fail(c, ERR_FORMAT, CLIENT_WHY_NO_TITLE, 0);
        return false;
    }
    memcpy(c->server_title, a->title.p, DLMS_TITLE_LEN);
    c->has_server_title = true;
    if (hls) {
        memcpy(c->stoc, a->secret.p, a->secret.len);
        c->stoc_len = (uint8_t)a->secret.len;
    }
    return true;
}

/* The InitiateResponse in an accepted AARE. False after a failure. */
static bool take_initiate(struct cosem_client *c, const struct acse_aare *a)
{
    const uint8_t wanted =
        c->config.security != 0 ? DLMS_GLO_INITIATE_RESPONSE : DLMS_INITIATE_RESPONSE;
    struct rd r = rd_of(a->user_info.p, a->user_info.len);
    struct dlms_initiate i = {0};
    if (a->user_info.len == 0 || a->user_info.p[0] != wanted) {
        fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a->user_info.len > 0 ? a->user_info.p[0] : 0);
        return false;
    }
    if (c->config.security != 0 && !unprotect_apdu(c, a->user_info, &r))
        return false;
    initiate_get_response(&r, &i);
    if (r.err || rd_left(&r) > 0 || i.version != DLMS_VERSION) {
        fail(c, ERR_FORMAT, CLIENT_WHY_APDU, (uint32_t)r.pos);
        return false;
    }
    c->conformance = i.conformance & OUR_CONFORMANCE;
    c->server_max_pdu = i.max_pdu;
    return true;
}

static void on_aare(struct cosem_client *c, uint64_t now_ms, struct bytes apdu)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    struct acse_aare a = {0};
    acse_get_aare(&r, &a);
    if (r.err) {
        fail(c, r.err, CLIENT_WHY_APDU, (uint32_t)r.err_pos);
        return;
    }
    if (a.result != ACSE_ACCEPTED) {
        const bool secret =
            a.source == ACSE_SOURCE_USER && (a.diagnostic == ACSE_DIAG_AUTHENTICATION_FAILURE ||
                                             a.diagnostic == ACSE_DIAG_AUTHENTICATION_REQUIRED);
        const bool initiate =
            a.user_info.len == 4 && a.user_info.p[0] == DLMS_CONFIRMED_SERVICE_ERROR && !secret;
        fail(c, secret ? ERR_TAG : ERR_REFUSED, initiate ? CLIENT_WHY_INITIATE : CLIENT_WHY_REFUSED,
             initiate ? a.user_info.p[3] : a.diagnostic);
        c->failure.source = a.source;
        return;
    }
    if (!keep_server(c, &a) || !take_initiate(c, &a))
        return;
    if (c->config.mechanism == DLMS_MECHANISM_HLS5)
        send_hls_proof(c, now_ms);
    else
        become(c, CLIENT_READY);
}

static void end_refused(struct cosem_client *c, uint8_t result)
{
    if (c->sink.done)
        c->sink.done(c->sink.context, 0, (enum cosem_result)result);
    become(c, CLIENT_READY);
}

/* Octets of values; after the last the operation is over. False after a failure. */
static bool take_values(struct cosem_client *c, struct bytes part, bool last)
{
    enum err err = client_items_feed(c, part);
    if (!err && last && !client_items_complete(c))
        err = ERR_TRUNCATED;
    if (err) {
        fail(c, err, err == ERR_FULL ? CLIENT_WHY_SINK : CLIENT_WHY_VALUE, c->block);
        return false;
    }
    if (last)
        become(c, CLIENT_READY);
    return true;
}

static void on_block(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (a->block != c->block + 1) {
        fail(c, ERR_FORMAT, CLIENT_WHY_BLOCK, a->block);
        return;
    }
    if (!a->has_data) {
        end_refused(c, a->result);
        return;
    }
    if (c->block == 0)
        client_items_begin(c, c->n_list, true);
    c->block++;
    if (!take_values(c, a->data, a->last) || a->last)
        return;
    const struct apdu_request q = {.tag = DLMS_GET_REQUEST,
                                   .type = DLMS_GET_NEXT,
                                   .invoke = (uint8_t)(0xC0 | c->invoke),
                                   .block = c->block};
    enum err err = send_request(c, now_ms, &q, CLIENT_GETTING);
    if (err)
        fail(c, err, CLIENT_WHY_LOCAL, 0);
}

static void on_get(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (a->type == DLMS_GETRES_BLOCK) {
        on_block(c, now_ms, a);
        return;
    }
    const bool list = a->type == DLMS_GETRES_LIST;
    if (c->block > 0 || list != (c->n_list > 0) || a->n_list != c->n_list) {
        fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a->tag);
        return;
    }
    if (!list && !a->has_data) {
        end_refused(c, a->result);
        return;
    }
    client_items_begin(c, c->n_list, false);
    (void)take_values(c, a->data, true);
}

static void on_action(struct cosem_client *c, const struct apdu_response *a)
{
    if (a->result != COSEM_SUCCESS || !a->has_data) {
        end_refused(c, a->result == COSEM_SUCCESS && a->has_return ? a->return_result : a->result);
        return;
    }
    client_items_begin(c, 0, false);
    (void)take_values(c, a->data, true);
}

static void on_response(struct cosem_client *c, uint64_t now_ms, struct rd *r)
{
    struct apdu_response a = {0};
    apdu_get_response(r, &a);
    if (r->err) {
        fail(c, r->err, CLIENT_WHY_APDU, (uint32_t)r->err_pos);
        return;
    }
    if ((a.invoke & 0x0F) != c->invoke)
        fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a.tag);
    else if (c->state == CLIENT_GETTING && a.tag == DLMS_GET_RESPONSE)
        on_get(c, now_ms, &a);
    else if (c->state == CLIENT_SETTING && a.tag == DLMS_SET_RESPONSE &&
             a.type == DLMS_SETRES_NORMAL)
        end_refused(c, a.result);
    else if (c->state == CLIENT_ACTING && a.tag == DLMS_ACTION_RESPONSE)
        on_action(c, &a);
    else if (c->state == CLIENT_AUTHENTICATING && a.tag == DLMS_ACTION_RESPONSE)
        on_hls_answer(c, &a);
    else
        fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a.tag);
}

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
        on_exception(c, apdu);
    } else if (c->state == CLIENT_ASSOCIATING && tag == DLMS_AARE) {
        on_aare(c, now_ms, apdu);
    } else if (c->state == CLIENT_RELEASING && tag == DLMS_RLRE) {
        become(c, CLIENT_CLOSED);
    } else if (c->state < CLIENT_AUTHENTICATING || c->state > CLIENT_ACTING ||
               c->state == CLIENT_READY) {
        fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, tag);
    } else if (c->config.security == 0) {
        on_response(c, now_ms, &r);
    } else if (plain_tag == 0 || dedicated) {
        fail(c, ERR_ACCESS, CLIENT_WHY_WEAK, 0);
    } else if (unprotect_apdu(c, apdu, &r)) {
        on_response(c, now_ms, &r);
    }
}

static void on_frame(struct cosem_client *c, uint64_t now_ms, enum wrapper_event event)
{
    const struct bytes apdu = {c->buf, c->rx.len};
    if (event != WRAPPER_FRAME || c->rx.source != c->config.server_sap ||
        c->rx.destination != c->config.client_sap) {
        fail(c, ERR_FORMAT, CLIENT_WHY_FRAME, 0);
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
        fail(c, ERR_TIMEOUT, CLIENT_WHY_TIMEOUT, 0);
    return c->deadline_ms;
}

void cosem_client_lost(struct cosem_client *c)
{
    if (c->state == CLIENT_RELEASING || c->state == CLIENT_READY)
        become(c, CLIENT_CLOSED);
    else if (cosem_client_waiting(c))
        fail(c, ERR_CLOSED, CLIENT_WHY_CLOSED, 0);
    c->out_at = c->out_end = 0;
    wrapper_reset(&c->rx, c->buf, c->config.max_pdu);
}
