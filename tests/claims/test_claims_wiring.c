/* Rows of the ledger about how a meter is connected, and what the connection must not raise. */
#include "tests/claims/claims.h"

#include "firmware/pq/pq.h"

#include <math.h>

#define RADIAN (3.14159265358979323846 / 180)

/* Bit k: enum pq_kind k is present. */
static uint32_t alarms(struct rig *r)
{
    return (uint32_t)rig_value(r, 1, "0-0:97.98.9.255", 2);
}

static double get(struct rig *r, const char *obis, uint8_t unit)
{
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    double v = claim_get(r, obis, unit);
    rig_release(r);
    return v;
}

/* ---- two and three elements ---- */

/* What the two elements of a three-wire connection see of a load whose phase currents add up to
 * zero: U12 with I1, U32 with I3. Lags are against the element's own voltage. */
static struct claim_load two_elements(double un, double i, double lag)
{
    return (struct claim_load){.f = 50,
                               .u = {un * sqrt(3), 0, un * sqrt(3)},
                               .u_deg = {30, 0, 90},
                               .i = {i, 0, i},
                               .lag = {lag + 30, 0, lag - 30}};
}

/* As delivered it is no event: there are registers for it. */
static void watch_what_flows_back(struct rig *r)
{
    assert_int_equal(meter_limit(&r->meter, PQ_REVERSED_CURRENT, METER_LIMIT_ON), 0);
    assert_int_equal(
        meter_limit_set(&r->meter, METER_SAP_MANAGER, PQ_REVERSED_CURRENT, METER_LIMIT_ON, 2000),
        ERR_OK);
}

static void feed_and_check(struct rig *r, const struct claim_load *l, double s, double p, double q)
{
    claim_feed(r, l, 20, 1600);
    claim_near("P", get(r, "1-0:1.7.0.255", COSEM_UNIT_W) - get(r, "1-0:2.7.0.255", COSEM_UNIT_W),
               p, 0.001 * s + 0.2);
    claim_near("Q",
               get(r, "1-0:3.7.0.255", COSEM_UNIT_VAR) - get(r, "1-0:4.7.0.255", COSEM_UNIT_VAR), q,
               0.001 * s + 0.2);
    /* what flows back is told, and rightly */
    assert_int_equal(alarms(r), p < 0 ? 1u << PQ_REVERSED_CURRENT : 0);
}

/* Balanced in all quadrants: neither the missing voltage and current of L2 nor the elements'
 * unequal powers are a fault. Then a load between two lines only, as unbalanced as three wires can
 * be. */
static void three_wires(const char *order, double un)
{
    static const double lag[] = {0, 40, -60, 150, -120};
    struct rig *r = claim_meter_ordered("SMARTESOX-P", order);
    watch_what_flows_back(r);
    double i = 4, s = 3 * un * i;
    for (size_t k = 0; k < sizeof lag / sizeof lag[0]; k++) {
        struct claim_load l = two_elements(un, i, lag[k]);
        feed_and_check(r, &l, s, s * cos(lag[k] * RADIAN), s * sin(lag[k] * RADIAN));
    }
    struct claim_load between = two_elements(un, 0, 0); /* L1 to L2 */
    between.i[0] = i;
    between.lag[0] = 0;
    claim_feed(r, &between, 100, 1600);
    claim_near("P", get(r, "1-0:1.7.0.255", COSEM_UNIT_W), un * sqrt(3) * i, 0.001 * s);
    assert_int_equal(alarms(r), 1u << PQ_UNBALANCE_I); /* which is true; nothing else is */
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    assert_true(claim_lacks(r, 3, "1-0:91.7.0.255"));  /* current in the neutral */
    assert_true(claim_lacks(r, 3, "1-0:52.7.0.255"));  /* voltage of L2 */
    assert_true(claim_lacks(r, 3, "1-0:134.7.0.255")); /* computed neutral */
    rig_release(r);
    rig_free(r);
}

static void four_wires(const char *order, double un)
{
    static const double lag[] = {0, 40, -60, 150, -120};
    struct rig *r = claim_meter_ordered("SMARTESOX-P", order);
    watch_what_flows_back(r);
    for (size_t k = 0; k < sizeof lag / sizeof lag[0]; k++) {
        struct claim_load l = claim_load(r, 0, lag[k]);
        for (unsigned p = 0; p < 3; p++) {
            l.u[p] = un;
            l.i[p] = 4;
            l.lag[p] = lag[k];
        }
        l.neutral = true;
        double s = 12 * un;
        feed_and_check(r, &l, s, s * cos(lag[k] * RADIAN), s * sin(lag[k] * RADIAN));
    }
    rig_free(r);
}

static void claim_ESOX_WIRING(void **state)
{
    (void)state;
    three_wires("3wire", 230);
    three_wires("58v,3wire", 57.735);
    four_wires("", 230);
    four_wires("58v", 57.735);
}

/* ---- fewer phases than there are ---- */

/* A minute and more, so that every kind of supervision has had its time. */
static void claim_MT371_MULTIPHASE(void **state)
{
    (void)state;
    static const uint8_t codes[] = {1, 2, 3, 4, 0};
    static const char *const orders[] = {"1phase", ""};
    uint32_t raised[2];
    for (size_t k = 0; k < 2; k++) { /* one phase connected to each */
        struct rig *r = claim_meter_ordered("MT371", orders[k]);
        struct claim_load l = claim_load(r, 0.5, 20);
        struct claim_book book = {0};
        for (unsigned p = 1; p < 3; p++)
            l.u[p] = l.i[p] = 0;
        claim_feed(r, &l, 100, 1600);
        claim_count(&book, &l, 3, 100);
        claim_check_energies(r, &book, codes, false, 0.001);
        raised[k] = alarms(r);
        rig_free(r);
    }
    assert_int_equal(raised[0], 0); /* set so: no fault */
    assert_true(raised[1] != 0);    /* not set so: the same is one */
    struct rig *r = claim_meter("MT371", 0);
    struct claim_load l = claim_load(r, 0.5, 20);
    struct claim_book book = {0};
    for (unsigned p = 0; p < 3; p++) {
        l.u[p] = 230;
        l.i[p] = 40;
        l.lag[p] = 20;
    }
    claim_feed(r, &l, 100, 1600);
    claim_count(&book, &l, 3, 100);
    claim_check_energies(r, &book, codes, true, 0.001);
    assert_int_equal(alarms(r), 0);
    rig_free(r);
}

/* ---- neutral ---- */

/* Phase and neutral of a load that leaks past the neutral, and of one that does not. */
static void claim_AD1X_INSTANT(void **state)
{
    (void)state;
    static const char *const models[] = {"AD11A", "AD13A"};
    static const double stray[] = {0, 0.4, 6};
    for (size_t i = 0; i < 2; i++) {
        struct rig *r = claim_meter(models[i], 0);
        for (size_t k = 0; k < 3; k++) {
            struct claim_load l = claim_load(r, 0.2, 25);
            double re = -stray[k] * cos(l.lag[0] * RADIAN), im = stray[k] * sin(l.lag[0] * RADIAN);
            l.neutral = true;
            l.stray = stray[k];
            claim_feed(r, &l, 4, 3200);
            for (unsigned p = 0; p < claim_phases(r); p++) {
                double angle = (l.u_deg[p] - l.lag[p]) * RADIAN;
                char obis[24];
                re += l.i[p] * cos(angle);
                im += l.i[p] * sin(angle);
                snprintf(obis, sizeof obis, "1-0:%u.7.0.255", 32 + 20 * p);
                claim_near(obis, get(r, obis, COSEM_UNIT_V), l.u[p], 0.0005 * l.u[p] + 0.01);
                snprintf(obis, sizeof obis, "1-0:%u.7.0.255", 31 + 20 * p);
                claim_near(obis, get(r, obis, COSEM_UNIT_A), l.i[p], 0.0005 * l.i[p] + 0.001);
            }
            double in = hypot(re, im);
            claim_near("neutral", get(r, "1-0:91.7.0.255", COSEM_UNIT_A), in, 0.001 * in + 0.002);
            claim_near("difference", get(r, "1-0:133.7.0.255", COSEM_UNIT_A), stray[k], 0.005);
        }
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_ESOX_WIRING),
        cmocka_unit_test(claim_MT371_MULTIPHASE),
        cmocka_unit_test(claim_AD1X_INSTANT),
    };
    return cmocka_run_group_tests_name("claims_wiring", tests, NULL, NULL);
}
