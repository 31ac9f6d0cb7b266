/* See meter_list.h. */
#include "firmware/meter/meter_list.h"

/* Words of the generator. */
enum { FROM_UTC, TO_UTC, SEQ_HIGH, SEQ_LOW, N_LEFT, COLUMNS };

#define SORT_FIFO 1
#define CLOCK     1u /* bits of COLUMNS; above them: how many numbers from SEQ on were counted */
#define VALUE     2u
#define SPAN      2

static const struct profile_column clock_column = {
    .class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .attribute = 2};

static uint64_t next_seq(const struct cosem_gen *g)
{
    return (uint64_t)g->word[SEQ_HIGH] << 32 | g->word[SEQ_LOW];
}

static void set_next_seq(struct cosem_gen *g, uint64_t seq)
{
    g->word[SEQ_HIGH] = (uint32_t)(seq >> 32);
    g->word[SEQ_LOW] = (uint32_t)seq;
}

/* Only what was counted may be told: entries that came since are not in the answer. */
static uint32_t span_left(const struct cosem_gen *g)
{
    return g->word[COLUMNS] >> SPAN;
}

static void set_span(struct cosem_gen *g, uint32_t n)
{
    g->word[COLUMNS] = (g->word[COLUMNS] & (CLOCK | VALUE)) | n << SPAN;
}

static bool matches(const struct meter_list *l, uint64_t seq, const struct cosem_gen *g)
{
    struct meter_list_row row;
    return l->read(l, seq, &row, NULL) && row.utc_s >= g->word[FROM_UTC] &&
           row.utc_s <= g->word[TO_UTC];
}

static unsigned column_bit(const struct meter_list *l, const struct profile_column *c)
{
    return profile_column_equal(c, &clock_column) ? CLOCK
           : profile_column_equal(c, &l->column)  ? VALUE
                                                  : 0;
}

static enum cosem_result select_range(const struct meter_list *l, struct bytes parameter,
                                      struct cosem_gen *g)
{
    struct profile_range range;
    enum cosem_result r = profile_range_parse(parameter, &range);
    if (!r && column_bit(l, &range.by) != CLOCK)
        return COSEM_OTHER_REASON; /* restricted by the clock only */
    if (!r)
        r = meter_get_bound(l->m, range.from, false, &g->word[FROM_UTC]);
    if (!r)
        r = meter_get_bound(l->m, range.to, true, &g->word[TO_UTC]);
    if (range.n_columns > 0)
        g->word[COLUMNS] = 0;
    struct rd columns = rd_of(range.columns.p, range.columns.len);
    for (size_t i = 0; i < range.n_columns && !r; i++) {
        struct profile_column want;
        profile_get_column(&columns, &want);
        unsigned bit = column_bit(l, &want);
        if (columns.err || bit == 0)
            return COSEM_OTHER_REASON;
        g->word[COLUMNS] |= bit;
    }
    return r;
}

static enum cosem_result select_entries(struct bytes parameter, struct cosem_gen *g, uint64_t *from,
                                        uint64_t *to)
{
    struct profile_entries e;
    enum cosem_result r = profile_entries_parse(parameter, &e);
    if (r)
        return r;
    if (e.from_column > 1)
        g->word[COLUMNS] &= e.from_column == 2 ? VALUE : 0;
    if (e.to_column == 1)
        g->word[COLUMNS] &= CLOCK;
    const uint64_t first = *from;
    *from = first + e.from - 1;
    if (e.to != 0 && first + e.to - 1 < *to)
        *to = first + e.to - 1;
    return COSEM_SUCCESS;
}

/* Item 0: what is asked for, and how many rows that is. */
static enum cosem_result begin_buffer(const struct meter_list *l, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    uint64_t to = l->newest, from = to - l->count + 1;
    enum cosem_result r = COSEM_SUCCESS;
    g->word[FROM_UTC] = 0;
    g->word[TO_UTC] = UINT32_MAX;
    g->word[COLUMNS] = CLOCK | VALUE;
    if (sel->selector == PROFILE_BY_RANGE)
        r = select_range(l, sel->parameter, g);
    else if (sel->selector == PROFILE_BY_ENTRY)
        r = select_entries(sel->parameter, g, &from, &to);
    if (r)
        return r;
    for (uint64_t seq = from; seq <= to; seq++)
        g->word[N_LEFT] += matches(l, seq, g);
    set_next_seq(g, from);
    set_span(g, from <= to ? (uint32_t)(to - from + 1) : 0);
    g->more = g->word[N_LEFT] > 0;
    axdr_put_array(out, g->word[N_LEFT]);
    return COSEM_SUCCESS;
}

static void put_row(const struct meter_list *l, uint64_t seq, unsigned columns, struct wr *out)
{
    struct meter_list_row row = {0};
    bool found = l->read(l, seq, &row, NULL);
    axdr_put_struct(out, (columns & 1u) + (columns >> 1));
    if ((columns & CLOCK) != 0) {
        struct datetime d = datetime_from_utc(row.utc_s, row.deviation, row.clock_status);
        datetime_put(out, &d);
    }
    if ((columns & VALUE) != 0)
        found = l->read(l, seq, &row, out);
    if (!found)
        out->err = ERR_CORRUPT; /* it was there a moment ago */
}

/* The next matching row. Rows that were overwritten or cleared since item 0 are missing: then the
 * promised number cannot be kept, and the client must ask again. */
static enum cosem_result next_row(const struct meter_list *l, struct cosem_gen *g, struct wr *out)
{
    uint64_t seq = next_seq(g);
    for (uint32_t left = span_left(g); left > 0; left--, seq++) {
        if (!matches(l, seq, g))
            continue;
        put_row(l, seq, g->word[COLUMNS] & (CLOCK | VALUE), out);
        set_next_seq(g, seq + 1);
        set_span(g, left - 1);
        g->word[N_LEFT]--;
        g->more = g->word[N_LEFT] > 0;
        return COSEM_SUCCESS;
    }
    return COSEM_DATA_BLOCK_UNAVAILABLE;
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
        axdr_put_array(out, 2);
        profile_put_column(out, &clock_column);
        profile_put_column(out, &l->column);
        return COSEM_SUCCESS;
    case 4:
        axdr_put_u32(out, 0); /* captured when it happens */
        return COSEM_SUCCESS;
    case 5:
        axdr_put_enum(out, SORT_FIFO);
        return COSEM_SUCCESS;
    case 6:
        profile_put_column(out, &clock_column);
        return COSEM_SUCCESS;
    case 7:
        axdr_put_u32(out, l->count);
        return COSEM_SUCCESS;
    case 8:
        axdr_put_u32(out, l->depth);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}
