/* From an address to a connected socket. */
#ifndef FERRARIS_CLI_CLIENT_DIAL_H
#define FERRARIS_CLI_CLIENT_DIAL_H

#include <stddef.h>
#include <stdint.h>

struct client_dial_to {
    const char *host, *port;
    int socktype; /* SOCK_STREAM, SOCK_DGRAM */
};
/* A connected socket, or -1 with a message in `error`: each address of the host is tried. */
int client_dial(const struct client_dial_to *to, uint32_t timeout_ms, char *error,
                size_t error_size);

#endif
