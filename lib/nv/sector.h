/* What the key-value area and the rings share: areas, sector headers, flash access in pieces.
 * Private to lib/nv. */
#ifndef FERRARIS_NV_SECTOR_H
#define FERRARIS_NV_SECTOR_H

#include "lib/nv/nv.h"

#define SECTOR_HEAD  32 /* octets of one header; it is written twice */
#define SECTOR_DATA  64 /* where records begin */
#define SECTOR_CHUNK 64 /* octets moved at a time through the stack */

struct area {
    const struct hal_flash *flash;
    uint16_t first_sector, n_sectors;
    uint16_t record_size; /* 0: the key-value area */
    uint8_t id;           /* 0 key-value, 1 + ring */
};

struct sector_head {
    bool valid;
    uint32_t n_erases;
    uint64_t base; /* key-value: order number; ring: first sequence number of this use */
};

struct area area_kv(const struct nv *nv);
struct area area_ring(const struct nv *nv, uint8_t ring);
uint32_t area_addr(const struct area *a, uint16_t sector); /* of the sector's first octet */
uint16_t area_after(const struct area *a, uint16_t sector, uint32_t steps); /* cyclic */

/* head->valid tells whether one of the two copies is whole. ERR_VERSION: a whole header of another
 * format or layout. ERR_IO. */
MUST_CHECK enum err sector_read(const struct area *a, uint16_t sector, struct sector_head *head);
/* Erases and writes a header, so that the sector is ready. ERR_IO, also when it does not get blank.
 */
MUST_CHECK enum err sector_prepare(const struct area *a, uint16_t sector, uint64_t base);
/* Ready: a valid header for `base` and nothing behind it. */
MUST_CHECK enum err sector_ready(const struct area *a, uint16_t sector, uint64_t base, bool *ready);
/* Where the last octet that is not FF ends, as an offset; SECTOR_DATA when there is none. */
MUST_CHECK enum err sector_used(const struct area *a, uint16_t sector, uint32_t *end);
MUST_CHECK enum err flash_blank(const struct area *a, uint32_t addr, uint32_t n, bool *blank);

/* The two halves of nv. */
MUST_CHECK enum err kv_mount(struct nv *nv);
bool ring_fits(const struct area *a);
MUST_CHECK enum err ring_mount(struct nv *nv, uint8_t ring);

#endif
