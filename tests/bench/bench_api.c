/* The API over loopback: a 30-day curve (96 rows x 6 columns x 30 days) as JSON, its median and
 * 95th percentile with one client and with four at once; small requests per second; and how long
 * one event takes until the last of 2000 listeners has it. The clients are in this process, so
 * their share of the machine is in the figures. */
#include "tests/headend/api/api_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define N_CURVES    300
#define N_SMALL     5000
#define N_LISTENERS 2000
#define N_EVENTS    7

static struct rig rig;
static size_t curve_len;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_api: %s\n", what);
    exit(1);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct client { /* one kept-alive connection asking the same again and again */
    pthread_t thread;
    const char *path;
    int n;
    double took[N_SMALL];
};

static void *ask(void *context)
{
    struct client *c = context;
    char text[400];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n\r\n", c->path,
             rig.cookie);
    const int fd = http_connect(rig.port);
    must(fd >= 0, "no connection");
    for (int i = 0; i < c->n; i++) {
        struct http_answer a;
        const double start = now();
        must(http_send(fd, text, strlen(text)), "not sent");
        http_receive(fd, &a, false);
        c->took[i] = now() - start;
        must(a.status == 200, "no answer");
        curve_len = a.body_len;
        http_free(&a);
    }
    close(fd);
    return NULL;
}

static void measure(const char *what, const char *path, int n_clients, int n)
{
    static struct client c[4];
    static double all[4 * N_SMALL];
    const double start = now();
    for (int i = 0; i < n_clients; i++) {
        c[i].path = path;
        c[i].n = n / n_clients;
        must(pthread_create(&c[i].thread, NULL, ask, &c[i]) == 0, "no thread");
    }
    int total = 0;
    for (int i = 0; i < n_clients; i++) {
        pthread_join(c[i].thread, NULL);
        memcpy(all + total, c[i].took, (size_t)c[i].n * sizeof all[0]);
        total += c[i].n;
    }
    const double took = now() - start;
    qsort(all, (size_t)total, sizeof all[0], by_size);
    printf("%-34s %d at once  median %6.2f ms  p95 %6.2f ms  %7.0f/s  %zu octets\n", what,
           n_clients, all[total / 2] * 1e3, all[total * 95 / 100] * 1e3, total / took, curve_len);
}

/* Seconds from the event until the last listener has octets. */
static double broadcast(int epoll, int64_t meter)
{
    static struct epoll_event events[N_LISTENERS];
    char octets[512];
    const struct meter_event e = {METER_EVENT_REGISTERS, meter, 0, 0, 0};
    const double start = now();
    api_event(rig.api, &e);
    for (int left = N_LISTENERS; left > 0;) {
        const int n = epoll_wait(epoll, events, N_LISTENERS, 5000);
        must(n > 0, "a listener heard nothing");
        for (int i = 0; i < n; i++) /* one event is one small chunk */
            left -= recv(events[i].data.fd, octets, sizeof octets, MSG_DONTWAIT) > 0;
    }
    return now() - start;
}

static void listeners(void)
{
    static int fd[N_LISTENERS];
    double took[N_EVENTS];
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    const double start = now();
    for (int i = 0; i < N_LISTENERS; i++) {
        struct epoll_event e = {.events = EPOLLIN};
        fd[i] = e.data.fd = rig_listen(&rig);
        must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd[i], &e) == 0, "epoll");
    }
    const double opened = now() - start;
    for (int i = 0; i < N_EVENTS; i++) {
        usleep(600000); /* past the pace, so that the event goes at once */
        took[i] = broadcast(epoll, i + 1);
    }
    qsort(took, N_EVENTS, sizeof took[0], by_size);
    printf("%d listeners opened in %.2f s; one event to all: median %.1f ms, most %.1f ms\n",
           N_LISTENERS, opened, took[N_EVENTS / 2] * 1e3, took[N_EVENTS - 1] * 1e3);
    for (int i = 0; i < N_LISTENERS; i++)
        close(fd[i]);
    close(epoll);
}

int main(void)
{
    char curve[200];
    struct rlimit l;
    must(getrlimit(RLIMIT_NOFILE, &l) == 0, "no limit");
    l.rlim_cur = l.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &l) == 0, "no descriptors");
    rig_start(&rig, 0);
    must(rig_meter(&rig, "One", 30) == 1, "no meter");
    must(rig_sign_in(&rig, RIG_USER, RIG_PASSWORD) == 200, "no session");
    snprintf(curve, sizeof curve,
             "/api/v1/meters/1/profiles/1-0:99.1.0.255/values?from=%lld&to=%lld",
             (long long)RIG_FIRST_S, (long long)RIG_FIRST_S + 30 * 86400);
    measure("30 days x 96 rows x 6 columns", curve, 1, N_CURVES);
    measure("30 days x 96 rows x 6 columns", curve, 4, N_CURVES);
    measure("a meter's registers", "/api/v1/meters/1/registers", 1, N_SMALL);
    measure("a meter's registers", "/api/v1/meters/1/registers", 4, N_SMALL);
    if (l.rlim_cur >= 2 * N_LISTENERS + 1500)
        listeners();
    else
        printf("only %lu descriptors: no listeners\n", (unsigned long)l.rlim_cur);
    rig_stop(&rig);
    return 0;
}
