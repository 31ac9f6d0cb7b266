/* `ferraris demo`: a virtual meter lives a day before one's eyes, then the client reads it.
 *
 * The meter is a child process of its own, this same program with the verb `meter`, and is spoken
 * to over DLMS like any other. Its memory and keys lie in a temporary folder. Both are gone when
 * the verb ends, also after Ctrl-C; should this process be killed, the kernel ends the meter. */
#include "cli/client_profile.h"

#include "lib/base/civil.h"
#include "lib/dlms/datetime.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS   150
#define BAR_WIDTH 30

struct demo {
    const struct cli_verb *verb;
    const char *model;
    uint64_t speed, hours, seed;
    char dir[64], flash[96], keys[96], url[96];
    pid_t meter; /* 0: none */
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_interrupt};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

/* ---- the meter ---- */

/* Midnight of yesterday in the meter's winter time: a whole day lies before it. */
static void start_time(char out[32])
{
    const int64_t day = (int64_t)time(NULL) / 86400 * 86400;
    const struct civil c = civil_from_seconds(day - 86400 - 3600);
    snprintf(out, 32, "%04d-%02u-%02uT%02u:00:00Z", (int)c.year, c.month, c.day, c.hour);
}

static void become_meter(const struct demo *d, int out)
{
    char start[32], speed[24], seed[24];
    start_time(start);
    snprintf(speed, sizeof speed, "%llu", (unsigned long long)d->speed);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)d->seed);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setpgid(0, 0); /* Ctrl-C is for the demo, which ends its meter itself */
    dup2(out, STDOUT_FILENO);
    execl("/proc/self/exe", "ferraris", "meter", "--model", d->model, "--listen", "127.0.0.1:0",
          "--level", "window", "--flash", d->flash, "--keys", d->keys, "--start", start, "--speed",
          speed, "--seed", seed, (char *)NULL);
    _exit(127);
}

/* Reads the meter's words until it says where it listens. */
static int wait_for_address(struct demo *d, int in)
{
    static const char listening[] = "listening on ";
    char line[128];
    FILE *f = fdopen(in, "r");
    int code = CLI_BUG;
    while (f != NULL && code != LINK_OK && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, listening, sizeof listening - 1) == 0) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(d->url, sizeof d->url, "tcp://%.80s", line + sizeof listening - 1);
            code = LINK_OK;
        }
    if (f != NULL)
        fclose(f);
    if (interrupted)
        return CLI_DONE;
    return code == LINK_OK ? code : cli_fail(d->verb, CLI_LOST, "the meter did not start");
}

static int start_meter(struct demo *d)
{
    int ends[2];
    if (pipe(ends) != 0)
        return cli_fail(d->verb, CLI_BUG, "no pipe: %s", strerror(errno));
    d->meter = fork();
    if (d->meter == 0) {
        close(ends[0]);
        become_meter(d, ends[1]);
    }
    close(ends[1]);
    if (d->meter < 0) {
        close(ends[0]);
        d->meter = 0;
        return cli_fail(d->verb, CLI_BUG, "no process: %s", strerror(errno));
    }
    return wait_for_address(d, ends[0]);
}

static void stop_meter(struct demo *d)
{
    char state[112];
    if (d->meter > 0) {
        kill(d->meter, SIGTERM);
        while (waitpid(d->meter, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    snprintf(state, sizeof state, "%s.state", d->keys);
    unlink(state);
    unlink(d->keys);
    unlink(d->flash);
    rmdir(d->dir);
}

static int make_dir(struct demo *d)
{
    const char *base = getenv("TMPDIR");
    if (base == NULL || strlen(base) > 32)
        base = "/tmp";
    snprintf(d->dir, sizeof d->dir, "%s/ferraris-demo-XXXXXX", base);
    if (mkdtemp(d->dir) == NULL)
        return cli_fail(d->verb, CLI_BUG, "no folder in %s: %s", base, strerror(errno));
    snprintf(d->flash, sizeof d->flash, "%s/meter.flash", d->dir);
    snprintf(d->keys, sizeof d->keys, "%s/meter.keys", d->dir);
    return LINK_OK;
}

/* ---- its day ---- */

struct moment {
    int64_t utc;
    char time[DATETIME_TEXT];
    double power_w, energy_wh;
};

static int read_value(struct link *l, const struct apdu_attr *attr, struct blob *room)
{
    enum cosem_result result = COSEM_OTHER_REASON;
    const int code = link_get(l, attr, room, &result, NULL);
    if (code == LINK_OK && result != COSEM_SUCCESS)
        return cli_fail(l->verb, CLI_NO, "the meter refused: %s", cosem_result_text(result));
    return code;
}

static int read_register(struct link *l, const struct apdu_attr *attr, struct blob *room,
                         double *out)
{
    struct value_unit unit;
    int code = object_unit(l, attr, &unit);
    if (code == LINK_OK)
        code = read_value(l, attr, room);
    struct rd r = rd_of(room->p, room->len);
    json_t *raw = code == LINK_OK ? value_json(&r) : NULL;
    json_t *scaled = raw != NULL ? value_scaled(raw, unit.scaler) : NULL;
    *out = value_number(scaled);
    json_decref(scaled);
    json_decref(raw);
    return code;
}

static int read_moment(struct link *l, struct moment *m)
{
    static const struct apdu_attr clock = {.class_id = 8, .ln = {0, 0, 1, 0, 0, 255}, .id = 2};
    static const struct apdu_attr power = {.class_id = 3, .ln = {1, 0, 1, 7, 0, 255}, .id = 2};
    static const struct apdu_attr energy = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 2};
    struct blob room = {0};
    struct datetime t;
    int code = read_register(l, &power, &room, &m->power_w);
    if (code == LINK_OK)
        code = read_register(l, &energy, &room, &m->energy_wh);
    if (code == LINK_OK)
        code = read_value(l, &clock, &room);
    if (code == LINK_OK) {
        struct rd r = rd_of(room.p, room.len);
        datetime_get(&r, &t);
        if (r.err || datetime_to_utc(&t, 0, &m->utc) != ERR_OK)
            code = cli_fail(l->verb, CLI_BAD_DATA, "the meter's time is not complete");
        else
            datetime_text(&t, m->time);
    }
    blob_free(&room);
    return code;
}

static void draw_moment(const struct moment *m, double peak_w, bool terminal)
{
    const int full = peak_w > 0 ? (int)(m->power_w / peak_w * BAR_WIDTH) : 0;
    printf("%s%s  %8.0f W  ", terminal ? "\r" : "", m->time, m->power_w);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputs(i < full ? "█" : "·", stdout);
    printf("  %9.3f kWh%s", m->energy_wh / 1000, terminal ? "" : "\n");
    fflush(stdout);
}

static int watch_day(struct demo *d, struct link *l)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    struct moment m = {0};
    double peak_w = 0;
    int64_t shown = 0, end = 0;
    int code = LINK_OK;
    while (code == LINK_OK && !interrupted && (end == 0 || m.utc < end)) {
        code = read_moment(l, &m);
        if (code != LINK_OK)
            break;
        if (end == 0)
            end = m.utc + (int64_t)d->hours * 3600;
        peak_w = m.power_w > peak_w ? m.power_w : peak_w;
        if (terminal || m.utc - shown >= 3600) {
            draw_moment(&m, peak_w, terminal);
            shown = m.utc;
        }
        nanosleep(&step, NULL);
    }
    if (terminal)
        putchar('\n');
    return code;
}

static int show_profile(struct demo *d, struct link *l)
{
    static const uint8_t profile_ln[6] = {1, 0, 99, 1, 0, 255};
    const struct profile_wish wish = {.newest = (uint32_t)(d->hours * 4)};
    struct profile_view p;
    const int code = profile_read(l, profile_ln, &wish, &p);
    if (code == LINK_OK) {
        printf("\nLoad profile 1, read over DLMS (HLS 5, authenticated encryption):\n\n");
        profile_print(&p, 12, stdout);
        putchar('\n');
        (void)profile_curve(&p, -1, stdout); /* without rows there is nothing to draw */
    }
    profile_free(&p);
    return code;
}

static int live(struct demo *d)
{
    const struct link_options o = {.auth = "hls5", .server = 1, .timeout_s = 10, .keys = d->keys};
    struct keys_file keys;
    struct link l;
    char error[640];
    if (keys_file_create(&keys, d->keys, error, sizeof error))
        return cli_fail(d->verb, CLI_BUG, "%s", error);
    wipe(&keys, sizeof keys);
    int code = start_meter(d);
    if (code != LINK_OK)
        return code;
    printf("A virtual %s lives %llu hours at %llu times the speed of life; %s\n\n", d->model,
           (unsigned long long)d->hours, (unsigned long long)d->speed, d->url);
    code = link_open(&l, d->verb, d->url, &o);
    if (code == LINK_OK)
        code = watch_day(d, &l);
    if (code == LINK_OK && !interrupted)
        code = show_profile(d, &l);
    link_close(&l);
    return code == LINK_OK ? CLI_DONE : code;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
    struct demo d = {.verb = v, .model = "ST402D", .speed = 7200, .hours = 24, .seed = 1};
    const struct cli_option options[] = {
        {"model", CLI_TEXT, &d.model, "NAME", "which meter (default ST402D)"},
        {"speed", CLI_UINT, &d.speed, "N", "meter seconds in a second (default 7200)"},
        {"hours", CLI_UINT, &d.hours, "N", "how long it lives (default 24)"},
        {"seed", CLI_UINT, &d.seed, "N", "another household"}};
    const char *words[1];
    size_t n;
    int code = cli_parse(v, options, sizeof options / sizeof options[0], argc, argv, words, 0, &n);
    if (code >= 0)
        return code;
    if (d.speed < 1 || d.speed > 1000000 || d.hours < 1 || d.hours > 240)
        return cli_fail(v, CLI_USAGE, "--speed is 1 to 1000000, --hours 1 to 240");
    catch_signals();
    code = make_dir(&d);
    if (code != LINK_OK)
        return code;
    code = live(&d);
    stop_meter(&d);
    return code;
}

const struct cli_verb verb_demo = {
    .name = "demo",
    .summary = "a meter lives a day before your eyes and is read",
    .usage = "ferraris demo [OPTION]...",
    .example = "ferraris demo\n"
               "ferraris demo --model SM307 --speed 20000",
    .run = run,
};
