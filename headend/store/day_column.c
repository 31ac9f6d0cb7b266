/* Column coding of a day block: differences of order 0, 1 or 2, their least value taken off, the
 * rest packed in groups of 32 with as many bits as the group needs.
 *
 * Why packed and not varints: a household's quarter-hours need 5 to 10 bits, which varints round up
 * to 8 or 16, and the mixture of lengths costs a branch per value. Why at most 56 bits or 64: a
 * value then lies in the eight octets from its first bit's octet on, one load.
 *
 * Differences wrap modulo 2^64, so every 64-bit value comes back. Values that are missing are
 * listed apart and take no part in the differences. */
#include "headend/store/day_column.h"

#include "headend/store/day_runs.h"

#include <string.h>

#define GROUP      32u
#define GROUPS_MAX (DAY_ROWS_MAX / GROUP)
#define WIDTH_MAX  56u /* then 64 */
#define N_ORDERS   3u

enum form { /* low three bits of a column's first octet; 0..2 are the order */
            FORM_SAME = 3,
            FORM_NONE = 4
};
#define FORM_LIST 8u /* some values are missing: their list follows */

/* Little-endian whatever the machine: compilers make one access of each. */
static inline uint64_t load_u64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

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

/* Values of group g that have a difference: the first group lacks the first `order`. */
static uint32_t group_first(uint32_t g, uint32_t order)
{
    return g ? g * GROUP : order;
}

static uint32_t group_end(uint32_t g, uint32_t n)
{
    return n < (g + 1) * GROUP ? n : (g + 1) * GROUP;
}

static uint32_t n_groups(uint32_t n)
{
    return (n + GROUP - 1) / GROUP;
}

static size_t packed_size(uint32_t n, unsigned width)
{
    return ((size_t)n * width + 7) / 8;
}

/* ---- writing ---- */

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

/* One walk for all three orders, whose groups begin at the same values. Not a loop over the orders:
 * so the ranges stay in registers. n is at least 2. */
static void plan_differences(struct plan plan[N_ORDERS], const int64_t *v, uint32_t n)
{
    const struct range empty = {.least = INT64_MAX, .most = INT64_MIN};
    struct range r0 = empty, r1 = empty, r2 = empty;
    uint64_t last = (uint64_t)v[1], last_d = last - (uint64_t)v[0];
    range_see(&r0, (uint64_t)v[0]);
    range_see(&r0, last);
    range_see(&r1, last_d);
    for (uint32_t g = 0, i = 2; i < n || g == 0; g++) {
        for (const uint32_t end = group_end(g, n); i < end; i++) {
            const uint64_t this = (uint64_t)v[i], d = this - last;
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

/* u[0..n-1]: by how much the differences that end in v[0..n-1] exceed the least. */
static void differences(uint64_t *u, const int64_t *v, uint32_t n, uint32_t order, int64_t least)
{
    const uint64_t base = (uint64_t)least;
    for (uint32_t i = 0; order == 0 && i < n; i++)
        u[i] = (uint64_t)v[i] - base;
    for (uint32_t i = 0; order == 1 && i < n; i++)
        u[i] = (uint64_t)v[i] - (uint64_t)(v - 1)[i] - base;
    for (uint32_t i = 0; order == 2 && i < n; i++)
        u[i] = (uint64_t)v[i] - 2 * (uint64_t)(v - 1)[i] + (uint64_t)(v - 2)[i] - base;
}

/* Low bits first. `to` has eight octets more than is packed. */
static void pack(uint8_t *to, const uint64_t *u, uint32_t n, unsigned width)
{
    uint64_t bits = 0;
    unsigned have = 0; /* 0..7 */
    for (uint32_t i = 0; width == 64 && i < n; i++)
        store_u64(to + (size_t)8 * i, u[i]);
    for (uint32_t i = 0; width <= WIDTH_MAX && i < n; i++) {
        bits |= u[i] << have;
        have += width;
        store_u64(to, bits);
        to += have / 8;
        bits >>= have & ~7u;
        have &= 7;
    }
}

static void write_groups(struct wr *w, const struct plan *p, uint32_t order, const int64_t *v,
                         uint32_t n)
{
    uint8_t width[GROUPS_MAX];
    for (uint32_t g = 0; g < n_groups(n); g++)
        width[g] = (uint8_t)plan_width(p, g);
    wr_bytes(w, width, n_groups(n));
    for (uint32_t g = 0; g < n_groups(n); g++) {
        uint64_t u[GROUP];
        uint8_t octet[8 * GROUP + 8];
        const uint32_t first = group_first(g, order), count = group_end(g, n) - first;
        differences(u, v + first, count, order, p->least);
        pack(octet, u, count, width[g]);
        wr_bytes(w, octet, packed_size(count, width[g]));
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

/* The values that are there, side by side; how many. */
static uint32_t gather(int64_t *to, const int64_t *v, uint32_t n, size_t step)
{
    uint32_t n_there = 0, n_missing = 0;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = v[i * step];
        n_missing += to[i] == DAY_MISSING;
    }
    if (n_missing == 0)
        return n;
    for (uint32_t i = 0; i < n; i++) {
        to[n_there] = to[i];
        n_there += to[n_there] != DAY_MISSING;
    }
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
    const uint32_t n_there = gather(there, v, n, step);
    const bool same = all_same(there, n_there), list = n_there > 0 && n_there < n;
    uint32_t form = n_there == 0 ? FORM_NONE : FORM_SAME;
    if (n == 0)
        return;
    if (!same) {
        plan_differences(plan, there, n_there);
        form = plan_best(plan, there, n_there);
    }
    wr_u8(w, (uint8_t)(form | (list ? FORM_LIST : 0)));
    if (list)
        write_list(w, v, n, step);
    if (!same)
        write_differences(w, &plan[form], form, there, n_there);
    else if (n_there > 0)
        day_wr_varint(w, day_zigzag(there[0]));
}

/* ---- reading ---- */

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

static inline void unpack(uint64_t *u, const uint8_t *p, uint32_t n, unsigned width)
{
    const uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    size_t bit = 0;
    for (uint32_t i = 0; i < n; i++, bit += width)
        u[i] = load_u64(p + bit / 8) >> (bit & 7) & mask;
}

/* The next group's u[0..n-1]. All loads are of eight octets: what lies too near the end of the
 * input is copied first. */
static void read_group(struct rd *r, uint64_t u[GROUP], uint32_t n, unsigned width)
{
    const size_t left = rd_left(r), size = packed_size(n, width);
    const struct bytes packed = rd_bytes(r, size);
    if (r->err || size == 0) {
        memset(u, 0, GROUP * sizeof *u);
        return;
    }
    const size_t padding = size * 8 - (size_t)n * width;
    if (packed.p[size - 1] >> (8 - padding))
        rd_fail(r, ERR_CORRUPT);
    if (left >= size + 8) {
        unpack(u, packed.p, n, width);
        return;
    }
    uint8_t octet[8 * GROUP + 8];
    memcpy(octet, packed.p, size);
    memset(octet + size, 0, 8);
    unpack(u, octet, n, width);
}

struct sum { /* where the differences stand */
    uint64_t last, last_d, base;
    uint32_t order;
};

static void add_up(struct sum *s, int64_t *v, const uint64_t *u, uint32_t n, size_t step)
{
    uint64_t last = s->last, d = s->last_d;
    const uint64_t base = s->base;
    if (s->order == 0) {
        for (uint32_t i = 0; i < n; i++)
            v[i * step] = (int64_t)(u[i] + base);
    } else if (s->order == 1) {
        for (uint32_t i = 0; i < n; i++)
            v[i * step] = (int64_t)(last += u[i] + base);
    } else {
        for (uint32_t i = 0; i < n; i++)
            v[i * step] = (int64_t)(last += d += u[i] + base);
    }
    s->last = last;
    s->last_d = d;
}

static void read_groups(struct rd *r, struct sum *s, int64_t *v, uint32_t n, size_t step)
{
    const struct bytes widths = rd_bytes(r, n_groups(n));
    for (uint32_t g = 0; g < n_groups(n) && !r->err; g++) {
        uint64_t u[GROUP];
        const unsigned width = widths.p[g];
        const uint32_t first = group_first(g, s->order), count = group_end(g, n) - first;
        if (width > WIDTH_MAX && width != 64) {
            rd_fail(r, ERR_CORRUPT);
            return;
        }
        read_group(r, u, count, width);
        add_up(s, v + first * step, u, count, step);
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
