/* GCM: counter mode in pairs of blocks, GHASH over what was ciphered. It does not compare tags.
 *
 * The pair of the first AES call is J0, which masks the tag, and the first block of keystream: a
 * short APDU costs one call. */
#include "lib/crypto/gcm128.h"

#include "lib/crypto/hardware.h"

#include <string.h>

/* The last 32 bits count, modulo 2^32 (SP 800-38D 6.2). */
static void count_up(uint8_t block[AES_BLOCK])
{
    unsigned carry = 1;
    for (unsigned i = AES_BLOCK; i > AES_BLOCK - 4; i--) {
        carry += block[i - 1];
        block[i - 1] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* Keystream of the counter as it stands and of the next one. */
static void make_stream(struct gcm128 *g)
{
    memcpy(g->stream, g->counter, AES_BLOCK);
    count_up(g->counter);
    memcpy(g->stream + AES_BLOCK, g->counter, AES_BLOCK);
    aes128_encrypt2(&g->aes, g->stream);
    g->n_used = 0;
}

void gcm128_key(struct gcm128 *g, const uint8_t key[16])
{
    memset(g, 0, sizeof *g);
    aes128_init(&g->aes, key);
    aes128_encrypt2(&g->aes, g->stream);
    ghash_key(&g->ghash, g->stream);
}

void gcm128_begin(struct gcm128 *g, const uint8_t j0[AES_BLOCK])
{
    ghash_begin(&g->ghash);
    g->aad_len = g->text_len = 0;
    memcpy(g->counter, j0, AES_BLOCK);
    make_stream(g);
    memcpy(g->tag_mask, g->stream, AES_BLOCK);
    g->n_used = AES_BLOCK;
}

void gcm128_aad(struct gcm128 *g, const uint8_t *p, size_t len)
{
    g->aad_len += len;
    ghash_update(&g->ghash, p, len);
}

/* Groups of four blocks, where the processor can and the stream is used up; gives the octets done.
 */
static size_t crypt_quads(struct gcm128 *g, uint8_t *text, size_t len)
{
    if (!CRYPTO_HARDWARE || !g->aes.hardware || g->n_used != sizeof g->stream)
        return 0;
    const size_t quads = len / (4 * AES_BLOCK);
    if (quads > 0)
        hardware_ctr(&g->aes, g->counter, text, quads);
    return quads * (4 * AES_BLOCK);
}

void gcm128_crypt(struct gcm128 *g, uint8_t *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        const size_t done = crypt_quads(g, text + at, len - at);
        at += done;
        if (done > 0)
            continue;
        if (g->n_used == sizeof g->stream) {
            count_up(g->counter);
            make_stream(g);
        }
        text[at++] ^= g->stream[g->n_used++];
    }
}

void gcm128_hash(struct gcm128 *g, const uint8_t *text, size_t len)
{
    if (g->text_len == 0)
        ghash_pad(&g->ghash); /* the additional data ends here */
    g->text_len += len;
    ghash_update(&g->ghash, text, len);
}

void gcm128_tag(struct gcm128 *g, uint8_t tag[AES_BLOCK])
{
    ghash_lengths(&g->ghash, g->aad_len, g->text_len);
    for (unsigned i = 0; i < AES_BLOCK; i++)
        tag[i] = g->ghash.y[i] ^ g->tag_mask[i];
}
