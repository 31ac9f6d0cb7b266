/* The crystal against the formulas it is meant to follow, and reserves that run out when their
 * models say so. */
#include "sim/crystal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S     INT64_C(1000000000)
#define DAY   (86400 * S)
#define DAY_S 86400.0

static const struct crystal_options fork_20 = {.ppm = 20,
                                               .ppm_per_k2 = CRYSTAL_PPM_PER_K2,
                                               .turnover_c = CRYSTAL_TURNOVER_C,
                                               .reserve = CRYSTAL_SUPERCAP,
                                               .reserve_s = 10 * DAY_S};

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.9g, not %.9g", got, want);
}

static void crystal_without_error_is_exact_however_time_is_cut(void **state)
{
    (void)state;
    const struct crystal_options ideal = {.reserve = CRYSTAL_BATTERY, .reserve_s = 10 * DAY_S};
    struct crystal c;
    crystal_begin(&c, &ideal, 17);
    int64_t passed = 0;
    for (int64_t ns = 1; ns < 40 * S; ns = ns * 3 + 1) {
        crystal_pass(&c, ns, ns % 2 == 0);
        passed += ns;
    }
    assert_int_equal(c.count_ns, 17 + passed);
    assert_false(c.lost);
}

static void crystal_is_off_by_its_parabola(void **state)
{
    (void)state;
    static const struct {
        double celsius, ppm;
    } points[] = {{25, 20}, {23, 20 - 0.136}, {-40, 20 - 143.65}, {70, 20 - 68.85}, {50, -1.25}};
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct crystal whole, parts;
        crystal_begin(&whole, &fork_20, 0);
        whole.celsius = points[i].celsius;
        parts = whole;
        near(crystal_ppm(&whole), points[i].ppm, 1e-9);
        crystal_pass(&whole, DAY, true);
        for (unsigned k = 0; k < 86400; k++)
            crystal_pass(&parts, S, true);
        near((double)(whole.count_ns - DAY), points[i].ppm * 86400e3, 2);
        near((double)(parts.count_ns - DAY), points[i].ppm * 86400e3, 2);
    }
}

static void supercap_lasts_as_long_as_it_says_and_charges_again(void **state)
{
    (void)state;
    struct crystal c;
    crystal_begin(&c, &fork_20, 5);
    near(crystal_left_s(&c), 10 * DAY_S, 1);
    crystal_pass(&c, 4 * DAY, false);
    near(crystal_left_s(&c), 6 * DAY_S, 1);
    crystal_pass(&c, 6 * DAY - 10 * S, false);
    assert_false(c.lost);
    assert_in_range(c.count_ns, 10 * DAY - 11 * S, 10 * DAY + 200 * S / 10);
    crystal_pass(&c, 20 * S, false);
    assert_true(c.lost);
    crystal_pass(&c, 3600 * S, true);
    assert_true(c.lost); /* until somebody sets it */
    crystal_set(&c, 7 * DAY);
    double after_hour = crystal_left_s(&c);
    assert_true(after_hour > 0.1 * DAY_S && after_hour < 4 * DAY_S);
    crystal_pass(&c, DAY, true);
    near(crystal_left_s(&c), 10 * DAY_S, 0.1 * DAY_S);
    crystal_pass(&c, 9 * DAY, false);
    assert_false(c.lost);
}

/* It is in the meter for years before it is needed, and is not charged by the mains. */
static void battery_ages_and_does_not_charge(void **state)
{
    (void)state;
    struct crystal_options o = fork_20;
    struct crystal c;
    o.reserve = CRYSTAL_BATTERY;
    o.reserve_s = 10 * 365.25 * DAY_S;
    crystal_begin(&c, &o, 0);
    near(crystal_left_s(&c), o.reserve_s, 1);
    for (unsigned year = 0; year < 10; year++)
        crystal_pass(&c, 365 * DAY, true);
    assert_true(crystal_left_s(&c) > 8.5 * 365 * DAY_S && crystal_left_s(&c) < 9.5 * 365 * DAY_S);
    for (unsigned year = 0; year < 8; year++)
        crystal_pass(&c, 365 * DAY, false);
    assert_false(c.lost);
    double left = crystal_left_s(&c);
    crystal_pass(&c, 100 * DAY, true);
    assert_true(crystal_left_s(&c) < left);
    for (unsigned year = 0; year < 3; year++)
        crystal_pass(&c, 365 * DAY, false);
    assert_true(c.lost);
}

static void crystal_without_reserve_is_lost_at_once(void **state)
{
    (void)state;
    struct crystal_options o = fork_20;
    struct crystal c;
    o.reserve = CRYSTAL_NO_RESERVE;
    crystal_begin(&c, &o, 0);
    crystal_pass(&c, DAY, true);
    assert_false(c.lost);
    crystal_pass(&c, 1, false);
    assert_true(c.lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crystal_without_error_is_exact_however_time_is_cut),
        cmocka_unit_test(crystal_is_off_by_its_parabola),
        cmocka_unit_test(supercap_lasts_as_long_as_it_says_and_charges_again),
        cmocka_unit_test(battery_ages_and_does_not_charge),
        cmocka_unit_test(crystal_without_reserve_is_lost_at_once),
    };
    return cmocka_run_group_tests_name("crystal", tests, NULL, NULL);
}
