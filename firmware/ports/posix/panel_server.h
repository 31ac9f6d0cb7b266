/* One-line commands over a unix socket: the hands on a virtual meter.
 *
 * A client connects, sends one line, gets the answer and the end of the stream. The socket file is
 * for its owner only. Commands of a few dozen octets; a longer line is refused. Clients are served
 * one after the other. */
#ifndef FERRARIS_POSIX_PANEL_SERVER_H
#define FERRARIS_POSIX_PANEL_SERVER_H

#include "lib/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define PANEL_LINE_MAX   128
#define PANEL_ANSWER_MAX 4096

/* Writes the answer, lines that end with \n; the first begins with "ok" or "error". */
typedef void (*panel_fn)(void *context, char *line, char *answer, size_t size);

struct panel_server {
    uv_pipe_t listener, line;
    uv_write_t write;
    bool busy, waiting;
    size_t len;
    char in[PANEL_LINE_MAX], out[PANEL_ANSWER_MAX];
    panel_fn fn;
    void *context;
    char path[108];
    char why[256]; /* after an error of panel_server_listen() */
};

/* ERR_BUSY (another process answers there), ERR_RANGE (path too long), ERR_IO. A socket file that
 * nobody answers on is replaced. */
MUST_CHECK enum err panel_server_listen(struct panel_server *p, uv_loop_t *loop, const char *path,
                                        panel_fn fn, void *context);
/* Closes and removes the socket file; run the loop until it is empty. */
void panel_server_close(struct panel_server *p);

/* The client side, blocking: sends the line, gives the whole answer. ERR_IO (errno tells). */
MUST_CHECK enum err panel_ask(const char *path, const char *line, char *answer, size_t size);

#endif
