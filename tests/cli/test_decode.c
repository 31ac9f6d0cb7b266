/* The decoder on vectors of its own: forms of text, delimiting, joining, security, captures. */
#include "tests/cli/decoder.h"

#include "cli/decode_print.h"

#include "lib/base/hex.h"
#include "lib/crypto/crypto.h"
#include "lib/dlms/gbt.h"
#include "lib/dlms/wrapper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* one {name, value, {scaler, unit}} in a push: 280 W */
#define PUSH "0F40000000000101020309060100010700FF060000011802020F00161B"

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

static void to_hex(char *text, const struct octets *o)
{
    hex_encode(o->p, o->len, text);
    text[2 * o->len] = '\0';
}

/* ---- frames around octets ---- */

static void put_wrapper(struct octets *to, uint16_t source, uint16_t destination, struct bytes apdu)
{
    uint8_t head[WRAPPER_HEAD_LEN];
    struct wr w = wr_of(head, sizeof head);
    wrapper_put_head(&w, source, destination, (uint16_t)apdu.len);
    octets_add(to, head, sizeof head);
    octets_add(to, apdu.p, apdu.len);
}

static void put_hdlc(struct octets *to, uint8_t control, bool segmented, struct bytes info)
{
    uint8_t room[HDLC_FRAME_MAX + 2];
    struct wr w = wr_of(room, sizeof room);
    const struct hdlc_frame f = {.destination = {.upper = 16, .size = 1},
                                 .source = {.upper = 1, .size = 1},
                                 .segmented = segmented,
                                 .control = control,
                                 .info = info};
    hdlc_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
    octets_add(to, room, w.len);
}

static void put_mbus(struct octets *to, uint8_t ci, struct bytes data)
{
    uint8_t room[MBUS_FRAME_MAX];
    struct wr w = wr_of(room, sizeof room);
    const struct mbus_frame f = {
        .kind = MBUS_LONG, .control = 0x53, .address = 0xFF, .ci = ci, .data = data};
    mbus_frame_put(&w, &f);
    assert_int_equal(w.err, ERR_OK);
    octets_add(to, room, w.len);
}

static struct bytes view(const struct octets *o, size_t from, size_t to)
{
    return (struct bytes){o->p + from, to - from};
}

static void check_watts(const struct decoded *d, size_t i, json_int_t watts)
{
    const json_t *value = entry_value(d, i, "1-0:1.7.0.255");
    if (value == NULL)
        fail_msg("entry %zu of %zu: no value; %s", i, json_array_size(d->entries),
                 entry_text(d, i, "error"));
    assert_int_equal(json_integer_value(value), watts);
}

/* ---- text ---- */

static void decode_reads_hex_in_any_dress(void **state)
{
    static const char *const dress[] = {
        PUSH,
        "0F 40 00 00 00 00 01 01 02 03 09 06 01 00 01 07 00 FF 06 00 00 01 18 02 02 0F 00 16 1B",
        "0f:40:00:00:00:00:01:01:02:03:09:06:01:00:01:07:00:ff:06:00:00:01:18:02:02:0f:00:16:1b",
        "0F-40-00-00-00-00-01-01-02-03-09-06-01-00-01-07-00-FF-06-00-00-01-18-02-02-0F-00-16-1B",
        "{0x0F,0x40,0x00,0x00,0x00,0x00,0x01,0x01,0x02,0x03,0x09,0x06,0x01,0x00,0x01,0x07,0x00,0xFF"
        ",0x06,0x00,0x00,0x01,0x18,0x02,0x02,0x0F,0x00,0x16,0x1B};",
        "2026-03-29 02:15:00.123 INFO  RX(29): \"" PUSH "\"",
        "02:15:00 " PUSH,
        "\xEF\xBB\xBF" PUSH,
        "0F4000000000 // head\n010102030906 // a list\n0100010700FF06000001180202\n0F00161B",
        "00000000  0f 40 00 00 00 00 01 01  02 03 09 06 01 00 01 07  |.@..............|\n"
        "00000010  00 ff 06 00 00 01 18 02  02 0f 00 16 1b           |.............|\n0000001d",
        "00000000: 0f40 0000 0000 0101 0203 0906 0100 0107  .@..............\n"
        "00000010: 00ff 0600 0001 1802 020f 0016 1b         ...ab..de....",
        "\t0x0000:  0f40 0000 0000 0101 0203 0906 0100 0107  .@..............\n"
        "\t0x0010:  00ff 0600 0001 1802 020f 0016 1b         .............",
    };
    (void)state;
    for (size_t i = 0; i < sizeof dress / sizeof dress[0]; i++) {
        struct decoded d = decoder_text(dress[i], NULL);
        if (json_array_size(d.entries) != 1 || d.bad)
            fail_msg("dress %zu: %zu entries, %s", i, json_array_size(d.entries),
                     entry_text(&d, 0, "error"));
        check_watts(&d, 0, 280);
        json_decref(d.entries);
    }
}

/* The parts of a date and a time are digits in pairs, and some are even an APDU. */
static void decode_passes_over_times_of_a_log(void **state)
{
    (void)state;
    static const char *const head[] = {
        "2026-01-01 12:00:00 TX: ",      "2026-01-01T12:00:00Z ",        "2026-01-01 12:00 > ",
        "[2026-01-01 12:00:00,123] RX ", "2026-01-01T12:00:00.5+01:00 ", "2026-01-01 "};
    for (size_t i = 0; i < sizeof head / sizeof head[0]; i++) {
        char line[256];
        snprintf(line, sizeof line, "%s%s\n", head[i], PUSH);
        struct decoded d = decoder_text(line, NULL);
        if (json_array_size(d.entries) != 1)
            fail_msg("'%s' gives %zu entries", line, json_array_size(d.entries));
        check_watts(&d, 0, 280);
        json_decref(d.entries);
    }
}

static void decode_passes_over_words_of_a_log(void **state)
{
    (void)state;
    struct decoded d = decoder_text("meter: connected at 2026-03-29 02:15:00, facade added\n"
                                    "wrote 12 octets to 10.0.0.1\n{\n" PUSH "\nbye\n# 0F00\n",
                                    NULL);
    assert_int_equal(json_array_size(d.entries), 2); /* "bye" might be spoilt digits */
    check_watts(&d, 0, 280);
    assert_non_null(strstr(entry_text(&d, 1, "error"), "line 5"));
    json_decref(d.entries);
}

/* 40 000 octets in lines of 16: put together without being read anew for each line. */
static void decode_joins_a_long_apdu_from_many_lines(void **state)
{
    enum { VALUES = 8000 };
    static const uint8_t head[] = {0x0F, 0, 0, 0, 1, 0, 0x01, 0x82, VALUES >> 8, VALUES & 255};
    static const uint8_t value[] = {0x06, 0, 0, 0, 7};
    (void)state;
    struct octets apdu = {0};
    octets_add(&apdu, head, sizeof head);
    for (int i = 0; i < VALUES; i++)
        octets_add(&apdu, value, sizeof value);
    char *text = malloc(3 * apdu.len + 1);
    assert_non_null(text);
    size_t n = 0;
    for (size_t i = 0; i < apdu.len; i++)
        n += (size_t)sprintf(text + n, "%02X%s", apdu.p[i], i % 16 == 15 ? "\n" : "");
    struct decoded d = decoder_text(text, NULL);
    assert_int_equal(json_array_size(d.entries), 1);
    assert_false(d.bad);
    assert_int_equal(json_array_size(json_object_get(entry_field(&d, 0, "tree"), "value")), VALUES);
    json_decref(d.entries);
    free(text);
    octets_free(&apdu);
}

static void decode_takes_masked_octets_for_zeros(void **state)
{
    (void)state;
    struct octets frame = {0}, apdu = bytes_of(PUSH);
    char text[256];
    put_hdlc(&frame, HDLC_UI, false, view(&apdu, 0, apdu.len));
    to_hex(text, &frame);
    char *value = strstr(text, "00000118");
    assert_non_null(value);
    memcpy(value, "XX**01??", 8);
    struct decoded d = decoder_text(text, NULL);
    assert_false(d.bad);
    check_watts(&d, 0, 256);
    json_decref(d.entries);
    octets_free(&frame);
    octets_free(&apdu);
}

/* ---- frames ---- */

static struct octets mixed(void)
{
    struct octets out = {0}, apdu = bytes_of(PUSH), cut = {0};
    const uint8_t saps[] = {1, 103};
    octets_add(&out, "\xFFgarbage~", 9);
    put_hdlc(&out, HDLC_UI | HDLC_PF, false, view(&apdu, 0, apdu.len));
    put_hdlc(&out, HDLC_UI, true, view(&apdu, 0, 9));
    octets_add(&out, "\0\x68\x7E", 3);
    put_hdlc(&out, HDLC_UI | HDLC_PF, false, view(&apdu, 9, apdu.len));
    for (int i = 0; i < 2; i++) {
        octets_cut(&cut, 0);
        octets_add(&cut, saps, sizeof saps);
        octets_add(&cut, i == 0 ? apdu.p : apdu.p + 20, i == 0 ? 20 : apdu.len - 20);
        put_mbus(&out, i == 0 ? 0x00 : 0x11, view(&cut, 0, cut.len));
    }
    put_wrapper(&out, 1, 16, view(&apdu, 0, apdu.len));
    octets_free(&apdu);
    octets_free(&cut);
    return out;
}

static void decode_finds_frames_of_all_links_in_one_stream(void **state)
{
    static const char *const transports[] = {"hdlc", "hdlc", "mbus", "wrapper"};
    (void)state;
    struct octets in = mixed();
    for (size_t piece = 1; piece <= in.len; piece += 1 + piece / 8) {
        struct decoded d = decoder_stream(in.p, in.len, piece);
        assert_int_equal(json_array_size(d.entries), 4);
        assert_false(d.bad);
        for (size_t i = 0; i < 4; i++) {
            assert_string_equal(entry_text(&d, i, "transport"), transports[i]);
            check_watts(&d, i, 280);
        }
        assert_int_equal(json_integer_value(json_object_get(entry_field(&d, 0, "link"), "skipped")),
                         8);
        assert_int_equal(json_integer_value(json_object_get(entry_field(&d, 1, "link"), "frames")),
                         2);
        json_decref(d.entries);
    }
    octets_free(&in);
}

static void decode_says_so_when_a_frame_is_spoilt_or_cut(void **state)
{
    (void)state;
    struct octets apdu = bytes_of(PUSH), in = {0};
    char text[512];
    put_hdlc(&in, HDLC_UI, false, view(&apdu, 0, apdu.len));
    in.p[in.len - 5] ^= 1; /* the unit, 1B: FCS wrong, still readable */
    to_hex(text, &in);
    struct decoded d = decoder_text(text, NULL);
    assert_true(d.bad);
    assert_non_null(strstr(entry_text(&d, 0, "error"), "FCS"));
    check_watts(&d, 0, 280);
    json_decref(d.entries);

    text[40] = '\0';
    strcat(text, "\n" PUSH);
    d = decoder_text(text, NULL);
    assert_int_equal(json_array_size(d.entries), 2);
    assert_non_null(strstr(entry_text(&d, 0, "error"), "20 are there"));
    check_watts(&d, 1, 280);
    json_decref(d.entries);
    octets_free(&apdu);
    octets_free(&in);
}

static void decode_drops_repeated_frames_only_within_a_connection(void **state)
{
    (void)state;
    struct octets apdu = bytes_of(PUSH), in = {0};
    put_hdlc(&in, HDLC_I | HDLC_PF, false, view(&apdu, 0, apdu.len));
    put_hdlc(&in, HDLC_I | HDLC_PF, false, view(&apdu, 0, apdu.len));
    struct decoded d = decoder_stream(in.p, in.len, in.len);
    assert_int_equal(json_array_size(d.entries), 2); /* pushes, all with number 0 */
    json_decref(d.entries);
    octets_cut(&in, 0);
    put_hdlc(&in, HDLC_UA | HDLC_PF, false, (struct bytes){0});
    put_hdlc(&in, HDLC_I | HDLC_PF, false, view(&apdu, 0, apdu.len));
    put_hdlc(&in, HDLC_RR | HDLC_PF, false, (struct bytes){0});
    put_hdlc(&in, HDLC_I | HDLC_PF, false, view(&apdu, 0, apdu.len));
    d = decoder_stream(in.p, in.len, in.len);
    assert_int_equal(json_array_size(d.entries), 2); /* UA, and the push once */
    assert_string_equal(json_string_value(json_object_get(entry_field(&d, 0, "link"), "control")),
                        "UA");
    check_watts(&d, 1, 280);
    json_decref(d.entries);
    octets_free(&apdu);
    octets_free(&in);
}

static void decode_takes_prefixes_off(void **state)
{
    (void)state;
    struct decoded d = decoder_text("E6E700" PUSH "\nE7010201AB" PUSH "\n90FF10" PUSH, NULL);
    assert_int_equal(json_array_size(d.entries), 3);
    for (size_t i = 0; i < 3; i++)
        check_watts(&d, i, 280);
    const json_t *gateway = json_object_get(entry_field(&d, 1, "link"), "gateway");
    assert_string_equal(json_string_value(json_object_get(gateway, "address")), "01AB");
    assert_int_equal(json_integer_value(json_object_get(
                         json_object_get(entry_field(&d, 2, "link"), "llc"), "source")),
                     16);
    json_decref(d.entries);
}

/* ---- bodies ---- */

static void decode_reads_dates_in_every_form_or_none(void **state)
{
    static const char *const heads[] = {
        "0F00000001"
        "0C07EA031D0702030400FFC400", /* length alone */
        "0F00000001"
        "090C07EA031D0702030400FFC400", /* as an octet-string */
        "0F00000001"
        "1907EA031D0702030400FFC400", /* as a date-time */
        "0F00000001"
        "00",
        "0F00000001"
        "0900",
        "0F00000001", /* left out */
    };
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "%s%s", heads[i], "020309060100010700FF060000011802020F00161B");
        struct decoded d = decoder_text(text, NULL);
        assert_false(d.bad);
        check_watts(&d, 0, 280);
        assert_string_equal(entry_text(&d, 0, "date_time"),
                            i < 3 ? "2026-03-29T02:03:04+01:00" : "");
        json_decref(d.entries);
    }
}

static void decode_unfolds_compact_arrays(void **state)
{
    (void)state;
    /* of {unsigned, octet-string}: {1, "AB"}, {2, ""} */
    struct decoded d = decoder_text("0F0000000100"
                                    "13"
                                    "0202"
                                    "1109"
                                    "06"
                                    "01024142"
                                    "0200",
                                    NULL);
    const json_t *list = json_object_get(entry_field(&d, 0, "tree"), "value");
    assert_false(d.bad);
    assert_int_equal(json_array_size(list), 2);
    const json_t *first = json_object_get(json_array_get(list, 0), "value");
    assert_string_equal(json_string_value(json_object_get(json_array_get(first, 1), "value")),
                        "AB");
    json_decref(d.entries);
    /* elements of no octets would never end */
    d = decoder_text("0F0000000100"
                     "13"
                     "00"
                     "01"
                     "00",
                     NULL);
    assert_true(d.bad);
    json_decref(d.entries);
}

static void decode_gives_what_came_before_the_fault(void **state)
{
    (void)state;
    struct decoded d = decoder_text("0F00000001000203"
                                    "020309060100010700FF060000011802020F00161B"
                                    "0206"
                                    "EE",
                                    NULL);
    assert_true(d.bad);
    assert_string_equal(entry_text(&d, 0, "error"), "octet 31: malformed input");
    check_watts(&d, 0, 280);
    json_decref(d.entries);
}

/* ---- services ---- */

static void decode_names_answers_by_their_requests(void **state)
{
    (void)state;
    struct decoded d = decoder_text("C003C102"
                                    "00030100010800FF0200"
                                    "00080000010000FF0200"
                                    "\n"
                                    "C403C102"
                                    "0006000186A0"
                                    "010B"
                                    "\n" /* 11: object-unavailable */
                                    "C301C1"
                                    "00460000600A03FF01"
                                    "010F00"
                                    "\n"
                                    "C701C1"
                                    "00"
                                    "00"
                                    "\n"
                                    "D94000000701"
                                    "00"
                                    "01"
                                    "01"
                                    "00030100020800FF02"
                                    "01"
                                    "00"
                                    "\n"
                                    "DA4000000700"
                                    "00"
                                    "01"
                                    "0600000005"
                                    "01"
                                    "0100",
                                    NULL);
    assert_int_equal(json_array_size(d.entries), 6);
    assert_int_equal(json_integer_value(entry_value(&d, 1, "1-0:1.8.0.255")), 100000);
    assert_null(entry_value(&d, 1, "0-0:1.0.0.255"));
    json_decref(d.entries);
}

static void decode_joins_blocks_into_one_value(void **state)
{
    (void)state;
    struct decoded d = decoder_text("C001C1"
                                    "00010000600100FF0200"
                                    "\n"
                                    "C402C1"
                                    "00"
                                    "00000001"
                                    "00"
                                    "02"
                                    "0904"
                                    "\n"
                                    "C002C100000001\n"
                                    "C402C1"
                                    "01"
                                    "00000002"
                                    "00"
                                    "04"
                                    "41424344",
                                    NULL);
    assert_int_equal(json_array_size(d.entries), 4);
    assert_false(d.bad);
    assert_string_equal(json_string_value(entry_value(&d, 3, "0-0:96.1.0.255")), "ABCD");
    json_decref(d.entries);
    d = decoder_text("C102C1"
                     "00010000600100FF0200"
                     "00"
                     "00000001"
                     "02"
                     "0904"
                     "\n"
                     "C103C1"
                     "01"
                     "00000002"
                     "04"
                     "41424344",
                     NULL);
    assert_false(d.bad);
    assert_string_equal(json_string_value(entry_value(&d, 1, "0-0:96.1.0.255")), "ABCD");
    json_decref(d.entries);
}

static void block_line(char *text, uint16_t number, bool last, const struct octets *apdu,
                       size_t from, size_t to)
{
    uint8_t room[256];
    char hex[2 * sizeof room + 1];
    struct wr w = wr_of(room, sizeof room);
    const struct gbt_block b = {
        .last = last, .window = 1, .number = number, .data = view(apdu, from, to)};
    gbt_put(&w, &b);
    assert_int_equal(w.err, ERR_OK);
    hex_encode(room, w.len, hex);
    hex[2 * w.len] = '\0';
    strcat(text, hex);
    strcat(text, "\n");
}

static void decode_joins_general_blocks_and_tells_missing_ones(void **state)
{
    (void)state;
    struct octets apdu = bytes_of(PUSH);
    char text[1024] = "";
    block_line(text, 1, false, &apdu, 0, 10);
    block_line(text, 1, false, &apdu, 0, 10); /* again */
    block_line(text, 2, false, &apdu, 10, 20);
    block_line(text, 3, true, &apdu, 20, apdu.len);
    struct decoded d = decoder_text(text, NULL);
    assert_int_equal(json_array_size(d.entries), 1);
    assert_false(d.bad);
    check_watts(&d, 0, 280);
    json_decref(d.entries);

    text[0] = '\0';
    block_line(text, 1, false, &apdu, 0, 10);
    block_line(text, 3, true, &apdu, 20, apdu.len);
    d = decoder_text(text, NULL);
    assert_int_equal(json_array_size(d.entries), 1);
    assert_non_null(strstr(entry_text(&d, 0, "error"), "blocks 1 to 1 came (10 octets)"));
    json_decref(d.entries);
    octets_free(&apdu);
}

/* ---- security ---- */

static const uint8_t title[8] = {'F', 'E', 'R', 0, 0, 0, 0, 1};

/* general-glo of PUSH; sc without a tag where tagged is false. */
static void seal(char *text, const struct dlms_keys *k, uint8_t sc, uint32_t counter, bool tagged)
{
    struct octets apdu = bytes_of(PUSH);
    uint8_t iv[12],
        head[5] = {sc, (uint8_t)(counter >> 24), (uint8_t)(counter >> 16), (uint8_t)(counter >> 8),
                   (uint8_t)counter},
        tag[12];
    memcpy(iv, title, 8);
    memcpy(iv + 8, head + 1, 4);
    const struct bytes aad[2] = {{&sc, 1}, {k->gak, 16}};
    assert_int_equal(crypto_gcm_seal(k->guek, iv, aad, 2, apdu.p, apdu.len, tag, sizeof tag),
                     ERR_OK);
    struct octets out = {0};
    const uint8_t lead[2] = {0xDB, 8};
    const uint8_t len = (uint8_t)(5 + apdu.len + (tagged ? sizeof tag : 0));
    octets_add(&out, lead, 2);
    octets_add(&out, title, 8);
    octets_add(&out, &len, 1);
    octets_add(&out, head, 5);
    octets_add(&out, apdu.p, apdu.len);
    octets_add(&out, tag, tagged ? sizeof tag : 0);
    to_hex(text, &out);
    octets_free(&out);
    octets_free(&apdu);
}

static void check_security(const char *text, const struct decode_keys *k, const char *tag,
                           const char *says, bool shown)
{
    struct decoded d = decoder_text(text, k);
    assert_int_equal(json_array_size(d.entries), 1);
    const char *got = json_string_value(json_object_get(entry_field(&d, 0, "security"), "tag"));
    assert_string_equal(got, tag);
    assert_int_equal(d.insecure, says != NULL);
    if (says != NULL && strstr(entry_text(&d, 0, "error"), says) == NULL)
        fail_msg("'%s' does not say '%s'", entry_text(&d, 0, "error"), says);
    assert_int_equal(entry_value(&d, 0, "1-0:1.7.0.255") != NULL, shown);
    json_decref(d.entries);
}

static void decode_tells_why_a_tag_or_key_failed(void **state)
{
    (void)state;
    char text[512];
    struct decode_keys right = {
        .keys = {.guek = {1, 2, 3}, .gak = {4, 5, 6}, .has_guek = true, .has_gak = true}};
    struct decode_keys k = right;
    seal(text, &right.keys, 0x30, 7, true);
    check_security(text, &right, "ok", NULL, true);
    k.keys.gak[0] ^= 1;
    check_security(text, &k, "bad", "wrong gak", true);
    k.keys.has_gak = false;
    check_security(text, &k, "no key", "no gak", true);
    k = right;
    k.keys.guek[0] ^= 1;
    check_security(text, &k, "bad", "wrong guek", false);
    k.keys.has_guek = false;
    check_security(text, &k, "no key", "no key", false);
    seal(text, &right.keys, 0x30, 8, false);
    check_security(text, &right, "absent", "no tag behind the text", true);
    seal(text, &right.keys, 0x21, 9, false); /* suite 1, encryption alone */
    check_security(text, &right, "absent", NULL, true);
    seal(text, &right.keys, 0x22, 9, false);
    check_security(text, &right, "absent", "256 bits", false);
}

static void decode_tells_wrong_titles_and_stale_counters(void **state)
{
    (void)state;
    char text[1024];
    struct decode_keys k = {
        .keys = {.guek = {1, 2, 3}, .gak = {4, 5, 6}, .has_guek = true, .has_gak = true}};
    seal(text, &k.keys, 0x30, 7, true);
    text[2 * 9 + 1] = '2'; /* the title's last octet */
    memcpy(k.server, title, 8);
    k.has_server = true;
    check_security(text, &k, "bad",
                   "wrong system title: the key fits with the title 4645520000000001", false);
    seal(text, &k.keys, 0x30, 7, true);
    char again[512];
    seal(again, &k.keys, 0x30, 6, true);
    strcat(text, "\n");
    strcat(text, again);
    struct decoded d = decoder_text(text, &k);
    assert_int_equal(json_array_size(d.entries), 2);
    assert_false(d.bad || d.insecure);
    const json_t *note = json_object_get(entry_field(&d, 1, "security"), "note");
    assert_non_null(strstr(json_string_value(note), "stale counter: 7"));
    json_decref(d.entries);
}

/* Recorded from an independent client and server (dlms.md 6.4): AARQ and AARE carry the titles and
 * the initiate APDUs, the GET behind them is ciphered with those titles. */
static void decode_learns_titles_from_the_association(void **state)
{
    (void)state;
    struct decode_keys k = {.keys = {.has_guek = true, .has_gak = true}};
    assert_true(hex_decode("000102030405060708090A0B0C0D0E0F", k.keys.guek, 16));
    assert_true(hex_decode("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF", k.keys.gak, 16));
    struct decoded d = decoder_text(
        "605DA109060760857405080103A60A040847757275783132338A0207808B0760857405080205AC128010FB29C0"
        "CB11FDEE33FBFCD0D0BE345484BE230421211F30000000028540A5CFBA5326D574615C6BAF4C65545C9A61B3B2"
        "9D8623B2B3\n"
        "6169A109060760857405080103A203020100A305A10302010EA40A040841424344454647488802078089076085"
        "7"
        "405080205AA12801070389CCE67B359AC56AB552A158A4522BE230421281F300000000016584D6F2BF43753196"
        "D"
        "DA5081772032C147D3DFA1E4C911852D\n"
        "C81E3000000005F6E21BC50858C6627E3AE492D6C83618FAD7B643553995F187\n",
        &k);
    assert_int_equal(json_array_size(d.entries), 3);
    assert_false(d.bad || d.insecure);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(
            json_string_value(json_object_get(entry_field(&d, i, "security"), "tag")), "ok");
    const json_t *info = json_object_get(entry_field(&d, 0, "tree"), "user_information");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(info, "tree"), "conformance")),
        "0x401E5D");
    assert_string_equal(entry_text(&d, 2, "apdu"), "get-request");
    json_decref(d.entries);
}

/* ---- captures ---- */

static void put_le(struct octets *o, uint32_t v, int n)
{
    for (int i = 0; i < n; i++) {
        const uint8_t b = (uint8_t)(v >> 8 * i);
        octets_add(o, &b, 1);
    }
}

static void put_be(struct octets *o, uint32_t v, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        const uint8_t b = (uint8_t)(v >> 8 * i);
        octets_add(o, &b, 1);
    }
}

static const uint8_t zeros[64];

/* TCP in IPv4, from `side` 0 (port 5000) or 1 (port 4059). */
static struct octets tcp(int side, uint32_t seq, struct bytes data)
{
    struct octets o = {0};
    put_be(&o, 0x45000000 | (uint32_t)(40 + data.len), 4);
    put_be(&o, 0, 4);
    put_be(&o, 0x40060000, 4);
    put_be(&o, side == 0 ? 0x0A000001 : 0x0A000002, 4);
    put_be(&o, side == 0 ? 0x0A000002 : 0x0A000001, 4);
    put_be(&o, side == 0 ? 5000 : 4059, 2);
    put_be(&o, side == 0 ? 4059 : 5000, 2);
    put_be(&o, seq, 4);
    put_be(&o, 0, 4);
    put_be(&o, 0x5018, 2);
    octets_add(&o, zeros, 6);
    octets_add(&o, data.p, data.len);
    return o;
}

struct file {
    struct octets octets;
    bool ng;
    unsigned link_head; /* octets before IP */
    uint16_t type_at;
};

static void file_begin(struct file *f, bool ng, uint16_t link)
{
    *f = (struct file){.ng = ng};
    f->link_head = link == 1 ? 14 : link == 113 ? 16 : link == 276 ? 20 : 0;
    f->type_at = link == 1 ? 12 : link == 113 ? 14 : 0;
    put_le(&f->octets, ng ? 0x0A0D0D0A : 0xA1B2C3D4, 4);
    if (!ng) {
        octets_add(&f->octets, zeros, 16);
        put_le(&f->octets, link, 4);
        return;
    }
    put_le(&f->octets, 28, 4);
    put_le(&f->octets, 0x1A2B3C4D, 4);
    octets_add(&f->octets, zeros, 12);
    put_le(&f->octets, 28, 4);
    put_le(&f->octets, 1, 4); /* interface */
    put_le(&f->octets, 20, 4);
    put_le(&f->octets, link, 2);
    octets_add(&f->octets, zeros, 6);
    put_le(&f->octets, 20, 4);
}

static void file_add(struct file *f, struct octets packet)
{
    struct octets all = {0};
    octets_add(&all, zeros, f->link_head);
    if (f->link_head > 0)
        all.p[f->type_at] = 0x08;
    octets_add(&all, packet.p, packet.len);
    const uint32_t len = (uint32_t)all.len, pad = f->ng ? -len & 3 : 0;
    if (f->ng) {
        put_le(&f->octets, 6, 4);
        put_le(&f->octets, 32 + len + pad, 4);
        put_le(&f->octets, 0, 4);
    }
    put_le(&f->octets, f->ng ? 0x60A9C : 1700000000, 4);
    put_le(&f->octets, 0, 4);
    put_le(&f->octets, len, 4);
    put_le(&f->octets, len, 4);
    octets_add(&f->octets, all.p, all.len);
    octets_add(&f->octets, zeros, pad);
    if (f->ng)
        put_le(&f->octets, 32 + len + pad, 4);
    octets_free(&all);
    octets_free(&packet);
}

/* A request and its answer; the answer's halves change places, the request comes twice. */
static void add_dialogue(struct file *f)
{
    struct octets get = bytes_of("C001C100030100010800FF0200"),
                  answer = bytes_of("C401C10006000186A0");
    struct octets to = {0}, from = {0};
    put_wrapper(&to, 16, 1, view(&get, 0, get.len));
    put_wrapper(&from, 1, 16, view(&answer, 0, answer.len));
    file_add(f, tcp(0, 100, view(&to, 0, 5)));
    file_add(f, tcp(0, 100, view(&to, 0, 5)));
    file_add(f, tcp(1, 0xFFFFFFFC, view(&from, 0, 4)));
    file_add(f, tcp(0, 103, view(&to, 3, to.len))); /* overlaps */
    file_add(f, tcp(1, 6, view(&from, 10, from.len)));
    file_add(f, tcp(1, 0, view(&from, 4, 10)));
    octets_free(&get);
    octets_free(&answer);
    octets_free(&to);
    octets_free(&from);
}

static void decode_reads_captures_of_every_link(void **state)
{
    static const uint16_t links[] = {1, 113, 276, 101, 228};
    (void)state;
    for (size_t i = 0; i < 2 * sizeof links / sizeof links[0]; i++) {
        struct file f;
        file_begin(&f, i % 2 == 1, links[i / 2]);
        add_dialogue(&f);
        struct decoded d = decoder_pcap(f.octets.p, f.octets.len);
        if (json_array_size(d.entries) != 2 || d.bad)
            fail_msg("link %u: %zu entries; %s", links[i / 2], json_array_size(d.entries),
                     entry_text(&d, 0, "error"));
        assert_int_equal(json_integer_value(entry_value(&d, 1, "1-0:1.8.0.255")), 100000);
        assert_string_equal(json_string_value(json_object_get(entry_field(&d, 1, "link"), "from")),
                            "10.0.0.2:4059");
        json_decref(d.entries);
        octets_free(&f.octets);
    }
}

static void decode_tells_gaps_and_cuts_of_a_capture(void **state)
{
    (void)state;
    struct octets push = bytes_of(PUSH), frame = {0};
    struct file f;
    put_wrapper(&frame, 1, 16, view(&push, 0, push.len));
    file_begin(&f, false, 101);
    file_add(&f, tcp(1, 0, view(&frame, 0, 20)));
    file_add(&f, tcp(1, 1000, view(&frame, 0, frame.len)));
    struct decoded d = decoder_pcap(f.octets.p, f.octets.len - 0);
    assert_int_equal(json_array_size(d.entries), 3);
    assert_non_null(strstr(entry_text(&d, 0, "error"), "29 octets, 12 are there"));
    assert_non_null(strstr(entry_text(&d, 1, "error"), "980 octets of the connection are missing"));
    check_watts(&d, 2, 280);
    json_decref(d.entries);
    d = decoder_pcap(f.octets.p, f.octets.len - 3);
    assert_true(d.bad);
    assert_non_null(strstr(entry_text(&d, 0, "error"), "the packet is cut"));
    json_decref(d.entries);
    octets_free(&f.octets);
    octets_free(&push);
    octets_free(&frame);
}

static void decode_takes_serial_captures_for_one_line(void **state)
{
    (void)state;
    struct octets in = mixed();
    struct file f;
    file_begin(&f, true, 147); /* DLT_USER0 */
    for (size_t at = 9; at < in.len; at += 11) {
        struct octets piece = {0};
        octets_add(&piece, in.p + at, in.len - at < 11 ? in.len - at : 11);
        file_add(&f, piece);
    }
    struct decoded d = decoder_pcap(f.octets.p, f.octets.len);
    assert_int_equal(json_array_size(d.entries), 4);
    assert_false(d.bad);
    json_decref(d.entries);
    octets_free(&in);
    octets_free(&f.octets);
}

static void decode_prints_for_a_person(void **state)
{
    char *text = NULL;
    size_t size = 0;
    (void)state;
    struct decoded d = decoder_text("C001C1000F0000280000FF0200\n0F00000001000203"
                                    "020309060100010700FF060000011802020F00161B0206EE",
                                    NULL);
    FILE *to = open_memstream(&text, &size);
    assert_non_null(to);
    for (size_t i = 0; i < json_array_size(d.entries); i++)
        decode_print(json_array_get(d.entries, i), false, to);
    fclose(to);
    assert_non_null(strstr(text, "apdu get-request\n"));
    assert_non_null(strstr(text, "class 15, obis 0-0:40.0.0.255, id 2"));
    assert_non_null(strstr(text, "1-0:1.7.0.255      280 W"));
    assert_non_null(strstr(text, "error     octet 31: malformed input"));
    assert_null(strstr(text, "double-long-unsigned")); /* the tree only where it is asked for */
    free(text);
    json_decref(d.entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode_reads_hex_in_any_dress),
        cmocka_unit_test(decode_passes_over_times_of_a_log),
        cmocka_unit_test(decode_passes_over_words_of_a_log),
        cmocka_unit_test(decode_joins_a_long_apdu_from_many_lines),
        cmocka_unit_test(decode_takes_masked_octets_for_zeros),
        cmocka_unit_test(decode_finds_frames_of_all_links_in_one_stream),
        cmocka_unit_test(decode_says_so_when_a_frame_is_spoilt_or_cut),
        cmocka_unit_test(decode_drops_repeated_frames_only_within_a_connection),
        cmocka_unit_test(decode_takes_prefixes_off),
        cmocka_unit_test(decode_reads_dates_in_every_form_or_none),
        cmocka_unit_test(decode_unfolds_compact_arrays),
        cmocka_unit_test(decode_gives_what_came_before_the_fault),
        cmocka_unit_test(decode_names_answers_by_their_requests),
        cmocka_unit_test(decode_joins_blocks_into_one_value),
        cmocka_unit_test(decode_joins_general_blocks_and_tells_missing_ones),
        cmocka_unit_test(decode_tells_why_a_tag_or_key_failed),
        cmocka_unit_test(decode_tells_wrong_titles_and_stale_counters),
        cmocka_unit_test(decode_learns_titles_from_the_association),
        cmocka_unit_test(decode_reads_captures_of_every_link),
        cmocka_unit_test(decode_tells_gaps_and_cuts_of_a_capture),
        cmocka_unit_test(decode_takes_serial_captures_for_one_line),
        cmocka_unit_test(decode_prints_for_a_person),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
