/* Power-fail-safe storage over raw flash: a key-value log and rings of fixed-size records in one
 * device.
 *
 * The caller owns struct nv and its config and gives a layout (areas of whole sectors, the same at
 * every mount); nothing is allocated. After any power cut nv_mount() finds every value either old
 * or new, never a mix, and every ring record that nv_append() acknowledged. Byte format, validity
 * rules, recovery: docs/SPEC-storage.md. Single-threaded per instance.
 *
 * Damage that no power cut explains (n_corrupt > 0) is never served as data: the value or record
 * answers ERR_CORRUPT. One thing the caller must know: where a whole sector of the key-value area
 * is lost, a key in it is gone or shows the value it had before. What must never go back, such as
 * an invocation counter, is not to be trusted after a mount with n_corrupt > 0. */
#ifndef FERRARIS_NV_H
#define FERRARIS_NV_H

#include "firmware/hal/flash.h"

#include <stdbool.h>

#define NV_FORMAT    1    /* of the octets on flash */
#define NV_KEYS_MAX  64   /* keys 0..63 */
#define NV_VALUE_MAX 1024 /* octets of one value; less in a small sector: sector_size - 120 */
#define NV_RINGS_MAX 16

struct nv_ring_layout {
    uint16_t first_sector, n_sectors; /* n_sectors >= 2: one is always erased in advance */
    uint16_t record_size;             /* 1..2048 octets of payload; sector_size - 77 at most */
};
struct nv_config {
    const struct hal_flash *flash;
    uint16_t kv_first_sector, kv_n_sectors; /* >= 2; n - 1 of them hold values */
    const struct nv_ring_layout *rings;     /* keeps alive as long as nv */
    uint8_t n_rings;
};
struct nv_ring_state { /* private to lib/nv; here so that struct nv can be embedded */
    uint64_t next_seq; /* sequence number of the next record; the first ever is 1 */
    uint64_t oldest;   /* of the oldest record held; next_seq when there is none */
    uint32_t slot;     /* place of the next record in its sector */
    bool head_ready;   /* the sector of the next record is erased for it */
    bool next_ready;   /* so is the one after */
};
struct nv {
    struct nv_config config;
    uint32_t n_corrupt; /* records or sectors found damaged at mount, for the event log */
    /* The rest is private to lib/nv. */
    uint32_t kv_addr[NV_KEYS_MAX]; /* newest record of each key, 0xFFFFFFFF none */
    uint32_t kv_head;              /* where the next record goes */
    uint16_t kv_sector;            /* the sector of kv_head, counted within the area */
    uint64_t kv_order;             /* its order number */
    uint64_t kv_seq;               /* sequence number of the next record */
    bool kv_doubtful;              /* a write failed: read the area again before the next */
    struct nv_ring_state ring[NV_RINGS_MAX];
};

/* Reads the device and repairs what a power cut left. A blank device is formatted. ERR_RANGE
 * (layout does not fit or overlaps), ERR_VERSION (other format or other layout: nothing is
 * touched), ERR_IO. Damaged records are skipped and counted, never served. */
MUST_CHECK enum err nv_mount(struct nv *nv, const struct nv_config *config);
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
 * ring), ERR_IO (the record is there or not, never in part). */
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
 * ERR_RANGE (no such ring). */
MUST_CHECK enum err nv_clear(struct nv *nv, uint8_t ring);

/* How often a sector (0 .. of the device) was erased by this store; 0 when it never was, belongs to
 * no area or lost its header. Exact but for sectors that lost a header: those follow their
 * neighbour. ERR_IO. */
MUST_CHECK enum err nv_wear(const struct nv *nv, uint16_t sector, uint32_t *n_erases);

#endif
