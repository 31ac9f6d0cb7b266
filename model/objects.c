/* The rows of objects.h, sorted by class and logical name. */
#include "model/objects.h"

#include "lib/cosem/server.h"

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
static const struct cosem_rights max_demand = {.read = NOT_PUBLIC(5), .invoke = MANAGER(ATTR(1))};
static const struct cosem_rights demand = {
    .read = NOT_PUBLIC(9), .write = MANAGER(ATTR(8)), .invoke = MANAGER(ATTRS(1, 2))};
static const struct cosem_rights profile = {
    .read = NOT_PUBLIC(8), .write = MANAGER(ATTR(4)), .invoke = MANAGER(ATTRS(1, 2))};
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
/* C of the total, +20, +40, +60 for L1, L2, L3 (IEC 62056-6-1). */
#define TOTAL_AND_PHASES                                                                           \
    {                                                                                              \
        {2, 20, 4},                                                                                \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }
#define PHASES                                                                                     \
    {                                                                                              \
        {2, 20, 3},                                                                                \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

#define DATA(a, b, c, d, e, rights_, quantity, text)                                               \
    {                                                                                              \
        LN(a, b, c, d, e), 1, 0, NO_RANGE, &(rights_), &meter_binding_data, quantity, text         \
    }
#define REG(c, d, e, quantity, needs, text)                                                        \
    {                                                                                              \
        LN(1, 0, c, d, e), 3, 0, NO_RANGE, &reg, &meter_binding_register,                          \
            (quantity) | NEEDS(needs), text                                                        \
    }
#define TOTAL(c, d, e, quantity, needs, text)                                                      \
    {                                                                                              \
        LN(1, 0, c, d, e), 3, 0, TOTAL_AND_PHASES, &reg, &meter_binding_register,                  \
            (quantity) | NEEDS(needs) | MODEL_WITH_TOTAL, text                                     \
    }
#define PHASE(c, d, e, quantity, needs, text)                                                      \
    {                                                                                              \
        LN(1, 0, c, d, e), 3, 0, PHASES, &reg, &meter_binding_register,                            \
            (quantity) | NEEDS(needs) | MODEL_BY_PHASE, text                                       \
    }

const struct cosem_row model_rows[] = {
    DATA(0, 0, 42, 0, 0, public_data, MODEL_DEVICE_NAME, "Logical device name"),
    {.ln = LN(0, 0, 43, 1, 0),
     .class_id = 1,
     .range = {{4, 1, 4}, {0, 0, 0}},
     .rights = &public_data,
     .binding = &cosem_binding_counter,
     .name = "Invocation counter, least acceptable, by client SAP"},
    DATA(0, 0, 96, 1, 0, public_data, MODEL_SERIAL, "Serial number"),
    DATA(0, 0, 96, 10, 1, data, MODEL_PROFILE_STATUS, "Load profile 1 status"),
    DATA(1, 0, 0, 2, 0, data, MODEL_FIRMWARE_LEGAL, "Firmware identifier, metrology"),
    DATA(1, 1, 0, 2, 0, data, MODEL_FIRMWARE_APPLICATION, "Firmware identifier, application"),

    REG(0, 3, 0, MODEL_LED_ACTIVE, 0, "LED constant, active"),
    REG(0, 3, 1, MODEL_LED_REACTIVE, MODEL_REACTIVE, "LED constant, reactive"),
    REG(0, 6, 0, MODEL_NOMINAL_U, 0, "Nominal voltage"),
    REG(0, 6, 1, MODEL_NOMINAL_I, 0, "Nominal current"),
    REG(0, 6, 2, MODEL_NOMINAL_F, 0, "Nominal frequency"),
    REG(0, 6, 3, MODEL_MAXIMUM_I, 0, "Maximum current"),
    TOTAL(1, 7, 0, MODEL_P_IMPORT, 0, "Active power import (+P)"),
    TOTAL(1, 8, 0, MODEL_A_IMPORT, 0, "Active energy import (+A)"),
    REG(1, 29, 0, MODEL_A_IMPORT_INTERVAL, 0, "Active energy import (+A), recording interval"),
    TOTAL(2, 7, 0, MODEL_P_EXPORT, MODEL_EXPORT, "Active power export (-P)"),
    TOTAL(2, 8, 0, MODEL_A_EXPORT, MODEL_EXPORT, "Active energy export (-A)"),
    REG(2, 29, 0, MODEL_A_EXPORT_INTERVAL, MODEL_EXPORT,
        "Active energy export (-A), recording interval"),
    TOTAL(3, 7, 0, MODEL_Q_IMPORT, MODEL_REACTIVE, "Reactive power import (+Q)"),
    TOTAL(3, 8, 0, MODEL_R_IMPORT, MODEL_REACTIVE, "Reactive energy import (+R)"),
    TOTAL(4, 7, 0, MODEL_Q_EXPORT, MODEL_REACTIVE, "Reactive power export (-Q)"),
    TOTAL(4, 8, 0, MODEL_R_EXPORT, MODEL_REACTIVE, "Reactive energy export (-R)"),
    TOTAL(5, 7, 0, MODEL_Q_QI, MODEL_QUADRANTS, "Reactive power QI"),
    TOTAL(5, 8, 0, MODEL_R_QI, MODEL_QUADRANTS, "Reactive energy QI"),
    TOTAL(6, 7, 0, MODEL_Q_QII, MODEL_QUADRANTS, "Reactive power QII"),
    TOTAL(6, 8, 0, MODEL_R_QII, MODEL_QUADRANTS, "Reactive energy QII"),
    TOTAL(7, 7, 0, MODEL_Q_QIII, MODEL_QUADRANTS, "Reactive power QIII"),
    TOTAL(7, 8, 0, MODEL_R_QIII, MODEL_QUADRANTS, "Reactive energy QIII"),
    TOTAL(8, 7, 0, MODEL_Q_QIV, MODEL_QUADRANTS, "Reactive power QIV"),
    TOTAL(8, 8, 0, MODEL_R_QIV, MODEL_QUADRANTS, "Reactive energy QIV"),
    TOTAL(9, 7, 0, MODEL_S_IMPORT_NOW, MODEL_APPARENT, "Apparent power import (+S)"),
    TOTAL(9, 8, 0, MODEL_S_IMPORT, 0, "Apparent energy import (+S)"),
    TOTAL(10, 7, 0, MODEL_S_EXPORT_NOW, MODEL_APPARENT | MODEL_EXPORT,
          "Apparent power export (-S)"),
    TOTAL(10, 8, 0, MODEL_S_EXPORT, MODEL_EXPORT, "Apparent energy export (-S)"),
    TOTAL(13, 7, 0, MODEL_POWER_FACTOR, 0, "Power factor"),
    REG(14, 7, 0, MODEL_FREQUENCY, 0, "Frequency"),
    TOTAL(15, 7, 0, MODEL_P_ABSOLUTE, MODEL_ABSOLUTE, "Active power |+P| + |-P|"),
    TOTAL(15, 8, 0, MODEL_A_ABSOLUTE, MODEL_ABSOLUTE, "Active energy |+A| + |-A|"),
    REG(16, 7, 0, MODEL_P_NET, 0, "Active power, net (+P - -P)"),
    PHASE(31, 7, 0, MODEL_CURRENT, 0, "Current"),
    PHASE(31, 7, 124, MODEL_THD_I, MODEL_THD, "Current, total harmonic distortion"),
    PHASE(32, 7, 0, MODEL_VOLTAGE, 0, "Voltage"),
    PHASE(32, 7, 124, MODEL_THD_U, MODEL_THD, "Voltage, total harmonic distortion"),
    {.ln = LN(1, 0, 81, 7, 0),
     .class_id = 3,
     .range = {{4, 1, 3}, {0, 0, 0}},
     .rights = &reg,
     .binding = &meter_binding_register,
     .arg = MODEL_ANGLE_U | NEEDS(MODEL_ANGLES) | MODEL_BY_PHASE,
     .name = "Angle of U against U(L1)"},
    {.ln = LN(1, 0, 81, 7, 4),
     .class_id = 3,
     .range = {{4, 11, 3}, {0, 0, 0}}, /* 4, 15, 26: I(Li) with U(Li) */
     .rights = &reg,
     .binding = &meter_binding_register,
     .arg = MODEL_ANGLE_UI | NEEDS(MODEL_ANGLES) | MODEL_BY_PHASE,
     .name = "Angle of I against U of its phase"},
    REG(91, 7, 0, MODEL_CURRENT_NEUTRAL, MODEL_NEUTRAL, "Current in the neutral"),
    /* C 128..199 is the manufacturer's: the list has no code for both reactive directions. */
    TOTAL(130, 8, 0, MODEL_R_ABSOLUTE, MODEL_REACTIVE | MODEL_ABSOLUTE,
          "Reactive energy |+R| + |-R|"),

    {.ln = LN(1, 0, 1, 6, 0),
     .class_id = 4,
     .rights = &max_demand,
     .binding = &meter_binding_max_demand,
     .name = "Maximum demand, active import"},
    {.ln = LN(1, 0, 1, 4, 0),
     .class_id = 5,
     .rights = &demand,
     .binding = &meter_binding_demand,
     .name = "Demand, active import"},
    {.ln = LN(1, 0, 99, 1, 0),
     .class_id = 7,
     .version = 1,
     .rights = &profile,
     .binding = &meter_binding_profile,
     .name = "Load profile 1"},
    {.ln = LN(0, 0, 1, 0, 0),
     .class_id = 8,
     .rights = &clock_rights,
     .binding = &meter_binding_clock,
     .name = "Clock"},
    {.ln = LN(0, 0, 40, 0, 0),
     .class_id = 15,
     .version = 1,
     .range = {{4, 1, 1 + MODEL_N_CLIENTS}, {0, 0, 0}}, /* 0 is the present one */
     .rights = &association,
     .binding = &cosem_binding_association,
     .name = "Association"},
    {.ln = LN(0, 0, 41, 0, 0),
     .class_id = 17,
     .rights = &sap_list,
     .binding = &cosem_binding_sap,
     .name = "SAP assignment"},
    {.ln = LN(0, 0, 43, 0, 0),
     .class_id = 64,
     .rights = &security,
     .binding = &cosem_binding_security,
     .name = "Security setup"},
};
const size_t model_n_rows = sizeof model_rows / sizeof model_rows[0];

const uint8_t model_ln_clock[6] = LN(0, 0, 1, 0, 0);
const uint8_t model_ln_profile_status[6] = LN(0, 0, 96, 10, 1);

static bool is_energy(uint32_t arg)
{
    return MODEL_QUANTITY(arg) >= MODEL_A_IMPORT && MODEL_QUANTITY(arg) < MODEL_N_ENERGIES_END;
}

bool model_present(const struct model_meter *m, uint32_t features, const struct cosem_ref *o)
{
    uint32_t arg = o->row->arg;
    if ((MODEL_FEATURES(arg) & ~features) != 0)
        return false;
    if ((arg & MODEL_BY_PHASE) != 0)
        return o->i < m->n_phases;
    if (!MODEL_HAS_TOTAL(arg) || o->i == 0)
        return true;
    if (m->n_phases == 1) /* the total is the phase */
        return false;
    return !is_energy(arg) || (features & MODEL_PHASE_ENERGY) != 0;
}
