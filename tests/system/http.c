/* See http.h. */
#define _GNU_SOURCE /* memmem */
#include "tests/system/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S 60

void http_client_init(struct http_client *c, const char *url)
{
    memset(c, 0, sizeof *c);
    const int n = strchr(url, '[') != NULL
                      ? sscanf(url, "http://[%63[^]]]:%7[0-9]", c->host, c->port)
                      : sscanf(url, "http://%63[^:]:%7[0-9]", c->host, c->port);
    if (n != 2)
        fail_msg("no such URL: %s", url);
}

static int dial(const struct http_client *c)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    const struct timeval wait = {.tv_sec = PATIENCE_S};
    struct addrinfo *to;
    assert_int_equal(getaddrinfo(c->host, c->port, &hints, &to), 0);
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    if (connect(fd, to->ai_addr, to->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(to);
    return fd;
}

static bool send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        const ssize_t done = send(fd, p, n, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

static bool send_request(const struct http_client *c, int fd, const char *const request[2],
                         const char *type, const char *body)
{
    char head[2048];
    const bool v6 = strchr(c->host, ':') != NULL;
    const size_t len = body != NULL ? strlen(body) : 0;
    int n =
        snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nConnection: close\r\n",
                 request[0], request[1], v6 ? "[" : "", c->host, v6 ? "]" : "", c->port);
    if (c->cookie[0] != '\0')
        n += snprintf(head + n, sizeof head - (size_t)n, "Cookie: %s\r\n", c->cookie);
    if (c->csrf[0] != '\0')
        n += snprintf(head + n, sizeof head - (size_t)n, "X-CSRF-Token: %s\r\n", c->csrf);
    if (body != NULL)
        n += snprintf(head + n, sizeof head - (size_t)n,
                      "Content-Type: %s\r\nContent-Length: %zu\r\n", type, len);
    n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
    assert_true((size_t)n < sizeof head);
    return send_all(fd, head, (size_t)n) && send_all(fd, body != NULL ? body : "", len);
}

static char *receive_all(int fd, size_t *len)
{
    size_t size = 65536, n = 0;
    char *p = malloc(size);
    assert_non_null(p);
    for (;;) {
        if (size - n < 4096) {
            p = realloc(p, size *= 2);
            assert_non_null(p);
        }
        const ssize_t got = recv(fd, p + n, size - n - 1, 0);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    p[n] = '\0';
    *len = n;
    return p;
}

/* Chunks in place; a broken or cut one makes the whole answer unbelieved. */
static bool join_chunks(char *p, size_t *len)
{
    size_t from = 0, to = 0;
    while (from < *len) {
        char *end;
        const size_t n = strtoul(p + from, &end, 16);
        from = (size_t)(end - p) + 2;
        if (n == 0) {
            p[to] = '\0';
            *len = to;
            return true;
        }
        if (from > *len || n > *len - from)
            return false;
        memmove(p + to, p + from, n);
        to += n;
        from += n + 2;
    }
    return false;
}

/* Splits what came; false when it is not a whole answer. */
static bool understand(struct http_answer *a, char *raw, size_t len)
{
    char *gap = memmem(raw, len, "\r\n\r\n", 4);
    if (gap == NULL || sscanf(raw, "HTTP/1.1 %d", &a->status) != 1)
        return false;
    *gap = '\0';
    a->head = strdup(raw);
    a->body_len = len - (size_t)(gap + 4 - raw);
    a->body = malloc(a->body_len + 1);
    assert_true(a->head != NULL && a->body != NULL);
    memcpy(a->body, gap + 4, a->body_len + 1);
    if (strcasestr(a->head, "\r\nTransfer-Encoding: chunked") != NULL)
        return join_chunks(a->body, &a->body_len);
    const char *length = strcasestr(a->head, "\r\nContent-Length:");
    return length == NULL || strtoul(length + 17, NULL, 10) == a->body_len;
}

void http_answer_free(struct http_answer *a)
{
    free(a->head);
    free(a->body);
    memset(a, 0, sizeof *a);
}

struct http_answer http_ask(struct http_client *c, const char *method, const char *path,
                            const char *type, const char *body)
{
    struct http_answer a = {0};
    size_t len = 0;
    char *raw = NULL;
    const int fd = dial(c);
    if (fd >= 0 && send_request(c, fd, (const char *const[]){method, path}, type, body))
        raw = receive_all(fd, &len);
    if (fd >= 0)
        close(fd);
    if (raw == NULL || !understand(&a, raw, len)) {
        if (!c->may_fail)
            fail_msg("%s %s: no whole answer (%zu octets): %.300s", method, path, len,
                     raw != NULL ? raw : "no connection");
        http_answer_free(&a);
    }
    free(raw);
    return a;
}

json_t *http_json(struct http_client *c, const char *method, const char *path, const json_t *body,
                  int status)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    struct http_answer a = http_ask(c, method, path, "application/json", text);
    free(text);
    if (a.status == 0)
        return NULL;
    if (a.status != status)
        fail_msg("%s %s: status %d, not %d: %s", method, path, a.status, status, a.body);
    json_error_t error;
    json_t *answer = a.body_len > 0 ? json_loadb(a.body, a.body_len, 0, &error) : json_null();
    if (answer == NULL)
        fail_msg("%s %s: no JSON: %s", method, path, error.text);
    http_answer_free(&a);
    return answer;
}

void http_sign_in(struct http_client *c, const char *user, const char *password)
{
    json_t *who = json_pack("{s:s,s:s}", "user", user, "password", password);
    char *text = json_dumps(who, 0);
    struct http_answer a = http_ask(c, "POST", "/api/v1/session", "application/json", text);
    free(text);
    json_decref(who);
    if (a.status != 200)
        fail_msg("sign-in of %s: %d %s", user, a.status, a.body);
    const char *cookie = strcasestr(a.head, "\r\nSet-Cookie: ");
    assert_non_null(cookie);
    assert_int_equal(sscanf(cookie + 14, "%95[^;\r]", c->cookie), 1);
    json_t *answer = json_loads(a.body, 0, NULL);
    snprintf(c->csrf, sizeof c->csrf, "%.63s", json_string_value(json_object_get(answer, "csrf")));
    json_decref(answer);
    http_answer_free(&a);
}
