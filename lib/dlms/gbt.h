/* General block transfer: an APDU of any length as numbered blocks with windows, streaming and
 * recovery of lost blocks. Green Book 9.4.6.13 (general-block-transfer, tag E0).
 *
 *     E0 | control: last 80, streaming 40, window 3F | block number u16 | block number ack u16 |
 *     block data as an octet-string with its length
 *
 * Both sides of an exchange hold one sender and one receiver. They do no I/O, allocate nothing and
 * know no time: who waits for an answer has a timer and says gbt_sender_again().
 *
 *     one with an APDU                             one that takes it
 *     while (gbt_sender_next(&s, ...)) send        gbt_receiver_block -> octets, in order, once
 *     gbt_sender_ack(&s, its word)       <-------  r.answer: gbt_sender_answer() of its own sender
 *
 * A window ends with a block that does not stream; then the other side has the word. Lost blocks
 * are sent again from the first that is missing (go-back-n), so a receiver keeps nothing. A block
 * without data is an acknowledgement alone. It takes a number as every other: an answer's first
 * octets may stand in block 3.
 *
 * Server: on each block gbt_receiver_block, gbt_sender_ack; then, where r.answer, or the answer has
 * begun and the block has no data: its window if the request is complete, else an acknowledgement.
 * Client: gbt_sender_ack until gbt_sender_done or an octet of the answer has come; until then it
 * sends its window, afterwards an acknowledgement where r.answer and neither doubled nor done. Its
 * timer does the same: gbt_sender_again and the window, or the acknowledgement. The last block of
 * an answer is not acknowledged: the client's next request says that it came.
 *
 * Refused: more than 65535 blocks in a direction. */
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
    /* Writes up to size octets of the APDU, at least one unless it is the end; *end true with the
     * last of it. ERR_*: the transfer is aborted. NULL: the store is the APDU itself, whole, and
     * not written to; of 0 octets: this side only acknowledges. */
    enum err (*fill)(void *context, uint8_t *to, size_t size, size_t *n, bool *end);
    uint8_t *store;
    size_t store_size;
    uint16_t block_size; /* octets of data in a block */
    /* read only */
    enum err err; /* why the transfer was aborted: of fill, ERR_RANGE (65535 blocks) */
    /* private */
    uint8_t window; /* of the other side; 0: never wait */
    bool spoken;    /* `told` counts */
    uint16_t told;  /* what the last acknowledgement alone said */
    uint16_t empty; /* blocks up to this were acknowledgements alone */
    uint16_t acked; /* all up to this has arrived */
    uint16_t made;  /* newest block */
    uint32_t next;  /* to be sent next */
    uint32_t stop;  /* last of this window */
    uint16_t last;  /* number of the last block, 0 unknown yet */
    uint16_t last_len;
};
/* Before the first word of an exchange; the fields above "read only" are set. window: of the other
 * side, from its GBT APDU or the configuration, up to 63; 0: unconfirmed (a push), nobody
 * acknowledges, one block of store is enough. ERR_RANGE (sizes: a block of 1 octet at least, a
 * store of one block). */
MUST_CHECK enum err gbt_sender_init(struct gbt_sender *s, uint8_t window);
/* The next block to go out in this window, or false: wait for gbt_sender_ack, or s->err. own_ack
 * and own_window: what this side tells about its receiver. *out views `store` and is good until the
 * next call. */
bool gbt_sender_next(struct gbt_sender *s, uint16_t own_ack, uint8_t own_window,
                     struct gbt_block *out);
/* An acknowledgement alone: own_ack as above. Not between blocks of data. A side whose own APDU
 * went, or that has none, marks it as the last. */
void gbt_sender_answer(struct gbt_sender *s, uint16_t own_ack, uint8_t own_window,
                       struct gbt_block *out);
/* The other side's word, of each of its blocks: it has all up to `ack` and takes `window` more (0:
 * as before). Blocks behind are sent again. Words from before this side's first data change nothing
 * but the window. ERR_RANGE: a number never sent (abort). */
MUST_CHECK enum err gbt_sender_ack(struct gbt_sender *s, uint16_t ack, uint8_t window);
/* No answer came: the window goes again. */
void gbt_sender_again(struct gbt_sender *s);      /* nothing to do where unconfirmed */
bool gbt_sender_done(const struct gbt_sender *s); /* the last block is acknowledged */

/* Receiver: hands on octets in order. */
struct gbt_receiver {
    uint16_t acked; /* last block received in order */
    bool begun;     /* a block with data was among them */
    bool done;      /* the last one was among them */
    bool answer;    /* after gbt_receiver_block: the sender waits for our word: its window is used
                       up, or this was the end */
    bool doubled;   /* the block had come before. A side with a timer need not answer then: two
                       answers would double all blocks to come */
};
void gbt_receiver_init(struct gbt_receiver *r);
/* *data: the octets to append, empty for a block out of order, doubled or without data (no errors).
 * The end is told by `done`. ERR_FORMAT for a block 0 with data. Some send their acknowledgements
 * with numbers that do not count; therefore, as long as none had data, block 1 always begins. */
MUST_CHECK enum err gbt_receiver_block(struct gbt_receiver *r, const struct gbt_block *b,
                                       struct bytes *data);

#endif
