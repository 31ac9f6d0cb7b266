/* The collector and meters that become others: exchanged, another period or other columns in the
 * profile, a clock that is gone. Rows of the one must never pass for rows of the other. */
#include "tests/headend/collect/scripted.h"
#include "tests/headend/collect/town.h"

#include "lib/dlms/axdr.h"
#include "model/objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define HOUR 3600

static void assert_good(struct town *t, int64_t meter)
{
    const struct meter_state s = town_state(t, meter);
    assert_string_equal(s.error, "");
    assert_true(s.up_to_date);
}

/* The line breaks, and another meter hangs on it with the same password. */
static void collector_stores_nothing_of_a_meter_put_in_place_of_another(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D"), *other = town_station(t, "ST402D");
    town_sleep(t, 10 * HOUR);
    const int64_t id = town_add(t, s, STORE_AUTH_LLS);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    const size_t n = town_n_rows(t, id);
    s->away = true;
    s->cut_after = 1; /* also the line that is open */
    town_live(t, 2 * HOUR, 600);
    assert_int_not_equal(town_state(t, id).n_failed, 0);
    struct rig *before = s->rig;
    s->rig = other->rig;
    other->rig = before;
    s->away = false;
    s->cut_after = 0;
    town_live(t, HOUR, 60);
    assert_non_null(strstr(town_state(t, id).error, "another meter answers at this address"));
    assert_int_equal(town_n_rows(t, id), n);
    other->rig = s->rig;
    s->rig = before;
    town_live(t, HOUR, 60);
    assert_good(t, id);
    town_check_rows(t, s, id);
    town_free(t);
}

static void set_period(struct rig *r, uint32_t seconds)
{
    uint8_t value[8];
    struct wr w = wr_of(value, sizeof value);
    const struct apdu_attr period = rig_attr(7, "1-0:99.1.0.255", 4);
    axdr_put_u32(&w, seconds);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_true(rig_set(r, &period, (struct bytes){value, w.len}));
    rig_release(r);
}

/* 750 registers of one quantity in place of one. */
static void grow(struct rig *r, struct cosem_row *rows, struct cosem_kind *kind)
{
    memcpy(rows, model_rows, model_n_rows * sizeof *rows);
    for (size_t i = 0; i < model_n_rows; i++) {
        if (MODEL_QUANTITY(rows[i].arg) != MODEL_FREQUENCY)
            continue;
        *kind = *rows[i].kind;
        kind->range[0] = (struct cosem_range){.group = 1, .step = 1, .n = 3};
        kind->range[1] = (struct cosem_range){.group = 4, .step = 1, .n = 250};
        rows[i].kind = kind;
    }
    r->meter.device.rows = rows;
}

static void collector_says_how_many_registers_it_leaves_out(void **state)
{
    (void)state;
    struct cosem_row *rows = calloc(model_n_rows, sizeof *rows);
    struct cosem_kind kind;
    struct store_register kept[STORE_REGISTERS_MAX + 1];
    char said[2000];
    size_t n;
    struct town *t = town_new();
    struct station *s = town_station(t, "SM402D");
    assert_non_null(rows);
    grow(s->rig, rows, &kind);
    t->log.to = tmpfile();
    t->log.level = LOG_WARNING;
    assert_non_null(t->log.to);
    const int64_t id = town_add(t, s, STORE_AUTH_LLS);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    assert_int_equal(store_registers_get(t->store, id, kept, STORE_REGISTERS_MAX + 1, &n), ERR_OK);
    assert_int_equal(n, STORE_REGISTERS_MAX);
    for (size_t i = 0; i < n; i++)
        assert_true(kept[i].valid);
    town_stop(t);
    rewind(t->log.to);
    said[fread(said, 1, sizeof said - 1, t->log.to)] = '\0';
    assert_non_null(strstr(said, " registers; 640 are read, the other "));
    fclose(t->log.to);
    t->log.to = NULL;
    town_free(t);
    free(rows);
}

/* Load profile 1. */
static struct store_profile profile_of(struct town *t, int64_t meter)
{
    static const uint8_t ln[6] = {1, 0, 99, 1, 0, 255};
    struct store_profile p[STORE_PROFILES_MAX];
    size_t n, k = 0;
    assert_int_equal(store_profiles_get(t->store, meter, p, STORE_PROFILES_MAX, &n), ERR_OK);
    while (k < n && memcmp(p[k].ln, ln, sizeof ln) != 0)
        k++;
    assert_true(k < n);
    return p[k];
}

static void collector_follows_when_the_period_is_changed(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct station *s = town_station(t, "ST402D");
    town_sleep(t, 10 * HOUR);
    const int64_t id = town_add(t, s, STORE_AUTH_HLS5);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    const size_t n = town_n_rows(t, id);
    assert_int_equal(n, 40);
    set_period(s->rig, 300); /* the meter forgets its rows */
    town_live(t, 2 * HOUR, 60);
    assert_good(t, id);
    assert_int_equal(profile_of(t, id).period_s, 300);
    assert_in_range(town_n_rows(t, id), n + 23, n + 25);
    town_free(t);
}

static bool is_waiting(struct town *t, int64_t meter)
{
    const struct meter_state s = town_state(t, meter);
    return s.activity == METER_WAITING && s.next_ms > t->utc_ms;
}

/* Four lines, and eighty meters that take everything and say nothing. */
static void collector_reads_who_answers_when_many_are_silent(void **state)
{
    (void)state;
    struct town *t = town_new();
    t->max_connections = 4;
    struct station *s = town_station(t, "SM402D"), *mute = town_station(t, "SM402D");
    const int64_t id = town_add(t, s, STORE_AUTH_LLS);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    mute->silent = true;
    for (unsigned i = 0; i < 80; i++)
        (void)town_add(t, mute, STORE_AUTH_LLS);
    for (unsigned i = 0; i < 60; i++) {
        town_sleep(t, 5);
        t->hooks.read_now(t->hooks.context, -1); /* only looks at the clock */
        for (unsigned k = 0; k < 60 && (k < 3 || !is_waiting(t, id)); k++)
            uv_run(&t->loop, UV_RUN_ONCE);
        /* every 60 s, and what is late is late by a step or two */
        assert_in_range(t->utc_ms - town_state(t, id).last_ok_ms, 0, 75000);
    }
    assert_int_equal(town_state(t, id).n_failed, 0);
    assert_int_not_equal(town_state(t, t->meter[80]).n_failed, 0); /* they have their turn, too */
    town_free(t);
}

/* ---- a meter made of a table, over TCP ---- */

#define NAME    "0-0:42.0.0.255"
#define PROFILE "1-0:99.1.0.255"
#define IMPORT  "1-0:1.8.0.255"
/* 2026-03-02T00:00:00Z, TOWN_START */
#define START_HEX    "09 0C 07EA 03 02 01 00 00 00 00 0000 00 "
#define NEXT_DAY_HEX "09 0C 07EA 03 03 02 00 00 00 00 0000 00 "
#define CLOCK_COLUMN "02 04 12 0008 09 06 0000010000FF 0F 02 12 0000 "
#define VALUE_COLUMN "02 04 12 0003 09 06 0100010800FF 0F 02 12 0000 "

static struct scripted script;
static struct tcp_server script_tcp;
static uint8_t script_in[4096], script_out[4096];
static size_t script_in_len, script_out_len;

static bool on_open(void *context, size_t i)
{
    (void)context;
    (void)i;
    script_in_len = script_out_len = 0;
    return true;
}

static size_t on_feed(void *context, size_t i, const uint8_t *p, size_t n)
{
    (void)context;
    (void)i;
    assert_true(n <= sizeof script_in - script_in_len);
    memcpy(script_in + script_in_len, p, n);
    script_in_len += n;
    const size_t len = WRAPPER_HEAD_LEN + (script_in_len < WRAPPER_HEAD_LEN
                                               ? sizeof script_in
                                               : (size_t)script_in[6] << 8 | script_in[7]);
    if (script_in_len < len)
        return n;
    struct wr w = wr_of(script_out + WRAPPER_HEAD_LEN, sizeof script_out - WRAPPER_HEAD_LEN);
    scripted_answer(&script, &w,
                    (struct bytes){script_in + WRAPPER_HEAD_LEN, len - WRAPPER_HEAD_LEN});
    struct wr head = wr_of(script_out, WRAPPER_HEAD_LEN);
    wrapper_put_head(&head, 1, 16, (uint16_t)w.len);
    script_out_len = WRAPPER_HEAD_LEN + w.len;
    script_in_len = 0;
    return n;
}

static size_t on_take(void *context, size_t i, uint8_t *to, size_t size)
{
    (void)context;
    (void)i;
    const size_t n = script_out_len < size ? script_out_len : size;
    memcpy(to, script_out, n);
    memmove(script_out, script_out + n, script_out_len - n);
    script_out_len -= n;
    return n;
}

static bool on_shut(void *context, size_t i, uint64_t now_ms)
{
    (void)context;
    (void)i;
    (void)now_ms;
    return false;
}

static void on_close(void *context, size_t i)
{
    (void)context;
    (void)i;
}

/* A register and a profile of a second; its row in the store. */
static int64_t add_scripted(struct town *t)
{
    const struct port_engine engine = {
        .open = on_open, .feed = on_feed, .take = on_take, .closed = on_shut, .close = on_close};
    struct store_meter m = {.client_sap = 16,
                            .server_sap = 1,
                            .timeout_ms = 10000,
                            .register_period_s = 60,
                            .ct_num = 1,
                            .ct_den = 1,
                            .vt_num = 1,
                            .vt_den = 1,
                            .enabled = true};
    scripted_init(&script);
    scripted_value(&script, 1, NAME, 2, "09 03 414243");
    scripted_value(&script, 8, "0-0:1.0.0.255", 2, NEXT_DAY_HEX);
    scripted_value(&script, 15, "0-0:40.0.0.255", 2,
                   "01 02 02 04 12 0007 11 01 09 06 0100630100FF 02 02 01 00 01 00"
                   "02 04 12 0003 11 00 09 06 0100010800FF 02 02 01 00 01 00");
    scripted_value(&script, 3, IMPORT, 2, "06 00000064");
    scripted_value(&script, 3, IMPORT, 3, "02 02 0F 00 16 1E");
    scripted_value(&script, 7, PROFILE, 3, "01 02 " CLOCK_COLUMN VALUE_COLUMN);
    scripted_value(&script, 7, PROFILE, 4, "06 00000001");
    assert_int_equal(tcp_server_listen(&script_tcp, &t->loop, "127.0.0.1:0", &engine), ERR_OK);
    snprintf(m.name, sizeof m.name, "scripted");
    snprintf(m.url, sizeof m.url, "tcp://%.60s", script_tcp.address);
    assert_int_equal(store_meter_add(t->store, &m), ERR_OK);
    t->meter[t->n_meters++] = m.id;
    return m.id;
}

static void end_scripted(struct town *t)
{
    tcp_server_close(&script_tcp);
    town_free(t);
}

static bool add_total(void *context, const struct store_day_total *total)
{
    uint32_t *n = context;
    n[total->day - rig_time(TOWN_START) / DAY_S] = total->n_rows;
    return true;
}

/* Rows of the first day and of the next. */
static void expect_days(struct town *t, int64_t meter, uint32_t first, uint32_t next)
{
    const int64_t day = rig_time(TOWN_START) / DAY_S;
    uint32_t n[2] = {0, 0};
    assert_int_equal(
        store_day_totals_each(t->store, profile_of(t, meter).id, day, day + 1, add_total, n),
        ERR_OK);
    assert_int_equal(n[0], first);
    assert_int_equal(n[1], next);
}

static void expect_register(struct town *t, int64_t meter, int64_t value)
{
    struct store_register r[STORE_REGISTERS_MAX];
    size_t n;
    assert_int_equal(store_registers_get(t->store, meter, r, STORE_REGISTERS_MAX, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_true(r[0].valid);
    assert_int_equal(r[0].value, value);
}

/* n rows a second apart from START_HEX on, then one on the next day. */
static void set_rows(unsigned n)
{
    static uint8_t value[80000];
    uint8_t row[64];
    struct wr w = wr_of(value, sizeof value);
    axdr_put_array(&w, n + 1);
    for (unsigned i = 0; i <= n; i++) {
        const char *hex = i == 0   ? "02 02 " START_HEX "06 00000001"
                          : i == n ? "02 02 " NEXT_DAY_HEX "06 00000001"
                                   : "02 02 00 00";
        wr_bytes(&w, row, hex_octets(hex, row, sizeof row));
    }
    assert_int_equal(w.err, ERR_OK);
    scripted_octets(&script, 7, PROFILE, 2, (struct bytes){value, w.len});
}

static void collector_keeps_the_rest_when_a_day_has_too_many_rows(void **state)
{
    (void)state;
    struct town *t = town_new();
    const int64_t id = add_scripted(t);
    set_rows(DAY_ROWS_MAX + 5);
    town_start(t);
    town_settle(t);
    const struct meter_state s = town_state(t, id);
    assert_false(s.up_to_date);
    assert_int_equal(s.n_failed, 0);
    assert_string_equal(s.error, "profile 1-0:99.1.0.255: a day holds at most 16384 rows");
    expect_days(t, id, DAY_ROWS_MAX, 1);
    expect_register(t, id, 100);
    assert_int_equal(profile_of(t, id).read_ms, 0); /* no mark: all is asked for again */
    const unsigned n = script.n_requests;
    town_live(t, 50, 10);
    assert_int_equal(script.n_requests, n); /* not again and again */
    end_scripted(t);
}

static void collector_keeps_the_rest_when_a_row_is_of_no_year(void **state)
{
    (void)state;
    struct town *t = town_new();
    const int64_t id = add_scripted(t);
    scripted_value(&script, 7, PROFILE, 2,
                   "01 02 02 02 09 0C 07B2 01 01 FF 00 00 00 00 FFC4 00 06 00000001"
                   "02 02 " START_HEX "06 00000002");
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    expect_days(t, id, 1, 0);
    expect_register(t, id, 100);
    end_scripted(t);
}

static void collector_says_what_is_wrong_with_a_profile_until_it_is_well(void **state)
{
    static const char wrong[] = "profile 1-0:99.1.0.255: its rows do not fit its columns";
    (void)state;
    struct town *t = town_new();
    const int64_t id = add_scripted(t);
    scripted_value(&script, 7, PROFILE, 2, "01 01 02 01 " START_HEX);
    scripted_value(&script, 7, PROFILE, 4, "06 00000E10"); /* an hour */
    town_start(t);
    town_settle(t);
    for (unsigned i = 0; i < 10; i++) { /* the registers are read meanwhile */
        assert_string_equal(town_state(t, id).error, wrong);
        assert_false(town_state(t, id).up_to_date);
        town_live(t, 60, 60);
    }
    set_rows(3);
    town_live(t, HOUR, 60);
    assert_good(t, id);
    expect_days(t, id, 3, 1);
    end_scripted(t);
}

static void collector_reads_on_when_the_clock_is_no_longer_told(void **state)
{
    (void)state;
    struct town *t = town_new();
    const int64_t id = add_scripted(t);
    set_rows(3);
    town_start(t);
    town_settle(t);
    assert_good(t, id);
    scripted_refuse(&script, 8, "0-0:1.0.0.255", 2, COSEM_READ_WRITE_DENIED);
    set_rows(4);
    town_live(t, 600, 60);
    assert_good(t, id);
    expect_days(t, id, 4, 1);
    end_scripted(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collector_stores_nothing_of_a_meter_put_in_place_of_another),
        cmocka_unit_test(collector_says_how_many_registers_it_leaves_out),
        cmocka_unit_test(collector_follows_when_the_period_is_changed),
        cmocka_unit_test(collector_reads_who_answers_when_many_are_silent),
        cmocka_unit_test(collector_keeps_the_rest_when_a_day_has_too_many_rows),
        cmocka_unit_test(collector_keeps_the_rest_when_a_row_is_of_no_year),
        cmocka_unit_test(collector_says_what_is_wrong_with_a_profile_until_it_is_well),
        cmocka_unit_test(collector_reads_on_when_the_clock_is_no_longer_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
