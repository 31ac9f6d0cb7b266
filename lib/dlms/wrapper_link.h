/* The wrapper of IEC 62056-47 as a link: over a stream (TCP), or over datagrams (UDP), one frame
 * each. The wPorts are the SAPs of client and server.
 *
 * A server's link is open from the beginning, a client's after dlms_link_open(); neither says
 * anything to the other side for that. Stream: a header that is none, or of a frame longer than the
 * buffer, is LINK_FAILED (a stream cannot be resynchronised: close the connection). Datagrams:
 * whatever is not exactly one frame is dropped. Frames without an APDU, and those that come to a
 * client that has not opened, are dropped.
 *
 * The wrapper answers nothing and repeats nothing: over UDP a lost request is the client's to
 * notice (its time-out). The caller owns the struct and the buffer; neither may move. */
#ifndef FERRARIS_DLMS_WRAPPER_LINK_H
#define FERRARIS_DLMS_WRAPPER_LINK_H

#include "lib/dlms/link.h"
#include "lib/dlms/wrapper.h"

struct wrapper_link {
    struct dlms_link link;
    uint32_t n_dropped; /* frames and datagrams that were thrown away: for diagnostics */
    /* private */
    bool is_server, waiting;
    enum dlms_link_state state;
    const char *why;
    struct wrapper_rx rx;
    uint8_t head[WRAPPER_HEAD_LEN]; /* of the frame that leaves */
    struct bytes out;               /* its APDU, borrowed */
    size_t out_at, out_len;         /* octets of head and APDU that have left, of all; 0: none */
};

/* `buffer` takes the APDU that comes in: as long as the longest that is accepted. */
void wrapper_link_init_stream(struct wrapper_link *l, bool is_server, uint8_t *buffer, size_t size);
void wrapper_link_init_datagrams(struct wrapper_link *l, bool is_server, uint8_t *buffer,
                                 size_t size);

#endif
