/* Who listens on a TCP port of this machine, for the message "port taken". Linux only (/proc). */
#ifndef FERRARIS_POSIX_PORT_OWNER_H
#define FERRARIS_POSIX_PORT_OWNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "ferraris (process 4711)"; false where the system does not tell us (another user's process). */
bool port_owner(uint16_t port, char *text, size_t size);

#endif
