/* Factory calibration: what a test bench does to a new meter with a reference source.
 *
 * Order as in industry: offset and noise with short circuits, gains at Un and Iref at PF 1, phase
 * at PF 0.5 inductive, power offset with the currents open, a table over current where there is a
 * CT, the same gain and phase point hot and cold for the drift; one point each for all phases at
 * once. The reference is the exact signal; the meter's own windows are what is compared. Every
 * parameter goes in through legal_parameter_set; then the points are measured again, at the
 * registers, and the seal closes. Starting currents are 0 meanwhile, as the least currents may lie
 * below them.
 *
 * Small currents take long: each point lasts until the front end's noise has come down to an eighth
 * of 0.02 %, some ten minutes at Imax / 5000. A factory that promises class 1 stops after seconds.
 *
 * It refuses what no parameter can mend: a channel that is dead, at the end of its range, reversed,
 * in the wrong place, or beyond the ranges of the parameters. */
#ifndef FERRARIS_SIM_CALIBRATE_H
#define FERRARIS_SIM_CALIBRATE_H

#include "sim/front_end.h"

struct calibrate_point {
    char what[32];        /* "gain u2", "phase 1", "current 1 at 0.05 A", "hot 3 at 5 A" */
    double before, after; /* error in percent or minutes of arc; after: at the registers */
    const char *unit;     /* "%", "'" */
};
#define CALIBRATE_POINTS_MAX 64
struct calibrate_result {
    struct legal_calibration calibration;
    size_t n_points;
    struct calibrate_point point[CALIBRATE_POINTS_MAX];
    double seconds; /* of signal */
    uint32_t n_audits;
};

struct calibrate_job {
    struct legal *legal; /* fresh, with the nominal lsb, open; is left calibrated and sealed */
    const struct model_meter *model;                                    /* with its order */
    struct front_end *front_end;                                        /* is left at 23 degrees */
    void (*audit)(void *context, const struct legal_audit *a);          /* or NULL */
    void (*progress)(void *context, double fraction, const char *what); /* or NULL */
    void *context;
};
/* ERR_RANGE with a sentence in `why`: see above; the legal part then has some parameters set and no
 * seal. ERR_MEMORY; ERR_ACCESS: sealed already. */
MUST_CHECK enum err calibrate_meter(const struct calibrate_job *job, struct calibrate_result *out,
                                    char *why, size_t why_size);

/* The same without progress. */
MUST_CHECK enum err calibrate_run(struct legal *legal, const struct model_meter *m,
                                  struct front_end *f, struct calibrate_result *out,
                                  void (*audit)(void *context, const struct legal_audit *a),
                                  void *context, char *why, size_t why_size);

#endif
