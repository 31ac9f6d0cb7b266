/* The few cryptographic functions the house needs for security suite 0; the backend is chosen at
 * link.
 *
 * Backends: crypto_openssl.c on hosts (OpenSSL 3), crypto_portable.c for the target (no tables
 * indexed by secrets). Both pass the same vectors (NIST, Wycheproof, Green Book). No state is kept;
 * keys are wiped from working memory before return. */
#ifndef FERRARIS_CRYPTO_H
#define FERRARIS_CRYPTO_H

#include "lib/base/cursor.h"

#define CRYPTO_KEY128  16
#define CRYPTO_GCM_IV  12
#define CRYPTO_GCM_TAG 12 /* DLMS truncates to 96 bits, Green Book 9.2.3.3.7.3 */

/* AES-128-GCM. `aad` is the concatenation of n_aad views. text is transformed in place;
 * tag_len 4..16 octets. seal: ERR_OK, ERR_IO (backend failed). open: also ERR_TAG; then text is
 * wiped. */
MUST_CHECK enum err crypto_gcm_seal(const uint8_t key[CRYPTO_KEY128],
                                    const uint8_t iv[CRYPTO_GCM_IV], const struct bytes *aad,
                                    size_t n_aad, uint8_t *text, size_t len, uint8_t *tag,
                                    size_t tag_len);
MUST_CHECK enum err crypto_gcm_open(const uint8_t key[CRYPTO_KEY128],
                                    const uint8_t iv[CRYPTO_GCM_IV], const struct bytes *aad,
                                    size_t n_aad, uint8_t *text, size_t len, const uint8_t *tag,
                                    size_t tag_len);
/* The keystream alone: encryption without authentication (SC 0x20). Same call en- and decrypts. */
MUST_CHECK enum err crypto_gcm_crypt(const uint8_t key[CRYPTO_KEY128],
                                     const uint8_t iv[CRYPTO_GCM_IV], uint8_t *text, size_t len);
/* RFC 3394 key wrap with a 128-bit KEK; len a multiple of 8, 16..64; `wrapped` has len + 8 octets.
 * unwrap: ERR_TAG. */
MUST_CHECK enum err crypto_key_wrap(const uint8_t kek[CRYPTO_KEY128], const uint8_t *key,
                                    size_t len, uint8_t *wrapped);
MUST_CHECK enum err crypto_key_unwrap(const uint8_t kek[CRYPTO_KEY128], const uint8_t *wrapped,
                                      size_t wrapped_len, uint8_t *key);

#endif
