/* Encoding and decoding of day blocks: readings/s and octets per reading, over days of 96 quarter-
 * hours with 6 columns as a meter's load profile has them: two registers of energy (import with a
 * household's increments, export that hardly moves), the two interval energies, two voltages.
 * Stamps, status, directory and CRC are in all figures. */
#include "headend/store/day_block.h"
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS    9
#define DAYS    512
#define ROWS    96
#define COLUMNS 6
#define ROUNDS  8          /* of all days in a run */
#define DAY_1   1767225600 /* 2026-01-01 */

static struct day_rows day[DAYS];
static uint8_t *block[DAYS];
static size_t len[DAYS];
static uint64_t seed = 0x9E3779B97F4A7C15;

static void must(enum err err, const char *what)
{
    bench_must(err == ERR_OK, what);
}

/* 0..n-1, xorshift64*: the same on every machine. */
static int64_t below(int64_t n)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (int64_t)((seed * 0x2545F4914F6CDD1D) >> 33) % n;
}

/* Wh of a quarter-hour: a base that follows the hour, and now and then something heavy. */
static int64_t household_wh(int quarter)
{
    static const int64_t base_w[24] = {180, 150, 140, 140, 150, 200, 450, 600, 400, 300, 300, 450,
                                       550, 350, 300, 320, 400, 650, 900, 850, 700, 500, 350, 240};
    int64_t w = base_w[quarter / 4] + below(120) - 60 + below(8) * 10;
    if (below(12) == 0)
        w += 500 + below(2500);
    return w / 4;
}

static void make_day(struct day_rows *rows, int64_t at_s, int64_t *import_wh, int64_t *export_wh)
{
    must(day_rows_init(rows, COLUMNS, ROWS), "rows");
    for (int q = 0; q < ROWS; q++) {
        const int64_t in = household_wh(q), out = below(40) == 0 ? below(9) : 0;
        struct day_row row = {.stamp_s = at_s + q * 900, .zone = DAY_ZONE(60, 0)};
        row.status = below(400) == 0 ? 8 : 0;
        row.value[0] = *import_wh += in;
        row.value[1] = *export_wh += out;
        row.value[2] = in;
        row.value[3] = out;
        row.value[4] = 2310 + below(24) - below(24) - in / 40;
        row.value[5] = 2325 + below(24) - below(24);
        must(day_rows_append(rows, &row), "row");
    }
}

static void encode_all(void)
{
    const size_t size = day_block_bound(ROWS, COLUMNS);
    for (int i = 0; i < DAYS; i++)
        must(day_block_encode(&day[i], 900, block[i], size, &len[i]), "encode");
}

static void decode_all(void)
{
    for (int i = 0; i < DAYS; i++) {
        struct day_rows rows;
        must(day_block_decode((struct bytes){block[i], len[i]}, &rows), "decode");
        if (memcmp(rows.value, day[i].value, sizeof(int64_t) * ROWS * COLUMNS) != 0)
            must(ERR_CORRUPT, "compare");
        day_rows_free(&rows);
    }
}

static void column_all(void)
{
    int64_t v[ROWS];
    for (int i = 0; i < DAYS; i++)
        must(day_block_column((struct bytes){block[i], len[i]}, 2, v, ROWS), "column");
}

static void measure(const char *what, void (*f)(void), int columns)
{
    double rate[RUNS];
    for (int run = 0; run < RUNS; run++) {
        const double start = bench_now_s();
        for (int i = 0; i < ROUNDS; i++)
            f();
        rate[run] = (double)ROUNDS * DAYS * ROWS * columns / (bench_now_s() - start) / 1e6;
    }
    bench_runs(what, "M readings/s", rate, RUNS);
}

int main(void)
{
    int64_t import_wh = 12345678, export_wh = 4321;
    size_t octets = 0;
    for (int i = 0; i < DAYS; i++) {
        make_day(&day[i], DAY_1 + (int64_t)i * DAY_S, &import_wh, &export_wh);
        block[i] = malloc(day_block_bound(ROWS, COLUMNS));
        must(block[i] ? ERR_OK : ERR_MEMORY, "memory");
    }
    encode_all();
    for (int i = 0; i < DAYS; i++)
        octets += len[i];
    bench_begin("bench_day_block");
    bench_size("a reading in a block of 96 x 6", "octets",
               (double)octets / (DAYS * ROWS * COLUMNS));
    measure("encode", encode_all, COLUMNS);
    measure("decode and compare", decode_all, COLUMNS);
    measure("one column of six", column_all, 1);
    for (int i = 0; i < DAYS; i++) {
        day_rows_free(&day[i]);
        free(block[i]);
    }
    return 0;
}
