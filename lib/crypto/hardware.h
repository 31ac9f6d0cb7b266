/* AES and carry-less multiplication by the instructions of x86-64, asked for at run time. Private
 * to aes128.c and ghash.c, which do the same without where `crypto_hardware` is false. Constant
 * time by nature. A build with CRYPTO_NO_HARDWARE, or for another machine, has none of it. */
#ifndef FERRARIS_CRYPTO_HARDWARE_H
#define FERRARIS_CRYPTO_HARDWARE_H

#include "lib/crypto/aes128.h"
#include "lib/crypto/ghash.h"

#include <stdbool.h>

#if defined(__x86_64__) && !defined(CRYPTO_NO_HARDWARE)
#define CRYPTO_HARDWARE 1
#else
#define CRYPTO_HARDWARE 0
#endif

bool crypto_hardware(void);
/* Round keys lie as octets in aes->round_key. */
void hardware_aes_init(struct aes128 *aes, const uint8_t key[16]);
void hardware_aes_encrypt2(const struct aes128 *aes, uint8_t blocks[2 * AES_BLOCK]);
/* Adds keystream to n_quads times four blocks of text; counter: of the last block used, counts on.
 */
void hardware_ctr(const struct aes128 *aes, uint8_t counter[AES_BLOCK], uint8_t *text,
                  size_t n_quads);
/* g->h_high, g->h_low hold h * x, see hardware.c. */
void hardware_ghash_key(struct ghash *g);
void hardware_ghash(struct ghash *g, const uint8_t *p, size_t n_blocks); /* y = (y ^ block) * h */

#endif
