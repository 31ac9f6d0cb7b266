/* Loads whose energy is a whole number of micro-watt-hours to the last bit.
 *
 * The legal part computes a window's energy in units of 2^-32 micro-watt-hour from sums of counts.
 * With this front end (powers of two of the unit per count squared) and windows of whole seconds at
 * 1024 samples a second nothing is ever rounded, so a test may add up its own inputs as integers
 * and demand equality. Voltages are near nominal and undisturbed. Not for tests of accuracy. */
#ifndef FERRARIS_TEST_METER_EXACT_H
#define FERRARIS_TEST_METER_EXACT_H

#include "tests/firmware/meter/rig.h"

#define EXACT_PHASES 3
#define EXACT_Q_STEP 4225 /* micro-varh: reactive energies are whole multiples of it */

struct exact_phase {
    int64_t p_uwh, q_uwh; /* of the window, import positive; |q| below 1e11, cut to whole steps */
    int64_t s_uwh;        /* set by exact_window(): |p| + |q| rounded up to whole steps */
};
struct exact_load {
    uint32_t seconds; /* 1..60 */
    struct exact_phase phase[EXACT_PHASES];
};

/* A rig with this front end, fresh from the factory. */
struct rig *exact_rig(const char *model, const char *start);
/* As exact_rig() of a row of the test's own. */
struct rig *exact_rig_row(const struct model_meter *row, const char *start);
/* Fills in s_uwh, cuts q_uwh; of phases the model lacks all is 0. */
struct legal_window exact_window(const struct model_meter *m, struct exact_load *load);
/* The smallest energy of a phase in so many seconds that surely is no creeping: 0 or more than
 * this is what a load may be. */
int64_t exact_least_uwh(const struct model_meter *m, uint32_t seconds);

#endif
