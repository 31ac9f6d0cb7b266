/* A-XDR: every tag read, skipped and checked; hostile counts and depths; truncation everywhere. */
#include "lib/dlms/axdr.h"
#include "lib/dlms/axdr_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* One value of each kind and how it reads. */
static const struct {
    const char *hex, *text;
} values[] = {
    {"00", "null"},
    {"0301", "true"},
    {"0300", "false"},
    {"040BFF60", "bits 11111111011"},
    {"0400", "bits "},
    {"05FFFFFFFE", "i32 -2"},
    {"0680000000", "u32 2147483648"},
    {"0903010203", "os 010203"},
    {"0900", "os "},
    {"0A03412242", "vs \"A\\\"B\""},
    {"0C0141", "utf8 \"A\""},
    {"0D42", "bcd 42"},
    {"0F80", "i8 -128"},
    {"107FFF", "i16 32767"},
    {"11FF", "u8 255"},
    {"12FFFF", "u16 65535"},
    {"148000000000000000", "i64 -9223372036854775808"},
    {"15FFFFFFFFFFFFFFFF", "u64 18446744073709551615"},
    {"161E", "enum 30"},
    {"173F800000", "f32 3F800000"},
    {"183FF0000000000000", "f64 3FF0000000000000"},
    {"1907EA010104000000 00FFC400", "date-time 07EA01010400000000FFC400"},
    {"1A07EA010104", "date 07EA010104"},
    {"1B00010203", "time 00010203"},
    {"0100", "[]"},
    {"0200", "{}"},
    {"0102 0202 1101 0100 0202 1102 0101 00", "[{u8 1, []}, {u8 2, [null]}]"},
};

static void axdr_skip_ends_behind_each_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(values); i++) {
        uint8_t b[64];
        size_t n = hex_octets(values[i].hex, b, sizeof b);
        struct rd r = rd_of(b, n);
        axdr_skip(&r);
        assert_int_equal(r.err, ERR_OK);
        assert_int_equal(r.pos, n);
    }
}

static void axdr_is_truncated_at_every_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(values); i++) {
        uint8_t b[64];
        size_t n = hex_octets(values[i].hex, b, sizeof b);
        for (size_t k = 0; k < n; k++) {
            uint8_t *exact = malloc(k ? k : 1); /* of exact size, for the address sanitizer */
            assert_non_null(exact);
            memcpy(exact, b, k);
            struct rd r = rd_of(exact, k);
            axdr_skip(&r);
            assert_int_equal(r.err, ERR_TRUNCATED);
            free(exact);
        }
    }
}

static void axdr_text_prints_each_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(values); i++) {
        uint8_t b[64];
        char text[128];
        size_t n = hex_octets(values[i].hex, b, sizeof b);
        struct rd r = rd_of(b, n);
        struct wr w = wr_of(text, sizeof text - 1);
        axdr_text(&r, &w);
        assert_int_equal(r.err, ERR_OK);
        text[w.len] = 0;
        assert_string_equal(text, values[i].text);
        assert_int_equal(r.pos, n);
    }
}

static void axdr_skip_knows_compact_arrays(void **state)
{
    uint8_t b[64];
    (void)state;
    /* structure of u8 and u16, then 6 octets of two such */
    size_t n = hex_octets("13 0202 11 12 06 01 0002 02 0003 FF", b, sizeof b);
    struct rd r = rd_of(b, n);
    axdr_skip(&r);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(r.pos, n - 1);
    n = hex_octets("13 01 0003 11 03 010203", b, sizeof b); /* array of 3 u8 */
    r = rd_of(b, n);
    axdr_skip(&r);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(r.pos, n);
    n = hex_octets("13 0202 11 13 00", b, sizeof b); /* compact inside compact: no such type */
    r = rd_of(b, n);
    axdr_skip(&r);
    assert_int_equal(r.err, ERR_FORMAT);
    n = hex_octets("13 0284FFFFFFFF 11", b, sizeof b);
    r = rd_of(b, n);
    axdr_skip(&r);
    assert_int_equal(r.err, ERR_TRUNCATED);
}

static void axdr_skip_refuses_unknown_tags_and_false_counts(void **state)
{
    static const char *const bad[] = {"07", "08", "0E", "1C", "FF", "E0", "0101 55", "0980"};
    uint8_t b[64];
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        size_t n = hex_octets(bad[i], b, sizeof b);
        struct rd r = rd_of(b, n);
        axdr_skip(&r);
        assert_int_equal(r.err, ERR_FORMAT);
        assert_int_equal(r.err_pos, n - 1);
    }
    size_t n = hex_octets("0184FFFFFFFF00", b, sizeof b); /* refused before it is walked */
    struct rd r = rd_of(b, n);
    axdr_skip(&r);
    assert_int_equal(r.err, ERR_TRUNCATED);
}

static const struct axdr_type struct_of_any = AXDR_TYPE(AXDR_STRUCT, 1, AXDR_ANY);

static void axdr_depth_is_bounded(void **state)
{
    uint8_t b[2 * (AXDR_DEPTH_MAX + 1) + 1];
    (void)state;
    for (size_t depth = AXDR_DEPTH_MAX; depth <= AXDR_DEPTH_MAX + 1; depth++) {
        for (size_t i = 0; i < depth; i++) {
            b[2 * i] = AXDR_STRUCT;
            b[2 * i + 1] = 1;
        }
        b[2 * depth] = AXDR_NULL;
        struct rd r = rd_of(b, 2 * depth + 1);
        axdr_skip(&r);
        assert_int_equal(r.err, depth > AXDR_DEPTH_MAX ? ERR_DEPTH : ERR_OK);
        r = rd_of(b, 2 * depth + 1);
        axdr_check(&r, struct_of_any); /* the levels of the type count, too */
        assert_int_equal(r.err, depth > AXDR_DEPTH_MAX ? ERR_DEPTH : ERR_OK);
    }
}

static enum err check(const char *hex, struct axdr_type type, size_t *at)
{
    uint8_t b[128];
    size_t n = hex_octets(hex, b, sizeof b);
    struct rd r = rd_of(b, n);
    axdr_check(&r, type);
    if (r.err == ERR_OK && rd_left(&r) > 0)
        return ERR_FORMAT;
    *at = r.err_pos;
    return r.err;
}

static const struct axdr_type column =
    AXDR_TYPE(AXDR_STRUCT, 4, AXDR_U16, AXDR_OS6, AXDR_I8, AXDR_U16);
static const struct axdr_type columns =
    AXDR_TYPE(AXDR_ARRAY, AXDR_STRUCT, 4, AXDR_U16, AXDR_OS6, AXDR_I8, AXDR_U16);
static const struct axdr_type nested =
    AXDR_TYPE(AXDR_STRUCT, 3, AXDR_ARRAY, AXDR_U8, AXDR_ANY, AXDR_SIMPLE);
static const struct axdr_type os4 = AXDR_TYPE(AXDR_OS4), os5 = AXDR_TYPE(AXDR_OS5);
static const struct axdr_type os12 = AXDR_TYPE(AXDR_OS12), os16 = AXDR_TYPE(AXDR_OS16);

static void axdr_check_follows_the_type(void **state)
{
    size_t at;
    (void)state;
    assert_int_equal(check("0204 120008 09060000010000FF 0F02 120000", column, &at), ERR_OK);
    assert_int_equal(check("0102 0204 120008 09060000010000FF 0F02 120000"
                           "0204 120003 09060100010800FF 0F02 120000",
                           columns, &at),
                     ERR_OK);
    assert_int_equal(check("0100", columns, &at), ERR_OK);
    assert_int_equal(check("0204 120008 09050000010000 0F02 120000", column, &at), ERR_TYPE);
    assert_int_equal(at, 5);
    assert_int_equal(check("0204 120008 09060000010000FF 1102 120000", column, &at), ERR_TYPE);
    assert_int_equal(check("0203 120008 09060000010000FF 0F02", column, &at), ERR_TYPE);
    assert_int_equal(check("0101 120008", columns, &at), ERR_TYPE);
    assert_int_equal(check("120008", column, &at), ERR_TYPE);
    assert_int_equal(check("0204 120008 09060000010000FF 0F02", column, &at), ERR_TRUNCATED);
    assert_int_equal(check("0203 0102 1101 1102 0202 0100 00 1105", nested, &at), ERR_OK);
    assert_int_equal(check("0203 0100 00 00", nested, &at), ERR_OK);
    assert_int_equal(check("0203 0100 00 0100", nested, &at), ERR_TYPE);
    assert_int_equal(check("0203 0101 1201FF 00 00", nested, &at), ERR_TYPE);
    assert_int_equal(check("090C07EA01010401000000FFC400", os12, &at), ERR_OK);
    assert_int_equal(check("1907EA01010401000000FFC400", os12, &at), ERR_OK);
    assert_int_equal(check("090B07EA01010401000000FFC4", os12, &at), ERR_TYPE);
}

/* Times, dates and addresses of fixed length; a time may come with its own tag, too. */
static void axdr_check_knows_octet_strings_of_fixed_length(void **state)
{
    size_t at;
    (void)state;
    assert_int_equal(check("0904 06000000", os4, &at), ERR_OK);
    assert_int_equal(check("1B 06000000", os4, &at), ERR_OK);
    assert_int_equal(check("0905 07EA010104", os4, &at), ERR_TYPE);
    assert_int_equal(check("0905 07EA010104", os5, &at), ERR_OK);
    assert_int_equal(check("1A 07EA010104", os5, &at), ERR_OK);
    assert_int_equal(check("1B 06000000", os5, &at), ERR_TYPE);
    assert_int_equal(check("0910 FE800000000000000000000000000001", os16, &at), ERR_OK);
    assert_int_equal(check("0904 C0A80001", os16, &at), ERR_TYPE);
}

static void axdr_integers_of_any_width_are_read(void **state)
{
    static const struct {
        const char *hex;
        int64_t value;
        enum err err;
    } rows[] = {
        {"0FFF", -1, ERR_OK},
        {"108000", -32768, ERR_OK},
        {"0580000000", INT32_MIN, ERR_OK},
        {"148000000000000000", INT64_MIN, ERR_OK},
        {"157FFFFFFFFFFFFFFF", INT64_MAX, ERR_OK},
        {"158000000000000000", 0, ERR_RANGE},
        {"11FF", 255, ERR_OK},
        {"16FE", 254, ERR_OK},
        {"0301", 0, ERR_TYPE},
        {"", 0, ERR_TRUNCATED},
        {"12", 0, ERR_TRUNCATED},
    };
    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        uint8_t b[16];
        struct rd r = rd_of(b, hex_octets(rows[i].hex, b, sizeof b));
        assert_int_equal(axdr_get_int(&r), rows[i].value);
        assert_int_equal(r.err, rows[i].err);
        r.pos = 0;
        r.err = ERR_OK;
        uint64_t u = axdr_get_uint(&r);
        if (rows[i].err == ERR_OK)
            assert_int_equal(r.err, rows[i].value < 0 ? ERR_RANGE : ERR_OK);
        if (r.err == ERR_OK && rows[i].err == ERR_OK)
            assert_int_equal(u, rows[i].value);
    }
}

static void axdr_put_writes_what_get_reads(void **state)
{
    uint8_t b[128], want[128];
    struct wr w = wr_of(b, sizeof b);
    const uint8_t bits[] = {0xA5, 0x80};
    (void)state;
    axdr_put_struct(&w, 14);
    axdr_put_null(&w);
    axdr_put_bool(&w, true);
    axdr_put_i8(&w, -1);
    axdr_put_i16(&w, -2);
    axdr_put_i32(&w, -3);
    axdr_put_i64(&w, -4);
    axdr_put_u8(&w, 1);
    axdr_put_u16(&w, 2);
    axdr_put_u32(&w, 3);
    axdr_put_u64(&w, 4);
    axdr_put_enum(&w, 5);
    axdr_put_octets(&w, "abc", 3);
    axdr_put_text(&w, "xyz");
    axdr_put_bits(&w, bits, 9);
    size_t n = hex_octets("020E 00 0301 0FFF 10FFFE 05FFFFFFFD 14FFFFFFFFFFFFFFFC 1101 120002 "
                          "0600000003 150000000000000004 1605 0903616263 0A0378797A 0409A580",
                          want, sizeof want);
    assert_int_equal(w.len, n);
    assert_memory_equal(b, want, n);
    struct rd r = rd_of(b, n);
    axdr_skip(&r);
    assert_int_equal(r.pos, n);
}

static void axdr_get_struct_and_array_check_heads(void **state)
{
    uint8_t b[] = {2, 2, 0, 0};
    struct rd r = rd_of(b, sizeof b);
    (void)state;
    axdr_get_struct(&r, 3);
    assert_int_equal(r.err, ERR_TYPE);
    r = rd_of(b, sizeof b);
    (void)axdr_get_array(&r);
    assert_int_equal(r.err, ERR_TYPE);
    r = rd_of(b, sizeof b);
    axdr_get_struct(&r, 2);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(axdr_peek(&r), AXDR_NULL);
    r = rd_of(b, 0);
    assert_int_equal(axdr_peek(&r), 0xFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axdr_skip_ends_behind_each_value),
        cmocka_unit_test(axdr_is_truncated_at_every_octet),
        cmocka_unit_test(axdr_text_prints_each_value),
        cmocka_unit_test(axdr_skip_knows_compact_arrays),
        cmocka_unit_test(axdr_skip_refuses_unknown_tags_and_false_counts),
        cmocka_unit_test(axdr_depth_is_bounded),
        cmocka_unit_test(axdr_check_follows_the_type),
        cmocka_unit_test(axdr_check_knows_octet_strings_of_fixed_length),
        cmocka_unit_test(axdr_integers_of_any_width_are_read),
        cmocka_unit_test(axdr_put_writes_what_get_reads),
        cmocka_unit_test(axdr_get_struct_and_array_check_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
