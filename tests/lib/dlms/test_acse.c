/* ACSE: published and recorded APDUs read and written again, octet by octet; truncation; texts. */
#include "lib/dlms/acse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Examples of the Green Book (as public test suites quote them) and one recorded AARQ with HLS 5.
 */
static const char *const aarqs[] = {
    "601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0",
    "6036A1090607608574050801018A0207808B0760857405080201AC0A80083132333435363738"
    "BE10040E01000000065F1F0400007E1F04B0",
    "6066A109060760857405080103A60A04084D4D4D0000BC614E8A0207808B0760857405080201"
    "AC0A80083132333435363738BE34043221303001234567801302FF8A7874133D414CED25B425"
    "34D28DB0047720606B175BD52211BE6841DB204D39EE6FDB8E356855",
    "605DA109060760857405080103A60A040847757275783132338A0207808B0760857405080205"
    "AC128010FB29C0CB11FDEE33FBFCD0D0BE345484BE230421211F30000000028540A5CFBA5326"
    "D574615C6BAF4C65545C9A61B3B29D8623B2B3",
};
static const char *const aares[] = {
    "6129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400001E1D02000007",
    "6169A109060760857405080103A203020100A305A10302010EA40A0408414243444546474888020780"
    "890760857405080205AA12801070389CCE67B359AC56AB552A158A4522BE230421281F3000000000"
    "16584D6F2BF43753196DDA5081772032C147D3DFA1E4C911852D",
    "611FA109060760857405080101A203020101A305A103020101BE0604040E010601",
};
static const char *const rlres[] = {
    "6316800100BE11040F080100065F1F0400001E1D04C80007",
    "6328800100BE230421281F300123456789 1214A0845E475714383F65BC19745CA235906525E4F3E1C893",
    "6300",
};

static void acse_aarq_survives_a_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(aarqs); i++) {
        uint8_t b[256], again[256];
        struct acse_aarq a;
        size_t n = hex_octets(aarqs[i], b, sizeof b);
        struct rd r = rd_of(b, n);
        struct wr w = wr_of(again, sizeof again);
        acse_get_aarq(&r, &a);
        assert_int_equal(r.err, ERR_OK);
        acse_put_aarq(&w, &a);
        assert_int_equal(w.len, n);
        assert_memory_equal(again, b, n);
    }
}

static void acse_aarq_fields_are_read(void **state)
{
    uint8_t b[256];
    struct acse_aarq a;
    struct rd r = rd_of(b, hex_octets(aarqs[2], b, sizeof b));
    (void)state;
    acse_get_aarq(&r, &a);
    assert_int_equal(a.context, DLMS_CONTEXT_LN_CIPHERED);
    assert_int_equal(a.title.len, 8);
    assert_true(a.has_mechanism);
    assert_int_equal(a.mechanism, DLMS_MECHANISM_LLS);
    assert_memory_equal(a.secret.p, "12345678", 8);
    assert_int_equal(a.user_info.p[0], DLMS_GLO_INITIATE_REQUEST);
    r = rd_of(b, hex_octets(aarqs[0], b, sizeof b));
    acse_get_aarq(&r, &a);
    assert_false(a.has_mechanism);
    assert_int_equal(a.title.len, 0);
}

static void acse_aare_survives_a_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(aares); i++) {
        uint8_t b[256], again[256];
        struct acse_aare a;
        size_t n = hex_octets(aares[i], b, sizeof b);
        struct rd r = rd_of(b, n);
        struct wr w = wr_of(again, sizeof again);
        acse_get_aare(&r, &a);
        assert_int_equal(r.err, ERR_OK);
        acse_put_aare(&w, &a);
        assert_int_equal(w.len, n);
        assert_memory_equal(again, b, n);
    }
}

static void acse_release_survives_a_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(rlres); i++) {
        uint8_t b[256], again[256];
        struct acse_release a;
        size_t n = hex_octets(rlres[i], b, sizeof b);
        struct rd r = rd_of(b, n);
        struct wr w = wr_of(again, sizeof again);
        acse_get_release(&r, DLMS_RLRE, &a);
        assert_int_equal(r.err, ERR_OK);
        acse_put_release(&w, DLMS_RLRE, &a);
        assert_int_equal(w.len, n);
        assert_memory_equal(again, b, n);
    }
}

static void acse_refuses_every_truncation(void **state)
{
    uint8_t b[256];
    (void)state;
    size_t n = hex_octets(aarqs[3], b, sizeof b);
    for (size_t k = 0; k < n; k++) {
        uint8_t *exact = malloc(k ? k : 1);
        struct acse_aarq a;
        assert_non_null(exact);
        memcpy(exact, b, k);
        struct rd r = rd_of(exact, k);
        acse_get_aarq(&r, &a);
        assert_int_not_equal(r.err, ERR_OK);
        if (k > 2) { /* also with an outer length that fits */
            exact[1] = (uint8_t)(k - 2);
            r = rd_of(exact, k);
            acse_get_aarq(&r, &a);
            assert_true(r.err != ERR_OK || a.user_info.len == 0);
        }
        free(exact);
    }
}

static void acse_refuses_foreign_input(void **state)
{
    static const char *const bad[] = {
        "611DA109060760857405080101BE10040E01000000065F1F0400007E1F04B0",   /* an AARE */
        "601DA109060760857405080101BE10040E01000000065F1F0400007E1F04B000", /* an octet more */
        "6080A1090607608574050801010000",                                   /* indefinite */
        "600BA1090507608574050801 01",                                      /* no OID */
    };
    uint8_t b[64];
    struct acse_aarq a;
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        struct rd r = rd_of(b, hex_octets(bad[i], b, sizeof b));
        acse_get_aarq(&r, &a);
        assert_int_equal(r.err, ERR_FORMAT);
    }
    struct rd r = rd_of(b, hex_octets("600BA109060760857405080201", b, sizeof b));
    acse_get_aarq(&r, &a); /* well-formed, but no context of DLMS */
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(a.context, 0);
}

static void initiate_request_carries_key_and_size(void **state)
{
    uint8_t b[64], again[64];
    struct dlms_initiate i;
    size_t n =
        hex_octets("01011000112233445566778899AABBCCDDEEFF0000065F1F0400007E1F04B0", b, sizeof b);
    struct rd r = rd_of(b, n);
    struct wr w = wr_of(again, sizeof again);
    (void)state;
    initiate_get_request(&r, &i);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(i.dedicated_key.len, 16);
    assert_int_equal(i.dedicated_key.p[15], 0xFF);
    assert_true(i.response_allowed);
    assert_int_equal(i.version, 6);
    assert_int_equal(i.conformance, 0x007E1F);
    assert_int_equal(i.max_pdu, 1200);
    initiate_put_request(&w, &i);
    assert_int_equal(w.len, n);
    assert_memory_equal(again, b, n);
    for (size_t k = 0; k < n; k++) {
        r = rd_of(b, k);
        initiate_get_request(&r, &i);
        assert_int_equal(r.err, ERR_TRUNCATED);
    }
    r = rd_of(b, hex_octets("01000000065F1F0400007E1F04B000", b, sizeof b));
    initiate_get_request(&r, &i);
    assert_int_equal(r.err, ERR_FORMAT);
}

static void initiate_response_survives_a_round_trip(void **state)
{
    uint8_t b[64], again[64];
    struct dlms_initiate i;
    size_t n = hex_octets("0800065F1F0400401E1D02000007", b, sizeof b);
    struct rd r = rd_of(b, n);
    struct wr w = wr_of(again, sizeof again);
    (void)state;
    initiate_get_response(&r, &i);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(i.vaa, DLMS_VAA_LN);
    assert_int_equal(i.max_pdu, 512);
    assert_true(i.conformance & DLMS_CONF_GET);
    assert_true(i.conformance & DLMS_CONF_ACTION);
    assert_true(i.conformance & DLMS_CONF_GENERAL_PROT);
    assert_false(i.conformance & DLMS_CONF_PRIORITY);
    initiate_put_response(&w, &i);
    assert_int_equal(w.len, n);
    assert_memory_equal(again, b, n);
}

static void acse_diagnostics_have_texts(void **state)
{
    (void)state;
    assert_string_equal(acse_diagnostic_text(1, ACSE_DIAG_AUTHENTICATION_FAILURE),
                        "authentication-failure");
    assert_string_equal(acse_diagnostic_text(2, 2), "no-common-acse-version");
    assert_string_equal(acse_diagnostic_text(1, 15), "unknown");
    assert_string_equal(acse_diagnostic_text(3, 0), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acse_aarq_survives_a_round_trip),
        cmocka_unit_test(acse_aarq_fields_are_read),
        cmocka_unit_test(acse_aare_survives_a_round_trip),
        cmocka_unit_test(acse_release_survives_a_round_trip),
        cmocka_unit_test(acse_refuses_every_truncation),
        cmocka_unit_test(acse_refuses_foreign_input),
        cmocka_unit_test(initiate_request_carries_key_and_size),
        cmocka_unit_test(initiate_response_survives_a_round_trip),
        cmocka_unit_test(acse_diagnostics_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
