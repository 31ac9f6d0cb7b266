/* Frames of the wired M-Bus data link (EN 13757-2, IEC 60870-5-2 format class FT 1.2), and the
 * transport layer that carries APDUs in them (EN 13757-1, CI 00..1F).
 *
 *     E5                                single character: acknowledged, or nothing to send
 *     10 C A CS 16                      short frame
 *     68 L L 68 C A CI data.. CS 16     long frame; L counts C to the end of data; CS is their sum
 *
 * Some meters in the field (Sagemcom T210-D) send more than 255 octets in one frame and let L
 * overflow: L 01 stands for 257. Where the frame does not end well at L, L + 256 is tried; the
 * check sum and the end octet must be right either way.
 *
 * The receiver is an engine for octets in any pieces; it finds the next frame after whatever
 * garbage in a loop. Nothing here knows APDUs, the application of EN 13757-3 or the state of a bus.
 */
#ifndef FERRARIS_MBUS_FRAME_H
#define FERRARIS_MBUS_FRAME_H

#include "lib/base/cursor.h"

#define MBUS_DATA_MAX  252 /* octets behind CI in a frame without overflow */
#define MBUS_FRAME_MAX 517 /* 6 + 255 + 256: the longest that is understood */

enum mbus_control { /* with MBUS_FCB and MBUS_FCV or MBUS_ACD and MBUS_DFC masked off */
                    MBUS_SND_NKE = 0x40, /* primary: reset of the link */
                    MBUS_SND_UD = 0x43,  /* primary: user data */
                    MBUS_REQ_UD2 = 0x4B, /* primary: send what you have */
                    MBUS_RSP_UD = 0x08   /* secondary: user data */
};
#define MBUS_FCB         0x20u /* primary: frame count bit */
#define MBUS_FCV         0x10u /* primary: frame count bit is valid */
#define MBUS_ACD         0x20u /* secondary: more to send of a higher class */
#define MBUS_ANSWER_ALL  0xFEu /* address: every station answers */
#define MBUS_ALL         0xFFu /* address: every station listens, none answers */
#define MBUS_CI_LAST     0x10u /* CI 00..1F: the last segment of an APDU */
#define MBUS_CI_SEGMENT  0x0Fu /* CI 00..1F: its number, from 0 */
#define MBUS_CI_APDU_MAX 0x1Fu /* CI up to here: STSAP, DTSAP and a piece of an APDU follow */

enum mbus_kind { MBUS_CHAR, MBUS_SHORT, MBUS_LONG };

struct mbus_frame {
    enum mbus_kind kind;
    uint8_t control, address; /* SHORT and LONG */
    uint8_t ci;               /* LONG */
    struct bytes data;        /* LONG: what follows CI, a view; may be empty */
    bool overflow;            /* LONG: decoded with a length field that overflowed */
};

/* raw: one whole frame. ERR_TRUNCATED, ERR_FORMAT (start, the two lengths, check sum, end, octets
 * behind it); *at: position of what is wrong. */
MUST_CHECK enum err mbus_frame_decode(struct bytes raw, struct mbus_frame *out, size_t *at);
/* ERR_FULL, and ERR_RANGE (data above MBUS_DATA_MAX), stick in w. `overflow` is ignored. */
void mbus_frame_put(struct wr *w, const struct mbus_frame *f);

enum mbus_rx_event {
    MBUS_RX_MORE,  /* all consumed, nothing whole is there */
    MBUS_RX_FRAME, /* buf[0 .. frame_len) is a frame whose check sum is right */
    MBUS_RX_BAD    /* octets that are no frame were dropped: told for counters */
};
struct mbus_rx {
    uint8_t *buf; /* the caller's; MBUS_FRAME_MAX octets for all that is understood */
    size_t size;
    size_t len;       /* octets in buf: the frame and what was read behind it */
    size_t frame_len; /* after MBUS_RX_FRAME */
    bool lost;        /* private: searching, a single character is not believed */
    bool silent;      /* private: see mbus_rx_silent */
};
void mbus_rx_reset(struct mbus_rx *r, uint8_t *buf, size_t size);
/* Takes octets up to the end of a frame or of something that was none; gives how many were
 * consumed. A frame stays in buf until the next call. Call until all is consumed and the event is
 * MBUS_RX_MORE: what follows a broken frame may be in buf already, so n 0 is of use. */
size_t mbus_rx_feed(struct mbus_rx *r, const uint8_t *p, size_t n, enum mbus_rx_event *event);
/* The line has been silent (33 bit times, EN 13757-2): a frame that is not complete will never be.
 * Call mbus_rx_feed() with n 0 until MBUS_RX_MORE for what is found behind its first octet. */
void mbus_rx_silent(struct mbus_rx *r);

/* Puts the segments of an APDU together. */
struct mbus_join {
    uint8_t *buf; /* the caller's */
    size_t size, len;
    uint8_t stsap, dtsap; /* source and destination */
    uint8_t next;         /* number of the segment expected, 0..15 */
    bool open;            /* segments came, the last one has not */
};
void mbus_join_reset(struct mbus_join *j, uint8_t *buf, size_t size);
/* *whole: buf[0 .. len) is an APDU, until the next call; otherwise more segments follow. ERR_TYPE
 * (no segment: another CI or no long frame), ERR_TRUNCATED (no SAPs), ERR_STATE (out of order, or
 * of other SAPs: what was there is dropped), ERR_FULL. A segment 0 always begins anew; one that is
 * repeated (the number before) is dropped without an error. */
MUST_CHECK enum err mbus_join_add(struct mbus_join *j, const struct mbus_frame *f, bool *whole);

#endif
