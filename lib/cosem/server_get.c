/* GET: normal, next, with-list. The descriptors are kept, as their answer may leave by blocks; what
 * it is made of and how it leaves: server_stream.c. */
#include "lib/cosem/server_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

enum cosem_result server_may_read(struct cosem_session *s)
{
    struct session_transfer *t = &s->transfer;
    const struct apdu_attr *a = &t->target;
    const struct cosem_class *ic;
    enum cosem_result result = server_resolve(s, a, WISH_READ, &t->ref, &ic);
    if (result || a->selector == 0)
        return result;
    bool offered = a->selector <= 8 && (ic->attrs[a->id - 1].selectors >> (a->selector - 1) & 1u);
    return offered && (s->conformance & DLMS_CONF_SELECTIVE) ? COSEM_SUCCESS
                                                             : COSEM_SCOPE_OF_ACCESS_VIOLATED;
}

static void answer_next(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    bool under_way = t->kind == SESSION_LONG_GET;
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
bool server_list_whole(struct rd *values, uint32_t n)
{
    if (rd_length(values) != n || n < 1 || n > COSEM_LIST_MAX)
        return false;
    struct rd look = *values;
    for (uint32_t i = 0; i < n; i++)
        axdr_skip(&look);
    return !look.err && rd_left(&look) == 0;
}

void server_skip_names(struct rd *r, uint32_t n, void (*get_one)(struct rd *, struct apdu_attr *))
{
    struct apdu_attr a;
    for (uint32_t i = 0; i < n && !r->err; i++)
        get_one(r, &a);
}

/* Keeps the descriptors of a list, after a look that they are all there. */
static bool keep_list(struct session_transfer *t, const struct apdu_request *q)
{
    struct rd r = rd_of(q->list.p, q->list.len);
    if (q->n_list == 0 || q->n_list > COSEM_LIST_MAX || q->list.len > sizeof t->kept)
        return false;
    server_skip_names(&r, q->n_list, apdu_get_attr);
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
    if (q->type == DLMS_GET_LIST ? keep_list(t, q) : keep_one(t, q))
        answer_stream(s);
    else
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
}
