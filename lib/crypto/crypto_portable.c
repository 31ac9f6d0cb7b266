/* The portable backend of crypto.h: for targets without OpenSSL, constant time, no heap.
 *
 * It opens before it decrypts: the tag is checked over the ciphered text, so a forged text is never
 * turned into plain octets at all. It knows suite 0 only and has no hardware path. */
#include "lib/crypto/crypto.h"

#include "lib/crypto/gcm128.h"
#include "lib/crypto/sha256.h"

#include <string.h>

#ifdef CRYPTO_WITH_WEAK_HASH
#error "MD5 and SHA-1 are in the OpenSSL backend only"
#endif

#define WRAP_UNIT 8    /* octets of an RFC 3394 register */
#define WRAP_IV   0xA6 /* each octet of the initial value, RFC 3394 2.2.3.1 */

enum phase { IDLE, ADDITIONAL, TEXT };

_Static_assert(sizeof(struct gcm128) <= CRYPTO_GCM_STATE, "CRYPTO_GCM_STATE");
_Static_assert(_Alignof(struct gcm128) <= _Alignof(uint64_t), "state is aligned as uint64_t");

static struct gcm128 *state_of(struct crypto_gcm *g)
{
    return (struct gcm128 *)(void *)g->u.state;
}

enum err crypto_gcm_key(struct crypto_gcm *g, const uint8_t key[CRYPTO_KEY128])
{
    g->phase = IDLE;
    if (g->ready && ct_equal(g->key, key, sizeof g->key))
        return ERR_OK;
    memcpy(g->key, key, sizeof g->key);
    gcm128_key(state_of(g), key);
    g->ready = true;
    return ERR_OK;
}

void crypto_gcm_end(struct crypto_gcm *g)
{
    wipe(g, sizeof *g);
}

enum err crypto_gcm_begin(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                          const struct bytes *aad, size_t n_aad)
{
    uint8_t j0[AES_BLOCK] = {[AES_BLOCK - 1] = 1};
    if (!g->ready)
        return ERR_KEY;
    memcpy(j0, iv, CRYPTO_GCM_IV);
    gcm128_begin(state_of(g), j0);
    for (size_t i = 0; i < n_aad; i++)
        gcm128_aad(state_of(g), aad[i].p, aad[i].len);
    g->phase = ADDITIONAL;
    return ERR_OK;
}

enum err crypto_gcm_auth_part(struct crypto_gcm *g, const uint8_t *aad, size_t len)
{
    if (g->phase != ADDITIONAL)
        return ERR_STATE;
    gcm128_aad(state_of(g), aad, len);
    return ERR_OK;
}

enum err crypto_gcm_seal_part(struct crypto_gcm *g, uint8_t *text, size_t len)
{
    if (g->phase == IDLE)
        return ERR_STATE;
    if (len > CRYPTO_TEXT_MAX)
        return ERR_RANGE;
    g->phase = TEXT;
    gcm128_crypt(state_of(g), text, len);
    gcm128_hash(state_of(g), text, len);
    return ERR_OK;
}

static bool tag_len_valid(size_t tag_len)
{
    return tag_len >= CRYPTO_GCM_TAG_MIN && tag_len <= CRYPTO_GCM_TAG_MAX;
}

enum err crypto_gcm_finish(struct crypto_gcm *g, uint8_t *tag, size_t tag_len)
{
    uint8_t full[AES_BLOCK];
    if (g->phase == IDLE)
        return ERR_STATE;
    if (!tag_len_valid(tag_len))
        return ERR_RANGE;
    g->phase = IDLE;
    gcm128_tag(state_of(g), full);
    memcpy(tag, full, tag_len);
    return ERR_OK;
}

enum err crypto_gcm_seal_with(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                              const struct bytes *aad, size_t n_aad, uint8_t *text, size_t len,
                              uint8_t *tag, size_t tag_len)
{
    if (!tag_len_valid(tag_len))
        return ERR_RANGE;
    enum err err = crypto_gcm_begin(g, iv, aad, n_aad);
    if (!err)
        err = crypto_gcm_seal_part(g, text, len);
    return err ? err : crypto_gcm_finish(g, tag, tag_len);
}

enum err crypto_gcm_open_with(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                              const struct bytes *aad, size_t n_aad, uint8_t *text, size_t len,
                              const uint8_t *tag, size_t tag_len)
{
    uint8_t full[AES_BLOCK];
    if (!tag_len_valid(tag_len) || len > CRYPTO_TEXT_MAX)
        return ERR_RANGE;
    enum err err = crypto_gcm_begin(g, iv, aad, n_aad);
    if (err)
        return err;
    g->phase = IDLE;
    gcm128_hash(state_of(g), text, len);
    gcm128_tag(state_of(g), full);
    bool good = ct_equal(full, tag, tag_len);
    if (good)
        gcm128_crypt(state_of(g), text, len);
    else
        wipe(text, len);
    wipe(full, sizeof full); /* the right tag of a forged text would be worth having */
    return good ? ERR_OK : ERR_TAG;
}

enum err crypto_gcm_crypt_with(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV], uint8_t *text,
                               size_t len)
{
    if (len > CRYPTO_TEXT_MAX)
        return ERR_RANGE;
    enum err err = crypto_gcm_begin(g, iv, NULL, 0);
    g->phase = IDLE;
    if (!err)
        gcm128_crypt(state_of(g), text, len);
    return err;
}

enum err crypto_digest(enum crypto_hash hash, const struct bytes *parts, size_t n_parts,
                       uint8_t *out)
{
    struct sha256 h;
    if (hash != CRYPTO_SHA256)
        return ERR_UNSUPPORTED;
    sha256_init(&h);
    for (size_t i = 0; i < n_parts; i++)
        sha256_update(&h, parts[i].p, parts[i].len);
    sha256_finish(&h, out);
    wipe(&h, sizeof h);
    return ERR_OK;
}

static bool wrap_len_valid(size_t len)
{
    return len >= CRYPTO_WRAP_MIN && len <= CRYPTO_WRAP_MAX && len % WRAP_UNIT == 0;
}

/* The step number is at most 6 * 8, so it touches the last octet of the register only. */
enum err crypto_key_wrap(const uint8_t kek[CRYPTO_KEY128], const uint8_t *key, size_t len,
                         uint8_t *wrapped)
{
    struct aes128 aes;
    uint8_t b[2 * AES_BLOCK] = {0}; /* first block: A || R[i]; the second is idle */
    uint8_t step = 0;
    if (!wrap_len_valid(len))
        return ERR_RANGE;
    aes128_init(&aes, kek);
    memset(b, WRAP_IV, WRAP_UNIT);
    memmove(wrapped + WRAP_UNIT, key, len);
    for (unsigned round = 0; round < 6; round++) {
        for (size_t at = WRAP_UNIT; at <= len; at += WRAP_UNIT) {
            memcpy(b + WRAP_UNIT, wrapped + at, WRAP_UNIT);
            aes128_encrypt2(&aes, b);
            b[WRAP_UNIT - 1] ^= ++step;
            memcpy(wrapped + at, b + WRAP_UNIT, WRAP_UNIT);
        }
    }
    memcpy(wrapped, b, WRAP_UNIT);
    wipe(b, sizeof b);
    wipe(&aes, sizeof aes);
    return ERR_OK;
}

enum err crypto_key_unwrap(const uint8_t kek[CRYPTO_KEY128], const uint8_t *wrapped,
                           size_t wrapped_len, uint8_t *key)
{
    static const uint8_t iv[WRAP_UNIT] = {WRAP_IV, WRAP_IV, WRAP_IV, WRAP_IV,
                                          WRAP_IV, WRAP_IV, WRAP_IV, WRAP_IV};
    struct aes128 aes;
    uint8_t b[2 * AES_BLOCK] = {0};
    if (wrapped_len < WRAP_UNIT || !wrap_len_valid(wrapped_len - WRAP_UNIT))
        return ERR_RANGE;
    size_t len = wrapped_len - WRAP_UNIT;
    uint8_t step = (uint8_t)(6 * (len / WRAP_UNIT));
    aes128_init(&aes, kek);
    memcpy(b, wrapped, WRAP_UNIT);
    memmove(key, wrapped + WRAP_UNIT, len);
    for (unsigned round = 0; round < 6; round++) {
        for (size_t at = len; at > 0; at -= WRAP_UNIT) {
            memcpy(b + WRAP_UNIT, key + at - WRAP_UNIT, WRAP_UNIT);
            b[WRAP_UNIT - 1] ^= step--;
            aes128_decrypt2(&aes, b);
            memcpy(key + at - WRAP_UNIT, b + WRAP_UNIT, WRAP_UNIT);
        }
    }
    bool good = ct_equal(b, iv, sizeof iv);
    if (!good)
        wipe(key, len);
    wipe(b, sizeof b);
    wipe(&aes, sizeof aes);
    return good ? ERR_OK : ERR_TAG;
}
