/* The head-end's HTTP side: REST under /api/v1 (openapi.json beside this file), one SSE stream per
 * browser, the pages. libmicrohttpd; plain HTTP, on loopback unless told otherwise (a proxy brings
 * TLS).
 *
 * Threads: libmicrohttpd's own poll the sockets; password checks run in struct hash_pool while
 * their connection is suspended; nothing waits for the collector. Each function of the API reads
 * time only from options->clock.
 *
 * Against attackers: opaque session tokens in an HttpOnly SameSite=Strict cookie, only their
 * SHA-256 stored; every changing request needs the session's CSRF token in X-CSRF-Token, a JSON (or
 * CSV) body and, where the browser sends one, the own Origin; bodies are bounded (API_BODY_MAX) and
 * must arrive in API_BODY_S seconds; connections per address are bounded; sign-in is slowed
 * (sign_in.h); whatever a proxy in front could read differently is refused; answers carry a content
 * security policy that allows only own files. */
#ifndef FERRARIS_HEADEND_API_H
#define FERRARIS_HEADEND_API_H

#include "headend/base/meter_state.h"
#include "headend/base/server_log.h"
#include "headend/keys/seal.h"

#include "lib/base/err.h"

#define API_BODY_MAX      (1024 * 1024) /* octets; JSON of a single meter far less */
#define API_BODY_S        15
#define API_LISTENERS_MAX 4096 /* SSE streams at once */

struct api;

struct api_options {    /* all pointers outlive the API */
    const char *listen; /* "127.0.0.1:8080", "[::1]:0"; port 0 takes a free one */
    /* Where people reach it when a proxy with TLS stands in front: "https://meters.example.org".
     * NULL: only by the names of this machine (or, where it does not listen on loopback, by any).
     */
    const char *origin;
    const char *dir; /* the store's; the API opens connections of its own */
    const struct seal_key *key;
    const struct server_clock *clock;
    const struct server_log *log;
    struct collector_hooks hooks;
    const char *version;
    /* Connections of one address (of IPv6 its /64) at once. 0: 128, and no limit for this machine
     * itself, where a proxy speaks for everybody. */
    unsigned max_per_address;
};

/* ERR_BUSY (the port is taken), ERR_FORMAT (no such address or origin), ERR_IO, ERR_MEMORY or of
 * the store; *why: the sentence. */
MUST_CHECK enum err api_start(struct api **a, const struct api_options *o, char *why,
                              size_t why_size);
/* "http://127.0.0.1:8080" with the real port; valid until stop. */
const char *api_url(const struct api *a);
/* A meter_event_fn: tells the browsers. Any thread; does not block. context: struct api. */
void api_event(void *context, const struct meter_event *event);
/* Ends every stream and waits for the answers under way. */
void api_stop(struct api *a);

#endif
