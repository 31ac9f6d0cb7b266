/* A model's row printed as the meter's own datasheet, in 80 columns of UTF-8.
 *
 * Every number comes from the row (an order applied or not) or from what the firmware makes of it;
 * nothing is written down a second time here. */
#ifndef FERRARIS_METER_DATASHEET_H
#define FERRARIS_METER_DATASHEET_H

#include "model/meters.h"

#include <stdio.h>

void meter_datasheet(FILE *out, const struct model_meter *m);

#endif
