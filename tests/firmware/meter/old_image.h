/* Writes octets of storage format 1 straight into an image, by the page of that format alone: for
 * tests of those who read it. Sectors of 4096. Nothing here is the store's code. */
#ifndef FERRARIS_TEST_OLD_IMAGE_H
#define FERRARIS_TEST_OLD_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define OLD_SECTOR     4096u
#define OLD_RECORD_MAX 2048u

struct old_ring_image {
    uint8_t area; /* 1 snapshots, 2 rows, 3 audit trail */
    uint16_t first_sector, n_sectors, record_size;
};
enum { OLD_DATA = 0x3C, OLD_CLEAR = 0xC3 };

/* Records to a sector. */
uint32_t old_records(const struct old_ring_image *r);
/* Header of the sector at `place` of the ring: its first number is `base`. */
void old_header(uint8_t *flash, const struct old_ring_image *r, uint16_t place, uint32_t n_erases,
                uint64_t base);
/* Record `seq`, in the slot `later` (0..2) behind its own; its sector gets a header when it is the
 * first one there. What of the ring the number pushes out is wiped. */
void old_append(uint8_t *flash, const struct old_ring_image *r, uint64_t seq, unsigned later,
                uint8_t kind, const void *record);
/* Address of a slot: to tear it. */
uint32_t old_slot(const struct old_ring_image *r, uint64_t seq, unsigned later);

/* The key-value area in sectors 0..7: made empty, and a value written behind the others. */
struct old_keys {
    uint8_t *flash;
    uint32_t addr;
    uint64_t seq;
};
void old_keys_begin(struct old_keys *k, uint8_t *flash);
void old_put(struct old_keys *k, uint8_t key, const void *value, size_t len);

#endif
