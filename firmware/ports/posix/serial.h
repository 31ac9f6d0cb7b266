/* Serial lines: a tty by its path, or a new pseudo terminal; speed, bits and parity, non-blocking.
 *
 * An open tty is raw: no echo, no flow control, no signals, octets as they come. It is locked
 * (flock) so that two programs of ours do not talk over each other, and asked for low latency where
 * the driver can. A pseudo terminal has no wire: speed and parity are kept but do not slow or
 * change an octet. The caller owns the file descriptor. */
#ifndef FERRARIS_POSIX_SERIAL_H
#define FERRARIS_POSIX_SERIAL_H

#include "lib/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum serial_parity { SERIAL_NONE, SERIAL_EVEN, SERIAL_ODD };

struct serial_options {
    uint32_t baud;     /* 300, 600, 1200 ... 115200, 230400, 460800, 921600; 0: 9600 */
    uint8_t data_bits; /* 7 or 8; 0: 8 */
    enum serial_parity parity;
    uint8_t stop_bits; /* 1 or 2; 0: 1 */
};

#define SERIAL_WHY 320

/* Gives the descriptor in *fd. ERR_NOT_FOUND (no such file), ERR_TYPE (no tty), ERR_BUSY (somebody
 * has it), ERR_RANGE (a speed or a number of bits that is none), ERR_IO. `why` gets the sentence.
 */
MUST_CHECK enum err serial_open(int *fd, const char *path, const struct serial_options *o,
                                char why[SERIAL_WHY]);
/* Changes an open tty once all that was written has left it. ERR_RANGE, ERR_IO. */
MUST_CHECK enum err serial_set(int fd, const struct serial_options *o);

/* A pseudo terminal: the near end as a descriptor, the far end as a path that others may open. It
 * outlives whoever opens and closes the far end: that end is kept open here, too. */
struct serial_pty {
    int fd;
    int far; /* private */
    char path[64];
};
/* ERR_IO (`why`). */
MUST_CHECK enum err serial_pty_open(struct serial_pty *p, char why[SERIAL_WHY]);
void serial_pty_close(struct serial_pty *p);

#endif
