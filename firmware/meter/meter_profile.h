/* Profiles: rows of columns captured at the ends of intervals, each profile with a ring of its own.
 *
 * A row is closed at the nominal end of its interval: stamp, status and number in memory, then one
 * snapshot of the meter that promises it, then its cells are read and it goes to the ring. After a
 * cut in between, the row is made from the snapshot's registers: no row is lost, twice or torn.
 * What the snapshot does not hold (voltages, powers of that moment) is null-data in such a row.
 *
 * Energies of the recording interval are differences of the register as shown to the row before of
 * the same profile, so that any run of rows sums up to the register difference. When the flash
 * refuses a row it is given up and its energy is the next row's. Rows lie in order of capture;
 * after the clock was set back stamps come twice. Rules of time: docs/TIME.md. Blue Book 4.3.6;
 * status octet as IDIS defines it. */
#ifndef FERRARIS_METER_PROFILE_H
#define FERRARIS_METER_PROFILE_H

#include "firmware/meter/meter_column.h"
#include "firmware/meter/meter_layout.h"
#include "lib/base/err.h"

/* status octet, 0-0:96.10.1 ... */
#define METER_ROW_ERR 0x01u /* storage or program error; with it DNV */
#define METER_ROW_CIV 0x02u /* clock invalid; with it DNV */
#define METER_ROW_DNV 0x04u /* data not valid */
#define METER_ROW_DST 0x08u /* summer time at the stamp */
#define METER_ROW_CAD 0x20u /* clock adjusted by more than the limit */
#define METER_ROW_PDN 0x80u /* power was down in the interval */

struct meter_row_head {   /* the first METER_ROW_HEAD octets of a row */
    uint32_t number;      /* counts up by one a row, over resets too; the first is 1 */
    uint32_t utc_s;       /* stamp */
    int16_t deviation;    /* of local time at the stamp, minutes */
    uint8_t clock_status; /* of the stamp */
    uint8_t status;       /* METER_ROW_* */
};
void meter_row_put_head(struct wr *w, const struct meter_row_head *h);
void meter_row_get_head(struct rd *r, struct meter_row_head *h);

/* Octets of a row at most. */
#define METER_ROW_MAX (METER_ROW_HEAD + METER_COLUMNS_EACH_MAX * METER_CELL_MAX)

#define METER_N_INTERVALS  2 /* energies of the recording interval: A+, A- */
#define METER_PROFILE_NONE 0 /* period_s: the model lacks the profile */

#define METER_PROFILE_UNKNOWN 0 /* due_s: the snapshot is of the ring before */

struct meter_profile {
    /* the owner's choices, under METER_KEY_LAYOUT */
    uint32_t period_s; /* daily: a day; monthly: 0, it follows the calendar */
    uint32_t entries;  /* rows shown */
    bool is_lifo;      /* the newest row is shown first */
    bool is_chosen;    /* columns are the owner's, not as delivered */
    uint8_t n_columns; /* in the pool from meter_columns_first(); 0: the model lacks it */
    /* what the snapshot holds */
    uint8_t marks;  /* METER_ROW_PDN, _CAD, _DNV, _CIV of the running interval so far */
    bool is_owed;   /* `last` is closed and not in the ring yet */
    bool is_late;   /* and was closed after a power cut: the moment of its stamp is gone */
    bool is_fresh;  /* no whole interval since a reset: the next end gives no row */
    uint32_t due_s; /* nominal end of the running interval, UTC */
    uint32_t base[METER_N_INTERVALS]; /* registers at the newest row, meter_energy_low() */
    struct meter_row_head last;       /* of the newest row */
    uint32_t ordered_from;            /* rows of this number and on have stamps in order */
};

/* Pool of columns of profile p; the same to be changed. */
const struct meter_column *meter_profile_columns(const struct meter *m, enum model_profile_id p);
struct meter_column *meter_profile_pool(struct meter *m, enum model_profile_id p);
/* Octets of a row of profile p in its ring. */
uint16_t meter_profile_row_size(const struct meter *m, enum model_profile_id p);
/* Columns and choices as delivered; state of a first life. */
void meter_profiles_reset(struct meter *m);
/* First life: intervals run from now on; one that did not begin with the meter is marked PDN. */
void meter_profiles_begin(struct meter *m);

/* The earliest end of an interval, UTC seconds. */
uint32_t meter_profiles_due_s(const struct meter *m);
/* Closes the running interval in memory, now or at its end; a row is owed then, or none where no
 * whole interval was lived through since a reset. meter_commit() follows. */
void meter_profile_close(struct meter *m, enum model_profile_id p, uint32_t stamp_s);
/* After its ring was made anew: nothing is owed, the first whole interval gives the first row. */
void meter_profile_restart(struct meter *m, enum model_profile_id p);
/* Closes in memory what is due now; true when something was. meter_commit() follows. */
bool meter_profiles_close_due(struct meter *m);
/* The intervals that run now get these marks. */
void meter_profiles_mark(struct meter *m, uint8_t marks);
/* After the clock was set beyond the limit: what runs in another interval now is closed at its
 * nominal end; new ends. */
void meter_profiles_clock_set(struct meter *m);
/* After the rules of local time changed: new ends. */
void meter_profiles_regrid(struct meter *m);
/* Power-up: the interval that the cut fell into is closed at its nominal end, intervals wholly
 * without power get no row. */
void meter_profiles_resume(struct meter *m);

/* Appends the rows that the newest snapshot promises. A row the flash refuses is given up. */
MUST_CHECK enum err meter_profiles_complete(struct meter *m);
/* The snapshot failed: gives up what it would have promised. */
void meter_profiles_drop(struct meter *m);
/* After the snapshot was read: appends what it promises and the ring lacks. */
void meter_profiles_mend(struct meter *m);

/* Reads a row of the ring whole, meter_profile_row_size() octets. Errors of nv_read(). */
MUST_CHECK enum err meter_profile_read(const struct meter *m, enum model_profile_id p, uint64_t seq,
                                       uint8_t *record);

#endif
