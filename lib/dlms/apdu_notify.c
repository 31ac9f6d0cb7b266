/* data-notification, its confirmation, event-notification. */
#include "lib/dlms/apdu_notify.h"

#include "lib/dlms/axdr.h"

#define TIME_LEN 12

/* The date-time of a data-notification is an octet string without a tag: its length comes first.
 * Some meters put the tag (09) before it; a length of 9 can be nothing else, as only 0 and 12 are
 * lengths of a date-time. */
static struct bytes get_date_time(struct rd *r)
{
    size_t n = rd_length(r);
    if (n == AXDR_OCTETS)
        n = rd_length(r);
    if (n != 0 && n != TIME_LEN)
        rd_fail(r, ERR_FORMAT);
    return rd_bytes(r, n);
}

/* One A-XDR value as a view. */
static struct bytes get_value(struct rd *r)
{
    size_t start = r->pos;
    axdr_skip(r);
    return r->err ? (struct bytes){NULL, 0} : (struct bytes){r->p + start, r->pos - start};
}

void notify_get_data(struct rd *r, uint8_t tag, struct apdu_notification *out)
{
    *out = (struct apdu_notification){.invoke = 0};
    if (rd_u8(r) != tag)
        rd_fail(r, ERR_FORMAT);
    out->invoke = rd_u32(r);
    out->date_time = get_date_time(r);
    if (tag == DLMS_DATA_NOTIFICATION)
        out->body = get_value(r);
    if (rd_left(r) > 0)
        rd_fail(r, ERR_FORMAT);
}

void notify_put_data(struct wr *w, uint8_t tag, const struct apdu_notification *n)
{
    wr_u8(w, tag);
    wr_u32(w, n->invoke);
    wr_length(w, n->date_time.len);
    wr_bytes(w, n->date_time.p, n->date_time.len);
    if (tag == DLMS_DATA_NOTIFICATION)
        wr_bytes(w, n->body.p, n->body.len);
}

void notify_get_event(struct rd *r, struct apdu_event *out)
{
    *out = (struct apdu_event){.target = {.class_id = 0}};
    if (rd_u8(r) != DLMS_EVENT_NOTIFICATION)
        rd_fail(r, ERR_FORMAT);
    uint8_t has_time = rd_u8(r);
    if (has_time > 1)
        rd_fail(r, ERR_FORMAT);
    if (has_time)
        out->time = rd_bytes(r, rd_length(r));
    if (has_time && out->time.len != TIME_LEN)
        rd_fail(r, ERR_FORMAT);
    apdu_get_attr_bare(r, &out->target);
    out->value = get_value(r);
    if (rd_left(r) > 0)
        rd_fail(r, ERR_FORMAT);
}

void notify_put_event(struct wr *w, const struct apdu_event *e)
{
    wr_u8(w, DLMS_EVENT_NOTIFICATION);
    wr_u8(w, e->time.len > 0);
    if (e->time.len > 0) {
        wr_length(w, e->time.len);
        wr_bytes(w, e->time.p, e->time.len);
    }
    apdu_put_attr_bare(w, &e->target);
    wr_bytes(w, e->value.p, e->value.len);
}
