/* Notifications: round trips of each form, the tag some meters put before the date-time, and what
 * is refused. */
#include "lib/dlms/apdu_notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/hex.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
    uint8_t tag;
    const char *hex;
} good[] = {
    {DLMS_DATA_NOTIFICATION, "0F 00000001 00 0201 1105"},
    {DLMS_DATA_NOTIFICATION, "0F 40000007 0C 07E50106FF000300FFFFC400 00"},
    {DLMS_DATA_NOTIFICATION_CONFIRM, "10 40000007 00"},
    {DLMS_DATA_NOTIFICATION_CONFIRM, "10 40000007 0C 07E50106FF000300FFFFC400"},
    {DLMS_EVENT_NOTIFICATION, "C2 00 0001 0000616200FF 02 06 00000001"},
    {DLMS_EVENT_NOTIFICATION, "C2 01 0C 07E50106FF000300FFFFC400 0001 0000616200FF 02 1101"},
};

static enum err decode(uint8_t tag, const uint8_t *p, size_t n, struct wr *again)
{
    struct rd r = rd_of(p, n);
    if (tag == DLMS_EVENT_NOTIFICATION) {
        struct apdu_event e;
        notify_get_event(&r, &e);
        if (!r.err && again)
            notify_put_event(again, &e);
    } else {
        struct apdu_notification d;
        notify_get_data(&r, tag, &d);
        if (!r.err && again)
            notify_put_data(again, tag, &d);
    }
    return r.err;
}

static void notify_survives_a_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(good); i++) {
        uint8_t b[128], again[128];
        size_t n = hex_octets(good[i].hex, b, sizeof b);
        struct wr w = wr_of(again, sizeof again);
        assert_int_equal(decode(good[i].tag, b, n, &w), ERR_OK);
        assert_int_equal(w.len, n);
        assert_memory_equal(again, b, n);
    }
}

static void notify_refuses_every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < N(good); i++) {
        uint8_t b[128];
        size_t n = hex_octets(good[i].hex, b, sizeof b);
        for (size_t cut = 0; cut < n; cut++) {
            uint8_t *exact = malloc(cut + 1);
            memcpy(exact, b, cut);
            assert_int_not_equal(decode(good[i].tag, exact, cut, NULL), ERR_OK);
            free(exact);
        }
    }
}

static void notify_takes_a_date_time_with_a_tag(void **state)
{
    uint8_t b[64];
    struct apdu_notification d;
    (void)state;
    size_t n = hex_octets("0F 00000001 09 0C 07E50106FF000300FFFFC400 0201 1105", b, sizeof b);
    struct rd r = rd_of(b, n);
    notify_get_data(&r, DLMS_DATA_NOTIFICATION, &d);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(d.date_time.len, 12);
    assert_int_equal(d.date_time.p[0], 0x07);
    assert_int_equal(d.body.len, 4);
}

static void notify_refuses_what_does_not_belong(void **state)
{
    static const struct {
        uint8_t tag;
        const char *hex;
    } bad[] = {
        {DLMS_DATA_NOTIFICATION, "0F 00000001 05 0102030405 00"},   /* date-time of 5 */
        {DLMS_DATA_NOTIFICATION, "0F 00000001 00 00 00"},           /* octets behind */
        {DLMS_DATA_NOTIFICATION, "0F 00000001 00 FE"},              /* no such type */
        {DLMS_DATA_NOTIFICATION, "10 00000001 00"},                 /* another APDU */
        {DLMS_DATA_NOTIFICATION_CONFIRM, "10 00000001 00 00"},      /* octets behind */
        {DLMS_EVENT_NOTIFICATION, "C2 02 0001 0000616200FF 02 00"}, /* flag */
        {DLMS_EVENT_NOTIFICATION, "C2 01 00 0001 0000616200FF 02 00"},
    };
    (void)state;
    for (size_t i = 0; i < N(bad); i++) {
        uint8_t b[64];
        size_t n = hex_octets(bad[i].hex, b, sizeof b);
        assert_int_not_equal(decode(bad[i].tag, b, n, NULL), ERR_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notify_survives_a_round_trip),
        cmocka_unit_test(notify_refuses_every_truncation),
        cmocka_unit_test(notify_takes_a_date_time_with_a_tag),
        cmocka_unit_test(notify_refuses_what_does_not_belong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
