/* Rows of the ledger about time: daylight saving, setting the clock, demand and interval periods,
 * depth of the load profile
 * (with the argument `depth`: a quarter of a minute, so only in `make test-full` and `make
 * claims`). */
#include "tests/claims/claims.h"

#define CLOCK   "0-0:1.0.0.255"
#define PROFILE "1-0:99.1.0.255"
#define COLUMNS 8 /* clock, status, A+ A- R+ R-, A+ and A- of the interval */

static bool set_as(struct rig *r, uint16_t sap, const struct apdu_attr *a, const struct wr *value)
{
    assert_true(rig_connect(r, sap));
    bool done = rig_set(r, a, (struct bytes){value->p, value->len});
    rig_release(r);
    return done;
}

static bool set_u32_as(struct rig *r, uint16_t sap, const struct apdu_attr *a, uint32_t value)
{
    uint8_t octets[8];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_u32(&w, value);
    return set_as(r, sap, a, &w);
}

static struct datetime read_time(struct rig *r, uint16_t class_id, const char *obis, uint8_t id)
{
    struct apdu_attr a = rig_attr(class_id, obis, id);
    struct datetime d;
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    rig_release(r);
    struct rd rd = rd_of(r->answer, r->answer_len);
    datetime_get(&rd, &d);
    assert_int_equal(rd.err, ERR_OK);
    return d;
}

static int64_t utc_of(const struct datetime *d)
{
    int64_t s;
    assert_int_equal(datetime_to_utc(d, 0, &s), ERR_OK);
    return s;
}

static void expect_clock(struct rig *r, unsigned h, unsigned m, unsigned s, int deviation, bool dst)
{
    struct datetime d = read_time(r, 8, CLOCK, 2);
    if (d.hour != h || d.minute != m || d.second != s)
        fail_msg("%s shows %u:%02u:%02u, not %u:%02u:%02u", r->config.model->name, d.hour, d.minute,
                 d.second, h, m, s);
    assert_int_equal(d.deviation, deviation);
    assert_int_equal(d.status, dst ? DATETIME_DST : 0);
}

static void pass(struct rig *r, int64_t seconds)
{
    meter_idle(&r->meter, (uint64_t)(seconds * METER_NS));
}

/* ---- daylight saving ---- */

static void dst_changes_by_itself(const char *model)
{
    struct rig *r = claim_meter_at(model, 0, "2026-03-29T00:59:50");
    pass(r, 9);
    expect_clock(r, 1, 59, 59, -60, false);
    pass(r, 1);
    expect_clock(r, 3, 0, 0, -120, true);
    rig_free(r);
    r = claim_meter_at(model, 0, "2026-10-25T00:59:59");
    expect_clock(r, 2, 59, 59, -120, true);
    pass(r, 1);
    expect_clock(r, 2, 0, 0, -60, false);
    pass(r, 3600);
    expect_clock(r, 3, 0, 0, -60, false);
    rig_free(r);
}

static void dst_is_off_when_so_set(const char *model)
{
    struct rig *r = claim_meter_at(model, 0, "2026-03-29T00:59:59");
    struct apdu_attr enabled = rig_attr(8, CLOCK, 8);
    uint8_t octets[4];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_bool(&w, false);
    assert_false(set_as(r, METER_SAP_READER_HLS, &enabled, &w));
    assert_true(set_as(r, METER_SAP_MANAGER, &enabled, &w));
    pass(r, 1);
    expect_clock(r, 2, 0, 0, -60, false);
    rig_free(r);
}

/* First Sunday of October 02:00 to first Sunday of April 03:00, ten hours east; kept over a cut
 * that the change falls into. */
static void dst_follows_the_rule_that_is_set(const char *model)
{
    static const uint8_t begin[12] = {0xFF, 0xFF, 10, 1, 7, 2, 0, 0, 0, 0x80, 0, 0};
    static const uint8_t end[12] = {0xFF, 0xFF, 4, 1, 7, 3, 0, 0, 0, 0x80, 0, 0};
    struct rig *r = claim_meter_at(model, 0, "2026-10-03T15:50:00");
    struct apdu_attr attr = rig_attr(8, CLOCK, 3);
    uint8_t octets[16];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_i16(&w, -600);
    assert_true(set_as(r, METER_SAP_MANAGER, &attr, &w));
    for (attr.id = 5; attr.id <= 6; attr.id++) {
        w = wr_of(octets, sizeof octets);
        axdr_put_octets(&w, attr.id == 5 ? begin : end, 12);
        assert_true(set_as(r, METER_SAP_MANAGER, &attr, &w));
    }
    pass(r, 599);
    expect_clock(r, 1, 59, 59, -600, false);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 1), ERR_OK);
    expect_clock(r, 3, 0, 0, -660, true);
    rig_free(r);
}

static void dst_holds(const char *model)
{
    dst_changes_by_itself(model);
    dst_is_off_when_so_set(model);
    dst_follows_the_rule_that_is_set(model);
}

static void claim_MT371_DST(void **state)
{
    (void)state;
    dst_holds("MT371");
}

static void claim_SX402_DST(void **state)
{
    (void)state;
    dst_holds("SM402D");
    dst_holds("ST402D");
    dst_holds("ST402C");
}

static void claim_AD1X_DST(void **state)
{
    (void)state;
    dst_holds("AD11A");
    dst_holds("AD13A");
}

/* ---- setting the clock ---- */

static bool shift_as(struct rig *r, uint16_t sap, int16_t seconds)
{
    struct apdu_attr shift = rig_attr(8, CLOCK, 6);
    uint8_t octets[4];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_i16(&w, seconds);
    shift.parameter = (struct bytes){octets, w.len};
    assert_true(rig_connect(r, sap));
    bool done = rig_call(r, &shift);
    rig_release(r);
    return done;
}

/* A clock that is minutes off, either way, is set from outside to the second, goes on from there
 * and over a power cut; small steps by shift_time; not by a client that may only read. */
static void time_sync_holds(const char *model)
{
    static const int offs[] = {-300, 421};
    for (size_t k = 0; k < 2; k++) {
        struct rig *r = claim_meter_at(model, 0, "2026-06-10T10:00:00");
        int64_t right = rig_time("2026-06-10T10:00:00") + offs[k];
        struct datetime d = datetime_from_utc(right, -120, DATETIME_DST);
        struct apdu_attr time = rig_attr(8, CLOCK, 2);
        uint8_t octets[16];
        struct wr w = wr_of(octets, sizeof octets);
        datetime_put(&w, &d);
        assert_false(set_as(r, METER_SAP_READER_HLS, &time, &w));
        assert_int_equal(meter_now_s(&r->meter), rig_time("2026-06-10T10:00:00"));
        assert_true(set_as(r, METER_SAP_MANAGER, &time, &w));
        d = read_time(r, 8, CLOCK, 2);
        assert_int_equal(utc_of(&d), right);
        assert_false(shift_as(r, METER_SAP_READER_HLS, -17));
        assert_true(shift_as(r, METER_SAP_MANAGER, -17));
        pass(r, 100);
        assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
        assert_int_equal(rig_power_up(r, 50), ERR_OK);
        assert_true(shift_as(r, METER_SAP_MANAGER, 20));
        d = read_time(r, 8, CLOCK, 2);
        assert_int_equal(utc_of(&d), right - 17 + 150 + 20);
        rig_free(r);
    }
}

static void claim_MT371_TIMESYNC(void **state)
{
    (void)state;
    time_sync_holds("MT371");
}

static void claim_AD1X_TIMESYNC(void **state)
{
    (void)state;
    time_sync_holds("AD11A");
    time_sync_holds("AD13A");
}

/* ---- demand ---- */

#define DEMAND  "1-0:1.4.0.255"
#define MAXIMUM "1-0:1.6.0.255"

static double import_w(const struct rig *r, const struct claim_load *l)
{
    struct claim_book hour = {0};
    claim_count(&hour, l, claim_phases(r), 3600);
    return claim_energy(&hour.of[0], 1);
}

static void expect_w(struct rig *r, uint16_t class_id, const char *obis, uint8_t id, double w)
{
    claim_near(obis, (double)rig_value(r, class_id, obis, id) * 0.1, w, w * 0.0005 + 0.1);
}

/* Periods of a low, a high and a middle load: the average of each, the ramp within one, the maximum
 * with the end of its period, kept over a cut, forgotten on command. */
static void demand_of(const char *model, uint32_t period_s)
{
    struct rig *r = claim_meter_at(model, 0, "2026-01-09T23:00:00"); /* local midnight */
    struct apdu_attr period = rig_attr(5, DEMAND, 8), forget = rig_attr(4, MAXIMUM, 1);
    struct claim_load low = claim_load(r, 0.2, 30), high = claim_load(r, 0.9, -20);
    struct claim_load middle = claim_load(r, 0.5, 0);
    static const uint8_t zero[] = {AXDR_I8, 0};
    int64_t start = rig_time("2026-01-09T23:00:00");
    assert_false(set_u32_as(r, METER_SAP_READER_HLS, &period, period_s));
    assert_false(set_u32_as(r, METER_SAP_MANAGER, &period, 0));
    assert_true(set_u32_as(r, METER_SAP_MANAGER, &period, period_s));
    assert_int_equal(rig_value(r, 5, DEMAND, 8), period_s);
    claim_live(r, &low, period_s);
    expect_w(r, 5, DEMAND, 3, import_w(r, &low));
    claim_live(r, &high, period_s / 2);
    expect_w(r, 5, DEMAND, 2, import_w(r, &high) / 2);
    claim_live(r, &high, period_s / 2);
    expect_w(r, 5, DEMAND, 3, import_w(r, &high));
    claim_live(r, &middle, period_s);
    expect_w(r, 5, DEMAND, 3, import_w(r, &middle));
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 1), ERR_OK);
    expect_w(r, 4, MAXIMUM, 2, import_w(r, &high));
    struct datetime when = read_time(r, 4, MAXIMUM, 5);
    assert_int_equal(utc_of(&when), start + 2 * (int64_t)period_s);
    forget.parameter = (struct bytes){zero, sizeof zero};
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_call(r, &forget));
    rig_release(r);
    assert_int_equal(rig_value(r, 4, MAXIMUM, 2), 0);
    rig_free(r);
}

static void demand_holds(const char *model, const uint32_t *minutes)
{
    for (; *minutes != 0; minutes++)
        demand_of(model, *minutes * 60);
}

static void claim_MT371_DEMAND(void **state)
{
    (void)state;
    demand_holds("MT371", (const uint32_t[]){5, 10, 15, 30, 60, 0});
}

static void claim_SX402_DEMAND(void **state)
{
    (void)state;
    static const char *const models[] = {"SM402D", "ST402D", "ST402C"};
    for (size_t i = 0; i < 3; i++)
        demand_holds(models[i], (const uint32_t[]){5, 10, 15, 30, 60, 0});
}

/* "Power" is the power averaged over the period. */
static void claim_AD1X_DEMAND(void **state)
{
    (void)state;
    demand_holds("AD11A", (const uint32_t[]){15, 30, 60, 1440, 0});
    demand_holds("AD13A", (const uint32_t[]){15, 30, 60, 1440, 0});
}

/* ---- intervals ---- */

/* Reads the whole profile; gives the cursor before its first row. */
static size_t open_profile(struct rig *r, struct rd *rd)
{
    struct apdu_attr a = rig_attr(7, PROFILE, 2);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    assert_true(rig_get(r, &a));
    rig_release(r);
    *rd = rd_of(r->answer, r->answer_len);
    return axdr_get_array(rd);
}

/* The next row: its stamp, and the import of its interval in Wh. */
static int64_t read_row(const struct rig *r, struct rd *rd, double *wh)
{
    struct datetime stamp;
    axdr_get_struct(rd, COLUMNS);
    datetime_get(rd, &stamp);
    for (unsigned c = 1; c < 6; c++)
        axdr_skip(rd);
    *wh = (double)axdr_get_uint(rd) * (r->config.model->energy_scaler == -1 ? 0.1 : 0.01);
    axdr_skip(rd);
    assert_int_equal(rd->err, ERR_OK);
    return utc_of(&stamp);
}

static void intervals_of(const char *model, uint32_t period_s)
{
    struct rig *r = claim_meter_at(model, 0, "2026-01-09T23:00:00");
    struct apdu_attr period = rig_attr(7, PROFILE, 4);
    struct rd rd;
    double want[6], wh;
    if (period_s != 900) { /* which it has from the factory */
        assert_false(set_u32_as(r, METER_SAP_READER_HLS, &period, period_s));
        assert_true(set_u32_as(r, METER_SAP_MANAGER, &period, period_s));
    }
    assert_int_equal(rig_value(r, 7, PROFILE, 4), period_s);
    for (size_t k = 0; k < 6; k++) {
        struct claim_load l = claim_load(r, 0.1 * (double)(k + 1), 40);
        want[k] = import_w(r, &l) * period_s / 3600;
        claim_live(r, &l, period_s);
    }
    size_t n = open_profile(r, &rd);
    assert_int_equal(n, 6);
    for (size_t k = 0; k < n; k++) {
        int64_t at = read_row(r, &rd, &wh);
        assert_int_equal(at, rig_time("2026-01-09T23:00:00") + (int64_t)((k + 1) * period_s));
        claim_near("import of the interval", wh, want[k], 0.0002 * want[k] + 0.1);
    }
    rig_free(r);
}

static void claim_AD1X_INTERVALS(void **state)
{
    (void)state;
    static const uint32_t minutes[] = {5, 10, 15, 20, 30, 60};
    for (size_t k = 0; k < sizeof minutes / sizeof minutes[0]; k++) {
        intervals_of("AD11A", minutes[k] * 60);
        intervals_of("AD13A", minutes[k] * 60);
    }
    intervals_of("AD11A", 60);
    struct rig *r = claim_meter("AD13A", 0);
    const struct apdu_attr period = rig_attr(7, PROFILE, 4);
    assert_false(set_u32_as(r, METER_SAP_MANAGER, &period, 60)); /* AD11A's alone */
    rig_free(r);
}

/* 144 days and five hours of hourly rows, the power cut and back at the end; summer time begins in
 * between. */
static void claim_MT371_LP_DEPTH(void **state)
{
    (void)state;
    enum { DEPTH = 144 * 24, MORE = 5 };
    struct rig *r = claim_meter_at("MT371", 0, "2026-01-09T23:00:00");
    struct apdu_attr period = rig_attr(7, PROFILE, 4);
    struct claim_load l = claim_load(r, 0.1, 20);
    struct rd rd;
    double wh, want = import_w(r, &l);
    assert_true(set_u32_as(r, METER_SAP_MANAGER, &period, 3600));
    claim_live(r, &l, (DEPTH + MORE) * 3600);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 1), ERR_OK);
    assert_int_equal(open_profile(r, &rd), DEPTH);
    int64_t at = rig_time("2026-01-09T23:00:00") + MORE * 3600;
    for (size_t k = 0; k < DEPTH; k++) {
        at += 3600;
        assert_int_equal(read_row(r, &rd, &wh), at);
        claim_near("import of the hour", wh, want, 0.0002 * want + 0.1);
    }
    assert_int_equal(rd_left(&rd), 0);
    assert_int_equal(rig_value(r, 7, "1-0:99.2.0.255", 7), DEPTH); /* the other, by the hour, too */
    rig_free(r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_DST),      cmocka_unit_test(claim_SX402_DST),
        cmocka_unit_test(claim_AD1X_DST),       cmocka_unit_test(claim_AD1X_TIMESYNC),
        cmocka_unit_test(claim_MT371_TIMESYNC), cmocka_unit_test(claim_MT371_DEMAND),
        cmocka_unit_test(claim_SX402_DEMAND),   cmocka_unit_test(claim_AD1X_DEMAND),
        cmocka_unit_test(claim_AD1X_INTERVALS),
    };
    const struct CMUnitTest depth[] = {cmocka_unit_test(claim_MT371_LP_DEPTH)};
    if (argc > 1 && strcmp(argv[1], "depth") == 0)
        return cmocka_run_group_tests_name("claims_depth", depth, NULL, NULL);
    return cmocka_run_group_tests_name("claims_time", tests, NULL, NULL);
}
