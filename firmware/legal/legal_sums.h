/* The inner loops of the kernel, once for each kind of processor.
 *
 * All of them form the same sums of products of 24-bit samples. Sums of integers do not depend on
 * the order, so every variant gives the same bits; a test holds each against the plain one. The
 * wave has the width of a sample (2^23 at most), so that correlating is one more such product.
 *
 * A variant takes at most LEGAL_CHUNK samples at a time: then plain sums fit 32 bits, split
 * products too. It refuses samples beyond +-2^23; legal_feed() has looked before. */
#ifndef FERRARIS_LEGAL_SUMS_H
#define FERRARIS_LEGAL_SUMS_H

#include "firmware/hal/afe.h"

#include <stddef.h>
#include <stdint.h>

#define LEGAL_CHUNK     128 /* samples that an inner loop takes at most */
#define LEGAL_WAVE_BITS 23
#define LEGAL_N_CROSS   6

/* Of one phase over the running window, and over the running chunk the products with the wave: u
 * cos, u sin, i cos, i sin. */
struct legal_sums {
    int64_t uu, ii, ui, u, i;
    int64_t wave[4]; /* in 2^-LEGAL_WAVE_BITS */
};
/* Of the currents: i1 i2, i1 i3, i2 i3, i1 in, i2 in, i3 in; of the neutral: in in, in, in cos, in
 * sin. */
struct legal_current_sums {
    int64_t cross[LEGAL_N_CROSS];
    int64_t nn, n;
    int64_t wave[2];
};
/* What is summed at a time: n samples and the wave at each, in the variant's own order. */
struct legal_duo { /* a phase */
    const int32_t *u, *i, *wave;
    uint32_t n;
};
struct legal_quad { /* the currents, [3] the neutral; NULL: not there */
    const int32_t *i[4], *wave;
    uint32_t n;
};
/* What the looks before the sums find, or'ed over all samples: of one more than each magnitude the
 * bits from 23 on (bit 23 is set by a sample at the end of the range, higher bits by samples beyond
 * it; lower bits mean nothing), and the magnitudes of the steps between neighbours (of d and of
 * -d - 1 the one that is not negative; so a step of -1 shows as 0). */
struct legal_reach {
    uint32_t range, step;
};

struct legal_sums_ops {
    const char *name;
    /* The wave of a chunk: cosine of sample k at [stride k], its sine `sine` behind. */
    uint8_t stride, sine;
    void (*phase)(struct legal_sums *s, const struct legal_duo *c);
    void (*currents)(struct legal_current_sums *s, const struct legal_quad *c);
    struct legal_reach (*reach)(const int32_t *x, uint32_t n); /* any n > 0 */
};

struct legal_reach legal_reach_of(const int32_t *x, uint32_t n); /* plain; any n > 0 */
/* In plain C: all products of two currents but that of the first one with the neutral. */
void legal_sum_crosses(int64_t cross[LEGAL_N_CROSS], const struct legal_quad *c);

extern const int32_t legal_silence[AFE_BLOCK_MAX];   /* zeros: stands for an absent channel */
extern const struct legal_sums_ops legal_sums_plain; /* 32 x 32 + 64 bits in one instruction */
extern const struct legal_sums_ops legal_sums_split; /* 32-bit products only: Cortex-M0+ */
#if defined(__x86_64__)
extern const struct legal_sums_ops legal_sums_sse2, legal_sums_v3;
#endif
#if defined(__thumb2__) && defined(__OPTIMIZE__) /* needs the frame pointer's register */
#define LEGAL_SUMS_THUMB2 1
extern const struct legal_sums_ops legal_sums_thumb2; /* the first one, by hand */
#else
#define LEGAL_SUMS_THUMB2 0
#endif
/* The fastest that this processor can. */
const struct legal_sums_ops *legal_sums_best(void);

#endif
