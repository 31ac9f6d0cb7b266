/* Sector headers. A sector is used only after an erase that a whole header proves to have ended: a
 * header is the last thing written by sector_prepare(), so a cut before it leaves a sector that
 * the next mount erases again. Two equal copies let one damaged bit pass. */
#include "lib/nv/sector.h"

#include "lib/base/crc.h"
#include "lib/base/cursor.h"

#include <string.h>

#define SECTOR_MAGIC UINT32_C(0x464E5653) /* "FNVS" */

/* Where things stand in a header. */
enum { HEAD_FORMAT = 4, HEAD_ID = 6, HEAD_OWNER = 16, HEAD_CRC = 28 };

struct nv_area area_kv(const struct nv_config *config)
{
    return (struct nv_area){.flash = config->flash,
                            .first = {config->kv_first_sector, config->kv_n_sectors},
                            .n_sectors = config->kv_n_sectors};
}

uint32_t area_sector(const struct nv_area *a, uint16_t sector)
{
    const struct nv_extent *in = &a->first;
    for (unsigned i = 0; i < a->n_more && sector >= in->n_sectors; i++) {
        sector = (uint16_t)(sector - in->n_sectors);
        in = &a->more[i];
    }
    return (uint32_t)in->first_sector + sector;
}

uint32_t area_addr(const struct nv_area *a, uint16_t sector)
{
    return area_sector(a, sector) * a->flash->sector_size;
}

uint16_t area_after(const struct nv_area *a, uint16_t sector, uint32_t steps)
{
    return (uint16_t)((sector + steps) % a->n_sectors);
}

enum err area_read(const struct nv_area *a, uint32_t addr, void *to, uint32_t n)
{
    return a->flash->read(a->flash, addr, to, n);
}

enum err area_program(const struct nv_area *a, uint32_t addr, const void *from, uint32_t n)
{
    return a->flash->program(a->flash, addr, from, n);
}

/* What a header of ours says of whose it is, up to what each use changes. */
static void owner_encode(const struct nv_area *a, uint16_t sector, struct wr *w)
{
    wr_u32(w, SECTOR_MAGIC);
    wr_u16(w, NV_FORMAT);
    wr_u8(w, a->id);
    wr_u8(w, 0);
    wr_u16(w, a->record_size);
    wr_u16(w, a->n_sectors);
    wr_u16(w, sector);
    wr_u16(w, a->generation);
}

static void head_encode(const struct nv_area *a, uint16_t sector, const struct sector_head *head,
                        uint8_t to[SECTOR_HEAD])
{
    struct wr w = wr_of(to, SECTOR_HEAD);
    owner_encode(a, sector, &w);
    wr_u32(&w, head->n_erases);
    wr_u32(&w, 0);
    wr_u32(&w, head->base);
    wr_u32(&w, crc32_update(0, to, w.len));
}

/* ERR_CORRUPT: no header at all. Format 1 had zeros where the generation stands, so it needs no
 * case of its own. */
static enum err head_decode(const struct nv_area *a, uint16_t sector,
                            const uint8_t from[SECTOR_HEAD], struct sector_head *head)
{
    uint8_t owner[HEAD_OWNER];
    struct wr w = wr_of(owner, sizeof owner);
    struct rd r = rd_of(from + HEAD_FORMAT, SECTOR_HEAD - HEAD_FORMAT);
    owner_encode(a, sector, &w);
    uint16_t format = rd_u16(&r);
    r.pos = HEAD_OWNER - HEAD_FORMAT;
    head->n_erases = rd_u32(&r);
    bool wide = rd_u32(&r) != 0;
    head->base = rd_u32(&r);
    if (memcmp(from, owner, HEAD_FORMAT) != 0 || rd_u32(&r) != crc32_update(0, from, HEAD_CRC))
        return ERR_CORRUPT;
    head->valid = !wide && memcmp(from + HEAD_ID, owner + HEAD_ID, HEAD_OWNER - HEAD_ID) == 0;
    head->foreign = !head->valid;
    if (head->foreign)
        head->base = 0;
    return format > NV_FORMAT ? ERR_VERSION : ERR_OK;
}

enum err sector_read(const struct nv_area *a, uint16_t sector, struct sector_head *head)
{
    uint8_t octets[2][SECTOR_HEAD];
    enum err err = area_read(a, area_addr(a, sector), octets, sizeof octets);
    *head = (struct sector_head){0};
    if (err)
        return err;
    err = head_decode(a, sector, octets[0], head);
    if (err == ERR_CORRUPT)
        err = head_decode(a, sector, octets[1], head);
    else
        head->twice = memcmp(octets[0], octets[1], SECTOR_HEAD) == 0;
    if (err != ERR_CORRUPT)
        return err;
    *head = (struct sector_head){0};
    return ERR_OK;
}

/* A sector that lost its header goes on from the next one that has one: in turn-by-turn use that
 * was erased as often. One never used before comes out right, the last of an area one too high. */
static enum err erases_so_far(const struct nv_area *a, uint16_t sector, uint32_t *n_erases)
{
    struct sector_head head = {0};
    enum err err = ERR_OK;
    for (uint16_t i = 0; !err && head.n_erases == 0 && i < 2; i++)
        err = sector_read(a, area_after(a, sector, i), &head);
    *n_erases = head.n_erases;
    return err;
}

enum err sector_prepare(const struct nv_area *a, uint16_t sector, uint32_t base)
{
    struct sector_head head = {.base = base};
    uint8_t octets[2 * SECTOR_HEAD];
    bool ready = false;
    enum err err = erases_so_far(a, sector, &head.n_erases);
    if (!err)
        err = a->flash->erase(a->flash, area_sector(a, sector));
    if (err)
        return err;
    head.n_erases++;
    head_encode(a, sector, &head, octets);
    head_encode(a, sector, &head, octets + SECTOR_HEAD);
    err = area_program(a, area_addr(a, sector), octets, sizeof octets);
    if (!err)
        err = sector_ready(a, sector, base, &ready);
    return err ? err : ready ? ERR_OK : ERR_IO;
}

enum err flash_strike(const struct nv_area *a, uint32_t addr, uint32_t n)
{
    static const uint8_t zeros[STRIKE_MAX];
    uint8_t octets[STRIKE_MAX];
    if (n > sizeof octets)
        return ERR_RANGE;
    enum err err = area_read(a, addr, octets, n);
    if (err || memcmp(octets, zeros, n) == 0)
        return err;
    return area_program(a, addr, zeros, n);
}

enum err flash_blank(const struct nv_area *a, uint32_t addr, uint32_t n, bool *blank)
{
    *blank = true;
    while (n > 0 && *blank) {
        uint8_t chunk[SECTOR_CHUNK];
        uint32_t part = n < sizeof chunk ? n : (uint32_t)sizeof chunk;
        enum err err = area_read(a, addr, chunk, part);
        if (err)
            return err;
        /* each octet as the one before it: mounting looks at most of the device */
        *blank = chunk[0] == 0xFF && memcmp(chunk, chunk + 1, part - 1) == 0;
        addr += part;
        n -= part;
    }
    return ERR_OK;
}

enum err sector_used(const struct nv_area *a, uint16_t sector, uint32_t *end)
{
    uint8_t chunk[SECTOR_CHUNK];
    for (*end = a->flash->sector_size; *end > SECTOR_DATA; *end -= SECTOR_CHUNK) {
        enum err err =
            area_read(a, area_addr(a, sector) + *end - SECTOR_CHUNK, chunk, SECTOR_CHUNK);
        if (err)
            return err;
        for (uint32_t i = SECTOR_CHUNK; i > 0; i--) {
            if (chunk[i - 1] != 0xFF) {
                *end -= SECTOR_CHUNK - i;
                return ERR_OK;
            }
        }
    }
    return ERR_OK;
}

enum err sector_ready(const struct nv_area *a, uint16_t sector, uint32_t base, bool *ready)
{
    struct sector_head head;
    *ready = false;
    enum err err = sector_read(a, sector, &head);
    if (err || !head.valid || !head.twice || head.base != base)
        return err;
    return flash_blank(a, area_addr(a, sector) + SECTOR_DATA, a->flash->sector_size - SECTOR_DATA,
                       ready);
}

void octets_mend(uint8_t *octets, size_t at, size_t n, uint16_t flip)
{
    size_t octet = (flip - 1u) / 8u;
    if (flip != 0 && octet >= at && octet - at < n)
        octets[octet - at] = (uint8_t)(octets[octet - at] ^ 1u << (flip - 1u) % 8u);
}

static enum err source_chunk(const struct nv_area *a, const struct source *from, uint32_t at,
                             uint8_t chunk[SECTOR_CHUNK], uint32_t *n)
{
    uint32_t left = from->len - at;
    enum err err = ERR_OK;
    *n = left < SECTOR_CHUNK ? left : SECTOR_CHUNK;
    if (from->p)
        memcpy(chunk, from->p + at, *n);
    else if (from->addr)
        err = area_read(a, from->addr + at, chunk, *n);
    else
        memset(chunk, 0, *n);
    octets_mend(chunk, at, *n, from->flip);
    return err;
}

enum err source_crc(const struct nv_area *a, const struct source *from, uint32_t *crc)
{
    uint32_t n;
    enum err err = ERR_OK;
    for (uint32_t at = 0; at < from->len && !err; at += n) {
        uint8_t chunk[SECTOR_CHUNK];
        err = source_chunk(a, from, at, chunk, &n);
        *crc = crc32_update(*crc, chunk, err ? 0 : n);
    }
    return err;
}

enum err source_program(const struct nv_area *a, uint32_t addr, const struct source *from)
{
    uint32_t n;
    enum err err = ERR_OK;
    for (uint32_t at = 0; at < from->len && !err; at += n) {
        uint8_t chunk[SECTOR_CHUNK];
        err = source_chunk(a, from, at, chunk, &n);
        if (!err)
            err = area_program(a, addr + at, chunk, n);
    }
    return err;
}
