/* Long values and parameters by the blocks of SET and ACTION. Green Book 9.4.6.4, 9.4.6.5.
 *
 *     first block (descriptors, octets) -> acknowledged -> block -> ... -> last block -> result
 *
 * The octets are not gathered: they go from the caller's memory, piece by piece, into the block.
 * Pieces of a list: its count, then the values (SET: one piece) or the parameters (ACTION). */
#include "lib/cosem/client_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

static bool is_list(const struct client_task *t)
{
    return t->n > 0 && !t->one_by_one;
}

/* Piece i of the octets, empty behind the last. */
static struct bytes piece_of(const struct client_task *t, uint32_t i)
{
    static const uint8_t nothing = AXDR_NULL;
    if (!is_list(t))
        return i == 0 ? t->values : (struct bytes){0};
    if (i == 0)
        return (struct bytes){&t->count, 1};
    if (t->values.p)
        return i == 1 ? t->values : (struct bytes){0};
    if (i > t->n)
        return (struct bytes){0};
    const struct bytes p = t->attrs[i - 1].parameter;
    return p.len > 0 ? p : (struct bytes){&nothing, 1};
}

static size_t octets_of(const struct client_task *t)
{
    size_t sum = 0;
    for (uint32_t i = 0; piece_of(t, i).len > 0; i++)
        sum += piece_of(t, i).len;
    return sum;
}

/* The next n octets; n <= left. */
static void fill(struct client_task *t, struct wr *w, size_t n)
{
    while (n > 0) {
        const struct bytes p = piece_of(t, t->piece);
        const size_t here = p.len - t->offset < n ? p.len - t->offset : n;
        wr_bytes(w, p.p + t->offset, here);
        n -= here;
        t->left -= here;
        t->offset += here;
        if (t->offset == p.len) {
            t->piece++;
            t->offset = 0;
        }
    }
}

/* Octets that still fit behind what w holds, length octets counted; 0: none. */
static size_t room(const struct cosem_client *c, const struct wr *w)
{
    const size_t most = client_limit(c),
                 around = client_overhead(c, c->buf[CLIENT_PLAIN_AT]) + 1 + 4 + 3;
    const size_t limit = w->len + around < most ? most - w->len - around : 0;
    const size_t here = wr_left(w) > 1 + 4 + 3 ? wr_left(w) - (1 + 4 + 3) : 0;
    return limit < here ? limit : here;
}

/* Behind the head in w: last, number, octets. */
static enum err send_block(struct cosem_client *c, uint64_t now_ms, struct wr *w, uint8_t tag)
{
    struct client_task *t = &c->task;
    const size_t most = w->err ? 0 : room(c, w), n = most < t->left ? most : t->left;
    if (w->err == ERR_BUSY)
        return ERR_BUSY;
    if (n == 0)
        return ERR_FULL;
    t->block++;
    wr_u8(w, n == t->left);
    wr_u32(w, t->block);
    wr_length(w, n);
    fill(t, w, n);
    return client_send(c, now_ms, w, tag == DLMS_SET_REQUEST ? CLIENT_SETTING : CLIENT_ACTING,
                       c->config.security != 0);
}

static void put_head(struct wr *w, uint8_t tag, uint8_t type, uint8_t invoke)
{
    wr_u8(w, tag);
    wr_u8(w, type);
    wr_u8(w, invoke);
}

static void put_descriptor(struct wr *w, uint8_t tag, const struct apdu_attr *attr)
{
    if (tag == DLMS_SET_REQUEST)
        apdu_put_attr(w, attr);
    else
        apdu_put_attr_bare(w, attr);
}

enum err client_write_begin(struct cosem_client *c, uint64_t now_ms, uint8_t tag,
                            const struct apdu_attr *attr)
{
    struct client_task *t = &c->task;
    struct wr w = client_plain_writer(c);
    const bool set = tag == DLMS_SET_REQUEST;
    t->by_blocks = true;
    t->count = (uint8_t)t->n;
    t->block = t->piece = 0;
    t->offset = 0;
    t->left = octets_of(t);
    if (attr) {
        put_head(&w, tag, set ? DLMS_SET_FIRST_BLOCK : DLMS_ACTION_FIRST_BLOCK, 0xC0 | c->invoke);
        put_descriptor(&w, tag, attr);
    } else {
        put_head(&w, tag, set ? DLMS_SET_LIST_FIRST_BLOCK : DLMS_ACTION_LIST_FIRST_BLOCK,
                 0xC0 | c->invoke);
        wr_length(&w, t->n);
        for (uint32_t i = 0; i < t->n; i++)
            put_descriptor(&w, tag, &t->attrs[i]);
    }
    return send_block(c, now_ms, &w, tag);
}

enum err client_write_next(struct cosem_client *c, uint64_t now_ms, uint8_t tag)
{
    struct wr w = client_plain_writer(c);
    put_head(&w, tag, tag == DLMS_SET_REQUEST ? DLMS_SET_BLOCK : DLMS_ACTION_BLOCK,
             0xC0 | c->invoke);
    return send_block(c, now_ms, &w, tag);
}
