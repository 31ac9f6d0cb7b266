/* A client and the example device with a line between them: links of any kind, virtual time, a
 * line that may lose or double what it carries. Shared by the client's tests. */
#ifndef FERRARIS_TESTS_LIB_COSEM_CLIENT_PAIR_H
#define FERRARIS_TESTS_LIB_COSEM_CLIENT_PAIR_H

#include "lib/cosem/client.h"
#include "lib/cosem/line.h"
#include "tests/lib/cosem/example.h"

#define PAIR_ITEMS 8

struct pair_item { /* what the sink got */
    uint8_t octets[70000];
    size_t len;
    unsigned n_done;
    enum cosem_result result;
};

struct pair {
    struct cosem_client c;
    struct example x;
    struct dlms_keys keys;
    struct dlms_counter counter;
    struct pair_item item[PAIR_ITEMS];
    size_t item_limit;
    unsigned n_notices, n_events;
    uint8_t notice[64]; /* value of the last notification */
    size_t notice_len;
    uint32_t notice_invoke;
    /* the line */
    struct wrapper_link link; /* of the server, unless a test takes another */
    struct cosem_line line;
    uint8_t link_buffer[COSEM_PDU_MAX + 64];
    uint64_t now_ms;
    unsigned loss, doubling; /* per cent of takes: for datagrams */
    uint32_t random;
    unsigned n_up, n_down; /* pieces that went */
    uint8_t up[4096], down[4096];
    size_t up_at, up_len, down_at, down_len;
};

void pair_init(struct pair *p); /* the device; the server's wrapper at its end of the line */
void pair_end(struct pair *p);
/* For an association of the manager (HLS 5, both bits), or of the reader with its password. */
struct cosem_client_config pair_manager(struct pair *p);
struct cosem_client_config pair_reader(struct pair *p);
struct cosem_client_sink pair_sink(struct pair *p); /* fills item[], which it clears */
/* Octets until nothing moves; time stands still. */
void pair_settle(struct pair *p);
/* Octets and time until the client waits for nothing, 10 minutes at most. */
void pair_run(struct pair *p);
/* Init, connect, run; fails the test unless READY. */
void pair_connect(struct pair *p, const struct cosem_client_config *k);
/* The note of the device, of n octets from `first` on, as A-XDR. */
struct bytes pair_note(uint8_t *to, size_t size, size_t n, uint8_t first);

extern const struct apdu_attr pair_note_attr, pair_name_attr, pair_profile_attr, pair_echo_method,
    pair_count_method;

#endif
