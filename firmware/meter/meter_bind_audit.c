/* Class 7, the audit trail: every row is a time and a record. Selective access by time or by entry;
 * its two columns come together always. */
#include "firmware/meter/meter_bind.h"

/* Words of the generator. */
enum { FROM_UTC, TO_UTC, SEQ_HIGH, SEQ_LOW, N_LEFT };

#define SORT_FIFO 1

static const struct profile_column columns[2] = {
    {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .attribute = 2},
    {.class_id = 1, .ln = {0, 0, 96, 128, 0, 255}, .attribute = 2}};

void meter_put_audit(struct wr *out, const struct meter_audit *a)
{
    axdr_put_struct(out, 9);
    axdr_put_u32(out, a->legal.sequence);
    axdr_put_u16(out, a->client_sap);
    axdr_put_enum(out, a->legal.change);
    axdr_put_u8(out, a->legal.parameter);
    axdr_put_text(out, meter_audit_name(a));
    axdr_put_u8(out, a->legal.index);
    axdr_put_u8(out, a->legal.reason);
    axdr_put_i64(out, a->legal.before);
    axdr_put_i64(out, a->legal.after);
}

static void put_row(struct wr *out, const struct meter_audit *a)
{
    struct datetime d = datetime_from_utc(a->utc_s, a->deviation, a->clock_status);
    axdr_put_struct(out, 2);
    datetime_put(out, &d);
    meter_put_audit(out, a);
}

static bool read_row(const struct meter *m, uint64_t seq, const struct cosem_gen *g,
                     struct meter_audit *a)
{
    return meter_audit_read(m, seq, a) == ERR_OK && a->utc_s >= g->word[FROM_UTC] &&
           a->utc_s <= g->word[TO_UTC];
}

static enum cosem_result select_range(const struct meter *m, struct bytes parameter,
                                      struct cosem_gen *g)
{
    struct profile_range range;
    enum cosem_result r = profile_range_parse(parameter, &range);
    if (!r && (!profile_column_equal(&range.by, &columns[0]) || range.n_columns > 0))
        return COSEM_OTHER_REASON;
    if (!r)
        r = meter_get_bound(m, range.from, false, &g->word[FROM_UTC]);
    return r ? r : meter_get_bound(m, range.to, true, &g->word[TO_UTC]);
}

static enum cosem_result select_entries(struct bytes parameter, uint64_t *from, uint64_t *to)
{
    struct profile_entries e;
    enum cosem_result r = profile_entries_parse(parameter, &e);
    if (!r && (e.from_column > 1 || e.to_column == 1))
        return COSEM_OTHER_REASON;
    if (r)
        return r;
    uint64_t first = *from;
    *from = first + e.from - 1;
    if (e.to != 0 && first + e.to - 1 < *to)
        *to = first + e.to - 1;
    return COSEM_SUCCESS;
}

static enum cosem_result begin_buffer(const struct meter *m, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    uint64_t to = meter_audit_newest(m), from = to - meter_audit_count(m) + 1;
    enum cosem_result r = COSEM_SUCCESS;
    g->word[TO_UTC] = UINT32_MAX;
    if (sel->selector == PROFILE_BY_RANGE)
        r = select_range(m, sel->parameter, g);
    else if (sel->selector == PROFILE_BY_ENTRY)
        r = select_entries(sel->parameter, &from, &to);
    if (r)
        return r;
    for (uint64_t seq = from; seq <= to; seq++) {
        struct meter_audit a;
        g->word[N_LEFT] += read_row(m, seq, g, &a);
    }
    g->word[SEQ_HIGH] = (uint32_t)(from >> 32);
    g->word[SEQ_LOW] = (uint32_t)from;
    g->more = g->word[N_LEFT] > 0;
    axdr_put_array(out, g->word[N_LEFT]);
    return COSEM_SUCCESS;
}

static enum cosem_result next_row(const struct meter *m, struct cosem_gen *g, struct wr *out)
{
    uint64_t seq = (uint64_t)g->word[SEQ_HIGH] << 32 | g->word[SEQ_LOW];
    for (; seq <= meter_audit_newest(m); seq++) {
        struct meter_audit a;
        if (!read_row(m, seq, g, &a))
            continue;
        put_row(out, &a);
        g->word[SEQ_HIGH] = (uint32_t)((seq + 1) >> 32);
        g->word[SEQ_LOW] = (uint32_t)(seq + 1);
        g->word[N_LEFT]--;
        g->more = g->word[N_LEFT] > 0;
        return COSEM_SUCCESS;
    }
    return COSEM_DATA_BLOCK_UNAVAILABLE;
}

static enum cosem_result get_audit(const struct cosem_call *c, const struct cosem_ref *o,
                                   uint8_t attr, const struct cosem_select *sel,
                                   struct cosem_gen *g, struct wr *out)
{
    (void)o;
    const struct meter *m = meter_of(c);
    g->more = false;
    switch (attr) {
    case 2:
        return g->item == 0 ? begin_buffer(m, sel, g, out) : next_row(m, g, out);
    case 3:
        axdr_put_array(out, 2);
        profile_put_column(out, &columns[0]);
        profile_put_column(out, &columns[1]);
        return COSEM_SUCCESS;
    case 4:
        axdr_put_u32(out, 0); /* captured when it happens */
        return COSEM_SUCCESS;
    case 5:
        axdr_put_enum(out, SORT_FIFO);
        return COSEM_SUCCESS;
    case 6:
        profile_put_column(out, &columns[0]);
        return COSEM_SUCCESS;
    case 7:
        axdr_put_u32(out, meter_audit_count(m));
        return COSEM_SUCCESS;
    case 8:
        axdr_put_u32(out, METER_AUDIT_KEPT);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}

const struct cosem_binding meter_binding_audit = {.get = get_audit};
