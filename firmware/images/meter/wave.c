/* A front end of integers: three voltages and currents with a quarter of reactive power, and a
 * little in the neutral. See image.h. */
#include "firmware/images/meter/image.h"

#include <stddef.h>

#define HALF (INT32_C(1) << 23)

/* Two parabolas for a sine, of +-2^21: its third harmonic is 3.7 %. */
static int32_t arch(uint32_t turn)
{
    int32_t x = (int32_t)turn >> 8, size = x < 0 ? -x : x;
    return (int32_t)((int64_t)x * (HALF - size) >> 23);
}

static const struct {
    int32_t amplitude;
    uint32_t angle; /* 2^-32 turns */
} wave[AFE_N_CHANNELS] = {
    [AFE_U1] = {WAVE_U_COUNTS, 0},           [AFE_U2] = {WAVE_U_COUNTS, 0xAAAAAAAAu},
    [AFE_U3] = {WAVE_U_COUNTS, 0x55555555u}, [AFE_I1] = {WAVE_I_COUNTS, 0xF5555555u},
    [AFE_I2] = {WAVE_I_COUNTS, 0xA0000000u}, [AFE_I3] = {WAVE_I_COUNTS, 0x4AAAAAAAu},
    [AFE_IN] = {WAVE_I_COUNTS / 50, 0},
};

void wave_init(struct wave *w, uint32_t f_mhz, uint32_t present)
{
    *w = (struct wave){.step = (uint32_t)((UINT64_C(1) << 32) * f_mhz / (WAVE_RATE_HZ * 1000u)),
                       .block = {.rate_uhz = WAVE_RATE_HZ * UINT64_C(1000000),
                                 .n = WAVE_BLOCK,
                                 .present = present}};
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        w->block.sample[c] = (present >> c & 1) != 0 ? w->sample[c] : NULL;
}

const struct afe_block *wave_next(struct wave *w)
{
    for (unsigned k = 0; k < WAVE_BLOCK; k++, w->turn += w->step) {
        for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
            w->sample[c][k] =
                (int32_t)((int64_t)arch(w->turn + wave[c].angle) * wave[c].amplitude >> 21);
    }
    return &w->block;
}
