/* Fuzz target of the wired M-Bus: the input is a piece size, then a stream.
 *
 * The same frames come out whether the stream is fed at once or in pieces, what the receiver calls
 * a frame is decoded, and a frame without overflow, written again, gives its octets (round trip).
 */
#include "lib/mbus/mbus_frame.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define OUT_SIZE 8192

struct result {
    uint8_t octets[OUT_SIZE]; /* all frames */
    size_t len;
    uint8_t apdu[600]; /* the last one put together */
    size_t n_apdus;
    struct mbus_join join;
};

static void take_frame(struct result *res, struct bytes raw)
{
    uint8_t again[MBUS_FRAME_MAX];
    struct mbus_frame f;
    size_t at;
    bool whole;
    CHECK(mbus_frame_decode(raw, &f, &at) == ERR_OK);
    struct wr w = wr_of(again, sizeof again);
    mbus_frame_put(&w, &f);
    CHECK(w.err == (f.data.len > MBUS_DATA_MAX ? ERR_RANGE : ERR_OK));
    CHECK(f.overflow == (f.data.len > MBUS_DATA_MAX));
    CHECK(w.err || (w.len == raw.len && memcmp(again, raw.p, raw.len) == 0));
    CHECK(raw.len <= OUT_SIZE - res->len);
    memcpy(res->octets + res->len, raw.p, raw.len);
    res->len += raw.len;
    if (mbus_join_add(&res->join, &f, &whole) == ERR_OK)
        res->n_apdus += whole;
    CHECK(res->join.len <= res->join.size);
}

static void feed(struct result *res, struct mbus_rx *rx, const uint8_t *p, size_t n)
{
    enum mbus_rx_event event;
    do {
        const size_t used = mbus_rx_feed(rx, p, n, &event);
        CHECK(used <= n && rx->len <= rx->size && rx->frame_len <= rx->len);
        p += used;
        n -= used;
        if (event == MBUS_RX_FRAME)
            take_frame(res, (struct bytes){rx->buf, rx->frame_len});
    } while (n > 0 || event != MBUS_RX_MORE);
}

static void run(struct result *res, const uint8_t *p, size_t n, size_t piece)
{
    struct mbus_rx rx;
    uint8_t *buf = malloc(MBUS_FRAME_MAX); /* of exact size, for the address sanitizer */
    CHECK(buf != NULL);
    res->len = res->n_apdus = 0;
    mbus_rx_reset(&rx, buf, MBUS_FRAME_MAX);
    mbus_join_reset(&res->join, res->apdu, sizeof res->apdu);
    for (size_t at = 0; at < n; at += piece)
        feed(res, &rx, p + at, n - at < piece ? n - at : piece);
    mbus_rx_silent(&rx);
    feed(res, &rx, p, 0);
    CHECK(rx.len == 0);
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, pieces;
    if (size < 2 || size - 1 > OUT_SIZE)
        return 0;
    run(&whole, data + 1, size - 1, size);
    run(&pieces, data + 1, size - 1, 1 + data[0] % 32u);
    CHECK(whole.len == pieces.len && whole.n_apdus == pieces.n_apdus);
    CHECK(memcmp(whole.octets, pieces.octets, whole.len) == 0);
    CHECK(memcmp(whole.apdu, pieces.apdu, whole.join.len) == 0);
    return 0;
}
