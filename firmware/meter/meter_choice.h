/* What the owner chose of the profiles: columns, periods, order, number of rows; and the rings that
 * follow from it.
 *
 * Every change is one write of METER_KEY_LAYOUT: before it nothing is changed, after it all is,
 * whatever the power does. A change that makes rows of another kind begins the ring anew: its rows
 * are forgotten, the next row is that of the first interval that is lived through whole, and an
 * event says so. Columns stand under a key of their own, of which each profile has two in turn, so
 * that those in force are never overwritten. */
#ifndef FERRARIS_METER_CHOICE_H
#define FERRARIS_METER_CHOICE_H

#include "firmware/meter/meter_profile.h"

/* From the flash, or as delivered and then stored: choices, columns and where the rings lie. Before
 * the rings are mounted. ERR_CORRUPT, ERR_VERSION, ERR_IO, ERR_FULL. */
MUST_CHECK enum err meter_choices_load(struct meter *m);

/* Attribute 4; forgets the rows when it is another. ERR_RANGE: not a period of this model or
 * profile. ERR_IO, ERR_FULL as of all that follow. */
MUST_CHECK enum err meter_profile_period(struct meter *m, enum model_profile_id p,
                                         uint32_t period_s);
/* Class 7 methods 1 and 2. */
MUST_CHECK enum err meter_profile_clear(struct meter *m, enum model_profile_id p);
MUST_CHECK enum err meter_profile_capture(struct meter *m, enum model_profile_id p);

#endif
