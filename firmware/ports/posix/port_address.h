/* "HOST:PORT" to and from a socket's address, and why a port could not be had. */
#ifndef FERRARIS_POSIX_PORT_ADDRESS_H
#define FERRARIS_POSIX_PORT_ADDRESS_H

#include "lib/base/err.h"

#include <stddef.h>
#include <sys/socket.h>

#define PORT_ADDRESS_TEXT 128 /* "127.0.0.1:4059", "[::1]:4059" */
#define PORT_ADDRESS_WHY  256

/* HOST:PORT or [HOST]:PORT. socktype: SOCK_STREAM, SOCK_DGRAM. ERR_FORMAT with a sentence in `why`.
 */
MUST_CHECK enum err port_address_resolve(const char *address, int socktype,
                                         struct sockaddr_storage *out, char why[PORT_ADDRESS_WHY]);
void port_address_print(const struct sockaddr_storage *a, char out[PORT_ADDRESS_TEXT]);
/* A libuv error of bind or listen as a sentence that names who has the port. ERR_BUSY or ERR_IO. */
MUST_CHECK enum err port_address_explain(int rc, const char *address,
                                         const struct sockaddr_storage *a,
                                         char why[PORT_ADDRESS_WHY]);

#endif
