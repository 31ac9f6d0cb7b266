/* The parts of the portable backend: AES alone, and GCM from its pre-counter block on.
 *
 * Sources: FIPS 197 appendices B and C.1; NIST CAVP AES-GCM-128 as Mbed TLS ships it
 * (gcm.aes128_en.data). Those vectors have 128-bit IVs, which crypto.h does not offer, so J0 is
 * made here as SP 800-38D 7.1 says and the rest is the code under test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lib/crypto/gcm128.h"
#include "tests/lib/hex.h"

static void aes128_agrees_with_fips197_when_two_blocks_differ(void **state)
{
    (void)state;
    struct aes128 aes;
    uint8_t key[16], blocks[32], plain[32], want[32];
    hex_octets("000102030405060708090a0b0c0d0e0f", key, sizeof key);
    hex_octets("00112233445566778899aabbccddeeff", plain, 16);
    hex_octets("69c4e0d86a7b0430d8cdb78070b4c55a", want, 16);
    for (unsigned side = 0; side < 2; side++) {
        memset(blocks, 0x5A, sizeof blocks);
        memcpy(blocks + 16 * side, plain, 16);
        aes128_init_planes(&aes, key);
        aes128_encrypt2(&aes, blocks);
        assert_memory_equal(blocks + 16 * side, want, 16);
        aes128_decrypt2(&aes, blocks);
        assert_memory_equal(blocks + 16 * side, plain, 16);
        assert_int_equal(blocks[16 * (1 - side)], 0x5A);
    }
    hex_octets("2b7e151628aed2a6abf7158809cf4f3c", key, sizeof key);
    hex_octets("3243f6a8885a308d313198a2e0370734", blocks, 16);
    hex_octets("3925841d02dc09fbdc118597196a0b32", want, 16);
    aes128_init_planes(&aes, key);
    aes128_encrypt2(&aes, blocks);
    assert_memory_equal(blocks, want, 16);
}

static void aes128_decrypts_what_it_encrypted_when_every_octet_value_occurs(void **state)
{
    (void)state;
    struct aes128 aes;
    uint8_t key[16] = {0};
    for (unsigned v = 0; v < 256; v++) {
        uint8_t blocks[32], plain[32];
        for (unsigned i = 0; i < 32; i++)
            plain[i] = (uint8_t)(v + 37 * i);
        memcpy(blocks, plain, sizeof plain);
        key[v % 16] = (uint8_t)v;
        aes128_init_planes(&aes, key);
        aes128_encrypt2(&aes, blocks);
        assert_memory_not_equal(blocks, plain, sizeof plain);
        aes128_decrypt2(&aes, blocks);
        assert_memory_equal(blocks, plain, sizeof plain);
    }
}

/* J0 = GHASH(IV || zeros || bit length of IV): the same block as GHASH of a text of that length. */
static void make_j0(uint8_t j0[16], const uint8_t key[16], const uint8_t *iv, size_t iv_len)
{
    struct aes128 aes;
    struct ghash g;
    uint8_t h[32] = {0};
    aes128_init_planes(&aes, key);
    aes128_encrypt2(&aes, h);
    ghash_key(&g, h);
    ghash_update(&g, iv, iv_len);
    ghash_lengths(&g, 0, iv_len);
    memcpy(j0, g.y, 16);
}

/* gcm_encrypt_and_tag:CIPHER:"key":"text":"iv":"aad":"cipher":tag bits:"tag":0; false otherwise. */
static bool nist_line(char *line)
{
    static const char prefix[] = "gcm_encrypt_and_tag:";
    static uint8_t part[6][1024]; /* key, text, iv, aad, cipher, tag */
    size_t len[6], n = 0;
    if (strncmp(line, prefix, sizeof prefix - 1) != 0)
        return false;
    for (char *at = strchr(line, '"'); at && n < 6; at = strchr(strchr(at + 1, '"') + 1, '"'), n++)
        len[n] = hex_octets(at + 1, part[n], sizeof part[n]);
    assert_int_equal(n, 6);
    assert_int_equal(len[0], 16);
    assert_int_equal(len[2], 16);
    uint8_t j0[16], tag[16];
    struct gcm128 g;
    make_j0(j0, part[0], part[2], len[2]);
    gcm128_key(&g, part[0]);
    gcm128_begin(&g, j0);
    gcm128_aad(&g, part[3], len[3]);
    gcm128_crypt(&g, part[1], len[1]);
    assert_int_equal(len[1], len[4]);
    assert_memory_equal(part[1], part[4], len[4]);
    gcm128_hash(&g, part[1], len[1]);
    gcm128_tag(&g, tag);
    assert_memory_equal(tag, part[5], len[5]);
    return true;
}

static void gcm128_agrees_with_nist(void **state)
{
    (void)state;
    char line[8192];
    size_t n_run = 0;
    FILE *f = fopen(SHARED_DIR "/vectors/crypto/nist/gcm.aes128_en.data", "r");
    if (!f) {
        print_message("skipped: gcm.aes128_en.data is not here\n");
        skip();
        return;
    }
    while (fgets(line, sizeof line, f))
        n_run += nist_line(line);
    fclose(f);
    assert_int_equal(n_run, 168);
}

/* SP 800-38D 6.2: only the last 32 bits count, and they wrap. The keystream after the wrap must be
 * that of the counter block with 00000000. */
static void gcm128_counter_wraps_within_32_bits(void **state)
{
    (void)state;
    const uint8_t key[16] = {1};
    uint8_t text[32] = {0}, want[32] = {0};
    struct gcm128 g;
    uint8_t j0[16];
    memset(j0, 0xFF, sizeof j0);
    gcm128_key(&g, key);
    gcm128_begin(&g, j0);
    gcm128_crypt(&g, text, sizeof text);
    memset(want, 0xFF, 12);
    memset(want + 16, 0xFF, 12);
    want[31] = 1;
    aes128_encrypt2(&g.aes, want);
    assert_memory_equal(text, want, sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aes128_agrees_with_fips197_when_two_blocks_differ),
        cmocka_unit_test(aes128_decrypts_what_it_encrypted_when_every_octet_value_occurs),
        cmocka_unit_test(gcm128_agrees_with_nist),
        cmocka_unit_test(gcm128_counter_wraps_within_32_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
