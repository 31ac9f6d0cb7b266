/* The HDLC link: a client and a server joined by a line that loses, doubles, splits and turns bits,
 * in virtual time; and each role against frames written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dlms/hdlc.h"

enum { APDU_MAX = 6000, BUF_SIZE = APDU_MAX + 2100 };

struct station {
    struct hdlc hdlc;
    struct dlms_link *link;
    uint8_t buf[BUF_SIZE];
    uint8_t out[APDU_MAX];
    unsigned n_got; /* APDUs that came whole, in order, once */
    unsigned n_put;
};

struct line { /* faults in 1/1000 */
    unsigned lost, doubled, flipped, cut;
    size_t piece;
    uint32_t random;
};

struct pair {
    struct station client, server;
    struct line line;
    uint64_t now_ms;
    size_t sizes[8]; /* of APDUs, in turn */
    unsigned n_frames;
};
static struct pair pair;

static const struct hdlc_config usual = {.parameters = {128, 128, 1, 1},
                                         .inter_octet_ms = 30,
                                         .client_sap = 16,
                                         .server_sap = 1,
                                         .server_lower = 17,
                                         .address_size = 2,
                                         .retries = 3,
                                         .response_ms = 1000,
                                         .physical = 17};

static unsigned chance(struct line *l, unsigned below)
{
    l->random = l->random * 1664525u + 1013904223u;
    return (l->random >> 8) % below;
}

static void start_pair(const struct hdlc_config *client, const struct hdlc_config *server)
{
    memset(&pair, 0, sizeof pair);
    pair.line.random = 1;
    pair.now_ms = 5;
    for (size_t i = 0; i < 8; i++)
        pair.sizes[i] = 1 + 13 * i;
    struct station *c = &pair.client, *s = &pair.server;
    assert_int_equal(hdlc_client_init(&c->hdlc, client, c->buf, BUF_SIZE), ERR_OK);
    assert_int_equal(hdlc_server_init(&s->hdlc, server, s->buf, BUF_SIZE), ERR_OK);
    c->link = &c->hdlc.link;
    s->link = &s->hdlc.link;
}

/* APDU number n of a station: its number, then octets that follow from it. */
static size_t make_apdu(uint8_t *out, unsigned n)
{
    size_t len = pair.sizes[n % 8];
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(n * 31 + i * (1 + n % 5) + (i >> 8));
    return len;
}

static void check_apdu(struct station *s)
{
    static uint8_t expected[APDU_MAX];
    struct dlms_frame f;
    if (!dlms_link_received(s->link, &f))
        return;
    size_t len = make_apdu(expected, s->n_got);
    assert_int_equal(f.len, len);
    assert_memory_equal(f.p, expected, len);
    assert_int_equal(f.client, 16);
    assert_int_equal(f.server, 1);
    assert_false(f.unconfirmed);
    s->n_got++;
    dlms_link_release(s->link);
}

static void put_apdu(struct station *s)
{
    struct dlms_frame f = {.client = 16, .server = 1, .p = s->out};
    assert_false(dlms_link_sending(s->link));
    f.len = make_apdu(s->out, s->n_put++);
    assert_int_equal(dlms_link_send(s->link, pair.now_ms, &f), ERR_OK);
}

/* Octets from one to the other, as the line lets them. */
static bool carry(struct station *from, struct station *to)
{
    static uint8_t octets[8192];
    struct line *l = &pair.line;
    size_t size = l->piece ? l->piece : sizeof octets;
    size_t n = dlms_link_take(from->link, pair.now_ms, octets, size);
    if (n == 0)
        return false;
    pair.n_frames++;
    unsigned times = chance(l, 1000) < l->lost ? 0 : chance(l, 1000) < l->doubled ? 2 : 1;
    if (chance(l, 1000) < l->flipped)
        octets[chance(l, (unsigned)n)] ^= (uint8_t)(1u << chance(l, 8));
    if (chance(l, 1000) < l->cut)
        n = chance(l, (unsigned)n);
    while (times-- > 0) {
        for (size_t at = 0; at < n;) {
            size_t some = 1 + chance(l, 300);
            some = some < n - at ? some : n - at;
            assert_int_equal(dlms_link_feed(to->link, pair.now_ms, octets + at, some), some);
            at += some;
        }
    }
    return true;
}

/* Nothing moves any more: on to the next moment at which one of them wants to do something. */
static void pass_time(void)
{
    uint64_t next = dlms_link_poll(pair.client.link, pair.now_ms);
    uint64_t next_server = dlms_link_poll(pair.server.link, pair.now_ms);
    next = next < next_server ? next : next_server;
    if (next == UINT64_MAX)
        return;
    pair.now_ms = next;
    dlms_link_poll(pair.client.link, pair.now_ms);
    dlms_link_poll(pair.server.link, pair.now_ms);
}

/* The client asks `n` times, the server answers each; returns when all is done, or the link failed.
 */
static void exchange(unsigned n)
{
    struct station *c = &pair.client, *s = &pair.server;
    n += c->n_got;
    for (unsigned steps = 0; c->n_got < n; steps++) {
        assert_true(steps < 200000);
        if (dlms_link_state(c->link) == LINK_OPEN && c->n_put == c->n_got)
            put_apdu(c);
        bool moved = carry(c, s);
        check_apdu(s);
        if (s->n_put < s->n_got && !dlms_link_sending(s->link))
            put_apdu(s);
        moved |= carry(s, c);
        check_apdu(c);
        if (dlms_link_state(c->link) == LINK_FAILED)
            return;
        if (!moved)
            pass_time();
    }
}

static void open_pair(void)
{
    assert_int_equal(dlms_link_open(pair.client.link, pair.now_ms), ERR_OK);
    for (int i = 0; i < 400 && dlms_link_state(pair.client.link) == LINK_OPENING; i++) {
        bool moved = carry(&pair.client, &pair.server);
        moved |= carry(&pair.server, &pair.client);
        if (!moved)
            pass_time();
    }
    assert_int_equal(dlms_link_state(pair.client.link), LINK_OPEN);
}

static void hdlc_carries_apdus_when_the_line_is_good(void **state)
{
    (void)state;
    start_pair(&usual, &usual);
    open_pair();
    exchange(20);
    assert_int_equal(pair.client.n_got, 20);
    assert_int_equal(pair.server.n_got, 20);
    assert_int_equal(pair.client.hdlc.n_resent + pair.server.hdlc.n_resent, 0);
    assert_int_equal(pair.client.hdlc.n_bad + pair.server.hdlc.n_bad, 0);
    assert_int_equal(pair.n_frames, 2 + 40);
}

/* All address sizes, windows, info sizes; APDUs of one octet and of many frames. */
static void sweep(const struct line *line)
{
    static const uint16_t info[] = {32, 60, 128, 509, 2030};
    static const size_t sizes[8] = {1, 29, 30, 57, 1000, 2027, 2028, APDU_MAX - 100};
    for (unsigned i = 0; i < 3 * 7 * 5; i++) {
        struct hdlc_config client = usual, server = usual;
        client.address_size = (uint8_t[]){1, 2, 4}[i % 3];
        client.server_lower = client.address_size == 1 ? 0 : 17;
        uint8_t window = (uint8_t)(1 + i / 3 % 7);
        client.parameters = (struct hdlc_parameters){info[i / 21], 2030, window, 7};
        server.parameters = (struct hdlc_parameters){info[i / 21], 2030, window, 7};
        client.retries = 100;
        start_pair(&client, &server);
        memcpy(pair.sizes, sizes, sizeof sizes);
        pair.line = *line;
        pair.line.random = i;
        open_pair();
        exchange(8);
        assert_int_equal(pair.client.n_got, 8);
        assert_int_equal(pair.server.n_got, 8);
        assert_string_equal(dlms_link_why(pair.client.link), "");
        assert_int_equal(pair.client.hdlc.agreed.max_info_tx, info[i / 21]);
        assert_int_equal(pair.client.hdlc.agreed.window_rx, window);
    }
}

static void hdlc_carries_apdus_of_any_size_over_any_parameters(void **state)
{
    (void)state;
    sweep(&(struct line){0});
    assert_int_equal(pair.client.hdlc.n_resent + pair.server.hdlc.n_resent, 0);
}

static void hdlc_carries_apdus_once_when_octets_come_one_by_one(void **state)
{
    (void)state;
    start_pair(&usual, &usual);
    pair.line.piece = 1;
    open_pair();
    exchange(20);
    assert_int_equal(pair.client.n_got, 20);
    assert_int_equal(pair.client.hdlc.n_resent + pair.server.hdlc.n_resent, 0);
}

static void hdlc_carries_apdus_once_when_frames_are_lost(void **state)
{
    (void)state;
    sweep(&(struct line){.lost = 150});
}

static void hdlc_carries_apdus_once_when_frames_are_doubled(void **state)
{
    (void)state;
    sweep(&(struct line){.doubled = 300});
}

static void hdlc_carries_apdus_once_when_the_line_is_bad_in_every_way(void **state)
{
    (void)state;
    sweep(&(struct line){.lost = 20, .doubled = 20, .flipped = 20, .cut = 20, .piece = 300});
}

/* The client falls silent in the middle of an exchange: the server is free after the inactivity
 * time, and the client knows after its tries; then the same pair begins again. */
static void hdlc_recovers_when_the_line_was_dead(void **state)
{
    (void)state;
    struct hdlc_config c = usual;
    c.inactivity_ms = 30000;
    start_pair(&c, &c);
    open_pair();
    exchange(3);
    pair.line.lost = 1000;
    exchange(1);
    assert_int_equal(dlms_link_state(pair.client.link), LINK_FAILED);
    assert_string_equal(dlms_link_why(pair.client.link), "the server does not answer any more");
    assert_false(dlms_link_sending(pair.client.link));
    assert_int_equal(dlms_link_state(pair.server.link), LINK_OPEN);
    pair.now_ms = dlms_link_poll(pair.server.link, pair.now_ms);
    assert_int_equal(dlms_link_poll(pair.server.link, pair.now_ms), UINT64_MAX);
    assert_int_equal(dlms_link_state(pair.server.link), LINK_CLOSED);
    assert_false(dlms_link_sending(pair.server.link));
    pair.line.lost = 0;
    pair.client.n_got = pair.client.n_put = pair.server.n_got = pair.server.n_put = 0;
    dlms_link_reset(pair.client.link);
    open_pair();
    exchange(3);
    assert_int_equal(pair.client.n_got, 3);
}

/* An answer that takes its time: RR, polls, then the answer; no frame is sent again for it. */
static void hdlc_waits_when_the_server_takes_its_time(void **state)
{
    (void)state;
    start_pair(&usual, &usual);
    open_pair();
    put_apdu(&pair.client);
    uint64_t ready = pair.now_ms + 20000;
    while (pair.client.n_got == 0 && pair.now_ms < ready + 10000) {
        bool moved = carry(&pair.client, &pair.server);
        check_apdu(&pair.server);
        if (pair.now_ms >= ready && pair.server.n_put == 0)
            put_apdu(&pair.server);
        moved |= carry(&pair.server, &pair.client);
        check_apdu(&pair.client);
        if (!moved)
            pass_time();
    }
    assert_int_equal(pair.client.n_got, 1);
    assert_true(pair.now_ms <= ready + 4000);
    assert_int_equal(pair.client.hdlc.n_resent + pair.server.hdlc.n_resent, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hdlc_carries_apdus_when_the_line_is_good),
        cmocka_unit_test(hdlc_carries_apdus_of_any_size_over_any_parameters),
        cmocka_unit_test(hdlc_carries_apdus_once_when_octets_come_one_by_one),
        cmocka_unit_test(hdlc_carries_apdus_once_when_frames_are_lost),
        cmocka_unit_test(hdlc_carries_apdus_once_when_frames_are_doubled),
        cmocka_unit_test(hdlc_carries_apdus_once_when_the_line_is_bad_in_every_way),
        cmocka_unit_test(hdlc_recovers_when_the_line_was_dead),
        cmocka_unit_test(hdlc_waits_when_the_server_takes_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
