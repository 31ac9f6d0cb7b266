/* Civil time against the C library of the host and by counting the days. */
#include "lib/base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LAST INT64_C(13569465599) /* 2399-12-31T23:59:59 */

static void civil_counts_every_day_from_1970_to_2399(void **state)
{
    (void)state;
    int64_t day = 0;
    for (int32_t year = 1970; year <= 2399; year++)
        for (uint8_t month = 1; month <= 12; month++)
            for (uint8_t d = 1; d <= civil_days_in_month(year, month); d++, day++) {
                struct civil c = {.year = year, .month = month, .day = d, .hour = 23};
                assert_true(civil_to_seconds(&c) == day * 86400 + 23 * 3600);
                assert_int_equal(civil_weekday(year, month, d), (day + 3) % 7 + 1);
                struct civil back = civil_from_seconds(day * 86400 + 23 * 3600);
                assert_int_equal(back.year, year);
                assert_int_equal(back.month, month);
                assert_int_equal(back.day, d);
                assert_int_equal(back.hour, 23);
            }
    assert_true(day * 86400 - 1 == LAST);
}

static void civil_equals_the_host_for_odd_instants(void **state)
{
    (void)state;
    for (int64_t s = 0; s <= LAST; s += 999983 * 7) {
        time_t t = (time_t)s;
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        struct civil c = civil_from_seconds(s);
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(c.hour, tm.tm_hour);
        assert_int_equal(c.minute, tm.tm_min);
        assert_int_equal(c.second, tm.tm_sec);
        assert_true(civil_valid(&c));
        assert_true(civil_to_seconds(&c) == s);
    }
}

static void civil_knows_leap_years_of_centuries(void **state)
{
    (void)state;
    assert_int_equal(civil_days_in_month(2000, 2), 29);
    assert_int_equal(civil_days_in_month(2100, 2), 28);
    assert_int_equal(civil_days_in_month(2024, 2), 29);
    assert_int_equal(civil_days_in_month(2026, 2), 28);
    assert_int_equal(civil_days_in_month(2026, 0), 0);
    assert_int_equal(civil_days_in_month(2026, 13), 0);
}

static void civil_saturates_when_out_of_range(void **state)
{
    (void)state;
    assert_int_equal(civil_from_seconds(INT64_MIN).year, 1970);
    assert_int_equal(civil_from_seconds(-1).second, 0);
    struct civil last = civil_from_seconds(INT64_MAX);
    assert_true(civil_to_seconds(&last) == LAST);
}

static void civil_refuses_what_is_no_date(void **state)
{
    (void)state;
    const struct civil bad[] = {
        {1969, 12, 31, 0, 0, 0}, {2400, 1, 1, 0, 0, 0},  {2026, 0, 1, 0, 0, 0},
        {2026, 13, 1, 0, 0, 0},  {2026, 2, 29, 0, 0, 0}, {2026, 1, 0, 0, 0, 0},
        {2026, 1, 1, 24, 0, 0},  {2026, 1, 1, 0, 60, 0}, {2026, 1, 1, 0, 0, 60},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(civil_valid(&bad[i]));
        assert_true(civil_to_seconds(&bad[i]) == -1);
    }
    assert_int_equal(civil_weekday(2026, 2, 29), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(civil_counts_every_day_from_1970_to_2399),
        cmocka_unit_test(civil_equals_the_host_for_odd_instants),
        cmocka_unit_test(civil_knows_leap_years_of_centuries),
        cmocka_unit_test(civil_saturates_when_out_of_range),
        cmocka_unit_test(civil_refuses_what_is_no_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
