/* The calls of nv.h one by one; life under power cuts is in tests/powerfail. */
#include "lib/base/crc.h"
#include "lib/nv/nv.h"
#include "tests/powerfail/flash_emu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR 1024
#define KV_N   3
#define RING_N 4

static const struct nv_ring_layout rings[] = {
    {.first_sector = KV_N, .n_sectors = RING_N, .record_size = 50}, /* 15 slots, 13 records */
};

struct store {
    struct flash_emu flash;
    struct nv nv;
    struct nv_config config;
};

static int set_up(void **state)
{
    static struct store s;
    flash_emu_init(&s.flash, SECTOR, KV_N + RING_N);
    s.config = (struct nv_config){.flash = &s.flash.hal,
                                  .kv_n_sectors = KV_N,
                                  .rings = rings,
                                  .n_rings = sizeof rings / sizeof rings[0]};
    *state = &s;
    return nv_mount(&s.nv, &s.config);
}

static int tear_down(void **state)
{
    struct store *s = *state;
    int violations = (int)s->flash.n_violations;
    flash_emu_free(&s->flash);
    return violations;
}

static void nv_get_finds_what_was_put(void **state)
{
    struct store *s = *state;
    uint8_t big[SECTOR - 120], back[SECTOR];
    size_t len;
    memset(big, 0xFF, sizeof big); /* looks like erased flash */
    assert_int_equal(nv_get(&s->nv, 3, back, sizeof back, &len), ERR_NOT_FOUND);
    assert_int_equal(nv_put(&s->nv, 3, "abc", 3), ERR_OK);
    assert_int_equal(nv_put(&s->nv, 63, big, sizeof big), ERR_OK);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    assert_int_equal(nv_get(&s->nv, 3, back, sizeof back, &len), ERR_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(back, "abc", 3);
    assert_int_equal(nv_get(&s->nv, 63, back, sizeof back, &len), ERR_OK);
    assert_int_equal(len, sizeof big);
    assert_memory_equal(back, big, sizeof big);
    assert_int_equal(s->nv.n_corrupt, 0);
}

static void nv_get_tells_the_size_when_too_small(void **state)
{
    struct store *s = *state;
    uint8_t back[2];
    size_t len;
    assert_int_equal(nv_put(&s->nv, 0, "abcd", 4), ERR_OK);
    assert_int_equal(nv_get(&s->nv, 0, back, sizeof back, &len), ERR_FULL);
    assert_int_equal(len, 4);
}

static void nv_put_deletes_when_empty(void **state)
{
    struct store *s = *state;
    uint8_t back[4];
    size_t len;
    assert_int_equal(nv_put(&s->nv, 0, "abcd", 4), ERR_OK);
    assert_int_equal(nv_put(&s->nv, 0, NULL, 0), ERR_OK);
    assert_int_equal(nv_get(&s->nv, 0, back, sizeof back, &len), ERR_NOT_FOUND);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    assert_int_equal(nv_get(&s->nv, 0, back, sizeof back, &len), ERR_NOT_FOUND);
}

static void nv_refuses_what_is_out_of_range(void **state)
{
    struct store *s = *state;
    uint8_t big[2048] = {0}, back[64];
    size_t len;
    assert_int_equal(nv_put(&s->nv, 64, "a", 1), ERR_RANGE);
    assert_int_equal(nv_put(&s->nv, 0, big, SECTOR - 119), ERR_RANGE);
    assert_int_equal(nv_put(&s->nv, 0, big, NV_VALUE_MAX + 1), ERR_RANGE);
    assert_int_equal(nv_get(&s->nv, 64, back, sizeof back, &len), ERR_RANGE);
    assert_int_equal(nv_append(&s->nv, 1, big), ERR_RANGE);
    assert_int_equal(nv_clear(&s->nv, 1), ERR_RANGE);
    assert_int_equal(nv_read(&s->nv, 1, 1, back), ERR_RANGE);
    assert_int_equal(nv_count(&s->nv, 1), 0);
    assert_int_equal(nv_capacity(&s->nv, 1), 0);
}

static void nv_put_says_full_and_keeps_all_when_full(void **state)
{
    struct store *s = *state;
    uint8_t value[200], back[200];
    size_t len;
    uint8_t n = 0;
    enum err err = ERR_OK;
    for (; n < NV_KEYS_MAX && !err; n++) {
        memset(value, n, sizeof value);
        err = nv_put(&s->nv, n, value, sizeof value);
    }
    assert_int_equal(err, ERR_FULL);
    assert_true(n - 1 >= 6); /* of two sectors with 928 octets for records of 224 */
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    for (uint8_t key = 0; key < n - 1; key++) {
        memset(value, key, sizeof value);
        assert_int_equal(nv_get(&s->nv, key, back, sizeof back, &len), ERR_OK);
        assert_memory_equal(back, value, sizeof value);
    }
    assert_int_equal(nv_get(&s->nv, (uint8_t)(n - 1), back, sizeof back, &len), ERR_NOT_FOUND);
    assert_int_equal(nv_put(&s->nv, 0, "x", 1), ERR_OK); /* a smaller one fits */
}

static void nv_append_keeps_the_newest_when_it_wraps(void **state)
{
    struct store *s = *state;
    uint8_t record[50], back[50];
    assert_int_equal(nv_newest(&s->nv, 0), 0);
    assert_int_equal(nv_capacity(&s->nv, 0), 2 * 13 + 1);
    for (uint64_t seq = 1; seq <= 500; seq++) {
        memset(record, (int)seq, sizeof record);
        assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
        assert_true(nv_newest(&s->nv, 0) == seq);
        uint32_t count = nv_count(&s->nv, 0);
        assert_true(count == seq || (count >= 27 && count <= 39));
        memset(record, (int)(seq - count + 1), sizeof record);
        assert_int_equal(nv_read(&s->nv, 0, seq - count + 1, back), ERR_OK);
        assert_memory_equal(back, record, sizeof record);
        assert_int_equal(nv_read(&s->nv, 0, seq - count, back), ERR_NOT_FOUND);
        assert_int_equal(nv_read(&s->nv, 0, seq + 1, back), ERR_NOT_FOUND);
    }
}

static void nv_clear_empties_and_numbers_go_on(void **state)
{
    struct store *s = *state;
    uint8_t record[50] = {1};
    for (int i = 0; i < 20; i++)
        assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
    assert_int_equal(nv_clear(&s->nv, 0), ERR_OK);
    assert_int_equal(nv_count(&s->nv, 0), 0);
    assert_int_equal(nv_newest(&s->nv, 0), 0);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    assert_int_equal(nv_count(&s->nv, 0), 0);
    assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
    assert_int_equal(nv_count(&s->nv, 0), 1);
    assert_true(nv_newest(&s->nv, 0) > 20);
}

/* Constant time: the number of flash reads does not depend on which record or how many there are.
 */
static void nv_read_costs_the_same_for_any_record(void **state)
{
    struct store *s = *state;
    uint8_t record[50] = {1};
    for (int i = 0; i < 100; i++)
        assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
    uint64_t newest = nv_newest(&s->nv, 0);
    for (uint32_t back = 0; back < nv_count(&s->nv, 0); back++) {
        uint32_t before = s->flash.n_reads;
        assert_int_equal(nv_read(&s->nv, 0, newest - back, record), ERR_OK);
        assert_int_equal(s->flash.n_reads - before, 4);
    }
}

static void nv_append_erases_nothing_but_once_a_sector(void **state)
{
    struct store *s = *state;
    uint8_t record[50] = {1};
    for (int i = 0; i < 13 * RING_N; i++)
        assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
    uint32_t erases = s->flash.n_erases;
    for (int i = 0; i < 13 * 100; i++)
        assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
    assert_int_equal(s->flash.n_erases - erases, 100);
}

static void nv_wear_is_level_and_counts_erases(void **state)
{
    struct store *s = *state;
    uint8_t value[100] = {1}, record[50] = {1};
    uint32_t sum = 0;
    for (int i = 0; i < 3000; i++) {
        value[0] = (uint8_t)i;
        assert_int_equal(nv_put(&s->nv, (uint8_t)(i % 3), value, sizeof value), ERR_OK);
        assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
    }
    for (uint16_t i = 0; i < KV_N + RING_N; i++) {
        uint32_t wear, expected = s->flash.n_erases, n = i < KV_N ? KV_N : RING_N;
        assert_int_equal(nv_wear(&s->nv, i, &wear), ERR_OK);
        expected = i < KV_N ? expected - 3000 / 13 : 3000 / 13;
        assert_in_range(wear, expected / n - 1, expected / n + 2);
        sum += wear;
    }
    assert_in_range(sum, s->flash.n_erases, s->flash.n_erases + 2); /* the last of each area */
}

static void nv_mount_writes_nothing_when_all_is_well(void **state)
{
    struct store *s = *state;
    uint8_t record[50] = {1};
    for (int i = 0; i < 100; i++) {
        assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
        assert_int_equal(nv_put(&s->nv, 1, record, sizeof record), ERR_OK);
        flash_emu_power(&s->flash, 0, TEAR_NOTHING);
        assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
        assert_int_equal(s->flash.n_ops, 0);
    }
}

static void nv_mount_refuses_another_key_area_untouched(void **state)
{
    struct store *s = *state;
    struct nv_config config = s->config;
    flash_emu_power(&s->flash, 0, TEAR_NOTHING);
    config.kv_n_sectors = KV_N - 1;
    assert_int_equal(nv_mount(&s->nv, &config), ERR_VERSION);
    assert_int_equal(s->flash.n_ops, 0);
}

/* Changes an octet of a header copy, with a check sum to match. */
static void header_set(uint8_t *head, size_t at, uint8_t octet)
{
    head[at] = octet;
    uint32_t crc = crc32_update(0, head, 28);
    for (int i = 0; i < 4; i++)
        head[28 + i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void nv_mount_refuses_a_later_format_untouched(void **state)
{
    struct store *s = *state;
    header_set(s->flash.octets, 5, NV_FORMAT + 1);
    flash_emu_power(&s->flash, 0, TEAR_NOTHING);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_VERSION);
    assert_int_equal(s->flash.n_ops, 0);
}

static void nv_mount_refuses_an_impossible_layout(void **state)
{
    struct store *s = *state;
    const struct nv_ring_layout bad[] = {
        {.first_sector = KV_N - 1, .n_sectors = RING_N, .record_size = 50},
        {.first_sector = KV_N, .n_sectors = RING_N + 1, .record_size = 50},
        {.first_sector = KV_N, .n_sectors = 1, .record_size = 50},
        {.first_sector = KV_N, .n_sectors = RING_N, .record_size = 0},
        {.first_sector = KV_N, .n_sectors = RING_N, .record_size = 2049},
        {.first_sector = KV_N, .n_sectors = RING_N, .record_size = SECTOR - 76},
        {.first_sector = KV_N + RING_N, .n_sectors = UINT16_MAX, .record_size = 50},
        {.first_sector = KV_N, /* an extent over itself, over the keys, outside, too many */
         .n_sectors = 2,
         .record_size = 50,
         .more = {{KV_N + 1, 1}},
         .n_more = 1},
        {.first_sector = KV_N,
         .n_sectors = 2,
         .record_size = 50,
         .more = {{KV_N + 2, 1}, {KV_N - 1, 1}},
         .n_more = 2},
        {.first_sector = KV_N,
         .n_sectors = 2,
         .record_size = 50,
         .more = {{KV_N + 2, RING_N}},
         .n_more = 1},
        {.first_sector = KV_N, .n_sectors = 2, .record_size = 50, .n_more = NV_MORE_MAX + 1},
    };
    struct nv_config config = s->config;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        config.rings = &bad[i];
        assert_int_equal(nv_check_rings(&s->nv, &bad[i], 1), ERR_RANGE);
        assert_int_equal(nv_mount_rings(&s->nv, &bad[i], 1), ERR_RANGE);
        assert_int_equal(nv_mount(&s->nv, &config), ERR_RANGE);
    }
    config = s->config;
    config.kv_n_sectors = 1;
    assert_int_equal(nv_mount(&s->nv, &config), ERR_RANGE);
}

static void nv_instances_do_not_share_anything(void **state)
{
    struct store *s = *state;
    struct store other = {.config = s->config};
    uint8_t back[4];
    size_t len;
    flash_emu_init(&other.flash, SECTOR, KV_N + RING_N);
    other.config.flash = &other.flash.hal;
    assert_int_equal(nv_mount(&other.nv, &other.config), ERR_OK);
    assert_int_equal(nv_put(&s->nv, 0, "a", 1), ERR_OK);
    assert_int_equal(nv_get(&other.nv, 0, back, sizeof back, &len), ERR_NOT_FOUND);
    flash_emu_free(&other.flash);
}

/* DONE stands first in a new store: the head must not be thrown away for want of it, since the
 * sector after it is ready. */
static void nv_keeps_values_when_the_done_mark_is_lost(void **state)
{
    struct store *s = *state;
    uint8_t back[4];
    size_t len;
    for (int i = 0; i < 45; i++) /* into the second sector */
        assert_int_equal(nv_put(&s->nv, 0, &i, sizeof i), ERR_OK);
    assert_int_equal(s->nv.kv_sector, 1);
    uint32_t n_lost = 0;
    for (uint32_t at = SECTOR + 64; at < 2 * SECTOR; at += 16)
        if (s->flash.octets[at + 10] == 0xFF && s->flash.octets[at + 11] == 0x96) {
            memset(s->flash.octets + at, 0, 32);
            n_lost++;
        }
    assert_int_equal(n_lost, 1);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    int value = 0;
    assert_int_equal(nv_get(&s->nv, 0, back, sizeof back, &len), ERR_OK);
    memcpy(&value, back, sizeof value);
    assert_int_equal(value, 44);
}

/* A key whose newest record is damaged answers ERR_CORRUPT, also after its sector was collected,
 * and is whole again once put. */
static void nv_get_says_corrupt_until_the_key_is_put_again(void **state)
{
    struct store *s = *state;
    uint8_t back[100];
    size_t len;
    assert_int_equal(nv_put(&s->nv, 5, "old value", 9), ERR_OK);
    assert_int_equal(nv_put(&s->nv, 5, "new value", 9), ERR_OK);
    s->flash.octets[s->nv.kv_addr[5] + 18] ^= 4;
    s->flash.octets[s->nv.kv_addr[5] + 20] ^= 1;
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    assert_int_equal(s->nv.n_corrupt, 1);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(nv_get(&s->nv, 5, back, sizeof back, &len), ERR_CORRUPT);
        assert_int_equal(nv_put(&s->nv, 6, back, sizeof back), ERR_OK);
    }
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    assert_int_equal(nv_get(&s->nv, 5, back, sizeof back, &len), ERR_CORRUPT);
    assert_int_equal(nv_put(&s->nv, 5, "again", 5), ERR_OK);
    assert_int_equal(nv_get(&s->nv, 5, back, sizeof back, &len), ERR_OK);
}

/* Any bit of the newest record of a key: the value is served whole, the damage is counted, and the
 * copy that collecting makes is right. */
static void nv_get_puts_one_flipped_bit_right(void **state)
{
    struct store *s = *state;
    uint8_t value[100], back[100];
    size_t len;
    memset(value, 0x5A, sizeof value);
    assert_int_equal(nv_put(&s->nv, 5, "old value", 9), ERR_OK);
    assert_int_equal(nv_put(&s->nv, 5, value, sizeof value), ERR_OK);
    uint32_t at = s->nv.kv_addr[5], n_bits = 8 * (16 + sizeof value + 12); /* and what is between */
    for (uint32_t bit = 0; bit < n_bits; bit++) {
        s->flash.octets[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
        assert_int_equal(nv_get(&s->nv, 5, back, sizeof back, &len), ERR_OK);
        assert_int_equal(len, sizeof value);
        assert_memory_equal(back, value, sizeof value);
        if (bit < 8 * (16 + sizeof value))
            assert_int_equal(s->nv.n_corrupt, 1);
        s->flash.octets[at + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    s->flash.octets[at + 16 + 77] ^= 8;
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    for (int i = 0; i < 200; i++)
        assert_int_equal(nv_put(&s->nv, 6, value, sizeof value), ERR_OK);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    assert_int_equal(s->nv.n_corrupt, 0);
    assert_int_equal(nv_get(&s->nv, 5, back, sizeof back, &len), ERR_OK);
    assert_memory_equal(back, value, sizeof value);
}

/* A sector that holds another's copy is damage, not another layout. */
/* A bit of the check sum lies between 0 and 1: in some of the mounts the record reads right nine
 * times. Then it is one for ever. */
static void nv_mount_makes_a_check_sum_cut_half_way_firm(void **state)
{
    struct store *s = *state;
    const uint8_t record[50] = {7};
    const uint32_t crc_end = KV_N * SECTOR + 64 + 8 + sizeof record + 3, kind = crc_end + 1;
    uint8_t image[SECTOR * (KV_N + RING_N)], back[50];
    unsigned n_served = 0;
    assert_int_equal(nv_append(&s->nv, 0, record), ERR_OK);
    const uint8_t whole = s->flash.octets[crc_end];
    const uint8_t bit = (uint8_t)(~whole & (whole + 1u)); /* one that is 0 */
    s->flash.octets[crc_end] = whole | bit;
    s->flash.octets[kind] = 0xFF;
    memcpy(image, s->flash.octets, sizeof image);
    for (unsigned i = 0; i < 3000; i++) {
        memcpy(s->flash.octets, image, sizeof image);
        s->flash.wavers[crc_end] = bit;
        s->flash.any_wavers = true;
        assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
        const bool is_there = nv_count(&s->nv, 0) == 1;
        n_served += is_there;
        for (unsigned k = 0; k < 20 && is_there; k++)
            assert_int_equal(nv_read(&s->nv, 0, 1, back), ERR_OK);
    }
    assert_true(n_served > 0);
}

static void nv_mount_takes_a_copied_sector_for_damage(void **state)
{
    struct store *s = *state;
    char back[8];
    size_t len;
    assert_int_equal(nv_put(&s->nv, 5, "value", 5), ERR_OK);
    memcpy(s->flash.octets + SECTOR, s->flash.octets + (KV_N + 1) * SECTOR, SECTOR);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    assert_int_equal(nv_get(&s->nv, 5, back, sizeof back, &len), ERR_OK);
    assert_memory_equal(back, "value", 5);
}

static void must_hold(struct store *s, uint8_t n_keys, uint8_t spare_key)
{
    uint8_t value[200], back[200];
    size_t len;
    for (uint8_t key = 0; key < n_keys; key++) {
        memset(value, key, sizeof value);
        assert_int_equal(nv_get(&s->nv, key, back, sizeof back, &len), ERR_OK);
        if (key != spare_key)
            assert_memory_equal(back, value, sizeof value);
    }
}

/* A cell that wears out: what does not read back is written again further on, and where copies then
 * do not fit any more the put fails and all values stay. */
static void nv_put_writes_further_on_when_a_cell_is_worn_out(void **state)
{
    struct store *s = *state;
    uint8_t value[200];
    uint32_t n_failed = 0;
    for (uint8_t n_keys = 6; n_keys <= 8; n_keys++) {
        s->flash.stuck = 0;
        for (uint8_t key = 0; key < n_keys; key++) {
            memset(value, key, sizeof value);
            assert_int_equal(nv_put(&s->nv, key, value, sizeof value), ERR_OK);
        }
        s->flash.stuck = 3 * SECTOR - 500;
        for (uint8_t i = 0; i < 40; i++) {
            enum err err = nv_put(&s->nv, 0, memset(value, i, sizeof value), sizeof value);
            n_failed += err == ERR_IO;
            assert_true(err == ERR_OK || err == ERR_IO || err == ERR_FULL);
            must_hold(s, n_keys, 0);
        }
        assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
        must_hold(s, n_keys, 0);
    }
    assert_true(n_failed > 0 && n_failed < 120);
}

/* --- rings that are re-made --- */

#define N_SECTORS (KV_N + RING_N)

static void append_many(struct store *s, uint8_t ring, uint8_t first, int n)
{
    uint8_t record[128];
    for (int i = 0; i < n; i++) {
        memset(record, first + i, sizeof record);
        assert_int_equal(nv_append(&s->nv, ring, record), ERR_OK);
    }
}

static void must_end_with(struct store *s, uint8_t ring, uint8_t newest, uint32_t n)
{
    uint8_t back[128];
    assert_int_equal(nv_count(&s->nv, ring), n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(nv_read(&s->nv, ring, nv_newest(&s->nv, ring) - i, back), ERR_OK);
        assert_int_equal(back[0], (uint8_t)(newest - i));
    }
}

static uint32_t wear_of(struct store *s, uint16_t sector)
{
    uint32_t n = 0;
    assert_int_equal(nv_wear(&s->nv, sector, &n), ERR_OK);
    return n;
}

static void nv_mount_leaves_the_rings_alone_when_there_are_none(void **state)
{
    struct store *s = *state;
    append_many(s, 0, 1, 20);
    struct nv_config config = s->config;
    config.rings = NULL;
    config.n_rings = 0;
    flash_emu_power(&s->flash, 0, TEAR_NOTHING);
    assert_int_equal(nv_mount(&s->nv, &config), ERR_OK);
    assert_int_equal(nv_count(&s->nv, 0), 0);
    assert_int_equal(nv_mount_rings(&s->nv, rings, 1), ERR_OK);
    assert_int_equal(s->flash.n_ops, 0);
    must_end_with(s, 0, 20, 20);
}

/* One ring is cut in two parts that take turns; the other keeps its records. */
static void nv_mount_rings_empties_what_was_re_made_and_keeps_the_rest(void **state)
{
    struct store *s = *state;
    struct nv_ring_layout two[] = {
        {.first_sector = KV_N, .n_sectors = 2, .record_size = 50, .generation = 1},
        {.first_sector = KV_N + 2, .n_sectors = 2, .record_size = 20, .generation = 1},
    };
    append_many(s, 0, 1, 60);
    uint32_t before[N_SECTORS], n_erases = s->flash.n_erases;
    for (uint16_t i = 0; i < N_SECTORS; i++)
        before[i] = wear_of(s, i);
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_OK);
    assert_int_equal(s->nv.n_corrupt, 0);
    assert_int_equal(s->flash.n_erases - n_erases, 2); /* of four: the first sector of each */
    assert_int_equal(nv_count(&s->nv, 0), 0);
    append_many(s, 0, 1, 5);
    append_many(s, 1, 101, 7);
    two[0].record_size = 33;
    two[0].generation = 2;
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_OK);
    assert_int_equal(nv_count(&s->nv, 0), 0);
    must_end_with(s, 1, 107, 7);
    assert_int_equal(s->nv.n_corrupt, 0);
    for (uint16_t i = 0; i < N_SECTORS; i++) /* the last of a new area may count one more */
        assert_in_range(wear_of(s, i), s->flash.erases[i], s->flash.erases[i] + 1);
    assert_true(wear_of(s, KV_N) == before[KV_N] + 2);
}

/* The other ring is not even read. */
static void nv_mount_ring_makes_one_anew(void **state)
{
    struct store *s = *state;
    struct nv_ring_layout two[] = {
        {.first_sector = KV_N, .n_sectors = 2, .record_size = 50, .generation = 1},
        {.first_sector = KV_N + 2, .n_sectors = 2, .record_size = 20, .generation = 1},
    };
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_OK);
    append_many(s, 0, 1, 5);
    append_many(s, 1, 101, 7);
    two[0].record_size = 33;
    two[0].generation = 2;
    assert_int_equal(nv_mount_ring(&s->nv, 2), ERR_RANGE);
    const uint32_t n_reads = s->flash.n_reads;
    assert_int_equal(nv_mount_ring(&s->nv, 0), ERR_OK);
    const uint32_t of_one = s->flash.n_reads - n_reads;
    assert_int_equal(nv_count(&s->nv, 0), 0);
    must_end_with(s, 1, 107, 7);
    append_many(s, 0, 1, 3);
    const uint32_t before = s->flash.n_reads;
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_OK);
    assert_true(s->flash.n_reads - before > of_one);
    must_end_with(s, 0, 3, 3);
    must_end_with(s, 1, 107, 7);
    two[0].n_sectors = 3; /* overlaps: as it was */
    assert_int_equal(nv_mount_ring(&s->nv, 0), ERR_RANGE);
    two[0].n_sectors = 2;
    must_end_with(s, 0, 3, 3);
}

/* A failing flash costs this ring, not the others. */
static void nv_mount_ring_that_fails_leaves_the_others(void **state)
{
    struct store *s = *state;
    struct nv_ring_layout two[] = {
        {.first_sector = KV_N, .n_sectors = 2, .record_size = 50, .generation = 1},
        {.first_sector = KV_N + 2, .n_sectors = 2, .record_size = 20, .generation = 1},
    };
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_OK);
    append_many(s, 1, 101, 7);
    two[0].generation = 2;
    flash_emu_power(&s->flash, 1, TEAR_NOTHING); /* the erase of its first sector fails */
    assert_int_equal(nv_mount_ring(&s->nv, 0), ERR_IO);
    flash_emu_power(&s->flash, 0, TEAR_NOTHING);
    assert_int_equal(nv_count(&s->nv, 0), 0);
    must_end_with(s, 1, 107, 7);
    append_many(s, 0, 1, 4);
    must_end_with(s, 0, 4, 4);
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_OK);
    must_end_with(s, 0, 4, 4);
}

static uint32_t bad_sector;
static enum err (*good_erase)(const struct hal_flash *hal, uint32_t sector);

static enum err erase_but_one(const struct hal_flash *hal, uint32_t sector)
{
    return sector == bad_sector ? ERR_IO : good_erase(hal, sector);
}

/* A sector that is worn out costs its ring, not the store; what the ring held stays for the day the
 * flash recovers. */
static void nv_mount_rings_goes_on_without_a_ring_that_fails(void **state)
{
    struct store *s = *state;
    const struct nv_ring_layout two[] = {
        {.first_sector = KV_N, .n_sectors = 2, .record_size = 50, .generation = 1},
        {.first_sector = KV_N + 2, .n_sectors = 2, .record_size = 20, .generation = 1},
    };
    const uint8_t record[50] = {0};
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_OK);
    append_many(s, 0, 1, 5);
    append_many(s, 1, 101, 7);
    bad_sector = KV_N + 1;
    good_erase = s->flash.hal.erase;
    s->flash.hal.erase = erase_but_one;
    memset(s->flash.octets + (size_t)bad_sector * SECTOR, 0xFF, 64); /* it was ready */
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_IO);
    assert_int_equal(s->nv.closed, 2);
    assert_int_equal(s->nv.damaged, 2);
    assert_int_equal(s->nv.n_corrupt, 1);
    assert_int_equal(nv_count(&s->nv, 0), 0);
    const uint32_t before = s->flash.n_programs + s->flash.n_erases;
    assert_int_equal(nv_append(&s->nv, 0, record), ERR_STATE);
    assert_int_equal(nv_clear(&s->nv, 0), ERR_STATE);
    assert_int_equal(s->flash.n_programs + s->flash.n_erases, before);
    must_end_with(s, 1, 107, 7);
    append_many(s, 1, 108, 1);
    s->flash.hal.erase = good_erase;
    assert_int_equal(nv_mount_rings(&s->nv, two, 2), ERR_OK);
    assert_int_equal(s->nv.closed, 0);
    must_end_with(s, 0, 5, 5);
    must_end_with(s, 1, 108, 8);
}

/* An erase that is cut may take the header first: what is left are whole records of another
 * generation, which the ring must not take for its own, or numbers would begin behind them. */
static void nv_mount_rings_takes_no_record_of_another_generation(void **state)
{
    struct store *s = *state;
    struct nv_ring_layout again = rings[0];
    for (int i = 0; i < 2; i++) {
        append_many(s, 0, 1, 60);
        for (uint16_t sector = KV_N; sector < N_SECTORS; sector++)
            memset(s->flash.octets + (size_t)sector * SECTOR, 0xFF, 64);
        again.generation++;
        assert_int_equal(nv_mount_rings(&s->nv, &again, 1), ERR_OK);
        assert_int_equal(nv_count(&s->nv, 0), 0);
        append_many(s, 0, 1, 1);
        assert_true(nv_newest(&s->nv, 0) == 1);
    }
}

static void nv_rings_use_all_their_extents_in_turn(void **state)
{
    struct store *s = *state;
    const struct nv_ring_layout scattered = {.first_sector = KV_N + 3,
                                             .n_sectors = 1,
                                             .record_size = 50,
                                             .generation = 7,
                                             .more = {{KV_N, 1}, {KV_N + 1, 2}},
                                             .n_more = 2};
    append_many(s, 0, 1, 60);
    uint32_t before[N_SECTORS];
    memcpy(before, s->flash.erases, sizeof before);
    assert_int_equal(nv_mount_rings(&s->nv, &scattered, 1), ERR_OK);
    assert_int_equal(nv_capacity(&s->nv, 0), 2 * 13 + 1);
    append_many(s, 0, 0, 13 * RING_N * 10 - 1);
    assert_int_equal(nv_mount_rings(&s->nv, &scattered, 1), ERR_OK);
    must_end_with(s, 0, (uint8_t)(13 * RING_N * 10 - 2), 2 * 13 + 12);
    for (uint16_t i = KV_N; i < N_SECTORS; i++)
        assert_int_equal(s->flash.erases[i] - before[i], i == KV_N + 3 ? 11 : 10);
}

/* Headers as the version before wrote them: format 1, zeros where the generation stands. */
static void nv_mount_takes_over_a_device_of_format_1(void **state)
{
    struct store *s = *state;
    uint8_t back[8];
    size_t len;
    append_many(s, 0, 1, 20);
    assert_int_equal(nv_put(&s->nv, 9, "kept", 4), ERR_OK);
    for (uint32_t at = 0; at < flash_emu_size(&s->flash); at += SECTOR)
        for (uint32_t copy = 0; copy < 64; copy += 32)
            if (s->flash.octets[at] != 0xFF)
                header_set(s->flash.octets + at + copy, 5, 1);
    flash_emu_power(&s->flash, 0, TEAR_NOTHING);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    assert_int_equal(s->flash.n_ops, 0);
    assert_int_equal(s->nv.n_corrupt, 0);
    must_end_with(s, 0, 20, 20);
    assert_int_equal(nv_get(&s->nv, 9, back, sizeof back, &len), ERR_OK);
    assert_memory_equal(back, "kept", 4);
    append_many(s, 0, 21, 15); /* goes on in sectors of either format */
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_OK);
    must_end_with(s, 0, 35, 35);
    assert_int_equal(s->nv.n_corrupt, 0);
}

/* A header of a later format anywhere in a ring: somebody newer was here. */
static void nv_mount_rings_refuses_a_later_format_untouched(void **state)
{
    struct store *s = *state;
    append_many(s, 0, 1, 20);
    header_set(s->flash.octets + (size_t)(KV_N + 1) * SECTOR, 5, NV_FORMAT + 1);
    flash_emu_power(&s->flash, 0, TEAR_NOTHING);
    assert_int_equal(nv_mount_rings(&s->nv, rings, 1), ERR_VERSION);
    assert_int_equal(nv_mount(&s->nv, &s->config), ERR_VERSION);
    assert_int_equal(s->flash.n_ops, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nv_get_finds_what_was_put),
        CASE(nv_get_tells_the_size_when_too_small),
        CASE(nv_put_deletes_when_empty),
        CASE(nv_refuses_what_is_out_of_range),
        CASE(nv_put_says_full_and_keeps_all_when_full),
        CASE(nv_append_keeps_the_newest_when_it_wraps),
        CASE(nv_clear_empties_and_numbers_go_on),
        CASE(nv_read_costs_the_same_for_any_record),
        CASE(nv_append_erases_nothing_but_once_a_sector),
        CASE(nv_wear_is_level_and_counts_erases),
        CASE(nv_mount_writes_nothing_when_all_is_well),
        CASE(nv_mount_refuses_another_key_area_untouched),
        CASE(nv_mount_refuses_a_later_format_untouched),
        CASE(nv_mount_refuses_an_impossible_layout),
        CASE(nv_instances_do_not_share_anything),
        CASE(nv_keeps_values_when_the_done_mark_is_lost),
        CASE(nv_put_writes_further_on_when_a_cell_is_worn_out),
        CASE(nv_get_says_corrupt_until_the_key_is_put_again),
        CASE(nv_get_puts_one_flipped_bit_right),
        CASE(nv_mount_makes_a_check_sum_cut_half_way_firm),
        CASE(nv_mount_takes_a_copied_sector_for_damage),
        CASE(nv_mount_leaves_the_rings_alone_when_there_are_none),
        CASE(nv_mount_rings_empties_what_was_re_made_and_keeps_the_rest),
        CASE(nv_mount_ring_makes_one_anew),
        CASE(nv_mount_ring_that_fails_leaves_the_others),
        CASE(nv_mount_rings_goes_on_without_a_ring_that_fails),
        CASE(nv_mount_rings_takes_no_record_of_another_generation),
        CASE(nv_rings_use_all_their_extents_in_turn),
        CASE(nv_mount_takes_over_a_device_of_format_1),
        CASE(nv_mount_rings_refuses_a_later_format_untouched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
