/* The few cryptographic functions the house needs for security suite 0; the backend is chosen at
 * link.
 *
 * Backends: crypto_openssl.c on hosts (OpenSSL 3; GCM by the instructions of an x86-64,
 * hardware.c), crypto_portable.c for the target (no tables indexed by secrets). All pass the same
 * vectors (Wycheproof, NIST, Green Book) and are compared with each other on random input. No state
 * is kept but in struct crypto_gcm, which is the caller's; keys are wiped from working memory
 * before return. All buffers are the caller's; nothing is read or written beyond the lengths given.
 */
#ifndef FERRARIS_CRYPTO_H
#define FERRARIS_CRYPTO_H

#include "lib/base/cursor.h"

#define CRYPTO_KEY128      16
#define CRYPTO_GCM_IV      12
#define CRYPTO_GCM_TAG     12 /* DLMS truncates to 96 bits, Green Book 9.2.3.3.7 */
#define CRYPTO_GCM_TAG_MIN 4
#define CRYPTO_GCM_TAG_MAX 16
#define CRYPTO_TEXT_MAX    0x7FFFFFFFu /* octets of one text or one view of additional data */
#define CRYPTO_WRAP_MIN    16          /* octets of a key that is wrapped */
#define CRYPTO_WRAP_MAX    64

/* AES-128-GCM (NIST SP 800-38D). `aad` is the concatenation of n_aad views, which may be empty and
 * must not overlap text. text is transformed in place and may be NULL when len is 0 (GMAC).
 * tag_len 4..16 octets. Never seal twice with the same key and iv.
 * seal: ERR_OK, ERR_RANGE (tag_len, len; nothing done), ERR_IO (backend failed: do not use text).
 * open: also ERR_TAG; after ERR_TAG and ERR_IO text is wiped. */
MUST_CHECK enum err crypto_gcm_seal(const uint8_t key[CRYPTO_KEY128],
                                    const uint8_t iv[CRYPTO_GCM_IV], const struct bytes *aad,
                                    size_t n_aad, uint8_t *text, size_t len, uint8_t *tag,
                                    size_t tag_len);
MUST_CHECK enum err crypto_gcm_open(const uint8_t key[CRYPTO_KEY128],
                                    const uint8_t iv[CRYPTO_GCM_IV], const struct bytes *aad,
                                    size_t n_aad, uint8_t *text, size_t len, const uint8_t *tag,
                                    size_t tag_len);
/* The keystream of GCM alone: encryption without authentication (SC 0x20). The same call en- and
 * decrypts. ERR_RANGE (len), ERR_IO. */
MUST_CHECK enum err crypto_gcm_crypt(const uint8_t key[CRYPTO_KEY128],
                                     const uint8_t iv[CRYPTO_GCM_IV], uint8_t *text, size_t len);
/* A key made ready once for many messages: key schedule and hash key are kept, so that a message
 * costs its blocks only. The caller owns the struct, all zeros is an empty one; the last call is
 * crypto_gcm_end, which wipes (and on hosts releases the backend's context: without it memory is
 * lost). Not to be copied. No allocation after crypto_gcm_key. */
#define CRYPTO_GCM_STATE 312 /* what crypto_gcm.c needs */
struct crypto_gcm {
    uint8_t key[CRYPTO_KEY128]; /* the key it is ready for */
    bool ready;
    uint8_t phase; /* of a text in parts: 0 none begun, 1 additional data, 2 text */
    union {
        void *backend;
        uint64_t state[CRYPTO_GCM_STATE / 8];
    } u;
};
/* Makes ready for `key`; nothing to do where it is already. ERR_IO, ERR_MEMORY. */
MUST_CHECK enum err crypto_gcm_key(struct crypto_gcm *g, const uint8_t key[CRYPTO_KEY128]);
void crypto_gcm_end(struct crypto_gcm *g);
/* As crypto_gcm_seal, crypto_gcm_open, crypto_gcm_crypt with the key of g. Also ERR_KEY (not
 * ready). */
MUST_CHECK enum err crypto_gcm_seal_with(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                                         const struct bytes *aad, size_t n_aad, uint8_t *text,
                                         size_t len, uint8_t *tag, size_t tag_len);
MUST_CHECK enum err crypto_gcm_open_with(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                                         const struct bytes *aad, size_t n_aad, uint8_t *text,
                                         size_t len, const uint8_t *tag, size_t tag_len);
MUST_CHECK enum err crypto_gcm_crypt_with(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                                          uint8_t *text, size_t len);
/* Sealing of a text that comes in pieces of any length (one text at a time per g, no other call
 * with g between begin and finish): begin; auth_part for each further piece of additional data;
 * seal_part for each piece of text, in place; finish for the tag. Encryption alone leaves finish
 * out, the next begin starts anew. ERR_KEY (not ready), ERR_STATE (order), ERR_RANGE, ERR_IO. */
MUST_CHECK enum err crypto_gcm_begin(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                                     const struct bytes *aad, size_t n_aad);
MUST_CHECK enum err crypto_gcm_auth_part(struct crypto_gcm *g, const uint8_t *aad, size_t len);
MUST_CHECK enum err crypto_gcm_seal_part(struct crypto_gcm *g, uint8_t *text, size_t len);
MUST_CHECK enum err crypto_gcm_finish(struct crypto_gcm *g, uint8_t *tag, size_t tag_len);

/* Digest over the concatenation of n_parts views, for HLS 3, 4 and 6. MD5 and SHA-1 are there only
 * in builds of the OpenSSL backend with CRYPTO_WITH_WEAK_HASH, else ERR_UNSUPPORTED; the portable
 * backend does not compile with it. `out` has as many octets as the digest. ERR_IO. */
enum crypto_hash {
    CRYPTO_MD5 = 16,
    CRYPTO_SHA1 = 20,
    CRYPTO_SHA256 = 32
}; /* octets of the digest */
#define CRYPTO_HASH_MAX 32
MUST_CHECK enum err crypto_digest(enum crypto_hash hash, const struct bytes *parts, size_t n_parts,
                                  uint8_t *out);

/* RFC 3394 key wrap with a 128-bit KEK; len a multiple of 8, 16..64 (ERR_RANGE else); `wrapped` has
 * len + 8 octets. The buffers do not overlap. ERR_IO.
 * unwrap: `key` has wrapped_len - 8 octets; also ERR_TAG, then key is wiped. */
MUST_CHECK enum err crypto_key_wrap(const uint8_t kek[CRYPTO_KEY128], const uint8_t *key,
                                    size_t len, uint8_t *wrapped);
MUST_CHECK enum err crypto_key_unwrap(const uint8_t kek[CRYPTO_KEY128], const uint8_t *wrapped,
                                      size_t wrapped_len, uint8_t *key);

#endif
