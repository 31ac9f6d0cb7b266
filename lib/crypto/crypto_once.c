/* The calls of crypto.h with a key for one message: made ready, used and wiped. Both backends have
 * it; it knows none of them. */
#include "lib/crypto/crypto.h"

enum err crypto_gcm_seal(const uint8_t key[CRYPTO_KEY128], const uint8_t iv[CRYPTO_GCM_IV],
                         const struct bytes *aad, size_t n_aad, uint8_t *text, size_t len,
                         uint8_t *tag, size_t tag_len)
{
    struct crypto_gcm g = {.ready = false};
    enum err err = crypto_gcm_key(&g, key);
    if (!err)
        err = crypto_gcm_seal_with(&g, iv, aad, n_aad, text, len, tag, tag_len);
    crypto_gcm_end(&g);
    return err;
}

enum err crypto_gcm_open(const uint8_t key[CRYPTO_KEY128], const uint8_t iv[CRYPTO_GCM_IV],
                         const struct bytes *aad, size_t n_aad, uint8_t *text, size_t len,
                         const uint8_t *tag, size_t tag_len)
{
    struct crypto_gcm g = {.ready = false};
    enum err err = crypto_gcm_key(&g, key);
    if (!err)
        err = crypto_gcm_open_with(&g, iv, aad, n_aad, text, len, tag, tag_len);
    else if (len > 0)
        wipe(text, len);
    crypto_gcm_end(&g);
    return err;
}

enum err crypto_gcm_crypt(const uint8_t key[CRYPTO_KEY128], const uint8_t iv[CRYPTO_GCM_IV],
                          uint8_t *text, size_t len)
{
    struct crypto_gcm g = {.ready = false};
    enum err err = crypto_gcm_key(&g, key);
    if (!err)
        err = crypto_gcm_crypt_with(&g, iv, text, len);
    crypto_gcm_end(&g);
    return err;
}
