/* base64url without padding (RFC 4648 section 5): 32 octets are 43 characters, the last of which
 * has two spare bits that must be zero, so that a token has one spelling only. */
#include "headend/keys/token.h"
#include "headend/keys/entropy.h"
#include "lib/base/cursor.h"

#include <openssl/sha.h>
#include <string.h>

#define TOKEN_OCTETS 32

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum err token_random(uint8_t *to, size_t n)
{
    return entropy_fill(to, n);
}

void token_text(const uint8_t octets[32], char text[TOKEN_TEXT])
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < TOKEN_OCTETS; i++) {
        bits = bits << 8 | octets[i];
        n_bits += 8;
        for (; n_bits >= 6; n_bits -= 6)
            text[at++] = alphabet[bits >> (n_bits - 6) & 63];
    }
    text[at++] = alphabet[bits << (6 - n_bits) & 63];
    text[at] = '\0';
}

static bool decode(const char *text, uint8_t octets[TOKEN_OCTETS])
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    size_t at = 0;
    if (strnlen(text, TOKEN_TEXT) != TOKEN_TEXT - 1)
        return false;
    for (size_t i = 0; i < TOKEN_TEXT - 1; i++) {
        const char *c = strchr(alphabet, text[i]);
        if (c == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(c - alphabet);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            octets[at++] = (uint8_t)(bits >> n_bits);
        }
    }
    return (bits & ((1u << n_bits) - 1)) == 0;
}

enum err token_make(char text[TOKEN_TEXT], uint8_t digest[32])
{
    uint8_t octets[TOKEN_OCTETS];
    const enum err err = entropy_fill(octets, sizeof octets);
    if (err)
        return err;
    token_text(octets, text);
    SHA256(octets, sizeof octets, digest);
    wipe(octets, sizeof octets);
    return ERR_OK;
}

bool token_digest(const char *text, uint8_t digest[32])
{
    uint8_t octets[TOKEN_OCTETS];
    const bool good = decode(text, octets);
    if (good)
        SHA256(octets, sizeof octets, digest);
    wipe(octets, sizeof octets);
    return good;
}
