/* Class 1 objects: names, versions, status, ratios. */
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
    const enum model_quantity q = MODEL_QUANTITY(o->row->arg);
    switch (q) {
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
    case MODEL_PRESENT:
        axdr_put_u32(out, meter_present(m));
        return COSEM_SUCCESS;
    case MODEL_ERRORS:
        axdr_put_u32(out, meter_errors(m));
        return COSEM_SUCCESS;
    case MODEL_AUDIT:
        if (meter_audit_read(m, meter_audit_newest(m), &audit) != ERR_OK)
            return COSEM_TEMPORARY_FAILURE;
        meter_put_audit(out, &audit);
        return COSEM_SUCCESS;
    case MODEL_LIMIT_ON:
    case MODEL_LIMIT_HYSTERESIS:
    case MODEL_LIMIT_ON_MS:
    case MODEL_LIMIT_OFF_MS:
        axdr_put_u32(out, meter_limit(m, o->i, (unsigned)q - MODEL_LIMIT_ON));
        return COSEM_SUCCESS;
    case MODEL_RATIO_CT_NUM:
    case MODEL_RATIO_VT_NUM:
    case MODEL_RATIO_CT_DEN:
    case MODEL_RATIO_VT_DEN:
        axdr_put_u32(out, m->ratio.part[q - MODEL_RATIO_CT_NUM]);
        return COSEM_SUCCESS;
    default:
        return COSEM_OBJECT_UNDEFINED;
    }
}

uint16_t meter_client(const struct cosem_call *c)
{
    return c->session != NULL ? c->session->client_sap : 0;
}

static enum cosem_result set_data(const struct cosem_call *c, const struct cosem_ref *o,
                                  uint8_t attr, struct rd *value)
{
    enum model_quantity q = MODEL_QUANTITY(o->row->arg);
    bool is_u32 = axdr_peek(value) == AXDR_U32;
    uint32_t to = (uint32_t)axdr_get_uint(value);
    const bool is_limit = q >= MODEL_LIMIT_ON && q <= MODEL_LIMIT_OFF_MS;
    const bool is_ratio = q >= MODEL_RATIO_CT_NUM && q <= MODEL_RATIO_VT_DEN;
    if (attr != 2 || (!is_limit && !is_ratio))
        return COSEM_READ_WRITE_DENIED;
    if (!is_u32 || value->err)
        return COSEM_TYPE_UNMATCHED;
    if (is_limit)
        return cosem_result_of(
            meter_limit_set(meter_of(c), meter_client(c), o->i, (unsigned)q - MODEL_LIMIT_ON, to));
    return cosem_result_of(
        meter_ratio_set(meter_of(c), meter_client(c), (unsigned)(q - MODEL_RATIO_CT_NUM), to));
}

const struct cosem_binding meter_binding_data = {.get = get_data, .set = set_data};
