/* Ready binding of class 17: the logical devices of the server and their SAPs. Blue Book 4.4.5 */
#include "lib/cosem/session.h"
#include "lib/dlms/axdr.h"

#include <string.h>

static enum cosem_result get(const struct cosem_call *c, const struct cosem_ref *o, uint8_t attr,
                             const struct cosem_select *sel, struct cosem_gen *g, struct wr *out)
{
    const struct cosem_server_config *config = &c->session->server->config;
    (void)o, (void)attr, (void)sel;
    if (g->item == 0) {
        axdr_put_array(out, config->n_devices);
    } else {
        const struct cosem_device *d = config->devices[g->item - 1];
        axdr_put_struct(out, 2);
        axdr_put_u16(out, d->sap);
        axdr_put_octets(out, d->name, strlen(d->name));
    }
    g->more = g->item < config->n_devices;
    return COSEM_SUCCESS;
}

const struct cosem_binding cosem_binding_sap = {.get = get};
