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
#define MODEL_LOSSES       0x0200u /* transformer losses, I2h, U2h */
#define MODEL_RATIOS       0x0400u /* CT and VT ratios, primary values beside the secondary ones */
#define MODEL_DIFFERENTIAL 0x0800u /* difference of phase and neutral currents */
#define MODEL_UNBALANCE    0x1000u /* negative sequence of voltages and currents */
#define MODEL_AVERAGES     0x2000u /* voltage, current, power over day and month */
#define MODEL_LED_SET      0x4000u /* LED constants are the owner's to choose */

#define MODEL_ORDER_MAX 64 /* octets of the words of an order, with the terminating one */

struct model_meter {
    const char *name;         /* as on the command line: "ST402D" */
    char type[4];             /* three digits inside the logical device name */
    const char *kind;         /* one line for people */
    uint8_t n_phases;         /* elements: 1 (two wires) or 3 */
    uint8_t phases_used;      /* bits 0..2 of a meter used with fewer; 0: all */
    bool is_ct;               /* currents come through transformers */
    bool is_3wire;            /* two elements: line voltages U12 and U32, no neutral */
    uint32_t un_mv;           /* phase to neutral, of a three-wire connection too */
    uint32_t f_mhz;           /* nominal frequency, millihertz */
    uint32_t in_ma;           /* reference current: Iref, In or Ib */
    uint32_t imax_ma;         /* maximum current */
    uint32_t ist_ua;          /* starting current of active energy */
    uint32_t ist_reactive_ua; /* of reactive energy; 0: as ist_ua */
    const char *active;       /* accuracy classes, as printed by --datasheet */
    const char *reactive;
    /* The same as words of the standards' tables: "62053-21" with "1" or "2", "62053-22" with
     * "0.5S", "50470-3" with "A", "B" or "C"; "62053-23" with "2" or "3", "62053-24" with "1". */
    const char *active_table, *active_class;
    const char *reactive_table, *reactive_class;
    uint16_t u_min_permille, u_max_permille; /* of Un: the printed working range, 0: 900, 1100 */
    int8_t t_min_c, t_max_c;                 /* printed operating temperature, the extended one */
    uint32_t pulse_per_kwh;                  /* LED constant, imp/kWh and imp/kvarh */
    int8_t energy_scaler;                    /* energy registers count 10^n Wh, -2..0 */
    uint8_t kwh_digits;                      /* and roll over at 10^n kWh (kvarh, kVAh) */
    uint8_t n_rates;                         /* rates with energy registers of their own */
    uint32_t profile_depth;                  /* rows of load profile 1 that are always kept */
    uint32_t features;                       /* MODEL_* */
    char order[MODEL_ORDER_MAX]; /* words that differ from the standard order, "" for that */
};

/* What a customer may order of a model beside its row: one word, one choice, as printed. */
struct model_choice {
    const char *word; /* "10(120)", "class2", "3wire", "60hz", "ct" */
    const char *what; /* one line for people */
};
/* NULL past the end of the choices of a model. What the row has anyway is among them. */
const struct model_choice *model_choice_at(const struct model_meter *m, size_t index);
/* The row with an order applied: words of its choices, comma separated, upper or lower case, "" for
 * none. out->order has the words in the order of the choices, those of the standard order left out:
 * two orders are the same meter if and only if it is equal. ERR_NOT_FOUND (not a word of this
 * model), ERR_STATE (two words for the same thing), with *bad_at the offset of the word (may be
 * NULL). `out` must outlive the meters made from it. */
MUST_CHECK enum err model_order(const struct model_meter *m, const char *words,
                                struct model_meter *out, size_t *bad_at);

/* Sorted as the datasheets are. NULL past the end. */
const struct model_meter *model_meter_at(size_t index);
/* By name, upper or lower case; NULL where there is none. */
const struct model_meter *model_meter_find(const char *name);

#endif
