/* Registers as shown: what makes them up, roll-over, primary values, transformer losses. */
#include "tests/firmware/meter/rig.h"

#include "firmware/meter/meter_energy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UWH_PER_KWH UINT64_C(1000000000)

static int64_t shown(const struct model_meter *m, const struct legal_energies *e,
                     enum model_quantity q, uint8_t phase, uint8_t rate)
{
    return meter_energy_shown(m, e, (struct meter_register){q, phase, rate});
}

static void register_is_made_of_its_quadrants_and_cut_off(void **state)
{
    (void)state;
    static struct legal_energies e;
    const struct model_meter *m = model_meter_find("ST402C"); /* 0.01 Wh: 10 000 units */
    for (unsigned k = 0; k < LEGAL_N_ENERGIES; k++) {
        e.total[k] = 10000 * (UINT64_C(1) << 4 * k) + 9999;
        e.phase[2][k] = 10000 * (k + 1);
        e.rate[7][k] = 20000 * (k + 1) + 1;
    }
    assert_int_equal(shown(m, &e, MODEL_A_IMPORT, 0, 0), 1);
    assert_int_equal(shown(m, &e, MODEL_R_IMPORT, 0, 0), 0x1100 + 1); /* 2 x 0.9999 is 1 more */
    assert_int_equal(shown(m, &e, MODEL_R_ABSOLUTE, 0, 0), 0x111100 + 3);
    assert_int_equal(shown(m, &e, MODEL_A_NET, 0, 0), -0xF);
    assert_int_equal(shown(m, &e, MODEL_S_EXPORT, 3, 0), 8);
    assert_int_equal(shown(m, &e, MODEL_A_NET, 3, 0), -1);
    assert_int_equal(shown(m, &e, MODEL_R_QIV, 0, 8), 12);
    assert_int_equal(meter_energy(m, &e, MODEL_A_ABSOLUTE, 0), 0x11 + 1);
}

static void register_rolls_over_at_eight_digits_of_kwh(void **state)
{
    (void)state;
    static struct legal_energies e;
    for (size_t i = 0; model_meter_at(i) != NULL; i++) {
        const struct model_meter *m = model_meter_at(i);
        const uint64_t unit = m->energy_scaler == -2 ? 10000 : 100000;
        const uint64_t last = 100000000 * UWH_PER_KWH / unit - 1;
        assert_int_equal(m->kwh_digits, 8);
        assert_int_equal(meter_energy_modulus(m), last + 1);
        e.total[LEGAL_A_IMPORT] = 100000000 * UWH_PER_KWH - 1;
        assert_int_equal(meter_energy(m, &e, MODEL_A_IMPORT, 0), last);
        e.total[LEGAL_A_IMPORT]++;
        assert_int_equal(meter_energy(m, &e, MODEL_A_IMPORT, 0), 0);
        assert_int_equal(meter_energy_since(m, 7, last), 8);
        assert_int_equal(meter_energy_since(m, last, 7), last - 7);
        assert_int_equal(meter_energy_since(m, 7, 8), 0); /* backward: no roll-over */
        assert_int_equal(meter_energy_since(m, 0, UINT64_MAX), 0);
    }
}

/* A meter whose register stands a little below the end, lived over it. */
static void profile_goes_on_over_the_roll_over(void **state)
{
    (void)state;
    struct rig *r = rig_new("SM307", "2026-05-01T22:00:00", "synth:phases=3,u=110,i=8");
    struct legal_snapshot s;
    meter_end(&r->meter);
    flash_emu_free(&r->emu);
    flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(r->config.model));
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    legal_snapshot_get(&r->meter.legal, &s);
    s.energy.total[LEGAL_A_IMPORT] = 100000000 * UWH_PER_KWH - 1500000000; /* 1.5 kWh below */
    s.energy.rate[0][LEGAL_A_IMPORT] = s.energy.total[LEGAL_A_IMPORT];
    assert_int_equal(legal_snapshot_set(&r->meter.legal, &s), ERR_OK);
    uint64_t before = meter_energy(r->config.model, &s.energy, MODEL_A_IMPORT, 0);
    r->meter.profile[MODEL_LP1].base[0] = (uint32_t)before;
    /* cut where it stands just behind the border, in the interval that it rolled over in */
    rig_live(r, 36 * 60);
    assert_true(rig_value(r, 3, "1-0:1.8.0.255", 2) < 20000);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 0), ERR_OK);
    rig_live(r, 4 * 3600 - 36 * 60);
    assert_int_equal(rig_value(r, 3, "1-0:1.8.1.255", 2), rig_value(r, 3, "1-0:1.8.0.255", 2));
    assert_in_range(rig_value(r, 5, "1-0:1.4.0.255", 3), 26380, 26420); /* demand knows no end */
    struct meter_row row[32];
    size_t n = rig_rows(r, row, 32);
    uint64_t sum = 0;
    bool rolled = false;
    for (size_t i = 0; i < n; i++) {
        sum += row[i].interval[0];
        rolled = rolled || row[i].reg[0] < before;
        /* 3 x 110 V x 8 A for a quarter of an hour in 0.01 Wh */
        assert_in_range(row[i].interval[0], 65900, 66100);
    }
    assert_true(rolled && n == 16);
    assert_int_equal((before + sum) % meter_energy_modulus(r->config.model), row[n - 1].reg[0]);
    assert_int_equal(rig_value(r, 3, "1-0:1.8.0.255", 2), row[n - 1].reg[0]);
    rig_free(r);
}

/* Reference by long arithmetic of the compiler, which the firmware does without. */
static void primary_is_secondary_times_the_ratio_to_the_last_unit(void **state)
{
    (void)state;
    static const uint32_t ratio[][4] = {
        {1, 1, 1, 1}, {100, 1, 1, 1}, {4000, 220000, 5, 110}, {1000000, 1000000, 100, 100},
        {9, 1, 1, 1}, {3, 1, 7, 100}, {1000, 10000, 999, 7}};
    static struct legal_energies e;
    const struct model_meter *m = model_meter_find("SMARTESOX-P");
    uint64_t x = 12345;
    for (size_t k = 0; k < sizeof ratio / sizeof ratio[0]; k++) {
        struct meter_ratio r;
        memcpy(r.part, ratio[k], sizeof r.part);
        assert_true(meter_ratio_valid(&r));
        double real = (double)ratio[k][0] * ratio[k][1] / ratio[k][2] / ratio[k][3];
        uint64_t by = 10000;
        int8_t decades = meter_ratio_decades(&r);
        for (int8_t d = 0; d < decades; d++)
            by *= 10;
        assert_true((double)by * 10 > real * 10000);
        assert_true(decades == 0 || (double)by <= real * 10000);
        for (int i = 0; i < 200; i++) {
            x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
            e.total[LEGAL_A_EXPORT] = x >> (i % 30);
            __extension__ typedef unsigned __int128 wide;
            wide want = (wide)e.total[LEGAL_A_EXPORT] * ratio[k][0] * ratio[k][1] /
                        ((wide)ratio[k][2] * ratio[k][3] * by) % meter_energy_modulus(m);
            struct meter_register w = {MODEL_A_EXPORT, 0, 0};
            assert_int_equal(meter_energy_primary(m, &e, w, &r), (uint64_t)want);
            w.q = MODEL_A_NET;
            assert_int_equal(meter_energy_primary(m, &e, w, &r), -(int64_t)(uint64_t)want);
        }
    }
}

static void ratio_has_limits(void **state)
{
    (void)state;
    static const uint32_t bad[][4] = {{0, 1, 1, 1},     {1, 1, 0, 1},          {1, 0, 1, 1},
                                      {10001, 1, 1, 1}, {1, 1000001, 1, 1000}, {1, 2000, 1, 1001},
                                      {1, 10001, 1, 1}};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        struct meter_ratio r;
        memcpy(r.part, bad[k], sizeof r.part);
        assert_false(meter_ratio_valid(&r));
    }
    struct meter_ratio r = {{4000, 35000, 5, 100}};
    assert_int_equal(meter_ratio_current(&r, 5000), 4000000);
    assert_int_equal(meter_ratio_voltage(&r, 5773), 2020550);
    assert_int_equal(meter_ratio_power(&r, UINT64_MAX, 1), UINT64_MAX);
}

static void losses_are_shown_by_direction_and_summed(void **state)
{
    (void)state;
    static struct legal_energies e;
    const struct model_meter *m = model_meter_find("SMARTESOX-P");
    for (unsigned k = 0; k < LEGAL_I2T; k++)
        e.loss[k] = 10000 * (UINT64_C(1) << 4 * k);
    static const uint64_t want[2][9] = {
        {0x1, 0x10, 0x11, 0x100, 0x1000, 0x1100, 0x101, 0x1010, 0x1111},
        {0x10000, 0x100000, 0x110000, 0x1000000, 0x10000000, 0x11000000, 0x1010000, 0x10100000,
         0x11110000}};
    for (uint8_t k = 0; k < 9; k++) {
        assert_int_equal(meter_energy_loss(m, &e, false, k), want[0][k]);
        assert_int_equal(meter_energy_loss(m, &e, true, k), want[1][k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(register_is_made_of_its_quadrants_and_cut_off),
        cmocka_unit_test(register_rolls_over_at_eight_digits_of_kwh),
        cmocka_unit_test(profile_goes_on_over_the_roll_over),
        cmocka_unit_test(primary_is_secondary_times_the_ratio_to_the_last_unit),
        cmocka_unit_test(ratio_has_limits),
        cmocka_unit_test(losses_are_shown_by_direction_and_summed),
    };
    return cmocka_run_group_tests_name("meter_energy", tests, NULL, NULL);
}
