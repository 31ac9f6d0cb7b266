/* The frame of a day block: head, directory, stamps, zone and status around the columns, and the
 * CRC over all. Octets: docs/SPEC-day-block.md.
 *
 * It refuses rows out of order or of two days when writing, and when reading any block whose parts
 * do not fill it exactly. It does not know what a column means. */
#include "headend/store/day_block.h"

#include "headend/store/day_column.h"
#include "headend/store/day_runs.h"
#include "lib/base/crc.h"

#include <stdlib.h>
#include <string.h>

#define VERSION  1
#define CRC_SIZE 4

enum section { STAMPS, ZONE, STATUS, COLUMNS }; /* the last: of column 0, the others follow */
#define SECTIONS_MAX (COLUMNS + DAY_COLUMNS_MAX)

/* version, rows, columns, period, a length of three octets for each section */
#define HEAD_MAX (1 + 3 + 1 + 5 + 3 * SECTIONS_MAX)

/* First octet of the stamps. */
enum stamps { STAMPS_GRID, STAMPS_RUNS, STAMPS_COLUMN };

struct frame { /* a block taken apart; sections are views of it */
    uint32_t n_rows, n_columns, period_s;
    struct bytes section[SECTIONS_MAX];
};

/* The last is not before the first, and of the same UTC day. The difference is taken unsigned: it
 * may pass 2^63. */
static bool is_one_day(const int64_t *stamp_s, uint32_t n)
{
    if (n == 0)
        return true;
    const int64_t first = stamp_s[0], last = stamp_s[n - 1], rest = first % DAY_S;
    const int64_t second = rest < 0 ? rest + DAY_S : rest;
    return last >= first && (uint64_t)last - (uint64_t)first < (uint64_t)(DAY_S - second);
}

static bool is_in_order(const int64_t *stamp_s, uint32_t n)
{
    bool in_order = true;
    for (uint32_t i = 1; i < n; i++)
        in_order &= stamp_s[i] >= stamp_s[i - 1];
    return in_order;
}

/* Modulo 2^64; with is_one_day() also in order. */
static bool is_grid(const int64_t *stamp_s, uint32_t n, uint32_t period_s)
{
    bool grid = n < 2 || period_s > 0;
    for (uint32_t i = 1; i < n && grid; i++)
        grid = (uint64_t)stamp_s[i] - (uint64_t)stamp_s[i - 1] == period_s;
    return grid;
}

/* ---- writing ---- */

size_t day_block_bound(uint32_t n_rows, uint32_t n_columns)
{
    if (n_rows > DAY_ROWS_MAX || n_columns > DAY_COLUMNS_MAX)
        return 0;
    const size_t stamps = 11 + 4 * (size_t)n_rows; /* runs of one row each */
    const size_t runs = 6 * (size_t)n_rows;        /* five octets of value, one of count */
    return HEAD_MAX + stamps + 2 * runs + n_columns * DAY_COLUMN_BOUND(n_rows) + CRC_SIZE;
}

static void write_stamp_runs(struct wr *w, const int64_t *stamp_s, uint32_t n)
{
    wr_u8(w, STAMPS_RUNS);
    day_wr_varint(w, day_zigzag(stamp_s[0]));
    for (uint32_t i = 1, end; i < n; i = end) {
        const int64_t step = stamp_s[i] - stamp_s[i - 1];
        for (end = i + 1; end < n && stamp_s[end] - stamp_s[end - 1] == step;)
            end++;
        day_wr_varint(w, (uint64_t)step);
        day_wr_varint(w, end - i);
    }
}

static void write_stamp_column(struct wr *w, const int64_t *stamp_s, uint32_t n)
{
    wr_u8(w, STAMPS_COLUMN);
    day_column_write(w, stamp_s, n, 1);
}

/* A grid where it is one, else the shorter list. */
static void write_stamps(struct wr *w, const struct day_rows *rows, bool grid)
{
    struct wr runs = wr_counter(), column = wr_counter();
    if (rows->n == 0)
        return;
    if (grid) {
        wr_u8(w, STAMPS_GRID);
        day_wr_varint(w, day_zigzag(rows->stamp_s[0]));
        return;
    }
    write_stamp_runs(&runs, rows->stamp_s, rows->n);
    write_stamp_column(&column, rows->stamp_s, rows->n);
    if (runs.len <= column.len)
        write_stamp_runs(w, rows->stamp_s, rows->n);
    else
        write_stamp_column(w, rows->stamp_s, rows->n);
}

/* All sections, with their lengths in the directory. */
static void write_sections(struct wr *w, struct wr *directory, const struct day_rows *rows,
                           bool grid)
{
    for (uint32_t i = 0; i < COLUMNS + rows->n_columns; i++) {
        const size_t start = w->len;
        if (i == STAMPS)
            write_stamps(w, rows, grid);
        else if (i == ZONE)
            day_runs_write(w, rows->zone, rows->n);
        else if (i == STATUS)
            day_runs_write(w, rows->status, rows->n);
        else if (rows->n > 0)
            day_column_write(w, rows->value + (i - COLUMNS), rows->n, rows->n_columns);
        day_wr_varint(directory, w->len - start);
    }
}

enum err day_block_encode(const struct day_rows *rows, uint32_t period_s, uint8_t *to, size_t size,
                          size_t *len)
{
    uint8_t head[HEAD_MAX];
    struct wr w = wr_of(to, size), h = wr_of(head, sizeof head);
    *len = 0;
    if (rows->n > DAY_ROWS_MAX || rows->n_columns > DAY_COLUMNS_MAX)
        return ERR_RANGE;
    const bool grid = is_grid(rows->stamp_s, rows->n, period_s);
    if (!is_one_day(rows->stamp_s, rows->n) || !(grid || is_in_order(rows->stamp_s, rows->n)))
        return ERR_RANGE;
    wr_u8(&h, VERSION);
    day_wr_varint(&h, rows->n);
    wr_u8(&h, (uint8_t)rows->n_columns);
    day_wr_varint(&h, period_s);
    write_sections(&w, &h, rows, grid);
    if (w.err || h.err || size - w.len < h.len + CRC_SIZE)
        return ERR_FULL;
    /* The lengths are known only now: the sections make room for the head. */
    memmove(to + h.len, to, w.len);
    memcpy(to, head, h.len);
    w.len += h.len;
    wr_u32(&w, crc32_update(0, to, w.len));
    *len = w.len;
    return w.err;
}

/* ---- reading ---- */

static uint32_t read_number(struct rd *r, uint32_t most)
{
    const uint64_t v = day_rd_varint(r);
    if (v > most)
        rd_fail(r, ERR_CORRUPT);
    return r->err ? 0 : (uint32_t)v;
}

static struct rd rd_section(const struct frame *f, uint32_t i)
{
    return rd_of(f->section[i].p, f->section[i].len);
}

/* A section is good when its reader found nothing wrong and took all of it. */
static enum err section_end(const struct rd *r)
{
    return r->err || rd_left(r) > 0 ? ERR_CORRUPT : ERR_OK;
}

static enum err frame_open(struct bytes block, struct frame *f)
{
    if (block.len < CRC_SIZE + 1)
        return ERR_CORRUPT;
    struct rd r = rd_of(block.p, block.len - CRC_SIZE), end = rd_of(block.p + r.len, CRC_SIZE);
    uint32_t len[SECTIONS_MAX];
    if (!r.p || rd_u32(&end) != crc32_update(0, r.p, r.len))
        return ERR_CORRUPT;
    if (rd_u8(&r) != VERSION)
        return ERR_VERSION;
    f->n_rows = read_number(&r, DAY_ROWS_MAX);
    f->n_columns = rd_u8(&r);
    f->period_s = read_number(&r, UINT32_MAX);
    if (r.err || f->n_columns > DAY_COLUMNS_MAX)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < COLUMNS + f->n_columns; i++)
        len[i] = read_number(&r, UINT32_MAX);
    for (uint32_t i = 0; i < COLUMNS + f->n_columns; i++)
        f->section[i] = rd_bytes(&r, len[i]);
    return section_end(&r);
}

static void read_grid(struct rd *r, int64_t *to, uint32_t n, uint32_t period_s)
{
    const uint64_t first = (uint64_t)day_unzigzag(day_rd_varint(r));
    if (n > 1 && period_s == 0)
        rd_fail(r, ERR_CORRUPT);
    for (uint32_t i = 0; i < n; i++)
        to[i] = (int64_t)(first + (uint64_t)i * period_s);
}

/* A step too long shows in the stamps: beyond the day, or falling where 2^64 is passed. */
static void read_stamp_runs(struct rd *r, int64_t *to, uint32_t n)
{
    uint64_t stamp = (uint64_t)day_unzigzag(day_rd_varint(r)), last = UINT64_MAX;
    to[0] = (int64_t)stamp;
    for (uint32_t i = 1; i < n && !r->err;) {
        const uint64_t step = day_rd_varint(r), count = day_rd_varint(r);
        if (step == last || count == 0 || count > n - i) {
            rd_fail(r, ERR_CORRUPT);
            return;
        }
        for (const uint32_t end = i + (uint32_t)count; i < end; i++)
            to[i] = (int64_t)(stamp += step);
        last = step;
    }
}

/* n_rows stamps, in order and of one day. */
static enum err read_stamps(const struct frame *f, int64_t *to)
{
    struct rd r = rd_section(f, STAMPS);
    if (f->n_rows == 0)
        return section_end(&r);
    const uint8_t kind = rd_u8(&r);
    if (kind == STAMPS_GRID)
        read_grid(&r, to, f->n_rows, f->period_s);
    else if (kind == STAMPS_RUNS)
        read_stamp_runs(&r, to, f->n_rows);
    else if (kind == STAMPS_COLUMN)
        day_column_read(&r, to, f->n_rows, 1);
    else
        rd_fail(&r, ERR_CORRUPT);
    const enum err err = section_end(&r);
    if (err)
        return err;
    const bool in_order = kind == STAMPS_GRID || is_in_order(to, f->n_rows);
    return in_order && is_one_day(to, f->n_rows) ? ERR_OK : ERR_CORRUPT;
}

static enum err read_runs(const struct frame *f, enum section section, uint32_t *to)
{
    struct rd r = rd_section(f, section);
    day_runs_read(&r, to, f->n_rows);
    return section_end(&r);
}

static enum err read_column(const struct frame *f, uint32_t column, int64_t *to, size_t step)
{
    struct rd r = rd_section(f, COLUMNS + column);
    day_column_read(&r, to, f->n_rows, step);
    return section_end(&r);
}

static enum err frame_read(const struct frame *f, struct day_rows *rows)
{
    enum err err = day_rows_init(rows, f->n_columns, f->n_rows);
    if (!err)
        err = read_stamps(f, rows->stamp_s);
    if (!err)
        err = read_runs(f, ZONE, rows->zone);
    if (!err)
        err = read_runs(f, STATUS, rows->status);
    for (uint32_t c = 0; !err && c < f->n_columns; c++)
        err = read_column(f, c, rows->value + c, f->n_columns);
    if (!err)
        rows->n = f->n_rows;
    return err;
}

enum err day_block_decode(struct bytes block, struct day_rows *rows)
{
    struct frame f;
    memset(rows, 0, sizeof *rows);
    const enum err err = frame_open(block, &f);
    return err ? err : frame_read(&f, rows);
}

/* The block once more from its rows, into memory of its size: other octets are not ours. */
static enum err check_again(struct bytes block, const struct frame *f, struct day_rows *rows)
{
    size_t len;
    uint8_t *again = malloc(block.len);
    if (!again)
        return ERR_MEMORY;
    enum err err = frame_read(f, rows);
    if (!err)
        err = day_block_encode(rows, f->period_s, again, block.len, &len);
    if (!err && (len != block.len || memcmp(again, block.p, len) != 0))
        err = ERR_CORRUPT;
    free(again);
    return err == ERR_FULL ? ERR_CORRUPT : err;
}

enum err day_block_check(struct bytes block)
{
    struct frame f;
    struct day_rows rows = {0};
    enum err err = frame_open(block, &f);
    if (!err)
        err = check_again(block, &f, &rows);
    day_rows_free(&rows);
    return err;
}

enum err day_block_info(struct bytes block, struct day_block_info *info)
{
    struct frame f;
    int64_t stamp_s[DAY_ROWS_MAX];
    memset(info, 0, sizeof *info);
    enum err err = frame_open(block, &f);
    if (!err)
        err = read_stamps(&f, stamp_s);
    if (err)
        return err;
    info->n_rows = f.n_rows;
    info->n_columns = f.n_columns;
    info->period_s = f.period_s;
    info->on_grid = f.n_rows == 0 || f.section[STAMPS].p[0] == STAMPS_GRID;
    info->first_s = f.n_rows ? stamp_s[0] : 0;
    info->last_s = f.n_rows ? stamp_s[f.n_rows - 1] : 0;
    return ERR_OK;
}

enum err day_block_column(struct bytes block, uint32_t column, int64_t *to, size_t size)
{
    struct frame f;
    const enum err err = frame_open(block, &f);
    if (err)
        return err;
    if (column >= f.n_columns || size < f.n_rows)
        return ERR_RANGE;
    return read_column(&f, column, to, 1);
}

enum err day_block_stamps(struct bytes block, int64_t *to, size_t size)
{
    struct frame f;
    const enum err err = frame_open(block, &f);
    if (err)
        return err;
    return size < f.n_rows ? ERR_RANGE : read_stamps(&f, to);
}
