/* The server's side of the HDLC link: the secondary station, which speaks only when asked. See
 * hdlc.h, and hdlc.c for what both roles share.
 *
 * CLOSED: no client. A command with P gets DM.
 * OPENING: SNRM came, its UA is not out yet; seen from outside the link is closed.
 * OPEN: `peer` is the client. After P, may_send is true until a frame with F is out:
 * - segments of the answer, the last one of the window or of the answer with F;
 * - no answer and the request dealt with: RR with F, the client will ask again;
 * - the request still in the caller's hands: silence; RNR with F once the client has asked a second
 *   time (`nudged`), so that a slow answer does not cost the connection.
 *
 * Every P takes the sending back to what the client has acknowledged: the answer is sent again
 * until it has arrived, and that is all there is of retransmission here.
 *
 * Frames to all stations are never answered, and only UI is taken from them; the caller learns that
 * such an APDU went to all, for its answer would meet those of the others on the bus. */
#include "lib/dlms/hdlc_parts.h"

/* FRMR, IEC 13239 5.5.3.4: why the frame was rejected. */
enum { FRMR_CONTROL = 0x01, FRMR_NR = 0x08 };

static bool all_upper(const struct hdlc_address *a)
{
    return a->upper == (a->size == 4 ? 0x3FFF : 0x7F);
}

static bool all_lower(const struct hdlc_address *a)
{
    return a->size > 1 && a->lower == (a->size == 4 ? 0x3FFF : 0x7F);
}

static bool is_ours(const struct hdlc *h, const struct hdlc_address *a)
{
    return a->size == 1 || a->lower == h->config.physical || h->config.physical == 0 ||
           all_lower(a);
}

static bool is_peer(const struct hdlc *h, const struct hdlc_frame *f)
{
    return h->state != LINK_CLOSED && f->source.upper == h->peer.client &&
           f->destination.upper == h->peer.server.upper;
}

/* The answer to f will be `control`; none where the last such answer is still on its way, for its
 * addresses must stay until it is out. */
static void answer_u(struct hdlc *h, const struct hdlc_frame *f, enum hdlc_control control)
{
    if (h->tx.len > 0 && (h->tx.control & 3) == 3)
        return;
    h->aside = (struct hdlc_ends){f->destination, (uint8_t)f->source.upper};
    h->u_control = (uint8_t)(control | HDLC_PF);
}

static void disconnect(struct hdlc *h)
{
    hdlc_forget(h);
    h->state = LINK_CLOSED;
}

static void connect(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f)
{
    struct hdlc_parameters theirs;
    if (h->state != LINK_CLOSED && !is_peer(h, f)) {
        answer_u(h, f, HDLC_DM);
        return;
    }
    if (hdlc_parameters_decode(f->info, &theirs)) {
        h->n_bad++;
        theirs = (struct hdlc_parameters){128, 128, 1, 1}; /* the defaults; the UA tells it */
    }
    hdlc_forget(h);
    hdlc_agree(h, &theirs);
    answer_u(h, f, HDLC_UA);
    h->peer = h->aside;
    h->state = LINK_OPENING;
    h->timer_ms = now_ms;
}

static void reject(struct hdlc *h, const struct hdlc_frame *f, uint8_t reason)
{
    h->n_bad++;
    h->rejected = f->control;
    h->reason = reason;
    if (f->control & HDLC_PF)
        answer_u(h, f, HDLC_FRMR);
}

/* I, RR and RNR of the connected client. */
static void exchange(struct hdlc *h, const struct hdlc_frame *f)
{
    bool is_i = (f->control & 1) == HDLC_I;
    bool is_rr = (f->control & 0x0F) == HDLC_RR, is_rnr = (f->control & 0x0F) == HDLC_RNR;
    if (!is_i && !is_rr && !is_rnr) {
        reject(h, f, FRMR_CONTROL);
        return;
    }
    if (!hdlc_acknowledge(h, f->control)) {
        reject(h, f, FRMR_NR);
        return;
    }
    h->peer_busy = is_rnr;
    if (is_i && hdlc_take_i(h, f) == HDLC_TAKEN)
        h->nudged = h->may_send = false; /* what was asked before is asked anew */
    if ((f->control & HDLC_PF) == 0)
        return;
    hdlc_rewind(h);
    if (h->may_send)
        h->nudged = true;
    h->may_send = true;
}

void hdlc_server_frame(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f)
{
    uint8_t control = (uint8_t)(f->control & ~HDLC_PF);
    if (f->source.size != 1 || f->source.upper == 0 || !is_ours(h, &f->destination))
        return;
    bool to_all = all_upper(&f->destination) || all_lower(&f->destination);
    if (control == HDLC_UI) {
        if (!h->whole && !h->held)
            h->in_all = to_all;
        hdlc_take_ui(h, f);
        return;
    }
    if (to_all)
        return;
    if (control == HDLC_SNRM) {
        connect(h, now_ms, f);
    } else if (!is_peer(h, f)) {
        if (f->control & HDLC_PF)
            answer_u(h, f, HDLC_DM);
    } else if (control == HDLC_DISC) {
        disconnect(h);
        answer_u(h, f, HDLC_UA);
    } else if (h->state == LINK_OPEN) {
        h->timer_ms = now_ms;
        exchange(h, f);
    }
}

static bool start_push(struct hdlc *h)
{
    uint8_t size = h->config.address_size ? h->config.address_size : 1;
    uint16_t lower = size > 1 ? h->config.physical : 0;
    h->aside = (struct hdlc_ends){{h->out.server, lower, size}, h->out.client};
    hdlc_start_ui(h, HDLC_UI | HDLC_PF); /* with F, as meters on the market push */
    return true;
}

bool hdlc_server_next(struct hdlc *h)
{
    if (h->u_control) {
        hdlc_start_u(h);
        return true;
    }
    bool closed = h->state == LINK_CLOSED;
    if (h->out.p && h->out.unconfirmed && (closed || h->may_send))
        return start_push(h);
    if (closed || !h->may_send)
        return false;
    if (!h->peer_busy && hdlc_start_i(h))
        return true;
    bool busy = h->whole || h->held;
    if (busy && !h->nudged)
        return false;
    hdlc_start_s(h, busy ? HDLC_RNR : HDLC_RR);
    return true;
}

void hdlc_server_sent(struct hdlc *h, uint64_t now_ms)
{
    uint8_t control = h->tx.control;
    h->timer_ms = now_ms;
    if (control == (HDLC_UA | HDLC_PF) && h->state == LINK_OPENING)
        h->state = LINK_OPEN;
    if ((control & 3) != 3 && (control & HDLC_PF))
        h->may_send = false;
}

enum err hdlc_server_open(struct dlms_link *l, uint64_t now_ms)
{
    (void)l;
    (void)now_ms;
    return ERR_STATE;
}

/* A secondary station has no frame to end a connection with: from now on the client gets DM. */
enum err hdlc_server_close(struct dlms_link *l, uint64_t now_ms)
{
    struct hdlc *h = (struct hdlc *)l;
    (void)now_ms;
    if (h->state == LINK_CLOSED)
        return ERR_STATE;
    disconnect(h);
    return ERR_OK;
}

uint64_t hdlc_server_poll(struct dlms_link *l, uint64_t now_ms)
{
    struct hdlc *h = (struct hdlc *)l;
    if (h->state == LINK_CLOSED || h->config.inactivity_ms == 0)
        return UINT64_MAX;
    uint64_t end = h->timer_ms + h->config.inactivity_ms;
    if (now_ms < end)
        return end;
    disconnect(h);
    return UINT64_MAX;
}

enum err hdlc_server_send(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f)
{
    struct hdlc *h = (struct hdlc *)l;
    (void)now_ms;
    if (!f->unconfirmed && h->state != LINK_OPEN)
        return ERR_STATE;
    if (f->unconfirmed &&
        (f->client > 0x7F || f->server > (h->config.address_size == 4 ? 0x3FFF : 0x7F)))
        return ERR_RANGE;
    return hdlc_borrow(h, f);
}

enum dlms_link_state hdlc_server_state(const struct dlms_link *l)
{
    const struct hdlc *h = (const struct hdlc *)l;
    return h->state == LINK_OPEN ? LINK_OPEN : LINK_CLOSED;
}

enum err hdlc_server_setup(struct hdlc *h, const struct dlms_link_ops *ops,
                           const struct hdlc_config *config, uint8_t *buffer, size_t size)
{
    uint8_t address = config->address_size;
    if (config->physical > (address == 2 ? 0x7E : 0x3FFE) ||
        (address != 0 && address != 1 && address != 2 && address != 4))
        return ERR_RANGE;
    enum err err = hdlc_setup(h, ops, config, buffer, size);
    h->config.is_server = true;
    return err;
}
