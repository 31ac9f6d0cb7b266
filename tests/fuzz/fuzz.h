/* What every fuzz target has: the entrance of libFuzzer and replay.c, and the end of one whose
 * property does not hold. */
#ifndef FERRARIS_FUZZ_H
#define FERRARIS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
