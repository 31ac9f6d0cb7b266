/* Day blocks: every day comes back, equal days are equal octets, and no other octets are taken for
 * a block. The worked example of docs/SPEC-day-block.md is read and checked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/crc.h"
#include "tests/headend/store/rows.h"
#include "tests/lib/hex.h"

#define PERIOD_S 900

/* In memory of exactly its size, for the sanitizer; *len of it. Free it. */
static uint8_t *encode(const struct day_rows *rows, uint32_t period_s, size_t *len)
{
    const size_t bound = day_block_bound(rows->n, rows->n_columns);
    uint8_t *wide = malloc(bound);
    assert_non_null(wide);
    assert_int_equal(day_block_encode(rows, period_s, wide, bound, len), ERR_OK);
    uint8_t *block = malloc(*len);
    assert_non_null(block);
    memcpy(block, wide, *len);
    free(wide);
    return block;
}

static void put_crc(uint8_t *block, size_t len)
{
    struct wr w = wr_of(block + len - 4, 4);
    wr_u32(&w, crc32_update(0, block, len - 4));
}

static void check_info(struct bytes block, const struct day_rows *rows, uint32_t period_s)
{
    struct day_block_info info;
    assert_int_equal(day_block_info(block, &info), ERR_OK);
    assert_int_equal(info.n_rows, rows->n);
    assert_int_equal(info.n_columns, rows->n_columns);
    assert_int_equal(info.period_s, period_s);
    assert_true(info.first_s == (rows->n ? rows->stamp_s[0] : 0));
    assert_true(info.last_s == (rows->n ? rows->stamp_s[rows->n - 1] : 0));
    bool grid = true;
    for (uint32_t i = 1; i < rows->n; i++)
        grid = grid && rows->stamp_s[i] - rows->stamp_s[i - 1] == period_s && period_s > 0;
    assert_int_equal(info.on_grid, grid);
}

static void check_parts(struct bytes block, const struct day_rows *rows)
{
    int64_t *v = malloc((rows->n ? rows->n : 1) * sizeof *v);
    assert_non_null(v);
    assert_int_equal(day_block_stamps(block, v, rows->n), ERR_OK);
    for (uint32_t i = 0; i < rows->n; i++)
        assert_true(v[i] == rows->stamp_s[i]);
    for (uint32_t c = 0; c < rows->n_columns; c++) {
        assert_int_equal(day_block_column(block, c, v, rows->n), ERR_OK);
        for (uint32_t i = 0; i < rows->n; i++)
            assert_true(v[i] == rows->value[i * rows->n_columns + c]);
    }
    assert_int_equal(day_block_column(block, rows->n_columns, v, rows->n), ERR_RANGE);
    if (rows->n > 0)
        assert_int_equal(day_block_stamps(block, v, rows->n - 1), ERR_RANGE);
    if (rows->n > 0 && rows->n_columns > 0)
        assert_int_equal(day_block_column(block, 0, v, rows->n - 1), ERR_RANGE);
    free(v);
}

static void check_round_trip(const struct day_rows *rows, uint32_t period_s)
{
    size_t len;
    struct day_rows back;
    uint8_t *block = encode(rows, period_s, &len);
    const struct bytes b = {block, len};
    assert_int_equal(day_block_decode(b, &back), ERR_OK);
    assert_true(is_same_day(rows, &back));
    assert_int_equal(day_block_check(b), ERR_OK);
    check_info(b, rows, period_s);
    check_parts(b, rows);
    day_rows_free(&back);
    free(block);
}

static void block_brings_random_days_back(void **state)
{
    (void)state;
    struct random r = {1};
    struct day_rows rows = {0};
    for (int round = 0; round < 600; round++) {
        const uint32_t columns = random_below(&r, round % 10 ? 8 : DAY_COLUMNS_MAX + 1);
        const int64_t period = round % 3 ? PERIOD_S : 60;
        assert_int_equal(day_rows_init(&rows, columns, 0), ERR_OK);
        random_day(&r, &rows, DAY_1 + DAY_S * ((int64_t)random_below(&r, 40000) - 30000),
                   random_below(&r, round % 20 ? 120 : 2000), period);
        check_round_trip(&rows, (uint32_t)period);
    }
    day_rows_free(&rows);
}

static void block_brings_each_number_of_rows_back(void **state)
{
    (void)state;
    struct random r = {9};
    struct day_rows rows = {0};
    for (uint32_t n = 0; n < 100; n++) {
        assert_int_equal(day_rows_init(&rows, N_KINDS, 0), ERR_OK);
        random_day(&r, &rows, DAY_1, n, PERIOD_S);
        check_round_trip(&rows, PERIOD_S);
        check_round_trip(&rows, 0);
    }
    day_rows_free(&rows);
}

static void block_brings_each_width_back(void **state)
{
    (void)state;
    struct day_rows rows = {0};
    for (unsigned bits = 0; bits <= 64; bits++) {
        assert_int_equal(day_rows_init(&rows, 2, 0), ERR_OK);
        for (uint32_t i = 0; i < 40; i++) {
            const uint64_t most = bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
            struct day_row row = {.stamp_s = DAY_1 + i * PERIOD_S};
            row.value[0] = (int64_t)(i % 2 ? most : most / 3);
            row.value[1] = (int64_t)((uint64_t)INT64_MAX - (i % 3 ? most : 0));
            assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
        }
        check_round_trip(&rows, PERIOD_S);
    }
    day_rows_free(&rows);
}

static void block_brings_the_ends_of_time_back(void **state)
{
    (void)state;
    static const int64_t stamps[] = {INT64_MIN, INT64_MIN + 1, -DAY_S, -1, 0, INT64_MAX};
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        struct day_rows rows = {0};
        const struct day_row row = {
            .stamp_s = stamps[i], .zone = UINT32_MAX, .status = UINT32_MAX, .value = {INT64_MIN}};
        assert_int_equal(day_rows_init(&rows, 1, 0), ERR_OK);
        assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
        check_round_trip(&rows, UINT32_MAX);
        check_round_trip(&rows, 0);
        assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
        check_round_trip(&rows, 1);
        day_rows_free(&rows);
    }
}

static void block_takes_no_more_than_the_bound(void **state)
{
    (void)state;
    struct random r = {3};
    struct day_rows rows = {0};
    for (uint32_t n = 1; n <= DAY_ROWS_MAX; n *= 4) {
        assert_int_equal(day_rows_init(&rows, 4, n), ERR_OK);
        for (uint32_t i = 0; i < n; i++) { /* nothing in it goes together */
            struct day_row row = {.stamp_s = DAY_1 + (int64_t)i * DAY_S / n + i % 3};
            row.zone = (uint32_t)random_u64(&r) | 1u << 31;
            row.status = (uint32_t)random_u64(&r) | 1u << 31;
            for (int c = 0; c < 4; c++)
                row.value[c] = c == 3 && i % 2 ? DAY_MISSING : (int64_t)random_u64(&r);
            assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
        }
        check_round_trip(&rows, PERIOD_S);
    }
    day_rows_free(&rows);
    assert_int_equal(day_block_bound(DAY_ROWS_MAX + 1, 1), 0);
    assert_int_equal(day_block_bound(1, DAY_COLUMNS_MAX + 1), 0);
}

static void block_is_small_when_rows_are_alike(void **state)
{
    (void)state;
    struct day_rows rows = {0};
    assert_int_equal(day_rows_init(&rows, DAY_COLUMNS_MAX, 0), ERR_OK);
    for (int i = 0; i < DAY_ROWS_MAX; i++) {
        const struct day_row row = {.stamp_s = DAY_1 + i};
        assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
    }
    size_t len;
    free(encode(&rows, 1, &len));
    assert_true(len < 128);
    check_round_trip(&rows, 1);
    day_rows_free(&rows);
}

/* The same day in two parts, either first, is the same block as at once. */
static void equal_rows_are_equal_octets(void **state)
{
    (void)state;
    struct random r = {21};
    for (int round = 0; round < 200; round++) {
        struct day_rows all = {0}, part[2] = {{0}, {0}}, both = {0};
        enum day_merge what;
        size_t len, len_merged;
        assert_int_equal(day_rows_init(&all, 5, 200), ERR_OK);
        assert_int_equal(day_rows_init(&part[0], 5, 0), ERR_OK);
        assert_int_equal(day_rows_init(&part[1], 5, 0), ERR_OK);
        random_day(&r, &all, DAY_1, 1 + random_below(&r, 95), PERIOD_S);
        const uint64_t mix = random_u64(&r) | 1;
        for (uint32_t i = 0; i < all.n; i++) { /* rows of one stamp stay together */
            const struct day_row row = row_at(&all, i);
            const uint64_t side = (uint64_t)row.stamp_s * mix >> 40 & 1;
            assert_int_equal(day_rows_append(&part[side], &row), ERR_OK);
        }
        uint8_t *block = encode(&all, PERIOD_S, &len);
        for (int first = 0; first < 2; first++) {
            assert_int_equal(day_rows_merge(&part[first], &part[!first], &both, &what), ERR_OK);
            uint8_t *merged = encode(&both, PERIOD_S, &len_merged);
            assert_int_equal(len_merged, len);
            assert_memory_equal(merged, block, len);
            free(merged);
            day_rows_free(&both);
        }
        free(block);
        day_rows_free(&all);
        day_rows_free(&part[0]);
        day_rows_free(&part[1]);
    }
}

static void encode_writes_no_more_than_it_may(void **state)
{
    (void)state;
    struct random r = {4};
    struct day_rows rows = {0};
    size_t len, again;
    assert_int_equal(day_rows_init(&rows, 4, 0), ERR_OK);
    random_day(&r, &rows, DAY_1, 30, PERIOD_S);
    uint8_t *block = encode(&rows, PERIOD_S, &len);
    for (size_t size = 0; size <= len; size++) {
        uint8_t *tight = malloc(size ? size : 1);
        assert_non_null(tight);
        const enum err err = day_block_encode(&rows, PERIOD_S, tight, size, &again);
        assert_int_equal(err, size < len ? ERR_FULL : ERR_OK);
        assert_int_equal(again, size < len ? 0 : len);
        assert_true(size < len || memcmp(block, tight, len) == 0);
        free(tight);
    }
    free(block);
    day_rows_free(&rows);
}

static void encode_refuses_rows_that_are_no_day(void **state)
{
    (void)state;
    struct day_rows rows = {0};
    uint8_t to[256];
    size_t len;
    const struct day_row row = {.stamp_s = DAY_1};
    assert_int_equal(day_rows_init(&rows, 1, 0), ERR_OK);
    assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
    assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
    assert_int_equal(day_block_encode(&rows, 900, to, sizeof to, &len), ERR_OK);
    rows.stamp_s[1] = DAY_1 - 1;
    assert_int_equal(day_block_encode(&rows, 900, to, sizeof to, &len), ERR_RANGE);
    rows.stamp_s[1] = DAY_1 + DAY_S;
    assert_int_equal(day_block_encode(&rows, 900, to, sizeof to, &len), ERR_RANGE);
    rows.stamp_s[0] = INT64_MIN;
    rows.stamp_s[1] = INT64_MAX;
    assert_int_equal(day_block_encode(&rows, 900, to, sizeof to, &len), ERR_RANGE);
    rows.n = DAY_ROWS_MAX + 1;
    assert_int_equal(day_block_encode(&rows, 900, to, sizeof to, &len), ERR_RANGE);
    rows.n = 1;
    rows.n_columns = DAY_COLUMNS_MAX + 1;
    assert_int_equal(day_block_encode(&rows, 900, to, sizeof to, &len), ERR_RANGE);
    rows.n_columns = 1;
    day_rows_free(&rows);
}

static void decode_sees_each_flipped_bit_and_each_end(void **state)
{
    (void)state;
    struct random r = {8};
    struct day_rows rows = {0}, back;
    size_t len;
    assert_int_equal(day_rows_init(&rows, 3, 0), ERR_OK);
    random_day(&r, &rows, DAY_1, 40, PERIOD_S);
    uint8_t *block = encode(&rows, PERIOD_S, &len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(day_block_decode((struct bytes){block, len}, &back), ERR_CORRUPT);
        day_rows_free(&back);
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t n = 0; n < len; n++) {
        assert_int_equal(day_block_decode((struct bytes){block, n}, &back), ERR_CORRUPT);
        day_rows_free(&back);
    }
    assert_int_equal(day_block_decode((struct bytes){NULL, 0}, &back), ERR_CORRUPT);
    day_rows_free(&back);
    free(block);
    day_rows_free(&rows);
}

/* Whatever the octets behind a right CRC: no call reads or writes where it must not. */
static void decode_survives_wrong_octets(void **state)
{
    (void)state;
    struct random r = {15};
    struct day_rows rows = {0}, back;
    size_t len;
    assert_int_equal(day_rows_init(&rows, N_KINDS, 0), ERR_OK);
    random_day(&r, &rows, DAY_1, 50, PERIOD_S);
    uint8_t *block = encode(&rows, PERIOD_S, &len);
    int n_good = 0, n_bad = 0;
    for (int round = 0; round < 4000; round++) {
        const size_t at = random_below(&r, (uint32_t)len - 4);
        const uint8_t was = block[at];
        block[at] = (uint8_t)random_u64(&r);
        put_crc(block, len);
        const struct bytes b = {block, len};
        struct day_block_info info;
        const enum err err = day_block_decode(b, &back);
        assert_true(err == ERR_OK || err == ERR_CORRUPT || err == ERR_VERSION);
        assert_true(err == ERR_OK || day_block_check(b) == err);
        assert_true(err != ERR_OK || day_block_info(b, &info) == ERR_OK);
        n_good += err == ERR_OK;
        n_bad += err != ERR_OK;
        day_rows_free(&back);
        block[at] = was;
    }
    assert_true(n_good > 0 && n_bad > 0);
    free(block);
    day_rows_free(&rows);
}

/* Blocks by hand, without their CRC: three rows at 0, 900 and 1800 s, one column with 5, 5, 5, and
 * what one may say differently of them. */
#define HEAD   "01 03 01 8407 "
#define STAMPS "00 00 "
#define ZONE   "00 03 "
#define STATUS "00 03 "
#define FIVES  "03 0A"
static const struct {
    const char *what, *hex;
    enum err decode, check;
} forged[] = {
    {"as it is", HEAD "02 02 02 02" STAMPS ZONE STATUS FIVES, 0, 0},
    {"version", "02 03 01 8407 02 02 02 02" STAMPS ZONE STATUS FIVES, ERR_VERSION, ERR_VERSION},
    {"nothing behind the version", "01", ERR_CORRUPT, ERR_CORRUPT},
    {"long varint", "01 8300 01 8407 02 02 02 02" STAMPS ZONE STATUS FIVES, ERR_CORRUPT,
     ERR_CORRUPT},
    {"rows",
     "01 818001 01 8407 02 04 04 02" STAMPS "00 818001"
     "00 818001" FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"columns",
     "01 00 21 8407 00 00 00 00000000000000000000000000000000"
     "0000000000000000000000000000000000",
     ERR_CORRUPT, ERR_CORRUPT},
    {"period of 33 bits", "01 03 01 8080808010 02 02 02 02" STAMPS ZONE STATUS FIVES, ERR_CORRUPT,
     ERR_CORRUPT},
    {"section too long", HEAD "02 02 02 03" STAMPS ZONE STATUS FIVES, ERR_CORRUPT, ERR_CORRUPT},
    {"section too short", HEAD "02 02 02 01" STAMPS ZONE STATUS FIVES, ERR_CORRUPT, ERR_CORRUPT},
    {"octet left over", HEAD "02 02 02 02" STAMPS ZONE STATUS FIVES "00", ERR_CORRUPT, ERR_CORRUPT},
    {"octet left in a section", HEAD "03 02 02 02" STAMPS "00" ZONE STATUS FIVES, ERR_CORRUPT,
     ERR_CORRUPT},
    {"no rows", "01 00 01 8407 00 00 00 00", 0, 0},
    {"no rows, no columns", "01 00 00 00 00 00 00", 0, 0},
    {"no rows but stamps", "01 00 01 8407 02 00 00 00" STAMPS, ERR_CORRUPT, ERR_CORRUPT},
    /* stamps */
    {"kind 3",
     HEAD "02 02 02 02"
          "03 00" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"grid without a period", "01 03 01 00 02 02 02 02" STAMPS ZONE STATUS FIVES, ERR_CORRUPT,
     ERR_CORRUPT},
    {"grid over midnight",
     HEAD "04 02 02 02"
          "00 F8B70A" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"grid over the end of time",
     HEAD "0B 02 02 02"
          "00 FEFFFFFFFFFFFFFFFF01" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"grid as runs",
     HEAD "05 02 02 02"
          "01 00 8407 02" ZONE STATUS FIVES,
     0, ERR_CORRUPT},
    {"grid as a column",
     HEAD "06 02 02 02"
          "02 01 00 880E 00" ZONE STATUS FIVES,
     0, ERR_CORRUPT},
    {"runs",
     HEAD "06 02 02 02"
          "01 00 05 01 06 01" ZONE STATUS FIVES,
     0, 0},
    {"runs of equal step",
     HEAD "06 02 02 02"
          "01 00 05 01 05 01" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"run of none",
     HEAD "08 02 02 02"
          "01 00 07 00 05 01 06 01" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"runs beyond the rows",
     HEAD "04 02 02 02"
          "01 00 05 03" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"runs of too few",
     HEAD "04 02 02 02"
          "01 00 05 01" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"runs over midnight",
     HEAD "06 02 02 02"
          "01 00 80A305 01" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"falling",
     HEAD "05 02 02 02"
          "02 01 00 01 00" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"rising and falling",
     HEAD "06 02 02 02"
          "02 00 00 03 E800" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"step of 2^64 - 1",
     HEAD "0D 02 02 02"
          "01 00 FFFFFFFFFFFFFFFFFF01 02" ZONE STATUS FIVES,
     ERR_CORRUPT, ERR_CORRUPT},
    {"steps that grow by 1",
     "01 06 01 8407 07 02 02 02"
     "02 02 00 9003 02 00"
     "00 06"
     "00 06" FIVES,
     0, 0},
    /* zone and status */
    {"run of 0", HEAD "02 04 02 02" STAMPS "01 00 00 03" STATUS FIVES, ERR_CORRUPT, ERR_CORRUPT},
    {"run of 4", HEAD "02 02 02 02" STAMPS "00 04" STATUS FIVES, ERR_CORRUPT, ERR_CORRUPT},
    {"run of 2", HEAD "02 02 02 02" STAMPS ZONE "00 02" FIVES, ERR_CORRUPT, ERR_CORRUPT},
    {"two runs", HEAD "02 02 04 02" STAMPS ZONE "00 02 01 01" FIVES, 0, 0},
    {"two runs for one", HEAD "02 02 04 02" STAMPS ZONE "00 02 00 01" FIVES, ERR_CORRUPT,
     ERR_CORRUPT},
    {"run of 33 bits", HEAD "02 02 06 02" STAMPS ZONE "8080808010 03" FIVES, ERR_CORRUPT,
     ERR_CORRUPT},
    /* the column */
    {"none there", HEAD "02 02 02 01" STAMPS ZONE STATUS "04", 0, 0},
    {"form 5", HEAD "02 02 02 01" STAMPS ZONE STATUS "05", ERR_CORRUPT, ERR_CORRUPT},
    {"form 10", HEAD "02 02 02 02" STAMPS ZONE STATUS "10 0A", ERR_CORRUPT, ERR_CORRUPT},
    {"list of none", HEAD "02 02 02 02" STAMPS ZONE STATUS "0C 03", ERR_CORRUPT, ERR_CORRUPT},
    {"5, missing, missing", HEAD "02 02 02 04" STAMPS ZONE STATUS "0B 01 02 0A", 0, 0},
    {"missing, 5, missing", HEAD "02 02 02 06" STAMPS ZONE STATUS "0B 00 01 01 01 0A", 0, 0},
    {"list of all", HEAD "02 02 02 03" STAMPS ZONE STATUS "0B 03 0A", ERR_CORRUPT, ERR_CORRUPT},
    {"list of nobody", HEAD "02 02 02 04" STAMPS ZONE STATUS "0B 00 03 0A", ERR_CORRUPT,
     ERR_CORRUPT},
    {"list beyond", HEAD "02 02 02 04" STAMPS ZONE STATUS "0B 01 03 0A", ERR_CORRUPT, ERR_CORRUPT},
    {"list with 0", HEAD "02 02 02 06" STAMPS ZONE STATUS "0B 01 00 01 01 0A", ERR_CORRUPT,
     ERR_CORRUPT},
    {"all said to be missing", HEAD "02 02 02 0B" STAMPS ZONE STATUS "03 FFFFFFFFFFFFFFFFFF01", 0,
     ERR_CORRUPT},
    {"varint of 65 bits", HEAD "02 02 02 0B" STAMPS ZONE STATUS "03 FFFFFFFFFFFFFFFFFF02",
     ERR_CORRUPT, ERR_CORRUPT},
    {"equal ones packed", HEAD "02 02 02 03" STAMPS ZONE STATUS "00 0A 00", 0, ERR_CORRUPT},
    {"0, 1, 1", HEAD "02 02 02 04" STAMPS ZONE STATUS "00 00 01 06", 0, 0},
    {"padding", HEAD "02 02 02 04" STAMPS ZONE STATUS "00 00 01 0E", ERR_CORRUPT, ERR_CORRUPT},
    {"wider than needed", HEAD "02 02 02 04" STAMPS ZONE STATUS "00 00 02 14", 0, ERR_CORRUPT},
    {"least not met", HEAD "02 02 02 04" STAMPS ZONE STATUS "00 00 02 29", 0, ERR_CORRUPT},
    {"not the best order", HEAD "02 02 02 05" STAMPS ZONE STATUS "01 00 00 01 01", 0, ERR_CORRUPT},
    {"squares",
     "01 08 01 8407 02 02 02 05" STAMPS "00 08"
     "00 08"
     "02 00 02 04 00",
     0, 0},
    {"57 bits",
     HEAD "02 02 02 19" STAMPS ZONE STATUS
          "00 00 39 0000000000000000 0000000000000000 000000000000",
     ERR_CORRUPT, ERR_CORRUPT},
    {"packed too short", HEAD "02 02 02 04" STAMPS ZONE STATUS "00 00 09 FF", ERR_CORRUPT,
     ERR_CORRUPT},
    {"no difference to pack", "01 01 01 00 02 02 02 04 00 00 00 01 00 01 01 0A 00 00", ERR_CORRUPT,
     ERR_CORRUPT},
};

static void decode_refuses_forged_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        uint8_t octet[128];
        struct day_rows rows;
        const size_t len = hex_octets(forged[i].hex, octet, sizeof octet - 4) + 4;
        put_crc(octet, len);
        const enum err decode = day_block_decode((struct bytes){octet, len}, &rows);
        day_rows_free(&rows);
        if (decode != forged[i].decode ||
            day_block_check((struct bytes){octet, len}) != forged[i].check)
            fail_msg("%s: decode says %s", forged[i].what, err_text(decode));
    }
}

/* ---- the worked example of the specification ---- */

static const struct day_row example[] = {
    {1767225600, DAY_ZONE(60, 0), 0, {1000, 230, 5}},
    {1767226500, DAY_ZONE(60, 0), 0, {1012, 231, DAY_MISSING}},
    {1767227400, DAY_ZONE(60, 0), 0, {1021, 229, 5}},
    {1767228300, DAY_ZONE(60, 0), 0, {1036, 230, 5}},
    {1767229200, DAY_ZONE(60, 0), 8, {1046, 230, 5}},
};

/* The octets in the lines between ```day-block and ```; what follows a ';' is comment. */
static size_t read_example(uint8_t *octet, size_t size)
{
    char line[256];
    size_t n = 0;
    bool inside = false;
    FILE *f = fopen(SOURCE_DIR "/docs/SPEC-day-block.md", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "```", 3) == 0) {
            inside = !inside && strncmp(line, "```day-block", 12) == 0;
            continue;
        }
        line[strcspn(line, ";\n")] = '\0';
        if (inside)
            n += hex_octets(line, octet + n, size - n);
    }
    fclose(f);
    return n;
}

static void block_is_the_one_of_the_specification(void **state)
{
    (void)state;
    uint8_t octet[256];
    size_t len;
    struct day_rows rows = {0};
    assert_int_equal(day_rows_init(&rows, 3, 0), ERR_OK);
    for (size_t i = 0; i < sizeof example / sizeof *example; i++)
        assert_int_equal(day_rows_append(&rows, &example[i]), ERR_OK);
    uint8_t *block = encode(&rows, PERIOD_S, &len);
    assert_int_equal(read_example(octet, sizeof octet), len);
    assert_memory_equal(octet, block, len);
    check_round_trip(&rows, PERIOD_S);
    free(block);
    day_rows_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_brings_random_days_back),
        cmocka_unit_test(block_brings_each_number_of_rows_back),
        cmocka_unit_test(block_brings_each_width_back),
        cmocka_unit_test(block_brings_the_ends_of_time_back),
        cmocka_unit_test(block_takes_no_more_than_the_bound),
        cmocka_unit_test(block_is_small_when_rows_are_alike),
        cmocka_unit_test(equal_rows_are_equal_octets),
        cmocka_unit_test(encode_writes_no_more_than_it_may),
        cmocka_unit_test(encode_refuses_rows_that_are_no_day),
        cmocka_unit_test(decode_sees_each_flipped_bit_and_each_end),
        cmocka_unit_test(decode_survives_wrong_octets),
        cmocka_unit_test(decode_refuses_forged_blocks),
        cmocka_unit_test(block_is_the_one_of_the_specification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
