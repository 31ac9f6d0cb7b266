/* For callers that choose the role at run time; by itself, so that others link one role only. */
#include "lib/dlms/hdlc.h"

enum err hdlc_init(struct hdlc *h, const struct hdlc_config *config, uint8_t *buffer, size_t size)
{
    return config->is_server ? hdlc_server_init(h, config, buffer, size)
                             : hdlc_client_init(h, config, buffer, size);
}
