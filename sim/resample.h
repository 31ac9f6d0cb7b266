/* Whole cycles that do not end on a sample, on a grid that divides them: so that a short record of
 * a network of any frequency loops without a seam and weighs each part of the cycle alike. */
#ifndef FERRARIS_SIM_RESAMPLE_H
#define FERRARIS_SIM_RESAMPLE_H

#include "lib/base/err.h"

#include <stddef.h>

/* out[k] = x at k * span / n_out, k = 0..n_out-1: band-limited interpolation, right to 1e-5 below
 * 0.4 of the sample rate. `x` has n samples, n at least 6 and at least span - 0.5; what lies before
 * the first and behind the last is taken to repeat after `span` samples. ERR_MEMORY. */
MUST_CHECK enum err resample_loop(const double *x, size_t n, double span, double *out,
                                  size_t n_out);

#endif
