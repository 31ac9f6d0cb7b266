/* The LLC of IEC 61334-4-32 as a link: what carries APDUs over S-FSK PLC, and in the convergence
 * layer of PRIME. Each frame is a datagram of the layer below (MAC, convergence layer), which
 * brings stations' addresses, segmentation, repetition and check sums.
 *
 *     90 | destination L-SAP | source L-SAP | APDU
 *
 * L-SAPs are one octet: SAPs above 255 cannot be reached (ERR_RANGE). There is no connection: open
 * and close change the state only, as with the wrapper (wrapper_link.h). Frames of another format,
 * too long, or without an APDU are dropped; with a filter (own_sap) those for others, too.
 *
 * How long a frame may be is told differently by those who know: 242 octets (7 sub-frames of S-FSK,
 * serial limit of a modem), 244 (its MAC), 134 (an open client). So it is the caller's choice. */
#ifndef FERRARIS_DLMS_LLC_LINK_H
#define FERRARIS_DLMS_LLC_LINK_H

#include "lib/dlms/link.h"

#define LLC_HEAD_LEN  3
#define LLC_FRAME_MAX 242 /* default */
#define LLC_CONTROL   0x90u
#define LLC_ALL       0xFFu /* destination: every one */

struct llc_config {
    bool is_server;
    uint16_t max_frame; /* longest frame sent, head included, from 4; 0: LLC_FRAME_MAX */
    uint8_t own_sap;    /* client: frames for other SAPs but LLC_ALL are dropped; 0: takes all */
};

struct llc_link {
    struct dlms_link link;
    struct llc_config config;
    uint32_t n_dropped; /* datagrams that were thrown away: for diagnostics */
    /* private */
    enum dlms_link_state state;
    uint8_t *buf;
    size_t size, len; /* len: of the APDU that waits, 0 none */
    uint8_t destination, source;
    struct dlms_frame out; /* len 0: none */
};

/* `buffer` takes the APDU that comes in. */
void llc_link_init(struct llc_link *l, const struct llc_config *config, uint8_t *buffer,
                   size_t size);

/* ERR_TRUNCATED, ERR_FORMAT (not 90). *apdu is a view into p. For decoders. */
MUST_CHECK enum err llc_decode(struct bytes frame, uint8_t *destination, uint8_t *source,
                               struct bytes *apdu);

#endif
