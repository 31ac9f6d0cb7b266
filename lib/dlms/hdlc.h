/* The HDLC link: connection, windows, segmentation, retransmission, inactivity; client (primary
 * station) and server (secondary station). Green Book 8.4, IEC 62056-46.
 *
 * Implements dlms_link. One data link connection at a time: a server answers SNRM of another client
 * with DM while one is connected, until DISC, or silence for inactivity_ms. APDUs get the LLC head
 * E6 E6 00 or E6 E7 00; it is checked and taken off. The caller owns struct hdlc and the buffer.
 *
 * What a driver of a link should know:
 * - A server sends only when asked (P bit). Its answer stays borrowed (dlms_link_sending) until the
 *   client's next frame acknowledges it, which is as a rule the next request.
 * - SNRM of the connected client begins anew: dlms_link_state() says LINK_CLOSED from the SNRM
 *   until its UA is taken, so that the association ends. Look at the state between feed and take.
 * - unconfirmed APDUs are UI frames; a server sends them without a connection too, `client` and
 *   `server` of struct dlms_frame being the addresses. An answer goes where the request came from,
 *   whatever those say.
 * - A client that waits for an answer or has none to wait for polls with RR by itself, at first
 *   after 50 ms, then after twice that and so on: this is how an event of the server, or an answer
 *   that takes its time, gets through. Hand over the next APDU while it does.
 *   A server that says RR or RNR is alive: how long to wait for its answer is up to the
 *   caller.
 * - An APDU that does not fit the buffer is acknowledged and dropped: the association's PDU size is
 *   what keeps it from coming. */
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
    uint8_t address_size;  /* of the server: 1, 2 or 4 octets; a server's own frames without a
                              request  (pushes): 0 for 1 */
    uint8_t retries;       /* then LINK_FAILED */
    uint32_t response_ms; /* wait for an answer before the frame is sent again; 1 ms to 6 days; from
                             dlms_link_take(), so it includes the time of both frames on the line */
    /* server */
    uint16_t physical; /* own lower address: 17..; frames for other stations are ignored; all
                          stations (7F, 3FFF) and absent lower addresses are ours. 0: any is */
};

struct hdlc_ends { /* of a connection */
    struct hdlc_address server;
    uint8_t client;
};

struct hdlc {
    struct dlms_link link;
    /* private, the small ones first, where a short instruction reaches them; the facts are at the
     * head of hdlc.c */
    struct {
        uint16_t pos, len, info_len, sum;
        uint8_t control;
        bool segmented, done;
    } tx;
    uint8_t state, vs, vm, vr, va, u_control, rejected, reason;
    bool in_ui, whole, held, discard, may_send, nudged, peer_busy, in_all, awaiting, poll_now;
    uint8_t tries;
    uint16_t in_len, in_client, in_server, size;
    /* read freely */
    uint16_t n_bad, n_resent; /* frames dropped, frames sent again; modulo 65536, for diagnostics */
    struct hdlc_parameters agreed; /* tx: what this side may send */
    /* private */
    uint8_t *buf;
    struct {
        const uint8_t *p;
        uint16_t len, server;
        uint8_t client;
        bool unconfirmed;
    } out;
    uint32_t octet_ms, out_at, poll_ms;
    struct hdlc_ends peer, aside;
    struct hdlc_rx rx;
    uint64_t timer_ms;
    const char *why;
    struct hdlc_config config;
};

/* `buffer` takes the frame coming in and the APDU being put together: APDU size + HDLC_HEAD_MAX +
 * 2 + 3 octets at least. What it offers as max_info_rx is cut down to what fits. ERR_RANGE (config,
 * size below 64). */
MUST_CHECK enum err hdlc_init(struct hdlc *h, const struct hdlc_config *config, uint8_t *buffer,
                              size_t size);
/* The same for one role, whatever is_server says: a program that calls only one of them does not
 * link the other role. */
MUST_CHECK enum err hdlc_server_init(struct hdlc *h, const struct hdlc_config *config,
                                     uint8_t *buffer, size_t size);
MUST_CHECK enum err hdlc_client_init(struct hdlc *h, const struct hdlc_config *config,
                                     uint8_t *buffer, size_t size);

#endif
