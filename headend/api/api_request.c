/* One request, from its head to its answer.
 *
 *     head -> judge() -> body, bounded -> handler -> answer
 *                 \-> refusal (at once, where the body is not worth taking)
 *
 * A refusal before the body closes the connection, for what the client still sends is not read; so
 * a small body is taken and dropped, and the client reads why it was refused. */
#include "headend/api/api_parts.h"
#include "headend/keys/token.h"
#include "headend/web/web_assets.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DROP_MAX 65536 /* octets of a refused body that are taken all the same */

const char *api_query(const struct api_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* ---- the head ---- */

static bool judge_csrf(struct api_request *r)
{
    char right[TOKEN_TEXT];
    const char *given = api_head(r, "X-CSRF-Token");
    token_text(r->session.csrf, right);
    if (given != NULL && strlen(given) == TOKEN_TEXT - 1 && ct_equal(given, right, TOKEN_TEXT - 1))
        return true;
    api_refuse(r, 403, "csrf", "X-CSRF-Token",
               given == NULL ? "The CSRF token is missing."
                             : "The CSRF token is not the session's.");
    return false;
}

static bool is_type(const char *given, const char *type)
{
    const size_t n = strlen(type);
    if (given == NULL || strncasecmp(given, type, n) != 0)
        return false;
    return given[n] == '\0' || given[n] == ';' || given[n] == ' ';
}

static bool judge_body(struct api_request *r)
{
    const struct api_route *route = r->route;
    const char *length = api_head(r, "Content-Length");
    const bool csv = route->body == API_CSV_BODY;
    if (!r->has_body && (route->body == API_NO_BODY || route->body == API_JSON_OR_NONE))
        return true;
    if (route->body == API_NO_BODY) {
        api_refuse(r, 400, "malformed", NULL, "This request takes no body.");
        return false;
    }
    if (!is_type(api_head(r, "Content-Type"), csv ? "text/csv" : "application/json")) {
        api_refuse(r, 415, "content_type", "Content-Type", "The body must be %s.",
                   csv ? "text/csv" : "application/json");
        return false;
    }
    if (length != NULL && strtoull(length, NULL, 10) > route->body_max) {
        api_refuse(r, 413, "too_large", NULL, "The body may have %zu octets.", route->body_max);
        return false;
    }
    return true;
}

static bool judge_route(struct api_request *r)
{
    const struct api_route *route = r->route;
    if ((route->changes || !route->open) && !api_origin_check(r))
        return false;
    if (!route->open) {
        r->store = store_pool_take(&r->api->stores);
        const bool good = api_session_check(r);
        store_pool_give(&r->api->stores, r->store);
        r->store = NULL;
        if (!good)
            return false;
    }
    if (route->changes && !route->open && !judge_csrf(r))
        return false;
    return judge_body(r);
}

static bool in_api(const char *path)
{
    return strncmp(path, "/api/", 5) == 0 || strcmp(path, "/api") == 0 ||
           strcmp(path, "/health") == 0;
}

static void find_page(struct api_request *r, const char *method, const char *path)
{
    if (strcmp(method, "GET") != 0 && !r->head) {
        api_refuse(r, 405, "method", NULL, "Pages are only read.");
        api_header(r, "Allow", "GET, HEAD");
        return;
    }
    for (size_t i = 0; i < n_web_assets && r->page == NULL; i++) {
        if (strcmp(web_assets[i].path, path) == 0)
            r->page = &web_assets[i];
    }
    if (r->page == NULL)
        api_refuse(r, 404, "not_found", NULL, "There is no such page.");
}

/* Sets r->route, r->page or the refusal. */
static void judge(struct api_request *r, const char *method, const char *path)
{
    char allow[64];
    if (!in_api(path)) {
        find_page(r, method, path);
        return;
    }
    const enum api_found found =
        api_route_find(method, path, &r->route, &r->path, allow, sizeof allow);
    if (found == API_NO_PATH) {
        api_refuse(r, 404, "not_found", NULL, "There is no such path.");
    } else if (found == API_NO_METHOD && strcmp(method, "OPTIONS") == 0) {
        api_empty(r, 204);
        api_header(r, "Allow", allow);
    } else if (found == API_NO_METHOD) {
        api_refuse(r, 405, "method", NULL, "This path does not take that method.");
        api_header(r, "Allow", allow);
    } else if (!judge_route(r)) {
        r->route = NULL;
    }
}

/* ---- the body ---- */

static bool body_grow(struct api_request *r, size_t n)
{
    size_t size = r->body_size == 0 ? 1024 : r->body_size;
    while (size < n)
        size *= 2;
    if (size <= r->body_size)
        return true;
    uint8_t *p = malloc(size); /* not realloc: what it leaves behind may be a password */
    if (p == NULL)
        return false;
    if (r->body != NULL) {
        memcpy(p, r->body, r->body_len);
        wipe(r->body, r->body_size);
        free(r->body);
    }
    r->body = p;
    r->body_size = size;
    return true;
}

/* MHD_NO cuts the connection: an answer cannot be queued while the body comes in. */
static enum MHD_Result gather(struct api_request *r, const char *p, size_t n)
{
    if (r->answer.status == 0 && r->route == NULL)
        api_refuse(r, 400, "malformed", NULL, "A page takes no body.");
    if (r->answer.status == 0 && n > r->route->body_max - r->body_len)
        api_refuse(r, 413, "too_large", NULL, "The body may have %zu octets.", r->route->body_max);
    if (r->answer.status != 0) {
        r->n_dropped += n;
        return r->n_dropped > DROP_MAX ? MHD_NO : MHD_YES;
    }
    if (!body_grow(r, r->body_len + n))
        return MHD_NO;
    memcpy(r->body + r->body_len, p, n);
    r->body_len += n;
    return MHD_YES;
}

/* The parser quotes what it stood at, which may be a password: only its own words go out. */
static void refuse_json(struct api_request *r, const json_error_t *e)
{
    const char *quote = strstr(e->text, " near ");
    const size_t n = quote != NULL ? (size_t)(quote - e->text) : strlen(e->text);
    api_refuse(r, 400, "malformed", NULL, "The body is no JSON: octet %d: %.*s.", e->position,
               (int)n, e->text);
}

json_t *api_json(struct api_request *r)
{
    if (r->body_len == 0) {
        api_refuse(r, 400, "malformed", NULL, "The body is missing.");
        return NULL;
    }
    json_error_t e;
    json_t *v = json_loadb((const char *)r->body, r->body_len, JSON_REJECT_DUPLICATES, &e);
    if (v == NULL) {
        refuse_json(r, &e);
        return NULL;
    }
    if (!json_is_object(v)) {
        json_decref(v);
        api_refuse(r, 400, "malformed", NULL, "The body is no JSON object.");
        return NULL;
    }
    return v;
}

/* ---- the steps ---- */

static struct connection *record_of(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static void deadline(struct api_request *r, uint64_t in_ms)
{
    const uint64_t now = server_clock_mono_ms(r->api->o.clock);
    connections_deadline(&r->api->connections, r->record, in_ms == 0 ? 0 : now + in_ms);
}

static enum MHD_Result begin(struct api *a, struct MHD_Connection *c, const char *path,
                             const char *method, const char *version, void **con_cls)
{
    struct api_request *r = calloc(1, sizeof *r);
    if (r == NULL)
        return MHD_NO;
    *con_cls = r;
    r->api = a;
    r->connection = c;
    r->record = record_of(c);
    r->head = strcmp(method, "HEAD") == 0;
    const char *length = api_head(r, "Content-Length");
    r->has_body = api_head(r, "Transfer-Encoding") != NULL ||
                  (length != NULL && strtoull(length, NULL, 10) > 0);
    deadline(r, API_BODY_S * 1000);
    if (api_head_check(r, version))
        judge(r, method, path);
    if (r->cut)
        return api_send(r);
    const bool small = length != NULL && strtoull(length, NULL, 10) <= DROP_MAX;
    if (r->answer.status != 0 && r->has_body && !small)
        return api_send(r);
    return MHD_YES;
}

static void pool_job(void *job)
{
    struct api_request *r = job;
    r->store = store_pool_take(&r->api->stores);
    r->run(r);
    store_pool_give(&r->api->stores, r->store);
    r->store = NULL;
    r->run = NULL;
    MHD_resume_connection(r->connection); /* from here on r is the other thread's */
}

void api_in_pool(struct api_request *r, void (*run)(struct api_request *r))
{
    r->run = run;
}

/* ERR_FULL also while the server stops: after that the pool is gone. */
static enum err give_to_pool(struct api_request *r)
{
    struct api *a = r->api;
    pthread_mutex_lock(&a->sign_in_lock);
    const enum err e =
        atomic_load(&a->stopping) ? ERR_FULL : hash_pool_add(a->hashers, pool_job, r);
    pthread_mutex_unlock(&a->sign_in_lock);
    return e;
}

/* The order matters: the job may resume the connection before this returns. */
static enum MHD_Result wait_for_pool(struct api_request *r)
{
    r->waited = true;
    MHD_suspend_connection(r->connection);
    if (give_to_pool(r) == ERR_OK)
        return MHD_YES;
    r->run = NULL;
    api_refuse(r, 503, "busy", NULL, "Too many sign-ins at once; try again.");
    api_header(r, "Retry-After", "1");
    MHD_resume_connection(r->connection);
    return MHD_YES;
}

static void handle(struct api_request *r)
{
    if (atomic_load(&r->api->stopping)) {
        api_refuse(r, 503, "stopping", NULL, "The server is stopping.");
        return;
    }
    if (r->page != NULL) {
        api_page(r);
        return;
    }
    r->store = store_pool_take(&r->api->stores);
    r->route->handle(r);
    store_pool_give(&r->api->stores, r->store);
    r->store = NULL;
}

static enum MHD_Result finish(struct api_request *r)
{
    if (r->answer.status == 0 && !r->waited)
        handle(r);
    if (r->run != NULL && !r->waited)
        return wait_for_pool(r);
    deadline(r, r->streaming ? 0 : API_TAKE_MS);
    return api_send(r);
}

enum MHD_Result api_on_request(void *context, struct MHD_Connection *c, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **con_cls)
{
    struct api_request *r = *con_cls;
    if (r == NULL)
        return begin(context, c, url, method, version, con_cls);
    if (*upload_size > 0) {
        const enum MHD_Result result = gather(r, upload, *upload_size);
        *upload_size = 0;
        return result;
    }
    return finish(r);
}

void api_on_completed(void *context, struct MHD_Connection *c, void **con_cls,
                      enum MHD_RequestTerminationCode why)
{
    struct api_request *r = *con_cls;
    (void)context;
    (void)c;
    (void)why;
    if (r == NULL)
        return;
    deadline(r, API_HEAD_MS);
    if (r->body != NULL) /* may hold a password or keys */
        wipe(r->body, r->body_size);
    free(r->body);
    json_out_free(&r->answer.out);
    if (r->answer.ready != NULL)
        MHD_destroy_response(r->answer.ready);
    free(r);
    *con_cls = NULL;
}
