/* What a class 3 object shows: the number, in the format of meter_bind_register.c. */
#ifndef FERRARIS_METER_VALUE_H
#define FERRARIS_METER_VALUE_H

#include "firmware/meter/meter.h"

/* Of row's quantity q at instance i, j (model/objects.h); secondary values.
 * Energies as clients may be told them (meter_tell.h). */
int64_t meter_value(struct meter *m, enum model_quantity q, uint8_t i, uint8_t j);
/* The same on the primary side: powers and energies count 10^decades of the ratio more. */
int64_t meter_value_primary(struct meter *m, enum model_quantity q, uint8_t i, uint8_t j);

#endif
