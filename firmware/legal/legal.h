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

#include "firmware/hal/afe.h"
#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEGAL_N_PHASES 3

enum legal_wiring { LEGAL_1P2W, LEGAL_3P4W, LEGAL_3P3W };

/* Parameters of the meter, fixed at start (sealed in a real meter). */
struct legal_config {
    uint8_t n_phases; /* 1 or 3 */
    enum legal_wiring wiring;
    uint32_t f_nominal_mhz; /* 50 000 or 60 000: the window length until a frequency is found */
    uint64_t u_lsb_fv[LEGAL_N_PHASES]; /* femtovolt per count, 1e6..1e15 */
    uint64_t
        i_lsb_fa[LEGAL_N_PHASES + 1]; /* femtoampere per count; [3] is the neutral (0: as [0]) */
    uint32_t un_mv;                   /* nominal phase voltage, millivolt */
    uint32_t i_start_ua; /* starting current Ist; below half of Un x Ist a phase counts nothing; 0:
                            count all */
    uint32_t pulse_per_kwh; /* LED constant, imp/kWh and imp/kvarh, 1..100 000 */
};

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
struct legal_energies {
    uint64_t total[LEGAL_N_ENERGIES]; /* vector sum of the phases, split by sign */
    uint64_t phase[LEGAL_N_PHASES][LEGAL_N_ENERGIES];
};

/* What must survive a power cut, as a plain value to store and to restore. */
struct legal_snapshot {
    struct legal_energies energy;
    /* carried remainders, below one register unit, in 2^-32 units (same order as energy) */
    uint32_t total_rest[LEGAL_N_ENERGIES];
    uint32_t phase_rest[LEGAL_N_PHASES][LEGAL_N_ENERGIES];
    uint64_t pulses_active; /* LED pulses since manufacture */
    uint64_t pulses_reactive;
};

/* Window: the kernel's output before corrections, one record per window of whole cycles (or, as the
 * second entrance, up to a minute of simulated load at any rate). Sums are over counts; n_q16
 * weights the edges. */
#define LEGAL_WINDOW_PARTIAL 0x01u /* not whole cycles: start-up, end of data, lost frequency */
#define LEGAL_WINDOW_NO_FREQ 0x02u /* frequency_uhz is the nominal one, not measured */
#define LEGAL_WINDOW_CLIPPED 0x04u /* a sample was at the end of the range */
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
};

/* Values of the last whole averaging interval (about one second: 50 or 60 cycles), DC removed. */
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
};
struct legal_values {
    uint32_t sequence;      /* counts up with each new set; 0: nothing measured yet */
    uint32_t frequency_uhz; /* 0: none found */
    struct legal_phase_values phase[LEGAL_N_PHASES];
    int64_t p_mw, q_mvar; /* sums over the phases */
    uint64_t s_mva;       /* arithmetic sum */
    int32_t pf_ppm;
    uint32_t
        in_ua; /* measured neutral current, or from the sum of the phases where not connected */
    uint32_t u2_ppm, u0_ppm; /* negative and zero sequence over positive sequence of the voltages */
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
/* Restores registers at start. ERR_STATE once anything was counted. */
MUST_CHECK enum err legal_snapshot_set(struct legal *l, const struct legal_snapshot *in);
/* Observes each closed window (by copy, before corrections); for replay and tests. NULL: none. */
typedef void (*legal_window_fn)(void *context, const struct legal_window *w);
void legal_observe(struct legal *l, legal_window_fn fn, void *context);

/* Simulator builds only: a window from a load model instead of samples; THD is then 0. ERR_RANGE
 * for no samples, a rate above 64 kHz or more than a minute. */
#if LEGAL_WINDOW_ENTRANCE
MUST_CHECK enum err legal_feed_window(struct legal *l, const struct legal_window *w);
#endif

#endif
