/* The LLC of IEC 61334-4-32 as a link of datagrams.
 *
 *     CLOSED --open--> OPEN --close--> CLOSED      client
 *                      OPEN                        server: from the beginning
 *
 * OPEN: an APDU may be sent. CLOSED: what comes in is dropped. `len` > 0 while an APDU waits to be
 * released, out.len > 0 while one waits to leave. */
#include "lib/dlms/llc_link.h"

#include <string.h>

enum err llc_decode(struct bytes frame, uint8_t *destination, uint8_t *source, struct bytes *apdu)
{
    struct rd r = rd_of(frame.p, frame.len);
    const uint8_t control = rd_u8(&r);
    *destination = rd_u8(&r);
    *source = rd_u8(&r);
    *apdu = rd_bytes(&r, rd_left(&r));
    if (r.err)
        return r.err;
    return control == LLC_CONTROL ? ERR_OK : ERR_FORMAT;
}

static struct llc_link *of(struct dlms_link *l)
{
    return (struct llc_link *)l; /* the first member */
}

static const struct llc_link *of_const(const struct dlms_link *l)
{
    return (const struct llc_link *)l;
}

static void reset(struct dlms_link *link)
{
    struct llc_link *l = of(link);
    l->len = l->out.len = 0;
    l->state = l->config.is_server ? LINK_OPEN : LINK_CLOSED;
}

static enum err open_link(struct dlms_link *link, uint64_t now_ms)
{
    struct llc_link *l = of(link);
    (void)now_ms;
    if (l->config.is_server || l->state != LINK_CLOSED)
        return ERR_STATE;
    l->state = LINK_OPEN;
    return ERR_OK;
}

static enum err close_link(struct dlms_link *link, uint64_t now_ms)
{
    struct llc_link *l = of(link);
    (void)now_ms;
    if (l->state != LINK_OPEN)
        return ERR_STATE;
    l->state = LINK_CLOSED;
    return ERR_OK;
}

static bool is_ours(const struct llc_link *l, uint8_t destination)
{
    return l->config.own_sap == 0 || destination == l->config.own_sap || destination == LLC_ALL;
}

static size_t feed(struct dlms_link *link, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct llc_link *l = of(link);
    struct bytes apdu;
    uint8_t destination, source;
    (void)now_ms;
    if (l->len > 0)
        return 0;
    if (llc_decode((struct bytes){p, n}, &destination, &source, &apdu) != ERR_OK || apdu.len == 0 ||
        apdu.len > l->size || l->state != LINK_OPEN || !is_ours(l, destination)) {
        l->n_dropped++;
        return n;
    }
    memcpy(l->buf, apdu.p, apdu.len);
    l->len = apdu.len;
    l->destination = destination;
    l->source = source;
    return n;
}

static size_t take(struct dlms_link *link, uint64_t now_ms, uint8_t *to, size_t size)
{
    struct llc_link *l = of(link);
    const bool server = l->config.is_server;
    (void)now_ms;
    if (l->out.len == 0 || l->out.len + LLC_HEAD_LEN > size)
        return 0;
    struct wr w = wr_of(to, size);
    wr_u8(&w, LLC_CONTROL);
    wr_u8(&w, (uint8_t)(server ? l->out.client : l->out.server));
    wr_u8(&w, (uint8_t)(server ? l->out.server : l->out.client));
    wr_bytes(&w, l->out.p, l->out.len);
    l->out.len = 0;
    return w.len;
}

static uint64_t poll_link(struct dlms_link *link, uint64_t now_ms)
{
    (void)link;
    (void)now_ms;
    return UINT64_MAX;
}

static bool received(struct dlms_link *link, struct dlms_frame *out)
{
    const struct llc_link *l = of(link);
    const bool server = l->config.is_server;
    if (l->len == 0)
        return false;
    *out = (struct dlms_frame){.client = server ? l->source : l->destination,
                               .server = server ? l->destination : l->source,
                               .p = l->buf,
                               .len = l->len};
    return true;
}

static void release(struct dlms_link *link)
{
    of(link)->len = 0;
}

static bool sending(const struct dlms_link *link)
{
    return of_const(link)->out.len > 0;
}

static size_t max_apdu(const struct dlms_link *link)
{
    return of_const(link)->config.max_frame - (size_t)LLC_HEAD_LEN;
}

static enum err send_frame(struct dlms_link *link, uint64_t now_ms, const struct dlms_frame *f)
{
    struct llc_link *l = of(link);
    (void)now_ms;
    if (sending(link))
        return ERR_BUSY;
    if (l->state != LINK_OPEN)
        return ERR_STATE;
    if (f->len == 0 || f->len > max_apdu(link) || f->client > UINT8_MAX || f->server > UINT8_MAX)
        return ERR_RANGE;
    l->out = *f;
    return ERR_OK;
}

static enum dlms_link_state state(const struct dlms_link *link)
{
    return of_const(link)->state;
}

static const char *why(const struct dlms_link *link)
{
    (void)link;
    return "";
}

static const struct dlms_link_ops ops = {
    .datagrams = true,
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

void llc_link_init(struct llc_link *l, const struct llc_config *config, uint8_t *buffer,
                   size_t size)
{
    *l = (struct llc_link){.link.ops = &ops, .config = *config, .buf = buffer, .size = size};
    if (l->config.max_frame <= LLC_HEAD_LEN)
        l->config.max_frame = LLC_FRAME_MAX;
    reset(&l->link);
}
