/* Rows of a day: growing, limits, and the merge against a plain model of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/headend/store/rows.h"

static void append(struct day_rows *rows, int64_t at_s, int64_t value)
{
    const struct day_row row = {.stamp_s = DAY_1 + at_s, .value = {value, -value}};
    assert_int_equal(day_rows_append(rows, &row), ERR_OK);
}

static struct day_rows rows_of(uint32_t n_columns)
{
    struct day_rows rows = {0};
    assert_int_equal(day_rows_init(&rows, n_columns, 0), ERR_OK);
    return rows;
}

static enum day_merge merge(const struct day_rows *old, const struct day_rows *added,
                            struct day_rows *out)
{
    enum day_merge what = (enum day_merge)99;
    assert_int_equal(day_rows_merge(old, added, out, &what), ERR_OK);
    return what;
}

static void rows_keep_what_was_appended_when_they_grow(void **state)
{
    (void)state;
    struct day_rows rows = rows_of(2);
    for (int i = 0; i < 1440; i++)
        append(&rows, 60 * i, i * i);
    assert_int_equal(rows.n, 1440);
    for (uint32_t i = 0; i < rows.n; i++) {
        assert_int_equal(rows.stamp_s[i], DAY_1 + 60 * i);
        assert_int_equal(rows.value[2 * i], i * i);
        assert_int_equal(rows.value[2 * i + 1], -(int64_t)i * i);
    }
    day_rows_free(&rows);
    assert_null(rows.stamp_s);
}

static void rows_refuse_another_day(void **state)
{
    (void)state;
    struct day_rows rows = rows_of(0);
    struct day_row row = {.stamp_s = DAY_1};
    assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
    row.stamp_s = DAY_1 - 1;
    assert_int_equal(day_rows_append(&rows, &row), ERR_RANGE);
    row.stamp_s = DAY_1 + DAY_S;
    assert_int_equal(day_rows_append(&rows, &row), ERR_RANGE);
    row.stamp_s = DAY_1 + DAY_S - 1;
    assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
    day_rows_free(&rows);
    /* before 1970 a day is a day, too */
    row.stamp_s = -1;
    assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
    row.stamp_s = 0;
    assert_int_equal(day_rows_append(&rows, &row), ERR_RANGE);
    row.stamp_s = -DAY_S;
    assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
    day_rows_free(&rows);
}

static void rows_have_limits(void **state)
{
    (void)state;
    struct day_rows rows = {0};
    const struct day_row row = {.stamp_s = DAY_1};
    assert_int_equal(day_rows_init(&rows, DAY_COLUMNS_MAX + 1, 1), ERR_RANGE);
    assert_int_equal(day_rows_init(&rows, 1, DAY_ROWS_MAX + 1), ERR_RANGE);
    assert_int_equal(day_rows_init(&rows, 1, 1), ERR_OK);
    for (int i = 0; i < DAY_ROWS_MAX; i++)
        assert_int_equal(day_rows_append(&rows, &row), ERR_OK);
    assert_int_equal(day_rows_append(&rows, &row), ERR_FULL);
    assert_int_equal(rows.n, DAY_ROWS_MAX);
    day_rows_free(&rows);
}

static void rows_keep_their_memory_when_it_is_enough(void **state)
{
    (void)state;
    struct day_rows rows = {0};
    assert_int_equal(day_rows_init(&rows, 6, 96), ERR_OK);
    const int64_t *memory = rows.stamp_s;
    append(&rows, 0, 1);
    assert_int_equal(day_rows_init(&rows, 2, 96), ERR_OK);
    assert_ptr_equal(rows.stamp_s, memory);
    assert_int_equal(rows.n, 0);
    assert_true(rows.size >= 96);
    for (uint32_t i = 0, n = rows.size; i < n; i++) /* the sanitizer knows whether all of it fits */
        append(&rows, i, i);
    assert_ptr_equal(rows.stamp_s, memory);
    assert_int_equal(day_rows_init(&rows, DAY_COLUMNS_MAX, 96), ERR_OK);
    assert_int_equal(rows.n_columns, DAY_COLUMNS_MAX);
    day_rows_free(&rows);
}

static void merge_changes_nothing_when_read_again(void **state)
{
    (void)state;
    struct random r = {5};
    struct day_rows old = rows_of(3), again = rows_of(3), out;
    random_day(&r, &old, DAY_1, 96, 900);
    for (uint32_t i = old.n; i-- > 0;) { /* the wrong way round, and only a part */
        const struct day_row row = row_at(&old, i);
        if (i % 3 != 0)
            assert_int_equal(day_rows_append(&again, &row), ERR_OK);
    }
    assert_int_equal(merge(&old, &old, &out), DAY_SAME);
    assert_true(is_same_day(&old, &out));
    day_rows_free(&out);
    assert_int_equal(merge(&old, &again, &out), DAY_SAME);
    assert_true(is_same_day(&old, &out));
    day_rows_free(&out);
    day_rows_free(&old);
    day_rows_free(&again);
}

static void merge_keeps_the_greater_multiplicity(void **state)
{
    (void)state;
    struct day_rows old = rows_of(2), added = rows_of(2), out;
    append(&old, 0, 7);
    append(&old, 900, 8);
    append(&old, 900, 8);
    for (int i = 0; i < 3; i++)
        append(&added, 0, 7);
    append(&added, 900, 8);
    assert_int_equal(merge(&old, &added, &out), DAY_CHANGED);
    assert_int_equal(out.n, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(out.stamp_s[i], DAY_1 + (i < 3 ? 0 : 900));
    day_rows_free(&old);
    assert_int_equal(merge(&out, &added, &old), DAY_SAME);
    day_rows_free(&old);
    day_rows_free(&added);
    day_rows_free(&out);
}

static void merge_puts_differing_rows_behind_the_old(void **state)
{
    (void)state;
    struct day_rows old = rows_of(2), added = rows_of(2), out;
    append(&old, 900, 5);
    append(&old, 1800, 6);
    append(&added, 1800, 9);
    append(&added, 900, 3);
    append(&added, 900, 4);
    append(&added, 900, 5);
    assert_int_equal(merge(&old, &added, &out), DAY_CHANGED);
    static const int64_t want[] = {5, 3, 4, 6, 9};
    assert_int_equal(out.n, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(out.value[2 * i], want[i]);
    day_rows_free(&old);
    day_rows_free(&added);
    day_rows_free(&out);
}

static void merge_tells_rows_apart_by_each_field(void **state)
{
    (void)state;
    const struct day_row base = {.stamp_s = DAY_1, .zone = 1, .status = 1, .value = {1, 1}};
    struct day_row other[4] = {base, base, base, base};
    other[0].zone++;
    other[1].status++;
    other[2].value[0]++;
    other[3].value[1]++;
    for (int i = 0; i < 4; i++) {
        struct day_rows old = rows_of(2), added = rows_of(2), out;
        assert_int_equal(day_rows_append(&old, &base), ERR_OK);
        assert_int_equal(day_rows_append(&added, &other[i]), ERR_OK);
        assert_int_equal(merge(&old, &added, &out), DAY_CHANGED);
        assert_int_equal(out.n, 2);
        day_rows_free(&old);
        day_rows_free(&added);
        day_rows_free(&out);
    }
}

static void merge_says_grown_only_behind_the_last(void **state)
{
    (void)state;
    static const struct {
        int64_t at_s;
        enum day_merge what;
    } cases[] = {{2700, DAY_GROWN}, {1800, DAY_CHANGED}, {1350, DAY_CHANGED}, {0, DAY_CHANGED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct day_rows old = rows_of(2), added = rows_of(2), out;
        append(&old, 900, 1);
        append(&old, 1800, 2);
        append(&added, 3600, 4);
        append(&added, cases[i].at_s, 3);
        append(&added, 1800, 2); /* known */
        assert_int_equal(merge(&old, &added, &out), cases[i].what);
        assert_int_equal(out.n, 4);
        day_rows_free(&old);
        day_rows_free(&added);
        day_rows_free(&out);
    }
}

static void merge_takes_empty_sides(void **state)
{
    (void)state;
    struct day_rows none = rows_of(2), some = rows_of(2), out;
    append(&some, 900, 1);
    append(&some, 0, 2);
    append(&some, 0, 2);
    assert_int_equal(merge(&none, &none, &out), DAY_SAME);
    assert_int_equal(out.n, 0);
    day_rows_free(&out);
    assert_int_equal(merge(&none, &some, &out), DAY_GROWN);
    assert_int_equal(out.n, 3);
    assert_int_equal(out.stamp_s[2], DAY_1 + 900);
    day_rows_free(&some);
    assert_int_equal(merge(&out, &none, &some), DAY_SAME);
    assert_true(is_same_day(&out, &some));
    day_rows_free(&none);
    day_rows_free(&some);
    day_rows_free(&out);
}

static void merge_refuses_what_does_not_fit(void **state)
{
    (void)state;
    struct day_rows old = rows_of(2), added = rows_of(2), other = rows_of(1), out;
    enum day_merge what;
    append(&old, 900, 1);
    append(&added, DAY_S, 1);
    assert_int_equal(day_rows_merge(&old, &other, &out, &what), ERR_RANGE);
    day_rows_free(&out);
    assert_int_equal(day_rows_merge(&old, &added, &out, &what), ERR_RANGE);
    day_rows_free(&out);
    append(&old, 0, 1);
    assert_int_equal(day_rows_merge(&old, &old, &out, &what), ERR_RANGE);
    day_rows_free(&out);
    day_rows_free(&old);
    day_rows_free(&added);
    added = rows_of(2);
    old = rows_of(2);
    for (int i = 0; i < DAY_ROWS_MAX; i++) {
        append(&old, 5, i);
        append(&added, 5, i + 1);
    }
    assert_int_equal(day_rows_merge(&old, &added, &out, &what), ERR_FULL);
    day_rows_free(&out);
    assert_int_equal(day_rows_merge(&old, &old, &out, &what), ERR_OK);
    assert_int_equal(what, DAY_SAME);
    day_rows_free(&out);
    day_rows_free(&old);
    day_rows_free(&added);
    day_rows_free(&other);
}

/* ---- against a plain model ---- */

static bool is_row_equal(const struct day_rows *a, uint32_t i, const struct day_rows *b, uint32_t k)
{
    bool same =
        a->stamp_s[i] == b->stamp_s[k] && a->zone[i] == b->zone[k] && a->status[i] == b->status[k];
    for (uint32_t c = 0; same && c < a->n_columns; c++)
        same = a->value[i * a->n_columns + c] == b->value[k * b->n_columns + c];
    return same;
}

static uint32_t count_equal(const struct day_rows *in, uint32_t n, const struct day_rows *of,
                            uint32_t i)
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < n; k++)
        count += is_row_equal(in, k, of, i);
    return count;
}

/* The old rows and, behind those of the same stamp, each added one that exceeds what is there. */
static void model_merge(const struct day_rows *old, const struct day_rows *added,
                        struct day_rows *out)
{
    for (int64_t at_s = DAY_1; at_s < DAY_1 + DAY_S; at_s++) {
        for (uint32_t i = 0; i < old->n; i++) {
            const struct day_row row = row_at(old, i);
            if (row.stamp_s == at_s)
                assert_int_equal(day_rows_append(out, &row), ERR_OK);
        }
        for (uint32_t i = 0; i < added->n; i++) {
            const struct day_row row = row_at(added, i);
            if (row.stamp_s == at_s &&
                count_equal(added, i, added, i) >= count_equal(old, old->n, added, i))
                assert_int_equal(day_rows_append(out, &row), ERR_OK);
        }
        if (at_s == DAY_1 + 20)
            break; /* the rows below are all of the first seconds */
    }
}

static void random_few(struct random *r, struct day_rows *rows, bool sorted)
{
    const uint32_t n = random_below(r, 12);
    int64_t at_s = DAY_1;
    for (uint32_t i = 0; i < n; i++) {
        at_s = sorted ? at_s + random_below(r, 2) : DAY_1 + random_below(r, 20);
        const struct day_row row = {.stamp_s = at_s, .value = {random_below(r, 2)}};
        assert_int_equal(day_rows_append(rows, &row), ERR_OK);
    }
}

static void merge_equals_the_model(void **state)
{
    (void)state;
    struct random r = {77};
    for (int round = 0; round < 2000; round++) {
        struct day_rows old = rows_of(1), added = rows_of(1), want = rows_of(1), out, twice;
        random_few(&r, &old, true);
        random_few(&r, &added, round % 2);
        model_merge(&old, &added, &want);
        const enum day_merge what = merge(&old, &added, &out);
        assert_true(is_same_day(&out, &want));
        assert_int_equal(what == DAY_SAME, out.n == old.n);
        bool prefix = true;
        for (uint32_t i = 0; i < old.n; i++)
            prefix = prefix && is_row_equal(&old, i, &out, i);
        const bool behind =
            old.n == 0 || (out.n > old.n && out.stamp_s[old.n] > old.stamp_s[old.n - 1]);
        if (what != DAY_SAME)
            assert_int_equal(what == DAY_GROWN, prefix && behind);
        assert_int_equal(merge(&out, &added, &twice), DAY_SAME);
        assert_true(is_same_day(&out, &twice));
        day_rows_free(&old);
        day_rows_free(&added);
        day_rows_free(&want);
        day_rows_free(&out);
        day_rows_free(&twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_keep_what_was_appended_when_they_grow),
        cmocka_unit_test(rows_refuse_another_day),
        cmocka_unit_test(rows_have_limits),
        cmocka_unit_test(rows_keep_their_memory_when_it_is_enough),
        cmocka_unit_test(merge_changes_nothing_when_read_again),
        cmocka_unit_test(merge_keeps_the_greater_multiplicity),
        cmocka_unit_test(merge_puts_differing_rows_behind_the_old),
        cmocka_unit_test(merge_tells_rows_apart_by_each_field),
        cmocka_unit_test(merge_says_grown_only_behind_the_last),
        cmocka_unit_test(merge_takes_empty_sides),
        cmocka_unit_test(merge_refuses_what_does_not_fit),
        cmocka_unit_test(merge_equals_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
