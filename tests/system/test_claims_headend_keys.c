/* The keys of meters in the head-end: after they came in by every road there is (form, change,
 * table, and requests that were refused), they are looked for, as octets, hex and base64, in all
 * that the head-end writes or says: each file of its data while it runs and after, a backup, its
 * log at its most talkative, and each answer and export of the API. */
#define _GNU_SOURCE /* memmem */
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LEN   16
#define N_SECRETS 10
#define PROFILE   "/api/v1/meters/1/profiles/1-0:99.1.0.255/"

/* One secret in each form it might be met in. */
struct secret {
    char hex[2 * KEY_LEN + 1]; /* small letters; "" when it is a text */
    uint8_t raw[32];
    size_t n_raw;
    char base64[28]; /* without the end, which depends on what follows */
};

static struct secret secrets[N_SECRETS];
static size_t n_secrets;
static size_t n_looked; /* octets looked through */

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

/* ---- secrets ---- */

static void to_base64(const uint8_t *p, size_t n, char *out)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i + 3 <= n; i += 3) {
        const uint32_t x = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        for (unsigned k = 0; k < 4; k++)
            *out++ = digit[x >> (18 - 6 * k) & 63];
    }
    *out = '\0';
}

static void add_text(const char *text)
{
    struct secret *s = &secrets[n_secrets++];
    assert_true(n_secrets <= N_SECRETS);
    s->n_raw = strlen(text);
    assert_in_range(s->n_raw, 8, sizeof s->raw);
    memcpy(s->raw, text, s->n_raw);
    to_base64(s->raw, s->n_raw, s->base64);
}

static void add_key(const char *hex)
{
    struct secret *s = &secrets[n_secrets++];
    assert_true(n_secrets <= N_SECRETS);
    for (size_t i = 0; i < KEY_LEN; i++) {
        unsigned octet;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet), 1);
        s->raw[i] = (uint8_t)octet;
        snprintf(s->hex + 2 * i, 3, "%02x", octet);
    }
    s->n_raw = KEY_LEN;
    to_base64(s->raw, s->n_raw, s->base64);
}

/* `low` is `p` in small letters. */
static bool holds(const struct secret *s, const char *p, const char *low, size_t n)
{
    return memmem(p, n, s->raw, s->n_raw) != NULL ||
           (s->hex[0] != '\0' && memmem(low, n, s->hex, strlen(s->hex)) != NULL) ||
           memmem(p, n, s->base64, strlen(s->base64)) != NULL;
}

/* Number of secrets that stand in there. */
static size_t n_found(const char *p, size_t n)
{
    size_t found = 0;
    char *low = malloc(n + 1);
    assert_non_null(low);
    for (size_t i = 0; i < n; i++)
        low[i] = (char)tolower((unsigned char)p[i]);
    for (size_t k = 0; k < n_secrets; k++)
        found += holds(&secrets[k], p, low, n);
    free(low);
    n_looked += n;
    return found;
}

static size_t n_in_file(const char *name)
{
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    const long n = ftell(f);
    assert_true(n >= 0);
    rewind(f);
    char *p = malloc((size_t)n + 1);
    assert_non_null(p);
    const size_t got = fread(p, 1, (size_t)n, f);
    fclose(f);
    const size_t found = n_found(p, got);
    free(p);
    return found;
}

/* ---- where they are looked for ---- */

static unsigned clean_folder(const char *dir)
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] == '.')
            continue;
        if (n_in_file(path) != 0)
            fail_msg("a secret stands in %s", path);
        n++;
    }
    closedir(d);
    return n;
}

/* Asks, and looks through the whole answer. */
static void clean_answer(struct head_end *h, const char *method, const char *path, const char *type,
                         const char *body, int status)
{
    struct http_answer a = http_ask(&h->api, method, path, type, body);
    if (a.status != status)
        fail_msg("%s %s: %d, not %d: %s", method, path, a.status, status, a.body);
    if (n_found(a.head, strlen(a.head)) != 0 || n_found(a.body, a.body_len) != 0)
        fail_msg("a secret stands in the answer to %s %s", method, path);
    http_answer_free(&a);
}

static void clean_answers(struct head_end *h)
{
    static const char *const paths[] = {"/health",
                                        "/",
                                        "/api/v1/openapi.json",
                                        "/api/v1/session",
                                        "/api/v1/meters",
                                        "/api/v1/meters/1",
                                        "/api/v1/meters/2",
                                        "/api/v1/meters/1/registers",
                                        "/api/v1/meters/2/registers",
                                        "/api/v1/meters/1/profiles",
                                        PROFILE "values?from=1767225600&to=1767312001",
                                        PROFILE "values?from=1767225600&to=1767312001&format=csv",
                                        PROFILE "days?from=1767225600&to=1767312001"};
    for (size_t k = 0; k < sizeof paths / sizeof paths[0]; k++)
        clean_answer(h, "GET", paths[k], NULL, NULL, 200);
}

/* As docs/HEADEND.md says, beside the running head-end; master.key stays elsewhere. */
static void back_up(void)
{
    sqlite3 *from, *to;
    assert_int_equal(system("mkdir -m 700 backup"), 0);
    assert_int_equal(sqlite3_open_v2("data/ferraris.db", &from, SQLITE_OPEN_READONLY, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_open("backup/ferraris.db", &to), SQLITE_OK);
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    assert_non_null(b);
    assert_int_equal(sqlite3_backup_step(b, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(b), SQLITE_OK);
    sqlite3_stmt *ask;
    assert_int_equal(sqlite3_prepare_v2(to, "SELECT count(secret) FROM meter", -1, &ask, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(ask), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(ask, 0), 3); /* they are in it, sealed */
    sqlite3_finalize(ask);
    sqlite3_close(to);
    sqlite3_close(from);
}

/* ---- how they come in ---- */

static void line_of(const char *text, const char *name, char *out)
{
    const char *at = strstr(text, name);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(name), " = %40s", out), 1);
}

/* The meter's own keys and password, and others that no meter has. */
static void know_secrets(void)
{
    char guek[41], gak[41], password[41];
    char *text = file_text("keys");
    line_of(text, "guek", guek);
    line_of(text, "\ngak", gak);
    line_of(text, "password", password);
    add_key(guek);
    add_key(gak);
    add_text(password);
    free(text);
    add_key("c3a1905e77d24b8f9be2605d18f4a07c");
    add_key("5f2e8cb01746d93ae8127cb46f90d35b");
    add_key("9d07e4b2c85f613a44be72190cd5f8e6");
    add_text("table-password-71");
    add_text("changed-password-38");
}

/* Keys that cannot be: the refusal does not repeat them. */
static void be_refused(struct head_end *h)
{
    static const char json[] = "application/json";
    clean_answer(h, "POST", "/api/v1/meters", json,
                 "{\"name\":\"long\",\"url\":\"tcp://127.0.0.1:9\",\"keys\":{\"guek\":"
                 "\"c3a1905e77d24b8f9be2605d18f4a07c00\"}}",
                 422);
    clean_answer(h, "POST", "/api/v1/meters", json,
                 "{\"name\":\"where\",\"url\":\"tcp://127.0.0.1:9\",\"guek\":"
                 "\"c3a1905e77d24b8f9be2605d18f4a07c\"}",
                 422);
    clean_answer(h, "POST", "/api/v1/meters", json,
                 "{\"name\":\"cut\",\"keys\":{\"gak\":\"5f2e8cb01746d93ae8127cb46f90d35b\"", 400);
    clean_answer(h, "POST", "/api/v1/meters/import", "text/csv",
                 "name,url,guek,gak,password\r\n"
                 "odd,tcp://127.0.0.1:9,5f2e8cb01746d93ae8127cb46f90d35bzz,x,table-password-71\r\n"
                 "odd 2,5f2e8cb01746d93ae8127cb46f90d35b,tcp://127.0.0.1:9,,\r\n",
                 200);
}

/* By form (the meter that is read), by table, by change. */
static void come_in(struct head_end *h, const struct meter_process *m)
{
    char *text = file_text("keys"), password[41];
    line_of(text, "password", password);
    free(text);
    assert_int_equal(
        head_end_add(h, "read", m->url, "keys", json_pack("{s:s}", "password", password)), 1);
    clean_answer(h, "POST", "/api/v1/meters/import", "text/csv",
                 "name,url,client,auth,security,guek,gak,password\r\n"
                 "table,tcp://127.0.0.1:9,3,hls5,authenc,c3a1905e77d24b8f9be2605d18f4a07c,"
                 "5f2e8cb01746d93ae8127cb46f90d35b,\r\n"
                 "table 2,tcp://127.0.0.1:9,2,lls,none,,,table-password-71\r\n",
                 200);
    clean_answer(h, "PATCH", "/api/v1/meters/2", "application/json",
                 "{\"keys\":{\"guek\":\"9d07e4b2c85f613a44be72190cd5f8e6\",\"gak\":"
                 "\"5f2e8cb01746d93ae8127cb46f90d35b\"},\"password\":\"changed-password-38\"}",
                 200);
}

static void claim_SIMS_KEYSTORE(void **state)
{
    struct meter_process m;
    struct head_end h = {.log = "debug"};
    (void)state;
    meter_start(&m, "--model", "SM402D", "--level", "window", "--start", "2026-01-01T00:00:00Z",
                "--fast-forward", "1d", "--speed", "0", "--keys", "keys", NULL);
    know_secrets();
    assert_int_equal(n_in_file("keys"), 3); /* who looks can find */
    n_looked = 0;
    head_end_start(&h, "data", NULL);
    add_text(h.password); /* not a key, but kept no worse */
    come_in(&h, &m);
    be_refused(&h);
    head_end_await(&h, 1); /* the keys were used */
    clean_answers(&h);
    assert_true(clean_folder("data") >= 4); /* store, its log and index, lock, master.key */
    back_up();
    assert_int_equal(clean_folder("backup"), 1);
    head_end_stop(&h);
    (void)clean_folder("data");
    assert_int_equal(n_in_file(h.err_name), 0);
    assert_true(n_looked > 100000);

    /* what was copied without master.key gives nothing to anybody, the head-end included */
    struct outcome o =
        ferraris("headend", "run", "--data", "backup", "--listen", "127.0.0.1:0", NULL);
    assert_int_not_equal(o.code, 0);
    assert_non_null(strstr(o.err, "master.key"));
    outcome_free(&o);
    o = ferraris("headend", "verify", "--data", "data", NULL);
    outcome_expect(&o, 0, NULL);
    assert_int_equal(n_found(o.out, o.out_len), 0);
    outcome_free(&o);
    meter_stop(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(claim_SIMS_KEYSTORE)};
    return cmocka_run_group_tests(tests, enter, leave);
}
