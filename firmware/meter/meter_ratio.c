/* See meter_ratio.h. 128 bits are two words here: no compiler for a small target has more. */
#include "firmware/meter/meter_ratio.h"

bool meter_ratio_valid(const struct meter_ratio *r)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t num = r->part[METER_CT_NUM + i], den = r->part[METER_CT_DEN + i];
        if (den < 1 || den > METER_RATIO_DEN_MAX || num > METER_RATIO_NUM_MAX)
            return false;
        if (num < 1 || num > den * METER_RATIO_MAX)
            return false;
    }
    return true;
}

static uint64_t numerator(const struct meter_ratio *r)
{
    return (uint64_t)r->part[METER_CT_NUM] * r->part[METER_VT_NUM];
}

static uint64_t denominator(const struct meter_ratio *r)
{
    return (uint64_t)r->part[METER_CT_DEN] * r->part[METER_VT_DEN];
}

int8_t meter_ratio_decades(const struct meter_ratio *r)
{
    int8_t k = 0;
    uint64_t least = denominator(r) * 10; /* at most 1e7: nine decades more fit */
    while (least <= numerator(r)) {
        least *= 10;
        k++;
    }
    return k;
}

/* a x b / c by long division, bit by bit from the top of the 128-bit product. */
static uint64_t mul_div(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t a_low = a & UINT32_MAX, a_high = a >> 32, b_low = b & UINT32_MAX, b_high = b >> 32;
    uint64_t low = a_low * b_low;
    uint64_t mid = a_high * b_low + (low >> 32); /* no carry: (2^32-1)^2 + 2^32-1 < 2^64 */
    uint64_t mid2 = a_low * b_high + (mid & UINT32_MAX);
    uint64_t high = a_high * b_high + (mid >> 32) + (mid2 >> 32);
    low = mid2 << 32 | (low & UINT32_MAX);
    if (high >= c)
        return UINT64_MAX;
    for (unsigned i = 0; i < 64; i++) {
        bool carry = high >> 63 != 0;
        high = high << 1 | low >> 63;
        low <<= 1;
        if (carry || high >= c) {
            high -= c;
            low |= 1;
        }
    }
    return low;
}

uint64_t meter_ratio_power(const struct meter_ratio *r, uint64_t value, uint64_t by)
{
    for (int8_t k = meter_ratio_decades(r); k > 0; k--)
        by *= 10; /* times the denominator that is 1e12 at most, of by 1e6 */
    return mul_div(value, numerator(r), denominator(r) * by);
}

uint64_t meter_ratio_current(const struct meter_ratio *r, uint64_t value)
{
    return mul_div(value, r->part[METER_CT_NUM], r->part[METER_CT_DEN]);
}

uint64_t meter_ratio_voltage(const struct meter_ratio *r, uint64_t value)
{
    return mul_div(value, r->part[METER_VT_NUM], r->part[METER_VT_DEN]);
}
