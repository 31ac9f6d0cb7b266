/* Walks an A-XDR value that arrives in pieces and hands on its parts, in fixed memory.
 *
 * A long answer (object list, profile) comes block by block; a block ends anywhere, also inside a
 * number. The walk keeps one simple value at a time and says of each part where it stands. Compact
 * arrays are refused. What the parts mean is for the receiver. Green Book, A-XDR (IEC 61334-6). */
#ifndef FERRARIS_COSEM_VALUE_WALK_H
#define FERRARIS_COSEM_VALUE_WALK_H

#include "lib/dlms/axdr.h"

#define VALUE_WALK_CONTENT_MAX 64 /* octets of one simple value that are kept */

struct value_part {
    uint8_t depth; /* containers around it; 0: the value itself */
    uint8_t tag;   /* AXDR_* */
    bool end;      /* an array or structure ends: it has been handed on before, when it began */
    uint32_t n;    /* elements; bits of a bit-string; octets of another simple value */
    /* index[d]: its place, from 0, in the container of depth d around it; d < depth */
    const uint32_t *index;
    /* of a simple value, at most its first VALUE_WALK_CONTENT_MAX octets; borrowed for the call */
    struct bytes content;
};

struct value_walk_sink {
    void *context;
    /* An error ends the walk and is given to its caller. */
    enum err (*part)(void *context, const struct value_part *part);
};

struct value_walk { /* private */
    enum err err;
    uint8_t state, tag, depth;
    uint8_t length_octets; /* of the length still to come */
    uint8_t n_content;
    uint32_t length, left; /* left: octets of content still to come */
    uint8_t kind[AXDR_DEPTH_MAX];
    uint32_t count[AXDR_DEPTH_MAX], index[AXDR_DEPTH_MAX];
    uint8_t content[VALUE_WALK_CONTENT_MAX];
};

void value_walk_init(struct value_walk *w);
/* Sticky errors: ERR_FORMAT (unknown tag, length, octets behind the end), ERR_DEPTH,
 * ERR_UNSUPPORTED (compact array), or what the sink gave. */
MUST_CHECK enum err value_walk_feed(struct value_walk *w, struct bytes part,
                                    const struct value_walk_sink *sink);
/* The whole value has come, without an error. */
bool value_walk_complete(const struct value_walk *w);

/* An integer, enum or BCD as 64 bits. False: another type, or above INT64_MAX. */
bool value_part_int(const struct value_part *part, int64_t *out);

#endif
