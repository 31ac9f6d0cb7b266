/* Which points the rows of the tables make for a model, and what stands at the clamps at each.
 *
 * Not for other rooms: the bench is sim/typetest.h. */
#ifndef FERRARIS_SIM_TYPETEST_PLAN_H
#define FERRARIS_SIM_TYPETEST_PLAN_H

#include "sim/typetest_table.h"

#define TYPETEST_REFERENCE_C 23.0

/* What the source gives. Compared octet by octet: made by typetest_load_of() only. */
struct typetest_load {
    double u_rel, f_hz, celsius, i_a;
    double phi_deg;     /* balanced: current behind the voltage of its phase */
    double on_s, off_s; /* fast load changes; 0, 0: steady */
    enum test_shape shape;
    uint8_t loaded, lost; /* bits of phases: with current, without voltage */
    uint8_t reversed;
    uint8_t sensitive; /* the meter counts far below its starting current */
};
struct typetest_job {
    struct typetest_point point;
    struct typetest_load load, reference; /* the reference of a variation */
    double minutes;                       /* no-load */
    double from_c, to_c;                  /* composite: band, cut to what the model prints */
    double noise_goal_pct;                /* of one measurement at most; 0: does not matter */
};
struct typetest_plan {
    struct typetest_job *job; /* n */
    size_t n, size;
    char active[24], reactive[24]; /* classes, as in the tables */
    char beyond[160];
};

/* ERR_NOT_FOUND (no row for the model's classes), ERR_RANGE (o->only), ERR_MEMORY, each with a
 * sentence in `f`. Freeing is right after a failure, too. */
MUST_CHECK enum err typetest_plan_make(const struct typetest_options *o,
                                       const struct typetest_rows *rows, struct typetest_plan *out,
                                       const struct fault *f);
void typetest_plan_free(struct typetest_plan *p);

/* Phases the model meters: bits; of three wires the two elements, 1 and 3. */
uint8_t typetest_phases(const struct model_meter *m);
/* The signal of a load, without its rate. */
void typetest_signal_of(const struct model_meter *m, const struct typetest_load *l,
                        struct test_signal_spec *out);

#endif
