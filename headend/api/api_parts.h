/* What the files of the API share; private.
 *
 * A request's way: api_head.c and api_request.c judge the head (framing, host, route, session,
 * origin, CSRF, type, size) before a single octet of the body is taken, the latter gathers the
 * body, calls the route's handler in a thread of libmicrohttpd with a store connection in r->store,
 * and sends r->answer. A handler fills the answer by the api_* functions below and touches nothing
 * of libmicrohttpd, except the two that suspend (password checks) and stream (events). */
#ifndef FERRARIS_HEADEND_API_PARTS_H
#define FERRARIS_HEADEND_API_PARTS_H

#include "headend/api/api.h"
#include "headend/api/api_connections.h"
#include "headend/api/api_events.h"
#include "headend/api/api_listen.h"
#include "headend/api/api_origin.h"
#include "headend/api/json_out.h"
#include "headend/api/store_pool.h"
#include "headend/keys/hash_pool.h"
#include "headend/keys/sign_in.h"
#include "headend/store/store.h"

#include <jansson.h>
#include <stdatomic.h>

#define API_THREADS      4 /* a large answer or a slow disk holds up a quarter of the clients only */
#define API_HASH_THREADS 2 /* of 19 MiB each */
#define API_HASH_QUEUE   16
#define API_ANSWER_MAX   (32u * 1024 * 1024)
#define API_HEAD_MS      30000  /* idle between requests, and the head of the next */
#define API_TAKE_MS      600000 /* to take an answer */
#define API_SMALL_BODY   4096   /* octets of a body for a stranger, or for a password */
#define API_METER_BODY   16384

struct web_asset;
struct api {
    struct api_options o;
    struct api_address address;
    struct api_origin origin;
    struct api_socket socket;
    char url[API_HOST_TEXT + 24];
    struct MHD_Daemon *daemon;
    struct store_pool stores;
    struct connections connections;
    struct event_hub *hub;
    struct hash_pool *hashers;
    pthread_mutex_t sign_in_lock; /* also held while a job is given to hashers */
    struct sign_in sign_in;
    pthread_t pulse;
    bool pulsing;
    int wake_fd, stop_fd;
    atomic_bool stopping;
};

struct api_request;
typedef void api_handler(struct api_request *r);

enum api_body { API_NO_BODY, API_JSON_BODY, API_JSON_OR_NONE, API_CSV_BODY };

struct api_route {
    const char *method, *path; /* "/api/v1/meters/{id}/profiles/{obis}/values" */
    bool open;                 /* no session needed */
    bool changes;              /* CSRF token needed, unless open */
    enum api_body body;
    size_t body_max;
    api_handler *handle;
};
extern const struct api_route api_routes[];
extern const size_t n_api_routes;

struct api_path { /* what the names in braces stood for */
    int64_t id;
    uint8_t ln[6];
};
enum api_found { API_FOUND, API_NO_PATH, API_NO_METHOD };
/* method HEAD is looked up as GET. API_NO_METHOD: *allow is the list for the Allow header. */
enum api_found api_route_find(const char *method, const char *path, const struct api_route **route,
                              struct api_path *parts, char *allow, size_t allow_size);

#define API_HEADERS_MAX 4
struct api_answer {
    unsigned status; /* 0: none yet */
    const char *type;
    const char *cache; /* Cache-Control; NULL: no-store */
    struct json_out out;
    struct MHD_Response *ready; /* instead of out */
    size_t n_headers;
    struct {
        const char *name;
        char value[256];
    } header[API_HEADERS_MAX];
};

struct api_request {
    struct api *api;
    struct MHD_Connection *connection;
    struct connection *record;
    const struct api_route *route; /* NULL: none, or a page */
    const struct web_asset *page;
    struct api_path path;
    bool head;      /* HEAD: an answer without its body */
    bool waited;    /* was given to the hash pool: when it comes again the answer is there */
    bool streaming; /* events: no deadline */
    bool has_body;
    bool cut;            /* nobody knows where this request ends: the answer ends the connection */
    bool by_public_name; /* Host is the one of --origin */
    bool tls_cookie;     /* the session's cookie was the one that browsers keep for TLS */
    struct store *store; /* lent for the handler's call */
    uint8_t *body;
    size_t body_len, body_size, n_dropped;
    struct store_session session; /* of routes that are not open */
    struct api_answer answer;
    void (*run)(struct api_request *r); /* to be done, or under way, in the hash pool */
};

int64_t api_now_ms(const struct api_request *r);
/* Begins an answer and gives the writer of its body. */
struct json_out *api_answer(struct api_request *r, unsigned status);
void api_empty(struct api_request *r, unsigned status);
/* name: constant. A value with control characters or too long is left out: no answer has a header
 * that a client wrote. */
void api_header(struct api_request *r, const char *name, const char *value);
/* Replaces whatever was written. field: NULL none. */
void api_refuse(struct api_request *r, unsigned status, const char *code, const char *field,
                const char *format, ...) __attribute__((format(printf, 5, 6)));
/* The answer for an error of the store. */
void api_refuse_store(struct api_request *r, enum err e);
/* A query parameter, NULL where it is not given. */
const char *api_query(const struct api_request *r, const char *name);
/* The body as a JSON object (decref it), or NULL and the answer is there. */
json_t *api_json(struct api_request *r);
/* Sets the answer where the meter is not there. */
bool api_meter(struct api_request *r, struct store_meter *m);
/* Hands the work to the hash pool while the connection is suspended; `run` gets the request, with a
 * store connection, and makes the answer. */
void api_in_pool(struct api_request *r, void (*run)(struct api_request *r));

/* ---- the head (api_head.c) ---- */
/* NULL where it is not there. */
const char *api_head(const struct api_request *r, const char *name);
/* Each false: the answer is there. */
MUST_CHECK bool api_head_check(struct api_request *r, const char *version);
MUST_CHECK bool api_origin_check(struct api_request *r);
/* The session's token; NULL where there is none, or two: nobody knows whose is meant. */
const char *api_cookie(struct api_request *r);
/* For Set-Cookie. *secure: with the word Secure, for the browser came by TLS; on plain loopback it
 * would not be sent back. */
const char *api_cookie_name(const struct api_request *r, bool *secure);

/* ---- handlers ---- */
api_handler api_health, api_openapi, api_events;
api_handler api_session_begin, api_session_show, api_session_end, api_session_password;
api_handler api_meters_list, api_meters_add, api_meters_import, api_meter_show, api_meter_change,
    api_meter_read, api_meter_registers, api_meter_profiles, api_profile_values, api_profile_days;
/* Pages: r->page. */
api_handler api_page;
/* The cookie's session into r->session; false: the answer is there. */
bool api_session_check(struct api_request *r);

/* ---- libmicrohttpd's callbacks (api_request.c) ---- */
enum MHD_Result api_on_request(void *context, struct MHD_Connection *c, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **con_cls);
void api_on_completed(void *context, struct MHD_Connection *c, void **con_cls,
                      enum MHD_RequestTerminationCode why);
/* (api_answer.c) Queues r->answer. */
enum MHD_Result api_send(struct api_request *r);

#endif
