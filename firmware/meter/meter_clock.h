/* The meter's clock: UTC inside, local time with daylight saving only at the edges (class 8).
 *
 * It does not run by itself: the meter moves base_ns by the time its samples lasted. `base` is the
 * count of the real-time crystal, which nobody can set; setting the clock changes the offset, which
 * is stored, so that a restart knows the set time again from the crystal alone. Signs as in COSEM:
 * UTC = local + deviation; Central Europe has time_zone -60 and a summer deviation of +60. Pure
 * functions but for those that move the clock. Instants in whole seconds are uint32_t: the clock
 * shows 2000 to 2099 only, which ends six years before that does. Blue Book 4.5.1.
 *
 * A crystal is off by a few parts in a million, and by a parabola over temperature. The clock takes
 * that off by its offset, in whole nanoseconds with the rest carried; base_ns stays what the
 * crystal shows. */
#ifndef FERRARIS_METER_CLOCK_H
#define FERRARIS_METER_CLOCK_H

#include "lib/dlms/datetime.h"

#include <stdbool.h>

#define METER_NS    INT64_C(1000000000)
#define METER_DAY_S 86400

#define METER_SHIFT_LIMIT_S 60  /* as delivered */
#define METER_SHIFT_MAX_S   900 /* Blue Book 4.5.1.3.6, of the limit as well */

/* What the factory found out about the crystal. Error in parts per 10^9, positive: it is fast:
 * ppb + ppb_per_k2 * (temperature - turnover)^2. All zero: nothing to correct. */
struct meter_crystal {
    int32_t ppb;
    int32_t ppb_per_k2; /* tuning forks: -34 to -40 */
    int32_t turnover_mc;
};
#define METER_CRYSTAL_PPB_MAX    500000
#define METER_CRYSTAL_PPB_K2_MAX 200
#define METER_TURNOVER_MAX_MC    60000 /* from 0 */
enum { METER_CRYSTAL_PPB, METER_CRYSTAL_PPB_K2, METER_CRYSTAL_TURNOVER_MC, METER_N_CRYSTAL };
/* "CRYSTAL_PPB"; "" past the last. */
const char *meter_crystal_name(unsigned part);
int32_t meter_crystal_part(const struct meter_crystal *x, unsigned part);
/* False, and nothing is changed: no such part, or out of its range. */
bool meter_crystal_put(struct meter_crystal *x, unsigned part, int64_t value);
bool meter_crystal_valid(const struct meter_crystal *x);
/* Error at a temperature in millidegree, ppb; -100..150 degrees, what is beyond counts as that. */
int32_t meter_crystal_error(const struct meter_crystal *x, int32_t mc);

struct meter_clock {
    uint8_t doubt;    /* DATETIME_INVALID, DATETIME_DOUBTFUL or 0; cleared by setting */
    uint16_t shift_s; /* corrections up to this leave no mark */
    /* attributes 3, 7, 8 */
    int16_t zone_min;
    int8_t dst_min;
    bool dst_on;
    /* what runs */
    int64_t base_ns;   /* crystal, nanoseconds since 1970 of a scale of its own */
    int64_t offset_ns; /* clock = base + offset */
    struct meter_crystal crystal;
    int32_t temperature_mc; /* told last */
    int32_t rate_ppb;       /* taken off for each second of the crystal now */
    int32_t rest;           /* 1e-9 ns that are still to be taken off */
    int64_t ahead_ns;       /* base_ns is so much before what the crystal was last seen to show */
    uint32_t season_s;      /* when summer time begins or ends next: meter_time.c */
    /* attributes 5 and 6 */
    uint8_t dst_begin[DATETIME_LEN], dst_end[DATETIME_LEN];
    /* methods 4 and 5; preset_to_s < preset_from_s: none */
    int64_t preset_s, preset_from_s, preset_to_s;
    uint32_t n_pulses, n_ignored; /* of a master clock, since power-up */
};

/* Central Europe: UTC+1, summer time from the last Sunday of March 02:00 to the last Sunday of
 * October 03:00. */
void meter_clock_reset(struct meter_clock *c);
int64_t meter_clock_ns(const struct meter_clock *c); /* UTC since 1970 */
uint32_t meter_clock_s(const struct meter_clock *c); /* the same, whole seconds passed */
void meter_clock_set_ns(struct meter_clock *c, int64_t utc_ns);
/* The crystal goes on to base_ns, which is not before what it shows. */
void meter_clock_run(struct meter_clock *c, int64_t base_ns);
/* From now on the crystal has this temperature, millidegree. */
void meter_clock_temperature(struct meter_clock *c, int32_t mc);
/* What the crystal will show, within a nanosecond, when the clock shows utc_ns at this rate; not
 * before what it shows now. */
int64_t meter_clock_crystal_at(const struct meter_clock *c, int64_t utc_ns);

/* A value that can be attribute 5 or 6: month and day (a date, the last or second last, or such a
 * weekday on or after it) and hour are given; a year, or every year. */
bool meter_clock_rule_valid(const struct datetime *d);
/* Whether summer time is in force at an instant: from a begin to the first end after it, in the
 * same year or, in the southern half of the earth, the next. A rule that names one year holds in
 * that year only; a begin without its end is none. */
bool meter_clock_dst(const struct meter_clock *c, uint32_t utc_s);
int16_t meter_clock_deviation(const struct meter_clock *c, uint32_t utc_s);
uint8_t meter_clock_status(const struct meter_clock *c, uint32_t utc_s);
/* Both of them: what a record says beside its instant. */
uint8_t meter_clock_stamp(const struct meter_clock *c, uint32_t utc_s, int16_t *deviation);
/* Attribute 2. */
struct datetime meter_clock_now(const struct meter_clock *c);
/* UTC of a value, whose open fields mean their least (upper false) or greatest instant. Without a
 * deviation it is local time: in the hour that comes twice the first or, with upper, the second; in
 * the hour that does not come, as if summer time had not begun. ERR_RANGE. */
MUST_CHECK enum err meter_clock_utc(const struct meter_clock *c, const struct datetime *d,
                                    bool upper, int64_t *utc_s);
/* The first instant after utc_s that ends a period of this length: a multiple of it in local
 * standard time, so that the grid does not move with summer time; a day ends at local midnight. */
uint32_t meter_clock_boundary(const struct meter_clock *c, uint32_t utc_s, uint32_t period_s);
/* The end of a period that is next to an instant, before or after it, ns; midway the one after. */
int64_t meter_clock_nearest(const struct meter_clock *c, int64_t utc_ns, uint32_t period_s);
/* The first instant after utc_s at which summer time begins or ends. Where the rules have none in
 * sight: some months later, to look again. */
uint32_t meter_clock_season(const struct meter_clock *c, uint32_t utc_s);

/* The first of the next month, 00:00 local time. */
uint32_t meter_clock_month_end(const struct meter_clock *c, uint32_t utc_s);

#endif
