/* Outages: when the supply was away, how often and how long, of the whole connection and of each
 * phase.
 *
 * An outage of all phases is the time without power (from the last instant the meter stored to the
 * power-up) and the time in which all voltages were below the threshold of an interruption while
 * something else kept the meter alive; the two join. A phase is out when its voltage is below that
 * threshold, and while there is no power; any: while at least one is. At power-up the phases are
 * judged by their first values. An outage counts when it ends: as a long one from one threshold of
 * the owner on, else as a short one, below another one not at all. A long one (of any phase) is an
 * entry of the power failure log. Times are the crystal's: setting the clock changes none. How long
 * it was when the crystal stood still, too, nobody knows: a long outage of 0 s.
 *
 * With a warning of the supply (meter_power_fail()) the begin is exact, without one up to
 * METER_SNAPSHOT_S early. */
#ifndef FERRARIS_METER_OUTAGE_H
#define FERRARIS_METER_OUTAGE_H

#include "firmware/legal/legal.h"
#include "lib/base/cursor.h"

enum { /* as E of the objects 0-0:96.7.E counts them */
       METER_OUTAGE_ALL,
       METER_OUTAGE_L1,
       METER_OUTAGE_L2,
       METER_OUTAGE_L3,
       METER_OUTAGE_ANY,
       METER_N_OUTAGES
};
#define METER_LONG_OUTAGE_MAX_S 86400 /* of the threshold */

struct meter_outage { /* fields are private to firmware/meter */
    bool is_entered;  /* an outage, since the newest snapshot */
    uint8_t told;     /* phases that the log knows as lost */
    uint32_t count[METER_N_OUTAGES];
    uint32_t n_long[METER_N_OUTAGES];
    uint32_t last_long_s[METER_N_OUTAGES];
    int64_t begin_ns[METER_N_OUTAGES]; /* crystal; 0: there is none now */
    uint32_t off_s;                    /* without any supply since manufacture */
    uint32_t long_s, short_s;          /* from here on it is long, it counts; METER_KEY_LOGS */
};
#define METER_OUTAGE_STATE_SIZE (METER_N_OUTAGES * (3 * 4 + 8) + 4)

struct meter;
/* Of kind METER_OUTAGE_*: outages that ended, the long ones among them, how long the last long one
 * was. Outages of all phases that were not long. */
uint32_t meter_outage_count(const struct meter *m, unsigned kind);
uint32_t meter_outage_long(const struct meter *m, unsigned kind);
uint32_t meter_outage_last_s(const struct meter *m, unsigned kind);
uint32_t meter_outage_short(const struct meter *m);
uint32_t meter_outage_off_s(const struct meter *m);
/* From `long_s` on an outage is long, from `short_s` on it counts (0: all). ERR_RANGE: long_s
 * outside 1..METER_LONG_OUTAGE_MAX_S, short_s above long_s; ERR_IO, ERR_FULL: it is as before. */
MUST_CHECK enum err meter_outage_limits_set(struct meter *m, uint32_t long_s, uint32_t short_s);

/* For meter.c: there was no power from a state of the crystal until now. Tells the logs that there
 * is again, and damage of the memory that was found. */
void meter_outage_power_up(struct meter *m, int64_t off_ns);
/* For meter_watch.c: new values, of the `ms` that end `ns` from now on. */
void meter_outage_values(struct meter *m, const struct legal_values *v, uint64_t ns, uint32_t ms);
struct meter_io;
/* METER_OUTAGE_STATE_SIZE octets of the snapshot, to it or from it. */
void meter_outage_state(const struct meter_io *io, struct meter_outage *o);

#endif
