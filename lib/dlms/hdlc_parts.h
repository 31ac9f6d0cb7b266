/* What the two roles of the HDLC link share; for hdlc*.c only. */
#ifndef FERRARIS_DLMS_HDLC_PARTS_H
#define FERRARIS_DLMS_HDLC_PARTS_H

#include "lib/dlms/hdlc.h"

struct hdlc_role {
    struct dlms_link_ops ops; /* first: struct dlms_link points here */
    /* A frame with right sums, still in buf. */
    void (*frame)(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f);
    /* Starts the next frame with a start_ function; false: nothing to say. */
    bool (*next)(struct hdlc *h);
    /* The frame h->tx was taken to the end of its FCS. */
    void (*sent)(struct hdlc *h, uint64_t now_ms);
};

enum hdlc_taken {
    HDLC_TAKEN,  /* in sequence: kept */
    HDLC_BEHIND, /* came before: a copy */
    HDLC_AHEAD   /* one before it is missing, or there is no room: to be sent again */
};

enum err hdlc_setup(struct hdlc *h, const struct dlms_link_ops *ops,
                    const struct hdlc_config *config, uint8_t *buffer, size_t size);
/* The calls of struct hdlc_role: through the table (hdlc_role.c), or the server's where a program
 * has no other link (link_hdlc_server.c). */
bool hdlc_is_server(const struct hdlc *h);
void hdlc_role_frame(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f);
bool hdlc_role_next(struct hdlc *h);
void hdlc_role_sent(struct hdlc *h, uint64_t now_ms);
/* The connection is gone: numbers, answer kept for it, APDU under way. */
void hdlc_forget(struct hdlc *h);
/* Each side gets the smaller of what it and the other side can. */
void hdlc_agree(struct hdlc *h, const struct hdlc_parameters *theirs);
/* Borrows an APDU to send. ERR_BUSY, ERR_RANGE. */
enum err hdlc_borrow(struct hdlc *h, const struct dlms_frame *f);
/* I frames sent and not acknowledged. */
uint8_t hdlc_unacknowledged(const struct hdlc *h);
/* Takes N(R) of a control field; false: it acknowledges what was never sent. */
bool hdlc_acknowledge(struct hdlc *h, uint8_t control);
/* What the other side did not acknowledge with its P or F bit is lost: it will be sent again. */
void hdlc_rewind(struct hdlc *h);
/* The info field of an I or UI frame goes to the APDU. */
enum hdlc_taken hdlc_take_i(struct hdlc *h, const struct hdlc_frame *f);
void hdlc_take_ui(struct hdlc *h, const struct hdlc_frame *f);

/* Frames begun here are taken by hdlc_take(). */
bool hdlc_start_i(struct hdlc *h); /* false: no more segments, or the window is full */
void hdlc_start_ui(struct hdlc *h, uint8_t control);
void hdlc_start_s(struct hdlc *h, uint8_t control); /* RR or RNR; adds P/F and N(R) */
void hdlc_start_u(struct hdlc *h);                  /* h->u_control, which is used up */

/* Rows of struct dlms_link_ops that are the same for both. */
void hdlc_reset(struct dlms_link *l);
size_t hdlc_feed(struct dlms_link *l, uint64_t now_ms, const uint8_t *p, size_t n);
size_t hdlc_take(struct dlms_link *l, uint64_t now_ms, uint8_t *to, size_t size);
bool hdlc_received(struct dlms_link *l, struct dlms_frame *out);
void hdlc_release(struct dlms_link *l);
bool hdlc_sending(const struct dlms_link *l);
const char *hdlc_why(const struct dlms_link *l);
size_t hdlc_max_apdu(const struct dlms_link *l);

/* The server's own, hdlc_server.c. ops: NULL where nothing is called through them. */
enum err hdlc_server_setup(struct hdlc *h, const struct dlms_link_ops *ops,
                           const struct hdlc_config *config, uint8_t *buffer, size_t size);
void hdlc_server_frame(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f);
bool hdlc_server_next(struct hdlc *h);
void hdlc_server_sent(struct hdlc *h, uint64_t now_ms);
enum err hdlc_server_open(struct dlms_link *l, uint64_t now_ms);
enum err hdlc_server_close(struct dlms_link *l, uint64_t now_ms);
uint64_t hdlc_server_poll(struct dlms_link *l, uint64_t now_ms);
enum err hdlc_server_send(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f);
enum dlms_link_state hdlc_server_state(const struct dlms_link *l);

#endif
