/* Class 7, the audit trail: every row is a time and a record (meter_list.h). */
#include "firmware/meter/meter_list.h"

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

static bool read_audit(const struct meter_list *l, uint64_t seq, struct meter_list_row *row,
                       struct wr *value)
{
    struct meter_audit a;
    if (meter_audit_read(l->m, seq, &a) != ERR_OK)
        return false;
    *row = (struct meter_list_row){a.utc_s, a.deviation, a.clock_status};
    if (value != NULL)
        meter_put_audit(value, &a);
    return true;
}

static enum cosem_result get_audit(const struct cosem_call *c, const struct cosem_ref *o,
                                   uint8_t attr, const struct cosem_select *sel,
                                   struct cosem_gen *g, struct wr *out)
{
    (void)o;
    const struct meter *m = meter_of(c);
    const struct meter_list list = {
        .m = m,
        .newest = meter_audit_newest(m),
        .count = meter_audit_count(m),
        .depth = METER_AUDIT_KEPT,
        .column = {.class_id = 1, .ln = {0, 0, 96, 128, 0, 255}, .attribute = 2},
        .read = read_audit};
    return meter_list_get(&list, attr, sel, g, out);
}

const struct cosem_binding meter_binding_audit = {.get = get_audit};
