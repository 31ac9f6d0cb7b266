/* Finds the fundamental frequency of a sampled signal and the part of it that is whole cycles. */
#ifndef FERRARIS_SIM_CYCLES_H
#define FERRARIS_SIM_CYCLES_H

#include <stdbool.h>
#include <stddef.h>

struct cycles {
    double hz;       /* of the fundamental, 40..70 Hz */
    size_t cycles;   /* whole cycles in the part, at least 2 */
    size_t n;        /* samples of the part, from the first on, rounded to whole samples */
    double rounding; /* cycles between n and the exact end: |rounding| <= half a sample */
};

/* `time` has n + 1 entries in seconds, the last one being the end of the last sample. False when
 * the signal has no fundamental (DC, silence, noise) or less than two cycles of it.
 *
 * The frequency is the slope of a least-squares line through the phases of Hann-weighted pieces of
 * whole cycles. When all n samples are whole cycles within 1/500 of a cycle, all are taken; when
 * they are so within what the estimate can tell, the record is coherent: `hz` follows from its
 * length and `rounding` is 0. */
bool cycles_find(const double *x, const double *time, size_t n, struct cycles *out);
/* Amplitude (peak) of the strongest component between 40 and 70 Hz; 0 for none. Tells which channel
 * to look at. */
double cycles_strength(const double *x, const double *time, size_t n);

#endif
