/* ACCESS APDUs: the Green Book's example and hand-written ones survive a round trip, every
 * truncation and every count that disagrees is refused. */
#include "lib/dlms/apdu_access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* Green Book Ed. 8, Annex C, the plain text of Table 41: four GETs, two of them selective */
static const char green_book[] =
    "D94000000000040100010000600100FF020100080000010000FF0202001400000D0000FF0702001400000D0000FF08"
    "04000001040203090100090CFFFFFFFFFFFFFF00000000000901FF0203090101090CFFFFFFFFFFFFFF000000000009"
    "01FF0203090102090CFFFFFFFFFFFFFF00000000000901FF0203090103090CFFFFFFFFFFFFFF00000000000901FF01"
    "04020809010011FF11FF11FF11FF11FF11FF11FF020809010111021101110211011102110111020208090102"
    "11FF11FF11FF11FF11FF11FF11FF02080901031101110211021102110211021102";
static const char *const requests[] = {
    green_book,
    "D9 40000001 00 01 01 0003 0100010800FF 02 01 00",
    "D9 E0000002 0C 07E50106FF000300FFFFC400 03 01 0008 0000010000FF 02"
    " 04 0007 0100630100FF 02 02 0204 06 00000001 06 00000000 12 0001 12 0000"
    " 03 0003 0100010800FF 01 03 00 00 0F00",
    "D9 00000000 00 00 00",
};
static const char *const responses[] = {
    "DA 40000001 00 00 01 06 00000005 01 01 00",
    "DA 40000001 00 01 01 01 0003 0100010800FF 02 01 06 00000005 01 01 00",
    "DA 00000003 0C 07E50106FF000300FFFFC400 00 02 00 00 02 02 03 03 00",
};

static size_t round_trip(const char *hex, bool request, uint8_t b[512])
{
    uint8_t again[512];
    struct apdu_access a;
    size_t n = hex_octets(hex, b, 512);
    struct rd r = rd_of(b, n);
    struct wr w = wr_of(again, sizeof again);
    (request ? access_get_request : access_get_response)(&r, &a);
    assert_int_equal(r.err, ERR_OK);
    (request ? access_put_request : access_put_response)(&w, &a);
    assert_int_equal(w.err, ERR_OK);
    assert_int_equal(w.len, n);
    assert_memory_equal(again, b, n);
    return n;
}

static void access_survives_a_round_trip(void **state)
{
    uint8_t b[512];
    (void)state;
    for (size_t i = 0; i < N(requests); i++)
        round_trip(requests[i], true, b);
    for (size_t i = 0; i < N(responses); i++)
        round_trip(responses[i], false, b);
}

static void access_refuses_every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(requests) + N(responses); i++) {
        bool request = i < N(requests);
        uint8_t b[512];
        size_t n = round_trip(request ? requests[i] : responses[i - N(requests)], request, b);
        for (size_t cut = 0; cut < n; cut++) {
            uint8_t *exact = malloc(cut + 1); /* a read behind it is an error of the sanitizer */
            struct apdu_access a;
            memcpy(exact, b, cut);
            struct rd r = rd_of(exact, cut);
            (request ? access_get_request : access_get_response)(&r, &a);
            assert_int_not_equal(r.err, ERR_OK);
            free(exact);
        }
    }
}

static void access_refuses_what_does_not_belong(void **state)
{
    static const struct {
        bool request;
        const char *hex;
        enum err err;
    } bad[] = {
        {true, "D9 40000001 00 01 01 0003 0100010800FF 02 02 00 00", ERR_FORMAT}, /* counts */
        {true, "D9 40000001 00 01 06 0003 0100010800FF 02 01 00", ERR_FORMAT},    /* choice */
        {true, "D9 40000001 05 0102030405 00 00", ERR_FORMAT},                    /* date-time */
        {true, "D9 40000001 00 01 01 0003 0100010800FF 02 01 00 00", ERR_FORMAT}, /* behind */
        {true, "D9 40000001 00 01 04 0003 0100010800FF 02 00 00 01 00", ERR_RANGE},
        {false, "DA 40000001 00 00 01 00 01 04 00", ERR_FORMAT},
        {false, "DA 40000001 00 02 01 00 01 01 00", ERR_FORMAT},
        {false,
         "DA 40000001 00 01 02 01 0003 0100010800FF 02 01 0003 0100010800FF 02 01 00 01 01 00",
         ERR_FORMAT},
    };
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        uint8_t b[128];
        struct apdu_access a;
        struct rd r = rd_of(b, hex_octets(bad[i].hex, b, sizeof b));
        (bad[i].request ? access_get_request : access_get_response)(&r, &a);
        assert_int_equal(r.err, bad[i].err);
    }
}

static void access_gives_each_element(void **state)
{
    uint8_t b[512];
    struct apdu_access a;
    struct access_spec s;
    (void)state;
    struct rd r = rd_of(b, hex_octets(requests[2], b, sizeof b));
    access_get_request(&r, &a);
    assert_int_equal(a.n, 3);
    assert_true(a.invoke & DLMS_LONG_BREAK_ON_ERROR);
    assert_int_equal(a.date_time.len, 12);
    struct rd specs = rd_of(a.specifications.p, a.specifications.len);
    access_get_spec(&specs, &s);
    assert_int_equal(s.choice, DLMS_ACCESS_GET);
    assert_int_equal(s.target.class_id, 8);
    access_get_spec(&specs, &s);
    assert_int_equal(s.choice, DLMS_ACCESS_GET_SELECTED);
    assert_int_equal(s.target.selector, 2);
    assert_int_equal(s.target.parameter.len, 18);
    access_get_spec(&specs, &s);
    assert_int_equal(s.choice, DLMS_ACCESS_ACTION);
    assert_int_equal(s.target.id, 1);
    assert_int_equal(specs.err, ERR_OK);
    assert_int_equal(rd_left(&specs), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(access_survives_a_round_trip),
        cmocka_unit_test(access_refuses_every_truncation),
        cmocka_unit_test(access_refuses_what_does_not_belong),
        cmocka_unit_test(access_gives_each_element),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
