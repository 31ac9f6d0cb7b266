/* Class 7, load profile 1: attributes, and the buffer as a stream of rows.
 *
 * A GET of the buffer walks the ring by sequence number: first once to count the rows that match
 * (an array says its length first), then row by row, so memory is one row and work is linear. Rows
 * are compared by their stamp one by one rather than searched by halves, because after the clock
 * was set back they are not in order of time. Damaged rows are left out. */
#include "firmware/meter/meter_bind.h"

#include "firmware/meter/meter_store.h"

/* Words of the generator. */
enum { FROM_UTC, TO_UTC, SEQ_HIGH, SEQ_LOW, N_LEFT, COLUMNS };

#define SORT_FIFO 1

static uint32_t entries_in_use(const struct meter *m)
{
    uint32_t n = nv_count(&m->nv, METER_RING_PROFILE);
    return n < m->model->profile_depth ? n : m->model->profile_depth;
}

static uint64_t next_seq(const struct cosem_gen *g)
{
    return (uint64_t)g->word[SEQ_HIGH] << 32 | g->word[SEQ_LOW];
}

static void set_next_seq(struct cosem_gen *g, uint64_t seq)
{
    g->word[SEQ_HIGH] = (uint32_t)(seq >> 32);
    g->word[SEQ_LOW] = (uint32_t)seq;
}

static bool read_row(const struct meter *m, uint64_t seq, const struct cosem_gen *g,
                     struct meter_row *row)
{
    uint8_t octets[METER_ROW_SIZE];
    if (nv_read(&m->nv, METER_RING_PROFILE, seq, octets) != ERR_OK)
        return false;
    meter_row_decode(octets, row);
    return row->utc_s >= g->word[FROM_UTC] && row->utc_s <= g->word[TO_UTC];
}

/* Rows from..to (sequence numbers, both inclusive) that match. */
static uint32_t count_rows(const struct meter *m, const struct cosem_gen *g, uint64_t from,
                           uint64_t to)
{
    uint32_t n = 0;
    struct meter_row row;
    for (uint64_t seq = from; seq <= to; seq++)
        n += read_row(m, seq, g, &row);
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

/* Column number of an object, METER_N_COLUMNS where it is not captured. */
static uint32_t column_of(uint32_t mask, const struct profile_column *want)
{
    for (uint32_t c = 0; c < METER_N_COLUMNS; c++) {
        struct profile_column have;
        meter_column_object((enum meter_column)c, &have);
        if ((mask >> c & 1u) != 0 && profile_column_equal(&have, want))
            return c;
    }
    return METER_N_COLUMNS;
}

static enum cosem_result select_range(const struct meter *m, struct bytes parameter,
                                      struct cosem_gen *g)
{
    struct profile_range range;
    enum cosem_result r = profile_range_parse(parameter, &range);
    if (r)
        return r;
    if (column_of(g->word[COLUMNS], &range.by) != METER_COLUMN_CLOCK)
        return COSEM_OTHER_REASON; /* restricted by the clock only */
    r = meter_get_bound(m, range.from, false, &g->word[FROM_UTC]);
    if (!r)
        r = meter_get_bound(m, range.to, true, &g->word[TO_UTC]);
    uint32_t selected = 0;
    struct rd columns = rd_of(range.columns.p, range.columns.len);
    for (size_t i = 0; i < range.n_columns && !r; i++) {
        struct profile_column want;
        profile_get_column(&columns, &want);
        uint32_t c = column_of(g->word[COLUMNS], &want);
        if (columns.err || c == METER_N_COLUMNS)
            return COSEM_OTHER_REASON;
        selected |= 1u << c;
    }
    if (range.n_columns > 0)
        g->word[COLUMNS] = selected;
    return r;
}

/* Keeps the from-th to to-th column of the mask. */
static uint32_t slice_columns(uint32_t mask, uint16_t from, uint16_t to)
{
    uint32_t n = 0, kept = 0;
    for (uint32_t c = 0; c < METER_N_COLUMNS; c++) {
        if ((mask >> c & 1u) == 0)
            continue;
        n++;
        if (n >= from && (to == 0 || n <= to))
            kept |= 1u << c;
    }
    return kept;
}

/* Narrows from..to (sequence numbers) to the entries asked for. */
static enum cosem_result select_entries(struct bytes parameter, struct cosem_gen *g, uint64_t *from,
                                        uint64_t *to)
{
    struct profile_entries e;
    enum cosem_result r = profile_entries_parse(parameter, &e);
    if (r)
        return r;
    g->word[COLUMNS] = slice_columns(g->word[COLUMNS], e.from_column, e.to_column);
    uint64_t first = *from;
    *from = first + e.from - 1;
    if (e.to != 0 && first + e.to - 1 < *to)
        *to = first + e.to - 1;
    return COSEM_SUCCESS;
}

/* Item 0: what is asked for, and how many rows that is. */
static enum cosem_result begin_buffer(const struct meter *m, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    uint64_t to = nv_newest(&m->nv, METER_RING_PROFILE);
    uint64_t from = to - entries_in_use(m) + 1;
    enum cosem_result r = COSEM_SUCCESS;
    g->word[FROM_UTC] = 0;
    g->word[TO_UTC] = UINT32_MAX;
    g->word[COLUMNS] = meter_columns(m->features);
    if (sel->selector == PROFILE_BY_RANGE)
        r = select_range(m, sel->parameter, g);
    else if (sel->selector == PROFILE_BY_ENTRY)
        r = select_entries(sel->parameter, g, &from, &to);
    if (r)
        return r;
    set_next_seq(g, from);
    g->word[N_LEFT] = from <= to ? count_rows(m, g, from, to) : 0;
    g->more = g->word[N_LEFT] > 0;
    axdr_put_array(out, g->word[N_LEFT]);
    return COSEM_SUCCESS;
}

/* The next matching row. Rows that were overwritten since item 0 are missing: then the promised
 * number cannot be kept, and the client must ask again. */
static enum cosem_result next_row(const struct meter *m, struct cosem_gen *g, struct wr *out)
{
    uint64_t newest = nv_newest(&m->nv, METER_RING_PROFILE);
    for (uint64_t seq = next_seq(g); seq <= newest; seq++) {
        struct meter_row row;
        if (!read_row(m, seq, g, &row))
            continue;
        meter_row_put(&row, g->word[COLUMNS], out);
        set_next_seq(g, seq + 1);
        g->word[N_LEFT]--;
        g->more = g->word[N_LEFT] > 0;
        return COSEM_SUCCESS;
    }
    return COSEM_DATA_BLOCK_UNAVAILABLE;
}

static enum cosem_result get_columns(const struct meter *m, struct cosem_gen *g, struct wr *out)
{
    uint32_t mask = meter_columns(m->features);
    size_t n = 0;
    for (uint32_t c = 0; c < METER_N_COLUMNS; c++)
        n += mask >> c & 1u;
    axdr_put_array(out, n);
    for (uint32_t c = 0; c < METER_N_COLUMNS; c++) {
        struct profile_column column;
        meter_column_object((enum meter_column)c, &column);
        if ((mask >> c & 1u) != 0)
            profile_put_column(out, &column);
    }
    g->more = false;
    return COSEM_SUCCESS;
}

static enum cosem_result get_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, const struct cosem_select *sel,
                                     struct cosem_gen *g, struct wr *out)
{
    (void)o;
    const struct meter *m = meter_of(c);
    struct profile_column clock;
    g->more = false;
    switch (attr) {
    case 2:
        return g->item == 0 ? begin_buffer(m, sel, g, out) : next_row(m, g, out);
    case 3:
        return get_columns(m, g, out);
    case 4:
        axdr_put_u32(out, m->profile.period_s);
        return COSEM_SUCCESS;
    case 5:
        axdr_put_enum(out, SORT_FIFO);
        return COSEM_SUCCESS;
    case 6:
        meter_column_object(METER_COLUMN_CLOCK, &clock);
        profile_put_column(out, &clock);
        return COSEM_SUCCESS;
    case 7:
        axdr_put_u32(out, entries_in_use(m));
        return COSEM_SUCCESS;
    case 8:
        axdr_put_u32(out, m->model->profile_depth);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}

static enum cosem_result set_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, struct rd *value)
{
    (void)o;
    uint64_t period = axdr_get_uint(value);
    if (attr != 4)
        return COSEM_READ_WRITE_DENIED;
    if (value->err || period > UINT32_MAX)
        return COSEM_TYPE_UNMATCHED;
    return cosem_result_of(meter_profile_period(meter_of(c), (uint32_t)period));
}

static enum cosem_result invoke_profile(const struct cosem_call *c, const struct cosem_ref *o,
                                        uint8_t method, struct rd *param, struct wr *reply)
{
    (void)o;
    (void)param;
    (void)reply;
    struct meter *m = meter_of(c);
    if (method == 1)
        return cosem_result_of(meter_profile_clear(m));
    if (method == 2)
        return cosem_result_of(meter_profile_capture(m));
    return COSEM_OBJECT_UNDEFINED;
}

const struct cosem_binding meter_binding_profile = {
    .get = get_profile, .set = set_profile, .invoke = invoke_profile};
