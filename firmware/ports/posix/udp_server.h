/* UDP datagrams for engines of peers, on libuv: one socket, a fixed number of places for peers, no
 * knowledge of the protocol. As many datagrams as have come are read by one system call and
 * answered by one.
 *
 * A peer is an address with its port. It gets a free place with its first datagram, else the place
 * that has been silent longest among those the engine can spare; where it can spare none the
 * datagram is dropped. So addresses made up by somebody cost those a place who have not
 * authenticated, keep nobody out, and never grow the memory. An answer that the socket does not
 * take at once is dropped, too: with UDP the client asks again. Datagrams above UDP_SERVER_BUFFER
 * are dropped.
 *
 * All calls come from the loop's thread. The caller owns struct udp_server, which must stay in
 * place until the loop has run udp_server_close() to its end. */
#ifndef FERRARIS_POSIX_UDP_SERVER_H
#define FERRARIS_POSIX_UDP_SERVER_H

#include "firmware/ports/posix/port_address.h"
#include "firmware/ports/posix/port_engine.h"

#include <uv.h>

#define UDP_SERVER_PEERS   16
#define UDP_SERVER_BUFFER  4096 /* octets of a datagram each way */
#define UDP_SERVER_BATCH   16   /* datagrams in one system call */
#define UDP_SERVER_POLL_MS 250

enum udp_server_loss {
    UDP_SERVER_NOTHING, /* no association */
    UDP_SERVER_LITTLE,  /* an association that anybody can have, or one not proven yet */
    UDP_SERVER_KEEP     /* that of somebody who has authenticated: never spared */
};

struct udp_server_engine {
    struct port_engine line; /* feed and take whole datagrams */
    /* What would be lost with place i. Of several that can be spared the one that loses least goes,
     * of equals the one silent longest. */
    enum udp_server_loss (*loss)(void *context, size_t i);
};

struct udp_server_peer { /* private */
    bool used;
    uint64_t turn; /* of its last datagram, to find the one silent longest */
    struct sockaddr_storage address;
};
struct udp_server {
    struct udp_server_engine engine;
    char address[PORT_ADDRESS_TEXT]; /* where it listens, with the real port */
    char why[PORT_ADDRESS_WHY];      /* after an error of udp_server_listen() */
    uint32_t n_dropped;              /* datagrams, either way */
    /* private */
    int fd;
    uv_poll_t poll;
    uv_timer_t timer;
    uint64_t turn;
    struct udp_server_peer peer[UDP_SERVER_PEERS];
    size_t n_out; /* datagrams gathered, their lengths and receivers */
    size_t out_len[UDP_SERVER_BATCH];
    struct sockaddr_storage out_to[UDP_SERVER_BATCH];
    uint8_t in[UDP_SERVER_BATCH][UDP_SERVER_BUFFER], out[UDP_SERVER_BATCH][UDP_SERVER_BUFFER];
};

/* HOST:PORT or [HOST]:PORT; port 0 takes a free one. ERR_FORMAT, ERR_BUSY (the port is taken),
 * ERR_IO. After an error nothing is left open. */
MUST_CHECK enum err udp_server_listen(struct udp_server *s, uv_loop_t *loop, const char *address,
                                      const struct udp_server_engine *engine);
/* Forgets every peer; the socket stays. */
void udp_server_drop_all(struct udp_server *s);
/* Closes everything; run the loop until it is empty. */
void udp_server_close(struct udp_server *s);

#endif
