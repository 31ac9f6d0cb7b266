/* The wrapper as a link, over a stream and over datagrams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/dlms/wrapper_link.h"
#include "tests/lib/hex.h"

#define GET    "C001C100080000010000FF0200"
#define FRAMED "0001 0010 0001 000D " GET

struct pair {
    struct wrapper_link client, server;
    uint8_t client_buf[64], server_buf[64];
};

static void set_up(struct pair *p, bool datagrams)
{
    void (*init)(struct wrapper_link *, bool, uint8_t *, size_t) =
        datagrams ? wrapper_link_init_datagrams : wrapper_link_init_stream;
    init(&p->client, false, p->client_buf, sizeof p->client_buf);
    init(&p->server, true, p->server_buf, sizeof p->server_buf);
    assert_int_equal(p->client.link.ops->datagrams, datagrams);
}

static struct dlms_frame frame_of(uint8_t *octets, size_t n)
{
    return (struct dlms_frame){.client = 16, .server = 1, .p = octets, .len = n};
}

static void wrapper_link_carries_an_apdu_both_ways_when_pieces_have_any_size(void **state)
{
    (void)state;
    uint8_t apdu[32], line[64];
    const size_t n = hex_octets(GET, apdu, sizeof apdu);
    for (size_t piece = 1; piece <= 32; piece++) {
        struct pair p;
        struct dlms_frame got;
        set_up(&p, false);
        struct dlms_link *c = &p.client.link, *s = &p.server.link;
        const struct dlms_frame f = frame_of(apdu, n);
        assert_int_equal(dlms_link_state(s), LINK_OPEN);
        assert_int_equal(dlms_link_send(c, 0, &f), ERR_STATE);
        assert_int_equal(dlms_link_open(c, 0), ERR_OK);
        assert_int_equal(dlms_link_open(c, 0), ERR_STATE);
        assert_int_equal(dlms_link_send(c, 0, &f), ERR_OK);
        assert_int_equal(dlms_link_send(c, 0, &f), ERR_BUSY);
        while (dlms_link_sending(c)) {
            const size_t m = dlms_link_take(c, 0, line, piece);
            assert_in_range(m, 1, piece);
            assert_int_equal(dlms_link_feed(s, 0, line, m), m);
        }
        assert_true(dlms_link_received(s, &got));
        assert_int_equal(got.client, 16);
        assert_int_equal(got.server, 1);
        assert_int_equal(got.len, n);
        assert_memory_equal(got.p, apdu, n);
        dlms_link_release(s);
        assert_false(dlms_link_received(s, &got));
        assert_int_equal(dlms_link_send(s, 0, &f), ERR_OK); /* and back: ports swapped */
        assert_int_equal(dlms_link_take(s, 0, line, sizeof line), n + 8);
        assert_memory_equal(line, "\x00\x01\x00\x01\x00\x10\x00\x0D", 8);
        assert_int_equal(dlms_link_feed(c, 0, line, n + 8), n + 8);
        assert_true(dlms_link_received(c, &got));
        assert_int_equal(got.client, 16);
        assert_int_equal(got.server, 1);
    }
}

static void wrapper_link_takes_no_second_frame_when_one_waits(void **state)
{
    (void)state;
    struct pair p;
    uint8_t line[128];
    struct dlms_frame got;
    /* an empty frame before, between: dropped */
    const size_t n = hex_octets("0001001000010000" FRAMED FRAMED, line, sizeof line);
    set_up(&p, false);
    size_t used = dlms_link_feed(&p.server.link, 0, line, n);
    assert_int_equal(used, 8 + 21);
    assert_int_equal(dlms_link_feed(&p.server.link, 0, line + used, n - used), 0);
    assert_true(dlms_link_received(&p.server.link, &got));
    dlms_link_release(&p.server.link);
    assert_int_equal(dlms_link_feed(&p.server.link, 0, line + used, n - used), n - used);
    assert_true(dlms_link_received(&p.server.link, &got));
    assert_int_equal(p.server.n_dropped, 1);
}

static void wrapper_link_fails_when_the_stream_is_none(void **state)
{
    (void)state;
    static const char *const text[] = {"0002 0010 0001 0001 00", "0001 0010 0001 0041 00"};
    for (size_t i = 0; i < 2; i++) {
        struct pair p;
        uint8_t line[16];
        const struct dlms_frame f = frame_of(line, 1);
        const size_t n = hex_octets(text[i], line, sizeof line);
        set_up(&p, false);
        struct dlms_link *s = &p.server.link;
        assert_true(dlms_link_feed(s, 0, line, n) < n);
        assert_int_equal(dlms_link_state(s), LINK_FAILED);
        assert_true(strlen(dlms_link_why(s)) > 10);
        assert_int_equal(dlms_link_feed(s, 0, line, n), 0);
        assert_int_equal(dlms_link_send(s, 0, &f), ERR_STATE);
        dlms_link_reset(s);
        assert_int_equal(dlms_link_state(s), LINK_OPEN);
        assert_string_equal(dlms_link_why(s), "");
    }
}

static void wrapper_link_drops_what_is_not_one_frame_when_it_carries_datagrams(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "00",
                                      "0001001000010000",
                                      FRAMED "00", /* an octet too many */
                                      FRAMED FRAMED,
                                      "0001 0010 0001 000E " GET,
                                      "0002 0010 0001 000D " GET};
    struct pair p;
    uint8_t line[64];
    struct dlms_frame got;
    set_up(&p, true);
    struct dlms_link *s = &p.server.link;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const size_t n = hex_octets(bad[i], line, sizeof line);
        assert_int_equal(dlms_link_feed(s, 0, line, n), n);
        assert_false(dlms_link_received(s, &got));
        assert_int_equal(p.server.n_dropped, i + 1);
        assert_int_equal(dlms_link_state(s), LINK_OPEN);
    }
    const size_t n = hex_octets(FRAMED, line, sizeof line);
    assert_int_equal(dlms_link_feed(s, 0, line, n), n);
    assert_true(dlms_link_received(s, &got));
    assert_int_equal(dlms_link_feed(s, 0, line, n), 0); /* one waits */
    const struct dlms_frame f = frame_of(line, 5);
    assert_int_equal(dlms_link_send(s, 0, &f), ERR_OK);
    assert_int_equal(dlms_link_take(s, 0, line + 32, 12), 0); /* whole or not at all */
    assert_int_equal(dlms_link_take(s, 0, line + 32, 13), 13);
    assert_false(dlms_link_sending(s));
}

static void wrapper_link_drops_frames_when_the_client_is_closed(void **state)
{
    (void)state;
    struct pair p;
    uint8_t line[64];
    struct dlms_frame got;
    const size_t n = hex_octets(FRAMED, line, sizeof line);
    set_up(&p, false);
    assert_int_equal(dlms_link_feed(&p.client.link, 0, line, n), n);
    assert_false(dlms_link_received(&p.client.link, &got));
    assert_int_equal(dlms_link_open(&p.client.link, 0), ERR_OK);
    assert_int_equal(dlms_link_close(&p.client.link, 0), ERR_OK);
    assert_int_equal(dlms_link_close(&p.client.link, 0), ERR_STATE);
    assert_int_equal(dlms_link_state(&p.client.link), LINK_CLOSED);
    assert_int_equal(dlms_link_open(&p.server.link, 0), ERR_STATE);
    assert_true(dlms_link_poll(&p.client.link, 0) == UINT64_MAX);
}

static void wrapper_link_refuses_when_an_apdu_is_longer_than_a_frame(void **state)
{
    (void)state;
    struct pair p;
    uint8_t octet = 0;
    set_up(&p, false);
    struct dlms_frame f = frame_of(&octet, dlms_link_max_apdu(&p.server.link) + 1);
    assert_int_equal(dlms_link_send(&p.server.link, 0, &f), ERR_RANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrapper_link_carries_an_apdu_both_ways_when_pieces_have_any_size),
        cmocka_unit_test(wrapper_link_takes_no_second_frame_when_one_waits),
        cmocka_unit_test(wrapper_link_fails_when_the_stream_is_none),
        cmocka_unit_test(wrapper_link_drops_what_is_not_one_frame_when_it_carries_datagrams),
        cmocka_unit_test(wrapper_link_drops_frames_when_the_client_is_closed),
        cmocka_unit_test(wrapper_link_refuses_when_an_apdu_is_longer_than_a_frame)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
