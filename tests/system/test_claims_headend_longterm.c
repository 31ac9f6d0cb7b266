/* Ten years of quarter hours in a store, read through the API of the real head-end: every row as it
 * was put, before and after restarts, a kill and a migration; a month of any of those years as
 * quickly as the only month of another store; and nothing that deletes a reading.
 *
 * There is no retention rule yet, so nothing at all may leave. `brief` has one year and one meter,
 * and looks at no times. */
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "headend/store/store.h"

#define PERIOD    900
#define PER_DAY   96
#define N_COLUMNS 4
#define BEGIN_DAY 16801 /* 2016-01-01 */
#define N_METERS  2
#define N_ASKED   80 /* months, for the times */
#define VALUES    "/api/v1/meters/%lld/profiles/1-0:99.1.0.255/values?from=%lld&to=%lld"

static unsigned n_years = 10, n_meters = N_METERS;

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

static int64_t days_of_years(unsigned years)
{
    return (int64_t)years * 365 + (years + 3) / 4; /* 2016 and each fourth from there */
}

/* ---- what was measured ---- */

static uint32_t mixed(uint64_t x)
{
    x *= UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 29;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    return (uint32_t)(x >> 33);
}

/* Row k of a meter since BEGIN_DAY. False: the meter was without power, there is none. */
static bool row_of(unsigned meter, uint32_t k, int64_t energy[2], struct day_row *row)
{
    const uint32_t noise = mixed((uint64_t)meter << 40 | k), hour = k / 4 % 24;
    const int64_t import = (hour > 6 && hour < 22 ? 1200 : 300) + noise % 700;
    const int64_t export = hour > 8 && hour < 18 ? (noise >> 8) % 400 : 0;
    energy[0] += import;
    energy[1] += export;
    *row = (struct day_row){.stamp_s = (int64_t)BEGIN_DAY * DAY_S + (int64_t)k * PERIOD,
                            .zone = DAY_ZONE(60, 0),
                            .status = noise % 500 == 0 ? 0x20 : 0,
                            .value = {energy[0], energy[1], import, export}};
    return k % (PER_DAY * 97) < PER_DAY * 96 || k % 3 != 0; /* holes in every 97th day */
}

static const struct server_clock *machine_clock(void)
{
    static struct server_clock clock;
    clock = server_clock_system();
    return &clock;
}

static struct store *open_store(const char *dir)
{
    const struct store_options o = {.dir = dir, .clock = machine_clock()};
    struct store *s;
    char why[200];
    if (store_open(&s, &o, why, sizeof why) != ERR_OK)
        fail_msg("%s", why);
    return s;
}

static struct store_layout add_meter(struct store *s, unsigned meter)
{
    static const uint8_t value_group[N_COLUMNS][2] = {{1, 8}, {2, 8}, {1, 29}, {2, 29}};
    struct store_meter m = {.url = "tcp://127.0.0.1:9",
                            .client_sap = 2,
                            .server_sap = 1,
                            .auth = STORE_AUTH_LLS,
                            .timeout_ms = 1000,
                            .register_period_s = 60,
                            .ct_num = 1,
                            .ct_den = 1,
                            .vt_num = 1,
                            .vt_den = 1};
    snprintf(m.name, sizeof m.name, "meter %u", meter);
    assert_int_equal(store_meter_add(s, &m), ERR_OK);
    struct store_profile p = {.meter = m.id, .ln = {1, 0, 99, 1, 0, 255}, .period_s = PERIOD};
    assert_int_equal(store_profile_find(s, &p), ERR_OK);
    struct store_layout l = {.profile = p.id, .period_s = PERIOD, .n_columns = N_COLUMNS};
    for (unsigned c = 0; c < N_COLUMNS; c++)
        l.column[c] =
            (struct store_column){.ln = {1, 0, value_group[c][0], value_group[c][1], 0, 255},
                                  .class_id = 3,
                                  .attribute = 2,
                                  .unit = 30,
                                  .scaler = -1,
                                  .mul_num = 1,
                                  .mul_den = 1};
    assert_int_equal(store_layout_find(s, &l), ERR_OK);
    return l;
}

/* A month's reading at a time, as a collector brings a backlog. */
static void put_life(struct store *s, unsigned meter, int64_t n_days)
{
    static struct day_row rows[31 * PER_DAY];
    const struct store_layout l = add_meter(s, meter);
    int64_t energy[2] = {0};
    const uint32_t n = (uint32_t)n_days * PER_DAY;
    size_t at = 0;
    for (uint32_t k = 0; k < n; k++) {
        struct store_put put;
        at += row_of(meter, k, energy, &rows[at]);
        if (at < sizeof rows / sizeof rows[0] && k + 1 < n)
            continue;
        assert_int_equal(store_begin(s), ERR_OK);
        assert_int_equal(store_rows_put(s, &l, rows, at, &put), ERR_OK);
        assert_int_equal(store_commit(s, false), ERR_OK);
        assert_int_equal(put.n_new, at);
        at = 0;
    }
    assert_int_equal(store_sync(s), ERR_OK);
}

/* ---- every row ---- */

static int64_t int_at(const json_t *array, size_t i)
{
    const json_t *x = json_array_get(array, i);
    assert_true(json_is_integer(x));
    return json_integer_value(x);
}

static void check_row(const json_t *answer, size_t i, const struct day_row *row)
{
    const json_t *values = json_object_get(answer, "values");
    assert_int_equal(int_at(json_object_get(answer, "t"), i), row->stamp_s);
    assert_int_equal(int_at(json_object_get(answer, "status"), i), row->status);
    for (size_t c = 0; c < N_COLUMNS; c++)
        assert_int_equal(int_at(json_array_get(values, c), i), row->value[c]);
}

/* The whole life of one meter, year by year. Gives the number of rows. */
static size_t check_life(struct head_end *h, unsigned meter)
{
    int64_t energy[2] = {0};
    size_t n_rows = 0;
    uint32_t k = 0;
    for (unsigned year = 0; year < n_years; year++) {
        char path[160];
        const uint32_t end = (uint32_t)days_of_years(year + 1) * PER_DAY;
        const long long from = (int64_t)BEGIN_DAY * DAY_S + (int64_t)k * PERIOD;
        snprintf(path, sizeof path, VALUES, (long long)meter, from,
                 (long long)((int64_t)BEGIN_DAY * DAY_S + (int64_t)end * PERIOD));
        json_t *answer = http_json(&h->api, "GET", path, NULL, 200);
        size_t i = 0;
        for (; k < end; k++) {
            struct day_row row;
            if (row_of(meter, k, energy, &row))
                check_row(answer, i++, &row);
        }
        assert_int_equal(json_array_size(json_object_get(answer, "t")), i);
        json_decref(answer);
        n_rows += i;
    }
    return n_rows;
}

/* ---- how quick ---- */

static double ask_month(struct head_end *h, unsigned meter, int64_t day)
{
    struct timespec a, b;
    char path[160];
    snprintf(path, sizeof path, VALUES, (long long)meter, (long long)(day * DAY_S),
             (long long)((day + 31) * DAY_S));
    clock_gettime(CLOCK_MONOTONIC, &a);
    struct http_answer answer = http_ask(&h->api, "GET", path, NULL, NULL);
    clock_gettime(CLOCK_MONOTONIC, &b);
    assert_int_equal(answer.status, 200);
    assert_true(answer.body_len > 31 * PER_DAY * 20); /* the rows are in it */
    http_answer_free(&answer);
    return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) * 1e-6;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double p95(double *ms)
{
    qsort(ms, N_ASKED, sizeof *ms, by_value);
    return ms[N_ASKED * 95 / 100];
}

/* Any month of the ten years against the only month of another store, asked in turn. */
static void check_quick(struct head_end *h)
{
    struct head_end young = {0};
    double old_ms[N_ASKED], young_ms[N_ASKED];
    struct store *s = open_store("young");
    put_life(s, 1, 31);
    store_close(s);
    head_end_start(&young, "young", NULL);
    for (unsigned k = 0; k < N_ASKED; k++) {
        const int64_t day = mixed(k) % (uint32_t)(days_of_years(n_years) - 31);
        old_ms[k] = ask_month(h, 1 + k % n_meters, BEGIN_DAY + day);
        young_ms[k] = ask_month(&young, 1, BEGIN_DAY);
    }
    head_end_stop(&young);
    const double old = p95(old_ms), only = p95(young_ms);
    print_message("a month of %u years: p95 %.1f ms; the only month: %.1f ms\n", n_years, old,
                  only);
    assert_true(old < 1.5 * only + 5);
}

/* ---- nothing leaves ---- */

struct held {
    long long blocks, rows, values;
};

static struct held verify(void)
{
    struct held n = {0};
    struct outcome o = ferraris("headend", "verify", "--data", "data", "--json", NULL);
    outcome_expect(&o, 0, NULL);
    json_t *told = json_loads(o.out, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(told, "faults")), 0);
    n.blocks = json_integer_value(json_object_get(told, "blocks"));
    n.rows = json_integer_value(json_object_get(told, "rows"));
    n.values = json_integer_value(json_object_get(told, "values"));
    json_decref(told);
    outcome_free(&o);
    return n;
}

/* The only thing that the API can delete is the caller's session. */
static void check_nothing_deletes(struct head_end *h)
{
    const char *path;
    json_t *operations;
    unsigned n = 0;
    json_t *document = http_json(&h->api, "GET", "/api/v1/openapi.json", NULL, 200);
    json_object_foreach(json_object_get(document, "paths"), path, operations)
    {
        if (json_object_get(operations, "delete") == NULL)
            continue;
        assert_string_equal(path, "/api/v1/session");
        n++;
    }
    assert_int_equal(n, 1);
    json_decref(document);
    struct http_answer a = http_ask(&h->api, "DELETE", "/api/v1/meters/1", NULL, NULL);
    assert_int_equal(a.status, 405);
    http_answer_free(&a);
}

/* Makes the store one of schema 1: what later steps added goes. */
static void back_to_schema_1(void)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open("data/ferraris.db", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "DROP TABLE IF EXISTS register_newest;"
                                  "PRAGMA user_version=1;",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
}

static struct held fill(void)
{
    struct store *s = open_store("data");
    for (unsigned meter = 1; meter <= n_meters; meter++)
        put_life(s, meter, days_of_years(n_years));
    store_close(s);
    const struct held n = verify();
    assert_int_equal(n.blocks, n_meters * days_of_years(n_years));
    assert_int_equal(n.values, n.rows * N_COLUMNS);
    return n;
}

static void check_held(struct head_end *h, const struct held *put)
{
    size_t n_rows = 0;
    for (unsigned meter = 1; meter <= n_meters; meter++)
        n_rows += check_life(h, meter);
    assert_int_equal(n_rows, put->rows);
}

static void check_years(void)
{
    struct head_end h = {0};
    const struct held put = fill();
    head_end_start(&h, "data", NULL);
    check_nothing_deletes(&h);
    check_held(&h, &put);
    if (n_years > 1)
        check_quick(&h);
    head_end_kill(&h);
    head_end_start(&h, "data", NULL);
    head_end_stop(&h);
    back_to_schema_1();
    head_end_start(&h, "data", NULL);
    check_held(&h, &put);
    head_end_stop(&h);
    const struct held left = verify();
    assert_memory_equal(&left, &put, sizeof put);
    print_message("%u years of %u meters: %lld rows, %lld values\n", n_years, n_meters, left.rows,
                  left.values);
}

static void claim_SIMS_LONGTERM(void **state)
{
    (void)state;
    check_years();
}

static void headend_keeps_a_year_as_it_was_put(void **state)
{
    (void)state;
    n_years = n_meters = 1;
    check_years();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest all[] = {cmocka_unit_test(claim_SIMS_LONGTERM)};
    const struct CMUnitTest one[] = {cmocka_unit_test(headend_keeps_a_year_as_it_was_put)};
    if (argc > 1 && strcmp(argv[1], "brief") == 0)
        return cmocka_run_group_tests_name("headend_longterm", one, enter, leave);
    return cmocka_run_group_tests_name("claims_headend_longterm", all, enter, leave);
}
