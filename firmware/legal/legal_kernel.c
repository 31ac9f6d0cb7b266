/* The kernel: samples to 64-bit sums, nothing else.
 *
 * It works through a block up to the next window border, one channel array after the other, with
 * the inner loops of legal_sums.h. A border lies inside a sample interval, at the fraction alpha.
 * Plain sums of samples are the trapezoid rule with whole intervals; with the product p linear
 * inside the interval, the window that ends gets
 *
 *     c = (alpha^2 p[m] - (1 - alpha)^2 p[m-1]) / 2
 *
 * more than its plain sum up to sample m-1, and the window that begins gets exactly -c. So windows
 * telescope to the bit: whatever the borders, all windows together hold every sample once.
 *
 * The fundamental is correlated chunk by chunk, on a grid of LEGAL_CHUNK samples that begins with
 * the window: inside a chunk with the wave e^(j k step), k = 0..LEGAL_CHUNK-1, one table for the
 * whole window; at its end the sums are turned once, by the phase of its first sample. Where blocks
 * end does not matter, so again the bits are the same however the samples come.
 *
 *     sum x[k] e^(j (turn + k step)) = e^(j turn) sum x[k] e^(j k step)
 *
 * Range: |sample| <= 2^23, windows shorter than 20 000 samples: sums stay below 2^61. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define PHASOR_BITS 8 /* of the running phasors below one count */
#define TURN_BITS   23
#define FEW         8 /* twice as many divide LEGAL_CHUNK */

void legal_kernel_init(struct legal_kernel *k)
{
    memset(k, 0, sizeof *k);
    k->ops = legal_sums_best();
}

/* --- the wave ------------------------------------------------------------------------------- */

static struct rotor rotor_q23(uint32_t turn)
{
    struct rotor r = rotor_of(turn);
    int32_t half = 1 << (SINE_BITS - TURN_BITS - 1);
    return (struct rotor){(r.cosine + half) >> (SINE_BITS - TURN_BITS),
                          (r.sine + half) >> (SINE_BITS - TURN_BITS)};
}

/* a / 2^n to nearest. */
static int64_t rounded(int64_t a, int n)
{
    return (a + (INT64_C(1) << (n - 1))) >> n;
}

/* Adds the chunk's products, turned, to the phasor. */
static void turn_add(struct legal_phasor *x, int64_t wave[2], struct rotor r)
{
    for (unsigned k = 0; k < 2; k++)
        wave[k] = rounded(wave[k], LEGAL_WAVE_BITS - PHASOR_BITS);
    rotor_times(wave, r);
    x->re += rounded(wave[0], TURN_BITS);
    x->im += rounded(wave[1], TURN_BITS);
    wave[0] = wave[1] = 0;
}

/* The next sample begins a chunk. */
static void close_chunk(struct legal_kernel *k)
{
    if (k->fill == 0)
        return;
    struct legal_kernel_sums *s = &k->sums;
    struct rotor r = rotor_q23(k->turn);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        if (!(k->phases >> p & 1))
            continue;
        turn_add(&s->phasor[AFE_U1 + p], s->phase[p].wave, r);
        turn_add(&s->phasor[AFE_I1 + p], s->phase[p].wave + 2, r);
    }
    if (k->neutral)
        turn_add(&s->phasor[AFE_IN], s->currents.wave, r);
    k->turn += k->fill * k->step;
    k->fill = 0;
}

uint32_t legal_kernel_turn(const struct legal_kernel *k)
{
    return k->turn + k->fill * k->step;
}

static void wave_set(struct legal_kernel *k, uint32_t n, int64_t cosine_q60, int64_t sine_q60)
{
    const int shift = 2 * SINE_BITS - LEGAL_WAVE_BITS - 32, half = 1 << (shift - 1);
    int32_t *at = k->wave + n * k->ops->stride;
    at[0] = ((int32_t)(cosine_q60 >> 32) + half) >> shift;
    at[k->ops->sine] = ((int32_t)(sine_q60 >> 32) + half) >> shift;
}

/* The wave at n - FEW..n + FEW - 1: that at n turned back and forth, by the same products. */
static void wave_around(struct legal_kernel *k, uint32_t n, const struct rotor few[FEW + 1])
{
    struct rotor r = rotor_of(n * k->step);
    for (uint32_t m = 0; m <= FEW; m++) {
        int64_t cc = (int64_t)r.cosine * few[m].cosine, ss = (int64_t)r.sine * few[m].sine;
        int64_t sc = (int64_t)r.sine * few[m].cosine, cs = (int64_t)r.cosine * few[m].sine;
        wave_set(k, n - m, cc + ss, sc - cs);
        if (m > 0 && m < FEW)
            wave_set(k, n + m, cc - ss, sc + cs);
    }
}

void legal_kernel_tune(struct legal_kernel *k, uint32_t step)
{
    struct rotor few[FEW + 1];
    close_chunk(k);
    if (k->step == step)
        return;
    k->step = step;
    for (uint32_t m = 0; m <= FEW; m++)
        few[m] = rotor_of(m * step);
    for (uint32_t n = FEW; n < LEGAL_CHUNK; n += 2 * FEW)
        wave_around(k, n, few);
}

/* --- samples -------------------------------------------------------------------------------- */

static void run_chunk(struct legal_kernel *k, const struct legal_view *v, uint32_t at, uint32_t n)
{
    const int32_t *wave = k->wave + k->fill * k->ops->stride;
    struct legal_quad quad = {.wave = wave, .n = n};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const int32_t *u = v->x[AFE_U1 + p], *i = v->x[AFE_I1 + p];
        if (i)
            quad.i[p] = i + at;
        if (!u && !i)
            continue;
        k->phases |= 1u << p;
        struct legal_duo duo = {u ? u + at : legal_silence, i ? i + at : legal_silence, wave, n};
        k->ops->phase(&k->sums.phase[p], &duo);
    }
    if (v->x[AFE_IN]) {
        quad.i[3] = v->x[AFE_IN] + at;
        k->neutral = true;
    }
    if (legal_has(LEGAL_NEUTRAL))
        k->ops->currents(&k->sums.currents, &quad);
    k->fill += n;
    if (k->fill == LEGAL_CHUNK)
        close_chunk(k);
}

void legal_kernel_run(struct legal_kernel *k, struct legal_cycle *cycle, const struct legal_view *v,
                      uint32_t from, uint32_t to)
{
    for (uint32_t at = from, n; at < to; at += n) {
        n = to - at < LEGAL_CHUNK - k->fill ? to - at : LEGAL_CHUNK - k->fill;
        struct legal_run run = {at, n, legal_kernel_turn(k), k->step};
        if (cycle)
            legal_cycle_add(cycle, v, &run);
        run_chunk(k, v, at, n);
    }
    for (unsigned c = 0; c < AFE_N_CHANNELS && to > from; c++)
        k->last[c] = v->x[c] ? v->x[c][to - 1] : 0;
}

/* --- borders -------------------------------------------------------------------------------- */

struct edge { /* the sample sets before and after a border, and their weights in 2^-15 */
    const int32_t *x[2];
    int32_t weight[2]; /* the first one is taken away */
    int32_t sign;      /* 1 or -1: what they give together is added or taken away */
};

static struct edge edge_of(const struct legal_kernel *k, const int32_t *next, int64_t alpha_q16,
                           int32_t sign)
{
    int64_t rest = 65536 - alpha_q16;
    return (struct edge){
        .x = {k->last, next},
        .weight = {(int32_t) - ((rest * rest) >> 18), (int32_t)((alpha_q16 * alpha_q16) >> 18)},
        .sign = sign};
}

/* Which two channels are in a sum; ONE: the sum is of the first alone. */
#define ONE AFE_N_CHANNELS
#define SUM(field, x, y)                                                                           \
    {                                                                                              \
        offsetof(struct legal_kernel_sums, field) / sizeof(int64_t), x, y                          \
    }
#define PHASE(p)                                                                                   \
    SUM(phase[p].uu, AFE_U1 + p, AFE_U1 + p), SUM(phase[p].ii, AFE_I1 + p, AFE_I1 + p),            \
        SUM(phase[p].ui, AFE_U1 + p, AFE_I1 + p), SUM(phase[p].u, AFE_U1 + p, ONE),                \
        SUM(phase[p].i, AFE_I1 + p, ONE)
static const struct {
    uint8_t at, x, y;
} products[] = {
    PHASE(0),
    PHASE(1),
    PHASE(2),
    SUM(currents.cross[0], AFE_I1, AFE_I2),
    SUM(currents.cross[1], AFE_I1, AFE_I3),
    SUM(currents.cross[2], AFE_I2, AFE_I3),
    SUM(currents.cross[3], AFE_I1, AFE_IN),
    SUM(currents.cross[4], AFE_I2, AFE_IN),
    SUM(currents.cross[5], AFE_I3, AFE_IN),
    SUM(currents.nn, AFE_IN, AFE_IN),
    SUM(currents.n, AFE_IN, ONE),
};

__attribute__((noinline)) static int64_t weighed(const struct edge *e, unsigned at, unsigned x,
                                                 unsigned y)
{
    const int32_t *set = e->x[at];
    int32_t partner = y == ONE ? 1 : set[y];
    return (int64_t)set[x] * partner * e->weight[at];
}

/* c of the head comment, for each product. */
static void edge_sums(int64_t *sums, const struct edge *e)
{
    for (size_t k = 0; k < sizeof products / sizeof products[0]; k++) {
        unsigned x = products[k].x, y = products[k].y;
        sums[products[k].at] += e->sign * rounded(weighed(e, 0, x, y) + weighed(e, 1, x, y), 15);
    }
}

/* One sample set of a weight in 2^-15 to the phasors. */
static void edge_phasors(struct legal_phasor *phasor, const int32_t *x, int32_t weight,
                         uint32_t turn)
{
    const unsigned shift = 15 + TURN_BITS - PHASOR_BITS;
    struct rotor r = rotor_q23(turn);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        int64_t product[2] = {(int64_t)x[c] * weight, 0};
        rotor_times(product, r);
        phasor[c].re += product[0] >> shift;
        phasor[c].im += product[1] >> shift;
    }
}

static void edge_cycle(struct legal_cycle *cycle, const int32_t *x, int32_t weight, uint32_t turn)
{
    int32_t scaled[AFE_N_CHANNELS];
    struct legal_view v;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        scaled[c] = (int32_t)(((int64_t)x[c] * weight) >> 15);
        v.x[c] = &scaled[c];
    }
    struct legal_run run = {0, 1, turn, 0};
    legal_cycle_add(cycle, &v, &run);
}

static void edge_add(struct legal_kernel *k, struct legal_cycle *cycle, const int32_t *next,
                     int64_t alpha_q16, int32_t sign)
{
    struct edge e = edge_of(k, next, alpha_q16, sign);
    edge_sums((int64_t *)&k->sums, &e);
    for (unsigned at = 0; at < 2; at++) { /* k->turn is the phase after the border */
        uint32_t turn = at ? k->turn : k->turn - k->step;
        int32_t weight = e.sign * e.weight[at];
        edge_phasors(k->sums.phasor, e.x[at], weight, turn);
        if (legal_has(LEGAL_HARMONICS) && cycle)
            edge_cycle(cycle, e.x[at], weight, turn);
    }
}

void legal_kernel_end(struct legal_kernel *k, struct legal_cycle *cycle, const int32_t *next,
                      int64_t alpha_q16)
{
    close_chunk(k);
    edge_add(k, cycle, next, alpha_q16, 1);
}

void legal_kernel_begin(struct legal_kernel *k, struct legal_cycle *cycle, const int32_t *next,
                        int64_t alpha_q16)
{
    k->turn = (uint32_t)(((uint64_t)(65536 - alpha_q16) * k->step) >> 16);
    edge_add(k, cycle, next, alpha_q16, -1);
}

/* --- windows -------------------------------------------------------------------------------- */

void legal_kernel_clear(struct legal_kernel *k)
{
    memset(&k->sums, 0, sizeof k->sums);
    k->phases = 0;
    k->neutral = false;
}

void legal_rescale(int64_t *x, size_t n, uint64_t to, uint64_t from)
{
    for (size_t c = 0; c < n; c++)
        x[c] = mul_div_i64(x[c], to, from);
}

void legal_kernel_rescale(struct legal_kernel *k, uint64_t to, uint64_t from)
{
    close_chunk(k);
    legal_rescale((int64_t *)&k->sums, sizeof k->sums / sizeof(int64_t), to, from);
}

/* Out of line: its copies would be larger than the calls. */
__attribute__((noinline)) static int64_t in_counts(int64_t phasor)
{
    return rounded(phasor, PHASOR_BITS);
}

_Static_assert(offsetof(struct legal_sums, wave) == offsetof(struct legal_window_phase, u_re),
               "the sums of a phase begin as those of a window's");

void legal_kernel_window(struct legal_kernel *k, struct legal_window *w)
{
    const struct legal_kernel_sums *s = &k->sums;
    const struct legal_phasor *u = &s->phasor[AFE_U1], *i = &s->phasor[AFE_I1];
    close_chunk(k);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++, u++, i++) {
        struct legal_window_phase *x = &w->phase[p];
        memcpy(x, &s->phase[p], offsetof(struct legal_window_phase, u_re));
        x->u_re = in_counts(u->re);
        x->u_im = in_counts(u->im);
        x->i_re = in_counts(i->re);
        x->i_im = in_counts(i->im);
    }
    if (legal_has(LEGAL_NEUTRAL))
        memcpy(w->cross, s->currents.cross, sizeof w->cross);
    if (!k->neutral)
        return;
    w->flags |= LEGAL_WINDOW_NEUTRAL;
    w->in_in = s->currents.nn;
    w->in_sum = s->currents.n;
    w->in_re = in_counts(i->re);
    w->in_im = in_counts(i->im);
}

/* --- sharpening ----------------------------------------------------------------------------- */

struct detune { /* what one window's phasors suffered */
    int32_t delta_q32, grow_q32;
    struct rotor back; /* by -eps */
};

/* X' - delta e^(-j eps) conj(X'), then larger by grow. */
static void sharpen(int64_t *re, int64_t *im, const struct detune *d)
{
    int64_t x[2] = {*re, *im};
    rotor_times(x, d->back);
    *re -= mul_part(x[0] >> TURN_BITS, d->delta_q32);
    *im += mul_part(x[1] >> TURN_BITS, d->delta_q32);
    *re += mul_part(*re, d->grow_q32);
    *im += mul_part(*im, d->grow_q32);
}

/* a^2, of 2^-32. */
static int32_t square_q32(int32_t a)
{
    return (int32_t)(((int64_t)a * a + (INT64_C(1) << 31)) >> 32);
}

/* The wave ran through e turns more than the window has cycles, because the frequency was that of
 * the window before. Over N whole cycles of A cos(wt) its correlation is, with eps = 2 pi e,
 *
 *     X' = K (A + delta conj(A)),  delta = e / (2 N + e),  K = e^(-j eps/2) sin(eps/2)/(eps/2)
 *
 * Voltage and current share K, so its angle does not matter; delta is undone, and the size of K by
 * x / sin x = 1 + g + 0.7 g^2 with x = eps/2 and g = x^2/6. Beyond a quarter turn the window is
 * left alone: that was no tracking. */
int64_t legal_kernel_sharpen(struct legal_window *w, uint32_t step, uint32_t n_cycles)
{
    int64_t e_q32 = (int64_t)mul_div_u64(w->n_q16, step, 65536) - ((int64_t)n_cycles << 32);
    if (e_q32 > INT64_C(1) << 30 || e_q32 < -(INT64_C(1) << 30))
        return e_q32;
    int32_t grow = (int32_t)(INT64_C(1645) * square_q32((int32_t)e_q32) / 1000); /* eps^2 / 24 */
    uint64_t of_q32 = (uint64_t)(((int64_t)n_cycles << 33) + e_q32);
    struct detune d = {
        .delta_q32 = (int32_t)mul_div_i64(e_q32, UINT64_C(1) << 32, of_q32),
        .grow_q32 = grow + square_q32(grow) * 7 / 10,
        .back = rotor_q23((uint32_t)e_q32),
    };
    d.back.sine = -d.back.sine;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        sharpen(&w->phase[p].u_re, &w->phase[p].u_im, &d);
        sharpen(&w->phase[p].i_re, &w->phase[p].i_im, &d);
    }
    sharpen(&w->in_re, &w->in_im, &d);
    return e_q32;
}
