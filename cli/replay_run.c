/* A source through the legal metrology. See replay_run.h. */
#include "cli/replay_run.h"
#include "cli/cli.h"
#include "firmware/legal/legal_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI          3.14159265358979323846
#define LOOP_S      12.0 /* of looped source for the quantities: ten intervals of the legal part */
#define LOOPS_MIN   2    /* the first windows only find the frequency */
#define LOOPS_MAX   120  /* with windows of 10 or 12 cycles any loop is whole after 12 at most */
#define SAMPLES_MAX 2e7  /* a second of work */
#define ENDLESS_S   10.0
#define SETTLE_S    1.0 /* phasors of windows before that may be of a frequency still being sought */
#define CYCLES_MIN  50.0 /* whole windows wanted before a whole loop closes the phasor sums */

struct phase_sums { /* of windows, in counts, divided by the rate: seconds */
    double uu, ii, ui, u, i;
    double re, im; /* power of the fundamental times time */
};

struct gathered {
    double seconds;      /* of all windows */
    double whole_s, f_s; /* of whole windows with a measured frequency; times their frequency */
    double cycles, loop_cycles;
    double lead_in_s; /* whole windows count after this */
    struct phase_sums phase[LEGAL_N_PHASES], closed[LEGAL_N_PHASES];
    double in_in, in_sum;
    double
        closed_s; /* time of `closed`: whole windows that are whole loops together; 0: none yet */
};

struct averaged { /* the legal part's own values, summed over its intervals */
    uint32_t sequence, n;
    uint8_t fault[AFE_N_CHANNELS]; /* LEGAL_FAULT_* at any time */
    double thd_u[LEGAL_N_PHASES], thd_i[LEGAL_N_PHASES], u2, u0;
};

static void add_fundamental(struct phase_sums *to, const struct legal_window_phase *w, double n,
                            double seconds)
{
    double re = (double)w->u_re * (double)w->i_re + (double)w->u_im * (double)w->i_im;
    double im = (double)w->u_re * (double)w->i_im - (double)w->u_im * (double)w->i_re;
    to->re += 2 * re / (n * n) * seconds;
    to->im += 2 * im / (n * n) * seconds;
}

/* Whole windows: fundamental powers and frequency. `closed` keeps the sums of the moment when the
 * windows were whole loops last. */
static void gather_whole(struct gathered *g, const struct legal_window *w, double n, double rate)
{
    double hz = w->frequency_uhz * 1e-6;
    g->whole_s += n / rate;
    g->f_s += hz * n / rate;
    g->cycles += round(n / rate * hz);
    for (int p = 0; p < LEGAL_N_PHASES; p++)
        add_fundamental(&g->phase[p], &w->phase[p], n, n / rate);
    if (g->cycles < CYCLES_MIN || !(g->loop_cycles > 0) || fmod(g->cycles, g->loop_cycles) != 0)
        return;
    g->closed_s = g->whole_s;
    memcpy(g->closed, g->phase, sizeof g->closed);
}

/* Measured, or from the sums of products of the phase currents. */
static void gather_neutral(struct gathered *g, const struct legal_window *w, double rate)
{
    if (w->in_in != 0 || w->flags & LEGAL_WINDOW_NEUTRAL) {
        g->in_in += (double)w->in_in / rate;
        g->in_sum += (double)w->in_sum / rate;
        return;
    }
    double square = 2 * ((double)w->cross[0] + (double)w->cross[1] + (double)w->cross[2]);
    for (int p = 0; p < LEGAL_N_PHASES; p++) {
        square += (double)w->phase[p].ii;
        g->in_sum += (double)w->phase[p].i / rate;
    }
    g->in_in += square / rate;
}

static void gather(void *context, const struct legal_window *w)
{
    struct gathered *g = context;
    double n = (double)w->n_q16 / 65536, rate = (double)w->rate_uhz * 1e-6;
    g->seconds += n / rate;
    for (int p = 0; p < LEGAL_N_PHASES; p++) {
        struct phase_sums *to = &g->phase[p];
        to->uu += (double)w->phase[p].uu / rate;
        to->ii += (double)w->phase[p].ii / rate;
        to->ui += (double)w->phase[p].ui / rate;
        to->u += (double)w->phase[p].u / rate;
        to->i += (double)w->phase[p].i / rate;
    }
    gather_neutral(g, w, rate);
    if (!(w->flags & (LEGAL_WINDOW_PARTIAL | LEGAL_WINDOW_NO_FREQ)) && g->seconds > g->lead_in_s)
        gather_whole(g, w, n, rate);
}

/* The first interval holds the search for the frequency and is used only when nothing follows. */
static void take_values(const struct legal *l, struct averaged *a)
{
    struct legal_values v;
    legal_values_get(l, &v);
    if (v.sequence == a->sequence)
        return;
    if (a->sequence == 1) {
        struct averaged anew = {0};
        memcpy(anew.fault, a->fault, sizeof anew.fault);
        *a = anew;
    }
    a->sequence = v.sequence;
    a->n++;
    for (int p = 0; p < LEGAL_N_PHASES; p++) {
        a->thd_u[p] += v.phase[p].thd_u_ppm * 1e-4;
        a->thd_i[p] += v.phase[p].thd_i_ppm * 1e-4;
    }
    a->u2 += v.u2_ppm * 1e-4;
    a->u0 += v.u0_ppm * 1e-4;
}

static void take_faults(const struct legal *l, struct averaged *a)
{
    struct legal_status s;
    legal_status_get(l, &s);
    for (int c = 0; c < AFE_N_CHANNELS; c++)
        a->fault[c] |= s.fault[c];
}

static unsigned phases_of(const struct source_info *info)
{
    uint32_t others = 1u << AFE_U2 | 1u << AFE_U3 | 1u << AFE_I2 | 1u << AFE_I3;
    return info->present & others ? 3 : 1;
}

static enum err start(struct legal *l, const struct source_info *info, struct gathered *g)
{
    struct legal_config c = {.n_phases = (uint8_t)phases_of(info),
                             .wiring = phases_of(info) == 1 ? LEGAL_1P2W : LEGAL_3P4W,
                             .f_nominal_mhz = info->frequency_hz > 55 ? 60000 : 50000,
                             .un_mv = (uint32_t)fmin(4e9, fmax(1, info->u_rms * 1e3)),
                             .pulse_per_kwh = 1000};
    for (int p = 0; p < LEGAL_N_PHASES; p++)
        c.u_lsb_fv[p] = info->u_lsb_fv;
    for (int p = 0; p <= LEGAL_N_PHASES; p++)
        c.i_lsb_fa[p] = info->i_lsb_fa;
    enum err err = legal_init(l, &c);
    legal_observe(l, gather, g);
    return err;
}

/* Feeds until `seconds` are over (0: the end of the source), to the nearest sample. */
static enum err feed(struct source *s, struct legal *l, double seconds, const char *what,
                     struct averaged *a, double *fed)
{
    struct afe_block b;
    double done = 0, rate;
    struct source_info info;
    source_info_get(s, &info);
    rate = info.rate_hz;
    for (;;) {
        double left = round((seconds - done) * rate);
        if (seconds > 0 && left < 1)
            break;
        uint32_t most = seconds > 0 && left < AFE_BLOCK_MAX ? (uint32_t)left : AFE_BLOCK_MAX;
        if (!source_next(s, most, &b))
            break;
        enum err err = legal_feed(l, &b);
        if (err)
            return err;
        rate = (double)b.rate_uhz * 1e-6;
        done += b.n / rate;
        take_values(l, a);
        take_faults(l, a);
        if (seconds > 0)
            cli_progress(what, done / seconds);
    }
    cli_progress_end();
    *fed = done;
    return ERR_OK;
}

static void fill_phase(const struct gathered *g, int p, const struct source_info *info,
                       struct replay_phase *out)
{
    const struct phase_sums *s = &g->phase[p];
    const struct phase_sums *f = g->closed_s > 0 ? &g->closed[p] : s;
    double f_s = g->closed_s > 0 ? g->closed_s : g->whole_s;
    double u_lsb = (double)info->u_lsb_fv * 1e-15, i_lsb = (double)info->i_lsb_fa * 1e-15;
    double t = g->seconds, u = s->u / t, i = s->i / t;
    out->u_v = u_lsb * sqrt(fmax(0, s->uu / t - u * u));
    out->i_a = i_lsb * sqrt(fmax(0, s->ii / t - i * i));
    out->p_w = u_lsb * i_lsb * (s->ui / t - u * i);
    out->s_va = out->u_v * out->i_a;
    out->pf = out->s_va > 0 ? out->p_w / out->s_va : 0;
    if (f_s > 0) {
        out->q_var = u_lsb * i_lsb * f->im / f_s;
        out->phase_deg = f->re != 0 || f->im != 0 ? atan2(f->im, f->re) * 180 / PI : 0;
    }
}

static void fill_quantities(const struct gathered *g, const struct averaged *a,
                            const struct source_info *info, struct replay_result *out)
{
    double i_lsb = (double)info->i_lsb_fa * 1e-15, n = a->n ? a->n : 1;
    double in = g->in_sum / g->seconds;
    out->n_phases = phases_of(info);
    out->frequency_hz = g->whole_s > 0 ? g->f_s / g->whole_s : 0;
    for (unsigned p = 0; p < out->n_phases; p++) {
        struct replay_phase *to = &out->phase[p];
        fill_phase(g, (int)p, info, to);
        to->thd_u_pct = to->u_v > 0 ? a->thd_u[p] / n : 0;
        to->thd_i_pct = to->i_a > 0 ? a->thd_i[p] / n : 0;
        out->p_w += to->p_w;
        out->q_var += to->q_var;
        out->s_va += to->s_va;
    }
    out->pf = out->s_va > 0 ? out->p_w / out->s_va : 0;
    out->in_a = i_lsb * sqrt(fmax(0, g->in_in / g->seconds - in * in));
    out->u2_pct = a->u2 / n;
    out->u0_pct = a->u0 / n;
}

/* One whole loop (or whole cycles of an endless source) at a time, so that all windows together
 * hold each sample equally often; until the whole windows, too, were whole loops together. */
static enum err run_loops(struct source *s, struct legal *l, struct replay_result *out)
{
    struct source_info info;
    struct gathered g = {0};
    struct averaged a = {0};
    enum err err = source_restart(s, true);
    source_info_get(s, &info);
    double endless_s = ceil(LOOP_S * info.frequency_hz) / info.frequency_hz;
    double loop_s = info.seconds > 0 ? info.seconds : endless_s, done, total = 0;
    double samples = loop_s * info.rate_hz;
    g.loop_cycles = info.cycles > 0 ? info.cycles : 1;
    g.lead_in_s = loop_s * ceil(SETTLE_S / loop_s);
    if (!err)
        err = start(l, &info, &g);
    for (double k = 1; !err; k++) {
        err = feed(s, l, loop_s, "quantities", &a, &done);
        total += done;
        bool enough = total >= g.lead_in_s + LOOP_S && k >= LOOPS_MIN;
        if (enough && (g.closed_s > 0 || k >= LOOPS_MAX || k * samples > SAMPLES_MAX))
            break;
    }
    legal_flush(l);
    if (err || !(g.seconds > 0))
        return err;
    fill_quantities(&g, &a, &info, out);
    if (!(out->frequency_hz > 0)) /* no voltage, to which the legal part would lock */
        out->frequency_hz = info.frequency_hz;
    else if (info.cycles > 0) /* what rounding the loop to whole samples did to the frequency */
        out->frequency_hz *= info.frequency_hz * info.seconds / info.cycles;
    return ERR_OK;
}

static enum err run_plain(struct source *s, double repeat_s, struct legal *l,
                          struct replay_result *out)
{
    struct source_info info;
    struct gathered g = {0};
    struct averaged run = {0}, none = {0};
    struct legal_energies e;
    enum err err = source_restart(s, repeat_s > 0);
    source_info_get(s, &info);
    if (!err)
        err = start(l, &info, &g);
    double seconds = repeat_s > 0 ? repeat_s : info.seconds > 0 ? 0 : ENDLESS_S;
    if (!err)
        err = feed(s, l, seconds, "energies", &run, &out->seconds);
    legal_flush(l);
    if (err || !(g.seconds > 0))
        return err;
    legal_energies_get(l, &e);
    for (int k = 0; k < LEGAL_N_ENERGIES; k++)
        out->energy[k] = (double)e.total[k] / LEGAL_ENERGY_PER_WH;
    memcpy(out->seen, run.fault, sizeof out->seen);
    if (info.frequency_hz > 0)
        return ERR_OK;
    g.whole_s = g.closed_s = 0; /* what looked like a frequency was none */
    fill_quantities(&g, &none, &info, out);
    return ERR_OK;
}

enum err replay_run(struct source *s, double repeat_s, struct replay_result *out)
{
    struct source_info info;
    struct legal *l = calloc(1, sizeof *l);
    *out = (struct replay_result){0};
    if (!l)
        return ERR_MEMORY;
    source_info_get(s, &info);
    enum err err = info.frequency_hz > 0 ? run_loops(s, l, out) : ERR_OK;
    if (!err)
        err = run_plain(s, repeat_s, l, out);
    free(l);
    return err;
}
