/* Rows of the ledger about energies, powers and LED constants. */
#include "tests/claims/claims.h"

#define CODES(...) ((const uint8_t[]){__VA_ARGS__, 0})

static void claim_MT371_ENERGY_ACTIVE(void **state)
{
    (void)state;
    claim_energies_hold("MT371", CODES(1, 2), true);
}

static void claim_MT371_ENERGY_REACTIVE(void **state)
{
    (void)state;
    claim_energies_hold("MT371", CODES(3, 4), true);
    struct rig *r = claim_meter("MT371", MODEL_REACTIVE);
    struct claim_book book = {0};
    struct claim_load l = claim_load(r, 0.5, 45);
    claim_feed(r, &l, 5, 1600);
    claim_count(&book, &l, 3, 5);
    claim_check_energies(r, &book, CODES(1, 2), true, 0.001);
    assert_true(rig_connect(r, METER_SAP_READER));
    for (unsigned phase = 0; phase < 4; phase++) {
        for (unsigned c = 3; c <= 8; c++) {
            char obis[24];
            snprintf(obis, sizeof obis, "1-0:%u.8.0.255", c + 20 * phase);
            assert_true(claim_lacks(r, 3, obis));
        }
    }
    assert_true(claim_lacks(r, 3, "1-0:0.3.1.255")); /* nor a constant of its LED */
    rig_release(r);
    rig_free(r);
}

static void claim_MT371_ENERGY_APPARENT(void **state)
{
    (void)state;
    claim_energies_hold("MT371", CODES(9, 10), true);
}

static const char *const sx402[] = {"SM402D", "ST402D", "ST402C"};
#define SX402_LIST CODES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15)

static void claim_SX402_ENERGY(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        claim_energies_hold(sx402[i], SX402_LIST, false);
}

static void claim_SX402_POWER(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        claim_powers_hold(sx402[i], SX402_LIST, false);
}

/* The one phase of SM402D is its total. */
static void claim_SX402_PERPHASE(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        claim_energies_hold(sx402[i], SX402_LIST, true);
        claim_powers_hold(sx402[i], SX402_LIST, true);
    }
}

static void claim_ESOX_ENERGY(void **state)
{
    (void)state;
    claim_energies_hold("SMARTESOX-P", CODES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), false);
}

static void claim_ESOX_POWER_INSTANT(void **state)
{
    (void)state;
    claim_powers_hold("SMARTESOX-P", CODES(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), true);
}

static void claim_SM307_ENERGY(void **state)
{
    (void)state;
    claim_energies_hold("SM307", CODES(1, 2, 15, 3, 4, 130), false);
}

static const char *const ad1x[] = {"AD11A", "AD13A"};

static void claim_AD1X_ENERGY(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        claim_energies_hold(ad1x[i], CODES(1, 2), true);
}

static void claim_AD1X_QUADRANTS(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        claim_energies_hold(ad1x[i], CODES(5, 6, 7, 8), true);
}

static void claim_AD1X_APPARENT(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        claim_energies_hold(ad1x[i], CODES(9, 10), true);
}

/* ---- LED constants ---- */

/* Pulses of both LEDs over half an hour in each quadrant: the constant is what the meter states and
 * what the registers say, less than a pulse apart (and the register's own unit). */
static void constant_holds(const char *model, double constant)
{
    static const double lags[] = {35, 140, -150, -40};
    struct rig *r = claim_meter(model, 0);
    for (size_t i = 0; i < sizeof lags / sizeof lags[0]; i++) {
        struct claim_load l = claim_load(r, 0.9, lags[i]);
        struct legal_snapshot led;
        claim_live(r, &l, 1800);
        legal_snapshot_get(&r->meter.legal, &led);
        assert_true(rig_connect(r, METER_SAP_READER));
        claim_near("stated per kWh", claim_get(r, "1-0:0.3.0.255", COSEM_UNIT_PER_WH) * 1000,
                   constant, 1e-6);
        claim_near("stated per kvarh", claim_get(r, "1-0:0.3.1.255", COSEM_UNIT_PER_VARH) * 1000,
                   constant, 1e-6);
        double wh = claim_get(r, "1-0:1.8.0.255", COSEM_UNIT_WH) +
                    claim_get(r, "1-0:2.8.0.255", COSEM_UNIT_WH);
        double varh = claim_get(r, "1-0:3.8.0.255", COSEM_UNIT_VARH) +
                      claim_get(r, "1-0:4.8.0.255", COSEM_UNIT_VARH);
        rig_release(r);
        assert_true(led.pulses_active > 100 && led.pulses_reactive > 100);
        claim_near("Wh of the LED", (double)led.pulses_active * 1000 / constant, wh,
                   1000 / constant + 0.2);
        claim_near("varh of the LED", (double)led.pulses_reactive * 1000 / constant, varh,
                   1000 / constant + 0.2);
    }
    rig_free(r);
}

static void claim_ESOX_CONSTANT(void **state)
{
    (void)state;
    constant_holds("SMARTESOX-P", 20000);
}

static void claim_SM307_CONSTANT(void **state)
{
    (void)state;
    constant_holds("SM307", 10000);
}

static void claim_AD1X_CONSTANT(void **state)
{
    (void)state;
    constant_holds("AD11A", 1000);
    constant_holds("AD13A", 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_ENERGY_ACTIVE),
        cmocka_unit_test(claim_MT371_ENERGY_REACTIVE),
        cmocka_unit_test(claim_MT371_ENERGY_APPARENT),
        cmocka_unit_test(claim_SX402_ENERGY),
        cmocka_unit_test(claim_SX402_POWER),
        cmocka_unit_test(claim_SX402_PERPHASE),
        cmocka_unit_test(claim_ESOX_ENERGY),
        cmocka_unit_test(claim_ESOX_POWER_INSTANT),
        cmocka_unit_test(claim_ESOX_CONSTANT),
        cmocka_unit_test(claim_SM307_ENERGY),
        cmocka_unit_test(claim_SM307_CONSTANT),
        cmocka_unit_test(claim_AD1X_ENERGY),
        cmocka_unit_test(claim_AD1X_QUADRANTS),
        cmocka_unit_test(claim_AD1X_APPARENT),
        cmocka_unit_test(claim_AD1X_CONSTANT),
    };
    return cmocka_run_group_tests_name("claims_energy", tests, NULL, NULL);
}
