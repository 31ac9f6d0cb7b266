#include "headend/api/json_out.h"
#include "headend/api/time_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_text(const struct json_out *j, const char *want)
{
    assert_int_equal(j->err, ERR_OK);
    assert_int_equal(j->len, strlen(want));
    assert_memory_equal(j->p, want, j->len);
}

static void json_out_puts_commas_where_they_belong(void **state)
{
    struct json_out j;
    (void)state;
    json_out_init(&j, 1000);
    json_out_open(&j, '{');
    json_out_key(&j, "a");
    json_out_open(&j, '[');
    json_out_int(&j, -1);
    json_out_int(&j, INT64_MIN);
    json_out_null(&j);
    json_out_open(&j, '[');
    json_out_close(&j, ']');
    json_out_bool(&j, true);
    json_out_close(&j, ']');
    json_out_key(&j, "b");
    json_out_text(&j, "");
    json_out_key(&j, "t");
    json_out_time_or_null(&j, 0);
    json_out_close(&j, '}');
    assert_text(&j, "{\"a\":[-1,-9223372036854775808,null,[],true],\"b\":\"\",\"t\":null}");
    json_out_free(&j);
}

static void json_out_makes_any_octets_valid_text(void **state)
{
    static const char *const given[] = {
        "\"\\\n\x01\x7F",   "<script>&",    "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x8C",
        "\xC0\x80",         "\xED\xA0\x80", "\xE2\x82",
        "\xF4\x90\x80\x80", "a\x80z"};
    static const char *const want[] = {"\"\\\"\\\\\\u000a\\u0001\\u007f\"",
                                       "\"\\u003cscript\\u003e\\u0026\"",
                                       "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x8C\"",
                                       "\"\xEF\xBF\xBD\xEF\xBF\xBD\"",
                                       "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"",
                                       "\"\xEF\xBF\xBD\xEF\xBF\xBD\"",
                                       "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"",
                                       "\"a\xEF\xBF\xBDz\""};
    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        struct json_out j;
        json_out_init(&j, 1000);
        json_out_text(&j, given[i]);
        assert_text(&j, want[i]);
        json_t *v = json_loadb(j.p, j.len, JSON_DECODE_ANY, NULL);
        assert_non_null(v);
        json_decref(v);
        json_out_free(&j);
    }
}

static void json_out_stops_at_its_limit(void **state)
{
    struct json_out j;
    (void)state;
    json_out_init(&j, 5000);
    for (int i = 0; i < 10000; i++)
        json_out_int(&j, i);
    assert_int_equal(j.err, ERR_FULL);
    assert_true(j.size <= 5000 && j.len <= j.size);
    json_out_free(&j);
}

static void decimal(int64_t raw, int scaler, uint32_t num, uint32_t den, const char *want)
{
    char text[JSON_DECIMAL_TEXT + 1];
    const struct json_decimal d = {raw, scaler, num, den};
    const size_t n = json_decimal_text(&d, text);
    assert_true(n < JSON_DECIMAL_TEXT);
    text[n] = '\0';
    assert_string_equal(text, want);
}

static void json_out_writes_exact_decimals(void **state)
{
    (void)state;
    decimal(12345, -1, 1, 1, "1234.5");
    decimal(-12345, -2, 1, 1, "-123.45");
    decimal(5, -3, 1, 1, "0.005");
    decimal(1200, -2, 1, 1, "12");
    decimal(1200, 0, 1, 1, "1200");
    decimal(12, 3, 1, 1, "12000");
    decimal(0, -3, 40, 1, "0");
    decimal(0, 20, 40, 1, "0");
    decimal(310, 0, 200, 5, "12400");
    decimal(1, 0, 1, 4, "0.25");
    decimal(1, -1, 1, 8, "0.0125");
    decimal(1, 0, 1, 3, "0.333333");
    decimal(2, 0, 1, 3, "0.666667");
    decimal(-2, 0, 1, 3, "-0.666667");
    decimal(10, 0, 1, 3, "3.333333");
    decimal(7, 0, 1, 0, "7");
    decimal(INT64_MAX, 0, 1, 1, "9223372036854775807");
    decimal(INT64_MIN, -1, 1, 1, "-922337203685477580.8");
    decimal(INT64_MAX, 0, UINT32_MAX, 1, "39614081247908796755622232065");
    decimal(INT64_MIN, -30, UINT32_MAX, 1, "-0.03961408124790879675991719936");
    decimal(3, 127, 1, 1, "3e127");
    decimal(3, -128, 1, 2, "15e-129");
}

/* Against double arithmetic: any number is valid JSON and near. */
static void json_out_decimals_agree_with_doubles(void **state)
{
    uint64_t x = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        const struct json_decimal d = {(int64_t)(x >> (x & 31)) * (x & 64 ? -1 : 1),
                                       (int)(x >> 40 & 15) - 9, (uint32_t)(x >> 20 & 1023) + 1,
                                       (uint32_t)(x >> 30 & 7) + 1};
        char text[JSON_DECIMAL_TEXT + 1];
        text[json_decimal_text(&d, text)] = '\0';
        json_t *v = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
        assert_non_null(v);
        double want = (double)d.raw * d.num / d.den;
        for (int k = d.scaler; k < 0; k++)
            want /= 10;
        for (int k = d.scaler; k > 0; k--)
            want *= 10;
        const double off = json_number_value(v) - want, size = want < 0 ? -want : want;
        double place = 1e-6; /* of the rounding where the division does not end */
        for (int k = d.scaler; k > 0; k--)
            place *= 10;
        assert_true((off < 0 ? -off : off) <= size * 1e-12 + place);
        json_decref(v);
    }
}

static void time_text_writes_utc_and_offsets(void **state)
{
    char text[TIME_TEXT];
    (void)state;
    time_text(INT64_C(1795248000999), text);
    assert_string_equal(text, "2026-11-21T08:00:00Z");
    time_text_zone(1795248000, 330, text);
    assert_string_equal(text, "2026-11-21T13:30:00+05:30");
    time_text_zone(1795248000, -90, text);
    assert_string_equal(text, "2026-11-21T06:30:00-01:30");
    time_text_day(20778, text);
    assert_string_equal(text, "2026-11-21");
    time_text_http(INT64_C(784111777000), text); /* the example of RFC 9110 5.6.7 */
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_out_puts_commas_where_they_belong),
        cmocka_unit_test(json_out_makes_any_octets_valid_text),
        cmocka_unit_test(json_out_stops_at_its_limit),
        cmocka_unit_test(json_out_writes_exact_decimals),
        cmocka_unit_test(json_out_decimals_agree_with_doubles),
        cmocka_unit_test(time_text_writes_utc_and_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
