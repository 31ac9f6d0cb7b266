/* Association control: AARQ, AARE, RLRQ, RLRE (BER) and the InitiateRequest/Response they carry
 * (A-XDR). Green Book 9.4.2, 9.5. Both directions, plain structs.
 *
 * get functions read from a cursor that stands on the first octet (the tag) and must end with it;
 * errors stick in the cursor (TRUNCATED, FORMAT, UNSUPPORTED, RANGE). Views point into the input.
 * put functions write one APDU; with a counting writer they give its size. Only what DLMS uses of
 * ACSE is decoded: unknown optional fields are skipped, never interpreted. */
#ifndef FERRARIS_DLMS_ACSE_H
#define FERRARIS_DLMS_ACSE_H

#include "lib/base/cursor.h"
#include "lib/wire/dlms.h"

struct acse_aarq {
    uint8_t context;        /* DLMS_CONTEXT_*; 0: none of DLMS's (get only) */
    struct bytes title;     /* calling-AP-title: the client's system title; empty: absent */
    bool has_mechanism;     /* false: no authentication */
    uint8_t mechanism;      /* DLMS_MECHANISM_*, 0 in has_mechanism means "lowest" */
    struct bytes secret;    /* calling-authentication-value: password or challenge; may be empty */
    struct bytes user_info; /* InitiateRequest, plain (01) or ciphered (21) */
};
struct acse_aare {
    uint8_t context;
    uint8_t result;     /* ACSE_ACCEPTED ... */
    uint8_t source;     /* ACSE_SOURCE_* */
    uint8_t diagnostic; /* ACSE_DIAG_* */
    struct bytes title; /* responding-AP-title: the server's system title; empty: absent */
    bool has_mechanism;
    uint8_t mechanism;
    struct bytes secret;    /* responding-authentication-value: StoC */
    struct bytes user_info; /* InitiateResponse (08, 28) or confirmedServiceError (0E); or empty */
};
struct acse_release { /* RLRQ and RLRE */
    bool has_reason;
    uint8_t reason;
    struct bytes user_info; /* empty: absent */
};

void acse_get_aarq(struct rd *r, struct acse_aarq *out);
void acse_put_aarq(struct wr *w, const struct acse_aarq *a);
void acse_get_aare(struct rd *r, struct acse_aare *out);
void acse_put_aare(struct wr *w, const struct acse_aare *a);
/* tag: DLMS_RLRQ or DLMS_RLRE, checked (ERR_FORMAT) */
void acse_get_release(struct rd *r, uint8_t tag, struct acse_release *out);
void acse_put_release(struct wr *w, uint8_t tag, const struct acse_release *a);

struct dlms_initiate { /* request and response share it; unused fields are ignored by put */
    struct bytes dedicated_key; /* request; empty: absent */
    bool response_allowed;      /* request; true unless said otherwise */
    uint8_t version;            /* DLMS_VERSION */
    uint32_t conformance;       /* DLMS_CONF_* */
    uint16_t max_pdu;           /* what the sender of this APDU can receive; 0: no limit */
    uint16_t vaa;               /* response; DLMS_VAA_LN */
};
void initiate_get_request(struct rd *r, struct dlms_initiate *out);
void initiate_put_request(struct wr *w, const struct dlms_initiate *i);
void initiate_get_response(struct rd *r, struct dlms_initiate *out);
void initiate_put_response(struct wr *w, const struct dlms_initiate *i);

/* "authentication-failure" and so on; "unknown" where the number is none of the standard's. */
const char *acse_diagnostic_text(uint8_t source, uint8_t diagnostic);

#endif
