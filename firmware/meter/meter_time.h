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
struct legal_audit;
struct meter_clock;
struct meter_config;

/* Sets the clock. Beyond the shift limit the running interval ends early, marked, and demand begins
 * anew. ERR_RANGE outside 2000..2099. */
MUST_CHECK enum err meter_clock_change(struct meter *m, int64_t utc_ns);
/* Attributes 3 and 5..8 of m->clock were changed, which was `before`: stores them, finds the next
 * boundaries. ERR_IO, ERR_FULL: those before are in force again. */
MUST_CHECK enum err meter_clock_rules(struct meter *m, const struct meter_clock *before);
/* Class 8 method 5: the time that method 4 sets between first_s and last_s; none where last_s is
 * less. Stored: it is there after a power cut. */
MUST_CHECK enum err meter_clock_preset(struct meter *m, int64_t to_s, int64_t first_s,
                                       int64_t last_s);

/* Limit of corrections that leave no mark, 0..METER_SHIFT_MAX_S. ERR_RANGE, ERR_IO, ERR_FULL: the
 * one before stays. */
MUST_CHECK enum err meter_shift_limit(struct meter *m, uint16_t seconds);

/* A pulse of a master clock: it is now the end of a minute (60) or an hour (3600), whichever is
 * next. Ignored while the clock is invalid, since a pulse has no date, and when the clock is
 * farther from it than a quarter of the period: ERR_STATE. A silent correction is not stored by
 * itself, the next snapshot has it. ERR_RANGE (no such period), ERR_IO, ERR_FULL. */
MUST_CHECK enum err meter_time_pulse(struct meter *m, uint32_t period_s);

/* Changes what the factory found out about the crystal: METER_CRYSTAL_PPB .. ERR_ACCESS while the
 * seal is closed, ERR_RANGE; recorded as meter_parameter_set() does, with its other errors. */
MUST_CHECK enum err meter_crystal_set(struct meter *m, uint16_t client_sap, unsigned part,
                                      int64_t value);
/* The change of an audit record once more. */
void meter_crystal_redo(struct meter *m, const struct legal_audit *a);

/* What the real-time crystal shows now. Between two calls time passes by the samples, whose clock
 * is the converter's; the crystal is right. Time that the samples had too much of is waited for. */
void meter_crystal_shows(struct meter *m, int64_t crystal_ns);

/* For meter.c. Power-up: the clock before anything is known of a life before, and after the
 * snapshot is read. */
void meter_time_begin(struct meter *m, const struct meter_config *config);
void meter_time_resume(struct meter *m, const struct meter_config *config);
/* Reports an invalid clock: once at each power-up. */
void meter_time_report(struct meter *m);
/* Reports the season change that is due. */
void meter_time_season(struct meter *m);
/* How much of what samples lasted the clock goes on by. */
uint64_t meter_time_owed(struct meter *m, uint64_t ns);

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
