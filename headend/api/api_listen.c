#include "headend/api/api_listen.h"

#include "firmware/ports/posix/port_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

enum err api_address_parse(const char *listen, struct api_address *a)
{
    const char *colon = strrchr(listen, ':');
    const char *host = listen;
    if (colon == NULL || colon == listen)
        return ERR_FORMAT;
    size_t n = (size_t)(colon - listen);
    if (listen[0] == '[') {
        if (n < 3 || listen[n - 1] != ']')
            return ERR_FORMAT;
        host++;
        n -= 2;
    } else if (memchr(listen, ':', n) != NULL) {
        return ERR_FORMAT; /* an IPv6 address needs its brackets */
    }
    const size_t digits = strspn(colon + 1, "0123456789");
    if (n >= sizeof a->host || digits == 0 || digits >= sizeof a->port ||
        colon[1 + digits] != '\0' || atoi(colon + 1) > 65535)
        return ERR_FORMAT;
    memcpy(a->host, host, n);
    a->host[n] = '\0';
    memcpy(a->port, colon + 1, digits + 1);
    return ERR_OK;
}

/* ---- the socket ---- */

static bool is_loopback(const struct sockaddr *a)
{
    if (a->sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr);
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
    return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
        return 0;
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
    return ntohs(((struct sockaddr_in *)&a)->sin_port);
}

/* A bound and listening socket, or -1 with errno. */
static int listen_on(const struct addrinfo *a)
{
    const int on = 1, off = 0;
    const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a->ai_family == AF_INET6) /* [::] is everything, IPv4 too */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        const int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

enum err api_socket_open(struct api_socket *s, const struct api_address *a, char *why,
                         size_t why_size)
{
    const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                                  .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    const int bad = getaddrinfo(a->host, a->port, &want, &found);
    if (bad != 0) {
        snprintf(why, why_size, "there is no address %s: %s.", a->host, gai_strerror(bad));
        return ERR_FORMAT;
    }
    s->fd = listen_on(found);
    const int e = errno;
    s->v6 = found->ai_family == AF_INET6;
    s->loopback = is_loopback(found->ai_addr);
    freeaddrinfo(found);
    if (s->fd >= 0) {
        s->port = port_of(s->fd);
        return ERR_OK;
    }
    if (e == EADDRINUSE) {
        char owner[128];
        const bool known = port_owner((uint16_t)atoi(a->port), owner, sizeof owner);
        snprintf(why, why_size, "port %s of %s is taken%s%s.", a->port, a->host,
                 known ? " by " : "", known ? owner : "");
        return ERR_BUSY;
    }
    snprintf(why, why_size, "cannot listen on %s port %s: %s.", a->host, a->port,
             e == EADDRNOTAVAIL ? "this machine has no such address" : strerror(e));
    return e == EADDRNOTAVAIL ? ERR_FORMAT : ERR_IO;
}
