/* Raw NOR flash as the storage code sees it.
 *
 * Programming can only clear bits (1 to 0); erasing sets a whole sector to FF. A power cut during
 * program leaves any prefix of the octets done and the one in progress partly done; a cut during
 * erase leaves any mix of old and FF in that sector. A port fills the struct once and keeps it
 * alive as long as the store. */
#ifndef FERRARIS_HAL_FLASH_H
#define FERRARIS_HAL_FLASH_H

#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

struct hal_flash {
    void *context;
    uint32_t sector_size; /* octets, a power of two, 256..65536 */
    uint32_t n_sectors;   /* 4..65535 */
    /* All give ERR_OK, ERR_RANGE (outside the device) or ERR_IO. addr is an octet offset. */
    enum err (*read)(const struct hal_flash *f, uint32_t addr, void *to, size_t n);
    enum err (*program)(const struct hal_flash *f, uint32_t addr, const void *from, size_t n);
    enum err (*erase)(const struct hal_flash *f, uint32_t sector);
};

#endif
