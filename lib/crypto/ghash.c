/* GHASH bit by bit with masks: 128 equal steps a block, whatever the data.
 *
 * A table of multiples of H would be faster and would be indexed by what is hashed; with DLMS that
 * includes the authentication key. A product of integers is not constant time on a Cortex-M3. */
#include "lib/crypto/hardware.h"

#include <string.h>

static uint64_t load_be(const uint8_t *p)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

static void store_be(uint8_t *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* y = y * h in GF(2^128), bits reflected as SP 800-38D 6.3 has them. */
static void multiply(struct ghash *g)
{
    static const uint8_t zero[16];
    if (CRYPTO_HARDWARE && g->hardware) {
        hardware_ghash(g, zero, 1);
        return;
    }
    uint64_t z_high = 0, z_low = 0, v_high = g->h_high, v_low = g->h_low;
    for (unsigned i = 0; i < 128; i++) {
        uint64_t take = 0 - ((uint64_t)g->y[i / 8] >> (7 - i % 8) & 1);
        uint64_t fold = 0 - (v_low & 1);
        z_high ^= v_high & take;
        z_low ^= v_low & take;
        v_low = v_low >> 1 | v_high << 63;
        v_high = v_high >> 1 ^ (fold & 0xE100000000000000u);
    }
    store_be(g->y, z_high);
    store_be(g->y + 8, z_low);
}

void ghash_key(struct ghash *g, const uint8_t h[16])
{
    g->h_high = load_be(h);
    g->h_low = load_be(h + 8);
    g->hardware = CRYPTO_HARDWARE && crypto_hardware();
    if (CRYPTO_HARDWARE && g->hardware)
        hardware_ghash_key(g);
    ghash_begin(g);
}

void ghash_begin(struct ghash *g)
{
    memset(g->y, 0, sizeof g->y);
    g->n = 0;
}

void ghash_update(struct ghash *g, const uint8_t *p, size_t len)
{
    size_t whole = CRYPTO_HARDWARE && g->hardware && g->n == 0 ? len / 16 : 0;
    if (CRYPTO_HARDWARE && whole > 0)
        hardware_ghash(g, p, whole);
    for (size_t i = 16 * whole; i < len; i++) {
        g->y[g->n++] ^= p[i];
        if (g->n == 16)
            ghash_pad(g);
    }
}

void ghash_pad(struct ghash *g)
{
    if (g->n > 0)
        multiply(g);
    g->n = 0;
}

void ghash_lengths(struct ghash *g, uint64_t aad_len, uint64_t text_len)
{
    uint8_t block[16];
    ghash_pad(g);
    store_be(block, aad_len * 8);
    store_be(block + 8, text_len * 8);
    ghash_update(g, block, sizeof block);
}
