/* See bench_line.h. The child ends with its parent. */
#include "tests/bench/bench_line.h"

#include "firmware/ports/posix/tcp_server.h"
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct end { /* what the child's engine serves */
    struct example *x;
    struct bench_echo echo;
    bool bare;
    size_t have, due;
};

static bool open_end(void *context, size_t i)
{
    struct end *e = context;
    (void)i;
    e->have = e->due = 0;
    if (!e->bare)
        session_init(&e->x->session, &e->x->server);
    return true;
}

static size_t feed_end(void *context, size_t i, const uint8_t *p, size_t n)
{
    struct end *e = context;
    (void)i;
    if (!e->bare)
        return session_feed(&e->x->session, p, n);
    e->have += n;
    while (e->have >= e->echo.in) {
        e->have -= e->echo.in;
        e->due += e->echo.out;
    }
    return n;
}

static size_t take_end(void *context, size_t i, uint8_t *to, size_t size)
{
    struct end *e = context;
    (void)i;
    if (!e->bare)
        return session_take(&e->x->session, to, size);
    const size_t n = e->due < size ? e->due : size;
    memset(to, 0, n);
    e->due -= n;
    return n;
}

static bool closed_end(void *context, size_t i, uint64_t now_ms)
{
    struct end *e = context;
    (void)i;
    (void)now_ms;
    return !e->bare && session_closed(&e->x->session);
}

static void close_end(void *context, size_t i)
{
    struct end *e = context;
    (void)i;
    if (!e->bare)
        session_close(&e->x->session);
}

static void serve(struct end *e, int tell)
{
    static struct tcp_server server;
    const struct port_engine engine = {.context = e,
                                       .open = open_end,
                                       .feed = feed_end,
                                       .take = take_end,
                                       .closed = closed_end,
                                       .close = close_end};
    uv_loop_t loop;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_must(uv_loop_init(&loop) == 0, "no loop");
    bench_must(tcp_server_listen(&server, &loop, "127.0.0.1:0", &engine) == ERR_OK, server.why);
    bench_must(write(tell, server.address, sizeof server.address) > 0, "no pipe");
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
}

static int dial(const char *address)
{
    const int one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                            .sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1))};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    bench_must(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "no connection");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

struct bench_line bench_line_open(struct example *x, const struct bench_echo *echo)
{
    struct end e = {.x = x, .bare = echo != NULL};
    char address[sizeof((struct tcp_server *)0)->address];
    struct bench_line l;
    int ends[2];
    if (echo != NULL)
        e.echo = *echo;
    bench_must(pipe(ends) == 0, "no pipe");
    l.child = fork();
    bench_must(l.child >= 0, "no process");
    if (l.child == 0) {
        x->random ^= 0x5A5A5A5Au; /* another challenge than the client's */
        serve(&e, ends[1]);
    }
    bench_must(read(ends[0], address, sizeof address) > 0, "the server did not start");
    close(ends[0]);
    close(ends[1]);
    l.fd = dial(address);
    return l;
}

void bench_line_close(struct bench_line l)
{
    close(l.fd);
    kill(l.child, SIGKILL);
    waitpid(l.child, NULL, 0);
}

void bench_line_send(struct bench_line l, const uint8_t *p, size_t n)
{
    bench_must(send(l.fd, p, n, MSG_NOSIGNAL) == (ssize_t)n, "the line broke");
}

size_t bench_line_receive(struct bench_line l, uint8_t *to, size_t size)
{
    const ssize_t n = recv(l.fd, to, size, 0);
    bench_must(n > 0, "no answer");
    return (size_t)n;
}
