/* Fuzz target of the day block. The CRC is put behind the input, so that the search is not about
 * finding one.
 *
 * A block that decodes comes back from its rows: the encoding of these decodes to the same rows and
 * is valid; the input is that encoding if and only if it is valid itself. All ways to look into a
 * block agree. */
#include "headend/store/day_block.h"
#include "lib/base/crc.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static bool is_same_day(const struct day_rows *a, const struct day_rows *b)
{
    const size_t n = a->n, n_values = n * a->n_columns;
    return n == b->n && a->n_columns == b->n_columns &&
           memcmp(a->stamp_s, b->stamp_s, n * sizeof *a->stamp_s) == 0 &&
           memcmp(a->zone, b->zone, n * sizeof *a->zone) == 0 &&
           memcmp(a->status, b->status, n * sizeof *a->status) == 0 &&
           memcmp(a->value, b->value, n_values * sizeof *a->value) == 0;
}

static void check_views(struct bytes block, const struct day_rows *rows)
{
    struct day_block_info info;
    int64_t *v = malloc((rows->n ? rows->n : 1) * sizeof *v);
    CHECK(v);
    CHECK(day_block_info(block, &info) == ERR_OK);
    CHECK(info.n_rows == rows->n && info.n_columns == rows->n_columns);
    CHECK(day_block_stamps(block, v, rows->n) == ERR_OK);
    CHECK(memcmp(v, rows->stamp_s, rows->n * sizeof *v) == 0);
    CHECK(rows->n == 0 || (info.first_s == v[0] && info.last_s == v[rows->n - 1]));
    for (uint32_t c = 0; c < rows->n_columns; c++) {
        CHECK(day_block_column(block, c, v, rows->n) == ERR_OK);
        for (uint32_t i = 0; i < rows->n; i++)
            CHECK(v[i] == rows->value[(size_t)i * rows->n_columns + c]);
    }
    free(v);
}

static void check_again(struct bytes block, const struct day_rows *rows)
{
    struct day_block_info info;
    struct day_rows back;
    const size_t bound = day_block_bound(rows->n, rows->n_columns);
    size_t len;
    uint8_t *again = malloc(bound);
    CHECK(again && day_block_info(block, &info) == ERR_OK);
    CHECK(day_block_encode(rows, info.period_s, again, bound, &len) == ERR_OK);
    CHECK(day_block_decode((struct bytes){again, len}, &back) == ERR_OK);
    CHECK(is_same_day(rows, &back));
    CHECK(day_block_check((struct bytes){again, len}) == ERR_OK);
    const bool same = len == block.len && memcmp(again, block.p, len) == 0;
    CHECK(same == (day_block_check(block) == ERR_OK));
    day_rows_free(&back);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct day_rows rows;
    uint8_t *octet = malloc(size + 4); /* of exact size, for the address sanitizer */
    CHECK(octet);
    if (size)
        memcpy(octet, data, size);
    struct wr w = wr_of(octet + size, 4);
    wr_u32(&w, crc32_update(0, octet, size));
    const struct bytes block = {octet, size + 4};
    const enum err err = day_block_decode(block, &rows);
    CHECK(err == ERR_OK || err == ERR_CORRUPT || err == ERR_VERSION);
    if (err == ERR_OK) {
        check_views(block, &rows);
        check_again(block, &rows);
    }
    day_rows_free(&rows);
    free(octet);
    return 0;
}
