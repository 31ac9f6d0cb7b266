/* SHA-256, one round after the other in a loop: 64 rounds on a rolling schedule of 16 words. It
 * keeps no key and makes no choice by what it hashes. FIPS 180-4 6.2. */
#include "lib/crypto/sha256.h"

#include <string.h>

/* Fractions of the cube roots of the first 64 primes, FIPS 180-4 4.2.2. */
static const uint32_t round_constant[64] = {
    0x428A2F98, 0x71374491, 0xB5C0FBCF, 0xE9B5DBA5, 0x3956C25B, 0x59F111F1, 0x923F82A4, 0xAB1C5ED5,
    0xD807AA98, 0x12835B01, 0x243185BE, 0x550C7DC3, 0x72BE5D74, 0x80DEB1FE, 0x9BDC06A7, 0xC19BF174,
    0xE49B69C1, 0xEFBE4786, 0x0FC19DC6, 0x240CA1CC, 0x2DE92C6F, 0x4A7484AA, 0x5CB0A9DC, 0x76F988DA,
    0x983E5152, 0xA831C66D, 0xB00327C8, 0xBF597FC7, 0xC6E00BF3, 0xD5A79147, 0x06CA6351, 0x14292967,
    0x27B70A85, 0x2E1B2138, 0x4D2C6DFC, 0x53380D13, 0x650A7354, 0x766A0ABB, 0x81C2C92E, 0x92722C85,
    0xA2BFE8A1, 0xA81A664B, 0xC24B8B70, 0xC76C51A3, 0xD192E819, 0xD6990624, 0xF40E3585, 0x106AA070,
    0x19A4C116, 0x1E376C08, 0x2748774C, 0x34B0BCB5, 0x391C0CB3, 0x4ED8AA4A, 0x5B9CCA4F, 0x682E6FF3,
    0x748F82EE, 0x78A5636F, 0x84C87814, 0x8CC70208, 0x90BEFFFA, 0xA4506CEB, 0xBEF9A3F7, 0xC67178F2,
};

static uint32_t turn(uint32_t x, unsigned n)
{
    return x >> n | x << (32 - n);
}

static uint32_t load_be(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Word i of the schedule; w holds the last 16. */
static uint32_t schedule(uint32_t w[16], unsigned i)
{
    uint32_t a = w[(i + 1) & 15], b = w[(i + 14) & 15];
    if (i >= 16)
        w[i & 15] += (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[(i + 9) & 15] +
                     (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
    return w[i & 15];
}

static void compress(struct sha256 *s)
{
    uint32_t w[16], v[8]; /* v: a to h */
    for (unsigned i = 0; i < 16; i++)
        w[i] = load_be(s->block + 4 * i);
    memcpy(v, s->h, sizeof v);
    for (unsigned i = 0; i < 64; i++) {
        uint32_t t1 = v[7] + (turn(v[4], 6) ^ turn(v[4], 11) ^ turn(v[4], 25)) +
                      ((v[4] & v[5]) ^ (~v[4] & v[6])) + round_constant[i] + schedule(w, i);
        uint32_t t2 = (turn(v[0], 2) ^ turn(v[0], 13) ^ turn(v[0], 22)) +
                      ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (unsigned i = 0; i < 8; i++)
        s->h[i] += v[i];
}

void sha256_init(struct sha256 *s)
{
    /* fractions of the square roots of the first 8 primes */
    static const uint32_t first[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                      0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
    memcpy(s->h, first, sizeof first);
    s->len = 0;
}

void sha256_update(struct sha256 *s, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        s->block[s->len++ % sizeof s->block] = p[i];
        if (s->len % sizeof s->block == 0)
            compress(s);
    }
}

void sha256_finish(struct sha256 *s, uint8_t out[32])
{
    static const uint8_t one = 0x80, zero = 0;
    uint8_t bits[8];
    store_be(bits, (uint32_t)(s->len >> 29));
    store_be(bits + 4, (uint32_t)(s->len << 3));
    sha256_update(s, &one, 1);
    while (s->len % sizeof s->block != 56)
        sha256_update(s, &zero, 1);
    sha256_update(s, bits, sizeof bits);
    for (unsigned i = 0; i < 8; i++)
        store_be(out + 4 * i, s->h[i]);
}
