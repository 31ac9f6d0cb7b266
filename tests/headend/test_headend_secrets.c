/* What must stay secret, looked for in everything that leaves the head-end's memory: the store, its
 * log, the server's log at its most talkative, every answer, each program's words.
 *
 * Secrets are the keys and passwords of meters, right ones and refused ones, the passwords of
 * people, the session's token and the master key; each as text, hex and octets. Read from the meter
 * over its keys, so that the collector has used them, too. */
#include "tests/system/head_end.h"

#include <setjmp.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WRONG_KEY   "a1b2c3d4e5f60718293a4b5c6d7e8f90"
#define SHORT_KEY   "0f1e2d3c4b5a69788796a5b4c3d2e1"
#define TABLE_KEY   "5566778899aabbccddeeff0011223344"
#define LLS         "Lls-Secret-71xQ"
#define TABLE_LLS   "Table-Secret-72xQ"
#define REFUSED     "Refused-Secret-73xQ"
#define MISTYPED    "Mistyped-Secret-74xQ"
#define NEW         "Newly-Secret-75xQ"
#define SECRETS_MAX 32

static struct head_end h;
static struct meter_process m;
static FILE *answers; /* bodies */

struct secret {
    const char *what;
    uint8_t p[128];
    size_t n;
};
static struct secret secrets[SECRETS_MAX];
static size_t n_secrets;

static int enter(void **state)
{
    (void)state;
    folder_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    head_end_drop(&h);
    meter_drop(&m);
    folder_leave();
    return 0;
}

/* ---- the secrets ---- */

static void secret(const char *what, const void *p, size_t n)
{
    assert_true(n_secrets < SECRETS_MAX && n >= 8 && n <= sizeof secrets[0].p);
    secrets[n_secrets].what = what;
    memcpy(secrets[n_secrets].p, p, n);
    secrets[n_secrets++].n = n;
}

/* As hex, in both cases (the search does not mind), and as octets. */
static void secret_hex(const char *what, const char *hex)
{
    uint8_t octets[32];
    const size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned octet;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &octet), 1);
        octets[i] = (uint8_t)octet;
    }
    secret(what, hex, strlen(hex));
    secret(what, octets, n);
}

/* "name = value" */
static void secret_of_keys(const char *name)
{
    char line[100], value[33], format[32];
    bool found = false;
    FILE *f = fopen("keys", "r");
    assert_non_null(f);
    snprintf(format, sizeof format, "%s = %%32s", name);
    while (!found && fgets(line, sizeof line, f) != NULL)
        found = sscanf(line, format, value) == 1;
    fclose(f);
    assert_true(found);
    secret_hex(name, value);
}

/* ---- the search ---- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static bool contains(const uint8_t *p, size_t n, const struct secret *s)
{
    const uint8_t first = lower(s->p[0]);
    for (size_t at = 0; at + s->n <= n; at++) {
        size_t i = 0;
        if (lower(p[at]) != first)
            continue;
        while (i < s->n && lower(p[at + i]) == lower(s->p[i]))
            i++;
        if (i == s->n)
            return true;
    }
    return false;
}

static void search(const char *name)
{
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    const size_t n = (size_t)ftell(f);
    uint8_t *p = malloc(n + 1);
    assert_non_null(p);
    rewind(f);
    assert_int_equal(fread(p, 1, n, f), n);
    fclose(f);
    for (size_t i = 0; i < n_secrets; i++) {
        if (contains(p, n, &secrets[i]))
            fail_msg("%s holds the secret \"%s\"", name, secrets[i].what);
    }
    free(p);
}

/* All of the data directory but the key's own file; how many. */
static unsigned search_data(void)
{
    char name[300];
    unsigned n = 0;
    DIR *d = opendir("data");
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.' || strcmp(e->d_name, "master.key") == 0)
            continue;
        snprintf(name, sizeof name, "data/%s", e->d_name);
        search(name);
        n++;
    }
    closedir(d);
    return n;
}

/* ---- what is asked ---- */

static void ask(const char *method, const char *path, const char *type, const char *body,
                int status)
{
    struct http_answer a = http_ask(&h.api, method, path, type, body);
    if (a.status != status)
        fail_msg("%s %s: %d instead of %d: %s", method, path, a.status, status, a.body);
    fwrite(a.body, 1, a.body_len, answers);
    http_answer_free(&a);
}

static void post(const char *path, const char *body, int status)
{
    ask("POST", path, "application/json", body, status);
}

static void add_others(void)
{
    char body[400];
    snprintf(body, sizeof body,
             "{\"name\":\"lls\",\"url\":\"%s\",\"client\":2,\"auth\":\"lls\",\"password\":\"" LLS
             "\"}",
             m.url);
    post("/api/v1/meters", body, 201);
    snprintf(body, sizeof body,
             "{\"name\":\"wrong\",\"url\":\"%s\",\"client\":3,\"auth\":\"hls5\",\"security\":"
             "\"authenc\",\"keys\":{\"guek\":\"" WRONG_KEY "\",\"gak\":\"" WRONG_KEY "\"}}",
             m.url);
    post("/api/v1/meters", body, 201);
    ask("POST", "/api/v1/meters/import", "text/csv",
        "name,url,auth,client,password,guek\n"
        "t1,tcp://127.0.0.1:9,lls,2," TABLE_LLS "," TABLE_KEY "\n"
        "t2,nowhere,lls,2," TABLE_LLS "," TABLE_KEY "\n"
        "t3,tcp://127.0.0.1:9,lls,2," TABLE_LLS "," SHORT_KEY "\n"
        "t4,tcp://127.0.0.1:9,lls,2," TABLE_LLS "," TABLE_KEY ",one more\n",
        200);
}

/* Each is refused, and the refusal quotes nothing. */
static void be_refused(void)
{
    ask("POST", "/api/v1/meters/import", "text/csv", "Mill,tcp://h:1," TABLE_KEY "\n", 422);
    ask("POST", "/api/v1/meters/import", "text/csv", TABLE_KEY ",Mill,tcp://h:1\n", 422);
    post("/api/v1/meters", "{\"password\": " REFUSED "}", 400);
    post("/api/v1/meters", "{\"password\": \"" REFUSED "\n\"}", 400);
    post("/api/v1/meters", "{\"name\":\"x\",\"password\":\"" REFUSED "\",\"client\":-1}", 422);
    post("/api/v1/meters",
         "{\"name\":\"x\",\"url\":\"tcp://h:1\",\"keys\":{\"guek\":\"" SHORT_KEY "\"}}", 422);
    post("/api/v1/meters", "{\"name\":\"x\",\"url\":\"tcp://u:" REFUSED "@h:1\"}", 422);
    ask("PATCH", "/api/v1/meters/1", "application/json", "{\"keys\":\"" TABLE_KEY "\"}", 422);
    post("/api/v1/session", "{\"user\":\"" MISTYPED "\",\"password\":\"x\"}", 401);
    post("/api/v1/session", "{\"user\":\"admin\",\"password\":\"" MISTYPED "\"}", 401);
}

static void change_password(void)
{
    char body[200];
    snprintf(body, sizeof body, "{\"old\":\"%s\",\"new\":\"" NEW "\"}", h.password);
    ask("PUT", "/api/v1/session/password", "application/json", body, 204);
    http_client_init(&h.api, h.url);
    http_sign_in(&h.api, "admin", NEW);
}

static void ask_all(void)
{
    static const char *const paths[] = {
        "",
        "/1",
        "/2",
        "/3",
        "/4",
        "/1/registers",
        "/1/profiles",
        "/1/profiles/1-0:99.1.0.255/days?from=1767225600&to=1769904000",
        "/1/profiles/1-0:99.1.0.255/values?from=1767225600&to=1769904000",
        "/1/profiles/1-0:99.1.0.255/values?from=1767225600&to=1769904000&format=csv"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "/api/v1/meters%s", paths[i]);
        ask("GET", path, NULL, NULL, 200);
    }
    ask("GET", "/api/v1/session", NULL, NULL, 200);
    ask("GET", "/health", NULL, NULL, 200);
}

static void start(void)
{
    static const char *const words[] = {"ferraris", "headend",     "run",   "--data", "data",
                                        "--listen", "127.0.0.1:0", "--log", "debug",  NULL};
    char line[200];
    strcpy(h.err_name, "log");
    h.pid = process_spawn(words, &h.out, h.err_name);
    while (h.url[0] == '\0' && process_line(h.out, line, sizeof line)) {
        sscanf(line, "admin password: %63s", h.password);
        sscanf(line, "listening on %79s", h.url);
    }
    http_client_init(&h.api, h.url);
    http_sign_in(&h.api, "admin", h.password);
}

static void name_the_secrets(void)
{
    static const char *const keys[] = {"guek", "gak"};
    for (size_t i = 0; i < 2; i++)
        secret_of_keys(keys[i]);
    secret_hex("a wrong key", WRONG_KEY);
    secret_hex("a short key", SHORT_KEY);
    secret_hex("a key of a table", TABLE_KEY);
    secret("password of a meter", LLS, strlen(LLS));
    secret("password of a table", TABLE_LLS, strlen(TABLE_LLS));
    secret("refused password", REFUSED, strlen(REFUSED));
    secret("mistyped password", MISTYPED, strlen(MISTYPED));
    secret("new password", NEW, strlen(NEW));
    secret("first password", h.password, strlen(h.password));
    const char *token = strchr(h.api.cookie, '=');
    assert_non_null(token);
    secret("session's token", token + 1, strlen(token + 1));
    char *master = file_text("data/master.key");
    master[strcspn(master, "\n")] = '\0';
    secret_hex("master key", master);
    free(master);
}

static void secrets_never_leave(void **state)
{
    (void)state;
    meter_start(&m, "--model", "ST402D", "--level", "window", "--flash", "flash", "--keys", "keys",
                "--start", "2026-01-01T00:00:00Z", "--speed", "20000", NULL);
    start();
    answers = fopen("answers", "wb");
    assert_non_null(answers);
    head_end_await(&h, head_end_add(&h, "right", m.url, "keys", NULL));
    name_the_secrets();
    add_others();
    be_refused();
    usleep(1500000); /* the wait after the wrong password; the collector tries the others */
    change_password();
    const char *token = strchr(h.api.cookie, '=');
    secret("new session's token", token + 1, strlen(token + 1));
    ask_all();
    fclose(answers);
    assert_true(search_data() >= 3); /* with the store's log, while it is there */
    head_end_stop(&h);
    struct outcome o = ferraris("headend", "verify", "--data", "data", "--json", NULL);
    outcome_expect(&o, 0, NULL);
    folder_write("verify", o.out, o.out_len);
    outcome_free(&o);
    (void)search_data();
    search("log");
    search("answers");
    search("verify");
    char *log = file_text("log"); /* it has talked, and the meters were tried */
    assert_non_null(strstr(log, " debug: "));
    assert_non_null(strstr(log, "wrong"));
    free(log);
    meter_stop(&m);
}

/* Text in either case, and octets among others. */
static void search_finds_what_is_there(void **state)
{
    (void)state;
    n_secrets = 0;
    secret_hex("upper", "A1B2C3D4E5F60718");
    const uint8_t octets[] = {0, 0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07, 0x18, 9};
    assert_true(contains((const uint8_t *)"xa1b2c3d4e5f60718", 17, &secrets[0]));
    assert_true(contains(octets, sizeof octets, &secrets[1]));
    assert_false(contains(octets, sizeof octets - 2, &secrets[1]));
    n_secrets = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_finds_what_is_there),
        cmocka_unit_test_setup_teardown(secrets_never_leave, enter, leave),
    };
    return cmocka_run_group_tests_name("headend/secrets", tests, NULL, NULL);
}
