/* A profile (class 7) read from a meter: columns with units, rows as JSON values. */
#ifndef FERRARIS_CLI_CLIENT_PROFILE_H
#define FERRARIS_CLI_CLIENT_PROFILE_H

#include "cli/client_object.h"

#include "lib/cosem/profile_select.h"

#define PROFILE_COLUMNS_MAX 64

struct profile_view {
    uint8_t ln[6];
    size_t n_columns;
    struct profile_column column[PROFILE_COLUMNS_MAX];
    struct value_unit unit[PROFILE_COLUMNS_MAX];
    uint32_t period_s; /* 0: not periodic */
    json_t *rows;      /* array of arrays; null-data is filled in from the row before */
};

/* What to read: everything unless one of the three is set. */
struct profile_wish {
    bool by_time;
    uint8_t from[12], to[12]; /* date-times, both ends included */
    bool by_entry;
    uint32_t first, last; /* from 1; last 0: the last */
    uint32_t newest;      /* the last N rows; 0: not asked */
};

/* profile_free ends it, after a failure, too. */
int profile_read(struct link *l, const uint8_t ln[6], const struct profile_wish *wish,
                 struct profile_view *p);
void profile_free(struct profile_view *p);

/* {"columns":[...],"rows":[...],"capture_period_s":N}; cells are raw values, a column's scaler
 * stands beside it. The caller owns it. */
json_t *profile_json(const struct profile_view *p);
/* Scaled values under headings, at most `max_rows` (0: all), the middle left out. */
void profile_print(const struct profile_view *p, size_t max_rows, FILE *to);
/* A curve of one column: `column` is an index or -1 for the first one that tells consumption.
 * Registers that only grow are shown as differences. False when there is no such column. */
bool profile_curve(const struct profile_view *p, int column, FILE *to);

#endif
