/* See collect_conn.h. */
#include "headend/collect/collect_conn.h"

#include "headend/collect/collect_turn.h"
#include "headend/collect/collector_parts.h"
#include "headend/keys/meter_url.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 10000 /* of a meter for which none is said */

static void try_address(struct collect_conn *conn);

uint64_t collect_conn_now(const struct collect_conn *conn)
{
    const uint64_t now = collector_mono(conn->c);
    return (conn->paused_at != 0 ? conn->paused_at : now) - conn->paused_ms;
}

/* ---- end ---- */

static void free_if_over(struct collect_conn *conn)
{
    if (conn->step != CONN_CLOSING || conn->tcp_open || conn->resolving || conn->n_jobs > 0)
        return;
    if (conn->addresses != NULL)
        uv_freeaddrinfo(conn->addresses);
    conn->addresses = conn->address = NULL;
    cosem_client_end(&conn->reader.client);
    collector_conn_free(conn);
}

static void on_closed(uv_handle_t *handle)
{
    struct collect_conn *conn = handle->data;
    conn->tcp_open = conn->closing = conn->connected = conn->writing = conn->listening = false;
    if (conn->step == CONN_DIAL)
        try_address(conn); /* the next one */
    else
        free_if_over(conn);
}

void collect_conn_hang_up(struct collect_conn *conn)
{
    if (!conn->tcp_open || conn->closing)
        return;
    conn->closing = true;
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

void collect_conn_close(struct collect_conn *conn)
{
    conn->step = CONN_CLOSING;
    if (conn->resolving)
        (void)uv_cancel((uv_req_t *)&conn->resolve); /* too late: its end comes anyway */
    collect_conn_hang_up(conn);
    free_if_over(conn);
}

/* ---- begin ---- */

static void fail_line(struct collect_conn *conn, const char *what, int status)
{
    char text[sizeof conn->error];
    snprintf(text, sizeof text, "%s: %s", what, uv_strerror(status));
    turn_fail(conn, text);
}

/* Goes on with the name's next address, where it has one. */
static void no_connection(struct collect_conn *conn, int status)
{
    if (conn->tcp_open && conn->address != NULL && conn->address->ai_next != NULL) {
        conn->address = conn->address->ai_next;
        collect_conn_hang_up(conn); /* then on_closed() */
    } else {
        fail_line(conn, "no connection", status);
    }
}

static void on_connected(uv_connect_t *request, int status)
{
    struct collect_conn *conn = request->data;
    if (status == UV_ECANCELED || conn->step != CONN_DIAL)
        return;
    if (status == 0) {
        conn->connected = true;
        (void)uv_tcp_nodelay(&conn->tcp, 1);
        turn_connected(conn);
        return;
    }
    no_connection(conn, status);
}

static void connect_to(struct collect_conn *conn, const struct sockaddr *address)
{
    int status = uv_tcp_init(conn->c->loop, &conn->tcp);
    conn->tcp.data = conn;
    conn->tcp_open = status == 0;
    conn->connect.data = conn;
    if (status == 0)
        status = uv_tcp_connect(&conn->connect, &conn->tcp, address, on_connected);
    if (status != 0)
        no_connection(conn, status);
}

static void try_address(struct collect_conn *conn)
{
    connect_to(conn, conn->address->ai_addr);
}

static void start_waiting_name(struct collector *c);

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct collect_conn *conn = request->data;
    conn->resolving = false;
    conn->c->n_resolving--;
    start_waiting_name(conn->c);
    conn->addresses = conn->address = found;
    if (conn->step != CONN_DIAL)
        free_if_over(conn);
    else if (status != 0 || found == NULL)
        fail_line(conn, "the name cannot be resolved", status != 0 ? status : UV_EAI_NONAME);
    else
        try_address(conn);
}

static void resolve(struct collect_conn *conn)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
    struct meter_url url;
    char port[8];
    if (meter_url_check(conn->m->row.url, &url) != NULL) /* was good in dial */
        return;
    snprintf(port, sizeof port, "%u", url.port);
    conn->name_waits = false;
    conn->resolve.data = conn;
    conn->deadline_ms = collector_mono(conn->c) + collect_conn_timeout(conn);
    const int status =
        uv_getaddrinfo(conn->c->loop, &conn->resolve, on_resolved, url.host, port, &hints);
    conn->resolving = status == 0;
    conn->c->n_resolving += conn->resolving;
    if (status != 0)
        fail_line(conn, "the name cannot be resolved", status);
}

static void start_waiting_name(struct collector *c)
{
    for (uint32_t i = 0; i < c->n_conns && c->n_resolving < COLLECTOR_RESOLVING; i++)
        if (c->conn[i].step == CONN_DIAL && c->conn[i].name_waits)
            resolve(&c->conn[i]);
}

uint32_t collect_conn_timeout(const struct collect_conn *conn)
{
    return conn->m->row.timeout_ms != 0 ? conn->m->row.timeout_ms : TIMEOUT_MS;
}

void collect_conn_dial(struct collect_conn *conn)
{
    struct meter_url url;
    struct sockaddr_storage address;
    const char *wrong = meter_url_check(conn->m->row.url, &url);
    conn->step = CONN_DIAL;
    conn->deadline_ms = collector_mono(conn->c) + collect_conn_timeout(conn);
    conn->name_waits = false;
    conn->in_at = conn->in_len = 0;
    conn->paused_ms = conn->paused_at = 0;
    conn->ended = false;
    if (wrong != NULL) {
        char text[sizeof conn->error];
        snprintf(text, sizeof text, "the address %s", wrong);
        turn_fail(conn, text);
        return;
    }
    if (uv_ip4_addr(url.host, url.port, (struct sockaddr_in *)&address) == 0 ||
        uv_ip6_addr(url.host, url.port, (struct sockaddr_in6 *)&address) == 0) {
        connect_to(conn, (const struct sockaddr *)&address);
        return;
    }
    conn->name_waits = true;
    start_waiting_name(conn->c);
}

/* ---- octets ---- */

/* In ASK the client works without the reader around it. */

static size_t take(struct collect_conn *conn)
{
    if (conn->step == CONN_ASK)
        return cosem_client_take(&conn->reader.client, conn->out, sizeof conn->out);
    return reader_take(&conn->reader, conn->out, sizeof conn->out);
}

static void lose(struct collect_conn *conn)
{
    conn->ended = true;
    if (conn->step == CONN_ASK)
        cosem_client_lost(&conn->reader.client);
    else
        reader_lost(&conn->reader);
}

static void poll_engine(struct collect_conn *conn)
{
    if (conn->step == CONN_ASK)
        (void)cosem_client_poll(&conn->reader.client, collect_conn_now(conn));
    else
        (void)reader_poll(&conn->reader, collect_conn_now(conn));
}

static void on_written(uv_write_t *request, int status)
{
    struct collect_conn *conn = request->handle->data;
    conn->writing = false;
    if (conn->closing)
        return;
    if (status != 0)
        lose(conn);
    collect_conn_pump(conn);
}

/* True when nothing waits to be sent. */
static bool flush(struct collect_conn *conn)
{
    while (!conn->writing && !conn->ended) {
        const size_t n = take(conn);
        if (n == 0)
            return true;
        uv_buf_t buf = uv_buf_init((char *)conn->out, (unsigned)n);
        const int sent = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
        if (sent == (int)n)
            continue;
        const size_t done = sent > 0 ? (size_t)sent : 0;
        buf = uv_buf_init((char *)conn->out + done, (unsigned)(n - done));
        conn->writing = uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) == 0;
        if (!conn->writing)
            lose(conn);
    }
    return conn->ended;
}

static void on_room(uv_handle_t *handle, size_t wished, uv_buf_t *buf)
{
    struct collect_conn *conn = handle->data;
    (void)wished;
    memmove(conn->in, conn->in + conn->in_at, conn->in_len - conn->in_at);
    conn->in_len -= conn->in_at;
    conn->in_at = 0;
    *buf = uv_buf_init((char *)conn->in + conn->in_len, (unsigned)(sizeof conn->in - conn->in_len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct collect_conn *conn = stream->data;
    (void)buf;
    if (n > 0)
        conn->in_len += (size_t)n;
    else if (n < 0)
        lose(conn);
    if (n != 0)
        collect_conn_pump(conn);
}

static void listen_if(struct collect_conn *conn, bool wanted)
{
    if (conn->closing || !conn->connected || wanted == conn->listening)
        return;
    conn->listening = wanted;
    if (wanted)
        (void)uv_read_start((uv_stream_t *)&conn->tcp, on_room, on_read);
    else
        (void)uv_read_stop((uv_stream_t *)&conn->tcp);
}

/* The store is behind: the line stands still, and so does the time of its reader. */
static bool stand_still(struct collect_conn *conn)
{
    const bool still = turn_must_wait(conn);
    const uint64_t now = collector_mono(conn->c);
    if (still && conn->paused_at == 0) {
        conn->paused_at = now;
    } else if (!still && conn->paused_at != 0) {
        conn->paused_ms += now - conn->paused_at;
        conn->paused_at = 0;
    }
    return still;
}

static bool feed(struct collect_conn *conn)
{
    if (conn->in_at == conn->in_len || conn->writing)
        return false;
    const uint8_t *p = conn->in + conn->in_at;
    const size_t n = conn->in_len - conn->in_at;
    const uint64_t now = collect_conn_now(conn);
    const size_t used = conn->step == CONN_ASK ? cosem_client_feed(&conn->reader.client, now, p, n)
                                               : reader_feed(&conn->reader, now, p, n);
    conn->in_at += used;
    return used > 0;
}

void collect_conn_pump(struct collect_conn *conn)
{
    bool still = false, moved = true;
    if (conn->pumping || !conn->connected || conn->closing)
        return;
    conn->pumping = true;
    while (moved && !conn->closing) {
        moved = false;
        if (flush(conn)) {
            still = stand_still(conn);
            moved = !still && feed(conn);
        }
        turn_step(conn);
    }
    conn->pumping = false;
    listen_if(conn, !still && !conn->ended && conn->in_len - conn->in_at < sizeof conn->in);
}

void collect_conn_poll(struct collect_conn *conn, uint64_t now_ms)
{
    if (conn->step == CONN_DIAL && !conn->name_waits && now_ms >= conn->deadline_ms) {
        turn_fail(conn, "no connection: no answer in time");
    } else if (conn->step == CONN_RELEASE && now_ms >= conn->deadline_ms) {
        collect_conn_close(conn);
    } else if (conn->connected && conn->paused_at == 0 && !conn->closing) {
        poll_engine(conn);
        collect_conn_pump(conn);
    }
}
