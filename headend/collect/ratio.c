/* See ratio.h. */
#include "headend/collect/ratio.h"

#include "lib/cosem/units.h"

enum { BY_CT = 1, BY_VT = 2 };

static unsigned factors(uint8_t unit)
{
    switch (unit) {
    case COSEM_UNIT_V:
        return BY_VT;
    case COSEM_UNIT_A:
        return BY_CT;
    case COSEM_UNIT_W:
    case COSEM_UNIT_VA:
    case COSEM_UNIT_VAR:
    case COSEM_UNIT_WH:
    case COSEM_UNIT_VAH:
    case COSEM_UNIT_VARH:
        return BY_CT | BY_VT;
    default:
        return 0;
    }
}

static uint64_t common(uint64_t a, uint64_t b)
{
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

enum err ratio_of_unit(const struct store_meter *m, uint8_t unit, struct ratio *out)
{
    const unsigned by = factors(unit);
    uint64_t num = 1, den = 1;
    if (by & BY_CT) {
        num = m->ct_num;
        den = m->ct_den;
    }
    if (by & BY_VT) { /* products of two 32-bit numbers: no overflow */
        num *= m->vt_num;
        den *= m->vt_den;
    }
    *out = (struct ratio){1, 1};
    if (num == 0 || den == 0)
        return ERR_RANGE;
    const uint64_t divisor = common(num, den);
    if (num / divisor > UINT32_MAX || den / divisor > UINT32_MAX)
        return ERR_RANGE;
    *out = (struct ratio){(uint32_t)(num / divisor), (uint32_t)(den / divisor)};
    return ERR_OK;
}
