/* The voltages and currents of the type tests, as functions of time, with their exact powers.
 *
 * Every waveform is a sum of lines (band-limited, so that any sample rate sees the same energy), or
 * a sine switched at its zero crossings; P and Q1 follow analytically, never by another meter. One
 * period of each shape is tabled once, so samples are cheap. Reference waveforms: spec in the
 * tables' notes (IEC 62052-11, 62053-2x annexes). */
#ifndef FERRARIS_SIM_TEST_SIGNAL_H
#define FERRARIS_SIM_TEST_SIGNAL_H

#include "firmware/hal/afe.h"
#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum test_shape {
    TEST_SINE,
    TEST_FIFTH,         /* 5th harmonic: 10 % in U, 40 % in I, in phase */
    TEST_PHASE_FIRED,   /* I blanked 0..90 and 180..270 degrees */
    TEST_BURST,         /* I two periods on, two off */
    TEST_HALF_WAVE,     /* I positive half cycles only */
    TEST_INTERHARMONIC, /* 1 % at 7.5 f in U, with 10 % h5 */
    TEST_N_SHAPES
};

struct test_signal_spec {
    enum test_shape shape;
    double f_hz, rate_hz;
    double u[3], i[3];  /* rms of the undistorted sine, V and A; 0: off */
    double lag_deg[3];  /* current behind its voltage; 180: export */
    double u_deg[3];    /* angle of each voltage; 0, -120, 120 is the right sequence */
    double on_s, off_s; /* fast load changes: current on and off; 0, 0: always on */
    uint32_t present; /* bits of enum afe_channel; IN carries minus the sum of the phase currents */
    double u_line;    /* not used (0) but for three-wire: u[0] is U12, u[2] is U32 */
};

struct test_signal; /* heap; free with test_signal_free */
/* NULL: out of memory or a spec out of range. */
struct test_signal *test_signal_new(const struct test_signal_spec *s);
void test_signal_free(struct test_signal *t);
/* The value of each present channel (V, A) at n sample times from sample number `first`, channel c
 * delayed by delay_s[c] seconds (NULL: none). */
void test_signal_fill(const struct test_signal *t, uint64_t first, size_t n,
                      const double delay_s[AFE_N_CHANNELS], double *const out[AFE_N_CHANNELS]);
/* Exact means of one phase while the load is on: W, var of the fundamental, V, A. */
struct test_truth {
    double p_w, q_var, u_v, i_a;
};
struct test_truth test_signal_truth(const struct test_signal *t, unsigned phase);
/* Exact energies between two times in seconds, Wh and varh of all phases (signed); whole switching
 * periods are exact, parts of them by the clipped on-time. */
void test_signal_energy(const struct test_signal *t, double from_s, double to_s, double *wh,
                        double *varh);

#endif
