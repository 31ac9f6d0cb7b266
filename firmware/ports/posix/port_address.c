/* See port_address.h. */
#include "firmware/ports/posix/port_address.h"

#include "firmware/ports/posix/port_owner.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

static bool is_port(const char *text)
{
    size_t n = strlen(text);
    return n >= 1 && n <= 5 && strspn(text, "0123456789") == n && strtoul(text, NULL, 10) <= 65535;
}

enum err port_address_resolve(const char *address, int socktype, struct sockaddr_storage *out,
                              char why[PORT_ADDRESS_WHY])
{
    char host[128];
    const char *colon = strrchr(address, ':');
    size_t n = colon != NULL ? (size_t)(colon - address) : 0;
    if (n == 0 || n >= sizeof host || !is_port(colon + 1)) {
        snprintf(why, PORT_ADDRESS_WHY, "'%s' is not HOST:PORT", address);
        return ERR_FORMAT;
    }
    memcpy(host, address, n);
    host[n] = '\0';
    char *name = host;
    if (host[0] == '[' && host[n - 1] == ']') {
        host[n - 1] = '\0';
        name = host + 1;
    }
    struct addrinfo hints = {.ai_socktype = socktype, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    int rc = getaddrinfo(name, colon + 1, &hints, &found);
    if (rc != 0) {
        snprintf(why, PORT_ADDRESS_WHY, "%s: %s", address, gai_strerror(rc));
        return ERR_FORMAT;
    }
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return ERR_OK;
}

static uint16_t port_of(const struct sockaddr_storage *a)
{
    if (a->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)a)->sin6_port);
    return ntohs(((const struct sockaddr_in *)a)->sin_port);
}

void port_address_print(const struct sockaddr_storage *a, char out[PORT_ADDRESS_TEXT])
{
    char name[INET6_ADDRSTRLEN] = "?";
    if (a->ss_family == AF_INET6)
        uv_ip6_name((const struct sockaddr_in6 *)a, name, sizeof name);
    else
        uv_ip4_name((const struct sockaddr_in *)a, name, sizeof name);
    const char *format = a->ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u";
    snprintf(out, PORT_ADDRESS_TEXT, format, name, (unsigned)port_of(a));
}

enum err port_address_explain(int rc, const char *address, const struct sockaddr_storage *a,
                              char why[PORT_ADDRESS_WHY])
{
    char owner[96];
    if (rc != UV_EADDRINUSE) {
        snprintf(why, PORT_ADDRESS_WHY, "%s: %s", address, uv_strerror(rc));
        return ERR_IO;
    }
    if (port_owner(port_of(a), owner, sizeof owner))
        snprintf(why, PORT_ADDRESS_WHY, "address already in use: %s, by %s", address, owner);
    else
        snprintf(why, PORT_ADDRESS_WHY, "address already in use: %s", address);
    return ERR_BUSY;
}
