/* Carries APDUs in HDLC frames: what both stations do; hdlc_server.c and hdlc_client.c hold what
 * each decides. See hdlc.h.
 *
 * In normal response mode, two-way alternate: one side holds the right to send (may_send). The
 * client has it until it sends a frame with P, the server from then until it sends one with F.
 *
 *     server   CLOSED  --SNRM--> OPENING          connect
 *              OPENING --its UA taken--> OPEN     hdlc_server_sent
 *              any     --SNRM of its client--> OPENING; of another: DM, no change
 *              any     --DISC/UA, silence, close--> CLOSED     disconnect
 *
 *     client   CLOSED  --open/SNRM--> OPENING     client_open
 *              OPENING --UA--> OPEN               opened
 *              OPEN, OPENING --close/DISC--> CLOSING           client_close
 *              CLOSING --UA or DM--> CLOSED       closed
 *              any     --DM, FRMR, no answer after all tries--> FAILED     fail
 *              any     --reset--> CLOSED
 *
 * Facts. In OPENING and CLOSING nothing but the U frame and its answer counts. In CLOSED and FAILED
 * nothing is borrowed but a push of a server, and what has numbers is ignored.
 *
 * One buffer takes all that comes:
 *
 *     buf | in_len octets of the APDU, LLC head first | frame coming in (rx) ... | size
 *
 * The info field of an accepted frame is moved down over its own header, then rx begins behind it:
 * no octet is kept twice. `whole`: the APDU is complete; `held`: the caller has seen it, so it
 * stays until hdlc_release() even when the connection goes. Behind it there is room for frames
 * without info, since the frames that brought the APDU had more overhead than those have.
 *
 * An APDU that goes out is not copied either. It is cut into segments of agreed.max_info_tx octets
 * of (LLC head, APDU); out_at is where the first unacknowledged segment begins, whose number is va.
 * Segment number n begins at out_at + (n - va) * max_info_tx, so any of them can be made again
 * while out.p is borrowed. vs is the next number to send. Going back sets vs to va; vm remembers
 * how far it has been, for what was sent before that may yet be acknowledged. Modulo 8:
 * 0 <= vs - va <= vm - va <= window_tx. out_at is below 3 + out.len as long as out.p is there. vs
 * is counted up when the last octet of the FCS is taken; a segment that is being sent again is
 * given up when it is acknowledged meanwhile, since its octets go back to their owner.
 *
 * A frame to send is not put together: tx says what it is, and each call of hdlc_take() makes the
 * octets it wants. `sum` is the FCS of those taken.
 *
 * A copy of a frame (sent again, or doubled by the line) has a number behind vr and is not taken:
 * an APDU arrives once. timer_ms: in a server when the client was last heard or answered, in a
 * client when something is to be done.
 *
 * It refuses: more than one connection, modulo 128, REJ and SREJ (going back by N(R) does the
 * same), the calling physical device's address. */
#include "lib/base/crc.h"
#include "lib/dlms/hdlc_parts.h"

#include <string.h>

enum { N_LLC = 3, BUFFER_MIN = 64, OVERHEAD = HDLC_HEAD_MAX + 2, N_TAIL = 3 };

static bool is_u(uint8_t control)
{
    return (control & 3) == 3;
}

static bool is_ui(uint8_t control)
{
    return (control & ~HDLC_PF) == HDLC_UI;
}

static uint8_t modulo8(int n)
{
    return (uint8_t)((unsigned)n & 7u);
}

/* --- connection */

static uint16_t or_default(uint16_t v, uint16_t by_default)
{
    return v ? v : by_default;
}

static enum err parameters_check(struct hdlc_parameters *p, size_t size)
{
    size_t most = size - OVERHEAD < HDLC_INFO_MAX ? size - OVERHEAD : HDLC_INFO_MAX;
    p->max_info_tx = or_default(p->max_info_tx, 128);
    p->max_info_rx = or_default(p->max_info_rx, 128);
    p->window_tx = (uint8_t)or_default(p->window_tx, 1);
    p->window_rx = (uint8_t)or_default(p->window_rx, 1);
    if (p->max_info_tx < 32 || p->max_info_tx > HDLC_INFO_MAX || p->max_info_rx < 32 ||
        p->max_info_rx > HDLC_INFO_MAX || p->window_tx > 7 || p->window_rx > 7)
        return ERR_RANGE;
    if (p->max_info_rx > most)
        p->max_info_rx = (uint16_t)most;
    return ERR_OK;
}

enum err hdlc_setup(struct hdlc *h, const struct dlms_link_ops *ops,
                    const struct hdlc_config *config, uint8_t *buffer, size_t size)
{
    if (size < BUFFER_MIN)
        return ERR_RANGE;
    if (size > UINT16_MAX)
        size = UINT16_MAX;
    *h = (struct hdlc){.link = {ops}, .config = *config, .buf = buffer, .size = (uint16_t)size};
    enum err err = parameters_check(&h->config.parameters, size);
    hdlc_reset(&h->link);
    return err;
}

static void receive_behind(struct hdlc *h)
{
    hdlc_rx_move(&h->rx, h->buf + h->in_len, (size_t)h->size - h->in_len);
}

void hdlc_forget(struct hdlc *h)
{
    h->vs = h->vr = h->va = h->vm = 0;
    h->tx.len = h->tx.pos = 0;
    if (!h->out.unconfirmed) /* a push needs no connection */
        h->out.p = NULL;
    if (!h->held)
        h->in_len = 0;
    h->whole = h->discard = h->in_ui = false;
    h->peer_busy = h->may_send = h->nudged = h->awaiting = h->poll_now = false;
    h->u_control = h->tries = 0;
}

void hdlc_reset(struct dlms_link *l)
{
    struct hdlc *h = (struct hdlc *)l;
    h->held = false;
    hdlc_forget(h);
    h->out.p = NULL;
    hdlc_rx_reset(&h->rx, h->buf, h->size);
    h->state = LINK_CLOSED;
    h->why = "";
    h->agreed = h->config.parameters;
}

static uint16_t smaller(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

void hdlc_agree(struct hdlc *h, const struct hdlc_parameters *theirs)
{
    const struct hdlc_parameters *ours = &h->config.parameters;
    h->agreed = (struct hdlc_parameters){
        .max_info_tx = smaller(ours->max_info_tx, theirs->max_info_rx),
        .max_info_rx = smaller(ours->max_info_rx, theirs->max_info_tx),
        .window_tx = (uint8_t)smaller(ours->window_tx, theirs->window_rx),
        .window_rx = (uint8_t)smaller(ours->window_rx, theirs->window_tx),
    };
}

const char *hdlc_why(const struct dlms_link *l)
{
    return ((const struct hdlc *)l)->why;
}

size_t hdlc_max_apdu(const struct dlms_link *l)
{
    (void)l;
    return UINT16_MAX; /* segmentation sets no bound; what the other side can hold is agreed above
                        */
}

/* --- coming in */

static bool has_llc_head(const uint8_t *p, size_t n)
{
    return n >= N_LLC && p[0] == 0xE6 && (p[1] == 0xE6 || p[1] == 0xE7) && p[2] == 0;
}

/* The APDU is complete: is it one? */
static void finish(struct hdlc *h)
{
    h->whole = !h->discard && has_llc_head(h->buf, h->in_len);
    if (!h->whole) {
        h->n_bad++;
        h->in_len = 0;
    }
    h->discard = false;
}

static void append(struct hdlc *h, const struct hdlc_frame *f)
{
    const struct hdlc_address *from = &f->source, *to = &f->destination;
    h->in_client = hdlc_is_server(h) ? from->upper : to->upper;
    h->in_server = hdlc_is_server(h) ? to->upper : from->upper;
    if (!h->discard && f->info.len > 0) {
        memmove(h->buf + h->in_len, f->info.p, f->info.len);
        h->in_len = (uint16_t)(h->in_len + f->info.len);
    }
    if (!f->segmented)
        finish(h);
}

enum hdlc_taken hdlc_take_i(struct hdlc *h, const struct hdlc_frame *f)
{
    uint8_t ahead = modulo8((f->control >> 1) - h->vr);
    if (ahead > 0)
        return ahead < h->agreed.window_rx ? HDLC_AHEAD : HDLC_BEHIND;
    if (h->whole || h->held)
        return HDLC_AHEAD;
    if (h->in_ui)
        h->in_len = 0;
    h->in_ui = false;
    h->vr = modulo8(h->vr + 1);
    append(h, f);
    return HDLC_TAKEN;
}

/* UI frames have no numbers. A lost segment cannot be told, but the first of the next APDU can. */
void hdlc_take_ui(struct hdlc *h, const struct hdlc_frame *f)
{
    if (h->whole || h->held || (h->in_len > 0 && !h->in_ui) || h->discard) {
        h->n_bad++;
        return;
    }
    if (has_llc_head(f->info.p, f->info.len))
        h->in_len = 0;
    h->in_ui = true;
    append(h, f);
}

/* Octets of (LLC head, APDU). */
static uint32_t out_end(const struct hdlc *h)
{
    return (uint32_t)N_LLC + h->out.len;
}

uint8_t hdlc_unacknowledged(const struct hdlc *h)
{
    return modulo8(h->vs - h->va);
}

bool hdlc_acknowledge(struct hdlc *h, uint8_t control)
{
    uint8_t n = modulo8((control >> 5) - h->va);
    if (n > modulo8(h->vm - h->va))
        return false;
    if (n == 0)
        return true;
    bool in_tx = h->tx.len > 0 && !h->tx.done && !is_u(h->tx.control);
    if (in_tx && modulo8((h->tx.control >> 1) - h->va) < n)
        h->tx.len = 0; /* sent again for nothing: its octets may go with the acknowledgement */
    if (n > hdlc_unacknowledged(h))
        h->vs = modulo8(control >> 5);
    h->va = modulo8(control >> 5);
    h->out_at += (uint32_t)n * h->agreed.max_info_tx;
    if (h->out.p && h->out_at >= out_end(h))
        h->out.p = NULL;
    return true;
}

void hdlc_rewind(struct hdlc *h)
{
    h->n_resent = (uint16_t)(h->n_resent + hdlc_unacknowledged(h));
    h->vs = h->va;
}

static void take_frame(struct hdlc *h, uint64_t now_ms)
{
    struct hdlc_frame f;
    if (hdlc_frame_told(&h->rx, &f))
        h->n_bad++;
    else
        hdlc_role_frame(h, now_ms, &f);
    receive_behind(h);
}

static void take_bad(struct hdlc *h, enum hdlc_rx_event event)
{
    h->n_bad++;
    bool too_long = event == HDLC_RX_BAD_LENGTH && h->rx.need > h->rx.size;
    if (too_long && h->in_len > 0 && !h->whole && !h->held) {
        h->discard = !h->in_ui; /* so that the numbers go on and the client is not stuck */
        h->in_len = 0;
        receive_behind(h);
    }
}

static size_t take_octets(struct hdlc *h, uint64_t now_ms, const uint8_t *p, size_t n)
{
    size_t used = 0;
    enum hdlc_rx_event event;
    do {
        used += hdlc_rx_feed(&h->rx, p + used, n - used, &event);
        if (event == HDLC_RX_FRAME)
            take_frame(h, now_ms);
        else if (event != HDLC_RX_MORE)
            take_bad(h, event);
    } while (event != HDLC_RX_MORE);
    return used;
}

size_t hdlc_feed(struct dlms_link *l, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct hdlc *h = (struct hdlc *)l;
    uint32_t silence = (uint32_t)now_ms - h->octet_ms;
    if (h->rx.buf != h->buf + h->in_len) /* the APDU went without a frame: inactivity, close */
        receive_behind(h);
    bool cut = h->config.inter_octet_ms && silence > h->config.inter_octet_ms;
    while (cut && hdlc_rx_inside(&h->rx)) {
        h->n_bad++;
        hdlc_rx_cut(&h->rx);
        take_octets(h, now_ms, p, 0);
    }
    h->octet_ms = (uint32_t)now_ms;
    return take_octets(h, now_ms, p, n);
}

bool hdlc_received(struct dlms_link *l, struct dlms_frame *out)
{
    struct hdlc *h = (struct hdlc *)l;
    if (!h->whole)
        return false;
    h->held = true;
    *out = (struct dlms_frame){.client = h->in_client,
                               .server = h->in_server,
                               .p = h->buf + N_LLC,
                               .len = h->in_len - (size_t)N_LLC,
                               .unconfirmed = h->in_ui,
                               .to_all = h->in_ui && h->in_all};
    return true;
}

void hdlc_release(struct dlms_link *l)
{
    struct hdlc *h = (struct hdlc *)l;
    if (!h->held)
        return;
    h->whole = h->held = h->in_ui = false;
    h->in_len = 0;
    receive_behind(h);
}

/* --- going out */

enum err hdlc_borrow(struct hdlc *h, const struct dlms_frame *f)
{
    if (h->out.p)
        return ERR_BUSY;
    if (!f->p || f->len > UINT16_MAX)
        return ERR_RANGE;
    h->out.p = f->p;
    h->out.len = (uint16_t)f->len;
    h->out.client = (uint8_t)f->client;
    h->out.server = f->server;
    h->out.unconfirmed = f->unconfirmed;
    h->out_at = 0;
    return ERR_OK;
}

static void start(struct hdlc *h, uint8_t control, size_t info_len, bool segmented)
{
    const struct hdlc_ends *to = is_u(control) ? &h->aside : &h->peer;
    size_t head = 2u + to->server.size + 1 + 1 + (info_len ? 2 : 0);
    h->tx.control = control;
    h->tx.info_len = (uint16_t)info_len;
    h->tx.segmented = segmented;
    h->tx.done = false;
    h->tx.pos = h->tx.sum = 0;
    h->tx.len = (uint16_t)(1 + head + info_len + N_TAIL);
}

/* Where in (LLC head, APDU) the info field of tx begins. */
static uint32_t info_at(const struct hdlc *h)
{
    if (is_u(h->tx.control))
        return h->out_at;
    return h->out_at + (uint32_t)modulo8((h->tx.control >> 1) - h->va) * h->agreed.max_info_tx;
}

static size_t segment(const struct hdlc *h, uint32_t at, bool *more)
{
    size_t left = out_end(h) - at;
    *more = left > h->agreed.max_info_tx;
    return *more ? h->agreed.max_info_tx : left;
}

bool hdlc_start_i(struct hdlc *h)
{
    uint8_t n = hdlc_unacknowledged(h);
    uint32_t at = h->out_at + (uint32_t)n * h->agreed.max_info_tx;
    if (!h->out.p || h->out.unconfirmed || at >= out_end(h) || n >= h->agreed.window_tx)
        return false;
    bool more;
    size_t len = segment(h, at, &more);
    bool last = !more || n + 1 == h->agreed.window_tx;
    start(h, (uint8_t)((unsigned)h->vr << 5 | (last ? HDLC_PF : 0u) | (unsigned)h->vs << 1), len,
          more);
    return true;
}

void hdlc_start_ui(struct hdlc *h, uint8_t control)
{
    bool more;
    size_t len = segment(h, h->out_at, &more);
    start(h, control, len, more);
}

void hdlc_start_s(struct hdlc *h, uint8_t control)
{
    start(h, (uint8_t)((unsigned)h->vr << 5 | HDLC_PF | control), 0, false);
}

/* The info field of U frames other than UI. */
static void put_u_info(struct wr *w, const struct hdlc *h, uint8_t control)
{
    control = (uint8_t)(control & ~HDLC_PF);
    if (control == HDLC_SNRM && !hdlc_is_server(h))
        hdlc_parameters_put(w, &h->config.parameters);
    if (control == HDLC_UA && h->state == LINK_OPENING)
        hdlc_parameters_put(w, &h->agreed);
    if (control == HDLC_FRMR) {
        wr_u8(w, h->rejected);
        wr_u8(w, (uint8_t)(h->vr << 5 | h->vs << 1));
        wr_u8(w, h->reason);
    }
}

void hdlc_start_u(struct hdlc *h)
{
    struct wr w = wr_counter();
    put_u_info(&w, h, h->u_control);
    start(h, h->u_control, w.len, false);
    h->u_control = 0;
}

static void put_head(struct wr *w, const struct hdlc *h)
{
    const struct hdlc_ends *ends = is_u(h->tx.control) ? &h->aside : &h->peer;
    struct hdlc_address client = {.upper = ends->client, .size = 1};
    struct hdlc_frame f = {.segmented = h->tx.segmented, .control = h->tx.control};
    f.destination = hdlc_is_server(h) ? client : ends->server;
    f.source = hdlc_is_server(h) ? ends->server : client;
    wr_u8(w, HDLC_FLAG);
    hdlc_head_put(w, &f, h->tx.info_len);
    if (is_u(h->tx.control) && !is_ui(h->tx.control))
        put_u_info(w, h, h->tx.control);
}

/* The octets [start .. start + n) of the frame are at p: those whose turn it is. */
static void take_part(struct hdlc *h, struct wr *w, size_t begin, struct bytes part)
{
    if (h->tx.pos < begin || h->tx.pos >= begin + part.len)
        return;
    size_t at = h->tx.pos - begin, n = part.len - at;
    n = n < wr_left(w) ? n : wr_left(w);
    wr_bytes(w, part.p + at, n);
    h->tx.pos = (uint16_t)(h->tx.pos + n);
}

static void take_info(struct hdlc *h, struct wr *w, size_t begin)
{
    const uint8_t llc[N_LLC] = {0xE6, hdlc_is_server(h) ? 0xE7 : 0xE6, 0};
    uint32_t at = info_at(h);
    size_t n_llc = at < N_LLC ? N_LLC - at : 0;
    n_llc = n_llc < h->tx.info_len ? n_llc : h->tx.info_len;
    if (n_llc > 0)
        take_part(h, w, begin, (struct bytes){llc + at, n_llc});
    const uint8_t *apdu = h->out.p + (at + n_llc - N_LLC);
    take_part(h, w, begin + n_llc, (struct bytes){apdu, h->tx.info_len - n_llc});
}

/* Octets of the frame tx into w. */
static void take_tx(struct hdlc *h, struct wr *w)
{
    uint8_t head[1 + HDLC_HEAD_MAX + HDLC_PARAMETERS_MAX];
    struct wr head_w = wr_of(head, sizeof head);
    size_t before = w->len + (h->tx.pos == 0 ? 1 : 0); /* the flag is not in the sum */
    put_head(&head_w, h);
    take_part(h, w, 0, (struct bytes){head, head_w.len});
    if (h->tx.pos >= head_w.len && h->tx.pos < h->tx.len - N_TAIL)
        take_info(h, w, head_w.len);
    if (w->len > before)
        h->tx.sum = crc16_x25_update(h->tx.sum, w->p + before, w->len - before);
    const uint8_t tail[N_TAIL] = {(uint8_t)h->tx.sum, (uint8_t)(h->tx.sum >> 8), HDLC_FLAG};
    take_part(h, w, h->tx.len - (size_t)N_TAIL, (struct bytes){tail, N_TAIL});
}

/* The frame is out but for its last flag, which the other side need not wait for: counts it, unless
 * the other side made us go back meanwhile. */
static void tx_done(struct hdlc *h, uint64_t now_ms)
{
    uint8_t control = h->tx.control;
    h->tx.done = true;
    if ((control & 1) == HDLC_I && modulo8(control >> 1) == h->vs) {
        if (h->vs == h->vm)
            h->vm = modulo8(h->vm + 1);
        h->vs = modulo8(h->vs + 1);
    }
    if (is_ui(control)) {
        h->out_at += h->tx.info_len;
        if (h->out_at >= out_end(h))
            h->out.p = NULL;
    }
    hdlc_role_sent(h, now_ms);
}

size_t hdlc_take(struct dlms_link *l, uint64_t now_ms, uint8_t *to, size_t size)
{
    struct hdlc *h = (struct hdlc *)l;
    struct wr w = wr_of(to, size);
    while (wr_left(&w) > 0) {
        if (h->tx.len == 0 && !hdlc_role_next(h))
            break;
        take_tx(h, &w);
        if (!h->tx.done && h->tx.pos + 1 >= h->tx.len)
            tx_done(h, now_ms);
        if (h->tx.pos == h->tx.len)
            h->tx.len = 0;
    }
    return w.len;
}

bool hdlc_sending(const struct dlms_link *l)
{
    return ((const struct hdlc *)l)->out.p != NULL;
}
