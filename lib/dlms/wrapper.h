/* The wrapper of IEC 62056-47: COSEM APDUs as frames over a TCP stream or in UDP datagrams.
 *
 * A frame is eight octets of header (version 0001, source wPort, destination wPort, length; each
 * two octets, big endian) and `length` octets of APDU. The receiver is an engine: feed it octets as
 * they come, in pieces of any size; it does no I/O and allocates nothing.
 *
 * Who owns what: the caller owns struct wrapper_rx and `buf`. A frame stays in `buf` until the next
 * wrapper_feed() or wrapper_reset(). One struct per connection and direction; copies share `buf`.
 *
 * TCP: call wrapper_feed() until all octets are consumed; at WRAPPER_FRAME handle the frame first.
 * UDP: wrapper_reset(), feed the datagram once; it is one frame only when the event is
 * WRAPPER_FRAME and all octets were consumed. Anything else is dropped. */
#ifndef FERRARIS_DLMS_WRAPPER_H
#define FERRARIS_DLMS_WRAPPER_H

#include "lib/base/cursor.h"

#define WRAPPER_HEAD_LEN 8
#define WRAPPER_VERSION  1

enum wrapper_event {
    WRAPPER_MORE,  /* all consumed, frame not complete yet */
    WRAPPER_FRAME, /* buf[0 .. len) is an APDU, source and destination are valid; len may be 0 */
    WRAPPER_VERSION_WRONG, /* no wrapper header here: a stream cannot be resynchronised, close it */
    WRAPPER_TOO_LONG, /* need is above size: close (skipping would let a peer keep us reading) */
};

struct wrapper_rx {
    uint8_t *buf;    /* receives the APDU; at least the max-receive-PDU-size that was negotiated */
    size_t size;     /* octets in buf, 1..65535 are of use */
    size_t len;      /* APDU octets received of the present frame */
    size_t need;     /* APDU octets of the present frame, from its header */
    uint16_t source; /* wPort of the sender; valid once the header is complete */
    uint16_t destination; /* wPort of the receiver */
    uint8_t head[WRAPPER_HEAD_LEN];
    uint8_t n_head; /* octets in head, 0..8 */
};

/* Empties the engine and gives it its buffer; also the only way out of an error. */
void wrapper_reset(struct wrapper_rx *r, uint8_t *buf, size_t size);

/* Takes octets up to the end of the present frame and says by *event what they made. Returns how
 * many were consumed: n, or fewer at WRAPPER_FRAME and at an error. After an error nothing more is
 * consumed and the event repeats until wrapper_reset(). n = 0 changes nothing and tells the present
 * event again. */
size_t wrapper_feed(struct wrapper_rx *r, const uint8_t *p, size_t n, enum wrapper_event *event);

/* Writes a header. Answer a request with its ports swapped. Errors stick in w (ERR_FULL). */
void wrapper_put_head(struct wr *w, uint16_t source, uint16_t destination, uint16_t length);

#endif
