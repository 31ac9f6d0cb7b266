/* See udp_server.h. One datagram goes round: receive -> place of its peer -> feed -> take -> send.
 */
#include "firmware/ports/posix/udp_server.h"

#include <netinet/in.h>
#include <string.h>

static bool same_address(const struct sockaddr_storage *a, const struct sockaddr *b)
{
    if (a->ss_family != b->sa_family)
        return false;
    if (b->sa_family == AF_INET6) {
        const struct sockaddr_in6 *x = (const struct sockaddr_in6 *)a,
                                  *y = (const struct sockaddr_in6 *)b;
        return x->sin6_port == y->sin6_port && x->sin6_scope_id == y->sin6_scope_id &&
               memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0;
    }
    const struct sockaddr_in *x = (const struct sockaddr_in *)a, *y = (const struct sockaddr_in *)b;
    return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
}

static void forget(struct udp_server *s, size_t i)
{
    s->peer[i].used = false;
    s->engine.line.close(s->engine.line.context, i);
}

/* A place for a new peer: free, else the longest silent that can be spared. UDP_SERVER_PEERS: none.
 */
static size_t make_place(struct udp_server *s)
{
    size_t best = UDP_SERVER_PEERS;
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++) {
        if (!s->peer[i].used)
            return i;
        const bool older = best == UDP_SERVER_PEERS || s->peer[i].turn < s->peer[best].turn;
        if (older && s->engine.spare(s->engine.line.context, i))
            best = i;
    }
    if (best < UDP_SERVER_PEERS)
        forget(s, best);
    return best;
}

/* Where the peer's line is; opened for a new one. UDP_SERVER_PEERS: no place. */
static size_t place_of(struct udp_server *s, const struct sockaddr *from)
{
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++)
        if (s->peer[i].used && same_address(&s->peer[i].address, from))
            return i;
    const size_t i = make_place(s);
    if (i == UDP_SERVER_PEERS || !s->engine.line.open(s->engine.line.context, i))
        return UDP_SERVER_PEERS;
    struct udp_server_peer *p = &s->peer[i];
    *p = (struct udp_server_peer){.used = true};
    memcpy(&p->address, from,
           from->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    return i;
}

static void send_all(struct udp_server *s, size_t i)
{
    const struct port_engine *e = &s->engine.line;
    size_t n;
    while ((n = e->take(e->context, i, s->out, sizeof s->out)) > 0) {
        const uv_buf_t buf = uv_buf_init((char *)s->out, (unsigned)n);
        const struct sockaddr *to = (const struct sockaddr *)&s->peer[i].address;
        if (uv_udp_try_send(&s->socket, &buf, 1, to) < 0)
            s->n_dropped++;
    }
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct udp_server *s = h->data;
    *buf = uv_buf_init((char *)s->in, sizeof s->in);
}

static void on_datagram(uv_udp_t *u, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
                        unsigned flags)
{
    struct udp_server *s = u->data;
    const struct port_engine *e = &s->engine.line;
    (void)buf;
    if (from == NULL || n < 0)
        return; /* nothing more to read, or the error of an answer to somebody who has gone */
    const size_t i = (flags & UV_UDP_PARTIAL) != 0 ? UDP_SERVER_PEERS : place_of(s, from);
    if (i == UDP_SERVER_PEERS) {
        s->n_dropped++;
        return;
    }
    s->peer[i].turn = ++s->turn;
    if (e->feed(e->context, i, s->in, (size_t)n) == 0)
        s->n_dropped++;
    send_all(s, i);
    if (e->closed(e->context, i, uv_now(u->loop)))
        forget(s, i);
}

static void on_timer(uv_timer_t *t)
{
    struct udp_server *s = t->data;
    const struct port_engine *e = &s->engine.line;
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++) {
        if (!s->peer[i].used)
            continue;
        if (e->closed(e->context, i, uv_now(t->loop)))
            forget(s, i);
        else
            send_all(s, i);
    }
}

enum err udp_server_listen(struct udp_server *s, uv_loop_t *loop, const char *address,
                           const struct udp_server_engine *engine)
{
    memset(s, 0, sizeof *s);
    s->engine = *engine;
    struct sockaddr_storage a;
    enum err err = port_address_resolve(address, SOCK_DGRAM, &a, s->why);
    if (err)
        return err;
    int rc = uv_udp_init(loop, &s->socket);
    if (rc != 0)
        return port_address_explain(rc, address, &a, s->why);
    s->socket.data = s;
    rc = uv_udp_bind(&s->socket, (const struct sockaddr *)&a, 0);
    if (rc == 0)
        rc = uv_udp_recv_start(&s->socket, on_alloc, on_datagram);
    if (rc != 0) {
        uv_close((uv_handle_t *)&s->socket, NULL);
        return port_address_explain(rc, address, &a, s->why);
    }
    int len = sizeof a;
    if (uv_udp_getsockname(&s->socket, (struct sockaddr *)&a, &len) == 0)
        port_address_print(&a, s->address);
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_timer, UDP_SERVER_POLL_MS, UDP_SERVER_POLL_MS);
    return ERR_OK;
}

void udp_server_drop_all(struct udp_server *s)
{
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++)
        if (s->peer[i].used)
            forget(s, i);
}

void udp_server_close(struct udp_server *s)
{
    udp_server_drop_all(s);
    uv_close((uv_handle_t *)&s->socket, NULL);
    uv_close((uv_handle_t *)&s->timer, NULL);
}
