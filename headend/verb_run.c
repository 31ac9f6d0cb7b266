/* `ferraris headend run`: opens the store, reads the meters, serves the pages, until SIGTERM.
 *
 * Start: store, lock, key, collector, API, first password, "listening on". Stop in the other order:
 * no more answers, no more readings, the last commit, the store. The first SIGTERM or SIGINT asks
 * for this; the second has its usual effect at once, which kill -9 shows to be safe, too. */
#include "headend/api/api.h"
#include "headend/collect/collector.h"
#include "headend/data_dir.h"
#include "headend/keys/entropy.h"
#include "headend/people.h"
#include "headend/verbs.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CONNECTIONS_MAX 10000
#define CLOCK_S_MAX     86400
#define LONG_AGO_MS     INT64_C(1735689600000) /* 2025: before this program was written */

struct server {
    const struct cli_verb *verb;
    const char *dir, *listen, *origin;
    uint64_t max_connections;
    uint32_t clock_from_s, clock_to_s; /* --set-clocks */
    struct data_dir data;
    struct server_log log;
    struct hal_rng rng;
    uv_loop_t loop;
    uv_signal_t term, interrupt;
    struct collector *collector;
    struct api *api; /* loop thread only; NULL before start and after stop */
};

/* ---- preparing ---- */

/* One descriptor for each connection and listener; the hard limit is the administrator's word. */
static void raise_descriptors(const struct server_log *log)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return;
    r.rlim_cur = r.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &r) == 0)
        server_log(log, LOG_DEBUG, "up to %llu open files", (unsigned long long)r.rlim_cur);
}

/* The first start: nobody can sign in yet. Comes last, so that a start that fails (port taken) does
 * not use up the one time it is shown; printed only after it is stored, and never logged. */
static int make_admin(struct server *s)
{
    char password[PASSWORD_MAX + 1] = "";
    uint32_t n = 0;
    if (store_user_count(s->data.store, &n))
        return cli_fail(s->verb, CLI_LOST, "%s", store_why(s->data.store));
    if (n > 0)
        return -1;
    const int code = people_generate(s->verb, s->data.store, "admin", password);
    if (code < 0) {
        printf("admin password: %s (shown once)\n", password);
        fflush(stdout);
    }
    wipe(password, sizeof password);
    return code;
}

/* ---- the loop ---- */

static void on_event(void *context, const struct meter_event *event)
{
    const struct server *s = context;
    if (s->api != NULL)
        api_event(s->api, event);
}

static void stop_signals(struct server *s)
{
    uv_close((uv_handle_t *)&s->term, NULL); /* gives the signals their usual effect back */
    uv_close((uv_handle_t *)&s->interrupt, NULL);
}

static void stop_all(struct server *s)
{
    stop_signals(s);
    if (s->api != NULL)
        api_stop(s->api);
    s->api = NULL;
    if (s->collector != NULL)
        collector_stop(s->collector);
}

static void on_signal(uv_signal_t *h, int number)
{
    struct server *s = h->data;
    server_log(&s->log, LOG_INFO, "%s: stopping", number == SIGINT ? "interrupt" : "SIGTERM");
    stop_all(s);
}

static bool catch_signals(struct server *s)
{
    s->term.data = s->interrupt.data = s;
    return uv_signal_start(&s->term, on_signal, SIGTERM) == 0 &&
           uv_signal_start(&s->interrupt, on_signal, SIGINT) == 0;
}

static int start_collector(struct server *s)
{
    char why[DATA_DIR_WHY] = "";
    const struct collector_options o = {.loop = &s->loop,
                                        .dir = s->dir,
                                        .key = &s->data.key,
                                        .clock = &s->data.clock,
                                        .log = &s->log,
                                        .rng = &s->rng,
                                        .max_connections = (uint32_t)s->max_connections,
                                        .clock_from_s = s->clock_from_s,
                                        .clock_to_s = s->clock_to_s,
                                        .event = on_event,
                                        .event_context = s};
    const enum err err = collector_start(&s->collector, &o, why, sizeof why);
    if (!err)
        return -1;
    s->collector = NULL;
    return cli_fail(s->verb, CLI_LOST, "%s", why[0] != '\0' ? why : err_text(err));
}

static int start_api(struct server *s)
{
    char why[DATA_DIR_WHY] = "";
    const struct api_options o = {.listen = s->listen,
                                  .origin = s->origin,
                                  .dir = s->dir,
                                  .key = &s->data.key,
                                  .clock = &s->data.clock,
                                  .log = &s->log,
                                  .hooks = collector_hooks(s->collector),
                                  .version = FERRARIS_VERSION};
    const enum err err = api_start(&s->api, &o, why, sizeof why);
    if (!err)
        return -1;
    s->api = NULL;
    return cli_fail(s->verb, err == ERR_FORMAT ? CLI_USAGE : CLI_LOST, "%s",
                    why[0] != '\0' ? why : err_text(err));
}

/* Of a machine without a clock that runs through power cuts. All is stored as it says. */
static void warn_of_clock(struct server *s)
{
    if (server_clock_utc_ms(&s->data.clock) < LONG_AGO_MS)
        server_log(&s->log, LOG_WARNING,
                   "the clock of this machine is years behind: values would be stored under wrong "
                   "times and sessions end early; set it and start again");
}

/* -1 when all run. */
static int start_all(struct server *s)
{
    if (!catch_signals(s))
        return cli_fail(s->verb, CLI_BUG, "signals cannot be caught");
    warn_of_clock(s);
    int code = start_collector(s);
    if (code < 0)
        code = start_api(s);
    if (code < 0)
        code = make_admin(s);
    if (code < 0) {
        server_log(&s->log, LOG_INFO, "listening on %s, data in %s", api_url(s->api), s->dir);
        printf("listening on %s\n", api_url(s->api));
        fflush(stdout);
    }
    return code;
}

static int serve(struct server *s)
{
    if (uv_loop_init(&s->loop) != 0 || uv_signal_init(&s->loop, &s->term) != 0 ||
        uv_signal_init(&s->loop, &s->interrupt) != 0)
        return cli_fail(s->verb, CLI_BUG, "no event loop");
    const int code = start_all(s);
    if (code >= 0)
        stop_all(s);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    if (s->collector != NULL)
        collector_free(s->collector);
    uv_loop_close(&s->loop);
    if (code < 0)
        server_log(&s->log, LOG_INFO, "stopped");
    return code < 0 ? CLI_DONE : code;
}

/* ---- the verb ---- */

static int open_and_serve(struct server *s)
{
    signal(SIGPIPE, SIG_IGN); /* a browser that goes away costs its connection only */
    raise_descriptors(&s->log);
    int code = data_dir_open(&s->data, s->verb, s->dir, DATA_KEY | DATA_OWN);
    if (code >= 0)
        return code;
    s->log.clock = &s->data.clock;
    code = serve(s);
    data_dir_close(&s->data);
    return code;
}

/* "5:300": a clock off by 5 to 300 seconds is set. */
static bool take_clocks(struct server *s, const char *text)
{
    char *end;
    if (text == NULL)
        return true;
    const unsigned long from = strtoul(text, &end, 10);
    if (end == text || *end != ':' || text[0] < '0' || text[0] > '9')
        return false;
    const char *second = end + 1;
    const unsigned long to = strtoul(second, &end, 10);
    if (*end != '\0' || second[0] < '0' || second[0] > '9' || from < 2 || to < from ||
        to > CLOCK_S_MAX)
        return false;
    s->clock_from_s = (uint32_t)from;
    s->clock_to_s = (uint32_t)to;
    return true;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    const char *level = "info", *word = NULL, *clocks = NULL;
    struct server s = {.verb = v, .listen = "127.0.0.1:8080", .max_connections = 256};
    const struct cli_option options[] = {
        {"data", CLI_TEXT, &s.dir, "DIR", "the data directory; made at the first start"},
        {"listen", CLI_TEXT, &s.listen, "HOST:PORT", "where the pages are served [127.0.0.1:8080]"},
        {"origin", CLI_TEXT, &s.origin, "URL", "https://NAME by which a proxy in front is reached"},
        {"log", CLI_TEXT, &level, "LEVEL", "error, warning, info or debug, to stderr [info]"},
        {"max-connections", CLI_UINT, &s.max_connections, "N", "meters read at once [256]"},
        {"set-clocks", CLI_TEXT, &clocks, "S:S",
         "set a meter's clock that is off by so many seconds to so many [never]"},
    };
    size_t n;
    const int code =
        cli_parse(v, options, sizeof options / sizeof options[0], argc, argv, &word, 0, &n);
    if (code >= 0)
        return code;
    if (!server_log_level_parse(level, &s.log.level))
        return cli_fail(v, CLI_USAGE, "--log wants error, warning, info or debug, not '%s'", level);
    if (s.max_connections == 0 || s.max_connections > CONNECTIONS_MAX)
        return cli_fail(v, CLI_USAGE, "--max-connections wants 1 to %d", CONNECTIONS_MAX);
    if (!take_clocks(&s, clocks))
        return cli_fail(v, CLI_USAGE,
                        "--set-clocks wants two numbers of seconds, 2 to %d, as 5:300, not '%s'",
                        CLOCK_S_MAX, clocks);
    if (s.dir == NULL)
        return cli_fail(v, CLI_USAGE, "--data DIR is needed; usage: %s", v->usage);
    s.data.clock = server_clock_system();
    s.log.clock = &s.data.clock;
    s.log.to = stderr;
    s.rng = entropy_rng();
    return open_and_serve(&s);
}

const struct cli_verb verb_run = {
    .name = "headend run",
    .summary = "reads the meters and serves the pages",
    .usage = "ferraris headend run --data DIR [OPTION]...",
    .example = "ferraris headend run --data /var/lib/ferraris\n"
               "ferraris headend run --data /var/lib/ferraris --origin https://meters.example.org\n"
               "ferraris headend run --data /var/lib/ferraris --listen '[::1]:8080' --log debug",
    .run = run,
};
