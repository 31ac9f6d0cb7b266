/* The collector: reads every enabled meter of the store, again and again, over TCP, in one libuv
 * loop.
 *
 * One fixed-size record per connection (struct collect_conn) around struct reader; records are
 * taken from an array at start, meters wait their turn. What a reading brings is gathered in the
 * record and committed in a worker thread, several meters in one transaction; a reading counts only
 * after the commit. Live readings are committed durably; a backlog (more than a day of rows) is
 * committed piece by piece without a sync, and once with it at its end.
 *
 * Identity: a meter's row is bound to the logical device name it told first. When another name
 * answers at the address, nothing of it is stored and the meter's error says so, until the user
 * changes the row's URL (meter_changed with another URL clears the name: what answers there now is
 * the meter). Two enabled rows with the same name are read both; the error of the later one warns.
 *
 * Our system title is made from the data directory's key and the meter's id: no two head-ends share
 * nonces, nor two rows of one, whose meters may have the same keys.
 *
 * Clocks: where the options say so, a meter whose clock is off within their limits is told ours in
 * the course of a reading, an hour after the last attempt at the earliest; the log says by how much
 * it was off, or why it could not be set. Only a meter that told its own device name is.
 *
 * Plans: registers every register_period_s of the meter; each profile some seconds after its period
 * ends, from where it left off (schedule.h). A failure waits 5 s, 10 s ... 15 minutes; a security
 * failure 15 minutes at once. Meters that do not answer hold three quarters of the
 * connections at most and take turns with the others, so that an outage of thousands does not delay
 * those that answer. */
#ifndef FERRARIS_HEADEND_COLLECTOR_H
#define FERRARIS_HEADEND_COLLECTOR_H

#include "firmware/hal/rng.h"
#include "headend/base/meter_state.h"
#include "headend/base/server_log.h"
#include "headend/keys/seal.h"
#include "headend/store/store.h"

#include <uv.h>

struct collector;

struct collector_options { /* all pointers outlive the collector */
    uv_loop_t *loop;
    const char *dir; /* the store's; the collector opens connections of its own */
    const struct seal_key *key;
    const struct server_clock *clock;
    const struct server_log *log;
    const struct hal_rng *rng;
    uint32_t max_connections; /* 0: 256 */
    /* Meters' clocks are set when off by so many seconds to so many; 0 to 0: never. */
    uint32_t clock_from_s, clock_to_s;
    meter_event_fn *event; /* NULL: nobody listens */
    void *event_context;
};

/* Loads the meters and begins. *why: the sentence after an error. */
MUST_CHECK enum err collector_start(struct collector **c, const struct collector_options *o,
                                    char *why, size_t why_size);
struct collector_hooks collector_hooks(struct collector *c);
/* Loop thread. Lets commits under way finish, releases and closes the connections; the loop then
 * runs empty. */
void collector_stop(struct collector *c);
/* After the loop is empty. */
void collector_free(struct collector *c);

#endif
