/* The eight meters as data: what distinguishes one product from another, and nothing else.
 *
 * Figures are the printed ones of the datasheets; where a datasheet leaves a figure open the row
 * says which one was chosen and why. Refuses to hold behaviour: a function a meter lacks is a
 * missing feature bit, and model_present() then hides its objects. */
#ifndef FERRARIS_MODEL_METERS_H
#define FERRARIS_MODEL_METERS_H

#include "lib/cosem/model.h"

/* Functions a meter has or lacks; the objects of a lacking one do not exist. */
#define MODEL_REACTIVE     0x0001u /* R+ and R- and reactive power */
#define MODEL_QUADRANTS    0x0002u /* reactive energy and power QI..QIV */
#define MODEL_APPARENT     0x0004u /* apparent power at this instant (energy: every meter) */
#define MODEL_ABSOLUTE     0x0008u /* |A+| + |A-|, |R+| + |R-|, |P| */
#define MODEL_PHASE_ENERGY 0x0010u /* energy of each phase (three-phase meters) */
#define MODEL_NEUTRAL      0x0020u /* neutral current */
#define MODEL_THD          0x0040u
#define MODEL_ANGLES       0x0080u /* angles between the phases, and of I against U */
#define MODEL_EXPORT       0x0100u /* counts both directions */

struct model_meter {
    const char *name;   /* as on the command line: "ST402D" */
    char type[4];       /* three digits inside the logical device name */
    const char *kind;   /* one line for people */
    uint8_t n_phases;   /* 1 (two wires) or 3 (four wires) */
    bool is_ct;         /* currents come through transformers */
    uint32_t un_mv;     /* phase to neutral */
    uint32_t f_mhz;     /* nominal frequency, millihertz */
    uint32_t in_ma;     /* reference current: Iref, In or Ib */
    uint32_t imax_ma;   /* maximum current */
    uint32_t ist_ua;    /* starting current of active energy */
    const char *active; /* accuracy classes, as printed by --datasheet */
    const char *reactive;
    uint32_t pulse_per_kwh; /* LED constant, imp/kWh and imp/kvarh */
    int8_t energy_scaler;   /* energy registers count 10^n Wh, -2..0 */
    uint32_t profile_depth; /* rows of load profile 1 that are always kept */
    uint32_t features;      /* MODEL_* */
};

/* Sorted as the datasheets are. NULL past the end. */
const struct model_meter *model_meter_at(size_t index);
/* By name, upper or lower case; NULL where there is none. */
const struct model_meter *model_meter_find(const char *name);

#endif
