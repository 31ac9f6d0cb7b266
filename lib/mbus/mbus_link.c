/* APDUs over the wired M-Bus.
 *
 * Client:
 *
 *     IDLE --open--> RESETTING --E5--> IDLE                       state OPENING, then OPEN
 *     IDLE, PAUSE --send--> SENDING --E5, more segments--> SENDING
 *                           SENDING --E5, the last one--> ASKING
 *     ASKING --RSP_UD, more segments--> ASKING
 *     ASKING --RSP_UD, the last one; E5--> PAUSE --time--> ASKING
 *     RESETTING, SENDING, ASKING --no answer, retries--> the same frame again; then FAILED
 *
 * In RESETTING, SENDING and ASKING tx holds the frame under way, and deadline_ms runs once it has
 * left. IDLE has no deadline. PAUSE waits while an APDU is with the caller.
 *
 * Server: no phases. tx holds the answer to the last frame (E5 or RSP_UD), to be sent again when
 * that frame comes again with the same frame count bit.
 *
 * Both: while `waiting` the join buffer belongs to the caller and nothing is consumed. piece_len >
 * 0 while a segment of `out` is under way and not acknowledged. */
#include "lib/mbus/mbus_link.h"

#include <string.h>

enum phase { IDLE, RESETTING, SENDING, ASKING, PAUSE };

#define PIECE_MAX      (MBUS_DATA_MAX - 2) /* without the SAPs */
#define ADDRESS_MAX    250
#define DEFAULT_ANSWER 500
#define DEFAULT_POLL   50
#define PAUSE_MAX      32 /* times poll_ms */
#define APDU_MIN       64
#define NEVER          UINT64_MAX

static struct mbus_link *of(struct dlms_link *l)
{
    return (struct mbus_link *)l; /* the first member */
}

static const struct mbus_link *of_const(const struct dlms_link *l)
{
    return (const struct mbus_link *)l;
}

/* ---- frames that leave ---- */

static void put(struct mbus_link *l, const struct mbus_frame *f)
{
    struct wr w = wr_of(l->tx, sizeof l->tx);
    mbus_frame_put(&w, f);
    l->tx_len = (uint16_t)w.len;
    l->tx_at = 0;
    l->deadline_ms = NEVER; /* runs once it has left */
}

static void put_char(struct mbus_link *l)
{
    put(l, &(struct mbus_frame){.kind = MBUS_CHAR});
}

/* The next piece of `out` as a long frame. */
static void put_segment(struct mbus_link *l, uint8_t control, uint8_t address)
{
    uint8_t data[MBUS_DATA_MAX];
    const size_t left = l->out.len - l->out_at;
    const bool server = l->config.is_server;
    l->piece_len = left < l->config.segment_max ? left : l->config.segment_max;
    struct wr w = wr_of(data, sizeof data);
    wr_u8(&w, (uint8_t)(server ? l->out.server : l->out.client));
    wr_u8(&w, (uint8_t)(server ? l->out.client : l->out.server));
    wr_bytes(&w, l->out.p + l->out_at, l->piece_len);
    const uint8_t last = l->piece_len == left ? MBUS_CI_LAST : 0;
    put(l, &(struct mbus_frame){.kind = MBUS_LONG,
                                .control = control,
                                .address = address,
                                .ci = (uint8_t)(last | l->number),
                                .data = {data, w.len}});
}

/* The segment under way has arrived. True: it was the last one. */
static bool segment_done(struct mbus_link *l)
{
    l->out_at += l->piece_len;
    l->piece_len = 0;
    l->number = (l->number + 1u) & MBUS_CI_SEGMENT;
    if (l->out_at < l->out.len)
        return false;
    l->out.len = 0;
    return true;
}

/* ---- client ---- */

static uint8_t counted(const struct mbus_link *l, uint8_t function)
{
    return (uint8_t)(function | MBUS_FCV | (l->fcb ? MBUS_FCB : 0));
}

/* An exchange went well: the next frame is a new one. */
static void toggle(struct mbus_link *l)
{
    l->fcb = !l->fcb;
    l->tries = 0;
}

static void put_short(struct mbus_link *l, uint8_t control)
{
    put(l,
        &(struct mbus_frame){.kind = MBUS_SHORT, .control = control, .address = l->config.address});
}

static void ask(struct mbus_link *l)
{
    l->phase = ASKING;
    put_short(l, counted(l, MBUS_REQ_UD2));
}

static void pause_asking(struct mbus_link *l, uint64_t now_ms)
{
    l->phase = PAUSE;
    l->deadline_ms = now_ms + l->pause_ms;
    if (l->pause_ms < l->config.poll_ms * PAUSE_MAX)
        l->pause_ms *= 2;
}

/* Begins what can begin: a push; an APDU of the caller before a question. */
static void go_on(struct mbus_link *l, uint64_t now_ms)
{
    const bool free = l->phase == IDLE || l->phase == PAUSE, push = l->out.unconfirmed;
    if (l->state != LINK_OPEN || !free)
        return;
    if (l->config.is_server) {
        if (push && l->out.len > 0 && l->piece_len == 0 && l->tx_at == l->tx_len)
            put_segment(l, MBUS_SND_UD | MBUS_FCV, MBUS_ALL);
        return;
    }
    if (l->waiting)
        return;
    if (l->out.len > 0) {
        l->phase = SENDING;
        l->pause_ms = l->config.poll_ms;
        put_segment(l, counted(l, MBUS_SND_UD), l->config.address);
    } else if (l->phase == PAUSE && now_ms >= l->deadline_ms) {
        ask(l);
    }
}

static void on_char(struct mbus_link *l, uint64_t now_ms)
{
    if (l->phase == RESETTING) {
        l->state = LINK_OPEN;
        l->phase = IDLE;
        l->deadline_ms = NEVER;
        l->fcb = true;
        l->tries = 0;
    } else if (l->phase == SENDING) {
        toggle(l);
        if (segment_done(l))
            ask(l);
        else
            put_segment(l, counted(l, MBUS_SND_UD), l->config.address);
    } else if (l->phase == ASKING) {
        toggle(l);
        pause_asking(l, now_ms);
    }
}

static void take_segment(struct mbus_link *l, const struct mbus_frame *f)
{
    if (mbus_join_add(&l->join, f, &l->waiting) != ERR_OK)
        l->n_dropped++;
}

static void client_frame(struct mbus_link *l, uint64_t now_ms, const struct mbus_frame *f)
{
    const uint8_t function = f->control & 0x0Fu;
    const bool asked = l->tx_at == l->tx_len; /* before that nothing can be an answer */
    if (f->kind == MBUS_CHAR && asked) {
        on_char(l, now_ms);
    } else if (f->kind == MBUS_LONG && (f->control & 0x4Fu) == MBUS_SND_UD &&
               f->address == MBUS_ALL && l->state == LINK_OPEN) {
        l->in_unconfirmed = true; /* a push */
        take_segment(l, f);
    } else if (f->kind == MBUS_LONG && (f->control & 0x40u) == 0 && function == MBUS_RSP_UD &&
               f->address == l->config.address && l->phase == ASKING && asked) {
        toggle(l);
        l->in_unconfirmed = false;
        l->pause_ms = l->config.poll_ms;
        take_segment(l, f);
        if (l->waiting || !l->join.open)
            pause_asking(l, now_ms);
        else
            ask(l);
    } else {
        l->n_dropped++; /* for another station, late, or the echo of our own */
    }
}

static void again(struct mbus_link *l)
{
    static const char *const why[] = {[RESETTING] = "no answer to SND_NKE",
                                      [SENDING] = "no answer to SND_UD",
                                      [ASKING] = "no answer to REQ_UD2",
                                      [IDLE] = "",
                                      [PAUSE] = ""};
    if (l->tries++ >= l->config.retries) {
        l->state = LINK_FAILED;
        l->why = why[l->phase];
        l->phase = IDLE;
        l->deadline_ms = NEVER;
        l->tx_at = l->tx_len = 0;
        l->out.len = 0;
        return;
    }
    l->n_resent++;
    l->tx_at = 0;
    l->deadline_ms = NEVER;
}

/* ---- server ---- */

static void reset_by_client(struct mbus_link *l)
{
    l->out.len = l->piece_len = 0;
    l->fcb_known = false;
    mbus_join_reset(&l->join, l->join.buf, l->join.size);
    l->state = LINK_CLOSED;
    l->closed_by_reset = true;
}

static void answer_question(struct mbus_link *l)
{
    l->last_was_segment = l->out.len > 0 && !l->out.unconfirmed;
    if (l->last_was_segment)
        put_segment(l, MBUS_RSP_UD, l->config.address);
    else
        put_char(l);
}

/* Is it the frame before once more? Otherwise the answer to that one has arrived. */
static bool repeated(struct mbus_link *l, uint8_t control)
{
    const bool fcb = (control & MBUS_FCB) != 0, valid = (control & MBUS_FCV) != 0;
    if (valid && l->fcb_known && fcb == l->fcb)
        return true;
    l->fcb_known = valid;
    l->fcb = fcb;
    if (l->last_was_segment && l->piece_len > 0)
        (void)segment_done(l);
    l->last_was_segment = false;
    return false;
}

static void server_frame(struct mbus_link *l, const struct mbus_frame *f)
{
    const bool ours = f->address == MBUS_ANSWER_ALL || f->address == l->config.address;
    const uint8_t function = f->control & 0x4Fu; /* without FCB and FCV */
    if (f->kind == MBUS_CHAR || !ours) {
        l->n_dropped++; /* also to all: the session's answer would go where nobody may answer */
    } else if (f->kind == MBUS_SHORT && function == MBUS_SND_NKE) {
        reset_by_client(l);
        put_char(l);
    } else if (function == MBUS_REQ_UD2 || (f->kind == MBUS_LONG && function == MBUS_SND_UD)) {
        if (repeated(l, f->control)) {
            l->tx_at = 0; /* the same answer */
            l->n_resent++;
        } else if (function == MBUS_REQ_UD2) {
            answer_question(l);
        } else {
            take_segment(l, f);
            put_char(l);
        }
    } else {
        l->n_dropped++;
    }
}

/* ---- the interface ---- */

static void reset(struct dlms_link *link)
{
    struct mbus_link *l = of(link);
    struct mbus_link fresh = {.link = l->link, .config = l->config};
    mbus_rx_reset(&fresh.rx, l->rx.buf, l->rx.size);
    mbus_join_reset(&fresh.join, l->join.buf, l->join.size);
    fresh.n_bad = l->n_bad;
    fresh.n_dropped = l->n_dropped;
    fresh.n_resent = l->n_resent;
    fresh.state = l->config.is_server ? LINK_OPEN : LINK_CLOSED;
    fresh.why = "";
    fresh.pause_ms = l->config.poll_ms;
    fresh.deadline_ms = NEVER;
    *l = fresh;
}

static enum err open_link(struct dlms_link *link, uint64_t now_ms)
{
    struct mbus_link *l = of(link);
    (void)now_ms;
    if (l->config.is_server || l->state != LINK_CLOSED)
        return ERR_STATE;
    l->state = LINK_OPENING;
    l->phase = RESETTING;
    l->tries = 0;
    put_short(l, MBUS_SND_NKE);
    return ERR_OK;
}

static enum err close_link(struct dlms_link *link, uint64_t now_ms)
{
    struct mbus_link *l = of(link);
    (void)now_ms;
    if (l->state != LINK_OPEN)
        return ERR_STATE;
    reset(link);
    l->state = LINK_CLOSED;
    return ERR_OK;
}

static void frame_came(struct mbus_link *l, uint64_t now_ms)
{
    struct mbus_frame f;
    size_t at;
    if (mbus_frame_decode((struct bytes){l->rx.buf, l->rx.frame_len}, &f, &at) != ERR_OK)
        return; /* cannot be: the receiver has checked it */
    if (l->config.is_server)
        server_frame(l, &f);
    else
        client_frame(l, now_ms, &f);
}

static size_t feed(struct dlms_link *link, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct mbus_link *l = of(link);
    enum mbus_rx_event event = MBUS_RX_FRAME;
    size_t used = 0;
    l->heard_ms = now_ms;
    while (!l->waiting && l->state != LINK_FAILED && event != MBUS_RX_MORE) {
        used += mbus_rx_feed(&l->rx, p + used, n - used, &event);
        if (event == MBUS_RX_FRAME)
            frame_came(l, now_ms);
        l->n_bad += event == MBUS_RX_BAD;
    }
    go_on(l, now_ms);
    return used;
}

/* A push goes on by itself; a server that was reset is ready when its E5 has left. */
static void frame_left(struct mbus_link *l, uint64_t now_ms)
{
    if (l->closed_by_reset) {
        l->closed_by_reset = false;
        l->state = LINK_OPEN;
    }
    if (l->config.is_server && l->out.unconfirmed && l->piece_len > 0) {
        (void)segment_done(l);
        go_on(l, now_ms);
    } else if (!l->config.is_server && l->phase != IDLE && l->phase != PAUSE) {
        l->deadline_ms = now_ms + l->config.response_ms;
    }
}

static size_t take(struct dlms_link *link, uint64_t now_ms, uint8_t *to, size_t size)
{
    struct mbus_link *l = of(link);
    size_t n = 0;
    go_on(l, now_ms);
    while (l->tx_at < l->tx_len && n < size) {
        const size_t left = (size_t)l->tx_len - l->tx_at, piece = left < size - n ? left : size - n;
        memcpy(to + n, l->tx + l->tx_at, piece);
        n += piece;
        l->tx_at = (uint16_t)(l->tx_at + piece);
        if (l->tx_at == l->tx_len)
            frame_left(l, now_ms);
    }
    return n;
}

static uint64_t poll_link(struct dlms_link *link, uint64_t now_ms)
{
    struct mbus_link *l = of(link);
    const bool partial = l->config.silence_ms > 0 && l->rx.len > l->rx.frame_len;
    if (partial && now_ms - l->heard_ms >= l->config.silence_ms) {
        mbus_rx_silent(&l->rx);
        (void)feed(link, now_ms, l->rx.buf, 0);
    }
    if (l->phase != PAUSE && now_ms >= l->deadline_ms)
        again(l);
    go_on(l, now_ms);
    uint64_t next = l->waiting ? NEVER : l->deadline_ms;
    if (l->config.silence_ms > 0 && l->rx.len > l->rx.frame_len &&
        l->heard_ms + l->config.silence_ms < next)
        next = l->heard_ms + l->config.silence_ms;
    return next;
}

static bool received(struct dlms_link *link, struct dlms_frame *out)
{
    const struct mbus_link *l = of(link);
    const bool server = l->config.is_server;
    if (!l->waiting)
        return false;
    *out = (struct dlms_frame){.client = server ? l->join.stsap : l->join.dtsap,
                               .server = server ? l->join.dtsap : l->join.stsap,
                               .p = l->join.buf,
                               .len = l->join.len,
                               .unconfirmed = l->in_unconfirmed};
    return true;
}

static void release(struct dlms_link *link)
{
    of(link)->waiting = false;
}

static bool sending(const struct dlms_link *link)
{
    return of_const(link)->out.len > 0;
}

static enum err send_frame(struct dlms_link *link, uint64_t now_ms, const struct dlms_frame *f)
{
    struct mbus_link *l = of(link);
    if (sending(link))
        return ERR_BUSY;
    if (l->state != LINK_OPEN)
        return ERR_STATE;
    if (f->len == 0 || f->client > UINT8_MAX || f->server > UINT8_MAX)
        return ERR_RANGE;
    l->out = *f;
    l->out_at = l->piece_len = 0;
    l->number = 0;
    go_on(l, now_ms);
    return ERR_OK;
}

static enum dlms_link_state state(const struct dlms_link *link)
{
    return of_const(link)->state;
}

static const char *why(const struct dlms_link *link)
{
    return of_const(link)->why;
}

static size_t max_apdu(const struct dlms_link *link)
{
    (void)link;
    return UINT16_MAX; /* segments have no end: their numbers wrap */
}

static const struct dlms_link_ops ops = {
    .reset = reset,
    .open = open_link,
    .close = close_link,
    .feed = feed,
    .take = take,
    .poll = poll_link,
    .received = received,
    .release = release,
    .send = send_frame,
    .sending = sending,
    .state = state,
    .why = why,
    .max_apdu = max_apdu,
};

enum err mbus_link_init(struct mbus_link *l, const struct mbus_link_config *config, uint8_t *buffer,
                        size_t size)
{
    if (config->address > ADDRESS_MAX || config->segment_max > PIECE_MAX ||
        config->poll_ms > UINT32_MAX / PAUSE_MAX || size < MBUS_FRAME_MAX + APDU_MIN)
        return ERR_RANGE;
    *l = (struct mbus_link){.link.ops = &ops, .config = *config};
    if (l->config.segment_max == 0)
        l->config.segment_max = PIECE_MAX;
    if (l->config.response_ms == 0)
        l->config.response_ms = DEFAULT_ANSWER;
    if (l->config.poll_ms == 0)
        l->config.poll_ms = DEFAULT_POLL;
    mbus_rx_reset(&l->rx, buffer, MBUS_FRAME_MAX);
    mbus_join_reset(&l->join, buffer + MBUS_FRAME_MAX, size - MBUS_FRAME_MAX);
    reset(&l->link);
    return ERR_OK;
}
