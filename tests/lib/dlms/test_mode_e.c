/* The hand-over of IEC 62056-21 mode E: client and server joined by a line whose two ends have a
 * speed each, so that what is sent at another speed than it is heard at arrives as noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/dlms/hdlc.h"
#include "lib/dlms/mode_e.h"

struct station {
    struct hdlc hdlc;
    struct mode_e mode_e;
    struct dlms_link *link;
    struct mode_e_speed uart;
    uint8_t buf[600];
    char log[200]; /* what it said before HDLC */
};
static struct station client, server;
static uint64_t now_ms;
static bool echo; /* of the client's head */
static unsigned n_lost;

static const struct hdlc_config hdlc_config = {.inactivity_ms = 30000,
                                               .client_sap = 16,
                                               .server_sap = 1,
                                               .address_size = 1,
                                               .retries = 1,
                                               .response_ms = 2000};
static const struct mode_e_config client_config = {.max_baud = 115200, .retries = 1};
static const struct mode_e_config server_config = {
    .is_server = true, .device = "1234", .identification = "FERferraris", .max_baud = 19200};

static void start(const struct mode_e_config *c, const struct mode_e_config *s)
{
    memset(&client, 0, sizeof client);
    memset(&server, 0, sizeof server);
    echo = false;
    n_lost = 0;
    now_ms = 10000;
    assert_int_equal(hdlc_client_init(&client.hdlc, &hdlc_config, client.buf, 600), ERR_OK);
    assert_int_equal(hdlc_server_init(&server.hdlc, &hdlc_config, server.buf, 600), ERR_OK);
    assert_int_equal(mode_e_init(&client.mode_e, c, &client.hdlc.link), ERR_OK);
    assert_int_equal(mode_e_init(&server.mode_e, s, &server.hdlc.link), ERR_OK);
    client.link = &client.mode_e.link;
    server.link = &server.mode_e.link;
    client.uart = mode_e_speed(&client.mode_e);
    server.uart = mode_e_speed(&server.mode_e);
}

static void hear(struct station *to, struct mode_e_speed sent_at, const uint8_t *p, size_t n)
{
    bool same = to->uart.baud == sent_at.baud && to->uart.seven_even == sent_at.seven_even;
    for (size_t i = 0; i < n; i++) {
        uint8_t octet = same ? p[i] : 0xFF;
        n_lost += !same;
        assert_int_equal(dlms_link_feed(to->link, now_ms, &octet, 1), 1);
        to->uart = mode_e_speed(&to->mode_e);
    }
}

static bool carry(struct station *from, struct station *to)
{
    uint8_t octets[300];
    bool text = from->mode_e.link.ops->state(from->link) != LINK_OPEN;
    size_t n = dlms_link_take(from->link, now_ms, octets, sizeof octets);
    if (n == 0) {
        from->uart = mode_e_speed(&from->mode_e);
        return false;
    }
    size_t had = strlen(from->log);
    if (text && octets[0] != HDLC_FLAG && had + n < sizeof from->log)
        memcpy(from->log + had, octets, n);
    if (echo && from == &client)
        dlms_link_feed(from->link, now_ms, octets, n);
    now_ms += n * 10000 / from->uart.baud + 1;
    hear(to, from->uart, octets, n);
    from->uart = mode_e_speed(&from->mode_e);
    return true;
}

static void run_ms(uint64_t ms)
{
    uint64_t end = now_ms + ms;
    while (now_ms < end) {
        bool moved = carry(&client, &server);
        moved |= carry(&server, &client);
        if (moved)
            continue;
        uint64_t next = dlms_link_poll(client.link, now_ms);
        uint64_t other = dlms_link_poll(server.link, now_ms);
        next = next < other ? next : other;
        now_ms = next > now_ms && next < end ? next : next <= now_ms ? now_ms + 1 : end;
        dlms_link_poll(client.link, now_ms);
        dlms_link_poll(server.link, now_ms);
    }
}

static void open_client(void)
{
    assert_int_equal(dlms_link_open(client.link, now_ms), ERR_OK);
    assert_int_equal(dlms_link_state(client.link), LINK_OPENING);
}

static void mode_e_hands_over_to_hdlc_at_the_lower_of_both_speeds(void **state)
{
    (void)state;
    start(&client_config, &server_config);
    assert_int_equal(client.uart.baud, 300);
    assert_true(client.uart.seven_even);
    open_client();
    run_ms(3000);
    assert_int_equal(dlms_link_state(client.link), LINK_OPEN);
    assert_int_equal(dlms_link_state(server.link), LINK_OPEN);
    assert_string_equal(client.log, "/?!\r\n\x06"
                                    "262\r\n");
    assert_string_equal(server.log, "/FER6\\2ferraris\r\n\x06"
                                    "262\r\n");
    assert_int_equal(n_lost, 0);
    assert_int_equal(client.uart.baud, 19200);
    assert_false(client.uart.seven_even);
    uint8_t apdu[] = {0xC0, 1};
    struct dlms_frame f = {.client = 16, .server = 1, .p = apdu, .len = 2};
    assert_int_equal(dlms_link_send(client.link, now_ms, &f), ERR_OK);
    assert_true(dlms_link_sending(client.link));
    run_ms(100);
    assert_true(dlms_link_received(server.link, &f));
    assert_memory_equal(f.p, apdu, 2);
    dlms_link_release(server.link);
    assert_int_equal(dlms_link_max_apdu(client.link), UINT16_MAX);
}

static void mode_e_returns_to_the_start_when_the_connection_is_over(void **state)
{
    (void)state;
    start(&client_config, &server_config);
    for (int i = 0; i < 2; i++) {
        open_client();
        run_ms(3000);
        assert_int_equal(dlms_link_state(client.link), LINK_OPEN);
        assert_int_equal(dlms_link_close(client.link, now_ms), ERR_OK);
        run_ms(100);
        assert_int_equal(dlms_link_state(client.link), LINK_CLOSED);
        assert_int_equal(dlms_link_state(server.link), LINK_CLOSED);
        assert_int_equal(client.uart.baud, 300);
        assert_int_equal(server.uart.baud, 300);
        assert_true(server.uart.seven_even);
        assert_int_equal(n_lost, 0);
    }
    open_client(); /* and when the client is gone */
    run_ms(3000);
    dlms_link_reset(client.link);
    client.uart = mode_e_speed(&client.mode_e);
    run_ms(31000);
    assert_int_equal(server.uart.baud, 300);
    open_client();
    run_ms(3000);
    assert_int_equal(dlms_link_state(client.link), LINK_OPEN);
}

static void mode_e_works_when_the_head_sends_an_echo(void **state)
{
    (void)state;
    start(&client_config, &server_config);
    echo = true;
    open_client();
    run_ms(3000);
    assert_int_equal(dlms_link_state(client.link), LINK_OPEN);
    assert_int_equal(client.hdlc.n_resent, 0);
}

static void mode_e_works_when_the_uart_knows_no_parity(void **state)
{
    (void)state;
    struct mode_e_config c = client_config, s = server_config;
    c.software_parity = s.software_parity = true;
    start(&c, &s);
    open_client();
    run_ms(3000);
    assert_int_equal(dlms_link_state(client.link), LINK_OPEN);
    assert_false(client.uart.seven_even);
    assert_memory_equal(client.log, "\xAF\x3F\x21\x8D\x0A", 5);
    start(&c, &s); /* an octet with wrong parity spoils the message */
    dlms_link_feed(server.link, now_ms, (const uint8_t *)"\x2F\x3F\x21\x8D\x0A", 5);
    uint8_t octets[64];
    assert_int_equal(dlms_link_take(server.link, now_ms + 1000, octets, 64), 0);
}

static void mode_e_asks_a_device_by_its_address(void **state)
{
    (void)state;
    struct mode_e_config c = client_config;
    c.device = "1234";
    start(&c, &server_config);
    open_client();
    run_ms(3000);
    assert_int_equal(dlms_link_state(client.link), LINK_OPEN);
    assert_memory_equal(client.log, "/?1234!\r\n", 9);
    c.device = "1235";
    start(&c, &server_config);
    open_client();
    run_ms(8000);
    assert_int_equal(dlms_link_state(client.link), LINK_FAILED);
    assert_string_equal(dlms_link_why(client.link), "no answer to the sign-on");
    assert_string_equal(client.log, "/?1235!\r\n/?1235!\r\n");
    assert_string_equal(server.log, "");
    dlms_link_reset(client.link);
    assert_int_equal(dlms_link_state(client.link), LINK_CLOSED);
}

/* What another device says to the client at WAIT, and what the client makes of it. */
static void mode_e_client_takes_devices_with_hdlc_only(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        enum dlms_link_state state;
        const char *choice;
    } c[] = {
        {"/LGZ5\\2ZMD3104407.B32\r\n", LINK_OPENING,
         "\x06"
         "252\r\n"},
        {"\x7F\x01noise\r\n/LGZ4\\W\\2X\r\n", LINK_OPENING,
         "\x06"
         "242\r\n"},
        {"/ELS0\\2\r\n", LINK_OPENING,
         "\x06"
         "202\r\n"},
        {"/LGZ4ZMF100AC.M26\r\n", LINK_FAILED, ""},
        {"/LGZA\\2X\r\n", LINK_FAILED, ""}, /* mode B */
        {"/LGZ4\\3X\r\n", LINK_FAILED, ""},
        {"/LG\r\n", LINK_OPENING, ""},
    };
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        uint8_t octets[64] = {0};
        start(&client_config, &server_config);
        open_client();
        assert_int_equal(dlms_link_take(client.link, now_ms, octets, 64), 5);
        memset(octets, 0, sizeof octets);
        dlms_link_feed(client.link, now_ms, (const uint8_t *)c[i].id, strlen(c[i].id));
        assert_int_equal(dlms_link_state(client.link), c[i].state);
        assert_int_equal(dlms_link_take(client.link, now_ms + 199, octets, 64), 0);
        dlms_link_take(client.link, now_ms + 200, octets, 64);
        assert_string_equal((const char *)octets, c[i].choice);
    }
    assert_int_equal(dlms_link_close(client.link, now_ms), ERR_OK);
    assert_int_equal(dlms_link_state(client.link), LINK_CLOSED);
}

static void mode_e_client_goes_on_when_the_confirmation_is_lost(void **state)
{
    (void)state;
    uint8_t octets[64];
    start(&client_config, &server_config);
    open_client();
    dlms_link_take(client.link, now_ms, octets, 64);
    dlms_link_feed(client.link, now_ms, (const uint8_t *)"/LGZ5\\2\r\n", 9);
    now_ms += 200;
    assert_int_equal(dlms_link_take(client.link, now_ms, octets, 64), 6);
    assert_int_equal(mode_e_speed(&client.mode_e).baud, 9600);
    assert_true(mode_e_speed(&client.mode_e).seven_even);
    now_ms = dlms_link_poll(client.link, now_ms);
    dlms_link_poll(client.link, now_ms);
    assert_false(mode_e_speed(&client.mode_e).seven_even);
    now_ms = dlms_link_poll(client.link, now_ms);
    assert_true(dlms_link_take(client.link, now_ms, octets, 64) > 8);
    assert_int_equal(octets[0], HDLC_FLAG);
}

/* What another client says to the server, and at which speed it is afterwards. */
static void mode_e_server_takes_its_own_mode_only(void **state)
{
    (void)state;
    static const struct {
        const char *choice;
        uint32_t baud;
    } c[] = {{"\x06"
              "252\r\n",
              9600},
             {"\x06"
              "202\r\n",
              300},
             {"\x06"
              "272\r\n",
              300}, /* above what was offered */
             {"\x06"
              "050\r\n",
              300}, /* mode C */
             {"hello\r\n", 300}};
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        uint8_t octets[64] = {0};
        start(&client_config, &server_config);
        dlms_link_feed(server.link, now_ms, (const uint8_t *)"/?!\r\n", 5);
        now_ms += 200;
        assert_int_equal(dlms_link_take(server.link, now_ms, octets, 64), 17);
        dlms_link_feed(server.link, now_ms, octets, 17); /* its head may have an echo, too */
        dlms_link_feed(server.link, now_ms, (const uint8_t *)c[i].choice, strlen(c[i].choice));
        assert_int_equal(mode_e_speed(&server.mode_e).baud, c[i].baud);
        now_ms += 200;
        size_t n = dlms_link_take(server.link, now_ms, octets, 64);
        assert_int_equal(n, i < 2 ? 6 : 0);
        assert_int_equal(mode_e_speed(&server.mode_e).seven_even, i >= 2);
    }
}

static void mode_e_server_waits_for_the_client_no_longer_than_told(void **state)
{
    (void)state;
    uint8_t octets[64];
    start(&client_config, &server_config);
    dlms_link_feed(server.link, now_ms, (const uint8_t *)"/?!\r\n", 5);
    assert_int_equal(dlms_link_poll(server.link, now_ms), now_ms + 200);
    now_ms += 200;
    dlms_link_take(server.link, now_ms, octets, 64);
    uint64_t next = dlms_link_poll(server.link, now_ms);
    assert_int_equal(next, now_ms + 17 * 10000 / 300 + 1500);
    assert_int_equal(dlms_link_poll(server.link, next), UINT64_MAX);
    dlms_link_feed(server.link, next,
                   (const uint8_t *)"\x06"
                                    "252\r\n",
                   6);
    assert_int_equal(mode_e_speed(&server.mode_e).baud, 300);
    /* nobody connects after the hand-over */
    now_ms = next;
    dlms_link_feed(server.link, now_ms, (const uint8_t *)"/?!\r\n", 5);
    now_ms += 200;
    dlms_link_take(server.link, now_ms, octets, 64);
    dlms_link_feed(server.link, now_ms,
                   (const uint8_t *)"\x06"
                                    "252\r\n",
                   6);
    now_ms += 200;
    assert_int_equal(dlms_link_take(server.link, now_ms, octets, 64), 6);
    assert_int_equal(mode_e_speed(&server.mode_e).baud, 9600);
    assert_int_equal(dlms_link_poll(server.link, now_ms + 119999), now_ms + 120000);
    dlms_link_poll(server.link, now_ms + 120000);
    assert_int_equal(mode_e_speed(&server.mode_e).baud, 300);
}

static void mode_e_init_refuses_texts_that_break_messages(void **state)
{
    (void)state;
    struct mode_e m;
    static const char *const bad[] = {"FE", "FERa!", "FER/a", "FER\r", "FER12345678901234567"};
    struct mode_e_config s = server_config;
    for (size_t i = 0; i < 5; i++) {
        s.identification = bad[i];
        assert_int_equal(mode_e_init(&m, &s, NULL), ERR_RANGE);
    }
    struct mode_e_config c = client_config;
    c.device = "123456789012345678901234567890123";
    assert_int_equal(mode_e_init(&m, &c, NULL), ERR_RANGE);
    c.device = "12345678901234567890123456789012";
    assert_int_equal(mode_e_init(&m, &c, NULL), ERR_OK);
    c.max_baud = 14400;
    assert_int_equal(mode_e_init(&m, &c, NULL), ERR_RANGE);
}

static void mode_e_letters_and_speeds_match(void **state)
{
    (void)state;
    assert_int_equal(mode_e_letter(300), '0');
    assert_int_equal(mode_e_letter(9600), '5');
    assert_int_equal(mode_e_letter(115200), '9');
    assert_int_equal(mode_e_letter(1), 0);
    for (char c = '0'; c <= '9'; c++)
        assert_int_equal(mode_e_letter(mode_e_baud(c)), c);
    assert_int_equal(mode_e_baud('A'), 0);
    assert_int_equal(mode_e_baud('/'), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mode_e_hands_over_to_hdlc_at_the_lower_of_both_speeds),
        cmocka_unit_test(mode_e_returns_to_the_start_when_the_connection_is_over),
        cmocka_unit_test(mode_e_works_when_the_head_sends_an_echo),
        cmocka_unit_test(mode_e_works_when_the_uart_knows_no_parity),
        cmocka_unit_test(mode_e_asks_a_device_by_its_address),
        cmocka_unit_test(mode_e_client_takes_devices_with_hdlc_only),
        cmocka_unit_test(mode_e_client_goes_on_when_the_confirmation_is_lost),
        cmocka_unit_test(mode_e_server_takes_its_own_mode_only),
        cmocka_unit_test(mode_e_server_waits_for_the_client_no_longer_than_told),
        cmocka_unit_test(mode_e_init_refuses_texts_that_break_messages),
        cmocka_unit_test(mode_e_letters_and_speeds_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
