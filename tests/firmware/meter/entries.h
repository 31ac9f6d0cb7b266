/* What a test's meter has in its event logs. */
#ifndef FERRARIS_TEST_METER_ENTRIES_H
#define FERRARIS_TEST_METER_ENTRIES_H

#include "tests/firmware/meter/rig.h"

/* Entries of a log, oldest first; gives their number. */
size_t entries(const struct rig *r, unsigned log, struct meter_log_entry *out, size_t max);
/* How many entries of an event there are in all logs. */
unsigned entries_of(const struct rig *r, enum model_event e);
/* The newest of them. */
bool entry_of(const struct rig *r, enum model_event e, struct meter_log_entry *out);

#endif
