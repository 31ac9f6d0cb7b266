/* Measured interval data as load: what the profile holds sums up to what went in.
 *
 * Inputs are decimals of kWh (or kW over an interval); they are taken as whole micro-watt-hours,
 * what is left of a division is carried to the next interval, so their sum is exact. A register
 * shows whole units (0.1 or 0.01 Wh), cut off: the interval energies of all rows sum up to the
 * whole units of the inputs' sum, and the rest, less than one unit, is still in the meter. Each
 * row is compared with the oracle's, too. Stamps of the sources are taken as begins of intervals;
 * what a source misses is an outage of the supply.
 *
 * A source of southern summer time shows a day of 23 hours with two zeros for the hour that did not
 * come; a meter with those rules lives it as it was. For the day of 25 hours there is a series of
 * our own. Without arguments a day of some of each source; `full`: all there is. */
#include "tests/firmware/meter/exact.h"
#include "tests/firmware/meter/oracle_read.h"

#include "lib/base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#define FOLDER   SHARED_DIR "/vectors/load-profiles/"
#define LP1      "1-0:99.1.0.255"
#define MAX_ROWS 2000
#define HALF_H   1800

static bool full;

/* ---- series ---- */

struct reading {
    int64_t begin_s;
    int64_t import_uwh, export_uwh, q_uwh;
};
struct series {
    uint32_t period_s;
    size_t n, size;
    struct reading *reading;
};

static void add(struct series *s, struct reading r)
{
    if (s->n == s->size) {
        s->size = s->size > 0 ? s->size * 2 : 1024;
        s->reading = realloc(s->reading, s->size * sizeof *s->reading);
        assert_non_null(s->reading);
    }
    s->reading[s->n++] = r;
}

/* "12.345" in millionths, to nearest; *end behind it. */
static int64_t millionths(const char *text, const char **end)
{
    int64_t value = 0;
    int digits = -1; /* behind the point */
    for (; (*text >= '0' && *text <= '9') || *text == '.'; text++) {
        if (*text == '.')
            digits = 0;
        else if (digits < 6)
            value = value * 10 + (*text - '0'), digits += digits >= 0;
        else if (digits++ == 6)
            value += *text >= '5';
    }
    for (digits = digits < 0 ? 0 : digits; digits < 6; digits++)
        value *= 10;
    *end = text;
    return value;
}

/* "2012-06-01 10:00:00". */
static int64_t stamp(const char *text)
{
    int y, mo, d, h, mi;
    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &y, &mo, &d, &h, &mi), 5);
    struct civil c = {y, (uint8_t)mo, (uint8_t)d, (uint8_t)h, (uint8_t)mi, 0};
    return civil_to_seconds(&c);
}

static gzFile open_gz(const char *name)
{
    char path[600];
    snprintf(path, sizeof path, FOLDER "%s", name);
    if (access(path, R_OK) != 0) {
        print_message("no %s\n", path);
        skip();
    }
    gzFile f = gzopen(path, "rb");
    assert_non_null(f);
    return f;
}

static bool wanted(const struct series *s)
{
    return full || s->n < 86400 / s->period_s;
}

/* reading_datetime, kWh */
static void read_sgsc(const char *name, struct series *s)
{
    char line[200];
    gzFile f = open_gz(name);
    assert_non_null(gzgets(f, line, sizeof line));
    while (wanted(s) && gzgets(f, line, sizeof line) != NULL) {
        const char *end = strchr(line, ',');
        assert_non_null(end);
        add(s, (struct reading){.begin_s = stamp(line),
                                .import_uwh = millionths(end + 1, &end) * 1000});
    }
    gzclose(f);
}

/* time, kW consumed, kW generated */
static void read_ausgrid(struct series *s)
{
    char line[200];
    gzFile f = open_gz("ausgrid_customer12_30min_2011-07_2012-02.csv.gz");
    assert_non_null(gzgets(f, line, sizeof line));
    while (gzgets(f, line, sizeof line) != NULL) {
        const char *at = strchr(line, ',');
        struct reading r = {.begin_s = stamp(line)};
        assert_non_null(at);
        r.import_uwh = millionths(at + 1, &at) * 500; /* half an hour */
        r.export_uwh = millionths(at + 1, &at) * 500;
        add(s, r);
    }
    gzclose(f);
}

/* A consumer a line: name, kW of each half hour. */
static void read_tsrepr(unsigned consumer, struct series *s)
{
    static char line[16000];
    gzFile f = open_gz("tsrepr_34_consumers_30min_2weeks.csv.gz");
    for (unsigned k = 0; k < consumer + 2; k++) /* and the head */
        assert_non_null(gzgets(f, line, sizeof line));
    const char *at = strchr(line, ',');
    for (int64_t t = 1388534400; wanted(s) && at != NULL && *at == ','; t += HALF_H)
        add(s, (struct reading){.begin_s = t, .import_uwh = millionths(at + 1, &at) * 500});
    gzclose(f);
}

/* d/m/y, h:m:s, kW, kvar, ...; "?" for what is missing; 60 uWh a minute of a uW: the rest is
 * carried. */
static void read_uci(struct series *s)
{
    char line[200];
    int64_t rest_p = 0, rest_q = 0;
    gzFile f = open_gz("uci_household_1min_2007-01_04.csv.gz");
    assert_non_null(gzgets(f, line, sizeof line));
    while (wanted(s) && gzgets(f, line, sizeof line) != NULL) {
        int d, mo, y, h, mi, sec, at_n = 0;
        assert_int_equal(sscanf(line, "%d/%d/%d,%d:%d:%d,%n", &d, &mo, &y, &h, &mi, &sec, &at_n),
                         6);
        if (line[at_n] == '?')
            continue;
        struct civil c = {
            y < 100 ? y + 2000 : y, (uint8_t)mo, (uint8_t)d, (uint8_t)h, (uint8_t)mi, 0};
        const char *at = line + at_n;
        const int64_t p = millionths(at, &at) * 1000 + rest_p; /* 60 uWh each */
        const int64_t q = millionths(at + 1, &at) * 1000 + rest_q;
        rest_p = p % 60;
        rest_q = q % 60;
        add(s, (struct reading){civil_to_seconds(&c), p / 60, 0, q / 60});
    }
    gzclose(f);
}

/* ---- a meter lives it ---- */

struct life {
    struct rig *rig;
    struct oracle *oracle;
    const struct model_meter *model;
    const char *name;
    uint32_t period_s;
    int64_t read_s;        /* stamps up to this are compared */
    struct oracle_table t; /* of the last reading */
    int64_t sum[2];        /* A+ and A- of all rows' intervals */
    int64_t fed_uwh[2];    /* and of all inputs */
    size_t n_rows, n_outages;
    unsigned n_windows; /* an interval's energy comes in so many minutes at most */
    unsigned phase;
};

static void set_period(struct rig *r, uint32_t period_s)
{
    const struct apdu_attr a = rig_attr(7, LP1, 4);
    uint8_t value[8];
    struct wr w = wr_of(value, sizeof value);
    axdr_put_u32(&w, period_s);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_set(r, &a, (struct bytes){value, w.len}));
    rig_release(r);
}

static void begin(struct life *l, const char *model, const char *name, int64_t begin_s,
                  uint32_t period_s)
{
    char start[32];
    const struct civil c = civil_from_seconds(begin_s);
    snprintf(start, sizeof start, "%04d-%02d-%02dT%02d:%02d:%02d", (int)c.year, c.month, c.day,
             c.hour, c.minute, c.second);
    *l = (struct life){.rig = exact_rig(model, start),
                       .name = name,
                       .period_s = period_s,
                       .read_s = begin_s,
                       .n_windows = full ? 30 : 3};
    l->model = l->rig->config.model;
    l->oracle = oracle_new(l->model, begin_s);
    l->t.row = calloc(MAX_ROWS, sizeof *l->t.row);
    assert_non_null(l->t.row);
    if (period_s != 900) {
        set_period(l->rig, period_s);
        oracle_period(l->oracle, MODEL_LP1, period_s);
    }
}

static void window(struct life *l, uint32_t seconds, int64_t p_uwh, int64_t q_uwh)
{
    struct exact_load load = {.seconds = seconds};
    struct exact_phase *phase = &load.phase[l->phase++ % l->model->n_phases];
    phase->p_uwh = p_uwh;
    phase->q_uwh = q_uwh;
    const struct legal_window w = exact_window(l->model, &load);
    assert_int_equal(meter_window(&l->rig->meter, &w), ERR_OK);
    oracle_window(l->oracle, seconds, p_uwh, phase->q_uwh, phase->s_uwh);
}

static void idle_until(struct life *l, int64_t utc_s)
{
    const int64_t seconds = utc_s - oracle_now(l->oracle);
    meter_idle(&l->rig->meter, (uint64_t)(seconds * METER_NS));
    if (seconds > 0)
        oracle_window(l->oracle, (uint32_t)seconds, 0, 0, 0);
}

/* The energy of an interval in minutes of equal load, or in one of its seconds where even a minute
 * of it would be creeping. Import and export follow each other. */
static void feed(struct life *l, int64_t p_uwh, int64_t q_uwh, unsigned most)
{
    const int64_t least = exact_least_uwh(l->model, 60);
    const int64_t size = p_uwh < 0 ? -p_uwh : p_uwh;
    unsigned n = most;
    while (n > 1 && (size / n < least || (q_uwh != 0 && q_uwh / n < least)))
        n--;
    const bool is_little = (size != 0 && size < least) || (q_uwh != 0 && q_uwh < least);
    if (size == 0 && q_uwh == 0)
        return;
    if (is_little) {
        window(l, 1, p_uwh, q_uwh);
        idle_until(l, oracle_now(l->oracle) + 59);
        return;
    }
    for (unsigned k = 0; k < n; k++)
        window(l, 60, p_uwh / n + (k == 0 ? p_uwh % n : 0), q_uwh / n + (k == 0 ? q_uwh % n : 0));
}

static void live(struct life *l, const struct reading *r)
{
    const unsigned both = l->period_s / 60, most = l->n_windows < both ? l->n_windows : both;
    const bool is_double = r->import_uwh != 0 && r->export_uwh != 0;
    feed(l, r->import_uwh, r->q_uwh, is_double ? most / 2 : most);
    feed(l, -r->export_uwh, 0, is_double ? most / 2 : most);
    l->fed_uwh[0] += r->import_uwh;
    l->fed_uwh[1] += r->export_uwh;
}

static void outage(struct life *l, int64_t until_s)
{
    const int64_t gap_s = until_s - oracle_now(l->oracle);
    assert_int_equal(meter_power_fail(&l->rig->meter), ERR_OK);
    assert_int_equal(rig_power_up(l->rig, gap_s), ERR_OK);
    oracle_cut(l->oracle, gap_s, NULL, 0);
    l->n_outages++;
}

/* The rows since the last look; their interval energies are added up by what they are called. */
static void look(struct life *l)
{
    char words[200];
    const int64_t now_s = oracle_now(l->oracle);
    assert_true(rig_connect(l->rig, METER_SAP_READER_HLS));
    assert_true(oracle_read_columns(l->rig, LP1, &l->t));
    oracle_read_rows(l->rig, LP1, l->read_s + 1, now_s, &l->t, MAX_ROWS);
    rig_release(l->rig);
    if (oracle_compare(l->oracle, MODEL_LP1, l->read_s + 1, now_s, &l->t, words, sizeof words,
                       NULL) != 0)
        fail_msg("%s, %s: %s", l->name, l->model->name, words);
    for (size_t c = 0; c < l->t.n_columns; c++) {
        const uint8_t *ln = l->t.column[c].ln;
        for (size_t i = 0; i < l->t.n_rows && ln[3] == 29; i++)
            l->sum[ln[2] - 1] += l->t.row[i].value[c];
    }
    l->n_rows += l->t.n_rows;
    l->read_s = now_s;
}

static void end(struct life *l)
{
    const int64_t unit_uwh = l->model->energy_scaler == -1 ? 100000 : 10000;
    for (unsigned k = 0; k < 2; k++) {
        assert_int_equal(l->sum[k], l->fed_uwh[k] / unit_uwh);
        assert_in_range(l->fed_uwh[k] - l->sum[k] * unit_uwh, 0, unit_uwh - 1);
    }
    oracle_free(l->oracle);
    rig_free(l->rig);
    free(l->t.row);
}

static void live_series(const char *model, const char *name, struct series *s)
{
    struct life l;
    begin(&l, model, name, s->reading[0].begin_s, s->period_s);
    for (size_t i = 0; i < s->n; i++) {
        const struct reading *r = &s->reading[i];
        if (r->begin_s > oracle_now(l.oracle))
            outage(&l, r->begin_s);
        live(&l, r);
        idle_until(&l, r->begin_s + s->period_s);
        if (i % (MAX_ROWS - 500) == MAX_ROWS - 501)
            look(&l);
    }
    look(&l);
    print_message("%s in %s: %zu intervals, %zu rows, %zu outages; import %.3f, export %.3f kWh\n",
                  name, model, s->n, l.n_rows, l.n_outages, (double)l.fed_uwh[0] / 1e9,
                  (double)l.fed_uwh[1] / 1e9);
    end(&l);
    free(s->reading);
}

/* ---- the sources ---- */

/* What the source's description says all of it is, Wh. */
static void expect_wh(const struct series *s, int64_t wh)
{
    int64_t sum = 0;
    for (size_t i = 0; i < s->n; i++)
        sum += s->reading[i].import_uwh;
    if (full)
        assert_int_equal((sum + 500000) / 1000000, wh);
}

static void profile_sums_up_to_half_hours_of_households(void **state)
{
    (void)state;
    static const struct {
        const char *file, *model;
        int64_t wh;
    } of[] = {{"10006414", "MT371", 6696114},       {"10006704", "SM402D", 14177947},
              {"10017554", "ST402D", 3744059},      {"10017936", "ST402C", 10875274},
              {"10017994", "SMARTESOX-P", 3233750}, {"10018064", "SM307", 2170586},
              {"10018250", "AD13A", 6990887}};
    for (size_t k = 0; k < sizeof of / sizeof of[0]; k += full ? 1 : 4) {
        char name[64];
        struct series s = {.period_s = HALF_H};
        snprintf(name, sizeof name, "sgsc/%s.csv.gz", of[k].file);
        read_sgsc(name, &s);
        expect_wh(&s, of[k].wh);
        live_series(of[k].model, name, &s);
    }
}

static void profile_sums_up_to_minutes_of_a_household(void **state)
{
    (void)state;
    struct series s = {.period_s = 60};
    read_uci(&s);
    live_series("AD11A", "uci", &s);
}

static void profile_sums_up_to_half_hours_of_consumers(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 34; k += full ? 1 : 20) {
        char name[16];
        struct series s = {.period_s = HALF_H};
        read_tsrepr(k, &s);
        assert_int_equal(s.n, full ? 672 : 48);
        snprintf(name, sizeof name, "consumer %u", k);
        live_series(model_meter_at(k % 8)->name, name, &s);
    }
}

/* ---- days of 23 and 25 hours ---- */

#define SYDNEY_S 36000
/* 2011-10-02 02:00 local to 2012-04-01 03:00 local */
static const struct oracle_summer sydney_summer = {1317484800, 1333209600};
static const struct oracle_zone sydney = {SYDNEY_S, 1, &sydney_summer};

static void set_clock_attribute(struct rig *r, uint8_t attr, struct bytes value)
{
    const struct apdu_attr a = rig_attr(8, "0-0:1.0.0.255", attr);
    assert_true(rig_set(r, &a, value));
}

/* First Sundays of October, 02:00, and April, 03:00. */
static void move_to_sydney(struct life *l)
{
    static const uint8_t zone[] = {16, 0xFD, 0xA8}, /* -600 */
        begin[] = {9, 12, 0xFF, 0xFF, 10, 1, 7, 2, 0, 0, 0, 0x80, 0, 0},
                         end[] = {9, 12, 0xFF, 0xFF, 4, 1, 7, 3, 0, 0, 0, 0x80, 0, 0};
    assert_true(rig_connect(l->rig, METER_SAP_MANAGER));
    set_clock_attribute(l->rig, 3, (struct bytes){zone, sizeof zone});
    set_clock_attribute(l->rig, 5, (struct bytes){begin, sizeof begin});
    set_clock_attribute(l->rig, 6, (struct bytes){end, sizeof end});
    rig_release(l->rig);
    oracle_zone_set(l->oracle, &sydney);
}

/* Stamps of the source are local; its two zeros of the hour that did not come are left out. */
static void to_utc(struct series *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct reading r = s->reading[i];
        const int64_t standard_s = r.begin_s - SYDNEY_S;
        const bool is_padding =
            standard_s >= sydney_summer.begin_s && standard_s < sydney_summer.begin_s + 3600;
        const bool is_near = llabs(standard_s - sydney_summer.begin_s) < 100000;
        if (is_padding) {
            assert_int_equal(r.import_uwh, 0);
            continue;
        }
        r.begin_s = standard_s - (standard_s >= sydney_summer.begin_s ? 3600 : 0);
        if (full || is_near)
            s->reading[n++] = r;
    }
    s->n = n;
}

/* Local times of the stamps in the table, seconds of their day. */
static int32_t local_of(const struct oracle_seen *row)
{
    return (int32_t)((row->value[0] - row->deviation * INT64_C(60)) % 86400);
}

/* The day that has just ended, read alone. */
static size_t read_day(struct life *l, int64_t begin_s, int64_t end_s)
{
    assert_true(rig_connect(l->rig, METER_SAP_READER_HLS));
    assert_true(oracle_read_columns(l->rig, LP1, &l->t));
    oracle_read_rows(l->rig, LP1, begin_s + 1, end_s, &l->t, MAX_ROWS);
    rig_release(l->rig);
    return l->t.n_rows;
}

/* 00:30, 01:00, 01:30, 03:00 ... 24:00 */
static void check_23_hours(struct life *l)
{
    const int64_t begin_s = sydney_summer.begin_s - 7200;
    assert_int_equal(read_day(l, begin_s, begin_s + 23 * 3600), 46);
    for (size_t i = 0; i < 46; i++) {
        const int32_t begin = (int32_t)(i < 4 ? i : i + 2) * HALF_H;
        const int32_t stamped = i == 3 ? 3 * 3600 : begin + HALF_H;
        assert_int_equal(local_of(&l->t.row[i]), stamped % 86400);
        assert_int_equal(l->t.row[i].deviation, i < 3 ? -600 : -660);
    }
}

static void profile_lives_the_day_of_23_hours_that_a_source_pads(void **state)
{
    (void)state;
    struct series s = {.period_s = HALF_H};
    struct life l;
    bool checked = false;
    read_ausgrid(&s);
    to_utc(&s);
    expect_wh(&s, 7797582 / 2); /* of halves of hours, kW */
    begin(&l, "ST402D", "ausgrid", s.reading[0].begin_s, HALF_H);
    move_to_sydney(&l);
    for (size_t i = 0; i < s.n; i++) {
        assert_int_equal(s.reading[i].begin_s, oracle_now(l.oracle)); /* no hour is missing */
        live(&l, &s.reading[i]);
        idle_until(&l, s.reading[i].begin_s + HALF_H);
        if (i % 1500 == 1499)
            look(&l);
        if (oracle_now(l.oracle) == sydney_summer.begin_s + 86400) {
            check_23_hours(&l);
            checked = true;
        }
    }
    look(&l);
    assert_true(checked);
    print_message("ausgrid: %zu rows; import %.3f, export %.3f kWh\n", l.n_rows,
                  (double)l.fed_uwh[0] / 1e9, (double)l.fed_uwh[1] / 1e9);
    end(&l);
    free(s.reading);
}

/* Quarter k of the day brings k + 1 Wh, so each row tells which it is. */
static void profile_lives_a_day_of_25_hours(void **state)
{
    (void)state;
    const int64_t begin_s = 1792879200; /* 2026-10-25T00:00+02:00 */
    for (size_t m = 0; model_meter_at(m) != NULL; m += full ? 1 : 3) {
        struct life l;
        const int64_t wh = model_meter_at(m)->energy_scaler == -1 ? 10 : 100;
        begin(&l, model_meter_at(m)->name, "own", begin_s, 900);
        for (int64_t k = 0; k < 104; k++) {
            live(&l, &(struct reading){.import_uwh = (k + 1) * 1000000});
            idle_until(&l, begin_s + (k + 1) * 900);
        }
        look(&l);
        assert_int_equal(read_day(&l, begin_s, begin_s + 25 * 3600), 100);
        for (int32_t i = 0; i < 100; i++) {
            const int32_t local = (i + 1) * 900 - (i + 1 >= 12 ? 3600 : 0);
            assert_int_equal(local_of(&l.t.row[i]), local % 86400);
            assert_int_equal(l.t.row[i].deviation, i + 1 < 12 ? -120 : -60);
            assert_int_equal(l.t.row[i].value[6], (i + 1) * wh); /* 1-0:1.29.0 */
        }
        end(&l);
    }
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profile_sums_up_to_half_hours_of_households),
        cmocka_unit_test(profile_sums_up_to_minutes_of_a_household),
        cmocka_unit_test(profile_sums_up_to_half_hours_of_consumers),
        cmocka_unit_test(profile_lives_the_day_of_23_hours_that_a_source_pads),
        cmocka_unit_test(profile_lives_a_day_of_25_hours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
