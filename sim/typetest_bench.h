/* One measurement: a load on the clamps, and what LEDs and registers made of it.
 *
 *     test_signal -> front_end -> meter_samples() -> LED pulses, DLMS registers
 *
 * The front end is one individual, calibrated once as in a factory. Not for other rooms: the bench
 * is sim/typetest.h. */
#ifndef FERRARIS_SIM_TYPETEST_BENCH_H
#define FERRARIS_SIM_TYPETEST_BENCH_H

#include "sim/typetest_plan.h"

struct typetest_bench; /* heap; free with typetest_bench_free */

/* Draws the front end and calibrates. ERR_RANGE (calibration refused: why in `f`), ERR_MEMORY,
 * errors of the meter. */
MUST_CHECK enum err typetest_bench_new(const struct typetest_options *o,
                                       struct typetest_bench **out, const struct fault *f);
void typetest_bench_free(struct typetest_bench *b);
const char *typetest_bench_version(const struct typetest_bench *b);

struct typetest_want {
    char quantity;
    double noise_pct;  /* long enough for this deviation at most; 0: does not matter */
    double at_least_s; /* between first and last pulse */
    double unit_pct;   /* long enough for a unit of the register to be that much of the energy, but
                          for REGISTER_S at most; 0: does not matter */
    uint32_t pulses;   /* at least; less than 2 counts as 2 */
    double only_s;     /* no pulses expected: this long, whatever comes; 0: by the above */
};
struct typetest_reading {
    double error_pct;    /* LED against the source's energy between first and last pulse; NaN
                            without two pulses */
    double register_pct; /* registers, after less before, against all energy of the source */
    double unit_pct;     /* what a unit of the register is of that energy */
    double counted_pct;  /* registers against the pulses of the whole run */
    bool joined;         /* registers and pulses agree to a pulse and a unit */
    double noise_pct;    /* deviation expected of error_pct */
    double first_s;      /* first pulse after switching on; NaN: none */
    double period_s;     /* between pulses, by the source */
    double seconds;      /* of signal */
    uint32_t pulses;     /* of the whole run */
};
/* Errors of the meter and ERR_MEMORY. The same load gets the same noise in each run, and so does
 * its reference: the seed knows current, angle and phases only. */
MUST_CHECK enum err typetest_measure(struct typetest_bench *b, const struct typetest_load *l,
                                     const struct typetest_want *w, struct typetest_reading *out);

#endif
