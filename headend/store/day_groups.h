/* What the writer and the reader of a column agree on: forms, groups, widths. Private to
 * headend/store. */
#ifndef FERRARIS_HEADEND_DAY_GROUPS_H
#define FERRARIS_HEADEND_DAY_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#define GROUP     32u
#define WIDTH_MAX 56u /* then 64 */
#define N_ORDERS  3u

/* Low three bits of a column's first octet; below these the order. */
enum form { FORM_SAME = 3, FORM_NONE = 4 };
#define FORM_LIST 8u /* some values are missing: their list follows */

/* Values of group g that have a difference: the first group lacks the first `order`. */
static inline uint32_t group_first(uint32_t g, uint32_t order)
{
    return g ? g * GROUP : order;
}

static inline uint32_t group_end(uint32_t g, uint32_t n)
{
    return n < (g + 1) * GROUP ? n : (g + 1) * GROUP;
}

static inline uint32_t n_groups(uint32_t n)
{
    return (n + GROUP - 1) / GROUP;
}

static inline size_t packed_size(uint32_t n, unsigned width)
{
    return ((size_t)n * width + 7) / 8;
}

#endif
