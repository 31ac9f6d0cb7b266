/* Event logs: each a ring of the store, entry = when it happened and the event's number.
 *
 * What is reported with meter_event() is in the log of the model's map (model/events.h) before the
 * next answer leaves the meter and before the next snapshot counts; it is not written on the
 * power-fail path, which only stores energy: "power down" is entered at the next power-up, with the
 * time the meter last knew. Entries lie in the order in which they were reported. */
#ifndef FERRARIS_METER_LOG_H
#define FERRARIS_METER_LOG_H

#include "model/events.h"

struct meter;
/* Reports an event that happened at utc_s. What the model's map does not have, or the owner's
 * filter holds back, is not entered. A failing flash is kept in the meter's fault. */
void meter_event(struct meter *m, enum model_event e, int64_t utc_s);

#endif
