/* Addresses and connecting with a time limit; IPv4 and IPv6 alike. */
#include "cli/client_dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *split(const char *at, const char *host_end, const char *rest, char *host,
                         size_t host_size, char *port, size_t port_size)
{
    const size_t n = (size_t)(host_end - at);
    if (n == 0 || n >= host_size)
        return "has no usable host name";
    memcpy(host, at, n);
    host[n] = '\0';
    if (*rest == '/' && rest[1] == '\0')
        rest++;
    if (*rest == '\0') {
        snprintf(port, port_size, "4059");
        return NULL;
    }
    const size_t digits = strspn(rest + 1, "0123456789");
    const char *end = rest + 1 + digits;
    if (*rest != ':' || digits == 0 || digits > 5 || (*end != '\0' && strcmp(end, "/") != 0))
        return "has no usable port";
    snprintf(port, port_size, "%.*s", (int)digits, rest + 1);
    return NULL;
}

const char *client_url(const char *url, char *host, size_t host_size, char *port, size_t port_size)
{
    static const char scheme[] = "tcp://";
    if (strncmp(url, scheme, sizeof scheme - 1) != 0)
        return "is no address of a meter; write tcp://HOST:PORT";
    const char *at = url + sizeof scheme - 1;
    if (*at != '[') {
        const char *end = at + strcspn(at, ":/");
        return split(at, end, end, host, host_size, port, port_size);
    }
    const char *end = strchr(++at, ']');
    if (end == NULL)
        return "lacks the ']' of an IPv6 address";
    return split(at, end, end + 1, host, host_size, port, port_size);
}

/* 0, or an errno. */
static int connect_within(int fd, const struct addrinfo *a, uint32_t timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    const int ready = poll(&p, 1, (int)timeout_ms);
    if (ready <= 0)
        return ready == 0 ? ETIMEDOUT : errno;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        return errno;
    return error;
}

static int dial_one(const struct addrinfo *a, uint32_t timeout_ms, int *error)
{
    const int one = 1;
    const int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        *error = errno;
        return -1;
    }
    *error = connect_within(fd, a, timeout_ms);
    if (*error != 0 || fcntl(fd, F_SETFL, 0) != 0) {
        close(fd);
        return -1;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int client_dial(const char *host, const char *port, uint32_t timeout_ms, char *error,
                size_t error_size)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int fd = -1, reason = 0;
    const int found = getaddrinfo(host, port, &hints, &list);
    if (found != 0) {
        snprintf(error, error_size, "%s: %s", host, gai_strerror(found));
        return -1;
    }
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next)
        fd = dial_one(a, timeout_ms, &reason);
    freeaddrinfo(list);
    if (fd < 0)
        snprintf(error, error_size, "cannot reach %s port %s: %s", host, port, strerror(reason));
    return fd;
}
