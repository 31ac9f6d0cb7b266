/* See old_image.h. */
#include "tests/firmware/meter/old_image.h"

#include "lib/base/crc.h"

#include <string.h>

#define KEY_SECTORS 8u

static void put(uint8_t *at, uint64_t value, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        at[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

static void header(uint8_t *sector, const struct old_ring_image *r, uint16_t place,
                   uint32_t n_erases, uint64_t base)
{
    uint8_t *h = sector;
    memset(sector, 0xFF, OLD_SECTOR);
    memset(h, 0, 32);
    memcpy(h, "FNVS", 4);
    put(h + 4, 1, 2);
    h[6] = r->area;
    put(h + 8, r->record_size, 2);
    put(h + 10, r->n_sectors, 2);
    put(h + 12, place, 2);
    put(h + 16, n_erases, 4);
    put(h + 20, base, 8);
    put(h + 28, crc32_update(0, h, 28), 4);
    memcpy(h + 32, h, 32);
}

static uint32_t slots(const struct old_ring_image *r)
{
    return (OLD_SECTOR - 64) / (r->record_size + 13u);
}

uint32_t old_records(const struct old_ring_image *r)
{
    const uint32_t n = slots(r);
    return n - (n >= 8 ? 2 : n >= 3 ? 1 : 0);
}

void old_header(uint8_t *flash, const struct old_ring_image *r, uint16_t place, uint32_t n_erases,
                uint64_t base)
{
    header(flash + (size_t)(r->first_sector + place) * OLD_SECTOR, r, place, n_erases, base);
}

uint32_t old_slot(const struct old_ring_image *r, uint64_t seq, unsigned later)
{
    const uint64_t sector = (seq - 1) / old_records(r) % r->n_sectors;
    const uint64_t index = (seq - 1) % old_records(r);
    return (uint32_t)((r->first_sector + sector) * OLD_SECTOR + 64 +
                      (index + later) * (r->record_size + 13u));
}

/* The sector of a first record and the one erased in advance. */
static void open_sectors(uint8_t *flash, const struct old_ring_image *r, uint64_t base)
{
    const uint32_t n = old_records(r);
    for (unsigned ahead = base > 1 ? 1 : 0; ahead < 2; ahead++) {
        const uint64_t use = (base - 1) / n + ahead;
        old_header(flash, r, (uint16_t)(use % r->n_sectors), (uint32_t)(use / r->n_sectors + 1),
                   base + ahead * n);
    }
}

void old_append(uint8_t *flash, const struct old_ring_image *r, uint64_t seq, unsigned later,
                uint8_t kind, const void *record)
{
    uint8_t *slot = flash + old_slot(r, seq, later);
    const uint32_t n = r->record_size;
    const uint8_t tag[3] = {r->area, (uint8_t)(n >> 8), (uint8_t)n};
    if ((seq - 1) % old_records(r) == 0)
        open_sectors(flash, r, seq);
    put(slot, seq, 8);
    memcpy(slot + 8, record, n);
    uint32_t crc = crc32_update(crc32_update(0, tag, 3), slot, 8 + n);
    put(slot + 8 + n, crc32_update(crc, &kind, 1), 4);
    slot[12 + n] = kind;
}

/* ---- keys ---- */

static void key_record(struct old_keys *k, uint8_t key, uint8_t kind, const void *value, size_t len)
{
    const uint32_t span = (uint32_t)((16 + len + 8 + 15) / 16 * 16);
    uint8_t address[4], *at = k->flash + k->addr, *tail = at + span - 8;
    put(address, k->addr, 4);
    put(at, k->seq++, 8);
    put(at + 8, len, 2);
    at[10] = key;
    at[11] = kind;
    put(at + 12, crc32_update(crc32_update(0, address, 4), at, 12), 4);
    memcpy(at + 16, value, len);
    put(tail + 4, len, 2);
    tail[6] = key;
    tail[7] = kind;
    uint32_t crc = crc32_update(crc32_update(0, address, 4), tail + 4, 4);
    put(tail, crc32_update(crc, value, len), 4);
    k->addr += span;
}

void old_keys_begin(struct old_keys *k, uint8_t *flash)
{
    const struct old_ring_image area = {.n_sectors = KEY_SECTORS};
    memset(flash, 0xFF, KEY_SECTORS * OLD_SECTOR);
    header(flash, &area, 0, 1, 1);
    header(flash + OLD_SECTOR, &area, 1, 1, 2);
    *k = (struct old_keys){.flash = flash, .addr = 64, .seq = 1};
    key_record(k, 0xFF, 0x96, "", 0);
}

void old_put(struct old_keys *k, uint8_t key, const void *value, size_t len)
{
    key_record(k, key, 0x3C, value, len);
}
