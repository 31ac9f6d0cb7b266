/* The rules of docs/TIME.md, by their numbers: what setting the clock, seasons, pulses and a lost
 * crystal leave in rows and logs, and what the clock object refuses. Rows and marks are read as a
 * client reads them. */
#include "tests/firmware/meter/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LOAD    "synth:phases=3,u=230,i=2"
#define CLOCK   "0-0:1.0.0.255"
#define LIMIT   "1-0:0.9.11.255"
#define PROFILE "1-0:99.1.0.255"
#define ROWS    200

struct row {
    int64_t utc_s;
    uint8_t clock_status, status;
};

/* Rows of load profile 1, oldest first. */
static size_t read_rows(struct rig *r, struct row rows[ROWS])
{
    struct apdu_attr a = rig_attr(7, PROFILE, 2);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    rig_release(r);
    struct rd rd = rd_of(r->answer, r->answer_len);
    size_t n = axdr_get_array(&rd);
    assert_true(n <= ROWS);
    for (size_t i = 0; i < n; i++) {
        struct datetime d;
        axdr_get_struct(&rd, 8);
        datetime_get(&rd, &d);
        rows[i].status = (uint8_t)axdr_get_uint(&rd);
        rows[i].clock_status = d.status;
        assert_int_equal(datetime_to_utc(&d, 0, &rows[i].utc_s), ERR_OK);
        for (unsigned k = 2; k < 8; k++)
            axdr_skip(&rd);
    }
    assert_int_equal(rd.err, ERR_OK);
    return n;
}

static void expect_row(const struct row *row, const char *utc, uint8_t status)
{
    if (row->utc_s != rig_time(utc) || row->status != status)
        fail_msg("row at %lld with %02X, not %s with %02X", (long long)row->utc_s, row->status, utc,
                 status);
}

/* Entries with this code, oldest first. */
static size_t read_events(struct rig *r, uint8_t code, struct meter_log_entry *out, size_t max)
{
    size_t n = 0;
    uint32_t count = meter_log_count(&r->meter, MODEL_LOG_STANDARD);
    uint64_t newest = meter_log_newest(&r->meter, MODEL_LOG_STANDARD);
    for (uint64_t seq = newest + 1 - count; seq <= newest; seq++) {
        struct meter_log_entry e;
        assert_int_equal(meter_log_read(&r->meter, MODEL_LOG_STANDARD, seq, &e), ERR_OK);
        if (e.code != code)
            continue;
        assert_true(n < max);
        out[n++] = e;
    }
    return n;
}

static void expect_events(struct rig *r, uint8_t code, size_t n, const char *utc, uint8_t status)
{
    struct meter_log_entry e[20];
    assert_int_equal(meter_sync(&r->meter), ERR_OK);
    meter_log_flush(&r->meter);
    size_t got = read_events(r, code, e, 20);
    if (got != n)
        fail_msg("event %u %zu times, not %zu", code, got, n);
    if (n > 0 && (e[n - 1].utc_s != (uint32_t)rig_time(utc) || e[n - 1].clock_status != status))
        fail_msg("event %u at %u with %02X, not %s with %02X", code, e[n - 1].utc_s,
                 e[n - 1].clock_status, utc, status);
}

static bool set_as(struct rig *r, uint16_t sap, const struct apdu_attr *a, const struct wr *w)
{
    assert_true(rig_connect(r, sap));
    bool done = rig_set(r, a, (struct bytes){w->p, w->len});
    enum cosem_result result = r->result;
    rig_release(r);
    r->result = result;
    return done;
}

static bool set_limit(struct rig *r, uint16_t sap, uint16_t seconds)
{
    uint8_t octets[4];
    struct apdu_attr a = rig_attr(3, LIMIT, 2);
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_u16(&w, seconds);
    return set_as(r, sap, &a, &w);
}

static bool set_time(struct rig *r, const struct datetime *d)
{
    uint8_t octets[16];
    struct apdu_attr a = rig_attr(8, CLOCK, 2);
    struct wr w = wr_of(octets, sizeof octets);
    datetime_put(&w, d);
    return set_as(r, METER_SAP_MANAGER, &a, &w);
}

static bool call(struct rig *r, uint8_t method, const struct wr *w)
{
    struct apdu_attr a = rig_attr(8, CLOCK, method);
    a.parameter = (struct bytes){w->p, w->len};
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    bool done = rig_call(r, &a);
    enum cosem_result result = r->result;
    rig_release(r);
    r->result = result;
    return done;
}

static bool adjust(struct rig *r, uint8_t method)
{
    uint8_t octets[2];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_i8(&w, 0);
    return call(r, method, &w);
}

static bool shift(struct rig *r, int16_t seconds)
{
    uint8_t octets[4];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_i16(&w, seconds);
    return call(r, 6, &w);
}

static void move_to(struct rig *r, const char *utc)
{
    assert_int_equal(meter_clock_change(&r->meter, rig_time(utc) * METER_NS), ERR_OK);
}

static void live_to(struct rig *r, const char *utc)
{
    int64_t s = rig_time(utc) - meter_now_s(&r->meter);
    assert_true(s >= 0);
    rig_live(r, s);
}

/* ---- setting, rules 12 to 21 ---- */

static void limit_is_a_register_that_the_manager_writes(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-06-10T10:00:00", LOAD);
    struct apdu_attr unit = rig_attr(3, LIMIT, 3), value = rig_attr(3, LIMIT, 2);
    static const uint8_t second[] = {0x02, 2, AXDR_I8, 0, 0x16, 7};
    uint8_t octets[8];
    assert_int_equal(rig_value(r, 3, LIMIT, 2), 60);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &unit));
    rig_release(r);
    assert_int_equal(r->answer_len, sizeof second);
    assert_memory_equal(r->answer, second, sizeof second);
    assert_false(set_limit(r, METER_SAP_READER_HLS, 30));
    assert_false(set_limit(r, METER_SAP_MANAGER, 901));
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_u32(&w, 30); /* another type than it shows */
    assert_false(set_as(r, METER_SAP_MANAGER, &value, &w));
    assert_int_equal(r->result, COSEM_TYPE_UNMATCHED);
    assert_int_equal(rig_value(r, 3, LIMIT, 2), 60);
    assert_true(set_limit(r, METER_SAP_MANAGER, 0));
    assert_true(set_limit(r, METER_SAP_MANAGER, 900));
    assert_int_equal(rig_power_up(r, 1), ERR_OK);
    assert_int_equal(rig_value(r, 3, LIMIT, 2), 900);
    rig_free(r);
}

/* Up to the limit to the second, either way: nothing. A second more: both events, both marks. */
static void correction_within_the_limit_leaves_nothing(void **state)
{
    (void)state;
    static const struct {
        uint16_t limit;
        int16_t by;
        bool silent;
    } steps[] = {{60, 60, true}, {60, -60, true},   {60, 61, false},    {60, -61, false},
                 {0, 1, false},  {900, 900, true},  {900, -900, true},  {0, 0, true},
                 {5, -6, false}, {899, 900, false}, {899, -900, false}, {1, -1, true}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct rig *r = rig_new("MT371", "2026-06-10T09:52:00", LOAD);
        struct row rows[ROWS];
        rig_live(r, 15 * 60);
        assert_true(set_limit(r, METER_SAP_MANAGER, steps[i].limit));
        int64_t before = meter_now_s(&r->meter);
        assert_true(shift(r, steps[i].by));
        assert_int_equal(meter_now_s(&r->meter), before + steps[i].by);
        rig_live(r, 3 * 3600);
        struct meter_log_entry old[2], new[2];
        size_t n_old = read_events(r, 4, old, 2), n_new = read_events(r, 5, new, 2);
        size_t n_rows = read_rows(r, rows), n_marks = 0, n_twice = 0;
        for (size_t k = 0; k < n_rows; k++) {
            n_marks += (rows[k].status & METER_ROW_CAD) != 0;
            n_twice += k > 0 && rows[k].utc_s <= rows[k - 1].utc_s;
        }
        if (n_old != !steps[i].silent || n_new != n_old || n_marks != 2 * n_old)
            fail_msg("step %zu: %zu, %zu events, %zu marks", i, n_old, n_new, n_marks);
        if (n_old > 0) {
            assert_int_equal(old[0].utc_s, before);
            assert_int_equal(new[0].utc_s, before + steps[i].by);
        }
        if (steps[i].silent)
            assert_int_equal(n_twice, 0);
        rig_free(r);
    }
}

static void clock_forward_over_boundaries_leaves_a_gap(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    struct row rows[ROWS];
    rig_live(r, 20 * 60);
    move_to(r, "2026-01-10T11:07:00"); /* skips 10:45 and 11:00 */
    live_to(r, "2026-01-10T11:31:00");
    assert_int_equal(read_rows(r, rows), 4);
    expect_row(&rows[0], "2026-01-10T10:15:00", 0);
    expect_row(&rows[1], "2026-01-10T10:30:00", METER_ROW_CAD);
    expect_row(&rows[2], "2026-01-10T11:15:00", METER_ROW_CAD);
    expect_row(&rows[3], "2026-01-10T11:30:00", 0);
    expect_events(r, 4, 1, "2026-01-10T10:20:00", 0);
    expect_events(r, 5, 1, "2026-01-10T11:07:00", 0);
    rig_free(r);
}

static void clock_back_over_boundaries_makes_stamps_come_twice(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    struct row rows[ROWS];
    rig_live(r, 50 * 60);
    move_to(r, "2026-01-10T10:20:00");
    live_to(r, "2026-01-10T11:00:01");
    static const char *const at[] = {
        "2026-01-10T10:15:00", "2026-01-10T10:30:00", "2026-01-10T10:45:00", "2026-01-10T11:00:00",
        "2026-01-10T10:30:00", "2026-01-10T10:45:00", "2026-01-10T11:00:00"};
    assert_int_equal(read_rows(r, rows), 7);
    for (size_t i = 0; i < 7; i++)
        expect_row(&rows[i], at[i], i == 3 || i == 4 ? METER_ROW_CAD : 0);
    rig_free(r);
}

/* A minute forward over a boundary, silently: its row is there at once; back over it: not again. */
static void silent_step_over_a_boundary_closes_it_once(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    struct row rows[ROWS];
    rig_live(r, 14 * 60 + 30);
    assert_true(shift(r, 50));
    rig_live(r, 1);
    assert_int_equal(read_rows(r, rows), 1);
    expect_row(&rows[0], "2026-01-10T10:15:00", 0);
    live_to(r, "2026-01-10T10:30:20");
    assert_true(shift(r, -40));
    live_to(r, "2026-01-10T10:45:00");
    assert_int_equal(read_rows(r, rows), 3);
    expect_row(&rows[1], "2026-01-10T10:30:00", 0);
    expect_row(&rows[2], "2026-01-10T10:45:00", 0);
    rig_free(r);
}

#define NONE DATETIME_ANY_DEV
#define SANY DATETIME_STATUS_ANY

static void clock_takes_every_time_that_is_one(void **state)
{
    (void)state;
    static const struct {
        struct datetime d;
        const char *utc; /* NULL: refused */
        unsigned hundredths;
    } times[] = {
        {{2026, 6, 10, 3, 15, 37, 31, 0xFF, NONE, SANY}, "2026-06-10T13:37:31", 0},
        {{2026, 6, 10, 0xFF, 15, 37, 31, 50, -120, 0x80}, "2026-06-10T13:37:31", 50},
        {{2026, 6, 10, 0xFF, 13, 37, 31, 99, 0, 0}, "2026-06-10T13:37:31", 99},
        {{2026, 6, 10, 0xFF, 1, 37, 31, 0, 720, SANY}, "2026-06-10T13:37:31", 0},
        {{2026, 1, 10, 6, 15, 37, 31, 0, NONE, 0}, "2026-01-10T14:37:31", 0},
        {{2028, 2, 29, 2, 0, 0, 0, 0, NONE, SANY}, "2028-02-28T23:00:00", 0},
        /* the hour that comes twice */
        {{2026, 10, 25, 7, 2, 30, 0, 0, NONE, SANY}, "2026-10-25T00:30:00", 0},
        {{2026, 10, 25, 7, 2, 30, 0, 0, NONE, 0x80}, "2026-10-25T00:30:00", 0},
        {{2026, 10, 25, 7, 2, 30, 0, 0, NONE, 0}, "2026-10-25T01:30:00", 0},
        {{2026, 10, 25, 7, 2, 30, 0, 0, -60, SANY}, "2026-10-25T01:30:00", 0},
        {{2026, 10, 25, 7, 2, 30, 0, 0, -120, 0}, "2026-10-25T00:30:00", 0},
        /* the hour that does not */
        {{2026, 3, 29, 7, 2, 0, 0, 0, NONE, SANY}, NULL, 0},
        {{2026, 3, 29, 7, 2, 59, 59, 0, NONE, 0x80}, NULL, 0},
        {{2026, 3, 29, 7, 2, 30, 0, 0, -60, SANY}, "2026-03-29T01:30:00", 0},
        {{2026, 3, 29, 7, 3, 0, 0, 0, NONE, SANY}, "2026-03-29T01:00:00", 0},
        /* no date, another weekday, not complete, outside the years */
        {{2026, 6, 10, 4, 15, 37, 31, 0, NONE, SANY}, NULL, 0},
        {{2026, 0xFF, 10, 0xFF, 15, 37, 31, 0, NONE, SANY}, NULL, 0},
        {{2026, 6, 0xFE, 0xFF, 15, 37, 31, 0, NONE, SANY}, NULL, 0},
        {{0xFFFF, 6, 10, 0xFF, 15, 37, 31, 0, NONE, SANY}, NULL, 0},
        {{2026, 6, 10, 0xFF, 15, 37, 0xFF, 0, NONE, SANY}, NULL, 0},
        {{1999, 12, 31, 0xFF, 23, 59, 59, 0, 0, SANY}, NULL, 0},
        {{2000, 1, 1, 6, 0, 0, 0, 0, 0, SANY}, "2000-01-01T00:00:00", 0},
        {{2000, 1, 1, 6, 0, 59, 59, 0, NONE, SANY}, NULL, 0},
        {{2099, 12, 31, 4, 23, 59, 59, 0, 0, SANY}, "2099-12-31T23:59:59", 0},
        {{2100, 1, 1, 5, 0, 0, 0, 0, 0, SANY}, NULL, 0},
    };
    struct rig *r = rig_new("ST402D", "2026-06-01T00:00:00", LOAD);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int64_t before = meter_clock_ns(&r->meter.clock);
        bool done = set_time(r, &times[i].d);
        int64_t want = times[i].utc == NULL ? before
                                            : rig_time(times[i].utc) * METER_NS +
                                                  times[i].hundredths * (METER_NS / 100);
        if (done != (times[i].utc != NULL) || meter_clock_ns(&r->meter.clock) != want)
            fail_msg("time %zu: %s, %lld ns off", i, done ? "taken" : "refused",
                     (long long)(meter_clock_ns(&r->meter.clock) - want));
    }
    rig_free(r);
}

/* 30 February, hour 24, hundredths 100, a deviation of 14:01: no date-time at all. */
static void octets_that_are_no_time_are_refused(void **state)
{
    (void)state;
    static const uint8_t bad[][DATETIME_LEN] = {
        {0x07, 0xEA, 2, 30, 0xFF, 0, 0, 0, 0, 0x80, 0, 0xFF},
        {0x07, 0xEA, 6, 10, 0xFF, 24, 0, 0, 0, 0x80, 0, 0xFF},
        {0x07, 0xEA, 6, 10, 0xFF, 0, 60, 0, 0, 0x80, 0, 0xFF},
        {0x07, 0xEA, 6, 10, 0xFF, 0, 0, 0, 100, 0x80, 0, 0xFF},
        {0x07, 0xEA, 6, 10, 0xFF, 0, 0, 0, 0, 0x03, 0x49, 0xFF},
        {0x07, 0xEA, 6, 10, 8, 0, 0, 0, 0, 0x80, 0, 0xFF}};
    struct rig *r = rig_new("ST402D", "2026-06-01T00:00:00", LOAD);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t octets[16];
        struct wr w = wr_of(octets, sizeof octets);
        axdr_put_octets(&w, bad[i], DATETIME_LEN);
        for (uint8_t id = 2; id <= 6; id = id == 2 ? 5 : (uint8_t)(id + 1)) {
            struct apdu_attr a = rig_attr(8, CLOCK, id);
            if (set_as(r, METER_SAP_MANAGER, &a, &w))
                fail_msg("octets %zu were taken by attribute %u", i, id);
        }
    }
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-06-01T00:00:00"));
    rig_free(r);
}

static void methods_go_to_the_nearest_mark(void **state)
{
    (void)state;
    static const struct {
        uint8_t method;
        const char *from, *to;
    } moves[] = {{1, "2026-06-10T10:07:29", "2026-06-10T10:00:00"},
                 {1, "2026-06-10T10:07:30", "2026-06-10T10:15:00"},
                 {2, "2026-06-10T10:07:29", "2026-06-10T10:00:00"},
                 {3, "2026-06-10T10:07:29", "2026-06-10T10:07:00"},
                 {3, "2026-06-10T10:07:30", "2026-06-10T10:08:00"},
                 {3, "2026-06-10T10:07:00", "2026-06-10T10:07:00"}};
    for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        struct rig *r = rig_new("ST402D", moves[i].from, LOAD);
        assert_true(adjust(r, moves[i].method));
        assert_int_equal(meter_clock_ns(&r->meter.clock), rig_time(moves[i].to) * METER_NS);
        assert_true(shift(r, 17));
        assert_false(shift(r, 901));
        assert_false(shift(r, -901));
        assert_int_equal(meter_now_s(&r->meter), rig_time(moves[i].to) + 17);
        rig_free(r);
    }
}

static bool preset(struct rig *r, uint8_t at, uint8_t from, uint8_t to)
{
    uint8_t octets[64];
    struct wr w = wr_of(octets, sizeof octets);
    struct datetime d = {2026, 6, 10, 0xFF, 12, 0, 0, 0xFF, NONE, SANY};
    axdr_put_struct(&w, 3);
    d.minute = at;
    datetime_put(&w, &d);
    d.minute = from;
    datetime_put(&w, &d);
    d.minute = to;
    datetime_put(&w, &d);
    return call(r, 5, &w);
}

static void preset_waits_for_its_window(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-06-10T09:50:00", LOAD); /* 11:50 local */
    assert_false(adjust(r, 4));                                     /* none */
    assert_false(preset(r, 5, 10, 9));
    assert_false(adjust(r, 4));
    assert_true(preset(r, 5, 0, 10));
    assert_false(adjust(r, 4)); /* before it */
    live_to(r, "2026-06-10T10:00:00");
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    assert_true(adjust(r, 4));
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-06-10T10:05:00"));
    assert_false(adjust(r, 4)); /* once */
    assert_true(preset(r, 9, 0, 10));
    live_to(r, "2026-06-10T10:10:01");
    assert_false(adjust(r, 4)); /* after it */
    rig_free(r);
}

/* ---- zone and rules, rule 11 ---- */

static bool set_zone(struct rig *r, uint8_t id, int16_t value)
{
    uint8_t octets[4];
    struct apdu_attr a = rig_attr(8, CLOCK, id);
    struct wr w = wr_of(octets, sizeof octets);
    if (id == 3)
        axdr_put_i16(&w, value);
    else
        axdr_put_i8(&w, (int8_t)value);
    return set_as(r, METER_SAP_MANAGER, &a, &w);
}

static void zone_moves_the_grid_but_not_the_time(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    struct row rows[ROWS];
    assert_false(set_zone(r, 3, -721));
    assert_false(set_zone(r, 3, 841));
    assert_false(set_zone(r, 7, 121));
    assert_false(set_zone(r, 7, -121));
    rig_live(r, 4 * 60);
    assert_true(set_zone(r, 3, -65)); /* five minutes: no grid has it, so the ends move */
    assert_true(set_zone(r, 7, 30));
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-01-10T10:04:00"));
    live_to(r, "2026-01-10T10:41:00");
    assert_int_equal(read_rows(r, rows), 3);
    expect_row(&rows[0], "2026-01-10T10:10:00", METER_ROW_DNV);
    expect_row(&rows[1], "2026-01-10T10:25:00", 0);
    expect_row(&rows[2], "2026-01-10T10:40:00", 0);
    expect_events(r, 4, 0, NULL, 0);
    rig_free(r);
}

/* ---- seasons, rule 10 ---- */

static void season_is_reported_in_the_time_before(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-03-29T00:50:00", LOAD);
    struct row rows[ROWS];
    live_to(r, "2026-03-29T01:16:00");
    expect_events(r, 3, 1, "2026-03-29T00:59:59", 0);
    assert_int_equal(read_rows(r, rows), 2);
    expect_row(&rows[0], "2026-03-29T01:00:00", METER_ROW_DST | METER_ROW_PDN);
    expect_row(&rows[1], "2026-03-29T01:15:00", METER_ROW_DST);
    rig_free(r);
    r = rig_new("MT371", "2026-10-25T00:45:00", LOAD);
    live_to(r, "2026-10-25T01:16:00");
    expect_events(r, 3, 1, "2026-10-25T00:59:59", DATETIME_DST);
    assert_int_equal(read_rows(r, rows), 2);
    expect_row(&rows[0], "2026-10-25T01:00:00", 0);
    rig_free(r);
}

static void season_is_not_reported_when_set_across_or_dark(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-03-29T00:50:00", LOAD);
    move_to(r, "2026-03-29T01:10:00");
    rig_live(r, 60);
    expect_events(r, 3, 0, NULL, 0);
    move_to(r, "2026-03-29T00:55:00"); /* back: it comes once more, by itself */
    live_to(r, "2026-03-29T01:01:00");
    expect_events(r, 3, 1, "2026-03-29T00:59:59", 0);
    rig_free(r);
    r = rig_new("MT371", "2026-10-25T00:50:00", LOAD);
    rig_live(r, 60);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 3600), ERR_OK);
    rig_live(r, 3600);
    expect_events(r, 3, 0, NULL, 0);
    rig_free(r);
}

/* ---- pulses, rule 22 ---- */

static void pulse_means_the_nearest_minute_or_hour(void **state)
{
    (void)state;
    static const struct {
        const char *at;
        uint32_t period_s;
        const char *to; /* NULL: ignored */
    } pulses[] = {{"2026-06-10T10:07:12", 60, "2026-06-10T10:07:00"},
                  {"2026-06-10T10:07:50", 60, "2026-06-10T10:08:00"},
                  {"2026-06-10T10:07:15", 60, "2026-06-10T10:07:00"},
                  {"2026-06-10T10:07:16", 60, NULL},
                  {"2026-06-10T10:07:44", 60, NULL},
                  {"2026-06-10T10:00:59", 3600, "2026-06-10T10:00:00"},
                  {"2026-06-10T10:46:00", 3600, "2026-06-10T11:00:00"},
                  {"2026-06-10T10:30:00", 3600, NULL}};
    for (size_t i = 0; i < sizeof pulses / sizeof pulses[0]; i++) {
        struct rig *r = rig_new("SMARTESOX-P", pulses[i].at, LOAD);
        int64_t before = meter_now_s(&r->meter);
        enum err err = meter_time_pulse(&r->meter, pulses[i].period_s);
        if (pulses[i].to == NULL)
            assert_int_equal(err, ERR_STATE);
        else
            assert_int_equal(err, ERR_OK);
        assert_int_equal(meter_now_s(&r->meter),
                         pulses[i].to == NULL ? before : rig_time(pulses[i].to));
        assert_int_equal(r->meter.clock.n_pulses, pulses[i].to != NULL);
        assert_int_equal(r->meter.clock.n_ignored, pulses[i].to == NULL);
        rig_free(r);
    }
}

/* A year of pulses each minute would wear the flash if each were stored. */
static void pulses_do_not_write(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-06-10T10:00:01", LOAD);
    uint32_t before = r->emu.n_programs;
    for (unsigned k = 0; k < 50; k++)
        assert_int_equal(meter_time_pulse(&r->meter, 60), ERR_OK);
    assert_int_equal(r->emu.n_programs, before);
    assert_int_equal(meter_time_pulse(&r->meter, 0), ERR_RANGE);
    rig_free(r);
}

/* ---- the lost crystal, rules 25 to 28 ---- */

static void lost_crystal_makes_the_time_invalid_until_it_is_set(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    struct row rows[ROWS];
    rig_live(r, 20 * 60);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    r->config.crystal_lost = true;
    assert_int_equal(rig_power_up(r, -5000000), ERR_OK);
    r->config.crystal_lost = false;
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-01-10T10:20:00"));
    expect_events(r, 6, 1, "2026-01-10T10:20:00", DATETIME_INVALID);
    rig_live(r, 11 * 60);
    assert_int_equal(rig_power_up(r, 30), ERR_OK); /* the crystal went on, the time is no better */
    expect_events(r, 6, 2, "2026-01-10T10:31:30", DATETIME_INVALID);
    assert_false(adjust(r, 1));
    assert_false(adjust(r, 3));
    assert_false(shift(r, 10));
    assert_int_equal(meter_time_pulse(&r->meter, 60), ERR_STATE);
    live_to(r, "2026-01-10T10:46:00");
    struct datetime right = datetime_from_utc(rig_time("2026-01-12T07:50:00"), -60, 0);
    assert_true(set_time(r, &right));
    expect_events(r, 4, 1, "2026-01-10T10:46:00", DATETIME_INVALID);
    expect_events(r, 5, 1, "2026-01-12T07:50:00", 0);
    live_to(r, "2026-01-12T08:16:00");
    const uint8_t invalid = METER_ROW_CIV | METER_ROW_DNV;
    assert_int_equal(read_rows(r, rows), 6);
    expect_row(&rows[0], "2026-01-10T10:15:00", 0);
    expect_row(&rows[1], "2026-01-10T10:30:00", METER_ROW_PDN | invalid);
    expect_row(&rows[2], "2026-01-10T10:45:00", METER_ROW_PDN | invalid);
    expect_row(&rows[3], "2026-01-10T11:00:00", METER_ROW_CAD | invalid);
    expect_row(&rows[4], "2026-01-12T08:00:00", METER_ROW_CAD);
    expect_row(&rows[5], "2026-01-12T08:15:00", 0);
    assert_int_equal(rows[3].clock_status, DATETIME_INVALID);
    assert_int_equal(rows[4].clock_status, 0);
    assert_int_equal(rig_power_up(r, 30), ERR_OK);
    expect_events(r, 6, 2, "2026-01-10T10:31:30", DATETIME_INVALID);
    rig_free(r);
}

static void first_start_without_a_crystal_is_invalid(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    struct row rows[ROWS];
    flash_emu_free(&r->emu);
    flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(r->config.model));
    meter_end(&r->meter);
    r->config.time_ns = 0;
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    expect_events(r, 6, 1, "2000-01-01T00:00:00", DATETIME_INVALID);
    rig_live(r, 16 * 60);
    assert_int_equal(read_rows(r, rows), 1);
    expect_row(&rows[0], "2000-01-01T00:15:00", METER_ROW_CIV | METER_ROW_DNV);
    move_to(r, "2026-01-10T10:00:00");
    assert_int_equal(r->meter.clock.doubt, 0);
    rig_free(r);
}

static void crystal_that_cannot_be_true_is_as_good_as_lost(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    assert_int_equal(rig_power_up(r, -86400), ERR_OK); /* it stood still, or began anew */
    assert_int_equal(r->meter.clock.doubt, DATETIME_INVALID);
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-01-10T10:00:00"));
    rig_free(r);
    r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    move_to(r, "2098-01-10T10:00:00");
    assert_int_equal(rig_power_up(r, 3 * 366 * 86400), ERR_OK); /* 2101 */
    assert_int_equal(r->meter.clock.doubt, DATETIME_INVALID);
    assert_int_equal(meter_now_s(&r->meter), rig_time("2098-01-10T10:00:00"));
    rig_free(r);
    r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    const int64_t shown_s = rig_time("2026-01-10T10:00:00");
    assert_int_equal(rig_power_up(r, -shown_s), ERR_OK); /* it says 1970 */
    assert_int_equal(r->meter.clock.doubt, DATETIME_INVALID);
    assert_int_equal(meter_now_s(&r->meter), shown_s);
    r->config.time_ns = INT64_MIN;
    meter_end(&r->meter);
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    assert_int_equal(meter_now_s(&r->meter), shown_s);
    rig_free(r);
    r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    r->config.frozen = true; /* a virtual meter whose world stood still */
    assert_int_equal(rig_power_up(r, -86400), ERR_OK);
    assert_int_equal(r->meter.clock.doubt, 0);
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-01-10T10:00:00"));
    rig_free(r);
}

/* Rule 31. */
static void clock_runs_on_past_its_last_year_until_the_power_fails(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    struct row rows[ROWS];
    move_to(r, "2099-12-31T23:40:00");
    live_to(r, "2100-01-01T00:20:00");
    const struct apdu_attr time = rig_attr(8, CLOCK, 2);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &time));
    rig_release(r);
    static const uint8_t shown[] = {0x09, 12, 0x08, 0x34, 1, 1, 5, 1, 20, 0, 0, 0xFF, 0xC4, 0};
    assert_int_equal(r->answer_len, sizeof shown);
    assert_memory_equal(r->answer, shown, sizeof shown);
    assert_false(adjust(r, 1));
    assert_false(shift(r, 10));
    assert_int_equal(read_rows(r, rows), 4);
    expect_row(&rows[1], "2099-12-31T23:45:00", METER_ROW_CAD);
    expect_row(&rows[2], "2100-01-01T00:00:00", 0);
    expect_row(&rows[3], "2100-01-01T00:15:00", 0);
    assert_int_equal(rig_power_up(r, 3600), ERR_OK);
    assert_int_equal(r->meter.clock.doubt, DATETIME_INVALID);
    assert_int_equal(meter_now_s(&r->meter), rig_time("2100-01-01T00:20:00"));
    live_to(r, "2100-01-01T00:31:00");
    assert_int_equal(read_rows(r, rows), 5);
    expect_row(&rows[4], "2100-01-01T00:30:00", METER_ROW_PDN | METER_ROW_CIV | METER_ROW_DNV);
    struct datetime d = datetime_from_utc(rig_time("2100-01-01T01:31:00"), -60, 0);
    assert_false(set_time(r, &d));
    d = datetime_from_utc(rig_time("2026-01-10T11:31:00"), -60, 0);
    assert_true(set_time(r, &d));
    assert_int_equal(r->meter.clock.doubt, 0);
    rig_free(r);
}

/* ---- what the crystal shows, rule 30 ---- */

static void crystal_is_right_and_time_waits_for_it(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    int64_t start = meter_crystal_ns(&r->meter), true_ns = start, last = 0;
    for (unsigned k = 0; k < 3600; k++) { /* the converter is 1000 ppm fast, then slow */
        int64_t fed = k < 1800 ? METER_NS + METER_NS / 1000 : METER_NS - METER_NS / 1000;
        struct legal_window w;
        assert_int_equal(source_window(r->source, (double)fed / 1e9, &w), ERR_OK);
        assert_int_equal(meter_window(&r->meter, &w), ERR_OK);
        true_ns += METER_NS;
        meter_crystal_shows(&r->meter, true_ns);
        assert_int_equal(meter_crystal_ns(&r->meter), true_ns);
        int64_t now = meter_clock_ns(&r->meter.clock);
        assert_true(now >= last); /* never back */
        assert_in_range(now - true_ns + METER_NS, METER_NS, METER_NS + 2 * METER_NS / 1000);
        last = now;
    }
    struct row rows[ROWS];
    assert_int_equal(read_rows(r, rows), 4);
    expect_row(&rows[3], "2026-01-10T11:00:00", 0);
    /* a cut in the moment it waits: the snapshot is ahead of the crystal, which is no lost one */
    assert_int_equal(meter_window(&r->meter, &(struct legal_window){0}) == ERR_OK, false);
    meter_idle(&r->meter, 1000000);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    r->config.time_ns = true_ns;
    meter_end(&r->meter);
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    assert_int_equal(r->meter.clock.doubt, 0);
    assert_int_equal(meter_crystal_ns(&r->meter), true_ns);
    rig_free(r);
}

/* ---- the calibration word, rule 29 ---- */

static void crystal_word_is_sealed_recorded_and_kept(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
    struct meter_audit a;
    assert_int_equal(meter_crystal_set(&r->meter, 0, METER_CRYSTAL_PPB, 20000), ERR_ACCESS);
    assert_int_equal(meter_audit_read(&r->meter, meter_audit_newest(&r->meter), &a), ERR_OK);
    assert_int_equal(a.legal.change, LEGAL_CHANGE_REFUSED);
    assert_string_equal(meter_audit_name(&a), "CRYSTAL_PPB");
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
    assert_int_equal(meter_crystal_set(&r->meter, 0, METER_CRYSTAL_PPB, 500001), ERR_RANGE);
    assert_int_equal(meter_crystal_set(&r->meter, 0, METER_N_CRYSTAL, 0), ERR_RANGE);
    assert_int_equal(meter_crystal_set(&r->meter, 0, METER_CRYSTAL_PPB, 20000), ERR_OK);
    assert_int_equal(meter_audit_read(&r->meter, meter_audit_newest(&r->meter), &a), ERR_OK);
    assert_int_equal(a.legal.change, LEGAL_CHANGE_DONE);
    assert_int_equal(a.legal.after, 20000);
    int64_t before = meter_clock_ns(&r->meter.clock);
    meter_idle(&r->meter, 86400 * (uint64_t)METER_NS);
    int64_t day = meter_clock_ns(&r->meter.clock) - before;
    assert_in_range(86400 * METER_NS - day, 1727900000, 1728000000); /* 20 ppm of a day, less */
    before = meter_clock_ns(&r->meter.clock);                        /* its square */
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 86400), ERR_OK); /* the gap is compensated, too */
    assert_int_equal(r->meter.clock.crystal.ppb, 20000);
    assert_in_range(meter_clock_ns(&r->meter.clock) - before, day - 1, day + 1);
    rig_free(r);
}

/* Cut at each flash operation of the change: it is the old word without a record of a change, or
 * the new one with it. */
static void crystal_word_is_all_or_nothing_at_a_cut(void **state)
{
    (void)state;
    for (uint32_t cut = 1;; cut++) {
        struct rig *r = rig_new("MT371", "2026-01-10T10:00:00", LOAD);
        struct meter_audit a;
        assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
        flash_emu_power(&r->emu, cut, TEAR_SOME);
        enum err err = meter_crystal_set(&r->meter, 0, METER_CRYSTAL_PPB_K2, -35);
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        assert_int_equal(rig_power_up(r, 1), ERR_OK);
        assert_int_equal(meter_audit_read(&r->meter, meter_audit_newest(&r->meter), &a), ERR_OK);
        bool recorded = a.legal.change == LEGAL_CHANGE_DONE;
        assert_int_equal(r->meter.clock.crystal.ppb_per_k2, recorded ? -35 : 0);
        assert_true(err != ERR_OK || recorded);
        rig_free(r);
        if (err == ERR_OK) {
            assert_true(cut > 2);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit_is_a_register_that_the_manager_writes),
        cmocka_unit_test(correction_within_the_limit_leaves_nothing),
        cmocka_unit_test(clock_forward_over_boundaries_leaves_a_gap),
        cmocka_unit_test(clock_back_over_boundaries_makes_stamps_come_twice),
        cmocka_unit_test(silent_step_over_a_boundary_closes_it_once),
        cmocka_unit_test(clock_takes_every_time_that_is_one),
        cmocka_unit_test(octets_that_are_no_time_are_refused),
        cmocka_unit_test(methods_go_to_the_nearest_mark),
        cmocka_unit_test(preset_waits_for_its_window),
        cmocka_unit_test(zone_moves_the_grid_but_not_the_time),
        cmocka_unit_test(season_is_reported_in_the_time_before),
        cmocka_unit_test(season_is_not_reported_when_set_across_or_dark),
        cmocka_unit_test(pulse_means_the_nearest_minute_or_hour),
        cmocka_unit_test(pulses_do_not_write),
        cmocka_unit_test(lost_crystal_makes_the_time_invalid_until_it_is_set),
        cmocka_unit_test(first_start_without_a_crystal_is_invalid),
        cmocka_unit_test(crystal_that_cannot_be_true_is_as_good_as_lost),
        cmocka_unit_test(clock_runs_on_past_its_last_year_until_the_power_fails),
        cmocka_unit_test(crystal_is_right_and_time_waits_for_it),
        cmocka_unit_test(crystal_word_is_sealed_recorded_and_kept),
        cmocka_unit_test(crystal_word_is_all_or_nothing_at_a_cut),
    };
    return cmocka_run_group_tests_name("meter_time", tests, NULL, NULL);
}
