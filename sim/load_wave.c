/* See load_wave.h. The four orders are common to all channels, so their sines are worked out once a
 * sample-set and each channel is a sum of eight products. */
#include "sim/load_wave.h"
#include "sim/load_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TABLE   8192
#define TURN    18446744073709551616.0 /* 2^64 */
#define NS      INT64_C(1000000000)
#define U_MOST  1.12 /* of the nominal voltage, ripple included */
#define I_MOST  1.02 /* of i_max: the ripple; load.c bounds the sum of all orders */
#define CREST_U 1.06 /* the voltage's harmonics */

static const unsigned order[LOAD_ORDERS] = {1, 3, 5, 7};

struct load_wave {
    struct load load;
    double u_lsb, i_lsb;
    int64_t clock_ns;
    double ns_rest;
    uint64_t turn;
    /* the second at hand, in counts of amplitude, in the frame of phase 1 */
    int64_t second; /* -1: none */
    double step;    /* turns a sample-set */
    struct load_phasor amp[AFE_N_CHANNELS][LOAD_ORDERS];
    double sine[LOAD_ORDERS][AFE_BLOCK_MAX], cosine[LOAD_ORDERS][AFE_BLOCK_MAX];
    double table[TABLE + TABLE / 4 + 1];
};

uint32_t load_wave_present(const struct load_spec *s)
{
    uint32_t phases = s->rating.n_phases == 1 ? 1u : 7u;
    return phases << AFE_U1 | phases << AFE_I1;
}

void load_wave_peaks(const struct load_spec *s, double peak[AFE_N_CHANNELS])
{
    for (int c = 0; c < AFE_N_CHANNELS; c++) {
        double most = c <= AFE_U3 ? U_MOST * CREST_U * s->rating.u : I_MOST * s->rating.i_max;
        peak[c] = load_wave_present(s) >> c & 1 ? sqrt(2) * most : 0;
    }
}

struct load_wave *load_wave_new(const struct load_spec *s, double u_lsb, double i_lsb)
{
    struct load_wave *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    load_init(&w->load, s);
    w->u_lsb = u_lsb;
    w->i_lsb = i_lsb;
    w->second = -1;
    for (int k = 0; k <= TABLE + TABLE / 4; k++)
        w->table[k] = sin(2 * LOAD_PI * k / TABLE);
    return w;
}

void load_wave_clock(struct load_wave *w, int64_t utc_ns)
{
    w->clock_ns = utc_ns;
    w->ns_rest = 0;
}

static void pass(struct load_wave *w, double seconds)
{
    double ns = seconds * 1e9 + w->ns_rest;
    w->clock_ns += llround(ns);
    w->ns_rest = ns - round(ns);
}

/* By -120 degrees a phase, times the order: into the frame of phase 1. */
static struct load_phasor turned(struct load_phasor x, unsigned phase, unsigned k)
{
    static const double cosine[3] = {1, -0.5, -0.5};
    static const double sine[3] = {0, -0.86602540378443865, 0.86602540378443865};
    unsigned thirds = phase * order[k] % 3;
    return (struct load_phasor){x.re * cosine[thirds] - x.im * sine[thirds],
                                x.re * sine[thirds] + x.im * cosine[thirds]};
}

/* ---- samples ---- */

static void set_second(struct load_wave *w, int64_t second)
{
    const struct load_state *s = load_at(&w->load, second);
    const struct load_spec *spec = &w->load.spec;
    w->second = second;
    w->step = s->hz / spec->rate;
    for (unsigned p = 0; p < spec->rating.n_phases; p++) {
        double u, i;
        load_ripple(&w->load, second, p, &u, &i);
        u *= sqrt(2) / w->u_lsb;
        i *= sqrt(2) / w->i_lsb;
        for (unsigned k = 0; k < LOAD_ORDERS; k++) {
            struct load_phasor a = turned(s->u[p][k], p, k), b = turned(s->i[p][k], p, k);
            w->amp[AFE_U1 + p][k] = (struct load_phasor){a.re * u, a.im * u};
            w->amp[AFE_I1 + p][k] = (struct load_phasor){b.re * i, b.im * i};
        }
    }
}

/* Linear between the table's places: 7e-8 of full scale. */
static double at_place(const double *table, uint64_t turn)
{
    size_t at = (size_t)(turn >> 51);                              /* 13 bits */
    double part = (double)(turn << 13 >> 11) / 9007199254740992.0; /* the next 53 */
    return table[at] + (table[at + 1] - table[at]) * part;
}

static void fill_orders(struct load_wave *w, uint32_t n)
{
    uint64_t step = (uint64_t)(w->step * TURN);
    for (uint32_t k = 0; k < n; k++, w->turn += step)
        for (unsigned h = 0; h < LOAD_ORDERS; h++) {
            uint64_t turn = w->turn * order[h];
            w->sine[h][k] = at_place(w->table, turn);
            w->cosine[h][k] = at_place(w->table + TABLE / 4, turn);
        }
}

static void fill_channel(const struct load_wave *w, int c, uint32_t n, int32_t *out)
{
    const struct load_phasor *a = w->amp[c];
    for (uint32_t k = 0; k < n; k++) {
        double x = 0;
        for (unsigned h = 0; h < LOAD_ORDERS; h++)
            x += a[h].re * w->sine[h][k] + a[h].im * w->cosine[h][k];
        x = x < -AFE_FULL_SCALE ? -AFE_FULL_SCALE : x > AFE_FULL_SCALE - 1 ? AFE_FULL_SCALE - 1 : x;
        out[k] = (int32_t)lrint(x);
    }
}

uint32_t load_wave_fill(struct load_wave *w, uint32_t n, int32_t *const out[AFE_N_CHANNELS])
{
    int64_t second = w->clock_ns / NS;
    double left = (double)(NS - w->clock_ns % NS) * 1e-9 * w->load.spec.rate;
    if (left < n)
        n = left > 1 ? (uint32_t)left : 1;
    if (second != w->second)
        set_second(w, second);
    fill_orders(w, n);
    for (int c = 0; c < AFE_N_CHANNELS; c++)
        if (load_wave_present(&w->load.spec) >> c & 1)
            fill_channel(w, c, n, out[c]);
    pass(w, n / w->load.spec.rate);
    return n;
}

/* ---- windows ---- */

static double product(const struct load_phasor a[LOAD_ORDERS],
                      const struct load_phasor b[LOAD_ORDERS])
{
    double sum = 0;
    for (unsigned k = 0; k < LOAD_ORDERS; k++)
        sum += a[k].re * b[k].re + a[k].im * b[k].im;
    return sum;
}

static int64_t sum_of(double mean, double n)
{
    return (int64_t)llround(mean * n);
}

/* Phasors as legal.h has them, in a frame whose cosine is our sine: x = A cos(wt + a) gives
 * n A/2 cos a and -n A/2 sin a, with A the rms times root two. */
static void add_phase(const struct load_wave *w, const struct load_state *s, unsigned p, double n,
                      struct legal_window_phase *to)
{
    const double u = 1 / w->u_lsb, i = 1 / w->i_lsb;
    struct load_phasor a = turned(s->u[p][0], p, 0), b = turned(s->i[p][0], p, 0);
    to->uu += sum_of(product(s->u[p], s->u[p]) * (1 + LOAD_RIPPLE_U) * u * u, n);
    to->ii += sum_of(product(s->i[p], s->i[p]) * (1 + LOAD_RIPPLE_I) * i * i, n);
    to->ui += sum_of(product(s->u[p], s->i[p]) * u * i, n);
    to->u_re += sum_of(a.re * u / sqrt(2), n);
    to->u_im -= sum_of(a.im * u / sqrt(2), n);
    to->i_re += sum_of(b.re * i / sqrt(2), n);
    to->i_im -= sum_of(b.im * i / sqrt(2), n);
}

/* The neutral carries what the phases do not cancel; thirds add up there. */
static double neutral(const struct load_state *s, unsigned n_phases)
{
    struct load_phasor sum[LOAD_ORDERS] = {{0, 0}};
    for (unsigned p = 0; p < n_phases; p++)
        for (unsigned k = 0; k < LOAD_ORDERS; k++) {
            struct load_phasor x = turned(s->i[p][k], p, k);
            sum[k].re += x.re;
            sum[k].im += x.im;
        }
    return product(sum, sum);
}

/* The next seconds inside one minute. Gives the cycles they hold. */
static double add_stretch(struct load_wave *w, double seconds, double rate,
                          struct legal_window *out)
{
    const struct load_state *s = load_at(&w->load, w->clock_ns / NS);
    const unsigned n_phases = w->load.spec.rating.n_phases;
    const double n = seconds * rate, cycles = s->hz * seconds, i = 1 / w->i_lsb;
    for (unsigned p = 0; p < n_phases; p++)
        add_phase(w, s, p, n, &out->phase[p]);
    out->in_in += sum_of(neutral(s, n_phases) * (1 + LOAD_RIPPLE_I) * i * i, n);
    w->turn += (uint64_t)((cycles - floor(cycles)) * TURN);
    pass(w, seconds);
    return cycles;
}

void load_wave_window(struct load_wave *w, double seconds, double rate, struct legal_window *out)
{
    double left = seconds, cycles = 0;
    *out = (struct legal_window){.n_q16 = (uint64_t)llround(seconds * rate * 65536),
                                 .rate_uhz = (uint64_t)llround(rate * 1e6),
                                 .flags = LEGAL_WINDOW_NO_CROSS};
    while (left > 0) {
        double to_minute = (double)(LOAD_MINUTE_S * NS - w->clock_ns % (LOAD_MINUTE_S * NS)) * 1e-9;
        /* what would be left for the next minute is less than can be told */
        double now = left < to_minute + 1e-7 ? left : to_minute;
        cycles += add_stretch(w, now, rate, out);
        left -= now;
    }
    out->frequency_uhz = (uint32_t)llround(cycles / seconds * 1e6);
}
