/* Meters, counters, registers, users, sessions. */
#include "headend/store/store_parts.h"
#include "tests/headend/store/store_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    rig_make(r);
    rig_open(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rig_remove(*state);
    free(*state);
    return 0;
}

static int64_t add(struct rig *r, const char *name)
{
    struct store_meter m = rig_meter(name);
    assert_int_equal(store_meter_add(r->s, &m), ERR_OK);
    return m.id;
}

/* ---- meters ---- */

static void assert_same(const struct store_meter *a, const struct store_meter *b)
{
    assert_int_equal(a->id, b->id);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->place, b->place);
    assert_string_equal(a->url, b->url);
    assert_int_equal(a->client_sap, b->client_sap);
    assert_int_equal(a->server_sap, b->server_sap);
    assert_int_equal(a->auth, b->auth);
    assert_int_equal(a->security, b->security);
    assert_int_equal(a->timeout_ms, b->timeout_ms);
    assert_int_equal(a->register_period_s, b->register_period_s);
    assert_int_equal(a->ct_num, b->ct_num);
    assert_int_equal(a->ct_den, b->ct_den);
    assert_int_equal(a->vt_num, b->vt_num);
    assert_int_equal(a->vt_den, b->vt_den);
    assert_int_equal(a->enabled, b->enabled);
    assert_int_equal(a->secret_len, b->secret_len);
    assert_memory_equal(a->secret, b->secret, a->secret_len);
}

static struct store_meter full(const char *name)
{
    struct store_meter m = rig_meter(name);
    strcpy(m.place, "Mühle");
    m.client_sap = 65535;
    m.server_sap = 16;
    m.auth = STORE_AUTH_LLS;
    m.security = 0x10;
    m.timeout_ms = UINT32_MAX;
    m.register_period_s = 7;
    m.ct_num = 200;
    m.ct_den = 5;
    m.vt_num = 20000;
    m.vt_den = 100;
    m.enabled = false;
    m.secret_len = 255;
    for (unsigned i = 0; i < 255; i++)
        m.secret[i] = (uint8_t)i;
    return m;
}

static void meter_is_given_back_as_it_was(void **state)
{
    struct rig *r = *state;
    struct store_meter m = full("m"), got;
    assert_int_equal(store_meter_add(r->s, &m), ERR_OK);
    assert_int_equal(m.added_ms, RIG_NOW_MS);
    assert_int_equal(store_meter_get(r->s, m.id, &got), ERR_OK);
    assert_same(&m, &got);
    assert_int_equal(got.added_ms, RIG_NOW_MS);
    assert_int_equal(got.identified_ms, 0);
    assert_string_equal(got.device_name, "");
    assert_int_equal(store_meter_get(r->s, m.id + 1, &got), ERR_NOT_FOUND);
}

static void meter_change_leaves_what_the_meter_said(void **state)
{
    struct rig *r = *state;
    struct store_meter m = rig_meter("m"), got;
    assert_int_equal(store_meter_add(r->s, &m), ERR_OK);
    r->now_ms += 1000;
    assert_int_equal(store_meter_identity(r->s, m.id, "FRS0000000000001", "1"), ERR_OK);
    int64_t id = m.id;
    m = full("other name");
    m.id = id;
    m.added_ms = 1;
    strcpy(m.serial, "lie");
    assert_int_equal(store_meter_change(r->s, &m), ERR_OK);
    assert_int_equal(store_meter_get(r->s, id, &got), ERR_OK);
    assert_same(&m, &got);
    assert_string_equal(got.device_name, "FRS0000000000001");
    assert_string_equal(got.serial, "1");
    assert_int_equal(got.added_ms, RIG_NOW_MS);
    assert_int_equal(got.identified_ms, RIG_NOW_MS + 1000);
    m.secret_len = 0;
    assert_int_equal(store_meter_change(r->s, &m), ERR_OK);
    assert_int_equal(store_meter_get(r->s, id, &got), ERR_OK);
    assert_int_equal(got.secret_len, 0);
}

static void meter_names_are_unique(void **state)
{
    struct rig *r = *state;
    struct store_meter m = rig_meter("a");
    add(r, "a");
    assert_int_equal(store_meter_add(r->s, &m), ERR_REFUSED);
    int64_t b = add(r, "b");
    m.id = b;
    assert_int_equal(store_meter_change(r->s, &m), ERR_REFUSED);
    strcpy(m.name, "c");
    m.id = 99;
    assert_int_equal(store_meter_change(r->s, &m), ERR_NOT_FOUND);
    assert_int_equal(store_meter_identity(r->s, 99, "", ""), ERR_NOT_FOUND);
}

static void meter_numbers_are_never_reused(void **state)
{
    struct rig *r = *state;
    int64_t a = add(r, "a"), b = add(r, "b");
    assert_true(b > a);
    assert_int_equal(store_exec(r->s, "DELETE FROM meter"), ERR_OK);
    assert_int_equal(add(r, "c"), b + 1);
}

static void meter_refuses_what_is_out_of_range(void **state)
{
    struct rig *r = *state;
    struct store_meter m = rig_meter("");
    assert_int_equal(store_meter_add(r->s, &m), ERR_RANGE);
    m = rig_meter("m");
    m.url[0] = 0;
    assert_int_equal(store_meter_add(r->s, &m), ERR_RANGE);
    m = rig_meter("m");
    m.auth = STORE_N_AUTHS;
    assert_int_equal(store_meter_add(r->s, &m), ERR_RANGE);
    m = rig_meter("m");
    m.vt_den = 0;
    assert_int_equal(store_meter_add(r->s, &m), ERR_RANGE);
    memset(m.name, 'x', sizeof m.name); /* without an end */
    m.vt_den = 1;
    assert_int_equal(store_meter_add(r->s, &m), ERR_RANGE);
    assert_int_equal(store_meter_identity(r->s, 1, "123456789012345678901234567890123", ""),
                     ERR_RANGE);
}

static void text_must_be_utf8(void **state)
{
    struct rig *r = *state;
    static const char *const bad[] = {
        "\x80",         "\xC3",  "\xC0\x80",         "\xED\xA0\x80", "\xF5\x80\x80\x80",
        "\xE0\x80\x80", "a\xFF", "\xF0\x80\x80\x80", "\xE2\x82",     "\xF4\x90\x80\x80"};
    static const char *const good[] = {"\xC3\xBC",     "\xE2\x82\xAC",     "\xF0\x9F\x94\x8C",
                                       "\xED\x9F\xBF", "\xF4\x8F\xBF\xBF", "\xE0\xA0\x80"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct store_meter m = rig_meter(bad[i]);
        assert_int_equal(store_meter_add(r->s, &m), ERR_RANGE);
    }
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
        add(r, good[i]);
}

struct names {
    unsigned n, most;
    char name[8][STORE_NAME_MAX + 1];
};

static bool collect(void *context, const struct store_meter *m)
{
    struct names *all = context;
    strcpy(all->name[all->n++], m->name);
    return all->n < all->most;
}

static void meters_come_in_order_of_name_until_told_to_stop(void **state)
{
    struct rig *r = *state;
    struct names all = {.most = 8}, some = {.most = 2};
    add(r, "b");
    add(r, "c");
    add(r, "a");
    assert_int_equal(store_meter_each(r->s, collect, &all), ERR_OK);
    assert_int_equal(all.n, 3);
    assert_string_equal(all.name[0], "a");
    assert_string_equal(all.name[2], "c");
    assert_int_equal(store_meter_each(r->s, collect, &some), ERR_OK);
    assert_int_equal(some.n, 2);
}

static const char *const hostile[] = {
    "'; DROP TABLE meter; --",
    "\"; DELETE FROM user WHERE ''='",
    "<script>alert(1)</script>",
    "%s%n?1:name@x$y",
    "a\nb\r\tc\x01\x7F",
    "[[1,2,3]]\\u0000",
    "Robert'); UPDATE meter SET url='x'",
};

static void text_of_every_field_comes_back_as_it_was(void **state)
{
    struct rig *r = *state;
    char hash[STORE_HASH_MAX];
    struct store_session in = {.made_ms = 1, .ends_ms = RIG_NOW_MS + 1}, out;
    for (unsigned i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        struct store_meter m = rig_meter(hostile[i]), got;
        char user[STORE_USER_MAX + 1] = "";
        strcpy(m.place, hostile[i]);
        strcpy(m.url, hostile[i]);
        strncpy(m.device_name, hostile[i], 32);
        strncat(user, hostile[i], STORE_USER_MAX);
        assert_int_equal(store_meter_add(r->s, &m), ERR_OK);
        assert_int_equal(store_meter_identity(r->s, m.id, m.device_name, m.device_name), ERR_OK);
        assert_int_equal(store_meter_get(r->s, m.id, &got), ERR_OK);
        assert_same(&m, &got);
        assert_string_equal(got.device_name, m.device_name);
        assert_string_equal(got.serial, m.device_name);
        assert_int_equal(store_user_put(r->s, user, hostile[i]), ERR_OK);
        assert_int_equal(store_user_hash(r->s, user, hash), ERR_OK);
        assert_string_equal(hash, hostile[i]);
        in.digest[0] = (uint8_t)i;
        strcpy(in.user, user);
        assert_int_equal(store_session_add(r->s, &in), ERR_OK);
        assert_int_equal(store_session_get(r->s, in.digest, &out), ERR_OK);
        assert_string_equal(out.user, user);
    }
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM meter"), sizeof hostile / sizeof hostile[0]);
    rig_verify(r->s);
}

/* ---- counters ---- */

static void counters_are_given_once(void **state)
{
    struct rig *r = *state;
    uint32_t first;
    int64_t m = add(r, "m"), other = add(r, "n");
    assert_int_equal(store_counter_reserve(r->s, m, 3, 0, 100, &first), ERR_OK);
    assert_int_equal(first, 0);
    assert_int_equal(store_counter_reserve(r->s, m, 3, 50, 10, &first), ERR_OK);
    assert_int_equal(first, 100);
    assert_int_equal(store_counter_reserve(r->s, m, 3, 5000, 10, &first), ERR_OK);
    assert_int_equal(first, 5000);
    assert_int_equal(store_counter_reserve(r->s, m, 1, 0, 10, &first), ERR_OK);
    assert_int_equal(first, 0);
    assert_int_equal(store_counter_reserve(r->s, other, 3, 7, 1, &first), ERR_OK);
    assert_int_equal(first, 7);
    store_close(r->s);
    rig_open(r);
    assert_int_equal(store_counter_reserve(r->s, m, 3, 0, 1, &first), ERR_OK);
    assert_int_equal(first, 5010);
}

static void counters_end_at_2_to_32(void **state)
{
    struct rig *r = *state;
    uint32_t first = 5;
    int64_t m = add(r, "m");
    assert_int_equal(store_counter_reserve(r->s, m, 3, UINT32_MAX - 9, 11, &first), ERR_RANGE);
    assert_int_equal(store_counter_reserve(r->s, m, 3, UINT32_MAX - 9, 10, &first), ERR_OK);
    assert_int_equal(first, UINT32_MAX - 9);
    assert_int_equal(store_counter_reserve(r->s, m, 3, 0, 1, &first), ERR_RANGE);
    assert_non_null(strstr(store_why(r->s), "used up"));
}

static void counters_need_a_meter_a_number_and_no_transaction(void **state)
{
    struct rig *r = *state;
    uint32_t first;
    int64_t m = add(r, "m");
    assert_int_equal(store_counter_reserve(r->s, 99, 3, 0, 1, &first), ERR_NOT_FOUND);
    assert_int_equal(store_counter_reserve(r->s, m, 3, 0, 0, &first), ERR_RANGE);
    assert_int_equal(store_begin(r->s), ERR_OK);
    assert_int_equal(store_counter_reserve(r->s, m, 3, 0, 1, &first), ERR_STATE);
    assert_int_equal(store_commit(r->s, true), ERR_OK);
}

static void rx_floor_is_never_lowered(void **state)
{
    struct rig *r = *state;
    uint32_t floor = 1, first;
    int64_t m = add(r, "m");
    assert_int_equal(store_rx_floor_get(r->s, m, 3, &floor), ERR_OK);
    assert_int_equal(floor, 0);
    assert_int_equal(store_rx_floor_put(r->s, m, 3, 70), ERR_OK);
    assert_int_equal(store_rx_floor_put(r->s, m, 3, 60), ERR_OK);
    assert_int_equal(store_rx_floor_get(r->s, m, 3, &floor), ERR_OK);
    assert_int_equal(floor, 70);
    assert_int_equal(store_rx_floor_put(r->s, m, 3, UINT32_MAX), ERR_OK);
    assert_int_equal(store_counter_reserve(r->s, m, 3, 0, 1, &first), ERR_OK);
    assert_int_equal(first, 0); /* ours and the meter's are two things */
    assert_int_equal(store_rx_floor_get(r->s, m, 3, &floor), ERR_OK);
    assert_int_equal(floor, UINT32_MAX);
    assert_int_equal(store_rx_floor_put(r->s, 99, 3, 1), ERR_NOT_FOUND);
    assert_int_equal(store_rx_floor_clear(r->s, m), ERR_OK); /* but for another meter's sake */
    assert_int_equal(store_rx_floor_get(r->s, m, 3, &floor), ERR_OK);
    assert_int_equal(floor, 0);
}

/* ---- registers ---- */

static struct store_register reg(uint8_t c, uint8_t d)
{
    return (struct store_register){.ln = {1, 0, c, d, 0, 255},
                                   .class_id = 3,
                                   .attribute = 2,
                                   .scaler = -1,
                                   .unit = 30,
                                   .mul_num = 1,
                                   .mul_den = 1};
}

static struct store_register value_of(uint8_t c, uint8_t d, int64_t value, int64_t at_ms)
{
    struct store_register r = reg(c, d);
    r.valid = true;
    r.value = value;
    r.at_ms = at_ms;
    return r;
}

static void registers_keep_their_newest_value(void **state)
{
    struct rig *r = *state;
    int64_t m = add(r, "m"), at;
    struct store_register list[] = {reg(200, 7), reg(1, 8), reg(2, 8)}, got[8];
    size_t n;
    assert_int_equal(store_registers_define(r->s, m, list, 3), ERR_OK);
    assert_int_equal(store_registers_newest(r->s, m, &at), ERR_OK);
    assert_int_equal(at, 0);
    struct store_register in[] = {value_of(1, 8, 12345, 1000), value_of(9, 9, 1, 9000),
                                  value_of(200, 7, -7, 2000)};
    assert_int_equal(store_registers_put(r->s, m, in, 3), ERR_OK);
    struct store_register refused = reg(1, 8);
    refused.result = 3;
    assert_int_equal(store_registers_put(r->s, m, &refused, 1), ERR_OK);
    assert_int_equal(store_registers_get(r->s, m, got, 8, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_int_equal(got[0].ln[2], 1);
    assert_true(got[0].valid && got[0].value == 12345 && got[0].at_ms == 1000);
    assert_int_equal(got[0].result, 3);
    assert_int_equal(got[1].ln[2], 2);
    assert_false(got[1].valid);
    assert_int_equal(got[2].ln[2], 200);
    assert_true(got[2].valid && got[2].value == -7 && got[2].scaler == -1 && got[2].unit == 30);
    assert_int_equal(store_registers_newest(r->s, m, &at), ERR_OK);
    assert_int_equal(at, 2000);
    assert_int_equal(store_registers_get(r->s, m, got, 2, &n), ERR_OK);
    assert_int_equal(n, 2);
    in[0].value = 12346; /* a success clears the result */
    assert_int_equal(store_registers_put(r->s, m, in, 1), ERR_OK);
    assert_int_equal(store_registers_get(r->s, m, got, 8, &n), ERR_OK);
    assert_int_equal(got[0].result, 0);
}

static bool count_line(void *context, const struct store_meter_line *line)
{
    struct store_meter_line *seen = context; /* of three */
    size_t i = 0;
    while (i < 2 && seen[i].meter.id != 0)
        i++;
    seen[i] = *line;
    return true;
}

static void meter_lines_show_newest_and_what_is_asked(void **state)
{
    static const uint8_t asked[STORE_SHOWN][6] = {
        {1, 0, 2, 8, 0, 255}, {1, 0, 1, 8, 0, 255}, {1, 0, 3, 8, 0, 255}};
    struct rig *r = *state;
    struct store_meter_line seen[3] = {0}, one;
    const int64_t b = add(r, "b"), a = add(r, "a"), c = add(r, "c");
    const struct store_register list[] = {reg(1, 8), reg(2, 8), reg(3, 8)};
    assert_int_equal(store_registers_define(r->s, b, list, 3), ERR_OK);
    assert_int_equal(store_registers_define(r->s, c, list, 1), ERR_OK);
    const struct store_register in[] = {value_of(1, 8, 77, 1000), value_of(3, 8, 5, 3000)};
    assert_int_equal(store_registers_put(r->s, b, in, 2), ERR_OK);
    assert_int_equal(store_meter_line_each(r->s, asked, count_line, seen), ERR_OK);
    assert_true(seen[0].meter.id == a && seen[1].meter.id == b && seen[2].meter.id == c);
    assert_string_equal(seen[1].meter.name, "b");
    assert_int_equal(seen[0].newest_ms, 0);
    assert_int_equal(seen[0].shown[0].class_id, 0); /* a has none at all */
    assert_int_equal(seen[1].newest_ms, 3000);      /* of the last one */
    assert_true(seen[1].shown[0].class_id == 3 && !seen[1].shown[0].valid);
    assert_true(seen[1].shown[1].valid && seen[1].shown[1].value == 77);
    assert_int_equal(seen[1].shown[1].ln[2], 1);
    assert_true(seen[1].shown[2].valid && seen[1].shown[2].value == 5);
    assert_true(seen[2].shown[0].class_id == 0 && seen[2].shown[1].class_id == 3);
    assert_int_equal(store_meter_line_get(r->s, b, asked, &one), ERR_OK);
    assert_memory_equal(&one.shown[1], &seen[1].shown[1], sizeof one.shown[1]);
    assert_true(one.meter.id == b && one.newest_ms == 3000);
    assert_int_equal(store_meter_line_get(r->s, 99, asked, &one), ERR_NOT_FOUND);
}

static void newest_goes_back_with_the_values(void **state)
{
    struct rig *r = *state;
    const int64_t m = add(r, "m");
    int64_t at;
    const struct store_register list[] = {reg(1, 8), reg(2, 8)};
    struct store_register in[] = {value_of(1, 8, 1, 5000), value_of(2, 8, 2, 6000)};
    assert_int_equal(store_registers_define(r->s, m, list, 2), ERR_OK);
    assert_int_equal(store_registers_put(r->s, m, in, 2), ERR_OK);
    in[1].at_ms = 4000; /* the clock was set back */
    assert_int_equal(store_registers_put(r->s, m, in + 1, 1), ERR_OK);
    assert_int_equal(store_registers_newest(r->s, m, &at), ERR_OK);
    assert_int_equal(at, 5000);
    assert_int_equal(store_registers_define(r->s, m, list + 1, 1), ERR_OK); /* the other goes */
    assert_int_equal(store_registers_newest(r->s, m, &at), ERR_OK);
    assert_int_equal(at, 4000);
    assert_int_equal(store_registers_define(r->s, m, list, 0), ERR_OK);
    assert_int_equal(store_registers_newest(r->s, m, &at), ERR_OK);
    assert_int_equal(at, 0);
    assert_int_equal(store_registers_put(r->s, 99, in, 2), ERR_OK); /* nobody's: left out */
}

static void registers_defined_again_keep_values_where_the_meaning_stays(void **state)
{
    struct rig *r = *state;
    int64_t m = add(r, "m");
    struct store_register list[] = {value_of(1, 8, 10, 1), value_of(2, 8, 20, 1),
                                    value_of(3, 8, 30, 1)};
    struct store_register got[8];
    size_t n;
    assert_int_equal(store_registers_define(r->s, m, list, 3), ERR_OK);
    assert_int_equal(store_registers_put(r->s, m, list, 3), ERR_OK);
    list[1].scaler = 0;
    list[2] = reg(4, 8);
    assert_int_equal(store_registers_define(r->s, m, list, 3), ERR_OK);
    assert_int_equal(store_registers_get(r->s, m, got, 8, &n), ERR_OK);
    assert_int_equal(n, 3);
    assert_true(got[0].valid && got[0].value == 10);
    assert_false(got[1].valid); /* 20 would be another amount now */
    assert_int_equal(got[1].scaler, 0);
    assert_int_equal(got[2].ln[2], 4);
    assert_int_equal(store_registers_define(r->s, m, NULL, 0), ERR_OK);
    assert_int_equal(store_registers_get(r->s, m, got, 8, &n), ERR_OK);
    assert_int_equal(n, 0);
}

static void registers_refuse_too_many_and_no_meter(void **state)
{
    struct rig *r = *state;
    struct store_register list[STORE_REGISTERS_MAX + 1], got[STORE_REGISTERS_MAX];
    size_t n;
    int64_t m = add(r, "m");
    for (unsigned i = 0; i <= STORE_REGISTERS_MAX; i++)
        list[i] = reg((uint8_t)(i >> 8), (uint8_t)i);
    assert_int_equal(store_registers_define(r->s, m, list, STORE_REGISTERS_MAX + 1), ERR_RANGE);
    assert_int_equal(store_registers_define(r->s, m, list, STORE_REGISTERS_MAX), ERR_OK);
    list[5].mul_den = 0;
    list[4].scaler = 5;
    assert_int_equal(store_registers_define(r->s, m, list, 6), ERR_RANGE);
    assert_int_equal(store_registers_get(r->s, m, got, STORE_REGISTERS_MAX, &n), ERR_OK);
    assert_int_equal(n, STORE_REGISTERS_MAX);
    assert_int_equal(got[4].scaler, -1);
    assert_int_equal(store_registers_define(r->s, 99, list, 1), ERR_NOT_FOUND);
}

static void view_of_latest_values_is_scaled(void **state)
{
    struct rig *r = *state;
    int64_t m = add(r, "m");
    struct store_register list[] = {value_of(1, 8, 1234, RIG_NOW_MS),
                                    value_of(2, 8, 5, RIG_NOW_MS)};
    list[1].scaler = 3;
    list[1].mul_num = 7;
    list[1].mul_den = 2;
    assert_int_equal(store_registers_define(r->s, m, list, 2), ERR_OK);
    assert_int_equal(store_registers_put(r->s, m, list, 2), ERR_OK);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM v_latest WHERE meter='m' AND "
                                "obis='1-0:1.8.0.255' AND value=123.4 AND unit='Wh' AND "
                                "at='2026-11-21 06:05:00' AND result=0"),
                     1);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM v_latest WHERE value=17500.0"), 1);
}

/* ---- users and sessions ---- */

static struct store_session session(const char *user, uint8_t number, int64_t ends_ms)
{
    struct store_session s = {
        .digest = {number}, .csrf = {number, 1}, .made_ms = 5, .seen_ms = 6, .ends_ms = ends_ms};
    strcpy(s.user, user);
    return s;
}

static void user_is_counted_changed_and_found(void **state)
{
    struct rig *r = *state;
    char hash[STORE_HASH_MAX], long_text[STORE_HASH_MAX + 1];
    uint32_t n = 9;
    assert_int_equal(store_user_count(r->s, &n), ERR_OK);
    assert_int_equal(n, 0);
    assert_int_equal(store_user_put(r->s, "admin", "$argon2id$1"), ERR_OK);
    assert_int_equal(store_user_put(r->s, "admin", "$argon2id$2"), ERR_OK);
    assert_int_equal(store_user_count(r->s, &n), ERR_OK);
    assert_int_equal(n, 1);
    assert_int_equal(store_user_hash(r->s, "admin", hash), ERR_OK);
    assert_string_equal(hash, "$argon2id$2");
    assert_int_equal(store_user_hash(r->s, "Admin", hash), ERR_NOT_FOUND);
    assert_string_equal(hash, "");
    memset(long_text, 'x', STORE_HASH_MAX);
    long_text[STORE_HASH_MAX] = 0;
    assert_int_equal(store_user_put(r->s, "admin", long_text), ERR_RANGE);
    long_text[STORE_USER_MAX + 1] = 0;
    assert_int_equal(store_user_put(r->s, long_text, "h"), ERR_RANGE);
    assert_int_equal(store_user_put(r->s, "", "h"), ERR_RANGE);
}

static void session_lives_from_add_to_end(void **state)
{
    struct rig *r = *state;
    struct store_session in = session("admin", 1, RIG_NOW_MS + 1000), out;
    assert_int_equal(store_session_add(r->s, &in), ERR_NOT_FOUND);
    assert_int_equal(store_user_put(r->s, "admin", "h"), ERR_OK);
    assert_int_equal(store_session_add(r->s, &in), ERR_OK);
    assert_int_equal(store_session_add(r->s, &in), ERR_REFUSED);
    assert_int_equal(store_session_get(r->s, in.digest, &out), ERR_OK);
    assert_memory_equal(in.digest, out.digest, sizeof in.digest);
    assert_memory_equal(in.csrf, out.csrf, sizeof in.csrf);
    assert_string_equal(out.user, "admin");
    assert_true(out.made_ms == 5 && out.seen_ms == 6 && out.ends_ms == in.ends_ms);
    assert_int_equal(store_session_seen(r->s, in.digest, 77), ERR_OK);
    assert_int_equal(store_session_get(r->s, in.digest, &out), ERR_OK);
    assert_int_equal(out.seen_ms, 77);
    assert_int_equal(store_session_end(r->s, in.digest), ERR_OK);
    assert_int_equal(store_session_get(r->s, in.digest, &out), ERR_NOT_FOUND);
    assert_int_equal(store_session_seen(r->s, in.digest, 78), ERR_NOT_FOUND);
    assert_int_equal(store_session_end(r->s, in.digest), ERR_NOT_FOUND);
}

static void session_ends_by_time_and_by_a_new_password(void **state)
{
    struct rig *r = *state;
    struct store_session a = session("admin", 1, RIG_NOW_MS + 1000),
                         b = session("admin", 2, RIG_NOW_MS + 9000),
                         c = session("eve", 3, RIG_NOW_MS + 9000), out;
    assert_int_equal(store_user_put(r->s, "admin", "h"), ERR_OK);
    assert_int_equal(store_user_put(r->s, "eve", "h"), ERR_OK);
    assert_int_equal(store_session_add(r->s, &a), ERR_OK);
    r->now_ms += 1000;
    assert_int_equal(store_session_get(r->s, a.digest, &out), ERR_NOT_FOUND);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM session"), 1);
    assert_int_equal(store_session_add(r->s, &b), ERR_OK);
    assert_int_equal(store_session_add(r->s, &c), ERR_OK);
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM session"), 2);
    assert_int_equal(store_user_put(r->s, "admin", "new"), ERR_OK);
    assert_int_equal(store_session_get(r->s, b.digest, &out), ERR_NOT_FOUND);
    assert_int_equal(store_session_get(r->s, c.digest, &out), ERR_OK);
}

static void session_beyond_twenty_drops_the_oldest(void **state)
{
    struct rig *r = *state;
    struct store_session out;
    assert_int_equal(store_user_put(r->s, "admin", "h"), ERR_OK);
    assert_int_equal(store_user_put(r->s, "eve", "h"), ERR_OK);
    struct store_session other = session("eve", 200, RIG_NOW_MS + 1);
    assert_int_equal(store_session_add(r->s, &other), ERR_OK);
    for (uint8_t k = 0; k < 23; k++) {
        struct store_session s = session("admin", k, RIG_NOW_MS + 1000);
        assert_int_equal(store_session_add(r->s, &s), ERR_OK);
    }
    assert_int_equal(rig_sql(r, "SELECT count(*) FROM session"), 21);
    for (uint8_t k = 0; k < 23; k++) {
        struct store_session s = session("admin", k, 0);
        assert_int_equal(store_session_get(r->s, s.digest, &out), k < 3 ? ERR_NOT_FOUND : ERR_OK);
    }
    assert_int_equal(store_session_get(r->s, other.digest, &out), ERR_OK);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(meter_is_given_back_as_it_was),
        T(meter_change_leaves_what_the_meter_said),
        T(meter_names_are_unique),
        T(meter_numbers_are_never_reused),
        T(meter_refuses_what_is_out_of_range),
        T(text_must_be_utf8),
        T(meters_come_in_order_of_name_until_told_to_stop),
        T(text_of_every_field_comes_back_as_it_was),
        T(counters_are_given_once),
        T(counters_end_at_2_to_32),
        T(counters_need_a_meter_a_number_and_no_transaction),
        T(rx_floor_is_never_lowered),
        T(registers_keep_their_newest_value),
        T(meter_lines_show_newest_and_what_is_asked),
        T(newest_goes_back_with_the_values),
        T(registers_defined_again_keep_values_where_the_meaning_stays),
        T(registers_refuse_too_many_and_no_meter),
        T(view_of_latest_values_is_scaled),
        T(user_is_counted_changed_and_found),
        T(session_lives_from_add_to_end),
        T(session_ends_by_time_and_by_a_new_password),
        T(session_beyond_twenty_drops_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
