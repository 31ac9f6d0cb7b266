/* One connection to a meter: the line in libuv around the reader, and the record of the turn that
 * runs over it. Private to headend/collect.
 *
 *      FREE -> COUNTER -> DIAL -> IDENTIFY -> DEFINE -> READ -> STORE -> KEPT -> (next turn)
 *                  \________\_________\__________\________\_______\_____ RELEASE -> CLOSING -> FREE
 *
 * Steps that are not needed are passed over. The record (about 45 kB) is one of an array made at
 * start; it is FREE again when the socket is closed, no name is being looked up and no job of it is
 * in the commit queue, whatever went wrong before. All calls in the loop thread. */
#ifndef FERRARIS_HEADEND_COLLECT_CONN_H
#define FERRARIS_HEADEND_COLLECT_CONN_H

#include "headend/collect/collect_commit.h"
#include "headend/collect/collect_meter.h"
#include "headend/keys/meter_secret.h"

#define CONN_BUFFER 4096

struct collector;
struct collect_write;

enum conn_step {
    CONN_FREE,
    CONN_COUNTER,  /* invocation counters are being reserved */
    CONN_DIAL,     /* name, socket */
    CONN_IDENTIFY, /* reader at work: what the meter has */
    CONN_DEFINE,   /* the store takes that over */
    CONN_READ,     /* reader at work: values */
    CONN_STORE,    /* the last commit of the turn is under way */
    CONN_ASK,      /* in place of a reading: collect_ask.h */
    CONN_KEPT,     /* association open, next turn soon */
    CONN_RELEASE,
    CONN_CLOSING
};

struct collect_conn {
    struct collector *c;
    enum conn_step step;
    struct collect_meter *m; /* NULL: FREE */
    struct collect_conn *next_free;
    /* the line */
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    uv_getaddrinfo_t resolve;
    bool name_waits;                      /* other names are being looked up */
    struct addrinfo *addresses, *address; /* found, and the one tried */
    bool tcp_open, closing, resolving, connected, writing, listening, ended, pumping;
    uint64_t deadline_ms; /* of DIAL, RELEASE */
    uint64_t paused_ms; /* time this line stood still for the store: the reader's clock lacks it */
    uint64_t paused_at; /* 0: runs */
    size_t in_at, in_len;
    uint8_t in[CONN_BUFFER], out[CONN_BUFFER];
    struct reader reader;
    struct meter_secret secret; /* what reader points to */
    /* the turn */
    uint8_t want;
    bool failed, security, not_stored, retry;
    bool incomplete; /* an object was refused: not a failure, but not up to date either */
    char error[sizeof((struct meter_state *)0)->error];
    int64_t clock_s, clock_utc_ms; /* the meter's clock and ours when it was read; 0: not yet */
    uint64_t clock_mono_ms;
    int64_t from_s[READER_PROFILES_MAX];
    size_t n_registers;
    bool registers_sent;
    struct store_register reg[READER_REGISTERS_MAX];
    struct collect_write *open, *held; /* being filled; full or ended, oldest first */
    uint32_t n_jobs;                   /* in the commit queue */
    struct commit_job counter, define;
    bool counting; /* counter is in the queue */
    uint32_t counter_floor;
    uint32_t first_counter, rx_floor; /* worker: what `counter` brought */
    uint8_t answer[16];               /* of ASK */
    size_t answer_len;
    bool answered;
    bool spoiled;                       /* worker: a write of this turn failed */
    bool refused[READER_PROFILES_MAX];  /* worker: the store does not take all rows of it */
    bool adjusted[READER_PROFILES_MAX]; /* worker: new rows say that the clock was adjusted */
};

/* Opens the line to the meter's address; then turn_connected(), or turn_fail(). */
void collect_conn_dial(struct collect_conn *conn);
/* Moves octets as far as they go, and the turn with them. */
void collect_conn_pump(struct collect_conn *conn);
/* Looks at time-outs. */
void collect_conn_poll(struct collect_conn *conn, uint64_t now_ms);
/* The line alone; the record goes on. */
void collect_conn_hang_up(struct collect_conn *conn);
/* Ends in collector_conn_free(), maybe within the call. May be called again. */
void collect_conn_close(struct collect_conn *conn);
/* For each answer and for the connection; never 0, which would be for ever. */
uint32_t collect_conn_timeout(const struct collect_conn *conn);
/* The reader's clock. */
uint64_t collect_conn_now(const struct collect_conn *conn);

#endif
