/* See entropy.h. */
#include "headend/keys/entropy.h"
#include "lib/base/cursor.h"

#include <errno.h>
#include <sys/random.h>

enum err entropy_fill(void *to, size_t n)
{
    uint8_t *at = to;
    for (size_t done = 0; done < n;) {
        const ssize_t got = getrandom(at + done, n - done, 0);
        if (got > 0) {
            done += (size_t)got;
        } else if (errno != EINTR) {
            wipe(to, n);
            return ERR_RNG;
        }
    }
    return ERR_OK;
}

static enum err fill(const struct hal_rng *r, void *to, size_t n)
{
    (void)r;
    return entropy_fill(to, n);
}

struct hal_rng entropy_rng(void)
{
    return (struct hal_rng){.context = NULL, .fill = fill};
}
