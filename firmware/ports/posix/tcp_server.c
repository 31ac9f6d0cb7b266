/* See tcp_server.h. One connection goes round: read -> feed -> take -> write -> feed the rest. */
#include "firmware/ports/posix/tcp_server.h"

#include "firmware/ports/posix/port_address.h"

#include <signal.h>
#include <string.h>

#define BACKLOG 128

static size_t index_of(const struct tcp_server_conn *c)
{
    return (size_t)(c - c->server->conn);
}

static void on_connection(uv_stream_t *listener, int status);

/* A place is free again: for the connection that found none, if there is one. */
static void on_line_closed(uv_handle_t *h)
{
    struct tcp_server_conn *c = h->data;
    struct tcp_server *s = c->server;
    c->used = false;
    if (s->waiting && !uv_is_closing((uv_handle_t *)&s->listener))
        on_connection((uv_stream_t *)&s->listener, 0);
}

static void close_line(struct tcp_server_conn *c)
{
    if (!c->used || c->closing)
        return;
    c->closing = true;
    struct port_engine *e = &c->server->engine;
    e->close(e->context, index_of(c));
    uv_close((uv_handle_t *)&c->line, on_line_closed);
}

static void go_on(struct tcp_server_conn *c);

static void on_written(uv_write_t *w, int status)
{
    struct tcp_server_conn *c = w->data;
    c->writing = false;
    c->out_len = 0;
    if (status < 0)
        close_line(c);
    else
        go_on(c);
}

/* Writes what was gathered; false once a write is under way or failed. */
static bool send_out(struct tcp_server_conn *c)
{
    uv_buf_t buf = uv_buf_init((char *)c->out, (unsigned)c->out_len);
    int sent = uv_try_write((uv_stream_t *)&c->line, &buf, 1);
    if (sent >= 0 && (size_t)sent == c->out_len) {
        c->out_len = 0;
        return true;
    }
    if (sent < 0 && sent != UV_EAGAIN) {
        close_line(c);
        return false;
    }
    size_t done = sent > 0 ? (size_t)sent : 0;
    buf = uv_buf_init((char *)c->out + done, (unsigned)(c->out_len - done));
    c->write.data = c;
    c->writing = true;
    if (uv_write(&c->write, (uv_stream_t *)&c->line, &buf, 1, on_written) != 0)
        close_line(c);
    return false;
}

/* Gathers the answers to all requests that were read, as many as fit one write: a request costs no
 * system call of its own. */
static void gather(struct tcp_server_conn *c)
{
    struct port_engine *e = &c->server->engine;
    size_t used = 1, n = 1;
    while (c->out_len < sizeof c->out && (used > 0 || n > 0)) {
        n = e->take(e->context, index_of(c), c->out + c->out_len, sizeof c->out - c->out_len);
        c->out_len += n;
        used = 0;
        if (n == 0 && c->in_pos < c->in_len)
            used = e->feed(e->context, index_of(c), c->in + c->in_pos, c->in_len - c->in_pos);
        c->in_pos += used;
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct tcp_server_conn *c = h->data;
    *buf = uv_buf_init((char *)c->in, sizeof c->in);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    (void)buf;
    struct tcp_server_conn *c = stream->data;
    if (n < 0) {
        close_line(c);
        return;
    }
    c->in_pos = 0;
    c->in_len = (size_t)n;
    go_on(c);
}

static void set_reading(struct tcp_server_conn *c, bool on)
{
    if (c->closing || c->reading == on)
        return;
    c->reading = on;
    if (!on)
        uv_read_stop((uv_stream_t *)&c->line);
    else if (uv_read_start((uv_stream_t *)&c->line, on_alloc, on_read) != 0)
        close_line(c);
}

/* Feeds what was read and sends what comes out, as far as both sides let it. */
static void go_on(struct tcp_server_conn *c)
{
    struct port_engine *e = &c->server->engine;
    bool open = !c->closing && !c->writing;
    while (open) {
        gather(c);
        if (c->out_len == 0)
            break; /* all is consumed, or the engine takes nothing more: it is closed */
        open = send_out(c);
    }
    if (c->closing)
        return;
    if (!c->writing && e->closed(e->context, index_of(c), uv_now(c->line.loop)))
        close_line(c);
    else
        set_reading(c, !c->writing && c->in_pos == c->in_len);
}

static void on_timer(uv_timer_t *t)
{
    struct tcp_server *s = t->data;
    for (size_t i = 0; i < TCP_SERVER_CONNS; i++) {
        struct tcp_server_conn *c = &s->conn[i];
        if (c->used && !c->closing && s->engine.closed(s->engine.context, i, uv_now(t->loop)))
            close_line(c);
        else if (c->used)
            go_on(c); /* time made the engine say something: a push, an end of the connection */
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct tcp_server *s = listener->data;
    struct tcp_server_conn *c = NULL;
    for (size_t i = 0; i < TCP_SERVER_CONNS && c == NULL; i++) {
        if (!s->conn[i].used)
            c = &s->conn[i];
    }
    s->waiting = c == NULL;
    if (status < 0 || c == NULL)
        return;
    *c = (struct tcp_server_conn){.server = s, .used = true};
    if (uv_tcp_init(listener->loop, &c->line) != 0) {
        c->used = false;
        return;
    }
    c->line.data = c;
    bool taken = uv_accept(listener, (uv_stream_t *)&c->line) == 0 &&
                 s->engine.open(s->engine.context, index_of(c));
    if (!taken) {
        c->closing = true;
        uv_close((uv_handle_t *)&c->line, on_line_closed);
        return;
    }
    uv_tcp_nodelay(&c->line, 1);
    set_reading(c, true);
}

static void print_address(struct tcp_server *s)
{
    struct sockaddr_storage a;
    int len = sizeof a;
    if (uv_tcp_getsockname(&s->listener, (struct sockaddr *)&a, &len) == 0)
        port_address_print(&a, s->address);
}

enum err tcp_server_listen(struct tcp_server *s, uv_loop_t *loop, const char *address,
                           const struct port_engine *engine)
{
    memset(s, 0, sizeof *s);
    s->engine = *engine;
    /* libuv writes without MSG_NOSIGNAL: a peer's end of stream and reset would end the process */
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_storage a;
    enum err err = port_address_resolve(address, SOCK_STREAM, &a, s->why);
    if (err)
        return err;
    int rc = uv_tcp_init(loop, &s->listener);
    if (rc != 0)
        return port_address_explain(rc, address, &a, s->why);
    s->listener.data = s;
    rc = uv_tcp_bind(&s->listener, (const struct sockaddr *)&a, 0);
    if (rc == 0)
        rc = uv_listen((uv_stream_t *)&s->listener, BACKLOG, on_connection);
    if (rc != 0) {
        uv_close((uv_handle_t *)&s->listener, NULL);
        return port_address_explain(rc, address, &a, s->why);
    }
    print_address(s);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_timer, TCP_SERVER_POLL_MS, TCP_SERVER_POLL_MS);
    return ERR_OK;
}

void tcp_server_drop_all(struct tcp_server *s)
{
    for (size_t i = 0; i < TCP_SERVER_CONNS; i++)
        close_line(&s->conn[i]);
}

void tcp_server_close(struct tcp_server *s)
{
    tcp_server_drop_all(s);
    uv_close((uv_handle_t *)&s->listener, NULL);
    uv_close((uv_handle_t *)&s->timer, NULL);
}
