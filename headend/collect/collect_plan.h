/* What follows from a turn's end: the meter's state as others see it, its next turn, the log; and
 * from the store's failures. Private to headend/collect. */
#ifndef FERRARIS_HEADEND_COLLECT_PLAN_H
#define FERRARIS_HEADEND_COLLECT_PLAN_H

#include "headend/collect/collector_parts.h"

/* Everything of the turn is stored or failed: the line is kept, released or closed. */
void plan_turn_over(struct collect_conn *conn);
/* The store has taken over what the meter said of itself. */
void plan_identified(struct collector *c, struct collect_meter *m);
/* What became of a job: the store works, or does not. */
void plan_store_result(struct collector *c, enum err err, const char *why);
/* The row of the store is taken over, soon. */
void plan_load(struct collector *c, int64_t id);
/* Whether this turn may set the meter's clock. */
bool plan_clock_due(const struct collect_conn *conn);
/* The meter told its time: conn->clock_s. One that is off beyond the limit is only told of. */
void plan_clock_told(struct collect_conn *conn);
/* As clock_set of the reader's sink. */
void plan_clock_set(struct collect_conn *conn, int64_t off_ms, enum cosem_result result);
/* Both kinds of reading are due at once. */
void plan_now(struct collector *c, struct collect_meter *m);

#endif
