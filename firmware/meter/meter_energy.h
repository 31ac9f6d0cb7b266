/* Energy registers as shown: legal micro-watt-hours in units of the meter's register.
 *
 * A register shows whole units of 10^energy_scaler Wh (varh, VAh), cut off, never rounded, so it
 * never shows energy that was not there. */
#ifndef FERRARIS_METER_ENERGY_H
#define FERRARIS_METER_ENERGY_H

#include "firmware/legal/legal.h"
#include "model/objects.h"

/* q: MODEL_A_IMPORT .. MODEL_A_ABSOLUTE; phase 0: total, 1..3. */
uint64_t meter_energy(const struct model_meter *m, const struct legal_energies *e,
                      enum model_quantity q, uint8_t phase);

#endif
