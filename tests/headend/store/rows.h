/* Days of rows for tests: random ones of many shapes from a seed, and comparing. */
#ifndef FERRARIS_TESTS_HEADEND_STORE_ROWS_H
#define FERRARIS_TESTS_HEADEND_STORE_ROWS_H

#include "headend/store/day_block.h"

#define DAY_1 ((int64_t)1774742400) /* 2026-03-29: the clocks of Europe go forward */

struct random {
    uint64_t x; /* not 0 */
};

static inline uint64_t random_u64(struct random *r)
{
    r->x ^= r->x >> 12;
    r->x ^= r->x << 25;
    r->x ^= r->x >> 27;
    return r->x * 0x2545F4914F6CDD1D;
}

static inline uint32_t random_below(struct random *r, uint32_t n)
{
    return (uint32_t)((random_u64(r) >> 32) * n >> 32);
}

enum shape { /* of a day's stamps */
             SHAPE_GRID,
             SHAPE_GAPS,
             SHAPE_DOUBLED,
             SHAPE_JUMP, /* the clock was set: another phase from some row on */
             SHAPE_ANY,  /* sorted, anywhere in the day */
             SHAPE_ONE,  /* all at one second */
             N_SHAPES
};

enum kind { /* of a column */
            KIND_REGISTER,
            KIND_NOISE,
            KIND_SAME,
            KIND_RARE, /* mostly 0 */
            KIND_WILD, /* any 64 bits */
            KIND_ENDS, /* the extremes in turn */
            KIND_HOLES,
            KIND_MISSING,
            N_KINDS
};

static inline int64_t random_value(struct random *r, uint32_t kind, int64_t last, uint32_t i)
{
    switch (kind) {
    case KIND_REGISTER:
        return last + random_below(r, 1000);
    case KIND_NOISE:
        return 2300 + (int64_t)random_below(r, 40) - 20;
    case KIND_SAME:
        return -77;
    case KIND_RARE:
        return random_below(r, 30) ? 0 : (int64_t)random_below(r, 100000);
    case KIND_WILD:
        return (int64_t)(random_u64(r) >> random_below(r, 64));
    case KIND_ENDS:
        return i % 3 == 0 ? INT64_MAX : i % 3 == 1 ? INT64_MIN + 1 : 0;
    case KIND_HOLES:
        return random_below(r, 5) ? last + random_below(r, 9) : DAY_MISSING;
    default:
        return DAY_MISSING;
    }
}

static inline int64_t random_step(struct random *r, uint32_t shape, int64_t period)
{
    if (shape == SHAPE_GAPS)
        return period * (random_below(r, 20) ? 1 : 1 + random_below(r, 5));
    if (shape == SHAPE_DOUBLED)
        return random_below(r, 8) ? period : 0;
    if (shape == SHAPE_JUMP)
        return period + (random_below(r, 25) ? 0 : (int64_t)random_below(r, 100));
    if (shape == SHAPE_ANY)
        return random_below(r, (uint32_t)period * 2);
    return shape == SHAPE_ONE ? 0 : period;
}

/* At most n rows from midnight of `day_s` on, as many as the day holds. */
static inline void random_day(struct random *r, struct day_rows *rows, int64_t day_s, uint32_t n,
                              int64_t period)
{
    const uint32_t shape = random_below(r, N_SHAPES), n_columns = rows->n_columns;
    const uint32_t kinds = random_below(r, N_KINDS);
    struct day_row row = {.stamp_s = day_s, .zone = DAY_ZONE(60, 0)};
    int64_t last[DAY_COLUMNS_MAX] = {0};
    for (uint32_t i = 0; i < n && row.stamp_s < day_s + DAY_S; i++) {
        for (uint32_t c = 0; c < n_columns; c++) {
            row.value[c] = random_value(r, (kinds + c) % N_KINDS, last[c], i);
            last[c] = row.value[c] == DAY_MISSING || row.value[c] > INT64_MAX / 2 ? last[c]
                                                                                  : row.value[c];
        }
        row.zone = row.stamp_s < DAY_1 + 3600 ? DAY_ZONE(60, 0) : DAY_ZONE(120, 0x80);
        row.status = random_below(r, 40) ? 0 : (uint32_t)random_u64(r);
        assert_int_equal(day_rows_append(rows, &row), ERR_OK);
        row.stamp_s += random_step(r, shape, period);
    }
}

static inline bool is_same_day(const struct day_rows *a, const struct day_rows *b)
{
    bool same = a->n == b->n && a->n_columns == b->n_columns;
    for (uint32_t i = 0; same && i < a->n; i++)
        same = a->stamp_s[i] == b->stamp_s[i] && a->zone[i] == b->zone[i] &&
               a->status[i] == b->status[i];
    for (size_t i = 0; same && i < (size_t)a->n * a->n_columns; i++)
        same = a->value[i] == b->value[i];
    return same;
}

/* Row i of a day, to append it elsewhere. */
static inline struct day_row row_at(const struct day_rows *r, uint32_t i)
{
    struct day_row row = {.stamp_s = r->stamp_s[i], .zone = r->zone[i], .status = r->status[i]};
    for (uint32_t c = 0; c < r->n_columns; c++)
        row.value[c] = r->value[(size_t)i * r->n_columns + c];
    return row;
}

#endif
