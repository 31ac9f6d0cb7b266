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

/* Numbers are of 64 bits on the flash, and none of a meter's is near the end of 32: a record a
 * second would take 136 years. */
#define NUMBERS_END UINT32_MAX

enum kind { KIND_NONE = 0, KIND_DATA = 0x3C, KIND_CLEAR = 0xC3 };
static const uint8_t kinds[] = {KIND_DATA, KIND_CLEAR};

struct head {
    uint8_t area;
    uint32_t record_size, n_sectors, place, base;
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
    const uint32_t base_high = rd_u32(&r);
    out->base = rd_u32(&r);
    const uint32_t crc = crc32_update(0, octets, r.pos);
    return magic == MAGIC && format == FORMAT && base_high == 0 && rd_u32(&r) == crc;
}

/* Of area 0, which no ring has, where neither copy is a header of format 1. */
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
    out->area = 0;
    return ERR_OK;
}

static void set_geometry(struct meter_old_ring *ring)
{
    ring->slot_size = SLOT_SEQ + ring->record_size + SLOT_TAIL;
    ring->n_slots = (ring->flash->sector_size - DATA) / ring->slot_size;
    ring->n_spare = ring->n_slots >= 8 ? 2 : ring->n_slots >= 3 ? 1 : 0;
    ring->n_records = ring->n_slots - ring->n_spare;
}

static uint32_t place_of(const struct meter_old_ring *ring, uint32_t seq)
{
    return (seq - 1) / ring->n_records % ring->n_sectors;
}

static bool belongs(const struct meter_old_ring *ring, uint32_t place, uint32_t slot, uint32_t seq)
{
    if (seq == 0 || place_of(ring, seq) != place)
        return false;
    const uint32_t index = (seq - 1) % ring->n_records;
    return slot >= index && slot - index <= ring->n_spare;
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

struct slot {
    uint32_t seq;
    enum kind kind; /* KIND_NONE: no valid record */
};

static enum err slot_read(const struct meter_old_ring *ring, uint32_t place, uint32_t slot,
                          uint8_t *record, struct slot *out)
{
    const struct hal_flash *flash = ring->flash;
    const uint32_t addr =
        (ring->first_sector + place) * flash->sector_size + DATA + slot * ring->slot_size;
    const uint8_t tag[3] = {ring->area, (uint8_t)(ring->record_size >> 8),
                            (uint8_t)ring->record_size};
    uint8_t head[SLOT_SEQ], tail[SLOT_TAIL];
    *out = (struct slot){.kind = KIND_NONE};
    enum err err = flash->read(flash, addr, head, sizeof head);
    if (!err)
        err = flash->read(flash, addr + ring->slot_size - SLOT_TAIL, tail, sizeof tail);
    if (err)
        return err;
    struct rd r = rd_of(head, sizeof head);
    const uint64_t seq = rd_u64(&r);
    out->seq = seq < NUMBERS_END ? (uint32_t)seq : 0;
    if (!belongs(ring, place, slot, out->seq)) /* blank ones, too */
        return ERR_OK;
    uint32_t crc = crc32_update(crc32_update(0, tag, sizeof tag), head, sizeof head);
    err = payload_read(ring, addr + SLOT_SEQ, record, &crc);
    r = rd_of(tail, sizeof tail);
    const uint32_t stored = rd_u32(&r);
    for (size_t k = 0; k < sizeof kinds; k++) {
        if (stored == crc32_update(crc, &kinds[k], 1))
            out->kind = (enum kind)kinds[k];
    }
    return err;
}

struct survey {
    uint32_t newest, cleared, base;
};

static enum err survey_sector(const struct meter_old_ring *ring, uint32_t place, struct survey *s)
{
    struct head head;
    enum err err = head_read(ring->flash, ring->first_sector + place, &head);
    if (!err && head.area == ring->area && head.place == place && head.base > s->base)
        s->base = head.base;
    for (uint32_t i = 0; i < ring->n_slots && !err; i++) {
        struct slot slot;
        err = slot_read(ring, place, i, NULL, &slot);
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
    struct survey s = {0};
    enum err err = ERR_OK;
    for (uint32_t place = 0; place < ring->n_sectors && !err; place++)
        err = survey_sector(ring, place, &s);
    const uint32_t held = (ring->n_sectors - 1u) * ring->n_records;
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
        if (err)
            return err;
        if (head.area != area)
            continue;
        if (!credible(flash, s, &head))
            return ERR_CORRUPT;
        *out = (struct meter_old_ring){.flash = flash,
                                       .area = area,
                                       .first_sector = s - head.place,
                                       .n_sectors = head.n_sectors,
                                       .record_size = head.record_size};
        set_geometry(out);
        return survey(out);
    }
    return ERR_NOT_FOUND;
}

enum err meter_old_read(const struct meter_old_ring *ring, uint32_t seq, void *record)
{
    if (seq < ring->oldest || seq > ring->newest)
        return ERR_NOT_FOUND;
    const uint32_t index = (seq - 1) % ring->n_records;
    for (uint32_t i = index; i <= index + ring->n_spare; i++) {
        struct slot slot;
        enum err err = slot_read(ring, place_of(ring, seq), i, record, &slot);
        if (err)
            return err;
        if (slot.kind == KIND_DATA && slot.seq == seq)
            return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

uint32_t meter_old_end(const struct meter_old_ring *ring)
{
    return ring->first_sector + ring->n_sectors;
}
