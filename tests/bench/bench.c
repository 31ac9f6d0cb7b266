#include "tests/bench/bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define N_FSYNC 200

double bench_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void bench_must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static int rising(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- figures ---- */

/* Three digits that count, no fraction of large numbers. */
static int places(double v)
{
    return v == 0 || fabs(v) >= 100 ? 0 : fabs(v) >= 10 ? 1 : fabs(v) >= 1 ? 2 : 3;
}

static void print_figure(const char *what, const char *unit, double v)
{
    printf("  %-50s %12.*f %-12s", what, places(v), v, unit);
}

void bench_size(const char *what, const char *unit, double value)
{
    printf("  %-50s %12.*f %s\n", what, places(value), value, unit);
    (void)fflush(stdout);
}

void bench_runs(const char *what, const char *unit, double *value, size_t n)
{
    qsort(value, n, sizeof *value, rising);
    const double least = value[0], most = value[n - 1];
    print_figure(what, unit, value[n / 2]);
    printf(" (%.*f .. %.*f, %zu runs)\n", places(least), least, places(most), most, n);
    (void)fflush(stdout);
}

void bench_times(const char *what, double *seconds, size_t n)
{
    qsort(seconds, n, sizeof *seconds, rising);
    const double p50 = 1e3 * seconds[n / 2], most = 1e3 * seconds[n - 1];
    print_figure(what, "ms p95", 1e3 * seconds[n * 95 / 100]);
    printf(" (p50 %.*f, most %.*f, %zu requests)\n", places(p50), p50, places(most), most, n);
    (void)fflush(stdout);
}

/* ---- the machine ---- */

static void print_machine(const char *name)
{
    double load = 0;
    (void)getloadavg(&load, 1);
    printf("%s: %ld cores, load average %.2f", name, sysconf(_SC_NPROCESSORS_ONLN), load);
}

void bench_begin(const char *name)
{
    print_machine(name);
    putchar('\n');
    (void)fflush(stdout);
}

static double fsync_p50_ms(void)
{
    static const char page[4096];
    static double t[N_FSYNC];
    char dir[BENCH_DIR], path[BENCH_DIR + 8];
    bench_dir_make(dir);
    snprintf(path, sizeof path, "%s/fsync", dir);
    const int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    bench_must(fd >= 0, "no file for fsync");
    for (size_t k = 0; k < N_FSYNC; k++) {
        const double begin = bench_now_s();
        bench_must(write(fd, page, sizeof page) == sizeof page && fdatasync(fd) == 0, "no fsync");
        t[k] = bench_now_s() - begin;
    }
    close(fd);
    bench_dir_remove(dir);
    qsort(t, N_FSYNC, sizeof t[0], rising);
    return 1e3 * t[N_FSYNC / 2];
}

void bench_begin_headend(const char *name)
{
    struct rlimit l = {0};
    bench_must(getrlimit(RLIMIT_NOFILE, &l) == 0, "no limit of files");
    print_machine(name);
    printf(", %llu files open at most, fsync p50 %.2f ms\n", (unsigned long long)l.rlim_cur,
           fsync_p50_ms());
    (void)fflush(stdout);
}

/* ---- directories ---- */

void bench_dir_make(char dir[BENCH_DIR])
{
    const char *base = getenv("TMPDIR");
    snprintf(dir, BENCH_DIR, "%.40s/bench-XXXXXX", base != NULL ? base : "/tmp");
    bench_must(mkdtemp(dir) != NULL, "no directory");
}

void bench_dir_remove(const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_name[0] != '.')
            unlink(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(dir);
}
