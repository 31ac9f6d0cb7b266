/* Serial lines over a pseudo terminal: options, locks, and the server on libuv. */
#include "firmware/ports/posix/serial.h"
#include "firmware/ports/posix/serial_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static struct serial_pty pty;

static int make_pty(void **state)
{
    char why[SERIAL_WHY];
    (void)state;
    if (serial_pty_open(&pty, why) == ERR_OK)
        return 0;
    print_message("%s\n", why);
    return 1;
}

static int end_pty(void **state)
{
    (void)state;
    serial_pty_close(&pty);
    return 0;
}

static void serial_open_sets_speed_bits_and_parity(void **state)
{
    static const struct serial_options sign_on = {
        .baud = 300, .data_bits = 7, .parity = SERIAL_EVEN};
    static const struct serial_options after = {.baud = 9600};
    char why[SERIAL_WHY];
    struct termios t;
    int fd;
    (void)state;
    assert_int_equal(serial_open(&fd, pty.path, &sign_on, why), ERR_OK);
    assert_int_equal(tcgetattr(fd, &t), 0);
    assert_int_equal(cfgetospeed(&t), B300);
    assert_int_equal(cfgetispeed(&t), B300);
    assert_int_equal(t.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(serial_set(fd, &after), ERR_OK);
    assert_int_equal(tcgetattr(fd, &t), 0);
    assert_int_equal(cfgetospeed(&t), B9600);
    assert_int_equal(t.c_cflag & CSIZE, CS8);
    assert_int_equal(t.c_cflag & (PARENB | CSTOPB), 0);
    for (unsigned i = 0; i < 4; i++) { /* either end, back and forth, as a sign-on does */
        assert_int_equal(serial_set(i % 2 == 0 ? fd : pty.fd, &sign_on), ERR_OK);
        assert_int_equal(serial_set(pty.fd, &after), ERR_OK);
    }
    close(fd);
}

static void serial_open_carries_every_octet_unchanged(void **state)
{
    static const struct serial_options plain = {0};
    uint8_t out[256], in[256];
    char why[SERIAL_WHY];
    int fd;
    (void)state;
    for (unsigned i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)i;
    assert_int_equal(serial_open(&fd, pty.path, &plain, why), ERR_OK);
    assert_int_equal(read(fd, in, sizeof in), 0); /* nothing there: does not wait */
    assert_int_equal(write(fd, out, sizeof out), sizeof out);
    assert_int_equal(read(pty.fd, in, sizeof in), sizeof in);
    assert_memory_equal(in, out, sizeof in);
    assert_int_equal(write(pty.fd, out, sizeof out), sizeof out);
    assert_int_equal(read(fd, in, sizeof in), sizeof in);
    assert_memory_equal(in, out, sizeof in);
    close(fd);
}

static void serial_open_says_what_is_wrong(void **state)
{
    static const struct serial_options plain = {0}, odd_speed = {.baud = 12345},
                                       odd_bits = {.data_bits = 5};
    char why[SERIAL_WHY] = "";
    int fd, second;
    (void)state;
    assert_int_equal(serial_open(&fd, "/dev/no-such-tty", &plain, why), ERR_NOT_FOUND);
    assert_non_null(strstr(why, "/dev/no-such-tty"));
    assert_int_equal(serial_open(&fd, "/dev/null", &plain, why), ERR_TYPE);
    assert_int_equal(serial_open(&fd, pty.path, &odd_speed, why), ERR_RANGE);
    assert_non_null(strstr(why, "12345"));
    assert_int_equal(serial_open(&fd, pty.path, &odd_bits, why), ERR_RANGE);
    assert_int_equal(fd, -1);
    assert_int_equal(serial_open(&fd, pty.path, &plain, why), ERR_OK);
    assert_int_equal(serial_open(&second, pty.path, &plain, why), ERR_BUSY);
    close(fd);
    assert_int_equal(serial_open(&fd, pty.path, &plain, why), ERR_OK);
    close(fd);
}

/* ---- server ---- */

struct echo {
    uv_loop_t loop;
    struct serial_server server;
    size_t waiting;
    unsigned n_open, n_close, n_changed, n_fed, n_lost, n_again;
    bool refuse, ended;
    int next_fd; /* what `again` gives */
};
static struct echo e;

static bool on_open(void *context, size_t i)
{
    struct echo *x = context;
    assert_int_equal(i, 0);
    x->n_open += !x->refuse;
    x->waiting = 0;
    return !x->refuse;
}

static size_t on_feed(void *context, size_t i, const uint8_t *p, size_t n)
{
    struct echo *x = context;
    (void)i, (void)p;
    if (x->waiting > 0)
        return 0; /* one piece at a time */
    n = n > 3 ? 3 : n;
    x->waiting = n;
    x->n_fed += (unsigned)n;
    return n;
}

static size_t on_take(void *context, size_t i, uint8_t *to, size_t size)
{
    struct echo *x = context;
    const size_t n = x->waiting < size ? x->waiting : size;
    (void)i;
    memset(to, 'e', n);
    x->waiting -= n;
    return n;
}

static bool on_closed(void *context, size_t i, uint64_t now_ms)
{
    (void)i, (void)now_ms;
    return ((struct echo *)context)->ended;
}

static void on_close(void *context, size_t i)
{
    struct echo *x = context;
    (void)i;
    x->n_close++;
    x->ended = false;
}

static void on_changed(void *context)
{
    ((struct echo *)context)->n_changed++;
}

static void on_lost(void *context, const char *why)
{
    assert_true(why[0] != '\0');
    ((struct echo *)context)->n_lost++;
}

static int on_again(void *context)
{
    struct echo *x = context;
    x->n_again++;
    return x->next_fd;
}

static int start_on(int fd, int (*again)(void *context))
{
    const struct port_engine engine = {.context = &e,
                                       .open = on_open,
                                       .feed = on_feed,
                                       .take = on_take,
                                       .closed = on_closed,
                                       .close = on_close};
    const struct serial_server_owner owner = {
        .changed = on_changed, .lost = on_lost, .again = again, .again_ms = 50};
    memset(&e, 0, sizeof e);
    e.next_fd = -1;
    return uv_loop_init(&e.loop) != 0 ||
           serial_server_start(&e.server, &e.loop, fd, &engine, &owner) != ERR_OK;
}

static int start(void **state)
{
    return make_pty(state) != 0 || start_on(pty.fd, NULL);
}

static int finish(void **state)
{
    serial_server_close(&e.server);
    uv_run(&e.loop, UV_RUN_DEFAULT);
    return uv_loop_close(&e.loop) | end_pty(state);
}

static void run_until(const unsigned *what, unsigned n)
{
    for (int turn = 0; turn < 100 && *what < n; turn++)
        uv_run(&e.loop, UV_RUN_ONCE);
    assert_int_equal(*what, n);
}

static void serial_server_answers_whoever_opens_the_far_end(void **state)
{
    char why[SERIAL_WHY], back[16];
    (void)state;
    for (unsigned round = 0; round < 2; round++) { /* one leaves, the next one comes */
        int fd;
        assert_int_equal(serial_open(&fd, pty.path, &(struct serial_options){0}, why), ERR_OK);
        assert_int_equal(write(fd, "abcdefg", 7), 7);
        run_until(&e.n_fed, 7 * (round + 1));
        uv_run(&e.loop, UV_RUN_NOWAIT);
        assert_int_equal(read(fd, back, sizeof back), 7);
        assert_memory_equal(back, "eeeeeee", 7);
        close(fd);
    }
    assert_true(e.n_changed > 0);
    assert_int_equal(e.n_open, 1);
}

static void serial_server_begins_anew_when_the_engine_is_closed(void **state)
{
    char why[SERIAL_WHY];
    int fd;
    (void)state;
    e.ended = true;
    run_until(&e.n_close, 1); /* by time alone */
    assert_int_equal(e.n_open, 2);
    e.refuse = true; /* as a meter without power */
    serial_server_drop(&e.server);
    assert_int_equal(e.n_close, 2);
    assert_int_equal(serial_open(&fd, pty.path, &(struct serial_options){0}, why), ERR_OK);
    assert_int_equal(write(fd, "lost", 4), 4);
    for (int turn = 0; turn < 3; turn++)
        uv_run(&e.loop, UV_RUN_ONCE);
    assert_int_equal(e.n_fed, 0);
    e.refuse = false;
    assert_int_equal(write(fd, "abc", 3), 3);
    run_until(&e.n_fed, 3);
    assert_int_equal(e.n_open, 3);
    close(fd);
}

/* How often the loop turns in this time: with nothing to do, once for each tick of the timer. */
static unsigned turns_within(unsigned ms)
{
    unsigned n = 0;
    for (const uint64_t end = uv_hrtime() + ms * UINT64_C(1000000); uv_hrtime() < end; n++)
        uv_run(&e.loop, UV_RUN_ONCE);
    return n;
}

static void serial_server_waits_idle_until_the_far_end_is_opened_again(void **state)
{
    char why[SERIAL_WHY];
    int fd;
    (void)state;
    for (unsigned round = 1; round <= 2; round++) {
        if (round == 1)
            close(pty.far); /* nobody has it open any more: hung up */
        else
            close(fd);
        pty.far = -1;
        run_until(&e.n_lost, round);
        assert_int_equal(e.n_close, round);
        assert_true(turns_within(200) < 30);
        assert_int_equal(e.n_lost, round); /* told once */
        assert_int_equal(serial_open(&fd, pty.path, &(struct serial_options){0}, why), ERR_OK);
        assert_int_equal(write(fd, "abc", 3), 3);
        run_until(&e.n_fed, 3 * round);
        assert_int_equal(e.n_open, 1 + round);
    }
    close(fd);
}

static void serial_server_opens_an_unplugged_line_anew(void **state)
{
    char why[SERIAL_WHY];
    int fd;
    assert_int_equal(make_pty(state), 0);
    assert_int_equal(serial_open(&fd, pty.path, &(struct serial_options){0}, why), ERR_OK);
    assert_int_equal(start_on(fd, on_again), 0);
    serial_pty_close(&pty); /* the adapter is pulled */
    run_until(&e.n_lost, 1);
    assert_int_equal(e.n_close, 1);
    close(fd);
    serial_server_drop(&e.server); /* harms nothing */
    assert_true(turns_within(200) < 30);
    assert_in_range(e.n_again, 1, 5);
    assert_int_equal(make_pty(state), 0);
    assert_int_equal(serial_open(&e.next_fd, pty.path, &(struct serial_options){0}, why), ERR_OK);
    run_until(&e.n_open, 2);
    assert_int_equal(write(pty.fd, "abc", 3), 3);
    run_until(&e.n_fed, 3);
    assert_int_equal(e.n_lost, 1);
    fd = e.next_fd;
    assert_int_equal(finish(state), 0);
    close(fd);
}

/* As above, but it ends while the line is away. */
static void serial_server_ends_while_its_line_is_gone(void **state)
{
    (void)state;
    close(pty.far);
    pty.far = -1;
    run_until(&e.n_lost, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(serial_open_sets_speed_bits_and_parity, make_pty, end_pty),
        cmocka_unit_test_setup_teardown(serial_open_carries_every_octet_unchanged, make_pty,
                                        end_pty),
        cmocka_unit_test_setup_teardown(serial_open_says_what_is_wrong, make_pty, end_pty),
        cmocka_unit_test_setup_teardown(serial_server_answers_whoever_opens_the_far_end, start,
                                        finish),
        cmocka_unit_test_setup_teardown(serial_server_begins_anew_when_the_engine_is_closed, start,
                                        finish),
        cmocka_unit_test_setup_teardown(serial_server_waits_idle_until_the_far_end_is_opened_again,
                                        start, finish),
        cmocka_unit_test(serial_server_opens_an_unplugged_line_anew),
        cmocka_unit_test_setup_teardown(serial_server_ends_while_its_line_is_gone, start, finish)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
