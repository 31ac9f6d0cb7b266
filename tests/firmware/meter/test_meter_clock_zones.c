/* The clock's zones and rules against the C library's own reckoning of them (POSIX TZ strings need
 * no zone files), for every season of the clock's hundred years; rules of one year; rules that are
 * none. */
#include "firmware/meter/meter_clock.h"
#include "lib/base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define ANY       DATETIME_ANY
#define FROM      INT64_C(946684800)  /* 2000-01-01 */
#define TO        INT64_C(4102444800) /* 2100-01-01 */
#define STRIDE_S  (31 * 3600 + 17)
#define AT_MOST_S (366 * INT64_C(86400))

struct rule {
    uint8_t month, day, weekday, hour, minute;
};
static const struct zone {
    const char *name, *tz;
    int16_t zone_min;
    int8_t dst_min;
    struct rule begin, end;
} zones[] = {
    {"Central Europe",
     "CET-1CEST,M3.5.0,M10.5.0/3",
     -60,
     60,
     {3, 0xFE, 7, 2, 0},
     {10, 0xFE, 7, 3, 0}},
    {"Britain", "GMT0BST,M3.5.0/1,M10.5.0", 0, 60, {3, 0xFE, 7, 1, 0}, {10, 0xFE, 7, 2, 0}},
    {"Eastern Europe",
     "EET-2EEST,M3.5.0/3,M10.5.0/4",
     -120,
     60,
     {3, 0xFE, 7, 3, 0},
     {10, 0xFE, 7, 4, 0}},
    {"New York", "EST5EDT,M3.2.0,M11.1.0", 300, 60, {3, 8, 7, 2, 0}, {11, 1, 7, 2, 0}},
    {"Newfoundland", "NST3:30NDT,M3.2.0,M11.1.0", 210, 60, {3, 8, 7, 2, 0}, {11, 1, 7, 2, 0}},
    {"Sydney", "AEST-10AEDT,M10.1.0,M4.1.0/3", -600, 60, {10, 1, 7, 2, 0}, {4, 1, 7, 3, 0}},
    {"Lord Howe",
     "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
     -630,
     30,
     {10, 1, 7, 2, 0},
     {4, 1, 7, 2, 0}},
    {"New Zealand", "NZST-12NZDT,M9.5.0,M4.1.0/3", -720, 60, {9, 0xFE, 7, 2, 0}, {4, 1, 7, 3, 0}},
    {"Chile", "<-04>4<-03>,M9.1.6/24,M4.1.6/24", 240, 60, {9, 2, 7, 0, 0}, {4, 2, 7, 0, 0}},
    {"fixed days",
     "<+0330>-3:30<+0430>,J80/0,J264/0",
     -210,
     60,
     {3, 21, ANY, 0, 0},
     {9, 21, ANY, 0, 0}},
    {"fourth Sunday", "XST-1XDT,M3.4.0/2,M10.4.0/3", -60, 60, {3, 22, 7, 2, 0}, {10, 22, 7, 3, 0}},
    {"over the year's end",
     "XST-1XDT,J364/23,J2/1:30",
     -60,
     60,
     {12, 30, ANY, 23, 0},
     {1, 2, ANY, 1, 30}},
    {"two hours", "XST0XDT-2,M4.1.5/4,M9.3.3/5", 0, 120, {4, 1, 5, 4, 0}, {9, 15, 3, 5, 0}},
    {"India, none", "IST-5:30", -330, 0, {0}, {0}},
    {"Nepal, none", "<+0545>-5:45", -345, 0, {0}, {0}},
};
#define N_ZONES (sizeof zones / sizeof zones[0])

static void put_rule(const struct rule *r, uint16_t year, uint8_t out[DATETIME_LEN])
{
    const struct datetime d = {.year = year,
                               .month = r->month,
                               .day = r->day,
                               .weekday = r->weekday,
                               .hour = r->hour,
                               .minute = r->minute,
                               .deviation = DATETIME_ANY_DEV};
    assert_true(meter_clock_rule_valid(&d));
    datetime_encode(&d, out);
}

static struct meter_clock clock_of(const struct zone *z)
{
    struct meter_clock c;
    meter_clock_reset(&c);
    c.zone_min = z->zone_min;
    c.dst_min = z->dst_min;
    c.dst_on = z->dst_min != 0;
    if (c.dst_on) {
        put_rule(&z->begin, DATETIME_ANY_YEAR, c.dst_begin);
        put_rule(&z->end, DATETIME_ANY_YEAR, c.dst_end);
    }
    return c;
}

/* Minutes from local time to UTC, as the C library has it. */
static int library_deviation(uint32_t utc_s)
{
    struct tm tm;
    time_t t = (time_t)utc_s;
    assert_non_null(localtime_r(&t, &tm));
    return (int)(-tm.tm_gmtoff / 60);
}

static void same(const struct zone *z, const struct meter_clock *c, uint32_t utc_s)
{
    if (meter_clock_deviation(c, utc_s) != library_deviation(utc_s))
        fail_msg("%s at %lld: %d, not %d", z->name, (long long)utc_s,
                 meter_clock_deviation(c, utc_s), library_deviation(utc_s));
}

static void enter(const struct zone *z)
{
    assert_int_equal(setenv("TZ", z->tz, 1), 0);
    tzset();
}

static void zones_agree_with_the_c_library_for_a_hundred_years(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ZONES; i++) {
        struct meter_clock c = clock_of(&zones[i]);
        enter(&zones[i]);
        for (uint32_t t = FROM; t < TO; t += STRIDE_S)
            same(&zones[i], &c, t);
    }
}

/* Every season from meter_clock_season() is one of the library's, to the second, and as many as
 * there must be. */
static void seasons_are_found_to_the_second(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ZONES; i++) {
        struct meter_clock c = clock_of(&zones[i]);
        unsigned n = 0;
        enter(&zones[i]);
        for (uint32_t t = FROM; (t = meter_clock_season(&c, t)) < TO;) {
            same(&zones[i], &c, t - 1);
            same(&zones[i], &c, t);
            n += meter_clock_deviation(&c, t) != meter_clock_deviation(&c, t - 1);
        }
        if (n != (zones[i].dst_min != 0 ? 200 : 0))
            fail_msg("%s: %u seasons in a hundred years", zones[i].name, n);
    }
}

/* Each boundary of a day is 00:00:00 local, no day is longer than 26 hours, and all days together
 * are the years; hours stand on the grid of standard time. */
static void days_and_hours_tile_the_years(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_ZONES; i++) {
        struct meter_clock c = clock_of(&zones[i]);
        unsigned odd = 0;
        const uint32_t from = FROM + 25 * AT_MOST_S;
        for (uint32_t t = meter_clock_boundary(&c, from, 86400); t < from + 2 * AT_MOST_S;) {
            const uint32_t next = meter_clock_boundary(&c, t, 86400);
            struct datetime d = datetime_from_utc(t, meter_clock_deviation(&c, t), 0);
            bool skipped = d.hour != 0; /* a summer that begins at midnight: 00:00 does not come */
            if (d.minute != 0 || d.second != 0 ||
                (skipped && strcmp(zones[i].name, "Chile") != 0 &&
                 strcmp(zones[i].name, "fixed days") != 0))
                fail_msg("%s: a day begins at %u:%02u:%02u", zones[i].name, d.hour, d.minute,
                         d.second);
            assert_in_range(next - t, 22 * 3600, 26 * 3600);
            odd += next - t != 86400;
            assert_int_equal(meter_clock_boundary(&c, next - 1, 86400), next);
            assert_int_equal(((int64_t)meter_clock_boundary(&c, t, 3600) - c.zone_min * 60) % 3600,
                             0);
            assert_int_equal(meter_clock_nearest(&c, t * METER_NS + METER_NS, 86400), t * METER_NS);
            assert_int_equal(meter_clock_nearest(&c, next * METER_NS - 1, 86400), next * METER_NS);
            t = next;
        }
        assert_int_equal(odd, zones[i].dst_min != 0 ? 4 : 0);
    }
}

static uint32_t utc(int year, uint8_t month, uint8_t day, uint8_t hour)
{
    const struct civil c = {.year = year, .month = month, .day = day, .hour = hour};
    return (uint32_t)civil_to_seconds(&c);
}

static void rule_of_one_year_holds_in_it_alone(void **state)
{
    (void)state;
    struct meter_clock c = clock_of(&zones[0]);
    put_rule(&zones[0].begin, 2026, c.dst_begin);
    put_rule(&zones[0].end, 2026, c.dst_end);
    assert_false(meter_clock_dst(&c, utc(2025, 7, 1, 0)));
    assert_true(meter_clock_dst(&c, utc(2026, 7, 1, 0)));
    assert_false(meter_clock_dst(&c, utc(2026, 11, 1, 0)));
    assert_false(meter_clock_dst(&c, utc(2027, 7, 1, 0)));
    put_rule(&zones[0].end, 2027, c.dst_end); /* a begin whose end is not its own */
    assert_false(meter_clock_dst(&c, utc(2026, 7, 1, 0)));
    /* southern half: the end is of the next year */
    c = clock_of(&zones[5]);
    put_rule(&zones[5].begin, 2026, c.dst_begin);
    put_rule(&zones[5].end, 2027, c.dst_end);
    assert_false(meter_clock_dst(&c, utc(2026, 2, 1, 0)));
    assert_true(meter_clock_dst(&c, utc(2026, 12, 1, 0)));
    assert_true(meter_clock_dst(&c, utc(2027, 2, 1, 0)));
    assert_false(meter_clock_dst(&c, utc(2027, 12, 1, 0)));
    assert_false(meter_clock_dst(&c, utc(2028, 2, 1, 0)));
    /* far away the season is looked for in steps, and found */
    uint32_t t = utc(2020, 1, 1, 0);
    for (unsigned k = 0; k < 60 && !meter_clock_dst(&c, t); k++)
        t = meter_clock_season(&c, t);
    assert_int_equal(t, utc(2026, 10, 3, 16));
}

static void begin_that_is_the_end_is_no_summer(void **state)
{
    (void)state;
    struct meter_clock c = clock_of(&zones[0]);
    const struct rule at = {5, 1, ANY, 2, 0}, an_hour_later = {5, 1, ANY, 3, 0};
    put_rule(&at, DATETIME_ANY_YEAR, c.dst_begin);
    put_rule(&an_hour_later, DATETIME_ANY_YEAR, c.dst_end); /* in summer time: the same instant */
    for (uint32_t t = utc(2026, 1, 1, 0); t < utc(2028, 1, 1, 0); t += STRIDE_S)
        assert_false(meter_clock_dst(&c, t));
}

static void rule_may_carry_its_own_deviation(void **state)
{
    (void)state;
    struct meter_clock c = clock_of(&zones[0]);
    struct datetime d = {.year = DATETIME_ANY_YEAR,
                         .month = 3,
                         .day = DATETIME_LAST,
                         .weekday = 7,
                         .hour = 1,
                         .minute = 0,
                         .second = 0,
                         .deviation = 0};
    datetime_encode(&d, c.dst_begin); /* 01:00 UTC, all over the European Union */
    for (int y = 2000; y < 2100; y++) {
        struct meter_clock usual = clock_of(&zones[0]);
        uint32_t begin = meter_clock_season(&usual, utc(y, 1, 1, 0));
        assert_false(meter_clock_dst(&c, begin - 1));
        assert_true(meter_clock_dst(&c, begin));
    }
}

static void rule_without_month_day_or_hour_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint8_t month, day, hour;
        bool valid;
    } rules[] = {{3, DATETIME_LAST, 2, true},
                 {3, DATETIME_SECOND_LAST, 2, true},
                 {2, 29, 0, true},
                 {12, 31, 23, true},
                 {ANY, DATETIME_LAST, 2, false},
                 {3, ANY, 2, false},
                 {3, DATETIME_LAST, ANY, false},
                 {DATETIME_DST_BEGIN, 1, 2, false},
                 {DATETIME_DST_END, 1, 2, false},
                 {2, 30, 2, false},
                 {4, 31, 2, false},
                 {0, 1, 2, false},
                 {13, 1, 2, false},
                 {1, 0, 2, false}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct datetime d = {.year = DATETIME_ANY_YEAR,
                                   .month = rules[i].month,
                                   .day = rules[i].day,
                                   .weekday = ANY,
                                   .hour = rules[i].hour,
                                   .deviation = DATETIME_ANY_DEV};
        if (meter_clock_rule_valid(&d) != rules[i].valid)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zones_agree_with_the_c_library_for_a_hundred_years),
        cmocka_unit_test(seasons_are_found_to_the_second),
        cmocka_unit_test(days_and_hours_tile_the_years),
        cmocka_unit_test(rule_of_one_year_holds_in_it_alone),
        cmocka_unit_test(begin_that_is_the_end_is_no_summer),
        cmocka_unit_test(rule_may_carry_its_own_deviation),
        cmocka_unit_test(rule_without_month_day_or_hour_is_refused),
    };
    return cmocka_run_group_tests_name("meter_clock_zones", tests, NULL, NULL);
}
