/* The kernel: samples to 64-bit sums, nothing else.
 *
 * It works through a block up to the next window border with the accumulators in registers, one
 * channel array after the other. A border lies inside a sample interval, at the fraction alpha.
 * Plain sums of samples are the trapezoid rule with whole intervals; with the product p linear
 * inside the interval, the window that ends gets
 *
 *     c = (alpha^2 p[m] - (1 - alpha)^2 p[m-1]) / 2
 *
 * more than its plain sum up to sample m-1, and the window that begins gets exactly -c. So windows
 * telescope to the bit: whatever the borders, all windows together hold every sample once.
 *
 * Range: |sample| <= 2^23, windows shorter than 20 000 samples: sums stay below 2^61. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define NEUTRAL_LIMIT (INT64_C(1) << 24)

const int32_t legal_silence[AFE_BLOCK_MAX];

struct wave { /* cosine and sine of the tracked fundamental at the samples of a chunk */
    int16_t cosine[LEGAL_CHUNK], sine[LEGAL_CHUNK];
};

void legal_kernel_init(struct legal_kernel *k, const struct legal_config *c)
{
    memset(k, 0, sizeof *k);
    uint32_t phases = legal_phases(c);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if ((phases >> p & 1) && c->wiring != LEGAL_3P3W)
            k->neutral_q20[p] =
                (int64_t)mul_div_u64(c->i_lsb_fa[p], UINT64_C(1) << 20, legal_neutral_lsb(c));
}

static void wave_fill(struct wave *w, uint32_t n, uint32_t turn, uint32_t step)
{
    for (uint32_t k = 0; k < n; k++, turn += step) {
        uint32_t at = sine_index(turn) % SINE_SIZE;
        w->sine[k] = legal_sine[at];
        w->cosine[k] = legal_sine[at + SINE_QUARTER];
    }
}

static void sum_products(struct legal_sums *s, const int32_t *u, const int32_t *i, uint32_t n)
{
    int64_t uu = 0, ii = 0, ui = 0, su = 0, si = 0;
    for (uint32_t k = 0; k < n; k++) {
        int64_t a = u[k], b = i[k];
        uu += a * a;
        ii += b * b;
        ui += a * b;
        su += a;
        si += b;
    }
    s->uu += uu;
    s->ii += ii;
    s->ui += ui;
    s->u += su;
    s->i += si;
}

static void correlate(struct legal_sums *s, const int32_t *u, const int32_t *i,
                      const struct wave *w, uint32_t n)
{
    int64_t u_re = 0, u_im = 0, i_re = 0, i_im = 0;
    for (uint32_t k = 0; k < n; k++) {
        int64_t re = w->cosine[k], im = w->sine[k];
        u_re += u[k] * re;
        u_im += u[k] * im;
        i_re += i[k] * re;
        i_im += i[k] * im;
    }
    s->u_re += u_re;
    s->u_im += u_im;
    s->i_re += i_re;
    s->i_im += i_im;
}

/* The neutral current: measured, or the sum of the phases where it is not connected. The limit
 * keeps the squares in range and is reached only when all phases are at full scale together. */
static void neutral_fill(const struct legal_kernel *k, const struct legal_view *v, int32_t *out,
                         uint32_t n)
{
    const int32_t *i[LEGAL_N_PHASES];
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        i[p] = v->x[AFE_I1 + p] ? v->x[AFE_I1 + p] : legal_silence;
    const int64_t *g = k->neutral_q20;
    for (uint32_t j = 0; j < n; j++) {
        int64_t sum = (i[0][j] * g[0] + i[1][j] * g[1] + i[2][j] * g[2]) >> 20;
        sum = sum > NEUTRAL_LIMIT ? NEUTRAL_LIMIT : sum;
        out[j] = (int32_t)(sum < -NEUTRAL_LIMIT ? -NEUTRAL_LIMIT : sum);
    }
}

static void sum_neutral(struct legal_kernel *k, const struct legal_view *v, uint32_t n)
{
    int32_t filled[LEGAL_CHUNK];
    const int32_t *x = v->x[AFE_IN];
    int64_t square = 0, sum = 0;
    if (!x)
        neutral_fill(k, v, filled, n);
    for (uint32_t j = 0; j < n; j++) {
        int64_t a = x ? x[j] : filled[j];
        square += a * a;
        sum += a;
    }
    k->in_in += square;
    k->in_sum += sum;
}

static void run_chunk(struct legal_kernel *k, struct legal_cycle *cycle, const struct legal_view *v,
                      uint32_t n)
{
    struct wave wave;
    wave_fill(&wave, n, k->turn, k->step);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const int32_t *u = v->x[AFE_U1 + p], *i = v->x[AFE_I1 + p];
        if (!u && !i)
            continue;
        sum_products(&k->phase[p], u ? u : legal_silence, i ? i : legal_silence, n);
        correlate(&k->phase[p], u ? u : legal_silence, i ? i : legal_silence, &wave, n);
    }
    sum_neutral(k, v, n);
    legal_cycle_add(cycle, v, n, k->turn, k->step);
    k->turn += n * k->step;
}

void legal_kernel_run(struct legal_kernel *k, struct legal_cycle *cycle, const struct legal_view *v,
                      uint32_t from, uint32_t to)
{
    struct legal_view part;
    k->neutral_measured = v->x[AFE_IN] != NULL;
    for (uint32_t at = from, n; at < to; at += n) {
        n = to - at < LEGAL_CHUNK ? to - at : LEGAL_CHUNK;
        for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
            part.x[c] = v->x[c] ? v->x[c] + at : NULL;
        run_chunk(k, cycle, &part, n);
    }
    for (unsigned c = 0; c < AFE_N_CHANNELS && to > from; c++)
        k->last[c] = v->x[c] ? v->x[c][to - 1] : 0;
}

/* --- borders -------------------------------------------------------------------------------- */

struct edge { /* weights in 2^-15 */
    int64_t before, after;
};

static struct edge edge_of(int64_t alpha_q16)
{
    int64_t rest = 65536 - alpha_q16;
    return (struct edge){(rest * rest) >> 18, (alpha_q16 * alpha_q16) >> 18};
}

/* c of the head comment for a product of two channels at both samples. */
static int64_t edge_of_product(struct edge e, int64_t before, int64_t after)
{
    return (after * e.after - before * e.before + 16384) >> 15;
}

static void edge_phase(struct legal_sums *s, const int32_t *a, const int32_t *b, struct edge e,
                       int sign)
{
    int64_t ua = a[AFE_U1], ia = a[AFE_I1], ub = b[AFE_U1], ib = b[AFE_I1];
    s->uu += sign * edge_of_product(e, ua * ua, ub * ub);
    s->ii += sign * edge_of_product(e, ia * ia, ib * ib);
    s->ui += sign * edge_of_product(e, ua * ia, ub * ib);
    s->u += sign * edge_of_product(e, ua, ub);
    s->i += sign * edge_of_product(e, ia, ib);
}

static void edge_wave(struct legal_sums *s, const int32_t *x, const struct wave *w, int64_t weight)
{
    s->u_re += (x[AFE_U1] * weight * w->cosine[0]) >> 15;
    s->u_im += (x[AFE_U1] * weight * w->sine[0]) >> 15;
    s->i_re += (x[AFE_I1] * weight * w->cosine[0]) >> 15;
    s->i_im += (x[AFE_I1] * weight * w->sine[0]) >> 15;
}

static void edge_cycle(struct legal_cycle *cycle, const int32_t *x, int64_t weight, uint32_t turn)
{
    int32_t scaled[AFE_N_CHANNELS];
    struct legal_view v;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        scaled[c] = (int32_t)((x[c] * weight) >> 15);
        v.x[c] = &scaled[c];
    }
    legal_cycle_add(cycle, &v, 1, turn, 0);
}

static int64_t edge_neutral(const struct legal_kernel *k, const int32_t *x)
{
    struct legal_view v = {.x = {0}};
    int32_t sum;
    if (k->neutral_measured)
        return x[AFE_IN];
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        v.x[AFE_I1 + p] = &x[AFE_I1 + p];
    neutral_fill(k, &v, &sum, 1);
    return sum;
}

/* `turn` is the phase of the sample after the border in the window concerned. */
static void edge_add(struct legal_kernel *k, struct legal_cycle *cycle, const int32_t *next,
                     struct edge e, int sign)
{
    struct wave before, after;
    uint32_t turn = k->turn;
    wave_fill(&before, 1, turn - k->step, 0);
    wave_fill(&after, 1, turn, 0);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        edge_phase(&k->phase[p], k->last + p, next + p, e, sign);
        edge_wave(&k->phase[p], k->last + p, &before, -sign * e.before);
        edge_wave(&k->phase[p], next + p, &after, sign * e.after);
    }
    int64_t a = edge_neutral(k, k->last), b = edge_neutral(k, next);
    k->in_in += sign * edge_of_product(e, a * a, b * b);
    k->in_sum += sign * edge_of_product(e, a, b);
    edge_cycle(cycle, k->last, -sign * e.before, turn - k->step);
    edge_cycle(cycle, next, sign * e.after, turn);
}

void legal_kernel_end(struct legal_kernel *k, struct legal_cycle *cycle, const int32_t *next,
                      int64_t alpha_q16)
{
    edge_add(k, cycle, next, edge_of(alpha_q16), 1);
}

void legal_kernel_begin(struct legal_kernel *k, struct legal_cycle *cycle, const int32_t *next,
                        int64_t alpha_q16)
{
    k->turn = (uint32_t)(((uint64_t)(65536 - alpha_q16) * k->step) >> 16);
    edge_add(k, cycle, next, edge_of(alpha_q16), -1);
}

void legal_kernel_clear(struct legal_kernel *k)
{
    memset(k->phase, 0, sizeof k->phase);
    k->in_in = 0;
    k->in_sum = 0;
    k->clipped = false;
}

void legal_kernel_rescale(struct legal_kernel *k, uint64_t to, uint64_t from)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        struct legal_sums *s = &k->phase[p];
        int64_t *field[] = {&s->uu,   &s->ii,   &s->ui,   &s->u,   &s->i,
                            &s->u_re, &s->u_im, &s->i_re, &s->i_im};
        for (unsigned f = 0; f < sizeof field / sizeof field[0]; f++)
            *field[f] = mul_div_i64(*field[f], to, from);
    }
    k->in_in = mul_div_i64(k->in_in, to, from);
    k->in_sum = mul_div_i64(k->in_sum, to, from);
}

static int64_t unscale(int64_t a) /* the sine table's scale, to nearest */
{
    return (a + (INT64_C(1) << (SINE_BITS - 1))) >> SINE_BITS;
}

void legal_kernel_window(const struct legal_kernel *k, struct legal_window *w)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const struct legal_sums *s = &k->phase[p];
        w->phase[p] = (struct legal_window_phase){.uu = s->uu,
                                                  .ii = s->ii,
                                                  .ui = s->ui,
                                                  .u = s->u,
                                                  .i = s->i,
                                                  .u_re = unscale(s->u_re),
                                                  .u_im = unscale(s->u_im),
                                                  .i_re = unscale(s->i_re),
                                                  .i_im = unscale(s->i_im)};
    }
    w->in_in = k->in_in;
    w->in_sum = k->in_sum;
}

/* --- sharpening ----------------------------------------------------------------------------- */

struct detune { /* what one window's phasors suffered */
    int64_t delta_q32, grow_q32, cosine, sine;
};

static int64_t part(int64_t a, int64_t q32)
{
    return wide_narrow(wide_sar(wide_mul(a, q32), 32));
}

/* X' - delta e^(-j eps) conj(X'), then larger by grow. */
static void sharpen(int64_t *re, int64_t *im, const struct detune *d)
{
    int64_t x = (*re * d->cosine + *im * d->sine) >> SINE_BITS;
    int64_t y = (*im * d->cosine - *re * d->sine) >> SINE_BITS;
    *re -= part(x, d->delta_q32);
    *im += part(y, d->delta_q32);
    *re += part(*re, d->grow_q32);
    *im += part(*im, d->grow_q32);
}

/* The wave ran through e turns more than the window has cycles, because the frequency was that of
 * the window before. Over N whole cycles of A cos(wt) its correlation is, with eps = 2 pi e,
 *
 *     X' = K (A + delta conj(A)),  delta = e / (2 N + e),  K = e^(-j eps/2) sin(eps/2)/(eps/2)
 *
 * Voltage and current share K, so its angle does not matter; delta is undone, and the size of K by
 * x / sin x = 1 + g + 0.7 g^2 with x = eps/2 and g = x^2/6. Beyond a quarter turn the window is
 * left alone: that was no tracking. */
void legal_kernel_sharpen(struct legal_window *w, uint32_t step, uint32_t n_cycles)
{
    int64_t e_q32 = (int64_t)mul_div_u64(w->n_q16, step, 65536) - ((int64_t)n_cycles << 32);
    if (e_q32 > INT64_C(1) << 30 || e_q32 < -(INT64_C(1) << 30))
        return;
    uint32_t at = sine_index((uint32_t)e_q32) % SINE_SIZE;
    int64_t grow = part(e_q32, e_q32) * 1645 / 1000; /* eps^2 / 24 */
    struct detune d = {
        .delta_q32 =
            wide_div(wide_shl(wide_of(e_q32), 32), (uint64_t)(((int64_t)n_cycles << 33) + e_q32)),
        .grow_q32 = grow + part(grow, grow) * 7 / 10,
        .cosine = legal_sine[at + SINE_QUARTER],
        .sine = legal_sine[at],
    };
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        sharpen(&w->phase[p].u_re, &w->phase[p].u_im, &d);
        sharpen(&w->phase[p].i_re, &w->phase[p].i_im, &d);
    }
}
