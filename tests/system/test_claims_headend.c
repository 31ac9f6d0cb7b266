/* Rows of the ledger about the head-end, each tried on the real executables: a relational database
 * that others query, web services, IPv4 and IPv6, nothing outside the premises.
 *
 * In the form that this slice has: SQLite in the process (PostgreSQL is not there yet), DLMS over
 * TCP.
 */
#define _GNU_SOURCE /* unshare */
#include "tests/system/answers.h"
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <net/if.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* A meter with a day behind it, standing still, and a head-end that has read it. */
struct house {
    struct meter_process m;
    struct head_end h;
    int64_t id;
};

static void house_open(struct house *s, const char *meter_at, const char *head_end_at)
{
    memset(s, 0, sizeof *s);
    meter_start(&s->m, "--listen", meter_at, "--model", "SM402D", "--level", "window",
                "--fast-forward", "1d", "--speed", "0", "--keys", "keys", NULL);
    head_end_start(&s->h, "data", head_end_at);
    s->id = head_end_add(&s->h, "Mill Lane 12; \"east\"", s->m.url, "keys", NULL);
    head_end_await(&s->h, s->id);
}

static void house_close(struct house *s)
{
    head_end_stop(&s->h);
    meter_stop(&s->m);
    struct outcome o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
    assert_int_equal(system("rm -rf data keys*"), 0);
}

/* ---- a database that others may query ---- */

static double query(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const double value = sqlite3_column_double(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void is_near(double x, double to)
{
    if (!(fabs(x - to) <= 1e-9 * fabs(to) + 1e-9))
        fail_msg("%.12g is not %.12g", x, to);
}

/* Every register that the API shows. */
static void same_registers(struct house *s, sqlite3 *db)
{
    json_t *all, *one;
    size_t i, n = 0;
    (void)head_end_register(&s->h, s->id, "1-0:1.8.0.255", &all);
    json_array_foreach(json_object_get(all, "registers"), i, one)
    {
        char sql[160];
        const json_t *value = json_object_get(one, "value");
        if (!json_is_number(value))
            continue;
        snprintf(sql, sizeof sql, "SELECT value FROM v_latest WHERE obis='%s' AND attribute=%d",
                 json_string_value(json_object_get(one, "obis")),
                 (int)json_integer_value(json_object_get(one, "attribute")));
        is_near(query(db, sql), json_number_value(value));
        n++;
    }
    assert_true(n > 20);
    assert_int_equal((size_t)query(db, "SELECT count(*) FROM v_latest WHERE value IS NOT NULL"), n);
    json_decref(all);
}

#define OF_PROFILE_1 " FROM v_day_total WHERE profile = '1-0:99.1.0.255'"

static void same_total(sqlite3 *db, const json_t *day, const json_t *column, const json_t *total)
{
    static const char *const what[] = {"sum", "first", "last"};
    const double unit = pow(10, json_number_value(json_object_get(column, "scaler")));
    for (size_t k = 0; k < sizeof what / sizeof what[0]; k++) {
        char sql[240];
        snprintf(sql, sizeof sql, "SELECT %s" OF_PROFILE_1 " AND day='%s' AND obis='%s'", what[k],
                 json_string_value(json_object_get(day, "day")),
                 json_string_value(json_object_get(column, "obis")));
        is_near(query(db, sql), json_number_value(json_object_get(total, what[k])) * unit);
    }
}

/* Every column of every day of load profile 1; the others of this meter are beside it. */
static void same_days(struct house *s, sqlite3 *db)
{
    json_t *days = head_end_days(&s->h, s->id), *day, *total;
    const json_t *columns = json_object_get(days, "columns");
    size_t i, c, n = 0;
    json_array_foreach(json_object_get(days, "days"), i, day)
    {
        json_array_foreach(json_object_get(day, "totals"), c, total)
        {
            same_total(db, day, json_array_get(columns, c), total);
            n++;
        }
    }
    assert_true(n >= 8);
    assert_int_equal((size_t)query(db, "SELECT count(*)" OF_PROFILE_1), n);
    assert_int_equal(query(db, "SELECT count(DISTINCT profile) FROM v_day_total"), 4);
    json_decref(days);
}

/* By SQL alone, while the head-end runs: the same numbers as from the meter over DLMS and as from
 * the API. What SQL has not are the single intervals: they are in blocks (docs/SPEC-store.md). */
static void claim_SIMS_DB(void **state)
{
    struct house s;
    sqlite3 *db;
    (void)state;
    house_open(&s, "127.0.0.1:0", NULL);
    assert_int_equal(sqlite3_open_v2("data/ferraris.db", &db, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    assert_int_equal(query(db, "SELECT count(*) FROM v_meter WHERE name LIKE 'Mill Lane%'"), 1);
    is_near(query(db, "SELECT value FROM v_latest WHERE obis = '1-0:1.8.0.255'"),
            told_scaled(s.m.url, "1-0:1.8.0.255"));
    json_t *told = told_profile(s.m.url);
    double sum = 0;
    for (size_t k = 0; k < json_array_size(told_rows(told)); k++)
        sum += (double)told_cell(told, k, "1-0:1.29.0.255");
    assert_true(sum > 0);
    same_registers(&s, db);
    same_days(&s, db);
    is_near(query(db, "SELECT sum(sum)" OF_PROFILE_1 " AND obis = '1-0:1.29.0.255'"),
            sum / 10); /* registers of this model count 0.1 Wh */
    json_decref(told);
    sqlite3_close(db);
    house_close(&s);
}

/* ---- web services ---- */

static void has_path(const json_t *document, const char *path, const char *method)
{
    const json_t *at = json_object_get(json_object_get(document, "paths"), path);
    if (json_object_get(at, method) == NULL)
        fail_msg("%s %s is not described", method, path);
}

/* The service describes itself and says its version; what a page does is an operation of it, done
 * here without a page. (That document and server agree in every operation: test_openapi.) */
static void claim_SIMS_WEB(void **state)
{
    struct house s;
    (void)state;
    house_open(&s, "127.0.0.1:0", NULL);
    json_t *document = http_json(&s.h.api, "GET", "/api/v1/openapi.json", NULL, 200);
    assert_int_equal(strncmp(json_string_value(json_object_get(document, "openapi")), "3.1", 3), 0);
    assert_non_null(json_object_get(json_object_get(document, "info"), "version"));
    has_path(document, "/api/v1/meters", "get");
    has_path(document, "/api/v1/meters", "post");
    has_path(document, "/api/v1/meters/{id}", "patch");
    has_path(document, "/api/v1/meters/{id}/registers", "get");
    has_path(document, "/api/v1/meters/{id}/profiles/{obis}/values", "get");
    has_path(document, "/api/v1/events", "get");
    json_decref(document);
    json_t *profile = head_end_profile(&s.h, s.id);
    assert_int_equal(json_array_size(json_object_get(profile, "t")), 96);
    json_decref(profile);
    house_close(&s);
}

/* ---- IPv4 and IPv6, towards meters and towards people ---- */

static void claim_SIMS_IP(void **state)
{
    static const char *const addresses[] = {"127.0.0.1:0", "[::1]:0"};
    (void)state;
    for (size_t meter = 0; meter < 2; meter++) {
        for (size_t people = 0; people < 2; people++) {
            struct house s;
            house_open(&s, addresses[meter], addresses[people]);
            assert_true((strchr(s.m.url, '[') != NULL) == (meter == 1));
            assert_true((strchr(s.h.url, '[') != NULL) == (people == 1));
            json_t *profile = head_end_profile(&s.h, s.id);
            assert_int_equal(json_array_size(json_object_get(profile, "t")), 96);
            json_decref(profile);
            house_close(&s);
        }
    }
}

/* ---- on premises ---- */

/* A network of this process's own with nothing in it but loopback. */
static bool cut_off(void)
{
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (unshare(CLONE_NEWNET) != 0)
        return false;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;
    close(fd);
    return up;
}

/* No address in a page that leads elsewhere, and the policy forbids it, too. */
static void pages_stay_home(struct house *s)
{
    struct http_answer a = http_ask(&s->h.api, "GET", "/", NULL, NULL);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.head, "default-src 'none'"));
    assert_null(strstr(a.body, "http://"));
    assert_null(strstr(a.body, "https://"));
    http_answer_free(&a);
}

/* Meter, head-end and pages where no outside host can be reached. */
static void claim_SIMS_ONPREM(void **state)
{
    struct house s;
    (void)state;
    if (!cut_off())
        skip(); /* not root */
    house_open(&s, "127.0.0.1:0", NULL);
    pages_stay_home(&s);
    json_t *profile = head_end_profile(&s.h, s.id);
    assert_int_equal(json_array_size(json_object_get(profile, "t")), 96);
    json_decref(profile);
    house_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_SIMS_DB), cmocka_unit_test(claim_SIMS_WEB),
        cmocka_unit_test(claim_SIMS_IP),
        cmocka_unit_test(claim_SIMS_ONPREM), /* last: there is no way back into the network */
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
