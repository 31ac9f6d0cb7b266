/* See rng.h. xorshift128 (Marsaglia 2003, "Xorshift RNGs", section 4), stirred with the clock. */
#include "firmware/ports/mps2/rng.h"

#include "firmware/ports/mps2/clock.h"

#include <string.h>

static uint32_t next(struct mps2_simulated_rng *r)
{
    uint32_t t = r->state[3];
    r->state[3] = r->state[2];
    r->state[2] = r->state[1];
    r->state[1] = r->state[0];
    t ^= t << 11;
    t ^= t >> 8;
    r->state[0] ^= t ^ r->state[0] >> 19;
    return r->state[0];
}

static enum err fill(const struct hal_rng *hal, void *to, size_t n)
{
    struct mps2_simulated_rng *r = hal->context;
    uint8_t *p = to;
    r->state[3] ^= (uint32_t)mps2_clock_ms();
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(next(r) >> 16);
    return ERR_OK;
}

void mps2_simulated_rng_init(struct mps2_simulated_rng *r, const uint8_t seed[16])
{
    r->hal = (struct hal_rng){.context = r, .fill = fill};
    memcpy(r->state, seed, sizeof r->state);
    r->state[0] |= 1; /* all zeros would stay zeros */
}
