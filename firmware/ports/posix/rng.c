/* getrandom() until all is filled; it may give less than asked for when a signal comes. */
#include "firmware/ports/posix/rng.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

static enum err rng_fill(const struct hal_rng *r, void *to, size_t n)
{
    uint8_t *at = to;
    (void)r;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return ERR_RNG;
        at += got;
        n -= (size_t)got;
    }
    return ERR_OK;
}

struct hal_rng posix_rng(void)
{
    return (struct hal_rng){.fill = rng_fill};
}
