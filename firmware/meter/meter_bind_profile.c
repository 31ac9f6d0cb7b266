/* Class 7, the profiles: attributes, and the buffer as a stream of rows.
 *
 * A GET of the buffer walks the ring by sequence number: first once to count the rows that match
 * (an array says its length first), then row by row, so memory is one row and work is linear.
 * Where the stamps are in order (they are but for rows from before the clock was set back) the ends
 * of a range are found by halves. Damaged rows are left out. Entry 1 is the oldest row in a FIFO
 * profile, the newest in a LIFO one; a range is restricted by the clock in both.
 *
 * With 0-0:96.134.0 true a cell equal to that of the row told before is null-data, and so is a
 * clock one period away from it with the same deviation and status; never in the first row of an
 * answer. A cell that has no value is null-data too, in both ways of telling. */
#include "firmware/meter/meter_bind.h"

#include "firmware/meter/meter_choice.h"

#include <string.h>

/* Words of the generator. Columns: a bit each, 34 at most. */
enum { FROM_UTC, TO_UTC, SEQ, N_LEFT, COLUMNS, COLUMNS_HIGH };
#define HAS_BEFORE  (UINT64_C(1) << 63) /* among the columns: a row of the answer was told */
#define SHAPE       40                  /* and, from this bit on, shape_of() */
#define SHAPE_MASK  (UINT64_C(0x3FFFF) << SHAPE)
#define HALVES_FROM 16 /* rows: fewer are looked at one by one */
_Static_assert(METER_COLUMNS_EACH_MAX <= SHAPE, "bits of columns");

#define SORT_FIFO 1
#define SORT_LIFO 2

static enum model_profile_id id_of(const struct cosem_ref *o)
{
    return MODEL_PROFILE_OF(o);
}

static uint32_t entries_in_use(const struct meter *m, enum model_profile_id p)
{
    uint32_t n = nv_count(&m->nv, meter_ring(m->model, p));
    return n < m->profile[p].entries ? n : m->profile[p].entries;
}

static uint64_t selected(const struct cosem_gen *g)
{
    return (uint64_t)g->word[COLUMNS_HIGH] << 32 | g->word[COLUMNS];
}

static uint32_t step_of(const struct meter_profile *x)
{
    return x->is_lifo ? UINT32_MAX : 1u; /* back or forth */
}

static void select_columns(struct cosem_gen *g, uint64_t columns)
{
    g->word[COLUMNS_HIGH] = (uint32_t)(columns >> 32);
    g->word[COLUMNS] = (uint32_t)columns;
}

/* What may not change between the blocks of an answer: which ring the rows are of (hence which
 * columns), their order, and how cells are told. */
static uint64_t shape_of(const struct meter *m, enum model_profile_id p)
{
    const struct meter_profile *x = &m->profile[p];
    const uint32_t shape =
        x->generation | (uint32_t)x->is_lifo << 16 | (uint32_t)m->tells_null << 17;
    return (uint64_t)shape << SHAPE;
}

static void keep_shape(const struct meter *m, enum model_profile_id p, struct cosem_gen *g)
{
    select_columns(g, (selected(g) & ~SHAPE_MASK) | shape_of(m, p));
}

static bool has_shape(const struct meter *m, enum model_profile_id p, const struct cosem_gen *g)
{
    return (selected(g) & SHAPE_MASK) == shape_of(m, p);
}

/* Whether the ring has this number; 0 never is one. */
static bool is_held(const struct meter *m, enum model_profile_id p, uint32_t seq)
{
    const uint8_t ring = meter_ring(m->model, p);
    const uint32_t newest = (uint32_t)nv_newest(&m->nv, ring);
    return seq <= newest && newest - seq < nv_count(&m->nv, ring);
}

struct row {
    uint8_t record[METER_ROW_MAX];
    struct meter_row_head head;
};

static bool read_any(const struct meter *m, enum model_profile_id p, uint32_t seq, struct row *row)
{
    if (meter_profile_read(m, p, seq, row->record) != ERR_OK)
        return false;
    struct rd r = rd_of(row->record, METER_ROW_HEAD);
    meter_row_get_head(&r, &row->head);
    return true;
}

/* False: unreadable, or outside the range of time. */
static bool read_row(const struct meter *m, enum model_profile_id p, uint32_t seq,
                     const struct cosem_gen *g, struct row *row)
{
    return read_any(m, p, seq, row) && row->head.utc_s >= g->word[FROM_UTC] &&
           row->head.utc_s <= g->word[TO_UTC];
}

/* The first of from..to whose stamp is utc_s or later, to + 1 where there is none; false when a row
 * on the way is unreadable. */
static bool halve(const struct meter *m, enum model_profile_id p, uint32_t utc_s, uint32_t *from,
                  uint32_t to)
{
    uint32_t end = to + 1;
    struct row row;
    while (*from < end) {
        const uint32_t middle = *from + (end - *from) / 2;
        if (!read_any(m, p, middle, &row))
            return false;
        if (row.head.utc_s < utc_s)
            *from = middle + 1;
        else
            end = middle;
    }
    return true;
}

/* Leaves out rows before and behind the range of time, as far as that is quick. */
static void narrow(const struct meter *m, enum model_profile_id p, const struct cosem_gen *g,
                   uint32_t *from, uint32_t *to)
{
    struct row row;
    uint32_t first = *from, behind = *from;
    if (*to < *from || *to - *from < HALVES_FROM || !read_any(m, p, *from, &row) ||
        row.head.number < m->profile[p].ordered_from)
        return;
    if (!halve(m, p, g->word[FROM_UTC], &first, *to))
        return;
    behind = first;
    if (g->word[TO_UTC] != UINT32_MAX) {
        if (!halve(m, p, g->word[TO_UTC] + 1, &behind, *to))
            return;
        *to = behind - 1;
    }
    *from = first;
}

/* Rows from..to (sequence numbers, both inclusive) that match. */
static uint32_t count_rows(const struct meter *m, enum model_profile_id p,
                           const struct cosem_gen *g, uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    struct row row;
    for (uint32_t seq = from; seq <= to; seq++)
        n += read_row(m, p, seq, g, &row);
    return n;
}

static uint32_t clamp_u32(int64_t x)
{
    if (x < 0)
        return 0;
    return x > UINT32_MAX ? UINT32_MAX : (uint32_t)x;
}

enum cosem_result meter_get_bound(const struct meter *m, struct bytes value, bool upper,
                                  uint32_t *utc)
{
    struct rd r = rd_of(value.p, value.len);
    struct datetime d;
    int64_t s;
    datetime_get(&r, &d);
    if (r.err)
        return COSEM_TYPE_UNMATCHED;
    if (meter_clock_utc(&m->clock, &d, upper, &s) != ERR_OK)
        return COSEM_OTHER_REASON;
    *utc = clamp_u32(s);
    return COSEM_SUCCESS;
}

/* Place of an object among the columns, n_columns where it is not captured. */
static unsigned column_of(const struct meter *m, enum model_profile_id p,
                          const struct profile_column *want)
{
    const struct meter_column *c = meter_profile_columns(m, p);
    unsigned k;
    for (k = 0; k < m->profile[p].n_columns; k++) {
        struct profile_column have;
        meter_column_object(&c[k], &have);
        if (profile_column_equal(&have, want))
            break;
    }
    return k;
}

static enum cosem_result select_range(const struct meter *m, enum model_profile_id p,
                                      struct bytes parameter, struct cosem_gen *g)
{
    const unsigned n = m->profile[p].n_columns;
    struct profile_range range;
    enum cosem_result r = profile_range_parse(parameter, &range);
    if (r)
        return r;
    const unsigned by = column_of(m, p, &range.by);
    if (by == n || !meter_column_is_clock(&meter_profile_columns(m, p)[by]))
        return COSEM_OTHER_REASON; /* restricted by the clock only */
    r = meter_get_bound(m, range.from, false, &g->word[FROM_UTC]);
    if (!r)
        r = meter_get_bound(m, range.to, true, &g->word[TO_UTC]);
    uint64_t columns = 0;
    struct rd rd = rd_of(range.columns.p, range.columns.len);
    for (size_t i = 0; i < range.n_columns && !r; i++) {
        struct profile_column want;
        profile_get_column(&rd, &want);
        const unsigned c = column_of(m, p, &want);
        if (rd.err || c == n)
            return COSEM_OTHER_REASON;
        columns |= UINT64_C(1) << c;
    }
    if (range.n_columns > 0)
        select_columns(g, columns);
    return r;
}

static uint64_t all_columns(unsigned n)
{
    return (UINT64_C(1) << n) - 1;
}

/* Narrows from..to (sequence numbers) to the entries asked for. */
static enum cosem_result select_entries(const struct meter_profile *x, struct bytes parameter,
                                        struct cosem_gen *g, uint32_t *from, uint32_t *to)
{
    struct profile_entries e;
    enum cosem_result r = profile_entries_parse(parameter, &e);
    if (r)
        return r;
    uint64_t columns = all_columns(x->n_columns);
    if (e.to_column != 0 && e.to_column < x->n_columns)
        columns = all_columns(e.to_column);
    if (e.from_column > 1)
        columns = e.from_column > 64 ? 0 : columns & ~all_columns(e.from_column - 1u);
    select_columns(g, columns);
    const uint32_t n = *to - *from + 1; /* 0 where there is none */
    const uint32_t first = e.from <= n ? e.from : n + 1;
    const uint32_t last = e.to == 0 || e.to > n ? n : e.to;
    const uint32_t before = *from - 1, behind = *to + 1;
    *from = x->is_lifo ? behind - last : before + first;
    *to = x->is_lifo ? behind - first : before + last;
    return COSEM_SUCCESS;
}

/* Item 0: what is asked for, and how many rows that is. */
static enum cosem_result begin_buffer(const struct meter *m, enum model_profile_id p,
                                      const struct cosem_select *sel, struct cosem_gen *g,
                                      struct wr *out)
{
    const struct meter_profile *x = &m->profile[p];
    uint32_t to = (uint32_t)nv_newest(&m->nv, meter_ring(m->model, p));
    uint32_t from = to - entries_in_use(m, p) + 1;
    enum cosem_result r = COSEM_SUCCESS;
    g->word[FROM_UTC] = 0;
    g->word[TO_UTC] = UINT32_MAX;
    select_columns(g, all_columns(x->n_columns));
    if (sel->selector == PROFILE_BY_RANGE)
        r = select_range(m, p, sel->parameter, g);
    else if (sel->selector == PROFILE_BY_ENTRY)
        r = select_entries(x, sel->parameter, g, &from, &to);
    if (r)
        return r;
    if (sel->selector == PROFILE_BY_RANGE)
        narrow(m, p, g, &from, &to);
    g->word[SEQ] = x->is_lifo ? to : from;
    g->word[N_LEFT] = from <= to ? count_rows(m, p, g, from, to) : 0;
    g->more = g->word[N_LEFT] > 0;
    keep_shape(m, p, g);
    axdr_put_array(out, g->word[N_LEFT]);
    return COSEM_SUCCESS;
}

static void put_clock(const struct meter_row_head *h, struct wr *out)
{
    struct datetime d = datetime_from_utc(h->utc_s, h->deviation, h->clock_status);
    datetime_put(out, &d);
}

/* A cell says itself how long its value is. */
static void put_cell(const uint8_t *cell, uint8_t size, struct wr *out)
{
    struct rd r = rd_of(cell, size);
    axdr_skip(&r);
    if (r.err)
        axdr_put_null(out);
    else
        wr_bytes(out, cell, r.pos);
}

static unsigned count_bits(uint64_t bits)
{
    unsigned n = 0;
    for (; bits != 0; bits &= bits - 1)
        n++;
    return n;
}

/* Whether the clock of a row follows from the one told before. */
static bool follows(const struct meter_profile *x, const struct meter_row_head *h,
                    const struct meter_row_head *before)
{
    const uint32_t apart = x->is_lifo ? before->utc_s - h->utc_s : h->utc_s - before->utc_s;
    return apart == x->period_s && h->deviation == before->deviation &&
           h->clock_status == before->clock_status;
}

/* Column c, whose cell is at `at` in the record. */
static bool is_told(const struct meter_profile *x, const struct meter_column *c, size_t at,
                    const struct row *row, const struct row *before)
{
    if (c->size > 0)
        return memcmp(row->record + at, before->record + at, c->size) == 0;
    if (meter_column_is_clock(c))
        return follows(x, &row->head, &before->head);
    return row->head.status == before->head.status;
}

/* before: the row that was told before this one, or NULL. */
static void put_row(const struct meter *m, enum model_profile_id p, uint64_t columns,
                    const struct row *row, const struct row *before, struct wr *out)
{
    const struct meter_profile *x = &m->profile[p];
    const struct meter_column *c = meter_profile_columns(m, p);
    size_t at = METER_ROW_HEAD;
    columns &= all_columns(x->n_columns);
    axdr_put_struct(out, count_bits(columns));
    for (unsigned k = 0; k < x->n_columns; at += c[k].size, k++) {
        if ((columns >> k & 1u) == 0)
            continue;
        if (before != NULL && is_told(x, &c[k], at, row, before))
            axdr_put_null(out);
        else if (c[k].size > 0)
            put_cell(row->record + at, c[k].size, out);
        else if (meter_column_is_clock(&c[k]))
            put_clock(&row->head, out);
        else
            axdr_put_u8(out, row->head.status);
    }
}

/* The row that was told before the one at seq. False: there is none, or it is not asked for. */
static bool read_before(const struct meter *m, enum model_profile_id p, uint32_t seq,
                        const struct cosem_gen *g, struct row *row)
{
    if (!m->tells_null || (selected(g) & HAS_BEFORE) == 0)
        return false;
    const uint32_t step = step_of(&m->profile[p]);
    for (seq -= step; is_held(m, p, seq); seq -= step) {
        if (read_row(m, p, seq, g, row))
            return true;
    }
    return false;
}

/* The next matching row. Rows that were overwritten since item 0 are missing, those of a ring made
 * anew are others: then what was promised cannot be kept, and the client must ask again. */
static enum cosem_result next_row(const struct meter *m, enum model_profile_id p,
                                  struct cosem_gen *g, struct wr *out)
{
    const uint32_t step = step_of(&m->profile[p]);
    if (!has_shape(m, p, g))
        return COSEM_DATA_BLOCK_UNAVAILABLE;
    for (uint32_t seq = g->word[SEQ]; is_held(m, p, seq); seq += step) {
        struct row row, before;
        if (!read_row(m, p, seq, g, &row))
            continue;
        const bool has_before = read_before(m, p, seq, g, &before);
        put_row(m, p, selected(g), &row, has_before ? &before : NULL, out);
        select_columns(g, selected(g) | HAS_BEFORE);
        g->word[SEQ] = seq + step;
        g->word[N_LEFT]--;
        g->more = g->word[N_LEFT] > 0;
        return COSEM_SUCCESS;
    }
    return COSEM_DATA_BLOCK_UNAVAILABLE;
}

/* Item 0 is the head of the array, then column by column: all of them may be more than one item. */
static enum cosem_result get_columns(const struct meter *m, enum model_profile_id p,
                                     struct cosem_gen *g, struct wr *out)
{
    const unsigned n = m->profile[p].n_columns;
    struct profile_column column;
    if (g->item == 0) {
        keep_shape(m, p, g);
        axdr_put_array(out, n);
    } else if (!has_shape(m, p, g)) {
        return COSEM_DATA_BLOCK_UNAVAILABLE;
    } else {
        meter_column_object(&meter_profile_columns(m, p)[g->item - 1], &column);
        profile_put_column(out, &column);
    }
    g->more = g->item < n;
    return COSEM_SUCCESS;
}

static enum cosem_result get_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, const struct cosem_select *sel,
                                     struct cosem_gen *g, struct wr *out)
{
    const struct meter *m = meter_of(c);
    const enum model_profile_id p = id_of(o);
    const struct meter_profile *x = &m->profile[p];
    struct profile_column clock;
    g->more = false;
    switch (attr) {
    case 2:
        return g->item == 0 ? begin_buffer(m, p, sel, g, out) : next_row(m, p, g, out);
    case 3:
        return get_columns(m, p, g, out);
    case 4: /* 0: a month */
        axdr_put_u32(out, x->period_s);
        return COSEM_SUCCESS;
    case 5:
        axdr_put_enum(out, x->is_lifo ? SORT_LIFO : SORT_FIFO);
        return COSEM_SUCCESS;
    case 6: /* the clock is the first column */
        meter_column_object(meter_profile_columns(m, p), &clock);
        profile_put_column(out, &clock);
        return COSEM_SUCCESS;
    case 7:
        axdr_put_u32(out, entries_in_use(m, p));
        return COSEM_SUCCESS;
    case 8:
        axdr_put_u32(out, x->entries);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}

static enum cosem_result set_sort(struct meter *m, enum model_profile_id p, uint64_t sort)
{
    if (sort != SORT_FIFO && sort != SORT_LIFO)
        return COSEM_OTHER_REASON;
    return cosem_result_of(meter_profile_sort(m, p, sort == SORT_LIFO));
}

static enum cosem_result set_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, struct rd *value)
{
    struct meter *m = meter_of(c);
    const enum model_profile_id p = id_of(o);
    const bool is_shape = attr == 3 || attr == 8;
    if (attr < 3 || attr == 6 || attr == 7 ||
        (is_shape && (meter_features(m) & MODEL_COLUMNS_SET) == 0))
        return COSEM_READ_WRITE_DENIED;
    if (attr == 3)
        return meter_profile_capture_set(m, p, c->role, value);
    const uint64_t n = axdr_get_uint(value);
    if (value->err || n > UINT32_MAX)
        return COSEM_TYPE_UNMATCHED;
    if (attr == 5)
        return set_sort(m, p, n);
    return cosem_result_of(attr == 4 ? meter_profile_period(m, p, (uint32_t)n)
                                     : meter_profile_entries(m, p, (uint32_t)n));
}

static enum cosem_result invoke_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                        uint8_t method, struct rd *param, struct wr *reply)
{
    (void)param;
    (void)reply;
    struct meter *m = meter_of(c);
    if (method == 1)
        return cosem_result_of(meter_profile_clear(m, id_of(o)));
    if (method == 2)
        return cosem_result_of(meter_profile_capture(m, id_of(o)));
    return COSEM_OBJECT_UNDEFINED;
}

const struct cosem_binding meter_binding_profile = {
    .get = get_profile, .set = set_profile, .invoke = invoke_profile};

/* ---- 0-0:96.134.0 ---- */

static enum cosem_result get_null(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                  struct wr *out)
{
    (void)o;
    (void)sel;
    g->more = false;
    if (attr != 2)
        return COSEM_OBJECT_UNDEFINED;
    axdr_put_bool(out, meter_of(c)->tells_null);
    return COSEM_SUCCESS;
}

static enum cosem_result set_null(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, struct rd *value)
{
    (void)o;
    const bool on = axdr_get_bool(value);
    if (attr != 2)
        return COSEM_READ_WRITE_DENIED;
    if (value->err)
        return COSEM_TYPE_UNMATCHED;
    return cosem_result_of(meter_profiles_null(meter_of(c), on));
}

const struct cosem_binding meter_binding_null = {.get = get_null, .set = set_null};
