/* A year of a meter, minute by minute, against an oracle that knows only what went in.
 *
 * The load changes every minute and visits all quadrants; the power goes for seconds and for days,
 * over midnights, month ends and both changes of the clocks; the clock is set within and beyond its
 * limit, forward and back over boundaries. At each month's end a client reads every profile and
 * every log, by range and ciphered, and each cell must be what oracle.c works out. The clock's 23
 * and 25 hours and the leap day are in the year.
 *
 * Without arguments one model for five days around the end of summer time;
 * `full`: all models, the whole year. */
#include "tests/firmware/meter/exact.h"
#include "tests/firmware/meter/oracle_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define LIMIT_S     60
#define CHUNK_S     (10 * 86400) /* of a profile, read at once */
#define MAX_ROWS    20000
#define MAX_ENTRIES 1000 /* of a log */

static bool full;

/* ---- what happens in the year ---- */

enum deed {
    CUT,    /* the supply fails with warning and is back after `by` seconds */
    BREAK,  /* the same without warning */
    STOP,   /* without warning, and the clock's reserve runs out */
    PERIOD, /* load profile 1 gets intervals of `by` seconds */
    RULES,  /* summer time is switched on (1) or off (0) */
    STORM,  /* a parameter is written so often within a minute */
    ADVANCE /* the clock is set by `by` seconds */
};
static const struct happening {
    const char *at; /* UTC */
    enum deed deed;
    int32_t by;
} year[] = {
    {"2028-01-04T10:07:00", CUT, 20},     /* inside an interval */
    {"2028-01-04T11:14:50", CUT, 10},     /* back at its very end */
    {"2028-01-04T13:15:00", BREAK, 40},   /* at the very end of one */
    {"2028-01-05T02:20:37", BREAK, 3600}, /* over several, half a minute unstored */
    {"2028-01-07T12:00:13", ADVANCE, 30}, /* synchronised */
    {"2028-01-08T12:00:13", ADVANCE, -59},
    {"2028-01-09T09:59:40", ADVANCE, 40},   /* silently over a boundary */
    {"2028-01-09T15:00:20", ADVANCE, -40},  /* and back over one */
    {"2028-01-11T12:02:00", ADVANCE, 300},  /* beyond the limit, inside an interval */
    {"2028-01-12T12:02:00", ADVANCE, 1800}, /* over two boundaries */
    {"2028-01-13T12:35:00", ADVANCE, -1200},
    {"2028-01-14T12:35:10", ADVANCE, -7200}, /* two hours come twice */
    {"2028-01-16T12:20:00", ADVANCE, 600},   /* to a boundary */
    {"2028-01-17T12:30:00", ADVANCE, 61},    /* from a boundary */
    {"2028-01-20T22:50:00", CUT, 1800},      /* over midnight */
    {"2028-01-31T22:31:00", BREAK, 9600},    /* over the month's end */
    {"2028-02-28T22:58:30", CUT, 200},       /* into the leap day */
    {"2028-02-29T12:00:00", BREAK, 86400},   /* out of it */
    {"2028-03-10T22:58:00", ADVANCE, 300},   /* over midnight */
    {"2028-03-11T23:02:00", ADVANCE, -300},  /* and back over one */
    {"2028-03-26T00:40:00", CUT, 5400},      /* over the beginning of summer time */
    {"2028-03-31T21:59:00", ADVANCE, 120},   /* over a month's end */
    {"2028-04-30T22:01:00", ADVANCE, -180},  /* back over one */
    {"2028-05-02T08:00:00", CUT, 259200},    /* three days */
    {"2028-06-15T03:14:15", BREAK, 1},
    {"2028-06-15T03:15:30", BREAK, 1}, /* twice in an interval */
    {"2028-06-15T03:16:45", CUT, 1},
    {"2028-06-15T03:29:59", CUT, 2},
    {"2028-07-01T07:07:07", CUT, 7},
    {"2028-07-01T07:08:00", STORM, 30},
    {"2028-07-30T12:00:00", CUT, 4 * 86400}, /* over a whole month's end */
    {"2028-08-10T10:07:00", PERIOD, 1800},   /* inside an interval */
    {"2028-08-20T10:30:00", PERIOD, 900},
    {"2028-08-25T12:00:00", RULES, 0}, /* midnight is an hour later */
    {"2028-08-28T22:30:00", RULES, 1}, /* and was half an hour ago */
    {"2028-10-26T10:00:10", ADVANCE, 20},
    {"2028-10-27T08:16:30", BREAK, 250},
    {"2028-10-29T00:20:00", CUT, 3600}, /* over the end of summer time */
    {"2028-10-30T12:00:00", ADVANCE, -90},
    {"2028-11-11T11:11:11", ADVANCE, 86400}, /* a day forward */
    {"2028-11-13T11:11:11", ADVANCE, -86400},
    {"2028-12-01T05:05:30", STOP, 900000},
    {"2028-12-01T06:44:10", BREAK, 3000}, /* invalid still */
    {"2028-12-02T05:05:05", ADVANCE, 950000},
};

/* ---- a life ---- */

struct life {
    struct rig *rig;
    struct oracle *oracle;
    const struct model_meter *model;
    uint64_t random;
    size_t next;               /* happening */
    uint64_t stored[ORACLE_N]; /* a minute ago at most: what cannot be lost */
    uint32_t unstored_s;
    size_t n_rows, n_cells, n_entries, n_cuts, n_sets, n_unknown;
};

static uint32_t draw(struct life *l, uint32_t n)
{
    l->random = l->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(l->random >> 33) % n;
}

/* Of a phase; nothing, or more than creeping. */
static int64_t some(struct life *l, int64_t least, int64_t most)
{
    if (draw(l, 5) == 0)
        return 0;
    const int64_t x = least + (int64_t)draw(l, 1000000) * (most - least) / 1000000;
    return draw(l, 4) == 0 ? -x : x;
}

static void live(struct life *l, uint32_t seconds)
{
    struct exact_load load = {.seconds = seconds};
    const int64_t least = exact_least_uwh(l->model, seconds);
    const int64_t most = (int64_t)l->model->un_mv * l->model->imax_ma / 7200 * seconds;
    int64_t p = 0, q = 0, s = 0;
    for (unsigned k = 0; k < l->model->n_phases; k++)
        load.phase[k] =
            (struct exact_phase){.p_uwh = some(l, least, most), .q_uwh = some(l, least, most / 3)};
    const struct legal_window w = exact_window(l->model, &load);
    for (unsigned k = 0; k < l->model->n_phases; k++) {
        p += load.phase[k].p_uwh;
        q += load.phase[k].q_uwh;
        s += load.phase[k].s_uwh;
    }
    assert_int_equal(meter_window(&l->rig->meter, &w), ERR_OK);
    oracle_window(l->oracle, seconds, p, q, s);
    l->unstored_s += seconds;
    if (oracle_now(l->oracle) % 60 == 0) { /* a row or not, the minute is stored by now */
        for (unsigned e = 0; e < ORACLE_N; e++)
            l->stored[e] = oracle_sum(l->oracle, e);
        l->unstored_s = 0;
    }
}

/* To an instant of the meter's clock, windows ending at its minutes. */
static void live_until(struct life *l, int64_t utc_s)
{
    for (int64_t now = oracle_now(l->oracle); now < utc_s; now = oracle_now(l->oracle)) {
        const int64_t to = now - now % 60 + 60;
        live(l, (uint32_t)((to < utc_s ? to : utc_s) - now));
    }
    assert_int_equal(meter_now_s(&l->rig->meter), oracle_now(l->oracle));
}

static void cut(struct life *l, enum deed deed, int64_t gap_s)
{
    struct legal_energies before, after;
    uint64_t lost[ORACLE_N];
    legal_energies_get(&l->rig->meter.legal, &before);
    const bool warned = deed == CUT;
    if (warned)
        assert_int_equal(meter_power_fail(&l->rig->meter), ERR_OK);
    l->rig->config.crystal_lost = deed == STOP;
    assert_int_equal(rig_power_up(l->rig, gap_s), ERR_OK);
    l->rig->config.crystal_lost = false;
    legal_energies_get(&l->rig->meter.legal, &after);
    for (unsigned e = 0; e < ORACLE_N; e++) {
        lost[e] = before.total[e] - after.total[e];
        assert_true(after.total[e] >= l->stored[e] && after.total[e] <= before.total[e]);
        assert_true(!warned || lost[e] == 0);
        l->stored[e] = after.total[e];
    }
    if (deed == STOP)
        oracle_stop(l->oracle, lost, l->unstored_s);
    else
        oracle_cut(l->oracle, gap_s, lost, warned ? 0 : l->unstored_s);
    l->unstored_s = 0;
    l->n_cuts++;
}

static void write(struct life *l, struct apdu_attr a, const uint8_t *value, size_t n)
{
    assert_true(rig_connect(l->rig, METER_SAP_MANAGER));
    assert_true(rig_set(l->rig, &a, (struct bytes){value, n}));
    rig_release(l->rig);
}

static void set_period(struct life *l, uint32_t period_s)
{
    uint8_t value[8];
    struct wr w = wr_of(value, sizeof value);
    axdr_put_u32(&w, period_s);
    write(l, rig_attr(7, "1-0:99.1.0.255", 4), value, w.len);
    oracle_period(l->oracle, MODEL_LP1, period_s);
    oracle_event(l->oracle, MODEL_EVENT_PROFILE_CLEARED);
    oracle_event(l->oracle, MODEL_EVENT_PARAMETER_CHANGED);
}

static void set_rules(struct life *l, bool on)
{
    static const struct oracle_zone winter = {.ahead_s = 3600};
    uint8_t value[8];
    struct wr w = wr_of(value, sizeof value);
    axdr_put_bool(&w, on);
    write(l, rig_attr(8, "0-0:1.0.0.255", 8), value, w.len);
    oracle_zone_set(l->oracle, on ? &oracle_europe : &winter);
    oracle_event(l->oracle, MODEL_EVENT_PARAMETER_CHANGED);
}

static void set_clock(struct life *l, int64_t to_s)
{
    uint8_t value[16];
    struct wr w = wr_of(value, sizeof value);
    struct datetime d = datetime_from_utc(to_s, -60, 0);
    datetime_put(&w, &d);
    write(l, rig_attr(8, "0-0:1.0.0.255", 2), value, w.len);
    oracle_set_clock(l->oracle, to_s, LIMIT_S);
    l->n_sets++;
}

/* What repeats is entered a few times, then once as left out; no restart forgets that. */
static void storm(struct life *l, int n)
{
    for (int k = 0; k < n; k++) {
        assert_int_equal(meter_shift_limit(&l->rig->meter, LIMIT_S), ERR_OK);
        if (k < METER_LOG_BURST)
            oracle_event(l->oracle, MODEL_EVENT_PARAMETER_CHANGED);
        if (k == METER_LOG_BURST)
            oracle_left_out(l->oracle, MODEL_EVENT_PARAMETER_CHANGED);
    }
}

static void happen(struct life *l, const struct happening *h)
{
    if (h->deed == ADVANCE)
        set_clock(l, oracle_now(l->oracle) + h->by);
    else if (h->deed == PERIOD)
        set_period(l, (uint32_t)h->by);
    else if (h->deed == RULES)
        set_rules(l, h->by != 0);
    else if (h->deed == STORM)
        storm(l, h->by);
    else
        cut(l, h->deed, h->by);
}

/* ---- reading ---- */

static const char *const names[MODEL_N_PROFILES] = {
    [MODEL_LP1] = "1-0:99.1.0.255",    [MODEL_LP2] = "1-0:99.2.0.255",
    [MODEL_LP3] = "1-0:99.1.1.255",    [MODEL_LP4] = "1-0:99.1.2.255",
    [MODEL_MBUS_1] = "0-1:24.3.0.255", [MODEL_MBUS_2] = "0-2:24.3.0.255",
    [MODEL_MBUS_3] = "0-3:24.3.0.255", [MODEL_MBUS_4] = "0-4:24.3.0.255",
    [MODEL_DAILY] = "1-0:98.2.0.255",  [MODEL_MONTHLY] = "0-0:98.1.0.255",
};

static void check_profile(struct life *l, unsigned profile, int64_t from_s, int64_t to_s)
{
    char words[200] = "";
    size_t unknown;
    struct oracle_table t = {.row = calloc(MAX_ROWS, sizeof *t.row)};
    assert_non_null(t.row);
    assert_true(oracle_read_columns(l->rig, names[profile], &t));
    for (int64_t at = from_s; at <= to_s; at += CHUNK_S) {
        const int64_t end = at + CHUNK_S - 1 < to_s ? at + CHUNK_S - 1 : to_s;
        oracle_read_rows(l->rig, names[profile], at, end, &t, MAX_ROWS);
        if (oracle_compare(l->oracle, profile, at, end, &t, words, sizeof words, &unknown) != 0)
            fail_msg("%s, %s: %s", l->model->name, names[profile], words);
        l->n_rows += t.n_rows;
        l->n_cells += t.n_rows * (t.n_columns - unknown);
    }
    l->n_unknown += unknown;
    free(t.row);
}

static void check_log(struct life *l, unsigned log, const char *obis)
{
    char words[200] = "";
    struct oracle_table t = {.row = calloc(MAX_ENTRIES, sizeof *t.row)};
    assert_non_null(t.row);
    assert_true(oracle_read_columns(l->rig, obis, &t));
    oracle_read_rows(l->rig, obis, 0, INT32_MAX, &t, MAX_ENTRIES);
    if (oracle_compare_log(l->oracle, log, &t, words, sizeof words) != 0)
        fail_msg("%s, %s: %s", l->model->name, obis, words);
    l->n_entries += t.n_rows;
    free(t.row);
}

static void check_logs(struct life *l)
{
    char obis[32];
    for (unsigned e = 0; e < MODEL_LOG_CODES; e++) {
        const unsigned log = model_log_at(l->model, e);
        snprintf(obis, sizeof obis, "0-0:99.98.%u.255", e);
        if (log < MODEL_N_LOGS)
            check_log(l, log, obis);
    }
    if (l->model->log_depth[MODEL_LOG_OUTAGE] > 0)
        check_log(l, MODEL_LOG_OUTAGE, "1-0:99.97.0.255");
}

static void is_value(struct life *l, uint16_t class_id, unsigned e, uint32_t want)
{
    char obis[32];
    snprintf(obis, sizeof obis, "0-0:96.7.%u.255", e);
    const struct apdu_attr a = rig_attr(class_id, obis, 2);
    assert_true(rig_get(l->rig, &a));
    struct rd r = rd_of(l->rig->answer, l->rig->answer_len);
    const uint64_t value = axdr_get_uint(&r);
    if (r.err || value != want)
        fail_msg("%s, %s: the meter says %llu, the oracle %u", l->model->name, obis,
                 (unsigned long long)value, want);
}

/* Of the connection, of its first phase, of any phase. */
static void check_outages(struct life *l)
{
    const struct oracle_outages want = oracle_outages(l->oracle);
    static const unsigned all[] = {0, 1, 21}, longs[] = {5, 6, 9}, last[] = {15, 16, 19};
    for (size_t k = 0; k < 3; k++) {
        if (k == 1 && l->model->n_phases == 1)
            continue;
        is_value(l, 1, all[k], want.n);
        is_value(l, 1, longs[k], want.n_long);
        is_value(l, 3, last[k], want.last_long_s);
    }
    is_value(l, 1, 129, want.n - want.n_long);
    is_value(l, 3, 128, want.off_s);
}

/* Everything with stamps after from_s up to now. */
static void check_all(struct life *l, int64_t from_s)
{
    assert_true(rig_connect(l->rig, METER_SAP_READER_HLS));
    for (unsigned k = 0; k < MODEL_N_PROFILES; k++) {
        if (l->model->profile[k].n_values > 0)
            check_profile(l, k, from_s + 1, oracle_now(l->oracle));
    }
    check_logs(l);
    check_outages(l);
    rig_release(l->rig);
}

/* ---- the year ---- */

/* The load is no good neighbour: what supervises it would fill the logs. */
static void look_away(struct life *l)
{
    static const enum pq_kind of[] = {PQ_REVERSED_CURRENT, PQ_UNBALANCE_I, PQ_OVER_CURRENT};
    for (size_t k = 0; k < sizeof of / sizeof of[0]; k++) {
        assert_int_equal(
            meter_limit_set(&l->rig->meter, METER_SAP_MANAGER, of[k], METER_LIMIT_ON, 0), ERR_OK);
        oracle_event(l->oracle, MODEL_EVENT_PARAMETER_CHANGED);
    }
}

static struct life *begin(const char *model, const char *start)
{
    struct life *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->rig = exact_rig(model, start);
    l->model = l->rig->config.model;
    l->oracle = oracle_new(l->model, rig_time(start));
    while (rig_time(year[l->next].at) < rig_time(start))
        l->next++;
    look_away(l);
    return l;
}

static void end(struct life *l)
{
    oracle_free(l->oracle);
    rig_free(l->rig);
    free(l);
}

/* Next, by the meter's clock: a happening or a month's end, whichever is first. */
static void go_on(struct life *l, int64_t to_s)
{
    while (l->next < sizeof year / sizeof year[0] && rig_time(year[l->next].at) < to_s) {
        live_until(l, rig_time(year[l->next].at));
        happen(l, &year[l->next++]);
    }
    /* an outage that is over counts with the first values after it */
    const int64_t now = oracle_now(l->oracle), minute = now - now % 60 + 60;
    live_until(l, to_s > now ? to_s : minute);
}

static void live_year(const char *model, const char *from, const char *to)
{
    struct life *l = begin(model, from);
    const clock_t began = clock();
    int64_t read_s = rig_time(from);
    while (oracle_now(l->oracle) < rig_time(to)) {
        int64_t month_s = oracle_month(&oracle_europe, oracle_now(l->oracle)) + 600;
        go_on(l, month_s < rig_time(to) ? month_s : rig_time(to));
        check_all(l, read_s);
        read_s = oracle_now(l->oracle);
    }
    print_message("%s: %zu rows, %zu cells, %zu entries as worked out; %zu cuts, clock set %zu "
                  "times; %.1f s\n",
                  model, l->n_rows, l->n_cells, l->n_entries, l->n_cuts, l->n_sets,
                  (double)(clock() - began) / CLOCKS_PER_SEC);
    end(l);
}

static void meter_holds_what_the_oracle_works_out(void **state)
{
    (void)state;
    if (!full) {
        live_year("ST402D", "2028-10-25T22:00:00", "2028-10-30T23:00:00");
        return;
    }
    for (size_t k = 0; model_meter_at(k) != NULL; k++)
        live_year(model_meter_at(k)->name, "2027-12-31T23:00:00", "2028-12-31T23:10:00");
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_holds_what_the_oracle_works_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
