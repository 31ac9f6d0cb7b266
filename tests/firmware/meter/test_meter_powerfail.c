/* A scripted stretch of a meter's life with the power cut at its flash operations: after each
 * restart nothing a client was told is lost, no row is lost or doubled, no counter repeats.
 *
 * Each minute is lived once without a cut to count its operations, then again from a copy of the
 * meter and its flash for each cut. Without arguments three hours, every 11th operation, the tears
 * by turns; with `full` a whole day and every operation. */
#include "tests/firmware/meter/rig.h"

#include "firmware/meter/meter_tell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOAD "synth:phases=3,u=230,i=11,pf=0.9"

#define AFTER_MINUTES 17 /* lived on after a cut: one interval ends at least */

static uint32_t script_minutes = 180;
static uint32_t step = 11; /* every n-th operation is cut */

struct told { /* what a client knows */
    struct legal_energies energies;
    uint32_t row_number, counter;
    int16_t zone, old_zone; /* either after a write that was not acknowledged */
    int64_t clock_s;
};

static void tell(struct rig *r, struct told *t)
{
    const struct legal_energies *now = meter_told(&r->meter);
    if (meter_sync(&r->meter) != ERR_OK)
        return;
    t->energies = *now;
    t->row_number = r->meter.profile[MODEL_LP1].last.number;
    t->clock_s = meter_now_s(&r->meter);
}

/* What happens in a minute of the script, beside living. */
static void act(struct rig *r, struct told *t, uint32_t minute)
{
    uint32_t counter;
    int64_t ahead = (meter_now_s(&r->meter) + 20 * 60) * METER_NS;
    if (minute % 7 == 3)
        tell(r, t);
    if (minute % 2 == 1 && dlms_counter_take(&r->meter.server.tx, &counter) == ERR_OK) {
        assert_true(counter >= t->counter);
        t->counter = counter + 1;
        r->meter.server.tx.next += 100; /* a busy client */
        if (r->meter.server.tx.next > r->meter.server.tx.limit)
            r->meter.server.tx.next = r->meter.server.tx.limit;
    }
    if (minute == 50)
        (void)!meter_clock_change(&r->meter, ahead);
    if (minute == 70)
        (void)!meter_profile_capture(&r->meter, MODEL_LP1);
    if (minute == 95) {
        t->old_zone = t->zone;
        const struct meter_clock before = r->meter.clock;
        t->zone = r->meter.clock.zone_min = -120;
        if (meter_clock_rules(&r->meter, &before) == ERR_OK)
            t->old_zone = t->zone;
    }
    if (minute == 100)
        (void)!meter_power_fail(&r->meter);
}

static void check(struct rig *r, const struct told *t)
{
    struct legal_energies now;
    legal_energies_get(&r->meter.legal, &now);
    assert_int_equal(r->meter.fault, ERR_OK);
    for (size_t e = 0; e < LEGAL_N_ENERGIES; e++) {
        assert_true(now.total[e] >= t->energies.total[e]);
        for (size_t p = 0; p < LEGAL_N_PHASES; p++)
            assert_true(now.phase[p][e] >= t->energies.phase[p][e]);
    }
    assert_true(r->meter.profile[MODEL_LP1].last.number >= t->row_number);
    assert_false(r->meter.profile[MODEL_LP1].is_owed);
    assert_true(r->meter.server.tx.next >= t->counter);
    assert_true(r->meter.clock.zone_min == t->zone || r->meter.clock.zone_min == t->old_zone);
    assert_true(meter_now_s(&r->meter) >= t->clock_s);
    rig_check_rows(r);
}

/* A copy of everything that a minute changes. The meter holds pointers into itself and is restored
 * to its own place; the load is steady and needs none. */
struct copy {
    struct meter meter;
    struct flash_emu emu;
    struct told told;
    uint8_t *octets;
};

static void save(struct copy *c, const struct rig *r, const struct told *t)
{
    c->meter = r->meter;
    c->emu = r->emu;
    c->told = *t;
    memcpy(c->octets, r->emu.octets, flash_emu_size(&r->emu));
}

static void restore(const struct copy *c, struct rig *r, struct told *t)
{
    uint32_t n_violations = r->emu.n_violations;
    r->meter = c->meter;
    r->emu = c->emu;
    r->emu.n_violations = n_violations;
    *t = c->told;
    memcpy(r->emu.octets, c->octets, flash_emu_size(&r->emu));
}

static void live_minute(struct rig *r, struct told *t, uint32_t minute)
{
    rig_live(r, 60);
    act(r, t, minute);
}

static void cut_minute(struct rig *r, struct told *t, uint32_t minute, uint32_t op, enum tear tear)
{
    flash_emu_power(&r->emu, op, tear);
    live_minute(r, t, minute);
    assert_true(r->emu.dead);
    flash_emu_power(&r->emu, 0, TEAR_NOTHING);
    assert_int_equal(rig_power_up(r, op % 3 == 0 ? 2000 : 1), ERR_OK);
    check(r, t);
    rig_live(r, AFTER_MINUTES * 60);
    tell(r, t);
    check(r, t);
}

static void meter_loses_nothing_told_when_cut_at_every_write(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-03-28T23:52:00", LOAD);
    struct told t = {.zone = -60, .old_zone = -60};
    struct copy before, after;
    uint32_t n_ops = 0, n_cuts = 0, next = 1;
    before.octets = malloc(flash_emu_size(&r->emu));
    after.octets = malloc(flash_emu_size(&r->emu));
    assert_non_null(before.octets);
    assert_non_null(after.octets);
    for (uint32_t minute = 0; minute < script_minutes; minute++) {
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        save(&before, r, &t);
        live_minute(r, &t, minute);
        uint32_t n = r->emu.n_ops;
        save(&after, r, &t);
        for (; next <= n_ops + n; next += step) {
            restore(&before, r, &t);
            cut_minute(r, &t, minute, next - n_ops, (enum tear)(n_cuts++ % N_TEARS));
        }
        n_ops += n;
        restore(&after, r, &t);
    }
    printf("%u operations, %u cuts\n", (unsigned)n_ops, (unsigned)n_cuts);
    assert_true(n_ops > script_minutes); /* at least a snapshot a minute was there to cut */
    assert_true(n_cuts >= n_ops / step);
    free(before.octets);
    free(after.octets);
    rig_free(r);
}

/* The first start is cut, too: formatting, model, keys. */
static void meter_starts_after_a_cut_in_its_first_start(void **state)
{
    (void)state;
    struct rig *r = rig_new("AD11A", "2026-03-28T23:52:00", "synth:phases=1,u=240,i=2");
    uint32_t cut = 1;
    for (bool more = true; more; cut += 7) {
        flash_emu_free(&r->emu);
        flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(r->config.model));
        flash_emu_power(&r->emu, cut, (enum tear)(cut % N_TEARS));
        /* ERR_OK is possible although the cut came: when all but a sector erased ahead was done */
        enum err err = meter_init(&r->meter, &r->config);
        more = r->emu.dead;
        assert_true(more || err == ERR_OK);
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
        assert_int_equal(r->meter.server.keys.has_guek, 1);
        assert_string_equal(r->meter.password, r->config.password);
    }
    assert_true(cut > 7);
    rig_free(r);
}

/* All snapshots are gone, to blank or to something else: registers must not begin at zero. */
static void meter_does_not_begin_anew_without_its_snapshots(void **state)
{
    (void)state;
    for (unsigned octet = 0; octet <= 0xFF; octet += 0xFF) {
        struct rig *r = rig_new("ST402D", "2026-03-28T00:00:00", LOAD);
        const struct nv_ring_layout ring = r->meter.rings[METER_RING_SNAPSHOT];
        rig_live(r, 1000);
        memset(r->emu.octets + (size_t)ring.first_sector * METER_SECTOR_SIZE, (int)octet,
               (size_t)ring.n_sectors * METER_SECTOR_SIZE);
        assert_int_equal(rig_power_up(r, 1), ERR_CORRUPT);
        rig_free(r);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_loses_nothing_told_when_cut_at_every_write),
        cmocka_unit_test(meter_starts_after_a_cut_in_its_first_start),
        cmocka_unit_test(meter_does_not_begin_anew_without_its_snapshots),
    };
    if (argc > 1 && strcmp(argv[1], "full") == 0) {
        script_minutes = 1440;
        step = 1;
    }
    return cmocka_run_group_tests_name("meter_powerfail", tests, NULL, NULL);
}
