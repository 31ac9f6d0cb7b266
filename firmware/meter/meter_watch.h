/* Supervision of the network and the load (firmware/pq) inside the meter, and the two LEDs.
 *
 * What it finds goes to the event logs with the meter's clock: when it began and when it ended (of
 * dips, swells and interruptions the begin alone), and in the entry's `extra` how bad it was then.
 * Where the map has one number for all phases, the first phase's begin and the last one's end
 * count. An end is entered if and only if its begin was; after a power cut what is still present
 * begins anew. Not legally relevant: it reads the sample blocks and values of the legal part and
 * gives nothing back. */
#ifndef FERRARIS_METER_WATCH_H
#define FERRARIS_METER_WATCH_H

#include "firmware/pq/pq_state.h"
#include "model/events.h"

#define METER_LED_NS 40000000 /* a pulse lights its LED for 40 ms */

/* Limits of the supervision that a client may set, each a number of its own. */
enum {
    METER_LIMIT_ON,
    METER_LIMIT_HYSTERESIS,
    METER_LIMIT_ON_MS,
    METER_LIMIT_OFF_MS,
    METER_N_LIMITS
};

struct meter_limits {
    uint8_t chosen[PQ_N_KINDS]; /* bit METER_LIMIT_ON ..: this value counts, else the model's */
    struct pq_limit value[PQ_N_KINDS];
};

struct meter_watch { /* fields are private to firmware/meter */
    struct pq pq;
    struct meter_limits limits;
    uint64_t lived_ns;        /* of what pq was told */
    uint8_t open[PQ_N_KINDS]; /* phases whose begin was entered */
    uint32_t values_sequence; /* of the values seen last */
    uint64_t values_ns;       /* lived since then */
    uint64_t rate_uhz;        /* of the block being fed */
    struct legal_status seen; /* at the last look; fault: gathered since the newest values */
    uint32_t faults;          /* of the signal, with the newest values; meter_errors() */
    uint64_t lit_ns[2];       /* lived_ns when the LED's last pulse began; UINT64_MAX: none */
    legal_pulse_fn pulse;
    void *pulse_context;
};

struct meter;
/* Starts it with the limits of the datasheets and what was chosen instead; choices that contradict
 * them do not count. ERR_RANGE as pq_init. */
MUST_CHECK enum err meter_watch_init(struct meter *m);
/* A block is about to go to the legal part, and it did: the pulses of legal_feed() come between. */
void meter_watch_before(struct meter *m, const struct afe_block *block);
void meter_watch_after(struct meter *m, const struct afe_block *block);
/* `ns` were lived; true with new values in *v, which held for *ms. */
bool meter_watch_values(struct meter *m, uint64_t ns, struct legal_values *v, uint32_t *ms);

/* What is wrong with the meter itself: bits 0..7 LEGAL_FAULT_* of the newest values, 8 + enum
 * afe_channel the channels that have them (phases that are not used left out), 16 the flash refused
 * an operation, 17 what it held was damaged at the last start. A row of the load profile with such
 * a signal in its interval is marked METER_ROW_DNV. */
#define METER_ERROR_CHANNELS 8
#define METER_ERROR_FLASH    0x10000u
#define METER_ERROR_MEMORY   0x20000u
uint32_t meter_errors(const struct meter *m);
/* enum pq_kind, METER_LIMIT_ON ..; in force. */
uint32_t meter_limit(const struct meter *m, unsigned kind, unsigned which);
/* Bit k: enum pq_kind k is present now. */
uint32_t meter_present(const struct meter *m);
/* Its begin was entered in a log and its end was not. */
bool meter_watch_open(const struct meter *m, enum pq_kind kind, unsigned phase);
/* Unit of `extra` in the entries of an event: "mV", "uA", "mW", "ppm"; "" where it has none. */
const char *meter_event_unit(enum model_event e);
/* "dip", "over-voltage"; "?" where there is none. */
const char *meter_event_name(uint8_t kind);
/* Pulses since manufacture, and whether the LED is lit now. */
uint64_t meter_pulses(const struct meter *m, enum legal_led led);
bool meter_led_lit(const struct meter *m, enum legal_led led);
/* Hears each pulse as legal_pulse_observe() tells it. */
void meter_pulse_observe(struct meter *m, legal_pulse_fn fn, void *context);

#endif
