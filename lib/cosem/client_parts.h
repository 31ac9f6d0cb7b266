/* What the files of the client share; nobody else includes it.
 *
 * client.c keeps the states, the link and time; client_associate.c opens and releases,
 * client_security.c protects, client_request.c begins operations, client_write.c sends values by
 * blocks, client_answer.c understands what comes back, client_items.c hands values on,
 * client_gbt.c transfers by general blocks, client_notice.c takes what the meter says unasked. */
#ifndef FERRARIS_COSEM_CLIENT_PARTS_H
#define FERRARIS_COSEM_CLIENT_PARTS_H

#include "lib/cosem/client.h"

/* A plain APDU is written here in buf: the heads that protection and wrapper need fit in front of
 * it, the tag behind. */
#define CLIENT_PLAIN_AT                                                                            \
    (WRAPPER_HEAD_LEN + APDU_CIPHER_HEAD_MAX + 1 + DLMS_TITLE_LEN + DLMS_HEAD_LEN)
#define CLIENT_TAG_LEN 12u

/* --- client.c --- */
/* What is proposed in the InitiateRequest: what this client does with this configuration. */
uint32_t client_conformance(const struct cosem_client_config *k);
/* At CLIENT_PLAIN_AT; with err set where the link still needs buf. */
struct wr client_plain_writer(struct cosem_client *c);
/* Longest APDU the meter and the link take, protection included. */
size_t client_limit(const struct cosem_client *c);
/* Sends the APDU that `w` wrote at CLIENT_PLAIN_AT, by general blocks where it must be, and waits
 * for the answer in state `next`. ERR_FULL, ERR_BUSY, and those of keys and link. */
MUST_CHECK enum err client_send(struct cosem_client *c, uint64_t now_ms, const struct wr *w,
                                enum cosem_client_state next, bool sealed);
/* The same without waiting for anything: an answer of ours. Where it cannot go it is dropped. */
void client_reply(struct cosem_client *c, const struct wr *w, bool sealed);
/* Hands an APDU to the link, which borrows it. */
MUST_CHECK enum err client_transmit(struct cosem_client *c, uint8_t *apdu, size_t len);
/* Clears the last failure and task. ERR_STATE, ERR_BUSY. */
MUST_CHECK enum err client_begin(struct cosem_client *c, uint64_t now_ms,
                                 enum cosem_client_state needed);
enum err client_local(struct cosem_client *c, enum err err); /* keeps err in failure, gives it */
/* Datagrams may come twice or late: what nobody waits for is dropped then. */
bool client_may_double(const struct cosem_client *c);
void client_close_link(struct cosem_client *c); /* the association is over */
void client_await(struct cosem_client *c, uint64_t now_ms,
                  uint32_t wait_ms); /* sets the deadline */
void client_fail(struct cosem_client *c, enum err err, enum cosem_client_why why, uint32_t detail);
/* A state in which no answer is awaited. */
void client_become(struct cosem_client *c, enum cosem_client_state state);

/* --- client_request.c --- */
uint8_t client_next_invoke(struct cosem_client *c); /* invoke-id-and-priority of a new request */
/* Encodes, protects and queues a request, then waits for its answer in `next`. */
MUST_CHECK enum err client_send_request(struct cosem_client *c, uint64_t now_ms,
                                        const struct apdu_request *q, enum cosem_client_state next);
/* The element or the whole operation is over: the next one, or READY. */
void client_finish(struct cosem_client *c, uint64_t now_ms);
/* The operation is over without success, the association goes on. */
void client_refuse(struct cosem_client *c, enum err err, enum cosem_client_why why,
                   uint32_t detail);

/* --- client_write.c --- */
/* Begins to send the value (SET) or parameter (ACTION) of `attr`, or those of a list (attr NULL:
 * c->task), by blocks. ERR_FULL: not even a first block fits. */
MUST_CHECK enum err client_write_begin(struct cosem_client *c, uint64_t now_ms, uint8_t tag,
                                       const struct apdu_attr *attr);
/* The next block, after the meter has acknowledged the last one. */
MUST_CHECK enum err client_write_next(struct cosem_client *c, uint64_t now_ms, uint8_t tag);

/* --- client_gbt.c --- */
/* True when the protected APDU may go by general blocks. */
bool client_gbt_possible(const struct cosem_client *c, size_t len);
/* Begins with the APDU buf[at .. at + len). */
MUST_CHECK enum err client_gbt_begin(struct cosem_client *c, uint64_t now_ms, size_t at,
                                     size_t len);
/* Takes the block in *apdu; true when with it an APDU is complete, which *apdu and *len then are.
 */
bool client_gbt_on_block(struct cosem_client *c, uint8_t **apdu, size_t *len);
void client_gbt_await(struct cosem_client *c); /* sets the deadline of its words */
/* Sends what waits for the link; false when there is nothing to send now. True with a failure, too:
 * it is looked at next. */
bool client_gbt_step(struct cosem_client *c);
/* No answer in time: true when something goes again. */
bool client_gbt_again(struct cosem_client *c, uint64_t now_ms);
void client_gbt_end(struct cosem_client *c);
size_t client_gbt_max_pdu(const struct cosem_client_config *k); /* what can be proposed at most */

/* --- client_notice.c --- */
/* True where the plain APDU was a notification: it is dealt with. */
bool client_on_notice(struct cosem_client *c, struct bytes plain);

/* --- client_associate.c --- */
/* ERR_RANGE (mechanism), ERR_KEY: something the config's mechanism or security needs is missing. */
MUST_CHECK enum err client_check_secrets(const struct cosem_client_config *k);
/* Sends AARQ or RLRQ; the answer comes to client_on_aare, or is RLRE. Errors: nothing is sent. */
MUST_CHECK enum err client_send_aarq(struct cosem_client *c, uint64_t now_ms);
MUST_CHECK enum err client_send_rlrq(struct cosem_client *c, uint64_t now_ms);
void client_on_aare(struct cosem_client *c, uint64_t now_ms, uint8_t *apdu, size_t len);
/* The ACTION response to the HLS pass 3 that client_on_aare sent. */
void client_on_hls_answer(struct cosem_client *c, const struct apdu_response *a);

/* --- client_security.c --- */
/* True when the association needs keys, titles and counters. */
bool client_uses_keys(const struct cosem_client_config *k);
/* Octets that protection adds to an APDU with this tag at most; 0 where there is none. */
size_t client_overhead(const struct cosem_client *c, uint8_t tag);
/* Seals a body (dlms_seal_with) as the configuration says, with a fresh counter of the key. */
MUST_CHECK enum err client_seal(struct cosem_client *c, bool dedicated, struct dlms_body *b);
/* Protects the plain APDU of *len octets at CLIENT_PLAIN_AT. On success buf[*at .. *at + *len) goes
 * out. */
MUST_CHECK enum err client_protect(struct cosem_client *c, size_t *at, size_t *len);
/* Opens a ciphered APDU in place; `plain` reads the inner APDU. False after a failure. */
bool client_unprotect_apdu(struct cosem_client *c, uint8_t *apdu, size_t len, struct rd *plain);
/* The same for one that nobody waits for: false where it is to be dropped. */
bool client_open_unasked(struct cosem_client *c, uint8_t *apdu, size_t len, struct rd *plain);
/* The association is over: its dedicated key and buf are wiped, the ciphers released. */
void client_release_ciphers(struct cosem_client *c);
/* What was sent and received is not read again; nothing while the link still sends it. */
void client_wipe_buf(struct cosem_client *c);

/* --- client_answer.c --- */
void client_on_exception(struct cosem_client *c, struct bytes apdu);
/* A plain GET, SET, ACTION or ACCESS response. */
void client_on_response(struct cosem_client *c, uint64_t now_ms, struct rd *r);

#endif
