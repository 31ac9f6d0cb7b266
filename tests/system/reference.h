/* What a recording holds, worked out a second time: in double, from the definitions, by code that
 * shares nothing with the product. For tests that compare `ferraris` with it. */
#ifndef FERRARIS_TEST_REFERENCE_H
#define FERRARIS_TEST_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#define REFERENCE_CHANNELS 8

/* Samples in V and A as sampled at `rate`. */
struct waves {
    double rate;
    size_t n, n_channels;
    double *x[REFERENCE_CHANNELS]; /* one allocation each */
};

/* Reads an ASCII COMTRADE pair (with one rate and no digital channels), `stem` without ending but
 * with the case of it: "x.CFG" wants "x.DAT". All channels, scaled. Fails the test on surprise. */
void waves_read_comtrade(struct waves *w, const char *cfg, const char *dat);
/* Reads a table whose first line is a head and whose first column is passed over. */
void waves_read_csv(struct waves *w, const char *path, double rate);
void waves_free(struct waves *w);

struct reference {
    double u, i, p, q1, s; /* V, A, W, var, VA; DC removed */
    double thd_u, thd_i;   /* percent, lines 2..40 over the fundamental */
};
/* Over `span` samples from the first on (whole cycles; the last sample counts by its part), with
 * `cycles` cycles in them. */
void reference_of(const double *u, const double *i, double span, double cycles,
                  struct reference *out);
/* The frequency of the fundamental by least squares: what sine (with mean and slope-free) leaves
 * the least. In cycles per sample, looked for within 1 % of `guess`. */
double reference_frequency(const double *x, size_t n, double guess);

/* |a - b| / |scale| in percent. */
double percent(double a, double b, double scale);

#endif
