/* The feeder of a quarter of a town: many small loads that smooth each other, a morning and an
 * evening hump, quieter weekends, more in winter. Cables and a fixed capacitor give reactive power
 * that the night cannot use; a second capacitor joins by day. */
#include "sim/load_parts.h"

#include <math.h>

enum { SLOW = LOAD_STREAM_MODEL, QUICK, SHARE };

/* Percent of the yearly peak of a weekday. */
static const uint8_t weekday[24] = {46, 42, 40, 39, 40, 47, 62, 77, 82, 79, 76, 76,
                                    79, 75, 71, 70, 74, 86, 97, 99, 93, 83, 70, 56};
static const uint8_t saturday[24] = {50, 45, 42, 40, 40, 42, 48, 58, 68, 74, 76, 77,
                                     78, 73, 68, 67, 71, 81, 90, 91, 86, 78, 68, 58};
static const uint8_t sunday[24] = {51, 46, 42, 40, 39, 39, 42, 49, 58, 66, 71, 76,
                                   80, 70, 62, 61, 65, 76, 87, 90, 86, 78, 67, 55};

#define PEAK_SHARE 0.75 /* of the rated current */
#define CABLE      0.11 /* capacitive power of cable and fixed capacitor, of the peak */
#define CAPACITOR  0.07 /* of the one switched by load */

static double share_of_peak(const struct load *l, const struct load_moment *m)
{
    const double minute = (double)m->minute;
    unsigned day = l->day.weekday;
    double hump = load_hourly(day == 7 ? sunday : day == 6 ? saturday : weekday, m->hour);
    double cold = load_clamp((14 - m->celsius) / 22, 0, 1);
    return hump * (0.82 + 0.18 * cold) *
           (1 + 0.02 * load_drift(l, SLOW, minute, 130) + 0.012 * load_drift(l, QUICK, minute, 4));
}

void load_substation(struct load *l, const struct load_moment *m)
{
    static const double even[LOAD_PHASES] = {1.05, 1.00, 0.95};
    const struct load_rating *r = &l->spec.rating;
    double peak = PEAK_SHARE * r->u * r->i_n, share = share_of_peak(l, m);
    double given = CABLE + CAPACITOR * (share > 0.6 ? 1 : 0);
    for (unsigned p = 0; p < r->n_phases; p++) {
        double drift = load_drift(l, SHARE + p, (double)m->minute, 75);
        double w = peak * share * (even[p] + 0.03 * drift);
        double motors = load_clamp((m->hour - 6) * (20 - m->hour) / 49, 0, 1);
        load_draw(l, p, w, (0.22 + 0.10 * motors) * w - given * peak, LOAD_MIXED);
    }
}
