/* Rows in, blocks and totals out: versions, layouts, spans, verification. */
#include "headend/store/store_parts.h"
#include "tests/headend/store/store_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct bench {
    struct rig r;
    struct store_layout l;
    struct day_row rows[3 * RIG_PER_DAY];
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    rig_make(&b->r);
    rig_open(&b->r);
    b->l = rig_layout(b->r.s, "meter", 3);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    rig_remove(&b->r);
    free(b);
    return 0;
}

static struct store_put put_rows(struct bench *b, const struct day_row *rows, size_t n)
{
    struct store_put put;
    enum err err = store_rows_put(b->r.s, &b->l, rows, n, &put);
    if (err != ERR_OK)
        fail_msg("%s", store_why(b->r.s));
    return put;
}

/* Rows of the day as they stand in b->rows, put. */
static struct store_put put_part(struct bench *b, int64_t day, uint32_t from, uint32_t n)
{
    rig_rows(b->rows, day, from, n, b->l.n_columns, 0);
    return put_rows(b, b->rows, n);
}

struct seen {
    uint32_t n, version[8], n_rows[8];
    int64_t day[8], layout[8];
    uint8_t block[8][4096];
    size_t len[8];
};

static bool see(void *context, const struct store_block *b)
{
    struct seen *s = context;
    assert_true(s->n < 8 && b->block.len <= sizeof s->block[0]);
    s->version[s->n] = b->version;
    s->n_rows[s->n] = b->n_rows;
    s->day[s->n] = b->day;
    s->layout[s->n] = b->layout;
    s->len[s->n] = b->block.len;
    memcpy(s->block[s->n++], b->block.p, b->block.len);
    return true;
}

static struct seen versions(struct bench *b, int64_t day)
{
    struct seen s = {0};
    assert_int_equal(store_versions_each(b->r.s, b->l.profile, day, see, &s), ERR_OK);
    return s;
}

static struct seen blocks(struct bench *b, int64_t from_s, int64_t to_s)
{
    struct seen s = {0};
    assert_int_equal(store_blocks_each(b->r.s, b->l.profile, from_s, to_s, see, &s), ERR_OK);
    return s;
}

static struct store_profile profile(struct bench *b)
{
    struct store_profile list[STORE_PROFILES_MAX];
    size_t n;
    assert_int_equal(store_profiles_get(b->r.s, 1, list, STORE_PROFILES_MAX, &n), ERR_OK);
    assert_int_equal(n, 1);
    return list[0];
}

static void put_gives_the_same_rows_back(void **state)
{
    struct bench *b = *state;
    struct day_rows got = {0};
    struct store_put put = put_part(b, RIG_DAY, 0, RIG_PER_DAY);
    assert_int_equal(put.n_new, RIG_PER_DAY);
    assert_int_equal(put.n_blocks, 1);
    assert_int_equal(put.from_s, RIG_DAY * DAY_S);
    assert_int_equal(put.to_s, RIG_DAY * DAY_S + 95 * RIG_PERIOD);
    rig_day(b->r.s, b->l.profile, RIG_DAY, &got);
    assert_int_equal(got.n, RIG_PER_DAY);
    for (uint32_t r = 0; r < got.n; r++) {
        assert_int_equal(got.stamp_s[r], b->rows[r].stamp_s);
        assert_int_equal(got.zone[r], b->rows[r].zone);
        for (uint32_t c = 0; c < 3; c++)
            assert_int_equal(got.value[r * got.n_columns + c], b->rows[r].value[c]);
    }
    day_rows_free(&got);
    assert_int_equal(profile(b).first_s, put.from_s);
    assert_int_equal(profile(b).last_s, put.to_s);
    rig_verify(b->r.s);
}

static void put_twice_changes_nothing(void **state)
{
    struct bench *b = *state;
    put_part(b, RIG_DAY, 0, 50);
    struct seen before = versions(b, RIG_DAY);
    struct store_put put = put_part(b, RIG_DAY, 0, 50);
    assert_int_equal(put.n_new + put.n_blocks, 0);
    assert_int_equal(put.from_s | put.to_s, 0);
    put = put_part(b, RIG_DAY, 10, 20);
    assert_int_equal(put.n_new + put.n_blocks, 0);
    struct seen after = versions(b, RIG_DAY);
    assert_memory_equal(&before, &after, sizeof before);
    put = put_rows(b, b->rows, 0);
    assert_int_equal(put.n_new, 0);
}

static void day_that_grows_keeps_its_version(void **state)
{
    struct bench *b = *state;
    for (uint32_t at = 0; at < 12; at++) {
        struct store_put put = put_part(b, RIG_DAY, at, 1);
        assert_int_equal(put.n_new, 1);
        assert_int_equal(put.from_s, RIG_DAY * DAY_S + (int64_t)at * RIG_PERIOD);
        assert_int_equal(put.from_s, put.to_s);
    }
    struct seen s = versions(b, RIG_DAY);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.version[0], 1);
    assert_int_equal(s.n_rows[0], 12);
    rig_verify(b->r.s);
}

static void day_that_changes_appends_a_version(void **state)
{
    struct bench *b = *state;
    put_part(b, RIG_DAY, 0, 40);
    struct seen first = versions(b, RIG_DAY);
    struct store_put put = put_part(b, RIG_DAY, 39, 3); /* an old one and two behind */
    assert_int_equal(put.n_new, 2);
    rig_rows(b->rows, RIG_DAY, 5, 1, 3, 1); /* another value at an old stamp */
    put = put_rows(b, b->rows, 1);
    assert_int_equal(put.n_new, 1);
    assert_int_equal(put.from_s, RIG_DAY * DAY_S + 5 * RIG_PERIOD);
    struct seen s = versions(b, RIG_DAY);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.version[0], 1);
    assert_int_equal(s.n_rows[0], 42);
    assert_int_equal(s.version[1], 2);
    assert_int_equal(s.n_rows[1], 43);
    assert_int_not_equal(first.n_rows[0], s.n_rows[0]);
    put_part(b, RIG_DAY, 60, 1); /* grows version 2 */
    s = versions(b, RIG_DAY);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.n_rows[0], 42);
    assert_int_equal(s.n_rows[1], 44);
    put = put_part(b, RIG_DAY, 50, 1); /* into the gap */
    assert_int_equal(put.n_new, 1);
    s = versions(b, RIG_DAY);
    assert_int_equal(s.n, 3);
    s = blocks(b, RIG_DAY * DAY_S, (RIG_DAY + 1) * DAY_S);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.version[0], 3);
    rig_verify(b->r.s);
}

static void doubled_rows_stay_doubled(void **state)
{
    struct bench *b = *state;
    rig_rows(b->rows, RIG_DAY, 0, 10, 3, 0);
    b->rows[10] = b->rows[4];
    assert_int_equal(put_rows(b, b->rows, 11).n_new, 11);
    assert_int_equal(put_rows(b, b->rows, 11).n_new, 0);
    assert_int_equal(versions(b, RIG_DAY).n_rows[0], 11);
    b->rows[11] = b->rows[4];
    struct store_put put = put_rows(b, b->rows, 12);
    assert_int_equal(put.n_new, 1);
    assert_int_equal(put.from_s, b->rows[4].stamp_s);
    rig_verify(b->r.s);
}

static void rows_of_any_day_and_order_are_sorted(void **state)
{
    struct bench *b = *state;
    for (int64_t d = 0; d < 3; d++)
        rig_rows(b->rows + d * RIG_PER_DAY, RIG_DAY + d, 0, RIG_PER_DAY, 3, 0);
    uint32_t random = 1, n = 3 * RIG_PER_DAY;
    for (uint32_t i = n - 1; i > 0; i--) {
        random = random * 1664525 + 1013904223;
        uint32_t k = (random >> 8) % (i + 1);
        struct day_row swap = b->rows[i];
        b->rows[i] = b->rows[k];
        b->rows[k] = swap;
    }
    struct store_put put = put_rows(b, b->rows, n);
    assert_int_equal(put.n_new, n);
    assert_int_equal(put.n_blocks, 3);
    assert_int_equal(put.from_s, RIG_DAY * DAY_S);
    assert_int_equal(put.to_s, (RIG_DAY + 3) * DAY_S - RIG_PERIOD);
    for (int64_t d = 0; d < 3; d++) {
        assert_int_equal(put_part(b, RIG_DAY + d, 0, RIG_PER_DAY).n_new, 0);
        assert_int_equal(versions(b, RIG_DAY + d).n, 1);
    }
    rig_verify(b->r.s);
}

/* Days mixed, so that the put has to sort: within a stamp it is still first come, first filed. */
static void rows_of_one_stamp_stay_in_order_of_arrival(void **state)
{
    struct bench *b = *state;
    struct day_rows got = {0};
    for (uint32_t i = 0; i < 40; i++)
        b->rows[i] = (struct day_row){.stamp_s = (RIG_DAY + 1 - i % 2) * DAY_S,
                                      .value = {(int64_t)(i * 7 % 40), 0, 0}};
    assert_int_equal(put_rows(b, b->rows, 40).n_new, 40);
    for (uint32_t d = 0; d < 2; d++) {
        rig_day(b->r.s, b->l.profile, RIG_DAY + 1 - d, &got);
        assert_int_equal(got.n, 20);
        for (uint32_t r = 0; r < 20; r++)
            assert_int_equal(got.value[r * got.n_columns], b->rows[2 * r + d].value[0]);
        day_rows_free(&got);
    }
}

static void blocks_are_those_that_touch_the_span(void **state)
{
    struct bench *b = *state;
    for (int64_t d = 0; d < 3; d++)
        put_part(b, RIG_DAY + d, 0, 2);
    const int64_t t = RIG_DAY * DAY_S;
    assert_int_equal(blocks(b, t, t + DAY_S).n, 1);
    assert_int_equal(blocks(b, t + DAY_S - 1, t + DAY_S + 1).n, 2);
    assert_int_equal(blocks(b, t + 50000, t + 50001).n, 1);
    assert_int_equal(blocks(b, t, t).n, 0);
    assert_int_equal(blocks(b, t + 1, t).n, 0);
    assert_int_equal(blocks(b, INT64_MIN, INT64_MAX).n, 3);
    assert_int_equal(blocks(b, t + DAY_S, INT64_MAX).day[0], RIG_DAY + 1);
    assert_int_equal(blocks(b, INT64_MIN, t).n, 0);
}

static void stamps_at_the_ends_of_time_are_taken_and_beyond_refused(void **state)
{
    struct bench *b = *state;
    struct store_put put;
    struct day_row row = {.stamp_s = 0};
    assert_int_equal(put_rows(b, &row, 1).n_new, 1);
    row.stamp_s = STORE_STAMP_END - 1;
    assert_int_equal(put_rows(b, &row, 1).n_new, 1);
    row.stamp_s = STORE_STAMP_END;
    assert_int_equal(store_rows_put(b->r.s, &b->l, &row, 1, &put), ERR_RANGE);
    row.stamp_s = -1;
    assert_int_equal(store_rows_put(b->r.s, &b->l, &row, 1, &put), ERR_RANGE);
    assert_int_equal(blocks(b, INT64_MIN, INT64_MAX).n, 2);
    rig_verify(b->r.s);
}

static void put_refuses_a_layout_that_is_another(void **state)
{
    struct bench *b = *state;
    struct store_put put;
    struct store_layout l = b->l;
    rig_rows(b->rows, RIG_DAY, 0, 1, 3, 0);
    l.n_columns = 2;
    assert_int_equal(store_rows_put(b->r.s, &l, b->rows, 1, &put), ERR_RANGE);
    l = b->l;
    l.period_s /= 2;
    assert_int_equal(store_rows_put(b->r.s, &l, b->rows, 1, &put), ERR_RANGE);
    l = b->l;
    l.profile++;
    assert_int_equal(store_rows_put(b->r.s, &l, b->rows, 1, &put), ERR_RANGE);
    l = b->l;
    l.id = 77;
    assert_int_equal(store_rows_put(b->r.s, &l, b->rows, 1, &put), ERR_NOT_FOUND);
    assert_int_equal(blocks(b, 0, INT64_MAX).n, 0);
}

/* One minute too many: the days before it in the same put are not left behind either. */
static void put_of_too_long_a_day_leaves_nothing(void **state)
{
    struct bench *b = *state;
    struct store_put put;
    uint32_t n = DAY_ROWS_MAX + 2;
    struct day_row *rows = calloc(n, sizeof *rows);
    for (uint32_t i = 0; i < n; i++)
        rows[i].stamp_s = RIG_DAY * DAY_S + i;
    rows[0].stamp_s -= DAY_S;
    assert_int_equal(store_begin(b->r.s), ERR_OK);
    assert_int_equal(store_rows_put(b->r.s, &b->l, rows, n, &put), ERR_RANGE);
    assert_int_equal(put.n_new, 0);
    put_part(b, RIG_DAY + 1, 0, 3);
    assert_int_equal(store_commit(b->r.s, true), ERR_OK);
    struct seen s = blocks(b, 0, INT64_MAX);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.day[0], RIG_DAY + 1);
    assert_int_equal(store_rows_put(b->r.s, &b->l, rows, n - 1, &put), ERR_OK);
    assert_int_equal(put.n_new, n - 1);
    free(rows);
    rig_verify(b->r.s);
}

static void rollback_takes_rows_and_span_back(void **state)
{
    struct bench *b = *state;
    put_part(b, RIG_DAY, 0, 10);
    struct store_profile before = profile(b);
    assert_int_equal(store_begin(b->r.s), ERR_OK);
    put_part(b, RIG_DAY, 10, 10);
    put_part(b, RIG_DAY + 1, 0, 10);
    store_rollback(b->r.s);
    struct store_profile after = profile(b);
    assert_int_equal(before.last_s, after.last_s);
    assert_int_equal(versions(b, RIG_DAY).n_rows[0], 10);
    assert_int_equal(versions(b, RIG_DAY + 1).n, 0);
    assert_int_equal(put_part(b, RIG_DAY, 10, 10).n_new, 10);
    rig_verify(b->r.s);
}

/* ---- layouts ---- */

static void layout_is_found_again_and_made_when_it_differs(void **state)
{
    struct bench *b = *state;
    struct store_layout l = b->l, got;
    l.id = 0;
    assert_int_equal(store_layout_find(b->r.s, &l), ERR_OK);
    assert_int_equal(l.id, b->l.id);
    struct store_layout other[9];
    for (unsigned k = 0; k < 9; k++)
        other[k] = b->l;
    other[0].column[1].mul_num = 50;
    other[1].column[1].mul_den = 50;
    other[2].column[2].scaler = 3;
    other[3].column[0].unit = 32;
    other[4].column[0].ln[4] = 1;
    other[5].column[0].class_id = 4;
    other[6].column[0].attribute = 3;
    other[7].period_s = 60;
    other[8].n_columns = 2;
    for (unsigned k = 0; k < 9; k++) {
        assert_int_equal(store_layout_find(b->r.s, &other[k]), ERR_OK);
        assert_int_equal(other[k].id, b->l.id + 1 + k);
        assert_int_equal(store_layout_get(b->r.s, other[k].id, &got), ERR_OK);
        assert_int_equal(got.period_s, other[k].period_s);
        assert_int_equal(got.n_columns, other[k].n_columns);
        for (uint32_t c = 0; c < got.n_columns; c++)
            assert_memory_equal(&got.column[c], &other[k].column[c], sizeof got.column[c]);
    }
    assert_int_equal(store_layout_find(b->r.s, &l), ERR_OK);
    assert_int_equal(l.id, b->l.id);
    assert_int_equal(store_layout_get(b->r.s, 99, &got), ERR_NOT_FOUND);
    l.profile = 99;
    assert_int_equal(store_layout_find(b->r.s, &l), ERR_NOT_FOUND);
    l.n_columns = DAY_COLUMNS_MAX + 1;
    assert_int_equal(store_layout_find(b->r.s, &l), ERR_RANGE);
    l = b->l;
    l.column[0].mul_den = 0;
    assert_int_equal(store_layout_find(b->r.s, &l), ERR_RANGE);
}

static void day_of_two_layouts_has_two_blocks(void **state)
{
    struct bench *b = *state;
    put_part(b, RIG_DAY, 0, 40);
    struct store_layout old = b->l;
    b->l.n_columns = 2;
    assert_int_equal(store_layout_find(b->r.s, &b->l), ERR_OK);
    assert_int_equal(put_part(b, RIG_DAY, 40, 10).n_new, 10);
    struct seen s = blocks(b, RIG_DAY * DAY_S, (RIG_DAY + 1) * DAY_S);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.layout[0], old.id);
    assert_int_equal(s.n_rows[0], 40);
    assert_int_equal(s.layout[1], b->l.id);
    assert_int_equal(s.n_rows[1], 10);
    assert_int_equal(s.version[1], 1);
    assert_int_equal(profile(b).last_s, RIG_DAY * DAY_S + 49 * RIG_PERIOD);
    rig_verify(b->r.s);
}

/* ---- profiles ---- */

static void profile_is_found_again_and_marked(void **state)
{
    struct bench *b = *state;
    struct store_profile p = {.meter = 1, .ln = {1, 0, 99, 1, 0, 255}, .period_s = RIG_PERIOD};
    assert_int_equal(store_profile_find(b->r.s, &p), ERR_OK);
    assert_int_equal(p.id, b->l.profile);
    assert_int_equal(p.first_s | p.last_s | p.read_meter_s | p.read_ms | p.reread, 0);
    assert_int_equal(store_profile_mark(b->r.s, p.id, 1234, 5678, true), ERR_OK);
    p.period_s = 300; /* the meter was set anew */
    assert_int_equal(store_profile_find(b->r.s, &p), ERR_OK);
    assert_int_equal(p.read_meter_s, 1234);
    assert_int_equal(p.read_ms, 5678);
    assert_true(p.reread);
    assert_int_equal(profile(b).period_s, 300);
    assert_int_equal(store_profile_mark(b->r.s, 99, 1, 1, false), ERR_NOT_FOUND);
    p.meter = 99;
    assert_int_equal(store_profile_find(b->r.s, &p), ERR_NOT_FOUND);
    p.meter = 1;
    for (unsigned k = 2; k <= STORE_PROFILES_MAX; k++) {
        p.ln[3] = (uint8_t)k;
        assert_int_equal(store_profile_find(b->r.s, &p), ERR_OK);
    }
    p.ln[3] = 99;
    assert_int_equal(store_profile_find(b->r.s, &p), ERR_RANGE);
}

/* ---- totals ---- */

struct totals {
    uint32_t n;
    struct store_day_total t[64];
};

static bool collect(void *context, const struct store_day_total *t)
{
    struct totals *all = context;
    assert_true(all->n < 64);
    all->t[all->n++] = *t;
    return true;
}

static void totals_are_those_of_the_rows(void **state)
{
    struct bench *b = *state;
    struct totals all = {0};
    for (int64_t d = 0; d < 3; d++)
        put_part(b, RIG_DAY + d, 0, 20 + (uint32_t)d);
    rig_rows(b->rows, RIG_DAY, 30, 2, 3, 0);
    b->rows[0].value[1] = DAY_MISSING;
    b->rows[0].value[2] = INT64_MAX;
    b->rows[1].value[2] = INT64_MAX;
    put_rows(b, b->rows, 2);
    rig_rows(b->rows, RIG_DAY, 3, 1, 3, 7);
    b->rows[0].value[0] = -5;
    put_rows(b, b->rows, 1); /* a second version */
    assert_int_equal(
        store_day_totals_each(b->r.s, b->l.profile, RIG_DAY, RIG_DAY + 1, collect, &all), ERR_OK);
    assert_int_equal(all.n, 6);
    for (uint32_t k = 0; k < 6; k++) {
        struct day_rows rows = {0};
        struct store_day_total *t = &all.t[k];
        int64_t sum = 0;
        uint32_t n = 0;
        assert_int_equal(t->day, RIG_DAY + k / 3);
        assert_int_equal(t->column, k % 3);
        assert_int_equal(t->layout, b->l.id);
        assert_int_equal(t->n_expected, 96);
        rig_day(b->r.s, b->l.profile, t->day, &rows);
        assert_int_equal(t->n_rows, rows.n);
        for (uint32_t r = 0; r < rows.n; r++) {
            int64_t v = rows.value[r * rows.n_columns + t->column];
            if (v == DAY_MISSING)
                continue;
            assert_true(n > 0 || t->first == v);
            assert_true(r + 1 < rows.n || t->last == v);
            if (__builtin_add_overflow(sum, v, &sum))
                sum = INT64_MAX;
            n++;
        }
        assert_int_equal(t->n_values, n);
        assert_int_equal(t->sum, sum);
        day_rows_free(&rows);
    }
    assert_int_equal(all.t[1].n_values, 22);
    assert_int_equal(all.t[2].sum, INT64_MAX);
    rig_verify(b->r.s);
}

static void totals_text_gives_every_number_back(void **state)
{
    (void)state;
    static const int64_t edge[] = {0, 1, -1, 1000, INT64_MAX, INT64_MIN + 1, INT64_MIN, -1000000};
    struct store_day_total in[DAY_COLUMNS_MAX] = {0}, out[DAY_COLUMNS_MAX];
    char text[STORE_TOTALS_MAX];
    uint32_t n;
    for (uint32_t k = 0; k < 8 * 8 * 8; k++) {
        for (uint32_t c = 0; c < DAY_COLUMNS_MAX; c++)
            in[c] = (struct store_day_total){.column = c,
                                             .n_rows = 9,
                                             .n_values = c % 10,
                                             .first = c % 10 ? edge[k % 8] : 0,
                                             .last = c % 10 ? edge[k / 8 % 8] : 0,
                                             .sum = c % 10 ? edge[k / 64] : 0};
        assert_true(store_totals_put(in, DAY_COLUMNS_MAX, text) < sizeof text);
        assert_int_equal(store_totals_get(text, 9, out, &n), ERR_OK);
        assert_int_equal(n, DAY_COLUMNS_MAX);
        assert_memory_equal(in, out, sizeof in);
    }
    assert_int_equal(store_totals_put(in, 0, text), 2);
    assert_int_equal(store_totals_get(text, 9, out, &n), ERR_OK);
    assert_int_equal(n, 0);
}

static void totals_text_that_is_damaged_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "[",
                                      "]",
                                      "[[1,2,3]",
                                      "[[1,2]]",
                                      "[[1]]",
                                      "[[0],]",
                                      "[[1,2,3,4,5]]",
                                      "[[1,2,3]]]",
                                      "[[a,2,3]]",
                                      "[[10,1,1,1]]",
                                      "[[9223372036854775807,1,0]]",
                                      "[1,2,3]",
                                      "x[0]]",
                                      "[[0][0]]"};
    struct store_day_total out[DAY_COLUMNS_MAX];
    uint32_t n;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (store_totals_get(bad[i], 9, out, &n) != ERR_CORRUPT)
            fail_msg("%s", bad[i]);
    char many[4 * (DAY_COLUMNS_MAX + 1) + 3] = "[";
    for (unsigned c = 0; c <= DAY_COLUMNS_MAX; c++)
        strcat(many, c ? ",[0]" : "[0]");
    strcat(many, "]");
    assert_int_equal(store_totals_get(many, 9, out, &n), ERR_CORRUPT);
}

static void views_show_scaled_values_and_no_secret(void **state)
{
    struct bench *b = *state;
    put_part(b, RIG_DAY, 0, 96);
    b->rows[0].stamp_s += 96 * RIG_PERIOD;
    b->rows[0].value[1] = DAY_MISSING;
    put_rows(b, b->rows, 1); /* next day, one row, a column without values */
    rig_rows(b->rows, RIG_DAY, 3, 1, 3, 9);
    put_rows(b, b->rows, 1);
    rig_rows(b->rows, RIG_DAY, 0, 1, 3, 0);
    assert_int_equal(rig_sql(&b->r, "SELECT count(*) FROM v_day_total"), 6);
    assert_int_equal(rig_sql(&b->r, "SELECT count(*) FROM v_day_total WHERE meter='meter' AND "
                                    "profile='1-0:99.1.0.255' AND day='2026-11-21' AND "
                                    "n_rows=97 AND n_expected=96 AND version=2 AND unit='Wh'"),
                     3);
    assert_int_equal(
        rig_sql(
            &b->r,
            "SELECT first*1000 FROM v_day_total WHERE obis='1-0:2.29.0.255' AND day='2026-11-21'"),
        b->rows[0].value[1] * 100);
    assert_int_equal(rig_sql(&b->r, "SELECT n_values=0 AND sum IS NULL AND first IS NULL FROM "
                                    "v_day_total WHERE obis='1-0:2.29.0.255' AND day='2026-11-22'"),
                     1);
    struct totals all = {0};
    assert_int_equal(store_day_totals_each(b->r.s, b->l.profile, RIG_DAY, RIG_DAY, collect, &all),
                     ERR_OK);
    assert_int_equal(rig_sql(&b->r, "SELECT CAST(round(sum*10)AS INTEGER) FROM v_day_total WHERE "
                                    "obis='1-0:3.8.0.255' AND day='2026-11-21'"),
                     all.t[2].sum);
    assert_int_equal(rig_sql(&b->r, "SELECT count(*) FROM pragma_table_info('v_meter') WHERE "
                                    "name LIKE '%secret%'"),
                     0);
    assert_int_equal(rig_sql(&b->r, "SELECT count(*) FROM v_meter WHERE name='meter' AND "
                                    "added='2026-11-21 06:05:00' AND identified IS NULL"),
                     1);
}

/* ---- verification ---- */

static uint64_t faults(struct bench *b)
{
    struct store_verify v;
    assert_int_equal(store_verify(b->r.s, NULL, NULL, &v), ERR_OK);
    return v.n_bad;
}

static void remember(void *context, const char *sentence)
{
    snprintf(context, 256, "%s", sentence);
}

static void verify_counts_what_there_is(void **state)
{
    struct bench *b = *state;
    put_part(b, RIG_DAY, 0, 96);
    put_part(b, RIG_DAY + 1, 0, 10);
    rig_rows(b->rows, RIG_DAY, 0, 1, 3, 1);
    put_rows(b, b->rows, 1);
    struct store_verify v = rig_verify(b->r.s);
    assert_int_equal(v.n_blocks, 3);
    assert_int_equal(v.n_rows, 96 + 97 + 10);
    assert_int_equal(v.n_values, 3 * v.n_rows);
}

static void verify_finds_every_flipped_octet(void **state)
{
    struct bench *b = *state;
    char said[256] = "", text[160];
    put_part(b, RIG_DAY, 0, 24);
    struct seen s = versions(b, RIG_DAY);
    for (size_t at = 0; at < s.len[0]; at++) {
        s.block[0][at] ^= 0x10;
        struct ask a = ask_text_of(b->r.s, "UPDATE lp_block SET block=?");
        ask_blob(&a, s.block[0], s.len[0]);
        assert_int_equal(ask_run(&a), ERR_OK);
        assert_int_equal(faults(b), 1);
        s.block[0][at] ^= 0x10;
    }
    struct store_verify v;
    assert_int_equal(store_verify(b->r.s, remember, said, &v), ERR_OK);
    snprintf(text, sizeof text, "block of profile 1, day %d, layout 1, version 1", RIG_DAY);
    assert_non_null(strstr(said, text));
}

static void verify_finds_what_does_not_fit_together(void **state)
{
    struct bench *b = *state;
    static const char *const harm[] = {
        "UPDATE lp_block SET n_rows=23",
        "UPDATE lp_block SET day=day+1",
        "UPDATE lp_block SET totals='[[1,2,3],[1,2,3],[1,2,3]]'",
        "UPDATE lp_block SET totals='[[1,2,3]]'",
        "UPDATE lp_block SET totals='x'",
        "UPDATE layout SET n_columns=2",
        "UPDATE profile SET last_s=last_s-1",
        "UPDATE profile SET first_s=first_s+1",
        "PRAGMA foreign_keys=OFF; UPDATE layout SET profile=77; PRAGMA foreign_keys=ON",
    };
    put_part(b, RIG_DAY, 0, 24);
    for (unsigned i = 0; i < sizeof harm / sizeof harm[0]; i++) {
        assert_int_equal(store_exec(b->r.s, "SAVEPOINT unharmed"), ERR_OK);
        if (strncmp(harm[i], "PRAGMA", 6) == 0)
            assert_int_equal(store_exec(b->r.s, "RELEASE unharmed"), ERR_OK);
        assert_int_equal(store_exec(b->r.s, harm[i]), ERR_OK);
        if (faults(b) == 0)
            fail_msg("not found: %s", harm[i]);
        if (strncmp(harm[i], "PRAGMA", 6) != 0)
            assert_int_equal(store_exec(b->r.s, "ROLLBACK TO unharmed; RELEASE unharmed"), ERR_OK);
    }
}

static void damaged_day_goes_on_in_a_new_version(void **state)
{
    struct bench *b = *state;
    put_part(b, RIG_DAY, 0, 24);
    assert_int_equal(store_exec(b->r.s, "UPDATE lp_block SET block=x'00010203'"), ERR_OK);
    assert_int_equal(put_part(b, RIG_DAY, 0, 25).n_new, 25);
    struct seen s = versions(b, RIG_DAY);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.len[0], 4); /* left as it lies */
    assert_int_equal(s.n_rows[1], 25);
    assert_int_equal(faults(b), 1);
}

/* A whole block, but of another layout: as good as none. */
static void day_of_other_columns_goes_on_in_a_new_version(void **state)
{
    struct bench *b = *state;
    struct store_layout other = rig_layout(b->r.s, "other", 2), own = b->l;
    b->l = other;
    put_part(b, RIG_DAY, 0, 10);
    b->l = own;
    put_part(b, RIG_DAY, 0, 24);
    assert_int_equal(store_exec(b->r.s, "UPDATE lp_block SET block=(SELECT block FROM lp_block "
                                        "ORDER BY length(block) LIMIT 1)"),
                     ERR_OK);
    assert_int_equal(put_part(b, RIG_DAY, 0, 25).n_new, 25);
    struct seen s = versions(b, RIG_DAY);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.n_rows[1], 25);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(put_gives_the_same_rows_back),
        T(put_twice_changes_nothing),
        T(day_that_grows_keeps_its_version),
        T(day_that_changes_appends_a_version),
        T(doubled_rows_stay_doubled),
        T(rows_of_any_day_and_order_are_sorted),
        T(rows_of_one_stamp_stay_in_order_of_arrival),
        T(blocks_are_those_that_touch_the_span),
        T(stamps_at_the_ends_of_time_are_taken_and_beyond_refused),
        T(put_refuses_a_layout_that_is_another),
        T(put_of_too_long_a_day_leaves_nothing),
        T(rollback_takes_rows_and_span_back),
        T(layout_is_found_again_and_made_when_it_differs),
        T(day_of_two_layouts_has_two_blocks),
        T(profile_is_found_again_and_marked),
        T(totals_are_those_of_the_rows),
        T(totals_text_gives_every_number_back),
        T(totals_text_that_is_damaged_is_refused),
        T(views_show_scaled_values_and_no_secret),
        T(verify_counts_what_there_is),
        T(verify_finds_every_flipped_octet),
        T(verify_finds_what_does_not_fit_together),
        T(damaged_day_goes_on_in_a_new_version),
        T(day_of_other_columns_goes_on_in_a_new_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
