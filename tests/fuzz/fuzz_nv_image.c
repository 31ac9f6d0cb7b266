/* Fuzz target of the store: any image of a flash, mounted with any of a few layouts.
 *
 * The input is a list of orders that make the image: octets as they come, headers, slots and key
 * records with the check sums they need (so that the search is not about finding one), lives of the
 * store itself under other layouts, cut at any operation. Then the store is mounted. It mounts, or
 * says ERR_VERSION and has touched nothing. What it serves stands in the flash with the check sum
 * of docs/SPEC-storage.md, looked up here in another way. It takes new records and values, under
 * new numbers, and has them after the next mount. It never breaks the rules of NOR flash. */
#include "lib/base/crc.h"
#include "lib/base/cursor.h"
#include "lib/nv/nv.h"
#include "tests/fuzz/fuzz_flash.h"

#include <stdbool.h>
#include <string.h>

#define SECTOR  256u
#define N       10u
#define SIZE    (N * SECTOR)
#define KV_N    3u
#define RINGS   2u
#define LAYOUTS 4u
#define ORDERS  12u /* of one input: enough to spoil a store, few enough to try many */

/* Four slots to a sector, and one; the second layout swaps their places, the third re-makes them,
 * the fourth scatters one. */
static const struct nv_ring_layout layouts[LAYOUTS][RINGS] = {
    {{.first_sector = 3, .n_sectors = 4, .record_size = 30},
     {.first_sector = 7, .n_sectors = 3, .record_size = 150}},
    {{.first_sector = 7, .n_sectors = 3, .record_size = 150},
     {.first_sector = 3, .n_sectors = 4, .record_size = 30}},
    {{.first_sector = 3, .n_sectors = 4, .record_size = 30, .generation = 1},
     {.first_sector = 7, .n_sectors = 2, .record_size = 9, .generation = 65535}},
    {{.first_sector = 9,
      .n_sectors = 1,
      .record_size = 30,
      .generation = 2,
      .more = {{4, 1}, {6, 1}},
      .n_more = 2},
     {.first_sector = 7, .n_sectors = 2, .record_size = 9, .generation = 65535}},
};

static enum err mount(struct nv *nv, const struct fuzz_flash *d, uint32_t layout)
{
    const struct nv_config config = {
        .flash = &d->hal, .kv_n_sectors = KV_N, .rings = layouts[layout], .n_rings = RINGS};
    return nv_mount(nv, &config);
}

/* --- the orders --- */

static void put(struct fuzz_flash *d, uint32_t addr, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n && addr + i < SIZE; i++)
        d->octet[addr + i] = from[i];
}

static void order_octets(struct fuzz_flash *d, struct rd *r)
{
    uint32_t addr = rd_u16(r) % SIZE;
    struct bytes b = rd_bytes(r, rd_u8(r));
    if (!r->err)
        put(d, addr, b.p, b.len);
}

static void order_header(struct fuzz_flash *d, struct rd *r)
{
    uint8_t octet[32];
    uint32_t where = rd_u8(r);
    struct wr w = wr_of(octet, sizeof octet);
    wr_u32(&w, 0x464E5653);
    wr_u16(&w, rd_u8(r) % 4); /* format */
    wr_u8(&w, rd_u8(r) % 4);  /* area */
    wr_u8(&w, 0);
    wr_u16(&w, rd_u8(r)); /* record size, sectors, place, generation */
    wr_u16(&w, rd_u8(r));
    wr_u16(&w, rd_u8(r));
    wr_u16(&w, rd_u8(r));
    wr_u32(&w, rd_u8(r));
    wr_u64(&w, rd_u32(r)); /* base */
    wr_u32(&w, crc32_update(0, octet, w.len));
    put(d, where / 2 % N * SECTOR + where % 2 * 32, octet, sizeof octet);
}

static uint32_t crc_slot(uint32_t ring, const struct nv_ring_layout *l, const uint8_t *slot,
                         uint8_t kind)
{
    uint8_t tag[5] = {(uint8_t)(ring + 1), (uint8_t)(l->record_size >> 8), (uint8_t)l->record_size,
                      (uint8_t)(l->generation >> 8), (uint8_t)l->generation};
    uint32_t crc = crc32_update(0, tag, l->generation ? 5 : 3);
    crc = crc32_update(crc, slot, 8u + l->record_size);
    return crc32_update(crc, &kind, 1);
}

static void order_slot(struct fuzz_flash *d, struct rd *r)
{
    uint8_t octet[256], ring = rd_u8(r) % RINGS, where = rd_u8(r);
    const struct nv_ring_layout *l = &layouts[rd_u8(r) % LAYOUTS][ring];
    const uint32_t size = l->record_size + 13u;
    struct wr w = wr_of(octet, sizeof octet);
    wr_u64(&w, rd_u32(r));
    memset(octet + 8, rd_u8(r), l->record_size);
    w.len += l->record_size;
    uint8_t kind = rd_u8(r) % 2 ? 0x3C : 0xC3;
    wr_u32(&w, crc_slot(ring, l, octet, kind));
    wr_u8(&w, kind);
    put(d, where / 16u % N * SECTOR + 64 + where % 16u * size, octet, size);
}

static uint32_t crc_key(uint32_t addr, const uint8_t *head, const uint8_t *payload, size_t len)
{
    uint8_t at[4] = {(uint8_t)(addr >> 24), (uint8_t)(addr >> 16), (uint8_t)(addr >> 8),
                     (uint8_t)addr};
    uint32_t crc = crc32_update(crc32_update(0, at, 4), head, payload ? 4 : len);
    return payload ? crc32_update(crc, payload, len) : crc;
}

static void order_key(struct fuzz_flash *d, struct rd *r)
{
    static const uint8_t kinds[4] = {0x3C, 0xC3, 0x69, 0x96};
    uint8_t octet[SECTOR] = {0};
    uint32_t addr = rd_u8(r) % (KV_N * SECTOR / 16) * 16;
    struct wr w = wr_of(octet, 16);
    wr_u64(&w, rd_u32(r));
    uint16_t len = rd_u8(r) % 128;
    wr_u16(&w, len);
    wr_u8(&w, rd_u8(r));
    wr_u8(&w, kinds[rd_u8(r) % 4]);
    wr_u32(&w, crc_key(addr, octet, NULL, 12));
    memset(octet + 16, rd_u8(r), len);
    uint32_t span = (16u + len + 8 + 15) / 16 * 16;
    w = wr_of(octet + span - 8, 8);
    wr_u32(&w, crc_key(addr, octet + 8, octet + 16, len));
    wr_bytes(&w, octet + 8, 4);
    if (addr % SECTOR + span <= SECTOR)
        put(d, addr, octet, span);
}

static void order_life(struct fuzz_flash *d, struct rd *r)
{
    struct nv nv;
    uint8_t value[256];
    uint32_t layout = rd_u8(r) % LAYOUTS, n = rd_u8(r) % 64;
    d->left = rd_u8(r);
    memset(value, rd_u8(r), sizeof value);
    enum err err = mount(&nv, d, layout);
    for (uint32_t i = 0; i < n && !err; i++) {
        uint8_t what = rd_u8(r);
        value[0] = (uint8_t)i;
        err = what < 96    ? nv_put(&nv, what % 8, value, what)
              : what < 240 ? nv_append(&nv, what % RINGS, value)
                           : nv_clear(&nv, what % RINGS);
    }
    d->left = 0;
    d->dead = false;
}

static void order(struct fuzz_flash *d, struct rd *r)
{
    uint8_t what = rd_u8(r), sector = (uint8_t)(what / 8 % N);
    switch (what % 8) {
    case 0:
        order_octets(d, r);
        break;
    case 1:
        order_header(d, r);
        break;
    case 2:
        order_slot(d, r);
        break;
    case 3:
        order_key(d, r);
        break;
    case 4:
        memset(d->octet + sector * SECTOR, rd_u8(r), SECTOR);
        break;
    case 5: /* one sector takes the place of another */
        memcpy(d->octet + sector * SECTOR, d->octet + (sector + 1u) % N * SECTOR, SECTOR);
        break;
    default:
        order_life(d, r);
    }
}

/* --- the properties --- */

static bool slot_holds(const struct fuzz_flash *d, uint32_t sector, uint32_t ring,
                       const struct nv_ring_layout *l, uint64_t seq)
{
    const uint32_t size = l->record_size + 13u;
    for (uint32_t at = 64; at + size <= SECTOR; at += size) {
        const uint8_t *slot = d->octet + sector * SECTOR + at;
        struct rd r = rd_of(slot, size);
        uint64_t found = rd_u64(&r);
        r.pos = size - 5;
        if (found == seq && rd_u32(&r) == crc_slot(ring, l, slot, 0x3C))
            return true;
    }
    return false;
}

static bool ring_holds(const struct fuzz_flash *d, uint32_t layout, uint32_t ring, uint64_t seq)
{
    const struct nv_ring_layout *l = &layouts[layout][ring];
    for (uint32_t i = 0; i < l->n_sectors; i++)
        if (slot_holds(d, l->first_sector + i, ring, l, seq))
            return true;
    for (uint32_t x = 0; x < l->n_more; x++)
        for (uint32_t i = 0; i < l->more[x].n_sectors; i++)
            if (slot_holds(d, l->more[x].first_sector + i, ring, l, seq))
                return true;
    return false;
}

static void check_ring(const struct nv *nv, const struct fuzz_flash *d, uint32_t layout,
                       uint8_t ring)
{
    uint8_t record[256];
    uint64_t newest = nv_newest(nv, ring), n = nv_count(nv, ring);
    CHECK(n <= newest && n <= N * SECTOR / 14);
    for (uint64_t seq = newest - n + 1; seq <= newest; seq++) {
        enum err err = nv_read(nv, ring, seq, record);
        CHECK(err == ERR_OK || err == ERR_CORRUPT);
        CHECK(err != ERR_OK || ring_holds(d, layout, ring, seq));
    }
    CHECK(nv_read(nv, ring, newest + 1, record) == ERR_NOT_FOUND);
}

static uint32_t n_bits(uint32_t x)
{
    uint32_t n = 0;
    for (; x; x &= x - 1)
        n++;
    return n;
}

/* A value stands before a tail with its check sum; or one bit of the two is put right. */
static bool keys_hold(const struct fuzz_flash *d, uint8_t key, const uint8_t *value, size_t len)
{
    const uint8_t tag[4] = {(uint8_t)(len >> 8), (uint8_t)len, key, 0x3C};
    const size_t span = (16 + len + 8 + 15) / 16 * 16;
    for (uint32_t at = 0; at + span <= KV_N * SECTOR; at += 16) {
        const uint8_t *p = d->octet + at;
        struct rd r = rd_of(p + span - 8, 4);
        uint32_t flips = n_bits(rd_u32(&r) ^ crc_key(at, tag, value, len));
        for (size_t i = 0; i < len && flips < 2; i++)
            flips += n_bits(p[16 + i] ^ value[i]);
        if (flips < 2)
            return true;
    }
    return false;
}

static void check_keys(const struct nv *nv, const struct fuzz_flash *d)
{
    for (uint8_t key = 0; key < NV_KEYS_MAX; key++) {
        uint8_t value[SECTOR];
        size_t len;
        enum err err = nv_get(nv, key, value, sizeof value, &len);
        CHECK(err == ERR_OK || err == ERR_CORRUPT || err == ERR_NOT_FOUND);
        CHECK(err != ERR_OK || keys_hold(d, key, value, len));
    }
}

static void check_all(const struct nv *nv, const struct fuzz_flash *d, uint32_t layout)
{
    CHECK((nv->n_corrupt == 0) == (nv->damaged == 0));
    for (uint8_t ring = 0; ring < RINGS; ring++)
        check_ring(nv, d, layout, ring);
    check_keys(nv, d);
}

/* New records and values go in and come out; whether one fits is for the store to say. */
static void check_use(struct nv *nv, const struct fuzz_flash *d, uint32_t layout)
{
    uint64_t newest[RINGS];
    uint8_t record[256], back[256];
    size_t len;
    memset(record, 0x5A, sizeof record);
    for (uint8_t i = 0; i < RINGS; i++) {
        uint64_t last = nv_newest(nv, i);
        enum err err = nv_append(nv, i, record);
        CHECK(err == ERR_OK || err == ERR_FULL);
        newest[i] = err ? 0 : nv_newest(nv, i);
        CHECK(err || newest[i] > last);
    }
    enum err kept = nv_put(nv, 63, record, 40);
    CHECK(kept == ERR_OK || kept == ERR_FULL);
    CHECK(mount(nv, d, layout) == ERR_OK);
    for (uint8_t i = 0; i < RINGS; i++)
        if (newest[i]) {
            CHECK(nv_newest(nv, i) >= newest[i]); /* garbage behind it may cost numbers */
            CHECK(nv_read(nv, i, newest[i], back) == ERR_OK);
            CHECK(memcmp(back, record, layouts[layout][i].record_size) == 0);
        }
    if (!kept) {
        CHECK(nv_get(nv, 63, back, sizeof back, &len) == ERR_OK && len == 40);
        CHECK(memcmp(back, record, 40) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_flash d; /* one input at a time */
    static uint8_t octets[SIZE], before[SIZE];
    struct nv nv;
    struct rd r = rd_of(data, size);
    uint32_t layout = rd_u8(&r) % LAYOUTS;
    fuzz_flash_init(&d, octets, N, SECTOR);
    for (uint32_t i = 0; i < ORDERS && !r.err && r.pos < size; i++)
        order(&d, &r);
    memcpy(before, d.octet, sizeof before);
    enum err err = mount(&nv, &d, layout);
    CHECK(err == ERR_OK || err == ERR_VERSION);
    if (err) {
        CHECK(memcmp(before, d.octet, sizeof before) == 0);
        return 0;
    }
    check_all(&nv, &d, layout);
    check_use(&nv, &d, layout);
    check_all(&nv, &d, layout);
    return 0;
}
