/* What the head-end's store does: readings a second through the whole path (rows in, merge, block,
 * totals, index, one synced commit a batch), the same again (nothing may be written), octets on
 * disk per reading with indexes and totals, and how long a 30-day curve takes to fetch and decode.
 *
 * The data: 15-minute load profiles of 6 columns as our meters have them, of households with noise
 * in each interval; registers of energy and the energies of the interval, which differ. Meters come
 * in scattered order, day after day, as a fleet is read. A reading is one value of one interval.
 *
 * Directory: $TMPDIR or /tmp. */
#include "headend/store/store.h"
#include "tests/bench/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define N_METERS  10000
#define N_DAYS    5
#define N_BATCH   100 /* meters in a transaction */
#define N_COLUMNS 6
#define N_ROWS    96
#define FIRST_DAY 20700
#define N_CURVES  2000
#define CURVE_DAY 30

static char dir[BENCH_DIR];
static struct store *s;
static struct server_clock the_clock;
static struct store_layout layout[N_METERS];

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

static double size_of(const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) == 0 ? (double)st.st_size : 0;
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
        double begin = bench_now_s();
        must(store_begin(s));
        for (uint32_t k = 0; k < N_BATCH; k++) {
            struct store_put put;
            must(store_rows_put(s, &layout[(from + k) * 7919 % N_METERS], rows[k], N_ROWS, &put));
            *n_new += put.n_new;
            *n_blocks += put.n_blocks;
        }
        must(store_commit(s, true));
        spent += bench_now_s() - begin;
    }
    return spent;
}

static void print_rate(const char *what, double t[N_DAYS])
{
    double rate[N_DAYS];
    for (unsigned d = 0; d < N_DAYS; d++)
        rate[d] = (double)N_METERS * N_ROWS * N_COLUMNS / t[d];
    bench_runs(what, "readings/s", rate, N_DAYS);
}

static void bench_ingest(void)
{
    double t[N_DAYS];
    uint64_t n_new = 0, n_blocks = 0, again = 0, blocks_again = 0;
    for (int64_t d = 0; d < N_DAYS; d++)
        t[d] = put_day(FIRST_DAY + d, &n_new, &n_blocks);
    print_rate("readings stored", t);
    bench_must(n_new == (uint64_t)N_METERS * N_DAYS * N_ROWS, "rows are missing");
    for (int64_t d = 0; d < N_DAYS; d++)
        t[d] = put_day(FIRST_DAY + d, &again, &blocks_again);
    print_rate("readings that were there already", t);
    bench_must(again == 0 && blocks_again == 0, "what was there was written again");
}

static bool add_length(void *context, const struct store_block *b)
{
    *(double *)context += (double)b->block.len;
    return true;
}

/* The meters' own rows are taken off: they do not grow with the readings. */
static void bench_disk(double empty)
{
    double n = (double)N_METERS * N_DAYS * N_ROWS * N_COLUMNS, blocks = 0;
    for (uint32_t k = 0; k < N_METERS; k++)
        must(store_blocks_each(s, layout[k].profile, 0, INT64_MAX, add_length, &blocks));
    store_close(s); /* folds the log in */
    double file = size_of("ferraris.db");
    bench_size("a reading on disk, totals and index too", "octets", (file - empty) / n);
    bench_size("  in its block alone", "octets", blocks / n);
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
        double begin = bench_now_s();
        must(store_blocks_each(s, layout[meter].profile, FIRST_DAY * (int64_t)DAY_S,
                               (FIRST_DAY + CURVE_DAY) * (int64_t)DAY_S, decode, &n));
        t[k] = bench_now_s() - begin;
    }
    bench_must(n == (uint64_t)N_CURVES * CURVE_DAY * N_ROWS, "rows are missing");
    bench_times("30-day curve fetched and decoded", t, N_CURVES);
}

int main(void)
{
    bench_begin_headend("bench_store");
    bench_dir_make(dir);
    open_store();
    make_meters();
    store_close(s);
    double empty = size_of("ferraris.db");
    open_store();
    bench_ingest();
    bench_disk(empty);
    bench_curve();
    store_close(s);
    bench_dir_remove(dir);
    return 0;
}
