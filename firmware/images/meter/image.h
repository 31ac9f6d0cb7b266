/* The whole meter as one image: metrology, supervision, registers, profiles, storage, objects and
 * the DLMS server, for one model chosen at build time (IMAGE_MODEL, a row of model/meters.h).
 *
 * Here stands the board's wiring and nothing of a meter: what a product adds below it is a front
 * end, a flash, a source of randomness, a watchdog. What this board lacks is simulated and says so:
 * the waveform (wave.c), the flash (ports/mps2/flash.h), randomness (ports/mps2/rng.h). It has no
 * clock that runs without supply: after a reset the time is that of the newest snapshot, marked
 * invalid until it is set. */
#ifndef FERRARIS_IMAGES_METER_H
#define FERRARIS_IMAGES_METER_H

#include "firmware/hal/afe.h"

#define WAVE_RATE_HZ 8000u
#define WAVE_BLOCK   AFE_BLOCK_MAX /* sample sets: 4 ms */

struct wave {
    uint32_t turn; /* of L1's voltage at the next sample, 2^32 is one */
    uint32_t step;
    int32_t sample[AFE_N_CHANNELS][WAVE_BLOCK];
    struct afe_block block;
};

/* Three voltages and currents at this frequency on the channels of `present` (bits as in struct
 * afe_block). */
void wave_init(struct wave *w, uint32_t f_mhz, uint32_t present);
/* The next WAVE_BLOCK sample sets. */
const struct afe_block *wave_next(struct wave *w);

#define WAVE_U_COUNTS 4000000 /* amplitude of a voltage, */
#define WAVE_I_COUNTS 1000000 /* and of a current */

#endif
