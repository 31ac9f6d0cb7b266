/* See oracle_read.h. */
#include "tests/firmware/meter/oracle_read.h"

#include "lib/cosem/profile_select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NULL_DATA 0

static void get_clock(struct rd *r, struct oracle_seen *row, size_t c)
{
    struct datetime d;
    datetime_get(r, &d);
    row->deviation = d.deviation;
    row->clock_status = d.status;
    assert_int_equal(datetime_to_utc(&d, 0, &row->value[c]), ERR_OK);
}

/* An octet-string is a time of another object (of a maximum ...): the oracle knows none of those.
 */
static void get_cell(struct rd *r, bool is_clock, struct oracle_seen *row, size_t c)
{
    const uint8_t tag = rd_left(r) > 0 ? r->p[r->pos] : NULL_DATA;
    if (tag == NULL_DATA) {
        (void)rd_u8(r);
        row->null[c] = true;
    } else if (is_clock) {
        get_clock(r, row, c);
    } else if (tag == 9) {
        (void)axdr_get_octets(r);
    } else {
        row->value[c] = axdr_get_int(r);
    }
}

bool oracle_read_columns(struct rig *rig, const char *obis, struct oracle_table *t)
{
    const struct apdu_attr a = rig_attr(7, obis, 3);
    if (!rig_get(rig, &a))
        return false;
    struct rd r = rd_of(rig->answer, rig->answer_len);
    t->n_columns = axdr_get_array(&r);
    assert_in_range(t->n_columns, 1, ORACLE_VALUES_MAX);
    for (size_t c = 0; c < t->n_columns; c++) {
        struct profile_column column;
        profile_get_column(&r, &column);
        t->column[c].class_id = column.class_id;
        t->column[c].attribute = column.attribute;
        memcpy(t->column[c].ln, column.ln, sizeof column.ln);
    }
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(t->column[0].class_id, 8);
    return true;
}

static size_t put_bound(uint8_t *p, size_t size, int64_t utc_s)
{
    struct wr w = wr_of(p, size);
    struct datetime d = datetime_from_utc(utc_s, -60, 0);
    datetime_put(&w, &d);
    return w.len;
}

void oracle_read_rows(struct rig *rig, const char *obis, int64_t from_s, int64_t to_s,
                      struct oracle_table *t, size_t max)
{
    static const struct profile_column clock = {8, {0, 0, 1, 0, 0, 255}, 2, 0};
    uint8_t from[16], to[16], selector[80];
    struct profile_range range = {.by = clock};
    range.from = (struct bytes){from, put_bound(from, sizeof from, from_s)};
    range.to = (struct bytes){to, put_bound(to, sizeof to, to_s)};
    struct wr w = wr_of(selector, sizeof selector);
    profile_put_range(&w, &range);
    struct apdu_attr a = rig_attr(7, obis, 2);
    a.selector = PROFILE_BY_RANGE;
    a.parameter = (struct bytes){selector, w.len};
    assert_true(rig_get(rig, &a));
    struct rd r = rd_of(rig->answer, rig->answer_len);
    t->n_rows = axdr_get_array(&r);
    assert_true(t->n_rows <= max);
    for (size_t i = 0; i < t->n_rows; i++) {
        memset(&t->row[i], 0, sizeof t->row[i]);
        axdr_get_struct(&r, t->n_columns);
        for (size_t c = 0; c < t->n_columns; c++)
            get_cell(&r, c == 0, &t->row[i], c);
    }
    assert_int_equal(r.err, ERR_OK);
    assert_int_equal(rd_left(&r), 0);
}
