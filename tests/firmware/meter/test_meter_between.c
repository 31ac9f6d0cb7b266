/* An answer leaves in blocks, and between two of them the meter lives on, and others change it.
 * What was promised in the first block is kept to the last octet, or the read ends with an error:
 * never a row that was not promised, never rows or columns of before and after in one answer.
 *
 * A reader takes a buffer in small blocks; whenever a block of it has left, a manager's change, or
 * the life of the meter, is put in between. */
#include "tests/firmware/meter/look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:00"
#define LOAD  "synth:phases=1,u=230,i=4,pf=0.8"

typedef void change_of(struct rig *r);

static struct {
    change_of *change;
    unsigned after; /* so many octet strings of the meter; 0: done, or none */
    unsigned n;     /* changes made */
} between;

static void tap(struct rig *r, bool from_client, uint8_t *octets, size_t n)
{
    (void)octets;
    (void)n;
    if (from_client || between.after == 0 || --between.after > 0)
        return;
    between.n++;
    between.change(r);
}

/* ---- changes ---- */

static void clear(struct rig *r)
{
    assert_int_equal(meter_profile_clear(&r->meter, MODEL_LP1), ERR_OK);
}

static void live(struct rig *r)
{
    rig_live(r, 2 * 3600);
}

static void clear_and_live(struct rig *r)
{
    clear(r);
    rig_live(r, 11 * 3600);
}

static void turn_round(struct rig *r)
{
    assert_int_equal(meter_profile_sort(&r->meter, MODEL_LP1, !r->meter.profile[MODEL_LP1].is_lifo),
                     ERR_OK);
}

static void tell_null(struct rig *r)
{
    assert_int_equal(meter_profiles_null(&r->meter, !r->meter.tells_null), ERR_OK);
}

static void choose(struct rig *r, const uint8_t *columns, size_t n)
{
    struct rd rd = rd_of(columns, n);
    assert_int_equal(meter_profile_capture_set(&r->meter, MODEL_LP1, COSEM_MANAGER, &rd),
                     COSEM_SUCCESS);
    rig_live(r, 11 * 3600);
}

#define COLUMN(class_id, b, c, d, attr)                                                            \
    2, 4, 18, 0, class_id, 9, 6, b, 0, c, d, 0, 255, 15, attr, 18, 0, 0

static void choose_two(struct rig *r)
{
    static const uint8_t columns[] = {1, 2, COLUMN(8, 0, 1, 0, 2), COLUMN(3, 1, 1, 8, 2)};
    choose(r, columns, sizeof columns);
}

static void set_clock(struct rig *r)
{
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2000-01-01T00:00:00") * METER_NS),
                     ERR_OK);
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2099-12-31T23:59:00") * METER_NS),
                     ERR_OK);
}

static void clear_log(struct rig *r)
{
    assert_int_equal(meter_log_clear(&r->meter, MODEL_LOG_STANDARD), ERR_OK);
}

/* More entries than the log has room for. */
static void storm(struct rig *r)
{
    for (unsigned k = 0; k < 700; k++) {
        memset(r->meter.log.left, METER_LOG_BURST, sizeof r->meter.log.left);
        meter_event(&r->meter, MODEL_EVENT_POWER_UP, meter_now_s(&r->meter));
        meter_log_flush(&r->meter);
    }
}

static void clear_log_and_storm(struct rig *r)
{
    clear_log(r);
    storm(r);
}

/* ---- a read with a change in it ---- */

struct answer {
    bool ok;
    size_t n;
    uint8_t p[RIG_ANSWER_MAX];
};

static bool read(struct rig *r, const struct apdu_attr *a, struct answer *out)
{
    r->max_pdu = 128;
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    out->ok = rig_get(r, a);
    assert_true(r->answer_len == r->answer_total);
    out->n = r->answer_len;
    memcpy(out->p, r->answer, out->n);
    session_close(&r->session);
    return out->ok;
}

static struct rig *rig_of_hours(void)
{
    struct rig *r = rig_new("AD11A", START, LOAD);
    rig_live(r, 12 * 3600);
    for (unsigned k = 0; k < 40; k++) {
        memset(r->meter.log.left, METER_LOG_BURST, sizeof r->meter.log.left);
        meter_event(&r->meter, MODEL_EVENT_POWER_UP, meter_now_s(&r->meter) + k);
        meter_log_flush(&r->meter);
    }
    return r;
}

/* True: the answer is what it was without a change. */
static bool is_kept(const struct apdu_attr *a, change_of *change, unsigned after)
{
    static struct answer before, with;
    struct rig *r = rig_of_hours();
    assert_true(read(r, a, &before));
    between.change = change;
    between.after = after;
    between.n = 0;
    r->tap = tap;
    (void)read(r, a, &with);
    assert_int_equal(between.n, 1);
    if (with.ok && (with.n != before.n || memcmp(with.p, before.p, with.n) != 0))
        fail_msg("attribute %u of class %u: an answer that was not promised", a->id, a->class_id);
    assert_true(with.n <= before.n && memcmp(with.p, before.p, with.n) == 0);
    r->tap = NULL;
    assert_true(read(r, a, &before)); /* and the next read is as any */
    rig_free(r);
    return with.ok;
}

#define FIRST 3 /* octet strings of the meter: associated, and one block of the answer has left */
#define LATER 6

static void rows_of_a_changed_profile_are_not_told(void **state)
{
    (void)state;
    static const struct {
        change_of *change;
        bool is_kept;
    } cases[] = {{clear, false},      {clear_and_live, false}, {choose_two, false},
                 {turn_round, false}, {tell_null, false},      {live, true},
                 {set_clock, true}};
    const struct apdu_attr buffer = rig_attr(7, "1-0:99.1.0.255", 2);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        assert_int_equal(is_kept(&buffer, cases[k].change, LATER), cases[k].is_kept);
    }
}

static void columns_of_a_changed_profile_are_not_told(void **state)
{
    (void)state;
    const struct apdu_attr columns = rig_attr(7, "1-0:99.1.0.255", 3);
    assert_false(is_kept(&columns, choose_two, FIRST));
    assert_true(is_kept(&columns, live, FIRST));
}

static void entries_of_a_changed_log_are_not_told(void **state)
{
    (void)state;
    const struct apdu_attr buffer = rig_attr(7, "0-0:99.98.0.255", 2);
    assert_false(is_kept(&buffer, clear_log, LATER));
    assert_false(is_kept(&buffer, clear_log_and_storm, LATER));
    assert_false(is_kept(&buffer, storm, LATER));
    assert_true(is_kept(&buffer, live, LATER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_a_changed_profile_are_not_told),
        cmocka_unit_test(columns_of_a_changed_profile_are_not_told),
        cmocka_unit_test(entries_of_a_changed_log_are_not_told),
    };
    return cmocka_run_group_tests_name("meter_between", tests, NULL, NULL);
}
