/* Ratios of the instrument transformers in front of the meter, and what a secondary value is on the
 * primary side.
 *
 * Legal registers and all objects of channel B=0 are secondary, whatever the ratios say. The same
 * quantities of channel B=1 are primary: secondary times the ratio, in 128 bits, worked out when
 * they are shown and nowhere else, so that the ratio is applied exactly once. A primary register
 * has as many digits as the secondary one: its scaler grows by the ratio's decades, so both roll
 * over after the same energy on the meter's own side of the ratio's last decade. A change of a
 * ratio changes what primary registers show of the past, too: it is logged, and a reader has to
 * split its series there. */
#ifndef FERRARIS_METER_RATIO_H
#define FERRARIS_METER_RATIO_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { METER_CT_NUM, METER_VT_NUM, METER_CT_DEN, METER_VT_DEN, METER_N_RATIOS };
#define METER_RATIO_MAX     10000 /* of each transformer */
#define METER_RATIO_NUM_MAX 1000000
#define METER_RATIO_DEN_MAX 1000

struct meter_ratio {
    uint32_t part[METER_N_RATIOS]; /* METER_CT_NUM ..; 1..METER_RATIO_NUM_MAX, _DEN_MAX */
};

/* Within the limits, and neither ratio above METER_RATIO_MAX. Numerator and denominator are written
 * one after the other, so ratios below 1 are allowed on the way: write the denominator first. */
bool meter_ratio_valid(const struct meter_ratio *r);
/* Decades of CT x VT ratio: the greatest k with 10^k <= ratio, 0..8; 0 below 1. */
int8_t meter_ratio_decades(const struct meter_ratio *r);
/* value x ratio, cut off; what does not fit 64 bits is all ones. Of powers and energies in units of
 * by x 10^decades, by 1..1e6; of currents; of voltages. */
uint64_t meter_ratio_power(const struct meter_ratio *r, uint64_t value, uint64_t by);
uint64_t meter_ratio_current(const struct meter_ratio *r, uint64_t value);
uint64_t meter_ratio_voltage(const struct meter_ratio *r, uint64_t value);

#endif
