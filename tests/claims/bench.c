/* See bench.h. */
#include "tests/claims/bench.h"

#include "sim/typetest_bench.h"

#include <stdio.h>

#define TABLES   SOURCE_DIR "/tests/claims/tables"
#define SEED     20260110
#define CURVE_HZ 8000 /* samples per second */
#define LONG_HZ  4000 /* the least that accuracy is promised for: long runs in half the time */

struct model_meter bench_meter;
struct typetest_report bench_report;

/* The limits of the classes at PF 1 (sin phi 1), in percent: from the lowest current on, direct and
 * behind transformers (of In), and at In and Imax. */
static const struct limits {
    const char *table, *class_name;
    double direct, ct, lowest, limit;
} limits[] = {{"62053-21", "1", 0.05, 0.02, 1.5, 1.0},    {"62053-21", "2", 0.05, 0.02, 2.5, 2.0},
              {"62053-22", "0.5S", 0.01, 0.01, 1.0, 0.5}, {"50470-3", "A", 0.05, 0.02, 2.5, 2.0},
              {"50470-3", "B", 0.05, 0.01, 1.5, 1.0},     {"50470-3", "C", 0.03, 0.01, 1.0, 0.5},
              {"62053-23", "2", 0.05, 0.02, 2.5, 2.0},    {"62053-23", "3", 0.05, 0.02, 4.0, 3.0},
              {"62053-24", "1", 0.05, 0.02, 1.5, 1.0}};

static const struct limits *limits_in(const char *table, const char *class_name)
{
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (strcmp(limits[i].table, table) == 0 && strcmp(limits[i].class_name, class_name) == 0)
            return &limits[i];
    }
    fail_msg("class %s of %s has no limits here", class_name, table);
    return NULL;
}

static const struct limits *limits_of(char quantity)
{
    const struct model_meter *m = &bench_meter;
    return quantity == 'P' ? limits_in(m->active_table, m->active_class)
                           : limits_in(m->reactive_table, m->reactive_class);
}

/* ---- a run ---- */

static struct typetest_options ordered(const char *model, const char *words)
{
    const struct model_meter *m = model_meter_find(model);
    assert_non_null(m);
    assert_int_equal(model_order(m, words, &bench_meter, NULL), ERR_OK);
    return (struct typetest_options){
        .model = &bench_meter, .order = words, .seed = SEED, .rate_hz = CURVE_HZ, .tables = TABLES};
}

static void check_point(const struct typetest_result *r)
{
    const struct typetest_point *p = &r->point;
    if (!r->pass)
        fail_msg("%s %s: %s %s %c L%s %.4g A pf %g%s u %g f %g %g C: LED %g, register %g of %g, %s",
                 bench_meter.name, bench_meter.order, p->table, typetest_test_name(p->test),
                 p->quantity, p->phases, p->i_a, p->pf, p->pf_kind, p->u_rel, p->f_hz, p->celsius,
                 r->error_pct, r->register_pct, p->limit_pct, r->note);
}

static void measure(const char *model, const char *words, const char *only, unsigned every,
                    const char *tables)
{
    char text[200] = "";
    struct fault f = {text, sizeof text};
    struct typetest_options o = ordered(model, words);
    o.tables = tables;
    o.only = only;
    o.every = every;
    if (typetest_run(&o, &bench_report, &f) != ERR_OK)
        fail_msg("%s %s: %s", model, words, text);
    assert_true(bench_report.n > 0);
    for (size_t i = 0; i < bench_report.n; i++)
        check_point(&bench_report.result[i]);
}

void bench_measure(const char *model, const char *words, const char *only, unsigned every)
{
    measure(model, words, only, every, TABLES);
}

void bench_measure_active(const char *model, const char *words, const char *only, unsigned every)
{
    measure(model, words, only, every, TABLES "/active");
}

void bench_forget(void)
{
    typetest_free(&bench_report);
}

/* ---- what was visited ---- */

bool bench_is(const struct typetest_point *p, const char *table, enum typetest_test test)
{
    return p->test == test && strcmp(p->table, table) == 0;
}

static bool is_current(const struct typetest_point *p, double i_a)
{
    return fabs(p->i_a / i_a - 1) < BENCH_NEAR;
}

/* PF 1 at this current, in each direction, with a limit that is not slack. */
static void visited(const struct limits *l, char quantity, double i_a, double limit)
{
    for (unsigned exported = 0; exported < 2; exported++) {
        bool found = false;
        for (size_t i = 0; i < bench_report.n; i++) {
            const struct typetest_point *p = &bench_report.result[i].point;
            if (!bench_is(p, l->table, TYPETEST_LOAD) || p->quantity != quantity || p->pf < 1 ||
                p->exported != (exported != 0) || !is_current(p, i_a))
                continue;
            found = true;
            if (p->limit_pct > limit * 1.0001)
                fail_msg("%s class %s: %g %% at %g A is slack", l->table, l->class_name,
                         p->limit_pct, i_a);
        }
        if (!found)
            fail_msg("%s %s: no point of %s %c at %g A, %s", bench_meter.name, bench_meter.order,
                     l->table, quantity, i_a, exported ? "export" : "import");
    }
}

static double lowest_current(const struct limits *l)
{
    return (bench_meter.is_ct ? l->ct : l->direct) * bench_meter.in_ma * 1e-3;
}

static void curve_is_whole(const struct limits *l, char quantity)
{
    visited(l, quantity, lowest_current(l), l->lowest);
    visited(l, quantity, bench_meter.in_ma * 1e-3, l->limit);
    visited(l, quantity, bench_meter.imax_ma * 1e-3, l->limit);
}

void bench_curve_is_whole(char quantity)
{
    curve_is_whole(limits_of(quantity), quantity);
}

void bench_active_curve_is_whole_in(const char *table, const char *class_name)
{
    curve_is_whole(limits_in(table, class_name), 'P');
}

void bench_phases_are_whole(char quantity)
{
    const struct limits *l = limits_of(quantity);
    unsigned seen[2] = {0, 0};
    for (size_t i = 0; i < bench_report.n; i++) {
        const struct typetest_point *p = &bench_report.result[i].point;
        if (bench_is(p, l->table, TYPETEST_ONE_PHASE) && p->quantity == quantity &&
            strlen(p->phases) == 1)
            seen[p->exported] |= 1u << (p->phases[0] - '1');
    }
    assert_int_equal(seen[0], bench_meter.n_phases == 1 ? 0 : 7);
    assert_int_equal(seen[1], seen[0]);
}

/* ---- influences ---- */

static const struct typetest_result *curve_point(const char *table, const struct typetest_point *at)
{
    for (size_t i = 0; i < bench_report.n; i++) {
        const struct typetest_point *p = &bench_report.result[i].point;
        if (bench_is(p, table, TYPETEST_LOAD) && p->quantity == at->quantity &&
            p->exported == at->exported && fabs(p->pf - at->pf) < BENCH_NEAR &&
            strcmp(p->pf_kind, at->pf_kind) == 0 && is_current(p, at->i_a))
            return &bench_report.result[i];
    }
    return NULL;
}

/* The whole error; false: no such point. */
static bool holds_point(const char *table, const struct typetest_result *v)
{
    const struct typetest_result *c = curve_point(table, &v->point);
    if (c == NULL)
        return false;
    if (!(fabs(v->error_pct) + fabs(c->error_pct) <= c->point.limit_pct))
        fail_msg("%s %s: %g %% and %g %% at %g Un, %g Hz", bench_meter.name, bench_meter.order,
                 c->error_pct, v->error_pct, v->point.u_rel, v->point.f_hz);
    return true;
}

void bench_holds_at(const char *table, enum typetest_test test, double where)
{
    unsigned at_in = 0, at_imax = 0, at_half = 0;
    for (size_t i = 0; i < bench_report.n; i++) {
        const struct typetest_result *v = &bench_report.result[i];
        const struct typetest_point *p = &v->point;
        double is = test == TYPETEST_VOLTAGE ? p->u_rel : p->f_hz;
        if (p->test != test || fabs(is / where - 1) > BENCH_NEAR || !holds_point(table, v))
            continue;
        at_in += p->pf > 0.99 && is_current(p, bench_meter.in_ma * 1e-3);
        at_imax += p->pf > 0.99 && is_current(p, bench_meter.imax_ma * 1e-3);
        at_half += p->pf < 0.51;
    }
    if (at_in == 0 || at_imax == 0 || at_half == 0)
        fail_msg("%s %s: not enough points of %s at %g", bench_meter.name, bench_meter.order, table,
                 where);
}

/* ---- registers ---- */

struct long_run {
    struct typetest_bench *bench;
    const struct typetest_plan *plan;
    const struct limits *limits;
    char quantity;
    unsigned n; /* measured */
};

/* Of this power factor and direction the lowest current, In and Imax. */
static bool is_end(const struct long_run *r, const struct typetest_point *at)
{
    double lowest = INFINITY;
    for (size_t i = 0; i < r->plan->n; i++) {
        const struct typetest_point *p = &r->plan->job[i].point;
        if (strcmp(p->table, at->table) == 0 && p->quantity == at->quantity && p->pf == at->pf &&
            strcmp(p->pf_kind, at->pf_kind) == 0)
            lowest = fmin(lowest, p->i_a);
    }
    return is_current(at, lowest) || is_current(at, bench_meter.in_ma * 1e-3) ||
           is_current(at, bench_meter.imax_ma * 1e-3);
}

static bool is_wanted(const struct long_run *r, const struct typetest_point *p)
{
    bool half = p->pf == 0.5 && strcmp(p->pf_kind, "ind") == 0;
    return bench_is(p, r->limits->table, TYPETEST_LOAD) && p->quantity == r->quantity &&
           (p->pf == 1 || half) && is_end(r, p);
}

static void register_holds(struct long_run *r, const struct typetest_job *j)
{
    const struct typetest_point *p = &j->point;
    struct typetest_reading m;
    double wh = pow(10, bench_meter.energy_scaler) * 5 * 100 / p->limit_pct;
    struct typetest_want w = {.quantity = p->quantity,
                              .pulses = 2 + (uint32_t)(wh * bench_meter.pulse_per_kwh / 1000)};
    assert_int_equal(typetest_measure(r->bench, &j->load, &w, &m), ERR_OK);
    r->n++;
    if (!(m.joined && m.unit_pct <= p->limit_pct / 5 && fabs(m.register_pct) <= p->limit_pct))
        fail_msg("%s %s: %s %c %.4g A pf %g%s %s: register %g of %g, a unit %g", bench_meter.name,
                 bench_meter.order, p->table, p->quantity, p->i_a, p->pf, p->pf_kind,
                 p->exported ? "export" : "import", m.register_pct, p->limit_pct, m.unit_pct);
}

static void registers_of(struct long_run *r)
{
    r->limits = limits_of(r->quantity);
    r->n = 0;
    for (size_t i = 0; i < r->plan->n; i++) {
        if (is_wanted(r, &r->plan->job[i].point))
            register_holds(r, &r->plan->job[i]);
    }
    assert_true(r->n >= 2 * 2 * 3);
}

void bench_registers_hold(const char *model, const char *words, const char *quantities)
{
    char text[200] = "";
    struct fault f = {text, sizeof text};
    struct typetest_options o = ordered(model, words);
    struct typetest_rows rows;
    struct typetest_plan plan;
    struct long_run r = {.plan = &plan};
    o.only = "load";
    o.rate_hz = LONG_HZ;
    if (typetest_rows_load(o.tables, &rows, &f) != ERR_OK ||
        typetest_plan_make(&o, &rows, &plan, &f) != ERR_OK ||
        typetest_bench_new(&o, &r.bench, &f) != ERR_OK)
        fail_msg("%s %s: %s", model, words, text);
    for (; *quantities != '\0'; quantities++) {
        r.quantity = *quantities;
        registers_of(&r);
    }
    typetest_bench_free(r.bench);
    typetest_plan_free(&plan);
    typetest_rows_free(&rows);
}

int bench_main(int argc, char **argv, const char *name, const struct CMUnitTest *tests, size_t n)
{
    char pattern[40];
    if (argc > 1) {
        snprintf(pattern, sizeof pattern, "claim_%s_*", argv[1]);
        cmocka_set_test_filter(pattern);
    }
    return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}
