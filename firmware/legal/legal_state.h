/* The memory of the legal part, complete so that a caller can embed struct legal.
 *
 * Every field is private to firmware/legal. Times inside are in samples with 16 fractional bits
 * ("q16"), counted from the start of the running window. */
#ifndef FERRARIS_LEGAL_STATE_H
#define FERRARIS_LEGAL_STATE_H

#include "firmware/legal/legal.h"
#include "firmware/legal/legal_math.h"
#include "firmware/legal/legal_sums.h"

struct legal_phasor { /* X = re - j im: sums with cosine and sine of the tracked wave */
    int64_t re, im;
};

struct legal_kernel_sums { /* nothing but int64_t */
    struct legal_sums phase[LEGAL_N_PHASES];
    struct legal_current_sums currents;
    struct legal_phasor phasor[AFE_N_CHANNELS]; /* of closed chunks, 2^-8 */
};

struct legal_kernel {
    const struct legal_sums_ops *ops;
    uint32_t phases; /* bit p set: phase p had samples in this window */
    bool neutral;    /* and the neutral */
    uint32_t turn;   /* phase of the first sample of the chunk, 2^32 is one turn */
    uint32_t step;   /* turn per sample */
    uint32_t fill;   /* samples in the chunk */
    struct legal_kernel_sums sums;
    int32_t last[AFE_N_CHANNELS];  /* the sample before the next one */
    int32_t wave[2 * LEGAL_CHUNK]; /* cosine and sine of k step, as ops wants them */
};

/* See legal_faults.c; bit c of a mask is channel c. */
struct legal_faults {
    uint32_t limit[AFE_N_CHANNELS];           /* of a step, at the present rate */
    struct legal_reach reach[AFE_N_CHANNELS]; /* of the block being fed */
    uint32_t here, before; /* channels in this block, and in the sample set before the next one */
    uint32_t seen, gone;   /* ever; and missing in this block */
    uint32_t begun, moved; /* had samples in this window, not all of one count */
    uint8_t window[AFE_N_CHANNELS];   /* LEGAL_FAULT_* of the running window */
    uint8_t restless[LEGAL_N_PHASES]; /* windows in a row with a voltage and no frequency */
    uint32_t sequence;                /* of the values, when the last window ended */
    struct legal_status status;
};

#define LEGAL_FIT_MAX 6 /* windows of an average: five, and one where a piece was counted */
/* Where the fundamental voltages stood in the last whole window, see legal_wave.c. */
struct legal_last_wave {
    bool known;
    uint32_t ahead[LEGAL_N_PHASES]; /* of the wave at the window's end, 2^32 is a turn */
    /* Of whole windows since the average began or a window was none: */
    uint8_t n, reference;
    uint32_t end_ns;                        /* time since then */
    uint32_t middle_ns[LEGAL_FIT_MAX];      /* of each window, */
    uint32_t reference_turn[LEGAL_FIT_MAX]; /* and what the voltage was ahead of whole cycles */
};

struct legal_times {    /* since the window began; nothing but int64_t */
    int64_t now_q16;    /* of the last filtered sample */
    int64_t cross_q16;  /* of the last crossing */
    int64_t search_q16; /* when the search on this phase began */
};

/* Low-pass of three equal poles at 50 Hz on the reference voltage, and its rising crossings. */
struct legal_tracker {
    uint8_t ref;    /* the phase whose voltage bounds the windows */
    uint8_t cycles; /* crossings since the window began (locked), or good periods (searching) */
    uint8_t cycles_per_window;
    bool locked, armed, dc_known;
    int32_t pole_q32;            /* weight of a new value in each pole */
    int32_t y[3];                /* filter state, counts in 2^-5 */
    int32_t dc;                  /* of the reference voltage, counts */
    int32_t arm[LEGAL_N_PHASES]; /* a crossing counts after the signal was below -arm */
    struct legal_times time;
    uint64_t period_q16; /* of one cycle, the last good one */
    /* At this rate: the ends of a good period, a period that is none, the time of a search. */
    int64_t least_q16, most_q16, lost_q16, patience_q16;
};

/* The average cycle: every sample is spread over four of 256 points; three points more than a turn
 * spare the wrap in the inner loop. [..][0] voltage, [..][1] current. */
#define LEGAL_CYCLE_POINTS 256
struct legal_cycle {
    bool used; /* something was added */
    int64_t point[LEGAL_N_PHASES][LEGAL_CYCLE_POINTS + 3][2];
};

/* What the calibration comes to at the present temperature (legal_correct.c). */
struct legal_correct {
    bool active; /* there is something to correct, perhaps */
    bool warm;   /* the temperature was told; before, it is the reference */
    int32_t temperature_mc;
    int64_t gain_q40[AFE_N_CHANNELS];
    int64_t lead_q31[LEGAL_N_PHASES]; /* radian, by temperature */
    /* the points' log2 of the mean square in counts before correction, Q24 */
    int64_t ct_log_q24[LEGAL_N_PHASES][LEGAL_N_CT_POINTS];
};

/* One phase of a window after removal of the direct component and correction; counts squared times
 * samples, phasors counts times samples. */
struct legal_clean {
    int64_t uu, ii, ui, q; /* q: reactive of the fundamental */
    int64_t p1;            /* active of the fundamental */
    int64_t s;             /* sqrt(uu * ii), not below |ui| */
    int64_t uu1, ii1;      /* of the fundamentals */
    struct legal_phasor u, i;
};
/* And what the currents are to each other; as in struct legal_window. */
struct legal_clean_currents {
    int64_t in_in;
    struct legal_phasor in;
    int64_t cross[6];
    bool measured; /* the neutral */
    bool crossed;  /* cross[] is known */
};
struct legal_cleaned {
    struct legal_clean phase[LEGAL_N_PHASES];
    struct legal_clean_currents currents;
};

/* Sums over the averaging interval of about a second, at the sample rate of its first window. */
struct legal_average {
    uint32_t n_cycles; /* 0: empty */
    bool no_cycle;     /* windows without samples were in it: no harmonics */
    uint64_t n_q16, rate_uhz;
    uint64_t f_weight, f_sum; /* measured windows: duration in q8 samples, and times microhertz */
    uint64_t lost_q16;        /* seconds left out since the last values, see legal_values.c */
    struct legal_cleaned sum; /* the sum of s means nothing */
};

struct legal_loss_gains {
    struct gain i2[LEGAL_N_PHASES]; /* counts squared to 2^-32 of 1e-6 A2h, */
    struct gain u2[LEGAL_N_PHASES]; /* of 1e-6 V2h */
    struct gain loss[4]; /* of these sums, in the order of enum legal_loss; 0: not counted */
};

struct legal_ledger {
    bool piece;   /* this window is not part of the mean */
    bool started; /* a window was counted */
    bool runs[LEGAL_N_PHASES][2];
    uint32_t length_q16;                /* of the window, at most a second */
    uint32_t age_q16;                   /* of the mean, at most a second */
    uint32_t weight_q16;                /* of this window in it */
    uint64_t rate_uhz;                  /* the gains hold for this rate; 0: to be derived */
    uint64_t n_q16;                     /* power and length_q16 hold for this window */
    struct gain energy[LEGAL_N_PHASES]; /* counts squared to 2^-32 register units */
    struct gain power;                  /* these to microwatt */
    struct legal_loss_gains loss;
    int64_t tenth_uw[2];                /* of Un x Ist; [0] active, [1] reactive */
    int64_t mean_uw[LEGAL_N_PHASES][2]; /* over a second */
    struct legal_snapshot book;
};

/* See legal_pulse.c. Samples in 2^-32, nothing but int64_t. */
struct legal_pace {
    int64_t next_q32, step_q32; /* from the border to the next pulse, and from one to the next */
};
struct legal_pulse {
    uint64_t whole; /* pulses that the book was worth at the last border, */
    uint32_t part;  /* and the part of the next one, 2^-32 */
    uint64_t left;  /* of the window before, not given yet */
    struct legal_pace pace;
};
struct legal_pulses {
    struct legal_pulse led[2]; /* enum legal_led */
    int64_t now_q16;           /* first sample of the next block, a sample less, since the border */
    legal_pulse_fn observe;
    void *context;
};

/* What is large stands last: the others are then within reach of short instructions. */
struct legal {
    uint64_t rate_uhz;              /* of the samples; 0: none yet */
    bool dc_known;                  /* the means that follow were taken */
    int64_t dc_q16[AFE_N_CHANNELS]; /* means of the last whole window */
    legal_window_fn observe;
    void *observe_context;
    struct legal_tracker tracker;
    struct legal_pulses pulses;
    struct legal_last_wave wave;
    struct legal_faults faults;
    struct legal_correct correct;
    struct legal_config config;
    struct legal_values values;
    struct legal_average average;
    struct legal_ledger ledger;
    struct legal_window held; /* the first partial window until then; n_q16 0: none */
    struct legal_kernel kernel;
    struct legal_cycle cycle;
};

#endif
