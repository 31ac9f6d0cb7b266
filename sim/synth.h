/* A synthesised network of one or three phases: the `synth:` sources of source.h.
 *
 * A specification is a list of words, comma separated, after "synth:":
 *   u=230 i=5         rms of the fundamental per phase, V and A; u1= i2= ... for one phase alone
 *   pf=0.8 [lead]     displacement factor -1..1, current lagging unless lead; negative: export.
 *                     phi=30 instead gives the angle of lag in degrees; pf1= phi2= ... for one
 * phase f=50 rate=8000    Hz; sample-sets per second (500..64 000) phases=3          1 or 3
 *   h3=5%[@30]        third harmonic of the voltages, of the fundamental, at degrees; ih5= for the
 *                     currents. Order 2..50. At 0 degrees a harmonic crosses zero with its own
 *                     fundamental; the phases have the same waveform a third of a cycle apart
 *   idc=0.1 in=0.5    direct component in all currents, A; a neutral channel of that rms, A
 *   noise=0.01%       rms of white noise on each channel, of its fundamental
 *   dip=L1@2s/0.5s/40% phases (L1 L2 L3 L12 ... L123 or all) at time / duration / residual voltage;
 *                     over 100 % is a swell, 0 % an interruption; may be repeated
 *   ramp=u@1s/2s/110% u or i to that part of its value, or f to that many Hz, from time on over
 * that duration; holds after; may be repeated in order of time seconds=60        length; endless
 * without Numbers may carry their unit (230V, 5A, 50Hz, 500ms). */
#ifndef FERRARIS_SIM_SYNTH_H
#define FERRARIS_SIM_SYNTH_H

#include "firmware/hal/afe.h"
#include "firmware/legal/legal.h"
#include "sim/recording.h"

#define SYNTH_HARMONICS 64
#define SYNTH_EVENTS    32

struct synth_harmonic {
    unsigned order;
    double level, angle; /* of the fundamental; radian */
    bool current;
};
enum synth_event_kind { SYNTH_DIP, SYNTH_RAMP_U, SYNTH_RAMP_I, SYNTH_RAMP_F };
struct synth_event {
    enum synth_event_kind kind;
    unsigned phases; /* bits, for dips */
    double start, duration;
    double target; /* ratio; Hz for f */
};
struct synth_spec {
    double u[3], i[3], phi[3]; /* V, A rms; radian of lag */
    double hz, rate, noise, idc, in, seconds;
    unsigned n_phases;
    struct synth_harmonic harmonic[SYNTH_HARMONICS];
    size_t n_harmonics;
    struct synth_event event[SYNTH_EVENTS];
    size_t n_events;
};

/* ERR_RANGE with a fault naming the wrong word. */
MUST_CHECK enum err synth_parse(const char *text, struct synth_spec *out, const struct fault *f);
/* Largest |value| each channel can take, V or A; 0 where not connected. */
void synth_peaks(const struct synth_spec *s, double peak[AFE_N_CHANNELS]);
uint32_t synth_present(const struct synth_spec *s);

struct synth; /* a running network */
/* lsb in volt or ampere per count. NULL: out of memory. Free with free(). */
struct synth *synth_new(const struct synth_spec *s, double u_lsb, double i_lsb, uint64_t seed);
/* n (1..AFE_BLOCK_MAX) sample-sets into out[c], for connected channels; rounded and clipped to the
 * converter's range. The same samples come whatever the block lengths. */
void synth_fill(struct synth *y, uint32_t n, int32_t *const out[AFE_N_CHANNELS]);
/* The sums of the next `seconds` as a window of `rate` sample-sets per second; advances. */
void synth_window(struct synth *y, double seconds, double rate, struct legal_window *w);
double synth_time(const struct synth *y); /* seconds from the start */

#endif
