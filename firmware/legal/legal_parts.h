/* What the files of firmware/legal offer each other. Not for other rooms. */
#ifndef FERRARIS_LEGAL_PARTS_H
#define FERRARIS_LEGAL_PARTS_H

#include "firmware/legal/legal_state.h"

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

/* --- legal_window.c ------------------------------------------------------------------------- */
/* Bit p set: phase p is metered in this wiring. */
uint32_t legal_phases(const struct legal_config *c);
uint64_t legal_neutral_lsb(const struct legal_config *c);

#define LEGAL_CHUNK 64                             /* samples the inner loops take at a time */
extern const int32_t legal_silence[AFE_BLOCK_MAX]; /* zeros: stands for an absent channel */

/* --- legal_kernel.c ------------------------------------------------------------------------- */
void legal_kernel_init(struct legal_kernel *k, const struct legal_config *c);
/* Adds samples from..to-1 to the sums and the average cycle. */
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
void legal_kernel_window(const struct legal_kernel *k, struct legal_window *w);
/* Corrects the phasors of a window of n_cycles whole cycles for a wave that ran at `step`. */
void legal_kernel_sharpen(struct legal_window *w, uint32_t step, uint32_t n_cycles);

/* --- legal_frequency.c ---------------------------------------------------------------------- */
void legal_tracker_init(struct legal_tracker *t, const struct legal_config *c);
/* Sets filter and times for a sample rate; `from` 0 at the first. */
void legal_tracker_rate(struct legal_tracker *t, const struct legal_config *c, uint64_t to,
                        uint64_t from);
/* Advances *seek over the block; true when a border was found (*seek is then just behind it). */
bool legal_tracker_next(struct legal_tracker *t, const struct legal_view *v, uint64_t rate_uhz,
                        uint32_t *seek, uint32_t n, struct legal_cut *cut);
/* The window ended at time_q16; its frequency is taken over when it was locked and whole. */
void legal_tracker_cut(struct legal_tracker *t, const struct legal_cut *cut);
/* Direct component of the reference voltage over the last whole window, counts. */
void legal_tracker_dc(struct legal_tracker *t, int32_t dc);
uint32_t legal_tracker_step(const struct legal_tracker *t);
uint32_t legal_tracker_uhz(const struct legal_tracker *t, uint64_t rate_uhz);

/* --- legal_harmonics.c ---------------------------------------------------------------------- */
void legal_cycle_clear(struct legal_cycle *c);
/* n <= LEGAL_CHUNK */
void legal_cycle_add(struct legal_cycle *c, const struct legal_view *v, uint32_t n, uint32_t turn,
                     uint32_t step);
void legal_cycle_rescale(struct legal_cycle *c, uint64_t to, uint64_t from);
/* THD of one phase over lines h2..h_max; destroys the phase's points. */
void legal_cycle_thd(struct legal_cycle *c, unsigned phase, uint32_t h_max, uint32_t *u_ppm,
                     uint32_t *i_ppm);

/* --- legal_values.c ------------------------------------------------------------------------- */
/* Direct components from here on: the means over a whole window. */
void legal_dc_take(struct legal *l, const struct legal_window *w);
/* The same from partial cycles: only where they surely are; nothing below a cycle. */
void legal_dc_guess(struct legal *l, const struct legal_window *w);
/* Direct components out, fundamental powers. */
void legal_clean_window(const struct legal *l, const struct legal_window *w,
                        struct legal_clean out[LEGAL_N_PHASES], int64_t *in_in);
/* Adds a window to the average; publishes values when the interval is full. */
void legal_average_add(struct legal *l, const struct legal_window *w,
                       const struct legal_clean clean[LEGAL_N_PHASES], int64_t in_in);
void legal_average_clear(struct legal *l);
void legal_average_publish(struct legal *l);

/* --- legal_ledger.c ------------------------------------------------------------------------- */
void legal_ledger_init(struct legal_ledger *g, const struct legal_config *c);
void legal_ledger_add(struct legal_ledger *g, const struct legal_config *c,
                      const struct legal_window *w, const struct legal_clean clean[LEGAL_N_PHASES]);

#endif
