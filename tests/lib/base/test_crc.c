/* Check sums: the catalogue values, a bit-by-bit reference, and a frame of a real meter. Two
 * programs are made of this file, one for each source of crc32_update. */
#include "lib/base/crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint32_t reference(uint32_t crc, uint32_t polynomial, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
    }
    return crc;
}

static void crc_gives_the_catalogue_values(void **state)
{
    (void)state;
    assert_int_equal(crc32_update(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(crc16_x25_update(0, "123456789", 9), 0x906E);
    assert_int_equal(crc32_update(0, "", 0), 0);
    assert_int_equal(crc16_x25_update(0, "", 0), 0);
}

static void crc_equals_the_bitwise_reference(void **state)
{
    (void)state;
    uint8_t octet[300];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof octet; i++)
        octet[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    for (size_t n = 0; n <= sizeof octet; n++) {
        uint32_t want32 = ~reference(0xFFFFFFFF, 0xEDB88320, octet, n);
        uint16_t want16 = (uint16_t)~reference(0xFFFF, 0x8408, octet, n);
        assert_int_equal(crc32_update(0, octet, n), want32);
        assert_int_equal(crc16_x25_update(0, octet, n), want16);
        assert_int_equal(crc32_update(crc32_update(0, octet, n / 3), octet + n / 3, n - n / 3),
                         want32);
        assert_int_equal(
            crc16_x25_update(crc16_x25_update(0, octet, n / 3), octet + n / 3, n - n / 3), want16);
    }
}

/* A wrong entry in a table of eight slices shows only where its octet is at its place. */
static void crc32_equals_the_reference_for_each_octet_at_each_place(void **state)
{
    (void)state;
    for (size_t at = 0; at < 8; at++)
        for (unsigned octet = 0; octet < 256; octet++) {
            uint8_t eight[8] = {0};
            eight[at] = (uint8_t)octet;
            assert_int_equal(crc32_update(0, eight, 8),
                             ~reference(0xFFFFFFFF, 0xEDB88320, eight, 8));
        }
}

/* Wherever the octets begin in memory, and wherever a chain is cut. */
static void crc32_is_the_same_at_any_alignment_and_cut(void **state)
{
    (void)state;
    uint8_t octet[8 + 40];
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < 40; i++)
            octet[shift + i] = (uint8_t)(i * 37 + 11);
        const uint32_t want = ~reference(0xFFFFFFFF, 0xEDB88320, octet + shift, 40);
        for (size_t cut = 0; cut <= 40; cut++) {
            const uint32_t first = crc32_update(0, octet + shift, cut);
            assert_int_equal(crc32_update(first, octet + shift + cut, 40 - cut), want);
        }
    }
}

static int nibble(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The frame in a case file of the vectors: the first string that begins with the flag 7e. */
static size_t read_frame(const char *path, uint8_t *to, size_t size)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    const char *at = strstr(text, "\"7e");
    size_t n = 0;
    for (at = at ? at + 1 : ""; n < size && nibble(at[0]) >= 0 && nibble(at[1]) >= 0; at += 2)
        to[n++] = (uint8_t)(nibble(at[0]) << 4 | nibble(at[1]));
    return n;
}

static void crc16_accepts_the_frame_of_a_meter(void **state)
{
    (void)state;
    uint8_t frame[1024];
    size_t n = read_frame(SHARED_DIR "/vectors/dlms/hdlc_norway_han_1phase/case.json", frame,
                          sizeof frame);
    if (n == 0) {
        print_message("no HDLC vector here\n");
        skip();
    }
    assert_true(n > 16);
    /* flag, format 2, addresses 1 and 2, control, HCS, information, FCS low octet first, flag */
    uint16_t fcs = crc16_x25_update(0, frame + 1, n - 4);
    assert_int_equal(frame[n - 3] | frame[n - 2] << 8, fcs);
    uint16_t hcs = crc16_x25_update(0, frame + 1, 6);
    assert_int_equal(frame[7] | frame[8] << 8, hcs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_gives_the_catalogue_values),
        cmocka_unit_test(crc_equals_the_bitwise_reference),
        cmocka_unit_test(crc32_equals_the_reference_for_each_octet_at_each_place),
        cmocka_unit_test(crc32_is_the_same_at_any_alignment_and_cut),
        cmocka_unit_test(crc16_accepts_the_frame_of_a_meter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
