/* Requests and answers by general block transfer: the client's side of lib/dlms/gbt.h.
 *
 * The request is protected as a whole and cut into blocks, the answer put together and then opened
 * as a whole: what reaches the sink was checked. So both need memory for their whole length, the
 * caller's gbt_buffer or a part of buf:
 *
 *     request under way   | request ...            | block going out | frame coming in |
 *     answer under way    | answer so far ...              | frame coming in           |
 *
 * Frames come into buf with the built-in link only. Whoever answers a plain request by general
 * blocks, or pushes so, is followed, whether or not it was agreed. Refused: general blocks within
 * general blocks. */
#include "lib/cosem/client_parts.h"

#include <string.h>

#define BUF_SIZE   (sizeof((struct cosem_client *)0)->buf)
#define REQUEST_AT 0
#define OUT_AT     (BUF_SIZE - 2 * IN_SIZE)
#define IN_SIZE    (COSEM_CLIENT_BLOCK_MAX + 8)
#define MAX_TRIES  3
/* A window sent again after each loss, as often as that is tried, and some more: then the meter
 * only talks. Without a bound its words would put the end off for ever. */
#define MAX_IDLE (4 * GBT_WINDOW_MAX)

static bool has_buffer(const struct cosem_client *c)
{
    return c->config.gbt_buffer != NULL;
}

static bool is_own_link(const struct cosem_client *c)
{
    return c->link == &c->own.link;
}

/* Where the next frame goes, with the built-in link. */
static void put_frames_at(struct cosem_client *c, size_t at)
{
    if (is_own_link(c) && c->own.rx.buf != c->buf + at)
        wrapper_reset(&c->own.rx, c->buf + at, sizeof c->buf - at);
}

size_t client_gbt_max_pdu(const struct cosem_client_config *k)
{
    return k->gbt_window > 0 && !k->gbt_buffer ? COSEM_CLIENT_BLOCK_MAX : COSEM_CLIENT_PDU_MAX;
}

void client_gbt_end(struct cosem_client *c)
{
    c->gbt.active = c->gbt.to_say = false;
    put_frames_at(c, 0);
}

bool client_gbt_possible(const struct cosem_client *c, size_t len)
{
    const size_t most = has_buffer(c) ? c->config.gbt_size : OUT_AT - REQUEST_AT - CLIENT_PLAIN_AT;
    return c->config.gbt_window > 0 && (c->conformance & DLMS_CONF_GENERAL_BLOCK) != 0 &&
           len <= most && client_limit(c) > GBT_HEAD_MAX;
}

/* A new exchange; of a request of `len` octets at `store`, or of an answer alone. */
static enum err begin(struct cosem_client *c, uint8_t *store, size_t len, size_t block_size)
{
    struct client_gbt *g = &c->gbt;
    memset(g, 0, sizeof *g);
    g->tx.store = store;
    g->tx.store_size = len;
    g->tx.block_size = (uint16_t)(block_size < UINT16_MAX ? block_size : UINT16_MAX);
    gbt_receiver_init(&g->rx);
    g->join = has_buffer(c) ? c->config.gbt_buffer : c->buf;
    g->join_size = has_buffer(c)    ? c->config.gbt_size
                   : is_own_link(c) ? sizeof c->buf - IN_SIZE
                                    : sizeof c->buf;
    g->active = true;
    return gbt_sender_init(&g->tx, 1); /* the meter tells its window with its first word */
}

/* Where a block is written that goes out, and for how many octets. */
static struct wr out_writer(struct cosem_client *c)
{
    return has_buffer(c) ? wr_of(c->buf, sizeof c->buf) : wr_of(c->buf + OUT_AT, IN_SIZE);
}

/* The answer has begun, or is owed: only acknowledgements go out. */
static bool listens(const struct client_gbt *g)
{
    return g->rx.begun || g->tx.store_size == 0 || gbt_sender_done(&g->tx);
}

static uint8_t own_window(const struct cosem_client *c)
{
    return c->config.gbt_window > 0 ? c->config.gbt_window : 1;
}

void client_gbt_await(struct cosem_client *c)
{
    const uint32_t third = (c->config.timeout_ms + MAX_TRIES - 1) / MAX_TRIES;
    if (c->state != CLIENT_READY && c->state != CLIENT_CLOSED)
        client_await(c, c->now_ms, third);
}

/* An acknowledgement, sent by the next step. */
static void say(struct cosem_client *c)
{
    struct client_gbt *g = &c->gbt;
    struct gbt_block b;
    if (dlms_link_sending(c->link)) /* the last one has not even left */
        return;
    gbt_sender_answer(&g->tx, g->rx.acked, own_window(c), &b);
    struct wr w = wr_of(g->word, sizeof g->word);
    gbt_put(&w, &b);
    g->to_say = true;
}

/* What goes out now, if anything does and the link is free. *sent: something did. */
static enum err send_next(struct cosem_client *c, bool *sent)
{
    struct client_gbt *g = &c->gbt;
    struct gbt_block b;
    *sent = false;
    if (!g->active || dlms_link_sending(c->link))
        return ERR_OK;
    enum err err = ERR_OK;
    if (g->to_say) {
        g->to_say = false;
        *sent = true;
        err = client_transmit(c, g->word, GBT_HEAD_MAX - 2); /* a length of one octet: 0 */
    } else if (!listens(g) && gbt_sender_next(&g->tx, g->rx.acked, own_window(c), &b)) {
        struct wr w = out_writer(c);
        gbt_put(&w, &b);
        *sent = true;
        err = w.err ? w.err : client_transmit(c, w.p, w.len);
    }
    return err;
}

bool client_gbt_step(struct cosem_client *c)
{
    bool sent;
    if (c->state == CLIENT_FAILED)
        return false;
    const enum err err = send_next(c, &sent);
    if (err)
        client_fail(c, err, CLIENT_WHY_LOCAL, 0);
    else if (sent)
        client_gbt_await(c);
    return sent;
}

enum err client_gbt_begin(struct cosem_client *c, uint64_t now_ms, size_t at, size_t len)
{
    uint8_t *store = c->buf + at;
    const size_t room = out_writer(c).size, limit = client_limit(c);
    if (has_buffer(c)) {
        memcpy(c->config.gbt_buffer, store, len);
        store = c->config.gbt_buffer;
    }
    bool sent;
    enum err err = begin(c, store, len, (room < limit ? room : limit) - GBT_HEAD_MAX);
    if (!err && !has_buffer(c))
        put_frames_at(c, OUT_AT + IN_SIZE);
    c->now_ms = now_ms;
    if (!err)
        err = send_next(c, &sent);
    if (err)
        client_gbt_end(c);
    return err;
}

bool client_gbt_again(struct cosem_client *c, uint64_t now_ms)
{
    struct client_gbt *g = &c->gbt;
    if (!g->active || ++g->tries == MAX_TRIES)
        return false;
    c->now_ms = now_ms;
    if (listens(g))
        say(c);
    else
        gbt_sender_again(&g->tx);
    client_gbt_await(c);
    return true;
}

/* Octets of the answer. `data` may lie in buf, behind what was joined. */
static bool join(struct cosem_client *c, struct bytes data)
{
    struct client_gbt *g = &c->gbt;
    if (data.len > g->join_size - g->join_len) {
        client_fail(c, ERR_FULL, CLIENT_WHY_LONG, 0);
        return false;
    }
    if (data.len > 0)
        memmove(g->join + g->join_len, data.p, data.len);
    g->join_len += data.len;
    if (g->rx.begun && !has_buffer(c))
        put_frames_at(c, g->join_len);
    return true;
}

/* The APDU is complete; blocks within blocks are refused. */
static bool end(struct cosem_client *c, uint8_t **apdu, size_t *len)
{
    const struct client_gbt *g = &c->gbt;
    *apdu = g->join;
    *len = g->join_len;
    client_gbt_end(c);
    if (*len > 0 && (*apdu)[0] == DLMS_GENERAL_BLOCK)
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, DLMS_GENERAL_BLOCK);
    return c->state != CLIENT_FAILED;
}

/* A push begins anew with its block 1; while an answer is awaited, that is a doubled one. */
static bool begins(const struct cosem_client *c, const struct gbt_block *b)
{
    return !c->gbt.active || (!cosem_client_waiting(c) && b->number == 1);
}

bool client_gbt_on_block(struct cosem_client *c, uint8_t **apdu, size_t *len)
{
    struct client_gbt *g = &c->gbt;
    struct gbt_block b;
    struct bytes data;
    struct rd r = rd_of(*apdu, *len);
    gbt_get(&r, &b);
    if (r.err) {
        client_fail(c, r.err, CLIENT_WHY_APDU, (uint32_t)r.err_pos);
        return false;
    }
    const bool first = begins(c, &b);
    enum err err = first ? begin(c, NULL, 0, 0) : ERR_OK;
    const uint16_t acked = g->tx.acked;
    if (!err)
        err = gbt_receiver_block(&g->rx, &b, &data);
    if (!err && !listens(g))
        err = gbt_sender_ack(&g->tx, b.ack, b.window);
    if (err) {
        client_fail(c, err, CLIENT_WHY_BLOCK, b.number);
        return false;
    }
    if (first || data.len > 0 || g->tx.acked != acked) {
        g->tries = g->idle = 0;
        client_gbt_await(c);
    } else if (++g->idle > MAX_IDLE) {
        client_fail(c, ERR_TIMEOUT, CLIENT_WHY_TIMEOUT, 0);
        return false;
    }
    if (!join(c, data))
        return false;
    if (g->rx.done)
        return end(c, apdu, len);
    if (listens(g) && g->rx.answer && !g->rx.doubled)
        say(c);
    return false;
}
