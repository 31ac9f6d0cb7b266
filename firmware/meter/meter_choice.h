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

/* From the flash, or as delivered and then stored: choices, columns and where the rings lie; of a
 * flash of the version before, where the rings can be (m->is_old), and nothing is stored yet.
 * Before the rings are mounted. ERR_CORRUPT, ERR_VERSION, ERR_IO, ERR_FULL. */
MUST_CHECK enum err meter_choices_load(struct meter *m);
/* The layout as it is now, under its key. */
MUST_CHECK enum err meter_choices_store(struct meter *m);

/* Of the ring of profile p: another one whenever its rows were forgotten. */
uint16_t meter_generation(const struct meter *m, enum model_profile_id p);
/* Gives the ring of profile p, as it is laid now, the next generation that none of its sectors
 * bears. In memory; columns of this generation have another key than those in force. */
MUST_CHECK enum err meter_ring_renew(struct meter *m, enum model_profile_id p);

/* After the columns changed: the width of the ring's records, and no more rows than it has room
 * for.
 */
void meter_ring_fit(struct meter *m, enum model_profile_id p);

/* The columns of profile p as they are now, under the key of its ring's generation. */
MUST_CHECK enum err meter_columns_store(struct meter *m, enum model_profile_id p);

/* Commands of the owner, meter_profile_set.c. All or nothing. ERR_IO, ERR_FULL of all: the flash
 * refused; what its layout took is in force. */

/* Attribute 4; forgets the rows when it is another. ERR_RANGE: not a period of this model or
 * profile. */
MUST_CHECK enum err meter_profile_period(struct meter *m, enum model_profile_id p,
                                         uint32_t period_s);
/* Attribute 5; rows stay. */
MUST_CHECK enum err meter_profile_sort(struct meter *m, enum model_profile_id p, bool is_lifo);
/* Attribute 8: rows shown. Where space is traded (MODEL_TRADE) sectors are given up or taken, and
 * when that changes anything the rows are forgotten. ERR_RANGE: none, or more than there is room
 * for. */
MUST_CHECK enum err meter_profile_entries(struct meter *m, enum model_profile_id p,
                                          uint32_t entries);
/* Attribute 3, A-XDR array; forgets the rows. Refused: COSEM_TYPE_UNMATCHED (form, or an attribute
 * of no fixed size), COSEM_OBJECT_UNDEFINED, COSEM_READ_WRITE_DENIED (an attribute that `role` may
 * not read), COSEM_OTHER_REASON: the clock is not the first, one stands twice, too many. */
enum cosem_result meter_profile_capture_set(struct meter *m, enum model_profile_id p,
                                            enum cosem_role role, struct rd *value);
/* 0-0:96.134.0, of all profiles. */
MUST_CHECK enum err meter_profiles_null(struct meter *m, bool on);
/* Class 7 methods 1 and 2. */
MUST_CHECK enum err meter_profile_clear(struct meter *m, enum model_profile_id p);
MUST_CHECK enum err meter_profile_capture(struct meter *m, enum model_profile_id p);

#endif
