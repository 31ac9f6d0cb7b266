/* Asks a head-end how it is: one GET /health over loopback, answered within two seconds or not. */
#ifndef FERRARIS_CLI_DEMO_HEALTH_H
#define FERRARIS_CLI_DEMO_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct health {
    uint64_t meters, up_to_date, failing, rows, values;
    char reason[200]; /* empty: none */
};

/* url: "http://HOST:PORT" with a numeric host. False: nobody there, or no such answer. */
bool health_ask(const char *url, struct health *out);
/* Whether HOST:PORT ("127.0.0.1:8080", "[::1]:8080") is in use by another program. */
bool health_port_taken(const char *listen);

#endif
