/* What the head-end's collector does through the whole path: virtual meters in another process ->
 * TCP on loopback -> DLMS client -> rows -> day blocks in SQLite, with its syncs.
 *
 * First the backlog: N_METERS meters with N_DAYS of quarter hours each, read at once into an empty
 * store, ciphered and authenticated as on a real line. Then a fleet of FLEET rows (each of the
 * meters under many names, by password) whose registers are due all at once, over FLEET_LINES
 * connections: with an association for each reading, and with lines that are kept. A reading is one
 * value of one interval or one register.
 *
 * Both sides share the machine's cores, so a head-end alone is faster. Directory: $TMPDIR or /tmp.
 */
#include "firmware/meter/meter.h"
#include "firmware/ports/posix/tcp_server.h"
#include "headend/collect/collect_conn.h"
#include "headend/collect/collector.h"
#include "headend/keys/entropy.h"
#include "headend/keys/meter_secret.h"
#include "lib/cosem/session.h"
#include "sim/source.h"
#include "tests/bench/bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_METERS    8
#define N_DAYS      35
#define N_RUNS      5
#define FLEET       1000
#define FLEET_LINES (N_METERS * TCP_SERVER_CONNS)
#define PASSWORD    "bench-password"
#define START_S     INT64_C(1767225600) /* 2026-01-01 */

/* ---- the meters: a process of their own ---- */

struct station {
    struct hal_flash flash;
    uint8_t *octets;
    struct meter meter;
    struct tcp_server tcp;
    struct cosem_session session[TCP_SERVER_CONNS];
};
static struct station station[N_METERS];
static struct hal_rng rng;

static enum err ram_read(const struct hal_flash *f, uint32_t addr, void *to, size_t n)
{
    memcpy(to, (uint8_t *)f->context + addr, n);
    return ERR_OK;
}

static enum err ram_program(const struct hal_flash *f, uint32_t addr, const void *from, size_t n)
{
    memcpy((uint8_t *)f->context + addr, from, n);
    return ERR_OK;
}

static enum err ram_erase(const struct hal_flash *f, uint32_t sector)
{
    memset((uint8_t *)f->context + sector * f->sector_size, 0xFF, f->sector_size);
    return ERR_OK;
}

static struct dlms_keys the_keys(void)
{
    struct dlms_keys k = {.has_guek = true, .has_gak = true};
    memset(k.guek, 0x11, sizeof k.guek);
    memset(k.gak, 0x22, sizeof k.gak);
    return k;
}

static size_t flash_size(void)
{
    return (size_t)METER_SECTOR_SIZE * meter_n_sectors(model_meter_find("ST402D"));
}

static void power_up(struct station *s, const struct source_info *info, int64_t at_s)
{
    const struct meter_config config = {.model = model_meter_find("ST402D"),
                                        .serial = "0000000001",
                                        .flash = &s->flash,
                                        .rng = &rng,
                                        .keys = the_keys(),
                                        .password = PASSWORD,
                                        .time_ns = at_s * METER_NS,
                                        .u_lsb_fv = info->u_lsb_fv,
                                        .i_lsb_fa = info->i_lsb_fa};
    bench_must(meter_init(&s->meter, &config) == ERR_OK, "a meter does not start");
}

static void make_flash(struct station *s)
{
    s->octets = malloc(flash_size());
    bench_must(s->octets != NULL, "no memory");
    memset(s->octets, 0xFF, flash_size());
    s->flash = (struct hal_flash){.sector_size = METER_SECTOR_SIZE,
                                  .n_sectors = meter_n_sectors(model_meter_find("ST402D")),
                                  .context = s->octets,
                                  .read = ram_read,
                                  .program = ram_program,
                                  .erase = ram_erase};
}

/* One meter lives; the others get a copy of its flash. */
static void live(void)
{
    struct source *source;
    struct source_info info;
    char error[500];
    const struct source_options o = {.repeat = true};
    bench_must(source_open(&source, "synth:phases=3,u=230,i=5,pf=0.9", &o, error, sizeof error) ==
                   ERR_OK,
               error);
    source_info_get(source, &info);
    make_flash(&station[0]);
    power_up(&station[0], &info, START_S);
    for (unsigned minute = 0; minute < N_DAYS * 1440; minute++) {
        struct legal_window w;
        bench_must(source_window(source, 60, &w) == ERR_OK &&
                       meter_window(&station[0].meter, &w) == ERR_OK,
                   "a meter does not live");
    }
    bench_must(meter_power_fail(&station[0].meter) == ERR_OK, "a meter does not store");
    for (size_t i = 1; i < N_METERS; i++) {
        make_flash(&station[i]);
        memcpy(station[i].octets, station[0].octets, flash_size());
        power_up(&station[i], &info, START_S + N_DAYS * INT64_C(86400));
    }
    source_close(source);
}

static bool on_open(void *context, size_t i)
{
    struct station *s = context;
    session_init(&s->session[i], &s->meter.server);
    return true;
}

static size_t on_feed(void *context, size_t i, const uint8_t *p, size_t n)
{
    return session_feed(&((struct station *)context)->session[i], p, n);
}

static size_t on_take(void *context, size_t i, uint8_t *to, size_t size)
{
    return session_take(&((struct station *)context)->session[i], to, size);
}

static bool on_closed(void *context, size_t i, uint64_t now_ms)
{
    (void)now_ms;
    return session_closed(&((struct station *)context)->session[i]);
}

static void on_close(void *context, size_t i)
{
    session_close(&((struct station *)context)->session[i]);
}

static void serve(int tell)
{
    uv_loop_t loop;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    live();
    bench_must(uv_loop_init(&loop) == 0, "no loop");
    for (size_t i = 0; i < N_METERS; i++) {
        struct station *s = &station[i];
        const struct port_engine engine = {.context = s,
                                           .open = on_open,
                                           .feed = on_feed,
                                           .take = on_take,
                                           .closed = on_closed,
                                           .close = on_close};
        bench_must(tcp_server_listen(&s->tcp, &loop, "127.0.0.1:0", &engine) == ERR_OK, s->tcp.why);
        bench_must(write(tell, s->tcp.address, sizeof s->tcp.address) > 0, "no pipe");
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
}

static char address[N_METERS][sizeof((struct tcp_server *)0)->address];

static pid_t start_meters(void)
{
    int ends[2];
    bench_must(pipe(ends) == 0, "no pipe");
    const pid_t child = fork();
    bench_must(child >= 0, "no process");
    if (child == 0)
        serve(ends[1]);
    for (size_t i = 0; i < N_METERS; i++)
        bench_must(read(ends[0], address[i], sizeof address[i]) == sizeof address[i],
                   "the meters did not start");
    close(ends[0]);
    close(ends[1]);
    return child;
}

/* ---- the head-end: its clock is set to the meters' and can be put forward ---- */

static double began_s;
static int64_t ahead_ms;
static struct server_clock the_clock;
static struct server_log the_log;
static struct seal_key key;
static char dir[BENCH_DIR];
static struct collector *collector;
static struct collector_hooks hooks;

static uint64_t mono_ms(void *context)
{
    (void)context;
    return (uint64_t)(1000 * (bench_now_s() - began_s)) + (uint64_t)ahead_ms + 1000;
}

static int64_t utc_ms(void *context)
{
    return (START_S + N_DAYS * INT64_C(86400)) * 1000 + (int64_t)mono_ms(context);
}

static void add_meters(size_t n, bool ciphered)
{
    const struct store_options o = {.dir = dir, .clock = &the_clock};
    struct meter_secret secret = {.keys = the_keys(), .password = PASSWORD};
    struct store *s;
    char why[200];
    bench_must(store_open(&s, &o, why, sizeof why) == ERR_OK, why);
    bench_must(store_begin(s) == ERR_OK, "the store");
    for (size_t i = 0; i < n; i++) {
        struct store_meter m = {.server_sap = 1,
                                .client_sap = ciphered ? METER_SAP_READER_HLS : METER_SAP_READER,
                                .auth = ciphered ? STORE_AUTH_HLS5 : STORE_AUTH_LLS,
                                .security = ciphered ? DLMS_SC_AUTH | DLMS_SC_ENC : 0,
                                .timeout_ms = 60000,
                                .register_period_s = 60,
                                .ct_num = 1,
                                .ct_den = 1,
                                .vt_num = 1,
                                .vt_den = 1,
                                .enabled = true};
        snprintf(m.name, sizeof m.name, "meter %zu", i);
        snprintf(m.url, sizeof m.url, "tcp://%.60s", address[i % N_METERS]);
        bench_must(meter_secret_put(&key, &m, &secret) == ERR_OK &&
                       store_meter_add(s, &m) == ERR_OK,
                   "a meter cannot be added");
    }
    bench_must(store_commit(s, true) == ERR_OK, "the store");
    store_close(s);
}

static void start(uv_loop_t *loop, uint32_t lines)
{
    const struct collector_options o = {.loop = loop,
                                        .dir = dir,
                                        .key = &key,
                                        .clock = &the_clock,
                                        .log = &the_log,
                                        .rng = &rng,
                                        .max_connections = lines};
    char why[200];
    bench_must(collector_start(&collector, &o, why, sizeof why) == ERR_OK, why);
    hooks = collector_hooks(collector);
}

static void stop(uv_loop_t *loop)
{
    collector_stop(collector);
    uv_run(loop, UV_RUN_DEFAULT);
    collector_free(collector);
}

static bool is_read(int64_t id, int64_t since_ms)
{
    struct meter_state s;
    return hooks.state(hooks.context, id, &s) && s.up_to_date && s.last_ok_ms >= since_ms;
}

/* Until meters 1 to n were read after since_ms; gives the seconds. */
static double run(uv_loop_t *loop, size_t n, int64_t since_ms)
{
    const double begin = bench_now_s();
    hooks.read_now(hooks.context, -1); /* nobody: it looks at its clock */
    for (size_t i = 1; i <= n;) {
        uv_run(loop, UV_RUN_ONCE);
        while (i <= n && is_read((int64_t)i, since_ms))
            i++;
        bench_must(bench_now_s() - begin < 120, "the meters are not read");
    }
    return bench_now_s() - begin;
}

/* ---- figures ---- */

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void bench_backlog(void)
{
    double rows[N_RUNS], values[N_RUNS], own[N_RUNS], seconds[N_RUNS];
    for (size_t i = 0; i < N_RUNS; i++) {
        uv_loop_t loop;
        struct collector_totals totals;
        bench_must(uv_loop_init(&loop) == 0, "no loop");
        bench_dir_make(dir);
        add_meters(N_METERS, true);
        const double before = cpu_s();
        start(&loop, 0);
        seconds[i] = run(&loop, N_METERS, 1);
        hooks.totals(hooks.context, &totals);
        own[i] = (double)totals.n_values / (cpu_s() - before);
        bench_must(totals.n_rows == N_METERS * N_DAYS * UINT64_C(96), "rows are missing");
        rows[i] = (double)totals.n_rows / seconds[i];
        values[i] = (double)totals.n_values / seconds[i];
        stop(&loop);
        bench_must(uv_loop_close(&loop) == 0, "handles are left");
        bench_dir_remove(dir);
    }
    bench_runs("backlog of 8 meters, 35 days, ciphered", "readings/s", values, N_RUNS);
    bench_runs("  of them rows", "/s", rows, N_RUNS);
    bench_runs("  per second of the head-end's CPU", "readings/s", own, N_RUNS);
    bench_runs("  all up to date after", "s", seconds, N_RUNS);
}

static void bench_registers(size_t n, const char *what)
{
    double rate[N_RUNS], values[N_RUNS], own[N_RUNS];
    struct collector_totals before, after;
    uv_loop_t loop;
    bench_must(uv_loop_init(&loop) == 0, "no loop");
    bench_dir_make(dir);
    add_meters(n, false);
    start(&loop, FLEET_LINES);
    (void)run(&loop, n, 1);
    for (size_t i = 0; i < N_RUNS; i++) {
        hooks.totals(hooks.context, &before);
        ahead_ms += 61000;
        const double cpu = cpu_s();
        const double seconds = run(&loop, n, utc_ms(NULL));
        hooks.totals(hooks.context, &after);
        rate[i] = (double)n / seconds;
        values[i] = (double)(after.n_values - before.n_values) / seconds;
        own[i] = (double)(after.n_values - before.n_values) / (cpu_s() - cpu);
    }
    stop(&loop);
    bench_must(uv_loop_close(&loop) == 0, "handles are left");
    bench_dir_remove(dir);
    bench_runs(what, "readings/s", values, N_RUNS);
    bench_runs("  of them meters", "/s", rate, N_RUNS);
    bench_runs("  per second of the head-end's CPU", "readings/s", own, N_RUNS);
}

int main(void)
{
    bench_begin_headend("bench_collect");
    rng = entropy_rng();
    began_s = bench_now_s();
    the_clock = (struct server_clock){.utc_ms = utc_ms, .mono_ms = mono_ms};
    the_log = (struct server_log){.clock = &the_clock};
    memset(&key, 5, sizeof key);
    const pid_t meters = start_meters();
    bench_backlog();
    bench_registers(FLEET, "registers of 1000 meters over 128 lines");
    bench_registers(FLEET_LINES, "registers of 128 meters, lines kept open");
    bench_size("a connection's memory", "octets", sizeof(struct collect_conn));
    kill(meters, SIGKILL);
    waitpid(meters, NULL, 0);
    return 0;
}
