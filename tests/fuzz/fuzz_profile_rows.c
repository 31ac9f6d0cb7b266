/* Fuzz target of the walk over values in pieces and of the rows of a profile.
 *
 * Octet 0: number of columns; octet 1: where clock and status stand; then the buffer. At once and
 * octet by octet give the same rows; what the walk calls complete is one A-XDR value for the walk
 * in memory, too; no row is lost or made up. */
#include "lib/cosem/profile_rows.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

struct rows {
    struct profile_rows decoder;
    uint64_t digest; /* of all rows */
    uint32_t n;
    enum err err;
};

static void digest(struct rows *r, uint64_t v)
{
    r->digest = (r->digest ^ v) * UINT64_C(0x100000001B3);
}

static bool take(void *context, const struct profile_row *row)
{
    struct rows *r = context;
    r->n++;
    digest(r, (uint64_t)row->stamp_s);
    digest(r, row->status);
    digest(r, (uint64_t)(row->deviation_min * 256 + row->clock_status));
    for (size_t i = 0; i < PROFILE_ROWS_VALUES_MAX; i++)
        digest(r, (uint64_t)row->value[i]);
    return true;
}

static void run(struct rows *r, const uint8_t *p, size_t n, size_t piece)
{
    struct profile_rows_config c = {.n_columns = (uint8_t)(1 + p[0] % PROFILE_ROWS_COLUMNS_MAX),
                                    .period_s = p[1] % 4 * 900u,
                                    .context = r,
                                    .row = take};
    memset(r, 0, sizeof *r);
    c.role[p[1] % c.n_columns] = PROFILE_ROWS_CLOCK;
    if (p[1] / 16 % c.n_columns != p[1] % c.n_columns)
        c.role[p[1] / 16 % c.n_columns] = PROFILE_ROWS_STATUS;
    if (profile_rows_init(&r->decoder, &c) != ERR_OK)
        return;
    for (size_t at = 2; at < n && !r->err; at += piece)
        r->err =
            profile_rows_feed(&r->decoder, (struct bytes){p + at, n - at < piece ? n - at : piece});
    if (!r->err)
        r->err = profile_rows_end(&r->decoder);
    CHECK(r->n == r->decoder.n_rows);
    CHECK(r->err || r->decoder.n_rows + r->decoder.n_unstamped == r->decoder.n_expected);
}

static enum err ignore(void *context, const struct value_part *part)
{
    (void)context;
    CHECK(part->content.len <= VALUE_WALK_CONTENT_MAX && part->depth <= AXDR_DEPTH_MAX);
    return ERR_OK;
}

static void check_walk(const uint8_t *p, size_t n)
{
    const struct value_walk_sink sink = {.part = ignore};
    struct value_walk w;
    struct rd r = rd_of(p, n);
    value_walk_init(&w);
    const enum err err = value_walk_feed(&w, (struct bytes){p, n}, &sink);
    axdr_skip(&r);
    if (err == ERR_UNSUPPORTED) /* compact arrays are for axdr_skip alone */
        return;
    CHECK(value_walk_complete(&w) == (r.err == ERR_OK && r.pos == n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rows whole, single;
    if (size < 3)
        return 0;
    run(&whole, data, size, size);
    run(&single, data, size, 1);
    CHECK(whole.err == single.err && whole.n == single.n && whole.digest == single.digest);
    CHECK(whole.decoder.n_missing == single.decoder.n_missing);
    check_walk(data + 2, size - 2);
    return 0;
}
