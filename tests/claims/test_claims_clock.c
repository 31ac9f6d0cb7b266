/* Rows of the ledger about the real-time clock: its accuracy over days, a year and temperature,
 * with tuning forks at the ends of their data sheets; what keeps it without mains, and what it
 * shows.
 *
 * The meter's only time is the count of such a crystal, of which its factory measured the error at
 * one temperature. With the argument `year`: a year, days of the other models, and the whole range
 * of temperature. Limits of
 * IEC 62054-21 are from memory: 0.5 s a day at 23 degrees, 0.15 s/K a day away from them. */
#include "sim/crystal.h"
#include "tests/claims/claims.h"

#include <math.h>

#define CLOCK   "0-0:1.0.0.255"
#define DAY_S   86400
#define HOUR_NS (3600 * METER_NS)
#define YEAR_S  (365 * DAY_S)

static const double forks[][3] = {/* ppm, parabola, turnover */
                                  {20, -0.040, 20},
                                  {-20, -0.028, 30}};
#define N_FORKS 2

struct world {
    struct rig *rig;
    struct crystal crystal;
    int64_t now_ns; /* what time it really is */
};

static void measure(struct meter *m, unsigned part, double value)
{
    assert_int_equal(meter_crystal_set(m, METER_SAP_FACTORY, part, lround(value)), ERR_OK);
}

/* The factory measures the error at one temperature, and takes the usual parabola for granted. */
static void begin(struct world *w, struct rig *r, const double fork[3], double factory_c)
{
    const struct model_meter *m = r->config.model;
    const struct crystal_options o = {.ppm = fork[0],
                                      .ppm_per_k2 = fork[1],
                                      .turnover_c = fork[2],
                                      .reserve = m->reserve == MODEL_SUPERCAP ? CRYSTAL_SUPERCAP
                                                                              : CRYSTAL_BATTERY,
                                      .reserve_s = m->reserve_s};
    const double away = factory_c - CRYSTAL_TURNOVER_C;
    w->rig = r;
    w->now_ns = meter_crystal_ns(&r->meter);
    crystal_begin(&w->crystal, &o, w->now_ns);
    w->crystal.celsius = factory_c;
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
    measure(&r->meter, METER_CRYSTAL_TURNOVER_MC, CRYSTAL_TURNOVER_C * 1e3);
    measure(&r->meter, METER_CRYSTAL_PPB_K2, CRYSTAL_PPM_PER_K2 * 1e3);
    measure(&r->meter, METER_CRYSTAL_PPB,
            1e3 * (crystal_ppm(&w->crystal) - CRYSTAL_PPM_PER_K2 * away * away));
    assert_int_equal(meter_seal_set(&r->meter, true), ERR_OK);
    meter_temperature(&r->meter, (int32_t)lround(factory_c * 1e3));
}

static void pass(struct world *w, double celsius, int64_t ns)
{
    int64_t before_ns = w->crystal.count_ns;
    w->crystal.celsius = celsius;
    meter_temperature(&w->rig->meter, (int32_t)lround(celsius * 1e3));
    crystal_pass(&w->crystal, ns, true);
    meter_idle(&w->rig->meter, (uint64_t)(w->crystal.count_ns - before_ns));
    w->now_ns += ns;
}

static void dark(struct world *w, bool warn, int64_t seconds)
{
    struct rig *r = w->rig;
    if (warn)
        assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    crystal_pass(&w->crystal, seconds * METER_NS, false);
    w->now_ns += seconds * METER_NS;
    r->config.time_ns = w->crystal.lost ? 0 : w->crystal.count_ns;
    r->config.crystal_lost = w->crystal.lost;
    meter_end(&r->meter);
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    crystal_set(&w->crystal, meter_crystal_ns(&r->meter));
    meter_temperature(&r->meter, (int32_t)lround(w->crystal.celsius * 1e3));
}

static struct datetime read_clock(struct rig *r)
{
    struct apdu_attr a = rig_attr(8, CLOCK, 2);
    struct datetime d;
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    rig_release(r);
    struct rd rd = rd_of(r->answer, r->answer_len);
    datetime_get(&rd, &d);
    assert_int_equal(rd.err, ERR_OK);
    return d;
}

/* How far the clock is off, as a client reads it, and whether it calls itself valid. */
static double read_error_s(const struct world *w, bool *valid)
{
    struct datetime d = read_clock(w->rig);
    int64_t s;
    assert_int_equal(datetime_to_utc(&d, 0, &s), ERR_OK);
    if (valid != NULL)
        *valid = (d.status & DATETIME_INVALID) == 0;
    return (double)(s - w->now_ns / METER_NS) + d.hundredths * 0.01 -
           (double)(w->now_ns % METER_NS) * 1e-9;
}

/* ---- accuracy ---- */

static void day_holds(const char *model, double celsius)
{
    for (size_t k = 0; k < N_FORKS; k++) {
        struct world w;
        bool valid;
        begin(&w, claim_meter(model, 0), forks[k], 23);
        for (unsigned h = 0; h < 24; h++)
            pass(&w, celsius, HOUR_NS);
        double error_s = read_error_s(&w, &valid);
        if (!valid || fabs(error_s) > 0.5)
            fail_msg("%s: %.3f s in a day at %g degrees", model, error_s, celsius);
        assert_true(fabs(crystal_ppm(&w.crystal) * 1e-6 * DAY_S) > 1.5); /* the crystal itself */
        rig_free(w.rig);
    }
}

/* Each fifth day an hour with mains, the rest from the reserve, which is as good. */
static void claim_MT371_CLOCK(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_FORKS; k++) {
        struct world w;
        begin(&w, claim_meter("MT371", 0), forks[k], 23);
        for (unsigned n = 0; n < 73; n++) {
            pass(&w, 25, HOUR_NS);
            w.crystal.charge = 1; /* as if the mains had been there all day */
            dark(&w, n % 2 == 0, 5 * DAY_S - 3600);
        }
        assert_int_equal(w.now_ns / METER_NS, rig_time("2026-01-10T00:00:00") + YEAR_S);
        double error_s = read_error_s(&w, NULL);
        print_message("MT371: %.2f s in a year at 25 degrees\n", error_s);
        assert_true(fabs(error_s) < 180);
        rig_free(w.rig);
    }
    day_holds("MT371", 25);
}

static void claim_MT371_TEMP_CLOCK(void **state)
{
    (void)state;
    static const double celsius[] = {-40, -25, 0, 23, 45, 60, 70};
    for (size_t k = 0; k < N_FORKS; k++) {
        for (size_t i = 0; i < sizeof celsius / sizeof celsius[0]; i++) {
            struct world w;
            begin(&w, claim_meter("MT371", 0), forks[k], 23);
            for (unsigned h = 0; h < 24; h++)
                pass(&w, celsius[i], HOUR_NS);
            double error_s = read_error_s(&w, NULL);
            double limit_s = 0.5 + 0.15 * fabs(celsius[i] - 23);
            if (fabs(error_s) > limit_s)
                fail_msg("%.3f s in a day at %g degrees", error_s, celsius[i]);
            if (fabs(celsius[i] - 23) > 40) /* the crystal itself is off by more */
                assert_true(fabs(error_s) < fabs(crystal_ppm(&w.crystal) * 1e-6 * DAY_S));
            rig_free(w.rig);
        }
    }
}

static void claim_SX402_CLOCK(void **state)
{
    (void)state;
    day_holds("SM402D", 23);
    day_holds("ST402D", 23);
    day_holds("ST402C", 23);
}

static void claim_ESOX_CLOCK(void **state)
{
    (void)state;
    day_holds("SMARTESOX-P", 23);
}

static void claim_SM307_CLOCK(void **state)
{
    (void)state;
    day_holds("SM307", 23);
}

static void claim_AD1X_CLOCK(void **state)
{
    (void)state;
    day_holds("AD11A", 25);
    day_holds("AD13A", 25);
}

/* ---- reserve ---- */

static uint8_t newest_status(struct rig *r)
{
    struct apdu_attr a = rig_attr(7, "1-0:99.1.0.255", 2);
    uint8_t status = 0;
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    rig_release(r);
    struct rd rd = rd_of(r->answer, r->answer_len);
    for (size_t n = axdr_get_array(&rd); n > 0; n--) {
        axdr_get_struct(&rd, 8);
        axdr_skip(&rd);
        status = (uint8_t)axdr_get_uint(&rd);
        for (unsigned k = 2; k < 8; k++)
            axdr_skip(&rd);
    }
    assert_int_equal(rd.err, ERR_OK);
    return status;
}

/* So long without mains: still right, within what its accuracy makes of
 * it. */
static void keeps(struct rig *r, int64_t seconds, bool warn)
{
    struct world w;
    bool valid;
    begin(&w, r, forks[0], 23);
    pass(&w, 23, HOUR_NS);
    dark(&w, warn, seconds);
    double error_s = read_error_s(&w, &valid);
    if (!valid || fabs(error_s) > 0.5 * ((double)seconds / DAY_S + 2))
        fail_msg("%s: %.2f s off after %lld days", r->config.model->name, error_s,
                 (long long)(seconds / DAY_S));
    pass(&w, 23, HOUR_NS);
    assert_int_equal(newest_status(r) & (METER_ROW_CIV | METER_ROW_DNV), 0);
    rig_free(r);
}

/* Longer than the reserve: it goes on from the last time it knew, and says in the clock, in the
 * rows and in the log that this is not the time; until somebody sets it. */
static void loses(struct rig *r, int64_t seconds, bool warn)
{
    struct world w;
    bool valid;
    begin(&w, r, forks[0], 23);
    pass(&w, 23, HOUR_NS);
    int64_t last_s = meter_now_s(&r->meter);
    uint64_t newest = meter_log_newest(&r->meter, MODEL_LOG_STANDARD);
    dark(&w, warn, seconds);
    double error_s = read_error_s(&w, &valid);
    assert_false(valid);
    assert_true(error_s < -0.99 * (double)seconds);
    assert_in_range(meter_now_s(&r->meter), last_s - 60, last_s + 1);
    pass(&w, 23, HOUR_NS);
    const uint8_t doubt = METER_ROW_CIV | METER_ROW_DNV;
    assert_int_equal(newest_status(r) & doubt, doubt);
    meter_log_flush(&r->meter);
    unsigned n = 0;
    for (uint64_t seq = newest + 1; seq <= meter_log_newest(&r->meter, MODEL_LOG_STANDARD); seq++) {
        struct meter_log_entry e;
        struct model_event_place place;
        assert_int_equal(meter_log_read(&r->meter, MODEL_LOG_STANDARD, seq, &e), ERR_OK);
        assert_true(model_event_place(r->config.model, MODEL_EVENT_CLOCK_INVALID, &place));
        assert_int_equal(place.log, MODEL_LOG_STANDARD);
        n += e.code == place.code;
    }
    assert_int_equal(n, 1);
    struct datetime right = datetime_from_utc(w.now_ns / METER_NS, 0, 0);
    struct apdu_attr time = rig_attr(8, CLOCK, 2);
    uint8_t octets[16];
    struct wr wr = wr_of(octets, sizeof octets);
    datetime_put(&wr, &right);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_set(r, &time, (struct bytes){octets, wr.len}));
    rig_release(r);
    error_s = read_error_s(&w, &valid);
    assert_true(valid && fabs(error_s) < 1.1);
    pass(&w, 23, HOUR_NS);
    assert_int_equal(newest_status(r) & doubt, 0);
    rig_free(r);
}

/* A day less than its reserve, cut without warning, and a day more, with warning. */
static void reserve_holds(const char *model, const char *order, int64_t reserve_s)
{
    keeps(claim_meter_ordered(model, order), reserve_s - DAY_S, false);
    loses(claim_meter_ordered(model, order), reserve_s + DAY_S, true);
}

static void claim_MT371_RESERVE(void **state)
{
    (void)state;
    reserve_holds("MT371", "", 10 * DAY_S);
    keeps(claim_meter("MT371", 0), 10 * DAY_S - 600, true);
    loses(claim_meter("MT371", 0), 10 * DAY_S + 600, false);
}

static void claim_SX402_RESERVE(void **state)
{
    (void)state;
    static const char *const models[] = {"SM402D", "ST402D", "ST402C"};
    for (size_t i = 0; i < 3; i++) {
        reserve_holds(models[i], "", model_meter_find(models[i])->reserve_s);
        reserve_holds(models[i], "supercap", 10 * DAY_S);
    }
}

static void claim_SM307_RESERVE(void **state)
{
    (void)state;
    reserve_holds("SM307", "", model_meter_find("SM307")->reserve_s);
    reserve_holds("SM307", "supercap", 10 * DAY_S);
}

/* ---- date and time ---- */

/* Each second that matters of a calendar, as it is read, with its weekday. */
static void claim_SM307_DATETIME(void **state)
{
    (void)state;
    static const struct {
        const char *utc;
        uint16_t year;
        uint8_t month, day, weekday, hour, minute, second;
        int16_t deviation;
    } seconds[] = {{"2026-06-10T13:37:31", 2026, 6, 10, 3, 15, 37, 31, -120},
                   {"2026-12-31T22:59:59", 2026, 12, 31, 4, 23, 59, 59, -60},
                   {"2026-12-31T23:00:00", 2027, 1, 1, 5, 0, 0, 0, -60},
                   {"2028-02-28T22:59:59", 2028, 2, 28, 1, 23, 59, 59, -60},
                   {"2028-02-28T23:00:00", 2028, 2, 29, 2, 0, 0, 0, -60},
                   {"2028-02-29T23:00:00", 2028, 3, 1, 3, 0, 0, 0, -60},
                   {"2030-02-28T23:00:00", 2030, 3, 1, 5, 0, 0, 0, -60},
                   {"2026-03-29T00:59:59", 2026, 3, 29, 7, 1, 59, 59, -60},
                   {"2026-03-29T01:00:00", 2026, 3, 29, 7, 3, 0, 0, -120},
                   {"2026-10-25T00:59:59", 2026, 10, 25, 7, 2, 59, 59, -120},
                   {"2026-10-25T01:00:00", 2026, 10, 25, 7, 2, 0, 0, -60},
                   {"2000-01-01T00:00:00", 2000, 1, 1, 6, 1, 0, 0, -60},
                   {"2099-12-31T22:59:58", 2099, 12, 31, 4, 23, 59, 58, -60}};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        struct rig *r = claim_meter_at("SM307", 0, seconds[i].utc);
        struct datetime d = read_clock(r);
        if (d.year != seconds[i].year || d.month != seconds[i].month || d.day != seconds[i].day ||
            d.weekday != seconds[i].weekday || d.hour != seconds[i].hour ||
            d.minute != seconds[i].minute || d.second != seconds[i].second ||
            d.deviation != seconds[i].deviation || d.hundredths != 0)
            fail_msg("%s is shown otherwise", seconds[i].utc);
        meter_idle(&r->meter, METER_NS * 3 / 4);
        d = read_clock(r);
        assert_int_equal(d.second, seconds[i].second);
        assert_int_equal(d.hundredths, 75);
        rig_free(r);
    }
}

/* ---- synchronisation by an external signal ---- */

/* Pulses of a master clock each minute and each hour hold a clock of 100 ppm and no calibration. */
static void claim_ESOX_TIMESYNC(void **state)
{
    (void)state;
    static const double bad[3] = {100, 0, 25};
    static const uint32_t periods[] = {60, 3600};
    for (size_t k = 0; k < 2; k++) {
        struct world w;
        begin(&w, claim_meter_at("SMARTESOX-P", 0, "2026-01-10T00:00:07"), bad, 23);
        assert_int_equal(meter_seal_set(&w.rig->meter, false), ERR_OK);
        measure(&w.rig->meter, METER_CRYSTAL_PPB, 0);
        measure(&w.rig->meter, METER_CRYSTAL_PPB_K2, 0);
        w.now_ns -= 7 * METER_NS; /* the meter was seven seconds ahead */
        for (uint32_t n = 0; n < 48; n++) {
            assert_int_equal(meter_time_pulse(&w.rig->meter, periods[k]), ERR_OK);
            assert_true(fabs(read_error_s(&w, NULL)) < 0.011);
            pass(&w, 23, periods[k] * METER_NS);
        }
        assert_true(fabs(read_error_s(&w, NULL)) < 0.011 + 1e-4 * periods[k]);
        assert_true(fabs(crystal_ppm(&w.crystal)) > 99);
        assert_int_equal(w.rig->meter.clock.n_ignored, 0);
        rig_free(w.rig);
    }
    /* and by a port */
    struct rig *r = claim_meter_at("SMARTESOX-P", 0, "2026-06-10T10:00:00");
    struct datetime right = datetime_from_utc(rig_time("2026-06-10T10:04:11"), -120, 0x80);
    struct apdu_attr time = rig_attr(8, CLOCK, 2);
    uint8_t octets[16];
    struct wr wr = wr_of(octets, sizeof octets);
    datetime_put(&wr, &right);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    assert_false(rig_set(r, &time, (struct bytes){octets, wr.len}));
    rig_release(r);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_set(r, &time, (struct bytes){octets, wr.len}));
    rig_release(r);
    struct datetime d = read_clock(r);
    assert_memory_equal(&d, &right, offsetof(struct datetime, hundredths));
    rig_free(r);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_ESOX_CLOCK),     cmocka_unit_test(claim_MT371_RESERVE),
        cmocka_unit_test(claim_SX402_RESERVE),  cmocka_unit_test(claim_SM307_RESERVE),
        cmocka_unit_test(claim_SM307_DATETIME), cmocka_unit_test(claim_ESOX_TIMESYNC),
    };
    const struct CMUnitTest year[] = {
        cmocka_unit_test(claim_MT371_CLOCK), cmocka_unit_test(claim_MT371_TEMP_CLOCK),
        cmocka_unit_test(claim_SX402_CLOCK), cmocka_unit_test(claim_SM307_CLOCK),
        cmocka_unit_test(claim_AD1X_CLOCK),
    };
    if (argc > 1 && strcmp(argv[1], "year") == 0)
        return cmocka_run_group_tests_name("claims_clock_year", year, NULL, NULL);
    return cmocka_run_group_tests_name("claims_clock", tests, NULL, NULL);
}
