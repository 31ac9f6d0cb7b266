/* Flash of the board: its PSRAM (16 MiB at 0x21000000) plays a NOR chip. Programming clears bits, a
 * sector is erased to FF, and the contents outlive a reset of the board, which is a power cut for
 * the store. It does not wear out and cannot be torn: tests/powerfail does that. */
#ifndef FERRARIS_MPS2_FLASH_H
#define FERRARIS_MPS2_FLASH_H

#include "firmware/hal/flash.h"

/* The chip as delivered is erased; the memory is not, so the first call after power-on of the
 * simulator erases it. ERR_RANGE: more than the memory has. */
MUST_CHECK enum err mps2_flash_init(struct hal_flash *f, uint32_t sector_size, uint32_t n_sectors);

#endif
