/* Which channel of a recording feeds which input of the meter. */
#ifndef FERRARIS_SIM_CHANNELS_H
#define FERRARIS_SIM_CHANNELS_H

#include "firmware/hal/afe.h"
#include "sim/recording.h"

struct channel_map {
    int index[AFE_N_CHANNELS];     /* channel of the recording; -1: not connected */
    double factor[AFE_N_CHANNELS]; /* to volt or ampere; negative where the map reverses it */
    uint32_t contrary; /* bits of enum afe_channel: a voltage's input has a unit of current or the
                          other way round, as the map wants it */
};

/* With `map` ("u1=VA,i1=-IA,in=#7"): keys u1 u2 u3 i1 i2 i3 in; a name as in the file (upper or
 * lower case alike), or # and the channel's number from 1; a minus sign before it reverses the
 * direction. Without (NULL): guessed from phase fields, names and units; the first channel that
 * fits an input gets it. Phasor channels of relays (Mag, Angle), line-to-line voltages and computed
 * quantities are passed over. ERR_NOT_FOUND when nothing could be guessed, ERR_RANGE for a wrong
 * word in the map; the fault lists the file's channels. A recording of one phase only, whatever its
 * letter, becomes phase 1. */
MUST_CHECK enum err channels_map(const struct recording *r, const char *map,
                                 struct channel_map *out, const struct fault *f);

#endif
