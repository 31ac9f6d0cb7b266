/* What the files of the server share; nobody else includes it.
 *
 * session.c frames and dispatches, server_security.c protects, server_association.c opens and
 * releases, server_get.c and server_set.c serve. Every path ends in exactly one reply_* call. */
#ifndef FERRARIS_COSEM_SERVER_PARTS_H
#define FERRARIS_COSEM_SERVER_PARTS_H

#include "lib/cosem/session.h"
#include "lib/crypto/crypto.h"

/* Where plain APDUs are built in tx: the room before them takes wrapper, cipher head, SC, IC. */
#define REPLY_START (COSEM_TX_HEAD - 12)
#define SERVER_CONFORMANCE                                                                         \
    (DLMS_CONF_GENERAL_PROT | DLMS_CONF_BLOCK_GET | DLMS_CONF_BLOCK_SET | DLMS_CONF_MULTIPLE |     \
     DLMS_CONF_GET | DLMS_CONF_SET | DLMS_CONF_SELECTIVE | DLMS_CONF_ACTION)

/* --- session.c --- */
struct wr reply_begin(struct cosem_session *s); /* for a plain APDU at REPLY_START */
/* Protects tx[start .. start + len) as the request was, frames it and makes it ready to take. */
void reply_send(struct cosem_session *s, size_t start, size_t len);
/* The same without protection: association control, exceptions. */
void reply_send_plain(struct cosem_session *s, size_t start, size_t len);
void reply_response(struct cosem_session *s, const struct apdu_response *a);
void reply_exception(struct cosem_session *s, uint8_t state_error, uint8_t service_error);
/* Everything told so far becomes durable (config.before_tell). */
MUST_CHECK enum err server_before_tell(struct cosem_session *s);
struct cosem_call server_call(struct cosem_session *s);
void association_end(struct cosem_session *s);
bool policy_allows(const uint16_t rights[COSEM_N_ROLES], enum cosem_role role, uint8_t id);
/* Object and class of a descriptor, or why not. */
enum cosem_result server_resolve(struct cosem_session *s, const struct apdu_attr *a,
                                 struct cosem_ref *ref, const struct cosem_class **ic);

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
void association_open(struct cosem_session *s, uint8_t *apdu, size_t len);
void association_release(struct cosem_session *s, uint8_t *apdu, size_t len);
/* reply_to_HLS_authentication: checks the client's f(StoC), writes our f(CtoS) as Data. */
enum cosem_result association_hls_reply(struct cosem_session *s, struct rd *param,
                                        struct wr *reply);

/* --- server_get.c, server_set.c --- */
void server_get(struct cosem_session *s, const struct apdu_request *q);
void server_set(struct cosem_session *s, const struct apdu_request *q);
void server_action(struct cosem_session *s, const struct apdu_request *q);

#endif
