/* Frequency and whole cycles. See cycles.h.
 *
 * Zero crossings were not taken: transients, phase loss and noise double or lose them. The phase of
 * a Hann-weighted piece of at least two whole cycles sees neither DC nor harmonics. */
#include "sim/cycles.h"

#include <math.h>

#define PI           3.14159265358979323846
#define HZ_LOW       40.0
#define HZ_HIGH      70.0
#define COARSE_S     0.25 /* seconds of a stretch looked at for the first guess */
#define PARTS        8
#define COARSE_RATE  4000. /* samples per second are enough for a guess */
#define NEAR_S       0.5   /* seconds around the best stretch for the first rounds */
#define EXPLAINED    0.2   /* of the AC power at least must be the fundamental */
#define PIECES_MAX   400
#define PIECE_CYCLES 10.0       /* of a piece in a long record */
#define WHOLE        (1 / 500.) /* of a cycle: then the record counts as whole */
#define SHORT        8          /* cycles: harmonics lead the estimate of a shorter record astray */
#define ROUNDS       6          /* of frequency refinement; each gains two digits or more */

struct phasor {
    double re, im;
};

static double mean_of(const double *x, size_t from, size_t to)
{
    double sum = 0;
    for (size_t k = from; k < to; k++)
        sum += x[k];
    return sum / (double)(to - from);
}

struct signal {
    const double *x, *time; /* time[n] is the end of the last sample */
    size_t n;
};

/* Amplitude and phase at `hz` of the samples in [from, to): weighted by a Hann window over that
 * time, and by the time each sample stands for. The phase refers to time 0. */
static struct phasor correlate(const struct signal *s, size_t from, size_t to, double hz,
                               size_t stride)
{
    struct phasor p = {0, 0};
    const double *x = s->x, *time = s->time;
    double t0 = time[from], span = time[to] - t0, mean = mean_of(x, from, to), weight = 0;
    for (size_t k = from; k < to; k += stride) {
        double dt = time[k + 1] - time[k];
        double w = (1 - cos(2 * PI * (time[k] + dt / 2 - t0) / span)) * dt;
        double a = 2 * PI * hz * time[k];
        p.re += w * (x[k] - mean) * cos(a);
        p.im -= w * (x[k] - mean) * sin(a);
        weight += w;
    }
    p.re *= 2 / weight;
    p.im *= 2 / weight;
    return p;
}

static size_t index_at(const double *time, size_t n, double t)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (time[mid] < t)
            low = mid + 1;
        else
            high = mid;
    }
    if (low > 0 && t - time[low - 1] < time[low] - t)
        low--;
    return low;
}

/* The strongest of a grid of frequencies over [from, to), finer than the window's resolution. */
static double strongest(const struct signal *s, size_t from, size_t to, double *amplitude)
{
    double span = s->time[to] - s->time[from], step = fmin(2, 0.25 / span), best_hz = 0;
    size_t stride = (size_t)fmax(1, (double)(to - from) / (span * COARSE_RATE));
    *amplitude = 0;
    for (double hz = HZ_LOW; hz <= HZ_HIGH; hz += step) {
        struct phasor p = correlate(s, from, to, hz, stride);
        double a = hypot(p.re, p.im);
        if (a > *amplitude) {
            *amplitude = a;
            best_hz = hz;
        }
    }
    return best_hz;
}

static double ac_power(const double *x, size_t from, size_t to)
{
    double mean = mean_of(x, from, to), power = 0;
    for (size_t k = from; k < to; k++)
        power += (x[k] - mean) * (x[k] - mean);
    return power / (double)(to - from);
}

/* A first guess: the best of up to eight stretches spread over the record, so that a fault or an
 * interruption at the start does not hide the rest. 0 when nothing is periodic. */
struct guess {
    double hz, amplitude;
    size_t from, to; /* the stretch it was found in */
};

static struct guess first_guess(const struct signal *s)
{
    struct guess best = {0};
    double length = s->time[s->n];
    int parts = length > 2 * COARSE_S ? PARTS : 1;
    for (int part = 0; part < parts; part++) {
        double t0 = parts > 1 ? (length - COARSE_S) * part / (parts - 1) : 0;
        struct guess g = {.from = index_at(s->time, s->n, t0), .to = s->n};
        if (parts > 1)
            g.to = index_at(s->time, s->n, t0 + COARSE_S);
        if (g.to - g.from < 4)
            continue;
        g.hz = strongest(s, g.from, g.to, &g.amplitude);
        if (g.amplitude > best.amplitude &&
            g.amplitude * g.amplitude / 2 > EXPLAINED * ac_power(s->x, g.from, g.to))
            best = g;
    }
    return best;
}

static bool is_long_enough(const struct signal *s)
{
    return s->n >= 8 && s->time[s->n] * HZ_HIGH >= 2;
}

double cycles_strength(const double *x, const double *time, size_t n)
{
    struct signal s = {x, time, n};
    return is_long_enough(&s) ? first_guess(&s).amplitude : 0;
}

/* A straight line through weighted points. */
struct line {
    double sw, st, sp, stt, stp;
};

static void line_add(struct line *l, double w, double t, double p)
{
    l->sw += w;
    l->st += w * t;
    l->sp += w * p;
    l->stt += w * t * t;
    l->stp += w * t * p;
}

static double line_slope(const struct line *l)
{
    double d = l->sw * l->stt - l->st * l->st;
    return d > 0 ? (l->sw * l->stp - l->st * l->sp) / d : 0;
}

/* Slope of the phase against `hz` over the time [t0, t1), in Hz: pieces weighted by their power. */
static double deviation(const struct signal *s, double t0, double t1, double hz)
{
    struct line line = {0};
    double total = (t1 - t0) * hz, before = 0;
    double cycles = total >= 2 * PIECE_CYCLES ? PIECE_CYCLES : floor(total / 2);
    if (total < 4)
        cycles = fmax(1, floor(total) - 1);
    double room = total - cycles; /* where pieces may begin, in cycles */
    double pieces = fmin(PIECES_MAX, fmax(2, ceil(2 * room / cycles)));
    for (double k = 0; k < pieces; k++) {
        double at = t0 + room / hz * k / (pieces - 1);
        size_t from = index_at(s->time, s->n, at);
        size_t to = index_at(s->time, s->n, at + cycles / hz);
        if (to - from < 4)
            continue;
        struct phasor p = correlate(s, from, to, hz, 1);
        double phase = atan2(p.im, p.re);
        phase += 2 * PI * round((before - phase) / (2 * PI));
        before = phase;
        line_add(&line, p.re * p.re + p.im * p.im, (s->time[from] + s->time[to]) / 2 - t0, phase);
    }
    return line_slope(&line) / (2 * PI);
}

static bool is_in_band(double hz)
{
    return hz > HZ_LOW - 1 && hz < HZ_HIGH + 1;
}

/* Refined near the best stretch first: over a long record the phase of a rough guess would turn
 * more than once between pieces. */
static double refine(const struct signal *s, const struct guess *g)
{
    double hz = g->hz, length = s->time[s->n];
    for (int k = 0; k < ROUNDS && is_in_band(hz) && length * hz >= 2 - WHOLE; k++) {
        bool near = k < ROUNDS / 2;
        double t0 = near ? fmax(0, s->time[g->from] - NEAR_S) : 0;
        double t1 = near ? fmin(length, s->time[g->to] + NEAR_S) : length;
        hz += deviation(s, t0, t1, hz);
    }
    return hz;
}

/* As near to whole as the estimate can tell? A sampler that follows the network gives such records,
 * and then the length tells the frequency better. */
static bool is_coherent(double total, double whole)
{
    return fabs(total - whole) < (whole < SHORT ? 1 / 2000. : 1 / 20000.);
}

bool cycles_find(const double *x, const double *time, size_t n, struct cycles *out)
{
    struct signal s = {x, time, n};
    *out = (struct cycles){0};
    if (!is_long_enough(&s))
        return false;
    struct guess g = first_guess(&s);
    double hz = refine(&s, &g), total = time[n] * hz, whole = round(total);
    if (!is_in_band(hz) || total < 2 - WHOLE)
        return false;
    out->n = n;
    if (fabs(total - whole) > WHOLE) {
        whole = floor(total);
        out->n = index_at(time, n, whole / hz);
    } else if (is_coherent(total, whole)) {
        hz = whole / time[n];
    }
    out->hz = hz;
    out->cycles = (size_t)whole;
    out->rounding = time[out->n] * hz - whole;
    return whole >= 2;
}
