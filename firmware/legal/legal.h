/* The protective interface of the legally relevant software (WELMEC 7.2, S3): the only header of
 * this room that others may include.
 *
 * Samples in (legal_feed), values and energy registers out by copy, commands in by value. The
 * caller owns struct legal and must not look inside; two instances work side by side. All
 * arithmetic is integer.
 *
 * The chain: kernel (legal_kernel.c: int32 samples to int64 sums over windows of whole cycles with
 * fractional edges) -> struct legal_window -> values (legal_values.c) and ledger (legal_ledger.c:
 * energies, remainders carried, LED pulses). Sign convention: import (energy taken from the
 * network) is positive; quadrants as IEC 62053-23 annex: QI P>0 Q>0, QII P<0 Q>0, QIII P<0 Q<0, QIV
 * P>0 Q<0. */
#ifndef FERRARIS_LEGAL_H
#define FERRARIS_LEGAL_H

#include "firmware/legal/legal_config.h"

#include <stddef.h>

/* Energies of one phase or of the total. Unit: register unit of LEGAL_ENERGY_PER_WH per Wh, varh,
 * VAh. */
#define LEGAL_ENERGY_PER_WH 1000000 /* registers count micro-watt-hours */
enum legal_energy {
    LEGAL_A_IMPORT,
    LEGAL_A_EXPORT,
    LEGAL_R_QI,
    LEGAL_R_QII,
    LEGAL_R_QIII,
    LEGAL_R_QIV, /* fundamental reactive energy by quadrant */
    LEGAL_S_IMPORT,
    LEGAL_S_EXPORT, /* apparent, sign of P */
    LEGAL_N_ENERGIES
};
/* Losses, import and export by the direction of the total's active power (import at no load), and
 * the sums they come from. */
enum legal_loss {
    LEGAL_OLA_IMPORT, /* on-load active (copper) */
    LEGAL_OLA_EXPORT,
    LEGAL_NLA_IMPORT, /* no-load active (iron) */
    LEGAL_NLA_EXPORT,
    LEGAL_OLR_IMPORT, /* on-load reactive */
    LEGAL_OLR_EXPORT,
    LEGAL_NLR_IMPORT, /* no-load reactive */
    LEGAL_NLR_EXPORT,
    LEGAL_I2T, /* sum of the phases' I^2 over time; unit 1e-6 A2h */
    LEGAL_U2T, /* 1e-6 V2h */
    LEGAL_N_LOSSES
};
struct legal_energies {
    uint64_t total[LEGAL_N_ENERGIES]; /* as config.sum says */
    uint64_t phase[LEGAL_N_PHASES][LEGAL_N_ENERGIES];
    /* What the total counted under each rate; their sum is the total where n_rates > 0. */
    uint64_t rate[LEGAL_N_RATES][LEGAL_N_ENERGIES];
    uint64_t loss[LEGAL_N_LOSSES];
};

/* What must survive a power cut, as a plain value to store and to restore. */
struct legal_snapshot {
    struct legal_energies energy;
    /* carried remainders, below one register unit, in 2^-32 units (same order as energy) */
    uint32_t total_rest[LEGAL_N_ENERGIES];
    uint32_t phase_rest[LEGAL_N_PHASES][LEGAL_N_ENERGIES];
    uint32_t loss_rest[LEGAL_N_LOSSES];
    /* LED pulses since manufacture, those included that are still due for these energies. While a
     * constant k stays they are floor((units + rests) x k / 1e9) over the total's registers. */
    uint64_t pulses_active;   /* A+ and A- */
    uint64_t pulses_reactive; /* the four quadrants */
    uint32_t audit_sequence;  /* of the last parameter change */
    uint8_t rate;             /* in force, 0..n_rates-1 */
    bool sealed;
};

/* Window: the kernel's output before corrections, one record per window of whole cycles (or, as the
 * second entrance, up to a minute of simulated load at any rate). Sums are over counts; n_q16
 * weights the edges. */
#define LEGAL_WINDOW_PARTIAL  0x01u /* not whole cycles: start-up, end of data, lost frequency */
#define LEGAL_WINDOW_NO_FREQ  0x02u /* frequency_uhz is the nominal one, not measured */
#define LEGAL_WINDOW_CLIPPED  0x04u /* a sample was at the end of the range */
#define LEGAL_WINDOW_SLEW     0x08u /* a step between two samples beyond slew_limit */
#define LEGAL_WINDOW_STUCK    0x10u /* a connected channel had the same count throughout */
#define LEGAL_WINDOW_MISSING  0x20u /* a channel of this wiring was not in a block */
#define LEGAL_WINDOW_NO_CROSS 0x40u /* cross[] is not known: a load model's window */
#define LEGAL_WINDOW_NEUTRAL  0x80u /* the neutral was measured, even where it showed nothing */
/* Sums must fit their type: at the second entrance keep sums of squares below 2^62 (a full-scale
 * sine of 60 s at 1 kHz is 2^61). With the tracked phase wt, x = A cos(wt + a) gives re = n A/2 cos
 * a, im = -n A/2 sin a. */
struct legal_window_phase {
    int64_t uu, ii, ui; /* sums of u*u, i*i, u*i */
    int64_t u, i;       /* sums of u, i (for DC) */
    /* fundamental phasors: sum of x*cos, x*sin of the tracked phase, Q0 counts (already scaled by
     * the sine table) */
    int64_t u_re, u_im, i_re, i_im;
};
struct legal_window {
    uint64_t n_q16;         /* number of samples, Q16 (edges count by their fraction) */
    uint64_t rate_uhz;      /* samples per second in microhertz; duration = n / rate */
    uint32_t frequency_uhz; /* of the fundamental */
    uint32_t flags;
    struct legal_window_phase phase[LEGAL_N_PHASES];
    int64_t in_in, in_sum; /* neutral: sum of squares, sum, in counts of i_lsb_fa[3] */
    int64_t in_re, in_im;  /* its fundamental; 0 where not known, its delay then stays */
    /* Sums of products of the currents: i1 i2, i1 i3, i2 i3, i1 in, i2 in, i3 in. Not known (0) in
     * a window with LEGAL_WINDOW_NO_CROSS. */
    int64_t cross[6];
};

/* Values of the last whole averaging interval (about one second: 50 or 60 cycles), DC removed. A
 * break of the voltage begins the interval anew, but new values come after three seconds at most.
 */
struct legal_phase_values {
    uint32_t u_mv;
    uint32_t i_ua;
    int64_t p_mw;         /* all harmonics, import positive */
    int64_t q_mvar;       /* fundamental, inductive import positive */
    uint64_t s_mva;       /* U x I */
    int32_t pf_ppm;       /* P / S x 1e6, sign of P */
    int32_t phase_mdeg;   /* fundamental: angle of U minus angle of I, -180 000..180 000 */
    int32_t u_angle_mdeg; /* angle of U against U1 */
    uint32_t thd_u_ppm;   /* lines h2..h40 over the fundamental */
    uint32_t thd_i_ppm;
    uint32_t u1_mv, i1_ua; /* fundamentals */
    uint64_t fryze_mvar;   /* sqrt(S^2 - P^2): without a sign, for display */
};
/* Symmetrical components of the fundamentals: zero, positive, negative sequence. */
struct legal_sequences {
    uint32_t u_mv[3], i_ua[3];
};
struct legal_values {
    uint32_t sequence;      /* counts up with each new set; 0: nothing measured yet */
    uint32_t frequency_uhz; /* 0: none found */
    struct legal_phase_values phase[LEGAL_N_PHASES];
    int64_t p_mw, q_mvar; /* sums over the phases */
    uint64_t s_mva;       /* arithmetic sum */
    int32_t pf_ppm;
    uint64_t s_vector_mva; /* sqrt((sum P)^2 + (sum Q)^2) */
    uint64_t fryze_mvar;   /* of the sums */
    uint32_t
        in_ua; /* measured neutral current, or from the sum of the phases where not connected */
    uint32_t in_sum_ua; /* rms of i1 + i2 + i3, computed */
    /* rms of i1 + i2 + i3 + in: what leaves past the meter; single phase: of i1 + in, where the
     * neutral's current counts positive towards the load as well as the phase's, so that it returns
     * as -i1. 0 where the neutral is not measured. */
    uint32_t i_diff_ua;
    /* Negative and zero sequence over positive sequence of the voltages; UINT32_MAX where there is
     * no positive one (reversed). */
    uint32_t u2_ppm, u0_ppm;
    uint32_t i2_ppm, i0_ppm; /* and of the currents */
    struct legal_sequences sequences;
};

struct legal; /* complete in legal_state.h so that callers can embed it; its fields are private */

/* ERR_RANGE when a field of config is outside its range. `config` is copied. Registers start at
 * zero. */
MUST_CHECK enum err legal_init(struct legal *l, const struct legal_config *config);
/* One block of samples. ERR_RANGE for a rate, length or sample outside afe.h; nothing is counted
 * then. The rate may change between blocks. */
MUST_CHECK enum err legal_feed(struct legal *l, const struct afe_block *block);
/* Closes the running window as PARTIAL so that all fed samples are counted (power fail, end of a
 * recording). If no values were published yet, those of the whole windows so far are. */
void legal_flush(struct legal *l);
void legal_values_get(const struct legal *l, struct legal_values *out);
void legal_energies_get(const struct legal *l, struct legal_energies *out);
void legal_snapshot_get(const struct legal *l, struct legal_snapshot *out);
/* Restores registers at start. ERR_STATE once anything was counted. ERR_CORRUPT when the rates do
 * not fit the configuration: rate >= n_rates, sum of the rates not equal to the total, something
 * under a rate that has no registers (without rates: 0 everywhere). A store that knew no rates puts
 * the whole total under one of them. Nothing is repaired here. */
MUST_CHECK enum err legal_snapshot_set(struct legal *l, const struct legal_snapshot *in);
/* The rate under which windows count that close from now on, each as a whole. ERR_RANGE at n_rates
 * and above. */
MUST_CHECK enum err legal_rate_set(struct legal *l, uint8_t rate);
/* Temperature of the front end, for the drift terms of the calibration, from the running window on;
 * beyond 200 K from the reference it counts as there. At first it is the reference. */
void legal_temperature_set(struct legal *l, int32_t mc);

/* --- parameters, seal, audit ---------------------------------------------------------------- */

/* ERR_RANGE: no such parameter or index. */
MUST_CHECK enum err legal_parameter_get(const struct legal *l, enum legal_parameter id,
                                        unsigned index, int64_t *out);
/* The same of a configuration, for a parameter and index that there are. */
int64_t legal_parameter_of(const struct legal_config *c, enum legal_parameter id, unsigned index);
/* Tries the change; `audit` (may be NULL) tells what happened, refused or not. Checked in this
 * order: ERR_RANGE (row, index), ERR_ACCESS (sealed), ERR_RANGE (value), ERR_STATE (contradicts
 * another parameter); nothing is changed then. What is set holds for the running window as a whole:
 * it is corrected and booked when it ends. A table of a current transformer is written while its
 * N_CT is 0, or point by point so that it rises at every step. */
MUST_CHECK enum err legal_parameter_set(struct legal *l, enum legal_parameter id, unsigned index,
                                        int64_t value, struct legal_audit *audit);
/* Whole configuration at once, before anything was measured: what storage held. The seal does not
 * matter. ERR_RANGE: as legal_init; ERR_STATE: something was fed already. */
MUST_CHECK enum err legal_config_set(struct legal *l, const struct legal_config *config);
void legal_config_get(const struct legal *l, struct legal_config *out);
void legal_seal(struct legal *l, struct legal_audit *audit);
/* The caller vouches for the broken seal (a jumper under the cover). */
void legal_unseal(struct legal *l, struct legal_audit *audit);

/* --- faults of the signal ------------------------------------------------------------------- */

#define LEGAL_FAULT_CLIP    0x01u
#define LEGAL_FAULT_SLEW    0x02u
#define LEGAL_FAULT_STUCK   0x04u
#define LEGAL_FAULT_MISSING 0x08u
/* A voltage for a second, but no frequency of 38 to 72 Hz in it: another sample rate than told, or
 * no mains. */
#define LEGAL_FAULT_RATE 0x10u
struct legal_status {
    /* LEGAL_FAULT_* of the windows since the values: just after new ones came, of all windows
     * that these hold. */
    uint8_t fault[AFE_N_CHANNELS];
    uint32_t clipped[AFE_N_CHANNELS]; /* samples at the end of the range since start; stays at its
                                         end */
    uint32_t slew[AFE_N_CHANNELS];    /* steps beyond the limit since start */
    uint32_t windows;                 /* closed since start */
    bool sealed;
};
void legal_status_get(const struct legal *l, struct legal_status *out);

/* --- pulses --------------------------------------------------------------------------------- */

enum legal_led { LEGAL_LED_ACTIVE, LEGAL_LED_REACTIVE };
/* A pulse begins, `at_q16` samples after the first one of the block being fed (up to its end).
 * Energy of a window leaves as pulses evenly over the next one, so the LED lags the registers by a
 * window (and a sample) and never shows energy that was not there. At window level, in
 * legal_flush() and faster than one a sample pulses only count. Each LED's come in order of time;
 * the two LEDs' do not. Must not call back into legal. */
typedef void (*legal_pulse_fn)(void *context, enum legal_led led, uint32_t at_q16);
void legal_pulse_observe(struct legal *l, legal_pulse_fn fn, void *context);

/* --- for power quality ---------------------------------------------------------------------- */

/* Where the tracked wave stands at the end of the last block. */
struct legal_wave {
    bool locked;
    uint8_t reference; /* phase whose voltage is tracked */
    uint32_t turn;     /* phase at the sample after the block, 2^32 is a turn */
    uint32_t step;     /* turn per sample */
    /* How far each voltage is ahead of the wave (last window): its fundamental crosses zero where
     * turn + u_turn is a multiple of 2^31, rising at 0. */
    uint32_t u_turn[LEGAL_N_PHASES];
    uint64_t u_lsb_fv[LEGAL_N_PHASES]; /* femtovolt per count, corrected */
    int32_t u_dc[LEGAL_N_PHASES];      /* direct component, counts */
};
void legal_wave_get(const struct legal *l, struct legal_wave *out);

/* Observes each closed window (by copy, before corrections); for replay and tests. NULL: none. */
typedef void (*legal_window_fn)(void *context, const struct legal_window *w);
void legal_observe(struct legal *l, legal_window_fn fn, void *context);

/* Simulator builds only: a window from a load model instead of samples; THD is then 0. ERR_RANGE
 * for no samples, a rate above 64 kHz, more than a minute, or sums that samples within the range
 * cannot have. */
#if LEGAL_WINDOW_ENTRANCE
MUST_CHECK enum err legal_feed_window(struct legal *l, const struct legal_window *w);
#endif

#endif
