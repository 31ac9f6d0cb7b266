/* A meter built without the taking over of older flashes: it lives on its own flash, and leaves one
 * of the version before as it is. */
#include "firmware/meter/meter_choice.h"
#include "firmware/meter/meter_layout.h"
#include "firmware/meter/meter_store.h"
#include "tests/firmware/meter/old_image.h"
#include "tests/firmware/meter/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-03-28T21:40:30"
#define LOAD  "synth:phases=3,u=230,i=3"

static void own_flash_is_found_again(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, LOAD);
    rig_live(r, 3600);
    struct legal_energies before, after;
    legal_energies_get(&r->meter.legal, &before);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 60), ERR_OK);
    legal_energies_get(&r->meter.legal, &after);
    assert_true(before.total[LEGAL_A_IMPORT] > 0);
    assert_memory_equal(before.total, after.total, sizeof before.total);
    /* the layout alone is lost: profiles are as delivered, registers are not */
    assert_int_equal(nv_put(&r->meter.nv, METER_KEY_LAYOUT, "", 0), ERR_OK);
    assert_int_equal(rig_power_up(r, 60), ERR_OK);
    legal_energies_get(&r->meter.legal, &after);
    assert_memory_equal(before.total, after.total, sizeof before.total);
    rig_free(r);
}

static void flash_of_the_version_before_is_refused_untouched(void **state)
{
    (void)state;
    static const struct old_ring_image snapshots = {1, METER_FIRST_RING_SECTOR, 64, 900};
    struct rig *r = rig_new("ST402D", START, LOAD);
    struct old_keys keys;
    const uint8_t record[OLD_RECORD_MAX] = {2};
    memset(r->emu.octets, 0xFF, flash_emu_size(&r->emu));
    old_keys_begin(&keys, r->emu.octets);
    old_put(&keys, METER_KEY_MODEL, r->meter.model->name, strlen(r->meter.model->name));
    old_append(r->emu.octets, &snapshots, 1, 0, OLD_DATA, record);
    const uint32_t n = r->emu.n_programs + r->emu.n_erases;
    assert_int_equal(rig_power_up(r, 60), ERR_VERSION);
    assert_int_equal(r->emu.n_programs + r->emu.n_erases, n);
    rig_free(r);
}

static void shorter_snapshots_are_refused_untouched(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, LOAD);
    r->meter.rings[METER_RING_SNAPSHOT].record_size -= METER_SNAPSHOT_LATER;
    assert_int_equal(meter_choices_store(&r->meter), ERR_OK);
    const uint32_t n = r->emu.n_programs + r->emu.n_erases;
    assert_int_equal(rig_power_up(r, 60), ERR_VERSION);
    assert_int_equal(r->emu.n_programs + r->emu.n_erases, n);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_flash_is_found_again),
        cmocka_unit_test(flash_of_the_version_before_is_refused_untouched),
        cmocka_unit_test(shorter_snapshots_are_refused_untouched),
    };
    return cmocka_run_group_tests_name("meter_migrate_none", tests, NULL, NULL);
}
