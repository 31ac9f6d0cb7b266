/* The memory of the legal part, complete so that a caller can embed struct legal.
 *
 * Every field is private to firmware/legal. Times inside are in samples with 16 fractional bits
 * ("q16"), counted from the start of the running window. */
#ifndef FERRARIS_LEGAL_STATE_H
#define FERRARIS_LEGAL_STATE_H

#include "firmware/legal/legal.h"
#include "firmware/legal/legal_math.h"

/* Running sums of one phase over a window; the phasors still carry the scale of the sine table. */
struct legal_sums {
    int64_t uu, ii, ui, u, i;
    int64_t u_re, u_im, i_re, i_im;
};

struct legal_kernel {
    struct legal_sums phase[LEGAL_N_PHASES];
    int64_t in_in, in_sum;
    int32_t last[AFE_N_CHANNELS];        /* the sample before the next one */
    uint32_t turn;                       /* phase of the next sample, 2^32 is one turn */
    uint32_t step;                       /* turn per sample */
    int64_t neutral_q20[LEGAL_N_PHASES]; /* phase current counts to neutral counts; 0: not summed */
    bool neutral_measured;
    bool clipped;
};

/* Low-pass of three equal poles at 50 Hz on the reference voltage, and its rising crossings. */
struct legal_tracker {
    uint8_t ref;    /* the phase whose voltage bounds the windows */
    uint8_t cycles; /* crossings since the window began (locked), or good periods (searching) */
    uint8_t cycles_per_window;
    bool locked, armed, dc_known;
    int32_t pole_q31;            /* weight of a new value in each pole */
    int32_t y[3];                /* filter state, counts in 2^-6 */
    int32_t dc;                  /* of the reference voltage, counts */
    int32_t arm[LEGAL_N_PHASES]; /* a crossing counts after the signal was below -arm */
    int64_t now_q16;             /* time of the last filtered sample */
    int64_t cross_q16;           /* time of the last crossing */
    int64_t search_q16;          /* when the search on this phase began */
    uint64_t period_q16;         /* of one cycle, the last good one */
};

/* The average cycle: every sample is spread over four of 256 points; three points more than a turn
 * spare the wrap in the inner loop. [..][0] voltage, [..][1] current. */
#define LEGAL_CYCLE_POINTS 256
struct legal_cycle {
    int64_t point[LEGAL_N_PHASES][LEGAL_CYCLE_POINTS + 3][2];
};

/* One phase of a window after removal of the direct component; counts squared times samples. */
struct legal_clean {
    int64_t uu, ii, ui, q; /* q: reactive of the fundamental */
    int64_t p1;            /* active of the fundamental */
    int64_t s;             /* sqrt(uu * ii) */
};

/* Sums over the averaging interval of about a second, at the sample rate of its first window. */
struct legal_average {
    uint32_t n_cycles; /* 0: empty */
    uint64_t n_q16, rate_uhz;
    uint64_t f_weight, f_sum; /* measured windows: duration in q8 samples, and times microhertz */
    bool no_cycle;            /* windows without samples were in it: no harmonics */
    struct legal_clean phase[LEGAL_N_PHASES];
    int64_t u_re[LEGAL_N_PHASES], u_im[LEGAL_N_PHASES];
    int64_t in_in;
};

struct legal_ledger {
    uint64_t rate_uhz;                  /* the gains below hold for this rate */
    struct gain energy[LEGAL_N_PHASES]; /* counts squared to 2^-32 register units */
    struct gain power[LEGAL_N_PHASES];  /* mean counts squared to microwatt */
    int64_t threshold_uw;               /* Un x Ist */
    int64_t mean_uw[LEGAL_N_PHASES][2]; /* smoothed over a second; [0] active, [1] reactive */
    bool runs[LEGAL_N_PHASES][2];
    bool started; /* a window was counted */
    struct legal_snapshot book;
};

struct legal {
    struct legal_config config;
    uint64_t rate_uhz; /* of the samples; 0: none yet */
    struct legal_kernel kernel;
    struct legal_tracker tracker;
    struct legal_cycle cycle;
    struct legal_average average;
    struct legal_ledger ledger;
    struct legal_values values;
    int64_t u_dc_q16[LEGAL_N_PHASES], i_dc_q16[LEGAL_N_PHASES]; /* means of the last whole window */
    int64_t in_dc_q16;
    bool dc_known;            /* the means above were taken */
    struct legal_window held; /* the first partial window until then; n_q16 0: none */
    legal_window_fn observe;
    void *observe_context;
};

#endif
