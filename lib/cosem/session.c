/* One connection: framing, dispatch, replies, inactivity.
 *
 *                 AARQ refused / RLRQ / AARQ again / failed HLS
 *            .--------------------------<---------------------------.
 *            v                                                      |
 *        SESSION_IDLE --AARQ, HLS--> SESSION_PENDING --f(StoC)--> SESSION_ASSOCIATED
 *            |    '-------AARQ, no authentication or LLS--------------^
 *            '--> SESSION_CLOSED from every state: framing lost, silence, session_close
 *
 * Facts: in IDLE device and client are NULL. In PENDING only reply_to_HLS_authentication is served.
 * request_sc says how the answer is protected: as the request was. At most one answer waits.
 *
 * A second AARQ ends the association and begins anew: a client that lost its line and comes back
 * through a gateway must not be locked out by its own past. */
#include "lib/cosem/server_parts.h"

#include <string.h>

void session_init(struct cosem_session *s, struct cosem_server *server)
{
    memset(s, 0, sizeof *s);
    s->server = server;
    wrapper_reset(&s->rx, s->rx_buf, sizeof s->rx_buf);
}

void association_end(struct cosem_session *s)
{
    struct cosem_server *server = s->server;
    if (s->state == SESSION_ASSOCIATED)
        server->n_associated[s->client - server->config.clients]--;
    if (s->state != SESSION_CLOSED)
        s->state = SESSION_IDLE;
    s->device = NULL;
    s->client = NULL;
    s->has_title = false;
    security_end(s);
    s->transfer.kind = SESSION_NO_LONG;
    wipe(s->challenge, sizeof s->challenge);
}

/* New keys and policy come into force: the answer that acknowledged them has left, or never will.
 */
static void apply_security(struct cosem_session *s)
{
    if (!s->security_changed)
        return;
    s->server->keys = s->new_keys;
    s->server->policy = s->new_policy;
    s->security_changed = false;
    wipe(&s->new_keys, sizeof s->new_keys);
}

static void close_now(struct cosem_session *s)
{
    apply_security(s);
    association_end(s);
    s->state = SESSION_CLOSED;
}

void session_close(struct cosem_session *s)
{
    close_now(s);
    s->tx_pos = s->tx_len = 0;
    wipe(s->rx_buf, sizeof s->rx_buf);
    wipe(s->tx, sizeof s->tx);
}

bool session_closed(const struct cosem_session *s)
{
    return s->state == SESSION_CLOSED;
}

size_t session_feed(struct cosem_session *s, const uint8_t *p, size_t n)
{
    size_t used = 0;
    while (used < n && s->state != SESSION_CLOSED && s->tx_pos == s->tx_len) {
        enum wrapper_event event;
        used += wrapper_feed(&s->rx, p + used, n - used, &event);
        if (event == WRAPPER_FRAME && s->rx.len > 0)
            session_apdu(s, s->rx.source, s->rx.destination, s->rx.buf, s->rx.len);
        else if (event == WRAPPER_VERSION_WRONG || event == WRAPPER_TOO_LONG)
            close_now(s);
    }
    return s->state == SESSION_CLOSED ? n : used;
}

size_t session_take(struct cosem_session *s, uint8_t *to, size_t size)
{
    size_t waiting = s->tx_len - s->tx_pos;
    size_t n = waiting < size ? waiting : size;
    if (n == 0)
        return 0;
    memcpy(to, s->tx + s->tx_pos, n);
    s->tx_pos += n;
    s->touched = true;
    if (s->tx_pos == s->tx_len)
        session_answered(s);
    return n;
}

struct bytes session_answer(const struct cosem_session *s)
{
    if (s->tx_pos == s->tx_len)
        return (struct bytes){NULL, 0};
    return (struct bytes){s->tx + s->tx_apdu, s->tx_len - s->tx_apdu};
}

void session_answered(struct cosem_session *s)
{
    s->tx_pos = s->tx_len = 0;
    s->tx_unconfirmed = false;
    s->touched = true;
    apply_security(s);
}

void session_disconnect(struct cosem_session *s)
{
    apply_security(s);
    association_end(s);
    s->tx_pos = s->tx_len = 0;
    s->tx_unconfirmed = false;
}

uint64_t session_poll(struct cosem_session *s, uint64_t now_ms)
{
    uint32_t limit = s->server->config.inactivity_ms;
    uint64_t next = backoff_poll(s->server, now_ms);
    if (s->touched || !s->clock_running) {
        s->touched = false;
        s->clock_running = true;
        s->last_ms = now_ms;
    }
    if (limit == 0 || s->state == SESSION_CLOSED)
        return next;
    if (now_ms - s->last_ms < limit)
        return next < s->last_ms + limit ? next : s->last_ms + limit;
    close_now(s);
    return next;
}

struct wr reply_begin(struct cosem_session *s)
{
    return wr_of(s->tx + REPLY_START, sizeof s->tx - REPLY_START - CRYPTO_GCM_TAG);
}

void reply_send_plain(struct cosem_session *s, size_t start, size_t len)
{
    struct wr head = wr_of(s->tx + start - WRAPPER_HEAD_LEN, WRAPPER_HEAD_LEN);
    wrapper_put_head(&head, s->peer_server, s->peer_client, (uint16_t)len);
    s->tx_pos = start - WRAPPER_HEAD_LEN;
    s->tx_apdu = start;
    s->tx_len = start + len;
}

void reply_send(struct cosem_session *s, size_t start, size_t len)
{
    if (security_seal_apdu(s, s->tx, sizeof s->tx, &start, &len))
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OPERATION_NOT_POSSIBLE);
    else
        reply_send_plain(s, start, len);
}

void reply_response(struct cosem_session *s, const struct apdu_response *a)
{
    struct wr w = reply_begin(s);
    apdu_put_response(&w, a);
    reply_send(s, REPLY_START, w.len);
}

void reply_exception(struct cosem_session *s, uint8_t state_error, uint8_t service_error)
{
    struct apdu_response a = {
        .tag = DLMS_EXCEPTION_RESPONSE, .state_error = state_error, .service_error = service_error};
    if (service_error == DLMS_EXC_COUNTER_ERROR)
        a.counter = security_expected(s);
    struct wr w = reply_begin(s);
    apdu_put_response(&w, &a);
    reply_send_plain(s, REPLY_START, w.len);
}

enum err server_before_tell(struct cosem_session *s)
{
    const struct cosem_server_config *c = &s->server->config;
    return c->before_tell ? c->before_tell(c->context, s->client->role) : ERR_OK;
}

struct cosem_call server_call(struct cosem_session *s)
{
    return (struct cosem_call){
        .context = s->device->context, .session = s, .role = s->client->role, .device = s->device};
}

bool policy_allows(const uint16_t rights[COSEM_N_ROLES], enum cosem_role role, uint8_t id)
{
    return id >= 1 && id <= 16 && (rights[role] >> (id - 1) & 1u);
}

enum cosem_result server_resolve(struct cosem_session *s, const struct apdu_attr *a,
                                 struct cosem_ref *ref, const struct cosem_class **ic)
{
    if (!cosem_find(s->device, a->class_id, a->ln, ref)) {
        struct cosem_ref other;
        return cosem_find_name(s->device, a->ln, &other) ? COSEM_OBJECT_CLASS_INCONSISTENT
                                                         : COSEM_OBJECT_UNDEFINED;
    }
    *ic = cosem_class_find(ref->row->class_id, ref->row->version);
    return *ic && ref->row->rights && ref->row->binding ? COSEM_SUCCESS : COSEM_OBJECT_UNAVAILABLE;
}

/* Conformance bits a request needs; 0 where the server has no such service. */
static uint32_t conformance_of(const struct apdu_request *q)
{
    static const struct {
        uint8_t tag, type;
        uint32_t bits;
    } need[] = {
        {DLMS_GET_REQUEST, DLMS_GET_NORMAL, DLMS_CONF_GET},
        {DLMS_GET_REQUEST, DLMS_GET_NEXT, DLMS_CONF_GET | DLMS_CONF_BLOCK_GET},
        {DLMS_GET_REQUEST, DLMS_GET_LIST, DLMS_CONF_GET | DLMS_CONF_MULTIPLE},
        {DLMS_SET_REQUEST, DLMS_SET_NORMAL, DLMS_CONF_SET},
        {DLMS_SET_REQUEST, DLMS_SET_FIRST_BLOCK, DLMS_CONF_SET | DLMS_CONF_BLOCK_SET},
        {DLMS_SET_REQUEST, DLMS_SET_BLOCK, DLMS_CONF_SET | DLMS_CONF_BLOCK_SET},
        {DLMS_SET_REQUEST, DLMS_SET_LIST, DLMS_CONF_SET | DLMS_CONF_MULTIPLE},
        {DLMS_ACTION_REQUEST, DLMS_ACTION_NORMAL, DLMS_CONF_ACTION},
    };
    for (size_t i = 0; i < sizeof need / sizeof need[0]; i++) {
        if (need[i].tag == q->tag && need[i].type == q->type)
            return need[i].bits;
    }
    return 0;
}

static bool is_hls_reply(const struct apdu_request *q)
{
    static const uint8_t current[6] = {0, 0, 40, 0, 0, 255};
    return q->tag == DLMS_ACTION_REQUEST && q->target.class_id == 15 && q->target.id == 1 &&
           memcmp(q->target.ln, current, sizeof current) == 0;
}

/* A request in the clear or deciphered. */
static void serve(struct cosem_session *s, struct bytes apdu)
{
    struct apdu_request q;
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_request(&r, &q);
    bool served =
        q.tag == DLMS_GET_REQUEST || q.tag == DLMS_SET_REQUEST || q.tag == DLMS_ACTION_REQUEST;
    if (!served || r.err == ERR_UNSUPPORTED) {
        bool known = q.tag >= DLMS_GET_REQUEST && q.tag <= DLMS_GENERAL_BLOCK;
        reply_exception(s, known ? DLMS_STATE_SERVICE_NOT_ALLOWED : DLMS_STATE_SERVICE_UNKNOWN,
                        DLMS_EXC_SERVICE_NOT_SUPPORTED);
        return;
    }
    if (r.err) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
        return;
    }
    if (s->state == SESSION_PENDING && !is_hls_reply(&q)) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OPERATION_NOT_POSSIBLE);
        return;
    }
    uint32_t bits = conformance_of(&q);
    if (s->state == SESSION_ASSOCIATED && (bits & s->conformance) != bits) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_SERVICE_NOT_SUPPORTED);
        return;
    }
    if (q.tag == DLMS_GET_REQUEST)
        server_get(s, &q);
    else if (q.tag == DLMS_SET_REQUEST)
        server_set(s, &q);
    else
        server_action(s, &q);
}

static void serve_ciphered(struct cosem_session *s, uint8_t *apdu, size_t len)
{
    struct bytes plain;
    enum err err = security_open_apdu(s, apdu, len, &plain);
    if (err)
        security_refuse(s, err);
    else
        serve(s, plain);
}

void session_apdu(struct cosem_session *s, uint16_t client_sap, uint16_t server_sap, uint8_t *apdu,
                  size_t len)
{
    s->touched = true; /* a whole APDU, not each octet: a dribble must not hold the line for ever */
    s->peer_client = client_sap;
    s->peer_server = server_sap;
    s->request_sc = 0;
    s->request_dedicated = s->request_general = false;
    if (len == 0)
        return;
    if (apdu[0] == DLMS_AARQ) {
        s->client_sap = client_sap;
        s->server_sap = server_sap;
        association_open(s, apdu, len);
        if (s->line_max != 0 && s->max_pdu > s->line_max)
            s->max_pdu = s->line_max;
    } else if (!s->client || client_sap != s->client_sap || server_sap != s->server_sap) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OPERATION_NOT_POSSIBLE);
    } else if (apdu[0] == DLMS_RLRQ) {
        association_release(s, apdu, len);
    } else if (security_is_ciphered(apdu[0])) {
        serve_ciphered(s, apdu, len);
    } else if (security_required(s) != 0) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_DECIPHERING_ERROR);
    } else {
        serve(s, (struct bytes){apdu, len});
    }
}
