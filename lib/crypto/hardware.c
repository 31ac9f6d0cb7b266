/* AES-128 with AES-NI and GHASH with PCLMULQDQ. Decryption is not here: only key unwrapping needs
 * it.
 *
 * GHASH: GCM writes polynomials with the lowest power in the first bit, so octets are turned round
 * on load, and products come out one bit too low. h * x is kept in place of h, which makes up for
 * that. The 256-bit product is then reduced by two folds with x^63 + x^62 + x^57, the part of the
 * (reflected) polynomial x^128 + x^127 + x^126 + x^121 + 1 above the middle. */
#include "lib/crypto/hardware.h"

#include "lib/base/cursor.h"

#if CRYPTO_HARDWARE
#include <immintrin.h>

#define WITH_HARDWARE __attribute__((target("aes,pclmul,ssse3")))

bool crypto_hardware(void)
{
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") &&
           __builtin_cpu_supports("ssse3");
}

WITH_HARDWARE static __m128i load(const void *p)
{
    return _mm_loadu_si128(p);
}

/* The next round key from the last one and its key-generation word. */
WITH_HARDWARE static __m128i next_key(__m128i key, __m128i word)
{
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 8));
    return _mm_xor_si128(key, _mm_shuffle_epi32(word, 0xFF));
}

/* The round constant is part of the instruction. */
#define ROUND_KEY(k, i, rcon) k[i] = next_key(k[(i)-1], _mm_aeskeygenassist_si128(k[(i)-1], rcon))

WITH_HARDWARE void hardware_aes_init(struct aes128 *aes, const uint8_t key[16])
{
    __m128i k[AES_ROUNDS + 1];
    k[0] = load(key);
    ROUND_KEY(k, 1, 0x01);
    ROUND_KEY(k, 2, 0x02);
    ROUND_KEY(k, 3, 0x04);
    ROUND_KEY(k, 4, 0x08);
    ROUND_KEY(k, 5, 0x10);
    ROUND_KEY(k, 6, 0x20);
    ROUND_KEY(k, 7, 0x40);
    ROUND_KEY(k, 8, 0x80);
    ROUND_KEY(k, 9, 0x1B);
    ROUND_KEY(k, 10, 0x36);
    for (unsigned i = 0; i <= AES_ROUNDS; i++)
        _mm_storeu_si128((__m128i *)(void *)aes->round_key[i], k[i]);
    wipe(k, sizeof k);
}

WITH_HARDWARE void hardware_aes_encrypt2(const struct aes128 *aes, uint8_t blocks[2 * AES_BLOCK])
{
    __m128i k = load(aes->round_key[0]);
    __m128i a = _mm_xor_si128(load(blocks), k), b = _mm_xor_si128(load(blocks + AES_BLOCK), k);
    for (unsigned i = 1; i < AES_ROUNDS; i++) {
        k = load(aes->round_key[i]);
        a = _mm_aesenc_si128(a, k);
        b = _mm_aesenc_si128(b, k);
    }
    k = load(aes->round_key[AES_ROUNDS]);
    _mm_storeu_si128((__m128i *)(void *)blocks, _mm_aesenclast_si128(a, k));
    _mm_storeu_si128((__m128i *)(void *)(blocks + AES_BLOCK), _mm_aesenclast_si128(b, k));
}

/* Octets turned round, the part that counts is the lowest lane and wraps in itself. */
WITH_HARDWARE void hardware_ctr(const struct aes128 *aes, uint8_t counter[AES_BLOCK], uint8_t *text,
                                size_t n_quads)
{
    const __m128i turn = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i one = _mm_set_epi32(0, 0, 0, 1);
    __m128i count = _mm_shuffle_epi8(load(counter), turn), s[4];
    for (; n_quads > 0; n_quads--, text += 4 * AES_BLOCK) {
        for (unsigned b = 0; b < 4; b++) {
            count = _mm_add_epi32(count, one);
            s[b] = _mm_xor_si128(_mm_shuffle_epi8(count, turn), load(aes->round_key[0]));
        }
        for (unsigned i = 1; i < AES_ROUNDS; i++) {
            const __m128i k = load(aes->round_key[i]);
            for (unsigned b = 0; b < 4; b++)
                s[b] = _mm_aesenc_si128(s[b], k);
        }
        const __m128i last = load(aes->round_key[AES_ROUNDS]);
        for (unsigned b = 0; b < 4; b++) {
            uint8_t *at = text + AES_BLOCK * b;
            _mm_storeu_si128((__m128i *)(void *)at,
                             _mm_xor_si128(load(at), _mm_aesenclast_si128(s[b], last)));
        }
    }
    _mm_storeu_si128((__m128i *)(void *)counter, _mm_shuffle_epi8(count, turn));
}

void hardware_ghash_key(struct ghash *g)
{
    uint64_t fold = 0 - (g->h_high >> 63);
    g->h_high = (g->h_high << 1 | g->h_low >> 63) ^ (fold & 0xC200000000000000u);
    g->h_low = g->h_low << 1 ^ (fold & 1);
}

WITH_HARDWARE static __m128i multiply(__m128i a, __m128i h)
{
    const __m128i poly = _mm_set_epi64x(0, (long long)0xC200000000000000u);
    __m128i low = _mm_clmulepi64_si128(a, h, 0x00), high = _mm_clmulepi64_si128(a, h, 0x11);
    __m128i middle =
        _mm_xor_si128(_mm_clmulepi64_si128(a, h, 0x01), _mm_clmulepi64_si128(a, h, 0x10));
    low = _mm_xor_si128(low, _mm_slli_si128(middle, 8));
    high = _mm_xor_si128(high, _mm_srli_si128(middle, 8));
    for (unsigned i = 0; i < 2; i++)
        low = _mm_xor_si128(_mm_shuffle_epi32(low, 0x4E), _mm_clmulepi64_si128(low, poly, 0x00));
    return _mm_xor_si128(high, low);
}

WITH_HARDWARE void hardware_ghash(struct ghash *g, const uint8_t *p, size_t n_blocks)
{
    const __m128i turn = _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m128i h = _mm_set_epi64x((long long)g->h_high, (long long)g->h_low);
    __m128i y = _mm_shuffle_epi8(load(g->y), turn);
    for (size_t i = 0; i < n_blocks; i++)
        y = multiply(_mm_xor_si128(y, _mm_shuffle_epi8(load(p + 16 * i), turn)), h);
    _mm_storeu_si128((__m128i *)(void *)g->y, _mm_shuffle_epi8(y, turn));
}
#endif
