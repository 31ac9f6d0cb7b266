/* xDLMS services with logical names: GET, SET, ACTION, exception-response. Green Book 9.5. ACCESS
 * and the notifications: apdu_access.h, apdu_notify.h; general block transfer: gbt.h.
 *
 * One struct for every request and one for every response; which fields count depends on tag and
 * type. get functions read a whole APDU (anything behind it is ERR_FORMAT); views point into the
 * input; errors stick in the cursor. What get accepts put writes again (lengths in their shortest
 * form, booleans as 00 and 01). Lists
 * (with-list) stay octets: walk them with apdu_get_attr or apdu_get_result. */
#ifndef FERRARIS_DLMS_APDU_H
#define FERRARIS_DLMS_APDU_H

#include "lib/base/cursor.h"
#include "lib/wire/dlms.h"

/* The longest head of a ciphered APDU before SC: tag and a length of up to 3 octets. */
#define APDU_CIPHER_HEAD_MAX 4

struct apdu_attr { /* COSEM attribute or method descriptor with what belongs to it */
    uint16_t class_id;
    uint8_t ln[6];
    uint8_t id;             /* attribute or method, from 1 */
    uint8_t selector;       /* attribute: access selector, 0 none */
    struct bytes parameter; /* of the selector, or of the method: one A-XDR value; empty: none */
};
void apdu_get_attr(struct rd *r, struct apdu_attr *out); /* with selective access */
void apdu_put_attr(struct wr *w, const struct apdu_attr *a);
void apdu_get_attr_bare(struct rd *r, struct apdu_attr *out); /* class, name, id alone */
void apdu_put_attr_bare(struct wr *w, const struct apdu_attr *a);

/* Fields by (tag, type):
 *   GET normal            target
 *   GET next              block
 *   GET list              n_list, list = descriptors
 *   SET normal            target, data = value
 *   SET first block       target, last, block, data = octets
 *   SET block             last, block, data
 *   SET list              n_list, list = descriptors, count, values
 *   SET list first block  n_list, list = descriptors, last, block, data = octets of count, values
 *   ACTION normal         target (parameter of the method in it)
 *   ACTION next           block (of the answer)
 *   ACTION list           n_list, list = bare descriptors, count, parameters (null-data: none)
 *   ACTION first block    target (bare), last, block, data = octets of the parameter
 *   ACTION list first     n_list, list = bare descriptors, last, block, data = octets of count,
 *                         parameters
 *   ACTION block          last, block, data
 *   other                 ERR_UNSUPPORTED */
struct apdu_request {
    uint8_t tag; /* DLMS_GET_REQUEST, DLMS_SET_REQUEST, DLMS_ACTION_REQUEST */
    uint8_t type;
    uint8_t invoke; /* invoke-id-and-priority, echoed by the response */
    struct apdu_attr target;
    uint32_t n_list;
    struct bytes list;
    bool last;
    uint32_t block;
    struct bytes data;
};
void apdu_get_request(struct rd *r, struct apdu_request *out);
void apdu_put_request(struct wr *w, const struct apdu_request *q);

/* Fields by (tag, type):
 *   GET normal            has_data: data = one value; else result
 *   GET block             last, block; has_data: data = octets of the value; else result
 *   GET list              n_list, data = list of Get-Data-Result
 *   SET normal            result
 *   SET block             block
 *   SET last block        result, block
 *   SET list              n_list, data = results, an octet each
 *   SET last block list   n_list, data = results, an octet each; block
 *   ACTION normal         result; has_data: data = return value; else has_return: return_result
 *   ACTION block          last, block, data = octets of the list of action responses, or of one
 *   ACTION list           n_list, data = list of result and optional Get-Data-Result each
 *   ACTION next block     block (of the request)
 *   exception-response    state_error, service_error, counter (with DLMS_EXC_COUNTER_ERROR)
 *   confirmedServiceError state_error = which service (1 initiate), type = error class,
 *                         service_error = value */
struct apdu_response {
    uint8_t tag;
    uint8_t type;
    uint8_t invoke;
    uint8_t result; /* enum cosem_result */
    bool has_data;
    bool has_return;
    uint8_t return_result;
    struct bytes data;
    uint32_t n_list;
    bool last;
    uint32_t block;
    uint8_t state_error;
    uint8_t service_error;
    uint32_t counter;
};
void apdu_get_response(struct rd *r, struct apdu_response *out);
void apdu_put_response(struct wr *w, const struct apdu_response *a);
/* A response without data: head is tag, type and invoke-id; results an octet each, one where the
 * type is no list's; not told where the type has a block's number alone. A block of GET is the last
 * one, an ACTION returned nothing. */
void apdu_put_results(struct wr *w, const uint8_t head[3], uint32_t block, struct bytes results);
void apdu_put_exception(struct wr *w, uint8_t state_error, uint8_t service_error, uint32_t counter);
/* One element of a GET list: *data is empty and *result set where access failed. */
void apdu_get_result(struct rd *r, struct bytes *data, uint8_t *result);

/* One element of an ACTION list: result; has_data, data; else has_return, return_result. */
void apdu_get_action_result(struct rd *r, struct apdu_response *out);
void apdu_put_action_result(struct wr *w, const struct apdu_response *a);

/* Tag of the ciphered form, 0 where there is none; and back (*dedicated says which key). */
uint8_t apdu_ciphered_tag(uint8_t plain, bool dedicated);
uint8_t apdu_plain_tag(uint8_t ciphered, bool *dedicated);

/* "service-not-supported" ... for messages */
const char *apdu_exception_text(uint8_t service_error);

#endif
