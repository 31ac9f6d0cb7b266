/* See meter_household.h. A plausible day, not a model of one: the shape has a morning and an
 * evening peak. */
#include "cli/meter_household.h"

#include <math.h>
#include <stdio.h>

/* Load of each hour of the UTC day in percent of the largest. */
static const uint8_t day[24] = {14, 12, 11, 11, 13, 22, 42, 55, 48, 38, 35, 40,
                                46, 40, 34, 36, 48, 68, 86, 90, 78, 58, 36, 20};

void household_spec(const struct model_meter *m, char *spec, size_t size)
{
    double amp = m->is_ct ? 0.8 * m->in_ma / 1000.0 : 0.06 * m->imax_ma / 1000.0;
    snprintf(spec, size,
             "synth:phases=%u,f=%g,u=%g,i=%g,pf=0.96,h5=2%%,ih3=9%%@180,ih5=5%%,noise=0.005%%,"
             "rate=8000",
             m->n_phases, m->f_mhz / 1000.0, m->un_mv / 1000.0, amp);
}

/* splitmix64: one well mixed number for each input. */
static double random_of(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return (double)((x ^ x >> 31) >> 11) / (double)(UINT64_C(1) << 53);
}

void household_at(struct household_load *l, uint64_t seed, int64_t utc_s)
{
    uint64_t quarter = (uint64_t)utc_s / HOUSEHOLD_QUARTER_S;
    double hours = (double)(quarter % 96) / 4.0;
    unsigned hour = (unsigned)hours;
    double part = hours - hour;
    double shape = (day[hour] * (1 - part) + day[(hour + 1) % 24] * part) / 100.0;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        double dice = random_of(seed * 1000003u + quarter * 4 + p);
        l->gain[p] = fmin(1.0, shape * (0.7 + 0.6 * dice));
    }
}

void household_block(struct household_load *l, struct afe_block *b)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const int32_t *from = b->sample[AFE_I1 + p];
        if ((b->present >> (AFE_I1 + p) & 1u) == 0)
            continue;
        int64_t gain_q16 = llround(l->gain[p] * 65536);
        for (uint32_t k = 0; k < b->n; k++)
            l->scaled[p][k] = (int32_t)((from[k] * gain_q16 + 0x8000) >> 16);
        b->sample[AFE_I1 + p] = l->scaled[p];
    }
}

static int64_t times(int64_t x, double gain)
{
    return llround((double)x * gain);
}

void household_window(const struct household_load *l, struct legal_window *w)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        struct legal_window_phase *x = &w->phase[p];
        double gain = l->gain[p];
        x->ii = times(x->ii, gain * gain);
        x->ui = times(x->ui, gain);
        x->i = times(x->i, gain);
        x->i_re = times(x->i_re, gain);
        x->i_im = times(x->i_im, gain);
    }
}
