/* DLMS server engine: one session a connection, no I/O, no allocation.
 *
 *     bytes from the line -> session_feed -> (wrapper, association, security, dispatch) ->
 * session_take -> bytes to the line
 *
 * The caller owns both structs and the buffers inside; a server may have many sessions, which share
 * the device table, keys and counters. Output is produced on demand: take() drains what is ready,
 * and feed() accepts no further request while an answer waits (it gives the number of octets
 * consumed). State diagram of the association: head of server.c. */
#ifndef FERRARIS_COSEM_SERVER_H
#define FERRARIS_COSEM_SERVER_H

#include "firmware/hal/rng.h"
#include "lib/cosem/model.h"
#include "lib/dlms/security.h"

#define COSEM_PDU_MAX 2048 /* largest APDU received or sent; the client's max PDU may be smaller   \
                            */
#define COSEM_LIST_MAX 16  /* attributes in one with-list request */

enum cosem_mechanism { COSEM_AUTH_NONE = 0, COSEM_AUTH_LLS = 1, COSEM_AUTH_HLS5 = 5 };

/* A client the meter knows, by its SAP. */
struct cosem_client_entry {
    uint16_t sap; /* 16 public, 1 management, 2 reader ... */
    enum cosem_role role;
    enum cosem_mechanism mechanism;
    uint8_t
        security; /* DLMS_SC_AUTH|DLMS_SC_ENC bits every request and answer must carry; 0 none */
    const char *password; /* LLS secret; NULL otherwise */
};

struct cosem_server_config {
    const struct cosem_device *const *devices; /* logical devices, each with its SAP */
    size_t n_devices;
    const struct cosem_client_entry *clients;
    size_t n_clients;
    uint8_t title[DLMS_TITLE_LEN]; /* server system title */
    const struct hal_rng *rng;
    /* Called before an answer that carries values leaves the session: whatever the answer told must
     * be durable after it. On an error the client gets temporary-failure and nothing else. NULL:
     * nothing to do. */
    enum err (*before_tell)(void *context);
    /* Called once an association with authentication is established or fails (event log). NULL
     * allowed. */
    void (*authenticated)(void *context, uint16_t client_sap, bool ok);
    void *context;
    uint32_t inactivity_ms; /* session without traffic is closed; 0 never */
};

struct cosem_server {
    struct cosem_server_config config;
    struct dlms_keys keys;  /* replaced by key transfer (class 64) */
    struct dlms_counter tx; /* counter of the server's global key */
    uint32_t rx_floor[8];   /* per client entry: next invocation counter acceptable */
};

/* session: the record of one connection; private fields in session.h so that callers can embed it.
 */
struct cosem_session;

#endif
