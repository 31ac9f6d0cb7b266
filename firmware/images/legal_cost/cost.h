/* What the legal part costs on a target, and that it gives the same bits there as on a PC.
 *
 * Cases of known samples, made with integers only, go through legal_feed() by blocks of 20 ms;
 * every register, rest, value, window and pulse is reported by name. The image under QEMU counts
 * instructions around the calls; a host program does the same without counting, and
 * tools/legal-cost compares the two reports word for word. */
#ifndef FERRARIS_IMAGES_COST_H
#define FERRARIS_IMAGES_COST_H

#include "firmware/legal/legal_state.h"

#define COST_BLOCKS_S 50 /* blocks in a second */
#define COST_RATE_MAX 32000
#define COST_N_MAX    (COST_RATE_MAX / COST_BLOCKS_S)

struct cost_case {
    const char *name;
    enum legal_wiring wiring;
    uint32_t rate, seconds, present;
    bool with_thd;
};
#define COST_N_CASES 4
extern const struct cost_case cost_cases[COST_N_CASES]; /* the first one is gated */

/* Samples of a block. */
struct cost_block {
    int32_t x[AFE_N_CHANNELS][COST_N_MAX];
};
/* Three voltages and four currents, unlike each other, with a harmonic, noise, and a frequency that
 * changes; `block` counts from 0. */
void cost_fill(struct cost_block *b, const struct cost_case *c, uint32_t block);

/* The kernel alone: one window of COST_WINDOW blocks with its borders and all that these cost,
 * begun anew at the end. */
#define COST_WINDOW 10
void cost_kernel_start(struct legal_kernel *k, const struct cost_case *c,
                       const struct legal_sums_ops *ops); /* NULL: the best of this processor */
void cost_kernel_window(struct legal_kernel *k, const struct cost_case *c,
                        const struct cost_block b[COST_WINDOW]);

/* How many sums of a variant of the inner loops, or quotients, are not what they must be; a round
 * tries six. */
#define COST_VARIANT_ROUNDS 400
unsigned cost_variant_differs(const struct legal_sums_ops *ops, unsigned rounds);

/* A meter with all corrections, losses and rates in use. */
struct cost_meter {
    struct legal legal;
    const struct cost_case *what;
    uint64_t windows, pulses; /* hashes of all that the observers were told */
    uint32_t n_windows, n_pulses;
    bool refused; /* something was: must not be */
};
void cost_start(struct cost_meter *m, const struct cost_case *c, const struct legal_sums_ops *ops);
void cost_feed(struct cost_meter *m, const struct cost_block *b);

typedef void (*cost_put)(const char *name, unsigned index, uint64_t value);
void cost_report(const struct cost_meter *m, cost_put put);

#endif
