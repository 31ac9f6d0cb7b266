/* Randomness for challenges and keys. A failure is an error (ERR_RNG), never a weaker value. */
#ifndef FERRARIS_HAL_RNG_H
#define FERRARIS_HAL_RNG_H

#include "lib/base/err.h"

#include <stddef.h>

struct hal_rng {
    void *context;
    enum err (*fill)(const struct hal_rng *r, void *to, size_t n);
};

#endif
