/* From an address to a connected TCP socket. */
#ifndef FERRARIS_CLI_CLIENT_DIAL_H
#define FERRARIS_CLI_CLIENT_DIAL_H

#include <stddef.h>
#include <stdint.h>

/* Splits tcp://host[:port] into host (without brackets) and port. NULL, or what is wrong. */
const char *client_url(const char *url, char *host, size_t host_size, char *port, size_t port_size);
/* A connected socket, or -1 with a message in `error`: each address of the host is tried. */
int client_dial(const char *host, const char *port, uint32_t timeout_ms, char *error,
                size_t error_size);

#endif
