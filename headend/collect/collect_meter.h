/* The collector's table of meters: what it remembers of each between turns, and the small part of
 * it that other threads may see.
 *
 * Loop thread only, but for `state`, `asked_read` and `asked_load`, which lie under the table's
 * lock. Records stay in place until the table is freed. */
#ifndef FERRARIS_HEADEND_COLLECT_METER_H
#define FERRARIS_HEADEND_COLLECT_METER_H

#include "headend/base/meter_state.h"
#include "headend/collect/reader.h"
#include "headend/collect/schedule.h"

#include <uv.h>

struct collect_conn;

struct collect_profile {
    bool known;              /* found in the store, with its layout */
    struct store_profile at; /* as the store has it */
    struct store_layout layout;
    bool read_here;        /* completely, by this process */
    uint64_t read_mono_ms; /* when */
};

struct collect_meter {
    struct store_meter row;
    /* under the lock */
    struct meter_state state;
    bool asked_read, asked_load;
    /* loop thread */
    struct collect_conn *conn; /* that reads it or is kept open for it */
    bool ready;                /* in the queue for a connection */
    struct collect_meter *next_ready;
    bool again; /* read once more after the turn under way */
    bool load;  /* take over the row from the store after it */
    uint64_t due_ms, registers_due_ms, profiles_due_ms;
    bool identify; /* at the next turn */
    uint64_t identified_ms;
    struct reader_objects *objects;  /* NULL until the first contact */
    struct collect_profile *profile; /* READER_PROFILES_MAX, with the objects */
    struct dlms_counter counter;
    uint32_t counter_floor, rx_floor;
    bool counter_retried;     /* after a refusal another number is tried */
    bool counter_doubted;     /* and was refused, too: only a small leap is believed now */
    uint32_t refused_counter; /* the last one then */
    bool ask;                 /* the next turn asks the meter for it: collect_ask.h */
    bool counter_checked;     /* the meter knows no greater one than the store did at start */
    int64_t clock_s;          /* the meter's clock at clock_mono_ms; 0: not known */
    uint64_t clock_mono_ms;
    uint64_t clock_set_ms; /* when it may be set next; 0: at once */
    bool event_waiting;
    uint64_t event_ms;                  /* the last state event */
    bool registers_read, profiles_read; /* the last reading of each was complete */
    /* why the last reading of the profiles was not complete; "" when it was */
    char profiles_error[sizeof((struct meter_state *)0)->error];
    bool told;                        /* the log knows that it works */
    const struct collect_meter *twin; /* another row that reads the same meter; NULL: none */
};

struct collect_table {
    uv_mutex_t lock;
    struct collect_meter **meter; /* in order of id */
    size_t n, size;
    /* ids the other threads asked about that are not in the table yet */
    int64_t *unknown;
    size_t n_unknown, unknown_size;
    bool wishes; /* some meter has asked_read or asked_load */
};

MUST_CHECK enum err collect_table_init(struct collect_table *t);
void collect_table_free(struct collect_table *t);
/* Loop thread. NULL: no memory. The meter's row is copied; a known id gives the record as it is. */
struct collect_meter *collect_table_add(struct collect_table *t, const struct store_meter *row);
/* Loop thread, or with the lock held. NULL: not there. */
struct collect_meter *collect_table_find(const struct collect_table *t, int64_t id);
/* Any thread: notes the wish. */
void collect_table_ask(struct collect_table *t, int64_t id, bool load);

#endif
