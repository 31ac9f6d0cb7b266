/* ferraris meter: one virtual meter, the firmware libraries on this machine.
 *
 * Wires the life of the meter to the wall clock, its ports, the panel and signals. No default
 * secrets: without --keys only the public client gets in; a keys file that does not exist is made,
 * with random keys and a random password. */
#include "cli/cli.h"
#include "cli/client_value.h"
#include "cli/keys_file.h"
#include "cli/meter_datasheet.h"
#include "cli/meter_serve.h"
#include "cli/replay_run.h"
#include "firmware/meter/meter_migrate.h"
#include "firmware/ports/posix/flash.h"
#include "firmware/ports/posix/rng.h"
#include "lib/dlms/datetime.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS     10
#define PROGRESS_NS (100 * 1000000)
#define BUSY_SLICE_NS                                                                              \
    (5 * 1000000) /* wall time of one turn at full speed, then the line is served */

struct words { /* the command line */
    const char *model, *order, *source, *flash, *start, *until, *speed, *fast_forward, *level,
        *live_level, *keys, *panel, *gateway, *crystal;
    struct cli_list listen, serial;
    uint64_t seed, inactivity;
    struct source_options how;
    double run;
    bool datasheet, sync, progress;
};

struct run { /* one process */
    const struct cli_verb *verb;
    uv_loop_t loop;
    uv_timer_t tick, stop;
    uv_idle_t busy;
    uv_signal_t term, interrupt;
    struct serve serve;
    struct life life;
    struct model_meter model; /* as ordered */
    struct posix_flash flash;
    struct hal_rng rng;
    struct keys_file keys;
    double speed; /* meter seconds a wall second; infinite: as fast as it goes */
    int64_t ff_from_ns, ff_to_ns;
    bool forward;      /* fast-forward under way */
    bool until_now;    /* its end runs away: what passes meanwhile is lived as well */
    bool then_samples; /* after it */
    bool progress;
    uint64_t told_ns; /* of the last line of progress */
    int64_t life_ns;
    uint64_t wall_ns; /* life_ns was reached at this wall time */
    double run_s;
    bool panel;
    int code;
};

static void stop(struct run *r)
{
    if (uv_is_closing((uv_handle_t *)&r->tick))
        return;
    uv_close((uv_handle_t *)&r->tick, NULL);
    uv_close((uv_handle_t *)&r->stop, NULL);
    uv_close((uv_handle_t *)&r->busy, NULL);
    uv_close((uv_handle_t *)&r->term, NULL);
    uv_close((uv_handle_t *)&r->interrupt, NULL);
    meter_ports_close(&r->serve.ports);
    if (r->panel)
        panel_server_close(&r->serve.panel);
}

static void on_signal(uv_signal_t *s, int number)
{
    (void)number;
    stop(s->data);
}

static void on_stop(uv_timer_t *t)
{
    stop(t->data);
}

static void live_to(struct run *r, int64_t ns)
{
    if (life_run(&r->life, ns) == ERR_OK)
        return;
    r->code = cli_fail(r->verb, CLI_BAD_DATA, "%s", r->life.why);
    stop(r);
}

static int64_t wall_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * METER_NS + t.tv_nsec;
}

/* From here on the wall clock drives. */
static void settle(struct run *r)
{
    if (posix_flash_hold(&r->flash, false) != ERR_OK) {
        r->code = cli_fail(r->verb, CLI_BAD_DATA, "flash file: %s", strerror(errno));
        stop(r);
        return;
    }
    r->serve.ports.shut = false;
    r->forward = false;
    if (r->then_samples)
        life_samples(&r->life);
    r->wall_ns = uv_hrtime();
    r->life_ns = r->until_now ? wall_clock_ns() : r->life.now_ns;
    if (!isinf(r->speed))
        uv_idle_stop(&r->busy);
    for (size_t i = 0; i < r->serve.ports.n; i++)
        printf("listening on %s\n", meter_ports_name(&r->serve.ports, i));
    fflush(stdout);
    if (r->run_s > 0)
        uv_timer_start(&r->stop, on_stop, (uint64_t)(r->run_s * 1000), 0);
}

static void tell_progress(struct run *r)
{
    double whole = (double)(r->ff_to_ns - r->ff_from_ns);
    double done = whole > 0 ? (double)(r->life.now_ns - r->ff_from_ns) / whole : 1;
    cli_progress("fast-forward", done);
    if (!r->progress || uv_hrtime() - r->told_ns < PROGRESS_NS)
        return;
    printf("lived %.2f\n", done < 1 ? done : 1);
    fflush(stdout);
    r->told_ns = uv_hrtime();
}

static void on_busy(uv_idle_t *h)
{
    struct run *r = h->data;
    uint64_t until = uv_hrtime() + BUSY_SLICE_NS;
    int64_t step = (r->life.window ? 60 : 1) * METER_NS;
    if (r->until_now && r->forward)
        r->ff_to_ns = wall_clock_ns() / METER_NS * METER_NS; /* windows end with seconds */
    while (uv_hrtime() < until && !uv_is_closing((uv_handle_t *)h)) {
        int64_t to = (r->life.now_ns / step + 1) * step; /* whole minutes: fewest windows */
        if (r->forward && to > r->ff_to_ns)
            to = r->ff_to_ns;
        live_to(r, to);
        if (r->forward && r->life.now_ns >= r->ff_to_ns)
            break;
    }
    if (!r->forward || uv_is_closing((uv_handle_t *)h))
        return;
    tell_progress(r);
    if (r->life.now_ns >= r->ff_to_ns) {
        cli_progress_end();
        settle(r);
    }
}

static void on_tick(uv_timer_t *t)
{
    struct run *r = t->data;
    if (r->forward || isinf(r->speed))
        return;
    double wall = (double)(uv_hrtime() - r->wall_ns);
    live_to(r, r->life_ns + r->life.skipped_ns + (int64_t)(wall * r->speed));
}

/* ---- words to values ---- */

/* "2026-03-29T01:00:00Z", seconds and offset may be absent (then UTC); "now". */
static bool parse_time(const char *text, int64_t *ns)
{
    uint8_t octets[DATETIME_LEN];
    struct datetime d;
    int64_t utc_s = time(NULL);
    if (strcmp(text, "now") != 0 &&
        (!value_parse_time(text, octets) || datetime_decode(octets, &d) != ERR_OK ||
         datetime_to_utc(&d, 0, &utc_s) != ERR_OK))
        return false;
    if (utc_s < METER_TIME_MIN_NS / METER_NS || utc_s >= METER_TIME_END_NS / METER_NS)
        return false;
    *ns = utc_s * METER_NS;
    return true;
}

/* "90", "90s", "15m", "2h", "3d" in seconds. */
static bool parse_duration(const char *text, double *seconds)
{
    char *end;
    *seconds = strtod(text, &end);
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
    for (size_t i = 0; i < sizeof units / sizeof units[0] && end != text; i++) {
        if (strcmp(end, units[i].unit) == 0) {
            *seconds *= units[i].seconds;
            return *seconds >= 0 && *seconds <= 20 * 365.25 * 86400;
        }
    }
    return false;
}

static bool parse_speed(const char *text, double *speed)
{
    char *end;
    *speed = strcmp(text, "max") == 0 ? INFINITY : strtod(text, &end);
    return strcmp(text, "max") == 0 ||
           (end != text && *end == '\0' && *speed >= 0 && *speed <= 1e6);
}

static int bad(const struct run *r, const char *option, const char *value, const char *want)
{
    return cli_fail(r->verb, CLI_USAGE, "--%s '%s': %s", option, value, want);
}

#define CRYSTAL_PPM_MAX 200

static int parse_crystal(struct run *r, const struct words *w)
{
    struct life_options *o = &r->life.o;
    char *end;
    if (w->crystal == NULL)
        return -1;
    o->has_crystal = true;
    o->crystal_ppm = strtod(w->crystal, &end);
    if (end == w->crystal || *end != '\0' || !(fabs(o->crystal_ppm) <= CRYSTAL_PPM_MAX))
        return bad(r, "crystal", w->crystal, "parts per million, -200 to 200");
    return -1;
}

static bool is_ratio(double x)
{
    return x > 0 && isfinite(x);
}

static int check_source(const struct run *r, const struct words *w)
{
    const struct source_options *h = &w->how;
    if (w->source == NULL && (h->map || h->scale != 1 || h->ct != 1 || h->vt != 1))
        return cli_fail(r->verb, CLI_USAGE, "--map, --scale, --ct and --vt are for a --source");
    if (!is_ratio(h->scale) || !is_ratio(h->ct) || !is_ratio(h->vt))
        return cli_fail(r->verb, CLI_USAGE, "--scale, --ct and --vt must be above 0");
    return -1;
}

static int parse_level(struct run *r, const struct words *w)
{
    const char *live = w->live_level != NULL ? w->live_level : w->level;
    r->life.o.window = strcmp(w->level, "window") == 0;
    if (!r->life.o.window && strcmp(w->level, "sample") != 0)
        return bad(r, "level", w->level, "sample or window");
    r->then_samples = strcmp(live, "sample") == 0;
    if (!r->then_samples && strcmp(live, "window") != 0)
        return bad(r, "live-level", live, "sample or window");
    if (!r->then_samples && !r->life.o.window)
        return cli_fail(r->verb, CLI_USAGE, "from samples a meter does not go over to windows");
    return -1;
}

/* When the life begins, and how much of it is lived at once. */
static int parse_span(struct run *r, const struct words *w)
{
    static const char form[] = "a time like 2026-03-29T01:00:00Z, of 2000 to 2099";
    double forward_s = 0;
    if (!parse_duration(w->fast_forward, &forward_s))
        return bad(r, "fast-forward", w->fast_forward, "a duration like 90s, 15m, 2h or 3d");
    const int64_t forward_ns = (int64_t)(forward_s * 1e9);
    int64_t *start = &r->life.o.start_ns;
    r->forward = true;
    if (!r->life.o.window && forward_s > 6 * 3600)
        fprintf(stderr, "counting every sample of a long past; --level window is far quicker\n");
    if (w->until == NULL) {
        r->ff_to_ns = forward_ns; /* from where the flash's life goes on */
        return parse_time(w->start != NULL ? w->start : "now", start)
                   ? -1
                   : bad(r, "start", w->start, form);
    }
    if (w->start != NULL)
        return cli_fail(r->verb, CLI_USAGE,
                        "--until says the end of --fast-forward, --start the "
                        "beginning: one of them");
    if (!parse_time(w->until, &r->ff_to_ns))
        return bad(r, "until", w->until, form);
    r->until_now = strcmp(w->until, "now") == 0;
    *start = r->ff_to_ns - forward_ns;
    return *start >= METER_TIME_MIN_NS ? -1 : bad(r, "until", w->until, form);
}

/* The model and the words of its order. */
static int parse_model(struct run *r, const struct words *w)
{
    const struct model_meter *m = model_meter_find(w->model);
    char names[512] = "";
    size_t at, len = 0;
    for (size_t i = 0; m == NULL && model_meter_at(i) != NULL; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, " %s", model_meter_at(i)->name);
    if (m == NULL)
        return cli_fail(r->verb, CLI_USAGE, "no model '%s'; there are%s", w->model, names);
    enum err err = model_order(m, w->order, &r->model, &at);
    r->life.o.model = &r->model;
    if (err == ERR_STATE)
        return cli_fail(r->verb, CLI_USAGE, "--order: '%s' contradicts a word before it",
                        w->order + at);
    const struct model_choice *c;
    for (size_t i = 0; err && (c = model_choice_at(m, i)) != NULL && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, " %s", c->word);
    if (err)
        return cli_fail(r->verb, CLI_USAGE, "--order: no '%s' for %s; there %s%s", w->order + at,
                        m->name, len > 0 ? "are" : "is nothing to choose", names);
    return -1;
}

static int parse_words(struct run *r, const struct words *w)
{
    struct life_options *o = &r->life.o;
    int code = parse_model(r, w);
    if (code < 0)
        code = parse_level(r, w);
    if (code < 0)
        code = parse_span(r, w);
    if (code >= 0)
        return code;
    code = parse_crystal(r, w);
    if (code >= 0)
        return code;
    if (!parse_speed(w->speed, &r->speed))
        return bad(r, "speed", w->speed, "0 to 1000000, or max");
    if (w->run < 0)
        return cli_fail(r->verb, CLI_USAGE, "--run wants seconds, 0 or more");
    if (w->panel != NULL && (strncmp(w->panel, "unix:", 5) != 0 || w->panel[5] == '\0'))
        return bad(r, "panel", w->panel, "unix:PATH");
    if (w->inactivity > 86400)
        return cli_fail(r->verb, CLI_USAGE, "--inactivity is at most 86400 seconds");
    o->has_gateway = w->gateway != NULL;
    if (o->has_gateway && gateway_parse(w->gateway, &o->gateway) != ERR_OK)
        return bad(r, "gateway", w->gateway, "NETWORK:HEXADDRESS, as 1:0102AB");
    code = check_source(r, w);
    if (code >= 0)
        return code;
    o->source = w->source;
    o->how = w->how;
    o->seed = w->seed;
    o->inactivity_ms = (uint32_t)w->inactivity * 1000;
    r->run_s = w->run;
    r->progress = w->progress && !isatty(STDOUT_FILENO);
    snprintf(o->serial, sizeof o->serial, "%s%07u", o->model->type, (unsigned)(w->seed % 10000000));
    return -1;
}

static int load_keys(struct run *r, const char *path)
{
    char error[256];
    if (path == NULL) {
        fprintf(stderr, "no --keys: only the public client (SAP %d) gets in\n", METER_SAP_PUBLIC);
        return -1;
    }
    bool there = access(path, F_OK) == 0;
    enum err err = there ? keys_file_read(&r->keys, path, error, sizeof error)
                         : keys_file_create(&r->keys, path, error, sizeof error);
    if (err)
        return cli_fail(r->verb, CLI_BAD_DATA, "%s", error);
    if (r->keys.warning[0] != '\0')
        fprintf(stderr, "%s\n", r->keys.warning);
    if (!there)
        fprintf(stderr, "new keys and password in %s\n", path);
    if (!r->keys.keys.has_guek && r->keys.password[0] == '\0')
        fprintf(stderr,
                "%s holds neither keys nor a password: only the public client (SAP %d) gets in\n",
                path, METER_SAP_PUBLIC);
    r->life.o.keys = r->keys.keys;
    memcpy(r->life.o.password, r->keys.password, sizeof r->life.o.password);
    return -1;
}

/* Without a file the flash lives as long as the process: its name is taken away once it is open. */
static int open_flash(struct run *r, const char *path, bool sync)
{
    struct posix_flash_options o = {.sector_size = METER_SECTOR_SIZE,
                                    .n_sectors = meter_n_sectors(r->life.o.model),
                                    .sync = sync,
                                    .n_sectors_before = meter_migrate_n_sectors(r->life.o.model)};
    char folder[] = "/tmp/ferraris-XXXXXX", file[sizeof folder + sizeof "/flash"];
    if (path == NULL && mkdtemp(folder) == NULL)
        return cli_fail(r->verb, CLI_BAD_DATA, "%s: %s", folder, strerror(errno));
    snprintf(file, sizeof file, "%s/flash", folder);
    enum err err = posix_flash_open(&r->flash, path != NULL ? path : file, &o);
    if (path == NULL) {
        unlink(file);
        rmdir(folder);
    }
    if (err)
        return cli_fail(r->verb, err == ERR_BUSY ? CLI_NO : CLI_BAD_DATA, "%s", r->flash.why);
    r->life.o.flash = &r->flash.hal;
    /* the past is on the disk when it is over; until then nobody is told anything of it */
    r->serve.ports.shut = sync && (r->until_now || r->ff_to_ns > 0);
    if (r->serve.ports.shut && posix_flash_hold(&r->flash, true) != ERR_OK) {
        posix_flash_close(&r->flash);
        return cli_fail(r->verb, CLI_BAD_DATA, "flash file: %s", strerror(errno));
    }
    return -1;
}

/* ---- the process ---- */

/* "HOST:PORT" is the wrapper over TCP, as is tcp://HOST:PORT. */
static int add_port(struct run *r, const char *text, bool serial)
{
    struct line_url url;
    char address[512];
    const bool bare = !serial && strstr(text, "://") == NULL;
    snprintf(address, sizeof address, "%s%s", bare ? "tcp://" : "", text);
    const char *wrong = serial ? line_url_parse_serial(text, &url) : line_url_parse(address, &url);
    if (wrong == NULL && url.has_gateway)
        wrong = "has a gateway, which is for clients";
    if (wrong == NULL && url.kind == LINE_SERIAL && !serial)
        wrong = "is for --serial";
    if (wrong != NULL)
        return cli_fail(r->verb, CLI_USAGE, "--%s '%s' %s", serial ? "serial" : "listen", text,
                        wrong);
    const enum err err = meter_ports_add(&r->serve.ports, &url);
    if (err == ERR_OK)
        return -1;
    const char *why = r->serve.ports.why[0] != '\0' ? r->serve.ports.why : err_text(err);
    return cli_fail(r->verb, err == ERR_FORMAT || err == ERR_RANGE ? CLI_USAGE : CLI_LOST, "%s",
                    why);
}

static int listen_all(struct run *r, const struct words *w)
{
    int code = -1;
    r->serve.ports.loop = &r->loop;
    if (w->listen.n == 0 && w->serial.n == 0)
        code = add_port(r, "127.0.0.1:4059", false);
    for (size_t i = 0; i < w->listen.n && code < 0; i++)
        code = add_port(r, w->listen.item[i], false);
    for (size_t i = 0; i < w->serial.n && code < 0; i++)
        code = add_port(r, w->serial.item[i], true);
    if (code < 0 && w->panel != NULL) {
        r->panel = panel_server_listen(&r->serve.panel, &r->loop, w->panel + 5, serve_panel,
                                       &r->serve) == ERR_OK;
        if (!r->panel)
            code = cli_fail(r->verb, CLI_LOST, "panel %s", r->serve.panel.why);
    }
    if (code >= 0)
        meter_ports_close(&r->serve.ports);
    return code;
}

static void start_loop(struct run *r)
{
    uv_timer_init(&r->loop, &r->tick);
    uv_timer_init(&r->loop, &r->stop);
    uv_idle_init(&r->loop, &r->busy);
    uv_signal_init(&r->loop, &r->term);
    uv_signal_init(&r->loop, &r->interrupt);
    r->tick.data = r->stop.data = r->busy.data = r->term.data = r->interrupt.data = r;
    uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
    uv_idle_start(&r->busy, on_busy);
    uv_signal_start(&r->term, on_signal, SIGTERM);
    uv_signal_start(&r->interrupt, on_signal, SIGINT);
}

/* What `ferraris replay` tells about a recording is as true of a meter that lives from it. */
static void tell_faults(const struct run *r)
{
    struct source_info info;
    char text[200];
    struct replay_result *found = calloc(1, sizeof *found);
    source_info_get(r->life.source, &info);
    if (info.note[0] != '\0')
        fprintf(stderr, "ferraris meter: source: note: %s\n", info.note);
    if (found != NULL) {
        found->n_phases = r->life.o.model->phases_used == 1 ? 1 : r->life.o.model->n_phases;
        found->frequency_hz = info.frequency_hz;
        replay_faults(&info, found);
        for (unsigned k = 0; k < found->n_faults; k++) {
            replay_fault_text(&found->fault[k], text, sizeof text);
            fprintf(stderr, "ferraris meter: source: %s\n", text);
        }
    }
    free(found);
}

static int live(struct run *r, const struct words *w)
{
    const struct life_options o = r->life.o;
    enum err err = life_begin(&r->life, &o);
    if (err)
        return cli_fail(r->verb, CLI_BAD_DATA, "%s", r->life.why);
    if (r->keys.path[0] != '\0' && memcmp(&r->life.meter.server.keys, &o.keys, sizeof o.keys) != 0)
        fprintf(stderr, "the flash holds other keys than %s: the flash's are in force\n", w->keys);
    if (r->life.meter.nv.n_corrupt > 0)
        fprintf(stderr,
                "the flash is damaged in %u places: what they held is lost, the rest is used\n",
                (unsigned)r->life.meter.nv.n_corrupt);
    tell_faults(r);
    r->serve.life = r->serve.ports.life = &r->life;
    r->ff_from_ns = r->life.now_ns;
    if (w->until == NULL)
        r->ff_to_ns += r->ff_from_ns;
    uv_loop_init(&r->loop);
    r->code = listen_all(r, w);
    if (r->code < 0) {
        r->code = CLI_DONE;
        start_loop(r);
    }
    uv_run(&r->loop, UV_RUN_DEFAULT);
    uv_loop_close(&r->loop);
    meter_ports_free(&r->serve.ports);
    life_end(&r->life);
    return r->code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct words w = {.model = "ST402D",
                      .order = "",
                      .speed = "1",
                      .fast_forward = "0",
                      .level = "sample",
                      .seed = 1,
                      .how = {.scale = 1, .ct = 1, .vt = 1},
                      .inactivity = 180};
    const struct cli_option options[] = {
        {"model", CLI_TEXT, &w.model, "NAME", "which of the eight meters (default ST402D)"},
        {"order", CLI_TEXT, &w.order, "WORDS",
         "what the datasheet lets a customer choose, comma separated: 10(120),class2,60hz; "
         "--datasheet lists the words of a model"},
        {"listen", CLI_LIST, &w.listen, "ADDRESS",
         "HOST:PORT (wrapper over TCP), udp://HOST:PORT or hdlc+tcp://HOST:PORT; more than once if "
         "wanted; port 0 takes a free one (default 127.0.0.1:4059)"},
        {"serial", CLI_LIST, &w.serial, "PATH[?OPTIONS]",
         "HDLC on a tty, or on a new pseudo terminal with the path `pty`: "
         "/dev/ttyS0?baud=9600&mode=e"},
        {"gateway", CLI_TEXT, &w.gateway, "NETWORK:HEX",
         "answers also what comes with this prefix of a gateway, as ?gateway= of a client sends "
         "it"},
        {"source", CLI_TEXT, &w.source, "SPEC",
         "waveform: FILE.cfg, FILE.csv, synth:... or load:household, shop, pv, substation, "
         "workshop "
         "(default: a household; behind transformers a substation)"},
        {"map", CLI_TEXT, &w.how.map, "u1=NAME,...", "channels of the source, as in replay"},
        {"scale", CLI_REAL, &w.how.scale, "FACTOR", "multiplies all channels of the source"},
        {"ct", CLI_REAL, &w.how.ct, "RATIO", "divides its currents: primary to secondary"},
        {"vt", CLI_REAL, &w.how.vt, "RATIO", "divides its voltages: primary to secondary"},
        {"level", CLI_TEXT, &w.level, "sample|window", "count every sample, or whole windows"},
        {"flash", CLI_TEXT, &w.flash, "FILE", "the meter's memory (default: lost at exit)"},
        {"live-level", CLI_TEXT, &w.live_level, "sample|window",
         "the same after the fast-forward (default: --level)"},
        {"sync", CLI_FLAG, &w.sync, NULL,
         "each write is on the disk before it counts; those of a fast-forward all at its end"},
        {"start", CLI_TEXT, &w.start, "TIME",
         "what the crystal shows, UTC unless it has an offset (default now)"},
        {"crystal", CLI_TEXT, &w.crystal, "PPM",
         "a clock's tuning fork that is so much off, and a parabola over temperature more; the "
         "factory measured it (default: one without error)"},
        {"fast-forward", CLI_TEXT, &w.fast_forward, "DURATION", "lived at once: 90s, 15m, 2h, 3d"},
        {"until", CLI_TEXT, &w.until, "TIME",
         "instead of --start: when the fast-forward ends; `now` is the moment it does"},
        {"progress", CLI_FLAG, &w.progress, NULL,
         "for a parent process: lines `lived 0.37` on a pipe until `listening on`"},
        {"speed", CLI_TEXT, &w.speed, "N|max", "meter seconds a second (default 1)"},
        {"seed", CLI_UINT, &w.seed, "N", "noise, the habits of a load, the serial number"},
        {"keys", CLI_TEXT, &w.keys, "FILE", "keys and password; made when it does not exist"},
        {"panel", CLI_TEXT, &w.panel, "unix:PATH", "socket for `ferraris panel`"},
        {"inactivity", CLI_UINT, &w.inactivity, "SECONDS",
         "a silent session is closed; 0 never (default 180)"},
        {"run", CLI_REAL, &w.run, "SECONDS", "of serving, then exit (default: until a signal)"},
        {"datasheet", CLI_FLAG, &w.datasheet, NULL,
         "print the model, as ordered, as a datasheet and exit"}};
    const char *words[1];
    size_t n;
    int code = cli_parse(v, options, sizeof options / sizeof options[0], argc, argv, words, 1, &n);
    if (code >= 0)
        return code;
    if (n > 0)
        return cli_fail(v, CLI_USAGE, "what is '%s'? usage: %s", words[0], v->usage);
    struct run *r = calloc(1, sizeof *r);
    if (r == NULL)
        return cli_fail(v, CLI_BUG, "out of memory");
    r->verb = v;
    r->rng = posix_rng();
    r->life.o.rng = &r->rng;
    code = parse_words(r, &w);
    if (code < 0 && w.datasheet) {
        meter_datasheet(stdout, r->life.o.model);
        code = CLI_DONE;
    }
    if (code < 0)
        code = load_keys(r, w.keys);
    if (code < 0)
        code = open_flash(r, w.flash, w.sync);
    if (code < 0) {
        code = live(r, &w);
        posix_flash_close(&r->flash);
    }
    wipe(r, sizeof *r);
    free(r);
    return code;
}

const struct cli_verb verb_meter = {
    .name = "meter",
    .summary = "one virtual meter on this machine",
    .usage = "ferraris meter [OPTION]...",
    .example = "ferraris meter --model ST402D --keys meter.keys --flash meter.flash\n"
               "ferraris meter --model SM307 --source record.cfg --fast-forward 2h --listen "
               "127.0.0.1:0\n"
               "ferraris meter --listen 127.0.0.1:4059 --listen udp://127.0.0.1:4059 --serial "
               "'pty?mode=e'",
    .run = run,
};
