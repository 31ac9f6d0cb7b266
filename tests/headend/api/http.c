#include "tests/headend/api/http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 60000

int http_connect(unsigned short port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

bool http_send(int fd, const char *text, size_t n)
{
    while (n > 0) {
        const ssize_t k = send(fd, text, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        text += k;
        n -= (size_t)k;
    }
    return true;
}

/* One recv; 0 at the end, an error or after ms. */
static size_t some(int fd, char *to, size_t size, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, ms) <= 0)
        return 0;
    const ssize_t n = recv(fd, to, size, 0);
    return n > 0 ? (size_t)n : 0;
}

bool http_closed(int fd, int ms)
{
    char octets[4096];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, ms) > 0) {
        if (recv(fd, octets, sizeof octets, 0) <= 0)
            return true;
    }
    return false;
}

size_t http_wait(int fd, char *to, size_t size, const char *until, int ms)
{
    size_t n = 0;
    to[0] = '\0';
    while (n + 1 < size && strstr(to, until) == NULL) {
        const size_t k = some(fd, to + n, size - 1 - n, ms);
        if (k == 0)
            break;
        n += k;
        to[n] = '\0';
    }
    return n;
}

void http_header(const struct http_answer *a, const char *name, char *to, size_t size)
{
    const size_t n = strlen(name);
    to[0] = '\0';
    const char *line = a->head;
    while (line != NULL && (line = strstr(line, "\r\n")) != NULL) {
        line += 2;
        if (strncasecmp(line, name, n) != 0 || line[n] != ':')
            continue;
        const char *value = line + n + 1 + strspn(line + n + 1, " ");
        snprintf(to, size, "%.*s", (int)strcspn(value, "\r"), value);
        return;
    }
}

/* Grows `*all` by what comes; false at the end. */
static bool more(int fd, char **all, size_t *n)
{
    char octets[65536];
    const size_t k = some(fd, octets, sizeof octets, WAIT_MS);
    if (k == 0)
        return false;
    *all = realloc(*all, *n + k + 1);
    memcpy(*all + *n, octets, k);
    *n += k;
    (*all)[*n] = '\0';
    return true;
}

/* Joins chunks at p (n octets so far) into a->body; false: more is needed. */
static bool join(struct http_answer *a, const char *p, size_t n)
{
    size_t at = 0;
    a->body_len = 0;
    a->body = realloc(a->body, n + 1);
    for (;;) {
        const char *end = at < n ? strstr(p + at, "\r\n") : NULL;
        if (end == NULL)
            return false;
        const size_t len = strtoul(p + at, NULL, 16);
        at = (size_t)(end - p) + 2;
        if (at + len + 2 > n)
            return false;
        memcpy(a->body + a->body_len, p + at, len);
        a->body_len += len;
        a->body[a->body_len] = '\0';
        at += len + 2;
        if (len == 0)
            return true;
    }
}

void http_receive(int fd, struct http_answer *a, bool head_only)
{
    char *all = calloc(1, 1), length[32], coding[32];
    size_t n = 0;
    memset(a, 0, sizeof *a);
    char *end = NULL;
    while ((end = strstr(all, "\r\n\r\n")) == NULL && more(fd, &all, &n)) {
    }
    if (end == NULL) {
        free(all);
        a->head = calloc(1, 1);
        a->body = calloc(1, 1);
        return;
    }
    const size_t head = (size_t)(end - all) + 4;
    a->head = strndup(all, head - 2);
    a->status = atoi(a->head + 9);
    a->body = calloc(1, 1);
    http_header(a, "Content-Length", length, sizeof length);
    http_header(a, "Transfer-Encoding", coding, sizeof coding);
    if (!head_only && strcmp(coding, "chunked") == 0) {
        while (!join(a, all + head, n - head) && more(fd, &all, &n)) {
        }
    } else if (!head_only && a->status != 204 && a->status != 304) {
        const size_t want = strtoul(length, NULL, 10);
        while (n - head < want && more(fd, &all, &n)) {
        }
        a->body = realloc(a->body, n - head + 1);
        memcpy(a->body, all + head, n - head);
        a->body_len = n - head;
        a->body[a->body_len] = '\0';
    }
    free(all);
}

void http_free(struct http_answer *a)
{
    free(a->head);
    free(a->body);
    memset(a, 0, sizeof *a);
}
