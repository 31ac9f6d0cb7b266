/* The TCP server against peers that behave badly; the engine behind it answers every octet with
 * the same octet. */
#include "firmware/ports/posix/tcp_server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct echo {
    uv_loop_t loop;
    struct tcp_server server;
    size_t waiting[TCP_SERVER_CONNS];
    unsigned n_open, n_closed, n_fed;
};
static struct echo e;

static bool on_open(void *context, size_t i)
{
    struct echo *x = context;
    x->waiting[i] = 0;
    x->n_open++;
    return true;
}

static size_t on_feed(void *context, size_t i, const uint8_t *p, size_t n)
{
    struct echo *x = context;
    (void)p;
    x->waiting[i] += n;
    x->n_fed++;
    return n;
}

static size_t on_take(void *context, size_t i, uint8_t *to, size_t size)
{
    struct echo *x = context;
    size_t n = x->waiting[i] < size ? x->waiting[i] : size;
    memset(to, 'e', n);
    x->waiting[i] -= n;
    return n;
}

static bool on_closed(void *context, size_t i, uint64_t now_ms)
{
    (void)context, (void)i, (void)now_ms;
    return false;
}

static void on_close(void *context, size_t i)
{
    struct echo *x = context;
    (void)i;
    x->n_closed++;
}

static int start(void **state)
{
    (void)state;
    memset(&e, 0, sizeof e);
    signal(SIGPIPE, SIG_DFL); /* as a process begins */
    const struct port_engine engine = {.context = &e,
                                       .open = on_open,
                                       .feed = on_feed,
                                       .take = on_take,
                                       .closed = on_closed,
                                       .close = on_close};
    return uv_loop_init(&e.loop) != 0 ||
           tcp_server_listen(&e.server, &e.loop, "127.0.0.1:0", &engine) != ERR_OK;
}

static int finish(void **state)
{
    (void)state;
    tcp_server_close(&e.server);
    uv_run(&e.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&e.loop);
}

static int dial(void)
{
    const char *port = strrchr(e.server.address, ':') + 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* Turns of the loop until *what is n; the loop's timer bounds how long. */
static void run_until(const unsigned *what, unsigned n)
{
    for (int turn = 0; turn < 100 && *what != n; turn++)
        uv_run(&e.loop, UV_RUN_ONCE);
    assert_int_equal(*what, n);
}

static void tcp_server_answers_when_asked(void **state)
{
    char back[8];
    (void)state;
    int fd = dial();
    assert_int_equal(write(fd, "abc", 3), 3);
    run_until(&e.n_fed, 1);
    assert_int_equal(read(fd, back, sizeof back), 3);
    close(fd);
    run_until(&e.n_closed, 1);
}

/* End of stream, then reset, then our answer: such a write is what raises SIGPIPE. */
static void tcp_server_survives_when_the_peer_resets_before_the_answer(void **state)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    (void)state;
    int fd = dial();
    run_until(&e.n_open, 1);
    assert_int_equal(write(fd, "abc", 3), 3);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
    run_until(&e.n_closed, 1);
    assert_int_equal(e.n_fed, 1);
}

static void tcp_server_takes_the_waiting_connection_when_a_place_is_free(void **state)
{
    int fd[TCP_SERVER_CONNS + 1];
    (void)state;
    for (unsigned i = 0; i <= TCP_SERVER_CONNS; i++)
        fd[i] = dial();
    run_until(&e.n_open, TCP_SERVER_CONNS);
    uv_run(&e.loop, UV_RUN_NOWAIT);
    assert_int_equal(e.n_open, TCP_SERVER_CONNS);
    close(fd[3]);
    run_until(&e.n_open, TCP_SERVER_CONNS + 1);
    fd[3] = fd[TCP_SERVER_CONNS];
    for (unsigned i = 0; i < TCP_SERVER_CONNS; i++)
        close(fd[i]);
    run_until(&e.n_closed, TCP_SERVER_CONNS + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tcp_server_answers_when_asked, start, finish),
        cmocka_unit_test_setup_teardown(tcp_server_survives_when_the_peer_resets_before_the_answer,
                                        start, finish),
        cmocka_unit_test_setup_teardown(
            tcp_server_takes_the_waiting_connection_when_a_place_is_free, start, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
