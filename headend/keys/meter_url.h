/* The addresses of meters: tcp://host:port and tcp://[ipv6]:port, nothing else.
 *
 * Only the form is judged, no name is looked up. No path, user, query or white space is taken: what
 * stands in the store is what will be called. */
#ifndef FERRARIS_HEADEND_METER_URL_H
#define FERRARIS_HEADEND_METER_URL_H

#include <stdbool.h>
#include <stdint.h>

#define METER_URL_HOST 128 /* with the zero */

struct meter_url {
    char host[METER_URL_HOST]; /* for getaddrinfo: without brackets */
    uint16_t port;             /* 1..65535 */
    bool numeric_v6;           /* was in brackets */
};

/* NULL when the address is good (and *out is filled, where it is not NULL), else what is wrong, a
 * constant for people: "has no port". */
const char *meter_url_check(const char *url, struct meter_url *out);

#endif
