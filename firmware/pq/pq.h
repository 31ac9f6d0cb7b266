/* Power quality beside the legal part: half-cycle voltages with their dips and swells (pq_half.c,
 * pq_dips.c) and the supervision of installation and load (pq_watch.c). Not legally relevant: it
 * reads the sample block after legal_feed() and the values by copy, and gives nothing back.
 *
 * Integers only. The caller owns struct pq; time is what the samples last, in microseconds from the
 * start, and the caller adds its clock. Events are reported when they begin and when they end; the
 * caller takes them after each feed. It refuses harmonics, flicker and aggregation. */
#ifndef FERRARIS_PQ_H
#define FERRARIS_PQ_H

#include "firmware/hal/afe.h"
#include "firmware/legal/legal.h"

#define PQ_EVENTS_MAX 32    /* waiting to be taken; more are counted as lost */
#define PQ_F_MIN_MHZ  40000 /* nominal and tracked frequency lie between these */
#define PQ_F_MAX_MHZ  70000

enum pq_kind {
    /* from Urms(1/2), IEC 61000-4-30 5.4 and 5.5 */
    PQ_DIP,
    PQ_SWELL,
    PQ_INTERRUPTION, /* all phases of the meter below the threshold */
    /* supervision, from the values of each second */
    PQ_UNDER_VOLTAGE,
    PQ_OVER_VOLTAGE,
    PQ_MISSING_POTENTIAL,       /* low voltage and a current on that phase */
    PQ_CURRENT_WITHOUT_VOLTAGE, /* the same with hardly any voltage */
    PQ_REVERSED_CURRENT,        /* active power of the phase (three-wire: the total) negative */
    PQ_PHASE_SEQUENCE,          /* more negative than positive sequence of the voltages */
    PQ_NEUTRAL_BREAK,           /* u0 is high while the line-to-line voltages are well */
    PQ_BYPASS,                  /* phase currents and neutral do not add up to zero */
    PQ_OVER_CURRENT,
    PQ_UNBALANCE_U,     /* u2 */
    PQ_UNBALANCE_I,     /* i2 */
    PQ_DISTORTED_INPUT, /* a fault of a channel: LEGAL_FAULT_* of the status */
    PQ_N_KINDS
};

/* Thresholds in 1e-6 of the quantity's base: Udin for voltages, Imax for currents, Udin x Imax for
 * the power that flows back, 1 for ratios (u2, u0, i2; negative over positive sequence; the
 * difference of the currents over the largest). An event begins when the quantity has been beyond
 * `on` for on_ms without a break and ends when it was back by the hysteresis for off_ms. on_ppm 0:
 * that kind is not watched. */
struct pq_limit {
    uint32_t on_ppm, hysteresis_ppm;
    uint32_t on_ms, off_ms; /* not used by PQ_DIP, _SWELL, _INTERRUPTION */
};
struct pq_config {
    uint8_t n_phases;
    enum legal_wiring wiring;
    uint8_t
        phases_used; /* bits; a three-phase meter used with one phase: 1. 0: all of the wiring */
    uint32_t f_nominal_mhz;
    uint32_t un_mv; /* Udin, of what an element measures: of a three-wire connection the line's */
    uint32_t imax_ma;
    uint32_t ist_ua;        /* a current above is one, for PQ_MISSING_POTENTIAL and the like */
    uint32_t i_diff_min_ua; /* PQ_BYPASS: the difference must be above this, too */
    struct pq_limit limit[PQ_N_KINDS];
};
/* EN 50160 and the datasheets' usual thresholds: dip 90 %, swell 110 %, interruption 5 %,
 * hysteresis 2 %; each field's reason in pq_watch.c. Zeroes what it does not set. */
void pq_config_default(struct pq_config *c, const struct legal_config *legal, uint32_t imax_ma);

/* Dips and swells are events of one phase each (pq_polyphase_add() joins them); an interruption,
 * the symmetry of the connection and what the neutral tells are events of the whole connection.
 *
 * Times of dips, swells and interruptions: the middle of the first cycle whose RMS is beyond, and
 * of the first one that is back, so a step of the voltage is met within a cycle; IEC 61000-4-30's
 * cycles themselves begin and end half a cycle before and after. Times of the supervision: since
 * when the quantity was beyond, or back, not when on_ms or off_ms were over. */
struct pq_event {
    uint8_t kind;      /* enum pq_kind */
    uint8_t phases;    /* bits 0..2; 0: of the whole connection */
    bool ended;        /* false: it begins now; true: this ends the one that began at begin_us */
    uint64_t begin_us; /* since the first sample */
    uint64_t end_us;   /* ended only */
    /* The extreme so far: residual or maximum voltage (mV) of the worst phase, current (uA), power
     * (mW), ratio (ppm) */
    uint32_t extreme;
};

/* Half-cycle RMS of one phase, for observers: one whole cycle, refreshed each half cycle at the
 * phase's own zero crossing. */
struct pq_half {
    uint64_t end_us;
    uint32_t u_mv;
    uint8_t phase;
};
typedef void (*pq_half_fn)(void *context, const struct pq_half *h);

struct pq; /* complete in pq_state.h so that callers can embed it; its fields are private */

/* ERR_RANGE: phases and wiring that contradict each other, a nominal frequency outside PQ_F_*, no
 * voltage, a dip that could not end below Udin or a swell above it. Copies the configuration. */
MUST_CHECK enum err pq_init(struct pq *p, const struct pq_config *config);
/* One limit anew; what is present or has begun goes on under it, and what is not watched any more
 * ends. ERR_RANGE: no such kind, on_ppm above 1e7, hysteresis_ppm above 1e6, a time above a day, or
 * as pq_init(). */
MUST_CHECK enum err pq_limit_set(struct pq *p, enum pq_kind kind, const struct pq_limit *limit);
void pq_limit_get(const struct pq *p, enum pq_kind kind, struct pq_limit *out);
/* The block that legal_feed() has just taken, and the wave it left (legal_wave_get). Until the wave
 * is locked for the first time, cycles are those of the nominal frequency. A voltage that is not in
 * the block is not measured. ERR_RANGE: a rate or length outside afe.h; the samples themselves are
 * those that legal_feed() has found within range. */
MUST_CHECK enum err pq_feed(struct pq *p, const struct afe_block *block,
                            const struct legal_wave *wave);
/* New values (a new sequence) and the status with them; `ms`: time since the last call. At window
 * level this is all that happens, and time passes by `ms`; at sample level time passes by pq_feed.
 */
void pq_watch(struct pq *p, const struct legal_values *v, const struct legal_status *s,
              uint32_t ms);
/* False when none is waiting. Dips, swells and interruptions of a block come by their times. */
bool pq_event_take(struct pq *p, struct pq_event *out);
/* Bit k: enum pq_kind k is present now. */
uint32_t pq_present(const struct pq *p);
uint32_t pq_lost(const struct pq *p);                        /* events that found no room */
void pq_observe(struct pq *p, pq_half_fn fn, void *context); /* NULL: none */

/* Joins the dips (or the swells) of the phases to one event of the connection, as IEC 61000-4-30
 * 5.4.3 counts: it begins with the first phase, ends when all are back, and has the worst phase's
 * extreme. Zero it at first; one for dips, another for swells. True: *out is such an event, ended.
 */
struct pq_polyphase {
    uint8_t open; /* bits: phases that are still out */
    struct pq_event event;
};
bool pq_polyphase_add(struct pq_polyphase *y, const struct pq_event *e, struct pq_event *out);

#endif
