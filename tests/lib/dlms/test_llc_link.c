/* The LLC of IEC 61334-4-32 as a link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/dlms/llc_link.h"
#include "tests/lib/hex.h"

static void llc_link_carries_an_apdu_both_ways(void **state)
{
    (void)state;
    struct llc_link client, server;
    uint8_t client_buf[32], server_buf[32], line[32], apdu[] = {0xC0, 1, 0xC1};
    const struct dlms_frame f = {.client = 16, .server = 1, .p = apdu, .len = sizeof apdu};
    struct dlms_frame got;
    llc_link_init(&client, &(struct llc_config){.own_sap = 16}, client_buf, sizeof client_buf);
    llc_link_init(&server, &(struct llc_config){.is_server = true}, server_buf, sizeof server_buf);
    assert_true(client.link.ops->datagrams);
    assert_int_equal(dlms_link_send(&client.link, 0, &f), ERR_STATE);
    assert_int_equal(dlms_link_open(&client.link, 0), ERR_OK);
    assert_int_equal(dlms_link_send(&client.link, 0, &f), ERR_OK);
    assert_int_equal(dlms_link_send(&client.link, 0, &f), ERR_BUSY);
    assert_int_equal(dlms_link_take(&client.link, 0, line, 5), 0);
    assert_int_equal(dlms_link_take(&client.link, 0, line, sizeof line), 6);
    assert_memory_equal(line, "\x90\x01\x10\xC0\x01\xC1", 6);
    assert_false(dlms_link_sending(&client.link));
    assert_int_equal(dlms_link_feed(&server.link, 0, line, 6), 6);
    assert_int_equal(dlms_link_feed(&server.link, 0, line, 6), 0);
    assert_true(dlms_link_received(&server.link, &got));
    assert_int_equal(got.client, 16);
    assert_int_equal(got.server, 1);
    assert_int_equal(got.len, 3);
    assert_memory_equal(got.p, apdu, 3);
    dlms_link_release(&server.link);
    assert_int_equal(dlms_link_send(&server.link, 0, &f), ERR_OK);
    assert_int_equal(dlms_link_take(&server.link, 0, line, sizeof line), 6);
    assert_memory_equal(line, "\x90\x10\x01", 3);
    assert_int_equal(dlms_link_feed(&client.link, 0, line, 6), 6);
    assert_true(dlms_link_received(&client.link, &got));
    assert_int_equal(got.client, 16);
    assert_int_equal(got.server, 1);
}

static void llc_link_drops_what_is_no_frame_for_it(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "90",
                                      "9010",
                                      "901001" /* no APDU */,
                                      "91100100",
                                      "90110100" /* another SAP */,
                                      "901001 0000000000" /* long */};
    struct llc_link client;
    uint8_t buf[4], line[16];
    struct dlms_frame got;
    llc_link_init(&client, &(struct llc_config){.own_sap = 16}, buf, sizeof buf);
    assert_int_equal(dlms_link_open(&client.link, 0), ERR_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const size_t n = hex_octets(bad[i], line, sizeof line);
        assert_int_equal(dlms_link_feed(&client.link, 0, line, n), n);
        assert_false(dlms_link_received(&client.link, &got));
        assert_int_equal(client.n_dropped, i + 1);
    }
    assert_int_equal(dlms_link_feed(&client.link, 0, line, hex_octets("90FF01 0F", line, 16)), 4);
    assert_true(dlms_link_received(&client.link, &got)); /* to all */
    dlms_link_reset(&client.link);
    assert_false(dlms_link_received(&client.link, &got));
    assert_int_equal(dlms_link_state(&client.link), LINK_CLOSED);
}

static void llc_link_refuses_what_the_layer_below_cannot_carry(void **state)
{
    (void)state;
    struct llc_link server;
    uint8_t buf[4], apdu[LLC_FRAME_MAX] = {0};
    struct dlms_frame f = {.client = 16, .server = 1, .p = apdu, .len = LLC_FRAME_MAX - 2};
    llc_link_init(&server, &(struct llc_config){.is_server = true}, buf, sizeof buf);
    assert_int_equal(dlms_link_max_apdu(&server.link), LLC_FRAME_MAX - 3);
    assert_int_equal(dlms_link_send(&server.link, 0, &f), ERR_RANGE);
    f.len = 1;
    f.client = 256;
    assert_int_equal(dlms_link_send(&server.link, 0, &f), ERR_RANGE);
    llc_link_init(&server, &(struct llc_config){.is_server = true, .max_frame = 134}, buf,
                  sizeof buf);
    assert_int_equal(dlms_link_max_apdu(&server.link), 131);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(llc_link_carries_an_apdu_both_ways),
        cmocka_unit_test(llc_link_drops_what_is_no_frame_for_it),
        cmocka_unit_test(llc_link_refuses_what_the_layer_below_cannot_carry)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
