/* The object list of the meters' management logical device, as data.
 *
 * One table serves all eight meters: model_present() leaves out what a meter lacks. A row's `arg`
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
    MODEL_POWER_FACTOR,
    MODEL_FREQUENCY,
    MODEL_CURRENT,
    MODEL_VOLTAGE,
    MODEL_CURRENT_NEUTRAL,
    MODEL_ANGLE_U,  /* U(Li) against U(L1) */
    MODEL_ANGLE_UI, /* I(Li) against U(Li) */
    MODEL_THD_U,
    MODEL_THD_I,
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
    MODEL_N_QUANTITIES
};

#define MODEL_QUANTITY(arg) ((enum model_quantity)((arg)&0xFFu))
#define MODEL_FEATURES(arg) (((arg) >> 8) & 0xFFFFu) /* all of these are needed */
/* Instance 0 of the row's range is the total, 1..3 the phases; else 0..2 are the phases. */
#define MODEL_WITH_TOTAL     0x01000000u
#define MODEL_BY_PHASE       0x02000000u
#define MODEL_HAS_TOTAL(arg) (((arg)&MODEL_WITH_TOTAL) != 0)

#define MODEL_N_CLIENTS                                                                            \
    4 /* client entries of a meter: association objects 0-0:40.0.1 .. 40.0.4                       \
       */

extern const struct cosem_row model_rows[];
extern const size_t model_n_rows;

/* Whether a meter of this row with these features (MODEL_*) has the object. */
bool model_present(const struct model_meter *m, uint32_t features, const struct cosem_ref *o);

/* Logical names other code needs. */
extern const uint8_t model_ln_clock[6];
extern const uint8_t model_ln_profile_status[6];

/* Provided by firmware/meter (meter_objects.h says what each shows). */
extern const struct cosem_binding meter_binding_data;
extern const struct cosem_binding meter_binding_register;
extern const struct cosem_binding meter_binding_max_demand;
extern const struct cosem_binding meter_binding_demand;
extern const struct cosem_binding meter_binding_profile;
extern const struct cosem_binding meter_binding_clock;

#endif
