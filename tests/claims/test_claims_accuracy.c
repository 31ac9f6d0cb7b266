/* Rows of the ledger about accuracy: classes, currents, voltages, temperature; on the bench.
 *
 * Each variant that a row lists is ordered, calibrated as a factory would, and measured at the
 * points of its own tables at LED and registers. What a row promises beyond "passes its class" is
 * looked for among the points: that the printed ends of a range were really visited. */
#include "sim/typetest.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CURVES "load,one_phase,difference"
#define VOLTS  "load,voltage"
#define NEAR   0.001

static struct model_meter meter; /* as ordered */
static struct typetest_report report;

/* ---- a run ---- */

static void order(const char *model, const char *words)
{
    const struct model_meter *m = model_meter_find(model);
    assert_non_null(m);
    assert_int_equal(model_order(m, words, &meter, NULL), ERR_OK);
}

/* A point passes only if the registers agree with the LED to a pulse; where enough of their units
 * passed to tell, the same limit holds there. */
static void check_point(const struct typetest_result *r)
{
    const struct typetest_point *p = &r->point;
    bool is_error = p->test == TYPETEST_LOAD || p->test == TYPETEST_ONE_PHASE;
    bool wrong = is_error && fabs(r->register_pct) > p->limit_pct;
    if (!r->pass || wrong)
        fail_msg("%s %s: %s %s %c L%s %.4g A pf %g%s u %g f %g %g C: LED %g, register %g of %g",
                 meter.name, meter.order, p->table, typetest_test_name(p->test), p->quantity,
                 p->phases, p->i_a, p->pf, p->pf_kind, p->u_rel, p->f_hz, p->celsius, r->error_pct,
                 r->register_pct, p->limit_pct);
}

/* Measures; every point of a standard's table must be within its limit. */
static void measure(const char *model, const char *words, const char *only)
{
    char text[200] = "";
    struct fault f = {text, sizeof text};
    order(model, words);
    struct typetest_options o = {
        .model = &meter, .order = words, .seed = 20260110, .rate_hz = 8000, .only = only};
    if (typetest_run(&o, &report, &f) != ERR_OK)
        fail_msg("%s %s: %s", model, words, text);
    assert_true(report.n > 0);
    for (size_t i = 0; i < report.n; i++) {
        if (strcmp(report.result[i].point.table, "target") != 0)
            check_point(&report.result[i]);
    }
}

static void forget(void)
{
    typetest_free(&report);
}

/* ---- what was visited ---- */

static bool is_table(const struct typetest_point *p, const char *table, enum typetest_test test)
{
    return p->test == test && strcmp(p->table, table) == 0;
}

/* A point of this table and test at this current, in each direction. */
static void visited_current(const char *table, char quantity, double i_a)
{
    for (unsigned exported = 0; exported < 2; exported++) {
        bool found = false;
        for (size_t i = 0; i < report.n; i++) {
            const struct typetest_point *p = &report.result[i].point;
            found |= is_table(p, table, TYPETEST_LOAD) && p->quantity == quantity &&
                     p->exported == (exported != 0) && fabs(p->i_a / i_a - 1) < NEAR;
        }
        if (!found)
            fail_msg("%s %s: no point of %s %c at %g A, %s", meter.name, meter.order, table,
                     quantity, i_a, exported ? "export" : "import");
    }
}

static void visited_phases(const char *table)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < report.n; i++) {
        const struct typetest_point *p = &report.result[i].point;
        if (is_table(p, table, TYPETEST_ONE_PHASE) && strlen(p->phases) == 1)
            seen |= (uint8_t)(1u << (p->phases[0] - '1'));
    }
    assert_int_equal(seen, meter.n_phases == 1 ? 0 : 7);
}

static const struct typetest_result *curve_point(const struct typetest_point *at)
{
    for (size_t i = 0; i < report.n; i++) {
        const struct typetest_point *p = &report.result[i].point;
        if (is_table(p, at->table, TYPETEST_LOAD) && p->quantity == at->quantity &&
            p->exported == at->exported && fabs(p->pf - at->pf) < NEAR &&
            strcmp(p->pf_kind, at->pf_kind) == 0 && fabs(p->i_a / at->i_a - 1) < NEAR)
            return &report.result[i];
    }
    return NULL;
}

/* At this voltage points of P were taken whose whole error, that of the curve and the variation, is
 * within the class. */
static void holds_at_voltage(const char *table, double u_rel)
{
    size_t n = 0;
    for (size_t i = 0; i < report.n; i++) {
        const struct typetest_result *v = &report.result[i], *c;
        if (!is_table(&v->point, table, TYPETEST_VOLTAGE) || fabs(v->point.u_rel - u_rel) > NEAR)
            continue;
        c = curve_point(&v->point);
        if (c == NULL)
            continue;
        n++;
        if (!(fabs(v->error_pct) + fabs(c->error_pct) <= c->point.limit_pct))
            fail_msg("%s %s: %g %% and %g %% at %g Un", meter.name, meter.order, c->error_pct,
                     v->error_pct, u_rel);
    }
    if (n == 0)
        fail_msg("%s %s: no point of %s at %g Un", meter.name, meter.order, table, u_rel);
}

/* ---- classes ---- */

static void class_holds(const char *model, const char *words, double i_lo, const char *only)
{
    measure(model, words, only);
    visited_current(meter.active_table, 'P', i_lo);
    visited_current(meter.active_table, 'P', meter.imax_ma * 1e-3);
    visited_phases(meter.active_table);
    forget();
}

static void claim_MT371_CLASS(void **state)
{
    (void)state;
    class_holds("MT371", "", 0.05 * 5, NULL);
    class_holds("MT371", "class2", 0.05 * 5, CURVES);
    class_holds("MT371", "classb", 0.05 * 5, CURVES);
    class_holds("MT371", "classa", 0.05 * 5, CURVES);
}

static void claim_SX402_CLASS(void **state)
{
    (void)state;
    static const char *const direct[] = {"SM402D", "ST402D"};
    for (size_t i = 0; i < 2; i++) {
        class_holds(direct[i], "", 0.05 * 5, NULL);
        class_holds(direct[i], "class2", 0.05 * 5, CURVES);
        class_holds(direct[i], "classa", 0.05 * 5, CURVES);
        class_holds(direct[i], "classb", 0.05 * 5, CURVES);
        class_holds(direct[i], "classc", 0.03 * 5, NULL);
    }
    class_holds("ST402C", "", 0.01 * 5, NULL);
    class_holds("ST402C", "class1", 0.02 * 5, CURVES);
    class_holds("ST402C", "class2", 0.02 * 5, CURVES);
    class_holds("ST402C", "classa", 0.02 * 5, CURVES);
    class_holds("ST402C", "classb", 0.01 * 5, CURVES);
    class_holds("ST402C", "classc", 0.01 * 5, CURVES);
}

static void claim_ESOX_CLASS(void **state)
{
    (void)state;
    static const char *const words[] = {"", "var3", "classb", "classb,var3"};
    for (size_t i = 0; i < 4; i++) {
        measure("SMARTESOX-P", words[i], i == 0 ? NULL : CURVES);
        visited_current("50470-3", 'P', 0.01 * 5);
        visited_current("50470-3", 'P', 6);
        visited_current("62053-23", 'Q', 0.02 * 5);
        visited_current("62053-23", 'Q', 6);
        visited_phases("50470-3");
        assert_string_equal(meter.active_class, i < 2 ? "C" : "B");
        assert_string_equal(meter.reactive_class, i % 2 == 0 ? "2" : "3");
        forget();
    }
}

static void claim_AD1X_CLASS(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    for (size_t i = 0; i < 2; i++) {
        measure(models[i], "", NULL);
        visited_current("50470-3", 'P', 0.05 * 5);
        visited_current("50470-3", 'P', 100);
        visited_current("62053-21", 'P', 0.05 * 5); /* class 1 */
        visited_current("62053-23", 'Q', 0.05 * 5);
        visited_current("62053-23", 'Q', 100);
        forget();
    }
}

/* ---- currents and voltages ---- */

/* The class at the ends of the currents of each variant. */
static void currents_hold(const char *model, const char *words, double in, double imax)
{
    measure(model, words, "load");
    assert_true(fabs(meter.in_ma * 1e-3 - in) < 1e-9 && fabs(meter.imax_ma * 1e-3 - imax) < 1e-9);
    visited_current(meter.active_table, 'P', in);
    visited_current(meter.active_table, 'P', imax);
    forget();
}

static void claim_MT371_LIMITS(void **state)
{
    (void)state;
    currents_hold("MT371", "", 5, 85);
    currents_hold("MT371", "5(120)", 5, 120);
    currents_hold("MT371", "10(85)", 10, 85);
    currents_hold("MT371", "10(120)", 10, 120);
    currents_hold("MT371", "ct", 5, 6);
}

static void claim_SX402_LIMITS(void **state)
{
    (void)state;
    currents_hold("SM402D", "", 5, 100);
    currents_hold("ST402D", "", 5, 100);
    currents_hold("ST402C", "", 5, 6);
}

static void voltages_hold(const char *model, const char *words, double un, double lo, double hi)
{
    measure(model, words, VOLTS);
    assert_true(fabs(meter.un_mv * 1e-3 - un) < 0.01);
    holds_at_voltage(meter.active_table, lo);
    holds_at_voltage(meter.active_table, hi);
    forget();
}

static void claim_MT371_VOLTAGE(void **state)
{
    (void)state;
    voltages_hold("MT371", "", 230, 0.8, 1.15);
    voltages_hold("MT371", "60hz", 230, 0.8, 1.15);
}

static void claim_SX402_VOLTAGE(void **state)
{
    (void)state;
    static const char *const models[] = {"SM402D", "ST402D", "ST402C"};
    for (size_t i = 0; i < 3; i++) {
        voltages_hold(models[i], "", 230, 0.8, 1.15);
        voltages_hold(models[i], "60hz", 230, 0.8, 1.15);
        voltages_hold(models[i], "110v", 110, 0.8, 1.15);
        voltages_hold(models[i], "110v,60hz", 110, 0.8, 1.15);
    }
}

static void claim_ESOX_LIMITS(void **state)
{
    (void)state;
    static const char *const words[] = {"", "1a", "58v", "1a,58v"};
    for (size_t i = 0; i < 4; i++) {
        currents_hold("SMARTESOX-P", words[i], i % 2 == 0 ? 5 : 1, 6);
        assert_true(fabs(meter.un_mv * 1e-3 - (i < 2 ? 230 : 100 / sqrt(3))) < 0.01);
    }
}

/* Without a word on the frequency: 50 Hz as the model has it. */
static void claim_AD1X_LIMITS(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    for (size_t i = 0; i < 2; i++) {
        currents_hold(models[i], "", 5, 100);
        voltages_hold(models[i], "", 240, 0.7, 1.2);
        assert_int_equal(meter.f_mhz, 50000);
    }
}

/* ---- temperature ---- */

/* The coefficients of the class over the whole printed range, which the steps leave no gap in. */
static void claim_MT371_TEMP_METER(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        double pf1, pf05;
    } classes[] = {{"", 0.05, 0.07}, {"class2", 0.10, 0.15}};
    for (size_t k = 0; k < 2; k++) {
        double highest = -100;
        unsigned at_05 = 0, at_1 = 0;
        measure("MT371", classes[k].words, "temperature");
        assert_int_equal(meter.t_min_c, -40);
        assert_int_equal(meter.t_max_c, 70);
        for (size_t i = 0; i < report.n; i++) {
            const struct typetest_point *p = &report.result[i].point;
            if (!is_table(p, "62053-21", TYPETEST_TEMPERATURE))
                continue;
            bool one = fabs(p->pf - 1) < NEAR;
            assert_true(fabs(p->limit_pct - (one ? classes[k].pf1 : classes[k].pf05)) < 1e-9);
            highest = fmax(highest, p->celsius);
            at_1 += one;
            at_05 += !one;
        }
        assert_true(fabs(highest - 70) < NEAR); /* steps of at most 20 K from t_min_c upwards */
        assert_true(at_1 >= 6 && at_05 >= 6);
        forget();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_CLASS),      cmocka_unit_test(claim_SX402_CLASS),
        cmocka_unit_test(claim_ESOX_CLASS),       cmocka_unit_test(claim_AD1X_CLASS),
        cmocka_unit_test(claim_MT371_LIMITS),     cmocka_unit_test(claim_SX402_LIMITS),
        cmocka_unit_test(claim_ESOX_LIMITS),      cmocka_unit_test(claim_AD1X_LIMITS),
        cmocka_unit_test(claim_MT371_VOLTAGE),    cmocka_unit_test(claim_SX402_VOLTAGE),
        cmocka_unit_test(claim_MT371_TEMP_METER),
    };
    return cmocka_run_group_tests_name("claims_accuracy", tests, NULL, NULL);
}
