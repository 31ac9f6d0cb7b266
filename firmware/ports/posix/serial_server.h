/* A serial line for an engine, on libuv: place 0 of a struct port_engine.
 *
 * The line never ends: when the engine says `closed`, its close and open are called and the line
 * goes on with what comes next. After each take the owner may change the speed (sign-on of mode E):
 * `changed` is asked for that. Octets that the engine does not consume because it is closed are
 * dropped. All calls come from the loop's thread; the struct stays in place until the loop has run
 * serial_server_close() to its end, and the descriptor is the caller's until then. */
#ifndef FERRARIS_POSIX_SERIAL_SERVER_H
#define FERRARIS_POSIX_SERIAL_SERVER_H

#include "firmware/ports/posix/port_engine.h"
#include "lib/base/err.h"

#include <uv.h>

#define SERIAL_SERVER_BUFFER  2048
#define SERIAL_SERVER_POLL_MS 20 /* also how late a time-out between octets may be noticed */

struct serial_server {
    struct port_engine engine;
    /* NULL, or called with the engine's context after octets have left and when time passed. */
    void (*changed)(void *context);
    /* private */
    uv_poll_t poll;
    uv_timer_t timer;
    int fd;
    int events; /* asked of poll */
    bool open;
    size_t in_pos, in_len, out_pos, out_len;
    uint8_t in[SERIAL_SERVER_BUFFER], out[SERIAL_SERVER_BUFFER];
};

/* `fd` is non-blocking (serial.h). ERR_IO. */
MUST_CHECK enum err serial_server_start(struct serial_server *s, uv_loop_t *loop, int fd,
                                        const struct port_engine *engine,
                                        void (*changed)(void *context));
/* Ends the session, as when the line were pulled; the server goes on. */
void serial_server_drop(struct serial_server *s);
void serial_server_close(struct serial_server *s);

#endif
