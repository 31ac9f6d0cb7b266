/* What the files of the calibration share. Private to sim/calibrate*. */
#ifndef FERRARIS_SIM_CALIBRATE_PARTS_H
#define FERRARIS_SIM_CALIBRATE_PARTS_H

#include "sim/calibrate_stand.h"

#define CALIBRATE_PI        3.14159265358979323846
#define CALIBRATE_REFERENCE 23.0 /* degrees Celsius */

struct calibrate_error { /* of a phase's power: what it shows against the truth */
    double gain;         /* of the apparent power, 1 */
    double late;         /* of the current, radian */
};

/* --- calibrate_refuse.c --------------------------------------------------------------------- */
/* True, with a sentence, when no parameter can mend what the channels show at this load of PF 1. */
bool calibrate_refuses(const struct stand *s, const struct stand_load *load,
                       const struct stand_seen *seen, char *why, size_t why_size);

/* --- calibrate_points.c --------------------------------------------------------------------- */
/* The report's rows: what is found before the calibration, and again after it. */
void calibrate_before(struct calibrate_result *r, const char *what, const char *unit, double value);
void calibrate_after(struct calibrate_result *r, const char *what, const char *unit, double value);
/* Both figures of a phase's power at a current: "current 1 at 0.05 A". */
void calibrate_error_point(struct calibrate_result *r, bool after, const char *kind, unsigned phase,
                           double i_a, struct calibrate_error e);

#endif
