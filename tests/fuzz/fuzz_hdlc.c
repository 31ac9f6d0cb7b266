/* Fuzz target of HDLC. The first octet chooses what the rest is for:
 *
 * - frames: a stream for the receiver, whole and in pieces. The same frames come out, none leaves
 *   the buffer, and each that can be decoded is written again octet by octet.
 * - server, client: a program of events for a link: octets of any kind, frames with right sums (so
 *   that the state machine is reached), taking, time, the caller's calls. The facts at the head of
 *   hdlc.c hold after each, what it sends is well-formed, and nothing borrowed is read after it is
 *   given back.
 * - mode E: the same events for the hand-over around a link. */
#include "lib/dlms/hdlc.h"
#include "lib/dlms/mode_e.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* --- frames */

struct result {
    uint8_t octets[8192]; /* all frames without flags, one after another */
    size_t len, n_bad;
};

static bool same_address(const struct hdlc_address *a, const struct hdlc_address *b)
{
    return a->upper == b->upper && a->lower == b->lower && a->size == b->size;
}

/* What is known of a frame that was told needs no second look. */
static void check_told(const struct hdlc_rx *rx, enum err err, const struct hdlc_frame *f)
{
    struct hdlc_frame told;
    CHECK((hdlc_frame_told(rx, &told) == ERR_OK) == (err == ERR_OK));
    if (err)
        return;
    CHECK(same_address(&told.destination, &f->destination));
    CHECK(same_address(&told.source, &f->source));
    CHECK(told.segmented == f->segmented && told.control == f->control);
    CHECK(told.info.len == f->info.len && (f->info.len == 0 || told.info.p == f->info.p));
}

static void check_decoded(const struct hdlc_rx *rx)
{
    struct hdlc_frame f;
    size_t at;
    enum err err = hdlc_frame_decode((struct bytes){rx->buf, rx->len}, &f, &at);
    check_told(rx, err, &f);
    if (err) {
        CHECK(at <= rx->len);
        return;
    }
    uint8_t again[HDLC_FRAME_MAX + 2];
    struct wr w = wr_of(again, sizeof again);
    hdlc_frame_put(&w, &f);
    CHECK(!w.err);
    bool empty_info =
        w.len == rx->len && f.info.len == 0; /* an HCS before no info is not written */
    CHECK(empty_info || (w.len == (size_t)rx->len + 2 && memcmp(again + 1, rx->buf, rx->len) == 0));
    struct hdlc_parameters p;
    if (hdlc_parameters_decode(f.info, &p) == ERR_OK) {
        CHECK(p.max_info_tx >= 32 && p.max_info_tx <= HDLC_INFO_MAX && p.window_rx >= 1);
        struct hdlc_parameters back;
        uint8_t octets[HDLC_PARAMETERS_MAX];
        w = wr_of(octets, sizeof octets);
        hdlc_parameters_put(&w, &p);
        CHECK(!w.err && !hdlc_parameters_decode((struct bytes){octets, w.len}, &back));
        CHECK(memcmp(&p, &back, sizeof p) == 0);
    }
}

static void run_frames(struct result *res, const uint8_t *p, size_t n, size_t piece, size_t size)
{
    uint8_t *buf = malloc(size ? size : 1);
    struct hdlc_rx rx;
    enum hdlc_rx_event event = HDLC_RX_MORE;
    hdlc_rx_reset(&rx, buf, size);
    *res = (struct result){.len = 0};
    for (size_t at = 0; at < n || event != HDLC_RX_MORE;) {
        size_t give = n - at < piece ? n - at : piece;
        size_t used = hdlc_rx_feed(&rx, p + at, give, &event);
        CHECK(used <= give && (used == give || event != HDLC_RX_MORE));
        at += used;
        res->n_bad += event > HDLC_RX_FRAME;
        if (event != HDLC_RX_FRAME)
            continue;
        CHECK(rx.len <= size && res->len + rx.len <= sizeof res->octets);
        memcpy(res->octets + res->len, rx.buf, rx.len);
        res->len += rx.len;
        check_decoded(&rx);
    }
    free(buf);
}

static void fuzz_frames(const uint8_t *p, size_t n)
{
    static struct result whole, pieces;
    if (n < 2 || n > sizeof whole.octets)
        return;
    size_t size = 8u * p[0], piece = 1 + p[1] % 32u;
    run_frames(&whole, p + 2, n - 2, n, size);
    run_frames(&pieces, p + 2, n - 2, piece, size);
    CHECK(whole.len == pieces.len && whole.n_bad == pieces.n_bad);
    CHECK(memcmp(whole.octets, pieces.octets, whole.len) == 0);
}

/* --- links */

enum { BUF_SIZE = 200 };

struct bench {
    struct hdlc hdlc;
    struct mode_e mode_e;
    struct dlms_link *link;
    struct hdlc_rx out_rx; /* what the link sends, read back */
    uint8_t out_buf[HDLC_FRAME_MAX];
    uint8_t *apdu; /* borrowed by the link */
    bool has_apdu, hand_over;
    struct dlms_frame held;
    uint8_t held_copy[BUF_SIZE];
    uint64_t now_ms;
};

static uint8_t modulo8(int n)
{
    return (uint8_t)((unsigned)n & 7u);
}

static void check_facts(const struct bench *b)
{
    const struct hdlc *h = &b->hdlc;
    uint8_t unacknowledged = modulo8(h->vs - h->va), furthest = modulo8(h->vm - h->va);
    CHECK(unacknowledged <= furthest && furthest <= h->agreed.window_tx);
    CHECK(!h->out.p || h->out_at < 3u + h->out.len);
    CHECK(h->in_len <= h->size && h->rx.buf >= h->buf &&
          h->rx.buf + h->rx.size <= h->buf + h->size);
    CHECK(h->tx.len == 0 || h->tx.pos < h->tx.len);
    CHECK(h->agreed.max_info_tx >= 32 && h->agreed.max_info_rx <= BUF_SIZE - 14);
    CHECK(dlms_link_sending(b->link) == (h->out.p != NULL));
    CHECK(!h->config.is_server || dlms_link_state(b->link) != LINK_FAILED);
    if (b->held.p) /* the caller's until it is released */
        CHECK(memcmp(b->held.p, b->held_copy, b->held.len) == 0);
}

/* Frees what the link does not borrow any more, so that a later look at it is seen. */
static void give_back(struct bench *b)
{
    if (b->apdu && !dlms_link_sending(b->link)) {
        free(b->apdu);
        b->apdu = NULL;
    }
}

static void feed(struct bench *b, const uint8_t *p, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);
    memcpy(exact, p, n);
    CHECK(dlms_link_feed(b->link, b->now_ms, exact, n) == n);
    free(exact);
}

/* A frame with right sums from 3 octets and an info field: small choices, so that it often fits. */
static void feed_frame(struct bench *b, uint8_t control, uint8_t shape, struct bytes info)
{
    static const struct hdlc_address stations[] = {
        {1, 0, 1}, {1, 17, 2}, {1, 17, 4}, {0x7F, 0, 1}, {1, 0x3FFF, 4}, {1, 18, 2}, {2, 17, 2}};
    static const struct hdlc_address clients[] = {{16, 0, 1}, {17, 0, 1}};
    uint8_t line[300];
    struct hdlc_frame f = {.control = control, .segmented = (shape & 0x10) != 0, .info = info};
    struct hdlc_address station = stations[(shape & 7) % 7];
    struct hdlc_address client = clients[shape >> 3 & 1];
    f.destination = b->hdlc.config.is_server ? station : client;
    f.source = b->hdlc.config.is_server ? client : station;
    if (shape & 0x20) { /* as it should be: the numbers that the link waits for */
        f.control = (uint8_t)((control & 0x11) | (unsigned)b->hdlc.vs << 5);
        f.control = (uint8_t)(f.control | (control & 1 ? 0 : (unsigned)b->hdlc.vr << 1));
    }
    struct wr w = wr_of(line, sizeof line);
    hdlc_frame_put(&w, &f);
    CHECK(!w.err);
    feed(b, line, w.len);
}

static void take(struct bench *b, size_t size)
{
    uint8_t *to = malloc(size);
    size_t n = dlms_link_take(b->link, b->now_ms, to, size), used = 0;
    CHECK(n <= size);
    enum hdlc_rx_event event;
    do {
        used += hdlc_rx_feed(&b->out_rx, to + used, n - used, &event);
        if (event != HDLC_RX_FRAME)
            continue;
        struct hdlc_frame f;
        size_t at;
        CHECK(!hdlc_frame_decode((struct bytes){b->out_rx.buf, b->out_rx.len}, &f, &at));
        CHECK(f.info.len <= HDLC_INFO_MAX);
    } while (event != HDLC_RX_MORE);
    free(to);
}

static void send(struct bench *b, size_t len, bool unconfirmed)
{
    if (b->apdu)
        return;
    b->apdu = malloc(len ? len : 1);
    memset(b->apdu, 0xC4, len);
    struct dlms_frame f = {
        .client = 16, .server = 1, .p = b->apdu, .len = len, .unconfirmed = unconfirmed};
    if (dlms_link_send(b->link, b->now_ms, &f))
        CHECK(!dlms_link_sending(b->link));
}

static void receive(struct bench *b)
{
    if (b->held.p) {
        dlms_link_release(b->link);
        b->held.p = NULL;
    } else if (dlms_link_received(b->link, &b->held)) {
        CHECK(b->held.p >= b->hdlc.buf && b->held.len <= BUF_SIZE - 3);
        memcpy(b->held_copy, b->held.p, b->held.len);
    } else {
        b->held.p = NULL;
    }
}

static void call(struct bench *b, uint8_t what)
{
    enum err err = ERR_OK;
    if (what % 4 == 0)
        err = dlms_link_open(b->link, b->now_ms);
    else if (what % 4 == 1)
        err = dlms_link_close(b->link, b->now_ms);
    else if (what % 4 == 2 && !b->held.p)
        dlms_link_reset(b->link);
    else
        CHECK(dlms_link_why(b->link) != NULL);
    CHECK(err == ERR_OK || err == ERR_STATE);
}

/* One event of the program: its octets are read from r. */
static void step(struct bench *b, struct rd *r)
{
    uint8_t what = rd_u8(r), much = rd_u8(r);
    struct bytes some = {0};
    switch (what % 8) {
    case 0:
        some = rd_bytes(r, much % 64u < rd_left(r) ? much % 64u : rd_left(r));
        feed(b, some.p, some.len);
        break;
    case 1:
    case 2:
    case 3:
        what = rd_u8(r);
        some = rd_bytes(r, what % 128u < rd_left(r) ? what % 128u : rd_left(r));
        feed_frame(b, much, what, some);
        break;
    case 4:
        take(b, 1 + (size_t)much * 8);
        break;
    case 5:
        b->now_ms += (uint64_t)much * much;
        CHECK(dlms_link_poll(b->link, b->now_ms) > 0);
        break;
    case 6:
        send(b, (size_t)much * 4, (what & 0x80) != 0);
        break;
    default:
        if (much & 0x80)
            call(b, much);
        else
            receive(b);
    }
}

static void set_up(struct bench *b, bool is_server, bool hand_over, uint8_t *buffer, uint8_t window)
{
    struct hdlc_config c = {.is_server = is_server,
                            .parameters = {64, 64, window, window},
                            .inactivity_ms = 60000,
                            .inter_octet_ms = 100,
                            .client_sap = 16,
                            .server_sap = 1,
                            .server_lower = 17,
                            .address_size = 2,
                            .retries = 2,
                            .response_ms = 1000,
                            .physical = 17};
    memset(b, 0, sizeof *b);
    b->now_ms = 1;
    CHECK(hdlc_init(&b->hdlc, &c, buffer, BUF_SIZE) == ERR_OK);
    b->link = &b->hdlc.link;
    hdlc_rx_reset(&b->out_rx, b->out_buf, sizeof b->out_buf);
    struct mode_e_config e = {.is_server = is_server,
                              .device = "12",
                              .identification = "FERx",
                              .software_parity = window & 1};
    CHECK(mode_e_init(&b->mode_e, &e, &b->hdlc.link) == ERR_OK);
    if (hand_over)
        b->link = &b->mode_e.link;
}

static void fuzz_link(uint8_t kind, const uint8_t *p, size_t n)
{
    static struct bench b;
    uint8_t *buffer = malloc(BUF_SIZE);
    set_up(&b, kind & 1, (kind & 6) == 6, buffer, (uint8_t)(1 + kind / 8 % 7));
    struct rd r = rd_of(p, n);
    while (rd_left(&r) > 2) {
        step(&b, &r);
        check_facts(&b);
        give_back(&b);
    }
    free(b.apdu);
    free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if ((data[0] & 6) == 0)
        fuzz_frames(data + 1, size - 1);
    else
        fuzz_link(data[0], data + 1, size - 1);
    return 0;
}
