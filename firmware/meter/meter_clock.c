/* See meter_clock.h. Keeps no time zone tables: the rule is attributes 3 and 5 to 8 of class 8. */
#include "firmware/meter/meter_clock.h"

#include "lib/base/civil.h"

#include <string.h>

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static uint32_t seconds(int64_t utc_ns)
{
    return (uint32_t)(utc_ns / METER_NS);
}

void meter_clock_reset(struct meter_clock *c)
{
    static const uint8_t begin[DATETIME_LEN] = {0xFF, 0xFF, 3, DATETIME_LAST, 7,    2,
                                                0,    0,    0, 0x80,          0x00, 0};
    static const uint8_t end[DATETIME_LEN] = {0xFF, 0xFF, 10, DATETIME_LAST, 7,    3,
                                              0,    0,    0,  0x80,          0x00, 0};
    *c = (struct meter_clock){.zone_min = -60,
                              .dst_min = 60,
                              .dst_on = true,
                              .preset_to_s = -1,
                              .shift_s = METER_SHIFT_LIMIT_S};
    memcpy(c->dst_begin, begin, sizeof begin);
    memcpy(c->dst_end, end, sizeof end);
}

int64_t meter_clock_ns(const struct meter_clock *c)
{
    return c->base_ns + c->offset_ns;
}

uint32_t meter_clock_s(const struct meter_clock *c)
{
    return seconds(meter_clock_ns(c));
}

void meter_clock_set_ns(struct meter_clock *c, int64_t utc_ns)
{
    c->offset_ns = utc_ns - c->base_ns;
    c->doubt = 0;
}

/* ---- the crystal ---- */

#define PPB        1000000000
#define MC_MIN     (-100000)
#define MC_MAX     150000
#define MK2_PER_K2 1000000

const char *meter_crystal_name(unsigned part)
{
    static const char *const names[METER_N_CRYSTAL] = {"CRYSTAL_PPB", "CRYSTAL_PPB_K2",
                                                       "CRYSTAL_TURNOVER_MC"};
    return part < METER_N_CRYSTAL ? names[part] : "";
}

int32_t meter_crystal_part(const struct meter_crystal *x, unsigned part)
{
    const int32_t of[METER_N_CRYSTAL] = {x->ppb, x->ppb_per_k2, x->turnover_mc};
    return part < METER_N_CRYSTAL ? of[part] : 0;
}

bool meter_crystal_put(struct meter_crystal *x, unsigned part, int64_t value)
{
    struct meter_crystal changed = *x;
    int32_t *const of[METER_N_CRYSTAL] = {&changed.ppb, &changed.ppb_per_k2, &changed.turnover_mc};
    if (part >= METER_N_CRYSTAL || value < INT32_MIN || value > INT32_MAX)
        return false;
    *of[part] = (int32_t)value;
    if (!meter_crystal_valid(&changed))
        return false;
    *x = changed;
    return true;
}

bool meter_crystal_valid(const struct meter_crystal *x)
{
    return x->ppb >= -METER_CRYSTAL_PPB_MAX && x->ppb <= METER_CRYSTAL_PPB_MAX &&
           x->ppb_per_k2 >= -METER_CRYSTAL_PPB_K2_MAX &&
           x->ppb_per_k2 <= METER_CRYSTAL_PPB_K2_MAX && x->turnover_mc >= 0 &&
           x->turnover_mc <= METER_TURNOVER_MAX_MC;
}

int32_t meter_crystal_error(const struct meter_crystal *x, int32_t mc)
{
    mc = mc < MC_MIN ? MC_MIN : mc > MC_MAX ? MC_MAX : mc;
    int64_t away = (int64_t)mc - x->turnover_mc;
    int64_t parabola = away * away * x->ppb_per_k2; /* below 6e12 */
    return (int32_t)(x->ppb + floor_div(parabola + MK2_PER_K2 / 2, MK2_PER_K2));
}

/* A crystal that is fast by e shows 1 + e for each second: of what it shows e / (1 + e) is too
 * much, and the square is felt from 30 ppm on. */
void meter_clock_temperature(struct meter_clock *c, int32_t mc)
{
    int64_t e = meter_crystal_error(&c->crystal, mc);
    c->rate_ppb = (int32_t)floor_div(2 * e * PPB + PPB + e, 2 * (PPB + e)); /* to the nearest */
    c->temperature_mc = mc;
}

/* n * rate / of without overflow for all spans of a clock; *rest goes in and comes out. */
static int64_t part(int64_t n, int64_t rate, int64_t of, int32_t *rest)
{
    int64_t below = n % of * rate + *rest;
    *rest = (int32_t)(below % of);
    return n / of * rate + below / of;
}

void meter_clock_run(struct meter_clock *c, int64_t base_ns)
{
    c->offset_ns -= part(base_ns - c->base_ns, c->rate_ppb, PPB, &c->rest);
    c->base_ns = base_ns;
}

int64_t meter_clock_crystal_at(const struct meter_clock *c, int64_t utc_ns)
{
    int64_t ns = utc_ns - meter_clock_ns(c);
    if (ns <= 0)
        return c->base_ns;
    int32_t none = 0;
    return c->base_ns + ns + part(ns, c->rate_ppb, PPB - c->rate_ppb, &none);
}

/* ---- summer time ---- */

/* Day of the month a rule means: a number is the first such weekday on or after it, `last` and
 * `second last` the last such weekday, or the one a week before it. Not in the month: it says
 * none. */
static uint8_t rule_day(const struct datetime *d, int32_t year)
{
    const int step = d->weekday == DATETIME_ANY ? 1 : 7;
    int day = d->day;
    if (day == DATETIME_LAST || day == DATETIME_SECOND_LAST)
        day = civil_days_in_month(year, d->month) + 1 - (day == DATETIME_LAST ? step : 2 * step);
    if (step > 1)
        day += (d->weekday + 7 - civil_weekday(year, d->month, (uint8_t)day)) % 7;
    return (uint8_t)day;
}

bool meter_clock_rule_valid(const struct datetime *d)
{
    const bool counted = d->day >= 1 && d->day <= 31;
    const bool from_end = d->day == DATETIME_LAST || d->day == DATETIME_SECOND_LAST;
    return d->month >= 1 && d->month <= 12 && (counted || from_end) && d->hour != DATETIME_ANY &&
           (from_end || d->day <= civil_days_in_month(2000, d->month));
}

/* The instant a rule names in a year, UTC; deviation: of the local time it is written in. 0: it
 * names none. *in_force: it is a rule of every year, or of this one. */
static uint32_t rule_instant(const uint8_t rule[DATETIME_LEN], int32_t year, int32_t deviation,
                             bool *in_force)
{
    struct datetime d;
    if (datetime_decode(rule, &d) != ERR_OK)
        return 0;
    const struct civil t = {.year = year,
                            .month = d.month,
                            .day = rule_day(&d, year),
                            .hour = d.hour,
                            .minute = d.minute == DATETIME_ANY ? 0 : d.minute,
                            .second = d.second == DATETIME_ANY ? 0 : d.second};
    if (d.deviation != DATETIME_ANY_DEV)
        deviation = d.deviation;
    *in_force = d.year == DATETIME_ANY_YEAR || d.year == year;
    return civil_valid(&t) ? (uint32_t)(civil_to_seconds(&t) + deviation * 60) : 0;
}

static int32_t summer_deviation(const struct meter_clock *c)
{
    return c->zone_min - c->dst_min;
}

struct summer {
    uint32_t begin, end;
};

/* The summer that begins in a year; false: there is none. */
static bool summer_of(const struct meter_clock *c, int32_t year, struct summer *s)
{
    bool begins, ends;
    s->begin = rule_instant(c->dst_begin, year, c->zone_min, &begins);
    s->end = rule_instant(c->dst_end, year, summer_deviation(c), &ends);
    if (s->begin == 0 || s->end == 0)
        return false;
    if (s->end < s->begin)
        s->end = rule_instant(c->dst_end, year + 1, summer_deviation(c), &ends);
    return begins && ends && s->end > s->begin;
}

#define LOOK_AGAIN_S (100u * 86400u)

/* Whether it is summer; *next: when one begins or ends. */
static bool is_summer(const struct meter_clock *c, uint32_t utc_s, uint32_t *next)
{
    const int32_t year = civil_from_seconds((int64_t)utc_s - c->zone_min * 60).year;
    bool is = false;
    *next = utc_s + LOOK_AGAIN_S;
    for (int32_t y = year - 1; y <= year + 1 && c->dst_on; y++) {
        struct summer s;
        if (!summer_of(c, y, &s))
            continue;
        if (s.begin > utc_s && s.begin < *next)
            *next = s.begin;
        if (s.end > utc_s && s.end < *next)
            *next = s.end;
        is |= s.begin <= utc_s && utc_s < s.end;
    }
    return is;
}

bool meter_clock_dst(const struct meter_clock *c, uint32_t utc_s)
{
    uint32_t next;
    return is_summer(c, utc_s, &next);
}

uint32_t meter_clock_season(const struct meter_clock *c, uint32_t utc_s)
{
    uint32_t next;
    (void)is_summer(c, utc_s, &next);
    return next;
}

uint8_t meter_clock_stamp(const struct meter_clock *c, uint32_t utc_s, int16_t *deviation)
{
    const bool dst = meter_clock_dst(c, utc_s);
    *deviation = (int16_t)(dst ? summer_deviation(c) : c->zone_min);
    return (uint8_t)(c->doubt | (dst ? DATETIME_DST : 0));
}

int16_t meter_clock_deviation(const struct meter_clock *c, uint32_t utc_s)
{
    int16_t deviation;
    (void)meter_clock_stamp(c, utc_s, &deviation);
    return deviation;
}

uint8_t meter_clock_status(const struct meter_clock *c, uint32_t utc_s)
{
    int16_t deviation;
    return meter_clock_stamp(c, utc_s, &deviation);
}

struct datetime meter_clock_now(const struct meter_clock *c)
{
    const uint32_t s = meter_clock_s(c);
    int16_t deviation;
    const uint8_t status = meter_clock_stamp(c, s, &deviation);
    struct datetime d = datetime_from_utc(s, deviation, status);
    d.hundredths = (uint8_t)((uint32_t)(meter_clock_ns(c) - s * METER_NS) / (METER_NS / 100));
    return d;
}

/* ---- local time ---- */

/* UTC of local time: in the hour that comes twice the first or, with upper, the second. Years that
 * the clock does not show give one deviation or the other. */
static int64_t of_local(const struct meter_clock *c, int64_t local_s, bool upper)
{
    const int64_t summer = local_s + summer_deviation(c) * 60;
    const int64_t standard = local_s + c->zone_min * 60;
    if (meter_clock_dst(c, (uint32_t)summer) && !(upper && !meter_clock_dst(c, (uint32_t)standard)))
        return summer;
    return standard;
}

enum err meter_clock_utc(const struct meter_clock *c, const struct datetime *d, bool upper,
                         int64_t *utc_s)
{
    enum err err = datetime_bound(d, 0, upper, utc_s);
    if (!err && d->deviation == DATETIME_ANY_DEV && d->year != DATETIME_ANY_YEAR)
        *utc_s = of_local(c, *utc_s, upper);
    return err;
}

static uint32_t local_of(const struct meter_clock *c, uint32_t utc_s)
{
    return utc_s - (uint32_t)(meter_clock_deviation(c, utc_s) * 60);
}

uint32_t meter_clock_boundary(const struct meter_clock *c, uint32_t utc_s, uint32_t period_s)
{
    const bool is_day = period_s == METER_DAY_S;
    const uint32_t zone_s = (uint32_t)(c->zone_min * 60);
    const uint32_t local_s = is_day ? local_of(c, utc_s) : utc_s - zone_s;
    const uint32_t end_s = (local_s / period_s + 1) * period_s;
    return is_day ? (uint32_t)of_local(c, end_s, false) : end_s + zone_s;
}

int64_t meter_clock_nearest(const struct meter_clock *c, int64_t utc_ns, uint32_t period_s)
{
    const uint32_t after = meter_clock_boundary(c, seconds(utc_ns), period_s);
    uint32_t before = after - period_s;
    if (period_s == METER_DAY_S) /* local days have 22 to 26 hours */
        before = meter_clock_boundary(c, after - METER_DAY_S * 3 / 2, METER_DAY_S);
    const bool up = after * METER_NS - utc_ns <= utc_ns - before * METER_NS;
    return (up ? after : before) * METER_NS;
}

uint32_t meter_clock_month_end(const struct meter_clock *c, uint32_t utc_s)
{
    const struct civil now = civil_from_seconds(local_of(c, utc_s));
    const struct civil next = {
        .year = now.year + now.month / 12, .month = (uint8_t)(now.month % 12 + 1), .day = 1};
    return (uint32_t)of_local(c, civil_to_seconds(&next), false);
}
