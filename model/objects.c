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
static const struct cosem_rights public_data = {.read = ALL(2)};
static const struct cosem_rights data = {.read = NOT_PUBLIC(2)};
/* Legal registers: no reset for anybody (class 3 method 1). */
static const struct cosem_rights reg = {.read = NOT_PUBLIC(3)};
/* Parameters of the owner. */
static const struct cosem_rights data_set = {.read = NOT_PUBLIC(2), .write = MANAGER(ATTR(2))};
static const struct cosem_rights reg_set = {.read = NOT_PUBLIC(3), .write = MANAGER(ATTR(2))};
static const struct cosem_rights scripts = {.read = NOT_PUBLIC(2), .invoke = MANAGER(ATTR(1))};
static const struct cosem_rights audit = {.read = NOT_PUBLIC(8)};
static const struct cosem_rights log_list = {.read = NOT_PUBLIC(8), .invoke = MANAGER(ATTR(1))};
static const struct cosem_rights max_demand = {.read = NOT_PUBLIC(5), .invoke = MANAGER(ATTR(1))};
static const struct cosem_rights demand = {
    .read = NOT_PUBLIC(9), .write = MANAGER(ATTR(8)), .invoke = MANAGER(ATTRS(1, 2))};
static const struct cosem_rights profile = {
    .read = NOT_PUBLIC(8), .write = MANAGER(ATTRS(3, 5) | ATTR(8)), .invoke = MANAGER(ATTRS(1, 2))};
static const struct cosem_rights clock_rights = {
    .read = ALL(9), .write = MANAGER(ATTRS(2, 3) | ATTRS(5, 8)), .invoke = MANAGER(ATTRS(1, 6))};
/* The secret (attribute 7) is never readable; HLS pass 3 is method 1. */
static const struct cosem_rights association = {.read = {ATTRS(1, 6) | ATTR(8) | ATTR(9),
                                                         ATTRS(1, 6) | ATTR(8) | ATTR(9),
                                                         ATTRS(1, 6) | ATTR(8) | ATTR(9)},
                                                .invoke = {0, ATTR(1), ATTR(1)}};
static const struct cosem_rights sap_list = {.read = ALL(2)};
static const struct cosem_rights security = {.read = NOT_PUBLIC(5), .invoke = MANAGER(ATTRS(1, 2))};

#define LN(a, b, c, d, e)                                                                          \
    {                                                                                              \
        a, b, c, d, e, 255                                                                         \
    }
#define NEEDS(f) ((uint32_t)(f) << 8)
#define NO_RANGE                                                                                   \
    {                                                                                              \
        {0, 0, 0},                                                                                 \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }
#define RANGE_ONE(group, step, n)                                                                  \
    {                                                                                              \
        {group, step, n},                                                                          \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }
/* C of the total, +20, +40, +60 for L1, L2, L3 (IEC 62056-6-1). */
#define TOTAL_AND_PHASES RANGE_ONE(2, 20, 4)
#define PHASES           RANGE_ONE(2, 20, 3)
/* And E of the sum of all rates, +1 .. for the rates. */
#define TOTAL_PHASES_RATES                                                                         \
    {                                                                                              \
        {2, 20, 4},                                                                                \
        {                                                                                          \
            4, 1, 1 + MODEL_RATES_MAX                                                              \
        }                                                                                          \
    }

#define DATA(a, b, c, d, e, rights_, quantity, text)                                               \
    {                                                                                              \
        LN(a, b, c, d, e), 1, 0, NO_RANGE, &(rights_), &meter_binding_data, quantity,              \
            COSEM_ROW_NAME(text)                                                                   \
    }
#define STATUS(b, e, range_, profile_, text)                                                       \
    {                                                                                              \
        LN(0, b, 96, 10, e), 1, 0, range_, &data, &meter_binding_data,                             \
            MODEL_PROFILE_STATUS | MODEL_PROFILE(profile_), COSEM_ROW_NAME(text)                   \
    }
#define PROFILE(a, b, c, d, e, range_, profile_, text)                                             \
    {                                                                                              \
        LN(a, b, c, d, e), 7, 1, range_, &profile, &meter_binding_profile,                         \
            MODEL_PROFILE(profile_), COSEM_ROW_NAME(text)                                          \
    }
#define OUTAGE(class_, e, n, rights_, arg_, text)                                                  \
    {                                                                                              \
        LN(0, 0, 96, 7, e), class_, 0, RANGE_ONE(4, 1, n), &(rights_), &meter_binding_outage,      \
            arg_, COSEM_ROW_NAME(text)                                                             \
    }
#define LOG_DATA(d, rights_, quantity, text)                                                       \
    {                                                                                              \
        LN(0, 0, 96, d, 0), 1, 0, RANGE_ONE(4, 1, MODEL_LOG_CODES), &(rights_),                    \
            &meter_binding_log_data, quantity, COSEM_ROW_NAME(text)                                \
    }
#define LOG_LIST(ln_, n, quantity, text)                                                           \
    {                                                                                              \
        ln_, 7, 1, RANGE_ONE(4, 1, n), &log_list, &meter_binding_log, quantity,                    \
            COSEM_ROW_NAME(text)                                                                   \
    }
#define LIMIT(d, quantity, text)                                                                   \
    {                                                                                              \
        LN(0, 0, 96, d, 0), 1, 0, RANGE_ONE(4, 1, 15), &data_set, &meter_binding_data, quantity,   \
            COSEM_ROW_NAME(text)                                                                   \
    }
#define ROW(b, c, d, e, range_, rights_, arg_, text)                                               \
    {                                                                                              \
        LN(1, b, c, d, e), 3, 0, range_, &(rights_), &meter_binding_register, arg_,                \
            COSEM_ROW_NAME(text)                                                                   \
    }
#define REG(c, d, e, quantity, needs, text)                                                        \
    ROW(0, c, d, e, NO_RANGE, reg, (quantity) | NEEDS(needs), text)
#define REG_SET(c, d, e, quantity, needs, text)                                                    \
    ROW(0, c, d, e, NO_RANGE, reg_set, (quantity) | NEEDS(needs), text)
#define TOTAL(c, d, e, quantity, needs, text)                                                      \
    ROW(0, c, d, e, TOTAL_AND_PHASES, reg, (quantity) | NEEDS(needs) | MODEL_WITH_TOTAL, text)
#define PHASE(c, d, e, quantity, needs, text)                                                      \
    ROW(0, c, d, e, PHASES, reg, (quantity) | NEEDS(needs) | MODEL_BY_PHASE, text)
/* Energies: of the total, the phases, and the total's rates. */
#define ENERGY(c, quantity, needs, text)                                                           \
    ROW(0, c, 8, 0, TOTAL_PHASES_RATES, reg,                                                       \
        (quantity) | NEEDS(needs) | MODEL_WITH_TOTAL | MODEL_BY_RATE, text)
/* Channel 1: what the channel 0 of the same code is on the primary side. */
#define PRIMARY ((uint32_t)MODEL_PRIMARY | NEEDS(MODEL_RATIOS))
#define ENERGY_1(c, quantity, needs, text)                                                         \
    ROW(1, c, 8, 0, TOTAL_PHASES_RATES, reg,                                                       \
        (quantity) | NEEDS(needs) | MODEL_WITH_TOTAL | MODEL_BY_RATE | PRIMARY, text)
#define TOTAL_1(c, quantity, needs, text)                                                          \
    ROW(1, c, 7, 0, TOTAL_AND_PHASES, reg, (quantity) | NEEDS(needs) | MODEL_WITH_TOTAL | PRIMARY, \
        text)
#define PHASE_1(c, quantity, needs, text)                                                          \
    ROW(1, c, 7, 0, PHASES, reg, (quantity) | NEEDS(needs) | MODEL_BY_PHASE | PRIMARY, text)

const struct cosem_row model_rows[] = {
    DATA(0, 0, 42, 0, 0, public_data, MODEL_DEVICE_NAME, "Logical device name"),
    {.ln = LN(0, 0, 43, 1, 0),
     .class_id = 1,
     .range = {{4, 1, 4}, {0, 0, 0}},
     .rights = &public_data,
     .binding = &cosem_binding_counter,
     COSEM_ROW_NAME("Invocation counter, least acceptable, by client SAP")},
    DATA(0, 0, 96, 1, 0, public_data, MODEL_SERIAL, "Serial number"),
    OUTAGE(1, 0, 4, data, MODEL_OUTAGE_COUNT | MODEL_WITH_TOTAL, "Power failures"),
    OUTAGE(1, 5, 4, data, MODEL_OUTAGE_LONG | MODEL_WITH_TOTAL, "Long power failures"),
    OUTAGE(1, 9, 1, data, MODEL_OUTAGE_LONG_ANY, "Long power failures, any phase"),
    OUTAGE(1, 21, 1, data, MODEL_OUTAGE_COUNT_ANY, "Power failures, any phase"),
    OUTAGE(1, 129, 1, data, MODEL_OUTAGE_SHORT, "Short power failures"),
    STATUS(0, 1, RANGE_ONE(4, 1, 4), MODEL_LP1, "Load profile status"),
    STATUS(0, 5, RANGE_ONE(4, 2, 2), MODEL_DAILY, "Daily and monthly profile status"),
    LOG_DATA(11, data, MODEL_LOG_CODE, "Event code, newest"),
    DATA(0, 0, 96, 14, 0, data, MODEL_RATE, "Currently active energy tariff"),
    /* D 128 and above is the manufacturer's. */
    DATA(0, 0, 96, 128, 0, data, MODEL_AUDIT, "Audit trail, newest record"),
    /* Parts and times in 1e-6 and milliseconds, firmware/pq/pq.h; threshold 0: not watched. */
    LIMIT(129, MODEL_LIMIT_ON, "Supervision, threshold"),
    LIMIT(130, MODEL_LIMIT_HYSTERESIS, "Supervision, hysteresis"),
    LIMIT(131, MODEL_LIMIT_ON_MS, "Supervision, time to the begin"),
    LIMIT(132, MODEL_LIMIT_OFF_MS, "Supervision, time to the end"),
    LOG_DATA(133, data_set, MODEL_LOG_FILTER, "Event codes not entered"),
    {.ln = LN(0, 0, 96, 134, 0),
     .class_id = 1,
     .rights = &data_set,
     .binding = &meter_binding_null,
     COSEM_ROW_NAME("Profiles, equal cells as null-data")},
    /* Error register 1; its bits are ours, meter_errors(). */
    DATA(0, 0, 97, 97, 0, data, MODEL_ERRORS, "Error register"),
    /* Alarm register 10; its bits are ours, enum pq_kind. */
    DATA(0, 0, 97, 98, 9, data, MODEL_PRESENT, "Alarm register, supervision of the network"),
    STATUS(1, 3, RANGE_ONE(1, 1, 4), MODEL_MBUS_1, "M-Bus profile status"),
    DATA(1, 0, 0, 2, 0, data, MODEL_FIRMWARE_LEGAL, "Firmware identifier, metrology"),
    DATA(1, 0, 0, 4, 2, data_set, MODEL_RATIO_CT_NUM | NEEDS(MODEL_RATIOS),
         "Current transformer ratio, numerator"),
    DATA(1, 0, 0, 4, 3, data_set, MODEL_RATIO_VT_NUM | NEEDS(MODEL_RATIOS),
         "Voltage transformer ratio, numerator"),
    DATA(1, 0, 0, 4, 5, data_set, MODEL_RATIO_CT_DEN | NEEDS(MODEL_RATIOS),
         "Current transformer ratio, denominator"),
    DATA(1, 0, 0, 4, 6, data_set, MODEL_RATIO_VT_DEN | NEEDS(MODEL_RATIOS),
         "Voltage transformer ratio, denominator"),
    DATA(1, 1, 0, 2, 0, data, MODEL_FIRMWARE_APPLICATION, "Firmware identifier, application"),

    OUTAGE(3, 15, 4, reg, MODEL_OUTAGE_LAST | MODEL_WITH_TOTAL, "Last long power failure"),
    OUTAGE(3, 19, 1, reg, MODEL_OUTAGE_LAST_ANY, "Last long power failure, any phase"),
    OUTAGE(3, 20, 1, reg_set, MODEL_OUTAGE_LIMIT, "Long power failure, threshold"),
    OUTAGE(3, 128, 1, reg, MODEL_OUTAGE_OFF, "Time without supply, total"),
    OUTAGE(3, 130, 1, reg_set, MODEL_OUTAGE_COUNTS, "Short power failure, threshold"),
    /* Writable where the datasheet has it so. */
    REG_SET(0, 3, 0, MODEL_LED_ACTIVE, MODEL_LED_SET, "LED constant, active"),
    REG(0, 3, 0, MODEL_LED_ACTIVE | MODEL_LED_FIXED, 0, "LED constant, active"),
    REG_SET(0, 3, 1, MODEL_LED_REACTIVE, MODEL_REACTIVE | MODEL_LED_SET, "LED constant, reactive"),
    REG(0, 3, 1, MODEL_LED_REACTIVE | MODEL_LED_FIXED, MODEL_REACTIVE, "LED constant, reactive"),
    REG(0, 6, 0, MODEL_NOMINAL_U, 0, "Nominal voltage"),
    REG(0, 6, 1, MODEL_NOMINAL_I, 0, "Nominal current"),
    REG(0, 6, 2, MODEL_NOMINAL_F, 0, "Nominal frequency"),
    REG(0, 6, 3, MODEL_MAXIMUM_I, 0, "Maximum current"),
    {.ln = LN(1, 0, 0, 9, 11),
     .class_id = 3,
     .rights = &reg_set,
     .binding = &meter_binding_shift,
     COSEM_ROW_NAME("Clock, shift limit")},
    REG_SET(0, 10, 0, MODEL_LOSS_XM, MODEL_LOSSES, "Transformer magnetising reactance Xm"),
    REG_SET(0, 10, 1, MODEL_LOSS_RFE, MODEL_LOSSES, "Transformer iron losses resistance RFe"),
    REG_SET(0, 10, 2, MODEL_LOSS_RCU, MODEL_LOSSES, "Line resistance RCu"),
    REG_SET(0, 10, 3, MODEL_LOSS_XS, MODEL_LOSSES, "Line reactance Xs"),
    TOTAL(1, 7, 0, MODEL_P_IMPORT, 0, "Active power import (+P)"),
    ENERGY(1, MODEL_A_IMPORT, 0, "Active energy import (+A)"),
    REG(1, 15, 0, MODEL_P_IMPORT_DAY, MODEL_AVERAGES, "Active power import, last average 2 (day)"),
    REG(1, 25, 0, MODEL_P_IMPORT_MONTH, MODEL_AVERAGES,
        "Active power import, last average 3 (month)"),
    REG(1, 29, 0, MODEL_A_IMPORT_INTERVAL, 0, "Active energy import (+A), recording interval"),
    TOTAL(2, 7, 0, MODEL_P_EXPORT, MODEL_EXPORT, "Active power export (-P)"),
    ENERGY(2, MODEL_A_EXPORT, MODEL_EXPORT, "Active energy export (-A)"),
    REG(2, 15, 0, MODEL_P_EXPORT_DAY, MODEL_AVERAGES | MODEL_EXPORT,
        "Active power export, last average 2 (day)"),
    REG(2, 25, 0, MODEL_P_EXPORT_MONTH, MODEL_AVERAGES | MODEL_EXPORT,
        "Active power export, last average 3 (month)"),
    REG(2, 29, 0, MODEL_A_EXPORT_INTERVAL, MODEL_EXPORT,
        "Active energy export (-A), recording interval"),
    TOTAL(3, 7, 0, MODEL_Q_IMPORT, MODEL_REACTIVE, "Reactive power import (+Q)"),
    ENERGY(3, MODEL_R_IMPORT, MODEL_REACTIVE, "Reactive energy import (+R)"),
    TOTAL(4, 7, 0, MODEL_Q_EXPORT, MODEL_REACTIVE, "Reactive power export (-Q)"),
    ENERGY(4, MODEL_R_EXPORT, MODEL_REACTIVE, "Reactive energy export (-R)"),
    TOTAL(5, 7, 0, MODEL_Q_QI, MODEL_QUADRANTS, "Reactive power QI"),
    ENERGY(5, MODEL_R_QI, MODEL_QUADRANTS, "Reactive energy QI"),
    TOTAL(6, 7, 0, MODEL_Q_QII, MODEL_QUADRANTS, "Reactive power QII"),
    ENERGY(6, MODEL_R_QII, MODEL_QUADRANTS, "Reactive energy QII"),
    TOTAL(7, 7, 0, MODEL_Q_QIII, MODEL_QUADRANTS, "Reactive power QIII"),
    ENERGY(7, MODEL_R_QIII, MODEL_QUADRANTS, "Reactive energy QIII"),
    TOTAL(8, 7, 0, MODEL_Q_QIV, MODEL_QUADRANTS, "Reactive power QIV"),
    ENERGY(8, MODEL_R_QIV, MODEL_QUADRANTS, "Reactive energy QIV"),
    TOTAL(9, 7, 0, MODEL_S_IMPORT_NOW, MODEL_APPARENT, "Apparent power import (+S)"),
    ENERGY(9, MODEL_S_IMPORT, 0, "Apparent energy import (+S)"),
    TOTAL(10, 7, 0, MODEL_S_EXPORT_NOW, MODEL_APPARENT | MODEL_EXPORT,
          "Apparent power export (-S)"),
    ENERGY(10, MODEL_S_EXPORT, MODEL_EXPORT, "Apparent energy export (-S)"),
    TOTAL(13, 7, 0, MODEL_POWER_FACTOR, 0, "Power factor"),
    REG(14, 7, 0, MODEL_FREQUENCY, 0, "Frequency"),
    TOTAL(15, 7, 0, MODEL_P_ABSOLUTE, MODEL_ABSOLUTE, "Active power |+P| + |-P|"),
    ENERGY(15, MODEL_A_ABSOLUTE, MODEL_ABSOLUTE, "Active energy |+A| + |-A|"),
    REG(16, 7, 0, MODEL_P_NET, 0, "Active power, net (+P - -P)"),
    ENERGY(16, MODEL_A_NET, MODEL_EXPORT, "Active energy, net (+A - -A)"),
    PHASE(31, 7, 0, MODEL_CURRENT, 0, "Current"),
    PHASE(31, 7, 124, MODEL_THD_I, MODEL_THD, "Current, total harmonic distortion"),
    PHASE(31, 15, 0, MODEL_I_DAY, MODEL_AVERAGES, "Current, last average 2 (day)"),
    PHASE(31, 25, 0, MODEL_I_MONTH, MODEL_AVERAGES, "Current, last average 3 (month)"),
    PHASE(32, 7, 0, MODEL_VOLTAGE, 0, "Voltage"),
    PHASE(32, 7, 124, MODEL_THD_U, MODEL_THD, "Voltage, total harmonic distortion"),
    PHASE(32, 15, 0, MODEL_U_DAY, MODEL_AVERAGES, "Voltage, last average 2 (day)"),
    PHASE(32, 25, 0, MODEL_U_MONTH, MODEL_AVERAGES, "Voltage, last average 3 (month)"),
    {.ln = LN(1, 0, 81, 7, 0),
     .class_id = 3,
     .range = {{4, 1, 3}, {0, 0, 0}},
     .rights = &reg,
     .binding = &meter_binding_register,
     .arg = MODEL_ANGLE_U | NEEDS(MODEL_ANGLES) | MODEL_BY_PHASE,
     COSEM_ROW_NAME("Angle of U against U(L1)")},
    {.ln = LN(1, 0, 81, 7, 4),
     .class_id = 3,
     .range = {{4, 11, 3}, {0, 0, 0}}, /* 4, 15, 26: I(Li) with U(Li) */
     .rights = &reg,
     .binding = &meter_binding_register,
     .arg = MODEL_ANGLE_UI | NEEDS(MODEL_ANGLES) | MODEL_BY_PHASE,
     COSEM_ROW_NAME("Angle of I against U of its phase")},
    /* Blue Book, losses: E 1..9 active, 10..18 reactive, 19 and 20 what they come from. */
    ROW(0, 83, 8, 1, RANGE_ONE(4, 1, 9), reg, MODEL_LOSS_ACTIVE | NEEDS(MODEL_LOSSES),
        "Active losses of transformer and line"),
    ROW(0, 83, 8, 10, RANGE_ONE(4, 1, 9), reg, MODEL_LOSS_REACTIVE | NEEDS(MODEL_LOSSES),
        "Reactive losses of transformer and line"),
    REG(83, 8, 19, MODEL_U2H, MODEL_LOSSES, "Normalised transformer losses (U2h)"),
    REG(83, 8, 20, MODEL_I2H, MODEL_LOSSES, "Normalised line losses (I2h)"),
    REG(91, 7, 0, MODEL_CURRENT_NEUTRAL, MODEL_NEUTRAL, "Current in the neutral"),
    /* C 128..199 is the manufacturer's: the list has no codes for these. */
    ENERGY(130, MODEL_R_ABSOLUTE, MODEL_REACTIVE | MODEL_ABSOLUTE, "Reactive energy |+R| + |-R|"),
    REG(131, 7, 0, MODEL_UNBALANCE_U, MODEL_UNBALANCE, "Voltage unbalance u2"),
    REG(132, 7, 0, MODEL_UNBALANCE_I, MODEL_UNBALANCE, "Current unbalance i2"),
    REG(133, 7, 0, MODEL_CURRENT_DIFFERENTIAL, MODEL_DIFFERENTIAL,
        "Difference of phase and neutral currents"),
    ROW(0, 134, 7, 0, NO_RANGE, reg,
        MODEL_CURRENT_COMPUTED | NEEDS(MODEL_NEUTRAL) | MODEL_THREE_PHASE,
        "Current in the neutral, computed"),
    TOTAL(135, 7, 0, MODEL_Q_FRYZE, MODEL_APPARENT, "Reactive power, sqrt(S2 - P2)"),
    REG(136, 7, 0, MODEL_S_VECTOR, MODEL_APPARENT, "Apparent power, vector sum"),
    ROW(0, 137, 7, 0, RANGE_ONE(4, 1, 3), reg, MODEL_SEQUENCE_U | NEEDS(MODEL_UNBALANCE),
        "Symmetrical voltage"),
    ROW(0, 138, 7, 0, RANGE_ONE(4, 1, 3), reg, MODEL_SEQUENCE_I | NEEDS(MODEL_UNBALANCE),
        "Symmetrical current"),

    TOTAL_1(1, MODEL_P_IMPORT, 0, "Active power import (+P)"),
    ENERGY_1(1, MODEL_A_IMPORT, 0, "Active energy import (+A)"),
    TOTAL_1(2, MODEL_P_EXPORT, MODEL_EXPORT, "Active power export (-P)"),
    ENERGY_1(2, MODEL_A_EXPORT, MODEL_EXPORT, "Active energy export (-A)"),
    TOTAL_1(3, MODEL_Q_IMPORT, MODEL_REACTIVE, "Reactive power import (+Q)"),
    ENERGY_1(3, MODEL_R_IMPORT, MODEL_REACTIVE, "Reactive energy import (+R)"),
    TOTAL_1(4, MODEL_Q_EXPORT, MODEL_REACTIVE, "Reactive power export (-Q)"),
    ENERGY_1(4, MODEL_R_EXPORT, MODEL_REACTIVE, "Reactive energy export (-R)"),
    ENERGY_1(5, MODEL_R_QI, MODEL_QUADRANTS, "Reactive energy QI"),
    ENERGY_1(6, MODEL_R_QII, MODEL_QUADRANTS, "Reactive energy QII"),
    ENERGY_1(7, MODEL_R_QIII, MODEL_QUADRANTS, "Reactive energy QIII"),
    ENERGY_1(8, MODEL_R_QIV, MODEL_QUADRANTS, "Reactive energy QIV"),
    ENERGY_1(9, MODEL_S_IMPORT, 0, "Apparent energy import (+S)"),
    ENERGY_1(10, MODEL_S_EXPORT, MODEL_EXPORT, "Apparent energy export (-S)"),
    ENERGY_1(15, MODEL_A_ABSOLUTE, MODEL_ABSOLUTE, "Active energy |+A| + |-A|"),
    ENERGY_1(16, MODEL_A_NET, MODEL_EXPORT, "Active energy, net (+A - -A)"),
    PHASE_1(31, MODEL_CURRENT, 0, "Current"),
    PHASE_1(32, MODEL_VOLTAGE, 0, "Voltage"),
    ENERGY_1(130, MODEL_R_ABSOLUTE, MODEL_REACTIVE | MODEL_ABSOLUTE, "Reactive energy |+R| + |-R|"),

    {.ln = LN(1, 0, 1, 6, 0),
     .class_id = 4,
     .rights = &max_demand,
     .binding = &meter_binding_max_demand,
     COSEM_ROW_NAME("Maximum demand, active import")},
    {.ln = LN(1, 0, 1, 4, 0),
     .class_id = 5,
     .rights = &demand,
     .binding = &meter_binding_demand,
     COSEM_ROW_NAME("Demand, active import")},
    PROFILE(0, 0, 98, 1, 0, NO_RANGE, MODEL_MONTHLY, "Monthly profile"),
    LOG_LIST(LN(0, 0, 99, 98, 0), MODEL_LOG_CODES, MODEL_LOG, "Event log"),
    /* An event log's code with E in the manufacturer's range. */
    {.ln = LN(0, 0, 99, 98, 128),
     .class_id = 7,
     .version = 1,
     .rights = &audit,
     .binding = &meter_binding_audit,
     COSEM_ROW_NAME("Audit trail")},
    PROFILE(0, 1, 24, 3, 0, RANGE_ONE(1, 1, 4), MODEL_MBUS_1, "M-Bus profile"),
    PROFILE(1, 0, 98, 2, 0, NO_RANGE, MODEL_DAILY, "Daily profile"),
    PROFILE(1, 0, 99, 1, 0, NO_RANGE, MODEL_LP1, "Load profile 1"),
    PROFILE(1, 0, 99, 1, 1, NO_RANGE, MODEL_LP3, "Load profile 3"),
    PROFILE(1, 0, 99, 1, 2, NO_RANGE, MODEL_LP4, "Load profile 4"),
    PROFILE(1, 0, 99, 2, 0, NO_RANGE, MODEL_LP2, "Load profile 2"),
    LOG_LIST(LN(1, 0, 99, 97, 0), 1, MODEL_LOG_FAILURES, "Power failure log"),
    {.ln = LN(0, 0, 1, 0, 0),
     .class_id = 8,
     .rights = &clock_rights,
     .binding = &meter_binding_clock,
     COSEM_ROW_NAME("Clock")},
    {.ln = LN(0, 0, 10, 0, 100),
     .class_id = 9,
     .rights = &scripts,
     .binding = &meter_binding_tariff,
     COSEM_ROW_NAME("Tariffication script table")},
    {.ln = LN(0, 0, 40, 0, 0),
     .class_id = 15,
     .version = 1,
     .range = {{4, 1, 1 + MODEL_N_CLIENTS}, {0, 0, 0}}, /* 0 is the present one */
     .rights = &association,
     .binding = &cosem_binding_association,
     COSEM_ROW_NAME("Association")},
    {.ln = LN(0, 0, 41, 0, 0),
     .class_id = 17,
     .rights = &sap_list,
     .binding = &cosem_binding_sap,
     COSEM_ROW_NAME("SAP assignment")},
    {.ln = LN(0, 0, 43, 0, 0),
     .class_id = 64,
     .rights = &security,
     .binding = &cosem_binding_security,
     COSEM_ROW_NAME("Security setup")},
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

static bool is_energy(uint32_t arg)
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
    uint32_t arg = o->row->arg;
    if ((arg & MODEL_OF_PROFILE) != 0)
        return m->profile[MODEL_PROFILE_OF(o)].n_values > 0;
    if ((MODEL_FEATURES(arg) & ~features) != 0 || lacks_log(m, o))
        return false;
    if ((arg & MODEL_LED_FIXED) != 0 && (features & MODEL_LED_SET) != 0)
        return false;
    if ((arg & MODEL_THREE_PHASE) != 0 && (m->n_phases == 1 || m->is_3wire))
        return false;
    if ((arg & MODEL_BY_PHASE) != 0) /* two elements: U12 and U32 as L1 and L3 */
        return o->i < m->n_phases && !(m->is_3wire && o->i == 1);
    if ((arg & MODEL_BY_RATE) != 0 && o->j > 0)
        return o->j <= m->n_rates && o->i == 0;
    if (!MODEL_HAS_TOTAL(arg) || o->i == 0)
        return true;
    if (m->n_phases == 1 || (m->is_3wire && o->i == 2)) /* the total is the phase */
        return false;
    return !is_energy(arg) || (features & MODEL_PHASE_ENERGY) != 0;
}
