/* A client and a server with a line between them, for every combination of link, service, security
 * and authentication: same process, virtual time, octets in pieces of changing size. */
#ifndef FERRARIS_TESTS_MATRIX_RIG_H
#define FERRARIS_TESTS_MATRIX_RIG_H

#include "lib/cosem/client.h"
#include "lib/cosem/line.h"
#include "lib/dlms/gateway.h"
#include "lib/dlms/hdlc.h"
#include "lib/dlms/llc_link.h"
#include "lib/dlms/wrapper_link.h"
#include "lib/mbus/mbus_link.h"

#define RIG_CLIENT  1 /* SAPs */
#define RIG_PUBLIC  16
#define RIG_SERVER  1
#define RIG_NETWORK 3   /* behind the gateway */
#define RIG_NOTE    700 /* longest writable note */
#define RIG_PDU     160 /* of the client */
#define RIG_ROWS    60  /* of the profile, of 10 octets each */
#define RIG_ECHO_ID                                                                                \
    9000 /* a class of this test: 2 value, method 1 gives its parameter back,                      \
            2 its length, 3 a text of so many octets */

struct rig;

struct rig_link {
    const char *name;
    bool datagrams;
    /* Makes both ends: m->client_link (NULL: the client's built-in wrapper) and m->server_link. */
    enum err (*make)(struct rig *m);
};
extern const struct rig_link rig_links[];
extern const size_t rig_n_links;

struct rig_way { /* how a case associates */
    uint8_t mechanism;
    uint8_t security;
    bool dedicated, general;
    uint8_t gbt_window;
};

struct rig_item { /* what came for one element of an operation */
    uint8_t octets[1600];
    size_t len;
    bool done;
    enum cosem_result result;
};

struct rig {
    const struct rig_link *link;
    struct rig_way way;
    uint64_t now_ms;
    uint32_t random; /* of the sizes of pieces, and of both rngs */
    /* server */
    struct cosem_server server;
    struct cosem_session session;
    struct cosem_line line;
    struct cosem_device device;
    const struct cosem_device *devices[1];
    struct cosem_client_entry entries[2];
    uint8_t note[2][RIG_NOTE];
    size_t note_len[2];
    /* client */
    struct cosem_client client;
    struct dlms_keys keys;
    struct dlms_counter counter;
    struct rig_item item[8];
    unsigned n_notices, n_events;
    uint32_t notice_value;
    struct hal_rng rng;
    /* links: a client's and a server's of each kind */
    struct dlms_link *client_link, *server_link;
    union {
        struct {
            struct hdlc client, server;
        } hdlc;
        struct {
            struct wrapper_link client, server;
        } wrapper;
        struct {
            struct llc_link client, server;
        } llc;
        struct {
            struct mbus_link client, server;
        } mbus;
    } ends;
    struct gateway_link gateway;
    uint8_t client_buffer[COSEM_CLIENT_PDU_MAX + 300],
        server_buffer[COSEM_PDU_MAX + MBUS_FRAME_MAX];
    uint8_t gateway_buffer[COSEM_CLIENT_PDU_MAX + GATEWAY_HEAD_MAX];
    uint8_t gbt_buffer[4096];
    /* octets on their way */
    uint8_t up[4096], down[4096];
    size_t up_at, up_len, down_at, down_len;
};

struct cosem_client_sink rig_sink(struct rig *m); /* fills item[index] */
extern const struct apdu_attr rig_name, rig_note[2], rig_register, rig_profile, rig_missing,
    rig_echo, rig_length, rig_text;

/* Both ends made, nothing associated. False: this way is not possible over this link. */
bool rig_init(struct rig *m, const struct rig_link *link, const struct rig_way *way);
void rig_end(struct rig *m);
/* Moves octets and time until the client waits for nothing; false: it failed, or nothing moves. */
bool rig_run(struct rig *m);
/* Moves octets until nothing moves, whether or not the client waits; time stands still. */
void rig_settle(struct rig *m);
/* Time passes to the next deadline of either side, as on an idle line: a link that is polled may
 * speak then. False: there is none. */
bool rig_wait(struct rig *m);
bool rig_connect(struct rig *m);
/* Clears item[]; before each operation. */
void rig_clear(struct rig *m);

#endif
