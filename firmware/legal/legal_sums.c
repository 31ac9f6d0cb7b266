/* The inner loops in plain C, and the choice among the variants; see legal_sums.h.
 *
 * Plain loops: they hold as many 64-bit sums as a Cortex-M4's fourteen registers take beside
 * pointers and operands, which a loop written out would not. The look before is written out: the
 * Cortex-M0+ takes it, too. */
#include "firmware/legal/legal_sums.h"

const int32_t legal_silence[AFE_BLOCK_MAX];

/* --- the phases ----------------------------------------------------------------------------- */

static void sum_products(struct legal_sums *out, const int32_t *u, const int32_t *i, uint32_t n)
{
    int64_t uu = 0, ui = 0, ii = 0;
    int32_t su = 0, si = 0;
    for (const int32_t *end = u + n; u != end;) {
        int32_t a = *u++, b = *i++;
        uu += (int64_t)a * a;
        ui += (int64_t)a * b;
        ii += (int64_t)b * b;
        su += a;
        si += b;
    }
    out->uu += uu;
    out->ui += ui;
    out->ii += ii;
    out->u += su;
    out->i += si;
}

static void correlate(int64_t out[2], const int32_t *x, const int32_t *wave, uint32_t n)
{
    int64_t re = 0, im = 0;
    for (const int32_t *end = x + n; x != end; wave += 2) {
        int32_t a = *x++;
        re += (int64_t)a * wave[0];
        im += (int64_t)a * wave[1];
    }
    out[0] += re;
    out[1] += im;
}

static void plain_phase(struct legal_sums *s, const struct legal_duo *c)
{
    sum_products(s, c->u, c->i, c->n);
    correlate(s->wave, c->u, c->wave, c->n);
    correlate(s->wave + 2, c->i, c->wave, c->n);
}

/* --- the currents --------------------------------------------------------------------------- */

static void three_products(int64_t cross[3], const int32_t *const i[3], uint32_t n)
{
    int64_t ab = 0, ac = 0, bc = 0;
    const int32_t *a = i[0], *b = i[1], *c = i[2];
    for (const int32_t *end = a + n; a != end;) {
        int32_t x = *a++, y = *b++, z = *c++;
        ab += (int64_t)x * y;
        ac += (int64_t)x * z;
        bc += (int64_t)y * z;
    }
    cross[0] += ab;
    cross[1] += ac;
    cross[2] += bc;
}

static void two_with_neutral(int64_t cross[2], const int32_t *const i[3], uint32_t n)
{
    int64_t an = 0, bn = 0;
    const int32_t *a = i[0], *b = i[1], *in = i[2];
    for (const int32_t *end = in + n; in != end;) {
        int32_t x = *in++;
        an += (int64_t)*a++ * x;
        bn += (int64_t)*b++ * x;
    }
    cross[0] += an;
    cross[1] += bn;
}

/* A channel that is not there is silent beside others. */
void legal_sum_crosses(int64_t cross[LEGAL_N_CROSS], const struct legal_quad *c)
{
    const int32_t *i[4];
    unsigned n_phases = 0;
    for (unsigned k = 0; k < 4; k++) {
        i[k] = c->i[k] ? c->i[k] : legal_silence;
        n_phases += k < 3 && c->i[k];
    }
    if (n_phases > 1)
        three_products(cross, i, c->n);
    if (c->i[3] && (c->i[1] || c->i[2]))
        two_with_neutral(cross + 4, i + 1, c->n);
}

static void plain_currents(struct legal_current_sums *s, const struct legal_quad *c)
{
    struct legal_sums with_one = {0};
    legal_sum_crosses(s->cross, c);
    if (!c->i[3])
        return;
    sum_products(&with_one, c->i[3], c->i[0] ? c->i[0] : legal_silence, c->n);
    correlate(s->wave, c->i[3], c->wave, c->n);
    s->nn += with_one.uu;
    s->n += with_one.u;
    s->cross[3] += with_one.ui;
}

/* --- the look before ------------------------------------------------------------------------ */

static inline void add_reach(struct legal_reach *r, int32_t before, int32_t x)
{
    int32_t step = (int32_t)((uint32_t)x - (uint32_t)before);
    r->range |= (uint32_t)(x ^ x >> 31) + 1; /* ~x where negative */
    r->step |= (uint32_t)(step ^ step >> 31);
}

struct legal_reach legal_reach_of(const int32_t *x, uint32_t n)
{
    struct legal_reach r = {0, 0};
    const int32_t *end = x + n;
    int32_t before = *x;
    for (const int32_t *stop = end - n % 4; x != stop; x += 4) {
        int32_t a = x[0], b = x[1], c = x[2], d = x[3];
        add_reach(&r, before, a);
        add_reach(&r, a, b);
        add_reach(&r, b, c);
        add_reach(&r, c, d);
        before = d;
    }
    for (; x != end; x++) {
        add_reach(&r, before, *x);
        before = *x;
    }
    return r;
}

const struct legal_sums_ops legal_sums_plain = {"plain",       2, 1, plain_phase, plain_currents,
                                                legal_reach_of};

const struct legal_sums_ops *legal_sums_best(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &legal_sums_v3
                                                                           : &legal_sums_sse2;
#elif LEGAL_SUMS_THUMB2
    return &legal_sums_thumb2;
#elif defined(__ARM_ARCH_6M__)
    return &legal_sums_split;
#else
    return &legal_sums_plain;
#endif
}
