/* HDLC frames of type 3 (IEC 13239, Green Book 8.4): delimiting, check sums, addresses, control.
 *
 * The receiver is an engine for octets in any pieces; it finds the next frame after whatever
 * garbage in a loop. Decoder and encoder work on one frame without flags. Used by the link
 * (hdlc.h), by `ferraris decode` and by tests; nothing here knows APDUs or states. */
#ifndef FERRARIS_DLMS_HDLC_FRAME_H
#define FERRARIS_DLMS_HDLC_FRAME_H

#include "lib/base/cursor.h"

#define HDLC_FLAG      0x7Eu
#define HDLC_FRAME_MAX 2047 /* length field: 11 bits, without flags */
#define HDLC_INFO_MAX  2030
#define HDLC_HEAD_MAX  12 /* format 2, addresses 4 + 1.., control 1, HCS 2 */

enum hdlc_control { /* P/F bit (10) masked off; I and RR, RNR carry N(R), N(S): see masks */
                    HDLC_I = 0x00, /* bit 0 clear: information */
                    HDLC_RR = 0x01,
                    HDLC_RNR = 0x05,
                    HDLC_SNRM = 0x83,
                    HDLC_DISC = 0x43,
                    HDLC_UA = 0x63,
                    HDLC_DM = 0x0F,
                    HDLC_FRMR = 0x87,
                    HDLC_UI = 0x03
};
#define HDLC_PF 0x10u

struct hdlc_address {
    uint16_t upper; /* logical device, or the client's SAP; 0x3FFF (0x7F): all stations */
    uint16_t lower; /* physical device; only with size 2 and 4 */
    uint8_t size;   /* 1, 2 or 4 octets on the line */
};

struct hdlc_frame {
    struct hdlc_address destination, source;
    bool segmented; /* more segments of this APDU follow */
    uint8_t control;
    struct bytes info; /* a view into the decoded octets; empty: none */
};

enum hdlc_rx_event {
    HDLC_RX_MORE,    /* all consumed, nothing found yet */
    HDLC_RX_FRAME,   /* buf[0 .. len): format field to FCS, both check sums right */
    HDLC_RX_BAD_HCS, /* something behind a flag that was no frame: told once each, for counters; */
    HDLC_RX_BAD_FCS, /* what came before the first flag is passed over in silence */
    HDLC_RX_BAD_LENGTH /* no format field of type 3, its length does not fit, or it is above size */
};
struct hdlc_rx {
    uint8_t *buf; /* the caller's; receives one frame without flags */
    uint16_t size;
    uint16_t len; /* of the frame that was told */
    uint16_t
        need; /* with HDLC_RX_BAD_LENGTH: above size when a right HCS says that it is too long */
    /* private */
    uint16_t have;
    uint8_t state;
};
/* size: at least HDLC_FRAME_MAX for any frame there is; a longer one is HDLC_RX_BAD_LENGTH. */
void hdlc_rx_reset(struct hdlc_rx *r, uint8_t *buf, size_t size);
/* Takes octets up to the end of a frame or of something that was none. Gives how many were
 * consumed. Call it until it says HDLC_RX_MORE, also with n = 0: behind a bad frame there may lie a
 * good one in buf already. A frame stays in buf until the next call. It is told with the last octet
 * of its FCS: a missing closing flag does no harm and costs no wait. A lost flag between two
 * frames, doubled flags, and a wrong length with a flag inside are survived: the search goes on
 * behind the first flag of what failed, in a loop. */
size_t hdlc_rx_feed(struct hdlc_rx *r, const uint8_t *p, size_t n, enum hdlc_rx_event *event);
/* True while a frame has begun and is not whole. */
bool hdlc_rx_inside(const struct hdlc_rx *r);
/* The rest of the frame will not come (silence on the line): goes on behind the first flag inside
 * of what is there. Call hdlc_rx_feed() after it. */
void hdlc_rx_cut(struct hdlc_rx *r);
/* Goes on with another piece of memory, which may overlap; a told frame is dropped, octets of the
 * next one move along. Those that find no room are lost. */
void hdlc_rx_move(struct hdlc_rx *r, uint8_t *buf, size_t size);

/* raw: format field to FCS. ERR_TRUNCATED, ERR_FORMAT (format type, address, HCS, FCS, length);
 * *at: position of what is wrong. */
MUST_CHECK enum err hdlc_frame_decode(struct bytes raw, struct hdlc_frame *out, size_t *at);
/* The same of a frame that rx has told: length and sums are right, only an address may be none of
 * ours (ERR_FORMAT). */
MUST_CHECK enum err hdlc_frame_told(const struct hdlc_rx *rx, struct hdlc_frame *out);
/* Writes a whole frame with both flags. ERR_FULL, ERR_RANGE (address, length) stick in w. */
void hdlc_frame_put(struct wr *w, const struct hdlc_frame *f);
/* Only format field to HCS, for info_len octets that follow (f->info is not looked at); without
 * info there is no HCS. */
void hdlc_head_put(struct wr *w, const struct hdlc_frame *f, size_t info_len);
/* "I", "RR", "SNRM" ...; "?" */
const char *hdlc_control_text(uint8_t control);

/* Parameters of SNRM and UA, Green Book 8.4.5.3.2 */
struct hdlc_parameters {
    uint16_t max_info_tx, max_info_rx; /* of the sender of the frame, 32..2030; default 128 */
    uint8_t window_tx, window_rx;      /* 1..7; default 1 */
};
#define HDLC_PARAMETERS_MAX 23 /* octets of hdlc_parameters_put() */
/* info empty: defaults; so is what it does not name. Numbers of 1 to 4 octets are accepted; what is
 * above the range of the standard is taken as its upper end. ERR_FORMAT, ERR_TRUNCATED, ERR_RANGE
 * (below the range). */
MUST_CHECK enum err hdlc_parameters_decode(struct bytes info, struct hdlc_parameters *out);
void hdlc_parameters_put(struct wr *w, const struct hdlc_parameters *p);

#endif
