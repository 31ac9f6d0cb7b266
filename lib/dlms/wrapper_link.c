/* The wrapper as a link.
 *
 *     CLOSED --open--> OPEN --close--> CLOSED      client
 *                      OPEN                        server: from the beginning
 *     OPEN --no header, too long (stream only)--> FAILED --reset--> where it began
 *
 * OPEN: feed takes octets, send is allowed. CLOSED: what comes in is dropped. FAILED: nothing is
 * consumed. `waiting` is true while rx holds a frame the caller has not released. */
#include "lib/dlms/wrapper_link.h"

#include <string.h>

static struct wrapper_link *of(struct dlms_link *l)
{
    return (struct wrapper_link *)l; /* the first member */
}

static const struct wrapper_link *of_const(const struct dlms_link *l)
{
    return (const struct wrapper_link *)l;
}

static void reset(struct dlms_link *link)
{
    struct wrapper_link *l = of(link);
    wrapper_reset(&l->rx, l->rx.buf, l->rx.size);
    l->waiting = false;
    l->out_at = l->out_len = 0;
    l->state = l->is_server ? LINK_OPEN : LINK_CLOSED;
    l->why = "";
}

static enum err open_link(struct dlms_link *link, uint64_t now_ms)
{
    struct wrapper_link *l = of(link);
    (void)now_ms;
    if (l->is_server || l->state != LINK_CLOSED)
        return ERR_STATE;
    l->state = LINK_OPEN;
    return ERR_OK;
}

static enum err close_link(struct dlms_link *link, uint64_t now_ms)
{
    struct wrapper_link *l = of(link);
    (void)now_ms;
    if (l->state != LINK_OPEN)
        return ERR_STATE;
    l->state = LINK_CLOSED;
    return ERR_OK;
}

static void frame_came(struct wrapper_link *l)
{
    l->waiting = l->rx.len > 0 && l->state == LINK_OPEN;
    l->n_dropped += !l->waiting;
}

static size_t feed_stream(struct dlms_link *link, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct wrapper_link *l = of(link);
    size_t used = 0;
    (void)now_ms;
    while (used < n && !l->waiting && l->state != LINK_FAILED) {
        enum wrapper_event event;
        used += wrapper_feed(&l->rx, p + used, n - used, &event);
        if (event == WRAPPER_FRAME)
            frame_came(l);
        if (event == WRAPPER_VERSION_WRONG || event == WRAPPER_TOO_LONG) {
            l->state = LINK_FAILED;
            l->why = event == WRAPPER_TOO_LONG ? "the frame is longer than what is accepted"
                                               : "this is no wrapper frame";
        }
    }
    return used;
}

static size_t feed_datagram(struct dlms_link *link, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct wrapper_link *l = of(link);
    enum wrapper_event event;
    (void)now_ms;
    if (l->waiting)
        return 0;
    wrapper_reset(&l->rx, l->rx.buf, l->rx.size);
    if (wrapper_feed(&l->rx, p, n, &event) == n && event == WRAPPER_FRAME)
        frame_came(l);
    else
        l->n_dropped++;
    return n;
}

/* The next octets of header and APDU. */
static size_t take_stream(struct dlms_link *link, uint64_t now_ms, uint8_t *to, size_t size)
{
    struct wrapper_link *l = of(link);
    (void)now_ms;
    struct wr w = wr_of(to, size);
    if (l->out_at < l->out_len && l->out_at < WRAPPER_HEAD_LEN) {
        const size_t left = WRAPPER_HEAD_LEN - l->out_at, n = left < size ? left : size;
        wr_bytes(&w, l->head + l->out_at, n);
        l->out_at += n;
    }
    if (l->out_at < l->out_len && l->out_at >= WRAPPER_HEAD_LEN) {
        const size_t left = l->out_len - l->out_at, room = wr_left(&w);
        const size_t n = left < room ? left : room;
        wr_bytes(&w, l->out.p + (l->out_at - WRAPPER_HEAD_LEN), n);
        l->out_at += n;
    }
    return w.len;
}

static size_t take_datagram(struct dlms_link *link, uint64_t now_ms, uint8_t *to, size_t size)
{
    return of(link)->out_len <= size ? take_stream(link, now_ms, to, size) : 0;
}

static uint64_t poll_link(struct dlms_link *link, uint64_t now_ms)
{
    (void)link;
    (void)now_ms;
    return UINT64_MAX;
}

static bool received(struct dlms_link *link, struct dlms_frame *out)
{
    const struct wrapper_link *l = of(link);
    if (!l->waiting)
        return false;
    *out = (struct dlms_frame){.client = l->is_server ? l->rx.source : l->rx.destination,
                               .server = l->is_server ? l->rx.destination : l->rx.source,
                               .p = l->rx.buf,
                               .len = l->rx.len};
    return true;
}

static void release(struct dlms_link *link)
{
    of(link)->waiting = false;
}

static bool sending(const struct dlms_link *link)
{
    const struct wrapper_link *l = of_const(link);
    return l->out_at < l->out_len;
}

static enum err send_frame(struct dlms_link *link, uint64_t now_ms, const struct dlms_frame *f)
{
    struct wrapper_link *l = of(link);
    (void)now_ms;
    if (sending(link))
        return ERR_BUSY;
    if (l->state != LINK_OPEN)
        return ERR_STATE;
    if (f->len > UINT16_MAX)
        return ERR_RANGE;
    struct wr w = wr_of(l->head, sizeof l->head);
    wrapper_put_head(&w, l->is_server ? f->server : f->client, l->is_server ? f->client : f->server,
                     (uint16_t)f->len);
    l->out = (struct bytes){f->p, f->len};
    l->out_at = 0;
    l->out_len = WRAPPER_HEAD_LEN + f->len;
    return w.err;
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
    return UINT16_MAX;
}

static const struct dlms_link_ops stream_ops = {
    .reset = reset,
    .open = open_link,
    .close = close_link,
    .feed = feed_stream,
    .take = take_stream,
    .poll = poll_link,
    .received = received,
    .release = release,
    .send = send_frame,
    .sending = sending,
    .state = state,
    .why = why,
    .max_apdu = max_apdu,
};
static const struct dlms_link_ops datagram_ops = {
    .datagrams = true,
    .reset = reset,
    .open = open_link,
    .close = close_link,
    .feed = feed_datagram,
    .take = take_datagram,
    .poll = poll_link,
    .received = received,
    .release = release,
    .send = send_frame,
    .sending = sending,
    .state = state,
    .why = why,
    .max_apdu = max_apdu,
};

static void init(struct wrapper_link *l, const struct dlms_link_ops *ops, bool is_server,
                 struct wr buffer)
{
    *l = (struct wrapper_link){.link.ops = ops, .is_server = is_server};
    wrapper_reset(&l->rx, buffer.p, buffer.size);
    reset(&l->link);
}

void wrapper_link_init_stream(struct wrapper_link *l, bool is_server, uint8_t *buffer, size_t size)
{
    init(l, &stream_ops, is_server, wr_of(buffer, size));
}

void wrapper_link_init_datagrams(struct wrapper_link *l, bool is_server, uint8_t *buffer,
                                 size_t size)
{
    init(l, &datagram_ops, is_server, wr_of(buffer, size));
}
