/* Lines, tables and switching of the test signals. See test_signal.h.
 *
 * Position: turns of the fundamental as a signed 64.64 fixed-point number; sample number times step
 * is exact, a channel's angle and delay are added to it. The high word counts cycles (what switches
 * the load), the low word is the place in the cycle. A table spans one turn, or two for the
 * interharmonic of half order. */
#include "sim/test_signal.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PI        3.14159265358979323846
#define LINES_MAX 1700 /* every other one of those below 32 kHz at 10 Hz */
#define POINTS    64   /* per period of the highest line: Hermite error (2 pi / 64)^4 / 384 */
#define BITS_MIN  10
#define TURN      ((turns)1 << 64)

typedef __int128 turns; /* 64.64 */

struct line { /* a sin(order x) + b cos(order x), x of the table: half a turn of it per half order
               */
    unsigned order;
    double a, b;
};
struct shape {
    unsigned span; /* turns in the table, as its logarithm: 0 or 1 */
    size_t n;
    struct line line[LINES_MAX];
};
struct cell { /* a cubic in the place inside the cell, 0..1 */
    double c[4];
};
struct table {
    unsigned span, bits;
    struct cell *cell; /* 2^bits */
};

struct test_signal {
    struct test_signal_spec spec;
    uint64_t step; /* turns per sample, 0.64 */
    struct table u, i;
    int64_t on, period; /* cycles; period 0: always on */
    turns angle[AFE_IN];
    struct test_truth truth[3];
    double p_on[3], q_on[3]; /* while current flows */
};

/* --- the lines of each shape, unit amplitude of the undistorted sine -------------------------- */

static void add_line(struct shape *s, unsigned order, double a, double b)
{
    if (s->n < LINES_MAX)
        s->line[s->n++] = (struct line){order, a, b};
}

/* sin x from a quarter to a half turn and from three quarters to a whole: odd lines. */
static void phase_fired(struct shape *s, unsigned h_max)
{
    add_line(s, 1, 0.5, -1 / PI);
    for (unsigned h = 3; h <= h_max; h += 2) {
        double sign = h % 4 == 3 ? 1 : -1;
        add_line(s, h, 0, 2 / PI * (1 + sign * h) / ((double)h * h - 1));
    }
}

static void half_wave(struct shape *s, unsigned h_max)
{
    add_line(s, 0, 0, 1 / PI);
    add_line(s, 1, 0.5, 0);
    for (unsigned h = 2; h <= h_max; h += 2)
        add_line(s, h, 0, -2 / PI / ((double)h * h - 1));
}

static void shape_u(struct shape *s, enum test_shape shape)
{
    s->n = 0;
    s->span = shape == TEST_INTERHARMONIC;
    add_line(s, 1u << s->span, 1, 0);
    if (shape == TEST_FIFTH || shape == TEST_INTERHARMONIC)
        add_line(s, 5u << s->span, 0.1, 0);
    if (shape == TEST_INTERHARMONIC)
        add_line(s, 15, 0.01, 0);
}

static void shape_i(struct shape *s, enum test_shape shape, unsigned h_max)
{
    s->n = 0;
    s->span = 0;
    if (shape == TEST_PHASE_FIRED) {
        phase_fired(s, h_max);
    } else if (shape == TEST_HALF_WAVE) {
        half_wave(s, h_max);
    } else {
        add_line(s, 1, 1, 0);
        if (shape == TEST_FIFTH)
            add_line(s, 5, 0.4, 0);
    }
}

/* --- tables --------------------------------------------------------------------------------- */

/* Value and slope (per cell) of the shape at point k of n. `sine` holds one turn in n points. */
static void point_of(const struct shape *s, const double *sine, size_t n, size_t k, double out[2])
{
    out[0] = out[1] = 0;
    for (size_t j = 0; j < s->n; j++) {
        const struct line *l = &s->line[j];
        size_t at = l->order * k & (n - 1);
        double sin_x = sine[at], cos_x = sine[(at + n / 4) & (n - 1)];
        out[0] += l->a * sin_x + l->b * cos_x;
        out[1] += (l->a * cos_x - l->b * sin_x) * l->order * 2 * PI / (double)n;
    }
}

static void fill_cells(struct cell *cell, const struct shape *s, const double *sine, size_t n)
{
    double here[2], next[2];
    point_of(s, sine, n, 0, here);
    for (size_t k = 0; k < n; k++) {
        point_of(s, sine, n, k + 1, next);
        double rise = next[0] - here[0];
        cell[k] = (struct cell){
            {here[0], here[1], 3 * rise - 2 * here[1] - next[1], here[1] + next[1] - 2 * rise}};
        memcpy(here, next, sizeof here);
    }
}

static bool table_make(struct table *t, const struct shape *s)
{
    unsigned bits = BITS_MIN, top = s->line[s->n - 1].order;
    while (1u << bits < POINTS * top)
        bits++;
    size_t n = (size_t)1 << bits;
    double *sine = malloc(n * sizeof *sine);
    t->cell = malloc(n * sizeof *t->cell);
    t->bits = bits;
    t->span = s->span;
    if (sine && t->cell) {
        for (size_t k = 0; k < n; k++)
            sine[k] = sin(2 * PI * (double)k / (double)n);
        fill_cells(t->cell, s, sine, n);
    }
    free(sine);
    return sine && t->cell;
}

/* --- truth ---------------------------------------------------------------------------------- */

static double square_of(const struct shape *s)
{
    double sum = 0;
    for (size_t k = 0; k < s->n; k++) {
        const struct line *l = &s->line[k];
        double square = l->a * l->a + l->b * l->b;
        sum += l->order == 0 ? square : square / 2;
    }
    return sum;
}

/* Mean of u i, and Q of the fundamental, for unit amplitudes and the current `lag` radians behind.
 */
static void power_of(const struct shape *u, const struct shape *i, double lag, double *p, double *q)
{
    *p = *q = 0;
    for (size_t k = 0; k < u->n; k++)
        for (size_t j = 0; j < i->n; j++) {
            const struct line *a = &u->line[k], *b = &i->line[j];
            if (a->order != b->order << u->span)
                continue;
            double c = cos(b->order * lag), s = sin(b->order * lag);
            double ia = b->a * c + b->b * s, ib = b->b * c - b->a * s;
            *p += (a->a * ia + a->b * ib) / 2;
            if (b->order == 1)
                *q = (a->b * ia - a->a * ib) / 2;
        }
}

static void truth_make(struct test_signal *t, const struct shape *u, const struct shape *i)
{
    const struct test_signal_spec *s = &t->spec;
    double duty = s->shape == TEST_BURST ? 0.5 : 1;
    for (unsigned p = 0; p < 3; p++) {
        double up = s->u[p] * sqrt(2), ip = s->i[p] * sqrt(2);
        power_of(u, i, s->lag_deg[p] * PI / 180, &t->p_on[p], &t->q_on[p]);
        t->p_on[p] *= up * ip;
        t->q_on[p] *= up * ip;
        t->truth[p] = (struct test_truth){.p_w = t->p_on[p] * duty,
                                          .q_var = t->q_on[p] * duty,
                                          .u_v = up * sqrt(square_of(u)),
                                          .i_a = ip * sqrt(square_of(i) * duty),
                                          .i_on_a = ip * sqrt(square_of(i))};
    }
}

struct test_truth test_signal_truth(const struct test_signal *t, unsigned phase)
{
    return t->truth[phase];
}

/* Cycles with current up to a place, in cycles from the start of a switching period. */
static double on_cycles(const struct test_signal *t, double x)
{
    double period = (double)t->period, on = (double)t->on;
    double whole = floor(x / period);
    return whole * on + fmin(x - whole * period, on);
}

static double angle_cycles(const struct test_signal *t, unsigned c)
{
    return ldexp((double)t->angle[c], -64);
}

void test_signal_energy(const struct test_signal *t, double from_s, double to_s, double *wh,
                        double *varh)
{
    *wh = *varh = 0;
    for (unsigned p = 0; p < 3; p++) {
        uint32_t both = 1u << (AFE_U1 + p) | 1u << (AFE_I1 + p);
        if ((t->spec.present & both) != both)
            continue;
        double f = t->spec.f_hz, at = angle_cycles(t, AFE_I1 + p);
        double hours = (to_s - from_s) / 3600;
        if (t->period)
            hours = (on_cycles(t, to_s * f + at) - on_cycles(t, from_s * f + at)) / f / 3600;
        *wh += t->p_on[p] * hours;
        *varh += t->q_on[p] * hours;
    }
}

/* --- making one ----------------------------------------------------------------------------- */

static bool within(double x, double low, double high)
{
    return x >= low && x <= high; /* false for what is no number */
}

static bool spec_valid(const struct test_signal_spec *s)
{
    bool ok = (unsigned)s->shape < TEST_N_SHAPES && within(s->rate_hz, 500, 64000) &&
              within(s->f_hz, 10, s->rate_hz / 40) && s->present < 1u << AFE_N_CHANNELS;
    for (unsigned p = 0; p < 3; p++)
        ok = ok && within(s->u[p], 0, 1e6) && within(s->i[p], 0, 1e6) &&
             within(s->lag_deg[p], -360, 360) && within(s->u_deg[p], -360, 360);
    bool switched = s->on_s > 0 && s->off_s > 0;
    ok = ok && within(s->on_s, 0, 1e6) && within(s->off_s, 0, 1e6);
    return ok && (switched ? s->shape != TEST_BURST : s->on_s == 0 && s->off_s == 0);
}

static turns turns_of(double x)
{
    double whole = floor(x);
    return (turns)whole * TURN + (turns)ldexp(x - whole, 64);
}

static void switching_make(struct test_signal *t)
{
    const struct test_signal_spec *s = &t->spec;
    if (s->shape == TEST_BURST) {
        t->on = 2;
        t->period = 4;
    } else if (s->on_s > 0) {
        int64_t on = llround(s->on_s * s->f_hz), off = llround(s->off_s * s->f_hz);
        t->on = on > 1 ? on : 1;
        t->period = t->on + (off > 1 ? off : 1);
    }
}

static bool shapes_make(struct test_signal *t)
{
    struct shape *s = malloc(2 * sizeof *s);
    if (!s)
        return false;
    double lines = t->spec.rate_hz / 2 / t->spec.f_hz;
    unsigned h_max = (unsigned)ceil(lines) - 1;
    shape_u(&s[0], t->spec.shape);
    shape_i(&s[1], t->spec.shape, h_max);
    truth_make(t, &s[0], &s[1]);
    bool ok = table_make(&t->u, &s[0]) && table_make(&t->i, &s[1]);
    free(s);
    return ok;
}

struct test_signal *test_signal_new(const struct test_signal_spec *s)
{
    struct test_signal *t = spec_valid(s) ? calloc(1, sizeof *t) : NULL;
    if (!t)
        return NULL;
    t->spec = *s;
    t->step = (uint64_t)ldexp(s->f_hz / s->rate_hz, 64) & ~UINT64_C(1); /* two turns: halved */
    for (unsigned p = 0; p < 3; p++) {
        t->angle[AFE_U1 + p] = turns_of(s->u_deg[p] / 360);
        t->angle[AFE_I1 + p] = turns_of((s->u_deg[p] - s->lag_deg[p]) / 360);
    }
    switching_make(t);
    if (shapes_make(t))
        return t;
    test_signal_free(t);
    return NULL;
}

void test_signal_free(struct test_signal *t)
{
    if (!t)
        return;
    free(t->u.cell);
    free(t->i.cell);
    free(t);
}

const struct test_signal_spec *test_signal_spec_of(const struct test_signal *t)
{
    return &t->spec;
}

/* --- samples -------------------------------------------------------------------------------- */

static void add_table(const struct table *t, turns at, uint64_t step, double scale, size_t n,
                      double *out)
{
    uint64_t place = (uint64_t)(at >> t->span);
    unsigned bits = t->bits;
    step >>= t->span;
    for (size_t k = 0; k < n; k++, place += step) {
        const double *c = t->cell[place >> (64 - bits)].c;
        double x = (double)(int64_t)(place << bits >> 11) * 0x1p-53;
        out[k] += scale * (c[0] + x * (c[1] + x * (c[2] + x * c[3])));
    }
}

static int64_t floor_mod(int64_t a, int64_t m)
{
    int64_t r = a % m;
    return r < 0 ? r + m : r;
}

/* A switched current, run by run. */
static void add_switched(const struct test_signal *t, turns at, double scale, size_t n, double *out)
{
    for (size_t k = 0, run; k < n; k += run, at += (turns)run * t->step) {
        int64_t cycle = (int64_t)(at >> 64), place = floor_mod(cycle, t->period);
        bool on = place < t->on;
        turns end = (cycle - place + (on ? t->on : t->period)) * TURN;
        turns samples = (end - at + t->step - 1) / t->step;
        run = samples < (turns)(n - k) ? (size_t)samples : n - k;
        if (on)
            add_table(&t->i, at, t->step, scale, run, out + k);
    }
}

static void add_phase(const struct test_signal *t, unsigned c, double delay_s, double scale,
                      uint64_t first, size_t n, double *out)
{
    turns at = (turns)first * t->step + t->angle[c] - turns_of(delay_s * t->spec.f_hz);
    if (c <= AFE_U3)
        add_table(&t->u, at, t->step, scale * t->spec.u[c] * sqrt(2), n, out);
    else if (t->spec.i[c - AFE_I1] > 0 && t->period)
        add_switched(t, at, scale * t->spec.i[c - AFE_I1] * sqrt(2), n, out);
    else if (t->spec.i[c - AFE_I1] > 0)
        add_table(&t->i, at, t->step, scale * t->spec.i[c - AFE_I1] * sqrt(2), n, out);
}

void test_signal_add(const struct test_signal *t, enum afe_channel c, double delay_s, double scale,
                     uint64_t first, size_t n, double *out)
{
    uint32_t present = t->spec.present;
    if (!(present >> c & 1))
        return;
    if (c != AFE_IN)
        add_phase(t, c, delay_s, scale, first, n, out);
    else
        for (unsigned p = 0; p < 3; p++)
            if (present >> (AFE_I1 + p) & 1)
                add_phase(t, AFE_I1 + p, delay_s, -scale, first, n, out);
}

void test_signal_fill(const struct test_signal *t, uint64_t first, size_t n,
                      const double delay_s[AFE_N_CHANNELS], double *const out[AFE_N_CHANNELS])
{
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        if (!out[c])
            continue;
        memset(out[c], 0, n * sizeof *out[c]);
        test_signal_add(t, (enum afe_channel)c, delay_s ? delay_s[c] : 0, 1, first, n, out[c]);
    }
}
