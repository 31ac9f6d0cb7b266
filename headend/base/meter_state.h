/* What the collector knows of a meter beyond the store: shown by the API, made by the collector.
 *
 * The API does not include the collector; it is given the functions of struct collector_hooks. */
#ifndef FERRARIS_HEADEND_METER_STATE_H
#define FERRARIS_HEADEND_METER_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum meter_activity {
    METER_DISABLED, /* by the user: never contacted */
    METER_WAITING,  /* for the next reading at next_ms */
    METER_CONNECTING,
    METER_READING,
    METER_N_ACTIVITIES
};

struct meter_state {
    enum meter_activity activity;
    bool up_to_date;    /* the last reading of registers and profiles was complete */
    uint32_t n_failed;  /* attempts failed in a row */
    int64_t last_ok_ms; /* UTC; 0: never since start */
    int64_t next_ms;    /* UTC of the next attempt; 0: none or now */
    char error[200];    /* of the last attempt, for people; "" after a success */
    /* of the reading under way, for a progress bar: rows taken and expected; 0 0 when unknown */
    uint32_t rows_done, rows_expected;
};

struct collector_totals {
    uint32_t n_meters;     /* enabled */
    uint32_t n_up_to_date; /* read completely at least once since start, and not failing */
    uint32_t n_failing;
    uint32_t n_connections;
    uint64_t n_rows;    /* profile rows stored since start */
    uint64_t n_values;  /* registers and profile values stored since start */
    bool store_failing; /* the last commit failed, e.g. the disk is full: see reason */
    char reason[200];
};

/* Any thread. */
struct collector_hooks {
    void *context;
    /* A meter was added, or its row in the store changed. */
    void (*meter_changed)(void *context, int64_t meter);
    /* Read registers and profiles as soon as possible. */
    void (*read_now)(void *context, int64_t meter);
    /* False: not known (yet). */
    bool (*state)(void *context, int64_t meter, struct meter_state *out);
    void (*totals)(void *context, struct collector_totals *out);
};

/* What happened, for live pages. Called in the collector's thread after the commit; must not block.
 */
enum meter_event_kind { METER_EVENT_STATE, METER_EVENT_REGISTERS, METER_EVENT_PROFILE };
struct meter_event {
    enum meter_event_kind kind;
    int64_t meter;
    int64_t profile;      /* of METER_EVENT_PROFILE */
    int64_t from_s, to_s; /* stamps of the new rows, both ends included */
};
typedef void meter_event_fn(void *context, const struct meter_event *event);

#endif
