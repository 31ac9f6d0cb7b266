/* One drawn front end, and its way from volts and amperes to counts. See front_end.h.
 *
 *     count = clip(round(gain(T, I) x (signal(t - delay) + crosstalk) / lsb + offset + noise))
 *
 * Ordinary parts: dividers of 1 % resistors with 25 ppm/K matched, shunts of 1 % with 30 ppm/K, CTs
 * of 0.5 % that lead by up to 12' at Imax and by some 15' more at the least current (magnetising
 * current through a core whose permeability falls with the flux; R / (w L): inversely as the
 * frequency), copper resistance that moves that lead by 0.4 %/K, a reference of 15 ppm/K, converter
 * inputs that sample within 2 us of each other and have 0.5 % offset, 101 dB of noise below a
 * full-scale sine, -130 dB from a voltage input to the current input next to it.
 *
 * It refuses to model what the tests have no use for: saturation of a CT by direct current (direct
 * meters have shunts here), self-heating, 1/f noise. */
#include "sim/front_end.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI          3.14159265358979323846
#define ARC_MINUTE  (PI / 10800)
#define REFERENCE_C 23.0
#define U_HEADROOM  1.5  /* 1.3 Un and a 5th harmonic of 10 % */
#define I_HEADROOM  1.25 /* Imax and a swing-in */
#define RANGE       5000 /* of currents that a CT's errors are spread over */

void front_end_spec_of(const struct model_meter *m, uint64_t seed, bool ideal,
                       struct front_end_spec *out)
{
    bool ct = m->is_ct;
    double un = m->un_mv / 1e3 * (m->is_3wire ? sqrt(3) : 1), i_max = m->imax_ma / 1e3;
    *out = (struct front_end_spec){.ideal = ideal,
                                   .sensor = ct ? FRONT_END_CT : FRONT_END_SHUNT,
                                   .u_full_v = un * sqrt(2) * U_HEADROOM,
                                   .i_full_a = i_max * sqrt(2) * I_HEADROOM,
                                   .i_max_a = i_max,
                                   .i_min_a = i_max / RANGE,
                                   .f_hz = m->f_mhz / 1e3,
                                   .u_gain_pct = 1,
                                   .i_gain_pct = ct ? 0.5 : 1,
                                   .phase_min = ct ? 12 : 0,
                                   .ct_gain_pct = ct ? 0.1 : 0,
                                   .ct_phase_min = ct ? 15 : 0,
                                   .skew_us = 2,
                                   .offset_pct = 0.5,
                                   .crosstalk_ppm = 0.3,
                                   .snr_db = 101,
                                   .u_drift_ppm_k = 25,
                                   .i_drift_ppm_k = ct ? 10 : 30,
                                   .reference_ppm_k = 15,
                                   .drift_ppm_k2 = 0.02,
                                   .phase_drift_nrad_k = ct ? 14000 : 0,
                                   .seed = seed};
}

/* --- the individual ------------------------------------------------------------------------- */

struct channel {
    double per_lsb;       /* counts per V or A at 23 degrees */
    double drift, drift2; /* per K, per K^2 */
    double offset;        /* counts */
    double delay_s;
};
struct transformer {                               /* of a current channel */
    double lead, gain_fall, lead_rise, lead_drift; /* rad, 1, rad, rad/K */
};

struct front_end {
    struct front_end_spec spec;
    struct channel channel[AFE_N_CHANNELS];
    struct transformer ct[AFE_N_CHANNELS]; /* of currents */
    double crosstalk[3], crosstalk_turn[3];
    double noise; /* counts rms */
    double kelvin;
    uint64_t stream[AFE_N_CHANNELS];
    double value[AFE_BLOCK_MAX];
    int32_t count[AFE_N_CHANNELS][AFE_BLOCK_MAX];
};

/* A step of SplitMix64 (Steele, Lea, Flood 2014): one sequence per seed. */
static inline uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double spread(uint64_t *state) /* -1..1 */
{
    return (double)(int64_t)draw(state) * 0x1p-63;
}

static void draw_channel(struct front_end *f, unsigned c, double reference, uint64_t *state)
{
    const struct front_end_spec *s = &f->spec;
    struct channel *k = &f->channel[c];
    bool voltage = c <= AFE_U3;
    k->per_lsb *= 1 + (voltage ? s->u_gain_pct : s->i_gain_pct) / 100 * spread(state);
    k->drift = (voltage ? s->u_drift_ppm_k : s->i_drift_ppm_k) * 1e-6 * spread(state) + reference;
    k->drift2 = s->drift_ppm_k2 * 1e-6 * spread(state);
    k->offset = s->offset_pct / 100 * AFE_FULL_SCALE * spread(state);
    k->delay_s = s->skew_us * 1e-6 * spread(state);
}

static void draw_transformer(struct front_end *f, unsigned c, uint64_t *state)
{
    const struct front_end_spec *s = &f->spec;
    struct transformer *t = &f->ct[c];
    t->lead = s->phase_min * ARC_MINUTE * (0.75 + spread(state) / 4);
    t->gain_fall = s->ct_gain_pct / 100 * (0.75 + spread(state) / 4);
    t->lead_rise = s->ct_phase_min * ARC_MINUTE * (0.75 + spread(state) / 4);
    t->lead_drift = s->phase_drift_nrad_k * 1e-9 * spread(state);
}

static void draw_all(struct front_end *f)
{
    uint64_t state = f->spec.seed;
    double reference = f->spec.reference_ppm_k * 1e-6 * spread(&state);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        draw_channel(f, c, reference, &state);
    for (unsigned c = AFE_I1; c < AFE_N_CHANNELS; c++)
        draw_transformer(f, c, &state);
    for (unsigned p = 0; p < 3; p++) { /* V to A through the ratio of the ranges */
        double ratio = f->spec.i_full_a / f->spec.u_full_v;
        f->crosstalk[p] = f->spec.crosstalk_ppm * 1e-6 * spread(&state) * ratio;
        f->crosstalk_turn[p] = spread(&state) / 4;
    }
    f->noise = AFE_FULL_SCALE / sqrt(2) * pow(10, -f->spec.snr_db / 20);
}

struct front_end *front_end_new(const struct front_end_spec *s)
{
    struct front_end *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->spec = *s;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        f->channel[c].per_lsb =
            1e15 / (double)(c <= AFE_U3 ? front_end_u_lsb_fv(f) : front_end_i_lsb_fa(f));
    f->noise = sqrt(1.0 / 12);
    if (!s->ideal)
        draw_all(f);
    front_end_noise_seed(f, s->seed);
    return f;
}

void front_end_free(struct front_end *f)
{
    free(f);
}

const struct front_end_spec *front_end_spec_get(const struct front_end *f)
{
    return &f->spec;
}

uint64_t front_end_u_lsb_fv(const struct front_end *f)
{
    return (uint64_t)llround(f->spec.u_full_v * 1e15 / AFE_FULL_SCALE);
}

uint64_t front_end_i_lsb_fa(const struct front_end *f)
{
    return (uint64_t)llround(f->spec.i_full_a * 1e15 / AFE_FULL_SCALE);
}

void front_end_temperature(struct front_end *f, double celsius)
{
    f->kelvin = celsius - REFERENCE_C;
}

void front_end_noise_seed(struct front_end *f, uint64_t seed)
{
    uint64_t state = ~seed;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        f->stream[c] = draw(&state);
}

double front_end_noise(const struct front_end *f, enum afe_channel c)
{
    return f->noise / f->channel[c].per_lsb;
}

/* --- the moment ----------------------------------------------------------------------------- */

/* 0 at Imax, 1 at the least current, flat at both ends: how far a CT's errors have moved. The
 * permeability of the core goes from its initial value at small flux to its greatest. */
static double moved(const struct front_end_spec *s, double i_a)
{
    double middle = sqrt(s->i_max_a * s->i_min_a);
    double end = 1 / (1 + sqrt(s->i_max_a / middle)), i = i_a > 0 ? i_a : s->i_min_a;
    return (1 / (1 + sqrt(i / middle)) - end) / (1 - 2 * end);
}

/* The current that magnetises a channel's core; of the neutral's the greatest of the phases. */
static double current_of(const struct test_signal *t, unsigned c)
{
    if (c != AFE_IN)
        return test_signal_truth(t, c - AFE_I1).i_on_a;
    double most = 0;
    for (unsigned p = 0; p < 3; p++)
        most = fmax(most, test_signal_truth(t, p).i_on_a);
    return most;
}

struct moment { /* what a channel is like for this block */
    double scale, delay_s;
};

static struct moment moment_of(const struct front_end *f, const struct test_signal *t, unsigned c)
{
    const struct channel *k = &f->channel[c];
    double dt = f->kelvin;
    struct moment m = {k->per_lsb * (1 + k->drift * dt + k->drift2 * dt * dt), k->delay_s};
    if (c <= AFE_U3 || f->spec.sensor != FRONT_END_CT || f->spec.ideal)
        return m;
    const struct transformer *ct = &f->ct[c];
    double x = moved(&f->spec, current_of(t, c)), f_hz = test_signal_spec_of(t)->f_hz;
    double lead = (ct->lead + ct->lead_rise * x + ct->lead_drift * dt) * f->spec.f_hz / f_hz;
    m.scale *= 1 - ct->gain_fall * x;
    m.delay_s -= lead / (2 * PI * f_hz);
    return m;
}

/* --- samples -------------------------------------------------------------------------------- */

static inline int32_t to_count(double x)
{
    const double top = AFE_FULL_SCALE - 1, bottom = -AFE_FULL_SCALE;
    x = x > top ? top : x;
    x = x < bottom ? bottom : x;
    return (int32_t)(x + (AFE_FULL_SCALE + 0.5)) - AFE_FULL_SCALE; /* to nearest */
}

/* Uniform dither of one count. */
static void round_dithered(const double *x, uint32_t n, uint64_t *stream, int32_t *out)
{
    uint64_t s = *stream;
    for (uint32_t k = 0; k < n; k++)
        out[k] = to_count(x[k] + (double)(int64_t)draw(&s) * 0x1p-64);
    *stream = s;
}

/* Noise close to Gaussian: the sum of eight uniform bytes (kurtosis -0.15, ends at 4.9 sigma). */
static void round_noisy(const double *x, uint32_t n, double sigma, uint64_t *stream, int32_t *out)
{
    const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
    const double unit = sigma / sqrt(8 * (65536 - 1) / 12.0), mean = 8 * 255 / 2.0;
    uint64_t s = *stream;
    for (uint32_t k = 0; k < n; k++) {
        uint64_t z = draw(&s), pairs = (z & even) + (z >> 8 & even);
        uint64_t sum = pairs * UINT64_C(0x0001000100010001) >> 48;
        out[k] = to_count(x[k] + ((double)(int64_t)sum - mean) * unit);
    }
    *stream = s;
}

/* The input that a channel is wired to. */
static unsigned wired(const struct front_end_spec *s, unsigned c)
{
    if (s->swap[0] == s->swap[1])
        return c;
    return c == s->swap[0] ? s->swap[1] : c == s->swap[1] ? s->swap[0] : c;
}

static void sample_channel(struct front_end *f, const struct test_signal *t, unsigned c,
                           uint64_t first, uint32_t n)
{
    const struct front_end_spec *s = &f->spec;
    struct moment m = moment_of(f, t, c);
    unsigned from = wired(s, c);
    double *x = f->value, sign = s->reversed >> c & 1 ? -1 : 1;
    for (uint32_t k = 0; k < n; k++)
        x[k] = f->channel[c].offset;
    if (!(s->dead >> c & 1))
        test_signal_add(t, (enum afe_channel)from, m.delay_s, sign * m.scale, first, n, x);
    if (!s->ideal && c >= AFE_I1 && c <= AFE_I3 && f->crosstalk[c - AFE_I1] != 0)
        test_signal_add(t, (enum afe_channel)(c - AFE_I1 + AFE_U1),
                        f->crosstalk_turn[c - AFE_I1] / s->f_hz, f->crosstalk[c - AFE_I1] * m.scale,
                        first, n, x);
    if (s->ideal)
        round_dithered(x, n, &f->stream[c], f->count[c]);
    else
        round_noisy(x, n, f->noise, &f->stream[c], f->count[c]);
}

void front_end_sample(struct front_end *f, const struct test_signal *t, uint64_t first, uint32_t n,
                      struct afe_block *block)
{
    const struct test_signal_spec *s = test_signal_spec_of(t);
    *block = (struct afe_block){
        .rate_uhz = (uint64_t)llround(s->rate_hz * 1e6), .n = n, .present = s->present};
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        if (!(s->present >> c & 1))
            continue;
        sample_channel(f, t, c, first, n);
        block->sample[c] = f->count[c];
    }
}
