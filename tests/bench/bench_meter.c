/* How fast meters live at window level: days of meter time a second, one core, everything included
 * (a window and a snapshot a minute, rows, demand), on a flash in memory; with a plain network of
 * sines and with a household that is worked out anew each minute. */
#include "firmware/meter/meter.h"
#include "sim/source.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static double run(struct meter *m, const struct meter_config *config, struct source *source)
{
    memset(octets, 0xFF, size);
    bench_must(meter_init(m, config) == ERR_OK, "power-up");
    double begin = bench_now_s();
    source_clock(source, config->time_ns);
    for (unsigned minute = 0; minute < DAYS * 1440; minute++) {
        struct legal_window w;
        bench_must(source_window(source, 60, &w) == ERR_OK && meter_window(m, &w) == ERR_OK,
                   "window");
    }
    double seconds = bench_now_s() - begin;
    bench_must(m->fault == ERR_OK && m->profile[MODEL_LP1].last.number == DAYS * 96,
               "rows are missing");
    return DAYS / seconds;
}

static void bench(const char *what, const char *spec)
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
    bench_must(source_open(&source, spec, &o, error, sizeof error) == ERR_OK, error);
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
    bench_must(octets != NULL, "out of memory");
    for (size_t i = 0; i < N_RUNS; i++)
        result[i] = run(&m, &config, source);
    bench_runs(what, "meter-days/s", result, N_RUNS);
    free(octets);
    source_close(source);
}

int main(void)
{
    bench_begin("bench_meter");
    bench("window level, network of sines", "synth:phases=3,u=230,i=5,pf=0.9");
    bench("window level, household", "load:household");
    bench_size("struct meter", "octets", sizeof(struct meter));
    return 0;
}
