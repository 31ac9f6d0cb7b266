/* The time commands of the meter: setting the clock, its rules, its preset, and the marks they
 * leave in rows, demand and logs (docs/TIME.md has the rules, by number).
 *
 * meter_clock.h computes; this file decides. It refuses to know how a row is written: what happens
 * to running rows when time jumps is meter_rows_*() of meter.c. */
#ifndef FERRARIS_METER_TIME_H
#define FERRARIS_METER_TIME_H

#include "lib/base/err.h"

#include <stdint.h>

struct meter;

/* Sets the clock. Beyond the shift limit the running interval ends early, marked, and demand begins
 * anew. ERR_RANGE outside 2000..2099. */
MUST_CHECK enum err meter_clock_change(struct meter *m, int64_t utc_ns);
/* After attributes 3 and 5..8 of the clock were changed: stores them, finds the next boundaries. */
MUST_CHECK enum err meter_clock_store(struct meter *m);
/* Class 8 method 5: the time that method 4 sets between first_s and last_s; none where last_s is
 * less. Stored: it is there after a power cut. */
MUST_CHECK enum err meter_clock_preset(struct meter *m, int64_t to_s, int64_t first_s,
                                       int64_t last_s);

/* What the commands ask of the running rows, periods and averages; in memory only, meter_commit()
 * follows. Before the clock jumps: what runs is closed at its nominal end, marked. After it: new
 * boundaries, demand and averages begin anew. Regrid: the grid moved under them (zone, rules). */
void meter_rows_leave(struct meter *m);
void meter_rows_enter(struct meter *m);
void meter_rows_regrid(struct meter *m);
/* One snapshot, and what it promises the rings. */
MUST_CHECK enum err meter_commit(struct meter *m);
/* Remembers the newest failure of the flash and returns it: rows are marked by it from now on. */
MUST_CHECK enum err meter_keep(struct meter *m, enum err err);

#endif
