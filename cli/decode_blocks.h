/* Block transfers put together: general block transfer, and the blocks of GET, SET and ACTION.
 *
 * Only what follows in order is appended. A block that comes again is dropped; one that comes again
 * with other octets begins the transfer anew from there (a sender recovers a lost block this way, a
 * push that was cut is followed by the next). */
#ifndef FERRARIS_CLI_DECODE_BLOCKS_H
#define FERRARIS_CLI_DECODE_BLOCKS_H

#include "cli/decode_octets.h"

#include <jansson.h>

enum blocks_kind {
    BLOCKS_GENERAL,
    BLOCKS_GET,
    BLOCKS_SET,
    BLOCKS_ACTION,       /* the parameter of a request */
    BLOCKS_ACTION_ANSWER /* the return value of a response */
};
#define BLOCKS_OPEN_MAX                                                                            \
    32 /* transfers at once in one conversation; then the oldest is given up                       \
        */

struct blocks_transfer {
    enum blocks_kind kind;
    uint64_t way;
    uint32_t n; /* blocks in order so far */
    struct octets data;
    struct octets ends; /* uint32_t each: where block i ends in data */
    json_t *about;      /* what its first block said: targets; may be NULL */
};
struct decode_blocks { /* all zeros: empty */
    struct blocks_transfer open[BLOCKS_OPEN_MAX];
    unsigned n;
    json_t *lost; /* array of texts: what was given up, for entries of their own; NULL: none */
};

struct blocks_part {
    enum blocks_kind kind;
    uint64_t way;
    uint32_t number; /* from 1 */
    bool last;
    struct bytes data;
    json_t *about; /* stolen; NULL: none */
};
/* The transfer that is whole now (until blocks_done), or NULL. */
struct blocks_transfer *blocks_add(struct decode_blocks *b, const struct blocks_part *part);
void blocks_done(struct decode_blocks *b, struct blocks_transfer *t);
/* Gives up all that are open: general block transfers have their texts in `lost`. */
void blocks_end(struct decode_blocks *b);
void blocks_free(struct decode_blocks *b);

#endif
