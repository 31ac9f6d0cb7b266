/* GET: normal, next, with-list, all from one stream of items.
 *
 * The stream is what stands behind the head of the answer: one value, or for a list its count and
 * its elements. It is generated item by item into transfer.item and copied from there into the APDU
 * until that is full. Only then it is known that the answer goes by blocks: their head is longer,
 * so the last octets wait in transfer.carry for the second block. Memory is one item and one APDU
 * whatever the length; no octet is generated twice.
 *
 * Octets of tx: heads are written backwards from COSEM_TX_HEAD, the stream forwards. */
#include "lib/cosem/server_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

#define NORMAL_HEAD     4u /* C4 01 invoke choice */
#define LIST_HEAD       3u /* C4 03 invoke */
#define BLOCK_HEAD      9u /* C4 02 invoke last number(4) choice, before the length */
#define BLOCK_HEAD_SIZE 12u

static void reply_result(struct cosem_session *s, enum cosem_result result)
{
    struct apdu_response a = {.tag = DLMS_GET_RESPONSE,
                              .type = DLMS_GETRES_NORMAL,
                              .invoke = s->transfer.invoke,
                              .result = (uint8_t)result};
    s->transfer.kind = SESSION_NO_LONG;
    reply_response(s, &a);
}

/* The transfer ends here, by a last block without data. */
static void reply_block_result(struct cosem_session *s, uint32_t block, enum cosem_result result)
{
    struct apdu_response a = {.tag = DLMS_GET_RESPONSE,
                              .type = DLMS_GETRES_BLOCK,
                              .invoke = s->transfer.invoke,
                              .last = true,
                              .block = block,
                              .result = (uint8_t)result};
    s->transfer.kind = SESSION_NO_LONG;
    reply_response(s, &a);
}

/* May this attribute be read, and in this way? Fills transfer.ref. */
static enum cosem_result may_read(struct cosem_session *s)
{
    struct session_transfer *t = &s->transfer;
    const struct apdu_attr *a = &t->target;
    const struct cosem_class *ic;
    enum cosem_result result = server_resolve(s, a, &t->ref, &ic);
    if (result)
        return result;
    if (a->id < 1 || a->id > ic->n_attrs ||
        !policy_allows(t->ref.row->rights->read, s->client->role, a->id))
        return COSEM_READ_WRITE_DENIED;
    if (a->selector == 0)
        return COSEM_SUCCESS;
    bool offered = a->selector <= 8 && (ic->attrs[a->id - 1].selectors >> (a->selector - 1) & 1u);
    return offered && (s->conformance & DLMS_CONF_SELECTIVE) ? COSEM_SUCCESS
                                                             : COSEM_SCOPE_OF_ACCESS_VIOLATED;
}

/* Generates the next item behind the `at` octets already in transfer.item. */
static enum cosem_result next_item(struct cosem_session *s, uint16_t at)
{
    struct session_transfer *t = &s->transfer;
    struct cosem_call call = server_call(s);
    struct cosem_select sel = {t->target.selector, t->target.parameter};
    struct wr w = wr_of(t->item + at, COSEM_ITEM_MAX);
    enum cosem_result result = COSEM_SUCCESS;
    t->gen.more = false;
    if (t->target.id == 1)
        axdr_put_octets(&w, t->ref.ln, sizeof t->ref.ln);
    else
        result = t->ref.row->binding->get(&call, &t->ref, t->target.id, &sel, &t->gen, &w);
    if (result == COSEM_SUCCESS && w.err)
        result = COSEM_OTHER_REASON; /* a getter that breaks its promise about COSEM_ITEM_MAX */
    t->gen.item++;
    t->item_pos = 0;
    t->item_len = (uint16_t)(at + w.len);
    return result;
}

/* Begins the next element of the answer. In a list a failure is an element of its own. */
static enum cosem_result open_element(struct cosem_session *s)
{
    struct session_transfer *t = &s->transfer;
    struct rd r = rd_of(t->kept + t->kept_pos, (size_t)(t->kept_len - t->kept_pos));
    apdu_get_attr(&r, &t->target);
    t->kept_pos = (uint16_t)(t->kept_pos + r.pos);
    t->n_left--;
    t->open = true;
    t->gen = (struct cosem_gen){.item = 0};
    t->item[0] = 0; /* choice: data */
    enum cosem_result result = r.err ? COSEM_OTHER_REASON : may_read(s);
    if (result == COSEM_SUCCESS)
        result = next_item(s, t->list ? 1 : 0);
    if (result == COSEM_SUCCESS || !t->list)
        return result;
    t->open = false;
    t->gen.more = false;
    t->item[0] = 1; /* choice: data-access-result */
    t->item[1] = (uint8_t)result;
    t->item_pos = 0;
    t->item_len = 2;
    return COSEM_SUCCESS;
}

/* Copies stream octets until w is full or the stream ends (*done). */
static enum cosem_result fill(struct cosem_session *s, struct wr *w, bool *done)
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
            result = next_item(s, 0);
        } else if (t->n_left > 0) {
            result = open_element(s);
        } else {
            *done = true;
            return COSEM_SUCCESS;
        }
    }
    return result;
}

/* Octets for an answer of this association, protection taken off. */
static size_t budget_of(const struct cosem_session *s)
{
    return s->max_pdu - security_overhead(s, s->max_pdu);
}

static size_t block_room(size_t budget)
{
    size_t length_octets = budget < 0x80 ? 1 : budget < 0x100 ? 2 : 3;
    return budget - BLOCK_HEAD - length_octets;
}

/* Sends the n stream octets at COSEM_TX_HEAD as a block. */
static void send_block(struct cosem_session *s, size_t n, bool last)
{
    struct session_transfer *t = &s->transfer;
    uint8_t head[BLOCK_HEAD_SIZE];
    struct wr w = wr_of(head, sizeof head);
    if (server_before_tell(s)) {
        reply_block_result(s, t->block, COSEM_TEMPORARY_FAILURE);
        return;
    }
    wr_u8(&w, DLMS_GET_RESPONSE);
    wr_u8(&w, DLMS_GETRES_BLOCK);
    wr_u8(&w, t->invoke);
    wr_u8(&w, last);
    wr_u32(&w, t->block);
    wr_u8(&w, 0);
    wr_length(&w, n);
    memcpy(s->tx + COSEM_TX_HEAD - w.len, head, w.len);
    t->kind = last ? SESSION_NO_LONG : SESSION_LONG_GET;
    reply_send(s, COSEM_TX_HEAD - w.len, w.len + n);
}

/* The n stream octets fill a normal answer and more are to come: the first block. */
static void send_first_block(struct cosem_session *s, size_t n)
{
    struct session_transfer *t = &s->transfer;
    size_t room = block_room(budget_of(s));
    if (!(s->conformance & DLMS_CONF_BLOCK_GET)) {
        reply_result(s, COSEM_OTHER_REASON);
        return;
    }
    t->block = 1;
    t->carry_len = (uint8_t)(n - room);
    memcpy(t->carry, s->tx + COSEM_TX_HEAD + room, t->carry_len);
    send_block(s, room, false);
}

static void send_whole(struct cosem_session *s, size_t n)
{
    struct session_transfer *t = &s->transfer;
    size_t head = t->list ? LIST_HEAD : NORMAL_HEAD;
    uint8_t *at = s->tx + COSEM_TX_HEAD - head;
    if (server_before_tell(s)) {
        reply_result(s, COSEM_TEMPORARY_FAILURE);
        return;
    }
    at[0] = DLMS_GET_RESPONSE;
    at[1] = t->list ? DLMS_GETRES_LIST : DLMS_GETRES_NORMAL;
    at[2] = t->invoke;
    if (!t->list)
        at[3] = 0;
    reply_send(s, COSEM_TX_HEAD - head, head + n);
}

static void answer(struct cosem_session *s)
{
    struct session_transfer *t = &s->transfer;
    struct wr w = wr_of(s->tx + COSEM_TX_HEAD, budget_of(s) - (t->list ? LIST_HEAD : NORMAL_HEAD));
    bool done;
    enum cosem_result result = fill(s, &w, &done);
    if (result)
        reply_result(s, result);
    else if (done)
        send_whole(s, w.len);
    else
        send_first_block(s, w.len);
}

static void answer_next(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    bool done;
    t->invoke = q->invoke;
    if (t->kind != SESSION_LONG_GET) {
        reply_block_result(s, q->block, COSEM_NO_LONG_GET_IN_PROGRESS);
        return;
    }
    if (q->block != t->block) {
        reply_block_result(s, q->block, COSEM_DATA_BLOCK_NUMBER_INVALID);
        return;
    }
    struct wr w = wr_of(s->tx + COSEM_TX_HEAD, block_room(budget_of(s)));
    wr_bytes(&w, t->carry, t->carry_len);
    t->carry_len = 0;
    t->block++;
    enum cosem_result result = fill(s, &w, &done);
    if (result)
        reply_block_result(s, t->block, result);
    else
        send_block(s, w.len, done);
}

/* Keeps the descriptors of a list, after a look that they are all there. */
static bool keep_list(struct session_transfer *t, const struct apdu_request *q)
{
    struct rd r = rd_of(q->list.p, q->list.len);
    struct apdu_attr one;
    if (q->n_list == 0 || q->n_list > COSEM_LIST_MAX || q->list.len > sizeof t->kept)
        return false;
    for (uint32_t i = 0; i < q->n_list; i++)
        apdu_get_attr(&r, &one);
    if (r.err || rd_left(&r) > 0)
        return false;
    memcpy(t->kept, q->list.p, q->list.len);
    t->kept_len = (uint16_t)q->list.len;
    t->n_left = (uint8_t)q->n_list;
    t->list = true;
    t->item[0] = (uint8_t)q->n_list;
    t->item_len = 1;
    return true;
}

static bool keep_one(struct session_transfer *t, const struct apdu_request *q)
{
    struct wr w = wr_of(t->kept, sizeof t->kept);
    apdu_put_attr(&w, &q->target);
    t->kept_len = (uint16_t)w.len;
    t->n_left = 1;
    t->list = false;
    t->item_len = 0;
    return !w.err;
}

void server_get(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    if (q->type == DLMS_GET_NEXT) {
        answer_next(s, q);
        return;
    }
    t->kind = SESSION_NO_LONG; /* a new request ends a transfer under way */
    t->invoke = q->invoke;
    t->kept_pos = t->item_pos = 0;
    t->carry_len = 0;
    t->open = false;
    if (q->type == DLMS_GET_LIST ? keep_list(t, q) : keep_one(t, q))
        answer(s);
    else
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
}
