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
enum replay_fault_kind {                 /* of an input */
                         REPLAY_MISSING, /* not in the source */
                         REPLAY_ZERO,    /* a voltage that is 0 throughout */
                         REPLAY_STUCK,   /* the same value all the time */
                         REPLAY_CLIPPED,
                         REPLAY_TORN, /* jumps across its span */
                         REPLAY_LONE, /* single samples far from their neighbours */
                         REPLAY_NO_FREQUENCY,
                         REPLAY_N_FAULTS
};
#define REPLAY_FAULTS_MAX (AFE_N_CHANNELS * 4)
struct replay_fault {
    unsigned channel; /* enum afe_channel */
    enum replay_fault_kind kind;
    size_t samples;     /* 0: not known, or none */
    double at_s, value; /* of the first of these, as the file has it */
};
struct replay_result {
    double seconds, frequency_hz;
    unsigned n_phases;
    struct replay_phase phase[LEGAL_N_PHASES];
    double p_w, q_var, s_va, pf;
    double in_a, u2_pct, u0_pct;
    double energy[LEGAL_N_ENERGIES]; /* Wh, varh, VAh of the total */
    uint8_t seen[AFE_N_CHANNELS];    /* LEGAL_FAULT_* at any time of the run for the energies */
    double un_v;                     /* that the events are judged by; 0: not judged, see un_from */
    const char *un_from;             /* in words: where un_v comes from, or why there is none */
    struct replay_event event[REPLAY_EVENTS_MAX]; /* by time */
    unsigned n_events, n_lost;
    struct replay_fault fault[REPLAY_FAULTS_MAX]; /* by input */
    unsigned n_faults;
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
/* After replay_run(): what is wrong with the inputs that were counted, into out->fault. */
void replay_faults(const struct source_info *info, struct replay_result *out);
const char *replay_input_name(unsigned channel);            /* "u1" */
const char *replay_fault_name(enum replay_fault_kind kind); /* "clipped", a word for programs */
/* A sentence without a stop. */
void replay_fault_text(const struct replay_fault *f, char *text, size_t size);

#endif
