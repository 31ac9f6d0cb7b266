/* The object list of the meters' management logical device, as data (objects.def).
 *
 * One table serves all eight meters: model_present() leaves out what a meter lacks; a build for one
 * model (rows.h) does not even have the rows of functions that its model lacks. A row's `arg`
 * says which quantity it is (enum model_quantity) and which functions a meter needs to have it. The
 * bindings named in the rows are the meter application's (firmware/meter) and the server's
 * (lib/cosem): whoever links the table links those. Sources: Blue Book, OBIS code lists. */
#ifndef FERRARIS_MODEL_OBJECTS_H
#define FERRARIS_MODEL_OBJECTS_H

#include "model/meters.h"

/* What a row shows. Energies first: their order is the order of the energy table in
 * firmware/meter/energy.c. */
enum model_quantity {
    MODEL_NONE, /* the class says it all: clock, association ... */
    /* energies since manufacture, total and phases */
    MODEL_A_IMPORT,
    MODEL_A_EXPORT,
    MODEL_R_IMPORT, /* QI + QII */
    MODEL_R_EXPORT, /* QIII + QIV */
    MODEL_R_QI,
    MODEL_R_QII,
    MODEL_R_QIII,
    MODEL_R_QIV,
    MODEL_S_IMPORT,
    MODEL_S_EXPORT,
    MODEL_A_ABSOLUTE, /* |A+| + |A-| */
    MODEL_R_ABSOLUTE, /* |R+| + |R-| */
    MODEL_A_NET,      /* A+ - A-, signed */
    MODEL_N_ENERGIES_END,
    /* energies of the last closed recording interval */
    MODEL_A_IMPORT_INTERVAL = MODEL_N_ENERGIES_END,
    MODEL_A_EXPORT_INTERVAL,
    /* present values, total and phases */
    MODEL_P_IMPORT,
    MODEL_P_EXPORT,
    MODEL_Q_IMPORT,
    MODEL_Q_EXPORT,
    MODEL_Q_QI, /* reactive power of the quadrant the load is in, 0 in the others */
    MODEL_Q_QII,
    MODEL_Q_QIII,
    MODEL_Q_QIV,
    MODEL_S_IMPORT_NOW,
    MODEL_S_EXPORT_NOW,
    MODEL_P_ABSOLUTE,
    MODEL_P_NET,
    MODEL_Q_FRYZE,  /* sqrt(S^2 - P^2), without a sign */
    MODEL_S_VECTOR, /* sqrt(P^2 + Q^2) of the totals */
    MODEL_POWER_FACTOR,
    MODEL_FREQUENCY,
    MODEL_CURRENT,
    MODEL_VOLTAGE,
    MODEL_CURRENT_NEUTRAL,
    MODEL_CURRENT_COMPUTED,     /* neutral current from the phase currents */
    MODEL_CURRENT_DIFFERENTIAL, /* what phases and neutral do not add up to */
    MODEL_UNBALANCE_U,          /* negative over positive sequence */
    MODEL_UNBALANCE_I,
    MODEL_SEQUENCE_U, /* instances 0..2: zero, positive, negative sequence of the fundamentals */
    MODEL_SEQUENCE_I,
    MODEL_ANGLE_U,  /* U(Li) against U(L1) */
    MODEL_ANGLE_UI, /* I(Li) against U(Li) */
    MODEL_THD_U,
    MODEL_THD_I,
    /* of the last whole day and month */
    MODEL_U_DAY,
    MODEL_I_DAY,
    MODEL_P_IMPORT_DAY,
    MODEL_P_EXPORT_DAY,
    MODEL_U_MONTH,
    MODEL_I_MONTH,
    MODEL_P_IMPORT_MONTH,
    MODEL_P_EXPORT_MONTH,
    /* transformer losses, instances 1..9: on-load, no-load, both; each import, export, sum */
    MODEL_LOSS_ACTIVE,
    MODEL_LOSS_REACTIVE,
    MODEL_U2H,
    MODEL_I2H,
    /* parameters */
    MODEL_LOSS_XM,
    MODEL_LOSS_RFE,
    MODEL_LOSS_RCU,
    MODEL_LOSS_XS,
    /* of the supervision, instance enum pq_kind; the order of METER_LIMIT_ON .. */
    MODEL_LIMIT_ON,
    MODEL_LIMIT_HYSTERESIS,
    MODEL_LIMIT_ON_MS,
    MODEL_LIMIT_OFF_MS,
    /* constants of the meter */
    MODEL_LED_ACTIVE,
    MODEL_LED_REACTIVE,
    MODEL_NOMINAL_U,
    MODEL_NOMINAL_I,
    MODEL_NOMINAL_F,
    MODEL_MAXIMUM_I,
    /* class 1 */
    MODEL_DEVICE_NAME,
    MODEL_SERIAL,
    MODEL_FIRMWARE_LEGAL,
    MODEL_FIRMWARE_APPLICATION,
    MODEL_PROFILE_STATUS,
    MODEL_RATE,         /* the rate in force */
    MODEL_PRESENT,      /* bit k: enum pq_kind k is present now */
    MODEL_ERRORS,       /* what is wrong with the meter itself: meter_errors() */
    MODEL_AUDIT,        /* the newest record of the audit trail */
    MODEL_RATIO_CT_NUM, /* the four in the order of firmware/meter/meter_ratio.h */
    MODEL_RATIO_VT_NUM,
    MODEL_RATIO_CT_DEN,
    MODEL_RATIO_VT_DEN,
    MODEL_LOG, /* event logs, instance E: their entries, newest code, codes held back */
    MODEL_LOG_CODE,
    MODEL_LOG_FILTER,
    MODEL_LOG_FAILURES, /* the power failure log */
    MODEL_OUTAGE_COUNT, /* outages: number, long ones, duration of the last long one */
    MODEL_OUTAGE_COUNT_ANY,
    MODEL_OUTAGE_LONG,
    MODEL_OUTAGE_LONG_ANY,
    MODEL_OUTAGE_LAST,
    MODEL_OUTAGE_LAST_ANY,
    MODEL_OUTAGE_SHORT,
    MODEL_OUTAGE_OFF,    /* total time without supply */
    MODEL_OUTAGE_LIMIT,  /* from here on an outage is long */
    MODEL_OUTAGE_COUNTS, /* from here on it counts */
    MODEL_CLOCK_SHIFT,   /* beyond this the clock is set, not adjusted */
    MODEL_N_QUANTITIES
};

/* A row's arg: quantity, what the meter needs to have (a number of objects.c), and two more. */
#define MODEL_QUANTITY(arg) ((enum model_quantity)((arg)&0xFFu))
#define MODEL_THREE_PHASE   0x4000u
#define MODEL_LED_FIXED     0x8000u /* only where MODEL_LED_SET is lacking */
/* Of a profile: its number (enum model_profile_id), of the first instance, in the place of the
 * needs. It is there when the model's row has that profile. */
#define MODEL_PROFILE(id)   ((uint16_t)((unsigned)(id) << 8))
#define MODEL_PROFILE_OF(o) ((enum model_profile_id)(((o)->row->arg >> 8) + (o)->i))

/* A kind's flags. Instance 0 of the range is the total, 1..3 the phases; else 0..2 are the phases.
 */
#define MODEL_WITH_TOTAL 0x01u
#define MODEL_BY_PHASE   0x02u
#define MODEL_PRIMARY    0x04u /* on the primary side of the transformers */
/* Instance 0 of range[1] is the sum of all rates, 1.. the rates; those of the total only. */
#define MODEL_BY_RATE    0x08u
#define MODEL_RATES_MAX  8
#define MODEL_OF_PROFILE 0x10u

#define MODEL_N_CLIENTS                                                                            \
    4 /* client entries of a meter: association objects 0-0:40.0.1 .. 40.0.4                       \
       */

extern const struct cosem_row model_rows[];
extern const size_t model_n_rows;

/* Whether a meter of this row with these features (MODEL_*) has the object. */
bool model_present(const struct model_meter *m, uint32_t features, const struct cosem_ref *o);

/* Logical name of a profile, 1-0:99.1.0.255 ...; of the object that shows its status octet. */
void model_profile_ln(enum model_profile_id id, uint8_t ln[6]);
void model_profile_status_ln(enum model_profile_id id, uint8_t ln[6]);

/* Logical names other code needs. */
extern const uint8_t model_ln_clock[6];
extern const uint8_t model_ln_outage[6]; /* duration of the last long one */

/* Provided by firmware/meter (meter_objects.h says what each shows). */
extern const struct cosem_binding meter_binding_data;
extern const struct cosem_binding meter_binding_register; /* one number, classes 1 and 3 */
extern const struct cosem_binding meter_binding_max_demand;
extern const struct cosem_binding meter_binding_demand;
extern const struct cosem_binding meter_binding_profile;
extern const struct cosem_binding meter_binding_null; /* null-data in rows */
extern const struct cosem_binding meter_binding_clock;
extern const struct cosem_binding meter_binding_tariff; /* class 9: scripts 1.. set the rate */
extern const struct cosem_binding meter_binding_audit;
extern const struct cosem_binding meter_binding_log;
extern const struct cosem_binding meter_binding_log_data;

#endif
