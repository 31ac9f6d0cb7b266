#include "tests/headend/store/store_rig.h"

#include <dirent.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t utc_ms(void *context)
{
    return ((struct rig *)context)->now_ms;
}

static uint64_t mono_ms(void *context)
{
    return (uint64_t)((struct rig *)context)->now_ms;
}

void rig_make(struct rig *r)
{
    const char *base = getenv("TMPDIR");
    snprintf(r->dir, sizeof r->dir, "%.40s/store-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(r->dir));
    r->now_ms = RIG_NOW_MS;
    r->clock = (struct server_clock){.context = r, .utc_ms = utc_ms, .mono_ms = mono_ms};
    r->s = NULL;
}

struct store *rig_connect(struct rig *r)
{
    char why[200] = "";
    struct store *s;
    struct store_options o = {.dir = r->dir, .clock = &r->clock};
    enum err err = store_open(&s, &o, why, sizeof why);
    if (err != ERR_OK)
        fail_msg("open: %s", why);
    return s;
}

void rig_open(struct rig *r)
{
    r->s = rig_connect(r);
}

void rig_remove(struct rig *r)
{
    store_close(r->s);
    r->s = NULL;
    DIR *d = opendir(r->dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", r->dir, e->d_name);
        unlink(path); /* not "." and "..": these are no files */
    }
    closedir(d);
    assert_int_equal(rmdir(r->dir), 0);
}

const char *rig_path(const struct rig *r, const char *name, char room[128])
{
    snprintf(room, 128, "%s/%s", r->dir, name);
    return room;
}

struct store_meter rig_meter(const char *name)
{
    struct store_meter m = {.url = "tcp://127.0.0.1:4059",
                            .client_sap = 3,
                            .server_sap = 1,
                            .auth = STORE_AUTH_HLS5,
                            .security = 0x30,
                            .timeout_ms = 10000,
                            .register_period_s = 60,
                            .ct_num = 1,
                            .ct_den = 1,
                            .vt_num = 1,
                            .vt_den = 1,
                            .enabled = true};
    snprintf(m.name, sizeof m.name, "%s", name);
    return m;
}

struct store_layout rig_layout(struct store *s, const char *meter, uint32_t n_columns)
{
    struct store_meter m = rig_meter(meter);
    assert_int_equal(store_meter_add(s, &m), ERR_OK);
    struct store_profile p = {.meter = m.id, .ln = {1, 0, 99, 1, 0, 255}, .period_s = RIG_PERIOD};
    assert_int_equal(store_profile_find(s, &p), ERR_OK);
    struct store_layout l = {.profile = p.id, .period_s = RIG_PERIOD, .n_columns = n_columns};
    for (uint32_t c = 0; c < n_columns; c++)
        l.column[c] = (struct store_column){.ln = {1, 0, (uint8_t)(c + 1), c % 2 ? 29 : 8, 0, 255},
                                            .class_id = 3,
                                            .attribute = 2,
                                            .unit = 30,
                                            .scaler = -1,
                                            .mul_num = 1,
                                            .mul_den = 1};
    assert_int_equal(store_layout_find(s, &l), ERR_OK);
    return l;
}

void rig_rows(struct day_row *rows, int64_t day, uint32_t from, uint32_t n, uint32_t n_columns,
              uint32_t seed)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = from + i;
        rows[i] = (struct day_row){.stamp_s = day * DAY_S + (int64_t)at * RIG_PERIOD,
                                   .zone = DAY_ZONE(60, 0)};
        for (uint32_t c = 0; c < n_columns; c++)
            rows[i].value[c] = 1000000 * (int64_t)(c + 1) + (day - RIG_DAY) * 9600 +
                               (int64_t)at * 100 + (at * 7 + c + seed) % 50;
    }
}

static bool append(void *context, const struct store_block *b)
{
    struct day_rows *all = context, one = {0};
    assert_int_equal(day_block_decode(b->block, &one), ERR_OK);
    for (uint32_t r = 0; r < one.n; r++) {
        struct day_row row = {
            .stamp_s = one.stamp_s[r], .zone = one.zone[r], .status = one.status[r]};
        memcpy(row.value, one.value + (size_t)r * one.n_columns, one.n_columns * sizeof(int64_t));
        assert_int_equal(day_rows_append(all, &row), ERR_OK);
    }
    day_rows_free(&one);
    return true;
}

void rig_day(struct store *s, int64_t profile, int64_t day, struct day_rows *rows)
{
    assert_int_equal(day_rows_init(rows, DAY_COLUMNS_MAX, RIG_PER_DAY), ERR_OK);
    assert_int_equal(store_blocks_each(s, profile, day * DAY_S, (day + 1) * DAY_S, append, rows),
                     ERR_OK);
}

static void bad(void *context, const char *sentence)
{
    (void)context;
    print_error("%s\n", sentence);
}

struct store_verify rig_verify(struct store *s)
{
    struct store_verify v;
    assert_int_equal(store_verify(s, bad, NULL, &v), ERR_OK);
    assert_int_equal(v.n_bad, 0);
    return v;
}

int64_t rig_sql(const struct rig *r, const char *sql)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(rig_path(r, "ferraris.db", path), &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}
