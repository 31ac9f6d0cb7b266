/* A recorded waveform in memory: what the file readers (comtrade.h, csv.h) produce and source.c
 * consumes.
 *
 * Samples are doubles in the unit the file names, scaling applied. The sample rate is a list of
 * stretches, each with a rate of its own. A sample the file marks as missing is a NaN here; a
 * reader never lets a NaN or an infinity of the file through: such a file is refused with its
 * position. The recording owns its memory until recording_free(). */
#ifndef FERRARIS_SIM_RECORDING_H
#define FERRARIS_SIM_RECORDING_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORDING_NAME_MAX 64
#define RECORDING_UNIT_MAX 16

struct recording_channel {
    char name[RECORDING_NAME_MAX];  /* printable: octets that are not UTF-8 became '?' */
    char phase[RECORDING_UNIT_MAX]; /* the file's own phase field; empty if none */
    char unit[RECORDING_UNIT_MAX];  /* "V", "kV", "ampere" ...; empty if none */
    double primary, secondary;      /* transformer ratio as the file states it; 0, 0 if not */
    char side;                      /* 'P' or 'S': the values are primary or secondary; 0 unknown */
    double skew_s;                  /* how much later than the first channel it was sampled */
    double *sample;                 /* n samples */
};

struct recording_rate {
    double hz;
    size_t end; /* this rate holds up to this sample, exclusive */
};

struct recording {
    struct recording_channel *channel;
    size_t n_channels;
    size_t n; /* samples per channel */
    struct recording_rate *rate;
    size_t n_rates;
    double line_hz; /* nominal frequency the file states; 0 unknown */
    char note[600]; /* something the reader had to decide; empty if nothing */
};

/* Where an error message goes: one line, always terminated. size 0: nowhere. */
struct fault {
    char *text;
    size_t size;
};
/* Writes the message over a former one and gives `err` back, so that `return fault_set(...)` reads
 * well. */
enum err fault_set(const struct fault *f, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Makes room in two steps, as readers learn the sizes: channels without samples, then n samples in
 * each. Both want a zeroed or freed recording at first. ERR_MEMORY; recording_free() is always
 * allowed after. */
MUST_CHECK enum err recording_alloc(struct recording *r, size_t n_channels);
MUST_CHECK enum err recording_alloc_samples(struct recording *r, size_t n);
/* One rate for all n samples. ERR_MEMORY. */
MUST_CHECK enum err recording_one_rate(struct recording *r, double hz);
/* Derives the rates from n time stamps in seconds: one rate when the stamps lie within half a
 * sample of a straight line, else the fewest equal stretches (a power of two) that do. ERR_FORMAT
 * when a single step is off by more than 30 % of the median step or the stamps do not advance:
 * *bad is then the index of the sample after that step. ERR_MEMORY. */
MUST_CHECK enum err recording_rates_from_stamps(struct recording *r, const double *stamp,
                                                size_t *bad);
/* Seconds from sample 0 to sample k, 0 <= k <= n. */
double recording_time(const struct recording *r, size_t k);
/* Fills missing samples of one channel on the straight line between their neighbours, when at most
 * 3 lie in a row and both neighbours exist. ERR_FORMAT otherwise, *bad is the first sample of the
 * gap. *filled counts. */
MUST_CHECK enum err recording_fill_gaps(const struct recording *r, size_t channel, size_t *filled,
                                        size_t *bad);
/* Brings a channel without gaps back by the skew it states, to the instants of the others, and
 * clears that: the polynomial through the six nearest samples, 0.4 % off at worst for a sixth of
 * the sample rate, 0.001 % for a sixteenth. False when nothing was done: no skew, one of more than
 * two samples, fewer than six samples, no memory. */
bool recording_deskew(const struct recording *r, size_t channel);
void recording_note(struct recording *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void recording_free(struct recording *r);

#endif
