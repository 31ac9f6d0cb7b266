/* The client by general block transfer, with the example device: requests and answers through every
 * window, over datagrams that get lost or come twice, and scripted where a device would not. */
#include "tests/lib/cosem/client_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

/* Agrees on general block transfer, 128 octets. */
#define AARE_GBT                                                                                   \
    "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400201E1D00800007"

static struct pair p;
static uint8_t buffer[70000];

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

static struct cosem_client_config gbt_config(uint8_t window, size_t size)
{
    struct cosem_client_config k = pair_manager(&p);
    k.gbt_window = window;
    if (size > 0) {
        k.gbt_buffer = buffer;
        k.gbt_size = size;
    }
    k.max_pdu = 200;
    return k;
}

static void expect_ready(void)
{
    char text[200];
    (void)cosem_client_explain(&p.c, text, sizeof text);
    if (p.c.state != CLIENT_READY || p.c.failure.err)
        fail_msg("%s", text);
}

static void read_rows(uint32_t rows)
{
    const struct cosem_client_sink sink = pair_sink(&p);
    p.x.rows = rows;
    assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_profile_attr, &sink), ERR_OK);
    pair_run(&p);
    expect_ready();
    assert_int_equal(p.item[0].result, COSEM_SUCCESS);
    assert_int_equal(p.item[0].len, (rows < 128   ? 2
                                     : rows < 256 ? 3
                                                  : 4) +
                                        rows * EXAMPLE_ROW_SIZE);
}

static void write_note(size_t n, uint8_t first)
{
    uint8_t value[500];
    const struct cosem_client_sink sink = pair_sink(&p);
    const struct bytes v = pair_note(value, sizeof value, n, first);
    assert_int_equal(cosem_client_set(&p.c, p.now_ms, &pair_note_attr, v, &sink), ERR_OK);
    pair_run(&p);
    expect_ready();
    assert_int_equal(p.item[0].result, COSEM_SUCCESS);
    assert_int_equal(p.x.note_len, n);
    assert_memory_equal(p.x.note, v.p + (v.len - n), n);
}

static void client_reads_and_writes_through_every_window(void **state)
{
    (void)state;
    for (uint8_t window = 1; window <= GBT_WINDOW_MAX; window++) {
        const bool own_memory = window % 2 == 0;
        const struct cosem_client_config k = gbt_config(window, own_memory ? 0 : sizeof buffer);
        pair_connect(&p, &k);
        assert_true((p.c.conformance & DLMS_CONF_GENERAL_BLOCK) != 0);
        read_rows(own_memory ? 12 : 60);
        p.c.server_max_pdu = 90;
        write_note(390, window);
        assert_int_equal(cosem_client_release(&p.c, 0), ERR_OK);
        pair_run(&p);
    }
}

static void client_streams_when_window_is_large(void **state)
{
    (void)state;
    struct cosem_client_config k = gbt_config(1, sizeof buffer);
    pair_connect(&p, &k);
    read_rows(60);
    const unsigned one = p.n_up;
    assert_int_equal(cosem_client_release(&p.c, 0), ERR_OK);
    pair_run(&p);
    k.gbt_window = 10;
    p.n_up = 0;
    pair_connect(&p, &k);
    read_rows(60);
    assert_true(p.n_up < one / 4);
}

/* Over datagrams: whatever is lost in an exchange comes again. The first word of each side is not
 * repeated (a plain request, its first block): those losses are the timeout's. */
static void recover(uint64_t seed, unsigned loss, unsigned doubling)
{
    static struct wrapper_link client;
    static uint8_t client_buffer[COSEM_CLIENT_PDU_MAX];
    struct cosem_client_config k = gbt_config((uint8_t)(1 + seed % 20), sizeof buffer);
    wrapper_link_init_datagrams(&client, false, client_buffer, sizeof client_buffer);
    wrapper_link_init_datagrams(&p.link, true, p.link_buffer, sizeof p.link_buffer);
    line_init(&p.line, &p.link.link, &p.x.session);
    k.link = &client.link;
    k.timeout_ms = 3000;
    p.loss = p.doubling = 0;
    pair_connect(&p, &k);
    p.random = (uint32_t)seed;
    p.c.server_max_pdu = 90;
    p.loss = loss;
    p.doubling = doubling;
    write_note(350, (uint8_t)seed);
    p.loss = p.doubling = 0;
    assert_int_equal(cosem_client_release(&p.c, p.now_ms), ERR_OK);
    pair_run(&p);
}

static void client_recovers_lost_blocks_of_a_request(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 60; seed++)
        recover(seed, 8, 0);
}

static void client_is_not_confused_by_doubled_blocks(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 60; seed++)
        recover(seed, 0, 30);
}

/* Every single datagram of the answer behind its first block is lost once. */
static void client_recovers_any_lost_block_of_an_answer(void **state)
{
    (void)state;
    static struct wrapper_link client;
    static uint8_t client_buffer[COSEM_CLIENT_PDU_MAX], octets[4096];
    struct cosem_client_config k = gbt_config(4, sizeof buffer);
    wrapper_link_init_datagrams(&client, false, client_buffer, sizeof client_buffer);
    wrapper_link_init_datagrams(&p.link, true, p.link_buffer, sizeof p.link_buffer);
    line_init(&p.line, &p.link.link, &p.x.session);
    k.link = &client.link;
    pair_connect(&p, &k);
    p.x.rows = 20;
    for (unsigned lost = 1; lost < 14; lost++) {
        const struct cosem_client_sink sink = pair_sink(&p);
        unsigned n = 0;
        assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_profile_attr, &sink), ERR_OK);
        while (n <= lost && cosem_client_waiting(&p.c)) {
            size_t len = cosem_client_take(&p.c, octets, sizeof octets);
            if (len > 0)
                (void)line_feed(&p.line, p.now_ms, octets, len);
            len = line_take(&p.line, p.now_ms, octets, sizeof octets);
            if (len > 0 && n++ != lost)
                (void)cosem_client_feed(&p.c, p.now_ms, octets, len);
        }
        pair_run(&p);
        expect_ready();
        assert_int_equal(p.item[0].len, 2 + 20 * EXAMPLE_ROW_SIZE);
        assert_int_equal(p.item[0].n_done, 1);
    }
}

static void client_fails_when_answer_is_longer_than_its_buffer(void **state)
{
    (void)state;
    const struct cosem_client_sink sink = pair_sink(&p);
    const struct cosem_client_config k = gbt_config(5, 1000);
    pair_connect(&p, &k);
    p.x.rows = 30;
    assert_int_equal(cosem_client_get(&p.c, 0, &pair_profile_attr, &sink), ERR_OK);
    pair_run(&p);
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_LONG);
    assert_int_equal(p.item[0].n_done, 0);
}

static void client_uses_service_blocks_when_request_exceeds_the_buffer(void **state)
{
    (void)state;
    const struct cosem_client_config k = gbt_config(5, 300);
    pair_connect(&p, &k);
    p.c.server_max_pdu = 90;
    write_note(390, 1);
    assert_false(p.c.gbt.active);
}

/* ---- scripted ---- */

static struct bytes sent(void)
{
    static uint8_t out[4096];
    const size_t n = cosem_client_take(&p.c, out, sizeof out);
    assert_true(n > WRAPPER_HEAD_LEN);
    return (struct bytes){out + WRAPPER_HEAD_LEN, n - WRAPPER_HEAD_LEN};
}

static void expect_sent(const char *hex)
{
    uint8_t wanted[256];
    const size_t n = hex_octets(hex, wanted, sizeof wanted);
    const struct bytes b = sent();
    assert_int_equal(b.len, n);
    assert_memory_equal(b.p, wanted, n);
}

static void answer(const char *hex)
{
    uint8_t apdu[512], frame[600];
    const size_t n = hex_octets(hex, apdu, sizeof apdu);
    struct wr w = wr_of(frame, sizeof frame);
    wrapper_put_head(&w, 1, SAP_PUBLIC, (uint16_t)n);
    wr_bytes(&w, apdu, n);
    (void)cosem_client_feed(&p.c, p.now_ms, frame, w.len);
}

static void begin_get(void)
{
    struct cosem_client_config k = pair_reader(&p);
    const struct cosem_client_sink sink = pair_sink(&p);
    k.client_sap = SAP_PUBLIC;
    k.mechanism = DLMS_MECHANISM_NONE;
    k.gbt_window = 3;
    assert_int_equal(cosem_client_init(&p.c, &k), ERR_OK);
    assert_int_equal(cosem_client_connect(&p.c, p.now_ms), ERR_OK);
    (void)sent();
    answer(AARE_GBT);
    assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_name_attr, &sink), ERR_OK);
    expect_sent("E0 83 0001 0000 0D C001C1 0001 00002A0000FF 02 00");
}

static void client_answers_the_word_of_the_standard(void **state)
{
    (void)state;
    begin_get();
    answer("E0 01 0001 0000 04 C401C100");
    expect_sent("E0 83 0002 0001 00");
    answer("E0 40 0002 0001 02 0904");
    assert_int_equal(p.c.state, CLIENT_GETTING);
    answer("E0 00 0003 0001 02 AABB");
    expect_sent("E0 83 0003 0003 00");
    answer("E0 80 0004 0002 02 CCDD");
    expect_ready();
    assert_memory_equal(p.item[0].octets, "\x09\x04\xAA\xBB\xCC\xDD", 6);
}

static void client_repeats_its_word_and_then_gives_up(void **state)
{
    (void)state;
    begin_get();
    answer("E0 01 0001 0000 04 C401C100");
    (void)sent();
    p.now_ms = 1000;
    assert_int_equal(cosem_client_poll(&p.c, 1000), 2000);
    expect_sent("E0 83 0002 0001 00");
    assert_int_equal(cosem_client_poll(&p.c, 2000), 3000);
    expect_sent("E0 83 0002 0001 00");
    assert_int_equal(cosem_client_poll(&p.c, 3000), UINT64_MAX);
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_TIMEOUT);
    p.now_ms = 0;
}

static void client_gives_up_when_words_bring_nothing(void **state)
{
    (void)state;
    begin_get();
    for (p.now_ms = 0; p.now_ms < 50000 && p.c.state == CLIENT_GETTING; p.now_ms += 100) {
        uint8_t out[256];
        answer("E0 01 0000 0000 00");
        (void)cosem_client_poll(&p.c, p.now_ms);
        (void)cosem_client_take(&p.c, out, sizeof out);
    }
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_TIMEOUT);
    p.now_ms = 0;
}

static void client_refuses_blocks_within_blocks(void **state)
{
    (void)state;
    begin_get();
    answer("E0 80 0001 0000 0D E0 80 0001 0000 06 C401C1001105");
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_UNEXPECTED);
}

static void client_refuses_an_acknowledgement_of_what_it_never_sent(void **state)
{
    (void)state;
    uint8_t value[500];
    begin_get();
    answer("C401C1001105");
    const struct cosem_client_sink sink = pair_sink(&p);
    const struct bytes v = pair_note(value, sizeof value, 300, 1);
    assert_int_equal(cosem_client_set(&p.c, 0, &pair_note_attr, v, &sink), ERR_OK);
    const struct bytes b = sent();
    assert_int_equal(b.len, 7 + 119); /* the longest head leaves 119 of 128 */
    assert_memory_equal(b.p, "\xE0\x03\x00\x01\x00\x00\x77\xC1\x01", 9);
    answer("E0 01 0001 0002 00");
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.why, CLIENT_WHY_BLOCK);
}

static void client_joins_a_push_by_blocks_when_idle(void **state)
{
    (void)state;
    begin_get();
    answer("C401C1001105");
    for (int i = 0; i < 2; i++) {
        answer("E0 40 0001 0000 06 0F0000000900");
        answer("E0 C0 0002 0000 02 1105");
        assert_int_equal(p.n_notices, i + 1);
        answer("E0 40 0001 0000 03 0F0000"); /* its second block is lost for ever */
    }
    assert_int_equal(p.c.state, CLIENT_READY);
}

/* The link of the client, but for one call. */
static struct dlms_link_ops changed;

static void change_link(void)
{
    changed = *p.c.link->ops;
    p.c.link->ops = &changed;
}

static uint64_t poll_while_sending(struct dlms_link *l, uint64_t now_ms)
{
    return dlms_link_sending(l) ? now_ms + 7 : UINT64_MAX;
}

static void client_polls_the_link_for_what_it_has_just_sent(void **state)
{
    (void)state;
    begin_get();
    change_link();
    changed.poll = poll_while_sending;
    assert_int_equal(cosem_client_poll(&p.c, 500), 1000);
    assert_int_equal(cosem_client_poll(&p.c, 1000), 1007);
}

static enum err send_fails(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f)
{
    (void)l, (void)now_ms, (void)f;
    return ERR_IO;
}

static void client_holds_nothing_when_a_block_cannot_be_sent(void **state)
{
    static const uint8_t zeros[sizeof p.c.buf];
    (void)state;
    begin_get();
    change_link();
    changed.send = send_fails;
    answer("E0 01 0001 0000 04 C401C100");
    assert_int_equal(p.c.state, CLIENT_FAILED);
    assert_int_equal(p.c.failure.err, ERR_IO);
    assert_memory_equal(p.c.buf, zeros, sizeof zeros);
}

static void client_stays_ready_when_the_first_block_cannot_be_sent(void **state)
{
    (void)state;
    const struct cosem_client_sink sink = pair_sink(&p);
    begin_get();
    answer("C401C1001105");
    change_link();
    changed.send = send_fails;
    assert_int_equal(cosem_client_get(&p.c, p.now_ms, &pair_name_attr, &sink), ERR_IO);
    assert_int_equal(p.c.state, CLIENT_READY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(client_reads_and_writes_through_every_window),
        TEST(client_streams_when_window_is_large),
        TEST(client_recovers_lost_blocks_of_a_request),
        TEST(client_is_not_confused_by_doubled_blocks),
        TEST(client_recovers_any_lost_block_of_an_answer),
        TEST(client_fails_when_answer_is_longer_than_its_buffer),
        TEST(client_uses_service_blocks_when_request_exceeds_the_buffer),
        TEST(client_answers_the_word_of_the_standard),
        TEST(client_repeats_its_word_and_then_gives_up),
        TEST(client_gives_up_when_words_bring_nothing),
        TEST(client_refuses_blocks_within_blocks),
        TEST(client_refuses_an_acknowledgement_of_what_it_never_sent),
        TEST(client_joins_a_push_by_blocks_when_idle),
        TEST(client_polls_the_link_for_what_it_has_just_sent),
        TEST(client_holds_nothing_when_a_block_cannot_be_sent),
        TEST(client_stays_ready_when_the_first_block_cannot_be_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
