/* Class 8, the clock object 0-0:1.0.0. Attribute 9 says crystal. Numbers in comments are the rules
 * of docs/TIME.md. */
#include "firmware/meter/meter_bind.h"

#include "lib/base/civil.h"

#define CLOCK_BASE_CRYSTAL 1
#define ZONE_MIN           (-720)
#define ZONE_MAX           840
#define DST_MAX            120
#define QUARTER_S          900
#define MINUTE_S           60

static enum cosem_result get_clock(const struct cosem_call *c, const struct cosem_ref *o,
                                   uint8_t attr, const struct cosem_select *sel,
                                   struct cosem_gen *g, struct wr *out)
{
    (void)o;
    (void)sel;
    const struct meter_clock *k = &meter_of(c)->clock;
    struct datetime now = meter_clock_now(k);
    g->more = false;
    switch (attr) {
    case 2:
        datetime_put(out, &now);
        return COSEM_SUCCESS;
    case 3:
        axdr_put_i16(out, k->zone_min);
        return COSEM_SUCCESS;
    case 4:
        axdr_put_u8(out, now.status);
        return COSEM_SUCCESS;
    case 5:
        axdr_put_octets(out, k->dst_begin, DATETIME_LEN);
        return COSEM_SUCCESS;
    case 6:
        axdr_put_octets(out, k->dst_end, DATETIME_LEN);
        return COSEM_SUCCESS;
    case 7:
        axdr_put_i8(out, k->dst_min);
        return COSEM_SUCCESS;
    case 8:
        axdr_put_bool(out, k->dst_on);
        return COSEM_SUCCESS;
    case 9:
        axdr_put_enum(out, CLOCK_BASE_CRYSTAL);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}

/* A weekday that is told must be that of the date (rule 19). */
static bool agrees(const struct datetime *d)
{
    return d->weekday == DATETIME_ANY || d->weekday == civil_weekday(d->year, d->month, d->day);
}

/* In the hour that comes twice the summer mark tells which, where a status is told; the first if
 * not. Local time that does not come is none (rules 18, 19). */
static bool local_instant(const struct meter_clock *k, const struct datetime *d, int64_t *utc_s)
{
    const bool winter = d->status != DATETIME_STATUS_ANY && (d->status & DATETIME_DST) == 0;
    if (meter_clock_utc(k, d, winter, utc_s) != ERR_OK)
        return false;
    if (d->deviation != DATETIME_ANY_DEV)
        return true;
    struct datetime back = datetime_from_utc(*utc_s, meter_clock_deviation(k, (uint32_t)*utc_s), 0);
    return back.hour == d->hour && back.minute == d->minute;
}

/* An instant of the years that a clock can show. */
struct instant {
    int64_t utc_s;
    uint8_t hundredths; /* 0 where not given */
};

static enum cosem_result get_instant(const struct meter *m, struct rd *value, struct instant *out)
{
    struct datetime d;
    datetime_get(value, &d);
    if (value->err)
        return COSEM_TYPE_UNMATCHED;
    if (!datetime_complete(&d) || !agrees(&d) || !local_instant(&m->clock, &d, &out->utc_s) ||
        out->utc_s < METER_TIME_MIN_NS / METER_NS || out->utc_s >= METER_TIME_END_NS / METER_NS)
        return COSEM_OTHER_REASON;
    out->hundredths = d.hundredths != DATETIME_ANY ? d.hundredths : 0;
    return COSEM_SUCCESS;
}

static enum cosem_result set_time(struct meter *m, struct rd *value)
{
    struct instant to;
    enum cosem_result r = get_instant(m, value, &to);
    if (r)
        return r;
    const int64_t ns = to.utc_s * METER_NS + to.hundredths * (METER_NS / 100);
    return cosem_result_of(meter_clock_change(m, ns));
}

static enum cosem_result set_rule(struct rd *value, uint8_t rule[DATETIME_LEN])
{
    struct datetime d;
    datetime_get(value, &d);
    if (value->err)
        return COSEM_TYPE_UNMATCHED;
    if (!meter_clock_rule_valid(&d))
        return COSEM_OTHER_REASON;
    datetime_encode(&d, rule);
    return COSEM_SUCCESS;
}

/* Attributes 3 and 5..8; what is refused is not written. */
static enum cosem_result set_parameter(struct meter_clock *k, uint8_t attr, struct rd *value)
{
    int64_t n = 0;
    switch (attr) {
    case 3:
        n = axdr_get_int(value);
        if (n < ZONE_MIN || n > ZONE_MAX)
            return COSEM_OTHER_REASON;
        k->zone_min = (int16_t)n;
        return COSEM_SUCCESS;
    case 5:
        return set_rule(value, k->dst_begin);
    case 6:
        return set_rule(value, k->dst_end);
    case 7:
        n = axdr_get_int(value);
        if (n < -DST_MAX || n > DST_MAX)
            return COSEM_OTHER_REASON;
        k->dst_min = (int8_t)n;
        return COSEM_SUCCESS;
    default: /* 8 */
        k->dst_on = axdr_get_bool(value);
        return COSEM_SUCCESS;
    }
}

static enum cosem_result set_clock(const struct cosem_call *c, const struct cosem_ref *o,
                                   uint8_t attr, struct rd *value)
{
    (void)o;
    struct meter *m = meter_of(c);
    if (attr == 2)
        return set_time(m, value);
    const struct meter_clock before = m->clock;
    enum cosem_result r = set_parameter(&m->clock, attr, value);
    return r ? r : cosem_result_of(meter_clock_rules(m, &before));
}

/* To the end of a period that is nearest. */
static enum cosem_result adjust(struct meter *m, uint32_t period_s)
{
    int64_t now_ns = meter_clock_ns(&m->clock);
    if (m->clock.doubt != 0)
        return COSEM_TEMPORARY_FAILURE; /* rule 27 */
    return cosem_result_of(meter_clock_change(m, meter_clock_nearest(&m->clock, now_ns, period_s)));
}

static enum cosem_result adjust_to_preset(struct meter *m)
{
    int64_t now_s = meter_now_s(m);
    if (now_s < m->clock.preset_from_s || now_s > m->clock.preset_to_s)
        return COSEM_TEMPORARY_FAILURE;
    int64_t to_s = m->clock.preset_s;
    enum err err = meter_clock_preset(m, 0, 0, -1); /* it serves once */
    return cosem_result_of(err ? err : meter_clock_change(m, to_s * METER_NS));
}

static enum cosem_result preset(struct meter *m, struct rd *param)
{
    struct instant at[3]; /* to, first, last */
    enum cosem_result r = COSEM_SUCCESS;
    axdr_get_struct(param, 3);
    for (unsigned k = 0; k < 3 && !r; k++)
        r = get_instant(m, param, &at[k]);
    if (r)
        return r;
    if (at[1].utc_s > at[2].utc_s ||
        (at[1].utc_s == at[2].utc_s && at[1].hundredths > at[2].hundredths))
        return COSEM_OTHER_REASON;
    return cosem_result_of(meter_clock_preset(m, at[0].utc_s, at[1].utc_s, at[2].utc_s));
}

static enum cosem_result shift(struct meter *m, struct rd *param)
{
    const int32_t by_s = (int32_t)axdr_get_int(param);
    if (by_s < -METER_SHIFT_MAX_S || by_s > METER_SHIFT_MAX_S)
        return COSEM_OTHER_REASON;
    if (m->clock.doubt != 0)
        return COSEM_TEMPORARY_FAILURE; /* rule 27 */
    return cosem_result_of(meter_clock_change(m, meter_clock_ns(&m->clock) + by_s * METER_NS));
}

static enum cosem_result invoke_clock(const struct cosem_call *c, const struct cosem_ref *o,
                                      uint8_t method, struct rd *param, struct wr *reply)
{
    (void)o;
    (void)reply;
    struct meter *m = meter_of(c);
    switch (method) {
    case 1:
        return adjust(m, QUARTER_S);
    case 2:
        return adjust(m, m->profile[MODEL_LP1].period_s);
    case 3:
        return adjust(m, MINUTE_S);
    case 4:
        return adjust_to_preset(m);
    case 5:
        return preset(m, param);
    default: /* 6 */
        return shift(m, param);
    }
}

const struct cosem_binding meter_binding_clock = {
    .get = get_clock, .set = set_clock, .invoke = invoke_clock};
