/* See crystal.h. */
#include "sim/crystal.h"

#include <math.h>

/* A double-layer capacitor loses half of its charge in two months by itself, and is full a day
 * after the mains came; a lithium cell loses 1 % of its capacity a year. From memory. */
#define SUPERCAP_LEAK_S (60 * 86400 / 0.693)
#define SUPERCAP_FULL_S (86400.0 / 5) /* five of these: 99 % */
#define BATTERY_LEAK_S  (100 * 365.25 * 86400)

void crystal_begin(struct crystal *c, const struct crystal_options *o, int64_t count_ns)
{
    *c = (struct crystal){.o = *o, .celsius = 23, .count_ns = count_ns, .charge = 1};
}

void crystal_set(struct crystal *c, int64_t count_ns)
{
    c->count_ns = count_ns;
    c->rest_ns = 0;
    c->lost = false;
}

double crystal_ppm(const struct crystal *c)
{
    double away = c->celsius - c->o.turnover_c;
    return c->o.ppm + c->o.ppm_per_k2 * away * away;
}

static double leak_s(const struct crystal *c)
{
    return c->o.reserve == CRYSTAL_SUPERCAP ? SUPERCAP_LEAK_S : BATTERY_LEAK_S;
}

/* What the clock draws, part of the full charge a second: such that a full reserve is empty after
 * reserve_s together with what it loses by itself. Solves q' = -q / leak - drawn. */
static double drawn(const struct crystal *c)
{
    return 1 / (leak_s(c) * (exp(c->o.reserve_s / leak_s(c)) - 1));
}

double crystal_left_s(const struct crystal *c)
{
    if (c->o.reserve == CRYSTAL_NO_RESERVE)
        return 0;
    return leak_s(c) * log1p(c->charge / (drawn(c) * leak_s(c)));
}

static void charge(struct crystal *c, double s)
{
    if (c->o.reserve == CRYSTAL_SUPERCAP)
        c->charge = 1 - (1 - c->charge) * exp(-s / SUPERCAP_FULL_S);
    else
        c->charge *= exp(-s / leak_s(c));
}

static void discharge(struct crystal *c, double s)
{
    double stay = drawn(c) * leak_s(c);
    c->charge = (c->charge + stay) * exp(-s / leak_s(c)) - stay;
}

/* Nothing counts in double but the error, so that an ideal crystal is exact. */
static void count(struct crystal *c, int64_t ns)
{
    c->rest_ns += (double)ns * crystal_ppm(c) * 1e-6;
    double whole = floor(c->rest_ns);
    c->rest_ns -= whole;
    c->count_ns += ns + (int64_t)whole;
}

void crystal_pass(struct crystal *c, int64_t ns, bool mains)
{
    double s = (double)ns * 1e-9;
    if (!mains && crystal_left_s(c) < s) {
        c->charge = 0;
        c->lost = true;
    }
    if (mains)
        charge(c, s);
    else if (!c->lost)
        discharge(c, s);
    if (!c->lost)
        count(c, ns);
}
