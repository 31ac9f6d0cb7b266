/* See flash_emu.h. Deterministic: tears come from a xorshift seeded by the test. */
#include "tests/powerfail/flash_emu.h"

#include <stdlib.h>
#include <string.h>

uint32_t flash_emu_size(const struct flash_emu *f)
{
    return f->hal.sector_size * f->hal.n_sectors;
}

uint32_t flash_emu_random(struct flash_emu *f)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return (uint32_t)(f->random >> 32);
}

static bool in_device(struct flash_emu *f, uint32_t addr, size_t n)
{
    bool inside = addr <= flash_emu_size(f) && n <= flash_emu_size(f) - addr;
    f->n_violations += !inside;
    return inside;
}

static enum err emu_read(const struct hal_flash *hal, uint32_t addr, void *to, size_t n)
{
    struct flash_emu *f = hal->context;
    if (!in_device(f, addr, n))
        return ERR_RANGE;
    if (f->dead)
        return ERR_IO;
    f->n_reads++;
    memcpy(to, f->octets + addr, n);
    for (size_t i = 0; f->any_wavers && i < n; i++)
        if (f->wavers[addr + i])
            ((uint8_t *)to)[i] &= (uint8_t) ~(f->wavers[addr + i] & flash_emu_random(f));
    if (f->stuck != 0 && f->stuck >= addr && f->stuck - addr < n)
        ((uint8_t *)to)[f->stuck - addr] = 0xFF;
    return ERR_OK;
}

/* True when this operation is the one that is cut. */
static bool count_operation(struct flash_emu *f)
{
    f->n_ops++;
    f->dead = f->dead || (f->cut_at != 0 && f->n_ops == f->cut_at);
    return f->dead;
}

/* Of the bits to clear some are cleared and all others, or some of them, lie between. */
static void octet_wavers(struct flash_emu *f, uint8_t *to, uint8_t from)
{
    uint32_t r = flash_emu_random(f);
    *to = (uint8_t)(*to & (from | r));
    f->wavers[to - f->octets] = (uint8_t)(*to & ~from & (r & 1u << 31 ? 0xFFu : r >> 8));
    f->any_wavers = true;
}

static void program_torn(struct flash_emu *f, uint8_t *to, const uint8_t *from, size_t n)
{
    size_t whole = f->tear == TEAR_NOTHING  ? 0
                   : f->tear == TEAR_ALL    ? n
                   : f->tear == TEAR_RAGGED ? n - 1
                                            : flash_emu_random(f) % n;
    memcpy(to, from, whole);
    if (f->tear == TEAR_WAVERS)
        octet_wavers(f, to + whole, from[whole]);
    else if (whole < n && f->tear != TEAR_NOTHING)
        to[whole] = (uint8_t)(to[whole] & (from[whole] | flash_emu_random(f)));
}

static enum err emu_program(const struct hal_flash *hal, uint32_t addr, const void *from, size_t n)
{
    struct flash_emu *f = hal->context;
    const uint8_t *in = from;
    if (!in_device(f, addr, n) || n == 0)
        return ERR_RANGE;
    if (f->dead)
        return ERR_IO;
    for (size_t i = 0; i < n; i++)
        f->n_violations += (in[i] & ~f->octets[addr + i]) != 0;
    f->n_programs++;
    f->n_octets_programmed += (uint32_t)n;
    if (count_operation(f)) {
        program_torn(f, f->octets + addr, in, n);
        return ERR_IO;
    }
    memcpy(f->octets + addr, in, n);
    for (size_t i = 0; f->any_wavers && i < n; i++)
        f->wavers[addr + i] &= in[i];
    return ERR_OK;
}

static void erase_torn(struct flash_emu *f, uint8_t *at)
{
    uint32_t some =
        flash_emu_random(f) % (2 * f->hal.sector_size); /* from the start, or anywhere */
    for (uint32_t i = 0; i < f->hal.sector_size; i++) {
        uint32_t r = flash_emu_random(f);
        bool gone = some < f->hal.sector_size ? i < some : r % 2 != 0;
        if (f->tear == TEAR_ALL || (f->tear == TEAR_SOME && gone))
            at[i] = 0xFF;
        if (f->tear == TEAR_RAGGED)
            at[i] = (uint8_t)(at[i] | r);
        if (f->tear == TEAR_WAVERS && r % 3 != 0) {
            f->any_wavers = true;
            f->wavers[at + i - f->octets] = r % 3 == 1 ? (uint8_t)(~at[i] & r >> 8) : 0;
            at[i] = r % 3 == 1 ? (uint8_t)(at[i] | r >> 8) : 0xFF;
        }
    }
}

static enum err emu_erase(const struct hal_flash *hal, uint32_t sector)
{
    struct flash_emu *f = hal->context;
    if (!in_device(f, sector * hal->sector_size, hal->sector_size))
        return ERR_RANGE;
    if (f->dead)
        return ERR_IO;
    uint8_t *at = f->octets + (size_t)sector * hal->sector_size;
    f->n_erases++;
    f->erases[sector]++;
    if (count_operation(f)) {
        erase_torn(f, at);
        return ERR_IO;
    }
    memset(at, 0xFF, hal->sector_size);
    memset(f->wavers + (at - f->octets), 0, hal->sector_size);
    return ERR_OK;
}

void flash_emu_init(struct flash_emu *f, uint32_t sector_size, uint32_t n_sectors)
{
    *f = (struct flash_emu){.hal = {.context = f,
                                    .sector_size = sector_size,
                                    .n_sectors = n_sectors,
                                    .read = emu_read,
                                    .program = emu_program,
                                    .erase = emu_erase},
                            .random = UINT64_C(0x9E3779B97F4A7C15)};
    f->octets = malloc(flash_emu_size(f));
    f->erases = calloc(n_sectors, sizeof *f->erases);
    f->wavers = calloc(flash_emu_size(f), 1);
    if (!f->octets || !f->wavers || !f->erases)
        abort();
    memset(f->octets, 0xFF, flash_emu_size(f));
}

void flash_emu_free(struct flash_emu *f)
{
    free(f->octets);
    free(f->wavers);
    free(f->erases);
    f->octets = NULL;
    f->wavers = NULL;
    f->erases = NULL;
}

void flash_emu_power(struct flash_emu *f, uint32_t cut_at, enum tear tear)
{
    f->n_ops = 0;
    f->cut_at = cut_at;
    f->tear = tear;
    f->dead = false;
}
