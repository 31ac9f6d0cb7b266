/* Cursors: the bound and the first error live here, so codec code is linear and checked once.
 *
 * struct rd reads big-endian values from borrowed memory. The first error sticks with its position;
 * after it every read gives 0 and does not move. struct wr writes the same way; without a buffer
 * (p == NULL) it only counts, so `len` is then the size an encoding needs. Neither owns memory: the
 * caller's buffer must outlive the cursor. */
#ifndef FERRARIS_BASE_CURSOR_H
#define FERRARIS_BASE_CURSOR_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes { /* a borrowed view; never kept after the call that received it */
    const uint8_t *p;
    size_t len;
};

struct rd {
    const uint8_t *p;
    size_t len;     /* octets in p */
    size_t pos;     /* next octet to read, 0..len */
    enum err err;   /* first error, ERR_OK so far */
    size_t err_pos; /* where it happened */
};

struct wr {
    uint8_t *p;   /* NULL: count only */
    size_t size;  /* capacity of p (SIZE_MAX when counting) */
    size_t len;   /* octets used */
    enum err err; /* ERR_FULL once a value did not fit; nothing is written from it on */
};

struct rd rd_of(const void *p, size_t len);
size_t rd_left(const struct rd *r);
void rd_fail(struct rd *r, enum err err); /* records err at the present position, first one wins */
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r);
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
uint64_t rd_uint(struct rd *r, size_t n); /* of n octets, 0..8 */
/* A view of the next n octets (p NULL, len 0 on error). */
struct bytes rd_bytes(struct rd *r, size_t n);
void rd_copy(struct rd *r, void *to, size_t n); /* zero-fills `to` on error */
/* Reads a length as A-XDR and BER write it: < 0x80 short, 0x81..0x84 long forms, not necessarily
 * the shortest; ERR_FORMAT otherwise. The value is not compared with what is left: rd_bytes() does.
 */
size_t rd_length(struct rd *r);

struct wr wr_of(void *p, size_t size);
struct wr wr_counter(void);
size_t wr_left(const struct wr *w);
void wr_fail(struct wr *w, enum err err);
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_uint(struct wr *w, uint64_t v, size_t n); /* its n low octets, 0..8 */
void wr_bytes(struct wr *w, const void *p, size_t n);
/* Shortest form of rd_length(); ERR_RANGE above 2^32 - 1. */
void wr_length(struct wr *w, size_t n);

/* a == b without a timing difference over n octets. */
bool ct_equal(const void *a, const void *b, size_t n);
/* Overwrites a secret in a way the compiler keeps. */
void wipe(void *p, size_t n);

#endif
