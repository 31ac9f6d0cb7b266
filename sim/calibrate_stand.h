/* The test stand of the calibration: lets a load run through front end and legal part and takes the
 * means of the meter's windows and the increments of its registers. Private to sim/calibrate*. */
#ifndef FERRARIS_SIM_CALIBRATE_STAND_H
#define FERRARIS_SIM_CALIBRATE_STAND_H

#include "sim/calibrate.h"

#include <stdbool.h>

struct stand {
    const struct calibrate_job *job;
    double f_hz, un_v;        /* nominal; at an element */
    uint32_t present, phases; /* channels; elements */
    uint64_t first;           /* next sample */
    double done_s, planned_s; /* of signal, for the progress */
};
struct stand_load {                             /* the same for all elements */
    double u_v, i_a, lag_deg, celsius, seconds; /* that count */
    bool first_only;                            /* current in phase 1 only */
    bool registers;                             /* wait for them, too */
};

struct stand_phase {
    double uu, ii;                   /* mean squares without direct component, counts^2 */
    double p, q;                     /* mean product; reactive of the fundamental; counts^2 */
    double u, i;                     /* direct components, counts */
    double u_deg;                    /* this voltage ahead of that of phase 1 */
    double register_w, register_var; /* mean powers by the registers, where load.registers */
    double value_v, value_a;         /* means of the values; 0: there were none */
};
struct stand_seen {
    struct stand_phase phase[LEGAL_N_PHASES];
    double in_in, in, in_value_a; /* of the neutral, as those of a phase */
    double seconds;
    uint32_t clipped[AFE_N_CHANNELS]; /* samples at the end of the range */
};

void stand_init(struct stand *s, const struct calibrate_job *job);
/* How long a current must be measured until the front end's noise is `target` of its power. */
double stand_seconds(const struct stand *s, double i_a, double target);
/* ERR_MEMORY; ERR_TIMEOUT: the meter found no whole periods; ERR_RANGE: it took no samples. */
MUST_CHECK enum err stand_run(struct stand *s, const struct stand_load *load, const char *what,
                              struct stand_seen *out);

#endif
