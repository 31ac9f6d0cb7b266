/* SET: normal, with-list, by blocks, with-list by blocks; and the gathering of blocks that ACTION
 * shares. A value is checked against the class descriptor before a binding sees it; a value by
 * blocks is collected in transfer.item, so it is bounded by COSEM_ITEM_MAX, the descriptors of a
 * list in transfer.kept. A list is looked through as a whole before its first element is written.
 * While a value or parameter comes by blocks its objects are locked: server_lock.c. */
#include "lib/cosem/server_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

void transfer_end(struct cosem_session *s)
{
    if (s->transfer.kind != SESSION_NO_LONG) /* a session that never began has no server */
        lock_end(s->server, s);
    s->transfer.kind = SESSION_NO_LONG;
}

#if COSEM_WITH_BLOCK_WRITE
/* ---- blocks in, for SET and ACTION ---- */

enum cosem_result gather_begin(struct cosem_session *s, const struct apdu_request *q,
                               enum session_long kind)
{
    struct session_transfer *t = &s->transfer;
    transfer_end(s);
    if (q->n_list > COSEM_LIST_MAX || q->list.len > sizeof t->kept)
        return COSEM_LONG_SET_ABORTED;
    t->list = q->type != DLMS_SET_FIRST_BLOCK && q->type != DLMS_ACTION_FIRST_BLOCK;
    t->target = q->target;
    t->target.parameter = (struct bytes){NULL, 0}; /* a view that ends with this request */
    t->n_list = (uint16_t)q->n_list;
    t->kept_len = (uint16_t)q->list.len;
    if (t->list)
        memcpy(t->kept, q->list.p, q->list.len);
    t->item_len = 0;
    t->block = 0;
    t->kind = kind;
    if (lock_begin(s))
        return COSEM_SUCCESS;
    transfer_end(s);
    return COSEM_TEMPORARY_FAILURE;
}

enum gather gather_block(struct cosem_session *s, const struct apdu_request *q,
                         enum session_long kind)
{
    struct session_transfer *t = &s->transfer;
    if (t->kind != kind)
        return GATHER_NONE;
    if (q->block != t->block + 1)
        return GATHER_ORDER;
    struct wr w = wr_of(t->item + t->item_len, (size_t)(COSEM_ITEM_MAX - t->item_len));
    wr_bytes(&w, q->data.p, q->data.len);
    if (w.err)
        return GATHER_TOO_LONG;
    t->item_len = (uint16_t)(t->item_len + w.len);
    t->block = q->block;
    return q->last ? GATHER_WHOLE : GATHER_MORE;
}
#endif

#if COSEM_WITH_SET
/* ---- SET ---- */

enum cosem_result server_may_write(struct cosem_session *s, const struct apdu_attr *a,
                                   struct cosem_ref *ref, const struct cosem_class **ic)
{
    enum cosem_result result = server_resolve(s, a, WISH_WRITE, ref, ic);
    return !result && a->selector != 0 ? COSEM_SCOPE_OF_ACCESS_VIOLATED : result;
}

enum cosem_result server_write(struct cosem_session *s, const struct apdu_attr *a,
                               struct bytes value)
{
    struct cosem_ref ref;
    const struct cosem_class *ic;
    enum cosem_result result = server_may_write(s, a, &ref, &ic);
    if (result)
        return result;
    if (server_locked(s, a))
        return COSEM_TEMPORARY_FAILURE;
    result = cosem_check_value(&ic->attrs[a->id - 1], value);
    if (result)
        return result;
    struct cosem_call call = server_call(s);
    struct rd r = rd_of(value.p, value.len);
    return ref.row->kind->binding->set(&call, &ref, a->id, &r);
}

/* The result of a whole request: what was done must be durable before it is told. */
static enum cosem_result settled(struct cosem_session *s, enum cosem_result result)
{
    return server_before_tell(s) ? COSEM_TEMPORARY_FAILURE : result;
}

static void set_normal(struct cosem_session *s, const struct apdu_request *q)
{
    enum cosem_result result = settled(s, server_write(s, &q->target, q->data));
    reply_result(s, DLMS_SET_RESPONSE, DLMS_SETRES_NORMAL, 0, result);
}

#if COSEM_WITH_LIST
/* Writes n values (count and values at `values`) to the attributes at `names`; results an octet
 * each. False, and nothing is written, where they are not as many or malformed, or the answer would
 * be too long. */
static bool write_list(struct cosem_session *s, uint32_t n, struct rd *names, struct rd *values,
                       uint8_t results[COSEM_LIST_MAX])
{
    struct apdu_attr a;
    if (!server_list_whole(values, n) || n + 8 > server_budget(s)) /* 8: head, and block number */
        return false;
    for (uint32_t i = 0; i < n; i++) {
        size_t start = values->pos;
        apdu_get_attr(names, &a);
        axdr_skip(values);
        struct bytes value = {values->p + start, values->pos - start};
        results[i] = (uint8_t)server_write(s, &a, value);
    }
    enum cosem_result durable = settled(s, COSEM_SUCCESS);
    for (uint32_t i = 0; i < n && durable; i++)
        results[i] = (uint8_t)durable;
    return true;
}

static void set_list(struct cosem_session *s, const struct apdu_request *q)
{
    uint8_t results[COSEM_LIST_MAX];
    struct rd names = rd_of(q->list.p, q->list.len), values = names;
    server_skip_names(&values, q->n_list, apdu_get_attr);
    if (!write_list(s, q->n_list, &names, &values, results)) {
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
        return;
    }
    reply_results(s, DLMS_SET_RESPONSE, DLMS_SETRES_LIST, 0, (struct bytes){results, q->n_list});
}
#endif

#if COSEM_WITH_BLOCK_WRITE
static enum cosem_result result_of(enum gather g)
{
    switch (g) {
    case GATHER_NONE:
        return COSEM_NO_LONG_SET_IN_PROGRESS;
    case GATHER_ORDER:
        return COSEM_DATA_BLOCK_NUMBER_INVALID;
    case GATHER_TOO_LONG:
        return COSEM_LONG_SET_ABORTED;
    default:
        return COSEM_SUCCESS;
    }
}

static void reply_last(struct cosem_session *s, const struct apdu_request *q,
                       enum cosem_result result)
{
    transfer_end(s);
    reply_result(s, DLMS_SET_RESPONSE, DLMS_SETRES_LAST_BLOCK, q->block, result);
}

#if COSEM_WITH_LIST
static void finish_list(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    uint8_t results[COSEM_LIST_MAX];
    struct rd names = rd_of(t->kept, t->kept_len), values = rd_of(t->item, t->item_len);
    if (!write_list(s, t->n_list, &names, &values, results)) {
        reply_last(s, q, COSEM_TYPE_UNMATCHED);
        return;
    }
    transfer_end(s);
    reply_results(s, DLMS_SET_RESPONSE, DLMS_SETRES_LAST_BLOCK_LIST, q->block,
                  (struct bytes){results, t->n_list});
}
#else
static void finish_list(struct cosem_session *s, const struct apdu_request *q)
{
    reply_last(s, q, COSEM_OTHER_REASON);
}
#endif

static void set_block(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    bool first = q->type == DLMS_SET_FIRST_BLOCK || q->type == DLMS_SET_LIST_FIRST_BLOCK;
    enum cosem_result begun = first ? gather_begin(s, q, SESSION_LONG_SET) : COSEM_SUCCESS;
    if (begun) {
        reply_last(s, q, begun);
        return;
    }
    enum gather g = gather_block(s, q, SESSION_LONG_SET);
    if (g == GATHER_MORE)
        reply_result(s, DLMS_SET_RESPONSE, DLMS_SETRES_BLOCK, q->block, COSEM_SUCCESS);
    else if (g != GATHER_WHOLE)
        reply_last(s, q, result_of(g));
    else if (t->list)
        finish_list(s, q);
    else
        reply_last(s, q,
                   settled(s, server_write(s, &t->target, (struct bytes){t->item, t->item_len})));
}
#endif

void server_set(struct cosem_session *s, const struct apdu_request *q)
{
    switch (q->type) {
#if COSEM_WITH_BLOCK_WRITE
    case DLMS_SET_FIRST_BLOCK:
    case DLMS_SET_LIST_FIRST_BLOCK:
    case DLMS_SET_BLOCK:
        set_block(s, q);
        return;
#endif
#if COSEM_WITH_LIST
    case DLMS_SET_LIST:
        transfer_end(s);
        set_list(s, q);
        return;
#endif
    default:
        transfer_end(s);
        set_normal(s, q);
        return;
    }
}
#endif
