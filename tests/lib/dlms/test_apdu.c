/* xDLMS APDUs: published examples and hand-written ones of each kind survive a round trip; every
 * truncation is refused; tags of ciphered forms map both ways. */
#include "lib/dlms/apdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const char *const requests[] = {
    "C001C1000100002B0100FF0200",
    "C0010000080000010000FF0200", /* Green Book: GET the time */
    "C001C100070100630100FF0201010204020412000809060000010000FF0F02120000090C07E20601FF000300"
    "FFFF8880090C07E50106FF000300FFFFC4000100",
    "C002C100000003",
    "C003C1020001 00002A0000FF 0200 0008 0000010000FF 0200",
    "C101C100080000010000FF0200090C07E50118FF0E303950FFC400",
    "C102C1 0001 0000600101FF 02 00 00 00000001 04 09054142",
    "C103C1 01 00000002 03 434445",
    "C104C101 0001 0000600101FF 0200 01 1105",
    "C301C1 000F 0000280000FF 01 01 09111000000003123456789012345678901234",
    "C301C1 0003 0100010800FF 01 00",
    "C105C1 02 0001 0000600101FF 02 00 0003 0100010800FF 02 00 00 00000001 05 0201000203",
    "C302C1 00000001",
    "C303C1 02 0009 00000A0064FF 01 0003 0100010800FF 01 02 120001 0F00",
    "C304C1 0009 00000A0064FF 01 00 00000001 02 1200",
    "C305C1 01 0009 00000A0064FF 01 00 00000001 03 011200",
    "C306C1 01 00000002 01 01",
};
static const char *const responses[] = {
    "C401C1000600001391",
    "C401C1010B",
    "C402C100000000010004 01020304",
    "C402C101000000020113",
    "C403C102 00 1105 01 04",
    "C501C100",
    "C502C100000001",
    "C503C10000000002",
    "C504C1 02 0003 00000002",
    "C505C1020003",
    "C702C1 00 00000001 04 01020304",
    "C703C1 02 00 00 00 01 00 1105",
    "C704C1 00000001",
    "C701C10000",
    "C701C100010009110000000000000000000000000000000000",
    "C701C10001010B",
    "C701C1FA00",
    "D80105",
    "D8010600000007",
    "0E010601",
};

static void apdu_requests_survive_a_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(requests); i++) {
        uint8_t b[256], again[256];
        struct apdu_request q;
        size_t n = hex_octets(requests[i], b, sizeof b);
        struct rd r = rd_of(b, n);
        struct wr w = wr_of(again, sizeof again);
        apdu_get_request(&r, &q);
        assert_int_equal(r.err, ERR_OK);
        apdu_put_request(&w, &q);
        assert_int_equal(w.err, ERR_OK);
        assert_int_equal(w.len, n);
        assert_memory_equal(again, b, n);
    }
}

static void apdu_responses_survive_a_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(responses); i++) {
        uint8_t b[256], again[256];
        struct apdu_response a;
        size_t n = hex_octets(responses[i], b, sizeof b);
        struct rd r = rd_of(b, n);
        struct wr w = wr_of(again, sizeof again);
        apdu_get_response(&r, &a);
        assert_int_equal(r.err, ERR_OK);
        apdu_put_response(&w, &a);
        assert_int_equal(w.err, ERR_OK);
        assert_int_equal(w.len, n);
        assert_memory_equal(again, b, n);
    }
}

/* What has no data is written from its results alone, too. */
static void apdu_results_alone_are_the_same_responses(void **state)
{
    (void)state;
    static const char *const bare[] = {
        "C401C1010B",     "C402C101000000020113", "C501C100",
        "C502C100000001", "C503C10000000002",     "C504C1 02 0003 00000002",
        "C505C1020003",   "C701C1FA00",           "C704C1 00000001",
    };
    for (size_t i = 0; i < N(bare); i++) {
        uint8_t b[64], again[64];
        struct apdu_response a;
        size_t n = hex_octets(bare[i], b, sizeof b);
        struct rd r = rd_of(b, n);
        struct wr w = wr_of(again, sizeof again);
        apdu_get_response(&r, &a);
        assert_int_equal(r.err, ERR_OK);
        struct bytes one = {&a.result, 1};
        apdu_put_results(&w, b, a.block, a.n_list ? a.data : one);
        assert_int_equal(w.len, n);
        assert_memory_equal(again, b, n);
    }
}

static void apdu_exceptions_are_the_same_responses(void **state)
{
    (void)state;
    uint8_t b[16];
    struct wr w = wr_of(b, sizeof b);
    apdu_put_exception(&w, 1, DLMS_EXC_OTHER_REASON, 7);
    apdu_put_exception(&w, 1, DLMS_EXC_COUNTER_ERROR, 7);
    uint8_t right[16];
    assert_int_equal(hex_octets("D80103 D8010600000007", right, sizeof right), w.len);
    assert_memory_equal(b, right, w.len);
}

/* Lists end where the APDU ends: their cut is found by who walks them. */
static bool is_list(const uint8_t *b)
{
    return (b[0] == DLMS_GET_REQUEST && b[1] == DLMS_GET_LIST) ||
           (b[0] == DLMS_SET_REQUEST && b[1] == DLMS_SET_LIST) ||
           (b[0] == DLMS_ACTION_REQUEST && b[1] == DLMS_ACTION_LIST) ||
           (b[0] == DLMS_ACTION_RESPONSE && b[1] == DLMS_ACTIONRES_LIST) ||
           (b[0] == DLMS_GET_RESPONSE && b[1] == DLMS_GETRES_LIST) ||
           (b[0] == DLMS_SET_RESPONSE && b[1] == DLMS_SETRES_LIST);
}

static void try_cut(const uint8_t *b, size_t k, bool request)
{
    uint8_t *exact = malloc(k ? k : 1);
    struct apdu_request q;
    struct apdu_response a;
    assert_non_null(exact);
    memcpy(exact, b, k);
    struct rd r = rd_of(exact, k);
    if (request)
        apdu_get_request(&r, &q);
    else
        apdu_get_response(&r, &a);
    assert_int_equal(r.err, ERR_TRUNCATED);
    free(exact);
}

static void apdu_refuses_every_truncation_and_tail(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(requests) + N(responses); i++) {
        uint8_t b[256];
        bool request = i < N(requests);
        size_t n = hex_octets(request ? requests[i] : responses[i - N(requests)], b, sizeof b - 1);
        struct apdu_request q;
        struct apdu_response a;
        if (is_list(b))
            continue;
        for (size_t k = 0; k < n; k++)
            try_cut(b, k, request);
        b[n] = 0;
        struct rd r = rd_of(b, n + 1);
        if (request)
            apdu_get_request(&r, &q);
        else
            apdu_get_response(&r, &a);
        assert_int_equal(r.err, ERR_FORMAT);
    }
}

static void apdu_selective_access_is_a_view(void **state)
{
    uint8_t b[256];
    struct apdu_request q;
    size_t n = hex_octets(requests[2], b, sizeof b);
    struct rd r = rd_of(b, n);
    (void)state;
    apdu_get_request(&r, &q);
    assert_int_equal(q.target.class_id, 7);
    assert_int_equal(q.target.id, 2);
    assert_int_equal(q.target.selector, 1);
    assert_ptr_equal(q.target.parameter.p, b + 14);
    assert_int_equal(q.target.parameter.len, n - 14);
}

static void apdu_get_result_walks_a_list(void **state)
{
    uint8_t b[64], result;
    struct apdu_response a;
    struct bytes data;
    struct rd r = rd_of(b, hex_octets("C403C102 00 1105 01 04", b, sizeof b));
    (void)state;
    apdu_get_response(&r, &a);
    assert_int_equal(a.n_list, 2);
    struct rd l = rd_of(a.data.p, a.data.len);
    apdu_get_result(&l, &data, &result);
    assert_int_equal(data.len, 2);
    apdu_get_result(&l, &data, &result);
    assert_int_equal(data.len, 0);
    assert_int_equal(result, 4);
    assert_int_equal(rd_left(&l), 0);
    apdu_get_result(&l, &data, &result);
    assert_int_equal(l.err, ERR_TRUNCATED);
}

static void apdu_unknown_kinds_are_told_apart(void **state)
{
    uint8_t b[16];
    struct apdu_request q;
    struct apdu_response a;
    struct wr w = wr_counter();
    (void)state;
    struct rd r = rd_of(b, hex_octets("C307C100", b, sizeof b));
    apdu_get_request(&r, &q);
    assert_int_equal(r.err, ERR_UNSUPPORTED);
    r = rd_of(b, hex_octets("C409C100", b, sizeof b));
    apdu_get_response(&r, &a);
    assert_int_equal(r.err, ERR_UNSUPPORTED);
    apdu_put_request(&w, &(struct apdu_request){.tag = 0xC0, .type = 9});
    assert_int_equal(w.err, ERR_UNSUPPORTED);
}

static void apdu_ciphered_tags_map_both_ways(void **state)
{
    bool dedicated = true;
    (void)state;
    assert_int_equal(apdu_ciphered_tag(DLMS_GET_REQUEST, false), 0xC8);
    assert_int_equal(apdu_ciphered_tag(DLMS_GET_RESPONSE, true), 0xD4);
    assert_int_equal(apdu_ciphered_tag(DLMS_INITIATE_REQUEST, false), 0x21);
    assert_int_equal(apdu_ciphered_tag(DLMS_INITIATE_REQUEST, true), 0);
    assert_int_equal(apdu_ciphered_tag(DLMS_EXCEPTION_RESPONSE, false), 0);
    assert_int_equal(apdu_plain_tag(0xCB, &dedicated), DLMS_ACTION_REQUEST);
    assert_false(dedicated);
    assert_int_equal(apdu_plain_tag(0xD1, &dedicated), DLMS_SET_REQUEST);
    assert_true(dedicated);
    assert_int_equal(apdu_plain_tag(DLMS_GET_REQUEST, &dedicated), 0);
    assert_int_equal(apdu_plain_tag(0, &dedicated), 0);
    assert_string_equal(apdu_exception_text(DLMS_EXC_DECIPHERING_ERROR), "deciphering-error");
    assert_string_equal(apdu_exception_text(200), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apdu_requests_survive_a_round_trip),
        cmocka_unit_test(apdu_responses_survive_a_round_trip),
        cmocka_unit_test(apdu_results_alone_are_the_same_responses),
        cmocka_unit_test(apdu_exceptions_are_the_same_responses),
        cmocka_unit_test(apdu_refuses_every_truncation_and_tail),
        cmocka_unit_test(apdu_selective_access_is_a_view),
        cmocka_unit_test(apdu_get_result_walks_a_list),
        cmocka_unit_test(apdu_unknown_kinds_are_told_apart),
        cmocka_unit_test(apdu_ciphered_tags_map_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
