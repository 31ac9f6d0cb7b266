/* The UDP server: places for peers, and who loses one. The engine sends each datagram back. */
#include "firmware/ports/posix/udp_server.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct echo {
    uv_loop_t loop;
    struct udp_server server;
    uint8_t octets[UDP_SERVER_PEERS][64];
    size_t waiting[UDP_SERVER_PEERS];
    enum udp_server_loss loss[UDP_SERVER_PEERS];
    bool ended[UDP_SERVER_PEERS];
    unsigned n_open, n_closed, n_fed;
    size_t last; /* place fed last, closed last */
    size_t last_closed;
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
    assert_true(n <= sizeof x->octets[i]);
    memcpy(x->octets[i], p, n);
    x->waiting[i] = n;
    x->n_fed++;
    x->last = i;
    return n;
}

static size_t on_take(void *context, size_t i, uint8_t *to, size_t size)
{
    struct echo *x = context;
    const size_t n = x->waiting[i];
    assert_true(n <= size);
    memcpy(to, x->octets[i], n);
    x->waiting[i] = 0;
    return n;
}

static bool on_closed(void *context, size_t i, uint64_t now_ms)
{
    (void)now_ms;
    return ((struct echo *)context)->ended[i];
}

static void on_close(void *context, size_t i)
{
    struct echo *x = context;
    x->n_closed++;
    x->last_closed = i;
    x->ended[i] = false;
}

static enum udp_server_loss on_loss(void *context, size_t i)
{
    return ((struct echo *)context)->loss[i];
}

static int start(void **state)
{
    const struct udp_server_engine engine = {.line = {.context = &e,
                                                      .open = on_open,
                                                      .feed = on_feed,
                                                      .take = on_take,
                                                      .closed = on_closed,
                                                      .close = on_close},
                                             .loss = on_loss};
    (void)state;
    memset(&e, 0, sizeof e);
    return uv_loop_init(&e.loop) != 0 ||
           udp_server_listen(&e.server, &e.loop, "127.0.0.1:0", &engine) != ERR_OK;
}

static int finish(void **state)
{
    (void)state;
    udp_server_close(&e.server);
    uv_run(&e.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&e.loop);
}

static int dial(void)
{
    const char *port = strrchr(e.server.address, ':') + 1;
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void run_until(const unsigned *what, unsigned n)
{
    for (int turn = 0; turn < 100 && *what != n; turn++)
        uv_run(&e.loop, UV_RUN_ONCE);
    assert_int_equal(*what, n);
}

static void say(int fd, const char *text)
{
    const unsigned before = e.n_fed;
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
    run_until(&e.n_fed, before + 1);
}

static void udp_server_answers_each_peer_for_itself(void **state)
{
    char back[16];
    (void)state;
    const int a = dial(), b = dial();
    say(a, "one");
    const size_t first = e.last;
    say(b, "twos");
    assert_true(e.last != first);
    say(a, "three");
    assert_int_equal(e.last, first); /* the same place again */
    assert_int_equal(e.n_open, 2);
    assert_int_equal(recv(a, back, sizeof back, 0), 3);
    assert_int_equal(recv(a, back, sizeof back, 0), 5);
    assert_memory_equal(back, "three", 5);
    assert_int_equal(recv(b, back, sizeof back, 0), 4);
    close(a);
    close(b);
}

static void udp_server_gives_up_the_longest_silent_that_can_be_spared(void **state)
{
    int fd[UDP_SERVER_PEERS + 2];
    size_t place[UDP_SERVER_PEERS];
    (void)state;
    for (size_t i = 0; i < UDP_SERVER_PEERS + 2; i++)
        fd[i] = dial();
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++) {
        say(fd[i], "hello");
        place[i] = e.last;
    }
    assert_int_equal(e.n_closed, 0);
    e.loss[place[0]] = UDP_SERVER_KEEP;
    say(fd[1], "still here");
    say(fd[UDP_SERVER_PEERS], "new");
    assert_int_equal(e.n_closed, 1);
    assert_int_equal(e.last_closed, place[2]);
    assert_int_equal(e.last, place[2]);
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++)
        e.loss[i] = UDP_SERVER_KEEP;
    assert_int_equal(send(fd[UDP_SERVER_PEERS + 1], "x", 1, 0), 1); /* no place */
    run_until(&e.server.n_dropped, 1);
    assert_int_equal(e.n_closed, 1);
    say(fd[0], "me");
    for (size_t i = 0; i < UDP_SERVER_PEERS + 2; i++)
        close(fd[i]);
}

/* Or made-up senders, one datagram each, would take all places for the time of inactivity. */
static void udp_server_spares_an_association_that_anybody_can_have(void **state)
{
    int fd[UDP_SERVER_PEERS + 2];
    (void)state;
    for (size_t i = 0; i < UDP_SERVER_PEERS + 2; i++)
        fd[i] = dial();
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++)
        say(fd[i], "hello");
    for (size_t i = 0; i < UDP_SERVER_PEERS; i++)
        e.loss[i] = i == 0 ? UDP_SERVER_KEEP : i == 5 ? UDP_SERVER_NOTHING : UDP_SERVER_LITTLE;
    say(fd[UDP_SERVER_PEERS], "new");
    assert_int_equal(e.last_closed, 5);
    e.loss[5] = UDP_SERVER_LITTLE;
    say(fd[UDP_SERVER_PEERS + 1], "new");
    assert_int_equal(e.last_closed, 1);
    assert_int_equal(e.n_closed, 2);
    for (size_t i = 0; i < UDP_SERVER_PEERS + 2; i++)
        close(fd[i]);
}

static void udp_server_frees_the_place_when_the_engine_is_closed(void **state)
{
    (void)state;
    const int a = dial();
    say(a, "hello");
    e.ended[e.last] = true;
    run_until(&e.n_closed, 1); /* by time alone */
    say(a, "again");
    assert_int_equal(e.n_open, 2);
    udp_server_drop_all(&e.server);
    assert_int_equal(e.n_closed, 2);
    close(a);
}

static void udp_server_drops_a_datagram_that_is_too_long(void **state)
{
    static const uint8_t big[UDP_SERVER_BUFFER + 1];
    (void)state;
    const int a = dial();
    assert_int_equal(send(a, big, sizeof big, 0), sizeof big);
    run_until(&e.server.n_dropped, 1);
    assert_int_equal(e.n_open, 0);
    close(a);
}

static void udp_server_says_why_when_it_cannot_listen(void **state)
{
    static struct udp_server second;
    const struct udp_server_engine engine = {0};
    (void)state;
    assert_int_equal(udp_server_listen(&second, &e.loop, "nowhere", &engine), ERR_FORMAT);
    assert_non_null(strstr(second.why, "nowhere"));
    assert_int_equal(udp_server_listen(&second, &e.loop, e.server.address, &engine), ERR_BUSY);
    assert_non_null(strstr(second.why, "in use"));
    uv_run(&e.loop, UV_RUN_NOWAIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(udp_server_answers_each_peer_for_itself, start, finish),
        cmocka_unit_test_setup_teardown(udp_server_gives_up_the_longest_silent_that_can_be_spared,
                                        start, finish),
        cmocka_unit_test_setup_teardown(udp_server_spares_an_association_that_anybody_can_have,
                                        start, finish),
        cmocka_unit_test_setup_teardown(udp_server_frees_the_place_when_the_engine_is_closed, start,
                                        finish),
        cmocka_unit_test_setup_teardown(udp_server_drops_a_datagram_that_is_too_long, start,
                                        finish),
        cmocka_unit_test_setup_teardown(udp_server_says_why_when_it_cannot_listen, start, finish)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
