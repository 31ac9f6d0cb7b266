/* The meter's life through its public calls and a client in the same process: rows over daylight
 * saving, power gaps and clock changes, sums to the last unit, selective access, demand, rights. */
#include "tests/firmware/meter/rig.h"

#include "firmware/meter/meter_energy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOAD    "synth:phases=3,u=230,i=7.3,pf=0.83,ih3=10%"
#define QUARTER 900
#define ROWS    400

static struct meter_row rows[ROWS];

static int64_t utc_of(const struct meter_row *row)
{
    return row->utc_s;
}

/* Lives one local day from its midnight and gives the rows captured. */
static size_t day_rows(const char *midnight, int64_t hours)
{
    struct rig *r = rig_new("ST402D", midnight, LOAD);
    rig_live(r, hours * 3600);
    size_t n = rig_rows(r, rows, ROWS);
    rig_check_rows(r);
    rig_free(r);
    return n;
}

static void profile_has_92_96_100_rows_over_daylight_saving(void **state)
{
    (void)state;
    assert_int_equal(day_rows("2026-06-30T22:00:00", 24), 96);
    assert_int_equal(day_rows("2026-03-28T23:00:00", 23), 92);
    /* 02:00 +01:00 is followed by 03:15 +02:00 */
    assert_int_equal(utc_of(&rows[7]), rig_time("2026-03-29T01:00:00"));
    assert_int_equal(rows[6].status, 0);
    assert_int_equal(rows[6].deviation, -60);
    assert_int_equal(rows[7].status, METER_ROW_DST);
    assert_int_equal(rows[7].deviation, -120);
    assert_int_equal(rows[7].clock_status, DATETIME_DST);
    assert_int_equal(utc_of(&rows[8]), utc_of(&rows[7]) + QUARTER);
    assert_int_equal(day_rows("2026-10-24T22:00:00", 25), 100);
    assert_int_equal(rows[11].status, 0);
    assert_int_equal(rows[10].status, METER_ROW_DST);
    for (size_t i = 1; i < 100; i++)
        assert_int_equal(utc_of(&rows[i]), utc_of(&rows[i - 1]) + QUARTER);
}

static void profile_marks_power_gaps_and_leaves_dark_intervals_out(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD);
    rig_live(r, 3600 + 300);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 60), ERR_OK); /* inside the interval */
    rig_live(r, QUARTER);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 3 * 3600), ERR_OK);
    rig_live(r, 2 * QUARTER);
    size_t n = rig_rows(r, rows, ROWS);
    static const struct {
        const char *stamp;
        uint8_t status;
    } want[] = {{"2026-01-10T00:15:00", 0},
                {"2026-01-10T00:30:00", 0},
                {"2026-01-10T00:45:00", 0},
                {"2026-01-10T01:00:00", 0},
                {"2026-01-10T01:15:00", METER_ROW_PDN}, /* short gap */
                {"2026-01-10T01:30:00", METER_ROW_PDN}, /* the cut, nominal end */
                {"2026-01-10T04:30:00", METER_ROW_PDN}, /* the return */
                {"2026-01-10T04:45:00", 0}};
    assert_int_equal(n, sizeof want / sizeof want[0]);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(utc_of(&rows[i]), rig_time(want[i].stamp));
        assert_int_equal(rows[i].status, want[i].status);
    }
    rig_check_rows(r);
    rig_free(r);
}

static void profile_closes_early_when_the_clock_is_set(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", LOAD);
    rig_live(r, 1200);
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2026-01-10T02:05:00") * METER_NS),
                     ERR_OK);
    rig_live(r, 1500); /* to 02:30 */
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2026-01-10T02:20:00") * METER_NS),
                     ERR_OK);
    rig_live(r, 1500); /* to 02:45 */
    /* within the limit nothing is marked, and a boundary does not come twice */
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2026-01-10T02:44:30") * METER_NS),
                     ERR_OK);
    rig_live(r, 930);
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2026-01-10T03:00:50") * METER_NS),
                     ERR_OK);
    rig_live(r, QUARTER);
    size_t n = rig_rows(r, rows, ROWS);
    static const struct {
        const char *stamp;
        uint8_t status;
    } want[] = {{"2026-01-10T00:15:00", 0},
                {"2026-01-10T00:30:00", METER_ROW_CAD},
                {"2026-01-10T02:15:00", METER_ROW_CAD},
                {"2026-01-10T02:30:00", 0},
                {"2026-01-10T02:45:00", METER_ROW_CAD}, /* set back at 02:30 */
                {"2026-01-10T02:30:00", METER_ROW_CAD},
                {"2026-01-10T02:45:00", 0},
                {"2026-01-10T03:00:00", 0},
                {"2026-01-10T03:15:00", 0}};
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(utc_of(&rows[i]), rig_time(want[i].stamp));
        assert_int_equal(rows[i].status, want[i].status);
    }
    assert_int_equal(n, sizeof want / sizeof want[0]);
    rig_check_rows(r);
    rig_free(r);
}

static void meter_goes_on_from_the_set_clock_after_restart(void **state)
{
    (void)state;
    struct rig *r = rig_new("SM307", "2026-01-10T00:00:00", LOAD);
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2031-02-03T04:05:06") * METER_NS),
                     ERR_OK);
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    assert_int_equal(meter_now_s(&r->meter), rig_time("2031-02-03T04:05:16"));
    assert_int_equal(r->meter.clock.doubt, 0);
    rig_live(r, 120);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, -86400), ERR_OK); /* the crystal stood still */
    assert_int_equal(meter_now_s(&r->meter), rig_time("2031-02-03T04:07:16"));
    assert_int_equal(r->meter.clock.doubt, DATETIME_INVALID);
    rig_free(r);
}

static void registers_equal_profile_sums_to_the_last_unit(void **state)
{
    (void)state;
    struct rig *r =
        rig_new("ST402C", "2026-01-10T00:07:00", "synth:phases=3,u=231,i=4.321,pf=0.77");
    rig_live(r, 7980); /* to 02:20 */
    int64_t before = rig_value(r, 3, "1-0:1.8.0.255", 2);
    assert_true(before > 0);
    rig_live(r, 6 * 3600 - 1200);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 12345), ERR_OK);
    rig_live(r, 3600);
    size_t n = rig_rows(r, rows, ROWS);
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += rows[i].interval[0];
    assert_int_equal(sum, rows[n - 1].reg[0]);
    rig_check_rows(r);
    rig_free(r);
}

static size_t get_array(struct rig *r)
{
    struct rd rd = rd_of(r->answer, r->answer_len);
    size_t n = axdr_get_array(&rd);
    for (size_t i = 0; i < n; i++)
        axdr_skip(&rd);
    assert_int_equal(rd.err, ERR_OK);
    assert_int_equal(rd_left(&rd), 0);
    return n;
}

static void put_clock_range(struct wr *w, struct datetime from, struct datetime to)
{
    struct profile_range range = {.by = {.class_id = 8, .attribute = 2}};
    uint8_t a[16], b[16];
    struct wr wa = wr_of(a, sizeof a), wb = wr_of(b, sizeof b);
    memcpy(range.by.ln, model_ln_clock, 6);
    datetime_put(&wa, &from);
    datetime_put(&wb, &to);
    range.from = (struct bytes){a, wa.len};
    range.to = (struct bytes){b, wb.len};
    profile_put_range(w, &range);
}

static void profile_is_read_by_range_and_by_entry(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-10-24T22:00:00", LOAD);
    rig_live(r, 25 * 3600);
    struct apdu_attr a = rig_attr(7, "1-0:99.1.0.255", 2);
    uint8_t parameter[128];
    struct wr w = wr_of(parameter, sizeof parameter);
    struct datetime any = {DATETIME_ANY_YEAR, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                           DATETIME_ANY_DEV,  0xFF};
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    assert_int_equal(get_array(r), 100);
    /* both ends belong to it: 02:00 to 03:00 local without deviation is the double hour */
    struct datetime from = {2026, 10, 25, 0xFF, 2, 0, 0, 0xFF, DATETIME_ANY_DEV, 0xFF};
    struct datetime to = {2026, 10, 25, 0xFF, 3, 0, 0, 0xFF, DATETIME_ANY_DEV, 0xFF};
    put_clock_range(&w, from, to);
    a.selector = PROFILE_BY_RANGE;
    a.parameter = (struct bytes){parameter, w.len};
    assert_true(rig_get(r, &a));
    assert_int_equal(get_array(r), 9);
    to.deviation = from.deviation = -120; /* 00:00 to 01:00 UTC */
    w = wr_of(parameter, sizeof parameter);
    put_clock_range(&w, from, to);
    assert_true(rig_get(r, &a));
    assert_int_equal(get_array(r), 5);
    w = wr_of(parameter, sizeof parameter);
    put_clock_range(&w, any, any);
    a.parameter.len = w.len;
    assert_true(rig_get(r, &a));
    assert_int_equal(get_array(r), 100);
    from.year = to.year = 2027;
    w = wr_of(parameter, sizeof parameter);
    put_clock_range(&w, from, to);
    assert_true(rig_get(r, &a));
    assert_int_equal(get_array(r), 0);
    /* entries 99 to the last, columns 3 to 4 */
    struct profile_entries e = {.from = 99, .to = 0, .from_column = 3, .to_column = 4};
    w = wr_of(parameter, sizeof parameter);
    profile_put_entries(&w, &e);
    a.selector = PROFILE_BY_ENTRY;
    a.parameter.len = w.len;
    assert_true(rig_get(r, &a));
    assert_int_equal(get_array(r), 2);
    assert_int_equal(rig_rows(r, rows, ROWS), 100);
    struct rd rd = rd_of(r->answer, r->answer_len);
    (void)axdr_get_array(&rd);
    axdr_get_struct(&rd, 2);
    assert_int_equal(axdr_get_uint(&rd), rows[98].reg[0]);
    assert_int_equal(axdr_get_uint(&rd), rows[98].reg[1]);
    rig_release(r);
    rig_free(r);
}

static void profile_keeps_its_depth_and_drops_the_oldest(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", "2026-01-10T00:00:00", LOAD);
    uint32_t depth = r->config.model->profile[MODEL_LP1].depth;
    for (uint32_t i = 0; i < depth + 150; i++)
        meter_idle(&r->meter, QUARTER * (uint64_t)METER_NS);
    assert_int_equal(rig_value(r, 7, "1-0:99.1.0.255", 7), depth);
    assert_int_equal(rig_value(r, 7, "1-0:99.1.0.255", 8), depth);
    struct apdu_attr a = rig_attr(7, "1-0:99.1.0.255", 2);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    assert_int_equal(get_array(r), depth);
    struct rd rd = rd_of(r->answer, r->answer_len);
    struct datetime first;
    int64_t utc;
    (void)axdr_get_array(&rd);
    axdr_get_struct(&rd, METER_N_COLUMNS);
    datetime_get(&rd, &first);
    assert_int_equal(datetime_to_utc(&first, 0, &utc), ERR_OK);
    assert_int_equal(utc, rig_time("2026-01-10T00:00:00") + 151 * QUARTER);
    rig_release(r);
    rig_free(r);
}

static void demand_and_maximum_follow_the_load(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:00", "synth:phases=3,u=230,i=10,pf=1");
    assert_int_equal(rig_value(r, 4, "1-0:1.6.0.255", 2), 0);
    rig_live(r, 450);
    assert_in_range(rig_value(r, 5, "1-0:1.4.0.255", 2), 34450, 34550); /* half of 6900 W */
    rig_live(r, 450);
    assert_in_range(rig_value(r, 5, "1-0:1.4.0.255", 3), 68950, 69050);
    source_phase_set(r->source, 1, false);
    rig_live(r, 900);
    assert_in_range(rig_value(r, 5, "1-0:1.4.0.255", 3), 45950, 46050);
    assert_in_range(rig_value(r, 4, "1-0:1.6.0.255", 2), 68950, 69050);
    assert_int_equal(r->meter.demand.max_s - rig_time("2026-01-10T00:15:00"), 0);
    struct apdu_attr reset = rig_attr(4, "1-0:1.6.0.255", 1);
    static const uint8_t zero[] = {AXDR_I8, 0};
    reset.parameter = (struct bytes){zero, 2};
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    assert_false(rig_call(r, &reset)); /* the reader may not */
    rig_release(r);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_call(r, &reset));
    rig_release(r);
    assert_int_equal(rig_value(r, 4, "1-0:1.6.0.255", 2), 0);
    rig_free(r);
}

static void public_client_does_not_wear_the_flash(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-01-10T00:00:30", "synth:phases=3,u=230,i=10,pf=1");
    struct apdu_attr clock = rig_attr(8, "0-0:1.0.0.255", 2);
    rig_live(r, 2);
    assert_true(rig_connect(r, METER_SAP_PUBLIC));
    const uint32_t before = r->emu.n_programs;
    for (unsigned i = 0; i < 20; i++) {
        rig_live(r, 1); /* energy changes each time, no minute ends */
        assert_true(rig_get(r, &clock));
    }
    assert_int_equal(r->emu.n_programs, before);
    rig_release(r);
    assert_true(rig_connect(r, METER_SAP_READER));
    rig_live(r, 1);
    struct apdu_attr energy = rig_attr(3, "1-0:1.8.0.255", 2);
    assert_true(rig_get(r, &energy));
    assert_true(r->emu.n_programs > before); /* what a reader was told is kept */
    rig_release(r);
    rig_free(r);
}

static void clock_is_set_by_the_manager_only(void **state)
{
    (void)state;
    struct rig *r = rig_new("AD11A", "2026-06-10T10:00:00", "synth:phases=1,u=240,i=3");
    struct apdu_attr time = rig_attr(8, "0-0:1.0.0.255", 2);
    struct apdu_attr quarter = rig_attr(8, "0-0:1.0.0.255", 1);
    struct apdu_attr shift = rig_attr(8, "0-0:1.0.0.255", 6);
    struct datetime to = {2026, 6, 10, 0xFF, 15, 37, 31, 0xFF, DATETIME_ANY_DEV, 0xFF};
    uint8_t value[16];
    static const uint8_t zero[] = {AXDR_I8, 0}, minute[] = {AXDR_I16, 0xFF, 0xC4};
    static const uint8_t too_far[] = {AXDR_I16, 0x03, 0x85};
    struct wr w = wr_of(value, sizeof value);
    datetime_put(&w, &to);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    assert_false(rig_set(r, &time, (struct bytes){value, w.len}));
    assert_int_equal(r->result, COSEM_READ_WRITE_DENIED);
    rig_release(r);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_set(r, &time, (struct bytes){value, w.len}));
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-06-10T13:37:31"));
    shift.parameter = (struct bytes){too_far, sizeof too_far};
    assert_false(rig_call(r, &shift));
    shift.parameter = (struct bytes){minute, sizeof minute};
    assert_true(rig_call(r, &shift)); /* a minute back */
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-06-10T13:36:31"));
    quarter.parameter = (struct bytes){zero, sizeof zero};
    assert_true(rig_call(r, &quarter)); /* 13:30 is nearer than 13:45 */
    assert_int_equal(meter_now_s(&r->meter), rig_time("2026-06-10T13:30:00"));
    rig_release(r);
    rig_free(r);
}

static void clock_keeps_its_preset_over_a_cut_and_uses_it_once(void **state)
{
    (void)state;
    static const struct datetime at[3] = {
        {2026, 6, 10, 0xFF, 12, 5, 0, 0xFF, DATETIME_ANY_DEV, 0xFF},
        {2026, 6, 10, 0xFF, 12, 0, 0, 0xFF, DATETIME_ANY_DEV, 0xFF},
        {2026, 6, 10, 0xFF, 12, 10, 0, 0xFF, DATETIME_ANY_DEV, 0xFF}};
    static const uint8_t zero[] = {AXDR_I8, 0};
    struct rig *r = rig_new("ST402D", "2026-06-10T09:30:00", LOAD); /* 11:30 of local time */
    struct apdu_attr preset = rig_attr(8, "0-0:1.0.0.255", 5);
    struct apdu_attr adjust = rig_attr(8, "0-0:1.0.0.255", 4);
    uint8_t value[64];
    struct wr w = wr_of(value, sizeof value);
    axdr_put_struct(&w, 3);
    for (size_t i = 0; i < 3; i++)
        datetime_put(&w, &at[i]);
    preset.parameter = (struct bytes){value, w.len};
    adjust.parameter = (struct bytes){zero, sizeof zero};
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_call(r, &preset));
    assert_false(rig_call(r, &adjust)); /* too early */
    rig_release(r);
    assert_int_equal(rig_power_up(r, 1920), ERR_OK); /* 12:02 */
    for (unsigned turn = 0; turn < 2; turn++) {
        assert_true(rig_connect(r, METER_SAP_MANAGER));
        assert_true(rig_call(r, &adjust) == (turn == 0));
        rig_release(r);
        assert_int_equal(meter_now_s(&r->meter), rig_time("2026-06-10T10:05:00"));
        assert_int_equal(rig_power_up(r, 0), ERR_OK);
    }
    rig_free(r);
}

static void profile_begins_with_the_first_whole_interval_of_a_new_period(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-06-10T10:00:00", LOAD);
    rig_live(r, 800);
    assert_int_equal(meter_profile_period(&r->meter, MODEL_LP1, 300), ERR_OK);
    rig_live(r, 500);
    assert_int_equal(rig_rows(r, rows, ROWS), 1);
    assert_int_equal(utc_of(&rows[0]), rig_time("2026-06-10T10:20:00"));
    assert_int_equal(rows[0].status, METER_ROW_DST);
    rig_free(r);
}

static void meter_keeps_security_and_counters_over_restart(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-06-10T10:00:00", LOAD);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    uint32_t floor = r->meter.server.rx_floor[1];
    rig_release(r);
    uint32_t used = r->meter.server.tx.next;
    assert_true(used > 0 && floor > 0);
    memset(&r->config.keys.guek, 0x11, 16); /* factory values: the flash's hold */
    assert_int_equal(rig_power_up(r, 5), ERR_OK);
    assert_true(r->meter.server.tx.next >= used);
    assert_true(r->meter.server.rx_floor[1] >= floor);
    assert_false(rig_connect(r, METER_SAP_MANAGER));
    for (uint8_t i = 0; i < 16; i++)
        r->config.keys.guek[i] = i;
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    rig_release(r);
    rig_free(r);
}

static void meter_refuses_the_flash_of_another_model(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-06-10T10:00:00", LOAD);
    r->config.model = model_meter_find("ST402C");
    assert_int_equal(rig_power_up(r, 5), ERR_STATE);
    r->config.model = model_meter_find("ST402D");
    strcpy(r->config.serial, "12345");
    struct meter m;
    assert_int_equal(meter_init(&m, &r->config), ERR_RANGE);
    rig_free(r);
}

static void samples_and_windows_count_the_same_time_and_energy(void **state)
{
    (void)state;
    struct rig *a = rig_new("ST402D", "2026-06-10T10:00:00", LOAD);
    struct rig *b = rig_new("ST402D", "2026-06-10T10:00:00", LOAD);
    struct legal_energies ea, eb;
    rig_live(a, 20);
    while (meter_crystal_ns(&b->meter) < meter_crystal_ns(&a->meter)) {
        struct afe_block block;
        assert_true(source_next(b->source, 1000, &block));
        assert_int_equal(meter_samples(&b->meter, &block), ERR_OK);
    }
    assert_int_equal(meter_crystal_ns(&b->meter), meter_crystal_ns(&a->meter)); /* 8 kHz: exact */
    assert_int_equal(meter_power_fail(&b->meter), ERR_OK);
    legal_energies_get(&a->meter.legal, &ea);
    legal_energies_get(&b->meter.legal, &eb);
    double ratio = (double)eb.total[LEGAL_A_IMPORT] / (double)ea.total[LEGAL_A_IMPORT];
    assert_true(ratio > 0.9999 && ratio < 1.0001);
    rig_free(a);
    rig_free(b);
}

static void eight_meters_live_a_day_in_one_process(void **state)
{
    (void)state;
    struct rig *r[8];
    for (size_t i = 0; i < 8; i++) {
        char load[64];
        const struct model_meter *m = model_meter_at(i);
        snprintf(load, sizeof load, "synth:phases=%u,u=%u,i=%u.5,pf=0.9", m->n_phases,
                 (unsigned)(m->un_mv / 1000), (unsigned)(1 + i % 3));
        r[i] = rig_new(m->name, "2026-05-01T22:00:00", load);
    }
    for (size_t hour = 0; hour < 24; hour++)
        for (size_t i = 0; i < 8; i++)
            rig_live(r[i], 3600);
    for (size_t i = 0; i < 8; i++) {
        const struct model_meter *m = r[i]->config.model;
        double wh = 24.0 * m->n_phases * m->un_mv / 1000.0 * (1.5 + (double)(i % 3)) * 0.9;
        double unit = m->energy_scaler == -2 ? 0.01 : 0.1;
        double read = (double)rig_value(r[i], 3, "1-0:1.8.0.255", 2) * unit;
        assert_true(read > wh * 0.999 && read < wh * 1.001);
        assert_int_equal(rig_rows(r[i], rows, ROWS), 96);
        rig_check_rows(r[i]);
        assert_int_equal(r[i]->meter.fault, ERR_OK);
        rig_free(r[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_has_92_96_100_rows_over_daylight_saving),
        cmocka_unit_test(profile_marks_power_gaps_and_leaves_dark_intervals_out),
        cmocka_unit_test(profile_closes_early_when_the_clock_is_set),
        cmocka_unit_test(meter_goes_on_from_the_set_clock_after_restart),
        cmocka_unit_test(registers_equal_profile_sums_to_the_last_unit),
        cmocka_unit_test(profile_is_read_by_range_and_by_entry),
        cmocka_unit_test(profile_keeps_its_depth_and_drops_the_oldest),
        cmocka_unit_test(demand_and_maximum_follow_the_load),
        cmocka_unit_test(clock_is_set_by_the_manager_only),
        cmocka_unit_test(clock_keeps_its_preset_over_a_cut_and_uses_it_once),
        cmocka_unit_test(profile_begins_with_the_first_whole_interval_of_a_new_period),
        cmocka_unit_test(meter_keeps_security_and_counters_over_restart),
        cmocka_unit_test(meter_refuses_the_flash_of_another_model),
        cmocka_unit_test(samples_and_windows_count_the_same_time_and_energy),
        cmocka_unit_test(public_client_does_not_wear_the_flash),
        cmocka_unit_test(eight_meters_live_a_day_in_one_process),
    };
    return cmocka_run_group_tests_name("meter", tests, NULL, NULL);
}
