/* Power-fail-safe storage over raw flash: a key-value log and rings of fixed-size records in one
 * device.
 *
 * The caller owns struct nv and its config and gives a layout (areas of whole sectors); nothing is
 * allocated. After any power cut nv_mount() finds every value either old or new, never a mix, and
 * every ring record that nv_append() acknowledged. Byte format, validity rules, recovery:
 * docs/SPEC-storage.md. Single-threaded per instance. */
#ifndef FERRARIS_NV_H
#define FERRARIS_NV_H

#include "firmware/hal/flash.h"

#include <stdbool.h>

#define NV_FORMAT    1    /* of the octets on flash */
#define NV_KEYS_MAX  64   /* keys 0..63 */
#define NV_VALUE_MAX 1024 /* octets of one value */
#define NV_RINGS_MAX 16

struct nv_ring_layout {
    uint16_t first_sector, n_sectors; /* n_sectors >= 2: one is always erased in advance */
    uint16_t record_size;             /* 1..1024 octets of payload */
};
struct nv_config {
    const struct hal_flash *flash;
    uint16_t kv_first_sector, kv_n_sectors; /* >= 2 */
    const struct nv_ring_layout *rings;     /* keeps alive as long as nv */
    uint8_t n_rings;
};
struct nv_ring_state {  /* private to nv.c; here so that struct nv can be embedded */
    uint32_t head_slot; /* slot the next record goes to */
    uint32_t n_valid;   /* records held */
    uint64_t next_seq;  /* sequence number of the next record; the first ever is 1 */
};
struct nv {
    struct nv_config config;
    uint32_t kv_addr[NV_KEYS_MAX]; /* newest record of each key, 0xFFFFFFFF none */
    uint32_t kv_head;
    uint64_t kv_seq;
    struct nv_ring_state ring[NV_RINGS_MAX];
    uint32_t n_corrupt; /* records or sectors found damaged at mount, for the event log */
};

/* Reads the device and repairs what a power cut left. A blank device is formatted. ERR_RANGE
 * (layout does not fit or overlaps), ERR_VERSION (other format: nothing is touched), ERR_IO.
 * Damaged records are skipped and counted, never served. */
MUST_CHECK enum err nv_mount(struct nv *nv, const struct nv_config *config);
/* Acknowledged (ERR_OK) means durable. len 0 deletes. ERR_RANGE, ERR_FULL, ERR_IO. */
MUST_CHECK enum err nv_put(struct nv *nv, uint8_t key, const void *value, size_t len);
/* ERR_NOT_FOUND, ERR_FULL (size too small; *len is the needed size), ERR_CORRUPT, ERR_IO. */
MUST_CHECK enum err nv_get(const struct nv *nv, uint8_t key, void *value, size_t size, size_t *len);
/* Appends a record of the ring's record_size; the oldest sector of records leaves when the ring is
 * full. */
MUST_CHECK enum err nv_append(struct nv *nv, uint8_t ring, const void *record);
uint32_t nv_count(const struct nv *nv, uint8_t ring); /* records held */
/* Sequence number of the newest record (0: none). The oldest held is newest - count + 1. */
uint64_t nv_newest(const struct nv *nv, uint8_t ring);
/* Reads the record with this sequence number, in constant time. ERR_NOT_FOUND, ERR_CORRUPT (its CRC
 * fails), ERR_IO. */
MUST_CHECK enum err nv_read(const struct nv *nv, uint8_t ring, uint64_t seq, void *record);
MUST_CHECK enum err nv_clear(struct nv *nv,
                             uint8_t ring); /* sequence numbers go on; atomic under power cut */

#endif
