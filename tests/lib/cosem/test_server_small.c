/* The server as a small meter builds it: buffers of 256 octets, no lists, blocks only for GET. What
 * is left out takes no memory, is not offered, and is refused with the right exception. The options
 * are those of this test's CMakeLists.txt; the library is compiled with them, too. */
#include "tests/lib/cosem/example.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

/* With 64-bit pointers. The rest of 3 KiB is the HDLC link's and its buffer's. */
_Static_assert(sizeof(struct cosem_session) <= 960, "the small session has grown");
_Static_assert(sizeof(struct cosem_session) + sizeof(struct cosem_server) <= 1600,
               "session and server of a small meter have grown");

static struct example x;
static struct peer p;
static struct acse_aare aare;

static int start(void **state)
{
    (void)state;
    example_init(&x);
    return 0;
}

static void connect_as(uint16_t sap)
{
    peer_init(&p, &x, sap);
    p.max_pdu = 512;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
}

/* Without the wrapper: session_feed is not in this build. */
static void expect_answer(const char *request, const char *answer)
{
    uint8_t q[512], a[512];
    size_t n = hex_octets(request, q, sizeof q), m = hex_octets(answer, a, sizeof a);
    struct bytes b = peer_ask(&p, q, n);
    assert_int_equal(b.len, m);
    assert_memory_equal(b.p, a, m);
}

static void small_server_tells_its_size(void **state)
{
    (void)state;
    print_message(
        "struct cosem_session %zu octets (tx %zu, transfer %zu), struct cosem_server %zu\n",
        sizeof(struct cosem_session), sizeof x.session.tx, sizeof x.session.transfer,
        sizeof(struct cosem_server));
}

static void small_server_agrees_only_on_what_it_has(void **state)
{
    (void)state;
    connect_as(SAP_READER);
    assert_int_equal(x.session.conformance, DLMS_CONF_GET | DLMS_CONF_SET | DLMS_CONF_ACTION |
                                                DLMS_CONF_SELECTIVE | DLMS_CONF_BLOCK_GET);
    assert_int_equal(x.session.max_pdu, COSEM_PDU_MAX);
}

static void small_server_serves_what_it_has(void **state)
{
    size_t len;
    unsigned n_blocks;
    (void)state;
    x.rows = 50;
    connect_as(SAP_WRITER);
    expect_answer("C001C1 0003 0100010800FF 02 00", "C401C10006000003E8");
    expect_answer("C101C1 0001 0000600101FF 02 00 0903414243", "C501C100");
    expect_answer("C301C1 0009 00000A0000FF 01 01 120003", "C701C1 00 01 00 0903000102");
    expect_answer("C301C1 0009 00000A0000FF 01 01 120200", "C701C1 00 01 01 FA");
    assert_int_equal(peer_get(&p, 7, example_profile, 2, NULL, NULL, 0, &len, &n_blocks), 0);
    assert_true(n_blocks > 10);
    connect_as(SAP_MANAGER);
    assert_int_equal(peer_get(&p, 7, example_profile, 2, NULL, NULL, 0, &len, &n_blocks), 0);
}

static void small_server_refuses_what_it_has_not(void **state)
{
    (void)state;
    connect_as(SAP_WRITER);
    expect_answer("C003C101 0003 0100010800FF 02 00", "D80102");
    expect_answer("C104C101 0001 0000600101FF 02 00 01 0900", "D80102");
    expect_answer("C102C1 0001 0000600101FF 02 00 00 00000001 01 09", "D80102");
    expect_answer("C303C101 0009 00000A0000FF 01 01 120003", "D80102");
    expect_answer("C304C1 0009 00000A0000FF 01 00 00000001 01 12", "D80102");
    expect_answer("D9 40000001 00 01 01 0003 0100010800FF 02 01 00", "D80102");
    expect_answer("E081 0001 0000 01 C0", "D80102");
    expect_answer("10 00000001 00", "D80202");
    expect_answer("E6 01 00 C0", "D80202");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(small_server_tells_its_size, start),
        cmocka_unit_test_setup(small_server_agrees_only_on_what_it_has, start),
        cmocka_unit_test_setup(small_server_serves_what_it_has, start),
        cmocka_unit_test_setup(small_server_refuses_what_it_has_not, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
