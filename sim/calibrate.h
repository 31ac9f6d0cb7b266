/* Factory calibration: what a test bench does to a new meter with a reference source.
 *
 * Order as in industry: offset and noise with short circuits open, gains at Un and Iref, PF 1,
 * phase at PF 0.5 ind, power offset near Imin, CT table over current where there is a CT; one point
 * per phase each, all phases at once. The reference is the exact signal; the meter's own windows
 * are what is compared. Every parameter goes in through legal_parameter_set, then the seal. */
#ifndef FERRARIS_SIM_CALIBRATE_H
#define FERRARIS_SIM_CALIBRATE_H

#include "sim/front_end.h"

struct calibrate_point {
    char what[24];        /* "gain u2", "phase 1", "ct 3 at 0.05 A" */
    double before, after; /* error in percent (phase: minutes of arc), remeasured after sealing */
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
/* `legal` is fresh with the nominal lsb and open; it is left calibrated and sealed. Parameter
 * changes are told to `audit` (may be NULL). ERR_RANGE with a sentence in `why`: the front end is
 * beyond what a calibration may correct (parameter ranges), a channel is dead or saturated;
 * ERR_MEMORY. */
MUST_CHECK enum err calibrate_run(struct legal *legal, const struct model_meter *m,
                                  struct front_end *f, struct calibrate_result *out,
                                  void (*audit)(void *context, const struct legal_audit *a),
                                  void *context, char *why, size_t why_size);

#endif
