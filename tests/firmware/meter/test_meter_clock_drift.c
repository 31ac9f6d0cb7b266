/* The clock's compensation against crystals that differ from what the factory assumed: within the
 * printed and the standard's limits over the whole range of temperature, and what it rounds away
 * within a nanosecond.
 *
 * IEC 62054-21, from memory: 0.5 s a day at 23 degrees, 0.15 s/K a day away from them. */
#include "firmware/meter/meter_clock.h"
#include "sim/crystal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY_S   86400
#define DAY_NS  (DAY_S * METER_NS)
#define YEAR_S  (365.25 * DAY_S)
#define STEP_NS (600 * METER_NS) /* temperature told every ten minutes */

/* Tuning forks at the ends of their data sheets: ppm, parabola, turnover. */
static const double forks[][3] = {{20, -0.034, 25},  {-20, -0.034, 25}, {20, -0.040, 20},
                                  {-20, -0.040, 30}, {20, -0.028, 30},  {-20, -0.028, 20}};
#define N_FORKS (sizeof forks / sizeof forks[0])

struct pair { /* a crystal, and the clock that was calibrated to it at 23 degrees */
    struct crystal crystal;
    struct meter_clock clock;
    int64_t true_ns;
};

static void begin(struct pair *p, const double fork[3])
{
    const struct crystal_options o = {.ppm = fork[0],
                                      .ppm_per_k2 = fork[1],
                                      .turnover_c = fork[2],
                                      .reserve = CRYSTAL_BATTERY,
                                      .reserve_s = 10 * YEAR_S};
    memset(p, 0, sizeof *p);
    crystal_begin(&p->crystal, &o, 0);
    meter_clock_reset(&p->clock);
    p->clock.crystal = (struct meter_crystal){.ppb_per_k2 = (int32_t)(CRYSTAL_PPM_PER_K2 * 1e3),
                                              .turnover_mc = (int32_t)(CRYSTAL_TURNOVER_C * 1e3)};
    /* measured at 23 degrees, where its parabola is assumed to be the usual one */
    p->clock.crystal.ppb = (int32_t)lround(crystal_ppm(&p->crystal) * 1e3) -
                           meter_crystal_error(&p->clock.crystal, 23000);
    assert_true(meter_crystal_valid(&p->clock.crystal));
}

/* A sensor that is a degree off, and tells hundredths. */
static void live(struct pair *p, double celsius, double sensor_off, int64_t ns)
{
    p->crystal.celsius = celsius;
    meter_clock_temperature(&p->clock, (int32_t)lround((celsius + sensor_off) * 100) * 10);
    crystal_pass(&p->crystal, ns, true);
    meter_clock_run(&p->clock, p->crystal.count_ns);
    p->true_ns += ns;
}

static double error_s(const struct pair *p)
{
    return (double)(meter_clock_ns(&p->clock) - p->true_ns) * 1e-9;
}

static void day_is_within_the_standard_at_every_temperature(void **state)
{
    (void)state;
    double worst = 0, bare = 0;
    for (size_t k = 0; k < N_FORKS; k++) {
        for (int celsius = -40; celsius <= 70; celsius++) {
            for (int off = -1; off <= 1; off++) {
                struct pair p;
                begin(&p, forks[k]);
                for (int64_t ns = 0; ns < DAY_NS; ns += STEP_NS)
                    live(&p, celsius, off, STEP_NS);
                double away = fabs(celsius - 23.0), limit = 0.5 + 0.15 * away;
                if (fabs(error_s(&p)) > limit)
                    fail_msg("fork %zu at %d: %.3f s a day, more than %.3f", k, celsius,
                             error_s(&p), limit);
                if (celsius == 23 && off == 0 && fabs(error_s(&p)) > 0.001)
                    fail_msg("fork %zu, calibrated at 23: %.6f s a day", k, error_s(&p));
                worst = fmax(worst, fabs(error_s(&p)));
                bare = fmax(bare, fabs(crystal_ppm(&p.crystal)) * 1e-6 * DAY_S);
            }
        }
    }
    printf("worst day %.2f s with compensation, %.2f s without\n", worst, bare);
    assert_true(bare > 10 && worst < bare / 3);
}

/* A year of days and seasons, between -25 and +60 degrees, then a year at 25. */
static void year_stays_within_three_minutes(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_FORKS; k++) {
        struct pair p;
        begin(&p, forks[k]);
        for (int64_t ns = 0; ns < 365 * DAY_NS; ns += 6 * STEP_NS)
            live(&p, 25, 0, 6 * STEP_NS);
        double at_25 = error_s(&p);
        begin(&p, forks[k]);
        double limit = 0;
        for (int64_t ns = 0; ns < 365 * DAY_NS; ns += 6 * STEP_NS) {
            double t = (double)ns * 1e-9;
            double celsius =
                17.5 - 27.5 * cos(2 * M_PI * t / YEAR_S) - 15 * cos(2 * M_PI * t / DAY_S);
            live(&p, celsius, 0, 6 * STEP_NS);
            limit += (0.5 + 0.15 * fabs(celsius - 23)) / 24;
        }
        printf("fork %zu: %.1f s in a year at 25 degrees, %.1f s from -25 to +60 (limit %.0f)\n", k,
               at_25, error_s(&p), limit);
        assert_true(fabs(at_25) < 180);
        assert_true(fabs(error_s(&p)) < limit);
    }
}

/* In steps of any length it comes to the same as at once, to the nanosecond, however long. */
static void nothing_is_rounded_away(void **state)
{
    (void)state;
    static const int32_t words[] = {0, 1, -1, 20000, -20000, 137, -499999, 500000};
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        struct meter_clock whole, parts;
        meter_clock_reset(&whole);
        whole.crystal.ppb = words[k];
        meter_clock_temperature(&whole, 25000);
        parts = whole;
        int64_t to = 0;
        for (int64_t step = 1; step < 3 * DAY_NS; step = step * 5 / 3 + 7) {
            for (unsigned n = 0; n < 50; n++)
                meter_clock_run(&parts, to += step);
        }
        meter_clock_run(&whole, to);
        assert_int_equal(parts.base_ns, to);
        assert_in_range(meter_clock_ns(&parts) - meter_clock_ns(&whole) + 2, 1, 3);
        double want = (double)to / (1 + words[k] * 1e-9);
        assert_true(fabs((double)meter_clock_ns(&whole) - want) < 0.6e-9 * (double)to + 1);
    }
}

/* Twenty years without power, at once: no overflow. */
static void long_gap_is_compensated_like_many_short_ones(void **state)
{
    (void)state;
    struct meter_clock c;
    const int64_t gap = (int64_t)(20 * YEAR_S) * METER_NS;
    meter_clock_reset(&c);
    c.crystal = (struct meter_crystal){.ppb = 20000, .ppb_per_k2 = -34, .turnover_mc = 25000};
    meter_clock_temperature(&c, -40000);
    meter_clock_run(&c, gap);
    double ppm = 20 - 0.034 * 65 * 65, want = (double)gap / (1 + ppm * 1e-6);
    assert_true(fabs((double)meter_clock_ns(&c) - want) < 1e-9 * (double)gap);
}

static void crystal_shows_what_it_must_when_an_instant_comes(void **state)
{
    (void)state;
    static const int32_t words[] = {0, 20000, -20000, -499999, 500000};
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        struct meter_clock c;
        meter_clock_reset(&c);
        meter_clock_set_ns(&c, 1000 * DAY_NS);
        c.crystal.ppb = words[k];
        meter_clock_temperature(&c, 25000);
        for (int64_t ns = 1; ns < 366 * DAY_NS; ns = ns * 3 + 1) {
            const int64_t at = meter_clock_ns(&c) + ns, base = meter_clock_crystal_at(&c, at);
            assert_true(base > c.base_ns);
            meter_clock_run(&c, base);
            assert_in_range(meter_clock_ns(&c) - at + 2, 0, 4);
        }
        assert_int_equal(meter_clock_crystal_at(&c, meter_clock_ns(&c) - 5), c.base_ns);
    }
}

static void word_out_of_range_is_refused(void **state)
{
    (void)state;
    struct meter_crystal x = {.ppb = 5, .ppb_per_k2 = -34, .turnover_mc = 25000};
    static const struct {
        unsigned part;
        int64_t value;
        bool taken;
    } tries[] = {{METER_CRYSTAL_PPB, 500000, true},
                 {METER_CRYSTAL_PPB, 500001, false},
                 {METER_CRYSTAL_PPB, -500001, false},
                 {METER_CRYSTAL_PPB, INT64_MAX, false},
                 {METER_CRYSTAL_PPB_K2, -200, true},
                 {METER_CRYSTAL_PPB_K2, -201, false},
                 {METER_CRYSTAL_TURNOVER_MC, 60000, true},
                 {METER_CRYSTAL_TURNOVER_MC, -1, false},
                 {METER_N_CRYSTAL, 0, false}};
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        const struct meter_crystal before = x;
        assert_int_equal(meter_crystal_put(&x, tries[i].part, tries[i].value), tries[i].taken);
        if (tries[i].taken)
            assert_int_equal(meter_crystal_part(&x, tries[i].part), tries[i].value);
        else
            assert_memory_equal(&x, &before, sizeof x);
    }
    /* beyond the range of the sensor nothing overflows */
    assert_int_equal(meter_crystal_error(&x, INT32_MAX), meter_crystal_error(&x, 150000));
    assert_int_equal(meter_crystal_error(&x, INT32_MIN), meter_crystal_error(&x, -100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(day_is_within_the_standard_at_every_temperature),
        cmocka_unit_test(year_stays_within_three_minutes),
        cmocka_unit_test(nothing_is_rounded_away),
        cmocka_unit_test(long_gap_is_compensated_like_many_short_ones),
        cmocka_unit_test(crystal_shows_what_it_must_when_an_instant_comes),
        cmocka_unit_test(word_out_of_range_is_refused),
    };
    return cmocka_run_group_tests_name("meter_clock_drift", tests, NULL, NULL);
}
