/* ACCESS at the server: every choice, break-on-error, answers that do not fit, malformed requests.
 */
#include "tests/lib/cosem/example.h"

#include "lib/dlms/apdu_access.h"
#include "lib/dlms/axdr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define NAME    "0001 00002A0000FF 02"
#define NOTE    "0001 0000600101FF 02"
#define ENERGY  "0003 0100010800FF 02"
#define EXECUTE "0009 00000A0000FF 01"
#define PROFILE "0007 0100630100FF 02"

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

static void expect_answer(const char *request, const char *answer)
{
    uint8_t q[512], a[512];
    size_t n = hex_octets(request, q, sizeof q), m = hex_octets(answer, a, sizeof a);
    struct bytes b = peer_ask(&p, q, n);
    assert_int_equal(b.len, m);
    assert_memory_equal(b.p, a, m);
    assert_true(p.last_apdu_len <= p.max_pdu);
}

#define NO_GBT (0xFFFFFFu & ~DLMS_CONF_GENERAL_BLOCK)

static void access_does_all_in_order(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024, NO_GBT);
    expect_answer("D9 40000001 00 05 01" NOTE "02" NOTE "01" NOTE "03" EXECUTE "01" ENERGY
                  "05 00 09024142 00 120003 00",
                  "DA 40000001 00 00 05 0900 00 09024142 0903000102 06000003E8"
                  "05 0100 0200 0100 0300 0100");
    assert_int_equal(x.note_len, 2);
    assert_int_equal(x.n_run, 1);
}

static void access_gives_a_result_each(void **state)
{
    (void)state;
    connect_with(SAP_READER, 1024, NO_GBT);
    expect_answer("D9 40000002 00 04 01 0003 0100010900FF 02 02" NOTE "03" EXECUTE "01" ENERGY
                  "04 00 0900 120003 00",
                  "DA 40000002 00 00 04 00 00 00 06000003E8 04 0104 0203 0303 0100");
    assert_int_equal(x.n_run, 0);
}

static void access_stops_at_the_first_error_where_asked(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024, NO_GBT);
    expect_answer("D9 60000003 00 04 01" ENERGY "01 0003 0100010900FF 02 02" NOTE "03" EXECUTE
                  "04 00 00 090141 120003",
                  "DA 60000003 00 00 04 06000003E8 00 00 00 04 0100 0104 02FA 03FA");
    assert_int_equal(x.note_len, 0);
    assert_int_equal(x.n_run, 0);
}

static void access_describes_itself_and_echoes_the_time(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024, NO_GBT);
    expect_answer("D9 50000004 0C 07EA0101040000000000FF00 01 01" ENERGY "01 00",
                  "DA 50000004 0C 07EA0101040000000000FF00 01 01 01" ENERGY
                  "01 06000003E8 01 0100");
}

static void access_selects(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 1024, NO_GBT);
    expect_answer("D9 40000005 00 02 04" PROFILE "02 0204 0600000001 0600000001 120001 120001"
                  "05" NOTE "01 00 02 00 090141",
                  "DA 40000005 00 00 02 0101 0212 090C07EA01010401000000FFC400 1100"
                  "0600000000 0600000001 0600000002 0600000003 0600000004 0600000005 0600000006"
                  "0600000007 0600000008 0600000009 060000000A 060000000B 060000000C 060000000D"
                  "060000000E 060000000F 00 02 0100 020D");
}

static void access_needs_its_conformance_bit_and_form(void **state)
{
    (void)state;
    connect_with(SAP_READER, 1024, 0xFFFFFFu & ~DLMS_CONF_ACCESS);
    expect_answer("D9 40000001 00 01 01" ENERGY "01 00", "D80102");
    connect_with(SAP_READER, 1024, NO_GBT);
    expect_answer("D9 40000001 00 00 00", "D80103");
    expect_answer("D9 40000001 00 02 01" ENERGY "01 00", "D80103");
    expect_answer("D9 40000001 00 01 01" ENERGY "02 00 00", "D80103");
    expect_answer("D9 40000001 00 01 01" ENERGY "01 00 00", "D80103");
    expect_answer("D9 40000001 00 01 06" ENERGY "01 00", "D80103");
    expect_answer("D9 40000001 00 01 04" ENERGY "01 02 01", "D80103");
    expect_answer("D9 40000001 05 01 01" ENERGY "01 00", "D80103");
    expect_answer("D9 40000001 00 11", "D80103");
}

/* GETs of the same attribute, n of them. */
static struct bytes access_to_many(unsigned n)
{
    static uint8_t q[2048];
    struct wr w = wr_of(q, sizeof q);
    uint8_t one[16];
    wr_bytes(&w, one, hex_octets("D9 40000001 00", one, sizeof one));
    wr_length(&w, n);
    for (unsigned i = 0; i < n; i++)
        wr_bytes(&w, one, hex_octets("01" ENERGY, one, sizeof one));
    wr_length(&w, n);
    for (unsigned i = 0; i < n; i++)
        wr_u8(&w, 0);
    assert_int_equal(w.err, ERR_OK);
    return peer_raw(&p, q, w.len);
}

static void access_takes_as_many_as_a_meter_has_registers_and_refuses_more(void **state)
{
    (void)state;
    connect_with(SAP_READER, COSEM_PDU_MAX, NO_GBT);
    struct apdu_access a;
    struct bytes b = access_to_many(COSEM_LIST_MAX);
    struct rd r = rd_of(b.p, b.len);
    access_get_response(&r, &a);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(a.n, COSEM_LIST_MAX);
    for (size_t i = 1; i < a.results.len; i += 2)
        assert_int_equal(a.results.p[i], 0);
    b = access_to_many(COSEM_LIST_MAX + 1);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.p, "\xD8\x01\x03", 3);
}

static void access_that_only_reads_too_much_is_refused_without_block_transfer(void **state)
{
    (void)state;
    connect_with(SAP_WRITER, 128, NO_GBT);
    expect_answer("D9 40000001 00 02 01" ENERGY "01" PROFILE "02 00 00", "D80104");
}

static void access_that_writes_is_never_done_twice(void **state)
{
    (void)state;
    x.rows = 40;
    connect_with(SAP_WRITER, 128, 0xFFFFFF);
    expect_answer("D9 40000001 00 03 01" PROFILE "03" EXECUTE "01" ENERGY "03 00 120002 00",
                  "DA 40000001 00 00 03 00 09020001 06000003E8 03 010E 0300 0100");
    assert_int_equal(x.n_run, 1);
    expect_answer("D9 40000001 00 02 03" EXECUTE "01" ENERGY "02 120100 00",
                  "DA 40000001 00 00 02 00 06000003E8 02 030E 0100");
    assert_int_equal(x.n_run, 2);
}

/* The blocks of an answer, one at a time; gives its octets. */
static size_t fetch(const uint8_t *request, size_t len, uint8_t *out, size_t size)
{
    uint8_t word[16];
    size_t n = 0;
    bool last = false;
    struct bytes b = peer_raw(&p, request, len);
    for (unsigned i = 1; !last; i++) {
        assert_int_equal(b.p[0], DLMS_GENERAL_BLOCK);
        assert_true(b.len <= p.max_pdu);
        struct gbt_block block;
        struct rd r = rd_of(b.p, b.len);
        gbt_get(&r, &block);
        assert_int_equal(r.err, ERR_OK);
        assert_int_equal(block.number, i);
        assert_true(n + block.data.len <= size);
        memcpy(out + n, block.data.p, block.data.len);
        n += block.data.len;
        last = block.last;
        struct wr w = wr_of(word, sizeof word);
        gbt_put(&w, &(struct gbt_block){
                        .last = true, .window = 1, .number = (uint16_t)i, .ack = (uint16_t)i});
        if (!last)
            b = peer_raw(&p, word, w.len);
    }
    return n;
}

static void access_reads_any_length_by_general_blocks(void **state)
{
    static uint8_t whole[20000], out[20000];
    uint8_t q[256];
    size_t len;
    unsigned n_blocks;
    struct apdu_access a;
    (void)state;
    x.rows = 100;
    connect_with(SAP_READER, 128, 0xFFFFFF);
    assert_int_equal(
        peer_get(&p, 7, example_profile, 2, NULL, whole, sizeof whole, &len, &n_blocks), 0);
    for (unsigned described = 0; described < 2; described++) {
        size_t n = hex_octets(described ? "D9 50000001 00 03 01" ENERGY "01" PROFILE
                                          "01 0003 0100010900FF 02 03 00 00 00"
                                        : "D9 40000001 00 03 01" ENERGY "01" PROFILE
                                          "01 0003 0100010900FF 02 03 00 00 00",
                              q, sizeof q);
        n = fetch(q, n, out, sizeof out);
        struct rd r = rd_of(out, n);
        access_get_response(&r, &a);
        assert_int_equal(r.err, ERR_OK);
        assert_int_equal(a.n, 3);
        assert_int_equal(a.specifications.len, described ? 30 : 0);
        assert_int_equal(a.data.len, 5 + len + 1);
        assert_memory_equal(a.data.p + 5, whole, len);
        assert_int_equal(a.results.len, 6);
        assert_memory_equal(a.results.p, "\x01\x00\x01\x00\x01\x04", 6);
    }
}

static void access_travels_in_general_glo_ciphering(void **state)
{
    uint8_t q[64];
    (void)state;
    connect_with(SAP_MANAGER, 512, NO_GBT);
    p.general = true;
    size_t n = hex_octets("D9 40000001 00 01 01" ENERGY "01 00", q, sizeof q);
    struct bytes b = peer_ask(&p, q, n);
    assert_int_equal(b.len, 1 + 4 + 1 + 1 + 1 + 5 + 1 + 2);
    assert_int_equal(b.p[0], DLMS_ACCESS_RESPONSE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        T(access_does_all_in_order),
        T(access_gives_a_result_each),
        T(access_stops_at_the_first_error_where_asked),
        T(access_describes_itself_and_echoes_the_time),
        T(access_selects),
        T(access_needs_its_conformance_bit_and_form),
        T(access_takes_as_many_as_a_meter_has_registers_and_refuses_more),
        T(access_that_only_reads_too_much_is_refused_without_block_transfer),
        T(access_that_writes_is_never_done_twice),
        T(access_reads_any_length_by_general_blocks),
        T(access_travels_in_general_glo_ciphering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
