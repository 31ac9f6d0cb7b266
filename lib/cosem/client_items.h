/* Inside of the client: hands the octets of an answer to the sink, value by value. */
#ifndef FERRARIS_COSEM_CLIENT_ITEMS_H
#define FERRARIS_COSEM_CLIENT_ITEMS_H

#include "lib/cosem/client.h"

/* Expects one value without a choice in front (n 0), or a list of n results with it; `counted`: the
 * number of results comes first. */
void client_items_begin(struct cosem_client *c, uint32_t n, bool counted);
/* Takes octets in order. ERR_FORMAT, ERR_DEPTH (malformed), ERR_RANGE (another number of results),
 * ERR_FULL (the sink wants no more). */
MUST_CHECK enum err client_items_feed(struct cosem_client *c, struct bytes part);
/* Everything that was expected has come. */
bool client_items_complete(const struct cosem_client *c);

#endif
