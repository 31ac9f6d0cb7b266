/* Classes 5 and 4 over meter_demand: 1-0:1.4.0 block demand and 1-0:1.6.0 its maximum. */
#include "firmware/meter/meter_bind.h"
#include "firmware/meter/meter_tell.h"

/* UTC as local time with the clock's doubt of then; METER_NEVER as a date-time of wildcards. */
static void put_time(const struct meter *m, uint32_t utc_s, uint8_t doubt, struct wr *out)
{
    static const uint8_t never[DATETIME_LEN] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                0xFF, 0xFF, 0xFF, 0x80, 0x00, 0xFF};
    if (utc_s == METER_NEVER) {
        axdr_put_octets(out, never, sizeof never);
        return;
    }
    int16_t deviation;
    const uint8_t dst = meter_clock_stamp(&m->clock, utc_s, &deviation) & DATETIME_DST;
    struct datetime d = datetime_from_utc(utc_s, deviation, (uint8_t)(doubt | dst));
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
    (void)attr; /* 8 */
    return cosem_result_of(meter_demand_period(meter_of(c), (uint32_t)axdr_get_uint(value)));
}

static enum cosem_result invoke_demand(const struct cosem_call *c, const struct cosem_ref *o,
                                       uint8_t method, struct rd *param, struct wr *reply)
{
    (void)o;
    (void)param;
    (void)reply;
    struct meter *m = meter_of(c);
    return cosem_result_of(method == 1 ? meter_demand_reset_all(m) : meter_demand_next(m));
}

const struct cosem_binding meter_binding_demand = {
    .get = get_demand, .set = set_demand, .invoke = invoke_demand};

/* Scaler and status are those of the demand, whose class has them one attribute further on. */
static enum cosem_result get_max(const struct cosem_call *c, const struct cosem_ref *o,
                                 uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                 struct wr *out)
{
    const struct meter *m = meter_of(c);
    g->more = false;
    switch (attr) {
    case 2:
        axdr_put_u32(out, m->demand.max_dw);
        return COSEM_SUCCESS;
    case 3:
    case 4:
        return get_demand(c, o, (uint8_t)(attr + 1), sel, g, out);
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
    (void)method;
    (void)param;
    (void)reply;
    return cosem_result_of(meter_demand_forget_max(meter_of(c)));
}

const struct cosem_binding meter_binding_max_demand = {.get = get_max, .invoke = invoke_max};
