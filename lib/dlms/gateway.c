/* The gateway's prefix: codec, and the link that adds and strips it.
 *
 * The decorating link has the states of the one inside. Whatever the inner link has received and
 * released to the caller has carried the right prefix. */
#include "lib/dlms/gateway.h"

#include "lib/base/hex.h"

#include <string.h>

bool gateway_is_prefixed(struct bytes apdu)
{
    return apdu.len > 0 && (apdu.p[0] == GATEWAY_REQUEST || apdu.p[0] == GATEWAY_RESPONSE);
}

enum err gateway_decode(struct bytes apdu, struct gateway_prefix *out, struct bytes *inner)
{
    struct rd r = rd_of(apdu.p, apdu.len);
    if (!gateway_is_prefixed(apdu))
        return ERR_TYPE;
    *out = (struct gateway_prefix){.response = rd_u8(&r) == GATEWAY_RESPONSE};
    out->network = rd_u8(&r);
    out->address_len = rd_u8(&r);
    if (out->address_len > GATEWAY_ADDRESS_MAX)
        return ERR_RANGE;
    rd_copy(&r, out->address, out->address_len);
    *inner = rd_bytes(&r, rd_left(&r));
    if (!r.err && inner->len == 0)
        return ERR_TRUNCATED;
    return r.err;
}

void gateway_put(struct wr *w, const struct gateway_prefix *prefix)
{
    if (prefix->address_len > GATEWAY_ADDRESS_MAX) {
        wr_fail(w, ERR_RANGE);
        return;
    }
    wr_u8(w, prefix->response ? GATEWAY_RESPONSE : GATEWAY_REQUEST);
    wr_u8(w, prefix->network);
    wr_u8(w, prefix->address_len);
    wr_bytes(w, prefix->address, prefix->address_len);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum err gateway_parse(const char *text, struct gateway_prefix *out)
{
    unsigned network = 0;
    size_t digits = 0;
    for (; is_digit(text[digits]) && digits < 4; digits++)
        network = network * 10 + (unsigned)(text[digits] - '0');
    if (digits == 0 || text[digits] != ':')
        return ERR_FORMAT;
    const char *address = text + digits + 1;
    const size_t n = strlen(address);
    *out = (struct gateway_prefix){.network = (uint8_t)network, .address_len = (uint8_t)(n / 2)};
    if (network > UINT8_MAX || n > 2 * GATEWAY_ADDRESS_MAX)
        return ERR_RANGE;
    return n % 2 == 0 && hex_decode(address, out->address, n / 2) ? ERR_OK : ERR_FORMAT;
}

/* ---- the link ---- */

static struct gateway_link *of(struct dlms_link *l)
{
    return (struct gateway_link *)l; /* the first member */
}

static struct dlms_link *inner_of(const struct dlms_link *l)
{
    return ((const struct gateway_link *)l)->inner;
}

static bool same_meter(const struct gateway_prefix *a, const struct gateway_prefix *b)
{
    return a->network == b->network && a->address_len == b->address_len &&
           memcmp(a->address, b->address, a->address_len) == 0;
}

/* Is there an answer of our meter? Throws away what is none. */
static bool received(struct dlms_link *link, struct dlms_frame *out)
{
    struct gateway_link *l = of(link);
    struct gateway_prefix prefix;
    struct bytes apdu;
    while (dlms_link_received(l->inner, out)) {
        const struct bytes all = {out->p, out->len};
        if (gateway_decode(all, &prefix, &apdu) == ERR_OK && prefix.response &&
            same_meter(&prefix, &l->prefix)) {
            out->p += all.len - apdu.len;
            out->len = apdu.len;
            return true;
        }
        l->n_dropped++;
        dlms_link_release(l->inner);
    }
    return false;
}

static void reset(struct dlms_link *link)
{
    dlms_link_reset(inner_of(link));
}

static enum err open_link(struct dlms_link *link, uint64_t now_ms)
{
    return dlms_link_open(inner_of(link), now_ms);
}

static enum err close_link(struct dlms_link *link, uint64_t now_ms)
{
    return dlms_link_close(inner_of(link), now_ms);
}

static size_t feed_stream(struct dlms_link *link, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct dlms_frame frame;
    size_t used = 0, step = 1;
    while (used < n && step > 0 && !received(link, &frame)) {
        step = dlms_link_feed(inner_of(link), now_ms, p + used, n - used);
        used += step;
    }
    (void)received(link, &frame); /* what is not for us does not wait */
    return used;
}

static size_t feed_datagram(struct dlms_link *link, uint64_t now_ms, const uint8_t *p, size_t n)
{
    struct dlms_frame frame;
    const size_t used = dlms_link_feed(inner_of(link), now_ms, p, n);
    (void)received(link, &frame);
    return used;
}

static size_t take(struct dlms_link *link, uint64_t now_ms, uint8_t *to, size_t size)
{
    return dlms_link_take(inner_of(link), now_ms, to, size);
}

static uint64_t poll_link(struct dlms_link *link, uint64_t now_ms)
{
    return dlms_link_poll(inner_of(link), now_ms);
}

static void release(struct dlms_link *link)
{
    dlms_link_release(inner_of(link));
}

static size_t max_apdu(const struct dlms_link *link)
{
    const struct gateway_link *l = (const struct gateway_link *)link;
    const size_t head = 3 + (size_t)l->prefix.address_len;
    const size_t line = dlms_link_max_apdu(l->inner), most = line < l->size ? line : l->size;
    return most > head ? most - head : 0;
}

static enum err send_frame(struct dlms_link *link, uint64_t now_ms, const struct dlms_frame *f)
{
    struct gateway_link *l = of(link);
    if (dlms_link_sending(l->inner))
        return ERR_BUSY; /* it reads the buffer */
    if (f->len > max_apdu(link))
        return ERR_RANGE;
    struct wr w = wr_of(l->buf, l->size);
    gateway_put(&w, &l->prefix);
    wr_bytes(&w, f->p, f->len);
    if (w.err)
        return w.err;
    struct dlms_frame with = *f;
    with.p = w.p;
    with.len = w.len;
    return dlms_link_send(l->inner, now_ms, &with);
}

static bool sending(const struct dlms_link *link)
{
    return dlms_link_sending(inner_of(link));
}

static enum dlms_link_state state(const struct dlms_link *link)
{
    return dlms_link_state(inner_of(link));
}

static const char *why(const struct dlms_link *link)
{
    return dlms_link_why(inner_of(link));
}

static const struct dlms_link_ops stream_ops = {
    .reset = reset,
    .open = open_link,
    .close = close_link,
    .feed = feed_stream,
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
static const struct dlms_link_ops datagram_ops = {
    .datagrams = true,
    .reset = reset,
    .open = open_link,
    .close = close_link,
    .feed = feed_datagram,
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

enum err gateway_link_init(struct gateway_link *l, struct dlms_link *inner,
                           const struct gateway_prefix *prefix, uint8_t *buffer, size_t size)
{
    if (prefix->address_len > GATEWAY_ADDRESS_MAX || size <= 3u + prefix->address_len)
        return ERR_RANGE;
    *l = (struct gateway_link){.link.ops = inner->ops->datagrams ? &datagram_ops : &stream_ops,
                               .prefix = *prefix,
                               .inner = inner,
                               .buf = buffer,
                               .size = size};
    l->prefix.response = false;
    return ERR_OK;
}
