/* What the load models of load_*.c share. Private to sim/load*.
 *
 * A model is asked once a minute and draws power by load_draw(); load.c turns power into currents.
 */
#ifndef FERRARIS_SIM_LOAD_PARTS_H
#define FERRARIS_SIM_LOAD_PARTS_H

#include "sim/load.h"

#define LOAD_PI 3.14159265358979323846

/* Waveform of an appliance's current: what it has of 3rd, 5th and 7th harmonic (load.c). */
enum load_shape {
    LOAD_RESISTIVE,
    LOAD_ELECTRONIC, /* rectifier and capacitor: a narrow peak */
    LOAD_LED,
    LOAD_MOTOR,
    LOAD_DRIVE, /* three-phase rectifier: no third */
    LOAD_SOLAR, /* an inverter feeding in */
    LOAD_MIXED, /* of many consumers */
    LOAD_N_SHAPES
};

struct load_moment { /* one minute */
    int64_t minute;  /* since 1970, UTC */
    double hour;     /* local, 0..24 */
    double celsius;  /* outside */
    double utc_h;    /* hour of the UTC day */
    double sun;      /* sine of the sun's height at the spec's latitude; below 0 it is night */
};

/* 0..1 by chance, the same for the same seed, stream and number. */
double load_chance(const struct load *l, unsigned stream, int64_t number);
/* -1..1, smooth: a new value every `period` minutes and a soft way between. */
double load_drift(const struct load *l, unsigned stream, double minute, double period);
/* Value of a table of 24 hours, percent, softly between the hours, as 0..1. */
double load_hourly(const uint8_t percent[24], double hour);
double load_clamp(double x, double low, double high);
/* 0..1: how far a smooth ramp of half an hour around `at` has gone. */
double load_since(double hour, double at);

/* Active and reactive power of one phase (the meter's only one where there is one), or with
 * LOAD_PHASES an equal share of each. Negative power is export. */
void load_draw(struct load *l, unsigned phase, double w, double var, enum load_shape shape);

/* Streams of chance. Each model counts up from its own number. */
enum {
    LOAD_STREAM_SUPPLY = 0,
    LOAD_STREAM_WEATHER = 16,
    LOAD_STREAM_MODEL = 32,
};

void load_household(struct load *l, const struct load_moment *m);
/* Lays down the day's appliances. */
void load_household_day(struct load *l);
void load_shop(struct load *l, const struct load_moment *m);
void load_pv(struct load *l, const struct load_moment *m);
void load_substation(struct load *l, const struct load_moment *m);
void load_workshop(struct load *l, const struct load_moment *m);

#endif
