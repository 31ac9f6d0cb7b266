/* General block transfer: the codec, the rules of windows and numbers, and two sides over a line
 * that loses, doubles and reorders blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lib/dlms/gbt.h"
#include "lib/dlms/security.h"
#include "tests/lib/hex.h"

/* ---- codec ---- */

static void gbt_reads_and_writes_a_block(void **state)
{
    (void)state;
    static const uint8_t apdu[] = {0xE0, 0xC5, 0x01, 0x02, 0x00, 0x07, 0x03, 'a', 'b', 'c'};
    uint8_t out[16];
    struct gbt_block b;
    struct rd r = rd_of(apdu, sizeof apdu);
    gbt_get(&r, &b);
    assert_int_equal(r.err, ERR_OK);
    assert_true(b.last && b.streaming);
    assert_int_equal(b.window, 5);
    assert_int_equal(b.number, 0x0102);
    assert_int_equal(b.ack, 7);
    assert_memory_equal(b.data.p, "abc", 3);
    struct wr w = wr_of(out, sizeof out);
    gbt_put(&w, &b);
    assert_int_equal(w.len, sizeof apdu);
    assert_memory_equal(out, apdu, sizeof apdu);
}

static void gbt_refuses_what_is_cut_or_too_long(void **state)
{
    (void)state;
    static const uint8_t apdu[] = {0xE0, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 1, 2, 3};
    struct gbt_block b;
    for (size_t n = 0; n < 9; n++) {
        struct rd r = rd_of(apdu, n);
        gbt_get(&r, &b);
        assert_int_equal(r.err, ERR_TRUNCATED);
    }
    struct rd r = rd_of(apdu, sizeof apdu);
    gbt_get(&r, &b);
    assert_int_equal(r.err, ERR_FORMAT);
    static const uint8_t other[] = {0xC4, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00};
    r = rd_of(other, sizeof other);
    gbt_get(&r, &b);
    assert_int_equal(r.err, ERR_FORMAT);
}

/* ---- two sides ---- */

#define APDU_MAX 6000
#define LINE_MAX 512

struct source {
    const uint8_t *p;
    size_t len, at, piece;
};

static enum err fill_from(void *context, uint8_t *to, size_t size, size_t *n, bool *end)
{
    struct source *s = context;
    const size_t left = s->len - s->at;
    *n = left < size ? left : size;
    if (s->piece > 0 && *n > s->piece)
        *n = s->piece;
    memcpy(to, s->p + s->at, *n);
    s->at += *n;
    *end = s->at == s->len;
    return ERR_OK;
}

struct side {
    struct gbt_sender tx;
    struct gbt_receiver rx;
    struct source source;
    uint8_t window; /* it takes */
    uint8_t store[4096];
    uint8_t in[APDU_MAX];
    size_t in_len;
    bool speaks; /* server: its own data have begun */
};

struct packet {
    uint8_t octets[96];
    size_t len;
};
struct line {
    struct packet waiting[LINE_MAX];
    size_t n;
    unsigned sent;
};

struct world {
    uint64_t random;
    unsigned loss, doubling, disorder; /* per cent */
    struct side client, server;
    struct line up, down;
};

static uint32_t draw(struct world *w, uint32_t below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(w->random >> 33) % below;
}

static void put_at(struct line *l, size_t at, const struct packet *p)
{
    if (l->n == LINE_MAX)
        return;
    memmove(&l->waiting[at + 1], &l->waiting[at], (l->n - at) * sizeof *p);
    l->waiting[at] = *p;
    l->n++;
}

static void put_line(struct world *w, struct line *l, const struct gbt_block *b)
{
    struct packet p;
    struct wr wr = wr_of(p.octets, sizeof p.octets);
    gbt_put(&wr, b);
    assert_int_equal(wr.err, ERR_OK);
    p.len = wr.len;
    l->sent++;
    if (draw(w, 100) < w->loss)
        return;
    const unsigned copies = draw(w, 100) < w->doubling ? 2 : 1;
    for (unsigned i = 0; i < copies; i++)
        put_at(l, draw(w, 100) < w->disorder ? draw(w, (uint32_t)l->n + 1) : l->n, &p);
}

static bool get_line(struct line *l, struct packet *p)
{
    if (l->n == 0)
        return false;
    *p = l->waiting[0];
    l->n--;
    memmove(l->waiting, l->waiting + 1, l->n * sizeof *p);
    return true;
}

static void put_window(struct world *w, struct side *s, struct line *l)
{
    struct gbt_block b;
    while (gbt_sender_next(&s->tx, s->rx.acked, s->window, &b))
        put_line(w, l, &b);
    assert_int_equal(s->tx.err, ERR_OK);
}

static void put_answer(struct world *w, struct side *s, struct line *l)
{
    struct gbt_block b;
    gbt_sender_answer(&s->tx, s->rx.acked, s->window, &b);
    put_line(w, l, &b);
}

static void take_block(struct side *s, const struct packet *p, struct gbt_block *b)
{
    struct bytes data;
    struct rd r = rd_of(p->octets, p->len);
    gbt_get(&r, b);
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(gbt_receiver_block(&s->rx, b, &data), ERR_OK);
    assert_true(s->in_len + data.len <= sizeof s->in);
    if (data.len > 0)
        memcpy(s->in + s->in_len, data.p, data.len);
    s->in_len += data.len;
}

static void server_takes(struct world *w, const struct packet *p)
{
    struct side *s = &w->server;
    struct gbt_block b;
    take_block(s, p, &b);
    assert_int_equal(gbt_sender_ack(&s->tx, b.ack, b.window), ERR_OK);
    s->speaks = s->speaks || s->rx.done;
    if (s->rx.answer && s->speaks)
        put_window(w, s, &w->down);
    else if (s->rx.answer)
        put_answer(w, s, &w->down);
    else if (s->speaks && b.data.len == 0)
        put_window(w, s, &w->down);
}

/* The answer has begun, or is owed. */
static bool listens(const struct side *s)
{
    return s->rx.begun || gbt_sender_done(&s->tx);
}

static void client_takes(struct world *w, const struct packet *p)
{
    struct side *s = &w->client;
    struct gbt_block b;
    take_block(s, p, &b);
    if (!listens(s))
        assert_int_equal(gbt_sender_ack(&s->tx, b.ack, b.window), ERR_OK);
    if (!listens(s))
        put_window(w, s, &w->up);
    else if (s->rx.answer && !s->rx.doubled && !s->rx.done)
        put_answer(w, s, &w->up);
}

static void client_times_out(struct world *w)
{
    if (listens(&w->client)) {
        put_answer(w, &w->client, &w->up);
        return;
    }
    gbt_sender_again(&w->client.tx);
    put_window(w, &w->client, &w->up);
}

static void init_side(struct side *s, const uint8_t *p, size_t len, uint16_t block,
                      uint8_t peer_window, size_t store)
{
    s->source = (struct source){p, len, 0, 7};
    s->tx.context = &s->source;
    s->tx.fill = fill_from;
    s->tx.store = s->store;
    s->tx.store_size = store;
    s->tx.block_size = block;
    assert_int_equal(gbt_sender_init(&s->tx, peer_window), ERR_OK);
    gbt_receiver_init(&s->rx);
}

/* Request and answer of the given lengths over the line of `w`; gives the rounds it took. */
static unsigned exchange(struct world *w, const uint8_t *request, size_t n_request,
                         const uint8_t *answer, size_t n_answer)
{
    unsigned rounds = 0;
    const uint16_t block = (uint16_t)(1 + draw(w, 64));
    const uint8_t windows[2] = {(uint8_t)(1 + draw(w, 63)), (uint8_t)(1 + draw(w, 63))};
    const size_t store = block * (1u + draw(w, 64));
    w->client.window = windows[0];
    w->server.window = windows[1];
    init_side(&w->client, request, n_request, block, 1, store);
    init_side(&w->server, answer, n_answer, block, 1, store);
    put_window(w, &w->client, &w->up);
    while (!w->client.rx.done && rounds < 20000) {
        struct packet p;
        rounds++;
        if (get_line(&w->up, &p))
            server_takes(w, &p);
        else if (get_line(&w->down, &p))
            client_takes(w, &p);
        else
            client_times_out(w);
    }
    return rounds;
}

static void check_exchange(uint64_t seed, unsigned loss, unsigned doubling, unsigned disorder)
{
    static struct world w;
    static uint8_t request[APDU_MAX], answer[APDU_MAX];
    memset(&w, 0, sizeof w);
    w.random = seed;
    w.loss = loss;
    w.doubling = doubling;
    w.disorder = disorder;
    const size_t n_request = 1 + draw(&w, 700), n_answer = 1 + draw(&w, 700);
    for (size_t i = 0; i < sizeof request; i++) {
        request[i] = (uint8_t)draw(&w, 256);
        answer[i] = (uint8_t)draw(&w, 256);
    }
    (void)exchange(&w, request, n_request, answer, n_answer);
    if (!w.client.rx.done)
        fail_msg("seed %llu: not done", (unsigned long long)seed);
    assert_int_equal(w.server.in_len, n_request);
    assert_memory_equal(w.server.in, request, n_request);
    assert_int_equal(w.client.in_len, n_answer);
    assert_memory_equal(w.client.in, answer, n_answer);
}

static void gbt_carries_both_ways_over_a_clean_line(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++)
        check_exchange(seed, 0, 0, 0);
}

static void gbt_gives_all_once_when_blocks_are_lost(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++)
        check_exchange(seed, 1 + (unsigned)(seed % 40), 0, 0);
}

static void gbt_gives_all_once_when_blocks_are_doubled_and_reordered(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++)
        check_exchange(seed, (unsigned)(seed % 21), (unsigned)(seed % 31), (unsigned)(seed % 51));
}

/* ---- rules ---- */

static const uint8_t letters[] = "abcdefghijklmnopqrstuvwxyz";

static struct gbt_sender sender_of(struct source *source, uint8_t *store, size_t size,
                                   uint8_t window)
{
    *source = (struct source){letters, 26, 0, 0};
    struct gbt_sender s = {
        .context = source, .fill = fill_from, .store = store, .store_size = size, .block_size = 5};
    assert_int_equal(gbt_sender_init(&s, window), ERR_OK);
    return s;
}

static void gbt_streams_a_window_and_gives_the_word_with_its_last_block(void **state)
{
    (void)state;
    struct source source;
    uint8_t store[64];
    struct gbt_sender s = sender_of(&source, store, sizeof store, 3);
    struct gbt_block b;
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(gbt_sender_next(&s, 9, 4, &b));
        assert_int_equal(b.number, i);
        assert_int_equal(b.ack, 9);
        assert_int_equal(b.window, 4);
        assert_int_equal(b.streaming, i < 3);
        assert_false(b.last);
        assert_memory_equal(b.data.p, letters + 5 * (i - 1), 5);
    }
    assert_false(gbt_sender_next(&s, 9, 4, &b));
    assert_int_equal(gbt_sender_ack(&s, 3, 63), ERR_OK);
    for (unsigned i = 4; i <= 6; i++)
        assert_true(gbt_sender_next(&s, 9, 4, &b));
    assert_true(b.last);
    assert_false(b.streaming);
    assert_int_equal(b.data.len, 1);
    assert_false(gbt_sender_done(&s));
    assert_int_equal(gbt_sender_ack(&s, 6, 3), ERR_OK);
    assert_true(gbt_sender_done(&s));
}

static void gbt_sends_again_from_the_first_lost_block(void **state)
{
    (void)state;
    struct source source;
    uint8_t store[64];
    struct gbt_sender s = sender_of(&source, store, sizeof store, 5);
    struct gbt_block b;
    while (gbt_sender_next(&s, 0, 1, &b)) {
    }
    assert_int_equal(source.at, 25);
    assert_int_equal(gbt_sender_ack(&s, 2, 2), ERR_OK);
    assert_true(gbt_sender_next(&s, 0, 1, &b));
    assert_int_equal(b.number, 3);
    assert_true(b.streaming);
    assert_memory_equal(b.data.p, "klmno", 5);
    assert_true(gbt_sender_next(&s, 0, 1, &b));
    assert_int_equal(b.number, 4);
    assert_false(b.streaming);
    assert_false(gbt_sender_next(&s, 0, 1, &b));
    assert_int_equal(source.at, 25); /* nothing was generated twice */
}

static void gbt_window_is_limited_by_the_store(void **state)
{
    (void)state;
    struct source source;
    uint8_t store[10];
    struct gbt_sender s = sender_of(&source, store, sizeof store, 63);
    struct gbt_block b;
    assert_true(gbt_sender_next(&s, 0, 1, &b));
    assert_true(gbt_sender_next(&s, 0, 1, &b));
    assert_false(b.streaming);
    assert_false(gbt_sender_next(&s, 0, 1, &b));
}

static void gbt_refuses_to_be_acknowledged_what_it_never_sent(void **state)
{
    (void)state;
    struct source source;
    uint8_t store[64];
    struct gbt_sender s = sender_of(&source, store, sizeof store, 2);
    struct gbt_block b;
    assert_true(gbt_sender_next(&s, 0, 1, &b));
    assert_int_equal(gbt_sender_ack(&s, 2, 1), ERR_RANGE);
    assert_int_equal(gbt_sender_ack(&s, 1, 1), ERR_OK);
}

static void gbt_refuses_sizes_that_hold_no_block(void **state)
{
    (void)state;
    struct source source;
    uint8_t store[64];
    struct gbt_sender s = sender_of(&source, store, sizeof store, 2);
    s.store_size = 4;
    assert_int_equal(gbt_sender_init(&s, 1), ERR_RANGE);
    s.store_size = 64;
    assert_int_equal(gbt_sender_init(&s, 64), ERR_RANGE);
    s.block_size = 0;
    assert_int_equal(gbt_sender_init(&s, 1), ERR_RANGE);
}

static void gbt_unconfirmed_never_waits(void **state)
{
    (void)state;
    struct source source;
    uint8_t store[5];
    struct gbt_sender s = sender_of(&source, store, sizeof store, 0);
    struct gbt_receiver rx;
    struct gbt_block b;
    struct bytes data;
    uint8_t in[32];
    size_t len = 0;
    gbt_receiver_init(&rx);
    while (gbt_sender_next(&s, 0, 0, &b)) {
        assert_true(b.streaming);
        assert_int_equal(gbt_receiver_block(&rx, &b, &data), ERR_OK);
        assert_false(rx.answer);
        memcpy(in + len, data.p, data.len);
        len += data.len;
    }
    assert_true(rx.done);
    assert_int_equal(len, 26);
    assert_memory_equal(in, letters, 26);
    gbt_sender_again(&s); /* nothing was kept that could go again */
    assert_false(gbt_sender_next(&s, 0, 0, &b));
    assert_int_equal(gbt_sender_ack(&s, 2, 3), ERR_OK);
    assert_false(gbt_sender_next(&s, 0, 0, &b));
}

static void gbt_sends_an_apdu_that_is_there_as_a_whole(void **state)
{
    (void)state;
    uint8_t apdu[26];
    memcpy(apdu, letters, sizeof apdu);
    struct gbt_sender s = {.store = apdu, .store_size = sizeof apdu, .block_size = 5};
    struct gbt_block b;
    assert_int_equal(gbt_sender_init(&s, 63), ERR_OK);
    gbt_sender_answer(&s, 1, 1, &b); /* a number without data */
    assert_false(b.last);
    for (unsigned i = 0; i < 6; i++) {
        assert_true(gbt_sender_next(&s, 0, 1, &b));
        assert_int_equal(b.number, i + 2);
        assert_int_equal(b.data.len, i < 5 ? 5 : 1);
        assert_ptr_equal(b.data.p, apdu + 5 * (size_t)i);
    }
    assert_true(b.last);
    assert_int_equal(gbt_sender_ack(&s, 4, 2), ERR_OK);
    assert_true(gbt_sender_next(&s, 0, 1, &b));
    assert_memory_equal(b.data.p, "pqrst", 5);
    assert_true(gbt_sender_next(&s, 0, 1, &b));
    assert_false(gbt_sender_next(&s, 0, 1, &b));
}

static enum err fill_fails(void *context, uint8_t *to, size_t size, size_t *n, bool *end)
{
    (void)to, (void)size;
    *n = 0;
    *end = false;
    return *(enum err *)context;
}

static void gbt_stops_when_the_octets_fail_or_never_come(void **state)
{
    (void)state;
    enum err why[] = {ERR_IO, ERR_OK};
    uint8_t store[8];
    struct gbt_block b;
    for (size_t i = 0; i < 2; i++) {
        struct gbt_sender s = {.context = &why[i],
                               .fill = fill_fails,
                               .store = store,
                               .store_size = sizeof store,
                               .block_size = 4};
        assert_int_equal(gbt_sender_init(&s, 1), ERR_OK);
        assert_false(gbt_sender_next(&s, 0, 1, &b));
        assert_int_equal(s.err, i == 0 ? ERR_IO : ERR_STATE);
        assert_false(gbt_sender_next(&s, 0, 1, &b));
    }
}

static void gbt_counts_acknowledgements_as_blocks(void **state)
{
    (void)state;
    struct source source;
    uint8_t store[64];
    struct gbt_sender s = sender_of(&source, store, sizeof store, 2);
    struct gbt_block b;
    gbt_sender_answer(&s, 3, 2, &b);
    assert_int_equal(b.number, 1);
    assert_false(b.last || b.streaming);
    gbt_sender_answer(&s, 3, 2, &b); /* the same word */
    assert_int_equal(b.number, 1);
    gbt_sender_answer(&s, 6, 2, &b);
    assert_int_equal(b.number, 2);
    assert_true(gbt_sender_next(&s, 6, 2, &b));
    assert_int_equal(b.number, 3);
    assert_true(gbt_sender_next(&s, 6, 2, &b));
    assert_int_equal(b.number, 4);
    assert_false(b.streaming);
    /* the second word was lost: it goes again, then the data */
    assert_int_equal(gbt_sender_ack(&s, 1, 2), ERR_OK);
    assert_true(gbt_sender_next(&s, 6, 2, &b));
    assert_int_equal(b.number, 2);
    assert_int_equal(b.data.len, 0);
    assert_true(gbt_sender_next(&s, 6, 2, &b));
    assert_int_equal(b.number, 3);
    assert_memory_equal(b.data.p, "abcde", 5);
}

/* Seen in the field: acknowledgements all numbered 1, with the bit of the last block. */
static void gbt_receiver_begins_at_block_1_whatever_came_before(void **state)
{
    (void)state;
    struct gbt_receiver rx;
    struct bytes data;
    const struct gbt_block word = {.last = true, .number = 2, .ack = 4};
    const struct gbt_block first = {.number = 1, .data = {letters, 5}};
    const struct gbt_block second = {.last = true, .number = 2, .data = {letters + 5, 5}};
    gbt_receiver_init(&rx);
    assert_int_equal(gbt_receiver_block(&rx, &word, &data), ERR_OK);
    assert_false(rx.done);
    assert_int_equal(gbt_receiver_block(&rx, &first, &data), ERR_OK);
    assert_int_equal(data.len, 5);
    assert_int_equal(gbt_receiver_block(&rx, &second, &data), ERR_OK);
    assert_int_equal(data.len, 5);
    assert_true(rx.done);
}

static void gbt_receiver_refuses_a_block_0(void **state)
{
    (void)state;
    struct gbt_receiver rx;
    struct bytes data;
    struct gbt_block b = {.data = {letters, 5}};
    gbt_receiver_init(&rx);
    assert_int_equal(gbt_receiver_block(&rx, &b, &data), ERR_FORMAT);
    b.data.len = 0; /* a word of somebody who does not count them */
    assert_int_equal(gbt_receiver_block(&rx, &b, &data), ERR_OK);
}

/* A direction ends at 65535 blocks, with an error and not with a number used twice. */
static void gbt_ends_with_the_last_number(void **state)
{
    (void)state;
    static uint8_t octets[70000];
    struct source source = {octets, sizeof octets, 0, 0};
    uint8_t store[1];
    struct gbt_sender s = {
        .context = &source, .fill = fill_from, .store = store, .store_size = 1, .block_size = 1};
    struct gbt_receiver rx;
    struct gbt_block b;
    struct bytes data;
    uint32_t n = 0;
    gbt_receiver_init(&rx);
    assert_int_equal(gbt_sender_init(&s, 0), ERR_OK);
    while (gbt_sender_next(&s, 0, 0, &b)) {
        n++;
        assert_int_equal(gbt_receiver_block(&rx, &b, &data), ERR_OK);
        assert_int_equal(data.len, 1);
    }
    assert_int_equal(n, 65535);
    assert_int_equal(s.err, ERR_RANGE);
    b.number = 1;
    assert_int_equal(gbt_receiver_block(&rx, &b, &data), ERR_OK);
    assert_true(rx.doubled);
}

/* ---- a recorded push ---- */

#define CAPTURE SHARED_DIR "/vectors/dlms/hdlc_landis_gyr_e450/original.log"

/* Payload of one HDLC frame of the capture: flags, format and length, addresses of 2 + 1 octets,
 * control and HCS stand in front, FCS and flag behind; the first has an LLC header. The checks of
 * HDLC itself are tested elsewhere. */
static struct bytes payload_of(const uint8_t *frame, size_t len)
{
    assert_true(len > 12 && frame[0] == 0x7E && frame[len - 1] == 0x7E);
    struct bytes p = {frame + 9, len - 12};
    if (p.p[0] == 0xE6)
        p = (struct bytes){p.p + 3, p.len - 3};
    return p;
}

/* Joins the blocks of the capture (hex frames with blanks between) in `out`. */
static size_t join_capture(FILE *f, uint8_t *out, size_t size)
{
    char text[1024];
    uint8_t frame[512];
    struct gbt_receiver rx;
    size_t len = 0;
    gbt_receiver_init(&rx);
    while (!rx.done && fscanf(f, "%1023s", text) == 1) {
        const struct bytes p = payload_of(frame, hex_octets(text, frame, sizeof frame));
        struct rd r = rd_of(p.p, p.len);
        struct gbt_block b;
        struct bytes data;
        gbt_get(&r, &b);
        assert_int_equal(r.err, ERR_OK);
        assert_int_equal(gbt_receiver_block(&rx, &b, &data), ERR_OK);
        assert_false(rx.answer);
        assert_true(len + data.len <= size);
        memcpy(out + len, data.p, data.len);
        len += data.len;
    }
    assert_true(rx.done);
    return len;
}

/* Landis+Gyr E450, esphome-libs/dlms_parser: blocks of HDLC frames, general-glo-ciphering within.
 */
static void gbt_joins_the_push_of_an_e450(void **state)
{
    (void)state;
    uint8_t apdu[400], guek[16], gak[16], sc, *plain;
    uint32_t counter;
    size_t len;
    FILE *f = fopen(CAPTURE, "r");
    if (!f) {
        print_message("not there: " CAPTURE "\n");
        skip();
        return;
    }
    const size_t n = join_capture(f, apdu, sizeof apdu);
    fclose(f);
    assert_int_equal(n, 272);
    (void)hex_octets("5C316162209EBB790B52EB0E7FC5B11C", guek, sizeof guek);
    (void)hex_octets("92705C5C97286064EABAE38D190F87A4", gak, sizeof gak);
    assert_int_equal(apdu[0], 0xDB); /* tag, title with length, length 82 0103, body */
    assert_int_equal(dlms_open(guek, gak, apdu + 2, apdu + 13, n - 13, &sc, &counter, &plain, &len),
                     ERR_OK);
    assert_int_equal(sc, DLMS_SC_AUTH | DLMS_SC_ENC);
    assert_int_equal(counter, 1539018);
    assert_int_equal(len, 242);
    assert_int_equal(plain[0], 0x0F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gbt_reads_and_writes_a_block),
        cmocka_unit_test(gbt_refuses_what_is_cut_or_too_long),
        cmocka_unit_test(gbt_carries_both_ways_over_a_clean_line),
        cmocka_unit_test(gbt_gives_all_once_when_blocks_are_lost),
        cmocka_unit_test(gbt_gives_all_once_when_blocks_are_doubled_and_reordered),
        cmocka_unit_test(gbt_streams_a_window_and_gives_the_word_with_its_last_block),
        cmocka_unit_test(gbt_sends_again_from_the_first_lost_block),
        cmocka_unit_test(gbt_window_is_limited_by_the_store),
        cmocka_unit_test(gbt_refuses_to_be_acknowledged_what_it_never_sent),
        cmocka_unit_test(gbt_refuses_sizes_that_hold_no_block),
        cmocka_unit_test(gbt_unconfirmed_never_waits),
        cmocka_unit_test(gbt_sends_an_apdu_that_is_there_as_a_whole),
        cmocka_unit_test(gbt_stops_when_the_octets_fail_or_never_come),
        cmocka_unit_test(gbt_counts_acknowledgements_as_blocks),
        cmocka_unit_test(gbt_receiver_begins_at_block_1_whatever_came_before),
        cmocka_unit_test(gbt_receiver_refuses_a_block_0),
        cmocka_unit_test(gbt_ends_with_the_last_number),
        cmocka_unit_test(gbt_joins_the_push_of_an_e450),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
