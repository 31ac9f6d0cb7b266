/* Windows of a steady load for the second entrance, from U, I and angle.
 *
 * One count is 60 uV and 60 uA and the rate 2^30 uHz: then a sum of products is a quarter of its
 * energy in 2^-32 register units, without rounding, so that a test can do the books in whole
 * numbers of its own. */
#ifndef TESTS_LEGAL_LOAD_H
#define TESTS_LEGAL_LOAD_H

#include "firmware/legal/legal_state.h"

#define LOAD_LSB      UINT64_C(60000000000)
#define LOAD_RATE_UHZ (UINT64_C(1) << 30)
#define LOAD_PER_SUM  4 /* 2^-32 register units for each count squared */

struct load {
    double u[LEGAL_N_PHASES], i[LEGAL_N_PHASES]; /* volt, ampere rms */
    double lag[LEGAL_N_PHASES];                  /* current behind voltage, degree */
};

/* 3 x 230 V, 50 Hz, 1000 imp/kWh, no no-load limit, counts as above. */
struct legal_config load_config(void);
struct load load_balanced(double u, double i, double lag);
struct legal_window load_window(const struct load *load, uint32_t n_samples);
uint32_t load_samples(double seconds);
/* Feeds the load for so long in windows of up to `step` seconds. */
void load_feed(struct legal *l, const struct load *load, double seconds, double step);

/* A register with its rest, 2^-32 units. */
__extension__ typedef __int128 load_exact;
load_exact load_sum(const struct legal_snapshot *b, unsigned first, unsigned last);
/* What the LED must have given for energy so exact. */
uint64_t load_pulses(load_exact energy, uint32_t constant);

/* 0 <= x < 2^32 */
uint32_t load_random(uint64_t *state);
double load_gauss(uint64_t *state);

#endif
