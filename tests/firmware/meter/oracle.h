/* What the profiles and logs of a meter must hold, worked out from its inputs alone.
 *
 * The test tells the oracle what it tells the meter: windows of energy, power cuts, settings of the
 * clock, changes of parameters. The oracle keeps that list whole, with running sums in integers,
 * and answers questions by looking back over it: a row is a cell of the calendar's grid that the
 * meter was awake in, its values are the sums where the clock first reached the cell's end, its
 * marks are the cuts and settings inside the cell. Nothing is closed, pending or due here, and no
 * source of firmware/meter is used: local time comes from a table of the instants at which Central
 * Europe changed or will change its clocks, the calendar from the C library.
 *
 * It does not know about tariffs by calendar, demand, limits or wrong parameters: what a column
 * holds that it cannot tell is counted by oracle_value(), never guessed.
 *
 * Time is in whole seconds; a window lies inside a minute of the meter's clock. */
#ifndef FERRARIS_TEST_METER_ORACLE_H
#define FERRARIS_TEST_METER_ORACLE_H

#include "model/events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ORACLE_A_IMPORT,
    ORACLE_A_EXPORT,
    ORACLE_R_QI,
    ORACLE_R_QII,
    ORACLE_R_QIII,
    ORACLE_R_QIV,
    ORACLE_S_IMPORT,
    ORACLE_S_EXPORT,
    ORACLE_N
};

/* marks, as the status octet of IDIS has them */
#define ORACLE_ERR 0x01u
#define ORACLE_CIV 0x02u
#define ORACLE_DNV 0x04u
#define ORACLE_DST 0x08u
#define ORACLE_CAD 0x20u
#define ORACLE_PDN 0x80u

#define ORACLE_MONTH      0u /* lengths of an interval beside seconds: to local midnight, the first */
#define ORACLE_DAY        86400u
#define ORACLE_VALUES_MAX 34

struct oracle;

/* A meter's first start. */
struct oracle *oracle_new(const struct model_meter *model, int64_t utc_s);
void oracle_free(struct oracle *o);

/* ---- inputs, in the order of time ---- */

/* uWh, varh, VAh of all phases together, signed; s never is. Not over a minute's end, but for
 * nothing at all. */
void oracle_window(struct oracle *o, uint32_t seconds, int64_t p_uwh, int64_t q_uwh, int64_t s_uwh);
/* Power goes for gap_s. lost: energy that the meter never stored (NULL: none); known_s: how long
 * before the cut the meter wrote last, so it tells that time of the power down. */
void oracle_cut(struct oracle *o, int64_t gap_s, const uint64_t lost[ORACLE_N], uint32_t known_s);
/* The same, and the clock's crystal loses count: the clock goes on from what it knew, and is
 * invalid until it is set. */
void oracle_stop(struct oracle *o, const uint64_t lost[ORACLE_N], uint32_t known_s);
/* The clock is set; further than limit_s it leaves marks. */
void oracle_set_clock(struct oracle *o, int64_t to_utc_s, uint32_t limit_s);
/* The length of one profile's intervals is another; its rows are gone. */
void oracle_period(struct oracle *o, unsigned profile, uint32_t period_s);
/* Something happened that the meter logs; that event has repeated too often (and is left out). */
void oracle_event(struct oracle *o, enum model_event e);
void oracle_left_out(struct oracle *o, enum model_event e);

int64_t oracle_now(const struct oracle *o);
/* Undoes the last n inputs, as if they had been forgotten: for tests of the oracle. */
void oracle_forget(struct oracle *o, size_t n);

/* ---- what must be there ---- */

struct oracle_row {
    int64_t utc_s;
    int16_t deviation; /* minutes, UTC - local */
    uint8_t clock_status, status;
    uint64_t uwh[ORACLE_N];    /* at capture */
    uint64_t before[ORACLE_N]; /* at the capture before, of this profile */
};
/* Rows of a profile in the order of capture, oldest first, since its ring was emptied last. To be
 * freed by the caller. */
size_t oracle_rows(const struct oracle *o, unsigned profile, struct oracle_row **out);

struct oracle_entry {
    int64_t utc_s;
    uint8_t clock_status;
    uint32_t value; /* code; MODEL_LOG_OUTAGE: seconds */
};
/* Entries of a log, oldest first: what the oracle saw, and oracle_event() told it. To be freed by
 * the caller. */
size_t oracle_entries(const struct oracle *o, unsigned log, struct oracle_entry **out);

/* Outages of the whole connection; a long one is at least as long as the model's threshold. */
struct oracle_outages {
    uint32_t n, n_long, off_s, last_long_s;
};
struct oracle_outages oracle_outages(const struct oracle *o);

/* A column: what the head of a table says. */
struct oracle_column {
    uint16_t class_id;
    uint8_t ln[6];
    uint8_t attribute;
};
/* The number that a row has in this column; clock: seconds of UTC. False: the oracle cannot tell.
 */
bool oracle_value(const struct oracle *o, const struct oracle_column *c,
                  const struct oracle_row *row, int64_t *out);
/* Energy as a register shows it. */
uint64_t oracle_shown(const struct oracle *o, uint64_t uwh);
uint64_t oracle_sum(const struct oracle *o, unsigned energy); /* now */

/* ---- the calendar ---- */

struct oracle_summer {
    int64_t begin_s, end_s; /* UTC */
};
struct oracle_zone {
    int32_t ahead_s; /* of UTC, in winter; an hour more in summer */
    size_t n;
    const struct oracle_summer *summer; /* in order of time */
};
extern const struct oracle_zone oracle_europe; /* Central Europe, 2006 .. 2035 */
/* Other rules of local time from now on; not copied. */
void oracle_zone_set(struct oracle *o, const struct oracle_zone *z);
bool oracle_is_summer(const struct oracle_zone *z, int64_t utc_s);
/* Local midnight after an instant, the first of the month after. */
int64_t oracle_midnight(const struct oracle_zone *z, int64_t after_utc_s);
int64_t oracle_month(const struct oracle_zone *z, int64_t after_utc_s);

/* ---- comparing ---- */

struct oracle_table { /* what a meter told: n_rows x n_columns */
    size_t n_columns, n_rows;
    struct oracle_column column[ORACLE_VALUES_MAX];
    struct oracle_seen {
        int64_t value[ORACLE_VALUES_MAX]; /* clock: UTC */
        bool null[ORACLE_VALUES_MAX];
        int16_t deviation; /* of the clock column */
        uint8_t clock_status;
    } * row;
};
/* Differences between the meter's table and the rows of the profile with stamps in from_s..to_s, as
 * far as its depth holds them;
 * the first is told in words. Columns the oracle cannot tell are counted in *unknown (may be NULL).
 */
size_t oracle_compare(const struct oracle *o, unsigned profile, int64_t from_s, int64_t to_s,
                      const struct oracle_table *t, char *words, size_t words_size,
                      size_t *unknown);
/* The same of the entries of a whole log, as far as its depth holds them. */
size_t oracle_compare_log(const struct oracle *o, unsigned log, const struct oracle_table *t,
                          char *words, size_t words_size);

#endif
