/* One reading of one meter: from AARQ to release, without I/O, around struct cosem_client.
 *
 *     reader_begin(plan) -> take() -> line -> feed() -> events to the sink -> READER_READY
 *     reader_release()   -> take() -> line -> feed() -> READER_DONE
 *
 * What is read, in order: identity (logical device name, serial number; object list; of each
 * register its scaler and unit, of each profile its columns and period) when the plan asks for it;
 * the meter's clock, which is set when the plan says so; the registers in lists that fit the agreed
 * conformance; the profiles by range of time. A single object that the meter refuses is reported
 * and skipped; a broken line or a wrong answer ends the reading with a failure, and what was handed
 * on before remains true.
 *
 * Fixed size, no allocation, no clock: ten thousand are an array. It must not move between
 * reader_init and its last call. Works against any DLMS meter that gives its object list
 * (0-0:40.0.0.255); nothing here knows our own models. The meter is hostile input: values are
 * bounded, and an answer that brings nothing for 1 MiB or eight time-outs ends the reading.
 *
 * Invocation counters: before the association the caller supplies a struct dlms_counter that holds
 * numbers reserved in the store. A meter that refuses a counter within an association says what it
 * expects; that is in `counter_wanted`. Most refuse an association and do not say why: its owner
 * then asks the meter's counter object.
 *
 * To hold a fast meter back, stop calling take() and feed(), and poll() too: the meter sends no
 * more than one PDU unasked. The time-out goes on meanwhile: feed before the next poll. */
#ifndef FERRARIS_HEADEND_READER_H
#define FERRARIS_HEADEND_READER_H

#include "lib/cosem/client.h"
#include "lib/cosem/profile_rows.h"
#include "lib/cosem/value_walk.h"
#include "lib/dlms/datetime.h"

#define READER_REGISTERS_MAX 640 /* 12 octets each, in the objects of every meter */
#define READER_PROFILES_MAX  4
#define READER_TEXT_MAX      33
#define READER_ROWS_MAX      20000000u /* of one profile: 38 years of minutes */

struct reader_register {
    uint8_t ln[6];
    uint16_t class_id; /* 3, 4 or 5 */
    uint8_t attribute; /* 2 */
    int8_t scaler;
    uint8_t unit; /* 255 also where the meter refused to tell */
};
struct reader_column {
    uint8_t ln[6];
    uint16_t class_id;
    uint8_t attribute;
    uint8_t role; /* enum profile_rows_role */
    int8_t scaler;
    uint8_t unit;
};
struct reader_profile {
    uint8_t ln[6];
    uint32_t period_s;    /* 0: not periodic, or refused */
    uint16_t n_captured;  /* columns the meter has; 0: it did not tell */
    uint8_t n_columns;    /* n_captured, or 0 where those are too many */
    uint32_t columns_sum; /* of what it told of its columns, to see a change */
    struct reader_column column[PROFILE_ROWS_COLUMNS_MAX];
};
/* What the meter has, found by identification, kept by the owner between readings. Load profiles
 * are those of OBIS C.D = 99.1 and 99.2. Of more registers than fit, those of electricity (A = 1)
 * and of the present (F = 255) are kept; the collector's log says how many are not. */
struct reader_objects {
    bool known;       /* false while an identification is under way, and after it failed */
    uint8_t list_max; /* attributes the meter takes in one GET, learnt; 0: nothing learnt */
    char device_name[READER_TEXT_MAX], serial[READER_TEXT_MAX]; /* "": refused */
    uint16_t n_registers;
    uint8_t n_profiles;
    uint16_t registers_left_out, profiles_left_out; /* there was no room for */
    struct reader_register reg[READER_REGISTERS_MAX];
    struct reader_profile profile[READER_PROFILES_MAX];
};

enum reader_want {
    READER_IDENTIFY = 1,
    READER_REGISTERS = 2,
    READER_PROFILES = 4,
    /* Before anything is read: is it still the meter whose objects are known? A new association
     * tells its device name, each profile its columns and period; a difference ends the reading in
     * FAILED, with `changed`. Rows of one meter or layout never pass for those of another. */
    READER_CHECK = 8
};

struct reader_plan {
    uint8_t want;                   /* READER_*; IDENTIFY is added when the objects are not known */
    uint8_t profiles;               /* bit i: profile i; 0: all of them */
    struct reader_objects *objects; /* lent until the end; filled by identification */
    /* per profile: rows from this stamp on (UTC, included); INT64_MIN: all. Asked when that profile
     * comes to be read; older rows may come all the same. meter_now_s: INT64_MIN where the meter
     * did not tell its time. NULL: all rows. */
    int64_t (*from_s)(void *context, size_t profile, int64_t meter_now_s);
    /* Our UTC. The meter's clock is set by it, at most once, where it is off by clock_from_s to
     * clock_to_s (both included), or says that it is not valid and is off by no more than
     * clock_to_s. Left alone: one that does not tell its zone, and one that took clock_from_s to
     * answer. NULL: every clock. */
    int64_t (*utc_ms)(void *context);
    uint32_t clock_from_s, clock_to_s;
    void *context;
};

/* In the order of the reading; NULL ones are not called. None may call the reader. */
struct reader_sink {
    void *context;
    /* objects were found (again) */
    void (*identified)(void *context, const struct reader_objects *objects);
    /* the meter's clock, UTC; deviation: local = UTC + it, 0 where the meter does not say; valid
     * false: the meter says it is not, or gave no whole date (then utc_s is 0). Not called where
     * the meter refuses its clock. */
    void (*clock)(void *context, int64_t utc_s, int16_t deviation_min, bool valid);
    /* The clock was to be set: off_ms is how far it was ahead. After a success clock() is called
     * again. */
    void (*clock_set)(void *context, int64_t off_ms, enum cosem_result result);
    /* result COSEM_SUCCESS: raw value (its attribute 2). What is no integer, or none of 64 bits
     * with sign, comes as COSEM_TYPE_UNMATCHED. */
    void (*value)(void *context, size_t reg, enum cosem_result result, int64_t raw);
    /* Rows of a profile, one by one. False: no more; the reading ends in READER_FAILED. */
    bool (*row)(void *context, size_t profile, const struct profile_row *row);
    /* Once for each profile asked for. COSEM_TYPE_UNMATCHED: its rows do not fit its columns.
     * COSEM_OTHER_REASON with reader_profile_problem(): it was not asked. */
    void (*profile_end)(void *context, size_t profile, enum cosem_result result, uint32_t n_rows);
};

enum reader_state { READER_IDLE, READER_BUSY, READER_READY, READER_DONE, READER_FAILED };

/* Private: parts of the value under way. */
struct reader_got {
    int64_t number; /* also the clock's instant */
    int8_t scaler;
    uint8_t unit;
    int16_t deviation_min;
    bool valid, has_zone;
    uint16_t ms;       /* of the clock, beyond number */
    uint16_t class_id; /* of an object or a column */
    uint8_t ln[6];
    uint8_t attribute;
    bool unreadable; /* attribute 2 of the object */
    uint32_t sum;    /* of columns */
    char text[READER_TEXT_MAX];
};

struct reader {
    enum reader_state state; /* READY: the plan is done, the association open for the next one */
    char failure[200];       /* one sentence, for people, of READER_FAILED */
    bool changed;            /* READER_CHECK found a difference: identify anew */
    bool security_failure;   /* wrong key, counter or password: trying again soon is no use */
    uint32_t counter_wanted; /* what the meter expects of us, 0: it did not say */
    uint32_t rows_done, rows_expected; /* of this plan so far */
    /* private: see reader_parts.h */
    struct cosem_client client;
    struct reader_plan plan;
    struct reader_sink sink;
    uint64_t now_ms;
    uint32_t idle_octets; /* since anything useful came */
    uint8_t step;
    bool asked;             /* an answer of this step is awaited */
    uint16_t at;            /* object under way within the step */
    uint8_t column;         /* of a profile */
    uint8_t n_list, n_left; /* values asked for, and not yet come */
    uint8_t want;
    bool whole;       /* this profile is read without a range */
    bool checked;     /* this profile's columns and period are those known */
    bool endless;     /* gave up on an answer */
    bool reused;      /* the association was open before this plan */
    bool clock_tried; /* to set it, in this plan */
    enum err bad;     /* of the value under way */
    uint32_t rows_before;
    int64_t meter_now_s;
    int16_t deviation_min;        /* of the meter's clock, sign as shown to people */
    int64_t asked_utc_ms, off_ms; /* when the clock was asked for; how far it was ahead */
    uint32_t delay_ms;            /* until it was told */
    uint8_t new_time[2 + DATETIME_LEN];
    struct reader_got got;
    struct value_walk walk;
    struct profile_rows rows;
};

/* client: as cosem_client_init, whose errors it gives; what it points to is lent until the reader
 * is idle again. */
MUST_CHECK enum err reader_init(struct reader *r, const struct cosem_client_config *client);
/* From READY: goes on in the open association. Else, but when BUSY: connects first, on a new line.
 * ERR_STATE, ERR_RANGE (no objects), or as cosem_client_connect; then nothing has changed but
 * `failure`. */
MUST_CHECK enum err reader_begin(struct reader *r, uint64_t now_ms, const struct reader_plan *plan,
                                 const struct reader_sink *sink);
/* From READY: ends in DONE when the meter has released, by time-out, or when the line is lost.
 * After an error close the line. */
MUST_CHECK enum err reader_release(struct reader *r, uint64_t now_ms);
/* As those of cosem_client: feed gives the octets used, fewer than n only while output waits or
 * after a failure; poll gives the next instant to call it at, UINT64_MAX for none. */
size_t reader_feed(struct reader *r, uint64_t now_ms, const uint8_t *p, size_t n);
size_t reader_take(struct reader *r, uint8_t *to, size_t size);
uint64_t reader_poll(struct reader *r, uint64_t now_ms);
/* The line is gone: BUSY becomes FAILED (DONE while releasing), READY becomes DONE. */
void reader_lost(struct reader *r);

/* Why a profile cannot be read, one clause: "has no clock among its columns"; NULL: it can. */
const char *reader_profile_problem(const struct reader_profile *p);

#endif
