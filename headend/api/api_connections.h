/* The connections of the HTTP server: how many one address may have, and until when each must have
 * come on.
 *
 * libmicrohttpd's own time-out is about silence: a client that sends one octet every few seconds
 * would live for ever. Here each connection has a deadline on the injected clock for what it does
 * at the moment (headers, body, taking an answer); who is late is cut.
 *
 * Records are taken from an array made at start. All calls may come from any thread. A record
 * belongs to its connection from connections_begin to connections_end; the socket is closed by
 * libmicrohttpd only after the latter, so that a cut never hits a descriptor that is somebody
 * else's by then. */
#ifndef FERRARIS_HEADEND_API_CONNECTIONS_H
#define FERRARIS_HEADEND_API_CONNECTIONS_H

#include "lib/base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CONNECTIONS_ADDRESS 16 /* as IPv6; of real IPv6 the /64 only: that is one household */

struct connection {
    int fd;               /* -1: the record is free */
    uint64_t deadline_ms; /* 0: none */
    uint8_t address[CONNECTIONS_ADDRESS];
};
struct connections {
    pthread_mutex_t lock;
    struct connection *list;
    size_t size;
    unsigned max_per_address; /* 0: DEFAULT for others, no limit for this machine (a proxy) */
};
#define CONNECTIONS_PER_ADDRESS 128

MUST_CHECK enum err connections_init(struct connections *c, size_t size, unsigned max_per_address);
void connections_free(struct connections *c);
void connections_address(const struct sockaddr *a, uint8_t out[CONNECTIONS_ADDRESS]);
bool connections_this_machine(const uint8_t address[CONNECTIONS_ADDRESS]);
/* Whether one more may come from there. */
bool connections_admit(struct connections *c, const struct sockaddr *from);
/* NULL: none free; the caller then shuts the connection down. */
struct connection *connections_begin(struct connections *c, int fd, const struct sockaddr *from,
                                     uint64_t deadline_ms);
void connections_end(struct connections *c, struct connection *one);
/* one may be NULL. */
void connections_deadline(struct connections *c, struct connection *one, uint64_t deadline_ms);
/* Shuts down whoever is late; returns how many. */
unsigned connections_cut(struct connections *c, uint64_t now_ms);

#endif
