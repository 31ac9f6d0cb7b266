/* GCM of crypto.h on gcm128: for targets, constant time and without a heap, and for hosts whose
 * processor has the instructions (hardware.h).
 *
 * It opens before it decrypts: the tag is checked over the ciphered text, so a forged text is never
 * turned into plain octets at all. */
#include "lib/crypto/crypto.h"

#include "lib/crypto/gcm128.h"

#include <string.h>

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
