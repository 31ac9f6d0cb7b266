/* A household: what is always on, what follows the hours of being awake, and the day's appliances.
 *
 * Phase 1 has the living room and laundry, phase 2 the kitchen, phase 3 cellar and workroom. A year
 * of it comes to 3 to 4.5 MWh; heat pump and car are extra. */
#include "sim/load_parts.h"

#include <math.h>

/* Share of people at home and awake, percent. */
static const uint8_t awake_weekday[24] = {6,  2,  2,  2,  4,  22, 68, 74, 42, 28, 26, 30,
                                          38, 34, 30, 34, 48, 70, 90, 98, 96, 84, 56, 22};
static const uint8_t awake_weekend[24] = {20, 8,  3,  2,  2,  6,  18, 42, 74, 84, 80, 80,
                                          88, 78, 70, 70, 76, 82, 90, 96, 94, 86, 66, 40};

enum { /* streams of chance */
       BASE = LOAD_STREAM_MODEL,
       COMPRESSOR,
       SCREENS,
       THERMOSTAT,
       HOT_WATER,
       HABIT /* and one for each row of habits */
};

/* What may happen on a day. Chances in percent; times in minutes of the day. */
struct habit {
    uint8_t on_weekday, on_saturday, on_sunday;
    uint8_t phase, shape;
    uint16_t at_weekday, at_weekend, around; /* +- `around` */
    uint16_t minutes, longer;                /* of running, and up to so many more */
    float w, duty;
    bool follows; /* begins where the row above ended, and only if that happened */
};
static const struct habit habits[] = {
    {95, 95, 95, 1, LOAD_RESISTIVE, 385, 525, 25, 4, 2, 2000, 1, false},      /* kettle */
    {80, 90, 90, 1, LOAD_RESISTIVE, 0, 0, 0, 8, 6, 950, 0.8f, true},          /* toaster, coffee */
    {25, 70, 85, 1, LOAD_RESISTIVE, 725, 745, 40, 25, 25, 1700, 0.6f, false}, /* lunch */
    {90, 80, 75, 1, LOAD_RESISTIVE, 1100, 1085, 55, 30, 30, 2300, 0.55f, false}, /* dinner */
    {50, 60, 60, 1, LOAD_RESISTIVE, 1220, 970, 60, 4, 2, 2000, 1, false},        /* tea */
    {55, 65, 65, 1, LOAD_RESISTIVE, 1190, 1190, 60, 16, 4, 1900, 1, false}, /* dishwasher heats */
    {100, 100, 100, 1, LOAD_MOTOR, 0, 0, 0, 40, 10, 70, 1, true},           /*   washes */
    {100, 100, 100, 1, LOAD_RESISTIVE, 0, 0, 0, 12, 4, 1900, 1, true},      /*   dries */
    {20, 75, 35, 0, LOAD_RESISTIVE, 1050, 620, 90, 14, 5, 2050, 1, false},  /* washing heats */
    {100, 100, 100, 0, LOAD_MOTOR, 0, 0, 0, 50, 15, 260, 0.8f, true},       /*   turns */
    {60, 60, 40, 0, LOAD_MOTOR, 0, 0, 0, 50, 30, 1300, 0.8f, true},         /* tumble dryer */
    {8, 65, 15, 2, LOAD_MOTOR, 1040, 660, 120, 15, 20, 850, 0.9f, false},   /* vacuum cleaner */
    {20, 50, 30, 2, LOAD_MOTOR, 1110, 870, 150, 20, 60, 600, 0.5f, false},  /* tools */
};
#define N_HABITS (sizeof habits / sizeof habits[0])
_Static_assert(N_HABITS < LOAD_EVENTS_MAX, "a day holds every habit and the car");

static void add_event(struct load_day *d, const struct load_event *e)
{
    if (e->from < e->to && d->n_events < LOAD_EVENTS_MAX)
        d->event[d->n_events++] = *e;
}

static uint16_t until_midnight(double minute)
{
    return (uint16_t)load_clamp(minute, 0, 1440);
}

/* The row's event, or one of no length when it does not happen today. */
static struct load_event event_of(const struct load *l, const struct habit *h, unsigned stream,
                                  const struct load_event *above)
{
    const struct load_day *d = &l->day;
    const bool weekend = d->weekday >= 6;
    unsigned chance = d->weekday == 7 ? h->on_sunday : weekend ? h->on_saturday : h->on_weekday;
    struct load_event e = {.phase = h->phase, .shape = h->shape, .w = h->w, .duty = h->duty};
    bool today = load_chance(l, stream, 4 * d->number) * 100 < chance;
    if (!today || (h->follows && above->from == above->to))
        return e;
    double at = weekend ? h->at_weekend : h->at_weekday;
    at += (2 * load_chance(l, stream, 4 * d->number + 1) - 1) * h->around;
    if (h->follows)
        at = above->to;
    e.from = until_midnight(at);
    e.to = until_midnight(at + h->minutes + load_chance(l, stream, 4 * d->number + 2) * h->longer);
    return e;
}

static void plan_car(struct load *l)
{
    const unsigned stream = HABIT + N_HABITS;
    const int64_t n = 4 * l->day.number;
    if (l->spec.ev <= 0 || load_chance(l, stream, n) > 0.45)
        return;
    struct load_event e = {.phase = LOAD_PHASES, .shape = LOAD_DRIVE, .duty = 1};
    e.w = (float)(1000 * l->spec.ev);
    e.from = until_midnight(1080 + 120 * load_chance(l, stream, n + 1));
    e.to = until_midnight(e.from + 60 + 150 * load_chance(l, stream, n + 2));
    add_event(&l->day, &e);
}

void load_household_day(struct load *l)
{
    struct load_event above = {0};
    for (unsigned k = 0; k < N_HABITS; k++) {
        above = event_of(l, &habits[k], HABIT + k, &above);
        add_event(&l->day, &above);
    }
    plan_car(l);
}

static void draw_events(struct load *l, const struct load_moment *m)
{
    const unsigned minute = (unsigned)(m->hour * 60);
    for (unsigned k = 0; k < l->day.n_events; k++) {
        const struct load_event *e = &l->day.event[k];
        if (minute < e->from || minute >= e->to)
            continue;
        if (e->duty < 1 && load_chance(l, THERMOSTAT, m->minute / 2 * 32 + k) > (double)e->duty)
            continue;
        double lag = e->shape == LOAD_MOTOR ? 0.55 : 0;
        load_draw(l, e->phase, (double)e->w, (double)e->w * lag, (enum load_shape)e->shape);
    }
}

/* A compressor that runs `on` of `every` minutes, a little longer by chance. */
static void draw_compressor(struct load *l, const struct load_moment *m, unsigned phase,
                            double every, double on, double w)
{
    double at = (double)m->minute / every + load_chance(l, COMPRESSOR, phase);
    double longer = 1 + 0.3 * load_chance(l, COMPRESSOR, (int64_t)at * 4 + phase + 16);
    if ((at - floor(at)) * every < on * longer)
        load_draw(l, phase, w, 0.6 * w, LOAD_MOTOR);
}

static void draw_heatpump(struct load *l, const struct load_moment *m)
{
    double share = load_clamp((16 - m->celsius) / 27, 0, 1), lowest = 0.3;
    bool hot_water =
        m->hour > 13 && m->hour < 13.6 + 0.4 * load_chance(l, HOT_WATER, l->day.number);
    if (share < lowest) { /* less than the compressor can: it comes and goes */
        double at = (double)m->minute / 50 + load_chance(l, HOT_WATER, -1);
        share = at - floor(at) < share / lowest ? lowest : 0;
    }
    if (hot_water)
        share = fmax(share, 0.75);
    double w = 1000 * l->spec.heatpump * share;
    load_draw(l, LOAD_PHASES, w + 12, 0.12 * w, LOAD_DRIVE);
}

void load_household(struct load *l, const struct load_moment *m)
{
    const double minute = (double)m->minute;
    double awake = load_hourly(l->day.weekday >= 6 ? awake_weekend : awake_weekday, m->hour);
    double restless = 1 + 0.25 * load_drift(l, SCREENS, minute, 11);
    double dark = load_clamp((0.12 - m->sun) * 5, 0, 1);
    double base = 0.85 + 0.3 * load_chance(l, BASE, 0);
    load_draw(l, 0, 38 * base, 9, LOAD_ELECTRONIC);
    load_draw(l, 1, 24 * base, 7, LOAD_ELECTRONIC);
    load_draw(l, 2, 30 * base, 8, LOAD_ELECTRONIC);
    draw_compressor(l, m, 1, 46, 15, 85);
    draw_compressor(l, m, 2, 71, 22, 95);
    load_draw(l, 0, 150 * awake * restless, 15, LOAD_ELECTRONIC);
    load_draw(l, 2, 60 * awake * restless, 6, LOAD_ELECTRONIC);
    load_draw(l, 0, 70 * awake * dark, 8, LOAD_LED);
    load_draw(l, 1, 50 * awake * dark, 6, LOAD_LED);
    draw_events(l, m);
    if (l->spec.heatpump > 0)
        draw_heatpump(l, m);
}
