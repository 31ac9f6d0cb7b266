/* Total harmonic distortion from the average cycle of the averaging interval.
 *
 * Correlating every sample with forty lines would cost more than the whole kernel. Instead every
 * sample is spread by its phase over four of 256 points of one average cycle, with the weights of a
 * cubic B-spline, and once per interval a Fourier transform of the 256 points gives all lines; the
 * known spectrum of the spline, (sin x / x)^4, is divided out. This is the transform of the samples
 * themselves at the exact phases (a non-uniform FFT), not of a resampled wave: any rate will do,
 * the lines are orthogonal over the whole cycles of the interval, and what is not a multiple of the
 * fundamental averages out. What remains is the spline's alias, at most (h / (256 - h))^4 of a line
 * near h - 256, 0.0012 of it for h = 40, and only when the sampling is synchronous so that such a
 * line exists (an image of the fundamental at 106 to 112 or 212 to 224 samples in each cycle).
 *
 * It refuses: lines at or above half the sample rate, interharmonics, groups. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define POINTS    LEGAL_CYCLE_POINTS
#define H_MAX     40
#define TURN_BITS 14
#define PART      32 /* samples that are weighed at a time */

/* (x / sin x)^8 - 1 with x = pi h / 256, in 2^-16: with the 1 it undoes the spline in the power of
 * line h = 1..40. */
static const uint16_t droop_q16[H_MAX + 1] = {
    0,     13,    53,    119,   211,   330,   476,   648,   848,   1075,  1330,  1613,  1924, 2264,
    2633,  3032,  3461,  3921,  4413,  4936,  5492,  6082,  6706,  7365,  8060,  8792,  9563, 10372,
    11221, 12112, 13046, 14024, 15047, 16117, 17235, 18404, 19625, 20900, 22231, 23619, 25068};

void legal_cycle_clear(struct legal_cycle *c)
{
    if (legal_has(LEGAL_HARMONICS) && c->used)
        memset(c, 0, sizeof *c);
}

/* Six times the weights of a cubic B-spline, 15 fractional bits; they add up to 6 exactly. */
static void spline(uint32_t turn, int32_t w[4])
{
    int32_t f = (int32_t)(turn >> 9 & 0x7FFF), g = 0x8000 - f;
    int32_t ff = f * f >> 15, gg = (int32_t)((uint32_t)g * (uint32_t)g >> 15);
    w[0] = g * gg >> 15;
    w[3] = f * ff >> 15;
    w[1] = 4 * 0x8000 - 6 * ff + 3 * w[3];
    w[2] = 6 * 0x8000 - w[0] - w[1] - w[3];
}

/* Straight lines: a loop costs a third more at -O2. */
static inline void spread(int64_t *restrict point, const int32_t *restrict w, int64_t u, int64_t i)
{
    point[0] += w[0] * u;
    point[1] += w[0] * i;
    point[2] += w[1] * u;
    point[3] += w[1] * i;
    point[4] += w[2] * u;
    point[5] += w[2] * i;
    point[6] += w[3] * u;
    point[7] += w[3] * i;
}

/* At most PART samples: their weights fit the stack. */
static void add_part(struct legal_cycle *c, const struct legal_view *v, const struct legal_run *r)
{
    int32_t w[PART][4];
    for (uint32_t k = 0; k < r->n; k++)
        spline(r->turn + k * r->step, w[k]);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const int32_t *u = v->x[AFE_U1 + p], *i = v->x[AFE_I1 + p];
        if (!u && !i)
            continue;
        u = u ? u + r->at : legal_silence;
        i = i ? i + r->at : legal_silence;
        for (uint32_t k = 0; k < r->n; k++)
            spread(c->point[p][(r->turn + k * r->step) >> 24], w[k], u[k], i[k]);
    }
}

void legal_cycle_add(struct legal_cycle *c, const struct legal_view *v, const struct legal_run *run)
{
    if (!legal_has(LEGAL_HARMONICS))
        return;
    c->used = true;
    for (uint32_t done = 0; done < run->n; done += PART) {
        uint32_t rest = run->n - done;
        struct legal_run part = {run->at + done, rest < PART ? rest : PART,
                                 run->turn + done * run->step, run->step};
        add_part(c, v, &part);
    }
}

void legal_cycle_rescale(struct legal_cycle *c, uint64_t to, uint64_t from)
{
    if (legal_has(LEGAL_HARMONICS) && c->used)
        legal_rescale(&c->point[0][0][0], sizeof c->point / sizeof(int64_t), to, from);
}

/* --- once per interval ---------------------------------------------------------------------- */

/* Wraps the three points too many, takes the mean out and scales one channel to 2^38..2^39, so that
 * a small current beside a large voltage in the same transform keeps its digits. */
static void normalise(int64_t (*point)[2], unsigned x)
{
    int64_t mean = 0, peak = 0;
    for (unsigned k = 0; k < 3; k++)
        point[k][x] += point[POINTS + k][x];
    for (unsigned k = 0; k < POINTS; k++)
        mean += point[k][x] / POINTS;
    for (unsigned k = 0; k < POINTS; k++) {
        point[k][x] -= mean;
        peak |= point[k][x] < 0 ? -point[k][x] : point[k][x];
    }
    if (peak == 0)
        return;
    int up = 0;
    for (; peak < INT64_C(1) << 38; peak *= 2)
        up++;
    for (; peak >= INT64_C(1) << 39; peak /= 2)
        up--;
    for (unsigned k = 0; k < POINTS; k++)
        point[k][x] = shifted(point[k][x], up);
}

static void reverse_bits(int64_t (*z)[2])
{
    for (unsigned k = 0, r = 0; k < POINTS; k++) {
        if (r > k) {
            int64_t swap[2] = {z[k][0], z[k][1]};
            memcpy(z[k], z[r], sizeof swap);
            memcpy(z[r], swap, sizeof swap);
        }
        unsigned bit = POINTS / 2;
        for (; r & bit; bit >>= 1)
            r ^= bit;
        r |= bit;
    }
}

static void butterfly(int64_t *a, int64_t *b, struct rotor back)
{
    rotor_times(b, back);
    for (unsigned x = 0; x < 2; x++) {
        int64_t turned = b[x] >> TURN_BITS;
        b[x] = a[x] - turned;
        a[x] += turned;
    }
}

static int32_t twiddle(unsigned at)
{
    return (sine_at(at) + (1 << (SINE_BITS - TURN_BITS - 1))) >> (SINE_BITS - TURN_BITS);
}

/* In place, e^(-j...); grows by at most 2^9 from 2^39, times 2^15 below 2^63. */
static void transform(int64_t (*z)[2])
{
    reverse_bits(z);
    for (unsigned half = 1; half < POINTS; half *= 2)
        for (unsigned k = 0; k < half; k++) {
            unsigned at = k * (SINE_SIZE / 2) / half;
            struct rotor back = {twiddle(at + SINE_QUARTER), -twiddle(at)};
            for (unsigned j = k; j < POINTS; j += 2 * half)
                butterfly(z[j], z[j + half], back);
        }
}

/* Power of line h of one channel from the transform of voltage + j current; the parts are cut to 30
 * bits so that forty lines add up in 64. */
static uint64_t line_power(int64_t (*z)[2], uint32_t h, unsigned x)
{
    const int64_t *a = z[h], *b = z[POINTS - h];
    int64_t im = a[1 - x] - b[1 - x];
    int64_t re = (a[x] + b[x]) >> 19;
    im = (x ? -im : im) >> 19;
    return mul_div_u64((uint64_t)(re * re + im * im), 65536u + droop_q16[h], 65536);
}

void legal_cycle_thd(struct legal_cycle *c, unsigned phase, uint32_t h_max, uint32_t ppm[2])
{
    int64_t(*z)[2] = c->point[phase];
    normalise(z, 0);
    normalise(z, 1);
    transform(z);
    for (unsigned x = 0; x < 2; x++) {
        uint64_t sum = 0;
        for (uint32_t h = 2; h <= h_max && h <= H_MAX; h++)
            sum += line_power(z, h, x);
        ppm[x] = legal_root_ppm((int64_t)sum, (int64_t)line_power(z, 1, x), 0);
    }
}
