/* Randomness of the host's kernel (getrandom), for keys and challenges. */
#ifndef FERRARIS_POSIX_RNG_H
#define FERRARIS_POSIX_RNG_H

#include "firmware/hal/rng.h"

/* Needs no context and no closing. May wait while the kernel has not been seeded since boot. */
struct hal_rng posix_rng(void);

#endif
