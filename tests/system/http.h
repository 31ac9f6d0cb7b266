/* A browser's side of HTTP/1.1 for tests: one request, one connection, the whole answer.
 *
 * Keeps the session's cookie and CSRF token as a page does. Failures of the line fail the test,
 * unless `may_fail` is set: then status is 0. */
#ifndef FERRARIS_TEST_HTTP_H
#define FERRARIS_TEST_HTTP_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct http_client {
    char host[64], port[8]; /* host may be an IPv6 address, without brackets */
    char cookie[96], csrf[64];
    bool may_fail;
};
struct http_answer {
    int status; /* 0: no answer */
    char *head; /* status line and headers, terminated */
    char *body; /* terminated; chunks joined */
    size_t body_len;
};

/* "http://127.0.0.1:8080" or "http://[::1]:8080" */
void http_client_init(struct http_client *c, const char *url);
/* `type` and `body` may be NULL. */
struct http_answer http_ask(struct http_client *c, const char *method, const char *path,
                            const char *type, const char *body);
void http_answer_free(struct http_answer *a);
/* The JSON of an answer that must have this status; the caller decrefs it. NULL when the status is
 * 0 and may_fail is set. */
json_t *http_json(struct http_client *c, const char *method, const char *path, const json_t *body,
                  int status);
/* Signs in as `user` and keeps cookie and CSRF token. */
void http_sign_in(struct http_client *c, const char *user, const char *password);

#endif
