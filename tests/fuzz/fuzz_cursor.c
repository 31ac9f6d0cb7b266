/* Fuzz target of the cursors: the input is a list of calls, then the octets they work on.
 *
 * Whatever the calls, a reader never passes its end, keeps its first error and its place, and what
 * a writer wrote reads back (round trip). */
#include "lib/base/cursor.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* One read chosen by `op`; the same value is written to w. */
static void step(uint8_t op, struct rd *r, struct wr *w)
{
    switch (op % 6) {
    case 0:
        wr_u8(w, rd_u8(r));
        break;
    case 1:
        wr_u16(w, rd_u16(r));
        break;
    case 2:
        wr_u32(w, rd_u32(r));
        break;
    case 3:
        wr_u64(w, rd_u64(r));
        break;
    case 4: {
        struct bytes b = rd_bytes(r, op / 6u);
        CHECK(b.p || b.len == 0);
        wr_bytes(w, b.p, b.len);
        break;
    }
    default:
        wr_length(w, rd_length(r));
    }
}

/* A length may be read in a longer form than it is written in, so only its value must come back. */
static void lengths_come_back(struct rd r)
{
    size_t n = rd_length(&r);
    if (r.err) {
        return;
    }
    uint8_t buffer[9];
    struct wr w = wr_of(buffer, sizeof buffer);
    wr_length(&w, n);
    struct rd again = rd_of(buffer, w.len);
    CHECK(!w.err && rd_length(&again) == n && !again.err && rd_left(&again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd ops = rd_of(data, size);
    struct bytes calls = rd_bytes(&ops, rd_u8(&ops) % 32u);
    struct rd r = rd_of(size ? data + ops.pos : data, rd_left(&ops));
    uint8_t copy[256];
    struct wr w = wr_of(copy, sizeof copy);
    struct wr count = wr_counter();
    bool only_octets = true;

    for (size_t i = 0; i < calls.len; i++) {
        struct rd before = r;
        lengths_come_back(r);
        step(calls.p[i], &r, &w);
        step(calls.p[i], &before, &count);
        CHECK(before.pos == r.pos && before.err == r.err);
        CHECK(r.pos <= r.len && w.len <= w.size && rd_left(&r) == (r.err ? 0 : r.len - r.pos));
        CHECK(!r.err || r.err_pos <= r.len);
        only_octets = only_octets && calls.p[i] % 6 != 5 && !r.err;
    }
    CHECK(w.err || w.len == count.len);
    if (only_octets && !w.err) {
        CHECK(w.len == r.pos && memcmp(copy, r.p, w.len) == 0);
    }
    return 0;
}
