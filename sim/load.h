/* What is connected behind a meter, as a function of time: the `load:` sources of source.h.
 *
 * A load says for any instant which currents flow and what voltage stands on each phase, as phasors
 * of the fundamental and of the third, fifth and seventh harmonic. It has plausible days, weeks and
 * seasons: people sleep, shops close on Sunday, the sun is low in winter. It is a picture of
 * consumption to test and show meters with, not a forecast, and refuses to be a network
 * calculation: the voltage drops with the phase's own load and nothing else.
 *
 * Everything is drawn from the seed and the number of the minute, so any instant can be asked for
 * in any order and the answer is always the same. A state holds for one minute of UTC; inside it a
 * small ripple second by second (load_ripple) has means of exactly one and adds known amounts to
 * squares, so that sample level and window level count the same energy.
 *
 *   load:household   base, fridge, light by dusk and habit, cooking, washing; weekends differ;
 *                    heatpump=4 kW electrical by outside temperature, ev=11 kW in the evenings
 *   load:shop        opening hours, closed on Sunday, refrigeration day and night, led light
 *   load:pv          a household under a roof of kwp=8 kW peak at lat=49 degrees north: sun by day
 *                    of year, clouds; what is not used is exported
 *   load:substation  many consumers: double hump, weekly rhythm, cable and capacitor, unbalance;
 *                    scale=1 fills three quarters of the rated current at its yearly peak
 *   load:workshop    two shifts from Monday to Friday, drives with their harmonics, compressed air
 *
 * Words follow after commas: scale=1 multiplies all power, rate=4000 sample-sets a second. Times of
 * day are those of Central Europe, with summer time. */
#ifndef FERRARIS_SIM_LOAD_H
#define FERRARIS_SIM_LOAD_H

#include "sim/recording.h"

#include <stdbool.h>
#include <stdint.h>

#define LOAD_ORDERS   4 /* 1, 3, 5, 7 */
#define LOAD_PHASES   3
#define LOAD_MINUTE_S 60

/* The connection point. */
struct load_rating {
    unsigned n_phases; /* 1 or 3 */
    double u, hz;      /* V phase to neutral; Hz */
    double i_n, i_max; /* A; the load never asks for more than i_max */
};

enum load_kind { LOAD_HOUSEHOLD, LOAD_SHOP, LOAD_PV, LOAD_SUBSTATION, LOAD_WORKSHOP, LOAD_N_KINDS };

struct load_spec {
    enum load_kind kind;
    struct load_rating rating;
    double scale, rate;
    double kwp, latitude; /* of the roof: kW, degrees north */
    double heatpump, ev;  /* kW electrical; 0: none */
    uint64_t seed;
};

/* The words after "load:". Rating and seed are the caller's to set. ERR_RANGE with a fault naming
 * the wrong word. */
MUST_CHECK enum err load_parse(const char *words, struct load_spec *out, const struct fault *f);

/* Rms value; of order h against h times the angle of the phase's own fundamental voltage. A lagging
 * current has a negative imaginary part, an exporting one a negative real part. */
struct load_phasor {
    double re, im;
};
struct load_state {
    double hz;
    struct load_phasor u[LOAD_PHASES][LOAD_ORDERS]; /* V; of order 1 only re */
    struct load_phasor i[LOAD_PHASES][LOAD_ORDERS]; /* A */
};

#define LOAD_EVENTS_MAX 24 /* of one day */
struct load_event {        /* an appliance that runs for a while; minutes of the local day */
    uint16_t from, to;
    uint8_t phase; /* LOAD_PHASES: all three */
    uint8_t shape;
    float w, duty; /* duty below 1: a thermostat switches it */
};
struct load_day {                   /* what changes once a day */
    int64_t number;                 /* local days since 1970 */
    unsigned weekday, n_events;     /* 1 Monday .. 7 Sunday */
    double of_year;                 /* 0..365 */
    double sin_sun, cos_sun, sun_h; /* declination; hours that the sun is ahead of UTC's noon */
    struct load_event event[LOAD_EVENTS_MAX];
};

/* A load in use; holds no memory and remembers only what it worked out last. Plain copies are fine.
 */
struct load {
    struct load_spec spec;
    bool known;
    int64_t minute, changes_s, zone_s; /* memo: of the state; local time until changes_s */
    struct load_day day;
    double p[LOAD_PHASES], q[LOAD_PHASES]; /* W, var being gathered */
    struct load_state state;
};

void load_init(struct load *l, const struct load_spec *spec);
/* The state of the minute that utc_s lies in; valid until the next call. Any order of instants. */
const struct load_state *load_at(struct load *l, int64_t utc_s);
/* Factors of one second on all currents, and on all voltages, of a phase: mean one over a minute.
 */
void load_ripple(const struct load *l, int64_t utc_s, unsigned phase, double *u, double *i);
/* What the ripple adds to the mean square of currents and voltages. */
#define LOAD_RIPPLE_I 0.000082
#define LOAD_RIPPLE_U 0.0000005

#endif
