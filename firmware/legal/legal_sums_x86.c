/* The inner loops for x86-64: with SSE2, which every such processor has, and with AVX2, asked for
 * at run time; see legal_sums.h.
 *
 * AVX2 multiplies signed 32-bit numbers in the low halves of 64-bit lanes: the even samples as they
 * are loaded, the odd ones shifted down. SSE2 only knows the unsigned product, so there every
 * operand is raised by B = 2^23 first, and the sums of products are put right afterwards, modulo
 * 2^64 and so exactly:
 *
 *     sum (x + B)(y + B) = sum x y + B (sum x + sum y) + n B^2
 *
 * Loops take eight (four) samples at a time; what is left over is copied before zeros, which add
 * nothing. */
#include "firmware/legal/legal_sums.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))
#define LANE 8
#define BIAS (INT64_C(1) << 23)

/* The last n % LANE samples of up to four channels and the wave. */
struct tail {
    int32_t x[4][LANE], wave[LEGAL_CHUNK + LANE];
};

static void tail_copy(int32_t out[LANE], const int32_t *x, uint32_t n)
{
    memset(out, 0, LANE * sizeof *out);
    memcpy(out, x + (n - n % LANE), n % LANE * sizeof *out);
}

static void tail_wave(struct tail *t, const int32_t *wave, uint32_t n)
{
    tail_copy(t->wave, wave, n);
    tail_copy(t->wave + LEGAL_CHUNK, wave + LEGAL_CHUNK, n);
}

static struct legal_duo tail_of_duo(struct tail *t, const struct legal_duo *c)
{
    tail_copy(t->x[0], c->u, c->n);
    tail_copy(t->x[1], c->i, c->n);
    tail_wave(t, c->wave, c->n);
    return (struct legal_duo){t->x[0], t->x[1], t->wave, LANE};
}

static struct legal_quad tail_of_quad(struct tail *t, const struct legal_quad *c)
{
    for (unsigned k = 0; k < 4; k++)
        tail_copy(t->x[k], c->i[k], c->n);
    tail_wave(t, c->wave, c->n);
    return (struct legal_quad){{t->x[0], t->x[1], t->x[2], t->x[3]}, t->wave, LANE};
}

/* Without holes; zeros add nothing. */
static struct legal_quad whole_quad(const struct legal_quad *c)
{
    struct legal_quad q = *c;
    for (unsigned k = 0; k < 4; k++)
        q.i[k] = c->i[k] ? c->i[k] : legal_silence;
    return q;
}

static bool crossed(const struct legal_quad *c) /* at least two of three */
{
    return (c->i[0] != NULL) + (c->i[1] != NULL) + (c->i[2] != NULL) >= 2;
}

static struct legal_reach reach_or(struct legal_reach a, struct legal_reach b)
{
    return (struct legal_reach){a.range | b.range, a.step | b.step};
}

/* --- AVX2 ----------------------------------------------------------------------------------- */

struct eight { /* samples 0 2 4 6 and 1 3 5 7 in the low halves of 64-bit lanes */
    __m256i even, odd;
};

AVX2 static inline __m256i load8(const int32_t *x)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)x);
}

AVX2 static inline struct eight eight_of(__m256i x)
{
    return (struct eight){x, _mm256_srli_epi64(x, 32)};
}

AVX2 static inline __m256i add_eight(__m256i sum, struct eight x, struct eight y)
{
    sum = _mm256_add_epi64(sum, _mm256_mul_epi32(x.even, y.even));
    return _mm256_add_epi64(sum, _mm256_mul_epi32(x.odd, y.odd));
}

AVX2 static inline int64_t all4(__m256i a)
{
    __m128i s = _mm_add_epi64(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    return _mm_cvtsi128_si64(_mm_add_epi64(s, _mm_unpackhi_epi64(s, s)));
}

AVX2 static inline int32_t all8(__m256i a)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xB1)));
}

AVX2 static inline void phase8(struct legal_sums *s, const struct legal_duo *c, uint32_t n)
{
    __m256i uu = _mm256_setzero_si256(), ii = uu, ui = uu, su = uu, si = uu;
    __m256i u_re = uu, u_im = uu, i_re = uu, i_im = uu;
    for (uint32_t k = 0; k < n; k += LANE) {
        __m256i a = load8(c->u + k), b = load8(c->i + k);
        struct eight u = eight_of(a), i = eight_of(b);
        struct eight re = eight_of(load8(c->wave + k));
        struct eight im = eight_of(load8(c->wave + LEGAL_CHUNK + k));
        su = _mm256_add_epi32(su, a);
        si = _mm256_add_epi32(si, b);
        uu = add_eight(uu, u, u);
        ii = add_eight(ii, i, i);
        ui = add_eight(ui, u, i);
        u_re = add_eight(u_re, u, re);
        u_im = add_eight(u_im, u, im);
        i_re = add_eight(i_re, i, re);
        i_im = add_eight(i_im, i, im);
    }
    s->uu += all4(uu);
    s->ii += all4(ii);
    s->ui += all4(ui);
    s->u += all8(su);
    s->i += all8(si);
    s->wave[0] += all4(u_re);
    s->wave[1] += all4(u_im);
    s->wave[2] += all4(i_re);
    s->wave[3] += all4(i_im);
}

AVX2 static void avx2_phase(struct legal_sums *s, const struct legal_duo *c)
{
    phase8(s, c, c->n - c->n % LANE);
    if (c->n % LANE) {
        struct tail t;
        struct legal_duo rest = tail_of_duo(&t, c);
        phase8(s, &rest, LANE);
    }
}

AVX2 static inline void three8(int64_t cross[3], const struct legal_quad *q, uint32_t n)
{
    __m256i ab = _mm256_setzero_si256(), ac = ab, bc = ab;
    for (uint32_t k = 0; k < n; k += LANE) {
        struct eight a = eight_of(load8(q->i[0] + k)), b = eight_of(load8(q->i[1] + k));
        struct eight c = eight_of(load8(q->i[2] + k));
        ab = add_eight(ab, a, b);
        ac = add_eight(ac, a, c);
        bc = add_eight(bc, b, c);
    }
    cross[0] += all4(ab);
    cross[1] += all4(ac);
    cross[2] += all4(bc);
}

AVX2 static inline void neutral8(struct legal_current_sums *s, const struct legal_quad *q,
                                 uint32_t n)
{
    __m256i an = _mm256_setzero_si256(), bn = an, cn = an, nn = an, sum = an, re = an, im = an;
    for (uint32_t k = 0; k < n; k += LANE) {
        __m256i raw = load8(q->i[3] + k);
        struct eight x = eight_of(raw);
        sum = _mm256_add_epi32(sum, raw);
        nn = add_eight(nn, x, x);
        an = add_eight(an, x, eight_of(load8(q->i[0] + k)));
        bn = add_eight(bn, x, eight_of(load8(q->i[1] + k)));
        cn = add_eight(cn, x, eight_of(load8(q->i[2] + k)));
        re = add_eight(re, x, eight_of(load8(q->wave + k)));
        im = add_eight(im, x, eight_of(load8(q->wave + LEGAL_CHUNK + k)));
    }
    s->cross[3] += all4(an);
    s->cross[4] += all4(bn);
    s->cross[5] += all4(cn);
    s->nn += all4(nn);
    s->n += all8(sum);
    s->wave[0] += all4(re);
    s->wave[1] += all4(im);
}

AVX2 static inline void currents8(struct legal_current_sums *s, const struct legal_quad *q,
                                  uint32_t n, bool cross, bool neutral)
{
    if (cross)
        three8(s->cross, q, n);
    if (neutral)
        neutral8(s, q, n);
}

AVX2 static void avx2_currents(struct legal_current_sums *s, const struct legal_quad *given)
{
    bool cross = crossed(given), neutral = given->i[3] != NULL;
    struct legal_quad q = whole_quad(given);
    currents8(s, &q, q.n - q.n % LANE, cross, neutral);
    if (q.n % LANE) {
        struct tail t;
        struct legal_quad rest = tail_of_quad(&t, &q);
        currents8(s, &rest, LANE, cross, neutral);
    }
}

AVX2 static inline __m256i size8(__m256i a) /* ~a where negative */
{
    return _mm256_xor_si256(a, _mm256_srai_epi32(a, 31));
}

AVX2 static inline uint32_t any8(__m256i a)
{
    __m128i s = _mm_or_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_or_si128(s, _mm_shuffle_epi32(s, 0x4E));
    return (uint32_t)_mm_cvtsi128_si32(_mm_or_si128(s, _mm_shuffle_epi32(s, 0xB1)));
}

AVX2 static struct legal_reach avx2_reach(const int32_t *x, uint32_t n)
{
    __m256i range = _mm256_setzero_si256(), step = range, one = _mm256_set1_epi32(1);
    uint32_t k = 0;
    for (; k + LANE < n; k += LANE) { /* the steps up to the ninth */
        __m256i a = load8(x + k), d = _mm256_sub_epi32(load8(x + k + 1), a);
        range = _mm256_or_si256(range, _mm256_add_epi32(size8(a), one));
        step = _mm256_or_si256(step, size8(d));
    }
    struct legal_reach r = {any8(range), any8(step)};
    return reach_or(r, legal_sums_plain.reach(x + k, n - k));
}

const struct legal_sums_ops legal_sums_avx2 = {"avx2",        1,         LEGAL_CHUNK, avx2_phase,
                                               avx2_currents, avx2_reach};

/* --- SSE2 ----------------------------------------------------------------------------------- */

struct four { /* samples 0 2 and 1 3, raised, in the low halves of 64-bit lanes */
    __m128i even, odd;
};

static inline __m128i raised(const int32_t *x)
{
    __m128i a = _mm_loadu_si128((const __m128i *)(const void *)x);
    return _mm_add_epi32(a, _mm_set1_epi32((int)BIAS));
}

static inline struct four four_of(__m128i x)
{
    return (struct four){x, _mm_srli_epi64(x, 32)};
}

static inline __m128i add_four(__m128i sum, struct four x, struct four y)
{
    sum = _mm_add_epi64(sum, _mm_mul_epu32(x.even, y.even));
    return _mm_add_epi64(sum, _mm_mul_epu32(x.odd, y.odd));
}

static inline int64_t sum_of(__m128i raised_sum, uint32_t n) /* of plain numbers */
{
    int32_t x[4];
    memcpy(x, &raised_sum, sizeof x);
    return (int64_t)x[0] + x[1] + x[2] + x[3] - n * BIAS;
}

/* From the sum of n raised products, with the sums of both operands. */
static inline int64_t lowered(__m128i products, int64_t x, int64_t y, uint32_t n)
{
    int64_t lane[2];
    memcpy(lane, &products, sizeof lane);
    return lane[0] + lane[1] - BIAS * (x + y) - n * BIAS * BIAS;
}

static inline void phase4(struct legal_sums *s, const struct legal_duo *c, uint32_t n)
{
    __m128i uu = _mm_setzero_si128(), ii = uu, ui = uu, su = uu, si = uu, sc = uu, ss = uu;
    __m128i u_re = uu, u_im = uu, i_re = uu, i_im = uu;
    for (uint32_t k = 0; k < n; k += 4) {
        __m128i a = raised(c->u + k), b = raised(c->i + k);
        __m128i cosine = raised(c->wave + k), sine = raised(c->wave + LEGAL_CHUNK + k);
        struct four u = four_of(a), i = four_of(b), re = four_of(cosine), im = four_of(sine);
        su = _mm_add_epi32(su, a);
        si = _mm_add_epi32(si, b);
        sc = _mm_add_epi32(sc, cosine);
        ss = _mm_add_epi32(ss, sine);
        uu = add_four(uu, u, u);
        ii = add_four(ii, i, i);
        ui = add_four(ui, u, i);
        u_re = add_four(u_re, u, re);
        u_im = add_four(u_im, u, im);
        i_re = add_four(i_re, i, re);
        i_im = add_four(i_im, i, im);
    }
    int64_t u = sum_of(su, n), i = sum_of(si, n), re = sum_of(sc, n), im = sum_of(ss, n);
    s->uu += lowered(uu, u, u, n);
    s->ii += lowered(ii, i, i, n);
    s->ui += lowered(ui, u, i, n);
    s->u += u;
    s->i += i;
    s->wave[0] += lowered(u_re, u, re, n);
    s->wave[1] += lowered(u_im, u, im, n);
    s->wave[2] += lowered(i_re, i, re, n);
    s->wave[3] += lowered(i_im, i, im, n);
}

static void sse2_phase(struct legal_sums *s, const struct legal_duo *c)
{
    phase4(s, c, c->n - c->n % LANE);
    if (c->n % LANE) {
        struct tail t;
        struct legal_duo rest = tail_of_duo(&t, c);
        phase4(s, &rest, LANE);
    }
}

static inline void three4(int64_t cross[3], const struct legal_quad *q, uint32_t n)
{
    __m128i ab = _mm_setzero_si128(), ac = ab, bc = ab, sa = ab, sb = ab, sc = ab;
    for (uint32_t k = 0; k < n; k += 4) {
        __m128i x = raised(q->i[0] + k), y = raised(q->i[1] + k), z = raised(q->i[2] + k);
        struct four a = four_of(x), b = four_of(y), c = four_of(z);
        sa = _mm_add_epi32(sa, x);
        sb = _mm_add_epi32(sb, y);
        sc = _mm_add_epi32(sc, z);
        ab = add_four(ab, a, b);
        ac = add_four(ac, a, c);
        bc = add_four(bc, b, c);
    }
    int64_t a = sum_of(sa, n), b = sum_of(sb, n), c = sum_of(sc, n);
    cross[0] += lowered(ab, a, b, n);
    cross[1] += lowered(ac, a, c, n);
    cross[2] += lowered(bc, b, c, n);
}

/* Sum of the products of x and y, raised; *sum: that of y. */
static inline __m128i with(const struct four *x, const int32_t *y, __m128i *sum, __m128i products)
{
    __m128i raw = raised(y);
    *sum = _mm_add_epi32(*sum, raw);
    return add_four(products, *x, four_of(raw));
}

static inline void neutral4(struct legal_current_sums *s, const struct legal_quad *q, uint32_t n)
{
    __m128i nn = _mm_setzero_si128(), sum = nn, product[5], other[5];
    const int32_t *y[5] = {q->i[0], q->i[1], q->i[2], q->wave, q->wave + LEGAL_CHUNK};
    int64_t *out[5] = {s->cross + 3, s->cross + 4, s->cross + 5, s->wave, s->wave + 1};
    for (unsigned p = 0; p < 5; p++)
        product[p] = other[p] = nn;
    for (uint32_t k = 0; k < n; k += 4) {
        __m128i raw = raised(q->i[3] + k);
        struct four x = four_of(raw);
        sum = _mm_add_epi32(sum, raw);
        nn = add_four(nn, x, x);
        for (unsigned p = 0; p < 5; p++)
            product[p] = with(&x, y[p] + k, &other[p], product[p]);
    }
    int64_t neutral = sum_of(sum, n);
    s->nn += lowered(nn, neutral, neutral, n);
    s->n += neutral;
    for (unsigned p = 0; p < 5; p++)
        *out[p] += lowered(product[p], neutral, sum_of(other[p], n), n);
}

static inline void currents4(struct legal_current_sums *s, const struct legal_quad *q, uint32_t n,
                             bool cross, bool neutral)
{
    if (cross)
        three4(s->cross, q, n);
    if (neutral)
        neutral4(s, q, n);
}

static void sse2_currents(struct legal_current_sums *s, const struct legal_quad *given)
{
    bool cross = crossed(given), neutral = given->i[3] != NULL;
    struct legal_quad q = whole_quad(given);
    currents4(s, &q, q.n - q.n % LANE, cross, neutral);
    if (q.n % LANE) {
        struct tail t;
        struct legal_quad rest = tail_of_quad(&t, &q);
        currents4(s, &rest, LANE, cross, neutral);
    }
}

static inline uint32_t any4(__m128i a)
{
    uint32_t x[4];
    memcpy(x, &a, sizeof x);
    return x[0] | x[1] | x[2] | x[3];
}

static struct legal_reach sse2_reach(const int32_t *x, uint32_t n)
{
    __m128i range = _mm_setzero_si128(), step = range, one = _mm_set1_epi32(1);
    uint32_t k = 0;
    for (; k + 4 < n; k += 4) { /* the steps up to the fifth */
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(x + k));
        __m128i d = _mm_sub_epi32(_mm_loadu_si128((const __m128i *)(const void *)(x + k + 1)), a);
        a = _mm_xor_si128(a, _mm_srai_epi32(a, 31));
        range = _mm_or_si128(range, _mm_add_epi32(a, one));
        step = _mm_or_si128(step, _mm_xor_si128(d, _mm_srai_epi32(d, 31)));
    }
    struct legal_reach r = {any4(range), any4(step)};
    return reach_or(r, legal_sums_plain.reach(x + k, n - k));
}

const struct legal_sums_ops legal_sums_sse2 = {"sse2",        1,         LEGAL_CHUNK, sse2_phase,
                                               sse2_currents, sse2_reach};
#endif
