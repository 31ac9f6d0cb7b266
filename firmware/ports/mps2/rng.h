/* Randomness for the SIMULATOR ONLY. The board has no source of entropy: this is a generator whose
 * start is a word of the personalisation page mixed with the clock, good enough that challenges
 * differ within a run, and of no use against anybody who can guess when the meter was started. A
 * product has a hardware source behind hal_rng and refuses to run without it; this port says so by
 * its name: there is no mps2_rng(). */
#ifndef FERRARIS_MPS2_RNG_H
#define FERRARIS_MPS2_RNG_H

#include "firmware/hal/rng.h"

#include <stdint.h>

struct mps2_simulated_rng {
    struct hal_rng hal; /* hand &r->hal to the server */
    uint32_t state[4];
};
void mps2_simulated_rng_init(struct mps2_simulated_rng *r, const uint8_t seed[16]);

#endif
