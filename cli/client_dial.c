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
    if (a->ai_socktype == SOCK_STREAM)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int client_dial(const struct client_dial_to *to, uint32_t timeout_ms, char *error,
                size_t error_size)
{
    const struct addrinfo hints = {.ai_socktype = to->socktype};
    struct addrinfo *list = NULL;
    int fd = -1, reason = 0;
    const int found = getaddrinfo(to->host, to->port, &hints, &list);
    if (found != 0) {
        snprintf(error, error_size, "cannot find %s: %s", to->host, gai_strerror(found));
        return -1;
    }
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next)
        fd = dial_one(a, timeout_ms, &reason);
    freeaddrinfo(list);
    if (fd < 0)
        snprintf(error, error_size, "cannot reach %s port %s: %s", to->host, to->port,
                 strerror(reason));
    return fd;
}
