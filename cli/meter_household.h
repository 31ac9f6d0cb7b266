/* The default load of a virtual meter: a household, or a small plant behind transformers.
 *
 * The network is one synthesised source at the largest load, so that the voltage never jumps; the
 * currents of each phase are scaled down by a gain that changes every quarter of an hour with the
 * hour of the day and a little at random, the same for the same seed. */
#ifndef FERRARIS_CLI_METER_HOUSEHOLD_H
#define FERRARIS_CLI_METER_HOUSEHOLD_H

#include "firmware/legal/legal.h"
#include "model/meters.h"

#include <stddef.h>
#include <stdint.h>

#define HOUSEHOLD_QUARTER_S 900

struct household_load {
    double gain[LEGAL_N_PHASES]; /* 0..1 of the largest load */
    int32_t scaled[LEGAL_N_PHASES][AFE_BLOCK_MAX];
};

/* The synth: specification of the largest load. */
void household_spec(const struct model_meter *m, char *spec, size_t size);
/* Gains of the quarter that utc_s lies in. */
void household_at(struct household_load *l, uint64_t seed, int64_t utc_s);
/* Scales the currents of a block; its samples then lie in `l` until the next call. */
void household_block(struct household_load *l, struct afe_block *b);
void household_window(const struct household_load *l, struct legal_window *w);

#endif
