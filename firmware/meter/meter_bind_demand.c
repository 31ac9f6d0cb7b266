/* Classes 5 and 4 over meter_demand: 1-0:1.4.0 block demand and 1-0:1.6.0 its maximum. */
#include "firmware/meter/meter_bind.h"
#include "firmware/meter/meter_tell.h"

/* UTC as local time with the clock's doubt of then; METER_NEVER as a date-time of wildcards. */
static void put_time(const struct meter *m, uint32_t utc_s, uint8_t doubt, struct wr *out)
{
    struct meter_clock then = m->clock;
    struct datetime d = {DATETIME_ANY_YEAR, DATETIME_ANY,       DATETIME_ANY, DATETIME_ANY,
                         DATETIME_ANY,      DATETIME_ANY,       DATETIME_ANY, DATETIME_ANY,
                         DATETIME_ANY_DEV,  DATETIME_STATUS_ANY};
    then.doubt = doubt;
    if (utc_s != METER_NEVER)
        d = datetime_from_utc(utc_s, meter_clock_deviation(&then, utc_s),
                              meter_clock_status(&then, utc_s));
    datetime_put(out, &d);
}

static enum cosem_result get_demand(const struct cosem_call *c, const struct cosem_ref *o,
                                    uint8_t attr, const struct cosem_select *sel,
                                    struct cosem_gen *g, struct wr *out)
{
    (void)o;
    (void)sel;
    struct meter *m = meter_of(c);
    g->more = false;
    switch (attr) {
    case 2:
        axdr_put_u32(out, meter_demand_now(&m->demand, meter_told(m)->total[LEGAL_A_IMPORT]));
        return COSEM_SUCCESS;
    case 3:
        axdr_put_u32(out, m->demand.last_dw);
        return COSEM_SUCCESS;
    case 4:
        meter_put_scaler_unit(out, METER_POWER_SCALER, COSEM_UNIT_W);
        return COSEM_SUCCESS;
    case 5:
        axdr_put_u8(out, meter_row_status(m, MODEL_LP1, meter_now_s(m)));
        return COSEM_SUCCESS;
    case 6:
        put_time(m, m->demand.last_s, m->demand.last_doubt, out);
        return COSEM_SUCCESS;
    case 7:
        put_time(m, m->demand.start_s, m->clock.doubt, out);
        return COSEM_SUCCESS;
    case 8:
        axdr_put_u32(out, m->demand.period_s);
        return COSEM_SUCCESS;
    case 9:
        axdr_put_u16(out, 1);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}

static enum cosem_result set_demand(const struct cosem_call *c, const struct cosem_ref *o,
                                    uint8_t attr, struct rd *value)
{
    (void)o;
    uint64_t period = axdr_get_uint(value);
    if (attr != 8)
        return COSEM_READ_WRITE_DENIED;
    if (value->err || period > UINT32_MAX)
        return COSEM_TYPE_UNMATCHED;
    return cosem_result_of(meter_demand_period(meter_of(c), (uint32_t)period));
}

static enum cosem_result invoke_demand(const struct cosem_call *c, const struct cosem_ref *o,
                                       uint8_t method, struct rd *param, struct wr *reply)
{
    (void)o;
    (void)param;
    (void)reply;
    struct meter *m = meter_of(c);
    if (method == 1)
        return cosem_result_of(meter_demand_reset_all(m));
    if (method == 2)
        return cosem_result_of(meter_demand_next(m));
    return COSEM_OBJECT_UNDEFINED;
}

const struct cosem_binding meter_binding_demand = {
    .get = get_demand, .set = set_demand, .invoke = invoke_demand};

static enum cosem_result get_max(const struct cosem_call *c, const struct cosem_ref *o,
                                 uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                 struct wr *out)
{
    (void)o;
    (void)sel;
    const struct meter *m = meter_of(c);
    g->more = false;
    switch (attr) {
    case 2:
        axdr_put_u32(out, m->demand.max_dw);
        return COSEM_SUCCESS;
    case 3:
        meter_put_scaler_unit(out, METER_POWER_SCALER, COSEM_UNIT_W);
        return COSEM_SUCCESS;
    case 4:
        axdr_put_u8(out, meter_row_status(m, MODEL_LP1, meter_now_s(m)));
        return COSEM_SUCCESS;
    case 5:
        put_time(m, m->demand.max_s, m->demand.max_doubt, out);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}

static enum cosem_result invoke_max(const struct cosem_call *c, const struct cosem_ref *o,
                                    uint8_t method, struct rd *param, struct wr *reply)
{
    (void)o;
    (void)param;
    (void)reply;
    if (method != 1)
        return COSEM_OBJECT_UNDEFINED;
    return cosem_result_of(meter_demand_forget_max(meter_of(c)));
}

const struct cosem_binding meter_binding_max_demand = {.get = get_max, .invoke = invoke_max};
