/* Samples for the cost image: integers only, so that every machine makes the same ones. */
#include "firmware/images/legal_cost/cost.h"

#define F_MHZ       50013
#define F_LATER_MHZ 50053 /* after a second */
#define HALF        (INT32_C(1) << 23)
#define GOLDEN      2654435769u

const struct cost_case cost_cases[COST_N_CASES] = {
    {"four-wires-8k", LEGAL_3P4W, 8000, 5, 0x7F, false},
    {"with-thd-8k", LEGAL_3P4W, 8000, 2, 0x7F, true},
    {"three-wires-4k", LEGAL_3P3W, 4000, 2, 0x2D, false},
    {"one-phase-32k", LEGAL_1P2W, 32000, 2, 0x49, false},
};

/* Amplitude in counts, angle in 2^-16 turns, direct component. */
static const struct {
    int32_t amplitude, angle, direct;
} wave[AFE_N_CHANNELS] = {
    {3250000, 0, 120},           {3270000, 65536 / 3 * 2, -300}, {3230000, 65536 / 3, 40},
    {410000, 65536 - 5000, 900}, {90000, 65536 / 3 * 2, 0},      {1200, 65536 / 3 + 9000, -7},
    {350000, 20000, 11},
};

/* Two parabolas for a sine, of +-2^23: its third harmonic is 3.7 %. */
static int32_t arch(uint32_t turn)
{
    int32_t x = (int32_t)turn >> 8, size = x < 0 ? -x : x;
    return (int32_t)((int64_t)x * (HALF - size) >> 21);
}

static int32_t sample(unsigned channel, uint32_t turn, uint32_t random)
{
    uint32_t at = turn + ((uint32_t)wave[channel].angle << 16);
    int64_t shape = arch(at) + arch(at * 5) / 16;
    int32_t noise = (int32_t)(random >> (channel * 3) & 63) - 32;
    return (int32_t)(shape * wave[channel].amplitude >> 23) + wave[channel].direct + noise;
}

static uint32_t turn_per_sample(uint32_t f_mhz, const struct cost_case *c)
{
    return (uint32_t)((UINT64_C(1) << 32) * f_mhz / ((uint64_t)c->rate * 1000));
}

void cost_fill(struct cost_block *b, const struct cost_case *c, uint32_t block)
{
    uint32_t n = c->rate / COST_BLOCKS_S, first = block * n;
    uint32_t step = turn_per_sample(F_MHZ, c), more = turn_per_sample(F_LATER_MHZ, c) - step;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t at = first + k, late = at > c->rate ? at - c->rate : 0;
        uint32_t turn = at * step + late * more;
        uint32_t random = (at + 1) * GOLDEN;
        random = (random ^ random >> 15) * GOLDEN;
        for (unsigned channel = 0; channel < AFE_N_CHANNELS; channel++)
            b->x[channel][k] = sample(channel, turn, random ^ random >> 13);
    }
}
