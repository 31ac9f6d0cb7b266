/* What a station's role decides, through its table; link_hdlc_server.c has no other role. */
#include "lib/dlms/hdlc_parts.h"

static const struct hdlc_role *role_of(const struct hdlc *h)
{
    return (const struct hdlc_role *)(const void *)h->link.ops;
}

bool hdlc_is_server(const struct hdlc *h)
{
    return h->config.is_server;
}

void hdlc_role_frame(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f)
{
    role_of(h)->frame(h, now_ms, f);
}

bool hdlc_role_next(struct hdlc *h)
{
    return role_of(h)->next(h);
}

void hdlc_role_sent(struct hdlc *h, uint64_t now_ms)
{
    role_of(h)->sent(h, now_ms);
}
