/* Inside of the client: hands the octets of an answer to the sink, value by value. */
#ifndef FERRARIS_COSEM_CLIENT_ITEMS_H
#define FERRARIS_COSEM_CLIENT_ITEMS_H

#include "lib/cosem/client.h"

enum client_items_form {
    ITEMS_VALUE,       /* one value alone */
    ITEMS_RESULTS,     /* list of Get-Data-Result: choice, then value or result */
    ITEMS_ACTION,      /* one result with an optional Get-Data-Result */
    ITEMS_ACTION_LIST, /* list of those */
};
/* `counted`: the number of elements of a list comes first. The number is task.n. */
void client_items_begin(struct cosem_client *c, enum client_items_form form, bool counted);
/* Takes octets in order. ERR_FORMAT, ERR_DEPTH (malformed), ERR_RANGE (another number of results),
 * ERR_FULL (the sink wants no more). */
MUST_CHECK enum err client_items_feed(struct cosem_client *c, struct bytes part);
/* Everything that was expected has come. */
bool client_items_complete(const struct cosem_client *c);

#endif
