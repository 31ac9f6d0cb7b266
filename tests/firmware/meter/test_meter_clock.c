/* Clock and daylight saving: both change days to the second, other rules, local times that come
 * twice or never, period grids. */
#include "firmware/meter/meter_clock.h"
#include "lib/base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint32_t utc(const char *text)
{
    int y, mo, d, h, mi, s;
    assert_int_equal(sscanf(text, "%d-%d-%dT%d:%d:%d", &y, &mo, &d, &h, &mi, &s), 6);
    struct civil c = {y, (uint8_t)mo, (uint8_t)d, (uint8_t)h, (uint8_t)mi, (uint8_t)s};
    return (uint32_t)civil_to_seconds(&c);
}

static void clock_changes_at_the_second_of_central_europe(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *end; /* UTC, first second of summer and of winter time */
    } years[] = {{"2000-03-26T01:00:00", "2000-10-29T01:00:00"},
                 {"2024-03-31T01:00:00", "2024-10-27T01:00:00"},
                 {"2025-03-30T01:00:00", "2025-10-26T01:00:00"},
                 {"2026-03-29T01:00:00", "2026-10-25T01:00:00"},
                 {"2027-03-28T01:00:00", "2027-10-31T01:00:00"},
                 {"2038-03-28T01:00:00", "2038-10-31T01:00:00"},
                 {"2099-03-29T01:00:00", "2099-10-25T01:00:00"}};
    struct meter_clock c;
    meter_clock_reset(&c);
    for (size_t i = 0; i < sizeof years / sizeof years[0]; i++) {
        uint32_t begin = utc(years[i].begin), end = utc(years[i].end);
        assert_int_equal(meter_clock_deviation(&c, begin - 1), -60);
        assert_int_equal(meter_clock_deviation(&c, begin), -120);
        assert_int_equal(meter_clock_deviation(&c, end - 1), -120);
        assert_int_equal(meter_clock_deviation(&c, end), -60);
        assert_int_equal(meter_clock_status(&c, begin), DATETIME_DST);
        assert_int_equal(meter_clock_status(&c, end), 0);
    }
    c.dst_on = false;
    assert_int_equal(meter_clock_deviation(&c, utc(years[3].begin)), -60);
}

static void clock_follows_rules_of_other_shape(void **state)
{
    (void)state;
    struct meter_clock c;
    meter_clock_reset(&c);
    /* southern: first Sunday of October 02:00 to first Sunday of April 03:00, UTC+10 */
    static const uint8_t begin[12] = {0xFF, 0xFF, 10, 1, 7, 2, 0, 0, 0, 0x80, 0, 0};
    static const uint8_t end[12] = {0xFF, 0xFF, 4, 1, 7, 3, 0, 0, 0, 0x80, 0, 0};
    c.zone_min = -600;
    memcpy(c.dst_begin, begin, 12);
    memcpy(c.dst_end, end, 12);
    assert_false(meter_clock_dst(&c, utc("2026-10-03T15:59:59")));
    assert_true(meter_clock_dst(&c, utc("2026-10-03T16:00:00")));
    assert_true(meter_clock_dst(&c, utc("2026-04-04T15:59:59")));
    assert_false(meter_clock_dst(&c, utc("2026-04-04T16:00:00")));
    assert_true(meter_clock_dst(&c, utc("2026-12-31T23:00:00")));
    /* one year only, by date */
    static const uint8_t once[12] = {0x07, 0xEA, 5, 10, 0xFF, 2, 0, 0, 0, 0x80, 0, 0};
    static const uint8_t until[12] = {0x07, 0xEA, 6, 10, 0xFF, 3, 0, 0, 0, 0x80, 0, 0};
    c.zone_min = -60;
    memcpy(c.dst_begin, once, 12);
    memcpy(c.dst_end, until, 12);
    assert_true(meter_clock_dst(&c, utc("2026-05-10T01:00:00")));
    assert_false(meter_clock_dst(&c, utc("2026-06-10T01:00:00")));
    assert_false(meter_clock_dst(&c, utc("2027-05-20T01:00:00")));
    /* second last Sunday */
    static const uint8_t second[12] = {0xFF, 0xFF, 3, 0xFD, 7, 2, 0, 0, 0, 0x80, 0, 0};
    meter_clock_reset(&c);
    memcpy(c.dst_begin, second, 12);
    assert_false(meter_clock_dst(&c, utc("2026-03-22T00:59:59")));
    assert_true(meter_clock_dst(&c, utc("2026-03-22T01:00:00")));
}

static int64_t local(const struct meter_clock *c, uint8_t month, uint8_t day, uint8_t hour,
                     uint8_t minute, bool upper)
{
    struct datetime d = {.year = 2026,
                         .month = month,
                         .day = day,
                         .weekday = DATETIME_ANY,
                         .hour = hour,
                         .minute = minute,
                         .deviation = DATETIME_ANY_DEV};
    int64_t s;
    assert_int_equal(meter_clock_utc(c, &d, upper, &s), ERR_OK);
    return s;
}

static void clock_resolves_local_time_that_comes_twice_or_never(void **state)
{
    (void)state;
    struct meter_clock c;
    meter_clock_reset(&c);
    assert_int_equal(local(&c, 1, 1, 0, 0, false), utc("2025-12-31T23:00:00"));
    assert_int_equal(local(&c, 7, 1, 0, 0, false), utc("2026-06-30T22:00:00"));
    assert_int_equal(local(&c, 7, 1, 0, 0, true), utc("2026-06-30T22:00:00"));
    /* twice */
    assert_int_equal(local(&c, 10, 25, 2, 30, false), utc("2026-10-25T00:30:00"));
    assert_int_equal(local(&c, 10, 25, 2, 30, true), utc("2026-10-25T01:30:00"));
    /* never: read as winter time */
    assert_int_equal(local(&c, 3, 29, 2, 30, false), utc("2026-03-29T01:30:00"));
    assert_int_equal(local(&c, 3, 29, 3, 0, false), utc("2026-03-29T01:00:00"));
    assert_int_equal(local(&c, 3, 29, 1, 59, true), utc("2026-03-29T00:59:00"));
}

static void clock_finds_boundaries_over_both_change_days(void **state)
{
    (void)state;
    struct meter_clock c;
    meter_clock_reset(&c);
    static const struct {
        const char *day, *next; /* local midnights, UTC */
        unsigned quarters, hours;
    } days[] = {{"2026-03-28T23:00:00", "2026-03-29T22:00:00", 92, 23},
                {"2026-10-24T22:00:00", "2026-10-25T23:00:00", 100, 25},
                {"2026-06-30T22:00:00", "2026-07-01T22:00:00", 96, 24}};
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        uint32_t day = utc(days[i].day), next = utc(days[i].next);
        assert_int_equal(meter_clock_boundary(&c, day, 86400), next);
        assert_int_equal(meter_clock_boundary(&c, next - 1, 86400), next);
        unsigned n = 0;
        for (uint32_t t = day; t < next; t = meter_clock_boundary(&c, t, 900))
            n++;
        assert_int_equal(n, days[i].quarters);
        n = 0;
        for (uint32_t t = day; t < next; t = meter_clock_boundary(&c, t, 3600))
            n++;
        assert_int_equal(n, days[i].hours);
    }
    c.zone_min = -330; /* half an hour off: hours end at half past in UTC */
    c.dst_on = false;
    assert_int_equal(meter_clock_boundary(&c, utc("2026-01-01T00:00:00"), 3600),
                     utc("2026-01-01T00:30:00"));
}

static void clock_counts_from_the_crystal_when_set(void **state)
{
    (void)state;
    struct meter_clock c;
    meter_clock_reset(&c);
    c.base_ns = utc("2026-01-01T00:00:00") * METER_NS;
    c.doubt = DATETIME_INVALID;
    meter_clock_set_ns(&c, utc("2030-05-05T05:05:05") * METER_NS + 990000000);
    assert_int_equal(meter_clock_s(&c), utc("2030-05-05T05:05:05"));
    assert_int_equal(meter_clock_now(&c).hundredths, 99);
    assert_int_equal(meter_clock_now(&c).status, DATETIME_DST);
    c.base_ns += 10000000;
    assert_int_equal(meter_clock_s(&c), utc("2030-05-05T05:05:06"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_changes_at_the_second_of_central_europe),
        cmocka_unit_test(clock_follows_rules_of_other_shape),
        cmocka_unit_test(clock_resolves_local_time_that_comes_twice_or_never),
        cmocka_unit_test(clock_finds_boundaries_over_both_change_days),
        cmocka_unit_test(clock_counts_from_the_crystal_when_set),
    };
    return cmocka_run_group_tests_name("meter_clock", tests, NULL, NULL);
}
