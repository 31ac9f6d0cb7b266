/* Values while the voltage does not stay: dips that come more often than once a second, steps of
 * the frequency. Values must go on, and be of the signal; nothing may stay from before. */
#include "firmware/legal/legal_state.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI       3.14159265358979323846
#define RATE     8000
#define BLOCK    160
#define U_PEAK   3252691 /* 230 V in counts of 0.1 mV */
#define I_PEAK   353553  /* 5 A in counts of 20 uA */
#define OFFSET   4000    /* of the converter, counts: 0.4 V */
#define P_MW     1150000 /* of a phase */
#define I_OFFSET 2000    /* 0.04 A */
#define GAP_MAX  2.4     /* seconds between two sets of values */

static struct legal meter;
static double turns; /* of the fundamental, so far */
static double truth; /* sum of u i of phase 1 in counts, without offsets */

struct supply {
    double f;
    double every_s, dip_s; /* every so often the voltage is gone for so long; 0: never */
    unsigned dipped;       /* phases, bits */
    unsigned n_phases;
    bool clipped; /* current 1 */
};

static void start(unsigned n_phases)
{
    struct legal_config c = {.n_phases = (uint8_t)n_phases,
                             .wiring = n_phases == 1 ? LEGAL_1P2W : LEGAL_3P4W,
                             .un_mv = 230000,
                             .f_nominal_mhz = 50000,
                             .pulse_per_kwh = 1000};
    for (unsigned p = 0; p < 3; p++) {
        c.u_lsb_fv[p] = UINT64_C(100000000000);
        c.i_lsb_fa[p] = UINT64_C(20000000000);
    }
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    turns = truth = 0;
}

/* One block that begins at second t. */
static void feed(const struct supply *s, double t)
{
    static int32_t x[AFE_N_CHANNELS][BLOCK];
    struct afe_block b = {.rate_uhz = RATE * UINT64_C(1000000), .n = BLOCK};
    for (unsigned p = 0; p < s->n_phases; p++)
        b.present |= 1u << (AFE_U1 + p) | 1u << (AFE_I1 + p);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        b.sample[c] = x[c];
    for (unsigned k = 0; k < BLOCK; k++, turns += s->f / RATE) {
        bool gone = s->every_s > 0 && fmod(t + (double)k / RATE, s->every_s) < s->dip_s;
        for (unsigned p = 0; p < s->n_phases; p++) {
            double a = sin(2 * PI * (turns - p / 3.0));
            bool here = !gone || !(s->dipped >> p & 1);
            x[AFE_U1 + p][k] = OFFSET + (here ? (int32_t)lround(U_PEAK * a) : 0);
            x[AFE_I1 + p][k] = I_OFFSET + (int32_t)lround(I_PEAK * a);
        }
        truth += (x[AFE_U1][k] - (double)OFFSET) * (x[AFE_I1][k] - (double)I_OFFSET);
        if (s->clipped)
            x[AFE_I1][k] = AFE_FULL_SCALE;
    }
    assert_int_equal(legal_feed(&meter, &b), ERR_OK);
}

/* The longest time without new values; *last: those of the end. */
static double longest_gap(const struct supply *s, double seconds, struct legal_values *last)
{
    double gap = 0, since = 0;
    uint32_t sequence = 0;
    start(s->n_phases);
    for (double t = 0; t < seconds; t += (double)BLOCK / RATE) {
        feed(s, t);
        legal_values_get(&meter, last);
        if (last->sequence != sequence)
            since = t;
        sequence = last->sequence;
        gap = fmax(gap, t - since);
    }
    return gap;
}

static void values_go_on_when_dips_come_often(void **state)
{
    (void)state;
    for (unsigned all = 0; all < 2; all++)
        for (int k = 0; k < 9; k++) {
            static const double every[] = {0.13, 0.15, 0.2, 0.29, 0.41, 0.6, 0.77, 0.85, 1.1};
            struct supply s = {.f = 50.02,
                               .every_s = every[k],
                               .dip_s = 0.05,
                               .dipped = 7,
                               .n_phases = all ? 3 : 1};
            struct legal_values v;
            double gap = longest_gap(&s, 8, &v);
            double here = 1 - s.dip_s / s.every_s, p = (double)v.phase[0].p_mw / P_MW;
            print_message("%u phases, 50 ms gone each %.2f s: %.2f s between values, P %.3f of "
                          "%.3f, U %u mV, %.3f Hz\n",
                          s.n_phases, s.every_s, gap, p, here, v.phase[0].u_mv,
                          v.frequency_uhz * 1e-6);
            assert_true(gap < GAP_MAX);
            assert_true(p > here - 0.07 && p < 1.003); /* of a second with one dip less or more */
            assert_true(v.phase[0].u_mv < 230100 && v.phase[0].u_mv > 170000);
            assert_true(v.phase[0].i_ua > 4980000 && v.phase[0].i_ua < 5020000);
        }
}

/* A flush ends what was before: however long it had waited, it is not in the next values. */
static void values_begin_anew_when_flushed(void **state)
{
    (void)state;
    for (int blocks = 110; blocks < 230; blocks += 5) {
        struct supply s = {.f = 50, .every_s = 0.3, .dip_s = 0.05, .dipped = 1, .n_phases = 1};
        struct legal_values v;
        start(1);
        for (int k = 0; k < blocks; k++)
            feed(&s, k * (double)BLOCK / RATE);
        legal_flush(&meter);
        legal_values_get(&meter, &v);
        uint32_t sequence = v.sequence;
        s.every_s = 0;
        for (int k = 0; k < 150 && v.sequence == sequence; k++) {
            feed(&s, 0);
            legal_values_get(&meter, &v);
        }
        assert_int_equal(v.sequence, sequence + 1);
        assert_in_range(v.phase[0].u_mv, 229980, 230020);
    }
}

static void faults_clear_while_dips_come_often(void **state)
{
    struct supply s = {.f = 50, .every_s = 0.3, .dip_s = 0.05, .dipped = 1, .n_phases = 1};
    struct legal_status status;
    uint8_t seen = 0;
    (void)state;
    start(1);
    for (int k = 0; k < 200; k++) {
        s.clipped = k == 100;
        feed(&s, k * (double)BLOCK / RATE);
        legal_status_get(&meter, &status);
        seen |= status.fault[AFE_I1];
    }
    for (int k = 200; k < 400; k++)
        feed(&s, k * (double)BLOCK / RATE);
    legal_status_get(&meter, &status);
    assert_int_equal(seen & LEGAL_FAULT_CLIP, LEGAL_FAULT_CLIP);
    assert_int_equal(status.fault[AFE_I1] & LEGAL_FAULT_CLIP, 0);
    assert_int_equal(status.clipped[AFE_I1], BLOCK);
}

/* Whatever the step and where in the second it is, no value lies beyond both frequencies. */
static void frequency_of_a_second_with_a_step_lies_between(void **state)
{
    static const double to[] = {49, 47.6, 52.4, 46, 44, 57, 60};
    double beyond = 0;
    (void)state;
    for (unsigned k = 0; k < sizeof to / sizeof *to; k++)
        for (int at = 0; at < 5; at++) {
            struct supply s = {.f = 50, .n_phases = 1};
            struct legal_values v;
            start(1);
            for (int n = 0; n < 250; n++) {
                s.f = n < 120 + 9 * at ? 50 : to[k];
                feed(&s, n * (double)BLOCK / RATE);
                legal_values_get(&meter, &v);
                double f = v.frequency_uhz * 1e-6;
                if (v.sequence > 0)
                    beyond = fmax(beyond, fmax(fmin(50, to[k]) - f, f - fmax(50, to[k])));
            }
            assert_true(fabs(v.frequency_uhz * 1e-6 - to[k]) < 0.001);
        }
    print_message("steps of 1 to 10 Hz: at most %.0f mHz beyond\n", beyond * 1e3);
    assert_true(beyond < 0.02);
}

/* A generator that runs away: the slope of the phases must not lose a turn. */
static void frequency_of_a_ramp_lies_between(void **state)
{
    static const double hz_per_s[] = {-12, -9, -6, -3, -1, 1, 3, 6, 9, 12};
    double worst = 0;
    (void)state;
    for (unsigned k = 0; k < sizeof hz_per_s / sizeof *hz_per_s; k++) {
        struct supply s = {.f = hz_per_s[k] > 0 ? 44 : 62, .n_phases = 1};
        struct legal_values v;
        uint32_t sequence = 0;
        start(1);
        for (int n = 0; n < 350; n++) {
            double before = s.f;
            if (n > 100 && s.f > 43.9 && s.f < 62.1)
                s.f += hz_per_s[k] * BLOCK / RATE;
            feed(&s, n * (double)BLOCK / RATE);
            legal_values_get(&meter, &v);
            double f = v.frequency_uhz * 1e-6; /* of fifty cycles before */
            double mean = (before + s.f) / 2 - hz_per_s[k] * 25 / f;
            if (v.sequence != sequence && n > 160 && fabs(s.f - before) > 0)
                worst = fmax(worst, fabs((f - mean) / hz_per_s[k]));
            sequence = v.sequence;
        }
    }
    print_message("ramps of up to 12 Hz/s: %.0f ms beside the mean\n", worst * 1e3);
    assert_true(worst < 0.04);
}

/* The phase that bounds the windows dips, the others do not: one of them takes over. */
static void values_are_right_where_one_phase_dips(void **state)
{
    struct supply s = {.f = 50.02, .every_s = 0.31, .dip_s = 0.06, .n_phases = 3};
    (void)state;
    for (unsigned p = 0; p < 3; p++) {
        struct legal_values v;
        s.dipped = 1u << p;
        assert_true(longest_gap(&s, 6, &v) < GAP_MAX);
        assert_in_range(v.frequency_uhz, 50019000, 50021000);
        for (unsigned k = 0; k < 3; k++)
            if (k != p)
                assert_in_range(v.phase[k].p_mw, P_MW - 30, P_MW + 30);
    }
}

/* Interrupted cycles have a mean of their own, which is no direct component. */
static void energy_is_right_where_the_voltage_dips(void **state)
{
    static const double every[] = {0.13, 0.2, 0.29, 0.41, 0.6, 0.77, 1.1, 5};
    double worst = 0;
    (void)state;
    for (size_t k = 0; k < sizeof every / sizeof *every; k++) {
        struct supply s = {.f = 50.02, .every_s = every[k], .dip_s = 0.053, .n_phases = 1};
        struct legal_energies e;
        struct legal_values v;
        s.dipped = 1;
        (void)longest_gap(&s, 20, &v);
        legal_flush(&meter);
        legal_energies_get(&meter, &e);
        double uwh = truth * 1e-4 * 20e-6 / RATE / 3600 * 1e6;
        double error = 100 * ((double)e.total[LEGAL_A_IMPORT] / uwh - 1);
        print_message("gone each %.2f s: energy %+.4f %%\n", every[k], error);
        worst = fmax(worst, fabs(error));
    }
    assert_true(worst < 0.05);
}

/* No frequency is told: the windows count as cycles, and the values come. */
static void values_come_from_windows_without_a_frequency(void **state)
{
    struct legal_window w = {.n_q16 = UINT64_C(1600) << 16, .rate_uhz = RATE * UINT64_C(1000000)};
    struct legal_values v;
    (void)state;
    start(1);
    w.flags = LEGAL_WINDOW_NO_CROSS | LEGAL_WINDOW_NO_FREQ;
    w.phase[0].uu = INT64_C(1600) * 2300000 * 2300000;
    for (int k = 0; k < 60; k++)
        assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
    legal_values_get(&meter, &v);
    assert_int_equal(v.sequence, 1);
    assert_int_equal(v.phase[0].u_mv, 230000);
    assert_int_equal(v.frequency_uhz, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_go_on_when_dips_come_often),
        cmocka_unit_test(values_are_right_where_one_phase_dips),
        cmocka_unit_test(energy_is_right_where_the_voltage_dips),
        cmocka_unit_test(values_come_from_windows_without_a_frequency),
        cmocka_unit_test(values_begin_anew_when_flushed),
        cmocka_unit_test(faults_clear_while_dips_come_often),
        cmocka_unit_test(frequency_of_a_second_with_a_step_lies_between),
        cmocka_unit_test(frequency_of_a_ramp_lies_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
