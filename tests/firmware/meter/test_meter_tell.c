/* What clients are told of registers and counters, when they ask seldom, each second, and over a
 * power cut. */
#include "tests/firmware/meter/rig.h"

#include "firmware/meter/meter_energy.h"
#include "firmware/meter/meter_store.h"
#include "firmware/meter/meter_tell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:10"
#define ONES  (METER_TELL_MAX / METER_TELL_COST) /* answers of this moment */

static struct rig *q;

static int make_rig(void **state)
{
    (void)state;
    q = rig_new("AD11A", START, "synth:phases=1,u=230,i=40");
    return 0;
}

static int free_rig(void **state)
{
    (void)state;
    rig_free(q);
    return 0;
}

static uint64_t snapshots(void)
{
    return nv_newest(&q->meter.nv, METER_RING_SNAPSHOT);
}

static int64_t now(void)
{
    struct legal_energies e;
    legal_energies_get(&q->meter.legal, &e);
    return (int64_t)meter_energy(q->meter.model, &e, MODEL_A_IMPORT, 0);
}

static int64_t ask(void)
{
    struct apdu_attr a = rig_attr(3, "1-0:1.8.0.255", 2);
    assert_true(rig_get(q, &a));
    struct rd r = rd_of(q->answer, q->answer_len);
    const uint64_t value = axdr_get_uint(&r);
    assert_int_equal(r.err, ERR_OK);
    return (int64_t)value;
}

#define A_SECOND 26 /* 9.2 kW in 0.1 Wh */

/* The supply breaks without a warning; the register is not below what was told. */
static void cut(int64_t told)
{
    session_close(&q->session);
    cosem_client_end(&q->client);
    const int64_t truth = now();
    assert_int_equal(rig_power_up(q, 1), ERR_OK);
    assert_true(now() >= told && now() <= truth && truth - now() <= METER_SNAPSHOT_S * A_SECOND);
}

static void reading_is_of_this_moment_and_stays(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        rig_live(q, 7);
        assert_true(rig_connect(q, METER_SAP_READER_HLS));
        const int64_t truth = now(), told = ask();
        assert_int_equal(told, truth);
        cut(told);
    }
}

static void reader_of_each_second_is_told_the_newest_snapshot(void **state)
{
    (void)state;
    int64_t last = 0, stored = 0;
    unsigned n_fresh = 0;
    const uint64_t before = snapshots();
    assert_true(rig_connect(q, METER_SAP_READER_HLS));
    for (unsigned s = 0; s < 1800; s++) {
        rig_live(q, 1);
        const int64_t truth = now(), told = ask();
        assert_true(told >= last && told <= truth);
        assert_true(truth - told <= METER_SNAPSHOT_S * A_SECOND);
        stored = meter_energy_shown(q->meter.model, &q->meter.told,
                                    (struct meter_register){.q = MODEL_A_IMPORT});
        assert_int_equal(told, stored);
        n_fresh += told == truth;
        last = told;
        if (s % 600 == 599) {
            cut(told);
            assert_true(rig_connect(q, METER_SAP_READER_HLS));
        }
    }
    /* credit of the beginning, of half an hour, and the minutes' own; a row and a cut now and then
     */
    assert_in_range(snapshots() - before, ONES + 20, ONES + 30 + 15 + 20);
    assert_in_range(n_fresh, ONES, ONES + 15 + 30 + 20);
    rig_release(q);
}

static void what_is_no_register_costs_no_snapshot(void **state)
{
    (void)state;
    struct apdu_attr a = rig_attr(3, "1-0:32.7.0.255", 2);
    assert_true(rig_connect(q, METER_SAP_READER));
    const uint64_t before = snapshots();
    for (unsigned s = 0; s < 30; s++) {
        rig_live(q, 1);
        assert_true(rig_get(q, &a));
    }
    assert_int_equal(snapshots(), before);
    rig_release(q);
}

static void cut_renews_no_credit(void **state)
{
    (void)state;
    assert_true(rig_connect(q, METER_SAP_READER_HLS));
    for (unsigned s = 0; s < 2 * ONES; s++) {
        rig_live(q, 1);
        (void)ask();
    }
    assert_in_range(q->meter.tells, 0, METER_TELL_COST - 1);
    cut(0);
    assert_in_range(q->meter.tells, 0, METER_TELL_COST - 1);
    rig_live(q, 2);
    assert_true(rig_connect(q, METER_SAP_READER_HLS));
    assert_true(ask() < now());
    rig_release(q);
}

/* No answer rather than one that grows older and older. */
static void snapshots_that_fail_are_not_hidden_by_an_old_one(void **state)
{
    (void)state;
    struct apdu_attr a = rig_attr(3, "1-0:1.8.0.255", 2);
    assert_true(rig_connect(q, METER_SAP_READER));
    for (unsigned s = 0; s < 2 * ONES; s++) {
        rig_live(q, 1);
        (void)ask();
    }
    flash_emu_power(&q->emu, 1, TEAR_NOTHING); /* dead from the next operation on */
    rig_live(q, METER_SNAPSHOT_S);
    assert_false(rig_get(q, &a));
    assert_int_equal(q->result, COSEM_TEMPORARY_FAILURE);
    assert_int_not_equal(q->meter.fault, ERR_OK);
    flash_emu_power(&q->emu, 0, TEAR_NOTHING);
    rig_release(q);
}

static void old_request_is_refused_after_a_cut(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_true(rig_connect(q, METER_SAP_READER_HLS));
        for (unsigned s = 0; s < 100 + 200 * i; s++) {
            rig_live(q, 1);
            (void)ask();
        }
        const uint32_t used = q->meter.server.rx_floor[3];
        const bool exact = q->meter.stored_floor[3] == used;
        assert_true(used > 100 && exact == (i == 0));
        cut(0);
        assert_in_range(q->meter.server.rx_floor[3], used, used + METER_FLOOR_AHEAD);
    }
}

int main(void)
{
#define OF(test) cmocka_unit_test_setup_teardown(test, make_rig, free_rig)
    const struct CMUnitTest tests[] = {
        OF(reading_is_of_this_moment_and_stays),
        OF(reader_of_each_second_is_told_the_newest_snapshot),
        OF(what_is_no_register_costs_no_snapshot),
        OF(cut_renews_no_credit),
        OF(snapshots_that_fail_are_not_hidden_by_an_old_one),
        OF(old_request_is_refused_after_a_cut),
    };
    return cmocka_run_group_tests_name("meter_tell", tests, NULL, NULL);
}
