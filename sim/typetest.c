/* The accuracy bench: each point of the plan measured and judged. See typetest.h.
 *
 * A measurement that stands for several points (two tables, the reference of many influences) is
 * made once. */
#include "sim/typetest.h"
#include "sim/typetest_bench.h"
#include "sim/typetest_meter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STARTING_PERIODS 1.5
#define SLOW_S           200.0 /* burst, fast load: where a window begins must not show */
#define PULSES_PER_LIMIT 3     /* constant test: a pulse is a third of the limit */
#define REGISTER_PCT                                                                               \
    0.02 /* of the energy a unit of the register shall be, if it does not take long */

struct known { /* a measurement that was made */
    struct typetest_load load;
    struct typetest_want want;
    struct typetest_reading reading;
};
struct runner {
    const struct typetest_options *o;
    struct typetest_bench *bench;
    struct typetest_report *report;
    struct known *known;
    size_t n_known, size;
};

/* --- measuring once ------------------------------------------------------------------------- */

static enum err remember(struct runner *r, const struct typetest_load *l,
                         const struct typetest_want *w, const struct typetest_reading *reading)
{
    if (r->n_known == r->size) {
        size_t size = r->size ? 2 * r->size : 256;
        struct known *p = realloc(r->known, size * sizeof *p);
        if (!p)
            return ERR_MEMORY;
        r->known = p;
        r->size = size;
    }
    r->known[r->n_known++] = (struct known){*l, *w, *reading};
    return ERR_OK;
}

/* Whether a measurement made for `had` is as good for `want`. */
static bool serves(const struct typetest_want *had, const struct typetest_want *want)
{
    return had->quantity == want->quantity && had->noise_pct <= want->noise_pct &&
           had->at_least_s == want->at_least_s && had->pulses == want->pulses &&
           (want->unit_pct == 0 || (had->unit_pct > 0 && had->unit_pct <= want->unit_pct)) &&
           had->only_s == want->only_s && (had->noise_pct > 0 || want->noise_pct == 0);
}

static enum err measure_as(struct runner *r, const struct typetest_load *l,
                           const struct typetest_want *w, struct typetest_reading *out)
{
    for (size_t i = r->n_known; i > 0; i--) {
        const struct known *k = &r->known[i - 1];
        if (serves(&k->want, w) && memcmp(&k->load, l, sizeof *l) == 0) {
            *out = k->reading;
            return ERR_OK;
        }
    }
    enum err err = typetest_measure(r->bench, l, w, out);
    r->report->seconds += err ? 0 : out->seconds;
    return err ? err : remember(r, l, w, out);
}

static enum err measure(struct runner *r, const struct typetest_load *l, char quantity,
                        double noise_pct, struct typetest_reading *out)
{
    struct typetest_want w = {
        .quantity = quantity, .noise_pct = noise_pct, .unit_pct = REGISTER_PCT};
    if (l->shape == TEST_BURST || l->on_s > 0)
        w.at_least_s = SLOW_S;
    return measure_as(r, l, &w, out);
}

/* --- the tests ------------------------------------------------------------------------------ */

static void note(struct typetest_result *out, const char *text)
{
    snprintf(out->note, sizeof out->note, "%s", text);
}

/* What all tests take from a reading. The registers must keep the limit, too, as far as their unit
 * tells; they are shown where it tells a tenth of the limit. */
static void take(struct typetest_result *out, const struct typetest_reading *m)
{
    double limit = out->point.limit_pct;
    bool led = fabs(m->error_pct) <= limit;
    bool registers = fabs(m->register_pct) <= limit + m->unit_pct;
    out->error_pct = m->error_pct;
    out->register_pct = m->unit_pct <= limit / 10 || !registers ? m->register_pct : NAN;
    out->noise_pct = m->noise_pct;
    out->seconds = m->seconds;
    out->pulses = m->pulses;
    out->pass = led && registers && m->joined;
    if (isnan(m->error_pct))
        note(out, "no two pulses came");
    else if (!m->joined)
        note(out, "registers and pulses differ");
    else if (!registers)
        snprintf(out->note, sizeof out->note, "registers are %.4g %% off, their unit is %.2g %%",
                 m->register_pct, m->unit_pct);
}

static enum err test_error(struct runner *r, const struct typetest_job *j,
                           struct typetest_result *out)
{
    struct typetest_reading m;
    enum err err = measure(r, &j->load, j->point.quantity, j->noise_goal_pct, &m);
    if (err)
        return err;
    take(out, &m);
    if (j->load.sensitive && out->note[0] == '\0')
        snprintf(out->note, sizeof out->note, "starting threshold lowered to %.2g mA",
                 typetest_sensitive_ua(r->o->model) / 1e3);
    return ERR_OK;
}

/* The error with the influence less the error without. */
static enum err test_variation(struct runner *r, const struct typetest_job *j,
                               struct typetest_result *out)
{
    struct typetest_reading m, ref;
    enum err err = measure(r, &j->reference, j->point.quantity, j->noise_goal_pct, &ref);
    if (!err)
        err = measure(r, &j->load, j->point.quantity, j->noise_goal_pct, &m);
    if (err)
        return err;
    double kelvin = j->load.celsius - j->reference.celsius;
    double per = j->point.test == TYPETEST_TEMPERATURE ? kelvin : 1;
    struct typetest_reading d = m;
    d.error_pct = (m.error_pct - ref.error_pct) / per;
    d.register_pct = (m.register_pct - ref.register_pct) / per;
    d.unit_pct = (m.unit_pct + ref.unit_pct) / per;
    d.noise_pct = hypot(m.noise_pct, ref.noise_pct) / per;
    d.joined = m.joined && ref.joined;
    take(out, &d);
    if (j->point.test == TYPETEST_TEMPERATURE && out->note[0] == '\0')
        snprintf(out->note, sizeof out->note, "%%/K from %.4g to %.4g C", j->reference.celsius,
                 j->load.celsius);
    if (j->point.test == TYPETEST_FAST_LOAD && out->note[0] == '\0')
        snprintf(out->note, sizeof out->note, "on %.3g s, off %.3g s, for %.0f s", j->load.on_s,
                 j->load.off_s, m.seconds);
    return ERR_OK;
}

static enum err test_starting(struct runner *r, const struct typetest_job *j,
                              struct typetest_result *out)
{
    struct typetest_reading m;
    struct typetest_want w = {.quantity = j->point.quantity};
    enum err err = measure_as(r, &j->load, &w, &m);
    if (err)
        return err;
    take(out, &m);
    out->pass = out->pass && m.first_s <= STARTING_PERIODS * m.period_s;
    if (!isnan(m.first_s) && out->note[0] == '\0')
        snprintf(out->note, sizeof out->note, "first pulse after %.3f periods of %.0f s",
                 m.first_s / m.period_s, m.period_s);
    return ERR_OK;
}

static enum err test_no_load(struct runner *r, const struct typetest_job *j,
                             struct typetest_result *out)
{
    struct typetest_reading m;
    struct typetest_want w = {.quantity = j->point.quantity, .only_s = j->minutes * 60};
    enum err err = measure_as(r, &j->load, &w, &m);
    if (err)
        return err;
    out->error_pct = out->pulses = m.pulses;
    out->register_pct = NAN;
    out->seconds = m.seconds;
    out->pass = m.joined && m.pulses <= out->point.limit_pct;
    snprintf(out->note, sizeof out->note, "%u pulses in %.1f min", m.pulses, j->minutes);
    return ERR_OK;
}

/* So many pulses that one of them is well below the limit. */
static enum err test_constant(struct runner *r, const struct typetest_job *j,
                              struct typetest_result *out)
{
    struct typetest_reading m;
    struct typetest_want w = {.quantity = j->point.quantity,
                              .pulses = (uint32_t)(PULSES_PER_LIMIT * 100 / j->point.limit_pct)};
    enum err err = measure_as(r, &j->load, &w, &m);
    if (err)
        return err;
    take(out, &m);
    out->error_pct = m.counted_pct;
    out->noise_pct = 0;
    out->pass = m.joined && fabs(m.counted_pct) <= j->point.limit_pct;
    return ERR_OK;
}

/* MID annex V: root of the squares of the error at reference conditions and of what each of
 * voltage, frequency and temperature changes, the worst of its range. */
static enum err test_composite(struct runner *r, const struct typetest_job *j,
                               struct typetest_result *out)
{
    struct typetest_load at[7];
    struct typetest_reading m[7];
    double change[3] = {0};
    for (size_t i = 0; i < 7; i++)
        memcpy(&at[i], &j->load, sizeof at[i]); /* with padding: loads are compared by octets */
    at[1].u_rel = 0.9;
    at[2].u_rel = 1.1;
    at[3].f_hz *= 0.98;
    at[4].f_hz *= 1.02;
    at[5].celsius = j->from_c;
    at[6].celsius = j->to_c;
    for (size_t i = 0; i < 7; i++) {
        enum err err = measure(r, &at[i], j->point.quantity, j->noise_goal_pct, &m[i]);
        if (err)
            return err;
    }
    struct typetest_reading c = m[0];
    for (size_t i = 1; i < 7; i++) {
        size_t kind = (i - 1) / 2;
        change[kind] = fmax(change[kind], fabs(m[i].error_pct - m[0].error_pct));
        c.joined = c.joined && m[i].joined;
        if (fabs(m[i].register_pct) > fabs(c.register_pct))
            c.register_pct = m[i].register_pct;
        c.unit_pct = fmax(c.unit_pct, m[i].unit_pct);
    }
    c.error_pct = hypot(hypot(m[0].error_pct, change[0]), hypot(change[1], change[2]));
    take(out, &c);
    if (out->note[0] == '\0')
        snprintf(out->note, sizeof out->note, "%.4g..%.4g C; error %.3f, U %.3f, f %.3f, T %.3f",
                 j->from_c, j->to_c, m[0].error_pct, change[0], change[1], change[2]);
    return ERR_OK;
}

static enum err test(struct runner *r, const struct typetest_job *j, struct typetest_result *out)
{
    out->point = j->point;
    switch (j->point.test) {
    case TYPETEST_LOAD:
    case TYPETEST_ONE_PHASE:
        return test_error(r, j, out);
    case TYPETEST_STARTING:
        return test_starting(r, j, out);
    case TYPETEST_NO_LOAD:
        return test_no_load(r, j, out);
    case TYPETEST_CONSTANT:
        return test_constant(r, j, out);
    case TYPETEST_COMPOSITE:
        return test_composite(r, j, out);
    default:
        return test_variation(r, j, out);
    }
}

/* --- the report ----------------------------------------------------------------------------- */

static void judge(struct typetest_report *r, const struct typetest_result *q)
{
    const struct typetest_point *p = &q->point;
    double size = fabs(q->error_pct);
    double margin = isnan(size) ? -100 : 100 * (p->limit_pct - size) / p->limit_pct;
    r->n_failed += !q->pass;
    r->n_missed += p->target_pct > 0 && !(size <= p->target_pct);
    r->worst_margin_pct = fmin(r->worst_margin_pct, margin);
    if (p->test != TYPETEST_LOAD || !(p->target_pct > 0))
        return;
    double *worst[2][2] = {{&r->worst_pf1_pct, &r->worst_pf05_pct},
                           {&r->worst_q1_pct, &r->worst_q05_pct}};
    if (p->pf == 1 || p->pf == 0.5) {
        double *w = worst[p->quantity == 'Q'][p->pf < 1];
        *w = fmax(*w, size);
    }
}

static enum err run_plan(struct runner *r, const struct typetest_plan *plan)
{
    struct typetest_report *out = r->report;
    out->result = calloc(plan->n ? plan->n : 1, sizeof *out->result);
    if (!out->result)
        return ERR_MEMORY;
    out->worst_margin_pct = NAN; /* fmin and fmax give the other one then */
    out->worst_pf1_pct = out->worst_pf05_pct = NAN;
    out->worst_q1_pct = out->worst_q05_pct = NAN;
    for (size_t i = 0; i < plan->n; i++) {
        const struct typetest_job *j = &plan->job[i];
        if (r->o->progress)
            r->o->progress(r->o->context, i, plan->n, typetest_test_name(j->point.test));
        enum err err = test(r, j, &out->result[i]);
        if (err)
            return err;
        judge(out, &out->result[i]);
        out->n++;
    }
    return ERR_OK;
}

static void head(struct typetest_report *out, const struct typetest_options *o,
                 const struct typetest_plan *plan)
{
    out->model = o->model;
    out->ideal = o->ideal;
    out->seed = o->seed;
    out->rate_hz = o->rate_hz;
    out->every = o->every;
    snprintf(out->order, sizeof out->order, "%s", o->order ? o->order : "");
    snprintf(out->only, sizeof out->only, "%s", o->only ? o->only : "");
    memcpy(out->active, plan->active, sizeof out->active);
    memcpy(out->reactive, plan->reactive, sizeof out->reactive);
    memcpy(out->beyond, plan->beyond, sizeof out->beyond);
}

static enum err run_rows(const struct typetest_options *o, const struct typetest_rows *rows,
                         struct typetest_report *out, const struct fault *f)
{
    struct typetest_plan plan;
    struct runner r = {.o = o, .report = out};
    enum err err = typetest_plan_make(o, rows, &plan, f);
    if (!err)
        err = typetest_bench_new(o, &r.bench, f);
    if (!err) {
        head(out, o, &plan);
        snprintf(out->version, sizeof out->version, "%s", typetest_bench_version(r.bench));
        err = run_plan(&r, &plan);
        if (err)
            fault_set(f, err, "point %zu: %s", out->n + 1, err_text(err));
    }
    free(r.known);
    typetest_bench_free(r.bench);
    typetest_plan_free(&plan);
    return err;
}

static double now_s(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

enum err typetest_run(const struct typetest_options *options, struct typetest_report *out,
                      const struct fault *f)
{
    struct typetest_rows rows;
    struct typetest_options o = *options;
    double start_s = now_s();
    *out = (struct typetest_report){0};
    if (!(o.rate_hz > 0))
        o.rate_hz = 8000;
    enum err err = typetest_rows_load(o.tables, &rows, f);
    if (!err)
        err = run_rows(&o, &rows, out, f);
    typetest_rows_free(&rows);
    out->wall_s = now_s() - start_s;
    if (err)
        typetest_free(out);
    return err;
}

void typetest_free(struct typetest_report *r)
{
    free(r->result);
    *r = (struct typetest_report){0};
}
