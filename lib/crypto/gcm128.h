/* AES-128-GCM (NIST SP 800-38D) from aes128 and ghash. Private to the portable backend.
 *
 * It begins with the pre-counter block J0 instead of the IV: crypto.h only has 96-bit IVs
 * (J0 = IV || 00000001), while published vectors with other lengths exercise the same code. */
#ifndef FERRARIS_CRYPTO_GCM128_H
#define FERRARIS_CRYPTO_GCM128_H

#include "lib/base/cursor.h"
#include "lib/crypto/aes128.h"
#include "lib/crypto/ghash.h"

struct gcm128 { /* caller-owned, full of secrets: wipe it */
    struct aes128 aes;
    struct ghash ghash;
    uint8_t counter[AES_BLOCK];  /* of the last keystream block used */
    uint8_t tag_mask[AES_BLOCK]; /* E(J0) */
};

void gcm128_init(struct gcm128 *g, const uint8_t key[16], const uint8_t j0[AES_BLOCK]);
/* Adds the keystream to the text. Once per init. */
void gcm128_crypt(struct gcm128 *g, uint8_t *text, size_t len);
/* The full tag over additional data and *ciphered* text. Once per init, before or after crypt. */
void gcm128_tag(struct gcm128 *g, const struct bytes *aad, size_t n_aad, struct bytes text,
                uint8_t tag[AES_BLOCK]);

#endif
