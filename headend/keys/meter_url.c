/* See meter_url.h. */
#include "headend/keys/meter_url.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#define SCHEME "tcp://"

static const char host_letters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

/* Decimal, 1..65535, no sign, no leading zero; 0 when it is not. */
static uint16_t port_of(const char *text)
{
    uint32_t n = 0;
    if (text[0] < '1' || strlen(text) > 5)
        return 0;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        n = n * 10 + (uint32_t)(*text - '0');
    }
    return n <= UINT16_MAX ? (uint16_t)n : 0;
}

/* With a zone perhaps: fe80::1%eth0. */
static bool is_ipv6(const char *host)
{
    char plain[INET6_ADDRSTRLEN];
    uint8_t octets[16];
    const size_t n = strcspn(host, "%");
    const char *zone = host + n;
    if (n >= sizeof plain || (*zone == '%' && zone[1 + strspn(zone + 1, host_letters)] != '\0') ||
        (*zone == '%' && zone[1] == '\0'))
        return false;
    memcpy(plain, host, n);
    plain[n] = '\0';
    return inet_pton(AF_INET6, plain, octets) == 1;
}

static const char *take_host(const char *p, size_t n, struct meter_url *url)
{
    url->numeric_v6 = n >= 2 && p[0] == '[' && p[n - 1] == ']';
    if (url->numeric_v6) {
        p++;
        n -= 2;
    }
    if (n == 0)
        return "has no host";
    if (n >= sizeof url->host)
        return "has a host that is too long";
    memcpy(url->host, p, n);
    url->host[n] = '\0';
    if (url->numeric_v6)
        return is_ipv6(url->host) ? NULL : "has no IPv6 address in its brackets";
    if (strchr(url->host, ':') != NULL)
        return "has an IPv6 address without brackets: tcp://[::1]:4059";
    if (strlen(url->host) != n || url->host[strspn(url->host, host_letters)] != '\0')
        return "has a host with other signs than letters, digits, '.', '-' and '_'";
    return NULL;
}

const char *meter_url_check(const char *url, struct meter_url *out)
{
    struct meter_url parsed = {0};
    if (strncmp(url, SCHEME, sizeof SCHEME - 1) != 0)
        return "does not begin with tcp://";
    const char *host = url + sizeof SCHEME - 1;
    const char *bracket = strchr(host, ']');
    const char *colon = strrchr(bracket != NULL ? bracket : host, ':');
    if (colon == NULL)
        return "has no port";
    const char *wrong = take_host(host, (size_t)(colon - host), &parsed);
    if (wrong != NULL)
        return wrong;
    parsed.port = port_of(colon + 1);
    if (parsed.port == 0)
        return "has no port from 1 to 65535 at its end";
    if (out != NULL)
        *out = parsed;
    return NULL;
}
