/* The key-value area: a log that goes round its sectors.
 *
 * Sectors are used strictly in turn; each carries an order number in its header. Records are only
 * ever added behind the newest one (the head); a key's last record counts. When the head sector is
 * full the next one, which is always ready, becomes the head: it first receives what still lives in
 * the sector after it (the oldest), then the mark DONE, and only then is the oldest erased to be
 * the next ready one. New values come after DONE.
 *
 *      FILLING ──kv_rotate: no room──► COLLECTING ──DONE written──► ERASING ──header written──┐
 *         ▲                             │ cut: kv_mount erases the head and steps back        │
 *         └─────────────────────────────┴──────────────── kv_mount goes on after a cut ◄──────┘
 *
 *   FILLING     the next sector is ready; every live value is in the others
 *   COLLECTING  the head holds copies only, the oldest is whole: the head may be thrown away
 *   ERASING     the oldest is dead: nothing in it may be read, not even what survived
 *
 * A record has a head and a tail that say the same, so that one damaged octet cannot hide which key
 * it belonged to: a damaged newest record must answer ERR_CORRUPT, not the value before it. One
 * flipped bit is put right: a meter cannot do without its keys because of it. */
#include "lib/nv/sector.h"

#include "lib/base/crc.h"
#include "lib/base/cursor.h"

#include <string.h>

#define GRAIN     16u /* records begin at multiples of this */
#define REC_HEAD  16u
#define REC_TAIL  8u
#define HEAD_TAG  4u /* behind half of the sequence number: zeros, a sector wears out before */
#define HEAD_CRC  12u
#define ADDR_NONE UINT32_MAX
#define KEY_DONE  0xFF

/* Four bits apart from each other and from FF, and in the last octet of a record: one of them there
 * says that the whole record was programmed. */
enum kind { KIND_VALUE = 0x3C, KIND_DELETED = 0xC3, KIND_LOST = 0x69, KIND_DONE = 0x96 };
enum state { STATE_TORN, STATE_DAMAGED, STATE_VALID };

struct record {
    enum state state;
    bool by_tail;   /* the head was damaged, the tail told what it is */
    bool garbage;   /* nothing that a cut leaves; then it is torn and tells no key */
    bool is_mended; /* one bit of payload or check sum is not as it was written */
    uint16_t flip;  /* which of the payload: 1 + 8 * octet + bit; 0 none */
    uint8_t key, kind;
    uint16_t len;
    uint32_t addr, span; /* of the whole record */
    uint32_t seq;        /* 0 when by_tail */
};

static uint32_t span_of(size_t len)
{
    return (uint32_t)((REC_HEAD + len + REC_TAIL + GRAIN - 1) / GRAIN * GRAIN);
}

static bool kind_known(uint8_t kind)
{
    return kind == KIND_VALUE || kind == KIND_DELETED || kind == KIND_LOST || kind == KIND_DONE;
}

/* Check sums begin with the address, so that a stored image of a record is none. */
static uint32_t crc_head(uint32_t addr, const uint8_t octet[REC_HEAD])
{
    uint8_t at[4];
    struct wr w = wr_of(at, sizeof at);
    wr_u32(&w, addr);
    return crc32_update(crc32_update(0, at, sizeof at), octet, HEAD_CRC);
}

/* What a tail is and a head has in it: a number, the sequence number in a head, the check sum in a
 * tail; then what record it is. */
static void tag_encode(uint8_t to[REC_TAIL], uint32_t number, const struct record *r)
{
    struct wr w = wr_of(to, REC_TAIL);
    wr_u32(&w, number);
    wr_u16(&w, r->len);
    wr_u8(&w, r->key);
    wr_u8(&w, r->kind);
}

static uint32_t tag_decode(const uint8_t from[REC_TAIL], struct record *r)
{
    struct rd in = rd_of(from, REC_TAIL);
    uint32_t number = rd_u32(&in);
    r->len = rd_u16(&in);
    r->key = rd_u8(&in);
    r->kind = rd_u8(&in);
    return number;
}

/* Which bit of a payload of `len` octets makes its CRC-32 differ by `syndrome`; 0: none does alone.
 * The difference of a flip in the last bit is the polynomial, and each bit before it is a step of
 * the shift register more. In a record's length no two are equal, and none is that of two flips. */
static uint16_t find_flip(uint32_t syndrome, uint16_t len)
{
    uint32_t x = UINT32_C(0xEDB88320);
    for (uint32_t bit = 8u * len; bit > 0; bit--) {
        if (x == syndrome)
            return (uint16_t)bit;
        x = x >> 1 ^ (UINT32_C(0xEDB88320) & (0u - (x & 1u)));
    }
    return 0;
}

/* Check sum of a tail: address, tag, payload. */
static enum err crc_of(const struct nv_area *a, const struct record *r, const struct source *from,
                       uint32_t *crc)
{
    uint8_t tag[REC_TAIL];
    tag_encode(tag, r->addr, r);
    *crc = crc32_update(0, tag, sizeof tag);
    return source_crc(a, from, crc);
}

static struct source payload_of(const struct record *r)
{
    return (struct source){.addr = r->addr + REC_HEAD, .len = r->len, .flip = r->flip};
}

/* The same of what stands on the flash. */
static enum err crc_there(const struct nv_area *a, const struct record *r, uint32_t *crc)
{
    struct source payload = payload_of(r);
    return crc_of(a, r, &payload, crc);
}

/* Reads the tail that ends at `end` into crc and tag. */
static enum err tail_read(const struct nv_area *a, uint32_t end, uint32_t *crc, struct record *tag)
{
    uint8_t octet[REC_TAIL] = {0};
    enum err err = area_read(a, end - REC_TAIL, octet, sizeof octet);
    *crc = tag_decode(octet, tag);
    return err;
}

/* Where its sector ends. */
static uint32_t limit_of(const struct nv_area *a, uint32_t addr)
{
    return addr - addr % a->flash->sector_size + a->flash->sector_size;
}

static enum err head_read(const struct nv_area *a, struct record *r, bool *good)
{
    uint8_t octet[REC_HEAD] = {0};
    enum err err = area_read(a, r->addr, octet, sizeof octet);
    struct rd in = rd_of(octet + HEAD_CRC, REC_HEAD - HEAD_CRC);
    r->seq = tag_decode(octet + HEAD_TAG, r);
    r->span = span_of(r->len);
    *good = rd_u32(&in) == crc_head(r->addr, octet) && kind_known(r->kind) &&
            r->len <= NV_VALUE_MAX && r->span <= limit_of(a, r->addr) - r->addr;
    return err;
}

/* With a good head: does the rest belong to it, and was it programmed to its end? */
static enum err state_by_head(const struct nv_area *a, struct record *r)
{
    struct record tag;
    uint32_t crc, stored;
    enum err err = tail_read(a, r->addr + r->span, &stored, &tag);
    if (!err)
        err = crc_there(a, r, &crc);
    if (err)
        return err;
    bool ended = stored != 0 && tag.kind == r->kind; /* 0: struck out */
    uint32_t syndrome = crc ^ stored;
    if (syndrome != 0 && ended) {
        r->flip = find_flip(syndrome, r->len);
        r->is_mended = r->flip != 0 || (syndrome & (syndrome - 1)) == 0;
    }
    r->state = syndrome == 0 || r->is_mended ? STATE_VALID : ended ? STATE_DAMAGED : STATE_TORN;
    return ERR_OK;
}

/* Can a cut have left this bad head? Octets are programmed in rising order, so the last one is
 * still FF, or it is the one that was cut: then it has every bit of the right one and more. */
static enum err head_torn(const struct nv_area *a, uint32_t addr, bool *garbage)
{
    uint8_t octet[REC_HEAD] = {0};
    enum err err = area_read(a, addr, octet, sizeof octet);
    uint32_t crc = crc_head(addr, octet);
    struct rd r = rd_of(octet + HEAD_CRC, REC_HEAD - HEAD_CRC);
    uint32_t stored = rd_u32(&r);
    bool struck = stored < 0x100 && octet[HEAD_CRC - 1] == 0;
    *garbage = (stored & 0xFF) != 0xFF && (stored | 0xFF) != (crc | 0xFF) && !struck;
    return err;
}

/* With a bad head: a tail somewhere behind that fits this start exactly tells all but the sequence
 * number. None: the head is torn or this is garbage, one grain of it. */
static enum err state_by_tail(const struct nv_area *a, struct record *r)
{
    uint32_t start = r->addr, limit = limit_of(a, start), max = span_of(NV_VALUE_MAX);
    if (limit - start > max)
        limit = start + max;
    for (uint32_t end = start + span_of(0); end <= limit; end += GRAIN) {
        *r = (struct record){.addr = start, .state = STATE_VALID, .by_tail = true};
        uint32_t crc, stored;
        enum err err = tail_read(a, end, &stored, r);
        if (err)
            return err;
        r->span = span_of(r->len);
        if (!kind_known(r->kind) || r->len > NV_VALUE_MAX || r->span != end - start)
            continue;
        err = crc_there(a, r, &crc);
        if (err || crc == stored)
            return err;
    }
    *r = (struct record){.state = STATE_TORN, .addr = start, .span = GRAIN};
    return head_torn(a, start, &r->garbage);
}

/* What stands at addr. */
static enum err record_read(const struct nv_area *a, uint32_t addr, struct record *r)
{
    bool good = false;
    *r = (struct record){.addr = addr};
    enum err err = head_read(a, r, &good);
    if (err)
        return err;
    return good ? state_by_head(a, r) : state_by_tail(a, r);
}

/* Reads the last record of the log, which may have been under a cut, more than once. What reads now
 * so, now so, is torn; and what is torn is struck out, so that it stays it. */
static enum err record_settle(const struct nv_area *a, struct record *r)
{
    enum err err = ERR_OK;
    for (unsigned i = 1; i < SETTLE_READS && !err; i++) {
        struct record again;
        err = record_read(a, r->addr, &again);
        bool same = again.state == r->state && again.span == r->span && again.seq == r->seq;
        if (again.span < r->span) /* the head wavers: then nothing is behind it */
            *r = again;
        if (!same)
            r->state = STATE_TORN;
    }
    if (err || r->state != STATE_TORN)
        return err;
    return flash_strike(a, r->addr + r->span - REC_TAIL, REC_TAIL);
}

/* Looks at the place of the next record as often; octets that are blank only now and then make it
 * one grain of a torn record. */
static enum err end_settle(const struct nv_area *a, uint32_t limit, uint32_t *end)
{
    bool blank = true;
    enum err err = ERR_OK;
    for (unsigned i = 1; i < SETTLE_READS && !err && blank && *end < limit; i++)
        err = flash_blank(a, *end, GRAIN, &blank);
    if (err || blank)
        return err;
    *end += GRAIN;
    return flash_strike(a, *end - REC_TAIL, REC_TAIL);
}

static void kv_note(struct nv *nv, const struct record *r)
{
    if (r->state == STATE_DAMAGED || r->by_tail || r->garbage || r->is_mended)
        nv->n_corrupt++;
    if (r->state != STATE_TORN && r->key < NV_KEYS_MAX) {
        bool gone = r->state == STATE_VALID && r->kind == KIND_DELETED;
        nv->kv_addr[r->key] = gone ? ADDR_NONE : r->addr;
    }
}

/* Walks the records of a sector. With `note` their keys are taken over; *done tells of the mark,
 * *end is where the next record may go. */
static enum err kv_walk(struct nv *nv, uint16_t sector, bool note, bool *done, uint32_t *end)
{
    const struct nv_area *a = &nv->kv_area;
    uint32_t start = area_addr(a, sector), addr = start + SECTOR_DATA, used;
    enum err err = sector_used(a, sector, &used);
    used += start;
    *done = false;
    while (!err && addr < used) {
        struct record r;
        bool blank;
        err = flash_blank(a, addr, GRAIN, &blank);
        if (blank) {
            addr += GRAIN;
            continue;
        }
        if (!err)
            err = record_read(a, addr, &r);
        if (!err && sector == nv->kv_sector && addr + r.span >= used)
            err = record_settle(a, &r);
        if (err)
            break;
        if (note)
            kv_note(nv, &r);
        if (r.state != STATE_TORN) {
            *done |= r.kind == KIND_DONE;
            if (r.seq >= nv->kv_seq)
                nv->kv_seq = r.seq + 1;
        }
        addr += r.span;
    }
    if (!err && sector == nv->kv_sector)
        err = end_settle(a, start + a->flash->sector_size, &addr);
    *end = addr;
    return err;
}

/* Head, payload, tail, in rising order: a cut leaves a beginning. */
static enum err record_program(const struct nv_area *a, const struct record *r,
                               const struct source *from)
{
    uint8_t octet[REC_HEAD] = {0};
    uint32_t crc;
    struct wr w = wr_of(octet + HEAD_CRC, REC_HEAD - HEAD_CRC);
    tag_encode(octet + HEAD_TAG, r->seq, r);
    wr_u32(&w, crc_head(r->addr, octet));
    enum err err = crc_of(a, r, from, &crc);
    if (!err)
        err = area_program(a, r->addr, octet, REC_HEAD);
    if (!err)
        err = source_program(a, r->addr + REC_HEAD, from);
    if (err)
        return err;
    tag_encode(octet, crc, r);
    return area_program(a, r->addr + r->span - REC_TAIL, octet, REC_TAIL);
}

/* Writes at the head, reads back, and tries further on where a cell fails. ERR_FULL: no room in the
 * head sector. */
static enum err kv_write(struct nv *nv, uint8_t key, enum kind kind, const struct source *from)
{
    const struct nv_area *a = &nv->kv_area;
    uint32_t limit = area_addr(a, nv->kv_sector) + a->flash->sector_size;
    struct record r = {.key = key, .kind = (uint8_t)kind, .len = from->len};
    r.span = span_of(r.len);
    while (limit - nv->kv_head >= r.span) {
        struct record back;
        r.addr = nv->kv_head;
        r.seq = nv->kv_seq++;
        nv->kv_head += r.span;
        enum err err = record_program(a, &r, from);
        if (!err)
            err = record_read(a, r.addr, &back);
        if (err)
            return err;
        if (back.state == STATE_VALID && !back.by_tail && !back.is_mended) {
            kv_note(nv, &back);
            return ERR_OK;
        }
    }
    return ERR_FULL;
}

static enum err kv_done(struct nv *nv)
{
    const struct source nothing = {0};
    return kv_write(nv, KEY_DONE, KIND_DONE, &nothing);
}

/* Moves a key's newest record to the head. A damaged one stays known as lost: forgetting it would
 * tell the caller that there never was a value. */
static enum err kv_move(struct nv *nv, uint8_t key)
{
    struct record r;
    struct source payload = {0};
    enum err err = record_read(&nv->kv_area, nv->kv_addr[key], &r);
    if (err)
        return err;
    bool good = r.state == STATE_VALID && r.kind == KIND_VALUE;
    if (good)
        payload = payload_of(&r);
    return kv_write(nv, key, good ? KIND_VALUE : KIND_LOST, &payload);
}

static bool lives_in(const struct nv *nv, uint8_t key, uint16_t sector)
{
    const struct nv_area *a = &nv->kv_area;
    uint32_t from = area_addr(a, sector);
    return nv->kv_addr[key] != ADDR_NONE && nv->kv_addr[key] >= from &&
           nv->kv_addr[key] - from < a->flash->sector_size;
}

/* Everything that lives in the oldest sector moves to the head, the mark follows. Deleted keys have
 * no older record anywhere and need no copy. */
static enum err kv_copy(struct nv *nv, uint16_t oldest)
{
    for (uint8_t key = 0; key < NV_KEYS_MAX; key++) {
        enum err err = lives_in(nv, key, oldest) ? kv_move(nv, key) : ERR_OK;
        if (err)
            return err;
    }
    return kv_done(nv);
}

/* Empties the sector after the head and makes it the ready one. */
static enum err kv_collect(struct nv *nv)
{
    const struct nv_area *a = &nv->kv_area;
    uint16_t oldest = area_after(a, nv->kv_sector, 1);
    enum err err = kv_copy(nv, oldest);
    if (err) /* only failing cells can make copies of one sector too large for another */
        return err == ERR_FULL ? ERR_IO : err;
    return sector_prepare(a, oldest, nv->kv_order + 1);
}

static void kv_open(struct nv *nv, uint16_t sector, uint32_t order)
{
    const struct nv_area *a = &nv->kv_area;
    nv->kv_sector = sector;
    nv->kv_order = order;
    nv->kv_head = area_addr(a, sector) + SECTOR_DATA;
}

static enum err kv_rotate(struct nv *nv)
{
    const struct nv_area *a = &nv->kv_area;
    kv_open(nv, area_after(a, nv->kv_sector, 1), nv->kv_order + 1);
    return kv_collect(nv);
}

/* Can `extra` octets be had by collecting? A bound from above: the loop over the sectors decides.
 */
static enum err kv_could_fit(const struct nv *nv, uint32_t extra, bool *fits)
{
    const struct nv_area *a = &nv->kv_area;
    uint32_t room = a->flash->sector_size - SECTOR_DATA - span_of(0), live = extra;
    room *= a->n_sectors - 1u;
    for (uint8_t key = 0; key < NV_KEYS_MAX; key++) {
        struct record r;
        if (nv->kv_addr[key] == ADDR_NONE)
            continue;
        enum err err = record_read(&nv->kv_area, nv->kv_addr[key], &r);
        if (err)
            return err;
        live += r.span;
    }
    *fits = live <= room;
    return ERR_OK;
}

static enum err kv_write_or_rotate(struct nv *nv, uint8_t key, enum kind kind,
                                   const struct source *from)
{
    bool fits = true;
    enum err err = kv_write(nv, key, kind, from);
    if (err != ERR_FULL)
        return err;
    err = kv_could_fit(nv, span_of(from->len), &fits);
    if (!err && !fits)
        return ERR_FULL;
    for (uint16_t turn = 0; turn < nv->config.kv_n_sectors && !err; turn++) {
        err = kv_rotate(nv);
        if (!err)
            err = kv_write(nv, key, kind, from);
        if (err != ERR_FULL)
            return err;
        err = ERR_OK;
    }
    return err ? err : ERR_FULL;
}

enum err nv_put(struct nv *nv, uint8_t key, const void *value, size_t len)
{
    uint32_t usable = nv->config.flash->sector_size - SECTOR_DATA - span_of(0);
    if (key >= NV_KEYS_MAX || len > NV_VALUE_MAX || span_of(len) > usable)
        return ERR_RANGE;
    if (nv->kv_doubtful) {
        uint32_t n_corrupt = nv->n_corrupt;
        enum err err = kv_mount(nv);
        nv->n_corrupt = n_corrupt; /* counted before */
        if (err)
            return err;
    }
    if (len == 0 && nv->kv_addr[key] == ADDR_NONE)
        return ERR_OK;
    struct source from = {.p = value, .len = (uint16_t)len};
    enum err err = kv_write_or_rotate(nv, key, len ? KIND_VALUE : KIND_DELETED, &from);
    nv->kv_doubtful = err != ERR_OK && err != ERR_FULL;
    return err;
}

enum err nv_get(const struct nv *nv, uint8_t key, void *value, size_t size, size_t *len)
{
    const struct nv_area *a = &nv->kv_area;
    struct record r;
    *len = 0;
    if (key >= NV_KEYS_MAX)
        return ERR_RANGE;
    if (nv->kv_addr[key] == ADDR_NONE)
        return ERR_NOT_FOUND;
    enum err err = record_read(&nv->kv_area, nv->kv_addr[key], &r);
    if (err)
        return err;
    if (r.state != STATE_VALID || r.kind != KIND_VALUE || r.key != key)
        return ERR_CORRUPT;
    if (r.len <= size)
        err = area_read(a, r.addr + REC_HEAD, value, r.len);
    if (err)
        return err;
    if (r.len <= size)
        octets_mend(value, 0, r.len, r.flip);
    *len = r.len;
    return r.len <= size ? ERR_OK : ERR_FULL;
}

/* --- mounting --- */

struct survey { /* what the headers say: the highest order with records, and of all; 0 none */
    uint16_t head, newest;
    uint32_t head_order, newest_order;
};

static enum err kv_survey(const struct nv *nv, struct survey *s)
{
    const struct nv_area *a = &nv->kv_area;
    *s = (struct survey){0};
    for (uint16_t i = 0; i < a->n_sectors; i++) {
        struct sector_head head;
        uint32_t used = SECTOR_DATA;
        enum err err = sector_read(a, i, &head);
        if (!err && head.valid)
            err = sector_used(a, i, &used);
        if (err)
            return err;
        if (head.base > s->newest_order) {
            s->newest = i;
            s->newest_order = head.base;
        }
        if (used > SECTOR_DATA && head.base > s->head_order) {
            s->head = i;
            s->head_order = head.base;
        }
    }
    return ERR_OK;
}

/* A device without records: new, cut at its first steps, or with all of them lost. */
static enum err kv_format(struct nv *nv, const struct survey *s)
{
    kv_open(nv, s->newest, s->newest_order ? s->newest_order : 1);
    return s->newest_order ? ERR_OK : sector_prepare(&nv->kv_area, 0, 1);
}

/* Is the head before its mark, with everything it holds still in the others? Then it is erased and
 * the sector before it is the head again. */
__attribute__((noinline)) static enum err kv_step_back(struct nv *nv, bool *complete)
{
    const struct nv_area *a = &nv->kv_area;
    uint16_t before = area_after(a, nv->kv_sector, a->n_sectors - 1u);
    uint16_t next = area_after(a, nv->kv_sector, 1);
    struct sector_head head;
    uint32_t used = SECTOR_DATA;
    bool done;
    enum err err = kv_walk(nv, nv->kv_sector, false, complete, &used);
    if (!err && !*complete) /* the mark may be lost, but it came before this */
        err = sector_ready(a, next, nv->kv_order + 1, complete);
    if (err || *complete)
        return err;
    err = sector_read(a, before, &head);
    if (err || !head.valid || head.base != nv->kv_order - 1)
        return err; /* nothing to go back to: take what is here */
    err = sector_prepare(a, nv->kv_sector, nv->kv_order);
    if (err)
        return err;
    kv_open(nv, before, nv->kv_order - 1);
    *complete = true;
    return kv_walk(nv, before, false, &done, &used);
}

/* Takes over the records of the sector that was used `age` sectors before the head. It has the
 * order that follows from that and holds a mark DONE, unless it is the head before that; where the
 * turns have not come to it yet, it holds nothing. */
__attribute__((noinline)) static enum err kv_replay_sector(struct nv *nv, uint16_t age,
                                                           bool may_lack_done)
{
    const struct nv_area *a = &nv->kv_area;
    uint16_t sector = area_after(a, nv->kv_sector, (uint32_t)(a->n_sectors - age));
    bool was_used = nv->kv_order > age, done = false;
    struct sector_head head;
    uint32_t used = SECTOR_DATA;
    enum err err = sector_read(a, sector, &head);
    if (!err)
        err = sector_used(a, sector, &used);
    if (err)
        return err;
    bool right = head.valid && was_used && head.base == nv->kv_order - age;
    bool empty = used == SECTOR_DATA;
    if (right)
        err = kv_walk(nv, sector, true, &done, &nv->kv_head);
    if (right ? !done && !may_lack_done : was_used || !empty)
        nv->n_corrupt++;
    return err;
}

/* From the oldest sector to the head. The one after a complete head is dead or blank. */
static enum err kv_replay(struct nv *nv, bool complete)
{
    enum err err = ERR_OK;
    for (uint32_t age = nv->config.kv_n_sectors - (complete ? 1u : 0u); age > 0 && !err; age--)
        err = kv_replay_sector(nv, (uint16_t)(age - 1), age == 1 && !complete);
    return err;
}

/* Ends the collecting that a cut broke off. A head so damaged that there is no room for what has to
 * come costs the values in the oldest sector: better than no store at all. */
static enum err kv_complete(struct nv *nv, uint16_t oldest)
{
    const struct nv_area *a = &nv->kv_area;
    enum err err = kv_copy(nv, oldest);
    if (err && err != ERR_FULL)
        return err;
    for (uint8_t key = 0; key < NV_KEYS_MAX; key++)
        if (lives_in(nv, key, oldest))
            nv->kv_addr[key] = ADDR_NONE;
    nv->n_corrupt += err == ERR_FULL;
    return sector_prepare(a, oldest, nv->kv_order + 1);
}

enum err kv_mount(struct nv *nv)
{
    const struct nv_area *a = &nv->kv_area;
    struct survey s;
    bool complete = false, ready = false;
    for (uint8_t key = 0; key < NV_KEYS_MAX; key++)
        nv->kv_addr[key] = ADDR_NONE;
    nv->kv_seq = 1;
    nv->kv_doubtful = false;
    enum err err = kv_survey(nv, &s);
    if (err)
        return err;
    if (s.head_order) {
        kv_open(nv, s.head, s.head_order);
        err = kv_step_back(nv, &complete);
        if (s.newest_order > s.head_order + 1)
            nv->n_corrupt++; /* a newer head than this one was lost whole */
    } else {
        err = kv_format(nv, &s);
    }
    if (!err)
        err = kv_replay(nv, complete);
    if (err)
        return err;
    uint16_t next = area_after(a, nv->kv_sector, 1);
    if (!complete)
        return kv_complete(nv, next);
    err = sector_ready(a, next, nv->kv_order + 1, &ready);
    if (err || ready)
        return err;
    err = kv_done(nv); /* once more, where there is room: the mark may be one that wavers */
    if (err && err != ERR_FULL)
        return err;
    return sector_prepare(a, next, nv->kv_order + 1);
}
