/* What `ferraris replay` finds out: a source run through the legal metrology, its quantities and
 * energies as numbers. No output here.
 *
 * Two runs. The quantities come from at least 12 s of the source looped over its whole cycles, so
 * that every sample of the whole-cycle span weighs the same: U, I, P and neutral from the sums of
 * all windows, fundamental powers from the whole windows, THD and unbalance from the legal part's
 * own values. The energies come from one plain run over all samples (or over the time asked for). A
 * source without a frequency is reported over all samples of the plain run, with frequency 0 and
 * without fundamental quantities. */
#ifndef FERRARIS_CLI_REPLAY_RUN_H
#define FERRARIS_CLI_REPLAY_RUN_H

#include "firmware/legal/legal.h"
#include "firmware/pq/pq.h"
#include "sim/source.h"

struct replay_phase {
    double u_v, i_a, p_w, q_var, s_va, pf, phase_deg, thd_u_pct, thd_i_pct;
};
#define REPLAY_EVENTS_MAX 512
struct replay_event { /* of firmware/pq: a dip, swell or interruption */
    enum pq_kind kind;
    unsigned phase; /* 1..3; 0: all */
    double at_s, duration_s;
    double value_v; /* the lowest (dip, interruption) or highest Urms(1/2) */
    bool open;      /* still under way at the end, where duration_s ends, too */
};
struct replay_result {
    double seconds, frequency_hz;
    unsigned n_phases;
    struct replay_phase phase[LEGAL_N_PHASES];
    double p_w, q_var, s_va, pf;
    double in_a, u2_pct, u0_pct;
    double energy[LEGAL_N_ENERGIES]; /* Wh, varh, VAh of the total */
    bool clipped;
    double un_v;         /* that the events are judged by; 0: not judged, see un_from */
    const char *un_from; /* in words: where un_v comes from, or why there is none */
    struct replay_event event[REPLAY_EVENTS_MAX]; /* by time */
    unsigned n_events, n_lost;
};

/* `repeat_s` 0: all of the source once (an endless one: 10 s); else that long, looping. ERR_MEMORY,
 * ERR_RANGE (the legal part refuses what the source gives: our own bug). */
MUST_CHECK enum err replay_run(struct source *s, double repeat_s, struct replay_result *out);
/* A third run: dips, swells and interruptions (EN 50160's thresholds) of the samples as
 * replay_run() counts energy of them, direct components included, into out->event. un_v 0: guessed,
 * a usual voltage within 5 % of the median Urms(1/2) of the first second, else that median.
 * ERR_MEMORY, ERR_RANGE. */
MUST_CHECK enum err replay_events(struct source *s, double repeat_s, double un_v,
                                  struct replay_result *out);

#endif
