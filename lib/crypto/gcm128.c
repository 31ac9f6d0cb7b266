/* GCM: counter mode in pairs of blocks, GHASH over what was ciphered. It does not compare tags. */
#include "lib/crypto/gcm128.h"

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

void gcm128_init(struct gcm128 *g, const uint8_t key[16], const uint8_t j0[AES_BLOCK])
{
    uint8_t blocks[2 * AES_BLOCK] = {0}; /* hash key and tag mask in one go */
    memcpy(blocks + AES_BLOCK, j0, AES_BLOCK);
    memcpy(g->counter, j0, AES_BLOCK);
    aes128_init(&g->aes, key);
    aes128_encrypt2(&g->aes, blocks);
    ghash_init(&g->ghash, blocks);
    memcpy(g->tag_mask, blocks + AES_BLOCK, AES_BLOCK);
    wipe(blocks, sizeof blocks);
}

void gcm128_crypt(struct gcm128 *g, uint8_t *text, size_t len)
{
    uint8_t stream[2 * AES_BLOCK];
    for (size_t at = 0; at < len; at += sizeof stream) {
        size_t n = len - at < sizeof stream ? len - at : sizeof stream;
        count_up(g->counter);
        memcpy(stream, g->counter, AES_BLOCK);
        count_up(g->counter);
        memcpy(stream + AES_BLOCK, g->counter, AES_BLOCK);
        aes128_encrypt2(&g->aes, stream);
        for (size_t i = 0; i < n; i++)
            text[at + i] ^= stream[i];
    }
    wipe(stream, sizeof stream);
}

void gcm128_tag(struct gcm128 *g, const struct bytes *aad, size_t n_aad, struct bytes text,
                uint8_t tag[AES_BLOCK])
{
    uint64_t aad_len = 0;
    for (size_t i = 0; i < n_aad; i++) {
        ghash_update(&g->ghash, aad[i].p, aad[i].len);
        aad_len += aad[i].len;
    }
    ghash_pad(&g->ghash);
    ghash_update(&g->ghash, text.p, text.len);
    ghash_lengths(&g->ghash, aad_len, text.len);
    for (unsigned i = 0; i < AES_BLOCK; i++)
        tag[i] = g->ghash.y[i] ^ g->tag_mask[i];
}
