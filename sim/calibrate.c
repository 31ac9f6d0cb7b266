/* The factory's procedure, step by step, and the parameters that follow. See calibrate.h.
 *
 * With the mean product p of a phase and its reactive twin q, as the windows show them, a point at
 * the true apparent power S and angle phi gives
 *
 *     gain  = S / (|p + jq| lsb_u lsb_i) - 1        late = atan2(q, p) - phi
 *
 * `late` is the current's: a delay where the sensor is a shunt, less lead in the table of a CT.
 * Noise has no part in p and q; what the voltage leaks into the current input has. The same
 * whatever the current, it is measured with the currents open, before the table's small currents.
 *
 * The neutral gets a gain; neither phase nor drift, as nothing is billed by it. */
#include "sim/calibrate_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define STEP_C    30.0   /* hot and cold are that far from the reference */
#define RANGE     5000   /* Imax over the least current that is promised */
#define TARGET    2.5e-5 /* noise of a point: an eighth of 0.02 % */
#define CHECK     5e-5   /* and when it is measured again */
#define SHORT_S   10
#define POINT_S   2
#define HALF_DEG  60 /* PF 0.5 inductive */
#define CHECK_DEG 45 /* active and reactive alike */
#define N_CHECKS  3  /* currents measured again where there is no table */

struct work {
    struct stand stand;
    struct calibrate_result *out;
    char *why;
    size_t why_size;
    double lsb_u, lsb_i, i_ref;
    bool ct;
    unsigned n_currents; /* of the table, or only to be looked at; in rising order */
    double current[LEGAL_N_CT_POINTS];
    double noise[AFE_N_CHANNELS];                          /* counts^2 */
    double gain[AFE_N_CHANNELS];                           /* as set: true = shown x (1 + gain) */
    double late[LEGAL_N_PHASES];                           /* at Iref, radian */
    double leak_p[LEGAL_N_PHASES], leak_q[LEGAL_N_PHASES]; /* counts^2, currents open */
    struct calibrate_error least[LEGAL_N_PHASES];          /* of the CT at the least current */
};

static bool has(const struct work *w, unsigned p)
{
    return w->stand.phases >> p & 1;
}

/* --- parameters ----------------------------------------------------------------------------- */

static enum err set(struct work *w, enum legal_parameter id, unsigned index, double value)
{
    const struct calibrate_job *job = w->stand.job;
    const struct legal_parameter_row *row = legal_parameter_row(id);
    struct legal_audit a;
    enum err err = ERR_RANGE;
    if (fabs(value) < 9e15) { /* else no integer, or no number */
        err = legal_parameter_set(job->legal, id, index, llround(value), &a);
        w->out->n_audits++;
        if (job->audit)
            job->audit(job->context, &a);
    }
    if (err == ERR_ACCESS)
        snprintf(w->why, w->why_size, "The meter is sealed.");
    else if (err)
        snprintf(w->why, w->why_size, "%s[%u] would have to be %.0f %s; %lld to %lld is allowed.",
                 row->name, index, value, row->unit, (long long)row->min, (long long)row->max);
    return err;
}

static void seal(struct work *w)
{
    const struct calibrate_job *job = w->stand.job;
    struct legal_audit a;
    legal_seal(job->legal, &a);
    w->out->n_audits++;
    if (job->audit)
        job->audit(job->context, &a);
}

/* --- measuring ------------------------------------------------------------------------------ */

static struct stand_load load_of(const struct work *w, double i_a, double lag_deg, double seconds)
{
    return (struct stand_load){.u_v = w->stand.un_v,
                               .i_a = i_a,
                               .lag_deg = lag_deg,
                               .celsius = CALIBRATE_REFERENCE,
                               .seconds = fmax(POINT_S, seconds)};
}

static enum err measure(struct work *w, const struct stand_load *load, const char *what,
                        struct stand_seen *seen)
{
    enum err err = stand_run(&w->stand, load, what, seen);
    if (err == ERR_TIMEOUT)
        snprintf(w->why, w->why_size,
                 "The meter finds no steady frequency: no voltage reaches it.");
    else if (err)
        snprintf(w->why, w->why_size, "The meter takes no samples: %s.", err_text(err));
    return err == ERR_TIMEOUT ? ERR_RANGE : err;
}

/* Error of what p and q show, with nominal lsb. */
static struct calibrate_error shown(const struct work *w, double p, double q,
                                    const struct stand_load *l)
{
    double apparent = hypot(p, q) * w->lsb_u * w->lsb_i, truth = l->u_v * l->i_a;
    double angle = atan2(q, p) - l->lag_deg * CALIBRATE_PI / 180;
    return (struct calibrate_error){apparent / truth - 1, remainder(angle, 2 * CALIBRATE_PI)};
}

/* The same of the registers. */
static struct calibrate_error registered(const struct stand_phase *s, const struct stand_load *l)
{
    double angle = atan2(s->register_var, s->register_w) - l->lag_deg * CALIBRATE_PI / 180;
    double apparent = hypot(s->register_w, s->register_var), truth = l->u_v * l->i_a;
    return (struct calibrate_error){apparent / truth - 1, remainder(angle, 2 * CALIBRATE_PI)};
}

/* rms of a channel without its noise, nominal. */
static double rms(const struct work *w, unsigned c, double square)
{
    return sqrt(fmax(0, square - w->noise[c])) * (c <= AFE_U3 ? w->lsb_u : w->lsb_i);
}

/* Gains of voltage and current that a point asks for. */
static void gains(const struct work *w, const struct stand_seen *seen, unsigned p,
                  const struct stand_load *l, double out[2])
{
    const struct stand_phase *s = &seen->phase[p];
    out[0] = l->u_v / rms(w, AFE_U1 + p, s->uu) - 1;
    out[1] = 1 / (1 + shown(w, s->p, s->q, l).gain) / (1 + out[0]) - 1;
}

/* --- short circuits: offset, noise ---------------------------------------------------------- */

static enum err set_short(struct work *w, const struct stand_seen *seen, unsigned c)
{
    const struct stand_phase *s = &seen->phase[c % 3];
    double mean = c == AFE_IN ? seen->in : c <= AFE_U3 ? s->u : s->i;
    w->noise[c] = c == AFE_IN ? seen->in_in : c <= AFE_U3 ? s->uu : s->ii;
    if (seen->clipped[c]) {
        snprintf(w->why, w->why_size, "Input %u is at the end of its range while shorted.", c + 1);
        return ERR_RANGE;
    }
    enum err err = set(w, LEGAL_PARAMETER_OFFSET, c, mean);
    return err ? err : set(w, LEGAL_PARAMETER_NOISE_Q8, c, w->noise[c] * 256);
}

static enum err step_short(struct work *w)
{
    struct stand_load load = {.celsius = CALIBRATE_REFERENCE, .seconds = SHORT_S};
    struct stand_seen seen;
    enum err err = measure(w, &load, "short circuits", &seen);
    for (unsigned c = 0; !err && c < AFE_N_CHANNELS; c++)
        if (w->stand.present >> c & 1)
            err = set_short(w, &seen, c);
    return err ? err : set(w, LEGAL_PARAMETER_REFERENCE_MC, 0, CALIBRATE_REFERENCE * 1000);
}

/* --- gains and phase at Iref ---------------------------------------------------------------- */

static enum err set_gain(struct work *w, unsigned c, double gain)
{
    static const char *const name[AFE_N_CHANNELS] = {"gain u1", "gain u2", "gain u3", "gain i1",
                                                     "gain i2", "gain i3", "gain in"};
    w->gain[c] = gain;
    calibrate_before(w->out, name[c], "%", (1 / (1 + gain) - 1) * 100);
    return set(w, LEGAL_PARAMETER_GAIN_PPB, c, gain * 1e9);
}

/* What is left of a gain: checked by the values, which are what people read. */
static void check_gain(struct work *w, const struct stand_seen *seen, const struct stand_load *l)
{
    char what[12];
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        const struct stand_phase *s = &seen->phase[p];
        snprintf(what, sizeof what, "gain u%u", p + 1);
        calibrate_after(w->out, what, "%", (s->value_v / l->u_v - 1) * 100);
        snprintf(what, sizeof what, "gain i%u", p + 1);
        calibrate_after(w->out, what, "%", (s->value_a / l->i_a - 1) * 100);
    }
}

/* The phases' currents cancel in it, so one alone flows. */
static enum err measure_neutral(struct work *w, struct stand_seen *seen)
{
    struct stand_load load = load_of(w, w->i_ref, 0, 0);
    load.first_only = true;
    return measure(w, &load, "neutral", seen);
}

static enum err step_neutral(struct work *w)
{
    struct stand_seen seen;
    if (!(w->stand.present >> AFE_IN & 1))
        return ERR_OK;
    enum err err = measure_neutral(w, &seen);
    if (err)
        return err;
    double gain = w->i_ref / rms(w, AFE_IN, seen.in_in) - 1;
    if (seen.clipped[AFE_IN] || !(gain > -0.2 && gain < 0.2)) {
        snprintf(w->why, w->why_size, "The neutral's input is dead or at the end of its range.");
        return ERR_RANGE;
    }
    return set_gain(w, AFE_IN, gain);
}

static enum err check_neutral(struct work *w)
{
    struct stand_seen seen;
    if (!(w->stand.present >> AFE_IN & 1))
        return ERR_OK;
    enum err err = measure_neutral(w, &seen);
    calibrate_after(w->out, "gain in", "%", (seen.in_value_a / w->i_ref - 1) * 100);
    return err;
}

static enum err step_gain(struct work *w)
{
    const struct stand_load load = load_of(w, w->i_ref, 0, 0);
    struct stand_seen seen;
    double gain[2];
    enum err err = measure(w, &load, "gain", &seen);
    if (!err && calibrate_refuses(&w->stand, &load, &seen, w->why, w->why_size))
        err = ERR_RANGE;
    for (unsigned p = 0; !err && p < LEGAL_N_PHASES; p++) {
        if (!has(w, p))
            continue;
        gains(w, &seen, p, &load, gain);
        err = set_gain(w, AFE_U1 + p, gain[0]);
        if (!err)
            err = set_gain(w, AFE_I1 + p, gain[1]);
    }
    return err;
}

static enum err step_phase(struct work *w)
{
    const struct stand_load load = load_of(w, w->i_ref, HALF_DEG, 0);
    struct stand_seen seen;
    enum err err = measure(w, &load, "phase", &seen);
    for (unsigned p = 0; !err && p < LEGAL_N_PHASES; p++) {
        if (!has(w, p))
            continue;
        struct calibrate_error e = shown(w, seen.phase[p].p, seen.phase[p].q, &load);
        w->late[p] = e.late;
        calibrate_error_point(w->out, false, "power", p, w->i_ref, e);
        if (!w->ct)
            err = set(w, LEGAL_PARAMETER_DELAY_NS, AFE_I1 + p,
                      e.late / (2 * CALIBRATE_PI * w->stand.f_hz) * 1e9);
    }
    return err;
}

/* --- open currents, table over current ------------------------------------------------------ */

static enum err step_leak(struct work *w)
{
    struct stand_load load = load_of(w, 0, 0, stand_seconds(&w->stand, w->current[0], TARGET));
    struct stand_seen seen;
    enum err err = measure(w, &load, "open currents", &seen);
    for (unsigned p = 0; !err && p < LEGAL_N_PHASES; p++) {
        w->leak_p[p] = seen.phase[p].p;
        w->leak_q[p] = seen.phase[p].q;
    }
    return err;
}

static enum err set_point(struct work *w, unsigned p, unsigned k, const struct stand_phase *s,
                          const struct stand_load *l)
{
    struct calibrate_error e = shown(w, s->p - w->leak_p[p], s->q - w->leak_q[p], l);
    double gain = 1 / (1 + e.gain) / (1 + w->gain[AFE_U1 + p]) / (1 + w->gain[AFE_I1 + p]) - 1;
    unsigned index = p * LEGAL_N_CT_POINTS + k;
    if (k == 0)
        w->least[p] = (struct calibrate_error){gain, e.late};
    enum err err = set(w, LEGAL_PARAMETER_CT_I_UA, index, l->i_a / (1 + gain) * 1e6);
    if (!err)
        err = set(w, LEGAL_PARAMETER_CT_GAIN_PPB, index, gain * 1e9);
    return err ? err : set(w, LEGAL_PARAMETER_CT_PHASE_NRAD, index, -e.late * 1e9);
}

static enum err step_current(struct work *w, unsigned k)
{
    const struct stand_load load =
        load_of(w, w->current[k], HALF_DEG, stand_seconds(&w->stand, w->current[k], TARGET));
    struct stand_seen seen;
    enum err err = measure(w, &load, "currents", &seen);
    for (unsigned p = 0; !err && p < LEGAL_N_PHASES; p++) {
        if (!has(w, p))
            continue;
        const struct stand_phase *s = &seen.phase[p];
        calibrate_error_point(w->out, false, "power", p, load.i_a, shown(w, s->p, s->q, &load));
        if (w->ct)
            err = set_point(w, p, k, s, &load);
    }
    return err;
}

/* The leak as it stands after turn and gains, from where it is taken off. */
static enum err set_leak(struct work *w, unsigned p)
{
    double late = w->ct ? w->least[p].late : w->late[p];
    double gain = (1 + w->gain[AFE_U1 + p]) * (1 + w->gain[AFE_I1 + p]) * (1 + w->least[p].gain);
    double c = cos(late) * gain * 256, s = sin(late) * gain * 256;
    enum err err = set(w, LEGAL_PARAMETER_P_OFFSET_Q8, p, w->leak_p[p] * c + w->leak_q[p] * s);
    return err ? err : set(w, LEGAL_PARAMETER_Q_OFFSET_Q8, p, w->leak_q[p] * c - w->leak_p[p] * s);
}

static enum err step_currents(struct work *w)
{
    enum err err = ERR_OK;
    for (unsigned k = 0; !err && k < w->n_currents; k++)
        err = step_current(w, k);
    for (unsigned p = 0; !err && p < LEGAL_N_PHASES; p++) {
        if (!has(w, p))
            continue;
        if (w->ct)
            err = set(w, LEGAL_PARAMETER_N_CT, p, w->n_currents);
        if (!err)
            err = set_leak(w, p);
    }
    return err;
}

/* --- drift ---------------------------------------------------------------------------------- */

static enum err set_drift(struct work *w, unsigned c, double hot, double cold)
{
    double h = (1 + hot) / (1 + w->gain[c]) - 1, k = (1 + cold) / (1 + w->gain[c]) - 1;
    enum err err = set(w, LEGAL_PARAMETER_DRIFT_PPB_K, c, (h - k) / 2 / STEP_C * 1e9);
    return err ? err
               : set(w, LEGAL_PARAMETER_DRIFT_PPT_K2, c, (h + k) / 2 / STEP_C / STEP_C * 1e12);
}

static enum err step_drift(struct work *w)
{
    struct stand_load load = load_of(w, w->i_ref, HALF_DEG, 0);
    struct stand_seen hot, cold;
    load.celsius = CALIBRATE_REFERENCE + STEP_C;
    enum err err = measure(w, &load, "hot", &hot);
    load.celsius = CALIBRATE_REFERENCE - STEP_C;
    if (!err)
        err = measure(w, &load, "cold", &cold);
    for (unsigned p = 0; !err && p < LEGAL_N_PHASES; p++) {
        if (!has(w, p))
            continue;
        double h[2], k[2];
        struct calibrate_error e = shown(w, hot.phase[p].p, hot.phase[p].q, &load);
        double lead = shown(w, cold.phase[p].p, cold.phase[p].q, &load).late - e.late;
        gains(w, &hot, p, &load, h);
        gains(w, &cold, p, &load, k);
        calibrate_error_point(w->out, false, "hot", p, w->i_ref, e);
        err = set_drift(w, AFE_U1 + p, h[0], k[0]);
        if (!err)
            err = set_drift(w, AFE_I1 + p, h[1], k[1]);
        if (!err)
            err = set(w, LEGAL_PARAMETER_PHASE_DRIFT_NRAD_K, p, lead / 2 / STEP_C * 1e9);
    }
    return err;
}

/* --- the calibrated meter ------------------------------------------------------------------- */

static enum err check(struct work *w, const char *kind, double i_a, double celsius,
                      struct stand_seen *seen)
{
    struct stand_load load = load_of(w, i_a, CHECK_DEG, stand_seconds(&w->stand, i_a, CHECK));
    load.celsius = celsius;
    load.registers = true;
    enum err err = measure(w, &load, "check", seen);
    for (unsigned p = 0; !err && p < LEGAL_N_PHASES; p++)
        if (has(w, p))
            calibrate_error_point(w->out, true, kind, p, i_a, registered(&seen->phase[p], &load));
    return err;
}

static enum err step_check(struct work *w)
{
    struct stand_load load = load_of(w, w->i_ref, CHECK_DEG, 0);
    struct stand_seen seen;
    enum err err = check(w, "hot", w->i_ref, CALIBRATE_REFERENCE + STEP_C, &seen);
    for (unsigned k = 0; !err && k < w->n_currents; k++)
        err = check(w, "power", w->current[k], CALIBRATE_REFERENCE, &seen);
    if (!err)
        err = check(w, "power", w->i_ref, CALIBRATE_REFERENCE, &seen);
    if (err)
        return err;
    check_gain(w, &seen, &load);
    return check_neutral(w);
}

/* --- the whole ------------------------------------------------------------------------------ */

static void plan(struct work *w, const struct calibrate_job *job)
{
    double top = job->model->imax_ma / 1e3, least = top / RANGE;
    stand_init(&w->stand, job);
    w->lsb_u = (double)front_end_u_lsb_fv(job->front_end) / 1e15;
    w->lsb_i = (double)front_end_i_lsb_fa(job->front_end) / 1e15;
    w->i_ref = job->model->in_ma / 1e3;
    w->ct = front_end_spec_get(job->front_end)->sensor == FRONT_END_CT;
    w->n_currents = w->ct ? LEGAL_N_CT_POINTS : N_CHECKS;
    w->stand.planned_s = SHORT_S + stand_seconds(&w->stand, least, TARGET) + 30;
    for (unsigned k = 0; k < w->n_currents; k++) {
        double i = least * pow(top / least, (double)k / (w->n_currents - 1));
        w->current[k] = i;
        w->stand.planned_s +=
            stand_seconds(&w->stand, i, TARGET) + stand_seconds(&w->stand, i, CHECK) + 5;
    }
}

/* The starting currents, 0 while the meter is measured: the least currents may lie below them. */
static enum err set_starts(struct work *w, uint32_t active, uint32_t reactive)
{
    enum err err = set(w, LEGAL_PARAMETER_I_START_UA, 0, active);
    return err ? err : set(w, LEGAL_PARAMETER_I_START_REACTIVE_UA, 0, reactive);
}

static enum err run(struct work *w)
{
    static enum err (*const step[])(struct work *) = {step_short, step_gain, step_neutral,
                                                      step_phase, step_leak, step_currents,
                                                      step_drift, step_check};
    struct legal_config c;
    legal_config_get(w->stand.job->legal, &c);
    enum err err = set_starts(w, 0, 0);
    if (err)
        return err;
    for (unsigned k = 0; !err && k < sizeof step / sizeof step[0]; k++)
        err = step[k](w);
    enum err back = set_starts(w, c.i_start_ua, c.i_start_reactive_ua);
    if (err || back)
        return err ? err : back;
    seal(w);
    legal_config_get(w->stand.job->legal, &c);
    w->out->calibration = c.calibration;
    return ERR_OK;
}

enum err calibrate_meter(const struct calibrate_job *job, struct calibrate_result *out, char *why,
                         size_t why_size)
{
    struct work *w = calloc(1, sizeof *w);
    *out = (struct calibrate_result){.n_points = 0};
    if (why_size > 0)
        why[0] = '\0';
    if (!w)
        return ERR_MEMORY;
    w->out = out;
    w->why = why;
    w->why_size = why_size;
    plan(w, job);
    enum err err = run(w);
    out->seconds = w->stand.done_s;
    front_end_temperature(job->front_end, CALIBRATE_REFERENCE);
    free(w);
    return err;
}

enum err calibrate_run(struct legal *legal, const struct model_meter *m, struct front_end *f,
                       struct calibrate_result *out,
                       void (*audit)(void *context, const struct legal_audit *a), void *context,
                       char *why, size_t why_size)
{
    const struct calibrate_job job = {
        .legal = legal, .model = m, .front_end = f, .audit = audit, .context = context};
    return calibrate_meter(&job, out, why, why_size);
}
