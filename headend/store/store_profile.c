/* Profiles, and the layouts that say what a block's columns mean. A layout is never changed: other
 * columns, scalers, ratios or period are another layout, and old blocks keep theirs. */
#include "headend/store/store_parts.h"

#include <string.h>

/* PROFILE_COLUMNS of store_sql.def. */
static void take(struct ask *a, struct store_profile *p)
{
    memset(p, 0, sizeof *p);
    p->id = ask_get_int(a);
    p->meter = ask_get_int(a);
    ask_get_exact(a, p->ln, sizeof p->ln);
    p->period_s = (uint32_t)ask_get_int(a);
    p->first_s = ask_get_int_or(a, 0);
    p->last_s = ask_get_int_or(a, 0);
    p->read_meter_s = ask_get_int(a);
    p->read_ms = ask_get_int(a);
    p->reread = ask_get_int(a) != 0;
}

static enum err find(struct store *s, struct store_profile *p)
{
    struct store_profile found;
    struct ask a = ask_of(s, SQL_PROFILE_FIND);
    ask_int(&a, p->meter);
    ask_blob(&a, p->ln, sizeof p->ln);
    if (ask_first(&a, "profile") == ERR_OK)
        take(&a, &found);
    enum err err = ask_end(&a);
    if (err == ERR_OK)
        *p = found;
    return err;
}

static enum err set_period(struct store *s, struct store_profile *p, uint32_t period_s)
{
    struct ask a = ask_of(s, SQL_PROFILE_PERIOD);
    ask_int(&a, period_s);
    ask_int(&a, p->id);
    p->period_s = period_s;
    return ask_run(&a);
}

static enum err add(struct store *s, struct store_profile *p)
{
    int64_t n = 0;
    struct ask count = ask_of(s, SQL_PROFILE_COUNT);
    ask_int(&count, p->meter);
    if (ask_row(&count))
        n = ask_get_int(&count);
    enum err err = ask_end(&count);
    if (err == ERR_OK && n >= STORE_PROFILES_MAX)
        err = store_fail(s, ERR_RANGE, "a meter has at most %d profiles", STORE_PROFILES_MAX);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_PROFILE_ADD);
    ask_int(&a, p->meter);
    ask_blob(&a, p->ln, sizeof p->ln);
    ask_int(&a, p->period_s);
    err = ask_run(&a);
    if (err == ERR_NOT_FOUND)
        return store_fail(s, err, "there is no such meter");
    return err == ERR_OK ? find(s, p) : err;
}

enum err store_profile_find(struct store *s, struct store_profile *p)
{
    struct store_profile wanted = *p;
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    err = store_read_end(s, find(s, p));
    if (err != ERR_NOT_FOUND && (err != ERR_OK || p->period_s == wanted.period_s))
        return err;
    err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    err = find(s, p); /* again: another connection may have been faster */
    if (err == ERR_OK)
        err = set_period(s, p, wanted.period_s);
    else if (err == ERR_NOT_FOUND)
        err = add(s, p);
    return store_write_end(s, err, true);
}

enum err store_profiles_get(struct store *s, int64_t meter, struct store_profile *list, size_t size,
                            size_t *n)
{
    *n = 0;
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_PROFILES);
    ask_int(&a, meter);
    while (*n < size && ask_row(&a))
        take(&a, &list[(*n)++]);
    return store_read_end(s, ask_end(&a));
}

enum err store_profile_mark(struct store *s, int64_t profile, int64_t read_meter_s, int64_t read_ms,
                            bool reread)
{
    enum err err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    struct ask a = ask_of(s, SQL_PROFILE_MARK);
    ask_int(&a, read_meter_s);
    ask_int(&a, read_ms);
    ask_int(&a, reread);
    ask_int(&a, profile);
    return store_write_end(s, ask_change(&a, "profile"), true);
}

/* ---- layouts ---- */

static void take_column(struct ask *a, struct store_column *c)
{
    ask_get_exact(a, c->ln, sizeof c->ln);
    c->class_id = (uint16_t)ask_get_int(a);
    c->attribute = (uint8_t)ask_get_int(a);
    c->unit = (uint8_t)ask_get_int(a);
    c->scaler = (int8_t)ask_get_int(a);
    c->mul_num = (uint32_t)ask_get_int(a);
    c->mul_den = (uint32_t)ask_get_int(a);
}

static enum err read_layout(struct store *s, int64_t id, struct store_layout *l)
{
    memset(l, 0, sizeof *l);
    l->id = id;
    struct ask head = ask_of(s, SQL_LAYOUT_GET);
    ask_int(&head, id);
    if (ask_first(&head, "layout") == ERR_OK) {
        l->profile = ask_get_int(&head);
        l->period_s = (uint32_t)ask_get_int(&head);
        l->n_columns = (uint32_t)ask_get_int(&head);
    }
    enum err err = ask_end(&head);
    if (err != ERR_OK)
        return err;
    uint32_t n = 0;
    struct ask a = ask_of(s, SQL_LAYOUT_COLUMNS);
    ask_int(&a, id);
    while (n < DAY_COLUMNS_MAX && ask_row(&a))
        take_column(&a, &l->column[n++]);
    err = ask_end(&a);
    if (err == ERR_OK && n != l->n_columns)
        err = store_fail(s, ERR_CORRUPT, "layout %lld lacks columns", (long long)id);
    return err;
}

static bool same_column(const struct store_column *a, const struct store_column *b)
{
    return memcmp(a->ln, b->ln, sizeof a->ln) == 0 && a->class_id == b->class_id &&
           a->attribute == b->attribute && a->unit == b->unit && a->scaler == b->scaler &&
           a->mul_num == b->mul_num && a->mul_den == b->mul_den;
}

static bool same_layout(const struct store_layout *a, const struct store_layout *b)
{
    if (a->period_s != b->period_s || a->n_columns != b->n_columns)
        return false;
    for (uint32_t c = 0; c < a->n_columns; c++)
        if (!same_column(&a->column[c], &b->column[c]))
            return false;
    return true;
}

/* The newest first: it is nearly always the one. */
static enum err layout_like(struct store *s, struct store_layout *l)
{
    struct store_layout stored;
    int64_t found = 0;
    struct ask a = ask_of(s, SQL_LAYOUTS);
    ask_int(&a, l->profile);
    while (found == 0 && ask_row(&a)) {
        a.err = read_layout(s, ask_get_int(&a), &stored);
        if (a.err == ERR_OK && same_layout(&stored, l))
            found = stored.id;
    }
    enum err err = ask_end(&a);
    if (err != ERR_OK || found == 0)
        return err == ERR_OK ? ERR_NOT_FOUND : err;
    l->id = found;
    return ERR_OK;
}

static enum err add_column(struct store *s, int64_t layout, uint32_t place,
                           const struct store_column *c)
{
    struct ask a = ask_of(s, SQL_LAYOUT_COLUMN_ADD);
    ask_int(&a, layout);
    ask_int(&a, place);
    ask_blob(&a, c->ln, sizeof c->ln);
    ask_int(&a, c->class_id);
    ask_int(&a, c->attribute);
    ask_int(&a, c->unit);
    ask_int(&a, c->scaler);
    ask_int(&a, c->mul_num);
    ask_int(&a, c->mul_den);
    return ask_run(&a);
}

static enum err add_layout(struct store *s, struct store_layout *l)
{
    struct ask a = ask_of(s, SQL_LAYOUT_ADD);
    ask_int(&a, l->profile);
    ask_int(&a, l->period_s);
    ask_int(&a, l->n_columns);
    enum err err = ask_run(&a);
    if (err == ERR_NOT_FOUND)
        return store_fail(s, err, "there is no such profile");
    int64_t id = sqlite3_last_insert_rowid(s->db);
    for (uint32_t c = 0; err == ERR_OK && c < l->n_columns; c++)
        err = add_column(s, id, c, &l->column[c]);
    if (err == ERR_OK)
        l->id = id;
    return err;
}

enum err store_layout_find(struct store *s, struct store_layout *l)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    if (l->n_columns > DAY_COLUMNS_MAX)
        err =
            store_fail(s, ERR_RANGE, "%u columns, %d is the limit", l->n_columns, DAY_COLUMNS_MAX);
    err = store_read_end(s, err == ERR_OK ? layout_like(s, l) : err);
    if (err != ERR_NOT_FOUND)
        return err;
    err = store_write_begin(s);
    if (err != ERR_OK)
        return err;
    err = layout_like(s, l); /* again: another connection may have been faster */
    if (err == ERR_NOT_FOUND)
        err = add_layout(s, l);
    return store_write_end(s, err, true);
}

enum err store_layout_get(struct store *s, int64_t id, struct store_layout *l)
{
    enum err err = store_read_begin(s);
    if (err != ERR_OK)
        return err;
    return store_read_end(s, read_layout(s, id, l));
}
