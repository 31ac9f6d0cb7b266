/* What the files of the server share; nobody else includes it.
 *
 * session.c frames, server_dispatch.c finds the service, server_security.c protects,
 * server_association.c opens and releases; server_get.c, server_set.c, server_action.c,
 * server_access.c serve; server_stream.c and server_gbt.c make long answers leave;
 * server_notify.c speaks unasked. Every request ends in one reply_* call, but a block of a general
 * block transfer within its window. */
#ifndef FERRARIS_COSEM_SERVER_PARTS_H
#define FERRARIS_COSEM_SERVER_PARTS_H

#include "lib/cosem/session.h"
#include "lib/crypto/crypto.h"

/* Where plain APDUs are built in tx: the room before them takes wrapper, cipher head, SC, IC. */
#define REPLY_START              (COSEM_TX_HEAD - 12)
#define CONFORMANCE_IF(on, bits) ((on) ? (bits) : 0)
#define SERVER_CONFORMANCE                                                                         \
    (DLMS_CONF_GENERAL_PROT | DLMS_CONF_BLOCK_GET | DLMS_CONF_GET | DLMS_CONF_SELECTIVE |          \
     CONFORMANCE_IF(COSEM_WITH_SET, DLMS_CONF_SET) |                                               \
     CONFORMANCE_IF(COSEM_WITH_ACTION, DLMS_CONF_ACTION) |                                         \
     CONFORMANCE_IF(COSEM_WITH_LIST, DLMS_CONF_MULTIPLE) |                                         \
     CONFORMANCE_IF(COSEM_WITH_BLOCK_WRITE && COSEM_WITH_SET, DLMS_CONF_BLOCK_SET) |               \
     CONFORMANCE_IF(COSEM_WITH_BLOCK_ACTION, DLMS_CONF_BLOCK_ACTION) |                             \
     CONFORMANCE_IF(COSEM_WITH_ACCESS, DLMS_CONF_ACCESS) |                                         \
     CONFORMANCE_IF(COSEM_WITH_NOTIFICATION, DLMS_CONF_NOTIFICATION | DLMS_CONF_EVENT) |           \
     CONFORMANCE_IF(COSEM_GBT_STORE > 0, DLMS_CONF_GENERAL_BLOCK))

/* --- session.c --- */
struct wr reply_begin(struct cosem_session *s); /* for a plain APDU at REPLY_START */
/* Protects tx[start .. start + len) as the request was, frames it and makes it ready to take. */
void reply_send(struct cosem_session *s, size_t start, size_t len);
/* The same without protection: association control, exceptions. */
void reply_send_plain(struct cosem_session *s, size_t start, size_t len);
/* The same, and never as a block of general block transfer: its blocks themselves. */
void reply_frame(struct cosem_session *s, size_t start, size_t len);
/* A response without data: what its type has of a block number and the results, 1 at least. */
void reply_results(struct cosem_session *s, uint8_t tag, uint8_t type, uint32_t block,
                   struct bytes results);
void reply_result(struct cosem_session *s, uint8_t tag, uint8_t type, uint32_t block,
                  enum cosem_result result);
void reply_exception(struct cosem_session *s, uint8_t state_error, uint8_t service_error);
/* The same as a frame of its own, also where the request came by general block transfer. */
void reply_exception_frame(struct cosem_session *s, uint8_t state_error, uint8_t service_error);
/* Everything told so far becomes durable (config.before_tell). */
MUST_CHECK enum err server_before_tell(struct cosem_session *s);
struct cosem_call server_call(struct cosem_session *s);
void association_end(struct cosem_session *s);
size_t server_entry(const struct cosem_session *s); /* index of its client */
bool policy_allows(const uint16_t rights[COSEM_N_ROLES], enum cosem_role role, uint8_t id);
/* Object and class of a descriptor, where the client may do this with the attribute or method a->id
 * and the binding can; or why not. */
enum server_wish { WISH_READ, WISH_WRITE, WISH_INVOKE };
enum cosem_result server_resolve(struct cosem_session *s, const struct apdu_attr *a,
                                 enum server_wish wish, struct cosem_ref *ref,
                                 const struct cosem_class **ic);

/* --- server_security.c --- */
/* SC bits that requests of this association must carry at least. */
uint8_t security_required(const struct cosem_session *s);
/* Octets that protection of an answer as long as `total` adds; 0 for a plain one. */
size_t security_overhead(const struct cosem_session *s, size_t total);
/* Before SC of a ciphered APDU, at most: tag, system title with its length (general), length. */
#define SECURITY_HEAD_MAX (APDU_CIPHER_HEAD_MAX + 1 + DLMS_TITLE_LEN)
/* A tag that security_open_apdu takes: glo-*, ded-*, general-glo-, general-ded-ciphering. */
bool security_is_ciphered(uint8_t tag);
/* SERVER_CONFORMANCE as an association with this context offers it. */
uint32_t security_conformance(uint8_t context);
/* Opens a whole ciphered APDU in place: *plain is the APDU inside (of a general form any, even
 * another ciphered one: refuse what is not expected). Sets the request_* fields, so that the answer
 * leaves in the same form. After an error: security_refuse. As security_open, and ERR_FORMAT,
 * ERR_KEY for another system title, ERR_UNSUPPORTED for general forms not negotiated. */
MUST_CHECK enum err security_open_apdu(struct cosem_session *s, uint8_t *apdu, size_t len,
                                       struct bytes *plain);
/* Sends the exception-response that says why security_open_apdu failed. */
void security_refuse(struct cosem_session *s, enum err err);
/* Tells config.refused, where the error is one of protection. */
void security_report(struct cosem_session *s, enum err err);
/* The counter the client must use at least, for the exception that tells it. */
uint32_t security_expected(struct cosem_session *s);
/* Seals the plain APDU buf[*start .. *start + *len) as the request was and moves *start and *len
 * to the ciphered one. Needs SECURITY_HEAD_MAX + DLMS_HEAD_LEN octets before *start and
 * CRYPTO_GCM_TAG behind. Nothing to do for a plain request. ERR_UNSUPPORTED (no such ciphered
 * form), ERR_COUNTER, the counter store's errors, ERR_FULL, ERR_IO. */
MUST_CHECK enum err security_seal_apdu(struct cosem_session *s, uint8_t *buf, size_t size,
                                       size_t *start, size_t *len);
/* Opens SC||IC||text[||tag] in place and checks bits, tag, counter; sets the request_* fields. tag:
 * of the APDU that must be inside, 0 any.
 * ERR_KEY, ERR_ACCESS (bits below the policy, plain context, other APDU inside than `tag`),
 * ERR_TAG, ERR_TRUNCATED, ERR_UNSUPPORTED, ERR_REPLAY (counter). */
MUST_CHECK enum err security_open(struct cosem_session *s, uint8_t tag, uint8_t *body, size_t len,
                                  bool dedicated, struct bytes *plain);
/* Seals the plain APDU at buf + DLMS_HEAD_LEN as the request was; *out_len octets from buf. */
MUST_CHECK enum err security_seal(struct cosem_session *s, uint8_t *buf, size_t plain_len,
                                  size_t size, size_t *out_len);
/* Sealing of an answer whose plain APDU of `total` octets is longer than any buffer, as for general
 * block transfer. begin writes to `head` what stands before the text of the ciphered APDU, in the
 * form of the request (SECURITY_HEAD_MAX + DLMS_HEAD_LEN octets at most); then the plain APDU goes
 * through part, piece by piece, in place; end writes the tag, *tag_len 0 without one. The ciphered
 * APDU has head, text and tag in a row. g is this answer's alone until the end, and the caller's to
 * end. sc: s->request_sc as it was at begin, when it was not 0. */
MUST_CHECK enum err security_seal_begin(struct cosem_session *s, struct crypto_gcm *g,
                                        uint8_t plain_tag, size_t total, struct wr *head);
MUST_CHECK enum err security_seal_part(struct crypto_gcm *g, uint8_t sc, uint8_t *p, size_t len);
MUST_CHECK enum err security_seal_end(struct crypto_gcm *g, uint8_t sc, uint8_t tag[CRYPTO_GCM_TAG],
                                      size_t *tag_len);
/* Which counters of the client's global key were used, and it put back after a change. */
struct dlms_replay security_window(const struct cosem_session *s);
void security_set_window(struct cosem_session *s, const struct dlms_replay *w);
/* A counter that nothing proves itself, but that comes closely after a proven one. */
bool security_follows(uint32_t counter, uint32_t proven);
/* The association is over: its dedicated key is forgotten. */
void security_end(struct cosem_session *s);

/* --- server_backoff.c --- */
/* True while this session's client entry is held back after failed authentications. */
bool backoff_refuses(const struct cosem_session *s);
void backoff_note(struct cosem_session *s, bool authenticated);
/* Time passes. Gives when somebody is let in again, UINT64_MAX: nobody waits. */
uint64_t backoff_poll(struct cosem_server *server, uint64_t now_ms);

/* --- server_association.c --- */
/* Answers an AARQ, of which nothing is left in `apdu`. */
void association_open(struct cosem_session *s, uint8_t *apdu, size_t len);
void association_release(struct cosem_session *s, uint8_t *apdu, size_t len);
/* reply_to_HLS_authentication: checks the client's f(StoC), writes our f(CtoS) as Data. */
enum cosem_result association_hls_reply(struct cosem_session *s, struct rd *param,
                                        struct wr *reply);

/* --- server_dispatch.c --- */
/* A request, ciphered or in the clear, other than those of association control. */
void server_serve(struct cosem_session *s, uint8_t *apdu, size_t len);

/* --- server_stream.c --- */
/* Octets of a plain APDU that an answer may have now. */
size_t server_budget(const struct cosem_session *s);
/* Appends stream octets to w until it is full or the stream ends (*done). */
enum cosem_result stream_fill(struct cosem_session *s, struct wr *w, bool *done);
void stream_rewind(struct cosem_session *s);
/* Begins to read transfer.target; the first item stands behind n_choice octets of 0. */
enum cosem_result stream_read(struct cosem_session *s, struct wr *w, size_t n_choice);
/* The stream goes on with these octets, 1 + COSEM_ITEM_MAX at most. */
void stream_octets(struct session_transfer *t, const void *p, size_t n);
/* Answers with the stream that transfer.stream, n_list, target or kept describe. */
void answer_stream(struct cosem_session *s);
/* Sends n stream octets at COSEM_TX_HEAD as the whole answer. */
void answer_whole(struct cosem_session *s, size_t n);
/* The answer is longer than an APDU. True: by blocks of the service, answer_block sends the next
 * one. False: it leaves by general block transfer, or the client was told why not. */
bool answer_by_parts(struct cosem_session *s);
void answer_block(struct cosem_session *s);
/* The transfer ends here, with this result in place of a block. */
void answer_block_result(struct cosem_session *s, uint32_t block, enum cosem_result result);
/* The same in place of the whole answer. */
void answer_result(struct cosem_session *s, enum cosem_result result);
/* Head of the answer in one APDU; gives its length. */
size_t answer_put_head(const struct session_transfer *t, uint8_t head[4]);

/* --- server_get.c --- */
void server_get(struct cosem_session *s, const struct apdu_request *q);
/* May transfer.target be read, and in this way? Fills transfer.ref. */
enum cosem_result server_may_read(struct cosem_session *s);

/* A list as a whole, before anything of it is used: moves `values` behind their count; false where
 * they are not n, 1..COSEM_LIST_MAX, one value each and nothing behind. */
bool server_list_whole(struct rd *values, uint32_t n);
/* Moves r behind the n descriptors that one_get reads. */
void server_skip_names(struct rd *r, uint32_t n, void (*get_one)(struct rd *, struct apdu_attr *));

/* --- server_set.c --- */
void server_set(struct cosem_session *s, const struct apdu_request *q);
enum cosem_result server_write(struct cosem_session *s, const struct apdu_attr *a,
                               struct bytes value);
/* Ends what is under way; its lock, if any, is free. */
void transfer_end(struct cosem_session *s);
/* Blocks of a value or parameter, into transfer.item. */
enum gather { GATHER_MORE, GATHER_WHOLE, GATHER_NONE, GATHER_ORDER, GATHER_TOO_LONG };
/* SUCCESS, TEMPORARY_FAILURE (locked), LONG_SET_ABORTED (list too long). */
enum cosem_result gather_begin(struct cosem_session *s, const struct apdu_request *q,
                               enum session_long kind);
enum gather gather_block(struct cosem_session *s, const struct apdu_request *q,
                         enum session_long kind);

/* --- server_lock.c --- */
/* Another association is in the middle of writing to this object. */
bool server_locked(struct cosem_session *s, const struct apdu_attr *a);
/* Locks what the transfer that begins is for; false: another association holds it. */
bool lock_begin(struct cosem_session *s);
/* Nothing is locked by this session any more. */
void lock_end(struct cosem_server *server, struct cosem_session *s);

/* --- server_action.c --- */
void server_action(struct cosem_session *s, const struct apdu_request *q);
/* Return value, one Data, to `reply`. */
enum cosem_result server_invoke(struct cosem_session *s, const struct apdu_attr *a,
                                struct bytes parameter, struct wr *reply);
/* Object and method exist and the client may invoke it. */
enum cosem_result server_may_invoke(struct cosem_session *s, const struct apdu_attr *a,
                                    struct cosem_ref *ref, const struct cosem_class **ic);
enum cosem_result server_may_write(struct cosem_session *s, const struct apdu_attr *a,
                                   struct cosem_ref *ref, const struct cosem_class **ic);

/* --- server_access.c --- */
void server_access(struct cosem_session *s, struct bytes apdu);
/* An ACCESS response as a stream: how many parts, and the next of them. */
unsigned access_parts(const struct session_transfer *t);
enum cosem_result access_part(struct cosem_session *s, struct wr *w);

/* --- server_gbt.c --- */
/* A block from the client. */
void server_gbt(struct cosem_session *s, uint8_t *apdu, size_t len);
void gbt_end(struct cosem_session *s);    /* no exchange is under way any more */
void gbt_forget(struct cosem_session *s); /* nor is anything left of one: key, octets */
void gbt_next(struct cosem_session *s);   /* the last block has left: is there one more? */
/* Sends a whole answer, tx[start .. start + len), as the answer to a request that came so. */
void gbt_answer(struct cosem_session *s, size_t start, size_t len);
/* Sends the stream. */
void gbt_answer_stream(struct cosem_session *s);
bool gbt_agreed(const struct cosem_session *s);
bool gbt_requested(const struct cosem_session *s); /* what is being answered came so */

/* --- server_notify.c --- */
void server_confirmed(struct cosem_session *s, struct bytes apdu);
uint64_t notice_poll(struct cosem_session *s, uint64_t now_ms);

#endif
