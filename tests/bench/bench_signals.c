/* What the bench's own instruments cost: sample-sets of seven channels per second, from the source
 * alone and through a front end with its noise. */
#include "sim/front_end.h"
#include "tests/bench/bench.h"

#define N_RUNS 5
#define SETS   2000000

static double source_rate(const struct test_signal *t)
{
    static double value[AFE_N_CHANNELS][AFE_BLOCK_MAX];
    double *out[AFE_N_CHANNELS];
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        out[c] = value[c];
    double begin = bench_now_s();
    for (uint64_t at = 0; at < SETS; at += AFE_BLOCK_MAX)
        test_signal_fill(t, at, AFE_BLOCK_MAX, NULL, out);
    return SETS / (bench_now_s() - begin) / 1e6;
}

static double front_end_rate(struct front_end *f, const struct test_signal *t)
{
    struct afe_block block;
    double begin = bench_now_s();
    for (uint64_t at = 0; at < SETS; at += AFE_BLOCK_MAX)
        front_end_sample(f, t, at, AFE_BLOCK_MAX, &block);
    return SETS / (bench_now_s() - begin) / 1e6;
}

static void run_shape(enum test_shape shape, const char *source, const char *front)
{
    const struct test_signal_spec s = {.shape = shape,
                                       .f_hz = 50.013,
                                       .rate_hz = 8000,
                                       .u = {230, 230, 230},
                                       .i = {5, 5, 5},
                                       .u_deg = {0, -120, 120},
                                       .present = 0x7f};
    struct front_end_spec spec;
    front_end_spec_of(model_meter_find("ST402C"), 1, false, &spec);
    struct test_signal *t = test_signal_new(&s);
    struct front_end *f = front_end_new(&spec);
    bench_must(t && f, "enough memory");
    double rate[2][N_RUNS];
    for (unsigned k = 0; k < N_RUNS; k++) {
        rate[0][k] = source_rate(t);
        rate[1][k] = front_end_rate(f, t);
    }
    bench_runs(source, "Msets/s", rate[0], N_RUNS);
    bench_runs(front, "Msets/s", rate[1], N_RUNS);
    front_end_free(f);
    test_signal_free(t);
}

int main(void)
{
    bench_begin("bench_signals");
    run_shape(TEST_SINE, "source, sine", "front end, sine");
    run_shape(TEST_PHASE_FIRED, "source, phase-fired", "front end, phase-fired");
    run_shape(TEST_BURST, "source, burst", "front end, burst");
    return 0;
}
