/* What the key-value area and the rings share: areas, sector headers, flash access in pieces.
 * Private to lib/nv. */
#ifndef FERRARIS_NV_SECTOR_H
#define FERRARIS_NV_SECTOR_H

#include "lib/nv/nv.h"

#define SECTOR_HEAD  32 /* octets of one header; it is written twice */
#define SECTOR_DATA  64 /* where records begin */
#define STRIKE_MAX   8
#define SETTLE_READS 8  /* cells that read the same so often are taken as they read */
#define SECTOR_CHUNK 64 /* octets moved at a time through the stack */

struct sector_head {
    bool valid;
    bool twice;   /* both copies are whole and alike */
    bool foreign; /* whole, but of another ring, generation or shape; then base is 0 */
    uint32_t n_erases;
    uint32_t base; /* key-value: order number; ring: first sequence number of this use */
};

struct source { /* of a payload: memory, or flash where p is NULL; zeros where addr is 0 too */
    const uint8_t *p;
    uint32_t addr;
    uint16_t len;
    uint16_t flip; /* this bit the other way round: 1 + 8 * octet + bit; 0 none */
};

struct nv_area area_kv(const struct nv_config *config);
struct nv_area area_ring(const struct nv_config *config, uint8_t ring);
uint32_t area_sector(const struct nv_area *a, uint16_t sector); /* counted within the device */
uint32_t area_addr(const struct nv_area *a, uint16_t sector);   /* of the sector's first octet */
uint16_t area_after(const struct nv_area *a, uint16_t sector, uint32_t steps); /* cyclic */

MUST_CHECK enum err area_read(const struct nv_area *a, uint32_t addr, void *to, uint32_t n);
MUST_CHECK enum err area_program(const struct nv_area *a, uint32_t addr, const void *from,
                                 uint32_t n);

/* head->valid tells whether one of the two copies is whole and ours. ERR_VERSION: a whole header of
 * a later format. ERR_IO. */
MUST_CHECK enum err sector_read(const struct nv_area *a, uint16_t sector, struct sector_head *head);
/* Erases and writes a header, so that the sector is ready. ERR_IO, also when it does not get blank.
 */
MUST_CHECK enum err sector_prepare(const struct nv_area *a, uint16_t sector, uint32_t base);
/* Ready: a valid header for `base`, twice, and nothing behind it. (Half a header may be a cell's
 * whim; a sector that holds nothing yet is better prepared again.) */
MUST_CHECK enum err sector_ready(const struct nv_area *a, uint16_t sector, uint32_t base,
                                 bool *ready);
/* Where the last octet that is not FF ends, as an offset; SECTOR_DATA when there is none. */
MUST_CHECK enum err sector_used(const struct nv_area *a, uint16_t sector, uint32_t *end);
/* Programs `n` octets to zero, unless they are: what a cut left half done must not look whole one
 * day. ERR_RANGE (n > STRIKE_MAX), ERR_IO. */
MUST_CHECK enum err flash_strike(const struct nv_area *a, uint32_t addr, uint32_t n);
MUST_CHECK enum err flash_blank(const struct nv_area *a, uint32_t addr, uint32_t n, bool *blank);

/* Octets at .. at + n of a payload with this flip. */
void octets_mend(uint8_t *octets, size_t at, size_t n, uint16_t flip);
/* Carries a check sum on over a payload; programs it at addr. ERR_IO. */
MUST_CHECK enum err source_crc(const struct nv_area *a, const struct source *from, uint32_t *crc);
MUST_CHECK enum err source_program(const struct nv_area *a, uint32_t addr,
                                   const struct source *from);

/* The two halves of nv. */
MUST_CHECK enum err kv_mount(struct nv *nv);
MUST_CHECK enum err ring_mount(struct nv *nv, uint8_t ring);

#endif
