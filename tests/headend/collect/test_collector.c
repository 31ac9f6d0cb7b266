/* The collector against our own meters over loopback: every row of the ring is in the store exactly
 * once, whatever broke in between. */
#include "tests/headend/collect/town.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define HOUR 3600
#define DAY  86400

static int64_t register_value(struct town *t, int64_t meter, uint8_t c, uint8_t d)
{
    struct store_register list[STORE_REGISTERS_MAX];
    size_t n;
    assert_int_equal(store_registers_get(t->store, meter, list, STORE_REGISTERS_MAX, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        if (list[i].ln[0] == 1 && list[i].ln[2] == c && list[i].ln[3] == d && list[i].ln[4] == 0 &&
            list[i].valid)
            return list[i].value;
    fail_msg("no register %u.%u.0", c, d);
    return 0;
}

static void assert_good(struct town *t, int64_t meter)
{
    const struct meter_state s = town_state(t, meter);
    assert_string_equal(s.error, "");
    assert_true(s.up_to_date);
    assert_int_equal(s.n_failed, 0);
}

static void collector_reads_a_backlog_and_goes_on(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct collector_totals totals;
    struct station *s = town_station(t, "ST402D");
    town_sleep(t, 4 * DAY + 1000);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    town_check_rows(t, s, id);
    town_live(t, 3 * HOUR, 60);
    assert_good(t, id);
    town_check_rows(t, s, id);
    t->hooks.read_now(t->hooks.context, id);
    const unsigned n = t->n_events[METER_EVENT_REGISTERS];
    while (t->n_events[METER_EVENT_REGISTERS] == n)
        uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(register_value(t, id, 1, 8), rig_value(s->rig, 3, "1-0:1.8.0.255", 2));
    t->hooks.totals(t->hooks.context, &totals);
    assert_int_equal(totals.n_meters, 1);
    assert_int_equal(totals.n_up_to_date, 1);
    assert_true(totals.n_rows > town_n_rows(t, id)); /* of load profile 1 alone */
    assert_true(totals.n_values > totals.n_rows * 2);
    assert_true(t->n_events[METER_EVENT_REGISTERS] >= 180);
    assert_in_range(t->n_events[METER_EVENT_PROFILE], 12, 60);
    assert_true(t->n_events[METER_EVENT_STATE] > 0);
    town_free(t);
}

static void collector_goes_on_where_it_left_off_after_a_restart(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D");
    town_sleep(t, 2 * DAY);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    town_stop(t);
    town_sleep(t, 5 * HOUR);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    town_check_rows(t, s, id);
    struct collector_totals totals;
    t->hooks.totals(t->hooks.context, &totals);
    assert_int_equal(totals.n_rows, 20 + 5 + 30); /* of the five hours: load profiles 1 to 3 */
    town_free(t);
}

/* Six days of minutes: several commits, and more numbers than one block of the invocation counter
 * has left. */
static void collector_reads_more_than_one_commit_holds(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_plain_station(t, "SM307"); /* minutes are a period of it */
    uint32_t next;
    assert_int_equal(meter_profile_period(&s->rig->meter, MODEL_LP1, 60), ERR_OK);
    town_sleep(t, 6 * DAY);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    assert_true(town_n_rows(t, id) > 8000);
    town_check_rows(t, s, id);
    town_live(t, HOUR, 60);
    town_check_rows(t, s, id);
    assert_int_equal(s->n_opened, 1); /* in one association, its counters topped up */
    assert_int_equal(store_counter_reserve(t->store, id, METER_SAP_READER_HLS, 1, 1, &next),
                     ERR_OK);
    assert_true(next > 3 * 256);
    town_free(t);
}

static void collector_resolves_names(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D");
    struct store_meter m;
    for (size_t i = 0; i < 4; i++) { /* more than are looked up at once */
        const int64_t id = town_add(t, s, STORE_AUTH_LLS);
        assert_int_equal(store_meter_get(t->store, id, &m), ERR_OK);
        snprintf(m.url, sizeof m.url, "tcp://localhost%.8s", strrchr(s->tcp.address, ':'));
        assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    }
    town_start(t);
    town_settle(t);
    for (size_t i = 0; i < 4; i++)
        assert_true(town_state(t, t->meter[i]).up_to_date);
    town_free(t);
}

/* The line breaks in the middle of the profile, again and again, a little later each time. */
static void collector_stores_each_row_once_when_the_line_breaks(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_plain_station(t, "ST402D");
    town_sleep(t, 10 * DAY);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    s->cut_after = 9000;
    town_start(t);
    town_settle(t);
    assert_true(town_state(t, id).n_failed > 0);
    assert_string_not_equal(town_state(t, id).error, "");
    assert_false(town_state(t, id).up_to_date);
    for (size_t i = 0; i < 6; i++) {
        s->cut_after += 7001;
        town_live(t, 15 * 60, 15 * 60);
    }
    assert_true(town_n_rows(t, id) > 100);
    s->cut_after = 0;
    town_live(t, HOUR, 15 * 60);
    assert_good(t, id);
    town_check_rows(t, s, id);
    town_free(t);
}

static void collector_reads_what_was_missed_while_the_meter_was_away(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D");
    town_sleep(t, DAY);
    const int64_t id = town_add(t, s, STORE_AUTH_LLS);
    town_start(t);
    town_settle(t);
    s->away = true;
    tcp_server_drop_all(&s->tcp);
    town_live(t, 6 * HOUR, 300);
    assert_in_range(town_state(t, id).n_failed, 10, 40); /* it backs off */
    assert_false(town_state(t, id).up_to_date);
    s->away = false;
    town_live(t, 1200, 300);
    assert_good(t, id);
    town_check_rows(t, s, id);
    town_free(t);
}

static void set_clock(struct station *s, int64_t by_s)
{
    struct meter *m = &s->rig->meter;
    assert_int_equal(meter_clock_change(m, (meter_now_s(m) + by_s) * METER_NS), ERR_OK);
}

static void collector_keeps_rows_when_the_meters_clock_is_set(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_plain_station(t, "ST402D");
    town_sleep(t, 2 * DAY);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    set_clock(s, -2 * HOUR);
    town_live(t, 3 * HOUR, 300);
    assert_good(t, id);
    town_check_rows(t, s, id);
    set_clock(s, 5 * HOUR);
    town_live(t, 2 * HOUR, 300);
    town_check_rows(t, s, id);
    /* back and forth between two readings: some stamps lie far below the last ones */
    set_clock(s, -10 * HOUR);
    town_sleep(t, 1000);
    set_clock(s, 10 * HOUR);
    town_live(t, 2 * HOUR, 300);
    assert_good(t, id);
    town_check_rows(t, s, id);
    /* and across a restart, when nobody measured the time between */
    town_stop(t);
    set_clock(s, -30 * HOUR);
    town_sleep(t, HOUR);
    town_start(t);
    town_live(t, HOUR, 300);
    town_check_rows(t, s, id);
    town_free(t);
}

static void collector_keeps_rows_when_its_own_clock_is_set(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    town_sleep(t, 2 * DAY);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    t->utc_ms -= 3 * DAY * INT64_C(1000);
    town_live(t, HOUR, 300);
    t->utc_ms += 9 * DAY * INT64_C(1000);
    set_clock(s, -HOUR);
    town_live(t, HOUR, 300);
    town_check_rows(t, s, id);
    town_stop(t);
    t->utc_ms -= 6 * DAY * INT64_C(1000);
    set_clock(s, -HOUR);
    town_sleep(t, HOUR);
    town_start(t);
    town_live(t, HOUR, 300);
    assert_good(t, id);
    town_check_rows(t, s, id);
    town_free(t);
}

/* ---- bad meters ---- */

static void collector_waits_for_a_silent_meter_no_longer_than_told(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D");
    const int64_t id = town_add(t, s, STORE_AUTH_LLS);
    s->silent = true;
    town_start(t);
    for (int i = 0; i < 100 && town_state(t, id).n_failed == 0; i++) {
        uv_run(&t->loop, UV_RUN_ONCE);
        if (s->n_opened > 0)
            t->mono_ms += 2000;
    }
    assert_int_equal(town_state(t, id).n_failed, 1);
    assert_non_null(strstr(town_state(t, id).error, "did not answer in time"));
    town_free(t);
}

static void collector_survives_garbage_and_refusal(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D");
    const int64_t id = town_add(t, s, STORE_AUTH_LLS);
    s->garbage = true;
    town_start(t);
    town_settle(t);
    assert_int_equal(town_state(t, id).n_failed, 1);
    s->garbage = false;
    struct store_meter m;
    assert_int_equal(store_meter_get(t->store, id, &m), ERR_OK);
    struct meter_secret wrong = {.password = "not this one"};
    assert_int_equal(meter_secret_put(&t->key, &m, &wrong), ERR_OK);
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    t->hooks.meter_changed(t->hooks.context, id);
    while (strstr(town_state(t, id).error, "authentication-failure") == NULL)
        uv_run(&t->loop, UV_RUN_ONCE);
    assert_true(town_state(t, id).next_ms - t->utc_ms > 600000); /* soon is no use */
    snprintf(m.url, sizeof m.url, "tcp://127.0.0.1:1");
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    t->hooks.meter_changed(t->hooks.context, id);
    while (strstr(town_state(t, id).error, "refused") == NULL ||
           town_state(t, id).next_ms - t->utc_ms > 600000)
        uv_run(&t->loop, UV_RUN_ONCE);
    town_free(t);
}

/* A new data directory begins its counter at 0; the meter has seen more and says so. */
static void collector_takes_the_counter_the_meter_names(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    s->rig->counter = (struct dlms_counter){.next = 70000, .limit = UINT32_MAX};
    assert_true(rig_connect(s->rig, METER_SAP_READER_HLS));
    rig_release(s->rig);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    uint32_t next;
    assert_int_equal(store_counter_reserve(t->store, id, METER_SAP_READER_HLS, 1, 1, &next),
                     ERR_OK);
    assert_in_range(next, 70001, 70000 + 65536 + 10000);
    town_free(t);
}

static void collector_refuses_another_meter_at_the_address(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D"), *other = town_station(t, "ST402D");
    struct store_meter m;
    town_sleep(t, HOUR);
    const int64_t id = town_add(t, s, STORE_AUTH_LLS);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    const size_t n = town_n_rows(t, id);
    assert_int_equal(store_meter_get(t->store, id, &m), ERR_OK);
    assert_string_not_equal(m.device_name, "");
    town_stop(t);
    snprintf(m.url, sizeof m.url, "tcp://%.60s", other->tcp.address);
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK); /* behind the collector's back */
    town_start(t);
    town_settle(t);
    assert_non_null(strstr(town_state(t, id).error, "another meter answers at this address"));
    assert_int_equal(town_n_rows(t, id), n);
    /* an address given while it looks on says: this is the meter now */
    snprintf(m.url, sizeof m.url, "tcp://%.60s", s->tcp.address);
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    t->hooks.meter_changed(t->hooks.context, id);
    while (town_state(t, id).error[0] != '\0')
        uv_run(&t->loop, UV_RUN_ONCE);
    town_settle(t);
    assert_good(t, id);
    town_check_rows(t, s, id);
    snprintf(m.url, sizeof m.url, "tcp://%.60s", other->tcp.address);
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    t->hooks.meter_changed(t->hooks.context, id);
    while (town_state(t, id).up_to_date)
        uv_run(&t->loop, UV_RUN_ONCE);
    town_settle(t);
    assert_good(t, id);
    char before[sizeof m.device_name];
    memcpy(before, m.device_name, sizeof before);
    assert_int_equal(store_meter_get(t->store, id, &m), ERR_OK);
    assert_string_not_equal(m.device_name, before);
    town_free(t);
}

/* ---- the store ---- */

static void collector_says_when_the_disk_is_full_and_goes_on_when_not(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    struct collector_totals totals;
    struct rlimit before, small;
    struct stat size;
    char path[128];
    town_sleep(t, DAY);
    const int64_t id = town_add(t, s, STORE_AUTH_LLS);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    snprintf(path, sizeof path, "%s/ferraris.db-wal", t->dir);
    assert_int_equal(stat(path, &size), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096; /* every write behind that fails */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    town_live(t, 3 * HOUR, 300);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    t->hooks.totals(t->hooks.context, &totals);
    assert_true(totals.store_failing);
    assert_non_null(strstr(totals.reason, "nothing is stored"));
    assert_non_null(strstr(town_state(t, id).error, "not stored"));
    assert_false(town_state(t, id).up_to_date);
    town_live(t, 30 * 60, 300);
    t->hooks.totals(t->hooks.context, &totals);
    assert_false(totals.store_failing);
    assert_string_equal(totals.reason, "");
    assert_good(t, id);
    town_check_rows(t, s, id);
    town_free(t);
}

/* Stopped at every stage of a turn; what was begun is done again. */
static void collector_stops_in_the_middle_of_anything(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_plain_station(t, "ST402D");
    town_sleep(t, 3 * DAY);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    for (unsigned n = 0; n < 45; n++) {
        town_start(t);
        for (unsigned i = 0; i < n * 3; i++)
            uv_run(&t->loop, UV_RUN_NOWAIT);
        town_stop(t);
        town_sleep(t, 60);
    }
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    town_check_rows(t, s, id);
    town_free(t);
}

/* ---- many ---- */

static void collector_shares_16_connections_among_200_meters(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_plain_station(t, "SM402D");
    struct collector_totals totals;
    town_sleep(t, DAY / 2);
    t->max_connections = TCP_SERVER_CONNS;
    for (size_t i = 0; i < 200; i++)
        (void)town_add(t, s, STORE_AUTH_LLS);
    town_start(t);
    town_settle(t);
    town_live(t, 2 * 900, 900);
    t->hooks.totals(t->hooks.context, &totals);
    assert_int_equal(totals.n_meters, 200);
    assert_int_equal(totals.n_up_to_date, 200);
    for (size_t i = 0; i < 200; i += 13)
        town_check_rows(t, s, t->meter[i]);
    /* one meter under 200 names: the first has no fault, the others a warning */
    assert_string_equal(town_state(t, t->meter[0]).error, "");
    assert_non_null(strstr(town_state(t, t->meter[199]).error, "also read as"));
    town_free(t);
}

static void collector_follows_the_users_wishes(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D");
    struct store_meter m;
    town_start(t);
    const int64_t id = town_add(t, s, STORE_AUTH_LLS); /* while it runs */
    town_settle(t);
    assert_good(t, id);
    const unsigned n = t->n_events[METER_EVENT_REGISTERS];
    t->hooks.read_now(t->hooks.context, id);
    while (t->n_events[METER_EVENT_REGISTERS] == n)
        uv_run(&t->loop, UV_RUN_ONCE);
    assert_int_equal(store_meter_get(t->store, id, &m), ERR_OK);
    m.enabled = false;
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    t->hooks.meter_changed(t->hooks.context, id);
    while (town_state(t, id).activity != METER_DISABLED)
        uv_run(&t->loop, UV_RUN_ONCE);
    const unsigned opened = s->n_opened;
    town_live(t, HOUR, 600);
    assert_int_equal(s->n_opened, opened);
    m.enabled = true;
    m.ct_num = 20;
    assert_int_equal(store_meter_change(t->store, &m), ERR_OK);
    t->hooks.meter_changed(t->hooks.context, id);
    while (!town_state(t, id).up_to_date)
        uv_run(&t->loop, UV_RUN_ONCE);
    struct store_register list[STORE_REGISTERS_MAX];
    size_t k;
    assert_int_equal(store_registers_get(t->store, id, list, STORE_REGISTERS_MAX, &k), ERR_OK);
    bool seen = false;
    for (size_t i = 0; i < k; i++)
        seen = seen || (list[i].unit == 30 && list[i].mul_num == 20 && list[i].mul_den == 1);
    assert_true(seen);
    assert_false(t->hooks.state(t->hooks.context, 99999, &(struct meter_state){0}));
    town_free(t);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collector_reads_a_backlog_and_goes_on),
        cmocka_unit_test(collector_goes_on_where_it_left_off_after_a_restart),
        cmocka_unit_test(collector_reads_more_than_one_commit_holds),
        cmocka_unit_test(collector_resolves_names),
        cmocka_unit_test(collector_stores_each_row_once_when_the_line_breaks),
        cmocka_unit_test(collector_reads_what_was_missed_while_the_meter_was_away),
        cmocka_unit_test(collector_keeps_rows_when_the_meters_clock_is_set),
        cmocka_unit_test(collector_keeps_rows_when_its_own_clock_is_set),
        cmocka_unit_test(collector_waits_for_a_silent_meter_no_longer_than_told),
        cmocka_unit_test(collector_survives_garbage_and_refusal),
        cmocka_unit_test(collector_takes_the_counter_the_meter_names),
        cmocka_unit_test(collector_refuses_another_meter_at_the_address),
        cmocka_unit_test(collector_says_when_the_disk_is_full_and_goes_on_when_not),
        cmocka_unit_test(collector_stops_in_the_middle_of_anything),
        cmocka_unit_test(collector_shares_16_connections_among_200_meters),
        cmocka_unit_test(collector_follows_the_users_wishes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
