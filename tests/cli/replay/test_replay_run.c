/* What replay reports against plain sums in double over the same samples, DC removed. The samples
 * of the reference come out of the readers, whose own tests stand in tests/sim. */
#include "cli/replay_run.h"
#include "sim/comtrade.h"
#include "sim/csv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PI    3.14159265358979323846
#define H_MAX 40

static char message[500];

static void assert_near(const char *what, double got, double expected, double off)
{
    if (!(fabs(got - expected) <= off))
        fail_msg("%s: %.9g is not %.9g within %.3g", what, got, expected, off);
}

static void replay(const char *spec, double repeat_s, struct replay_result *out)
{
    struct source_options o = {0};
    struct source *s;
    if (source_open(&s, spec, &o, message, sizeof message))
        fail_msg("%s", message);
    assert_int_equal(replay_run(s, repeat_s, out), ERR_OK);
    source_close(s);
}

static double mean_product(const double *a, const double *b, size_t n)
{
    double sum = 0, sa = 0, sb = 0;
    for (size_t k = 0; k < n; k++) {
        sum += a[k] * b[k];
        sa += a[k];
        sb += b[k];
    }
    return sum / (double)n - sa / (double)n * (sb / (double)n);
}

struct line { /* rms phasor of one frequency */
    double re, im;
};

static struct line line_of(const double *x, size_t n, double turns)
{
    struct line l = {0, 0};
    for (size_t k = 0; k < n; k++) {
        l.re += x[k] * cos(2 * PI * turns * (double)k / (double)n) * sqrt(2) / (double)n;
        l.im -= x[k] * sin(2 * PI * turns * (double)k / (double)n) * sqrt(2) / (double)n;
    }
    return l;
}

static double thd_pct(const double *x, size_t n, double cycles)
{
    struct line one = line_of(x, n, cycles);
    double sum = 0;
    for (int h = 2; h <= H_MAX; h++) {
        struct line l = line_of(x, n, cycles * h);
        sum += l.re * l.re + l.im * l.im;
    }
    return 100 * sqrt(sum / (one.re * one.re + one.im * one.im));
}

struct tolerance {
    double relative, q_of_s, thd_points;
};

/* `u` and `i`: n samples of `cycles` whole cycles. */
static void assert_phase(const struct replay_phase *p, const double *u, const double *i, size_t n,
                         double cycles, struct tolerance t)
{
    double u_v = sqrt(mean_product(u, u, n)), i_a = sqrt(mean_product(i, i, n));
    double p_w = mean_product(u, i, n);
    struct line a = line_of(u, n, cycles), b = line_of(i, n, cycles);
    assert_near("U", p->u_v, u_v, t.relative * u_v);
    assert_near("I", p->i_a, i_a, t.relative * i_a);
    assert_near("P", p->p_w, p_w, t.relative * fabs(p_w));
    assert_near("Q1", p->q_var, a.im * b.re - a.re * b.im, t.q_of_s * u_v * i_a);
    assert_near("S", p->s_va, u_v * i_a, 2 * t.relative * u_v * i_a);
    assert_near("THD U", p->thd_u_pct, thd_pct(u, n, cycles), t.thd_points);
    assert_near("THD I", p->thd_i_pct, thd_pct(i, n, cycles), t.thd_points);
}

static void replay_agrees_with_sums_over_the_coherent_recording(void **state)
{
    (void)state;
    static const char path[] = SHARED_DIR "/waveforms/ion7650/keating_1999.CFG";
    static const struct tolerance t = {2e-4, 5e-4, 0.05};
    struct fault f = {message, sizeof message};
    struct recording r;
    struct replay_result once, hour;
    if (access(path, R_OK) != 0) {
        print_message("no recordings beside the source tree: skipped\n");
        skip();
    }
    assert_int_equal(comtrade_load(path, &r, &f), ERR_OK);
    replay(path, 0, &once);
    replay(path, 60, &hour);
    double p_w = 0;
    for (int p = 0; p < 3; p++) {
        const double *u = r.channel[4 + p].sample, *i = r.channel[p].sample;
        assert_phase(&once.phase[p], u, i, r.n, 4, t);
        assert_phase(&hour.phase[p], u, i, r.n, 4, t);
        p_w += mean_product(u, i, r.n);
    }
    double in = sqrt(mean_product(r.channel[3].sample, r.channel[3].sample, r.n));
    assert_near("neutral", once.in_a, in, 1e-3 * in);
    assert_near("frequency", once.frequency_hz, 59.975086, 1e-4);
    assert_near("seconds", once.seconds, 2048 / 30707.244140625, 1e-9);
    assert_near("seconds", hour.seconds, 60, 1e-4);
    assert_near("energy", hour.energy[LEGAL_A_IMPORT], p_w * hour.seconds / 3600,
                2e-4 * p_w * hour.seconds / 3600);
    assert_true(hour.energy[LEGAL_A_EXPORT] == 0);
    recording_free(&r);
}

static void replay_agrees_with_sums_over_an_exporting_feeder(void **state)
{
    (void)state;
    static const char path[] = SHARED_DIR "/waveforms/mhkit/2020224_181521_PowRaw.csv";
    static const struct tolerance t = {1e-3, 1e-3, 0.1};
    struct fault f = {message, sizeof message};
    struct recording r;
    struct replay_result got;
    if (access(path, R_OK) != 0) {
        print_message("no recordings beside the source tree: skipped\n");
        skip();
    }
    assert_int_equal(csv_load(path, &r, &f), ERR_OK);
    replay(path, 60, &got);
    size_t n = 7505; /* 9 cycles of 59.96 Hz */
    double p_w = 0;
    for (int p = 0; p < 3; p++) {
        assert_phase(&got.phase[p], r.channel[p].sample, r.channel[3 + p].sample, n, 9, t);
        p_w += mean_product(r.channel[p].sample, r.channel[3 + p].sample, n);
    }
    assert_near("frequency", got.frequency_hz, 59.961, 0.005);
    assert_near("energy", got.energy[LEGAL_A_EXPORT], -p_w * got.seconds / 3600,
                -1e-3 * p_w * got.seconds / 3600);
    assert_true(got.energy[LEGAL_A_IMPORT] < 1e-4 * got.energy[LEGAL_A_EXPORT]);
    recording_free(&r);
}

static void replay_measures_what_was_synthesised(void **state)
{
    (void)state;
    struct replay_result r;
    replay("synth:u=230,i=5,pf=0.5,f=50.2,h5=10%,ih5=40%,seconds=10", 0, &r);
    assert_int_equal(r.n_phases, 3);
    for (int p = 0; p < 3; p++) {
        assert_near("U", r.phase[p].u_v, 230 * sqrt(1.01), 0.005);
        assert_near("I", r.phase[p].i_a, 5 * sqrt(1.16), 0.0002);
        /* the fifth harmonics stand 5 x 60 degrees apart */
        assert_near("P", r.phase[p].p_w, 1150 * (0.5 + 0.04 * cos(5 * PI / 3)), 0.05);
        assert_near("Q1", r.phase[p].q_var, 1150 * sin(PI / 3), 0.1);
        assert_near("phase", r.phase[p].phase_deg, 60, 0.01);
        assert_near("THD U", r.phase[p].thd_u_pct, 10, 0.02);
        assert_near("THD I", r.phase[p].thd_i_pct, 40, 0.05);
    }
    assert_near("frequency", r.frequency_hz, 50.2, 0.0005);
    assert_near("seconds", r.seconds, 10, 1e-9);
    assert_near("P", r.p_w, r.phase[0].p_w + r.phase[1].p_w + r.phase[2].p_w, 1e-6);
    assert_near("energy", r.energy[LEGAL_A_IMPORT], r.p_w / 360, 1e-4 * r.p_w / 360);
}

static void replay_reports_one_phase_as_one(void **state)
{
    (void)state;
    struct replay_result r;
    replay("synth:phases=1,u=230,i=5,pf=-0.8,lead", 0, &r);
    assert_int_equal(r.n_phases, 1);
    assert_near("P", r.p_w, -920, 0.05);
    assert_near("Q1", r.q_var, -690, 0.1); /* export and leading: third quadrant */
    assert_true(r.energy[LEGAL_R_QIII] > 0 && r.energy[LEGAL_A_EXPORT] > 0);
}

static void replay_reports_a_recording_without_frequency_over_all_samples(void **state)
{
    (void)state;
    struct replay_result r;
    char path[] = "/tmp/replay-XXXXXX.csv";
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    fprintf(f, "time,U1_V,I1_A\n");
    for (int k = 0; k < 150; k++) /* a cycle and a half */
        fprintf(f, "%.6f,%.6f,%.6f\n", k / 5000., 100 * sin(PI * k / 50),
                100 + 5 * sin(PI * k / 50));
    fclose(f);
    replay(path, 0, &r);
    unlink(path);
    double m = 2 / (3 * PI); /* mean of a sine over a cycle and a half */
    assert_true(r.frequency_hz == 0 && r.phase[0].q_var == 0 && r.phase[0].thd_u_pct == 0);
    assert_near("U", r.phase[0].u_v, 100 * sqrt(0.5 - m * m), 0.1);
    assert_near("I", r.phase[0].i_a, 5 * sqrt(0.5 - m * m), 0.01);
    assert_near("P", r.p_w, 500 * (0.5 - m * m), 0.5);
    assert_near("seconds", r.seconds, 0.03, 1e-9);
}

static void replay_finds_the_frequency_of_currents_alone(void **state)
{
    (void)state;
    struct replay_result r;
    char path[] = "/tmp/replay-XXXXXX.csv";
    int fd = mkstemps(path, 4);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    fprintf(f, "time,I1_A\n");
    for (int k = 0; k < 1000; k++)
        fprintf(f, "%.6f,%.6f\n", k / 5000., 5 * sin(2 * PI * 49.2 / 5000 * k));
    fclose(f);
    replay(path, 0, &r);
    unlink(path);
    assert_near("frequency", r.frequency_hz, 49.2, 0.001);
    assert_near("I", r.phase[0].i_a, 5 / sqrt(2), 0.001);
    assert_true(r.phase[0].u_v == 0 && r.phase[0].thd_u_pct == 0);
}

/* The current is sampled later than the voltage, and says by how much. */
static void replay_brings_skewed_channels_together(void **state)
{
    static const double skew_us[] = {0, 70, -110, 240};
    (void)state;
    for (int c = 0; c < 4; c++) {
        struct replay_result r;
        double skew = skew_us[c] * 1e-6, t = 0, a = 2 * PI * 50;
        FILE *cfg = fopen("skew.cfg", "w"), *dat = fopen("skew.dat", "w");
        assert_true(cfg && dat);
        fprintf(cfg,
                "station,device,1999\r\n2,2A,0D\r\n1,UA,A,,V,0.01,0,0,-32767,32767,1,1,S\r\n"
                "2,IA,A,,A,0.0005,0,%g,-32767,32767,1,1,S\r\n50\r\n2\r\n4000,4000\r\n"
                "6400,10400\r\na,b\r\na,b\r\nASCII\r\n1\r\n",
                skew_us[c]);
        for (int k = 0; k < 10400; k++) {
            double at = t + skew, u = 200 * sin(a * t) + 20 * sin(5 * a * t);
            double i = 10 * sin(a * at - PI / 3) + 4 * sin(5 * a * at - PI / 3);
            fprintf(dat, "%d,%.0f,%ld,%ld\r\n", k + 1, t * 1e6, lround(u / 0.01),
                    lround(i / 0.0005));
            t += 1 / (k < 4000 ? 4000. : 6400.);
        }
        fclose(cfg);
        fclose(dat);
        replay("skew.cfg", 0, &r);
        assert_near("P", r.p_w, 500 + 20, 0.05);
        assert_near("Q1", r.q_var, 1000 * sin(PI / 3), 0.1);
        assert_near("phase", r.phase[0].phase_deg, 60, 0.005);
        assert_near("energy", r.energy[LEGAL_A_IMPORT], 520 * 2 / 3600., 0.0005);
    }
    unlink("skew.cfg");
    unlink("skew.dat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_finds_the_frequency_of_currents_alone),
        cmocka_unit_test(replay_agrees_with_sums_over_the_coherent_recording),
        cmocka_unit_test(replay_agrees_with_sums_over_an_exporting_feeder),
        cmocka_unit_test(replay_measures_what_was_synthesised),
        cmocka_unit_test(replay_reports_one_phase_as_one),
        cmocka_unit_test(replay_brings_skewed_channels_together),
        cmocka_unit_test(replay_reports_a_recording_without_frequency_over_all_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
