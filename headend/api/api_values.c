#include "headend/api/api_values.h"

#include <stdlib.h>
#include <string.h>

/* ---- columns over layouts ---- */

static bool same_column(const struct store_column *a, const struct store_column *b)
{
    return memcmp(a->ln, b->ln, 6) == 0 && a->class_id == b->class_id &&
           a->attribute == b->attribute && a->unit == b->unit && a->scaler == b->scaler &&
           a->mul_num == b->mul_num && a->mul_den == b->mul_den;
}

/* Position of the column among all, added when new; VALUES_COLUMNS: no room. */
static size_t place_of(struct columns *c, const struct store_column *column)
{
    for (size_t i = 0; i < c->n; i++) {
        if (same_column(&c->column[i], column))
            return i;
    }
    if (c->n == VALUES_COLUMNS)
        return VALUES_COLUMNS;
    c->column[c->n] = *column;
    return c->n++;
}

const struct columns_layout *columns_of(struct columns *c, struct store *s, int64_t layout,
                                        enum err *err)
{
    struct store_layout l;
    *err = ERR_OK;
    for (size_t i = 0; i < c->n_layouts; i++) {
        if (c->layout[i].id == layout)
            return &c->layout[i];
    }
    if (c->n_layouts == VALUES_LAYOUTS)
        *err = ERR_FULL;
    else
        *err = store_layout_get(s, layout, &l);
    if (*err != ERR_OK)
        return NULL;
    struct columns_layout *at = &c->layout[c->n_layouts];
    at->id = layout;
    at->n = l.n_columns;
    for (uint32_t i = 0; i < l.n_columns; i++) {
        const size_t place = place_of(c, &l.column[i]);
        if (place == VALUES_COLUMNS) {
            *err = ERR_FULL;
            return NULL;
        }
        at->at[i] = (uint8_t)place;
    }
    c->n_layouts++;
    return at;
}

/* ---- rows ---- */

/* Blocks are copied during the walk and decoded after it, for the layouts are asked from the same
 * connection, which holds its lock meanwhile. */
struct copy {
    int64_t layout;
    uint8_t *p;
    size_t len;
};
struct copies {
    struct copy *list;
    size_t n, size;
    enum err err;
};

static bool grow(void **list, size_t *size, size_t n, size_t each)
{
    if (n < *size)
        return true;
    const size_t bigger = *size == 0 ? 64 : *size * 2;
    void *p = realloc(*list, bigger * each);
    if (p == NULL)
        return false;
    *list = p;
    *size = bigger;
    return true;
}

static bool copy_block(void *context, const struct store_block *b)
{
    struct copies *c = context;
    void *list = c->list;
    uint8_t *p = malloc(b->block.len + 1);
    const bool room = p != NULL && grow(&list, &c->size, c->n, sizeof *c->list);
    c->list = list;
    if (!room) {
        free(p);
        c->err = ERR_MEMORY;
        return false;
    }
    memcpy(p, b->block.p, b->block.len);
    c->list[c->n++] = (struct copy){b->layout, p, b->block.len};
    return true;
}

static enum err add_row(struct values *v, const struct value_row *row)
{
    void *list = v->row;
    const bool room = grow(&list, &v->size, v->n, sizeof *v->row);
    v->row = list;
    if (!room)
        return ERR_MEMORY;
    v->row[v->n++] = *row;
    return ERR_OK;
}

static enum err add_rows(struct values *v, const struct day_rows *d,
                         const struct columns_layout *layout, int64_t from_s, int64_t to_s)
{
    enum err e = ERR_OK;
    for (uint32_t i = 0; i < d->n && e == ERR_OK; i++) {
        if (d->stamp_s[i] < from_s || d->stamp_s[i] >= to_s)
            continue;
        v->n_cells += d->n_columns + 1;
        const struct value_row row = {d->stamp_s[i], d->zone[i], d->status[i], layout,
                                      d->value + (size_t)i * d->n_columns};
        e = v->n_cells > VALUES_CELLS_MAX ? ERR_FULL : add_row(v, &row);
    }
    return e;
}

static enum err add_block(struct values *v, struct store *s, const struct copy *c, int64_t from_s,
                          int64_t to_s)
{
    enum err e;
    const struct columns_layout *layout = columns_of(&v->columns, s, c->layout, &e);
    void *list = v->day;
    if (layout == NULL)
        return e;
    const bool room = grow(&list, &v->days_size, v->n_days, sizeof *v->day);
    v->day = list;
    if (!room)
        return ERR_MEMORY;
    struct day_rows *d = &v->day[v->n_days++];
    memset(d, 0, sizeof *d);
    e = day_block_decode((struct bytes){c->p, c->len}, d);
    if (e != ERR_OK)
        return e;
    return d->n_columns == layout->n ? add_rows(v, d, layout, from_s, to_s) : ERR_CORRUPT;
}

/* Only where layouts changed within a day are rows out of order: a merge sort that keeps equal ones
 * as they are, and costs one walk where all is in order. */
static enum err sort_rows(struct values *v)
{
    size_t i = 1;
    while (i < v->n && v->row[i - 1].stamp_s <= v->row[i].stamp_s)
        i++;
    if (i >= v->n)
        return ERR_OK;
    struct value_row *from = v->row, *to = malloc(v->n * sizeof *to);
    if (to == NULL)
        return ERR_MEMORY;
    for (size_t width = 1; width < v->n; width *= 2) {
        for (size_t left = 0; left < v->n; left += 2 * width) {
            const size_t middle = left + width < v->n ? left + width : v->n;
            const size_t end = middle + width < v->n ? middle + width : v->n;
            size_t a = left, b = middle;
            for (size_t k = left; k < end; k++) {
                const bool first = a < middle && (b == end || from[a].stamp_s <= from[b].stamp_s);
                to[k] = from[first ? a++ : b++];
            }
        }
        struct value_row *swap = from;
        from = to;
        to = swap;
    }
    free(to);
    v->row = from;
    v->size = v->n;
    return ERR_OK;
}

enum err values_gather(struct values *v, struct store *s, int64_t profile, int64_t from_s,
                       int64_t to_s)
{
    struct copies c = {0};
    enum err e = store_blocks_each(s, profile, from_s, to_s, copy_block, &c);
    if (e == ERR_OK)
        e = c.err;
    for (size_t i = 0; i < c.n; i++) {
        if (e == ERR_OK)
            e = add_block(v, s, &c.list[i], from_s, to_s);
        free(c.list[i].p);
    }
    free(c.list);
    return e == ERR_OK ? sort_rows(v) : e;
}

int64_t values_at(const struct values *v, size_t row, size_t c)
{
    const struct value_row *r = &v->row[row];
    for (uint32_t i = 0; i < r->layout->n; i++) {
        if (r->layout->at[i] == c)
            return r->value[i];
    }
    return DAY_MISSING;
}

int values_zone_min(const struct values *v, size_t row)
{
    return (int16_t)(v->row[row].zone >> 16);
}

void values_free(struct values *v)
{
    for (size_t i = 0; i < v->n_days; i++)
        day_rows_free(&v->day[i]);
    free(v->day);
    free(v->row);
    memset(v, 0, sizeof *v);
}
