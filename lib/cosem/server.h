/* DLMS server: what the sessions share. Engine and per-connection record: session.h.
 *
 *     octets from the line -> session_feed -> wrapper, association, security, dispatch
 *     octets to the line   <- session_take <-
 *
 * The caller owns the structs; a server may have many sessions, which share the device table, keys
 * and counters. Single-threaded: all sessions of one server are called from one thread. */
#ifndef FERRARIS_COSEM_SERVER_H
#define FERRARIS_COSEM_SERVER_H

#include "firmware/hal/rng.h"
#include "lib/cosem/model.h"
#include "lib/cosem/options.h"
#include "lib/dlms/hls.h"
#include "lib/dlms/security.h"

enum cosem_mechanism { /* as on the wire */
                       COSEM_AUTH_NONE = 0,
                       COSEM_AUTH_LLS = 1,
                       COSEM_AUTH_HLS2 = 2, /* only with config.hls2 */
                       COSEM_AUTH_HLS3 = 3, /* MD5, SHA-1: only with COSEM_WITH_WEAK_HLS */
                       COSEM_AUTH_HLS4 = 4,
                       COSEM_AUTH_HLS5 = 5,
                       COSEM_AUTH_HLS6 = 6
};

/* A client the meter knows, by its SAP. */
struct cosem_client_entry {
    uint16_t sap; /* 16 public, 1 management, 2 reader ... */
    enum cosem_role role;
    enum cosem_mechanism mechanism;
    uint8_t
        security; /* DLMS_SC_AUTH|DLMS_SC_ENC bits every request and answer must carry; 0 none */
    const char *password; /* secret of LLS, HLS 2, 3, 4, 6; NULL or empty: nobody gets in */
};

struct cosem_server_config {
    const struct cosem_device *const *devices; /* logical devices, each with its SAP */
    size_t n_devices;
    const struct cosem_client_entry *clients;
    size_t n_clients;              /* 1..COSEM_CLIENTS_MAX; entries beyond are not served */
    uint8_t title[DLMS_TITLE_LEN]; /* server system title */
    const struct hal_rng *rng;
    /* Called before an answer to a GET, SET or ACTION leaves the session: whatever a client of this
     * role may have been told, and rx_floor of the server, must be durable after it. On an error
     * the client gets temporary-failure and nothing else. NULL: nothing to do. */
    enum err (*before_tell)(void *context, enum cosem_role role);
    /* Called before the change of keys or policy (class 64) is acknowledged: makes both durable.
     * The server itself uses them from the next request on. On an error nothing changes. NULL:
     * changes last until restart. */
    enum err (*security_store)(void *context, const struct dlms_keys *keys, uint8_t policy);
    /* Called once an association with authentication is established or fails (event log). NULL
     * allowed. */
    void (*authenticated)(void *context, uint16_t client_sap, bool ok);
    /* Called when a request is refused because of its protection (event log): ERR_REPLAY, ERR_TAG,
     * ERR_KEY (another title, no key), ERR_ACCESS (less protected than it must be). NULL allowed.
     */
    void (*refused)(void *context, uint16_t client_sap, enum err why);
    /* HLS 2: the manufacturer's secret algorithm, see hls.h. NULL: HLS 2 is refused. */
    enum err (*hls2)(void *context, struct bytes secret, struct bytes challenge, uint8_t *out,
                     size_t *len);
    /* Called when a client changes the secret of clients[index] (class 15: attribute 7 with LLS,
     * method 2 with HLS): makes it durable, and the entry's password from now on. Borrowed for the
     * call, 1..64 octets, none of them zero. On an error nothing changes. NULL: secrets cannot be
     * changed. */
    enum err (*change_secret)(void *context, size_t index, struct bytes secret);
    /* Whether an APDU that came through a gateway with this network and physical address is for
     * this meter. False, or NULL: it gets no answer. */
    bool (*gateway)(void *context, uint8_t network, struct bytes address);
    void *context;
    uint32_t inactivity_ms; /* session without traffic is closed; 0 never */
};

/* Who fails to authenticate by a password or secret (LLS, HLS but 5) is held back: after the third
 * failure of a client entry in a row each further one is answered with rejected-transient, whatever
 * comes, for 1, 2, 4 ... 60 s. A success clears it. Time is what session_poll or line_feed was told
 * last. */
#define COSEM_FREE_FAILURES 3
#define COSEM_BACKOFF_MS    1000u
#define COSEM_BACKOFF_MAX   60000u

struct cosem_server {
    uint8_t policy; /* class 64 v0: 0 none, 1 authenticated, 2 encrypted, 3 both; for
                       associations with the ciphered context, on top of the client entry */
    uint8_t n_failed[COSEM_CLIENTS_MAX];     /* authentications in a row, per client entry */
    uint8_t n_associated[COSEM_CLIENTS_MAX]; /* sessions associated now, per client entry */
    uint64_t now_ms;                         /* of session_poll and line_feed; 0: none yet */
#if COSEM_WITH_LOCKS
    struct cosem_session *writers; /* sessions with a value or parameter coming by blocks */
#endif
    struct cosem_server_config config;
    struct dlms_keys keys;                /* replaced by key transfer (class 64) */
    struct dlms_counter tx;               /* counter of the server's global key */
    uint32_t rx_floor[COSEM_CLIENTS_MAX]; /* per client entry: next counter acceptable; durable. It
                                             stays when a key is transferred: a client goes on
                                             counting, and is refused if it begins anew. A key that
                                             comes back must not make old APDUs fresh again */
    uint64_t rx_open[COSEM_CLIENTS_MAX];  /* counters below it that were passed over (replay.h);
                                             not durable: zeros after a restart */
    uint64_t held_ms[COSEM_CLIENTS_MAX];  /* held back until then; 0 not */
    struct crypto_gcm gcm;                /* ready for keys.guek */
};

/* Ready bindings that rows of an object table may name; they need cosem_call.session.
 *   association: class 15 v1. A row 0-0:40.0.0 with range {4, 1, n}: instance 0 is the current
 *                association, instance k the one of clients[k - 1].
 *   sap:         class 17 v0, the devices of the server.
 *   security:    class 64 v0, keys and policy of the server.
 *   counter:     class 1 v0, 0-0:43.1.0 with range {4, 1, n}: instance k is the next invocation
 *                counter acceptable from the client with SAP k (a client reads it before it
 *                associates; 0 where there is no such client); instance 0 is that of the first
 *                client with HLS. */
extern const struct cosem_binding cosem_binding_association;
extern const struct cosem_binding cosem_binding_sap;
extern const struct cosem_binding cosem_binding_security;
extern const struct cosem_binding cosem_binding_counter;

/* Wipes the keys and releases what the cipher holds. Its sessions are closed. */
void cosem_server_end(struct cosem_server *server);

/* session: the record of one connection; complete in session.h so that callers can embed it. */
struct cosem_session;

#endif
