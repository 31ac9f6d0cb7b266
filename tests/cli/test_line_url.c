/* Addresses of lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/line_url.h"

static void line_url_reads_hosts_and_ports(void **state)
{
    static const struct {
        const char *text;
        enum line_kind kind;
        const char *host, *port, *name;
    } row[] = {{"tcp://127.0.0.1:4059", LINE_TCP, "127.0.0.1", "4059", "127.0.0.1:4059"},
               {"tcp://meter", LINE_TCP, "meter", "4059", "meter:4059"},
               {"tcp://meter/", LINE_TCP, "meter", "4059", "meter:4059"},
               {"udp://[::1]:1", LINE_UDP, "::1", "1", "[::1]:1"},
               {"hdlc+tcp://m:65535/", LINE_HDLC_TCP, "m", "65535", "m:65535"}};
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct line_url u;
        char name[LINE_URL_NAME];
        assert_null(line_url_parse(row[i].text, &u));
        assert_int_equal(u.kind, row[i].kind);
        assert_string_equal(u.host, row[i].host);
        assert_string_equal(u.port, row[i].port);
        line_url_name(&u, name);
        assert_string_equal(name, row[i].name);
        assert_false(u.has_gateway);
    }
}

static void line_url_reads_serial_lines_and_their_options(void **state)
{
    struct line_url u;
    char name[LINE_URL_NAME];
    (void)state;
    assert_null(line_url_parse("serial:///dev/ttyUSB0", &u));
    assert_int_equal(u.kind, LINE_SERIAL);
    assert_string_equal(u.path, "/dev/ttyUSB0");
    assert_int_equal(u.serial.baud, 0);
    assert_false(u.mode_e);
    assert_null(line_url_parse(
        "serial:///dev/ttyS1?baud=19200&mode=e&parity=even&bits=7&stop=2&gateway=3:0A0b", &u));
    line_url_name(&u, name);
    assert_string_equal(name, "/dev/ttyS1");
    assert_int_equal(u.serial.baud, 19200);
    assert_int_equal(u.serial.data_bits, 7);
    assert_int_equal(u.serial.stop_bits, 2);
    assert_int_equal(u.serial.parity, SERIAL_EVEN);
    assert_true(u.mode_e);
    assert_true(u.has_gateway);
    assert_int_equal(u.gateway.network, 3);
    assert_int_equal(u.gateway.address_len, 2);
    assert_null(line_url_parse_serial("pty?mode=hdlc", &u));
    assert_string_equal(u.path, "pty");
    assert_false(u.mode_e);
    assert_null(line_url_parse("tcp://m?gateway=1:", &u));
    assert_string_equal(u.port, "4059");
    assert_true(u.has_gateway);
}

static void line_url_says_what_is_wrong(void **state)
{
    static const struct {
        const char *text, *part;
    } row[] = {{"", "no address"},
               {"http://m", "no address"},
               {"tcp:/m", "no address"},
               {"tcp://", "host"},
               {"tcp://:4059", "host"},
               {"tcp://m:", "port"},
               {"tcp://m:x", "port"},
               {"tcp://m:65536", "port"},
               {"tcp://m:123456", "port"},
               {"tcp://m:1/more", "port"},
               {"tcp://[::1", "']'"},
               {"tcp://[::1]4059", "port"},
               {"tcp://m?baud=9600", "serial"},
               {"tcp://m?gateway=1", "gateway"},
               {"tcp://m?gateway=256:00", "gateway"},
               {"tcp://m?colour=blue", "unknown"},
               {"tcp://m?gateway", "NAME=VALUE"},
               {"serial://", "path"},
               {"serial://?mode=e", "path"},
               {"serial:///dev/x?baud=fast", "baud"},
               {"serial:///dev/x?baud=0", "baud"},
               {"serial:///dev/x?bits=9", "bits"},
               {"serial:///dev/x?parity=mark", "parity"},
               {"serial:///dev/x?stop=3", "stop"},
               {"serial:///dev/x?mode=c", "mode"}};
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        struct line_url u;
        const char *wrong = line_url_parse(row[i].text, &u);
        assert_non_null(wrong);
        if (strstr(wrong, row[i].part) == NULL)
            fail_msg("'%s': %s", row[i].text, wrong);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_url_reads_hosts_and_ports),
        cmocka_unit_test(line_url_reads_serial_lines_and_their_options),
        cmocka_unit_test(line_url_says_what_is_wrong)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
