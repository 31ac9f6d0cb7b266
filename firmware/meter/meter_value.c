/* The numbers that objects show, each from its one source: legal registers and values, averages,
 * parameters, counters, constants of the model. Rounded to nearest, energies cut off. */
#include "firmware/meter/meter_value.h"

#include "firmware/meter/meter_energy.h"
#include "firmware/meter/meter_tell.h"

static int64_t rounded(int64_t value, uint32_t by)
{
    const int64_t half = by / 2;
    return (value < 0 ? value - half : value + half) / by;
}

static const void *octet_at(const void *p, size_t at)
{
    return (const uint8_t *)p + at;
}

static uint32_t word_at(const void *p, size_t at)
{
    return *(const uint32_t *)octet_at(p, at);
}

static bool has(const struct meter *m, uint32_t features)
{
    return (meter_features(m) & features) != 0;
}

/* ---- powers ---- */

enum { P, Q, S, FRYZE, VECTOR };

/* Where in the legal values: of the sum, of the first phase. 64 bits each. */
#define OF(name, member)                                                                           \
    {                                                                                              \
        offsetof(struct legal_values, name), offsetof(struct legal_values, member)                 \
    }
static const struct {
    uint16_t sum, phase;
} places[] = {
    [P] = OF(p_mw, phase[0].p_mw),
    [Q] = OF(q_mvar, phase[0].q_mvar),
    [S] = OF(s_mva, phase[0].s_mva),
    [FRYZE] = OF(fryze_mvar, phase[0].fryze_mvar),
    [VECTOR] = OF(s_vector_mva, s_vector_mva), /* of the sum only */
};
#undef OF

/* Of a phase (1..3) or of the sum (0), in thousandths. */
static int64_t power_of(const struct legal_values *v, unsigned which, uint8_t phase)
{
    const size_t at = phase > 0
                          ? places[which].phase + (phase - 1u) * sizeof(struct legal_phase_values)
                          : places[which].sum;
    return *(const int64_t *)octet_at(v, at);
}

/* Quadrants of the load, the axes as the ledger has them. */
#define QI       1u
#define QII      2u
#define QIII     4u
#define QIV      8u
#define ALL_FOUR (QI | QII | QIII | QIV)

static unsigned quadrant(const struct legal_values *v, uint8_t phase)
{
    const bool is_reverse = power_of(v, Q, phase) < 0;
    if (power_of(v, P, phase) < 0)
        return is_reverse ? QIII : QII;
    return is_reverse ? QIV : QI;
}

/* What each of them shows, without a sign but for the net; 0 where the load lies elsewhere. */
static const struct power {
    uint8_t of, quadrants;
} shown_powers[] = {
    [0] = {P, QI | QIV}, /* MODEL_P_IMPORT */
    [MODEL_P_EXPORT - MODEL_P_IMPORT] = {P, QII | QIII},
    [MODEL_Q_IMPORT - MODEL_P_IMPORT] = {Q, QI | QII},
    [MODEL_Q_EXPORT - MODEL_P_IMPORT] = {Q, QIII | QIV},
    [MODEL_Q_QI - MODEL_P_IMPORT] = {Q, QI},
    [MODEL_Q_QII - MODEL_P_IMPORT] = {Q, QII},
    [MODEL_Q_QIII - MODEL_P_IMPORT] = {Q, QIII},
    [MODEL_Q_QIV - MODEL_P_IMPORT] = {Q, QIV},
    [MODEL_S_IMPORT_NOW - MODEL_P_IMPORT] = {S, QI | QIV},
    [MODEL_S_EXPORT_NOW - MODEL_P_IMPORT] = {S, QII | QIII},
    [MODEL_P_ABSOLUTE - MODEL_P_IMPORT] = {P, ALL_FOUR},
    [MODEL_P_NET - MODEL_P_IMPORT] = {P, ALL_FOUR},
    [MODEL_Q_FRYZE - MODEL_P_IMPORT] = {FRYZE, ALL_FOUR},
    [MODEL_S_VECTOR - MODEL_P_IMPORT] = {VECTOR, ALL_FOUR},
};

static int64_t power(const struct legal_values *v, enum model_quantity q, uint8_t phase)
{
    const struct power *show = &shown_powers[q - MODEL_P_IMPORT];
    int64_t value = power_of(v, show->of, phase);
    if ((show->quadrants & quadrant(v, phase)) == 0)
        return 0;
    if (value < 0 && q != MODEL_P_NET)
        value = -value;
    return rounded(value, 100); /* 0.1 W */
}

static int64_t power_factor(const struct legal_values *v, uint8_t phase)
{
    return rounded(phase > 0 ? v->phase[phase - 1].pf_ppm : v->pf_ppm, 1000);
}

/* ---- other values of this moment ---- */

#define OF(member, step, by, is_signed)                                                            \
    {                                                                                              \
        offsetof(struct legal_values, member), (by), (step), (is_signed)                           \
    }
#define PHASE(member, by, is_signed)                                                               \
    OF(phase[0].member, sizeof(struct legal_phase_values), by, is_signed)

/* Where in the legal values, how far on the next instance is, how many of their units are one. */
static const struct measured {
    uint16_t at, by;
    uint8_t step;
    bool is_signed;
} measured_values[] = {
    [0] = OF(frequency_uhz, 0, 10000, false), /* MODEL_FREQUENCY */
    [MODEL_CURRENT - MODEL_FREQUENCY] = PHASE(i_ua, 1000, false),
    [MODEL_VOLTAGE - MODEL_FREQUENCY] = PHASE(u_mv, 10, false),
    [MODEL_CURRENT_NEUTRAL - MODEL_FREQUENCY] = OF(in_ua, 0, 1000, false),
    [MODEL_CURRENT_COMPUTED - MODEL_FREQUENCY] = OF(in_sum_ua, 0, 1000, false),
    [MODEL_CURRENT_DIFFERENTIAL - MODEL_FREQUENCY] = OF(i_diff_ua, 0, 1000, false),
    [MODEL_UNBALANCE_U - MODEL_FREQUENCY] = OF(u2_ppm, 0, 100, false),
    [MODEL_UNBALANCE_I - MODEL_FREQUENCY] = OF(i2_ppm, 0, 100, false),
    [MODEL_SEQUENCE_U - MODEL_FREQUENCY] = OF(sequences.u_mv[0], 4, 10, false),
    [MODEL_SEQUENCE_I - MODEL_FREQUENCY] = OF(sequences.i_ua[0], 4, 1000, false),
    [MODEL_ANGLE_U - MODEL_FREQUENCY] = PHASE(u_angle_mdeg, 100, true),
    [MODEL_ANGLE_UI - MODEL_FREQUENCY] = PHASE(phase_mdeg, 100, true),
    [MODEL_THD_U - MODEL_FREQUENCY] = PHASE(thd_u_ppm, 100, false),
    [MODEL_THD_I - MODEL_FREQUENCY] = PHASE(thd_i_ppm, 100, false),
};

static int64_t measured(const struct legal_values *v, enum model_quantity q, uint8_t i)
{
    const struct measured *x = &measured_values[q - MODEL_FREQUENCY];
    const uint32_t word = word_at(v, x->at + (size_t)i * x->step);
    return rounded(x->is_signed ? (int32_t)word : (int64_t)word, x->by);
}

/* ---- values kept ---- */

static int64_t averaged(const struct meter *m, enum model_quantity q, uint8_t i)
{
    bool month = q >= MODEL_U_MONTH;
    if (METER_AVERAGES_OF(m) == 0)
        return 0;
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
    if (!has(m, MODEL_LOSSES))
        return 0;
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

/* Parameters of the owner; LEGAL_N_PARAMETERS: none. */
static enum legal_parameter parameter_of(enum model_quantity q)
{
    switch (q) {
    case MODEL_LED_ACTIVE:
        return LEGAL_PARAMETER_PULSE_PER_KWH;
    case MODEL_LED_REACTIVE:
        return LEGAL_PARAMETER_PULSE_PER_KVARH;
    case MODEL_LOSS_XM:
        return LEGAL_PARAMETER_LOSS_X_M_OHM;
    case MODEL_LOSS_RFE:
        return LEGAL_PARAMETER_LOSS_R_FE_OHM;
    case MODEL_LOSS_RCU:
        return LEGAL_PARAMETER_LOSS_R_CU_UOHM;
    case MODEL_LOSS_XS:
        return LEGAL_PARAMETER_LOSS_X_S_UOHM;
    default:
        return LEGAL_N_PARAMETERS;
    }
}

static int64_t parameter(const struct meter *m, enum legal_parameter id)
{
    int64_t value;
    if (legal_parameter_get(&m->legal, id, 0, &value) != ERR_OK)
        return 0;
    if (value != 0 || id != LEGAL_PARAMETER_PULSE_PER_KVARH)
        return value;
    /* as the other LED */
    return legal_parameter_get(&m->legal, LEGAL_PARAMETER_PULSE_PER_KWH, 0, &value) ? 0 : value;
}

/* Words of the meter; instances one behind the other. */
#define WORD(quantity, member)                                                                     \
    {                                                                                              \
        offsetof(struct meter, member), (quantity)                                                 \
    }
static const struct word {
    uint16_t at;
    uint8_t q;
} words[] = {
    WORD(MODEL_A_IMPORT_INTERVAL, interval[0]),
    WORD(MODEL_A_EXPORT_INTERVAL, interval[1]),
    WORD(MODEL_NOMINAL_F, f_mhz),
    WORD(MODEL_RATIO_CT_NUM, ratio.part[METER_CT_NUM]),
    WORD(MODEL_RATIO_VT_NUM, ratio.part[METER_VT_NUM]),
    WORD(MODEL_RATIO_CT_DEN, ratio.part[METER_CT_DEN]),
    WORD(MODEL_RATIO_VT_DEN, ratio.part[METER_VT_DEN]),
    WORD(MODEL_OUTAGE_COUNT, outage.count[METER_OUTAGE_ALL]),
    WORD(MODEL_OUTAGE_COUNT_ANY, outage.count[METER_OUTAGE_ANY]),
    WORD(MODEL_OUTAGE_LONG, outage.n_long[METER_OUTAGE_ALL]),
    WORD(MODEL_OUTAGE_LONG_ANY, outage.n_long[METER_OUTAGE_ANY]),
    WORD(MODEL_OUTAGE_LAST, outage.last_long_s[METER_OUTAGE_ALL]),
    WORD(MODEL_OUTAGE_LAST_ANY, outage.last_long_s[METER_OUTAGE_ANY]),
    WORD(MODEL_OUTAGE_OFF, outage.off_s),
    WORD(MODEL_OUTAGE_LIMIT, outage.long_s),
    WORD(MODEL_OUTAGE_COUNTS, outage.short_s),
};

static int64_t kept(const struct meter *m, enum model_quantity q, uint8_t i)
{
    for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
        if (words[k].q == q)
            return word_at(m, words[k].at + (size_t)i * sizeof(uint32_t));
    }
    switch (q) {
    case MODEL_NOMINAL_U:
        return meter_model(m)->un_mv;
    case MODEL_NOMINAL_I:
        return meter_model(m)->in_ma;
    case MODEL_MAXIMUM_I:
        return meter_model(m)->imax_ma;
    case MODEL_CLOCK_SHIFT:
        return m->clock.shift_s;
    case MODEL_OUTAGE_SHORT:
        return meter_outage_short(m);
    case MODEL_PRESENT:
        return meter_present(m);
    case MODEL_ERRORS:
        return meter_errors(m);
    default: /* MODEL_LIMIT_ON .. MODEL_LIMIT_OFF_MS */
        return meter_limit(m, i, (unsigned)q - MODEL_LIMIT_ON);
    }
}

/* ---- all of them ---- */

static struct meter_register register_of(enum model_quantity q, uint8_t i, uint8_t j)
{
    return (struct meter_register){.q = q, .phase = i, .rate = j};
}

int64_t meter_value(struct meter *m, enum model_quantity q, uint8_t i, uint8_t j)
{
    const enum legal_parameter id = parameter_of(q);
    if (q < MODEL_N_ENERGIES_END)
        return meter_energy_shown(m->model, meter_told(m), register_of(q, i, j));
    if (q >= MODEL_P_IMPORT && q <= MODEL_THD_I) {
        struct legal_values v;
        legal_values_get(&m->legal, &v);
        if (q == MODEL_POWER_FACTOR)
            return power_factor(&v, i);
        return q < MODEL_POWER_FACTOR ? power(&v, q, i) : measured(&v, q, i);
    }
    if (q >= MODEL_U_DAY && q <= MODEL_P_EXPORT_MONTH)
        return averaged(m, q, i);
    if (q >= MODEL_LOSS_ACTIVE && q <= MODEL_I2H)
        return lost(m, q, i);
    return id < LEGAL_N_PARAMETERS ? parameter(m, id) : kept(m, q, i);
}

int64_t meter_value_primary(struct meter *m, enum model_quantity q, uint8_t i, uint8_t j)
{
    if (q < MODEL_N_ENERGIES_END)
        return meter_energy_primary(m->model, meter_told(m), register_of(q, i, j), &m->ratio);
    const uint64_t secondary = (uint64_t)meter_value(m, q, i, j); /* none of them is signed */
    if (q == MODEL_CURRENT)
        return (int64_t)meter_ratio_current(&m->ratio, secondary);
    if (q == MODEL_VOLTAGE)
        return (int64_t)meter_ratio_voltage(&m->ratio, secondary);
    return (int64_t)meter_ratio_power(&m->ratio, secondary, 1);
}

static enum err set_outage(struct meter *m, uint32_t long_s, uint32_t short_s)
{
    enum err err = meter_outage_limits_set(m, long_s, short_s);
    if (!err)
        meter_event_now(m, MODEL_EVENT_PARAMETER_CHANGED);
    return err;
}

enum err meter_value_set(struct meter *m, uint16_t client_sap, enum model_quantity q, uint8_t i,
                         uint32_t to)
{
    const enum legal_parameter id = parameter_of(q);
    if (id < LEGAL_N_PARAMETERS && has(m, MODEL_LED_SET | MODEL_LOSSES))
        return meter_parameter_set(m, client_sap, id, 0, to);
    if (q >= MODEL_LIMIT_ON && q <= MODEL_LIMIT_OFF_MS)
        return meter_limit_set(m, client_sap, i, (unsigned)q - MODEL_LIMIT_ON, to);
    if (q >= MODEL_RATIO_CT_NUM && q <= MODEL_RATIO_VT_DEN && has(m, MODEL_RATIOS))
        return meter_ratio_set(m, client_sap, (unsigned)q - MODEL_RATIO_CT_NUM, to);
    switch (q) {
    case MODEL_OUTAGE_LIMIT:
        return set_outage(m, to, m->outage.short_s);
    case MODEL_OUTAGE_COUNTS:
        return set_outage(m, m->outage.long_s, to);
    case MODEL_CLOCK_SHIFT:
        return meter_shift_limit(m, (uint16_t)to);
    default:
        return ERR_ACCESS;
    }
}
