/* The calls of link.h for a program whose only links are HDLC servers, as a meter's are: in place
 * of link.c, hdlc_role.c and hdlc_server_init.c, it calls directly what they reach through tables.
 * It refuses every other link: such a program does not link. */
#include "lib/dlms/hdlc_parts.h"

bool hdlc_is_server(const struct hdlc *h)
{
    (void)h;
    return true;
}

void hdlc_role_frame(struct hdlc *h, uint64_t now_ms, const struct hdlc_frame *f)
{
    hdlc_server_frame(h, now_ms, f);
}

bool hdlc_role_next(struct hdlc *h)
{
    return hdlc_server_next(h);
}

void hdlc_role_sent(struct hdlc *h, uint64_t now_ms)
{
    hdlc_server_sent(h, now_ms);
}

enum err hdlc_server_init(struct hdlc *h, const struct hdlc_config *config, uint8_t *buffer,
                          size_t size)
{
    return hdlc_server_setup(h, NULL, config, buffer, size);
}

void dlms_link_reset(struct dlms_link *l)
{
    hdlc_reset(l);
}

enum err dlms_link_open(struct dlms_link *l, uint64_t now_ms)
{
    return hdlc_server_open(l, now_ms);
}

enum err dlms_link_close(struct dlms_link *l, uint64_t now_ms)
{
    return hdlc_server_close(l, now_ms);
}

size_t dlms_link_feed(struct dlms_link *l, uint64_t now_ms, const uint8_t *p, size_t n)
{
    return hdlc_feed(l, now_ms, p, n);
}

size_t dlms_link_take(struct dlms_link *l, uint64_t now_ms, uint8_t *to, size_t size)
{
    return hdlc_take(l, now_ms, to, size);
}

uint64_t dlms_link_poll(struct dlms_link *l, uint64_t now_ms)
{
    return hdlc_server_poll(l, now_ms);
}

bool dlms_link_received(struct dlms_link *l, struct dlms_frame *out)
{
    return hdlc_received(l, out);
}

void dlms_link_release(struct dlms_link *l)
{
    hdlc_release(l);
}

enum err dlms_link_send(struct dlms_link *l, uint64_t now_ms, const struct dlms_frame *f)
{
    return hdlc_server_send(l, now_ms, f);
}

bool dlms_link_sending(const struct dlms_link *l)
{
    return hdlc_sending(l);
}

enum dlms_link_state dlms_link_state(const struct dlms_link *l)
{
    return hdlc_server_state(l);
}

const char *dlms_link_why(const struct dlms_link *l)
{
    return hdlc_why(l);
}

size_t dlms_link_max_apdu(const struct dlms_link *l)
{
    return hdlc_max_apdu(l);
}
