/* Reads waveforms from text tables: one row per instant, one column of time, one per channel.
 *
 * Separator comma, semicolon or tab (found from the first row). Before the names, lines that begin
 * with # are skipped; below them a row of units, like (V), is understood; a
 * column of words without a unit is passed over. The column of time is the
 * one named time, timestamp, t, date... , or the first when it holds dates: ISO 8601 date-time
 * (2020-02-24 18:15:21.5, T or blank between, zone allowed) or a number in s, ms, us or ns as its
 * name or unit says (s if neither). With semicolon or tab a decimal comma is understood. The rate
 * comes from the time stamps, which must advance evenly. An empty cell is a missing value; NaN and
 * infinities are refused with line and column. A table without a column of time is refused: its
 * rate would be a guess. */
#ifndef FERRARIS_SIM_CSV_H
#define FERRARIS_SIM_CSV_H

#include "sim/recording.h"

/* `name` is for messages. `out` must be freed with recording_free() whatever the result.
 * ERR_FORMAT, ERR_TRUNCATED (a row with too few columns), ERR_MEMORY. */
MUST_CHECK enum err csv_parse(const char *name, const void *p, size_t len, struct recording *out,
                              const struct fault *f);
MUST_CHECK enum err csv_load(const char *path, struct recording *out, const struct fault *f);

#endif
