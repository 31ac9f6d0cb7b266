/* What the three phases are to each other: symmetrical components, neutral, differential current.
 *
 * Components come from the phasors of the averaging interval. Sums of currents come from the sums
 * of products: with weights w that bring all channels to one unit,
 *
 *     sum((w1 i1 + w2 i2 + w3 i3)^2) = sum over j, k of wj wk sum(ij ik)
 *
 * so harmonics count, no sample is touched twice, and the corrections of each channel are in it. In
 * a balanced system the terms cancel to a millionth and less: they are added up in 128 bits. A load
 * model's window knows no such products; its phasors stand in, the fundamental only.
 *
 * It refuses: components of a single phase; a neutral of three wires; a differential current where
 * the neutral is not measured. */
#include "firmware/legal/legal_parts.h"

#define PHASOR_MAX (INT64_C(1) << 59) /* a second at full scale is 2^39; sums of four fit */

static int64_t held(int64_t a)
{
    return a > PHASOR_MAX ? PHASOR_MAX : a < -PHASOR_MAX ? -PHASOR_MAX : a;
}

static struct legal_phasor scaled(const struct legal_phasor *a, uint64_t lsb, uint64_t unit)
{
    return (struct legal_phasor){held(mul_div_i64(a->re, lsb, unit)),
                                 held(mul_div_i64(a->im, lsb, unit))};
}

/* Of the channels in the mask: the unit that all are brought to. */
static uint64_t largest(const uint64_t *lsb, uint32_t mask)
{
    uint64_t most = 1;
    for (unsigned k = 0; mask >> k; k++)
        most = (mask >> k & 1) && lsb[k] > most ? lsb[k] : most;
    return most;
}

/* --- symmetrical components ----------------------------------------------------------------- */

/* By sign x 120 degrees. */
static struct legal_phasor rotate(const struct legal_phasor *a, int sign)
{
    int64_t s = sign * SQRT3_2_Q30;
    return (struct legal_phasor){-a->re / 2 + mul_sar(a->im, s, 30),
                                 -a->im / 2 - mul_sar(a->re, s, 30)};
}

static int64_t third(int64_t a) /* to nearest */
{
    return (a + (a < 0 ? -1 : 1)) / 3;
}

/* Sum of squares of a third of the sum. */
static int64_t component(const struct legal_phasor *a, const struct legal_phasor *b,
                         const struct legal_phasor *c, uint64_t n_q16)
{
    struct legal_phasor mean = {third(a->re + b->re + c->re), third(a->im + b->im + c->im)};
    return legal_active(&mean, &mean, n_q16);
}

/* The second and the third turned against each other. */
static int64_t turned(const struct legal_phasor x[3], int sign, uint64_t n_q16)
{
    struct legal_phasor b = rotate(&x[1], sign), c = rotate(&x[2], -sign);
    return component(&x[0], &b, &c, n_q16);
}

/* Zero, positive, negative sequence of three phasors. */
static void components(const struct legal_phasor x[3], uint64_t n_q16, int64_t out[3])
{
    out[0] = component(&x[0], &x[1], &x[2], n_q16);
    out[1] = turned(x, 1, n_q16);
    out[2] = turned(x, -1, n_q16);
}

/* A reversed sequence may have no positive one at all: then it is as large as can be told. */
static uint32_t part_ppm(int64_t part, int64_t whole)
{
    if (whole == 0)
        return part ? UINT32_MAX : 0;
    uint64_t root = mul_sqrt(whole, INT64_C(1) << 32); /* 2^-16 */
    uint64_t ppm = mul_div_u64(mul_sqrt(part, INT64_C(1) << 32), 1000000, root);
    return ppm > UINT32_MAX ? UINT32_MAX : (uint32_t)ppm;
}

static void voltages(struct legal *l)
{
    const struct legal_average *a = &l->average;
    const struct legal_clean *c = a->sum.phase;
    uint64_t unit = largest(l->config.u_lsb_fv, legal_phases(&l->config));
    struct legal_phasor x[3];
    int64_t part[3];
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        x[p] = scaled(&c[p].u, l->config.u_lsb_fv[p], unit);
    if (l->config.wiring == LEGAL_3P3W) { /* U12, U23 = -U32, U31 closes the triangle */
        x[1] = (struct legal_phasor){-x[2].re, -x[2].im};
        x[2] = (struct legal_phasor){-x[0].re - x[1].re, -x[0].im - x[1].im};
    }
    components(x, a->n_q16, part);
    for (unsigned k = 0; k < 3; k++)
        l->values.sequences.u_mv[k] = legal_rms(part[k], a->n_q16, unit, FV_PER_MV);
    l->values.u0_ppm = part_ppm(part[0], part[1]);
    l->values.u2_ppm = part_ppm(part[2], part[1]);
}

static void currents(struct legal *l)
{
    const struct legal_average *a = &l->average;
    const struct legal_clean *c = a->sum.phase;
    uint64_t unit = largest(l->config.i_lsb_fa, legal_phases(&l->config));
    struct legal_phasor x[3];
    int64_t part[3];
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        x[p] = scaled(&c[p].i, l->config.i_lsb_fa[p], unit);
    if (l->config.wiring == LEGAL_3P3W)
        x[1] = (struct legal_phasor){-x[0].re - x[2].re, -x[0].im - x[2].im};
    components(x, a->n_q16, part);
    for (unsigned k = 0; k < 3; k++)
        l->values.sequences.i_ua[k] = legal_rms(part[k], a->n_q16, unit, FA_PER_UA);
    l->values.i0_ppm = part_ppm(part[0], part[1]);
    l->values.i2_ppm = part_ppm(part[2], part[1]);
}

void legal_sequences_publish(struct legal *l)
{
    voltages(l);
    currents(l);
}

/* --- neutral and differential current ------------------------------------------------------- */

/* Adds one product of two currents, twice: of two different ones. */
static void add_weighed(struct wide *sum, int64_t product, const uint64_t *a_q40,
                        const uint64_t *b_q40)
{
    struct wide part = wide_mul(mul_sar(product, (int64_t)*a_q40, 40), (int64_t)*b_q40);
    wide_sar(&part, 40);
    if (a_q40 != b_q40)
        wide_shl(&part, 1);
    wide_add(sum, &part);
}

/* Sum of squares of the sum of the first n currents; n is 3 or 4. */
static struct wide square_of_sum(const struct legal_cleaned *x, const uint64_t w_q40[N_CURRENTS],
                                 unsigned n)
{
    struct wide sum = wide_of(0);
    if (n > 3)
        add_weighed(&sum, x->currents.in_in, &w_q40[3], &w_q40[3]);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        add_weighed(&sum, x->phase[p].ii, &w_q40[p], &w_q40[p]);
    for (unsigned k = 0; k < 6; k++) {
        unsigned a = legal_pair[k][0], b = legal_pair[k][1];
        if (b < n)
            add_weighed(&sum, x->currents.cross[k], &w_q40[a], &w_q40[b]);
    }
    return sum;
}

/* The same of the fundamentals; of a quarter of the sum, so that it fits. */
static struct wide square_of_phasors(const struct legal_cleaned *x,
                                     const uint64_t w_q40[N_CURRENTS], unsigned n, uint64_t n_q16)
{
    struct legal_phasor sum = {0, 0};
    for (unsigned k = 0; k < n; k++) {
        const struct legal_phasor *shown = k < LEGAL_N_PHASES ? &x->phase[k].i : &x->currents.in;
        struct legal_phasor i = scaled(shown, w_q40[k], UINT64_C(1) << 40);
        sum.re += i.re;
        sum.im += i.im;
    }
    sum = (struct legal_phasor){sum.re / 4, sum.im / 4};
    return wide_mul(legal_active(&sum, &sum, n_q16), 16);
}

static uint32_t rms_of_sum(const struct legal *l, unsigned n)
{
    const struct legal_average *a = &l->average;
    uint64_t lsb[N_CURRENTS], w_q40[N_CURRENTS], n_q16 = a->n_q16;
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++)
        lsb[k] = l->config.i_lsb_fa[k];
    lsb[3] = legal_neutral_lsb(&l->config);
    uint64_t unit = largest(lsb, legal_phases(&l->config) | 8);
    for (unsigned k = 0; k < N_CURRENTS; k++)
        w_q40[k] = mul_div_u64(lsb[k], UINT64_C(1) << 40, unit);
    struct wide sum = a->sum.currents.crossed ? square_of_sum(&a->sum, w_q40, n)
                                              : square_of_phasors(&a->sum, w_q40, n, n_q16);
    if (wide_sign(&sum) <= 0)
        return 0;
    if (sum.hi != 0 || sum.lo >> 62 != 0) { /* four full-scale currents in phase */
        wide_sar(&sum, 8);
        n_q16 >>= 8;
    }
    return legal_rms(wide_narrow(&sum), n_q16, unit, FA_PER_UA);
}

void legal_neutral_publish(struct legal *l)
{
    const struct legal_average *a = &l->average;
    const struct legal_clean_currents *c = &a->sum.currents;
    struct legal_values *v = &l->values;
    if (l->config.wiring == LEGAL_3P3W)
        return;
    v->in_sum_ua = l->config.n_phases == 1 ? v->phase[0].i_ua : rms_of_sum(l, LEGAL_N_PHASES);
    v->in_ua = v->in_sum_ua;
    if (!c->measured)
        return;
    v->in_ua = legal_rms(c->in_in, a->n_q16, legal_neutral_lsb(&l->config), FA_PER_UA);
    if (c->crossed || c->in.re != 0 || c->in.im != 0)
        v->i_diff_ua = rms_of_sum(l, N_CURRENTS);
}
