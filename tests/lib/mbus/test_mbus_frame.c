/* Frames of the wired M-Bus and the segments of APDUs in them: own octets and three captures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/mbus/mbus_frame.h"
#include "tests/lib/hex.h"
#include "tests/lib/mbus/captures.h"

static void mbus_frame_is_the_same_after_decoding_and_encoding(void **state)
{
    (void)state;
    static const char *const text[] = {"E5", "105B015C16", "6803036873FE00 71 16",
                                       "6806066808017A 010203 89 16"};
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        uint8_t raw[32], again[32];
        size_t at, n = hex_octets(text[i], raw, sizeof raw);
        struct mbus_frame f;
        assert_int_equal(mbus_frame_decode((struct bytes){raw, n}, &f, &at), ERR_OK);
        struct wr w = wr_of(again, sizeof again);
        mbus_frame_put(&w, &f);
        assert_int_equal(w.err, ERR_OK);
        assert_int_equal(w.len, n);
        assert_memory_equal(again, raw, n);
    }
}

static void mbus_frame_decode_says_where_when_an_octet_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum err err;
        size_t at;
    } row[] = {{"", ERR_TRUNCATED, 0},
               {"00", ERR_FORMAT, 0},
               {"E5E5", ERR_FORMAT, 1},
               {"105B01", ERR_TRUNCATED, 3},
               {"105B015D16", ERR_FORMAT, 3},
               {"105B015C17", ERR_FORMAT, 4},
               {"105B015C1600", ERR_FORMAT, 5},
               {"6803", ERR_TRUNCATED, 2},
               {"680304", ERR_FORMAT, 2},
               {"68030310", ERR_FORMAT, 3},
               {"6803036873FE00", ERR_TRUNCATED, 7},
               {"6803036873FE007216", ERR_FORMAT, 7},
               {"6803036873FE007117", ERR_FORMAT, 8},
               {"6803036873FE0071160000", ERR_FORMAT, 9},
               {"6802026873FE71 16", ERR_TRUNCATED, 8}}; /* 2: an overflow, 258 octets */
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        uint8_t raw[32];
        size_t at = 99, n = hex_octets(row[i].text, raw, sizeof raw);
        struct mbus_frame f;
        assert_int_equal(mbus_frame_decode((struct bytes){raw, n}, &f, &at), row[i].err);
        assert_int_equal(at, row[i].at);
    }
}

static void mbus_frame_put_refuses_when_data_is_too_long(void **state)
{
    (void)state;
    static const uint8_t data[MBUS_DATA_MAX + 1];
    uint8_t out[300];
    struct mbus_frame f = {.kind = MBUS_LONG, .data = {data, MBUS_DATA_MAX}};
    struct wr w = wr_of(out, sizeof out);
    mbus_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
    f.data.len++;
    w = wr_of(out, sizeof out);
    mbus_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_RANGE);
}

/* ---- receiver ---- */

struct seen {
    unsigned n, n_bad;
    size_t len[16];
    uint8_t first[16];
};

static void drain(struct mbus_rx *rx, const uint8_t *p, size_t n, struct seen *seen)
{
    enum mbus_rx_event event;
    do {
        const size_t used = mbus_rx_feed(rx, p, n, &event);
        assert_true(used <= n);
        p += used;
        n -= used;
        if (event == MBUS_RX_FRAME) {
            assert_true(seen->n < 16);
            seen->first[seen->n] = rx->buf[0];
            seen->len[seen->n++] = rx->frame_len;
        }
        seen->n_bad += event == MBUS_RX_BAD;
    } while (n > 0 || event != MBUS_RX_MORE);
}

static const char noisy[] = "00 00 E5" /* behind garbage no single character is believed */
                            "105B015C16 E5"
                            "68 6806066808017A 010203 89 16" /* a start octet too many */
                            "6806066808017A 010203 88 16"    /* check sum */
                            "105B025D16"
                            "6805";

static void mbus_rx_finds_the_same_frames_when_pieces_have_any_size(void **state)
{
    (void)state;
    uint8_t stream[128], buf[MBUS_FRAME_MAX];
    const size_t n = hex_octets(noisy, stream, sizeof stream);
    for (size_t piece = 1; piece <= n; piece++) {
        struct mbus_rx rx;
        struct seen seen = {0};
        mbus_rx_reset(&rx, buf, sizeof buf);
        for (size_t at = 0; at < n; at += piece)
            drain(&rx, stream + at, n - at < piece ? n - at : piece, &seen);
        /* the frame with the wrong sum could be one of 262 octets: what follows waits for it */
        assert_int_equal(seen.n, 3);
        mbus_rx_silent(&rx);
        drain(&rx, NULL, 0, &seen);
        assert_int_equal(rx.len, 0);
        static const uint8_t first[] = {0x10, 0xE5, 0x68, 0x10};
        static const size_t len[] = {5, 1, 12, 5};
        assert_int_equal(seen.n, 4);
        assert_memory_equal(seen.first, first, sizeof first);
        assert_memory_equal(seen.len, len, sizeof len);
        assert_true(seen.n_bad >= 3);
    }
}

static void mbus_rx_believes_a_single_character_again_when_the_line_was_silent(void **state)
{
    (void)state;
    uint8_t buf[MBUS_FRAME_MAX];
    struct mbus_rx rx;
    struct seen seen = {0};
    mbus_rx_reset(&rx, buf, sizeof buf);
    drain(&rx, (const uint8_t *)"\x00\xE5", 2, &seen);
    assert_int_equal(seen.n, 0);
    mbus_rx_silent(&rx);
    drain(&rx, (const uint8_t *)"\xE5", 1, &seen);
    assert_int_equal(seen.n, 1);
}

static void mbus_rx_drops_what_is_longer_than_its_buffer(void **state)
{
    (void)state;
    uint8_t buf[16], stream[64];
    struct mbus_rx rx;
    struct seen seen = {0};
    const size_t n =
        hex_octets("680B0B6808017A 0000000000000000 83 16 105B015C16", stream, sizeof stream);
    mbus_rx_reset(&rx, buf, sizeof buf);
    drain(&rx, stream, n, &seen);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.first[0], 0x10);
}

/* ---- segments ---- */

static enum err add(struct mbus_join *j, uint8_t ci, const char *text, bool *whole)
{
    uint8_t data[32];
    const struct mbus_frame f = {
        .kind = MBUS_LONG, .ci = ci, .data = {data, hex_octets(text, data, sizeof data)}};
    return mbus_join_add(j, &f, whole);
}

static void mbus_join_gives_the_apdu_when_segments_are_in_order(void **state)
{
    (void)state;
    uint8_t buf[8];
    struct mbus_join j;
    bool whole;
    mbus_join_reset(&j, buf, sizeof buf);
    assert_int_equal(add(&j, 0x00, "0167 C001", &whole), ERR_OK);
    assert_false(whole);
    assert_int_equal(add(&j, 0x01, "0167 C1", &whole), ERR_OK);
    assert_int_equal(add(&j, 0x01, "0167 C1", &whole), ERR_OK); /* sent again */
    assert_int_equal(add(&j, 0x12, "0167 00", &whole), ERR_OK);
    assert_true(whole);
    assert_int_equal(j.len, 4);
    assert_memory_equal(buf, "\xC0\x01\xC1\x00", 4);
    assert_int_equal(j.stsap, 1);
    assert_int_equal(j.dtsap, 0x67);
}

static void mbus_join_refuses_what_does_not_fit_together(void **state)
{
    (void)state;
    uint8_t buf[3];
    struct mbus_join j;
    struct mbus_frame f = {.kind = MBUS_SHORT};
    bool whole;
    mbus_join_reset(&j, buf, sizeof buf);
    assert_int_equal(mbus_join_add(&j, &f, &whole), ERR_TYPE);
    assert_int_equal(add(&j, 0x7A, "0167 00", &whole), ERR_TYPE);
    assert_int_equal(add(&j, 0x10, "01", &whole), ERR_TRUNCATED);
    assert_int_equal(add(&j, 0x11, "0167 00", &whole), ERR_STATE); /* nothing before it */
    assert_int_equal(add(&j, 0x00, "0167 00", &whole), ERR_OK);
    assert_int_equal(add(&j, 0x12, "0167 00", &whole), ERR_STATE); /* 1 is missing */
    assert_int_equal(add(&j, 0x11, "0167 00", &whole), ERR_STATE); /* and was dropped */
    assert_int_equal(add(&j, 0x00, "0167 00", &whole), ERR_OK);
    assert_int_equal(add(&j, 0x11, "0168 00", &whole), ERR_STATE); /* other SAPs */
    assert_int_equal(add(&j, 0x00, "0167 00", &whole), ERR_OK);
    assert_int_equal(add(&j, 0x11, "0167 000000", &whole), ERR_FULL);
    assert_int_equal(add(&j, 0x10, "0167 0F0000", &whole), ERR_OK);
    assert_true(whole);
}

static void mbus_join_counts_on_when_numbers_wrap(void **state)
{
    (void)state;
    uint8_t buf[64];
    struct mbus_join j;
    bool whole;
    mbus_join_reset(&j, buf, sizeof buf);
    for (unsigned i = 0; i < 40; i++)
        assert_int_equal(add(&j, (uint8_t)((i & 15) | (i == 39 ? 16 : 0)), "0167 55", &whole),
                         ERR_OK);
    assert_true(whole);
    assert_int_equal(j.len, 40);
}

/* ---- captures ---- */

static size_t join_capture(struct capture *c, const char *name, uint8_t *apdu, size_t size,
                           bool *overflow)
{
    uint8_t buf[MBUS_FRAME_MAX];
    struct mbus_rx rx;
    struct mbus_join j;
    bool whole = false;
    size_t used = 0;
    enum mbus_rx_event event;
    capture_read(c, name);
    mbus_rx_reset(&rx, buf, sizeof buf);
    mbus_join_reset(&j, apdu, size);
    for (size_t i = 0; i < c->n_frames; i++) {
        struct mbus_frame f;
        size_t at;
        used += mbus_rx_feed(&rx, c->octets + used, c->len - used, &event);
        assert_int_equal(event, MBUS_RX_FRAME);
        assert_int_equal(used, c->end[i]);
        assert_int_equal(mbus_frame_decode((struct bytes){buf, rx.frame_len}, &f, &at), ERR_OK);
        *overflow = *overflow || f.overflow;
        assert_int_equal(f.control, 0x53); /* pushed: send user data to all */
        assert_int_equal(f.address, 0xFF);
        assert_int_equal(mbus_join_add(&j, &f, &whole), ERR_OK);
        assert_int_equal(whole, i + 1 == c->n_frames);
    }
    assert_int_equal(used, c->len);
    assert_int_equal(j.stsap, 1);
    assert_int_equal(j.dtsap, 0x67);
    return j.len;
}

/* general-glo-ciphering: tag, title, length of the rest */
static void mbus_join_gives_whole_ciphered_apdus_of_captures(void **state)
{
    (void)state;
    struct capture c;
    uint8_t apdu[1024];
    bool overflow = false;
    size_t n = join_capture(&c, "at_tinetz_kaifa_tirol", apdu, sizeof apdu, &overflow);
    assert_false(overflow);
    assert_memory_equal(apdu, "\xDB\x08KFM\x10\x10\x00\x00\x23\x82\x01\x09", 13);
    assert_int_equal(n, 13 + 0x109);
    n = join_capture(&c, "mbus_kmswest", apdu, sizeof apdu, &overflow);
    assert_false(overflow);
    assert_memory_equal(apdu,
                        "\xDB\x08"
                        "ELSep\x00\x00\x01\x4D",
                        11);
    assert_int_equal(n, 11 + 0x4D);
}

static void mbus_rx_takes_the_capture_whose_length_field_overflows(void **state)
{
    (void)state;
    struct capture c;
    uint8_t apdu[1024];
    bool overflow = false;
    const size_t n = join_capture(&c, "at_sagemcom_fkw9_2", apdu, sizeof apdu, &overflow);
    assert_true(overflow);
    assert_int_equal(c.end[0], 6 + 257);
    assert_memory_equal(apdu, "\xDB\x08SAGY\x05\xED\x33\x12\x81\xF8", 12);
    assert_int_equal(n, 12 + 0xF8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mbus_frame_is_the_same_after_decoding_and_encoding),
        cmocka_unit_test(mbus_frame_decode_says_where_when_an_octet_is_wrong),
        cmocka_unit_test(mbus_frame_put_refuses_when_data_is_too_long),
        cmocka_unit_test(mbus_rx_finds_the_same_frames_when_pieces_have_any_size),
        cmocka_unit_test(mbus_rx_believes_a_single_character_again_when_the_line_was_silent),
        cmocka_unit_test(mbus_rx_drops_what_is_longer_than_its_buffer),
        cmocka_unit_test(mbus_join_gives_the_apdu_when_segments_are_in_order),
        cmocka_unit_test(mbus_join_refuses_what_does_not_fit_together),
        cmocka_unit_test(mbus_join_counts_on_when_numbers_wrap),
        cmocka_unit_test(mbus_join_gives_whole_ciphered_apdus_of_captures),
        cmocka_unit_test(mbus_rx_takes_the_capture_whose_length_field_overflows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
