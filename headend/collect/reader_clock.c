/* The meter's clock: what it says, and, where the plan asks for it, what it shall say.
 *
 * How far it is off is taken against the middle of asking and being told, so it is known to half of
 * that delay; a line whose delay reaches the lower limit says nothing, and the clock is left alone.
 * What is written is the time at which it should arrive. A clock that was set is read once more:
 * what follows reckons with the time the meter has now. Once in a reading, whatever came of it. */
#include "headend/collect/reader_parts.h"

#include "lib/dlms/datetime.h"

#include <string.h>

#define CLASS_CLOCK  8u
#define HUNDREDTH_MS 10
#define S_MS         INT64_C(1000)
#define UTC_END_MS   INT64_C(4102444800000) /* 2100: meters count two digits of the year */

static const uint8_t ln_clock[6] = {0, 0, 1, 0, 0, 255};

static int64_t utc_ms(const struct reader *r)
{
    return r->plan.utc_ms != NULL ? r->plan.utc_ms(r->plan.context) : 0;
}

/* ---- reading ---- */

static enum err ask_clock(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(CLASS_CLOCK, ln_clock, 2);
    r->meter_now_s = INT64_MIN;
    r->deviation_min = 0;
    r->asked_utc_ms = utc_ms(r);
    return reader_get(r, &attr);
}

static enum err clock_part(void *context, const struct value_part *part)
{
    struct reader *r = context;
    struct reader_got *got = &r->got;
    struct datetime d;
    if (part->content.len != DATETIME_LEN ||
        (part->tag != AXDR_OCTETS && part->tag != AXDR_DATE_TIME))
        return ERR_TYPE;
    if (datetime_decode(part->content.p, &d) || datetime_to_utc(&d, 0, &got->number))
        return ERR_OK; /* not a whole date: not valid */
    got->deviation_min = d.deviation == DATETIME_ANY_DEV ? 0 : (int16_t)-d.deviation;
    got->valid = d.status == DATETIME_STATUS_ANY || (d.status & DATETIME_INVALID) == 0;
    got->has_zone = d.deviation != DATETIME_ANY_DEV;
    got->ms = d.hundredths <= 99 ? (uint16_t)(d.hundredths * HUNDREDTH_MS) : 0;
    r->meter_now_s = got->number;
    r->deviation_min = got->deviation_min;
    return ERR_OK;
}

/* Whether the clock is to be set; then off_ms and delay_ms are known. */
static bool is_off(struct reader *r)
{
    const struct reader_got *got = &r->got;
    const int64_t from_ms = r->plan.clock_from_s * S_MS, to_ms = r->plan.clock_to_s * S_MS;
    if (r->plan.utc_ms == NULL || r->clock_tried || !got->has_zone || r->meter_now_s == INT64_MIN)
        return false;
    const int64_t delay_ms = utc_ms(r) - r->asked_utc_ms;
    if (delay_ms < 0 || delay_ms >= from_ms)
        return false;
    r->delay_ms = (uint32_t)delay_ms;
    r->off_ms = got->number * S_MS + got->ms - (r->asked_utc_ms + delay_ms / 2);
    const int64_t off_ms = r->off_ms < 0 ? -r->off_ms : r->off_ms;
    return off_ms <= to_ms && (off_ms >= from_ms || !got->valid);
}

static void clock_done(struct reader *r, enum cosem_result result)
{
    const bool told = result == COSEM_SUCCESS;
    if (told && r->sink.clock != NULL)
        r->sink.clock(r->sink.context, r->got.number, r->got.deviation_min, r->got.valid);
    reader_go(r, told && is_off(r) ? STEP_SET_CLOCK : STEP_REGISTERS);
}

/* ---- setting ---- */

/* In the meter's own zone, so that one that does not know deviations is told its local time. */
static enum err ask_set_clock(struct reader *r)
{
    const struct apdu_attr attr = reader_attr(CLASS_CLOCK, ln_clock, 2);
    const int64_t at_ms = utc_ms(r) + r->delay_ms / 2;
    r->clock_tried = true;
    if (at_ms < 0 || at_ms >= UTC_END_MS) {
        reader_go(r, STEP_REGISTERS);
        return ERR_OK;
    }
    struct datetime d =
        datetime_from_utc(at_ms / S_MS, (int16_t)-r->deviation_min, DATETIME_STATUS_ANY);
    d.hundredths = (uint8_t)(at_ms % S_MS / HUNDREDTH_MS);
    struct wr w = wr_of(r->new_time, sizeof r->new_time);
    datetime_put(&w, &d);
    return w.err ? w.err : reader_set(r, &attr, (struct bytes){r->new_time, w.len});
}

static enum err no_part(void *context, const struct value_part *part)
{
    (void)context;
    (void)part;
    return ERR_TYPE;
}

static void set_clock_done(struct reader *r, enum cosem_result result)
{
    if (r->sink.clock_set != NULL)
        r->sink.clock_set(r->sink.context, r->off_ms, result);
    reader_go(r, result == COSEM_SUCCESS ? STEP_CLOCK : STEP_REGISTERS);
}

const struct reader_step reader_step_clock = {"the clock", ask_clock, clock_part, clock_done};
const struct reader_step reader_step_set_clock = {"the clock to be set", ask_set_clock, no_part,
                                                  set_clock_done};
