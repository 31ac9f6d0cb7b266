/* What the cross test calls of the portable backend under its other names. */
#ifndef FERRARIS_TESTS_PORTABLE_API_H
#define FERRARIS_TESTS_PORTABLE_API_H

#include "lib/crypto/crypto.h"

enum err portable_gcm_seal(const uint8_t *key, const uint8_t *iv, const struct bytes *aad,
                           size_t n_aad, uint8_t *text, size_t len, uint8_t *tag, size_t tag_len);
enum err portable_gcm_open(const uint8_t *key, const uint8_t *iv, const struct bytes *aad,
                           size_t n_aad, uint8_t *text, size_t len, const uint8_t *tag,
                           size_t tag_len);
enum err portable_gcm_crypt(const uint8_t *key, const uint8_t *iv, uint8_t *text, size_t len);
enum err portable_gcm_key(struct crypto_gcm *g, const uint8_t *key);
void portable_gcm_end(struct crypto_gcm *g);
enum err portable_gcm_begin(struct crypto_gcm *g, const uint8_t *iv, const struct bytes *aad,
                            size_t n_aad);
enum err portable_gcm_auth_part(struct crypto_gcm *g, const uint8_t *aad, size_t len);
enum err portable_gcm_seal_part(struct crypto_gcm *g, uint8_t *text, size_t len);
enum err portable_gcm_finish(struct crypto_gcm *g, uint8_t *tag, size_t tag_len);
enum err portable_digest(enum crypto_hash hash, const struct bytes *parts, size_t n_parts,
                         uint8_t *out);
enum err portable_key_wrap(const uint8_t *kek, const uint8_t *key, size_t len, uint8_t *wrapped);
enum err portable_key_unwrap(const uint8_t *kek, const uint8_t *wrapped, size_t wrapped_len,
                             uint8_t *key);

#endif
