/* General block transfer at the server: requests and answers longer than an APDU, windows, lost
 * blocks, ciphering over blocks, bounds and abuse. The client's side here is lib/dlms/gbt.h over
 * the session's APDUs without a link; a test may lose any block either way. */
#include "tests/lib/cosem/example.h"

#include "lib/cosem/profile_select.h"
#include "lib/dlms/axdr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

static struct example x;
static struct peer p;
static struct acse_aare aare;

static int start(void **state)
{
    (void)state;
    example_init(&x);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    session_close(&x.session);
    return 0;
}

static void connect_with(uint16_t sap, uint16_t max_pdu, uint32_t conformance)
{
    peer_init(&p, &x, sap);
    p.max_pdu = max_pdu;
    p.conformance = conformance;
    p.counter = x.server.rx_floor[2] + x.server.rx_floor[3] + 1;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
}

/* ---- the client's side ---- */

static struct client {
    struct gbt_sender tx;
    struct gbt_receiver rx;
    const uint8_t *request;
    size_t request_len, at;
    uint8_t window;
    uint8_t store[4096];
    uint8_t in[300000];
    size_t in_len;
    uint8_t plain[COSEM_PDU_MAX]; /* an answer that is no block */
    size_t plain_len;
    unsigned n_down, n_up;       /* blocks so far, each way */
    unsigned lose_down, lose_up; /* per cent of the blocks */
    uint32_t random;
    unsigned longest_row, row; /* blocks of the server without a word between */
} c;

static enum err fill(void *context, uint8_t *to, size_t size, size_t *n, bool *end)
{
    (void)context;
    *n = c.request_len - c.at < size ? c.request_len - c.at : size;
    memcpy(to, c.request + c.at, *n);
    c.at += *n;
    *end = c.at == c.request_len;
    return ERR_OK;
}

static bool lost(unsigned percent)
{
    c.random = c.random * 1664525u + 1013904223u;
    return (c.random >> 16) % 100 < percent;
}

static void send_up(const struct gbt_block *b)
{
    uint8_t apdu[COSEM_PDU_MAX];
    struct wr w = wr_of(apdu, sizeof apdu);
    gbt_put(&w, b);
    c.n_up++;
    c.row = 0;
    if (lost(c.lose_up))
        return;
    session_apdu(&x.session, p.sap, 1, apdu, w.len);
}

static void take_down(struct bytes apdu)
{
    struct gbt_block b;
    struct bytes data;
    struct rd r = rd_of(apdu.p, apdu.len);
    assert_true(apdu.len <= p.max_pdu);
    if (apdu.p[0] != DLMS_GENERAL_BLOCK) {
        memcpy(c.plain, apdu.p, apdu.len);
        c.plain_len = apdu.len;
        return;
    }
    c.n_down++;
    c.row++;
    if (c.row > c.longest_row)
        c.longest_row = c.row;
    if (lost(c.lose_down))
        return;
    gbt_get(&r, &b);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(gbt_receiver_block(&c.rx, &b, &data), ERR_OK);
    assert_true(c.in_len + data.len <= sizeof c.in);
    if (data.len > 0)
        memcpy(c.in + c.in_len, data.p, data.len);
    c.in_len += data.len;
    if (!c.rx.begun)
        assert_int_equal(gbt_sender_ack(&c.tx, b.ack, b.window), ERR_OK);
}

/* What waits at the server. */
static bool drain(void)
{
    bool some = false;
    for (struct bytes a; (a = session_answer(&x.session)).len > 0; some = true) {
        uint8_t apdu[COSEM_PDU_MAX + 64];
        memcpy(apdu, a.p, a.len);
        session_answered(&x.session);
        take_down((struct bytes){apdu, a.len});
    }
    return some;
}

static void begin(const uint8_t *request, size_t len, uint16_t block, uint8_t window)
{
    unsigned down = c.lose_down, up = c.lose_up;
    memset(&c, 0, sizeof c);
    c.lose_down = down;
    c.lose_up = up;
    c.request = request;
    c.request_len = len;
    c.window = window;
    c.tx.fill = fill;
    c.tx.store = c.store;
    c.tx.store_size = sizeof c.store;
    c.tx.block_size = block;
    assert_int_equal(gbt_sender_init(&c.tx, 1), ERR_OK);
    gbt_receiver_init(&c.rx);
}

static bool answer_began(void)
{
    return c.rx.begun || gbt_sender_done(&c.tx);
}

/* Asks until the answer is whole or is no block; gives rounds that had to wait for a timer. */
static unsigned run(void)
{
    unsigned n_timeouts = 0;
    struct gbt_block b;
    while (!c.rx.done && c.plain_len == 0 && n_timeouts < 5000) {
        bool sent = false;
        while (!answer_began() && gbt_sender_next(&c.tx, c.rx.acked, c.window, &b)) {
            send_up(&b);
            sent = true;
        }
        if (answer_began() && c.rx.answer) {
            gbt_sender_answer(&c.tx, c.rx.acked, c.window, &b);
            send_up(&b);
            sent = true;
        }
        c.rx.answer = false;
        if (drain() || sent)
            continue;
        n_timeouts++;
        if (answer_began())
            c.rx.answer = true;
        else
            gbt_sender_again(&c.tx);
    }
    return n_timeouts;
}

/* The answer to a request that comes by GBT, opened; blocks of `block` octets, windows both ways.
 */
static struct bytes exchange(const void *apdu, size_t len, uint16_t block, uint8_t window)
{
    static uint8_t request[4096];
    memcpy(request, apdu, len);
    if (p.sc)
        len = peer_protect(&p, apdu, len, request, sizeof request);
    begin(request, len, block, window);
    run();
    if (c.plain_len > 0)
        return peer_open(&p, c.plain, c.plain_len);
    assert_true(c.rx.done);
    return p.sc ? peer_open(&p, c.in, c.in_len) : (struct bytes){c.in, c.in_len};
}

static struct bytes ask(const char *hex, uint16_t block, uint8_t window)
{
    uint8_t q[2048];
    return exchange(q, hex_octets(hex, q, sizeof q), block, window);
}

static void expect(struct bytes b, const char *hex)
{
    uint8_t a[512];
    size_t n = hex_octets(hex, a, sizeof a);
    assert_int_equal(b.len, n);
    assert_memory_equal(b.p, a, n);
}

/* ---- */

#define GET_ENERGY  "C001C1 0003 0100010800FF 02 00"
#define GET_PROFILE "C001C1 0007 0100630100FF 02 00"
#define ALL         0xFFFFFFu

static void gbt_serves_a_request_in_one_block_with_one_block(void **state)
{
    (void)state;
    connect_with(SAP_READER, 512, ALL);
    expect(ask(GET_ENERGY, 100, 1), "C401C10006000003E8");
    assert_int_equal(c.n_down, 1);
    expect(ask(GET_ENERGY, 100, 1), "C401C10006000003E8"); /* and again */
}

static void gbt_puts_a_request_together(void **state)
{
    (void)state;
    connect_with(SAP_READER, 512, ALL);
    for (uint16_t block = 1; block < 14; block++)
        expect(ask(GET_ENERGY, block, 3), "C401C10006000003E8");
}

static void gbt_sets_a_value_longer_than_an_apdu(void **state)
{
    uint8_t q[512];
    (void)state;
    connect_with(SAP_WRITER, 128, ALL);
    size_t n = hex_octets("C101C1 0001 0000600101FF 02 00 0982012C", q, sizeof q);
    for (unsigned i = 0; i < 300; i++)
        q[n++] = (uint8_t)i;
    expect(exchange(q, n, 100, 2), "C501C100");
    assert_int_equal(x.note_len, 300);
    assert_int_equal(x.note[299], 299 & 0xFF);
}

/* The profile's value as octets, by the service's own blocks. */
static uint8_t whole[300000];
static size_t whole_len;

static void read_whole(void)
{
    unsigned n_blocks;
    assert_int_equal(
        peer_get(&p, 7, example_profile, 2, NULL, whole, sizeof whole, &whole_len, &n_blocks), 0);
    assert_true(whole_len < sizeof whole);
}

static void expect_profile(struct bytes b)
{
    assert_int_equal(b.len, 4 + whole_len);
    assert_memory_equal(b.p, "\xC4\x01\xC1\x00", 4);
    assert_memory_equal(b.p + 4, whole, whole_len);
}

static void gbt_streams_a_profile_in_windows(void **state)
{
    (void)state;
    x.rows = 300;
    connect_with(SAP_READER, 256, ALL);
    read_whole();
    expect_profile(ask(GET_PROFILE, 100, 1));
    assert_int_equal(c.longest_row, 1);
    expect_profile(ask(GET_PROFILE, 100, 5));
    assert_int_equal(c.longest_row, 5);
    expect_profile(ask(GET_PROFILE, 100, 63));
    assert_int_equal(c.longest_row, COSEM_GBT_STORE / (256 - GBT_HEAD_MAX)); /* what is kept */
}

/* "Never wait" is for pushes; what is asked for can be asked for again. */
static void gbt_window_of_none_is_one(void **state)
{
    (void)state;
    x.rows = 100;
    connect_with(SAP_READER, 256, ALL);
    read_whole();
    c.lose_down = 20;
    expect_profile(ask(GET_PROFILE, 100, 0));
    assert_int_equal(c.longest_row, 1);
    c.lose_down = 0;
}

static void gbt_answers_an_ordinary_get_where_no_other_blocks_are_agreed(void **state)
{
    (void)state;
    x.rows = 50;
    connect_with(SAP_READER, 256, ALL);
    read_whole();
    connect_with(SAP_READER, 256, ALL & ~DLMS_CONF_BLOCK_GET);
    uint8_t q[64];
    size_t n = hex_octets(GET_PROFILE, q, sizeof q);
    begin(q, n, 100, 4);
    c.at = n;
    session_apdu(&x.session, p.sap, 1, q, n);
    drain();
    assert_true(c.rx.begun);
    run();
    assert_true(c.rx.done);
    expect_profile((struct bytes){c.in, c.in_len});
}

static void gbt_survives_lost_blocks(void **state)
{
    (void)state;
    x.rows = 100;
    connect_with(SAP_READER, 128, ALL);
    read_whole();
    for (unsigned lose = 5; lose <= 40; lose += 5) {
        c.lose_down = lose;
        c.lose_up = 0;
        expect_profile(ask(GET_PROFILE, 5, 6));
        c.lose_down = 0;
        c.lose_up = lose;
        expect_profile(ask(GET_PROFILE, 5, 6));
        c.lose_down = lose + 1;
        expect_profile(ask(GET_PROFILE, 5, 3));
    }
    c.lose_down = c.lose_up = 0;
}

static void gbt_ciphers_over_all_blocks(void **state)
{
    static const struct {
        uint8_t policy, sc;
        bool general;
    } cases[] = {
        {0, DLMS_SC_AUTH | DLMS_SC_ENC, false},
        {0, DLMS_SC_AUTH | DLMS_SC_ENC, true},
        {1, DLMS_SC_AUTH, false},
        {1, DLMS_SC_AUTH, true},
        {2, DLMS_SC_ENC, false},
    };
    (void)state;
    x.rows = 60;
    connect_with(SAP_READER, 128, ALL);
    read_whole();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        x.server.policy = cases[i].policy;
        peer_init(&p, &x, SAP_WRITER);
        p.sc = cases[i].sc;
        p.max_pdu = 128;
        p.counter = x.server.rx_floor[3] + 1;
        assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
        p.general = cases[i].general;
        expect_profile(ask(GET_PROFILE, 20, 7));
        assert_true(c.n_down > 40);
        expect(ask(GET_ENERGY, 20, 7), "C401C10006000003E8");
    }
}

static void gbt_survives_lost_blocks_of_a_ciphered_answer(void **state)
{
    (void)state;
    x.rows = 60;
    connect_with(SAP_READER, 128, ALL);
    read_whole();
    connect_with(SAP_MANAGER, 128, ALL);
    for (unsigned lose = 5; lose <= 40; lose += 5) {
        c.lose_down = lose;
        expect_profile(ask(GET_PROFILE, 20, 5));
    }
    c.lose_down = 0;
}

static void gbt_gives_each_list_and_long_action(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 128, ALL);
    struct bytes b = ask("C301C1 0009 00000A0000FF 01 01 12012C", 100, 3);
    assert_int_equal(b.len, 3 + 7 + 300);
    assert_memory_equal(b.p, "\xC7\x01\xC1\x00\x01\x00\x09\x82\x01\x2C\x00\x01", 12);
    b = ask("C003C102 0007 0100630100FF 02 01 02 0204 0600000001 0600000003 120001 120000"
            "0003 0100010800FF 02 00",
            100, 3);
    assert_memory_equal(b.p, "\xC4\x03\xC1\x02\x00\x01\x03\x02\x12", 9);
    assert_memory_equal(b.p + b.len - 6, "\x00\x06\x00\x00\x03\xE8", 6);
    expect(ask("C001C1 0001 0000010000FF 03 00", 100, 3), "C401C10109");
}

static void gbt_aborts_where_the_length_changes_between_the_passes(void **state)
{
    uint8_t q[64];
    (void)state;
    x.rows = 60;
    connect_with(SAP_MANAGER, 128, ALL);
    size_t n = hex_octets(GET_PROFILE, q, sizeof q);
    uint8_t request[128];
    n = peer_protect(&p, q, n, request, sizeof request);
    begin(request, n, 100, 1);
    struct gbt_block b;
    assert_true(gbt_sender_next(&c.tx, 0, 1, &b));
    send_up(&b);
    drain();
    x.session.transfer.gen.word[1] = 3; /* the profile was cleared meanwhile */
    run();
    assert_int_equal(c.plain_len, 3);
    assert_memory_equal(c.plain, "\xD8\x01\x01", 3);
    assert_false(x.session.gbt.active);
    expect(ask(GET_ENERGY, 20, 7), "C401C10006000003E8");
}

static void gbt_tells_nothing_that_is_not_durable(void **state)
{
    (void)state;
    x.rows = 60;
    connect_with(SAP_READER, 128, ALL);
    x.tell = ERR_IO;
    expect(ask(GET_PROFILE, 20, 7), "D80101");
}

static void expect_raw(const char *request, const char *answer)
{
    uint8_t q[512], a[64];
    size_t n = hex_octets(request, q, sizeof q), m = hex_octets(answer, a, sizeof a);
    struct bytes b = peer_raw(&p, q, n);
    assert_int_equal(b.len, m);
    if (m > 0)
        assert_memory_equal(b.p, a, m);
}

static void gbt_refuses_what_was_not_agreed_or_makes_no_sense(void **state)
{
    (void)state;
    connect_with(SAP_READER, 128, ALL & ~DLMS_CONF_GENERAL_BLOCK);
    expect_raw("E081 0001 0000 0D" GET_ENERGY, "D80102");
    connect_with(SAP_READER, 128, ALL);
    expect_raw("E0", "D80103");
    expect_raw("E081 0001 0000 0E" GET_ENERGY, "D80103");
    expect_raw("E081 0002 0000 0D" GET_ENERGY, "D80103"); /* none under way */
    expect_raw("E081 0001 0005 0D" GET_ENERGY, "D80103"); /* acknowledges what was never sent */
    expect_raw("E081 0001 0000 00", "D80103");
    expect_raw("E081 0001 0000 03 E00102", "E0BF 0001 0001 03 D80102"); /* a block in blocks */
    expect_raw("E081 0001 0000 03 602800", "E0BF 0001 0001 03 D80202");
    expect_raw("E081 0001 0000 01 C0", "E0BF 0001 0001 03 D80103");
    expect_raw("E081 0001 0000 0D" GET_ENERGY, "E0BF 0001 0001 09 C401C10006000003E8");
}

static void gbt_bounds_a_request_by_its_store(void **state)
{
    static uint8_t q[COSEM_GBT_STORE + 1];
    (void)state;
    connect_with(SAP_READER, 1024, ALL);
    q[0] = 0xC0;
    expect(exchange(q, sizeof q, 500, 1), "D80104");
    expect(ask(GET_ENERGY, 20, 7), "C401C10006000003E8");
}

static void gbt_answer_ends_with_any_other_request(void **state)
{
    uint8_t q[64];
    (void)state;
    x.rows = 60;
    connect_with(SAP_READER, 128, ALL);
    size_t n = hex_octets(GET_PROFILE, q, sizeof q);
    begin(q, n, 100, 1);
    struct gbt_block b;
    assert_true(gbt_sender_next(&c.tx, 0, 1, &b));
    send_up(&b);
    drain();
    assert_true(c.rx.begun && !c.rx.done);
    expect_raw(GET_ENERGY, "C401C10006000003E8");
    expect_raw("E041 0002 0001 00", "D80103");
}

static void gbt_works_with_the_smallest_apdu(void **state)
{
    (void)state;
    x.rows = 20;
    connect_with(SAP_READER, 512, ALL);
    read_whole();
    connect_with(SAP_READER, COSEM_PDU_MIN, ALL);
    expect_profile(ask(GET_PROFILE, 40, 9));
    connect_with(SAP_MANAGER, COSEM_PDU_MIN, ALL);
    p.general = true;
    expect_profile(ask(GET_PROFILE, 40, 9));
}

#define COUNT "C301C1 0009 00000A0000FF 01 01 120002"

static void gbt_serves_a_request_once_when_its_answer_is_lost(void **state)
{
    const char *answer = "E0BF 0001 0001 0A C701C100 01 00 09020001";
    (void)state;
    connect_with(SAP_WRITER, 128, ALL);
    expect_raw("E081 0001 0000 10" COUNT, answer);
    expect_raw("E081 0001 0000 10" COUNT, answer);
    assert_int_equal(x.n_run, 1);
    expect_raw("E081 0001 0000 10 C301C2 0009 00000A0000FF 01 01 120002",
               "E0BF 0001 0001 0A C701C200 01 00 09020001");
    assert_int_equal(x.n_run, 2);
    expect_raw("E081 0001 0000 10" COUNT, answer); /* another one is between them */
    assert_int_equal(x.n_run, 3);
    expect_raw(GET_ENERGY, "C401C10006000003E8");
    expect_raw("E081 0001 0000 10" COUNT, answer); /* no longer kept */
    assert_int_equal(x.n_run, 4);
}

static void gbt_reads_anew_when_the_same_get_comes_again(void **state)
{
    (void)state;
    connect_with(SAP_READER, 128, ALL);
    for (uint8_t i = 1; i < 3; i++) {
        x.note_len = 1;
        x.note[0] = i;
        const struct bytes b = ask("C001C1 0001 0000600101FF 02 00", 100, 1);
        assert_int_equal(b.len, 7);
        assert_int_equal(b.p[6], i);
    }
}

static void gbt_repeats_a_ciphered_answer_when_it_is_lost(void **state)
{
    uint8_t q[64], request[128], block[160], first[160];
    (void)state;
    connect_with(SAP_MANAGER, 128, ALL);
    const size_t n = hex_octets(COUNT, q, sizeof q);
    const struct gbt_block b = {.last = true,
                                .window = 1,
                                .number = 1,
                                .data = {request, peer_protect(&p, q, n, request, sizeof request)}};
    struct wr w = wr_of(block, sizeof block);
    gbt_put(&w, &b);
    struct bytes a = peer_raw(&p, block, w.len);
    const size_t len = a.len;
    assert_true(len > 20 && len < sizeof first && a.p[0] == DLMS_GENERAL_BLOCK);
    memcpy(first, a.p, len);
    a = peer_raw(&p, block, w.len);
    assert_int_equal(a.len, len);
    assert_memory_equal(a.p, first, len);
    assert_int_equal(x.n_run, 1);
    expect(ask(GET_ENERGY, 100, 1), "C401C10006000003E8");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        T(gbt_serves_a_request_in_one_block_with_one_block),
        T(gbt_puts_a_request_together),
        T(gbt_sets_a_value_longer_than_an_apdu),
        T(gbt_streams_a_profile_in_windows),
        T(gbt_window_of_none_is_one),
        T(gbt_answers_an_ordinary_get_where_no_other_blocks_are_agreed),
        T(gbt_survives_lost_blocks),
        T(gbt_ciphers_over_all_blocks),
        T(gbt_survives_lost_blocks_of_a_ciphered_answer),
        T(gbt_gives_each_list_and_long_action),
        T(gbt_aborts_where_the_length_changes_between_the_passes),
        T(gbt_tells_nothing_that_is_not_durable),
        T(gbt_refuses_what_was_not_agreed_or_makes_no_sense),
        T(gbt_bounds_a_request_by_its_store),
        T(gbt_answer_ends_with_any_other_request),
        T(gbt_works_with_the_smallest_apdu),
        T(gbt_serves_a_request_once_when_its_answer_is_lost),
        T(gbt_reads_anew_when_the_same_get_comes_again),
        T(gbt_repeats_a_ciphered_answer_when_it_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
