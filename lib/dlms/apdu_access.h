/* The ACCESS service: several GETs, SETs and ACTIONs in one request. Green Book 9.4.6.12.
 *
 *     D9 | long-invoke-id u32 | date-time octets | n, specifications | n, data (null-data for GET)
 *     DA | long-invoke-id u32 | date-time octets | optional n, specifications | n, data |
 *     n, response specifications (choice, result)
 *
 * Lists stay octets: walk them with the functions below. */
#ifndef FERRARIS_DLMS_APDU_ACCESS_H
#define FERRARIS_DLMS_APDU_ACCESS_H

#include "lib/dlms/apdu.h"

struct apdu_access {             /* request and response */
    uint32_t invoke;             /* long-invoke-id-and-priority */
    struct bytes date_time;      /* empty or 12 octets */
    uint32_t n;                  /* specifications, and data, and response specifications */
    struct bytes specifications; /* response: empty where it has none */
    struct bytes data;           /* n A-XDR values */
    struct bytes results;        /* response: n times choice, result */
};
/* Whole APDUs; counts that differ are ERR_FORMAT. Errors stick in r. */
void access_get_request(struct rd *r, struct apdu_access *out);
void access_put_request(struct wr *w, const struct apdu_access *a);
void access_get_response(struct rd *r, struct apdu_access *out);
void access_put_response(struct wr *w, const struct apdu_access *a);

/* One specification. choice: DLMS_ACCESS_*; ERR_FORMAT for others. target.selector and parameter
 * with the selected ones. */
struct access_spec {
    uint8_t choice;
    struct apdu_attr target;
};
void access_get_spec(struct rd *r, struct access_spec *out);
void access_put_spec(struct wr *w, const struct access_spec *s);
/* One response specification. */
void access_get_result(struct rd *r, uint8_t *choice, uint8_t *result);
void access_put_result(struct wr *w, uint8_t choice, uint8_t result);

#endif
