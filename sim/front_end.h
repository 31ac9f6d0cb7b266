/* The analogue front end of a meter between the clamps and the converter's counts: voltage divider,
 * current transformer or shunt, amplifier, sigma-delta converter.
 *
 * An individual is drawn from a seed within the tolerances of its parts: gain and phase errors, CT
 * errors that depend on the current, skew between the channels, offset, crosstalk, noise, drift
 * over temperature, and the end of the range. Its lsb are nominal: what it deviates by is what
 * calibration has to find. Wiring mistakes of production can be put in, so that a calibration has
 * something to refuse.
 *
 * `ideal` leaves only rounding to whole counts, with a uniform dither of one count: without it a
 * sine that is coherent with the sampling meets the same few rounding errors in each period, which
 * shows as a gain error (44 ppm at 1600 counts) that no real converter has; its noise is far above
 * a count. */
#ifndef FERRARIS_SIM_FRONT_END_H
#define FERRARIS_SIM_FRONT_END_H

#include "firmware/legal/legal.h"
#include "model/meters.h"
#include "sim/test_signal.h"

enum front_end_sensor { FRONT_END_SHUNT, FRONT_END_CT };
struct front_end_spec {
    bool ideal; /* everything below but the range is then not used */
    enum front_end_sensor sensor;
    double u_full_v, i_full_a;     /* peak at the end of the range */
    double i_max_a, i_min_a, f_hz; /* the CT's errors are stated at these */
    double u_gain_pct, i_gain_pct; /* tolerance: +- that much */
    double phase_min;              /* of the CT at Imax: up to that many minutes of arc ahead */
    /* How far gain falls and phase rises from Imax down to the least current; 0.5 to 1 times. */
    double ct_gain_pct, ct_phase_min;
    double skew_us;       /* between channels, +- */
    double offset_pct;    /* of full scale, +- */
    double crosstalk_ppm; /* of a voltage into its current channel, of full scale, any angle */
    double snr_db;        /* noise below a full-scale sine; 101 */
    /* Tolerances, +-: of the divider, the current sensor, the reference of all channels. */
    double u_drift_ppm_k, i_drift_ppm_k, reference_ppm_k;
    double drift_ppm_k2;       /* curvature of each channel */
    double phase_drift_nrad_k; /* of the CT */
    uint64_t seed;
    uint32_t dead, reversed; /* bits of enum afe_channel: mistakes of production */
    uint8_t swap[2];         /* two channels exchanged; 0, 0: none */
};
/* What suits a model: the range, the sensor; ordinary tolerances of parts (stated in the .c).
 * Direct meters have shunts, which a direct component does not saturate; others have CTs. */
void front_end_spec_of(const struct model_meter *m, uint64_t seed, bool ideal,
                       struct front_end_spec *out);

struct front_end; /* heap; free with front_end_free */
/* NULL: out of memory. */
struct front_end *front_end_new(const struct front_end_spec *s);
void front_end_free(struct front_end *f);
const struct front_end_spec *front_end_spec_get(const struct front_end *f);
/* Nominal worth of a count: of the voltages, of the currents. */
uint64_t front_end_u_lsb_fv(const struct front_end *f);
uint64_t front_end_i_lsb_fa(const struct front_end *f);
/* Of the parts; at first 23. */
void front_end_temperature(struct front_end *f, double celsius);
/* Noise starts anew from this seed: the same noise for paired measurements. Each channel has its
 * own noise, drawn in sequence, so block lengths do not matter. */
void front_end_noise_seed(struct front_end *f, uint64_t seed);
/* Standard deviation of the noise of a channel, V or A. */
double front_end_noise(const struct front_end *f, enum afe_channel c);
/* n (1..AFE_BLOCK_MAX) sample-sets of the signal from sample number `first`, as the converter gives
 * them; *block borrows memory of f until the next call. A CT's errors are those at the rms of the
 * signal's current while it flows: they follow its flux, not the single sample. */
void front_end_sample(struct front_end *f, const struct test_signal *t, uint64_t first, uint32_t n,
                      struct afe_block *block);

#endif
