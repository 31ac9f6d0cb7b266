/* A meter's clock is set forward and back, by minutes and by months, while the head-end reads,
 * while it is stopped, and across its restart; then a manager changes the profile's period.
 *
 * Whatever the stamps: in the end the head-end holds every row of the meter's ring exactly once,
 * rows that share a stamp included. `full` sets the clock 30 times, else 6. A part of SYS-COMPLETE,
 * which is proved when all its tests pass: see test_headend_kill.c. */
#include "tests/system/answers.h"
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/civil.h"

#define ROW_TEXT 400
#define HOUR     INT64_C(3600)
#define DAY      (24 * HOUR)

static unsigned n_jumps = 6;

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

/* ---- rows as text, to compare without regard to their order ---- */

struct rows {
    char (*text)[ROW_TEXT];
    size_t n;
};

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static struct rows rows_new(size_t n)
{
    struct rows r = {.text = calloc(n + 1, ROW_TEXT), .n = n};
    assert_non_null(r.text);
    return r;
}

static void put(char text[ROW_TEXT], int64_t number)
{
    const size_t at = strlen(text);
    snprintf(text + at, ROW_TEXT - at, "%lld ", (long long)number);
}

/* Columns behind clock and status. */
static const char *column_name(const json_t *told, size_t c)
{
    const json_t *column = json_array_get(json_object_get(told, "columns"), c);
    return json_string_value(json_object_get(column, "obis"));
}

static struct rows rows_of_meter(const json_t *told)
{
    struct rows r = rows_new(json_array_size(told_rows(told)));
    const size_t n_columns = json_array_size(json_object_get(told, "columns"));
    assert_true(n_columns > 2);
    for (size_t i = 0; i < r.n; i++) {
        put(r.text[i], told_stamp(told, i));
        put(r.text[i], told_cell(told, i, "0-0:96.10.1.255"));
        for (size_t c = 2; c < n_columns; c++)
            put(r.text[i],
                json_integer_value(json_array_get(json_array_get(told_rows(told), i), c)));
    }
    qsort(r.text, r.n, ROW_TEXT, by_text);
    return r;
}

static struct rows rows_of_head_end(const json_t *profile, const json_t *told)
{
    struct rows r = rows_new(json_array_size(json_object_get(profile, "t")));
    const size_t n_columns = json_array_size(json_object_get(told, "columns"));
    for (size_t i = 0; i < r.n; i++) {
        put(r.text[i], json_integer_value(json_array_get(json_object_get(profile, "t"), i)));
        put(r.text[i], json_integer_value(json_array_get(json_object_get(profile, "status"), i)));
    }
    for (size_t c = 2; c < n_columns; c++) {
        const json_t *values = head_end_column(profile, column_name(told, c), NULL);
        assert_int_equal(json_array_size(values), r.n);
        for (size_t i = 0; i < r.n; i++)
            put(r.text[i], json_integer_value(json_array_get(values, i)));
    }
    qsort(r.text, r.n, ROW_TEXT, by_text);
    return r;
}

/* Each of the meter's rows stands in the head-end as often as in the meter; gives the number of the
 * head-end's others. */
static size_t compare(const struct rows *meter, const struct rows *head_end)
{
    size_t k = 0, others = 0;
    for (size_t i = 0; i < meter->n; i++, k++) {
        for (; k < head_end->n && strcmp(head_end->text[k], meter->text[i]) < 0; k++)
            others++;
        if (k == head_end->n || strcmp(head_end->text[k], meter->text[i]) != 0)
            fail_msg("the head-end lacks the meter's row %s", meter->text[i]);
    }
    return others + (head_end->n - k);
}

/* ---- meter and head-end ---- */

static void meter_up(struct meter_process *m, uint16_t port, const char *speed)
{
    char at[32];
    snprintf(at, sizeof at, "127.0.0.1:%u", port);
    meter_start(m, "--model", "ST402D", "--listen", at, "--level", "window", "--flash", "flash",
                "--keys", "keys", "--start", "2026-03-28T00:00:00Z", "--speed", speed, NULL);
}

static int64_t meter_time(const struct meter_process *m)
{
    struct outcome o = ferraris("clock", SECURE, "--json", m->url, NULL);
    int y, mo, d, h, mi, s, oh, om;
    char sign;
    outcome_expect(&o, 0, NULL);
    json_t *j = json_loads(o.out, 0, NULL);
    const char *iso = json_string_value(json_object_get(j, "meter"));
    assert_non_null(iso);
    assert_int_equal(
        sscanf(iso, "%d-%d-%dT%d:%d:%d%c%d:%d", &y, &mo, &d, &h, &mi, &s, &sign, &oh, &om), 9);
    json_decref(j);
    outcome_free(&o);
    const struct civil c = {y, (uint8_t)mo, (uint8_t)d, (uint8_t)h, (uint8_t)mi, (uint8_t)s};
    return civil_to_seconds(&c) - (sign == '-' ? -1 : 1) * (oh * 3600 + om * 60);
}

static void set_clock(const struct meter_process *m, int64_t by_s)
{
    const struct civil c = civil_from_seconds(meter_time(m) + by_s);
    char to[40];
    snprintf(to, sizeof to, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day, c.hour,
             c.minute, c.second);
    struct outcome o = ferraris("clock", SECURE, "--set", to, m->url, NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
}

static void pause_a_while(void)
{
    const unsigned ms = 100 + (unsigned)rand() % 500;
    const struct timespec pause = {.tv_nsec = (long)ms * 1000000};
    nanosleep(&pause, NULL);
}

static int64_t jump_of(unsigned k)
{
    static const int64_t jump[] = {HOUR,      -HOUR,   3 * DAY, -2 * DAY,   -600,     40 * DAY,
                                   -30 * DAY, 7 * DAY, 20 * 60, -26 * HOUR, 90 * DAY, -100 * DAY};
    return jump[k % (sizeof jump / sizeof jump[0])];
}

/* The clock is set with the head-end reading, stopped, or killed, in turn. */
static void live_and_jump(struct head_end *h, struct meter_process *m, int64_t id, unsigned k)
{
    const unsigned how = k % 3;
    head_end_read(h, id);
    pause_a_while();
    if (how == 1)
        head_end_stop(h);
    else if (how == 2)
        head_end_kill(h);
    set_clock(m, jump_of(k));
    pause_a_while();
    if (how == 2) { /* there and back while nobody looks */
        set_clock(m, -jump_of(k));
        pause_a_while();
    }
    if (how != 0)
        head_end_start(h, "data", NULL);
    head_end_await(h, id);
}

/* The meter stands still, the head-end reads it twice: a row that says "clock adjusted" asks for a
 * reading of everything. */
static void settle(struct head_end *h, struct meter_process *m, int64_t id)
{
    const uint16_t port = m->port;
    meter_stop(m);
    meter_up(m, port, "0");
    for (unsigned i = 0; i < 2; i++) {
        head_end_stop(h);
        head_end_start(h, "data", NULL);
        head_end_await(h, id);
    }
}

static size_t check(struct head_end *h, const struct meter_process *m, int64_t id, size_t *n)
{
    json_t *told = told_profile(m->url), *profile = head_end_profile(h, id);
    struct rows meter = rows_of_meter(told), head_end = rows_of_head_end(profile, told);
    const size_t others = compare(&meter, &head_end);
    *n = meter.n;
    free(meter.text);
    free(head_end.text);
    json_decref(told);
    json_decref(profile);
    return others;
}

static void verify(struct head_end *h)
{
    head_end_stop(h);
    struct outcome o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
}

static void claim_SYS_COMPLETE(void **state)
{
    struct meter_process m;
    struct head_end h = {0};
    size_t n;
    (void)state;
    srand(20260329);
    meter_up(&m, 0, "36000");
    head_end_start(&h, "data", NULL);
    const int64_t id = head_end_add(&h, "jumper", m.url, "keys", NULL);
    head_end_await(&h, id);
    for (unsigned k = 0; k < n_jumps; k++)
        live_and_jump(&h, &m, id, k);
    settle(&h, &m, id);
    assert_int_equal(check(&h, &m, id, &n), 0);
    print_message("%u times: %zu rows, each once\n", n_jumps, n);
    assert_true(n > 20u * n_jumps);

    /* the period: the meter forgets its rows, the head-end does not */
    const uint16_t port = m.port;
    meter_stop(&m);
    meter_up(&m, port, "36000");
    head_end_await(&h, id);
    struct outcome o = ferraris("write", SECURE, m.url, "1-0:99.1.0.255:4", "u32", "300", NULL);
    outcome_expect(&o, 0, NULL);
    outcome_free(&o);
    pause_a_while();
    settle(&h, &m, id);
    size_t n_now;
    assert_true(check(&h, &m, id, &n_now) >= n);
    assert_true(n_now > 0);
    verify(&h);
    meter_stop(&m);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_SYS_COMPLETE),
    };
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        n_jumps = 30;
    return cmocka_run_group_tests(tests, enter, leave);
}
