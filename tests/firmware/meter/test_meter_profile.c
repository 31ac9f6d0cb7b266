/* Profiles through their objects: columns, periods, order and size chosen by the manager, refused
 * where they must be; rows of days and months; rows as null-data and by entry in both orders. */
#include "tests/firmware/meter/rig.h"

#include "firmware/meter/meter_choice.h"
#include "firmware/meter/meter_store.h"
#include "firmware/meter/meter_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOAD3 "synth:phases=3,u=230,i=7.3,pf=0.83"
#define LOAD1 "synth:phases=1,u=240,i=3.3"
#define LP1   "1-0:99.1.0.255"
#define LP2   "1-0:99.2.0.255"
#define HEADS 4000

static struct meter_row_head heads[HEADS];

/* ---- columns as octets ---- */

static void put(struct wr *w, uint16_t class_id, const char *obis, uint8_t attribute)
{
    const struct apdu_attr a = rig_attr(class_id, obis, attribute);
    struct profile_column c = {.class_id = class_id, .attribute = attribute};
    memcpy(c.ln, a.ln, sizeof c.ln);
    profile_put_column(w, &c);
}

static void put_head(struct wr *w, size_t n)
{
    axdr_put_array(w, n);
    put(w, 8, "0-0:1.0.0.255", 2);
}

static bool set(struct rig *r, const char *obis, uint8_t attr, const struct wr *w)
{
    const struct apdu_attr a = rig_attr(7, obis, attr);
    return rig_set(r, &a, (struct bytes){w->p, w->len});
}

static bool set_u32(struct rig *r, const char *obis, uint8_t attr, uint32_t value)
{
    uint8_t octets[8];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_u32(&w, value);
    return set(r, obis, attr, &w);
}

static bool set_sort(struct rig *r, const char *obis, uint8_t sort)
{
    uint8_t octets[8];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_enum(&w, sort);
    return set(r, obis, 5, &w);
}

static uint64_t get_uint(struct rig *r, const char *obis, uint8_t attr)
{
    const struct apdu_attr a = rig_attr(7, obis, attr);
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    const uint64_t value = axdr_get_uint(&rd);
    assert_int_equal(rd.err, ERR_OK);
    return value;
}

/* Rows of the last answer, each of n_columns; leaves rd on the first. */
static size_t rows_of(const struct rig *r, struct rd *rd)
{
    *rd = rd_of(r->answer, r->answer_len);
    return axdr_get_array(rd);
}

/* ---- capture objects ---- */

static void profile_takes_the_columns_of_its_owner(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD3);
    uint8_t octets[700];
    struct wr w = wr_of(octets, sizeof octets);
    struct rd rd;
    struct datetime d;
    int64_t utc;
    rig_live(r, 3700);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    put_head(&w, 5);
    put(&w, 3, "1-0:32.7.0.255", 2);
    put(&w, 3, "1-0:1.29.0.255", 2);
    put(&w, 4, "1-0:1.6.0.255", 5);
    put(&w, 1, "0-0:96.10.2.255", 2);
    const uint32_t number = r->meter.profile[MODEL_LP2].last.number;
    assert_int_equal(number, 1);
    assert_true(set(r, LP2, 3, &w));
    assert_int_equal(get_uint(r, LP2, 7), 0);
    const struct apdu_attr columns = rig_attr(7, LP2, 3), buffer = rig_attr(7, LP2, 2);
    assert_true(rig_get(r, &columns));
    assert_int_equal(r->answer_len, w.len);
    assert_memory_equal(r->answer, octets, w.len);
    rig_live(r, 4 * 3600); /* the first whole hour is 02:00 to 03:00 */
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    rig_live(r, 60);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_get(r, &buffer));
    assert_int_equal(rows_of(r, &rd), 3);
    axdr_get_struct(&rd, 5);
    datetime_get(&rd, &d);
    assert_int_equal(datetime_to_utc(&d, 0, &utc), ERR_OK);
    assert_int_equal(utc, rig_time("2026-01-10T03:00:00"));
    assert_in_range(axdr_get_uint(&rd), 22990, 23010);
    /* 3 x 230 V x 7.3 A x 0.83 for an hour in 0.1 Wh */
    assert_in_range(axdr_get_uint(&rd), 41700, 41900);
    datetime_get(&rd, &d);
    assert_int_equal(axdr_get_uint(&rd), 0);
    assert_int_equal(rd.err, ERR_OK);
    assert_true(rig_get(r, &columns));
    assert_memory_equal(r->answer, octets, w.len);
    rig_release(r);
    /* the other profiles are as they were */
    assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), 20);
    rig_free(r);
}

/* Thirty-four columns are more than one APDU of 256 octets: they come by blocks. */
static void profile_takes_as_many_columns_as_its_model_has(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD3);
    static const char *const energy[] = {"1-0:1.8.0.255", "1-0:2.8.0.255", "1-0:3.8.0.255",
                                         "1-0:4.8.0.255"};
    uint8_t octets[700];
    struct wr w = wr_of(octets, sizeof octets);
    char obis[32];
    put_head(&w, 34);
    put(&w, 1, "0-0:96.10.7.255", 2);
    for (unsigned k = 0; k < 32; k++) {
        snprintf(obis, sizeof obis, "1-0:%u.8.%u.255", 1 + k / 8, 1 + k % 8);
        put(&w, 3, obis, 2);
    }
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(set(r, "0-0:98.1.0.255", 3, &w));
    const struct apdu_attr columns = rig_attr(7, "0-0:98.1.0.255", 3);
    assert_true(rig_get(r, &columns));
    assert_int_equal(r->answer_len, w.len);
    assert_memory_equal(r->answer, octets, w.len);
    /* one more, and sixteen in a profile of sixteen */
    w = wr_of(octets, sizeof octets);
    put_head(&w, 18);
    for (unsigned k = 0; k < 16; k++) {
        snprintf(obis, sizeof obis, "1-0:%u.8.%u.255", 1 + k / 8, 1 + k % 8);
        put(&w, 3, obis, 2);
    }
    const struct wr sixteen = w;
    put(&w, 3, energy[3], 2);
    assert_false(set(r, LP1, 3, &w));
    octets[1] = 17;
    assert_true(set(r, LP1, 3, &sixteen));
    rig_release(r);
    rig_free(r);
}

struct refusal {
    const char *obis;
    uint16_t class_id;
    uint8_t attribute;
    enum cosem_result result;
};

static void profile_refuses_columns_that_it_cannot_keep(void **state)
{
    (void)state;
    static const struct refusal refusals[] = {
        {"1-0:21.8.1.255", 3, 2, COSEM_OBJECT_UNDEFINED}, /* no rates of a phase */
        {"1-0:1.8.0.255", 3, 3, COSEM_TYPE_UNMATCHED},    /* scaler_unit: a structure */
        {"1-0:1.8.0.255", 3, 4, COSEM_READ_WRITE_DENIED}, /* no such attribute to read */
        {"1-0:1.8.0.255", 3, 0, COSEM_OBJECT_UNDEFINED},  /* all attributes */
        {"1-0:99.1.0.255", 7, 2, COSEM_TYPE_UNMATCHED},   /* a buffer */
        {"0-0:42.0.0.255", 1, 2, COSEM_TYPE_UNMATCHED},   /* 16 octets */
        {"0-0:40.0.0.255", 15, 8, COSEM_READ_WRITE_DENIED},
        {"0-0:43.1.1.255", 1, 2, COSEM_READ_WRITE_DENIED},
        {"0-0:1.0.0.255", 8, 2, COSEM_OTHER_REASON}, /* the clock twice */
    };
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD3);
    uint8_t octets[128];
    rig_live(r, 3700);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    const struct apdu_attr columns = rig_attr(7, LP1, 3);
    assert_true(rig_get(r, &columns));
    uint8_t before[400];
    const size_t n = r->answer_len;
    assert_true(n <= sizeof before);
    memcpy(before, r->answer, n);
    for (size_t k = 0; k < sizeof refusals / sizeof refusals[0]; k++) {
        struct wr w = wr_of(octets, sizeof octets);
        put_head(&w, 2);
        put(&w, refusals[k].class_id, refusals[k].obis, refusals[k].attribute);
        assert_false(set(r, LP1, 3, &w));
        assert_int_equal(r->result, refusals[k].result);
    }
    struct wr w = wr_of(octets, sizeof octets); /* the clock is not the first */
    axdr_put_array(&w, 1);
    put(&w, 3, "1-0:1.8.0.255", 2);
    assert_false(set(r, LP1, 3, &w));
    w = wr_of(octets, sizeof octets);
    axdr_put_array(&w, 0);
    assert_false(set(r, LP1, 3, &w));
    w = wr_of(octets, sizeof octets); /* the same twice */
    put_head(&w, 3);
    put(&w, 3, "1-0:1.8.0.255", 2);
    put(&w, 3, "1-0:1.8.0.255", 2);
    assert_false(set(r, LP1, 3, &w));
    assert_true(rig_get(r, &columns));
    assert_int_equal(r->answer_len, n);
    assert_memory_equal(r->answer, before, n);
    rig_release(r);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    w = wr_of(octets, sizeof octets);
    put_head(&w, 1);
    assert_false(set(r, LP1, 3, &w)); /* readers do not write */
    rig_release(r);
    assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), 4);
    rig_check_rows(r);
    rig_free(r);
}

/* ---- periods, order, size ---- */

static void profiles_have_periods_of_their_own(void **state)
{
    (void)state;
    static const uint32_t period[] = {300, 600, 900, 1800, 3600, 86400};
    static const char *const obis[] = {
        LP1, LP2, "1-0:99.1.1.255", "1-0:99.1.2.255", "0-1:24.3.0.255", "0-2:24.3.0.255"};
    struct rig *r = rig_new("SM402D", "2026-01-10T23:00:00", LOAD1); /* local midnight */
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    for (size_t k = 0; k < 6; k++)
        assert_true(set_u32(r, obis[k], 4, period[k]));
    assert_false(set_u32(r, LP1, 4, 60));
    assert_false(set_u32(r, LP1, 4, 1200));
    assert_false(set_u32(r, "1-0:98.2.0.255", 4, 3600));
    rig_release(r);
    rig_live(r, 2 * 86400);
    for (size_t k = 0; k < 6; k++) {
        const size_t n = rig_heads(r, (enum model_profile_id)k, heads, HEADS);
        assert_int_equal(n, 2 * 86400 / period[k]);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(heads[i].utc_s,
                             rig_time("2026-01-10T23:00:00") + (int64_t)((i + 1) * period[k]));
    }
    rig_free(r);
}

static void profile_of_odd_minutes_lies_on_the_grid_of_standard_time(void **state)
{
    (void)state;
    struct rig *r = rig_new("SM307", "2026-03-28T20:00:00", "synth:phases=3,u=110,i=1");
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_false(set_u32(r, LP1, 4, 0));
    assert_false(set_u32(r, LP1, 4, 61 * 60));
    assert_false(set_u32(r, LP1, 4, 90));
    assert_true(set_u32(r, LP1, 4, 13 * 60));
    rig_release(r);
    rig_live(r, 8 * 3600); /* over the begin of summer time */
    const size_t n = rig_heads(r, MODEL_LP1, heads, HEADS);
    assert_in_range(n, 35, 36);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal((heads[i].utc_s + 3600) % (13 * 60), 0);
        if (i > 0)
            assert_int_equal(heads[i].utc_s - heads[i - 1].utc_s, 13 * 60);
    }
    rig_free(r);
}

static uint32_t first_stamp(struct rig *r, uint32_t from, uint32_t to)
{
    const struct profile_entries e = {.from = from, .to = to, .from_column = 1, .to_column = 1};
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    struct apdu_attr a = rig_attr(7, LP1, 2);
    struct rd rd;
    struct datetime d;
    int64_t utc;
    profile_put_entries(&w, &e);
    a.selector = PROFILE_BY_ENTRY;
    a.parameter = (struct bytes){octets, w.len};
    assert_true(rig_get(r, &a));
    assert_int_equal(rows_of(r, &rd), to - from + 1);
    axdr_get_struct(&rd, 1);
    datetime_get(&rd, &d);
    assert_int_equal(datetime_to_utc(&d, 0, &utc), ERR_OK);
    return (uint32_t)utc;
}

static void profile_shows_the_newest_first_when_asked_to(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD3);
    const uint32_t begin = (uint32_t)rig_time("2026-01-10T00:00:00");
    rig_live(r, 10 * 900 + 5);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_int_equal(first_stamp(r, 2, 4), begin + 2 * 900);
    assert_false(set_sort(r, LP1, 3));
    assert_true(set_sort(r, LP1, 2));
    assert_int_equal(get_uint(r, LP1, 5), 2);
    assert_int_equal(get_uint(r, LP1, 7), 10); /* rows stay */
    assert_int_equal(first_stamp(r, 2, 4), begin + 9 * 900);
    assert_int_equal(first_stamp(r, 10, 10), begin + 900);
    rig_release(r);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_int_equal(first_stamp(r, 1, 1), begin + 10 * 900);
    rig_release(r);
    rig_free(r);
}

static void profile_trades_space_with_another_until_none_is_left(void **state)
{
    (void)state;
    struct rig *r = rig_new("AD13A", "2026-01-10T00:00:00", LOAD3);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    const uint32_t delivered = r->config.model->profile[MODEL_LP1].depth;
    uint32_t most = delivered, step = 1 << 14;
    for (; step > 512; step /= 2) /* what all that is free holds, nearly */
        most += set_u32(r, LP2, 8, most + step) ? step : 0;
    assert_int_equal(get_uint(r, LP2, 8), most);
    assert_false(set_u32(r, LP2, 8, most + 1000));
    assert_true(set_u32(r, LP1, 8, delivered / 2));
    assert_true(set_u32(r, LP2, 8, most + 1000));
    assert_false(set_u32(r, LP1, 8, delivered)); /* taken */
    assert_int_equal(get_uint(r, LP1, 8), delivered / 2);
    assert_true(set_u32(r, LP2, 8, most));
    assert_true(set_u32(r, LP1, 8, delivered));
    assert_true(set_u32(r, LP2, 4, 300));
    rig_release(r);
    rig_live(r, 3600);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    rig_live(r, 3600);
    assert_int_equal(rig_heads(r, MODEL_LP2, heads, HEADS), 24);
    assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), 8);
    rig_check_rows(r);
    rig_free(r);
}

/* ---- days and months ---- */

static void day_and_month_get_one_row_at_their_end_also_late(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-29T10:00:00", LOAD3);
    rig_live(r, 2 * 86400);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 3 * 86400), ERR_OK); /* over the month's end */
    rig_live(r, 2 * 86400);
    static const struct {
        const char *stamp;
        uint8_t status;
    } days[] = {{"2026-01-29T23:00:00", METER_ROW_PDN}, /* the first day was not whole */
                {"2026-01-30T23:00:00", 0},
                {"2026-01-31T23:00:00", METER_ROW_PDN}, /* late */
                {"2026-02-03T23:00:00", METER_ROW_PDN},
                {"2026-02-04T23:00:00", 0}};
    assert_int_equal(rig_heads(r, MODEL_DAILY, heads, HEADS), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(heads[i].utc_s, rig_time(days[i].stamp));
        assert_int_equal(heads[i].status, days[i].status);
    }
    assert_int_equal(rig_heads(r, MODEL_MONTHLY, heads, HEADS), 1);
    assert_int_equal(heads[0].utc_s, rig_time("2026-01-31T23:00:00"));
    assert_int_equal(heads[0].status, METER_ROW_PDN);
    rig_free(r);
}

/* The voltage at the end of an interval that a cut fell into is not known; zero would be wrong. */
static void row_of_a_dark_end_has_no_voltage(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD3);
    uint8_t record[METER_ROW_MAX];
    const uint8_t ring = meter_ring(r->meter.model, MODEL_LP3);
    rig_live(r, 660);
    assert_int_equal(rig_power_up(r, 3600), ERR_OK);
    rig_live(r, 600);
    assert_int_equal(rig_heads(r, MODEL_LP3, heads, HEADS), 3);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        assert_int_equal(nv_read(&r->meter.nv, ring, seq, record), ERR_OK);
        assert_int_equal(record[METER_ROW_HEAD], seq == 2 ? AXDR_NULL : AXDR_U32);
    }
    rig_free(r);
}

static void day_that_the_clock_is_set_in_has_one_row(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-09T23:00:00", LOAD3);
    rig_live(r, 10 * 3600);
    assert_int_equal(
        meter_clock_change(&r->meter, meter_clock_ns(&r->meter.clock) + 600 * METER_NS), ERR_OK);
    rig_live(r, 14 * 3600);
    assert_int_equal(rig_heads(r, MODEL_DAILY, heads, HEADS), 1);
    assert_int_equal(heads[0].utc_s, rig_time("2026-01-10T23:00:00"));
    assert_int_equal(heads[0].status, METER_ROW_CAD);
    /* skipped days give no row, the one that was left does */
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2026-01-15T10:00:00") * METER_NS),
                     ERR_OK);
    rig_live(r, 14 * 3600);
    assert_int_equal(rig_heads(r, MODEL_DAILY, heads, HEADS), 3);
    assert_int_equal(heads[1].utc_s, rig_time("2026-01-11T23:00:00"));
    assert_int_equal(heads[2].utc_s, rig_time("2026-01-15T23:00:00"));
    assert_int_equal(heads[1].status & heads[2].status, METER_ROW_CAD);
    rig_free(r);
}

/* ---- reading ---- */

static size_t rows_between(struct rig *r, const char *obis, int64_t from_s, int64_t to_s)
{
    struct profile_range range = {.by = {.class_id = 8, .attribute = 2}};
    const struct datetime from = datetime_from_utc(from_s, 0, 0),
                          to = datetime_from_utc(to_s, 0, 0);
    uint8_t a[16], b[16], octets[128];
    struct wr wa = wr_of(a, sizeof a), wb = wr_of(b, sizeof b), w = wr_of(octets, sizeof octets);
    struct apdu_attr buffer = rig_attr(7, obis, 2);
    struct rd rd;
    memcpy(range.by.ln, model_ln_clock, 6);
    datetime_put(&wa, &from);
    datetime_put(&wb, &to);
    range.from = (struct bytes){a, wa.len};
    range.to = (struct bytes){b, wb.len};
    profile_put_range(&w, &range);
    buffer.selector = PROFILE_BY_RANGE;
    buffer.parameter = (struct bytes){octets, w.len};
    assert_true(rig_get(r, &buffer));
    return rows_of(r, &rd);
}

static size_t heads_between(size_t n, int64_t from_s, int64_t to_s)
{
    size_t between = 0;
    for (size_t i = 0; i < n; i++)
        between += heads[i].utc_s >= from_s && heads[i].utc_s <= to_s;
    return between;
}

/* Every pair of ends a row apart, in both orders, before and after the clock was set back. */
static void profile_finds_a_range_whatever_the_clock_did(void **state)
{
    (void)state;
    struct rig *r = rig_new("AD11A", "2026-01-10T00:00:00", LOAD1);
    const int64_t begin = rig_time("2026-01-10T00:00:00");
    for (unsigned turn = 0; turn < 4; turn++) {
        rig_live(r, 6 * 3600);
        if (turn == 1)
            assert_int_equal(meter_clock_change(&r->meter, (begin + 5 * 3600) * METER_NS), ERR_OK);
        if (turn == 2) {
            assert_int_equal(meter_profile_sort(&r->meter, MODEL_LP1, true), ERR_OK);
            assert_int_equal(rig_power_up(r, 0), ERR_OK);
        }
        const size_t n = rig_heads(r, MODEL_LP1, heads, HEADS);
        assert_true(n > 24 * turn);
        assert_true(rig_connect(r, METER_SAP_READER));
        for (int64_t from = begin; from < begin + 22 * 3600; from += 5 * 900) {
            for (int64_t length = 0; length < 30 * 900; length += 7 * 900 + 1)
                assert_int_equal(rows_between(r, LP1, from, from + length),
                                 heads_between(n, from, from + length));
        }
        rig_release(r);
    }
    assert_true(r->meter.profile[MODEL_LP1].ordered_from > 0);
    rig_free(r);
}

/* An answer with null-data says the same as the one without, and is shorter. */
static void profile_leaves_out_what_is_as_in_the_row_before(void **state)
{
    (void)state;
    static const uint8_t yes[] = {AXDR_BOOL, 1};
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD3);
    const struct apdu_attr option = rig_attr(1, "0-0:96.134.0.255", 2);
    const struct apdu_attr buffer = rig_attr(7, LP1, 2);
    struct bytes cell[30][8];
    static uint8_t whole[8000];
    struct rd rd;
    rig_live(r, 4 * 3600);
    assert_int_equal(rig_power_up(r, 1800), ERR_OK); /* a gap: its clock is told */
    rig_live(r, 2 * 3600);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_get(r, &buffer));
    const size_t len = r->answer_len;
    assert_true(len <= sizeof whole);
    memcpy(whole, r->answer, len);
    rd = rd_of(whole, len);
    const size_t n = axdr_get_array(&rd);
    assert_in_range(n, 20, 30);
    for (size_t i = 0; i < n; i++) {
        axdr_get_struct(&rd, 8);
        for (size_t k = 0; k < 8; k++) {
            const size_t at = rd.pos;
            axdr_skip(&rd);
            cell[i][k] = (struct bytes){whole + at, rd.pos - at};
        }
    }
    assert_true(rig_set(r, &option, (struct bytes){yes, sizeof yes}));
    rig_release(r);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &buffer));
    assert_true(r->answer_len < len * 6 / 10);
    assert_int_equal(rows_of(r, &rd), n);
    unsigned clocks = 0;
    for (size_t i = 0; i < n; i++) {
        axdr_get_struct(&rd, 8);
        for (size_t k = 0; k < 8; k++) {
            const size_t at = rd.pos;
            const bool is_null = axdr_peek(&rd) == AXDR_NULL;
            axdr_skip(&rd);
            assert_false(is_null && i == 0);
            clocks += k == 0 && !is_null;
            if (!is_null)
                assert_memory_equal(rd.p + at, cell[i][k].p, cell[i][k].len);
            else if (k > 0) {
                assert_int_equal(cell[i][k].len, cell[i - 1][k].len);
                assert_memory_equal(cell[i][k].p, cell[i - 1][k].p, cell[i][k].len);
            }
        }
    }
    assert_int_equal(clocks, 2); /* the first, the one behind the gap */
    rig_release(r);
    rig_free(r);
}

/* ---- cuts ---- */

/* With small rings, which are mounted sooner. */
static struct rig *small_rig(const char *model, const char *load)
{
    static struct model_meter row;
    row = *model_meter_find(model);
    for (size_t p = 0; p < MODEL_N_PROFILES; p++)
        row.profile[p].depth = row.profile[p].n_values > 0 ? 300 : 0;
    return rig_new_row(&row, "2026-01-10T00:00:00", load);
}

/* Cut at each third operation of an hour's end: each profile has its row once; what the snapshot
 * does not hold is null-data in a row that was made from it. */
static void row_of_a_cut_capture_is_made_from_the_snapshot(void **state)
{
    (void)state;
    unsigned nulls = 0, cuts = 0;
    for (uint32_t k = 1; k < 400; k += 3) {
        struct rig *r = small_rig("AD13A", LOAD3);
        uint8_t record[METER_ROW_MAX];
        rig_live(r, 3590);
        flash_emu_power(&r->emu, k, (enum tear)(k % N_TEARS));
        rig_live(r, 20);
        const bool was_cut = r->emu.dead;
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        assert_int_equal(rig_power_up(r, 0), ERR_OK);
        assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), 4);
        assert_int_equal(rig_heads(r, MODEL_LP2, heads, HEADS), 1);
        assert_int_equal(heads[0].utc_s, rig_time("2026-01-10T01:00:00"));
        assert_int_equal(rig_heads(r, MODEL_LP3, heads, HEADS), 12);
        assert_int_equal(
            meter_profile_read(&r->meter, MODEL_LP3,
                               nv_newest(&r->meter.nv, meter_ring(r->meter.model, MODEL_LP3)),
                               record),
            ERR_OK);
        nulls += record[METER_ROW_HEAD] == AXDR_NULL;
        cuts += was_cut;
        rig_check_rows(r);
        rig_free(r);
        if (!was_cut)
            break;
    }
    assert_true(cuts > 3 && nulls > 0 && nulls < cuts);
}

static void put_two(struct wr *w)
{
    put_head(w, 3);
    put(w, 3, "1-0:1.8.0.255", 2);
    put(w, 3, "1-0:32.7.0.255", 2);
}

/* What the owner changes in the profile of one hour of rows; true: done. */
static bool change(struct rig *r, unsigned which)
{
    uint8_t octets[128];
    struct wr w = wr_of(octets, sizeof octets);
    struct meter *m = &r->meter;
    put_two(&w);
    struct rd rd = rd_of(octets, w.len);
    switch (which) {
    case 0:
        return meter_profile_capture_set(m, MODEL_LP1, COSEM_MANAGER, &rd) == COSEM_SUCCESS;
    case 1:
        return meter_profile_period(m, MODEL_LP1, 1800) == ERR_OK;
    case 2:
        return meter_profile_entries(m, MODEL_LP1, 30) == ERR_OK;
    default:
        return meter_profile_clear(m, MODEL_LP1) == ERR_OK;
    }
}

static bool is_changed(const struct rig *r, unsigned which)
{
    const struct meter_profile *x = &r->meter.profile[MODEL_LP1];
    switch (which) {
    case 0:
        return x->n_columns == 3;
    case 1:
        return x->period_s == 1800;
    case 2:
        return x->entries == 30;
    default:
        return meter_generation(&r->meter, MODEL_LP1) != 0;
    }
}

/* Cut at every operation: the old profile with all its rows, or the new one with none. */
static void profile_is_changed_whole_or_not_at_all(void **state)
{
    (void)state;
    for (unsigned which = 0; which < 4; which++) {
        unsigned before = 0, after = 0;
        bool more = true;
        for (uint32_t k = 1; more; k += 1 + k / 4) {
            struct rig *r = small_rig("AD11A", LOAD1);
            rig_live(r, 3650);
            flash_emu_power(&r->emu, k, (enum tear)(k % N_TEARS));
            const bool done = change(r, which);
            more = r->emu.dead;
            flash_emu_power(&r->emu, 0, TEAR_NOTHING);
            assert_int_equal(rig_power_up(r, 0), ERR_OK);
            const bool changed = is_changed(r, which);
            assert_true(changed || !done);
            assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), changed ? 0 : 4);
            assert_int_equal(r->meter.profile[MODEL_LP1].n_columns, which == 0 && changed ? 3 : 8);
            before += !changed;
            after += changed;
            rig_live(r, 3600);
            assert_int_equal(r->meter.fault, ERR_OK);
            assert_true(rig_heads(r, MODEL_LP1, heads, HEADS) > 0);
            rig_free(r);
        }
        assert_true(before > 0 && after > 1);
    }
}

/* Wide rows: so many that their sectors do not fit 16 bits. */
static void profile_refuses_more_rows_than_any_flash_has(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402C", "2026-01-10T00:00:00", LOAD1);
    const uint32_t size = meter_profile_row_size(&r->meter, MODEL_MONTHLY);
    const uint32_t in_sector = meter_rows_kept(3, size) - 1, before = 24;
    assert_true(in_sector < METER_ENTRIES_MAX / 0x10000);
    assert_int_equal(meter_profile_entries(&r->meter, MODEL_MONTHLY, 0x10000 * in_sector),
                     ERR_RANGE);
    assert_int_equal(r->meter.profile[MODEL_MONTHLY].entries, before);
    rig_free(r);
}

/* The keys lost a sector with the newest layout, and the one before is in force again: the ring's
 * next generation was used, and its rows lie there. */
static void profile_finds_no_rows_of_a_layout_that_was_lost(void **state)
{
    (void)state;
    struct rig *r = small_rig("AD11A", LOAD1);
    uint8_t layout[NV_VALUE_MAX];
    size_t len;
    assert_int_equal(nv_get(&r->meter.nv, METER_KEY_LAYOUT, layout, sizeof layout, &len), ERR_OK);
    assert_int_equal(meter_profile_clear(&r->meter, MODEL_LP1), ERR_OK);
    rig_live(r, 18 * 3600); /* into the second sector: the first is erased by the old layout */
    assert_true(nv_newest(&r->meter.nv, METER_RING_PROFILE) > 60);
    assert_int_equal(nv_put(&r->meter.nv, METER_KEY_LAYOUT, layout, len), ERR_OK);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), 0);
    assert_int_equal(meter_profile_clear(&r->meter, MODEL_LP1), ERR_OK);
    assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), 0);
    rig_live(r, 7200);
    assert_in_range(rig_heads(r, MODEL_LP1, heads, HEADS), 7, 8);
    rig_check_rows(r);
    rig_free(r);
}

/* The key of chosen columns is lost: the meter lives, with the columns as delivered. */
/* The ring as if it had been made anew so often. */
static void pretend_generation(struct rig *r, uint16_t generation)
{
    const uint8_t ring = meter_ring(r->meter.model, MODEL_LP1);
    r->meter.rings[ring].generation = generation;
    assert_int_equal(meter_choices_store(&r->meter), ERR_OK);
    assert_int_equal(nv_mount_ring(&r->meter.nv, ring), ERR_OK);
}

/* Numbers of generations begin again some day. Sectors that the ring has not come to since bear the
 * old ones: what stands there is nobody's row. */
static void profile_finds_no_rows_when_generations_begin_again(void **state)
{
    (void)state;
    static const uint32_t periods[] = {1800, 3600, 900, 300};
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD3);
    rig_live(r, 6 * 3600); /* of generation 0 */
    pretend_generation(r, 2);
    rig_live(r, 4 * 86400); /* more than a sector */
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(set_u32(r, LP1, 4, 600)); /* 3: erases the first two sectors only */
    pretend_generation(r, 65533);
    for (unsigned k = 0; k < 4; k++) {
        static const uint16_t of[] = {65534, 65535, 4, 5};
        assert_true(rig_connect(r, METER_SAP_MANAGER));
        assert_true(set_u32(r, LP1, 4, periods[k]));
        assert_int_equal(meter_generation(&r->meter, MODEL_LP1), of[k]);
        assert_int_equal(get_uint(r, LP1, 7), 0);
        rig_live(r, 3 * periods[k]);
        assert_int_equal(rig_power_up(r, 5), ERR_OK);
        assert_in_range(rig_heads(r, MODEL_LP1, heads, HEADS), 2, 3);
        assert_int_equal(meter_errors(&r->meter) & METER_ERROR_MEMORY, 0);
    }
    rig_free(r);
}

static void profile_has_its_columns_as_delivered_when_the_owner_s_are_lost(void **state)
{
    (void)state;
    struct rig *r = small_rig("AD11A", LOAD1);
    assert_true(change(r, 0));
    rig_live(r, 7200);
    assert_int_equal(nv_put(&r->meter.nv, METER_KEY_COLUMNS + 1, NULL, 0), ERR_OK);
    const uint16_t before = meter_generation(&r->meter, MODEL_LP1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(rig_power_up(r, 0), ERR_OK);
        assert_int_equal(r->meter.profile[MODEL_LP1].n_columns, 8);
        assert_int_equal(meter_generation(&r->meter, MODEL_LP1), before + 1);
    }
    rig_live(r, 7200);
    assert_in_range(rig_heads(r, MODEL_LP1, heads, HEADS), 7, 8);
    rig_check_rows(r);
    rig_free(r);
}

/* Also the first one behind a clear: its row is what was asked for. */
static void profile_is_captured_when_asked_for(void **state)
{
    (void)state;
    struct rig *r = small_rig("AD11A", LOAD1);
    rig_live(r, 100);
    assert_int_equal(meter_profile_clear(&r->meter, MODEL_LP1), ERR_OK);
    rig_live(r, 100);
    assert_int_equal(meter_profile_capture(&r->meter, MODEL_LP1), ERR_OK);
    assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), 1);
    assert_int_equal(heads[0].utc_s, meter_now_s(&r->meter));
    rig_live(r, 1800);
    assert_int_equal(rig_heads(r, MODEL_LP1, heads, HEADS), 3);
    rig_check_rows(r);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_takes_the_columns_of_its_owner),
        cmocka_unit_test(profile_takes_as_many_columns_as_its_model_has),
        cmocka_unit_test(profile_refuses_columns_that_it_cannot_keep),
        cmocka_unit_test(profiles_have_periods_of_their_own),
        cmocka_unit_test(profile_of_odd_minutes_lies_on_the_grid_of_standard_time),
        cmocka_unit_test(profile_shows_the_newest_first_when_asked_to),
        cmocka_unit_test(profile_trades_space_with_another_until_none_is_left),
        cmocka_unit_test(day_and_month_get_one_row_at_their_end_also_late),
        cmocka_unit_test(row_of_a_dark_end_has_no_voltage),
        cmocka_unit_test(day_that_the_clock_is_set_in_has_one_row),
        cmocka_unit_test(profile_finds_a_range_whatever_the_clock_did),
        cmocka_unit_test(profile_leaves_out_what_is_as_in_the_row_before),
        cmocka_unit_test(row_of_a_cut_capture_is_made_from_the_snapshot),
        cmocka_unit_test(profile_is_changed_whole_or_not_at_all),
        cmocka_unit_test(profile_refuses_more_rows_than_any_flash_has),
        cmocka_unit_test(profile_is_captured_when_asked_for),
        cmocka_unit_test(profile_finds_no_rows_of_a_layout_that_was_lost),
        cmocka_unit_test(profile_finds_no_rows_when_generations_begin_again),
        cmocka_unit_test(profile_has_its_columns_as_delivered_when_the_owner_s_are_lost),
    };
    return cmocka_run_group_tests_name("meter_profile", tests, NULL, NULL);
}
