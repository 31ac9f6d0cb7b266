/* How answers leave: one stream of octets behind a short head, in one APDU or in many.
 *
 * The stream is what stands behind the head: one value, the elements of a list, the results of an
 * ACTION, the parts of an ACCESS. It is made item by item, and copied until the APDU is full. Only
 * then it is known that the answer goes by blocks: their head is longer, so the last octets wait in
 * transfer.carry for the second block. Memory is one item and one APDU whatever the length; no
 * octet is generated twice, except for general block transfer, which begins anew (server_gbt.c).
 *
 *     answer_stream -> fits: one APDU
 *                   -> blocks of the service agreed: first block; answer_next for each further one
 *                   -> general block transfer agreed, and the request came so or there are no other
 *                      blocks: gbt_answer_stream
 *                   -> else a result or exception that says why not
 *
 * Octets of tx: heads are written backwards from COSEM_TX_HEAD, the stream forwards. */
#include "lib/cosem/server_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

#define BLOCK_HEAD_MAX 12u /* tag, type, invoke, last, number(4), choice, length(3) */

/* Heads of answers by stream. */
static const struct form {
    uint8_t tag, whole, block;
    uint8_t head;       /* octets before the stream in one APDU */
    uint8_t block_head; /* in a block, without the length of its octets */
    uint32_t conformance;
} forms[] = {
    [STREAM_GET] = {DLMS_GET_RESPONSE, DLMS_GETRES_NORMAL, DLMS_GETRES_BLOCK, 4, 9,
                    DLMS_CONF_BLOCK_GET},
    [STREAM_GET_LIST] = {DLMS_GET_RESPONSE, DLMS_GETRES_LIST, DLMS_GETRES_BLOCK, 3, 9,
                         DLMS_CONF_BLOCK_GET},
    [STREAM_ACTION] = {DLMS_ACTION_RESPONSE, DLMS_ACTIONRES_NORMAL, DLMS_ACTIONRES_BLOCK, 3, 8,
                       DLMS_CONF_BLOCK_ACTION},
    [STREAM_ACTION_LIST] = {DLMS_ACTION_RESPONSE, DLMS_ACTIONRES_LIST, DLMS_ACTIONRES_BLOCK, 3, 8,
                            DLMS_CONF_BLOCK_ACTION},
    [STREAM_ACCESS] = {DLMS_ACCESS_RESPONSE, 0, 0, 1, 0, 0},
};

static bool is_action(enum session_stream stream)
{
    return stream == STREAM_ACTION || stream == STREAM_ACTION_LIST;
}

/* ---- the stream ---- */

/* Asks for the next item; `out` has room for COSEM_ITEM_MAX. */
static enum cosem_result generate(struct cosem_session *s, struct wr *out)
{
    struct session_transfer *t = &s->transfer;
    struct cosem_call call = server_call(s);
    struct cosem_select sel = {t->target.selector, t->target.parameter};
    enum cosem_result result = COSEM_SUCCESS;
    t->gen.more = false;
    if (t->target.id == 1)
        axdr_put_octets(out, t->ref.ln, sizeof t->ref.ln);
    else
        result = t->ref.row->kind->binding->get(&call, &t->ref, t->target.id, &sel, &t->gen, out);
    t->gen.item++;
    if (result == COSEM_SUCCESS && out->err)
        result = COSEM_OTHER_REASON; /* a getter that breaks its promise about COSEM_ITEM_MAX */
    return result;
}

/* The next item, after a choice octet where there is one (0 or 1 of them): straight into w where it
 * surely has room, else into transfer.item. */
static enum cosem_result next_item(struct cosem_session *s, struct wr *w, size_t n_choice)
{
    struct session_transfer *t = &s->transfer;
    bool direct = wr_left(w) >= n_choice + COSEM_ITEM_MAX;
    uint8_t *to = direct ? w->p + w->len : t->item;
    struct wr out = wr_of(to + n_choice, COSEM_ITEM_MAX);
    enum cosem_result result = generate(s, &out);
    if (n_choice > 0)
        to[0] = 0; /* data */
    size_t n = result == COSEM_SUCCESS ? n_choice + out.len : 0;
    t->item_pos = 0;
    t->item_len = (uint16_t)(direct ? 0 : n);
    w->len += direct ? n : 0;
    return result;
}

enum cosem_result stream_read(struct cosem_session *s, struct wr *w, size_t n_choice)
{
    struct session_transfer *t = &s->transfer;
    t->gen = (struct cosem_gen){.item = 0};
    enum cosem_result result = server_may_read(s);
    if (result == COSEM_SUCCESS)
        result = next_item(s, w, n_choice);
    t->open = result == COSEM_SUCCESS;
    return result;
}

void stream_octets(struct session_transfer *t, const void *p, size_t n)
{
    memcpy(t->item, p, n);
    t->item_pos = 0;
    t->item_len = (uint16_t)n;
}

/* Begins the next element of a GET. In a list a failure is an element of its own. */
static enum cosem_result next_element(struct cosem_session *s, struct wr *w)
{
    struct session_transfer *t = &s->transfer;
    if (t->stream == STREAM_GET)
        return stream_read(s, w, 0);
    struct rd r = rd_of(t->kept + t->kept_pos, (size_t)(t->kept_len - t->kept_pos));
    apdu_get_attr(&r, &t->target);
    t->kept_pos = (uint16_t)(t->kept_pos + r.pos);
    enum cosem_result result = r.err ? COSEM_OTHER_REASON : stream_read(s, w, 1);
    const uint8_t failed[] = {1 /* data-access-result */, (uint8_t)result};
    if (result)
        stream_octets(t, failed, sizeof failed);
    return COSEM_SUCCESS;
}

enum cosem_result stream_fill(struct cosem_session *s, struct wr *w, bool *done)
{
    struct session_transfer *t = &s->transfer;
    enum cosem_result result = COSEM_SUCCESS;
    *done = false;
    while (result == COSEM_SUCCESS) {
        size_t n = (size_t)(t->item_len - t->item_pos);
        n = n < wr_left(w) ? n : wr_left(w);
        wr_bytes(w, t->item + t->item_pos, n);
        t->item_pos = (uint16_t)(t->item_pos + n);
        if (t->item_pos < t->item_len)
            return COSEM_SUCCESS;
        if (t->open && t->gen.more) {
            result = next_item(s, w, 0);
        } else if (t->n_left > 0) {
            t->open = false;
            t->n_left--;
            result = COSEM_WITH_ACCESS && t->stream == STREAM_ACCESS ? access_part(s, w)
                                                                     : next_element(s, w);
        } else {
            *done = true;
            return COSEM_SUCCESS;
        }
    }
    return result;
}

void stream_rewind(struct cosem_session *s)
{
    struct session_transfer *t = &s->transfer;
    t->open = false;
    t->kept_pos = t->item_pos = 0;
    t->carry_len = 0;
    if (is_action(t->stream)) /* the item is all there is */
        return;
    t->n_left =
        COSEM_WITH_ACCESS && t->stream == STREAM_ACCESS ? (uint16_t)access_parts(t) : t->n_list;
    t->item_len = 0;
    if (t->stream == STREAM_GET_LIST) {
        t->item[0] = (uint8_t)t->n_list;
        t->item_len = 1;
    }
}

/* ---- answers without a stream ---- */

void answer_result(struct cosem_session *s, enum cosem_result result)
{
    struct session_transfer *t = &s->transfer;
    transfer_end(s);
    if (t->stream == STREAM_ACCESS || t->stream == STREAM_ACTION_LIST) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OPERATION_NOT_POSSIBLE);
        return;
    }
    uint8_t type = is_action(t->stream) ? DLMS_ACTIONRES_NORMAL : DLMS_GETRES_NORMAL;
    reply_result(s, forms[t->stream].tag, type, 0, result);
}

void answer_block_result(struct cosem_session *s, uint32_t block, enum cosem_result result)
{
    struct session_transfer *t = &s->transfer;
    if (is_action(t->stream)) { /* its blocks have no place for a result */
        answer_result(s, result);
        return;
    }
    transfer_end(s);
    reply_result(s, DLMS_GET_RESPONSE, DLMS_GETRES_BLOCK, block, result);
}

/* Longer than one APDU may be, and no way agreed to send it in parts. */
static void reply_too_long(struct cosem_session *s)
{
    enum session_stream stream = s->transfer.stream;
    if (stream == STREAM_GET || stream == STREAM_ACTION) {
        answer_result(s, COSEM_OTHER_REASON);
        return;
    }
    transfer_end(s);
    reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_PDU_TOO_LONG);
}

/* ---- answers with it ---- */

size_t server_budget(const struct cosem_session *s)
{
    size_t budget = s->max_pdu;
#if COSEM_GBT_STORE > 0
    if (s->gbt.request && s->gbt.tx.block_size < budget)
        budget = s->gbt.tx.block_size;
#endif
    return budget - security_overhead(s, budget);
}

size_t answer_put_head(const struct session_transfer *t, uint8_t head[4])
{
    const struct form *f = &forms[t->stream];
    head[0] = f->tag;
    head[1] = f->whole;
    head[2] = t->invoke;
    head[3] = 0; /* data */
    return f->head;
}

void answer_whole(struct cosem_session *s, size_t n)
{
    uint8_t head[4];
    size_t len = answer_put_head(&s->transfer, head);
    if (server_before_tell(s)) {
        answer_result(s, COSEM_TEMPORARY_FAILURE);
        return;
    }
    transfer_end(s);
    memcpy(s->tx + COSEM_TX_HEAD - len, head, len);
    reply_send(s, COSEM_TX_HEAD - len, len + n);
}

static size_t block_room(const struct cosem_session *s)
{
    size_t budget = server_budget(s);
    size_t length_octets = budget < 0x80 ? 1 : budget < 0x100 ? 2 : 3;
    return budget - forms[s->transfer.stream].block_head - length_octets;
}

/* Sends the n stream octets at COSEM_TX_HEAD as a block. */
static void send_block(struct cosem_session *s, size_t n, bool last)
{
    struct session_transfer *t = &s->transfer;
    uint8_t head[BLOCK_HEAD_MAX];
    struct wr w = wr_of(head, sizeof head);
    if (server_before_tell(s)) {
        answer_block_result(s, t->block, COSEM_TEMPORARY_FAILURE);
        return;
    }
    wr_u8(&w, forms[t->stream].tag);
    wr_u8(&w, forms[t->stream].block);
    wr_u8(&w, t->invoke);
    wr_u8(&w, last);
    wr_u32(&w, t->block);
    if (!is_action(t->stream))
        wr_u8(&w, 0); /* data */
    wr_length(&w, n);
    memcpy(s->tx + COSEM_TX_HEAD - w.len, head, w.len);
    t->kind = last                   ? SESSION_NO_LONG
              : is_action(t->stream) ? SESSION_LONG_RETURN
                                     : SESSION_LONG_GET;
    reply_send(s, COSEM_TX_HEAD - w.len, w.len + n);
}

void answer_block(struct cosem_session *s)
{
    struct session_transfer *t = &s->transfer;
    struct wr w = wr_of(s->tx + COSEM_TX_HEAD, block_room(s));
    bool done;
    wr_bytes(&w, t->carry, t->carry_len);
    t->carry_len = 0;
    t->block++;
    enum cosem_result result = stream_fill(s, &w, &done);
    if (result)
        answer_block_result(s, t->block, result);
    else
        send_block(s, w.len, done);
}

bool answer_by_parts(struct cosem_session *s)
{
    bool blocks = s->conformance & forms[s->transfer.stream].conformance;
    if (gbt_agreed(s) && (gbt_requested(s) || !blocks)) {
        gbt_answer_stream(s);
        return false;
    }
    if (!blocks)
        reply_too_long(s);
    s->transfer.block = 0;
    return blocks;
}

/* The n stream octets fill an APDU and more are to come: the first block. */
static void send_first_block(struct cosem_session *s, size_t n)
{
    struct session_transfer *t = &s->transfer;
    size_t room = block_room(s);
    if (!answer_by_parts(s))
        return;
    t->block = 1;
    t->carry_len = (uint8_t)(n - room);
    memcpy(t->carry, s->tx + COSEM_TX_HEAD + room, t->carry_len);
    send_block(s, room, false);
}

void answer_stream(struct cosem_session *s)
{
    size_t room = server_budget(s) - forms[s->transfer.stream].head;
    struct wr w = wr_of(s->tx + COSEM_TX_HEAD, room);
    bool done;
    stream_rewind(s);
    enum cosem_result result = stream_fill(s, &w, &done);
    if (result)
        answer_result(s, result);
    else if (done)
        answer_whole(s, w.len);
    else
        send_first_block(s, w.len);
}
