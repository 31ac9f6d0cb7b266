/* What a server sends without being asked: data-notification (and its confirmation) and
 * event-notification. Green Book 9.4.6.9 and 9.4.6.11. */
#ifndef FERRARIS_DLMS_APDU_NOTIFY_H
#define FERRARIS_DLMS_APDU_NOTIFY_H

#include "lib/dlms/apdu.h"

struct apdu_notification {
    uint32_t invoke;        /* long-invoke-id-and-priority; DLMS_LONG_CONFIRMED: wants a 10 back */
    struct bytes date_time; /* empty or 12 octets; some meters put a whole A-XDR octet-string (tag
                               09) here: get takes its content */
    struct bytes body;      /* one A-XDR value; empty in a confirmation */
};
/* tag: DLMS_DATA_NOTIFICATION or DLMS_DATA_NOTIFICATION_CONFIRM. Whole APDUs; errors stick. */
void notify_get_data(struct rd *r, uint8_t tag, struct apdu_notification *out);
void notify_put_data(struct wr *w, uint8_t tag, const struct apdu_notification *n);

struct apdu_event {
    struct bytes time;       /* empty: absent; else 12 octets */
    struct apdu_attr target; /* bare */
    struct bytes value;      /* one A-XDR value */
};
void notify_get_event(struct rd *r, struct apdu_event *out);
void notify_put_event(struct wr *w, const struct apdu_event *e);

#endif
