/* See client_line.h. */
#include "cli/client_line.h"

#include "cli/client_dial.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HDLC_ONE_OCTET  127   /* the largest address of one octet */
#define HDLC_TWO_OCTETS 16383 /* of two, also of each half of four */
#define HDLC_RETRIES    3

uint64_t client_line_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

const char *client_line_init(struct client_line *l, const char *url)
{
    memset(l, 0, sizeof *l);
    l->fd = -1;
    const char *wrong = line_url_parse(url, &l->url);
    if (wrong == NULL)
        line_url_name(&l->url, l->name);
    return wrong;
}

/* ---- links ---- */

static uint8_t address_size(const struct client_line_options *o)
{
    if (o->physical == 0 && o->server <= HDLC_ONE_OCTET)
        return 1;
    return o->physical <= HDLC_ONE_OCTET && o->server <= HDLC_ONE_OCTET ? 2 : 4;
}

static enum err init_hdlc(struct client_line *l, const struct client_line_options *o)
{
    const bool serial = l->url.kind == LINE_SERIAL;
    const uint16_t info = serial ? 128 : 1024; /* serial: what every meter takes */
    if (o->client > HDLC_ONE_OCTET || o->server > HDLC_TWO_OCTETS ||
        o->physical > HDLC_TWO_OCTETS) {
        snprintf(l->error, sizeof l->error,
                 "HDLC has client addresses to %d, server and physical addresses to %d",
                 HDLC_ONE_OCTET, HDLC_TWO_OCTETS);
        return ERR_RANGE;
    }
    const struct hdlc_config config = {
        .parameters = {.max_info_tx = info, .max_info_rx = info, .window_tx = 1, .window_rx = 1},
        .client_sap = o->client,
        .server_sap = o->server,
        .server_lower = o->physical,
        .address_size = address_size(o),
        .response_ms = o->timeout_ms / (HDLC_RETRIES + 1), /* all tries within the time-out */
        .retries = HDLC_RETRIES};
    return hdlc_client_init(&l->base.hdlc, &config, l->in, sizeof l->in);
}

static enum err init_links(struct client_line *l, const struct client_line_options *o)
{
    enum err err = ERR_OK;
    struct dlms_link *base = &l->base.wrapper.link;
    l->link = NULL;
    if (l->url.kind == LINE_TCP && !l->url.has_gateway)
        return ERR_OK; /* the client's own */
    if (l->url.kind == LINE_TCP) {
        wrapper_link_init_stream(&l->base.wrapper, false, l->in, sizeof l->in);
    } else if (l->url.kind == LINE_UDP) {
        wrapper_link_init_datagrams(&l->base.wrapper, false, l->in, sizeof l->in);
    } else {
        err = init_hdlc(l, o);
        base = &l->base.hdlc.link;
    }
    if (!err && l->url.mode_e) {
        const struct mode_e_config config = {.max_baud = l->url.serial.baud, .retries = 2};
        err = mode_e_init(&l->sign_on, &config, base);
        base = &l->sign_on.link;
    }
    if (!err && l->url.has_gateway)
        err = gateway_link_init(&l->gateway, base, &l->url.gateway, l->out, sizeof l->out);
    if (!err)
        l->link = l->url.has_gateway ? &l->gateway.link : base;
    return err;
}

enum err client_line_dial(struct client_line *l, const struct client_line_options *o)
{
    l->error[0] = '\0';
    l->stuck = false;
    l->timeout_ms = o->timeout_ms;
    enum err err = init_links(l, o);
    if (err)
        return err;
    if (l->url.kind == LINE_SERIAL) {
        l->speed.baud = 0;
        return serial_open(&l->fd, l->url.path, &l->url.serial, l->error);
    }
    const int type = l->url.kind == LINE_UDP ? SOCK_DGRAM : SOCK_STREAM;
    const struct client_dial_to to = {.host = l->url.host, .port = l->url.port, .socktype = type};
    l->fd = client_dial(&to, o->timeout_ms, l->error, sizeof l->error);
    return l->fd < 0 ? ERR_IO : ERR_OK;
}

void client_line_close(struct client_line *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

/* ---- octets ---- */

/* Takes what fits: who never reads must not hold us in the system call. */
static ssize_t put(const struct client_line *l, const uint8_t *p, size_t n)
{
    return l->url.kind == LINE_SERIAL ? write(l->fd, p, n)
                                      : send(l->fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* True: the line takes octets again, or a signal came; false: it is gone, or the time is over. */
static bool wait_for_room(struct client_line *l, uint64_t deadline_ms)
{
    struct pollfd room = {.fd = l->fd, .events = POLLOUT};
    const uint64_t now = client_line_now();
    const int ready = now < deadline_ms ? poll(&room, 1, (int)(deadline_ms - now)) : 0;
    l->stuck = ready == 0;
    return ready > 0 || (ready < 0 && errno == EINTR);
}

static bool write_whole(struct client_line *l, const uint8_t *p, size_t n)
{
    uint64_t deadline = client_line_now() + l->timeout_ms;
    for (size_t at = 0; at < n && !l->stuck;) {
        const ssize_t done = put(l, p + at, n - at);
        if (done > 0) { /* a slow line is none that is stuck */
            at += (size_t)done;
            deadline = client_line_now() + l->timeout_ms;
        } else if (done == 0 || (errno != EINTR && errno != EAGAIN)) {
            return false;
        } else if (errno == EAGAIN && !wait_for_room(l, deadline)) {
            return false;
        }
    }
    return !l->stuck;
}

/* The sign-on says how fast the line is to be; what was written leaves it first. False: it cannot.
 */
static bool follow_speed(struct client_line *l)
{
    if (!l->url.mode_e)
        return true;
    const struct mode_e_speed now = mode_e_speed(&l->sign_on);
    if (now.baud == l->speed.baud && now.seven_even == l->speed.seven_even)
        return true;
    const struct serial_options o = {.baud = now.baud,
                                     .data_bits = now.seven_even ? 7 : 8,
                                     .parity = now.seven_even ? SERIAL_EVEN : SERIAL_NONE};
    l->speed = now;
    return serial_set(l->fd, &o) == ERR_OK;
}

bool client_line_write(struct client_line *l, struct cosem_client *c)
{
    uint8_t out[CLIENT_LINE_BUFFER];
    bool good = follow_speed(l);
    size_t n;
    while (good && (n = cosem_client_take(c, out, sizeof out)) > 0)
        good = write_whole(l, out, n) && follow_speed(l);
    return good;
}

static bool feed(struct client_line *l, struct cosem_client *c, const uint8_t *p, size_t n)
{
    const bool datagrams = l->url.kind == LINE_UDP;
    for (size_t at = 0; at < n && c->state != CLIENT_FAILED;) {
        const size_t used = cosem_client_feed(c, client_line_now(), p + at, n - at);
        at += used;
        if (datagrams)
            return true; /* taken, or an answer nobody waits for */
        if (used == 0 && !client_line_write(l, c))
            return false;
    }
    return true;
}

bool client_line_read(struct client_line *l, struct cosem_client *c, uint64_t deadline_ms)
{
    uint8_t in[CLIENT_LINE_BUFFER];
    struct pollfd p = {.fd = l->fd, .events = POLLIN};
    const uint64_t now = client_line_now();
    int wait = -1;
    if (deadline_ms != UINT64_MAX)
        wait = deadline_ms <= now
                   ? 0
                   : (int)(deadline_ms - now < 3600000 ? deadline_ms - now : 3600000);
    const int ready = poll(&p, 1, wait);
    if (ready <= 0)
        return ready == 0 || errno == EINTR;
    const ssize_t n = read(l->fd, in, sizeof in);
    if (n > 0)
        return feed(l, c, in, (size_t)n) && follow_speed(l);
    const bool silent = l->url.kind == LINE_SERIAL && n == 0 && (p.revents & POLLHUP) == 0;
    return silent || (n < 0 && (errno == EINTR || errno == EAGAIN));
}
