/* When and from where: cases of clocks that were moved, and the spread of due times. */
#include "headend/collect/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define T0 INT64_C(1763683200) /* 2025-11-21T00:00:00Z */

/* A 15-minute profile, read completely at T0 + 12 s; its last row bears T0. */
static struct store_profile usual(void)
{
    return (struct store_profile){.period_s = 900,
                                  .first_s = T0 - 86400,
                                  .last_s = T0,
                                  .read_meter_s = T0 + 12,
                                  .read_ms = (T0 + 12) * 1000};
}

static int64_t from(const struct store_profile *p, int64_t meter_s, int64_t utc_s,
                    int64_t elapsed_s)
{
    const struct schedule_now now = {
        .meter_s = meter_s, .utc_ms = utc_s * 1000, .elapsed_s = elapsed_s};
    return schedule_from(p, &now);
}

static void schedule_from_is_a_period_before_the_last_row(void **state)
{
    (void)state;
    const struct store_profile p = usual();
    assert_int_equal(from(&p, T0 + 912, T0 + 912, 900), T0 - 900);
    assert_int_equal(from(&p, T0 + 912, T0 + 912, -1), T0 - 900); /* after a restart, too */
}

/* Without a row yet it is the clock at the last reading, less what two readings of it may differ.
 */
static void schedule_from_is_before_the_last_reading_when_nothing_is_stored(void **state)
{
    (void)state;
    struct store_profile p = usual();
    p.first_s = p.last_s = 0;
    assert_int_equal(from(&p, T0 + 912, T0 + 912, 900), T0 + 12 - 2 - 900);
}

static void schedule_from_is_everything_when_never_read(void **state)
{
    (void)state;
    struct store_profile p = usual();
    p.read_ms = p.read_meter_s = 0; /* rows of a reading that broke off are there */
    assert_int_equal(from(&p, T0 + 912, T0 + 912, -1), SCHEDULE_ALL);
    p = usual();
    p.reread = true;
    assert_int_equal(from(&p, T0 + 912, T0 + 912, 900), SCHEDULE_ALL);
}

/* Two hours back some time within the 900 s: rows since then bear at least T0 + 12 - 7200. */
static void schedule_from_reaches_rows_written_after_a_step_back(void **state)
{
    (void)state;
    const struct store_profile p = usual();
    const int64_t least_stamp = T0 + 12 - 7200;
    assert_true(from(&p, T0 + 912 - 7200, T0 + 912, 900) <= least_stamp - 900);
    assert_true(from(&p, T0 + 912 - 7200, T0 + 912, 900) > least_stamp - 2000); /* not everything */
    assert_int_equal(from(&p, T0 + 912 - 7200, T0 + 912, -1), SCHEDULE_ALL);    /* nobody knows E */
}

static void schedule_from_does_not_trust_our_clock_alone(void **state)
{
    (void)state;
    const struct store_profile p = usual();
    /* ours went back an hour: the meter's own time says how long it was */
    assert_int_equal(from(&p, T0 + 1812, T0 - 1800, 1800), T0 - 900);
    assert_int_equal(from(&p, T0 + 1812, T0 - 1800, -1), SCHEDULE_ALL);
    /* ours went forward: more is read, never less */
    assert_true(from(&p, T0 + 912, T0 + 36000, 900) <= T0 - 900);
    /* the machine slept: the monotonic clock stood still */
    assert_true(from(&p, T0 + 7212 - 3600, T0 + 7212, 10) <= T0 + 12 - 3600 - 900);
    assert_int_equal(from(&p, T0 + 912, T0 + INT64_C(500) * 86400, 900), SCHEDULE_ALL);
    assert_int_equal(from(&p, INT64_MIN, T0 + 1812, 900), SCHEDULE_ALL); /* it did not tell */
}

static void schedule_from_follows_a_step_forward(void **state)
{
    (void)state;
    const struct store_profile p = usual();
    assert_int_equal(from(&p, T0 + 912 + 86400, T0 + 912, 900), T0 - 900);
}

static void schedule_backlog_is_more_than_a_day(void **state)
{
    (void)state;
    assert_true(schedule_is_backlog(SCHEDULE_ALL, T0));
    assert_true(schedule_is_backlog(T0 - 86401, T0));
    assert_false(schedule_is_backlog(T0 - 86400, T0));
}

static void schedule_next_keeps_the_rhythm(void **state)
{
    (void)state;
    assert_int_equal(schedule_next(1000, 60000, 1003), 61000);
    assert_int_equal(schedule_next(1000, 60000, 61000), 121000);
    assert_int_equal(schedule_next(1000, 60000, 605000), 661000); /* nothing made up for */
    assert_int_equal(schedule_next(5000, 60000, 1000), 5000);
    assert_true(schedule_next(0, 0, 1000) > 1000);
}

static void schedule_profile_is_due_after_each_period(void **state)
{
    (void)state;
    for (int64_t meter = 1; meter <= 300; meter++) {
        const uint64_t wait = schedule_profile_wait(900, meter, T0 * 1000 + 400000);
        assert_in_range(wait, 500000 + 2000, 500000 + 17000);
        /* at that instant the next is a whole period away */
        assert_int_equal(schedule_profile_wait(900, meter, T0 * 1000 + 400000 + (int64_t)wait),
                         900000);
        assert_in_range(schedule_profile_wait(60, meter, T0 * 1000), 2000, 3000);
        assert_in_range(schedule_profile_wait(1, meter, T0 * 1000), 1, 1000);
        assert_in_range(schedule_profile_wait(86400, meter, T0 * 1000 + 1800000), 1802000, 1817000);
        assert_in_range(schedule_profile_wait(0, meter, T0 * 1000), 1, 3600000);
        assert_in_range(schedule_profile_wait(900, meter, -5), 1, 900000);
    }
}

static void schedule_profile_spreads_a_fleet(void **state)
{
    (void)state;
    unsigned in_second[15] = {0};
    for (int64_t meter = 1; meter <= 1500; meter++)
        in_second[(schedule_profile_wait(900, meter, T0 * 1000) - 2000) / 1000]++;
    for (size_t i = 0; i < 15; i++)
        assert_in_range(in_second[i], 60, 140);
}

static void schedule_backoff_doubles_up_to_a_quarter_of_an_hour(void **state)
{
    (void)state;
    assert_int_equal(schedule_backoff(1, false, 0), 5000);
    assert_int_equal(schedule_backoff(2, false, 0), 10000);
    assert_int_equal(schedule_backoff(8, false, 0), 640000);
    assert_int_equal(schedule_backoff(9, false, 0), 900000);
    assert_int_equal(schedule_backoff(4000000000u, false, 0), 900000);
    assert_int_equal(schedule_backoff(1, true, 0), 900000);
    assert_in_range(schedule_backoff(1, false, UINT32_MAX), 3750, 3760);
    assert_in_range(schedule_backoff(1, true, 0x8000), 787000, 788000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedule_from_is_a_period_before_the_last_row),
        cmocka_unit_test(schedule_from_is_before_the_last_reading_when_nothing_is_stored),
        cmocka_unit_test(schedule_from_is_everything_when_never_read),
        cmocka_unit_test(schedule_from_reaches_rows_written_after_a_step_back),
        cmocka_unit_test(schedule_from_does_not_trust_our_clock_alone),
        cmocka_unit_test(schedule_from_follows_a_step_forward),
        cmocka_unit_test(schedule_backlog_is_more_than_a_day),
        cmocka_unit_test(schedule_next_keeps_the_rhythm),
        cmocka_unit_test(schedule_profile_is_due_after_each_period),
        cmocka_unit_test(schedule_profile_spreads_a_fleet),
        cmocka_unit_test(schedule_backoff_doubles_up_to_a_quarter_of_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
