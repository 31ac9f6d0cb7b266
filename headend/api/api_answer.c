/* Answers: the body a handler wrote, the headers every answer has, and the forms of refusal. */
#include "headend/api/api_parts.h"
#include "headend/api/time_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Pages and answers may load nothing but own files, be framed by nobody and send forms nowhere. */
static const struct {
    const char *name, *value;
} always[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self' data:; font-src 'self'; manifest-src 'self'; frame-ancestors 'none'; "
     "base-uri 'none'; form-action 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

int64_t api_now_ms(const struct api_request *r)
{
    return server_clock_utc_ms(r->api->o.clock);
}

/* Forgets what was written so far. */
static void start(struct api_request *r, unsigned status)
{
    struct api_answer *a = &r->answer;
    json_out_free(&a->out);
    if (a->ready != NULL)
        MHD_destroy_response(a->ready);
    a->ready = NULL;
    a->n_headers = 0;
    a->status = status;
    a->type = NULL;
    a->cache = NULL;
    json_out_init(&a->out, API_ANSWER_MAX);
}

struct json_out *api_answer(struct api_request *r, unsigned status)
{
    start(r, status);
    r->answer.type = "application/json";
    return &r->answer.out;
}

void api_empty(struct api_request *r, unsigned status)
{
    start(r, status);
}

void api_header(struct api_request *r, const char *name, const char *value)
{
    struct api_answer *a = &r->answer;
    const size_t n = strlen(value);
    if (a->n_headers == API_HEADERS_MAX || n >= sizeof a->header[0].value)
        return;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)value[i] < 0x20 || (unsigned char)value[i] >= 0x7F)
            return;
    }
    a->header[a->n_headers].name = name;
    memcpy(a->header[a->n_headers++].value, value, n + 1);
}

void api_refuse(struct api_request *r, unsigned status, const char *code, const char *field,
                const char *format, ...)
{
    char message[300], name[64];
    va_list list;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    if (field != NULL) /* may be of the client's own body: kept before that is gone */
        snprintf(name, sizeof name, "%s", field);
    struct json_out *j = api_answer(r, status);
    json_out_open(j, '{');
    json_out_key(j, "error");
    json_out_open(j, '{');
    json_out_key(j, "code");
    json_out_text(j, code);
    json_out_key(j, "message");
    json_out_text(j, message);
    if (field != NULL) {
        json_out_key(j, "field");
        json_out_text(j, name);
    }
    json_out_close(j, '}');
    json_out_close(j, '}');
}

void api_refuse_store(struct api_request *r, enum err e)
{
    const char *why = r->store == NULL ? "" : store_why(r->store);
    if (e == ERR_NOT_FOUND) {
        api_refuse(r, 404, "not_found", NULL, "There is no such thing.");
    } else if (e == ERR_RANGE) {
        api_refuse(r, 422, "invalid", NULL, "The store does not take this: %s.", why);
    } else if (e == ERR_CORRUPT) {
        server_log(r->api->o.log, LOG_ERROR, "api: store: %s: %s", err_text(e), why);
        api_refuse(r, 503, "corrupt", NULL,
                   "What is stored of this is damaged; `ferraris headend verify` says more.");
    } else if (e == ERR_FULL) {
        server_log(r->api->o.log, LOG_ERROR, "api: store: %s", why);
        api_refuse(r, 503, "disk_full", NULL,
                   "The head-end's disk is full: nothing can be stored or changed until there is "
                   "room.");
    } else {
        server_log(r->api->o.log, LOG_ERROR, "api: store: %s: %s", err_text(e), why);
        api_refuse(r, 503, "store", NULL, "The store cannot answer now: %s.", err_text(e));
        api_header(r, "Retry-After", "1");
    }
}

/* A body that did not fit or found no memory is no answer. */
static void check_body(struct api_request *r)
{
    const enum err e = r->answer.out.err;
    if (e == ERR_FULL)
        api_refuse(r, 422, "too_large", NULL,
                   "The answer would be larger than %u MiB; ask for a shorter span.",
                   API_ANSWER_MAX >> 20);
    else if (e != ERR_OK)
        api_refuse(r, 503, "memory", NULL, "There is no memory for the answer.");
}

static struct MHD_Response *respond(struct api_request *r)
{
    struct api_answer *a = &r->answer;
    struct MHD_Response *m = a->ready;
    a->ready = NULL;
    if (m != NULL)
        return m;
    m = MHD_create_response_from_buffer(
        a->out.len, a->out.p, a->out.len > 0 ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (m != NULL && a->out.len > 0)
        a->out.p = NULL; /* is libmicrohttpd's now */
    return m;
}

static void add_headers(struct api_request *r, struct MHD_Response *m)
{
    const struct api_answer *a = &r->answer;
    char date[TIME_TEXT];
    time_text_http(api_now_ms(r), date);
    (void)MHD_add_response_header(m, "Date", date);
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        (void)MHD_add_response_header(m, always[i].name, always[i].value);
    if (r->cut)
        (void)MHD_add_response_header(m, "Connection", "close");
    (void)MHD_add_response_header(m, "Cache-Control", a->cache != NULL ? a->cache : "no-store");
    if (a->type != NULL)
        (void)MHD_add_response_header(m, "Content-Type", a->type);
    for (size_t i = 0; i < a->n_headers; i++)
        (void)MHD_add_response_header(m, a->header[i].name, a->header[i].value);
}

enum MHD_Result api_send(struct api_request *r)
{
    check_body(r);
    struct MHD_Response *m = respond(r);
    if (m == NULL)
        return MHD_NO;
    add_headers(r, m);
    const enum MHD_Result result = MHD_queue_response(r->connection, r->answer.status, m);
    MHD_destroy_response(m);
    return result;
}
