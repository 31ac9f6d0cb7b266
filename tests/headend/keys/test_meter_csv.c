/* Meters from a table into a real store: what is added, what is refused and where, what is told. */
#include "headend/keys/meter_csv.h"
#include "headend/keys/meter_secret.h"

#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f"
#define KEY_B "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"

static char folder[] = "/tmp/ferraris-csv-XXXXXX";
static struct server_clock now;
static struct store *store;
static const struct seal_key key = {{42}};
static struct meter_csv_result result;
static char why[300], told[2000];

static int enter(void **state)
{
    (void)state;
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
    now = server_clock_system();
    if (mkdtemp(folder) == NULL)
        return -1;
    const struct store_options o = {.dir = folder, .clock = &now};
    return store_open(&store, &o, why, sizeof why) == ERR_OK ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    char command[64];
    store_close(store);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* "line:name:ok" or "line:name:message" of each row, semicolons between. */
static void tell(void *context, const struct meter_csv_row *row)
{
    const size_t at = strlen(told);
    assert_ptr_equal(context, told);
    snprintf(told + at, sizeof told - at, "%u:%s:%s;", row->line, row->name,
             row->ok ? "ok" : row->message);
    assert_true(row->ok || strncmp(row->message, row->field, strlen(row->field)) == 0);
}

static enum err import(const char *text, bool dry_run)
{
    const struct meter_csv_options o = {.store = store,
                                        .key = &key,
                                        .clock = &now,
                                        .dry_run = dry_run,
                                        .row = tell,
                                        .context = told};
    told[0] = why[0] = '\0';
    return meter_csv_import(&o, (struct bytes){(const uint8_t *)text, strlen(text)}, &result, why,
                            sizeof why);
}

struct search {
    const char *name;
    struct store_meter found;
    unsigned n;
};

static bool look(void *context, const struct store_meter *m)
{
    struct search *s = context;
    if (strcmp(m->name, s->name) == 0)
        s->found = *m;
    s->n++;
    return true;
}

static struct store_meter meter(const char *name)
{
    struct search s = {.name = name};
    assert_int_equal(store_meter_each(store, look, &s), ERR_OK);
    if (s.found.id == 0)
        fail_msg("no meter '%s'", name);
    return s.found;
}

static unsigned n_meters(void)
{
    struct search s = {.name = ""};
    assert_int_equal(store_meter_each(store, look, &s), ERR_OK);
    return s.n;
}

static void meter_csv_takes_every_column(void **state)
{
    (void)state;
    assert_int_equal(import("password,gak,guek,enabled,vt,ct,register_period_s,timeout_s,security,"
                            "auth,server,client,place,url,name\r\n"
                            " secret ," KEY_B "," KEY_A ",no,20000/100,200/5,5,7,authenc,hls5,2,3,"
                            "\"Mill, north\",tcp://[::1]:4059, Mill Lane 12 \r\n",
                            false),
                     ERR_OK);
    assert_string_equal(told, "2:Mill Lane 12:ok;");
    const struct store_meter m = meter("Mill Lane 12");
    assert_string_equal(m.url, "tcp://[::1]:4059");
    assert_string_equal(m.place, "Mill, north");
    assert_int_equal(m.client_sap, 3);
    assert_int_equal(m.server_sap, 2);
    assert_int_equal(m.auth, STORE_AUTH_HLS5);
    assert_int_equal(m.security, DLMS_SC_AUTH | DLMS_SC_ENC);
    assert_int_equal(m.timeout_ms, 7000);
    assert_int_equal(m.register_period_s, 5);
    assert_true(m.ct_num == 200 && m.ct_den == 5 && m.vt_num == 20000 && m.vt_den == 100);
    assert_false(m.enabled);
    assert_true(m.added_ms > 0);
    struct meter_secret s;
    assert_int_equal(meter_secret_get(&key, &m, &s), ERR_OK);
    assert_string_equal(s.password, " secret "); /* spaces are part of it */
    assert_true(s.keys.has_guek && s.keys.has_gak && !s.keys.has_kek);
    for (uint8_t i = 0; i < 16; i++)
        assert_true(s.keys.guek[i] == i && s.keys.gak[i] == 0xD0 + i);
}

static void meter_csv_fills_in_defaults(void **state)
{
    (void)state;
    assert_int_equal(import("\xEF\xBB\xBFName;URL;ct;enabled\na;tcp://h:1;40;\n"
                            "b;tcp://h:2\n\n\"c;d\";tcp://h:3;;TRUE\n",
                            false),
                     ERR_OK);
    assert_string_equal(told, "2:a:ok;3:b:ok;5:c;d:ok;");
    assert_int_equal(result.n_added, 3);
    const struct store_meter a = meter("a"), b = meter("b");
    assert_true(a.ct_num == 40 && a.ct_den == 1 && b.ct_num == 1);
    assert_true(a.client_sap == 16 && a.server_sap == 1 && a.enabled && a.secret_len == 0);
    assert_true(a.timeout_ms == 10000 && a.register_period_s == 60);
    assert_int_equal(a.auth, STORE_AUTH_NONE);
}

static void meter_csv_refuses_rows_by_line_and_column(void **state)
{
    (void)state;
    assert_int_equal(import("url,name,auth,client,guek,ct,security,enabled,password\n"
                            "http://x,a\n"
                            "tcp://h:1,\n"
                            "tcp://h:1,b,hls9\n"
                            "tcp://h:1,c,lls\n"
                            "tcp://h:1,d,,70000\n"
                            "tcp://h:1,e,,3x\n"
                            "tcp://h:1,f,,,abc\n"
                            "tcp://h:1,g,,,,1:5\n"
                            "tcp://h:1,h,,,,,both\n"
                            "tcp://h:1,i,,,,,,maybe\n"
                            "tcp://h:1,j,,,,,,,,extra\n"
                            "tcp://h:1,\"k\nl\"\n"
                            "tcp://h:1,\"m\"n\n"
                            "tcp://h:1,good\n"
                            "tcp://h:2,good\n",
                            false),
                     ERR_OK);
    static const char *const expected[] = {
        "2:a:url does not begin with tcp://;",
        "3::name is empty;",
        "4:b:auth is not one of none, lls, hls5;",
        "5:c:password is missing",
        "6:d:client is not a whole number in its range;",
        "7:e:client is not a whole number;",
        "8:f:guek is not a key of 32 hex digits;",
        "9:g:ct is not a ratio",
        "10:h:security is not one of",
        "11:i:enabled is not true or false;",
        "12::the row has more fields",
        "13::name is not UTF-8 text without control characters;",
        "15::something stands behind a closing quote;",
        "16:good:ok;",
        "17:good:name is taken by another meter;",
    };
    const char *at = told;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        at = strstr(at, expected[i]);
        if (at == NULL)
            fail_msg("'%s' is not told, or too late, in %s", expected[i], told);
    }
    assert_int_equal(result.n_added, 1);
    assert_int_equal(result.n_refused, 14);
    assert_int_equal(n_meters(), 1);
}

static void meter_csv_never_tells_a_secret(void **state)
{
    (void)state;
    assert_int_equal(import("name,url,guek,gak,password\n"
                            "a,tcp://h:1,00010203zz,,hunter2hunter2\n"
                            "b,bad," KEY_A "," KEY_B ",hunter2hunter2\n",
                            false),
                     ERR_OK);
    assert_int_equal(result.n_refused, 2);
    assert_null(strstr(told, "hunter2"));
    assert_null(strstr(told, "000102"));
}

static void meter_csv_dry_run_judges_alike_and_adds_nothing(void **state)
{
    (void)state;
    static const char text[] = "name,url\na,tcp://h:1\na,tcp://h:2\nb,bad\n";
    char dry[sizeof told];
    assert_int_equal(import(text, true), ERR_OK);
    assert_true(result.n_added == 1 && result.n_refused == 2);
    assert_int_equal(n_meters(), 0);
    memcpy(dry, told, sizeof dry);
    assert_int_equal(import(text, false), ERR_OK);
    assert_string_equal(told, dry);
    assert_int_equal(n_meters(), 1);
    assert_int_equal(import(text, false), ERR_OK); /* again: now all are taken or bad */
    assert_true(result.n_added == 0 && result.n_refused == 3);
    assert_int_equal(n_meters(), 1);
}

static void meter_csv_refuses_a_wrong_header(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", "there is none"},
        {"\n \n", "there is none"},
        {"name,place\n", "'url'"},
        {"url\n", "'name'"},
        {"name,url,colour\n", "'colour'"},
        {"name,url,name\n", "'name'"},
        {"name,url,\n", "unknown column ''"},
        {"000102030405060708090a0b0c0d0e0f,tcp://h:1\n", "column that is no name: the first line"},
        {"hunter22,tcp://h:1\n", "column that is no name: the first line"},
        {"name,\"url\n", "not closed"},
        {"a,tcp://h:1\n", "unknown column 'a'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(import(bad[i][0], false), ERR_FORMAT);
        if (strstr(why, bad[i][1]) == NULL)
            fail_msg("'%s': %s", bad[i][0], why);
        assert_string_equal(told, "");
    }
}

int main(void)
{
#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter, leave)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(meter_csv_takes_every_column),
        IN_FOLDER(meter_csv_fills_in_defaults),
        IN_FOLDER(meter_csv_refuses_rows_by_line_and_column),
        IN_FOLDER(meter_csv_never_tells_a_secret),
        IN_FOLDER(meter_csv_dry_run_judges_alike_and_adds_nothing),
        IN_FOLDER(meter_csv_refuses_a_wrong_header),
    };
    return cmocka_run_group_tests_name("keys/meter_csv", tests, NULL, NULL);
}
