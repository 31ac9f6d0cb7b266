/* A-XDR values under a cursor. One table says how long each simple type is; nesting is walked with
 * a small stack of counters, so hostile depth costs a named error and no memory.
 *
 * It refuses to build trees and to convert: what a value means is for the class that owns it. */
#include "lib/dlms/axdr.h"

#include <string.h>

static const uint8_t content_length[] = {
    [AXDR_NULL] = 0,
    [AXDR_ARRAY] = AXDR_SIZE_OTHER,
    [AXDR_STRUCT] = AXDR_SIZE_OTHER,
    [AXDR_BOOL] = 1,
    [AXDR_BITS] = AXDR_SIZE_OTHER,
    [AXDR_I32] = 4,
    [AXDR_U32] = 4,
    [7] = AXDR_SIZE_OTHER,
    [8] = AXDR_SIZE_OTHER,
    [AXDR_OCTETS] = AXDR_SIZE_PREFIXED,
    [AXDR_TEXT] = AXDR_SIZE_PREFIXED,
    [11] = AXDR_SIZE_OTHER,
    [AXDR_UTF8] = AXDR_SIZE_PREFIXED,
    [AXDR_BCD] = 1,
    [14] = AXDR_SIZE_OTHER,
    [AXDR_I8] = 1,
    [AXDR_I16] = 2,
    [AXDR_U8] = 1,
    [AXDR_U16] = 2,
    [AXDR_COMPACT] = AXDR_SIZE_OTHER,
    [AXDR_I64] = 8,
    [AXDR_U64] = 8,
    [AXDR_ENUM] = 1,
    [AXDR_F32] = 4,
    [AXDR_F64] = 8,
    [AXDR_DATE_TIME] = 12,
    [AXDR_DATE] = 5,
    [AXDR_TIME] = 4,
};
_Static_assert(sizeof content_length == AXDR_TIME + 1, "a row for each tag");

uint8_t axdr_content_size(uint8_t tag)
{
    return tag < sizeof content_length ? content_length[tag] : AXDR_SIZE_OTHER;
}

/* The error belongs to an octet that was read already. */
static void fail_at(struct rd *r, size_t pos, enum err err)
{
    if (!r->err)
        r->pos = pos;
    rd_fail(r, err);
}

static void fail_at_tag(struct rd *r)
{
    fail_at(r, r->pos - 1, ERR_FORMAT);
}

/* Count of an array or a structure. Each element takes an octet at least: a count that cannot be
 * true is refused before anything is walked. */
static size_t get_count(struct rd *r)
{
    size_t n = rd_length(r);
    if (n > rd_left(r))
        rd_fail(r, ERR_TRUNCATED);
    return r->err ? 0 : n;
}

/* The type description of a compact array, Green Book 9.5 TypeDescription. */
static void skip_description(struct rd *r)
{
    size_t need = 1;
    while (need > 0 && !r->err) {
        uint8_t tag = rd_u8(r);
        need--;
        if (tag == AXDR_ARRAY) {
            (void)rd_u16(r);
            need++;
        } else if (tag == AXDR_STRUCT) {
            need += get_count(r);
        } else if (axdr_content_size(tag) == AXDR_SIZE_OTHER && tag != AXDR_BITS) {
            fail_at_tag(r);
        }
    }
}

/* The content behind a tag that is neither array nor structure. */
static void skip_content(struct rd *r, uint8_t tag)
{
    if (tag == AXDR_BITS) {
        size_t bits = rd_length(r);
        (void)rd_bytes(r, bits / 8 + (bits % 8 ? 1 : 0));
    } else if (tag == AXDR_COMPACT) {
        skip_description(r);
        (void)rd_bytes(r, rd_length(r));
    } else if (axdr_content_size(tag) == AXDR_SIZE_OTHER) {
        fail_at_tag(r);
    } else if (content_length[tag] == AXDR_SIZE_PREFIXED) {
        (void)rd_bytes(r, rd_length(r));
    } else {
        (void)rd_bytes(r, content_length[tag]);
    }
}

size_t axdr_type_end(struct axdr_type t, size_t at)
{
    size_t need = 1;
    while (need > 0 && at < t.len) {
        uint8_t tag = t.code[at++];
        need--;
        if (tag == AXDR_ARRAY)
            need++;
        else if (tag == AXDR_STRUCT && at < t.len)
            need += t.code[at++];
    }
    return at;
}

#define SIGNED_TAGS (1u << AXDR_I8 | 1u << AXDR_I16 | 1u << AXDR_I32 | 1u << AXDR_I64)
#define INTEGER_TAGS                                                                               \
    (SIGNED_TAGS | 1u << AXDR_U8 | 1u << AXDR_U16 | 1u << AXDR_U32 | 1u << AXDR_U64)

/* Whether a value with this tag and these octets may stand where the type says `want`. */
static bool leaf_matches(uint8_t want, uint8_t tag, size_t n_octets)
{
    size_t size = want & 0x1Fu; /* of an octet-string AXDR_OSn */
    switch (want) {
    case AXDR_ANY:
        return true;
    case AXDR_SIMPLE:
        return tag != AXDR_COMPACT;
    case AXDR_INTEGER:
        return tag <= AXDR_U64 && (INTEGER_TAGS >> tag & 1u);
    case AXDR_OS4:
    case AXDR_OS5:
    case AXDR_OS6:
    case AXDR_OS12:
    case AXDR_OS16: /* a time, date or date-time of that size will do, too */
        return (tag == AXDR_OCTETS && n_octets == 1 + size) ||
               (tag >= AXDR_DATE_TIME && n_octets == size);
    default:
        return tag == want;
    }
}

/* An array or structure under way: what is left of it, and the place of the next one's type. A
 * structure goes on from member to member, an array stays at its element's type, and so does
 * whatever stands where the type says AXDR_ANY. */
struct level {
    size_t left;
    size_t at;
    bool stays;
};

static bool is_container(uint8_t tag)
{
    return tag == AXDR_ARRAY || tag == AXDR_STRUCT;
}

/* Reads the value whose type is at `at`: all of it, then l->left is 0, or the head of an array or
 * structure. */
static void check_value(struct rd *r, struct axdr_type t, size_t at, struct level *l)
{
    size_t start = r->pos;
    uint8_t want = t.code[at], tag = rd_u8(r);
    bool right = want == tag || want == AXDR_ANY;
    *l = (struct level){.left = 0, .at = at, .stays = want != AXDR_STRUCT};
    if (is_container(tag)) {
        l->left = get_count(r);
    } else if (!is_container(want)) {
        skip_content(r, tag);
        right = leaf_matches(want, tag, r->pos - start - 1);
    }
    if (want == AXDR_ARRAY)
        l->at = at + 1;
    if (want == AXDR_STRUCT) {
        right = right && at + 1 < t.len && l->left == t.code[at + 1];
        l->at = at + 2;
    }
    if (!right)
        fail_at(r, start, ERR_TYPE);
}

/* One value is complete: its level goes on to the next member, or is complete itself. */
static unsigned check_done(struct level *level, unsigned depth, struct axdr_type type)
{
    while (depth > 0) {
        struct level *l = &level[depth - 1];
        l->at = l->stays ? l->at : axdr_type_end(type, l->at);
        if (--l->left > 0)
            break;
        depth--;
    }
    return depth;
}

void axdr_check(struct rd *r, struct axdr_type type)
{
    static const uint8_t any[] = {AXDR_ANY};
    struct level level[AXDR_DEPTH_MAX + 1]; /* the last one is never gone into */
    unsigned depth = 0;
    size_t at = 0;
    if (type.len == 0)
        type = (struct axdr_type){any, sizeof any};
    do {
        check_value(r, type, at, &level[depth]);
        if (level[depth].left == 0)
            depth = check_done(level, depth, type);
        else if (depth < AXDR_DEPTH_MAX)
            depth++;
        else
            rd_fail(r, ERR_DEPTH);
        at = depth > 0 ? level[depth - 1].at : 0;
    } while (depth > 0 && !r->err && at < type.len);
}

void axdr_skip(struct rd *r)
{
    axdr_check(r, (struct axdr_type){NULL, 0});
}

uint8_t axdr_peek(const struct rd *r)
{
    return rd_left(r) ? r->p[r->pos] : 0xFF;
}

static void expect(struct rd *r, uint8_t tag)
{
    if (rd_left(r) && r->p[r->pos] != tag)
        rd_fail(r, ERR_TYPE);
    (void)rd_u8(r);
}

size_t axdr_get_array(struct rd *r)
{
    expect(r, AXDR_ARRAY);
    return get_count(r);
}

void axdr_get_struct(struct rd *r, size_t n_members)
{
    expect(r, AXDR_STRUCT);
    size_t at = r->pos;
    if (get_count(r) != n_members)
        fail_at(r, at, ERR_TYPE);
}

bool axdr_get_bool(struct rd *r)
{
    expect(r, AXDR_BOOL);
    return rd_u8(r) != 0;
}

/* An integer or enum as 64 bits; *negative says that the bits are two's complement below zero. */
static uint64_t get_integer(struct rd *r, bool *negative)
{
    const uint32_t tags = INTEGER_TAGS | 1u << AXDR_ENUM | 1u << AXDR_BCD;
    uint64_t v = 0;
    uint8_t tag = axdr_peek(r);
    *negative = false;
    if (tag > AXDR_ENUM || !(tags >> tag & 1u)) {
        rd_fail(r, rd_left(r) ? ERR_TYPE : ERR_TRUNCATED);
        return 0;
    }
    (void)rd_u8(r);
    for (size_t i = 0; i < content_length[tag]; i++) {
        uint8_t octet = rd_u8(r);
        if (i == 0 && (SIGNED_TAGS >> tag & 1u) && octet >= 0x80) {
            *negative = true;
            v = UINT64_MAX;
        }
        v = v << 8 | octet;
    }
    return r->err ? 0 : v;
}

int64_t axdr_get_int(struct rd *r)
{
    bool negative;
    size_t at = r->pos;
    uint64_t v = get_integer(r, &negative);
    if (!negative && v > INT64_MAX) {
        fail_at(r, at, ERR_RANGE);
        return 0;
    }
    return negative ? -(int64_t)(~v) - 1 : (int64_t)v;
}

uint64_t axdr_get_uint(struct rd *r)
{
    bool negative;
    size_t at = r->pos;
    uint64_t v = get_integer(r, &negative);
    if (negative) {
        fail_at(r, at, ERR_RANGE);
        return 0;
    }
    return v;
}

struct bytes axdr_get_octets(struct rd *r)
{
    uint8_t tag = axdr_peek(r), size = axdr_content_size(tag);
    bool is_time = tag >= AXDR_DATE_TIME && tag <= AXDR_TIME;
    if (size != AXDR_SIZE_PREFIXED && !is_time) {
        rd_fail(r, rd_left(r) ? ERR_TYPE : ERR_TRUNCATED);
        return (struct bytes){NULL, 0};
    }
    (void)rd_u8(r);
    return rd_bytes(r, is_time ? size : rd_length(r));
}

void axdr_put_null(struct wr *w)
{
    wr_u8(w, AXDR_NULL);
}

static void put_head(struct wr *w, uint8_t tag, size_t n)
{
    wr_u8(w, tag);
    wr_length(w, n);
}

void axdr_put_array(struct wr *w, size_t n)
{
    put_head(w, AXDR_ARRAY, n);
}

void axdr_put_struct(struct wr *w, size_t n)
{
    put_head(w, AXDR_STRUCT, n);
}

/* A number of n octets behind its tag. */
static void put_number(struct wr *w, uint8_t tag, uint32_t v, size_t n)
{
    wr_u8(w, tag);
    wr_uint(w, v, n);
}

void axdr_put_bool(struct wr *w, bool v)
{
    put_number(w, AXDR_BOOL, v, 1);
}

void axdr_put_i8(struct wr *w, int8_t v)
{
    put_number(w, AXDR_I8, (uint32_t)v, 1);
}

void axdr_put_i16(struct wr *w, int16_t v)
{
    put_number(w, AXDR_I16, (uint32_t)v, 2);
}

void axdr_put_i32(struct wr *w, int32_t v)
{
    put_number(w, AXDR_I32, (uint32_t)v, 4);
}

void axdr_put_i64(struct wr *w, int64_t v)
{
    wr_u8(w, AXDR_I64);
    wr_u64(w, (uint64_t)v);
}

void axdr_put_u8(struct wr *w, uint8_t v)
{
    put_number(w, AXDR_U8, v, 1);
}

void axdr_put_u16(struct wr *w, uint16_t v)
{
    put_number(w, AXDR_U16, v, 2);
}

void axdr_put_u32(struct wr *w, uint32_t v)
{
    put_number(w, AXDR_U32, v, 4);
}

void axdr_put_u64(struct wr *w, uint64_t v)
{
    wr_u8(w, AXDR_U64);
    wr_u64(w, v);
}

void axdr_put_enum(struct wr *w, uint8_t v)
{
    put_number(w, AXDR_ENUM, v, 1);
}

void axdr_put_octets(struct wr *w, const void *p, size_t n)
{
    put_head(w, AXDR_OCTETS, n);
    wr_bytes(w, p, n);
}

void axdr_put_text(struct wr *w, const char *text)
{
    size_t n = strlen(text);
    put_head(w, AXDR_TEXT, n);
    wr_bytes(w, text, n);
}

void axdr_put_bits(struct wr *w, const uint8_t *bits, size_t n_bits)
{
    put_head(w, AXDR_BITS, n_bits);
    wr_bytes(w, bits, n_bits / 8 + (n_bits % 8 ? 1 : 0));
}
