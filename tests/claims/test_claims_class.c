/* Rows of the ledger about accuracy classes: each class that a row lists, on each model, measured
 * over its load curve at the LED, at the ends of it at the registers, and at a sample of the points
 * with one phase loaded; the strictest class of a model also at a sample of all other tests of its
 * tables (test_typetest_full has all of them for the standard orders). */
#include "tests/claims/bench.h"

#define CURVES "load,starting,no_load,constant"
#define OTHERS                                                                                     \
    "one_phase,difference,voltage,frequency,fifth,phase_fired,burst,half_wave,sequence,"           \
    "lost_phases,fast_load,temperature,composite"
#define PHASES     "one_phase,difference"
#define EACH_FIFTH 5 /* of a test: has no factor with 6, so each phase and direction comes */

static size_t points_of(enum typetest_test test, char quantity)
{
    size_t n = 0;
    for (size_t i = 0; i < bench_report.n; i++)
        n += bench_report.result[i].point.test == test &&
             bench_report.result[i].point.quantity == quantity;
    return n;
}

/* Load curve whole, with starting, no load and constant; of each phase alone a sample, where `all`
 * also of all other tests. Quantities "P": reactive energy is left out. */
static void class_holds(const char *model, const char *words, const char *quantities, bool all)
{
    void (*measure)(const char *, const char *, const char *, unsigned) =
        strcmp(quantities, "P") == 0 ? bench_measure_active : bench_measure;
    measure(model, words, CURVES, 1);
    for (const char *q = quantities; *q != '\0'; q++) {
        bench_curve_is_whole(*q);
        assert_true(points_of(TYPETEST_STARTING, *q) >= 2); /* directions */
        assert_true(points_of(TYPETEST_NO_LOAD, *q) > 0);
        assert_true(points_of(TYPETEST_CONSTANT, *q) > 0);
    }
    bench_forget();
    if (!all && bench_meter.n_phases == 1)
        return;
    measure(model, words, all ? OTHERS : PHASES, EACH_FIFTH);
    for (const char *q = quantities; *q != '\0'; q++)
        bench_phases_are_whole(*q);
    bench_forget();
}

static void ordered_as(const char *table, const char *class_name)
{
    assert_string_equal(bench_meter.active_table, table);
    assert_string_equal(bench_meter.active_class, class_name);
}

/* Both standards, directly and behind transformers. */
static void claim_MT371_CLASS(void **state)
{
    (void)state;
    static const char *const orders[][3] = {
        {"", "62053-21", "1"},      {"class2", "62053-21", "2"}, {"classb", "50470-3", "B"},
        {"classa", "50470-3", "A"}, {"ct", "62053-21", "1"},     {"ct,class2", "62053-21", "2"}};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        class_holds("MT371", orders[i][0], "P", i < 2);
        ordered_as(orders[i][1], orders[i][2]);
    }
    bench_registers_hold("MT371", "", "P");
    bench_registers_hold("MT371", "class2", "P");
}

/* The classes of IEC 62053-22 are for transformers only; direct meters have class C for it. */
static void claim_SX402_CLASS(void **state)
{
    (void)state;
    static const char *const direct[][3] = {{"", "62053-21", "1"},
                                            {"class2", "62053-21", "2"},
                                            {"classa", "50470-3", "A"},
                                            {"classb", "50470-3", "B"},
                                            {"classc", "50470-3", "C"}};
    static const char *const ct[][3] = {{"", "62053-22", "0.5S"},    {"class1", "62053-21", "1"},
                                        {"class2", "62053-21", "2"}, {"classa", "50470-3", "A"},
                                        {"classb", "50470-3", "B"},  {"classc", "50470-3", "C"}};
    static const char *const models[] = {"SM402D", "ST402D"};
    for (size_t k = 0; k < 2; k++) {
        for (size_t i = 0; i < sizeof direct / sizeof direct[0]; i++) {
            class_holds(models[k], direct[i][0], "P", i == 4);
            ordered_as(direct[i][1], direct[i][2]);
        }
        bench_registers_hold(models[k], "classc", "P");
    }
    for (size_t i = 0; i < sizeof ct / sizeof ct[0]; i++) {
        class_holds("ST402C", ct[i][0], "P", i == 0);
        ordered_as(ct[i][1], ct[i][2]);
    }
    bench_registers_hold("ST402C", "", "P");
}

static void claim_SX402_VARCLASS(void **state)
{
    (void)state;
    static const char *const models[] = {"SM402D", "ST402D", "ST402C"};
    for (size_t k = 0; k < 3; k++) {
        for (unsigned var3 = 0; var3 < 2; var3++) {
            class_holds(models[k], var3 != 0 ? "var3" : "", "Q", false);
            assert_string_equal(bench_meter.reactive_table, "62053-23");
            assert_string_equal(bench_meter.reactive_class, var3 != 0 ? "3" : "2");
        }
        bench_registers_hold(models[k], "", "Q");
    }
}

static void claim_ESOX_CLASS(void **state)
{
    (void)state;
    static const char *const orders[][3] = {
        {"", "C", "2"}, {"var3", "C", "3"}, {"classb", "B", "2"}, {"classb,var3", "B", "3"}};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        class_holds("SMARTESOX-P", orders[i][0], "PQ", i == 0);
        ordered_as("50470-3", orders[i][1]);
        assert_string_equal(bench_meter.reactive_table, "62053-23");
        assert_string_equal(bench_meter.reactive_class, orders[i][2]);
    }
    bench_registers_hold("SMARTESOX-P", "", "PQ");
}

/* Reactive energy at sin phi 1 where the fifth harmonic, at 450 degrees, would add 4 %, and with a
 * current that is fired late and has harmonics of its own: a tenth of what its class leaves. */
static void harmonics_leave_reactive(void)
{
    bench_measure("SM307", "", "fifth,phase_fired", 1);
    for (unsigned k = 0; k < 2; k++) {
        enum typetest_test test = k == 0 ? TYPETEST_FIFTH : TYPETEST_PHASE_FIRED;
        assert_true(points_of(test, 'Q') > 0);
        for (size_t i = 0; i < bench_report.n; i++) {
            const struct typetest_result *r = &bench_report.result[i];
            if (r->point.test == test && r->point.quantity == 'Q' && fabs(r->error_pct) > 0.1)
                fail_msg("%s: Q changes by %g %%", typetest_test_name(test), r->error_pct);
        }
    }
    bench_forget();
}

static void claim_SM307_CLASS(void **state)
{
    (void)state;
    class_holds("SM307", "", "PQ", true);
    ordered_as("62053-22", "0.5S");
    assert_string_equal(bench_meter.reactive_table, "62053-24");
    assert_string_equal(bench_meter.reactive_class, "1");
    harmonics_leave_reactive();
    bench_registers_hold("SM307", "", "PQ");
}

/* Class B of EN 50470-3 and class 1 of IEC 62053-21 are printed together: both hold. */
static void claim_AD1X_CLASS(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    for (size_t i = 0; i < 2; i++) {
        class_holds(models[i], "", "PQ", true);
        ordered_as("50470-3", "B");
        assert_string_equal(bench_meter.reactive_table, "62053-23");
        assert_string_equal(bench_meter.reactive_class, "2");
        bench_measure(models[i], "", "load", 1);
        bench_active_curve_is_whole_in("62053-21", "1");
        bench_forget();
        bench_registers_hold(models[i], "", "PQ");
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_CLASS),    cmocka_unit_test(claim_SX402_CLASS),
        cmocka_unit_test(claim_SX402_VARCLASS), cmocka_unit_test(claim_ESOX_CLASS),
        cmocka_unit_test(claim_SM307_CLASS),    cmocka_unit_test(claim_AD1X_CLASS),
    };
    return bench_main(argc, argv, "claims_class", tests, sizeof tests / sizeof tests[0]);
}
