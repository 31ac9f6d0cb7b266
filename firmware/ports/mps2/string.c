/* memcpy, memmove, memset, memcmp, memchr, strlen: the functions of <string.h> that the library
 * calls and the compiler may call, octet by octet. newlib has faster ones that take 1 KiB more; a
 * meter's copies are a PDU long. The file is compiled without link-time optimisation and without
 * the compiler's knowledge of these names (-ffreestanding), or a loop here would become a call of
 * itself. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *in, int value, size_t n);
size_t strlen(const char *text);

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;
    if (t <= f) {
        while (n-- > 0)
            *t++ = *f++;
    } else {
        while (n-- > 0)
            t[n] = f[n];
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    return memmove(to, from, n);
}

void *memset(void *to, int value, size_t n)
{
    uint8_t *t = to;
    while (n-- > 0)
        *t++ = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *p = a, *q = b;
    for (; n > 0; n--, p++, q++) {
        if (*p != *q)
            return *p - *q;
    }
    return 0;
}

void *memchr(const void *in, int value, size_t n)
{
    const uint8_t *p = in;
    for (; n > 0; n--, p++) {
        if (*p == (uint8_t)value)
            return (void *)(uintptr_t)p;
    }
    return NULL;
}

size_t strlen(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0')
        n++;
    return n;
}
