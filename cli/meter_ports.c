/* See meter_ports.h. Glue between the servers of the port and cosem_line: one struct line for each
 * place of a server, with the link that the kind of the port needs. */
#include "cli/meter_ports.h"

#include "firmware/ports/posix/serial_server.h"
#include "firmware/ports/posix/tcp_server.h"
#include "firmware/ports/posix/udp_server.h"
#include "lib/cosem/line.h"
#include "lib/dlms/hdlc.h"
#include "lib/dlms/mode_e.h"
#include "lib/dlms/wrapper_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_LINES 16 /* places of the largest server */
_Static_assert(TCP_SERVER_CONNS <= N_LINES && UDP_SERVER_PEERS <= N_LINES, "a line for each place");

struct port_line {
    struct cosem_line line;
    struct cosem_session session;
    union {
        struct wrapper_link wrapper;
        struct hdlc hdlc;
    } link;
    uint8_t buffer[COSEM_PDU_MAX + 64]; /* an APDU, and what HDLC needs besides */
};

struct meter_port {
    struct meter_ports *all;
    struct line_url url;
    char name[METER_PORT_NAME];
    union {
        struct tcp_server tcp;
        struct udp_server udp;
        struct {
            struct serial_server server;
            struct serial_pty pty; /* or */
            int fd;                /* of a tty; -1: none */
            struct mode_e sign_on; /* mode=e: around the HDLC link */
            uint32_t baud;         /* the line's, and its bits; 0: not set yet */
            bool seven_even;
            char identification[MODE_E_IDENTIFICATION_MAX + 1];
        } serial;
    } as;
    struct port_line line[N_LINES];
};

static uint64_t now_ms(const struct meter_port *p)
{
    return uv_now(p->all->loop);
}

/* ---- one line ---- */

static uint32_t hdlc_inactivity_ms(const struct meter_port *p)
{
    const uint32_t session = p->all->life->o.inactivity_ms;
    return session != 0 && session < METER_PORT_INACTIVE_MS ? session : METER_PORT_INACTIVE_MS;
}

static enum err init_hdlc(struct meter_port *p, struct port_line *l)
{
    const bool serial = p->url.kind == LINE_SERIAL;
    const uint16_t info = serial ? 512 : 1024;
    const struct hdlc_config config = {
        .is_server = true,
        .parameters = {.max_info_tx = info, .max_info_rx = info, .window_tx = 7, .window_rx = 7},
        .inactivity_ms = hdlc_inactivity_ms(p),
        .inter_octet_ms = serial ? 0 : METER_PORT_TCP_OCTET_MS,
        .physical = METER_PORT_PHYSICAL};
    return hdlc_server_init(&l->link.hdlc, &config, l->buffer, sizeof l->buffer);
}

/* The sign-on before HDLC. It names the model, and answers to the serial number. */
static enum err init_mode_e(struct meter_port *p, struct dlms_link *hdlc)
{
    const struct life_options *o = &p->all->life->o;
    snprintf(p->as.serial.identification, sizeof p->as.serial.identification, "FER%s",
             o->model->name);
    const struct mode_e_config config = {.is_server = true,
                                         .device = o->serial,
                                         .identification = p->as.serial.identification,
                                         .max_baud = p->url.serial.baud,
                                         .idle_ms = hdlc_inactivity_ms(p)};
    return mode_e_init(&p->as.serial.sign_on, &config, hdlc);
}

/* The link of the port's kind, as new. NULL: not to be had. */
static struct dlms_link *init_link(struct meter_port *p, struct port_line *l)
{
    switch (p->url.kind) {
    case LINE_TCP:
        wrapper_link_init_stream(&l->link.wrapper, true, l->buffer, COSEM_PDU_MAX);
        return &l->link.wrapper.link;
    case LINE_UDP:
        wrapper_link_init_datagrams(&l->link.wrapper, true, l->buffer, COSEM_PDU_MAX);
        return &l->link.wrapper.link;
    default:
        break;
    }
    struct dlms_link *hdlc = &l->link.hdlc.link;
    if (init_hdlc(p, l) != ERR_OK || (p->url.mode_e && init_mode_e(p, hdlc) != ERR_OK))
        return NULL;
    return p->url.mode_e ? &p->as.serial.sign_on.link : hdlc;
}

static bool on_open(void *context, size_t i)
{
    struct meter_port *p = context;
    struct port_line *l = &p->line[i];
    if (!p->all->life->powered || p->all->shut)
        return false;
    struct dlms_link *link = init_link(p, l);
    if (link == NULL)
        return false;
    session_init(&l->session, &p->all->life->meter.server);
    line_init(&l->line, link, &l->session);
    return true;
}

static size_t on_feed(void *context, size_t i, const uint8_t *octets, size_t n)
{
    struct meter_port *p = context;
    return line_feed(&p->line[i].line, now_ms(p), octets, n);
}

static size_t on_take(void *context, size_t i, uint8_t *to, size_t size)
{
    struct meter_port *p = context;
    return line_take(&p->line[i].line, now_ms(p), to, size);
}

static bool on_closed(void *context, size_t i, uint64_t now)
{
    struct meter_port *p = context;
    struct port_line *l = &p->line[i];
    (void)line_poll(&l->line, now); /* the servers ask often enough */
    const enum dlms_link_state link = dlms_link_state(l->line.link);
    if (p->url.kind != LINE_SERIAL || link != LINK_CLOSED || !session_closed(&l->session))
        return line_closed(&l->line);
    /* a serial line without a client: one may be signing on, so its link goes on as it is */
    session_close(&l->session);
    session_init(&l->session, &p->all->life->meter.server);
    return false;
}

static void on_close(void *context, size_t i)
{
    struct meter_port *p = context;
    session_close(&p->line[i].session);
}

static enum udp_server_loss on_loss(void *context, size_t i)
{
    const struct meter_port *p = context;
    const struct cosem_session *s = &p->line[i].session;
    if (s->state == SESSION_IDLE || s->state == SESSION_CLOSED)
        return UDP_SERVER_NOTHING;
    const bool proven = s->state == SESSION_ASSOCIATED && s->client->mechanism != COSEM_AUTH_NONE;
    return proven ? UDP_SERVER_KEEP : UDP_SERVER_LITTLE;
}

static struct port_engine engine_of(struct meter_port *p)
{
    return (struct port_engine){.context = p,
                                .open = on_open,
                                .feed = on_feed,
                                .take = on_take,
                                .closed = on_closed,
                                .close = on_close};
}

/* ---- ports ---- */

static enum err listen_tcp(struct meter_port *p, const char *address)
{
    const struct port_engine engine = engine_of(p);
    struct tcp_server *s = &p->as.tcp;
    const enum err err = tcp_server_listen(s, p->all->loop, address, &engine);
    const bool hdlc = p->url.kind == LINE_HDLC_TCP;
    snprintf(p->name, sizeof p->name, "%s%s", hdlc ? "hdlc+tcp://" : "", s->address);
    snprintf(p->all->why, sizeof p->all->why, "%s", s->why);
    return err;
}

static enum err listen_udp(struct meter_port *p, const char *address)
{
    const struct udp_server_engine engine = {.line = engine_of(p), .loss = on_loss};
    struct udp_server *s = &p->as.udp;
    const enum err err = udp_server_listen(s, p->all->loop, address, &engine);
    snprintf(p->name, sizeof p->name, "udp://%s", s->address);
    snprintf(p->all->why, sizeof p->all->why, "%s", s->why);
    return err;
}

static int serial_fd(const struct meter_port *p)
{
    return p->as.serial.fd >= 0 ? p->as.serial.fd : p->as.serial.pty.fd;
}

/* The sign-on changes the speed; a line that cannot have it keeps the one it has. */
static void on_changed(void *context)
{
    struct meter_port *p = context;
    const struct mode_e_speed now = mode_e_speed(&p->as.serial.sign_on);
    if (now.baud == p->as.serial.baud && now.seven_even == p->as.serial.seven_even)
        return;
    p->as.serial.baud = now.baud;
    p->as.serial.seven_even = now.seven_even;
    const struct serial_options o = {.baud = now.baud,
                                     .data_bits = now.seven_even ? 7 : 8,
                                     .parity = now.seven_even ? SERIAL_EVEN : SERIAL_NONE};
    if (serial_set(serial_fd(p), &o) != ERR_OK)
        fprintf(stderr, "%s: cannot go to %u baud\n", p->name, (unsigned)now.baud);
}

static void on_lost(void *context, const char *why)
{
    struct meter_port *p = context;
    fprintf(stderr, "%s: the line is gone (%s)%s\n", p->name, why,
            p->as.serial.fd >= 0 ? ", tried again every few seconds" : "");
    if (p->as.serial.fd >= 0)
        close(p->as.serial.fd);
    p->as.serial.fd = -1;
}

/* The tty under its name, when it is there again. */
static int on_again(void *context)
{
    struct meter_port *p = context;
    char why[SERIAL_WHY];
    if (serial_open(&p->as.serial.fd, p->url.path, &p->url.serial, why) != ERR_OK)
        return -1;
    p->as.serial.baud = 0; /* set anew, for the sign-on */
    fprintf(stderr, "%s: the line is there again\n", p->name);
    return p->as.serial.fd;
}

static enum err open_serial(struct meter_port *p)
{
    const struct port_engine engine = engine_of(p);
    const bool pty = strcmp(p->url.path, "pty") == 0;
    enum err err = pty ? serial_pty_open(&p->as.serial.pty, p->all->why)
                       : serial_open(&p->as.serial.fd, p->url.path, &p->url.serial, p->all->why);
    if (err)
        return err;
    snprintf(p->name, sizeof p->name, "serial://%s%s", pty ? p->as.serial.pty.path : p->url.path,
             p->url.mode_e ? "?mode=e" : "");
    const struct serial_server_owner owner = {.changed = p->url.mode_e ? on_changed : NULL,
                                              .lost = on_lost,
                                              .again = pty ? NULL : on_again};
    err = serial_server_start(&p->as.serial.server, p->all->loop, serial_fd(p), &engine, &owner);
    if (err)
        snprintf(p->all->why, sizeof p->all->why, "%s cannot be watched", p->url.path);
    else if (p->url.mode_e)
        on_changed(p); /* the speed to begin with */
    return err;
}

enum err meter_ports_add(struct meter_ports *p, const struct line_url *url)
{
    char address[LINE_URL_NAME];
    if (p->n == METER_PORTS_MAX)
        return ERR_FULL;
    struct meter_port *port = calloc(1, sizeof *port);
    if (port == NULL)
        return ERR_MEMORY;
    port->all = p;
    port->url = *url;
    if (url->kind == LINE_SERIAL)
        port->as.serial.fd = port->as.serial.pty.fd = port->as.serial.pty.far = -1;
    line_url_name(url, address);
    enum err err;
    if (url->kind == LINE_SERIAL)
        err = open_serial(port);
    else if (url->kind == LINE_UDP)
        err = listen_udp(port, address);
    else
        err = listen_tcp(port, address);
    p->port[p->n] = port;
    if (err == ERR_OK)
        p->n++;
    else
        p->failed = port; /* the loop may still have to close a handle in it */
    return err;
}

const char *meter_ports_name(const struct meter_ports *p, size_t i)
{
    return p->port[i]->name;
}

void meter_ports_drop_all(struct meter_ports *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct meter_port *port = p->port[i];
        if (port->url.kind == LINE_SERIAL)
            serial_server_drop(&port->as.serial.server);
        else if (port->url.kind == LINE_UDP)
            udp_server_drop_all(&port->as.udp);
        else
            tcp_server_drop_all(&port->as.tcp);
    }
}

void meter_ports_close(struct meter_ports *p)
{
    for (size_t i = 0; i < p->n; i++) {
        struct meter_port *port = p->port[i];
        if (port->url.kind == LINE_SERIAL)
            serial_server_close(&port->as.serial.server);
        else if (port->url.kind == LINE_UDP)
            udp_server_close(&port->as.udp);
        else
            tcp_server_close(&port->as.tcp);
    }
}

static void free_port(struct meter_port *port)
{
    if (port == NULL)
        return;
    if (port->url.kind == LINE_SERIAL) {
        serial_pty_close(&port->as.serial.pty);
        if (port->as.serial.fd >= 0)
            close(port->as.serial.fd);
    }
    wipe(port, sizeof *port);
    free(port);
}

void meter_ports_free(struct meter_ports *p)
{
    for (size_t i = 0; i < p->n; i++)
        free_port(p->port[i]);
    free_port(p->failed);
    p->failed = NULL;
    p->n = 0;
}
