/* Columns of profiles: which attribute of which object a cell of a row holds.
 *
 * A column is any readable attribute of fixed size of an object that the meter has: a number, an
 * enum, a boolean, a time, an octet-string of 12 octets at most. It is kept resolved: the row of
 * the object table and the instance in it, so that a capture needs no search. What a cell holds is
 * the attribute's A-XDR, as its binding gives it to a client; nothing here knows what it means.
 * Refused: arrays and structures, and what only an association can be asked (its objects, keys and
 * counters). Columns of all profiles lie in one pool. */
#ifndef FERRARIS_METER_COLUMN_H
#define FERRARIS_METER_COLUMN_H

#include "lib/cosem/profile_select.h"
#include "model/objects.h"

struct meter;

#define METER_COLUMNS_OF(n_values) ((n_values) + 2u) /* with clock and status */
#define METER_COLUMNS_EACH_MAX     METER_COLUMNS_OF(MODEL_VALUES_MAX)
/* Of all profiles of a meter: Sx402's four of 16, four of 4, 16 daily, 32 monthly. */
#define METER_COLUMNS_MAX 148u
#define METER_CELL_MAX    14u /* octets: a date-time */

struct meter_column {
    uint16_t row;      /* of model_rows */
    uint8_t i, j;      /* instance in its ranges */
    uint8_t attribute; /* 1.. */
    uint8_t size;      /* octets of the cell; 0: it follows from the head of the row */
};

/* Where the columns of a profile begin in the pool, and how many of them it can have. */
unsigned meter_columns_first(const struct model_meter *m, enum model_profile_id p);

/* The column of an object as this meter would capture it, for profile p. COSEM_OBJECT_UNDEFINED:
 * not here; COSEM_TYPE_UNMATCHED: of no fixed size; COSEM_READ_WRITE_DENIED: not for a capture, or
 * not readable by `role`. */
enum cosem_result meter_column_find(struct meter *m, enum model_profile_id p, enum cosem_role role,
                                    const struct profile_column *want, struct meter_column *out);
/* The capture object definition of a column. */
void meter_column_object(const struct meter_column *c, struct profile_column *out);
/* The object of the table with this class and name, as a column of no size. False: not here. */
bool meter_column_at(const struct cosem_device *d, const struct profile_column *want,
                     struct meter_column *out);
/* The first of n columns that is of this object and attribute; n: none of them. */
unsigned meter_column_among(const struct meter_column *c, unsigned n,
                            const struct meter_column *want);
bool meter_column_is_clock(const struct meter_column *c);
/* Whether it shows the status octet of profile p; then, as the clock, it is in the row's head. */
bool meter_column_is_status(const struct meter_column *c, enum model_profile_id p);
/* 0 A+, 1 A- where the column is the energy of the recording interval, else -1: such a cell belongs
 * to the row, not to the object. */
int meter_column_interval(const struct meter_column *c);
/* Whether its value now is only of this moment: not to be had again after a power cut. */
bool meter_column_momentary(const struct meter_column *c);
/* Its value now: one A-XDR value of c->size octets at most, or null-data where there is none. Room
 * for METER_CELL_MAX. */
void meter_column_read(struct meter *m, const struct meter_column *c, struct wr *out);

/* As delivered: what the model's row has room for, of the objects this meter has. Gives how many of
 * `out` (METER_COLUMNS_EACH_MAX) are used; 0 where the model lacks the profile. */
unsigned meter_columns_default(struct meter *m, enum model_profile_id p, struct meter_column *out);

#endif
