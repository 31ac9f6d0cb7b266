/* What the files of the client share; nobody else includes it.
 *
 * client.c keeps the states, sends and frames; client_answer.c understands what comes back;
 * client_items.c hands values on. */
#ifndef FERRARIS_COSEM_CLIENT_PARTS_H
#define FERRARIS_COSEM_CLIENT_PARTS_H

#include "lib/cosem/client.h"

#define CLIENT_CONFORMANCE                                                                         \
    (DLMS_CONF_BLOCK_GET | DLMS_CONF_MULTIPLE | DLMS_CONF_GET | DLMS_CONF_SET |                    \
     DLMS_CONF_SELECTIVE | DLMS_CONF_ACTION)

/* --- client.c --- */
/* True when the association needs keys, titles and counters. */
bool client_uses_keys(const struct cosem_client_config *k);
void client_fail(struct cosem_client *c, enum err err, enum cosem_client_why why, uint32_t detail);
/* A state in which no answer is awaited. */
void client_become(struct cosem_client *c, enum cosem_client_state state);
uint8_t client_next_invoke(struct cosem_client *c); /* invoke-id-and-priority of a new request */
/* Encodes, protects and queues a request, then waits for its answer in `next`. */
MUST_CHECK enum err client_send_request(struct cosem_client *c, uint64_t now_ms,
                                        const struct apdu_request *q, enum cosem_client_state next);

/* --- client_answer.c --- */
void client_on_aare(struct cosem_client *c, uint64_t now_ms, struct bytes apdu);
void client_on_exception(struct cosem_client *c, struct bytes apdu);
/* A plain GET, SET or ACTION response. */
void client_on_response(struct cosem_client *c, uint64_t now_ms, struct rd *r);
/* Opens tag, length, SC ... in place; `plain` reads the inner APDU. False after a failure. */
bool client_unprotect_apdu(struct cosem_client *c, struct bytes apdu, struct rd *plain);

#endif
