/* The reader against a meter that does what ours never does: odd objects and values, services it
 * lacks, answers without an end. */
#include "tests/headend/collect/scripted.h"

#include "lib/cosem/profile_select.h"
#include "lib/cosem/units.h"
#include "lib/dlms/datetime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/cosem/obis.h"
#include "tests/lib/hex.h"

#define NAME    "0-0:42.0.0.255"
#define SERIAL  "0-0:96.1.0.255"
#define LIST    "0-0:40.0.0.255"
#define CLOCK   "0-0:1.0.0.255"
#define PROFILE "1-0:99.1.0.255"
#define ALL     (READER_IDENTIFY | READER_REGISTERS | READER_PROFILES)
/* 2026-03-01T12:00:00+01:00 */
#define NOON_HEX "09 0C 07EA 03 01 07 0C 00 00 00 FFC4 00"
#define NOON     INT64_C(1772362800)
#define WH       "02 02 0F 00 16 1E"

static struct scripted s;

/* An object list under construction. */
static uint8_t list[60000];
static struct wr objects;
static uint16_t n_objects;

static int start(void **state)
{
    (void)state;
    scripted_init(&s);
    scripted_value(&s, 8, CLOCK, 2, NOON_HEX);
    objects = wr_of(list, sizeof list);
    n_objects = 0;
    return 0;
}

static void end_list(void)
{
    uint8_t all[sizeof list + 4];
    struct wr w = wr_of(all, sizeof all);
    axdr_put_array(&w, n_objects);
    wr_bytes(&w, list, objects.len);
    assert_int_equal(objects.err, ERR_OK);
    scripted_octets(&s, 15, LIST, 2, (struct bytes){all, w.len});
}

/* mode: of attribute 2; negative: the rights do not mention it */
static void add_object(uint16_t class_id, const uint8_t ln[6], int mode)
{
    axdr_put_struct(&objects, 4);
    axdr_put_u16(&objects, class_id);
    axdr_put_u8(&objects, 0);
    axdr_put_octets(&objects, ln, 6);
    axdr_put_struct(&objects, 2);
    axdr_put_array(&objects, mode < 0 ? 1 : 2);
    for (int id = 1; id <= (mode < 0 ? 1 : 2); id++) {
        axdr_put_struct(&objects, 3);
        axdr_put_i8(&objects, (int8_t)id);
        axdr_put_enum(&objects, id == 2 ? (uint8_t)mode : 1);
        axdr_put_array(&objects, 2);
        axdr_put_i8(&objects, 1);
        axdr_put_i8(&objects, 2);
    }
    axdr_put_array(&objects, 1);
    axdr_put_struct(&objects, 2);
    axdr_put_i8(&objects, 1);
    axdr_put_enum(&objects, 0);
    n_objects++;
}

static void add(uint16_t class_id, const char *obis, int mode)
{
    uint8_t ln[6];
    assert_int_equal(obis_parse(obis, ln), ERR_OK);
    add_object(class_id, ln, mode);
}

static void expect_ready(void)
{
    if (s.x.reader.state != READER_READY)
        fail_msg("state %d: %s", s.x.reader.state, s.x.reader.failure);
}

static void expect_failed(const char *part)
{
    assert_int_equal(s.x.reader.state, READER_FAILED);
    if (strstr(s.x.reader.failure, part) == NULL)
        fail_msg("'%s' does not say '%s'", s.x.reader.failure, part);
    assert_int_equal(reader_poll(&s.x.reader, s.x.now_ms), UINT64_MAX);
}

/* ---- identity ---- */

static void expect_texts(const char *name_hex, const char *name, const char *serial_hex,
                         const char *serial)
{
    scripted_value(&s, 1, NAME, 2, name_hex);
    scripted_value(&s, 1, SERIAL, 2, serial_hex);
    scripted_read(&s, READER_IDENTIFY);
    expect_ready();
    assert_string_equal(s.x.objects.device_name, name);
    assert_string_equal(s.x.objects.serial, serial);
}

static void identity_is_text_whatever_its_type(void **state)
{
    (void)state;
    expect_texts("09 05 4C475A3031", "LGZ01", "0A 06 313233343536", "123456");
    expect_texts("0C 03 414243", "ABC", "06 00BC614E", "12345678");
    expect_texts("09 08 4B414D0001020304", "4B414D0001020304", "09 05 3132200000", "12");
    expect_texts("09 00", "", "02 01 11 05", "");
    expect_texts("09 03 C3A420", "C3A4", "17 3F800000", "");
    expect_texts("09 14 0001020304050607080910111213141516171819",
                 "00010203040506070809101112131415",
                 "0A 28 30313233343536373839303132333435363738393031323334353637383930313233343536"
                 "373839",
                 "01234567890123456789012345678901");
}

static void identity_is_empty_when_meter_refuses(void **state)
{
    (void)state;
    scripted_refuse(&s, 1, SERIAL, 2, COSEM_READ_WRITE_DENIED);
    scripted_read(&s, READER_IDENTIFY);
    expect_ready();
    assert_string_equal(s.x.objects.device_name, "");
    assert_string_equal(s.x.objects.serial, "");
    assert_int_equal(s.x.n_identified, 1);
}

static void reading_fails_when_object_list_is_refused(void **state)
{
    (void)state;
    scripted_refuse(&s, 15, LIST, 2, COSEM_READ_WRITE_DENIED);
    scripted_read(&s, ALL);
    expect_failed("object list 0-0:40.0.0.255 cannot be read: read-write-denied");
    assert_false(s.x.objects.known);
    scripted_value(&s, 15, LIST, 2, "02 01 11 05");
    scripted_read(&s, ALL);
    expect_failed("type does not match");
    scripted_value(&s, 15, LIST, 2, "01 01 02 04 12 0003 11 00 09 05 0100010800 02 02 01 00 01 00");
    scripted_read(&s, ALL);
    expect_failed("type does not match");
    scripted_value(&s, 15, LIST, 2, "13 12 04 0001 0002"); /* a compact array */
    scripted_read(&s, ALL);
    expect_failed("not supported");
    scripted_value(&s, 15, LIST, 2, "01 00");
    scripted_read(&s, ALL);
    expect_ready();
}

/* ---- object list ---- */

static void list_gives_readable_registers_and_load_profiles(void **state)
{
    (void)state;
    static const int mode[] = {0, 1, 2, 3, 4, 5, 6, -1};
    static const bool kept[] = {false, true, false, true, true, true, true, true};
    unsigned n = 0;
    for (uint8_t i = 0; i < 8; i++) {
        const uint8_t ln[6] = {1, 0, i, 8, 0, 255};
        add_object(3, ln, mode[i]);
    }
    add(1, "1-0:0.2.0.255", 1);
    add(4, "1-0:1.6.0.255", 1);
    add(5, "1-0:1.4.0.255", 3);
    add(6, "1-0:1.9.0.255", 1);
    add(7, PROFILE, 1);
    add(7, "1-1:99.2.0.255", 1);
    add(7, "0-3:99.1.0.255", 1);
    add(7, "0-0:99.98.0.255", 1);
    add(7, "0-0:98.1.0.255", 1);
    add(7, "2-0:99.1.0.255", 2); /* not readable */
    end_list();
    scripted_read(&s, READER_IDENTIFY);
    expect_ready();
    for (uint8_t i = 0; i < 8; i++)
        n += kept[i];
    assert_int_equal(s.x.objects.n_registers, n + 2);
    assert_int_equal(s.x.objects.reg[0].ln[2], 1);
    assert_int_equal(s.x.objects.reg[1].ln[2], 3);
    assert_int_equal(s.x.objects.reg[n].class_id, 4);
    assert_int_equal(s.x.objects.reg[n + 1].class_id, 5);
    assert_int_equal(s.x.objects.n_profiles, 3);
    assert_int_equal(s.x.objects.profile[2].ln[1], 3);
}

static void list_keeps_electricity_of_today_when_there_is_no_room(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 240; i++) { /* 240 others, 240 past ones, 480 of today */
        const uint8_t other[6] = {0, 0, 96, (uint8_t)i, 0, 255},
                      past[6] = {1, 0, 1, 8, 0, (uint8_t)i};
        const uint8_t today[6] = {1, 0, (uint8_t)i, 7, 0, 255},
                      more[6] = {1, 0, (uint8_t)i, 8, 0, 255};
        const uint8_t profile[6] = {1, (uint8_t)i, 99, 1, 0, 255};
        add_object(3, other, 1);
        add_object(3, past, 1);
        add_object(3, today, 1);
        add_object(3, more, 1);
        if (i % 40 == 0)
            add_object(7, profile, 1);
    }
    const unsigned n = n_objects - 6u;
    end_list();
    scripted_read(&s, READER_IDENTIFY);
    expect_ready();
    const struct reader_objects *o = &s.x.objects;
    assert_int_equal(o->n_registers, READER_REGISTERS_MAX);
    assert_int_equal(o->registers_left_out, n - READER_REGISTERS_MAX);
    assert_int_equal(o->n_profiles, READER_PROFILES_MAX);
    assert_int_equal(o->profiles_left_out, 2);
    unsigned n_today = 0, n_others = 0, n_past = 0;
    for (size_t i = 0; i < o->n_registers; i++) {
        n_today += o->reg[i].ln[0] == 1 && o->reg[i].ln[5] == 255;
        n_others += o->reg[i].ln[0] == 0;
        n_past += o->reg[i].ln[5] != 255;
    }
    assert_int_equal(n_today, 480);
    assert_int_equal(n_others, READER_REGISTERS_MAX - 480);
    assert_int_equal(n_past, 0);
}

/* ---- registers ---- */

static const char *const value_hex[] = {
    "06 00000064", "15 7FFFFFFFFFFFFFFF", "15 8000000000000000", "17 42C80000",       "0F FE",
    "00",          "14 8000000000000000", "09 02 0102",          "02 02 11 01 11 02", "16 05"};
#define N_VALUES (sizeof value_hex / sizeof value_hex[0])

static void add_registers(void)
{
    for (unsigned i = 0; i < N_VALUES; i++) {
        char obis[OBIS_TEXT];
        snprintf(obis, sizeof obis, "1-0:%u.8.0.255", i);
        add(3, obis, 1);
        scripted_value(&s, 3, obis, 2, value_hex[i]);
        if (i != 3)
            scripted_value(&s, 3, obis, 3, i == 4 ? "02 02 0F FD 16 23" : WH);
    }
    end_list();
    scripted_refuse(&s, 3, "1-0:4.8.0.255", 2, COSEM_TEMPORARY_FAILURE);
}

static void expect_values(void)
{
    static const int64_t wanted[N_VALUES] = {100, INT64_MAX, 0, 0, 0, 0, INT64_MIN, 0, 0, 5};
    static const enum cosem_result result[N_VALUES] = {
        COSEM_SUCCESS,           COSEM_SUCCESS,        COSEM_TYPE_UNMATCHED, COSEM_TYPE_UNMATCHED,
        COSEM_TEMPORARY_FAILURE, COSEM_TYPE_UNMATCHED, COSEM_SUCCESS,        COSEM_TYPE_UNMATCHED,
        COSEM_TYPE_UNMATCHED,    COSEM_SUCCESS};
    expect_ready();
    assert_int_equal(s.x.n_values, N_VALUES);
    for (size_t i = 0; i < N_VALUES; i++) {
        assert_int_equal(s.x.result[i], result[i]);
        assert_int_equal(s.x.value[i], wanted[i]);
        assert_int_equal(s.x.objects.reg[i].unit, i == 3 ? 255 : i == 4 ? 35 : 30);
        assert_int_equal(s.x.objects.reg[i].scaler, i == 4 ? -3 : 0);
    }
}

static void registers_come_with_a_result_each(void **state)
{
    (void)state;
    add_registers();
    scripted_read(&s, ALL);
    expect_values();
    assert_int_equal(s.n_lists, 2); /* units, values */
}

static void registers_come_singly_when_lists_are_not_agreed(void **state)
{
    (void)state;
    add_registers();
    s.conformance &= ~DLMS_CONF_MULTIPLE;
    scripted_read(&s, ALL);
    expect_values();
    assert_int_equal(s.n_lists, 0);
}

static void lists_get_shorter_when_meter_refuses_long_ones(void **state)
{
    (void)state;
    add_registers();
    s.list_max = 4;
    scripted_read(&s, ALL);
    expect_values();
    assert_true(s.x.objects.list_max >= 2 && s.x.objects.list_max <= 4);
    scripted_read(&s, READER_REGISTERS); /* and it remembers */
    expect_values();
    assert_true(s.n_lists == 5 && s.n_singles == 1); /* ten values by two; the clock */
    s.list_max = 1;
    scripted_read(&s, ALL); /* at last by single gets */
    expect_values();
    assert_int_equal(s.x.objects.list_max, 1);
}

static void lists_are_given_up_when_meter_answers_them_wrongly(void **state)
{
    (void)state;
    add_registers();
    s.list_as_normal = true;
    scripted_read(&s, ALL);
    expect_values(); /* shorter and shorter ones were tried, then none */
    assert_true(s.n_lists > 0);
    assert_false(s.x.reader.security_failure);
    scripted_read(&s, ALL);
    expect_values();
    assert_int_equal(s.n_lists, 0);
}

static void lists_fit_the_meters_pdu(void **state)
{
    (void)state;
    add_registers();
    s.max_pdu = 64; /* four descriptors; checked by the scripted meter, too */
    scripted_read(&s, ALL);
    expect_values();
    assert_true(s.n_lists >= 4);
}

/* ---- clock ---- */

static void expect_clock(const char *hex, unsigned n, int64_t utc_s, int16_t deviation, bool valid)
{
    scripted_value(&s, 8, CLOCK, 2, hex);
    scripted_read(&s, READER_REGISTERS);
    expect_ready();
    assert_int_equal(s.x.n_clock, n);
    if (n == 0)
        return;
    assert_int_equal(s.x.clock_s, utc_s);
    assert_int_equal(s.x.deviation_min, deviation);
    assert_int_equal(s.x.clock_valid, valid);
}

static void clock_is_told_with_zone_and_validity(void **state)
{
    (void)state;
    expect_clock(NOON_HEX, 1, NOON, 60, true);
    expect_clock("19 07EA 03 01 07 0C 00 00 00 FF88 80", 1, NOON - 3600, 120, true);
    expect_clock("09 0C 07EA 03 01 07 0C 00 00 00 8000 00", 1, NOON + 3600, 0, true);
    expect_clock("09 0C 07EA 03 01 07 0C 00 00 00 FFC4 FF", 1, NOON, 60, true);
    expect_clock("09 0C 07EA 03 01 07 0C 00 00 00 FFC4 01", 1, NOON, 60, false);
    expect_clock("09 0C FFFF FF FF FF FF FF FF FF 8000 FF", 1, 0, 0, false);
    expect_clock("06 5F000000", 0, 0, 0, false);
    expect_clock("09 05 07EA030107", 0, 0, 0, false);
}

static void clock_is_not_told_when_meter_refuses(void **state)
{
    (void)state;
    scripted_refuse(&s, 8, CLOCK, 2, COSEM_READ_WRITE_DENIED);
    scripted_read(&s, READER_REGISTERS);
    expect_ready();
    assert_int_equal(s.x.n_clock, 0);
}

/* ---- profiles ---- */

#define COLUMN(class_hex, ln_hex, attribute_hex)                                                   \
    "02 04 12 " class_hex " 09 06 " ln_hex " 0F " attribute_hex " 12 0000 "
#define CLOCK_COLUMN COLUMN("0008", "0000010000FF", "02")

/* Clock, status, two values: one of a listed register, one of another object. */
static void add_profile(const char *obis)
{
    add(7, obis, 1);
    scripted_value(&s, 7, obis, 3,
                   "01 04 " CLOCK_COLUMN COLUMN("0001", "0000600A01FF", "02")
                       COLUMN("0003", "0100010800FF", "02") COLUMN("0005", "0100010400FF", "03"));
    scripted_value(&s, 7, obis, 4, "06 00000384");
    scripted_value(&s, 7, obis, 2,
                   "01 02 02 04 " NOON_HEX " 11 80 06 00000064 12 0001 02 04 00 00 06 00000065 00");
}

static void add_usual(void)
{
    add(3, "1-0:1.8.0.255", 1);
    scripted_value(&s, 3, "1-0:1.8.0.255", 2, "06 00000066");
    scripted_value(&s, 3, "1-0:1.8.0.255", 3, "02 02 0F 01 16 1E");
    scripted_value(&s, 5, "1-0:1.4.0.255", 4, "02 02 0F FF 16 1B");
    add_profile(PROFILE);
    end_list();
}

static void expect_two_rows(void)
{
    expect_ready();
    assert_int_equal(s.x.n_ends, 1);
    assert_int_equal(s.x.end[0], COSEM_SUCCESS);
    assert_int_equal(s.x.end_rows[0], 2);
    assert_int_equal(s.x.row[0].stamp_s, NOON);
    assert_int_equal(s.x.row[0].status, 0x80);
    assert_int_equal(s.x.row[1].stamp_s, NOON + 900);
    assert_int_equal(s.x.row[1].value[0], 101);
    assert_int_equal(s.x.row[1].value[1], 1);
    assert_int_equal(s.x.reader.rows_done, 2);
    assert_int_equal(s.x.reader.rows_expected, 2);
}

static void profile_has_roles_and_units(void **state)
{
    (void)state;
    add_usual();
    scripted_read(&s, ALL);
    expect_two_rows();
    const struct reader_profile *p = &s.x.objects.profile[0];
    static const uint8_t role[] = {PROFILE_ROWS_CLOCK, PROFILE_ROWS_STATUS, PROFILE_ROWS_VALUE,
                                   PROFILE_ROWS_VALUE};
    static const int8_t scaler[] = {0, 0, 1, -1};
    static const uint8_t unit[] = {255, 255, 30, 27};
    assert_int_equal(p->n_columns, 4);
    assert_int_equal(p->period_s, 900);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(p->column[i].role, role[i]);
        assert_int_equal(p->column[i].scaler, scaler[i]);
        assert_int_equal(p->column[i].unit, unit[i]);
    }
    assert_int_equal(s.n_ranges, 0); /* all rows were wanted */
}

static int64_t instant(struct bytes b)
{
    struct rd r = rd_of(b.p, b.len);
    struct datetime d;
    int64_t utc = 0;
    datetime_get(&r, &d);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(d.deviation, -60); /* as the meter's clock */
    assert_int_equal(datetime_to_utc(&d, 0, &utc), ERR_OK);
    return utc;
}

static void range_goes_from_a_second_before_without_end(void **state)
{
    (void)state;
    struct profile_range range;
    const struct profile_column by = {8, {0, 0, 1, 0, 0, 255}, 2, 0};
    add_usual();
    s.x.from_s = NOON;
    scripted_read(&s, ALL);
    expect_two_rows();
    assert_int_equal(s.n_ranges, 1);
    assert_int_equal(s.x.asked_now_s, NOON);
    assert_int_equal(profile_range_parse((struct bytes){s.range, s.range_len}, &range),
                     COSEM_SUCCESS);
    assert_true(profile_column_equal(&range.by, &by));
    assert_int_equal(range.n_columns, 0);
    assert_int_equal(instant(range.from), NOON - 1);
    assert_true(instant(range.to) > NOON + INT64_C(70) * 365 * 86400);
    s.x.from_s = -5; /* before 1970 begins, where date-times do */
    scripted_read(&s, READER_PROFILES);
    expect_two_rows();
}

static void buffer_is_read_whole_when_range_is_refused(void **state)
{
    (void)state;
    add_usual();
    s.x.from_s = NOON + 900;
    s.refuse_ranges = true;
    scripted_read(&s, ALL);
    expect_two_rows(); /* the row before from_s, too */
    assert_int_equal(s.n_ranges, 1);
    s.refuse_ranges = false;
    s.except_ranges = true;
    scripted_read(&s, READER_PROFILES);
    expect_two_rows();
    assert_int_equal(s.n_ranges, 1);
    s.conformance &= ~DLMS_CONF_SELECTIVE;
    scripted_read(&s, READER_PROFILES);
    expect_two_rows();
    assert_int_equal(s.n_ranges, 0);
}

static void buffer_is_read_whole_when_range_does_not_fit(void **state)
{
    (void)state;
    add_usual();
    s.x.from_s = NOON;
    s.max_pdu = 63; /* a range takes 64 */
    scripted_read(&s, ALL);
    expect_two_rows();
    assert_int_equal(s.n_ranges, 0);
}

static void profile_ends_with_the_result_when_all_is_refused(void **state)
{
    (void)state;
    add_usual();
    scripted_read(&s, READER_IDENTIFY);
    scripted_refuse(&s, 7, PROFILE, 2, COSEM_READ_WRITE_DENIED);
    s.x.from_s = NOON;
    scripted_read(&s, READER_PROFILES);
    expect_ready();
    assert_int_equal(s.n_ranges, 1);
    assert_int_equal(s.x.n_ends, 1);
    assert_int_equal(s.x.end[0], COSEM_READ_WRITE_DENIED);
    assert_int_equal(s.x.n_rows, 0);
}

static void profile_is_not_asked_when_its_columns_are_of_no_use(void **state)
{
    (void)state;
    char hex[6000] = "01 23 " CLOCK_COLUMN;
    add_usual();
    for (unsigned i = 0; i < 34; i++)
        strcat(hex, COLUMN("0003", "0100010800FF", "02"));
    scripted_value(&s, 7, PROFILE, 3, hex);
    scripted_read(&s, ALL);
    expect_ready();
    assert_int_equal(s.x.end[0], COSEM_OTHER_REASON);
    assert_int_equal(s.x.objects.profile[0].n_captured, 35);
    assert_non_null(strstr(reader_profile_problem(&s.x.objects.profile[0]), "more columns"));

    memcpy(hex, "01 22", 5); /* 34 columns, 33 of them values */
    hex[strlen(hex) - strlen(COLUMN("0003", "0100010800FF", "02"))] = '\0';
    scripted_value(&s, 7, PROFILE, 3, hex);
    scripted_read(&s, ALL);
    assert_non_null(strstr(reader_profile_problem(&s.x.objects.profile[0]), "more columns"));
    memcpy(hex, "01 21", 5); /* 32 values fit */
    hex[strlen(hex) - strlen(COLUMN("0003", "0100010800FF", "02"))] = '\0';
    scripted_value(&s, 7, PROFILE, 3, hex);
    scripted_read(&s, READER_IDENTIFY);
    assert_null(reader_profile_problem(&s.x.objects.profile[0]));

    scripted_value(&s, 7, PROFILE, 3, "01 01 " COLUMN("0003", "0100010800FF", "02"));
    scripted_read(&s, ALL);
    assert_non_null(strstr(reader_profile_problem(&s.x.objects.profile[0]), "no clock"));
    assert_int_equal(s.x.end[0], COSEM_OTHER_REASON);

    scripted_refuse(&s, 7, PROFILE, 3, COSEM_READ_WRITE_DENIED);
    scripted_read(&s, ALL);
    expect_ready();
    assert_non_null(strstr(reader_profile_problem(&s.x.objects.profile[0]), "not tell"));
    assert_int_equal(s.x.n_ends, 1);
}

static void second_clock_and_status_are_values(void **state)
{
    (void)state;
    add_usual();
    scripted_value(&s, 7, PROFILE, 3,
                   "01 04 " CLOCK_COLUMN CLOCK_COLUMN COLUMN("0003", "0000600A02FF", "02")
                       COLUMN("0001", "0000600A01FF", "02"));
    scripted_value(&s, 7, PROFILE, 2, "01 01 02 04 " NOON_HEX NOON_HEX " 11 03 11 04");
    scripted_read(&s, ALL);
    expect_ready();
    assert_int_equal(s.x.end[0], COSEM_SUCCESS);
    assert_int_equal(s.x.row[0].status, 3);
    assert_true(s.x.row[0].value[0] == PROFILE_ROWS_MISSING);
    assert_int_equal(s.x.row[0].value[1], 4);
}

static void next_profile_is_read_when_one_has_odd_rows(void **state)
{
    (void)state;
    add_usual();
    add_profile("1-0:99.2.0.255");
    end_list();
    scripted_value(&s, 7, PROFILE, 2, "13 02 02 12 06 06 0001 00000002"); /* a compact array */
    scripted_read(&s, ALL);
    expect_ready();
    assert_int_equal(s.x.n_ends, 2);
    assert_int_equal(s.x.end[0], COSEM_TYPE_UNMATCHED);
    assert_int_equal(s.x.end[1], COSEM_SUCCESS);
    assert_int_equal(s.x.end_rows[1], 2);
    scripted_value(&s, 7, PROFILE, 2, "01 02 02 04 " NOON_HEX " 11 80 06 00000064 12 0001 11 05");
    scripted_read(&s, READER_PROFILES);
    expect_ready();
    assert_int_equal(s.x.end[0], COSEM_TYPE_UNMATCHED);
    assert_int_equal(s.x.end_rows[0], 1);
    assert_int_equal(s.x.end_rows[1], 2);
    assert_int_equal(s.x.n_rows, 3);
    s.x.plan.profiles = 2; /* the second alone */
    scripted_read(&s, READER_PROFILES);
    expect_ready();
    assert_int_equal(s.x.n_ends, 1);
    assert_int_equal(s.x.n_rows, 2);
}

static void reading_fails_when_receiver_wants_no_more_rows(void **state)
{
    (void)state;
    add_usual();
    s.x.rows_limit = 1;
    scripted_read(&s, ALL);
    expect_failed("no more room (asked for the profile " PROFILE ")");
    assert_int_equal(s.x.reader.rows_done, 1);
    assert_int_equal(s.x.n_ends, 0);
}

/* ---- time and the line ---- */

static void reading_fails_when_meter_falls_silent_anywhere(void **state)
{
    (void)state;
    add_usual();
    scripted_read(&s, ALL);
    const unsigned total = s.n_requests;
    for (s.mute_after = 0; s.mute_after < total; s.mute_after++) {
        const uint64_t began_ms = s.x.now_ms;
        scripted_read(&s, ALL);
        assert_int_equal(s.x.reader.state, READER_BUSY);
        assert_int_equal(reader_poll(&s.x.reader, s.x.now_ms), began_ms + 1000);
        s.x.now_ms += 999;
        (void)reader_poll(&s.x.reader, s.x.now_ms);
        assert_int_equal(s.x.reader.state, READER_BUSY);
        s.x.now_ms += 1;
        (void)reader_poll(&s.x.reader, s.x.now_ms);
        expect_failed("did not answer in time");
    }
    s.mute_after = UINT32_MAX;
    scripted_read(&s, ALL);
    expect_two_rows();
}

static void reading_fails_when_answer_has_no_end(void **state)
{
    (void)state;
    s.endless_text = true;
    scripted_value(&s, 1, NAME, 2, "00");
    scripted_read(&s, READER_IDENTIFY);
    expect_failed("no end");
    assert_true(s.n_requests < 1100);
}

static void reading_fails_when_answers_bring_nothing(void **state)
{
    (void)state;
    s.empty_blocks = true;
    s.mute_after = 3; /* so that the test may look in between */
    scripted_value(&s, 1, NAME, 2, "00");
    scripted_read(&s, READER_IDENTIFY);
    for (unsigned i = 0; i < 20 && s.x.reader.state == READER_BUSY; i++) {
        const uint8_t block[] = {0,
                                 1,
                                 0,
                                 1,
                                 0,
                                 16,
                                 0,
                                 10,
                                 DLMS_GET_RESPONSE,
                                 DLMS_GETRES_BLOCK,
                                 0xC1,
                                 0,
                                 0,
                                 0,
                                 0,
                                 (uint8_t)(3 + i),
                                 0,
                                 0};
        uint8_t drop[100];
        s.x.now_ms += 600; /* each block in time */
        (void)reader_poll(&s.x.reader, s.x.now_ms);
        if (s.x.reader.state == READER_BUSY)
            assert_int_equal(reader_feed(&s.x.reader, s.x.now_ms, block, sizeof block),
                             sizeof block);
        while (reader_take(&s.x.reader, drop, sizeof drop) > 0)
            continue;
    }
    expect_failed("block out of order or empty");
    assert_true(s.x.now_ms < 1000); /* the first one that brings nothing */
}

static void reading_goes_on_when_meter_notifies_in_between(void **state)
{
    (void)state;
    add_usual();
    s.notifies = true;
    scripted_read(&s, ALL);
    expect_two_rows();
}

static void release_ends_in_done_whatever_the_meter_does(void **state)
{
    (void)state;
    scripted_read(&s, READER_IDENTIFY);
    expect_ready();
    assert_int_equal(
        reader_begin(&s.x.reader, 0, &(struct reader_plan){0}, &(struct reader_sink){0}),
        ERR_RANGE);
    s.no_release = true;
    assert_int_equal(reader_release(&s.x.reader, s.x.now_ms), ERR_OK);
    assert_int_equal(reader_release(&s.x.reader, s.x.now_ms), ERR_STATE);
    scripted_run(&s);
    assert_int_equal(s.x.reader.state, READER_BUSY);
    s.x.now_ms += 1000;
    (void)reader_poll(&s.x.reader, s.x.now_ms);
    assert_int_equal(s.x.reader.state, READER_DONE);
    assert_string_equal(s.x.reader.failure, "");
    s.no_release = false;
    scripted_read(&s, READER_REGISTERS);
    expect_ready();
    reader_lost(&s.x.reader);
    assert_int_equal(s.x.reader.state, READER_DONE);
    assert_int_equal(reader_release(&s.x.reader, s.x.now_ms), ERR_STATE);
}

static void reading_fails_when_octets_come_unasked(void **state)
{
    (void)state;
    static const uint8_t other_port[] = {0, 1, 0, 1, 0, 17, 0, 1, 0xC4};
    scripted_read(&s, READER_IDENTIFY);
    expect_ready();
    assert_int_equal(reader_feed(&s.x.reader, 0, other_port, sizeof other_port), sizeof other_port);
    expect_failed("wrapper frame");
    assert_int_equal(reader_feed(&s.x.reader, 0, other_port, sizeof other_port), 0);
    scripted_read(&s, READER_REGISTERS);
    expect_ready();
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, start)
    const struct CMUnitTest tests[] = {
        CASE(identity_is_text_whatever_its_type),
        CASE(identity_is_empty_when_meter_refuses),
        CASE(reading_fails_when_object_list_is_refused),
        CASE(list_gives_readable_registers_and_load_profiles),
        CASE(list_keeps_electricity_of_today_when_there_is_no_room),
        CASE(registers_come_with_a_result_each),
        CASE(registers_come_singly_when_lists_are_not_agreed),
        CASE(lists_get_shorter_when_meter_refuses_long_ones),
        CASE(lists_are_given_up_when_meter_answers_them_wrongly),
        CASE(lists_fit_the_meters_pdu),
        CASE(clock_is_told_with_zone_and_validity),
        CASE(clock_is_not_told_when_meter_refuses),
        CASE(profile_has_roles_and_units),
        CASE(range_goes_from_a_second_before_without_end),
        CASE(buffer_is_read_whole_when_range_is_refused),
        CASE(buffer_is_read_whole_when_range_does_not_fit),
        CASE(profile_ends_with_the_result_when_all_is_refused),
        CASE(profile_is_not_asked_when_its_columns_are_of_no_use),
        CASE(second_clock_and_status_are_values),
        CASE(next_profile_is_read_when_one_has_odd_rows),
        CASE(reading_fails_when_receiver_wants_no_more_rows),
        CASE(reading_fails_when_meter_falls_silent_anywhere),
        CASE(reading_fails_when_answer_has_no_end),
        CASE(reading_fails_when_answers_bring_nothing),
        CASE(reading_goes_on_when_meter_notifies_in_between),
        CASE(release_ends_in_done_whatever_the_meter_does),
        CASE(reading_fails_when_octets_come_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
