/* The numbers that class 3 objects show, each from its one source: legal registers and values,
 * averages, parameters, constants of the model. Rounded to nearest, energies cut off. */
#include "firmware/meter/meter_value.h"

#include "firmware/meter/meter_energy.h"
#include "firmware/meter/meter_tell.h"

static int64_t rounded(int64_t value, int64_t by)
{
    return (value + (value < 0 ? -by : by) / 2) / by;
}

static int64_t positive(int64_t value)
{
    return value > 0 ? value : 0;
}

/* The values of a phase (1..3) or of the sum (0) that powers are made of. */
struct powers {
    int64_t p_mw, q_mvar, s_mva, fryze_mvar;
    int32_t pf_ppm;
};
static struct powers powers_of(const struct legal_values *v, uint8_t phase)
{
    if (phase == 0)
        return (struct powers){v->p_mw, v->q_mvar, (int64_t)v->s_mva, (int64_t)v->fryze_mvar,
                               v->pf_ppm};
    const struct legal_phase_values *x = &v->phase[phase - 1];
    return (struct powers){x->p_mw, x->q_mvar, (int64_t)x->s_mva, (int64_t)x->fryze_mvar,
                           x->pf_ppm};
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
    case MODEL_Q_FRYZE:
        return rounded(x.fryze_mvar, mw);
    case MODEL_S_VECTOR:
        return rounded((int64_t)v->s_vector_mva, mw);
    default: /* MODEL_POWER_FACTOR */
        return rounded(x.pf_ppm, 1000);
    }
}

static int64_t of_phase(const struct legal_phase_values *x, enum model_quantity q)
{
    switch (q) {
    case MODEL_CURRENT:
        return rounded(x->i_ua, 1000);
    case MODEL_VOLTAGE:
        return rounded(x->u_mv, 10);
    case MODEL_ANGLE_U:
        return rounded(x->u_angle_mdeg, 100);
    case MODEL_ANGLE_UI:
        return rounded(x->phase_mdeg, 100);
    case MODEL_THD_U:
        return rounded(x->thd_u_ppm, 100);
    default: /* MODEL_THD_I */
        return rounded(x->thd_i_ppm, 100);
    }
}

static int64_t measured(const struct legal_values *v, enum model_quantity q, uint8_t i)
{
    switch (q) {
    case MODEL_FREQUENCY:
        return rounded(v->frequency_uhz, 10000);
    case MODEL_CURRENT_NEUTRAL:
        return rounded(v->in_ua, 1000);
    case MODEL_CURRENT_COMPUTED:
        return rounded(v->in_sum_ua, 1000);
    case MODEL_CURRENT_DIFFERENTIAL:
        return rounded(v->i_diff_ua, 1000);
    case MODEL_UNBALANCE_U:
        return rounded(v->u2_ppm, 100);
    case MODEL_UNBALANCE_I:
        return rounded(v->i2_ppm, 100);
    case MODEL_SEQUENCE_U:
        return rounded(v->sequences.u_mv[i], 10);
    case MODEL_SEQUENCE_I:
        return rounded(v->sequences.i_ua[i], 1000);
    default:
        return of_phase(&v->phase[i], q);
    }
}

static int64_t averaged(const struct meter *m, enum model_quantity q, uint8_t i)
{
    bool month = q >= MODEL_U_MONTH;
    const struct meter_average *a = &m->average[month ? METER_MONTH : METER_DAY];
    switch ((int)q - (month ? MODEL_U_MONTH : MODEL_U_DAY)) {
    case 0:
        return rounded(a->u_mv[i], 10);
    case MODEL_I_DAY - MODEL_U_DAY:
        return rounded(a->i_ua[i], 1000);
    case MODEL_P_IMPORT_DAY - MODEL_U_DAY:
        return a->p_dw[0];
    default: /* MODEL_P_EXPORT_DAY, MODEL_P_EXPORT_MONTH */
        return a->p_dw[1];
    }
}

static int64_t lost(struct meter *m, enum model_quantity q, uint8_t i)
{
    const struct legal_energies *e = meter_told(m);
    switch (q) {
    case MODEL_U2H:
        return (int64_t)(e->loss[LEGAL_U2T] / 1000000);
    case MODEL_I2H:
        return (int64_t)(e->loss[LEGAL_I2T] / 1000);
    default: /* MODEL_LOSS_ACTIVE, MODEL_LOSS_REACTIVE */
        return (int64_t)meter_energy_loss(m->model, e, q == MODEL_LOSS_REACTIVE, i);
    }
}

static int64_t parameter(const struct meter *m, enum legal_parameter id)
{
    int64_t value;
    return legal_parameter_get(&m->legal, id, 0, &value) == ERR_OK ? value : 0;
}

static int64_t constant(const struct meter *m, enum model_quantity q)
{
    switch (q) {
    case MODEL_A_IMPORT_INTERVAL:
        return m->interval[0];
    case MODEL_A_EXPORT_INTERVAL:
        return m->interval[1];
    case MODEL_LOSS_XM:
        return parameter(m, LEGAL_PARAMETER_LOSS_X_M_OHM);
    case MODEL_LOSS_RFE:
        return parameter(m, LEGAL_PARAMETER_LOSS_R_FE_OHM);
    case MODEL_LOSS_RCU:
        return parameter(m, LEGAL_PARAMETER_LOSS_R_CU_UOHM);
    case MODEL_LOSS_XS:
        return parameter(m, LEGAL_PARAMETER_LOSS_X_S_UOHM);
    case MODEL_NOMINAL_U:
        return meter_model(m)->un_mv;
    case MODEL_NOMINAL_I:
        return meter_model(m)->in_ma;
    case MODEL_NOMINAL_F:
        return m->f_mhz;
    case MODEL_MAXIMUM_I:
        return meter_model(m)->imax_ma;
    default: { /* MODEL_LED_ACTIVE, MODEL_LED_REACTIVE */
        int64_t k = parameter(m, LEGAL_PARAMETER_PULSE_PER_KVARH);
        return q == MODEL_LED_REACTIVE && k != 0 ? k : parameter(m, LEGAL_PARAMETER_PULSE_PER_KWH);
    }
    }
}

static struct meter_register register_of(enum model_quantity q, uint8_t i, uint8_t j)
{
    return (struct meter_register){.q = q, .phase = i, .rate = j};
}

int64_t meter_value(struct meter *m, enum model_quantity q, uint8_t i, uint8_t j)
{
    if (q < MODEL_N_ENERGIES_END)
        return meter_energy_shown(m->model, meter_told(m), register_of(q, i, j));
    if (q >= MODEL_U_DAY && q <= MODEL_P_EXPORT_MONTH)
        return averaged(m, q, i);
    if (q >= MODEL_LOSS_ACTIVE && q <= MODEL_I2H)
        return lost(m, q, i);
    if (q <= MODEL_A_EXPORT_INTERVAL || q >= MODEL_LOSS_XM)
        return constant(m, q);
    struct legal_values v;
    legal_values_get(&m->legal, &v);
    return q <= MODEL_POWER_FACTOR ? power(&v, q, i) : measured(&v, q, i);
}

int64_t meter_value_primary(struct meter *m, enum model_quantity q, uint8_t i, uint8_t j)
{
    uint64_t decades = 1;
    if (q < MODEL_N_ENERGIES_END)
        return meter_energy_primary(m->model, meter_told(m), register_of(q, i, j), &m->ratio);
    const uint64_t secondary = (uint64_t)meter_value(m, q, i, j); /* none of them is signed */
    if (q == MODEL_CURRENT)
        return (int64_t)meter_ratio_current(&m->ratio, secondary);
    if (q == MODEL_VOLTAGE)
        return (int64_t)meter_ratio_voltage(&m->ratio, secondary);
    for (int8_t k = meter_ratio_decades(&m->ratio); k > 0; k--)
        decades *= 10;
    return (int64_t)meter_ratio_power(&m->ratio, secondary, decades);
}
