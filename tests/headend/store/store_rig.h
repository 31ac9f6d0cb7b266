/* What the tests of the store share: a directory of its own, a clock that stands still until told,
 * and rows that look like a load profile and differ by meter, day and interval. */
#ifndef FERRARIS_TESTS_STORE_RIG_H
#define FERRARIS_TESTS_STORE_RIG_H

#include "headend/store/store.h"

#define RIG_NOW_MS  INT64_C(1795241100000)
#define RIG_DAY     20778 /* days since 1970, 2026-11-21 */
#define RIG_PERIOD  900
#define RIG_PER_DAY 96

struct rig {
    char dir[64];
    int64_t now_ms;
    struct server_clock clock;
    struct store *s;
};

/* A new empty directory, nothing open. */
void rig_make(struct rig *r);
/* Opens r->s, which must work. */
void rig_open(struct rig *r);
/* Another connection. */
struct store *rig_connect(struct rig *r);
/* Closes and removes everything. */
void rig_remove(struct rig *r);
/* A path in the directory; in a static buffer of the caller's. */
const char *rig_path(const struct rig *r, const char *name, char room[128]);

struct store_meter rig_meter(const char *name);
/* Adds a meter and makes its load profile and layout; all must work. */
struct store_layout rig_layout(struct store *s, const char *meter, uint32_t n_columns);
/* Rows from..from+n-1 (intervals) of a day; `seed` makes others. */
void rig_rows(struct day_row *rows, int64_t day, uint32_t from, uint32_t n, uint32_t n_columns,
              uint32_t seed);
/* All rows that the newest versions hold, decoded; 0 rows for a day without a block. */
void rig_day(struct store *s, int64_t profile, int64_t day, struct day_rows *rows);
/* Asserts that store_verify finds nothing. */
struct store_verify rig_verify(struct store *s);
/* One number of SQL, asked by a connection of its own. */
int64_t rig_sql(const struct rig *r, const char *sql);

#endif
