/* Octets from hexadecimal text, for vectors in tests. Not for input from outside: a bad digit
 * fails the test that holds it. */
#ifndef FERRARIS_TESTS_LIB_HEX_H
#define FERRARIS_TESTS_LIB_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline unsigned hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    assert_true(c != '\0' && at != NULL);
    return (unsigned)(at - digits);
}

/* Returns the number of octets; the text ends at '\0', '"' or ':'; spaces are skipped. */
static inline size_t hex_octets(const char *text, uint8_t *out, size_t size)
{
    size_t n = 0;
    while (*text != '\0' && *text != '"' && *text != ':') {
        if (*text == ' ') {
            text++;
            continue;
        }
        assert_true(n < size);
        out[n++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
        text += 2;
    }
    return n;
}

#endif
