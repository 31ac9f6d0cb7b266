/* The legal part of an image for one model (LEGAL_ONE_MODEL): without a function its own values are
 * 0, and every other value, register, rest and pulse is the same to the last bit as with it, in
 * each wiring. Linked with a build of firmware/legal whose row changes here from case to case. */
#include "tests/firmware/legal/signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RATE 8000

static uint8_t n_phases;
static bool is_3wire;
static uint32_t features;
const struct legal_one legal_one = {
    .n_phases = &n_phases,
    .is_3wire = &is_3wire,
    .features = &features,
    .feature = {[LEGAL_NEUTRAL] = 1u << LEGAL_NEUTRAL,
                [LEGAL_HARMONICS] = 1u << LEGAL_HARMONICS,
                [LEGAL_APPARENT] = 1u << LEGAL_APPARENT,
                [LEGAL_LOSSES] = 1u << LEGAL_LOSSES},
};
static const uint32_t all = (1u << LEGAL_N_FUNCTIONS) - 1;

struct shown {
    struct legal_values values;
    struct legal_snapshot snapshot;
};

static struct legal_config config_of(enum legal_wiring wiring)
{
    struct legal_config c = signal_config();
    n_phases = wiring == LEGAL_1P2W ? 1 : 3;
    is_3wire = wiring == LEGAL_3P3W;
    c.wiring = wiring;
    c.n_phases = n_phases;
    c.n_rates = 2;
    c.loss = (struct legal_loss_config){20000, 30000, 90000, 80000};
    for (unsigned n = 0; n < AFE_N_CHANNELS; n++)
        c.calibration.channel[n] = (struct legal_channel_calibration){
            .gain_ppb = 1000000 * (int32_t)n, .delay_ns = 900 * (int32_t)n, .noise_q8 = 100 * n};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        c.calibration.phase[p].n_ct = 1;
        c.calibration.phase[p].ct[0] = (struct legal_ct_point){5000000, 2000000, 3000000};
    }
    return c;
}

/* Unbalanced, with harmonics, direct components, reactive power and a leak past the meter. */
static struct signal load_of(enum legal_wiring wiring)
{
    struct signal s = signal_balanced(50.07, RATE, 7, 25);
    s.u[1] = 226;
    s.i[1] = 4;
    s.lag[2] = -160;
    s.u_dc = 1.5;
    s.i_dc = 0.2;
    s.bypass = 0.1;
    s.line[0] = (struct signal_line){3, 0.04, 0.3, 10, 70};
    s.line[1] = (struct signal_line){7, 0.02, 0.1, 40, 20};
    s.present = wiring == LEGAL_1P2W
                    ? 1u << AFE_U1 | 1u << AFE_I1
                    : legal_wiring_phases(wiring) << AFE_U1 | legal_wiring_phases(wiring) << AFE_I1;
    if (wiring != LEGAL_3P3W)
        s.present |= 1u << AFE_IN;
    return s;
}

static struct shown measure(enum legal_wiring wiring, uint32_t has)
{
    static struct legal meter;
    const struct legal_config c = config_of(wiring);
    const struct signal s = load_of(wiring);
    struct shown x;
    memset(&x, 0, sizeof x);
    features = has;
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    signal_seconds(&meter, &s, 2.4);
    legal_flush(&meter);
    legal_values_get(&meter, &x.values);
    legal_snapshot_get(&meter, &x.snapshot);
    assert_true(x.values.sequence > 0);
    return x;
}

/* What legal_config.h says of the function; true: something of it was there. */
static bool take(struct shown *x, enum legal_function f)
{
    struct legal_values *v = &x->values;
    uint64_t had = 0;
    switch (f) {
    case LEGAL_NEUTRAL:
        had = v->in_ua | v->in_sum_ua | v->i_diff_ua;
        v->in_ua = v->in_sum_ua = v->i_diff_ua = 0;
        break;
    case LEGAL_HARMONICS:
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
            had |= v->phase[p].thd_u_ppm | v->phase[p].thd_i_ppm;
            v->phase[p].thd_u_ppm = v->phase[p].thd_i_ppm = 0;
        }
        break;
    case LEGAL_APPARENT:
        had = v->s_vector_mva | v->fryze_mvar;
        v->s_vector_mva = v->fryze_mvar = 0;
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
            v->phase[p].fryze_mvar = 0;
        break;
    default:
        for (unsigned k = 0; k < LEGAL_N_LOSSES; k++)
            had |= x->snapshot.energy.loss[k] | x->snapshot.loss_rest[k];
        memset(x->snapshot.energy.loss, 0, sizeof x->snapshot.energy.loss);
        memset(x->snapshot.loss_rest, 0, sizeof x->snapshot.loss_rest);
    }
    return had != 0;
}

static void compare(enum legal_wiring wiring, uint32_t has)
{
    struct shown want = measure(wiring, all), got = measure(wiring, has);
    for (unsigned f = 0; f < LEGAL_N_FUNCTIONS; f++) {
        if (has >> f & 1)
            continue;
        const bool had = take(&want, (enum legal_function)f);
        assert_int_equal(had, f != LEGAL_NEUTRAL || wiring != LEGAL_3P3W); /* it has no neutral */
        assert_false(take(&got, (enum legal_function)f));
    }
    assert_memory_equal(&got.values, &want.values, sizeof want.values);
    assert_memory_equal(&got.snapshot, &want.snapshot, sizeof want.snapshot);
}

static void without_a_function_all_else_is_the_same(void **state)
{
    (void)state;
    for (unsigned w = LEGAL_1P2W; w <= LEGAL_3P3W; w++) {
        for (unsigned f = 0; f < LEGAL_N_FUNCTIONS; f++)
            compare((enum legal_wiring)w, all & ~(1u << f));
        compare((enum legal_wiring)w, 0);
    }
}

static void another_wiring_than_the_row_is_refused(void **state)
{
    (void)state;
    static struct legal meter;
    const struct legal_config c = config_of(LEGAL_3P4W);
    is_3wire = true;
    assert_int_equal(legal_init(&meter, &c), ERR_RANGE);
    is_3wire = false;
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_function_all_else_is_the_same),
        cmocka_unit_test(another_wiring_than_the_row_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
