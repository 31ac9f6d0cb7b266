/* Rows of the ledger about profiles: how many there are, their columns, periods and depths, what
 * can be traded. Everything is chosen and read by clients over the wire.
 *
 * With the argument `depth` the rows that need months of life (in `make test-full` and `make
 * claims`). */
#include "lib/cosem/obis.h"
#include "tests/claims/claims.h"

#define MIDNIGHT "2026-01-09T23:00:00" /* of local time */
#define DAY_S    86400
#define LOG      "0-0:99.98.0.255"

static const char *const names[MODEL_N_PROFILES] = {
    "1-0:99.1.0.255", "1-0:99.2.0.255", "1-0:99.1.1.255", "1-0:99.1.2.255", "0-1:24.3.0.255",
    "0-2:24.3.0.255", "0-3:24.3.0.255", "0-4:24.3.0.255", "1-0:98.2.0.255", "0-0:98.1.0.255",
};

/* ---- a client's words; in an association of the manager ---- */

static bool set_u32(struct rig *r, enum model_profile_id p, uint8_t attribute, uint32_t value)
{
    const struct apdu_attr a = rig_attr(7, names[p], attribute);
    uint8_t octets[8];
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_u32(&w, value);
    return rig_set(r, &a, (struct bytes){octets, w.len});
}

static uint32_t get_u32(struct rig *r, enum model_profile_id p, uint8_t attribute)
{
    const struct apdu_attr a = rig_attr(7, names[p], attribute);
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    const uint32_t value = (uint32_t)axdr_get_uint(&rd);
    assert_int_equal(rd.err, ERR_OK);
    return value;
}

static bool set_period(struct rig *r, enum model_profile_id p, uint32_t minutes)
{
    const bool done = set_u32(r, p, 4, minutes * 60);
    if (done)
        assert_int_equal(get_u32(r, p, 4), minutes * 60);
    return done;
}

#define COLUMNS_MAX 40
struct columns {
    struct cosem_ref of[COLUMNS_MAX];
    unsigned n;
};

/* n registers of the meter, the first `skip` left out. */
static struct columns registers(struct rig *r, unsigned skip, unsigned n)
{
    struct columns c = {.n = 0};
    struct cosem_ref o;
    unsigned passed = 0;
    assert_true(n <= COLUMNS_MAX);
    for (uint32_t at = 0; c.n < n && cosem_next(&r->meter.device, &at, &o);) {
        if (o.row->kind->class_id == 3 && passed++ >= skip)
            c.of[c.n++] = o;
    }
    return c;
}

static void put_column(struct wr *w, uint16_t class_id, const uint8_t ln[6])
{
    axdr_put_struct(w, 4);
    axdr_put_u16(w, class_id);
    axdr_put_octets(w, ln, 6);
    axdr_put_i8(w, 2);
    axdr_put_u16(w, 0);
}

/* Clock and these. */
static bool set_columns(struct rig *r, enum model_profile_id p, const struct columns *c)
{
    static uint8_t octets[2000];
    const struct apdu_attr a = rig_attr(7, names[p], 3);
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_array(&w, c->n + 1);
    put_column(&w, 8, model_ln_clock);
    for (unsigned k = 0; k < c->n; k++)
        put_column(&w, 3, c->of[k].ln);
    assert_int_equal(w.err, ERR_OK);
    return rig_set(r, &a, (struct bytes){octets, w.len});
}

/* The entry `index` (from 1, the oldest); the cursor stands behind its stamp, n_columns says how
 * many there are. */
static int64_t open_row(struct rig *r, enum model_profile_id p, uint32_t index, struct rd *rd,
                        size_t *n_columns)
{
    struct apdu_attr a = rig_attr(7, names[p], 2);
    struct datetime stamp;
    uint8_t octets[32];
    int64_t utc_s;
    struct wr w = wr_of(octets, sizeof octets);
    axdr_put_struct(&w, 4);
    axdr_put_u32(&w, index);
    axdr_put_u32(&w, index);
    axdr_put_u16(&w, 1);
    axdr_put_u16(&w, 0);
    a.selector = 2;
    a.parameter = (struct bytes){octets, w.len};
    assert_true(rig_get(r, &a));
    *rd = rd_of(r->answer, r->answer_len);
    assert_int_equal(axdr_get_array(rd), 1);
    assert_int_equal(rd_u8(rd), AXDR_STRUCT);
    *n_columns = rd_length(rd);
    datetime_get(rd, &stamp);
    assert_int_equal(rd->err, ERR_OK);
    assert_int_equal(datetime_to_utc(&stamp, 0, &utc_s), ERR_OK);
    return utc_s;
}

static int64_t stamp_of(struct rig *r, enum model_profile_id p, uint32_t index)
{
    struct rd rd;
    size_t n;
    return open_row(r, p, index, &rd, &n);
}

/* So many rows, `period_s` apart, the last one at `last_s`. */
static void expect_rows(struct rig *r, enum model_profile_id p, uint32_t n, int64_t last_s,
                        uint32_t period_s)
{
    assert_int_equal(get_u32(r, p, 7), n);
    const int64_t first_s = last_s - (int64_t)(n - 1) * period_s;
    if (stamp_of(r, p, n) != last_s || stamp_of(r, p, 1) != first_s)
        fail_msg("%s %s: rows from %lld to %lld", r->config.model->name, names[p],
                 (long long)stamp_of(r, p, 1), (long long)stamp_of(r, p, n));
}

static int64_t now(const struct rig *r)
{
    return meter_now_s(&r->meter);
}

static struct rig *begin(const char *model)
{
    struct rig *r = claim_meter_at(model, 0, MIDNIGHT);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    return r;
}

static void end(struct rig *r)
{
    rig_release(r);
    rig_free(r);
}

static void live(struct rig *r, int64_t seconds)
{
    const struct claim_load l = claim_load(r, 0.3, 25);
    rig_release(r);
    claim_live(r, &l, seconds);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
}

static bool has(struct rig *r, enum model_profile_id p)
{
    uint8_t ln[6];
    struct cosem_ref o;
    assert_int_equal(obis_parse(names[p], ln), ERR_OK);
    return cosem_find(&r->meter.device, 7, ln, &o);
}

/* The newest row has what the registers show now, those that do not move. */
static void expect_newest(struct rig *r, enum model_profile_id p, const struct columns *c)
{
    struct rd row;
    size_t n;
    const uint32_t last = get_u32(r, p, 7);
    (void)open_row(r, p, last, &row, &n);
    assert_int_equal(n, c->n + 1);
    struct bytes rest = rd_bytes(&row, rd_left(&row));
    uint8_t *cells = malloc(rest.len);
    assert_non_null(cells);
    memcpy(cells, rest.p, rest.len);
    row = rd_of(cells, rest.len);
    for (unsigned k = 0; k < c->n; k++) {
        struct apdu_attr a = {.class_id = 3, .id = 2};
        memcpy(a.ln, c->of[k].ln, 6);
        assert_true(rig_get(r, &a));
        const struct bytes cell = rd_bytes(&row, r->answer_len);
        assert_int_equal(row.err, ERR_OK);
        if (c->of[k].ln[3] == 8) /* an energy: the row is of this second */
            assert_memory_equal(cell.p, r->answer, r->answer_len);
        else
            assert_int_equal(cell.p[0], r->answer[0]);
    }
    assert_int_equal(rd_left(&row), 0);
    free(cells);
}

/* ---- MT371 ---- */

static void claim_MT371_PROFILE(void **state)
{
    (void)state;
    struct rig *r = begin("MT371");
    assert_false(has(r, MODEL_LP3));
    const struct columns first = registers(r, 0, 16), second = registers(r, 30, 16),
                         many = registers(r, 0, 17);
    assert_int_equal(many.n, 17);
    assert_false(set_columns(r, MODEL_LP1, &many));
    assert_false(set_columns(r, MODEL_LP2, &many));
    assert_true(set_columns(r, MODEL_LP1, &first));
    assert_true(set_columns(r, MODEL_LP2, &second));
    assert_false(set_columns(r, MODEL_LP1, &many));
    live(r, 7200);
    expect_newest(r, MODEL_LP1, &first);
    expect_newest(r, MODEL_LP2, &second);
    /* what is done to one leaves the other */
    assert_true(set_columns(r, MODEL_LP1, &second));
    assert_int_equal(get_u32(r, MODEL_LP1, 7), 0);
    expect_rows(r, MODEL_LP2, 2, now(r), 3600);
    end(r);
}

static void claim_MT371_LP_PERIOD(void **state)
{
    (void)state;
    static const uint32_t minutes[] = {15, 30, 60, 1440};
    for (size_t k = 0; k < 4; k++) { /* each in each of them */
        const uint32_t one = minutes[k], other = minutes[k ^ 1];
        const uint32_t lived = 2 * (one > other ? one : other);
        struct rig *r = begin("MT371");
        assert_true(set_period(r, MODEL_LP1, other) && set_period(r, MODEL_LP2, one));
        assert_true(set_period(r, MODEL_LP1, one) && set_period(r, MODEL_LP2, other));
        live(r, lived * 60);
        expect_rows(r, MODEL_LP1, lived / one, now(r), one * 60);
        expect_rows(r, MODEL_LP2, lived / other, now(r), other * 60);
        end(r);
    }
}

/* ---- Sx402 ---- */

static const char *const sx402[] = {"SM402D", "ST402D", "ST402C"};

static void claim_SX402_PROFILE(void **state)
{
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct rig *r = begin(sx402[k]);
        static const uint32_t per_day[] = {96, 24, 144, 1}; /* as delivered */
        live(r, DAY_S);
        for (unsigned p = MODEL_LP1; p <= MODEL_LP4; p++) {
            assert_true(has(r, (enum model_profile_id)p));
            expect_rows(r, (enum model_profile_id)p, per_day[p], now(r), DAY_S / per_day[p]);
        }
        for (unsigned p = MODEL_LP1; p <= MODEL_LP4; p++) {
            const struct columns c = registers(r, 10 * p, 8 + p);
            assert_true(set_columns(r, (enum model_profile_id)p, &c));
            assert_true(set_period(r, (enum model_profile_id)p, 5));
        }
        live(r, 600);
        for (unsigned p = MODEL_LP1; p <= MODEL_LP4; p++) {
            const struct columns c = registers(r, 10 * p, 8 + p);
            expect_newest(r, (enum model_profile_id)p, &c);
        }
        end(r);
    }
}

/* Each period in each profile, and eight profiles with different ones at once. */
static void claim_SX402_PERIODS(void **state)
{
    (void)state;
    static const uint32_t minutes[] = {5, 10, 15, 30, 60, 1440};
    for (size_t k = 0; k < 3; k++) {
        struct rig *r = begin(sx402[k]);
        for (unsigned i = 0; i < 6 && k == 0; i++) {
            for (unsigned p = MODEL_LP1; p <= MODEL_MBUS_4; p++)
                assert_true(set_period(r, (enum model_profile_id)p, minutes[i]));
        }
        for (unsigned p = MODEL_LP1; p <= MODEL_MBUS_4; p++) {
            assert_true(set_period(r, (enum model_profile_id)p, minutes[(p + k) % 6]));
            assert_false(set_period(r, (enum model_profile_id)p, 20));
            assert_false(set_period(r, (enum model_profile_id)p, 0));
        }
        live(r, DAY_S);
        for (unsigned p = MODEL_LP1; p <= MODEL_MBUS_4; p++)
            expect_rows(r, (enum model_profile_id)p, 1440 / minutes[(p + k) % 6], now(r),
                        minutes[(p + k) % 6] * 60);
        end(r);
    }
}

/* Every register of the meter, sixteen at a time: energies, powers, voltages, currents, THD ... */
static void any_register_is_a_column(void)
{
    for (size_t k = 0; k < 3; k++) {
        struct rig *r = begin(sx402[k]);
        unsigned n = 0;
        for (struct columns c; (c = registers(r, n, 16)).n > 0; n += c.n) {
            assert_true(set_columns(r, MODEL_LP3, &c));
            assert_true(set_period(r, MODEL_LP3, 5) && set_period(r, MODEL_LP3, 10));
            live(r, 1200);
            expect_newest(r, MODEL_LP3, &c);
            if (!set_columns(r, MODEL_LP2, &c))
                fail_msg("%s: columns from %u on", sx402[k], n);
        }
        printf("%s: %u registers as columns\n", sx402[k], n);
        assert_true(n > 100);
        end(r);
    }
}

/* As many rows as the row of the model says, at once, of each load profile and of those for M-Bus;
 * the oldest leaves first. */
static void claim_SX402_CAPTURE(void **state)
{
    (void)state;
    any_register_is_a_column();
    struct rig *r = begin("ST402D");
    assert_true(set_period(r, MODEL_LP4, 60)); /* of days it would be 400 of them */
    live(r, INT64_C(145) * DAY_S);
    for (unsigned p = MODEL_LP1; p <= MODEL_MBUS_4; p++) {
        const uint32_t period_s = get_u32(r, (enum model_profile_id)p, 4);
        expect_rows(r, (enum model_profile_id)p, r->config.model->profile[p].depth, now(r),
                    period_s);
    }
    assert_int_equal(get_u32(r, MODEL_LP1, 7), 9600);
    end(r);
}

/* ---- smartESOX P ---- */

static void claim_ESOX_PROFILES(void **state)
{
    (void)state;
    static const uint32_t minutes[] = {1, 7, 45, 1440};
    struct rig *r = begin("SMARTESOX-P");
    for (unsigned p = MODEL_LP1; p <= MODEL_LP4; p++)
        assert_true(set_period(r, (enum model_profile_id)p, minutes[p]));
    live(r, DAY_S);
    expect_rows(r, MODEL_LP1, 1440, now(r), 60);
    expect_rows(r, MODEL_LP3, 1440 / 45, now(r), 45 * 60);
    expect_rows(r, MODEL_LP4, 1, now(r), DAY_S);
    assert_in_range(get_u32(r, MODEL_LP2, 7), 1440 / 7 - 2, 1440 / 7);
    assert_int_equal(stamp_of(r, MODEL_LP2, 3) - stamp_of(r, MODEL_LP2, 2), 420);
    assert_true(set_period(r, MODEL_LP1, 2)); /* the others go on */
    assert_int_equal(get_u32(r, MODEL_LP1, 7), 0);
    live(r, 3 * 45 * 60);
    expect_rows(r, MODEL_LP1, 3 * 45 / 2, now(r) - 60, 120);
    assert_int_equal(get_u32(r, MODEL_LP3, 7), 1440 / 45 + 3);
    end(r);
}

static void claim_ESOX_CAPTURE(void **state)
{
    (void)state;
    struct rig *r = begin("SMARTESOX-P");
    struct columns c[4];
    for (unsigned p = MODEL_LP1; p <= MODEL_LP4; p++) {
        c[p] = registers(r, 40 * p, 4 + 4 * p);
        assert_true(set_columns(r, (enum model_profile_id)p, &c[p]));
    }
    live(r, DAY_S); /* all four end now */
    for (unsigned p = MODEL_LP1; p <= MODEL_LP4; p++)
        expect_newest(r, (enum model_profile_id)p, &c[p]);
    end(r);
}

/* ---- SM307 ---- */

static void claim_SM307_PROFILE(void **state)
{
    (void)state;
    struct rig *r = begin("SM307");
    const struct columns c = registers(r, 0, 16);
    assert_true(set_columns(r, MODEL_LP1, &c));
    assert_int_equal(get_u32(r, MODEL_LP1, 4), 900);
    const int64_t begin_s = now(r);
    live(r, INT64_C(100) * DAY_S);
    expect_rows(r, MODEL_LP1, 9600, now(r), 900);
    assert_int_equal(stamp_of(r, MODEL_LP1, 1), begin_s + 900);
    live(r, 900);
    expect_rows(r, MODEL_LP1, 9600, now(r), 900);
    assert_int_equal(stamp_of(r, MODEL_LP1, 1), begin_s + 1800);
    expect_newest(r, MODEL_LP1, &c);
    end(r);
}

/* Codes of the standard log. */
static unsigned n_events(struct rig *r, uint8_t code)
{
    const struct apdu_attr a = rig_attr(7, LOG, 2);
    unsigned n = 0;
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    for (size_t left = axdr_get_array(&rd); left > 0; left--) {
        axdr_get_struct(&rd, 2);
        axdr_skip(&rd);
        n += axdr_get_uint(&rd) == code;
    }
    assert_int_equal(rd.err, ERR_OK);
    return n;
}

/* In the middle of an interval: the rows of the old length are gone, the log says so, and what is
 * left of the interval under way is no row. */
static void claim_SM307_INTERVAL(void **state)
{
    (void)state;
    struct rig *r = begin("SM307");
    for (uint32_t minutes = 1; minutes <= 60; minutes++)
        assert_true(set_period(r, MODEL_LP1, minutes));
    static const uint32_t lived[] = {1, 7, 20, 59};
    for (size_t i = 0; i < sizeof lived / sizeof lived[0]; i++) {
        assert_true(set_period(r, MODEL_LP1, lived[i]));
        live(r, 4 * lived[i] * 60);
        const uint32_t n = get_u32(r, MODEL_LP1, 7);
        assert_in_range(n, 3, 4); /* the interval that was under way is no row */
        assert_int_equal(stamp_of(r, MODEL_LP1, n) - stamp_of(r, MODEL_LP1, 1),
                         (n - 1) * lived[i] * 60);
    }
    const int64_t to_hour_s = 3600 - now(r) % 3600;
    assert_true(set_period(r, MODEL_LP1, 60));
    live(r, to_hour_s);
    assert_true(set_period(r, MODEL_LP1, 59) && set_period(r, MODEL_LP1, 60)); /* empty again */
    assert_false(set_period(r, MODEL_LP1, 0));
    assert_false(set_period(r, MODEL_LP1, 61));
    assert_false(set_u32(r, MODEL_LP1, 4, 90));
    assert_int_equal(get_u32(r, MODEL_LP1, 4), 3600);
    live(r, 2 * 3600 + 1000);
    expect_rows(r, MODEL_LP1, 2, now(r) - 1000, 3600);
    const unsigned before = n_events(r, 254);
    const int64_t at = now(r);
    assert_true(set_period(r, MODEL_LP1, 30));
    assert_int_equal(get_u32(r, MODEL_LP1, 7), 0);
    assert_int_equal(n_events(r, 254), before + 1);
    live(r, 2 * 3600);
    assert_int_equal(get_u32(r, MODEL_LP1, 7), 3);
    assert_int_equal(stamp_of(r, MODEL_LP1, 1), at - 1000 + 3600);
    end(r);
}

/* ---- AD1x ---- */

static const char *const ad1x[] = {"AD11A", "AD13A"};

/* A register's cell in a row. */
static uint64_t cell_of(struct rig *r, enum model_profile_id p, uint32_t index, const char *obis)
{
    const struct apdu_attr a = rig_attr(7, names[p], 3);
    struct rd rd, row;
    size_t n, at = 0;
    uint8_t ln[6];
    struct profile_column c;
    assert_int_equal(obis_parse(obis, ln), ERR_OK);
    assert_true(rig_get(r, &a));
    rd = rd_of(r->answer, r->answer_len);
    const size_t columns = axdr_get_array(&rd);
    for (size_t k = 0; k < columns && at == 0; k++) {
        profile_get_column(&rd, &c);
        if (c.class_id == 3 && memcmp(c.ln, ln, 6) == 0)
            at = k;
    }
    assert_true(at > 0);
    (void)open_row(r, p, index, &row, &n);
    for (size_t k = 1; k < at; k++)
        axdr_skip(&row);
    return axdr_get_uint(&row);
}

/* The register as it was at midnight, at the day's and the month's end; all of it under rate 1. */
static void claim_AD1X_READINGS(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct rig *r = claim_meter_at(ad1x[k], 0, "2026-01-30T11:00:00");
        assert_true(rig_connect(r, METER_SAP_MANAGER));
        live(r, DAY_S + DAY_S / 2); /* to the first of February */
        assert_int_equal(get_u32(r, MODEL_DAILY, 7), 2);
        assert_int_equal(get_u32(r, MODEL_MONTHLY, 7), 1);
        assert_int_equal(stamp_of(r, MODEL_DAILY, 2), rig_time("2026-01-31T23:00:00"));
        assert_int_equal(stamp_of(r, MODEL_MONTHLY, 1), rig_time("2026-01-31T23:00:00"));
        const struct apdu_attr actual = rig_attr(3, "1-0:1.8.0.255", 2);
        assert_true(rig_get(r, &actual));
        struct rd rd = rd_of(r->answer, r->answer_len);
        const uint64_t then = axdr_get_uint(&rd);
        assert_true(then > 0);
        assert_int_equal(cell_of(r, MODEL_DAILY, 2, "1-0:1.8.1.255"), then);
        assert_int_equal(cell_of(r, MODEL_MONTHLY, 1, "1-0:1.8.0.255"), then);
        live(r, 600);
        assert_true(rig_get(r, &actual));
        rd = rd_of(r->answer, r->answer_len);
        assert_true(axdr_get_uint(&rd) > then);
        assert_int_equal(cell_of(r, MODEL_MONTHLY, 1, "1-0:1.8.0.255"), then);
        end(r);
    }
}

static bool set_clock(struct rig *r, int64_t utc_s)
{
    const struct apdu_attr a = rig_attr(8, "0-0:1.0.0.255", 2);
    const struct datetime d = datetime_from_utc(utc_s, -60, 0);
    uint8_t octets[16];
    struct wr w = wr_of(octets, sizeof octets);
    datetime_put(&w, &d);
    return rig_set(r, &a, (struct bytes){octets, w.len});
}

/* 112 months, of which only the ends are lived through. */
static void live_months(struct rig *r)
{
    for (unsigned month = 0; month < 112; month++) {
        char text[40];
        const unsigned y = 2026 + (month + 1) / 12, m = (month + 1) % 12 + 1;
        snprintf(text, sizeof text, "%u-%02u-01T00:00:00", y, m);
        assert_true(set_clock(r, rig_time(text) - 3600 - 30));
        live(r, 3600 + 60);
    }
}

static void claim_AD1X_STORAGE(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct rig *r = begin(ad1x[k]);
        const struct columns six = registers(r, 12, 6);
        assert_true(has(r, MODEL_LP3) && !has(r, MODEL_LP4));
        for (unsigned p = MODEL_LP1; p <= MODEL_LP3; p++)
            assert_true(set_columns(r, (enum model_profile_id)p, &six));
        assert_true(set_columns(r, MODEL_MONTHLY, &six));
        live_months(r);
        live(r, INT64_C(64) * DAY_S);
        assert_int_equal(get_u32(r, MODEL_LP1, 7), 63 * 96);
        assert_int_equal(get_u32(r, MODEL_LP2, 7), 13 * 24);
        assert_int_equal(get_u32(r, MODEL_MONTHLY, 7), 110);
        assert_int_equal(stamp_of(r, MODEL_LP1, 63 * 96) - stamp_of(r, MODEL_LP1, 1),
                         (63 * 96 - 1) * 900);
        assert_int_equal(stamp_of(r, MODEL_LP2, 13 * 24) - stamp_of(r, MODEL_LP2, 1),
                         (13 * 24 - 1) * 3600);
        expect_rows(r, MODEL_LP3, 288, now(r) / 300 * 300, 300);
        end(r);
    }
}

/* Rows of five minutes in the space of days of rows of a quarter: more than it had, and lived. */
static void what_was_traded_is_there(void)
{
    struct rig *r = begin("AD11A");
    const uint32_t before = get_u32(r, MODEL_LP3, 8), days = 9;
    assert_true(days * 288 > before);
    assert_true(set_u32(r, MODEL_LP1, 8, 10 * 96));
    assert_true(set_u32(r, MODEL_LP3, 8, days * 288));
    live(r, (days + 1) * DAY_S);
    expect_rows(r, MODEL_LP3, days * 288, now(r), 300);
    expect_rows(r, MODEL_LP1, 10 * 96, now(r), 900);
    end(r);
}

/* What one profile gives up another takes, and nobody takes what is not there. */
static void space_goes_from_one_profile_to_another(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        struct rig *r = begin(ad1x[k]);
        uint32_t most = get_u32(r, MODEL_LP3, 8);
        for (uint32_t step = 1 << 14; step > 60; step /= 2) /* all that is free */
            most += set_u32(r, MODEL_LP3, 8, most + step) ? step : 0;
        assert_false(set_u32(r, MODEL_LP3, 8, most + 1000));
        assert_int_equal(get_u32(r, MODEL_LP3, 8), most);
        assert_true(set_u32(r, MODEL_LP1, 8, 63 * 96 - 1500));
        assert_true(set_u32(r, MODEL_LP3, 8, most + 1000));
        assert_false(set_u32(r, MODEL_LP1, 8, 63 * 96));
        assert_false(set_u32(r, MODEL_MONTHLY, 8, 2000));
        live(r, DAY_S);
        expect_rows(r, MODEL_LP1, 96, now(r), 900);
        expect_rows(r, MODEL_LP3, 288, now(r), 300);
        end(r);
    }
}

static void claim_AD1X_TRADE(void **state)
{
    space_goes_from_one_profile_to_another(state);
    what_was_traded_is_there();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_PROFILE),
        cmocka_unit_test(claim_MT371_LP_PERIOD),
        cmocka_unit_test(claim_SX402_PROFILE),
        cmocka_unit_test(claim_ESOX_PROFILES),
        cmocka_unit_test(claim_ESOX_CAPTURE),
        cmocka_unit_test(claim_SM307_INTERVAL),
        cmocka_unit_test(claim_AD1X_READINGS),
        cmocka_unit_test(space_goes_from_one_profile_to_another),
    };
    const struct CMUnitTest depth[] = {
        cmocka_unit_test(claim_SX402_PERIODS), cmocka_unit_test(claim_SX402_CAPTURE),
        cmocka_unit_test(claim_SM307_PROFILE), cmocka_unit_test(claim_AD1X_STORAGE),
        cmocka_unit_test(claim_AD1X_TRADE),
    };
    if (argc > 1 && strcmp(argv[1], "depth") == 0)
        return cmocka_run_group_tests_name("claims_profile_depth", depth, NULL, NULL);
    return cmocka_run_group_tests_name("claims_profile", tests, NULL, NULL);
}
