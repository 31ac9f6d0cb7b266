/* Objects of one number, classes 1 and 3: energies, present values, counters, parameters, constants
 * of the meter. Types, scalers and units stand in one table, so that a value and its scaler_unit
 * cannot disagree. What may be written is the matter of the rows' rights (model/objects.c). */
#include "firmware/meter/meter_bind.h"

#include "firmware/meter/meter_value.h"

#define BY_MODEL INT8_MIN /* scaler: that of the meter's energy registers */

struct format {
    uint8_t tag; /* A-XDR type of the value */
    int8_t scaler;
    uint8_t unit;
};
static const struct format formats[MODEL_N_QUANTITIES] = {
    [MODEL_A_IMPORT] = {AXDR_U64, BY_MODEL, COSEM_UNIT_WH},
    [MODEL_A_EXPORT] = {AXDR_U64, BY_MODEL, COSEM_UNIT_WH},
    [MODEL_R_IMPORT] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VARH},
    [MODEL_R_EXPORT] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VARH},
    [MODEL_R_QI] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VARH},
    [MODEL_R_QII] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VARH},
    [MODEL_R_QIII] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VARH},
    [MODEL_R_QIV] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VARH},
    [MODEL_S_IMPORT] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VAH},
    [MODEL_S_EXPORT] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VAH},
    [MODEL_A_ABSOLUTE] = {AXDR_U64, BY_MODEL, COSEM_UNIT_WH},
    [MODEL_R_ABSOLUTE] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VARH},
    [MODEL_A_NET] = {AXDR_I64, BY_MODEL, COSEM_UNIT_WH},
    [MODEL_A_IMPORT_INTERVAL] = {AXDR_U32, BY_MODEL, COSEM_UNIT_WH},
    [MODEL_A_EXPORT_INTERVAL] = {AXDR_U32, BY_MODEL, COSEM_UNIT_WH},
    [MODEL_P_IMPORT] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_W},
    [MODEL_P_EXPORT] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_W},
    [MODEL_Q_IMPORT] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VAR},
    [MODEL_Q_EXPORT] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VAR},
    [MODEL_Q_QI] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VAR},
    [MODEL_Q_QII] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VAR},
    [MODEL_Q_QIII] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VAR},
    [MODEL_Q_QIV] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VAR},
    [MODEL_S_IMPORT_NOW] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VA},
    [MODEL_S_EXPORT_NOW] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VA},
    [MODEL_P_ABSOLUTE] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_W},
    [MODEL_P_NET] = {AXDR_I32, METER_POWER_SCALER, COSEM_UNIT_W},
    [MODEL_Q_FRYZE] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VAR},
    [MODEL_S_VECTOR] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_VA},
    [MODEL_POWER_FACTOR] = {AXDR_I16, -3, COSEM_UNIT_NONE},
    [MODEL_FREQUENCY] = {AXDR_U16, -2, COSEM_UNIT_HZ},
    [MODEL_CURRENT] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_CURRENT_NEUTRAL] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_CURRENT_COMPUTED] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_CURRENT_DIFFERENTIAL] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_UNBALANCE_U] = {AXDR_U32, -2, COSEM_UNIT_PERCENT},
    [MODEL_UNBALANCE_I] = {AXDR_U32, -2, COSEM_UNIT_PERCENT},
    [MODEL_VOLTAGE] = {AXDR_U32, -2, COSEM_UNIT_V},
    [MODEL_SEQUENCE_U] = {AXDR_U32, -2, COSEM_UNIT_V},
    [MODEL_SEQUENCE_I] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_ANGLE_U] = {AXDR_I16, -1, COSEM_UNIT_DEGREE},
    [MODEL_ANGLE_UI] = {AXDR_I16, -1, COSEM_UNIT_DEGREE},
    [MODEL_THD_U] = {AXDR_U32, -2, COSEM_UNIT_PERCENT},
    [MODEL_THD_I] = {AXDR_U32, -2, COSEM_UNIT_PERCENT},
    [MODEL_U_DAY] = {AXDR_U32, -2, COSEM_UNIT_V},
    [MODEL_I_DAY] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_P_IMPORT_DAY] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_W},
    [MODEL_P_EXPORT_DAY] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_W},
    [MODEL_U_MONTH] = {AXDR_U32, -2, COSEM_UNIT_V},
    [MODEL_I_MONTH] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_P_IMPORT_MONTH] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_W},
    [MODEL_P_EXPORT_MONTH] = {AXDR_U32, METER_POWER_SCALER, COSEM_UNIT_W},
    [MODEL_LOSS_ACTIVE] = {AXDR_U64, BY_MODEL, COSEM_UNIT_WH},
    [MODEL_LOSS_REACTIVE] = {AXDR_U64, BY_MODEL, COSEM_UNIT_VARH},
    [MODEL_U2H] = {AXDR_U64, 0, COSEM_UNIT_V2H},
    [MODEL_I2H] = {AXDR_U64, -3, COSEM_UNIT_A2H},
    [MODEL_LOSS_XM] = {AXDR_U32, 0, COSEM_UNIT_OHM},
    [MODEL_LOSS_RFE] = {AXDR_U32, 0, COSEM_UNIT_OHM},
    [MODEL_LOSS_RCU] = {AXDR_U32, -6, COSEM_UNIT_OHM},
    [MODEL_LOSS_XS] = {AXDR_U32, -6, COSEM_UNIT_OHM},
    [MODEL_LED_ACTIVE] = {AXDR_U32, -3, COSEM_UNIT_PER_WH},
    [MODEL_LED_REACTIVE] = {AXDR_U32, -3, COSEM_UNIT_PER_VARH},
    [MODEL_NOMINAL_U] = {AXDR_U32, -3, COSEM_UNIT_V},
    [MODEL_NOMINAL_I] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_NOMINAL_F] = {AXDR_U32, -3, COSEM_UNIT_HZ},
    [MODEL_MAXIMUM_I] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_LIMIT_ON] = {.tag = AXDR_U32},
    [MODEL_LIMIT_HYSTERESIS] = {.tag = AXDR_U32},
    [MODEL_LIMIT_ON_MS] = {.tag = AXDR_U32},
    [MODEL_LIMIT_OFF_MS] = {.tag = AXDR_U32},
    [MODEL_PRESENT] = {.tag = AXDR_U32},
    [MODEL_ERRORS] = {.tag = AXDR_U32},
    [MODEL_RATIO_CT_NUM] = {.tag = AXDR_U32},
    [MODEL_RATIO_VT_NUM] = {.tag = AXDR_U32},
    [MODEL_RATIO_CT_DEN] = {.tag = AXDR_U32},
    [MODEL_RATIO_VT_DEN] = {.tag = AXDR_U32},
    [MODEL_OUTAGE_COUNT] = {.tag = AXDR_U32},
    [MODEL_OUTAGE_COUNT_ANY] = {.tag = AXDR_U32},
    [MODEL_OUTAGE_LONG] = {.tag = AXDR_U32},
    [MODEL_OUTAGE_LONG_ANY] = {.tag = AXDR_U32},
    [MODEL_OUTAGE_SHORT] = {.tag = AXDR_U32},
    [MODEL_OUTAGE_LAST] = {AXDR_U32, 0, COSEM_UNIT_SECOND},
    [MODEL_OUTAGE_LAST_ANY] = {AXDR_U32, 0, COSEM_UNIT_SECOND},
    [MODEL_OUTAGE_OFF] = {AXDR_U32, 0, COSEM_UNIT_SECOND},
    [MODEL_OUTAGE_LIMIT] = {AXDR_U32, 0, COSEM_UNIT_SECOND},
    [MODEL_OUTAGE_COUNTS] = {AXDR_U32, 0, COSEM_UNIT_SECOND},
    [MODEL_CLOCK_SHIFT] = {AXDR_U16, 0, COSEM_UNIT_SECOND},
};

/* Signed ones are two's complement, of the same width. */
static void put_value(struct wr *out, uint8_t tag, uint64_t value)
{
    wr_u8(out, tag);
    wr_uint(out, value, axdr_content_size(tag));
}

void meter_put_scaler_unit(struct wr *out, int8_t scaler, uint8_t unit)
{
    axdr_put_struct(out, 2);
    axdr_put_i8(out, scaler);
    axdr_put_enum(out, unit);
}

static bool is_primary(const struct meter *m, const struct cosem_row *row)
{
    return (meter_features(m) & MODEL_RATIOS) != 0 && (row->kind->flags & MODEL_PRIMARY) != 0;
}

/* Powers and energies of the primary side keep their digits: the scaler takes the decades. */
static int8_t scaler_of(const struct meter *m, const struct cosem_row *row, enum model_quantity q)
{
    const struct format *f = &formats[q];
    int8_t scaler = f->scaler == BY_MODEL ? meter_model(m)->energy_scaler : f->scaler;
    if (!is_primary(m, row) || q == MODEL_CURRENT || q == MODEL_VOLTAGE)
        return scaler;
    return (int8_t)(scaler + meter_ratio_decades(&m->ratio));
}

static enum cosem_result get_register(const struct cosem_call *c, const struct cosem_ref *o,
                                      uint8_t attr, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    (void)sel;
    struct meter *m = meter_of(c);
    enum model_quantity q = MODEL_QUANTITY(o->row->arg);
    g->more = false;
    if (attr == 2)
        put_value(out, formats[q].tag,
                  (uint64_t)(is_primary(m, o->row) ? meter_value_primary(m, q, o->i, o->j)
                                                   : meter_value(m, q, o->i, o->j)));
    else if (attr == 3)
        meter_put_scaler_unit(out, scaler_of(m, o->row, q), formats[q].unit);
    else
        return COSEM_OBJECT_UNDEFINED;
    return COSEM_SUCCESS;
}

static enum cosem_result set_register(const struct cosem_call *c, const struct cosem_ref *o,
                                      uint8_t attr, struct rd *value)
{
    (void)attr; /* 2: rights give no other */
    const enum model_quantity q = MODEL_QUANTITY(o->row->arg);
    if (axdr_peek(value) != formats[q].tag)
        return COSEM_TYPE_UNMATCHED;
    const uint32_t to = (uint32_t)axdr_get_uint(value);
    return cosem_result_of(meter_value_set(meter_of(c), meter_client(c), q, o->i, to));
}

const struct cosem_binding meter_binding_register = {.get = get_register, .set = set_register};
