/* See cutter.h. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "tests/system/cutter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_LINES 4

struct line {
    int near, far; /* -1: free */
    size_t left;   /* octets of the meter until it breaks */
};

struct shared {
    bool cuts;
    unsigned n;
};

/* From half a frame to several answers; as many lines break early as late. */
static size_t some_octets(void)
{
    return (size_t)(200 + rand() % 400) << rand() % 8;
}

static struct sockaddr_in here(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void hang_up(struct line *l)
{
    close(l->near);
    close(l->far);
    l->near = l->far = -1;
}

static void take_line(struct line *lines, int listener, uint16_t to)
{
    const struct sockaddr_in at = here(to);
    const int near = accept(listener, NULL, NULL), far = socket(AF_INET, SOCK_STREAM, 0);
    struct line *l = NULL;
    for (size_t i = 0; i < N_LINES; i++)
        if (lines[i].near < 0)
            l = &lines[i];
    if (l == NULL || near < 0 || far < 0 ||
        connect(far, (const struct sockaddr *)&at, sizeof at) != 0) {
        close(near);
        close(far);
        return;
    }
    *l = (struct line){near, far, some_octets()};
}

/* False: one side is gone. */
static bool pass(int from, int to, size_t most)
{
    char octets[4096];
    const ssize_t n = recv(from, octets, most < sizeof octets ? most : sizeof octets, 0);
    return n > 0 && send(to, octets, (size_t)n, MSG_NOSIGNAL) == n;
}

static void move(struct line *l, const struct pollfd *near, const struct pollfd *far,
                 struct shared *s)
{
    bool stands = true;
    if (near->revents != 0)
        stands = pass(l->near, l->far, 4096);
    if (stands && far->revents != 0) {
        const size_t most = s->cuts && l->left < 512 ? l->left : 512;
        stands = pass(l->far, l->near, most);
        l->left -= most < l->left ? most : l->left;
    }
    if (stands && s->cuts && l->left == 0) {
        s->n++;
        stands = false;
    }
    if (!stands)
        hang_up(l);
}

static void serve(int listener, uint16_t to, struct shared *s)
{
    struct line lines[N_LINES];
    for (size_t i = 0; i < N_LINES; i++)
        lines[i] = (struct line){-1, -1, 0};
    for (;;) {
        struct pollfd p[1 + 2 * N_LINES] = {{.fd = listener, .events = POLLIN}};
        for (size_t i = 0; i < N_LINES; i++) {
            p[1 + 2 * i] = (struct pollfd){.fd = lines[i].near, .events = POLLIN};
            p[2 + 2 * i] = (struct pollfd){.fd = lines[i].far, .events = POLLIN};
        }
        if (poll(p, 1 + 2 * N_LINES, -1) < 0)
            _exit(1);
        for (size_t i = 0; i < N_LINES; i++)
            if (lines[i].near >= 0)
                move(&lines[i], &p[1 + 2 * i], &p[2 + 2 * i], s);
        if (p[0].revents != 0)
            take_line(lines, listener, to);
    }
}

void cutter_start(struct cutter *c, uint16_t to, unsigned seed)
{
    struct sockaddr_in at = here(0);
    socklen_t len = sizeof at;
    struct shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s != MAP_FAILED && listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    s->cuts = true;
    s->n = 0;
    c->port = ntohs(at.sin_port);
    snprintf(c->url, sizeof c->url, "tcp://127.0.0.1:%u", c->port);
    c->cuts = &s->cuts;
    c->n = &s->n;
    c->pid = fork();
    assert_true(c->pid >= 0);
    if (c->pid == 0) {
        srand(seed);
        serve(listener, to, s);
    }
    close(listener);
}

void cutter_stop(struct cutter *c)
{
    assert_int_equal(kill(c->pid, SIGTERM), 0);
    assert_int_equal(waitpid(c->pid, NULL, 0), c->pid);
    c->pid = 0;
}
