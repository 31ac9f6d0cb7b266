/* See meter_list.h. */
#include "firmware/meter/meter_list.h"

#include <string.h>

/* Words of the generator. Columns: a bit each, the last of them in REST, and behind them there the
 * list's shape. */
enum { FROM_UTC, TO_UTC, SEQ, N_LEFT, COLUMNS, REST };
#define SHAPE        2          /* from this bit on, shape_of() */
#define COLUMNS_REST 3u         /* the bits below */
#define HAS_BEFORE   (1u << 31) /* a row of the answer was told */
#define HALVES_FROM  16         /* rows: fewer are looked at one by one */
#define CLOCK        0          /* the column that is the clock */
_Static_assert(METER_COLUMNS_EACH_MAX <= 32 + SHAPE, "bits of columns");

#define SORT_FIFO 1
#define SORT_LIFO 2

static void find_column(const struct meter *m, uint16_t class_id, const uint8_t ln[6],
                        struct meter_column *out)
{
    struct profile_column want = {.class_id = class_id, .attribute = 2};
    memcpy(want.ln, ln, sizeof want.ln);
    *out = (struct meter_column){.row = 0};
    (void)meter_column_at(&m->device, &want, out); /* every meter has them */
}

void meter_list_columns(const struct meter *m, uint16_t class_id, const uint8_t ln[6],
                        struct meter_column out[2])
{
    find_column(m, 8, model_ln_clock, &out[0]);
    find_column(m, class_id, ln, &out[1]);
}

/* ---- rows ---- */

static uint32_t newest(const struct meter_list *l)
{
    return (uint32_t)nv_newest(&l->m->nv, l->ring);
}

static uint32_t entries_in_use(const struct meter_list *l)
{
    uint32_t n = nv_count(&l->m->nv, l->ring);
    return n < l->entries ? n : l->entries;
}

static uint32_t step_of(const struct meter_list *l)
{
    return l->is_lifo ? UINT32_MAX : 1u; /* back or forth */
}

/* Whether the ring has this number; 0 never is one. */
static bool is_held(const struct meter_list *l, uint32_t seq)
{
    return seq <= newest(l) && newest(l) - seq < nv_count(&l->m->nv, l->ring);
}

struct row {
    uint8_t record[METER_ROW_MAX];
    struct meter_row_head head;
};

static bool read_any(const struct meter_list *l, uint32_t seq, struct row *row)
{
    memset(row->record, 0, METER_ROW_HEAD);
    if (nv_read(&l->m->nv, l->ring, seq, row->record + l->lacks) != ERR_OK)
        return false;
    struct rd r = rd_of(row->record, METER_ROW_HEAD);
    meter_row_get_head(&r, &row->head);
    return true;
}

/* False: unreadable, or outside the range of time. */
static bool read_row(const struct meter_list *l, uint32_t seq, const struct cosem_gen *g,
                     struct row *row)
{
    return read_any(l, seq, row) && row->head.utc_s >= g->word[FROM_UTC] &&
           row->head.utc_s <= g->word[TO_UTC];
}

/* The first of from..to whose stamp is utc_s or later, to + 1 where there is none; false when a row
 * on the way is unreadable. */
static bool halve(const struct meter_list *l, uint32_t utc_s, uint32_t *from, uint32_t to)
{
    uint32_t end = to + 1;
    struct row row;
    while (*from < end) {
        const uint32_t middle = *from + (end - *from) / 2;
        if (!read_any(l, middle, &row))
            return false;
        if (row.head.utc_s < utc_s)
            *from = middle + 1;
        else
            end = middle;
    }
    return true;
}

/* Leaves out rows before and behind the range of time, as far as that is quick. */
static void narrow(const struct meter_list *l, const struct cosem_gen *g, uint32_t *from,
                   uint32_t *to)
{
    struct row row;
    uint32_t first = *from, behind;
    if (*to < *from || *to - *from < HALVES_FROM || !read_any(l, *from, &row) ||
        row.head.number < l->ordered_from || !halve(l, g->word[FROM_UTC], &first, *to))
        return;
    behind = first;
    if (g->word[TO_UTC] != UINT32_MAX) {
        if (!halve(l, g->word[TO_UTC] + 1, &behind, *to))
            return;
        *to = behind - 1;
    }
    *from = first;
}

/* ---- what is asked for ---- */

/* What may not change between the blocks of an answer: which ring the rows are of (hence which
 * columns), their order, and how cells are told. */
static uint32_t shape_of(const struct meter_list *l)
{
    return (uint32_t)(l->generation | l->is_lifo << 16 | l->tells_null << 17) << SHAPE;
}

static void keep_shape(const struct meter_list *l, struct cosem_gen *g)
{
    g->word[REST] |= shape_of(l);
}

static bool has_shape(const struct meter_list *l, const struct cosem_gen *g)
{
    return (g->word[REST] & ~(COLUMNS_REST | HAS_BEFORE)) == shape_of(l);
}

static bool is_selected(const struct cosem_gen *g, unsigned k)
{
    return (g->word[COLUMNS + k / 32] >> k % 32 & 1u) != 0;
}

/* Columns from..end - 1. */
static void select_columns(struct cosem_gen *g, unsigned from, unsigned end)
{
    for (unsigned k = from; k < end; k++)
        g->word[COLUMNS + k / 32] |= 1u << k % 32;
}

/* Place of the object that is read among the columns, n_columns where it is not captured. */
static unsigned get_column(const struct meter_list *l, struct rd *r)
{
    struct profile_column want;
    struct meter_column column;
    profile_get_column(r, &want);
    if (want.data_index != 0 || !meter_column_at(&l->m->device, &want, &column))
        return l->n_columns;
    return meter_column_among(l->column, l->n_columns, &column);
}

/* A bound of a selection by time, A-XDR: UTC, open fields as their least or greatest instant. */
static enum cosem_result get_bound(const struct meter *m, struct rd *value, bool upper,
                                   uint32_t *utc)
{
    struct datetime d;
    int64_t s;
    datetime_get(value, &d);
    if (value->err)
        return COSEM_TYPE_UNMATCHED;
    if (meter_clock_utc(&m->clock, &d, upper, &s) != ERR_OK)
        return COSEM_OTHER_REASON;
    *utc = s < 0 ? 0 : s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
    return COSEM_SUCCESS;
}

/* profile_range_parse() without a copy: the form of all of it first, then what it means. */
static enum cosem_result select_range(const struct meter_list *l, struct bytes parameter,
                                      struct cosem_gen *g)
{
    struct rd r = rd_of(parameter.p, parameter.len);
    bool is_known = true;
    axdr_get_struct(&r, 4);
    const unsigned by = get_column(l, &r);
    struct rd bounds = r;
    axdr_skip(&r);
    axdr_skip(&r);
    const size_t n = axdr_get_array(&r);
    for (size_t i = 0; i < n && !r.err; i++) {
        const unsigned k = get_column(l, &r);
        is_known = is_known && k < l->n_columns;
        select_columns(g, k, k + 1); /* that behind the last is refused below */
    }
    if (r.err || rd_left(&r) > 0)
        return COSEM_TYPE_UNMATCHED;
    if (n == 0)
        select_columns(g, 0, l->n_columns);
    if (by != CLOCK)
        return COSEM_OTHER_REASON; /* restricted by the clock only */
    enum cosem_result result = get_bound(l->m, &bounds, false, &g->word[FROM_UTC]);
    if (!result)
        result = get_bound(l->m, &bounds, true, &g->word[TO_UTC]);
    return result || is_known ? result : COSEM_OTHER_REASON;
}

/* Narrows from..to (sequence numbers) to the entries asked for. */
static enum cosem_result select_entries(const struct meter_list *l, struct bytes parameter,
                                        struct cosem_gen *g, uint32_t *from, uint32_t *to)
{
    struct profile_entries e;
    enum cosem_result r = profile_entries_parse(parameter, &e);
    if (r)
        return r;
    const bool is_end = e.to_column == 0 || e.to_column > l->n_columns;
    select_columns(g, e.from_column > 1 ? e.from_column - 1u : 0,
                   is_end ? l->n_columns : e.to_column);
    const uint32_t n = *to - *from + 1; /* 0 where there is none */
    const uint32_t first = e.from <= n ? e.from : n + 1;
    const uint32_t last = e.to == 0 || e.to > n ? n : e.to;
    const uint32_t before = *from - 1, behind = *to + 1;
    *from = l->is_lifo ? behind - last : before + first;
    *to = l->is_lifo ? behind - first : before + last;
    return COSEM_SUCCESS;
}

/* Item 0: what is asked for, and how many rows that is. */
static enum cosem_result begin_buffer(const struct meter_list *l, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    uint32_t to = newest(l), from = to - entries_in_use(l) + 1;
    enum cosem_result r = COSEM_SUCCESS;
    struct row row;
    g->word[TO_UTC] = UINT32_MAX;
    if (sel->selector == PROFILE_BY_RANGE)
        r = select_range(l, sel->parameter, g);
    else if (sel->selector == PROFILE_BY_ENTRY)
        r = select_entries(l, sel->parameter, g, &from, &to);
    else
        select_columns(g, 0, l->n_columns);
    if (r)
        return r;
    if (sel->selector == PROFILE_BY_RANGE)
        narrow(l, g, &from, &to);
    g->word[SEQ] = l->is_lifo ? to : from;
    for (uint32_t seq = from; seq <= to; seq++)
        g->word[N_LEFT] += read_row(l, seq, g, &row);
    g->more = g->word[N_LEFT] > 0;
    keep_shape(l, g);
    axdr_put_array(out, g->word[N_LEFT]);
    return COSEM_SUCCESS;
}

/* ---- rows, told ---- */

static void put_clock(const struct meter_row_head *h, struct wr *out)
{
    struct datetime d = datetime_from_utc(h->utc_s, h->deviation, h->clock_status);
    datetime_put(out, &d);
}

/* Whether the clock of a row follows from the one told before. */
static bool follows(const struct meter_list *l, const struct meter_row_head *h,
                    const struct meter_row_head *before)
{
    const uint32_t apart = l->is_lifo ? before->utc_s - h->utc_s : h->utc_s - before->utc_s;
    return apart == l->period_s && h->deviation == before->deviation &&
           h->clock_status == before->clock_status;
}

/* Column c, whose cell is at `at` in the record. */
static bool is_told(const struct meter_list *l, const struct meter_column *c, size_t at,
                    const struct row *row, const struct row *before)
{
    if (c->size > 0)
        return memcmp(row->record + at, before->record + at, c->size) == 0;
    if (c == &l->column[CLOCK])
        return follows(l, &row->head, &before->head);
    return row->head.status == before->head.status;
}

/* before: the row that was told before this one, or NULL. */
static void put_row(const struct meter_list *l, const struct cosem_gen *g, const struct row *row,
                    const struct row *before, struct wr *out)
{
    const struct meter_column *c = l->column;
    size_t at = METER_ROW_HEAD, n = 0;
    for (unsigned k = 0; k < l->n_columns; k++)
        n += is_selected(g, k);
    axdr_put_struct(out, n);
    for (unsigned k = 0; k < l->n_columns; at += c->size, k++, c++) {
        if (!is_selected(g, k))
            continue;
        if (before != NULL && is_told(l, c, at, row, before))
            axdr_put_null(out);
        else if (c->size > 0)
            l->put(row->record, at, c->size, out);
        else if (k == CLOCK)
            put_clock(&row->head, out);
        else
            axdr_put_u8(out, row->head.status);
    }
}

/* The row that was told before the one at seq. False: there is none, or it is not asked for. */
static bool read_before(const struct meter_list *l, uint32_t seq, const struct cosem_gen *g,
                        struct row *row)
{
    if (!l->tells_null || (g->word[REST] & HAS_BEFORE) == 0)
        return false;
    const uint32_t step = step_of(l);
    for (seq -= step; is_held(l, seq); seq -= step) {
        if (read_row(l, seq, g, row))
            return true;
    }
    return false;
}

/* The next matching row. Rows that were overwritten or cleared since item 0 are missing, those of a
 * ring made anew are others: then what was promised cannot be kept, and the client must ask again.
 */
static enum cosem_result next_row(const struct meter_list *l, struct cosem_gen *g, struct wr *out)
{
    const uint32_t step = step_of(l);
    if (!has_shape(l, g))
        return COSEM_DATA_BLOCK_UNAVAILABLE;
    for (uint32_t seq = g->word[SEQ]; is_held(l, seq); seq += step) {
        struct row row, before;
        if (!read_row(l, seq, g, &row))
            continue;
        const bool has_before = read_before(l, seq, g, &before);
        put_row(l, g, &row, has_before ? &before : NULL, out);
        g->word[REST] |= HAS_BEFORE;
        g->word[SEQ] = seq + step;
        g->word[N_LEFT]--;
        g->more = g->word[N_LEFT] > 0;
        return COSEM_SUCCESS;
    }
    return COSEM_DATA_BLOCK_UNAVAILABLE;
}

/* ---- attributes ---- */

static void put_object(const struct meter_list *l, unsigned k, struct wr *out)
{
    struct profile_column column;
    meter_column_object(&l->column[k], &column);
    profile_put_column(out, &column);
}

/* Item 0 is the head of the array, then column by column: all of them may be more than one item. */
static enum cosem_result get_columns(const struct meter_list *l, struct cosem_gen *g,
                                     struct wr *out)
{
    if (g->item == 0) {
        keep_shape(l, g);
        axdr_put_array(out, l->n_columns);
    } else if (!has_shape(l, g)) {
        return COSEM_DATA_BLOCK_UNAVAILABLE;
    } else {
        put_object(l, g->item - 1, out);
    }
    g->more = g->item < l->n_columns;
    return COSEM_SUCCESS;
}

enum cosem_result meter_list_get(const struct meter_list *l, uint8_t attr,
                                 const struct cosem_select *sel, struct cosem_gen *g,
                                 struct wr *out)
{
    g->more = false;
    switch (attr) {
    case 2:
        return g->item == 0 ? begin_buffer(l, sel, g, out) : next_row(l, g, out);
    case 3:
        return get_columns(l, g, out);
    case 4:
        axdr_put_u32(out, l->period_s);
        return COSEM_SUCCESS;
    case 5:
        axdr_put_enum(out, l->is_lifo ? SORT_LIFO : SORT_FIFO);
        return COSEM_SUCCESS;
    case 6:
        put_object(l, CLOCK, out);
        return COSEM_SUCCESS;
    case 7:
        axdr_put_u32(out, entries_in_use(l));
        return COSEM_SUCCESS;
    case 8:
        axdr_put_u32(out, l->entries);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}
