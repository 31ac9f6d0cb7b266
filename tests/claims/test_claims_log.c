/* Rows of the ledger about event logs and outages, read over the line. */
#include "firmware/meter/meter_log.h"
#include "tests/claims/claims.h"

#define START   INT64_C(1768003200) /* 2026-01-10T00:00:00 UTC, as claim_meter() begins */
#define DAY     86400
#define ROWS    300
#define LOGS    7
#define OUTAGES "1-0:99.97.0.255"

struct row {
    int64_t utc_s;
    uint32_t value; /* code, or duration */
};

/* The whole buffer, oldest first. */
static size_t read_log(struct rig *r, const char *obis, struct row *rows)
{
    const struct apdu_attr a = rig_attr(7, obis, 2);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &a));
    rig_release(r);
    struct rd rd = rd_of(r->answer, r->answer_len);
    const size_t n = axdr_get_array(&rd);
    assert_true(n <= ROWS);
    for (size_t i = 0; i < n; i++) {
        struct datetime d;
        axdr_get_struct(&rd, 2);
        datetime_get(&rd, &d);
        rows[i].value = (uint32_t)axdr_get_uint(&rd);
        assert_int_equal(rd.err, ERR_OK);
        assert_int_equal(datetime_to_utc(&d, 0, &rows[i].utc_s), ERR_OK);
    }
    assert_int_equal(rd_left(&rd), 0);
    return n;
}

static size_t count_rows(struct rig *r, const char *obis)
{
    static struct row rows[ROWS];
    return read_log(r, obis, rows);
}

/* The same in each phase: nothing to tell. */
static struct claim_load even(const struct rig *r)
{
    struct claim_load l = claim_load(r, 0.1, 10);
    for (unsigned p = 1; p < claim_phases(r); p++) {
        l.u[p] = l.u[0];
        l.i[p] = l.i[0];
        l.lag[p] = l.lag[0];
    }
    return l;
}

static void live(struct rig *r, int64_t seconds)
{
    const struct claim_load l = even(r);
    claim_live(r, &l, seconds);
}

/* The supply is away for so long, with warning; a minute of life after it. */
static void outage(struct rig *r, int64_t seconds)
{
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, seconds), ERR_OK);
    live(r, 60);
}

static int64_t number(struct rig *r, const char *obis)
{
    return rig_value(r, 1, obis, 2);
}

static int64_t seconds(struct rig *r, const char *obis)
{
    return rig_value(r, 3, obis, 2);
}

/* ---- what happens, each in one book ---- */

static void open_seal(struct rig *r)
{
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
    meter_idle(&r->meter, 1);
}

static void guess_password(struct rig *r)
{
    for (unsigned i = 0; i < METER_LOG_REFUSALS; i++) {
        r->meter.password[0] ^= 1;
        assert_false(rig_connect(r, METER_SAP_READER));
        r->meter.password[0] ^= 1;
    }
    assert_true(rig_connect(r, METER_SAP_READER)); /* who knows it is not held back */
    rig_release(r);
}

static void raise_voltage(struct rig *r)
{
    struct claim_load l = even(r);
    l.u[0] *= 1.15;
    claim_live(r, &l, 20);
}

static void over_voltage(struct rig *r)
{
    raise_voltage(r);
    live(r, 20);
}

static void over_current(struct rig *r)
{
    struct claim_load l = even(r);
    l.i[0] = r->meter.model->imax_ma * 1.2e-3;
    claim_live(r, &l, 20);
    live(r, 20);
}

static void set_clock(struct rig *r)
{
    assert_int_equal(
        meter_clock_change(&r->meter, meter_clock_ns(&r->meter.clock) + 3600 * METER_NS), ERR_OK);
    meter_idle(&r->meter, 1);
}

static void set_limit(struct rig *r)
{
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_int_equal(claim_set(r, 1, "0-0:96.129.0.255", 850000), COSEM_SUCCESS);
    rig_release(r);
}

static void long_outage(struct rig *r)
{
    outage(r, 400);
}

static void restart(struct rig *r)
{
    outage(r, 1);
}

struct happening {
    void (*happens)(struct rig *r);
    unsigned book; /* index of the meter's books */
    uint32_t codes[2];
    size_t n;
};

/* Each in its own book and in no other; the outage log beside the standard one. */
static void books_hold(struct rig *r, const char *const books[LOGS], const struct happening *what,
                       size_t n_what)
{
    static struct row rows[ROWS];
    size_t before[LOGS], n;
    live(r, 120);
    for (size_t k = 0; k < n_what; k++) {
        const bool is_outage = what[k].happens == long_outage;
        for (size_t b = 0; b < LOGS && books[b] != NULL; b++)
            before[b] = count_rows(r, books[b]);
        what[k].happens(r);
        for (size_t b = 0; b < LOGS && books[b] != NULL; b++) {
            n = read_log(r, books[b], rows);
            const size_t more = b == what[k].book ? what[k].n : is_outage && b == 0 ? 2 : 0;
            if (n != before[b] + more)
                fail_msg("%s: happening %zu brings %zu entries to %s", r->config.model->name, k,
                         n - before[b], books[b]);
            for (size_t i = 0; b == what[k].book && i < more; i++) {
                assert_int_equal(rows[before[b] + i].value, what[k].codes[i]);
                assert_in_range(meter_now_s(&r->meter) - rows[before[b] + i].utc_s, 0, 3700);
            }
        }
    }
}

static void clear(struct rig *r, const char *obis)
{
    struct apdu_attr a = rig_attr(7, obis, 1);
    a.parameter = (struct bytes){(const uint8_t *)"\x0F\x00", 2};
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_call(r, &a));
    rig_release(r);
}

/* ---- the rows ---- */

static void claim_MT371_LOG(void **state)
{
    (void)state;
    static struct row rows[ROWS];
    struct rig *r = claim_meter("MT371", 0);
    live(r, 120);
    for (unsigned i = 0; i < 32; i++) {
        outage(r, DAY); /* each power-up finds room again */
        assert_int_equal(count_rows(r, "0-0:99.98.0.255"), 2 * (i + 1));
    }
    assert_int_equal(rig_value(r, 7, "0-0:99.98.0.255", 8), 64);
    assert_int_equal(read_log(r, "0-0:99.98.0.255", rows), 64);
    for (unsigned i = 0; i < 32; i++) {
        assert_int_equal(rows[2 * i].value, 1);
        assert_int_equal(rows[2 * i].utc_s, START + 120 + (DAY + 60) * i);
        assert_int_equal(rows[2 * i + 1].value, 2);
        assert_int_equal(rows[2 * i + 1].utc_s, START + 120 + DAY + (DAY + 60) * i);
    }
    open_seal(r); /* the 65th */
    assert_int_equal(read_log(r, "0-0:99.98.0.255", rows), 64);
    assert_int_equal(rows[0].value, 2);
    assert_int_equal(rows[0].utc_s, START + 120 + DAY);
    assert_int_equal(rows[63].value, 203);
    assert_int_equal(rows[63].utc_s, meter_now_s(&r->meter));
    rig_free(r);
}

static void claim_MT371_PQ_POWERDOWN(void **state)
{
    (void)state;
    struct rig *r = claim_meter("MT371", 0);
    live(r, 120);
    assert_int_equal(number(r, "0-0:96.7.129.255"), 0);
    outage(r, 2 * 60 + 59);
    assert_int_equal(number(r, "0-0:96.7.129.255"), 1);
    outage(r, 3 * 60 + 1);
    assert_int_equal(number(r, "0-0:96.7.129.255"), 1);
    outage(r, 1);
    assert_int_equal(number(r, "0-0:96.7.129.255"), 2);
    rig_free(r);
}

static void claim_MT371_PQ_OFFTIME(void **state)
{
    (void)state;
    static const int64_t off[] = {1, 179, 181, 3600, 5 * 86400};
    struct rig *r = claim_meter("MT371", 0);
    int64_t sum = 0;
    live(r, 120);
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        outage(r, off[i]);
        sum += off[i];
        assert_int_equal(seconds(r, "0-0:96.7.128.255"), sum);
    }
    rig_free(r);
}

/* Not yet the row SX402-LOGS: nothing happens to a disconnector before there is one, so of its book
 * only the clearing is seen. */
static void sx402_keeps_each_event_in_its_own_book(void **state)
{
    (void)state;
    static const char *const models[] = {"SM402D", "ST402D", "ST402C"};
    static const char *const books[LOGS] = {"0-0:99.98.0.255", "0-0:99.98.1.255", "0-0:99.98.2.255",
                                            "0-0:99.98.4.255", OUTAGES};
    static const struct happening what[] = {
        {restart, 0, {1, 2}, 2},    {set_clock, 0, {4, 5}, 2},    {set_limit, 0, {47}, 1},
        {open_seal, 1, {203}, 1},   {guess_password, 1, {46}, 1}, {over_voltage, 3, {79, 85}, 2},
        {long_outage, 4, {400}, 1},
    };
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        struct rig *r = claim_meter(models[k], 0);
        books_hold(r, books, what, sizeof what / sizeof *what);
        clear(r, books[2]);
        assert_int_equal(number(r, "0-0:96.11.2.255"), 255);
        assert_int_equal(count_rows(r, books[2]), 1);
        assert_int_equal(count_rows(r, books[1]), 2);
        rig_free(r);
    }
}

static void short_and_long(const char *model)
{
    static struct row rows[ROWS];
    struct rig *r = claim_meter(model, 0);
    live(r, 120);
    outage(r, 60);
    outage(r, 120);
    assert_int_equal(number(r, "0-0:96.7.0.255"), 2);
    assert_int_equal(number(r, "0-0:96.7.129.255"), 2);
    assert_int_equal(number(r, "0-0:96.7.5.255"), 0);
    assert_int_equal(count_rows(r, OUTAGES), 0);
    outage(r, 200);
    outage(r, 7200);
    assert_int_equal(number(r, "0-0:96.7.0.255"), 4);
    assert_int_equal(number(r, "0-0:96.7.129.255"), 2);
    assert_int_equal(number(r, "0-0:96.7.5.255"), 2);
    assert_int_equal(read_log(r, OUTAGES, rows), 2);
    assert_int_equal(rows[0].value, 200);
    assert_int_equal(rows[0].utc_s, START + 120 + 60 + 60 + 120 + 60 + 200);
    assert_int_equal(rows[1].value, 7200);
    assert_int_equal(seconds(r, "0-0:96.7.15.255"), 7200);
    rig_free(r);
}

static void claim_SX402_OUTAGE(void **state)
{
    (void)state;
    short_and_long("SM402D");
    short_and_long("ST402D");
    short_and_long("ST402C");
}

static const char *const esox[LOGS] = {"0-0:99.98.0.255",
                                       "0-0:99.98.1.255",
                                       "0-0:99.98.4.255",
                                       "0-0:99.98.7.255",
                                       "0-0:99.98.8.255",
                                       "0-0:99.98.9.255",
                                       OUTAGES};

/* Many of one kind, past the limit of how often one is entered. */
static void fill(struct rig *r, enum model_event e)
{
    for (unsigned i = 0; i < 600; i++) {
        memset(r->meter.log.left, METER_LOG_BURST, sizeof r->meter.log.left);
        meter_event(&r->meter, e, meter_now_s(&r->meter));
    }
    meter_log_flush(&r->meter);
}

static void expect_others(struct rig *r, size_t but, const size_t before[LOGS])
{
    for (size_t b = 0; b < LOGS; b++) {
        if (b != but)
            assert_int_equal(count_rows(r, esox[b]), before[b]);
    }
}

static void claim_ESOX_LOGS(void **state)
{
    (void)state;
    static const struct happening what[] = {
        {restart, 0, {1, 2}, 2},        {open_seal, 1, {203}, 1},
        {over_voltage, 2, {79, 85}, 2}, {over_current, 3, {225, 228}, 2},
        {set_clock, 4, {4, 5}, 2},      {set_limit, 4, {47}, 1},
        {guess_password, 5, {46}, 1},   {long_outage, 6, {400}, 1},
    };
    static const enum model_event of[LOGS] = {MODEL_EVENT_POWER_UP,  MODEL_EVENT_SEAL_OPENED,
                                              MODEL_EVENT_DIP_L1,    MODEL_EVENT_OVER_CURRENT_L1,
                                              MODEL_EVENT_CLOCK_NEW, MODEL_EVENT_REPLAY};
    struct rig *r = claim_meter("SMARTESOX-P", 0);
    size_t before[LOGS];
    books_hold(r, esox, what, sizeof what / sizeof *what);
    for (size_t b = 0; b < LOGS; b++) {
        for (size_t k = 0; k < LOGS; k++)
            before[k] = count_rows(r, esox[k]);
        assert_true(before[b] > 0);
        if (b < LOGS - 1)
            fill(r, of[b]);
        else
            for (unsigned i = 0; i < 150; i++) {
                r->meter.log.left[MODEL_N_EVENTS] = METER_LOG_BURST;
                meter_log_outage(&r->meter, meter_now_s(&r->meter), 200);
            }
        meter_log_flush(&r->meter);
        assert_int_equal(count_rows(r, esox[b]), rig_value(r, 7, esox[b], 8));
        expect_others(r, b, before);
        clear(r, esox[b]);
        if (b == LOGS - 1) /* which says so in the configuration's */
            before[4]++;
        expect_others(r, b, before);
        assert_int_equal(count_rows(r, esox[b]), b < LOGS - 1);
    }
    rig_free(r);
}

static void claim_ESOX_MONITOR_OUTAGE(void **state)
{
    (void)state;
    static struct row rows[ROWS];
    short_and_long("SMARTESOX-P");
    struct rig *r = claim_meter("SMARTESOX-P", 0);
    struct claim_load l = even(r), dark = l;
    dark.u[1] = 0;
    dark.i[1] = 0;
    claim_live(r, &l, 60);
    claim_live(r, &dark, 300); /* one phase alone */
    claim_live(r, &l, 60);
    assert_int_equal(number(r, "0-0:96.7.5.255"), 0);
    assert_int_equal(number(r, "0-0:96.7.7.255"), 1);
    assert_int_equal(seconds(r, "0-0:96.7.17.255"), 300);
    assert_int_equal(read_log(r, OUTAGES, rows), 1);
    assert_int_equal(rows[0].value, 300);
    assert_int_equal(rows[0].utc_s, START + 360);
    rig_free(r);
}

static enum cosem_result set(struct rig *r, const char *obis, uint64_t to)
{
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    enum cosem_result result = claim_set(r, 3, obis, to);
    rig_release(r);
    return result;
}

static void claim_SM307_PQ_OUTAGE(void **state)
{
    (void)state;
    struct rig *r = claim_meter("SM307", 0);
    live(r, 120);
    assert_int_equal(set(r, "0-0:96.7.20.255", 60), COSEM_SUCCESS);
    assert_int_equal(set(r, "0-0:96.7.130.255", 5), COSEM_SUCCESS);
    assert_int_not_equal(set(r, "0-0:96.7.130.255", 61), COSEM_SUCCESS);
    assert_int_not_equal(set(r, "0-0:96.7.20.255", 4), COSEM_SUCCESS);
    static const int64_t off[] = {4, 5, 59, 60, 3};
    static const int64_t n_short[] = {0, 1, 2, 2, 2}, n_long[] = {0, 0, 0, 1, 1};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        outage(r, off[i]);
        assert_int_equal(number(r, "0-0:96.7.129.255"), n_short[i]);
        assert_int_equal(number(r, "0-0:96.7.5.255"), n_long[i]);
        assert_int_equal(count_rows(r, OUTAGES), n_long[i]);
    }
    assert_int_equal(seconds(r, "0-0:96.7.128.255"), 131);
    rig_free(r);
}

static void claim_AD1X_EVENTS_LOGS(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    static const char *const books[LOGS] = {"0-0:99.98.0.255", "0-0:99.98.1.255", "0-0:99.98.2.255",
                                            "0-0:99.98.4.255", OUTAGES};
    static const struct happening what[] = {
        {restart, 0, {1, 2}, 2},    {set_clock, 0, {4, 5}, 2},      {set_limit, 0, {47}, 1},
        {open_seal, 1, {203}, 1},   {over_voltage, 3, {79, 85}, 2}, {guess_password, 1, {46}, 1},
        {long_outage, 4, {400}, 1},
    };
    for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
        struct rig *r = claim_meter(models[k], 0);
        books_hold(r, books, what, sizeof what / sizeof *what);
        /* and in registers: the newest code of each, what is present, how often */
        assert_int_equal(number(r, "0-0:96.11.0.255"), 2);
        assert_int_equal(number(r, "0-0:96.11.1.255"), 46);
        assert_int_equal(number(r, "0-0:96.7.5.255"), 1);
        assert_int_equal(number(r, "0-0:96.7.0.255"), 2);
        raise_voltage(r);
        assert_int_equal(number(r, "0-0:97.98.9.255") & 1 << PQ_OVER_VOLTAGE, 1 << PQ_OVER_VOLTAGE);
        rig_free(r);
    }
}

static void claim_AD1X_PQ_OUTAGES(void **state)
{
    (void)state;
    short_and_long("AD11A");
    short_and_long("AD13A");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_LOG),
        cmocka_unit_test(claim_MT371_PQ_POWERDOWN),
        cmocka_unit_test(claim_MT371_PQ_OFFTIME),
        cmocka_unit_test(sx402_keeps_each_event_in_its_own_book),
        cmocka_unit_test(claim_SX402_OUTAGE),
        cmocka_unit_test(claim_ESOX_LOGS),
        cmocka_unit_test(claim_ESOX_MONITOR_OUTAGE),
        cmocka_unit_test(claim_SM307_PQ_OUTAGE),
        cmocka_unit_test(claim_AD1X_EVENTS_LOGS),
        cmocka_unit_test(claim_AD1X_PQ_OUTAGES),
    };
    return cmocka_run_group_tests_name("claims_log", tests, NULL, NULL);
}
