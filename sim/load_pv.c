/* A roof towards south, tilted by 35 degrees, with an inverter: the sun's height by day of year and
 * latitude, the way of its light through the air, and the day's clouds. */
#include "sim/load_parts.h"

#include <math.h>

enum { SKY = LOAD_STREAM_WEATHER + 1, CLOUDS, WISPS };

#define TILT        (35 * LOAD_PI / 180)
#define PERFORMANCE 0.88 /* of modules that are warm, dusty and wired */
#define INVERTER    0.95 /* of the peak power */
#define CLEAR_DAY   0.30
#define BROKEN_DAY  0.75

/* Light that reaches the roof straight and from all over the sky, of that on a clear day. */
static void sky_of(const struct load *l, double minute, double *straight, double *spread)
{
    double kind = load_chance(l, SKY, l->day.number), slow = load_drift(l, CLOUDS, minute, 41);
    double quick = load_drift(l, WISPS, minute, 7);
    if (kind < CLEAR_DAY) {
        *straight = 1 - 0.04 * (1 + slow);
        *spread = 1;
    } else if (kind < BROKEN_DAY) { /* clouds with holes between them */
        *straight = 1 / (1 + exp(-7 * (quick + 0.7 * slow + 0.5 - kind)));
        *spread = 1.5 + 0.4 * slow;
    } else {
        *straight = 0.02 * (1 + quick);
        *spread = 1.1 + 0.5 * slow;
    }
}

void load_pv(struct load *l, const struct load_moment *m)
{
    if (m->sun <= 0.01)
        return;
    /* the roof sees the sun as flat ground does 35 degrees further south */
    double lat = l->spec.latitude * LOAD_PI / 180 - TILT, straight, spread;
    double angle = (m->utc_h + l->day.sun_h - 12) * LOAD_PI / 12;
    double facing = sin(lat) * l->day.sin_sun + cos(lat) * l->day.cos_sun * cos(angle);
    /* kW/m2 through an air of 1 / sun thicknesses: Meinel's rule */
    double beam = 1.353 * pow(0.7, pow(1 / m->sun, 0.678));
    sky_of(l, (double)m->minute, &straight, &spread);
    double light = straight * beam * load_clamp(facing, 0, 1) + spread * 0.11 * pow(m->sun, 0.6);
    double w = 1000 * l->spec.kwp * load_clamp(PERFORMANCE * light, 0, INVERTER);
    if (w > 0.005 * 1000 * l->spec.kwp) /* the inverter wakes up */
        load_draw(l, LOAD_PHASES, -w, 0.03 * w, LOAD_SOLAR);
}
