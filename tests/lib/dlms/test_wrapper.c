/* Wrapper frames (IEC 62056-47) cut out of streams that arrive in pieces of any size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/dlms/wrapper.h"
#include "tests/lib/hex.h"

/* A GET of the clock from client 16 to logical device 1, an empty frame, and its answer's ports. */
static const char stream_text[] = "0001 0010 0001 000D C001C100080000010000FF0200"
                                  "0001 0010 0001 0000"
                                  "0001 0001 0010 0003 D80102";
struct seen {
    unsigned n;
    uint16_t source[4], destination[4];
    size_t len[4];
    uint8_t first[4];
};

/* Feeds the stream in pieces of `piece` octets and notes the frames. */
static enum wrapper_event run(struct wrapper_rx *rx, const uint8_t *p, size_t n, size_t piece,
                              struct seen *seen)
{
    enum wrapper_event event = WRAPPER_MORE;
    for (size_t at = 0; at < n;) {
        size_t give = n - at < piece ? n - at : piece;
        /* a copy of exact size, so that the sanitizer sees any octet read beyond the piece */
        uint8_t exact[64];
        memcpy(exact + sizeof exact - give, p + at, give);
        size_t used = wrapper_feed(rx, exact + sizeof exact - give, give, &event);
        at += used;
        if (event == WRAPPER_VERSION_WRONG || event == WRAPPER_TOO_LONG)
            return event;
        if (event == WRAPPER_MORE) {
            assert_int_equal(used, give);
            continue;
        }
        assert_true(seen->n < 4);
        seen->source[seen->n] = rx->source;
        seen->destination[seen->n] = rx->destination;
        seen->first[seen->n] = rx->len ? rx->buf[0] : 0;
        seen->len[seen->n++] = rx->len;
    }
    return event;
}

static void wrapper_finds_the_same_frames_when_pieces_have_any_size(void **state)
{
    (void)state;
    uint8_t stream[64], buf[13];
    size_t n = hex_octets(stream_text, stream, sizeof stream);
    for (size_t piece = 1; piece <= n; piece++) {
        struct wrapper_rx rx;
        struct seen seen = {0};
        wrapper_reset(&rx, buf, sizeof buf);
        assert_int_equal(run(&rx, stream, n, piece, &seen), WRAPPER_FRAME);
        assert_int_equal(seen.n, 3);
        assert_int_equal(seen.source[0], 0x10);
        assert_int_equal(seen.destination[0], 1);
        assert_int_equal(seen.len[0], 13);
        assert_int_equal(seen.first[0], 0xC0);
        assert_int_equal(seen.len[1], 0);
        assert_int_equal(seen.source[2], 1);
        assert_int_equal(seen.destination[2], 0x10);
        assert_int_equal(seen.len[2], 3);
        assert_int_equal(seen.first[2], 0xD8);
        assert_memory_equal(rx.buf, "\xD8\x01\x02", 3);
    }
}

static void wrapper_says_more_when_the_frame_is_cut(void **state)
{
    (void)state;
    uint8_t stream[64], buf[64];
    hex_octets(stream_text, stream, sizeof stream);
    for (size_t n = 0; n < 21; n++) {
        struct wrapper_rx rx;
        enum wrapper_event event = WRAPPER_FRAME;
        wrapper_reset(&rx, buf, sizeof buf);
        assert_int_equal(wrapper_feed(&rx, stream, n, &event), n);
        assert_int_equal(event, WRAPPER_MORE);
    }
}

static void wrapper_keeps_the_frame_when_nothing_is_fed(void **state)
{
    (void)state;
    uint8_t stream[64], buf[64];
    enum wrapper_event event;
    struct wrapper_rx rx;
    hex_octets(stream_text, stream, sizeof stream);
    wrapper_reset(&rx, buf, sizeof buf);
    assert_int_equal(wrapper_feed(&rx, stream, sizeof stream, &event), 21);
    assert_int_equal(event, WRAPPER_FRAME);
    assert_int_equal(wrapper_feed(&rx, NULL, 0, &event), 0);
    assert_int_equal(event, WRAPPER_FRAME);
    assert_int_equal(rx.len, 13);
}

static void wrapper_refuses_at_once_when_the_version_is_wrong(void **state)
{
    (void)state;
    static const uint8_t streams[][2] = {{0x00, 0x02}, {0x01, 0x00}, {0x7E, 0xA0}, {'G', 'E'}};
    for (size_t i = 0; i < 4; i++) {
        struct wrapper_rx rx;
        enum wrapper_event event;
        uint8_t buf[16];
        wrapper_reset(&rx, buf, sizeof buf);
        size_t used = wrapper_feed(&rx, streams[i], 2, &event);
        assert_int_equal(event, WRAPPER_VERSION_WRONG);
        assert_int_equal(used, streams[i][0] == 0 ? 2 : 1);
        const uint8_t good[] = {0, 1, 0, 1, 0, 1, 0, 0};
        assert_int_equal(wrapper_feed(&rx, good, sizeof good, &event), 0);
        assert_int_equal(event, WRAPPER_VERSION_WRONG);
        wrapper_reset(&rx, buf, sizeof buf);
        assert_int_equal(wrapper_feed(&rx, good, sizeof good, &event), sizeof good);
        assert_int_equal(event, WRAPPER_FRAME);
    }
}

static void wrapper_refuses_when_the_frame_is_longer_than_the_buffer(void **state)
{
    (void)state;
    uint8_t stream[64], buf[12];
    size_t n = hex_octets(stream_text, stream, sizeof stream);
    struct wrapper_rx rx;
    enum wrapper_event event;
    wrapper_reset(&rx, buf, sizeof buf);
    assert_int_equal(wrapper_feed(&rx, stream, n, &event), WRAPPER_HEAD_LEN);
    assert_int_equal(event, WRAPPER_TOO_LONG);
    assert_int_equal(wrapper_feed(&rx, stream + 8, n - 8, &event), 0);
    assert_int_equal(event, WRAPPER_TOO_LONG);
}

static void wrapper_reads_back_the_header_it_wrote(void **state)
{
    (void)state;
    static uint8_t frame[WRAPPER_HEAD_LEN + 0xFFFF], buf[0xFFFF];
    struct wr w = wr_of(frame, WRAPPER_HEAD_LEN);
    wrapper_put_head(&w, 0x0123, 0x4567, 0xFFFF);
    assert_int_equal(w.err, ERR_OK);
    assert_memory_equal(frame, "\x00\x01\x01\x23\x45\x67\xFF\xFF", 8);
    frame[sizeof frame - 1] = 0x99;
    struct wrapper_rx rx;
    enum wrapper_event event;
    wrapper_reset(&rx, buf, sizeof buf);
    assert_int_equal(wrapper_feed(&rx, frame, sizeof frame, &event), sizeof frame);
    assert_int_equal(event, WRAPPER_FRAME);
    assert_int_equal(rx.source, 0x0123);
    assert_int_equal(rx.destination, 0x4567);
    assert_int_equal(rx.len, 0xFFFF);
    assert_int_equal(buf[0xFFFE], 0x99);
    w = wr_of(frame, WRAPPER_HEAD_LEN - 1);
    wrapper_put_head(&w, 1, 1, 1);
    assert_int_equal(w.err, ERR_FULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrapper_finds_the_same_frames_when_pieces_have_any_size),
        cmocka_unit_test(wrapper_says_more_when_the_frame_is_cut),
        cmocka_unit_test(wrapper_keeps_the_frame_when_nothing_is_fed),
        cmocka_unit_test(wrapper_refuses_at_once_when_the_version_is_wrong),
        cmocka_unit_test(wrapper_refuses_when_the_frame_is_longer_than_the_buffer),
        cmocka_unit_test(wrapper_reads_back_the_header_it_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
