/* General block transfer: an APDU of any length as numbered blocks with windows, streaming and
 * recovery of lost blocks. Green Book 9.4.6.13 (general-block-transfer, tag E0).
 *
 *     E0 | control: last 80, streaming 40, window 3F | block number u16 | block number ack u16 |
 *     block data as an octet-string with its length
 *
 * One engine for each direction of one exchange; both sides of a dialogue use the same code. It
 * does no I/O and allocates nothing. */
#ifndef FERRARIS_DLMS_GBT_H
#define FERRARIS_DLMS_GBT_H

#include "lib/base/cursor.h"

#define GBT_HEAD_MAX   9 /* tag, control, numbers 2 + 2, length up to 3 */
#define GBT_LAST       0x80u
#define GBT_STREAMING  0x40u
#define GBT_WINDOW     0x3Fu
#define GBT_WINDOW_MAX 63

struct gbt_block { /* one general-block-transfer APDU */
    bool last, streaming;
    uint8_t window;  /* blocks the sender of this APDU is ready to receive in a row */
    uint16_t number; /* of this block, from 1 */
    uint16_t ack;    /* last block received in order from the other side, 0 none */
    struct bytes data;
};
void gbt_get(struct rd *r, struct gbt_block *out); /* whole APDU; errors stick in r */
void gbt_put(struct wr *w, const struct gbt_block *b);

/* Sender. Octets come from `fill` in order, each once; what is not yet acknowledged is kept in
 * `store`, so a lost block is sent again without being generated twice. The window towards the
 * other side is the smaller of theirs and store_size / block_size. */
struct gbt_sender {
    void *context;
    /* Writes up to size octets of the APDU; *end true with the last of it. ERR_*: the transfer is
     * aborted. */
    enum err (*fill)(void *context, uint8_t *to, size_t size, size_t *n, bool *end);
    uint8_t *store;
    size_t store_size;
    uint16_t block_size; /* octets of data in a block */
    /* private */
    uint16_t first, next, acked; /* oldest block kept; next to be sent; last acknowledged */
    uint16_t last;               /* number of the last block, 0 unknown yet */
    uint8_t window;              /* of the other side */
    uint16_t last_len;
    bool done, failed;
};
/* window: of the other side, from its GBT APDU or the configuration, 1..63. ERR_RANGE (sizes). */
MUST_CHECK enum err gbt_sender_init(struct gbt_sender *s, uint8_t window);
/* The next block to go out in this window, or false: wait for gbt_sender_ack. own_ack and
 * own_window: what this side tells about its receiver. *out views `store`. */
bool gbt_sender_next(struct gbt_sender *s, uint16_t own_ack, uint8_t own_window,
                     struct gbt_block *out);
/* The other side's word: it has all up to `ack` and takes `window` more. Blocks behind are sent
 * again. ERR_RANGE: a number never sent (abort). */
MUST_CHECK enum err gbt_sender_ack(struct gbt_sender *s, uint16_t ack, uint8_t window);
bool gbt_sender_done(const struct gbt_sender *s); /* the last block is acknowledged */

/* Receiver: hands on octets in order. */
struct gbt_receiver {
    uint16_t acked; /* last block received in order */
    bool done;      /* the last one was among them */
    bool answer;    /* the sender waits for our word (its window is used up, or the end) */
};
void gbt_receiver_init(struct gbt_receiver *r);
/* *data: the octets to append, empty for a block out of order or doubled (not an error). ERR_FORMAT
 * for a block 0. */
MUST_CHECK enum err gbt_receiver_block(struct gbt_receiver *r, const struct gbt_block *b,
                                       struct bytes *data);

#endif
