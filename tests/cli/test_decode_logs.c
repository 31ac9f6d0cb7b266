/* The decoder on what loggers and meters do to a capture: dumps of one frame in several layers,
 * lines broken within an octet, segments of odd addresses, faults behind what is readable. The
 * vectors are of the same shape as captures that others published, the octets are our own. */
#include "tests/cli/decoder.h"

#include "lib/base/hex.h"
#include "lib/crypto/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* one {name, value, {scaler, unit}} in a push: 280 W */
#define PUSH "0F40000000000101020309060100010700FF060000011802020F00161B"
/* the same and, in a text of 16 octets, what looks like a push of its own: 0F .. 03 01 */
#define CHANCE                                                                                     \
    "0F40000000000202020309060100010700FF060000011802020F00161B"                                   \
    "02020906000060010AFF09100F4142434400030130313233343536FF"

static struct octets bytes_of(const char *hex)
{
    struct octets o = {0};
    for (size_t i = 0; hex[2 * i] != '\0'; i++) {
        uint8_t b;
        assert_true(hex_decode(hex + 2 * i, &b, 1));
        octets_add(&o, &b, 1);
    }
    return o;
}

/* As lines of `width` octets, each behind the words. */
static void put_dump(char *text, const char *words, const uint8_t *p, size_t n, size_t width)
{
    char *at = text + strlen(text);
    for (size_t i = 0; i < n; i++) {
        if (i % width == 0)
            at += sprintf(at, "%s%s", i > 0 ? "\n" : "", words);
        at += sprintf(at, " %02X", p[i]);
    }
    strcpy(at, "\n");
}

static struct octets hdlc_of(const char *apdu)
{
    struct octets info = bytes_of("E6E700"), body = bytes_of(apdu), out = {0};
    uint8_t room[HDLC_FRAME_MAX + 2];
    struct wr w = wr_of(room, sizeof room);
    octets_add(&info, body.p, body.len);
    const struct hdlc_frame f = {.destination = {.upper = 1, .size = 1},
                                 .source = {.upper = 16, .size = 1},
                                 .control = HDLC_UI | HDLC_PF,
                                 .info = {info.p, info.len}};
    hdlc_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
    octets_add(&out, room, w.len);
    octets_free(&info);
    octets_free(&body);
    return out;
}

static void put_mbus(char *text, uint8_t ci, const uint8_t saps[2], struct bytes piece)
{
    uint8_t room[MBUS_FRAME_MAX];
    struct wr w = wr_of(room, sizeof room);
    struct octets data = {0};
    octets_add(&data, saps, 2);
    octets_add(&data, piece.p, piece.len);
    const struct mbus_frame f = {
        .kind = MBUS_LONG, .control = 0x53, .address = 0xFF, .ci = ci, .data = {data.p, data.len}};
    mbus_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
    put_dump(text, "", room, w.len, sizeof room);
    octets_free(&data);
}

static void check_watts(const struct decoded *d, size_t i)
{
    const json_t *value = entry_value(d, i, "1-0:1.7.0.255");
    if (value == NULL)
        fail_msg("entry %zu of %zu: no value; %s", i, json_array_size(d->entries),
                 entry_text(d, i, "error"));
    assert_int_equal(json_integer_value(value), 280);
}

/* The text is `n` entries without a fault, each with the 280 W. */
static void check_good(const char *text, size_t n)
{
    struct decoded d = decoder_text(text, NULL);
    if (json_array_size(d.entries) != n || d.bad)
        fail_msg("%zu entries, %s\n%s", json_array_size(d.entries), entry_text(&d, 0, "error"),
                 text);
    for (size_t i = 0; i < n; i++)
        check_watts(&d, i);
    json_decref(d.entries);
}

static void check_error(const char *text, size_t i, const char *says)
{
    struct decoded d = decoder_text(text, NULL);
    if (strstr(entry_text(&d, i, "error"), says) == NULL)
        fail_msg("entry %zu of %zu says: %s", i, json_array_size(d.entries),
                 entry_text(&d, i, "error"));
    json_decref(d.entries);
}

/* ---- lines ---- */

static void decode_reads_each_layer_that_a_log_shows(void **state)
{
    (void)state;
    struct octets frame = hdlc_of(PUSH), llc = bytes_of("E6E700" PUSH), apdu = bytes_of(PUSH);
    for (size_t width = 12; width < frame.len; width++) { /* also with a last line of one octet */
        char text[2048] = "(V) HDLC frame:\n";
        put_dump(text, "(V)", frame.p, frame.len, width);
        strcat(text, "(V)\n(V) LLC frame:\n");
        put_dump(text, "(V)", llc.p, llc.len, width);
        strcat(text, "(V) DLMS frame:\n");
        put_dump(text, "(V)", apdu.p, apdu.len, width);
        strcat(text, "(D) Received valid DLMS at 47 +196\n");
        check_good(text, 3);
    }
    octets_free(&frame);
    octets_free(&llc);
    octets_free(&apdu);
}

/* The first flag in a line of its own; "21 13" and its line would be a ciphered APDU. */
static void decode_keeps_a_flag_for_the_next_line(void **state)
{
    (void)state;
    struct octets frame = hdlc_of(PUSH);
    char text[512] = "7E 7E\n";
    uint8_t *const head = frame.p + 1;
    for (size_t width = 8; width < frame.len; width++) {
        text[6] = '\0';
        put_dump(text, "", head, frame.len - 1, width);
        check_good(text, 1);
    }
    octets_free(&frame);
}

static void decode_takes_the_rest_of_a_frame_behind_times(void **state)
{
    (void)state;
    struct octets frame = hdlc_of(PUSH);
    char text[1024] = "", hex[256];
    hex_encode(frame.p, frame.len, hex);
    hex[2 * frame.len] = '\0';
    snprintf(text, sizeof text, "17:03:59.998 rx %.80s\n17:04:00.001 rx %s\n", hex, hex + 80);
    check_good(text, 1);
    octets_free(&frame);
}

static void decode_finds_no_apdu_amid_another(void **state)
{
    (void)state;
    struct octets apdu = bytes_of(CHANCE);
    for (size_t width = 8; width < apdu.len; width++) {
        char text[1024] = "";
        put_dump(text, "(V)", apdu.p, apdu.len, width);
        struct decoded d = decoder_text(text, NULL);
        size_t good = 0;
        for (size_t i = 0; i < json_array_size(d.entries); i++)
            good += entry_value(&d, i, "1-0:1.7.0.255") != NULL;
        if (width >= 12) /* a log's lines are longer */
            assert_int_equal(good, 1);
        json_decref(d.entries);
    }
    octets_free(&apdu);
}

static void decode_joins_lines_broken_within_an_octet(void **state)
{
    (void)state;
    check_good("0F4000000000010102030906010-\n0010700FF060000011802020F00161B\n", 1);
    check_good("0F400000000001010203090601-\r\n00010700FF060000011802020F00161B\r\n", 1);
    check_good("0F4000000000010102030906010\n0010700FF060000011802020F00161B", 1);
    check_good(PUSH "-\n" PUSH, 2);
    check_error("0F4000000000010102030906010\nthe end\n", 0,
                "line 1: 27 hex digits, an odd number");
    check_error("0F4000000000010102030906010", 0, "an odd number");
}

static void decode_begins_anew_at_the_head_of_a_frame(void **state)
{
    (void)state;
    struct octets frame = hdlc_of(PUSH);
    char text[1024] = "";
    put_dump(text, "", frame.p, frame.len - 6, 64);
    frame.p[frame.len - 2] ^= 1; /* its own sum is wrong, too */
    put_dump(text, "", frame.p, frame.len, 64);
    check_error(text, 0, "cut");
    check_error(text, 1, "FCS");
    struct decoded d = decoder_text(text, NULL);
    assert_int_equal(json_array_size(d.entries), 2);
    check_watts(&d, 1);
    json_decref(d.entries);
    octets_free(&frame);
}

static void decode_shows_telegrams_as_text(void **state)
{
    (void)state;
    struct decoded d =
        decoder_text("2F4652520D0A0D0A312D303A312E372E302830302E3238302A6B57290D0A210D0A", NULL);
    assert_false(d.bad);
    assert_string_equal(entry_text(&d, 0, "apdu"), "telegram");
    assert_string_equal(json_string_value(json_object_get(entry_field(&d, 0, "tree"), "value")),
                        "/FRR\r\n\r\n1-0:1.7.0(00.280*kW)\r\n!\r\n");
    json_decref(d.entries);
    check_error("2F4652520D0A0080", 0, "no APDU");
}

/* ---- meters ---- */

/* {1, {{class, name, attribute without tags, value}}}, cut into lines anywhere */
static void decode_waits_for_the_rest_of_a_bare_descriptor(void **state)
{
    static const char push[] = "0F4000000000020216010101020200030100010700FF020600000118";
    (void)state;
    for (size_t cut = 20; cut < sizeof push - 1; cut += cut == 32 ? 4 : 2) { /* 34: a value whole */
        char text[128];
        snprintf(text, sizeof text, "%.*s\n%s\n", (int)cut, push, push + cut);
        check_good(text, 1);
    }
}

static void decode_reads_times_without_a_weekday(void **state)
{
    (void)state;
    struct decoded d =
        decoder_text("0F40000000000101020209060000010000FF090C07E90C0E00100000FF000000", NULL);
    assert_string_equal(json_string_value(entry_value(&d, 0, "0-0:1.0.0.255")),
                        "2025-12-14T16:00:00Z");
    json_decref(d.entries);
}

static void decode_joins_segments_of_other_saps_and_says_so(void **state)
{
    static const uint8_t first[2] = {1, 0x67}, other[2] = {0x47, 0x83};
    (void)state;
    struct octets apdu = bytes_of(PUSH);
    const struct bytes head = {apdu.p, 15}, tail = {apdu.p + 15, apdu.len - 15};
    char text[512] = "";
    put_mbus(text, 0x00, first, head);
    put_mbus(text, 0x11, other, tail);
    check_error(text, 0, "segment 2 has other SAPs (71, 131)");
    struct decoded d = decoder_text(text, NULL);
    assert_int_equal(json_array_size(d.entries), 1);
    check_watts(&d, 0);
    json_decref(d.entries);

    text[0] = '\0'; /* two meters, one after the other: nothing to tell */
    put_mbus(text, 0x00, first, head);
    put_mbus(text, 0x00, first, head); /* sent again */
    put_mbus(text, 0x11, first, tail);
    put_mbus(text, 0x00, other, head);
    put_mbus(text, 0x11, other, tail);
    check_good(text, 2);

    text[0] = '\0';
    put_mbus(text, 0x00, first, tail);
    put_mbus(text, 0x00, other, head);
    put_mbus(text, 0x11, other, tail);
    check_error(text, 0, "the next APDU began before the last segment");
    octets_free(&apdu);
}

/* Encryption alone, key 0, and garbage behind `good` octets of three values. */
static void put_sealed(char *text, size_t good)
{
    struct octets apdu = bytes_of("0F40000000000204"
                                  "020209060100010700FF0600000118"
                                  "020209060100020700FF0600000000"
                                  "020209060100030700FF0600000000"
                                  "020209060100040700FF0600000000");
    static const uint8_t key[16] = {0}, iv[12] = {'F', 'E', 'R', 0, 0, 0, 0, 1, 0, 0, 0, 7};
    const uint8_t head[] = {0xDB, 8, 'F', 'E', 'R', 0, 0, 0, 0, 1, (uint8_t)(apdu.len + 5),
                            0x20, 0, 0,   0,   7};
    struct octets out = {0};
    memset(apdu.p + good, 0xEE, apdu.len - good);
    octets_add(&out, head, sizeof head);
    assert_int_equal(crypto_gcm_crypt(key, iv, apdu.p, apdu.len), ERR_OK);
    octets_add(&out, apdu.p, apdu.len);
    put_dump(text, "", out.p, out.len, 256);
    octets_free(&out);
    octets_free(&apdu);
}

static void decode_keeps_what_stands_before_a_fault_in_ciphered_text(void **state)
{
    struct decode_keys k = {.keys = {.has_guek = true}};
    char text[512] = "";
    (void)state;
    put_sealed(text, 8 + 45);
    struct decoded d = decoder_text(text, &k);
    check_watts(&d, 0);
    assert_true(d.bad);
    assert_non_null(strstr(entry_text(&d, 0, "error"), "malformed"));
    json_decref(d.entries);
    k.keys.guek[0] = 1;
    d = decoder_text(text, &k);
    assert_true(d.insecure);
    assert_non_null(strstr(entry_text(&d, 0, "error"), "wrong guek"));
    json_decref(d.entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_reads_each_layer_that_a_log_shows),
        cmocka_unit_test(decode_keeps_a_flag_for_the_next_line),
        cmocka_unit_test(decode_takes_the_rest_of_a_frame_behind_times),
        cmocka_unit_test(decode_finds_no_apdu_amid_another),
        cmocka_unit_test(decode_joins_lines_broken_within_an_octet),
        cmocka_unit_test(decode_begins_anew_at_the_head_of_a_frame),
        cmocka_unit_test(decode_shows_telegrams_as_text),
        cmocka_unit_test(decode_waits_for_the_rest_of_a_bare_descriptor),
        cmocka_unit_test(decode_reads_times_without_a_weekday),
        cmocka_unit_test(decode_joins_segments_of_other_saps_and_says_so),
        cmocka_unit_test(decode_keeps_what_stands_before_a_fault_in_ciphered_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
