/* The event streams: what the collector tells goes to every browser that listens.
 *
 *     event_hub_note (any thread)  -> pending, each kind of a meter once
 *     event_hub_pulse (one thread) -> ring of ready texts, listeners waked
 *     libmicrohttpd's threads      -> each listener copies from the ring at its own place
 *
 * Nothing grows: pending and ring are fixed, a listener is its place in the ring. Whoever falls
 * behind by a whole ring, or was there when pending overflowed, gets `hello` again and fetches
 * anew. Every HUB_BEAT_MS of the injected clock each stream gets a comment, and its session is
 * asked for in the store: a stream whose session has ended is closed. */
#ifndef FERRARIS_HEADEND_API_EVENTS_H
#define FERRARIS_HEADEND_API_EVENTS_H

#include "headend/base/meter_state.h"
#include "headend/store/store.h"

#include <microhttpd.h>

#define HUB_BEAT_MS 15000
#define HUB_RING    2048
#define HUB_PENDING 1024

struct event_hub;

/* clock outlives the hub. */
MUST_CHECK enum err event_hub_start(struct event_hub **h, const struct server_clock *clock,
                                    size_t max_listeners);
/* Does not block. True: event_hub_pulse should be called soon. */
bool event_hub_note(struct event_hub *h, const struct meter_event *event);
/* Sends what is pending; beats; closes streams whose sessions have ended. One thread. */
void event_hub_pulse(struct event_hub *h, struct store *s);
/* A session was ended: the next pulse asks for all. */
void event_hub_recheck(struct event_hub *h);
/* The stream as an answer to be queued, or NULL (ERR_FULL: too many). */
struct MHD_Response *event_hub_listen(struct event_hub *h, struct MHD_Connection *connection,
                                      const uint8_t digest[STORE_TOKEN_DIGEST]);
/* Every stream ends, no more begin; then the daemon may be stopped. */
void event_hub_end(struct event_hub *h);
void event_hub_free(struct event_hub *h); /* after the daemon is stopped; NULL is fine */

#endif
