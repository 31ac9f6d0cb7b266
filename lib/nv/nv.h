/* Power-fail-safe storage over raw flash: a key-value log and rings of fixed-size records in one
 * device.
 *
 * The caller owns struct nv and its config and gives a layout (areas of whole sectors); nothing is
 * allocated. After any power cut nv_mount() finds every value either old or new, never a mix, and
 * every ring record that nv_append() acknowledged. Byte format, validity rules, recovery:
 * docs/SPEC-storage.md. Single-threaded per instance.
 *
 * The key-value area lies where it lies for ever. A ring can be re-made elsewhere, larger, smaller
 * or with other records: the caller keeps the layout under a key, puts the new layout there with a
 * generation that this ring never had, and calls nv_mount_rings(). The put is the decision: before
 * it the old ring is whole, after it the new one is empty. Sectors of another generation are not
 * erased then but one by one when the ring comes to them; how often they were erased is carried on.
 * Where a record stands follows from its number and the number of sectors, so a ring cannot grow or
 * shrink with its records in it: that is a re-making as well. Rings whose layout stays keep all.
 *
 * Damage that no power cut explains (n_corrupt > 0) is never served as data: the value or record
 * answers ERR_CORRUPT. One thing the caller must know: where a whole sector of the key-value area
 * is lost, a key in it is gone or shows the value it had before. What must never go back, such as
 * an invocation counter, is not to be trusted after a mount that found damage there; nor is the
 * layout's generation: ask nv_ring_unused() for the next. */
#ifndef FERRARIS_NV_H
#define FERRARIS_NV_H

#include "firmware/hal/flash.h"

#include <stdbool.h>

#define NV_FORMAT    2    /* of the octets on flash; format 1 is read and written on */
#define NV_KEYS_MAX  64   /* keys 0..63 */
#define NV_VALUE_MAX 1024 /* octets of one value; less in a small sector: sector_size - 120 */
#define NV_RINGS_MAX 28
#define NV_MORE_MAX  3 /* further extents of a ring */

struct nv_extent {
    uint16_t first_sector, n_sectors;
};
/* Where a ring lies: n_sectors from first_sector, then those of `more`, in this order; two or more
 * in all, for one is always erased in advance. What is 0 beyond the first three fields means one
 * extent and the first generation. */
struct nv_ring_layout {
    uint16_t first_sector, n_sectors;
    uint16_t record_size;               /* 1..2048 octets of payload; sector_size - 77 at most */
    uint16_t generation;                /* another one whenever anything here changes */
    struct nv_extent more[NV_MORE_MAX]; /* the first n_more count */
    uint8_t n_more;
};
struct nv_config {
    const struct hal_flash *flash;
    uint16_t kv_first_sector, kv_n_sectors; /* >= 2; n - 1 of them hold values */
    const struct nv_ring_layout *rings;     /* keeps alive as long as nv; not read for n_rings 0 */
    uint8_t n_rings;
};
struct nv_area { /* private to lib/nv, as the next */
    const struct hal_flash *flash;
    struct nv_extent first;
    const struct nv_extent *more;
    uint8_t n_more;
    uint8_t id;           /* 0 key-value, 1 + ring */
    uint16_t n_sectors;   /* of all extents */
    uint16_t record_size; /* 0: the key-value area */
    uint16_t generation;
    uint32_t slot_size, n_slots; /* of a ring: its places in a sector, */
    uint32_t n_spare, n_records; /* those left free, and the rest */
};
struct nv_ring_state { /* private to lib/nv; here so that struct nv can be embedded */
    uint32_t next_seq; /* sequence number of the next record; the first ever is 1 */
    uint32_t oldest;   /* of the oldest record held; next_seq when there is none */
    uint16_t slot;     /* place of the next record in its sector */
    bool head_ready;   /* the sector of the next record is erased for it */
    bool next_ready;   /* so is the one after */
};
struct nv {
    uint32_t n_corrupt; /* records or sectors found damaged at mount, for the event log */
    uint32_t damaged;   /* where: bit 0 the key-value area, bit 1 + i ring i */
    uint32_t closed;    /* rings that nv_mount_rings() could not mount: bit 1 + i */
    uint16_t kv_sector; /* private to lib/nv: the sector of kv_head, counted within the area */
    bool kv_doubtful;   /* and: a write failed: read the area again before the next */
    struct nv_config config;
    /* The rest is private to lib/nv. */
    struct nv_area kv_area;
    uint32_t kv_n_corrupt;         /* the part of n_corrupt that is the key-value area's */
    uint32_t kv_head;              /* where the next record goes */
    uint32_t kv_order;             /* its order number */
    uint32_t kv_seq;               /* sequence number of the next record */
    uint32_t kv_addr[NV_KEYS_MAX]; /* newest record of each key, 0xFFFFFFFF none */
    struct nv_ring_state ring[NV_RINGS_MAX];
};

/* Reads the device and repairs what a power cut left. A blank device is formatted. ERR_RANGE
 * (layout does not fit or overlaps), ERR_VERSION (a later format anywhere, or another layout of the
 * key-value area: nothing is touched), ERR_IO. Damaged records are skipped and counted, never
 * served. With n_rings 0 the rings are left alone until nv_mount_rings(). */
MUST_CHECK enum err nv_mount(struct nv *nv, const struct nv_config *config);
/* Mounts the rings of a mounted store, at first or anew after their layout changed; `rings` keeps
 * alive as long as nv and may be the array used so far. n_corrupt and damaged then tell of the keys
 * and of these rings. Reads every sector of them, erases at most two of each. A sector that is not
 * of the ring's generation is blank for it. ERR_RANGE as nv_check_rings(); ERR_VERSION (a later
 * format), or ERR_IO with `closed` 0: no ring is mounted. ERR_IO: the flash refuses what the rings
 * in `closed` need. They hold nothing and take nothing until they are mounted again, their octets
 * stay; the others are mounted. */
MUST_CHECK enum err nv_mount_rings(struct nv *nv, const struct nv_ring_layout *rings,
                                   uint8_t n_rings);
/* One of the mounted rings anew, after its layout changed in the array that is in use: the others
 * are neither read nor touched, and n_corrupt counts on. ERR_RANGE (no such ring, or the layout as
 * nv_check_rings(): nothing is changed); ERR_VERSION, ERR_IO: this ring is empty until it is
 * mounted again. */
MUST_CHECK enum err nv_mount_ring(struct nv *nv, uint8_t ring);
/* Would nv_mount_rings() take this layout? To be asked before the layout is put. ERR_RANGE: too
 * many rings, a record that does not fit, too few sectors, outside the device, or an overlap with
 * another extent or the key-value area. */
MUST_CHECK enum err nv_check_rings(const struct nv *nv, const struct nv_ring_layout *rings,
                                   uint8_t n_rings);
/* Whether no sector of rings[ring] bears its generation and shape: a ring that is re-made must not
 * find what an earlier one left. To be asked before the layout is put. ERR_VERSION, ERR_IO. */
MUST_CHECK enum err nv_ring_unused(const struct nv *nv, const struct nv_ring_layout *rings,
                                   uint8_t ring, bool *unused);
/* Acknowledged (ERR_OK) means durable. len 0 deletes. ERR_RANGE (key or len), ERR_FULL (no room
 * even after collecting what is dead; a delete needs 32 octets too), ERR_IO (the value is then old
 * or new; which one, shows after the next put or mount). */
MUST_CHECK enum err nv_put(struct nv *nv, uint8_t key, const void *value, size_t len);
/* ERR_NOT_FOUND, ERR_RANGE (key), ERR_FULL (size too small; *len is the needed size), ERR_CORRUPT
 * (there was a value, its record is damaged), ERR_IO. On any error `value` is undefined and, except
 * for ERR_FULL, *len is 0. */
MUST_CHECK enum err nv_get(const struct nv *nv, uint8_t key, void *value, size_t size, size_t *len);

/* Appends a record of the ring's record_size; the oldest sector of records leaves when the ring is
 * full. The record is durable before a sector is erased for those to come. ERR_RANGE (no such
 * ring), ERR_STATE (it is closed), ERR_FULL (after 4 026 531 840 numbers: the ring has to be
 * re-made), ERR_IO (the record is there or not, never in part). */
MUST_CHECK enum err nv_append(struct nv *nv, uint8_t ring, const void *record);
/* Records held, the unreadable among them included. 0 where there is no such ring. */
uint32_t nv_count(const struct nv *nv, uint8_t ring);
/* Records that a ring always holds once it has received that many: at most a sector more. */
uint32_t nv_capacity(const struct nv *nv, uint8_t ring);
/* Sequence number of the newest record (0: none). The oldest held is newest - count + 1. */
uint64_t nv_newest(const struct nv *nv, uint8_t ring);
/* Reads the record with this sequence number, in constant time. ERR_NOT_FOUND, ERR_CORRUPT (no
 * valid record in its place; `record` is then zero), ERR_RANGE (no such ring), ERR_IO. */
MUST_CHECK enum err nv_read(const struct nv *nv, uint8_t ring, uint64_t seq, void *record);
/* Forgets all records; sequence numbers go on, with a gap. Atomic under power cut. ERR_IO: the ring
 * is as before or empty, and the next mount may see the other of the two; clear again to be sure.
 * ERR_RANGE (no such ring), ERR_STATE (it is closed). */
MUST_CHECK enum err nv_clear(struct nv *nv, uint8_t ring);

/* How often a sector (0 .. of the device) was erased by this store; 0 when it never was, belongs to
 * no area or lost its header. Exact but for sectors that lost a header: those follow their
 * neighbour. ERR_IO. */
MUST_CHECK enum err nv_wear(const struct nv *nv, uint16_t sector, uint32_t *n_erases);

#endif
