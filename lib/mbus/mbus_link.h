/* APDUs over the wired M-Bus as a link: client (primary station, master) and server (secondary).
 *
 *     client                                     server
 *     SND_NKE                ->                                 open: resets the link
 *                            <-   E5
 *     SND_UD, segment 0      ->                                 an APDU, in one frame or more
 *                            <-   E5
 *     REQ_UD2                ->
 *                            <-   RSP_UD, segment 0, or E5: nothing to send yet
 *
 * Segments are those of mbus_frame.h: CI 00..1F, STSAP, DTSAP, a piece of the APDU. The SAPs are
 * one octet each (ERR_RANGE above); a server's STSAP is its logical device.
 *
 * A server's link is open from the beginning; SND_NKE of the client makes it LINK_CLOSED until the
 * acknowledgement is taken, so that the association ends. It speaks when asked, except for
 * unconfirmed APDUs (pushes), which go to all stations at once (C 53, A FF, as meters with a
 * customer port do). An answer stays borrowed until the client's next frame shows that it arrived.
 * A client that has sent something asks for answers from then on, at first every poll_ms, then more
 * seldom.
 *
 * Not certain without the text of EN 13757-2, and kept in one place each: one frame count bit is
 * shared by SND_UD and REQ_UD2 (toggle()), E5 to REQ_UD2 counts as an exchange (on_char()). */
#ifndef FERRARIS_MBUS_LINK_H
#define FERRARIS_MBUS_LINK_H

#include "lib/dlms/link.h"
#include "lib/mbus/mbus_frame.h"

struct mbus_link_config {
    bool is_server;
    uint8_t address;      /* of the meter, 0..250 */
    uint8_t segment_max;  /* octets of an APDU in one frame, 1..250; 0: 250 */
    uint32_t silence_ms;  /* a frame that stops longer is dropped; 0: never */
    uint32_t response_ms; /* client: wait for an answer before the frame goes again; 0: 500 */
    uint32_t poll_ms;     /* client: between questions for an answer, up to 37 hours; 0: 50 */
    uint8_t retries;      /* client: then LINK_FAILED */
};

struct mbus_link {
    struct dlms_link link;
    struct mbus_link_config config;
    uint32_t n_bad, n_dropped, n_resent; /* octets that were no frame, frames, frames sent again */
    /* private; the facts are at the head of mbus_link.c */
    enum dlms_link_state state;
    const char *why;
    struct mbus_rx rx;
    struct mbus_join join;
    struct dlms_frame out; /* len 0: none */
    size_t out_at,
        piece_len; /* where the present segment begins, its length; 0: none is under way */
    uint64_t heard_ms, deadline_ms;
    uint32_t pause_ms;
    uint8_t phase, number, tries;
    bool fcb, fcb_known; /* client: of the next frame; server: of the last one, if any */
    bool waiting, in_unconfirmed, closed_by_reset, last_was_segment;
    uint16_t tx_at, tx_len;
    uint8_t tx[MBUS_DATA_MAX + 9]; /* the frame that leaves, kept for when it goes again */
};

/* `buffer` takes the frame that comes in and the APDU that is put together: MBUS_FRAME_MAX and the
 * longest APDU. ERR_RANGE (config, buffer too small for an APDU of 64 octets). */
MUST_CHECK enum err mbus_link_init(struct mbus_link *l, const struct mbus_link_config *config,
                                   uint8_t *buffer, size_t size);

#endif
