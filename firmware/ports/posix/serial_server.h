/* A serial line for an engine, on libuv: place 0 of a struct port_engine.
 *
 * The line never ends: when the engine says `closed`, its close and open are called and the line
 * goes on with what comes next. After each take the owner may change the speed (sign-on of mode E):
 * `changed` is asked for that. Octets that the engine does not consume because it is closed are
 * dropped.
 *
 *     up --- hang-up, error of read or poll: engine closed, poll given up, owner's `lost` ---> gone
 *     gone --- a descriptor that is not hung up: polled anew, engine opened ---> up
 *
 * Gone, nothing is polled, so a line that is unplugged costs no time: the owner's `again` is asked
 * every again_ms; without one the same descriptor is looked at with each tick of the timer, which
 * is what a pseudo terminal needs whose far end somebody may open again.
 *
 * All calls come from the loop's thread; the struct stays in place until the loop has run
 * serial_server_close() to its end, and the descriptor is the caller's until then. */
#ifndef FERRARIS_POSIX_SERIAL_SERVER_H
#define FERRARIS_POSIX_SERIAL_SERVER_H

#include "firmware/ports/posix/port_engine.h"
#include "lib/base/err.h"

#include <uv.h>

#define SERIAL_SERVER_BUFFER   2048
#define SERIAL_SERVER_POLL_MS  20   /* also how late a time-out between octets may be noticed */
#define SERIAL_SERVER_AGAIN_MS 3000 /* between tries to open a line that is gone */

/* What the owner of the line does; each may be NULL and gets the engine's context. */
struct serial_server_owner {
    void (*changed)(void *context); /* after octets have left, and when time passed */
    /* The line is gone; `why` is half a sentence. An owner with `again` closes its descriptor now,
     * so that the kernel can give the name to the adapter when it is plugged in again. */
    void (*lost)(void *context, const char *why);
    int (*again)(void *context); /* a new descriptor, non-blocking; -1: not yet */
    uint32_t again_ms;           /* 0: SERIAL_SERVER_AGAIN_MS */
};

struct serial_server {
    struct port_engine engine;
    struct serial_server_owner owner;
    /* private */
    uv_loop_t *loop;
    uv_poll_t poll;
    uv_timer_t timer;
    int fd;
    int events; /* asked of poll */
    bool open;
    bool gone, poll_closed; /* poll_closed: while gone, the handle may be used anew */
    uint64_t again_at_ms;
    size_t in_pos, in_len, out_pos, out_len;
    uint8_t in[SERIAL_SERVER_BUFFER], out[SERIAL_SERVER_BUFFER];
};

/* `fd` is non-blocking (serial.h); `owner` is copied. ERR_IO. */
MUST_CHECK enum err serial_server_start(struct serial_server *s, uv_loop_t *loop, int fd,
                                        const struct port_engine *engine,
                                        const struct serial_server_owner *owner);
/* Ends the session, as when the line were pulled; the server goes on. */
void serial_server_drop(struct serial_server *s);
void serial_server_close(struct serial_server *s);

#endif
