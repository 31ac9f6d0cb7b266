/* Wide integer arithmetic of the legal part; see legal_math.h. */
#include "firmware/legal/legal_math.h"

#include <stdbool.h>

int wide_sign(const struct wide *a)
{
    if (a->hi < 0)
        return -1;
    return a->hi != 0 || a->lo != 0;
}

void wide_add(struct wide *a, const struct wide *b)
{
    uint64_t lo = a->lo + b->lo;
    a->hi = (int64_t)((uint64_t)a->hi + (uint64_t)b->hi + (lo < a->lo));
    a->lo = lo;
}

void wide_neg(struct wide *a)
{
    a->hi = (int64_t)(~(uint64_t)a->hi + (a->lo == 0));
    a->lo = 0 - a->lo;
}

/* The 64 bits from n places below the top; 0 < n < 64. Out of line, as below. */
__attribute__((noinline)) static uint64_t below_top(const struct wide *a, int n)
{
    return (uint64_t)a->hi << n | a->lo >> (64 - n);
}

void wide_shl(struct wide *a, int n)
{
    if (n >= 64) {
        *a = (struct wide){(int64_t)a->lo, 0};
        n -= 64;
    }
    if (n == 0)
        return;
    a->hi = (int64_t)below_top(a, n);
    a->lo <<= n;
}

void wide_floor(struct wide *a, int n)
{
    if (n >= 64) {
        *a = wide_of(a->hi);
        n -= 64;
    }
    if (n == 0)
        return;
    a->lo = below_top(a, 64 - n);
    a->hi >>= n;
}

void wide_sar(struct wide *a, int n)
{
    const struct wide one = {0, 1};
    if (n == 0)
        return;
    wide_floor(a, n - 1);
    wide_add(a, &one);
    wide_floor(a, 1);
}

int64_t wide_narrow(const struct wide *a)
{
    if (a->hi == ((int64_t)a->lo < 0 ? -1 : 0))
        return (int64_t)a->lo;
    return a->hi < 0 ? INT64_MIN : INT64_MAX;
}

static uint64_t low32(uint64_t a)
{
    return a & UINT32_MAX;
}

/* Full product from four 32-bit partial products. */
static struct wide mul_u64(uint64_t a, uint64_t b)
{
    uint64_t ll = low32(a) * low32(b), lh = low32(a) * (b >> 32);
    uint64_t hl = (a >> 32) * low32(b), hh = (a >> 32) * (b >> 32);
    uint64_t mid = (ll >> 32) + low32(lh) + low32(hl);
    return (struct wide){(int64_t)(hh + (lh >> 32) + (hl >> 32) + (mid >> 32)),
                         (mid << 32) | low32(ll)};
}

static uint64_t magnitude(int64_t a)
{
    return a < 0 ? 0 - (uint64_t)a : (uint64_t)a;
}

int leading_zeros(uint64_t a)
{
    return __builtin_clzll(a);
}

/* Out of line: its copies would be larger than the calls. */
__attribute__((noinline)) int64_t shifted(int64_t a, int n)
{
    return n >= 0 ? (int64_t)((uint64_t)a << n) : a >> -n;
}

static int wide_zeros(const struct wide *a) /* a > 0 */
{
    return a->hi ? leading_zeros((uint64_t)a->hi) : 64 + leading_zeros(a->lo);
}

/* The unsigned product, less 2^64 times the other factor for each negative one. */
struct wide wide_mul(int64_t a, int64_t b)
{
    struct wide p = mul_u64((uint64_t)a, (uint64_t)b);
    uint64_t less = (a < 0 ? (uint64_t)b : 0) + (b < 0 ? (uint64_t)a : 0);
    return (struct wide){(int64_t)((uint64_t)p.hi - less), p.lo};
}

void wide_mul_add(struct wide *sum, int64_t a, int64_t b)
{
    struct wide p = wide_mul(a, b);
    wide_add(sum, &p);
}

void wide_mul_sub(struct wide *sum, int64_t a, int64_t b)
{
    struct wide p = wide_mul(a, b);
    wide_neg(&p);
    wide_add(sum, &p);
}

int64_t mul_sar(int64_t a, int64_t b, int n)
{
    const struct wide half = {0, UINT64_C(1) << (n - 1)};
    struct wide p = wide_mul(a, b);
    wide_add(&p, &half);
    wide_floor(&p, n);
    return wide_narrow(&p);
}

int64_t mul_part(int64_t a, int32_t q32)
{
    int64_t lower = (int64_t)low32((uint64_t)a) * q32 + (INT64_C(1) << 31);
    return (a >> 32) * q32 + (lower >> 32);
}

uint64_t mul_sqrt(int64_t a, int64_t b)
{
    struct wide p = wide_mul(a, b);
    return wide_sqrt(&p);
}

/* r / d, at most UINT32_MAX, for d >= 2^31. */
#if UINTPTR_MAX > UINT32_MAX
static uint32_t divide_by_32(uint64_t r, uint32_t d)
{
    return r >> 32 >= d ? UINT32_MAX : (uint32_t)(r / d);
}
#else
/* Two digits of 16 bits, so that a processor's 32-bit division does; the estimate from d's upper
 * half is at most 2 too large. */
static uint32_t divide_by_32(uint64_t r, uint32_t d)
{
    uint32_t upper = d >> 16 | UINT32_C(1) << 15, q = 0; /* the top bit, said for analysers */
    if (r >> 32 >= d)
        return UINT32_MAX;
    for (int shift = 16; shift >= 0; shift -= 16) {
        uint32_t digit = (uint32_t)(r >> shift >> 16) / upper;
        digit = digit > 0xFFFF ? 0xFFFF : digit;
        while ((uint64_t)digit * d > r >> shift)
            digit--;
        r -= (uint64_t)digit * d << shift;
        q = q << 16 | digit;
    }
    return q;
}
#endif

/* One 32-bit digit of the long division: *r < d and the next digit give the digit and the new
 * remainder. d has its top bit set, so the estimate from d's upper half is at most 2 too large. */
static uint64_t divide_digit(uint64_t *r, uint64_t next, uint64_t d)
{
    uint64_t upper = d >> 32, q = divide_by_32(*r, (uint32_t)upper);
    uint64_t rest = *r - q * upper;
    while (rest <= UINT32_MAX && q * low32(d) > ((rest << 32) | next)) {
        q--;
        rest += upper;
    }
    *r = ((*r << 32) | next) - q * d;
    return q;
}

/* (hi:lo) / d, floor, saturating. */
static uint64_t divide(uint64_t hi, uint64_t lo, uint64_t d)
{
    if (hi >= d)
        return UINT64_MAX;
    if (hi == 0)
        return lo / d;
    int n = leading_zeros(d);
    struct wide a = {(int64_t)hi, lo};
    wide_shl(&a, n);
    uint64_t r = (uint64_t)a.hi;
    d <<= n;
    uint64_t q = divide_digit(&r, a.lo >> 32, d);
    return (q << 32) | divide_digit(&r, low32(a.lo), d);
}

int64_t wide_div(const struct wide *a, uint64_t d)
{
    const struct wide half = {0, d / 2};
    struct wide m = *a;
    if (m.hi < 0)
        wide_neg(&m);
    wide_add(&m, &half);
    uint64_t q = divide((uint64_t)m.hi, m.lo, d);
    if (q > INT64_MAX)
        q = INT64_MAX;
    return a->hi < 0 ? -(int64_t)q : (int64_t)q;
}

/* Square roots by Newton's steps from above, each of which doubles the digits: from a 16-bit root
 * of the upper 32 bits to one of 64 bits. What a step leaves too large is at most a few; where it
 * began at the root itself it stays. The argument's two top bits are not both 0. */
static uint64_t root_of_64(uint64_t a)
{
    uint32_t top = (uint32_t)(a >> 32), r = (top >> 17) + 0x5E00; /* from within 6 % */
    r = (r + top / r) / 2;
    r = (r + top / r) / 2;
    while ((uint64_t)r * r > top)
        r--;
    r = r << 16 | 0xFFFF;
    uint32_t q = divide_by_32(a, r);
    r -= q < r ? (r - q) / 2 : 0;
    while ((uint64_t)r * r > a)
        r--;
    return r;
}

static bool square_above(uint64_t r, const struct wide *a)
{
    struct wide square = mul_u64(r, r);
    uint64_t hi = (uint64_t)square.hi;
    return hi != (uint64_t)a->hi ? hi > (uint64_t)a->hi : square.lo > a->lo;
}

uint64_t wide_sqrt(const struct wide *a)
{
    struct wide top = *a;
    if (wide_sign(a) <= 0)
        return 0;
    int n = wide_zeros(a) & ~1;
    wide_shl(&top, n);
    uint64_t r = root_of_64((uint64_t)top.hi) << 32 | UINT32_MAX;
    uint64_t q = divide((uint64_t)top.hi, top.lo, r);
    r -= q < r ? (r - q) / 2 : 0;
    while (square_above(r, &top))
        r--;
    return r >> n / 2;
}

uint64_t mul_div_u64(uint64_t a, uint64_t b, uint64_t d)
{
    struct wide p = mul_u64(a, b);
    return divide((uint64_t)p.hi, p.lo, d);
}

int64_t mul_div_i64(int64_t a, uint64_t b, uint64_t d)
{
    struct wide p = mul_u64(magnitude(a), b);
    int64_t q = wide_div(&p, d);
    return a < 0 ? -q : q;
}

struct gain gain_of(uint64_t a)
{
    if (a == 0)
        return (struct gain){0, 0};
    int n = leading_zeros(a);
    return (struct gain){a << n, -n};
}

void gain_mul(struct gain *g, uint64_t m)
{
    struct gain f = gain_of(m);
    struct wide p = mul_u64(g->mant, f.mant);
    if (p.hi == 0) {
        *g = gain_of(0);
        return;
    }
    int n = p.hi < 0 ? 0 : 1;
    wide_shl(&p, n);
    *g = (struct gain){(uint64_t)p.hi, g->exp + f.exp + 64 - n};
}

void gain_div(struct gain *g, uint64_t d)
{
    struct gain f = gain_of(d);
    if (g->mant == 0)
        return;
    /* mant/2 < f.mant, so the quotient of mant * 2^63 fits and has 63 or 64 bits */
    uint64_t q = divide(g->mant >> 1, g->mant << 63, f.mant);
    int n = leading_zeros(q);
    *g = (struct gain){q << n, g->exp - f.exp - 63 - n};
}

void gain_apply(struct wide *out, const struct gain *g, int64_t v)
{
    *out = mul_u64(magnitude(v), g->mant);
    if (g->exp <= -127 || wide_sign(out) == 0)
        *out = wide_of(0);
    else if (g->exp < 0)
        wide_sar(out, -g->exp);
    else if (wide_zeros(out) < g->exp + 2) /* 2^126 and more */
        *out = (struct wide){INT64_MAX, UINT64_MAX};
    else
        wide_shl(out, g->exp);
    if (v < 0)
        wide_neg(out);
}

/* atan(2^-k) in 2^-10 millidegrees. */
static const int32_t arc[] = {46080000, 27202612, 14373113, 7296017, 3662166, 1832868,
                              916658,   458357,   229182,   114591,  57296,   28648,
                              14324,    7162,     3581,     1790,    895,     448,
                              224,      112,      56,       28,      14};

int32_t atan2_mdeg(int64_t y, int64_t x)
{
    if (x == 0 && y == 0)
        return 0;
    uint64_t m = magnitude(x) | magnitude(y);
    int n = leading_zeros(m) - 4; /* 59 bits: room for CORDIC's growth of 1.65 */
    x = shifted(x, n);
    y = shifted(y, n);
    int32_t angle = 0;
    if (x < 0) {
        angle = y < 0 ? -180000 * 1024 : 180000 * 1024;
        x = -x;
        y = -y;
    }
    for (int k = 0; k < (int)(sizeof arc / sizeof arc[0]); k++) {
        int64_t dx = shifted(y, -k), dy = shifted(x, -k);
        if (y > 0) {
            x += dx;
            y -= dy;
            angle += arc[k];
        } else {
            x -= dx;
            y += dy;
            angle -= arc[k];
        }
    }
    return (angle + 512) >> 10;
}

void rotor_times(int64_t x[2], struct rotor r)
{
    int64_t re = x[0], im = x[1];
    x[0] = re * r.cosine - im * r.sine;
    x[1] = re * r.sine + im * r.cosine;
}

static int32_t product_q30(int32_t a, int32_t b)
{
    return (int32_t)((int64_t)a * b >> SINE_BITS);
}

/* The sum of both angles. */
static struct rotor rotor_turn(struct rotor a, struct rotor b)
{
    const int64_t half = 1 << (SINE_BITS - 1);
    int64_t re = (int64_t)a.cosine * b.cosine - (int64_t)a.sine * b.sine + half;
    int64_t im = (int64_t)a.sine * b.cosine + (int64_t)a.cosine * b.sine + half;
    return (struct rotor){(int32_t)(re >> SINE_BITS), (int32_t)(im >> SINE_BITS)};
}

/* The nearest entry of the table, turned by the angle b that is left (below 0.0123): sin b = b -
 * b^3/6 and cos b = 1 - b^2/2, each right to 2^-30. All factors have 32 bits, for Cortex-M4. */
struct rotor rotor_of(uint32_t turn)
{
    uint32_t at = (turn + (UINT32_C(1) << 23)) >> 24;
    int32_t b = product_q30((int32_t)(turn - (at << 24)), 1686629713); /* 2 pi 2^28 */
    int32_t bb = product_q30(b, b);
    struct rotor rest = {(1 << SINE_BITS) - bb / 2, b - product_q30(b, bb) / 6};
    struct rotor entry = {sine_at(at + SINE_QUARTER), sine_at(at)};
    return rotor_turn(entry, rest);
}
