/* The oracle of the meter's year can fail: each change of an input and each damage of a table is
 * found, and its calendar is that of the C library's time zones. */
#include "tests/firmware/meter/oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define START INT64_C(1792886400) /* 2026-10-24T22:40:00 + 2400: 2026-10-25T00:00 UTC */

/* ---- a day to look at: three cuts, three settings, the end of summer time in it ---- */

enum mutant {
    NONE,
    MORE_ENERGY, /* one window brings a register unit more */
    OTHER_SIGN,  /* one window is export */
    OTHER_QUADRANT,
    LONGER_CUT, /* back a second later: at a boundary instead of before it */
    NO_CUT,
    LATER_CUT, /* a second later: past the boundary */
    LOST_ENERGY,
    FARTHER, /* the clock is set a second further than the limit */
    NO_SETTING,
    N_MUTANTS
};

static void minutes(struct oracle *o, unsigned n, int64_t p, int64_t q)
{
    for (unsigned k = 0; k < n; k++)
        oracle_window(o, 60, p, q, 2 * llabs(p));
}

/* To the end of the running minute. */
static void rest_of_minute(struct oracle *o)
{
    oracle_window(o, (uint32_t)(60 - oracle_now(o) % 60), 700000, 100000, 800000);
}

static struct oracle *day(enum mutant x)
{
    static const uint64_t lost[ORACLE_N] = {[ORACLE_A_IMPORT] = 100000};
    struct oracle *o = oracle_new(model_meter_find("ST402D"), START);
    minutes(o, 50, 800000, 300000);
    oracle_window(o, 60, (x == OTHER_SIGN ? -1 : 1) * (x == MORE_ENERGY ? 900000 : 800000),
                  (x == OTHER_QUADRANT ? -1 : 1) * 300000, 1600000);
    minutes(o, 8, 800000, 300000);
    oracle_window(o, 40, 500000, 0, 500000); /* 00:59:40 */
    if (x != NO_CUT)
        oracle_cut(o, x == LONGER_CUT ? 20 : 19, x == LOST_ENERGY ? lost : NULL, 0);
    if (oracle_now(o) % 60 != 0)
        rest_of_minute(o);
    minutes(o, 20, -400000, 200000);
    minutes(o, 9, 400000, -200000);
    oracle_window(o, x == LATER_CUT ? 60 : 59, 400000, 0, 400000);
    oracle_cut(o, 7200, NULL, 0);
    rest_of_minute(o);
    minutes(o, 33, 123000, 456000);
    if (x != NO_SETTING)
        oracle_set_clock(o, oracle_now(o) + (x == FARTHER ? 61 : 60), 60);
    rest_of_minute(o);
    minutes(o, 100, 650000, 0);
    return o;
}

/* The table a faultless meter would show. */
static void tell(const struct oracle *o, struct oracle_table *t)
{
    static const struct oracle_column columns[] = {
        {8, {0, 0, 1, 0, 0, 255}, 2},  {1, {0, 0, 96, 10, 1, 255}, 2}, {3, {1, 0, 1, 8, 0, 255}, 2},
        {3, {1, 0, 2, 8, 0, 255}, 2},  {3, {1, 0, 3, 8, 0, 255}, 2},   {3, {1, 0, 4, 8, 0, 255}, 2},
        {3, {1, 0, 1, 29, 0, 255}, 2}, {3, {1, 0, 9, 8, 0, 255}, 2}};
    struct oracle_row *rows;
    *t = (struct oracle_table){.n_columns = sizeof columns / sizeof columns[0]};
    memcpy(t->column, columns, sizeof columns);
    t->n_rows = oracle_rows(o, MODEL_LP1, &rows);
    t->row = calloc(t->n_rows + 1, sizeof *t->row);
    assert_non_null(t->row);
    for (size_t i = 0; i < t->n_rows; i++) {
        for (size_t c = 0; c < t->n_columns; c++)
            assert_true(oracle_value(o, &columns[c], &rows[i], &t->row[i].value[c]));
        t->row[i].deviation = rows[i].deviation;
        t->row[i].clock_status = rows[i].clock_status;
    }
    free(rows);
}

static size_t differences(const struct oracle *o, const struct oracle_table *t)
{
    char words[200];
    return oracle_compare(o, MODEL_LP1, 0, INT64_MAX, t, words, sizeof words, NULL);
}

static void oracle_finds_every_changed_input(void **state)
{
    (void)state;
    struct oracle_table t;
    struct oracle *right = day(NONE);
    tell(right, &t);
    assert_int_equal(differences(right, &t), 0);
    for (enum mutant x = NONE + 1; x < N_MUTANTS; x++) {
        struct oracle *wrong = day(x);
        if (differences(wrong, &t) == 0)
            fail_msg("mutant %d lives", (int)x);
        oracle_free(wrong);
    }
    free(t.row);
    oracle_free(right);
}

static void oracle_finds_every_damage_of_a_table(void **state)
{
    (void)state;
    struct oracle_table t;
    struct oracle *o = day(NONE);
    tell(o, &t);
    for (size_t i = 0; i < t.n_rows; i++) {
        const struct oracle_seen kept = t.row[i];
        for (size_t c = 0; c < t.n_columns; c++) {
            t.row[i].value[c]++;
            assert_int_equal(differences(o, &t), 1);
            t.row[i] = kept;
            t.row[i].null[c] = true;
            assert_int_equal(differences(o, &t), 1);
            t.row[i] = kept;
        }
        t.row[i].deviation += 60;
        assert_int_equal(differences(o, &t), 1);
        t.row[i] = kept;
        t.row[i].clock_status ^= 0x80;
        assert_int_equal(differences(o, &t), 1);
        t.row[i] = kept;
    }
    free(t.row);
    oracle_free(o);
}

static void oracle_finds_rows_dropped_doubled_and_swapped(void **state)
{
    (void)state;
    struct oracle_table t;
    struct oracle *o = day(NONE);
    tell(o, &t);
    const size_t n = t.n_rows;
    struct oracle_seen *kept = calloc(n + 1, sizeof *kept);
    assert_non_null(kept);
    memcpy(kept, t.row, n * sizeof *kept);
    for (size_t i = 0; i < n; i++) {
        t.n_rows = n - 1; /* dropped */
        memmove(t.row + i, t.row + i + 1, (n - 1 - i) * sizeof *t.row);
        assert_true(differences(o, &t) > 0);
        t.n_rows = n + 1; /* twice */
        memcpy(t.row, kept, (i + 1) * sizeof *kept);
        memcpy(t.row + i + 1, kept + i, (n - i) * sizeof *kept);
        assert_true(differences(o, &t) > 0);
        memcpy(t.row, kept, n * sizeof *kept);
        t.n_rows = n;
        if (i > 0) {
            t.row[i] = kept[i - 1];
            t.row[i - 1] = kept[i];
            assert_true(differences(o, &t) > 0);
            memcpy(t.row, kept, n * sizeof *kept);
        }
    }
    assert_int_equal(differences(o, &t), 0);
    free(kept);
    free(t.row);
    oracle_free(o);
}

/* ---- logs ---- */

static void tell_log(const struct oracle *o, unsigned log, struct oracle_table *t)
{
    struct oracle_entry *entry;
    *t = (struct oracle_table){.n_columns = 2};
    t->n_rows = oracle_entries(o, log, &entry);
    t->row = calloc(t->n_rows + 1, sizeof *t->row);
    assert_non_null(t->row);
    for (size_t i = 0; i < t->n_rows; i++) {
        t->row[i].value[0] = entry[i].utc_s;
        t->row[i].value[1] = entry[i].value;
        t->row[i].clock_status = entry[i].clock_status;
    }
    free(entry);
}

static size_t log_differences(const struct oracle *o, unsigned log, const struct oracle_table *t)
{
    char words[200];
    return oracle_compare_log(o, log, t, words, sizeof words);
}

static void oracle_finds_changes_of_a_log(void **state)
{
    (void)state;
    static const unsigned logs[] = {MODEL_LOG_STANDARD, MODEL_LOG_OUTAGE};
    static const size_t entries[] = {5, 1}; /* two cuts, the end of summer time; one of them long */
    struct oracle *o = day(NO_SETTING), *later = day(LATER_CUT);
    for (size_t k = 0; k < 2; k++) {
        struct oracle_table t;
        tell_log(o, logs[k], &t);
        assert_int_equal(t.n_rows, entries[k]);
        assert_int_equal(log_differences(o, logs[k], &t), 0);
        for (size_t i = 0; i < t.n_rows; i++) {
            t.row[i].value[0]++;
            assert_int_equal(log_differences(o, logs[k], &t), 1);
            t.row[i].value[0]--;
            t.row[i].value[1] ^= 1;
            assert_int_equal(log_differences(o, logs[k], &t), 1);
            t.row[i].value[1] ^= 1;
        }
        t.n_rows--;
        assert_int_equal(log_differences(o, logs[k], &t), 1);
        t.n_rows += 2;
        assert_true(log_differences(o, logs[k], &t) > 0);
        t.n_rows--;
        assert_true(log_differences(later, logs[k], &t) > 0);
        free(t.row);
    }
    oracle_free(later);
    oracle_free(o);
}

/* ---- rows by hand: the rules of docs/TIME.md, one day each ---- */

struct by_hand {
    int32_t at_s; /* of the stamp, from the start */
    uint8_t status;
};

static void rows_are(const struct oracle *o, const struct by_hand *want, size_t n)
{
    struct oracle_row *rows;
    assert_int_equal(oracle_rows(o, MODEL_LP1, &rows), n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(rows[i].utc_s - START, want[i].at_s);
        assert_int_equal(rows[i].status, want[i].status);
    }
    free(rows);
}

static void oracle_marks_the_intervals_of_a_cut(void **state)
{
    (void)state;
    static const struct by_hand rows[] = {{900, 0x08},
                                          {1800, 0x08 | 0x80}, /* down at 20, */
                                          {4500, 0x80},        /* up at 70 minutes; summer ended */
                                          {5400, 0}};
    struct oracle *o = oracle_new(model_meter_find("ST402D"), START);
    minutes(o, 20, 1000, 0);
    oracle_cut(o, 50 * 60, NULL, 0);
    minutes(o, 20, 1000, 0);
    rows_are(o, rows, sizeof rows / sizeof rows[0]);
    oracle_free(o);
}

static void oracle_marks_the_intervals_of_a_setting(void **state)
{
    (void)state;
    static const struct by_hand rows[] = {{900, 0x08},  {1800, 0x28}, /* at 20 minutes, to 50; */
                                          {3600, 0x20}, /* at 65 minutes, back to 35 */
                                          {4500, 0x20}, {2700, 0x28}, {3600, 0}};
    struct oracle *o = oracle_new(model_meter_find("ST402D"), START);
    minutes(o, 20, 1000, 0);
    oracle_set_clock(o, START + 50 * 60, 60);
    minutes(o, 15, 1000, 0);
    oracle_set_clock(o, START + 35 * 60, 60);
    minutes(o, 25, 1000, 0);
    rows_are(o, rows, sizeof rows / sizeof rows[0]);
    oracle_free(o);
}

/* ---- the calendar ---- */

static void oracle_has_the_calendar_of_the_library(void **state)
{
    (void)state;
    struct tm t;
    const time_t july = 1783900800;
    setenv("TZ", "Europe/Ljubljana", 1);
    tzset();
    localtime_r(&july, &t);
    if (t.tm_isdst <= 0) {
        print_message("no time zones on this machine\n");
        skip();
    }
    for (time_t s = 1167609600; s < 2051222400; s += 1800) { /* 2007 .. 2034 */
        localtime_r(&s, &t);
        assert_int_equal(oracle_is_summer(&oracle_europe, s), t.tm_isdst > 0);
        const time_t before = s - 1;
        if (t.tm_hour == 0 && t.tm_min == 0)
            assert_int_equal(oracle_midnight(&oracle_europe, before), s);
        if (t.tm_hour == 0 && t.tm_min == 0 && t.tm_mday == 1)
            assert_int_equal(oracle_month(&oracle_europe, before), s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(oracle_finds_every_changed_input),
        cmocka_unit_test(oracle_finds_every_damage_of_a_table),
        cmocka_unit_test(oracle_finds_rows_dropped_doubled_and_swapped),
        cmocka_unit_test(oracle_finds_changes_of_a_log),
        cmocka_unit_test(oracle_marks_the_intervals_of_a_cut),
        cmocka_unit_test(oracle_marks_the_intervals_of_a_setting),
        cmocka_unit_test(oracle_has_the_calendar_of_the_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
