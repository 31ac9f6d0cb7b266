/* The head of a request, before anything is believed: its framing, by which name it calls us, from
 * which page it comes, and which session it says it has.
 *
 * A proxy and a server that read the end of a request differently let one client write into the
 * requests of another (RFC 9112 11.2). libmicrohttpd is lenient there, so whatever two readers
 * could take differently is refused here, and the connection with it. */
#include "headend/api/api_parts.h"

#include <string.h>
#include <strings.h>

/* By HTTPS the browser itself holds a cookie of this name to what it says: Secure, this host only,
 * set by no other (RFC 6265bis 4.1.3.2). By plain HTTP it would refuse it. */
#define COOKIE     "ferraris_session"
#define TLS_COOKIE "__Host-ferraris_session"

const char *api_head(const struct api_request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

/* ---- framing ---- */

/* Of these a second one has a meaning only to somebody who wants two readers. */
static const char *const once[] = {"Host",         "Content-Length", "Transfer-Encoding",
                                   "Content-Type", "Cookie",         "Origin",
                                   "X-CSRF-Token", "Sec-Fetch-Site"};
#define N_ONCE (sizeof once / sizeof once[0])

struct census {
    unsigned n[N_ONCE];
    const char *twice;
    bool bad_name;
};

/* RFC 9110 5.6.2 */
static bool is_token(const char *p)
{
    static const char letters[] = "!#$%&'*+-.^_`|~0123456789"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return p[0] != '\0' && p[strspn(p, letters)] == '\0';
}

/* From "Content-Length:" with its number on a folded line libmicrohttpd 0.9.75 makes a header named
 * "Content-Length2", and takes the body for the next request. */
static bool is_mangled(const char *name)
{
    static const char *const framing[] = {"Content-Length", "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof framing / sizeof framing[0]; i++) {
        const size_t n = strlen(framing[i]);
        if (strncasecmp(name, framing[i], n) == 0 && name[n] != '\0')
            return true;
    }
    return false;
}

static enum MHD_Result count(void *context, enum MHD_ValueKind kind, const char *name,
                             const char *value)
{
    struct census *c = context;
    (void)kind;
    (void)value;
    c->bad_name = c->bad_name || !is_token(name) || is_mangled(name);
    for (size_t i = 0; i < N_ONCE; i++) {
        if (strcasecmp(name, once[i]) == 0 && ++c->n[i] > 1)
            c->twice = once[i];
    }
    return MHD_YES;
}

static bool refuse(struct api_request *r, const char *field, const char *why)
{
    api_refuse(r, 400, "malformed", field, "%s", why);
    r->cut = true;
    return false;
}

static bool check_framing(struct api_request *r, const char *version)
{
    const char *length = api_head(r, "Content-Length"), *coding = api_head(r, "Transfer-Encoding");
    struct census c = {0};
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, count, &c);
    if (c.bad_name)
        return refuse(r, NULL, "A header's name is none.");
    if (c.twice != NULL)
        return refuse(r, c.twice, "This header may be there once only.");
    if (length != NULL && coding != NULL)
        return refuse(r, "Transfer-Encoding",
                      "Content-Length and Transfer-Encoding exclude each other.");
    if (length != NULL && (length[0] == '\0' || length[strspn(length, "0123456789")] != '\0'))
        return refuse(r, "Content-Length", "Content-Length is not a number.");
    if (coding != NULL && (strcasecmp(coding, "chunked") != 0 || strcmp(version, "HTTP/1.0") == 0))
        return refuse(r, "Transfer-Encoding", "The only transfer coding is chunked, of HTTP/1.1.");
    return true;
}

/* ---- by which name ---- */

/* A name that an attacker's own domain points at 127.0.0.1 shows in Host (DNS rebinding): on
 * loopback only the names of this machine are answered, and the public one. Elsewhere the names are
 * the network's. */
static bool host_good(struct api_request *r, const char *host)
{
    const struct api *a = r->api;
    const char *names[] = {"localhost", "127.0.0.1", "[::1]", a->address.host};
    const char *end = host[0] == '[' ? strchr(host, ']') : NULL;
    const size_t n = end != NULL ? (size_t)(end - host) + 1 : strcspn(host, ":");
    if (host[n] == ':' && host[n + 1 + strspn(host + n + 1, "0123456789")] != '\0')
        return false;
    if (host[n] != ':' && host[n] != '\0')
        return false;
    r->by_public_name = api_origin_names(&a->origin, host, n);
    if (r->by_public_name || !a->socket.loopback)
        return n > 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strlen(names[i]) == n && strncasecmp(names[i], host, n) == 0)
            return true;
    }
    return false;
}

bool api_head_check(struct api_request *r, const char *version)
{
    const char *host = api_head(r, "Host");
    if (!check_framing(r, version))
        return false;
    if (host == NULL) {
        api_refuse(r, 400, "malformed", "Host", "There is no Host header.");
        return false;
    }
    if (!host_good(r, host)) {
        api_refuse(r, 403, "host", "Host", "This server does not go by that name.");
        return false;
    }
    return true;
}

/* ---- from which page ---- */

static bool is_public_origin(const struct api_request *r, const char *origin)
{
    const char *ours = r->api->origin.text;
    return ours[0] != '\0' && strcasecmp(origin, ours) == 0;
}

/* The public origin; or http or https://HOST, where HOST is what the request calls us. By the
 * public name no other scheme or port counts: what is served there is not ours. */
static bool origin_is_ours(const struct api_request *r, const char *origin)
{
    const char *name = strncmp(origin, "http://", 7) == 0    ? origin + 7
                       : strncmp(origin, "https://", 8) == 0 ? origin + 8
                                                             : NULL;
    if (is_public_origin(r, origin))
        return true;
    return !r->by_public_name && name != NULL && strcasecmp(name, api_head(r, "Host")) == 0;
}

bool api_origin_check(struct api_request *r)
{
    const char *origin = api_head(r, "Origin"), *site = api_head(r, "Sec-Fetch-Site");
    if (origin != NULL && !origin_is_ours(r, origin)) {
        api_refuse(r, 403, "origin", "Origin", "The request comes from another site.");
        return false;
    }
    if (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) {
        api_refuse(r, 403, "origin", "Sec-Fetch-Site", "The request comes from another site.");
        return false;
    }
    return true;
}

/* ---- the session's cookie ---- */

struct search {
    const char *name, *value;
    unsigned n;
};

static enum MHD_Result find(void *context, enum MHD_ValueKind kind, const char *name,
                            const char *value)
{
    struct search *s = context;
    (void)kind;
    if (strcmp(name, s->name) == 0) {
        s->value = value;
        s->n++;
    }
    return MHD_YES;
}

static unsigned find_cookie(const struct api_request *r, struct search *s)
{
    (void)MHD_get_connection_values(r->connection, MHD_COOKIE_KIND, find, s);
    return s->n;
}

const char *api_cookie(struct api_request *r)
{
    struct search tls = {.name = TLS_COOKIE}, plain = {.name = COOKIE};
    if (r->api->origin.tls && (find_cookie(r, &tls) > 0 || r->by_public_name)) {
        r->tls_cookie = true;
        return tls.n == 1 ? tls.value : NULL;
    }
    return find_cookie(r, &plain) == 1 ? plain.value : NULL;
}

const char *api_cookie_name(const struct api_request *r, bool *secure)
{
    const char *origin = api_head(r, "Origin");
    const bool tls =
        r->tls_cookie || (r->api->origin.tls &&
                          (r->by_public_name || (origin != NULL && is_public_origin(r, origin))));
    *secure = tls || (origin != NULL && strncmp(origin, "https://", 8) == 0);
    return tls ? TLS_COOKIE : COOKIE;
}
