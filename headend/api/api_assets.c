/* The pages out of the program's own memory: no path of a request ever reaches a file system. */
#include "headend/api/api_parts.h"
#include "headend/web/web_assets.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

extern const unsigned char openapi_json[]; /* openapi.json, made by embed.cmake */
extern const size_t n_openapi_json;

static const char *header(const struct api_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* Whether the list of codings names gzip (or *) without q=0. RFC 9110 12.5.3. */
static bool takes_gzip(const char *codings)
{
    while (codings != NULL && *codings != '\0') {
        codings += strspn(codings, " \t,");
        const size_t n = strcspn(codings, ",");
        const size_t name = strcspn(codings, " \t;,");
        const bool gzip =
            (name == 4 && strncasecmp(codings, "gzip", 4) == 0) || (name == 1 && codings[0] == '*');
        const char *q = memchr(codings, '=', n);
        if (gzip)
            return q == NULL || atof(q + 1) > 0;
        codings += n;
    }
    return false;
}

/* If-None-Match: one of the listed tags (W/ or not), or *. RFC 9110 13.1.2. */
static bool has_it(const char *tags, const char *etag)
{
    if (tags == NULL)
        return false;
    return strcmp(tags, "*") == 0 || strstr(tags, etag) != NULL;
}

static void lend(struct api_request *r, const void *p, size_t n)
{
    /* libmicrohttpd does not write to what is PERSISTENT */
    r->answer.ready =
        MHD_create_response_from_buffer(n, (void *)(uintptr_t)p, MHD_RESPMEM_PERSISTENT);
}

void api_page(struct api_request *r)
{
    const struct web_asset *page = r->page;
    const bool gzip = page->gzip.len > 0 && takes_gzip(header(r, "Accept-Encoding"));
    const bool same = has_it(header(r, "If-None-Match"), page->etag);
    api_empty(r, same ? 304 : 200);
    r->answer.cache = page->immutable ? "public, max-age=31536000, immutable" : "no-cache";
    api_header(r, "ETag", page->etag);
    api_header(r, "Vary", "Accept-Encoding");
    if (same)
        return;
    r->answer.type = page->content_type;
    if (gzip)
        api_header(r, "Content-Encoding", "gzip");
    lend(r, gzip ? page->gzip.p : page->plain.p, gzip ? page->gzip.len : page->plain.len);
}

void api_openapi(struct api_request *r)
{
    api_empty(r, 200);
    r->answer.type = "application/json";
    r->answer.cache = "no-cache";
    lend(r, openapi_json, n_openapi_json);
}
