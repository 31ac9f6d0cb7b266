/* Signals with known answers; see signal.h. */
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAD (3.14159265358979323846 / 180)

struct legal_config signal_config(void)
{
    return (struct legal_config){.n_phases = 3,
                                 .wiring = LEGAL_3P4W,
                                 .f_nominal_mhz = 50000,
                                 .u_lsb_fv = {U_LSB_FV, U_LSB_FV, U_LSB_FV},
                                 .i_lsb_fa = {I_LSB_FA, I_LSB_FA, I_LSB_FA, I_LSB_FA},
                                 .un_mv = 230000,
                                 .i_start_ua = 0,
                                 .pulse_per_kwh = 1000};
}

struct signal signal_balanced(double f, double rate, double i, double lag_deg)
{
    return (struct signal){.f = f,
                           .rate = rate,
                           .u = {230, 230, 230},
                           .i = {i, i, i},
                           .u_deg = {0, -120, 120},
                           .lag = {lag_deg, lag_deg, lag_deg},
                           .present = 0x3F};
}

struct truth signal_truth(const struct signal *s, unsigned p)
{
    double uu = 1, ii = 1, pp = cos(s->lag[p] * RAD);
    for (int k = 0; k < SIGNAL_LINES; k++) {
        const struct signal_line *l = &s->line[k];
        if (!l->order)
            continue;
        uu += l->u * l->u;
        ii += l->i * l->i;
        double angle = l->u_deg - l->i_deg + l->order * s->lag[p];
        pp += l->u * l->i * cos(angle * RAD);
    }
    struct truth t = {.thd_u = 100 * sqrt(uu - 1), .thd_i = 100 * sqrt(ii - 1)};
    uu += s->inter_u * s->inter_u;
    double un = s->noise * (double)U_LSB_FV * 1e-15, in = s->noise * (double)I_LSB_FA * 1e-15;
    t.u = sqrt(uu * s->u[p] * s->u[p] + un * un);
    t.i = sqrt(ii * s->i[p] * s->i[p] + in * in);
    t.p = pp * s->u[p] * s->i[p];
    t.q = s->u[p] * s->i[p] * sin(s->lag[p] * RAD);
    t.s = t.u * t.i;
    return t;
}

static double gauss(uint64_t *state) /* sum of twelve uniform numbers */
{
    double sum = -6;
    for (int k = 0; k < 12; k++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        sum += (double)(*state >> 32) / 4294967296.0;
    }
    return sum;
}

static int32_t count(double value, uint64_t lsb, double noise, uint64_t *state)
{
    double x = value / ((double)lsb * 1e-15) + (noise > 0 ? noise * gauss(state) : 0);
    x = x > AFE_FULL_SCALE - 1 ? AFE_FULL_SCALE - 1 : x < -AFE_FULL_SCALE ? -AFE_FULL_SCALE : x;
    return (int32_t)lround(x);
}

static double degrees_at(const struct signal *s, double t)
{
    return 360 * fmod(s->f * t, 1.0);
}

static double voltage(const struct signal *s, unsigned p, double t, double lead)
{
    double a = degrees_at(s, t) + s->u_deg[p], x = cos(a * RAD + lead);
    for (int n = 0; n < SIGNAL_LINES; n++) {
        const struct signal_line *l = &s->line[n];
        if (l->order)
            x += l->u * cos((l->order * a + l->u_deg) * RAD + lead);
    }
    if (s->inter_u > 0)
        x += s->inter_u * cos(360 * fmod(s->inter_f * t, 1.0) * RAD);
    return x * s->u[p] * sqrt(2) + s->u_dc;
}

static double current(const struct signal *s, unsigned p, double t, double lead)
{
    double a = degrees_at(s, t) + s->u_deg[p] - s->lag[p], x = cos(a * RAD + lead);
    for (int n = 0; n < SIGNAL_LINES; n++) {
        const struct signal_line *l = &s->line[n];
        if (l->order)
            x += l->i * cos((l->order * a + l->i_deg) * RAD + lead);
    }
    return x * s->i[p] * sqrt(2) + s->i_dc;
}

static double value(const struct signal *s, unsigned c, double t)
{
    const struct signal_error *e = &s->error[c];
    double x = 0;
    t -= e->delay_s;
    if (c < AFE_I1)
        x = voltage(s, c - AFE_U1, t, e->lead);
    else if (c < AFE_IN)
        x = current(s, c - AFE_I1, t, e->lead);
    else
        for (unsigned p = 0; p < 3; p++)
            x -= (1 - s->bypass) * current(s, p, t, e->lead);
    return x / (1 + e->gain);
}

void signal_sample(const struct signal *s, uint64_t k, int32_t out[AFE_N_CHANNELS])
{
    static const unsigned order[] = {AFE_U1, AFE_I1, AFE_U2, AFE_I2, AFE_U3, AFE_I3, AFE_IN};
    uint64_t state = k * UINT64_C(0x9E3779B97F4A7C15) + 12345;
    for (unsigned n = 0; n < AFE_N_CHANNELS; n++) {
        unsigned c = order[n];
        uint64_t lsb = c < AFE_I1 ? U_LSB_FV : I_LSB_FA;
        out[c] = 0;
        if (c == AFE_IN && !(s->present >> AFE_IN & 1))
            continue;
        double offset = s->error[c].offset * (double)lsb * 1e-15;
        out[c] = count(value(s, c, (double)k / s->rate) + offset, lsb, s->noise, &state);
    }
}

void signal_feed(struct legal *l, const struct signal *s, uint64_t start, uint64_t n,
                 uint32_t block)
{
    static int32_t store[AFE_N_CHANNELS][AFE_BLOCK_MAX];
    struct afe_block b = {.rate_uhz = (uint64_t)(s->rate * 1e6 + 0.5), .present = s->present};
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        b.sample[c] = store[c];
    for (uint64_t at = start; at < start + n; at += b.n) {
        b.n = (uint32_t)(start + n - at < block ? start + n - at : block);
        for (uint32_t k = 0; k < b.n; k++) {
            int32_t x[AFE_N_CHANNELS];
            signal_sample(s, at + k, x);
            for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
                store[c][k] = x[c];
        }
        if (legal_feed(l, &b) != ERR_OK)
            abort();
    }
}

static void add_set(struct legal_window *w, const int32_t *x, const double wave[2],
                    double (*phasor)[4])
{
    static const unsigned pair[6][2] = {{0, 1}, {0, 2}, {1, 2}, {0, 3}, {1, 3}, {2, 3}};
    for (unsigned p = 0; p < 3; p++) {
        int64_t u = x[AFE_U1 + p], i = x[AFE_I1 + p];
        struct legal_window_phase *to = &w->phase[p];
        to->uu += u * u;
        to->ii += i * i;
        to->ui += u * i;
        to->u += u;
        to->i += i;
        for (unsigned n = 0; n < 2; n++) {
            phasor[p][n] += (double)u * wave[n];
            phasor[p][2 + n] += (double)i * wave[n];
        }
    }
    for (unsigned n = 0; n < 6; n++)
        w->cross[n] += (int64_t)x[AFE_I1 + pair[n][0]] * x[AFE_I1 + pair[n][1]];
    w->in_in += (int64_t)x[AFE_IN] * x[AFE_IN];
    w->in_sum += x[AFE_IN];
    phasor[3][0] += x[AFE_IN] * wave[0];
    phasor[3][1] += x[AFE_IN] * wave[1];
}

struct legal_window signal_window(const struct signal *s, unsigned cycles)
{
    uint64_t n = (uint64_t)llround(cycles * s->rate / s->f);
    struct legal_window w = {.n_q16 = n << 16,
                             .rate_uhz = (uint64_t)llround(s->rate * 1e6),
                             .frequency_uhz = (uint32_t)llround(s->f * 1e6)};
    double phasor[4][4] = {{0}};
    for (uint64_t k = 0; k < n; k++) {
        int32_t x[AFE_N_CHANNELS];
        double a = degrees_at(s, (double)k / s->rate) * RAD, wave[2] = {cos(a), sin(a)};
        signal_sample(s, k, x);
        add_set(&w, x, wave, phasor);
    }
    for (unsigned p = 0; p < 3; p++) {
        w.phase[p].u_re = llround(phasor[p][0]);
        w.phase[p].u_im = llround(phasor[p][1]);
        w.phase[p].i_re = llround(phasor[p][2]);
        w.phase[p].i_im = llround(phasor[p][3]);
    }
    w.in_re = llround(phasor[3][0]);
    w.in_im = llround(phasor[3][1]);
    w.flags = s->present >> AFE_IN & 1 ? LEGAL_WINDOW_NEUTRAL : 0;
    return w;
}

void signal_seconds(struct legal *l, const struct signal *s, double seconds)
{
    signal_feed(l, s, 0, (uint64_t)(seconds * s->rate), 256);
}

static void worst(double *d, double got, double want, double of)
{
    double e = 100 * fabs(got - want) / of;
    if (e > *d)
        *d = e;
}

struct deviation signal_deviation(const struct signal *s, const struct legal_values *v)
{
    struct deviation d = {.f = fabs((double)v->frequency_uhz * 1e-3 - s->f * 1e3)};
    for (unsigned p = 0; p < 3; p++) {
        const struct legal_phase_values *x = &v->phase[p];
        struct truth t = signal_truth(s, p);
        worst(&d.u, x->u_mv * 1e-3, t.u, t.u);
        worst(&d.i, x->i_ua * 1e-6, t.i, t.i);
        worst(&d.p, (double)x->p_mw * 1e-3, t.p, fabs(t.p));
        worst(&d.q, (double)x->q_mvar * 1e-3, t.q, t.s);
        worst(&d.thd, x->thd_u_ppm * 1e-4, t.thd_u, 100);
        worst(&d.thd, x->thd_i_ppm * 1e-4, t.thd_i, 100);
    }
    return d;
}

void deviation_print(const char *what, const struct deviation *d)
{
    printf("  %-34s U %.5f I %.5f P %.5f Q %.5f %%  f %.3f mHz  THD %.4f pt\n", what, d->u, d->i,
           d->p, d->q, d->f, d->thd);
}
