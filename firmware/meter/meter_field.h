/* Octets on the flash for fields of structs: one table says both how they are written and how they
 * are read back. Numbers of one to eight octets, most significant first, in the order of the table;
 * it refuses to know about versions, lengths and checks, which are the caller's. Private to
 * firmware/meter. */
#ifndef FERRARIS_METER_FIELD_H
#define FERRARIS_METER_FIELD_H

#include "lib/base/cursor.h"

struct meter_field {
    uint16_t offset; /* of the first element in the struct */
    uint8_t size;    /* 1, 2, 4, 8 octets in memory, and to the next element; 0: bool */
    uint8_t octets;  /* on the flash; a number that is shorter there is not negative */
};
#define METER_FIELD(type, member, n)                                                               \
    {                                                                                              \
        offsetof(struct type, member), sizeof(((struct type *)0)->member), (n)                     \
    }
#define METER_FIELD_BOOL(type, member)                                                             \
    {                                                                                              \
        offsetof(struct type, member), 0, 1                                                        \
    }
#define METER_N_FIELDS(table) (sizeof(table) / sizeof(table)[0])

struct meter_io { /* one of them is NULL: which way it goes */
    struct wr *w;
    struct rd *r;
};
/* The first element of each of the n fields of the struct at `of`, then the second of each, up to
 * `times`. What cannot be read is 0 and an error of the cursor. */
void meter_fields(const struct meter_io *io, void *of, const struct meter_field *fields, size_t n,
                  size_t times);

#endif
