/* HDLC frames: published and recorded frames, every bit that may flip, streams in any pieces.
 *
 * Sources: frames of a public client and server recorded on a loopback (one AARQ association), the
 * recorded meters of ../shared/vectors/dlms and the frames of dlms-cosem's 2021 tests there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crc.h"
#include "lib/dlms/hdlc_frame.h"
#include "tests/lib/hex.h"

#define VECTORS SHARED_DIR "/vectors/dlms/"

static const char *const recorded[] = {
    "7EA00802232193BD647E",
    "7EA02B032110FBAFE6E600601DA109060760857405080101BE10040E01000000065F1F0400401E1DFFFFE7257E",
    "7EA0372103306C7CE6E7006129A109060760857405080101A203020100A305A103020100BE10040E0800065F1F0400"
    "000010020000071CEA7E",
    "7EA01E210373C37A818012050180060180070400000001080400000001533B7E", "7EA00703215303C77E"};
enum { N_RECORDED = sizeof recorded / sizeof recorded[0] };

/* The frame of one line of hexadecimal, decoded and written again. */
static void check_round_trip(const uint8_t *line, size_t n)
{
    struct hdlc_frame f;
    size_t at = 0;
    assert_int_equal(hdlc_frame_decode((struct bytes){line + 1, n - 2}, &f, &at), ERR_OK);
    assert_int_equal(at, n - 2);
    uint8_t again[HDLC_FRAME_MAX + 2];
    struct wr w = wr_of(again, sizeof again);
    hdlc_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
    assert_int_equal(w.len, n);
    assert_memory_equal(again, line, n);
}

static void hdlc_frame_decodes_what_others_sent(void **state)
{
    (void)state;
    static const uint8_t control[] = {0x93, 0x10, 0x30, 0x73, 0x53};
    static const char *const text[] = {"SNRM", "I", "I", "UA", "DISC"};
    for (size_t i = 0; i < N_RECORDED; i++) {
        uint8_t line[128];
        size_t n = hex_octets(recorded[i], line, sizeof line), at;
        struct hdlc_frame f;
        assert_int_equal(hdlc_frame_decode((struct bytes){line + 1, n - 2}, &f, &at), ERR_OK);
        assert_int_equal(f.control, control[i]);
        assert_string_equal(hdlc_control_text(f.control), text[i]);
        assert_false(f.segmented);
        check_round_trip(line, n);
    }
}

static void hdlc_frame_reads_addresses_of_any_size(void **state)
{
    (void)state;
    static const struct hdlc_address a[] = {{1, 0, 1},       {0x7F, 0, 1}, {1, 0x11, 2},
                                            {0x7F, 0x7F, 2}, {1, 0x11, 4}, {0x3FFF, 0x1234, 4}};
    static const char *const octets[] = {"03", "FF", "0223", "FEFF", "00020023", "FEFE4869"};
    for (size_t i = 0; i < sizeof a / sizeof a[0]; i++) {
        struct hdlc_frame f = {a[i], {16, 0, 1}, false, HDLC_SNRM | HDLC_PF, {0}}, back;
        uint8_t line[32], expected[4];
        struct wr w = wr_of(line, sizeof line);
        hdlc_frame_put(&w, &f);
        assert_int_equal(w.err, ERR_OK);
        assert_int_equal(hex_octets(octets[i], expected, 4), a[i].size);
        assert_memory_equal(line + 3, expected, a[i].size);
        size_t at;
        assert_int_equal(hdlc_frame_decode((struct bytes){line + 1, w.len - 2}, &back, &at), 0);
        assert_int_equal(back.destination.upper, a[i].upper);
        assert_int_equal(back.destination.lower, a[i].lower);
        assert_int_equal(back.destination.size, a[i].size);
        assert_int_equal(back.source.upper, 16);
    }
}

static void hdlc_frame_refuses_addresses_that_do_not_fit(void **state)
{
    (void)state;
    static const struct hdlc_address bad[] = {{0x80, 0, 1},   {1, 1, 1}, {0x80, 0, 2}, {1, 0x80, 2},
                                              {0x4000, 0, 4}, {1, 0, 3}, {1, 0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hdlc_frame f = {bad[i], {16, 0, 1}, false, HDLC_RR, {0}};
        uint8_t line[32];
        struct wr w = wr_of(line, sizeof line);
        hdlc_frame_put(&w, &f);
        assert_int_equal(w.err, ERR_RANGE);
    }
    uint8_t info[HDLC_INFO_MAX + 1] = {0}, line[2100];
    struct hdlc_frame f = {{1, 2, 4}, {16, 0, 1}, false, HDLC_I, {info, sizeof info}};
    struct wr w = wr_of(line, sizeof line);
    hdlc_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_RANGE);
    f.info.len--;
    w = wr_of(line, sizeof line);
    hdlc_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
}

static void hdlc_frame_decode_refuses_when_any_bit_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_RECORDED; i++) {
        uint8_t line[128];
        size_t n = hex_octets(recorded[i], line, sizeof line);
        for (size_t bit = 8; bit < 8 * (n - 1); bit++) {
            line[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct hdlc_frame f;
            size_t at = SIZE_MAX;
            assert_int_not_equal(hdlc_frame_decode((struct bytes){line + 1, n - 2}, &f, &at), 0);
            assert_true(at <= n - 2);
            line[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void hdlc_frame_decode_refuses_when_cut(void **state)
{
    (void)state;
    uint8_t line[128];
    size_t n = hex_octets(recorded[1], line, sizeof line);
    for (size_t cut = 0; cut < n - 2; cut++) {
        struct hdlc_frame f;
        size_t at;
        uint8_t *exact = malloc(cut ? cut : 1);
        memcpy(exact, line + 1, cut);
        assert_int_equal(hdlc_frame_decode((struct bytes){exact, cut}, &f, &at), ERR_TRUNCATED);
        free(exact);
    }
}

/* With both sums right: the length alone, or an address of 3 or more than 4 octets, is the fault.
 */
static void hdlc_frame_decode_refuses_when_the_structure_is_wrong(void **state)
{
    (void)state;
    static const char *const bad[] = {"A00A 020203 21 93", "A00C 0202020203 21 93",
                                      "A00A 03 21 10 00", "B007 03 21 93", "A006 03 21"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t raw[32];
        size_t n = hex_octets(bad[i], raw, sizeof raw);
        uint16_t fcs = crc16_x25_update(0, raw, n);
        raw[n++] = (uint8_t)fcs;
        raw[n++] = (uint8_t)(fcs >> 8);
        if (i != 3)
            raw[1] = (uint8_t)n;
        fcs = crc16_x25_update(0, raw, n - 2);
        raw[n - 2] = (uint8_t)fcs;
        raw[n - 1] = (uint8_t)(fcs >> 8);
        struct hdlc_frame f;
        size_t at;
        assert_int_equal(hdlc_frame_decode((struct bytes){raw, n}, &f, &at), ERR_FORMAT);
    }
}

struct seen {
    unsigned n_frames, n_bad;
    uint16_t last_len;
};

static void feed_all(struct hdlc_rx *rx, const uint8_t *p, size_t n, struct seen *seen)
{
    enum hdlc_rx_event event;
    size_t used = 0;
    do {
        used += hdlc_rx_feed(rx, p + used, n - used, &event);
        seen->n_frames += event == HDLC_RX_FRAME;
        seen->n_bad += event > HDLC_RX_FRAME;
        if (event == HDLC_RX_FRAME)
            seen->last_len = rx->len;
    } while (event != HDLC_RX_MORE);
    assert_int_equal(used, n);
}

static struct seen feed_pieces(const uint8_t *p, size_t n, size_t piece)
{
    uint8_t buf[HDLC_FRAME_MAX];
    struct hdlc_rx rx;
    struct seen seen = {0};
    hdlc_rx_reset(&rx, buf, sizeof buf);
    for (size_t at = 0; at < n; at += piece)
        feed_all(&rx, p + at, n - at < piece ? n - at : piece, &seen);
    return seen;
}

static void hdlc_rx_finds_frames_when_the_line_is_untidy(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        unsigned n_frames, n_bad;
    } c[] = {
        {"7EA00802232193BD647E 7EA00703215303C77E", 2, 0},          /* as it should be */
        {"7EA00802232193BD64 7E A00703215303C77E", 2, 0},           /* one flag shared */
        {"7EA00802232193BD64 A00703215303C7", 2, 0},                /* flags lost */
        {"7E7E7E7EA00802232193BD647E7E7E7EA00703215303C77E", 2, 0}, /* filled with flags */
        {"2F3F210D0A 7EA00703215303C77E", 1, 0},                    /* sign-on before it */
        {"7E1234567EA00703215303C77E", 1, 1},                       /* garbage between flags */
        {"7EA7FF0321 7EA00703215303C77E", 1, 1},                    /* wrong length, flag inside */
        {"7EA00703215303C8 7EA00703215303C77E", 1, 1},              /* FCS wrong (no info: HCS) */
        {"7EA02B0321 7EA00703215303C77E 7EA00802232193BD647E", 2, 1}, /* cut behind the address */
        {"7EA0037EA00703215303C77E", 1, 1},                           /* a length below any frame */
        {"A00703215303C77E", 0, 0},                                   /* no flag before it */
    };
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        uint8_t line[128];
        size_t n = hex_octets(c[i].octets, line, sizeof line);
        for (size_t piece = 1; piece <= n; piece++) {
            struct seen seen = feed_pieces(line, n, piece);
            assert_int_equal(seen.n_frames, c[i].n_frames);
            assert_int_equal(seen.n_bad, c[i].n_bad);
        }
    }
}

static void hdlc_rx_finds_the_next_frame_when_octets_of_one_are_lost(void **state)
{
    (void)state;
    uint8_t line[256], lossy[256];
    size_t n = hex_octets(recorded[1], line, sizeof line), total = n;
    for (int i = 0; i < 3; i++)
        total += hex_octets(recorded[1], line + total, sizeof line - total);
    for (size_t lost = 0; lost < n; lost++) {
        memcpy(lossy, line, lost);
        memcpy(lossy + lost, line + lost + 1, total - lost - 1);
        struct seen seen = feed_pieces(lossy, total - 1, 7);
        assert_true(seen.n_frames == 3 || lost == n - 1);
        assert_int_equal(seen.last_len, n - 2);
    }
}

static void hdlc_rx_cut_gives_the_frame_behind_a_broken_one(void **state)
{
    (void)state;
    static const char stalled[] = "7EA02B032110FBAFE6E600 7EA00703215303C77E 7EA0";
    uint8_t line[64], buf[64];
    size_t n = hex_octets(stalled, line, sizeof line);
    struct hdlc_rx rx;
    struct seen seen = {0};
    hdlc_rx_reset(&rx, buf, sizeof buf);
    feed_all(&rx, line, n, &seen);
    assert_int_equal(seen.n_frames, 0);
    assert_true(hdlc_rx_inside(&rx));
    hdlc_rx_cut(&rx);
    feed_all(&rx, NULL, 0, &seen);
    assert_int_equal(seen.n_frames, 1);
    hdlc_rx_cut(&rx);
    assert_false(hdlc_rx_inside(&rx));
}

static void hdlc_rx_keeps_within_its_buffer(void **state)
{
    (void)state;
    uint8_t line[128];
    size_t n = hex_octets(recorded[1], line, sizeof line);
    n += hex_octets(recorded[4], line + n, sizeof line - n);
    for (size_t size = 0; size < n; size++) {
        uint8_t *buf = malloc(size ? size : 1);
        struct hdlc_rx rx;
        struct seen seen = {0};
        hdlc_rx_reset(&rx, buf, size);
        feed_all(&rx, line, n, &seen);
        assert_int_equal(seen.n_frames, (size >= 43) + (size >= 7));
        free(buf);
    }
}

static void hdlc_rx_move_keeps_what_has_begun(void **state)
{
    (void)state;
    uint8_t line[128], buf[128];
    size_t n = hex_octets(recorded[1], line, sizeof line);
    for (size_t before = 1; before < n - 1; before++) {
        struct hdlc_rx rx;
        struct seen seen = {0};
        hdlc_rx_reset(&rx, buf + 50, 50);
        feed_all(&rx, line, before, &seen);
        hdlc_rx_move(&rx, buf + 48, 43);
        enum hdlc_rx_event event;
        hdlc_rx_feed(&rx, line + before, n - before, &event);
        assert_int_equal(event, HDLC_RX_FRAME);
        assert_memory_equal(buf + 48, line + 1, 43);
    }
}

static void hdlc_parameters_come_back_as_written(void **state)
{
    (void)state;
    static const struct hdlc_parameters sets[] = {
        {128, 128, 1, 1}, {32, 2030, 7, 1}, {256, 255, 3, 7}, {2030, 2030, 7, 7}};
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        uint8_t octets[HDLC_PARAMETERS_MAX];
        struct wr w = wr_of(octets, sizeof octets);
        struct hdlc_parameters back;
        hdlc_parameters_put(&w, &sets[i]);
        assert_int_equal(w.err, ERR_OK);
        assert_int_equal(octets[2], w.len - 3);
        assert_int_equal(hdlc_parameters_decode((struct bytes){octets, w.len}, &back), ERR_OK);
        assert_memory_equal(&back, &sets[i], sizeof back);
        for (size_t cut = 1; cut < w.len; cut++)
            assert_int_equal(hdlc_parameters_decode((struct bytes){octets, cut}, &back),
                             ERR_TRUNCATED);
    }
}

static void hdlc_parameters_decode_forgives_and_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *octets;
        enum err err;
        struct hdlc_parameters p;
    } c[] = {
        {"", ERR_OK, {128, 128, 1, 1}},
        {"818000", ERR_OK, {128, 128, 1, 1}},
        {"818004 06020100", ERR_OK, {128, 256, 1, 1}},
        {"818006 060400000040", ERR_OK, {128, 64, 1, 1}},
        {"818007 2203112233 0801", ERR_TRUNCATED, {0}},
        {"818008 2203112233 080103", ERR_OK, {128, 128, 1, 3}}, /* an unknown one is passed over */
        {"818004 0502FFFF", ERR_OK, {2030, 128, 1, 1}},
        {"818003 07010F", ERR_OK, {128, 128, 7, 1}},
        {"818003 05011F", ERR_RANGE, {0}},
        {"818003 070100", ERR_RANGE, {0}},
        {"818002 0500", ERR_FORMAT, {0}},
        {"818007 05050000000080", ERR_FORMAT, {0}},
        {"828003 050180", ERR_FORMAT, {0}},
        {"818103 050180", ERR_FORMAT, {0}},
    };
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        uint8_t octets[32];
        struct bytes info = {octets, hex_octets(c[i].octets, octets, sizeof octets)};
        struct hdlc_parameters p;
        assert_int_equal(hdlc_parameters_decode(info, &p), c[i].err);
        if (!c[i].err)
            assert_memory_equal(&p, &c[i].p, sizeof p);
    }
}

static void hdlc_control_text_names_all(void **state)
{
    (void)state;
    assert_string_equal(hdlc_control_text(0x52), "I");
    assert_string_equal(hdlc_control_text(0x51), "RR");
    assert_string_equal(hdlc_control_text(0xF5), "RNR");
    assert_string_equal(hdlc_control_text(0x13), "UI");
    assert_string_equal(hdlc_control_text(0x97), "FRMR");
    assert_string_equal(hdlc_control_text(0x1F), "DM");
    assert_string_equal(hdlc_control_text(0x09), "?"); /* REJ is not of this profile */
}

/* Skips the calling test where the vectors are not beside the repository. */
static FILE *open_vectors(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s%s", VECTORS, name);
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    return f;
}

static void hdlc_rx_takes_every_frame_of_recorded_meters(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned n; /* as the README beside them tells */
    } files[] = {{"no_kaifa_ma304h3e_capture_2017-09-15.hex", 245},
                 {"no_aidon_tn_3p.hex", 3},
                 {"no_aidon_hourly_series.hex", 4},
                 {"no_kaifa_tn_3p.hex", 10},
                 {"no_kamstrup_1p.hex", 3},
                 {"se_kamstrup.hex", 1},
                 {"dk_kamstrup_bornholm.hex", 16},
                 {"no_lg_e350.hex", 19},
                 {"ch_lng_encrypted.hex", 1}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        FILE *f = open_vectors(files[i].name);
        static char text[3 * (HDLC_FRAME_MAX + 2)];
        uint8_t line[HDLC_FRAME_MAX + 2];
        unsigned n_lines = 0;
        while (fgets(text, sizeof text, f)) {
            text[strcspn(text, "\r\n")] = '\0';
            size_t n = hex_octets(text, line, sizeof line);
            if (n == 0)
                continue;
            struct seen seen = feed_pieces(line, n, 64);
            assert_int_equal(seen.n_bad, 0);
            assert_int_equal(seen.n_frames, 1);
            check_round_trip(line, n);
            n_lines++;
        }
        fclose(f);
        assert_int_equal(n_lines, files[i].n);
    }
}

static void hdlc_rx_takes_the_frames_of_another_library(void **state)
{
    (void)state;
    FILE *f = open_vectors("apdu-vectors/test_hdlc.json");
    json_t *all = json_loadf(f, 0, NULL);
    fclose(f);
    assert_non_null(all);
    unsigned n_frames = 0;
    size_t i;
    json_t *one;
    json_array_foreach(all, i, one)
    {
        uint8_t line[HDLC_FRAME_MAX + 2];
        size_t n = hex_octets(json_string_value(json_object_get(one, "hex")), line, sizeof line);
        struct seen seen = feed_pieces(line, n, n);
        n_frames += seen.n_frames;
        if (seen.n_frames)
            check_round_trip(line, n);
    }
    json_decref(all);
    assert_int_equal(n_frames, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hdlc_frame_decodes_what_others_sent),
        cmocka_unit_test(hdlc_frame_reads_addresses_of_any_size),
        cmocka_unit_test(hdlc_frame_refuses_addresses_that_do_not_fit),
        cmocka_unit_test(hdlc_frame_decode_refuses_when_any_bit_is_wrong),
        cmocka_unit_test(hdlc_frame_decode_refuses_when_cut),
        cmocka_unit_test(hdlc_frame_decode_refuses_when_the_structure_is_wrong),
        cmocka_unit_test(hdlc_rx_finds_frames_when_the_line_is_untidy),
        cmocka_unit_test(hdlc_rx_finds_the_next_frame_when_octets_of_one_are_lost),
        cmocka_unit_test(hdlc_rx_cut_gives_the_frame_behind_a_broken_one),
        cmocka_unit_test(hdlc_rx_keeps_within_its_buffer),
        cmocka_unit_test(hdlc_rx_move_keeps_what_has_begun),
        cmocka_unit_test(hdlc_parameters_come_back_as_written),
        cmocka_unit_test(hdlc_parameters_decode_forgives_and_refuses),
        cmocka_unit_test(hdlc_control_text_names_all),
        cmocka_unit_test(hdlc_rx_takes_every_frame_of_recorded_meters),
        cmocka_unit_test(hdlc_rx_takes_the_frames_of_another_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
