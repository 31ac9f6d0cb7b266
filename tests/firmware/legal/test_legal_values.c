/* Values against analytic truth over the range of rates, frequencies and distortions. */
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct legal meter;

static struct legal_values measure(const struct legal_config *c, const struct signal *s,
                                   double seconds)
{
    struct legal_values v;
    assert_int_equal(legal_init(&meter, c), ERR_OK);
    signal_seconds(&meter, s, seconds);
    legal_values_get(&meter, &v);
    assert_true(v.sequence > 0);
    return v;
}

static struct deviation deviation_of(const struct signal *s, const char *what)
{
    struct legal_config c = signal_config();
    c.f_nominal_mhz = s->f > 55 ? 60000 : 50000;
    struct legal_values v = measure(&c, s, s->rate < 2000 ? 5.0 : 2.6);
    struct deviation d = signal_deviation(s, &v);
    deviation_print(what, &d);
    return d;
}

static void values_match_clean_sines_at_all_rates(void **state)
{
    (void)state;
    static const double rate[] = {1000, 4000, 8000, 30707.244, 50000, 64000};
    static const double f[] = {45, 49.3, 50, 50.013, 60.07, 65};
    for (unsigned r = 0; r < 6; r++)
        for (unsigned k = 0; k < 6; k++) {
            if (rate[r] > 8000 && k % 3 != r % 3) /* a sample of the costly ones */
                continue;
            char what[64];
            struct signal s = signal_balanced(f[k], rate[r], 5, k % 2 ? 60 : 0);
            snprintf(what, sizeof what, "%.0f Hz, f %.3f, lag %.0f", rate[r], f[k], s.lag[0]);
            struct deviation d = deviation_of(&s, what);
            double limit = rate[r] < 4000 ? 0.01 : 0.001;
            assert_true(d.u < limit && d.i < limit && d.p < 2 * limit && d.q < 2 * limit);
            assert_true(d.f < 0.2 && d.thd < (rate[r] < 8000 ? 0.05 : 0.02));
        }
}

static void values_match_at_500_hz_sampling(void **state)
{
    (void)state;
    struct signal s = signal_balanced(45, 500, 5, 60);
    struct deviation d = deviation_of(&s, "500 Hz, f 45, lag 60");
    assert_true(d.u < 0.05 && d.i < 0.05 && d.p < 0.1 && d.q < 0.1 && d.f < 1);
}

static void values_match_with_harmonics_at_all_rates(void **state)
{
    (void)state;
    static const double rate[] = {4000, 8000, 8000, 12800, 30707.244, 64000};
    static const double f[] = {50.02, 50, 49.6, 50, 59.975, 50.1};
    for (unsigned r = 0; r < 6; r++) {
        char what[64];
        int top = rate[r] < 8000 ? 29 : 40;
        struct signal s = signal_balanced(f[r], rate[r], 20, 50);
        s.line[0] = (struct signal_line){5, 0.06, 0.2, 20, 200};
        s.line[1] = (struct signal_line){7, 0.05, 0.1, 120, -30};
        s.line[2] = (struct signal_line){25, 0.015, 0.04, 0, 60};
        s.line[3] = (struct signal_line){top, 0.01, 0.03, 70, 10};
        s.u_dc = -3;
        s.i_dc = 1;
        snprintf(what, sizeof what, "%.0f Hz, f %.3f, h5 7 25 %d, DC", rate[r], f[r], top);
        struct deviation d = deviation_of(&s, what);
        assert_true(d.u < 0.005 && d.i < 0.005 && d.p < 0.01 && d.q < 0.01);
        assert_true(d.f < 1 && d.thd < 0.02);
    }
}

static void values_match_small_currents_in_noise(void **state)
{
    (void)state;
    struct signal s = signal_balanced(50.05, 8000, 0.05, 60); /* 3500 counts peak */
    s.noise = 40;
    struct deviation d = deviation_of(&s, "50 mA, noise 40 counts, lag 60");
    assert_true(d.u < 0.005 && d.i < 0.05 && d.p < 0.1 && d.q < 0.1);
}

static void frequency_is_within_a_millihertz_under_distortion(void **state)
{
    (void)state;
    for (int k = 0; k < 6; k++) {
        double f = 49 + 0.37 * k;
        struct signal s = signal_balanced(f, 8000, 5, 0);
        s.line[0] = (struct signal_line){5, 0.1, 0, 35, 0};
        struct legal_config c = signal_config();
        struct legal_values v = measure(&c, &s, 2.6);
        double clean = v.frequency_uhz * 1e-3 - f * 1e3;
        s.inter_f = 375;
        s.inter_u = 0.01;
        v = measure(&c, &s, 2.6);
        double inter = v.frequency_uhz * 1e-3 - f * 1e3;
        printf("  f %.2f: h5 10 %% %+.3f mHz, with 1 %% at 375 Hz %+.3f mHz\n", f, clean, inter);
        assert_true(fabs(clean) < 0.2);
        assert_true(fabs(inter) < 1);
    }
}

static void frequency_follows_a_step(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct legal_values v;
    struct signal s = signal_balanced(50, 8000, 5, 0);
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    signal_seconds(&meter, &s, 2);
    s.f = 47;
    signal_seconds(&meter, &s, 3);
    legal_values_get(&meter, &v);
    assert_in_range(v.frequency_uhz, 46999800, 47000200);
    assert_in_range(v.phase[2].u_mv, 229995, 230005);
}

static void angles_and_quadrants_follow_the_sign_convention(void **state)
{
    (void)state;
    static const struct {
        double lag;
        int p, q;
    } quadrant[] = {{30, 1, 1}, {150, -1, 1}, {-150, -1, -1}, {-30, 1, -1}};
    struct legal_config c = signal_config();
    for (unsigned k = 0; k < 4; k++) {
        struct signal s = signal_balanced(50, 8000, 5, quadrant[k].lag);
        struct legal_values v = measure(&c, &s, 1.6);
        for (unsigned p = 0; p < 3; p++) {
            const struct legal_phase_values *x = &v.phase[p];
            assert_true(x->p_mw * quadrant[k].p > 0 && x->q_mvar * quadrant[k].q > 0);
            assert_true(abs(x->phase_mdeg - (int)(quadrant[k].lag * 1000)) <= 2);
            assert_true(abs(x->u_angle_mdeg - (int)(s.u_deg[p] * 1000)) <= 2);
            assert_true(abs(x->pf_ppm - quadrant[k].p * 866025) <= 5);
        }
        assert_true(abs(v.pf_ppm - quadrant[k].p * 866025) <= 5);
        assert_true(v.u2_ppm < 20 && v.u0_ppm < 20);
    }
}

static void unbalance_is_that_of_the_components(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 8000, 5, 0);
    s.u[1] = 220;
    s.u[2] = 240;
    struct legal_values v = measure(&c, &s, 1.6);
    /* 230 a 220 240: |U2| = |U0| = |230 + 220 a + 240 a^2| / 3 = sqrt(300) / 3, U1 = 230 */
    assert_in_range(v.u2_ppm, 25080, 25125);
    assert_in_range(v.u0_ppm, 25080, 25125);
}

static void neutral_is_summed_where_not_connected(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 8000, 5, 0);
    s.i[2] = 0;
    struct legal_values v = measure(&c, &s, 1.6);
    assert_in_range(v.in_ua, 4999900, 5000100); /* 5 + 5 a has the size of 5 */
    s.i[2] = 5;
    v = measure(&c, &s, 1.6);
    assert_true(v.in_ua < 50);
    c.i_lsb_fa[2] *= 2; /* another range in L3: 5 + 5 a + 10 a^2 */
    v = measure(&c, &s, 1.6);
    assert_in_range(v.in_ua, 4999900, 5000100);
}

static void one_phase_meter_ignores_the_others(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 8000, 5, 60);
    c.n_phases = 1;
    c.wiring = LEGAL_1P2W;
    struct legal_values v = measure(&c, &s, 1.6);
    assert_in_range(v.p_mw, 574995, 575005);
    assert_in_range(v.in_ua, 4999900, 5000100);
    assert_int_equal(v.phase[1].u_mv, 0);
    assert_int_equal(v.phase[2].i_ua, 0);
    assert_int_equal(v.u2_ppm, 0);
}

static void two_element_meter_measures_three_wires(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    c.wiring = LEGAL_3P3W;
    struct signal s = signal_balanced(50, 8000, 5, 0);
    /* elements: U12 leads U1 by 30 degrees, U32 leads U1 by 90; I1 and I3 lag U1, U3 by 20 */
    double line = 400;
    s.u[0] = s.u[2] = line;
    s.u_deg[0] = 30;
    s.lag[0] = 30 + 20;
    s.u_deg[2] = 90;
    s.lag[2] = 90 - 120 + 20;
    struct legal_values v = measure(&c, &s, 1.6);
    double apparent = sqrt(3) * line * 5;
    assert_true(fabs((double)v.p_mw * 1e-3 / (apparent * cos(20 * 3.14159265 / 180)) - 1) < 1e-5);
    assert_true(fabs((double)v.q_mvar * 1e-3 / (apparent * sin(20 * 3.14159265 / 180)) - 1) < 1e-4);
    assert_true(fabs((double)v.s_mva * 1e-3 / apparent - 1) < 1e-5);
    assert_true(v.u2_ppm < 20 && v.u0_ppm < 20);
    assert_int_equal(v.phase[1].u_mv, 0);
}

static void half_wave_current_counts_its_power(void **state)
{
    (void)state;
    /* half-wave: fundamental 1/2, DC 1/pi, even lines 2/(pi (n^2-1)) of the peak; with U sinusoidal
     * P is that of the fundamental and the DC of the current drops out */
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 8000, 5, 0);
    s.i_dc = 5 * sqrt(2) * 2 / 3.14159265358979;
    for (int k = 0; k < SIGNAL_LINES; k++) {
        int n = 2 * (k + 1);
        s.line[k] =
            (struct signal_line){n, 0, 4 / (3.14159265358979 * (n * n - 1)), 0, k % 2 ? 180 : 0};
    }
    struct legal_values v = measure(&c, &s, 1.6);
    for (unsigned p = 0; p < 3; p++)
        assert_in_range(v.phase[p].p_mw, 1149990, 1150010);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_match_clean_sines_at_all_rates),
        cmocka_unit_test(values_match_at_500_hz_sampling),
        cmocka_unit_test(values_match_with_harmonics_at_all_rates),
        cmocka_unit_test(values_match_small_currents_in_noise),
        cmocka_unit_test(frequency_is_within_a_millihertz_under_distortion),
        cmocka_unit_test(frequency_follows_a_step),
        cmocka_unit_test(angles_and_quadrants_follow_the_sign_convention),
        cmocka_unit_test(unbalance_is_that_of_the_components),
        cmocka_unit_test(neutral_is_summed_where_not_connected),
        cmocka_unit_test(one_phase_meter_ignores_the_others),
        cmocka_unit_test(two_element_meter_measures_three_wires),
        cmocka_unit_test(half_wave_current_counts_its_power),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
