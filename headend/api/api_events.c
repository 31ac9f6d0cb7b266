/* Locks: hub->lock guards everything here; libmicrohttpd's own lock (taken by suspend and resume)
 * is only ever taken inside it, and the store never. */
#include "headend/api/api_events.h"

#include "headend/api/api_session_life.h"
#include "headend/api/time_text.h"

#include "lib/cosem/obis.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_TEXT 160
#define HASH       (HUB_PENDING * 2)

struct listener {
    struct event_hub *hub;
    struct MHD_Connection *connection; /* NULL: free */
    struct listener *next_free;
    uint8_t digest[STORE_TOKEN_DIGEST];
    uint64_t at;  /* number of the next event to send */
    bool waiting; /* suspended */
    bool hello, beat, end;
};
struct ready {
    uint8_t len;
    char text[EVENT_TEXT];
};
struct event_hub {
    pthread_mutex_t lock;
    const struct server_clock *clock;
    struct listener *list, *free;
    size_t size, n;
    struct ready ring[HUB_RING];
    uint64_t head; /* number of the next event to come */
    struct meter_event pending[HUB_PENDING];
    size_t n_pending;
    uint16_t hash[HASH]; /* index into pending + 1 */
    bool overflow, recheck, ended;
    uint64_t beat_ms; /* when the next is due */
    /* only of the pulse's thread */
    struct meter_event taken[HUB_PENDING];
};

enum err event_hub_start(struct event_hub **out, const struct server_clock *clock,
                         size_t max_listeners)
{
    struct event_hub *h = calloc(1, sizeof *h);
    if (h == NULL)
        return ERR_MEMORY;
    h->list = calloc(max_listeners, sizeof *h->list);
    if (h->list == NULL || pthread_mutex_init(&h->lock, NULL) != 0) {
        free(h->list);
        free(h);
        return ERR_MEMORY;
    }
    h->clock = clock;
    h->size = max_listeners;
    for (size_t i = max_listeners; i-- > 0;) {
        h->list[i].hub = h;
        h->list[i].next_free = h->free;
        h->free = &h->list[i];
    }
    h->beat_ms = server_clock_mono_ms(clock) + HUB_BEAT_MS;
    *out = h;
    return ERR_OK;
}

void event_hub_free(struct event_hub *h)
{
    if (h == NULL)
        return;
    pthread_mutex_destroy(&h->lock);
    free(h->list);
    free(h);
}

/* ---- what is pending ---- */

static size_t hash_of(const struct meter_event *e)
{
    const uint64_t x = ((uint64_t)e->meter * 3 + (uint64_t)e->kind) * 31 +
                       (e->kind == METER_EVENT_PROFILE ? (uint64_t)e->profile : 0);
    return (size_t)((x * UINT64_C(0x9E3779B97F4A7C15)) >> 40) % HASH;
}

static bool same_event(const struct meter_event *a, const struct meter_event *b)
{
    return a->kind == b->kind && a->meter == b->meter &&
           (a->kind != METER_EVENT_PROFILE || a->profile == b->profile);
}

static void merge(struct meter_event *old, const struct meter_event *e)
{
    if (e->from_s < old->from_s)
        old->from_s = e->from_s;
    if (e->to_s > old->to_s)
        old->to_s = e->to_s;
}

static void note(struct event_hub *h, const struct meter_event *e)
{
    size_t slot = hash_of(e);
    while (h->hash[slot] != 0) {
        struct meter_event *old = &h->pending[h->hash[slot] - 1];
        if (same_event(old, e)) {
            merge(old, e);
            return;
        }
        slot = (slot + 1) % HASH;
    }
    if (h->n_pending == HUB_PENDING) {
        h->overflow = true;
        return;
    }
    h->pending[h->n_pending++] = *e;
    h->hash[slot] = (uint16_t)h->n_pending;
}

bool event_hub_note(struct event_hub *h, const struct meter_event *event)
{
    pthread_mutex_lock(&h->lock);
    const bool first = h->n_pending == 0;
    note(h, event);
    pthread_mutex_unlock(&h->lock);
    return first;
}

/* Moves the pending events to `taken`; returns how many. */
static size_t take_pending(struct event_hub *h, bool *overflow)
{
    pthread_mutex_lock(&h->lock);
    const size_t n = h->n_pending;
    if (n > 0) {
        memcpy(h->taken, h->pending, n * sizeof h->taken[0]);
        memset(h->hash, 0, sizeof h->hash);
        h->n_pending = 0;
    }
    *overflow = h->overflow;
    h->overflow = false;
    pthread_mutex_unlock(&h->lock);
    return n;
}

/* ---- texts ---- */

static bool profile_name(struct store *s, const struct meter_event *e, char to[OBIS_TEXT])
{
    struct store_profile list[STORE_PROFILES_MAX];
    size_t n;
    if (store_profiles_get(s, e->meter, list, STORE_PROFILES_MAX, &n) != ERR_OK)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (list[i].id == e->profile) {
            obis_print(list[i].ln, to);
            return true;
        }
    }
    return false;
}

/* False: nothing to tell (the profile is not there). */
static bool event_text(struct store *s, const struct meter_event *e, struct ready *to)
{
    char obis[OBIS_TEXT];
    int n;
    if (e->kind == METER_EVENT_PROFILE) {
        if (!profile_name(s, e, obis))
            return false;
        n = snprintf(to->text, sizeof to->text,
                     "event: profile\ndata: {\"meter\":%" PRId64
                     ",\"obis\":\"%s\",\"from\":%" PRId64 ",\"to\":%" PRId64 "}\n\n",
                     e->meter, obis, e->from_s, e->to_s);
    } else {
        n = snprintf(to->text, sizeof to->text, "event: %s\ndata: {\"meter\":%" PRId64 "}\n\n",
                     e->kind == METER_EVENT_STATE ? "meter" : "registers", e->meter);
    }
    to->len = (uint8_t)n;
    return true;
}

static size_t hello_text(struct event_hub *h, char *to, size_t size)
{
    char now[TIME_TEXT];
    time_text(server_clock_utc_ms(h->clock), now);
    return (size_t)snprintf(to, size, "retry: 3000\nevent: hello\ndata: {\"now\":\"%s\"}\n\n", now);
}

/* ---- sending ---- */

static void wake(struct listener *l)
{
    if (l->connection == NULL || !l->waiting)
        return;
    l->waiting = false;
    MHD_resume_connection(l->connection);
}

static void wake_all(struct event_hub *h)
{
    for (size_t i = 0; i < h->size; i++)
        wake(&h->list[i]);
}

/* As much as fits; the lock is held. */
static size_t fill(struct listener *l, char *to, size_t size)
{
    struct event_hub *h = l->hub;
    size_t n = 0;
    if (h->head - l->at > HUB_RING)
        l->hello = true;
    if (l->hello && size >= EVENT_TEXT) {
        n = hello_text(h, to, size);
        l->hello = false;
        l->at = h->head;
    }
    if (l->beat && size - n >= 3) {
        memcpy(to + n, ":\n\n", 3);
        n += 3;
        l->beat = false;
    }
    while (l->at < h->head) {
        const struct ready *e = &h->ring[l->at % HUB_RING];
        if (e->len > size - n)
            break;
        memcpy(to + n, e->text, e->len);
        n += e->len;
        l->at++;
    }
    return n;
}

/* A MHD_ContentReaderCallback. */
static ssize_t on_read(void *context, uint64_t position, char *to, size_t size)
{
    struct listener *l = context;
    struct event_hub *h = l->hub;
    (void)position;
    pthread_mutex_lock(&h->lock);
    ssize_t result = MHD_CONTENT_READER_END_OF_STREAM;
    if (!l->end && !h->ended) {
        result = (ssize_t)fill(l, to, size);
        if (result == 0) {
            l->waiting = true;
            MHD_suspend_connection(l->connection);
        }
    }
    pthread_mutex_unlock(&h->lock);
    return result;
}

static void on_free(void *context)
{
    struct listener *l = context;
    struct event_hub *h = l->hub;
    pthread_mutex_lock(&h->lock);
    l->connection = NULL;
    l->waiting = false;
    l->next_free = h->free;
    h->free = l;
    h->n--;
    pthread_mutex_unlock(&h->lock);
}

static struct listener *take_listener(struct event_hub *h, struct MHD_Connection *connection,
                                      const uint8_t digest[STORE_TOKEN_DIGEST])
{
    pthread_mutex_lock(&h->lock);
    struct listener *l = h->ended ? NULL : h->free;
    if (l != NULL) {
        h->free = l->next_free;
        h->n++;
        l->connection = connection;
        l->at = h->head;
        l->waiting = l->beat = l->end = false;
        l->hello = true;
        memcpy(l->digest, digest, sizeof l->digest);
    }
    pthread_mutex_unlock(&h->lock);
    return l;
}

struct MHD_Response *event_hub_listen(struct event_hub *h, struct MHD_Connection *connection,
                                      const uint8_t digest[STORE_TOKEN_DIGEST])
{
    struct listener *l = take_listener(h, connection, digest);
    if (l == NULL)
        return NULL;
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, on_read, l, on_free);
    if (r == NULL)
        on_free(l);
    return r;
}

/* ---- the pulse ---- */

static void send_pending(struct event_hub *h, struct store *s)
{
    bool overflow;
    const size_t n = take_pending(h, &overflow);
    if (n == 0 && !overflow)
        return;
    for (size_t i = 0; i < n && !overflow; i++) {
        struct ready ready; /* the store is asked without the lock */
        if (!event_text(s, &h->taken[i], &ready))
            continue;
        pthread_mutex_lock(&h->lock);
        h->ring[h->head++ % HUB_RING] = ready;
        pthread_mutex_unlock(&h->lock);
    }
    pthread_mutex_lock(&h->lock);
    if (overflow)
        h->head += HUB_RING + 1; /* everybody is behind */
    wake_all(h);
    pthread_mutex_unlock(&h->lock);
}

/* Closes the streams of sessions that are no more. Equal ones in a row are asked for once. */
static void check_sessions(struct event_hub *h, struct store *s)
{
    uint8_t digest[STORE_TOKEN_DIGEST], last[STORE_TOKEN_DIGEST];
    bool known = false, alive = false;
    for (size_t i = 0; i < h->size; i++) {
        struct listener *l = &h->list[i];
        pthread_mutex_lock(&h->lock);
        const bool used = l->connection != NULL;
        if (used)
            memcpy(digest, l->digest, sizeof digest);
        pthread_mutex_unlock(&h->lock);
        if (!used)
            continue;
        if (!known || memcmp(digest, last, sizeof last) != 0)
            alive = session_alive(s, digest, server_clock_utc_ms(h->clock));
        memcpy(last, digest, sizeof last);
        known = true;
        if (alive)
            continue;
        pthread_mutex_lock(&h->lock);
        if (l->connection != NULL && memcmp(l->digest, digest, sizeof digest) == 0) {
            l->end = true;
            wake(l);
        }
        pthread_mutex_unlock(&h->lock);
    }
}

static void beat_all(struct event_hub *h)
{
    pthread_mutex_lock(&h->lock);
    for (size_t i = 0; i < h->size; i++)
        h->list[i].beat = h->list[i].connection != NULL;
    wake_all(h);
    pthread_mutex_unlock(&h->lock);
}

void event_hub_pulse(struct event_hub *h, struct store *s)
{
    const uint64_t now = server_clock_mono_ms(h->clock);
    send_pending(h, s);
    pthread_mutex_lock(&h->lock);
    const bool recheck = h->recheck, beat = now >= h->beat_ms;
    h->recheck = false;
    if (beat)
        h->beat_ms = now + HUB_BEAT_MS;
    pthread_mutex_unlock(&h->lock);
    if (beat)
        beat_all(h);
    if (beat || recheck)
        check_sessions(h, s);
}

void event_hub_recheck(struct event_hub *h)
{
    pthread_mutex_lock(&h->lock);
    h->recheck = true;
    pthread_mutex_unlock(&h->lock);
}

void event_hub_end(struct event_hub *h)
{
    pthread_mutex_lock(&h->lock);
    h->ended = true;
    wake_all(h);
    pthread_mutex_unlock(&h->lock);
}
