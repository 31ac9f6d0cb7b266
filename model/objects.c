/* The rows of objects.h, sorted by class and logical name. */
#include "model/objects.h"

#include "lib/cosem/server.h"
#include "model/events.h"

#include <string.h>

#define ATTR(n)     (1u << ((n)-1))
#define ATTRS(a, z) ((uint16_t)((ATTR(z) << 1) - ATTR(a)))
#define ALL(n)                                                                                     \
    {                                                                                              \
        ATTRS(1, n), ATTRS(1, n), ATTRS(1, n)                                                      \
    }
#define NOT_PUBLIC(n)                                                                              \
    {                                                                                              \
        0, ATTRS(1, n), ATTRS(1, n)                                                                \
    }
#define MANAGER(bits)                                                                              \
    {                                                                                              \
        0, 0, (uint16_t)(bits)                                                                     \
    }

/* Public: what a stranger must know to address the meter and to start a secured association. */
static const struct cosem_rights rights_public_data = {.read = ALL(2)};
static const struct cosem_rights rights_data = {.read = NOT_PUBLIC(2)};
/* Legal registers: no reset for anybody (class 3 method 1). */
static const struct cosem_rights rights_reg = {.read = NOT_PUBLIC(3)};
/* Parameters of the owner. */
static const struct cosem_rights rights_data_set = {.read = NOT_PUBLIC(2),
                                                    .write = MANAGER(ATTR(2))};
static const struct cosem_rights rights_reg_set = {.read = NOT_PUBLIC(3),
                                                   .write = MANAGER(ATTR(2))};
static const struct cosem_rights rights_scripts = {.read = NOT_PUBLIC(2),
                                                   .invoke = MANAGER(ATTR(1))};
static const struct cosem_rights rights_audit = {.read = NOT_PUBLIC(8)};
static const struct cosem_rights rights_log_list = {.read = NOT_PUBLIC(8),
                                                    .invoke = MANAGER(ATTR(1))};
static const struct cosem_rights rights_max_demand = {.read = NOT_PUBLIC(5),
                                                      .invoke = MANAGER(ATTR(1))};
static const struct cosem_rights rights_demand = {
    .read = NOT_PUBLIC(9), .write = MANAGER(ATTR(8)), .invoke = MANAGER(ATTRS(1, 2))};
static const struct cosem_rights rights_profile = {
    .read = NOT_PUBLIC(8), .write = MANAGER(ATTRS(3, 5) | ATTR(8)), .invoke = MANAGER(ATTRS(1, 2))};
static const struct cosem_rights rights_clock = {
    .read = ALL(9), .write = MANAGER(ATTRS(2, 3) | ATTRS(5, 8)), .invoke = MANAGER(ATTRS(1, 6))};
/* The secret (attribute 7) is never readable; HLS pass 3 is method 1. */
static const struct cosem_rights rights_association = {.read = {ATTRS(1, 6) | ATTR(8) | ATTR(9),
                                                                ATTRS(1, 6) | ATTR(8) | ATTR(9),
                                                                ATTRS(1, 6) | ATTR(8) | ATTR(9)},
                                                       .invoke = {0, ATTR(1), ATTR(1)}};
static const struct cosem_rights rights_sap_list = {.read = ALL(2)};
static const struct cosem_rights rights_security = {.read = NOT_PUBLIC(5),
                                                    .invoke = MANAGER(ATTRS(1, 2))};

#define LN(a, b, c, d, e)                                                                          \
    {                                                                                              \
        a, b, c, d, e, 255                                                                         \
    }
/* Instances along E, in steps of one. */
#define BY_E(n)                                                                                    \
    {                                                                                              \
        {                                                                                          \
            4, 1, n                                                                                \
        }                                                                                          \
    }
/* C of the total, +20, +40, +60 for L1, L2, L3 (IEC 62056-6-1). */
#define TOTAL_AND_PHASES                                                                           \
    {                                                                                              \
        {                                                                                          \
            2, 20, 4                                                                               \
        }                                                                                          \
    }
#define PHASES                                                                                     \
    {                                                                                              \
        {                                                                                          \
            2, 20, 3                                                                               \
        }                                                                                          \
    }
/* And E of the sum of all rates, +1 .. for the rates. */
#define TOTAL_PHASES_RATES                                                                         \
    {                                                                                              \
        {2, 20, 4},                                                                                \
        {                                                                                          \
            4, 1, 1 + MODEL_RATES_MAX                                                              \
        }                                                                                          \
    }
/* M-Bus channels are in B. */
#define CHANNELS                                                                                   \
    {                                                                                              \
        {                                                                                          \
            1, 1, 4                                                                                \
        }                                                                                          \
    }

#define KIND(name, class_, version_, binding_, rights_, ...)                                       \
    static const struct cosem_kind name = {.class_id = class_,                                     \
                                           .version = version_,                                    \
                                           .binding = &(binding_),                                 \
                                           .rights = &(rights_),                                   \
                                           __VA_ARGS__}

KIND(public_data, 1, 0, meter_binding_data, rights_public_data);
KIND(data, 1, 0, meter_binding_data, rights_data);
KIND(number, 1, 0, meter_binding_register, rights_data);
KIND(number_set, 1, 0, meter_binding_register, rights_data_set);
KIND(limit, 1, 0, meter_binding_register, rights_data_set, .range = BY_E(15));
KIND(status, 1, 0, meter_binding_data, rights_data, .range = BY_E(4), .flags = MODEL_OF_PROFILE);
KIND(status_days, 1, 0, meter_binding_data, rights_data, .range = {{4, 2, 2}},
     .flags = MODEL_OF_PROFILE);
KIND(status_mbus, 1, 0, meter_binding_data, rights_data, .range = CHANNELS,
     .flags = MODEL_OF_PROFILE);
KIND(outages, 1, 0, meter_binding_register, rights_data, .range = BY_E(4),
     .flags = MODEL_WITH_TOTAL);
KIND(log_code, 1, 0, meter_binding_log_data, rights_data, .range = BY_E(MODEL_LOG_CODES));
KIND(log_filter, 1, 0, meter_binding_log_data, rights_data_set, .range = BY_E(MODEL_LOG_CODES));
KIND(outage, 3, 0, meter_binding_register, rights_reg, .range = BY_E(4), .flags = MODEL_WITH_TOTAL);
KIND(reg, 3, 0, meter_binding_register, rights_reg);
KIND(reg_set, 3, 0, meter_binding_register, rights_reg_set);
KIND(total, 3, 0, meter_binding_register, rights_reg, .range = TOTAL_AND_PHASES,
     .flags = MODEL_WITH_TOTAL);
KIND(phase, 3, 0, meter_binding_register, rights_reg, .range = PHASES, .flags = MODEL_BY_PHASE);
KIND(energy, 3, 0, meter_binding_register, rights_reg, .range = TOTAL_PHASES_RATES,
     .flags = MODEL_WITH_TOTAL | MODEL_BY_RATE);
KIND(angle_u, 3, 0, meter_binding_register, rights_reg, .range = BY_E(3), .flags = MODEL_BY_PHASE);
KIND(angle_ui, 3, 0, meter_binding_register, rights_reg, /* 4, 15, 26: I(Li) with U(Li) */
     .range = {{4, 11, 3}}, .flags = MODEL_BY_PHASE);
KIND(losses, 3, 0, meter_binding_register, rights_reg, .range = BY_E(9));
KIND(sequences, 3, 0, meter_binding_register, rights_reg, .range = BY_E(3));
KIND(total_1, 3, 0, meter_binding_register, rights_reg, .range = TOTAL_AND_PHASES,
     .flags = MODEL_WITH_TOTAL | MODEL_PRIMARY);
KIND(phase_1, 3, 0, meter_binding_register, rights_reg, .range = PHASES,
     .flags = MODEL_BY_PHASE | MODEL_PRIMARY);
KIND(energy_1, 3, 0, meter_binding_register, rights_reg, .range = TOTAL_PHASES_RATES,
     .flags = MODEL_WITH_TOTAL | MODEL_BY_RATE | MODEL_PRIMARY);
KIND(profile, 7, 1, meter_binding_profile, rights_profile, .flags = MODEL_OF_PROFILE);
KIND(profile_mbus, 7, 1, meter_binding_profile, rights_profile, .range = CHANNELS,
     .flags = MODEL_OF_PROFILE);
KIND(log_list, 7, 1, meter_binding_log, rights_log_list, .range = BY_E(MODEL_LOG_CODES));
KIND(log_failures, 7, 1, meter_binding_log, rights_log_list);
KIND(counter, 1, 0, cosem_binding_counter, rights_public_data, .range = BY_E(4));
KIND(equal_cells, 1, 0, meter_binding_null, rights_data_set);
KIND(max_demand, 4, 0, meter_binding_max_demand, rights_max_demand);
KIND(demand, 5, 0, meter_binding_demand, rights_demand);
KIND(audit, 7, 1, meter_binding_audit, rights_audit);
KIND(clock, 8, 0, meter_binding_clock, rights_clock);
KIND(scripts, 9, 0, meter_binding_tariff, rights_scripts);
KIND(association, 15, 1, cosem_binding_association, rights_association,
     .range = BY_E(1 + MODEL_N_CLIENTS)); /* 0 is the present one */
KIND(sap_list, 17, 0, cosem_binding_sap, rights_sap_list);
KIND(security, 64, 0, cosem_binding_security, rights_security);

/* Functions a meter needs to have an object: numbers in a row's arg. Primary values need the ratios
 * beside them. */
enum needs {
    ALWAYS,
    REACTIVE,
    QUADRANTS,
    APPARENT,
    ABSOLUTE,
    NEUTRAL,
    THD,
    ANGLES,
    EXPORT,
    LOSSES,
    RATIOS,
    DIFFERENTIAL,
    UNBALANCE,
    AVERAGES,
    LED_SET,
    REACTIVE_ABSOLUTE,
    REACTIVE_LED_SET,
    APPARENT_EXPORT,
    AVERAGES_EXPORT,
};
static const uint16_t needs[] = {
    [ALWAYS] = 0,
    [REACTIVE] = MODEL_REACTIVE,
    [QUADRANTS] = MODEL_QUADRANTS,
    [APPARENT] = MODEL_APPARENT,
    [ABSOLUTE] = MODEL_ABSOLUTE,
    [NEUTRAL] = MODEL_NEUTRAL,
    [THD] = MODEL_THD,
    [ANGLES] = MODEL_ANGLES,
    [EXPORT] = MODEL_EXPORT,
    [LOSSES] = MODEL_LOSSES,
    [RATIOS] = MODEL_RATIOS,
    [DIFFERENTIAL] = MODEL_DIFFERENTIAL,
    [UNBALANCE] = MODEL_UNBALANCE,
    [AVERAGES] = MODEL_AVERAGES,
    [LED_SET] = MODEL_LED_SET,
    [REACTIVE_ABSOLUTE] = MODEL_REACTIVE | MODEL_ABSOLUTE,
    [REACTIVE_LED_SET] = MODEL_REACTIVE | MODEL_LED_SET,
    [APPARENT_EXPORT] = MODEL_APPARENT | MODEL_EXPORT,
    [AVERAGES_EXPORT] = MODEL_AVERAGES | MODEL_EXPORT,
};
_Static_assert(sizeof needs / sizeof *needs <= 0x40, "a number of six bits");
#define NEEDS(n)      ((unsigned)(n) << 8)
#define NEEDS_OF(arg) (needs[(arg) >> 8 & 0x3Fu])

#define ROW(kind_, a, b, c, d, e, arg_, text)                                                      \
    {                                                                                              \
        LN(a, b, c, d, e), (uint16_t)(arg_), &(kind_), COSEM_ROW_NAME(text)                        \
    }
#define OUTAGE(kind, e, quantity, text) ROW(kind, 0, 0, 96, 7, e, quantity, text)
#define LIMIT(d, quantity, text)        ROW(limit, 0, 0, 96, d, 0, quantity, text)
#define REG(c, d, e, quantity, needs_, text)                                                       \
    ROW(reg, 1, 0, c, d, e, (quantity) | NEEDS(needs_), text)
#define REG_SET(c, d, e, quantity, needs_, text)                                                   \
    ROW(reg_set, 1, 0, c, d, e, (quantity) | NEEDS(needs_), text)
#define TOTAL(c, d, e, quantity, needs_, text)                                                     \
    ROW(total, 1, 0, c, d, e, (quantity) | NEEDS(needs_), text)
#define PHASE(c, d, e, quantity, needs_, text)                                                     \
    ROW(phase, 1, 0, c, d, e, (quantity) | NEEDS(needs_), text)
/* Energies: of the total, the phases, and the total's rates. */
#define ENERGY(c, quantity, needs_, text)                                                          \
    ROW(energy, 1, 0, c, 8, 0, (quantity) | NEEDS(needs_), text)
/* Channel 1: what the channel 0 of the same code is on the primary side. */
#define ENERGY_1(c, quantity, needs_, text)                                                        \
    ROW(energy_1, 1, 1, c, 8, 0, (quantity) | NEEDS(needs_), text)
#define TOTAL_1(c, quantity, needs_, text)                                                         \
    ROW(total_1, 1, 1, c, 7, 0, (quantity) | NEEDS(needs_), text)
#define PHASE_1(c, quantity, needs_, text)                                                         \
    ROW(phase_1, 1, 1, c, 7, 0, (quantity) | NEEDS(needs_), text)

const struct cosem_row model_rows[] = {
    ROW(public_data, 0, 0, 42, 0, 0, MODEL_DEVICE_NAME, "Logical device name"),
    ROW(counter, 0, 0, 43, 1, 0, MODEL_NONE, "Invocation counter, least acceptable, by client SAP"),
    ROW(public_data, 0, 0, 96, 1, 0, MODEL_SERIAL, "Serial number"),
    OUTAGE(outages, 0, MODEL_OUTAGE_COUNT, "Power failures"),
    OUTAGE(outages, 5, MODEL_OUTAGE_LONG, "Long power failures"),
    OUTAGE(number, 9, MODEL_OUTAGE_LONG_ANY, "Long power failures, any phase"),
    OUTAGE(number, 21, MODEL_OUTAGE_COUNT_ANY, "Power failures, any phase"),
    OUTAGE(number, 129, MODEL_OUTAGE_SHORT, "Short power failures"),
    ROW(status, 0, 0, 96, 10, 1, MODEL_PROFILE_STATUS | MODEL_PROFILE(MODEL_LP1),
        "Load profile status"),
    ROW(status_days, 0, 0, 96, 10, 5, MODEL_PROFILE_STATUS | MODEL_PROFILE(MODEL_DAILY),
        "Daily and monthly profile status"),
    ROW(log_code, 0, 0, 96, 11, 0, MODEL_LOG_CODE, "Event code, newest"),
    ROW(data, 0, 0, 96, 14, 0, MODEL_RATE, "Currently active energy tariff"),
    /* D 128 and above is the manufacturer's. */
    ROW(data, 0, 0, 96, 128, 0, MODEL_AUDIT, "Audit trail, newest record"),
    /* Parts and times in 1e-6 and milliseconds, firmware/pq/pq.h; threshold 0: not watched. */
    LIMIT(129, MODEL_LIMIT_ON, "Supervision, threshold"),
    LIMIT(130, MODEL_LIMIT_HYSTERESIS, "Supervision, hysteresis"),
    LIMIT(131, MODEL_LIMIT_ON_MS, "Supervision, time to the begin"),
    LIMIT(132, MODEL_LIMIT_OFF_MS, "Supervision, time to the end"),
    ROW(log_filter, 0, 0, 96, 133, 0, MODEL_LOG_FILTER, "Event codes not entered"),
    ROW(equal_cells, 0, 0, 96, 134, 0, MODEL_NONE, "Profiles, equal cells as null-data"),
    /* Error register 1; its bits are ours, meter_errors(). */
    ROW(number, 0, 0, 97, 97, 0, MODEL_ERRORS, "Error register"),
    /* Alarm register 10; its bits are ours, enum pq_kind. */
    ROW(number, 0, 0, 97, 98, 9, MODEL_PRESENT, "Alarm register, supervision of the network"),
    ROW(status_mbus, 0, 1, 96, 10, 3, MODEL_PROFILE_STATUS | MODEL_PROFILE(MODEL_MBUS_1),
        "M-Bus profile status"),
    ROW(data, 1, 0, 0, 2, 0, MODEL_FIRMWARE_LEGAL, "Firmware identifier, metrology"),
    ROW(number_set, 1, 0, 0, 4, 2, MODEL_RATIO_CT_NUM | NEEDS(RATIOS),
        "Current transformer ratio, numerator"),
    ROW(number_set, 1, 0, 0, 4, 3, MODEL_RATIO_VT_NUM | NEEDS(RATIOS),
        "Voltage transformer ratio, numerator"),
    ROW(number_set, 1, 0, 0, 4, 5, MODEL_RATIO_CT_DEN | NEEDS(RATIOS),
        "Current transformer ratio, denominator"),
    ROW(number_set, 1, 0, 0, 4, 6, MODEL_RATIO_VT_DEN | NEEDS(RATIOS),
        "Voltage transformer ratio, denominator"),
    ROW(data, 1, 1, 0, 2, 0, MODEL_FIRMWARE_APPLICATION, "Firmware identifier, application"),

    OUTAGE(outage, 15, MODEL_OUTAGE_LAST, "Last long power failure"),
    OUTAGE(reg, 19, MODEL_OUTAGE_LAST_ANY, "Last long power failure, any phase"),
    OUTAGE(reg_set, 20, MODEL_OUTAGE_LIMIT, "Long power failure, threshold"),
    OUTAGE(reg, 128, MODEL_OUTAGE_OFF, "Time without supply, total"),
    OUTAGE(reg_set, 130, MODEL_OUTAGE_COUNTS, "Short power failure, threshold"),
    /* Writable where the datasheet has it so. */
    REG_SET(0, 3, 0, MODEL_LED_ACTIVE, LED_SET, "LED constant, active"),
    REG(0, 3, 0, MODEL_LED_ACTIVE | MODEL_LED_FIXED, ALWAYS, "LED constant, active"),
    REG_SET(0, 3, 1, MODEL_LED_REACTIVE, REACTIVE_LED_SET, "LED constant, reactive"),
    REG(0, 3, 1, MODEL_LED_REACTIVE | MODEL_LED_FIXED, REACTIVE, "LED constant, reactive"),
    REG(0, 6, 0, MODEL_NOMINAL_U, ALWAYS, "Nominal voltage"),
    REG(0, 6, 1, MODEL_NOMINAL_I, ALWAYS, "Nominal current"),
    REG(0, 6, 2, MODEL_NOMINAL_F, ALWAYS, "Nominal frequency"),
    REG(0, 6, 3, MODEL_MAXIMUM_I, ALWAYS, "Maximum current"),
    ROW(reg_set, 1, 0, 0, 9, 11, MODEL_CLOCK_SHIFT, "Clock, shift limit"),
    REG_SET(0, 10, 0, MODEL_LOSS_XM, LOSSES, "Transformer magnetising reactance Xm"),
    REG_SET(0, 10, 1, MODEL_LOSS_RFE, LOSSES, "Transformer iron losses resistance RFe"),
    REG_SET(0, 10, 2, MODEL_LOSS_RCU, LOSSES, "Line resistance RCu"),
    REG_SET(0, 10, 3, MODEL_LOSS_XS, LOSSES, "Line reactance Xs"),
    TOTAL(1, 7, 0, MODEL_P_IMPORT, ALWAYS, "Active power import (+P)"),
    ENERGY(1, MODEL_A_IMPORT, ALWAYS, "Active energy import (+A)"),
    REG(1, 15, 0, MODEL_P_IMPORT_DAY, AVERAGES, "Active power import, last average 2 (day)"),
    REG(1, 25, 0, MODEL_P_IMPORT_MONTH, AVERAGES, "Active power import, last average 3 (month)"),
    REG(1, 29, 0, MODEL_A_IMPORT_INTERVAL, ALWAYS, "Active energy import (+A), recording interval"),
    TOTAL(2, 7, 0, MODEL_P_EXPORT, EXPORT, "Active power export (-P)"),
    ENERGY(2, MODEL_A_EXPORT, EXPORT, "Active energy export (-A)"),
    REG(2, 15, 0, MODEL_P_EXPORT_DAY, AVERAGES_EXPORT, "Active power export, last average 2 (day)"),
    REG(2, 25, 0, MODEL_P_EXPORT_MONTH, AVERAGES_EXPORT,
        "Active power export, last average 3 (month)"),
    REG(2, 29, 0, MODEL_A_EXPORT_INTERVAL, EXPORT, "Active energy export (-A), recording interval"),
    TOTAL(3, 7, 0, MODEL_Q_IMPORT, REACTIVE, "Reactive power import (+Q)"),
    ENERGY(3, MODEL_R_IMPORT, REACTIVE, "Reactive energy import (+R)"),
    TOTAL(4, 7, 0, MODEL_Q_EXPORT, REACTIVE, "Reactive power export (-Q)"),
    ENERGY(4, MODEL_R_EXPORT, REACTIVE, "Reactive energy export (-R)"),
    TOTAL(5, 7, 0, MODEL_Q_QI, QUADRANTS, "Reactive power QI"),
    ENERGY(5, MODEL_R_QI, QUADRANTS, "Reactive energy QI"),
    TOTAL(6, 7, 0, MODEL_Q_QII, QUADRANTS, "Reactive power QII"),
    ENERGY(6, MODEL_R_QII, QUADRANTS, "Reactive energy QII"),
    TOTAL(7, 7, 0, MODEL_Q_QIII, QUADRANTS, "Reactive power QIII"),
    ENERGY(7, MODEL_R_QIII, QUADRANTS, "Reactive energy QIII"),
    TOTAL(8, 7, 0, MODEL_Q_QIV, QUADRANTS, "Reactive power QIV"),
    ENERGY(8, MODEL_R_QIV, QUADRANTS, "Reactive energy QIV"),
    TOTAL(9, 7, 0, MODEL_S_IMPORT_NOW, APPARENT, "Apparent power import (+S)"),
    ENERGY(9, MODEL_S_IMPORT, ALWAYS, "Apparent energy import (+S)"),
    TOTAL(10, 7, 0, MODEL_S_EXPORT_NOW, APPARENT_EXPORT, "Apparent power export (-S)"),
    ENERGY(10, MODEL_S_EXPORT, EXPORT, "Apparent energy export (-S)"),
    TOTAL(13, 7, 0, MODEL_POWER_FACTOR, ALWAYS, "Power factor"),
    REG(14, 7, 0, MODEL_FREQUENCY, ALWAYS, "Frequency"),
    TOTAL(15, 7, 0, MODEL_P_ABSOLUTE, ABSOLUTE, "Active power |+P| + |-P|"),
    ENERGY(15, MODEL_A_ABSOLUTE, ABSOLUTE, "Active energy |+A| + |-A|"),
    REG(16, 7, 0, MODEL_P_NET, ALWAYS, "Active power, net (+P - -P)"),
    ENERGY(16, MODEL_A_NET, EXPORT, "Active energy, net (+A - -A)"),
    PHASE(31, 7, 0, MODEL_CURRENT, ALWAYS, "Current"),
    PHASE(31, 7, 124, MODEL_THD_I, THD, "Current, total harmonic distortion"),
    PHASE(31, 15, 0, MODEL_I_DAY, AVERAGES, "Current, last average 2 (day)"),
    PHASE(31, 25, 0, MODEL_I_MONTH, AVERAGES, "Current, last average 3 (month)"),
    PHASE(32, 7, 0, MODEL_VOLTAGE, ALWAYS, "Voltage"),
    PHASE(32, 7, 124, MODEL_THD_U, THD, "Voltage, total harmonic distortion"),
    PHASE(32, 15, 0, MODEL_U_DAY, AVERAGES, "Voltage, last average 2 (day)"),
    PHASE(32, 25, 0, MODEL_U_MONTH, AVERAGES, "Voltage, last average 3 (month)"),
    ROW(angle_u, 1, 0, 81, 7, 0, MODEL_ANGLE_U | NEEDS(ANGLES), "Angle of U against U(L1)"),
    ROW(angle_ui, 1, 0, 81, 7, 4, MODEL_ANGLE_UI | NEEDS(ANGLES),
        "Angle of I against U of its phase"),
    /* Blue Book, losses: E 1..9 active, 10..18 reactive, 19 and 20 what they come from. */
    ROW(losses, 1, 0, 83, 8, 1, MODEL_LOSS_ACTIVE | NEEDS(LOSSES),
        "Active losses of transformer and line"),
    ROW(losses, 1, 0, 83, 8, 10, MODEL_LOSS_REACTIVE | NEEDS(LOSSES),
        "Reactive losses of transformer and line"),
    REG(83, 8, 19, MODEL_U2H, LOSSES, "Normalised transformer losses (U2h)"),
    REG(83, 8, 20, MODEL_I2H, LOSSES, "Normalised line losses (I2h)"),
    REG(91, 7, 0, MODEL_CURRENT_NEUTRAL, NEUTRAL, "Current in the neutral"),
    /* C 128..199 is the manufacturer's: the list has no codes for these. */
    ENERGY(130, MODEL_R_ABSOLUTE, REACTIVE_ABSOLUTE, "Reactive energy |+R| + |-R|"),
    REG(131, 7, 0, MODEL_UNBALANCE_U, UNBALANCE, "Voltage unbalance u2"),
    REG(132, 7, 0, MODEL_UNBALANCE_I, UNBALANCE, "Current unbalance i2"),
    REG(133, 7, 0, MODEL_CURRENT_DIFFERENTIAL, DIFFERENTIAL,
        "Difference of phase and neutral currents"),
    ROW(reg, 1, 0, 134, 7, 0, MODEL_CURRENT_COMPUTED | NEEDS(NEUTRAL) | MODEL_THREE_PHASE,
        "Current in the neutral, computed"),
    TOTAL(135, 7, 0, MODEL_Q_FRYZE, APPARENT, "Reactive power, sqrt(S2 - P2)"),
    REG(136, 7, 0, MODEL_S_VECTOR, APPARENT, "Apparent power, vector sum"),
    ROW(sequences, 1, 0, 137, 7, 0, MODEL_SEQUENCE_U | NEEDS(UNBALANCE), "Symmetrical voltage"),
    ROW(sequences, 1, 0, 138, 7, 0, MODEL_SEQUENCE_I | NEEDS(UNBALANCE), "Symmetrical current"),

    TOTAL_1(1, MODEL_P_IMPORT, ALWAYS, "Active power import (+P)"),
    ENERGY_1(1, MODEL_A_IMPORT, ALWAYS, "Active energy import (+A)"),
    TOTAL_1(2, MODEL_P_EXPORT, EXPORT, "Active power export (-P)"),
    ENERGY_1(2, MODEL_A_EXPORT, EXPORT, "Active energy export (-A)"),
    TOTAL_1(3, MODEL_Q_IMPORT, REACTIVE, "Reactive power import (+Q)"),
    ENERGY_1(3, MODEL_R_IMPORT, REACTIVE, "Reactive energy import (+R)"),
    TOTAL_1(4, MODEL_Q_EXPORT, REACTIVE, "Reactive power export (-Q)"),
    ENERGY_1(4, MODEL_R_EXPORT, REACTIVE, "Reactive energy export (-R)"),
    ENERGY_1(5, MODEL_R_QI, QUADRANTS, "Reactive energy QI"),
    ENERGY_1(6, MODEL_R_QII, QUADRANTS, "Reactive energy QII"),
    ENERGY_1(7, MODEL_R_QIII, QUADRANTS, "Reactive energy QIII"),
    ENERGY_1(8, MODEL_R_QIV, QUADRANTS, "Reactive energy QIV"),
    ENERGY_1(9, MODEL_S_IMPORT, ALWAYS, "Apparent energy import (+S)"),
    ENERGY_1(10, MODEL_S_EXPORT, EXPORT, "Apparent energy export (-S)"),
    ENERGY_1(15, MODEL_A_ABSOLUTE, ABSOLUTE, "Active energy |+A| + |-A|"),
    ENERGY_1(16, MODEL_A_NET, EXPORT, "Active energy, net (+A - -A)"),
    PHASE_1(31, MODEL_CURRENT, ALWAYS, "Current"),
    PHASE_1(32, MODEL_VOLTAGE, ALWAYS, "Voltage"),
    ENERGY_1(130, MODEL_R_ABSOLUTE, REACTIVE_ABSOLUTE, "Reactive energy |+R| + |-R|"),

    ROW(max_demand, 1, 0, 1, 6, 0, MODEL_NONE, "Maximum demand, active import"),
    ROW(demand, 1, 0, 1, 4, 0, MODEL_NONE, "Demand, active import"),
    ROW(profile, 0, 0, 98, 1, 0, MODEL_PROFILE(MODEL_MONTHLY), "Monthly profile"),
    ROW(log_list, 0, 0, 99, 98, 0, MODEL_LOG, "Event log"),
    /* An event log's code with E in the manufacturer's range. */
    ROW(audit, 0, 0, 99, 98, 128, MODEL_NONE, "Audit trail"),
    ROW(profile_mbus, 0, 1, 24, 3, 0, MODEL_PROFILE(MODEL_MBUS_1), "M-Bus profile"),
    ROW(profile, 1, 0, 98, 2, 0, MODEL_PROFILE(MODEL_DAILY), "Daily profile"),
    ROW(profile, 1, 0, 99, 1, 0, MODEL_PROFILE(MODEL_LP1), "Load profile 1"),
    ROW(profile, 1, 0, 99, 1, 1, MODEL_PROFILE(MODEL_LP3), "Load profile 3"),
    ROW(profile, 1, 0, 99, 1, 2, MODEL_PROFILE(MODEL_LP4), "Load profile 4"),
    ROW(profile, 1, 0, 99, 2, 0, MODEL_PROFILE(MODEL_LP2), "Load profile 2"),
    ROW(log_failures, 1, 0, 99, 97, 0, MODEL_LOG_FAILURES, "Power failure log"),
    ROW(clock, 0, 0, 1, 0, 0, MODEL_NONE, "Clock"),
    ROW(scripts, 0, 0, 10, 0, 100, MODEL_NONE, "Tariffication script table"),
    ROW(association, 0, 0, 40, 0, 0, MODEL_NONE, "Association"),
    ROW(sap_list, 0, 0, 41, 0, 0, MODEL_NONE, "SAP assignment"),
    ROW(security, 0, 0, 43, 0, 0, MODEL_NONE, "Security setup"),
};
const size_t model_n_rows = sizeof model_rows / sizeof model_rows[0];

const uint8_t model_ln_clock[6] = LN(0, 0, 1, 0, 0);
const uint8_t model_ln_outage[6] = LN(0, 0, 96, 7, 19);
const uint8_t model_ln_profile_status[6] = LN(0, 0, 96, 10, 1);

static const struct {
    uint8_t ln[6], status[6];
} profiles[MODEL_N_PROFILES] = {
    [MODEL_LP1] = {LN(1, 0, 99, 1, 0), LN(0, 0, 96, 10, 1)},
    [MODEL_LP2] = {LN(1, 0, 99, 2, 0), LN(0, 0, 96, 10, 2)},
    [MODEL_LP3] = {LN(1, 0, 99, 1, 1), LN(0, 0, 96, 10, 3)},
    [MODEL_LP4] = {LN(1, 0, 99, 1, 2), LN(0, 0, 96, 10, 4)},
    [MODEL_MBUS_1] = {LN(0, 1, 24, 3, 0), LN(0, 1, 96, 10, 3)},
    [MODEL_MBUS_2] = {LN(0, 2, 24, 3, 0), LN(0, 2, 96, 10, 3)},
    [MODEL_MBUS_3] = {LN(0, 3, 24, 3, 0), LN(0, 3, 96, 10, 3)},
    [MODEL_MBUS_4] = {LN(0, 4, 24, 3, 0), LN(0, 4, 96, 10, 3)},
    [MODEL_DAILY] = {LN(1, 0, 98, 2, 0), LN(0, 0, 96, 10, 5)},
    [MODEL_MONTHLY] = {LN(0, 0, 98, 1, 0), LN(0, 0, 96, 10, 7)},
};

void model_profile_ln(enum model_profile_id id, uint8_t ln[6])
{
    memcpy(ln, profiles[id].ln, 6);
}

void model_profile_status_ln(enum model_profile_id id, uint8_t ln[6])
{
    memcpy(ln, profiles[id].status, 6);
}

static bool is_energy(uint16_t arg)
{
    return MODEL_QUANTITY(arg) >= MODEL_A_IMPORT && MODEL_QUANTITY(arg) < MODEL_N_ENERGIES_END;
}

/* Logs that the model lacks have no object, whatever E they would have. */
static bool lacks_log(const struct model_meter *m, const struct cosem_ref *o)
{
    switch (MODEL_QUANTITY(o->row->arg)) {
    case MODEL_LOG:
    case MODEL_LOG_CODE:
    case MODEL_LOG_FILTER:
        return model_log_at(m, o->i) >= MODEL_N_LOGS;
    case MODEL_LOG_FAILURES:
        return model_row(m)->log_depth[MODEL_LOG_OUTAGE] == 0;
    default:
        return false;
    }
}

bool model_present(const struct model_meter *m, uint32_t features, const struct cosem_ref *o)
{
    m = model_row(m);
    const uint16_t arg = o->row->arg;
    const uint8_t flags = o->row->kind->flags;
    if ((flags & MODEL_OF_PROFILE) != 0)
        return m->profile[MODEL_PROFILE_OF(o)].n_values > 0;
    if ((NEEDS_OF(arg) & ~features) != 0 || lacks_log(m, o))
        return false;
    if ((flags & MODEL_PRIMARY) != 0 && (features & MODEL_RATIOS) == 0)
        return false;
    if ((arg & MODEL_LED_FIXED) != 0 && (features & MODEL_LED_SET) != 0)
        return false;
    if ((arg & MODEL_THREE_PHASE) != 0 && (m->n_phases == 1 || m->is_3wire))
        return false;
    if ((flags & MODEL_BY_PHASE) != 0) /* two elements: U12 and U32 as L1 and L3 */
        return o->i < m->n_phases && !(m->is_3wire && o->i == 1);
    if ((flags & MODEL_BY_RATE) != 0 && o->j > 0)
        return o->j <= m->n_rates && o->i == 0;
    if ((flags & MODEL_WITH_TOTAL) == 0 || o->i == 0)
        return true;
    if (m->n_phases == 1 || (m->is_3wire && o->i == 2)) /* the total is the phase */
        return false;
    return !is_energy(arg) || (features & MODEL_PHASE_ENERGY) != 0;
}
