/* See flash.h. Application Note AN386, memory map. */
#include "firmware/ports/mps2/flash.h"

#include <stdbool.h>
#include <string.h>

#define PSRAM      ((uint8_t *)0x21000000u)
#define PSRAM_SIZE 0x01000000u
#define MARK       (*(volatile uint32_t *)(0x21000000u + PSRAM_SIZE - 4)) /* erased once */
#define MARK_SET   0xE1A5ED01u

static bool outside(const struct hal_flash *f, uint32_t addr, size_t n)
{
    uint32_t size = f->sector_size * f->n_sectors;
    return addr > size || n > size - addr;
}

static enum err flash_read(const struct hal_flash *f, uint32_t addr, void *to, size_t n)
{
    if (outside(f, addr, n))
        return ERR_RANGE;
    memcpy(to, PSRAM + addr, n);
    return ERR_OK;
}

static enum err flash_program(const struct hal_flash *f, uint32_t addr, const void *from, size_t n)
{
    const uint8_t *p = from;
    if (outside(f, addr, n))
        return ERR_RANGE;
    for (size_t i = 0; i < n; i++)
        PSRAM[addr + i] &= p[i];
    return ERR_OK;
}

static enum err flash_erase(const struct hal_flash *f, uint32_t sector)
{
    if (sector >= f->n_sectors)
        return ERR_RANGE;
    memset(PSRAM + sector * f->sector_size, 0xFF, f->sector_size);
    return ERR_OK;
}

enum err mps2_flash_init(struct hal_flash *f, uint32_t sector_size, uint32_t n_sectors)
{
    *f = (struct hal_flash){.sector_size = sector_size,
                            .n_sectors = n_sectors,
                            .read = flash_read,
                            .program = flash_program,
                            .erase = flash_erase};
    if (n_sectors >= PSRAM_SIZE / sector_size)
        return ERR_RANGE;
    if (MARK != MARK_SET) {
        memset(PSRAM, 0xFF, sector_size * n_sectors);
        MARK = MARK_SET;
    }
    return ERR_OK;
}
