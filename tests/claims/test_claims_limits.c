/* Rows of the ledger about the ranges a class is kept in: currents, voltages, frequency,
 * temperature; each variant that a row lists, at both ends. */
#include "tests/claims/bench.h"

#include "sim/front_end.h"

#define VOLTS "load,voltage"

/* ---- currents and voltages ---- */

/* The class from its lowest current to Imax. */
static void currents_hold(const char *model, const char *words, double in, double imax)
{
    bench_measure(model, words, "load", 1);
    assert_true(fabs(bench_meter.in_ma * 1e-3 - in) < 1e-9);
    assert_true(fabs(bench_meter.imax_ma * 1e-3 - imax) < 1e-9);
    bench_curve_is_whole('P');
    bench_curve_is_whole('Q');
    bench_forget();
}

/* The same beside the ends of the voltage. */
static void voltages_hold(const char *model, const char *words, double un, double lo, double hi)
{
    bench_measure(model, words, VOLTS, 1);
    assert_true(fabs(bench_meter.un_mv * 1e-3 - un) < 0.01);
    bench_curve_is_whole('P');
    bench_curve_is_whole('Q');
    bench_holds_at(bench_meter.active_table, TYPETEST_VOLTAGE, lo);
    bench_holds_at(bench_meter.active_table, TYPETEST_VOLTAGE, hi);
    bench_forget();
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
    currents_hold("SM402D", "classc", 5, 100);
    currents_hold("ST402D", "", 5, 100);
    currents_hold("ST402D", "classc", 5, 100);
    currents_hold("ST402C", "", 5, 6);
}

static void claim_ESOX_LIMITS(void **state)
{
    (void)state;
    static const char *const words[] = {"", "1a", "58v", "1a,58v"};
    for (size_t i = 0; i < 4; i++) {
        currents_hold("SMARTESOX-P", words[i], i % 2 == 0 ? 5 : 1, 6);
        assert_true(fabs(bench_meter.un_mv * 1e-3 - (i < 2 ? 230 : 100 / sqrt(3))) < 0.01);
    }
}

/* 50 Hz +-5 %: the standards go to 2 % only, so the class is asked for here. */
static void claim_SM307_LIMITS(void **state)
{
    (void)state;
    bench_measure("SM307", "", "load,voltage,frequency", 1);
    assert_int_equal(bench_meter.un_mv, 110000);
    assert_int_equal(bench_meter.in_ma, 1000);
    assert_int_equal(bench_meter.imax_ma, 10000);
    assert_int_equal(bench_meter.f_mhz, 50000);
    bench_curve_is_whole('P');
    bench_curve_is_whole('Q');
    bench_holds_at("62053-22", TYPETEST_VOLTAGE, 0.8);
    bench_holds_at("62053-22", TYPETEST_VOLTAGE, 1.2);
    bench_holds_at("62053-22", TYPETEST_FREQUENCY, 47.5);
    bench_holds_at("62053-22", TYPETEST_FREQUENCY, 52.5);
    bench_forget();
}

/* Without a word on the frequency: 50 Hz as the model has it. */
static void claim_AD1X_LIMITS(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    for (size_t i = 0; i < 2; i++) {
        voltages_hold(models[i], "", 240, 0.7, 1.2);
        assert_int_equal(bench_meter.in_ma, 5000);
        assert_int_equal(bench_meter.imax_ma, 100000);
        assert_int_equal(bench_meter.f_mhz, 50000);
    }
}

static void claim_MT371_VOLTAGE(void **state)
{
    (void)state;
    voltages_hold("MT371", "", 230, 0.8, 1.15);
    assert_int_equal(bench_meter.f_mhz, 50000);
    voltages_hold("MT371", "60hz", 230, 0.8, 1.15);
    assert_int_equal(bench_meter.f_mhz, 60000);
}

/* Both ends of the nominal voltages, each with its own working range. */
static void claim_SX402_VOLTAGE(void **state)
{
    (void)state;
    static const char *const models[] = {"SM402D", "ST402D", "ST402C"};
    for (size_t i = 0; i < 3; i++) {
        voltages_hold(models[i], "", 230, 0.8, 1.15);
        voltages_hold(models[i], "110v", 110, 0.8, 1.15);
        assert_int_equal(bench_meter.f_mhz, 50000);
        voltages_hold(models[i], "60hz", 230, 0.8, 1.15);
        voltages_hold(models[i], "110v,60hz", 110, 0.8, 1.15);
        assert_int_equal(bench_meter.f_mhz, 60000);
    }
}

/* ---- temperature ---- */

/* What is on the bench really drifts: divider, current sensor, reference. */
static void drifts(void)
{
    struct front_end_spec s;
    front_end_spec_of(&bench_meter, 1, false, &s);
    assert_true(s.u_drift_ppm_k >= 5 && s.i_drift_ppm_k >= 5 && s.reference_ppm_k >= 5);
    assert_true(!bench_meter.is_ct || s.phase_drift_nrad_k > 0);
}

/* The coefficients of the class in each step of the whole printed range; the steps leave no gap. */
static void coefficients_hold(const char *words, double pf1, double pf05)
{
    double last = -100;
    unsigned at_05 = 0, at_1 = 0;
    bench_measure("MT371", words, "temperature", 1);
    assert_int_equal(bench_meter.t_min_c, -40);
    assert_int_equal(bench_meter.t_max_c, 70);
    drifts();
    for (size_t i = 0; i < bench_report.n; i++) {
        const struct typetest_point *p = &bench_report.result[i].point;
        if (!bench_is(p, "62053-21", TYPETEST_TEMPERATURE))
            continue;
        bool one = fabs(p->pf - 1) < BENCH_NEAR;
        assert_true(fabs(p->limit_pct - (one ? pf1 : pf05)) < 1e-9);
        assert_true(p->celsius - last <= 20.01 || last > 69.9 || last < -40);
        last = p->celsius;
        at_1 += one;
        at_05 += !one;
    }
    assert_true(fabs(last - 70) < BENCH_NEAR);
    assert_true(at_1 >= 6 * 3 && at_05 >= 6 * 3); /* steps, currents */
    bench_forget();
}

static void claim_MT371_TEMP_METER(void **state)
{
    (void)state;
    coefficients_hold("", 0.05, 0.07);
    coefficients_hold("class2", 0.10, 0.15);
    coefficients_hold("ct", 0.05, 0.07);
    coefficients_hold("ct,class2", 0.10, 0.15);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_LIMITS),  cmocka_unit_test(claim_SX402_LIMITS),
        cmocka_unit_test(claim_ESOX_LIMITS),   cmocka_unit_test(claim_SM307_LIMITS),
        cmocka_unit_test(claim_AD1X_LIMITS),   cmocka_unit_test(claim_MT371_VOLTAGE),
        cmocka_unit_test(claim_SX402_VOLTAGE), cmocka_unit_test(claim_MT371_TEMP_METER),
    };
    return bench_main(argc, argv, "claims_limits", tests, sizeof tests / sizeof tests[0]);
}
