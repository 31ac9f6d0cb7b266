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
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static inline void store_u64(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (8 * i));
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

static size_t packed_size(uint32_t n, unsigned width)
{
    return ((size_t)n * width + 7) / 8;
}

/* ---- writing ---- */

struct plan { /* of one order */
    int64_t least, most[GROUPS_MAX];
};

/* One walk over the values for all three orders. The groups begin at the same values for each. */
static void plan_orders(struct plan plan[N_ORDERS], const int64_t *v, uint32_t n)
{
    uint64_t last = 0, last_d = 0;
    int64_t least[N_ORDERS] = {INT64_MAX, INT64_MAX, INT64_MAX};
    for (uint32_t g = 0, i = 0; i < n; g++) {
        int64_t most[N_ORDERS] = {INT64_MIN, INT64_MIN, INT64_MIN};
        for (const uint32_t end = group_end(g, n); i < end; i++) {
            const uint64_t d = (uint64_t)v[i] - last;
            const int64_t r[N_ORDERS] = {v[i], (int64_t)d, (int64_t)(d - last_d)};
            last = (uint64_t)v[i];
            last_d = d;
            for (uint32_t k = 0; k < N_ORDERS && k <= i; k++) {
                least[k] = r[k] < least[k] ? r[k] : least[k];
                most[k] = r[k] > most[k] ? r[k] : most[k];
            }
        }
        for (uint32_t k = 0; k < N_ORDERS; k++)
            plan[k].most[g] = most[k];
    }
    for (uint32_t k = 0; k < N_ORDERS; k++)
        plan[k].least = least[k];
}
