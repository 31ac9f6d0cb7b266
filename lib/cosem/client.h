/* DLMS client engine: one association over any link, no I/O, no allocation, no clock.
 *
 *     cosem_client_get(...) -> take() -> bytes to the line
 *     bytes from the line -> feed() -> values to the sink, the next request to take()
 *     poll(now) -> when to come back; a missing answer becomes a failure
 *
 * The struct has a fixed size (about one PDU), so ten thousand sessions are an array; it must not
 * move after cosem_client_init, which also lends it the config's keys, password, counter, rng, link
 * and gbt_buffer until the last call. One operation at a time; it ends when state is CLIENT_READY
 * again (or CLIENT_CLOSED after a release) or CLIENT_FAILED. Values are handed on in pieces as they
 * arrive, so a profile of any length needs no buffer here. State diagram: head of client.c. Green
 * Book 9.3, 9.4, IEC 62056-47.
 *
 * How a request goes is chosen by size and by what the meter agreed on: general block transfer
 * (with gbt_window) where it fits the buffer for that; else one APDU where it fits the meter's PDU;
 * else the blocks of SET and ACTION. Lists go one by one where the meter does not agree on lists.
 *
 * All input from the line is hostile: lengths, block numbers, counters, tags and the form of values
 * are checked before anything reaches the sink, except that a value's first blocks are handed on
 * before its last one has come. */
#ifndef FERRARIS_COSEM_CLIENT_H
#define FERRARIS_COSEM_CLIENT_H

#include "firmware/hal/rng.h"
#include "lib/cosem/client_scan.h"
#include "lib/cosem/results.h"
#include "lib/dlms/acse.h"
#include "lib/dlms/apdu.h"
#include "lib/dlms/apdu_access.h"
#include "lib/dlms/apdu_notify.h"
#include "lib/dlms/gbt.h"
#include "lib/dlms/link.h"
#include "lib/dlms/replay.h"
#include "lib/dlms/security.h"
#include "lib/dlms/wrapper_link.h"

#define COSEM_CLIENT_PDU_MAX  2048 /* largest APDU sent or received */
#define COSEM_CLIENT_LIST_MAX 64   /* elements of one list */
#define COSEM_CLIENT_STOC_MAX 64   /* longest challenge of the server */
#define COSEM_CLIENT_BLOCK_MAX                                                                     \
    512 /* general block transfer without a buffer of its own: an APDU                             \
         */

struct cosem_client_notice { /* borrowed for the call */
    bool is_event;
    struct apdu_notification data;
    struct apdu_event event;
};

struct cosem_client_config {
    uint16_t client_sap; /* 16 public, 1 management, 2 reader ... */
    uint16_t server_sap; /* 1 management logical device */
    uint8_t mechanism;   /* DLMS_MECHANISM_* */
    uint8_t security;    /* DLMS_SC_AUTH | DLMS_SC_ENC of every APDU, both ways; 0: none */
    uint16_t max_pdu;    /* what we propose to accept, 64..COSEM_CLIENT_PDU_MAX; 0: the largest */
    uint32_t timeout_ms; /* for each answer; 0: for ever (and lost blocks are not recovered) */
    uint32_t rx_floor;   /* smallest invocation counter accepted from the server, 0: any */
    uint8_t title[DLMS_TITLE_LEN]; /* own system title; with HLS5 or security */
    const struct dlms_keys *keys;  /* with HLS5 or security */
    struct dlms_counter *counter;  /* own invocation counter; with HLS5 or security */
    const char *password;          /* with LLS, HLS 2, 3, 4, 6 */
    const struct hal_rng *rng;     /* with HLS, and for a dedicated key */
    /* HLS 2: the manufacturer's secret algorithm, see hls.h */
    enum err (*hls2)(void *context, struct bytes secret, struct bytes challenge, uint8_t *out,
                     size_t *len);
    void *hls2_context;
    /* The link that carries the APDUs (link.h), initialised, the caller's; feed, take and poll of
     * this client drive it, connect opens it first and release closes it last. NULL: the wrapper,
     * built in. */
    struct dlms_link *link;
    bool dedicated; /* with security of both bits: draws a dedicated key for the association and
                       uses it from READY on, with counters of its own from 0 */
    bool general;   /* general-glo- or general-ded-ciphering in place of the services' own tags */
    /* Proposes general block transfer and takes so many blocks in a row, 1..63; 0: does not propose
     * it. Where agreed, requests go so, and thus their answers, too: long ones stream, and a block
     * not answered within a third of timeout_ms goes again, twice. */
    uint8_t gbt_window;
    /* Where requests and answers of general block transfer are put together: the longest of them.
     * NULL: in the client itself, requests to 1000 octets, answers to 1500, and max_pdu is cut down
     * to COSEM_CLIENT_BLOCK_MAX. */
    uint8_t *gbt_buffer;
    size_t gbt_size;
    /* Receives what the meter sends unasked: data-notification and event-notification, opened if
     * ciphered with the keys, dropped where less protected than `security`; a confirmed one is
     * confirmed by the client. NULL: all are dropped. */
    void (*notified)(void *context, const struct cosem_client_notice *notice);
    void *notified_context;
};

/* Receives the values. `index` counts within a get_list, 0 else. */
struct cosem_client_sink {
    void *context;
    /* The next octets of the A-XDR value, borrowed for the call. False: the caller wants no more;
     * the session fails with ERR_FULL. NULL: dropped. */
    bool (*data)(void *context, uint32_t index, struct bytes part);
    /* The item is complete (COSEM_SUCCESS) or refused by the meter. For SET and ACTION, too. NULL:
     * not wanted. */
    void (*done)(void *context, uint32_t index, enum cosem_result result);
};

enum cosem_client_state {
    CLIENT_CLOSED,         /* no association: connect may be called */
    CLIENT_OPENING,        /* the link is being opened; never with the built-in one */
    CLIENT_ASSOCIATING,    /* AARQ is out */
    CLIENT_AUTHENTICATING, /* HLS pass 3 is out */
    CLIENT_READY,          /* associated, idle */
    CLIENT_GETTING,
    CLIENT_SETTING,
    CLIENT_ACTING,
    CLIENT_ACCESSING,
    CLIENT_RELEASING, /* RLRQ is out */
    CLIENT_CLOSING,   /* the link is being closed; never with the built-in one */
    CLIENT_FAILED, /* close the line when take() gives no more; connect may be called on a new one
                    */
    CLIENT_N_STATES
};

enum cosem_client_why {
    CLIENT_WHY_NONE,
    CLIENT_WHY_LOCAL,      /* keys, password, counter, rng or buffer on this side: see err */
    CLIENT_WHY_TIMEOUT,    /* no answer */
    CLIENT_WHY_CLOSED,     /* the other side closed the line */
    CLIENT_WHY_FRAME,      /* not a wrapper frame, too long, or for other ports */
    CLIENT_WHY_APDU,       /* malformed at octet `detail` */
    CLIENT_WHY_UNEXPECTED, /* an APDU with tag `detail` that does not belong here */
    CLIENT_WHY_REFUSED,    /* AARE: source, diagnostic = detail */
    CLIENT_WHY_INITIATE,   /* the meter cannot agree on the xDLMS context; detail = its reason */
    CLIENT_WHY_NO_TITLE,   /* AARE without the server's system title or challenge */
    CLIENT_WHY_EXCEPTION,  /* exception-response, service error = detail */
    CLIENT_WHY_DECIPHER,   /* the answer cannot be deciphered: see err */
    CLIENT_WHY_WEAK,       /* the answer is less protected than asked; detail = its control octet */
    CLIENT_WHY_COUNTER,    /* the server's invocation counter went back; detail = it */
    CLIENT_WHY_HLS,        /* the server could not prove that it knows the keys */
    CLIENT_WHY_BLOCK,      /* block number detail is out of order */
    CLIENT_WHY_VALUE,      /* the value is malformed, cut or has octets behind it */
    CLIENT_WHY_SINK,       /* the receiver wanted no more */
    CLIENT_WHY_LINK,       /* the link failed: dlms_link_why() says how */
    CLIENT_WHY_NO_LIST,    /* a list was refused as a whole (READY), data-access-result = detail */
    CLIENT_WHY_LONG        /* an answer by general block transfer is longer than its buffer */
};

struct cosem_client_failure {
    enum err err; /* ERR_OK: none */
    enum cosem_client_why why;
    enum cosem_client_state during;
    uint8_t source; /* of CLIENT_WHY_REFUSED */
    uint32_t detail;
    uint32_t counter; /* with the exception "invocation counter error": what the meter expects */
};

/* What is left to do of the operation under way. */
struct client_task {
    const struct apdu_attr *attrs; /* borrowed: of lists that go one by one, and parameters */
    struct bytes values;           /* borrowed: of a list, or what goes by blocks */
    struct bytes rest;             /* borrowed: one by one, values of the elements to come */
    uint32_t n;                    /* elements; 0: a single one, no list */
    uint32_t at;                   /* one by one: the element under way */
    bool one_by_one;
    bool by_blocks; /* a value or parameters leave by the blocks of SET and ACTION */
    uint8_t count;  /* n as an octet: what the values of a list begin with */
    uint32_t block; /* last one sent */
    uint32_t piece; /* which part of the octets goes next: count, values or a parameter ... */
    size_t offset;  /* ... and from where in it */
    size_t left;    /* octets not sent */
};
/* An exchange by general block transfer. */
struct client_gbt {
    bool active;
    uint8_t tries; /* the same word went so often without an answer */
    uint8_t idle;  /* blocks in a row that brought nothing new */
    struct gbt_sender tx;
    struct gbt_receiver rx;
    uint8_t *join; /* the answer so far */
    size_t join_len, join_size;
    bool to_say;                /* an acknowledgement waits for the link */
    uint8_t word[GBT_HEAD_MAX]; /* it */
};

struct cosem_client { /* read freely: state, failure, and what the server told; write nothing */
    enum cosem_client_state state;
    struct cosem_client_failure failure; /* of the last operation */
    bool has_server_title;
    uint8_t server_title[DLMS_TITLE_LEN];
    uint32_t conformance;    /* agreed, DLMS_CONF_* */
    uint16_t server_max_pdu; /* 0: no limit */
    uint32_t rx_floor;       /* next acceptable counter of the server */
    /* private */
    struct cosem_client_config config;
    struct cosem_client_sink sink;
    struct dlms_link *link; /* config.link or own */
    struct wrapper_link own;
    uint64_t now_ms;      /* of the last call that told it */
    uint64_t deadline_ms; /* UINT64_MAX: none */
    uint8_t invoke;
    uint32_t long_invoke; /* of ACCESS */
    uint64_t rx_open;     /* counters below rx_floor that were passed over: replay.h */
    uint8_t dedicated_key[16];
    bool has_dedicated; /* the key was sent with this association's AARQ */
    struct dlms_counter dedicated_tx;
    struct dlms_replay dedicated_rx;
    struct crypto_gcm gcm, dedicated_gcm; /* ready for keys->guek and dedicated_key */
    uint8_t ctos[16];
    uint8_t stoc_len;
    uint8_t stoc[COSEM_CLIENT_STOC_MAX];
    struct client_task task;
    struct client_gbt gbt;
    uint32_t block; /* last one received */
    uint8_t part;   /* what the next octet of an answer is: enum in client_items.c */
    bool of_action; /* the answer's elements begin with a result: */
    uint8_t action_result;
    uint32_t item, n_items;
    struct client_scan scan;
    uint8_t buf[WRAPPER_HEAD_LEN + APDU_CIPHER_HEAD_MAX + 1 + DLMS_TITLE_LEN + DLMS_HEAD_LEN +
                COSEM_CLIENT_PDU_MAX];
};

/* ERR_RANGE (max_pdu, mechanism, security), ERR_UNSUPPORTED (HLS 2 without hls2, a mechanism that
 * this build has not), ERR_KEY (something the config needs is NULL or the keys
 * lack guek or gak). */
MUST_CHECK enum err cosem_client_init(struct cosem_client *c,
                                      const struct cosem_client_config *config);

/* Operations. All give ERR_STATE when the state does not allow them, ERR_BUSY while the link is not
 * free (a frame nobody asked for is coming in, an acknowledgement is going out), ERR_FULL when the
 * request does not fit the meter's PDU and cannot go by blocks, ERR_UNSUPPORTED when the meter did
 * not agree on what is asked (ACCESS, attribute 0), or the error of the link, counter, keys or rng;
 * then nothing is sent, the state stays and `failure` says it too.
 *
 * Attributes, methods and specs are copied before return; octets of values and of parameters are
 * borrowed until the end of the operation. In a list the array of attributes or methods is, too,
 * where it goes one by one (no DLMS_CONF_MULTIPLE agreed) and in action_list. */
MUST_CHECK enum err cosem_client_connect(struct cosem_client *c, uint64_t now_ms);
MUST_CHECK enum err cosem_client_release(struct cosem_client *c, uint64_t now_ms);
MUST_CHECK enum err cosem_client_get(struct cosem_client *c, uint64_t now_ms,
                                     const struct apdu_attr *attr,
                                     const struct cosem_client_sink *sink);
MUST_CHECK enum err cosem_client_get_list(struct cosem_client *c, uint64_t now_ms,
                                          const struct apdu_attr *attrs, size_t n,
                                          const struct cosem_client_sink *sink);
/* value: one A-XDR value */
MUST_CHECK enum err cosem_client_set(struct cosem_client *c, uint64_t now_ms,
                                     const struct apdu_attr *attr, struct bytes value,
                                     const struct cosem_client_sink *sink);
/* method->parameter: one A-XDR value or empty. A return value goes to sink->data. */
MUST_CHECK enum err cosem_client_action(struct cosem_client *c, uint64_t now_ms,
                                        const struct apdu_attr *method,
                                        const struct cosem_client_sink *sink);

/* SET and ACTION with a list: one request, or blocks where it does not fit the meter's PDU; as do
 * set and action. The sink's `done` is called with the result of each. n 1..COSEM_CLIENT_LIST_MAX
 * (ERR_RANGE, as for get_list). `values`: n A-XDR values one behind the other (ERR_FORMAT). A list
 * the meter refuses as a whole leaves CLIENT_READY with CLIENT_WHY_NO_LIST. */
MUST_CHECK enum err cosem_client_set_list(struct cosem_client *c, uint64_t now_ms,
                                          const struct apdu_attr *attrs, size_t n,
                                          struct bytes values,
                                          const struct cosem_client_sink *sink);
MUST_CHECK enum err cosem_client_action_list(struct cosem_client *c, uint64_t now_ms,
                                             const struct apdu_attr *methods, size_t n,
                                             const struct cosem_client_sink *sink);
/* ACCESS: specs and, for set and action, their values (null-data elsewhere) as in the APDU. The
 * sink gets each element's result and, of those that succeeded, the value that was read or that the
 * method gave back. Needs DLMS_CONF_ACCESS agreed (ERR_UNSUPPORTED). */
MUST_CHECK enum err cosem_client_access(struct cosem_client *c, uint64_t now_ms,
                                        const struct access_spec *specs, size_t n,
                                        struct bytes data, const struct cosem_client_sink *sink);

/* Wipes what is secret and releases what the cipher holds; cosem_client_init begins anew. CLOSED
 * and FAILED hold nothing: only who gives a client up in another state must call it. All zeros may
 * end, too. */
void cosem_client_end(struct cosem_client *c);

/* Octets from the line. Gives how many were consumed: fewer than n only while output waits for
 * take() or after a failure. Over a link of datagrams n is one whole datagram. */
size_t cosem_client_feed(struct cosem_client *c, uint64_t now_ms, const uint8_t *p, size_t n);
/* Moves octets for the line to `to`; gives their number, 0 when there are none. Over a link of
 * datagrams one whole datagram a call, none while `size` is too small for it. */
size_t cosem_client_take(struct cosem_client *c, uint8_t *to, size_t size);
/* The next instant poll must be called at, UINT64_MAX for none. */
uint64_t cosem_client_poll(struct cosem_client *c, uint64_t now_ms);
/* The line is gone. An idle session becomes closed, a waiting one fails. */
void cosem_client_lost(struct cosem_client *c);
/* True while an answer is awaited. */
bool cosem_client_waiting(const struct cosem_client *c);

/* One sentence on `failure`, zero-terminated: "authentication: the meter did not prove that it
 * knows the keys". Empty where there is none. Gives its length. */
size_t cosem_client_explain(const struct cosem_client *c, char *out, size_t size);

#endif
