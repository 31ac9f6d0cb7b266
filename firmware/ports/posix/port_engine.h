/* What a server of lines (TCP, UDP, serial) drives: octets in, octets out, no knowledge of the
 * protocol.
 *
 * A server has a fixed number of places; i is the place of a connection, of a peer, or 0 on a
 * serial line. It feeds what comes and takes what is to be sent, in the loop's thread; an engine
 * that consumes nothing holds up its own line only. */
#ifndef FERRARIS_POSIX_PORT_ENGINE_H
#define FERRARIS_POSIX_PORT_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port_engine {
    void *context;
    bool (*open)(void *context, size_t i); /* false: not now, the line is closed */
    /* Octets consumed: fewer than n while something waits for take. UDP: one whole datagram. */
    size_t (*feed)(void *context, size_t i, const uint8_t *p, size_t n);
    /* Octets to send; 0: none. UDP: one whole datagram. */
    size_t (*take)(void *context, size_t i, uint8_t *to, size_t size);
    /* True: close the line. Also called when only time has passed, after which take is asked. */
    bool (*closed)(void *context, size_t i, uint64_t now_ms);
    void (*close)(void *context, size_t i); /* the line is gone */
};

#endif
