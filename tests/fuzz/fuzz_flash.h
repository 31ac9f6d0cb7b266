/* NOR flash of the fuzz targets that store: it aborts on what a real one cannot do (an address
 * outside, a bit set without an erase), and from a chosen operation on it takes no more; what it
 * holds can still be read. The contents belong to the caller, who spoils them as he likes. */
#ifndef FERRARIS_FUZZ_FLASH_H
#define FERRARIS_FUZZ_FLASH_H

#include "firmware/hal/flash.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

struct fuzz_flash {
    struct hal_flash hal;
    uint8_t *octet; /* n_sectors * sector_size */
    uint32_t left;  /* operations until the cut; 0: none */
    bool dead;
};

static inline enum err fuzz_flash_read(const struct hal_flash *hal, uint32_t addr, void *to,
                                       size_t n)
{
    const struct fuzz_flash *f = hal->context;
    const size_t size = (size_t)hal->n_sectors * hal->sector_size;
    CHECK(addr <= size && n <= size - addr);
    memcpy(to, f->octet + addr, n);
    return ERR_OK;
}

static inline bool fuzz_flash_cut(struct fuzz_flash *f)
{
    f->dead = f->dead || (f->left > 0 && --f->left == 0);
    return f->dead;
}

static inline enum err fuzz_flash_program(const struct hal_flash *hal, uint32_t addr,
                                          const void *from, size_t n)
{
    struct fuzz_flash *f = hal->context;
    const size_t size = (size_t)hal->n_sectors * hal->sector_size;
    const uint8_t *in = from;
    CHECK(addr <= size && n <= size - addr);
    if (fuzz_flash_cut(f))
        return ERR_IO;
    for (size_t i = 0; i < n; i++)
        CHECK((in[i] & ~f->octet[addr + i]) == 0);
    memcpy(f->octet + addr, in, n);
    return ERR_OK;
}

static inline enum err fuzz_flash_erase(const struct hal_flash *hal, uint32_t sector)
{
    struct fuzz_flash *f = hal->context;
    CHECK(sector < hal->n_sectors);
    if (fuzz_flash_cut(f))
        return ERR_IO;
    memset(f->octet + (size_t)sector * hal->sector_size, 0xFF, hal->sector_size);
    return ERR_OK;
}

/* Blank, of n_sectors * sector_size octets. */
static inline void fuzz_flash_init(struct fuzz_flash *f, uint8_t *octet, uint32_t n_sectors,
                                   uint32_t sector_size)
{
    *f = (struct fuzz_flash){.hal = {.context = f,
                                     .sector_size = sector_size,
                                     .n_sectors = n_sectors,
                                     .read = fuzz_flash_read,
                                     .program = fuzz_flash_program,
                                     .erase = fuzz_flash_erase},
                             .octet = octet};
    memset(octet, 0xFF, (size_t)n_sectors * sector_size);
}

#endif
