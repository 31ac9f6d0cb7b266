/* An API in this process: a store in a directory of its own, a clock that the test turns, hooks
 * that note what they are asked, one user, and a client that keeps its session. */
#ifndef FERRARIS_TESTS_HEADEND_API_RIG_H
#define FERRARIS_TESTS_HEADEND_API_RIG_H

#include "headend/api/api.h"
#include "headend/store/store.h"
#include "tests/headend/api/http.h"

#include <stdatomic.h>

#define RIG_USER     "admin"
#define RIG_PASSWORD "correct horse 7"
#define RIG_START_MS INT64_C(1795248000000) /* 2026-11-21T08:00:00Z */
#define RIG_FIRST_S  INT64_C(1795132800)    /* 2026-11-20T00:00:00Z: the first stored day */

struct rig {
    char dir[64];
    struct store *store;
    struct seal_key key;
    struct server_clock clock;
    struct server_log log;
    _Atomic int64_t utc_ms, mono_ms;
    struct api *api;
    unsigned short port;
    /* what the hooks were asked */
    _Atomic int64_t changed, read;
    struct collector_totals totals;
    bool has_state;
    struct meter_state state;
    /* the client's */
    const char *host; /* Host of rig_ask; NULL: the address it is reached by */
    char cookie[128], csrf[64];
};

/* max_per_address: of struct api_options. */
void rig_start(struct rig *r, unsigned max_per_address);
void rig_start_as(struct rig *r, unsigned max_per_address, const char *origin);
void rig_stop(struct rig *r);
void rig_pass(struct rig *r, int64_t ms); /* time */

/* A meter with registers and a load profile of n_days days (96 rows x 6 columns) from RIG_FIRST_S
 * on; returns its id. */
int64_t rig_meter(struct rig *r, const char *name, unsigned n_days);
/* One day of the profile once more, with another scaler of the first column. */
void rig_other_layout(struct rig *r, int64_t meter, unsigned day);

/* Sends a request on a connection of its own, with the session's cookie and token where there are
 * any, and gives the answer (http_free it). body NULL: none; type NULL: application/json. extra:
 * header lines with their CRLF, or "". */
struct http_answer rig_ask(struct rig *r, const char *method, const char *path, const char *body,
                           const char *type, const char *extra);
/* Only the status. */
int rig_status(struct rig *r, const char *method, const char *path, const char *body);
int rig_sign_in(struct rig *r, const char *user, const char *password);
/* An open event stream: its socket, after the first hello. */
int rig_listen(struct rig *r);

#endif
