/* A recorded waveform in memory: allocation, rates from time stamps, gaps.
 *
 * Refuses to resample: a recording that is not evenly sampled within each stretch is an error. */
#include "sim/recording.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRETCH_MIN 16  /* samples: shorter stretches of one rate say nothing about a rate */
#define STEP_OFF    0.3 /* of the median step: a lost sample is 1.0, rounding to microseconds 0.06 */
#define LINE_OFF    0.5 /* samples from the straight line */
#define GAP_MAX     3   /* samples: at 16 per cycle a straight line over more is no sine any more */
#define SKEW_POINTS 6
#define SKEW_MAX    2.0 /* samples */

enum err fault_set(const struct fault *f, enum err err, const char *format, ...)
{
    if (f->size) {
        va_list ap;
        va_start(ap, format);
        vsnprintf(f->text, f->size, format, ap);
        va_end(ap);
    }
    return err;
}

void recording_note(struct recording *r, const char *format, ...)
{
    size_t used = strlen(r->note);
    if (used && used + 3 < sizeof r->note) {
        memcpy(r->note + used, "; ", 3);
        used += 2;
    }
    va_list ap;
    va_start(ap, format);
    vsnprintf(r->note + used, sizeof r->note - used, format, ap);
    va_end(ap);
}

enum err recording_alloc(struct recording *r, size_t n_channels)
{
    r->channel = calloc(n_channels ? n_channels : 1, sizeof *r->channel);
    r->n_channels = r->channel ? n_channels : 0;
    return r->channel ? ERR_OK : ERR_MEMORY;
}

enum err recording_alloc_samples(struct recording *r, size_t n)
{
    r->n = n;
    for (size_t c = 0; c < r->n_channels; c++) {
        r->channel[c].sample = calloc(n ? n : 1, sizeof(double));
        if (!r->channel[c].sample)
            return ERR_MEMORY;
    }
    return ERR_OK;
}

enum err recording_one_rate(struct recording *r, double hz)
{
    free(r->rate);
    r->rate = malloc(sizeof *r->rate);
    r->n_rates = r->rate ? 1 : 0;
    if (!r->rate)
        return ERR_MEMORY;
    r->rate[0] = (struct recording_rate){.hz = hz, .end = r->n};
    return ERR_OK;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median, not the mean: a step that is off must not put its neighbours in the wrong. */
static enum err check_steps(const double *t, size_t n, size_t *bad)
{
    double *step = malloc((n - 1) * sizeof *step);
    if (!step)
        return ERR_MEMORY;
    for (size_t k = 1; k < n; k++)
        step[k - 1] = t[k] - t[k - 1];
    qsort(step, n - 1, sizeof *step, compare);
    double median = step[(n - 1) / 2];
    free(step);
    for (size_t k = 1; k < n; k++) {
        *bad = k;
        double d = t[k] - t[k - 1];
        if (!(d > 0) || fabs(d - median) > STEP_OFF * median)
            return ERR_FORMAT;
    }
    return ERR_OK;
}

/* Are samples [from, to] on a straight line? Both ends included. */
static bool on_a_line(const double *t, size_t from, size_t to)
{
    double step = (t[to] - t[from]) / (double)(to - from);
    for (size_t k = from; k <= to; k++)
        if (fabs(t[k] - t[from] - step * (double)(k - from)) > LINE_OFF * step)
            return false;
    return true;
}

static bool stretches_fit(const double *t, size_t n, size_t stretches)
{
    for (size_t s = 0; s < stretches; s++)
        if (!on_a_line(t, (n - 1) * s / stretches, (n - 1) * (s + 1) / stretches))
            return false;
    return true;
}

enum err recording_rates_from_stamps(struct recording *r, const double *stamp, size_t *bad)
{
    size_t n = r->n, stretches = 1;
    *bad = 0;
    enum err err = n < 2 ? ERR_FORMAT : check_steps(stamp, n, bad);
    if (err)
        return err;
    while (!stretches_fit(stamp, n, stretches)) {
        stretches *= 2;
        if (n / stretches < STRETCH_MIN)
            return ERR_FORMAT;
    }
    free(r->rate);
    r->n_rates = 0;
    r->rate = calloc(stretches, sizeof *r->rate);
    if (!r->rate)
        return ERR_MEMORY;
    r->n_rates = stretches;
    for (size_t s = 0; s < stretches; s++) {
        size_t from = (n - 1) * s / stretches, to = (n - 1) * (s + 1) / stretches;
        r->rate[s].hz = (double)(to - from) / (stamp[to] - stamp[from]);
        r->rate[s].end = s + 1 == stretches ? n : to;
    }
    return ERR_OK;
}

double recording_time(const struct recording *r, size_t k)
{
    double t = 0;
    size_t from = 0;
    for (size_t s = 0; s < r->n_rates && from < k; s++) {
        size_t to = r->rate[s].end < k ? r->rate[s].end : k;
        t += (double)(to - from) / r->rate[s].hz;
        from = to;
    }
    return t;
}

enum err recording_fill_gaps(const struct recording *r, size_t channel, size_t *filled, size_t *bad)
{
    double *x = r->channel[channel].sample;
    *filled = 0;
    for (size_t k = 0; k < r->n; k++) {
        if (!isnan(x[k]))
            continue;
        size_t end = k;
        while (end < r->n && isnan(x[end]))
            end++;
        *bad = k;
        if (k == 0 || end == r->n || end - k > GAP_MAX)
            return ERR_FORMAT;
        double step = (x[end] - x[k - 1]) / (double)(end - k + 1);
        *filled += end - k;
        for (; k < end; k++)
            x[k] = x[k - 1] + step;
    }
    return ERR_OK;
}

/* The polynomial through SKEW_POINTS places and values, at a place. */
static double polynomial(const double *place, const double *value, double at)
{
    double sum = 0;
    for (int k = 0; k < SKEW_POINTS; k++) {
        double weight = 1;
        for (int j = 0; j < SKEW_POINTS; j++)
            if (j != k)
                weight *= (at - place[j]) / (place[k] - place[j]);
        sum += weight * value[k];
    }
    return sum;
}

static double *all_times(const struct recording *r)
{
    double *time = malloc(r->n * sizeof *time), t = 0;
    size_t stretch = 0;
    for (size_t k = 0; time && k < r->n; k++) {
        time[k] = t;
        while (stretch + 1 < r->n_rates && k >= r->rate[stretch].end)
            stretch++;
        t += 1 / r->rate[stretch].hz;
    }
    return time;
}

bool recording_deskew(const struct recording *r, size_t channel)
{
    struct recording_channel *c = &r->channel[channel];
    double fastest = 0;
    for (size_t k = 0; k < r->n_rates; k++)
        fastest = fmax(fastest, r->rate[k].hz);
    if (c->skew_s == 0 || r->n < SKEW_POINTS || !(fabs(c->skew_s) * fastest <= SKEW_MAX))
        return false;
    double *time = all_times(r), *out = malloc(r->n * sizeof *out);
    for (size_t k = 0, base = 0; time && out && k < r->n; k++) {
        double at = time[k] - c->skew_s; /* on the channel's own samples */
        while (base + SKEW_POINTS < r->n && time[base + SKEW_POINTS / 2] <= at)
            base++;
        out[k] = polynomial(time + base, c->sample + base, at);
    }
    bool done = time && out;
    if (done)
        memcpy(c->sample, out, r->n * sizeof *out);
    free(time);
    free(out);
    c->skew_s = done ? 0 : c->skew_s;
    return done;
}

void recording_free(struct recording *r)
{
    for (size_t c = 0; c < r->n_channels; c++)
        free(r->channel[c].sample);
    free(r->channel);
    free(r->rate);
    *r = (struct recording){0};
}
