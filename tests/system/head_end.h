/* The real head-end as a process, and what its API tells of meters: for system tests. */
#ifndef FERRARIS_TEST_HEAD_END_H
#define FERRARIS_TEST_HEAD_END_H

#include "tests/system/http.h"
#include "tests/system/process.h"

struct head_end {
    pid_t pid; /* 0: does not run */
    int out;
    const char *log;   /* its level, set before the start; NULL: the program's choice */
    char err_name[32]; /* file of its stderr, the log */
    char password[64]; /* of admin; printed at the first start only, kept over restarts */
    char url[80];
    struct http_client api; /* signed in */
};

/* `ferraris headend run --data DIR --listen LISTEN` (NULL: 127.0.0.1:0); returns signed in. */
void head_end_start(struct head_end *h, const char *dir, const char *listen);
/* SIGTERM; fails unless it ends with 0. */
void head_end_stop(struct head_end *h);
/* kill -9 */
void head_end_kill(struct head_end *h);
/* After a failed test: makes sure that it is gone. */
void head_end_drop(struct head_end *h);

/* Adds the meter that serves at `url` with the keys file `keys` (guek, gak) as reader with HLS 5;
 * members of `more` (may be NULL, is decref'd) go into the request. Gives its id. */
int64_t head_end_add(struct head_end *h, const char *name, const char *url, const char *keys,
                     json_t *more);
/* The METER of the API; the caller decrefs it. */
json_t *head_end_meter(struct head_end *h, int64_t id);
/* Waits until the meter is up to date; fails after the patience. */
void head_end_await(struct head_end *h, int64_t id);
/* Asks for a reading now. */
void head_end_read(struct head_end *h, int64_t id);
/* The register's object in the answer, borrowed from *all (decref that). */
json_t *head_end_register(struct head_end *h, int64_t id, const char *obis, json_t **all);
/* Load profile 1, all of it; the caller decrefs it. */
json_t *head_end_profile(struct head_end *h, int64_t id);
/* Values of the column with this OBIS, borrowed; NULL where there is none. *column: its
 * description, may be NULL. */
const json_t *head_end_column(const json_t *profile, const char *obis, const json_t **column);
/* Load profile 1 day by day, all of it; the caller decrefs it. */
json_t *head_end_days(struct head_end *h, int64_t id);
/* Row i of the API's profile is row k of what the meter told (answers.h): stamp, status, and each
 * value the meter has. */
void head_end_row_is(const json_t *profile, size_t i, const json_t *told, size_t k);
/* Every row of `before` (may be NULL) stands in `after`, unchanged and in the same order. Gives the
 * number of rows after. */
size_t head_end_still_told(const json_t *before, const json_t *after);

#endif
