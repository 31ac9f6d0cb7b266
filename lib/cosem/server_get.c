/* GET: normal, next, with-list. The descriptors are kept, as their answer may leave by blocks; what
 * it is made of and how it leaves: server_stream.c. */
#include "lib/cosem/server_parts.h"

#include <string.h>

enum cosem_result server_may_read(struct cosem_session *s)
{
    struct session_transfer *t = &s->transfer;
    const struct apdu_attr *a = &t->target;
    const struct cosem_class *ic;
    enum cosem_result result = server_resolve(s, a, &t->ref, &ic);
    if (result)
        return result;
    if (a->id < 1 || a->id > ic->n_attrs ||
        !policy_allows(t->ref.row->kind->rights->read, s->client->role, a->id))
        return COSEM_READ_WRITE_DENIED;
    if (a->selector == 0)
        return COSEM_SUCCESS;
    bool offered = a->selector <= 8 && (ic->attrs[a->id - 1].selectors >> (a->selector - 1) & 1u);
    return offered && (s->conformance & DLMS_CONF_SELECTIVE) ? COSEM_SUCCESS
                                                             : COSEM_SCOPE_OF_ACCESS_VIOLATED;
}

static void answer_next(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    bool under_way = t->kind == SESSION_LONG_GET;
    t->invoke = q->invoke;
    if (!under_way) {
        t->stream = STREAM_GET;
        answer_block_result(s, q->block, COSEM_NO_LONG_GET_IN_PROGRESS);
    } else if (q->block != t->block) {
        answer_block_result(s, q->block, COSEM_DATA_BLOCK_NUMBER_INVALID);
    } else {
        answer_block(s);
    }
}

#if COSEM_WITH_LIST
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
    t->n_list = (uint16_t)q->n_list;
    t->stream = STREAM_GET_LIST;
    return true;
}
#else
static bool keep_list(struct session_transfer *t, const struct apdu_request *q)
{
    (void)t, (void)q;
    return false;
}
#endif

/* The descriptor stays in target, the parameter of its selector in kept. */
static bool keep_one(struct session_transfer *t, const struct apdu_request *q)
{
    size_t n = q->target.parameter.len;
    if (n > sizeof t->kept)
        return false;
    t->target = q->target;
    if (n > 0)
        memcpy(t->kept, q->target.parameter.p, n);
    t->target.parameter = (struct bytes){t->kept, n};
    t->n_list = 1;
    t->stream = STREAM_GET;
    return true;
}

void server_get(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    if (q->type == DLMS_GET_NEXT) {
        answer_next(s, q);
        return;
    }
    transfer_end(s);
    t->invoke = q->invoke;
    if (q->type == DLMS_GET_LIST ? keep_list(t, q) : keep_one(t, q))
        answer_stream(s);
    else
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
}
