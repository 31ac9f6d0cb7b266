/* Rows out of a profile's buffer: values, null-data, times, and octets of a hostile meter. Every
 * case that expects rows is run with the octets at once and cut at every place. */
#include "lib/cosem/profile_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define ROWS_MAX 32
/* 2026-03-01T00:00:00, deviation -60 (UTC+1), status 0: 2026-02-28T23:00:00Z */
#define CLOCK_1  "09 0C 07EA 03 01 07 00 00 00 00 FFC4 00"
#define UTC_1    INT64_C(1772319600)
#define NO_CLOCK "09 0C FFFF FF FF FF FF FF FF FF 8000 FF"

struct rows {
    struct profile_rows decoder;
    struct profile_row row[ROWS_MAX];
    size_t n, limit;
};

static struct rows got;
static const uint8_t usual[] = {PROFILE_ROWS_CLOCK, PROFILE_ROWS_STATUS, PROFILE_ROWS_VALUE};

static bool take(void *context, const struct profile_row *row)
{
    struct rows *r = context;
    if (r->n == r->limit)
        return false;
    r->row[r->n++] = *row;
    return true;
}

static struct profile_rows_config config_of(const uint8_t *role, size_t n)
{
    struct profile_rows_config c = {.n_columns = (uint8_t)n,
                                    .period_s = 900,
                                    .deviation_min = 120,
                                    .context = &got,
                                    .row = take};
    memcpy(c.role, role, n);
    return c;
}

static void init(const struct profile_rows_config *c)
{
    memset(&got, 0, sizeof got);
    got.limit = ROWS_MAX;
    assert_int_equal(profile_rows_init(&got.decoder, c), ERR_OK);
}

/* In two pieces; the result of the end, or the error before. */
static enum err decode(const struct profile_rows_config *c, const uint8_t *p, size_t n, size_t cut)
{
    init(c);
    enum err err = profile_rows_feed(&got.decoder, (struct bytes){p, cut});
    if (!err)
        err = profile_rows_feed(&got.decoder, (struct bytes){p + cut, n - cut});
    return err ? err : profile_rows_end(&got.decoder);
}

/* All cuts give the same; the rows of the last are left in `got`. */
static enum err decode_hex(const struct profile_rows_config *c, const char *hex)
{
    static uint8_t octets[2048];
    static struct rows first;
    const size_t n = hex_octets(hex, octets, sizeof octets);
    const enum err err = decode(c, octets, n, 0);
    first = got;
    for (size_t cut = 1; cut <= n; cut++) {
        assert_int_equal(decode(c, octets, n, cut), err);
        assert_int_equal(got.n, first.n);
        assert_memory_equal(got.row, first.row, sizeof got.row);
        assert_int_equal(got.decoder.n_missing, first.decoder.n_missing);
    }
    return err;
}

static enum err decode_usual(const char *hex)
{
    const struct profile_rows_config c = config_of(usual, sizeof usual);
    return decode_hex(&c, hex);
}

static void rows_come_with_time_status_and_value(void **state)
{
    (void)state;
    assert_int_equal(
        decode_usual("01 02"
                     "02 03 " CLOCK_1 " 11 80 06 00000064"
                     "02 03 09 0C 07EA 03 01 07 00 0F 00 00 FF88 80 11 00 06 00000065"),
        ERR_OK);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.decoder.n_expected, 2);
    assert_int_equal(got.decoder.n_rows, 2);
    assert_int_equal(got.row[0].stamp_s, UTC_1);
    assert_int_equal(got.row[0].deviation_min, 60);
    assert_int_equal(got.row[0].clock_status, 0);
    assert_int_equal(got.row[0].status, 0x80);
    assert_int_equal(got.row[0].value[0], 100);
    assert_int_equal(got.row[1].stamp_s, UTC_1 + 900 - 3600); /* summer time */
    assert_int_equal(got.row[1].deviation_min, 120);
    assert_int_equal(got.row[1].clock_status, 0x80);
    assert_int_equal(got.row[1].value[0], 101);
}

static void rows_use_given_deviation_when_meter_does_not_say(void **state)
{
    (void)state;
    assert_int_equal(
        decode_usual("01 01 02 03 19 07EA 03 01 07 00 00 00 00 8000 FF 11 00 06 00000001"), ERR_OK);
    assert_int_equal(got.row[0].stamp_s, UTC_1 - 3600); /* 120 minutes instead of 60 */
    assert_int_equal(got.row[0].deviation_min, 120);
    assert_int_equal(got.row[0].clock_status, 0xFF);
}

static void rows_repeat_when_cells_are_null(void **state)
{
    (void)state;
    assert_int_equal(decode_usual("01 04"
                                  "02 03 " CLOCK_1 " 11 04 06 00000064"
                                  "02 03 00 00 06 00000065"
                                  "02 03 00 11 00 00"
                                  "02 03 00 00 00"),
                     ERR_OK);
    assert_int_equal(got.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(got.row[i].stamp_s, UTC_1 + (int64_t)i * 900);
        assert_int_equal(got.row[i].deviation_min, 60);
        assert_int_equal(got.row[i].status, i < 2 ? 4 : 0);
        assert_int_equal(got.row[i].value[0], i < 1 ? 100 : 101);
    }
    assert_int_equal(got.decoder.n_missing, 0);
}

static void rows_are_left_out_when_they_have_no_time(void **state)
{
    (void)state;
    assert_int_equal(decode_usual("01 05"
                                  "02 03 00 11 00 06 00000001"
                                  "02 03 " NO_CLOCK " 11 00 06 00000002"
                                  "02 03 09 0C 07EA 02 1E 07 00 00 00 00 FFC4 00 11 00 06 00000003"
                                  "02 03 " CLOCK_1 " 00 06 00000004"
                                  "02 03 00 00 00"),
                     ERR_OK);
    assert_int_equal(got.decoder.n_unstamped, 3);
    assert_int_equal(got.decoder.n_rows, 2);
    assert_int_equal(got.row[0].value[0], 4);
    assert_int_equal(got.row[1].stamp_s, UTC_1 + 900);
}

static void rows_end_when_null_time_has_no_period(void **state)
{
    (void)state;
    struct profile_rows_config c = config_of(usual, sizeof usual);
    c.period_s = 0;
    assert_int_equal(decode_hex(&c, "01 02 02 03 " CLOCK_1 " 11 00 06 00000001 02 03 00 00 00"),
                     ERR_TYPE);
    assert_int_equal(got.n, 1);
    c.period_s = UINT32_MAX; /* would run beyond any calendar */
    assert_int_equal(decode_hex(&c, "01 05 02 03 " CLOCK_1
                                    " 11 00 06 00000001 02 03 00 00 00 02 03 00 00 00"
                                    "02 03 00 00 00 02 03 00 00 00"),
                     ERR_RANGE);
    assert_int_equal(got.n, 3);
}

static void values_are_missing_when_they_are_no_integers(void **state)
{
    (void)state;
    static const uint8_t role[12] = {PROFILE_ROWS_VALUE};
    const struct profile_rows_config c = config_of(role, sizeof role);
    assert_int_equal(decode_hex(&c, "01 01 02 0C"
                                    "0F FE 10 8000 05 FFFFFFFF 14 FFFFFFFFFFFFFFFE"
                                    "15 7FFFFFFFFFFFFFFF 15 8000000000000000 17 3F800000 03 01"
                                    "09 02 0101 02 02 11 01 11 02 01 00 00"),
                     ERR_OK);
    static const int64_t wanted[12] = {-2,
                                       -32768,
                                       -1,
                                       -2,
                                       INT64_MAX,
                                       PROFILE_ROWS_MISSING,
                                       PROFILE_ROWS_MISSING,
                                       PROFILE_ROWS_MISSING,
                                       PROFILE_ROWS_MISSING,
                                       PROFILE_ROWS_MISSING,
                                       PROFILE_ROWS_MISSING,
                                       PROFILE_ROWS_MISSING};
    assert_int_equal(got.n, 1);
    for (size_t i = 0; i < 12; i++)
        assert_true(got.row[0].value[i] == wanted[i]);
    assert_int_equal(got.decoder.n_missing, 7);
    assert_int_equal(got.row[0].stamp_s, 0);
}

static void status_is_a_number_when_it_comes_as_bits(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint32_t status;
        uint32_t n_missing;
    } row[] = {
        {"11 81", 0x81, 0},
        {"12 0102", 0x0102, 0},
        {"06 80000001", 0x80000001, 0},
        {"15 00000000FFFFFFFF", 0xFFFFFFFF, 0},
        {"04 08 81", 0x81, 0},
        {"04 0C ABC0", 0xABC, 0},
        {"04 20 01020304", 0x01020304, 0},
        {"04 00", 0, 0},
        {"09 02 0102", 0x0102, 0},
        {"04 28 0102030405", 0, 1},
        {"15 0000000100000000", 0, 1},
        {"0F FF", 0, 1},
        {"02 01 11 05", 0, 1},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        char hex[200];
        /* behind another, of which nothing must stay */
        snprintf(hex, sizeof hex, "01 02 02 03 " CLOCK_1 " 11 55 11 06 02 03 00 %s 11 07",
                 row[i].hex);
        assert_int_equal(decode_usual(hex), ERR_OK);
        assert_int_equal(got.row[1].status, row[i].status);
        assert_int_equal(got.row[1].value[0], 7);
        assert_int_equal(got.decoder.n_missing, row[i].n_missing);
    }
}

static void rows_are_refused_when_octets_are_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum err err;
        size_t n;
    } row[] = {
        {"", ERR_TRUNCATED, 0},
        {"01 00", ERR_OK, 0},
        {"00", ERR_TYPE, 0},
        {"02 01 11 05", ERR_TYPE, 0},
        {"01 01 01 03 " CLOCK_1 " 11 00 11 01", ERR_TYPE, 0},
        {"01 01 11 00", ERR_TYPE, 0},
        {"01 01 02 02 " CLOCK_1 " 11 00", ERR_RANGE, 0},
        {"01 01 02 04 " CLOCK_1 " 11 00 11 00 11 00", ERR_RANGE, 0},
        {"01 01 02 84 80000003 " CLOCK_1, ERR_RANGE, 0},
        {"01 01 02 00", ERR_RANGE, 0},
        {"01 01 02 03 06 00000001 11 00 11 01", ERR_TYPE, 0},
        {"01 01 02 03 09 0B 07EA030107000000FFC400 11 00 11 01", ERR_TYPE, 0},
        {"01 01 02 03 09 40 07EA030107000000FFC400", ERR_TRUNCATED, 0},
        {"01 01 13 02 11 02 0102", ERR_UNSUPPORTED, 0},
        {"13 02 03 19 11 06", ERR_UNSUPPORTED, 0},
        {"01 01 02 03 " CLOCK_1 " 11 00 08", ERR_FORMAT, 0},
        {"01 01 02 03 " CLOCK_1 " 11 00 11 01 00", ERR_FORMAT, 1},
        {"01 02 02 03 " CLOCK_1 " 11 00 11 01", ERR_TRUNCATED, 1},
        {"01 84 FFFFFFFF 02 03 " CLOCK_1 " 11 00 11 01", ERR_TRUNCATED, 1},
        {"01 85 0000000001", ERR_FORMAT, 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        assert_int_equal(decode_usual(row[i].hex), row[i].err);
        assert_int_equal(got.n, row[i].n);
    }
}

static void rows_stop_when_receiver_wants_no_more(void **state)
{
    (void)state;
    uint8_t octets[200];
    const struct profile_rows_config c = config_of(usual, sizeof usual);
    const size_t n = hex_octets("01 02 02 03 " CLOCK_1 " 11 00 11 01 02 03 00 00 00", octets, 200);
    init(&c);
    got.limit = 1;
    assert_int_equal(profile_rows_feed(&got.decoder, (struct bytes){octets, n}), ERR_FULL);
    assert_int_equal(got.decoder.n_rows, 1);
    assert_int_equal(profile_rows_feed(&got.decoder, (struct bytes){octets, 1}), ERR_FULL);
    assert_int_equal(profile_rows_end(&got.decoder), ERR_FULL);
}

static void decoder_refuses_columns_it_cannot_hold(void **state)
{
    (void)state;
    uint8_t role[PROFILE_ROWS_COLUMNS_MAX] = {PROFILE_ROWS_CLOCK, PROFILE_ROWS_STATUS};
    struct profile_rows p;
    struct profile_rows_config c = config_of(role, sizeof role);
    assert_int_equal(profile_rows_init(&p, &c), ERR_OK);
    c.role[1] = PROFILE_ROWS_VALUE; /* 33 values */
    assert_int_equal(profile_rows_init(&p, &c), ERR_RANGE);
    c.role[1] = PROFILE_ROWS_CLOCK;
    assert_int_equal(profile_rows_init(&p, &c), ERR_RANGE);
    c.role[0] = c.role[1] = PROFILE_ROWS_STATUS;
    assert_int_equal(profile_rows_init(&p, &c), ERR_RANGE);
    c.role[0] = 3;
    assert_int_equal(profile_rows_init(&p, &c), ERR_RANGE);
    c.n_columns = 0;
    assert_int_equal(profile_rows_init(&p, &c), ERR_RANGE);
    c.n_columns = PROFILE_ROWS_COLUMNS_MAX + 1;
    assert_int_equal(profile_rows_init(&p, &c), ERR_RANGE);
}

/* The octets of a recorded buffer: file, what its context names, octets before the array. */
static size_t recorded(const char *file, const char *context, size_t skip_octets, uint8_t *out,
                       size_t size)
{
    FILE *f = fopen(file, "rb");
    if (f == NULL)
        print_message("no recorded profile, case skipped\n");
    if (f == NULL)
        skip();
    char *text = calloc(1, 20000);
    const size_t len = fread(text, 1, 19999, f);
    fclose(f);
    assert_true(len > 0);
    const char *at = strstr(text, context);
    assert_non_null(at);
    at = strstr(at, "\"hex\": \"");
    assert_non_null(at);
    const size_t n = hex_octets(at + 8, out, size);
    free(text);
    memmove(out, out + skip_octets, n - skip_octets);
    return n - skip_octets;
}

static void rows_of_a_day_come_when_buffer_is_recorded(void **state)
{
    (void)state;
    uint8_t octets[2048];
    struct profile_rows_config c = config_of(usual, sizeof usual);
    c.deviation_min = 0;
    const size_t n = recorded(SHARED_DIR "/vectors/dlms/apdu-vectors/test_a_xdr.json",
                              "test_decode_array_and_structure", 1, octets, sizeof octets);
    for (size_t cut = 0; cut <= n; cut++) {
        assert_int_equal(decode(&c, octets, n, cut), ERR_OK);
        assert_int_equal(got.n, 24);
    }
    for (size_t i = 0; i < 24; i++) /* 2018-02-12 */
        assert_int_equal(got.row[i].stamp_s, INT64_C(1518393600) + (int64_t)i * 3600);
    assert_int_equal(got.row[0].value[0], 100000);
    assert_int_equal(got.row[1].value[0], 100416);
    assert_int_equal(got.row[23].value[0], 109568);
    assert_int_equal(got.decoder.n_missing, 0);
}

static void rows_follow_by_the_hour_when_recorded_times_are_null(void **state)
{
    (void)state;
    static const uint8_t role[] = {PROFILE_ROWS_CLOCK, PROFILE_ROWS_STATUS, PROFILE_ROWS_VALUE,
                                   PROFILE_ROWS_VALUE};
    uint8_t octets[256];
    struct profile_rows_config c = config_of(role, sizeof role);
    c.period_s = 3600;
    const size_t n = recorded(SHARED_DIR "/vectors/dlms/apdu-vectors/test_parsers.json",
                              "test_parse_buffer", 0, octets, sizeof octets);
    for (size_t cut = 0; cut <= n; cut++)
        assert_int_equal(decode(&c, octets, n, cut), ERR_OK);
    assert_int_equal(got.n, 4);
    for (size_t i = 0; i < 4; i++) { /* 2019-12-31T23:00 at UTC+1 */
        assert_int_equal(got.row[i].stamp_s, INT64_C(1577829600) + (int64_t)i * 3600);
        assert_int_equal(got.row[i].deviation_min, 60);
        assert_int_equal(got.row[i].status, 6);
        assert_int_equal(got.row[i].value[0], 1517);
        assert_int_equal(got.row[i].value[1], 1620);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_with_time_status_and_value),
        cmocka_unit_test(rows_use_given_deviation_when_meter_does_not_say),
        cmocka_unit_test(rows_repeat_when_cells_are_null),
        cmocka_unit_test(rows_are_left_out_when_they_have_no_time),
        cmocka_unit_test(rows_end_when_null_time_has_no_period),
        cmocka_unit_test(values_are_missing_when_they_are_no_integers),
        cmocka_unit_test(status_is_a_number_when_it_comes_as_bits),
        cmocka_unit_test(rows_are_refused_when_octets_are_hostile),
        cmocka_unit_test(rows_stop_when_receiver_wants_no_more),
        cmocka_unit_test(decoder_refuses_columns_it_cannot_hold),
        cmocka_unit_test(rows_of_a_day_come_when_buffer_is_recorded),
        cmocka_unit_test(rows_follow_by_the_hour_when_recorded_times_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
