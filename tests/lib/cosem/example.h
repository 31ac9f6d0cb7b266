/* A small logical device and a peer that talks to it in process: shared by the server's tests, its
 * fuzz target and its benchmark.
 *
 * The device has an object of each kind the server treats differently, among them a load profile
 * of 16 channels and any number of rows that exists only as a formula. The peer builds requests
 * with the library's own codecs; protection is done by lib/dlms/security.h. */
#ifndef FERRARIS_TESTS_LIB_COSEM_EXAMPLE_H
#define FERRARIS_TESTS_LIB_COSEM_EXAMPLE_H

#include "lib/cosem/session.h"
#include "lib/dlms/acse.h"

#define EXAMPLE_CHANNELS 16
#define EXAMPLE_ROWS     9600u               /* 100 days of 15 minutes */
#define EXAMPLE_EPOCH    INT64_C(1767225600) /* 2026-01-01T00:00:00Z, end of the first row */
#define EXAMPLE_ROW_SIZE (2 + 14 + 2 + 5 * EXAMPLE_CHANNELS)
#define EXAMPLE_PASSWORD "let me read"
#define SAP_PUBLIC       16
#define SAP_READER       2 /* LLS, no protection */
#define SAP_MANAGER      1 /* HLS 5, authenticated and encrypted */
#define SAP_WRITER       3 /* HLS 5, no protection demanded */

struct example {
    struct cosem_server server;
    struct cosem_session session;
    uint32_t rows;     /* of the profile */
    uint32_t n_get;    /* calls of the profile's getter */
    unsigned n_run;    /* methods of 0-0:14.0.0 and 0-0:10.0.0 that ran */
    uint8_t note[400]; /* writable, 0-0:96.1.1 */
    size_t note_len;
    unsigned n_tell, n_auth_ok, n_auth_bad, n_stored;
    enum err tell;  /* what before_tell gives */
    enum err store; /* what security_store gives */
    enum err rng_result;
    uint32_t random;
    struct hal_rng rng;
    const struct cosem_device *devices[2];
    struct cosem_device device[2];
};

extern const uint8_t example_guek[16], example_gak[16], example_kek[16];
extern const uint8_t example_server_title[8], example_client_title[8];
extern const uint8_t example_profile[6], example_energy[6], example_note[6], example_clock[6];

/* x: all zeros, or initialised before, which ends. */
void example_init(struct example *x);
void example_end(struct example *x); /* where x does not last as long as the program */

struct peer {
    struct example *x;
    uint16_t sap;
    uint16_t max_pdu;
    uint32_t conformance;
    uint8_t title[8];
    uint8_t guek[16], gak[16];
    uint8_t sc;     /* protection of requests; 0: plain */
    bool dedicated; /* use dedicated_key */
    bool general;   /* general-glo-, general-ded-ciphering */
    uint8_t dedicated_key[16];
    uint32_t counter; /* next of the global key */
    uint32_t dedicated_counter;
    uint32_t last_rx; /* counter of the last answer */
    bool seen_rx;
    const char *password;
    uint8_t stoc[64];
    size_t stoc_len;
    uint8_t frame[16384]; /* what came back, wrapper and all */
    size_t frame_len;
    size_t last_apdu_len; /* of the answer as it was on the line */
};

void peer_init(struct peer *p, struct example *x, uint16_t sap);
/* Feeds octets and collects what comes back in frame; the APDU without the wrapper. */
struct bytes peer_raw(struct peer *p, const void *apdu, size_t len);
/* Protects, sends, opens. Empty where the answer could not be opened. */
struct bytes peer_ask(struct peer *p, const void *apdu, size_t len);
/* Opens an APDU of the server that came in another way, in p->frame; others pass. */
struct bytes peer_open(struct peer *p, const void *apdu, size_t len);
struct bytes peer_request(struct peer *p, const struct apdu_request *q);
/* Protects only; for replays. Gives the length in `out`. */
size_t peer_protect(struct peer *p, const void *apdu, size_t len, uint8_t *out, size_t size);
/* Opens an association of the entry's own kind: AARE result, 0xFF where the answer was no AARE.
 * With HLS also pass 3 and 4. */
uint8_t peer_connect(struct peer *p, struct acse_aare *aare);
/* Sends an AARQ as filled in by the caller, user information added. */
uint8_t peer_aarq(struct peer *p, struct acse_aarq *a, struct acse_aare *aare);
/* Pass 3 and 4; true when the server proved itself. */
bool peer_hls(struct peer *p);

/* GET of a whole attribute, blocks and all. Gives a data-access-result, or -1 for another answer.
 * Octets beyond size are counted, not kept. *n_blocks 0 for a normal answer. */
int peer_get(struct peer *p, uint16_t class_id, const uint8_t ln[6], uint8_t attr,
             const struct cosem_select *sel, uint8_t *out, size_t size, size_t *len,
             unsigned *n_blocks);

#endif
