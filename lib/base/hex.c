/* See hex.h. */
#include "lib/base/hex.h"

#include <stdint.h>

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hex_decode(const char *text, void *to, size_t n)
{
    uint8_t *octet = to;
    for (size_t i = 0; i < n; i++) {
        const int high = digit_of(text[2 * i]);
        const int low = high < 0 ? -1 : digit_of(text[2 * i + 1]);
        if (low < 0)
            return false;
        octet[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void hex_encode(const void *p, size_t n, char *to)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *octet = p;
    for (size_t i = 0; i < n; i++) {
        to[2 * i] = digits[octet[i] >> 4];
        to[2 * i + 1] = digits[octet[i] & 15];
    }
}
