/* Event logs: each a ring of the store, entry = when it happened and the event's number.
 *
 *     meter_event() -> queue -> meter_log_flush() -> ring of the log
 *                        \-> snapshot (what is queued is owed to the rings)
 *
 * What is reported with meter_event() is in the log of the model's map (model/events.h) before the
 * next answer leaves the meter. A snapshot holds the queue, and meter_log_start() completes the
 * rings from it, so no entry is there twice (entries of all logs are numbered together), and what
 * changes with the snapshot (clock set, periods, rates, profiles emptied) is there with its entry
 * or not at all. What has a key of its own (parameters, limits, filters, clock rules, keys) is
 * decided by that key, before the entry: a cut between them leaves the change without its entry.
 * Nobody was told then that it was done, and of parameters and limits the audit trail knows.
 * Nothing is written on the power-fail path, which only stores
 * energy and the queue: "power down" is entered at the next power-up, with the time the meter last
 * knew. Entries lie in the order in which they were reported.
 *
 * An event that repeats takes METER_LOG_BURST entries at once and then one an hour; one that each
 * power-up can bring, then one a day; one that anybody on a line can cause, METER_LOG_LINE_BURST
 * and then one a day. The first that finds no room is entered as "left out" in the same log, and
 * only the first until all is quiet again. The room is in the snapshot, and entries after it are
 * counted at the start: a power cut renews none. Outages that are left out still count
 * (meter_outage.h). So one fault needs days to push the others out of a log, a supply that flickers
 * months, and 20 years of every fault at once stay below the flash's erases (docs/EVENTS.md). */
#ifndef FERRARIS_METER_LOG_H
#define FERRARIS_METER_LOG_H

#include "firmware/meter/meter_outage.h"
#include "lib/base/cursor.h"
#include "model/events.h"

#define METER_LOG_ENTRY_SIZE 16
#define METER_LOG_QUEUE      6 /* events that change with one snapshot */
#define METER_LOG_FILTER_MAX 32
#define METER_LOG_BURST      8
#define METER_LOG_LINE_BURST 4
#define METER_LOG_RETRY_S    60 /* a log whose flash failed is left in peace */
#define METER_LOG_REFUSALS   3  /* failed authentications in a row of a client make one event */

struct meter_log_entry {
    uint32_t number; /* over all logs, from 1 */
    uint32_t utc_s;
    int16_t deviation; /* of local time then, minutes */
    uint8_t clock_status;
    uint8_t code;   /* of the model's map; 0 in the power failure log */
    uint32_t extra; /* power failure log: seconds without supply; "left out": code of which event;
                       of the supervision: how bad it was (meter_event_unit()) */
};
struct meter_log { /* fields are private to firmware/meter; small ones first, see struct meter */
    uint32_t next_number;
    uint8_t n_queued;
    int64_t refill_ns; /* crystal: the next hour */
    uint32_t failed;   /* logs that are left in peace until */
    int64_t retry_ns;  /* this, crystal */
    uint8_t hours;     /* of the day of 24 refills */
    struct meter_log_queued {
        struct meter_log_entry e;
        uint8_t log; /* enum model_log_id */
    } queue[METER_LOG_QUEUE];
    uint8_t held[(MODEL_N_EVENTS + 7) / 8]; /* the owner's filters, bit e of enum model_event */
    uint8_t left[MODEL_N_EVENTS + 1]; /* entries it may still have; top bit: told; last: outages */
    uint8_t n_refused[COSEM_CLIENTS_MAX]; /* authentications in a row, of the server's clients */
};
/* Of the snapshot: logs and outages. The room of the events is behind it (meter_snapshot.c). */
#define METER_LOG_STATE_SIZE                                                                       \
    (4 + 1 + METER_LOG_QUEUE * (1 + METER_LOG_ENTRY_SIZE) + METER_OUTAGE_STATE_SIZE)

struct meter;
/* Reports an event that happened at utc_s. What the model's map does not have, or the owner's
 * filter holds back, is not entered. A failing flash is kept in the meter's fault. */
void meter_event(struct meter *m, enum model_event e, uint32_t utc_s);
/* The same, happening now. */
void meter_event_now(struct meter *m, enum model_event e);
/* The same with a number: how much it was, in a unit of the event's. */
void meter_event_value(struct meter *m, enum model_event e, uint32_t utc_s, uint32_t extra);
/* The end of something whose begin was entered: not limited. */
void meter_event_over(struct meter *m, enum model_event e, uint32_t utc_s, uint32_t extra);
/* The same of the first of three events, L1, for this phase (0..2). */
void meter_event_phase(struct meter *m, enum model_event of_l1, unsigned phase, uint32_t utc_s);
/* True when the next meter_event() of it would be entered. */
bool meter_event_wanted(const struct meter *m, enum model_event e);
/* A power failure that ended at utc_s, into the log for those: as often as an event. True: there is
 * an entry of it. */
bool meter_log_outage(struct meter *m, uint32_t utc_s, uint32_t duration_s);
/* Writes what is queued to the rings; of a log that failed, after METER_LOG_RETRY_S. Not while the
 * supply fails. */
void meter_log_flush(struct meter *m);

/* Entries of a log: their number, at most model.log_depth; sequence number in the ring of the
 * newest. 0: none. */
uint32_t meter_log_count(const struct meter *m, unsigned log);
uint64_t meter_log_newest(const struct meter *m, unsigned log);
/* ERR_NOT_FOUND (no such log or entry), ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err meter_log_read(const struct meter *m, unsigned log, uint64_t seq,
                                   struct meter_log_entry *out);
/* Code of the newest entry, 0: none. */
uint8_t meter_log_code(const struct meter *m, unsigned log);
/* Empties a log; the first entry then says so (in the standard log for the power failure log). The
 * others stay as they are. ERR_NOT_FOUND (no such log), ERR_IO, ERR_FULL. */
MUST_CHECK enum err meter_log_clear(struct meter *m, unsigned log);
/* Codes that are not entered in a log. get: at most METER_LOG_FILTER_MAX octets, sorted. set:
 * ERR_RANGE (more, twice the same, a code that the log does not have or that says what happened to
 * the log itself), ERR_IO, ERR_FULL: the filter is as before. */
size_t meter_log_filter(const struct meter *m, unsigned log, uint8_t codes[METER_LOG_FILTER_MAX]);
MUST_CHECK enum err meter_log_filter_set(struct meter *m, unsigned log, struct bytes codes);

/* Filters, and the threshold of long outages, to the flash. */
MUST_CHECK enum err meter_log_store(struct meter *m);

/* For meter.c. Before the snapshot is read: logs as delivered, filters from the flash. After it:
 * numbers go on, what is owed is still queued. */
MUST_CHECK enum err meter_log_load(struct meter *m);
void meter_log_start(struct meter *m);
struct meter_io;
/* METER_LOG_STATE_SIZE octets of the snapshot, to it or from it. */
void meter_log_state(const struct meter_io *io, struct meter *m);
/* Hours pass (crystal), those without supply at the next start. */
void meter_log_run(struct meter *m);
/* What the server tells (cosem_server_config): meter_access.c. */
void meter_access_authenticated(void *context, uint16_t client_sap, bool ok);
void meter_access_refused(void *context, uint16_t client_sap, enum err why);

#endif
