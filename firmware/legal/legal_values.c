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

#define Q16   65536
#define MILLI 1000000000 /* divisors of mean_power() */
#define MICRO 1000000
/* The sums that struct legal_cleaned begins with. */
#define N_SUMS (offsetof(struct legal_cleaned, currents.measured) / sizeof(int64_t))

const uint8_t legal_pair[6][2] = {{0, 1}, {0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}};

/* --- one window ----------------------------------------------------------------------------- */

static int64_t mean_q16(int64_t sum, uint64_t n_q16)
{
    return mul_div_i64(sum, UINT64_C(1) << 32, n_q16);
}

struct shown { /* by a channel */
    int64_t squares, sum;
};

static struct shown shown_by(const struct legal_window *w, unsigned channel)
{
    if (channel == AFE_IN)
        return (struct shown){w->in_in, w->in_sum};
    const struct legal_window_phase *p = &w->phase[channel % LEGAL_N_PHASES];
    return channel < AFE_I1 ? (struct shown){p->uu, p->u} : (struct shown){p->ii, p->i};
}

struct direct { /* of a channel: its sum and its mean */
    int64_t sum, q16;
};

/* Out of a channel that showed nothing no direct component is taken: it is absent. */
static struct direct direct_of(const struct legal *l, const struct legal_window *w,
                               unsigned channel)
{
    struct shown x = shown_by(w, channel);
    return (struct direct){x.sum, x.squares ? l->dc_q16[channel] : 0};
}

/* xy becomes xy - a y - b x + a b n, with a and b the means of x and y in q16; not below 0 where it
 * is a square. */
static void take_dc(int64_t *xy, const struct direct *x, const struct direct *y, uint64_t n_q16)
{
    struct wide cross = wide_mul(x->q16, y->sum);
    struct wide square = wide_mul(mul_sar(x->q16, y->q16, 16), (int64_t)n_q16);
    struct wide left = wide_of(*xy);
    wide_mul_add(&cross, y->q16, x->sum);
    wide_sar(&cross, 16);
    wide_neg(&cross);
    wide_sar(&square, 32);
    wide_add(&left, &cross);
    wide_add(&left, &square);
    *xy = wide_narrow(&left);
    if (x == y && *xy < 0)
        *xy = 0;
}

/* Out of line, as the next one: the copies would be larger than the calls. */
__attribute__((noinline)) int64_t legal_add(int64_t a, int64_t b)
{
    int64_t sum = (int64_t)((uint64_t)a + (uint64_t)b);
    if (((a ^ sum) & (b ^ sum)) >= 0)
        return sum;
    return a < 0 ? INT64_MIN : INT64_MAX;
}

__attribute__((noinline)) int64_t legal_held(int64_t a, int64_t most)
{
    return a > most ? most : a < -most ? -most : a;
}

int64_t legal_active(const struct legal_phasor *a, const struct legal_phasor *b, uint64_t n_q16)
{
    struct wide sum = wide_mul(a->re, b->re);
    wide_mul_add(&sum, a->im, b->im);
    wide_shl(&sum, 17);
    return wide_div(&sum, n_q16);
}

int64_t legal_reactive(const struct legal_phasor *a, const struct legal_phasor *b, uint64_t n_q16)
{
    struct legal_phasor turned = {-a->im, a->re};
    return legal_active(&turned, b, n_q16);
}

static void clean_phase(struct legal_clean *c, const struct legal_window_phase *w,
                        const struct direct *u, const struct direct *i, uint64_t n_q16)
{
    c->u = (struct legal_phasor){w->u_re, w->u_im};
    c->i = (struct legal_phasor){w->i_re, w->i_im};
    c->uu = w->uu;
    c->ii = w->ii;
    c->ui = w->ui;
    take_dc(&c->uu, u, u, n_q16);
    take_dc(&c->ii, i, i, n_q16);
    take_dc(&c->ui, u, i, n_q16);
    c->p1 = legal_active(&c->u, &c->i, n_q16);
    c->q = legal_reactive(&c->u, &c->i, n_q16);
}

/* The phase currents are `phases`; of the others nothing crosses. */
static void clean_currents(struct legal_clean_currents *c, const struct legal_window *w,
                           const struct direct i[N_CURRENTS], uint32_t phases)
{
    if (!legal_has(LEGAL_NEUTRAL))
        return;
    c->measured = w->in_in != 0 || (w->flags & LEGAL_WINDOW_NEUTRAL);
    c->crossed = !(w->flags & LEGAL_WINDOW_NO_CROSS);
    c->in = (struct legal_phasor){w->in_re, w->in_im};
    c->in_in = w->in_in;
    take_dc(&c->in_in, &i[3], &i[3], w->n_q16);
    phases |= c->measured ? 8 : 0;
    for (unsigned k = 0; k < 6; k++) {
        unsigned a = legal_pair[k][0], b = legal_pair[k][1];
        if (!c->crossed || !(phases >> a & 1) || !(phases >> b & 1))
            continue;
        c->cross[k] = w->cross[k];
        take_dc(&c->cross[k], &i[a], &i[b], w->n_q16);
    }
}

/* --- direct components ---------------------------------------------------------------------- */

void legal_dc_offset(struct legal *l)
{
    for (unsigned c = 0; c < AFE_N_CHANNELS && !l->dc_known; c++)
        l->dc_q16[c] = l->config.calibration.channel[c].offset * INT64_C(65536);
}

void legal_dc_take(struct legal *l, const struct legal_window *w)
{
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        l->dc_q16[c] = mean_q16(shown_by(w, c).sum, w->n_q16);
    l->dc_known = true;
}

/* The mean of N cycles and a piece of one, in a sine of amplitude A, is up to A / (pi N): what is
 * not above that is no sign of a direct component, and taking it away would take power away. */
static bool is_sure(const struct legal *l, struct shown x, uint64_t n_q16, uint64_t rate_uhz)
{
    uint64_t n = n_q16 >> 16, size = (uint64_t)(x.sum < 0 ? -x.sum : x.sum);
    uint64_t times_cycles = mul_div_u64(size, n * l->config.f_nominal_mhz, rate_uhz / 1000);
    return mul_div_u64(times_cycles, 355, 113) > mul_sqrt(x.squares, 2 * (int64_t)n);
}

void legal_dc_guess(struct legal *l, const struct legal_window *w,
                    const struct legal_window *before)
{
    uint64_t n_q16 = w->n_q16 + (before ? before->n_q16 : 0);
    if ((n_q16 >> 16) * l->config.f_nominal_mhz < w->rate_uhz / 1000)
        return;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        struct shown x = shown_by(w, c);
        if (before) {
            struct shown more = shown_by(before, c);
            x.squares += more.squares;
            x.sum += more.sum;
        }
        if (is_sure(l, x, n_q16, w->rate_uhz)) /* else the offset stays */
            l->dc_q16[c] = mean_q16(x.sum, n_q16);
    }
    l->dc_known = true;
}

/* --- cleaned and corrected ------------------------------------------------------------------ */

static int64_t apparent(const struct legal_clean *c)
{
    int64_t s = (int64_t)mul_sqrt(c->uu, c->ii);
    int64_t p = c->ui == INT64_MIN ? INT64_MAX : c->ui < 0 ? -c->ui : c->ui;
    return s < p ? p : s; /* without its noise a small current could fall below */
}

static void finish_phase(struct legal_clean *c, uint64_t n_q16)
{
    c->uu1 = legal_active(&c->u, &c->u, n_q16);
    c->ii1 = legal_active(&c->i, &c->i, n_q16);
    c->s = apparent(c);
}

void legal_clean_window(const struct legal *l, const struct legal_window *w,
                        struct legal_cleaned *out)
{
    uint32_t phases = legal_wiring_phases(l->config.wiring);
    struct direct x[AFE_N_CHANNELS];
    memset(out, 0, sizeof *out);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        x[c] = direct_of(l, w, c);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if (phases >> p & 1)
            clean_phase(&out->phase[p], &w->phase[p], &x[AFE_U1 + p], &x[AFE_I1 + p], w->n_q16);
    clean_currents(&out->currents, w, &x[AFE_I1], phases);
    if (l->correct.active)
        legal_correct_apply(l, w, out);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        finish_phase(&out->phase[p], w->n_q16);
}

/* --- the averaging interval ----------------------------------------------------------------- */

void legal_average_clear(struct legal *l)
{
    memset(&l->average, 0, sizeof l->average);
    legal_wave_begin(l);
    legal_cycle_clear(&l->cycle);
}

static void add_sums(struct legal_average *a, const struct legal_cleaned *x, uint64_t rate_uhz)
{
    int64_t *sum = (int64_t *)&a->sum;
    const int64_t *part = (const int64_t *)x;
    for (size_t k = 0; k < N_SUMS; k++)
        sum[k] = legal_add(sum[k], rate_uhz == a->rate_uhz
                                       ? part[k]
                                       : mul_div_i64(part[k], a->rate_uhz, rate_uhz));
    a->sum.currents.measured &= x->currents.measured;
    a->sum.currents.crossed &= x->currents.crossed;
}

static uint64_t seconds_q16(uint64_t n_q16, uint64_t rate_uhz)
{
    return mul_div_u64(n_q16, 1000000, rate_uhz);
}

/* One at least: none means an empty average. */
static uint32_t cycles_of(const struct legal_window *w)
{
    uint64_t s_q16 = seconds_q16(w->n_q16, w->rate_uhz);
    uint64_t n = (mul_div_u64(s_q16, w->frequency_uhz, 1000000) + Q16 / 2) / Q16;
    return n > 0 ? (uint32_t)n : 1;
}

/* Begins anew behind a piece of cycles, so that an average has whole ones only. False when a second
 * would be lost by that since the last values: where the voltage dips again and again they would
 * never come. Windows telescope, so a piece amid others does no harm. */
static bool leave_out(struct legal *l, const struct legal_window *w)
{
    const struct legal_average *a = &l->average;
    uint64_t lost_q16 = a->lost_q16 + seconds_q16(w->n_q16, w->rate_uhz);
    if (a->n_cycles)
        lost_q16 += seconds_q16(a->n_q16, a->rate_uhz);
    if (lost_q16 > Q16)
        return false;
    legal_average_clear(l);
    l->average.lost_q16 = lost_q16;
    return true;
}

void legal_average_add(struct legal *l, const struct legal_window *w,
                       const struct legal_cleaned *clean)
{
    struct legal_average *a = &l->average;
    if ((w->flags & LEGAL_WINDOW_PARTIAL) && leave_out(l, w))
        return;
    if (a->n_cycles == 0) {
        a->rate_uhz = w->rate_uhz;
        a->sum.currents.measured = a->sum.currents.crossed = true;
    }
    add_sums(a, clean, w->rate_uhz);
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

/* The mean is widened first, so that small signals keep their digits. */
uint32_t legal_rms(int64_t sum, uint64_t n_q16, uint64_t lsb, uint64_t divisor)
{
    struct wide square = wide_of(sum), first;
    int half = 8;
    wide_shl(&square, 48); /* 2^-32 after the division by n_q16 */
    first = square;
    wide_sar(&first, 62);
    if (first.lo >= n_q16) {
        wide_sar(&square, 16);
        half = 0;
    }
    square = wide_of(wide_div(&square, n_q16));
    struct wide product = wide_mul((int64_t)wide_sqrt(&square), (int64_t)lsb);
    wide_sar(&product, half);
    int64_t value = wide_div(&product, divisor * 256);
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

struct gain legal_power_gain(uint64_t a, uint64_t b, uint32_t divisor, uint64_t n)
{
    struct gain g = gain_of(a);
    gain_mul(&g, b);
    gain_div(&g, E18);
    gain_div(&g, divisor);
    gain_div(&g, n);
    return g;
}

/* Mean of a sum of products, in watt x 1e12 / divisor. */
static int64_t mean_power(const struct legal *l, unsigned p, int64_t sum, uint32_t divisor)
{
    struct gain g =
        legal_power_gain(l->config.u_lsb_fv[p], l->config.i_lsb_fa[p], divisor, l->average.n_q16);
    g.exp += 16;
    struct wide mean;
    gain_apply(&mean, &g, sum);
    return wide_narrow(&mean);
}

static int32_t ratio_ppm(int64_t p, uint64_t s)
{
    if (s == 0)
        return 0;
    return (int32_t)legal_held(mul_div_i64(p, 1000000, s), 1000000);
}

static int32_t voltage_angle(const struct legal_average *a, unsigned p)
{
    const struct legal_phasor *u1 = &a->sum.phase[0].u, *u = &a->sum.phase[p].u;
    return atan2_mdeg(legal_reactive(u, u1, a->n_q16), legal_active(u, u1, a->n_q16));
}

uint32_t legal_channel_rms(const struct legal *l, unsigned channel, int64_t sum)
{
    return legal_rms(sum, l->average.n_q16, legal_lsb(&l->config, channel),
                     channel < AFE_I1 ? FV_PER_MV : FA_PER_UA);
}

/* sqrt(a b - c c), 0 where that is negative. */
static uint64_t leg(int64_t a, int64_t b, int64_t c)
{
    struct wide square = wide_mul(a, b);
    wide_mul_sub(&square, c, c);
    return wide_sqrt(&square);
}

static void harmonics(struct legal *l, unsigned p)
{
    struct legal_phase_values *v = &l->values.phase[p];
    uint32_t thd_ppm[2], h_max = 0; /* lines below half the sample rate */
    if (l->tracker.period_q16 > 2 * Q16)
        h_max = (uint32_t)((l->tracker.period_q16 - 1) / (2 * Q16));
    legal_cycle_thd(&l->cycle, p, h_max, thd_ppm);
    v->thd_u_ppm = thd_ppm[0];
    v->thd_i_ppm = thd_ppm[1];
}

static void phase_values(struct legal *l, unsigned p)
{
    const struct legal_average *a = &l->average;
    const struct legal_clean *c = &a->sum.phase[p];
    struct legal_phase_values *v = &l->values.phase[p];
    v->u_mv = legal_channel_rms(l, AFE_U1 + p, c->uu);
    v->i_ua = legal_channel_rms(l, AFE_I1 + p, c->ii);
    v->u1_mv = legal_channel_rms(l, AFE_U1 + p, c->uu1);
    v->i1_ua = legal_channel_rms(l, AFE_I1 + p, c->ii1);
    v->p_mw = mean_power(l, p, c->ui, MILLI);
    v->q_mvar = mean_power(l, p, c->q, MILLI);
    int64_t s = apparent(c);
    v->s_mva = (uint64_t)mean_power(l, p, s, MILLI);
    v->pf_ppm = ratio_ppm(c->ui, (uint64_t)s);
    if (legal_has(LEGAL_APPARENT))
        v->fryze_mvar = (uint64_t)mean_power(l, p, (int64_t)leg(c->uu, c->ii, c->ui), MILLI);
    v->phase_mdeg = atan2_mdeg(c->q, c->p1);
    v->u_angle_mdeg = voltage_angle(a, p);
    if (legal_has(LEGAL_HARMONICS) && !a->no_cycle)
        harmonics(l, p);
}

/* Two elements see line voltages: sqrt(3)/2 of their apparent power when balanced. */
static uint64_t of_elements(const struct legal *l, uint64_t s)
{
    if (legal_wiring(l->config.wiring) != LEGAL_3P3W)
        return s;
    return mul_div_u64(s, SQRT3_2_Q30, UINT64_C(1) << 30);
}

/* What is left of the sums' apparent power beside the active, and their vector. */
static void apparent_values(struct legal *l, uint32_t phases)
{
    struct legal_values *v = &l->values;
    int64_t p_uw = 0, s_uva = 0; /* finer, for the difference of their squares */
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const struct legal_clean *c = &l->average.sum.phase[p];
        if (!(phases >> p & 1))
            continue;
        p_uw = legal_add(p_uw, mean_power(l, p, c->ui, MICRO));
        s_uva = legal_add(s_uva, mean_power(l, p, apparent(c), MICRO));
    }
    s_uva = (int64_t)of_elements(l, (uint64_t)s_uva);
    v->fryze_mvar = leg(s_uva, s_uva, p_uw) / 1000;
    struct wide vector = wide_mul(v->p_mw, v->p_mw);
    wide_mul_add(&vector, v->q_mvar, v->q_mvar);
    v->s_vector_mva = wide_sqrt(&vector);
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
    v->s_mva = of_elements(l, v->s_mva);
    v->pf_ppm = ratio_ppm(v->p_mw, v->s_mva);
    if (legal_has(LEGAL_APPARENT))
        apparent_values(l, phases);
}

void legal_average_publish(struct legal *l)
{
    const struct legal_average *a = &l->average;
    struct legal_values *v = &l->values;
    uint32_t sequence = v->sequence, phases = legal_wiring_phases(l->config.wiring);
    if (a->n_cycles == 0)
        return;
    memset(v, 0, sizeof *v);
    v->sequence = sequence + 1;
    if (a->f_weight)
        v->frequency_uhz = legal_wave_uhz(l, (uint32_t)(a->f_sum / a->f_weight));
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if (phases >> p & 1)
            phase_values(l, p);
    total_values(l, phases);
    legal_neutral_publish(l);
    if (legal_wiring(l->config.wiring) != LEGAL_1P2W)
        legal_sequences_publish(l);
    legal_average_clear(l);
}

void legal_values_get(const struct legal *l, struct legal_values *out)
{
    *out = l->values;
}
