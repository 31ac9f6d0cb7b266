/* ACTION in all its forms, SET of lists by blocks, and the locks that long writes hold. */
#include "tests/lib/cosem/example.h"

#include "lib/dlms/axdr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define EXECUTE "0009 00000A0000FF 01"
#define ECHO    "0006 00000E0000FF 03"
#define RESET   "0003 0100010800FF 01"
#define NOTE    "0001 0000600101FF 02"

static struct example x;
static struct peer p;
static struct acse_aare aare;

static int start(void **state)
{
    (void)state;
    example_init(&x);
    return 0;
}

static void connect_with(uint16_t sap, uint16_t max_pdu)
{
    peer_init(&p, &x, sap);
    p.max_pdu = max_pdu;
    p.counter = x.server.rx_floor[2] + x.server.rx_floor[3] + 1;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
}

static void expect_answer(const char *request, const char *answer)
{
    uint8_t q[512], a[512];
    size_t n = hex_octets(request, q, sizeof q), m = hex_octets(answer, a, sizeof a);
    struct bytes b = peer_ask(&p, q, n);
    assert_int_equal(b.len, m);
    assert_memory_equal(b.p, a, m);
    assert_true(p.last_apdu_len <= p.max_pdu);
}

/* Asks, then fetches the further blocks of an ACTION answer; gives their octets. */
static size_t fetch(const char *request, uint8_t *out, size_t size, unsigned *n_blocks)
{
    uint8_t q[512];
    struct apdu_response a;
    size_t len = 0, n = hex_octets(request, q, sizeof q);
    struct bytes b = peer_ask(&p, q, n);
    for (*n_blocks = 1;; (*n_blocks)++) {
        struct rd r = rd_of(b.p, b.len);
        apdu_get_response(&r, &a);
        assert_int_equal(r.err, ERR_OK);
        assert_true(a.tag == DLMS_ACTION_RESPONSE && a.type == DLMS_ACTIONRES_BLOCK);
        assert_int_equal(a.block, *n_blocks);
        assert_true(p.last_apdu_len <= p.max_pdu && len + a.data.len <= size);
        memcpy(out + len, a.data.p, a.data.len);
        len += a.data.len;
        if (a.last)
            return len;
        b = peer_request(&p, &(struct apdu_request){.tag = DLMS_ACTION_REQUEST,
                                                    .type = DLMS_ACTION_NEXT,
                                                    .invoke = 0xC1,
                                                    .block = a.block});
    }
}

static void action_gives_return_values(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    expect_answer("C301C1" EXECUTE "01 120003", "C701C1 00 01 00 0903000102");
    expect_answer("C301C1" ECHO "01 09024142", "C701C1 00 01 00 09024142");
    expect_answer("C301C1" RESET "01 0F00", "C701C1 00 00");
    assert_int_equal(x.n_run, 2);
}

static void action_list_gives_a_response_each(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    expect_answer("C303C104" EXECUTE RESET "0003 0100010900FF 01" ECHO "04 120002 0F00 00 0900",
                  "C703C104 00 01 00 09020001  00 00  04 00  00 01 00 0900");
    assert_int_equal(x.n_run, 2);
    connect_with(SAP_READER, 1024);
    expect_answer("C303C101" EXECUTE "01 120002", "C703C101 03 00");
}

static void action_list_that_is_malformed_runs_nothing(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    expect_answer("C303C102" EXECUTE EXECUTE "01 120002", "D80103");
    expect_answer("C303C102" EXECUTE EXECUTE "02 120002", "D80103");
    expect_answer("C303C102" EXECUTE EXECUTE "02 120002 120002 00", "D80103");
    expect_answer("C303C102" EXECUTE "0009 00000A0000", "D80103");
    expect_answer("C303C100 00", "D80103");
    expect_answer("C303C111", "D80103");
    assert_int_equal(x.n_run, 0);
}

static void action_answers_by_blocks_what_is_longer_than_an_apdu(void **state)
{
    uint8_t out[1024];
    unsigned n_blocks;
    (void)state;
    connect_with(SAP_WRITER, COSEM_PDU_MIN);
    size_t n = fetch("C301C1" EXECUTE "01 12012C", out, sizeof out, &n_blocks);
    assert_int_equal(n, 3 + 4 + 300);
    assert_true(n_blocks > 5);
    assert_memory_equal(out, "\x00\x01\x00\x09\x82\x01\x2C\x00\x01\x02", 10);
    assert_int_equal(out[n - 1], 299 & 0xFF);
    assert_int_equal(x.n_run, 1);
    n = fetch("C303C102" EXECUTE EXECUTE "02 120040 120041", out, sizeof out, &n_blocks);
    assert_int_equal(n, 1 + 3 + 2 + 64 + 3 + 2 + 65);
    assert_memory_equal(out, "\x02\x00\x01\x00\x09\x40\x00\x01", 8);
}

static void action_by_blocks_also_ciphered(void **state)
{
    uint8_t out[1024];
    unsigned n_blocks;
    (void)state;
    connect_with(SAP_MANAGER, COSEM_PDU_MIN);
    assert_int_equal(fetch("C301C1" EXECUTE "01 120100", out, sizeof out, &n_blocks), 7 + 256);
    assert_int_equal(out[7 + 255], 255);
}

static void action_whose_return_value_finds_no_room_says_so(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 128);
    expect_answer("C301C1" EXECUTE "01 120300", "C701C1 00 01 01 FA");
    expect_answer("C303C103" EXECUTE EXECUTE EXECUTE "03 120300 120002 120300",
                  "C703C103 00 01 01 FA  00 01 00 09020001  00 01 01 FA");
    assert_int_equal(x.n_run, 4);
    p.conformance = DLMS_CONF_ACTION; /* no blocks agreed */
    p.counter = x.server.rx_floor[3] + 1;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
    expect_answer("C301C1" EXECUTE "01 120100", "C701C1 00 01 01 FA");
}

static void action_next_wants_the_right_block(void **state)
{
    uint8_t out[1024];
    unsigned n_blocks;
    (void)state;
    connect_with(SAP_WRITER, COSEM_PDU_MIN);
    expect_answer("C302C1 00000001", "C701C1 10 00");
    uint8_t q[64];
    size_t n = hex_octets("C301C1" EXECUTE "01 120100", q, sizeof q);
    assert_int_equal(peer_raw(&p, q, n).p[1], DLMS_ACTIONRES_BLOCK);
    expect_answer("C302C1 00000002", "C701C1 0F 00");
    expect_answer("C302C1 00000001", "C701C1 10 00"); /* it is over */
    assert_int_equal(fetch("C301C1" EXECUTE "01 120100", out, sizeof out, &n_blocks), 7 + 256);
}

static void action_collects_a_parameter_by_blocks(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    expect_answer("C304C1" ECHO "00 00000001 04 09054142", "C704C1 00000001");
    expect_answer("C306C1 00 00000002 02 4344", "C704C1 00000002");
    expect_answer("C306C1 01 00000003 01 45", "C701C1 00 01 00 09054142434445");
    assert_int_equal(x.n_run, 1);
    expect_answer("C306C1 01 00000003 01 45", "C701C1 10 00");
    expect_answer("C304C1" ECHO "00 00000001 04 09054142", "C704C1 00000001");
    expect_answer("C306C1 01 00000003 01 45", "C701C1 0F 00");
    expect_answer("C306C1 01 00000002 01 45", "C701C1 10 00");
    expect_answer("C304C1" ECHO "01 00000001 04 09024142", "C701C1 00 01 00 09024142");
    expect_answer("C304C1" ECHO "01 00000001 04 09054142", "C701C1 0C 00"); /* cut */
    assert_int_equal(x.n_run, 2);
}

static void action_list_by_blocks(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    expect_answer("C305C102" ECHO EXECUTE "00 00000001 04 02 090241", "C704C1 00000001");
    expect_answer("C306C1 01 00000002 04 42 120001", "C703C102 00 01 00 09024142 00 01 00 090100");
    expect_answer("C305C102" ECHO EXECUTE "01 00000001 04 01 090141", "C701C1 0C 00");
    assert_int_equal(x.n_run, 2);
}

static void set_list_by_blocks(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    expect_answer("C105C102" NOTE "00 0003 0100010800FF 02 00"
                  "00 00000001 04 02 090258",
                  "C502C1 00000001");
    expect_answer("C103C1 01 00000002 06 59 0600000000", "C504C1 02 00 03 00000002");
    assert_int_equal(x.note_len, 2);
    assert_memory_equal(x.note, "XY", 2);
    expect_answer("C105C102" NOTE "00" NOTE "00"
                  "01 00000001 04 02 090141",
                  "C503C1 0C 00000001"); /* one value is missing: none is written */
    assert_memory_equal(x.note, "XY", 2);
    expect_answer("C105C100 00 00000001 00", "C502C1 00000001");
    expect_answer("C103C1 01 00000002 01 00", "C503C1 0C 00000002");
}

/* ---- locks ---- */

static struct example y; /* a second line to the server of x */
static struct peer q;

static void connect_second(uint16_t sap)
{
    memcpy(&y, &x, sizeof y);
    session_init(&y.session, &x.server);
    peer_init(&q, &y, sap);
    q.counter = x.server.rx_floor[3] + 1;
    assert_int_equal(peer_connect(&q, &aare), ACSE_ACCEPTED);
}

static void second_gets(const char *request, const char *answer)
{
    uint8_t o[512], a[512];
    size_t n = hex_octets(request, o, sizeof o), m = hex_octets(answer, a, sizeof a);
    struct bytes b = peer_raw(&q, o, n);
    assert_int_equal(b.len, m);
    assert_memory_equal(b.p, a, m);
}

#define SET_NOTE   "C101C1" NOTE "00 090131"
#define BEGIN_NOTE "C102C1" NOTE "00 00 00000001 03 090241"

static void long_set_locks_its_object_for_others(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    connect_second(SAP_WRITER);
    expect_answer(BEGIN_NOTE, "C502C1 00000001");
    second_gets(SET_NOTE, "C501C1 02");
    second_gets("C104C101" NOTE "00 01 090131", "C505C101 02");
    second_gets(BEGIN_NOTE, "C503C1 02 00000001");
    second_gets("C001C1 0001 0000600101FF 02 00", "C401C1 00 0900"); /* reading goes on */
    expect_answer("C103C1 01 00000002 01 42", "C503C1 00 00000002");
    second_gets(SET_NOTE, "C501C1 00");
}

static void lock_is_free_when_the_transfer_ends_in_any_way(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    connect_second(SAP_WRITER);
    expect_answer(BEGIN_NOTE, "C502C1 00000001");
    expect_answer("C103C1 01 00000007 01 42", "C503C1 13 00000007"); /* aborted */
    second_gets(SET_NOTE, "C501C1 00");
    expect_answer(BEGIN_NOTE, "C502C1 00000001");
    expect_answer("C001C1 0001 00002A0000FF 01 00", "C401C1 00 090600002A0000FF");
    second_gets(SET_NOTE, "C501C1 00"); /* another request ended it */
    expect_answer(BEGIN_NOTE, "C502C1 00000001");
    expect_answer("6200", "6303800100");
    second_gets(SET_NOTE, "C501C1 00"); /* released */
    connect_with(SAP_WRITER, 1024);
    expect_answer(BEGIN_NOTE, "C502C1 00000001");
    session_close(&x.session);
    second_gets(SET_NOTE, "C501C1 00"); /* line lost */
    session_init(&x.session, &x.server);
    connect_with(SAP_WRITER, 1024);
    expect_answer(BEGIN_NOTE, "C502C1 00000001");
    session_init(&x.session, &x.server); /* begun anew without a word */
    second_gets(SET_NOTE, "C501C1 00");
}

static void lock_is_free_after_silence(void **state)
{
    (void)state;
    x.server.config.inactivity_ms = 1000;
    connect_with(SAP_WRITER, 1024);
    connect_second(SAP_WRITER);
    expect_answer(BEGIN_NOTE, "C502C1 00000001");
    (void)session_poll(&x.session, 10);
    second_gets(SET_NOTE, "C501C1 02");
    (void)session_poll(&x.session, 1010);
    assert_true(session_closed(&x.session));
    second_gets(SET_NOTE, "C501C1 00");
}

static void long_action_locks_its_object_for_others(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024);
    connect_second(SAP_WRITER);
    expect_answer("C305C102" ECHO EXECUTE "00 00000001 04 02 090241", "C704C1 00000001");
    second_gets("C301C1" ECHO "01 0900", "C701C1 02 00");
    second_gets("C301C1" EXECUTE "01 120000", "C701C1 02 00");
    second_gets("C301C1" RESET "01 0F00", "C701C1 00 00");
    second_gets("C304C1" ECHO "00 00000001 01 09", "C701C1 02 00");
    expect_answer("C306C1 01 00000002 04 42 120001", "C703C102 00 01 00 09024142 00 01 00 090100");
    second_gets("C301C1" ECHO "01 0900", "C701C1 00 01 00 0900");
}

static void who_may_not_write_locks_nothing(void **state)
{
    (void)state;
    connect_with(SAP_READER, 1024);
    connect_second(SAP_WRITER);
    expect_answer(BEGIN_NOTE, "C502C1 00000001");
    second_gets(SET_NOTE, "C501C1 00");
    expect_answer("C103C1 01 00000002 01 42", "C503C1 03 00000002");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(action_gives_return_values, start),
        cmocka_unit_test_setup(action_list_gives_a_response_each, start),
        cmocka_unit_test_setup(action_list_that_is_malformed_runs_nothing, start),
        cmocka_unit_test_setup(action_answers_by_blocks_what_is_longer_than_an_apdu, start),
        cmocka_unit_test_setup(action_by_blocks_also_ciphered, start),
        cmocka_unit_test_setup(action_whose_return_value_finds_no_room_says_so, start),
        cmocka_unit_test_setup(action_next_wants_the_right_block, start),
        cmocka_unit_test_setup(action_collects_a_parameter_by_blocks, start),
        cmocka_unit_test_setup(action_list_by_blocks, start),
        cmocka_unit_test_setup(set_list_by_blocks, start),
        cmocka_unit_test_setup(long_set_locks_its_object_for_others, start),
        cmocka_unit_test_setup(lock_is_free_when_the_transfer_ends_in_any_way, start),
        cmocka_unit_test_setup(lock_is_free_after_silence, start),
        cmocka_unit_test_setup(long_action_locks_its_object_for_others, start),
        cmocka_unit_test_setup(who_may_not_write_locks_nothing, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
