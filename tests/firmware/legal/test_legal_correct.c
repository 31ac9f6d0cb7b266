/* Corrections against analytic truth: channels with known errors, the calibration that undoes them.
 */
#include "firmware/legal/legal_parts.h"
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LIMIT 0.001 /* percent */
#define RATE  8000

static struct legal meter;

static int32_t ppb(double x)
{
    return (int32_t)lround(x * 1e9);
}

/* What a calibration to the last digit of its parameters would write. */
static void calibrate(struct legal_config *c, const struct signal *s)
{
    for (unsigned n = 0; n < AFE_N_CHANNELS; n++) {
        c->calibration.channel[n].gain_ppb = ppb(s->error[n].gain);
        c->calibration.channel[n].delay_ns = (int32_t)lround(s->error[n].delay_s * 1e9);
    }
    for (unsigned p = 0; p < 3; p++)
        if (s->error[AFE_I1 + p].lead != 0) {
            c->calibration.phase[p].n_ct = 1;
            c->calibration.phase[p].ct[0] =
                (struct legal_ct_point){.i_ua = 1000, .phase_nrad = ppb(s->error[AFE_I1 + p].lead)};
        }
}

static struct legal_values measure(const struct legal_config *c, const struct signal *s,
                                   const int32_t *mc)
{
    struct legal_values v;
    assert_int_equal(legal_init(&meter, c), ERR_OK);
    if (mc)
        legal_temperature_set(&meter, *mc);
    signal_seconds(&meter, s, 1.6);
    legal_values_get(&meter, &v);
    assert_true(v.sequence > 0);
    return v;
}

/* The largest deviation of U, I, P (of reading) and Q (of S), percent. */
static double deviation(const struct signal *s, const struct legal_values *v)
{
    struct deviation d = signal_deviation(s, v);
    return fmax(fmax(d.u, d.i), fmax(d.p, d.q));
}

static void check(const struct signal *s, const char *what)
{
    struct legal_config c = signal_config();
    c.f_nominal_mhz = s->f > 55 ? 60000 : 50000;
    calibrate(&c, s);
    struct legal_values v = measure(&c, s, NULL);
    double d = deviation(s, &v);
    printf("  %-44s %.5f %%\n", what, d);
    assert_true(d < LIMIT);
    for (unsigned p = 0; p < 3; p++) {
        assert_true(abs(v.phase[p].phase_mdeg - (int)lround(s->lag[p] * 1000)) <= 2);
        assert_true(abs(v.phase[p].u_angle_mdeg - (int)lround(s->u_deg[p] * 1000)) <= 2);
    }
}

/* --- one correction at a time --------------------------------------------------------------- */

static void correct_changes_no_bit_when_all_is_zero(void **state)
{
    (void)state;
    struct signal s = signal_balanced(49.9, RATE, 5, 50);
    s.line[0] = (struct signal_line){5, 0.06, 0.2, 20, 200};
    s.noise = 20;
    struct legal_config c = signal_config();
    struct legal_snapshot plain, corrected;
    struct legal_values v = measure(&c, &s, NULL);
    legal_snapshot_get(&meter, &plain);
    assert_false(meter.correct.active);
    for (unsigned p = 0; p < 3; p++) { /* runs all of it, with nothing to correct */
        c.calibration.phase[p].n_ct = 1;
        c.calibration.phase[p].ct[0].i_ua = 5000000;
    }
    struct legal_values w = measure(&c, &s, NULL);
    legal_snapshot_get(&meter, &corrected);
    assert_true(meter.correct.active);
    assert_memory_equal(&v, &w, sizeof v);
    assert_memory_equal(&plain, &corrected, sizeof plain);
}

static void correct_undoes_gains(void **state)
{
    (void)state;
    struct signal s = signal_balanced(50.03, RATE, 5, 60);
    static const double gain[] = {0.2, -0.2, 0.0123456, -0.19, 0.17, 1e-6, 0};
    for (unsigned n = 0; n < AFE_N_CHANNELS; n++)
        s.error[n].gain = gain[n];
    check(&s, "gains to 20 %");
}

static void correct_undoes_delays_at_all_frequencies(void **state)
{
    (void)state;
    static const double f[] = {45, 49.3, 51, 60, 65}, lag[] = {0, 60, -60};
    static const double us[] = {250, -250, 3.1, -125, 240, 0.7};
    for (unsigned k = 0; k < 5; k++)
        for (unsigned j = 0; j < 3; j++) {
            char what[64];
            struct signal s = signal_balanced(f[k], RATE, 5, lag[j]);
            for (unsigned n = 0; n < 6; n++)
                s.error[n].delay_s = us[(n + k) % 6] * 1e-6;
            snprintf(what, sizeof what, "delays to 500 us, f %.1f, lag %.0f", f[k], lag[j]);
            check(&s, what);
        }
}

static void correct_undoes_the_lead_of_transformers(void **state)
{
    (void)state;
    for (int lag = -60; lag <= 60; lag += 60) {
        struct signal s = signal_balanced(50.013, RATE, 5, lag);
        s.error[AFE_I1].lead = 0.1;
        s.error[AFE_I2].lead = -0.1;
        s.error[AFE_I3].lead = 0.003;
        check(&s, "lead to 0.1 rad");
    }
}

/* --- over the current ----------------------------------------------------------------------- */

/* An error that is a straight line over log(i) between these points, and the table of it. */
static const struct legal_ct_point table[] = {
    {20000, 4000000, 9000000},   {200000, 2500000, 6000000}, {2000000, 900000, 2000000},
    {20000000, 100000, -500000}, {60000000, -50000, 100000}, {100000000, -800000, 3000000},
};

static void error_at(double i, double *gain, double *lead)
{
    unsigned k = 0;
    double ua = i * 1e6;
    if (ua < table[0].i_ua)
        ua = table[0].i_ua;
    if (ua > table[5].i_ua)
        ua = table[5].i_ua;
    while (k < 4 && ua > table[k + 1].i_ua)
        k++;
    const struct legal_ct_point *a = &table[k], *b = a + 1;
    double part = log(ua / a->i_ua) / log((double)b->i_ua / a->i_ua);
    *gain = 1e-9 * (a->gain_ppb + part * (b->gain_ppb - a->gain_ppb));
    *lead = 1e-9 * (a->phase_nrad + part * (b->phase_nrad - a->phase_nrad));
}

/* Watt, var and seconds of the whole windows, finer than the values tell. */
struct sum {
    double p, q, n;
};

static void add_window(void *context, const struct legal_window *w)
{
    struct sum *s = context;
    struct legal_cleaned x;
    if (w->flags & LEGAL_WINDOW_PARTIAL)
        return;
    legal_clean_window(&meter, w, &x);
    s->n += (double)w->n_q16 / 65536;
    s->p += (double)x.phase[1].ui * 2e-9;
    s->q += (double)x.phase[1].q * 2e-9;
}

static double power_deviation(const struct legal_config *c, const struct signal *s)
{
    struct sum got = {0, 0, 0};
    struct truth t = signal_truth(s, 1);
    assert_int_equal(legal_init(&meter, c), ERR_OK);
    legal_observe(&meter, add_window, &got);
    signal_seconds(&meter, s, s->i[1] < 0.1 ? 9.3 : 1.3); /* whole counts are noise there */
    double p = 100 * fabs(got.p / got.n - t.p) / t.p, q = 100 * fabs(got.q / got.n - t.q) / t.s;
    return fmax(p, q);
}

static void correct_follows_the_table_over_5000_to_1(void **state)
{
    (void)state;
    static const double amps[] = {0.02, 0.021, 0.06, 0.2, 0.7, 5, 19, 37, 80, 100};
    struct legal_config c = signal_config();
    double most = 0;
    c.calibration.channel[AFE_I2].gain_ppb = 150000000; /* the table is beyond the gain */
    c.calibration.phase[1].n_ct = 6;
    memcpy(c.calibration.phase[1].ct, table, sizeof table);
    for (unsigned k = 0; k < 20; k++) {
        struct signal s = signal_balanced(50.03, RATE, amps[k / 2], k % 2 ? 60 : 0);
        struct signal_error *e = &s.error[AFE_I2];
        error_at(amps[k / 2], &e->gain, &e->lead);
        e->gain = 1.15 * (1 + e->gain) - 1;
        double d = power_deviation(&c, &s);
        most = fmax(most, d);
        assert_true(d < LIMIT);
    }
    printf("  table over 5000:1: %.5f %%\n", most);
}

static void correct_holds_the_ends_of_the_table(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    for (unsigned p = 0; p < 3; p++) {
        c.calibration.phase[p].n_ct = 2;
        c.calibration.phase[p].ct[0] = (struct legal_ct_point){1000000, 50000000, 20000000};
        c.calibration.phase[p].ct[1] = (struct legal_ct_point){2000000, -50000000, -20000000};
    }
    for (unsigned k = 0; k < 2; k++) {
        struct signal s = signal_balanced(50.03, RATE, k ? 90 : 0.3, 60);
        for (unsigned p = 0; p < 3; p++)
            s.error[AFE_I1 + p] =
                (struct signal_error){.gain = k ? -0.05 : 0.05, .lead = k ? -0.02 : 0.02};
        struct legal_values v = measure(&c, &s, NULL);
        assert_true(deviation(&s, &v) < LIMIT);
    }
}

/* --- over the temperature ------------------------------------------------------------------- */

static void correct_follows_the_temperature(void **state)
{
    (void)state;
    double most = 0;
    for (int32_t mc = -40000; mc <= 85000; mc += 25000) {
        struct legal_config c = signal_config();
        struct signal s = signal_balanced(50.03, RATE, 5, mc % 50000 ? 60 : 0);
        double t = (mc - 23000) / 1000.0;
        c.calibration.reference_mc = 23000;
        for (unsigned p = 0; p < 3; p++) {
            double k = p ? -1.0 - 0.3 * p : 1;
            struct legal_channel_calibration *u = &c.calibration.channel[AFE_U1 + p];
            struct legal_channel_calibration *i = &c.calibration.channel[AFE_I1 + p];
            *u = (struct legal_channel_calibration){.gain_ppb = ppb(0.01 * k),
                                                    .drift_ppb_k = (int32_t)(50000 * k),
                                                    .drift_ppt_k2 = (int32_t)(300000 * k)};
            *i = (struct legal_channel_calibration){.drift_ppb_k = (int32_t)(-80000 * k),
                                                    .drift_ppt_k2 = (int32_t)(900000 * k)};
            c.calibration.phase[p].phase_drift_nrad_k = (int32_t)(20000 * k);
            s.error[AFE_U1 + p].gain =
                (1 + 0.01 * k) * (1 + 50e-6 * k * t + 0.3e-6 * k * t * t) - 1;
            s.error[AFE_I1 + p].gain = -80e-6 * k * t + 0.9e-6 * k * t * t;
            s.error[AFE_I1 + p].lead = 20e-6 * k * t;
        }
        struct legal_values v = measure(&c, &s, &mc);
        most = fmax(most, deviation(&s, &v));
        assert_true(deviation(&s, &v) < LIMIT);
    }
    printf("  -40..85 degrees: %.5f %%\n", most);
}

static void correct_takes_the_reference_until_told(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, RATE, 5, 0);
    c.calibration.reference_mc = 60000;
    c.calibration.channel[AFE_U1].drift_ppb_k = 1000000;
    struct legal_values v = measure(&c, &s, NULL);
    assert_in_range(v.phase[0].u_mv, 229999, 230001);
    v = measure(&c, &s, &(int32_t){50000});
    assert_in_range(v.phase[0].u_mv, 227699, 227701); /* -10 K of 0.1 % */
    v = measure(&c, &s, &(int32_t){INT32_MIN});       /* held at -200 K */
    assert_in_range(v.phase[0].u_mv, 183999, 184001);
    v = measure(&c, &s, &(int32_t){INT32_MAX});
    assert_in_range(v.phase[0].u_mv, 275999, 276001);
}

/* --- together, and what remains ------------------------------------------------------------- */

static void correct_undoes_all_at_once(void **state)
{
    (void)state;
    static const double f[] = {45, 50.02, 65}, lag[] = {0, 60, -60};
    for (unsigned k = 0; k < 9; k++) {
        struct signal s = signal_balanced(f[k % 3], k < 3 ? 4000 : RATE, 7, lag[k / 3]);
        for (unsigned p = 0; p < 3; p++) {
            s.error[AFE_U1 + p] =
                (struct signal_error){.gain = 0.03 - 0.02 * p, .delay_s = 11e-6 * p, .offset = 900};
            s.error[AFE_I1 + p] = (struct signal_error){.gain = -0.05 + 0.03 * p,
                                                        .delay_s = -8e-6 * p,
                                                        .lead = 0.004 * (p + 1),
                                                        .offset = -700};
        }
        check(&s, "gain, delay, lead, offset");
    }
}

/* P1 at PF 1 with U5 10 % and I5 40 %, in phase: what turning only the fundamental leaves. */
static double fifth_after(double delay_us, double angle)
{
    struct signal s = signal_balanced(50.03, RATE, 5, 0);
    s.line[0] = (struct signal_line){5, 0.1, 0.4, 0, -angle};
    for (unsigned p = 0; p < 3; p++)
        s.error[AFE_I1 + p].delay_s = delay_us * 1e-6;
    struct legal_config c = signal_config();
    calibrate(&c, &s);
    struct legal_values v = measure(&c, &s, NULL);
    struct truth t = signal_truth(&s, 0);
    return 100 * ((double)v.phase[0].p_mw * 1e-3 - t.p) / t.p;
}

static void correct_leaves_little_of_a_fifth_harmonic(void **state)
{
    (void)state;
    double a = fifth_after(5, 0), b = fifth_after(32, 0), c = fifth_after(5, 90);
    printf("  5th harmonic in phase, 5 us %+.5f %%, 32 us %+.5f %%; 90 deg, 5 us %+.5f %%\n", a, b,
           c);
    assert_true(fabs(a) < 0.0003);
    assert_true(fabs(b) < 0.006);
    assert_true(fabs(c) < 0.035);
}

/* --- noise and offsets ---------------------------------------------------------------------- */

/* A window of a second with exactly these means, in counts squared. */
static struct legal_window plain_window(double uu, double ii, double p, double q)
{
    double n = 8000, a = atan2(q, p), u = sqrt(2 * uu), i = sqrt(2) * hypot(p, q) / sqrt(uu);
    struct legal_window w = {
        .n_q16 = 8000 << 16, .rate_uhz = UINT64_C(8000000000), .frequency_uhz = 50000000};
    w.flags = LEGAL_WINDOW_NO_CROSS;
    for (unsigned k = 0; k < 3; k++) {
        w.phase[k].uu = llround(n * uu);
        w.phase[k].ii = llround(n * ii);
        w.phase[k].ui = llround(n * p);
        w.phase[k].u_re = llround(n * u / 2);
        w.phase[k].i_re = llround(n * i / 2 * cos(a));
        w.phase[k].i_im = llround(n * i / 2 * sin(a));
    }
    return w;
}

static struct legal_values of_window(const struct legal_config *c, const struct legal_window *w)
{
    struct legal_values v;
    assert_int_equal(legal_init(&meter, c), ERR_OK);
    assert_int_equal(legal_feed_window(&meter, w), ERR_OK);
    legal_values_get(&meter, &v);
    assert_int_equal(v.sequence, 1);
    return v;
}

static void noise_comes_off_the_square(void **state)
{
    (void)state;
    const double u = 2300000, i = 1186, noise = 53; /* 1/5000 of full range, 101 dB */
    struct legal_config c = signal_config();
    for (unsigned n = 0; n < AFE_N_CHANNELS; n++)
        c.calibration.channel[n].noise_q8 = (uint32_t)(noise * noise * 256);
    struct legal_window w = plain_window(u * u + noise * noise, i * i + noise * noise, u * i, 0);
    struct legal_values v = of_window(&c, &w);
    assert_int_equal(v.phase[0].i_ua, 23720);
    assert_int_equal(v.phase[2].u_mv, 230000);
    assert_in_range(v.phase[1].pf_ppm, 999999, 1000000);
    w = plain_window(u * u, noise * noise, 0, 0); /* nothing but noise */
    v = of_window(&c, &w);
    assert_int_equal(v.phase[0].i_ua, 0);
    w = plain_window(u * u, noise * noise / 4, 0, 0); /* less than that */
    v = of_window(&c, &w);
    assert_int_equal(v.phase[0].i_ua, 0);
    assert_int_equal(v.phase[0].s_mva, 0);
}

static void noise_is_taken_from_samples_too(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50.03, RATE, 0.0237, 0); /* 1186 counts */
    s.noise = 120;
    for (unsigned n = 0; n < AFE_N_CHANNELS; n++)
        c.calibration.channel[n].noise_q8 = 120 * 120 * 256;
    struct legal_values v;
    double sum = 0;
    unsigned got = 0;
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    for (unsigned k = 0; k < 6; k++) {
        signal_feed(&meter, &s, k * RATE, RATE, 250);
        legal_values_get(&meter, &v);
        for (unsigned p = 0; p < 3 && k > 1; p++, got++)
            sum += v.phase[p].i_ua;
    }
    double error = 100 * (sum / got / 23700 - 1);
    printf("  23.7 mA in noise of 2.4 mA: %+.4f %% (%+.3f %% with its noise)\n", error,
           100 * (hypot(1, 120 / 1185.0) - 1));
    assert_true(fabs(error) < 0.12);
    s.i[0] = s.i[1] = s.i[2] = 0;
    v = measure(&c, &s, NULL);
    assert_true(v.phase[0].i_ua < 600); /* 2400 with its noise */
}

static void offsets_of_products_come_off(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    c.calibration.phase[0].p_offset_q8 = 1000000 * 256; /* 2 mW at 2e-9 W */
    c.calibration.phase[0].q_offset_q8 = -500000 * 256;
    c.calibration.channel[AFE_I1].gain_ppb = 100000000; /* does not scale them */
    struct legal_window w = plain_window(2300000.0 * 2300000, 1e6, 1.1e9, 1.3e9);
    struct legal_values v = of_window(&c, &w);
    assert_int_equal(v.phase[0].p_mw, 2420 - 2);
    assert_int_equal(v.phase[0].q_mvar, 2860 + 1);
    assert_int_equal(v.phase[1].p_mw, 2200);
    w.phase[0] = (struct legal_window_phase){0}; /* a dead phase has none */
    v = of_window(&c, &w);
    assert_int_equal(v.phase[0].p_mw, 0);
    assert_int_equal(v.phase[0].q_mvar, 0);
}

static int64_t energy_of_a_start(const struct legal_config *c, const struct signal *s)
{
    struct legal_energies e;
    assert_int_equal(legal_init(&meter, c), ERR_OK);
    signal_feed(&meter, s, 0, 120, 40); /* 15 ms: below a cycle */
    legal_flush(&meter);
    legal_energies_get(&meter, &e);
    return (int64_t)e.total[LEGAL_A_IMPORT] - (int64_t)e.total[LEGAL_A_EXPORT];
}

static void known_direct_component_does_not_count_before_a_cycle(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, RATE, 0, 0);
    s.u[0] = s.u[1] = s.u[2] = 0;
    for (unsigned n = 0; n < 6; n++)
        s.error[n].offset = 100000; /* 10 V and 2 A: 60 W over 15 ms are 250 uWh */
    assert_in_range(energy_of_a_start(&c, &s), 240, 260);
    for (unsigned n = 0; n < 6; n++)
        c.calibration.channel[n].offset = 100000;
    assert_in_range(energy_of_a_start(&c, &s) + 1, 0, 2);
    signal_seconds(&meter, &s, 1.6); /* the first whole window knows as well */
    assert_in_range(meter.dc_q16[0], INT64_C(99999) << 16, INT64_C(100001) << 16);
}

/* --- absurd --------------------------------------------------------------------------------- */

static void extremes_of_all_parameters_overflow_nothing(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        int sign = k & 1 ? -1 : 1;
        struct legal_config c = signal_config();
        struct legal_values v;
        for (unsigned n = 0; n < AFE_N_CHANNELS; n++)
            c.calibration.channel[n] =
                (struct legal_channel_calibration){.gain_ppb = 200000000 * sign,
                                                   .offset = sign < 0 ? -8388608 : 8388607,
                                                   .delay_ns = (n < 3 ? 250000 : -250000) * sign,
                                                   .drift_ppb_k = 1000000 * sign,
                                                   .drift_ppt_k2 = 10000000 * sign,
                                                   .noise_q8 = k & 2 ? UINT32_MAX : 0};
        for (unsigned p = 0; p < 3; p++) {
            c.calibration.phase[p] = (struct legal_phase_calibration){
                .p_offset_q8 = sign < 0 ? INT32_MIN : INT32_MAX,
                .q_offset_q8 = sign < 0 ? INT32_MAX : INT32_MIN,
                .phase_drift_nrad_k = 1000000 * sign,
                .n_ct = 2,
                .ct = {{1, 100000000 * sign, 100000000 * sign},
                       {UINT32_MAX, -100000000 * sign, -100000000 * sign}}};
        }
        struct signal s = signal_balanced(50.03, RATE, 118, 30);
        s.present = 0x7F;
        s.u[0] = s.u[1] = s.u[2] = 593;
        v = measure(&c, &s, &(int32_t){sign * INT32_MAX});
        assert_true(v.sequence > 0);
        struct legal_window w = signal_window(&s, 50);
        w.frequency_uhz = UINT32_MAX;
        assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
        int64_t one = (int64_t)(w.n_q16 >> 16) * AFE_FULL_SCALE, square = one * AFE_FULL_SCALE;
        for (unsigned p = 0; p < 3; p++) {
            int64_t *field = (int64_t *)&w.phase[p]; /* uu, ii, ui, and what is not squared */
            for (unsigned f = 0; f < sizeof w.phase[p] / sizeof *field; f++)
                field[f] = f < 2 ? square : f == 2 ? sign * square : sign * one;
        }
        assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(correct_changes_no_bit_when_all_is_zero),
        cmocka_unit_test(correct_undoes_gains),
        cmocka_unit_test(correct_undoes_delays_at_all_frequencies),
        cmocka_unit_test(correct_undoes_the_lead_of_transformers),
        cmocka_unit_test(correct_follows_the_table_over_5000_to_1),
        cmocka_unit_test(correct_holds_the_ends_of_the_table),
        cmocka_unit_test(correct_follows_the_temperature),
        cmocka_unit_test(correct_takes_the_reference_until_told),
        cmocka_unit_test(correct_undoes_all_at_once),
        cmocka_unit_test(correct_leaves_little_of_a_fifth_harmonic),
        cmocka_unit_test(noise_comes_off_the_square),
        cmocka_unit_test(noise_is_taken_from_samples_too),
        cmocka_unit_test(offsets_of_products_come_off),
        cmocka_unit_test(known_direct_component_does_not_count_before_a_cycle),
        cmocka_unit_test(extremes_of_all_parameters_overflow_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
