/* A-XDR values as typed JSON, as far as they can be read.
 *
 * Like value_tree() of client_value.h, but for what comes from the field: a value that ends early
 * or is wrong somewhere still gives all before that place; a compact-array is unfolded; and where
 * strict reading fails, attribute descriptors without a tag in front are understood (class, logical
 * name, attribute as bare octets in a structure: seen in pushes of Czech meters). */
#ifndef FERRARIS_CLI_DECODE_TREE_H
#define FERRARIS_CLI_DECODE_TREE_H

#include "lib/dlms/axdr.h"

#include <jansson.h>

/* Nodes of one value; what has more is refused (ERR_FULL), for a compact-array unfolds to far more
 * than its octets. */
#define TREE_NODES_MAX (1u << 20)

/* The next value of r. Errors stick in r, as do their places; the tree is what came before, NULL
 * where nothing did. The caller owns it. */
json_t *tree_read(struct rd *r);
/* Reads past what tree_read would read, without a tree. */
void tree_skip(struct rd *r);

#endif
