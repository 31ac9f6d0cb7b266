/* One load after the other, without a break in the voltages. See calibrate_stand.h.
 *
 * The windows in which a load changed, and where registers matter those until their no-load
 * threshold has settled, do not count. A window that is not whole begins the measurement
 * anew. The legal part hands out a window before it books it: the registers as seen at the first
 * window that counts and at the first that does not any more belong to the windows in between. */
#include "sim/calibrate_stand.h"

#include <math.h>
#include <stdlib.h>

#define PI      3.14159265358979323846
#define RATE_HZ 8000.0
#define SETTLE  4  /* windows */
#define REST    20 /* until the no-load threshold's mean over a second has settled */
#define LEAST_S 2

void stand_init(struct stand *s, const struct calibrate_job *job)
{
    const struct model_meter *m = job->model;
    *s = (struct stand){.job = job,
                        .f_hz = m->f_mhz / 1e3,
                        .un_v = m->un_mv / 1e3 * (m->is_3wire ? sqrt(3) : 1),
                        .phases = m->n_phases == 1 ? 1
                                  : m->is_3wire    ? 5
                                                   : 7};
    s->present = s->phases << AFE_U1 | s->phases << AFE_I1;
    if (m->features & MODEL_NEUTRAL && !m->is_3wire)
        s->present |= 1u << AFE_IN;
}

double stand_seconds(const struct stand *s, double i_a, double target)
{
    double u = front_end_noise(s->job->front_end, AFE_U1) / s->un_v, i = 0;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        if (s->phases >> p & 1)
            i = fmax(i, front_end_noise(s->job->front_end, (enum afe_channel)(AFE_I1 + p)));
    double relative = hypot(u, i / i_a) / target;
    return fmax(LEAST_S, relative * relative / RATE_HZ);
}

/* --- windows -------------------------------------------------------------------------------- */

struct run { /* one load */
    const struct stand *stand;
    bool loaded, done;
    unsigned settle, skip; /* windows */
    double want_s, n, n_values;
    double re[LEGAL_N_PHASES], im[LEGAL_N_PHASES]; /* of the voltages against the first */
    struct stand_seen *seen;
    struct legal_snapshot begin, end;
    uint32_t sequence;
};

static void restart(struct run *r)
{
    *r->seen = (struct stand_seen){.seconds = 0};
    r->skip = r->settle;
    r->n = r->n_values = 0;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        r->re[p] = r->im[p] = 0;
}

static void add_phase(struct run *r, unsigned p, const struct legal_window *w)
{
    const struct legal_window_phase *x = &w->phase[p], *one = &w->phase[0];
    struct stand_phase *s = &r->seen->phase[p];
    double n = (double)w->n_q16 / 65536, u = (double)x->u / n, i = (double)x->i / n;
    double u_re = (double)x->u_re, u_im = (double)x->u_im;
    double i_re = (double)x->i_re, i_im = (double)x->i_im;
    s->uu += (double)x->uu - u * u * n;
    s->ii += (double)x->ii - i * i * n;
    s->p += (double)x->ui - u * i * n;
    s->q += (u_re * i_im - u_im * i_re) * 2 / n;
    s->u += (double)x->u;
    s->i += (double)x->i;
    r->re[p] += (u_re * (double)one->u_re + u_im * (double)one->u_im) / n;
    r->im[p] += (u_re * (double)one->u_im - u_im * (double)one->u_re) / n;
}

static void on_window(void *context, const struct legal_window *w)
{
    struct run *r = context;
    uint32_t wrong = LEGAL_WINDOW_PARTIAL | (r->loaded ? LEGAL_WINDOW_NO_FREQ : 0);
    double n = (double)w->n_q16 / 65536, in = (double)w->in_sum / n;
    if (r->done)
        return;
    if (w->flags & wrong) {
        restart(r);
        return;
    }
    if (r->skip > 0) {
        r->skip--;
        return;
    }
    if (r->seen->seconds >= r->want_s) {
        legal_snapshot_get(r->stand->job->legal, &r->end);
        r->done = true;
        return;
    }
    if (r->n == 0)
        legal_snapshot_get(r->stand->job->legal, &r->begin);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        add_phase(r, p, w);
    r->seen->in_in += (double)w->in_in - in * in * n;
    r->seen->in += (double)w->in_sum;
    r->n += n;
    r->seen->seconds += n * 1e6 / (double)w->rate_uhz;
}

/* --- values, ends of the range -------------------------------------------------------------- */

static void take_values(struct run *r)
{
    struct legal_values v;
    legal_values_get(r->stand->job->legal, &v);
    bool fresh = v.sequence != r->sequence;
    r->sequence = v.sequence;
    if (!fresh || r->skip > 0 || r->seen->seconds < 1.2)
        return;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        r->seen->phase[p].value_v += v.phase[p].u_mv / 1e3;
        r->seen->phase[p].value_a += v.phase[p].i_ua / 1e6;
    }
    r->seen->in_value_a += v.in_ua / 1e6;
    r->n_values++;
}

static void count_ends(struct run *r, const struct afe_block *b)
{
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        const int32_t *x = b->sample[c];
        uint32_t n = 0;
        for (uint32_t k = 0; x && k < b->n; k++)
            n += x[k] >= AFE_FULL_SCALE - 1 || x[k] <= 1 - AFE_FULL_SCALE;
        r->seen->clipped[c] += n;
    }
}

/* --- a load --------------------------------------------------------------------------------- */

static struct test_signal *signal_of(const struct stand *s, const struct stand_load *l)
{
    static const double four_wires[3] = {0, -120, 120}, three_wires[3] = {30, 0, 90};
    struct test_signal_spec t = {.f_hz = s->f_hz, .rate_hz = RATE_HZ, .present = s->present};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        if (!(s->phases >> p & 1))
            continue;
        t.u[p] = l->u_v;
        t.i[p] = l->first_only && p > 0 ? 0 : l->i_a;
        t.lag_deg[p] = l->lag_deg;
        t.u_deg[p] = s->phases == 5 ? three_wires[p] : four_wires[p];
    }
    return test_signal_new(&t);
}

/* With the remainders carried: a small current moves a register by few units. */
static double moved(const struct run *r, unsigned p, unsigned e)
{
    const struct legal_snapshot *a = &r->begin, *b = &r->end;
    int64_t units = (int64_t)(b->energy.phase[p][e] - a->energy.phase[p][e]);
    return (double)units + ldexp((double)b->phase_rest[p][e] - (double)a->phase_rest[p][e], -32);
}

static double net(const struct run *r, unsigned p, const int8_t sign[LEGAL_N_ENERGIES])
{
    double sum = 0;
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        sum += sign[e] * moved(r, p, e);
    return sum / LEGAL_ENERGY_PER_WH * 3600 / r->seen->seconds;
}

static void finish(struct run *r)
{
    static const int8_t active[LEGAL_N_ENERGIES] = {[LEGAL_A_IMPORT] = 1, [LEGAL_A_EXPORT] = -1};
    static const int8_t reactive[LEGAL_N_ENERGIES] = {
        [LEGAL_R_QI] = 1, [LEGAL_R_QII] = 1, [LEGAL_R_QIII] = -1, [LEGAL_R_QIV] = -1};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        struct stand_phase *s = &r->seen->phase[p];
        double *mean[] = {&s->uu, &s->ii, &s->p, &s->q, &s->u, &s->i};
        for (unsigned k = 0; k < sizeof mean / sizeof mean[0]; k++)
            *mean[k] /= r->n;
        s->u_deg = atan2(r->im[p], r->re[p]) * 180 / PI;
        s->register_w = net(r, p, active);
        s->register_var = net(r, p, reactive);
        s->value_v /= fmax(1, r->n_values);
        s->value_a /= fmax(1, r->n_values);
    }
    r->seen->in_in /= r->n;
    r->seen->in /= r->n;
    r->seen->in_value_a /= fmax(1, r->n_values);
}

static enum err feed(struct stand *s, struct run *r, const struct test_signal *t, const char *what)
{
    const struct calibrate_job *job = s->job;
    double begin_s = s->done_s, end_s = begin_s + 1.5 * r->want_s + 30;
    while (!r->done) {
        struct afe_block block;
        front_end_sample(job->front_end, t, s->first, AFE_BLOCK_MAX, &block);
        count_ends(r, &block);
        enum err err = legal_feed(job->legal, &block);
        if (err)
            return err;
        take_values(r);
        s->first += AFE_BLOCK_MAX;
        s->done_s += AFE_BLOCK_MAX / RATE_HZ;
        if (s->done_s > end_s)
            return ERR_TIMEOUT;
        if (job->progress && s->planned_s > 0 && s->first % (64 * AFE_BLOCK_MAX) == 0)
            job->progress(job->context, fmin(1, s->done_s / s->planned_s), what);
    }
    return ERR_OK;
}

enum err stand_run(struct stand *s, const struct stand_load *load, const char *what,
                   struct stand_seen *out)
{
    const struct calibrate_job *job = s->job;
    struct run *r = calloc(1, sizeof *r);
    struct test_signal *t = signal_of(s, load);
    enum err err = ERR_MEMORY;
    if (r && t) {
        *r = (struct run){.stand = s,
                          .loaded = load->u_v > 0,
                          .settle = load->registers ? REST : SETTLE,
                          .want_s = load->seconds,
                          .seen = out};
        restart(r);
        front_end_temperature(job->front_end, load->celsius);
        legal_temperature_set(job->legal, (int32_t)lround(load->celsius * 1000));
        legal_observe(job->legal, on_window, r);
        err = feed(s, r, t, what);
        legal_observe(job->legal, NULL, NULL);
    }
    if (!err)
        finish(r);
    test_signal_free(t);
    free(r);
    return err;
}
