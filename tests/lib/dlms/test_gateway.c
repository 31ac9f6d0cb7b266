/* The gateway's prefix, and the link that adds and strips it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/dlms/gateway.h"
#include "lib/dlms/wrapper_link.h"
#include "tests/lib/hex.h"

static void gateway_prefix_is_the_same_after_decoding_and_encoding(void **state)
{
    (void)state;
    static const char *const text[] = {"E6 01 00 C0", "E7 FF 03 0102AB C401"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t raw[32], again[32];
        struct gateway_prefix p;
        struct bytes inner;
        const size_t n = hex_octets(text[i], raw, sizeof raw);
        assert_int_equal(gateway_decode((struct bytes){raw, n}, &p, &inner), ERR_OK);
        assert_int_equal(p.response, i == 1);
        assert_int_equal(inner.len, i + 1);
        struct wr w = wr_of(again, sizeof again);
        gateway_put(&w, &p);
        wr_bytes(&w, inner.p, inner.len);
        assert_int_equal(w.len, n);
        assert_memory_equal(raw, again, n);
    }
}

static void gateway_decode_refuses_what_is_no_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
    } row[] = {{"", ERR_TYPE},          {"C001", ERR_TYPE},          {"E6", ERR_TRUNCATED},
               {"E601", ERR_TRUNCATED}, {"E60102AA", ERR_TRUNCATED}, {"E60100", ERR_TRUNCATED},
               {"E60121C0", ERR_RANGE}};
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t raw[16];
        struct gateway_prefix p;
        struct bytes inner;
        const size_t n = hex_octets(row[i].text, raw, sizeof raw);
        assert_int_equal(gateway_decode((struct bytes){raw, n}, &p, &inner), row[i].err);
    }
}

static void gateway_parse_reads_network_and_address(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "1", ":00", "1:0", "1:0G", "x:00", "1:00 ", "12345:00"};
    struct gateway_prefix p;
    assert_int_equal(gateway_parse("254:0102aB", &p), ERR_OK);
    assert_int_equal(p.network, 254);
    assert_int_equal(p.address_len, 3);
    assert_memory_equal(p.address, "\x01\x02\xAB", 3);
    assert_int_equal(gateway_parse("0:", &p), ERR_OK);
    assert_int_equal(p.address_len, 0);
    assert_int_equal(gateway_parse("256:00", &p), ERR_RANGE);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(gateway_parse(bad[i], &p), ERR_FORMAT);
    char longest[2 + 2 * GATEWAY_ADDRESS_MAX + 3] = "1:";
    memset(longest + 2, '0', 2 * GATEWAY_ADDRESS_MAX + 2);
    assert_int_equal(gateway_parse(longest, &p), ERR_RANGE);
}

struct rig {
    struct wrapper_link inner;
    struct gateway_link gateway;
    uint8_t in[64], out[64];
};

static struct dlms_link *set_up(struct rig *r, bool datagrams)
{
    struct gateway_prefix p;
    assert_int_equal(gateway_parse("1:0A0B", &p), ERR_OK);
    if (datagrams)
        wrapper_link_init_datagrams(&r->inner, false, r->in, sizeof r->in);
    else
        wrapper_link_init_stream(&r->inner, false, r->in, sizeof r->in);
    assert_int_equal(gateway_link_init(&r->gateway, &r->inner.link, &p, r->out, 5), ERR_RANGE);
    assert_int_equal(gateway_link_init(&r->gateway, &r->inner.link, &p, r->out, sizeof r->out),
                     ERR_OK);
    assert_int_equal(r->gateway.link.ops->datagrams, datagrams);
    assert_int_equal(dlms_link_open(&r->gateway.link, 0), ERR_OK);
    assert_int_equal(dlms_link_state(&r->gateway.link), LINK_OPEN);
    return &r->gateway.link;
}

static void gateway_link_adds_the_prefix_when_it_sends(void **state)
{
    (void)state;
    struct rig r;
    struct dlms_link *l = set_up(&r, false);
    uint8_t apdu[64] = {0xC0, 0x01}, line[64], want[64];
    struct dlms_frame f = {.client = 16, .server = 1, .p = apdu, .len = 2};
    assert_int_equal(dlms_link_send(l, 0, &f), ERR_OK);
    assert_int_equal(dlms_link_send(l, 0, &f), ERR_BUSY);
    const size_t n = hex_octets("0001001000010007 E601020A0B C001", want, sizeof want);
    assert_int_equal(dlms_link_take(l, 0, line, sizeof line), n);
    assert_memory_equal(line, want, n);
    f.len = dlms_link_max_apdu(l) + 1;
    assert_int_equal(dlms_link_send(l, 0, &f), ERR_RANGE);
}

static void gateway_link_takes_the_answers_of_its_meter_only(void **state)
{
    (void)state;
    static const char stream[] = "0001000100100002 C401"               /* no prefix */
                                 "0001000100100007 E701020A0C C401"    /* another meter */
                                 "0001000100100007 E702020A0B C401"    /* another network */
                                 "0001000100100007 E601020A0B C401"    /* a request */
                                 "0001000100100008 E701020A0B C401C1"; /* ours */
    for (size_t piece = 1; piece < 80; piece++) {
        struct rig r;
        struct dlms_frame got;
        uint8_t octets[128];
        struct dlms_link *l = set_up(&r, false);
        const size_t n = hex_octets(stream, octets, sizeof octets);
        for (size_t at = 0; at < n; at += piece) {
            const size_t give = n - at < piece ? n - at : piece;
            assert_int_equal(dlms_link_feed(l, 0, octets + at, give), give);
        }
        assert_true(dlms_link_received(l, &got));
        assert_int_equal(got.len, 3);
        assert_memory_equal(got.p, "\xC4\x01\xC1", 3);
        assert_int_equal(r.gateway.n_dropped, 4);
        assert_int_equal(dlms_link_feed(l, 0, octets, n), 0); /* one waits */
        dlms_link_release(l);
        assert_false(dlms_link_received(l, &got));
    }
}

static void gateway_link_takes_datagrams_when_the_link_inside_does(void **state)
{
    (void)state;
    struct rig r;
    struct dlms_frame got;
    uint8_t octets[64];
    struct dlms_link *l = set_up(&r, true);
    size_t n = hex_octets("0001000100100002 C401", octets, sizeof octets);
    assert_int_equal(dlms_link_feed(l, 0, octets, n), n);
    assert_false(dlms_link_received(l, &got));
    n = hex_octets("0001000100100008 E701020A0B C401C1", octets, sizeof octets);
    assert_int_equal(dlms_link_feed(l, 0, octets, n), n);
    assert_true(dlms_link_received(l, &got));
    assert_int_equal(got.len, 3);
    assert_int_equal(dlms_link_close(l, 0), ERR_OK);
    dlms_link_reset(l);
    assert_int_equal(dlms_link_state(l), LINK_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gateway_prefix_is_the_same_after_decoding_and_encoding),
        cmocka_unit_test(gateway_decode_refuses_what_is_no_prefix),
        cmocka_unit_test(gateway_parse_reads_network_and_address),
        cmocka_unit_test(gateway_link_adds_the_prefix_when_it_sends),
        cmocka_unit_test(gateway_link_takes_the_answers_of_its_meter_only),
        cmocka_unit_test(gateway_link_takes_datagrams_when_the_link_inside_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
