/* Writing a column of a day block: differences of order 0, 1 or 2, their least value taken off, the
 * rest packed in groups of 32 with as many bits as the group needs.
 *
 * Why packed and not varints: a household's quarter-hours need 5 to 10 bits, which varints round up
 * to 8 or 16, and the mixture of lengths costs the reader a branch per value. Why at most 56 bits
 * or 64: a value then lies in the eight octets from its first bit's octet on, one load.
 *
 * Differences wrap modulo 2^64, so every 64-bit value comes back. Values that are missing are
 * listed apart and take no part in the differences. */
#include "headend/store/day_column.h"

#include "headend/store/day_groups.h"
#include "headend/store/day_runs.h"

#define GROUPS_MAX (DAY_ROWS_MAX / GROUP)

/* Little-endian whatever the machine: compilers make one store of it. */
static inline void store_u64(uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
    p[4] = (uint8_t)(v >> 32);
    p[5] = (uint8_t)(v >> 40);
    p[6] = (uint8_t)(v >> 48);
    p[7] = (uint8_t)(v >> 56);
}

static unsigned width_of(uint64_t v)
{
    const unsigned bits = v ? 64u - (unsigned)__builtin_clzll(v) : 0;
    return bits > WIDTH_MAX ? 64 : bits;
}

struct plan { /* of one order */
    int64_t least, most[GROUPS_MAX];
    size_t size;
};

struct range {
    int64_t least, most;
};

static inline void range_see(struct range *r, uint64_t difference)
{
    const int64_t d = (int64_t)difference;
    r->least = d < r->least ? d : r->least;
    r->most = d > r->most ? d : r->most;
}

static void range_close(struct range *r, struct plan *p, uint32_t g)
{
    p->least = r->least;
    p->most[g] = r->most;
    r->most = INT64_MIN;
}

/* One walk for all three orders, whose groups begin at the same values; it also leaves the values
 * side by side in to[]. Not a loop over the orders: so the ranges stay in registers. */
static void plan_differences(struct plan plan[N_ORDERS], int64_t *to, const int64_t *v, uint32_t n,
                             size_t step)
{
    const struct range empty = {.least = INT64_MAX, .most = INT64_MIN};
    struct range r0 = empty, r1 = empty, r2 = empty;
    uint64_t last = 0, last_d = 0;
    plan[0].least = 0; /* without a value there is no group */
    for (uint32_t i = 0; i < n && i < N_ORDERS - 1; i++, v += step) {
        to[i] = *v;
        last_d = (uint64_t)*v - last;
        last = (uint64_t)*v;
        range_see(&r0, last);
        if (i > 0)
            range_see(&r1, last_d);
    }
    for (uint32_t g = 0, i = N_ORDERS - 1; g < n_groups(n); g++) {
        for (const uint32_t end = group_end(g, n); i < end; i++, v += step) {
            const uint64_t this = (uint64_t)*v, d = this - last;
            to[i] = *v;
            range_see(&r0, this);
            range_see(&r1, d);
            range_see(&r2, d - last_d);
            last = this;
            last_d = d;
        }
        range_close(&r0, &plan[0], g);
        range_close(&r1, &plan[1], g);
        range_close(&r2, &plan[2], g);
    }
}

static unsigned plan_width(const struct plan *p, uint32_t g)
{
    return width_of((uint64_t)p->most[g] - (uint64_t)p->least);
}

static size_t varint_size(int64_t v)
{
    return (64u - (unsigned)__builtin_clzll(day_zigzag(v) | 1) + 6) / 7;
}

static int64_t difference(int64_t from, int64_t to)
{
    return (int64_t)((uint64_t)to - (uint64_t)from);
}

static size_t plan_size(const struct plan *p, uint32_t order, const int64_t *v, uint32_t n)
{
    size_t size = varint_size(p->least) + n_groups(n);
    for (uint32_t i = 0; i < order; i++)
        size += varint_size(i ? difference(v[0], v[1]) : v[0]);
    for (uint32_t g = 0; g < n_groups(n); g++)
        size += packed_size(group_end(g, n) - group_first(g, order), plan_width(p, g));
    return size;
}

/* The order that takes least, the lowest of equals; an order needs a difference to pack. */
static uint32_t plan_best(struct plan plan[N_ORDERS], const int64_t *v, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t k = 0; k < N_ORDERS && k < n; k++) {
        plan[k].size = plan_size(&plan[k], k, v, n);
        best = plan[k].size < plan[best].size ? k : best;
    }
    return best;
}

static inline uint64_t difference_at(const int64_t *v, uint32_t order)
{
    const uint64_t this = (uint64_t)v[0];
    if (order == 0)
        return this;
    const uint64_t last = (uint64_t)v[-1];
    return order == 1 ? this - last : this - 2 * last + (uint64_t)v[-2];
}

/* The differences that end in v[0..n-1], over the base. Low bits first; `to` has eight octets more
 * than is packed. Inline for each order, or the choice would be made for each value. */
static inline void pack(uint8_t *to, const int64_t *v, uint32_t n, uint32_t order, uint64_t base,
                        unsigned width)
{
    uint64_t bits = 0;
    unsigned have = 0; /* 0..7 */
    for (uint32_t i = 0; width == 64 && i < n; i++)
        store_u64(to + (size_t)8 * i, difference_at(v + i, order) - base);
    for (uint32_t i = 0; width <= WIDTH_MAX && i < n; i++) {
        bits |= (difference_at(v + i, order) - base) << have;
        have += width;
        store_u64(to, bits);
        to += have / 8;
        bits >>= have & ~7u;
        have &= 7;
    }
}

static void pack_group(uint8_t *to, const int64_t *v, uint32_t n, uint32_t order, uint64_t base,
                       unsigned width)
{
    if (order == 0)
        pack(to, v, n, 0, base, width);
    else if (order == 1)
        pack(to, v, n, 1, base, width);
    else
        pack(to, v, n, 2, base, width);
}

static void write_groups(struct wr *w, const struct plan *p, uint32_t order, const int64_t *v,
                         uint32_t n)
{
    uint8_t width[GROUPS_MAX];
    for (uint32_t g = 0; g < n_groups(n); g++)
        width[g] = (uint8_t)plan_width(p, g);
    wr_bytes(w, width, n_groups(n));
    for (uint32_t g = 0; g < n_groups(n); g++) {
        uint8_t octet[8 * GROUP + 8];
        const uint32_t first = group_first(g, order), count = group_end(g, n) - first;
        const size_t size = packed_size(count, width[g]);
        const bool in_place = w->p && wr_left(w) >= size + 8;
        pack_group(in_place ? w->p + w->len : octet, v + first, count, order, (uint64_t)p->least,
                   width[g]);
        if (in_place)
            w->len += size;
        else
            wr_bytes(w, octet, size);
    }
}

/* Lengths of present and missing in turn, the first perhaps 0. */
static void write_list(struct wr *w, const int64_t *v, uint32_t n, size_t step)
{
    bool missing = false;
    for (uint32_t i = 0, end; i < n; i = end, missing = !missing) {
        for (end = i; end < n && (v[end * step] == DAY_MISSING) == missing;)
            end++;
        day_wr_varint(w, end - i);
    }
}

/* The values that are there, side by side in to[], and the plan for them; how many. */
static uint32_t gather(struct plan plan[N_ORDERS], int64_t *to, const int64_t *v, uint32_t n,
                       size_t step)
{
    uint32_t n_there = 0;
    plan_differences(plan, to, v, n, step);
    if (plan[0].least != DAY_MISSING) /* which is less than any value */
        return n;
    for (uint32_t i = 0; i < n; i++) {
        to[n_there] = to[i];
        n_there += to[n_there] != DAY_MISSING;
    }
    plan_differences(plan, to, to, n_there, 1);
    return n_there;
}

static bool all_same(const int64_t *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        if (v[i] != v[0])
            return false;
    }
    return true;
}

/* The first values, the least difference, the rest packed. */
static void write_differences(struct wr *w, const struct plan *p, uint32_t order, const int64_t *v,
                              uint32_t n)
{
    for (uint32_t i = 0; i < order; i++)
        day_wr_varint(w, day_zigzag(i ? difference(v[0], v[1]) : v[0]));
    day_wr_varint(w, day_zigzag(p->least));
    write_groups(w, p, order, v, n);
}

void day_column_write(struct wr *w, const int64_t *v, uint32_t n, size_t step)
{
    int64_t there[DAY_ROWS_MAX];
    struct plan plan[N_ORDERS];
    if (n == 0)
        return;
    const uint32_t n_there = gather(plan, there, v, n, step);
    const bool same = all_same(there, n_there), list = n_there > 0 && n_there < n;
    uint32_t form = n_there == 0 ? FORM_NONE : FORM_SAME;
    if (!same)
        form = plan_best(plan, there, n_there);
    wr_u8(w, (uint8_t)(form | (list ? FORM_LIST : 0)));
    if (list)
        write_list(w, v, n, step);
    if (!same)
        write_differences(w, &plan[form], form, there, n_there);
    else if (n_there > 0)
        day_wr_varint(w, day_zigzag(there[0]));
}
