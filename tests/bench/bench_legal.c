/* How many sample sets of seven channels a second one core takes: the kernel alone with each
 * variant of its inner loops (the window of the cost image, from int32 blocks in the cache); then a
 * three-phase meter with neutral, all corrections, losses, rates and pulses, samples in memory; and
 * windows at the second entrance.
 *
 * Time is that of the processor this thread had, not the wall's: others on the machine cost less
 * accuracy so. */
#include "firmware/images/legal_cost/cost.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_RUNS  51
#define RUN_S   0.03
#define PI      3.14159265358979323846
#define SECONDS 2

static int32_t *sample[AFE_N_CHANNELS];
static struct cost_meter meter;

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- the kernel ----------------------------------------------------------------------------- */

static void report_kernel(const struct legal_sums_ops *ops, const char *needs, uint32_t rate)
{
    static struct cost_block blocks[COST_WINDOW];
    static struct legal_kernel kernel;
    const struct cost_case kernel_case = {"kernel", LEGAL_3P4W, rate, 1, 0x7F, false};
    const struct cost_case *c = &kernel_case;
    double result[N_RUNS];
    char what[60];
    for (unsigned b = 0; b < COST_WINDOW; b++)
        cost_fill(&blocks[b], c, b);
    cost_kernel_start(&kernel, c, ops);
    for (unsigned k = 0; k < N_RUNS; k++) {
        double begin = cpu_s(), spent = 0, n = 0;
        for (; spent < RUN_S; spent = cpu_s() - begin, n += 64)
            for (unsigned w = 0; w < 64; w++)
                cost_kernel_window(&kernel, c, blocks);
        result[k] = n * COST_WINDOW * c->rate / COST_BLOCKS_S / spent / 1e6;
    }
    snprintf(what, sizeof what, "kernel, %u Hz, %s (%s)", (unsigned)rate, ops->name, needs);
    bench_runs(what, "M sets/s", result, N_RUNS);
}

static void report_kernels(uint32_t rate)
{
    report_kernel(&legal_sums_plain, "any processor", rate);
#if defined(__x86_64__)
    report_kernel(&legal_sums_sse2, "any x86-64", rate);
    if (legal_sums_best() == &legal_sums_v3)
        report_kernel(&legal_sums_v3, "x86-64-v3", rate);
#endif
}

/* --- a meter -------------------------------------------------------------------------------- */

/* Whole cycles, so that the samples can go round. */
static void fill(uint32_t rate)
{
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        free(sample[c]);
        sample[c] = malloc(sizeof(int32_t) * rate * SECONDS);
        bench_must(sample[c] != NULL, "memory");
        double size = c == AFE_IN ? 1e5 : 3e6;
        for (uint32_t k = 0; k < rate * SECONDS; k++) {
            double turn = 2 * PI * (50.0 * k / rate - c / 3.0);
            sample[c][k] = (int32_t)lround(size * sin(turn) + size / 30 * sin(5 * turn));
        }
    }
}

static double run_samples(uint32_t rate)
{
    const uint32_t n = rate / COST_BLOCKS_S;
    double begin = cpu_s(), spent = 0, sets = 0;
    for (; spent < RUN_S; spent = cpu_s() - begin, sets += rate * SECONDS)
        for (uint32_t at = 0; at < rate * SECONDS; at += n) {
            struct afe_block b = {.rate_uhz = rate * UINT64_C(1000000), .n = n, .present = 0x7F};
            for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
                b.sample[c] = sample[c] + at;
            bench_must(legal_feed(&meter.legal, &b) == ERR_OK, "samples were refused");
        }
    return sets / spent;
}

static void report_meter(uint32_t rate, bool with_thd)
{
    const struct cost_case what = {"meter", LEGAL_3P4W, rate, SECONDS, 0x7F, with_thd};
    double sets[N_RUNS], lives[N_RUNS];
    char name[60];
    fill(rate);
    cost_start(&meter, &what, NULL);
    for (unsigned k = 0; k < N_RUNS; k++) {
        sets[k] = run_samples(rate);
        lives[k] = sets[k] / rate;
        sets[k] /= 1e6;
    }
    const char *harmonics = with_thd ? ", harmonics" : "";
    snprintf(name, sizeof name, "meter, %u Hz%s", (unsigned)rate, harmonics);
    bench_runs(name, "M sets/s", sets, N_RUNS);
    snprintf(name, sizeof name, "meter, %u Hz%s: times faster than real", (unsigned)rate,
             harmonics);
    bench_runs(name, "", lives, N_RUNS);
}

/* --- windows -------------------------------------------------------------------------------- */

static double run_windows(void)
{
    struct legal_window w = {
        .n_q16 = UINT64_C(60000) << 16, .rate_uhz = 1000000000, .frequency_uhz = 50000000};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        w.phase[p] = (struct legal_window_phase){.uu = INT64_C(1) << 56,
                                                 .ii = INT64_C(1) << 50,
                                                 .ui = INT64_C(1) << 52,
                                                 .u_re = 1000000000,
                                                 .i_re = 100000000,
                                                 .i_im = 10000000};
    double begin = cpu_s(), spent = 0, n = 0;
    for (; spent < RUN_S; spent = cpu_s() - begin)
        for (unsigned k = 0; k < 1440; k++, n++)
            bench_must(legal_feed_window(&meter.legal, &w) == ERR_OK, "a window was refused");
    return n / spent;
}

static void report_windows(void)
{
    double result[N_RUNS];
    cost_start(&meter, &cost_cases[0], NULL);
    for (unsigned k = 0; k < N_RUNS; k++)
        result[k] = run_windows() / 1e6;
    bench_runs("windows of 60 s", "M/s", result, N_RUNS);
}

int main(void)
{
    bench_begin("bench_legal");
    report_kernels(8000);
    report_kernels(32000);
    report_meter(4000, false);
    report_meter(8000, false);
    report_meter(8000, true);
    report_meter(32000, false);
    report_windows();
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        free(sample[c]);
    return 0;
}
