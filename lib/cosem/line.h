/* A line into the meter: a link and the session behind it. One per optical head, RS-485 port, TCP
 * connection, UDP peer.
 *
 *     octets from the line -> line_feed -> link -> session -> link -> line_take -> octets
 *
 * The caller owns the three structs. A stuck client on one line holds up no other: nothing is
 * shared but the server's tables. When the link closes (DISC, inactivity), the association ends;
 * the next client finds a fresh one. The largest APDU agreed with a client is never above what the
 * link can carry. */
#ifndef FERRARIS_COSEM_LINE_H
#define FERRARIS_COSEM_LINE_H

#include "lib/cosem/session.h"
#include "lib/dlms/link.h"

struct cosem_line {
    struct dlms_link *link;
    struct cosem_session *session; /* initialised */
    /* private */
    bool answering; /* the session's answer is on its way */
    bool open;      /* the link was, when looked at last */
};

void line_init(struct cosem_line *l, struct dlms_link *link, struct cosem_session *session);
/* Octets (or one datagram) from the line; gives how many were consumed: fewer while an answer waits
 * for line_take. */
size_t line_feed(struct cosem_line *l, uint64_t now_ms, const uint8_t *p, size_t n);
/* Octets (or one datagram) for the line; 0: none. */
size_t line_take(struct cosem_line *l, uint64_t now_ms, uint8_t *to, size_t size);
/* Link and session timers. Gives when to call next. */
uint64_t line_poll(struct cosem_line *l, uint64_t now_ms);
/* The line should be closed (a connection) or begun anew (a bus): line_reset. */
bool line_closed(const struct cosem_line *l);
void line_reset(struct cosem_line *l);

#endif
