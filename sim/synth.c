/* The running synthesised network: samples and window sums of a struct synth_spec. See synth.h.
 *
 * The phase is a 64-bit fraction of a turn, so harmonic h is a multiplication that wraps. Noise is
 * drawn by the number of the sample-set, not in sequence: block lengths do not matter. */
#include "sim/synth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI    3.14159265358979323846
#define TABLE 16384 /* linear interpolation: error 2e-8 of full scale, below half a count */
#define TURN  18446744073709551616.0 /* 2^64 */

struct component { /* amplitude in counts * sin(order * turn + offset) */
    double amplitude;
    uint64_t order, offset;
};

struct synth {
    struct synth_spec spec;
    double lsb[AFE_N_CHANNELS];
    struct component component[AFE_N_CHANNELS][SYNTH_HARMONICS + 1];
    size_t n_components[AFE_N_CHANNELS];
    double noise[AFE_N_CHANNELS]; /* counts rms */
    uint64_t seed, index, turn;
    double time0; /* what windows have advanced */
    uint64_t turns[AFE_BLOCK_MAX];
    double gain[AFE_BLOCK_MAX];
    double sine[TABLE + 1];
};

uint32_t synth_present(const struct synth_spec *s)
{
    uint32_t phases = s->n_phases == 1 ? 1u : 7u;
    return phases << AFE_U1 | phases << AFE_I1 | (s->in > 0 ? 1u << AFE_IN : 0);
}

/* Value of a quantity at time t: every ramp moves on from where the former left it. */
static double ramped(const struct synth_spec *s, enum synth_event_kind kind, double base, double t)
{
    for (size_t k = 0; k < s->n_events; k++) {
        const struct synth_event *e = &s->event[k];
        if (e->kind != kind || t < e->start)
            continue;
        double part = e->duration > 0 ? (t - e->start) / e->duration : 1;
        base += (e->target - base) * fmin(1, part);
    }
    return base;
}

static double gain_u(const struct synth_spec *s, int phase, double t)
{
    double g = ramped(s, SYNTH_RAMP_U, 1, t);
    for (size_t k = 0; k < s->n_events; k++) {
        const struct synth_event *e = &s->event[k];
        if (e->kind == SYNTH_DIP && (e->phases >> phase & 1) && t >= e->start &&
            t < e->start + e->duration)
            g *= e->target;
    }
    return g;
}

static double gain_of(const struct synth_spec *s, int channel, double t)
{
    if (channel <= AFE_U3)
        return gain_u(s, channel, t);
    return channel <= AFE_I3 ? ramped(s, SYNTH_RAMP_I, 1, t) : 1;
}

static double rms_of(const struct synth_spec *s, int channel)
{
    if (!(synth_present(s) >> channel & 1))
        return 0;
    return channel <= AFE_U3   ? s->u[channel - AFE_U1]
           : channel <= AFE_I3 ? s->i[channel - AFE_I1]
                               : s->in;
}

static bool is_of(const struct synth_harmonic *h, int channel)
{
    return channel < AFE_IN && h->current == (channel >= AFE_I1);
}

void synth_peaks(const struct synth_spec *s, double peak[AFE_N_CHANNELS])
{
    double most[2] = {1, 1}; /* gain of voltages, of currents */
    for (size_t k = 0; k < s->n_events; k++) {
        const struct synth_event *e = &s->event[k];
        int which = e->kind == SYNTH_RAMP_I;
        if (e->kind != SYNTH_RAMP_F && e->target > 1)
            most[which] *= e->target;
    }
    for (int c = 0; c < AFE_N_CHANNELS; c++) {
        double sum = 1;
        for (size_t k = 0; k < s->n_harmonics; k++)
            sum += is_of(&s->harmonic[k], c) ? s->harmonic[k].level : 0;
        double gain = c <= AFE_U3 ? most[0] : c <= AFE_I3 ? most[1] : 1;
        peak[c] = rms_of(s, c) * (sqrt(2) * sum * gain + 4 * s->noise);
        if (c >= AFE_I1 && c <= AFE_I3 && (synth_present(s) >> c & 1))
            peak[c] += fabs(s->idc);
    }
}

static uint64_t turn_of(double radian)
{
    double t = radian / (2 * PI);
    t -= floor(t);
    return t >= 1 ? 0 : (uint64_t)(t * TURN);
}

/* Angle of a channel's fundamental against the phase accumulator. */
static double angle_of(const struct synth_spec *s, int channel)
{
    if (channel == AFE_IN)
        return 0;
    int phase = channel % 3;
    return -2 * PI / 3 * phase - (channel >= AFE_I1 ? s->phi[phase] : 0);
}

static void add_components(struct synth *y, int c)
{
    const struct synth_spec *s = &y->spec;
    double peak = rms_of(s, c) * sqrt(2) / y->lsb[c], angle = angle_of(s, c);
    size_t n = 0;
    y->component[c][n++] = (struct component){peak, 1, turn_of(angle)};
    for (size_t k = 0; k < s->n_harmonics; k++) {
        const struct synth_harmonic *h = &s->harmonic[k];
        if (is_of(h, c))
            y->component[c][n++] =
                (struct component){peak * h->level, h->order, turn_of(angle * h->order + h->angle)};
    }
    y->n_components[c] = n;
    y->noise[c] = rms_of(s, c) * s->noise / y->lsb[c];
}

struct synth *synth_new(const struct synth_spec *s, double u_lsb, double i_lsb, uint64_t seed)
{
    struct synth *y = calloc(1, sizeof *y);
    if (!y)
        return NULL;
    y->spec = *s;
    y->seed = seed;
    for (int k = 0; k <= TABLE; k++)
        y->sine[k] = sin(2 * PI * k / TABLE);
    for (int c = 0; c < AFE_N_CHANNELS; c++) {
        y->lsb[c] = c <= AFE_U3 ? u_lsb : i_lsb;
        add_components(y, c);
    }
    return y;
}

double synth_time(const struct synth *y)
{
    return y->time0 + (double)y->index / y->spec.rate;
}

static double sine_at(const struct synth *y, uint64_t turn)
{
    size_t at = (size_t)(turn >> 50);                              /* 14 bits */
    double part = (double)(turn << 14 >> 11) / 9007199254740992.0; /* the next 53 */
    return y->sine[at] + (y->sine[at + 1] - y->sine[at]) * part;
}

/* Nearly Gaussian: four uniform numbers out of one hash (splitmix64) of the place; sigma 1. */
static double noise_at(uint64_t seed, uint64_t index, int channel)
{
    uint64_t z = seed + (index * AFE_N_CHANNELS + (uint64_t)channel + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    int64_t sum = 0;
    for (int k = 0; k < 4; k++, z >>= 16)
        sum += (int64_t)(z & 0xFFFF) - 32768;
    return ((double)sum + 2) / 65536 * sqrt(3);
}

static int32_t to_counts(double x)
{
    x = round(x);
    if (x > AFE_FULL_SCALE - 1)
        return AFE_FULL_SCALE - 1;
    return x < -AFE_FULL_SCALE ? -AFE_FULL_SCALE : (int32_t)x;
}

static void fill_channel(struct synth *y, int c, uint32_t n, int32_t *out)
{
    double dc = c >= AFE_I1 && c <= AFE_I3 ? y->spec.idc / y->lsb[c] : 0;
    for (uint32_t k = 0; k < n; k++) {
        double x = 0;
        for (size_t j = 0; j < y->n_components[c]; j++) {
            const struct component *m = &y->component[c][j];
            x += m->amplitude * sine_at(y, m->order * y->turns[k] + m->offset);
        }
        if (y->spec.n_events)
            x *= y->gain[k];
        if (y->noise[c] > 0)
            x += y->noise[c] * noise_at(y->seed, y->index + k, c);
        out[k] = to_counts(x + dc);
    }
}

void synth_fill(struct synth *y, uint32_t n, int32_t *const out[AFE_N_CHANNELS])
{
    double t = synth_time(y), dt = 1 / y->spec.rate;
    for (uint32_t k = 0; k < n; k++) {
        y->turns[k] = y->turn;
        y->turn += (uint64_t)(ramped(&y->spec, SYNTH_RAMP_F, y->spec.hz, t + k * dt) * dt * TURN);
    }
    for (int c = 0; c < AFE_N_CHANNELS; c++) {
        if (!(synth_present(&y->spec) >> c & 1))
            continue;
        for (uint32_t k = 0; k < n && y->spec.n_events; k++)
            y->gain[k] = gain_of(&y->spec, c, t + k * dt);
        fill_channel(y, c, n, out[c]);
    }
    y->index += n;
}

/* --- window level --------------------------------------------------------------------------- */

struct means { /* of a stretch without event borders inside, in counts */
    double uu, ii, ui, u1, i1;
};

/* Mean over [t, t + d] of the product of two gains: Simpson's rule is exact for linear gains. The
 * ends are taken just inside, so that a step at a border belongs to its own side. */
static double mean_gain(const struct synth_spec *s, int a, int b, double t, double d)
{
    static const double at[3] = {1e-9, 0.5, 1 - 1e-9}, weight[3] = {1 / 6., 4 / 6., 1 / 6.};
    double sum = 0;
    for (int k = 0; k < 3; k++) {
        double x = t + d * at[k];
        sum += weight[k] * gain_of(s, a, x) * (b < 0 ? 1 : gain_of(s, b, x));
    }
    return sum;
}

/* Mean of u times i (or of a square) over a cycle at gain 1: components of equal order meet. */
static double mean_product(const struct synth *y, int a, int b)
{
    double sum = 0;
    for (size_t j = 0; j < y->n_components[a]; j++)
        for (size_t k = 0; k < y->n_components[b]; k++) {
            const struct component *p = &y->component[a][j], *q = &y->component[b][k];
            if (p->order == q->order)
                sum += p->amplitude * q->amplitude / 2 *
                       cos(2 * PI * (double)(int64_t)(p->offset - q->offset) / TURN);
        }
    return sum;
}

/* `part` is the weight of the stretch [t, t + d] in the window. */
static void add_stretch(const struct synth *y, int phase, double t, double d, double part,
                        struct means *m)
{
    const struct synth_spec *s = &y->spec;
    int u = AFE_U1 + phase, i = AFE_I1 + phase;
    m->uu += part * mean_product(y, u, u) * mean_gain(s, u, u, t, d);
    m->ii += part * mean_product(y, i, i) * mean_gain(s, i, i, t, d);
    m->ui += part * mean_product(y, u, i) * mean_gain(s, u, i, t, d);
    m->u1 += part * y->component[u][0].amplitude / 2 * mean_gain(s, u, -1, t, d);
    m->i1 += part * y->component[i][0].amplitude / 2 * mean_gain(s, i, -1, t, d);
}

/* The next border of an event after t, at most `end`. */
static double next_border(const struct synth_spec *s, double t, double end)
{
    for (size_t k = 0; k < s->n_events; k++) {
        double a = s->event[k].start, b = a + s->event[k].duration;
        if (a > t && a < end)
            end = a;
        if (b > t && b < end)
            end = b;
    }
    return end;
}

static struct means phase_means(const struct synth *y, int phase, double from, double seconds)
{
    struct means m = {0};
    for (double t = from, end = from + seconds; t < end;) {
        double next = next_border(&y->spec, t, end);
        add_stretch(y, phase, t, next - t, (next - t) / seconds, &m);
        t = next;
    }
    return m;
}

static int64_t sum_of(double mean, double n)
{
    return (int64_t)llround(mean * n);
}

static void window_phase(const struct synth *y, int phase, double seconds, double n,
                         struct legal_window_phase *w)
{
    int u = AFE_U1 + phase, i = AFE_I1 + phase;
    double dc = y->spec.idc / y->lsb[i];
    struct means m = phase_means(y, phase, synth_time(y), seconds);
    w->uu = sum_of(m.uu + y->noise[u] * y->noise[u], n);
    w->ii = sum_of(m.ii + y->noise[i] * y->noise[i] + dc * dc, n);
    w->ui = sum_of(m.ui, n);
    w->i = sum_of(dc, n);
    double a = -angle_of(&y->spec, u), b = -angle_of(&y->spec, i);
    w->u_re = sum_of(m.u1 * cos(a), n);
    w->u_im = sum_of(m.u1 * sin(a), n);
    w->i_re = sum_of(m.i1 * cos(b), n);
    w->i_im = sum_of(m.i1 * sin(b), n);
}

/* Cycles in [t, t + seconds]. */
static double cycles_in(const struct synth_spec *s, double t, double seconds)
{
    double sum = 0;
    for (double end = t + seconds; t < end;) {
        double next = next_border(s, t, end), d = next - t;
        sum +=
            d *
            (ramped(s, SYNTH_RAMP_F, s->hz, t) + ramped(s, SYNTH_RAMP_F, s->hz, next - d * 1e-9)) /
            2;
        t = next;
    }
    return sum;
}

void synth_window(struct synth *y, double seconds, double rate, struct legal_window *w)
{
    const struct synth_spec *s = &y->spec;
    double n = seconds * rate, cycles = cycles_in(s, synth_time(y), seconds);
    *w = (struct legal_window){.n_q16 = (uint64_t)llround(n * 65536),
                               .rate_uhz = (uint64_t)llround(rate * 1e6),
                               .frequency_uhz = (uint32_t)llround(cycles / seconds * 1e6),
                               .flags = LEGAL_WINDOW_NO_CROSS};
    for (int p = 0; p < (int)s->n_phases; p++)
        window_phase(y, p, seconds, n, &w->phase[p]);
    if (s->in > 0) {
        double a = s->in / y->lsb[AFE_IN], noise = y->noise[AFE_IN];
        w->in_in = sum_of(a * a + noise * noise, n);
    }
    y->turn += turn_of(2 * PI * cycles);
    y->time0 += seconds;
}
