/* Decoder of a profile's buffer (class 7 attribute 2) as it comes in from the client, piece by
 * piece: an array of structures into rows of integers, in fixed memory.
 *
 * The columns are said beforehand (capture_objects). A row's clock becomes UTC and zone, its status
 * is kept apart, other columns become 64-bit integers; a value that is no integer (or does not fit)
 * becomes PROFILE_ROWS_MISSING and is counted. null-data means "as in the row before", and in the
 * clock column "one period later" (Blue Book 4.3.6.2.2). A row whose date and time are not all
 * given, or that follows such a row with null-data for its clock, stands nowhere in time: it is
 * left out and counted. Compact arrays are refused (ERR_UNSUPPORTED). Hostile octets end in an
 * error, never in a loop or a wrong row: a row is handed on when its last column is complete. */
#ifndef FERRARIS_COSEM_PROFILE_ROWS_H
#define FERRARIS_COSEM_PROFILE_ROWS_H

#include "lib/base/cursor.h"
#include "lib/base/err.h"
#include "lib/cosem/value_walk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROFILE_ROWS_COLUMNS_MAX 34 /* with clock and status */
#define PROFILE_ROWS_VALUES_MAX  32
#define PROFILE_ROWS_MISSING     INT64_MIN

enum profile_rows_role {
    PROFILE_ROWS_VALUE, /* an integer: the next of row.value */
    PROFILE_ROWS_CLOCK, /* date-time, as octet-string of 12 or tag 25 */
    PROFILE_ROWS_STATUS /* up to 32 bits: unsigned, bit-string or octet-string, first bit highest */
};

struct profile_row {
    int64_t stamp_s; /* UTC; without a clock column: 0 */
    int16_t
        deviation_min; /* of the meter's date-time: local = UTC + this (sign as shown to people) */
    uint8_t clock_status;
    uint32_t status;
    int64_t value[PROFILE_ROWS_VALUES_MAX];
};

struct profile_rows_config {
    uint8_t n_columns;
    uint8_t role[PROFILE_ROWS_COLUMNS_MAX]; /* enum profile_rows_role */
    uint32_t period_s;
    int16_t deviation_min; /* for date-times that do not say theirs; sign as in the row */
    void *context;
    bool (*row)(void *context, const struct profile_row *row); /* false: no more, ERR_FULL */
};

struct profile_rows {
    struct profile_rows_config config;
    uint32_t n_expected;  /* rows the array said it holds; valid once the first octets are in */
    uint32_t n_rows;      /* handed on */
    uint32_t n_missing;   /* values that were no integers, among them those of rows left out */
    uint32_t n_unstamped; /* rows left out for want of a time */
    /* private */
    struct value_walk walk;
    uint8_t n_values;       /* of the row under way */
    bool has_clock;         /* among the columns */
    bool stamped;           /* row.stamp_s is known */
    struct profile_row row; /* under way; until it is complete also the row before, for null-data */
};

/* ERR_RANGE: no column, too many columns or values, two clocks or two statuses. */
MUST_CHECK enum err profile_rows_init(struct profile_rows *p, const struct profile_rows_config *c);
/* Sticky errors: ERR_TYPE, ERR_FORMAT, ERR_DEPTH, ERR_RANGE (number of columns), ERR_UNSUPPORTED,
 * ERR_FULL. */
MUST_CHECK enum err profile_rows_feed(struct profile_rows *p, struct bytes part);
/* At the end of the value: ERR_TRUNCATED when something is open. */
MUST_CHECK enum err profile_rows_end(const struct profile_rows *p);

#endif
