/* GHASH of NIST SP 800-38D 6.4, in constant time. Private to the portable backend.
 *
 * Caller-owned; feed octets in pieces of any size, ghash_pad() between additional data and text,
 * ghash_lengths() at the end; then `y` is the hash. Wipe the struct afterwards: h is a secret. */
#ifndef FERRARIS_CRYPTO_GHASH_H
#define FERRARIS_CRYPTO_GHASH_H

#include <stddef.h>
#include <stdint.h>

struct ghash {
    uint64_t h_high, h_low; /* hash key, first octet in the top bits */
    uint8_t y[16];          /* the hash; octets of an incomplete block are already added */
    uint8_t n;              /* octets of the incomplete block, 0..15 */
    uint8_t hardware;       /* 1: hardware.h does it, and h is as it likes */
};

void ghash_key(struct ghash *g, const uint8_t h[16]);
void ghash_begin(struct ghash *g); /* a new hash under the same key */
void ghash_update(struct ghash *g, const uint8_t *p, size_t len);
void ghash_pad(struct ghash *g); /* zeros up to the end of the block */
/* The last block: both lengths in octets (they go in as bits). Pads first. */
void ghash_lengths(struct ghash *g, uint64_t aad_len, uint64_t text_len);

#endif
