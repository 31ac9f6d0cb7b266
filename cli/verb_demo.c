/* `ferraris demo`: the whole system on this machine, for as long as one looks at it.
 *
 *     start meters (a few at a time, each lives through its past)
 *       -> all listen: import their table into the head-end's store -> run the head-end
 *       -> it has read every backlog: address and password -> until Ctrl-C
 *
 * Meters and head-end are processes of their own, the same programs that one would start by hand,
 * and talk DLMS over TCP with keys made for this run. Everything lies in a temporary folder
 * (demo_system.h) but the head-end's data where --data names a folder to keep. */
#include "cli/cli.h"
#include "cli/demo_health.h"
#include "cli/demo_site.h"
#include "cli/demo_system.h"
#include "cli/keys_file.h"
#include "model/meters.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DAYS_MAX      36 /* MT371 keeps its quarter-hours so long */
#define TEN_S_A_DAY   8640
#define POLL_MS       100
#define HEALTH_MS     250
#define PERIOD_S      10   /* registers: often, there is somebody looking */
#define LIVING_SHARE  0.55 /* of the bar; the rest is the head-end's reading */
#define INTERRUPTED   130
#define CLIENT_SAP    3
#define HEADEND       "ferraris-headend"
#define IMPORTED_NAME "meters.csv"

struct demo_meter {
    const struct site_meter *site;
    struct demo_child *child; /* NULL: not started */
    double lived;             /* 0..1 */
    bool listening, mourned;
    char address[64];
    struct keys_file keys;
};

enum demo_stage { LIVING, IMPORTING, READING, UP };
struct demo {
    const struct cli_verb *verb;
    const char *listen, *data;
    uint64_t days, seed;
    struct demo_system system;
    enum demo_stage stage;
    struct demo_meter meter[SITE_METERS];
    struct demo_child *import, *headend;
    char self[SYSTEM_PATH], headend_path[SYSTEM_PATH], store[SYSTEM_PATH], table[SYSTEM_PATH];
    char where[128];              /* --listen, or the free port instead */
    char url[128], password[128]; /* as the head-end said them */
    struct health health;
    double begun_s, asked_s;
    unsigned told; /* per cent, where lines stand for a bar */
    bool terminal;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- places ---- */

/* The two programs lie side by side, in the build as when installed. */
static int find_programs(struct demo *d)
{
    const ssize_t n = readlink("/proc/self/exe", d->self, sizeof d->self - 1);
    d->self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(d->self, '/');
    const size_t folder = slash != NULL ? (size_t)(slash - d->self) : 0;
    if (folder + sizeof "/" HEADEND > sizeof d->headend_path)
        return cli_fail(d->verb, CLI_BUG, "the path of this program is too long");
    snprintf(d->headend_path, sizeof d->headend_path, "%.*s/" HEADEND, (int)folder, d->self);
    if (access(d->headend_path, X_OK) == 0)
        return -1;
    return cli_fail(d->verb, CLI_LOST,
                    "%s is not there: the demo needs the head-end beside ferraris",
                    d->headend_path);
}

/* The meters of a demo are new each time and would not fit those of an earlier one. */
static bool is_used(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    bool used = false;
    while (d != NULL && (e = readdir(d)) != NULL)
        used = used || (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0);
    if (d != NULL)
        closedir(d);
    return used;
}

static void choose_port(struct demo *d)
{
    const char *colon = strrchr(d->listen, ':');
    snprintf(d->where, sizeof d->where, "%s", d->listen);
    if (colon == NULL || !health_port_taken(d->listen))
        return;
    snprintf(d->where, sizeof d->where, "%.*s:0", (int)(colon - d->listen), d->listen);
    printf("%s is taken by another program; a free port instead\n", d->listen);
}

/* ---- meters ---- */

static void on_meter_line(void *context, struct demo_child *c, const char *line)
{
    static const char lived[] = "lived ", listening[] = "listening on ";
    struct demo_meter *m = context;
    (void)c;
    if (strncmp(line, lived, sizeof lived - 1) == 0)
        m->lived = strtod(line + sizeof lived - 1, NULL);
    if (strncmp(line, listening, sizeof listening - 1) != 0)
        return;
    snprintf(m->address, sizeof m->address, "%.60s", line + sizeof listening - 1);
    m->lived = 1;
    m->listening = true;
}

static int start_meter(struct demo *d, unsigned k)
{
    struct demo_meter *m = &d->meter[k];
    const struct site_meter *s = m->site;
    char keys[SYSTEM_PATH + 16], flash[SYSTEM_PATH + 16], past[32], seed[24], ct[24], vt[24];
    char error[640];
    snprintf(keys, sizeof keys, "%s/%u.keys", d->system.dir, k + 1);
    snprintf(flash, sizeof flash, "%s/%u.flash", d->system.dir, k + 1);
    snprintf(past, sizeof past, "%llud", (unsigned long long)d->days);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)d->seed * 100 + k + 1);
    snprintf(ct, sizeof ct, "%.9f", (double)s->ct_primary / s->ct_secondary);
    snprintf(vt, sizeof vt, "%.9f", (double)s->vt_primary / s->vt_secondary);
    if (keys_file_create(&m->keys, keys, error, sizeof error) != ERR_OK)
        return cli_fail(d->verb, CLI_BUG, "%s", error);
    const char *const words[] = {d->self,    "meter",
                                 "--model",  s->model,
                                 "--listen", "127.0.0.1:0",
                                 "--source", s->load,
                                 "--ct",     ct,
                                 "--vt",     vt,
                                 "--keys",   keys,
                                 "--flash",  flash,
                                 "--sync",   "--level",
                                 "window",   "--live-level",
                                 "sample",   "--fast-forward",
                                 past,       "--until",
                                 "now",      "--progress",
                                 "--seed",   seed,
                                 NULL};
    const struct demo_child how = {.name = s->name, .said = on_meter_line, .context = m};
    m->child = system_start(&d->system, &how, words);
    return m->child != NULL ? -1 : cli_fail(d->verb, CLI_BUG, "no process: %s", strerror(errno));
}

/* As many at a time as there are processors: each keeps one busy. */
static int start_more_meters(struct demo *d)
{
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    long busy = 0;
    int code = -1;
    for (unsigned k = 0; k < SITE_METERS; k++)
        busy += d->meter[k].child != NULL && !d->meter[k].listening;
    for (unsigned k = 0; k < SITE_METERS && code < 0 && busy < (cpus > 1 ? cpus : 2); k++) {
        if (d->meter[k].child != NULL)
            continue;
        code = start_meter(d, k);
        busy++;
    }
    return code;
}

static bool all_listen(const struct demo *d)
{
    bool all = true;
    for (unsigned k = 0; k < SITE_METERS; k++)
        all = all && d->meter[k].listening;
    return all;
}

static double lived(const struct demo *d)
{
    double sum = 0;
    for (unsigned k = 0; k < SITE_METERS; k++)
        sum += d->meter[k].lived / SITE_METERS;
    return sum;
}

/* ---- the head-end ---- */

static void write_hex(FILE *f, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%02x", p[i]);
}

static void write_row(FILE *f, const struct demo_meter *m)
{
    const struct site_meter *s = m->site;
    fprintf(f, "%s,tcp://%s,\"%s\",%d,1,hls5,authenc,10,%d,%u/%u,%u/%u,true,", s->name, m->address,
            s->place, CLIENT_SAP, PERIOD_S, s->ct_primary, s->ct_secondary, s->vt_primary,
            s->vt_secondary);
    write_hex(f, m->keys.keys.guek, sizeof m->keys.keys.guek);
    fputc(',', f);
    write_hex(f, m->keys.keys.gak, sizeof m->keys.keys.gak);
    fputs(",\n", f); /* no password: the client signs with its keys */
}

/* For its owner only, and only until the head-end has sealed the keys. */
static int write_table(struct demo *d)
{
    const int fd = open(d->table, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f == NULL)
        return cli_fail(d->verb, CLI_BUG, "%s: %s", d->table, strerror(errno));
    fputs("name,url,place,client,server,auth,security,timeout_s,register_period_s,ct,vt,enabled,"
          "guek,gak,password\n",
          f);
    for (unsigned k = 0; k < SITE_METERS; k++) {
        write_row(f, &d->meter[k]);
        wipe(&d->meter[k].keys, sizeof d->meter[k].keys);
    }
    const bool bad = ferror(f) != 0;
    if (fclose(f) != 0 || bad)
        return cli_fail(d->verb, CLI_BUG, "%s could not be written", d->table);
    return -1;
}

static int start_import(struct demo *d)
{
    const struct demo_child how = {.name = "import"};
    const int code = write_table(d);
    if (code >= 0)
        return code;
    const char *const words[] = {d->headend_path, "import", "--data", d->store, d->table, NULL};
    d->import = system_start(&d->system, &how, words);
    d->stage = IMPORTING;
    return d->import != NULL ? -1 : cli_fail(d->verb, CLI_BUG, "no process: %s", strerror(errno));
}

/* Copies the word after `mark`, wherever in the line it stands. */
static void take_after(const char *line, const char *mark, char *to, size_t size)
{
    const char *at = strstr(line, mark);
    if (at == NULL)
        return;
    at += strlen(mark);
    snprintf(to, size, "%.*s", (int)strcspn(at, " \t"), at);
}

static void on_headend_line(void *context, struct demo_child *c, const char *line)
{
    struct demo *d = context;
    (void)c;
    take_after(line, "admin password: ", d->password, sizeof d->password);
    take_after(line, "listening on ", d->url, sizeof d->url);
}

static int start_headend(struct demo *d)
{
    const struct demo_child how = {.name = "the head-end", .said = on_headend_line, .context = d};
    const char *const words[] = {d->headend_path, "run",    "--data", d->store,
                                 "--listen",      d->where, NULL};
    d->headend = system_start(&d->system, &how, words);
    d->stage = READING;
    return d->headend != NULL ? -1 : cli_fail(d->verb, CLI_BUG, "no process: %s", strerror(errno));
}

static void ask_health(struct demo *d)
{
    if (d->url[0] == '\0' || now_s() - d->asked_s < HEALTH_MS / 1000.0)
        return;
    struct health h;
    if (health_ask(d->url, &h))
        d->health = h;
    d->asked_s = now_s();
}

/* ---- what is said meanwhile ---- */

/* Rows of all load profiles of a site's meters after its past. */
static uint64_t rows_expected(const struct demo *d)
{
    uint64_t n = 0;
    for (unsigned k = 0; k < SITE_METERS; k++) {
        const struct model_meter *m = model_meter_find(d->meter[k].site->model);
        for (unsigned p = MODEL_LP1; m != NULL && p <= MODEL_LP4; p++) {
            const struct model_profile *of = &m->profile[p];
            const uint64_t rows = of->n_values > 0 ? d->days * TEN_S_A_DAY / of->period_s10 : 0;
            n += rows < of->depth ? rows : of->depth;
        }
    }
    return n;
}

static void show_progress(struct demo *d)
{
    static const char *const what[] = {[LIVING] = "eight meters live through their past",
                                       [IMPORTING] = "the head-end learns of them",
                                       [READING] = "the head-end reads the backlog"};
    const double expected = (double)rows_expected(d);
    const double read = expected > 0 ? (double)d->health.rows / expected : 1;
    const double done = LIVING_SHARE * lived(d) + (1 - LIVING_SHARE) * (read < 1 ? read : 1);
    if (d->terminal) {
        cli_progress(what[d->stage], done);
        return;
    }
    if ((unsigned)(done * 10) * 10 <= d->told && d->told > 0)
        return;
    printf("%3u %%  %s\n", (unsigned)(done * 100), what[d->stage]);
    fflush(stdout);
    d->told = (unsigned)(done * 10) * 10 + 1;
}

static void show_address(const struct demo *d)
{
    printf("\nFerraris is up after %.1f s: %d meters, %llu days, %llu rows read.\n\n"
           "    address   %s\n"
           "    user      admin\n",
           now_s() - d->begun_s, SITE_METERS, (unsigned long long)d->days,
           (unsigned long long)d->health.rows, d->url);
    if (d->password[0] != '\0')
        printf("    password  %s   (shown this once)\n", d->password);
    printf("\nLook at\n"
           "    Orchard Road 7    the roof exports at noon; zoom into a clear day\n"
           "    Market Square 1   closed on Sunday, cold counters run on; CT 150/5\n"
           "    Substation North  two humps a day, capacitive at night; CT 100/1, VT 20000/190\n"
           "    any meter         live values and phasors, new every %d s\n\n",
           PERIOD_S);
    if (d->data != NULL)
        printf("The head-end's data stay in %s.\n", d->data);
    printf("Ctrl-C stops everything.\n");
    fflush(stdout);
}

static void clear_bar(const struct demo *d)
{
    if (d->terminal)
        cli_progress_end();
}

/* ---- the course of things ---- */

static int lost(struct demo *d, const struct demo_child *c)
{
    char last[SYSTEM_LINE];
    clear_bar(d);
    system_epitaph(c, last, sizeof last);
    return cli_fail(d->verb, CLI_LOST, "%s: %s", c->name, last);
}

/* A meter that dies while all is up is told and missed; before that the demo is over. */
static int look_at_meters(struct demo *d)
{
    char last[SYSTEM_LINE];
    for (unsigned k = 0; k < SITE_METERS; k++) {
        struct demo_meter *m = &d->meter[k];
        if (m->child == NULL || !m->child->ended || m->mourned)
            continue;
        if (d->stage != UP)
            return lost(d, m->child);
        system_epitaph(m->child, last, sizeof last);
        fprintf(stderr, "%s: %s\n", m->child->name, last);
        m->mourned = true;
    }
    return -1;
}

static int end_import(struct demo *d)
{
    unlink(d->table);
    if (!WIFEXITED(d->import->status) || WEXITSTATUS(d->import->status) != 0)
        return lost(d, d->import);
    return start_headend(d);
}

/* One step; -1: go on, else the exit code. */
static int step(struct demo *d)
{
    int code = look_at_meters(d);
    if (code >= 0)
        return code;
    if (d->headend != NULL && d->headend->ended)
        return lost(d, d->headend);
    switch (d->stage) {
    case LIVING:
        return all_listen(d) ? start_import(d) : start_more_meters(d);
    case IMPORTING:
        return d->import->ended ? end_import(d) : -1;
    case READING:
        ask_health(d);
        if (d->health.up_to_date < SITE_METERS)
            return -1;
        d->stage = UP;
        clear_bar(d);
        show_address(d);
        return -1;
    case UP:
        break;
    }
    return -1;
}

static int course(struct demo *d)
{
    int code = -1;
    while (code < 0) {
        code = step(d);
        if (code < 0 && d->stage != UP)
            show_progress(d);
        if (code < 0)
            system_poll(&d->system, d->stage == UP ? 1000 : POLL_MS);
        if (code < 0 && d->system.interrupted)
            code = d->stage == UP ? CLI_DONE : INTERRUPTED;
    }
    clear_bar(d);
    return code;
}

static int live(struct demo *d)
{
    const int code = find_programs(d);
    if (code >= 0)
        return code;
    choose_port(d);
    d->begun_s = now_s();
    d->terminal = isatty(STDOUT_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
    if (!system_begin(&d->system, "ferraris-demo"))
        return cli_fail(d->verb, CLI_BUG, "no temporary folder: %s", strerror(errno));
    snprintf(d->table, sizeof d->table, "%.400s/" IMPORTED_NAME, d->system.dir);
    snprintf(d->store, sizeof d->store, "%.400s/headend", d->system.dir);
    if (d->data != NULL)
        snprintf(d->store, sizeof d->store, "%s", d->data);
    for (unsigned k = 0; k < SITE_METERS; k++)
        d->meter[k].site = &site_meters[k];
    const int end = course(d);
    if (d->terminal && d->system.interrupted)
        printf("\nstopping\n");
    fflush(stdout);
    system_end(&d->system);
    return end;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct demo *d = calloc(1, sizeof *d);
    if (d == NULL)
        return cli_fail(v, CLI_BUG, "out of memory");
    *d = (struct demo){.verb = v, .listen = "127.0.0.1:8080", .days = 35, .seed = 1};
    const struct cli_option options[] = {
        {"listen", CLI_TEXT, &d->listen, "HOST:PORT",
         "of the pages (default 127.0.0.1:8080; a free port where that is taken)"},
        {"days", CLI_UINT, &d->days, "N", "of history (default 35)"},
        {"data", CLI_TEXT, &d->data, "DIR",
         "new folder for the head-end's data, which stays (default: gone at the end)"},
        {"seed", CLI_UINT, &d->seed, "N", "other people, other weather"}};
    const char *words[1];
    size_t n;
    int code = cli_parse(v, options, sizeof options / sizeof options[0], argc, argv, words, 0, &n);
    if (code < 0 && d->days > DAYS_MAX)
        code = cli_fail(v, CLI_USAGE, "--days is at most %d", DAYS_MAX);
    if (code < 0 && strlen(d->listen) >= sizeof d->where)
        code = cli_fail(v, CLI_USAGE, "--listen is HOST:PORT");
    if (code < 0 && d->data != NULL && strlen(d->data) >= sizeof d->store)
        code = cli_fail(v, CLI_USAGE, "--data is too long");
    if (code < 0 && d->data != NULL && is_used(d->data))
        code = cli_fail(v, CLI_NO, "%s is not empty; the demo makes its data anew", d->data);
    if (code < 0)
        code = live(d);
    wipe(d, sizeof *d);
    free(d);
    return code;
}

const struct cli_verb verb_demo = {
    .name = "demo",
    .summary = "eight meters, their past, a head-end and its pages",
    .usage = "ferraris demo [OPTION]...",
    .example = "ferraris demo\n"
               "ferraris demo --days 7 --listen 127.0.0.1:0 --data ./kept",
    .run = run,
};
