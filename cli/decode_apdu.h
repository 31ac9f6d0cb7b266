/* One APDU as a JSON tree, deciphered where keys are at hand. */
#ifndef FERRARIS_CLI_DECODE_APDU_H
#define FERRARIS_CLI_DECODE_APDU_H

#include "lib/dlms/security.h"

#include <jansson.h>

struct decode_keys {
    struct dlms_keys keys;
    bool has_dedicated;
    uint8_t dedicated[16];
    /* System titles for glo- and ded- APDUs, which do not carry one: from --title options, or from
     * the AARQ and AARE seen before. */
    bool has_client, has_server;
    uint8_t client[DLMS_TITLE_LEN], server[DLMS_TITLE_LEN];
    unsigned nesting; /* ciphered APDUs one inside the other, now; 0 between calls */
};
#define DECODE_NESTING_MAX 4

enum decode_result { DECODE_OK, DECODE_MALFORMED, DECODE_SECURITY };

/* Fills `entry` with security, apdu, date_time, values, tree and error. `apdu` is deciphered in
 * place. Titles learnt are kept in `k`. */
enum decode_result decode_apdu(json_t *entry, uint8_t *apdu, size_t len, struct decode_keys *k);

#endif
