/* APDUs over the wired M-Bus: both roles against each other, lost and doubled frames, a push that
 * was captured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/mbus/mbus_link.h"
#include "tests/lib/hex.h"
#include "tests/lib/mbus/captures.h"

#define APDU_MAX 2048

struct end {
    struct mbus_link link;
    uint8_t buffer[MBUS_FRAME_MAX + APDU_MAX];
};
struct rig {
    struct end client, server;
    uint64_t now_ms;
    size_t piece;   /* octets carried at once */
    unsigned lose;  /* the frame to lose, counted from 1; 0: none */
    unsigned twice; /* the frame to carry twice */
    unsigned n_frames;
};
static struct rig r;
static uint8_t apdu[APDU_MAX];

static void set_up(size_t piece)
{
    static const struct mbus_link_config client = {
        .address = 5, .retries = 2, .silence_ms = 20, .response_ms = 100};
    static const struct mbus_link_config server = {
        .is_server = true, .address = 5, .silence_ms = 20};
    memset(&r, 0, sizeof r);
    r.piece = piece;
    assert_int_equal(
        mbus_link_init(&r.client.link, &client, r.client.buffer, sizeof r.client.buffer), ERR_OK);
    assert_int_equal(
        mbus_link_init(&r.server.link, &server, r.server.buffer, sizeof r.server.buffer), ERR_OK);
    for (size_t i = 0; i < sizeof apdu; i++)
        apdu[i] = (uint8_t)(i * 7);
}

/* Carries what one end has to the other. */
static bool carry(struct end *from, struct end *to)
{
    uint8_t line[512];
    size_t n = 0, m;
    struct dlms_frame got;
    if (dlms_link_received(&to->link.link, &got))
        return false; /* it would not be taken */
    do {
        m = dlms_link_take(&from->link.link, r.now_ms, line + n, r.piece);
        n += m;
    } while (m > 0 && n + r.piece <= sizeof line);
    if (n == 0)
        return false;
    r.n_frames++;
    const unsigned times = r.n_frames == r.lose ? 0 : r.n_frames == r.twice ? 2 : 1;
    for (unsigned k = 0; k < times; k++)
        for (size_t at = 0; at < n;) {
            const size_t give = n - at < r.piece ? n - at : r.piece;
            const size_t used = dlms_link_feed(&to->link.link, r.now_ms, line + at, give);
            at += used;
            if (used < give)
                return true; /* an APDU waits: the rest was a doubled frame */
        }
    return true;
}

/* Both talk until nothing moves but time; true once `end` has an APDU. */
static bool run(struct end *end, struct dlms_frame *got)
{
    for (unsigned turn = 0; turn < 2000; turn++) {
        while (carry(&r.client, &r.server) || carry(&r.server, &r.client)) {
        }
        if (dlms_link_received(&end->link.link, got))
            return true;
        uint64_t next = dlms_link_poll(&r.client.link.link, r.now_ms);
        const uint64_t other = dlms_link_poll(&r.server.link.link, r.now_ms);
        next = other < next ? other : next;
        if (carry(&r.client, &r.server))
            continue;
        if (next == UINT64_MAX || dlms_link_state(&r.client.link.link) == LINK_FAILED)
            return false;
        r.now_ms = next > r.now_ms ? next : r.now_ms;
    }
    return false;
}

static void open_client(void)
{
    struct dlms_frame got;
    assert_int_equal(dlms_link_open(&r.client.link.link, r.now_ms), ERR_OK);
    assert_int_equal(dlms_link_state(&r.client.link.link), LINK_OPENING);
    (void)run(&r.client, &got);
    assert_int_equal(dlms_link_state(&r.client.link.link), LINK_OPEN);
    assert_int_equal(dlms_link_state(&r.server.link.link), LINK_OPEN);
}

static void expect(const struct dlms_frame *got, size_t len)
{
    assert_int_equal(got->client, 16);
    assert_int_equal(got->server, 1);
    assert_int_equal(got->len, len);
    assert_memory_equal(got->p, apdu, len);
}

/* A request of n octets, an answer of m. */
static void exchange(size_t n, size_t m)
{
    struct dlms_frame f = {.client = 16, .server = 1, .p = apdu, .len = n}, got;
    assert_int_equal(dlms_link_send(&r.client.link.link, r.now_ms, &f), ERR_OK);
    assert_true(run(&r.server, &got));
    expect(&got, n);
    dlms_link_release(&r.server.link.link);
    f.len = m;
    assert_int_equal(dlms_link_send(&r.server.link.link, r.now_ms, &f), ERR_OK);
    assert_int_equal(dlms_link_send(&r.server.link.link, r.now_ms, &f), ERR_BUSY);
    assert_true(run(&r.client, &got));
    expect(&got, m);
    assert_false(got.unconfirmed);
    dlms_link_release(&r.client.link.link);
}

static void mbus_link_carries_apdus_both_ways_when_pieces_have_any_size(void **state)
{
    static const size_t pieces[] = {1, 3, 256};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        set_up(pieces[i]);
        open_client();
        exchange(1, 1);
        exchange(250, 251); /* one frame, two frames */
        exchange(20, 2000);
        exchange(2000, 500);
        assert_false(dlms_link_sending(&r.client.link.link));
        assert_int_equal(r.client.link.n_resent + r.server.link.n_resent, 0);
        assert_int_equal(r.client.link.n_bad + r.server.link.n_bad, 0);
        assert_int_equal(r.client.link.n_dropped + r.server.link.n_dropped, 0);
    }
}

/* Whatever single frame is lost or doubled, APDUs arrive once and whole. */
static void mbus_link_goes_on_when_a_frame_is_lost_or_comes_twice(void **state)
{
    (void)state;
    unsigned n = 30;
    for (unsigned k = 0; k <= 2 * n; k++) {
        set_up(256);
        r.lose = k <= n ? k : 0;
        r.twice = k > n ? k - n : 0;
        open_client();
        exchange(600, 700);
        exchange(40, 50);
        if (k == 0)
            n = r.n_frames;
        assert_true(k == 0 || k > n || r.client.link.n_resent == 1);
    }
    assert_in_range(n, 12, 30);
}

static void mbus_link_fails_when_nobody_answers(void **state)
{
    struct dlms_frame got;
    (void)state;
    set_up(256);
    r.server.link.config.address = 6; /* another meter */
    assert_int_equal(dlms_link_open(&r.client.link.link, 0), ERR_OK);
    assert_int_equal(dlms_link_open(&r.client.link.link, 0), ERR_STATE);
    (void)run(&r.client, &got);
    assert_int_equal(dlms_link_state(&r.client.link.link), LINK_FAILED);
    assert_string_equal(dlms_link_why(&r.client.link.link), "no answer to SND_NKE");
    assert_int_equal(r.client.link.n_resent, 2);
    assert_int_equal(r.now_ms, 300);
    dlms_link_reset(&r.client.link.link);
    assert_int_equal(dlms_link_state(&r.client.link.link), LINK_CLOSED);
}

static void mbus_link_of_the_server_closes_until_the_reset_is_acknowledged(void **state)
{
    uint8_t line[16];
    (void)state;
    set_up(256);
    struct dlms_link *s = &r.server.link.link;
    const struct dlms_frame f = {.client = 16, .server = 1, .p = apdu, .len = 9};
    assert_int_equal(dlms_link_send(s, 0, &f), ERR_OK);
    const size_t n = hex_octets("1040054516", line, sizeof line);
    assert_int_equal(dlms_link_feed(s, 0, line, n), n);
    assert_int_equal(dlms_link_state(s), LINK_CLOSED);
    assert_false(dlms_link_sending(s)); /* the answer to the one before is dropped */
    assert_int_equal(dlms_link_take(s, 0, line, sizeof line), 1);
    assert_int_equal(line[0], 0xE5);
    assert_int_equal(dlms_link_state(s), LINK_OPEN);
}

static void mbus_link_ignores_frames_for_others(void **state)
{
    static const char *const frames[] = {"1040064616",   /* SND_NKE to 6 */
                                         "107B06 81 16", /* REQ_UD2 to 6 */
                                         "E5", "680606685306101001C0 3A16",
                                         "107BFF 7A 16"}; /* to all: nobody answers */
    uint8_t line[32];
    struct dlms_frame got;
    (void)state;
    set_up(256);
    struct dlms_link *s = &r.server.link.link;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        const size_t n = hex_octets(frames[i], line, sizeof line);
        assert_int_equal(dlms_link_feed(s, 0, line, n), n);
        assert_int_equal(dlms_link_take(s, 0, line, sizeof line), 0);
        assert_false(dlms_link_received(s, &got));
        assert_int_equal(r.server.link.n_dropped, i + 1);
    }
    assert_int_equal(r.server.link.n_bad, 0);
}

static void mbus_link_drops_a_frame_that_stops_on_its_way(void **state)
{
    uint8_t line[32];
    (void)state;
    set_up(256);
    struct dlms_link *s = &r.server.link.link;
    size_t n = hex_octets("680606", line, sizeof line);
    assert_int_equal(dlms_link_feed(s, 0, line, n), n);
    assert_int_equal(dlms_link_poll(s, 5), 20);
    assert_int_equal(dlms_link_poll(s, 20), UINT64_MAX);
    n = hex_octets("107B058016", line, sizeof line);
    assert_int_equal(dlms_link_feed(s, 30, line, n), n);
    assert_int_equal(dlms_link_take(s, 30, line, sizeof line), 1); /* nothing to send: E5 */
    assert_true(r.server.link.n_bad > 0);
}

static void mbus_link_pushes_to_all_when_an_apdu_is_unconfirmed(void **state)
{
    uint8_t line[512];
    struct dlms_frame f = {.client = 16, .server = 1, .p = apdu, .len = 300, .unconfirmed = true};
    struct dlms_frame got;
    (void)state;
    set_up(256);
    open_client();
    assert_int_equal(dlms_link_send(&r.server.link.link, 0, &f), ERR_OK);
    const size_t n = dlms_link_take(&r.server.link.link, 0, line, sizeof line);
    assert_int_equal(n, 9 + 2 + 250 + 9 + 2 + 50); /* by itself, not asked */
    assert_memory_equal(line, "\x68\xFF\xFF\x68\x53\xFF\x00\x01\x10", 9);
    assert_false(dlms_link_sending(&r.server.link.link));
    assert_int_equal(dlms_link_feed(&r.client.link.link, 0, line, n), n);
    assert_true(dlms_link_received(&r.client.link.link, &got));
    assert_true(got.unconfirmed);
    expect(&got, 300);
    dlms_link_release(&r.client.link.link);
    exchange(10, 10);
}

static void mbus_link_takes_captured_pushes(void **state)
{
    static const char *const names[] = {"at_tinetz_kaifa_tirol", "at_sagemcom_fkw9_2",
                                        "mbus_kmswest"};
    struct capture c;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct dlms_frame got;
        capture_read(&c, names[i]);
        set_up(256);
        open_client();
        assert_int_equal(dlms_link_feed(&r.client.link.link, 0, c.octets, c.len), c.len);
        assert_true(dlms_link_received(&r.client.link.link, &got));
        assert_true(got.unconfirmed);
        assert_int_equal(got.server, 1);
        assert_int_equal(got.client, 0x67);
        assert_int_equal(got.p[0], 0xDB);
        assert_int_equal(r.client.link.n_bad + r.client.link.n_dropped, 0);
    }
}

static void mbus_link_refuses_what_it_cannot_do(void **state)
{
    static const struct mbus_link_config bad[] = {
        {.address = 251}, {.segment_max = 251}, {.poll_ms = UINT32_MAX / 32 + 1}};
    struct mbus_link l;
    (void)state;
    set_up(256);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mbus_link_init(&l, &bad[i], r.client.buffer, sizeof r.client.buffer),
                         ERR_RANGE);
    assert_int_equal(
        mbus_link_init(&l, &(struct mbus_link_config){0}, r.client.buffer, MBUS_FRAME_MAX + 63),
        ERR_RANGE);
    struct dlms_frame f = {.client = 16, .server = 1, .p = apdu, .len = 1};
    assert_int_equal(dlms_link_send(&r.client.link.link, 0, &f), ERR_STATE);
    assert_int_equal(dlms_link_close(&r.client.link.link, 0), ERR_STATE);
    assert_int_equal(dlms_link_open(&r.server.link.link, 0), ERR_STATE);
    f.client = 256;
    assert_int_equal(dlms_link_send(&r.server.link.link, 0, &f), ERR_RANGE);
    open_client();
    assert_int_equal(dlms_link_close(&r.client.link.link, 0), ERR_OK);
    assert_int_equal(dlms_link_state(&r.client.link.link), LINK_CLOSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mbus_link_carries_apdus_both_ways_when_pieces_have_any_size),
        cmocka_unit_test(mbus_link_goes_on_when_a_frame_is_lost_or_comes_twice),
        cmocka_unit_test(mbus_link_fails_when_nobody_answers),
        cmocka_unit_test(mbus_link_of_the_server_closes_until_the_reset_is_acknowledged),
        cmocka_unit_test(mbus_link_ignores_frames_for_others),
        cmocka_unit_test(mbus_link_drops_a_frame_that_stops_on_its_way),
        cmocka_unit_test(mbus_link_pushes_to_all_when_an_apdu_is_unconfirmed),
        cmocka_unit_test(mbus_link_takes_captured_pushes),
        cmocka_unit_test(mbus_link_refuses_what_it_cannot_do)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
