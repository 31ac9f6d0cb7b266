/* Session tokens: 32 random octets as base64url (43 characters); the store keeps SHA-256 of them.
 */
#ifndef FERRARIS_HEADEND_TOKEN_H
#define FERRARIS_HEADEND_TOKEN_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_TEXT 44 /* with the zero */

MUST_CHECK enum err token_random(uint8_t *to, size_t n); /* ERR_RNG */
MUST_CHECK enum err token_make(char text[TOKEN_TEXT], uint8_t digest[32]);
/* False when it cannot be a token. */
bool token_digest(const char *text, uint8_t digest[32]);
void token_text(const uint8_t octets[32], char text[TOKEN_TEXT]);

#endif
