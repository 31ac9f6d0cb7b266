/* Octets as hexadecimal digits: keys in files and tables, tags in names. */
#ifndef FERRARIS_HEX_H
#define FERRARIS_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* n octets from 2 n digits of either case at text; what follows them is not looked at. False: one
 * of them is none (the end of a terminated text is none), *to is half filled. */
bool hex_decode(const char *text, void *to, size_t n);
/* 2 n small digits into `to`, which is not terminated. */
void hex_encode(const void *p, size_t n, char *to);

#endif
