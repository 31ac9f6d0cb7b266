/* See serial_server.h. The line goes round: read -> feed -> take -> write -> feed the rest. */
#include "firmware/ports/posix/serial_server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void go_on(struct serial_server *s);
static void on_ready(uv_poll_t *p, int status, int events);

static void watch(struct serial_server *s)
{
    if (s->gone)
        return;
    const int events =
        (s->in_pos == s->in_len ? UV_READABLE : 0) | (s->out_pos < s->out_len ? UV_WRITABLE : 0);
    if (events == s->events)
        return;
    s->events = events;
    if (events == 0)
        uv_poll_stop(&s->poll);
    else
        uv_poll_start(&s->poll, events, on_ready);
}

/* False: the line takes no more now. */
static bool write_out(struct serial_server *s)
{
    while (s->out_pos < s->out_len) {
        const ssize_t n = write(s->fd, s->out + s->out_pos, s->out_len - s->out_pos);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            s->out_pos = s->out_len; /* nobody is there to read it */
        if (n <= 0)
            return s->out_pos == s->out_len;
        s->out_pos += (size_t)n;
    }
    return true;
}

/* The next octets to send, if there are any. */
static bool take(struct serial_server *s)
{
    s->out_pos = 0;
    s->out_len = s->engine.take(s->engine.context, 0, s->out, sizeof s->out);
    return s->out_len > 0;
}

static bool reopen(struct serial_server *s)
{
    if (s->open)
        s->engine.close(s->engine.context, 0);
    s->open = s->engine.open(s->engine.context, 0);
    return s->open;
}

static size_t feed(struct serial_server *s)
{
    if (!s->open && !reopen(s))
        return s->in_len - s->in_pos; /* nobody listens: the octets are lost */
    return s->engine.feed(s->engine.context, 0, s->in + s->in_pos, s->in_len - s->in_pos);
}

/* Feeds what was read and sends what comes out, as far as both sides let it. */
static void go_on(struct serial_server *s)
{
    size_t used = 1;
    while (write_out(s)) {
        if (s->open && take(s))
            continue;
        if (s->owner.changed != NULL)
            s->owner.changed(s->engine.context);
        if (used == 0 || s->in_pos == s->in_len)
            break;
        used = feed(s);
        s->in_pos += used;
    }
    const bool idle = s->out_pos == s->out_len;
    if (idle && s->open && s->engine.closed(s->engine.context, 0, uv_now(s->loop))) {
        (void)reopen(s);
        s->in_pos = s->in_len;
    }
    watch(s);
}

/* ---- a line that goes and comes back ---- */

/* A tty gives 0 octets both when there are none and when it is unplugged; this tells which. */
static bool hung_up(int fd)
{
    struct pollfd p = {.fd = fd, .events = 0};
    return poll(&p, 1, 0) > 0;
}

static void on_poll_closed(uv_handle_t *h)
{
    ((struct serial_server *)h->data)->poll_closed = true;
}

/* The poll handle goes with the descriptor: libuv must not touch a number that is another's. */
static void lose(struct serial_server *s, const char *why)
{
    serial_server_drop(s);
    s->gone = true;
    s->poll_closed = false;
    s->events = 0;
    s->again_at_ms = uv_now(s->loop) + s->owner.again_ms;
    uv_close((uv_handle_t *)&s->poll, on_poll_closed);
    if (s->owner.lost != NULL)
        s->owner.lost(s->engine.context, why);
}

/* The descriptor to go on with; -1: none yet. */
static int find_line(struct serial_server *s)
{
    if (s->owner.again == NULL)
        return hung_up(s->fd) ? -1 : s->fd;
    if (uv_now(s->loop) < s->again_at_ms)
        return -1;
    s->again_at_ms = uv_now(s->loop) + s->owner.again_ms;
    return s->owner.again(s->engine.context);
}

static void come_back(struct serial_server *s)
{
    const int fd = s->poll_closed ? find_line(s) : -1;
    if (fd < 0)
        return;
    s->fd = fd;
    if (uv_poll_init(s->loop, &s->poll, fd) != 0) {
        if (s->owner.lost != NULL)
            s->owner.lost(s->engine.context, "it cannot be watched");
        return;
    }
    s->poll.data = s;
    s->gone = false;
    (void)reopen(s);
    go_on(s);
}

/* ---- events ---- */

/* NULL, or why the line is gone. */
static const char *read_in(struct serial_server *s)
{
    const ssize_t n = read(s->fd, s->in, sizeof s->in);
    s->in_pos = 0;
    s->in_len = n > 0 ? (size_t)n : 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return strerror(errno);
    return n == 0 && hung_up(s->fd) ? "hung up" : NULL;
}

static void on_ready(uv_poll_t *p, int status, int events)
{
    struct serial_server *s = p->data;
    const char *gone = status != 0 ? "hung up" : NULL; /* libuv has stopped to watch it */
    if (gone == NULL && (events & UV_READABLE) != 0 && s->in_pos == s->in_len)
        gone = read_in(s);
    if (gone != NULL)
        lose(s, gone);
    else
        go_on(s);
}

static void on_timer(uv_timer_t *t)
{
    struct serial_server *s = t->data;
    if (s->gone)
        come_back(s);
    else
        go_on(s);
}

enum err serial_server_start(struct serial_server *s, uv_loop_t *loop, int fd,
                             const struct port_engine *engine,
                             const struct serial_server_owner *owner)
{
    memset(s, 0, sizeof *s);
    s->engine = *engine;
    s->owner = *owner;
    if (s->owner.again_ms == 0)
        s->owner.again_ms = SERIAL_SERVER_AGAIN_MS;
    s->loop = loop;
    s->fd = fd;
    if (uv_poll_init(loop, &s->poll, fd) != 0)
        return ERR_IO;
    uv_timer_init(loop, &s->timer);
    s->poll.data = s->timer.data = s;
    (void)reopen(s);
    uv_timer_start(&s->timer, on_timer, SERIAL_SERVER_POLL_MS, SERIAL_SERVER_POLL_MS);
    watch(s);
    return ERR_OK;
}

void serial_server_drop(struct serial_server *s)
{
    if (s->open)
        s->engine.close(s->engine.context, 0);
    s->open = false;
    s->in_pos = s->in_len = s->out_pos = s->out_len = 0;
    watch(s);
}

void serial_server_close(struct serial_server *s)
{
    serial_server_drop(s);
    if (!s->gone)
        uv_close((uv_handle_t *)&s->poll, NULL);
    uv_close((uv_handle_t *)&s->timer, NULL);
}
