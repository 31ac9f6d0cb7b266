/* Randomness of the operating system for everything in the head-end that needs some: getrandom(2).
 */
#ifndef FERRARIS_HEADEND_ENTROPY_H
#define FERRARIS_HEADEND_ENTROPY_H

#include "firmware/hal/rng.h"

#include <stddef.h>
#include <stdint.h>

/* Without state; any thread. */
struct hal_rng entropy_rng(void);
/* n octets. ERR_RNG: the system gave none, `to` is zeroed. */
MUST_CHECK enum err entropy_fill(void *to, size_t n);

#endif
