/* The HDLC server as one of several links of a program: its calls go through tables. */
#include "lib/dlms/hdlc_parts.h"

static const struct hdlc_role server_role = {.ops = {.reset = hdlc_reset,
                                                     .open = hdlc_server_open,
                                                     .close = hdlc_server_close,
                                                     .feed = hdlc_feed,
                                                     .take = hdlc_take,
                                                     .poll = hdlc_server_poll,
                                                     .received = hdlc_received,
                                                     .release = hdlc_release,
                                                     .send = hdlc_server_send,
                                                     .sending = hdlc_sending,
                                                     .state = hdlc_server_state,
                                                     .why = hdlc_why,
                                                     .max_apdu = hdlc_max_apdu},
                                             .frame = hdlc_server_frame,
                                             .next = hdlc_server_next,
                                             .sent = hdlc_server_sent};

enum err hdlc_server_init(struct hdlc *h, const struct hdlc_config *config, uint8_t *buffer,
                          size_t size)
{
    return hdlc_server_setup(h, &server_role.ops, config, buffer, size);
}
