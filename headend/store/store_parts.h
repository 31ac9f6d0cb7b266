/* The store's inside, shared by its own files: the connection, its statements, and the cursor that
 * binds and reads them. Nobody else includes it, but for tests that prove the schema's mechanism.
 */
#ifndef FERRARIS_HEADEND_STORE_PARTS_H
#define FERRARIS_HEADEND_STORE_PARTS_H

#include "headend/store/store.h"
#include "headend/store/store_vfs.h"

#include <pthread.h>
#include <sqlite3.h>

#define STORE_FILE "ferraris.db"
/* Octets "FERR": what kind of file it is, in its own header. */
#define STORE_APPLICATION_ID 0x46455252
#define STORE_WHY_MAX        256
/* Stamps that the store takes: 1970 up to the end of 2399, as lib/base/civil.h. */
#define STORE_STAMP_END INT64_C(13569465600)
#define STORE_N_DAYS    (STORE_STAMP_END / DAY_S)

/* Every statement of the store, one list: store_sql.def. */
enum store_sql {
#define SQL(name, text) SQL_##name,
#include "headend/store/store_sql.def"
#undef SQL
    STORE_N_SQL
};

struct store {
    sqlite3 *db;
    struct store_vfs vfs;
    const struct server_clock *clock;
    pthread_mutex_t lock; /* recursive: held from store_begin to its end */
    bool lock_made, read_only;
    bool begun;      /* store_begin is open */
    enum err doomed; /* that transaction is gone already: its calls and its commit give this */
    int own_fd;      /* DIR/lock, -1: not ours */
    char dir[512];
    char why[STORE_WHY_MAX];
    sqlite3_stmt *statement[STORE_N_SQL]; /* prepared when first asked for */
    uint8_t *block;                       /* room for an encoded day, grows */
    size_t block_size;
};

/* ---- errors ---- */

/* Keeps the sentence, gives `err` back. */
enum err store_fail(struct store *s, enum err err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The error of SQLite's last call on this connection, as ours, with its sentence. */
enum err store_fault(struct store *s, int rc);

/* ---- lock and transactions ---- */

/* A call that writes: a transaction of its own, or a savepoint in the caller's, so that a failing
 * call leaves nothing behind. write_end gives `err` or what the commit gives; it must follow a
 * write_begin that gave ERR_OK. Both take and release the lock. */
enum err store_write_begin(struct store *s);
enum err store_write_end(struct store *s, enum err err, bool durable);
/* A call that reads: the lock, and ERR_OK unless the open transaction is gone. */
enum err store_read_begin(struct store *s);
enum err store_read_end(struct store *s, enum err err);
enum err store_exec(struct store *s, const char *sql);
/* One number of a PRAGMA or the like. */
enum err store_number(struct store *s, const char *sql, int64_t *n);

/* ---- statements ---- */

/* A statement being bound, then stepped, then read, left to right. The first error sticks. */
struct ask {
    struct store *s;
    sqlite3_stmt *st;
    int at;       /* last parameter bound, or next column to read */
    bool one_off; /* prepared for this use, since the kept one is under way further out */
    enum err err;
};
struct ask ask_of(struct store *s, enum store_sql which);
struct ask ask_text_of(struct store *s, const char *sql); /* not kept */
void ask_int(struct ask *a, int64_t v);
void ask_null(struct ask *a);
void ask_text(struct ask *a, const char *text);
void ask_blob(struct ask *a, const void *p, size_t len);
/* Next row; false at the end or at an error. */
bool ask_row(struct ask *a);
int64_t ask_get_int(struct ask *a);
/* Reads NULL as `otherwise`. */
int64_t ask_get_int_or(struct ask *a, int64_t otherwise);
/* Copies; ERR_CORRUPT sticks when it does not fit. */
void ask_get_text(struct ask *a, char *to, size_t size);
struct bytes ask_get_blob(struct ask *a); /* until the next step */
/* Copies exactly len octets, ERR_CORRUPT otherwise. */
void ask_get_exact(struct ask *a, void *to, size_t len);
/* Ends the use of the statement, gives the first error. */
enum err ask_end(struct ask *a);
/* Steps a statement without rows to its end. */
enum err ask_run(struct ask *a);
/* The same, and ERR_NOT_FOUND with `what` when it changed no row. */
enum err ask_change(struct ask *a, const char *what);
/* For a statement that must give a row: ERR_NOT_FOUND with `what` when it does not. */
enum err ask_first(struct ask *a, const char *what);

/* ERR_RANGE unless `text` is well-formed UTF-8 of min..max octets. */
enum err store_check_text(struct store *s, const char *what, const char *text, size_t min,
                          size_t max);

/* ---- schema ---- */

struct store_step {
    const char *sql;
    enum err (*also)(struct store *s); /* NULL: the text is all */
};
/* Step k leads from version k to k + 1. One transaction for all that are missing. */
enum err store_migrate(struct store *s, const struct store_step *steps, unsigned n);
extern const struct store_step store_steps[];
extern const unsigned store_n_steps;

/* ---- registers ---- */

/* The next ten columns, as SQL_REGISTERS has them; all zero where the first is NULL. */
void store_register_take(struct ask *a, struct store_register *r);

/* ---- totals ---- */

/* The totals of one day: how they stand in the row of their block, see docs/SPEC-store.md. */
#define STORE_TOTALS_MAX (DAY_COLUMNS_MAX * 88 + 3)
void store_totals_of(const struct day_rows *rows, struct store_day_total *total);
size_t store_totals_put(const struct store_day_total *total, uint32_t n_columns, char *to);
/* Fills column, n_values, sum, first, last of at most DAY_COLUMNS_MAX. ERR_CORRUPT. */
enum err store_totals_get(const char *text, uint32_t n_rows, struct store_day_total *total,
                          uint32_t *n_columns);

#endif
