/* What an answer of the meter means: refusals, values, results, the next block.
 *
 * Every path ends in client_fail(), client_refuse(), client_finish() or the next request. Values of
 * one APDU were walked when it was decoded and go to the sink as they are; only what comes in
 * blocks, or in lists, is scanned octet by octet (client_items.c). */
#include "lib/cosem/client_items.h"
#include "lib/cosem/client_parts.h"

/* ERR_REFUSED, or what in fact went wrong: a security error must not look like a refusal. */
static enum err exception_err(uint8_t service_error)
{
    if (service_error == DLMS_EXC_DECIPHERING_ERROR)
        return ERR_TAG;
    return service_error == DLMS_EXC_COUNTER_ERROR ? ERR_REPLAY : ERR_REFUSED;
}

void client_on_exception(struct cosem_client *c, struct bytes apdu)
{
    struct apdu_response a = {0};
    struct rd r = rd_of(apdu.p, apdu.len);
    apdu_get_response(&r, &a);
    if (r.err) {
        client_fail(c, r.err, CLIENT_WHY_APDU, (uint32_t)r.err_pos);
        return;
    }
    if (c->state == CLIENT_RELEASING) { /* it knows no RLRQ: the link's end is the release */
        client_close_link(c);
        return;
    }
    const bool keep = c->state >= CLIENT_GETTING && c->state <= CLIENT_ACCESSING &&
                      exception_err(a.service_error) == ERR_REFUSED;
    client_fail(c, exception_err(a.service_error),
                a.tag == DLMS_EXCEPTION_RESPONSE ? CLIENT_WHY_EXCEPTION : CLIENT_WHY_INITIATE,
                a.service_error);
    c->failure.counter = a.counter;
    if (keep)
        client_become(c, CLIENT_READY);
}

static void unexpected(struct cosem_client *c, const struct apdu_response *a)
{
    client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a->tag);
}

static bool is_list(const struct cosem_client *c)
{
    return c->task.n > 0 && !c->task.one_by_one;
}

/* The one element asked for has its result. */
static void end_one(struct cosem_client *c, uint64_t now_ms, uint8_t result)
{
    if (c->sink.done)
        c->sink.done(c->sink.context, c->task.at, (enum cosem_result)result);
    client_finish(c, now_ms);
}

/* The one value asked for, known to be well-formed. */
static void end_value(struct cosem_client *c, uint64_t now_ms, struct bytes value)
{
    if (c->sink.data && !c->sink.data(c->sink.context, c->task.at, value))
        client_fail(c, ERR_FULL, CLIENT_WHY_SINK, c->block);
    else
        end_one(c, now_ms, COSEM_SUCCESS);
}

/* Octets of values; after the last the operation is over. False after a failure. */
static bool take_values(struct cosem_client *c, uint64_t now_ms, struct bytes part, bool last)
{
    enum err err = client_items_feed(c, part);
    if (!err && last && !client_items_complete(c))
        err = ERR_TRUNCATED;
    if (err)
        client_fail(c, err, err == ERR_FULL ? CLIENT_WHY_SINK : CLIENT_WHY_VALUE, c->block);
    else if (last)
        client_finish(c, now_ms);
    return !err;
}

/* A single answer to a list: some meters that cannot answer it say so like this. */
static void refuse_list(struct cosem_client *c, const struct apdu_response *a)
{
    client_refuse(c, ERR_REFUSED, CLIENT_WHY_NO_LIST, a->result);
}

static void check_sent(struct cosem_client *c, enum err err)
{
    if (err)
        client_fail(c, err, CLIENT_WHY_LOCAL, 0);
}

/* Asks for the block behind c->block. */
static void ask_block(struct cosem_client *c, uint64_t now_ms, uint8_t tag, uint8_t type)
{
    const struct apdu_request q = {
        .tag = tag, .type = type, .invoke = (uint8_t)(0xC0 | c->invoke), .block = c->block};
    check_sent(c, client_send_request(c, now_ms, &q, c->state));
}

/* The next block of an answer; `form` with the first. False after a failure. */
static bool take_block(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a,
                       enum client_items_form form)
{
    if (a->block != c->block + 1 || (a->data.len == 0 && !a->last)) { /* empty ones never end */
        client_fail(c, ERR_FORMAT, CLIENT_WHY_BLOCK, a->block);
        return false;
    }
    if (c->block == 0)
        client_items_begin(c, form, is_list(c));
    c->block++;
    return take_values(c, now_ms, a->data, a->last);
}

/* ---- GET ---- */

/* A GET refused, in one piece or in the midst of blocks. A success without a value is no answer. */
static void get_refused(struct cosem_client *c, uint64_t now_ms, uint8_t result)
{
    if (result == COSEM_SUCCESS)
        client_fail(c, ERR_FORMAT, CLIENT_WHY_VALUE, c->block);
    else
        end_one(c, now_ms, result);
}

static void on_get_block(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (!a->has_data && a->block == c->block + 1) {
        if (is_list(c))
            refuse_list(c, a);
        else
            get_refused(c, now_ms, a->result);
        return;
    }
    if (take_block(c, now_ms, a, is_list(c) ? ITEMS_RESULTS : ITEMS_VALUE) && !a->last)
        ask_block(c, now_ms, DLMS_GET_REQUEST, DLMS_GET_NEXT);
}

static void on_get(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (a->type == DLMS_GETRES_BLOCK) {
        on_get_block(c, now_ms, a);
    } else if (c->block > 0) {
        unexpected(c, a);
    } else if (a->type == DLMS_GETRES_LIST) {
        if (!is_list(c) || a->n_list != c->task.n) {
            unexpected(c, a);
            return;
        }
        client_items_begin(c, ITEMS_RESULTS, false);
        (void)take_values(c, now_ms, a->data, true);
    } else if (is_list(c)) {
        refuse_list(c, a);
    } else if (a->has_data) {
        end_value(c, now_ms, a->data);
    } else {
        get_refused(c, now_ms, a->result);
    }
}

/* ---- SET ---- */

static void end_results(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (!is_list(c) || a->n_list != c->task.n || a->data.len != a->n_list) {
        unexpected(c, a);
        return;
    }
    for (uint32_t i = 0; i < a->n_list && c->sink.done; i++)
        c->sink.done(c->sink.context, i, (enum cosem_result)a->data.p[i]);
    client_finish(c, now_ms);
}

/* The meter has the last block sent, wants more. */
static void on_block_taken(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a,
                           uint8_t tag)
{
    if (!c->task.by_blocks || c->task.left == 0)
        unexpected(c, a);
    else if (a->block != c->task.block)
        client_fail(c, ERR_FORMAT, CLIENT_WHY_BLOCK, a->block);
    else
        check_sent(c, client_write_next(c, now_ms, tag));
}

/* The end of a SET; before the last block only a refusal is one. */
static void on_set_result(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (is_list(c))
        refuse_list(c, a);
    else if (a->result == COSEM_SUCCESS && c->task.by_blocks && c->task.left > 0)
        unexpected(c, a);
    else
        end_one(c, now_ms, a->result);
}

static void on_set(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    switch (a->type) {
    case DLMS_SETRES_NORMAL:
    case DLMS_SETRES_LAST_BLOCK:
        on_set_result(c, now_ms, a);
        break;
    case DLMS_SETRES_LIST:
    case DLMS_SETRES_LAST_BLOCK_LIST:
        end_results(c, now_ms, a);
        break;
    default:
        on_block_taken(c, now_ms, a, DLMS_SET_REQUEST);
        break;
    }
}

/* ---- ACTION ---- */

static void on_action_normal(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    const bool good = a->result == COSEM_SUCCESS;
    if (is_list(c))
        refuse_list(c, a);
    else if (good && c->task.by_blocks && c->task.left > 0)
        unexpected(c, a);
    else if (good && a->has_data)
        end_value(c, now_ms, a->data);
    else
        end_one(c, now_ms, good && a->has_return ? a->return_result : a->result);
}

static void on_action_list(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (!is_list(c) || a->n_list != c->task.n || c->block > 0) {
        unexpected(c, a);
        return;
    }
    client_items_begin(c, ITEMS_ACTION_LIST, false);
    (void)take_values(c, now_ms, a->data, true);
}

static void on_action(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    switch (a->type) {
    case DLMS_ACTIONRES_NORMAL:
        on_action_normal(c, now_ms, a);
        break;
    case DLMS_ACTIONRES_LIST:
        on_action_list(c, now_ms, a);
        break;
    case DLMS_ACTIONRES_NEXT_BLOCK:
        on_block_taken(c, now_ms, a, DLMS_ACTION_REQUEST);
        break;
    default:
        if (take_block(c, now_ms, a, is_list(c) ? ITEMS_ACTION_LIST : ITEMS_ACTION) && !a->last)
            ask_block(c, now_ms, DLMS_ACTION_REQUEST, DLMS_ACTION_NEXT);
        break;
    }
}

/* ---- ACCESS ---- */

static bool gives_value(uint8_t choice, uint8_t result, struct bytes value)
{
    if (result != COSEM_SUCCESS || choice == DLMS_ACCESS_SET)
        return false;
    return choice == DLMS_ACCESS_GET || value.p[0] != AXDR_NULL; /* a method may give nothing */
}

/* Element i; false when the sink wants no more. */
static bool end_access(struct cosem_client *c, uint32_t i, struct rd *values, struct rd *results)
{
    uint8_t choice, result;
    const size_t start = values->pos;
    axdr_skip(values);
    const struct bytes value = {values->p + start, values->pos - start};
    access_get_result(results, &choice, &result);
    if (gives_value(choice, result, value) && c->sink.data &&
        !c->sink.data(c->sink.context, i, value))
        return false;
    if (c->sink.done)
        c->sink.done(c->sink.context, i, (enum cosem_result)result);
    return true;
}

static void on_access(struct cosem_client *c, struct rd *r)
{
    struct apdu_access a;
    access_get_response(r, &a);
    if (r->err) {
        client_fail(c, r->err, CLIENT_WHY_APDU, (uint32_t)r->err_pos);
        return;
    }
    if ((a.invoke & DLMS_LONG_INVOKE_ID) != c->long_invoke && client_may_double(c))
        return;
    if ((a.invoke & DLMS_LONG_INVOKE_ID) != c->long_invoke || a.n != c->task.n) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, DLMS_ACCESS_RESPONSE);
        return;
    }
    struct rd values = rd_of(a.data.p, a.data.len), results = rd_of(a.results.p, a.results.len);
    for (uint32_t i = 0; i < a.n; i++) {
        if (!end_access(c, i, &values, &results)) {
            client_fail(c, ERR_FULL, CLIENT_WHY_SINK, i);
            return;
        }
    }
    client_become(c, CLIENT_READY);
}

/* ---- all ---- */

void client_on_response(struct cosem_client *c, uint64_t now_ms, struct rd *r)
{
    struct apdu_response a;
    if (c->state == CLIENT_ACCESSING) {
        on_access(c, r);
        return;
    }
    apdu_get_response(r, &a);
    if (r->err)
        client_fail(c, r->err, CLIENT_WHY_APDU, (uint32_t)r->err_pos);
    else if ((a.invoke & 0x0F) != c->invoke && client_may_double(c))
        return;
    else if ((a.invoke & 0x0F) != c->invoke)
        unexpected(c, &a);
    else if (c->state == CLIENT_GETTING && a.tag == DLMS_GET_RESPONSE)
        on_get(c, now_ms, &a);
    else if (c->state == CLIENT_SETTING && a.tag == DLMS_SET_RESPONSE)
        on_set(c, now_ms, &a);
    else if (c->state == CLIENT_ACTING && a.tag == DLMS_ACTION_RESPONSE)
        on_action(c, now_ms, &a);
    else if (c->state == CLIENT_AUTHENTICATING && a.tag == DLMS_ACTION_RESPONSE)
        client_on_hls_answer(c, &a);
    else
        unexpected(c, &a);
}
