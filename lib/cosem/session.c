/* One connection: framing, replies, inactivity. What a request means: server_dispatch.c.
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
    lock_end(server, s); /* begun anew without session_close: its lock goes, too */
    memset(s, 0, sizeof *s);
    s->server = server;
#if COSEM_WITH_WRAPPER
    wrapper_reset(&s->rx, s->rx_buf, sizeof s->rx_buf);
#endif
}

/* Out of line: a division. */
__attribute__((noinline)) size_t server_entry(const struct cosem_session *s)
{
    return (size_t)(s->client - s->server->config.clients);
}

void association_end(struct cosem_session *s)
{
    struct cosem_server *server = s->server;
    transfer_end(s);
    gbt_forget(s);
    if (s->state == SESSION_ASSOCIATED)
        server->n_associated[server_entry(s)]--;
    if (s->state != SESSION_CLOSED)
        s->state = SESSION_IDLE;
    s->device = NULL;
    s->client = NULL;
    s->has_title = false;
    security_end(s);
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

/* Nothing waits any more, nothing can be read from what did. */
static void wipe_buffers(struct cosem_session *s)
{
    s->tx_pos = s->tx_len = 0;
#if COSEM_WITH_WRAPPER
    wipe(s->rx_buf, sizeof s->rx_buf);
#endif
    wipe(s->tx, sizeof s->tx);
}

void session_close(struct cosem_session *s)
{
    close_now(s);
    wipe_buffers(s);
}

bool session_closed(const struct cosem_session *s)
{
    return s->state == SESSION_CLOSED;
}

#if COSEM_WITH_WRAPPER
/* Octets of the frame that begins at p, 0 where it is not whole, or nothing to answer. */
static size_t whole_frame(const uint8_t *p, size_t n)
{
    if (n <= WRAPPER_HEAD_LEN || p[0] != WRAPPER_VERSION >> 8 || p[1] != (WRAPPER_VERSION & 0xFF))
        return 0;
    size_t len = (size_t)p[6] << 8 | p[7];
    return len > 0 && len <= COSEM_PDU_MAX && len <= n - WRAPPER_HEAD_LEN ? WRAPPER_HEAD_LEN + len
                                                                          : 0;
}

/* Most frames come in one piece. */
static void take_whole(struct cosem_session *s, const uint8_t *p, size_t n)
{
    memcpy(s->rx_buf, p + WRAPPER_HEAD_LEN, n - WRAPPER_HEAD_LEN);
    session_apdu(s, (uint16_t)(p[2] << 8 | p[3]), (uint16_t)(p[4] << 8 | p[5]), s->rx_buf,
                 n - WRAPPER_HEAD_LEN);
}

static size_t take_part(struct cosem_session *s, const uint8_t *p, size_t n)
{
    enum wrapper_event event;
    size_t used = wrapper_feed(&s->rx, p, n, &event);
    if (event == WRAPPER_FRAME) {
        if (s->rx.len > 0)
            session_apdu(s, s->rx.source, s->rx.destination, s->rx.buf, s->rx.len);
        wrapper_reset(&s->rx, s->rx_buf, sizeof s->rx_buf);
    } else if (event != WRAPPER_MORE) {
        close_now(s);
    }
    return used;
}

size_t session_feed(struct cosem_session *s, const uint8_t *p, size_t n)
{
    size_t used = 0;
    while (used < n && s->state != SESSION_CLOSED && s->tx_pos == s->tx_len) {
        size_t whole = s->rx.n_head == 0 ? whole_frame(p + used, n - used) : 0;
        if (whole > 0)
            take_whole(s, p + used, whole);
        used += whole > 0 ? whole : take_part(s, p + used, n - used);
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
#endif

struct bytes session_answer(const struct cosem_session *s)
{
    if (s->tx_pos == s->tx_len)
        return (struct bytes){NULL, 0};
    return (struct bytes){s->tx + s->tx_apdu, s->tx_len - s->tx_apdu};
}

__attribute__((noinline)) void session_answered(struct cosem_session *s)
{
    s->tx_pos = s->tx_len = 0;
    s->tx_unconfirmed = false;
    s->touched = true;
    apply_security(s);
    gbt_next(s);
}

void session_disconnect(struct cosem_session *s)
{
    apply_security(s);
    association_end(s);
    wipe_buffers(s);
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
    uint64_t notice = notice_poll(s, now_ms);
    next = next < notice ? next : notice;
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

#if COSEM_WITH_WRAPPER
/* For session_take: the APDU behind a head of the wrapper. */
static void put_frame(struct cosem_session *s, size_t start, size_t len)
{
    struct wr head = wr_of(s->tx + start - WRAPPER_HEAD_LEN, WRAPPER_HEAD_LEN);
    wrapper_put_head(&head, s->peer_server, s->peer_client, (uint16_t)len);
    s->tx_pos = start - WRAPPER_HEAD_LEN;
    s->tx_apdu = start;
    s->tx_len = start + len;
}
#else
static void put_frame(struct cosem_session *s, size_t start, size_t len)
{
    s->tx_pos = s->tx_apdu = start;
    s->tx_len = start + len;
}
#endif

void reply_frame(struct cosem_session *s, size_t start, size_t len)
{
#if COSEM_WITH_GATEWAY
    if (s->via_gateway) {
        size_t n = 3u + s->gateway.address_len;
        struct wr prefix = wr_of(s->tx + start - n, n);
        gateway_put(&prefix, &s->gateway);
        start -= n;
        len += n;
    }
#endif
    put_frame(s, start, len);
}

void reply_send_plain(struct cosem_session *s, size_t start, size_t len)
{
    if (gbt_requested(s))
        gbt_answer(s, start, len);
    else
        reply_frame(s, start, len);
}

void reply_send(struct cosem_session *s, size_t start, size_t len)
{
    if (s->state == SESSION_ASSOCIATED && len > server_budget(s))
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_PDU_TOO_LONG);
    else if (security_seal_apdu(s, s->tx, sizeof s->tx, &start, &len))
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OPERATION_NOT_POSSIBLE);
    else
        reply_send_plain(s, start, len);
}

void reply_results(struct cosem_session *s, uint8_t tag, uint8_t type, uint32_t block,
                   struct bytes results)
{
    const uint8_t head[] = {tag, type, s->transfer.invoke};
    struct wr w = reply_begin(s);
    apdu_put_results(&w, head, block, results);
    reply_send(s, REPLY_START, w.len);
}

void reply_result(struct cosem_session *s, uint8_t tag, uint8_t type, uint32_t block,
                  enum cosem_result result)
{
    const uint8_t octet = (uint8_t)result;
    reply_results(s, tag, type, block, (struct bytes){&octet, 1});
}

/* At REPLY_START; gives its length. */
static size_t put_exception(struct cosem_session *s, uint8_t state_error, uint8_t service_error)
{
    struct wr w = reply_begin(s);
    uint32_t counter = service_error == DLMS_EXC_COUNTER_ERROR ? security_expected(s) : 0;
    apdu_put_exception(&w, state_error, service_error, counter);
    return w.len;
}

void reply_exception(struct cosem_session *s, uint8_t state_error, uint8_t service_error)
{
    size_t len = put_exception(s, state_error, service_error);
    reply_send_plain(s, REPLY_START, len);
}

void reply_exception_frame(struct cosem_session *s, uint8_t state_error, uint8_t service_error)
{
    size_t len = put_exception(s, state_error, service_error);
    reply_frame(s, REPLY_START, len);
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

/* Whether the row offers this to the client. */
static bool offers(const struct cosem_session *s, const struct cosem_row *row,
                   enum server_wish wish, uint8_t id)
{
    const struct cosem_binding *b = row->kind->binding;
    const struct cosem_rights *r = row->kind->rights;
    enum cosem_role role = s->client->role;
    switch (wish) {
    case WISH_READ:
        return policy_allows(r->read, role, id);
    case WISH_WRITE:
        return b->set && policy_allows(r->write, role, id);
    default:
        return b->invoke && policy_allows(r->invoke, role, id);
    }
}

enum cosem_result server_resolve(struct cosem_session *s, const struct apdu_attr *a,
                                 enum server_wish wish, struct cosem_ref *ref,
                                 const struct cosem_class **ic)
{
    if (!cosem_find(s->device, a->class_id, a->ln, ref)) {
        struct cosem_ref other;
        return cosem_find_name(s->device, a->ln, &other) ? COSEM_OBJECT_CLASS_INCONSISTENT
                                                         : COSEM_OBJECT_UNDEFINED;
    }
    *ic = cosem_class_find(ref->row->kind->class_id, ref->row->kind->version);
    if (!*ic || !ref->row->kind->rights || !ref->row->kind->binding)
        return COSEM_OBJECT_UNAVAILABLE;
    uint8_t most = wish == WISH_INVOKE ? (*ic)->n_methods : (*ic)->n_attrs;
    return a->id <= most && offers(s, ref->row, wish, a->id) ? COSEM_SUCCESS
                                                             : COSEM_READ_WRITE_DENIED;
}
