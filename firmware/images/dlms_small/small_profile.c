/* Class 7: sixteen rows of clock and register, by range and by entry. Rows go by number: the first
 * is 0, number n lies at n modulo SMALL_ROWS. A row that is overwritten while its profile is read
 * ends the transfer: the number of rows was promised before. */
#include "firmware/images/dlms_small/small_meter.h"

#include "lib/cosem/profile_select.h"
#include "lib/dlms/datetime.h"

enum { FROM, TO, LEFT, MASK }; /* words of the generator: row numbers, rows to come, columns */
enum { COLUMN_CLOCK = 1, COLUMN_REGISTER = 2, COLUMN_ALL = 3 };

static const struct profile_column columns[] = {
    {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .attribute = 2},
    {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .attribute = 2},
};
#define N_COLUMNS (sizeof columns / sizeof columns[0])
#define SORT_FIFO 1

static uint32_t oldest(const struct small_meter *m)
{
    return m->n_written > SMALL_ROWS ? m->n_written - SMALL_ROWS : 0;
}

static enum cosem_result bound(struct bytes value, bool upper, int64_t *utc)
{
    struct rd r = rd_of(value.p, value.len);
    struct datetime d;
    datetime_get(&r, &d);
    if (r.err)
        return COSEM_TYPE_UNMATCHED;
    return cosem_result_of(datetime_bound(&d, 0, upper, utc));
}

/* Rows stand in the order of capture: the range is the run from the first to the last that fits. */
static enum cosem_result select_range(const struct small_meter *m, struct bytes parameter,
                                      struct cosem_gen *g)
{
    struct profile_range range;
    int64_t from = 0, to = 0;
    enum cosem_result result = profile_range_parse(parameter, &range);
    if (!result && (!profile_column_equal(&range.by, &columns[0]) || range.n_columns > 0))
        result = COSEM_OTHER_REASON; /* by the clock, all columns */
    if (!result)
        result = bound(range.from, false, &from);
    if (!result)
        result = bound(range.to, true, &to);
    while (!result && g->word[FROM] < g->word[TO] &&
           m->rows[g->word[FROM] % SMALL_ROWS].utc_s < from)
        g->word[FROM]++;
    while (!result && g->word[TO] > g->word[FROM] &&
           m->rows[(g->word[TO] - 1) % SMALL_ROWS].utc_s > to)
        g->word[TO]--;
    return result;
}

static enum cosem_result select_entries(struct bytes parameter, struct cosem_gen *g)
{
    struct profile_entries e;
    enum cosem_result result = profile_entries_parse(parameter, &e);
    if (result)
        return result;
    uint32_t first = g->word[FROM], n = g->word[TO] - first;
    if (e.to != 0 && e.to < n)
        g->word[TO] = first + e.to;
    g->word[FROM] = e.from - 1 < g->word[TO] - first ? first + e.from - 1 : g->word[TO];
    g->word[MASK] = 0;
    for (unsigned c = 1; c <= N_COLUMNS; c++) {
        if (c >= e.from_column && (e.to_column == 0 || c <= e.to_column))
            g->word[MASK] |= 1u << (c - 1);
    }
    return COSEM_SUCCESS;
}

static enum cosem_result begin(const struct small_meter *m, const struct cosem_select *sel,
                               struct cosem_gen *g, struct wr *out)
{
    enum cosem_result result = COSEM_SUCCESS;
    g->word[FROM] = oldest(m);
    g->word[TO] = m->n_written;
    g->word[MASK] = COLUMN_ALL;
    if (sel->selector == PROFILE_BY_RANGE)
        result = select_range(m, sel->parameter, g);
    else if (sel->selector == PROFILE_BY_ENTRY)
        result = select_entries(sel->parameter, g);
    axdr_put_array(out, g->word[TO] - g->word[FROM]);
    g->more = g->word[FROM] < g->word[TO];
    return result;
}

static enum cosem_result next(const struct small_meter *m, struct cosem_gen *g, struct wr *out)
{
    uint32_t n = g->word[FROM]++, mask = g->word[MASK];
    if (n < oldest(m))
        return COSEM_DATA_BLOCK_UNAVAILABLE;
    const struct small_row *row = &m->rows[n % SMALL_ROWS];
    struct datetime when = datetime_from_utc(row->utc_s, 0, 0);
    axdr_put_struct(out, (mask & 1) + (mask >> 1 & 1));
    if (mask & COLUMN_CLOCK)
        datetime_put(out, &when);
    if (mask & COLUMN_REGISTER)
        axdr_put_u32(out, row->wh);
    g->more = g->word[FROM] < g->word[TO];
    return COSEM_SUCCESS;
}

static enum cosem_result get(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             const struct cosem_select *sel, struct cosem_gen *g, struct wr *out)
{
    const struct small_meter *m = c->context;
    (void)o;
    switch (attr) {
    case 2:
        return g->item == 0 ? begin(m, sel, g, out) : next(m, g, out);
    case 3:
        axdr_put_array(out, N_COLUMNS);
        for (size_t k = 0; k < N_COLUMNS; k++)
            profile_put_column(out, &columns[k]);
        return COSEM_SUCCESS;
    case 4:
        axdr_put_u32(out, m->period_s);
        return COSEM_SUCCESS;
    case 5:
        axdr_put_enum(out, SORT_FIFO);
        return COSEM_SUCCESS;
    case 6:
        profile_put_column(out, &columns[0]);
        return COSEM_SUCCESS;
    case 7:
        axdr_put_u32(out, m->n_written - oldest(m));
        return COSEM_SUCCESS;
    default:
        axdr_put_u32(out, SMALL_ROWS);
        return COSEM_SUCCESS;
    }
}

static enum cosem_result set(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             struct rd *value)
{
    struct small_meter *m = c->context;
    (void)o;
    if (attr != 4)
        return COSEM_READ_WRITE_DENIED;
    m->period_s = (uint32_t)axdr_get_uint(value); /* a double-long-unsigned, already checked */
    m->next_ms = m->now_ms + (uint64_t)m->period_s * 1000;
    return COSEM_SUCCESS;
}

static enum cosem_result invoke(const struct cosem_call *c, const struct cosem_ref *o,
                                uint8_t method, struct rd *param, struct wr *reply)
{
    struct small_meter *m = c->context;
    (void)o, (void)param, (void)reply;
    if (method == 1)
        m->n_written = 0;
    else
        small_capture(m);
    return COSEM_SUCCESS;
}

const struct cosem_binding small_binding_profile = {.get = get, .set = set, .invoke = invoke};
