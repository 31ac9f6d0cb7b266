/* The accuracy bench: tables of the standards, the points they make for a model, and what the meter
 * showed at each, through LED and registers.
 *
 * "Passes the limits of ...": the bench is built from the limits of the standards named in the
 * tables; it is no conformity assessment. A point runs the whole path: signal -> front end ->
 * meter_samples() -> LED pulses and DLMS registers. Reports are written by typetest_text.c,
 * typetest_json.c, typetest_html.c. */
#ifndef FERRARIS_SIM_TYPETEST_H
#define FERRARIS_SIM_TYPETEST_H

#include "model/meters.h"
#include "sim/recording.h"
#include "sim/test_signal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum typetest_test { /* names as in JSON: load, one_phase, difference, starting, ... */
                     TYPETEST_LOAD,
                     TYPETEST_ONE_PHASE,
                     TYPETEST_DIFFERENCE, /* one phase loaded less balanced */
                     TYPETEST_STARTING,
                     TYPETEST_NO_LOAD,
                     TYPETEST_CONSTANT, /* registers beside pulses */
                     TYPETEST_VOLTAGE,  /* from here on: variation of the error by an influence */
                     TYPETEST_FREQUENCY,
                     TYPETEST_FIFTH,
                     TYPETEST_PHASE_FIRED,
                     TYPETEST_BURST,
                     TYPETEST_HALF_WAVE,
                     TYPETEST_SEQUENCE,
                     TYPETEST_LOST_PHASES,
                     TYPETEST_FAST_LOAD,
                     TYPETEST_TEMPERATURE, /* %/K */
                     TYPETEST_COMPOSITE,   /* MID: root of the squares against the MPE */
                     TYPETEST_N_TESTS
};
const char *typetest_test_name(enum typetest_test t);

struct typetest_point {
    char table[24]; /* "62053-22", "50470-3", "MID" */
    enum typetest_test test;
    char quantity;  /* 'P' or 'Q' (fundamental) */
    char phases[4]; /* "123", "1" */
    bool exported;
    double i_rel; /* of In, Iref or Ib */
    double i_a;
    double pf;       /* cos phi, for Q sin phi; 1, 0.5 ... */
    char pf_kind[4]; /* "", "ind", "cap" */
    double u_rel, f_hz, celsius;
    double limit_pct; /* of the error or the variation; starting: of one pulse period (50: the first
                         pulse within 1.5); no-load: pulses; temperature: %/K */
    double target_pct; /* what we ask of ourselves beyond the class, table "target"; 0: nothing */
    bool certain;      /* the limit was read in a public text, not remembered */
};
struct typetest_result {
    struct typetest_point point;
    double error_pct;    /* at the LED; the variation where the test is one; no-load: pulses;
                            constant: registers against pulses; composite: root of the squares */
    double register_pct; /* at the DLMS registers; NaN where too few units passed */
    double noise_pct;    /* standard deviation of error_pct expected from the front end's noise */
    double seconds;      /* of signal */
    uint32_t pulses;
    bool pass;
    char note[96]; /* what a reader must know, "" mostly */
};
struct typetest_options {
    const struct model_meter *model; /* with its order applied */
    const char *order;               /* words of the order, "" for the standard one */
    bool ideal;                      /* algorithm alone */
    unsigned every;                  /* each n-th point of a test only; 0, 1: all */
    uint64_t seed;
    double rate_hz;     /* 8000 */
    const char *tables; /* folder with CSV files instead of the built-in ones; NULL */
    const char *only;   /* names of tests, comma separated; NULL: all */
    void (*progress)(void *context, size_t done, size_t of, const char *what);
    void *context;
};
struct typetest_report {
    const struct model_meter *model;
    char order[64];
    char active[24], reactive[24]; /* classes, as in the tables */
    bool ideal;
    uint64_t seed;
    double rate_hz;
    size_t n, n_failed;
    size_t n_missed;  /* points beyond their target_pct; failed ones of table "target" among them */
    char beyond[160]; /* tests of these tables that no simulation shows, "a, b" */
    struct typetest_result *result; /* n, in the order of the tables */
    /* NaN where no such point was measured: */
    double worst_margin_pct;              /* least (limit - |error|) / limit x 100 of all points */
    double worst_pf1_pct, worst_pf05_pct; /* greatest |error| of the load curves, P */
    double worst_q1_pct, worst_q05_pct;   /* and of Q at sin 1 and 0.5 */
    double seconds;                       /* of signal, all points */
    double wall_s;
    char version[24]; /* of firmware/legal */
    unsigned every;   /* as asked for: 0, 1 all points; otherwise the report says it is a sample */
    char only[64];    /* as asked for, "" all tests */
    char
        date[32]; /* printed at the head of the report; typetest_run leaves "", there is no clock */
};
/* ERR_FORMAT (a table: file and line in `fault`), ERR_NOT_FOUND (no table for the class),
 * ERR_RANGE, ERR_MEMORY. Free with typetest_free. */
MUST_CHECK enum err typetest_run(const struct typetest_options *o, struct typetest_report *out,
                                 const struct fault *f);
void typetest_free(struct typetest_report *r);

/* All give ERR_IO when the stream fails. */
MUST_CHECK enum err typetest_text(const struct typetest_report *r, FILE *to);
MUST_CHECK enum err typetest_json(const struct typetest_report *r, FILE *to);
MUST_CHECK enum err typetest_html(const struct typetest_report *r, FILE *to);

#endif
