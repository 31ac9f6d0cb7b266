/* One APDU as a JSON entry, deciphered where keys are at hand; what a conversation teaches is kept
 * in struct decode_talk.
 *
 * The parts: decode_apdu.c picks the kind, decode_sealed.c opens ciphered APDUs, decode_acse.c and
 * decode_service.c show plain ones, decode_blocks.c joins block transfers. Nothing in them trusts a
 * length of the input. */
#ifndef FERRARIS_CLI_DECODE_APDU_H
#define FERRARIS_CLI_DECODE_APDU_H

#include "cli/decode_blocks.h"
#include "lib/dlms/security.h"

#include <jansson.h>

enum decode_result {
    DECODE_OK,
    DECODE_MALFORMED,
    DECODE_SECURITY, /* all could be read but a key or a tag failed */
    DECODE_MORE      /* a part of something longer: kept, no entry of its own */
};

struct decode_keys {
    struct dlms_keys keys;
    bool has_dedicated;
    uint8_t dedicated[16];
    /* System titles for glo- and ded- APDUs, which do not carry one: from options, or from the
     * AARQ and AARE seen before. */
    bool has_client, has_server;
    uint8_t client[DLMS_TITLE_LEN], server[DLMS_TITLE_LEN];
};

#define DECODE_SENDERS_MAX 16 /* titles and keys whose last counter is remembered */
struct decode_sender {
    uint8_t title[DLMS_TITLE_LEN];
    bool dedicated;
    uint32_t counter;
};

/* One conversation: a serial line, a connection, a file. All zeros and `keys` is a new one; ended
 * by decode_talk_end(). */
struct decode_talk {
    struct decode_keys keys;
    unsigned nesting; /* ciphered APDUs one inside the other, now; 0 between calls */
    uint64_t way;     /* who speaks to whom, now: block transfers of different ways do not mix */
    struct decode_blocks blocks;
    json_t *asked[16]; /* targets of the last request of each invoke-id, to name the answer */
    json_t *accessed;  /* the specifications of the last access-request */
    struct decode_sender sender[DECODE_SENDERS_MAX];
    unsigned n_senders;
};
#define DECODE_NESTING_MAX 4

/* Fills `entry` with security, apdu, date_time, values, tree and error. */
enum decode_result decode_apdu(json_t *entry, const uint8_t *apdu, size_t len,
                               struct decode_talk *t);
void decode_talk_end(struct decode_talk *t); /* wipes the keys */

/* Whether octets can be a whole APDU, with or without LLC octets in front: to find where one ends
 * in a text. */
enum decode_shape {
    DECODE_WHOLE,
    DECODE_SHORT, /* could go on */
    DECODE_NONE   /* wrong, whatever may follow */
};
enum decode_shape decode_shape(struct bytes apdu);
/* "data-notification"; NULL: no APDU begins with this octet */
const char *decode_name(uint8_t tag);

/* For the parts: puts "octet N: what" as the error of the entry. */
enum decode_result decode_malformed(json_t *entry, size_t at, const char *what);
enum decode_result decode_any(json_t *entry, struct bytes apdu, struct decode_talk *t);
enum decode_result decode_acse(json_t *entry, struct bytes apdu, struct decode_talk *t);
enum decode_result decode_service(json_t *entry, struct bytes apdu, struct decode_talk *t);
enum decode_result decode_ciphered(json_t *entry, struct bytes apdu, struct decode_talk *t);
json_t *decode_hex(struct bytes b); /* a JSON text of digits */
/* The date-time of a notification: nothing, 12 octets, or (some meters) those as a tagged
 * octet-string or date-time. Leaves r alone where none of these stands: not all meters give one. */
void decode_get_time(struct rd *r, struct bytes *time);
void decode_skip_key_info(struct rd *r); /* of general-ciphering */

#endif
