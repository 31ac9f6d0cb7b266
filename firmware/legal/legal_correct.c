/* What calibration knows about a meter, applied once per window instead of to every sample.
 *
 * All sums of a window are bilinear in two channels, so a gain multiplies them and noise, which is
 * nobody's partner but its own, comes off the squares. A delay or the lead of a current transformer
 * turns the fundamental: with U conj(I) turned by theta
 *
 *     P1' = P1 cos(theta) - Q1 sin(theta)    Q1' = P1 sin(theta) + Q1 cos(theta)
 *
 * and P' = P + (P1' - P1), so no sample is shifted and an error that moves with current or
 * temperature costs nothing. The same turn goes to the products of two currents and to the phasors.
 *
 *     theta = w (delay of U - delay of I) + lead of the current
 *     lead  = table over the window's own current + drift x (temperature - reference)
 *     gain  = (1 + gain) (1 + drift dT + drift2 dT^2) (1 + table)
 *
 * In this order: noise off, turn, gains, offsets of the products off.
 *
 * It refuses to turn harmonics: their part of P keeps the error Uh Ih (cos(d + h w tau) - cos d) of
 * the delay tau between U and I, d being the harmonic's own angle. For a 5th harmonic of 10 % in U
 * and 40 % in I, in phase, that is 0.0001 % of P1 at 5 us, 0.005 % at 32 us; for d = 90 degrees
 * 0.03 % at 5 us. Root mean squares do not see a delay. Turns beyond half a radian are held there:
 * the ranges of the parameters end at half of that. */
#include "firmware/legal/legal_parts.h"

#define ONE_Q40      (INT64_C(1) << 40)
#define ONE_Q31      (INT64_C(1) << 31)
#define TWO_PI_Q31   UINT64_C(13493037705)
#define PER_PPB      UINT64_C(1000000000)
#define PER_PPT      UINT64_C(1000000000000)
#define DELTA_MAX_MK 200000
#define TURN_MAX_Q31 (ONE_Q31 / 2)
#define HALF_Q31     (INT64_C(1) << 30) /* of the last place of a product */

/* --- arithmetic ----------------------------------------------------------------------------- */

struct turn { /* cos - 1 and sin, Q32, each within 1e-9 */
    int32_t cos1, sin;
};

static uint32_t times(uint32_t a, uint32_t b) /* Q31; a, b <= 1 */
{
    return (uint32_t)(((uint64_t)a * b + (uint64_t)HALF_Q31) >> 31);
}

/* Series up to x^10 and x^11, the next terms are below 1e-12 at half a radian. */
static struct turn turn_of(int64_t x_q31)
{
    int64_t x = legal_held(x_q31, TURN_MAX_Q31);
    uint32_t one = (uint32_t)ONE_Q31, xx = (uint32_t)((x * x + HALF_Q31) >> 31), c = one, s = one;
    for (uint32_t k = 10; k >= 4; k -= 2) {
        c = one - times(xx, c) / (k * (k - 1));
        s = one - times(xx, s) / (k * (k + 1));
    }
    s = one - times(xx, s) / 6;
    return (struct turn){-2 * (int32_t)(times(xx, c) / 2), 2 * (int32_t)((x * s + HALF_Q31) >> 31)};
}

/* What turning a conj(b) adds to its real part, and to its imaginary part. */
static struct legal_phasor turned(int64_t active, int64_t reactive, int64_t ahead_q31)
{
    struct turn t = turn_of(ahead_q31);
    return (struct legal_phasor){mul_part(active, t.cos1) - mul_part(reactive, t.sin),
                                 mul_part(active, t.sin) + mul_part(reactive, t.cos1)};
}

static int64_t scaled(int64_t a, int64_t gain_q40)
{
    return gain_q40 == ONE_Q40 ? a : mul_sar(a, gain_q40, 40);
}

/* Of a product of two channels. */
static void scale(int64_t *x, const int64_t *a_q40, const int64_t *b_q40)
{
    *x = scaled(scaled(*x, *a_q40), *b_q40);
}

static int64_t nrad_q31(int64_t nrad)
{
    return mul_div_i64(nrad, (uint64_t)ONE_Q31, PER_PPB);
}

/* Logarithm to base 2 in Q24; a > 0. The mantissa is squared bit by bit; its 31 bits lose no more
 * than the last of the 24. */
static int64_t log2_q24(uint64_t a)
{
    int zeros = leading_zeros(a);
    uint64_t m = a << zeros >> 32;
    int64_t log = 63 - zeros;
    for (int k = 0; k < 24; k++) {
        m = (m * m) >> 31;
        log *= 2;
        if (m >> 32) {
            m >>= 1;
            log++;
        }
    }
    return log;
}

/* --- what follows from calibration and temperature ------------------------------------------ */

static int32_t delta_mk(const struct legal *l)
{
    if (!l->correct.warm)
        return 0;
    int64_t d = (int64_t)l->correct.temperature_mc - l->config.calibration.reference_mc;
    return (int32_t)legal_held(d, DELTA_MAX_MK);
}

/* 1 + a / per */
static int64_t one_and_q40(int64_t a, uint64_t per)
{
    return ONE_Q40 + mul_div_i64(a, (uint64_t)ONE_Q40, per);
}

static int64_t channel_gain_q40(const struct legal_channel_calibration *c, int32_t mk)
{
    int64_t square_ppm = (int64_t)c->drift_ppt_k2 * mk * mk;
    int64_t drift_ppt = (int64_t)c->drift_ppb_k * mk + square_ppm / 1000000;
    return scaled(one_and_q40(c->gain_ppb, PER_PPB), one_and_q40(drift_ppt, PER_PPT));
}

/* Mean square in counts, before gains, at which the channel shows this point's current. */
static int64_t point_log_q24(uint32_t i_ua, uint64_t lsb_fa, int64_t gain_q40)
{
    if (i_ua == 0 || lsb_fa == 0)
        return 0;
    int64_t fa = log2_q24(i_ua) + log2_q24(1000000000);
    return 2 * (fa - log2_q24(lsb_fa) - (log2_q24((uint64_t)gain_q40) - (INT64_C(40) << 24)));
}

/* Something but the reference is not 0. Where it is none of the corrections, applying them all
 * changes no bit. */
static bool is_used(const struct legal_calibration *c)
{
    const unsigned char *at = (const unsigned char *)c->channel;
    const unsigned char *end = (const unsigned char *)(c + 1);
    while (at != end && *at == 0)
        at++;
    return at != end;
}

void legal_correct_prepare(struct legal *l)
{
    const struct legal_calibration *c = &l->config.calibration;
    struct legal_correct *k = &l->correct;
    int32_t mk = delta_mk(l);
    for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++)
        k->gain_q40[ch] = channel_gain_q40(&c->channel[ch], mk);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        k->lead_q31[p] = nrad_q31((int64_t)c->phase[p].phase_drift_nrad_k * mk / 1000);
        for (unsigned n = 0; n < c->phase[p].n_ct; n++)
            k->ct_log_q24[p][n] = point_log_q24(c->phase[p].ct[n].i_ua, l->config.i_lsb_fa[p],
                                                k->gain_q40[AFE_I1 + p]);
    }
    k->active = is_used(c);
}

void legal_temperature_set(struct legal *l, int32_t mc)
{
    if (l->correct.warm && l->correct.temperature_mc == mc)
        return;
    l->correct.warm = true;
    l->correct.temperature_mc = mc;
    legal_correct_prepare(l);
}

uint64_t legal_correct_u_lsb(const struct legal *l, unsigned p)
{
    return mul_div_u64(l->config.u_lsb_fv[p], (uint64_t)l->correct.gain_q40[AFE_U1 + p],
                       (uint64_t)ONE_Q40);
}

/* --- one window ----------------------------------------------------------------------------- */

struct correction { /* of each channel in this window */
    int64_t gain_q40[AFE_N_CHANNELS];
    int64_t ahead_q31[AFE_N_CHANNELS]; /* what its fundamental is turned by */
};

static int64_t between(int64_t a, int64_t b, int64_t at, int64_t of)
{
    return a + mul_div_i64(b - a, (uint64_t)at, (uint64_t)of);
}

/* Gain and lead of a table at the window's mean square. */
static struct legal_ct_point ct_at(const struct legal_phase_calibration *c, const int64_t *log_q24,
                                   int64_t ii, uint64_t n_q16)
{
    unsigned last = c->n_ct - 1u, k = 0;
    if (ii <= 0)
        return c->ct[0];
    int64_t x = log2_q24((uint64_t)ii) - log2_q24(n_q16) + (INT64_C(16) << 24);
    if (x <= log_q24[0])
        return c->ct[0];
    if (x >= log_q24[last])
        return c->ct[last];
    while (x >= log_q24[k + 1])
        k++;
    const struct legal_ct_point *a = &c->ct[k], *b = &c->ct[k + 1];
    int64_t at = x - log_q24[k], of = log_q24[k + 1] - log_q24[k];
    return (struct legal_ct_point){
        .gain_ppb = (int32_t)between(a->gain_ppb, b->gain_ppb, at, of),
        .phase_nrad = (int32_t)between(a->phase_nrad, b->phase_nrad, at, of),
    };
}

/* The sum of squares of a channel. */
static int64_t *squares_of(struct legal_cleaned *x, unsigned ch)
{
    if (ch == AFE_IN)
        return &x->currents.in_in;
    return ch < AFE_I1 ? &x->phase[ch].uu : &x->phase[ch - AFE_I1].ii;
}

/* So much of each sample, counts squared in 2^-8. */
static void take_off(int64_t *sum, int64_t each_q8, uint64_t n_q16)
{
    *sum = legal_add(*sum, -mul_sar((int64_t)n_q16, each_q8, 24));
}

static void take_noise(const struct legal_calibration *c, uint64_t n_q16, struct legal_cleaned *x)
{
    for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++) {
        int64_t *sum = squares_of(x, ch);
        take_off(sum, c->channel[ch].noise_q8, n_q16);
        if (*sum < 0)
            *sum = 0;
    }
}

static void find(const struct legal *l, const struct legal_window *w, const struct legal_cleaned *x,
                 struct correction *out)
{
    const struct legal_calibration *c = &l->config.calibration;
    for (unsigned ch = 0; ch < AFE_N_CHANNELS; ch++) {
        int64_t turn_e15 = (int64_t)w->frequency_uhz * c->channel[ch].delay_ns;
        out->ahead_q31[ch] = mul_div_i64(turn_e15, TWO_PI_Q31, UINT64_C(1000000000000000));
        out->gain_q40[ch] = l->correct.gain_q40[ch];
    }
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        unsigned ch = AFE_I1 + p;
        out->ahead_q31[ch] -= l->correct.lead_q31[p];
        if (c->phase[p].n_ct == 0)
            continue;
        struct legal_ct_point ct =
            ct_at(&c->phase[p], l->correct.ct_log_q24[p], x->phase[p].ii, w->n_q16);
        out->ahead_q31[ch] -= nrad_q31(ct.phase_nrad);
        out->gain_q40[ch] = scaled(out->gain_q40[ch], one_and_q40(ct.gain_ppb, PER_PPB));
    }
}

static void turn_power(struct legal_clean *c, int64_t ahead_q31)
{
    struct legal_phasor more = turned(c->p1, c->q, ahead_q31);
    c->ui = legal_add(c->ui, more.re);
    c->p1 = legal_add(c->p1, more.re);
    c->q = legal_add(c->q, more.im);
}

/* X = re - j im ahead, and larger. */
static void turn_phasor(struct legal_phasor *x, int64_t ahead_q31, int64_t gain_q40)
{
    struct legal_phasor more = turned(x->im, x->re, ahead_q31);
    x->re = scaled(x->re + more.im, gain_q40);
    x->im = scaled(x->im + more.re, gain_q40);
}

static void correct_phase(struct legal_clean *c, const struct correction *k, unsigned p)
{
    const int64_t *u = &k->gain_q40[AFE_U1 + p], *i = &k->gain_q40[AFE_I1 + p];
    int64_t u_ahead = k->ahead_q31[AFE_U1 + p], i_ahead = k->ahead_q31[AFE_I1 + p];
    turn_phasor(&c->u, u_ahead, *u);
    turn_phasor(&c->i, i_ahead, *i);
    turn_power(c, u_ahead - i_ahead);
    scale(&c->uu, u, u);
    scale(&c->ii, i, i);
    scale(&c->ui, u, i);
    scale(&c->p1, u, i);
    scale(&c->q, u, i);
}

/* Before correct_phase: the phasors are still as they were shown. */
static void correct_currents(struct legal_cleaned *x, const struct correction *k, uint64_t n_q16)
{
    struct legal_clean_currents *c = &x->currents;
    const struct legal_phasor *i[N_CURRENTS] = {&x->phase[0].i, &x->phase[1].i, &x->phase[2].i,
                                                &c->in};
    const int64_t *ahead = &k->ahead_q31[AFE_I1], *gain = &k->gain_q40[AFE_I1];
    if (!legal_has(LEGAL_NEUTRAL))
        return;
    for (unsigned n = 0; n < 6 && c->crossed; n++) {
        unsigned a = legal_pair[n][0], b = legal_pair[n][1];
        int64_t active = legal_active(i[a], i[b], n_q16);
        int64_t reactive = legal_reactive(i[a], i[b], n_q16);
        c->cross[n] = legal_add(c->cross[n], turned(active, reactive, ahead[a] - ahead[b]).re);
        scale(&c->cross[n], &gain[a], &gain[b]);
    }
    turn_phasor(&c->in, ahead[3], gain[3]);
    scale(&c->in_in, &gain[3], &gain[3]);
}

/* A phase without voltage or current has nothing for an offset to stand in. */
static void take_offsets(struct legal_clean *c, const struct legal_phase_calibration *k,
                         uint64_t n_q16)
{
    if (c->uu == 0 || c->ii == 0)
        return;
    take_off(&c->ui, k->p_offset_q8, n_q16);
    take_off(&c->q, k->q_offset_q8, n_q16);
}

void legal_correct_apply(const struct legal *l, const struct legal_window *w,
                         struct legal_cleaned *x)
{
    const struct legal_calibration *c = &l->config.calibration;
    struct correction k;
    take_noise(c, w->n_q16, x);
    find(l, w, x, &k);
    correct_currents(x, &k, w->n_q16);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        correct_phase(&x->phase[p], &k, p);
        take_offsets(&x->phase[p], &c->phase[p], w->n_q16);
    }
}
