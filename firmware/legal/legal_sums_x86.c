/* The inner loops for x86-64: with SSE2, which every such processor has, and with AVX2 and FMA
 * (level x86-64-v3), asked for at run time; see legal_sums.h.
 *
 * Both count in doubles, because these processors multiply those fastest. Nothing is ever rounded:
 * a product of two samples is at most 2^46, a chunk has 2^7 of them, and a double holds every
 * integer up to 2^53. So the sums are the plain variant's, bit by bit, in any order.
 *
 * Loops take four samples at a time; what is left over is copied before zeros, which add nothing.
 */
#include "firmware/legal/legal_sums.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

_Static_assert(2 * (LEGAL_WAVE_BITS) + 7 <= 53 && LEGAL_CHUNK == 1 << 7,
               "a chunk's sums are exact");

#define V3   __attribute__((target("avx2,fma")))
#define LANE 4

/* The last n % LANE samples of up to four channels and the wave. */
struct tail {
    int32_t x[4][LANE], wave[LEGAL_CHUNK + LANE];
};

static void tail_copy(int32_t out[LANE], const int32_t *x, uint32_t n)
{
    for (uint32_t k = 0; k < LANE; k++)
        out[k] = k < n % LANE ? x[n - n % LANE + k] : 0;
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
    const int32_t *const *i = c->i;
    return (struct legal_quad){{i[0] ? i[0] : legal_silence, i[1] ? i[1] : legal_silence,
                                i[2] ? i[2] : legal_silence, i[3] ? i[3] : legal_silence},
                               c->wave,
                               c->n};
}

static struct legal_reach reach_or(struct legal_reach a, struct legal_reach b)
{
    return (struct legal_reach){a.range | b.range, a.step | b.step};
}

/* --- AVX2 and FMA ----------------------------------------------------------------------------- */

V3 static inline __m256d double4(const int32_t *x)
{
    return _mm256_cvtepi32_pd(_mm_loadu_si128((const __m128i *)(const void *)x));
}

/* sum + x y */
V3 static inline __m256d mac4(__m256d x, __m256d y, __m256d sum)
{
    return _mm256_fmadd_pd(x, y, sum);
}

V3 static inline int64_t all4(__m256d a)
{
    __m128d s = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvttsd_si64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}

/* The integers of four lanes each: 1.5 x 2^52 added, a double's bits count ones, as long as a lane
 * stays within 2^51: a quarter of a chunk does. */
V3 static inline __m256i ones4(__m256d a)
{
    return _mm256_castpd_si256(_mm256_add_pd(a, _mm256_set1_pd(0x1.8p52)));
}

/* All lanes of each of four. */
V3 static inline void all4_of_four(int64_t out[4], __m256d a, __m256d b, __m256d c, __m256d d)
{
    __m256i ia = ones4(a), ib = ones4(b), ic = ones4(c), id = ones4(d);
    __m256i ab = _mm256_add_epi64(_mm256_unpacklo_epi64(ia, ib), _mm256_unpackhi_epi64(ia, ib));
    __m256i cd = _mm256_add_epi64(_mm256_unpacklo_epi64(ic, id), _mm256_unpackhi_epi64(ic, id));
    __m256i sum = _mm256_add_epi64(_mm256_permute2x128_si256(ab, cd, 0x20),
                                   _mm256_permute2x128_si256(ab, cd, 0x31));
    __m256i bias = _mm256_slli_epi64(ones4(_mm256_setzero_pd()), 2);
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_sub_epi64(sum, bias));
}

V3 static inline void phase4(struct legal_sums *s, const struct legal_duo *c, uint32_t n)
{
    __m256d uu = _mm256_setzero_pd(), ii = uu, ui = uu, su = uu, si = uu;
    __m256d u_re = uu, u_im = uu, i_re = uu, i_im = uu;
    for (uint32_t k = 0; k < n; k += 4) {
        __m256d u = double4(c->u + k), i = double4(c->i + k);
        __m256d re = double4(c->wave + k), im = double4(c->wave + LEGAL_CHUNK + k);
        su = _mm256_add_pd(su, u);
        si = _mm256_add_pd(si, i);
        uu = mac4(u, u, uu);
        ii = mac4(i, i, ii);
        ui = mac4(u, i, ui);
        u_re = mac4(u, re, u_re);
        u_im = mac4(u, im, u_im);
        i_re = mac4(i, re, i_re);
        i_im = mac4(i, im, i_im);
    }
    int64_t sum[4], wave[4];
    all4_of_four(sum, uu, ii, ui, su);
    all4_of_four(wave, u_re, u_im, i_re, i_im);
    s->uu += sum[0];
    s->ii += sum[1];
    s->ui += sum[2];
    s->u += sum[3];
    s->i += all4(si);
    for (unsigned k = 0; k < 4; k++)
        s->wave[k] += wave[k];
}

V3 static void v3_phase(struct legal_sums *s, const struct legal_duo *c)
{
    phase4(s, c, c->n - c->n % LANE);
    if (c->n % LANE) {
        struct tail t;
        struct legal_duo rest = tail_of_duo(&t, c);
        phase4(s, &rest, LANE);
    }
}

V3 static inline void three4(int64_t cross[3], const struct legal_quad *q, uint32_t n)
{
    __m256d ab = _mm256_setzero_pd(), ac = ab, bc = ab;
    for (uint32_t k = 0; k < n; k += 4) {
        __m256d a = double4(q->i[0] + k), b = double4(q->i[1] + k), c = double4(q->i[2] + k);
        ab = mac4(a, b, ab);
        ac = mac4(a, c, ac);
        bc = mac4(b, c, bc);
    }
    cross[0] += all4(ab);
    cross[1] += all4(ac);
    cross[2] += all4(bc);
}

V3 static inline void neutral4(struct legal_current_sums *s, const struct legal_quad *q, uint32_t n)
{
    __m256d ab = _mm256_setzero_pd(), ac = ab, bc = ab, an = ab, bn = ab, cn = ab;
    __m256d nn = ab, sum = ab, re = ab, im = ab;
    for (uint32_t k = 0; k < n; k += 4) {
        __m256d x = double4(q->i[3] + k), a = double4(q->i[0] + k);
        __m256d b = double4(q->i[1] + k), c = double4(q->i[2] + k);
        sum = _mm256_add_pd(sum, x);
        nn = mac4(x, x, nn);
        re = mac4(x, double4(q->wave + k), re);
        im = mac4(x, double4(q->wave + LEGAL_CHUNK + k), im);
        an = mac4(a, x, an);
        bn = mac4(b, x, bn);
        cn = mac4(c, x, cn);
        ab = mac4(a, b, ab);
        ac = mac4(a, c, ac);
        bc = mac4(b, c, bc);
    }
    int64_t cross[4], other[4];
    all4_of_four(cross, ab, ac, bc, an);
    all4_of_four(other, bn, cn, nn, sum);
    for (unsigned k = 0; k < 4; k++)
        s->cross[k] += cross[k];
    s->cross[4] += other[0];
    s->cross[5] += other[1];
    s->nn += other[2];
    s->n += other[3];
    s->wave[0] += all4(re);
    s->wave[1] += all4(im);
}

V3 static inline void currents4(struct legal_current_sums *s, const struct legal_quad *q,
                                uint32_t n, bool neutral)
{
    if (neutral)
        neutral4(s, q, n);
    else
        three4(s->cross, q, n);
}

V3 static void v3_currents(struct legal_current_sums *s, const struct legal_quad *given)
{
    bool neutral = given->i[3] != NULL;
    struct legal_quad q = whole_quad(given);
    currents4(s, &q, q.n - q.n % LANE, neutral);
    if (q.n % LANE) {
        struct tail t;
        struct legal_quad rest = tail_of_quad(&t, &q);
        currents4(s, &rest, LANE, neutral);
    }
}

V3 static inline __m256i load8(const int32_t *x)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)x);
}

V3 static inline __m256i size8(__m256i a) /* ~a where negative */
{
    return _mm256_xor_si256(a, _mm256_srai_epi32(a, 31));
}

V3 static inline uint32_t any8(__m256i a)
{
    __m128i s = _mm_or_si128(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_or_si128(s, _mm_shuffle_epi32(s, 0x4E));
    return (uint32_t)_mm_cvtsi128_si32(_mm_or_si128(s, _mm_shuffle_epi32(s, 0xB1)));
}

V3 static struct legal_reach v3_reach(const int32_t *x, uint32_t n)
{
    __m256i range = _mm256_setzero_si256(), step = range, one = _mm256_set1_epi32(1);
    uint32_t k = 0;
    for (; k + 8 < n; k += 8) { /* the steps up to the ninth */
        __m256i a = load8(x + k), d = _mm256_sub_epi32(load8(x + k + 1), a);
        range = _mm256_or_si256(range, _mm256_add_epi32(size8(a), one));
        step = _mm256_or_si256(step, size8(d));
    }
    struct legal_reach r = {any8(range), any8(step)};
    return reach_or(r, legal_sums_plain.reach(x + k, n - k));
}

const struct legal_sums_ops legal_sums_v3 = {"v3", 1, LEGAL_CHUNK, v3_phase, v3_currents, v3_reach};

/* --- SSE2 ------------------------------------------------------------------------------------- */

static inline __m128d double2(const int32_t *x)
{
    return _mm_cvtepi32_pd(_mm_loadl_epi64((const __m128i *)(const void *)x));
}

/* sum + x y */
static inline __m128d mac2(__m128d x, __m128d y, __m128d sum)
{
    return _mm_add_pd(sum, _mm_mul_pd(x, y));
}

static inline int64_t all2(__m128d a)
{
    return _mm_cvttsd_si64(_mm_add_sd(a, _mm_unpackhi_pd(a, a)));
}

static inline void phase2(struct legal_sums *s, const struct legal_duo *c, uint32_t n)
{
    __m128d uu = _mm_setzero_pd(), ii = uu, ui = uu, su = uu, si = uu;
    __m128d u_re = uu, u_im = uu, i_re = uu, i_im = uu;
    for (uint32_t k = 0; k < n; k += 2) {
        __m128d u = double2(c->u + k), i = double2(c->i + k);
        __m128d re = double2(c->wave + k), im = double2(c->wave + LEGAL_CHUNK + k);
        su = _mm_add_pd(su, u);
        si = _mm_add_pd(si, i);
        uu = mac2(u, u, uu);
        ii = mac2(i, i, ii);
        ui = mac2(u, i, ui);
        u_re = mac2(u, re, u_re);
        u_im = mac2(u, im, u_im);
        i_re = mac2(i, re, i_re);
        i_im = mac2(i, im, i_im);
    }
    s->uu += all2(uu);
    s->ii += all2(ii);
    s->ui += all2(ui);
    s->u += all2(su);
    s->i += all2(si);
    s->wave[0] += all2(u_re);
    s->wave[1] += all2(u_im);
    s->wave[2] += all2(i_re);
    s->wave[3] += all2(i_im);
}

static void sse2_phase(struct legal_sums *s, const struct legal_duo *c)
{
    phase2(s, c, c->n - c->n % LANE);
    if (c->n % LANE) {
        struct tail t;
        struct legal_duo rest = tail_of_duo(&t, c);
        phase2(s, &rest, LANE);
    }
}

static inline void three2(int64_t cross[3], const struct legal_quad *q, uint32_t n)
{
    __m128d ab = _mm_setzero_pd(), ac = ab, bc = ab;
    for (uint32_t k = 0; k < n; k += 2) {
        __m128d a = double2(q->i[0] + k), b = double2(q->i[1] + k), c = double2(q->i[2] + k);
        ab = mac2(a, b, ab);
        ac = mac2(a, c, ac);
        bc = mac2(b, c, bc);
    }
    cross[0] += all2(ab);
    cross[1] += all2(ac);
    cross[2] += all2(bc);
}

static inline void neutral2(struct legal_current_sums *s, const struct legal_quad *q, uint32_t n)
{
    __m128d ab = _mm_setzero_pd(), ac = ab, bc = ab, an = ab, bn = ab, cn = ab;
    __m128d nn = ab, sum = ab, re = ab, im = ab;
    for (uint32_t k = 0; k < n; k += 2) {
        __m128d x = double2(q->i[3] + k), a = double2(q->i[0] + k);
        __m128d b = double2(q->i[1] + k), c = double2(q->i[2] + k);
        sum = _mm_add_pd(sum, x);
        nn = mac2(x, x, nn);
        re = mac2(x, double2(q->wave + k), re);
        im = mac2(x, double2(q->wave + LEGAL_CHUNK + k), im);
        an = mac2(a, x, an);
        bn = mac2(b, x, bn);
        cn = mac2(c, x, cn);
        ab = mac2(a, b, ab);
        ac = mac2(a, c, ac);
        bc = mac2(b, c, bc);
    }
    s->cross[0] += all2(ab);
    s->cross[1] += all2(ac);
    s->cross[2] += all2(bc);
    s->cross[3] += all2(an);
    s->cross[4] += all2(bn);
    s->cross[5] += all2(cn);
    s->nn += all2(nn);
    s->n += all2(sum);
    s->wave[0] += all2(re);
    s->wave[1] += all2(im);
}

static inline void currents2(struct legal_current_sums *s, const struct legal_quad *q, uint32_t n,
                             bool neutral)
{
    if (neutral)
        neutral2(s, q, n);
    else
        three2(s->cross, q, n);
}

static void sse2_currents(struct legal_current_sums *s, const struct legal_quad *given)
{
    bool neutral = given->i[3] != NULL;
    struct legal_quad q = whole_quad(given);
    currents2(s, &q, q.n - q.n % LANE, neutral);
    if (q.n % LANE) {
        struct tail t;
        struct legal_quad rest = tail_of_quad(&t, &q);
        currents2(s, &rest, LANE, neutral);
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
