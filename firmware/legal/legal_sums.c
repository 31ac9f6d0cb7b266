/* The inner loops in plain C, and the choice among the variants; see legal_sums.h.
 *
 * Written for a Cortex-M4: as many 64-bit sums at a time as its fourteen registers hold beside
 * pointers and operands (so one channel is correlated at a time), four samples a turn. */
#include "firmware/legal/legal_sums.h"

const int32_t legal_silence[AFE_BLOCK_MAX];

#define FOUR_AT_A_TIME _Pragma("GCC unroll 4")

static void products(struct legal_sums *s, const int32_t *u, const int32_t *i, uint32_t n)
{
    int64_t uu = 0, ii = 0, ui = 0;
    int32_t su = 0, si = 0;
    FOUR_AT_A_TIME
    for (const int32_t *end = u + n; u != end;) {
        int32_t a = *u++, b = *i++;
        uu += (int64_t)a * a;
        ui += (int64_t)a * b;
        ii += (int64_t)b * b;
        su += a;
        si += b;
    }
    s->uu += uu;
    s->ii += ii;
    s->ui += ui;
    s->u += su;
    s->i += si;
}

/* Both channels at a time: their four sums take eight registers. */
static void correlate_two(int64_t out[4], const struct legal_duo *c)
{
    int64_t u_re = 0, u_im = 0, i_re = 0, i_im = 0;
    const int32_t *u = c->u, *i = c->i, *wave = c->wave;
    FOUR_AT_A_TIME
    for (const int32_t *end = u + c->n; u != end; wave += 2) {
        int32_t re = wave[0], im = wave[1], a = *u++;
        u_re += (int64_t)a * re;
        u_im += (int64_t)a * im;
        a = *i++;
        i_re += (int64_t)a * re;
        i_im += (int64_t)a * im;
    }
    out[0] += u_re;
    out[1] += u_im;
    out[2] += i_re;
    out[3] += i_im;
}

static void correlate(int64_t out[2], const int32_t *x, const int32_t *wave, uint32_t n)
{
    int64_t re = 0, im = 0;
    FOUR_AT_A_TIME
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
    products(s, c->u, c->i, c->n);
    correlate_two(s->wave, c);
}

static int64_t product(const int32_t *x, const int32_t *y, uint32_t n)
{
    int64_t xy = 0;
    FOUR_AT_A_TIME
    for (const int32_t *end = x + n; x != end;)
        xy += (int64_t)*x++ * *y++;
    return xy;
}

static void three_products(int64_t cross[3], const int32_t *const i[3], uint32_t n)
{
    int64_t ab = 0, ac = 0, bc = 0;
    const int32_t *i1 = i[0], *i2 = i[1], *i3 = i[2];
    FOUR_AT_A_TIME
    for (const int32_t *end = i1 + n; i1 != end;) {
        int32_t a = *i1++, b = *i2++, c = *i3++;
        ab += (int64_t)a * b;
        ac += (int64_t)a * c;
        bc += (int64_t)b * c;
    }
    cross[0] += ab;
    cross[1] += ac;
    cross[2] += bc;
}

static void two_with_neutral(int64_t cross[2], const int32_t *const i[3], uint32_t n)
{
    int64_t an = 0, bn = 0;
    const int32_t *i2 = i[0], *i3 = i[1], *in = i[2];
    FOUR_AT_A_TIME
    for (const int32_t *end = in + n; in != end;) {
        int32_t c = *in++;
        an += (int64_t)*i2++ * c;
        bn += (int64_t)*i3++ * c;
    }
    cross[0] += an;
    cross[1] += bn;
}

static void neutral_with_one(struct legal_current_sums *s, const int32_t *i1, const int32_t *in,
                             uint32_t n)
{
    int64_t square = 0, cross = 0;
    int32_t sum = 0;
    FOUR_AT_A_TIME
    for (const int32_t *end = in + n; in != end;) {
        int32_t c = *in++;
        square += (int64_t)c * c;
        cross += (int64_t)*i1++ * c;
        sum += c;
    }
    s->nn += square;
    s->n += sum;
    s->cross[3] += cross;
}

static void neutral(struct legal_current_sums *s, const struct legal_quad *c)
{
    const int32_t *const *i = c->i;
    neutral_with_one(s, i[0] ? i[0] : legal_silence, i[3], c->n);
    if (i[1] && i[2])
        two_with_neutral(s->cross + 4, i + 1, c->n);
    else if (i[1])
        s->cross[4] += product(i[1], i[3], c->n);
    else if (i[2])
        s->cross[5] += product(i[2], i[3], c->n);
    correlate(s->wave, i[3], c->wave, c->n);
}

static void plain_currents(struct legal_current_sums *s, const struct legal_quad *c)
{
    const int32_t *const *i = c->i;
    if (i[0] && i[1] && i[2])
        three_products(s->cross, i, c->n);
    else if (i[0] && (i[1] || i[2])) /* two elements, or a channel that failed */
        s->cross[i[1] ? 0 : 1] += product(i[0], i[1] ? i[1] : i[2], c->n);
    else if (i[1] && i[2])
        s->cross[2] += product(i[1], i[2], c->n);
    if (i[3])
        neutral(s, c);
}

static struct legal_reach plain_reach(const int32_t *x, uint32_t n)
{
    struct legal_reach r = {0, 0};
    int32_t last = *x;
    FOUR_AT_A_TIME
    for (const int32_t *end = x + n; x != end;) {
        int32_t a = *x++, step = (int32_t)((uint32_t)a - (uint32_t)last);
        r.range |= (uint32_t)(a ^ a >> 31) + 1; /* ~a where negative */
        r.step |= (uint32_t)(step ^ step >> 31);
        last = a;
    }
    return r;
}

const struct legal_sums_ops legal_sums_plain = {"plain",        2,          1, plain_phase,
                                                plain_currents, plain_reach};

const struct legal_sums_ops *legal_sums_best(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2") ? &legal_sums_avx2 : &legal_sums_sse2;
#elif defined(__ARM_ARCH_6M__)
    return &legal_sums_split;
#else
    return &legal_sums_plain;
#endif
}
