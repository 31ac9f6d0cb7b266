/* The API over loopback, its clients in the same process (their share of the machine is in the
 * figures): a 30-day curve (96 rows x 6 columns x 30 days) as JSON; a meter's registers; the list
 * of 10000 meters with 120 registers each; and events to 2000 listeners that are held open.
 *
 * Store in $TMPDIR or /tmp. */
#include "headend/api/api.h"
#include "headend/keys/meter_secret.h"
#include "headend/keys/password.h"
#include "headend/store/store.h"
#include "tests/bench/bench.h"
#include "tests/headend/api/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define N_CURVES    600
#define N_SMALL     5000
#define N_LISTS     40
#define N_METERS    10000
#define N_REGISTERS 120
#define N_BATCH     500 /* meters in a transaction */
#define N_DAYS      30
#define N_COLUMNS   6
#define N_CLIENTS   4
#define N_LISTENERS 2000
#define N_EVENTS    7
#define PASSWORD    "correct horse 7"
#define START_S     INT64_C(1795132800) /* 2026-11-20T00:00:00Z */

static char dir[BENCH_DIR], cookie[300];
static unsigned short port;
static struct store *store;
static struct server_clock the_clock;
static struct server_log the_log;
static struct seal_key key;
static struct api *api;
static size_t answer_len;

/* ---- the head-end around it ---- */

static void on_meter(void *context, int64_t meter)
{
    (void)context;
    (void)meter;
}

static bool on_state(void *context, int64_t meter, struct meter_state *out)
{
    (void)context;
    *out = (struct meter_state){
        .activity = METER_WAITING, .up_to_date = true, .next_ms = START_S * 1000 + meter};
    return true;
}

static void on_totals(void *context, struct collector_totals *out)
{
    (void)context;
    *out = (struct collector_totals){.n_meters = N_METERS};
}

static void must(enum err err, const char *what)
{
    bench_must(err == ERR_OK, what);
}

static void start(void)
{
    char hash[PASSWORD_HASH], why[300] = "";
    bench_dir_make(dir);
    the_clock = server_clock_system();
    the_log = (struct server_log){.clock = &the_clock};
    memset(key.octets, 7, sizeof key.octets);
    const struct store_options so = {.dir = dir, .clock = &the_clock};
    must(store_open(&store, &so, why, sizeof why), why);
    must(password_hash(PASSWORD, hash), "no hash");
    must(store_user_put(store, "admin", hash), "no user");
    const struct api_options o = {.listen = "127.0.0.1:0",
                                  .dir = dir,
                                  .key = &key,
                                  .clock = &the_clock,
                                  .log = &the_log,
                                  .hooks = {NULL, on_meter, on_meter, on_state, on_totals},
                                  .version = "0"};
    must(api_start(&api, &o, why, sizeof why), why);
    port = (unsigned short)atoi(strrchr(api_url(api), ':') + 1);
}

static void sign_in(void)
{
    static const char body[] = "{\"user\":\"admin\",\"password\":\"" PASSWORD "\"}";
    char text[400];
    struct http_answer a;
    const int n = snprintf(text, sizeof text,
                           "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\n"
                           "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                           sizeof body - 1, body);
    const int fd = http_connect(port);
    bench_must(fd >= 0 && http_send(fd, text, (size_t)n), "not signed in");
    http_receive(fd, &a, false);
    bench_must(a.status == 200, "not signed in");
    http_header(&a, "Set-Cookie", cookie, sizeof cookie);
    cookie[strcspn(cookie, ";")] = '\0';
    http_free(&a);
    close(fd);
}

/* ---- what is stored ---- */

/* As our meters have them: two energies that the list shows, and many more. */
static void make_registers(struct store_register *list)
{
    for (unsigned i = 0; i < N_REGISTERS; i++)
        list[i] = (struct store_register){.ln = {1, 0, (uint8_t)(1 + i / 2), i % 2 ? 8 : 7, 0, 255},
                                          .class_id = 3,
                                          .attribute = 2,
                                          .scaler = -1,
                                          .unit = i % 2 ? 30 : 27,
                                          .mul_num = 1,
                                          .mul_den = 1,
                                          .valid = i % 10 != 9,
                                          .value = 123456 + (int64_t)i * 7919,
                                          .at_ms = server_clock_utc_ms(&the_clock)};
}

static int64_t add_meter(unsigned number)
{
    static struct store_register list[N_REGISTERS];
    struct meter_secret secret = {.keys = {.has_guek = true, .has_gak = true}, .password = "p"};
    struct store_meter m = {.url = "tcp://127.0.0.1:4059",
                            .client_sap = 3,
                            .server_sap = 1,
                            .auth = STORE_AUTH_HLS5,
                            .timeout_ms = 10000,
                            .register_period_s = 60,
                            .ct_num = 1,
                            .ct_den = 1,
                            .vt_num = 1,
                            .vt_den = 1,
                            .enabled = true};
    snprintf(m.name, sizeof m.name, "Meter %05u", number);
    snprintf(m.place, sizeof m.place, "Street %u", number / 20);
    must(meter_secret_put(&key, &m, &secret), "keys");
    make_registers(list);
    must(store_meter_add(store, &m), "a meter");
    must(store_registers_define(store, m.id, list, N_REGISTERS), "registers");
    must(store_registers_put(store, m.id, list, N_REGISTERS), "values");
    return m.id;
}

static void add_meters(unsigned n)
{
    for (unsigned i = 1; i < n; i++) { /* the first is there */
        if (i % N_BATCH == 1)
            must(store_begin(store), "a transaction");
        (void)add_meter(i);
        if (i % N_BATCH == 0 || i == n - 1)
            must(store_commit(store, false), "a commit");
    }
}

/* Growing registers, waving intervals. */
static void add_curve(int64_t meter)
{
    static struct day_row rows[96];
    struct store_put put;
    struct store_profile p = {.meter = meter, .ln = {1, 0, 99, 1, 0, 255}, .period_s = 900};
    must(store_profile_find(store, &p), "a profile");
    struct store_layout l = {.profile = p.id, .period_s = 900, .n_columns = N_COLUMNS};
    for (unsigned c = 0; c < N_COLUMNS; c++)
        l.column[c] = (struct store_column){
            .ln = {1, 0, (uint8_t)(c < 4 ? c + 1 : c - 3), c < 4 ? 8 : 29, 0, 255},
            .class_id = 3,
            .attribute = 2,
            .unit = 30,
            .scaler = -1,
            .mul_num = 1,
            .mul_den = 1};
    must(store_layout_find(store, &l), "a layout");
    for (int64_t n = 0; n < N_DAYS * 96; n++) {
        struct day_row *row = &rows[n % 96];
        *row = (struct day_row){.stamp_s = START_S + n * 900, .zone = DAY_ZONE(60, 0)};
        for (unsigned c = 0; c < N_COLUMNS; c++)
            row->value[c] =
                c < 4 ? 1000000 + n * (120 + c) + (n * 7919) % 83 : 120 + (n * 7919) % 83;
        if (n % 96 == 95)
            must(store_rows_put(store, &l, rows, 96, &put), "rows");
    }
}

/* ---- requests ---- */

struct client { /* one kept-alive connection asking the same again and again */
    pthread_t thread;
    const char *path;
    unsigned n;
    double took[N_SMALL];
};

static void *ask(void *context)
{
    struct client *c = context;
    char text[700];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n", c->path,
             cookie);
    const int fd = http_connect(port);
    bench_must(fd >= 0, "no connection");
    for (unsigned i = 0; i < c->n; i++) {
        struct http_answer a;
        const double begin = bench_now_s();
        bench_must(http_send(fd, text, strlen(text)), "not sent");
        http_receive(fd, &a, false);
        c->took[i] = bench_now_s() - begin;
        bench_must(a.status == 200, "no answer");
        answer_len = a.body_len;
        http_free(&a);
    }
    close(fd);
    return NULL;
}

static void measure(const char *what, const char *path, unsigned n_clients, unsigned n)
{
    static struct client c[N_CLIENTS];
    static double all[N_CLIENTS * N_SMALL];
    char line[80];
    size_t total = 0;
    for (unsigned i = 0; i < n_clients; i++) {
        c[i].path = path;
        c[i].n = n / n_clients;
        bench_must(pthread_create(&c[i].thread, NULL, ask, &c[i]) == 0, "no thread");
    }
    for (unsigned i = 0; i < n_clients; i++) {
        pthread_join(c[i].thread, NULL);
        memcpy(all + total, c[i].took, c[i].n * sizeof all[0]);
        total += c[i].n;
    }
    snprintf(line, sizeof line, "%s, %u client%s", what, n_clients, n_clients > 1 ? "s" : "");
    bench_times(line, all, total);
}

static void bench_curve(int64_t meter)
{
    char path[200];
    snprintf(path, sizeof path,
             "/api/v1/meters/%lld/profiles/1-0:99.1.0.255/values?from=%lld&to=%lld",
             (long long)meter, (long long)START_S, (long long)START_S + N_DAYS * 86400);
    measure("30-day curve of 96 x 6", path, 1, N_CURVES);
    measure("30-day curve of 96 x 6", path, N_CLIENTS, N_CURVES);
    bench_size("  its answer", "octets", (double)answer_len);
}

static void bench_registers(int64_t meter)
{
    char path[80];
    snprintf(path, sizeof path, "/api/v1/meters/%lld/registers", (long long)meter);
    measure("registers of a meter", path, 1, N_SMALL);
    measure("registers of a meter", path, N_CLIENTS, N_SMALL);
}

static void bench_list(void)
{
    add_meters(N_METERS);
    measure("list of 10000 meters", "/api/v1/meters", 1, N_LISTS);
    bench_size("  its answer", "octets", (double)answer_len);
}

/* ---- listeners ---- */

static int listen_to_events(void)
{
    char text[500], answer[2048];
    const int fd = http_connect(port);
    const int n =
        snprintf(text, sizeof text,
                 "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n", cookie);
    bench_must(fd >= 0 && http_send(fd, text, (size_t)n), "a listener is refused");
    (void)http_wait(fd, answer, sizeof answer, "event: hello", 10000);
    bench_must(strstr(answer, "event: hello") != NULL, "a listener is not greeted");
    return fd;
}

/* Seconds from the event until the last listener has octets. */
static double broadcast(int epoll, int64_t meter)
{
    static struct epoll_event events[N_LISTENERS];
    char octets[512];
    const struct meter_event e = {METER_EVENT_REGISTERS, meter, 0, 0, 0};
    const double begin = bench_now_s();
    api_event(api, &e);
    for (int left = N_LISTENERS; left > 0;) {
        const int n = epoll_wait(epoll, events, N_LISTENERS, 5000);
        bench_must(n > 0, "a listener heard nothing");
        for (int i = 0; i < n; i++) /* one event is one small chunk */
            left -= recv(events[i].data.fd, octets, sizeof octets, MSG_DONTWAIT) > 0;
    }
    return bench_now_s() - begin;
}

static void bench_listeners(void)
{
    static int fd[N_LISTENERS];
    double took[N_EVENTS];
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const double begin = bench_now_s();
    for (int i = 0; i < N_LISTENERS; i++) {
        struct epoll_event e = {.events = EPOLLIN};
        fd[i] = e.data.fd = listen_to_events();
        bench_must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &e) == 0, "epoll");
    }
    const double opened = bench_now_s() - begin;
    for (int i = 0; i < N_EVENTS; i++) {
        usleep(600000); /* past the pace, so that the event goes at once */
        took[i] = 1e3 * broadcast(epoll, i + 1);
    }
    bench_size("SSE listeners held at once", "streams", N_LISTENERS);
    bench_size("  opened and greeted", "/s", N_LISTENERS / opened);
    bench_runs("  one event until the last has it", "ms", took, N_EVENTS);
    for (int i = 0; i < N_LISTENERS; i++)
        close(fd[i]);
    close(epoll);
}

int main(void)
{
    struct rlimit l;
    bench_must(getrlimit(RLIMIT_NOFILE, &l) == 0, "no limit");
    l.rlim_cur = l.rlim_max;
    bench_must(setrlimit(RLIMIT_NOFILE, &l) == 0, "no descriptors");
    bench_begin_headend("bench_api");
    start();
    sign_in();
    const int64_t meter = add_meter(0);
    add_curve(meter);
    bench_curve(meter);
    bench_registers(meter);
    if (l.rlim_cur >= 2 * N_LISTENERS + 500)
        bench_listeners();
    else
        printf("  too few open files allowed: no listeners\n");
    bench_list();
    api_stop(api);
    store_close(store);
    bench_dir_remove(dir);
    return 0;
}
