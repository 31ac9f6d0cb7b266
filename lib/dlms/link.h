/* A data link that carries APDUs between a client and a server: one interface for every transport.
 *
 *     bytes from the line -> dlms_link_feed -> dlms_link_received / dlms_link_release -> APDU
 *     APDU -> dlms_link_send -> dlms_link_take -> bytes to the line
 *
 * The wrapper (TCP and UDP), HDLC, the LLC of IEC 61334-4-32, M-Bus and the mode E hand-over are
 * each a struct whose first member is struct dlms_link; whoever drives a line (cosem_line on the
 * server's side, cosem_client on the client's, tests) sees only this header. A link does no I/O,
 * allocates nothing and reads no clock: now_ms is any monotonic scale.
 *
 * Ownership: an APDU that came in lies in the link's buffer, may be changed in place (deciphering),
 * and is the caller's until dlms_link_release(). An APDU to send is borrowed by the link until
 * dlms_link_sending() is false: links that retransmit read it again. */
#ifndef FERRARIS_DLMS_LINK_H
#define FERRARIS_DLMS_LINK_H

#include "lib/base/cursor.h"

enum dlms_link_state {
    LINK_CLOSED,  /* nothing to carry APDUs; a server's link waits here for the client */
    LINK_OPENING, /* dlms_link_open() under way: SNRM or sign-on out */
    LINK_OPEN,    /* APDUs may be sent */
    LINK_CLOSING, /* dlms_link_close() under way: DISC out */
    LINK_FAILED   /* the line is of no use any more; `why` says so in words. dlms_link_reset() */
};

struct dlms_frame {          /* an APDU with the addresses of its two ends */
    uint16_t client, server; /* SAPs, whichever way the APDU goes */
    uint8_t *p;
    size_t len;
    bool unconfirmed; /* out: without a request before it (push); in: came so (HDLC UI) */
    bool to_all;      /* in: sent to all stations of a bus: nobody must answer */
};

struct dlms_link;
struct dlms_link_ops {
    bool datagrams; /* feed gets and take gives whole datagrams, one a call */
    void (*reset)(struct dlms_link *l);
    enum err (*open)(struct dlms_link *l, uint64_t now_ms);
    enum err (*close)(struct dlms_link *l, uint64_t now_ms);
    size_t (*feed)(struct dlms_link *l, uint64_t now_ms, const uint8_t *p, size_t n);
    size_t (*take)(struct dlms_link *l, uint64_t now_ms, uint8_t *to, size_t size);
    uint64_t (*poll)(struct dlms_link *l, uint64_t now_ms);
    bool (*received)(struct dlms_link *l, struct dlms_frame *out);
    void (*release)(struct dlms_link *l);
    enum err (*send)(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f);
    bool (*sending)(const struct dlms_link *l);
    enum dlms_link_state (*state)(const struct dlms_link *l);
    const char *(*why)(const struct dlms_link *l);
    size_t (*max_apdu)(const struct dlms_link *l);
};
struct dlms_link {
    const struct dlms_link_ops *ops;
};

/* Back to the state after init: line lost, new line. */
void dlms_link_reset(struct dlms_link *l);
/* Client: begins to open. A link that needs no opening (wrapper) is LINK_OPEN at once. ERR_STATE
 * (not LINK_CLOSED). Server: ERR_STATE. */
MUST_CHECK enum err dlms_link_open(struct dlms_link *l, uint64_t now_ms);
/* Begins to close in good order, either side; LINK_CLOSED (or LINK_FAILED) follows. ERR_STATE. */
MUST_CHECK enum err dlms_link_close(struct dlms_link *l, uint64_t now_ms);
/* Octets from the line. Gives how many were consumed: fewer than n only while a received APDU waits
 * for dlms_link_release(), or after LINK_FAILED. Garbage is never an error of the call. With
 * `datagrams` a call takes one whole datagram (n consumed) or, while an APDU waits, nothing (0). */
size_t dlms_link_feed(struct dlms_link *l, uint64_t now_ms, const uint8_t *p, size_t n);
/* Octets for the line, at most `size`; 0: none now. With `datagrams` one whole datagram, and 0 also
 * where it does not fit. */
size_t dlms_link_take(struct dlms_link *l, uint64_t now_ms, uint8_t *to, size_t size);
/* Time passes: retransmission, inactivity. Gives when to call next, UINT64_MAX: never. */
uint64_t dlms_link_poll(struct dlms_link *l, uint64_t now_ms);
/* True when a whole APDU is there. */
bool dlms_link_received(struct dlms_link *l, struct dlms_frame *out);
void dlms_link_release(struct dlms_link *l); /* the APDU from dlms_link_received() is dealt with */
/* ERR_BUSY (link_sending), ERR_STATE (not open), ERR_RANGE (longer than link_max_apdu). */
MUST_CHECK enum err dlms_link_send(struct dlms_link *l, uint64_t now_ms,
                                   const struct dlms_frame *f);
/* True while octets of dlms_link_send() are not all taken, or not acknowledged where the link waits
 * for that. */
bool dlms_link_sending(const struct dlms_link *l);
enum dlms_link_state dlms_link_state(const struct dlms_link *l);
/* "no answer to SNRM after 3 tries"; "" where nothing failed. Static text. */
const char *dlms_link_why(const struct dlms_link *l);
/* The longest APDU it can carry to the other side. */
size_t dlms_link_max_apdu(const struct dlms_link *l);

#endif
