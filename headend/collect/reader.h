/* One reading of one meter: from AARQ to release, without I/O, around struct cosem_client.
 *
 *     reader_begin(plan) -> take() -> line -> feed() -> events to the sink ... -> state READER_DONE
 *
 * What is read, in order: identity (logical device name, serial number; object list; of each
 * register its scaler and unit, of each profile its columns and period) when the plan asks for it;
 * the meter's clock; the registers in lists that fit the agreed conformance; the profiles by range
 * of time. A single object that the meter refuses is reported and skipped; a broken line or a wrong
 * answer ends the reading with a failure, and what was handed on before remains true.
 *
 * Fixed size, no allocation, no clock: ten thousand are an array. Works against any DLMS meter that
 * gives its object list (0-0:40.0.0.255); nothing here knows our own models.
 *
 * Invocation counters: before the association the caller supplies a struct dlms_counter that holds
 * numbers reserved in the store. A meter that refuses a counter says what it expects; that is in
 * `counter_wanted`. */
#ifndef FERRARIS_HEADEND_READER_H
#define FERRARIS_HEADEND_READER_H

#include "lib/cosem/client.h"
#include "lib/cosem/profile_rows.h"

#define READER_REGISTERS_MAX 128
#define READER_PROFILES_MAX  4
#define READER_TEXT_MAX      33

struct reader_register {
    uint8_t ln[6];
    uint16_t class_id; /* 3, 4 or 5 */
    uint8_t attribute; /* 2 */
    int8_t scaler;
    uint8_t unit;
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
    uint32_t period_s;
    uint8_t n_columns;
    struct reader_column column[PROFILE_ROWS_COLUMNS_MAX];
};
/* What the meter has, found by identification, kept by the owner between readings. */
struct reader_objects {
    bool known;
    char device_name[READER_TEXT_MAX], serial[READER_TEXT_MAX];
    uint8_t n_registers, n_profiles;
    struct reader_register reg[READER_REGISTERS_MAX];
    struct reader_profile profile[READER_PROFILES_MAX];
};

enum reader_want { READER_IDENTIFY = 1, READER_REGISTERS = 2, READER_PROFILES = 4 };

struct reader_plan {
    uint8_t want;                   /* READER_*; IDENTIFY is added when the objects are not known */
    struct reader_objects *objects; /* lent until the end; filled by identification */
    /* per profile: rows from this stamp on (UTC, included); INT64_MIN: all. Asked when that profile
     * comes to be read. *layout_changed of `columns` below makes the owner begin a new layout. */
    int64_t (*from_s)(void *context, size_t profile, int64_t meter_now_s);
    void *context;
};

/* In the order of the reading; NULL ones are not called. */
struct reader_sink {
    void *context;
    /* objects were found (again) */
    void (*identified)(void *context, const struct reader_objects *objects);
    /* the meter's clock, UTC; valid false: the meter says it is not */
    void (*clock)(void *context, int64_t utc_s, int16_t deviation_min, bool valid);
    /* result COSEM_SUCCESS: raw value (its attribute 2). Floats come as ERR_TYPE's result
     * COSEM_TYPE_UNMATCHED. */
    void (*value)(void *context, size_t reg, enum cosem_result result, int64_t raw);
    /* rows of a profile begin (n_expected rows), come one by one, end. False: no more. */
    bool (*row)(void *context, size_t profile, const struct profile_row *row);
    void (*profile_end)(void *context, size_t profile, enum cosem_result result, uint32_t n_rows);
};

enum reader_state { READER_IDLE, READER_BUSY, READER_READY, READER_DONE, READER_FAILED };

struct reader {
    enum reader_state state; /* READY: the plan is done, the association open for the next one */
    char failure[200];       /* one sentence, for people, of READER_FAILED */
    bool security_failure;   /* wrong key, counter or password: trying again soon is no use */
    uint32_t counter_wanted; /* what the meter expects of us, 0: it did not say */
    uint32_t rows_done, rows_expected;
    /* private */
    struct cosem_client client;
    struct reader_plan plan;
    struct reader_sink sink;
    uint8_t step;
    size_t at; /* object under way within the step */
    size_t n_list;
    uint64_t list_refused;
    struct profile_rows rows;
    uint8_t text_len;
    uint8_t value[64];
    uint32_t value_len;
    uint8_t scan[64];
};

/* client: as cosem_client_init; what it points to is lent until the reader is idle again. */
MUST_CHECK enum err reader_init(struct reader *r, const struct cosem_client_config *client);
/* From IDLE: connects first; from READY: goes on in the open association. */
MUST_CHECK enum err reader_begin(struct reader *r, uint64_t now_ms, const struct reader_plan *plan,
                                 const struct reader_sink *sink);
/* From READY: ends in DONE when the meter has released, or by time-out. */
MUST_CHECK enum err reader_release(struct reader *r, uint64_t now_ms);
size_t reader_feed(struct reader *r, uint64_t now_ms, const uint8_t *p, size_t n);
size_t reader_take(struct reader *r, uint8_t *to, size_t size);
uint64_t reader_poll(struct reader *r, uint64_t now_ms);
void reader_lost(struct reader *r);

#endif
