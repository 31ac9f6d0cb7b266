/* Values from the words of a command line. Refuses what does not fit its type. */
#include "cli/client_value.h"
#include "cli/keys_file.h"

#include "lib/dlms/datetime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct integer_type {
    const char *name;
    int64_t min;
    uint64_t max;
    uint8_t tag, size;
};
static const struct integer_type integer_types[] = {
    {"i8", INT8_MIN, INT8_MAX, AXDR_I8, 1},     {"u8", 0, UINT8_MAX, AXDR_U8, 1},
    {"i16", INT16_MIN, INT16_MAX, AXDR_I16, 2}, {"u16", 0, UINT16_MAX, AXDR_U16, 2},
    {"i32", INT32_MIN, INT32_MAX, AXDR_I32, 4}, {"u32", 0, UINT32_MAX, AXDR_U32, 4},
    {"i64", INT64_MIN, INT64_MAX, AXDR_I64, 8}, {"u64", 0, UINT64_MAX, AXDR_U64, 8},
    {"enum", 0, UINT8_MAX, AXDR_ENUM, 1},
};

/* Sign and magnitude in one 64-bit pattern. */
static bool parse_integer(const char *text, const struct integer_type *t, uint64_t *out)
{
    char *end;
    errno = 0;
    if (text[0] == '-') {
        const long long n = strtoll(text, &end, 10);
        *out = (uint64_t)n;
        return end != text + 1 && *end == '\0' && errno == 0 && n >= t->min;
    }
    if (text[0] < '0' || text[0] > '9')
        return false;
    *out = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    return *end == '\0' && errno == 0 && *out <= t->max;
}

static const char *put_integer(const struct integer_type *t, const char *text, struct wr *out)
{
    uint64_t n;
    if (!parse_integer(text, t, &n))
        return "is not in the range of its type";
    wr_u8(out, t->tag);
    for (int shift = 8 * (t->size - 1); shift >= 0; shift -= 8)
        wr_u8(out, (uint8_t)(n >> shift));
    return NULL;
}

static const char *put_hex(const char *text, struct wr *out)
{
    const size_t n = strlen(text) / 2;
    uint8_t octets[1024];
    if (n > sizeof octets || !keys_hex(text, octets, n))
        return "wants pairs of hex digits, 1024 octets at most";
    axdr_put_octets(out, octets, n);
    return NULL;
}

static const char *put_bits(const char *text, struct wr *out)
{
    uint8_t bits[128] = {0};
    const size_t n = strlen(text);
    if (n > 8 * sizeof bits || strspn(text, "01") != n)
        return "wants digits 0 and 1";
    for (size_t i = 0; i < n; i++)
        if (text[i] == '1')
            bits[i / 8] |= (uint8_t)(0x80 >> i % 8);
    axdr_put_bits(out, bits, n);
    return NULL;
}

static const char *put_bool(const char *text, struct wr *out)
{
    if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return "wants true or false";
    axdr_put_bool(out, text[0] == 't');
    return NULL;
}

static const char *put_time(const char *text, struct wr *out)
{
    uint8_t octets[DATETIME_LEN];
    if (!value_parse_time(text, octets))
        return "wants a time like 2026-03-29T03:15:00+02:00";
    axdr_put_octets(out, octets, sizeof octets);
    return NULL;
}

static const char *put_float(const char *text, bool wide, struct wr *out)
{
    char *end;
    const double x = strtod(text, &end);
    const float narrow = (float)x;
    uint64_t bits = 0;
    uint32_t narrow_bits;
    if (end == text || *end != '\0')
        return "wants a number";
    memcpy(&bits, &x, sizeof x);
    memcpy(&narrow_bits, &narrow, sizeof narrow);
    wr_u8(out, wide ? AXDR_F64 : AXDR_F32);
    if (wide)
        wr_u64(out, bits);
    else
        wr_u32(out, narrow_bits);
    return NULL;
}

/* Octets of a value as they travel: what has no words of its own, as structures and arrays. */
static const char *put_axdr(const char *text, struct wr *out)
{
    const size_t n = strlen(text) / 2;
    uint8_t octets[1024];
    if (n > sizeof octets || !keys_hex(text, octets, n))
        return "wants pairs of hex digits, 1024 octets at most";
    struct rd r = rd_of(octets, n);
    axdr_skip(&r);
    if (r.err || rd_left(&r) != 0)
        return "is no whole A-XDR value";
    wr_bytes(out, octets, n);
    return NULL;
}

/* The Green Book's names of the types stand for the short ones. */
static const char *short_type(const char *type)
{
    static const struct {
        uint8_t tag;
        const char *name;
    } of[] = {{AXDR_I8, "i8"},         {AXDR_U8, "u8"},     {AXDR_I16, "i16"},   {AXDR_U16, "u16"},
              {AXDR_I32, "i32"},       {AXDR_U32, "u32"},   {AXDR_I64, "i64"},   {AXDR_U64, "u64"},
              {AXDR_BOOL, "bool"},     {AXDR_NULL, "null"}, {AXDR_OCTETS, "os"}, {AXDR_TEXT, "vs"},
              {AXDR_UTF8, "utf8"},     {AXDR_BITS, "bits"}, {AXDR_F32, "f32"},   {AXDR_F64, "f64"},
              {AXDR_DATE_TIME, "time"}};
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
        if (strcmp(type, axdr_tag_name(of[i].tag)) == 0)
            return of[i].name;
    return type;
}

const char *value_parse(const char *type, const char *text, struct wr *out)
{
    type = short_type(type);
    for (size_t i = 0; i < sizeof integer_types / sizeof integer_types[0]; i++)
        if (strcmp(type, integer_types[i].name) == 0)
            return put_integer(&integer_types[i], text, out);
    if (strcmp(type, "null") == 0) {
        axdr_put_null(out);
        return NULL;
    }
    if (strcmp(type, "utf8") == 0) {
        wr_u8(out, AXDR_UTF8);
        wr_length(out, strlen(text));
        wr_bytes(out, text, strlen(text));
        return NULL;
    }
    if (strcmp(type, "vs") == 0) {
        axdr_put_text(out, text);
        return NULL;
    }
    if (strcmp(type, "bool") == 0)
        return put_bool(text, out);
    if (strcmp(type, "os") == 0)
        return put_hex(text, out);
    if (strcmp(type, "axdr") == 0)
        return put_axdr(text, out);
    if (strcmp(type, "bits") == 0)
        return put_bits(text, out);
    if (strcmp(type, "time") == 0)
        return put_time(text, out);
    if (strcmp(type, "f32") == 0 || strcmp(type, "f64") == 0)
        return put_float(text, type[1] == '6', out);
    return "has an unknown type (i8 u8 i16 u16 i32 u32 i64 u64 enum bool null os vs utf8 bits time "
           "f32 f64 axdr)";
}

/* Exactly n digits at *at, moved over them. */
static bool digits(const char **at, int n, int *out)
{
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (*(*at)++ - '0');
    }
    return true;
}

static bool skip(const char **at, char c)
{
    if (**at != c)
        return false;
    (*at)++;
    return true;
}

/* Z, +hh:mm, -hh:mm or nothing. */
static bool parse_offset(const char *at, int16_t *deviation)
{
    int hours, minutes;
    *deviation = DATETIME_ANY_DEV;
    if (*at == '\0')
        return true;
    if (skip(&at, 'Z')) {
        *deviation = 0;
        return *at == '\0';
    }
    const bool west = *at == '-';
    if (*at++ != (west ? '-' : '+'))
        return false;
    if (!digits(&at, 2, &hours) || !skip(&at, ':') || !digits(&at, 2, &minutes) || *at != '\0')
        return false;
    *deviation = (int16_t)((west ? 1 : -1) * (hours * 60 + minutes));
    return true;
}

bool value_parse_time(const char *text, uint8_t out[12])
{
    int year, month, day, hour = 0, minute = 0, second = 0;
    struct datetime d = {.weekday = DATETIME_ANY, .hundredths = DATETIME_ANY};
    if (!digits(&text, 4, &year) || !skip(&text, '-') || !digits(&text, 2, &month) ||
        !skip(&text, '-') || !digits(&text, 2, &day))
        return false;
    if (skip(&text, 'T') &&
        (!digits(&text, 2, &hour) || !skip(&text, ':') || !digits(&text, 2, &minute)))
        return false;
    if (skip(&text, ':') && !digits(&text, 2, &second))
        return false;
    if (!parse_offset(text, &d.deviation))
        return false;
    d.year = (uint16_t)year;
    d.month = (uint8_t)month;
    d.day = (uint8_t)day;
    d.hour = (uint8_t)hour;
    d.minute = (uint8_t)minute;
    d.second = (uint8_t)second;
    d.status = DATETIME_STATUS_ANY;
    datetime_encode(&d, out);
    return datetime_decode(out, &d) == ERR_OK && datetime_complete(&d);
}
