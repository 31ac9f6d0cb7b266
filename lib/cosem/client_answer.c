/* What an answer of the meter means: exceptions and values.
 *
 * Every path ends in client_fail(), client_become() or the next request; on_frame in client.c calls
 * in with one whole APDU, which lies at the front of buf and is deciphered in place. */
#include "lib/cosem/client_items.h"
#include "lib/cosem/client_parts.h"
#include "lib/dlms/axdr.h"

#include <string.h>

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
    const bool keep = cosem_client_waiting(c) && c->state >= CLIENT_GETTING &&
                      c->state <= CLIENT_ACTING && exception_err(a.service_error) == ERR_REFUSED;
    client_fail(c, exception_err(a.service_error),
                a.tag == DLMS_EXCEPTION_RESPONSE ? CLIENT_WHY_EXCEPTION : CLIENT_WHY_INITIATE,
                a.service_error);
    c->failure.counter = a.counter;
    if (keep)
        client_become(c, CLIENT_READY);
}

static void end_refused(struct cosem_client *c, uint8_t result)
{
    if (c->sink.done)
        c->sink.done(c->sink.context, 0, (enum cosem_result)result);
    client_become(c, CLIENT_READY);
}

/* A GET refused, in one piece or in the midst of blocks. A success without a value is no answer. */
static void get_refused(struct cosem_client *c, uint8_t result)
{
    if (result == COSEM_SUCCESS)
        client_fail(c, ERR_FORMAT, CLIENT_WHY_VALUE, c->block);
    else
        end_refused(c, result);
}

/* Octets of values; after the last the operation is over. False after a failure. */
static bool take_values(struct cosem_client *c, struct bytes part, bool last)
{
    enum err err = client_items_feed(c, part);
    if (!err && last && !client_items_complete(c))
        err = ERR_TRUNCATED;
    if (err) {
        client_fail(c, err, err == ERR_FULL ? CLIENT_WHY_SINK : CLIENT_WHY_VALUE, c->block);
        return false;
    }
    if (last)
        client_become(c, CLIENT_READY);
    return true;
}

static void on_block(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (a->block != c->block + 1) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_BLOCK, a->block);
        return;
    }
    if (!a->has_data) {
        get_refused(c, a->result);
        return;
    }
    if (c->block == 0)
        client_items_begin(c, c->n_list, true);
    c->block++;
    if (!take_values(c, a->data, a->last) || a->last)
        return;
    const struct apdu_request q = {.tag = DLMS_GET_REQUEST,
                                   .type = DLMS_GET_NEXT,
                                   .invoke = (uint8_t)(0xC0 | c->invoke),
                                   .block = c->block};
    enum err err = client_send_request(c, now_ms, &q, CLIENT_GETTING);
    if (err)
        client_fail(c, err, CLIENT_WHY_LOCAL, 0);
}

static void on_get(struct cosem_client *c, uint64_t now_ms, const struct apdu_response *a)
{
    if (a->type == DLMS_GETRES_BLOCK) {
        on_block(c, now_ms, a);
        return;
    }
    const bool list = a->type == DLMS_GETRES_LIST;
    if (c->block > 0 || list != (c->n_list > 0) || a->n_list != c->n_list) {
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a->tag);
        return;
    }
    if (!list && !a->has_data) {
        get_refused(c, a->result);
        return;
    }
    client_items_begin(c, c->n_list, false);
    (void)take_values(c, a->data, true);
}

static void on_action(struct cosem_client *c, const struct apdu_response *a)
{
    if (a->result != COSEM_SUCCESS || !a->has_data) {
        end_refused(c, a->result == COSEM_SUCCESS && a->has_return ? a->return_result : a->result);
        return;
    }
    client_items_begin(c, 0, false);
    (void)take_values(c, a->data, true);
}

void client_on_response(struct cosem_client *c, uint64_t now_ms, struct rd *r)
{
    struct apdu_response a = {0};
    apdu_get_response(r, &a);
    if (r->err) {
        client_fail(c, r->err, CLIENT_WHY_APDU, (uint32_t)r->err_pos);
        return;
    }
    if ((a.invoke & 0x0F) != c->invoke)
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a.tag);
    else if (c->state == CLIENT_GETTING && a.tag == DLMS_GET_RESPONSE)
        on_get(c, now_ms, &a);
    else if (c->state == CLIENT_SETTING && a.tag == DLMS_SET_RESPONSE &&
             a.type == DLMS_SETRES_NORMAL)
        end_refused(c, a.result);
    else if (c->state == CLIENT_ACTING && a.tag == DLMS_ACTION_RESPONSE)
        on_action(c, &a);
    else if (c->state == CLIENT_AUTHENTICATING && a.tag == DLMS_ACTION_RESPONSE)
        client_on_hls_answer(c, &a);
    else
        client_fail(c, ERR_FORMAT, CLIENT_WHY_UNEXPECTED, a.tag);
}
