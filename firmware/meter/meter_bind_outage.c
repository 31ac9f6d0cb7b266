/* Outages (0-0:96.7.E): numbers as class 1, durations and the threshold in seconds as class 3. */
#include "firmware/meter/meter_bind.h"

static uint32_t value_of(const struct meter *m, const struct cosem_ref *o)
{
    switch (MODEL_QUANTITY(o->row->arg)) {
    case MODEL_OUTAGE_COUNT:
        return meter_outage_count(m, METER_OUTAGE_ALL + o->i);
    case MODEL_OUTAGE_COUNT_ANY:
        return meter_outage_count(m, METER_OUTAGE_ANY);
    case MODEL_OUTAGE_LONG:
        return meter_outage_long(m, METER_OUTAGE_ALL + o->i);
    case MODEL_OUTAGE_LONG_ANY:
        return meter_outage_long(m, METER_OUTAGE_ANY);
    case MODEL_OUTAGE_LAST:
        return meter_outage_last_s(m, METER_OUTAGE_ALL + o->i);
    case MODEL_OUTAGE_LAST_ANY:
        return meter_outage_last_s(m, METER_OUTAGE_ANY);
    case MODEL_OUTAGE_SHORT:
        return meter_outage_short(m);
    case MODEL_OUTAGE_OFF:
        return meter_outage_off_s(m);
    case MODEL_OUTAGE_COUNTS:
        return m->outage.short_s;
    default:
        return m->outage.long_s;
    }
}

static enum cosem_result get_outage(const struct cosem_call *c, const struct cosem_ref *o,
                                    uint8_t attr, const struct cosem_select *sel,
                                    struct cosem_gen *g, struct wr *out)
{
    (void)sel;
    g->more = false;
    if (attr == 2)
        axdr_put_u32(out, value_of(meter_of(c), o));
    else
        meter_put_scaler_unit(out, 0, COSEM_UNIT_SECOND);
    return COSEM_SUCCESS;
}

static enum cosem_result set_outage(const struct cosem_call *c, const struct cosem_ref *o,
                                    uint8_t attr, struct rd *value)
{
    struct meter *m = meter_of(c);
    const enum model_quantity q = MODEL_QUANTITY(o->row->arg);
    if (attr != 2 || (q != MODEL_OUTAGE_LIMIT && q != MODEL_OUTAGE_COUNTS))
        return COSEM_READ_WRITE_DENIED;
    const bool is_u32 = axdr_peek(value) == AXDR_U32;
    const uint32_t seconds = (uint32_t)axdr_get_uint(value);
    if (!is_u32 || value->err)
        return COSEM_TYPE_UNMATCHED;
    enum err err = q == MODEL_OUTAGE_LIMIT ? meter_outage_limits_set(m, seconds, m->outage.short_s)
                                           : meter_outage_limits_set(m, m->outage.long_s, seconds);
    if (!err)
        meter_event(m, MODEL_EVENT_PARAMETER_CHANGED, meter_now_s(m));
    return cosem_result_of(err);
}

const struct cosem_binding meter_binding_outage = {.get = get_outage, .set = set_outage};
