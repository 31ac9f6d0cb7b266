/* Start and stop of the HTTP side, and its one own thread.
 *
 * libmicrohttpd runs a pool of API_THREADS epoll threads: with one, a client that asks for a year
 * of values would hold up everybody, and on a slow disk each read would. Idle connections and event
 * streams cost a thread nothing.
 *
 * The pulse thread wakes when an event comes, sends what is pending at once, and then not again for
 * PACE_MS: a single event is fast, many of one meter are one. It also cuts late connections. It
 * paces itself by poll(), reading no clock; all deadlines are on the injected one. */
#include "headend/api/api_parts.h"
#include "headend/keys/token.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define PACE_MS        250
#define SILENT_S       30          /* without an octet in either direction, but for streams */
#define CONNECTION_MEM (16 * 1024) /* head of a request and of its answer */
#define OTHERS         512         /* connections besides event streams */
#define FDS_KEPT       640         /* descriptors for the collector, the store and the rest */

/* ---- the pulse ---- */

static void drain(int fd)
{
    uint64_t n;
    if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
        return; /* nothing to drain is fine: the pulse runs anyway */
}

static void ring(int fd)
{
    const uint64_t one = 1;
    if (write(fd, &one, sizeof one) < 0)
        return; /* full: it is ringing already */
}

/* False: stop. */
static bool sleep_until_rung(struct api *a)
{
    struct pollfd p[2] = {{.fd = a->stop_fd, .events = POLLIN},
                          {.fd = a->wake_fd, .events = POLLIN}};
    (void)poll(p, 2, PACE_MS);
    drain(a->wake_fd);
    return !atomic_load(&a->stopping);
}

static bool pace(struct api *a)
{
    struct pollfd p = {.fd = a->stop_fd, .events = POLLIN};
    (void)poll(&p, 1, PACE_MS);
    return !atomic_load(&a->stopping);
}

static void *pulse(void *context)
{
    struct api *a = context;
    struct store *s = store_pool_take(&a->stores);
    while (sleep_until_rung(a)) {
        event_hub_pulse(a->hub, s);
        const unsigned n = connections_cut(&a->connections, server_clock_mono_ms(a->o.clock));
        if (n > 0)
            server_log(a->o.log, LOG_INFO, "api: %u slow connections cut", n);
        if (!pace(a))
            break;
    }
    store_pool_give(&a->stores, s);
    return NULL;
}

void api_event(void *context, const struct meter_event *event)
{
    struct api *a = context;
    if (event_hub_note(a->hub, event))
        ring(a->wake_fd);
}

/* ---- libmicrohttpd ---- */

static enum MHD_Result on_accept(void *context, const struct sockaddr *from, socklen_t len)
{
    struct api *a = context;
    (void)len;
    return connections_admit(&a->connections, from) ? MHD_YES : MHD_NO;
}

static void on_connection(void *context, struct MHD_Connection *c, void **record,
                          enum MHD_ConnectionNotificationCode what)
{
    struct api *a = context;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        connections_end(&a->connections, *record);
        *record = NULL;
        return;
    }
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int socket = fd->connect_fd;
    const union MHD_ConnectionInfo *from =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *record = connections_begin(&a->connections, socket, from == NULL ? NULL : from->client_addr,
                                server_clock_mono_ms(a->o.clock) + API_HEAD_MS);
    if (*record == NULL)
        shutdown(socket, SHUT_RDWR);
}

static void on_log(void *context, const char *format, va_list list)
{
    const struct api *a = context;
    char text[300];
    vsnprintf(text, sizeof text, format, list);
    text[strcspn(text, "\n")] = '\0';
    server_log(a->o.log, LOG_DEBUG, "api: http: %s", text);
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* As libmicrohttpd's own, but %00 stays as written: a decoded one would end the path early. */
static size_t unescape(void *context, struct MHD_Connection *c, char *s)
{
    size_t n = 0;
    (void)context;
    (void)c;
    for (const char *p = s; *p != '\0'; p++) {
        const int high = p[0] == '%' ? hex(p[1]) : -1;
        const int low = high < 0 ? -1 : hex(p[2]);
        if (low < 0 || (high == 0 && low == 0)) {
            s[n++] = *p;
            continue;
        }
        s[n++] = (char)(high << 4 | low);
        p += 2;
    }
    s[n] = '\0';
    return n;
}

/* As many connections as descriptors allow, up to what the API is made for. */
static unsigned connection_limit(void)
{
    const rlim_t want = API_LISTENERS_MAX + OTHERS + FDS_KEPT;
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) != 0)
        return OTHERS;
    if (l.rlim_cur < want && l.rlim_cur < l.rlim_max) {
        struct rlimit raised = l;
        raised.rlim_cur = l.rlim_max < want ? l.rlim_max : want;
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
            l = raised;
    }
    if (l.rlim_cur >= want)
        return API_LISTENERS_MAX + OTHERS;
    const unsigned cur = (unsigned)l.rlim_cur;
    return cur > 2 * FDS_KEPT ? cur - FDS_KEPT : cur / 2;
}

static struct MHD_Daemon *start_daemon(struct api *a, unsigned limit)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC |
                     MHD_USE_SUPPRESS_DATE_NO_CLOCK | MHD_USE_ERROR_LOG;
    if (a->socket.v6)
        flags |= MHD_USE_IPv6;
    return MHD_start_daemon(
        flags, 0, on_accept, a, api_on_request, a, MHD_OPTION_EXTERNAL_LOGGER, on_log, a,
        MHD_OPTION_LISTEN_SOCKET, a->socket.fd, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)API_THREADS,
        MHD_OPTION_CONNECTION_LIMIT, limit, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEM, MHD_OPTION_NOTIFY_COMPLETED,
        api_on_completed, a, MHD_OPTION_NOTIFY_CONNECTION, on_connection, a,
        MHD_OPTION_UNESCAPE_CALLBACK, unescape, a, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

/* ---- start and stop ---- */

static enum err start_parts(struct api *a, unsigned limit, char *why, size_t why_size)
{
    const struct store_options so = {.dir = a->o.dir, .clock = a->o.clock};
    uint64_t secret;
    enum err e =
        store_pool_open(&a->stores, API_THREADS + API_HASH_THREADS + 1, &so, why, why_size);
    if (e == ERR_OK)
        e = connections_init(&a->connections, limit, a->o.max_per_address);
    if (e == ERR_OK)
        e = event_hub_start(&a->hub, a->o.clock, API_LISTENERS_MAX);
    if (e == ERR_OK)
        e = hash_pool_start(&a->hashers, API_HASH_THREADS, API_HASH_QUEUE);
    if (e == ERR_OK)
        e = token_random((uint8_t *)&secret, sizeof secret);
    if (e != ERR_OK)
        return e;
    sign_in_init(&a->sign_in, secret);
    return ERR_OK;
}

static enum err start_threads(struct api *a, unsigned limit)
{
    a->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    a->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (a->wake_fd < 0 || a->stop_fd < 0)
        return ERR_IO;
    a->daemon = start_daemon(a, limit);
    if (a->daemon == NULL)
        return ERR_IO;
    a->socket.fd = -1; /* the daemon's now */
    a->pulsing = pthread_create(&a->pulse, NULL, pulse, a) == 0;
    return a->pulsing ? ERR_OK : ERR_MEMORY;
}

static enum err take_origin(struct api *a, char *why, size_t why_size)
{
    const enum err e = api_origin_parse(a->o.origin, &a->origin);
    if (e != ERR_OK)
        snprintf(why, why_size, "the origin \"%s\" is not https://NAME or https://NAME:PORT.",
                 a->o.origin);
    return e;
}

enum err api_start(struct api **out, const struct api_options *o, char *why, size_t why_size)
{
    struct api *a = calloc(1, sizeof *a);
    if (a == NULL || why_size == 0)
        return ERR_MEMORY;
    a->o = *o;
    a->wake_fd = a->stop_fd = a->socket.fd = -1;
    pthread_mutex_init(&a->sign_in_lock, NULL);
    why[0] = '\0';
    enum err e = api_address_parse(o->listen, &a->address);
    if (e != ERR_OK)
        snprintf(why, why_size, "\"%s\" is not HOST:PORT or [IPV6]:PORT.", o->listen);
    else
        e = take_origin(a, why, why_size);
    if (e == ERR_OK)
        e = api_socket_open(&a->socket, &a->address, why, why_size);
    const unsigned limit = connection_limit();
    if (e == ERR_OK)
        e = start_parts(a, limit, why, why_size);
    if (e == ERR_OK)
        e = start_threads(a, limit);
    if (e != ERR_OK) {
        if (why[0] == '\0')
            snprintf(why, why_size, "the HTTP server cannot start: %s.", err_text(e));
        api_stop(a);
        return e;
    }
    const bool v6 = strchr(a->address.host, ':') != NULL;
    snprintf(a->url, sizeof a->url, "http://%s%s%s:%u", v6 ? "[" : "", a->address.host,
             v6 ? "]" : "", a->socket.port);
    *out = a;
    return ERR_OK;
}

const char *api_url(const struct api *a)
{
    return a->url;
}

/* The order: no new ones; the pulse, so that nothing wakes streams twice; streams; password checks,
 * whose connections are suspended until then; the daemon; and what its threads used. */
void api_stop(struct api *a)
{
    if (a == NULL)
        return;
    pthread_mutex_lock(&a->sign_in_lock); /* nobody is just giving the pool a job */
    atomic_store(&a->stopping, true);
    pthread_mutex_unlock(&a->sign_in_lock);
    if (a->pulsing) {
        ring(a->stop_fd);
        pthread_join(a->pulse, NULL);
    }
    if (a->daemon != NULL) {
        const int listening = MHD_quiesce_daemon(a->daemon);
        if (listening >= 0)
            close(listening);
        event_hub_end(a->hub);
        hash_pool_stop(a->hashers);
        MHD_stop_daemon(a->daemon);
    } else {
        hash_pool_stop(a->hashers);
    }
    event_hub_free(a->hub);
    connections_free(&a->connections);
    store_pool_close(&a->stores);
    if (a->socket.fd >= 0)
        close(a->socket.fd);
    if (a->wake_fd >= 0)
        close(a->wake_fd);
    if (a->stop_fd >= 0)
        close(a->stop_fd);
    pthread_mutex_destroy(&a->sign_in_lock);
    wipe(&a->sign_in, sizeof a->sign_in);
    free(a);
}
