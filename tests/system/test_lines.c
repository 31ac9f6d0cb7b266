/* One meter, reached over TCP, UDP, HDLC over TCP, and a serial line with the sign-on of mode E, by
 * the client verbs. Clients that are stuck or lost hinder nobody else for longer than the time of
 * inactivity. */
#include "firmware/ports/posix/serial.h"
#include "lib/dlms/hdlc_frame.h"
#include "tests/cli/command.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { TCP, UDP, HDLC, PTY_E, PTY, N_LINES };
#define INACTIVITY_S "2"
#define N_STUCK      20 /* more than a port has places */

static struct command c;
static char dir[64], keys[96], url[N_LINES][COMMAND_URL];
static pid_t meter;

#define SECURE "--auth", "hls5", "--keys", keys, "--timeout", "5"

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/ferraris-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(keys, sizeof keys, "%s/keys", dir);
    meter = command_meter_ports((const char *const[]){"meter",
                                                      "--listen",
                                                      "127.0.0.1:0",
                                                      "--listen",
                                                      "udp://127.0.0.1:0",
                                                      "--listen",
                                                      "hdlc+tcp://127.0.0.1:0",
                                                      "--serial",
                                                      "pty?mode=e",
                                                      "--serial",
                                                      "pty",
                                                      "--keys",
                                                      keys,
                                                      "--level",
                                                      "window",
                                                      "--start",
                                                      "2026-03-28T00:00:00Z",
                                                      "--fast-forward",
                                                      "2h",
                                                      "--speed",
                                                      "0",
                                                      "--inactivity",
                                                      INACTIVITY_S,
                                                      "--gateway",
                                                      "3:0A0B",
                                                      NULL},
                                url, N_LINES);
    return 0;
}

static int tear_down(void **state)
{
    char line[160];
    (void)state;
    command_stop(meter);
    snprintf(line, sizeof line, "rm -r %s", dir);
    return system(line);
}

static void check_value(const char *address)
{
    COMMAND(&c, NULL, "read", SECURE, "--json", address, "1-0:1.8.0.255", "0-0:42.0.0.255");
    if (c.code != 0)
        fail_msg("%s: exit code %d; %s", address, c.code, c.err);
}

static void lines_give_the_same_value_whatever_carries_it(void **state)
{
    static char first[sizeof c.out];
    (void)state;
    assert_non_null(strstr(url[TCP], "tcp://127.0.0.1:"));
    assert_non_null(strstr(url[UDP], "udp://127.0.0.1:"));
    assert_non_null(strstr(url[HDLC], "hdlc+tcp://127.0.0.1:"));
    assert_non_null(strstr(url[PTY_E], "?mode=e"));
    check_value(url[TCP]);
    assert_non_null(strstr(c.out, "\"unit\": \"Wh\""));
    memcpy(first, c.out, sizeof first);
    for (size_t i = UDP; i < N_LINES; i++) {
        check_value(url[i]);
        assert_string_equal(c.out, first);
        COMMAND(&c, NULL, "read", "--auth", "lls", "--keys", keys, url[i], "0-0:42.0.0.255");
        assert_int_equal(c.code, 0);
    }
}

static void lines_carry_long_answers_and_blocks(void **state)
{
    size_t len = 0;
    (void)state;
    for (size_t i = 0; i < N_LINES; i++) {
        if (i == PTY_E) /* the sign-on takes its time, and then it is PTY */
            continue;
        const bool small = i % 2 == 0;
        COMMAND(&c, NULL, "browse", SECURE, "--max-pdu", small ? "200" : "2048", "--gbt",
                i == UDP || i == HDLC ? "3" : "0", "--json", url[i]);
        if (c.code != 0)
            fail_msg("%s: exit code %d; %s", url[i], c.code, c.err);
        assert_true(i == 0 || strlen(c.out) == len);
        len = strlen(c.out);
        assert_true(len > 4000);
    }
}

static void lines_lead_through_a_gateway_to_the_meter_named(void **state)
{
    char through[COMMAND_URL + 32];
    static char direct[sizeof c.out];
    (void)state;
    for (size_t i = 0; i < N_LINES; i++) {
        const char *sign = strchr(url[i], '?') != NULL ? "&" : "?";
        check_value(url[i]);
        memcpy(direct, c.out, sizeof direct);
        snprintf(through, sizeof through, "%s%sgateway=3:0A0B", url[i], sign);
        check_value(through);
        assert_string_equal(c.out, direct);
    }
    static const char *const others[] = {"4:0A0B", "3:0A0C", "3:0A"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) { /* no answer of this meter */
        snprintf(through, sizeof through, "%s?gateway=%s", url[UDP], others[i]);
        COMMAND(&c, NULL, "read", "--timeout", "1", through, "0-0:42.0.0.255");
        assert_int_equal(c.code, 3);
    }
}

/* ---- clients that misbehave ---- */

static int dial(const char *address, int type)
{
    const struct sockaddr_in a = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, type, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static int open_pty(const char *address)
{
    char path[COMMAND_URL];
    snprintf(path, sizeof path, "%s", address + strlen("serial://"));
    path[strcspn(path, "?")] = '\0';
    const int fd = open(path, O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    return fd;
}

static const uint8_t public_aarq[] = {0,    1,    0,    16,   0,    1,    0,    31,   0x60, 0x1D,
                                      0xA1, 0x09, 0x06, 0x07, 0x60, 0x85, 0x74, 0x05, 0x08, 0x01,
                                      0x01, 0xBE, 0x10, 0x04, 0x0E, 0x01, 0x00, 0x00, 0x00, 0x06,
                                      0x5F, 0x1F, 0x04, 0x00, 0x00, 0x7E, 0x1F, 0x04, 0xB0};

/* Asks for the association again and again, and takes no answer. */
static void never_read(int fd)
{
    const int small = 4096;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (unsigned i = 0; i < 20000; i++)
        if (send(fd, public_aarq, sizeof public_aarq, MSG_DONTWAIT | MSG_NOSIGNAL) <= 0)
            return; /* the meter takes no more */
}

static void lines_serve_others_when_clients_are_stuck(void **state)
{
    int fd[N_STUCK + 1];
    (void)state;
    for (unsigned i = 0; i < N_STUCK; i++) { /* silent ones take all places of the TCP port */
        fd[i] = dial(url[TCP], SOCK_STREAM);
        if (i == 0)
            never_read(fd[i]);
        else
            (void)send(fd[i], "\0\1\0", 3, MSG_NOSIGNAL);
    }
    fd[N_STUCK] = open_pty(url[PTY]);
    assert_int_equal(write(fd[N_STUCK], "\x7E\xA0\x20", 3), 3); /* half a frame */
    check_value(url[UDP]);
    check_value(url[HDLC]);
    for (unsigned i = 0; i <= N_STUCK; i++)
        close(fd[i]);
    check_value(url[PTY]);
    check_value(url[TCP]);
}

/* A datagram, and what comes back within a moment; 0: nothing. */
static size_t tell(int fd, const void *p, size_t n, uint8_t *answer, size_t size)
{
    struct pollfd w = {.fd = fd, .events = POLLIN};
    assert_int_equal(send(fd, p, n, 0), (ssize_t)n);
    return poll(&w, 1, 300) > 0 ? (size_t)recv(fd, answer, size, 0) : 0;
}

/* Senders that somebody made up: an association of the public client costs one datagram. */
static void lines_keep_no_udp_client_out_for_made_up_senders(void **state)
{
    static const uint8_t exception[] = {0, 1, 0, 16, 0, 1, 0, 3, 0xD8, 1, 1};
    uint8_t answer[256];
    int fd[N_STUCK];
    (void)state;
    for (unsigned i = 0; i < N_STUCK; i++) {
        fd[i] = dial(url[UDP], SOCK_DGRAM);
        assert_true(tell(fd[i], public_aarq, sizeof public_aarq, answer, sizeof answer) > 8);
    }
    check_value(url[UDP]);
    assert_int_equal(tell(fd[0], exception, sizeof exception, answer, sizeof answer), 0);
    for (unsigned i = 0; i < N_STUCK; i++)
        close(fd[i]);
}

/* ---- lost HDLC links ---- */

static void send_u(int fd, uint16_t client, uint8_t control)
{
    uint8_t out[64];
    struct wr w = wr_of(out, sizeof out);
    const struct hdlc_frame f = {.destination = {.upper = 1, .lower = 17, .size = 2},
                                 .source = {.upper = client, .size = 1},
                                 .control = control | HDLC_PF};
    hdlc_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
    assert_int_equal(write(fd, out, w.len), (ssize_t)w.len);
}

static void send_snrm(int fd, uint16_t client)
{
    send_u(fd, client, HDLC_SNRM);
}

/* The control octet of the next frame without information that comes; 0: none within a second. */
static uint8_t next_control(int fd)
{
    uint8_t buf[256], octet;
    struct hdlc_rx rx;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    hdlc_rx_reset(&rx, buf, sizeof buf);
    while (poll(&p, 1, 1000) > 0 && read(fd, &octet, 1) == 1) {
        enum hdlc_rx_event event;
        struct hdlc_frame f;
        size_t at;
        (void)hdlc_rx_feed(&rx, &octet, 1, &event);
        if (event == HDLC_RX_FRAME) {
            assert_int_equal(hdlc_frame_decode((struct bytes){buf, rx.len}, &f, &at), ERR_OK);
            return f.control & (uint8_t)~HDLC_PF;
        }
    }
    return 0;
}

static void lines_let_another_client_in_when_an_hdlc_link_is_lost(void **state)
{
    (void)state;
    const int fd = open_pty(url[PTY]);
    send_snrm(fd, 16);
    assert_int_equal(next_control(fd), HDLC_UA);
    send_snrm(fd, 1); /* the line is taken */
    assert_int_equal(next_control(fd), HDLC_DM);
    close(fd); /* the first one is never heard of again */
    COMMAND(&c, NULL, "read", SECURE, "--counter", "1000000", url[PTY], "1-0:1.8.0.255");
    assert_int_equal(c.code, 3);
    (void)sleep((unsigned)atoi(INACTIVITY_S) + 1);
    check_value(url[PTY]);
}

/* What comes within a second begins with these octets. */
static void expect_octets(int fd, const char *begin)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (size_t i = 0; begin[i] != '\0'; i++) {
        char octet = '\0';
        assert_true(poll(&p, 1, 1000) > 0 && read(fd, &octet, 1) == 1);
        assert_int_equal(octet & 0x7F, begin[i]);
    }
}

static void wait_ms(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

/* Slow sign-ons one after the other, so that the time of inactivity runs out within one of them:
 * that of the line without a client, which is none of this client's. */
static void lines_let_a_sign_on_take_its_time(void **state)
{
    (void)state;
    const int fd = open_pty(url[PTY_E]);
    for (unsigned i = 0; i < 3; i++) {
        wait_ms(50);
        (void)tcflush(fd, TCIFLUSH); /* the last flag */
        assert_int_equal(write(fd, "/?!\r\n", 5), 5);
        expect_octets(fd, "/FER");
        wait_ms(1200);
        (void)tcflush(fd, TCIFLUSH);
        assert_int_equal(write(fd,
                               "\x06"
                               "252\r\n",
                               6),
                         6);
        expect_octets(fd, "\x06"
                          "252\r\n");
        wait_ms(300);
        send_snrm(fd, 16);
        assert_int_equal(next_control(fd), HDLC_UA);
        send_u(fd, 16, HDLC_DISC);
        assert_int_equal(next_control(fd), HDLC_UA);
    }
    close(fd);
}

/* A line that takes no octets, as with flow control: it costs the client its time-out. */
static void lines_that_take_no_octets_end_with_the_time_out(void **state)
{
    char address[COMMAND_URL], why[SERIAL_WHY];
    struct serial_pty pty;
    (void)state;
    assert_int_equal(serial_pty_open(&pty, why), ERR_OK);
    snprintf(address, sizeof address, "serial://%s", pty.path);
    assert_int_equal(tcflow(pty.far, TCOOFF), 0);
    const time_t began = time(NULL);
    COMMAND(&c, NULL, "read", "--timeout", "1", address, "1-0:1.8.0.255");
    assert_int_equal(c.code, 3);
    assert_true(time(NULL) - began < 10);
    assert_non_null(strstr(c.err, "took nothing"));
    serial_pty_close(&pty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_give_the_same_value_whatever_carries_it),
        cmocka_unit_test(lines_carry_long_answers_and_blocks),
        cmocka_unit_test(lines_lead_through_a_gateway_to_the_meter_named),
        cmocka_unit_test(lines_serve_others_when_clients_are_stuck),
        cmocka_unit_test(lines_keep_no_udp_client_out_for_made_up_senders),
        cmocka_unit_test(lines_let_another_client_in_when_an_hdlc_link_is_lost),
        cmocka_unit_test(lines_let_a_sign_on_take_its_time),
        cmocka_unit_test(lines_that_take_no_octets_end_with_the_time_out)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
