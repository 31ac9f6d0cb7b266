/* What the server sends unasked: to the associated client and to one known beforehand, plain and
 * ciphered, confirmed and not. And the prefix of a gateway. */
#include "tests/lib/cosem/example.h"

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

static void connect_with(uint16_t sap, uint32_t conformance)
{
    peer_init(&p, &x, sap);
    p.conformance = conformance;
    p.max_pdu = 128;
    p.counter = x.server.rx_floor[2] + 1;
    assert_int_equal(peer_connect(&p, &aare), ACSE_ACCEPTED);
}

static const uint8_t value[] = {0x06, 0, 0, 0, 7};
static const struct apdu_notification notice = {.invoke = 0x123, .body = {value, sizeof value}};
static const struct session_push to_associated = {.client_sap = 0};

static void expect_sent(const char *hex)
{
    uint8_t a[256];
    size_t n = hex_octets(hex, a, sizeof a);
    struct bytes b = session_answer(&x.session);
    assert_int_equal(b.len, n);
    assert_memory_equal(b.p, a, n);
    assert_true(x.session.tx_unconfirmed);
    session_answered(&x.session);
    assert_int_equal(session_answer(&x.session).len, 0);
    assert_false(x.session.tx_unconfirmed);
}

static void notify_pushes_to_the_associated_client(void **state)
{
    (void)state;
    connect_with(SAP_READER, 0xFFFFFF);
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_OK);
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_BUSY);
    assert_int_equal(x.session.peer_client, SAP_READER);
    expect_sent("0F 00000123 00 0600000007");
    struct apdu_event e = {.target = {.class_id = 3, .id = 2}, .value = {value, sizeof value}};
    memcpy(e.target.ln, example_energy, 6);
    assert_int_equal(session_notify_event(&x.session, &to_associated, &e), ERR_OK);
    expect_sent("C2 00 0003 0100010800FF 02 0600000007");
    assert_int_equal(session_notice(&x.session), NOTICE_NONE);
}

static void notify_leaves_with_the_wrapper_too(void **state)
{
    uint8_t out[64];
    (void)state;
    connect_with(SAP_READER, 0xFFFFFF);
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_OK);
    assert_int_equal(session_take(&x.session, out, sizeof out), 8 + 11);
    assert_memory_equal(out, "\x00\x01\x00\x01\x00\x02\x00\x0B\x0F", 9);
}

static void notify_needs_somebody_who_wants_it(void **state)
{
    static uint8_t much[200] = {0x09, 0x81, 0xC5};
    (void)state;
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_STATE);
    connect_with(SAP_READER, DLMS_CONF_GET);
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_UNSUPPORTED);
    connect_with(SAP_READER, 0xFFFFFF);
    struct apdu_notification n = {.body = {much, sizeof much}};
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &n), ERR_RANGE);
    struct session_push to = {.client_sap = 99};
    assert_int_equal(session_notify_data(&x.session, 0, &to, &notice), ERR_NOT_FOUND);
    assert_int_equal(session_answer(&x.session).len, 0);
    session_close(&x.session);
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_STATE);
}

static void expect_opened(const struct peer *from, const char *hex)
{
    uint8_t a[64], sealed[256];
    size_t n = hex_octets(hex, a, sizeof a);
    struct bytes b = session_answer(&x.session);
    assert_true(b.len > 0 && b.len <= sizeof sealed);
    memcpy(sealed, b.p, b.len);
    session_answered(&x.session);
    p = *from;
    b = peer_open(&p, sealed, b.len);
    assert_int_equal(b.len, n);
    assert_memory_equal(b.p, a, n);
}

static void notify_is_sealed_as_the_client_must_have_it(void **state)
{
    (void)state;
    connect_with(SAP_MANAGER, 0xFFFFFF);
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_OK);
    assert_int_equal(session_answer(&x.session).p[0], DLMS_GENERAL_GLO);
    struct peer manager = p;
    expect_opened(&manager, "0F 00000123 00 0600000007");
    struct apdu_event e = {.target = {.class_id = 3, .id = 2}, .value = {value, sizeof value}};
    assert_int_equal(session_notify_event(&x.session, &to_associated, &e), ERR_OK);
    assert_int_equal(session_answer(&x.session).p[0], DLMS_EVENT_NOTIFICATION + DLMS_GLO_OFFSET);
    expect_opened(&manager, "C2 00 0003 000000000000 02 0600000007");
}

static void notify_pushes_without_an_association(void **state)
{
    struct session_push to = {.client_sap = SAP_PUBLIC, .server_sap = 1};
    (void)state;
    assert_int_equal(session_notify_data(&x.session, 0, &to, &notice), ERR_OK);
    assert_int_equal(x.session.peer_client, SAP_PUBLIC);
    assert_int_equal(x.session.peer_server, 1);
    expect_sent("0F 00000123 00 0600000007");
    to.client_sap = SAP_MANAGER;
    assert_int_equal(session_notify_data(&x.session, 0, &to, &notice), ERR_OK);
    peer_init(&p, &x, SAP_MANAGER);
    struct peer manager = p;
    expect_opened(&manager, "0F 00000123 00 0600000007");
    to.confirm_ms = 100;
    assert_int_equal(session_notify_data(&x.session, 0, &to, &notice), ERR_STATE);
    x.server.keys.has_guek = false;
    to.confirm_ms = 0;
    assert_int_equal(session_notify_data(&x.session, 0, &to, &notice), ERR_KEY);
}

static void confirm(uint16_t client, const char *hex)
{
    uint8_t a[64];
    size_t n = hex_octets(hex, a, sizeof a);
    session_apdu(&x.session, client, 1, a, n);
}

static void notify_waits_for_its_confirmation(void **state)
{
    struct session_push to = {.client_sap = 0, .confirm_ms = 500};
    (void)state;
    connect_with(SAP_READER, 0xFFFFFF);
    assert_int_equal(session_notify_data(&x.session, 1000, &to, &notice), ERR_OK);
    expect_sent("0F 40000123 00 0600000007");
    assert_int_equal(session_notice(&x.session), NOTICE_WAITING);
    confirm(SAP_READER, "10 00000124 00"); /* of another one */
    assert_int_equal(session_notice(&x.session), NOTICE_WAITING);
    assert_int_equal(session_poll(&x.session, 1000), 1500);
    confirm(SAP_READER, "10 00000123 00");
    assert_int_equal(session_notice(&x.session), NOTICE_CONFIRMED);
    assert_int_equal(session_answer(&x.session).len, 0);
    assert_int_equal(session_poll(&x.session, 1000), UINT64_MAX);
    assert_int_equal(session_notify_data(&x.session, 2000, &to, &notice), ERR_OK);
    session_answered(&x.session);
    (void)session_poll(&x.session, 2499);
    assert_int_equal(session_notice(&x.session), NOTICE_WAITING);
    (void)session_poll(&x.session, 2500);
    assert_int_equal(session_notice(&x.session), NOTICE_TIMED_OUT);
    confirm(SAP_READER, "10 00000123 00"); /* too late */
    assert_int_equal(session_notice(&x.session), NOTICE_TIMED_OUT);
}

static void notify_is_confirmed_without_an_association(void **state)
{
    struct session_push to = {.client_sap = SAP_PUBLIC, .server_sap = 1, .confirm_ms = 500};
    (void)state;
    assert_int_equal(session_notify_data(&x.session, 0, &to, &notice), ERR_OK);
    session_answered(&x.session);
    confirm(SAP_READER, "10 00000123 00"); /* not who was asked */
    assert_int_equal(session_answer(&x.session).len, 3);
    session_answered(&x.session);
    assert_int_equal(session_notice(&x.session), NOTICE_WAITING);
    confirm(SAP_PUBLIC, "10 00000123 00");
    assert_int_equal(session_notice(&x.session), NOTICE_CONFIRMED);
    assert_int_equal(session_answer(&x.session).len, 0);
    confirm(SAP_PUBLIC, "10 00000123 00");
    assert_int_equal(session_answer(&x.session).len, 3); /* nobody waits: an exception */
}

static void confirmation_of_a_ciphered_association_must_be_ciphered(void **state)
{
    struct session_push to = {.client_sap = 0, .confirm_ms = 500};
    uint8_t q[64], sealed[128];
    (void)state;
    connect_with(SAP_MANAGER, 0xFFFFFF);
    p.general = true;
    assert_int_equal(session_notify_data(&x.session, 0, &to, &notice), ERR_OK);
    session_answered(&x.session);
    confirm(SAP_MANAGER, "10 00000123 00");
    assert_int_equal(session_notice(&x.session), NOTICE_WAITING);
    session_answered(&x.session);
    size_t n = hex_octets("10 00000123 00", q, sizeof q);
    n = peer_protect(&p, q, n, sealed, sizeof sealed);
    session_apdu(&x.session, SAP_MANAGER, 1, sealed, n);
    assert_int_equal(session_notice(&x.session), NOTICE_CONFIRMED);
}

/* ---- gateway ---- */

static bool is_mine(void *context, uint8_t network, struct bytes address)
{
    (void)context;
    return network == 1 && address.len == 2 && memcmp(address.p, "\xAB\xCD", 2) == 0;
}

static void expect_raw(const char *request, const char *answer)
{
    uint8_t q[256], a[64];
    size_t n = hex_octets(request, q, sizeof q), m = hex_octets(answer, a, sizeof a);
    struct bytes b = peer_raw(&p, q, n);
    assert_int_equal(b.len, m);
    if (m > 0)
        assert_memory_equal(b.p, a, m);
}

#define GET_ENERGY "C001C1 0003 0100010800FF 02 00"

static void gateway_prefix_is_answered_in_kind(void **state)
{
    (void)state;
    connect_with(SAP_READER, 0xFFFFFF);
    expect_raw("E6 01 02 ABCD" GET_ENERGY, ""); /* no hook: not for this meter */
    x.server.config.gateway = is_mine;
    expect_raw("E6 01 02 ABCD" GET_ENERGY, "E7 01 02 ABCD C401C10006000003E8");
    expect_raw(GET_ENERGY, "C401C10006000003E8");
    expect_raw("E6 01 02 ABCE" GET_ENERGY, "");
    expect_raw("E6 02 02 ABCD" GET_ENERGY, "");
    expect_raw("E7 01 02 ABCD" GET_ENERGY, "");
    expect_raw("E6 01 02 AB", "");
    expect_raw("E6 01 02 ABCD FF", "E7 01 02 ABCD D80202");
    expect_raw("E6 01 02 ABCD E6 01 02 ABCD" GET_ENERGY, "E7 01 02 ABCD D80202");
}

#define AARQ_LLS                                                                                   \
    "6039A1090607608574050801018A0207808B0760857405080201AC0D800B6C6574206D652072656164"           \
    "BE10040E01000000065F1F040000FFFF0400"

static void other_client_asks(const char *hex)
{
    uint8_t q[64];
    session_apdu(&x.session, SAP_PUBLIC, 1, q, hex_octets(hex, q, sizeof q));
    assert_true(session_answer(&x.session).len > 0);
    session_answered(&x.session);
}

static void gateway_of_the_association_is_that_of_its_pushes(void **state)
{
    uint8_t q[128];
    (void)state;
    x.server.config.gateway = is_mine;
    peer_init(&p, &x, SAP_READER);
    assert_true(peer_raw(&p, q, hex_octets("E6 01 02 ABCD" AARQ_LLS, q, sizeof q)).len > 40);
    assert_int_equal(x.session.state, SESSION_ASSOCIATED);
    other_client_asks(GET_ENERGY);
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_OK);
    expect_sent("E7 01 02 ABCD 0F 00000123 00 0600000007");
    assert_true(peer_raw(&p, q, hex_octets(AARQ_LLS, q, sizeof q)).len > 40);
    other_client_asks("E6 01 02 ABCD" GET_ENERGY);
    assert_int_equal(session_notify_data(&x.session, 0, &to_associated, &notice), ERR_OK);
    expect_sent("0F 00000123 00 0600000007");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        T(notify_pushes_to_the_associated_client),
        T(notify_leaves_with_the_wrapper_too),
        T(notify_needs_somebody_who_wants_it),
        T(notify_is_sealed_as_the_client_must_have_it),
        T(notify_pushes_without_an_association),
        T(notify_waits_for_its_confirmation),
        T(notify_is_confirmed_without_an_association),
        T(confirmation_of_a_ciphered_association_must_be_ciphered),
        T(gateway_prefix_is_answered_in_kind),
        T(gateway_of_the_association_is_that_of_its_pushes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
