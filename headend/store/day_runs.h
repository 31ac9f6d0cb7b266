/* Varints, and columns of 32-bit numbers as runs: the plain parts of a day block. Private to
 * headend/store. Octets: docs/SPEC-day-block.md. */
#ifndef FERRARIS_HEADEND_DAY_RUNS_H
#define FERRARIS_HEADEND_DAY_RUNS_H

#include "lib/base/cursor.h"

/* Seven bits an octet, low ones first, in the fewest octets. */
void day_wr_varint(struct wr *w, uint64_t v);
/* ERR_CORRUPT: longer than needed, or beyond 64 bits. */
uint64_t day_rd_varint_long(struct rd *r);
static inline uint64_t day_rd_varint(struct rd *r)
{
    if (!r->err && r->pos < r->len && r->p[r->pos] < 0x80) /* nearly all are of one octet */
        return r->p[r->pos++];
    return day_rd_varint_long(r);
}

/* Signed as unsigned, the sign in bit 0: 0, -1, 1, -2 ... become 0, 1, 2, 3 ... */
static inline uint64_t day_zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t day_unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

/* n numbers as (value, count) until all are said. */
void day_runs_write(struct wr *w, const uint32_t *v, uint32_t n);
/* ERR_CORRUPT: a count of 0 or beyond n, neighbours of equal value, a value beyond 32 bits. */
void day_runs_read(struct rd *r, uint32_t *v, uint32_t n);

#endif
