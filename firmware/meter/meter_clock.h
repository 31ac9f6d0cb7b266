/* The meter's clock: UTC inside, local time with daylight saving only at the edges (class 8).
 *
 * It does not run by itself: the meter moves base_ns by the time its samples lasted. `base` is the
 * count of the real-time crystal, which nobody can set; setting the clock changes the offset, which
 * is stored, so that a restart knows the set time again from the crystal alone. Signs as in COSEM:
 * UTC = local + deviation; Central Europe has time_zone -60 and a summer deviation of +60. Pure
 * functions but for the two that move the clock. Blue Book 4.5.1. */
#ifndef FERRARIS_METER_CLOCK_H
#define FERRARIS_METER_CLOCK_H

#include "lib/dlms/datetime.h"

#include <stdbool.h>

#define METER_NS    INT64_C(1000000000)
#define METER_DAY_S 86400

struct meter_clock {
    int64_t base_ns;   /* crystal, nanoseconds since 1970 of a scale of its own */
    int64_t offset_ns; /* clock = base + offset */
    uint8_t doubt;     /* DATETIME_INVALID, DATETIME_DOUBTFUL or 0; cleared by setting */
    /* attributes 3, 5..8 */
    int16_t zone_min;
    int8_t dst_min;
    bool dst_on;
    uint8_t dst_begin[DATETIME_LEN], dst_end[DATETIME_LEN];
    /* methods 4 and 5; preset_to_s < preset_from_s: none */
    int64_t preset_s, preset_from_s, preset_to_s;
};

/* Central Europe: UTC+1, summer time from the last Sunday of March 02:00 to the last Sunday of
 * October 03:00. */
void meter_clock_reset(struct meter_clock *c);
int64_t meter_clock_ns(const struct meter_clock *c); /* UTC since 1970 */
int64_t meter_clock_s(const struct meter_clock *c);  /* the same, whole seconds passed */
void meter_clock_set_ns(struct meter_clock *c, int64_t utc_ns);

/* Whether summer time is in force at an instant. A rule that names one year holds in that year
 * only. */
bool meter_clock_dst(const struct meter_clock *c, int64_t utc_s);
int16_t meter_clock_deviation(const struct meter_clock *c, int64_t utc_s);
uint8_t meter_clock_status(const struct meter_clock *c, int64_t utc_s);
/* Attribute 2. */
struct datetime meter_clock_now(const struct meter_clock *c);
/* UTC of a value, whose open fields mean their least (upper false) or greatest instant. Without a
 * deviation it is local time: in the hour that comes twice the first or, with upper, the second; in
 * the hour that does not come, as if summer time had not begun. ERR_RANGE. */
MUST_CHECK enum err meter_clock_utc(const struct meter_clock *c, const struct datetime *d,
                                    bool upper, int64_t *utc_s);
/* The first instant after utc_s that ends a period of this length: a multiple of it in local
 * standard time, so that the grid does not move with summer time; a day ends at local midnight. */
int64_t meter_clock_boundary(const struct meter_clock *c, int64_t utc_s, uint32_t period_s);

#endif
