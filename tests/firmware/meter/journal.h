/* Remembers every operation on a flash, so that the octets a power cut would have left at any of
 * them can be made without living the time again. */
#ifndef FERRARIS_TEST_JOURNAL_H
#define FERRARIS_TEST_JOURNAL_H

#include "tests/powerfail/flash_emu.h"

struct journal_op {
    bool is_erase;
    uint32_t addr; /* sector number of an erase */
    uint32_t n;
    size_t at; /* of its octets */
};
struct journal {
    struct hal_flash hal;    /* to give to the meter */
    struct flash_emu *below; /* borrowed: does the work */
    uint8_t *start;          /* octets of the flash at journal_init() */
    struct journal_op *ops;
    uint32_t n_ops, ops_size;
    uint8_t *octets;
    size_t len, size;
    /* Called before each operation. */
    void (*seen)(void *context);
    void *context;
};

void journal_init(struct journal *j, struct flash_emu *below);
void journal_free(struct journal *j);
/* Does operation k (from 0) on another emulator of the same size, cut by `tear` or whole. */
void journal_do(const struct journal *j, uint32_t k, struct flash_emu *to);
void journal_do_torn(const struct journal *j, uint32_t k, enum tear tear, struct flash_emu *to);

#endif
