/* Windows of a steady load; see load.h. */
#include "tests/firmware/legal/load.h"

#include <math.h>
#include <stdlib.h>

#define RAD (3.14159265358979323846 / 180)

struct legal_config load_config(void)
{
    return (struct legal_config){.n_phases = 3,
                                 .wiring = LEGAL_3P4W,
                                 .f_nominal_mhz = 50000,
                                 .u_lsb_fv = {LOAD_LSB, LOAD_LSB, LOAD_LSB},
                                 .i_lsb_fa = {LOAD_LSB, LOAD_LSB, LOAD_LSB, LOAD_LSB},
                                 .un_mv = 230000,
                                 .pulse_per_kwh = 1000};
}

struct load load_balanced(double u, double i, double lag)
{
    return (struct load){{u, u, u}, {i, i, i}, {lag, lag, lag}};
}

uint32_t load_samples(double seconds)
{
    return (uint32_t)lround(seconds * (double)LOAD_RATE_UHZ * 1e-6);
}

struct legal_window load_window(const struct load *load, uint32_t n_samples)
{
    struct legal_window w = {.n_q16 = (uint64_t)n_samples << 16,
                             .rate_uhz = LOAD_RATE_UHZ,
                             .frequency_uhz = 50000000,
                             .flags = LEGAL_WINDOW_NO_CROSS};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        double n = n_samples, lsb = (double)LOAD_LSB * 1e-15;
        double u = load->u[p] / lsb, i = load->i[p] / lsb, lag = load->lag[p] * RAD;
        w.phase[p].uu = llround(n * u * u);
        w.phase[p].ii = llround(n * i * i);
        w.phase[p].ui = llround(n * u * i * cos(lag));
        w.phase[p].u_re = llround(n * u / sqrt(2));
        w.phase[p].i_re = llround(n * i / sqrt(2) * cos(lag));
        w.phase[p].i_im = llround(n * i / sqrt(2) * sin(lag));
    }
    return w;
}

void load_feed(struct legal *l, const struct load *load, double seconds, double step)
{
    uint32_t left = load_samples(seconds), most = load_samples(step);
    while (left) {
        uint32_t n = left < most ? left : most;
        struct legal_window w = load_window(load, n);
        if (legal_feed_window(l, &w) != ERR_OK)
            abort();
        left -= n;
    }
}

load_exact load_sum(const struct legal_snapshot *b, unsigned first, unsigned last)
{
    load_exact sum = 0;
    for (unsigned e = first; e <= last; e++)
        sum += ((load_exact)b->energy.total[e] << 32) + b->total_rest[e];
    return sum;
}

uint64_t load_pulses(load_exact energy, uint32_t constant)
{
    return (uint64_t)(energy * constant / ((load_exact)1000000000 << 32));
}

uint32_t load_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 32);
}

double load_gauss(uint64_t *state) /* sum of twelve uniform numbers */
{
    double sum = -6;
    for (int k = 0; k < 12; k++)
        sum += load_random(state) / 4294967296.0;
    return sum;
}
