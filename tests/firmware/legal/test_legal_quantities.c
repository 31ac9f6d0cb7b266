/* Quantities of the whole: sequences, neutral, differential current, apparent and Fryze power,
 * and the properties that must hold whatever the signal. */
#include "tests/firmware/legal/signal.h"

#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RATE 8000
#define RAD  (3.14159265358979323846 / 180)

static struct legal meter;

static struct legal_values measure(const struct legal_config *c, const struct signal *s)
{
    struct legal_values v;
    assert_int_equal(legal_init(&meter, c), ERR_OK);
    signal_seconds(&meter, s, 1.4);
    legal_values_get(&meter, &v);
    assert_true(v.sequence > 0);
    return v;
}

static void near(double got, double want, double within)
{
    if (!(fabs(got - want) <= within)) {
        print_error("%.9g is not %.9g +- %g\n", got, want, within);
        fail();
    }
}

/* --- symmetrical components ----------------------------------------------------------------- */

struct parts {
    double zero, positive, negative;
};

static struct parts parts_of(const double *size, const double *deg)
{
    double complex x[3], a = cexp(120 * I * RAD);
    for (unsigned p = 0; p < 3; p++)
        x[p] = size[p] * cexp(deg[p] * I * RAD);
    return (struct parts){cabs(x[0] + x[1] + x[2]) / 3, cabs(x[0] + a * x[1] + a * a * x[2]) / 3,
                          cabs(x[0] + a * a * x[1] + a * x[2]) / 3};
}

static void check_sequences(const struct signal *s)
{
    struct legal_config c = signal_config();
    struct legal_values v = measure(&c, s);
    double i_deg[3];
    for (unsigned p = 0; p < 3; p++)
        i_deg[p] = s->u_deg[p] - s->lag[p];
    struct parts u = parts_of(s->u, s->u_deg), i = parts_of(s->i, i_deg);
    near(v.sequences.u_mv[0], 1e3 * u.zero, 2);
    near(v.sequences.u_mv[1], 1e3 * u.positive, 2);
    near(v.sequences.u_mv[2], 1e3 * u.negative, 2);
    near(v.sequences.i_ua[0], 1e6 * i.zero, 40);
    near(v.sequences.i_ua[1], 1e6 * i.positive, 40);
    near(v.sequences.i_ua[2], 1e6 * i.negative, 40);
    if (u.positive > 1) {
        near(v.u2_ppm, 1e6 * u.negative / u.positive, 10);
        near(v.u0_ppm, 1e6 * u.zero / u.positive, 10);
        near(v.i2_ppm, 1e6 * i.negative / i.positive, 10);
        near(v.i0_ppm, 1e6 * i.zero / i.positive, 10);
    } else {
        assert_true(v.u2_ppm > 1000000 && v.i2_ppm > 1000000);
    }
}

static void sequences_of_balanced_unbalanced_and_reversed(void **state)
{
    (void)state;
    struct signal s = signal_balanced(50.03, RATE, 5, 30);
    check_sequences(&s);
    s.u[1] = 221; /* by amplitude */
    s.i[2] = 2;
    check_sequences(&s);
    s.u_deg[2] = 113; /* and by angle */
    s.lag[0] = -10;
    s.line[0] = (struct signal_line){3, 0.1, 0.5, 10, 20}; /* harmonics do not count */
    check_sequences(&s);
    s = signal_balanced(50.03, RATE, 5, 30);
    s.u_deg[1] = 120;
    s.u_deg[2] = -120;
    check_sequences(&s);
}

static void sequences_of_lost_phases(void **state)
{
    (void)state;
    struct signal s = signal_balanced(50.03, RATE, 5, 30);
    s.u[2] = s.i[2] = 0;
    check_sequences(&s); /* 2/3, 1/3, 1/3 */
    s.u[0] = s.i[0] = 0; /* the reference, too */
    check_sequences(&s);
}

static void sequences_know_the_range_of_each_channel(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50.03, RATE, 5, 0);
    c.u_lsb_fv[1] *= 2;
    c.i_lsb_fa[2] *= 2;
    s.u[1] /= 2;
    s.i[2] /= 2;
    struct legal_values v = measure(&c, &s);
    assert_true(v.u2_ppm < 5 && v.u0_ppm < 5 && v.i2_ppm < 5 && v.i0_ppm < 5);
    near(v.sequences.u_mv[1], 230000, 2);
    near(v.sequences.i_ua[1], 5000000, 20);
}

static void three_wires_have_a_triangle_and_no_neutral(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    c.wiring = LEGAL_3P3W;
    struct signal s = signal_balanced(50.03, RATE, 5, 0);
    s.present = 0x7F;
    s.u[0] = s.u[2] = 400;
    s.u_deg[0] = 30;
    s.lag[0] = 30 + 20;
    s.u_deg[2] = 90;
    s.lag[2] = 90 - 120 + 20;
    s.u[2] = 380; /* U12 400 at 30, U23 380 at -90, U31 closes */
    s.i[2] = 4;
    struct legal_values v = measure(&c, &s);
    double complex u12 = 400 * cexp(30 * I * RAD), u23 = 380 * cexp(-90 * I * RAD);
    double complex u31 = -u12 - u23, i1 = 5 * cexp(-20 * I * RAD), i3 = 4 * cexp(100 * I * RAD);
    double complex i2 = -i1 - i3;
    double u[3] = {cabs(u12), cabs(u23), cabs(u31)}, i[3] = {cabs(i1), cabs(i2), cabs(i3)};
    double u_deg[3] = {carg(u12) / RAD, carg(u23) / RAD, carg(u31) / RAD};
    double i_deg[3] = {carg(i1) / RAD, carg(i2) / RAD, carg(i3) / RAD};
    struct parts up = parts_of(u, u_deg), ip = parts_of(i, i_deg);
    near(v.sequences.u_mv[1], 1e3 * up.positive, 3);
    near(v.sequences.u_mv[2], 1e3 * up.negative, 3);
    near(v.sequences.i_ua[1], 1e6 * ip.positive, 40);
    near(v.sequences.i_ua[2], 1e6 * ip.negative, 40);
    assert_true(v.sequences.u_mv[0] < 2 && v.sequences.i_ua[0] < 40);
    assert_int_equal(v.in_ua + v.in_sum_ua + v.i_diff_ua, 0);
    assert_int_equal(v.phase[1].u_mv + v.phase[1].i_ua + v.phase[1].i1_ua, 0);
    near((double)v.p_mw * 1e-3, 400 * 5 * cos(50 * RAD) + 380 * 4 * cos(-10 * RAD), 0.02);
}

static void single_phase_has_no_sequences(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct legal_sequences none = {{0}, {0}};
    struct signal s = signal_balanced(50.03, RATE, 5, 0);
    c.n_phases = 1;
    c.wiring = LEGAL_1P2W;
    struct legal_values v = measure(&c, &s);
    assert_memory_equal(&v.sequences, &none, sizeof none);
    assert_int_equal(v.u2_ppm + v.u0_ppm + v.i2_ppm + v.i0_ppm, 0);
}

/* --- neutral and differential current ------------------------------------------------------- */

static void neutral_carries_triplen_harmonics(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50.03, RATE, 5, 20);
    s.line[0] = (struct signal_line){3, 0, 0.3, 0, 40};
    s.line[1] = (struct signal_line){9, 0, 0.1, 0, 70};
    s.line[2] = (struct signal_line){5, 0, 0.2, 0, 10}; /* cancels */
    struct legal_values v = measure(&c, &s);
    double want = 3e6 * 5 * hypot(0.3, 0.1);
    near(v.in_sum_ua, want, 50);
    assert_int_equal(v.in_ua, v.in_sum_ua);
    assert_int_equal(v.i_diff_ua, 0);
    s.present = 0x7F; /* the same measured */
    v = measure(&c, &s);
    near(v.in_sum_ua, want, 50);
    near(v.in_ua, want, 50);
    assert_true(v.i_diff_ua < 50);
    s.bypass = 0.02; /* and less than all of it */
    v = measure(&c, &s);
    near(v.in_ua, 0.98 * want, 50);
    near(v.i_diff_ua, 0.02 * want, 50);
}

static void differential_current_of_one_phase_is_the_bypass(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    c.n_phases = 1;
    c.wiring = LEGAL_1P2W;
    struct signal s = signal_balanced(50.03, RATE, 5, 20);
    s.i[1] = s.i[2] = 0;
    s.line[0] = (struct signal_line){3, 0, 0.3, 0, 40};
    s.present = 1u << AFE_U1 | 1u << AFE_I1 | 1u << AFE_IN;
    const double all = 5e6 * hypot(1, 0.3), part[] = {0, 0.01, 0.3, 1};
    for (unsigned k = 0; k < 4; k++) {
        s.bypass = part[k];
        struct legal_values v = measure(&c, &s);
        near(v.i_diff_ua, part[k] * all, 60);
        near(v.in_ua, (1 - part[k]) * all, 60);
        near(v.in_sum_ua, all, 60);
    }
    s.present &= ~(1u << AFE_IN);
    struct legal_values v = measure(&c, &s);
    assert_int_equal(v.i_diff_ua, 0);
    near(v.in_ua, all, 60);
}

/* Channels that all show something else, and one range that is not the others'. */
static void neutral_uses_corrected_currents(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50.03, RATE, 5, 20);
    s.present = 0x7F;
    s.i[2] = 3;
    for (unsigned k = 0; k < 4; k++) {
        struct signal_error *e = &s.error[AFE_I1 + k];
        *e = (struct signal_error){.gain = 0.03 * k - 0.05, .delay_s = 20e-6 * k, .offset = 500};
        c.calibration.channel[AFE_I1 + k].gain_ppb = (int32_t)lround(e->gain * 1e9);
        c.calibration.channel[AFE_I1 + k].delay_ns = (int32_t)lround(e->delay_s * 1e9);
    }
    s.error[AFE_I2].lead = 0.02;
    c.calibration.phase[1].n_ct = 1;
    c.calibration.phase[1].ct[0] = (struct legal_ct_point){1000, 0, 20000000};
    struct legal_values v = measure(&c, &s);
    near(v.in_sum_ua, 2e6, 100); /* 5 + 5 a + 3 a^2 */
    near(v.in_ua, 2e6, 100);
    printf("  differential current left of 5 A after correction: %u uA\n", v.i_diff_ua);
    assert_true(v.i_diff_ua < 500);
    s.error[AFE_IN].gain = 3 * (1 + s.error[AFE_IN].gain) - 1;
    c.i_lsb_fa[3] *= 3;
    v = measure(&c, &s);
    near(v.in_ua, 2e6, 100);
    assert_true(v.i_diff_ua < 500);
}

static void neutral_of_a_load_model_is_its_fundamental(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, RATE, 5, 20);
    struct legal_values v;
    s.i[2] = 3;
    s.present = 0x7F;
    s.bypass = 0.1;
    struct legal_window w = signal_window(&s, 50);
    w.flags |= LEGAL_WINDOW_NO_CROSS;
    memset(w.cross, 0, sizeof w.cross);
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
    legal_values_get(&meter, &v);
    near(v.in_sum_ua, 2e6, 50);
    near(v.in_ua, 1.8e6, 50);
    near(v.i_diff_ua, 0.2e6, 50);
    w.in_re = w.in_im = 0; /* its angle is not known */
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
    legal_values_get(&meter, &v);
    assert_int_equal(v.i_diff_ua, 0);
}

static void window_by_hand_equals_the_kernel_s(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, RATE, 5, 20);
    struct legal_values v;
    s.i[2] = 3;
    s.present = 0x7F;
    s.bypass = 0.1;
    s.line[0] = (struct signal_line){3, 0.02, 0.3, 0, 40};
    struct legal_values want = measure(&c, &s);
    struct legal_window w = signal_window(&s, 50);
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
    legal_values_get(&meter, &v);
    near(v.in_sum_ua, want.in_sum_ua, 30);
    near(v.i_diff_ua, want.i_diff_ua, 30);
    near((double)v.p_mw, (double)want.p_mw, 20);
    near((double)v.q_mvar, (double)want.q_mvar, 20);
}

/* --- powers --------------------------------------------------------------------------------- */

static void powers_are_those_of_the_definitions(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50.03, RATE, 5, 40);
    s.i[1] = 2;
    s.lag[2] = -30;
    s.line[0] = (struct signal_line){5, 0.06, 0.3, 20, 200};
    struct legal_values v = measure(&c, &s);
    double p = 0, q = 0, sum = 0;
    for (unsigned k = 0; k < 3; k++) {
        struct truth t = signal_truth(&s, k);
        const struct legal_phase_values *x = &v.phase[k];
        near(x->u1_mv, 1e3 * s.u[k], 3);
        near(x->i1_ua, 1e6 * s.i[k], 50);
        near((double)x->fryze_mvar, 1e3 * sqrt(t.s * t.s - t.p * t.p), 20);
        p += t.p;
        q += t.q;
        sum += t.s;
    }
    near((double)v.s_mva, 1e3 * sum, 50);
    near((double)v.s_vector_mva, 1e3 * hypot(p, q), 50);
    near((double)v.fryze_mvar, 1e3 * sqrt(sum * sum - p * p), 50);
    assert_true(v.s_vector_mva < v.s_mva);
    s = signal_balanced(50.03, RATE, 5, 0); /* nothing to be seen beside P */
    v = measure(&c, &s);
    assert_true(v.phase[0].fryze_mvar < 1000 && v.fryze_mvar < 3000);
}

/* --- properties ----------------------------------------------------------------------------- */

static struct signal random_signal(uint32_t *seed)
{
    double r[24];
    for (unsigned k = 0; k < 24; k++) {
        *seed = *seed * 1664525 + 1013904223;
        r[k] = (double)(*seed >> 8) / 16777216.0;
    }
    struct signal s = signal_balanced(47 + 6 * r[0], RATE, 1, 0);
    for (unsigned p = 0; p < 3; p++) {
        s.u[p] = 150 + 100 * r[1 + p];
        s.i[p] = 0.5 + 10 * r[4 + p];
        s.lag[p] = 360 * r[7 + p] - 180;
        s.u_deg[p] += 20 * r[10 + p];
    }
    s.line[0] = (struct signal_line){3, 0.08 * r[13], 0.5 * r[14], 360 * r[15], 360 * r[16]};
    s.line[1] = (struct signal_line){11, 0.03 * r[17], 0.2 * r[18], 360 * r[19], 360 * r[20]};
    return s;
}

static void same_powers(const struct legal_values *a, const struct legal_values *b, double factor,
                        double within)
{
    for (unsigned p = 0; p < 3; p++) {
        double s = factor * (double)a->phase[p].s_mva;
        near((double)b->phase[p].p_mw, factor * (double)a->phase[p].p_mw, within * s + 2);
        near((double)b->phase[p].q_mvar, factor * (double)a->phase[p].q_mvar, within * s + 2);
        near((double)b->phase[p].s_mva, s, within * s + 2);
    }
}

static void properties_hold_for_random_signals(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    uint32_t seed = 7;
    for (unsigned k = 0; k < 6; k++) {
        struct signal s = random_signal(&seed), t = s;
        struct legal_values v = measure(&c, &s), w;
        for (unsigned p = 0; p < 3; p++) {
            const struct legal_phase_values *x = &v.phase[p];
            assert_true((uint64_t)llabs(x->p_mw) <= x->s_mva);
            assert_true((uint64_t)llabs(x->q_mvar) <= x->s_mva);
            near(hypot((double)x->p_mw, (double)x->fryze_mvar), (double)x->s_mva, 3);
        }
        assert_true(v.s_vector_mva <= v.s_mva + 3);
        for (unsigned p = 0; p < 3; p++) { /* k times the signal: k^2 times the power */
            t.u[p] *= 1.7;
            t.i[p] *= 1.7;
        }
        w = measure(&c, &t);
        same_powers(&v, &w, 1.7 * 1.7, 1e-5);
        t = s; /* reversed (odd lines turn with it): the opposite quadrant */
        for (unsigned p = 0; p < 3; p++)
            t.lag[p] += 180;
        w = measure(&c, &t);
        for (unsigned p = 0; p < 3; p++) {
            near((double)w.phase[p].p_mw, -(double)v.phase[p].p_mw, 1e-5 * (double)v.s_mva);
            near((double)w.phase[p].q_mvar, -(double)v.phase[p].q_mvar, 1e-5 * (double)v.s_mva);
        }
    }
}

static void shifted_in_time_is_the_same(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    uint32_t seed = 99;
    struct signal s = random_signal(&seed);
    struct legal_values v = measure(&c, &s), w;
    for (unsigned k = 1; k < 5; k++) {
        assert_int_equal(legal_init(&meter, &c), ERR_OK);
        signal_feed(&meter, &s, 37 * k, 11200, 100 + k);
        legal_values_get(&meter, &w);
        same_powers(&v, &w, 1, 1e-5);
        near(w.u2_ppm, v.u2_ppm, 10);
        near(w.in_sum_ua, v.in_sum_ua, 100);
    }
}

static void phases_may_change_places(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    uint32_t seed = 5;
    struct signal s = random_signal(&seed), t = s;
    struct legal_values v = measure(&c, &s);
    for (unsigned p = 0; p < 3; p++) {
        t.u[p] = s.u[(p + 1) % 3];
        t.i[p] = s.i[(p + 1) % 3];
        t.lag[p] = s.lag[(p + 1) % 3];
        t.u_deg[p] = s.u_deg[(p + 1) % 3];
    }
    struct legal_values w = measure(&c, &t);
    for (unsigned p = 0; p < 3; p++) {
        const struct legal_phase_values *a = &v.phase[(p + 1) % 3], *b = &w.phase[p];
        near((double)b->p_mw, (double)a->p_mw, 1e-5 * (double)a->s_mva + 2);
        near((double)b->q_mvar, (double)a->q_mvar, 1e-5 * (double)a->s_mva + 2);
        near(b->i_ua, a->i_ua, 1e-5 * a->i_ua);
    }
    near((double)w.p_mw, (double)v.p_mw, 1e-5 * (double)v.s_mva);
    near(w.u2_ppm, v.u2_ppm, 10);
    near(w.u0_ppm, v.u0_ppm, 10);
    near(w.in_sum_ua, v.in_sum_ua, 100);
}

static void absent_channels_show_nothing(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50.03, RATE, 5, 0);
    s.present = 0x1B; /* L3 is not there */
    c.calibration.channel[AFE_U3].offset = 5000;
    c.calibration.phase[2].p_offset_q8 = 1000000;
    struct legal_values v = measure(&c, &s);
    assert_int_equal(v.phase[2].u_mv, 0);
    assert_int_equal(v.phase[2].i_ua, 0);
    assert_int_equal(v.phase[2].p_mw, 0);
    near((double)v.p_mw, 2300000, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_of_balanced_unbalanced_and_reversed),
        cmocka_unit_test(sequences_of_lost_phases),
        cmocka_unit_test(sequences_know_the_range_of_each_channel),
        cmocka_unit_test(three_wires_have_a_triangle_and_no_neutral),
        cmocka_unit_test(single_phase_has_no_sequences),
        cmocka_unit_test(neutral_carries_triplen_harmonics),
        cmocka_unit_test(differential_current_of_one_phase_is_the_bypass),
        cmocka_unit_test(neutral_uses_corrected_currents),
        cmocka_unit_test(neutral_of_a_load_model_is_its_fundamental),
        cmocka_unit_test(window_by_hand_equals_the_kernel_s),
        cmocka_unit_test(powers_are_those_of_the_definitions),
        cmocka_unit_test(properties_hold_for_random_signals),
        cmocka_unit_test(shifted_in_time_is_the_same),
        cmocka_unit_test(phases_may_change_places),
        cmocka_unit_test(absent_channels_show_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
