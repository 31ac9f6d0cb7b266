/* The default load of a virtual meter: a household, or a small plant behind transformers, that
 * changes every quarter of an hour with the hour of the day and a little at random. */
#ifndef FERRARIS_CLI_METER_HOUSEHOLD_H
#define FERRARIS_CLI_METER_HOUSEHOLD_H

#include "model/meters.h"

#include <stddef.h>
#include <stdint.h>

#define HOUSEHOLD_QUARTER_S 900

/* Writes the synth: specification for the quarter that begins at utc_s, the same for the same
 * seed. */
void household_spec(const struct model_meter *m, uint64_t seed, int64_t utc_s, char *spec,
                    size_t size);
/* One for the largest load, for the scale of the front end. */
void household_peak(const struct model_meter *m, char *spec, size_t size);

#endif
