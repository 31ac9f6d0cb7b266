/* The memory of the power quality part, complete so that a caller can embed struct pq. Every field
 * is private to firmware/pq. Times are nanoseconds of the samples since the first one. */
#ifndef FERRARIS_PQ_STATE_H
#define FERRARIS_PQ_STATE_H

#include "firmware/pq/pq.h"

/* The half cycles of one voltage. Distances and lengths are counted from `last`, the sample before
 * the next one. */
struct pq_cycle {
    bool runs; /* `last` is known */
    bool dc_known;
    bool measured;           /* u_mv is one */
    bool aligned;            /* the boundaries were brought to a wave, */
    bool odd;                /* in this half cycle, which is none */
    uint8_t calm;            /* half cycles since the voltage was out of its limits, saturating, */
    uint8_t steady;          /* and since it changed at once */
    int32_t last;            /* count */
    int32_t dc_wave, dc_q4;  /* direct component: the wave's, and as used */
    int64_t left;            /* to the end of this half cycle, 2^32 is a turn */
    int64_t pull;            /* how much too early that is by the wave, to be made up for */
    int64_t sum, before;     /* squares of this half cycle and the one before, counts squared */
    int64_t len, len_before; /* their lengths so far, samples in 2^-16; before: 0 for none */
    uint64_t begin_ns;       /* when this half cycle began */
    uint64_t lsb_fv;         /* of the counts; what follows is made of it */
    uint32_t gain;           /* millivolt = counts x gain x 2^-gain_shift */
    int8_t gain_shift;
    uint32_t u_mv; /* the last Urms(1/2) */
};

struct pq_border { /* mV: it begins beyond `on` and ends at `back` or on the way to Udin */
    uint32_t on, back;
};

struct pq_dip { /* a dip, swell or interruption under way */
    bool active;
    uint64_t begin_ns;
    uint32_t extreme;
};

struct pq_alarm { /* of one kind in one phase */
    bool active;
    uint32_t passed_ms; /* beyond (not active) or back (active) for that long */
    uint64_t begin_us;
    uint64_t back_us; /* active: when it was back first */
    uint32_t extreme;
};

struct pq {
    uint32_t phases; /* bits: those that are watched */
    /* time */
    uint64_t rate_uhz; /* of the last block; 0: none yet */
    uint64_t now_ns;   /* of the next sample */
    uint64_t rest;     /* of now_ns, in 1e-15 s x rate */
    bool fed;          /* samples came since the last pq_watch() */
    /* pq_half.c */
    uint32_t step;                 /* turn per sample */
    uint32_t step_min, step_max;   /* of a good one, at this rate */
    uint32_t samples_per_turn_q16; /* the other way round */
    uint64_t sample_q14;           /* how long a sample lasts, nanoseconds in 2^-14 */
    bool steady;                   /* the reference voltage: no step of late */
    uint32_t heard;                /* the last wave's step */
    bool tracked;                  /* a locked wave was seen: `step` is no longer the nominal one */
    pq_half_fn observe;
    void *observe_context;
    /* pq_dips.c */
    struct pq_border border[PQ_INTERRUPTION + 1];
    uint32_t low_mv, high_mv; /* a normal voltage lies between */
    uint32_t dead;            /* bits: phases below the threshold of interruptions */
    struct pq_dip dip[LEGAL_N_PHASES], swell[LEGAL_N_PHASES], interruption;
    /* events that wait, oldest first */
    uint8_t first, n_events;
    uint32_t lost;
    /* What is large stands last: the others are then within reach of short instructions. */
    struct pq_config config;
    struct pq_cycle cycle[LEGAL_N_PHASES];
    struct pq_event event[PQ_EVENTS_MAX];
    struct pq_alarm alarm[PQ_N_KINDS][LEGAL_N_PHASES]; /* pq_watch.c */
};

#endif
