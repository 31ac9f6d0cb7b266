/* The client over links of the caller: opened first and closed last, failing and lost; the example
 * device at the other end. */
#include "tests/lib/cosem/client_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/dlms/hdlc.h"

static struct pair p;
static struct hdlc hdlc_client, hdlc_server;
static struct wrapper_link wrapper;
static uint8_t client_buffer[COSEM_CLIENT_PDU_MAX + 64], server_buffer[COSEM_PDU_MAX + 64];

static int start(void **state)
{
    (void)state;
    pair_init(&p);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pair_end(&p);
    return 0;
}

static struct cosem_client_config with_hdlc(void)
{
    const struct hdlc_config client = {.client_sap = SAP_MANAGER,
                                       .server_sap = 1,
                                       .address_size = 1,
                                       .retries = 2,
                                       .response_ms = 500};
    const struct hdlc_config server = {.is_server = true, .inactivity_ms = 60000};
    struct cosem_client_config k = pair_manager(&p);
    assert_int_equal(hdlc_client_init(&hdlc_client, &client, client_buffer, sizeof client_buffer),
                     ERR_OK);
    assert_int_equal(hdlc_server_init(&hdlc_server, &server, server_buffer, sizeof server_buffer),
                     ERR_OK);
    line_init(&p.line, &hdlc_server.link, &p.x.session);
    k.link = &hdlc_client.link;
    return k;
}

static struct cosem_client_config with_datagrams(void)
{
    struct cosem_client_config k = pair_manager(&p);
    wrapper_link_init_datagrams(&wrapper, false, client_buffer, sizeof client_buffer);
    wrapper_link_init_datagrams(&p.link, true, p.link_buffer, sizeof p.link_buffer);
    line_init(&p.line, &p.link.link, &p.x.session);
    k.link = &wrapper.link;
    return k;
}

static void expect_name(void)
{
    const struct cosem_client_sink sink = pair_sink(&p);
    assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_name_attr, &sink), ERR_OK);
    pair_run(&p);
    assert_int_equal(p.c.state, CLIENT_READY);
    assert_int_equal(p.item[0].len, 18);
}

static void client_opens_the_link_and_closes_it_when_hdlc(void **state)
{
    (void)state;
    uint8_t out[64];
    const struct cosem_client_config k = with_hdlc();
    assert_int_equal(cosem_client_init(&p.c, &k), ERR_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cosem_client_connect(&p.c, p.now_ms), ERR_OK);
        assert_int_equal(p.c.state, CLIENT_OPENING);
        assert_true(cosem_client_waiting(&p.c));
        const size_t n = cosem_client_take(&p.c, out, sizeof out);
        assert_true(n > 8 && out[0] == 0x7E && out[5] == 0x93); /* SNRM with P */
        assert_int_equal(line_feed(&p.line, p.now_ms, out, n), n);
        pair_run(&p);
        assert_int_equal(p.c.state, CLIENT_READY);
        expect_name();
        assert_int_equal(cosem_client_release(&p.c, p.now_ms), ERR_OK);
        pair_run(&p);
        assert_int_equal(p.c.state, CLIENT_CLOSED);
        assert_int_equal(dlms_link_state(&hdlc_client.link), LINK_CLOSED);
        assert_int_equal(dlms_link_state(&hdlc_server.link), LINK_CLOSED);
        assert_int_equal(p.x.session.state, SESSION_IDLE);
    }
}

static void client_reads_a_long_value_when_hdlc_is_segmented(void **state)
{
    (void)state;
    const struct cosem_client_config k = with_hdlc();
    const struct cosem_client_sink sink = pair_sink(&p);
    pair_connect(&p, &k);
    p.x.rows = 50;
    assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_profile_attr, &sink), ERR_OK);
    pair_run(&p);
    assert_int_equal(p.c.state, CLIENT_READY);
    assert_int_equal(p.item[0].len, 2 + 50 * EXAMPLE_ROW_SIZE);
    assert_true(p.c.block > 1);
}

static void client_says_link_when_nobody_answers(void **state)
{
    (void)state;
    char text[200];
    const struct cosem_client_config k = with_hdlc();
    assert_int_equal(cosem_client_init(&p.c, &k), ERR_OK);
    assert_int_equal(cosem_client_connect(&p.c, 0), ERR_OK);
    p.loss = 100;
    pair_run(&p);
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_LINK);
    assert_int_equal(p.c.failure.during, CLIENT_OPENING);
    (void)cosem_client_explain(&p.c, text, sizeof text);
    assert_non_null(strstr(text, "connection: the link failed: "));
    assert_true(strlen(text) > strlen("connection: the link failed: "));
    p.loss = 0;
    assert_int_equal(cosem_client_connect(&p.c, p.now_ms), ERR_OK); /* a new line */
    pair_run(&p);
    expect_name();
}

static void client_closes_the_link_when_it_failed(void **state)
{
    (void)state;
    struct cosem_client_config k = with_hdlc();
    const struct cosem_client_sink sink = pair_sink(&p);
    pair_connect(&p, &k);
    p.item_limit = 3; /* the sink wants no more */
    assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_name_attr, &sink), ERR_OK);
    pair_run(&p);
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_SINK);
    for (int i = 0; i < 5; i++) {
        pair_settle(&p);
        p.now_ms += 100;
        (void)cosem_client_poll(&p.c, p.now_ms);
    }
    assert_int_equal(dlms_link_state(&hdlc_server.link), LINK_CLOSED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_SINK);
}

static void client_is_closed_or_fails_when_line_is_lost(void **state)
{
    (void)state;
    const struct cosem_client_config k = with_hdlc();
    const struct cosem_client_sink sink = pair_sink(&p);
    pair_connect(&p, &k);
    cosem_client_lost(&p.c);
    assert_int_equal(p.c.state, CLIENT_CLOSED);
    assert_int_equal(dlms_link_state(&hdlc_client.link), LINK_CLOSED);
    line_reset(&p.line);
    assert_int_equal(cosem_client_connect(&p.c, p.now_ms), ERR_OK);
    pair_run(&p);
    assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_name_attr, &sink), ERR_OK);
    cosem_client_lost(&p.c);
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_CLOSED);
}

static void client_is_closed_when_meter_disconnects(void **state)
{
    (void)state;
    const struct cosem_client_config k = with_hdlc();
    pair_connect(&p, &k);
    dlms_link_reset(&hdlc_server.link); /* the meter begins anew and knows no connection */
    for (int i = 0; i < 400 && p.c.state == CLIENT_READY; i++) {
        const struct cosem_client_sink sink = pair_sink(&p);
        const enum err err = cosem_client_get(&p.c, p.now_ms, &pair_name_attr, &sink);
        assert_int_equal(err, ERR_OK);
        pair_run(&p);
    }
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_true(p.c.failure.why == CLIENT_WHY_LINK || p.c.failure.why == CLIENT_WHY_CLOSED);
}

static enum err will_not_close(struct dlms_link *l, uint64_t now_ms)
{
    (void)l, (void)now_ms;
    return ERR_STATE;
}

static void client_holds_no_key_when_link_cannot_be_closed(void **state)
{
    (void)state;
    const struct cosem_client_config k = with_datagrams();
    struct dlms_link_ops ops = *wrapper.link.ops;
    ops.close = will_not_close;
    wrapper.link.ops = &ops;
    pair_connect(&p, &k);
    assert_true(p.c.gcm.ready);
    assert_int_equal(cosem_client_release(&p.c, p.now_ms), ERR_OK);
    pair_run(&p);
    assert_int_equal(p.c.state, CLIENT_CLOSED);
    assert_false(p.c.gcm.ready);
}

/* ---- what is left ---- */

static bool keeps_the_password(void)
{
    const size_t n = strlen(EXAMPLE_PASSWORD);
    for (size_t i = 0; i + n <= sizeof p.c.buf; i++) {
        if (memcmp(p.c.buf + i, EXAMPLE_PASSWORD, n) == 0)
            return true;
    }
    return false;
}

static void client_keeps_no_password_when_it_was_sent(void **state)
{
    (void)state;
    const struct cosem_client_config k = pair_reader(&p);
    pair_connect(&p, &k);
    assert_false(keeps_the_password());
}

static void client_keeps_no_password_when_nobody_answers(void **state)
{
    (void)state;
    uint8_t out[256];
    struct cosem_client_config k = with_datagrams();
    struct cosem_client_config reader = pair_reader(&p);
    reader.link = k.link;
    assert_int_equal(cosem_client_init(&p.c, &reader), ERR_OK);
    assert_int_equal(cosem_client_connect(&p.c, 0), ERR_OK);
    assert_true(keeps_the_password());
    assert_true(cosem_client_take(&p.c, out, sizeof out) > 0);
    (void)cosem_client_poll(&p.c, reader.timeout_ms);
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_false(keeps_the_password());
}

/* ---- pushes that nothing proves ---- */

static void push_encrypted(uint32_t counter)
{
    static const uint8_t plain[] = {DLMS_DATA_NOTIFICATION, 0, 0, 0, 9, 0, 0x11, 5};
    uint8_t frame[64];
    struct wr w = wr_of(frame, sizeof frame);
    const size_t body = DLMS_HEAD_LEN + sizeof plain, len = 2 + DLMS_TITLE_LEN + 1 + body;
    size_t n;
    wrapper_put_head(&w, 1, SAP_WRITER, (uint16_t)len);
    wr_u8(&w, DLMS_GENERAL_GLO);
    wr_length(&w, DLMS_TITLE_LEN);
    wr_bytes(&w, example_server_title, DLMS_TITLE_LEN);
    wr_length(&w, body);
    memcpy(frame + w.len + DLMS_HEAD_LEN, plain, sizeof plain);
    assert_int_equal(dlms_seal(example_guek, example_gak, example_server_title, DLMS_SC_ENC,
                               counter, frame + w.len, sizeof plain, sizeof frame - w.len, &n),
                     ERR_OK);
    assert_int_equal(n, body);
    assert_int_equal(cosem_client_feed(&p.c, p.now_ms, frame, w.len + n), w.len + n);
}

static void client_drops_push_when_its_unproven_counter_leaps(void **state)
{
    (void)state;
    struct cosem_client_config k = pair_manager(&p);
    k.client_sap = SAP_WRITER;
    k.security = DLMS_SC_ENC;
    p.x.server.policy = 2;
    pair_connect(&p, &k);
    const uint32_t floor = p.c.rx_floor;
    push_encrypted(floor + DLMS_REPLAY_LEAP);
    push_encrypted(UINT32_MAX - 1);
    assert_int_equal(p.n_notices, 0);
    assert_int_equal(p.c.rx_floor, floor);
    push_encrypted(floor + DLMS_REPLAY_LEAP - 1);
    assert_int_equal(p.n_notices, 1);
    assert_int_equal(p.c.rx_floor, floor + DLMS_REPLAY_LEAP);
}

/* ---- datagrams ---- */

static void client_moves_whole_datagrams(void **state)
{
    (void)state;
    uint8_t out[600];
    const struct cosem_client_config k = with_datagrams();
    const struct cosem_client_sink sink = pair_sink(&p);
    pair_connect(&p, &k);
    assert_int_equal(cosem_client_get(&p.c, 0, &pair_name_attr, &sink), ERR_OK);
    assert_int_equal(cosem_client_take(&p.c, out, 10), 0); /* it does not fit */
    const size_t n = cosem_client_take(&p.c, out, sizeof out);
    assert_int_equal(out[7] + WRAPPER_HEAD_LEN, n);
    assert_int_equal(line_feed(&p.line, 0, out, n), n);
    pair_run(&p);
    assert_int_equal(p.item[0].len, 18);
}

static void client_drops_datagrams_of_others_and_of_the_past(void **state)
{
    (void)state;
    static const uint8_t other[] = {0, 1, 0, 2, 0, 1, 0, 4, 0xC4, 1, 0xC1, 4};
    static const uint8_t garbage[] = {0x7E, 0xA0};
    static uint8_t past[300];
    const struct cosem_client_config k = with_datagrams();
    const struct cosem_client_sink sink = pair_sink(&p);
    pair_connect(&p, &k);
    assert_int_equal(cosem_client_get(&p.c, 0, &pair_name_attr, &sink), ERR_OK);
    size_t n = cosem_client_take(&p.c, past, sizeof past);
    assert_int_equal(line_feed(&p.line, 0, past, n), n);
    n = line_take(&p.line, 0, past, sizeof past);
    for (int i = 0; i < 3; i++) { /* the answer, and twice the same when idle */
        assert_int_equal(cosem_client_feed(&p.c, 0, other, sizeof other), sizeof other);
        assert_int_equal(cosem_client_feed(&p.c, 0, garbage, sizeof garbage), sizeof garbage);
        uint8_t copy[300];
        memcpy(copy, past, n);
        assert_int_equal(cosem_client_feed(&p.c, 0, copy, n), n);
        assert_int_equal(p.c.state, CLIENT_READY);
    }
    assert_int_equal(p.item[0].n_done, 1);
    assert_int_equal(cosem_client_get(&p.c, 0, &pair_name_attr, &sink), ERR_OK);
    assert_int_equal(cosem_client_feed(&p.c, 0, past, n), n);
    assert_int_equal(p.c.state, CLIENT_GETTING); /* still waits for its own */
    pair_run(&p);
    assert_int_equal(p.item[0].n_done, 2);
}

static void client_times_out_when_datagram_is_lost(void **state)
{
    (void)state;
    const struct cosem_client_config k = with_datagrams();
    const struct cosem_client_sink sink = pair_sink(&p);
    pair_connect(&p, &k);
    p.loss = 100;
    assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_name_attr, &sink), ERR_OK);
    pair_run(&p);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_TIMEOUT);
}

/* A stream of the caller does as the built-in one. */
static void client_reads_when_stream_is_the_caller_s(void **state)
{
    (void)state;
    struct cosem_client_config k = pair_manager(&p);
    wrapper_link_init_stream(&wrapper, false, client_buffer, sizeof client_buffer);
    k.link = &wrapper.link;
    pair_connect(&p, &k);
    expect_name();
    assert_int_equal(cosem_client_release(&p.c, p.now_ms), ERR_OK);
    pair_run(&p);
    assert_int_equal(p.c.state, CLIENT_CLOSED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(client_opens_the_link_and_closes_it_when_hdlc),
        TEST(client_reads_a_long_value_when_hdlc_is_segmented),
        TEST(client_says_link_when_nobody_answers),
        TEST(client_closes_the_link_when_it_failed),
        TEST(client_is_closed_or_fails_when_line_is_lost),
        TEST(client_is_closed_when_meter_disconnects),
        TEST(client_holds_no_key_when_link_cannot_be_closed),
        TEST(client_keeps_no_password_when_it_was_sent),
        TEST(client_keeps_no_password_when_nobody_answers),
        TEST(client_drops_push_when_its_unproven_counter_leaps),
        TEST(client_moves_whole_datagrams),
        TEST(client_drops_datagrams_of_others_and_of_the_past),
        TEST(client_times_out_when_datagram_is_lost),
        TEST(client_reads_when_stream_is_the_caller_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
