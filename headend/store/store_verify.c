/* Reads everything there is and says what is wrong. It repairs nothing: what to do about a damaged
 * block (read the meter again, take a backup) is for people. */
#include "headend/store/store_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct store *s;
    store_bad_fn *bad;
    void *context;
    struct store_verify *result;
    uint8_t *again; /* the block encoded anew, grows */
    size_t size;
};

/* One block as stored. */
struct entry {
    int64_t profile, layout, day, version, n_rows, layout_profile, n_columns, first_s, last_s;
    const char *totals;
    struct bytes block;
};

static void tell(struct check *c, const char *sentence)
{
    c->result->n_bad++;
    if (c->bad)
        c->bad(c->context, sentence);
}

/* Damage that SQLite meets on its way is a finding, not a failure of the search. */
static enum err finding(struct check *c, enum err err)
{
    if (err != ERR_CORRUPT)
        return err;
    tell(c, c->s->why);
    return ERR_OK;
}

static enum err check_file(struct check *c)
{
    struct ask a = ask_of(c->s, SQL_CHECK_FILE);
    while (ask_row(&a)) {
        char sentence[STORE_WHY_MAX];
        snprintf(sentence, sizeof sentence, "%s", (const char *)sqlite3_column_text(a.st, 0));
        if (strcmp(sentence, "ok") != 0)
            tell(c, sentence);
    }
    return finding(c, ask_end(&a));
}

static enum err check_keys(struct check *c)
{
    struct ask a = ask_of(c->s, SQL_CHECK_KEYS);
    while (ask_row(&a)) {
        char sentence[STORE_WHY_MAX];
        snprintf(sentence, sizeof sentence, "a row of %s belongs to nothing",
                 (const char *)sqlite3_column_text(a.st, 0));
        tell(c, sentence);
    }
    return finding(c, ask_end(&a));
}

static const char *against_totals(const struct entry *e, const struct day_rows *rows)
{
    struct store_day_total want[DAY_COLUMNS_MAX], have[DAY_COLUMNS_MAX];
    uint32_t n;
    if (!e->totals || store_totals_get(e->totals, rows->n, have, &n) != ERR_OK ||
        n != rows->n_columns)
        return "its totals are damaged";
    store_totals_of(rows, want);
    for (uint32_t c = 0; c < n; c++)
        if (want[c].n_values != have[c].n_values || want[c].sum != have[c].sum ||
            want[c].first != have[c].first || want[c].last != have[c].last)
            return "its totals are not those of its rows";
    return NULL;
}

static const char *against_row(const struct entry *e, const struct day_rows *rows)
{
    if (rows->n == 0 || rows->n != (uint64_t)e->n_rows)
        return "its number of rows is wrong";
    if (e->layout_profile != e->profile || e->n_columns != rows->n_columns)
        return "it does not fit its layout";
    int64_t first = rows->stamp_s[0], last = rows->stamp_s[rows->n - 1];
    if (first / DAY_S != e->day || last / DAY_S != e->day)
        return "it is filed under another day";
    if (first < e->first_s || last > e->last_s)
        return "the profile's span leaves it out";
    return NULL;
}

/* *err: ERR_MEMORY only. */
static const char *encodes_alike(struct check *c, const struct entry *e,
                                 const struct day_rows *rows, uint32_t period_s, enum err *err)
{
    size_t len, bound = day_block_bound(rows->n, rows->n_columns);
    if (bound > c->size) {
        uint8_t *p = realloc(c->again, bound);
        if (!p) {
            *err = store_fail(c->s, ERR_MEMORY, "out of memory");
            return NULL;
        }
        c->again = p;
        c->size = bound;
    }
    if (day_block_encode(rows, period_s, c->again, c->size, &len) != ERR_OK ||
        len != e->block.len || memcmp(c->again, e->block.p, len) != 0)
        return "its rows do not give its octets again";
    return NULL;
}

static enum err check_entry(struct check *c, const struct entry *e)
{
    struct day_block_info info;
    struct day_rows rows = {0};
    const char *fault = NULL;
    enum err err = day_block_info(e->block, &info);
    if (err == ERR_OK)
        err = day_block_decode(e->block, &rows);
    if (err == ERR_OK) {
        c->result->n_rows += rows.n;
        c->result->n_values += (uint64_t)rows.n * rows.n_columns;
        fault = encodes_alike(c, e, &rows, info.period_s, &err);
        fault = fault ? fault : against_row(e, &rows);
        fault = fault ? fault : against_totals(e, &rows);
    } else if (err != ERR_MEMORY) {
        fault = err_text(err);
        err = ERR_OK;
    }
    day_rows_free(&rows);
    if (fault) {
        char sentence[STORE_WHY_MAX];
        snprintf(sentence, sizeof sentence,
                 "block of profile %lld, day %lld, layout %lld, version %lld: %s",
                 (long long)e->profile, (long long)e->day, (long long)e->layout,
                 (long long)e->version, fault);
        tell(c, sentence);
    }
    return err;
}

static enum err check_blocks(struct check *c)
{
    struct ask a = ask_of(c->s, SQL_CHECK_BLOCKS);
    while (ask_row(&a)) {
        struct entry e = {.profile = ask_get_int(&a)};
        e.layout = ask_get_int(&a);
        e.day = ask_get_int(&a);
        e.version = ask_get_int(&a);
        e.n_rows = ask_get_int(&a);
        e.totals = (const char *)sqlite3_column_text(a.st, a.at++);
        e.block = ask_get_blob(&a);
        e.layout_profile = ask_get_int(&a);
        e.n_columns = ask_get_int(&a);
        e.first_s = ask_get_int(&a);
        e.last_s = ask_get_int(&a);
        c->result->n_blocks++;
        a.err = check_entry(c, &e);
    }
    return finding(c, ask_end(&a));
}

enum err store_verify(struct store *s, store_bad_fn *bad, void *context,
                      struct store_verify *result)
{
    *result = (struct store_verify){0};
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct check c = {.s = s, .bad = bad, .context = context, .result = result};
    err = check_file(&c);
    if (err == ERR_OK)
        err = check_keys(&c);
    if (err == ERR_OK)
        err = check_blocks(&c);
    free(c.again);
    return store_read_end(s, err);
}
