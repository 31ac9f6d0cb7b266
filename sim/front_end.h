/* The analogue front end of a meter between the clamps and the converter's counts: voltage divider,
 * current transformer or shunt, amplifier, sigma-delta converter.
 *
 * An individual is drawn from a seed within the tolerances of its parts: gain and phase errors, CT
 * errors that depend on the current, skew between the channels, offset, noise, drift over
 * temperature, and the end of the range. Its lsb are nominal: what it deviates by is what
 * calibration has to find. `ideal` leaves only rounding to whole counts. */
#ifndef FERRARIS_SIM_FRONT_END_H
#define FERRARIS_SIM_FRONT_END_H

#include "firmware/legal/legal.h"
#include "model/meters.h"
#include "sim/test_signal.h"

enum front_end_sensor { FRONT_END_SHUNT, FRONT_END_CT };
struct front_end_spec {
    bool ideal;
    enum front_end_sensor sensor;
    double u_full_v, i_full_a;        /* peak at the end of the range */
    double u_gain_pct, i_gain_pct;    /* tolerance: +- that much */
    double phase_min;                 /* of the CT at Imax, minutes of arc, tolerance */
    double ct_gain_pct, ct_phase_min; /* how far gain and phase move from Imax down to Ist */
    double skew_us;                   /* between channels, +- */
    double offset_pct;                /* of full scale, +- */
    double snr_db;                    /* noise below a full-scale sine; 101 */
    double u_drift_ppm_k, i_drift_ppm_k, phase_drift_nrad_k; /* tolerance +- */
    uint64_t seed;
};
/* What suits a model: the range, the sensor; ordinary tolerances of parts (stated in the .c). */
void front_end_spec_of(const struct model_meter *m, uint64_t seed, bool ideal,
                       struct front_end_spec *out);

struct front_end;                                                /* heap */
struct front_end *front_end_new(const struct front_end_spec *s); /* NULL: out of memory */
void front_end_free(struct front_end *f);
uint64_t front_end_u_lsb_fv(const struct front_end *f); /* nominal */
uint64_t front_end_i_lsb_fa(const struct front_end *f);
void front_end_temperature(struct front_end *f, double celsius); /* of the parts; at first 23 */
/* Noise starts anew from this seed: the same noise for paired measurements. */
void front_end_noise_seed(struct front_end *f, uint64_t seed);
/* n (1..AFE_BLOCK_MAX) sample-sets of the signal from sample number `first`, as the converter gives
 * them; *block borrows memory of f. */
void front_end_sample(struct front_end *f, const struct test_signal *t, uint64_t first, uint32_t n,
                      struct afe_block *block);

#endif
