/* TCP connections for byte-stream engines, on libuv: a listener, a fixed number of connections, no
 * knowledge of the protocol.
 *
 * The server moves octets between the line and the owner's engine and honours both sides' pace: it
 * reads no further while the peer does not take the answer or the engine does not consume. All
 * calls come from the loop's thread. The caller owns struct tcp_server (large: it holds all
 * buffers), which must stay in place until the loop has run tcp_server_close() to its end. */
#ifndef FERRARIS_POSIX_TCP_SERVER_H
#define FERRARIS_POSIX_TCP_SERVER_H

#include "firmware/ports/posix/port_address.h"
#include "firmware/ports/posix/port_engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define TCP_SERVER_CONNS   16   /* at once; one more waits until a place is free */
#define TCP_SERVER_BUFFER  4096 /* octets each way and connection */
#define TCP_SERVER_POLL_MS 250

struct tcp_server;
struct tcp_server_conn { /* private */
    struct tcp_server *server;
    uv_tcp_t line;
    uv_write_t write;
    bool used, writing, reading, closing;
    size_t in_pos, in_len;
    size_t out_len;
    uint8_t in[TCP_SERVER_BUFFER], out[TCP_SERVER_BUFFER];
};
struct tcp_server {
    struct port_engine engine;
    uv_tcp_t listener;
    uv_timer_t timer;
    bool waiting;                    /* a connection could not be taken in yet */
    char address[PORT_ADDRESS_TEXT]; /* where it listens, with the real port: "127.0.0.1:4059",
                                        "[::1]:4059" */
    char why[PORT_ADDRESS_WHY]; /* after an error of tcp_server_listen(): the sentence for the user
                                 */
    struct tcp_server_conn conn[TCP_SERVER_CONNS];
};

/* HOST:PORT or [HOST]:PORT; port 0 takes a free one. SIGPIPE is ignored from here on, in the whole
 * process: a peer that resets must cost its connection only. ERR_FORMAT (no such address), ERR_BUSY
 * (the port is taken), ERR_IO. After an error nothing is left open but what the loop still has to
 * close.
 */
MUST_CHECK enum err tcp_server_listen(struct tcp_server *s, uv_loop_t *loop, const char *address,
                                      const struct port_engine *engine);
/* Closes every connection; the listener stays. */
void tcp_server_drop_all(struct tcp_server *s);
/* Closes everything; run the loop until it is empty. */
void tcp_server_close(struct tcp_server *s);

#endif
