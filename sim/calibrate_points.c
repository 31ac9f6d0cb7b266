/* Rows of the calibration's report. See calibrate_parts.h. */
#include "sim/calibrate_parts.h"

#include <stdio.h>
#include <string.h>

#define ARC_MINUTE (CALIBRATE_PI / 10800)

void calibrate_before(struct calibrate_result *r, const char *what, const char *unit, double value)
{
    if (r->n_points == CALIBRATE_POINTS_MAX)
        return;
    struct calibrate_point *p = &r->point[r->n_points++];
    *p = (struct calibrate_point){.before = value, .unit = unit};
    snprintf(p->what, sizeof p->what, "%s", what);
}

void calibrate_after(struct calibrate_result *r, const char *what, const char *unit, double value)
{
    for (size_t k = 0; k < r->n_points; k++)
        if (strcmp(r->point[k].what, what) == 0 && strcmp(r->point[k].unit, unit) == 0)
            r->point[k].after = value;
}

void calibrate_error_point(struct calibrate_result *r, bool after, const char *kind, unsigned phase,
                           double i_a, struct calibrate_error e)
{
    void (*note)(struct calibrate_result *, const char *, const char *, double) =
        after ? calibrate_after : calibrate_before;
    char what[sizeof r->point[0].what];
    snprintf(what, sizeof what, "%s %u at %.3g A", kind, phase + 1, i_a);
    note(r, what, "%", e.gain * 100);
    note(r, what, "'", e.late / ARC_MINUTE);
}
