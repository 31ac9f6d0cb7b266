/* What the meter says unasked: data-notification and event-notification, at any time. Green
 * Book 9.4.6.9, 9.4.6.11.
 *
 * A malformed one is dropped: it is not an answer, and nobody waits for it. A confirmed one is
 * confirmed when the link is free and no exchange by general blocks is under way; else the meter
 * will repeat it. */
#include "lib/cosem/client_parts.h"

static void confirm(struct cosem_client *c, uint32_t invoke)
{
    const struct apdu_notification n = {.invoke = invoke};
    struct wr w = client_plain_writer(c);
    if (c->gbt.active || dlms_link_state(c->link) != LINK_OPEN)
        return;
    notify_put_data(&w, DLMS_DATA_NOTIFICATION_CONFIRM, &n);
    client_reply(c, &w, c->config.security != 0);
}

static void on_data(struct cosem_client *c, struct rd *r)
{
    struct cosem_client_notice notice = {0};
    notify_get_data(r, DLMS_DATA_NOTIFICATION, &notice.data);
    if (r->err)
        return;
    if (c->config.notified)
        c->config.notified(c->config.notified_context, &notice);
    if (notice.data.invoke & DLMS_LONG_CONFIRMED)
        confirm(c, notice.data.invoke);
}

static void on_event(struct cosem_client *c, struct rd *r)
{
    struct cosem_client_notice notice = {.is_event = true};
    notify_get_event(r, &notice.event);
    if (!r->err && c->config.notified)
        c->config.notified(c->config.notified_context, &notice);
}

bool client_on_notice(struct cosem_client *c, struct bytes plain)
{
    struct rd r = rd_of(plain.p, plain.len);
    if (plain.len == 0)
        return false;
    if (plain.p[0] == DLMS_DATA_NOTIFICATION)
        on_data(c, &r);
    else if (plain.p[0] == DLMS_EVENT_NOTIFICATION)
        on_event(c, &r);
    else
        return false;
    return true;
}
