/* The version of this library: what the headers say at compile time, what the code says at run
 * time.
 *
 * Numbers as in semantic versioning; while the first is 0 each second number may break sources and
 * binaries, and the shared library's name (libferraris.so.0) stands for the first. Structs are the
 * caller's, so a program and its library must agree on more than names: compare at start with
 * ferraris_version_fits(FERRARIS_VERSION), and where sizes were chosen, cosem_options_fit(). */
#ifndef FERRARIS_BASE_VERSION_H
#define FERRARIS_BASE_VERSION_H

#include <stdbool.h>
#include <stdint.h>

#define FERRARIS_VERSION_MAJOR 0
#define FERRARIS_VERSION_MINOR 1
#define FERRARIS_VERSION_PATCH 0
#define FERRARIS_VERSION_TEXT  "0.1.0"
/* 0x00MMmmpp */
#define FERRARIS_VERSION                                                                           \
    ((uint32_t)(FERRARIS_VERSION_MAJOR << 16 | FERRARIS_VERSION_MINOR << 8 |                       \
                FERRARIS_VERSION_PATCH))

uint32_t ferraris_version(void);         /* of the library that is linked */
const char *ferraris_version_text(void); /* "0.1.0" */
/* Whether a program compiled with headers of `version` may use the library that is linked: same
 * first number, and while that is 0 the same second; the library is not older. */
bool ferraris_version_fits(uint32_t version);

#endif
