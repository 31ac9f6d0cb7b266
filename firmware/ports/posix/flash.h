/* Flash in a file, for virtual meters and tools: the file is the device, octet for octet.
 *
 * NOR rules hold as on a chip: erased is FF, programming a 0 to 1 answers ERR_IO and writes
 * nothing. The file appears at its path complete or not at all, and one process at a time may have
 * it open.
 *
 * kill -9 is a power cut of the process alone: the device is a shared mapping, so every octet once
 * stored belongs to the kernel and outlives the process; octets are stored in rising order, so what
 * is cut off is the rest of one program or erase, which is what the store is built for. A crash of
 * the whole machine is another matter: without `sync` the kernel may have written later pages and
 * not earlier ones; with it each operation is on the disk before it returns, some milliseconds
 * each. Where that is too slow and nobody is told anything meanwhile (a virtual meter that lives
 * through its past), posix_flash_hold() defers it to one sync at the end: a crash of the machine
 * before that end may lose the whole device, kill -9 still nothing. */
#ifndef FERRARIS_POSIX_FLASH_H
#define FERRARIS_POSIX_FLASH_H

#include "firmware/hal/flash.h"

#include <stdbool.h>

struct posix_flash {
    struct hal_flash hal; /* hand &f->hal to nv_mount(); valid while f is open and not moved */
    uint8_t *octets;
    int fd;
    bool sync, held;
    char why[256]; /* after an error of posix_flash_open(): the sentence for the user */
};

/* Geometry as in struct hal_flash. */
struct posix_flash_options {
    uint32_t sector_size; /* octets */
    uint32_t n_sectors;
    bool sync; /* msync after each operation */
    /* A file of so many sectors is a smaller device of the same kind, to be made larger: erased
     * octets are put behind it. 0: none. */
    uint32_t n_sectors_before;
};

/* Opens the file, creating it erased where there is none. ERR_RANGE (geometry), ERR_BUSY (another
 * process, or this one, has it open), ERR_CORRUPT (its size is not that of the device, nor that of
 * the one before: truncated, or another geometry), ERR_IO (anything else). Close only after ERR_OK.
 */
MUST_CHECK enum err posix_flash_open(struct posix_flash *f, const char *path,
                                     const struct posix_flash_options *options);
/* With `sync`: from true on operations are not synced one by one, with false all of them are, and
 * each again from then on. ERR_IO. Without `sync` nothing happens. */
MUST_CHECK enum err posix_flash_hold(struct posix_flash *f, bool held);
/* Releases file and lock; everything programmed stays. */
void posix_flash_close(struct posix_flash *f);

#endif
