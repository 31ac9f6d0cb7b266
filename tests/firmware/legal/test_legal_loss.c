/* Losses of transformer and line: against the formulas, in the right direction, only when asked. */
#include "tests/firmware/legal/load.h"
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct legal meter;

static struct legal_config lossy(void)
{
    struct legal_config c = load_config();
    c.loss = (struct legal_loss_config){
        .r_cu_uohm = 120000, .x_s_uohm = 450000, .r_fe_ohm = 33000, .x_m_ohm = 7000};
    return c;
}

static void start(const struct legal_config *c)
{
    assert_int_equal(legal_init(&meter, c), ERR_OK);
}

static void near(uint64_t got, double want, double part)
{
    if (fabs((double)got - want) > part * want + 2)
        fail_msg("%llu is not near %.1f", (unsigned long long)got, want);
}

static void losses_follow_the_formulas(void **state)
{
    (void)state;
    struct legal_config c = lossy();
    struct load load = {{230, 228, 233}, {5, 7, 1}, {10, 60, -20}};
    struct legal_energies e;
    double i2 = 25 + 49 + 1, u2 = 230. * 230 + 228. * 228 + 233. * 233;
    start(&c);
    load_feed(&meter, &load, 3600, 60);
    legal_energies_get(&meter, &e);
    near(e.loss[LEGAL_I2T], i2 * 1e6, 1e-6);
    near(e.loss[LEGAL_U2T], u2 * 1e6, 1e-6);
    near(e.loss[LEGAL_OLA_IMPORT], 0.12 * i2 * 1e6, 1e-6);
    near(e.loss[LEGAL_OLR_IMPORT], 0.45 * i2 * 1e6, 1e-6);
    near(e.loss[LEGAL_NLA_IMPORT], u2 / 33000 * 1e6, 1e-6);
    near(e.loss[LEGAL_NLR_IMPORT], u2 / 7000 * 1e6, 1e-6);
    for (unsigned k = LEGAL_OLA_EXPORT; k <= LEGAL_NLR_EXPORT; k += 2)
        assert_int_equal(e.loss[k], 0);
}

static void losses_go_where_the_active_power_goes(void **state)
{
    (void)state;
    struct legal_config c = lossy();
    struct load out = load_balanced(230, 5, 180), none = load_balanced(230, 0, 0);
    struct legal_energies e, f;
    c.i_start_ua = 20000;
    start(&c);
    load_feed(&meter, &out, 600, 60);
    legal_energies_get(&meter, &e);
    for (unsigned k = LEGAL_OLA_IMPORT; k <= LEGAL_NLR_EXPORT; k++)
        assert_int_equal(e.loss[k] > 0, k % 2); /* the enum's import and export alternate */
    start(&c);
    load_feed(&meter, &none, 600, 60); /* no load: iron losses, as import */
    legal_energies_get(&meter, &f);
    assert_true(f.loss[LEGAL_NLA_IMPORT] == e.loss[LEGAL_NLA_EXPORT]);
    assert_int_equal(f.loss[LEGAL_OLA_IMPORT], 0);
    assert_int_equal(f.loss[LEGAL_NLA_EXPORT], 0);
    c.sum = LEGAL_SUM_ABSOLUTE; /* knows no export */
    start(&c);
    load_feed(&meter, &out, 600, 60);
    legal_energies_get(&meter, &f);
    assert_true(f.loss[LEGAL_OLA_IMPORT] == e.loss[LEGAL_OLA_EXPORT]);
    assert_int_equal(f.loss[LEGAL_OLA_EXPORT], 0);
}

static void losses_without_parameters_are_not_counted(void **state)
{
    (void)state;
    struct legal_config c = load_config();
    struct load load = load_balanced(230, 5, 0);
    struct legal_energies e;
    start(&c);
    load_feed(&meter, &load, 600, 60);
    legal_energies_get(&meter, &e);
    for (unsigned k = 0; k < LEGAL_I2T; k++)
        assert_int_equal(e.loss[k], 0);
    assert_true(e.loss[LEGAL_I2T] > 0 && e.loss[LEGAL_U2T] > 0);
}

static void losses_of_three_wires_stand_for_three_phases(void **state)
{
    (void)state;
    struct legal_config c = lossy();
    struct load load = load_balanced(230 * sqrt(3), 5, 0);
    struct legal_energies e;
    c.wiring = LEGAL_3P3W;
    start(&c);
    load_feed(&meter, &load, 3600, 60);
    legal_energies_get(&meter, &e);
    near(e.loss[LEGAL_I2T], 75e6, 1e-6);
    near(e.loss[LEGAL_U2T], 3 * 230. * 230 * 1e6, 1e-6);
}

static void losses_leave_direct_components_out(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal s = signal_balanced(50.1, 8000, 5, 30);
    struct legal_energies e;
    s.u_dc = 10;
    s.i_dc = 1;
    start(&c);
    signal_seconds(&meter, &s, 3);
    legal_flush(&meter);
    legal_energies_get(&meter, &e);
    printf("  I2t %+.5f %%, U2t %+.5f %%\n",
           100 * ((double)e.loss[LEGAL_I2T] * 3600 / (3 * 75e6) - 1),
           100 * ((double)e.loss[LEGAL_U2T] * 3600 / (3 * 158700e6) - 1));
    near(e.loss[LEGAL_I2T], 3 * 75e6 / 3600, 1e-4);
    near(e.loss[LEGAL_U2T], 3 * 158700e6 / 3600, 1e-4);
}

static void losses_follow_a_changed_parameter(void **state)
{
    (void)state;
    struct legal_config c = lossy();
    struct load load = load_balanced(230, 5, 0);
    struct legal_energies e, f;
    start(&c);
    load_feed(&meter, &load, 600, 60);
    legal_energies_get(&meter, &e);
    assert_int_equal(legal_parameter_set(&meter, LEGAL_PARAMETER_LOSS_R_CU_UOHM, 0, 240000, NULL),
                     ERR_OK);
    load_feed(&meter, &load, 600, 60);
    legal_energies_get(&meter, &f);
    near(f.loss[LEGAL_OLA_IMPORT], 3 * (double)e.loss[LEGAL_OLA_IMPORT], 1e-8);
    near(f.loss[LEGAL_NLA_IMPORT], 2 * (double)e.loss[LEGAL_NLA_IMPORT], 1e-8);
}

static void losses_fit_at_the_largest_window(void **state)
{
    (void)state;
    struct legal_config c = lossy();
    struct legal_window w = {.n_q16 = UINT64_C(60000) << 16, .rate_uhz = 1000000000};
    struct legal_energies e;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        w.phase[p].uu = w.phase[p].ii = INT64_C(1) << 61; /* 372 kA, 372 kV */
    start(&c);
    assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
    legal_energies_get(&meter, &e);
    double square = 3 * ldexp(1, 61) * 3.6e-9 * 1e-3 / 3600; /* A2h */
    near(e.loss[LEGAL_I2T], square * 1e6, 1e-9);
    near(e.loss[LEGAL_OLA_IMPORT], square * 0.12 * 1e6, 1e-9);
    near(e.loss[LEGAL_NLA_IMPORT], square / 33000 * 1e6, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_follow_the_formulas),
        cmocka_unit_test(losses_go_where_the_active_power_goes),
        cmocka_unit_test(losses_without_parameters_are_not_counted),
        cmocka_unit_test(losses_of_three_wires_stand_for_three_phases),
        cmocka_unit_test(losses_leave_direct_components_out),
        cmocka_unit_test(losses_follow_a_changed_parameter),
        cmocka_unit_test(losses_fit_at_the_largest_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
