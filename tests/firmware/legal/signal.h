/* Signals with known answers for the tests of the legal part.
 *
 * A spec describes three phases analytically; the true U, I, P, Q1, f and THD follow from it in
 * double, without the code under test. */
#ifndef TESTS_LEGAL_SIGNAL_H
#define TESTS_LEGAL_SIGNAL_H

#include "firmware/legal/legal_state.h"

#define SIGNAL_LINES 4

struct signal_line {
    int order;   /* harmonic, 0: unused */
    double u, i; /* amplitude over the fundamental */
    double u_deg, i_deg;
};

/* What a channel shows: (true value at t - delay, the wave ahead by lead) / (1 + gain). */
struct signal_error {
    double gain, delay_s;
    double lead;   /* radian, of every line */
    double offset; /* counts */
};

struct signal {
    double f, rate;
    double u[3], i[3];       /* fundamental, volt and ampere rms */
    double u_deg[3], lag[3]; /* angle of the voltage; current behind it */
    double u_dc, i_dc;       /* volt, ampere */
    struct signal_line line[SIGNAL_LINES];
    double noise;            /* counts rms */
    double inter_f, inter_u; /* an interharmonic of the voltage: hertz, part of u */
    uint32_t present;        /* with AFE_IN: minus the sum of the phases, times 1 - bypass */
    double bypass;
    struct signal_error error[AFE_N_CHANNELS];
};

struct truth {
    double u, i, p, q, s, thd_u, thd_i;
};

#define U_LSB_FV UINT64_C(100000000000) /* 0.1 mV: 24 bits hold 839 V */
#define I_LSB_FA UINT64_C(20000000000)  /* 20 uA: 24 bits hold 168 A */

struct legal_config signal_config(void); /* 3 x 230 V, 50 Hz, 1000 imp/kWh, no no-load limit */
struct signal signal_balanced(double f, double rate, double i, double lag_deg);
struct truth signal_truth(const struct signal *s, unsigned phase);
/* Sample-set k in counts. */
void signal_sample(const struct signal *s, uint64_t k, int32_t out[AFE_N_CHANNELS]);
/* A window over `cycles` whole cycles from sample-set 0 on (f divides the rate), products of the
 * currents included, as the kernel would give it without its rounding. */
struct legal_window signal_window(const struct signal *s, unsigned cycles);
/* Feeds sample-sets start..start+n-1 in blocks of `block`. */
void signal_feed(struct legal *l, const struct signal *s, uint64_t start, uint64_t n,
                 uint32_t block);
void signal_seconds(struct legal *l, const struct signal *s, double seconds);
/* The largest deviations from the truth over all phases, in percent of reading; Q in percent of S;
 * f in millihertz; THD in percentage points. */
struct deviation {
    double u, i, p, q, f, thd;
};
struct deviation signal_deviation(const struct signal *s, const struct legal_values *v);
void deviation_print(const char *what, const struct deviation *d);

#endif
