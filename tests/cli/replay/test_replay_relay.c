/* Records of protective relays: a relay's own phasors, and a transformer's inrush, against what the
 * legal part makes of the same samples. */
#include "cli/replay_run.h"
#include "firmware/legal/legal_state.h"
#include "sim/comtrade.h"

#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PI 3.14159265358979323846

static char message[500];

static struct source *open_record(const char *path)
{
    struct source_options o = {0};
    struct source *s;
    if (access(path, R_OK) != 0) {
        print_message("%s is not here\n", path);
        skip();
    }
    if (source_open(&s, path, &o, message, sizeof message))
        fail_msg("%s", message);
    return s;
}

static struct recording read_record(const char *path)
{
    struct recording r = {0};
    struct fault f = {message, sizeof message};
    if (comtrade_load(path, &r, &f))
        fail_msg("%s", message);
    return r;
}

static const double *channel(const struct recording *r, const char *name)
{
    for (size_t k = 0; k < r->n_channels; k++)
        if (strcmp(r->channel[k].name, name) == 0)
            return r->channel[k].sample;
    fail_msg("no channel %s", name);
    return NULL;
}

/* --- the phasors of a GE C60 ---------------------------------------------------------------- */

/* What the record shows of the relay's conventions: magnitudes are root mean squares of the
 * fundamental over one cycle (a full-cycle Fourier filter; it settles within 20 ms of a step),
 * primary kV, and 0 below a fiftieth of nominal. Angles lead positive, against Vag, and only Vag's
 * own runs slowly: it is the relay's reference. The ratio of the magnitudes to the sampled voltages
 * is the relay's and common to all of them: 3.3205 kV/V, 0.6 % beside the transformers' 190.74 kV /
 * 57.8 V; it is taken from the first piece, over all phases. */
#define N_WINDOWS 16
static struct {
    unsigned n;
    double from_s[N_WINDOWS], to_s[N_WINDOWS];
    double complex u[N_WINDOWS][3]; /* counts, rms */
    double now_s;
} windows;

static void take_window(void *context, const struct legal_window *w)
{
    (void)context;
    double n = (double)w->n_q16 / 65536, seconds = n / ((double)w->rate_uhz * 1e-6);
    unsigned k = windows.n;
    if (!(w->flags & (LEGAL_WINDOW_PARTIAL | LEGAL_WINDOW_NO_FREQ)) && k < N_WINDOWS) {
        windows.from_s[k] = windows.now_s;
        windows.to_s[k] = windows.now_s + seconds;
        for (unsigned p = 0; p < 3; p++)
            windows.u[k][p] =
                sqrt(2) / n * ((double)w->phase[p].u_re - I * (double)w->phase[p].u_im);
        windows.n++;
    }
    windows.now_s += seconds;
}

static void play_windows(struct source *s, double *u_lsb)
{
    static struct legal legal;
    struct source_info info;
    struct afe_block b;
    struct legal_config c = {.n_phases = 3,
                             .wiring = LEGAL_3P4W,
                             .f_nominal_mhz = 50000,
                             .un_mv = 57735,
                             .pulse_per_kwh = 1000};
    source_info_get(s, &info);
    *u_lsb = (double)info.u_lsb_fv * 1e-15;
    for (unsigned p = 0; p <= 3; p++) {
        c.u_lsb_fv[p % 3] = info.u_lsb_fv;
        c.i_lsb_fa[p] = info.i_lsb_fa;
    }
    memset(&windows, 0, sizeof windows);
    assert_int_equal(legal_init(&legal, &c), ERR_OK);
    legal_observe(&legal, take_window, NULL);
    assert_int_equal(source_restart(s, false), ERR_OK);
    while (source_next(s, 100, &b))
        assert_int_equal(legal_feed(&legal, &b), ERR_OK);
}

/* The relay's phasors of a magnitude and an angle channel, averaged over a time. */
static double complex relay(const struct recording *r, const char *what, double from_s, double to_s)
{
    char name[64];
    snprintf(name, sizeof name, "SRC 1  %s Mag", what);
    const double *mag = channel(r, name), *vag = channel(r, "SRC 1  Vag Angle");
    snprintf(name, sizeof name, "SRC 1  %s Angle", what);
    const double *deg = channel(r, name);
    double complex sum = 0;
    double n = 0;
    for (size_t k = 0; k < r->n; k++) {
        double t = recording_time(r, k);
        if (t < from_s || t >= to_s)
            continue;
        sum += mag[k] * cexp(I * (deg[k] - vag[k]) * PI / 180);
        n++;
    }
    return sum / n;
}

struct off {
    double percent, degrees;
};

static void compare(struct off *worst, const char *what, double complex got, double complex want)
{
    struct off o = {100 * (cabs(got) / cabs(want) - 1), carg(got / want) * 180 / PI};
    print_message("  %s %.3f V %+.3f %% %+.3f deg\n", what, cabs(got), o.percent, o.degrees);
    worst->percent = fmax(worst->percent, fabs(o.percent));
    worst->degrees = fmax(worst->degrees, fabs(o.degrees));
}

/* One whole window inside from_s..to_s; the relay's filter is fed by the same cycles when its
 * values are taken half a cycle later. */
static struct off compare_piece(const struct recording *r, double u_lsb, double ratio,
                                double from_s, double to_s, bool b_lives)
{
    static const char *const names[] = {"Vag", "Vbg", "Vcg"};
    static const char *const lines[] = {"Vab", "Vbc", "Vca"};
    struct off worst = {0, 0};
    unsigned n = 0;
    for (unsigned k = 0; k < windows.n; k++) {
        double a = windows.from_s[k] + 0.01, b = windows.to_s[k] + 0.01;
        if (windows.from_s[k] < from_s || windows.to_s[k] > to_s)
            continue;
        double complex zero = 0, u[3];
        n++;
        print_message("%.3f to %.3f s\n", windows.from_s[k], windows.to_s[k]);
        for (unsigned p = 0; p < 3; p++) {
            u[p] = windows.u[k][p] / windows.u[k][0] * cabs(windows.u[k][0]) * u_lsb;
            zero += u[p] / 3;
            if (p != 1 || b_lives)
                compare(&worst, names[p], u[p], relay(r, names[p], a, b) / ratio);
        }
        for (unsigned p = 0; p < 3; p++)
            compare(&worst, lines[p], u[p] - u[(p + 1) % 3], relay(r, lines[p], a, b) / ratio);
        if (!b_lives)
            compare(&worst, "V_0", zero, relay(r, "V_0", a, b) / ratio);
    }
    assert_true(n > 0);
    return worst;
}

static double common_ratio(const struct recording *r, double u_lsb)
{
    double sum = 0;
    unsigned n = 0;
    for (unsigned k = 0; k < windows.n && windows.to_s[k] < 0.45; k++, n++) {
        double a = windows.from_s[k] + 0.01, b = windows.to_s[k] + 0.01;
        sum += cabs(relay(r, "Vag", a, b)) / cabs(windows.u[k][0]) / u_lsb / 3;
        sum += cabs(relay(r, "Vbg", a, b)) / cabs(windows.u[k][1]) / u_lsb / 3;
        sum += cabs(relay(r, "Vcg", a, b)) / cabs(windows.u[k][2]) / u_lsb / 3;
    }
    return sum / n;
}

/* Limits: the relay's steps are 0.02 % and 0.005 degrees, its values scatter by +-0.07 % and 0.04
 * degrees sample by sample in the healthy piece, which leaves a mean of 160 well below 0.05 %;
 * after the fault phase L2 still moves, and the relay's frequency was pulled. */
static void replay_agrees_with_the_phasors_that_a_relay_stored(void **state)
{
    static const char *const path = SHARED_DIR "/waveforms/wisp/3.cfg";
    double u_lsb;
    (void)state;
    struct source *s = open_record(path);
    struct recording r = read_record(path);
    play_windows(s, &u_lsb);
    double ratio = common_ratio(&r, u_lsb);
    print_message("%.4f kV/V\n", ratio);
    struct off healthy = compare_piece(&r, u_lsb, ratio, 0.02, 0.455, true);
    struct off fault = compare_piece(&r, u_lsb, ratio, 0.62, 0.975, false);
    print_message("worst: healthy %.3f %% %.3f deg, one phase lost %.3f %% %.3f deg\n",
                  healthy.percent, healthy.degrees, fault.percent, fault.degrees);
    assert_true(fabs(ratio / 3.3 - 1) < 0.01);
    assert_true(healthy.percent < 0.05 && healthy.degrees < 0.05);
    assert_true(fault.percent < 1 && fault.degrees < 0.5);
    source_close(s);
    recording_free(&r);
}

/* --- an inrush ------------------------------------------------------------------------------ */

/* Mean of a product over `span` samples that need not be whole: trapezoids, the last one in part.
 */
static double mean_of(const double *a, const double *b, double span)
{
    size_t n = (size_t)span;
    double sum = -(a[0] * b[0] + a[n] * b[n]) / 2, alpha = span - (double)n;
    for (size_t k = 0; k <= n; k++)
        sum += a[k] * b[k];
    double last = a[n] * b[n], next = a[n + 1] * b[n + 1];
    return (sum + alpha * (last + alpha / 2 * (next - last))) / span;
}

/* Whole cycles of a channel from a time to another, in samples that need not be whole: mean of x
 * e^-jwt, a straight line between samples of this product. */
static double complex line(const double *x, double from, double to, double cycles)
{
    double complex sum = 0, step = -2 * PI * I * cycles / (to - from);
    for (size_t k = (size_t)from; (double)k < to; k++) {
        double a = fmax(0, from - (double)k), b = fmin(1, to - (double)k), middle = (a + b) / 2;
        double complex y0 = x[k] * cexp(step * ((double)k - from));
        double complex y1 = x[k + 1] * cexp(step * ((double)k + 1 - from));
        sum += (b - a) * (y0 + middle * (y1 - y0));
    }
    return sum * sqrt(2) / (to - from);
}

/* Reactive power of the fundamental: mean over stretches of twelve cycles and what is left. */
static double reactive(const double *u, const double *i, double cycles, double span)
{
    double sum = 0;
    for (double at = 0; at < cycles; at += 12) {
        double n = fmin(12, cycles - at), from = span * at / cycles, to = span * (at + n) / cycles;
        sum += n * cimag(line(u, from, to, n) * conj(line(i, from, to, n)));
    }
    return sum / cycles;
}

static void inrush_phase(const struct recording *r, const struct replay_result *got, unsigned p,
                         double span)
{
    static const char *const u_names[] = {"HV Bus VR", "HV Bus VS", "HV Bus VT"};
    static const char *const i_names[] = {"HV IR", "HV IS", "HV IT"};
    static double one[8192];
    const double *u = channel(r, u_names[p]), *i = channel(r, i_names[p]);
    const struct replay_phase *x = &got->phase[p];
    for (size_t k = 0; k < 8192; k++)
        one[k] = 1;
    double u0 = mean_of(u, one, span), i0 = mean_of(i, one, span);
    double urms = sqrt(mean_of(u, u, span) - u0 * u0), irms = sqrt(mean_of(i, i, span) - i0 * i0);
    double watts = mean_of(u, i, span) - u0 * i0, s = urms * irms;
    double vars = reactive(u, i, 359, span);
    print_message("  L%u U %.1f %+.4f %% I %.3f %+.4f %% P %.0f %+.4f %% of S, Q1 %.0f %+.4f %% of "
                  "S; I dc %.2f A\n",
                  p + 1, urms, 100 * (x->u_v / urms - 1), irms, 100 * (x->i_a / irms - 1), watts,
                  100 * (x->p_w - watts) / s, vars, 100 * (x->q_var - vars) / s, i0);
    assert_true(fabs(x->u_v / urms - 1) < 0.0005 && fabs(x->i_a / irms - 1) < 0.0005);
    assert_true(fabs(x->p_w - watts) < 0.0005 * s && fabs(x->q_var - vars) < 0.0005 * s);
}

static void replay_counts_an_inrush_with_direct_current(void **state)
{
    static const char *const path = SHARED_DIR "/waveforms/comtradehandler/Comtrade1.cfg";
    struct replay_result got;
    struct source_info info;
    double wh = 0;
    (void)state;
    struct source *s = open_record(path);
    struct recording r = read_record(path);
    assert_int_equal(replay_run(s, 0, &got), ERR_OK);
    assert_int_equal(source_restart(s, true), ERR_OK);
    source_info_get(s, &info);
    double span = info.seconds * r.rate[0].hz;
    assert_int_equal(lround(info.cycles), 359);
    for (unsigned p = 0; p < 3; p++)
        inrush_phase(&r, &got, p, span);
    static const char *const names[][2] = {
        {"HV Bus VR", "HV IR"}, {"HV Bus VS", "HV IS"}, {"HV Bus VT", "HV IT"}};
    for (size_t k = 0; k < r.n; k++)
        for (unsigned p = 0; p < 3; p++)
            wh += channel(&r, names[p][0])[k] * channel(&r, names[p][1])[k] / r.rate[0].hz / 3600;
    double net = got.energy[LEGAL_A_IMPORT] - got.energy[LEGAL_A_EXPORT];
    print_message("  energy %.3f Wh %+.4f %%\n", wh, 100 * (net / wh - 1));
    assert_true(fabs(net / wh - 1) < 0.0005);
    source_close(s);
    recording_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_agrees_with_the_phasors_that_a_relay_stored),
        cmocka_unit_test(replay_counts_an_inrush_with_direct_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
