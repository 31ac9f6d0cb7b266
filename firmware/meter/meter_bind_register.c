/* Class 3 objects: energies, present values, constants of the meter. Types, scalers and units stand
 * in one table, so that a value and its scaler_unit cannot disagree. */
#include "firmware/meter/meter_bind.h"

#include "firmware/meter/meter_energy.h"

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
    [MODEL_POWER_FACTOR] = {AXDR_I16, -3, COSEM_UNIT_NONE},
    [MODEL_FREQUENCY] = {AXDR_U16, -2, COSEM_UNIT_HZ},
    [MODEL_CURRENT] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_CURRENT_NEUTRAL] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_VOLTAGE] = {AXDR_U32, -2, COSEM_UNIT_V},
    [MODEL_ANGLE_U] = {AXDR_I16, -1, COSEM_UNIT_DEGREE},
    [MODEL_ANGLE_UI] = {AXDR_I16, -1, COSEM_UNIT_DEGREE},
    [MODEL_THD_U] = {AXDR_U32, -2, COSEM_UNIT_PERCENT},
    [MODEL_THD_I] = {AXDR_U32, -2, COSEM_UNIT_PERCENT},
    [MODEL_LED_ACTIVE] = {AXDR_U32, -3, COSEM_UNIT_PER_WH},
    [MODEL_LED_REACTIVE] = {AXDR_U32, -3, COSEM_UNIT_PER_VARH},
    [MODEL_NOMINAL_U] = {AXDR_U32, -3, COSEM_UNIT_V},
    [MODEL_NOMINAL_I] = {AXDR_U32, -3, COSEM_UNIT_A},
    [MODEL_NOMINAL_F] = {AXDR_U32, -3, COSEM_UNIT_HZ},
    [MODEL_MAXIMUM_I] = {AXDR_U32, -3, COSEM_UNIT_A},
};

static int64_t rounded(int64_t value, int64_t by)
{
    return (value + (value < 0 ? -by : by) / 2) / by;
}

static int64_t positive(int64_t value)
{
    return value > 0 ? value : 0;
}

/* The four values of a phase (1..3) or of the sum (0) that powers are made of. */
struct powers {
    int64_t p_mw, q_mvar, s_mva;
    int32_t pf_ppm;
};
static struct powers powers_of(const struct legal_values *v, uint8_t phase)
{
    if (phase == 0)
        return (struct powers){v->p_mw, v->q_mvar, (int64_t)v->s_mva, v->pf_ppm};
    const struct legal_phase_values *x = &v->phase[phase - 1];
    return (struct powers){x->p_mw, x->q_mvar, (int64_t)x->s_mva, x->pf_ppm};
}

/* Reactive power where the load lies in this quadrant, else 0; the axes as the ledger has them. */
static int64_t in_quadrant(const struct powers *x, enum model_quantity q)
{
    bool export = x->p_mw < 0, negative = x->q_mvar < 0;
    enum model_quantity here = export ? MODEL_Q_QII : MODEL_Q_QI;
    if (negative)
        here = export ? MODEL_Q_QIII : MODEL_Q_QIV;
    if (q != here)
        return 0;
    return negative ? -x->q_mvar : x->q_mvar;
}

static int64_t power(const struct legal_values *v, enum model_quantity q, uint8_t phase)
{
    const int64_t mw = 100; /* milliwatt to 0.1 W */
    struct powers x = powers_of(v, phase);
    switch (q) {
    case MODEL_P_IMPORT:
        return rounded(positive(x.p_mw), mw);
    case MODEL_P_EXPORT:
        return rounded(positive(-x.p_mw), mw);
    case MODEL_Q_IMPORT:
        return rounded(positive(x.q_mvar), mw);
    case MODEL_Q_EXPORT:
        return rounded(positive(-x.q_mvar), mw);
    case MODEL_Q_QI:
    case MODEL_Q_QII:
    case MODEL_Q_QIII:
    case MODEL_Q_QIV:
        return rounded(in_quadrant(&x, q), mw);
    case MODEL_S_IMPORT_NOW:
        return x.p_mw >= 0 ? rounded(x.s_mva, mw) : 0;
    case MODEL_S_EXPORT_NOW:
        return x.p_mw < 0 ? rounded(x.s_mva, mw) : 0;
    case MODEL_P_ABSOLUTE:
        return rounded(x.p_mw < 0 ? -x.p_mw : x.p_mw, mw);
    case MODEL_P_NET:
        return rounded(x.p_mw, mw);
    default: /* MODEL_POWER_FACTOR */
        return rounded(x.pf_ppm, 1000);
    }
}

static int64_t measured(const struct legal_values *v, enum model_quantity q, uint8_t i)
{
    switch (q) {
    case MODEL_FREQUENCY:
        return rounded(v->frequency_uhz, 10000);
    case MODEL_CURRENT:
        return rounded(v->phase[i].i_ua, 1000);
    case MODEL_CURRENT_NEUTRAL:
        return rounded(v->in_ua, 1000);
    case MODEL_VOLTAGE:
        return rounded(v->phase[i].u_mv, 10);
    case MODEL_ANGLE_U:
        return rounded(v->phase[i].u_angle_mdeg, 100);
    case MODEL_ANGLE_UI:
        return rounded(v->phase[i].phase_mdeg, 100);
    case MODEL_THD_U:
        return rounded(v->phase[i].thd_u_ppm, 100);
    default: /* MODEL_THD_I */
        return rounded(v->phase[i].thd_i_ppm, 100);
    }
}

static int64_t constant(const struct meter *m, enum model_quantity q)
{
    switch (q) {
    case MODEL_A_IMPORT_INTERVAL:
        return m->profile.last.interval[0];
    case MODEL_A_EXPORT_INTERVAL:
        return m->profile.last.interval[1];
    case MODEL_NOMINAL_U:
        return m->model->un_mv;
    case MODEL_NOMINAL_I:
        return m->model->in_ma;
    case MODEL_NOMINAL_F:
        return m->f_mhz;
    case MODEL_MAXIMUM_I:
        return m->model->imax_ma;
    default: /* MODEL_LED_ACTIVE, MODEL_LED_REACTIVE */
        return m->model->pulse_per_kwh;
    }
}

static int64_t value_of(const struct meter *m, enum model_quantity q, uint8_t i)
{
    if (q < MODEL_N_ENERGIES_END) {
        struct legal_energies e;
        legal_energies_get(&m->legal, &e);
        return (int64_t)meter_energy(m->model, &e, q, i);
    }
    if (q <= MODEL_A_EXPORT_INTERVAL || q >= MODEL_LED_ACTIVE)
        return constant(m, q);
    struct legal_values v;
    legal_values_get(&m->legal, &v);
    return q <= MODEL_POWER_FACTOR ? power(&v, q, i) : measured(&v, q, i);
}

static void put_value(struct wr *out, uint8_t tag, int64_t value)
{
    switch (tag) {
    case AXDR_U64:
        axdr_put_u64(out, (uint64_t)value);
        break;
    case AXDR_U32:
        axdr_put_u32(out, (uint32_t)value);
        break;
    case AXDR_I32:
        axdr_put_i32(out, (int32_t)value);
        break;
    case AXDR_U16:
        axdr_put_u16(out, (uint16_t)value);
        break;
    default: /* AXDR_I16 */
        axdr_put_i16(out, (int16_t)value);
        break;
    }
}

void meter_put_scaler_unit(struct wr *out, int8_t scaler, uint8_t unit)
{
    axdr_put_struct(out, 2);
    axdr_put_i8(out, scaler);
    axdr_put_enum(out, unit);
}

static enum cosem_result get_register(const struct cosem_call *c, const struct cosem_ref *o,
                                      uint8_t attr, const struct cosem_select *sel,
                                      struct cosem_gen *g, struct wr *out)
{
    (void)sel;
    const struct meter *m = meter_of(c);
    enum model_quantity q = MODEL_QUANTITY(o->row->arg);
    const struct format *f = &formats[q];
    g->more = false;
    if (attr == 2)
        put_value(out, f->tag, value_of(m, q, o->i));
    else if (attr == 3)
        meter_put_scaler_unit(out, f->scaler == BY_MODEL ? m->model->energy_scaler : f->scaler,
                              f->unit);
    else
        return COSEM_OBJECT_UNDEFINED;
    return COSEM_SUCCESS;
}

const struct cosem_binding meter_binding_register = {.get = get_register};
