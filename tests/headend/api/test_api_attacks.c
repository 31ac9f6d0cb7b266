/* What a browser page of somebody else's, a stranger on the network, or a meter with a strange name
 * may try. */
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

static int begin(void **state)
{
    struct rig *r = malloc(sizeof *r);
    assert_non_null(r);
    rig_start(r, 0);
    assert_int_equal(rig_meter(r, "One", 1), 1);
    assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 200);
    *state = r;
    return 0;
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

/* Sends octets as they are; the status of the answer, 0: closed without one. */
static int raw(struct rig *r, const char *text, size_t n)
{
    struct http_answer a = {0};
    const int fd = http_connect(r->port);
    assert_true(fd >= 0);
    (void)http_send(fd, text, n);
    http_receive(fd, &a, false);
    const int status = a.status;
    http_free(&a);
    close(fd);
    return status;
}

static int raw_text(struct rig *r, const char *text)
{
    return raw(r, text, strlen(text));
}

/* ---- sessions ---- */

static void session_is_needed_for_all_but_the_open_routes(void **state)
{
    struct rig *r = *state;
    r->cookie[0] = '\0';
    for (size_t i = 0; i < n_api_routes; i++) {
        const struct api_route *route = &api_routes[i];
        char path[200] = "";
        const char *p = route->path;
        while (*p != '\0') { /* {id} -> 1, {obis} -> the profile */
            const size_t n = strcspn(p, "{"), used = strlen(path);
            const char *value = p[n] == '\0' ? "" : p[n + 1] == 'i' ? "1" : "1-0:99.1.0.255";
            snprintf(path + used, sizeof path - used, "%.*s%s", (int)n, p, value);
            p = p[n] == '\0' ? p + n : strchr(p, '}') + 1;
        }
        const int status = rig_status(r, route->method, path, NULL);
        if (route->open)
            assert_true(status != 401);
        else
            assert_int_equal(status, 401);
    }
}

static void session_forged_or_changed_is_none(void **state)
{
    struct rig *r = *state;
    char good[128];
    snprintf(good, sizeof good, "%s", r->cookie);
    const size_t last = strlen(good) - 1;
    for (size_t i = strlen("ferraris_session="); i <= last; i += 7) {
        snprintf(r->cookie, sizeof r->cookie, "%s", good);
        r->cookie[i] = r->cookie[i] == 'A' ? 'B' : 'A';
        assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 401);
    }
    static const char *const forged[] = {
        "ferraris_session=", "ferraris_session=x", "ferraris_session=' OR 1=1 --",
        "ferraris_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "session=1"};
    for (size_t i = 0; i < sizeof forged / sizeof forged[0]; i++) {
        snprintf(r->cookie, sizeof r->cookie, "%s", forged[i]);
        assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 401);
    }
    snprintf(r->cookie, sizeof r->cookie, "%s", good);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
}

static void session_ends_when_idle_and_after_seven_days(void **state)
{
    struct rig *r = *state;
    rig_pass(r, SESSION_IDLE_MS - 1000);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200); /* seen: begins anew */
    rig_pass(r, SESSION_IDLE_MS - 1000);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
    rig_pass(r, SESSION_IDLE_MS);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 401);
    assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 200);
    for (int i = 0; i < 15; i++) { /* 15 x 11 h 12 min = 7 days */
        assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
        rig_pass(r, SESSION_MAX_MS / 15);
    }
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 401);
}

static void session_cookie_is_kept_from_scripts_and_other_sites(void **state)
{
    struct rig *r = *state;
    char cookie[300];
    r->cookie[0] = '\0';
    struct http_answer a =
        rig_ask(r, "POST", "/api/v1/session",
                "{\"user\":\"" RIG_USER "\",\"password\":\"" RIG_PASSWORD "\"}", NULL, "");
    http_header(&a, "Set-Cookie", cookie, sizeof cookie);
    assert_non_null(strstr(cookie, "; HttpOnly"));
    assert_non_null(strstr(cookie, "; SameSite=Strict"));
    assert_non_null(strstr(cookie, "; Path=/"));
    http_header(&a, "Cache-Control", cookie, sizeof cookie);
    assert_string_equal(cookie, "no-store");
    http_free(&a);
}

/* ---- other sites ---- */

static void csrf_token_is_needed_for_changes(void **state)
{
    struct rig *r = *state;
    char good[64];
    snprintf(good, sizeof good, "%s", r->csrf);
    assert_int_equal(rig_status(r, "POST", "/api/v1/meters/1/read", NULL), 202);
    static const char *const wrong[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(r->csrf, sizeof r->csrf, "%s", wrong[i]);
        assert_int_equal(rig_status(r, "POST", "/api/v1/meters/1/read", NULL), 403);
        assert_int_equal(rig_status(r, "PATCH", "/api/v1/meters/1", "{\"enabled\":false}"), 403);
        assert_int_equal(rig_status(r, "DELETE", "/api/v1/session", NULL), 403);
    }
    snprintf(r->csrf, sizeof r->csrf, "%s", good);
    assert_int_equal(rig_status(r, "PATCH", "/api/v1/meters/1", "{\"enabled\":false}"), 200);
}

static void origin_of_another_site_is_refused(void **state)
{
    struct rig *r = *state;
    char own[100];
    static const char *const foreign[] = {
        "Origin: http://evil.example\r\n", "Origin: null\r\n",
        "Origin: http://127.0.0.1:1\r\n",  "Origin: http://127.0.0.1\r\n",
        "Origin: ftp://127.0.0.1\r\n",     "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",   "Origin: http://localhost.evil.example\r\n"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        assert_int_equal(status_with(r, "POST", "/api/v1/meters/1/read", NULL, foreign[i]), 403);
        assert_int_equal(status_with(r, "GET", "/api/v1/meters", NULL, foreign[i]), 403);
        assert_int_equal(status_with(r, "POST", "/api/v1/session", "{}", foreign[i]), 403);
    }
    snprintf(own, sizeof own, "Origin: http://127.0.0.1:%u\r\nSec-Fetch-Site: same-origin\r\n",
             r->port);
    assert_int_equal(status_with(r, "POST", "/api/v1/meters/1/read", NULL, own), 202);
}

static void host_that_is_not_ours_is_refused(void **state)
{
    struct rig *r = *state;
    assert_int_equal(raw_text(r, "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403);
    assert_int_equal(raw_text(r, "GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n"), 403);
    assert_int_equal(raw_text(r, "GET / HTTP/1.1\r\nHost: localhostx\r\n\r\n"), 403);
    assert_int_equal(raw_text(r, "GET / HTTP/1.1\r\n\r\n"), 400);
    assert_int_equal(raw_text(r, "GET / HTTP/1.1\r\nHost: LOCALHOST:99\r\n\r\n"), 200);
    assert_int_equal(raw_text(r, "GET / HTTP/1.1\r\nHost: [::1]:99\r\n\r\n"), 200);
}

static void answers_have_security_headers(void **state)
{
    struct rig *r = *state;
    static const char *const paths[] = {"/", "/app.0123abcd.js", "/api/v1/meters", "/nothing"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char value[400];
        struct http_answer a = rig_ask(r, "GET", paths[i], NULL, NULL, "");
        http_header(&a, "Content-Security-Policy", value, sizeof value);
        assert_non_null(strstr(value, "default-src 'none'; script-src 'self'; style-src 'self'; "
                                      "connect-src 'self'"));
        assert_non_null(
            strstr(value, "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"));
        http_header(&a, "X-Content-Type-Options", value, sizeof value);
        assert_string_equal(value, "nosniff");
        http_header(&a, "Referrer-Policy", value, sizeof value);
        assert_string_equal(value, "no-referrer");
        http_free(&a);
    }
}

/* ---- paths and methods ---- */

static void paths_that_climb_find_nothing(void **state)
{
    struct rig *r = *state;
    static const char *const paths[] = {"/../../../../etc/passwd",
                                        "/%2e%2e/%2e%2e/etc/passwd",
                                        "/..%2f..%2fetc/passwd",
                                        "/app.0123abcd.js%00.html",
                                        "/%00",
                                        "//",
                                        "/./",
                                        "/app.0123abcd.js/",
                                        "/APP.0123ABCD.JS",
                                        "/api/v1/meters/1%00/registers",
                                        "/api/v1/meters/%31%00",
                                        "/api/v1/../v1/meters",
                                        "/api/v1/meters/1%2fregisters%2f",
                                        "/api/v1//meters",
                                        "/%c0%ae%c0%ae/etc/passwd"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(rig_status(r, "GET", paths[i], NULL), 404);
    char *longest = malloc(60001);
    assert_non_null(longest);
    memset(longest, 'a', 60000);
    longest[0] = '/';
    longest[60000] = '\0';
    const int status = rig_status(r, "GET", longest, NULL);
    assert_true(status == 414 || status == 431 || status == 0);
    free(longest);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200); /* still there */
}

static void methods_are_answered_sensibly(void **state)
{
    struct rig *r = *state;
    char value[100];
    struct http_answer a = rig_ask(r, "HEAD", "/api/v1/meters", NULL, NULL, "");
    assert_int_equal(a.status, 200);
    http_header(&a, "Content-Length", value, sizeof value);
    assert_true(atoi(value) > 100);
    http_free(&a);
    assert_int_equal(rig_status(r, "HEAD", "/", NULL), 200);
    assert_int_equal(rig_status(r, "HEAD", "/api/v1/events", NULL), 200);
    a = rig_ask(r, "OPTIONS", "/api/v1/meters/1", NULL, NULL, "");
    assert_int_equal(a.status, 204);
    http_header(&a, "Allow", value, sizeof value);
    assert_string_equal(value, "GET, HEAD, PATCH, OPTIONS");
    http_header(&a, "Access-Control-Allow-Origin", value, sizeof value);
    assert_string_equal(value, "");
    http_free(&a);
    a = rig_ask(r, "DELETE", "/api/v1/meters/1", NULL, NULL, "");
    assert_int_equal(a.status, 405);
    http_free(&a);
    assert_int_equal(rig_status(r, "TRACE", "/api/v1/meters", NULL), 405);
    assert_int_equal(rig_status(r, "POST", "/", "{}"), 405);
}

static void pages_come_packed_and_are_kept(void **state)
{
    struct rig *r = *state;
    char value[100];
    struct http_answer a =
        rig_ask(r, "GET", "/", NULL, NULL, "Accept-Encoding: br, gzip;q=0.5\r\n");
    http_header(&a, "Content-Encoding", value, sizeof value);
    assert_string_equal(value, "gzip");
    assert_int_equal((unsigned char)a.body[0], 0x1F);
    http_free(&a);
    a = rig_ask(r, "GET", "/", NULL, NULL, "Accept-Encoding: gzip;q=0\r\n");
    assert_non_null(strstr(a.body, "<!doctype html>"));
    http_header(&a, "Cache-Control", value, sizeof value);
    assert_string_equal(value, "no-cache");
    http_free(&a);
    a = rig_ask(r, "GET", "/app.0123abcd.js", NULL, NULL, "");
    http_header(&a, "Cache-Control", value, sizeof value);
    assert_string_equal(value, "public, max-age=31536000, immutable");
    http_free(&a);
    a = rig_ask(r, "GET", "/", NULL, NULL, "If-None-Match: W/\"index-1\"\r\n");
    assert_int_equal(a.status, 304);
    assert_int_equal(a.body_len, 0);
    http_free(&a);
    assert_int_equal(status_with(r, "GET", "/", NULL, "If-None-Match: \"other\"\r\n"), 200);
}

/* ---- sizes and slowness ---- */

static void bodies_are_bounded_while_they_arrive(void **state)
{
    struct rig *r = *state;
    char *big = malloc(API_BODY_MAX + 2), head[500];
    assert_non_null(big);
    memset(big, ' ', API_BODY_MAX + 1);
    big[API_SMALL_BODY + 1] = '\0';
    assert_int_equal(rig_status(r, "PUT", "/api/v1/session/password", big), 413);
    big[API_SMALL_BODY + 1] = ' ';
    big[API_BODY_MAX + 1] = '\0';
    struct http_answer a = rig_ask(r, "POST", "/api/v1/meters/import", big, "text/csv", "");
    assert_true(a.status == 413 || a.status == 0); /* or cut while it was still sending */
    http_free(&a);
    /* in chunks, without saying how much: first within, then far beyond what is dropped */
    for (int n = 1; n <= 40; n += 39) {
        const int fd = http_connect(r->port);
        snprintf(head, sizeof head,
                 "PUT /api/v1/session/password HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n"
                 "X-CSRF-Token: %s\r\nContent-Type: application/json\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n",
                 r->cookie, r->csrf);
        assert_true(http_send(fd, head, strlen(head)));
        bool sent = true;
        for (int i = 0; i < n && sent; i++)
            sent = http_send(fd, "1800\r\n", 6) && http_send(fd, big, 0x1800) &&
                   http_send(fd, "\r\n", 2);
        (void)http_send(fd, "0\r\n\r\n", 5);
        http_receive(fd, &a, false);
        assert_int_equal(a.status, n == 1 ? 413 : 0);
        http_free(&a);
        close(fd);
    }
    free(big);
}

static void strangers_cannot_make_us_take_a_body(void **state)
{
    struct rig *r = *state;
    char *big = malloc(200001);
    assert_non_null(big);
    memset(big, 'x', 200000);
    big[200000] = '\0';
    r->cookie[0] = '\0';
    struct http_answer a = rig_ask(r, "POST", "/api/v1/meters/import", big, "text/csv", "");
    assert_true(a.status == 401 || a.status == 0);
    http_free(&a);
    free(big);
}

static void strange_framing_is_refused(void **state)
{
    struct rig *r = *state;
    char *many = malloc(100000);
    size_t n = 0;
    assert_non_null(many);
    assert_int_equal(raw_text(r, "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                                 "Content-Type: application/json\r\nContent-Length: 2\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                     400);
    const int negative = raw_text(r, "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                                     "Content-Length: -5\r\n\r\n");
    assert_true(negative == 400 || negative == 0);
    const int huge = raw_text(r, "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                                 "Content-Type: application/json\r\n"
                                 "Content-Length: 99999999999999999999\r\n\r\n");
    assert_true(huge == 400 || huge == 413 || huge == 0);
    n += (size_t)sprintf(many, "GET / HTTP/1.1\r\nHost: localhost\r\n");
    for (int i = 0; i < 2000; i++)
        n += (size_t)sprintf(many + n, "X-Header-%d: %030d\r\n", i, i);
    n += (size_t)sprintf(many + n, "\r\n");
    const int headers = raw(r, many, n);
    assert_true(headers == 431 || headers == 0);
    const int garbage = raw(r, "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n", 15);
    assert_true(garbage == 400 || garbage == 0);
    free(many);
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
}

static void slow_heads_and_bodies_are_cut(void **state)
{
    struct rig *r = *state;
    char head[500];
    const int slow_head = http_connect(r->port), slow_body = http_connect(r->port);
    const int idle = http_connect(r->port);
    snprintf(head, sizeof head,
             "POST /api/v1/meters HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\nX-CSRF-Token: %s\r\n"
             "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
             r->cookie, r->csrf);
    assert_true(http_send(slow_head, "GET / HTTP/1.1\r\nHo", 18));
    assert_true(http_send(slow_body, head, strlen(head)));
    assert_int_equal(rig_status(r, "GET", "/health", NULL), 200);
    for (int i = 0; i < 3; i++) { /* each octet is in time, the whole is not */
        rig_pass(r, API_BODY_S * 1000 / 4);
        assert_true(http_send(slow_head, "s", 1));
        assert_true(http_send(slow_body, " ", 1));
        assert_int_equal(rig_status(r, "GET", "/health", NULL), 200);
    }
    assert_false(http_closed(slow_body, 300));
    rig_pass(r, API_BODY_S * 1000 / 4 + 1);
    assert_true(http_closed(slow_body, 2000));
    assert_false(http_closed(slow_head, 300));
    rig_pass(r, API_HEAD_MS);
    assert_true(http_closed(slow_head, 2000));
    assert_true(http_closed(idle, 2000));
    close(slow_head);
    close(slow_body);
    close(idle);
}

static void addresses_have_a_limit(void **state)
{
    struct rig r;
    int fd[8], n_open = 0;
    (void)state;
    rig_start(&r, 4);
    for (int i = 0; i < 8; i++) {
        fd[i] = http_connect(r.port);
        n_open += fd[i] >= 0 && !http_closed(fd[i], 100);
    }
    assert_int_equal(n_open, 4);
    for (int i = 0; i < 8; i++)
        close(fd[i]);
    for (int i = 0; i < 50 && rig_status(&r, "GET", "/health", NULL) != 200; i++)
        usleep(10000); /* until the server has seen them close */
    assert_int_equal(rig_status(&r, "GET", "/health", NULL), 200);
    rig_stop(&r);
}

/* ---- texts ---- */

static void texts_come_back_as_plain_data(void **state)
{
    struct rig *r = *state;
    static const char *const nasty[] = {"x'); DROP TABLE meter; --",
                                        "\\\" OR 1=1",
                                        "<script>alert(1)</script>",
                                        "<img src=x onerror=alert(1)>",
                                        "=cmd|' /C calc'!A0",
                                        "%s%n%x",
                                        "{{7*7}}",
                                        "\\u202egnirts"};
    for (size_t i = 0; i < sizeof nasty / sizeof nasty[0]; i++) {
        json_t *v = json_pack("{s:s,s:s,s:s}", "name", nasty[i], "url", "tcp://127.0.0.1:4059",
                              "place", nasty[i]);
        char *body = json_dumps(v, 0);
        struct http_answer a = rig_ask(r, "POST", "/api/v1/meters", body, NULL, "");
        assert_int_equal(a.status, 201);
        assert_null(strchr(a.body, '<'));
        char type[64];
        http_header(&a, "Content-Type", type, sizeof type);
        assert_string_equal(type, "application/json");
        json_t *got = json_loads(a.body, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(got, "name")), nasty[i]);
        assert_string_equal(json_string_value(json_object_get(got, "place")), nasty[i]);
        json_decref(got);
        json_decref(v);
        free(body);
        http_free(&a);
    }
    assert_int_equal(rig_status(r, "GET", "/api/v1/meters/1", NULL), 200);
    assert_int_equal(rig_status(r, "GET",
                                "/api/v1/meters/1/profiles/1-0:99.1.0.255/values"
                                "?from=0'%20OR%201=1&to=5",
                                NULL),
                     422);
}

/* No header says what a client wrote: a name with a line break stays in the body, escaped. */
static void headers_cannot_be_injected(void **state)
{
    struct rig *r = *state;
    struct http_answer a =
        rig_ask(r, "POST", "/api/v1/meters",
                "{\"name\":\"a\\r\\nSet-Cookie: x=1\",\"url\":\"tcp://127.0.0.1:4059\"}", NULL, "");
    assert_int_equal(a.status, 422); /* control characters are no name */
    assert_null(strstr(a.head, "x=1"));
    http_free(&a);
    a = rig_ask(r, "POST", "/api/v1/meters",
                "{\"name\":\"plain\",\"url\":\"tcp://127.0.0.1:4059\"}", NULL, "");
    char location[100];
    http_header(&a, "Location", location, sizeof location);
    assert_string_equal(location, "/api/v1/meters/2");
    http_free(&a);
    a = rig_ask(r, "GET", "/api/v1/meters/1%0d%0aSet-Cookie:%20x=1", NULL, NULL, "");
    assert_int_equal(a.status, 404);
    assert_null(strstr(a.head, "x=1"));
    http_free(&a);
}

static void secrets_are_never_in_an_answer(void **state)
{
    struct rig *r = *state;
    struct http_answer a =
        rig_ask(r, "POST", "/api/v1/meters",
                "{\"name\":\"s\",\"url\":\"tcp://127.0.0.1:4059\",\"client\":3,\"auth\":\"lls\","
                "\"password\":\"hunter22\"}",
                NULL, "");
    assert_int_equal(a.status, 201);
    assert_null(strstr(a.body, "hunter22"));
    http_free(&a);
    a = rig_ask(r, "PATCH", "/api/v1/meters/2", "{\"password\":\"hunter22\",\"client\":-1}", NULL,
                "");
    assert_int_equal(a.status, 422);
    assert_null(strstr(a.body, "hunter22"));
    http_free(&a);
    a = rig_ask(r, "GET", "/api/v1/meters", NULL, NULL, "");
    assert_null(strstr(a.body, "hunter22"));
    http_free(&a);
}

/* ---- guessing ---- */

static void passwords_are_guessed_ever_slower(void **state)
{
    struct rig *r = *state;
    char seconds[16];
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_sign_in(r, RIG_USER, "guess"), 401);
    int64_t waited = 0;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 429); /* even the right one */
        struct http_answer a = rig_ask(r, "POST", "/api/v1/session",
                                       "{\"user\":\"admin\",\"password\":\"x\"}", NULL, "");
        http_header(&a, "Retry-After", seconds, sizeof seconds);
        http_free(&a);
        waited += atoi(seconds);
        rig_pass(r, atoi(seconds) * 1000);
        assert_int_equal(rig_sign_in(r, RIG_USER, "guess"), 401);
    }
    assert_int_equal(waited, 1 + 2 + 4 + 8 + 16 + 32);
    rig_pass(r, 64000);
    assert_int_equal(rig_sign_in(r, RIG_USER, RIG_PASSWORD), 200);
}

/* Many at once, of many names: what does not fit the queue is told so, at once; the rest of the API
 * goes on. */
static void password_checks_do_not_take_the_machine(void **state)
{
    enum { N = 60 };
    struct rig *r = *state;
    int fd[N], n_503 = 0, n_401 = 0;
    for (int i = 0; i < N; i++) {
        char text[300], body[100];
        snprintf(body, sizeof body, "{\"user\":\"u%d\",\"password\":\"guess\"}", i);
        snprintf(text, sizeof text,
                 "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(body), body);
        fd[i] = http_connect(r->port);
        assert_true(fd[i] >= 0 && http_send(fd[i], text, strlen(text)));
    }
    assert_int_equal(rig_status(r, "GET", "/api/v1/session", NULL), 200);
    for (int i = 0; i < N; i++) {
        struct http_answer a;
        http_receive(fd[i], &a, false);
        n_503 += a.status == 503;
        n_401 += a.status == 401;
        http_free(&a);
        close(fd[i]);
    }
    assert_int_equal(n_503 + n_401, N);
    assert_true(n_503 > 0);
    assert_true(n_401 >= API_HASH_QUEUE);
}

#define ATTACK(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ATTACK(session_is_needed_for_all_but_the_open_routes),
        ATTACK(session_forged_or_changed_is_none),
        ATTACK(session_ends_when_idle_and_after_seven_days),
        ATTACK(session_cookie_is_kept_from_scripts_and_other_sites),
        ATTACK(csrf_token_is_needed_for_changes),
        ATTACK(origin_of_another_site_is_refused),
        ATTACK(host_that_is_not_ours_is_refused),
        ATTACK(answers_have_security_headers),
        ATTACK(paths_that_climb_find_nothing),
        ATTACK(methods_are_answered_sensibly),
        ATTACK(pages_come_packed_and_are_kept),
        ATTACK(bodies_are_bounded_while_they_arrive),
        ATTACK(strangers_cannot_make_us_take_a_body),
        ATTACK(strange_framing_is_refused),
        ATTACK(slow_heads_and_bodies_are_cut),
        cmocka_unit_test(addresses_have_a_limit),
        ATTACK(texts_come_back_as_plain_data),
        ATTACK(headers_cannot_be_injected),
        ATTACK(secrets_are_never_in_an_answer),
        ATTACK(passwords_are_guessed_ever_slower),
        ATTACK(password_checks_do_not_take_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
