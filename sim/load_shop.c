/* A shop of some 300 m2 with a cold counter and a bakery corner: open from 8 to 20 hours, on
 * Saturday to 18, closed on Sunday. What is cold stays cold all week. */
#include "sim/load_parts.h"

#include <math.h>

enum { STAGE = LOAD_STREAM_MODEL, CUSTOMERS, DELIVERY, OVEN };

/* 0..1: how open it is. Lights go on half an hour before the customers come. */
static double open_share(const struct load *l, double hour)
{
    if (l->day.weekday == 7)
        return 0;
    return load_since(hour, 7.6) * (1 - load_since(hour, l->day.weekday == 6 ? 18.4 : 20.4));
}

/* Compressors in three stages: more when it is warm, when doors open, after a delivery. */
static void draw_cold(struct load *l, const struct load_moment *m, double open)
{
    const double minute = (double)m->minute;
    double need = 1.1 + 0.045 * load_clamp(m->celsius - 5, 0, 25) + 0.5 * open +
                  0.5 * load_drift(l, STAGE, minute, 23) +
                  0.35 * load_drift(l, STAGE + 64, minute, 6);
    double stages = load_clamp(floor(need + 0.5), 0, 3);
    load_draw(l, LOAD_PHASES, 250 + 1600 * stages, 120 + 950 * stages, LOAD_MOTOR);
}

static void draw_bakery(struct load *l, const struct load_moment *m)
{
    bool baking = l->day.weekday != 7 && ((m->hour > 6 && m->hour < 10.5) ||
                                          (m->hour > 14 && m->hour < 15.5 && l->day.weekday != 6));
    double duty = m->hour < 7 ? 0.9 : 0.55;
    if (baking && load_chance(l, OVEN, m->minute / 3) < duty)
        load_draw(l, LOAD_PHASES, 4800, 0, LOAD_RESISTIVE);
}

void load_shop(struct load *l, const struct load_moment *m)
{
    const double minute = (double)m->minute, open = open_share(l, m->hour);
    double busy = open * (0.75 + 0.25 * load_drift(l, CUSTOMERS, minute, 35));
    load_draw(l, 0, 260, 60, LOAD_ELECTRONIC);
    load_draw(l, 1, 180, 40, LOAD_ELECTRONIC);
    load_draw(l, 2, 220, 50, LOAD_ELECTRONIC);
    load_draw(l, 0, 1500 * open, 150 * open, LOAD_LED);
    load_draw(l, 1, 1700 * open, 170 * open, LOAD_LED);
    load_draw(l, 2, 1400 * open, 140 * open, LOAD_LED);
    load_draw(l, 0, 500 * busy, 60 * busy, LOAD_ELECTRONIC);
    load_draw(l, 1, 350 * busy, 40 * busy, LOAD_ELECTRONIC);
    /* air: heat curtain in winter, cooling in summer */
    double air = open * (load_clamp((12 - m->celsius) / 14, 0, 1) * 2600 +
                         load_clamp((m->celsius - 21) / 9, 0, 1) * 5200);
    load_draw(l, LOAD_PHASES, 300 * open + air, 200 * open + 0.25 * air, LOAD_MOTOR);
    draw_cold(l, m, open);
    draw_bakery(l, m);
}
