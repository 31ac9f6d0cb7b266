/* The portable backend of crypto.h: for targets without OpenSSL, constant time, no heap.
 *
 * GCM is in crypto_gcm.c. It knows suite 0 only. */
#include "lib/crypto/crypto.h"

#include "lib/crypto/aes128.h"
#include "lib/crypto/sha256.h"

#include <string.h>

#ifdef CRYPTO_WITH_WEAK_HASH
#error "MD5 and SHA-1 are in the OpenSSL backend only"
#endif

#define WRAP_UNIT 8    /* octets of an RFC 3394 register */
#define WRAP_IV   0xA6 /* each octet of the initial value, RFC 3394 2.2.3.1 */

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
    aes128_init_planes(&aes, kek);
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
