/* AES-128 for targets without an AES engine: two blocks at once, in constant time.
 *
 * Private to the portable backend; users include crypto.h. The cipher is bit-sliced: no table is
 * indexed and no branch is taken by a secret, so neither caches nor timing tell the key. The caller
 * owns struct aes128 and wipes it when done; the functions keep nothing. FIPS 197. */
#ifndef FERRARIS_CRYPTO_AES128_H
#define FERRARIS_CRYPTO_AES128_H

#include <stdint.h>

#define AES_BLOCK  16
#define AES_ROUNDS 10

struct aes128 {
    /* As bit planes. Both blocks have the same key, so every second bit of a plane says all: planes
     * 2i and 2i + 1 share a word. */
    uint32_t round_key[AES_ROUNDS + 1][4];
    uint8_t hardware; /* 1: hardware.h does it, and round_key is as it likes */
};

void aes128_init(struct aes128 *aes, const uint8_t key[16]);
/* The same for a key that decrypts; never by hardware. */
void aes128_init_planes(struct aes128 *aes, const uint8_t key[16]);
/* Both transform two neighbouring blocks in place; one block costs the same as two. decrypt2 wants
 * aes128_init_planes. */
void aes128_encrypt2(const struct aes128 *aes, uint8_t blocks[2 * AES_BLOCK]);
void aes128_decrypt2(const struct aes128 *aes, uint8_t blocks[2 * AES_BLOCK]);

#endif
