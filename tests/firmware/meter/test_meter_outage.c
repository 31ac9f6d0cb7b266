/* Outages: counters, durations and the log, of the connection and of each phase. */
#include "firmware/meter/meter_tell.h"
#include "tests/firmware/meter/entries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:00"
#define LOAD3 "synth:phases=3,u=230,i=1"
#define LOAD1 "synth:phases=1,u=230,i=1"

static uint32_t step = 7; /* every n-th operation is cut */

static struct rig *rig_of(const char *model)
{
    return rig_new(model, START, model_meter_find(model)->n_phases == 1 ? LOAD1 : LOAD3);
}

/* The supply is away for so long, with warning; then a minute of life. */
static void outage(struct rig *r, int64_t seconds)
{
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, seconds), ERR_OK);
    rig_live(r, 60);
}

static int64_t count(struct rig *r, const char *obis)
{
    return rig_value(r, 1, obis, 2);
}

static int64_t seconds(struct rig *r, const char *obis)
{
    return rig_value(r, 3, obis, 2);
}

static void short_and_long_outages_are_told_apart(void **state)
{
    (void)state;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        struct rig *r = rig_of(model_meter_at(k)->name);
        rig_live(r, 100);
        assert_int_equal(seconds(r, "0-0:96.7.20.255"), 180);
        outage(r, 179);
        assert_int_equal(count(r, "0-0:96.7.129.255"), 1);
        outage(r, 181);
        outage(r, 2);
        assert_int_equal(count(r, "0-0:96.7.129.255"), 2);
        assert_int_equal(count(r, "0-0:96.7.0.255"), 3);
        assert_int_equal(count(r, "0-0:96.7.5.255"), 1);
        assert_int_equal(count(r, "0-0:96.7.9.255"), 1);
        assert_int_equal(count(r, "0-0:96.7.21.255"), 3);
        assert_int_equal(seconds(r, "0-0:96.7.15.255"), 181);
        assert_int_equal(seconds(r, "0-0:96.7.19.255"), 181);
        assert_int_equal(seconds(r, "0-0:96.7.128.255"), 179 + 181 + 2);
        if (model_meter_at(k)->log_depth[MODEL_LOG_OUTAGE] > 0) {
            struct meter_log_entry e[2];
            assert_int_equal(entries(r, MODEL_LOG_OUTAGE, e, 2), 1);
            assert_int_equal(e[0].extra, 181);
            assert_int_equal(e[0].utc_s, rig_time(START) + 100 + 179 + 60 + 181);
        }
        rig_free(r);
    }
}

static void set_limit(struct rig *r, uint32_t to, bool taken)
{
    uint8_t octets[5];
    struct wr w = wr_of(octets, sizeof octets);
    const struct apdu_attr a = rig_attr(3, "0-0:96.7.20.255", 2);
    axdr_put_u32(&w, to);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    assert_int_equal(rig_set(r, &a, (struct bytes){octets, w.len}), taken);
    rig_release(r);
}

static void threshold_is_the_owners(void **state)
{
    (void)state;
    struct rig *r = rig_of("SM307");
    set_limit(r, 0, false);
    set_limit(r, METER_LONG_OUTAGE_MAX_S + 1, false);
    set_limit(r, 60, true);
    outage(r, 59);
    assert_int_equal(count(r, "0-0:96.7.5.255"), 0);
    outage(r, 60);
    assert_int_equal(count(r, "0-0:96.7.5.255"), 1);
    set_limit(r, METER_LONG_OUTAGE_MAX_S, true);
    outage(r, METER_LONG_OUTAGE_MAX_S - 1);
    outage(r, METER_LONG_OUTAGE_MAX_S);
    assert_int_equal(count(r, "0-0:96.7.5.255"), 2);
    assert_int_equal(count(r, "0-0:96.7.129.255"), 2);
    assert_int_equal(entries_of(r, MODEL_EVENT_PARAMETER_CHANGED), 2);
    rig_free(r);
}

static void power_is_down_since_the_last_snapshot_without_warning(void **state)
{
    (void)state;
    struct rig *r = rig_of("AD13A");
    struct meter_log_entry down, up;
    rig_live(r, 90);
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    rig_live(r, 60);
    assert_in_range(seconds(r, "0-0:96.7.128.255"), 10, 10 + METER_SNAPSHOT_S);
    assert_true(entry_of(r, MODEL_EVENT_POWER_DOWN, &down));
    assert_true(entry_of(r, MODEL_EVENT_POWER_UP, &up));
    assert_int_equal(up.utc_s, rig_time(START) + 100);
    assert_int_equal(up.utc_s - down.utc_s, seconds(r, "0-0:96.7.128.255"));
    rig_free(r);
}

static void setting_the_clock_changes_no_duration(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    source_phase_set(r->source, 1, false);
    rig_live(r, 60);
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2026-08-01T00:00:00") * METER_NS),
                     ERR_OK);
    rig_live(r, 240);
    source_phase_set(r->source, 1, true);
    rig_live(r, 60);
    assert_int_equal(seconds(r, "0-0:96.7.17.255"), 300);
    rig_free(r);
}

static void lost_phase_counts_alone(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    struct meter_log_entry lost, back;
    rig_live(r, 60);
    source_phase_set(r->source, 2, false);
    rig_live(r, 120);
    source_phase_set(r->source, 2, true);
    rig_live(r, 60);
    source_phase_set(r->source, 0, false);
    rig_live(r, 600);
    source_phase_set(r->source, 0, true);
    rig_live(r, 60);
    assert_int_equal(count(r, "0-0:96.7.0.255"), 0);
    assert_int_equal(count(r, "0-0:96.7.1.255"), 1);
    assert_int_equal(count(r, "0-0:96.7.2.255"), 0);
    assert_int_equal(count(r, "0-0:96.7.3.255"), 1);
    assert_int_equal(count(r, "0-0:96.7.21.255"), 2);
    assert_int_equal(count(r, "0-0:96.7.6.255"), 1);
    assert_int_equal(count(r, "0-0:96.7.8.255"), 0);
    assert_int_equal(count(r, "0-0:96.7.9.255"), 1);
    assert_int_equal(seconds(r, "0-0:96.7.16.255"), 600);
    assert_int_equal(seconds(r, "0-0:96.7.19.255"), 600);
    assert_int_equal(seconds(r, "0-0:96.7.128.255"), 0);
    assert_true(entry_of(r, MODEL_EVENT_PHASE_LOST_L1, &lost));
    assert_true(entry_of(r, MODEL_EVENT_VOLTAGE_NORMAL_L1, &back));
    assert_int_equal(lost.utc_s, rig_time(START) + 240);
    assert_in_range(back.utc_s, rig_time(START) + 840, rig_time(START) + 850);
    assert_int_equal(entries_of(r, MODEL_EVENT_VOLTAGE_NORMAL_L1), 1);
    struct meter_log_entry e[2];
    assert_int_equal(entries(r, MODEL_LOG_OUTAGE, e, 2), 1);
    assert_int_equal(e[0].extra, 600);
    rig_free(r);
}

/* The meter goes down while a phase is out, and that phase stays out. */
static void phase_out_across_a_power_cut_is_one_outage(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    source_phase_set(r->source, 1, false);
    rig_live(r, 120);
    outage(r, 300);
    assert_int_equal(count(r, "0-0:96.7.0.255"), 1);
    assert_int_equal(count(r, "0-0:96.7.1.255"), 1);
    assert_int_equal(count(r, "0-0:96.7.2.255"), 0);
    assert_int_equal(count(r, "0-0:96.7.21.255"), 0);
    source_phase_set(r->source, 1, true);
    rig_live(r, 60);
    assert_int_equal(count(r, "0-0:96.7.2.255"), 1);
    assert_int_equal(seconds(r, "0-0:96.7.17.255"), 120 + 300 + 60);
    assert_int_equal(seconds(r, "0-0:96.7.16.255"), 300);
    assert_int_equal(count(r, "0-0:96.7.21.255"), 1);
    rig_free(r);
}

/* A short one makes no entry and no snapshot of its own. */
static void told_count_outlives_a_cut_while_there_is_credit(void **state)
{
    (void)state;
    for (unsigned has_credit = 0; has_credit < 2; has_credit++) {
        struct rig *r = rig_of("ST402D");
        rig_live(r, 60);
        source_phase_set(r->source, 1, false);
        rig_live(r, 65);
        source_phase_set(r->source, 1, true);
        rig_live(r, 60); /* it is in a snapshot */
        const uint64_t before = nv_newest(&r->meter.nv, METER_RING_SNAPSHOT);
        assert_int_equal(meter_outage_count(&r->meter, METER_OUTAGE_L1 + 1), 1);
        r->meter.tells = has_credit ? METER_TELL_COST : METER_TELL_COST - 1;
        r->meter.owes = false;
        source_phase_set(r->source, 1, false);
        rig_live(r, 5);
        source_phase_set(r->source, 1, true);
        rig_live(r, 5);
        assert_int_equal(count(r, "0-0:96.7.2.255"), 2);
        assert_int_equal(nv_newest(&r->meter.nv, METER_RING_SNAPSHOT) - before, has_credit);
        assert_int_equal(rig_power_up(r, 1), ERR_OK);
        assert_int_equal(meter_outage_count(&r->meter, METER_OUTAGE_L1 + 1), 1 + has_credit);
        rig_free(r);
    }
}

/* Something else keeps the meter alive: dark voltages are an outage as well, and one with the time
 * without power that follows. */
static void dead_voltages_join_the_power_cut(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    rig_live(r, 60);
    for (unsigned p = 0; p < 3; p++)
        source_phase_set(r->source, p, false);
    rig_live(r, 60);
    assert_int_equal(count(r, "0-0:96.7.0.255"), 0);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 200), ERR_OK);
    for (unsigned p = 0; p < 3; p++)
        source_phase_set(r->source, p, true);
    rig_live(r, 60);
    assert_int_equal(count(r, "0-0:96.7.0.255"), 1);
    assert_int_equal(seconds(r, "0-0:96.7.15.255"), 260);
    assert_int_equal(entries_of(r, MODEL_EVENT_PHASE_LOST_L1), 0);
    rig_free(r);
}

static void lost_crystal_makes_a_long_outage_of_unknown_length(void **state)
{
    (void)state;
    struct rig *r = rig_of("AD13A");
    rig_live(r, 600);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    r->config.crystal_lost = true;
    assert_int_equal(rig_power_up(r, 3000), ERR_OK);
    rig_live(r, 60);
    assert_int_equal(count(r, "0-0:96.7.5.255"), 1);
    assert_int_equal(seconds(r, "0-0:96.7.15.255"), 0);
    assert_int_equal(seconds(r, "0-0:96.7.128.255"), 0);
    assert_int_equal(entries_of(r, MODEL_EVENT_CLOCK_INVALID), 1);
    rig_free(r);
}

/* A loose contact, and an owner who calls every second long: counted, but neither the log nor the
 * flash suffers. */
static void flickering_phase_does_not_wear_the_flash(void **state)
{
    (void)state;
    struct rig *r = rig_of("ST402D");
    set_limit(r, 1, true);
    rig_live(r, 60);
    const uint64_t before = nv_newest(&r->meter.nv, METER_RING_SNAPSHOT);
    for (unsigned i = 0; i < 300; i++) {
        source_phase_set(r->source, 1, i % 2 == 1);
        rig_live(r, 3);
    }
    assert_int_equal(count(r, "0-0:96.7.2.255"), 150);
    assert_int_equal(count(r, "0-0:96.7.7.255"), 150);
    assert_int_equal(meter_log_count(&r->meter, MODEL_LOG_OUTAGE), METER_LOG_BURST);
    assert_int_equal(entries_of(r, MODEL_EVENT_LEFT_OUT), 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_PHASE_LOST_L2), METER_LOG_BURST);
    assert_in_range(nv_newest(&r->meter.nv, METER_RING_SNAPSHOT) - before, 15,
                    15 + METER_LOG_BURST + 6);
    rig_free(r);
}

/* A long outage of a phase ends; the power is cut at each operation around it. */
static void entry_and_counter_agree_after_any_cut(void **state)
{
    (void)state;
    for (uint32_t at = 1;; at += step) {
        struct rig *r = rig_of("ST402D");
        source_phase_set(r->source, 0, false);
        rig_live(r, 600);
        source_phase_set(r->source, 0, true);
        flash_emu_power(&r->emu, at, (enum tear)(at % N_TEARS));
        rig_live(r, 60);
        const bool whole = !r->emu.dead;
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        assert_int_equal(rig_power_up(r, 5), ERR_OK);
        rig_live(r, 60);
        struct meter_log_entry e[4];
        const size_t n = entries(r, MODEL_LOG_OUTAGE, e, 4);
        assert_int_equal(n, 1);
        assert_int_equal(meter_outage_long(&r->meter, METER_OUTAGE_ANY), 1);
        assert_in_range(e[0].extra, 600, 600 + 2 * METER_SNAPSHOT_S + 5);
        rig_free(r);
        if (whole)
            break;
    }
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "full") == 0)
        step = 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_and_long_outages_are_told_apart),
        cmocka_unit_test(threshold_is_the_owners),
        cmocka_unit_test(power_is_down_since_the_last_snapshot_without_warning),
        cmocka_unit_test(setting_the_clock_changes_no_duration),
        cmocka_unit_test(lost_phase_counts_alone),
        cmocka_unit_test(phase_out_across_a_power_cut_is_one_outage),
        cmocka_unit_test(told_count_outlives_a_cut_while_there_is_credit),
        cmocka_unit_test(dead_voltages_join_the_power_cut),
        cmocka_unit_test(lost_crystal_makes_a_long_outage_of_unknown_length),
        cmocka_unit_test(flickering_phase_does_not_wear_the_flash),
        cmocka_unit_test(entry_and_counter_agree_after_any_cut),
    };
    return cmocka_run_group_tests_name("meter_outage", tests, NULL, NULL);
}
