/* A head-end's collector and virtual meters on loopback in one thread, under a clock that the test
 * moves. */
#ifndef FERRARIS_TESTS_HEADEND_COLLECT_TOWN_H
#define FERRARIS_TESTS_HEADEND_COLLECT_TOWN_H

#include "firmware/ports/posix/tcp_server.h"
#include "headend/collect/collector.h"
#include "headend/keys/entropy.h"
#include "headend/keys/meter_secret.h"
#include "tests/firmware/meter/rig.h"

#include <stdatomic.h>

#define TOWN_START    "2026-03-02T00:00:00"
#define TOWN_LOAD     "synth:u=230,i=5,pf=0.8"
#define TOWN_STATIONS 4

/* A meter and its socket, with faults to choose. */
struct station {
    struct rig *rig;
    struct model_meter row;
    struct tcp_server tcp;
    struct cosem_session session[TCP_SERVER_CONNS];
    unsigned n_opened;
    bool away;        /* hangs up at once */
    bool silent;      /* takes everything, answers nothing */
    bool garbage;     /* answers with frames that are too long */
    bool deaf_close;  /* never closes by itself when silent */
    size_t cut_after; /* octets until the line breaks; 0: never */
    size_t sent[TCP_SERVER_CONNS];
    /* all octets that come in and go out, as they do, n 0 when a line is opened; NULL: nobody
     * listens */
    void (*heard)(void *context, size_t line, const uint8_t *p, size_t n);
    void *heard_context;
    void (*said)(void *context, size_t line, const uint8_t *p, size_t n);
    void *said_context;
};

struct town {
    uv_loop_t loop;
    uv_timer_t pace; /* so that a waiting loop comes back */
    char dir[64];
    _Atomic int64_t utc_ms;
    _Atomic uint64_t mono_ms;
    struct server_clock clock;
    struct server_log log;
    struct hal_rng rng;
    struct seal_key key;
    struct store *store; /* the test's own connection */
    struct collector *c;
    struct collector_hooks hooks;
    uint32_t max_connections;
    uint32_t clock_from_s, clock_to_s; /* the collector's */
    bool as_manager;                   /* rows added read by HLS5 are the manager's */
    struct station *station[TOWN_STATIONS];
    size_t n_stations;
    int64_t meter[400]; /* ids in the store */
    size_t n_meters;
    unsigned n_events[3];
    struct meter_event last_profile;
};

struct town *town_new(void);
void town_free(struct town *t);
/* A meter that lives since TOWN_START up to the town's time. */
struct station *town_station(struct town *t, const char *model);
/* One that has no profile but load profile 1: for what goes on as long with one as with ten. */
struct station *town_plain_station(struct town *t, const char *model);
/* Its row in the store, by the reader with LLS or HLS5; gives the id. */
int64_t town_add(struct town *t, struct station *s, enum store_auth auth);
/* The meter gets another module: its lines break, it is at another address, which its row is told.
 * Only while the collector is stopped. */
void town_other_module(struct town *t, struct station *s, int64_t meter);
/* The meter's power goes, without warning, and comes back at once: its lines break. */
void town_power_cut(struct town *t, struct station *s);
void town_start(struct town *t);
void town_stop(struct town *t);
/* Time passes for all, without anything happening on the lines. */
void town_sleep(struct town *t, int64_t seconds);
/* The loop runs until each meter waits for a later time. Fails after some real seconds. */
void town_settle(struct town *t);
/* In steps of step_s: sleep and settle. */
void town_live(struct town *t, int64_t seconds, int64_t step_s);
struct meter_state town_state(struct town *t, int64_t meter);
/* The store's rows of the meter's profile are those of the ring, each once, with their status, 20 s
 * later. */
void town_check_rows(struct town *t, const struct station *s, int64_t meter);
size_t town_n_rows(struct town *t, int64_t meter);

#endif
