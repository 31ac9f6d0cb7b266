/* Blocks and day totals out of the store. The index has the newest version of a day and layout
 * first, so the others are those that follow. */
#include "headend/store/store_parts.h"

/* SQL_BLOCKS, SQL_VERSIONS. */
static struct store_block take(struct ask *a)
{
    struct store_block b = {.profile = ask_get_int(a)};
    b.layout = ask_get_int(a);
    b.day = ask_get_int(a);
    b.version = (uint32_t)ask_get_int(a);
    b.n_rows = (uint32_t)ask_get_int(a);
    b.received_ms = ask_get_int(a);
    b.block = ask_get_blob(a);
    return b;
}

static int64_t within(int64_t v, int64_t least, int64_t most)
{
    return v < least ? least : v > most ? most : v;
}

enum err store_blocks_each(struct store *s, int64_t profile, int64_t from_s, int64_t to_s,
                           store_block_fn *fn, void *context)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    from_s = within(from_s, 0, STORE_STAMP_END);
    to_s = within(to_s, 0, STORE_STAMP_END);
    if (from_s >= to_s)
        return store_read_end(s, ERR_OK);
    int64_t day = -1, layout = 0;
    struct ask a = ask_of(s, SQL_BLOCKS);
    ask_int(&a, profile);
    ask_int(&a, from_s / DAY_S);
    ask_int(&a, (to_s - 1) / DAY_S);
    while (ask_row(&a)) {
        struct store_block b = take(&a);
        if (b.day == day && b.layout == layout)
            continue;
        day = b.day;
        layout = b.layout;
        if (!fn(context, &b))
            break;
    }
    return store_read_end(s, ask_end(&a));
}

enum err store_versions_each(struct store *s, int64_t profile, int64_t day, store_block_fn *fn,
                             void *context)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_VERSIONS);
    ask_int(&a, profile);
    ask_int(&a, day);
    while (ask_row(&a)) {
        struct store_block b = take(&a);
        if (!fn(context, &b))
            break;
    }
    return store_read_end(s, ask_end(&a));
}

/* The totals of one block, column by column; false: the caller has enough, or an error. */
static bool hand_on(struct ask *a, int64_t day, int64_t layout, store_day_total_fn *fn,
                    void *context)
{
    struct store_day_total total[DAY_COLUMNS_MAX];
    uint32_t n;
    uint32_t n_rows = (uint32_t)ask_get_int(a);
    const char *text = (const char *)sqlite3_column_text(a->st, a->at++);
    int64_t period_s = ask_get_int(a);
    if (!text || store_totals_get(text, n_rows, total, &n) != ERR_OK) {
        a->err = store_fail(a->s, ERR_CORRUPT, "damaged totals of day %lld", (long long)day);
        return false;
    }
    for (uint32_t c = 0; c < n; c++) {
        total[c].day = day;
        total[c].layout = layout;
        total[c].n_expected = period_s > 0 ? (uint32_t)(DAY_S / period_s) : 0;
        if (!fn(context, &total[c]))
            return false;
    }
    return true;
}

enum err store_day_totals_each(struct store *s, int64_t profile, int64_t from_day, int64_t to_day,
                               store_day_total_fn *fn, void *context)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    int64_t last_day = -1, last_layout = 0;
    struct ask a = ask_of(s, SQL_TOTALS);
    ask_int(&a, profile);
    ask_int(&a, from_day);
    ask_int(&a, to_day);
    while (ask_row(&a)) {
        int64_t day = ask_get_int(&a), layout = ask_get_int(&a);
        if (day == last_day && layout == last_layout)
            continue;
        last_day = day;
        last_layout = layout;
        if (!hand_on(&a, day, layout, fn, context))
            break;
    }
    return store_read_end(s, ask_end(&a));
}
