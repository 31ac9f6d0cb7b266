/* What makes a meter's value primary: the ratio of the transformers before it, by unit.
 *
 * The ratio is stored beside the raw value as a multiplier (struct store_column, store_register)
 * and applied exactly once, when the value is shown. 1/1 for meters whose registers are primary
 * already. */
#ifndef FERRARIS_HEADEND_RATIO_H
#define FERRARIS_HEADEND_RATIO_H

#include "headend/store/store.h"

struct ratio {
    uint32_t num, den; /* reduced */
};

/* V: vt; A: ct; W, VA, var and their energies: ct * vt; others (Hz, degrees, percent, the meter's
 * own pulse constants, which stay those of its secondary side): 1. ERR_RANGE: a part is 0, or the
 * product does not fit 32 bits after reduction; *out is 1/1 then. */
MUST_CHECK enum err ratio_of_unit(const struct store_meter *m, uint8_t unit, struct ratio *out);

#endif
