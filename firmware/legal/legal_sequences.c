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

/* To another unit; lsb <= unit. */
static struct legal_phasor scaled(const struct legal_phasor *a, uint64_t lsb, uint64_t unit)
{
    return (struct legal_phasor){mul_div_i64(a->re, lsb, unit), mul_div_i64(a->im, lsb, unit)};
}

/* Of the channels from the first one on that are in the mask: the unit that all are brought to. */
static uint64_t largest(const struct legal_config *c, unsigned first, uint32_t mask)
{
    uint64_t most = 1;
    for (; mask; mask >>= 1, first++)
        if ((mask & 1) && legal_lsb(c, first) > most)
            most = legal_lsb(c, first);
    return most;
}

/* --- symmetrical components ----------------------------------------------------------------- */

/* By sign x 120 degrees; sign is 1 or -1. */
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

/* Sum of squares of a third of the sum, the second and the third turned against each other: the
 * zero (sign 0), positive (1) or negative (-1) sequence. */
static int64_t component(const struct legal_phasor x[3], int sign, uint64_t n_q16)
{
    struct legal_phasor sum = x[0];
    for (unsigned p = 1; p < LEGAL_N_PHASES; p++, sign = -sign) {
        struct legal_phasor turned = sign ? rotate(&x[p], sign) : x[p];
        sum.re += turned.re;
        sum.im += turned.im;
    }
    struct legal_phasor mean = {third(sum.re), third(sum.im)};
    return legal_active(&mean, &mean, n_q16);
}

uint32_t legal_root_ppm(int64_t part, int64_t whole, int scale)
{
    int64_t by = INT64_C(1) << scale;
    if (whole == 0)
        return 0;
    uint64_t ppm = mul_div_u64(mul_sqrt(part, by), 1000000, mul_sqrt(whole, by));
    return ppm > UINT32_MAX ? UINT32_MAX : (uint32_t)ppm;
}

/* A reversed sequence may have no positive one at all: then it is as large as can be told. */
static uint32_t part_ppm(int64_t part, int64_t whole)
{
    return whole == 0 && part ? UINT32_MAX : legal_root_ppm(part, whole, 32);
}

/* Of two elements: U12 and U32 = -U23, or I1 and I3; the third one closes the triangle. */
static void complete(struct legal_phasor x[3], bool voltage)
{
    unsigned third = voltage ? 2 : 1, second = 3 - third;
    if (voltage)
        x[1] = (struct legal_phasor){-x[2].re, -x[2].im};
    x[third] = (struct legal_phasor){-x[0].re - x[second].re, -x[0].im - x[second].im};
}

struct symmetry {   /* of the voltages, or of the currents: where it goes */
    unsigned first; /* channel */
    uint32_t *rms, *negative_ppm, *zero_ppm;
};

__attribute__((noinline)) static void publish(const struct legal *l, const struct symmetry *to)
{
    unsigned first = to->first;
    const struct legal_average *a = &l->average;
    bool voltage = first == AFE_U1;
    uint64_t unit = largest(&l->config, first, legal_wiring_phases(l->config.wiring));
    struct legal_phasor x[3];
    int64_t part[3];
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        x[p] = scaled(voltage ? &a->sum.phase[p].u : &a->sum.phase[p].i,
                      legal_lsb(&l->config, first + p), unit);
    if (legal_wiring(l->config.wiring) == LEGAL_3P3W)
        complete(x, voltage);
    for (unsigned k = 0; k < 3; k++) {
        part[k] = component(x, k < 2 ? (int)k : -1, a->n_q16);
        to->rms[k] = legal_rms(part[k], a->n_q16, unit, voltage ? FV_PER_MV : FA_PER_UA);
    }
    *to->negative_ppm = part_ppm(part[2], part[1]);
    *to->zero_ppm = part_ppm(part[0], part[1]);
}

void legal_sequences_publish(struct legal *l)
{
    struct legal_values *v = &l->values;
    const struct symmetry both[] = {{AFE_U1, v->sequences.u_mv, &v->u2_ppm, &v->u0_ppm},
                                    {AFE_I1, v->sequences.i_ua, &v->i2_ppm, &v->i0_ppm}};
    for (unsigned k = 0; k < 2; k++)
        publish(l, &both[k]);
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

#if LEGAL_WINDOW_ENTRANCE
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

static struct wide square(const struct legal_average *a, const uint64_t w_q40[N_CURRENTS],
                          unsigned n)
{
    return a->sum.currents.crossed ? square_of_sum(&a->sum, w_q40, n)
                                   : square_of_phasors(&a->sum, w_q40, n, a->n_q16);
}
#else /* samples always give the products */
static struct wide square(const struct legal_average *a, const uint64_t w_q40[N_CURRENTS],
                          unsigned n)
{
    return square_of_sum(&a->sum, w_q40, n);
}
#endif

static uint32_t rms_of_sum(const struct legal *l, unsigned n)
{
    const struct legal_average *a = &l->average;
    uint64_t w_q40[N_CURRENTS], n_q16 = a->n_q16;
    uint64_t unit = largest(&l->config, AFE_I1, legal_wiring_phases(l->config.wiring) | 8);
    for (unsigned k = 0; k < N_CURRENTS; k++)
        w_q40[k] = mul_div_u64(legal_lsb(&l->config, AFE_I1 + k), UINT64_C(1) << 40, unit);
    struct wide sum = square(a, w_q40, n);
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
    const struct legal_clean_currents *c = &l->average.sum.currents;
    struct legal_values *v = &l->values;
    if (legal_wiring(l->config.wiring) == LEGAL_3P3W || !legal_has(LEGAL_NEUTRAL))
        return;
    v->in_sum_ua = legal_wiring(l->config.wiring) == LEGAL_1P2W ? v->phase[0].i_ua
                                                                : rms_of_sum(l, LEGAL_N_PHASES);
    v->in_ua = v->in_sum_ua;
    if (!c->measured)
        return;
    v->in_ua = legal_channel_rms(l, AFE_IN, c->in_in);
    if (c->crossed || c->in.re != 0 || c->in.im != 0)
        v->i_diff_ua = rms_of_sum(l, N_CURRENTS);
}
