/* Class 1 objects that are no plain numbers: names, versions, the rate, the status octets of the
 * profiles. */
#include "firmware/meter/meter_bind.h"

#include "lib/cosem/session.h"

#include <string.h>

#define LEGAL_VERSION "L0.1.0" /* of firmware/legal, 1-0:0.2.0 */

static void put_name(struct wr *out, const char *text)
{
    axdr_put_octets(out, text, strlen(text));
}

static enum cosem_result get_data(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, const struct cosem_select *sel, struct cosem_gen *g,
                                  struct wr *out)
{
    (void)sel;
    const struct meter *m = meter_of(c);
    struct meter_audit audit;
    uint8_t rate;
    g->more = false;
    if (attr != 2)
        return COSEM_OBJECT_UNDEFINED;
    switch (MODEL_QUANTITY(o->row->arg)) {
    case MODEL_DEVICE_NAME:
        put_name(out, m->device_name);
        return COSEM_SUCCESS;
    case MODEL_SERIAL:
        put_name(out, m->serial);
        return COSEM_SUCCESS;
    case MODEL_FIRMWARE_LEGAL:
        put_name(out, LEGAL_VERSION);
        return COSEM_SUCCESS;
    case MODEL_FIRMWARE_APPLICATION:
        put_name(out, METER_VERSION);
        return COSEM_SUCCESS;
    case MODEL_PROFILE_STATUS:
        axdr_put_u8(out, meter_row_status(m, MODEL_PROFILE_OF(o), meter_now_s(m)));
        return COSEM_SUCCESS;
    case MODEL_RATE:
        rate = (uint8_t)(meter_rate(m) + 1);
        axdr_put_octets(out, &rate, 1);
        return COSEM_SUCCESS;
    case MODEL_AUDIT:
        if (meter_audit_read(m, meter_audit_newest(m), &audit) != ERR_OK)
            return COSEM_TEMPORARY_FAILURE;
        meter_put_audit(out, &audit);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}

uint16_t meter_client(const struct cosem_call *c)
{
    return c->session != NULL ? c->session->client_sap : 0;
}

const struct cosem_binding meter_binding_data = {.get = get_data};
