/* What the server says without being asked: data-notification, event-notification. Green Book
 * 9.3.8, 9.3.10.
 *
 * They go to the associated client, or to a client of the server's table that is known beforehand.
 * Protection is what that client's entry and the policy ask for, with the global key; a
 * data-notification has no ciphered tag of its own and travels in general-glo-ciphering. One APDU
 * each: what is longer than the receiver takes is refused here, not cut.
 *
 *     NONE --confirmed push--> WAITING --10 with the same invoke-id--> CONFIRMED
 *                                 '----- time is up (session_poll) ---> TIMED_OUT
 *     and from each of them to WAITING by the next confirmed push
 *
 * When to push and how often to try again is the meter's decision (class 40). */
#include "lib/cosem/server_parts.h"

#if COSEM_WITH_NOTIFICATION

/* Who gets it, as the sealing needs it. */
struct receiver {
    uint16_t client, server;
    uint8_t sc;
    size_t max;
    bool associated; /* it goes the way its AARQ came: through its gateway, if any */
};

static const struct cosem_client_entry *entry_of(const struct cosem_session *s, uint16_t sap)
{
    const struct cosem_server_config *c = &s->server->config;
    for (size_t i = 0; i < c->n_clients && i < COSEM_CLIENTS_MAX; i++) {
        if (c->clients[i].sap == sap)
            return &c->clients[i];
    }
    return NULL;
}

static enum err find_receiver(const struct cosem_session *s, const struct session_push *to,
                              uint32_t conformance, struct receiver *out)
{
    const struct cosem_client_entry *client = entry_of(s, to->client_sap);
    size_t max = s->line_max != 0 ? s->line_max : COSEM_PDU_MAX;
    if (to->client_sap == 0) {
        if (s->state != SESSION_ASSOCIATED)
            return ERR_STATE;
        *out =
            (struct receiver){s->client_sap, s->server_sap, security_required(s), s->max_pdu, true};
        return s->conformance & conformance ? ERR_OK : ERR_UNSUPPORTED;
    }
    if (!client)
        return ERR_NOT_FOUND;
    unsigned policy = s->server->keys.has_guek ? (unsigned)s->server->policy << 4 : 0u;
    uint8_t sc = (uint8_t)((client->security | policy) & (DLMS_SC_AUTH | DLMS_SC_ENC));
    *out = (struct receiver){to->client_sap, to->server_sap, sc, max, false};
    return sc != 0 && to->confirm_ms > 0 ? ERR_STATE : ERR_OK; /* nothing could prove its answer */
}

/* Protects and queues the plain APDU at REPLY_START. */
static enum err push(struct cosem_session *s, const struct receiver *to, size_t len)
{
    size_t start = REPLY_START;
    bool whole = apdu_ciphered_tag(s->tx[start], false) != 0;
    s->request_sc = to->sc;
    s->request_dedicated = false;
    s->request_general = !whole;
    if (to->sc != 0 && !s->server->keys.has_guek)
        return ERR_KEY;
    if (len + security_overhead(s, to->max) > to->max)
        return ERR_RANGE;
    enum err err = security_seal_apdu(s, s->tx, sizeof s->tx, &start, &len);
    if (err)
        return err;
    s->peer_client = to->client;
    s->peer_server = to->server;
#if COSEM_WITH_GATEWAY
    s->via_gateway = to->associated && s->associated_via_gateway;
    s->gateway = s->associated_gateway;
#endif
    reply_frame(s, start, len);
    s->tx_unconfirmed = true;
    return ERR_OK;
}

static enum err check_free(const struct cosem_session *s)
{
    if (s->state == SESSION_CLOSED)
        return ERR_STATE;
    return session_answer(s).len > 0 ? ERR_BUSY : ERR_OK;
}

enum err session_notify_data(struct cosem_session *s, uint64_t now_ms,
                             const struct session_push *to, const struct apdu_notification *n)
{
    struct apdu_notification out = *n;
    struct receiver receiver;
    enum err err = check_free(s);
    if (!err)
        err = find_receiver(s, to, DLMS_CONF_NOTIFICATION, &receiver);
    if (err)
        return err;
    out.invoke &= ~DLMS_LONG_CONFIRMED;
    out.invoke |= to->confirm_ms > 0 ? DLMS_LONG_CONFIRMED : 0;
    struct wr w = reply_begin(s);
    notify_put_data(&w, DLMS_DATA_NOTIFICATION, &out);
    err = w.err ? ERR_RANGE : push(s, &receiver, w.len);
    if (err || to->confirm_ms == 0)
        return err;
    s->notice = NOTICE_WAITING;
    s->notice_invoke = out.invoke & DLMS_LONG_INVOKE_ID;
    s->notice_until_ms = now_ms + to->confirm_ms;
    s->notice_client = receiver.client;
    s->notice_server = receiver.server;
    return ERR_OK;
}

enum err session_notify_event(struct cosem_session *s, const struct session_push *to,
                              const struct apdu_event *e)
{
    struct receiver receiver;
    enum err err = check_free(s);
    if (!err)
        err = find_receiver(s, to, DLMS_CONF_EVENT, &receiver);
    if (err)
        return err;
    struct wr w = reply_begin(s);
    notify_put_event(&w, e);
    return w.err ? ERR_RANGE : push(s, &receiver, w.len);
}

enum session_notice session_notice(const struct cosem_session *s)
{
    return s->notice;
}

/* A confirmation has no answer, also where it confirms nothing. */
void server_confirmed(struct cosem_session *s, struct bytes apdu)
{
    struct apdu_notification n;
    struct rd r = rd_of(apdu.p, apdu.len);
    notify_get_data(&r, DLMS_DATA_NOTIFICATION_CONFIRM, &n);
    if (!r.err && s->notice == NOTICE_WAITING && s->peer_client == s->notice_client &&
        (n.invoke & DLMS_LONG_INVOKE_ID) == s->notice_invoke)
        s->notice = NOTICE_CONFIRMED;
}

uint64_t notice_poll(struct cosem_session *s, uint64_t now_ms)
{
    if (s->notice != NOTICE_WAITING)
        return UINT64_MAX;
    if (now_ms < s->notice_until_ms)
        return s->notice_until_ms;
    s->notice = NOTICE_TIMED_OUT;
    return UINT64_MAX;
}
#else
void server_confirmed(struct cosem_session *s, struct bytes apdu)
{
    (void)s, (void)apdu;
}

uint64_t notice_poll(struct cosem_session *s, uint64_t now_ms)
{
    (void)s, (void)now_ms;
    return UINT64_MAX;
}
#endif
