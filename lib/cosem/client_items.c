/* The octets of an answer as values: a block may end anywhere, so what comes next is state.
 *
 *     COUNT -> CHOICE -> DATA -> CHOICE ... -> END
 *                     -> RESULT -> CHOICE ... -> END
 * A single GET begins with DATA. Octets after END are refused by the caller, which asks
 * client_items_complete after the last block and finds octets left over in client_items_feed. */
#include "lib/cosem/client_items.h"

enum { PART_COUNT, PART_CHOICE, PART_DATA, PART_RESULT, PART_END };

void client_items_begin(struct cosem_client *c, uint32_t n, bool counted)
{
    c->item = 0;
    c->n_items = n > 0 ? n : 1;
    c->part = n == 0 ? PART_DATA : counted ? PART_COUNT : PART_CHOICE;
    client_scan_init(&c->scan);
}

bool client_items_complete(const struct cosem_client *c)
{
    return c->part == PART_END;
}

static void end_item(struct cosem_client *c, enum cosem_result result)
{
    if (c->sink.done)
        c->sink.done(c->sink.context, c->item, result);
    c->item++;
    c->part = c->item < c->n_items ? PART_CHOICE : PART_END;
    client_scan_init(&c->scan);
}

static enum err take_data(struct cosem_client *c, struct bytes part, size_t *used)
{
    enum err err = client_scan_feed(&c->scan, part, used);
    if (err)
        return err;
    if (c->sink.data && !c->sink.data(c->sink.context, c->item, (struct bytes){part.p, *used}))
        return ERR_FULL;
    if (client_scan_complete(&c->scan))
        end_item(c, COSEM_SUCCESS);
    return ERR_OK;
}

static enum err take_octet(struct cosem_client *c, uint8_t octet)
{
    if (c->part == PART_COUNT) {
        c->part = PART_CHOICE;
        return octet == c->n_items ? ERR_OK : ERR_RANGE;
    }
    if (c->part == PART_CHOICE) {
        c->part = octet == 0 ? PART_DATA : PART_RESULT;
        return octet <= 1 ? ERR_OK : ERR_FORMAT;
    }
    if (c->part == PART_RESULT && octet != COSEM_SUCCESS) {
        end_item(c, (enum cosem_result)octet);
        return ERR_OK;
    }
    return ERR_FORMAT; /* behind the end, or a success without a value */
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
