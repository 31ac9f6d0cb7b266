/* What the files of firmware/legal offer each other. Not for other rooms. */
#ifndef FERRARIS_LEGAL_PARTS_H
#define FERRARIS_LEGAL_PARTS_H

#include "firmware/legal/legal_state.h"

#define SQRT3_2_Q30 INT64_C(929887697) /* sqrt(3) / 2 */
#define FV_PER_MV   UINT64_C(1000000000000)
#define FA_PER_UA   1000000000
#define E18         UINT64_C(1000000000000000000)
#define N_CURRENTS  (LEGAL_N_PHASES + 1) /* the neutral is the last */

/* A block as the inner loops see it: channels that are absent or not of this wiring are NULL. */
struct legal_view {
    const int32_t *x[AFE_N_CHANNELS];
};

/* A window border: between sample `at` - 1 and `at`, alpha_q16 (0..65536) of the way. */
struct legal_cut {
    uint32_t at;
    int64_t alpha_q16;
    int64_t time_q16; /* since the former border */
    uint32_t flags;   /* LEGAL_WINDOW_* of the window that ends here */
};

/* --- legal_kernel.c ------------------------------------------------------------------------- */
void legal_kernel_init(struct legal_kernel *k);
/* Adds samples from..to-1 to the sums and the average cycle (NULL: none). */
void legal_kernel_run(struct legal_kernel *k, struct legal_cycle *cycle, const struct legal_view *v,
                      uint32_t from, uint32_t to);
/* The two halves of a border: what the ending window gets of the interval beyond plain sums, and
 * what the next window then lacks. `next` is the sample set after the border. */
void legal_kernel_end(struct legal_kernel *k, struct legal_cycle *cycle, const int32_t *next,
                      int64_t alpha_q16);
void legal_kernel_begin(struct legal_kernel *k, struct legal_cycle *cycle, const int32_t *next,
                        int64_t alpha_q16);
void legal_kernel_clear(struct legal_kernel *k); /* sums only */
/* The same sums for another sample rate: times to/from. */
void legal_kernel_rescale(struct legal_kernel *k, uint64_t to, uint64_t from);
void legal_rescale(int64_t *x, size_t n, uint64_t to, uint64_t from); /* any n of them */
/* The wave goes on with another step. */
void legal_kernel_tune(struct legal_kernel *k, uint32_t step);
uint32_t legal_kernel_turn(const struct legal_kernel *k); /* phase of the next sample */
/* Sums and LEGAL_WINDOW_NEUTRAL of the window that ends. */
void legal_kernel_window(struct legal_kernel *k, struct legal_window *w);
/* Corrects the phasors of a window of n_cycles whole cycles for a wave that ran at `step`. Gives
 * how far the wave ran beyond the cycles, 2^32 is a turn. */
int64_t legal_kernel_sharpen(struct legal_window *w, uint32_t step, uint32_t n_cycles);

/* --- legal_faults.c ------------------------------------------------------------------------- */
/* After a change of rate or limits. */
void legal_faults_config(struct legal *l);
/* The cheap look at a block before anything else. ERR_RANGE: a sample beyond the range. */
MUST_CHECK enum err legal_faults_look(struct legal *l, const struct legal_view *v, uint32_t n);
/* The closer one at samples from..to-1 of it, before the kernel has them. */
void legal_faults_run(struct legal *l, const struct legal_view *v, uint32_t from, uint32_t to);
/* The window ends: its flags with those of the faults. */
uint32_t legal_faults_window(struct legal *l, uint32_t flags);
/* The same window with its sums: is there a frequency where there is a voltage? */
void legal_faults_frequency(struct legal *l, const struct legal_window *w);

/* --- legal_wave.c --------------------------------------------------------------------------- */
/* A whole window whose wave ran so far beyond its cycles. */
void legal_wave_keep(struct legal *l, const struct legal_window *w, int64_t beyond_q32);
void legal_wave_lost(struct legal *l);  /* a window that is not whole */
void legal_wave_begin(struct legal *l); /* a new average begins */
/* Microhertz by the phases of the average's windows; `by_crossings` where these are too few. */
uint32_t legal_wave_uhz(const struct legal *l, uint32_t by_crossings);

/* --- legal_frequency.c ---------------------------------------------------------------------- */
void legal_tracker_init(struct legal_tracker *t, const struct legal_config *c);
/* After a change of lsb: what level a crossing needs. */
void legal_tracker_config(struct legal_tracker *t, const struct legal_config *c);
/* Sets filter and times for a sample rate; `from` 0 at the first. */
void legal_tracker_rate(struct legal_tracker *t, const struct legal_config *c, uint64_t to,
                        uint64_t from);
/* Advances *seek over the block; true when a border was found (*seek is then just behind it). */
bool legal_tracker_next(struct legal_tracker *t, const struct legal_view *v, uint32_t *seek,
                        uint32_t n, struct legal_cut *cut);
/* The window ended at time_q16; its frequency is taken over when it was locked and whole. */
void legal_tracker_cut(struct legal_tracker *t, const struct legal_cut *cut);
/* Direct component of the reference voltage over the last whole window, counts. */
void legal_tracker_dc(struct legal_tracker *t, int32_t dc);
uint32_t legal_tracker_step(const struct legal_tracker *t);
uint32_t legal_tracker_uhz(const struct legal_tracker *t, uint64_t rate_uhz);

/* --- legal_harmonics.c ---------------------------------------------------------------------- */
void legal_cycle_clear(struct legal_cycle *c);
struct legal_run { /* n samples from `at` on; the phase of the first one, and from one to the next
                    */
    uint32_t at, n, turn, step;
};
void legal_cycle_add(struct legal_cycle *c, const struct legal_view *v,
                     const struct legal_run *run);
void legal_cycle_rescale(struct legal_cycle *c, uint64_t to, uint64_t from);
/* THD of one phase over lines h2..h_max; destroys the phase's points. */
void legal_cycle_thd(struct legal_cycle *c, unsigned phase, uint32_t h_max, uint32_t ppm[2]);

/* --- legal_correct.c ------------------------------------------------------------------------ */
/* Derives the corrections from calibration and temperature. */
void legal_correct_prepare(struct legal *l);
/* Noise, gains, delays, CT tables and offsets; `x` has its direct components out. */
void legal_correct_apply(const struct legal *l, const struct legal_window *w,
                         struct legal_cleaned *x);
/* Femtovolt per count, gain and drift included: for legal_wave_get. */
uint64_t legal_correct_u_lsb(const struct legal *l, unsigned p);

/* --- legal_parameter.c ---------------------------------------------------------------------- */
uint64_t legal_lsb(const struct legal_config *c, unsigned channel);
bool legal_config_valid(const struct legal_config *c);

/* --- legal_values.c ------------------------------------------------------------------------- */
/* The configured direct components, while no window told better. */
void legal_dc_offset(struct legal *l);
/* Direct components from here on: the means over a whole window. */
void legal_dc_take(struct legal *l, const struct legal_window *w);
/* The same from partial cycles, of the window and of one before it (NULL: none): only where they
 * surely are; nothing below a cycle. */
void legal_dc_guess(struct legal *l, const struct legal_window *w,
                    const struct legal_window *before);
/* Direct components out, fundamental powers, corrections. */
void legal_clean_window(const struct legal *l, const struct legal_window *w,
                        struct legal_cleaned *out);
/* Real and imaginary part of a conj(b) x 2 / n: what two fundamentals give in sums of products. */
int64_t legal_active(const struct legal_phasor *a, const struct legal_phasor *b, uint64_t n_q16);
int64_t legal_reactive(const struct legal_phasor *a, const struct legal_phasor *b, uint64_t n_q16);
int64_t legal_add(int64_t a, int64_t b);     /* saturates */
int64_t legal_held(int64_t a, int64_t most); /* between -most and most */
/* Which two currents cross[k] is of; 3 is the neutral. */
extern const uint8_t legal_pair[6][2];
/* Adds a window to the average; publishes values when the interval is full. */
void legal_average_add(struct legal *l, const struct legal_window *w,
                       const struct legal_cleaned *clean);
void legal_average_clear(struct legal *l);
void legal_average_publish(struct legal *l);
/* Root of sum / n in units of lsb x 1 / divisor, clipped to 32 bits. */
uint32_t legal_rms(int64_t sum, uint64_t n_q16, uint64_t lsb, uint64_t divisor);
/* a b 1e-18 / divisor / n */
struct gain legal_power_gain(uint64_t a, uint64_t b, uint32_t divisor, uint64_t n);
/* The same of a channel and a sum of the average: millivolt or microampere. */
uint32_t legal_channel_rms(const struct legal *l, unsigned channel, int64_t sum);
/* Root of part / whole in 1e-6, at most UINT32_MAX; 0 where the whole is. Both are taken 2^scale
 * times as large first. */
uint32_t legal_root_ppm(int64_t part, int64_t whole, int scale);

/* --- legal_sequences.c ---------------------------------------------------------------------- */
/* Symmetrical components, neutral and differential current of the average. */
void legal_sequences_publish(struct legal *l);
void legal_neutral_publish(struct legal *l);

/* --- legal_ledger.c ------------------------------------------------------------------------- */
/* After any change of l->config: gains, thresholds and constants follow; the book stays. */
void legal_ledger_config(struct legal *l);
void legal_ledger_add(struct legal_ledger *g, const struct legal_config *c,
                      const struct legal_window *w, const struct legal_clean clean[LEGAL_N_PHASES]);
/* A product of counts of a and b to 2^-32 register units: of energy, and of squares over time. */
struct gain legal_energy_gain(uint64_t a, uint64_t b, uint64_t rate_uhz);
/* Adds energy (not negative, 2^-32 units) to a register and its rest. */
void legal_book_add(uint64_t *unit, uint32_t *rest, const struct wide *energy);

/* --- legal_loss.c --------------------------------------------------------------------------- */
void legal_loss_rate(struct legal_loss_gains *g, const struct legal_config *c, uint64_t rate_uhz);
/* Enters a window's losses; `export`: where they go. */
void legal_loss_add(struct legal_snapshot *b, const struct legal_loss_gains *g, uint32_t phases,
                    const struct legal_clean clean[LEGAL_N_PHASES], bool export);

/* --- legal_pulse.c -------------------------------------------------------------------------- */
/* A window ended here in the block being fed, and its energy is in the book: spreads it. */
void legal_pulse_border(struct legal *l, const struct legal_cut *cut);
/* A block of n samples was taken, its borders told: gives the pulses due until its end. */
void legal_pulse_block(struct legal *l, uint32_t n);
/* No time passes: all that the book holds counts at once, unseen. */
void legal_pulse_flush(struct legal *l);
/* Times are in samples: they follow a new sample rate. */
void legal_pulse_rescale(struct legal_pulses *s, uint64_t to, uint64_t from);
/* The book or a constant was changed from outside: its energy was pulsed before. */
void legal_pulse_weigh(struct legal *l);

#endif
