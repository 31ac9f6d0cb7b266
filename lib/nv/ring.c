/* A ring of fixed-size records: sequence number to place is pure arithmetic, so any record is read
 * in constant time and the mount needs no index.
 *
 * A sector has n_slots places for n_records records; the difference is spare, because a record torn
 * by a power cut spoils its place. Record i of a sector therefore stands in slot i, i+1 or i+2; the
 * record itself carries its number. Only when more cuts hit one sector than it has spare places
 * does a torn record cost its number (nv_read: ERR_CORRUPT).
 *
 * Sequence number q lies in sector ((q - 1) / n_records) mod n_sectors, for ever. The first record
 * of a sector is durable before the sector after it, the oldest, is erased: that order keeps
 * erasing off the way of the next records and leaves the sector header of the next use as a second
 * witness of how far the numbers had come. Clearing writes a record too, of another kind. */
#include "lib/nv/sector.h"

#include "lib/base/crc.h"
#include "lib/base/cursor.h"

#include <string.h>

#define SLOT_SEQ  8u
#define SLOT_TAIL 5u          /* CRC-32, kind */
#define SEQ_END   0xF0000000u /* no number from here on: room to calculate with the next ones */

enum kind { KIND_DATA = 0x3C, KIND_CLEAR = 0xC3 };
enum state { STATE_BLANK, STATE_TORN, STATE_DAMAGED, STATE_DATA, STATE_CLEAR };

struct slot { /* what stands in one */
    enum state state;
    uint32_t seq; /* 0: none that counts */
    uint8_t tail[SLOT_TAIL];
};

struct nv_area area_ring(const struct nv_config *config, uint8_t ring)
{
    const struct nv_ring_layout *layout = &config->rings[ring];
    struct nv_area a = {.flash = config->flash,
                        .first = {layout->first_sector, layout->n_sectors},
                        .more = layout->more,
                        .n_more = layout->n_more,
                        .id = (uint8_t)(ring + 1),
                        .n_sectors = layout->n_sectors,
                        .record_size = layout->record_size,
                        .generation = layout->generation,
                        .slot_size = SLOT_SEQ + layout->record_size + SLOT_TAIL};
    for (unsigned i = 0; i < a.n_more; i++)
        a.n_sectors = (uint16_t)(a.n_sectors + a.more[i].n_sectors);
    a.n_slots = (a.flash->sector_size - SECTOR_DATA) / a.slot_size;
    a.n_spare = a.n_slots >= 8 ? 2 : a.n_slots >= 3 ? 1 : 0;
    a.n_records = a.n_slots - a.n_spare;
    return a;
}

static uint16_t sector_of(const struct nv_area *a, uint32_t seq)
{
    return (uint16_t)((seq - 1) / a->n_records % a->n_sectors);
}

static uint32_t index_of(const struct nv_area *a, uint32_t seq)
{
    return (uint32_t)((seq - 1) % a->n_records);
}

/* The first number that falls into the same sector. */
static uint32_t base_of(const struct nv_area *a, uint32_t seq)
{
    return seq - index_of(a, seq);
}

/* Where a slot is, of the sector of this number. */
static uint32_t slot_addr(const struct nv_area *a, uint32_t seq, uint32_t slot)
{
    return area_addr(a, sector_of(a, seq)) + SECTOR_DATA + slot * a->slot_size;
}

/* The check sum covers what the slot does not say: whose record it is, how long, of which
 * generation; so what a cut erase left of another generation is no record. The first generation has
 * none, as in format 1. */
static uint32_t crc_start(const struct nv_area *a, const uint8_t seq[SLOT_SEQ])
{
    uint8_t tag[5];
    struct wr w = wr_of(tag, sizeof tag);
    wr_u8(&w, a->id);
    wr_u16(&w, a->record_size);
    if (a->generation)
        wr_u16(&w, a->generation);
    return crc32_update(crc32_update(0, tag, w.len), seq, SLOT_SEQ);
}

static uint32_t crc_end(uint32_t crc, uint8_t kind)
{
    return crc32_update(crc, &kind, 1);
}

/* The kind is programmed last, so after a cut it still has every bit of the whole one and more. */
static bool kind_torn(uint8_t kind, uint8_t whole)
{
    return kind != whole && (kind & whole) == whole;
}

static enum state state_of(uint32_t crc, uint32_t stored, uint8_t kind)
{
    if (stored == crc_end(crc, KIND_DATA))
        return STATE_DATA;
    if (stored == crc_end(crc, KIND_CLEAR))
        return STATE_CLEAR;
    bool struck = stored == 0;
    bool torn = kind_torn(kind, KIND_DATA) || kind_torn(kind, KIND_CLEAR) || struck;
    return torn ? STATE_TORN : STATE_DAMAGED;
}

/* A payload goes into `record` unless that is NULL. */
static enum err slot_read(const struct nv_area *a, uint32_t addr, uint8_t *record,
                          struct slot *slot)
{
    const struct source payload = {.p = record, .addr = addr + SLOT_SEQ, .len = a->record_size};
    uint8_t head[SLOT_SEQ];
    bool blank;
    enum err err = flash_blank(a, addr, a->slot_size, &blank);
    *slot = (struct slot){.state = STATE_BLANK};
    if (err || blank)
        return err;
    err = area_read(a, addr, head, sizeof head);
    if (!err && record)
        err = area_read(a, payload.addr, record, payload.len);
    if (err)
        return err;
    uint32_t crc = crc_start(a, head);
    err = source_crc(a, &payload, &crc);
    if (!err)
        err = area_read(a, addr + a->slot_size - SLOT_TAIL, slot->tail, sizeof slot->tail);
    if (err)
        return err;
    struct rd r = rd_of(head, sizeof head);
    bool wide = rd_u32(&r) != 0;
    slot->seq = rd_u32(&r);
    if (wide || slot->seq >= SEQ_END)
        slot->seq = 0;
    r = rd_of(slot->tail, sizeof slot->tail);
    uint32_t stored = rd_u32(&r);
    slot->state = state_of(crc, stored, rd_u8(&r));
    return ERR_OK;
}

/* Reads the last slot that may have been under a cut, more than once. What reads now so, now so, is
 * torn; and what is torn is struck out, so that it stays it. A record whose kind is blank had its
 * check sum under way: that is programmed again, so that the record stays one. */
static enum err slot_settle(const struct nv_area *a, uint32_t addr, struct slot *slot)
{
    enum err err = slot_read(a, addr, NULL, slot);
    for (unsigned i = 1; i < SETTLE_READS && !err; i++) {
        struct slot again;
        err = slot_read(a, addr, NULL, &again);
        if (again.state != slot->state || again.seq != slot->seq)
            slot->state = STATE_TORN;
    }
    addr += a->slot_size - SLOT_TAIL;
    if (!err && slot->state == STATE_TORN)
        err = flash_strike(a, addr, SLOT_TAIL);
    else if (!err && slot->state >= STATE_DATA && slot->tail[SLOT_TAIL - 1] == 0xFF)
        err = area_program(a, addr, slot->tail, SLOT_TAIL);
    return err;
}

/* payload NULL: a record of zeros. */
static enum err slot_program(const struct nv_area *a, uint32_t addr, uint32_t seq, enum kind kind,
                             const uint8_t *payload)
{
    const struct source from = {.p = payload, .len = a->record_size};
    uint8_t head[SLOT_SEQ], tail[SLOT_TAIL];
    struct wr w = wr_of(head, sizeof head);
    wr_u32(&w, 0);
    wr_u32(&w, seq);
    uint32_t crc = crc_start(a, head);
    enum err err = source_crc(a, &from, &crc);
    w = wr_of(tail, sizeof tail);
    wr_u32(&w, crc_end(crc, (uint8_t)kind));
    wr_u8(&w, (uint8_t)kind);
    if (!err)
        err = area_program(a, addr, head, sizeof head);
    if (!err)
        err = source_program(a, addr + SLOT_SEQ, &from);
    if (!err)
        err = area_program(a, addr + a->slot_size - SLOT_TAIL, tail, sizeof tail);
    return err;
}

/* --- positions --- */

/* The next record is `seq`: in its sector not before slot `slot`. A place too late for the number
 * costs the number; past the last place or number the next sector begins. */
static void ring_place(const struct nv_area *a, struct nv_ring_state *ring, uint32_t seq,
                       uint32_t slot, uint32_t index)
{
    if (slot > index + a->n_spare) {
        seq += slot - a->n_spare - index;
        index = slot - a->n_spare;
    }
    ring->next_seq = seq;
    ring->slot = (uint16_t)slot;
    if (index >= a->n_records) {
        ring->slot = 0;
        ring->head_ready = ring->next_ready;
        ring->next_ready = false;
    }
}

/* Steps over a slot whose record counts (`used`) or not. */
static void ring_step(const struct nv_area *a, struct nv_ring_state *ring, bool used)
{
    uint32_t index = index_of(a, ring->next_seq) + used;
    ring_place(a, ring, ring->next_seq + used, ring->slot + 1, index);
}

/* Where the next record goes. */
static uint32_t next_addr(const struct nv_area *a, const struct nv_ring_state *ring)
{
    return slot_addr(a, ring->next_seq, ring->slot);
}

static uint32_t next_base(const struct nv_area *a, uint32_t seq)
{
    return base_of(a, seq) + a->n_records;
}

/* --- appending --- */

/* With the sector of `base` erased, nothing before this number is left. */
static void ring_forget(const struct nv_area *a, struct nv_ring_state *ring, uint32_t base)
{
    uint32_t held = (uint32_t)(a->n_sectors - 1u) * a->n_records;
    if (base > held && ring->oldest < base - held)
        ring->oldest = base - held;
}

/* Makes the sector of `base` ready, unless it is. */
static enum err ring_prepare(const struct nv_area *a, struct nv_ring_state *ring, uint32_t base,
                             bool *ready)
{
    enum err err = ERR_OK;
    ring_forget(a, ring, base);
    if (!*ready)
        err = sector_prepare(a, sector_of(a, base), base);
    *ready = err == ERR_OK;
    return err;
}

/* Makes the place of the next record blank: an erased sector, no stray octet in the slot. */
static enum err ring_make_place(const struct nv_area *a, struct nv_ring_state *ring)
{
    for (;;) {
        bool blank = false;
        enum err err = ring_prepare(a, ring, base_of(a, ring->next_seq), &ring->head_ready);
        if (!err)
            err = flash_blank(a, next_addr(a, ring), a->slot_size, &blank);
        if (err || blank)
            return err;
        ring_step(a, ring, false);
    }
}

/* Writes at the next place and looks what stands there. Whole means written, whatever the flash
 * said; otherwise the place is stepped over as a mount would. A place that cannot even be read may
 * hold the record, so its number is spent. */
static enum err ring_write(const struct nv_area *a, struct nv_ring_state *ring, enum kind kind,
                           const uint8_t *record)
{
    uint32_t seq = ring->next_seq, addr = next_addr(a, ring);
    struct slot back = {.state = STATE_TORN};
    enum state want = kind == KIND_DATA ? STATE_DATA : STATE_CLEAR;
    enum err err = slot_program(a, addr, seq, kind, record);
    bool unknown = slot_read(a, addr, NULL, &back) != ERR_OK;
    if (unknown || back.state != STATE_BLANK)
        ring_step(a, ring, unknown || back.state != STATE_TORN);
    if (!unknown && back.state == want && back.seq == seq)
        return ERR_OK;
    return err ? err : ERR_IO;
}

static enum err ring_append(struct nv *nv, uint8_t index, enum kind kind, const uint8_t *record)
{
    const struct nv_area area = area_ring(&nv->config, index), *a = &area;
    struct nv_ring_state *ring = &nv->ring[index];
    bool empty = ring->oldest == ring->next_seq;
    if (ring->next_seq >= SEQ_END)
        return ERR_FULL;
    enum err err = ring_make_place(a, ring);
    uint32_t seq = ring->next_seq;
    bool next_ready = ring->next_ready;
    if (!err)
        err = ring_write(a, ring, kind, record);
    if (empty)
        ring->oldest = seq; /* on an error too: the number is either free still or spent */
    if (err || next_ready)
        return err;
    /* The first of its sector: now the one after is erased. This record is durable whatever becomes
     * of that; the next append tries again. */
    bool *ready = ring->slot == 0 ? &ring->head_ready : &ring->next_ready;
    (void)ring_prepare(a, ring, next_base(a, seq), ready);
    return ERR_OK;
}

static bool is_closed(const struct nv *nv, uint8_t ring)
{
    return (nv->closed & 2u << ring) != 0;
}

enum err nv_append(struct nv *nv, uint8_t ring, const void *record)
{
    if (ring >= nv->config.n_rings)
        return ERR_RANGE;
    if (is_closed(nv, ring))
        return ERR_STATE;
    return ring_append(nv, ring, KIND_DATA, record);
}

enum err nv_clear(struct nv *nv, uint8_t ring)
{
    if (ring >= nv->config.n_rings)
        return ERR_RANGE;
    if (is_closed(nv, ring))
        return ERR_STATE;
    if (nv_count(nv, ring) == 0)
        return ERR_OK;
    /* One is enough; the second outlives damage to the first, which would bring all back. */
    enum err err = ring_append(nv, ring, KIND_CLEAR, NULL);
    if (err)
        return err;
    err = ring_append(nv, ring, KIND_CLEAR, NULL);
    nv->ring[ring].oldest = nv->ring[ring].next_seq;
    return err;
}

/* --- reading --- */

uint32_t nv_count(const struct nv *nv, uint8_t ring)
{
    if (ring >= nv->config.n_rings)
        return 0;
    return nv->ring[ring].next_seq - nv->ring[ring].oldest;
}

uint32_t nv_capacity(const struct nv *nv, uint8_t ring)
{
    if (ring >= nv->config.n_rings)
        return 0;
    const struct nv_area area = area_ring(&nv->config, ring), *a = &area;
    return (uint32_t)(a->n_sectors - 2u) * a->n_records + 1;
}

uint64_t nv_newest(const struct nv *nv, uint8_t ring)
{
    return nv_count(nv, ring) ? nv->ring[ring].next_seq - 1 : 0;
}

/* The record `seq`, looked for in the slots it can stand in; one of data unless `any`. */
static enum err record_find(const struct nv_area *a, uint32_t seq, uint8_t *record, bool any)
{
    uint32_t index = index_of(a, seq);
    for (uint32_t slot = index; slot <= index + a->n_spare; slot++) {
        struct slot found;
        enum err err = slot_read(a, slot_addr(a, seq, slot), record, &found);
        if (err)
            return err;
        if (found.seq == seq && (found.state == STATE_DATA || (any && found.state == STATE_CLEAR)))
            return ERR_OK;
    }
    return ERR_CORRUPT;
}

enum err nv_read(const struct nv *nv, uint8_t ring, uint64_t seq, void *record)
{
    if (ring >= nv->config.n_rings)
        return ERR_RANGE;
    if (seq < nv->ring[ring].oldest || seq >= nv->ring[ring].next_seq)
        return ERR_NOT_FOUND;
    const struct nv_area area = area_ring(&nv->config, ring), *a = &area;
    enum err err = record_find(a, (uint32_t)seq, record, false);
    if (err)
        memset(record, 0, a->record_size);
    return err;
}

/* --- mounting --- */

struct survey {
    uint32_t newest, oldest; /* valid records: 0 none */
    uint32_t cleared;        /* newest clear record */
    uint32_t base;           /* highest of the sector headers, 0 none */
    uint32_t slot;           /* of newest */
    uint32_t n_damaged;
    bool head_lost;
};

static bool belongs(const struct nv_area *a, uint16_t sector, uint32_t slot, uint32_t seq)
{
    if (seq == 0)
        return false;
    uint32_t index = index_of(a, seq);
    return sector_of(a, seq) == sector && slot >= index && slot - index <= a->n_spare;
}

static bool begins_use(const struct nv_area *a, uint16_t sector, uint32_t base)
{
    return base < SEQ_END && index_of(a, base) == 0 && sector_of(a, base) == sector;
}

static void survey_record(struct survey *s, uint32_t slot, const struct slot *found)
{
    uint32_t seq = found->seq;
    if (seq > s->newest) {
        s->newest = seq;
        s->slot = slot;
    }
    if (found->state == STATE_CLEAR && seq > s->cleared)
        s->cleared = seq;
    if (s->oldest == 0 || seq < s->oldest)
        s->oldest = seq;
}

static enum err survey_sector(const struct nv_area *a, uint16_t sector, struct survey *s)
{
    uint32_t addr = area_addr(a, sector) + SECTOR_DATA;
    struct sector_head head;
    bool used = false;
    enum err err = sector_read(a, sector, &head);
    if (err || head.foreign)
        return err;
    if (head.base > s->base && begins_use(a, sector, head.base))
        s->base = head.base;
    for (uint32_t slot = 0; slot < a->n_slots; slot++, addr += a->slot_size) {
        struct slot found;
        err = slot_read(a, addr, NULL, &found);
        if (err)
            return err;
        used = used || found.state != STATE_BLANK;
        if (found.state >= STATE_DATA && belongs(a, sector, slot, found.seq))
            survey_record(s, slot, &found);
        s->n_damaged += found.state == STATE_DAMAGED;
    }
    s->n_damaged += used && !head.valid;
    return ERR_OK;
}

static enum err survey_all(const struct nv_area *a, struct survey *s)
{
    enum err err = ERR_OK;
    *s = (struct survey){0};
    for (uint16_t sector = 0; sector < a->n_sectors && !err; sector++)
        err = survey_sector(a, sector, s);
    return err;
}

/* Again where the newest record turns out to be none. */
static enum err survey_settled(const struct nv_area *a, struct survey *s)
{
    struct slot last = {.state = STATE_TORN};
    enum err err = survey_all(a, s);
    if (!err && s->newest)
        err = slot_settle(a, slot_addr(a, s->newest, s->slot), &last);
    if (err || s->newest == 0 || last.state != STATE_TORN)
        return err;
    return survey_all(a, s);
}

/* Does the sector of `base` have its header? Half a one is good only where records followed it. */
static enum err ring_stands(const struct nv_area *a, uint32_t base, bool *stands)
{
    struct sector_head head;
    bool blank = false;
    enum err err = sector_read(a, sector_of(a, base), &head);
    if (!err && !head.twice)
        err = flash_blank(a, slot_addr(a, base, 0), a->slot_size, &blank);
    *stands = head.valid && head.base == base && !blank;
    return err;
}

/* What a cut or damage left behind the newest valid record: torn records are stepped over, whole
 * but unreadable ones keep their numbers. A sector of nothing but torn ones is erased again: going
 * on to the next would erase records for nothing. */
static enum err ring_skip_tail(const struct nv_area *a, struct nv_ring_state *ring)
{
    uint32_t base = base_of(a, ring->next_seq);
    bool torn_only = ring->slot == 0;
    while (ring->head_ready) {
        struct slot found;
        enum err err = slot_settle(a, next_addr(a, ring), &found);
        if (err || found.state == STATE_BLANK)
            return err;
        ring_step(a, ring, found.state != STATE_TORN);
        torn_only = torn_only && found.state == STATE_TORN;
        if (ring->slot > 0)
            continue;
        if (torn_only) {
            ring->next_seq = base;
            ring->head_ready = ring->next_ready = false;
        }
        base = base_of(a, ring->next_seq);
        torn_only = true;
    }
    return ERR_OK;
}

static enum err ring_find_head(const struct nv_area *a, struct survey *s,
                               struct nv_ring_state *ring)
{
    enum err err = ERR_OK;
    if (s->newest == 0 || s->base > s->newest + a->n_records) {
        /* Empty, or a sector was made ready while the one before it was in use and no record of
         * that use is left: then all its numbers are spent. */
        s->head_lost = s->base > s->newest + a->n_records;
        ring->next_seq = s->base ? s->base : 1;
        if (s->base)
            err = ring_stands(a, s->base, &ring->head_ready);
        return err ? err : ring_skip_tail(a, ring);
    }
    err = ring_stands(a, next_base(a, s->newest), &ring->next_ready);
    if (err)
        return err;
    ring->head_ready = true; /* it holds a record */
    ring_place(a, ring, s->newest + 1, s->slot + 1, index_of(a, s->newest) + 1);
    return ring_skip_tail(a, ring);
}

/* Erases what must be ready and is not: the head, and the sector after it once the head holds a
 * record. Then counts damage anew, for what a cut erase left is none. (An empty head says nothing
 * about the sector after it: that one still holds records.) */
static enum err ring_repair(const struct nv_area *a, struct survey *s, struct nv_ring_state *ring)
{
    uint32_t base = base_of(a, ring->next_seq);
    bool needs_next = s->newest >= base;
    bool was_whole = ring->head_ready && (ring->next_ready || !needs_next);
    enum err err = ring_prepare(a, ring, base, &ring->head_ready);
    if (!err && needs_next)
        err = ring_prepare(a, ring, base + a->n_records, &ring->next_ready);
    struct survey again;
    if (err || was_whole)
        return err;
    err = survey_all(a, &again);
    s->n_damaged = again.n_damaged;
    return err;
}

/* A sector left behind has the header of its use and a record: one that has not was lost, be it to
 * blank or to what looks like another's. (A header that is gone was counted with the records.) */
static enum err ring_look_back(const struct nv_area *a, const struct nv_ring_state *ring,
                               struct survey *s)
{
    for (uint32_t base = base_of(a, ring->oldest); base < base_of(a, ring->next_seq);
         base += a->n_records) {
        struct sector_head head;
        enum err err = sector_read(a, sector_of(a, base), &head), found = ERR_CORRUPT;
        for (uint32_t i = 0; i < a->n_records && found == ERR_CORRUPT; i++)
            found = record_find(a, base + i, NULL, true);
        if (err || (found && found != ERR_CORRUPT))
            return err ? err : found;
        s->n_damaged += head.foreign || (head.valid && head.base != base) || found;
    }
    return ERR_OK;
}

/* Numbers without a record are not held where no record is before them; so a ring cut while it was
 * cleared is empty. */
static enum err ring_trim(const struct nv_area *a, struct nv_ring_state *ring)
{
    while (ring->oldest < ring->next_seq) {
        enum err err = record_find(a, ring->oldest, NULL, false);
        if (err != ERR_CORRUPT)
            return err;
        ring->oldest++;
    }
    return ERR_OK;
}

enum err ring_mount(struct nv *nv, uint8_t index)
{
    const struct nv_area area = area_ring(&nv->config, index), *a = &area;
    struct nv_ring_state *ring = &nv->ring[index];
    struct survey s;
    *ring = (struct nv_ring_state){0};
    enum err err = survey_settled(a, &s);
    if (!err)
        err = ring_find_head(a, &s, ring);
    if (err)
        return err;
    ring->oldest = s.cleared + 1;
    err = ring_repair(a, &s, ring);
    if (!err)
        err = ring_look_back(a, ring, &s);
    if (err)
        return err;
    nv->n_corrupt += s.n_damaged + s.head_lost;
    if (s.n_damaged + s.head_lost > 0)
        nv->damaged |= 1u << a->id;
    uint32_t oldest = s.newest ? s.oldest : ring->next_seq;
    if (ring->oldest < oldest)
        ring->oldest = oldest;
    return ring_trim(a, ring);
}
