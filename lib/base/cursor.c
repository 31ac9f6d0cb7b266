/* Bounded reading and writing of big-endian octets, and the two helpers for secrets.
 *
 * All access goes through claim functions that compare against the octets left, so no sum of
 * lengths can wrap. Nothing here knows a protocol except the length octets that BER and A-XDR
 * share. */
#include "lib/base/cursor.h"

#include <string.h>

/* Out of line, as wr_of(): four or five words at a hundred places are not worth a copy. */
__attribute__((noinline)) struct rd rd_of(const void *p, size_t len)
{
    return (struct rd){.p = p, .len = p ? len : 0};
}

size_t rd_left(const struct rd *r)
{
    return r->err ? 0 : r->len - r->pos;
}

void rd_fail(struct rd *r, enum err err)
{
    if (r->err)
        return;
    r->err = err;
    r->err_pos = r->pos;
}

/* The next n octets, or NULL with the error set. */
static const uint8_t *rd_claim(struct rd *r, size_t n)
{
    if (r->err)
        return NULL;
    if (n > r->len - r->pos) {
        rd_fail(r, ERR_TRUNCATED);
        return NULL;
    }
    const uint8_t *at = r->p + r->pos;
    r->pos += n;
    return at;
}

uint64_t rd_uint(struct rd *r, size_t n)
{
    uint64_t v = 0;
    const uint8_t *at = rd_claim(r, n);
    for (size_t i = 0; at && i < n; i++)
        v = v << 8 | at[i];
    return v;
}

uint8_t rd_u8(struct rd *r)
{
    return (uint8_t)rd_uint(r, 1);
}

uint16_t rd_u16(struct rd *r)
{
    return (uint16_t)rd_uint(r, 2);
}

uint32_t rd_u32(struct rd *r)
{
    return (uint32_t)rd_uint(r, 4);
}

uint64_t rd_u64(struct rd *r)
{
    return rd_uint(r, 8);
}

struct bytes rd_bytes(struct rd *r, size_t n)
{
    /* An empty view of an empty input has no address either; only err tells success apart. */
    if (n == 0)
        return (struct bytes){.p = r->err || !r->p ? NULL : r->p + r->pos, .len = 0};
    const uint8_t *at = rd_claim(r, n);
    return (struct bytes){.p = at, .len = at ? n : 0};
}

void rd_copy(struct rd *r, void *to, size_t n)
{
    if (n == 0)
        return;
    const uint8_t *at = rd_claim(r, n);
    if (at)
        memcpy(to, at, n);
    else
        memset(to, 0, n);
}

size_t rd_length(struct rd *r)
{
    size_t start = r->pos;
    uint8_t first = rd_u8(r);
    if (first < 0x80)
        return first;
    if (first == 0x80 || first > 0x84) {
        r->pos = start; /* the error belongs to the octet that was wrong */
        rd_fail(r, ERR_FORMAT);
        return 0;
    }
    return (size_t)rd_uint(r, first & 0x7Fu);
}

__attribute__((noinline)) struct wr wr_of(void *p, size_t size)
{
    return (struct wr){.p = p, .size = size};
}

struct wr wr_counter(void)
{
    return (struct wr){.size = SIZE_MAX};
}

size_t wr_left(const struct wr *w)
{
    return w->err ? 0 : w->size - w->len;
}

void wr_fail(struct wr *w, enum err err)
{
    if (!w->err)
        w->err = err;
}

void wr_bytes(struct wr *w, const void *p, size_t n)
{
    if (w->err || n == 0)
        return;
    if (n > w->size - w->len) {
        wr_fail(w, ERR_FULL);
        return;
    }
    if (w->p)
        memcpy(w->p + w->len, p, n);
    w->len += n;
}

void wr_uint(struct wr *w, uint64_t v, size_t n)
{
    uint8_t octet[8];
    for (size_t i = n; i > 0; v >>= 8)
        octet[--i] = (uint8_t)v;
    wr_bytes(w, octet, n);
}

void wr_u8(struct wr *w, uint8_t v)
{
    wr_uint(w, v, 1);
}

void wr_u16(struct wr *w, uint16_t v)
{
    wr_uint(w, v, 2);
}

void wr_u32(struct wr *w, uint32_t v)
{
    wr_uint(w, v, 4);
}

void wr_u64(struct wr *w, uint64_t v)
{
    wr_uint(w, v, 8);
}

void wr_length(struct wr *w, size_t n)
{
    if (n > UINT32_MAX) { /* longer than the 0x84 form can say */
        wr_fail(w, ERR_RANGE);
        return;
    }
    if (n < 0x80) {
        wr_u8(w, (uint8_t)n);
        return;
    }
    size_t octets = n <= 0xFF ? 1 : n <= 0xFFFF ? 2 : n <= 0xFFFFFF ? 3 : 4;
    wr_uint(w, (uint64_t)(0x80u | octets) << (8 * octets) | n, octets + 1);
}

bool ct_equal(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a, *y = b;
    uint8_t difference = 0;
    for (size_t i = 0; i < n; i++)
        difference |= (uint8_t)(x[i] ^ y[i]);
    return difference == 0;
}

void wipe(void *p, size_t n)
{
    volatile uint8_t *at = p; /* volatile: the stores count as visible and stay */
    for (size_t i = 0; i < n; i++)
        at[i] = 0;
}
