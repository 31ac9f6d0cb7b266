/* A small HTTP client over a raw socket: for tests that must say exactly which octets are sent. */
#ifndef FERRARIS_TESTS_HEADEND_API_HTTP_H
#define FERRARIS_TESTS_HEADEND_API_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct http_answer {
    int status; /* 0: the other side closed without an answer */
    char *head; /* status line and headers, zero-terminated */
    char *body; /* zero-terminated; chunks are joined */
    size_t body_len;
};

/* To 127.0.0.1; -1 when it does not connect. */
int http_connect(unsigned short port);
bool http_send(int fd, const char *text, size_t n);
/* Waits at most 10 s. The rest of the connection stays open. */
void http_receive(int fd, struct http_answer *a, bool head_only);
/* True when the other side closes within ms. */
bool http_closed(int fd, int ms);
/* What comes within ms, at most size - 1 octets, until `until` is among it. */
size_t http_wait(int fd, char *to, size_t size, const char *until, int ms);
/* Value of a header into `to`; "" where it is not there. */
void http_header(const struct http_answer *a, const char *name, char *to, size_t size);
void http_free(struct http_answer *a);

#endif
