/* The factory calibration: a meter of drawn parts ends within the promised accuracy, at its
 * registers and over the whole range, and one that was put together wrongly is refused with the
 * reason. The quick cases have a front end with less noise, so that their points are short; the
 * program with an argument takes the noise as it is, over all models. */
#include "firmware/legal/legal_state.h"
#include "firmware/meter/meter.h"
#include "sim/calibrate_stand.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUIET_DB 131
#define PI       3.14159265358979323846

struct factory {
    const struct model_meter *model;
    struct front_end *front_end;
    struct legal legal;
    struct calibrate_result result;
    struct calibrate_job job;
    uint32_t audits, refused, sealed, last_sequence;
    char why[160];
};

static void on_audit(void *context, const struct legal_audit *a)
{
    struct factory *f = context;
    assert_int_equal(a->sequence, f->last_sequence + 1);
    f->last_sequence = a->sequence;
    f->audits++;
    f->refused += a->change == LEGAL_CHANGE_REFUSED;
    f->sealed += a->change == LEGAL_CHANGE_SEALED;
}

/* A new meter of the model, its registers without a threshold so that they run down to Imax/5000.
 */
static struct factory *open_factory(const char *model, const struct front_end_spec *s)
{
    struct factory *f = calloc(1, sizeof *f);
    struct legal_config c;
    assert_non_null(f);
    f->model = model_meter_find(model);
    f->front_end = front_end_new(s);
    meter_legal_config(f->model, front_end_u_lsb_fv(f->front_end), front_end_i_lsb_fa(f->front_end),
                       &c);
    c.i_start_ua = c.i_start_reactive_ua = 0;
    assert_int_equal(legal_init(&f->legal, &c), ERR_OK);
    f->job = (struct calibrate_job){.legal = &f->legal,
                                    .model = f->model,
                                    .front_end = f->front_end,
                                    .audit = on_audit,
                                    .context = f};
    return f;
}

static void close_factory(struct factory *f)
{
    front_end_free(f->front_end);
    free(f);
}

static struct front_end_spec quiet(const char *model, uint64_t seed)
{
    struct front_end_spec s;
    front_end_spec_of(model_meter_find(model), seed, false, &s);
    s.snr_db = QUIET_DB;
    return s;
}

static void calibrate(struct factory *f)
{
    enum err err = calibrate_meter(&f->job, &f->result, f->why, sizeof f->why);
    if (err)
        fail_msg("%s: %s %s", f->model->name, err_text(err), f->why);
}

/* --- accuracy at the registers -------------------------------------------------------------- */

/* Error of P against its truth in percent, and of Q1; of each phase. */
static void assert_point(struct factory *f, double i_a, double lag_deg, double limit_pct, bool q)
{
    struct stand s;
    struct stand_seen seen;
    stand_init(&s, &f->job);
    double pf = q ? sin(lag_deg * PI / 180) : cos(lag_deg * PI / 180);
    const struct stand_load l = {.u_v = s.un_v,
                                 .i_a = i_a,
                                 .lag_deg = lag_deg,
                                 .celsius = 23,
                                 .registers = true,
                                 .seconds = stand_seconds(&s, i_a, 2.5e-5)};
    assert_int_equal(stand_run(&s, &l, "", &seen), ERR_OK);
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        if (!(s.phases >> p & 1))
            continue;
        double shown = q ? seen.phase[p].register_var : seen.phase[p].register_w;
        double error = (shown / (s.un_v * i_a * pf) - 1) * 100;
        if (fabs(error) > limit_pct)
            fail_msg("%s: %c of phase %u at %.4g A, lag %.0f: %.4f %%", f->model->name,
                     q ? 'Q' : 'P', p + 1, i_a, lag_deg, error);
    }
}

static void assert_accurate(struct factory *f, double i_a)
{
    static const struct {
        double lag, limit;
        bool q;
    } points[] = {{0, 0.02, false}, {60, 0.04, false}, {-60, 0.04, false}, {180, 0.02, false},
                  {90, 0.02, true}, {30, 0.04, true},  {150, 0.04, true},  {-90, 0.02, true}};
    for (unsigned k = 0; k < sizeof points / sizeof points[0]; k++)
        assert_point(f, i_a, points[k].lag, points[k].limit, points[k].q);
}

static void calibrate_ends_within_the_target_with_shunts(void **state)
{
    (void)state;
    struct front_end_spec s = quiet("SM402D", 11);
    struct factory *f = open_factory("SM402D", &s);
    calibrate(f);
    assert_accurate(f, 100);
    assert_accurate(f, 0.02);
    close_factory(f);
}

static void calibrate_ends_within_the_target_with_transformers(void **state)
{
    (void)state;
    struct front_end_spec s = quiet("SM307", 12);
    struct factory *f = open_factory("SM307", &s);
    calibrate(f);
    assert_accurate(f, 0.002);
    assert_point(f, 0.05, 60, 0.04, false); /* between the points of the table */
    assert_point(f, 3, -60, 0.04, false);
    close_factory(f);
}

static void calibrate_reports_what_it_found_and_what_is_left(void **state)
{
    (void)state;
    struct front_end_spec s = quiet("ST402C", 13);
    struct factory *f = open_factory("ST402C", &s);
    calibrate(f);
    const struct calibrate_result *r = &f->result;
    assert_true(r->n_points > 40 && r->n_points < CALIBRATE_POINTS_MAX);
    unsigned worse = 0, bad = 0;
    for (size_t k = 0; k < r->n_points; k++) {
        const struct calibrate_point *p = &r->point[k];
        assert_non_null(memchr(p->what, '\0', sizeof p->what));
        assert_true(strcmp(p->unit, "%") == 0 || strcmp(p->unit, "'") == 0);
        bad += fabs(p->before) > 0.1;
        worse += fabs(p->after) > (p->unit[0] == '%' ? 0.01 : 0.4);
    }
    assert_int_equal(worse, 0);
    assert_true(bad > r->n_points / 2);
    assert_string_equal(r->point[0].what, "gain u1");
    assert_int_equal(r->n_audits, f->audits);
    assert_int_equal(f->refused, 0);
    assert_int_equal(f->sealed, 1);
    struct legal_config c;
    struct legal_audit a;
    legal_config_get(&f->legal, &c);
    assert_memory_equal(&c.calibration, &r->calibration, sizeof c.calibration);
    assert_int_equal(c.calibration.phase[0].n_ct, LEGAL_N_CT_POINTS);
    assert_int_equal(legal_parameter_set(&f->legal, LEGAL_PARAMETER_GAIN_PPB, 0, 0, &a),
                     ERR_ACCESS);
    assert_true(r->seconds > 50 && r->seconds < 150);
    close_factory(f);
}

/* The drift that is left, over 30 K either side, in the meter's own registers. */
static void calibrate_takes_the_drift_out(void **state)
{
    (void)state;
    struct front_end_spec s = quiet("ST402C", 14);
    struct factory *f = open_factory("ST402C", &s);
    calibrate(f);
    for (int step = -2; step <= 2; step++) {
        struct stand stand;
        struct stand_seen seen;
        stand_init(&stand, &f->job);
        const struct stand_load l = {.u_v = stand.un_v,
                                     .i_a = 5,
                                     .lag_deg = 60,
                                     .celsius = 23 + 20 * step,
                                     .registers = true,
                                     .seconds = 2};
        assert_int_equal(stand_run(&stand, &l, "", &seen), ERR_OK);
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
            double error = seen.phase[p].register_w / (stand.un_v * 2.5) - 1;
            assert_true(fabs(error) < 1.5e-4);
        }
    }
    close_factory(f);
}

/* --- refusals ------------------------------------------------------------------------------- */

static void assert_refused(const struct front_end_spec *s, const char *reason)
{
    struct factory *f = open_factory("ST402D", s);
    assert_int_equal(calibrate_meter(&f->job, &f->result, f->why, sizeof f->why), ERR_RANGE);
    if (!strstr(f->why, reason))
        fail_msg("'%s' does not say '%s'", f->why, reason);
    assert_int_equal(f->sealed, 0);
    close_factory(f);
}

static void calibrate_refuses_what_is_put_together_wrongly(void **state)
{
    (void)state;
    struct front_end_spec good = quiet("ST402D", 15), s = good;
    s.dead = 1u << AFE_U2;
    assert_refused(&s, "voltage 2 input is dead");
    s = good;
    s.dead = 1u << AFE_IN;
    assert_refused(&s, "neutral");
    s = good;
    s.reversed = 1u << AFE_I3;
    assert_refused(&s, "Current 3 is reversed");
    s = good;
    s.swap[0] = AFE_I1;
    s.swap[1] = AFE_I2;
    assert_refused(&s, "Current 1 lags its voltage by");
    s = good;
    s.swap[0] = AFE_U2;
    s.swap[1] = AFE_U3;
    assert_refused(&s, "Voltage 2 stands at 120 degrees");
}

static void calibrate_refuses_what_no_parameter_mends(void **state)
{
    (void)state;
    struct front_end_spec good = quiet("ST402D", 16), s = good;
    s.u_gain_pct = 60;
    assert_refused(&s, "correction");
    s = good;
    s.u_full_v = 250;
    assert_refused(&s, "end of its range");
    s = good;
    s.offset_pct = 150;
    assert_refused(&s, "end of its range while shorted");
    s = good;
    s.skew_us = 1000;
    assert_refused(&s, "cannot be corrected");
    s = good;
    s.dead = 7u << AFE_U1;
    assert_refused(&s, "no voltage");
}

static void calibrate_refuses_a_sealed_meter(void **state)
{
    (void)state;
    struct front_end_spec s = quiet("ST402D", 17);
    struct factory *f = open_factory("ST402D", &s);
    struct legal_audit a;
    legal_seal(&f->legal, &a);
    f->last_sequence = a.sequence;
    assert_int_equal(calibrate_meter(&f->job, &f->result, f->why, sizeof f->why), ERR_ACCESS);
    assert_string_equal(f->why, "The meter is sealed.");
    close_factory(f);
}

static void calibrate_refuses_noise_and_reversed_voltages(void **state)
{
    (void)state;
    struct front_end_spec good = quiet("ST402D", 18), s = good;
    s.snr_db = 3;
    struct factory *f = open_factory("ST402D", &s);
    assert_int_equal(calibrate_meter(&f->job, &f->result, f->why, sizeof f->why), ERR_RANGE);
    assert_true(f->why[0] != '\0' && f->sealed == 0);
    print_message("noise: %s\n", f->why);
    close_factory(f);
    s = good;
    s.reversed = 1u << AFE_U1;
    assert_refused(&s, "exchanged or reversed");
    s.reversed = 1u << AFE_U3;
    assert_refused(&s, "Voltage 3 stands at -60 degrees");
    s.reversed = 7u << AFE_U1;
    assert_refused(&s, "Current 1 is reversed");
}

/* A meter whose seal was broken is calibrated anew: what it knew before leaves no trace. */
static void calibrate_again_gives_the_same(void **state)
{
    (void)state;
    struct front_end_spec s = quiet("SM307", 19);
    struct factory *f = open_factory("SM307", &s);
    calibrate(f);
    struct legal_calibration first = f->result.calibration;
    struct legal_audit a;
    assert_int_equal(calibrate_meter(&f->job, &f->result, f->why, sizeof f->why), ERR_ACCESS);
    legal_unseal(&f->legal, &a);
    f->last_sequence = a.sequence;
    enum err err = calibrate_meter(&f->job, &f->result, f->why, sizeof f->why);
    if (err)
        fail_msg("%s", f->why);
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++) {
        const struct legal_channel_calibration *x = &first.channel[c];
        const struct legal_channel_calibration *y = &f->result.calibration.channel[c];
        assert_in_range(x->gain_ppb - y->gain_ppb + 20000, 0, 40000);
        assert_in_range(x->delay_ns - y->delay_ns + 20, 0, 40);
    }
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        for (unsigned k = 0; k < first.phase[p].n_ct; k++) {
            const struct legal_ct_point *x = &first.phase[p].ct[k];
            const struct legal_ct_point *y = &f->result.calibration.phase[p].ct[k];
            assert_in_range(x->gain_ppb - y->gain_ppb + 100000, 0, 200000);
            assert_in_range(x->phase_nrad - y->phase_nrad + 100000, 0, 200000);
        }
    close_factory(f);
}

/* --- the noise as it is --------------------------------------------------------------------- */

static void calibrate_meets_the_target_for_every_model(void **state)
{
    (void)state;
    const struct model_meter *m;
    for (size_t k = 0; (m = model_meter_at(k)); k++) {
        struct front_end_spec s;
        front_end_spec_of(m, 100 + k, false, &s);
        struct factory *f = open_factory(m->name, &s);
        calibrate(f);
        double top = m->imax_ma / 1e3;
        assert_point(f, top / 5000, 0, 0.02, false);
        assert_point(f, top / 5000, 60, 0.04, false);
        assert_point(f, top / 5000, 30, 0.04, true);
        assert_accurate(f, top / 100);
        close_factory(f);
    }
}

int main(int argc, char **argv)
{
    (void)argv;
    const struct CMUnitTest quick[] = {
        cmocka_unit_test(calibrate_ends_within_the_target_with_shunts),
        cmocka_unit_test(calibrate_ends_within_the_target_with_transformers),
        cmocka_unit_test(calibrate_reports_what_it_found_and_what_is_left),
        cmocka_unit_test(calibrate_takes_the_drift_out),
        cmocka_unit_test(calibrate_refuses_what_is_put_together_wrongly),
        cmocka_unit_test(calibrate_refuses_what_no_parameter_mends),
        cmocka_unit_test(calibrate_refuses_a_sealed_meter),
        cmocka_unit_test(calibrate_refuses_noise_and_reversed_voltages),
        cmocka_unit_test(calibrate_again_gives_the_same),
    };
    const struct CMUnitTest full[] = {
        cmocka_unit_test(calibrate_meets_the_target_for_every_model),
    };
    return argc > 1 ? cmocka_run_group_tests(full, NULL, NULL)
                    : cmocka_run_group_tests(quick, NULL, NULL);
}
