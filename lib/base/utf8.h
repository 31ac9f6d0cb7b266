/* UTF-8 as RFC 3629 and table 3-7 of Unicode 15 have it: shortest forms, no surrogates, nothing
 * beyond U+10FFFF. What a character means (control, letter) is for the caller. */
#ifndef FERRARIS_UTF8_H
#define FERRARIS_UTF8_H

#include <stddef.h>

/* Octets of the character that begins at p, of which n >= 1 may be read; 0: none begins there, or
 * it is cut off. */
size_t utf8_sequence(const void *p, size_t n);

#endif
