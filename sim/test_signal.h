/* The voltages and currents of the type tests, as functions of time, with their exact powers.
 *
 * Every waveform is a sum of lines below half the sample rate (so that any rate sees the same
 * energy), or such a sum switched at the zero crossings of its own current; P and Q1 follow
 * analytically, never by another meter. One period of each shape is tabled once (Hermite cubics,
 * error below -150 dB), so samples are cheap; the phase is fixed point, so that a sample is the
 * same whichever block it is asked in. It knows no noise and no errors: sim/front_end.h.
 *
 * What cutting the lines at half the sample rate changes: phase-fired and half-wave currents lose
 * the lines above, so their rms is a little smaller (0.25 % and 0.01 % at 8 kHz) and phase-fired
 * ones overshoot at the edges by 9 % of the step. Power does not change, as the voltage has no line
 * up there. */
#ifndef FERRARIS_SIM_TEST_SIGNAL_H
#define FERRARIS_SIM_TEST_SIGNAL_H

#include "firmware/hal/afe.h"
#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

/* The waveforms of the influence tests, as the IEC 62053-2x annexes describe them. */
enum test_shape {
    TEST_SINE,
    TEST_FIFTH,         /* 5th harmonic: 10 % in U, 40 % in I, all in phase at the rising zero
                           crossing: P = 1.04 P1 at lag 0 */
    TEST_PHASE_FIRED,   /* I blanked 0..90 and 180..270 degrees: P = P(sine) / 2 */
    TEST_BURST,         /* I two periods on, two off */
    TEST_HALF_WAVE,     /* I positive half cycles only, direct component I_peak / pi */
    TEST_INTERHARMONIC, /* 1 % at 7.5 f and 10 % at 5 f in U, I a sine */
    TEST_N_SHAPES
};

struct test_signal_spec {
    enum test_shape shape;
    double f_hz, rate_hz; /* f 10 Hz .. rate / 40, rate 500 .. 64 000 */
    double u[3], i[3];    /* rms of the undistorted sine, V and A, 0..1e6; 0: off */
    double lag_deg[3];    /* current behind its voltage; 180: export */
    /* Angle of each voltage; 0, -120, 120 is the right sequence. Two elements (three wires): u[0]
     * is U12 at 30, u[2] is U32 at 90, and the lags are phi + 30 and phi - 30. */
    double u_deg[3];
    /* Fast load changes: current on and off, rounded to whole periods, switched at its zero
     * crossings; 0, 0: always on. Not together with TEST_BURST. */
    double on_s, off_s;
    uint32_t present; /* bits of enum afe_channel; IN carries minus the sum of the phase currents */
};

struct test_signal; /* heap; free with test_signal_free */
/* NULL: out of memory or a spec out of range. */
struct test_signal *test_signal_new(const struct test_signal_spec *s);
void test_signal_free(struct test_signal *t);
const struct test_signal_spec *test_signal_spec_of(const struct test_signal *t);
/* Adds n samples from sample number `first` (below 2^62) of a channel, times `scale`, the channel
 * being late by delay_s, to out. Adds nothing for a channel that is not present. */
void test_signal_add(const struct test_signal *t, enum afe_channel c, double delay_s, double scale,
                     uint64_t first, size_t n, double *out);
/* The value of each present channel (V, A) at n sample times from sample number `first`, channel c
 * late by delay_s[c] seconds (NULL: none). out[c] may be NULL. */
void test_signal_fill(const struct test_signal *t, uint64_t first, size_t n,
                      const double delay_s[AFE_N_CHANNELS], double *const out[AFE_N_CHANNELS]);
/* Exact means of one phase over the shape's period while the load is on. */
struct test_truth {
    double p_w, q_var; /* all lines; fundamental */
    double u_v, i_a;   /* rms */
    double i_on_a;     /* rms while current flows: above i_a for a burst */
};
struct test_truth test_signal_truth(const struct test_signal *t, unsigned phase);
/* Energies between two times in seconds, Wh and varh of all present phases (signed): mean power
 * times on-time. Exact over whole periods; inside a period the ripple at twice the frequency is
 * left out, as a meter that counts whole periods does. Each phase switches at its own current's
 * zero crossings. */
void test_signal_energy(const struct test_signal *t, double from_s, double to_s, double *wh,
                        double *varh);

#endif
