/* How the total follows from the phases, what goes to which rate, and which snapshots are believed.
 */
#include "tests/firmware/legal/load.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct legal meter;

static void start(const struct legal_config *c)
{
    assert_int_equal(legal_init(&meter, c), ERR_OK);
}

/* --- sums ----------------------------------------------------------------------------------- */

/* An hour of 230 V: 10 A imported inductive (QI), 6 A exported inductive (QII), 3 A exported
 * capacitive (QIII), each with P and Q of 3:4 or 4:3 of U I. Watt-hours that follow by hand: */
static const struct load mixed = {
    {230, 230, 230}, {10, 6, 3}, {36.869897645844, 180 - 36.869897645844, -180 + 53.130102354156}};

static void check_totals(enum legal_sum sum, const double want[LEGAL_N_ENERGIES])
{
    struct legal_config c = load_config();
    struct legal_energies e;
    c.sum = sum;
    start(&c);
    load_feed(&meter, &mixed, 3600, 60);
    legal_energies_get(&meter, &e);
    for (unsigned k = 0; k < LEGAL_N_ENERGIES; k++)
        if (fabs((double)e.total[k] * 1e-6 - want[k]) > 1e-3)
            fail_msg("register %u: %.4f Wh, not %.4f", k, (double)e.total[k] * 1e-6, want[k]);
    /* the phases do not ask for the policy */
    assert_true(fabs((double)e.phase[0][LEGAL_A_IMPORT] * 1e-6 - 1840) < 1e-3);
    assert_true(fabs((double)e.phase[1][LEGAL_A_EXPORT] * 1e-6 - 1104) < 1e-3);
    assert_true(fabs((double)e.phase[1][LEGAL_R_QII] * 1e-6 - 828) < 1e-3);
    assert_true(fabs((double)e.phase[2][LEGAL_R_QIII] * 1e-6 - 552) < 1e-3);
    assert_true(fabs((double)e.phase[2][LEGAL_S_EXPORT] * 1e-6 - 690) < 1e-3);
}

static void vector_sum_nets_the_phases(void **state)
{
    (void)state;
    static const double want[LEGAL_N_ENERGIES] = {
        [LEGAL_A_IMPORT] = 1840 - 1104 - 414,
        [LEGAL_R_QI] = 1380 + 828 - 552,
        [LEGAL_S_IMPORT] = 2300 + 1380 + 690,
    };
    check_totals(LEGAL_SUM_VECTOR, want);
}

static void sum_per_phase_grows_in_both_directions(void **state)
{
    (void)state;
    static const double want[LEGAL_N_ENERGIES] = {
        [LEGAL_A_IMPORT] = 1840,       [LEGAL_A_EXPORT] = 1104 + 414, [LEGAL_R_QI] = 1380,
        [LEGAL_R_QII] = 828,           [LEGAL_R_QIII] = 552,          [LEGAL_S_IMPORT] = 2300,
        [LEGAL_S_EXPORT] = 1380 + 690,
    };
    check_totals(LEGAL_SUM_PER_PHASE, want);
}

static void absolute_sum_knows_import_only(void **state)
{
    (void)state;
    static const double want[LEGAL_N_ENERGIES] = {
        [LEGAL_A_IMPORT] = 1840 + 1104 + 414,
        [LEGAL_R_QI] = 1380 + 552, /* the third phase's QIII, mirrored */
        [LEGAL_R_QIV] = 828,       /* the second's QII */
        [LEGAL_S_IMPORT] = 2300 + 1380 + 690,
    };
    check_totals(LEGAL_SUM_ABSOLUTE, want);
}

static void changed_policy_holds_from_the_next_window(void **state)
{
    (void)state;
    struct legal_config c = load_config();
    struct legal_energies a, b;
    start(&c);
    load_feed(&meter, &mixed, 600, 60);
    legal_energies_get(&meter, &a);
    assert_int_equal(legal_parameter_set(&meter, LEGAL_PARAMETER_SUM, 0, LEGAL_SUM_PER_PHASE, NULL),
                     ERR_OK);
    load_feed(&meter, &mixed, 600, 60);
    legal_energies_get(&meter, &b);
    assert_int_equal(a.total[LEGAL_A_EXPORT], 0);
    assert_true(b.total[LEGAL_A_EXPORT] > 0);
    assert_true(b.total[LEGAL_A_IMPORT] - a.total[LEGAL_A_IMPORT] > 5 * a.total[LEGAL_A_IMPORT]);
}

static void apparent_energy_of_three_wires_is_that_of_the_load(void **state)
{
    (void)state;
    static const enum legal_sum rule[] = {LEGAL_SUM_VECTOR, LEGAL_SUM_PER_PHASE,
                                          LEGAL_SUM_ABSOLUTE};
    struct legal_config c = load_config();
    double line = 230 * sqrt(3);
    struct load load = {{line, 0, line}, {5, 0, 5}, {40, 0, -20}}; /* balanced at 10 degrees */
    c.wiring = LEGAL_3P3W;
    for (unsigned k = 0; k < 3; k++) {
        struct legal_energies e;
        c.sum = rule[k];
        start(&c);
        load_feed(&meter, &load, 3600, 60);
        legal_energies_get(&meter, &e);
        double s = (double)e.total[LEGAL_S_IMPORT] * 1e-6;
        double p = (double)e.total[LEGAL_A_IMPORT] * 1e-6;
        assert_true(fabs(s / 3450 - 1) < 1e-6);
        assert_true(fabs(p / (3450 * cos(10 * acos(-1) / 180)) - 1) < 1e-6);
    }
}

/* --- rates ---------------------------------------------------------------------------------- */

static void rates_split_the_total(void **state)
{
    (void)state;
    static const uint8_t order[] = {0, 31, 7, 31, 0};
    struct legal_config c = load_config();
    struct load load = load_balanced(230, 3, 20);
    struct legal_energies e;
    struct legal_snapshot b;
    c.n_rates = LEGAL_N_RATES;
    start(&c);
    for (unsigned k = 0; k < sizeof order; k++) {
        assert_int_equal(legal_rate_set(&meter, order[k]), ERR_OK);
        load_feed(&meter, &load, 600, 13);
        legal_snapshot_get(&meter, &b);
        assert_int_equal(b.rate, order[k]);
    }
    legal_energies_get(&meter, &e);
    uint64_t total = e.total[LEGAL_A_IMPORT];
    assert_true(e.rate[0][LEGAL_A_IMPORT] + e.rate[7][LEGAL_A_IMPORT] +
                    e.rate[31][LEGAL_A_IMPORT] ==
                total);
    assert_in_range(e.rate[7][LEGAL_A_IMPORT], total / 5 - 1, total / 5 + 1);
    assert_in_range(e.rate[31][LEGAL_R_QI], e.total[LEGAL_R_QI] * 2 / 5 - 2,
                    e.total[LEGAL_R_QI] * 2 / 5 + 2);
    assert_int_equal(e.rate[1][LEGAL_A_IMPORT], 0);
}

static void rate_without_registers_is_refused(void **state)
{
    (void)state;
    struct legal_config c = load_config();
    struct load load = load_balanced(230, 3, 20);
    struct legal_energies e;
    start(&c);
    assert_int_equal(legal_rate_set(&meter, 0), ERR_RANGE);
    load_feed(&meter, &load, 600, 60);
    legal_energies_get(&meter, &e);
    for (unsigned r = 0; r < LEGAL_N_RATES; r++)
        assert_int_equal(e.rate[r][LEGAL_A_IMPORT], 0);
    c.n_rates = 4;
    start(&c);
    assert_int_equal(legal_rate_set(&meter, 4), ERR_RANGE);
    assert_int_equal(legal_rate_set(&meter, 3), ERR_OK);
    c.n_rates = LEGAL_N_RATES + 1;
    assert_int_equal(legal_init(&meter, &c), ERR_RANGE);
}

/* --- snapshots ------------------------------------------------------------------------------ */

static enum err restored(const struct legal_config *c, const struct legal_snapshot *s)
{
    start(c);
    return legal_snapshot_set(&meter, s);
}

static void snapshot_with_a_contradiction_is_refused(void **state)
{
    (void)state;
    struct legal_config c = load_config();
    struct load load = load_balanced(230, 3, 20);
    struct legal_snapshot good, s, empty = {0}, now;
    c.n_rates = 4;
    start(&c);
    assert_int_equal(legal_rate_set(&meter, 3), ERR_OK);
    load_feed(&meter, &load, 600, 60);
    legal_snapshot_get(&meter, &good);
    assert_int_equal(restored(&c, &good), ERR_OK);
    s = good;
    s.rate = 4;
    assert_int_equal(restored(&c, &s), ERR_CORRUPT);
    s = good;
    s.energy.rate[1][LEGAL_R_QIII]++;
    assert_int_equal(restored(&c, &s), ERR_CORRUPT);
    s = good;
    s.energy.total[LEGAL_S_EXPORT]++;
    assert_int_equal(restored(&c, &s), ERR_CORRUPT);
    s = good;
    s.energy.rate[0][LEGAL_A_IMPORT] = 1; /* the sum wraps round to the right one */
    s.energy.rate[1][LEGAL_A_IMPORT] = UINT64_MAX;
    assert_int_equal(restored(&c, &s), ERR_CORRUPT);
    legal_snapshot_get(&meter, &now);
    assert_memory_equal(&now, &empty, sizeof now); /* nothing was taken over */
    c.n_rates = 3;                                 /* the rate in force has no registers any more */
    assert_int_equal(restored(&c, &good), ERR_CORRUPT);
    c.n_rates = 0;
    assert_int_equal(restored(&c, &good), ERR_CORRUPT);
}

static void snapshot_without_rates_goes_under_one_of_them(void **state)
{
    (void)state;
    struct legal_config c = load_config();
    struct load load = load_balanced(230, 3, 20);
    struct legal_snapshot s;
    start(&c);
    load_feed(&meter, &load, 600, 60);
    legal_snapshot_get(&meter, &s);
    c.n_rates = 2;
    assert_int_equal(restored(&c, &s), ERR_CORRUPT);
    memcpy(s.energy.rate[1], s.energy.total, sizeof s.energy.total);
    assert_int_equal(restored(&c, &s), ERR_OK);
    load_feed(&meter, &load, 600, 60);
    legal_snapshot_get(&meter, &s);
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        assert_true(s.energy.rate[0][e] + s.energy.rate[1][e] == s.energy.total[e]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector_sum_nets_the_phases),
        cmocka_unit_test(sum_per_phase_grows_in_both_directions),
        cmocka_unit_test(absolute_sum_knows_import_only),
        cmocka_unit_test(changed_policy_holds_from_the_next_window),
        cmocka_unit_test(apparent_energy_of_three_wires_is_that_of_the_load),
        cmocka_unit_test(rates_split_the_total),
        cmocka_unit_test(rate_without_registers_is_refused),
        cmocka_unit_test(snapshot_with_a_contradiction_is_refused),
        cmocka_unit_test(snapshot_without_rates_goes_under_one_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
