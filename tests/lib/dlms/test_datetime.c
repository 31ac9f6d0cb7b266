/* COSEM date-time: fields, wildcards, the sign of the deviation, bounds of ranges. */
#include "lib/dlms/datetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

static struct datetime decode(const char *hex)
{
    uint8_t b[DATETIME_LEN];
    struct datetime d = {0};
    assert_int_equal(hex_octets(hex, b, sizeof b), DATETIME_LEN);
    assert_int_equal(datetime_decode(b, &d), ERR_OK);
    return d;
}

static enum err refuse(const char *hex)
{
    uint8_t b[DATETIME_LEN];
    struct datetime d;
    assert_int_equal(hex_octets(hex, b, sizeof b), DATETIME_LEN);
    return datetime_decode(b, &d);
}

static void datetime_reads_and_writes_all_fields(void **state)
{
    static const char *const rows[] = {
        "07E40101FF00030000FF8800", /* published, summer time of Central Europe */
        "07E20601FF000300FFFF8880", "07E2020CFF00000000800000",
        "FFFFFFFFFFFFFFFFFF8000FF", "FFFF03FE0702000000800000", /* last Sunday of March, 02:00 */
        "FFFFFEFDFFFFFFFFFF034800",
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t b[DATETIME_LEN], again[DATETIME_LEN];
        struct datetime d = decode(rows[i]);
        (void)hex_octets(rows[i], b, sizeof b);
        datetime_encode(&d, again);
        assert_memory_equal(b, again, DATETIME_LEN);
    }
}

static void datetime_refuses_fields_out_of_range(void **state)
{
    (void)state;
    assert_int_equal(refuse("07E40D01FF00030000FF8800"), ERR_RANGE);
    assert_int_equal(refuse("07E40001FF00030000FF8800"), ERR_RANGE);
    assert_int_equal(refuse("07E40120FF00030000FF8800"), ERR_RANGE);
    assert_int_equal(refuse("07E5021DFF00030000FF8800"), ERR_RANGE); /* 29 February 2021 */
    assert_int_equal(refuse("07E401010800030000FF8800"), ERR_RANGE);
    assert_int_equal(refuse("07E40101FF18030000FF8800"), ERR_RANGE);
    assert_int_equal(refuse("07E40101FF003C0000FF8800"), ERR_RANGE);
    assert_int_equal(refuse("07E40101FF00033C00FF8800"), ERR_RANGE);
    assert_int_equal(refuse("07E40101FF00030064FF8800"), ERR_RANGE);
    assert_int_equal(refuse("07E40101FF00030000FD2F00"), ERR_RANGE); /* -721 minutes */
}

static void datetime_is_refused_when_utc_leaves_the_years(void **state)
{
    int64_t utc;
    (void)state;
    const struct datetime early = decode("07B20101FF00000000FFC400"); /* 1970 +01:00 */
    const struct datetime zero = decode("07B20101FF01000000FFC400");
    const struct datetime late = decode("095F0C1FFF173B3B00003C00"); /* end of 2399, -01:00 */
    const struct datetime last = decode("095F0C1FFF173B3B00000000");
    assert_int_equal(datetime_to_utc(&early, 0, &utc), ERR_RANGE);
    assert_int_equal(datetime_to_utc(&zero, 0, &utc), ERR_OK);
    assert_int_equal(utc, 0);
    assert_int_equal(datetime_to_utc(&late, 0, &utc), ERR_RANGE);
    assert_int_equal(datetime_to_utc(&last, 0, &utc), ERR_OK);
    assert_int_equal(utc, INT64_C(13569465599));
}

static void datetime_deviation_leads_from_local_time_to_utc(void **state)
{
    int64_t utc;
    (void)state;
    /* 2026-03-29 01:59:59 in winter time and 03:00:00 in summer time are a second apart */
    struct datetime winter = decode("07EA031D07013B3B00FFC400");
    assert_int_equal(datetime_to_utc(&winter, 0, &utc), ERR_OK);
    assert_int_equal(utc, 1774745999);
    struct datetime summer = decode("07EA031D0703000000FF8880");
    assert_int_equal(datetime_to_utc(&summer, 0, &utc), ERR_OK);
    assert_int_equal(utc, 1774746000);
    struct datetime made = datetime_from_utc(1774746000, -120, DATETIME_DST);
    assert_int_equal(made.deviation, summer.deviation);
    made.hundredths = summer.hundredths;
    uint8_t a[DATETIME_LEN], b[DATETIME_LEN];
    datetime_encode(&made, a);
    datetime_encode(&summer, b);
    assert_memory_equal(a, b, DATETIME_LEN);
    struct datetime open = decode("07EA031D07013B3B008000FF"); /* the meter's own applies */
    assert_int_equal(datetime_to_utc(&open, -60, &utc), ERR_OK);
    assert_int_equal(utc, 1774745999);
    struct datetime any = decode("FFFF031D07013B3B008000FF");
    assert_int_equal(datetime_to_utc(&any, -60, &utc), ERR_RANGE);
}

static void datetime_bound_widens_wildcards(void **state)
{
    int64_t low, high;
    (void)state;
    struct datetime feb = decode("07E402FFFFFFFFFFFF8000FF");
    assert_int_equal(datetime_bound(&feb, 0, false, &low), ERR_OK);
    assert_int_equal(datetime_bound(&feb, 0, true, &high), ERR_OK);
    assert_int_equal(low, 1580515200); /* 2020-02-01T00:00:00Z */
    assert_int_equal(high, 1580515200 + 29 * 86400 - 1);
    struct datetime last = decode("07E402FEFFFFFFFFFF8000FF");
    assert_int_equal(datetime_bound(&last, 0, false, &low), ERR_OK);
    assert_int_equal(low, 1580515200 + 28 * 86400);
    struct datetime any = decode("FFFFFFFFFFFFFFFFFF8000FF");
    assert_int_equal(datetime_bound(&any, 0, false, &low), ERR_OK);
    assert_int_equal(datetime_bound(&any, 0, true, &high), ERR_OK);
    assert_true(low == INT64_MIN && high == INT64_MAX);
    struct datetime mark = decode("07E4FEFFFFFFFFFFFF8000FF");
    assert_int_equal(datetime_bound(&mark, 0, false, &low), ERR_RANGE);
}

static void datetime_get_takes_both_tags(void **state)
{
    uint8_t b[32];
    struct datetime d;
    (void)state;
    struct rd r = rd_of(b, hex_octets("090C07EA031D0703000000FF8880", b, sizeof b));
    datetime_get(&r, &d);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(d.year, 2026);
    struct wr w = wr_of(b + 16, 16);
    datetime_put(&w, &d);
    assert_memory_equal(b, b + 16, 14);
    r = rd_of(b, hex_octets("1907EA031D0703000000FF8880", b, sizeof b));
    datetime_get(&r, &d);
    assert_int_equal(r.err, ERR_OK);
    r = rd_of(b, hex_octets("090B07EA031D0703000000FF88", b, sizeof b));
    datetime_get(&r, &d);
    assert_int_equal(r.err, ERR_TYPE);
    r = rd_of(b, hex_octets("090C07EA0D1D0703000000FF8880", b, sizeof b));
    datetime_get(&r, &d);
    assert_int_equal(r.err, ERR_RANGE);
}

static void datetime_text_is_iso_8601(void **state)
{
    char text[DATETIME_TEXT];
    struct datetime d = decode("07EA031D0703000000FF8880");
    (void)state;
    datetime_text(&d, text);
    assert_string_equal(text, "2026-03-29T03:00:00+02:00");
    d = decode("07EA031D0703000000000000");
    datetime_text(&d, text);
    assert_string_equal(text, "2026-03-29T03:00:00Z");
    d = decode("07EA031D0703000000014A00"); /* +330 minutes: west of Greenwich */
    datetime_text(&d, text);
    assert_string_equal(text, "2026-03-29T03:00:00-05:30");
    d = decode("FFFF03FE07020000FF8000FF");
    datetime_text(&d, text);
    assert_string_equal(text, "*-03-last Sun T02:00:00");
}

static void datetime_text_tells_rules_in_words(void **state)
{
    static const struct {
        const char *octets, *text;
    } rule[] = {
        {"FFFF0AFD07030000FF8000FF", "*-10-second-last Sun T03:00:00"},
        {"FFFF03FEFF020000FF8000FF", "*-03-lastT02:00:00"},
        {"FFFF0308FF020000FF8000FF", "*-03-08T02:00:00"},
        {"FFFF030802020000FF8000FF", "*-03-08 Tue T02:00:00"},
        {"07EA03FE07020000FF8000FF", "2026-03-last Sun T02:00:00"},
        {"FFFFFFFF01020000FF8000FF", "*-*-* Mon T02:00:00"},
        {"07EAFEFF07FFFFFFFFFF8880", "2026-dst-begin-* Sun T*:*:*+02:00"},
        {"07EAFDFD07161616FF028A80", "2026-dst-end-second-last Sun T22:22:22-10:50"},
        {"07EA031D07030000FFFF8880", "2026-03-29T03:00:00+02:00"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rule / sizeof rule[0]; i++) {
        char text[DATETIME_TEXT];
        struct datetime d = decode(rule[i].octets);
        datetime_text(&d, text);
        assert_string_equal(text, rule[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datetime_reads_and_writes_all_fields),
        cmocka_unit_test(datetime_refuses_fields_out_of_range),
        cmocka_unit_test(datetime_deviation_leads_from_local_time_to_utc),
        cmocka_unit_test(datetime_is_refused_when_utc_leaves_the_years),
        cmocka_unit_test(datetime_bound_widens_wildcards),
        cmocka_unit_test(datetime_get_takes_both_tags),
        cmocka_unit_test(datetime_text_is_iso_8601),
        cmocka_unit_test(datetime_text_tells_rules_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
