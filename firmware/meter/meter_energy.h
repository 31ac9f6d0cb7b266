/* Energy registers as shown: legal micro-watt-hours in units of the meter's register.
 *
 * A register shows whole units of 10^energy_scaler Wh (varh, VAh), cut off, never rounded, so it
 * never shows energy that was not there. The rates' legal registers add up to the total's exactly;
 * as shown each lacks less than a unit of its own. It rolls over at 10^kwh_digits kWh: shown is the
 * legal register, which has no end within the life of a meter, modulo that. */
#ifndef FERRARIS_METER_ENERGY_H
#define FERRARIS_METER_ENERGY_H

#include "firmware/legal/legal.h"
#include "firmware/meter/meter_ratio.h"
#include "model/objects.h"

/* Which register: q MODEL_A_IMPORT .. MODEL_A_NET; phase 0 total, 1..3; rate 0 all, 1.. (of the
 * total only). */
struct meter_register {
    enum model_quantity q;
    uint8_t phase, rate;
};

/* Units after which registers of the model start at 0 again. */
uint64_t meter_energy_modulus(const struct model_meter *m);
/* As shown; net energy may be negative. */
int64_t meter_energy_shown(const struct model_meter *m, const struct legal_energies *e,
                           struct meter_register which);
/* On the primary side, in units of 10^(energy_scaler + decades of the ratio). */
int64_t meter_energy_primary(const struct model_meter *m, const struct legal_energies *e,
                             struct meter_register which, const struct meter_ratio *ratio);
/* Totals and phases, MODEL_A_IMPORT .. MODEL_R_ABSOLUTE. */
uint64_t meter_energy(const struct model_meter *m, const struct legal_energies *e,
                      enum model_quantity q, uint8_t phase);
/* Low word of the units counted since manufacture, which do not roll over: differences of two are
 * units of the register. */
uint32_t meter_energy_low(const struct model_meter *m, const struct legal_energies *e,
                          enum model_quantity q);
/* Units from one reading to a later one, over a roll-over; 0 where the register went backward,
 * which only damage of the flash explains. */
uint64_t meter_energy_since(const struct model_meter *m, uint64_t now, uint64_t before);
/* Transformer losses: 0..8 on-load, no-load, both, each import, export, sum. */
uint64_t meter_energy_loss(const struct model_meter *m, const struct legal_energies *e,
                           bool reactive, uint8_t index);

#endif
