/* SHA-256 (FIPS 180-4) for targets without OpenSSL, small rather than fast. Private to the portable
 * backend; users call crypto_digest. Caller-owned; wipe it where the text was secret. */
#ifndef FERRARIS_CRYPTO_SHA256_H
#define FERRARIS_CRYPTO_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t h[8];
    uint64_t len; /* octets so far */
    uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const uint8_t *p, size_t len); /* pieces of any length */
void sha256_finish(struct sha256 *s, uint8_t out[32]);

#endif
