/* When is a meter read next, and from where: pure functions without a clock.
 *
 * Completeness rests on schedule_from(): every row the meter wrote must lie behind the stamp it
 * gives, or be found by a reading of everything. Stamps are the meter's and go down when its clock
 * is set back, so "behind the last stored stamp" is not enough: since the last complete reading
 * E seconds have passed, and a row written in them bears no stamp below meter_now - E unless the
 * clock was also set forward since; then rows carry the mark "clock adjusted", and the profile is
 * read wholly once (`reread`). Instants in ms are of the head-end's monotonic clock. */
#ifndef FERRARIS_HEADEND_SCHEDULE_H
#define FERRARIS_HEADEND_SCHEDULE_H

#include "headend/store/store.h"

#define SCHEDULE_ALL            INT64_MIN
#define SCHEDULE_CLOCK_ADJUSTED 0x20u /* in a row's status, as IDIS defines it */
#define SCHEDULE_KEEP_MS        60000 /* the connection stays open when the next turn is so near */
#define SCHEDULE_FAIL_MS        5000
#define SCHEDULE_FAIL_MAX_MS    900000
#define SCHEDULE_IDENTIFY_MS    86400000

struct schedule_now {
    int64_t meter_s;   /* the meter's clock, UTC; negative: it did not tell */
    int64_t utc_ms;    /* the head-end's */
    int64_t elapsed_s; /* since this profile's last complete reading by the monotonic clock; -1: it
                          was before the head-end started */
};

/* The stamp from which rows are read, SCHEDULE_ALL for every row.
 *
 * min(last stored stamp, clock at the last complete reading, meter_now - E) - one period. E is the
 * greatest of what the clocks say: monotonic (exact, when this process made the last reading), our
 * UTC (wrong after a jump of ours) and the meter's; a too great E only reads rows again, which
 * changes nothing. Everything is read when nothing was ever read completely, when `reread` is set,
 * when E is beyond 400 days, when the meter does not tell its time, and when the process is new and
 * a clock went back, since then no clock tells E. */
int64_t schedule_from(const struct store_profile *p, const struct schedule_now *now);
/* More than a day of rows: committed without a sync until its end. */
bool schedule_is_backlog(int64_t from_s, int64_t meter_s);

/* The first of due + k * period (k >= 1) that lies after now: no drift, nothing made up for. */
uint64_t schedule_next(uint64_t due_ms, uint64_t period_ms, uint64_t now_ms);
/* Milliseconds from the meter's time to its next turn for a profile of this period: 2 s and a
 * spread of up to a sixtieth of the period (15 s at most), by the meter's id, after the period's
 * end. Periods beyond an hour are looked for every hour, since their ends follow local time; those
 * without (0) as well. */
uint64_t schedule_profile_wait(uint32_t period_s, int64_t meter, int64_t meter_ms);
/* 5 s, 10 s, 20 s ... 15 minutes, less up to a quarter by `random`; 15 minutes at once after a
 * security failure. n_failed: 1 for the first. */
uint64_t schedule_backoff(uint32_t n_failed, bool security, uint32_t random);

#endif
