/* What the files of the collector share; nobody else includes it. */
#ifndef FERRARIS_HEADEND_COLLECTOR_PARTS_H
#define FERRARIS_HEADEND_COLLECTOR_PARTS_H

#include "headend/collect/collect_conn.h"
#include "headend/collect/collector.h"

#define COLLECTOR_CHUNK_ROWS    4096u  /* of one commit job, and the rest of the day */
#define COLLECTOR_WAITING_ROWS  65536u /* in the commit queue; beyond it lines stand still */
#define COLLECTOR_COUNTER_BLOCK 256u   /* numbers reserved at once: one sync of the disk */
#define COLLECTOR_COUNTER_LOW   128u   /* fewer left: more are reserved before a turn */
#define COLLECTOR_COUNTER_STOP  8u     /* fewer left within a turn: it waits for more */
#define COLLECTOR_RESOLVING     2u /* names looked up at once: they share threads with commits */
#define COLLECTOR_TICK_MS       100
#define COLLECTOR_EVENT_MS      1000 /* between two state events of a meter */
#define COLLECTOR_STORE_MAX_MS  60000

struct collect_queue {
    struct collect_meter *first, **end;
};

struct collector {
    struct collector_options o;
    uv_loop_t *loop;
    struct collect_table table;
    struct commit_queue queue;
    uint32_t rows_waiting, n_resolving;
    uint8_t title[DLMS_TITLE_LEN]; /* our system title */
    /* connections */
    struct collect_conn *conn;
    uint32_t n_conns, n_free;
    struct collect_conn *free;
    /* meters that wait for one, in order */
    struct collect_queue answering, silent;
    bool silent_next; /* when both wait */
    uv_timer_t timer;
    uv_async_t async;
    bool stopping, closed;
    uint32_t stop_ticks;
    /* under the table's lock */
    uint64_t n_rows, n_values;
    bool store_failing;
    char reason[200];
    /* loop thread; store_failing is changed there only, so it reads it without the lock */
    uint64_t store_retry_ms, store_wait_ms;
    bool store_probing;
};

uint64_t collector_mono(const struct collector *c);
int64_t collector_utc(const struct collector *c);
uint32_t collector_random(struct collector *c);

/* For reading or changing what other threads see; the end of a change asks for an event. */
struct meter_state *collector_state_begin(struct collector *c, struct collect_meter *m);
void collector_state_end(struct collector *c, struct collect_meter *m);
void collector_event(struct collector *c, const struct meter_event *event);

/* The connection is over, whatever the reason: its record and its meter are free again. */
void collector_conn_free(struct collect_conn *conn);
void collector_count(struct collector *c, uint64_t n_rows, uint64_t n_values);
/* Lines that stood still may go on. */
void collector_resume(struct collector *c);
/* Does what other threads asked for: collector_hooks.c. */
void collector_take_wishes(struct collector *c);

#endif
