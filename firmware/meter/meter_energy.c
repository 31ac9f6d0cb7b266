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
    [MODEL_A_NET] = OF(LEGAL_A_IMPORT), /* less export */
};
_Static_assert(LEGAL_N_ENERGIES <= 8, "a set of registers is one octet");

static uint64_t unit_of(const struct model_meter *m)
{
    uint64_t unit = LEGAL_ENERGY_PER_WH;
    for (int8_t s = model_row(m)->energy_scaler; s < 0; s++)
        unit /= 10;
    return unit;
}

uint64_t meter_energy_modulus(const struct model_meter *m)
{
    m = model_row(m);
    uint64_t modulus = 1;
    for (int n = m->kwh_digits + 3 - m->energy_scaler; n > 0; n--)
        modulus *= 10;
    return modulus;
}

static const uint64_t *registers(const struct legal_energies *e, struct meter_register w)
{
    if (w.rate > 0)
        return e->rate[w.rate - 1];
    return w.phase > 0 ? e->phase[w.phase - 1] : e->total;
}

static uint64_t sum_of(const uint64_t *registers_of, unsigned set)
{
    uint64_t sum = 0;
    for (; set != 0; set >>= 1, registers_of++)
        sum += (set & 1u) != 0 ? *registers_of : 0;
    return sum;
}

/* Legal units; *negative for a net export. */
static uint64_t legal_units(const struct legal_energies *e, struct meter_register w, bool *negative)
{
    const uint64_t *of = registers(e, w);
    const uint64_t sum = sum_of(of, terms[w.q]);
    *negative = w.q == MODEL_A_NET && sum < of[LEGAL_A_EXPORT];
    if (w.q != MODEL_A_NET)
        return sum;
    return *negative ? of[LEGAL_A_EXPORT] - sum : sum - of[LEGAL_A_EXPORT];
}

int64_t meter_energy_shown(const struct model_meter *m, const struct legal_energies *e,
                           struct meter_register which)
{
    static const struct meter_ratio none = {{1, 1, 1, 1}};
    return meter_energy_primary(m, e, which, &none);
}

int64_t meter_energy_primary(const struct model_meter *m, const struct legal_energies *e,
                             struct meter_register which, const struct meter_ratio *ratio)
{
    bool negative;
    const uint64_t units = legal_units(e, which, &negative);
    const uint64_t n = (model_row(m)->features & MODEL_RATIOS) != 0
                           ? meter_ratio_power(ratio, units, unit_of(m))
                           : units / unit_of(m);
    const int64_t shown = (int64_t)(n % meter_energy_modulus(m));
    return negative ? -shown : shown;
}

uint64_t meter_energy(const struct model_meter *m, const struct legal_energies *e,
                      enum model_quantity q, uint8_t phase)
{
    return (uint64_t)meter_energy_shown(m, e, (struct meter_register){q, phase, 0});
}

uint32_t meter_energy_low(const struct model_meter *m, const struct legal_energies *e,
                          enum model_quantity q)
{
    bool negative;
    const struct meter_register which = {q, 0, 0};
    return (uint32_t)(legal_units(e, which, &negative) / unit_of(m));
}

uint64_t meter_energy_since(const struct model_meter *m, uint64_t now, uint64_t before)
{
    uint64_t modulus = meter_energy_modulus(m);
    if (now >= before)
        return now - before;
    uint64_t over = now + modulus - before;
    return before <= modulus && over < modulus / 2 ? over : 0;
}

uint64_t meter_energy_loss(const struct model_meter *m, const struct legal_energies *e,
                           bool reactive, uint8_t index)
{
    /* bits of import and export, on-load and no-load, in the order of the registers */
    static const uint8_t losses[] = {1, 2, 1 | 2, 4, 8, 4 | 8, 1 | 4, 2 | 8, 1 | 2 | 4 | 8};
    const uint64_t *loss = &e->loss[reactive ? LEGAL_OLR_IMPORT : LEGAL_OLA_IMPORT];
    return sum_of(loss, losses[index]) / unit_of(m) % meter_energy_modulus(m);
}
_Static_assert(LEGAL_NLA_IMPORT == LEGAL_OLA_IMPORT + 2 && LEGAL_NLR_IMPORT == LEGAL_OLR_IMPORT + 2,
               "losses in pairs of import and export");
