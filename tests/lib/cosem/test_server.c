/* The server over its public calls: association, GET, SET, ACTION, abuse. Protection has its own
 * file, long profiles theirs. */
#include "tests/lib/cosem/example.h"

#include "lib/dlms/axdr_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

static struct example x;
static struct peer p;
static struct acse_aare aare;
static uint8_t out[16384];
static size_t len;
static unsigned n_blocks;

static int start(void **state)
{
    (void)state;
    example_init(&x);
    return 0;
}

static void connect_as(uint16_t sap)
{
    peer_init(&p, &x, sap);
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
}

static void expect_answer(const char *request, const char *answer)
{
    uint8_t q[512], a[512];
    size_t n = hex_octets(request, q, sizeof q), m = hex_octets(answer, a, sizeof a);
    struct bytes b = peer_raw(&p, q, n);
    assert_int_equal(b.len, m);
    assert_memory_equal(b.p, a, m);
}

static void expect_text(const char *text)
{
    char got[2048];
    struct rd r = rd_of(out, len);
    struct wr w = wr_of(got, sizeof got - 1);
    axdr_text(&r, &w);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(rd_left(&r), 0);
    got[w.len] = 0;
    assert_string_equal(got, text);
}

static int get(uint16_t class_id, const uint8_t ln[6], uint8_t attr)
{
    return peer_get(&p, class_id, ln, attr, NULL, out, sizeof out, &len, &n_blocks);
}

/* Recorded request of a published example; the answer's octets are written out by hand. */
static void server_answers_recorded_public_aarq(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_PUBLIC);
    expect_answer("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0",
                  "6129A109060760857405080101A203020100A305A103020100"
                  "BE10040E0800065F1F0400001E1F08000007");
    assert_int_equal(x.session.state, SESSION_ASSOCIATED);
    assert_int_equal(x.session.max_pdu, 0x04B0);
}

static void server_refuses_service_without_association(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_PUBLIC);
    expect_answer("C001C1000100002A0000FF0200", "D80101");
    expect_answer("C001C1000100002A0000FF0200", "D80101"); /* and goes on living */
}

static void server_refuses_other_client_in_association(void **state)
{
    (void)state;
    connect_as(SAP_READER);
    p.sap = SAP_PUBLIC;
    expect_answer("C001C1000100002A0000FF0200", "D80101");
    p.sap = SAP_READER;
    assert_int_equal(get(1, (const uint8_t[]){0, 0, 42, 0, 0, 255}, 2), 0);
}

static uint8_t try_aarq(struct acse_aarq a, uint8_t *diagnostic)
{
    uint8_t result = peer_aarq(&p, &a, &aare);
    *diagnostic = aare.diagnostic;
    assert_int_equal(x.session.state == SESSION_IDLE, result != ACSE_ACCEPTED);
    return result;
}

static struct bytes view(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static void server_says_why_it_refuses_an_association(void **state)
{
    uint8_t d;
    (void)state;
    peer_init(&p, &x, SAP_READER);
    struct acse_aarq lls = {.context = 1, .has_mechanism = true, .mechanism = 1};
    lls.secret = view("wrong");
    assert_int_equal(try_aarq(lls, &d), ACSE_REJECTED_PERMANENT);
    assert_int_equal(d, ACSE_DIAG_AUTHENTICATION_FAILURE);
    lls.secret = view(EXAMPLE_PASSWORD "x");
    assert_int_equal(try_aarq(lls, &d), ACSE_REJECTED_PERMANENT);
    lls.secret = view("");
    assert_int_equal(try_aarq(lls, &d), ACSE_REJECTED_PERMANENT);
    assert_int_equal(x.n_auth_bad, 3);
    assert_int_equal(try_aarq((struct acse_aarq){.context = 1}, &d), ACSE_REJECTED_PERMANENT);
    assert_int_equal(d, ACSE_DIAG_AUTHENTICATION_REQUIRED);
    lls.mechanism = 2;
    assert_int_equal(try_aarq(lls, &d), ACSE_REJECTED_PERMANENT);
    assert_int_equal(d, ACSE_DIAG_MECHANISM_UNKNOWN);
    assert_int_equal(try_aarq((struct acse_aarq){.context = 2}, &d), ACSE_REJECTED_PERMANENT);
    assert_int_equal(d, ACSE_DIAG_CONTEXT_NOT_SUPPORTED);
    p.sap = 77;
    assert_int_equal(try_aarq((struct acse_aarq){.context = 1}, &d), ACSE_REJECTED_PERMANENT);
    p.sap = SAP_READER;
    lls.mechanism = 1;
    lls.secret = view(EXAMPLE_PASSWORD);
    assert_int_equal(try_aarq(lls, &d), ACSE_ACCEPTED);
    assert_int_equal(x.n_auth_ok, 1);
}

static void server_says_initiate_errors(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_PUBLIC);
    p.max_pdu = COSEM_PDU_MIN - 1;
    assert_int_equal(peer_connect(&p, &aare), ACSE_REJECTED_PERMANENT);
    assert_int_equal(aare.user_info.len, 4);
    assert_memory_equal(aare.user_info.p, "\x0E\x01\x06\x03", 4);
    p.max_pdu = 0; /* no limit */
    p.conformance = DLMS_CONF_MULTIPLE;
    assert_int_equal(peer_connect(&p, &aare), ACSE_REJECTED_PERMANENT);
    assert_memory_equal(aare.user_info.p, "\x0E\x01\x06\x02", 4);
    expect_answer("601DA109060760857405080101BE10040E01000000055F1F0400007E1F04B0",
                  "611FA109060760857405080101A203020101A305A103020101BE0604040E010601");
    p.conformance = 0xFFFFFF;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    assert_int_equal(x.session.max_pdu, COSEM_PDU_MAX);
}

static void server_releases_and_associates_again(void **state)
{
    (void)state;
    connect_as(SAP_READER);
    assert_int_equal(x.server.n_associated[1], 1);
    expect_answer("6203800100", "6303800100");
    assert_int_equal(x.server.n_associated[1], 0);
    expect_answer("C001C1000100002A0000FF0200", "D80101");
    connect_as(SAP_READER);
    connect_as(SAP_READER); /* a second AARQ begins anew */
    assert_int_equal(x.server.n_associated[1], 1);
    connect_as(SAP_PUBLIC);
    assert_int_equal(x.server.n_associated[1], 0);
    expect_answer("6200", "6303800100");
}

static void get_answers_value_result_and_rights(void **state)
{
    static const uint8_t phase3_tariff1[6] = {1, 0, 61, 8, 1, 255};
    (void)state;
    connect_as(SAP_READER);
    assert_int_equal(get(3, example_energy, 2), 0);
    expect_text("u32 1000");
    assert_int_equal(get(3, example_energy, 1), 0);
    expect_text("os 0100010800FF");
    assert_int_equal(get(3, phase3_tariff1, 2), 0);
    expect_text("u32 2201");
    assert_int_equal(get(3, example_energy, 4), COSEM_READ_WRITE_DENIED);
    assert_int_equal(get(3, example_energy, 0), COSEM_READ_WRITE_DENIED);
    assert_int_equal(get(3, (const uint8_t[]){1, 0, 1, 8, 5, 255}, 2), COSEM_OBJECT_UNDEFINED);
    assert_int_equal(get(4, example_energy, 2), COSEM_OBJECT_CLASS_INCONSISTENT);
    assert_int_equal(get(8, example_clock, 3), COSEM_HARDWARE_FAULT);
    connect_as(SAP_PUBLIC);
    assert_int_equal(get(3, example_energy, 2), COSEM_READ_WRITE_DENIED);
    assert_int_equal(get(8, example_clock, 2), 0);
    expect_text("os 07EA010104010000"
                "00FFC400");
}

static void get_tells_nothing_that_is_not_durable(void **state)
{
    (void)state;
    connect_as(SAP_READER);
    x.tell = ERR_IO;
    assert_int_equal(get(3, example_energy, 2), COSEM_TEMPORARY_FAILURE);
    p.max_pdu = 256;
    x.tell = ERR_OK;
    connect_as(SAP_READER);
    assert_true(x.n_tell > 0);
    unsigned before = x.n_tell;
    assert_int_equal(get(3, example_energy, 2), 0);
    assert_int_equal(x.n_tell, before + 1);
}

static void get_list_mixes_values_and_results(void **state)
{
    (void)state;
    connect_as(SAP_READER);
    expect_answer("C003C103 0003 0100010800FF 02 00 0003 0100010900FF 02 00 "
                  "0008 0000010000FF 02 00",
                  "C403C103 00 06000003E8 01 04 00 090C07EA01010401000000FFC400");
    expect_answer("C003C100", "D80103");
    expect_answer("C003C111", "D80103");
}

static void get_list_by_blocks_gives_the_same_octets(void **state)
{
    uint8_t whole[1024], parts[1024];
    size_t n = 0;
    uint8_t q[512];
    struct apdu_response a;
    (void)state;
    connect_as(SAP_READER);
    size_t m = hex_octets("C003C104 0008 0000010000FF 02 00 000F 0000280000FF 05 00 "
                          "0001 00002A0000FF 02 00 0003 0100010800FF 03 00",
                          q, sizeof q);
    struct bytes b = peer_raw(&p, q, m);
    assert_int_equal(b.p[1], DLMS_GETRES_LIST);
    memcpy(whole, b.p + 3, b.len - 3);
    size_t whole_len = b.len - 3;
    peer_init(&p, &x, SAP_READER);
    p.max_pdu = COSEM_PDU_MIN;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    b = peer_raw(&p, q, m);
    do {
        struct rd r = rd_of(b.p, b.len);
        apdu_get_response(&r, &a);
        assert_int_equal(r.err, ERR_OK);
        assert_true(a.has_data && b.len <= COSEM_PDU_MIN);
        memcpy(parts + n, a.data.p, a.data.len);
        n += a.data.len;
        if (!a.last)
            b = peer_request(&p, &(struct apdu_request){.tag = DLMS_GET_REQUEST,
                                                        .type = DLMS_GET_NEXT,
                                                        .invoke = 0xC1,
                                                        .block = a.block});
    } while (!a.last);
    /* attribute 5 tells the negotiated size, two octets that differ rightly */
    assert_int_equal(n, whole_len);
    size_t differ = 0;
    for (size_t i = 0; i < n; i++)
        differ += parts[i] != whole[i];
    assert_true(differ <= 2);
}

static void get_refuses_blocks_that_were_not_agreed(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_READER);
    p.conformance = DLMS_CONF_GET;
    p.max_pdu = 256;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    assert_int_equal(get(7, example_profile, 2), COSEM_OTHER_REASON);
    expect_answer("C002C100000001", "D80102");
    expect_answer("C003C1010003 0100010800FF 02 00", "D80102");
    expect_answer("C101C1000100006001 01FF020009020102", "D80102");
}

/* Requests that stopped or confused another server, see the commit that added this test. */
static void server_survives_known_killers(void **state)
{
    (void)state;
    connect_as(SAP_READER);
    expect_answer("C003C102000100002A0000FF02000008FF000100", "D80103");
    expect_answer("C002C100000001", "C402C101000000010110");
    expect_answer("C001C1000100002A0000FF020103", "D80103");
    expect_answer("C001C1", "D80103");
    expect_answer("C0", "D80103");
    expect_answer("C00AC1", "D80102");
    expect_answer("D9400000000001", "D80103");
    expect_answer("DD400000000001", "D80102");
    expect_answer("0F00000000", "D80202");
    expect_answer("FF", "D80202");
    expect_answer("C801", "D80103");
    assert_int_equal(get(3, example_energy, 2), 0);
}

static void get_next_wants_the_right_block(void **state)
{
    (void)state;
    peer_init(&p, &x, SAP_READER);
    p.max_pdu = 128;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    uint8_t q[32];
    size_t n = hex_octets("C001C10007 0100630100FF 02 00", q, sizeof q);
    struct bytes b = peer_raw(&p, q, n);
    assert_memory_equal(b.p, "\xC4\x02\xC1\x00\x00\x00\x00\x01\x00", 9);
    expect_answer("C002C100000002", "C402C101000000020113");
    expect_answer("C002C100000001", "C402C101000000010110"); /* the transfer is over */
    b = peer_raw(&p, q, n);
    assert_int_equal(b.p[1], DLMS_GETRES_BLOCK);
    expect_answer("C001C10003 0100010800FF 02 00", "C401C10006000003E8"); /* ends it too */
    expect_answer("C002C100000001", "C402C101000000010110");
}

static void set_checks_type_rights_and_stores(void **state)
{
    (void)state;
    connect_as(SAP_READER);
    expect_answer("C101C10001 0000600101FF 02 00 0903414243", "C501C103");
    connect_as(SAP_WRITER);
    expect_answer("C101C10001 0000600101FF 02 00 0903414243", "C501C100");
    assert_int_equal(x.note_len, 3);
    assert_int_equal(get(1, example_note, 2), 0);
    expect_text("os 414243");
    expect_answer("C101C10001 0000600101FF 02 00 1105", "C501C10C");
    expect_answer("C101C10001 0000600101FF 01 00 09060000600101FF", "C501C100"); /* as rights say */
    expect_answer("C101C10003 0100010800FF 02 00 0600000000", "C501C103"); /* binding has no set */
    expect_answer("C101C10001 0000600901FF 02 00 0600000000", "C501C104");
    expect_answer("C101C10001 0000600101FF 02 00 0903", "D80103");
    x.tell = ERR_IO;
    expect_answer("C101C10001 0000600101FF 02 00 0903414243", "C501C102");
}

static void set_list_gives_a_result_each(void **state)
{
    (void)state;
    connect_as(SAP_WRITER);
    expect_answer("C104C102 0001 0000600101FF 02 00 0003 0100010800FF 02 00 02 09025859 0600000000",
                  "C505C1020003");
    assert_memory_equal(x.note, "XY", 2);
    expect_answer("C104C102 0001 0000600101FF 02 00 0003 0100010800FF 02 00 02 09025859", "D80103");
    expect_answer("C104C101 0001 0000600101FF 02 00 02 09025859 0905", "D80103");
}

static void set_by_blocks_collects_a_value(void **state)
{
    (void)state;
    connect_as(SAP_WRITER);
    expect_answer("C102C1 0001 0000600101FF 02 00 00 00000001 04 09054142", "C502C100000001");
    expect_answer("C103C1 01 00000002 03 434445", "C503C10000000002");
    assert_int_equal(x.note_len, 5);
    assert_memory_equal(x.note, "ABCDE", 5);
    expect_answer("C103C1 01 00000002 03 434445", "C503C11200000002"); /* none under way */
    expect_answer("C102C1 0001 0000600101FF 02 00 00 00000001 04 09054142", "C502C100000001");
    expect_answer("C103C1 01 00000003 03 434445", "C503C11300000003");
}

static void set_by_blocks_is_bounded(void **state)
{
    uint8_t octets[COSEM_ITEM_MAX / 3 + 1] = {0};
    struct apdu_response a = {.result = 0};
    (void)state;
    connect_as(SAP_WRITER);
    struct apdu_request q = {.tag = DLMS_SET_REQUEST,
                             .type = DLMS_SET_FIRST_BLOCK,
                             .invoke = 0xC1,
                             .target = {.class_id = 1, .id = 2},
                             .data = {octets, sizeof octets}};
    memcpy(q.target.ln, example_note, 6);
    for (q.block = 1; q.block <= 3; q.block++) {
        struct bytes b = peer_request(&p, &q);
        struct rd r = rd_of(b.p, b.len);
        apdu_get_response(&r, &a);
        assert_int_equal(r.err, ERR_OK);
        q.type = DLMS_SET_BLOCK;
    }
    assert_int_equal(a.type, DLMS_SETRES_LAST_BLOCK);
    assert_int_equal(a.result, COSEM_LONG_SET_ABORTED);
}

static void action_checks_rights_and_parameters(void **state)
{
    (void)state;
    connect_as(SAP_READER);
    expect_answer("C301C10003 0100010800FF 01 01 0F00", "C701C10300");
    connect_as(SAP_WRITER);
    expect_answer("C301C10003 0100010800FF 01 01 0F00", "C701C10000");
    expect_answer("C301C10003 0100010800FF 01 00", "C701C10000");
    expect_answer("C301C10003 0100010800FF 02 00", "C701C10300");
    expect_answer("C301C10007 0100630100FF 01 00", "C701C10300"); /* no method bound */
    expect_answer("C301C10040 00002B0000FF 01 01 1100", "C701C10C00");
    expect_answer("C301C10003 0100010800FF 01 01", "D80103");
}

static void association_object_tells_of_itself(void **state)
{
    static const uint8_t current[6] = {0, 0, 40, 0, 0, 255}, manager[6] = {0, 0, 40, 0, 3, 255};
    (void)state;
    connect_as(SAP_READER);
    assert_int_equal(get(15, current, 3), 0);
    expect_text("{i8 2, u16 1}");
    assert_int_equal(get(15, current, 4), 0);
    expect_text("os 60857405080101");
    assert_int_equal(get(15, current, 5), 0);
    expect_text("{bits 001000000001111011011111, u16 2048, u16 1024, u8 6, i8 0, os }");
    assert_int_equal(get(15, current, 6), 0);
    expect_text("os 60857405080201");
    assert_int_equal(get(15, current, 7), COSEM_READ_WRITE_DENIED);
    assert_int_equal(get(15, current, 8), 0);
    expect_text("enum 2");
    assert_int_equal(get(15, (const uint8_t[]){0, 0, 40, 0, 2, 255}, 8), 0);
    expect_text("enum 2");
    assert_int_equal(get(15, manager, 8), COSEM_READ_WRITE_DENIED);
    connect_as(SAP_WRITER);
    assert_int_equal(get(15, manager, 8), 0);
    expect_text("enum 0");
    assert_int_equal(get(15, manager, 4), 0);
    expect_text("os 60857405080103");
}

/* Number of elements, each checked against the class's own type. */
static size_t check_object_list(void)
{
    struct axdr_type type = cosem_attr_type(&cosem_class_find(15, 1)->attrs[1]);
    struct rd r = rd_of(out, len);
    axdr_check(&r, type);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(rd_left(&r), 0);
    r = rd_of(out, len);
    return axdr_get_array(&r);
}

static void object_list_shows_what_the_role_may_use(void **state)
{
    static const uint8_t current[6] = {0, 0, 40, 0, 0, 255};
    (void)state;
    peer_init(&p, &x, SAP_READER);
    p.max_pdu = 256;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    assert_int_equal(get(15, current, 2), 0);
    assert_true(n_blocks > 3);
    /* of the associations the current one and its own instance, not those of the other three */
    const size_t others = 3;
    assert_int_equal(check_object_list(), 1 + 4 + 1 + 5 + 6 + 1 + 1 + 5 + 1 + 1 - others);
    connect_as(SAP_PUBLIC);
    assert_int_equal(get(15, current, 2), 0);
    assert_int_equal(check_object_list(), 1 + 4 + 1 + 5 + 1 - others);
    connect_as(SAP_WRITER);
    assert_int_equal(get(15, current, 2), 0);
    assert_true(check_object_list() > 1 + 4 + 1 + 5 + 6 + 1 + 1 + 5 + 1 + 1 - others);
    assert_int_equal(get(15, (const uint8_t[]){0, 0, 40, 0, 1, 255}, 5), 0);
    expect_text("{bits 001000000001111011011111, u16 2048, u16 2048, u8 6, i8 0, os }");
}

static void sap_assignment_lists_the_devices(void **state)
{
    (void)state;
    connect_as(SAP_PUBLIC);
    assert_int_equal(get(17, (const uint8_t[]){0, 0, 41, 0, 0, 255}, 2), 0);
    expect_text("[{u16 1, os 46455230303030303030303030303031}, "
                "{u16 2, os 46455230303030303030303030303031}]");
}

static void session_takes_octets_in_any_pieces(void **state)
{
    uint8_t q[512], got[512];
    (void)state;
    peer_init(&p, &x, SAP_PUBLIC);
    struct wr w = wr_of(q, sizeof q);
    uint8_t apdu[64];
    size_t n = hex_octets("601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0", apdu,
                          sizeof apdu);
    wrapper_put_head(&w, SAP_PUBLIC, 1, (uint16_t)n);
    wr_bytes(&w, apdu, n);
    n = hex_octets("C001C1000100002A0000FF0200", apdu, sizeof apdu);
    wrapper_put_head(&w, SAP_PUBLIC, 1, (uint16_t)n);
    wr_bytes(&w, apdu, n);
    size_t got_len = 0, at = 0;
    while (at < w.len) { /* an octet in, then an octet out at a time */
        at += session_feed(&x.session, q + at, 1);
        got_len += session_take(&x.session, got + got_len, 1);
    }
    while ((n = session_take(&x.session, got + got_len, 1)) > 0)
        got_len += n;
    assert_int_equal(got_len, 8 + 43 + 8 + 22);
    assert_memory_equal(got + 8 + 43 + 8, "\xC4\x01\xC1\x00\x09\x10", 6);
}

static void session_closes_on_garbage_and_silence(void **state)
{
    (void)state;
    assert_int_equal(session_feed(&x.session, (const uint8_t *)"GET / HTTP/1.1\r\n", 16), 16);
    assert_true(session_closed(&x.session));
    example_init(&x);
    connect_as(SAP_READER);
    assert_int_equal(session_feed(&x.session, (const uint8_t *)"\0\1\0\2\0\1\xFF\xFF", 8), 8);
    assert_true(session_closed(&x.session));
    assert_int_equal(x.server.n_associated[1], 0);
    example_init(&x);
    x.server.config.inactivity_ms = 1000;
    connect_as(SAP_READER);
    assert_int_equal(session_poll(&x.session, 50), 1050);
    assert_int_equal(session_poll(&x.session, 1049), 1050);
    assert_int_equal(get(3, example_energy, 2), 0);
    assert_int_equal(session_poll(&x.session, 1049), 2049);
    assert_int_equal(session_poll(&x.session, 2049), UINT64_MAX);
    assert_true(session_closed(&x.session));
    assert_int_equal(x.server.n_associated[1], 0);
}

static void session_closes_on_a_frame_that_never_ends(void **state)
{
    (void)state;
    x.server.config.inactivity_ms = 1000;
    connect_as(SAP_READER);
    assert_int_equal(session_poll(&x.session, 0), 1000);
    assert_int_equal(session_feed(&x.session, (const uint8_t *)"\0\1\0\2\0\1\0\x0D", 8), 8);
    for (uint64_t now = 100; now < 1000; now += 100) {
        assert_int_equal(session_feed(&x.session, (const uint8_t *)"\xC0", 1), 1);
        assert_int_equal(session_poll(&x.session, now), 1000);
    }
    assert_int_equal(session_poll(&x.session, 1000), UINT64_MAX);
    assert_true(session_closed(&x.session));
}

static void session_sizes_are_known(void **state)
{
    (void)state;
    print_message("struct cosem_session %zu octets (rx %d, tx %zu, item %d, kept %d), "
                  "struct cosem_server %zu\n",
                  sizeof(struct cosem_session), COSEM_PDU_MAX, sizeof x.session.tx, COSEM_ITEM_MAX,
                  COSEM_KEPT_MAX, sizeof(struct cosem_server));
    assert_true(sizeof(struct cosem_session) < 10 * 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(server_answers_recorded_public_aarq, start),
        cmocka_unit_test_setup(server_refuses_service_without_association, start),
        cmocka_unit_test_setup(server_refuses_other_client_in_association, start),
        cmocka_unit_test_setup(server_says_why_it_refuses_an_association, start),
        cmocka_unit_test_setup(server_says_initiate_errors, start),
        cmocka_unit_test_setup(server_releases_and_associates_again, start),
        cmocka_unit_test_setup(get_answers_value_result_and_rights, start),
        cmocka_unit_test_setup(get_tells_nothing_that_is_not_durable, start),
        cmocka_unit_test_setup(get_list_mixes_values_and_results, start),
        cmocka_unit_test_setup(get_list_by_blocks_gives_the_same_octets, start),
        cmocka_unit_test_setup(get_refuses_blocks_that_were_not_agreed, start),
        cmocka_unit_test_setup(server_survives_known_killers, start),
        cmocka_unit_test_setup(get_next_wants_the_right_block, start),
        cmocka_unit_test_setup(set_checks_type_rights_and_stores, start),
        cmocka_unit_test_setup(set_list_gives_a_result_each, start),
        cmocka_unit_test_setup(set_by_blocks_collects_a_value, start),
        cmocka_unit_test_setup(set_by_blocks_is_bounded, start),
        cmocka_unit_test_setup(action_checks_rights_and_parameters, start),
        cmocka_unit_test_setup(association_object_tells_of_itself, start),
        cmocka_unit_test_setup(object_list_shows_what_the_role_may_use, start),
        cmocka_unit_test_setup(sap_assignment_lists_the_devices, start),
        cmocka_unit_test_setup(session_takes_octets_in_any_pieces, start),
        cmocka_unit_test_setup(session_closes_on_garbage_and_silence, start),
        cmocka_unit_test_setup(session_closes_on_a_frame_that_never_ends, start),
        cmocka_unit_test_setup(session_sizes_are_known, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
