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
/* "power down"; "?" where there is none. */
const char *model_event_text(unsigned e);

#endif
