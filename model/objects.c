/* See objects.h. */
#include "model/objects.h"

#include "model/events.h"
#include "model/rows.h"

#include <string.h>

const uint8_t model_ln_clock[6] = LN(0, 0, 1, 0, 0);
const uint8_t model_ln_outage[6] = LN(0, 0, 96, 7, 19);

/* Each by itself: an image has no use for the first. */
static const uint8_t profile_ln[MODEL_N_PROFILES][6] = {
    [MODEL_LP1] = LN(1, 0, 99, 1, 0),    [MODEL_LP2] = LN(1, 0, 99, 2, 0),
    [MODEL_LP3] = LN(1, 0, 99, 1, 1),    [MODEL_LP4] = LN(1, 0, 99, 1, 2),
    [MODEL_MBUS_1] = LN(0, 1, 24, 3, 0), [MODEL_MBUS_2] = LN(0, 2, 24, 3, 0),
    [MODEL_MBUS_3] = LN(0, 3, 24, 3, 0), [MODEL_MBUS_4] = LN(0, 4, 24, 3, 0),
    [MODEL_DAILY] = LN(1, 0, 98, 2, 0),  [MODEL_MONTHLY] = LN(0, 0, 98, 1, 0),
};
static const uint8_t status_ln[MODEL_N_PROFILES][6] = {
    [MODEL_LP1] = LN(0, 0, 96, 10, 1),    [MODEL_LP2] = LN(0, 0, 96, 10, 2),
    [MODEL_LP3] = LN(0, 0, 96, 10, 3),    [MODEL_LP4] = LN(0, 0, 96, 10, 4),
    [MODEL_MBUS_1] = LN(0, 1, 96, 10, 3), [MODEL_MBUS_2] = LN(0, 2, 96, 10, 3),
    [MODEL_MBUS_3] = LN(0, 3, 96, 10, 3), [MODEL_MBUS_4] = LN(0, 4, 96, 10, 3),
    [MODEL_DAILY] = LN(0, 0, 96, 10, 5),  [MODEL_MONTHLY] = LN(0, 0, 96, 10, 7),
};

void model_profile_ln(enum model_profile_id id, uint8_t ln[6])
{
    memcpy(ln, profile_ln[id], 6);
}

void model_profile_status_ln(enum model_profile_id id, uint8_t ln[6])
{
    memcpy(ln, status_ln[id], 6);
}

/* Primary values need the ratios beside what their row says. */
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
_Static_assert(sizeof needs / sizeof *needs == N_NEEDS, "every number stands for functions");

/* Functions that the object needs are lacking, or one that it makes up for is there. */
static bool lacks_function(uint32_t features, const struct cosem_ref *o)
{
    const uint16_t arg = o->row->arg;
    if ((needs[arg >> 8 & 0x3Fu] & ~features) != 0)
        return true;
    if ((o->row->kind->flags & MODEL_PRIMARY) != 0 && (features & MODEL_RATIOS) == 0)
        return true;
    return (arg & MODEL_LED_FIXED) != 0 && (features & MODEL_LED_SET) != 0;
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
    if (lacks_log(m, o))
        return false;
    if (!MODEL_ONLY && lacks_function(features, o)) /* else there is no such row, rows.h */
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
