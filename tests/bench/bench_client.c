/* GET/s over loopback, client against server, beside a bare echo of the same octets through the
 * same loop: what of the time is ours and what the kernel's. Also the client and the server in one
 * process without a socket. */
#include "firmware/ports/posix/tcp_server.h"
#include "lib/cosem/client.h"
#include "tests/bench/bench.h"
#include "tests/lib/cosem/example.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUNS       7
#define N_LOOPBACK 4000
#define N_INSIDE   50000

static struct example x;
static struct cosem_client client;
static struct dlms_keys keys;
static struct dlms_counter counter;
static unsigned n_values;

/* ---- the other side: a process with a libuv loop ---- */

struct echo { /* answers each `in` octets with `out` octets of 0 */
    size_t in, out, have, due;
};
static struct echo echo;

static bool open_any(void *context, size_t i)
{
    (void)i;
    if (context == NULL)
        session_init(&x.session, &x.server);
    echo.have = echo.due = 0;
    return true;
}

static size_t feed_any(void *context, size_t i, const uint8_t *p, size_t n)
{
    (void)i;
    if (context == NULL)
        return session_feed(&x.session, p, n);
    echo.have += n;
    while (echo.have >= echo.in) {
        echo.have -= echo.in;
        echo.due += echo.out;
    }
    return n;
}

static size_t take_any(void *context, size_t i, uint8_t *to, size_t size)
{
    (void)i;
    if (context == NULL)
        return session_take(&x.session, to, size);
    const size_t n = echo.due < size ? echo.due : size;
    memset(to, 0, n);
    echo.due -= n;
    return n;
}

static bool closed_any(void *context, size_t i, uint64_t now_ms)
{
    (void)i;
    (void)now_ms;
    return context == NULL && session_closed(&x.session);
}

static void close_any(void *context, size_t i)
{
    (void)i;
    if (context == NULL)
        session_close(&x.session);
}

static void serve(bool bare, int tell)
{
    static struct tcp_server server;
    const struct tcp_server_engine engine = {.context = bare ? &echo : NULL,
                                             .open = open_any,
                                             .feed = feed_any,
                                             .take = take_any,
                                             .closed = closed_any,
                                             .close = close_any};
    uv_loop_t loop;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bench_must(uv_loop_init(&loop) == 0, "no loop");
    bench_must(tcp_server_listen(&server, &loop, "127.0.0.1:0", &engine) == ERR_OK, server.why);
    bench_must(write(tell, server.address, sizeof server.address) > 0, "no pipe");
    uv_run(&loop, UV_RUN_DEFAULT);
    _exit(0);
}

/* Starts the other side and connects; *child ends with SIGKILL. */
static int connect_to(bool bare, pid_t *child)
{
    char address[sizeof((struct tcp_server *)0)->address];
    struct sockaddr_in a = {.sin_family = AF_INET};
    const int one = 1;
    int ends[2];
    bench_must(pipe(ends) == 0, "no pipe");
    *child = fork();
    bench_must(*child >= 0, "no process");
    if (*child == 0)
        serve(bare, ends[1]);
    bench_must(read(ends[0], address, sizeof address) > 0, "the server did not start");
    close(ends[0]);
    close(ends[1]);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    bench_must(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "no connection");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void end_connection(int fd, pid_t child)
{
    close(fd);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* ---- this side ---- */

static void count(void *context, uint32_t index, enum cosem_result result)
{
    (void)context;
    (void)index;
    n_values += result == COSEM_SUCCESS;
}

/* One exchange over the socket, or with the session in this process (fd -1). */
static void finish(int fd, size_t *sent, size_t *received)
{
    uint8_t octets[4096];
    while (cosem_client_waiting(&client)) {
        const size_t n = cosem_client_take(&client, octets, sizeof octets);
        *sent = n;
        if (fd < 0)
            bench_must(session_feed(&x.session, octets, n) == n, "the session stopped");
        else
            bench_must(send(fd, octets, n, MSG_NOSIGNAL) == (ssize_t)n, "the line broke");
        const ssize_t m = fd < 0 ? (ssize_t)session_take(&x.session, octets, sizeof octets)
                                 : recv(fd, octets, sizeof octets, 0);
        bench_must(m > 0, "no answer");
        *received = (size_t)m;
        (void)cosem_client_feed(&client, 0, octets, (size_t)m);
    }
    bench_must(client.state == CLIENT_READY, "the client failed");
}

static void associate(int fd, bool ciphered)
{
    struct cosem_client_config k = {.client_sap = ciphered ? SAP_MANAGER : SAP_READER,
                                    .server_sap = 1,
                                    .mechanism =
                                        ciphered ? DLMS_MECHANISM_HLS5 : DLMS_MECHANISM_LLS,
                                    .security = ciphered ? DLMS_SC_AUTH | DLMS_SC_ENC : 0,
                                    .keys = &keys,
                                    .counter = &counter,
                                    .password = EXAMPLE_PASSWORD,
                                    .rng = &x.rng};
    size_t sent, received;
    memcpy(k.title, example_client_title, sizeof k.title);
    bench_must(cosem_client_init(&client, &k) == ERR_OK, "bad configuration");
    bench_must(cosem_client_connect(&client, 0) == ERR_OK, "cannot begin");
    finish(fd, &sent, &received);
}

static double gets(int fd, unsigned n, size_t *sent, size_t *received)
{
    const struct apdu_attr attr = {.class_id = 3, .ln = {1, 0, 1, 8, 0, 255}, .id = 2};
    const struct cosem_client_sink sink = {.done = count};
    const double start = bench_now_s();
    n_values = 0;
    for (unsigned i = 0; i < n; i++) {
        bench_must(cosem_client_get(&client, 0, &attr, &sink) == ERR_OK, "cannot begin");
        finish(fd, sent, received);
    }
    bench_must(n_values == n, "a value is missing");
    return n / (bench_now_s() - start);
}

static double echoes(int fd, unsigned n)
{
    uint8_t octets[4096] = {0};
    const double start = bench_now_s();
    for (unsigned i = 0; i < n; i++) {
        bench_must(send(fd, octets, echo.in, MSG_NOSIGNAL) == (ssize_t)echo.in, "the line broke");
        for (size_t got = 0; got < echo.out;) {
            const ssize_t m = recv(fd, octets, sizeof octets, 0);
            bench_must(m > 0, "no echo");
            got += (size_t)m;
        }
    }
    return n / (bench_now_s() - start);
}

static void bench_inside(const char *what, bool ciphered)
{
    double rate[RUNS];
    size_t sent, received;
    example_init(&x);
    counter = (struct dlms_counter){.next = 1};
    associate(-1, ciphered);
    for (unsigned i = 0; i < RUNS; i++)
        rate[i] = gets(-1, N_INSIDE, &sent, &received);
    bench_runs(what, "/s", rate, RUNS);
}

static void bench_loopback(const char *what, bool ciphered)
{
    double rate[RUNS], bare[RUNS], share[RUNS];
    pid_t server, parrot;
    example_init(&x);
    counter = (struct dlms_counter){.next = 1};
    const int fd = connect_to(false, &server);
    associate(fd, ciphered);
    (void)gets(fd, 1, &echo.in, &echo.out); /* the echo's process is born with these lengths */
    const int echo_fd = connect_to(true, &parrot);
    for (unsigned i = 0; i < RUNS; i++) { /* in turn: a busy machine slows both alike */
        rate[i] = gets(fd, N_LOOPBACK, &echo.in, &echo.out);
        bare[i] = echoes(echo_fd, N_LOOPBACK);
        share[i] = 100 * rate[i] / bare[i];
    }
    end_connection(fd, server);
    end_connection(echo_fd, parrot);
    bench_runs(what, "/s", rate, RUNS);
    bench_runs("  the same octets echoed", "/s", bare, RUNS);
    bench_runs("  of the echo's rate", "%", share, RUNS);
    bench_size("  octets out and back", "octets", (double)(echo.in + echo.out));
}

int main(void)
{
    bench_begin("bench_client");
    memcpy(keys.guek, example_guek, sizeof keys.guek);
    memcpy(keys.gak, example_gak, sizeof keys.gak);
    keys.has_guek = keys.has_gak = true;
    bench_inside("GET register, both in one process, plain", false);
    bench_inside("GET register, both in one process, ciphered", true);
    bench_loopback("GET register over loopback, plain", false);
    bench_loopback("GET register over loopback, ciphered", true);
    bench_size("client", "octets", sizeof(struct cosem_client));
    return 0;
}
