/* See typetest_bench.h.
 *
 * Time of a measurement: the larger of two pulses and what the noise needs. With noise of s_u and
 * s_i per sample (rms, V and A) the mean of n samples of u x i deviates by
 *
 *     s_P = sqrt( sum over loaded phases (U^2 s_i^2 + I^2 s_u^2) / n )
 *
 * and so does the reactive power of the fundamental; n follows from s_P / P <= what is wanted.
 * Pulses count after SETTLE_S, when the frequency is found and direct components are known. After
 * the last pulse the current goes off and the registers are read when the last window's pulses are
 * out: registers and pulses then stand for the same energy, that of the whole time the load was on.
 *
 * The LED lags by a window, so the source's energy between two pulses is taken a window earlier;
 * under fast load changes only pulses count whose window lies wholly in a time of load. */
#include "sim/typetest_bench.h"
#include "sim/calibrate.h"
#include "sim/front_end.h"
#include "sim/typetest_meter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_S      1.5
#define AT_LEAST_S    2.0 /* ten windows */
#define DRAIN_S       0.8 /* two windows at 45 Hz and some */
#define PERIODS_MAX   4.0 /* of pulses that never come */
#define LOAD_MARGIN_S 0.6 /* three windows after the current came on */
#define REGISTER_S    10  /* a point is lengthened for its register by that much at most */

struct typetest_bench {
    const struct typetest_options *o;
    struct front_end *front_end;
    struct typetest_meter *meter;
    struct legal_calibration calibration;
    char version[24];
};

struct watch { /* of one LED */
    enum legal_led led;
    double rate_hz;
    double from_s, to_s; /* other pulses count for the sum only */
    double on_s, off_s;  /* fast load changes */
    uint64_t block;      /* first sample of the running block */
    uint32_t n;          /* all */
    uint32_t first_n, last_n;
    double start_s; /* first of all; NaN: none yet */
    double first_s, last_s;
};

/* --- setting up ----------------------------------------------------------------------------- */

/* A legal part on the bench of the factory; what is found out goes into every meter that follows.
 */
static enum err calibrate(struct typetest_bench *b, const struct fault *f)
{
    struct legal_config c;
    struct legal *legal = malloc(sizeof *legal);
    struct calibrate_result *result = malloc(sizeof *result);
    char why[200] = "";
    meter_legal_config(b->o->model, front_end_u_lsb_fv(b->front_end),
                       front_end_i_lsb_fa(b->front_end), &c);
    enum err err = legal && result ? legal_init(legal, &c) : ERR_MEMORY;
    if (!err)
        err = calibrate_run(legal, b->o->model, b->front_end, result, NULL, NULL, why, sizeof why);
    if (!err)
        b->calibration = result->calibration;
    free(result);
    free(legal);
    return err ? fault_set(f, err, "calibration: %s", why[0] ? why : err_text(err)) : ERR_OK;
}

static enum err set_up(struct typetest_bench *b, const struct fault *f)
{
    struct front_end_spec spec;
    front_end_spec_of(b->o->model, b->o->seed, b->o->ideal, &spec);
    b->front_end = front_end_new(&spec);
    b->meter = calloc(1, sizeof *b->meter);
    if (!b->front_end || !b->meter)
        return ERR_MEMORY;
    enum err err = typetest_meter_init(b->meter, b->o->model, front_end_u_lsb_fv(b->front_end),
                                       front_end_i_lsb_fa(b->front_end));
    if (!err)
        err = typetest_meter_start(b->meter, NULL, false);
    if (!err)
        err = typetest_meter_version(b->meter, b->version, sizeof b->version);
    if (err)
        return fault_set(f, err, "the meter does not start: %s", err_text(err));
    return b->o->ideal ? ERR_OK : calibrate(b, f);
}

enum err typetest_bench_new(const struct typetest_options *o, struct typetest_bench **out,
                            const struct fault *f)
{
    struct typetest_bench *b = calloc(1, sizeof *b);
    *out = b;
    if (!b)
        return fault_set(f, ERR_MEMORY, "%s", err_text(ERR_MEMORY));
    b->o = o;
    enum err err = set_up(b, f);
    if (err) {
        typetest_bench_free(b);
        *out = NULL;
    }
    return err;
}

void typetest_bench_free(struct typetest_bench *b)
{
    if (!b)
        return;
    if (b->meter)
        typetest_meter_end(b->meter);
    free(b->meter);
    front_end_free(b->front_end);
    free(b);
}

const char *typetest_bench_version(const struct typetest_bench *b)
{
    return b->version;
}

/* --- what to expect ------------------------------------------------------------------------- */

struct expected {
    double power; /* mean, W or var, magnitude */
    double noise; /* of one sample of it, times the share of time with load */
};

static struct expected expect(const struct typetest_bench *b, const struct test_signal *t,
                              char quantity)
{
    const struct test_signal_spec *s = test_signal_spec_of(t);
    double share = s->on_s > 0 ? s->on_s / (s->on_s + s->off_s) : 1, variance = 0, power = 0;
    for (unsigned p = 0; p < 3; p++) {
        struct test_truth truth = test_signal_truth(t, p);
        if (!(s->present >> (AFE_U1 + p) & 1) || !(s->i[p] > 0))
            continue;
        double su = front_end_noise(b->front_end, (enum afe_channel)(AFE_U1 + p));
        double si = front_end_noise(b->front_end, (enum afe_channel)(AFE_I1 + p));
        variance += pow(truth.u_v * si, 2) + pow(truth.i_a * su, 2);
        power += quantity == 'P' ? truth.p_w : truth.q_var;
    }
    return (struct expected){share * fabs(power), sqrt(share * variance)};
}

static double noise_pct(const struct expected *e, double samples)
{
    return e->power > 0 ? 100 * e->noise / sqrt(samples) / e->power : NAN;
}

/* --- pulses --------------------------------------------------------------------------------- */

static bool counts_here(const struct watch *w, double t_s)
{
    if (t_s < w->from_s || t_s > w->to_s)
        return false;
    if (!(w->on_s > 0))
        return true;
    double within = fmod(t_s, w->on_s + w->off_s);
    return within >= LOAD_MARGIN_S && within <= w->on_s;
}

static void on_pulse(void *context, enum legal_led led, uint32_t at_q16)
{
    struct watch *w = context;
    double t_s = ((double)w->block + at_q16 / 65536.0) / w->rate_hz;
    if (led != w->led)
        return;
    w->n++;
    if (isnan(w->start_s))
        w->start_s = t_s;
    if (!counts_here(w, t_s))
        return;
    if (w->first_n == 0) {
        w->first_n = w->n;
        w->first_s = t_s;
    }
    w->last_n = w->n;
    w->last_s = t_s;
}

/* --- the run -------------------------------------------------------------------------------- */

struct run {
    struct typetest_bench *b;
    const struct test_signal *signal;
    struct watch watch;
    uint64_t n; /* samples fed */
};

static enum err feed(struct run *r, const struct test_signal *t, uint32_t n)
{
    struct afe_block block;
    r->watch.block = r->n;
    front_end_sample(r->b->front_end, t, r->n, n, &block);
    r->n += n;
    return meter_samples(&r->b->meter->meter, &block);
}

static enum err feed_until_done(struct run *r, const struct typetest_want *w,
                                const struct expected *e, double need_s)
{
    double rate = r->watch.rate_hz, k = r->b->o->model->pulse_per_kwh;
    double period_s = e->power > 0 ? 3.6e6 / (k * e->power) : 0;
    uint32_t pulses = w->pulses > 2 ? w->pulses : 2;
    double longest_s = SETTLE_S + LOAD_MARGIN_S + need_s + (pulses - 1 + PERIODS_MAX) * period_s;
    if (r->watch.on_s > 0) /* the last pulse may have to wait for the load */
        longest_s += 2 * (r->watch.on_s + r->watch.off_s);
    uint64_t longest = (uint64_t)((w->only_s > 0 ? w->only_s : longest_s) * rate);
    while (r->n < longest) {
        const struct watch *s = &r->watch;
        uint64_t left = longest - r->n;
        if (!(w->only_s > 0) && s->last_n - s->first_n + 1 >= pulses && s->first_n > 0 &&
            s->last_s - s->first_s >= need_s)
            break;
        enum err err = feed(r, r->signal, left < AFE_BLOCK_MAX ? (uint32_t)left : AFE_BLOCK_MAX);
        if (err)
            return err;
    }
    return ERR_OK;
}

/* To the end of the burst's four periods: what a part of a period counts is not its mean power. */
static enum err feed_period(struct run *r)
{
    double samples = 4 * r->watch.rate_hz / test_signal_spec_of(r->signal)->f_hz;
    uint64_t end = (uint64_t)llround(ceil((double)r->n / samples) * samples);
    while (r->n < end) {
        uint64_t left = end - r->n;
        enum err err = feed(r, r->signal, left < AFE_BLOCK_MAX ? (uint32_t)left : AFE_BLOCK_MAX);
        if (err)
            return err;
    }
    return ERR_OK;
}

/* Current off, until the last window has left through the LED. */
static enum err drain(struct run *r)
{
    struct test_signal_spec s = *test_signal_spec_of(r->signal);
    memset(s.i, 0, sizeof s.i);
    struct test_signal *off = test_signal_new(&s);
    if (!off)
        return ERR_MEMORY;
    enum err err = ERR_OK;
    for (uint64_t end = r->n + (uint64_t)(DRAIN_S * s.rate_hz); !err && r->n < end;) {
        uint64_t left = end - r->n;
        err = feed(r, off, left < AFE_BLOCK_MAX ? (uint32_t)left : AFE_BLOCK_MAX);
    }
    test_signal_free(off);
    return err;
}

static double energy(const struct test_signal *t, double from_s, double to_s, char quantity)
{
    double wh = 0, varh = 0;
    test_signal_energy(t, from_s, to_s, &wh, &varh);
    return quantity == 'P' ? wh : varh;
}

static void read_led(const struct run *r, const struct expected *e, char quantity,
                     struct typetest_reading *out)
{
    const struct watch *w = &r->watch;
    double k = r->b->o->model->pulse_per_kwh, f = test_signal_spec_of(r->signal)->f_hz;
    double lag = (r->b->o->model->f_mhz > 55000 ? 12 : 10) / f + 1 / w->rate_hz;
    out->pulses = w->n;
    out->first_s = w->start_s;
    out->period_s = e->power > 0 ? 3.6e6 / (k * e->power) : NAN;
    out->error_pct = out->noise_pct = NAN;
    if (w->last_n <= w->first_n)
        return;
    double shown = 1000.0 * (w->last_n - w->first_n) / k;
    double given = fabs(energy(r->signal, w->first_s - lag, w->last_s - lag, quantity));
    out->error_pct = 100 * (shown / given - 1);
    out->noise_pct = noise_pct(e, (w->last_s - w->first_s) * w->rate_hz);
}

struct registers { /* Wh or varh */
    double in, out, unit;
};

static enum err read_registers(struct run *r, char quantity, struct registers *to)
{
    struct typetest_meter *m = r->b->meter;
    enum err err = typetest_meter_read(m, quantity == 'P' ? "1.8.0" : "3.8.0", &to->in, &to->unit);
    return err ? err
               : typetest_meter_read(m, quantity == 'P' ? "2.8.0" : "4.8.0", &to->out, &to->unit);
}

static void compare_registers(const struct run *r, double load_s, char quantity,
                              const struct registers from_to[2], struct typetest_reading *out)
{
    double in = from_to[1].in - from_to[0].in, ex = from_to[1].out - from_to[0].out;
    double k = r->b->o->model->pulse_per_kwh, unit = from_to[1].unit;
    double given = energy(r->signal, 0, load_s, quantity), pulses = (in + ex) * k / 1000;
    out->register_pct = given != 0 ? 100 * ((in - ex) / given - 1) : NAN;
    out->unit_pct = given != 0 ? 100 * unit / fabs(given) : NAN;
    out->counted_pct = r->watch.n ? 100 * (pulses / r->watch.n - 1) : NAN;
    out->joined = fabs(pulses - r->watch.n) <= 1 + 2 * unit * k / 1000;
}

/* Seconds of load until noise and register are as fine as wanted. */
static double need_s(const struct run *r, const struct typetest_want *w, const struct expected *e,
                     double unit)
{
    double need = fmax(w->at_least_s, AT_LEAST_S);
    if (w->noise_pct > 0 && e->power > 0)
        need = fmax(need, pow(100 * e->noise / (w->noise_pct * e->power), 2) / r->watch.rate_hz);
    if (w->unit_pct > 0 && e->power > 0)
        need = fmax(need, fmin(REGISTER_S, 3600 * unit / (e->power * w->unit_pct / 100)));
    return need;
}

static enum err run(struct run *r, const struct typetest_want *w, struct typetest_reading *out)
{
    const struct test_signal_spec *s = test_signal_spec_of(r->signal);
    struct expected e = expect(r->b, r->signal, w->quantity);
    struct registers registers[2];
    r->watch = (struct watch){.led = w->quantity == 'P' ? LEGAL_LED_ACTIVE : LEGAL_LED_REACTIVE,
                              .rate_hz = s->rate_hz,
                              .from_s = SETTLE_S,
                              .to_s = INFINITY,
                              .on_s = s->on_s,
                              .off_s = s->off_s,
                              .start_s = NAN};
    meter_pulse_observe(&r->b->meter->meter, on_pulse, &r->watch);
    enum err err = read_registers(r, w->quantity, &registers[0]);
    if (!err)
        err = feed_until_done(r, w, &e, need_s(r, w, &e, registers[0].unit));
    if (!err)
        err = feed_period(r);
    double load_s = r->watch.to_s = (double)r->n / s->rate_hz;
    if (!err)
        err = drain(r);
    if (!err)
        err = read_registers(r, w->quantity, &registers[1]);
    if (err)
        return err;
    read_led(r, &e, w->quantity, out);
    compare_registers(r, load_s, w->quantity, registers, out);
    out->seconds = (double)r->n / s->rate_hz;
    return ERR_OK;
}

/* The same for a load and for its reference, whatever the current is cut from. */
static uint64_t noise_seed(const struct typetest_bench *b, const struct typetest_load *l)
{
    double i_a = l->shape == TEST_HALF_WAVE ? l->i_a / sqrt(2) : l->i_a;
    uint64_t i = (uint64_t)llround(i_a * 1e9), phi, z = b->o->seed;
    memcpy(&phi, &l->phi_deg, sizeof phi);
    z = (z ^ i) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 29 ^ phi) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 32;
}

enum err typetest_measure(struct typetest_bench *b, const struct typetest_load *l,
                          const struct typetest_want *w, struct typetest_reading *out)
{
    struct test_signal_spec spec;
    *out = (struct typetest_reading){.joined = false};
    typetest_signal_of(b->o->model, l, &spec);
    spec.rate_hz = b->o->rate_hz;
    struct test_signal *t = test_signal_new(&spec);
    if (!t)
        return ERR_RANGE;
    enum err err =
        typetest_meter_start(b->meter, b->o->ideal ? NULL : &b->calibration, l->sensitive);
    if (!err) {
        front_end_temperature(b->front_end, l->celsius);
        front_end_noise_seed(b->front_end, noise_seed(b, l));
        meter_temperature(&b->meter->meter, (int32_t)lround(l->celsius * 1000));
        err = run(&(struct run){.b = b, .signal = t}, w, out);
    }
    test_signal_free(t);
    return err;
}
