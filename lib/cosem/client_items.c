/* The octets of an answer as values: a block may end anywhere, so what comes next is state.
 *
 *     GET                      DATA -> END
 *     GET list     COUNT -> CHOICE -> DATA -> CHOICE ... -> END
 *                                  -> RESULT -> CHOICE ... -> END
 *     ACTION, list COUNT -> ACTION -> OPTION -> CHOICE -> DATA -> ACTION ... -> END
 *                                            -> ACTION ...     -> RESULT -> ACTION ... -> END
 *
 * Octets after END are refused by the caller, which asks client_items_complete after the last block
 * and finds octets left over in client_items_feed. A method's result is told with its value; where
 * it failed, a return value is dropped. */
#include "lib/cosem/client_items.h"

enum { PART_COUNT, PART_CHOICE, PART_DATA, PART_RESULT, PART_ACTION, PART_OPTION, PART_END };

static uint8_t first_part(const struct cosem_client *c)
{
    return c->of_action ? PART_ACTION : PART_CHOICE;
}

void client_items_begin(struct cosem_client *c, enum client_items_form form, bool counted)
{
    const bool list = form == ITEMS_RESULTS || form == ITEMS_ACTION_LIST;
    c->of_action = form == ITEMS_ACTION || form == ITEMS_ACTION_LIST;
    c->action_result = COSEM_SUCCESS;
    c->item = list ? 0 : c->task.at;
    c->n_items = list ? c->task.n : c->item + 1;
    c->part = form == ITEMS_VALUE ? PART_DATA : counted ? PART_COUNT : first_part(c);
    client_scan_init(&c->scan);
}

bool client_items_complete(const struct cosem_client *c)
{
    return c->part == PART_END;
}

static void end_item(struct cosem_client *c, uint8_t result)
{
    if (c->sink.done)
        c->sink.done(c->sink.context, c->item, (enum cosem_result)result);
    c->item++;
    c->part = c->item < c->n_items ? first_part(c) : PART_END;
    client_scan_init(&c->scan);
}

static enum err take_data(struct cosem_client *c, struct bytes part, size_t *used)
{
    enum err err = client_scan_feed(&c->scan, part, used);
    if (err)
        return err;
    if (c->sink.data && c->action_result == COSEM_SUCCESS &&
        !c->sink.data(c->sink.context, c->item, (struct bytes){part.p, *used}))
        return ERR_FULL;
    if (client_scan_complete(&c->scan))
        end_item(c, c->action_result);
    return ERR_OK;
}

/* In an answer to ACTION a data-access-result stands where a value could. */
static enum err take_result(struct cosem_client *c, uint8_t octet)
{
    if (!c->of_action && octet == COSEM_SUCCESS)
        return ERR_FORMAT; /* a success without a value */
    end_item(c, c->action_result != COSEM_SUCCESS ? c->action_result : octet);
    return ERR_OK;
}

static enum err take_octet(struct cosem_client *c, uint8_t octet)
{
    switch (c->part) {
    case PART_COUNT:
        c->part = first_part(c);
        return octet == c->n_items ? ERR_OK : ERR_RANGE;
    case PART_ACTION:
        c->action_result = octet;
        c->part = PART_OPTION;
        return ERR_OK;
    case PART_OPTION:
        if (octet == 0)
            end_item(c, c->action_result);
        else
            c->part = PART_CHOICE;
        return octet <= 1 ? ERR_OK : ERR_FORMAT;
    case PART_CHOICE:
        c->part = octet == 0 ? PART_DATA : PART_RESULT;
        return octet <= 1 ? ERR_OK : ERR_FORMAT;
    case PART_RESULT:
        return take_result(c, octet);
    default:
        return ERR_FORMAT; /* behind the end */
    }
}

enum err client_items_feed(struct cosem_client *c, struct bytes part)
{
    enum err err = ERR_OK;
    for (size_t at = 0; at < part.len && !err;) {
        size_t used = 1;
        if (c->part == PART_DATA)
            err = take_data(c, (struct bytes){part.p + at, part.len - at}, &used);
        else
            err = take_octet(c, part.p[at]);
        at += used;
    }
    return err;
}
