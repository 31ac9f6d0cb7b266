/* Parameters of the legally relevant software: what a factory seals and what an owner may set.
 *
 * Included by legal.h; other rooms include that. A configuration is a plain value: legal_init()
 * checks it whole and copies it; afterwards single fields are read and changed by number through
 * the parameter table (legal_parameter_get, _set), which knows range, unit and level of each, and
 * of which every change, refused or done, yields an audit record. All zero in an optional field
 * means: not used. */
#ifndef FERRARIS_LEGAL_CONFIG_H
#define FERRARIS_LEGAL_CONFIG_H

#include "firmware/hal/afe.h"
#include "lib/base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define LEGAL_N_PHASES    3
#define LEGAL_N_CT_POINTS 6

/* Registers per rate at most, for all of a program alike: each rate takes 128 octets of a meter. */
#ifndef LEGAL_N_RATES
#define LEGAL_N_RATES 32
#endif

enum legal_wiring {
    LEGAL_1P2W,
    LEGAL_3P4W, /* three elements */
    LEGAL_3P3W  /* two elements: phase 1 is U12 with I1, phase 3 is U32 with I3 */
};

/* What a meter may lack: then the values that follow are 0, and nothing of them is linked. */
enum legal_function {
    LEGAL_NEUTRAL, /* the neutral's channel, which is not looked at; in_ua, in_sum_ua, i_diff_ua */
    LEGAL_HARMONICS, /* thd_u_ppm, thd_i_ppm */
    LEGAL_APPARENT,  /* s_vector_mva, fryze_mvar; not s_mva, which the power factor needs */
    LEGAL_LOSSES,    /* the registers of enum legal_loss */
    LEGAL_N_FUNCTIONS
};
/* An image for one model is wired in one way and has the functions of its row: with
 * LEGAL_ONE_MODEL it defines legal_one by that row, and a configuration of another wiring is not
 * valid. Else everything is there. */
#ifndef LEGAL_ONE_MODEL
#define LEGAL_ONE_MODEL 0
#endif
struct legal_one {
    const uint8_t *n_phases;
    const bool *is_3wire;
    const uint32_t *features;
    uint32_t feature[LEGAL_N_FUNCTIONS]; /* the bit of each function in *features */
};
extern const struct legal_one legal_one; /* defined by who sets LEGAL_ONE_MODEL */

__attribute__((always_inline)) static inline bool legal_has(enum legal_function f)
{
    return !LEGAL_ONE_MODEL || (*legal_one.features & legal_one.feature[f]) != 0;
}
/* The wiring of a configuration. */
__attribute__((always_inline)) static inline enum legal_wiring
legal_wiring(enum legal_wiring configured)
{
    if (!LEGAL_ONE_MODEL)
        return configured;
    return *legal_one.n_phases == 1 ? LEGAL_1P2W : *legal_one.is_3wire ? LEGAL_3P3W : LEGAL_3P4W;
}
/* Bit p set: phase p is metered in this wiring. */
__attribute__((always_inline)) static inline uint32_t
legal_wiring_phases(enum legal_wiring configured)
{
    enum legal_wiring wiring = legal_wiring(configured);
    return wiring == LEGAL_1P2W ? 1u : wiring == LEGAL_3P3W ? 5u : 7u;
}

/* How the total follows from the phases, each measuring window (IEC 62052-11 terms differ; the
 * usual words): */
enum legal_sum {
    LEGAL_SUM_VECTOR,    /* signed sum of the phases, then split by sign (Ferraris meter) */
    LEGAL_SUM_PER_PHASE, /* sum of what each phase entered: import and export can grow together */
    LEGAL_SUM_ABSOLUTE   /* sum of magnitudes, all entered as import (anti-fraud) */
};

/* --- calibration ---------------------------------------------------------------------------- */

/* A correction of a current transformer at a current: true current = shown x (1 + gain), and the
 * shown current leads the true one by `phase`. In between linear over the logarithm of the current,
 * beyond the ends the end's. In rising order of i_ua. The current is that of the window itself, all
 * but this correction applied. */
struct legal_ct_point {
    uint32_t i_ua;      /* rms, > 0 */
    int32_t gain_ppb;   /* 1e-9, at most 10 % */
    int32_t phase_nrad; /* 1e-9 rad at the fundamental, at most 0.1 rad */
};

struct legal_channel_calibration {
    int32_t gain_ppb;    /* true value = lsb x count x (1 + gain); at most +-20 % */
    int32_t offset;      /* counts of direct component, until the first whole window knows better */
    int32_t delay_ns;    /* the samples are late by this: shown(t) = true(t - delay), so the shown
                            wave lags; at most +-250 000 (two at 8 kHz) */
    int32_t drift_ppb_k; /* gain per kelvin from the reference temperature */
    int32_t drift_ppt_k2; /* and per kelvin squared, 1e-12 */
    uint32_t noise_q8;    /* variance of the noise, counts squared in 2^-8: off the mean square */
};

struct legal_phase_calibration {
    /* Taken off the mean product and its reactive twin: counts squared in 2^-8, after all other
     * corrections (true error in watt / (u_lsb x i_lsb) x 256). */
    int32_t p_offset_q8, q_offset_q8;
    int32_t phase_drift_nrad_k; /* lead of the current per kelvin */
    uint8_t n_ct;               /* points used; 0: no table */
    struct legal_ct_point ct[LEGAL_N_CT_POINTS];
};

struct legal_calibration {
    int32_t reference_mc; /* temperature of calibration, millidegree Celsius */
    struct legal_channel_calibration channel[AFE_N_CHANNELS];
    struct legal_phase_calibration phase[LEGAL_N_PHASES];
};

/* --- transformer losses --------------------------------------------------------------------- */

/* Of the transformer and line between meter and billing point, in the meter's own (secondary)
 * terms, each per phase. 0: that loss is not counted. (IEC 62056-6-1, OBIS 1-b:0.10.e) */
struct legal_loss_config {
    uint32_t r_cu_uohm; /* copper: OLA = RCu x I2h */
    uint32_t x_s_uohm;  /* series reactance: OLR = Xs x I2h */
    uint32_t r_fe_ohm;  /* iron: NLA = U2h / RFe */
    uint32_t x_m_ohm;   /* magnetising reactance: NLR = U2h / Xm */
};

/* --- the whole ------------------------------------------------------------------------------ */

struct legal_config {
    uint8_t n_phases; /* 1 or 3 */
    enum legal_wiring wiring;
    uint32_t f_nominal_mhz; /* 50 000 or 60 000: the window length until a frequency is found */
    uint64_t u_lsb_fv[LEGAL_N_PHASES];     /* femtovolt per count, 1e6..1e15 */
    uint64_t i_lsb_fa[LEGAL_N_PHASES + 1]; /* femtoampere per count; [3] is the neutral (0: as [0])
                                            */
    uint32_t un_mv;                        /* nominal phase voltage, millivolt */
    uint32_t i_start_ua;          /* starting current Ist; below half of Un x Ist a phase counts
                                     nothing; 0: count all */
    uint32_t i_start_reactive_ua; /* the same of reactive energy; 0: as i_start_ua */
    uint32_t pulse_per_kwh;       /* LED constant, imp/kWh, 1..100 000 */
    uint32_t pulse_per_kvarh;     /* imp/kvarh; 0: as pulse_per_kwh */
    enum legal_sum sum;
    uint8_t n_rates;  /* rates with registers of their own, 0..LEGAL_N_RATES */
    bool without_thd; /* spares the average cycle: THD stays 0 */
    /* Step between two samples of a channel above which it counts as torn (slew), counts; 0: not
     * watched. The same at every rate: what a switch does is over within a sample. */
    uint32_t slew_limit[AFE_N_CHANNELS];
    struct legal_loss_config loss;
    struct legal_calibration calibration;
};

/* --- single parameters ---------------------------------------------------------------------- */

enum legal_level {
    LEGAL_LEVEL_FACTORY, /* only while the seal is open */
    LEGAL_LEVEL_OWNER    /* also under the seal; audited like the others */
};
/* The rows of legal_parameter.def: names, ranges, units, levels, and how many of each there are. */
enum legal_parameter {
#define PARAMETER(name, count, min, max, unit, level) LEGAL_PARAMETER_##name,
#include "firmware/legal/legal_parameter.def"
#undef PARAMETER
    LEGAL_N_PARAMETERS
};
struct legal_parameter_row {
    const char *name; /* "GAIN_PPB" */
    const char *unit; /* of UCUM, "" where none */
    uint8_t count;    /* indexes 0..count-1: phases, channels, points */
    enum legal_level level;
    int64_t min, max;
};
/* NULL past the end. */
const struct legal_parameter_row *legal_parameter_row(enum legal_parameter id);
/* The row's name, "" past the end; its count, 0 there. */
const char *legal_parameter_name(enum legal_parameter id);
uint8_t legal_parameter_count(enum legal_parameter id);

/* What happened to a parameter. The caller adds who and when, and stores it before it tells. */
enum legal_change {
    LEGAL_CHANGE_DONE,
    LEGAL_CHANGE_REFUSED,
    LEGAL_CHANGE_SEALED,
    LEGAL_CHANGE_OPENED
};
struct legal_audit {
    uint32_t sequence; /* counts all changes since manufacture; in the snapshot */
    uint8_t change;    /* enum legal_change */
    uint8_t parameter; /* enum legal_parameter; 0 for seal and opening; 255: no such */
    uint8_t index;
    uint8_t reason; /* of a refusal: 1 sealed, 2 range, 3 contradicts another parameter */
    int64_t before, after;
};

#endif
