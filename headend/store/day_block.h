/* Day block: the rows of one profile of one meter in one UTC day as a few hundred octets.
 *
 * Columns of 64-bit integers are delta-coded, each with the best of order 0, 1, 2; status and zone
 * are runs; stamps are a grid (first, period, count) or, where rows are off the grid or doubled, an
 * explicit list; a directory lets one column be decoded alone; a CRC-32 ends it. The same rows give
 * the same octets on every machine (deterministic), so an identical re-read is seen by comparing
 * octets. Byte table and invariants: docs/SPEC-day-block.md. The block does not say what its
 * columns mean: that is the store's layout.
 *
 * Decoding takes hostile octets: every length is checked, work and memory are linear in the rows
 * and columns that the head claims, at most DAY_ROWS_MAX * DAY_COLUMNS_MAX (a few octets may well
 * claim them all: equal values cost nothing). Encoding, checking and day_block_info() take 0.2 MiB
 * of stack. */
#ifndef FERRARIS_HEADEND_DAY_BLOCK_H
#define FERRARIS_HEADEND_DAY_BLOCK_H

#include "lib/base/cursor.h"
#include "lib/base/err.h"

#include <stdint.h>

#define DAY_COLUMNS_MAX 32
#define DAY_ROWS_MAX    16384 /* of one day: 1 minute with every row eleven times */
#define DAY_S           86400
#define DAY_MISSING     INT64_MIN /* a value that the meter did not give */

/* Rows of one day, owned by the caller; rows in order of stamp, equal stamps in order of arrival.
 */
struct day_rows {
    uint32_t n, size; /* rows held, rows that fit */
    uint32_t n_columns;
    int64_t *stamp_s; /* UTC, seconds since 1970 */
    uint32_t *zone;   /* of the meter's stamp: deviation in minutes as int16 << 16 | clock status;
                         DAY_ZONE() */
    uint32_t *status; /* AMR status of the row, 0 where the profile has none */
    int64_t *value;   /* value[row * n_columns + column] */
};
#define DAY_ZONE(deviation_min, clock_status)                                                      \
    ((uint32_t)(uint16_t)(int16_t)(deviation_min) << 16 | (uint8_t)(clock_status))

/* One row, as the collector hands it on. */
struct day_row {
    int64_t stamp_s;
    uint32_t zone, status;
    int64_t value[DAY_COLUMNS_MAX];
};

/* Empties to n_columns columns and has memory for at least `size` rows, the old one where that is
 * enough; zero-initialise before the first. ERR_MEMORY, ERR_RANGE (columns, size; nothing changed).
 */
MUST_CHECK enum err day_rows_init(struct day_rows *r, uint32_t n_columns, uint32_t size);
void day_rows_free(struct day_rows *r);
/* Behind the last, whatever its stamp within the day; grows. row->value[] beyond n_columns is not
 * looked at. ERR_MEMORY, ERR_FULL (DAY_ROWS_MAX), ERR_RANGE (not the UTC day of the rows held). */
MUST_CHECK enum err day_rows_append(struct day_rows *r, const struct day_row *row);

/* What a re-read adds. Rows are equal when stamp, zone, status and all values are. For each stamp
 * the union keeps the greater multiplicity of each equal row, so reading twice changes nothing and
 * a row that the meter wrote twice stays twice; rows only in `old` stay. Differing rows of one
 * stamp stand one after the other, the old ones first. `added` is in any order of stamps. */
enum day_merge {
    DAY_SAME,   /* nothing new */
    DAY_GROWN,  /* all that is new lies behind the last old stamp */
    DAY_CHANGED /* new rows between or at old stamps: a new version of the day */
};
/* out: initialised by the call (what it held is not freed; free it, also after an error); *what is
 * set on success. ERR_MEMORY, ERR_FULL (more than DAY_ROWS_MAX), ERR_RANGE (columns differ, old
 * ones not in order, not all of one UTC day). */
MUST_CHECK enum err day_rows_merge(const struct day_rows *old, const struct day_rows *added,
                                   struct day_rows *out, enum day_merge *what);

/* Largest block of that many rows; 0 beyond the limits. */
size_t day_block_bound(uint32_t n_rows, uint32_t n_columns);
/* period_s: of the grid, 0 for none. Writes at most `size` octets, *len of them. ERR_FULL,
 * ERR_RANGE (rows not in order, more than one UTC day, n or columns beyond the limits). No rows is
 * allowed. */
MUST_CHECK enum err day_block_encode(const struct day_rows *rows, uint32_t period_s, uint8_t *to,
                                     size_t size, size_t *len);
/* The whole block into *rows (initialised by the call, what it held is not freed; free it, also
 * after an error). ERR_CORRUPT, ERR_VERSION, ERR_MEMORY. Values are right by the CRC; that the
 * octets are the ones that day_block_encode() writes for them is only seen by day_block_check(). */
MUST_CHECK enum err day_block_decode(struct bytes block, struct day_rows *rows);
/* As decode, and refuses (ERR_CORRUPT) a block that is not the one that these rows encode to: apart
 * from the rest because it takes an encoding, and only strangers write such blocks. */
MUST_CHECK enum err day_block_check(struct bytes block);

struct day_block_info {
    uint32_t n_rows, n_columns, period_s;
    bool on_grid;            /* no stamp list */
    int64_t first_s, last_s; /* 0 without rows */
};
/* The head, with the CRC checked. Errors of decode. */
MUST_CHECK enum err day_block_info(struct bytes block, struct day_block_info *info);
/* One column, without the others: n_rows values. ERR_RANGE (column; size below n_rows), errors of
 * decode. */
MUST_CHECK enum err day_block_column(struct bytes block, uint32_t column, int64_t *to, size_t size);
/* The stamps alone. */
MUST_CHECK enum err day_block_stamps(struct bytes block, int64_t *to, size_t size);

#endif
