/* Outages of the link against the depth of the load profile: what fits is filled completely, what
 * does not loses exactly the intervals that the meter has overwritten, and the days say so.
 *
 * The head-end runs on while the meter cannot be reached; the meter lives on, at window level. The
 * three depths are those of the eight models: 144 days of hours, 100 and 63 days of quarters. Power
 * cuts lie in each life, too, as the meter is another process after each outage.
 *
 * `full` tries all three (SYS-DEPTH); else one meter is told to keep 12 days of five minutes. */
#include "tests/system/answers.h"
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/civil.h"

#define DAY     86400
#define BEGIN_S INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define EARLY   2                   /* days before the first outage */
#define LOST    3                   /* days by which the second is too long */

struct depth {
    const char *model;
    unsigned days, period_s;
};

struct life {
    const struct depth *of;
    struct meter_process m;
    struct head_end h;
    int64_t id, now_s;
};

static int enter(void **state)
{
    (void)state;
    folder_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    folder_leave();
    return 0;
}

/* ---- life ---- */

/* The meter comes up with `days` more behind it, and then stands still. It serves while it lives
 * them, so those of an outage pass at a port that nobody knows (0). */
static void meter_up(struct life *l, unsigned port, unsigned days)
{
    char at[32], start[40], past[16];
    const struct civil c = civil_from_seconds(l->now_s);
    snprintf(start, sizeof start, "%04d-%02u-%02uT%02u:00:00Z", (int)c.year, c.month, c.day,
             c.hour);
    snprintf(at, sizeof at, "127.0.0.1:%u", port);
    snprintf(past, sizeof past, "%ud", days);
    meter_start(&l->m, "--model", l->of->model, "--listen", at, "--level", "window", "--flash",
                "flash", "--keys", "keys", "--start", start, "--fast-forward", past, "--speed", "0",
                NULL);
    l->now_s += (int64_t)days * DAY;
}

static void tell(struct life *l, const char *attribute, unsigned number)
{
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    struct outcome o = ferraris("write", SECURE, l->m.url, attribute, "u32", text, NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
}

/* The first two days, read. */
static void life_begin(struct life *l, const struct depth *of)
{
    memset(l, 0, sizeof *l);
    l->of = of;
    l->now_s = BEGIN_S;
    meter_up(l, 0, 0);
    tell(l, "1-0:99.1.0.255:4", of->period_s);
    tell(l, "1-0:99.1.0.255:8", of->days * (DAY / of->period_s));
    meter_stop(&l->m);
    meter_up(l, 0, EARLY);
    head_end_start(&l->h, "data", NULL);
    l->id = head_end_add(&l->h, of->model, l->m.url, "keys", NULL);
    head_end_await(&l->h, l->id);
}

/* The head-end finds nobody, and says so. */
static void await_silence(struct life *l)
{
    const time_t end = time(NULL) + PROCESS_PATIENCE_S;
    bool gone = false;
    while (!gone && time(NULL) < end) {
        head_end_read(&l->h, l->id);
        usleep(50000);
        json_t *meter = head_end_meter(&l->h, l->id);
        gone = !json_is_true(json_object_get(meter, "up_to_date")) &&
               json_integer_value(json_object_get(meter, "n_failed")) > 0;
        json_decref(meter);
    }
    assert_true(gone);
}

/* The link is down for so many days; returns when everything is read again. */
static void outage(struct life *l, unsigned days)
{
    const unsigned port = l->m.port;
    meter_stop(&l->m);
    await_silence(l);
    meter_up(l, 0, days);
    meter_stop(&l->m);
    meter_up(l, port, 0);
    head_end_read(&l->h, l->id);
    head_end_await(&l->h, l->id);
}

static void life_end(struct life *l)
{
    head_end_stop(&l->h);
    meter_stop(&l->m);
    struct outcome o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
    assert_int_equal(system("rm -rf data keys* flash*"), 0);
}

/* ---- what is there ---- */

/* Stamps that the head-end must have in from_s..to_s, both included: all but lost_from..lost_to. */
struct expected {
    int64_t from_s, to_s, lost_from_s, lost_to_s;
    unsigned period_s;
};

static bool is_lost(const struct expected *e, int64_t t)
{
    return t >= e->lost_from_s && t <= e->lost_to_s;
}

/* Each stamp once, none invented. */
static void check_stamps(const struct expected *e, const json_t *profile)
{
    const json_t *stamps = json_object_get(profile, "t");
    size_t i = 0;
    for (int64_t t = e->from_s; t <= e->to_s; t += e->period_s) {
        if (is_lost(e, t))
            continue;
        if (json_integer_value(json_array_get(stamps, i)) != t)
            fail_msg("row %zu is of %lld, not of %lld", i,
                     (long long)json_integer_value(json_array_get(stamps, i)), (long long)t);
        i++;
    }
    assert_int_equal(json_array_size(stamps), i);
}

static unsigned rows_of_day(const struct expected *e, int64_t day_s)
{
    unsigned n = 0;
    for (int64_t t = day_s; t < day_s + DAY; t += e->period_s)
        n += t >= e->from_s && t <= e->to_s && !is_lost(e, t);
    return n;
}

/* Every day from the first to the last says how many rows it has and how many it should have. Gives
 * the number of days that lack some. */
static unsigned check_days(const struct expected *e, const json_t *days)
{
    const json_t *list = json_object_get(days, "days");
    const int64_t first_s = e->from_s - e->from_s % DAY;
    unsigned n_short = 0;
    size_t i = 0;
    for (int64_t day_s = first_s; day_s <= e->to_s; day_s += DAY, i++) {
        const json_t *day = json_array_get(list, i);
        const int64_t n = json_integer_value(json_object_get(day, "n_rows"));
        const struct civil c = civil_from_seconds(day_s);
        char name[32];
        snprintf(name, sizeof name, "%04d-%02u-%02u", (int)c.year, c.month, c.day);
        assert_string_equal(json_string_value(json_object_get(day, "day")), name);
        assert_int_equal(json_integer_value(json_object_get(day, "n_expected")), DAY / e->period_s);
        assert_int_equal(n, rows_of_day(e, day_s));
        n_short += n < DAY / (int64_t)e->period_s;
    }
    assert_int_equal(json_array_size(list), i);
    return n_short;
}

/* The newest rows are the meter's, all that it still has; gives their number. */
static size_t check_newest(const json_t *told, const json_t *profile)
{
    const size_t n = json_array_size(told_rows(told));
    const size_t have = json_array_size(json_object_get(profile, "t"));
    assert_true(have >= n);
    for (size_t k = 0; k < n; k++)
        head_end_row_is(profile, have - n + k, told, k);
    return n;
}

/* ---- the two outages ---- */

static void try_depth(const struct depth *of)
{
    struct life l;
    const size_t per_day = DAY / of->period_s, depth = of->days * per_day;
    life_begin(&l, of);
    const int64_t end_1 = l.now_s;
    struct expected e = {
        .from_s = BEGIN_S + of->period_s, .lost_from_s = INT64_MAX, .period_s = of->period_s};

    outage(&l, of->days - 1); /* shorter */
    e.to_s = l.now_s;
    json_t *told = told_profile(l.m.url), *profile = head_end_profile(&l.h, l.id),
           *days = head_end_days(&l.h, l.id);
    assert_int_equal(check_newest(told, profile), depth);
    assert_true(told_stamp(told, 0) <= end_1 + of->period_s); /* all of the outage */
    check_stamps(&e, profile);
    (void)check_days(&e, days);
    json_decref(days);
    json_decref(told);

    const int64_t end_2 = l.now_s;
    outage(&l, of->days + LOST); /* longer */
    e.to_s = l.now_s;
    e.lost_from_s = end_2 + of->period_s;
    e.lost_to_s = end_2 + LOST * DAY;
    json_t *after = head_end_profile(&l.h, l.id);
    told = told_profile(l.m.url);
    days = head_end_days(&l.h, l.id);
    assert_int_equal(check_newest(told, after), depth);
    assert_int_equal(told_stamp(told, 0), e.lost_to_s + of->period_s); /* what was overwritten */
    check_stamps(&e, after);
    (void)head_end_still_told(profile, after); /* what was read before stays */
    const unsigned n_short = check_days(&e, days);
    /* those, the one they begin in, and the first and last of all */
    assert_int_equal(n_short, LOST + 3);
    print_message("%s: %zu rows kept, %zu read after %u days, %u lost\n", of->model, depth,
                  json_array_size(json_object_get(after, "t")), of->days + LOST,
                  (unsigned)(LOST * per_day));
    json_decref(days);
    json_decref(told);
    json_decref(after);
    json_decref(profile);
    life_end(&l);
}

static const struct depth depths[] = {
    {"AD13A", 63, 900}, {"ST402D", 100, 900}, {"MT371", 144, 3600}};

static void claim_SYS_DEPTH(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof depths / sizeof depths[0]; k++)
        try_depth(&depths[k]);
}

/* 3456 rows of a meter that has one load profile. */
static void headend_fills_what_a_profile_of_twelve_days_holds(void **state)
{
    static const struct depth brief = {"SM307", 12, 300};
    (void)state;
    try_depth(&brief);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest all[] = {cmocka_unit_test(claim_SYS_DEPTH)};
    const struct CMUnitTest one[] = {
        cmocka_unit_test(headend_fills_what_a_profile_of_twelve_days_holds)};
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        return cmocka_run_group_tests_name("claims_headend_depth", all, enter, leave);
    return cmocka_run_group_tests_name("headend_depth", one, enter, leave);
}
