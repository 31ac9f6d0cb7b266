/* See utf8.h. The first octet tells the length; only the second can still make the whole overlong,
 * a surrogate, or too great. */
#include "lib/base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static size_t length_of(uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

size_t utf8_sequence(const void *p, size_t n)
{
    const uint8_t *c = p;
    const size_t len = length_of(c[0]);
    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((c[i] & 0xC0) != 0x80)
            return 0;
    const bool overlong = (c[0] == 0xE0 && c[1] < 0xA0) || (c[0] == 0xF0 && c[1] < 0x90);
    const bool outside = (c[0] == 0xED && c[1] > 0x9F) || (c[0] == 0xF4 && c[1] > 0x8F);
    return overlong || outside ? 0 : len;
}
