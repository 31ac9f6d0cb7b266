/* What the head-end's store does: readings a second through the whole path (rows in, merge, block,
 * totals, index, one synced commit a batch), the same again (nothing may be written), octets on
 * disk per reading with indexes and totals, and how long a 30-day curve takes to fetch and decode.
 *
 * The data: 15-minute load profiles of 6 columns as our meters have them, of households with noise
 * in each interval; registers of energy and the energies of the interval, which differ. Meters come
 * in scattered order, day after day, as a fleet is read. A reading is one value of one interval.
 *
 * Load average and the time of one fsync on the same disk stand beside the figures, which mean
 * little without. Directory: $TMPDIR or /tmp. */
#include "headend/store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define N_METERS  10000
#define N_DAYS    5
#define N_BATCH   100 /* meters in a transaction */
#define N_COLUMNS 6
#define N_ROWS    96
#define FIRST_DAY 20700
#define N_FSYNC   200
#define N_CURVES  2000
#define CURVE_DAY 30

static char dir[64];
static struct store *s;
static struct server_clock the_clock;
static struct store_layout layout[N_METERS];

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

static void must(enum err err)
{
    if (err == ERR_OK)
        return;
    fprintf(stderr, "bench_store: %s: %s\n", err_text(err), s ? store_why(s) : "");
    exit(1);
}

static uint32_t random_u32(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Wh of an interval: the night low, morning and evening high, no two the same. */
static int64_t energy_wh(uint32_t meter, uint32_t at, uint64_t *state)
{
    double hour = at / 4.0;
    double shape = 60 + 90 * exp(-pow(hour - 7.5, 2) / 4) + 160 * exp(-pow(hour - 19, 2) / 8);
    return (int64_t)(shape * (0.5 + 0.1 * (meter % 10)) * (0.5 + random_u32(state) % 1000 / 1e3));
}

/* 1.8.0, 2.8.0, 3.8.0, 4.8.0 as registers, 1.29.0 and 2.29.0 as energies of the interval; every
 * tenth has a roof and exports by day. */
static void make_day(uint32_t meter, int64_t day, struct day_row *rows)
{
    uint64_t state = meter * UINT64_C(7919) + (uint64_t)day;
    int64_t reg[4] = {50000000 + meter * 1000 + (day - FIRST_DAY) * 12000,
                      meter % 10 ? 0 : 900000 + (day - FIRST_DAY) * 5000,
                      7000000 + (day - FIRST_DAY) * 3000, 2000000 + (day - FIRST_DAY) * 900};
    for (uint32_t at = 0; at < N_ROWS; at++) {
        int64_t wh = energy_wh(meter, at, &state);
        int64_t out = meter % 10 || at < 32 || at > 72 ? 0 : 100 + random_u32(&state) % 300;
        reg[0] += wh;
        reg[1] += out;
        reg[2] += wh / 4 + random_u32(&state) % 8;
        reg[3] += random_u32(&state) % 20;
        rows[at] = (struct day_row){.stamp_s = day * DAY_S + at * 900, .zone = DAY_ZONE(60, 0)};
        memcpy(rows[at].value, reg, sizeof reg);
        rows[at].value[4] = wh;
        rows[at].value[5] = out;
    }
}

/* ---- the directory ---- */

static void open_store(void)
{
    char why[200] = "";
    the_clock = server_clock_system();
    struct store_options o = {.dir = dir, .clock = &the_clock};
    if (store_open(&s, &o, why, sizeof why) != ERR_OK) {
        fprintf(stderr, "bench_store: %s\n", why);
        exit(1);
    }
}

static void make_directory(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%.40s/bench-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir))
        exit(1);
}

static void remove_directory(void)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        unlink(path);
    }
    closedir(d);
    rmdir(dir);
}

static double size_of(const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) == 0 ? (double)st.st_size : 0;
}

static void print_machine(void)
{
    double load = 0, t[N_FSYNC];
    char path[128], page[4096] = "";
    getloadavg(&load, 1);
    snprintf(path, sizeof path, "%s/fsync", dir);
    int fd = open(path, O_CREAT | O_RDWR, 0600);
    for (unsigned k = 0; k < N_FSYNC; k++) {
        double begin = now_s();
        if (write(fd, page, sizeof page) != sizeof page || fdatasync(fd) != 0)
            exit(1);
        t[k] = now_s() - begin;
    }
    close(fd);
    qsort(t, N_FSYNC, sizeof t[0], rising);
    printf("%-44s %12.1f us  (load average %.2f)\n", "append of 4 kB + fdatasync, p50",
           1e6 * t[N_FSYNC / 2], load);
}

/* ---- the figures ---- */

static void make_meters(void)
{
    must(store_begin(s));
    for (uint32_t k = 0; k < N_METERS; k++) {
        struct store_meter m = {.url = "tcp://127.0.0.1:4059",
                                .client_sap = 3,
                                .ct_num = 1,
                                .ct_den = 1,
                                .vt_num = 1,
                                .vt_den = 1};
        snprintf(m.name, sizeof m.name, "meter %u", k);
        must(store_meter_add(s, &m));
        struct store_profile p = {.meter = m.id, .ln = {1, 0, 99, 1, 0, 255}, .period_s = 900};
        must(store_profile_find(s, &p));
        struct store_layout *l = &layout[k];
        *l = (struct store_layout){.profile = p.id, .period_s = 900, .n_columns = N_COLUMNS};
        for (uint32_t c = 0; c < N_COLUMNS; c++)
            l->column[c] = (struct store_column){
                .ln = {1, 0, (uint8_t)(c < 4 ? c + 1 : c - 3), c < 4 ? 8 : 29, 0, 255},
                .class_id = 3,
                .attribute = 2,
                .unit = 30,
                .mul_num = 1,
                .mul_den = 1};
        must(store_layout_find(s, l));
    }
    must(store_commit(s, true));
}

/* One day of every meter, in scattered order, N_BATCH to a transaction; the making of the rows is
 * not in the time. */
static double put_day(int64_t day, uint64_t *n_new, uint64_t *n_blocks)
{
    static struct day_row rows[N_BATCH][N_ROWS];
    double spent = 0;
    for (uint32_t from = 0; from < N_METERS; from += N_BATCH) {
        for (uint32_t k = 0; k < N_BATCH; k++)
            make_day((from + k) * 7919 % N_METERS, day, rows[k]);
        double begin = now_s();
        must(store_begin(s));
        for (uint32_t k = 0; k < N_BATCH; k++) {
            struct store_put put;
            must(store_rows_put(s, &layout[(from + k) * 7919 % N_METERS], rows[k], N_ROWS, &put));
            *n_new += put.n_new;
            *n_blocks += put.n_blocks;
        }
        must(store_commit(s, true));
        spent += now_s() - begin;
    }
    return spent;
}

static void print_rate(const char *what, double t[N_DAYS])
{
    double rate[N_DAYS];
    for (unsigned d = 0; d < N_DAYS; d++)
        rate[d] = (double)N_METERS * N_ROWS * N_COLUMNS / t[d];
    qsort(rate, N_DAYS, sizeof rate[0], rising);
    printf("%-44s %12.0f /s  (%.0f .. %.0f, %d runs)\n", what, rate[N_DAYS / 2], rate[0],
           rate[N_DAYS - 1], N_DAYS);
}

static void bench_ingest(void)
{
    double t[N_DAYS];
    uint64_t n_new = 0, n_blocks = 0, again = 0, blocks_again = 0;
    for (int64_t d = 0; d < N_DAYS; d++)
        t[d] = put_day(FIRST_DAY + d, &n_new, &n_blocks);
    print_rate("readings stored", t);
    if (n_new != (uint64_t)N_METERS * N_DAYS * N_ROWS)
        exit(1);
    for (int64_t d = 0; d < N_DAYS; d++)
        t[d] = put_day(FIRST_DAY + d, &again, &blocks_again);
    print_rate("readings that were there already", t);
    printf("%-44s %12llu     (rows %llu)\n", "blocks written for them",
           (unsigned long long)blocks_again, (unsigned long long)again);
}

static bool add_length(void *context, const struct store_block *b)
{
    *(double *)context += (double)b->block.len;
    return true;
}

/* The meters' own rows are taken off: they do not grow with the readings. */
static void bench_size(double empty)
{
    double n = (double)N_METERS * N_DAYS * N_ROWS * N_COLUMNS, blocks = 0;
    for (uint32_t k = 0; k < N_METERS; k++)
        must(store_blocks_each(s, layout[k].profile, 0, INT64_MAX, add_length, &blocks));
    store_close(s); /* folds the log in */
    double file = size_of("ferraris.db");
    printf("%-44s %12.3f B   (blocks alone %.3f)\n", "on disk per reading, totals and index too",
           (file - empty) / n, blocks / n);
    open_store();
}

static bool decode(void *context, const struct store_block *b)
{
    struct day_rows rows = {0};
    must(day_block_decode(b->block, &rows));
    *(uint64_t *)context += rows.n;
    day_rows_free(&rows);
    return true;
}

static void bench_curve(void)
{
    static struct day_row rows[N_ROWS];
    static double t[N_CURVES];
    struct store_put put;
    for (int64_t d = N_DAYS; d < CURVE_DAY; d++) { /* a thousand meters get the rest of the month */
        must(store_begin(s));
        for (uint32_t k = 0; k < N_METERS; k += 10) {
            make_day(k, FIRST_DAY + d, rows);
            must(store_rows_put(s, &layout[k], rows, N_ROWS, &put));
        }
        must(store_commit(s, false));
    }
    uint64_t n = 0, state = 1;
    for (unsigned k = 0; k < N_CURVES; k++) {
        uint32_t meter = random_u32(&state) % (N_METERS / 10) * 10;
        double begin = now_s();
        must(store_blocks_each(s, layout[meter].profile, FIRST_DAY * (int64_t)DAY_S,
                               (FIRST_DAY + CURVE_DAY) * (int64_t)DAY_S, decode, &n));
        t[k] = now_s() - begin;
    }
    if (n != (uint64_t)N_CURVES * CURVE_DAY * N_ROWS)
        exit(1);
    qsort(t, N_CURVES, sizeof t[0], rising);
    printf("%-44s %12.3f ms  (p50 %.3f, %d curves)\n", "30-day curve fetched and decoded, p95",
           1e3 * t[N_CURVES * 95 / 100], 1e3 * t[N_CURVES / 2], N_CURVES);
}

int main(void)
{
    make_directory();
    print_machine();
    open_store();
    make_meters();
    store_close(s);
    double empty = size_of("ferraris.db");
    open_store();
    bench_ingest();
    bench_size(empty);
    bench_curve();
    store_close(s);
    remove_directory();
    return 0;
}
