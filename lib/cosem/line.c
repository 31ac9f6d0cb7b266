/* Carries APDUs between a link and a session. It holds no octets of its own: an APDU that came in
 * stays in the link until the session can answer it, an answer stays in the session until the link
 * has sent it. So a client that does not take its answers stops itself and nobody else. */
#include "lib/cosem/line.h"

/* What the link can carry bounds what the session agrees on. */
static void set_limit(struct cosem_line *l)
{
    size_t max = dlms_link_max_apdu(l->link);
    l->session->line_max = max > UINT16_MAX ? 0 : (uint16_t)max;
}

void line_init(struct cosem_line *l, struct dlms_link *link, struct cosem_session *session)
{
    *l = (struct cosem_line){.link = link, .session = session};
    l->open = dlms_link_state(link) == LINK_OPEN;
    set_limit(l);
}

/* A link that closed ends the association that came over it. */
static void look_at_link(struct cosem_line *l)
{
    bool open = dlms_link_state(l->link) == LINK_OPEN;
    if (l->open && !open) {
        session_disconnect(l->session);
        l->answering = false;
    }
    if (open != l->open)
        set_limit(l); /* HDLC knows its windows and sizes only now */
    if (open && !l->open)
        l->session->touched = true; /* the silence before was not this client's */
    l->open = open;
}

static void send_answer(struct cosem_line *l, uint64_t now_ms)
{
    struct cosem_session *s = l->session;
    struct bytes apdu = session_answer(s);
    struct dlms_frame f = {.client = s->peer_client,
                           .server = s->peer_server,
                           .p = s->tx + s->tx_apdu,
                           .len = apdu.len,
                           .unconfirmed = s->tx_unconfirmed};
    enum err err = dlms_link_send(l->link, now_ms, &f);
    if (err == ERR_BUSY)
        return;
    l->answering = err == ERR_OK;
    if (err)
        session_answered(s); /* the link closed meanwhile, or can never carry it: nobody waits */
}

/* One step of the exchange; false when nothing can go on without the line. */
static bool step(struct cosem_line *l, uint64_t now_ms)
{
    struct dlms_frame f;
    if (l->answering) {
        if (dlms_link_sending(l->link))
            return false;
        l->answering = false;
        session_answered(l->session);
        return true;
    }
    if (session_answer(l->session).len > 0) {
        send_answer(l, now_ms);
        return l->answering;
    }
    if (session_closed(l->session) || !dlms_link_received(l->link, &f))
        return false;
    if (f.to_all) { /* no service of the server does without an answer, and here none may leave */
        dlms_link_release(l->link);
        return true;
    }
    session_apdu(l->session, f.client, f.server, f.p, f.len);
    l->session->tx_unconfirmed = f.unconfirmed;
    dlms_link_release(l->link);
    return true;
}

static void pump(struct cosem_line *l, uint64_t now_ms)
{
    look_at_link(l);
    while (step(l, now_ms)) {
    }
}

size_t line_feed(struct cosem_line *l, uint64_t now_ms, const uint8_t *p, size_t n)
{
    size_t used = 0, got = 1;
    l->session->server->now_ms = now_ms; /* a new line may be the first to ask for a long time */
    pump(l, now_ms);
    while (used < n && got > 0) {
        got = dlms_link_feed(l->link, now_ms, p + used, n - used);
        used += got;
        pump(l, now_ms);
    }
    return used;
}

size_t line_take(struct cosem_line *l, uint64_t now_ms, uint8_t *to, size_t size)
{
    pump(l, now_ms);
    size_t n = dlms_link_take(l->link, now_ms, to, size);
    pump(l, now_ms);
    return n;
}

uint64_t line_poll(struct cosem_line *l, uint64_t now_ms)
{
    (void)dlms_link_poll(l->link, now_ms);
    pump(l, now_ms);
    uint64_t link = dlms_link_poll(l->link, now_ms); /* what the pump sent has a timer of its own */
    uint64_t session = session_poll(l->session, now_ms);
    return link < session ? link : session;
}

bool line_closed(const struct cosem_line *l)
{
    return session_closed(l->session) || dlms_link_state(l->link) == LINK_FAILED;
}

void line_reset(struct cosem_line *l)
{
    struct cosem_server *server = l->session->server;
    dlms_link_reset(l->link);
    session_close(l->session);
    session_init(l->session, server);
    line_init(l, l->link, l->session);
}
