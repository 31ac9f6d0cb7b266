/* See resample.h. A sinc under a Blackman window; the new grid lies within half a sample in the
 * whole record of the old one, so the band stays what it was and no filter is needed. */
#include "sim/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI       3.14159265358979323846
#define REACH    24 /* samples to each side */
#define LAGRANGE 6  /* points, for the few samples outside the record */

/* Between samples, inside the record: the polynomial through the nearest six. */
static double lagrange(const double *x, size_t n, double at)
{
    double base = fmin(fmax(0, floor(at) - (LAGRANGE / 2.0 - 1)), (double)(n - LAGRANGE));
    const double *y = x + (size_t)base;
    double sum = 0;
    at -= base;
    for (int k = 0; k < LAGRANGE; k++) {
        double weight = 1;
        for (int j = 0; j < LAGRANGE; j++)
            if (j != k)
                weight *= (at - j) / (k - j);
        sum += weight * y[k];
    }
    return sum;
}

/* The record with REACH samples more at each end. */
static double *extended(const double *x, size_t n, double span)
{
    double *y = malloc((n + 2 * REACH) * sizeof *y);
    if (!y)
        return NULL;
    memcpy(y + REACH, x, n * sizeof *x);
    for (int k = 1; k <= REACH; k++) {
        double before = -k, behind = (double)n - 1 + k;
        while (before < 0)
            before += span;
        while (behind > (double)n - 1 && behind >= span)
            behind -= span;
        y[REACH - k] = lagrange(x, n, before);
        y[REACH + n - 1 + (size_t)k] = lagrange(x, n, behind);
    }
    return y;
}

struct window { /* cos and sin of the taps' places, so that a weight costs no cosine */
    double cosine[2 * REACH], sine[2 * REACH];
};

static double interpolate(const struct window *w, const double *y, double part)
{
    double c = cos(PI * part / REACH), s = sin(PI * part / REACH), sum = 0, weights = 0;
    for (int k = 0; k < 2 * REACH; k++) {
        double away = part - (k - REACH + 1), turn = c * w->cosine[k] + s * w->sine[k];
        double blackman = 0.42 + 0.5 * turn + 0.08 * (2 * turn * turn - 1);
        double weight = (k % 2 ? 1 : -1) * blackman / away; /* sin(pi part) cancels below */
        sum += weight * y[k];
        weights += weight;
    }
    return sum / weights;
}

enum err resample_loop(const double *x, size_t n, double span, double *out, size_t n_out)
{
    struct window w;
    double *y = extended(x, n, span);
    if (!y)
        return ERR_MEMORY;
    for (int k = 0; k < 2 * REACH; k++) {
        w.cosine[k] = cos(PI * (k - REACH + 1) / REACH);
        w.sine[k] = sin(PI * (k - REACH + 1) / REACH);
    }
    for (size_t k = 0; k < n_out; k++) {
        double at = (double)k * span / (double)n_out, whole = floor(at);
        const double *from = y + (size_t)whole; /* REACH before the sample at `whole` */
        out[k] = at - whole < 1e-9 ? from[REACH] : interpolate(&w, from + 1, at - whole);
    }
    free(y);
    return ERR_OK;
}
