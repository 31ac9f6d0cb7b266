/* Energies: nothing lost, nothing doubled, everything adds up. */
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct legal meter, other;

static void start(struct legal *l, const struct legal_config *c)
{
    assert_int_equal(legal_init(l, c), ERR_OK);
}

static struct signal odd_signal(void) /* unbalanced, both directions, distorted, with DC */
{
    struct signal s = signal_balanced(49.87, 8000, 7, 40);
    s.i[1] = 3;
    s.lag[1] = 170;
    s.i[2] = 11;
    s.lag[2] = -70;
    s.u_dc = 2;
    s.i_dc = 0.3;
    s.noise = 20;
    s.line[0] = (struct signal_line){5, 0.06, 0.2, 30, 10};
    return s;
}

static double wh(uint64_t units)
{
    return (double)units / LEGAL_ENERGY_PER_WH;
}

static void ledger_is_the_same_for_all_block_sizes(void **state)
{
    (void)state;
    static const uint32_t size[] = {1024, 1, 7, 250, 63};
    struct legal_config c = signal_config();
    struct signal s = odd_signal();
    struct legal_snapshot want, got;
    struct legal_values v[2];
    for (unsigned k = 0; k < sizeof size / sizeof size[0]; k++) {
        start(&meter, &c);
        signal_feed(&meter, &s, 0, 17000, size[k]);
        legal_flush(&meter);
        legal_snapshot_get(&meter, k ? &got : &want);
        legal_values_get(&meter, &v[k ? 1 : 0]);
        if (k) {
            assert_memory_equal(&got, &want, sizeof want);
            assert_memory_equal(&v[1], &v[0], sizeof v[0]);
        }
    }
    assert_true(want.energy.total[LEGAL_A_IMPORT] > 0);
}

struct all_windows {
    struct legal_window sum;
    unsigned n, n_partial, n_no_freq, n_clipped;
};

static void add_window(void *context, const struct legal_window *w)
{
    struct all_windows *a = context;
    a->n++;
    a->n_partial += (w->flags & LEGAL_WINDOW_PARTIAL) != 0;
    a->n_no_freq += (w->flags & LEGAL_WINDOW_NO_FREQ) != 0;
    a->n_clipped += (w->flags & LEGAL_WINDOW_CLIPPED) != 0;
    a->sum.n_q16 += w->n_q16;
    a->sum.in_in += w->in_in;
    a->sum.in_sum += w->in_sum;
    for (unsigned k = 0; k < 6; k++)
        a->sum.cross[k] += w->cross[k];
    for (unsigned p = 0; p < 3; p++) {
        a->sum.phase[p].uu += w->phase[p].uu;
        a->sum.phase[p].ii += w->phase[p].ii;
        a->sum.phase[p].ui += w->phase[p].ui;
        a->sum.phase[p].u += w->phase[p].u;
        a->sum.phase[p].i += w->phase[p].i;
    }
}

static void windows_hold_every_sample_once(void **state)
{
    (void)state;
    static int32_t x[AFE_N_CHANNELS][9000];
    struct legal_config c = signal_config();
    struct all_windows got = {.n = 0}, want = {.n = 0};
    start(&meter, &c);
    legal_observe(&meter, add_window, &got);
    uint64_t random = 1;
    for (unsigned k = 0; k < 9000; k++)
        for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++) {
            random = random * UINT64_C(6364136223846793005) + 1;
            x[ch][k] = (int32_t)(random >> 45) - (1 << 18) +
                       (int32_t)lround(3e6 * sin(2 * 3.14159265 * (k * 51.3 / 8000 - ch / 3.0)));
        }
    for (unsigned at = 0; at < 9000; at += 450) {
        struct afe_block b = {.rate_uhz = UINT64_C(8000000000), .n = 450, .present = 0x7F};
        for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++)
            b.sample[ch] = x[ch] + at;
        assert_int_equal(legal_feed(&meter, &b), ERR_OK);
    }
    legal_flush(&meter);
    for (unsigned k = 0; k < 9000; k++) {
        static const uint8_t pair[6][2] = {{3, 4}, {3, 5}, {4, 5}, {3, 6}, {4, 6}, {5, 6}};
        want.sum.in_in += (int64_t)x[AFE_IN][k] * x[AFE_IN][k];
        want.sum.in_sum += x[AFE_IN][k];
        for (unsigned n = 0; n < 6; n++)
            want.sum.cross[n] += (int64_t)x[pair[n][0]][k] * x[pair[n][1]][k];
        for (unsigned p = 0; p < 3; p++) {
            int64_t u = x[p][k], i = x[p + 3][k];
            want.sum.phase[p].uu += u * u;
            want.sum.phase[p].ii += i * i;
            want.sum.phase[p].ui += u * i;
            want.sum.phase[p].u += u;
            want.sum.phase[p].i += i;
        }
    }
    want.sum.n_q16 = UINT64_C(9000) << 16;
    assert_true(got.n >= 6);
    assert_memory_equal(&got.sum, &want.sum, sizeof want.sum);
}

static void ledger_equals_power_times_time(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = odd_signal();
    struct legal_energies e;
    start(&meter, &c);
    signal_seconds(&meter, &s, 20);
    legal_flush(&meter);
    legal_energies_get(&meter, &e);
    for (unsigned p = 0; p < 3; p++) {
        struct truth t = signal_truth(&s, p);
        double net = wh(e.phase[p][LEGAL_A_IMPORT]) - wh(e.phase[p][LEGAL_A_EXPORT]);
        enum legal_energy r = p == 0 ? LEGAL_R_QI : p == 1 ? LEGAL_R_QII : LEGAL_R_QIV;
        enum legal_energy va = p == 1 ? LEGAL_S_EXPORT : LEGAL_S_IMPORT;
        double q = wh(e.phase[p][r]), apparent = wh(e.phase[p][va]);
        printf("  L%u P %+.5f %% Q %+.5f %% of S, S %+.5f %%\n", p + 1, 100 * (net * 180 / t.p - 1),
               100 * (q * 180 - fabs(t.q)) / t.s, 100 * (apparent * 180 / t.s - 1));
        assert_true(fabs(net * 180 / t.p - 1) < 2e-4);
        assert_true(fabs(q * 180 - fabs(t.q)) / t.s < 3e-4);
        assert_true(fabs(apparent * 180 / t.s - 1) < 3e-4);
    }
}

/* 20 V and 10 A of direct current would be 200 W. */
static void ledger_counts_no_direct_power_from_the_first_sample(void **state)
{
    (void)state;
    static const double seconds[] = {0.06, 0.16, 0.34, 1}; /* whole cycles */
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 8000, 5, 0);
    struct legal_energies e;
    s.u_dc = 20;
    s.i_dc = 10;
    for (unsigned k = 0; k < sizeof seconds / sizeof seconds[0]; k++) {
        start(&meter, &c);
        signal_seconds(&meter, &s, seconds[k]);
        legal_flush(&meter);
        legal_energies_get(&meter, &e);
        for (unsigned p = 0; p < 3; p++) {
            double w = wh(e.phase[p][LEGAL_A_IMPORT]) * 3600 / seconds[k];
            printf("  %.2f s, L%u: %+.3f %%\n", seconds[k], p + 1, 100 * (w / 1150 - 1));
            assert_true(fabs(w / 1150 - 1) < 2e-3);
        }
    }
}

/* Nine cycles and a half: the mean is not zero, yet no direct component. */
static void ledger_takes_nothing_away_when_cycles_are_not_whole(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 8000, 5, 0);
    struct legal_energies e;
    start(&meter, &c);
    signal_seconds(&meter, &s, 0.19);
    legal_flush(&meter);
    legal_energies_get(&meter, &e);
    for (unsigned p = 0; p < 3; p++)
        assert_true(fabs(wh(e.phase[p][LEGAL_A_IMPORT]) * 3600 / 0.19 / 1150 - 1) < 1e-4);
}

static void ledger_counts_nothing_when_all_is_direct(void **state)
{
    (void)state;
    static const double seconds[] = {0.03, 0.15, 0.25, 1.1};
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 8000, 0, 0);
    s.u[0] = s.u[1] = s.u[2] = 0;
    s.u_dc = 100;
    s.i_dc = 10;
    for (unsigned k = 0; k < sizeof seconds / sizeof seconds[0]; k++) {
        struct legal_energies e, none = {0};
        start(&meter, &c);
        signal_seconds(&meter, &s, seconds[k]);
        legal_flush(&meter);
        legal_energies_get(&meter, &e);
        assert_memory_equal(&e, &none, sizeof e);
    }
}

/* A signed sum of registers with remainders, 2^-32 units. */
static __int128 exact(const uint64_t *unit, const uint32_t *rest, unsigned e)
{
    return ((__int128)unit[e] << 32) + rest[e];
}

static void ledger_conserves_phases_and_total(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = odd_signal();
    struct legal_snapshot b;
    __int128 p_sum = 0, q_sum = 0, s_sum = 0;
    start(&meter, &c);
    signal_seconds(&meter, &s, 3);
    legal_snapshot_get(&meter, &b);
    for (unsigned p = 0; p < 3; p++) {
        const uint64_t *u = b.energy.phase[p];
        const uint32_t *r = b.phase_rest[p];
        p_sum += exact(u, r, LEGAL_A_IMPORT) - exact(u, r, LEGAL_A_EXPORT);
        q_sum += exact(u, r, LEGAL_R_QI) + exact(u, r, LEGAL_R_QII);
        q_sum -= exact(u, r, LEGAL_R_QIII) + exact(u, r, LEGAL_R_QIV);
        s_sum += exact(u, r, LEGAL_S_IMPORT) + exact(u, r, LEGAL_S_EXPORT);
    }
    const uint64_t *u = b.energy.total;
    const uint32_t *r = b.total_rest;
    assert_true(p_sum == exact(u, r, LEGAL_A_IMPORT) - exact(u, r, LEGAL_A_EXPORT));
    assert_true(q_sum == exact(u, r, LEGAL_R_QI) + exact(u, r, LEGAL_R_QII) -
                             exact(u, r, LEGAL_R_QIII) - exact(u, r, LEGAL_R_QIV));
    assert_true(s_sum == exact(u, r, LEGAL_S_IMPORT) + exact(u, r, LEGAL_S_EXPORT));
    assert_true(p_sum > 0);
}

static void pulses_equal_registers(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    c.pulse_per_kwh = 100000;
    struct signal s = odd_signal();
    struct legal_snapshot b;
    start(&meter, &c);
    for (unsigned k = 0; k < 8; k++) {
        signal_feed(&meter, &s, k * 4000, 4000, 500);
        legal_snapshot_get(&meter, &b);
        uint64_t a = b.energy.total[LEGAL_A_IMPORT] + b.energy.total[LEGAL_A_EXPORT], r = 0;
        for (unsigned q = LEGAL_R_QI; q <= LEGAL_R_QIV; q++)
            r += b.energy.total[q];
        assert_in_range(b.pulses_active + 1, a / 10000, a / 10000 + 2);
        assert_in_range(b.pulses_reactive + 1, r / 10000, r / 10000 + 2);
    }
    assert_true(b.pulses_active > 50 && b.pulses_reactive > 10);
}

static void near(uint64_t a, uint64_t b, double part)
{
    if (fabs((double)a - (double)b) > part * (double)b + 2)
        fail_msg("%llu is not near %llu", (unsigned long long)a, (unsigned long long)b);
}

static void reversing_currents_swaps_quadrants(void **state)
{
    (void)state;
    static const enum legal_energy to[LEGAL_N_ENERGIES] = {
        LEGAL_A_EXPORT, LEGAL_A_IMPORT, LEGAL_R_QIII,   LEGAL_R_QIV,
        LEGAL_R_QI,     LEGAL_R_QII,    LEGAL_S_EXPORT, LEGAL_S_IMPORT};
    struct legal_config c = signal_config();
    struct signal s = odd_signal();
    struct legal_energies a, b;
    s.noise = 0;
    start(&meter, &c);
    signal_seconds(&meter, &s, 3);
    legal_energies_get(&meter, &a);
    for (unsigned p = 0; p < 3; p++)
        s.i[p] = -s.i[p];
    s.i_dc = -s.i_dc;
    start(&meter, &c);
    signal_seconds(&meter, &s, 3);
    legal_energies_get(&meter, &b);
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++) {
        near(b.total[to[e]], a.total[e], 1e-9);
        for (unsigned p = 0; p < 3; p++)
            near(b.phase[p][to[e]], a.phase[p][e], 1e-9);
    }
}

static void scaling_counts_scales_energy(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = odd_signal();
    struct legal_energies a, b;
    start(&meter, &c);
    signal_seconds(&meter, &s, 2);
    legal_energies_get(&meter, &a);
    for (unsigned p = 0; p < 3; p++) {
        c.u_lsb_fv[p] *= 3;
        c.i_lsb_fa[p] *= 7;
    }
    start(&meter, &c);
    signal_seconds(&meter, &s, 2);
    legal_energies_get(&meter, &b);
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        near(b.total[e], 21 * a.total[e], 1.1 / (1 + (double)a.total[e]));
}

static void permuting_phases_permutes_registers(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = odd_signal(), t = s;
    struct legal_energies a, b;
    s.noise = t.noise = 0;
    for (unsigned p = 0; p < 3; p++) {
        t.u_deg[p] = s.u_deg[(p + 1) % 3];
        t.i[p] = s.i[(p + 1) % 3];
        t.lag[p] = s.lag[(p + 1) % 3];
    }
    start(&meter, &c);
    signal_seconds(&meter, &s, 4);
    legal_flush(&meter);
    legal_energies_get(&meter, &a);
    start(&meter, &c);
    signal_seconds(&meter, &t, 4);
    legal_flush(&meter);
    legal_energies_get(&meter, &b);
    for (unsigned p = 0; p < 3; p++) {
        near(b.phase[p][LEGAL_A_IMPORT], a.phase[(p + 1) % 3][LEGAL_A_IMPORT], 1e-3);
        near(b.phase[p][LEGAL_A_EXPORT], a.phase[(p + 1) % 3][LEGAL_A_EXPORT], 1e-3);
    }
}

static void snapshot_restores_to_the_last_unit(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = odd_signal();
    struct legal_snapshot a, b;
    start(&meter, &c);
    signal_feed(&meter, &s, 0, 12345, 500);
    legal_flush(&meter);
    legal_snapshot_get(&meter, &a);
    start(&other, &c);
    assert_int_equal(legal_snapshot_set(&other, &a), ERR_OK);
    legal_snapshot_get(&other, &b);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(legal_snapshot_set(&meter, &a), ERR_STATE);
    signal_feed(&other, &s, 0, 12345, 500);
    legal_flush(&other);
    legal_snapshot_get(&other, &b);
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        assert_true(exact(b.energy.total, b.total_rest, e) ==
                    2 * exact(a.energy.total, a.total_rest, e));
}

static void no_load_discards_below_half_of_starting_power(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct legal_energies e;
    c.i_start_ua = 20000;
    static const struct {
        double i;
        bool counts;
    } step[] = {{0.0115, false}, {0.0125, true}};
    for (unsigned k = 0; k < 2; k++) {
        struct signal s = signal_balanced(50, 4000, step[k].i, 0);
        start(&meter, &c);
        signal_seconds(&meter, &s, 5);
        legal_energies_get(&meter, &e);
        assert_int_equal(e.total[LEGAL_A_IMPORT] > 0, step[k].counts);
        assert_int_equal(e.total[LEGAL_S_IMPORT] > 0, step[k].counts);
    }
    struct signal s = signal_balanced(50, 4000, 0.0085, 0); /* running: goes on above 0.4 */
    uint64_t before = e.total[LEGAL_A_IMPORT];
    signal_seconds(&meter, &s, 5);
    legal_energies_get(&meter, &e);
    near(e.total[LEGAL_A_IMPORT] - before, (uint64_t)(3 * 230 * 0.0085 * 5 / 3600 * 1e6), 0.1);
    s = signal_balanced(50, 4000, 0.0075, 0);
    signal_seconds(&meter, &s, 10);
    legal_energies_get(&meter, &e);
    before = e.total[LEGAL_A_IMPORT];
    signal_seconds(&meter, &s, 10);
    legal_energies_get(&meter, &e);
    assert_int_equal(e.total[LEGAL_A_IMPORT], before);
}

static void replay_window(void *context, const struct legal_window *w)
{
    if (legal_feed_window(context, w) != ERR_OK)
        abort();
}

static void window_entrance_counts_like_samples(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = odd_signal();
    struct legal_snapshot a, b;
    struct legal_values v, w;
    start(&meter, &c);
    start(&other, &c);
    legal_observe(&meter, replay_window, &other);
    signal_seconds(&meter, &s, 3);
    legal_flush(&meter);
    legal_snapshot_get(&meter, &a);
    legal_snapshot_get(&other, &b);
    assert_memory_equal(&a, &b, sizeof a);
    legal_values_get(&meter, &v);
    legal_values_get(&other, &w);
    assert_int_equal(v.phase[1].p_mw, w.phase[1].p_mw);
    /* of samples by the windows' phases, without samples by their lengths */
    assert_in_range(v.frequency_uhz - w.frequency_uhz + 100, 0, 200);
}

static void window_of_a_minute_counts_like_samples(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 2000, 5, 60);
    struct legal_energies a, b;
    struct legal_values v;
    start(&meter, &c);
    signal_seconds(&meter, &s, 60);
    legal_flush(&meter);
    legal_energies_get(&meter, &a);
    double u = 230 / 1e-4, i = 5 / 2e-5, n = 60000;
    struct legal_window w = {
        .n_q16 = (uint64_t)n << 16, .rate_uhz = 1000000000, .frequency_uhz = 50000000};
    for (unsigned p = 0; p < 3; p++)
        w.phase[p] = (struct legal_window_phase){.uu = (int64_t)(u * u * n),
                                                 .ii = (int64_t)(i * i * n),
                                                 .ui = (int64_t)(u * i * n * 0.5),
                                                 .u_re = (int64_t)(u * sqrt(0.5) * n),
                                                 .i_re = (int64_t)(i * sqrt(0.5) * n * 0.5),
                                                 .i_im = (int64_t)(i * sqrt(0.375) * n)};
    start(&other, &c);
    assert_int_equal(legal_feed_window(&other, &w), ERR_OK);
    legal_energies_get(&other, &b);
    near(b.total[LEGAL_A_IMPORT], a.total[LEGAL_A_IMPORT], 1e-4);
    near(b.total[LEGAL_R_QI], a.total[LEGAL_R_QI], 1e-4);
    near(b.total[LEGAL_S_IMPORT], a.total[LEGAL_S_IMPORT], 1e-4);
    legal_values_get(&other, &v);
    assert_in_range(v.phase[0].u_mv, 229999, 230001);
    assert_in_range(v.phase[0].phase_mdeg, 59999, 60001);
    w.n_q16 = 0;
    assert_int_equal(legal_feed_window(&other, &w), ERR_RANGE);
}

static void missing_voltages_do_not_stop_integration(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    for (unsigned missing = 0; missing < 8; missing++) {
        struct signal s = signal_balanced(50.2, 8000, 5, 30);
        struct all_windows all = {.n = 0};
        struct legal_values v;
        start(&meter, &c);
        legal_observe(&meter, add_window, &all);
        signal_seconds(&meter, &s, 0.7);
        for (unsigned p = 0; p < 3; p++)
            if (missing >> p & 1)
                s.u[p] = 0;
        signal_feed(&meter, &s, 5600, 8000 * 3, 300);
        legal_flush(&meter);
        legal_values_get(&meter, &v);
        assert_true(all.sum.n_q16 == UINT64_C(29600) << 16);
        assert_true(v.sequence > 0);
        for (unsigned p = 0; p < 3; p++) {
            assert_in_range(v.phase[p].i_ua, 4999000, 5001000);
            assert_in_range(v.phase[p].u_mv + 100, missing >> p & 1 ? 0 : 230000, 230200);
        }
        assert_in_range(v.frequency_uhz, missing == 7 ? 0 : 50199000, missing == 7 ? 0 : 50201000);
        assert_int_equal(all.n_no_freq > 3, missing == 7);
    }
}

static void clipped_samples_flag_their_window(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50, 8000, 5, 0);
    struct all_windows all = {.n = 0};
    start(&meter, &c);
    legal_observe(&meter, add_window, &all);
    signal_seconds(&meter, &s, 1);
    assert_int_equal(all.n_clipped, 0);
    s.i[1] = 140; /* peak 198 A, full scale 168 A */
    signal_feed(&meter, &s, 8000, 800, 400);
    s.i[1] = 5;
    signal_feed(&meter, &s, 8800, 8000, 400);
    assert_in_range(all.n_clipped, 1, 2);
}

static void rate_changes_keep_the_energy(void **state)
{
    (void)state;
    static const double rate[] = {8000, 8016.5, 4000, 12800, 7990, 2400};
    struct legal_config c = signal_config();
    struct legal_energies e;
    struct legal_values v;
    start(&meter, &c);
    double hours = 0, t = 0;
    for (unsigned k = 0; k < 60; k++) {
        struct signal s = signal_balanced(50, rate[k % 6], 5, 0);
        uint64_t n = (uint64_t)(rate[k % 6] * 0.1);
        for (unsigned p = 0; p < 3; p++) /* in phase with what was before */
            s.u_deg[p] += 360 * fmod(50 * t, 1.0);
        signal_feed(&meter, &s, 0, n, 200);
        t += (double)n / rate[k % 6];
        hours = t / 3600;
    }
    legal_flush(&meter);
    legal_energies_get(&meter, &e);
    legal_values_get(&meter, &v);
    printf("  energy %+.4f %%, U %.2f V\n",
           100 * (wh(e.total[LEGAL_A_IMPORT]) / (3450 * hours) - 1), v.phase[0].u_mv * 1e-3);
    near(e.total[LEGAL_A_IMPORT], (uint64_t)(3450 * hours * 1e6), 2e-3);
    assert_in_range(v.phase[0].u_mv, 229500, 230500);
}

static void init_and_feed_refuse_what_is_out_of_range(void **state)
{
    (void)state;
    static int32_t x[2] = {1 << 24, 0};
    struct legal_config good = signal_config(), c = good;
    struct afe_block b = {.rate_uhz = UINT64_C(8000000000), .n = 2, .present = 1, .sample = {x}};
    c.n_phases = 2;
    assert_int_equal(legal_init(&meter, &c), ERR_RANGE);
    c = good;
    c.u_lsb_fv[1] = 0;
    assert_int_equal(legal_init(&meter, &c), ERR_RANGE);
    c = good;
    c.pulse_per_kwh = 0;
    assert_int_equal(legal_init(&meter, &c), ERR_RANGE);
    c = good;
    c.wiring = LEGAL_1P2W;
    assert_int_equal(legal_init(&meter, &c), ERR_RANGE);
    c = good;
    c.f_nominal_mhz = 55000;
    assert_int_equal(legal_init(&meter, &c), ERR_RANGE);
    start(&meter, &good);
    assert_int_equal(legal_feed(&meter, &b), ERR_RANGE); /* 25 bits */
    x[0] = 1;
    b.rate_uhz = 499999999;
    assert_int_equal(legal_feed(&meter, &b), ERR_RANGE);
    b.rate_uhz = UINT64_C(64000000001);
    assert_int_equal(legal_feed(&meter, &b), ERR_RANGE);
    b.rate_uhz = UINT64_C(64000000000);
    b.n = 0;
    assert_int_equal(legal_feed(&meter, &b), ERR_RANGE);
    b.n = 2;
    assert_int_equal(legal_feed(&meter, &b), ERR_OK);
}

static void check_full_scale(void *context, const struct legal_window *w)
{
    unsigned *n = context;
    double square = (double)w->n_q16 / 65536 * AFE_FULL_SCALE * AFE_FULL_SCALE;
    assert_true(w->flags & LEGAL_WINDOW_CLIPPED);
    assert_true(fabs((double)w->phase[0].uu / square - 1) < 1e-4);
    for (unsigned k = 0; k < 3; k++) /* two currents, both at full scale */
        assert_true(fabs((double)w->cross[k] / square - 1) < 1e-4);
    ++*n;
}

static void full_scale_does_not_overflow(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    static int32_t x[AFE_BLOCK_MAX];
    unsigned n = 0;
    for (unsigned k = 0; k < AFE_BLOCK_MAX; k++)
        x[k] = -AFE_FULL_SCALE;
    start(&meter, &c);
    legal_observe(&meter, check_full_scale, &n);
    struct afe_block b = {.rate_uhz = UINT64_C(64000000000), .n = AFE_BLOCK_MAX, .present = 0x3F};
    for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++)
        b.sample[ch] = x;
    for (unsigned k = 0; k < 100; k++)
        assert_int_equal(legal_feed(&meter, &b), ERR_OK);
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger_is_the_same_for_all_block_sizes),
        cmocka_unit_test(windows_hold_every_sample_once),
        cmocka_unit_test(ledger_equals_power_times_time),
        cmocka_unit_test(ledger_counts_no_direct_power_from_the_first_sample),
        cmocka_unit_test(ledger_takes_nothing_away_when_cycles_are_not_whole),
        cmocka_unit_test(ledger_counts_nothing_when_all_is_direct),
        cmocka_unit_test(ledger_conserves_phases_and_total),
        cmocka_unit_test(pulses_equal_registers),
        cmocka_unit_test(reversing_currents_swaps_quadrants),
        cmocka_unit_test(scaling_counts_scales_energy),
        cmocka_unit_test(permuting_phases_permutes_registers),
        cmocka_unit_test(snapshot_restores_to_the_last_unit),
        cmocka_unit_test(no_load_discards_below_half_of_starting_power),
        cmocka_unit_test(window_entrance_counts_like_samples),
        cmocka_unit_test(window_of_a_minute_counts_like_samples),
        cmocka_unit_test(missing_voltages_do_not_stop_integration),
        cmocka_unit_test(clipped_samples_flag_their_window),
        cmocka_unit_test(rate_changes_keep_the_energy),
        cmocka_unit_test(init_and_feed_refuse_what_is_out_of_range),
        cmocka_unit_test(full_scale_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
