/* See version.h. */
#include "lib/base/version.h"

uint32_t ferraris_version(void)
{
    return FERRARIS_VERSION;
}

const char *ferraris_version_text(void)
{
    return FERRARIS_VERSION_TEXT;
}

bool ferraris_version_fits(uint32_t version)
{
    uint32_t break_mask = FERRARIS_VERSION_MAJOR == 0 ? 0xFFFF00u : 0xFF0000u;
    return (version & break_mask) == (FERRARIS_VERSION & break_mask) && version <= FERRARIS_VERSION;
}
