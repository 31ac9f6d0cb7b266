/* The shape of a recorded channel. See recording_faults.h.
 *
 * Each limit keeps off what loads and networks do. The top of a quantised sine is flat, too, but as
 * far again beside it the wave has hardly fallen; a rectifier's rest is flat, but at zero. A
 * phase-fired load jumps from zero to a crest, half of the span, and stays there; a wrapped count
 * jumps across all of it. A square wave looks like a clipped one, and is told as such. */
#include "sim/recording_faults.h"

#include <math.h>

#define RUN_LEAST  3   /* samples */
#define BESIDE     16  /* samples: how far beside a flat end it is looked, its own length at most */
#define QUANTA     16  /* of its drop there; nine or twelve is what a quantised sine makes */
#define NEAR_ZERO  0.1 /* of the span: a rest */
#define NEAR_END   0.2 /* of the span */
#define ALONE      0.4 /* of the span */
#define NEIGHBOURS 0.1 /* of the span, between them */

struct span {
    double low, high, quantum;
};

static struct span span_of(const double *x, size_t n)
{
    struct span s = {x[0], x[0], INFINITY};
    for (size_t k = 1; k < n; k++) {
        double step = fabs(x[k] - x[k - 1]);
        s.low = fmin(s.low, x[k]);
        s.high = fmax(s.high, x[k]);
        if (step > 0)
            s.quantum = fmin(s.quantum, step);
    }
    return s;
}

static void add(struct recording_fault *f, size_t at, size_t n, double value)
{
    if (f->n == 0) {
        f->first = at;
        f->value = value;
    }
    f->n += n;
}

/* From the flat end [k, end) to beside it, on the side where it falls less. */
static double drop(const double *x, size_t n, size_t k, size_t end)
{
    size_t far = end - k < BESIDE ? end - k : BESIDE;
    double before = k >= far ? fabs(x[k - far] - x[k]) : INFINITY;
    double after = n - end >= far ? fabs(x[end + far - 1] - x[k]) : INFINITY;
    double least = fmin(before, after);
    return isfinite(least) ? least : 0;
}

static void find_flat(const double *x, size_t n, const struct span *s, struct recording_fault *out)
{
    for (size_t k = 0; k < n; k++) {
        if (x[k] != s->low && x[k] != s->high)
            continue;
        size_t end = k;
        while (end < n && x[end] == x[k])
            end++;
        bool rest = fabs(x[k]) < NEAR_ZERO * (s->high - s->low);
        if (end - k >= RUN_LEAST && !rest && drop(x, n, k, end) >= QUANTA * s->quantum)
            add(out, k, end - k, x[k]);
        k = end - 1;
    }
}

static void find_jumps(const double *x, size_t n, const struct span *s,
                       struct recording_faults *out)
{
    double span = s->high - s->low, low = s->low + NEAR_END * span,
           high = s->high - NEAR_END * span;
    bool was_lone = false, both = s->low < -NEAR_ZERO * span && s->high > NEAR_ZERO * span;
    for (size_t k = 1; k < n; k++) {
        double in = x[k] - x[k - 1], off = k + 1 < n ? x[k] - x[k + 1] : 0;
        bool lone = in * off > 0 && fmin(fabs(in), fabs(off)) > ALONE * span &&
                    fabs(in - off) < NEIGHBOURS * span;
        if (lone)
            add(&out->lone, k, 1, x[k]);
        else if (both && !was_lone && fmin(x[k], x[k - 1]) < low && fmax(x[k], x[k - 1]) > high)
            add(&out->torn, k, 1, x[k]);
        was_lone = lone;
    }
}

void recording_faults_find(const double *x, size_t n, struct recording_faults *out)
{
    *out = (struct recording_faults){.constant = false};
    if (n < 2)
        return;
    struct span s = span_of(x, n);
    out->constant = s.low == s.high;
    out->value = x[0];
    if (out->constant)
        return;
    find_flat(x, n, &s, &out->flat);
    find_jumps(x, n, &s, out);
}
