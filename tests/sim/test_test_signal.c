/* Test signals: the analytic powers against sums over the samples, the shapes as the annexes
 * describe them, and samples that do not depend on how they are asked for. */
#include "sim/test_signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PI    3.14159265358979323846
#define CYCLE 160 /* 50 Hz at 8 kHz */
#define FOUR  (4 * CYCLE)

static struct test_signal_spec three_phase(enum test_shape shape)
{
    return (struct test_signal_spec){.shape = shape,
                                     .f_hz = 50,
                                     .rate_hz = 8000,
                                     .u = {230, 231, 229},
                                     .i = {5, 6, 0.001},
                                     .lag_deg = {0, 60, -36.87},
                                     .u_deg = {0, -120, 120},
                                     .present = 0x3f};
}

/* All channels over n samples from `first`; the rows are freed by the caller's frame. */
static void fill(const struct test_signal *t, uint64_t first, size_t n,
                 double value[AFE_N_CHANNELS][FOUR])
{
    double *out[AFE_N_CHANNELS];
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        out[c] = value[c];
    test_signal_fill(t, first, n, NULL, out);
}

static void assert_near(double got, double wanted, double relative)
{
    if (fabs(got - wanted) > relative * fabs(wanted))
        fail_msg("%.12g instead of %.12g", got, wanted);
}

/* Q of the fundamental by correlation over the four cycles. */
static double reactive(const double *u, const double *i)
{
    double us = 0, uc = 0, is = 0, ic = 0;
    for (size_t k = 0; k < FOUR; k++) {
        double s = sin(2 * PI * (double)k / CYCLE), c = cos(2 * PI * (double)k / CYCLE);
        us += u[k] * s;
        uc += u[k] * c;
        is += i[k] * s;
        ic += i[k] * c;
    }
    return 2 * (uc * is - us * ic) / FOUR / FOUR;
}

static void assert_truth(const struct test_signal *t, unsigned p,
                         double value[AFE_N_CHANNELS][FOUR])
{
    const double *u = value[AFE_U1 + p], *i = value[AFE_I1 + p];
    double uu = 0, ii = 0, ui = 0;
    for (size_t k = 0; k < FOUR; k++) {
        uu += u[k] * u[k];
        ii += i[k] * i[k];
        ui += u[k] * i[k];
    }
    struct test_truth truth = test_signal_truth(t, p);
    assert_near(sqrt(uu / FOUR), truth.u_v, 1e-9);
    assert_near(sqrt(ii / FOUR), truth.i_a, 1e-9);
    assert_near(ui / FOUR, truth.p_w, 1e-9);
    double q = reactive(u, i);
    if (fabs(q - truth.q_var) > 1e-9 * truth.u_v * truth.i_a)
        fail_msg("Q1 %.12g instead of %.12g", q, truth.q_var);
}

/* Products of two lines below half the rate do not fold back onto zero over whole cycles, so the
 * sums over the samples are exact integrals. */
static void test_signal_truth_is_what_the_samples_sum_to(void **state)
{
    (void)state;
    static double value[AFE_N_CHANNELS][FOUR];
    for (int shape = 0; shape < TEST_N_SHAPES; shape++) {
        struct test_signal_spec s = three_phase((enum test_shape)shape);
        struct test_signal *t = test_signal_new(&s);
        assert_non_null(t);
        fill(t, 12345, FOUR, value);
        for (unsigned p = 0; p < 3; p++)
            assert_truth(t, p, value);
        test_signal_free(t);
    }
}

static struct test_truth truth_of(enum test_shape shape, double lag)
{
    struct test_signal_spec s = three_phase(shape);
    s.lag_deg[0] = lag;
    struct test_signal *t = test_signal_new(&s);
    struct test_truth truth = test_signal_truth(t, 0);
    test_signal_free(t);
    return truth;
}

static void test_signal_shapes_have_the_powers_of_the_annexes(void **state)
{
    (void)state;
    const double p1 = 230 * 5;
    assert_near(truth_of(TEST_SINE, 60).p_w, p1 / 2, 1e-12);
    assert_near(truth_of(TEST_SINE, 60).q_var, p1 * sqrt(0.75), 1e-12);
    assert_near(truth_of(TEST_SINE, 180).p_w, -p1, 1e-12);
    assert_near(truth_of(TEST_FIFTH, 0).p_w, 1.04 * p1, 1e-12);
    assert_near(truth_of(TEST_FIFTH, 0).u_v, 230 * sqrt(1.01), 1e-12);
    assert_near(truth_of(TEST_PHASE_FIRED, 0).p_w, p1 / 2, 1e-12);
    assert_near(truth_of(TEST_PHASE_FIRED, 0).q_var, p1 / PI, 1e-12);
    assert_near(truth_of(TEST_PHASE_FIRED, 0).i_a, 5 / sqrt(2), 3e-3);
    assert_near(truth_of(TEST_BURST, 0).p_w, p1 / 2, 1e-12);
    assert_near(truth_of(TEST_BURST, 0).i_on_a, 5, 1e-12);
    assert_near(truth_of(TEST_HALF_WAVE, 0).p_w, p1 / 2, 1e-12);
    assert_near(truth_of(TEST_HALF_WAVE, 0).i_a, 5 / sqrt(2), 1e-4);
    assert_near(truth_of(TEST_INTERHARMONIC, 0).u_v, 230 * sqrt(1.0101), 1e-12);
}

/* Away from the edges a band-limited shape is the ideal one. */
static void test_signal_shapes_look_like_their_drawings(void **state)
{
    (void)state;
    static double value[AFE_N_CHANNELS][FOUR];
    const double peak = 5 * sqrt(2);
    struct test_signal_spec s = three_phase(TEST_PHASE_FIRED);
    struct test_signal *t = test_signal_new(&s);
    fill(t, 0, FOUR, value);
    assert_true(fabs(value[AFE_I1][20]) < 0.02 * peak);
    assert_true(fabs(value[AFE_I1][60] - peak * sin(2 * PI * 60 / CYCLE)) < 0.02 * peak);
    assert_true(fabs(value[AFE_I1][100]) < 0.02 * peak);
    assert_true(fabs(value[AFE_I1][140] - peak * sin(2 * PI * 140 / CYCLE)) < 0.02 * peak);
    test_signal_free(t);

    s = three_phase(TEST_HALF_WAVE);
    t = test_signal_new(&s);
    fill(t, 0, FOUR, value);
    double mean = 0;
    for (size_t k = 0; k < FOUR; k++)
        mean += value[AFE_I1][k] / FOUR;
    assert_near(mean, peak / PI, 1e-9);
    assert_near(value[AFE_I1][40], peak, 1e-3);
    assert_true(fabs(value[AFE_I1][120]) < 1e-3 * peak);
    test_signal_free(t);

    s = three_phase(TEST_BURST);
    t = test_signal_new(&s);
    fill(t, 0, FOUR, value);
    assert_near(value[AFE_I1][CYCLE + 40], peak, 1e-9);
    assert_true(value[AFE_I1][2 * CYCLE + 40] == 0 && value[AFE_I1][4 * CYCLE - 1] == 0);
    assert_near(value[AFE_U1][2 * CYCLE + 40], 230 * sqrt(2), 1e-9);
    test_signal_free(t);
}

/* Against the sine of the library, at a frequency that is not coherent with the rate. */
static void test_signal_sine_is_exact_to_150_db(void **state)
{
    (void)state;
    struct test_signal_spec s = three_phase(TEST_SINE);
    s.f_hz = 50.013;
    struct test_signal *t = test_signal_new(&s);
    double worst = 0, x[1000];
    double *out[AFE_N_CHANNELS] = {[AFE_U2] = x};
    test_signal_fill(t, 1000000, 1000, NULL, out);
    for (unsigned k = 0; k < 1000; k++) {
        double at = fmod((1000000 + k) * 50.013 / 8000, 1) - 120.0 / 360;
        worst = fmax(worst, fabs(x[k] / (231 * sqrt(2)) - sin(2 * PI * at)));
    }
    assert_true(worst < 3e-8);
    test_signal_free(t);
}

static void test_signal_samples_do_not_depend_on_the_blocks(void **state)
{
    (void)state;
    static double whole[AFE_N_CHANNELS][FOUR], part[AFE_N_CHANNELS][FOUR];
    for (int shape = 0; shape < TEST_N_SHAPES; shape++) {
        struct test_signal_spec s = three_phase((enum test_shape)shape);
        s.f_hz = 49.87;
        s.present = 0x7f;
        if (shape == TEST_SINE) {
            s.on_s = 0.02;
            s.off_s = 0.01;
        }
        struct test_signal *t = test_signal_new(&s);
        fill(t, 777777777777, FOUR, whole);
        for (size_t at = 0, n = 1; at < FOUR; at += n, n = n * 2 + 1) {
            n = n < FOUR - at ? n : FOUR - at;
            fill(t, 777777777777 + at, n, part);
            for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
                for (size_t k = 0; k < n; k++)
                    assert_true(part[c][k] == whole[c][at + k]);
        }
        test_signal_free(t);
    }
}

static void test_signal_delay_makes_a_channel_late(void **state)
{
    (void)state;
    struct test_signal_spec s = three_phase(TEST_FIFTH);
    struct test_signal *t = test_signal_new(&s);
    double late[100], plain[101];
    double *out[AFE_N_CHANNELS] = {[AFE_I2] = late};
    const double delay[AFE_N_CHANNELS] = {[AFE_I2] = 1 / 8000.0};
    test_signal_fill(t, 500, 100, delay, out);
    out[AFE_I2] = plain;
    test_signal_fill(t, 499, 101, NULL, out);
    for (unsigned k = 0; k < 100; k++)
        assert_true(fabs(late[k] - plain[k]) < 1e-9);
    test_signal_free(t);
}

static void test_signal_neutral_carries_what_the_phases_leave(void **state)
{
    (void)state;
    static double value[AFE_N_CHANNELS][FOUR];
    struct test_signal_spec s = three_phase(TEST_BURST);
    s.present = 0x7f;
    struct test_signal *t = test_signal_new(&s);
    fill(t, 99, FOUR, value);
    for (size_t k = 0; k < FOUR; k++)
        assert_true(fabs(value[AFE_I1][k] + value[AFE_I2][k] + value[AFE_I3][k] +
                         value[AFE_IN][k]) < 1e-12);
    test_signal_free(t);
}

/* Sum of the samples' power of all phases between two sample numbers, Wh. */
static double summed(const struct test_signal *t, uint64_t from, uint64_t to)
{
    static double value[AFE_N_CHANNELS][FOUR];
    double sum = 0;
    for (uint64_t at = from; at < to; at += FOUR) {
        size_t n = to - at < FOUR ? (size_t)(to - at) : FOUR;
        fill(t, at, n, value);
        for (unsigned p = 0; p < 3; p++)
            for (size_t k = 0; k < n; k++)
                sum += value[AFE_U1 + p][k] * value[AFE_I1 + p][k];
    }
    return sum / 8000 / 3600;
}

static void test_signal_energy_follows_the_switching(void **state)
{
    (void)state;
    struct test_signal_spec s = three_phase(TEST_SINE);
    s.on_s = 0.5;
    s.off_s = 0.1;
    struct test_signal *t = test_signal_new(&s);
    double wh, varh, part;
    test_signal_energy(t, 0, 6, &wh, &varh);
    assert_near(wh, summed(t, 0, 48000), 1e-9);
    const double p = 230 * 5 + 231 * 6 / 2.0 + 229 * 0.001 * cos(36.87 * PI / 180);
    assert_near(wh, p * 5 / 3600, 1e-9);
    test_signal_energy(t, 0.04, 0.44, &part, &varh); /* on throughout, whole periods */
    assert_near(part, summed(t, 320, 3520), 1e-9);
    test_signal_energy(t, 0.52, 0.58, &part, &varh);
    assert_true(part == 0);
    test_signal_energy(t, 6, 0.5, &part, &varh); /* backwards: taken back */
    double begin;
    test_signal_energy(t, 0, 0.5, &begin, &varh);
    assert_near(part + wh, begin, 1e-9);
    test_signal_free(t);
}

static void test_signal_refuses_what_is_out_of_range(void **state)
{
    (void)state;
    struct test_signal_spec good = three_phase(TEST_SINE), bad[8];
    for (unsigned k = 0; k < 8; k++)
        bad[k] = good;
    bad[0].f_hz = NAN;
    bad[1].f_hz = 300;
    bad[2].rate_hz = 100000;
    bad[3].i[2] = -1;
    bad[4].u[1] = INFINITY;
    bad[5].on_s = 1;
    bad[6].present = 0x80;
    bad[7].shape = TEST_BURST;
    bad[7].on_s = bad[7].off_s = 1;
    for (unsigned k = 0; k < 8; k++)
        assert_null(test_signal_new(&bad[k]));
    test_signal_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signal_truth_is_what_the_samples_sum_to),
        cmocka_unit_test(test_signal_shapes_have_the_powers_of_the_annexes),
        cmocka_unit_test(test_signal_shapes_look_like_their_drawings),
        cmocka_unit_test(test_signal_sine_is_exact_to_150_db),
        cmocka_unit_test(test_signal_samples_do_not_depend_on_the_blocks),
        cmocka_unit_test(test_signal_delay_makes_a_channel_late),
        cmocka_unit_test(test_signal_neutral_carries_what_the_phases_leave),
        cmocka_unit_test(test_signal_energy_follows_the_switching),
        cmocka_unit_test(test_signal_refuses_what_is_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
