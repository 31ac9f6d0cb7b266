/* Calls through the table of a link; see link.h. */
#include "lib/dlms/link.h"

void dlms_link_reset(struct dlms_link *l)
{
    l->ops->reset(l);
}

enum err dlms_link_open(struct dlms_link *l, uint64_t now_ms)
{
    return l->ops->open(l, now_ms);
}

enum err dlms_link_close(struct dlms_link *l, uint64_t now_ms)
{
    return l->ops->close(l, now_ms);
}

size_t dlms_link_feed(struct dlms_link *l, uint64_t now_ms, const uint8_t *p, size_t n)
{
    return l->ops->feed(l, now_ms, p, n);
}

size_t dlms_link_take(struct dlms_link *l, uint64_t now_ms, uint8_t *to, size_t size)
{
    return l->ops->take(l, now_ms, to, size);
}

uint64_t dlms_link_poll(struct dlms_link *l, uint64_t now_ms)
{
    return l->ops->poll(l, now_ms);
}

bool dlms_link_received(struct dlms_link *l, struct dlms_frame *out)
{
    return l->ops->received(l, out);
}

void dlms_link_release(struct dlms_link *l)
{
    l->ops->release(l);
}

enum err dlms_link_send(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f)
{
    return l->ops->send(l, now_ms, f);
}

bool dlms_link_sending(const struct dlms_link *l)
{
    return l->ops->sending(l);
}

enum dlms_link_state dlms_link_state(const struct dlms_link *l)
{
    return l->ops->state(l);
}

const char *dlms_link_why(const struct dlms_link *l)
{
    return l->ops->why(l);
}

size_t dlms_link_max_apdu(const struct dlms_link *l)
{
    return l->ops->max_apdu(l);
}
