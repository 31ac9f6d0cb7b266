/* From window sums to U, I, P, Q, S, PF, angles, unbalance.
 *
 * Each window is cleaned first: with the means a = sum(u)/n and b = sum(i)/n, the alternating parts
 * are sum(u u) - 2 a sum(u) + a a n, and alike for i i and u i. Exact, without a filter's
 * transient. A partial window has no meaningful mean of its own and takes those of the last whole
 * window; where there was none yet, see legal_window.c. Fundamental powers come from the phasors X
 * = re - j im: U conj(I) x 2/n gives P1 and Q1 in the same unit as sum(u i). The cleaned windows of
 * 50 (60) cycles are then added up and turned into values once. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define Q16         65536
#define SQRT3_2_Q30 INT64_C(929887697)

/* --- one window ----------------------------------------------------------------------------- */

static int64_t mean_q16(int64_t sum, uint64_t n_q16)
{
    return wide_div(wide_mul(sum, INT64_C(1) << 32), n_q16);
}

/* xy - a y - b x + a b n, with a and b the means of x and y in q16. */
static int64_t without_dc(int64_t xy, int64_t x, int64_t y, int64_t a, int64_t b, uint64_t n_q16)
{
    struct wide cross = wide_sar(wide_add(wide_mul(a, y), wide_mul(b, x)), 16);
    struct wide square = wide_sar(wide_mul(a, b), 16);
    square = wide_sar(wide_mul(wide_narrow(square), (int64_t)n_q16), 32);
    return wide_narrow(wide_add(wide_add(wide_of(xy), wide_neg(cross)), square));
}

static int64_t positive(int64_t a)
{
    return a < 0 ? 0 : a;
}

/* (a b + sign c d) x 2 / n */
static int64_t fundamental(int64_t a, int64_t b, int64_t c, int64_t d, int sign, uint64_t n_q16)
{
    struct wide second = wide_mul(c, d);
    struct wide sum = wide_add(wide_mul(a, b), sign < 0 ? wide_neg(second) : second);
    return wide_div(wide_shl(sum, 17), n_q16);
}

static struct legal_clean clean_phase(const struct legal_window_phase *w, int64_t a, int64_t b,
                                      uint64_t n_q16)
{
    struct legal_clean c;
    c.uu = positive(without_dc(w->uu, w->u, w->u, a, a, n_q16));
    c.ii = positive(without_dc(w->ii, w->i, w->i, b, b, n_q16));
    c.ui = without_dc(w->ui, w->u, w->i, a, b, n_q16);
    c.p1 = fundamental(w->u_re, w->i_re, w->u_im, w->i_im, 1, n_q16);
    c.q = fundamental(w->u_re, w->i_im, w->u_im, w->i_re, -1, n_q16);
    c.s = (int64_t)wide_sqrt(wide_mul(c.uu, c.ii));
    return c;
}

void legal_dc_take(struct legal *l, const struct legal_window *w)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        l->u_dc_q16[p] = mean_q16(w->phase[p].u, w->n_q16);
        l->i_dc_q16[p] = mean_q16(w->phase[p].i, w->n_q16);
    }
    l->in_dc_q16 = mean_q16(w->in_sum, w->n_q16);
    l->dc_known = true;
}

/* The mean of N cycles and a piece of one, in a sine of amplitude A, is up to A / (pi N): what is
 * not above that is no sign of a direct component, and taking it away would take power away. */
static int64_t sure_mean_q16(int64_t sum, int64_t squares, const struct legal_window *w,
                             uint32_t f_nominal_mhz)
{
    uint64_t n = w->n_q16 >> 16, size = (uint64_t)(sum < 0 ? -sum : sum);
    uint64_t times_cycles = mul_div_u64(size, n * f_nominal_mhz, w->rate_uhz / 1000);
    if (mul_div_u64(times_cycles, 355, 113) <= wide_sqrt(wide_mul(squares, 2 * (int64_t)n)))
        return 0;
    return mean_q16(sum, w->n_q16);
}

void legal_dc_guess(struct legal *l, const struct legal_window *w)
{
    uint32_t f = l->config.f_nominal_mhz;
    if ((w->n_q16 >> 16) * f < w->rate_uhz / 1000)
        return;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        l->u_dc_q16[p] = sure_mean_q16(w->phase[p].u, w->phase[p].uu, w, f);
        l->i_dc_q16[p] = sure_mean_q16(w->phase[p].i, w->phase[p].ii, w, f);
    }
    l->in_dc_q16 = sure_mean_q16(w->in_sum, w->in_in, w, f);
    l->dc_known = true;
}

void legal_clean_window(const struct legal *l, const struct legal_window *w,
                        struct legal_clean out[LEGAL_N_PHASES], int64_t *in_in)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        out[p] = clean_phase(&w->phase[p], l->u_dc_q16[p], l->i_dc_q16[p], w->n_q16);
    *in_in =
        positive(without_dc(w->in_in, w->in_sum, w->in_sum, l->in_dc_q16, l->in_dc_q16, w->n_q16));
}

/* --- the averaging interval ----------------------------------------------------------------- */

void legal_average_clear(struct legal *l)
{
    memset(&l->average, 0, sizeof l->average);
    legal_cycle_clear(&l->cycle);
}

static int64_t at_rate(int64_t sum, uint64_t to, uint64_t from)
{
    return to == from ? sum : mul_div_i64(sum, to, from);
}

static void add_phase(struct legal_average *a, unsigned p, const struct legal_clean *c,
                      const struct legal_window *w)
{
    uint64_t to = a->rate_uhz, from = w->rate_uhz;
    a->phase[p].uu += at_rate(c->uu, to, from);
    a->phase[p].ii += at_rate(c->ii, to, from);
    a->phase[p].ui += at_rate(c->ui, to, from);
    a->phase[p].p1 += at_rate(c->p1, to, from);
    a->phase[p].q += at_rate(c->q, to, from);
    a->u_re[p] += at_rate(w->phase[p].u_re, to, from);
    a->u_im[p] += at_rate(w->phase[p].u_im, to, from);
}

static uint32_t cycles_of(const struct legal_window *w)
{
    uint64_t seconds_q16 = mul_div_u64(w->n_q16, 1000000, w->rate_uhz);
    return (uint32_t)((mul_div_u64(seconds_q16, w->frequency_uhz, 1000000) + Q16 / 2) / Q16);
}

void legal_average_add(struct legal *l, const struct legal_window *w,
                       const struct legal_clean clean[LEGAL_N_PHASES], int64_t in_in)
{
    struct legal_average *a = &l->average;
    if (w->flags & LEGAL_WINDOW_PARTIAL) {
        legal_average_clear(l);
        return;
    }
    if (a->n_cycles == 0)
        a->rate_uhz = w->rate_uhz;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        add_phase(a, p, &clean[p], w);
    a->in_in += at_rate(in_in, a->rate_uhz, w->rate_uhz);
    uint64_t n_q16 = mul_div_u64(w->n_q16, a->rate_uhz, w->rate_uhz);
    a->n_q16 += n_q16;
    if (!(w->flags & LEGAL_WINDOW_NO_FREQ)) {
        a->f_weight += n_q16 >> 8;
        a->f_sum += w->frequency_uhz * (n_q16 >> 8);
    }
    a->n_cycles += cycles_of(w);
    if (a->n_cycles >= l->config.f_nominal_mhz / 1000)
        legal_average_publish(l);
}

/* --- values --------------------------------------------------------------------------------- */

/* Root mean square in units of lsb x 10^-exponent: the mean is widened first, so that small signals
 * keep their digits. */
static uint64_t rms(int64_t sum, uint64_t n_q16, uint64_t lsb, uint64_t divisor)
{
    struct wide square = wide_shl(wide_of(sum), 48); /* 2^-32 after the division by n_q16 */
    uint64_t q8, half = 0;
    if (wide_sar(square, 62).lo < n_q16) {
        q8 = wide_sqrt(wide_of(wide_div(square, n_q16)));
        half = 8;
    } else {
        q8 = wide_sqrt(wide_of(wide_div(wide_sar(square, 16), n_q16)));
    }
    struct wide product = wide_mul((int64_t)q8, (int64_t)lsb);
    return (uint64_t)wide_div(wide_sar(product, (int)half), divisor * 256);
}

static int64_t power(const struct legal_config *c, unsigned p, int64_t sum, uint64_t n_q16)
{
    struct gain g = gain_mul(gain_of(c->u_lsb_fv[p]), c->i_lsb_fa[p]);
    g = gain_div(gain_div(g, UINT64_C(1000000000000000000)), 1000000000); /* 1e-30 W to mW */
    g = gain_div(g, n_q16);
    g.exp += 16;
    return wide_narrow(gain_apply(g, sum));
}

static int32_t ratio_ppm(int64_t p, uint64_t s)
{
    if (s == 0)
        return 0;
    int64_t r = mul_div_i64(p, 1000000, s);
    return (int32_t)(r > 1000000 ? 1000000 : r < -1000000 ? -1000000 : r);
}

static uint32_t clip_u32(uint64_t a)
{
    return a > UINT32_MAX ? UINT32_MAX : (uint32_t)a;
}

static int32_t voltage_angle(const struct legal_average *a, unsigned p)
{
    /* angle of U conj(U1); halved often enough for the products */
    struct wide re = wide_add(wide_mul(a->u_re[p], a->u_re[0]), wide_mul(a->u_im[p], a->u_im[0]));
    struct wide im =
        wide_add(wide_mul(a->u_re[p], a->u_im[0]), wide_neg(wide_mul(a->u_im[p], a->u_re[0])));
    return atan2_mdeg(wide_narrow(wide_sar(im, 32)), wide_narrow(wide_sar(re, 32)));
}

static void phase_values(struct legal *l, unsigned p)
{
    const struct legal_average *a = &l->average;
    const struct legal_clean *c = &a->phase[p];
    struct legal_phase_values *v = &l->values.phase[p];
    v->u_mv = clip_u32(rms(c->uu, a->n_q16, l->config.u_lsb_fv[p], UINT64_C(1000000000000)));
    v->i_ua = clip_u32(rms(c->ii, a->n_q16, l->config.i_lsb_fa[p], 1000000000));
    v->p_mw = power(&l->config, p, c->ui, a->n_q16);
    v->q_mvar = power(&l->config, p, c->q, a->n_q16);
    uint64_t s = wide_sqrt(wide_mul(c->uu, c->ii));
    v->s_mva = (uint64_t)power(&l->config, p, (int64_t)s, a->n_q16);
    v->pf_ppm = ratio_ppm(c->ui, s);
    v->phase_mdeg = atan2_mdeg(c->q, c->p1);
    v->u_angle_mdeg = voltage_angle(a, p);
    uint32_t h_max = 0; /* lines below half the sample rate */
    if (l->tracker.period_q16 > 2 * Q16)
        h_max = (uint32_t)((l->tracker.period_q16 - 1) / (2 * Q16));
    if (!a->no_cycle)
        legal_cycle_thd(&l->cycle, p, h_max, &v->thd_u_ppm, &v->thd_i_ppm);
}

static void total_values(struct legal *l, uint32_t phases)
{
    struct legal_values *v = &l->values;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        if (!(phases >> p & 1))
            continue;
        v->p_mw += v->phase[p].p_mw;
        v->q_mvar += v->phase[p].q_mvar;
        v->s_mva += v->phase[p].s_mva;
    }
    if (l->config.wiring == LEGAL_3P3W) /* elements see line voltages: sqrt(3)/2 when balanced */
        v->s_mva = mul_div_u64(v->s_mva, SQRT3_2_Q30, UINT64_C(1) << 30);
    v->pf_ppm = ratio_ppm(v->p_mw, v->s_mva);
}

/* --- symmetrical components ----------------------------------------------------------------- */

struct phasor { /* X = re - j im, as the kernel has it */
    int64_t re, im;
};

static struct phasor rotate(struct phasor a, int sign) /* by sign x 120 degrees */
{
    int64_t s = sign * SQRT3_2_Q30;
    return (struct phasor){
        -a.re / 2 + wide_narrow(wide_sar(wide_mul(a.im, s), 30)),
        -a.im / 2 - wide_narrow(wide_sar(wide_mul(a.re, s), 30)),
    };
}

static uint64_t size_of_sum(struct phasor a, struct phasor b, struct phasor c)
{
    int64_t re = (a.re + b.re + c.re) >> 2, im = (a.im + b.im + c.im) >> 2;
    return wide_sqrt(wide_add(wide_mul(re, re), wide_mul(im, im)));
}

static struct phasor common_unit(const struct legal *l, unsigned p)
{
    uint64_t most = 1;
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++)
        if (l->config.u_lsb_fv[k] > most)
            most = l->config.u_lsb_fv[k];
    uint64_t lsb = l->config.u_lsb_fv[p];
    return (struct phasor){mul_div_i64(l->average.u_re[p], lsb, most),
                           mul_div_i64(l->average.u_im[p], lsb, most)};
}

static void unbalance(struct legal *l)
{
    struct phasor a = common_unit(l, 0), b = common_unit(l, 1), c = common_unit(l, 2);
    if (l->config.wiring == LEGAL_3P3W) { /* U12, U23 = -U32, U31 closes the triangle */
        b = (struct phasor){-c.re, -c.im};
        c = (struct phasor){-a.re - b.re, -a.im - b.im};
    }
    uint64_t u1 = size_of_sum(a, rotate(b, 1), rotate(c, -1));
    if (u1 == 0)
        return;
    uint64_t u2 = size_of_sum(a, rotate(b, -1), rotate(c, 1)), u0 = size_of_sum(a, b, c);
    l->values.u2_ppm = clip_u32(mul_div_u64(u2, 1000000, u1));
    l->values.u0_ppm = clip_u32(mul_div_u64(u0, 1000000, u1));
}

void legal_average_publish(struct legal *l)
{
    const struct legal_average *a = &l->average;
    struct legal_values *v = &l->values;
    uint32_t sequence = v->sequence, phases = legal_phases(&l->config);
    if (a->n_cycles == 0)
        return;
    memset(v, 0, sizeof *v);
    v->sequence = sequence + 1;
    if (a->f_weight)
        v->frequency_uhz = (uint32_t)(a->f_sum / a->f_weight);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if (phases >> p & 1)
            phase_values(l, p);
    total_values(l, phases);
    if (l->config.wiring != LEGAL_3P3W)
        v->in_ua = clip_u32(rms(a->in_in, a->n_q16, legal_neutral_lsb(&l->config), 1000000000));
    if (l->config.n_phases == 3)
        unbalance(l);
    legal_average_clear(l);
}

void legal_values_get(const struct legal *l, struct legal_values *out)
{
    *out = l->values;
}
