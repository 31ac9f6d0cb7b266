/* How fast meters live at window level: days of meter time a second, one core, everything included
 * (a window and a snapshot a minute, rows, demand), on a flash in memory; with a plain network of
 * sines and with a household that is worked out anew each minute.
 *
 * Prints the median of the runs and the spread from slowest to fastest. */
#include "firmware/meter/meter.h"
#include "sim/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_RUNS 7
#define DAYS   10

static uint8_t *octets;
static uint32_t size;

static enum err ram_read(const struct hal_flash *f, uint32_t addr, void *to, size_t n)
{
    (void)f;
    memcpy(to, octets + addr, n);
    return ERR_OK;
}

static enum err ram_program(const struct hal_flash *f, uint32_t addr, const void *from, size_t n)
{
    (void)f;
    memcpy(octets + addr, from, n);
    return ERR_OK;
}

static enum err ram_erase(const struct hal_flash *f, uint32_t sector)
{
    memset(octets + sector * f->sector_size, 0xFF, f->sector_size);
    return ERR_OK;
}

static enum err no_randomness(const struct hal_rng *r, void *to, size_t n)
{
    (void)r;
    (void)to;
    (void)n;
    return ERR_RNG;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void die(const char *what)
{
    fprintf(stderr, "bench_meter: %s\n", what);
    exit(1);
}

static double run(struct meter *m, const struct meter_config *config, struct source *source)
{
    memset(octets, 0xFF, size);
    if (meter_init(m, config) != ERR_OK)
        die("power-up");
    double begin = now_s();
    source_clock(source, config->time_ns);
    for (unsigned minute = 0; minute < DAYS * 1440; minute++) {
        struct legal_window w;
        if (source_window(source, 60, &w) != ERR_OK || meter_window(m, &w) != ERR_OK)
            die("window");
    }
    double seconds = now_s() - begin;
    if (m->fault != ERR_OK || m->profile.last.number != DAYS * 96)
        die("rows are missing");
    return DAYS / seconds;
}

static void bench(const char *spec)
{
    static struct meter m;
    struct source *source;
    struct source_info info;
    char error[200];
    const struct source_options o = {.repeat = true};
    const struct model_meter *model = model_meter_find("ST402D");
    const struct hal_flash flash = {.sector_size = METER_SECTOR_SIZE,
                                    .n_sectors = meter_n_sectors(model),
                                    .read = ram_read,
                                    .program = ram_program,
                                    .erase = ram_erase};
    const struct hal_rng rng = {.fill = no_randomness};
    double result[N_RUNS];
    if (source_open(&source, spec, &o, error, sizeof error) != ERR_OK)
        die(error);
    source_info_get(source, &info);
    const struct meter_config config = {.model = model,
                                        .serial = "0000000001",
                                        .flash = &flash,
                                        .rng = &rng,
                                        .time_ns = 1767225600 * METER_NS, /* 2026-01-01 */
                                        .u_lsb_fv = info.u_lsb_fv,
                                        .i_lsb_fa = info.i_lsb_fa};
    size = METER_SECTOR_SIZE * meter_n_sectors(model);
    octets = malloc(size);
    if (octets == NULL)
        die("out of memory");
    for (size_t i = 0; i < N_RUNS; i++)
        result[i] = run(&m, &config, source);
    qsort(result, N_RUNS, sizeof result[0], rising);
    printf("meter-days/s at window level: %.0f (%.0f .. %.0f)  %s\n", result[N_RUNS / 2], result[0],
           result[N_RUNS - 1], spec);
    free(octets);
    source_close(source);
}

int main(void)
{
    bench("synth:phases=3,u=230,i=5,pf=0.9");
    bench("load:household");
    printf("struct meter: %zu octets\n", sizeof(struct meter));
    return 0;
}
