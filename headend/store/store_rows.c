/* Rows into day blocks.
 *
 * A put goes day by day: the newest version of the day is decoded, what came is merged with it, and
 * only if that brought something new a block is written. A day that grew at its end keeps its
 * version: every row the old octets held is in the new ones, in its old place, so nothing is lost
 * by replacing them, and a live day would otherwise leave 96 versions. Anything else is a
 * correction: the old version stays and the next number is written beside it.
 *
 * Merging first makes a guard on equal octets needless: equal rows never get as far as encoding,
 * and different rows have different octets. */
#include "headend/store/store_parts.h"

#include <stdlib.h>

struct place {
    int64_t day; /* of the row's stamp, which is not negative */
    uint32_t row;
};

/* One put under way. */
struct filing {
    struct store *s;
    const struct store_layout *layout;
    const struct day_row *rows;
    struct place *order; /* of rows, by day; within a day as they came */
    struct store_put *put;
    int64_t received_ms;
    struct day_rows old, added, merged;
};

/* What the store has of the day. */
struct kept {
    int64_t id; /* 0: nothing */
    uint32_t version;
    bool damaged;
};

static enum err day_error(struct filing *f, enum err err)
{
    if (err == ERR_FULL)
        return store_fail(f->s, ERR_RANGE, "a day holds at most %d rows", DAY_ROWS_MAX);
    return store_fail(f->s, err, "a day's rows: %s", err_text(err));
}

/* A damaged block is left as it lies, told by store_verify, and does not hinder what comes: it
 * counts as empty, and the day goes on in the next version. */
static enum err decode_old(struct filing *f, struct bytes block, struct kept *kept)
{
    day_rows_free(&f->old); /* of the day before: the decoder begins anew */
    enum err err = day_block_decode(block, &f->old);
    if (err == ERR_OK && f->old.n_columns == f->layout->n_columns)
        return ERR_OK;
    if (err == ERR_MEMORY)
        return store_fail(f->s, err, "out of memory");
    kept->damaged = true;
    return day_rows_init(&f->old, f->layout->n_columns, 1);
}

static enum err load_old(struct filing *f, int64_t day, struct kept *kept)
{
    *kept = (struct kept){0};
    struct ask a = ask_of(f->s, SQL_BLOCK_NEWEST);
    ask_int(&a, f->layout->profile);
    ask_int(&a, day);
    ask_int(&a, f->layout->id);
    if (ask_row(&a)) {
        kept->id = ask_get_int(&a);
        kept->version = (uint32_t)ask_get_int(&a);
        a.err = decode_old(f, ask_get_blob(&a), kept);
    } else if (a.err == ERR_OK) {
        a.err = day_rows_init(&f->old, f->layout->n_columns, 1);
    }
    return ask_end(&a);
}

static enum err gather(struct filing *f, size_t from, size_t to)
{
    enum err err = day_rows_init(&f->added, f->layout->n_columns, (uint32_t)(to - from));
    for (size_t i = from; err == ERR_OK && i < to; i++)
        err = day_rows_append(&f->added, &f->rows[f->order[i].row]);
    return err;
}

static enum err encode(struct filing *f, struct bytes *block)
{
    struct store *s = f->s;
    size_t bound = day_block_bound(f->merged.n, f->merged.n_columns);
    if (bound > s->block_size) {
        uint8_t *p = realloc(s->block, bound);
        if (!p)
            return store_fail(s, ERR_MEMORY, "out of memory");
        s->block = p;
        s->block_size = bound;
    }
    block->p = s->block;
    enum err err =
        day_block_encode(&f->merged, f->layout->period_s, s->block, s->block_size, &block->len);
    return err == ERR_OK ? ERR_OK : day_error(f, err);
}

static enum err write_block(struct filing *f, int64_t day, const struct kept *kept, bool grown)
{
    struct store_day_total total[DAY_COLUMNS_MAX];
    char totals[STORE_TOTALS_MAX];
    struct bytes block;
    enum err err = encode(f, &block);
    if (err != ERR_OK)
        return err;
    store_totals_of(&f->merged, total);
    store_totals_put(total, f->merged.n_columns, totals);
    struct ask a = ask_of(f->s, grown ? SQL_BLOCK_GROW : SQL_BLOCK_ADD);
    if (!grown) {
        ask_int(&a, f->layout->profile);
        ask_int(&a, day);
        ask_int(&a, f->layout->id);
        ask_int(&a, kept->version + 1);
    }
    ask_int(&a, f->merged.n);
    ask_int(&a, f->received_ms);
    ask_text(&a, totals);
    ask_blob(&a, block.p, block.len);
    if (grown)
        ask_int(&a, kept->id);
    f->put->n_blocks++;
    return ask_run(&a);
}

/* Old rows are a part of the merged ones and both are in order of stamp, so what does not pair up
 * is new. */
static void note_new(struct filing *f)
{
    const struct day_rows *old = &f->old, *merged = &f->merged;
    struct store_put *put = f->put;
    for (uint32_t r = 0, o = 0; r < merged->n; r++) {
        int64_t t = merged->stamp_s[r];
        if (o < old->n && old->stamp_s[o] == t) {
            o++;
            continue;
        }
        if (put->n_new++ == 0)
            put->from_s = t;
        put->to_s = t; /* days come in order, and rows in a day */
    }
}

static enum err put_day(struct filing *f, size_t from, size_t to)
{
    struct kept kept;
    enum day_merge what;
    int64_t day = f->order[from].day;
    enum err err = gather(f, from, to);
    if (err != ERR_OK)
        return day_error(f, err);
    err = load_old(f, day, &kept);
    if (err != ERR_OK)
        return err;
    err = day_rows_merge(&f->old, &f->added, &f->merged, &what);
    if (err != ERR_OK)
        return day_error(f, err);
    if (what == DAY_SAME)
        return ERR_OK;
    note_new(f);
    return write_block(f, day, &kept, kept.id != 0 && !kept.damaged && what == DAY_GROWN);
}

static int by_day(const void *x, const void *y)
{
    const struct place *a = x, *b = y;
    if (a->day != b->day)
        return a->day < b->day ? -1 : 1;
    return a->row < b->row ? -1 : 1; /* as they came: qsort is not stable */
}

/* Rows mostly come in order, and then nothing is sorted. */
static enum err order_by_day(struct filing *f, size_t n)
{
    bool sorted = true;
    for (size_t i = 0; i < n; i++) {
        if (f->rows[i].stamp_s < 0 || f->rows[i].stamp_s >= STORE_STAMP_END)
            return store_fail(f->s, ERR_RANGE, "a stamp outside of 1970 to 2399");
        f->order[i] = (struct place){.day = f->rows[i].stamp_s / DAY_S, .row = (uint32_t)i};
        sorted = sorted && (i == 0 || f->order[i - 1].day <= f->order[i].day);
    }
    if (!sorted)
        qsort(f->order, n, sizeof f->order[0], by_day);
    return ERR_OK;
}

static enum err put_days(struct filing *f, size_t n)
{
    enum err err = ERR_OK;
    for (size_t from = 0, to; from < n && err == ERR_OK; from = to) {
        for (to = from + 1; to < n && f->order[to].day == f->order[from].day;)
            to++;
        err = put_day(f, from, to);
        day_rows_free(&f->merged); /* the merge makes a new one each time */
    }
    return err;
}

/* The caller's layout is the stored one: else blocks would be filed under a wrong meaning. */
static enum err check_layout(struct store *s, const struct store_layout *l)
{
    bool same = false;
    struct ask a = ask_of(s, SQL_LAYOUT_GET);
    ask_int(&a, l->id);
    if (ask_first(&a, "layout") == ERR_OK)
        same = ask_get_int(&a) == l->profile && ask_get_int(&a) == l->period_s &&
               ask_get_int(&a) == l->n_columns;
    enum err err = ask_end(&a);
    if (err == ERR_OK && !same)
        err = store_fail(s, ERR_RANGE, "layout %lld is another one", (long long)l->id);
    return err;
}

static enum err widen_span(struct filing *f)
{
    struct ask a = ask_of(f->s, SQL_PROFILE_SPAN);
    ask_int(&a, f->layout->profile);
    ask_int(&a, f->put->from_s);
    ask_int(&a, f->put->to_s);
    return ask_run(&a);
}

static enum err file_rows(struct filing *f, size_t n)
{
    if (n > UINT32_MAX)
        return store_fail(f->s, ERR_RANGE, "too many rows");
    f->order = calloc(n, sizeof f->order[0]);
    if (!f->order)
        return store_fail(f->s, ERR_MEMORY, "out of memory");
    enum err err = order_by_day(f, n);
    if (err == ERR_OK)
        err = put_days(f, n);
    if (err == ERR_OK && f->put->n_new > 0)
        err = widen_span(f);
    day_rows_free(&f->old);
    day_rows_free(&f->added);
    free(f->order);
    return err;
}

enum err store_rows_put(struct store *s, const struct store_layout *layout,
                        const struct day_row *rows, size_t n, struct store_put *put)
{
    *put = (struct store_put){0};
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    struct filing f = {.s = s,
                       .layout = layout,
                       .rows = rows,
                       .put = put,
                       .received_ms = server_clock_utc_ms(s->clock)};
    err = check_layout(s, layout);
    if (err == ERR_OK && n > 0)
        err = file_rows(&f, n);
    err = store_write_end(s, err, true);
    if (err != ERR_OK)
        *put = (struct store_put){0};
    return err;
}
