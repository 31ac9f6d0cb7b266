/* The inner loops for processors that multiply 32 by 32 bits to 32 only (Cortex-M0+); see
 * legal_sums.h.
 *
 * There a 64-bit product is a call of some forty instructions. So a sample is split, x = a 2^12 + b
 * with -2048 <= a <= 2048 and 0 <= b < 4096, and a product has three parts that add up in 32 bits
 * over a chunk (2 x 2048 x 4095 x 128 < 2^31):
 *
 *     x y = a a' 2^24 + (a b' + a' b) 2^12 + b b'
 *
 * One product at a time: three sums and four operands are all that fits the registers. */
#include "firmware/legal/legal_sums.h"

_Static_assert(2 * 2048 * INT64_C(4095) * LEGAL_CHUNK < INT32_MAX, "a chunk's split sums fit");

struct parts {
    int32_t high, middle, low;
};

static int64_t joined(struct parts p)
{
    return (int64_t)p.high * (1 << 24) + (int64_t)p.middle * (1 << 12) + p.low;
}

static int64_t product(const int32_t *x, const int32_t *y, uint32_t n)
{
    struct parts p = {0, 0, 0};
    for (const int32_t *end = x + n; x != end;) {
        int32_t b = *x++, d = *y++, a = b >> 12, c = d >> 12;
        b &= 0xFFF;
        d &= 0xFFF;
        p.high += a * c;
        p.middle += a * d;
        p.middle += b * c;
        p.low += b * d;
    }
    return joined(p);
}

static int64_t square(const int32_t *x, uint32_t n, int64_t *sum)
{
    struct parts p = {0, 0, 0};
    int32_t s = 0;
    for (const int32_t *end = x + n; x != end;) {
        int32_t b = *x++, a = b >> 12;
        s += b;
        b &= 0xFFF;
        p.high += a * a;
        p.middle += a * b;
        p.low += b * b;
    }
    *sum += s;
    return joined(p) + (int64_t)p.middle * (1 << 12); /* the middle counts twice */
}

static void split_phase(struct legal_sums *s, const struct legal_duo *c)
{
    const int32_t *sine = c->wave + LEGAL_CHUNK;
    s->uu += square(c->u, c->n, &s->u);
    s->ii += square(c->i, c->n, &s->i);
    s->ui += product(c->u, c->i, c->n);
    s->wave[0] += product(c->u, c->wave, c->n);
    s->wave[1] += product(c->u, sine, c->n);
    s->wave[2] += product(c->i, c->wave, c->n);
    s->wave[3] += product(c->i, sine, c->n);
}

static void split_currents(struct legal_current_sums *s, const struct legal_quad *c)
{
    static const uint8_t pair[LEGAL_N_CROSS][2] = {{0, 1}, {0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}};
    for (unsigned k = 0; k < LEGAL_N_CROSS; k++)
        if (c->i[pair[k][0]] && c->i[pair[k][1]])
            s->cross[k] += product(c->i[pair[k][0]], c->i[pair[k][1]], c->n);
    if (!c->i[3])
        return;
    s->nn += square(c->i[3], c->n, &s->n);
    s->wave[0] += product(c->i[3], c->wave, c->n);
    s->wave[1] += product(c->i[3], c->wave + LEGAL_CHUNK, c->n);
}

const struct legal_sums_ops legal_sums_split = {
    "split", 1, LEGAL_CHUNK, split_phase, split_currents, legal_reach_of};
