/* The HDLC link: connection, windows, segmentation, retransmission, inactivity; client (primary
 * station) and server (secondary station). Green Book 8.4, IEC 62056-46.
 *
 * Implements dlms_link. One data link connection at a time: a server answers SNRM of another client
 * with DM while one is connected, until DISC, or silence for inactivity_ms. APDUs get the LLC head
 * E6 E6 00 or E6 E7 00; it is checked and taken off. The caller owns struct hdlc and the buffer. */
#ifndef FERRARIS_DLMS_HDLC_H
#define FERRARIS_DLMS_HDLC_H

#include "lib/dlms/hdlc_frame.h"
#include "lib/dlms/link.h"

struct hdlc_config {
    bool is_server;
    struct hdlc_parameters parameters; /* what this side offers; zeros: defaults */
    uint32_t inactivity_ms;            /* server: disconnects after silence; client: keeps alive by
                                          RR at half of it; 0: none */
    uint32_t inter_octet_ms;           /* a frame that stops longer is dropped; 0: never */
    /* client */
    uint16_t client_sap;   /* own address, one octet on the line: 1..127 */
    uint16_t server_sap;   /* upper address of the server: logical device */
    uint16_t server_lower; /* physical address; 0 with address_size 1 */
    uint8_t address_size;  /* of the server: 1, 2 or 4 octets */
    uint32_t response_ms;  /* wait for an answer before the frame is sent again */
    uint8_t retries;       /* then LINK_FAILED */
    /* server */
    uint16_t physical; /* own lower address: 17..; frames for other stations are ignored; all
                          stations (7F, 3FFF) and absent lower addresses are ours */
};

struct hdlc {
    struct dlms_link link;
    struct hdlc_config config;
    /* read freely */
    struct hdlc_parameters agreed; /* tx: what this side may send */
    uint32_t n_bad, n_resent;      /* frames dropped, frames sent again: for diagnostics */
    /* private */
    uint8_t *buf;
    size_t size;
};

/* `buffer` takes the frame coming in and the APDU being put together: APDU size + HDLC_HEAD_MAX +
 * 2 + 3 octets at least. ERR_RANGE (config, size below 64). */
MUST_CHECK enum err hdlc_init(struct hdlc *h, const struct hdlc_config *config, uint8_t *buffer,
                              size_t size);

#endif
