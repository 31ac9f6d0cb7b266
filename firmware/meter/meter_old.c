/* See meter_old.h. */
#include "firmware/meter/meter_old.h"

#include "lib/base/crc.h"
#include "lib/base/cursor.h"

#include <string.h>

#define MAGIC       UINT32_C(0x464E5653) /* "FNVS" */
#define FORMAT      1
#define HEAD        32u /* a header, twice */
#define DATA        64u
#define SLOT_SEQ    8u
#define SLOT_TAIL   5u /* CRC-32, kind */
#define CHUNK       64u
#define RECORD_MAX  2048u
#define SECTORS_MAX 4096u /* of a device of the version before */

enum kind { KIND_NONE = 0, KIND_DATA = 0x3C, KIND_CLEAR = 0xC3 };

struct head {
    uint8_t area;
    uint16_t record_size, n_sectors, place;
    uint64_t base;
};

static bool decode(const uint8_t octets[HEAD], struct head *out)
{
    struct rd r = rd_of(octets, HEAD);
    const uint32_t magic = rd_u32(&r);
    const uint16_t format = rd_u16(&r);
    out->area = rd_u8(&r);
    rd_u8(&r);
    out->record_size = rd_u16(&r);
    out->n_sectors = rd_u16(&r);
    out->place = rd_u16(&r);
    rd_u16(&r);
    rd_u32(&r); /* erases: carried on by whoever erases */
    out->base = rd_u64(&r);
    const uint32_t crc = crc32_update(0, octets, r.pos);
    return magic == MAGIC && format == FORMAT && rd_u32(&r) == crc;
}

/* ERR_NOT_FOUND: neither copy is a header of format 1. */
static enum err head_read(const struct hal_flash *flash, uint32_t sector, struct head *out)
{
    uint8_t octets[HEAD];
    for (uint32_t copy = 0; copy < 2; copy++) {
        enum err err =
            flash->read(flash, sector * flash->sector_size + copy * HEAD, octets, sizeof octets);
        if (err)
            return err;
        if (decode(octets, out))
            return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

struct geometry {
    uint32_t slot_size, n_slots, n_spare, n_records;
};

static struct geometry geometry_of(const struct meter_old_ring *ring)
{
    struct geometry g = {.slot_size = SLOT_SEQ + ring->record_size + SLOT_TAIL};
    g.n_slots = (ring->flash->sector_size - DATA) / g.slot_size;
    g.n_spare = g.n_slots >= 8 ? 2 : g.n_slots >= 3 ? 1 : 0;
    g.n_records = g.n_slots - g.n_spare;
    return g;
}

static uint16_t place_of(const struct meter_old_ring *ring, const struct geometry *g, uint64_t seq)
{
    return (uint16_t)((seq - 1) / g->n_records % ring->n_sectors);
}

static bool belongs(const struct meter_old_ring *ring, const struct geometry *g, uint16_t place,
                    uint32_t slot, uint64_t seq)
{
    if (seq == 0 || place_of(ring, g, seq) != place)
        return false;
    const uint32_t index = (uint32_t)((seq - 1) % g->n_records);
    return slot >= index && slot - index <= g->n_spare;
}

/* Check sum of a payload, which goes to `record` unless that is NULL. */
static enum err payload_read(const struct meter_old_ring *ring, uint32_t addr, uint8_t *record,
                             uint32_t *crc)
{
    for (uint32_t done = 0, n; done < ring->record_size; done += n) {
        uint8_t chunk[CHUNK];
        n = ring->record_size - done < CHUNK ? ring->record_size - done : CHUNK;
        enum err err = ring->flash->read(ring->flash, addr + done, chunk, n);
        if (err)
            return err;
        *crc = crc32_update(*crc, chunk, n);
        if (record != NULL)
            memcpy(record + done, chunk, n);
    }
    return ERR_OK;
}

static uint32_t crc_with(uint32_t crc, uint8_t kind)
{
    return crc32_update(crc, &kind, 1);
}

struct slot {
    uint64_t seq;
    enum kind kind; /* KIND_NONE: no valid record */
};

static enum err slot_read(const struct meter_old_ring *ring, const struct geometry *g,
                          uint16_t place, uint32_t slot, uint8_t *record, struct slot *out)
{
    const struct hal_flash *flash = ring->flash;
    const uint32_t addr =
        (uint32_t)(ring->first_sector + place) * flash->sector_size + DATA + slot * g->slot_size;
    const uint8_t tag[3] = {ring->area, (uint8_t)(ring->record_size >> 8),
                            (uint8_t)ring->record_size};
    uint8_t head[SLOT_SEQ], tail[SLOT_TAIL];
    *out = (struct slot){.kind = KIND_NONE};
    enum err err = flash->read(flash, addr, head, sizeof head);
    if (!err)
        err = flash->read(flash, addr + g->slot_size - SLOT_TAIL, tail, sizeof tail);
    if (err)
        return err;
    struct rd r = rd_of(head, sizeof head);
    out->seq = rd_u64(&r);
    if (!belongs(ring, g, place, slot, out->seq)) /* blank ones, too */
        return ERR_OK;
    uint32_t crc = crc32_update(crc32_update(0, tag, sizeof tag), head, sizeof head);
    err = payload_read(ring, addr + SLOT_SEQ, record, &crc);
    r = rd_of(tail, sizeof tail);
    const uint32_t stored = rd_u32(&r);
    if (stored == crc_with(crc, KIND_DATA))
        out->kind = KIND_DATA;
    else if (stored == crc_with(crc, KIND_CLEAR))
        out->kind = KIND_CLEAR;
    return err;
}

struct survey {
    uint64_t newest, cleared, base;
};

static enum err survey_sector(const struct meter_old_ring *ring, const struct geometry *g,
                              uint16_t place, struct survey *s)
{
    struct head head;
    enum err err = head_read(ring->flash, (uint32_t)ring->first_sector + place, &head);
    if (!err && head.area == ring->area && head.place == place && head.base > s->base)
        s->base = head.base;
    if (err == ERR_NOT_FOUND)
        err = ERR_OK; /* records are numbers of their own */
    for (uint32_t i = 0; i < g->n_slots && !err; i++) {
        struct slot slot;
        err = slot_read(ring, g, place, i, NULL, &slot);
        if (err || slot.kind == KIND_NONE)
            continue;
        if (slot.seq > s->newest)
            s->newest = slot.seq;
        if (slot.kind == KIND_CLEAR && slot.seq > s->cleared)
            s->cleared = slot.seq;
    }
    return err;
}

static enum err survey(struct meter_old_ring *ring)
{
    const struct geometry g = geometry_of(ring);
    struct survey s = {0};
    enum err err = ERR_OK;
    for (uint16_t place = 0; place < ring->n_sectors && !err; place++)
        err = survey_sector(ring, &g, place, &s);
    const uint64_t held = (uint64_t)(ring->n_sectors - 1u) * g.n_records;
    ring->newest = s.newest > s.cleared ? s.newest : 0;
    ring->oldest = s.cleared + 1;
    if (s.base > held && s.base - held > ring->oldest)
        ring->oldest = s.base - held;
    return err;
}

/* Whether a header can be of a ring of this device. */
static bool credible(const struct hal_flash *flash, uint32_t sector, const struct head *h)
{
    return h->n_sectors >= 2 && h->place < h->n_sectors && h->place <= sector &&
           sector - h->place + h->n_sectors <= flash->n_sectors && h->record_size >= 1 &&
           h->record_size <= RECORD_MAX &&
           h->record_size + SLOT_SEQ + SLOT_TAIL <= flash->sector_size - DATA;
}

enum err meter_old_find(const struct hal_flash *flash, uint8_t area, uint32_t from,
                        struct meter_old_ring *out)
{
    for (uint32_t s = from; s < flash->n_sectors && s < SECTORS_MAX; s++) {
        struct head head;
        enum err err = head_read(flash, s, &head);
        if (err == ERR_NOT_FOUND || (!err && head.area != area))
            continue;
        if (err)
            return err;
        if (!credible(flash, s, &head))
            return ERR_CORRUPT;
        *out = (struct meter_old_ring){.flash = flash,
                                       .area = area,
                                       .first_sector = (uint16_t)(s - head.place),
                                       .n_sectors = head.n_sectors,
                                       .record_size = head.record_size};
        return survey(out);
    }
    return ERR_NOT_FOUND;
}

enum err meter_old_read(const struct meter_old_ring *ring, uint64_t seq, void *record)
{
    const struct geometry g = geometry_of(ring);
    if (seq < ring->oldest || seq > ring->newest)
        return ERR_NOT_FOUND;
    const uint32_t index = (uint32_t)((seq - 1) % g.n_records);
    for (uint32_t i = index; i <= index + g.n_spare; i++) {
        struct slot slot;
        enum err err = slot_read(ring, &g, place_of(ring, &g, seq), i, record, &slot);
        if (err)
            return err;
        if (slot.kind == KIND_DATA && slot.seq == seq)
            return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

uint32_t meter_old_end(const struct meter_old_ring *ring)
{
    return (uint32_t)ring->first_sector + ring->n_sectors;
}
