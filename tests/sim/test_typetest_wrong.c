/* The bench does not believe the meter: one that is wrong in a single way fails where that shows,
 * and the same meter put right passes the same points.
 *
 * The meter is spoilt behind the bench's back: calls of meter_init, meter_samples, front_end_new
 * and typetest_meter_read come here first (the linker's --wrap). */
#include "sim/front_end.h"
#include "sim/typetest.h"
#include "sim/typetest_meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum wrong { RIGHT, GAIN, DELAY, SWAPPED, CONSTANT, STARTING, CREEPING, LAGGING };

static enum wrong wrong;
static struct model_meter model;
static struct legal_calibration calibration;

enum err __real_meter_init(struct meter *m, const struct meter_config *c);
enum err __wrap_meter_init(struct meter *m, const struct meter_config *c);
enum err __real_meter_samples(struct meter *m, const struct afe_block *b);
enum err __wrap_meter_samples(struct meter *m, const struct afe_block *b);
struct front_end *__real_front_end_new(const struct front_end_spec *s);
struct front_end *__wrap_front_end_new(const struct front_end_spec *s);
enum err __real_typetest_meter_read(struct typetest_meter *t, const char *name, double *value,
                                    double *unit);
enum err __wrap_typetest_meter_read(struct typetest_meter *t, const char *name, double *value,
                                    double *unit);

enum err __wrap_meter_init(struct meter *m, const struct meter_config *c)
{
    struct meter_config spoilt = *c;
    model = *c->model;
    calibration = (struct legal_calibration){.reference_mc = 23000};
    if (c->calibration)
        calibration = *c->calibration;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        calibration.channel[AFE_I1 + p].gain_ppb += wrong == GAIN ? 10000000 : 0;
        calibration.channel[AFE_I1 + p].delay_ns += wrong == DELAY ? 125000 : 0;
    }
    model.pulse_per_kwh += wrong == CONSTANT;
    model.ist_ua *= wrong == STARTING ? 2 : 1;
    spoilt.model = &model;
    spoilt.calibration = &calibration;
    return __real_meter_init(m, &spoilt);
}

/* A voltage input that leaks a thousandth into the current's. */
enum err __wrap_meter_samples(struct meter *m, const struct afe_block *b)
{
    static int32_t leak[AFE_BLOCK_MAX];
    struct afe_block spoilt = *b;
    if (wrong == CREEPING) {
        for (uint32_t k = 0; k < b->n; k++)
            leak[k] = b->sample[AFE_I1][k] + b->sample[AFE_U1][k] / 1000;
        spoilt.sample[AFE_I1] = leak;
    }
    return __real_meter_samples(m, &spoilt);
}

struct front_end *__wrap_front_end_new(const struct front_end_spec *s)
{
    struct front_end_spec spoilt = *s;
    if (wrong == SWAPPED) {
        spoilt.swap[0] = AFE_I1;
        spoilt.swap[1] = AFE_I2;
    }
    return __real_front_end_new(&spoilt);
}

/* Three pulses behind. */
enum err __wrap_typetest_meter_read(struct typetest_meter *t, const char *name, double *value,
                                    double *unit)
{
    enum err err = __real_typetest_meter_read(t, name, value, unit);
    if (!err && wrong == LAGGING)
        *value = *value > 3 ? *value - 3 : 0;
    return err;
}

/* Failed points of a few of the tests' points; none of them where the meter is right. */
static size_t failed(enum wrong how, const char *only, unsigned every)
{
    struct typetest_report r;
    char message[300] = "";
    const struct typetest_options o = {.model = model_meter_find("MT371"),
                                       .order = "",
                                       .ideal = true,
                                       .every = every,
                                       .seed = 1,
                                       .only = only};
    wrong = how;
    enum err err = typetest_run(&o, &r, &(struct fault){message, sizeof message});
    wrong = RIGHT;
    if (err)
        fail_msg("%s", message);
    size_t n = r.n_failed;
    assert_true(r.n > 0);
    typetest_free(&r);
    return n;
}

static void typetest_passes_a_right_meter(void **state)
{
    (void)state;
    assert_int_equal(failed(RIGHT, "load,starting,no_load", 50), 0);
}

static void typetest_finds_a_gain_one_percent_off(void **state)
{
    (void)state;
    assert_true(failed(GAIN, "load", 50) > 0);
}

static void typetest_finds_a_current_one_sample_late(void **state)
{
    (void)state;
    assert_true(failed(DELAY, "load", 50) > 0);
}

static void typetest_finds_currents_exchanged(void **state)
{
    (void)state;
    assert_true(failed(SWAPPED, "load", 50) > 0);
}

static void typetest_finds_a_constant_one_pulse_off(void **state)
{
    (void)state;
    assert_true(failed(CONSTANT, "load", 50) > 0);
}

static void typetest_finds_a_starting_current_twice_too_high(void **state)
{
    (void)state;
    assert_true(failed(STARTING, "starting", 1) > 0);
}

static void typetest_finds_a_meter_that_creeps(void **state)
{
    (void)state;
    assert_true(failed(CREEPING, "no_load", 1) > 0);
}

static void typetest_finds_registers_behind_the_pulses(void **state)
{
    (void)state;
    assert_true(failed(LAGGING, "load", 50) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typetest_passes_a_right_meter),
        cmocka_unit_test(typetest_finds_a_gain_one_percent_off),
        cmocka_unit_test(typetest_finds_a_current_one_sample_late),
        cmocka_unit_test(typetest_finds_currents_exchanged),
        cmocka_unit_test(typetest_finds_a_constant_one_pulse_off),
        cmocka_unit_test(typetest_finds_a_starting_current_twice_too_high),
        cmocka_unit_test(typetest_finds_a_meter_that_creeps),
        cmocka_unit_test(typetest_finds_registers_behind_the_pulses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
