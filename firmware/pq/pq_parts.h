/* What the files of firmware/pq offer each other. Not for other rooms. */
#ifndef FERRARIS_PQ_PARTS_H
#define FERRARIS_PQ_PARTS_H

#include "firmware/pq/pq_state.h"

/* --- pq.c ------------------------------------------------------------------------------------ */
void pq_event_put(struct pq *p, const struct pq_event *e);

/* --- pq_half.c ------------------------------------------------------------------------------- */
#define PQ_HALF_TURN (INT64_C(1) << 31)
void pq_half_rate(struct pq *p, uint64_t rate_uhz); /* a new sample rate begins */
/* Goes to the wave's frequency over the n samples of a block. False when the wave is not locked to
 * one between PQ_F_MIN_MHZ and PQ_F_MAX_MHZ: then pq_half_follow() must not be called with it. */
bool pq_half_step(struct pq *p, const struct legal_wave *wave, uint32_t n);
/* The block through one phase; x NULL: the channel is not there. */
void pq_half_run(struct pq *p, unsigned phase, const int32_t *x, uint32_t n, uint64_t u_lsb_fv);
/* Brings boundaries and direct components to the wave after the block. */
void pq_half_follow(struct pq *p, const struct legal_wave *wave);

/* --- pq_dips.c ------------------------------------------------------------------------------- */
void pq_dips_init(struct pq *p);
/* A new Urms(1/2) of a phase, over the cycle whose middle was at middle_ns. */
void pq_dips_take(struct pq *p, unsigned phase, uint32_t u_mv, uint64_t middle_ns);
bool pq_dips_normal(const struct pq *p, uint32_t u_mv); /* between dip and swell */

/* --- pq_watch.c ------------------------------------------------------------------------------ */
uint32_t pq_watch_present(const struct pq *p);

#endif
