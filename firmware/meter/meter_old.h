/* Reads rings of a flash of storage format 1, as the version before wrote them; writes nothing.
 *
 * That version kept no layout under a key: where a ring lies says each of its sectors' headers.
 * Format and validity rules: docs/SPEC-storage.md, format 1. Only for meter_migrate.c, which needs
 * the old rings and the new ones side by side. */
#ifndef FERRARIS_METER_OLD_H
#define FERRARIS_METER_OLD_H

#include "firmware/hal/flash.h"

#include <stdbool.h>

/* Area octets of the version before. */
enum { METER_OLD_SNAPSHOTS = 1, METER_OLD_ROWS = 2 };
/* Record of a row: number (4), UTC (4), deviation (2), clock status, status, A+ A- R+ R- (8 each),
 * A+ and A- of the interval (4 each). */
#define METER_OLD_ROW_SIZE 52
/* In a snapshot: period (4), end of the interval (8), marks, pending, clearing, newest row. */
#define METER_OLD_PROFILE_SIZE (15 + METER_OLD_ROW_SIZE)

struct meter_old_ring {
    const struct hal_flash *flash;
    uint8_t area;
    uint32_t first_sector, n_sectors, record_size;
    uint32_t slot_size, n_slots, n_spare, n_records; /* of a sector */
    uint32_t oldest, newest; /* numbers held, some of them may be unreadable; newest 0: none */
};

/* Looks for the ring's sectors from `from` on and surveys them. ERR_NOT_FOUND (no sector of it),
 * ERR_CORRUPT (headers that cannot be), ERR_IO. */
MUST_CHECK enum err meter_old_find(const struct hal_flash *flash, uint8_t area, uint32_t from,
                                   struct meter_old_ring *out);
/* `record` has room for record_size octets. ERR_NOT_FOUND (no valid record of this number), ERR_IO;
 * then `record` is undefined. */
MUST_CHECK enum err meter_old_read(const struct meter_old_ring *ring, uint32_t seq, void *record);
/* The sector behind the last one of this ring. */
uint32_t meter_old_end(const struct meter_old_ring *ring);

#endif
