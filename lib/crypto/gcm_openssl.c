/* GCM of crypto.h by OpenSSL 3, for hosts that are no x86-64; and for tests, as a second opinion.
 *
 * A crypto_gcm owns one context, made when its first key is set; a message only sets the IV anew.
 * That costs 0.3 us whatever the length, three times what the instructions themselves take
 * (hardware.c). */
#define ERR_STATE openssl_err_state /* OpenSSL has a type of the name of one of our errors */
#include <openssl/err.h>
#include <openssl/evp.h>
#undef ERR_STATE

#include "lib/crypto/crypto.h"

#include <string.h>

enum phase { IDLE, ADDITIONAL, TEXT };

static bool tag_len_valid(size_t tag_len)
{
    return tag_len >= CRYPTO_GCM_TAG_MIN && tag_len <= CRYPTO_GCM_TAG_MAX;
}

/* After a failure: nothing is left in the thread's error queue. */
static enum err failed(enum err err)
{
    ERR_clear_error();
    return err;
}

enum err crypto_gcm_key(struct crypto_gcm *g, const uint8_t key[CRYPTO_KEY128])
{
    g->phase = IDLE;
    if (g->ready && ct_equal(g->key, key, sizeof g->key))
        return ERR_OK;
    g->ready = false;
    if (!g->u.backend)
        g->u.backend = EVP_CIPHER_CTX_new();
    if (!g->u.backend)
        return failed(ERR_MEMORY);
    if (EVP_EncryptInit_ex(g->u.backend, EVP_aes_128_gcm(), NULL, key, NULL) != 1)
        return failed(ERR_IO);
    memcpy(g->key, key, sizeof g->key);
    g->ready = true;
    return ERR_OK;
}

void crypto_gcm_end(struct crypto_gcm *g)
{
    EVP_CIPHER_CTX_free(g->u.backend);
    wipe(g, sizeof *g);
}

static bool add(EVP_CIPHER_CTX *c, const uint8_t *aad, size_t len)
{
    int n;
    return len == 0 ||
           (len <= CRYPTO_TEXT_MAX && EVP_CipherUpdate(c, NULL, &n, aad, (int)len) == 1);
}

/* A new message; `enc` as OpenSSL has it. */
static bool start(struct crypto_gcm *g, int enc, const uint8_t iv[CRYPTO_GCM_IV],
                  const struct bytes *aad, size_t n_aad)
{
    if (EVP_CipherInit_ex(g->u.backend, NULL, NULL, NULL, iv, enc) != 1)
        return false;
    for (size_t i = 0; i < n_aad; i++) {
        if (!add(g->u.backend, aad[i].p, aad[i].len))
            return false;
    }
    return true;
}

enum err crypto_gcm_begin(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                          const struct bytes *aad, size_t n_aad)
{
    if (!g->ready)
        return ERR_KEY;
    g->phase = IDLE;
    if (!start(g, 1, iv, aad, n_aad))
        return failed(ERR_IO);
    g->phase = ADDITIONAL;
    return ERR_OK;
}

enum err crypto_gcm_auth_part(struct crypto_gcm *g, const uint8_t *aad, size_t len)
{
    if (g->phase != ADDITIONAL)
        return ERR_STATE;
    return add(g->u.backend, aad, len) ? ERR_OK : failed(ERR_IO);
}

enum err crypto_gcm_seal_part(struct crypto_gcm *g, uint8_t *text, size_t len)
{
    int n;
    if (g->phase == IDLE)
        return ERR_STATE;
    if (len > CRYPTO_TEXT_MAX)
        return ERR_RANGE;
    g->phase = TEXT;
    if (len > 0 && EVP_CipherUpdate(g->u.backend, text, &n, text, (int)len) != 1)
        return failed(ERR_IO);
    return ERR_OK;
}

enum err crypto_gcm_finish(struct crypto_gcm *g, uint8_t *tag, size_t tag_len)
{
    uint8_t rest[CRYPTO_GCM_TAG_MAX];
    int n;
    if (g->phase == IDLE)
        return ERR_STATE;
    if (!tag_len_valid(tag_len))
        return ERR_RANGE;
    g->phase = IDLE;
    if (EVP_CipherFinal_ex(g->u.backend, rest, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(g->u.backend, EVP_CTRL_AEAD_GET_TAG, (int)tag_len, tag) != 1)
        return failed(ERR_IO);
    return ERR_OK;
}

enum err crypto_gcm_seal_with(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV],
                              const struct bytes *aad, size_t n_aad, uint8_t *text, size_t len,
                              uint8_t *tag, size_t tag_len)
{
    if (!tag_len_valid(tag_len) || len > CRYPTO_TEXT_MAX)
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
    uint8_t given[CRYPTO_GCM_TAG_MAX];
    int n;
    if (!tag_len_valid(tag_len) || len > CRYPTO_TEXT_MAX)
        return ERR_RANGE;
    if (!g->ready)
        return ERR_KEY;
    g->phase = IDLE;
    memcpy(given, tag, tag_len); /* the control call takes no const */
    bool done =
        start(g, 0, iv, aad, n_aad) &&
        EVP_CIPHER_CTX_ctrl(g->u.backend, EVP_CTRL_AEAD_SET_TAG, (int)tag_len, given) == 1 &&
        (len == 0 || EVP_CipherUpdate(g->u.backend, text, &n, text, (int)len) == 1);
    bool good = done && EVP_CipherFinal_ex(g->u.backend, given, &n) == 1;
    if (good)
        return ERR_OK;
    wipe(text, len);
    return failed(done ? ERR_TAG : ERR_IO);
}

/* Counter mode is the same both ways; no tag is made or asked for. */
enum err crypto_gcm_crypt_with(struct crypto_gcm *g, const uint8_t iv[CRYPTO_GCM_IV], uint8_t *text,
                               size_t len)
{
    if (len > CRYPTO_TEXT_MAX)
        return ERR_RANGE;
    enum err err = crypto_gcm_begin(g, iv, NULL, 0);
    if (!err)
        err = crypto_gcm_seal_part(g, text, len);
    g->phase = IDLE;
    return err;
}
