/* Text of A-XDR values. A small stack holds the closing bracket and the count of each open level;
 * digits are made here because this room has no printf. */
#include "lib/dlms/axdr_text.h"

static const char hex_digits[] = "0123456789ABCDEF";

struct text_levels {
    size_t left[AXDR_DEPTH_MAX]; /* values still to come at each level, never 0 */
    char close[AXDR_DEPTH_MAX];
    unsigned depth;
};

static void put_string(struct wr *w, const char *s)
{
    for (; *s; s++)
        wr_u8(w, (uint8_t)*s);
}

static void put_hex(struct wr *w, struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        wr_u8(w, (uint8_t)hex_digits[b.p[i] >> 4]);
        wr_u8(w, (uint8_t)hex_digits[b.p[i] & 15]);
    }
}

static void put_unsigned(struct wr *w, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    while (n > 0)
        wr_u8(w, (uint8_t)digits[--n]);
}

/* Printable characters as they are, others as \xNN. */
static void put_quoted(struct wr *w, struct bytes b)
{
    wr_u8(w, '"');
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.p[i];
        if (c == '"' || c == '\\')
            wr_u8(w, '\\');
        if (c >= 0x20 && c < 0x7F) {
            wr_u8(w, c);
        } else {
            put_string(w, "\\x");
            put_hex(w, (struct bytes){&c, 1});
        }
    }
    wr_u8(w, '"');
}

static void put_bits(struct wr *w, struct rd *r)
{
    size_t n = rd_length(r);
    struct bytes b = rd_bytes(r, n / 8 + (n % 8 ? 1 : 0));
    if (r->err)
        return;
    for (size_t i = 0; i < n; i++)
        wr_u8(w, b.p[i / 8] & (0x80u >> i % 8) ? '1' : '0');
}

static const char *const prefix[] = {
    [AXDR_BITS] = "bits ", [AXDR_I32] = "i32 ",   [AXDR_U32] = "u32 ",
    [AXDR_OCTETS] = "os ", [AXDR_TEXT] = "vs ",   [AXDR_UTF8] = "utf8 ",
    [AXDR_BCD] = "bcd ",   [AXDR_I8] = "i8 ",     [AXDR_I16] = "i16 ",
    [AXDR_U8] = "u8 ",     [AXDR_U16] = "u16 ",   [AXDR_COMPACT] = "compact ",
    [AXDR_I64] = "i64 ",   [AXDR_U64] = "u64 ",   [AXDR_ENUM] = "enum ",
    [AXDR_F32] = "f32 ",   [AXDR_F64] = "f64 ",   [AXDR_DATE_TIME] = "date-time ",
    [AXDR_DATE] = "date ", [AXDR_TIME] = "time ",
};

static void put_signed(struct wr *w, int64_t v)
{
    if (v < 0)
        wr_u8(w, '-');
    put_unsigned(w, v < 0 ? ~(uint64_t)v + 1 : (uint64_t)v);
}

/* A value that is neither array nor structure. */
static void put_leaf(struct wr *w, struct rd *r)
{
    uint8_t tag = axdr_peek(r);
    size_t start = r->pos;
    if (tag < sizeof prefix / sizeof prefix[0] && prefix[tag])
        put_string(w, prefix[tag]);
    switch (tag) {
    case AXDR_NULL:
        (void)rd_u8(r);
        put_string(w, "null");
        break;
    case AXDR_BOOL:
        put_string(w, axdr_get_bool(r) ? "true" : "false");
        break;
    case AXDR_BITS:
        (void)rd_u8(r);
        put_bits(w, r);
        break;
    case AXDR_I8:
    case AXDR_I16:
    case AXDR_I32:
    case AXDR_I64:
        put_signed(w, axdr_get_int(r));
        break;
    case AXDR_U8:
    case AXDR_U16:
    case AXDR_U32:
    case AXDR_U64:
    case AXDR_ENUM:
        put_unsigned(w, axdr_get_uint(r));
        break;
    case AXDR_TEXT:
    case AXDR_UTF8:
        put_quoted(w, axdr_get_octets(r));
        break;
    case AXDR_OCTETS:
    case AXDR_DATE_TIME:
    case AXDR_DATE:
    case AXDR_TIME:
        put_hex(w, axdr_get_octets(r));
        break;
    default: /* floats, BCD, compact arrays: the content's octets */
        axdr_skip(r);
        if (!r->err)
            put_hex(w, (struct bytes){r->p + start + 1, r->pos - start - 1});
        break;
    }
}

/* Opens a container: its bracket, and a level where it has elements. False when it is complete. */
static bool open_level(struct rd *r, struct wr *w, struct text_levels *l)
{
    bool is_array = axdr_peek(r) == AXDR_ARRAY;
    (void)rd_u8(r);
    size_t n = rd_length(r);
    wr_u8(w, is_array ? '[' : '{');
    if (n == 0) {
        wr_u8(w, is_array ? ']' : '}');
        return false;
    }
    if (l->depth == AXDR_DEPTH_MAX) {
        rd_fail(r, ERR_DEPTH);
        return true;
    }
    l->left[l->depth] = n;
    l->close[l->depth++] = is_array ? ']' : '}';
    return true;
}

/* A value is complete: its level goes on, or is closed too. */
static void close_levels(struct wr *w, struct text_levels *l)
{
    while (l->depth > 0 && --l->left[l->depth - 1] == 0)
        wr_u8(w, (uint8_t)l->close[--l->depth]);
    if (l->depth > 0)
        put_string(w, ", ");
}

void axdr_text(struct rd *r, struct wr *w)
{
    struct text_levels l = {.depth = 0};
    do {
        uint8_t tag = axdr_peek(r);
        bool container = tag == AXDR_ARRAY || tag == AXDR_STRUCT;
        if (container && open_level(r, w, &l))
            continue;
        if (!container)
            put_leaf(w, r);
        close_levels(w, &l);
    } while (l.depth > 0 && !r->err && !w->err);
}

const char *axdr_tag_name(uint8_t tag)
{
    static const char *const name[256] = {
        [AXDR_NULL] = "null-data",
        [AXDR_ARRAY] = "array",
        [AXDR_STRUCT] = "structure",
        [AXDR_BOOL] = "boolean",
        [AXDR_BITS] = "bit-string",
        [AXDR_I32] = "double-long",
        [AXDR_U32] = "double-long-unsigned",
        [AXDR_OCTETS] = "octet-string",
        [AXDR_TEXT] = "visible-string",
        [AXDR_UTF8] = "utf8-string",
        [AXDR_BCD] = "bcd",
        [AXDR_I8] = "integer",
        [AXDR_I16] = "long",
        [AXDR_U8] = "unsigned",
        [AXDR_U16] = "long-unsigned",
        [AXDR_COMPACT] = "compact-array",
        [AXDR_I64] = "long64",
        [AXDR_U64] = "long64-unsigned",
        [AXDR_ENUM] = "enum",
        [AXDR_F32] = "float32",
        [AXDR_F64] = "float64",
        [AXDR_DATE_TIME] = "date-time",
        [AXDR_DATE] = "date",
        [AXDR_TIME] = "time",
        [AXDR_ANY] = "any",
        [AXDR_SIMPLE] = "simple",
        [AXDR_INTEGER] = "any integer",
        [AXDR_OS4] = "octet-string[4]",
        [AXDR_OS5] = "octet-string[5]",
        [AXDR_OS6] = "octet-string[6]",
        [AXDR_OS12] = "octet-string[12]",
        [AXDR_OS16] = "octet-string[16]",
    };
    return name[tag];
}
