/* Values made along a type description, see random_value.h. */
#include "tests/lib/cosem/random_value.h"

static uint32_t next(struct random_value *g, uint32_t n)
{
    g->state ^= g->state << 13;
    g->state ^= g->state >> 17;
    g->state ^= g->state << 5;
    return g->state % n;
}

/* A number that the limits of the place allow, or one that none of them does. */
static int64_t number_at(struct random_value *g, size_t at, int64_t min, int64_t max)
{
    const struct cosem_limit *of[4];
    uint32_t n = 0;
    for (uint8_t i = 0; i < g->n_limits && n < 4; i++) {
        if (g->limits[i].at == at)
            of[n++] = &g->limits[i];
    }
    if (n > 0 && (int)at == g->outside) {
        for (int64_t v = of[0]->min - 1; v <= (int64_t)of[n - 1]->max + 1; v++) {
            bool inside = v < min || v > max;
            for (uint32_t i = 0; i < n; i++)
                inside |= v >= of[i]->min && v <= of[i]->max;
            if (!inside && (g->broken = true))
                return v;
        }
    }
    const struct cosem_limit *one = n > 0 ? of[next(g, n)] : NULL;
    int64_t low = one ? one->min : min, high = one ? one->max : max;
    uint64_t width = (uint64_t)(high - low) + 1;
    switch (next(g, 4)) {
    case 0:
        return low;
    case 1:
        return high;
    default:
        return low + (int64_t)(width > UINT32_MAX ? next(g, UINT32_MAX) : next(g, (uint32_t)width));
    }
}

static void put_octets(struct random_value *g, struct wr *w, uint8_t tag, size_t n)
{
    wr_u8(w, tag);
    wr_length(w, n);
    for (size_t i = 0; i < n; i++)
        wr_u8(w, tag == AXDR_OCTETS ? (uint8_t)next(g, 256) : (uint8_t)('a' + next(g, 26)));
}

static void put_bits(struct random_value *g, struct wr *w, size_t n)
{
    uint8_t bits[32] = {0};
    for (size_t i = 0; i < n; i++)
        bits[i / 8] |= (uint8_t)(next(g, 2) << (7 - i % 8));
    axdr_put_bits(w, bits, n);
}

/* Fields of a date and time, each in its range or not specified. */
static void put_date(struct random_value *g, struct wr *w)
{
    wr_u16(w, next(g, 2) ? 0xFFFF : (uint16_t)(2000 + next(g, 100)));
    wr_u8(w, next(g, 2) ? 0xFF : (uint8_t)(1 + next(g, 12)));
    wr_u8(w, next(g, 2) ? 0xFE : (uint8_t)(1 + next(g, 28)));
    wr_u8(w, next(g, 2) ? 0xFF : (uint8_t)(1 + next(g, 7)));
}

static void put_time(struct random_value *g, struct wr *w)
{
    wr_u8(w, (uint8_t)next(g, 24));
    wr_u8(w, (uint8_t)next(g, 60));
    wr_u8(w, next(g, 2) ? 0xFF : (uint8_t)next(g, 60));
    wr_u8(w, 0);
}

static void put_whole(struct random_value *g, struct wr *w)
{
    put_date(g, w);
    put_time(g, w);
    wr_u16(w, next(g, 2) ? 0x8000 : 0xFFC4);
    wr_u8(w, (uint8_t)next(g, 256));
}

static void put_moment(struct random_value *g, struct wr *w, uint8_t code)
{
    bool own_tag = code == AXDR_DATE_TIME || code == AXDR_DATE || code == AXDR_TIME;
    if (!own_tag) {
        wr_u8(w, AXDR_OCTETS);
        wr_u8(w, (uint8_t)(code - AXDR_ANY));
    } else {
        wr_u8(w, code);
    }
    if (code == AXDR_OS4 || code == AXDR_TIME)
        put_time(g, w);
    else if (code == AXDR_OS5 || code == AXDR_DATE)
        put_date(g, w);
    else
        put_whole(g, w);
}

static void put_integer(struct random_value *g, struct wr *w, uint8_t code, size_t at)
{
    size_t n = axdr_content_size(code);
    bool is_signed = code == AXDR_I8 || code == AXDR_I16 || code == AXDR_I32 || code == AXDR_I64;
    int64_t half = n == 8 ? INT64_MAX / 2 : (INT64_C(1) << (8 * n - 1)) - 1;
    int64_t v = is_signed ? number_at(g, at, -half - 1, half) : number_at(g, at, 0, 2 * half + 1);
    wr_u8(w, code);
    while (n > 0)
        wr_u8(w, (uint8_t)((uint64_t)v >> 8 * --n));
}

static void put_any(struct random_value *g, struct wr *w, bool simple)
{
    switch (next(g, simple ? 4 : 5)) {
    case 0:
        axdr_put_null(w);
        break;
    case 1:
        axdr_put_u32(w, next(g, UINT32_MAX));
        break;
    case 2:
        put_octets(g, w, AXDR_OCTETS, next(g, 9));
        break;
    case 3:
        axdr_put_i16(w, (int16_t)next(g, 32768));
        break;
    default:
        axdr_put_struct(w, 2);
        axdr_put_u8(w, (uint8_t)next(g, 256));
        axdr_put_bool(w, next(g, 2));
        break;
    }
}

static void put_at(struct random_value *g, struct wr *w, size_t at)
{
    uint8_t code = g->type.code[at];
    size_t n, member;
    switch (code) {
    case AXDR_ARRAY:
        n = (size_t)number_at(g, at, 1, 3);
        axdr_put_array(w, n);
        while (n-- > 0)
            put_at(g, w, at + 1);
        break;
    case AXDR_STRUCT:
        n = g->type.code[at + 1];
        axdr_put_struct(w, n);
        for (member = at + 2; n-- > 0; member = axdr_type_end(g->type, member))
            put_at(g, w, member);
        break;
    case AXDR_NULL:
        axdr_put_null(w);
        break;
    case AXDR_BOOL:
        axdr_put_bool(w, next(g, 2));
        break;
    case AXDR_BITS:
        put_bits(g, w, (size_t)number_at(g, at, 0, 12));
        break;
    case AXDR_OCTETS:
    case AXDR_TEXT:
    case AXDR_UTF8:
        n = (size_t)number_at(g, at, 0, 9);
        put_octets(g, w, code, (int)at == g->outside || n < 12 ? n : 1 + n % 9);
        break;
    case AXDR_OS6:
    case AXDR_OS16:
        put_octets(g, w, AXDR_OCTETS, code - AXDR_ANY);
        break;
    case AXDR_OS4:
    case AXDR_OS5:
    case AXDR_OS12:
    case AXDR_DATE_TIME:
    case AXDR_DATE:
    case AXDR_TIME:
        put_moment(g, w, code);
        break;
    case AXDR_ANY:
    case AXDR_SIMPLE:
        put_any(g, w, code == AXDR_SIMPLE);
        break;
    case AXDR_INTEGER: /* as in an attribute's address: class_id long-unsigned, index integer */
        put_integer(g, w, at == 2 ? AXDR_U16 : AXDR_I8, at);
        break;
    default:
        put_integer(g, w, code, at);
        break;
    }
}

void random_value_put(struct random_value *g, struct wr *w)
{
    put_at(g, w, 0);
}
