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

/* capture_objects and the sizes of the profiles are the owner's to choose. */
#define MODEL_COLUMNS_SET 0x8000u
/* Space freed in one profile can be taken by another. Above the 16 bits that objects ask for. */
#define MODEL_TRADE 0x10000u
/* Has the profiles of M-Bus devices (the four rows MODEL_MBUS_1 .. below). */
#define MODEL_MBUS 0x20000u

/* The functions of each model: .features of its row, here so that a build for one model can leave
 * out by the preprocessor what serves none of them. `model` is the row's name, model_NAME. */
#define MODEL_FEATURES_OF(model)  MODEL_FEATURES_OF_(model)
#define MODEL_FEATURES_OF_(model) FEATURES_OF_##model
#define MODEL_FOUR_QUADRANTS                                                                       \
    (MODEL_REACTIVE | MODEL_QUADRANTS | MODEL_ABSOLUTE | MODEL_APPARENT | MODEL_EXPORT)
#define FEATURES_OF_model_mt371                                                                    \
    (MODEL_REACTIVE | MODEL_EXPORT | MODEL_PHASE_ENERGY | MODEL_UNBALANCE | MODEL_COLUMNS_SET)
#define FEATURES_OF_model_sm402d                                                                   \
    (MODEL_FOUR_QUADRANTS | MODEL_NEUTRAL | MODEL_THD | MODEL_LED_SET | MODEL_COLUMNS_SET |        \
     MODEL_MBUS)
#define FEATURES_OF_model_st402d                                                                   \
    (MODEL_FOUR_QUADRANTS | MODEL_NEUTRAL | MODEL_THD | MODEL_PHASE_ENERGY | MODEL_LED_SET |       \
     MODEL_COLUMNS_SET | MODEL_MBUS)
#define FEATURES_OF_model_st402c                                                                   \
    (MODEL_FOUR_QUADRANTS | MODEL_NEUTRAL | MODEL_THD | MODEL_PHASE_ENERGY | MODEL_LED_SET |       \
     MODEL_RATIOS | MODEL_COLUMNS_SET | MODEL_MBUS)
#define FEATURES_OF_model_smartesox_p                                                              \
    (MODEL_REACTIVE | MODEL_QUADRANTS | MODEL_APPARENT | MODEL_EXPORT | MODEL_NEUTRAL |            \
     MODEL_THD | MODEL_ANGLES | MODEL_LOSSES | MODEL_RATIOS | MODEL_UNBALANCE | MODEL_COLUMNS_SET)
#define FEATURES_OF_model_sm307                                                                    \
    (MODEL_REACTIVE | MODEL_ABSOLUTE | MODEL_APPARENT | MODEL_EXPORT | MODEL_ANGLES |              \
     MODEL_RATIOS | MODEL_UNBALANCE | MODEL_COLUMNS_SET)
#define FEATURES_OF_model_ad11a                                                                    \
    (MODEL_REACTIVE | MODEL_QUADRANTS | MODEL_EXPORT | MODEL_NEUTRAL | MODEL_THD |                 \
     MODEL_DIFFERENTIAL | MODEL_AVERAGES | MODEL_COLUMNS_SET | MODEL_TRADE)
#define FEATURES_OF_model_ad13a                                                                    \
    (MODEL_REACTIVE | MODEL_QUADRANTS | MODEL_EXPORT | MODEL_NEUTRAL | MODEL_THD | MODEL_ANGLES |  \
     MODEL_PHASE_ENERGY | MODEL_DIFFERENTIAL | MODEL_AVERAGES | MODEL_COLUMNS_SET | MODEL_TRADE)

/* Profiles with a ring of their own (class 7). The M-Bus ones are for the devices behind the meter;
 * their periods and columns are chosen like the others'. */
enum model_profile_id {
    MODEL_LP1,    /* 1-0:99.1.0 */
    MODEL_LP2,    /* 1-0:99.2.0 */
    MODEL_LP3,    /* 1-0:99.1.1 */
    MODEL_LP4,    /* 1-0:99.1.2 */
    MODEL_MBUS_1, /* 0-1:24.3.0 .. 0-4:24.3.0 */
    MODEL_MBUS_2,
    MODEL_MBUS_3,
    MODEL_MBUS_4,
    MODEL_DAILY,   /* 1-0:98.2.0, at local midnight */
    MODEL_MONTHLY, /* 0-0:98.1.0, on the first of the month at local midnight */
    MODEL_N_PROFILES
};
#define MODEL_VALUES_MAX 32 /* columns of a profile beside clock and status */
struct model_profile {
    uint8_t n_values;     /* columns beside clock and status at most; 0: the meter lacks it */
    uint8_t depth_values; /* `depth` is kept with so many of them, of 8 octets each */
    uint16_t period_s10;  /* as delivered, in 10 s; MODEL_DAILY, MODEL_MONTHLY: not used */
    uint32_t depth;       /* rows that are always there */
};

/* Periods a client may choose, bits of model_meter.periods. */
#define MODEL_1_MIN   0x01u
#define MODEL_5_MIN   0x02u
#define MODEL_10_MIN  0x04u
#define MODEL_15_MIN  0x08u
#define MODEL_20_MIN  0x10u
#define MODEL_30_MIN  0x20u
#define MODEL_60_MIN  0x40u
#define MODEL_1_DAY   0x80u
#define MODEL_ANY_MIN 0x100u /* every whole number of minutes, 1..60 */
/* Whether load profiles of a meter with these periods can be told this one. */
bool model_period_allowed(uint16_t periods, uint32_t period_s);

/* Event logs (class 7), each with a ring, a code object 0-0:96.11.E and a filter of its own. */
enum model_log_id {
    MODEL_LOG_STANDARD,      /* 0-0:99.98.0 */
    MODEL_LOG_FRAUD,         /* .1 */
    MODEL_LOG_DISCONNECTOR,  /* .2 */
    MODEL_LOG_QUALITY,       /* .4 (IDIS), .5 (DSMR) */
    MODEL_LOG_COMMUNICATION, /* .5 (IDIS), .4 (DSMR) */
    MODEL_LOG_LOAD,          /* .7, manufacturer's: limits of current and power */
    MODEL_LOG_CONFIGURATION, /* .8, manufacturer's: parameters, keys, clearing */
    MODEL_LOG_SECURITY,      /* .9: access */
    MODEL_LOG_OUTAGE,        /* 1-0:99.97.0: long power failures with their durations */
    MODEL_N_LOGS
};
enum model_event_map { MODEL_EVENTS_IDIS, MODEL_EVENTS_DSMR, MODEL_EVENTS_SEVEN };
enum model_reserve { MODEL_SUPERCAP, MODEL_BATTERY };

/* Octets of the words of an order, with the terminating one; an image of a standard row has 1. */
#ifndef MODEL_ORDER_MAX
#define MODEL_ORDER_MAX 64
#endif

struct model_meter {
    const char *name;         /* as on the command line: "ST402D" */
    char type[4];             /* three digits inside the logical device name */
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
    uint16_t u_min_permille, u_max_permille; /* of Un: the printed working range, 0: 900, 1100 */
    int8_t t_min_c, t_max_c;                 /* printed operating temperature, the extended one */
    uint32_t pulse_per_kwh;                  /* LED constant, imp/kWh and imp/kvarh */
    int8_t energy_scaler;                    /* energy registers count 10^n Wh, -2..0 */
    uint8_t kwh_digits;                      /* and roll over at 10^n kWh (kvarh, kVAh) */
    uint8_t n_rates;                         /* rates with energy registers of their own */
    struct model_profile profile[MODEL_N_PROFILES];
    uint16_t periods;                 /* MODEL_1_MIN .. of the load profiles */
    uint16_t log_depth[MODEL_N_LOGS]; /* entries always kept; 0: the meter lacks it */
    uint8_t event_map;           /* enum model_event_map: where each event goes, by which code */
    uint8_t reserve;             /* enum model_reserve: what keeps the clock without mains */
    uint32_t reserve_s;          /* at least so long */
    uint32_t clock_ppb;          /* printed accuracy of the calibrated clock */
    int8_t clock_c;              /* at so many degrees */
    uint16_t long_outage_s;      /* threshold of a long outage as delivered */
    uint32_t features;           /* MODEL_* */
    char order[MODEL_ORDER_MAX]; /* words that differ from the standard order, "" for that */
#if COSEM_WITH_NAMES
    const char *kind;   /* one line for people */
    const char *active; /* accuracy classes, as printed by --datasheet */
    const char *reactive;
    /* The same as words of the standards' tables: "62053-21" with "1" or "2", "62053-22" with
     * "0.5S", "50470-3" with "A", "B" or "C"; "62053-23" with "2" or "3", "62053-24" with "1". */
    const char *active_table, *active_class;
    const char *reactive_table, *reactive_class;
#endif
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

/* The rows by themselves: a firmware names its own, and its linker drops the others. */
extern const struct model_meter model_mt371, model_sm402d, model_st402d, model_st402c,
    model_smartesox_p, model_sm307, model_ad11a, model_ad13a;

/* The row of a meter. An image is for one model: with MODEL_ONLY it defines model_only, all its
 * meters have that row, and what the code asks of it is a constant when the image is linked. */
#ifndef MODEL_ONLY
#define MODEL_ONLY 0
#endif
extern const struct model_meter *const model_only; /* defined by who sets MODEL_ONLY */
static inline const struct model_meter *model_row(const struct model_meter *m)
{
    return MODEL_ONLY ? model_only : m;
}

/* Sorted as the datasheets are. NULL past the end. */
const struct model_meter *model_meter_at(size_t index);
/* By name, upper or lower case; NULL where there is none. */
const struct model_meter *model_meter_find(const char *name);

#endif
