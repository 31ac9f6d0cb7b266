/* See demo_health.h. */
#include "cli/demo_health.h"

#include <errno.h>
#include <jansson.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_MAX 8192
#define PATIENCE_S 2
#define SCHEME     "http://"

/* The last colon parts the port off; brackets of IPv6 are dropped. */
static struct addrinfo *address_of(const char *text)
{
    char host[256];
    const char *colon = strrchr(text, ':');
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                                  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof host)
        return NULL;
    bool bracketed = text[0] == '[' && colon[-1] == ']';
    int len = (int)(colon - text) - (bracketed ? 2 : 0);
    snprintf(host, sizeof host, "%.*s", len, text + (bracketed ? 1 : 0));
    return getaddrinfo(host, colon + 1, &want, &found) == 0 ? found : NULL;
}

bool health_port_taken(const char *listen)
{
    struct addrinfo *a = address_of(listen);
    const int yes = 1;
    if (a == NULL)
        return false;
    const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes); /* as servers do */
    const bool taken = bind(fd, a->ai_addr, a->ai_addrlen) != 0 && errno == EADDRINUSE;
    close(fd);
    freeaddrinfo(a);
    return taken;
}

static int call(const char *url)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    if (strncmp(url, SCHEME, sizeof SCHEME - 1) != 0)
        return -1;
    struct addrinfo *a = address_of(url + sizeof SCHEME - 1);
    if (a == NULL)
        return -1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(a);
    return fd;
}

static uint64_t number(const json_t *o, const char *name)
{
    const json_int_t x = json_integer_value(json_object_get(o, name));
    return x > 0 ? (uint64_t)x : 0;
}

static bool parse(const char *answer, struct health *out)
{
    const char *body = strstr(answer, "\r\n\r\n");
    json_t *o = body != NULL ? json_loads(body + 4, 0, NULL) : NULL;
    const bool good = json_is_integer(json_object_get(o, "up_to_date"));
    const char *reason = json_string_value(json_object_get(o, "reason"));
    *out = (struct health){.meters = number(o, "meters"),
                           .up_to_date = number(o, "up_to_date"),
                           .failing = number(o, "failing"),
                           .rows = number(o, "rows"),
                           .values = number(o, "values")};
    if (reason != NULL)
        snprintf(out->reason, sizeof out->reason, "%s", reason);
    json_decref(o);
    return good;
}

bool health_ask(const char *url, struct health *out)
{
    char request[400], answer[ANSWER_MAX];
    size_t len = 0;
    const int fd = call(url);
    if (fd < 0)
        return false;
    const int size =
        snprintf(request, sizeof request, "GET /health HTTP/1.0\r\nHost: %.300s\r\n\r\n",
                 url + sizeof SCHEME - 1);
    ssize_t n = send(fd, request, (size_t)size, MSG_NOSIGNAL);
    while (n > 0 && len + 1 < sizeof answer) {
        n = recv(fd, answer + len, sizeof answer - 1 - len, 0);
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    answer[len] = '\0';
    return n == 0 && parse(answer, out);
}
