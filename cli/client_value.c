/* Printing of values. Depth is bounded: a value is walked once by axdr_skip before it is built. */
#include "cli/client_value.h"

#include "lib/cosem/obis.h"
#include "lib/cosem/units.h"
#include "lib/dlms/datetime.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static json_t *hex_json(struct bytes b)
{
    static const char digits[] = "0123456789ABCDEF";
    char *text = malloc(2 * b.len + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < b.len; i++) {
        text[2 * i] = digits[b.p[i] >> 4];
        text[2 * i + 1] = digits[b.p[i] & 15];
    }
    json_t *out = json_stringn(text, 2 * b.len);
    free(text);
    return out;
}

static bool is_time(struct bytes b, char text[DATETIME_TEXT])
{
    struct datetime d;
    uint8_t octets[DATETIME_LEN];
    if (b.len != DATETIME_LEN)
        return false;
    memcpy(octets, b.p, sizeof octets);
    if (octets[4] == 0)
        octets[4] = DATETIME_ANY; /* some meters' way to leave the weekday out */
    if (datetime_decode(octets, &d) != ERR_OK)
        return false;
    if (d.year != DATETIME_ANY_YEAR && (d.year < 1970 || d.year > 2399))
        return false;
    datetime_text(&d, text);
    return true;
}

static bool is_text(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.p[i] < 0x20 || b.p[i] > 0x7E)
            return false;
    return b.len > 0;
}

static json_t *octets_json(struct bytes b)
{
    char time[DATETIME_TEXT], name[OBIS_TEXT];
    if (is_time(b, time))
        return json_string(time);
    if (b.len == 6 && b.p[5] == 0xFF) {
        obis_print(b.p, name);
        return json_string(name);
    }
    return is_text(b) ? json_stringn((const char *)b.p, b.len) : hex_json(b);
}

static json_t *text_json(struct bytes b)
{
    json_t *out = json_stringn(b.len > 0 ? (const char *)b.p : "", b.len);
    return out != NULL ? out : hex_json(b); /* not UTF-8 */
}

static json_t *bits_json(struct rd *r)
{
    const size_t n = rd_length(r);
    const struct bytes b = rd_bytes(r, n / 8 + (n % 8 != 0));
    if (r->err)
        return NULL;
    char *text = malloc(n + 1);
    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        text[i] = (b.p[i / 8] >> (7 - i % 8) & 1) != 0 ? '1' : '0';
    json_t *out = json_stringn(text, n);
    free(text);
    return out;
}

static json_t *real_json(double x)
{
    json_t *out = json_real(x);
    return out != NULL ? out : json_string(isnan(x) ? "nan" : "infinite");
}

static json_t *float_json(struct rd *r, uint8_t tag)
{
    if (tag == AXDR_F32) {
        const uint32_t bits = rd_u32(r);
        float f;
        memcpy(&f, &bits, sizeof f);
        return real_json((double)f);
    }
    const uint64_t bits = rd_u64(r);
    double f;
    memcpy(&f, &bits, sizeof f);
    return real_json(f);
}

static json_t *integer_json(struct rd *r, uint8_t tag)
{
    char text[24];
    if (tag != AXDR_U64)
        return json_integer(axdr_get_int(r));
    const uint64_t n = axdr_get_uint(r);
    if (n <= INT64_MAX)
        return json_integer((json_int_t)n);
    snprintf(text, sizeof text, "%llu", (unsigned long long)n);
    return json_string(text);
}

/* date and time of 5 and 4 octets: fields, * where open */
static json_t *part_json(struct bytes b, bool date)
{
    char text[DATETIME_TEXT];
    uint8_t full[DATETIME_LEN] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                  0xFF, 0xFF, 0xFF, 0x80, 0x00, 0xFF};
    struct datetime d;
    if (b.len == 0)
        return NULL;
    memcpy(full + (date ? 0 : 5), b.p, b.len);
    if (datetime_decode(full, &d) != ERR_OK)
        return hex_json(b);
    datetime_text(&d, text);
    char *t = strrchr(text, 'T'); /* the last one: a weekday may have its own */
    if (date && t != NULL)
        *t = '\0';
    return json_string(date || t == NULL ? text : t + 1);
}

/* A value that is neither array nor structure; r stands on its tag. */
static json_t *leaf_json(struct rd *r)
{
    const uint8_t tag = axdr_peek(r);
    const size_t start = r->pos;
    switch (tag) {
    case AXDR_NULL:
        axdr_skip(r);
        return json_null();
    case AXDR_BOOL:
        return json_boolean(axdr_get_bool(r));
    case AXDR_OCTETS:
        return octets_json(axdr_get_octets(r));
    case AXDR_TEXT:
    case AXDR_UTF8:
        return text_json(axdr_get_octets(r));
    case AXDR_DATE_TIME:
        (void)rd_u8(r);
        return octets_json(rd_bytes(r, 12));
    case AXDR_DATE:
        (void)rd_u8(r);
        return part_json(rd_bytes(r, 5), true);
    case AXDR_TIME:
        (void)rd_u8(r);
        return part_json(rd_bytes(r, 4), false);
    case AXDR_BITS:
        (void)rd_u8(r);
        return bits_json(r);
    case AXDR_F32:
    case AXDR_F64:
        (void)rd_u8(r);
        return float_json(r, tag);
    case AXDR_BCD:
        (void)rd_u8(r);
        return hex_json(rd_bytes(r, 1));
    case AXDR_COMPACT:
        axdr_skip(r);
        return hex_json((struct bytes){r->p + start, r->pos - start});
    default:
        return integer_json(r, tag);
    }
}

static json_t *build(struct rd *r, bool typed);

static json_t *build_list(struct rd *r, bool typed)
{
    (void)rd_u8(r);
    json_t *list = json_array();
    for (size_t n = rd_length(r); n > 0 && !r->err; n--)
        json_array_append_new(list, build(r, typed));
    return list;
}

/* The value is known to be well formed, so the recursion is at most AXDR_DEPTH_MAX deep. */
static json_t *build(struct rd *r, bool typed)
{
    const uint8_t tag = axdr_peek(r);
    const size_t start = r->pos;
    json_t *value = tag == AXDR_ARRAY || tag == AXDR_STRUCT ? build_list(r, typed) : leaf_json(r);
    if (!typed)
        return value;
    json_t *node = json_pack("{s:s, s:o}", "type",
                             axdr_tag_name(tag) ? axdr_tag_name(tag) : "unknown", "value", value);
    if (tag == AXDR_OCTETS) {
        struct rd again = rd_of(r->p + start, r->pos - start);
        json_object_set_new(node, "hex", hex_json(axdr_get_octets(&again)));
    }
    return node;
}

static json_t *checked(struct rd *r, bool typed)
{
    struct rd probe = *r;
    axdr_skip(&probe);
    if (probe.err) {
        *r = probe;
        return NULL;
    }
    return build(r, typed);
}

json_t *value_json(struct rd *r)
{
    return checked(r, false);
}

json_t *value_tree(struct rd *r)
{
    return checked(r, true);
}

double value_number(const json_t *v)
{
    return json_number_value(v);
}

json_t *value_scaled(const json_t *raw, int scaler)
{
    if (!json_is_number(raw))
        return NULL;
    if (scaler == 0)
        return json_deep_copy(raw);
    const double x = json_number_value(raw);
    /* division by an exact power of ten rounds once; multiplying by 0.001 would round twice */
    return json_real(scaler < 0 ? x / pow(10, -scaler) : x * pow(10, scaler));
}

struct value_unit value_unit_of(struct bytes axdr)
{
    struct value_unit u = {0};
    struct rd r = rd_of(axdr.p, axdr.len);
    axdr_get_struct(&r, 2);
    const int64_t scaler = axdr_get_int(&r);
    const uint64_t unit = axdr_get_uint(&r);
    if (r.err || scaler < -100 || scaler > 100 || unit > 255)
        return u;
    return (struct value_unit){.known = true, .scaler = (int8_t)scaler, .unit = (uint8_t)unit};
}

const char *value_unit_text(uint8_t unit, char room[16])
{
    const char *text = cosem_unit_text(unit);
    if (text != NULL)
        return text;
    snprintf(room, 16, "unit %u", unit);
    return room;
}

void value_print_json(const json_t *v, FILE *to)
{
    json_dumpf(v, to, VALUE_JSON_FLAGS | JSON_INDENT(2));
    fputc('\n', to);
}
