/* Time for the servers, injected: no other file of headend/ asks the system what time it is.
 *
 * A test hands in a clock of its own and a day passes at once. Checked: tools/edges.txt lists the
 * symbols (time, clock_gettime, uv_now ...) that only server_clock.c may need. */
#ifndef FERRARIS_HEADEND_SERVER_CLOCK_H
#define FERRARIS_HEADEND_SERVER_CLOCK_H

#include <stdint.h>

/* All functions may be called from any thread. */
struct server_clock {
    void *context;
    int64_t (*utc_ms)(void *context);   /* milliseconds since 1970, UTC; may jump */
    uint64_t (*mono_ms)(void *context); /* never goes back; its zero means nothing */
};

/* The machine's own. */
struct server_clock server_clock_system(void);

static inline int64_t server_clock_utc_ms(const struct server_clock *c)
{
    return c->utc_ms(c->context);
}
static inline uint64_t server_clock_mono_ms(const struct server_clock *c)
{
    return c->mono_ms(c->context);
}

#endif
