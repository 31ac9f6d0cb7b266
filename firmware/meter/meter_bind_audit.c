/* Class 7, the audit trail: every row is a time and a record (meter_list.h). */
#include "firmware/meter/meter_list.h"

#define NO_NUMBER 4 /* octets: records begin with the stamp, which rows have behind a number */

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

static void put_record(const uint8_t *record, size_t at, uint8_t size, struct wr *out)
{
    struct meter_audit a;
    (void)at;
    (void)size;
    meter_audit_decode(record + NO_NUMBER, &a);
    meter_put_audit(out, &a);
}

static enum cosem_result get_audit(const struct cosem_call *c, const struct cosem_ref *o,
                                   uint8_t attr, const struct cosem_select *sel,
                                   struct cosem_gen *g, struct wr *out)
{
    (void)o;
    static const uint8_t newest[6] = {0, 0, 96, 128, 0, 255};
    const struct meter *m = meter_of(c);
    struct meter_column column[2];
    const struct meter_list list = {.m = m,
                                    .column = column,
                                    .n_columns = 2,
                                    .put = put_record,
                                    .entries = METER_AUDIT_KEPT,
                                    .ordered_from = UINT32_MAX,
                                    .ring = METER_RING_AUDIT,
                                    .lacks = NO_NUMBER};
    meter_list_columns(m, 1, newest, column);
    column[1].size = METER_AUDIT_SIZE;
    return meter_list_get(&list, attr, sel, g, out);
}

const struct cosem_binding meter_binding_audit = {.get = get_audit};
