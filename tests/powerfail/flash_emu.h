/* A flash that forgets its supply: NOR rules, countdown to a power cut, tears as in hal/flash.h.
 *
 * Tests own the struct; the octets are allocated. Programming a 0 to 1 and leaving the device are
 * programming errors of the code under test: they are counted in n_violations, which every test
 * must find 0. */
#ifndef FERRARIS_TEST_FLASH_EMU_H
#define FERRARIS_TEST_FLASH_EMU_H

#include "firmware/hal/flash.h"

#include <stdbool.h>

enum tear { /* what the operation that was cut leaves */
            TEAR_NOTHING,
            TEAR_ALL,    /* done, but never acknowledged */
            TEAR_SOME,   /* program: random prefix, next octet in part; erase: the first octets, or
                            some */
            TEAR_RAGGED, /* program: all but some bits of the last octet; erase: random bits */
            N_TEARS,
            /* As TEAR_SOME, but bits half done read differently from read to read. Apart from the
             * others, for a test that copies the octets has to copy `wavers` too. */
            TEAR_WAVERS = N_TEARS
};

struct flash_emu {
    struct hal_flash hal;
    uint8_t *octets;
    uint8_t *wavers; /* bits between 0 and 1, as large as octets, where they are 1 */
    bool any_wavers; /* false: none does */
    uint32_t n_ops;  /* programs and erases since flash_emu_power() */
    uint32_t cut_at; /* the operation that is cut, from 1; 0 none */
    enum tear tear;
    bool dead;      /* cut: everything answers ERR_IO */
    uint32_t stuck; /* this octet cannot be programmed any more and stays FF; 0 none */
    uint32_t n_violations;
    uint32_t n_reads, n_programs, n_erases, n_octets_programmed; /* for ever */
    uint32_t *erases; /* of each sector, the cut ones too; for ever */
    uint64_t random;
};

void flash_emu_init(struct flash_emu *f, uint32_t sector_size, uint32_t n_sectors);
void flash_emu_free(struct flash_emu *f);
/* Supply on, to be cut at operation cut_at (0: never). */
void flash_emu_power(struct flash_emu *f, uint32_t cut_at, enum tear tear);
uint32_t flash_emu_size(const struct flash_emu *f);
uint32_t flash_emu_random(struct flash_emu *f);

#endif
