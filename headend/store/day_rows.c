/* Rows of one day in memory: taking, growing, and what a re-read adds to them.
 *
 * The four arrays share one piece of memory, the 64-bit ones first. A merge compares whole rows; it
 * does not know which of two differing rows of one stamp is right and keeps both. */
#include "headend/store/day_block.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 96 /* rows: a day of quarter-hours */

static size_t row_octets(uint32_t n_columns)
{
    return sizeof(int64_t) * (1 + (size_t)n_columns) + 2 * sizeof(uint32_t);
}

/* Divides the memory, or clears all. */
static void place(struct day_rows *r, void *memory, uint32_t n_columns, uint32_t size)
{
    *r = (struct day_rows){.size = size, .n_columns = n_columns, .stamp_s = memory};
    if (!memory)
        return;
    r->value = r->stamp_s + size;
    r->zone = (uint32_t *)(void *)(r->value + (size_t)size * n_columns);
    r->status = r->zone + size;
}

enum err day_rows_init(struct day_rows *r, uint32_t n_columns, uint32_t size)
{
    if (n_columns > DAY_COLUMNS_MAX || size > DAY_ROWS_MAX)
        return ERR_RANGE;
    const size_t fits = r->size * row_octets(r->n_columns) / row_octets(n_columns);
    if (r->stamp_s && fits >= size) {
        place(r, r->stamp_s, n_columns, (uint32_t)fits);
        return ERR_OK;
    }
    void *memory = malloc((size ? size : 1) * row_octets(n_columns));
    if (!memory)
        return ERR_MEMORY;
    day_rows_free(r);
    place(r, memory, n_columns, size ? size : 1);
    return ERR_OK;
}

void day_rows_free(struct day_rows *r)
{
    free(r->stamp_s);
    place(r, NULL, 0, 0);
}

/* The rows from..from + n - 1 of the other, behind the last. There is room. */
static void take_rows(struct day_rows *r, const struct day_rows *other, uint32_t from, uint32_t n)
{
    const size_t columns = r->n_columns;
    if (n == 0)
        return;
    memcpy(r->stamp_s + r->n, other->stamp_s + from, n * sizeof *r->stamp_s);
    memcpy(r->zone + r->n, other->zone + from, n * sizeof *r->zone);
    memcpy(r->status + r->n, other->status + from, n * sizeof *r->status);
    if (columns > 0)
        memcpy(r->value + r->n * columns, other->value + from * columns,
               n * columns * sizeof *r->value);
    r->n += n;
}

static enum err grow(struct day_rows *r)
{
    struct day_rows bigger = {0};
    uint32_t size = r->size < FIRST_SIZE / 2 ? FIRST_SIZE : 2 * r->size;
    if (size > DAY_ROWS_MAX)
        size = DAY_ROWS_MAX;
    const enum err err = day_rows_init(&bigger, r->n_columns, size);
    if (err)
        return err;
    take_rows(&bigger, r, 0, r->n);
    day_rows_free(r);
    *r = bigger;
    return ERR_OK;
}

static int64_t day_of(int64_t stamp_s)
{
    return stamp_s / DAY_S - (stamp_s % DAY_S < 0);
}

enum err day_rows_append(struct day_rows *r, const struct day_row *row)
{
    if (r->n > 0 && day_of(row->stamp_s) != day_of(r->stamp_s[0]))
        return ERR_RANGE;
    if (r->n >= DAY_ROWS_MAX)
        return ERR_FULL;
    const enum err err = r->n < r->size ? ERR_OK : grow(r);
    if (err)
        return err;
    r->stamp_s[r->n] = row->stamp_s;
    r->zone[r->n] = row->zone;
    r->status[r->n] = row->status;
    memcpy(r->value + (size_t)r->n * r->n_columns, row->value, r->n_columns * sizeof *row->value);
    r->n++;
    return ERR_OK;
}

/* ---- merge ---- */

struct item { /* one row of either side */
    const struct day_rows *of;
    uint32_t i;  /* its place there */
    bool is_new; /* of the added side */
};

static int order_of(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* By stamp, then by all that makes rows differ. 0: equal rows. */
static int compare_rows(const struct item *a, const struct item *b)
{
    const struct day_rows *x = a->of, *y = b->of;
    const size_t columns = x->n_columns;
    int order = order_of(x->stamp_s[a->i], y->stamp_s[b->i]);
    if (order == 0)
        order = order_of(x->zone[a->i], y->zone[b->i]);
    if (order == 0)
        order = order_of(x->status[a->i], y->status[b->i]);
    for (size_t c = 0; order == 0 && c < columns; c++)
        order = order_of(x->value[a->i * columns + c], y->value[b->i * columns + c]);
    return order;
}

/* Equal rows side by side, the old ones first, then in order of arrival. */
static int by_row(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = compare_rows(x, y);
    if (order == 0)
        order = x->is_new - y->is_new;
    return order ? order : order_of(x->i, y->i);
}

/* As they stand in a day: by stamp, the old ones first, then in order of arrival. */
static int by_place(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    int order = order_of(x->of->stamp_s[x->i], y->of->stamp_s[y->i]);
    if (order == 0)
        order = x->is_new - y->is_new;
    return order ? order : order_of(x->i, y->i);
}

/* Of each set of equal rows leaves out as many added ones as there are old ones: what stays is the
 * greater of both multiplicities. The items are by_row; returns how many stay. */
static uint32_t drop_known(struct item *item, uint32_t n)
{
    uint32_t left = 0, known = 0; /* old ones of this set that no added one was found equal to */
    struct item last = {0};
    for (uint32_t i = 0; i < n; i++) {
        const struct item this = item[i];
        if (i > 0 && compare_rows(&last, &this) != 0)
            known = 0;
        last = this;
        if (this.is_new && known > 0) {
            known--;
            continue;
        }
        known += !this.is_new;
        item[left++] = this;
    }
    return left;
}

static bool is_in_order(const struct day_rows *r)
{
    for (uint32_t i = 1; i < r->n; i++) {
        if (r->stamp_s[i] < r->stamp_s[i - 1])
            return false;
    }
    return true;
}

static bool is_of_day(const struct day_rows *r, int64_t day)
{
    for (uint32_t i = 0; i < r->n; i++) {
        if (day_of(r->stamp_s[i]) != day)
            return false;
    }
    return true;
}

static bool is_equal(const struct day_rows *a, const struct day_rows *b)
{
    const size_t n = a->n;
    return n == b->n && memcmp(a->stamp_s, b->stamp_s, n * sizeof *a->stamp_s) == 0 &&
           memcmp(a->zone, b->zone, n * sizeof *a->zone) == 0 &&
           memcmp(a->status, b->status, n * sizeof *a->status) == 0 &&
           memcmp(a->value, b->value, n * a->n_columns * sizeof *a->value) == 0;
}

/* Old rows that stand before every added one: they stay as they are. */
static uint32_t count_before(const struct day_rows *old, const struct day_rows *added)
{
    int64_t least = added->stamp_s[0];
    uint32_t n = old->n;
    for (uint32_t i = 1; i < added->n; i++)
        least = added->stamp_s[i] < least ? added->stamp_s[i] : least;
    while (n > 0 && old->stamp_s[n - 1] >= least)
        n--;
    return n;
}

/* The old rows from `kept` on and all added ones, as they shall stand; how many. */
static uint32_t choose(struct item *item, const struct day_rows *old, uint32_t kept,
                       const struct day_rows *added)
{
    uint32_t n = 0;
    for (uint32_t i = kept; i < old->n; i++)
        item[n++] = (struct item){.of = old, .i = i};
    for (uint32_t i = 0; i < added->n; i++)
        item[n++] = (struct item){.of = added, .i = i, .is_new = true};
    qsort(item, n, sizeof *item, by_row);
    n = drop_known(item, n);
    qsort(item, n, sizeof *item, by_place);
    return n;
}

/* What the chosen items mean to the old rows, of which the last may be among them or not. */
static enum day_merge judge(const struct item *item, uint32_t n, const struct day_rows *old)
{
    enum day_merge what = DAY_SAME;
    for (uint32_t i = 0; i < n; i++) {
        const int64_t stamp_s = item[i].of->stamp_s[item[i].i];
        if (item[i].is_new && old->n > 0 && stamp_s <= old->stamp_s[old->n - 1])
            return DAY_CHANGED;
        if (item[i].is_new)
            what = DAY_GROWN;
    }
    return what;
}

/* Old rows, the added ones behind them. */
static enum err join(const struct day_rows *old, const struct day_rows *added, struct day_rows *out)
{
    if (old->n + added->n > DAY_ROWS_MAX)
        return ERR_FULL;
    const enum err err = day_rows_init(out, old->n_columns, old->n + added->n);
    if (err)
        return err;
    take_rows(out, old, 0, old->n);
    take_rows(out, added, 0, added->n);
    return ERR_OK;
}

static enum err merge_items(const struct day_rows *old, const struct day_rows *added,
                            struct day_rows *out, enum day_merge *what)
{
    const uint32_t kept = count_before(old, added);
    struct item *item = malloc(((size_t)old->n - kept + added->n) * sizeof *item);
    if (!item)
        return ERR_MEMORY;
    const uint32_t n = choose(item, old, kept, added);
    enum err err = n > DAY_ROWS_MAX - kept ? ERR_FULL : ERR_OK;
    if (!err)
        err = day_rows_init(out, old->n_columns, kept + n);
    if (!err) {
        take_rows(out, old, 0, kept);
        for (uint32_t i = 0; i < n; i++)
            take_rows(out, item[i].of, item[i].i, 1);
        *what = judge(item, n, old);
    }
    free(item);
    return err;
}

/* Both have rows: are they of one day, and the old ones in order? */
static bool fit_together(const struct day_rows *old, const struct day_rows *added)
{
    const int64_t day = day_of(old->n ? old->stamp_s[0] : added->stamp_s[0]);
    return is_in_order(old) && is_of_day(old, day) && is_of_day(added, day);
}

enum err day_rows_merge(const struct day_rows *old, const struct day_rows *added,
                        struct day_rows *out, enum day_merge *what)
{
    static const struct day_rows nothing;
    memset(out, 0, sizeof *out);
    if (old->n_columns != added->n_columns || old->n > DAY_ROWS_MAX || added->n > DAY_ROWS_MAX)
        return ERR_RANGE;
    if (old->n + added->n > 0 && !fit_together(old, added))
        return ERR_RANGE;
    if (added->n == 0 || is_equal(old, added)) {
        *what = DAY_SAME;
        return join(old, &nothing, out);
    }
    /* the common case: a backlog comes in, or the next rows of today */
    if (count_before(old, added) == old->n && is_in_order(added)) {
        *what = DAY_GROWN;
        return join(old, added, out);
    }
    return merge_items(old, added, out, what);
}
