/* One connection to the DLMS server: the complete record, and its calls.
 *
 * The caller owns struct cosem_session (about 10 KiB, options.h) and struct cosem_server; a session
 * must not be moved or copied once initialised. Fields are private to the server's files, except
 * those that bindings of classes 15, 17 and 64 read. No call does I/O, allocates or reads a clock.
 *
 *     while (octets from the line)  used = session_feed(s, p, n);
 *     while ((n = session_take(s, buf, size)) > 0)  write(buf, n);
 *     next = session_poll(s, now_ms);          also after each feed
 *     if (session_closed(s))  close the line, then session_close(s);
 *
 * Octets are wrapper frames (IEC 62056-47). Feed takes no further request while an answer waits to
 * be taken: it then consumes fewer octets than given; take, and feed the rest again. */
#ifndef FERRARIS_COSEM_SESSION_H
#define FERRARIS_COSEM_SESSION_H

#include "lib/cosem/server.h"
#include "lib/crypto/crypto.h"
#include "lib/dlms/apdu.h"
#include "lib/dlms/apdu_notify.h"
#include "lib/dlms/gateway.h"
#include "lib/dlms/gbt.h"
#include "lib/dlms/replay.h"
#include "lib/dlms/wrapper.h"

#define COSEM_PDU_MIN       64 /* a client that can receive less is refused */
#define COSEM_CHALLENGE_LEN 16 /* of the challenge we send (StoC) */
#define COSEM_CHALLENGE_MAX 64
/* Before the octets of an answer: wrapper head; gateway prefix; tag, system title and length of a
 * ciphered APDU; SC and counter; head of a block. */
#if COSEM_WITH_GATEWAY
#define COSEM_TX_PREFIX (WRAPPER_HEAD_LEN + GATEWAY_HEAD_MAX)
#else
#define COSEM_TX_PREFIX WRAPPER_HEAD_LEN
#endif
#define COSEM_TX_HEAD (COSEM_TX_PREFIX + APDU_CIPHER_HEAD_MAX + 1 + DLMS_TITLE_LEN + 5 + 12)

enum session_state {
    SESSION_IDLE,       /* no association */
    SESSION_PENDING,    /* HLS: AARE sent, waiting for reply_to_HLS_authentication */
    SESSION_ASSOCIATED, /* services allowed */
    SESSION_CLOSED      /* the line must be closed; nothing is taken any more */
};
/* What became of the last confirmed data-notification. */
enum session_notice {
    NOTICE_NONE,
    NOTICE_WAITING,   /* sent, its confirmation may come */
    NOTICE_CONFIRMED, /* the receiver has it */
    NOTICE_TIMED_OUT  /* no confirmation in time: send again, or give up */
};
/* What a session is in the middle of; each ends by itself, by any request that does not continue
 * it, and with the association. */
enum session_long {
    SESSION_NO_LONG,
    SESSION_LONG_GET,    /* an answer to GET leaves by blocks: waits for get-next */
    SESSION_LONG_SET,    /* a value comes by blocks */
    SESSION_LONG_ACTION, /* a parameter comes by blocks */
    SESSION_LONG_RETURN  /* an answer to ACTION leaves by blocks: waits for next-pblock */
};
enum session_stream { /* what an answer is made of, behind its head */
                      STREAM_GET,
                      STREAM_GET_LIST,
                      STREAM_ACTION,
                      STREAM_ACTION_LIST,
                      STREAM_ACCESS
};

/* An answer under way, or the octets of a value or parameter that comes by blocks. */
struct session_transfer {
    enum session_long kind;
    enum session_stream stream;
    bool list; /* a value by blocks for several attributes or methods */
    bool open; /* an element is being generated */
    uint8_t invoke;
    uint8_t carry_len;           /* of carry */
    uint16_t n_list;             /* elements in all */
    uint16_t n_left;             /* elements not begun yet */
    uint16_t kept_len, kept_pos; /* descriptors as received; walked while answering */
    uint16_t item_len, item_pos; /* GET: the item and what of it was sent; SET: value so far */
    uint32_t block;              /* number of the last block sent or taken */
    struct apdu_attr target;
    struct cosem_ref ref;
    struct cosem_gen gen;
    uint8_t carry[12]; /* octets a block had no room for when a normal answer turned into blocks */
#if COSEM_WITH_ACCESS
    uint32_t access_invoke; /* long-invoke-id-and-priority */
    uint8_t access_time[12], access_time_len;
    bool access_failed; /* with break-on-error: the rest is not looked at */
    uint8_t access_choice[COSEM_LIST_MAX], access_result[COSEM_LIST_MAX];
#endif
    uint8_t kept[COSEM_KEPT_MAX];
    uint8_t item[1 + COSEM_ITEM_MAX]; /* 1: choice octet of a list's element */
};

#if COSEM_GBT_STORE > 0
/* One exchange by general block transfer: the request being put together, then the answer. Both use
 * the store, one after the other. */
struct session_gbt {
    bool active;         /* an exchange is under way, or the answer's end may be asked for again */
    bool request;        /* during dispatch: the request came by GBT, the answer leaves so, too */
    bool answering;      /* the answer has begun */
    uint16_t in_len;     /* request octets in store */
    uint32_t first_crc;  /* of the request's first block: is it the same that comes again? */
    uint8_t phase;       /* of the answer: enum in server_gbt.c */
    uint8_t sc;          /* protection of the answer, 0 none */
    uint16_t from, left; /* octets to copy next: of tx (an answer that is whole) or of head */
    uint8_t head[24];    /* cipher head with SC and IC; later the tag */
    uint8_t plain[4], plain_len, plain_pos; /* head of the service's answer */
    uint32_t expected, made; /* octets of the plain answer: counted before, and made so far */
    struct gbt_receiver rx;
    struct gbt_sender tx;
    struct crypto_gcm seal;
    uint8_t store[COSEM_GBT_STORE];
};
#endif

/* The small fields stand first, where a short instruction reaches them. */
struct cosem_session {
    struct cosem_server *server;
    enum session_state state;
    const struct cosem_device *device;       /* logical device addressed; NULL when idle */
    const struct cosem_client_entry *client; /* NULL when idle */
    uint16_t client_sap, server_sap;
    uint8_t context; /* DLMS_CONTEXT_LN or _LN_CIPHERED */
    bool has_title, has_dedicated;
    uint8_t client_challenge_len;

    /* protection of the request being answered */
    uint8_t request_sc; /* security control bits; 0: plain */
    bool request_dedicated;
    bool request_general; /* general-glo- or general-ded-ciphering */
    bool tx_unconfirmed;  /* the waiting APDU leaves without a request before it (push), or answers
                             one that came so */
    uint32_t request_counter;

    uint32_t conformance; /* negotiated */
    uint16_t max_pdu;     /* largest APDU the client takes, COSEM_PDU_MIN..COSEM_PDU_MAX */

    /* who asked what is being answered: another client than the associated one gets an exception */
    uint16_t peer_client, peer_server;
    uint16_t line_max; /* longest APDU the line below can carry; 0: no such limit */

    size_t tx_pos, tx_len; /* tx[tx_pos .. tx_len) waits to be taken */
    size_t tx_apdu;        /* where the APDU begins in it */

    bool touched; /* a whole APDU came or octets were taken since the last poll */
    bool clock_running;
    bool security_changed;
    uint8_t new_policy;
    uint64_t last_ms;

#if COSEM_WITH_LOCKS
    struct cosem_session *next_writer; /* in the server's list of sessions with a long write */
#endif
    struct session_transfer transfer;

    uint8_t client_title[DLMS_TITLE_LEN];
    uint8_t challenge[COSEM_CHALLENGE_LEN]; /* ours, StoC */
    uint8_t client_challenge[COSEM_CHALLENGE_MAX];

    uint8_t dedicated_key[16];
    struct dlms_replay dedicated_rx;
    struct dlms_counter dedicated_tx;
#if COSEM_WITH_DEDICATED
    struct crypto_gcm dedicated_gcm;
#endif
    struct dlms_keys new_keys; /* from key transfer: in force once the answer has left */

#if COSEM_WITH_NOTIFICATION
    enum session_notice notice;
    uint32_t notice_invoke;
    uint64_t notice_until_ms;
    uint16_t notice_client, notice_server;
#endif
#if COSEM_WITH_GATEWAY
    bool via_gateway; /* what is being answered came with this prefix */
    struct gateway_prefix gateway;
    bool
        associated_via_gateway; /* the same of the AARQ: so pushes to the associated client leave */
    struct gateway_prefix associated_gateway;
#endif
#if COSEM_GBT_STORE > 0
    struct session_gbt gbt;
#endif
#if COSEM_WITH_WRAPPER
    struct wrapper_rx rx;
    uint8_t rx_buf[COSEM_PDU_MAX];
#endif
    uint8_t tx[COSEM_TX_HEAD + COSEM_PDU_MAX];
};

void session_init(struct cosem_session *s, struct cosem_server *server);
/* Takes octets from the line; gives how many were consumed (fewer: an answer waits). */
size_t session_feed(struct cosem_session *s, const uint8_t *p, size_t n);
/* Copies waiting octets to `to`; 0 when there are none. */
size_t session_take(struct cosem_session *s, uint8_t *to, size_t size);
/* now_ms: any monotonic scale. Closes the session when for inactivity_ms no whole APDU
 * came and nothing was taken. Gives the
 * time of the next call that matters, UINT64_MAX for none. */
uint64_t session_poll(struct cosem_session *s, uint64_t now_ms);
bool session_closed(const struct cosem_session *s);
/* The line is gone: ends the association and wipes what was secret. session_init begins anew. */
void session_close(struct cosem_session *s);

/* One APDU without a wrapper: for every other link (line.h), tests and fuzzing. `apdu` is
 * deciphered in place. What the session says waits with its wrapper header for session_take, or
 * without it here: */
void session_apdu(struct cosem_session *s, uint16_t client_sap, uint16_t server_sap, uint8_t *apdu,
                  size_t len);
/* The APDU that waits to leave, len 0: none. Stays until session_answered(). */
struct bytes session_answer(const struct cosem_session *s);
/* It has left (or never will): a further one may now be waiting, as the blocks of a window of
 * general block transfer. */
void session_answered(struct cosem_session *s);
/* The link closed: the association ends, what waited is dropped and wiped. The session goes on with
 * the next client. */
void session_disconnect(struct cosem_session *s);

#if COSEM_WITH_NOTIFICATION
/* Who gets what the server sends unasked. */
struct session_push {
    uint16_t client_sap; /* of the server's table; 0: the associated client */
    uint16_t server_sap; /* the logical device it comes from; with client_sap */
    uint32_t confirm_ms; /* data-notification: wait so long for its confirmation; 0: none wanted */
};
/* Queues a data-notification, protected as the client's entry and the policy ask for. invoke: its
 * id, 24 bits, with priority; whether it wants a confirmation says confirm_ms. ERR_BUSY (an answer
 * waits to leave), ERR_STATE (closed; no association; confirmation of a protected push that only an
 * association could prove), ERR_UNSUPPORTED (not agreed), ERR_NOT_FOUND (no such client), ERR_RANGE
 * (longer than the receiver takes), ERR_KEY, and of the invocation counter. */
MUST_CHECK enum err session_notify_data(struct cosem_session *s, uint64_t now_ms,
                                        const struct session_push *to,
                                        const struct apdu_notification *n);
/* The same with an event-notification, which is never confirmed. */
MUST_CHECK enum err session_notify_event(struct cosem_session *s, const struct session_push *to,
                                         const struct apdu_event *e);
/* Of the last confirmed data-notification; session_poll lets its time run out. */
enum session_notice session_notice(const struct cosem_session *s);
#endif

#endif
