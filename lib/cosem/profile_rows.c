/* Rows out of a buffer: each part of the value knows its depth and its column.
 *
 * Facts: `row` holds the values of the row before until each is overwritten, so that null-data
 * needs no copy: what is not sent stays. It is all PROFILE_ROWS_MISSING before the first row. */
#include "lib/cosem/profile_rows.h"

#include "lib/dlms/datetime.h"

#include <string.h>

enum { DEPTH_BUFFER, DEPTH_ROW, DEPTH_CELL };

/* 2400-01-01: no date-time goes beyond, and no period may lead there. */
#define STAMP_END INT64_C(13569465600)

enum err profile_rows_init(struct profile_rows *p, const struct profile_rows_config *c)
{
    unsigned n[3] = {0, 0, 0};
    memset(p, 0, sizeof *p);
    if (c->n_columns == 0 || c->n_columns > PROFILE_ROWS_COLUMNS_MAX)
        return ERR_RANGE;
    for (size_t i = 0; i < c->n_columns; i++) {
        if (c->role[i] > PROFILE_ROWS_STATUS)
            return ERR_RANGE;
        n[c->role[i]]++;
    }
    if (n[PROFILE_ROWS_VALUE] > PROFILE_ROWS_VALUES_MAX || n[PROFILE_ROWS_CLOCK] > 1 ||
        n[PROFILE_ROWS_STATUS] > 1)
        return ERR_RANGE;
    p->config = *c;
    p->has_clock = n[PROFILE_ROWS_CLOCK] > 0;
    for (size_t i = 0; i < PROFILE_ROWS_VALUES_MAX; i++)
        p->row.value[i] = PROFILE_ROWS_MISSING;
    value_walk_init(&p->walk);
    return ERR_OK;
}

/* null-data for the clock: one period after the row before, if that had a time. */
static enum err next_stamp(struct profile_rows *p)
{
    if (!p->stamped)
        return ERR_OK;
    if (p->config.period_s == 0)
        return ERR_TYPE;
    p->row.stamp_s += p->config.period_s;
    return p->row.stamp_s < STAMP_END ? ERR_OK : ERR_RANGE;
}

static enum err take_clock(struct profile_rows *p, const struct value_part *part)
{
    struct datetime d;
    if (part->tag == AXDR_NULL)
        return next_stamp(p);
    if (part->content.len != DATETIME_LEN ||
        (part->tag != AXDR_OCTETS && part->tag != AXDR_DATE_TIME))
        return ERR_TYPE;
    p->stamped = datetime_decode(part->content.p, &d) == ERR_OK &&
                 datetime_to_utc(&d, (int16_t)-p->config.deviation_min, &p->row.stamp_s) == ERR_OK;
    if (!p->stamped)
        return ERR_OK;
    p->row.clock_status = d.status;
    p->row.deviation_min =
        d.deviation == DATETIME_ANY_DEV ? p->config.deviation_min : (int16_t)-d.deviation;
    return ERR_OK;
}

/* Up to 32 bits as a number, the first bit highest. */
static bool bits_of(const struct value_part *part, uint32_t *out)
{
    const bool bits = part->tag == AXDR_BITS;
    uint64_t v = 0;
    if ((!bits && part->tag != AXDR_OCTETS) || part->content.len > 4)
        return false;
    for (size_t i = 0; i < part->content.len; i++)
        v = v << 8 | part->content.p[i];
    *out = (uint32_t)(bits ? v >> (8 * part->content.len - part->n) : v);
    return true;
}

static void take_status(struct profile_rows *p, const struct value_part *part)
{
    int64_t v;
    if (part->tag == AXDR_NULL || bits_of(part, &p->row.status))
        return;
    if (value_part_int(part, &v) && v >= 0 && v <= UINT32_MAX) {
        p->row.status = (uint32_t)v;
        return;
    }
    p->row.status = 0;
    p->n_missing++;
}

static void take_value(struct profile_rows *p, const struct value_part *part)
{
    int64_t v;
    int64_t *to = &p->row.value[p->n_values++];
    if (part->tag == AXDR_NULL) {
        p->n_missing += *to == PROFILE_ROWS_MISSING;
        return;
    }
    if (!value_part_int(part, &v))
        v = PROFILE_ROWS_MISSING;
    p->n_missing += v == PROFILE_ROWS_MISSING;
    *to = v;
}

static enum err take_cell(struct profile_rows *p, const struct value_part *part)
{
    switch (p->config.role[part->index[DEPTH_ROW]]) {
    case PROFILE_ROWS_CLOCK:
        return take_clock(p, part);
    case PROFILE_ROWS_STATUS:
        take_status(p, part);
        return ERR_OK;
    default:
        take_value(p, part);
        return ERR_OK;
    }
}

static enum err end_row(struct profile_rows *p)
{
    p->n_values = 0;
    if (p->has_clock && !p->stamped) {
        p->n_unstamped++;
        return ERR_OK;
    }
    if (!p->config.row(p->config.context, &p->row))
        return ERR_FULL;
    p->n_rows++;
    return ERR_OK;
}

static enum err take_part(void *context, const struct value_part *part)
{
    struct profile_rows *p = context;
    const bool container = part->tag == AXDR_ARRAY || part->tag == AXDR_STRUCT;
    switch (part->depth) {
    case DEPTH_BUFFER:
        p->n_expected = part->n;
        return part->tag == AXDR_ARRAY ? ERR_OK : ERR_TYPE;
    case DEPTH_ROW:
        if (part->tag != AXDR_STRUCT)
            return ERR_TYPE;
        if (part->n != p->config.n_columns)
            return ERR_RANGE;
        return part->end ? end_row(p) : ERR_OK;
    case DEPTH_CELL: /* a container is one cell, taken when it ends */
        return container && !part->end ? ERR_OK : take_cell(p, part);
    default:
        return ERR_OK;
    }
}

enum err profile_rows_feed(struct profile_rows *p, struct bytes part)
{
    const struct value_walk_sink sink = {.context = p, .part = take_part};
    return value_walk_feed(&p->walk, part, &sink);
}

enum err profile_rows_end(const struct profile_rows *p)
{
    if (p->walk.err)
        return p->walk.err;
    return value_walk_complete(&p->walk) ? ERR_OK : ERR_TRUNCATED;
}
