/* A metal workshop in two shifts, Monday to Friday from 6 to 22 hours with breaks; a maintenance
 * crew on Saturday morning. Machine tools on drives, a compressor that also feeds leaks at night,
 * spot welding between two phases' worth of chance. */
#include "sim/load_parts.h"

#include <math.h>

enum { MACHINES = LOAD_STREAM_MODEL, AIR, WELDING };

static bool in_break(double hour)
{
    return (hour > 9.25 && hour < 9.5) || (hour > 12 && hour < 12.6) || (hour > 18 && hour < 18.5);
}

static double at_work(const struct load *l, double hour)
{
    if (l->day.weekday == 7)
        return 0;
    if (l->day.weekday == 6)
        return 0.3 * load_since(hour, 7) * (1 - load_since(hour, 12));
    double shift =
        load_since(hour, 6) * (1 - 0.35 * load_since(hour, 14)) * (1 - load_since(hour, 22));
    return in_break(hour) ? 0.35 * shift : shift;
}

void load_workshop(struct load *l, const struct load_moment *m)
{
    const double minute = (double)m->minute, work = at_work(l, m->hour);
    double busy = work * (1 + 0.22 * load_drift(l, MACHINES, minute, 19) +
                          0.12 * load_drift(l, MACHINES + 64, minute, 4));
    load_draw(l, 0, 500, 120, LOAD_ELECTRONIC);
    load_draw(l, 1, 350, 80, LOAD_ELECTRONIC);
    load_draw(l, 2, 400, 90, LOAD_ELECTRONIC);
    load_draw(l, LOAD_PHASES, 3000 * (work > 0.05), 300 * (work > 0.05), LOAD_LED);
    load_draw(l, LOAD_PHASES, 16000 * busy, 4200 * busy, LOAD_DRIVE);
    load_draw(l, LOAD_PHASES, 6500 * busy, 5200 * busy, LOAD_MOTOR);
    /* compressed air: of every twelve minutes four at night, most of them by day */
    double at = minute / 12 + load_chance(l, AIR, 0);
    if (at - floor(at) < 0.2 + 0.6 * work)
        load_draw(l, LOAD_PHASES, 7500, 5000, LOAD_MOTOR);
    if (load_chance(l, WELDING, m->minute) < 0.4 * busy)
        load_draw(l, (unsigned)(m->minute / 5 % 3), 4500, 3600, LOAD_MOTOR);
}
