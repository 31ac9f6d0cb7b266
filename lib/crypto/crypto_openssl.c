/* Digests and key wrapping of crypto.h by OpenSSL 3, for hosts.
 *
 * Each call makes and frees its own context, so threads and instances never meet, and a context's
 * key is cleansed by OpenSSL when freed. It knows suite 0 only. GCM on hosts: crypto_gcm.c, or
 * gcm_openssl.c where the processor is not an x86-64. */
#define ERR_STATE openssl_err_state /* OpenSSL has a type of the name of one of our errors */
#include <openssl/err.h>
#include <openssl/evp.h>
#undef ERR_STATE

#include "lib/crypto/crypto.h"

#include <string.h>

/* After a failure: nothing is left in the thread's error queue. */
static enum err failed(enum err err)
{
    ERR_clear_error();
    return err;
}

/* Frees the context. */
static enum err end(EVP_CIPHER_CTX *c, enum err err)
{
    EVP_CIPHER_CTX_free(c);
    return err == ERR_OK ? ERR_OK : failed(err);
}

static const EVP_MD *digest_of(enum crypto_hash hash)
{
    switch (hash) {
#ifdef CRYPTO_WITH_WEAK_HASH
    case CRYPTO_MD5:
        return EVP_md5();
    case CRYPTO_SHA1:
        return EVP_sha1();
#endif
    case CRYPTO_SHA256:
        return EVP_sha256();
    default:
        return NULL;
    }
}

enum err crypto_digest(enum crypto_hash hash, const struct bytes *parts, size_t n_parts,
                       uint8_t *out)
{
    const EVP_MD *md = digest_of(hash);
    if (!md)
        return ERR_UNSUPPORTED;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool good = c && EVP_DigestInit_ex(c, md, NULL) == 1;
    for (size_t i = 0; i < n_parts && good; i++)
        good = parts[i].len == 0 || EVP_DigestUpdate(c, parts[i].p, parts[i].len) == 1;
    good = good && EVP_DigestFinal_ex(c, out, NULL) == 1;
    EVP_MD_CTX_free(c);
    return good ? ERR_OK : failed(ERR_IO);
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
