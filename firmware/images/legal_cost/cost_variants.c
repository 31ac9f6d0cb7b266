/* Holds a variant of the inner loops, and the division, against sums made one sample at a time:
 * random samples and those at the ends of the range, all lengths of a chunk, absent channels; and
 * quotients that are known. */
#include "firmware/images/legal_cost/cost.h"

#include <string.h>

#define FULL (INT32_C(1) << 23)

struct trial {
    int32_t x[AFE_N_CHANNELS][LEGAL_CHUNK], cosine[LEGAL_CHUNK], sine[LEGAL_CHUNK];
    int32_t wave[2 * LEGAL_CHUNK]; /* as the variant wants it */
    const int32_t *present[AFE_N_CHANNELS];
    uint32_t n;
};

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 7;
}

/* Of full range; or at its ends, which are worst for every sum; or all at one of them. */
static int32_t random_sample(uint32_t *state, uint32_t kind)
{
    uint32_t r = random_next(state);
    if (kind == 0)
        return (int32_t)(r & 0xFFFFFF) - FULL;
    if (kind == 1)
        return r & 64 ? FULL - 1 : -FULL;
    return kind == 2 ? -FULL : FULL - 1;
}

static void draw(struct trial *t, const struct legal_sums_ops *ops, uint32_t *state)
{
    uint32_t present = random_next(state) % 3 ? 0x7F : random_next(state);
    uint32_t kind = random_next(state) % 8;
    t->n = 1 + random_next(state) % LEGAL_CHUNK;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        t->present[c] = present >> c & 1 ? t->x[c] : NULL;
        for (unsigned k = 0; k < LEGAL_CHUNK; k++)
            t->x[c][k] = random_sample(state, kind > 3 ? 0 : kind);
    }
    for (unsigned k = 0; k < LEGAL_CHUNK; k++) {
        t->cosine[k] = random_sample(state, kind > 3 ? 0 : kind);
        t->sine[k] = random_sample(state, kind > 3 ? 0 : kind);
        t->wave[k * ops->stride] = t->cosine[k];
        t->wave[k * ops->stride + ops->sine] = t->sine[k];
    }
}

static int64_t product(const int32_t *x, const int32_t *y, uint32_t n)
{
    int64_t sum = 0;
    for (uint32_t k = 0; x && y && k < n; k++)
        sum += (int64_t)x[k] * y[k];
    return sum;
}

static int64_t plain_sum(const int32_t *x, uint32_t n)
{
    int64_t sum = 0;
    for (uint32_t k = 0; x && k < n; k++)
        sum += x[k];
    return sum;
}

static unsigned phase_differs(const struct trial *t, const struct legal_sums_ops *ops, unsigned p)
{
    const int32_t *u = t->present[AFE_U1 + p], *i = t->present[AFE_I1 + p];
    struct legal_duo duo = {u ? u : legal_silence, i ? i : legal_silence, t->wave, t->n};
    struct legal_sums is = {.uu = 1, .i = -1};
    struct legal_sums must = {1 + product(u, u, t->n),
                              product(i, i, t->n),
                              product(u, i, t->n),
                              plain_sum(u, t->n),
                              plain_sum(i, t->n) - 1,
                              {product(u, t->cosine, t->n), product(u, t->sine, t->n),
                               product(i, t->cosine, t->n), product(i, t->sine, t->n)}};
    ops->phase(&is, &duo);
    return memcmp(&is, &must, sizeof is) != 0;
}

static unsigned currents_differ(const struct trial *t, const struct legal_sums_ops *ops)
{
    const int32_t *const *i = t->present + AFE_I1;
    struct legal_quad quad = {{i[0], i[1], i[2], i[3]}, t->wave, t->n};
    struct legal_current_sums is = {.nn = 1};
    struct legal_current_sums must = {
        {product(i[0], i[1], t->n), product(i[0], i[2], t->n), product(i[1], i[2], t->n),
         product(i[0], i[3], t->n), product(i[1], i[3], t->n), product(i[2], i[3], t->n)},
        1 + product(i[3], i[3], t->n),
        plain_sum(i[3], t->n),
        {product(i[3], t->cosine, t->n), product(i[3], t->sine, t->n)}};
    ops->currents(&is, &quad);
    return memcmp(&is, &must, sizeof is) != 0;
}

/* As legal_sums.h says; samples go beyond the range here. */
static unsigned reach_differs(struct trial *t, const struct legal_sums_ops *ops, uint32_t *state)
{
    struct legal_reach must = {0, 0}, is;
    unsigned shift = random_next(state) % 28;
    for (uint32_t k = 0; k < t->n; k++) {
        uint32_t bits = random_next(state) << 16 ^ random_next(state);
        t->x[0][k] = random_next(state) % 2 ? t->x[1][k] : (int32_t)bits >> shift;
        int32_t x = t->x[0][k],
                step = (int32_t)((uint32_t)x - (uint32_t)t->x[0][k > 0 ? k - 1 : 0]);
        must.range |= (uint32_t)(x < 0 ? ~x : x) + 1;
        must.step |= (uint32_t)(step < 0 ? ~step : step);
    }
    is = ops->reach(t->x[0], t->n);
    return is.range >> 23 != must.range >> 23 || is.step != must.step;
}

/* A product and less than half of a factor, divided by that factor: each processor has its own way.
 */
static unsigned quotient_differs(uint32_t *state)
{
    uint64_t high = random_next(state), low = random_next(state), more = random_next(state);
    uint64_t d = (high << 39 ^ low << 20 ^ more) >> (1 + random_next(state) % 62) | 3;
    int64_t q = (int64_t)(low << 40 ^ more << 17 ^ high) >> random_next(state) % 63;
    int64_t rest = (int64_t)(more << 38 ^ high << 9 ^ low) % (int64_t)(d / 2);
    struct wide a = wide_of(q < 0 ? -rest : rest);
    wide_mul_add(&a, q, (int64_t)d);
    return wide_div(&a, d) != q;
}

unsigned cost_variant_differs(const struct legal_sums_ops *ops, unsigned rounds)
{
    static struct trial t; /* of images and tests only */
    uint32_t state = 1;
    unsigned differs = 0;
    for (unsigned r = 0; r < rounds; r++) {
        draw(&t, ops, &state);
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
            differs += phase_differs(&t, ops, p);
        differs += currents_differ(&t, ops);
        differs += reach_differs(&t, ops, &state);
        differs += quotient_differs(&state);
    }
    return differs;
}
