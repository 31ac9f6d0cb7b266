/* The front end of a meter: what it draws stays within the tolerances, its errors have the sizes
 * that its spec says, its noise is noise, and the ideal one only rounds. */
#include "sim/front_end.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI     3.14159265358979323846
#define MINUTE (PI / 10800)
#define N      1000

static struct test_signal *sine(double u, double i, double f_hz)
{
    const struct test_signal_spec s = {.f_hz = f_hz,
                                       .rate_hz = 8000,
                                       .u = {u, u, u},
                                       .i = {i, i, i},
                                       .u_deg = {0, -120, 120},
                                       .present = 0x7f};
    return test_signal_new(&s);
}

struct seen { /* of one channel, over whole cycles, in nominal units */
    double mean, amplitude, angle, noise;
};

/* Correlation with the wave of the signal itself; `seconds` whole. */
static struct seen look(struct front_end *f, const struct test_signal *t, unsigned c,
                        unsigned seconds)
{
    const struct test_signal_spec *s = test_signal_spec_of(t);
    double lsb = (double)(c <= AFE_U3 ? front_end_u_lsb_fv(f) : front_end_i_lsb_fa(f)) / 1e15;
    double sum = 0, square = 0, re = 0, im = 0, n = 0;
    struct afe_block b;
    for (uint64_t at = 0; at < 8000 * seconds; at += N) {
        front_end_sample(f, t, at, N, &b);
        for (unsigned k = 0; k < N; k++, n++) {
            double x = b.sample[c][k] * lsb, turn = (double)(at + k) * s->f_hz / 8000;
            sum += x;
            square += x * x;
            re += x * sin(2 * PI * turn);
            im += x * cos(2 * PI * turn);
        }
    }
    struct seen r = {.mean = sum / n, .amplitude = hypot(re, im) * 2 / n, .angle = atan2(im, re)};
    r.noise = sqrt(fmax(0, square / n - r.mean * r.mean - r.amplitude * r.amplitude / 2));
    return r;
}

static struct front_end_spec spec_of(const char *model, uint64_t seed, bool ideal)
{
    struct front_end_spec s;
    front_end_spec_of(model_meter_find(model), seed, ideal, &s);
    return s;
}

static void front_end_ideal_only_rounds(void **state)
{
    (void)state;
    struct front_end_spec spec = spec_of("ST402D", 1, true);
    struct front_end *f = front_end_new(&spec);
    struct test_signal *t = sine(230, 0.02, 50); /* coherent: the worst case of rounding */
    struct seen u = look(f, t, AFE_U1, 10), i = look(f, t, AFE_I1, 10);
    assert_true(fabs(u.amplitude / (230 * sqrt(2)) - 1) < 1e-7);
    assert_true(fabs(i.amplitude / (0.02 * sqrt(2)) - 1) < 1e-5);
    assert_true(fabs(u.angle) < 1e-7 && fabs(i.angle) < 1e-5);
    assert_true(fabs(i.mean) < 1e-6);
    test_signal_free(t);
    front_end_free(f);
}

static void front_end_noise_is_as_far_below_full_scale_as_said(void **state)
{
    (void)state;
    struct front_end_spec spec = spec_of("ST402D", 2, false);
    struct front_end *f = front_end_new(&spec);
    struct test_signal *t = sine(0, 0, 50);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        double full = c <= AFE_U3 ? spec.u_full_v : spec.i_full_a, seen = look(f, t, c, 5).noise;
        double db = 20 * log10(full / sqrt(2) / seen);
        assert_true(fabs(db - 101) < 0.2); /* the gain is part of it */
        assert_true(fabs(seen / front_end_noise(f, (enum afe_channel)c) - 1) < 0.03);
    }
    test_signal_free(t);
    front_end_free(f);
}

static double product(const double *a, const double *b, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += a[k] * b[k];
    return sum / (double)n;
}

static void front_end_noise_is_white_and_its_own_in_each_channel(void **state)
{
    (void)state;
    enum { ALL = 100 * N };
    static double x[2][ALL], square[ALL];
    struct front_end_spec spec = spec_of("ST402D", 3, false);
    spec.offset_pct = 0;
    struct front_end *f = front_end_new(&spec);
    struct test_signal *t = sine(0, 0, 50);
    struct afe_block b;
    for (unsigned at = 0; at < ALL; at += N) {
        front_end_sample(f, t, at, N, &b);
        for (unsigned k = 0; k < N; k++) {
            x[0][at + k] = b.sample[AFE_I1][k];
            x[1][at + k] = b.sample[AFE_U1][k];
            square[at + k] = x[0][at + k] * x[0][at + k];
        }
    }
    double variance = product(x[0], x[0], ALL);
    assert_true(fabs(product(x[0], x[0] + 1, ALL - 1) / variance) < 0.015);
    assert_true(fabs(product(x[0], x[1], ALL) / variance) < 0.015);
    double kurtosis = product(square, square, ALL) / variance / variance;
    assert_true(fabs(kurtosis - 2.85) < 0.05); /* Gaussian: 3 */
    test_signal_free(t);
    front_end_free(f);
}

static void front_end_noise_seed_repeats_the_noise(void **state)
{
    (void)state;
    struct front_end_spec spec = spec_of("ST402C", 4, false);
    struct front_end *f = front_end_new(&spec);
    struct test_signal *t = sine(230, 5, 50);
    static int32_t first[AFE_N_CHANNELS][N];
    struct afe_block b;
    front_end_noise_seed(f, 42);
    front_end_sample(f, t, 0, N, &b);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        memcpy(first[c], b.sample[c], sizeof first[c]);
    front_end_sample(f, t, 0, N, &b);
    assert_memory_not_equal(first[AFE_I1], b.sample[AFE_I1], sizeof first[0]);
    front_end_noise_seed(f, 42);
    for (uint32_t at = 0, n = 1; at < N; at += n, n = n * 2 + 1) { /* in other blocks */
        n = n < N - at ? n : N - at;
        front_end_sample(f, t, at, n, &b);
        for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
            assert_memory_equal(&first[c][at], b.sample[c], n * sizeof first[0][0]);
    }
    test_signal_free(t);
    front_end_free(f);
}

static void front_end_draws_within_its_tolerances(void **state)
{
    (void)state;
    double least[2] = {1, 1}, most[2] = {-1, -1};
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct front_end_spec spec = spec_of("ST402D", seed, false);
        struct front_end *f = front_end_new(&spec);
        struct test_signal *t = sine(230, 50, 50);
        for (unsigned c = 0; c < AFE_IN; c++) {
            struct seen s = look(f, t, c, 1);
            double e = s.amplitude / ((c <= AFE_U3 ? 230 : 50) * sqrt(2)) - 1;
            double full = c <= AFE_U3 ? spec.u_full_v : spec.i_full_a;
            double late = remainder(-s.angle - (c % 3) * 2 * PI / 3, 2 * PI) / (2 * PI * 50);
            assert_true(fabs(e) < 0.01001 && fabs(s.mean) < 0.00501 * full);
            assert_true(fabs(late) < 2.02e-6);
            least[0] = fmin(least[0], e);
            most[0] = fmax(most[0], e);
            least[1] = fmin(least[1], late * 1e6);
            most[1] = fmax(most[1], late * 1e6);
        }
        test_signal_free(t);
        front_end_free(f);
    }
    assert_true(least[0] < -0.007 && most[0] > 0.007); /* and fills them */
    assert_true(least[1] < -1.4 && most[1] > 1.4);
}

static struct seen look_at(struct front_end *f, double i_a, double f_hz)
{
    struct test_signal *t = sine(230, i_a, f_hz);
    struct seen s = look(f, t, AFE_I1, 20);
    s.amplitude /= i_a * sqrt(2);
    test_signal_free(t);
    return s;
}

/* The errors of a CT move with the current and, the phase, inversely with the frequency. */
static void front_end_ct_leads_more_at_small_currents(void **state)
{
    (void)state;
    struct front_end_spec spec = spec_of("ST402C", 5, false);
    spec.skew_us = spec.crosstalk_ppm = 0;
    spec.snr_db = 140;
    struct front_end *f = front_end_new(&spec);
    struct seen top = look_at(f, 6, 50), low = look_at(f, 6.0 / 5000, 50), fast = look_at(f, 6, 55);
    assert_true(top.angle > 5.9 * MINUTE && top.angle < 12.1 * MINUTE);
    assert_true(low.angle - top.angle > 7.4 * MINUTE && low.angle - top.angle < 15.1 * MINUTE);
    double fall = 1 - low.amplitude / top.amplitude;
    assert_true(fall > 0.00049 && fall < 0.00101);
    assert_true(fabs(fast.angle / top.angle * 1.1 - 1) < 1e-3);
    front_end_free(f);
}

static void front_end_drifts_with_temperature(void **state)
{
    (void)state;
    struct front_end_spec spec = spec_of("ST402C", 6, false);
    struct front_end *f = front_end_new(&spec);
    struct seen cool = look_at(f, 5, 50);
    front_end_temperature(f, 63);
    struct seen hot = look_at(f, 5, 50);
    double ppm_k = (hot.amplitude / cool.amplitude - 1) * 1e6 / 40;
    double nrad_k = (hot.angle - cool.angle) * 1e9 / 40;
    assert_true(fabs(ppm_k) > 0.1 && fabs(ppm_k) < 26);
    assert_true(fabs(nrad_k) > 10 && fabs(nrad_k) < 14001);
    front_end_free(f);
}

static void front_end_clips_at_the_end_of_its_range(void **state)
{
    (void)state;
    struct front_end_spec spec = spec_of("ST402D", 7, false);
    struct front_end *f = front_end_new(&spec);
    struct test_signal *t = sine(230, 150, 50), *most = sine(1.3 * 230, 100, 50);
    struct afe_block b;
    int32_t top = 0, bottom = 0;
    front_end_sample(f, t, 0, N, &b);
    for (unsigned k = 0; k < N; k++) {
        top = b.sample[AFE_I1][k] > top ? b.sample[AFE_I1][k] : top;
        bottom = b.sample[AFE_I1][k] < bottom ? b.sample[AFE_I1][k] : bottom;
    }
    assert_int_equal(top, AFE_FULL_SCALE - 1);
    assert_int_equal(bottom, -AFE_FULL_SCALE);
    front_end_sample(f, most, 0, N, &b);
    for (unsigned c = 0; c < AFE_IN; c++)
        for (unsigned k = 0; k < N; k++)
            assert_true(abs(b.sample[c][k]) < AFE_FULL_SCALE - 1);
    test_signal_free(most);
    test_signal_free(t);
    front_end_free(f);
}

static void front_end_can_be_wired_wrong(void **state)
{
    (void)state;
    struct front_end_spec spec = spec_of("ST402D", 8, true);
    spec.dead = 1u << AFE_U2;
    spec.reversed = 1u << AFE_I1;
    spec.swap[0] = AFE_I2;
    spec.swap[1] = AFE_I3;
    struct front_end *f = front_end_new(&spec);
    struct test_signal *t = sine(230, 5, 50);
    assert_true(look(f, t, AFE_U2, 1).amplitude < 1e-3);
    assert_true(fabs(remainder(look(f, t, AFE_I1, 1).angle - PI, 2 * PI)) < 1e-4);
    assert_true(fabs(look(f, t, AFE_I2, 1).angle - 2 * PI / 3) < 1e-4);
    assert_true(fabs(look(f, t, AFE_I3, 1).angle + 2 * PI / 3) < 1e-4);
    test_signal_free(t);
    front_end_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(front_end_ideal_only_rounds),
        cmocka_unit_test(front_end_noise_is_as_far_below_full_scale_as_said),
        cmocka_unit_test(front_end_noise_is_white_and_its_own_in_each_channel),
        cmocka_unit_test(front_end_noise_seed_repeats_the_noise),
        cmocka_unit_test(front_end_draws_within_its_tolerances),
        cmocka_unit_test(front_end_ct_leads_more_at_small_currents),
        cmocka_unit_test(front_end_drifts_with_temperature),
        cmocka_unit_test(front_end_clips_at_the_end_of_its_range),
        cmocka_unit_test(front_end_can_be_wired_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
