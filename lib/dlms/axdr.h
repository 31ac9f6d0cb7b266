/* A-XDR (IEC 61334-6) encoding of COSEM data: tags, types as bytes, bounded walks.
 *
 * Values are never built into trees: a value is borrowed octets under a cursor, or is written
 * straight to one. A type is a constant octet string (struct axdr_type) that encodes the tree in
 * prefix order; one walk serves to validate, to skip, to print and to fuzz. Depth is bounded by
 * AXDR_DEPTH_MAX, no recursion. */
#ifndef FERRARIS_DLMS_AXDR_H
#define FERRARIS_DLMS_AXDR_H

#include "lib/base/cursor.h"

#define AXDR_DEPTH_MAX 12 /* nested arrays and structures; deeper gives ERR_DEPTH */

enum axdr_tag { /* Green Book, Data CHOICE */
                AXDR_NULL = 0,
                AXDR_ARRAY = 1,
                AXDR_STRUCT = 2,
                AXDR_BOOL = 3,
                AXDR_BITS = 4,
                AXDR_I32 = 5,
                AXDR_U32 = 6,
                AXDR_OCTETS = 9,
                AXDR_TEXT = 10,
                AXDR_UTF8 = 12,
                AXDR_BCD = 13,
                AXDR_I8 = 15,
                AXDR_I16 = 16,
                AXDR_U8 = 17,
                AXDR_U16 = 18,
                AXDR_COMPACT = 19,
                AXDR_I64 = 20,
                AXDR_U64 = 21,
                AXDR_ENUM = 22,
                AXDR_F32 = 23,
                AXDR_F64 = 24,
                AXDR_DATE_TIME = 25,
                AXDR_DATE = 26,
                AXDR_TIME = 27,
                /* type descriptions only, never on the wire */
                AXDR_ANY = 0xE0,     /* any one value */
                AXDR_SIMPLE = 0xE1,  /* any value that is neither array nor structure */
                AXDR_INTEGER = 0xE2, /* any integer, signed or not, of any width */
                AXDR_OS4 = 0xE4,     /* octet-string of 4: time (a tag 27 is accepted too) */
                AXDR_OS5 = 0xE5,     /* octet-string of 5: date (a tag 26 is accepted too) */
                AXDR_OS6 = 0xE6,     /* octet-string of 6: a logical name */
                AXDR_OS12 = 0xEC,    /* octet-string of 12: date-time (a tag 25 is accepted too) */
                AXDR_OS16 = 0xF0,    /* octet-string of 16: an IPv6 address */
};

/* Types in prefix order: {AXDR_STRUCT, 2, AXDR_I8, AXDR_ENUM}; an array is AXDR_ARRAY followed by
 * its element's type; a structure is AXDR_STRUCT, its member count, its members' types. */
struct axdr_type {
    const uint8_t *code;
    uint8_t len;
};
#define AXDR_CODE(...)                                                                             \
    .code = (const uint8_t[]){__VA_ARGS__}, .len = sizeof((const uint8_t[]){__VA_ARGS__})
#define AXDR_TYPE(...)                                                                             \
    {                                                                                              \
        AXDR_CODE(__VA_ARGS__)                                                                     \
    }

/* Position in t.code behind the type that begins at `at`. */
size_t axdr_type_end(struct axdr_type t, size_t at);

/* Octets of a simple value's content by its tag, or one of these. */
#define AXDR_SIZE_PREFIXED 0xFFu /* a length in octets comes first */
#define AXDR_SIZE_OTHER    0xFEu /* counted otherwise (array, structure, bits, compact), or no tag */
uint8_t axdr_content_size(uint8_t tag);
/* Reads past exactly one value of any type. Errors stick in r: TRUNCATED, FORMAT (unknown tag),
 * DEPTH. */
void axdr_skip(struct rd *r);
/* Reads past one value and checks it against the type (also TYPE). */
void axdr_check(struct rd *r, struct axdr_type type);

/* Typed reads: wrong tag gives ERR_TYPE. */
uint8_t axdr_peek(const struct rd *r); /* tag of the next value, 0xFF at the end */
size_t axdr_get_array(struct rd *r);
void axdr_get_struct(struct rd *r, size_t n_members);
bool axdr_get_bool(struct rd *r);
int64_t axdr_get_int(struct rd *r);   /* any integer or enum tag that fits int64 */
uint64_t axdr_get_uint(struct rd *r); /* any integer or enum tag, not negative */
struct bytes axdr_get_octets(
    struct rd *r); /* octet-string, visible-string, utf8, and date-time forms as octets */

void axdr_put_null(struct wr *w);
void axdr_put_array(struct wr *w, size_t n);
void axdr_put_struct(struct wr *w, size_t n);
void axdr_put_bool(struct wr *w, bool v);
void axdr_put_i8(struct wr *w, int8_t v);
void axdr_put_i16(struct wr *w, int16_t v);
void axdr_put_i32(struct wr *w, int32_t v);
void axdr_put_i64(struct wr *w, int64_t v);
void axdr_put_u8(struct wr *w, uint8_t v);
void axdr_put_u16(struct wr *w, uint16_t v);
void axdr_put_u32(struct wr *w, uint32_t v);
void axdr_put_u64(struct wr *w, uint64_t v);
void axdr_put_enum(struct wr *w, uint8_t v);
void axdr_put_octets(struct wr *w, const void *p, size_t n);
void axdr_put_text(struct wr *w, const char *text); /* visible-string */
void axdr_put_bits(struct wr *w, const uint8_t *bits, size_t n_bits);

/* Name of a tag or of a type's code in the Green Book's Data CHOICE: "long-unsigned"; NULL: none.
 */
const char *axdr_tag_name(uint8_t tag);

#endif
