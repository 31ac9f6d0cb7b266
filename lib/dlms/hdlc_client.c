/* The client's side of the HDLC link: the primary station, which keeps the exchange going. See
 * hdlc.h, and hdlc.c for what both roles share.
 *
 * may_send is true while the right to send is here; a frame with P gives it away, and timer_ms
 * is then when the answer is missed. While it is here, timer_ms is when the server is asked by
 * RR whether it has something (never, when nothing is expected and no connection is to be kept
 * alive).
 *
 * - No answer: the frame or frames are sent again (SNRM, DISC, the unacknowledged segments, else
 *   RR), `retries` times; then the line has failed.
 * - F, but the server has not got all: again the unacknowledged ones. It counts as a try unless
 *   something new came across.
 * - F with a segment, or after a gap: RR at once.
 * - F with RR and nothing to send: the server is still at it. RR after poll_ms, then twice that ...
 *
 * An answer that is only a copy of an earlier one does not count as the answer to what is out now:
 * on a line that doubles frames each copy would otherwise call forth another one, without end. */
#include "lib/dlms/hdlc_parts.h"

enum { POLL_FIRST_MS = 50, POLL_CAP = 4 }; /* the cap: times response_ms */

static void fail(struct hdlc *h, const char *why)
{
    hdlc_forget(h);
    h->out.p = NULL;
    h->state = LINK_FAILED;
    h->why = why;
}

/* When to ask the server next, should nothing else happen. */
static void plan_poll(struct hdlc *h, uint64_t now_ms)
{
    uint32_t cap = h->config.response_ms * POLL_CAP, keep = h->config.inactivity_ms / 2;
    h->timer_ms = now_ms + h->poll_ms;
    if (h->poll_ms < cap) {
        h->poll_ms = h->poll_ms * 2 < cap ? h->poll_ms * 2 : cap;
    } else if (!h->awaiting) {
        h->timer_ms = keep ? now_ms + keep : UINT64_MAX;
    }
    if (keep && h->timer_ms > now_ms + keep)
        h->timer_ms = now_ms + keep;
}

static void plan_first_poll(struct hdlc *h, uint64_t now_ms)
{
    h->poll_ms = POLL_FIRST_MS;
    plan_poll(h, now_ms);
}

static void opened(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f)
{
    struct hdlc_parameters theirs;
    if (hdlc_parameters_decode(f->info, &theirs)) {
        fail(h, "the UA of the server cannot be read");
        return;
    }
    hdlc_forget(h);
    hdlc_agree(h, &theirs);
    h->state = LINK_OPEN;
    h->may_send = true;
    plan_first_poll(h, now_ms);
}

static void closed(struct hdlc *h)
{
    hdlc_forget(h);
    h->out.p = NULL;
    h->state = LINK_CLOSED;
}

static void take_u(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f)
{
    uint8_t control = (uint8_t)(f->control & ~HDLC_PF);
    if (h->may_send || h->u_control || h->state == LINK_CLOSED)
        return; /* we asked nothing: a copy */
    if (control == HDLC_UA && h->state == LINK_OPENING)
        opened(h, now_ms, f);
    else if ((control == HDLC_UA || control == HDLC_DM) && h->state == LINK_CLOSING)
        closed(h);
    else if (control == HDLC_DM && h->state == LINK_OPENING)
        fail(h, "the server refused the connection (DM): another client may be connected");
    else if (control == HDLC_DM)
        fail(h, "the server has ended the connection (DM)");
    else if (control == HDLC_FRMR)
        fail(h, "the server rejected a frame (FRMR)");
}

/* The server has given the right to send back with f. */
static void resume(struct hdlc *h, uint64_t now_ms, bool progress, bool poll_at_once)
{
    uint8_t lost = hdlc_unacknowledged(h);
    h->may_send = true;
    hdlc_rewind(h);
    bool in_vain = !progress && !h->peer_busy && (lost > 0 || poll_at_once);
    if (!in_vain)
        h->tries = 0;
    else if (h->tries++ >= h->config.retries) {
        fail(h, "the server does not take what it is sent");
        return;
    }
    if (progress)
        h->poll_ms = POLL_FIRST_MS;
    h->poll_now = poll_at_once;
    plan_poll(h, now_ms);
}

static void exchange(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f)
{
    bool is_i = (f->control & 1) == HDLC_I, is_rr = (f->control & 0x0F) == HDLC_RR;
    bool is_rnr = (f->control & 0x0F) == HDLC_RNR;
    uint8_t before = hdlc_unacknowledged(h), va = h->va;
    if ((!is_i && !is_rr && !is_rnr) || !hdlc_acknowledge(h, f->control)) {
        h->n_bad++;
        return;
    }
    enum hdlc_taken taken = is_i ? hdlc_take_i(h, f) : HDLC_TAKEN;
    bool progress = h->va != va || (is_i && taken == HDLC_TAKEN);
    if (h->whole)
        h->awaiting = false;
    if ((f->control & HDLC_PF) == 0 || h->may_send)
        return;
    if (!progress && ((is_i && taken == HDLC_BEHIND) || (is_rr && before == 1)))
        return;
    h->peer_busy = is_rnr;
    resume(h, now_ms, progress, is_i && (taken != HDLC_TAKEN || f->segmented));
}

static bool from_our_server(const struct hdlc *h, const struct hdlc_frame *f)
{
    const struct hdlc_address *a = &f->source, *b = &h->peer.server;
    return f->destination.upper == h->peer.client && a->size == b->size && a->upper == b->upper &&
           a->lower == b->lower;
}

static void client_frame(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f)
{
    uint16_t to = f->destination.upper;
    if (h->state == LINK_FAILED)
        return;
    if ((f->control & ~HDLC_PF) == HDLC_UI) { /* pushes: some address clients by 2 octets */
        if (to == h->peer.client || to == 0x7F)
            hdlc_take_ui(h, f);
    } else if (f->destination.size == 1 && from_our_server(h, f)) {
        if ((f->control & 3) == 3)
            take_u(h, now_ms, f);
        else if (h->state == LINK_OPEN)
            exchange(h, now_ms, f);
    }
}

static bool client_next(struct hdlc *h)
{
    if (h->u_control) {
        hdlc_start_u(h);
        return true;
    }
    if (h->state != LINK_OPEN || !h->may_send)
        return false;
    if (h->out.p && h->out.unconfirmed) {
        hdlc_start_ui(h, HDLC_UI);
        return true;
    }
    if (!h->peer_busy && hdlc_start_i(h))
        return true;
    if (!h->poll_now || h->whole || h->held)
        return false;
    h->poll_now = false;
    hdlc_start_s(h, HDLC_RR);
    return true;
}

static void client_sent(struct hdlc *h, uint64_t now_ms)
{
    if ((h->tx.control & HDLC_PF) == 0)
        return;
    h->may_send = false;
    h->timer_ms = now_ms + h->config.response_ms;
}

static void ask_u(struct hdlc *h, enum dlms_link_state state)
{
    h->state = (uint8_t)state;
    h->u_control = (state == LINK_OPENING ? HDLC_SNRM : HDLC_DISC) | HDLC_PF;
    h->may_send = false;
    h->timer_ms = UINT64_MAX;
}

static enum err client_open(struct dlms_link *l, uint64_t now_ms)
{
    struct hdlc *h = (struct hdlc *)l;
    (void)now_ms;
    if (h->state != LINK_CLOSED)
        return ERR_STATE;
    hdlc_forget(h);
    ask_u(h, LINK_OPENING);
    return ERR_OK;
}

static enum err client_close(struct dlms_link *l, uint64_t now_ms)
{
    struct hdlc *h = (struct hdlc *)l;
    (void)now_ms;
    if (h->state != LINK_OPEN && h->state != LINK_OPENING)
        return ERR_STATE;
    hdlc_forget(h);
    ask_u(h, LINK_CLOSING);
    return ERR_OK;
}

static void missed(struct hdlc *h)
{
    if (h->tries++ >= h->config.retries) {
        fail(h, h->state == LINK_OPENING   ? "no answer to SNRM"
                : h->state == LINK_CLOSING ? "no answer to DISC"
                                           : "the server does not answer any more");
        return;
    }
    if (h->state != LINK_OPEN) {
        h->n_resent++;
        ask_u(h, (enum dlms_link_state)h->state);
        return;
    }
    if (hdlc_unacknowledged(h) == 0)
        h->n_resent++;
    hdlc_rewind(h);
    h->may_send = true;
    h->poll_now = true; /* taken when there are no segments to send again */
    h->timer_ms = UINT64_MAX;
}

static uint64_t client_poll(struct dlms_link *l, uint64_t now_ms)
{
    struct hdlc *h = (struct hdlc *)l;
    if (h->state == LINK_CLOSED || h->state == LINK_FAILED)
        return UINT64_MAX;
    if (now_ms < h->timer_ms)
        return h->timer_ms;
    h->timer_ms = UINT64_MAX;
    if (!h->may_send) {
        missed(h);
    } else {
        h->poll_now = true;
    }
    return h->timer_ms;
}

static enum err client_send(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f)
{
    struct hdlc *h = (struct hdlc *)l;
    (void)now_ms;
    if (h->state != LINK_OPEN)
        return ERR_STATE;
    enum err err = hdlc_borrow(h, f);
    if (!err && !f->unconfirmed)
        h->awaiting = true;
    return err;
}

static enum dlms_link_state client_state(const struct dlms_link *l)
{
    return (enum dlms_link_state)((const struct hdlc *)l)->state;
}

static const struct hdlc_role client_role = {.ops = {.reset = hdlc_reset,
                                                     .open = client_open,
                                                     .close = client_close,
                                                     .feed = hdlc_feed,
                                                     .take = hdlc_take,
                                                     .poll = client_poll,
                                                     .received = hdlc_received,
                                                     .release = hdlc_release,
                                                     .send = client_send,
                                                     .sending = hdlc_sending,
                                                     .state = client_state,
                                                     .why = hdlc_why,
                                                     .max_apdu = hdlc_max_apdu},
                                             .frame = client_frame,
                                             .next = client_next,
                                             .sent = client_sent};

enum err hdlc_client_init(struct hdlc *h, const struct hdlc_config *config, uint8_t *buffer,
                          size_t size)
{
    struct hdlc_address server = {config->server_sap, config->server_lower, config->address_size};
    struct hdlc_frame probe = {.destination = server, .source = {config->client_sap, 0, 1}};
    struct wr w = wr_counter();
    hdlc_head_put(&w, &probe, 0);
    if (w.err || config->client_sap == 0 || config->response_ms == 0 ||
        config->response_ms > UINT32_MAX / POLL_CAP / 2) /* poll_ms below the cap is doubled */
        return ERR_RANGE;
    enum err err = hdlc_setup(h, &client_role.ops, config, buffer, size);
    h->config.is_server = false;
    h->peer = h->aside = (struct hdlc_ends){server, (uint8_t)config->client_sap};
    return err;
}
