/* What the files of the client share; nobody else includes it.
 *
 * client.c keeps the states, sends and frames; client_associate.c opens and releases,
 * client_security.c protects, client_answer.c understands what comes back, client_items.c hands
 * values on. */
#ifndef FERRARIS_COSEM_CLIENT_PARTS_H
#define FERRARIS_COSEM_CLIENT_PARTS_H

#include "lib/cosem/client.h"

#define CLIENT_CONFORMANCE                                                                         \
    (DLMS_CONF_BLOCK_GET | DLMS_CONF_MULTIPLE | DLMS_CONF_GET | DLMS_CONF_SET |                    \
     DLMS_CONF_SELECTIVE | DLMS_CONF_ACTION)

/* A plain APDU is written here in buf: the heads that protection and wrapper need fit in front of
 * it, the tag behind. */
#define CLIENT_PLAIN_AT                                                                            \
    (WRAPPER_HEAD_LEN + APDU_CIPHER_HEAD_MAX + 1 + DLMS_TITLE_LEN + DLMS_HEAD_LEN)
#define CLIENT_TAG_LEN 12u

/* --- client.c --- */
struct wr client_plain_writer(struct cosem_client *c); /* at CLIENT_PLAIN_AT */
/* Sends the APDU that `w` wrote at CLIENT_PLAIN_AT and waits for the answer in state `next`. */
MUST_CHECK enum err client_send(struct cosem_client *c, uint64_t now_ms, const struct wr *w,
                                enum cosem_client_state next, bool sealed);
void client_fail(struct cosem_client *c, enum err err, enum cosem_client_why why, uint32_t detail);
/* A state in which no answer is awaited. */
void client_become(struct cosem_client *c, enum cosem_client_state state);
uint8_t client_next_invoke(struct cosem_client *c); /* invoke-id-and-priority of a new request */
/* Encodes, protects and queues a request, then waits for its answer in `next`. */
MUST_CHECK enum err client_send_request(struct cosem_client *c, uint64_t now_ms,
                                        const struct apdu_request *q, enum cosem_client_state next);

/* --- client_associate.c --- */
/* Sends AARQ or RLRQ; the answer comes to client_on_aare, or is RLRE. Errors: nothing is sent. */
MUST_CHECK enum err client_send_aarq(struct cosem_client *c, uint64_t now_ms);
MUST_CHECK enum err client_send_rlrq(struct cosem_client *c, uint64_t now_ms);
void client_on_aare(struct cosem_client *c, uint64_t now_ms, struct bytes apdu);
/* The ACTION response to the HLS pass 3 that client_on_aare sent. */
void client_on_hls_answer(struct cosem_client *c, const struct apdu_response *a);

/* --- client_security.c --- */
/* True when the association needs keys, titles and counters. */
bool client_uses_keys(const struct cosem_client_config *k);
/* Octets that protection adds to a request at most; 0 where there is none. */
size_t client_overhead(const struct cosem_client *c);
/* Protects the plain APDU of *len octets at CLIENT_PLAIN_AT. On success buf[*at .. *at + *len) goes
 * out. */
MUST_CHECK enum err client_protect(struct cosem_client *c, size_t *at, size_t *len);
/* Opens a ciphered APDU in place; `plain` reads the inner APDU. False after a failure. */
bool client_unprotect_apdu(struct cosem_client *c, struct bytes apdu, struct rd *plain);

/* --- client_answer.c --- */
void client_on_exception(struct cosem_client *c, struct bytes apdu);
/* A plain GET, SET or ACTION response. */
void client_on_response(struct cosem_client *c, uint64_t now_ms, struct rd *r);
#endif
