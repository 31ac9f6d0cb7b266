/* What an object of one number shows, and what its owner may set it to; its format is that of
 * meter_bind_register.c. */
#ifndef FERRARIS_METER_VALUE_H
#define FERRARIS_METER_VALUE_H

#include "firmware/meter/meter.h"

/* Of row's quantity q at instance i, j (model/objects.h); secondary values. Energies as clients may
 * be told them (meter_tell.h). */
int64_t meter_value(struct meter *m, enum model_quantity q, uint8_t i, uint8_t j);
/* The same on the primary side: powers and energies count 10^decades of the ratio more. */
int64_t meter_value_primary(struct meter *m, enum model_quantity q, uint8_t i, uint8_t j);
/* For a client, in the units that the object shows. ERR_ACCESS: not the owner's to set; else as
 * meter_parameter_set(), meter_ratio_set(), meter_limit_set(), meter_outage_limits_set(),
 * meter_shift_limit(). */
MUST_CHECK enum err meter_value_set(struct meter *m, uint16_t client_sap, enum model_quantity q,
                                    uint8_t i, uint32_t to);

#endif
