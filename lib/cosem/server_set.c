/* SET (normal, with-list, by blocks) and ACTION. A value is checked against the class descriptor
 * before a binding sees it; a value by blocks is collected in transfer.item, so it is bounded by
 * COSEM_ITEM_MAX. A list is looked through as a whole before its first element is written. */
#include "lib/cosem/server_parts.h"
#include "lib/dlms/axdr.h"

static enum cosem_result write_one(struct cosem_session *s, const struct apdu_attr *a,
                                   struct bytes value)
{
    struct cosem_ref ref;
    const struct cosem_class *ic;
    enum cosem_result result = server_resolve(s, a, &ref, &ic);
    if (result)
        return result;
    if (a->id < 1 || a->id > ic->n_attrs || !ref.row->binding->set ||
        !policy_allows(ref.row->rights->write, s->client->role, a->id))
        return COSEM_READ_WRITE_DENIED;
    if (a->selector != 0)
        return COSEM_SCOPE_OF_ACCESS_VIOLATED;
    struct rd r = rd_of(value.p, value.len);
    axdr_check(&r, ic->attrs[a->id - 1].type);
    if (r.err || rd_left(&r) > 0)
        return COSEM_TYPE_UNMATCHED;
    struct cosem_call call = server_call(s);
    r = rd_of(value.p, value.len);
    return ref.row->binding->set(&call, &ref, a->id, &r);
}

/* The result of a whole request: what was done must be durable before it is told. */
static enum cosem_result settled(struct cosem_session *s, enum cosem_result result)
{
    return server_before_tell(s) ? COSEM_TEMPORARY_FAILURE : result;
}

static void set_list(struct cosem_session *s, const struct apdu_request *q)
{
    struct rd names = rd_of(q->list.p, q->list.len);
    struct apdu_attr a;
    uint8_t results[COSEM_LIST_MAX];
    for (uint32_t i = 0; i < q->n_list && !names.err; i++)
        apdu_get_attr(&names, &a);
    struct rd values = names;
    bool ok = rd_length(&values) == q->n_list && q->n_list >= 1 && q->n_list <= COSEM_LIST_MAX;
    struct rd look = values;
    for (uint32_t i = 0; i < q->n_list && ok; i++) {
        axdr_skip(&look);
        ok = !look.err;
    }
    if (!ok || rd_left(&look) > 0) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
        return;
    }
    names = rd_of(q->list.p, q->list.len);
    for (uint32_t i = 0; i < q->n_list; i++) {
        size_t start = values.pos;
        apdu_get_attr(&names, &a);
        axdr_skip(&values);
        struct bytes value = {values.p + start, values.pos - start};
        results[i] = (uint8_t)write_one(s, &a, value);
    }
    enum cosem_result durable = settled(s, COSEM_SUCCESS);
    for (uint32_t i = 0; i < q->n_list && durable; i++)
        results[i] = (uint8_t)durable;
    reply_response(s, &(struct apdu_response){.tag = DLMS_SET_RESPONSE,
                                              .type = DLMS_SETRES_LIST,
                                              .invoke = q->invoke,
                                              .n_list = q->n_list,
                                              .data = {results, q->n_list}});
}

/* Adds the octets of a block; SUCCESS, or why the transfer is over. */
static enum cosem_result take_block(struct session_transfer *t, const struct apdu_request *q)
{
    if (t->kind != SESSION_LONG_SET)
        return COSEM_NO_LONG_SET_IN_PROGRESS;
    if (q->block != t->block + 1)
        return COSEM_DATA_BLOCK_NUMBER_INVALID;
    struct wr w = wr_of(t->item + t->item_len, (size_t)(COSEM_ITEM_MAX - t->item_len));
    wr_bytes(&w, q->data.p, q->data.len);
    if (w.err)
        return COSEM_LONG_SET_ABORTED;
    t->item_len = (uint16_t)(t->item_len + w.len);
    t->block = q->block;
    return COSEM_SUCCESS;
}

static void set_block(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    struct apdu_response a = {
        .tag = DLMS_SET_RESPONSE, .type = DLMS_SETRES_BLOCK, .invoke = q->invoke};
    if (q->type == DLMS_SET_FIRST_BLOCK) {
        t->kind = SESSION_LONG_SET;
        t->target = q->target;
        t->target.parameter = (struct bytes){NULL, 0}; /* a view that ends with this request */
        t->item_len = 0;
        t->block = 0;
    }
    a.block = q->block;
    enum cosem_result result = take_block(t, q);
    if (result != COSEM_SUCCESS || q->last) {
        a.type = DLMS_SETRES_LAST_BLOCK;
        t->kind = SESSION_NO_LONG;
        if (result == COSEM_SUCCESS)
            result = settled(s, write_one(s, &t->target, (struct bytes){t->item, t->item_len}));
        a.result = (uint8_t)result;
    }
    reply_response(s, &a);
}

void server_set(struct cosem_session *s, const struct apdu_request *q)
{
    if (q->type == DLMS_SET_FIRST_BLOCK || q->type == DLMS_SET_BLOCK) {
        set_block(s, q);
        return;
    }
    s->transfer.kind = SESSION_NO_LONG;
    if (q->type == DLMS_SET_LIST) {
        set_list(s, q);
        return;
    }
    enum cosem_result result = settled(s, write_one(s, &q->target, q->data));
    reply_response(s, &(struct apdu_response){.tag = DLMS_SET_RESPONSE,
                                              .type = DLMS_SETRES_NORMAL,
                                              .invoke = q->invoke,
                                              .result = (uint8_t)result});
}

static enum cosem_result invoke(struct cosem_session *s, const struct apdu_attr *a,
                                struct wr *reply)
{
    struct cosem_ref ref;
    const struct cosem_class *ic;
    struct rd param = rd_of(a->parameter.p, a->parameter.len);
    if (s->state == SESSION_PENDING)
        return association_hls_reply(s, &param, reply);
    enum cosem_result result = server_resolve(s, a, &ref, &ic);
    if (result)
        return result;
    if (a->id < 1 || a->id > ic->n_methods || !ref.row->binding->invoke ||
        !policy_allows(ref.row->rights->invoke, s->client->role, a->id))
        return COSEM_READ_WRITE_DENIED;
    struct rd check = param;
    if (ic->methods[a->id - 1].param.len > 0)
        axdr_check(&check, ic->methods[a->id - 1].param);
    if (check.err)
        return COSEM_TYPE_UNMATCHED;
    struct cosem_call call = server_call(s);
    return ref.row->binding->invoke(&call, &ref, a->id, &param, reply);
}

void server_action(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    struct wr reply = wr_of(t->item, COSEM_ITEM_MAX);
    bool pending = s->state == SESSION_PENDING;
    t->kind = SESSION_NO_LONG;
    enum cosem_result result = invoke(s, &q->target, &reply);
    size_t total = reply.len + 6; /* C7 01 invoke result 01 00 */
    if (result == COSEM_SUCCESS &&
        (reply.err || total + security_overhead(s, s->max_pdu) > s->max_pdu))
        result = COSEM_OTHER_REASON;
    result = settled(s, result);
    reply_response(s, &(struct apdu_response){.tag = DLMS_ACTION_RESPONSE,
                                              .type = DLMS_ACTIONRES_NORMAL,
                                              .invoke = q->invoke,
                                              .result = (uint8_t)result,
                                              .has_data = !result && reply.len > 0,
                                              .data = {t->item, reply.len}});
    if (pending && result != COSEM_SUCCESS)
        association_end(s);
}
