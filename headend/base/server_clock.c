/* See server_clock.h. */
#include "headend/base/server_clock.h"

#include <stddef.h>
#include <time.h>

static int64_t milliseconds(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t); /* cannot fail for these two clocks */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t utc_ms(void *context)
{
    (void)context;
    return milliseconds(CLOCK_REALTIME);
}

static uint64_t mono_ms(void *context)
{
    (void)context;
    return (uint64_t)milliseconds(CLOCK_MONOTONIC);
}

struct server_clock server_clock_system(void)
{
    return (struct server_clock){.context = NULL, .utc_ms = utc_ms, .mono_ms = mono_ms};
}
