/* Cuts a stream of octets into wrapper frames (IEC 62056-47) and writes frame headers.
 *
 * Facts that hold between calls: len <= need and len <= size; the ports and `need` are valid if and
 * only if n_head is 8; a header with a wrong version or with need above size is kept, so the error
 * repeats. It never looks for the next header after an error: a TCP stream that lost its frame
 * border could hide a forged frame in another frame's body. */
#include "lib/dlms/wrapper.h"

#include <string.h>

void wrapper_reset(struct wrapper_rx *r, uint8_t *buf, size_t size)
{
    *r = (struct wrapper_rx){.buf = buf, .size = size};
}

/* What the octets received so far amount to. */
static enum wrapper_event state_of(const struct wrapper_rx *r)
{
    if ((r->n_head > 0 && r->head[0] != WRAPPER_VERSION >> 8) ||
        (r->n_head > 1 && r->head[1] != (WRAPPER_VERSION & 0xFF)))
        return WRAPPER_VERSION_WRONG;
    if (r->n_head < WRAPPER_HEAD_LEN)
        return WRAPPER_MORE;
    if (r->need > r->size)
        return WRAPPER_TOO_LONG;
    return r->len == r->need ? WRAPPER_FRAME : WRAPPER_MORE;
}

static void take_head_octet(struct wrapper_rx *r, uint8_t octet)
{
    r->head[r->n_head++] = octet;
    if (r->n_head < WRAPPER_HEAD_LEN)
        return;
    struct rd h = rd_of(r->head + 2, WRAPPER_HEAD_LEN - 2);
    r->source = rd_u16(&h);
    r->destination = rd_u16(&h);
    r->need = rd_u16(&h);
}

size_t wrapper_feed(struct wrapper_rx *r, const uint8_t *p, size_t n, enum wrapper_event *event)
{
    size_t used = 0;
    if (n > 0 && state_of(r) == WRAPPER_FRAME) /* that one was handled: begin the next */
        wrapper_reset(r, r->buf, r->size);
    while (used < n && r->n_head < WRAPPER_HEAD_LEN && state_of(r) == WRAPPER_MORE)
        take_head_octet(r, p[used++]);
    if (used < n && state_of(r) == WRAPPER_MORE) {
        size_t take = r->need - r->len < n - used ? r->need - r->len : n - used;
        memcpy(r->buf + r->len, p + used, take);
        r->len += take;
        used += take;
    }
    *event = state_of(r);
    return used;
}

void wrapper_put_head(struct wr *w, uint16_t source, uint16_t destination, uint16_t length)
{
    wr_u16(w, WRAPPER_VERSION);
    wr_u16(w, source);
    wr_u16(w, destination);
    wr_u16(w, length);
}
