/* Parameters: range, seal, contradiction, audit; and that a change takes effect. */
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct legal meter;

static void start(void)
{
    struct legal_config c = signal_config();
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
}

static int64_t get(enum legal_parameter id, unsigned index)
{
    int64_t v = 0;
    assert_int_equal(legal_parameter_get(&meter, id, index, &v), ERR_OK);
    return v;
}

static enum err set(enum legal_parameter id, unsigned index, int64_t v)
{
    return legal_parameter_set(&meter, id, index, v, NULL);
}

static uint32_t audit_sequence(void)
{
    struct legal_snapshot s;
    legal_snapshot_get(&meter, &s);
    return s.audit_sequence;
}

/* Nothing but the audit sequence moved, and the record says so. */
static void refused(enum legal_parameter id, unsigned index, int64_t v, enum err want,
                    unsigned reason)
{
    struct legal_config before, after;
    struct legal_audit a;
    uint32_t sequence = audit_sequence();
    legal_config_get(&meter, &before);
    assert_int_equal(legal_parameter_set(&meter, id, index, v, &a), want);
    legal_config_get(&meter, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(a.change, LEGAL_CHANGE_REFUSED);
    assert_int_equal(a.reason, reason);
    assert_int_equal(a.after, v);
    assert_int_equal(a.sequence, sequence + 1);
    assert_int_equal(audit_sequence(), sequence + 1);
}

/* --- the table ------------------------------------------------------------------------------ */

static void rows_are_whole_and_named_once(void **state)
{
    (void)state;
    for (unsigned k = 0; k < LEGAL_N_PARAMETERS; k++) {
        const struct legal_parameter_row *r = legal_parameter_row((enum legal_parameter)k);
        assert_non_null(r);
        assert_true(strlen(r->name) > 2 && r->unit && r->count >= 1 && r->min < r->max);
        for (unsigned j = 0; j < k; j++)
            assert_string_not_equal(r->name, legal_parameter_row((enum legal_parameter)j)->name);
    }
    assert_null(legal_parameter_row(LEGAL_N_PARAMETERS));
    assert_string_equal(legal_parameter_name(LEGAL_N_PARAMETERS), "");
    assert_int_equal(legal_parameter_count(LEGAL_N_PARAMETERS), 0);
    assert_string_equal(legal_parameter_row(LEGAL_PARAMETER_CT_PHASE_NRAD)->name, "CT_PHASE_NRAD");
    assert_string_equal(legal_parameter_name(LEGAL_PARAMETER_CT_PHASE_NRAD), "CT_PHASE_NRAD");
    assert_int_equal(legal_parameter_count(LEGAL_PARAMETER_CT_PHASE_NRAD), 18);
}

/* Tables first with no points used, so that values may be anything. */
static int64_t some_value(unsigned k, unsigned n)
{
    const struct legal_parameter_row *r = legal_parameter_row((enum legal_parameter)k);
    if (k == LEGAL_PARAMETER_N_CT)
        return 0;
    if (k == LEGAL_PARAMETER_SUM)
        return LEGAL_SUM_ABSOLUTE;
    return k == LEGAL_PARAMETER_I_LSB_FA ? 3000000 + n : r->max - 100 + n;
}

static void each_parameter_has_a_place_of_its_own(void **state)
{
    (void)state;
    start();
    for (unsigned k = 0; k < LEGAL_N_PARAMETERS; k++)
        for (unsigned n = 0; n < legal_parameter_row((enum legal_parameter)k)->count; n++)
            assert_int_equal(set((enum legal_parameter)k, n, some_value(k, n)), ERR_OK);
    for (unsigned k = 0; k < LEGAL_N_PARAMETERS; k++)
        for (unsigned n = 0; n < legal_parameter_row((enum legal_parameter)k)->count; n++)
            assert_int_equal(get((enum legal_parameter)k, n), some_value(k, n));
    struct legal_config c; /* a few by their names */
    legal_config_get(&meter, &c);
    assert_int_equal(c.i_lsb_fa[3], 3000003);
    assert_int_equal(c.sum, LEGAL_SUM_ABSOLUTE);
    assert_int_equal(c.slew_limit[AFE_IN], 16777216 - 100 + 6);
    assert_int_equal(c.loss.x_m_ohm, UINT32_MAX - 100);
    assert_int_equal(c.calibration.channel[AFE_I2].delay_ns, 250000 - 100 + AFE_I2);
    assert_int_equal(c.calibration.phase[2].q_offset_q8, INT32_MAX - 98);
    assert_int_equal(c.calibration.phase[2].ct[5].phase_nrad, 100000000 - 100 + 17);
    assert_int_equal(c.calibration.phase[1].ct[0].gain_ppb, 100000000 - 100 + 6);
}

static void values_end_at_their_range(void **state)
{
    (void)state;
    for (unsigned k = 0; k < LEGAL_N_PARAMETERS; k++) {
        enum legal_parameter id = (enum legal_parameter)k;
        const struct legal_parameter_row *r = legal_parameter_row(id);
        start();
        for (unsigned n = 0; n < r->count; n++) {
            refused(id, n, r->min - 1, ERR_RANGE, 2);
            refused(id, n, r->max + 1, ERR_RANGE, 2);
            refused(id, n, INT64_MIN, ERR_RANGE, 2);
            refused(id, n, INT64_MAX, ERR_RANGE, 2);
        }
        refused(id, r->count, r->max, ERR_RANGE, 2);
        refused(id, UINT32_MAX, r->max, ERR_RANGE, 2);
        if (id == LEGAL_PARAMETER_U_LSB_FV || id == LEGAL_PARAMETER_I_LSB_FA ||
            id == LEGAL_PARAMETER_N_CT)
            continue;
        for (unsigned n = 0; n < r->count; n++) {
            assert_int_equal(set(id, n, r->min), ERR_OK);
            assert_int_equal(get(id, n), r->min);
            assert_int_equal(set(id, n, r->max), ERR_OK);
            assert_int_equal(get(id, n), r->max);
        }
    }
    int64_t v;
    refused(LEGAL_N_PARAMETERS, 0, 0, ERR_RANGE, 2);
    refused((enum legal_parameter)1000, 0, 0, ERR_RANGE, 2);
    assert_int_equal(legal_parameter_get(&meter, LEGAL_N_PARAMETERS, 0, &v), ERR_RANGE);
    assert_int_equal(legal_parameter_get(&meter, LEGAL_PARAMETER_N_CT, 3, &v), ERR_RANGE);
}

/* --- contradictions ------------------------------------------------------------------------- */

static void counts_are_worth_something(void **state)
{
    (void)state;
    start();
    for (unsigned p = 0; p < 3; p++) {
        refused(LEGAL_PARAMETER_I_LSB_FA, p, 0, ERR_RANGE, 2);
        refused(LEGAL_PARAMETER_I_LSB_FA, p, 999999, ERR_RANGE, 2);
    }
    refused(LEGAL_PARAMETER_I_LSB_FA, 3, 1, ERR_RANGE, 2);
    assert_int_equal(set(LEGAL_PARAMETER_I_LSB_FA, 3, 0), ERR_OK); /* as the first phase */
    assert_int_equal(set(LEGAL_PARAMETER_I_LSB_FA, 0, 1000000), ERR_OK);
}

static void table_must_rise_and_be_filled(void **state)
{
    (void)state;
    start();
    refused(LEGAL_PARAMETER_N_CT, 1, 1, ERR_STATE, 3); /* empty */
    for (unsigned n = 0; n < 4; n++)
        assert_int_equal(set(LEGAL_PARAMETER_CT_I_UA, 6 + n, 1000 * (n + 1)), ERR_OK);
    refused(LEGAL_PARAMETER_N_CT, 1, 5, ERR_STATE, 3); /* the fifth is 0 */
    assert_int_equal(set(LEGAL_PARAMETER_N_CT, 1, 4), ERR_OK);
    refused(LEGAL_PARAMETER_N_CT, 0, 4, ERR_STATE, 3);       /* that is another phase's table */
    refused(LEGAL_PARAMETER_CT_I_UA, 8, 2000, ERR_STATE, 3); /* not above its neighbour */
    refused(LEGAL_PARAMETER_CT_I_UA, 8, 4000, ERR_STATE, 3);
    refused(LEGAL_PARAMETER_CT_I_UA, 6, 0, ERR_STATE, 3);
    assert_int_equal(set(LEGAL_PARAMETER_CT_I_UA, 8, 3999), ERR_OK);
    assert_int_equal(set(LEGAL_PARAMETER_CT_I_UA, 10, 1), ERR_OK); /* not used: anything */
    assert_int_equal(set(LEGAL_PARAMETER_N_CT, 1, 0), ERR_OK);
}

static void whole_configuration_is_checked_like_single_values(void **state)
{
    (void)state;
    struct legal_config good = signal_config(), c;
    static struct legal other;
    c = good;
    c.calibration.channel[AFE_IN].gain_ppb = 200000001;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    c = good;
    c.calibration.channel[AFE_U1].gain_ppb = INT32_MIN;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    c = good;
    c.calibration.channel[AFE_I3].delay_ns = -250001;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    c = good;
    c.calibration.phase[2].n_ct = 7;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    c = good;
    c.calibration.phase[0].n_ct = 1;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    c = good;
    c.u_lsb_fv[1] = 0;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    c = good;
    c.u_lsb_fv[1] = UINT64_MAX;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    c = good;
    c.sum = (enum legal_sum)3;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    c = good;
    c.n_rates = LEGAL_N_RATES + 1;
    assert_int_equal(legal_init(&other, &c), ERR_RANGE);
    assert_int_equal(legal_init(&other, &good), ERR_OK);
    c = good;
    c.pulse_per_kwh = 0;
    assert_int_equal(legal_config_set(&other, &c), ERR_RANGE);
    legal_config_get(&other, &c);
    assert_memory_equal(&c, &good, sizeof c);
}

/* --- seal and audit ------------------------------------------------------------------------- */

static void seal_holds_the_factory_s_parameters(void **state)
{
    (void)state;
    struct legal_audit a;
    struct legal_status status;
    start();
    assert_int_equal(set(LEGAL_PARAMETER_GAIN_PPB, 0, 5), ERR_OK);
    legal_seal(&meter, &a);
    assert_int_equal(a.change, LEGAL_CHANGE_SEALED);
    assert_int_equal(a.sequence, 2);
    legal_status_get(&meter, &status);
    assert_true(status.sealed);
    for (unsigned k = 0; k < LEGAL_N_PARAMETERS; k++) {
        enum legal_parameter id = (enum legal_parameter)k;
        int64_t v = get(id, 0);
        if (legal_parameter_row(id)->level == LEGAL_LEVEL_FACTORY) {
            refused(id, 0, v, ERR_ACCESS, 1);
            refused(id, 0, INT64_MAX, ERR_ACCESS, 1); /* nor does it tell the range */
        } else {
            assert_int_equal(set(id, 0, v), ERR_OK);
            refused(id, 0, INT64_MAX, ERR_RANGE, 2);
        }
    }
    uint32_t before = audit_sequence();
    legal_unseal(&meter, &a);
    assert_int_equal(a.change, LEGAL_CHANGE_OPENED);
    assert_int_equal(a.sequence, before + 1);
    assert_int_equal(legal_parameter_set(&meter, LEGAL_PARAMETER_GAIN_PPB, 0, -7, &a), ERR_OK);
    assert_int_equal(a.change, LEGAL_CHANGE_DONE);
    assert_int_equal(a.reason, 0);
    assert_int_equal(a.parameter, LEGAL_PARAMETER_GAIN_PPB);
    assert_int_equal(a.before, 5);
    assert_int_equal(a.after, -7);
}

static void seal_and_sequence_survive_in_the_snapshot(void **state)
{
    (void)state;
    struct legal_snapshot s;
    struct legal_config c;
    start();
    assert_int_equal(set(LEGAL_PARAMETER_GAIN_PPB, 3, 1234), ERR_OK);
    legal_seal(&meter, NULL);
    legal_snapshot_get(&meter, &s);
    legal_config_get(&meter, &c);
    start();
    assert_int_equal(legal_snapshot_set(&meter, &s), ERR_OK);
    assert_int_equal(legal_config_set(&meter, &c), ERR_OK); /* what storage held, in either order */
    assert_int_equal(get(LEGAL_PARAMETER_GAIN_PPB, 3), 1234);
    refused(LEGAL_PARAMETER_GAIN_PPB, 3, 0, ERR_ACCESS, 1);
    assert_int_equal(audit_sequence(), 3);
}

static void configuration_is_set_only_before_the_first_sample(void **state)
{
    (void)state;
    struct signal s = signal_balanced(50, 8000, 5, 0);
    struct legal_config c = signal_config();
    start();
    c.f_nominal_mhz = 60000;
    c.calibration.channel[0].gain_ppb = 1000000;
    assert_int_equal(legal_config_set(&meter, &c), ERR_OK);
    assert_true(meter.correct.active);
    assert_int_equal(meter.tracker.cycles_per_window, 12);
    signal_feed(&meter, &s, 0, 10, 10);
    assert_int_equal(legal_config_set(&meter, &c), ERR_STATE);
}

/* --- effect --------------------------------------------------------------------------------- */

static struct legal_values after(double seconds)
{
    static uint64_t at;
    struct signal s = signal_balanced(50, 8000, 5, 0);
    struct legal_values v;
    if (meter.rate_uhz == 0)
        at = 0;
    uint64_t n = (uint64_t)(seconds * 8000);
    signal_feed(&meter, &s, at, n, 200);
    at += n;
    legal_values_get(&meter, &v);
    return v;
}

static uint64_t import(void)
{
    struct legal_energies e;
    legal_energies_get(&meter, &e);
    return e.total[LEGAL_A_IMPORT];
}

static void change_holds_for_the_running_window(void **state)
{
    (void)state;
    start();
    after(1.03); /* in the middle of a window */
    uint64_t before = import();
    for (unsigned p = 0; p < 3; p++)
        assert_int_equal(set(LEGAL_PARAMETER_GAIN_PPB, AFE_I1 + p, 200000000), ERR_OK);
    after(0.2); /* one border: 0.2 s at 4140 W are 230 000 */
    assert_in_range(import() - before, 229900, 230100);
    after(1.2);
    assert_in_range(after(0.9).phase[1].i_ua, 5999990, 6000010);
}

static void change_of_lsb_moves_values_and_energy(void **state)
{
    (void)state;
    start();
    assert_in_range(after(1.6).phase[0].u_mv, 229999, 230001);
    for (unsigned p = 0; p < 3; p++)
        assert_int_equal(set(LEGAL_PARAMETER_U_LSB_FV, p, 2 * U_LSB_FV), ERR_OK);
    after(1.0);
    uint64_t before = import();
    assert_in_range(after(1.0).phase[0].u_mv, 459998, 460002);
    assert_in_range(import() - before, 1916600, 1916800); /* 6900 W for a second */
    struct legal_wave wave;
    legal_wave_get(&meter, &wave);
    assert_int_equal(wave.u_lsb_fv[2], 2 * U_LSB_FV);
    assert_int_equal(set(LEGAL_PARAMETER_GAIN_PPB, AFE_U3, -100000000), ERR_OK);
    legal_wave_get(&meter, &wave);
    assert_in_range(wave.u_lsb_fv[2], 2 * U_LSB_FV / 10 * 9 - 1, 2 * U_LSB_FV / 10 * 9 + 1);
}

static void change_of_the_start_current_stops_counting(void **state)
{
    (void)state;
    start();
    after(1.6);
    assert_int_equal(set(LEGAL_PARAMETER_I_START_UA, 0, 20000000), ERR_OK); /* 4 x the current */
    after(1.0);
    uint64_t before = import();
    after(1.0);
    assert_int_equal(import(), before);
    assert_int_equal(set(LEGAL_PARAMETER_I_START_UA, 0, 0), ERR_OK);
    after(1.0);
    assert_true(import() > before + 700000);
}

static void offset_counts_until_a_window_knew_better(void **state)
{
    (void)state;
    start();
    assert_int_equal(set(LEGAL_PARAMETER_OFFSET, AFE_U2, -77), ERR_OK);
    assert_int_equal(meter.dc_q16[1], -77 * 65536);
    after(1.0);
    assert_in_range(meter.dc_q16[1] + 65536, 0, 2 * 65536);
    assert_int_equal(set(LEGAL_PARAMETER_OFFSET, AFE_U2, 5000), ERR_OK);
    assert_in_range(meter.dc_q16[1] + 65536, 0, 2 * 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole_and_named_once),
        cmocka_unit_test(each_parameter_has_a_place_of_its_own),
        cmocka_unit_test(values_end_at_their_range),
        cmocka_unit_test(counts_are_worth_something),
        cmocka_unit_test(table_must_rise_and_be_filled),
        cmocka_unit_test(whole_configuration_is_checked_like_single_values),
        cmocka_unit_test(seal_holds_the_factory_s_parameters),
        cmocka_unit_test(seal_and_sequence_survive_in_the_snapshot),
        cmocka_unit_test(configuration_is_set_only_before_the_first_sample),
        cmocka_unit_test(change_holds_for_the_running_window),
        cmocka_unit_test(change_of_lsb_moves_values_and_energy),
        cmocka_unit_test(change_of_the_start_current_stops_counting),
        cmocka_unit_test(offset_counts_until_a_window_knew_better),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
