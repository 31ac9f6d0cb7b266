/* Heads of requests that two readers could take differently, the public name behind a proxy, and
 * what the log may say. */
#include "headend/api/api_parts.h"
#include "headend/api/api_session_life.h"
#include "tests/headend/api/api_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUBLIC  "https://meters.example.org"
#define SIGN_IN "{\"user\":\"" RIG_USER "\",\"password\":\"" RIG_PASSWORD "\"}"

static int begin_as(void **state, const char *origin)
{
    struct rig *r = malloc(sizeof *r);
    assert_non_null(r);
    rig_start_as(r, 0, origin);
    assert_int_equal(rig_meter(r, "One", 1), 1);
    *state = r;
    return 0;
}

static int begin(void **state)
{
    begin_as(state, NULL);
    assert_int_equal(rig_sign_in(*state, RIG_USER, RIG_PASSWORD), 200);
    return 0;
}

static int begin_public(void **state)
{
    return begin_as(state, PUBLIC);
}

static int end(void **state)
{
    rig_stop(*state);
    free(*state);
    return 0;
}

static int status_with(struct rig *r, const char *method, const char *path, const char *body,
                       const char *extra)
{
    struct http_answer a = rig_ask(r, method, path, body, NULL, extra);
    const int status = a.status;
    http_free(&a);
    return status;
}

/* ---- framing ---- */

#define POST                                                                                       \
    "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
#define HEALTH "GET /health HTTP/1.1\r\nHost: localhost\r\n"
#define CHUNKS "\r\n2\r\n{}\r\n0\r\n\r\n"

/* Behind each of them stands a whole request, as somebody else's would behind a proxy. */
static void framing_that_can_be_read_twice_ends_the_connection(void **state)
{
    struct rig *r = *state;
    static const char *const heads[] = {
        POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" CHUNKS,
        POST "Content-Length: 2\r\nContent-Length: 60\r\n\r\n{}",
        POST "Content-Length: 60\r\nContent-Length: 2\r\n\r\n{}",
        POST "Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}",
        POST "Content-Length : 2\r\n\r\n{}",
        POST "Content-Length:\r\n 2\r\n\r\n{}",
        POST "Transfer-Encoding: xchunked\r\n" CHUNKS,
        POST "Transfer-Encoding: gzip, chunked\r\n" CHUNKS,
        POST "Transfer-Encoding: identity\r\n\r\n{}",
        POST "Transfer-Encoding: \x0B"
             "chunked\r\n" CHUNKS,
        POST "Transfer-Encoding : chunked\r\n" CHUNKS,
        POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" CHUNKS,
        "POST /api/v1/session HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n" CHUNKS,
        HEALTH "Host: evil.example\r\n\r\n",
        HEALTH "Origin: http://localhost\r\nOrigin: http://evil.example\r\n\r\n",
        HEALTH "Cookie: a=1\r\nCookie: b=2\r\n\r\n",
        HEALTH "X-CSRF-Token: a\r\nX-CSRF-Token: b\r\n\r\n",
        HEALTH "Content-Type: application/json\r\nContent-Type: text/csv\r\n\r\n",
        HEALTH "two words: x\r\n\r\n"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char answer[4096];
        const int fd = http_connect(r->port);
        assert_true(fd >= 0);
        (void)http_send(fd, heads[i], strlen(heads[i]));
        (void)http_send(fd, HEALTH "\r\n", sizeof HEALTH + 1);
        (void)http_wait(fd, answer, sizeof answer, "\"status\"", 2000);
        if (strncmp(answer, "HTTP/1.1 400", 12) != 0 || strstr(answer, "\"status\"") != NULL)
            fail_msg("number %zu: %s", i, answer);
        if (!http_closed(fd, 2000))
            fail_msg("number %zu leaves the connection open: %s", i, answer);
        close(fd);
    }
}

static void framing_of_real_clients_is_taken(void **state)
{
    struct rig *r = *state;
    static const char *const heads[] = {
        POST "Content-Length: 2\r\n\r\n{}", POST "Transfer-Encoding: chunked\r\n" CHUNKS,
        POST "TRANSFER-ENCODING: Chunked\r\n" CHUNKS,
        POST
        "Content-Length: 2\r\nX-Forwarded-For: a\r\nX-Forwarded-For: b\r\nVia: 1.1 a\r\n\r\n{}"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct http_answer a;
        const int fd = http_connect(r->port);
        assert_true(fd >= 0 && http_send(fd, heads[i], strlen(heads[i])));
        http_receive(fd, &a, false);
        assert_int_equal(a.status, 422);
        http_free(&a);
        close(fd);
    }
}

/* ---- the session's cookie ---- */

static void cookie_that_is_there_twice_is_none(void **state)
{
    struct rig *r = *state;
    char both[300], value[100];
    struct rig other = *r;
    snprintf(value, sizeof value, "%s", strchr(r->cookie, '=') + 1);
    other.cookie[0] = '\0';
    snprintf(both, sizeof both, "Cookie: %s\r\n", r->cookie);
    assert_int_equal(status_with(&other, "GET", "/api/v1/session", NULL, both), 200);
    snprintf(both, sizeof both, "Cookie: %s; ferraris_session=AAAA\r\n", r->cookie);
    assert_int_equal(status_with(&other, "GET", "/api/v1/session", NULL, both), 401);
    snprintf(both, sizeof both, "Cookie: ferraris_session=AAAA; %s\r\n", r->cookie);
    assert_int_equal(status_with(&other, "GET", "/api/v1/session", NULL, both), 401);
    snprintf(both, sizeof both, "Cookie: FERRARIS_SESSION=%s\r\n", value);
    assert_int_equal(status_with(&other, "GET", "/api/v1/session", NULL, both), 401);
    snprintf(both, sizeof both, "Cookie: __Host-ferraris_session=%s\r\n", value);
    assert_int_equal(status_with(&other, "GET", "/api/v1/session", NULL, both), 401);
}

/* Made while the clock stood years ahead, it would live that long. */
static void session_from_the_future_is_none(void **state)
{
    struct rig *r = *state;
    rig_pass(r, INT64_C(10) * 365 * 86400 * 1000);
    assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 200);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
    atomic_fetch_sub(&r->utc_ms, SESSION_IDLE_MS - 1000); /* summer time set wrongly */
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
    atomic_fetch_sub(&r->utc_ms, 1000);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 401);
}

/* ---- the public name ---- */

static void origin_is_parsed_as_browsers_write_it(void **state)
{
    struct api_origin o;
    static const char *const good[][3] = {
        {"https://Meters.Example.org", "https://meters.example.org", "meters.example.org"},
        {"https://meters.example.org/", "https://meters.example.org", "meters.example.org"},
        {"https://meters.example.org:443", "https://meters.example.org", "meters.example.org"},
        {"https://meters.example.org:8443", "https://meters.example.org:8443",
         "meters.example.org"},
        {"http://10.0.0.7:80", "http://10.0.0.7", "10.0.0.7"},
        {"https://[2001:DB8::1]:444", "https://[2001:db8::1]:444", "[2001:db8::1]"}};
    static const char *const bad[] = {"",
                                      "meters.example.org",
                                      "ftp://meters.example.org",
                                      "https://",
                                      "https:///",
                                      "https://a b",
                                      "https://a/b",
                                      "https://a?b",
                                      "https://u@a",
                                      "https://a:",
                                      "https://a:0",
                                      "https://a:65536",
                                      "https://a:080",
                                      "https://a:1x",
                                      "https://*.example.org",
                                      "https://a,https://b",
                                      "https://[::1",
                                      "https://[::g]",
                                      "https://a\r\nX: y"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(api_origin_parse(good[i][0], &o), ERR_OK);
        assert_string_equal(o.text, good[i][1]);
        assert_true(api_origin_names(&o, good[i][2], strlen(good[i][2])));
        assert_false(api_origin_names(&o, good[i][2], strlen(good[i][2]) - 1));
        assert_int_equal(o.tls, strncmp(o.text, "https", 5) == 0);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (api_origin_parse(bad[i], &o) != ERR_FORMAT || api_origin_names(&o, "", 0))
            fail_msg("\"%s\" was taken", bad[i]);
    }
    assert_int_equal(api_origin_parse(NULL, &o), ERR_OK);
    assert_string_equal(o.text, "");
}

static void sign_in_with(struct rig *r, const char *extra, char cookie[300])
{
    r->cookie[0] = '\0';
    struct http_answer a = rig_ask(r, "POST", "/api/v1/session", SIGN_IN, NULL, extra);
    assert_int_equal(a.status, 200);
    json_t *v = json_loads(a.body, 0, NULL);
    snprintf(r->csrf, sizeof r->csrf, "%s", json_string_value(json_object_get(v, "csrf")));
    json_decref(v);
    http_header(&a, "Set-Cookie", cookie, 300);
    snprintf(r->cookie, sizeof r->cookie, "%.*s", (int)strcspn(cookie, ";"), cookie);
    http_free(&a);
}

#define FROM_PUBLIC "Origin: " PUBLIC "\r\nSec-Fetch-Site: same-origin\r\n"

/* The proxy hands Host on: the browser holds the cookie to the name and to TLS. */
static void public_name_works_behind_a_proxy(void **state)
{
    struct rig *r = *state;
    char cookie[300];
    r->host = "meters.example.org";
    sign_in_with(r, FROM_PUBLIC, cookie);
    assert_int_equal(strncmp(cookie, "__Host-ferraris_session=", 24), 0);
    assert_non_null(strstr(cookie, "; Secure"));
    assert_non_null(strstr(cookie, "; Path=/;"));
    assert_null(strstr(cookie, "Domain"));
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
    assert_int_equal(status_with(r, "POST", "/api/v1/meters/1/read", NULL, FROM_PUBLIC), 202);
    r->host = "Meters.example.ORG:443";
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
    static const char *const foreign[] = {"Origin: http://meters.example.org\r\n",
                                          "Origin: https://meters.example.org:8443\r\n",
                                          "Origin: https://example.org\r\n", "Origin: null\r\n",
                                          "Origin: https://meters.example.org.evil.example\r\n"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        assert_int_equal(status_with(r, "POST", "/api/v1/meters/1/read", NULL, foreign[i]), 403);
    char plain[sizeof r->cookie]; /* a neighbour of the same domain can set a cookie without the
                                     prefix */
    snprintf(plain, sizeof plain, "%s", r->cookie);
    snprintf(r->cookie, sizeof r->cookie, "%s", plain + strlen("__Host-"));
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 401);
    snprintf(r->cookie, sizeof r->cookie, "%s", plain);
    struct http_answer a = rig_ask(r, "DELETE", "/api/v1/session", NULL, NULL, FROM_PUBLIC);
    assert_int_equal(a.status, 204);
    http_header(&a, "Set-Cookie", cookie, sizeof cookie);
    assert_int_equal(strncmp(cookie, "__Host-ferraris_session=;", 25), 0);
    http_free(&a);
    r->host = "other.example.org";
    assert_int_equal(rig_status(r, "GET", "/health", NULL), 403);
}

/* A proxy that puts its own address into Host, as nginx does unless told otherwise. */
static void public_name_works_when_the_proxy_changes_host(void **state)
{
    struct rig *r = *state;
    char cookie[300];
    sign_in_with(r, FROM_PUBLIC, cookie);
    assert_int_equal(strncmp(cookie, "__Host-ferraris_session=", 24), 0);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
    assert_int_equal(status_with(r, "POST", "/api/v1/meters/1/read", NULL, FROM_PUBLIC), 202);
}

/* The same head-end without the proxy, on its own machine. */
static void plain_loopback_works_beside_the_public_name(void **state)
{
    struct rig *r = *state;
    char cookie[300], own[100];
    snprintf(own, sizeof own, "Origin: http://127.0.0.1:%u\r\n", r->port);
    sign_in_with(r, own, cookie);
    assert_int_equal(strncmp(cookie, "ferraris_session=", 17), 0);
    assert_null(strstr(cookie, "Secure"));
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
    assert_int_equal(status_with(r, "POST", "/api/v1/meters/1/read", NULL, own), 202);
}

static void public_name_must_be_one(void **state)
{
    struct rig r = {.utc_ms = RIG_START_MS};
    struct api *a = NULL;
    char why[300];
    const struct server_clock clock = server_clock_system();
    const struct api_options o = {
        .listen = "127.0.0.1:0", .origin = "meters.example.org", .dir = "/", .clock = &clock};
    (void)state;
    (void)r;
    assert_int_equal(api_start(&a, &o, why, sizeof why), ERR_FORMAT);
    assert_non_null(strstr(why, "\"meters.example.org\" is not https://NAME"));
}

/* ---- what others may read ---- */

static void malformed_bodies_are_not_quoted(void **state)
{
    struct rig *r = *state;
    static const char *const bodies[] = {
        "{\"password\": hunter22hunter22}", "{\"password\": \"hunter22hunter22\n",
        "{\"password\":\"a\" \"hunter22\":1}", "{\"hunter22\":1,\"hunter22\":2}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct http_answer a = rig_ask(r, "POST", "/api/v1/session", bodies[i], NULL, "");
        assert_int_equal(a.status, 400);
        assert_non_null(strstr(a.body, "The body is no JSON: octet "));
        assert_null(strstr(a.body, "hunter"));
        http_free(&a);
    }
    struct http_answer a = rig_ask(r, "POST", "/api/v1/session", "", NULL, "");
    assert_int_equal(a.status, 400);
    assert_non_null(strstr(a.body, "The body is missing."));
    http_free(&a);
}

/* A password typed into the field of the name must not end in the log. */
static void names_of_nobody_are_not_logged(void **state)
{
    struct rig *r = *state;
    char *text = NULL;
    size_t n = 0;
    r->log.to = open_memstream(&text, &n);
    assert_non_null(r->log.to);
    assert_int_equal(rig_sign_in(r, "hunter22hunter22", "x"), 401);
    assert_int_equal(rig_sign_in(r, RIG_USER, "hunter23hunter23"), 401);
    assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 200);
    fclose(r->log.to);
    r->log.to = NULL;
    assert_null(strstr(text, "hunter"));
    assert_null(strstr(text, RIG_PASSWORD));
    assert_non_null(strstr(text, "sign-in of an unknown user from ::ffff:127.0.0.1 failed"));
    assert_non_null(strstr(text, "sign-in of \"admin\" from ::ffff:127.0.0.1 failed"));
    assert_non_null(strstr(text, "sign-in of \"admin\" from ::ffff:127.0.0.1 succeeded"));
    free(text);
}

static void log_line_before_1970_is_well_formed(void **state)
{
    struct rig *r = *state;
    char *text = NULL;
    size_t n = 0;
    const struct server_log log = {open_memstream(&text, &n), LOG_INFO, &r->clock};
    atomic_store(&r->utc_ms, -1500);
    server_log(&log, LOG_INFO, "x");
    fclose(log.to);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z info: x\n");
    free(text);
}

/* Every row is told as long as there is room; the rows that count are all added. */
static void import_of_very_many_bad_rows_is_answered(void **state)
{
    enum { ROWS = 250000 };
    struct rig *r = *state;
    char *csv = malloc(100 + 4 * ROWS);
    assert_non_null(csv);
    size_t n = (size_t)sprintf(csv, "name,url\ngood,tcp://127.0.0.1:9\n");
    for (size_t i = 0; i < ROWS; i++)
        n += (size_t)sprintf(csv + n, "x\n");
    n += (size_t)sprintf(csv + n, "last,tcp://127.0.0.1:9\n");
    struct http_answer a = rig_ask(r, "POST", "/api/v1/meters/import", csv, "text/csv", "");
    free(csv);
    assert_int_equal(a.status, 200);
    assert_true(a.body_len < 8 * 1024 * 1024);
    json_t *v = json_loads(a.body, 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(v, "added")), 2);
    assert_int_equal(json_integer_value(json_object_get(v, "refused")), ROWS);
    const size_t told = json_array_size(json_object_get(v, "rows"));
    assert_true(told > 10000);
    assert_int_equal(json_integer_value(json_object_get(v, "left_off")), ROWS + 2 - told);
    json_decref(v);
    http_free(&a);
    assert_int_equal(rig_status(r, "GET", "/api/v1/meters/3", NULL), 200);
}

#define WITH(start, f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(begin, framing_that_can_be_read_twice_ends_the_connection),
        WITH(begin, framing_of_real_clients_is_taken),
        WITH(begin, cookie_that_is_there_twice_is_none),
        WITH(begin, session_from_the_future_is_none),
        cmocka_unit_test(origin_is_parsed_as_browsers_write_it),
        WITH(begin_public, public_name_works_behind_a_proxy),
        WITH(begin_public, public_name_works_when_the_proxy_changes_host),
        WITH(begin_public, plain_loopback_works_beside_the_public_name),
        cmocka_unit_test(public_name_must_be_one),
        WITH(begin, malformed_bodies_are_not_quoted),
        WITH(begin, names_of_nobody_are_not_logged),
        WITH(begin, log_line_before_1970_is_well_formed),
        WITH(begin, import_of_very_many_bad_rows_is_answered),
    };
    return cmocka_run_group_tests_name("headend/api/head", tests, NULL, NULL);
}
