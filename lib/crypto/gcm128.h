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
    uint8_t n_used;
    uint8_t counter[AES_BLOCK];    /* of the last keystream block made */
    uint8_t tag_mask[AES_BLOCK];   /* E(J0) */
    uint8_t stream[2 * AES_BLOCK]; /* keystream; octets from n_used on are not used yet */
    uint64_t aad_len, text_len;    /* of this message so far */
    struct aes128 aes;
    struct ghash ghash;
};

void gcm128_key(struct gcm128 *g, const uint8_t key[16]);
/* A new message under the key. */
void gcm128_begin(struct gcm128 *g, const uint8_t j0[AES_BLOCK]);
/* Additional data, in pieces of any length. All of it before the first gcm128_hash. */
void gcm128_aad(struct gcm128 *g, const uint8_t *p, size_t len);
/* Adds the keystream to the text, and hashes *ciphered* text; either in pieces of any length. */
void gcm128_crypt(struct gcm128 *g, uint8_t *text, size_t len);
void gcm128_hash(struct gcm128 *g, const uint8_t *text, size_t len);
/* The full tag; once a message. */
void gcm128_tag(struct gcm128 *g, uint8_t tag[AES_BLOCK]);

#endif
