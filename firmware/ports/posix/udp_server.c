/* See udp_server.h. A datagram goes round: receive -> place of its peer -> feed -> take -> send.
 *
 * The socket is ours and libuv only says when it can be read: its own UDP handle asks the kernel
 * once more after each datagram, and sends them one by one. */
#define _GNU_SOURCE /* recvmmsg, sendmmsg; NOLINT(bugprone-reserved-identifier) */
#include "firmware/ports/posix/udp_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* A place for a new peer: free, else what can best be spared. UDP_SERVER_PEERS: none.
 */
static size_t make_place(struct udp_server *s)
{
    size_t best = UDP_SERVER_PEERS;
    enum udp_server_loss least = UDP_SERVER_KEEP;
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++) {
        if (!s->peer[i].used)
            return i;
        const enum udp_server_loss loss = s->engine.loss(s->engine.line.context, i);
        const bool older = best < UDP_SERVER_PEERS && s->peer[i].turn < s->peer[best].turn;
        if (loss < least || (loss == least && older)) {
            best = i;
            least = loss;
        }
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

static socklen_t address_len(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

/* Sends what was gathered. What the socket does not take is lost. */
static void flush(struct udp_server *s)
{
    struct mmsghdr m[UDP_SERVER_BATCH] = {0};
    struct iovec v[UDP_SERVER_BATCH];
    const size_t n = s->n_out;
    for (size_t i = 0; i < n; i++) {
        v[i] = (struct iovec){s->out[i], s->out_len[i]};
        m[i].msg_hdr = (struct msghdr){.msg_name = &s->out_to[i],
                                       .msg_namelen = address_len(&s->out_to[i]),
                                       .msg_iov = &v[i],
                                       .msg_iovlen = 1};
    }
    for (size_t at = 0; at < n;) {
        const int sent = sendmmsg(s->fd, m + at, (unsigned)(n - at), MSG_DONTWAIT);
        s->n_dropped += sent <= 0;
        at += sent > 0 ? (size_t)sent : 1;
    }
    s->n_out = 0;
}

/* Takes what the line of peer i has to say. */
static void gather(struct udp_server *s, size_t i)
{
    const struct port_engine *e = &s->engine.line;
    for (;;) {
        if (s->n_out == UDP_SERVER_BATCH)
            flush(s);
        const size_t n = e->take(e->context, i, s->out[s->n_out], UDP_SERVER_BUFFER);
        if (n == 0)
            return;
        s->out_to[s->n_out] = s->peer[i].address;
        s->out_len[s->n_out++] = n;
    }
}

static void serve(struct udp_server *s, const struct mmsghdr *m, const uint8_t *octets)
{
    const struct port_engine *e = &s->engine.line;
    const bool cut = (m->msg_hdr.msg_flags & MSG_TRUNC) != 0;
    const size_t i = cut ? UDP_SERVER_PEERS : place_of(s, m->msg_hdr.msg_name);
    if (i == UDP_SERVER_PEERS) {
        s->n_dropped++;
        return;
    }
    s->peer[i].turn = ++s->turn;
    if (e->feed(e->context, i, octets, m->msg_len) == 0)
        s->n_dropped++;
    gather(s, i);
    if (e->closed(e->context, i, uv_now(s->poll.loop)))
        forget(s, i);
}

static void on_readable(uv_poll_t *p, int status, int events)
{
    struct udp_server *s = p->data;
    struct sockaddr_storage from[UDP_SERVER_BATCH];
    struct mmsghdr m[UDP_SERVER_BATCH];
    struct iovec v[UDP_SERVER_BATCH];
    (void)events;
    if (status < 0)
        return;
    for (size_t i = 0; i < UDP_SERVER_BATCH; i++) {
        v[i] = (struct iovec){s->in[i], UDP_SERVER_BUFFER};
        m[i].msg_hdr = (struct msghdr){
            .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &v[i], .msg_iovlen = 1};
    }
    const int n = recvmmsg(s->fd, m, UDP_SERVER_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) /* none where the error was that of an answer to somebody gone */
        serve(s, &m[i], s->in[i]);
    flush(s);
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
            gather(s, i);
    }
    flush(s);
}

/* A socket bound there; 0 or a negative errno, as libuv has it. */
static int open_socket(struct udp_server *s, struct sockaddr_storage *a)
{
    socklen_t len = sizeof *a;
    s->fd = socket(a->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return -errno;
    if (bind(s->fd, (const struct sockaddr *)a, address_len(a)) == 0 &&
        getsockname(s->fd, (struct sockaddr *)a, &len) == 0)
        return 0;
    const int error = errno;
    close(s->fd);
    return -error;
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
    int rc = open_socket(s, &a);
    if (rc == 0 && (rc = uv_poll_init_socket(loop, &s->poll, s->fd)) != 0)
        close(s->fd);
    if (rc != 0)
        return port_address_explain(rc, address, &a, s->why);
    port_address_print(&a, s->address);
    uv_timer_init(loop, &s->timer);
    s->poll.data = s->timer.data = s;
    uv_poll_start(&s->poll, UV_READABLE, on_readable);
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
    uv_close((uv_handle_t *)&s->poll, NULL);
    close(s->fd); /* libuv watches it no longer */
    uv_close((uv_handle_t *)&s->timer, NULL);
}
