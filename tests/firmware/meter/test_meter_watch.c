/* What the meter watches beside its registers: events with the clock's time, LEDs, averages. */
#include "tests/firmware/meter/entries.h"
#include "tests/firmware/meter/exact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:00"

/* A tenth of a second is n samples. */
static void live_tenth(struct rig *r, uint32_t n)
{
    struct afe_block block;
    assert_true(source_next(r->source, n, &block));
    assert_int_equal(meter_samples(&r->meter, &block), ERR_OK);
}

static void live_blocks(struct rig *r, unsigned seconds, uint32_t n)
{
    for (unsigned i = 0; i < seconds * 10; i++)
        live_tenth(r, n);
}

static void live_samples(struct rig *r, unsigned seconds)
{
    live_blocks(r, seconds, 800);
}

static void dip_is_an_event_with_the_time_it_happened(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=4");
    struct meter_log_entry begin, end;
    live_samples(r, 4);
    assert_int_equal(entries_of(r, MODEL_EVENT_DIP_L2), 0);
    source_phase_set(r->source, 1, false);
    live_samples(r, 3);
    assert_int_equal(meter_present(&r->meter) & 1u << PQ_DIP, 1u << PQ_DIP);
    assert_int_equal(rig_value(r, 1, "0-0:97.98.9.255", 2), meter_present(&r->meter));
    source_phase_set(r->source, 1, true);
    live_samples(r, 3);
    assert_int_equal(entries_of(r, MODEL_EVENT_DIP_L2), 1);
    assert_true(entry_of(r, MODEL_EVENT_DIP_L2, &begin));
    assert_in_range(begin.utc_s, rig_time(START) + 3, rig_time(START) + 4);
    assert_true(begin.extra < 207000); /* millivolt: the first cycle of it */
    /* the phase was lost, and came back: no code of its own in this map */
    assert_true(entry_of(r, MODEL_EVENT_PHASE_LOST_L2, &begin));
    assert_in_range(begin.utc_s, rig_time(START) + 3, rig_time(START) + 5);
    assert_true(entry_of(r, MODEL_EVENT_VOLTAGE_NORMAL_L2, &end));
    assert_in_range(end.utc_s, rig_time(START) + 6, rig_time(START) + 8);
    assert_int_equal(meter_present(&r->meter) & 1u << PQ_DIP, 0);
    rig_free(r);
}

static void events_have_names_and_units(void **state)
{
    (void)state;
    assert_string_equal(meter_event_name(PQ_N_KINDS), "?");
    for (uint8_t k = 0; k < PQ_N_KINDS; k++)
        assert_string_not_equal(meter_event_name(k), "?");
    assert_string_equal(meter_event_unit(MODEL_EVENT_OVER_VOLTAGE_L3), "mV");
    assert_string_equal(meter_event_unit(MODEL_EVENT_CURRENT_NORMAL_L2), "uA");
    assert_string_equal(meter_event_unit(MODEL_EVENT_REVERSED), "mW");
    assert_string_equal(meter_event_unit(MODEL_EVENT_ASYMMETRY_OVER), "ppm");
    assert_string_equal(meter_event_unit(MODEL_EVENT_POWER_UP), "");
    assert_string_equal(meter_event_unit(MODEL_N_EVENTS), "");
}

static bool set(struct rig *r, const char *obis, uint32_t to)
{
    uint8_t octets[5];
    struct wr w = wr_of(octets, sizeof octets);
    struct apdu_attr a = rig_attr(1, obis, 2);
    axdr_put_u32(&w, to);
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    bool done = rig_set(r, &a, (struct bytes){octets, w.len});
    rig_release(r);
    return done;
}

/* Over-current after ten seconds above 105 % of Imax, as it comes; chosen: after three above 10 %,
 * and then not at all. */
static void limits_are_the_owners(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=20,rate=4000");
    const uint32_t over = 1u << PQ_OVER_CURRENT, dip = 1u << PQ_DIP;
    struct meter_audit a;
    live_blocks(r, 5, 400);
    assert_int_equal(rig_value(r, 1, "0-0:96.129.11.255", 2), 1050000);
    assert_int_equal(meter_present(&r->meter), 0);
    assert_true(set(r, "0-0:96.131.11.255", 3000));
    assert_true(set(r, "0-0:96.129.11.255", 100000));
    assert_int_equal(meter_audit_read(&r->meter, meter_audit_newest(&r->meter), &a), ERR_OK);
    assert_string_equal(meter_audit_name(&a), "over-current");
    assert_int_equal(a.client_sap, METER_SAP_MANAGER);
    assert_int_equal(a.legal.index, METER_LIMIT_ON);
    assert_int_equal(a.legal.before, 1050000);
    assert_int_equal(a.legal.after, 100000);
    live_blocks(r, 2, 400);
    assert_int_equal(meter_present(&r->meter) & over, 0);
    live_blocks(r, 4, 400);
    assert_int_equal(meter_present(&r->meter) & over, over);
    assert_int_equal(rig_power_up(r, 2), ERR_OK); /* kept */
    live_blocks(r, 7, 400);
    assert_int_equal(meter_present(&r->meter) & over, over);
    assert_true(set(r, "0-0:96.132.11.255", 0));
    assert_true(set(r, "0-0:96.129.11.255", 0));
    live_blocks(r, 3, 400);
    assert_int_equal(meter_present(&r->meter) & over, 0);
    for (unsigned p = 0; p < 3; p++) { /* each phase's begin, twice with the cut, and end */
        assert_int_equal(entries_of(r, MODEL_EVENT_OVER_CURRENT_L1 + p), 2);
        assert_int_equal(entries_of(r, MODEL_EVENT_CURRENT_NORMAL_L1 + p), 1);
    }
    assert_int_equal(entries_of(r, MODEL_EVENT_PARAMETER_CHANGED), 4);
    /* a dip under way ends when dips are not watched any more */
    source_phase_set(r->source, 2, false);
    live_blocks(r, 1, 400);
    assert_int_equal(meter_present(&r->meter) & dip, dip);
    assert_true(set(r, "0-0:96.129.0.255", 0));
    live_blocks(r, 1, 400);
    assert_int_equal(meter_present(&r->meter) & dip, 0);
    rig_free(r);
}

/* Every model, alone with its signal for as long as the slowest kind of supervision takes. Entries,
 * those of unbalanced currents left out. */
static unsigned told(const char *model, const char *what, unsigned *unbalanced)
{
    const struct model_meter *m = model_meter_find(model);
    char load[120];
    unsigned n = 0;
    snprintf(load, sizeof load, "synth:phases=%u,u=%g,rate=4000,noise=0.01%%,%s", m->n_phases,
             m->un_mv * 1e-3, what);
    struct rig *r = rig_new(model, START, load);
    live_blocks(r, 5, 400);
    rig_live(r, 150);
    for (unsigned log = 0; log < MODEL_N_LOGS; log++)
        n += meter_log_count(&r->meter, log);
    *unbalanced = entries_of(r, MODEL_EVENT_ASYMMETRY_CURRENT);
    assert_int_equal(meter_errors(&r->meter), 0);
    rig_free(r);
    return n - *unbalanced;
}

static void sound_installation_raises_no_alarm(void **state)
{
    (void)state;
    unsigned unbalanced;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        const struct model_meter *m = model_meter_at(k);
        assert_int_equal(told(m->name, "i=5,pf=0.8", &unbalanced) + unbalanced, 0);
        assert_int_equal(told(m->name, "i=0", &unbalanced) + unbalanced, 0);
        /* about Ist */
        assert_int_equal(told(m->name, "i=0.01", &unbalanced) + unbalanced, 0);
        if (m->n_phases == 1)
            continue;
        /* one-phase loads: small, and at the reference current, which is unbalanced indeed */
        assert_int_equal(told(m->name, "i=0,i1=0.2", &unbalanced) + unbalanced, 0);
        assert_int_equal(told(m->name, "i=0,i3=6", &unbalanced), 0);
        assert_int_equal(unbalanced, m->is_ct && m->imax_ma / 20 < 6000);
    }
}

/* ---- months of ordinary life ---- */

/* Of each quarter of an hour a minute, which is as long as any supervision takes: lights, and a
 * kettle, an oven or a washing machine on some phase; from nine to five the sun, of this many
 * watts, on L1 alone or on all. */
static void live_quarter(struct rig *r, uint32_t hour, uint32_t *x, int64_t sun_w, bool on_all)
{
    static const int64_t uses_w[] = {0, 0, 0, 150, 2200, 3500};
    struct exact_load load = {.seconds = 60};
    for (unsigned p = 0; p < r->config.model->n_phases; p++) {
        *x = *x * 1664525u + 1013904223u;
        int64_t w = 40 + uses_w[(*x >> 24) % 6];
        if (hour >= 9 && hour < 17 && (p == 0 || on_all))
            w -= sun_w;
        load.phase[p].p_uwh = w * 1000000 / 60;
    }
    const struct legal_window window = exact_window(r->config.model, &load);
    assert_int_equal(meter_window(&r->meter, &window), ERR_OK);
}

/* What was entered before, and the two cuts of the month, are still there, and nothing else is. */
static void live_month(const char *model, int64_t sun_w, bool on_all)
{
    struct rig *r = exact_rig(model, START);
    unsigned n = 0;
    uint32_t x = 1;
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
    for (unsigned quarter = 0; quarter < 30 * 96; quarter++) {
        live_quarter(r, quarter / 4 % 24, &x, sun_w, on_all);
        if (quarter % 1000 == 999)
            assert_int_equal(rig_power_up(r, 60), ERR_OK);
    }
    meter_log_flush(&r->meter);
    for (unsigned log = 0; log < MODEL_N_LOGS; log++)
        n += log != MODEL_LOG_OUTAGE ? meter_log_count(&r->meter, log) : 0;
    assert_int_equal(entries_of(r, MODEL_EVENT_SEAL_OPENED), 1);
    assert_int_equal(entries_of(r, MODEL_EVENT_POWER_UP), 2);
    assert_int_equal(n, 1 + 2 * 2);
    rig_free(r);
}

static void month_of_a_household_leaves_the_logs_to_what_matters(void **state)
{
    (void)state;
    live_month("MT371", 0, false);
}

static void month_of_a_house_with_the_sun_on_it_is_no_fraud(void **state)
{
    (void)state;
    live_month("ST402D", 4000, false);
    live_month("MT371", 5000, true);
}

/* A block with some samples of a channel at the end of the range. */
static void feed_clipped(struct rig *r, enum afe_channel channel)
{
    static int32_t spoilt[800];
    struct afe_block block;
    assert_true(source_next(r->source, 800, &block));
    memcpy(spoilt, block.sample[channel], sizeof spoilt);
    for (unsigned k = 300; k < 310; k++)
        spoilt[k] = AFE_FULL_SCALE - 1;
    block.sample[channel] = spoilt;
    assert_int_equal(meter_samples(&r->meter, &block), ERR_OK);
}

/* Wherever in the second, before or behind new values in the same block. */
static void clipped_channel_is_told_for_a_second(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, "synth:phases=3,u=230,i=4,f=49.3");
    for (unsigned k = 0; k < 25; k++) {
        uint32_t errors = 0, n = 0;
        for (unsigned tenth = 0; tenth < 21 + k % 3; tenth++)
            live_tenth(r, 800);
        assert_int_equal(meter_errors(&r->meter), 0);
        feed_clipped(r, AFE_U3);
        for (unsigned tenth = 0; tenth < 23; tenth++, live_tenth(r, 800)) {
            errors |= meter_errors(&r->meter);
            n += meter_errors(&r->meter) != 0;
        }
        assert_int_equal(errors & LEGAL_FAULT_CLIP, LEGAL_FAULT_CLIP);
        assert_int_equal(errors >> METER_ERROR_CHANNELS, 1u << AFE_U3);
        assert_in_range(n, 9, 21); /* across the end of a second: in both */
    }
    rig_free(r);
}

static void clipped_channel_marks_the_row(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", "2026-06-10T10:14:50", "synth:phases=3,u=230,i=4");
    struct meter_row row[8];
    live_samples(r, 4);
    assert_int_equal(rig_value(r, 1, "0-0:97.97.0.255", 2), 0);
    feed_clipped(r, AFE_I2);
    while (meter_errors(&r->meter) == 0)
        live_tenth(r, 800);
    assert_int_equal(rig_value(r, 1, "0-0:97.97.0.255", 2), meter_errors(&r->meter));
    live_samples(r, 7);
    assert_int_equal(rig_value(r, 1, "0-0:97.97.0.255", 2), 0);
    rig_live(r, 900);
    assert_int_equal(rig_rows(r, row, 8), 2);
    assert_int_equal(row[0].status & METER_ROW_DNV, METER_ROW_DNV);
    assert_int_equal(row[1].status & METER_ROW_DNV, 0);
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

/* The day of the cut is over when the supply comes back two days later. */
static void average_of_a_day_does_not_know_the_dark_days_after_it(void **state)
{
    (void)state;
    struct rig *r = rig_new("AD13A", "2026-06-08T22:00:00", "synth:phases=3,u=240,i=5");
    rig_live(r, 12 * 3600);
    assert_int_equal(meter_power_fail(&r->meter), ERR_OK);
    assert_int_equal(rig_power_up(r, 70 * 3600), ERR_OK);
    assert_in_range(value(r, "1-0:1.15.0.255"), 36000 / 2 - 10, 36000 / 2 + 10);
    assert_in_range(value(r, "1-0:32.15.0.255"), 23999, 24001);
    /* and the rest of the day of the return is a period of its own */
    rig_live(r, 14 * 3600);
    assert_in_range(value(r, "1-0:1.15.0.255"), 35990, 36010);
    rig_free(r);
}

/* The short day of March, and a clock that is set in it. */
static void average_follows_the_clock(void **state)
{
    (void)state;
    struct rig *r = rig_new("AD13A", "2026-03-28T23:00:00", "synth:phases=3,u=240,i=5");
    rig_live(r, 23 * 3600 - 60);
    assert_int_equal(value(r, "1-0:1.15.0.255"), 0);
    rig_live(r, 60);
    assert_in_range(value(r, "1-0:1.15.0.255"), 35990, 36010);
    source_phase_set(r->source, 0, false);
    rig_live(r, 6 * 3600);
    /* set forth over midnight by hours: what ran is given up, the last one stays */
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2026-03-30T23:30:00") * METER_NS),
                     ERR_OK);
    assert_in_range(value(r, "1-0:1.15.0.255"), 35990, 36010);
    rig_live(r, 22 * 3600 + 1800);
    assert_in_range(value(r, "1-0:1.15.0.255"), 23990, 24010);
    /* by half a minute over midnight: the day is over, and was as long as it was */
    source_phase_set(r->source, 0, true);
    rig_live(r, 86400 - 20);
    assert_in_range(value(r, "1-0:1.15.0.255"), 23990, 24010);
    assert_int_equal(meter_clock_change(&r->meter, rig_time("2026-04-01T22:00:10") * METER_NS),
                     ERR_OK);
    meter_idle(&r->meter, 1);
    assert_in_range(value(r, "1-0:1.15.0.255"), 35980, 36020);
    rig_free(r);
}

static void sequences_are_readable(void **state)
{
    (void)state;
    struct rig *r = rig_new("SM307", START, "synth:phases=3,u=110,u2=99,i=5,i3=2");
    live_samples(r, 3);
    assert_in_range(value(r, "1-0:137.7.0.255"), 366, 368); /* 11 V / 3 */
    assert_in_range(value(r, "1-0:137.7.1.255"), 10630, 10636);
    assert_in_range(value(r, "1-0:137.7.2.255"), 366, 368);
    assert_in_range(value(r, "1-0:138.7.0.255"), 999, 1001);
    assert_in_range(value(r, "1-0:138.7.1.255"), 3999, 4001);
    assert_in_range(value(r, "1-0:138.7.2.255"), 999, 1001);
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
        cmocka_unit_test(events_have_names_and_units),
        cmocka_unit_test(limits_are_the_owners),
        cmocka_unit_test(sound_installation_raises_no_alarm),
        cmocka_unit_test(month_of_a_household_leaves_the_logs_to_what_matters),
        cmocka_unit_test(month_of_a_house_with_the_sun_on_it_is_no_fraud),
        cmocka_unit_test(clipped_channel_is_told_for_a_second),
        cmocka_unit_test(clipped_channel_marks_the_row),
        cmocka_unit_test(led_is_lit_by_each_pulse_and_heard),
        cmocka_unit_test(averages_of_day_and_month_are_kept),
        cmocka_unit_test(average_of_a_day_does_not_know_the_dark_days_after_it),
        cmocka_unit_test(average_follows_the_clock),
        cmocka_unit_test(sequences_are_readable),
        cmocka_unit_test(average_goes_on_after_a_cut_without_warning),
    };
    return cmocka_run_group_tests_name("meter_watch", tests, NULL, NULL);
}
