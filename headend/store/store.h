/* The head-end's store: meters, their layouts, day blocks, newest values, counters, users,
 * sessions, in one SQLite file DIR/ferraris.db (WAL). Schema and its numbers: docs/SPEC-store.md.
 *
 * One struct store is one connection: its calls are serialised by a lock inside, so any thread may
 * use it; each busy part opens its own. Writers wait for each other some seconds, then ERR_BUSY.
 * Everything between store_begin and store_commit is there wholly or not at all, also after
 * kill -9; with `durable` also after a power cut once commit has returned. A commit that fails
 * (disk full, I/O) leaves the store as it was before begin, and the next one may succeed.
 *
 * Who else may read: SQL users, through the views v_meter, v_latest, v_day_total (documented
 * there).
 *
 * Functions give ERR_OK or: ERR_NOT_FOUND, ERR_REFUSED (a unique value is taken), ERR_RANGE (a
 * parameter, or text that is no UTF-8), ERR_STATE (transactions out of turn), ERR_FULL (the disk or
 * quota), ERR_IO, ERR_BUSY, ERR_CORRUPT, ERR_MEMORY; store_why() then has the sentence. A call that
 * fails has done nothing. Inside a transaction the first four leave it usable; the others end it:
 * every call then gives that error, up to the commit (which gives it too) or rollback. Callbacks
 * may read, the same connection too; they write only if a transaction was begun around them.
 * Strings and blobs handed to callbacks are borrowed for the call. Text is UTF-8 and bound as
 * parameters only, never pasted into SQL. */
#ifndef FERRARIS_HEADEND_STORE_H
#define FERRARIS_HEADEND_STORE_H

#include "headend/base/server_clock.h"
#include "headend/store/day_block.h"
#include "lib/base/cursor.h"
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

struct store_options {
    const char *dir;                  /* made (mode 0700) where it does not exist */
    bool read_only;                   /* no migration, no writing */
    const struct server_clock *clock; /* outlives the store */
};

/* Opens, creates or migrates. *why: the sentence after an error. ERR_VERSION (made by a newer
 * version; read_only: by an older one, which would have to be migrated), ERR_BUSY, ERR_IO,
 * ERR_FULL, ERR_CORRUPT (damaged, or another program's file), ERR_NOT_FOUND (read_only and nothing
 * there). */
MUST_CHECK enum err store_open(struct store **s, const struct store_options *o, char *why,
                               size_t why_size);
void store_close(struct store *s); /* NULL is fine; an open transaction is rolled back */
/* About the last error of this connection; valid until its next call. */
const char *store_why(const struct store *s);

/* One process owns the directory for collecting: an advisory lock on DIR/lock, released with the
 * process. ERR_BUSY: another has it. */
MUST_CHECK enum err store_own(struct store *s);

/* The lock of this connection is held from begin to commit or rollback: no other thread's calls get
 * in between. Reads and writes outside are transactions of their own, durable. ERR_STATE: one is
 * open already. */
MUST_CHECK enum err store_begin(struct store *s);
/* Not durable: no sync of its own, for backlogs that can be read again; a later durable commit (or
 * store_sync) makes it so. The transaction is over in any case. ERR_STATE: none is open. */
MUST_CHECK enum err store_commit(struct store *s, bool durable);
void store_rollback(struct store *s);
MUST_CHECK enum err store_sync(struct store *s);

/* ---- meters ---- */

#define STORE_NAME_MAX   64 /* octets of UTF-8 */
#define STORE_URL_MAX    128
#define STORE_SECRET_MAX 256

enum store_auth { STORE_AUTH_NONE, STORE_AUTH_LLS, STORE_AUTH_HLS5, STORE_N_AUTHS };

struct store_meter {
    int64_t id;                    /* given by store_meter_add, never reused */
    char name[STORE_NAME_MAX + 1]; /* unique, not empty */
    char place[STORE_NAME_MAX + 1];
    char url[STORE_URL_MAX + 1]; /* tcp://host:port or tcp://[::1]:port */
    uint16_t client_sap, server_sap;
    enum store_auth auth;
    uint8_t security;                        /* DLMS_SC_AUTH | DLMS_SC_ENC */
    uint32_t timeout_ms;                     /* for each answer */
    uint32_t register_period_s;              /* between two readings of the registers */
    uint32_t ct_num, ct_den, vt_num, vt_den; /* transformer ratios that the head-end applies, 1/1:
                                                the registers are primary already */
    bool enabled;
    /* what the meter said of itself; written by store_meter_identity only */
    char device_name[33], serial[33];
    int64_t added_ms, identified_ms; /* identified_ms 0: not yet */
    uint8_t secret_len;              /* sealed keys and password (headend/keys/seal.h); 0: none */
    uint8_t secret[STORE_SECRET_MAX];
};

/* m->id is set. ERR_REFUSED: the name is taken. */
MUST_CHECK enum err store_meter_add(struct store *s, struct store_meter *m);
/* Everything but id, what the meter said, added_ms. A change of ratios begins new layouts: see
 * store_layout. */
MUST_CHECK enum err store_meter_change(struct store *s, const struct store_meter *m);
MUST_CHECK enum err store_meter_get(struct store *s, int64_t id, struct store_meter *m);
typedef bool store_meter_fn(void *context, const struct store_meter *m); /* false: stop */
/* In order of name. */
MUST_CHECK enum err store_meter_each(struct store *s, store_meter_fn *fn, void *context);
MUST_CHECK enum err store_meter_identity(struct store *s, int64_t id, const char *device_name,
                                         const char *serial);

/* Invocation counters of our side: gives the first of `n` numbers that nobody was given before for
 * this meter and client, and makes that durable before returning (its own transaction). At least
 * `floor`. ERR_RANGE when 2^32 is reached, ERR_STATE inside a transaction. */
MUST_CHECK enum err store_counter_reserve(struct store *s, int64_t meter, uint16_t client_sap,
                                          uint32_t floor, uint32_t n, uint32_t *first);
/* Least acceptable counter of the meter's answers; 0 when none was stored. */
MUST_CHECK enum err store_rx_floor_get(struct store *s, int64_t meter, uint16_t client_sap,
                                       uint32_t *floor);
/* Never lowers it. */
MUST_CHECK enum err store_rx_floor_put(struct store *s, int64_t meter, uint16_t client_sap,
                                       uint32_t floor);
/* Forgets them, for all clients: another meter is in its place, or it has other keys. */
MUST_CHECK enum err store_rx_floor_clear(struct store *s, int64_t meter);

/* ---- registers: what is read at the moment, one row each ---- */

struct store_register {
    uint8_t ln[6];
    uint16_t class_id;
    uint8_t attribute;
    int8_t scaler;
    uint8_t unit;              /* COSEM_UNIT_* */
    uint32_t mul_num, mul_den; /* what makes it primary, from the meter's ratios */
    bool valid;                /* false: known to exist, no value yet, or refused */
    int64_t value;             /* raw */
    int64_t at_ms;             /* UTC of the head-end when it came in */
    uint8_t result;            /* enum cosem_result of the last attempt, 0 success */
};
#define STORE_REGISTERS_MAX 640 /* of one meter */

/* The list as the meter's object list has it; rows that stay keep their values, others go. A row
 * whose class, scaler, unit or multiplier became another starts without a value. */
MUST_CHECK enum err store_registers_define(struct store *s, int64_t meter,
                                           const struct store_register *list, size_t n);
/* New values: rows are found by ln and attribute, unknown ones are left out. A failed attempt
 * (valid false) keeps the old value and its time and sets `result`. */
MUST_CHECK enum err store_registers_put(struct store *s, int64_t meter,
                                        const struct store_register *list, size_t n);
/* At most `size` rows in order of ln; *n of them. */
MUST_CHECK enum err store_registers_get(struct store *s, int64_t meter, struct store_register *list,
                                        size_t size, size_t *n);
/* at_ms of the newest valid register of the meter, 0 when there is none. */
MUST_CHECK enum err store_registers_newest(struct store *s, int64_t meter, int64_t *at_ms);

/* A meter as a list of all shows it. */
#define STORE_SHOWN 3
struct store_meter_line {
    struct store_meter meter;
    int64_t newest_ms; /* as store_registers_newest */
    /* Attribute 2 of the logical names asked for, in their order; valid false and class 0: the
     * meter has none. */
    struct store_register shown[STORE_SHOWN];
};
typedef bool store_meter_line_fn(void *context, const struct store_meter_line *line);
MUST_CHECK enum err store_meter_line_get(struct store *s, int64_t id,
                                         const uint8_t ln[STORE_SHOWN][6],
                                         struct store_meter_line *line);
/* In order of name; one question for all meters. */
MUST_CHECK enum err store_meter_line_each(struct store *s, const uint8_t ln[STORE_SHOWN][6],
                                          store_meter_line_fn *fn, void *context);

/* ---- profiles, layouts, rows ---- */

struct store_profile {
    int64_t id, meter;
    uint8_t ln[6];
    uint32_t period_s; /* 0: not periodic */
    /* over all layouts; 0 while empty */
    int64_t first_s, last_s;
    /* the meter's clock and our clock at the last complete reading: where to go on from, see
     * headend/collect/schedule.h */
    int64_t read_meter_s, read_ms;
    bool reread; /* rows were marked "clock adjusted": everything is to be read again once */
};
struct store_column {
    uint8_t ln[6];
    uint16_t class_id;
    uint8_t attribute;
    uint8_t unit;
    int8_t scaler;
    uint32_t mul_num, mul_den; /* what makes it primary, once, when it is shown */
};
/* What the columns of a block mean: it changes with the meter's capture objects, period, scalers or
 * ratios, and the blocks before keep theirs. */
struct store_layout {
    int64_t id, profile;
    uint32_t period_s;
    uint32_t n_columns;
    struct store_column column[DAY_COLUMNS_MAX];
};
#define STORE_PROFILES_MAX 8 /* of one meter */

/* Finds or makes the profile; p->meter, ln, period_s are given, the rest is set. A new period is
 * taken over. ERR_RANGE: STORE_PROFILES_MAX. */
MUST_CHECK enum err store_profile_find(struct store *s, struct store_profile *p);
MUST_CHECK enum err store_profiles_get(struct store *s, int64_t meter, struct store_profile *list,
                                       size_t size, size_t *n);
/* Finds or makes the layout equal to *l; sets l->id. */
MUST_CHECK enum err store_layout_find(struct store *s, struct store_layout *l);
MUST_CHECK enum err store_layout_get(struct store *s, int64_t id, struct store_layout *l);
/* Where the next reading goes on from, and whether a full one is wanted. */
MUST_CHECK enum err store_profile_mark(struct store *s, int64_t profile, int64_t read_meter_s,
                                       int64_t read_ms, bool reread);

struct store_put {
    uint32_t n_new;       /* rows that were not there before */
    int64_t from_s, to_s; /* their stamps; 0 when none */
    uint32_t n_blocks;    /* blocks written */
};
/* Rows of one layout, any days, any order; merged day by day (day_rows_merge). A day that only grew
 * keeps its version number, a changed one gets the next and the old version stays; octets that are
 * the same are not written. Day totals follow in the same transaction (the caller's). ERR_RANGE: a
 * stamp before 1970 or after 2399, a day of more than DAY_ROWS_MAX rows, or a *layout that is not
 * the stored one; ERR_NOT_FOUND: no such layout. A damaged block counts as empty and stays; what
 * comes is the next version. */
MUST_CHECK enum err store_rows_put(struct store *s, const struct store_layout *layout,
                                   const struct day_row *rows, size_t n, struct store_put *put);

struct store_block {
    int64_t profile, layout;
    int64_t day; /* days since 1970 */
    uint32_t version, n_rows;
    int64_t received_ms;
    struct bytes block; /* borrowed */
};
typedef bool store_block_fn(void *context, const struct store_block *b); /* false: stop */
/* Newest versions of the days that touch from_s..to_s (end not included), in order of day, layout.
 */
MUST_CHECK enum err store_blocks_each(struct store *s, int64_t profile, int64_t from_s,
                                      int64_t to_s, store_block_fn *fn, void *context);
/* Every version of one day, oldest first. */
MUST_CHECK enum err store_versions_each(struct store *s, int64_t profile, int64_t day,
                                        store_block_fn *fn, void *context);

struct store_day_total {
    int64_t day, layout;
    uint32_t column, n_rows, n_values;
    uint32_t n_expected;      /* rows of a whole day by the period, 0 when not periodic */
    int64_t sum, first, last; /* of the values that are there, raw; sum saturates */
};
typedef bool store_day_total_fn(void *context, const struct store_day_total *t);
/* Of the newest versions, from_day to to_day, both included, in order of day, layout, column. */
MUST_CHECK enum err store_day_totals_each(struct store *s, int64_t profile, int64_t from_day,
                                          int64_t to_day, store_day_total_fn *fn, void *context);

/* ---- users and sessions ---- */

#define STORE_USER_MAX     32
#define STORE_HASH_MAX     160 /* an argon2id string */
#define STORE_TOKEN_DIGEST 32  /* SHA-256 of a session's token */

MUST_CHECK enum err store_user_count(struct store *s, uint32_t *n);
/* Adds the user or changes the hash; with a change all the user's sessions end. */
MUST_CHECK enum err store_user_put(struct store *s, const char *name, const char *hash);
MUST_CHECK enum err store_user_hash(struct store *s, const char *name, char hash[STORE_HASH_MAX]);

struct store_session {
    uint8_t digest[STORE_TOKEN_DIGEST];
    char user[STORE_USER_MAX + 1];
    uint8_t csrf[32];
    int64_t made_ms, seen_ms, ends_ms;
};
/* Also removes the sessions that have ended, and the user's oldest beyond 20. */
MUST_CHECK enum err store_session_add(struct store *s, const struct store_session *session);
/* One that has ended by our clock is not found. */
MUST_CHECK enum err store_session_get(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST],
                                      struct store_session *session);
/* Not durable by itself: a lost one costs nothing. */
MUST_CHECK enum err store_session_seen(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST],
                                       int64_t seen_ms);
MUST_CHECK enum err store_session_end(struct store *s, const uint8_t digest[STORE_TOKEN_DIGEST]);

/* ---- the whole ---- */

struct store_verify {
    uint64_t n_blocks, n_rows, n_values, n_bad;
};
/* Reads every block of every version, checks CRC, decodes, encodes again to the same octets, and
 * compares the day totals, numbers of rows and spans; SQLite's own integrity check first. `bad`
 * (may be NULL) is told each fault; faults are a result (n_bad), not an error. */
typedef void store_bad_fn(void *context, const char *sentence);
MUST_CHECK enum err store_verify(struct store *s, store_bad_fn *bad, void *context,
                                 struct store_verify *result);

#endif
