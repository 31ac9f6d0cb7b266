/* From "127.0.0.1:8080" to a listening socket, or a sentence that says why not: who has the port.
 */
#ifndef FERRARIS_HEADEND_API_LISTEN_H
#define FERRARIS_HEADEND_API_LISTEN_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API_HOST_TEXT 128

struct api_address {
    char host[API_HOST_TEXT]; /* without brackets */
    char port[6];
};
/* host:port or [ipv6]:port. ERR_FORMAT. */
MUST_CHECK enum err api_address_parse(const char *listen, struct api_address *a);

struct api_socket {
    int fd; /* listening, non-blocking, close-on-exec */
    bool v6;
    bool loopback; /* only this machine reaches it */
    uint16_t port; /* the real one */
};
/* ERR_BUSY (taken; *why says by which process where it can be seen), ERR_FORMAT, ERR_IO. */
MUST_CHECK enum err api_socket_open(struct api_socket *s, const struct api_address *a, char *why,
                                    size_t why_size);

#endif
