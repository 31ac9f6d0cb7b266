#include "headend/api/api_connections.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum err connections_init(struct connections *c, size_t size, unsigned max_per_address)
{
    c->list = calloc(size, sizeof *c->list);
    if (c->list == NULL)
        return ERR_MEMORY;
    c->size = size;
    c->max_per_address = max_per_address;
    for (size_t i = 0; i < size; i++)
        c->list[i].fd = -1;
    if (pthread_mutex_init(&c->lock, NULL) != 0) {
        free(c->list);
        c->list = NULL;
        return ERR_MEMORY;
    }
    return ERR_OK;
}

void connections_free(struct connections *c)
{
    if (c->list == NULL)
        return;
    pthread_mutex_destroy(&c->lock);
    free(c->list);
    c->list = NULL;
}

static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF}; /* IPv4 in IPv6, RFC 4291 2.5.5.2 */

void connections_address(const struct sockaddr *a, uint8_t out[CONNECTIONS_ADDRESS])
{
    memset(out, 0, CONNECTIONS_ADDRESS);
    if (a != NULL && a->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)a;
        memcpy(out, mapped, sizeof mapped);
        memcpy(out + 12, &v4->sin_addr, 4);
    } else if (a != NULL && a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)a;
        memcpy(out, &v6->sin6_addr, CONNECTIONS_ADDRESS);
        if (memcmp(out, mapped, sizeof mapped) != 0 && !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
            memset(out + 8, 0, 8);
    }
}

bool connections_this_machine(const uint8_t address[CONNECTIONS_ADDRESS])
{
    static const uint8_t v6[CONNECTIONS_ADDRESS] = {[15] = 1};
    return memcmp(address, v6, sizeof v6) == 0 ||
           (memcmp(address, mapped, sizeof mapped) == 0 && address[12] == 127);
}

bool connections_admit(struct connections *c, const struct sockaddr *from)
{
    uint8_t address[CONNECTIONS_ADDRESS];
    unsigned n = 0;
    connections_address(from, address);
    if (c->max_per_address == 0 && connections_this_machine(address))
        return true;
    const unsigned most = c->max_per_address == 0 ? CONNECTIONS_PER_ADDRESS : c->max_per_address;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->size; i++)
        n += c->list[i].fd >= 0 && memcmp(c->list[i].address, address, sizeof address) == 0;
    pthread_mutex_unlock(&c->lock);
    return n < most;
}

struct connection *connections_begin(struct connections *c, int fd, const struct sockaddr *from,
                                     uint64_t deadline_ms)
{
    struct connection *one = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->size && one == NULL; i++) {
        if (c->list[i].fd < 0)
            one = &c->list[i];
    }
    if (one != NULL) {
        one->fd = fd;
        one->deadline_ms = deadline_ms;
        connections_address(from, one->address);
    }
    pthread_mutex_unlock(&c->lock);
    return one;
}

void connections_end(struct connections *c, struct connection *one)
{
    if (one == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    one->fd = -1;
    pthread_mutex_unlock(&c->lock);
}

void connections_deadline(struct connections *c, struct connection *one, uint64_t deadline_ms)
{
    if (one == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    one->deadline_ms = deadline_ms;
    pthread_mutex_unlock(&c->lock);
}

unsigned connections_cut(struct connections *c, uint64_t now_ms)
{
    unsigned n = 0;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->size; i++) {
        struct connection *one = &c->list[i];
        if (one->fd < 0 || one->deadline_ms == 0 || now_ms < one->deadline_ms)
            continue;
        shutdown(one->fd, SHUT_RDWR);
        one->deadline_ms = 0;
        n++;
    }
    pthread_mutex_unlock(&c->lock);
    return n;
}
