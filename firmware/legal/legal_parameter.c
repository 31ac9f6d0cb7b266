/* The parameters of the legal part: what a value may be, who may change it, what is told about it.
 *
 * Two tables with a row for each parameter: legal_parameter.def says name, range and level, the one
 * here where in struct legal_config it lies. A whole configuration is valid if and only if every
 * value is in its row's range and config_agrees(). A single change is written, checked in this way
 * and taken back when it fails, so a configuration in force is valid always.
 *
 * Every attempt counts in the audit sequence, refused or not; the sequence and the seal are part of
 * the snapshot and so survive with the registers. It refuses to know who asks or when: the caller
 * adds that to the record. */
#include "firmware/legal/legal_parts.h"

#include <string.h>

#define LSB_MIN       UINT64_C(1000000)
#define LSB_MAX       UINT64_C(1000000000000000)
#define LSB_RATIO_MAX 65536 /* a phase's count in counts of the neutral */
#define NO_PARAMETER  255

enum { SEALED = 1, OUT_OF_RANGE = 2, CONTRADICTS = 3 }; /* legal_audit.reason */

/* What of legal_parameter.def a meter needs, in two tables without gaps. Of all but the two lsb,
 * which have LSB_MIN and LSB_MAX, the limits fit 32 bits. */
static const struct {
    uint8_t count, level;
} row[LEGAL_N_PARAMETERS] = {
#define PARAMETER(name, count, min, max, unit, level) {count, LEGAL_LEVEL_##level},
#include "firmware/legal/legal_parameter.def"
#undef PARAMETER
};
static const struct {
    int32_t min; /* below 0: the field is signed */
    uint32_t max;
} limit[LEGAL_N_PARAMETERS] = {
#define PARAMETER(name, count, min, max, unit, level) {min, (uint32_t)(max)},
#include "firmware/legal/legal_parameter.def"
#undef PARAMETER
};
#define PARAMETER(name, count, min, max, unit, level)                                              \
    _Static_assert((max) <= UINT32_MAX || (max) == LSB_MAX, "a limit of 32 bits");
#include "firmware/legal/legal_parameter.def"
#undef PARAMETER
_Static_assert(LEGAL_N_PARAMETERS < NO_PARAMETER, "a parameter's number is an octet in the audit");

uint8_t legal_parameter_count(enum legal_parameter id)
{
    return (unsigned)id < LEGAL_N_PARAMETERS ? row[id].count : 0;
}

/* --- where they lie ------------------------------------------------------------------------- */

/* Index n is the (n % run)th of the (n / run)th array, `inner` and `outer` octets apart. */
struct place {
    uint16_t offset;
    uint8_t outer, inner, run, size;
};
#define AT(field, outer_type, inner_type, n)                                                       \
    {                                                                                              \
        offsetof(struct legal_config, field), sizeof(outer_type), sizeof(inner_type), n,           \
            sizeof((struct legal_config *)0)->field                                                \
    }
#define PLAIN(field, type) AT(field, type, type, 1)
#define CHANNEL(field)     AT(calibration.channel[0].field, CHANNEL_TYPE, CHANNEL_TYPE, 1)
#define PHASE(field)       AT(calibration.phase[0].field, PHASE_TYPE, PHASE_TYPE, 1)
#define POINT(field)                                                                               \
    AT(calibration.phase[0].ct[0].field, PHASE_TYPE, struct legal_ct_point, LEGAL_N_CT_POINTS)
#define CHANNEL_TYPE struct legal_channel_calibration
#define PHASE_TYPE   struct legal_phase_calibration

static const struct place place[LEGAL_N_PARAMETERS] = {
    [LEGAL_PARAMETER_U_LSB_FV] = PLAIN(u_lsb_fv[0], uint64_t),
    [LEGAL_PARAMETER_I_LSB_FA] = PLAIN(i_lsb_fa[0], uint64_t),
    [LEGAL_PARAMETER_I_START_UA] = PLAIN(i_start_ua, uint32_t),
    [LEGAL_PARAMETER_I_START_REACTIVE_UA] = PLAIN(i_start_reactive_ua, uint32_t),
    [LEGAL_PARAMETER_PULSE_PER_KWH] = PLAIN(pulse_per_kwh, uint32_t),
    [LEGAL_PARAMETER_PULSE_PER_KVARH] = PLAIN(pulse_per_kvarh, uint32_t),
    [LEGAL_PARAMETER_SUM] = PLAIN(sum, enum legal_sum),
    [LEGAL_PARAMETER_SLEW_LIMIT] = PLAIN(slew_limit[0], uint32_t),
    [LEGAL_PARAMETER_LOSS_R_CU_UOHM] = PLAIN(loss.r_cu_uohm, uint32_t),
    [LEGAL_PARAMETER_LOSS_X_S_UOHM] = PLAIN(loss.x_s_uohm, uint32_t),
    [LEGAL_PARAMETER_LOSS_R_FE_OHM] = PLAIN(loss.r_fe_ohm, uint32_t),
    [LEGAL_PARAMETER_LOSS_X_M_OHM] = PLAIN(loss.x_m_ohm, uint32_t),
    [LEGAL_PARAMETER_REFERENCE_MC] = AT(calibration.reference_mc, int32_t, int32_t, 1),
    [LEGAL_PARAMETER_GAIN_PPB] = CHANNEL(gain_ppb),
    [LEGAL_PARAMETER_OFFSET] = CHANNEL(offset),
    [LEGAL_PARAMETER_DELAY_NS] = CHANNEL(delay_ns),
    [LEGAL_PARAMETER_DRIFT_PPB_K] = CHANNEL(drift_ppb_k),
    [LEGAL_PARAMETER_DRIFT_PPT_K2] = CHANNEL(drift_ppt_k2),
    [LEGAL_PARAMETER_NOISE_Q8] = CHANNEL(noise_q8),
    [LEGAL_PARAMETER_P_OFFSET_Q8] = PHASE(p_offset_q8),
    [LEGAL_PARAMETER_Q_OFFSET_Q8] = PHASE(q_offset_q8),
    [LEGAL_PARAMETER_PHASE_DRIFT_NRAD_K] = PHASE(phase_drift_nrad_k),
    [LEGAL_PARAMETER_N_CT] = PHASE(n_ct),
    [LEGAL_PARAMETER_CT_I_UA] = POINT(i_ua),
    [LEGAL_PARAMETER_CT_GAIN_PPB] = POINT(gain_ppb),
    [LEGAL_PARAMETER_CT_PHASE_NRAD] = POINT(phase_nrad),
};
_Static_assert(sizeof(struct legal_config) < UINT16_MAX, "places are 16 bits");
_Static_assert(sizeof(PHASE_TYPE) <= UINT8_MAX, "what lies between two of a row is an octet");

static size_t place_of(enum legal_parameter id, unsigned index)
{
    const struct place *p = &place[id];
    return p->offset + (size_t)(index / p->run) * p->outer + (size_t)(index % p->run) * p->inner;
}

int64_t legal_parameter_of(const struct legal_config *c, enum legal_parameter id, unsigned index)
{
    const unsigned char *at = (const unsigned char *)c + place_of(id, index);
    uint8_t small;
    uint32_t word;
    uint64_t large;
    switch (place[id].size) {
    case sizeof small:
        memcpy(&small, at, sizeof small);
        return small;
    case sizeof word:
        memcpy(&word, at, sizeof word);
        return limit[id].min < 0 ? (int32_t)word : (int64_t)word;
    default:
        memcpy(&large, at, sizeof large);
        return large > INT64_MAX ? INT64_MAX : (int64_t)large;
    }
}

/* The value is in the row's range. */
static void write(struct legal_config *c, enum legal_parameter id, unsigned index, int64_t value)
{
    unsigned char *at = (unsigned char *)c + place_of(id, index);
    uint8_t small = (uint8_t)value;
    uint32_t word = (uint32_t)value;
    if (place[id].size == sizeof small)
        memcpy(at, &small, sizeof small);
    else if (place[id].size == sizeof word)
        memcpy(at, &word, sizeof word);
    else
        memcpy(at, &value, sizeof value);
}

/* --- a valid configuration ------------------------------------------------------------------ */

uint64_t legal_lsb(const struct legal_config *c, unsigned channel)
{
    if (channel < AFE_I1)
        return c->u_lsb_fv[channel];
    uint64_t lsb = c->i_lsb_fa[channel - AFE_I1];
    return channel == AFE_IN && lsb == 0 ? c->i_lsb_fa[0] : lsb;
}

static bool lsb_valid(uint64_t lsb)
{
    return lsb >= LSB_MIN && lsb <= LSB_MAX;
}

static bool in_range(enum legal_parameter id, unsigned index, int64_t value)
{
    if (id <= LEGAL_PARAMETER_I_LSB_FA) /* that of the neutral may be 0: as the first phase */
        return lsb_valid((uint64_t)value) ||
               (id == LEGAL_PARAMETER_I_LSB_FA && index == LEGAL_N_PHASES && value == 0);
    return value >= limit[id].min && value <= limit[id].max;
}

static bool ct_rises(const struct legal_phase_calibration *c)
{
    for (unsigned n = 0; n < c->n_ct; n++)
        if (c->ct[n].i_ua <= (n ? c->ct[n - 1].i_ua : 0))
            return false;
    return true;
}

static bool phase_agrees(const struct legal_config *c, unsigned p)
{
    if (!ct_rises(&c->calibration.phase[p]))
        return false;
    if (!(legal_wiring_phases(c->wiring) >> p & 1))
        return true;
    if (!lsb_valid(c->u_lsb_fv[p]) || !lsb_valid(c->i_lsb_fa[p]))
        return false;
    return c->i_lsb_fa[p] / legal_lsb(c, AFE_IN) < LSB_RATIO_MAX;
}

/* What no single value can tell. */
static bool config_agrees(const struct legal_config *c)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if (!phase_agrees(c, p))
            return false;
    return c->i_lsb_fa[3] == 0 || lsb_valid(c->i_lsb_fa[3]);
}

bool legal_config_valid(const struct legal_config *c)
{
    if (c->wiring > LEGAL_3P3W || c->wiring != legal_wiring(c->wiring))
        return false;
    if (c->n_phases != (c->wiring == LEGAL_1P2W ? 1 : 3) || c->n_rates > LEGAL_N_RATES)
        return false;
    if ((c->f_nominal_mhz != 50000 && c->f_nominal_mhz != 60000) || c->un_mv == 0)
        return false;
    for (unsigned id = LEGAL_PARAMETER_I_START_UA; id < LEGAL_N_PARAMETERS; id++)
        for (unsigned n = 0; n < row[id].count; n++)
            if (!in_range((enum legal_parameter)id, n,
                          legal_parameter_of(c, (enum legal_parameter)id, n)))
                return false;
    return config_agrees(c); /* with the lsb, of which channels not wired need none */
}

/* --- one parameter -------------------------------------------------------------------------- */

static bool exists(enum legal_parameter id, unsigned index)
{
    return (unsigned)id < LEGAL_N_PARAMETERS && index < row[id].count;
}

enum err legal_parameter_get(const struct legal *l, enum legal_parameter id, unsigned index,
                             int64_t *out)
{
    if (!exists(id, index))
        return ERR_RANGE;
    *out = legal_parameter_of(&l->config, id, index);
    return ERR_OK;
}

static void derive(struct legal *l)
{
    legal_faults_config(l);
    legal_tracker_config(&l->tracker, &l->config);
    legal_ledger_config(l);
    legal_correct_prepare(l);
    legal_dc_offset(l);
}

/* Number of the reason why not; 0: done. */
static uint8_t change(struct legal *l, const struct legal_audit *a)
{
    enum legal_parameter id = (enum legal_parameter)a->parameter;
    if (l->ledger.book.sealed && row[id].level == LEGAL_LEVEL_FACTORY)
        return SEALED;
    if (!in_range(id, a->index, a->after))
        return OUT_OF_RANGE;
    write(&l->config, id, a->index, a->after);
    if (!config_agrees(&l->config)) {
        write(&l->config, id, a->index, a->before);
        return CONTRADICTS;
    }
    derive(l);
    return 0;
}

static void record(struct legal *l, struct legal_audit *made, struct legal_audit *out)
{
    made->sequence = ++l->ledger.book.audit_sequence;
    if (out)
        *out = *made;
}

enum err legal_parameter_set(struct legal *l, enum legal_parameter id, unsigned index,
                             int64_t value, struct legal_audit *audit)
{
    static const enum err result[] = {
        [0] = ERR_OK, [SEALED] = ERR_ACCESS, [OUT_OF_RANGE] = ERR_RANGE, [CONTRADICTS] = ERR_STATE};
    struct legal_audit a = {.parameter = NO_PARAMETER, .reason = OUT_OF_RANGE, .after = value};
    a.index = (uint8_t)(index < UINT8_MAX ? index : UINT8_MAX);
    if ((unsigned)id < LEGAL_N_PARAMETERS)
        a.parameter = (uint8_t)id;
    if (exists(id, index)) {
        a.before = legal_parameter_of(&l->config, id, index);
        a.reason = change(l, &a);
    }
    a.change = a.reason ? LEGAL_CHANGE_REFUSED : LEGAL_CHANGE_DONE;
    record(l, &a, audit);
    return result[a.reason];
}

/* --- whole configuration, seal -------------------------------------------------------------- */

enum err legal_config_set(struct legal *l, const struct legal_config *config)
{
    if (!legal_config_valid(config))
        return ERR_RANGE;
    if (l->rate_uhz || l->ledger.started)
        return ERR_STATE;
    l->config = *config;
    legal_tracker_init(&l->tracker, config);
    derive(l);
    return ERR_OK;
}

void legal_config_get(const struct legal *l, struct legal_config *out)
{
    *out = l->config;
}

static void set_seal(struct legal *l, bool sealed, struct legal_audit *audit)
{
    struct legal_audit a = {.change = sealed ? LEGAL_CHANGE_SEALED : LEGAL_CHANGE_OPENED};
    l->ledger.book.sealed = sealed;
    record(l, &a, audit);
}

void legal_seal(struct legal *l, struct legal_audit *audit)
{
    set_seal(l, true, audit);
}

void legal_unseal(struct legal *l, struct legal_audit *audit)
{
    set_seal(l, false, audit);
}
