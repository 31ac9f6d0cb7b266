/* Fuzz target of the wrapper: the input is a buffer size, a piece size, then a stream.
 *
 * The same frames come out whether the stream is fed at once or in pieces, no octet lands outside
 * the buffer, and frames written again give the octets that were consumed (round trip). */
#include "lib/dlms/wrapper.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define OUT_SIZE 4096

struct result {
    uint8_t octets[OUT_SIZE]; /* all frames, written again */
    struct wr out;
    enum wrapper_event last;
    size_t consumed;
};

static void run(struct result *res, const uint8_t *p, size_t n, size_t piece, size_t buf_size)
{
    uint8_t *buf = malloc(buf_size); /* of exact size, for the address sanitizer */
    struct wrapper_rx rx;
    wrapper_reset(&rx, buf, buf_size);
    res->out = wr_of(res->octets, sizeof res->octets);
    res->last = WRAPPER_MORE;
    res->consumed = 0;
    while (res->consumed < n && res->last <= WRAPPER_FRAME) {
        size_t give = n - res->consumed < piece ? n - res->consumed : piece;
        size_t used = wrapper_feed(&rx, p + res->consumed, give, &res->last);
        CHECK(used <= give && rx.len <= buf_size);
        CHECK(used > 0 || res->last > WRAPPER_FRAME);
        CHECK(used == give || res->last != WRAPPER_MORE);
        res->consumed += used;
        if (res->last == WRAPPER_FRAME) {
            CHECK(rx.len == rx.need);
            wrapper_put_head(&res->out, rx.source, rx.destination, (uint16_t)rx.len);
            wr_bytes(&res->out, rx.buf, rx.len);
            CHECK(!res->out.err && res->out.len == res->consumed);
        }
    }
    free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct result whole, pieces;
    if (size < 2 || size - 2 > OUT_SIZE) {
        return 0;
    }
    size_t buf_size = 1 + 4u * data[0], piece = 1 + data[1] % 32u;
    run(&whole, data + 2, size - 2, size, buf_size);
    run(&pieces, data + 2, size - 2, piece, buf_size);
    CHECK(whole.last == pieces.last && whole.consumed == pieces.consumed);
    CHECK(whole.out.len == pieces.out.len);
    CHECK(memcmp(whole.octets, pieces.octets, whole.out.len) == 0);
    CHECK(memcmp(whole.octets, data + 2, whole.out.len) == 0);
    return 0;
}
