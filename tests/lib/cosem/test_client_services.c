/* The client's services beyond a GET: blocks out, lists, ACCESS, notifications; with the example
 * device, and against scripted answers where a device would not say so. */
#include "tests/lib/cosem/client_pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define PUBLIC_AARE                                                                                \
    "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1D00800007"

static struct pair p;

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

static void connect_manager(void)
{
    const struct cosem_client_config k = pair_manager(&p);
    pair_connect(&p, &k);
}

static void expect_ready(enum err err, enum cosem_client_why why)
{
    assert_int_equal(p.c.state, CLIENT_READY);
    assert_int_equal(p.c.failure.err, err);
    assert_int_equal(p.c.failure.why, why);
}

static void expect_results(const enum cosem_result *results, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(p.item[i].n_done, 1);
        assert_int_equal(p.item[i].result, results[i]);
    }
    assert_int_equal(p.item[n].n_done, 0);
}

static void expect_note(size_t n, uint8_t first)
{
    assert_int_equal(p.x.note_len, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(p.x.note[i], (uint8_t)(first + i));
}

static void expect_item(unsigned i, size_t n, uint8_t first)
{
    uint8_t wanted[600];
    const struct bytes b = pair_note(wanted, sizeof wanted, n, first);
    assert_int_equal(p.item[i].n_done, 1);
    assert_int_equal(p.item[i].result, COSEM_SUCCESS);
    assert_int_equal(p.item[i].len, b.len);
    assert_memory_equal(p.item[i].octets, b.p, b.len);
}

/* ---- with the device ---- */

static const enum cosem_result all_good[PAIR_ITEMS] = {COSEM_SUCCESS};

static void client_writes_by_blocks_when_value_is_long(void **state)
{
    (void)state;
    uint8_t value[500];
    const struct cosem_client_sink sink = pair_sink(&p);
    const struct bytes v = pair_note(value, sizeof value, 400, 3);
    connect_manager();
    p.c.server_max_pdu = 100; /* as a small meter would have said */
    p.n_up = 0;
    assert_int_equal(cosem_client_set(&p.c, 0, &pair_note_attr, v, &sink), ERR_OK);
    pair_run(&p);
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    expect_results(all_good, 1);
    expect_note(400, 3);
    assert_true(p.n_up >= 6);
}

/* Every size of PDU cuts the value elsewhere; never an APDU longer than the meter takes. */
static void client_writes_the_same_through_every_pdu(void **state)
{
    (void)state;
    uint8_t value[500];
    connect_manager();
    for (uint16_t pdu = 64; pdu < 470; pdu += 7) {
        const struct cosem_client_sink sink = pair_sink(&p);
        const struct bytes v = pair_note(value, sizeof value, 380, (uint8_t)pdu);
        p.c.server_max_pdu = pdu;
        assert_int_equal(cosem_client_set(&p.c, 0, &pair_note_attr, v, &sink), ERR_OK);
        while (cosem_client_waiting(&p.c)) {
            uint8_t out[2100];
            const size_t n = cosem_client_take(&p.c, out, sizeof out);
            assert_in_range(n, WRAPPER_HEAD_LEN + 1, WRAPPER_HEAD_LEN + pdu);
            assert_int_equal(line_feed(&p.line, 0, out, n), n);
            pair_settle(&p);
            if (p.up_len > 0)
                assert_in_range(p.up_len, 0, WRAPPER_HEAD_LEN + pdu);
        }
        expect_results(all_good, 1);
        expect_note(380, (uint8_t)pdu);
    }
}

static void client_writes_a_list_whole_or_by_blocks(void **state)
{
    (void)state;
    const struct apdu_attr attrs[3] = {pair_note_attr, pair_name_attr, pair_note_attr};
    const enum cosem_result results[3] = {COSEM_SUCCESS, COSEM_READ_WRITE_DENIED, COSEM_SUCCESS};
    connect_manager();
    for (int by_blocks = 0; by_blocks < 2; by_blocks++) {
        uint8_t values[900];
        size_t len = pair_note(values, sizeof values, 200, 1).len;
        len += pair_note(values + len, sizeof values - len, 16, 1).len;
        len += pair_note(values + len, sizeof values - len, 220, 9).len;
        const struct cosem_client_sink sink = pair_sink(&p);
        p.c.server_max_pdu = by_blocks ? 150 : 1024;
        assert_int_equal(
            cosem_client_set_list(&p.c, 0, attrs, 3, (struct bytes){values, len}, &sink), ERR_OK);
        pair_run(&p);
        expect_ready(ERR_OK, CLIENT_WHY_NONE);
        expect_results(results, 3);
        expect_note(220, 9);
    }
}

static void client_calls_by_blocks_when_parameter_is_long(void **state)
{
    (void)state;
    uint8_t value[500];
    struct apdu_attr method = pair_echo_method;
    const struct cosem_client_sink sink = pair_sink(&p);
    method.parameter = pair_note(value, sizeof value, 150, 7);
    connect_manager();
    p.c.server_max_pdu = 80;
    assert_int_equal(cosem_client_action(&p.c, 0, &method, &sink), ERR_OK);
    pair_run(&p);
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    expect_item(0, 150, 7);
    assert_int_equal(p.x.n_run, 1);
}

static void client_joins_blocks_when_method_gives_a_long_value(void **state)
{
    (void)state;
    const uint8_t n[] = {AXDR_U16, 1, 90};
    struct apdu_attr method = pair_count_method;
    const struct cosem_client_sink sink = pair_sink(&p);
    struct cosem_client_config k = pair_manager(&p);
    k.max_pdu = 90;
    pair_connect(&p, &k);
    method.parameter = (struct bytes){n, sizeof n};
    assert_int_equal(cosem_client_action(&p.c, 0, &method, &sink), ERR_OK);
    pair_run(&p);
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    expect_item(0, 346, 0);
    assert_true(p.c.block > 3);
}

static void client_calls_a_list_whole_or_by_blocks(void **state)
{
    (void)state;
    uint8_t a[100], b[100];
    struct apdu_attr methods[3] = {pair_echo_method, pair_name_attr, pair_echo_method};
    methods[0].parameter = pair_note(a, sizeof a, 70, 1);
    methods[2].parameter = pair_note(b, sizeof b, 60, 50);
    connect_manager();
    for (int by_blocks = 0; by_blocks < 2; by_blocks++) {
        const struct cosem_client_sink sink = pair_sink(&p);
        p.c.server_max_pdu = by_blocks ? 100 : 1024;
        assert_int_equal(cosem_client_action_list(&p.c, 0, methods, 3, &sink), ERR_OK);
        pair_run(&p);
        expect_ready(ERR_OK, CLIENT_WHY_NONE);
        expect_item(0, 70, 1);
        assert_int_not_equal(p.item[1].result, COSEM_SUCCESS);
        assert_int_equal(p.item[1].n_done, 1);
        expect_item(2, 60, 50);
    }
}

static void client_goes_one_by_one_when_lists_are_not_agreed(void **state)
{
    (void)state;
    uint8_t values[300], a[100];
    const struct apdu_attr reads[3] = {pair_name_attr,
                                       {.class_id = 3, .id = 2},
                                       {.class_id = 1, .ln = {0, 0, 42, 0, 0, 255}, .id = 1}};
    const struct apdu_attr writes[2] = {pair_note_attr, pair_note_attr};
    struct apdu_attr methods[2] = {pair_echo_method, pair_echo_method};
    connect_manager();
    p.c.conformance &= ~DLMS_CONF_MULTIPLE;
    struct cosem_client_sink sink = pair_sink(&p);
    assert_int_equal(cosem_client_get_list(&p.c, 0, reads, 3, &sink), ERR_OK);
    pair_run(&p);
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    assert_int_equal(p.item[0].len, 18);
    assert_int_equal(p.item[1].result, COSEM_OBJECT_UNDEFINED);
    assert_int_equal(p.item[2].len, 8);
    sink = pair_sink(&p);
    size_t len = pair_note(values, sizeof values, 120, 1).len;
    len += pair_note(values + len, sizeof values - len, 130, 9).len;
    p.c.server_max_pdu = 100; /* each by blocks, too */
    assert_int_equal(cosem_client_set_list(&p.c, 0, writes, 2, (struct bytes){values, len}, &sink),
                     ERR_OK);
    pair_run(&p);
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    expect_results(all_good, 2);
    expect_note(130, 9);
    sink = pair_sink(&p);
    methods[0].parameter = methods[1].parameter = pair_note(a, sizeof a, 70, 1);
    assert_int_equal(cosem_client_action_list(&p.c, 0, methods, 2, &sink), ERR_OK);
    pair_run(&p);
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    expect_item(0, 70, 1);
    expect_item(1, 70, 1);
}

static void client_reads_writes_and_calls_when_access(void **state)
{
    (void)state;
    const struct access_spec specs[4] = {{.choice = DLMS_ACCESS_GET, .target = pair_name_attr},
                                         {.choice = DLMS_ACCESS_SET, .target = pair_note_attr},
                                         {.choice = DLMS_ACCESS_ACTION, .target = pair_echo_method},
                                         {.choice = DLMS_ACCESS_GET, .target = {.class_id = 3}}};
    uint8_t data[300] = {AXDR_NULL};
    const struct cosem_client_sink sink = pair_sink(&p);
    size_t len = 1;
    len += pair_note(data + len, sizeof data - len, 30, 5).len;
    len += pair_note(data + len, sizeof data - len, 20, 60).len;
    data[len++] = AXDR_NULL;
    connect_manager();
    assert_int_equal(cosem_client_access(&p.c, 0, specs, 4, (struct bytes){data, len}, &sink),
                     ERR_OK);
    pair_run(&p);
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    assert_int_equal(p.item[0].len, 18);
    assert_int_equal(p.item[1].result, COSEM_SUCCESS);
    assert_int_equal(p.item[1].len, 0);
    expect_item(2, 20, 60);
    assert_int_not_equal(p.item[3].result, COSEM_SUCCESS);
    assert_int_equal(p.item[3].n_done, 1);
    expect_note(30, 5);
}

/* An AARE with challenge and titles is longer than 64 octets. */
static void client_authenticates_when_its_pdu_is_the_smallest(void **state)
{
    (void)state;
    struct cosem_client_config k = pair_manager(&p);
    const struct cosem_client_sink sink = pair_sink(&p);
    k.max_pdu = 64;
    pair_connect(&p, &k);
    assert_int_equal(cosem_client_get(&p.c, 0, &pair_name_attr, &sink), ERR_OK);
    pair_run(&p);
    assert_int_equal(p.item[0].len, 18);
}

static void client_takes_notifications_when_idle_and_when_waiting(void **state)
{
    (void)state;
    const uint8_t body[] = {AXDR_U16, 0x12, 0x34};
    const struct apdu_notification n = {.invoke = 7, .body = {body, sizeof body}};
    const struct apdu_event e = {.target = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 2},
                                 .value = {body, sizeof body}};
    const struct session_push plain = {.confirm_ms = 0}, confirmed = {.confirm_ms = 5000};
    connect_manager();
    assert_int_equal(session_notify_data(&p.x.session, 0, &plain, &n), ERR_OK);
    pair_settle(&p);
    assert_int_equal(p.n_notices, 1);
    assert_memory_equal(p.notice, body, sizeof body);
    assert_int_equal(session_notify_event(&p.x.session, &plain, &e), ERR_OK);
    pair_settle(&p);
    assert_int_equal(p.n_events, 1);
    assert_int_equal(session_notify_data(&p.x.session, 0, &confirmed, &n), ERR_OK);
    pair_settle(&p);
    assert_int_equal(p.n_notices, 2);
    assert_int_equal(session_notice(&p.x.session), NOTICE_CONFIRMED);
    const struct cosem_client_sink sink = pair_sink(&p);
    assert_int_equal(cosem_client_get(&p.c, 0, &pair_name_attr, &sink), ERR_OK);
    assert_int_equal(session_notify_data(&p.x.session, 0, &plain, &n), ERR_OK);
    pair_settle(&p);
    assert_int_equal(p.n_notices, 3);
    assert_int_equal(p.item[0].len, 18);
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
}

/* ---- scripted ---- */

/* What goes out, without the wrapper's head. */
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
    wrapper_put_head(&w, 1, p.c.config.client_sap, (uint16_t)n);
    wr_bytes(&w, apdu, n);
    (void)cosem_client_feed(&p.c, 0, frame, w.len);
}

/* Associated with a meter that takes 128 octets and agrees on what 001E1D says. */
static void connect_public(void)
{
    struct cosem_client_config k = pair_reader(&p);
    k.client_sap = SAP_PUBLIC;
    k.mechanism = DLMS_MECHANISM_NONE;
    assert_int_equal(cosem_client_init(&p.c, &k), ERR_OK);
    assert_int_equal(cosem_client_connect(&p.c, 0), ERR_OK);
    (void)sent();
    answer(PUBLIC_AARE);
    assert_int_equal(p.c.state, CLIENT_READY);
}

static const struct apdu_attr two[2] = {{.class_id = 1, .id = 2}, {.class_id = 1, .id = 3}};

static void client_keeps_the_association_when_list_gets_one_answer(void **state)
{
    (void)state;
    static const char *const answers[] = {"C401C1 01 03", "C401C1 00 1105"};
    for (int i = 0; i < 2; i++) {
        const struct cosem_client_sink sink = pair_sink(&p);
        char text[200];
        connect_public();
        assert_int_equal(cosem_client_get_list(&p.c, 0, two, 2, &sink), ERR_OK);
        (void)sent();
        answer(answers[i]);
        expect_ready(ERR_REFUSED, CLIENT_WHY_NO_LIST);
        assert_int_equal(p.item[0].n_done, 0);
        assert_true(cosem_client_explain(&p.c, text, sizeof text) > 20);
        assert_int_equal(cosem_client_get(&p.c, 0, &two[0], &sink), ERR_OK);
    }
}

static void client_sends_the_octets_of_the_standard_when_by_blocks(void **state)
{
    (void)state;
    uint8_t value[200];
    const struct cosem_client_sink sink = pair_sink(&p);
    const struct bytes v = pair_note(value, sizeof value, 120, 0); /* 122 octets */
    connect_public();
    p.c.server_max_pdu = 64;
    assert_int_equal(cosem_client_set(&p.c, 0, &pair_note_attr, v, &sink), ERR_OK);
    struct bytes b = sent();
    assert_memory_equal(b.p,
                        "\xC1\x02\xC1\x00\x01\x00\x00\x60\x01\x01\xFF\x02\x00"
                        "\x00\x00\x00\x00\x01",
                        18);
    const size_t first = b.p[18];
    assert_true(b.len <= 64 && b.len == 19 + first);
    assert_memory_equal(b.p + 19, value, first);
    answer("C502C100000001");
    b = sent();
    assert_memory_equal(b.p, "\xC1\x03\xC1\x00\x00\x00\x00\x02", 8);
    const size_t second = b.p[8];
    assert_memory_equal(b.p + 9, value + first, second);
    answer("C502C100000002");
    b = sent();
    assert_memory_equal(b.p, "\xC1\x03\xC1\x01\x00\x00\x00\x03", 8);
    assert_int_equal(b.p[8], v.len - first - second);
    answer("C503C1 0B 00000003");
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    assert_int_equal(p.item[0].result, COSEM_OBJECT_UNAVAILABLE);
}

static void client_fails_when_another_block_is_acknowledged(void **state)
{
    (void)state;
    static const char *const bad[] = {"C502C100000002", "C502C100000000", "C503C10000000001"};
    for (int i = 0; i < 3; i++) {
        uint8_t value[300];
        const struct cosem_client_sink sink = pair_sink(&p);
        const struct bytes v = pair_note(value, sizeof value, 250, 0);
        connect_public();
        assert_int_equal(cosem_client_set(&p.c, 0, &pair_note_attr, v, &sink), ERR_OK);
        (void)sent();
        answer(bad[i]); /* the last: success before the last block */
        assert_int_equal(p.c.state, CLIENT_FAILED);
        assert_int_equal(p.item[0].n_done, 0);
    }
}

static void client_ends_when_meter_refuses_in_the_midst_of_blocks(void **state)
{
    (void)state;
    uint8_t value[300];
    const struct cosem_client_sink sink = pair_sink(&p);
    const struct bytes v = pair_note(value, sizeof value, 250, 0);
    connect_public();
    assert_int_equal(cosem_client_set(&p.c, 0, &pair_note_attr, v, &sink), ERR_OK);
    (void)sent();
    answer("C503C1 0300000001");
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    assert_int_equal(p.item[0].result, COSEM_READ_WRITE_DENIED);
    assert_int_equal(cosem_client_set(&p.c, 0, &pair_note_attr, v, &sink), ERR_OK);
    (void)sent();
    answer("D80103");
    expect_ready(ERR_REFUSED, CLIENT_WHY_EXCEPTION);
}

static void client_asks_for_the_next_block_of_a_method_s_answer(void **state)
{
    (void)state;
    const struct cosem_client_sink sink = pair_sink(&p);
    connect_public();
    assert_int_equal(cosem_client_action(&p.c, 0, &pair_echo_method, &sink), ERR_OK);
    (void)sent();
    answer("C702C1 00 00000001 06 00 01 00 09 04 AA");
    expect_sent("C302C1 00000001");
    answer("C702C1 01 00000002 03 BBCCDD");
    expect_ready(ERR_OK, CLIENT_WHY_NONE);
    assert_int_equal(p.item[0].len, 6);
    assert_memory_equal(p.item[0].octets, "\x09\x04\xAA\xBB\xCC\xDD", 6);
    assert_int_equal(p.item[0].result, COSEM_SUCCESS);
}

static void client_reads_every_form_of_a_list_of_methods(void **state)
{
    (void)state;
    const struct apdu_attr methods[4] = {{.class_id = 9, .id = 1},
                                         {.class_id = 9, .id = 1},
                                         {.class_id = 9, .id = 1},
                                         {.class_id = 9, .id = 1}};
    const enum cosem_result results[4] = {COSEM_SUCCESS, COSEM_READ_WRITE_DENIED, COSEM_SUCCESS,
                                          COSEM_TYPE_UNMATCHED};
    for (int blocks = 0; blocks < 2; blocks++) {
        const struct cosem_client_sink sink = pair_sink(&p);
        connect_public();
        assert_int_equal(cosem_client_action_list(&p.c, 0, methods, 4, &sink), ERR_OK);
        (void)sent();
        if (blocks) {
            answer("C702C1 00 00000001 05 04 0000 0300");
            expect_sent("C302C1 00000001");
            answer("C702C1 01 00000002 09 0001001105 0001010C");
        } else {
            answer("C703C1 04 0000 0300 0001001105 0001010C");
        }
        expect_ready(ERR_OK, CLIENT_WHY_NONE);
        expect_results(results, 4);
        assert_int_equal(p.item[2].len, 2);
        assert_int_equal(p.item[0].len + p.item[1].len + p.item[3].len, 0);
    }
}

static void client_asks_only_what_was_agreed(void **state)
{
    (void)state;
    const struct access_spec spec = {.choice = DLMS_ACCESS_GET, .target = pair_name_attr};
    const uint8_t nothing[] = {AXDR_NULL};
    struct apdu_attr all = pair_name_attr;
    const struct cosem_client_sink sink = pair_sink(&p);
    all.id = 0;
    connect_public();
    assert_int_equal(cosem_client_access(&p.c, 0, &spec, 1, (struct bytes){nothing, 1}, &sink),
                     ERR_UNSUPPORTED);
    assert_int_equal(cosem_client_get(&p.c, 0, &all, &sink), ERR_UNSUPPORTED);
    p.c.conformance |= DLMS_CONF_ATTRIBUTE0_GET;
    assert_int_equal(cosem_client_get(&p.c, 0, &all, &sink), ERR_OK);
    expect_sent("C001C1 0001 00002A0000FF 00 00");
}

static void client_refuses_values_that_are_not_as_many_as_the_list(void **state)
{
    (void)state;
    const uint8_t three[] = {AXDR_U8, 1, AXDR_U8, 2, AXDR_U8, 3};
    const struct cosem_client_sink sink = pair_sink(&p);
    connect_public();
    for (size_t n = 0; n <= sizeof three; n++)
        assert_int_equal(cosem_client_set_list(&p.c, 0, two, 2, (struct bytes){three, n}, &sink),
                         n == 4  ? ERR_OK
                         : n < 4 ? ERR_FORMAT
                                 : ERR_STATE);
}

static void client_confirms_and_drops_as_it_should(void **state)
{
    (void)state;
    uint8_t out[64];
    connect_public();
    answer("0F 40000009 00 1105");
    expect_sent("10 40000009 00");
    assert_int_equal(p.n_notices, 1);
    answer("0F 00000009 00 11"); /* cut */
    answer("0F 00000009 05 11"); /* a date-time of 5 octets */
    answer("C2 00 0003 0100010800FF 02 1105");
    assert_int_equal(p.n_notices, 1);
    assert_int_equal(p.n_events, 1);
    answer("DB 084C475A677370B177 05 3000000001"); /* ciphered for somebody else */
    assert_int_equal(cosem_client_take(&p.c, out, sizeof out), 0);
    assert_int_equal(p.c.state, CLIENT_READY);
}

static void client_drops_unprotected_notifications_when_ciphered(void **state)
{
    (void)state;
    connect_manager();
    answer("0F 00000009 00 1105");
    answer("C2 00 0003 0100010800FF 02 1105");
    assert_int_equal(p.n_notices + p.n_events, 0);
    assert_int_equal(p.c.state, CLIENT_READY);
}

static void client_is_released_when_meter_knows_no_release(void **state)
{
    (void)state;
    connect_public();
    assert_int_equal(cosem_client_release(&p.c, 0), ERR_OK);
    (void)sent();
    answer("D80102");
    assert_int_equal(p.c.state, CLIENT_CLOSED);
    assert_int_equal(p.c.failure.err, ERR_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(client_writes_by_blocks_when_value_is_long),
        TEST(client_writes_the_same_through_every_pdu),
        TEST(client_writes_a_list_whole_or_by_blocks),
        TEST(client_calls_by_blocks_when_parameter_is_long),
        TEST(client_joins_blocks_when_method_gives_a_long_value),
        TEST(client_calls_a_list_whole_or_by_blocks),
        TEST(client_goes_one_by_one_when_lists_are_not_agreed),
        TEST(client_reads_writes_and_calls_when_access),
        TEST(client_authenticates_when_its_pdu_is_the_smallest),
        TEST(client_takes_notifications_when_idle_and_when_waiting),
        TEST(client_keeps_the_association_when_list_gets_one_answer),
        TEST(client_sends_the_octets_of_the_standard_when_by_blocks),
        TEST(client_fails_when_another_block_is_acknowledged),
        TEST(client_ends_when_meter_refuses_in_the_midst_of_blocks),
        TEST(client_asks_for_the_next_block_of_a_method_s_answer),
        TEST(client_reads_every_form_of_a_list_of_methods),
        TEST(client_asks_only_what_was_agreed),
        TEST(client_refuses_values_that_are_not_as_many_as_the_list),
        TEST(client_confirms_and_drops_as_it_should),
        TEST(client_drops_unprotected_notifications_when_ciphered),
        TEST(client_is_released_when_meter_knows_no_release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
