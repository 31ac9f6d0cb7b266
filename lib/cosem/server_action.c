/* ACTION: normal, with-list, parameters and answers by blocks. Return values are written to tx
 * behind the room for their head and mostly leave from there; a longer answer moves to
 * transfer.item and leaves by blocks, so it is bounded by COSEM_ITEM_MAX. A list is looked through
 * as a whole before its first method runs; each method runs once, whatever becomes of the answer.
 *
 * The same file serves reply_to_HLS_authentication, the one service before an association stands.
 */
#include "lib/cosem/server_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

enum cosem_result server_may_invoke(struct cosem_session *s, const struct apdu_attr *a,
                                    struct cosem_ref *ref, const struct cosem_class **ic)
{
    return server_resolve(s, a, WISH_INVOKE, ref, ic);
}

enum cosem_result server_invoke(struct cosem_session *s, const struct apdu_attr *a,
                                struct bytes parameter, struct wr *reply)
{
    struct cosem_ref ref;
    const struct cosem_class *ic;
    struct rd param = rd_of(parameter.p, parameter.len);
    if (s->state == SESSION_PENDING)
        return association_hls_reply(s, &param, reply);
    enum cosem_result result = server_may_invoke(s, a, &ref, &ic);
    if (result)
        return result;
    if (server_locked(s, a))
        return COSEM_TEMPORARY_FAILURE;
    result = cosem_check_param(&ic->methods[a->id - 1], parameter);
    if (result)
        return result;
    struct cosem_call call = server_call(s);
    return ref.row->kind->binding->invoke(&call, &ref, a->id, &param, reply);
}

#define ACTION_HEAD 3u /* C7, type, invoke; also result, return parameters there, choice */

/* Where answers are built: behind the room for heads, no longer than can leave. */
static struct wr answer_room(struct cosem_session *s)
{
    size_t size = server_budget(s) - ACTION_HEAD;
    size_t tx = sizeof s->tx - COSEM_TX_HEAD - CRYPTO_GCM_TAG;
    bool parts = gbt_agreed(s) || (s->conformance & DLMS_CONF_BLOCK_ACTION);
    if (parts && sizeof s->transfer.item > size)
        size = sizeof s->transfer.item;
    return wr_of(s->tx + COSEM_TX_HEAD, size < tx ? size : tx);
}

/* Runs a method and writes its action response: result, then optional data. A return value that
 * finds no room cannot be told; that the method ran can. */
static enum cosem_result put_action(struct cosem_session *s, const struct apdu_attr *a,
                                    struct bytes parameter, struct wr *w)
{
    uint8_t *start = w->p + w->len;
    size_t room = wr_left(w) > ACTION_HEAD ? wr_left(w) - ACTION_HEAD : 0;
    struct wr reply = wr_of(start + ACTION_HEAD, room);
    enum cosem_result result = server_invoke(s, a, parameter, &reply);
    wr_u8(w, (uint8_t)result);
    wr_u8(w, result == COSEM_SUCCESS && (reply.len > 0 || reply.err));
    if (w->err || start[1] == 0)
        return result;
    wr_u8(w, reply.err != ERR_OK);
    if (reply.err)
        wr_u8(w, COSEM_OTHER_REASON);
    else
        w->len += reply.len; /* it stands there already */
    return result;
}

#if COSEM_WITH_BLOCK_ACTION || COSEM_GBT_STORE > 0
/* True: the responses do not fit one APDU and leave in parts. */
static bool answer_longer(struct cosem_session *s, const struct wr *w)
{
    struct session_transfer *t = &s->transfer;
    if (ACTION_HEAD + w->len <= server_budget(s))
        return false;
    stream_octets(t, s->tx + COSEM_TX_HEAD, w->len);
    t->n_left = 0;
    t->open = false;
    t->carry_len = 0;
    if (answer_by_parts(s))
        answer_block(s);
    return true;
}
#else
static bool answer_longer(struct cosem_session *s, const struct wr *w)
{
    (void)s, (void)w; /* answer_room gives no more than leaves in one */
    return false;
}
#endif

/* Sends the action responses at COSEM_TX_HEAD. */
static void answer_action(struct cosem_session *s, const struct wr *w)
{
    transfer_end(s);
    if (!answer_longer(s, w))
        answer_whole(s, w->len);
}

static void run_one(struct cosem_session *s, const struct apdu_attr *a, struct bytes parameter)
{
    struct wr w = answer_room(s);
    bool pending = s->state == SESSION_PENDING;
    s->transfer.stream = STREAM_ACTION;
    enum cosem_result result = put_action(s, a, parameter, &w);
    answer_action(s, &w);
    if (pending && result != COSEM_SUCCESS)
        association_end(s);
}

#if COSEM_WITH_LIST
/* The next parameter of a list; null-data stands for none. */
static struct bytes next_parameter(struct rd *r)
{
    size_t start = r->pos;
    bool none = rd_left(r) > 0 && r->p[start] == AXDR_NULL;
    axdr_skip(r);
    return r->err || none ? (struct bytes){NULL, 0} : (struct bytes){r->p + start, r->pos - start};
}

/* Runs n methods at `names` with count and parameters at `values`; false where they are not as many
 * or malformed: nothing ran. */
static bool run_list(struct cosem_session *s, uint32_t n, struct rd *names, struct rd *values)
{
    struct wr w = answer_room(s);
    struct apdu_attr a;
    if (!server_list_whole(values, n))
        return false;
    const size_t least = 4; /* octets of an action response whose return value finds no room */
    size_t room = w.size;
    if (1 + least * n > room)
        return false;
    s->transfer.stream = STREAM_ACTION_LIST;
    wr_length(&w, n);
    for (uint32_t i = 0; i < n; i++) {
        w.size = room - least * (n - 1 - i); /* the others find theirs, too */
        apdu_get_attr_bare(names, &a);
        (void)put_action(s, &a, next_parameter(values), &w);
    }
    answer_action(s, &w);
    return true;
}

static void action_list(struct cosem_session *s, const struct apdu_request *q)
{
    struct rd names = rd_of(q->list.p, q->list.len), values = names;
    server_skip_names(&values, q->n_list, apdu_get_attr_bare);
    if (!run_list(s, q->n_list, &names, &values))
        reply_exception(s, DLMS_STATE_SERVICE_NOT_ALLOWED, DLMS_EXC_OTHER_REASON);
}
#endif

#if COSEM_WITH_BLOCK_ACTION
static void reply_aborted(struct cosem_session *s, enum cosem_result result)
{
    transfer_end(s);
    reply_result(s, DLMS_ACTION_RESPONSE, DLMS_ACTIONRES_NORMAL, 0, result);
}

static void finish(struct cosem_session *s)
{
    struct session_transfer *t = &s->transfer;
    struct bytes parameter = {t->item, t->item_len};
#if COSEM_WITH_LIST
    if (t->list) {
        struct rd names = rd_of(t->kept, t->kept_len), values = rd_of(t->item, t->item_len);
        if (!run_list(s, t->n_list, &names, &values))
            reply_aborted(s, COSEM_TYPE_UNMATCHED);
        return;
    }
#endif
    struct rd look = rd_of(parameter.p, parameter.len);
    axdr_skip(&look);
    if (look.err || rd_left(&look) > 0)
        reply_aborted(s, COSEM_TYPE_UNMATCHED);
    else
        run_one(s, &t->target, parameter);
}

/* action-result has no number for a wrong block: the transfer is aborted. */
static void action_block(struct cosem_session *s, const struct apdu_request *q)
{
    bool first = q->type == DLMS_ACTION_FIRST_BLOCK || q->type == DLMS_ACTION_LIST_FIRST_BLOCK;
    enum cosem_result begun = first ? gather_begin(s, q, SESSION_LONG_ACTION) : COSEM_SUCCESS;
    if (begun) {
        reply_aborted(s, begun == COSEM_TEMPORARY_FAILURE ? begun : COSEM_LONG_GET_ABORTED);
        return;
    }
    enum gather g = gather_block(s, q, SESSION_LONG_ACTION);
    if (g == GATHER_WHOLE)
        finish(s);
    else if (g != GATHER_MORE)
        reply_aborted(s, g == GATHER_NONE ? COSEM_NO_LONG_GET_IN_PROGRESS : COSEM_LONG_GET_ABORTED);
    else
        reply_result(s, DLMS_ACTION_RESPONSE, DLMS_ACTIONRES_NEXT_BLOCK, q->block, COSEM_SUCCESS);
}

/* The client asks for the next block of the answer. */
static void answer_next(struct cosem_session *s, const struct apdu_request *q)
{
    struct session_transfer *t = &s->transfer;
    if (t->kind != SESSION_LONG_RETURN)
        reply_aborted(s, COSEM_NO_LONG_GET_IN_PROGRESS);
    else if (q->block != t->block)
        reply_aborted(s, COSEM_LONG_GET_ABORTED);
    else
        answer_block(s);
}
#endif

void server_action(struct cosem_session *s, const struct apdu_request *q)
{
    switch (q->type) {
#if COSEM_WITH_BLOCK_ACTION
    case DLMS_ACTION_NEXT:
        answer_next(s, q);
        return;
    case DLMS_ACTION_FIRST_BLOCK:
    case DLMS_ACTION_LIST_FIRST_BLOCK:
    case DLMS_ACTION_BLOCK:
        action_block(s, q);
        return;
#endif
#if COSEM_WITH_LIST
    case DLMS_ACTION_LIST:
        transfer_end(s);
        action_list(s, q);
        return;
#endif
    default:
        transfer_end(s);
        run_one(s, &q->target, q->target.parameter);
        return;
    }
}
