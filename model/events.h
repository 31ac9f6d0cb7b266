/* Events of the meters as data: which there are, and in which log and by which number each
 * companion keeps them (events.def). The program speaks of MODEL_EVENT_* only. */
#ifndef FERRARIS_MODEL_EVENTS_H
#define FERRARIS_MODEL_EVENTS_H

#include "model/meters.h"

enum model_event {
#define EVENT(name, text, idis_log, idis, dsmr_log, dsmr, seven_log) MODEL_EVENT_##name,
#include "model/events.def"
#undef EVENT
    MODEL_N_EVENTS
};

struct model_event_place {
    uint8_t log; /* enum model_log_id */
    uint8_t code;
};
/* Where a meter of this row keeps it: the log of its map, or its standard log where it lacks that
 * one. False: nowhere. */
bool model_event_place(const struct model_meter *m, enum model_event e,
                       struct model_event_place *out);
/* E of the objects 0-0:99.98.E, 96.11.E and 96.133.E: 0 .. MODEL_LOG_CODES - 1. The log that a
 * meter of this row has there; MODEL_N_LOGS: none. */
#define MODEL_LOG_CODES 10
unsigned model_log_at(const struct model_meter *m, unsigned e);
/* The event with this code in a meter's logs; MODEL_N_EVENTS: none. */
enum model_event model_event_of(const struct model_meter *m, uint8_t code);
/* "power down"; "?" where there is none. */
const char *model_event_text(unsigned e);
/* "standard", "power failures"; "?" where there is none. */
const char *model_log_text(unsigned log);

#endif
