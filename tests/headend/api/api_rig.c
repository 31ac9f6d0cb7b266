#include "tests/headend/api/api_rig.h"

#include "headend/keys/password.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t utc_ms(void *context)
{
    return atomic_load(&((struct rig *)context)->utc_ms);
}

static uint64_t mono_ms(void *context)
{
    return (uint64_t)atomic_load(&((struct rig *)context)->mono_ms);
}

static void on_changed(void *context, int64_t meter)
{
    atomic_store(&((struct rig *)context)->changed, meter);
}

static void on_read(void *context, int64_t meter)
{
    atomic_store(&((struct rig *)context)->read, meter);
}

static bool on_state(void *context, int64_t meter, struct meter_state *out)
{
    const struct rig *r = context;
    (void)meter;
    *out = r->state;
    return r->has_state;
}

static void on_totals(void *context, struct collector_totals *out)
{
    *out = ((struct rig *)context)->totals;
}

static void add_user(struct rig *r)
{
    char hash[PASSWORD_HASH];
    assert_int_equal(password_hash(RIG_PASSWORD, hash), ERR_OK);
    assert_int_equal(store_user_put(r->store, RIG_USER, hash), ERR_OK);
}

void rig_start(struct rig *r, unsigned max_per_address)
{
    rig_start_as(r, max_per_address, NULL);
}

void rig_start_as(struct rig *r, unsigned max_per_address, const char *origin)
{
    char why[300] = "";
    memset(r, 0, sizeof *r);
    /* in memory where there is such a place: the API is under test, not the disk */
    snprintf(r->dir, sizeof r->dir, "%s/ferraris-api-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(r->dir));
    r->utc_ms = RIG_START_MS;
    r->mono_ms = 1000000;
    r->clock = (struct server_clock){r, utc_ms, mono_ms};
    r->log = (struct server_log){getenv("API_LOG") != NULL ? stderr : NULL, LOG_DEBUG, &r->clock};
    memset(r->key.octets, 7, sizeof r->key.octets);
    const struct store_options so = {.dir = r->dir, .clock = &r->clock};
    if (store_open(&r->store, &so, why, sizeof why) != ERR_OK)
        fail_msg("%s", why);
    add_user(r);
    const struct api_options o = {.listen = "127.0.0.1:0",
                                  .origin = origin,
                                  .dir = r->dir,
                                  .key = &r->key,
                                  .clock = &r->clock,
                                  .log = &r->log,
                                  .hooks = {r, on_changed, on_read, on_state, on_totals},
                                  .version = "0.1.0",
                                  .max_per_address = max_per_address};
    if (api_start(&r->api, &o, why, sizeof why) != ERR_OK)
        fail_msg("%s", why);
    r->port = (unsigned short)atoi(strrchr(api_url(r->api), ':') + 1);
}

void rig_stop(struct rig *r)
{
    char command[128];
    api_stop(r->api);
    store_close(r->store);
    snprintf(command, sizeof command, "rm -rf '%s'", r->dir);
    assert_int_equal(system(command), 0);
}

void rig_pass(struct rig *r, int64_t ms)
{
    atomic_fetch_add(&r->utc_ms, ms);
    atomic_fetch_add(&r->mono_ms, ms);
}

/* ---- stored data ---- */

static const struct store_column columns[] = {
    {{1, 0, 1, 8, 0, 255}, 3, 2, 30, -1, 1, 1},   {{1, 0, 2, 8, 0, 255}, 3, 2, 30, -1, 1, 1},
    {{1, 0, 3, 8, 0, 255}, 3, 2, 32, -1, 1, 1},   {{1, 0, 4, 8, 0, 255}, 3, 2, 32, -1, 1, 1},
    {{1, 0, 1, 29, 0, 255}, 3, 2, 30, -1, 40, 1}, {{1, 0, 2, 29, 0, 255}, 3, 2, 30, -1, 1, 1},
};
#define N_COLUMNS (sizeof columns / sizeof columns[0])

static void put_day(struct rig *r, const struct store_layout *l, unsigned day)
{
    static struct day_row rows[96];
    struct store_put put;
    for (unsigned i = 0; i < 96; i++) {
        const int64_t n = (int64_t)day * 96 + i;
        memset(&rows[i], 0, sizeof rows[i]);
        rows[i].stamp_s = RIG_FIRST_S + n * 900;
        rows[i].zone = DAY_ZONE(60, 0);
        for (size_t c = 0; c < N_COLUMNS; c++) /* growing registers, waving intervals */
            rows[i].value[c] =
                c < 4 ? 1000000 + n * (int64_t)(120 + c) + (n * 7919) % 83 : 120 + (n * 7919) % 83;
    }
    rows[5].value[1] = DAY_MISSING;
    assert_int_equal(store_begin(r->store), ERR_OK);
    assert_int_equal(store_rows_put(r->store, l, rows, 96, &put), ERR_OK);
    assert_int_equal(store_commit(r->store, false), ERR_OK);
}

static void put_profile(struct rig *r, int64_t meter, unsigned first, unsigned n_days,
                        int8_t scaler)
{
    struct store_profile p = {.meter = meter, .ln = {1, 0, 99, 1, 0, 255}, .period_s = 900};
    struct store_layout l = {.period_s = 900, .n_columns = N_COLUMNS};
    memcpy(l.column, columns, sizeof columns);
    l.column[0].scaler = scaler;
    assert_int_equal(store_profile_find(r->store, &p), ERR_OK);
    l.profile = p.id;
    assert_int_equal(store_layout_find(r->store, &l), ERR_OK);
    for (unsigned i = 0; i < n_days; i++)
        put_day(r, &l, first + i);
}

void rig_other_layout(struct rig *r, int64_t meter, unsigned day)
{
    put_profile(r, meter, day, 1, 0);
}

int64_t rig_meter(struct rig *r, const char *name, unsigned n_days)
{
    struct store_meter m = {.client_sap = 16,
                            .server_sap = 1,
                            .timeout_ms = 10000,
                            .register_period_s = 60,
                            .ct_num = 1,
                            .ct_den = 1,
                            .vt_num = 1,
                            .vt_den = 1,
                            .enabled = true,
                            .added_ms = RIG_START_MS};
    const struct store_register list[] = {
        {{1, 0, 1, 7, 0, 255}, 3, 2, 0, 27, 40, 1, true, 310, RIG_START_MS - 3000, 0},
        {{1, 0, 1, 8, 0, 255}, 3, 2, -1, 30, 40, 1, true, 12345, RIG_START_MS - 200000, 0},
        {{1, 0, 14, 7, 0, 255}, 3, 2, -2, 44, 1, 1, false, 0, 0, 3}};
    snprintf(m.name, sizeof m.name, "%s", name);
    snprintf(m.url, sizeof m.url, "tcp://127.0.0.1:4059");
    assert_int_equal(store_meter_add(r->store, &m), ERR_OK);
    assert_int_equal(store_registers_define(r->store, m.id, list, 3), ERR_OK);
    assert_int_equal(store_registers_put(r->store, m.id, list, 3), ERR_OK);
    put_profile(r, m.id, 0, n_days, -1);
    return m.id;
}

/* ---- the client ---- */

struct http_answer rig_ask(struct rig *r, const char *method, const char *path, const char *body,
                           const char *type, const char *extra)
{
    struct http_answer a = {0};
    const size_t n = body == NULL ? 0 : strlen(body);
    const size_t size = n + strlen(path) + strlen(extra) + 1024;
    char *text = malloc(size), session[256] = "", head[200] = "", host[64];
    assert_non_null(text);
    if (r->cookie[0] != '\0')
        snprintf(session, sizeof session, "Cookie: %s\r\nX-CSRF-Token: %s\r\n", r->cookie, r->csrf);
    if (body != NULL)
        snprintf(head, sizeof head, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                 type == NULL ? "application/json" : type, n);
    snprintf(host, sizeof host, "127.0.0.1:%u", r->port);
    snprintf(text, size, "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n%s", method, path,
             r->host != NULL ? r->host : host, session, head, extra, body == NULL ? "" : body);
    const int fd = http_connect(r->port);
    if (fd >= 0) {
        (void)http_send(fd, text, strlen(text));
        http_receive(fd, &a, strcmp(method, "HEAD") == 0);
        close(fd);
    }
    free(text);
    return a;
}

int rig_status(struct rig *r, const char *method, const char *path, const char *body)
{
    struct http_answer a = rig_ask(r, method, path, body, NULL, "");
    const int status = a.status;
    http_free(&a);
    return status;
}

static void keep_session(struct rig *r, const struct http_answer *a)
{
    char cookie[300];
    json_t *v = json_loads(a->body, 0, NULL);
    assert_non_null(v);
    http_header(a, "Set-Cookie", cookie, sizeof cookie);
    snprintf(r->cookie, sizeof r->cookie, "%.*s", (int)strcspn(cookie, ";"), cookie);
    snprintf(r->csrf, sizeof r->csrf, "%s", json_string_value(json_object_get(v, "csrf")));
    json_decref(v);
}

int rig_sign_in(struct rig *r, const char *user, const char *password)
{
    char body[300];
    snprintf(body, sizeof body, "{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    r->cookie[0] = '\0';
    struct http_answer a = rig_ask(r, "POST", "/api/v1/session", body, NULL, "");
    const int status = a.status;
    if (status == 200)
        keep_session(r, &a);
    http_free(&a);
    return status;
}

int rig_listen(struct rig *r)
{
    char text[400], answer[2048];
    const int fd = http_connect(r->port);
    assert_true(fd >= 0);
    snprintf(text, sizeof text,
             "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n", r->cookie);
    assert_true(http_send(fd, text, strlen(text)));
    (void)http_wait(fd, answer, sizeof answer, "event: hello", 10000);
    assert_non_null(strstr(answer, "event: hello"));
    return fd;
}
