/* See line_url.h. Nothing is guessed: an option that is not known, or stands where it means
 * nothing, is an error. */
#include "cli/line_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const schemes[] = {"tcp", "udp", "hdlc+tcp", "serial"};

const char *line_url_scheme(enum line_kind kind)
{
    return schemes[kind];
}

void line_url_name(const struct line_url *u, char out[LINE_URL_NAME])
{
    const bool v6 = strchr(u->host, ':') != NULL;
    if (u->kind == LINE_SERIAL)
        snprintf(out, LINE_URL_NAME, "%s", u->path);
    else
        snprintf(out, LINE_URL_NAME, "%s%s%s:%s", v6 ? "[" : "", u->host, v6 ? "]" : "", u->port);
}

/* ---- options ---- */

static bool is(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(text, word, n) == 0;
}

static const char *set_baud(struct line_url *u, const char *v)
{
    char *end;
    const unsigned long baud = strtoul(v, &end, 10);
    if (v[0] < '0' || v[0] > '9' || *end != '\0' || baud < 50 || baud > 10000000)
        return "has no usable baud=";
    u->serial.baud = (uint32_t)baud;
    return NULL;
}

static const char *set_bits(struct line_url *u, const char *v)
{
    u->serial.data_bits = (uint8_t)(v[0] - '0');
    return is(v, strlen(v), "7") || is(v, strlen(v), "8") ? NULL : "wants bits=7 or bits=8";
}

static const char *set_stop(struct line_url *u, const char *v)
{
    u->serial.stop_bits = (uint8_t)(v[0] - '0');
    return is(v, strlen(v), "1") || is(v, strlen(v), "2") ? NULL : "wants stop=1 or stop=2";
}

static const char *set_parity(struct line_url *u, const char *v)
{
    static const char *const names[] = {"none", "even", "odd"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(v, names[i]) == 0) {
            u->serial.parity = (enum serial_parity)i;
            return NULL;
        }
    }
    return "wants parity=none, even or odd";
}

static const char *set_mode(struct line_url *u, const char *v)
{
    u->mode_e = strcmp(v, "e") == 0;
    return u->mode_e || strcmp(v, "hdlc") == 0 ? NULL : "wants mode=e or mode=hdlc";
}

static const char *set_gateway(struct line_url *u, const char *v)
{
    u->has_gateway = true;
    return gateway_parse(v, &u->gateway) == ERR_OK ? NULL : "wants gateway=NETWORK:HEXADDRESS";
}

static const struct {
    const char *name;
    bool serial_only;
    const char *(*set)(struct line_url *u, const char *value);
} option_row[] = {{"baud", true, set_baud},     {"bits", true, set_bits},
                  {"parity", true, set_parity}, {"stop", true, set_stop},
                  {"mode", true, set_mode},     {"gateway", false, set_gateway}};

static const char *set_option(struct line_url *u, const char *text, size_t n)
{
    char value[2 * GATEWAY_ADDRESS_MAX + 8];
    const char *equals = memchr(text, '=', n);
    const size_t name_len = equals != NULL ? (size_t)(equals - text) : n;
    const size_t value_len = equals != NULL ? n - name_len - 1 : 0;
    if (equals == NULL || value_len >= sizeof value)
        return "has an option that is no NAME=VALUE";
    memcpy(value, equals + 1, value_len);
    value[value_len] = '\0';
    for (size_t i = 0; i < sizeof option_row / sizeof option_row[0]; i++) {
        if (!is(text, name_len, option_row[i].name))
            continue;
        if (option_row[i].serial_only && u->kind != LINE_SERIAL)
            return "has an option that is for serial lines";
        return option_row[i].set(u, value);
    }
    return "has an unknown option; there are baud, bits, parity, stop, mode and gateway";
}

/* Behind the '?', or the end. */
static const char *set_options(struct line_url *u, const char *text)
{
    while (*text != '\0') {
        const size_t n = strcspn(text, "&");
        const char *wrong = set_option(u, text, n);
        if (wrong != NULL)
            return wrong;
        text += n + (text[n] == '&' ? 1 : 0);
    }
    return NULL;
}

/* ---- addresses ---- */

/* Host from `at` to `host_end`; `rest` is what follows it (and the bracket), up to `end`. */
static const char *set_host(struct line_url *u, const char *at, const char *host_end,
                            const char *rest, const char *end)
{
    const size_t n = (size_t)(host_end - at);
    if (n == 0 || n >= sizeof u->host)
        return "has no usable host name";
    memcpy(u->host, at, n);
    if (end > rest && end[-1] == '/')
        end--;
    if (rest == end) {
        snprintf(u->port, sizeof u->port, "4059");
        return NULL;
    }
    const size_t digits = *rest == ':' ? strspn(rest + 1, "0123456789") : 0;
    if (digits == 0 || digits > 5 || rest + 1 + digits != end ||
        strtoul(rest + 1, NULL, 10) > 65535)
        return "has no usable port";
    snprintf(u->port, sizeof u->port, "%.*s", (int)digits, rest + 1);
    return NULL;
}

static const char *set_network(struct line_url *u, const char *at, const char *end)
{
    if (*at != '[') {
        const char *host_end = at + strcspn(at, ":/?");
        return set_host(u, at, host_end, host_end, end);
    }
    const char *bracket = memchr(at, ']', (size_t)(end - at));
    if (bracket == NULL)
        return "lacks the ']' of an IPv6 address";
    return set_host(u, at + 1, bracket, bracket + 1, end);
}

const char *line_url_parse_serial(const char *text, struct line_url *out)
{
    memset(out, 0, sizeof *out);
    out->kind = LINE_SERIAL;
    const size_t n = strcspn(text, "?");
    if (n == 0 || n >= sizeof out->path)
        return "has no usable path";
    memcpy(out->path, text, n);
    return set_options(out, text + n + (text[n] == '?' ? 1 : 0));
}

const char *line_url_parse(const char *text, struct line_url *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const size_t n = strlen(schemes[i]);
        if (strncmp(text, schemes[i], n) != 0 || strncmp(text + n, "://", 3) != 0)
            continue;
        const char *at = text + n + 3;
        if (i == LINE_SERIAL)
            return line_url_parse_serial(at, out);
        out->kind = (enum line_kind)i;
        const char *end = at + strcspn(at, "?");
        const char *wrong = set_network(out, at, end);
        return wrong != NULL ? wrong : set_options(out, end + (*end == '?' ? 1 : 0));
    }
    return "is no address of a meter; write tcp://HOST:PORT, udp://HOST:PORT, hdlc+tcp://HOST:PORT "
           "or serial:///dev/TTY";
}
