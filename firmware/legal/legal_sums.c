/* The inner loops in plain C, and the choice among the variants; see legal_sums.h.
 *
 * Written for a Cortex-M4: as many 64-bit sums at a time as its fourteen registers hold beside
 * pointers and operands, four samples a turn, written out: the compiler's own unrolling takes more
 * registers. */
#include "firmware/legal/legal_sums.h"

const int32_t legal_silence[AFE_BLOCK_MAX];

/* --- the phases ----------------------------------------------------------------------------- */

struct products {
    int64_t uu, ui, ii;
    int32_t u, i;
};

static inline void add_products(struct products *s, int32_t u, int32_t i)
{
    s->uu += (int64_t)u * u;
    s->ui += (int64_t)u * i;
    s->ii += (int64_t)i * i;
    s->u += u;
    s->i += i;
}

static void sum_products(struct legal_sums *out, const int32_t *u, const int32_t *i, uint32_t n)
{
    struct products s = {0, 0, 0, 0, 0};
    const int32_t *end = u + n;
    for (const int32_t *stop = end - n % 4; u != stop; u += 4, i += 4) {
        add_products(&s, u[0], i[0]);
        add_products(&s, u[1], i[1]);
        add_products(&s, u[2], i[2]);
        add_products(&s, u[3], i[3]);
    }
    while (u != end)
        add_products(&s, *u++, *i++);
    out->uu += s.uu;
    out->ui += s.ui;
    out->ii += s.ii;
    out->u += s.u;
    out->i += s.i;
}

struct correlation {
    int64_t u_re, u_im, i_re, i_im;
};

static inline void add_waves(struct correlation *s, const int32_t *wave, int32_t u, int32_t i)
{
    int32_t re = wave[0], im = wave[1];
    s->u_re += (int64_t)u * re;
    s->u_im += (int64_t)u * im;
    s->i_re += (int64_t)i * re;
    s->i_im += (int64_t)i * im;
}

static void correlate_two(int64_t out[4], const struct legal_duo *c)
{
    struct correlation s = {0, 0, 0, 0};
    const int32_t *u = c->u, *i = c->i, *wave = c->wave, *end = u + c->n;
    for (const int32_t *stop = end - c->n % 4; u != stop; u += 4, i += 4, wave += 8) {
        add_waves(&s, wave, u[0], i[0]);
        add_waves(&s, wave + 2, u[1], i[1]);
        add_waves(&s, wave + 4, u[2], i[2]);
        add_waves(&s, wave + 6, u[3], i[3]);
    }
    for (; u != end; wave += 2)
        add_waves(&s, wave, *u++, *i++);
    out[0] += s.u_re;
    out[1] += s.u_im;
    out[2] += s.i_re;
    out[3] += s.i_im;
}

static void plain_phase(struct legal_sums *s, const struct legal_duo *c)
{
    sum_products(s, c->u, c->i, c->n);
    correlate_two(s->wave, c);
}

/* --- the currents --------------------------------------------------------------------------- */

static void correlate(int64_t out[2], const int32_t *x, const int32_t *wave, uint32_t n)
{
    int64_t re = 0, im = 0;
    const int32_t *end = x + n;
    for (const int32_t *stop = end - n % 4; x != stop; x += 4, wave += 8) {
        re += (int64_t)x[0] * wave[0];
        im += (int64_t)x[0] * wave[1];
        re += (int64_t)x[1] * wave[2];
        im += (int64_t)x[1] * wave[3];
        re += (int64_t)x[2] * wave[4];
        im += (int64_t)x[2] * wave[5];
        re += (int64_t)x[3] * wave[6];
        im += (int64_t)x[3] * wave[7];
    }
    for (; x != end; x++, wave += 2) {
        re += (int64_t)*x * wave[0];
        im += (int64_t)*x * wave[1];
    }
    out[0] += re;
    out[1] += im;
}

static int64_t product(const int32_t *x, const int32_t *y, uint32_t n)
{
    int64_t xy = 0;
    for (const int32_t *end = x + n; x != end;)
        xy += (int64_t)*x++ * *y++;
    return xy;
}

struct three {
    int64_t ab, ac, bc;
};

static inline void add_three(struct three *s, int32_t a, int32_t b, int32_t c)
{
    s->ab += (int64_t)a * b;
    s->ac += (int64_t)a * c;
    s->bc += (int64_t)b * c;
}

static void three_products(int64_t cross[3], const int32_t *const i[3], uint32_t n)
{
    struct three s = {0, 0, 0};
    const int32_t *a = i[0], *b = i[1], *c = i[2], *end = a + n;
    for (const int32_t *stop = end - n % 4; a != stop; a += 4, b += 4, c += 4) {
        add_three(&s, a[0], b[0], c[0]);
        add_three(&s, a[1], b[1], c[1]);
        add_three(&s, a[2], b[2], c[2]);
        add_three(&s, a[3], b[3], c[3]);
    }
    while (a != end)
        add_three(&s, *a++, *b++, *c++);
    cross[0] += s.ab;
    cross[1] += s.ac;
    cross[2] += s.bc;
}

static void two_with_neutral(int64_t cross[2], const int32_t *const i[3], uint32_t n)
{
    int64_t an = 0, bn = 0;
    const int32_t *a = i[0], *b = i[1], *in = i[2], *end = in + n;
    for (const int32_t *stop = end - n % 4; in != stop; a += 4, b += 4, in += 4) {
        an += (int64_t)a[0] * in[0];
        bn += (int64_t)b[0] * in[0];
        an += (int64_t)a[1] * in[1];
        bn += (int64_t)b[1] * in[1];
        an += (int64_t)a[2] * in[2];
        bn += (int64_t)b[2] * in[2];
        an += (int64_t)a[3] * in[3];
        bn += (int64_t)b[3] * in[3];
    }
    for (; in != end; in++) {
        an += (int64_t)*a++ * *in;
        bn += (int64_t)*b++ * *in;
    }
    cross[0] += an;
    cross[1] += bn;
}

struct neutral {
    int64_t square, cross;
    int32_t sum;
};

static inline void add_neutral(struct neutral *s, int32_t in, int32_t i)
{
    s->square += (int64_t)in * in;
    s->cross += (int64_t)i * in;
    s->sum += in;
}

static void neutral_with_one(struct legal_current_sums *out, const int32_t *i, const int32_t *in,
                             uint32_t n)
{
    struct neutral s = {0, 0, 0};
    const int32_t *end = in + n;
    for (const int32_t *stop = end - n % 4; in != stop; in += 4, i += 4) {
        add_neutral(&s, in[0], i[0]);
        add_neutral(&s, in[1], i[1]);
        add_neutral(&s, in[2], i[2]);
        add_neutral(&s, in[3], i[3]);
    }
    while (in != end)
        add_neutral(&s, *in++, *i++);
    out->nn += s.square;
    out->n += s.sum;
    out->cross[3] += s.cross;
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

/* --- the look before ------------------------------------------------------------------------ */

static inline void add_reach(struct legal_reach *r, int32_t before, int32_t x)
{
    int32_t step = (int32_t)((uint32_t)x - (uint32_t)before);
    r->range |= (uint32_t)(x ^ x >> 31) + 1; /* ~x where negative */
    r->step |= (uint32_t)(step ^ step >> 31);
}

static struct legal_reach plain_reach(const int32_t *x, uint32_t n)
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

const struct legal_sums_ops legal_sums_plain = {"plain",        2,          1, plain_phase,
                                                plain_currents, plain_reach};

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
