/* The OpenSSL 3 backend of crypto.h, for hosts: AES instructions and carry-less multiplication.
 *
 * Each call makes and frees its own context: the library keeps no state, so threads and instances
 * never meet, and the context's key is cleansed by OpenSSL when freed. It knows suite 0 only. */
#define ERR_STATE openssl_err_state /* OpenSSL has a type of the name of one of our errors */
#include <openssl/err.h>
#include <openssl/evp.h>
#undef ERR_STATE

#include "lib/crypto/crypto.h"

#include <string.h>

static bool gcm_lens_valid(size_t len, size_t tag_len)
{
    return tag_len >= CRYPTO_GCM_TAG_MIN && tag_len <= CRYPTO_GCM_TAG_MAX && len <= CRYPTO_TEXT_MAX;
}

/* Frees the context; a failure also leaves nothing in the thread's error queue. */
static enum err end(EVP_CIPHER_CTX *c, enum err err)
{
    EVP_CIPHER_CTX_free(c);
    if (err != ERR_OK)
        ERR_clear_error();
    return err;
}

static bool gcm_feed(EVP_CIPHER_CTX *c, const struct bytes *aad, size_t n_aad, uint8_t *text,
                     size_t len)
{
    int n;
    for (size_t i = 0; i < n_aad; i++) {
        if (aad[i].len > CRYPTO_TEXT_MAX)
            return false;
        if (aad[i].len > 0 && EVP_CipherUpdate(c, NULL, &n, aad[i].p, (int)aad[i].len) != 1)
            return false;
    }
    return len == 0 || EVP_CipherUpdate(c, text, &n, text, (int)len) == 1;
}

enum err crypto_gcm_seal(const uint8_t key[CRYPTO_KEY128], const uint8_t iv[CRYPTO_GCM_IV],
                         const struct bytes *aad, size_t n_aad, uint8_t *text, size_t len,
                         uint8_t *tag, size_t tag_len)
{
    uint8_t rest[CRYPTO_GCM_TAG_MAX];
    int n;
    if (!gcm_lens_valid(len, tag_len))
        return ERR_RANGE;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (!c || EVP_EncryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, iv) != 1 ||
        !gcm_feed(c, aad, n_aad, text, len) || EVP_EncryptFinal_ex(c, rest, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, (int)tag_len, tag) != 1)
        return end(c, ERR_IO);
    return end(c, ERR_OK);
}

enum err crypto_gcm_open(const uint8_t key[CRYPTO_KEY128], const uint8_t iv[CRYPTO_GCM_IV],
                         const struct bytes *aad, size_t n_aad, uint8_t *text, size_t len,
                         const uint8_t *tag, size_t tag_len)
{
    uint8_t given[CRYPTO_GCM_TAG_MAX];
    int n;
    if (!gcm_lens_valid(len, tag_len))
        return ERR_RANGE;
    memcpy(given, tag, tag_len); /* the control call takes no const */
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (!c || EVP_DecryptInit_ex(c, EVP_aes_128_gcm(), NULL, key, iv) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, (int)tag_len, given) != 1 ||
        !gcm_feed(c, aad, n_aad, text, len)) {
        wipe(text, len);
        return end(c, ERR_IO);
    }
    if (EVP_DecryptFinal_ex(c, given, &n) != 1) {
        wipe(text, len);
        return end(c, ERR_TAG);
    }
    return end(c, ERR_OK);
}

enum err crypto_gcm_crypt(const uint8_t key[CRYPTO_KEY128], const uint8_t iv[CRYPTO_GCM_IV],
                          uint8_t *text, size_t len)
{
    uint8_t first[16] = {[15] = 2}; /* block 1 of the counter makes the tag, text begins at 2 */
    int n;
    if (len > CRYPTO_TEXT_MAX)
        return ERR_RANGE;
    memcpy(first, iv, CRYPTO_GCM_IV);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (!c || EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, key, first) != 1 ||
        (len > 0 && EVP_EncryptUpdate(c, text, &n, text, (int)len) != 1))
        return end(c, ERR_IO);
    return end(c, ERR_OK);
}

static bool wrap_len_valid(size_t len)
{
    return len >= CRYPTO_WRAP_MIN && len <= CRYPTO_WRAP_MAX && len % 8 == 0;
}

/* A context for key wrapping (enc 1) or unwrapping (enc 0); NULL if OpenSSL has none. */
static EVP_CIPHER_CTX *wrap_begin(const uint8_t kek[CRYPTO_KEY128], int enc)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    if (!c)
        return NULL;
    EVP_CIPHER_CTX_set_flags(c, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex(c, EVP_aes_128_wrap(), NULL, kek, NULL, enc) == 1)
        return c;
    EVP_CIPHER_CTX_free(c);
    return NULL;
}

enum err crypto_key_wrap(const uint8_t kek[CRYPTO_KEY128], const uint8_t *key, size_t len,
                         uint8_t *wrapped)
{
    int n = 0;
    if (!wrap_len_valid(len))
        return ERR_RANGE;
    EVP_CIPHER_CTX *c = wrap_begin(kek, 1);
    if (!c || EVP_CipherUpdate(c, wrapped, &n, key, (int)len) != 1 || (size_t)n != len + 8)
        return end(c, ERR_IO);
    return end(c, ERR_OK);
}

enum err crypto_key_unwrap(const uint8_t kek[CRYPTO_KEY128], const uint8_t *wrapped,
                           size_t wrapped_len, uint8_t *key)
{
    uint8_t plain[CRYPTO_WRAP_MAX + 8]; /* OpenSSL may write more than the key before it checks */
    int n = 0;
    if (wrapped_len < 8 || !wrap_len_valid(wrapped_len - 8))
        return ERR_RANGE;
    EVP_CIPHER_CTX *c = wrap_begin(kek, 0);
    if (!c)
        return end(c, ERR_IO);
    bool good = EVP_CipherUpdate(c, plain, &n, wrapped, (int)wrapped_len) == 1 &&
                (size_t)n == wrapped_len - 8;
    if (good)
        memcpy(key, plain, wrapped_len - 8);
    else
        wipe(key, wrapped_len - 8);
    wipe(plain, sizeof plain);
    return end(c, good ? ERR_OK : ERR_TAG);
}
