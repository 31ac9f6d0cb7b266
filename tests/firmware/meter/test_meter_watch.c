/* What the meter watches beside its registers: events with the clock's time, LEDs, averages. */
#include "tests/firmware/meter/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:00"

static void live_samples(struct rig *r, unsigned seconds)
{
    for (unsigned i = 0; i < seconds * 10; i++) {
        struct afe_block block;
        assert_true(source_next(r->source, 800, &block));
        assert_int_equal(meter_samples(&r->meter, &block), ERR_OK);
    }
}

static void dip_is_an_event_with_the_time_it_happened(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=4");
    struct meter_watch_event begin, end;
    live_samples(r, 4);
    assert_false(meter_event_at(&r->meter, 0, &begin));
    source_phase_set(r->source, 1, false);
    live_samples(r, 3);
    assert_int_equal(meter_present(&r->meter) & 1u << PQ_DIP, 1u << PQ_DIP);
    assert_int_equal(rig_value(r, 1, "0-0:97.98.9.255", 2), meter_present(&r->meter));
    source_phase_set(r->source, 1, true);
    live_samples(r, 3);
    assert_true(meter_event_at(&r->meter, 0, &begin));
    assert_true(meter_event_at(&r->meter, 1, &end));
    assert_string_equal(meter_event_name(begin.pq.kind), "dip");
    assert_int_equal(begin.pq.phases, 2);
    assert_in_range(begin.utc_s, rig_time(START) + 3, rig_time(START) + 4);
    assert_true(end.pq.ended);
    assert_in_range(end.utc_s, rig_time(START) + 6, rig_time(START) + 7);
    assert_true(end.pq.extreme < 23000);
    assert_int_equal(meter_present(&r->meter) & 1u << PQ_DIP, 0);
    rig_free(r);
}

/* Over-voltage of a day at window level: more events than are kept. */
static void newest_events_are_kept(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=4");
    uint32_t n = 0;
    struct meter_watch_event e;
    live_samples(r, 2);
    for (unsigned k = 0; k < METER_EVENTS; k++) {
        source_phase_set(r->source, k % 3, false);
        live_samples(r, 1);
        source_phase_set(r->source, k % 3, true);
        live_samples(r, 1);
    }
    assert_true(r->meter.watch.n_events > METER_EVENTS);
    int64_t before = 0;
    for (; meter_event_at(&r->meter, n, &e); n++) {
        assert_true(e.utc_s >= before);
        before = e.utc_s;
    }
    assert_int_equal(n, METER_EVENTS);
    assert_in_range(before, meter_now_s(&r->meter) - 2, meter_now_s(&r->meter));
    assert_string_equal(meter_event_name(PQ_N_KINDS), "?");
    for (uint8_t k = 0; k < PQ_N_KINDS; k++)
        assert_string_not_equal(meter_event_name(k), "?");
    rig_free(r);
}

static void count(void *context, enum legal_led led, uint32_t at_q16)
{
    (void)at_q16;
    ((uint32_t *)context)[led]++;
}

static void led_is_lit_by_each_pulse_and_heard(void **state)
{
    (void)state;
    /* 3 x 230 x 90 W: 17.25 pulses a second */
    struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=90");
    uint32_t heard[2] = {0, 0}, lit = 0;
    meter_pulse_observe(&r->meter, count, heard);
    for (unsigned i = 0; i < 600; i++) {
        struct afe_block block;
        assert_true(source_next(r->source, 80, &block));
        assert_int_equal(meter_samples(&r->meter, &block), ERR_OK);
        lit += meter_led_lit(&r->meter, LEGAL_LED_ACTIVE);
    }
    assert_false(meter_led_lit(&r->meter, LEGAL_LED_REACTIVE));
    uint64_t due = meter_pulses(&r->meter, LEGAL_LED_ACTIVE);
    assert_in_range(heard[LEGAL_LED_ACTIVE], due - 5, due);
    assert_true(due >= 98 && heard[LEGAL_LED_REACTIVE] == 0);
    assert_in_range(lit, 350, 450); /* 17.25 x 40 ms: 69 % of 600 */
    rig_free(r);
}

static int64_t value(struct rig *r, const char *obis)
{
    return rig_value(r, 3, obis, 2);
}

/* Two days of a steady load with three dark hours; the month ends with the second. */
static void averages_of_day_and_month_are_kept(void **state)
{
    (void)state;
    /* local midnight, summer time */
    struct rig *r = rig_new("AD13A", "2026-06-28T22:00:00", "synth:phases=3,u=240,i=5");
    assert_int_equal(value(r, "1-0:32.15.0.255"), 0);
    rig_live(r, 86400 - 60);
    assert_int_equal(value(r, "1-0:32.15.0.255"), 0);
    rig_live(r, 60);
    assert_in_range(value(r, "1-0:52.15.0.255"), 23999, 24001);
    assert_in_range(value(r, "1-0:71.15.0.255"), 4999, 5001);
    assert_in_range(value(r, "1-0:1.15.0.255"), 35990, 36010);
    assert_int_equal(value(r, "1-0:2.15.0.255"), 0);
    assert_int_equal(value(r, "1-0:32.25.0.255"), 0);
    rig_live(r, 12 * 3600);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 3 * 3600), ERR_OK);
    rig_live(r, 9 * 3600);
    /* voltage while there was one, power over the whole day */
    assert_in_range(value(r, "1-0:32.15.0.255"), 23999, 24001);
    assert_in_range(value(r, "1-0:1.15.0.255"), 36000 * 21 / 24 - 10, 36000 * 21 / 24 + 10);
    assert_in_range(value(r, "1-0:32.25.0.255"), 23999, 24001);
    assert_in_range(value(r, "1-0:1.25.0.255"), 36000 * 45 / 48 - 10, 36000 * 45 / 48 + 10);
    assert_in_range(value(r, "1-0:31.25.0.255"), 4999, 5001);
    rig_free(r);
}

static void average_goes_on_after_a_cut_without_warning(void **state)
{
    (void)state;
    struct rig *r = rig_new("AD11A", "2026-06-10T22:00:00", "synth:phases=1,u=240,i=5");
    for (unsigned k = 0; k < 24; k++) {
        rig_live(r, 3500);
        assert_int_equal(rig_power_up(r, 100), ERR_OK);
    }
    assert_in_range(value(r, "1-0:32.15.0.255"), 23999, 24001);
    /* 24 x 100 s dark and up to a minute lost each */
    assert_in_range(value(r, "1-0:1.15.0.255"), 12000 * 3430 / 3600, 12000 * 3500 / 3600 + 1);
    assert_int_equal(r->meter.fault, ERR_OK);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dip_is_an_event_with_the_time_it_happened),
        cmocka_unit_test(newest_events_are_kept),
        cmocka_unit_test(led_is_lit_by_each_pulse_and_heard),
        cmocka_unit_test(averages_of_day_and_month_are_kept),
        cmocka_unit_test(average_goes_on_after_a_cut_without_warning),
    };
    return cmocka_run_group_tests_name("meter_watch", tests, NULL, NULL);
}
