/* Which legal registers make up a shown one. */
#include "firmware/meter/meter_energy.h"

/* Two terms; the second equal to the first means there is only one. */
static const uint8_t terms[MODEL_N_ENERGIES_END][2] = {
    [MODEL_A_IMPORT] = {LEGAL_A_IMPORT, LEGAL_A_IMPORT},
    [MODEL_A_EXPORT] = {LEGAL_A_EXPORT, LEGAL_A_EXPORT},
    [MODEL_R_IMPORT] = {LEGAL_R_QI, LEGAL_R_QII},
    [MODEL_R_EXPORT] = {LEGAL_R_QIII, LEGAL_R_QIV},
    [MODEL_R_QI] = {LEGAL_R_QI, LEGAL_R_QI},
    [MODEL_R_QII] = {LEGAL_R_QII, LEGAL_R_QII},
    [MODEL_R_QIII] = {LEGAL_R_QIII, LEGAL_R_QIII},
    [MODEL_R_QIV] = {LEGAL_R_QIV, LEGAL_R_QIV},
    [MODEL_S_IMPORT] = {LEGAL_S_IMPORT, LEGAL_S_IMPORT},
    [MODEL_S_EXPORT] = {LEGAL_S_EXPORT, LEGAL_S_EXPORT},
    [MODEL_A_ABSOLUTE] = {LEGAL_A_IMPORT, LEGAL_A_EXPORT},
};

uint64_t meter_energy(const struct model_meter *m, const struct legal_energies *e,
                      enum model_quantity q, uint8_t phase)
{
    const uint64_t *of = phase == 0 ? e->total : e->phase[phase - 1];
    uint64_t sum = of[terms[q][0]];
    if (terms[q][1] != terms[q][0])
        sum += of[terms[q][1]];
    uint64_t unit = LEGAL_ENERGY_PER_WH;
    for (int8_t s = m->energy_scaler; s < 0; s++)
        unit /= 10;
    return sum / unit;
}
