/* Class 9, the tariffication script table 0-0:10.0.100: script k puts rate k in force.
 *
 * The scripts are not writable: each is one action, writing k to the object of the current tariff.
 * A calendar executes them later; until then the management client does. */
#include "firmware/meter/meter_bind.h"

#define SERVICE_WRITE 1

static void put_script(struct wr *out, uint8_t rate)
{
    static const uint8_t tariff[6] = {0, 0, 96, 14, 0, 255};
    axdr_put_struct(out, 2);
    axdr_put_u16(out, rate);
    axdr_put_array(out, 1);
    axdr_put_struct(out, 5);
    axdr_put_enum(out, SERVICE_WRITE);
    axdr_put_u16(out, 1);
    axdr_put_octets(out, tariff, sizeof tariff);
    axdr_put_i8(out, 2);
    axdr_put_octets(out, &rate, 1);
}

static enum cosem_result get_scripts(const struct cosem_call *c, const struct cosem_ref *o,
                                     uint8_t attr, const struct cosem_select *sel,
                                     struct cosem_gen *g, struct wr *out)
{
    (void)o;
    (void)sel;
    const uint8_t n = meter_model(meter_of(c))->n_rates;
    g->more = false;
    if (attr != 2)
        return COSEM_OBJECT_UNDEFINED;
    if (g->item == 0)
        axdr_put_array(out, n);
    else
        put_script(out, (uint8_t)g->item);
    g->more = g->item < n;
    return COSEM_SUCCESS;
}

static enum cosem_result execute(const struct cosem_call *c, const struct cosem_ref *o,
                                 uint8_t method, struct rd *param, struct wr *reply)
{
    (void)o;
    (void)method;
    (void)reply;
    struct meter *m = meter_of(c);
    const uint32_t script = (uint32_t)axdr_get_uint(param);
    if (script == 0) /* does nothing, by the class's definition */
        return COSEM_SUCCESS;
    if (script > meter_model(m)->n_rates)
        return COSEM_OTHER_REASON;
    return cosem_result_of(meter_rate_set(m, (uint8_t)(script - 1)));
}

const struct cosem_binding meter_binding_tariff = {.get = get_scripts, .invoke = execute};
