/* Reading a column of a day block; how it is coded and why: day_column_write.c. The octets may be
 * hostile: all is bounded by the section and the number of rows, and what is not understood ends
 * in ERR_CORRUPT. */
#include "headend/store/day_column.h"

#include "headend/store/day_groups.h"
#include "headend/store/day_runs.h"

#include <string.h>

/* Little-endian whatever the machine: compilers make one load of it. */
static inline uint64_t load_u64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

/* How many of n are there, by the list at the cursor; ERR_CORRUPT. */
static uint32_t read_list(struct rd *r, uint32_t n)
{
    uint32_t n_there = 0;
    bool missing = false;
    for (uint32_t i = 0; i < n && !r->err; missing = !missing) {
        const uint64_t count = day_rd_varint(r);
        if (count > n - i || (count == 0 && i > 0) || count == n) {
            rd_fail(r, ERR_CORRUPT);
            return 0;
        }
        i += (uint32_t)count;
        n_there += missing ? 0 : (uint32_t)count;
    }
    return n_there;
}

/* The values that are there stand at the end of v[0..n-1]: spreads them over the list. A value
 * never moves back, so none is overwritten before it is taken. */
static void spread(struct rd list, int64_t *v, uint32_t n, uint32_t n_there, size_t step)
{
    uint32_t from = n - n_there;
    bool missing = false;
    for (uint32_t i = 0; i < n; missing = !missing) {
        const uint32_t end = i + (uint32_t)day_rd_varint(&list);
        for (; i < end; i++)
            v[i * step] = missing ? DAY_MISSING : v[from++ * step];
    }
}

struct sum { /* where the differences stand */
    uint64_t last, last_d, base;
    uint32_t order;
};

/* n packed differences, added up into v[]. All loads are of eight octets. Inline for each order. */
static inline void unpack(struct sum *s, int64_t *v, size_t step, const uint8_t *p, uint32_t n,
                          unsigned width, uint32_t order)
{
    const uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1, base = s->base;
    uint64_t last = s->last, d = s->last_d;
    size_t bit = 0;
    for (uint32_t i = 0; i < n; i++, bit += width, v += step) {
        const uint64_t u = (load_u64(p + bit / 8) >> (bit & 7) & mask) + base;
        d = order == 2 ? d + u : u;
        last = order == 0 ? u : last + d;
        *v = (int64_t)last;
    }
    s->last = last;
    s->last_d = d;
}

struct group {
    const uint8_t *p; /* readable for eight octets more than is packed */
    uint32_t n;
    unsigned width;
};

static void read_group(struct sum *s, int64_t *v, size_t step, const struct group *g)
{
    if (s->order == 0)
        unpack(s, v, step, g->p, g->n, g->width, 0);
    else if (s->order == 1)
        unpack(s, v, step, g->p, g->n, g->width, 1);
    else
        unpack(s, v, step, g->p, g->n, g->width, 2);
}

/* The next group: where it lies, or copied to `octet` when it ends too near the end of the input.
 */
static void find_group(struct rd *r, struct group *g, uint8_t octet[8 * GROUP + 8])
{
    const size_t left = rd_left(r), size = packed_size(g->n, g->width);
    const struct bytes packed = rd_bytes(r, size);
    if ((g->width > WIDTH_MAX && g->width != 64) ||
        (packed.len > 0 && packed.p[size - 1] >> (8 - (size * 8 - (size_t)g->n * g->width))))
        rd_fail(r, ERR_CORRUPT);
    g->p = packed.p;
    if (left >= size + 8 || r->err)
        return;
    if (size > 0)
        memcpy(octet, packed.p, size);
    memset(octet + size, 0, 8);
    g->p = octet;
}

static void read_groups(struct rd *r, struct sum *s, int64_t *v, uint32_t n, size_t step)
{
    const struct bytes widths = rd_bytes(r, n_groups(n));
    for (uint32_t i = 0; i < n_groups(n) && !r->err; i++) {
        uint8_t octet[8 * GROUP + 8];
        const uint32_t first = group_first(i, s->order);
        struct group g = {.n = group_end(i, n) - first, .width = widths.p[i]};
        find_group(r, &g, octet);
        if (!r->err)
            read_group(s, v + first * step, step, &g);
    }
}

static void read_differences(struct rd *r, uint32_t order, int64_t *v, uint32_t n, size_t step)
{
    struct sum s = {.order = order};
    if (n <= order) {
        rd_fail(r, ERR_CORRUPT);
        return;
    }
    for (uint32_t i = 0; i < order; i++) {
        s.last_d = (uint64_t)day_unzigzag(day_rd_varint(r));
        s.last += s.last_d;
        v[i * step] = (int64_t)s.last;
    }
    s.base = (uint64_t)day_unzigzag(day_rd_varint(r));
    read_groups(r, &s, v, n, step);
}

void day_column_read(struct rd *r, int64_t *v, uint32_t n, size_t step)
{
    if (n == 0)
        return;
    const unsigned octet = rd_u8(r), form = octet & ~FORM_LIST;
    const bool none = form == FORM_NONE, listed = octet & FORM_LIST;
    if (form > FORM_NONE || (none && listed))
        rd_fail(r, ERR_CORRUPT);
    const struct rd list = *r;
    const uint32_t n_there = listed ? read_list(r, n) : n;
    if (r->err)
        return;
    int64_t *const to = v + (n - n_there) * step;
    if (form < N_ORDERS) {
        read_differences(r, form, to, n_there, step);
    } else {
        const int64_t same = none ? DAY_MISSING : day_unzigzag(day_rd_varint(r));
        for (uint32_t i = 0; i < n_there; i++)
            to[i * step] = same;
    }
    if (listed && !r->err)
        spread(list, v, n, n_there, step);
}
