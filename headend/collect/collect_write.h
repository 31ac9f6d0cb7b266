/* What a turn hands to the store. Private to headend/collect; see collect_turn.h. */
#ifndef FERRARIS_HEADEND_COLLECT_WRITE_H
#define FERRARIS_HEADEND_COLLECT_WRITE_H

#include "headend/collect/collect_turn.h"

/* Appends a row of the profile; a full piece goes into the commit queue with the day's last row.
 * False: no memory. */
bool write_row(struct collect_conn *conn, size_t profile, const struct profile_row *row);
/* The registers go ahead: what follows takes long. */
void write_registers(struct collect_conn *conn);
/* No more rows of it; complete: with its mark. */
bool write_profile_end(struct collect_conn *conn, size_t profile, bool complete);
/* All that is held goes into the queue, then the end of the turn, which is durable. False: no
 * memory. */
bool write_turn_end(struct collect_conn *conn);
/* Throws away what is not in the queue. */
void write_drop(struct collect_conn *conn);
/* The job that takes over what the meter has: identity, registers, profiles, layouts; then
 * turn_defined(). */
void write_define(struct collect_conn *conn);
/* The job that reserves counters; then turn_counted(). */
void write_counter(struct collect_conn *conn, uint32_t floor);

/* Back in the loop thread; conn->define, conn->counter, w->job have the result. */
void turn_defined(struct collect_conn *conn);
void turn_counted(struct collect_conn *conn);
void turn_written(struct collect_conn *conn, const struct collect_write *w);

#endif
