/* A buffer of octets that grows. Ends the program when memory is used up: a decoder that went on
 * would lose what it was given. */
#ifndef FERRARIS_CLI_DECODE_OCTETS_H
#define FERRARIS_CLI_DECODE_OCTETS_H

#include "lib/base/cursor.h"

struct octets { /* all zeros: empty */
    uint8_t *p;
    size_t len, size;
};
void octets_add(struct octets *o, const void *p, size_t n);
void octets_drop(struct octets *o, size_t n); /* the first n */
void octets_cut(struct octets *o, size_t len);
void octets_free(struct octets *o); /* empty again */

#endif
