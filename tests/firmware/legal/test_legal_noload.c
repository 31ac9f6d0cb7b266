/* Starting and no-load: counts at Ist and goes on, counts nothing from noise, each kind by its own
 * threshold. `full`: the hours that a type test takes. */
#include "tests/firmware/legal/load.h"
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IST_UA 20000
#define NOISE  53 /* counts of 20 uA and 0.1 mV: 101 dB below 168 A and 839 V peak */

static struct legal meter;
static bool full;

static struct legal_config direct(struct legal_config c) /* 5 (100) A, class 1 */
{
    c.i_start_ua = IST_UA;
    return c;
}

static void start(const struct legal_config *c)
{
    assert_int_equal(legal_init(&meter, c), ERR_OK);
}

static uint64_t counted(unsigned first, unsigned last)
{
    struct legal_energies e;
    uint64_t sum = 0;
    legal_energies_get(&meter, &e);
    for (unsigned k = first; k <= last; k++) {
        sum += e.total[k];
        for (unsigned p = 0; p < 3; p++)
            sum += e.phase[p][k];
    }
    return sum;
}

/* --- starting ------------------------------------------------------------------------------- */

static void first_pulse(void *context, enum legal_led led, uint32_t at_q16)
{
    double *at = context; /* [0] seconds of the block, [1] of the first pulse, [2] of the second */
    if (led != LEGAL_LED_ACTIVE)
        return;
    double t = at[0] + at_q16 / 65536e3;
    at[at[1] > 0 ? 2 : 1] = at[2] > 0 ? at[2] : t;
}

/* IEC 62053-21: 1000 imp/kWh, 3 x 230 V, 20 mA: a pulse each 260.9 s, the first within 1.5 of it.
 */
static void starts_at_starting_current_and_goes_on(void **state)
{
    (void)state;
    struct legal_config c = direct(signal_config());
    struct signal s = signal_balanced(50, 1000, IST_UA * 1e-6, 0);
    double at[3] = {0}, period = 3.6e6 / 1000 / (3 * 230 * IST_UA * 1e-6);
    s.noise = NOISE;
    start(&c);
    legal_pulse_observe(&meter, first_pulse, at);
    for (unsigned k = 0; k < (full ? 4000 : 550); k++) {
        at[0] = k;
        signal_feed(&meter, &s, k * 1000, 1000, 1000);
    }
    double error = 100 * (period / (at[2] - at[1]) - 1);
    printf("  first pulse after %.2f s of %.2f, then error %+.3f %%\n", at[1], period, error);
    assert_true(at[1] > 0 && at[1] < 1.5 * period);
    assert_true(at[1] < period + 1.5); /* what the decision took */
    assert_true(fabs(error) < 0.5);
}

static void starts_at_every_angle_of_its_kind(void **state)
{
    (void)state;
    static const struct {
        double lag;
        unsigned active, reactive;
    } row[] = {{0, LEGAL_A_IMPORT, 0},
               {180, LEGAL_A_EXPORT, 0},
               {90, 0, LEGAL_R_QI},
               {-90, 0, LEGAL_R_QIV},
               {135, LEGAL_A_EXPORT, LEGAL_R_QII},
               {-135, LEGAL_A_EXPORT, LEGAL_R_QIII}};
    struct legal_config c = direct(load_config());
    for (unsigned k = 0; k < sizeof row / sizeof row[0]; k++) {
        struct load load = load_balanced(230, IST_UA * 1e-6, row[k].lag);
        struct legal_energies e;
        double want = 3 * 230 * 0.02 / 3.6e-3 * 600; /* units */
        start(&c);
        load_feed(&meter, &load, 600, 0.2);
        legal_energies_get(&meter, &e);
        bool both = row[k].active && row[k].reactive;
        double part = both ? sqrt(0.5) : 1;
        bool is_active = row[k].lag == 0 || fabs(row[k].lag) > 90;
        if (is_active)
            assert_true(fabs((double)e.total[row[k].active] / (want * part) - 1) < 1e-4);
        else
            assert_int_equal(counted(LEGAL_A_IMPORT, LEGAL_A_EXPORT), 0);
        if (row[k].reactive)
            assert_true(fabs((double)e.total[row[k].reactive] / (want * part) - 1) < 1e-4);
        else
            assert_int_equal(counted(LEGAL_R_QI, LEGAL_R_QIV), 0);
    }
}

/* The limits move with Ist of their kind, and a running kind stops later than it starts. */
static void each_kind_has_its_threshold(void **state)
{
    (void)state;
    struct legal_config c = direct(load_config());
    c.i_start_reactive_ua = 80000;
    struct load load = load_balanced(230, 5, asin(0.6 * 0.079 / 5) * 180 / acos(-1));
    start(&c);
    load_feed(&meter, &load, 60, 0.2); /* Q a little below 0.6 of 80 mA */
    assert_true(counted(LEGAL_A_IMPORT, LEGAL_A_IMPORT) > 0);
    assert_int_equal(counted(LEGAL_R_QI, LEGAL_R_QIV), 0);
    load = load_balanced(230, 5, asin(0.6 * 0.081 / 5) * 180 / acos(-1));
    load_feed(&meter, &load, 60, 0.2);
    uint64_t before = counted(LEGAL_R_QI, LEGAL_R_QI);
    assert_true(before > 0);
    load = load_balanced(230, 5, asin(0.4 * 0.081 / 5) * 180 / acos(-1));
    load_feed(&meter, &load, 60, 0.2);
    assert_true(counted(LEGAL_R_QI, LEGAL_R_QI) > before);
    load = load_balanced(230, 5, asin(0.4 * 0.079 / 5) * 180 / acos(-1));
    load_feed(&meter, &load, 60, 0.2);
    before = counted(LEGAL_R_QI, LEGAL_R_QI);
    load_feed(&meter, &load, 60, 0.2);
    assert_true(counted(LEGAL_R_QI, LEGAL_R_QI) == before);
}

/* A load that flickers around the start is judged by its mean of a second. */
static void short_bursts_below_the_mean_are_discarded(void **state)
{
    (void)state;
    struct legal_config c = direct(load_config());
    struct load on = load_balanced(230, 0.03, 0), off = load_balanced(230, 0, 0);
    start(&c);
    for (unsigned k = 0; k < 300; k++) { /* 0.2 of 1.5 Ist: 0.3 of the threshold's current */
        load_feed(&meter, &off, 0.8, 0.2);
        load_feed(&meter, &on, 0.2, 0.2);
    }
    assert_int_equal(counted(0, LEGAL_N_ENERGIES - 1), 0);
}

/* At PF 0.5 one of two elements shows nothing, near it little: that is counted all the same. */
static void two_elements_start_together(void **state)
{
    (void)state;
    struct legal_config c = direct(load_config());
    c.wiring = LEGAL_3P3W;
    for (int deg = 50; deg <= 70; deg += 4) {
        double line = 230 * sqrt(3), i = 0.2;
        struct load load = {{line, 0, line}, {i, 0, i}, {deg + 30, 0, deg - 30}};
        struct legal_energies e;
        double want = 3 * 230 * i * cos(deg * acos(-1) / 180) / 3.6e-3 * 600;
        start(&c);
        load_feed(&meter, &load, 600, 0.2);
        legal_energies_get(&meter, &e);
        assert_true(fabs((double)e.total[LEGAL_A_IMPORT] / want - 1) < 1e-6);
        assert_int_equal(e.total[LEGAL_A_EXPORT], 0);
    }
}

/* --- no load -------------------------------------------------------------------------------- */

/* What noise of a count's worth `sigma` makes of a window of n samples with open currents. */
static struct legal_window noise_window(double u, double sigma, uint32_t n, uint64_t *random)
{
    struct load load = load_balanced(u, 0, 0);
    struct legal_window w = load_window(&load, n);
    double lsb = (double)LOAD_LSB * 1e-15;
    for (unsigned p = 0; p < 3; p++) {
        struct legal_window_phase *x = &w.phase[p];
        x->ii = llround(n * sigma * sigma);
        x->ui = llround(load_gauss(random) * u / lsb * sigma * sqrt(n));
        x->i_re = llround(load_gauss(random) * sigma * sqrt(n / 2.));
        x->i_im = llround(load_gauss(random) * sigma * sqrt(n / 2.));
    }
    return w;
}

static void noise_does_not_creep(void **state)
{
    (void)state;
    static const double u[] = {1.15 * 230, 1.3 * 230};
    struct legal_config c = direct(load_config());
    double sigma = NOISE / 3.; /* 60 uA a count */
    for (unsigned k = 0; k < 2; k++) {
        uint64_t random = k + 1;
        start(&c);
        for (unsigned n = 0; n < 5 * 3600u * (full ? 24 : 1); n++) {
            struct legal_window w = noise_window(u[k], sigma, 215, &random);
            assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
        }
        assert_int_equal(counted(0, LEGAL_N_ENERGIES - 1), 0);
    }
}

static void noise_in_samples_does_not_creep(void **state)
{
    (void)state;
    static const double u[] = {1.15 * 230, 1.3 * 230};
    struct legal_config c = direct(signal_config());
    for (unsigned k = 0; k < 2; k++) {
        struct signal s = signal_balanced(50.01, 4000, 0, 0);
        s.u[0] = s.u[1] = s.u[2] = u[k];
        s.noise = NOISE;
        s.i_dc = 0.5;
        start(&c);
        signal_seconds(&meter, &s, full ? 1800 : 10);
        legal_flush(&meter);
        assert_int_equal(counted(0, LEGAL_N_ENERGIES - 1), 0);
    }
}

static void noise_is_no_reactive_energy_of_a_running_meter(void **state)
{
    (void)state;
    struct legal_config c = direct(signal_config());
    struct signal s = signal_balanced(50.01, 4000, 5, 0);
    s.noise = NOISE;
    start(&c);
    signal_seconds(&meter, &s, full ? 600 : 10);
    legal_flush(&meter);
    assert_true(counted(LEGAL_A_IMPORT, LEGAL_A_IMPORT) > 0);
    assert_int_equal(counted(LEGAL_A_EXPORT, LEGAL_R_QIV), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_at_starting_current_and_goes_on),
        cmocka_unit_test(starts_at_every_angle_of_its_kind),
        cmocka_unit_test(each_kind_has_its_threshold),
        cmocka_unit_test(short_bursts_below_the_mean_are_discarded),
        cmocka_unit_test(two_elements_start_together),
        cmocka_unit_test(noise_does_not_creep),
        cmocka_unit_test(noise_in_samples_does_not_creep),
        cmocka_unit_test(noise_is_no_reactive_energy_of_a_running_meter),
    };
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
