/* A client on a socket of its own, for tests that must see every octet the meter sends: what was
 * told also when the line breaks off, and each invocation counter on the wire. */
#ifndef FERRARIS_TEST_WIRE_H
#define FERRARIS_TEST_WIRE_H

#include "lib/cosem/client.h"

#define WIRE_ANSWER_MAX  100000
#define WIRE_COUNTER_MAX (1u << 20)

struct wire {
    struct dlms_keys keys;
    struct dlms_counter counter; /* the client's own; goes on over all connections */
    struct hal_rng rng;
    int fd; /* -1: no line */
    struct cosem_client client;
    struct wrapper_rx rx; /* beside the client: frames as they came */
    uint8_t frame[COSEM_CLIENT_PDU_MAX + 64];
    uint8_t seen[WIRE_COUNTER_MAX / 8]; /* counters the meter has used with guek */
    unsigned n_counters;
    uint8_t answer[WIRE_ANSWER_MAX]; /* of the last get; a part of it when the line broke off */
    size_t answer_len;
    enum cosem_result result; /* of the last operation that came to its end */
};

/* Takes guek and gak from a keys file. One wire for each meter (and its keys). */
void wire_init(struct wire *w, const char *keys_file);
/* Associates by HLS 5 with authenticated encryption and PDUs of 256 octets. False: the line broke
 * off. A refusal, a malformed answer, a counter used twice fail the test. */
bool wire_connect(struct wire *w, uint16_t port);
/* One operation; false: the line broke off. The meter's refusal fails the test. */
bool wire_get(struct wire *w, uint16_t class_id, const uint8_t ln[6], uint8_t id);
bool wire_set(struct wire *w, uint16_t class_id, const uint8_t ln[6], uint8_t id,
              struct bytes value);
void wire_hang_up(struct wire *w);

#endif
