/* Which legal registers make up a shown one. */
#include "firmware/meter/meter_energy.h"

#define OF(e) (1u << (e))

/* Sets of legal registers; what is in none of them is no energy. */
static const uint8_t terms[MODEL_N_ENERGIES_END] = {
    [MODEL_A_IMPORT] = OF(LEGAL_A_IMPORT),
    [MODEL_A_EXPORT] = OF(LEGAL_A_EXPORT),
    [MODEL_R_IMPORT] = OF(LEGAL_R_QI) | OF(LEGAL_R_QII),
    [MODEL_R_EXPORT] = OF(LEGAL_R_QIII) | OF(LEGAL_R_QIV),
    [MODEL_R_QI] = OF(LEGAL_R_QI),
    [MODEL_R_QII] = OF(LEGAL_R_QII),
    [MODEL_R_QIII] = OF(LEGAL_R_QIII),
    [MODEL_R_QIV] = OF(LEGAL_R_QIV),
    [MODEL_S_IMPORT] = OF(LEGAL_S_IMPORT),
    [MODEL_S_EXPORT] = OF(LEGAL_S_EXPORT),
    [MODEL_A_ABSOLUTE] = OF(LEGAL_A_IMPORT) | OF(LEGAL_A_EXPORT),
    [MODEL_R_ABSOLUTE] = OF(LEGAL_R_QI) | OF(LEGAL_R_QII) | OF(LEGAL_R_QIII) | OF(LEGAL_R_QIV),
};
_Static_assert(LEGAL_N_ENERGIES <= 8, "a set of registers is one octet");

uint64_t meter_energy(const struct model_meter *m, const struct legal_energies *e,
                      enum model_quantity q, uint8_t phase)
{
    const uint64_t *of = phase == 0 ? e->total : e->phase[phase - 1];
    uint64_t sum = 0, unit = LEGAL_ENERGY_PER_WH;
    for (size_t i = 0; i < LEGAL_N_ENERGIES; i++)
        sum += (terms[q] >> i & 1u) != 0 ? of[i] : 0;
    for (int8_t s = m->energy_scaler; s < 0; s++)
        unit /= 10;
    return sum / unit;
}
