/* How many sample-sets (three voltages, three currents) a second one core measures, everything
 * included: sums, correlators, border search, average cycle, values and ledger; then windows a
 * second at the second entrance. */
#include "firmware/legal/legal_state.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define N_RUNS  7
#define RUN_S   0.2
#define PI      3.14159265358979323846
#define SECONDS 2

static int32_t *sample[AFE_N_CHANNELS];

static void start(struct legal *l)
{
    struct legal_config c = {.n_phases = 3,
                             .wiring = LEGAL_3P4W,
                             .f_nominal_mhz = 50000,
                             .un_mv = 230000,
                             .pulse_per_kwh = 1000};
    for (unsigned p = 0; p <= LEGAL_N_PHASES; p++) {
        c.u_lsb_fv[p % LEGAL_N_PHASES] = UINT64_C(100000000000);
        c.i_lsb_fa[p] = UINT64_C(20000000000);
    }
    if (legal_init(l, &c) != ERR_OK)
        abort();
}

static void fill(uint32_t rate)
{
    for (unsigned c = 0; c < AFE_IN; c++) {
        free(sample[c]);
        sample[c] = malloc(sizeof(int32_t) * rate * SECONDS);
        if (!sample[c])
            abort();
        for (uint32_t k = 0; k < rate * SECONDS; k++) {
            double turn = 2 * PI * (50.0 * k / rate - c / 3.0);
            sample[c][k] = (int32_t)lround(3e6 * sin(turn) + 1e5 * sin(5 * turn));
        }
    }
}

static double run_samples(struct legal *l, uint32_t rate)
{
    double begin = bench_now_s(), spent = 0, n = 0;
    while (spent < RUN_S) {
        for (uint32_t at = 0; at < rate * SECONDS; at += 250) {
            struct afe_block b = {.rate_uhz = rate * UINT64_C(1000000), .n = 250, .present = 0x3F};
            for (unsigned c = 0; c < AFE_IN; c++)
                b.sample[c] = sample[c] + at;
            if (legal_feed(l, &b) != ERR_OK)
                abort();
        }
        n += rate * SECONDS;
        spent = bench_now_s() - begin;
    }
    return n / spent;
}

static double run_windows(struct legal *l, uint32_t unused)
{
    (void)unused;
    struct legal_window w = {
        .n_q16 = UINT64_C(60000) << 16, .rate_uhz = 1000000000, .frequency_uhz = 50000000};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        w.phase[p] = (struct legal_window_phase){.uu = INT64_C(1) << 56,
                                                 .ii = INT64_C(1) << 50,
                                                 .ui = INT64_C(1) << 52,
                                                 .u_re = 1000000000,
                                                 .i_re = 100000000,
                                                 .i_im = 10000000};
    double begin = bench_now_s(), spent = 0, n = 0;
    while (spent < RUN_S) {
        for (unsigned k = 0; k < 1440; k++, n++)
            if (legal_feed_window(l, &w) != ERR_OK)
                abort();
        spent = bench_now_s() - begin;
    }
    return n / spent;
}

static void report(const char *what, const char *unit, double (*run)(struct legal *, uint32_t),
                   uint32_t rate)
{
    static struct legal l;
    double result[N_RUNS];
    start(&l);
    for (unsigned k = 0; k < N_RUNS; k++)
        result[k] = run(&l, rate) / 1e6;
    bench_runs(what, unit, result, N_RUNS);
}

int main(void)
{
    static const uint32_t rate[] = {4000, 8000, 32000};
    bench_begin("bench_legal");
    for (unsigned r = 0; r < sizeof rate / sizeof rate[0]; r++) {
        char what[40];
        snprintf(what, sizeof what, "samples at %u Hz, all phases", (unsigned)rate[r]);
        fill(rate[r]);
        report(what, "M sets/s", run_samples, rate[r]);
    }
    report("windows of 60 s", "M/s", run_windows, 0);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        free(sample[c]);
    return 0;
}
