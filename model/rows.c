/* The table of objects.h: rights and kinds, and with them the rows of objects.def.
 *
 * Compiled with MODEL_HAS for one model, the rows that it lacks are left out (rows.h). */
#include "model/rows.h"

#include "lib/cosem/server.h"
#include "model/events.h"

#if MODEL_ONLY && (MODEL_HAS & MODEL_LACKS)
#error "a build for one model says MODEL_HAS"
#endif

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

/* Of a kind that no row of this build has, nothing is left. */
#define KIND(name, class_, version_, binding_, rights_, ...)                                       \
    __attribute__((unused)) static const struct cosem_kind name = {.class_id = class_,             \
                                                                   .version = version_,            \
                                                                   .binding = &(binding_),         \
                                                                   .rights = &(rights_),           \
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

/* A row that needs a function is there where the build can have it, rows.h. */
#define ROW(kind_, a, b, c, d, e, quantity, needs_, text)                                          \
    WITH_##needs_({LN(a, b, c, d, e), (uint16_t)((quantity) | NEEDS(needs_)), &(kind_),            \
                   COSEM_ROW_NAME(text)}, )
#define OUTAGE(kind, e, quantity, text)          ROW(kind, 0, 0, 96, 7, e, quantity, ALWAYS, text)
#define LIMIT(d, quantity, text)                 ROW(limit, 0, 0, 96, d, 0, quantity, ALWAYS, text)
#define REG(c, d, e, quantity, needs_, text)     ROW(reg, 1, 0, c, d, e, quantity, needs_, text)
#define REG_SET(c, d, e, quantity, needs_, text) ROW(reg_set, 1, 0, c, d, e, quantity, needs_, text)
#define TOTAL(c, d, e, quantity, needs_, text)   ROW(total, 1, 0, c, d, e, quantity, needs_, text)
#define PHASE(c, d, e, quantity, needs_, text)   ROW(phase, 1, 0, c, d, e, quantity, needs_, text)
/* Energies: of the total, the phases, and the total's rates. */
#define ENERGY(c, quantity, needs_, text) ROW(energy, 1, 0, c, 8, 0, quantity, needs_, text)
/* Channel 1: what the channel 0 of the same code is on the primary side. */
#define ENERGY_1(c, quantity, needs_, text)                                                        \
    WITH_RATIOS(ROW(energy_1, 1, 1, c, 8, 0, quantity, needs_, text))
#define TOTAL_1(c, quantity, needs_, text)                                                         \
    WITH_RATIOS(ROW(total_1, 1, 1, c, 7, 0, quantity, needs_, text))
#define PHASE_1(c, quantity, needs_, text)                                                         \
    WITH_RATIOS(ROW(phase_1, 1, 1, c, 7, 0, quantity, needs_, text))

const struct cosem_row model_rows[] = {
#include "model/objects.def"
};
const size_t model_n_rows = sizeof model_rows / sizeof model_rows[0];
