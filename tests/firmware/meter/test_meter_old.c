/* Rings of format 1, written octet by octet, read back. */
#include "firmware/meter/meter_old.h"
#include "tests/firmware/meter/old_image.h"
#include "tests/powerfail/flash_emu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define SIZE 52
static const struct old_ring_image rows = {
    .area = METER_OLD_ROWS, .first_sector = 20, .n_sectors = 4, .record_size = SIZE};

static struct flash_emu flash;

static int set_up(void **state)
{
    (void)state;
    flash_emu_init(&flash, OLD_SECTOR, 32);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(flash.n_programs + flash.n_erases, 0);
    flash_emu_free(&flash);
    return 0;
}

static void write(uint64_t seq, unsigned later, uint8_t kind)
{
    uint8_t record[SIZE];
    memset(record, (int)seq, sizeof record);
    old_append(flash.octets, &rows, seq, later, kind, record);
}

static struct meter_old_ring found(void)
{
    struct meter_old_ring ring;
    assert_int_equal(meter_old_find(&flash.hal, METER_OLD_ROWS, 12, &ring), ERR_OK);
    assert_int_equal(ring.first_sector, 20);
    assert_int_equal(meter_old_end(&ring), 24);
    assert_int_equal(ring.record_size, SIZE);
    return ring;
}

static bool reads(const struct meter_old_ring *ring, uint64_t seq)
{
    uint8_t record[SIZE], want[SIZE];
    memset(want, (int)seq, sizeof want);
    enum err err = meter_old_read(ring, (uint32_t)seq, record);
    if (!err)
        assert_memory_equal(record, want, SIZE);
    else
        assert_int_equal(err, ERR_NOT_FOUND);
    return err == ERR_OK;
}

static void old_ring_is_found_by_its_headers(void **state)
{
    (void)state;
    struct meter_old_ring ring;
    assert_int_equal(meter_old_find(&flash.hal, METER_OLD_ROWS, 0, &ring), ERR_NOT_FOUND);
    old_header(flash.octets, &rows, 2, 7, 1);
    ring = found();
    assert_int_equal(ring.newest, 0);
    assert_int_equal(meter_old_find(&flash.hal, METER_OLD_SNAPSHOTS, 0, &ring), ERR_NOT_FOUND);
    /* the other copy of the header will do */
    memset(flash.octets + 22 * OLD_SECTOR, 0, 32);
    ring = found();
    memset(flash.octets + 22 * OLD_SECTOR + 32, 0, 32);
    assert_int_equal(meter_old_find(&flash.hal, METER_OLD_ROWS, 0, &ring), ERR_NOT_FOUND);
    const struct old_ring_image beyond = {METER_OLD_ROWS, 20, 13, SIZE};
    old_header(flash.octets, &beyond, 0, 1, 1);
    assert_int_equal(meter_old_find(&flash.hal, METER_OLD_ROWS, 0, &ring), ERR_CORRUPT);
}

/* A ring that went round: what the sector erased in advance held is gone. */
static void old_ring_holds_what_was_not_pushed_out(void **state)
{
    (void)state;
    const uint32_t n = old_records(&rows);
    const uint64_t last = 5 * n + 3;
    for (uint64_t seq = 1; seq <= last; seq++)
        write(seq, 0, OLD_DATA);
    struct meter_old_ring ring = found();
    assert_int_equal(ring.newest, last);
    assert_int_equal(ring.oldest, 3 * n + 1);
    for (uint64_t seq = ring.oldest; seq <= last; seq++)
        assert_true(reads(&ring, seq));
    assert_false(reads(&ring, ring.oldest - 1));
    assert_false(reads(&ring, last + 1));
}

static void old_ring_forgets_what_was_cleared(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 9; seq++)
        write(seq, 0, seq == 6 || seq == 7 ? OLD_CLEAR : OLD_DATA);
    struct meter_old_ring ring = found();
    assert_int_equal(ring.oldest, 8);
    assert_int_equal(ring.newest, 9);
    assert_false(reads(&ring, 5));
    assert_false(reads(&ring, 7));
    assert_true(reads(&ring, 8));
}

static void old_ring_is_empty_when_nothing_came_after_clearing(void **state)
{
    (void)state;
    write(1, 0, OLD_DATA);
    write(2, 0, OLD_CLEAR);
    write(3, 0, OLD_CLEAR);
    struct meter_old_ring ring = found();
    assert_int_equal(ring.newest, 0);
    assert_false(reads(&ring, 1));
}

static void old_ring_reads_round_damage(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 5; seq++)
        write(seq, 0, OLD_DATA);
    memset(flash.octets + old_slot(&rows, 6, 0), 0, 11); /* torn: number 6 stands in the next */
    for (uint64_t seq = 6; seq <= 9; seq++)
        write(seq, 1, OLD_DATA);
    flash.octets[old_slot(&rows, 3, 0) + 20] ^= 0x10;
    struct meter_old_ring ring = found();
    assert_int_equal(ring.newest, 9);
    for (uint64_t seq = 1; seq <= 9; seq++)
        assert_int_equal(reads(&ring, seq), seq != 3);
    /* a record of another place is no record */
    memcpy(flash.octets + old_slot(&rows, 12, 0), flash.octets + old_slot(&rows, 2, 0), SIZE + 13);
    ring = found();
    assert_int_equal(ring.newest, 9);
    assert_false(reads(&ring, 12));
}

/* No meter has counted that far: what says so is not a record, and a header not one. */
static void old_ring_has_no_numbers_beyond_32_bits(void **state)
{
    (void)state;
    const uint32_t n = old_records(&rows);
    write(1, 0, OLD_DATA);
    const uint64_t beyond = (UINT64_C(1) << 32) / (4 * n) * (4 * n) + 4 * n + 2;
    write(beyond, 0, OLD_DATA);
    write(UINT32_MAX, 0, OLD_DATA);
    struct meter_old_ring ring = found();
    assert_int_equal(ring.newest, 1);
    assert_int_equal(ring.oldest, 1);
    assert_true(reads(&ring, 1));
    old_header(flash.octets, &rows, 1, 7, UINT64_C(1) << 32 | 1);
    ring = found();
    assert_int_equal(ring.oldest, 1);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(old_ring_is_found_by_its_headers),
        CASE(old_ring_holds_what_was_not_pushed_out),
        CASE(old_ring_forgets_what_was_cleared),
        CASE(old_ring_is_empty_when_nothing_came_after_clearing),
        CASE(old_ring_reads_round_damage),
        CASE(old_ring_has_no_numbers_beyond_32_bits),
    };
    return cmocka_run_group_tests_name("meter_old", tests, NULL, NULL);
}
