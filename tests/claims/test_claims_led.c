/* Rows of the ledger about the metrological LEDs: what they show, seen from outside as a
 * photo-detector on a bench sees them. */
#include "tests/claims/claims.h"

#include <math.h>

#define RATE     3200.0
#define SETTLE_S 1.5 /* windows are whole by then */
#define RADIAN   (3.14159265358979323846 / 180)

/* ---- the detector ---- */

static struct {
    size_t n;
    double first_s, last_s, shortest_s, longest_s;
} led[2]; /* enum legal_led */

static void see(void *context, enum legal_led which, uint32_t at_q16)
{
    (void)context;
    double now = ((double)claim_samples + at_q16 / 65536.0) / RATE;
    double gap = now - led[which].last_s;
    if (now < SETTLE_S)
        return;
    if (led[which].n == 0)
        led[which].first_s = now;
    if (led[which].n == 1)
        led[which].shortest_s = led[which].longest_s = gap;
    if (led[which].n > 1) {
        led[which].shortest_s = fmin(led[which].shortest_s, gap);
        led[which].longest_s = fmax(led[which].longest_s, gap);
    }
    led[which].last_s = now;
    led[which].n++;
}

/* ---- what is right ---- */

/* Sum of P or Q over the phases, in kW or kvar. */
static double kilo(const struct rig *r, const struct claim_load *l, bool reactive)
{
    double sum = 0;
    for (unsigned p = 0; p < claim_phases(r); p++) {
        double angle = l->lag[p] * RADIAN;
        sum += l->u[p] * l->i[p] * (reactive ? sin(angle) : cos(angle)) * 1e-3;
    }
    return sum;
}

/* Blinks in proportion to what flows, evenly, in each direction; dark where none of its kind does:
 * a thousandth of the apparent power is what rounding may leave, below a pulse in this time. */
static void blinks(const struct rig *r, enum legal_led which, double kilowatt, double constant)
{
    double hertz = fabs(kilowatt) * constant / 3600;
    if (hertz < 0.05) {
        assert_true(led[which].n <= 1);
        return;
    }
    assert_true(led[which].n > 10);
    double seconds = led[which].last_s - led[which].first_s;
    claim_near(r->config.model->name, (double)(led[which].n - 1) / seconds, hertz, 0.0015 * hertz);
    claim_near("shortest gap", led[which].shortest_s, 1 / hertz, 0.02 / hertz + 2 / RATE);
    claim_near("longest gap", led[which].longest_s, 1 / hertz, 0.02 / hertz + 2 / RATE);
}

static void watch(struct rig *r, double part, double lag, double constant, bool reactive)
{
    struct claim_load l = claim_load(r, part, lag);
    for (unsigned p = 0; p < claim_phases(r); p++)
        l.lag[p] = lag;
    memset(led, 0, sizeof led);
    legal_pulse_observe(&r->meter.legal, see, NULL);
    claim_feed(r, &l, 14, RATE);
    legal_pulse_observe(&r->meter.legal, NULL, NULL);
    blinks(r, LEGAL_LED_ACTIVE, kilo(r, &l, false), constant);
    if (reactive)
        blinks(r, LEGAL_LED_REACTIVE, kilo(r, &l, true), constant);
}

/* Twice the load blinks twice as fast; both directions, both LEDs, each LED alone. */
static void leds_hold(struct rig *r, double constant, bool reactive)
{
    static const struct {
        double part, lag;
    } loads[] = {{0.3, 0}, {0.6, 0}, {0.6, 180}, {0.6, 90}, {0.6, -90}, {0.9, 40}, {0.9, -140}};
    for (size_t k = 0; k < sizeof loads / sizeof loads[0]; k++)
        watch(r, loads[k].part, loads[k].lag, constant, reactive);
}

/* ---- the rows ---- */

static void claim_MT371_LED(void **state)
{
    (void)state;
    struct rig *r = claim_meter("MT371", 0);
    leds_hold(r, 1000, true);
    rig_free(r);
    r = claim_meter_ordered("MT371", "noreactive");
    leds_hold(r, 1000, false);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(claim_lacks(r, 3, "1-0:0.3.1.255")); /* no second LED, no constant */
    rig_release(r);
    rig_free(r);
}

static void claim_AD1X_TESTOUT(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    for (size_t i = 0; i < 2; i++) {
        struct rig *r = claim_meter(models[i], 0);
        leds_hold(r, 1000, true);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_LED),
        cmocka_unit_test(claim_AD1X_TESTOUT),
    };
    return cmocka_run_group_tests_name("claims_led", tests, NULL, NULL);
}
