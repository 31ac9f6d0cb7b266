/* Orders of a model: every choice alone and all pairs of them. */
#include "firmware/meter/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct model_meter ordered(const char *model, const char *words)
{
    struct model_meter m;
    size_t at;
    assert_int_equal(model_order(model_meter_find(model), words, &m, &at), ERR_OK);
    return m;
}

static void order_changes_what_its_words_say(void **state)
{
    (void)state;
    struct model_meter m = ordered("MT371", "10(120),class2,60Hz");
    assert_int_equal(m.in_ma, 10000);
    assert_int_equal(m.imax_ma, 120000);
    assert_int_equal(m.ist_ua, 40000);
    assert_int_equal(m.f_mhz, 60000);
    assert_string_equal(m.active_class, "2");
    assert_string_equal(m.active_table, "62053-21");
    assert_string_equal(m.order, "10(120),class2,60hz");
    m = ordered("MT371", "ct,1phase,noreactive");
    assert_true(m.is_ct);
    assert_int_equal(m.imax_ma, 6000);
    assert_int_equal(m.phases_used, 1);
    assert_int_equal(m.energy_scaler, -2);
    assert_int_equal(m.features & MODEL_REACTIVE, 0);
    m = ordered("smartesox-p", "3wire,classb,var3,58v,1a");
    assert_true(m.is_3wire);
    assert_string_equal(m.active_table, "50470-3");
    assert_string_equal(m.active_class, "B");
    assert_string_equal(m.reactive_class, "3");
    assert_int_equal(m.in_ma, 1000);
    m = ordered("ST402C", "class2");
    assert_string_equal(m.active_table, "62053-21");
    assert_string_equal(m.active, "2 (A)");
}

static void order_chooses_reserve_and_numbers_of_events(void **state)
{
    (void)state;
    struct model_meter m = ordered("ST402D", "supercap,dsmr");
    assert_int_equal(m.reserve, MODEL_SUPERCAP);
    assert_int_equal(m.reserve_s, model_meter_find("MT371")->reserve_s);
    assert_int_equal(m.event_map, MODEL_EVENTS_DSMR);
    m = ordered("ST402D", "battery,idis");
    assert_int_equal(m.reserve, MODEL_BATTERY);
    assert_int_equal(m.event_map, MODEL_EVENTS_IDIS);
    assert_string_equal(m.order, "");
}

static void order_has_one_name_for_one_meter(void **state)
{
    (void)state;
    struct model_meter a = ordered("SMARTESOX-P", "3wire,1a"),
                       b = ordered("SMARTESOX-P", "1A,3WIRE"),
                       c = ordered("SMARTESOX-P", "4wire,5a,classc,230v");
    assert_string_equal(a.order, b.order);
    assert_string_equal(c.order, "");
    assert_memory_equal(&c, model_meter_find("SMARTESOX-P"), sizeof c);
}

static void order_refuses_what_is_not_printed(void **state)
{
    (void)state;
    struct model_meter m;
    size_t at = 99;
    const struct model_meter *mt = model_meter_find("MT371");
    assert_int_equal(model_order(mt, "60hz,3wire", &m, &at), ERR_NOT_FOUND);
    assert_int_equal(at, 5);
    assert_int_equal(model_order(mt, "class1,class2", &m, &at), ERR_STATE);
    assert_int_equal(at, 7);
    assert_int_equal(model_order(mt, "class2,class2", &m, &at), ERR_STATE);
    assert_int_equal(model_order(mt, "5(85),ct", &m, &at), ERR_STATE);
    assert_int_equal(model_order(mt, "60hz,,class2", &m, &at), ERR_NOT_FOUND);
    assert_int_equal(model_order(mt, "60h", &m, NULL), ERR_NOT_FOUND);
    assert_int_equal(model_order(model_meter_find("SM402D"), "class0.5s", &m, &at), ERR_NOT_FOUND);
    assert_int_equal(model_order(model_meter_find("AD11A"), "60hz", &m, &at), ERR_NOT_FOUND);
    assert_null(model_choice_at(model_meter_find("AD13A"), 0));
}

static bool among(const char *text, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (strcmp(text, *list) == 0)
            return true;
    }
    return false;
}

/* What is there has a width, a depth and a period that a client could have chosen; what is not, is
 * nothing at all. */
static void check_profiles(const struct model_meter *m)
{
    for (size_t p = 0; p < MODEL_N_PROFILES; p++) {
        const struct model_profile *row = &m->profile[p];
        assert_int_equal(row->n_values > 0, row->depth > 0);
        assert_true(row->n_values <= MODEL_VALUES_MAX && row->depth_values <= row->n_values);
        assert_int_equal(row->n_values > 0, row->depth_values > 0);
        if (row->n_values > 0 && p < MODEL_DAILY)
            assert_true(model_period_allowed(m->periods, row->period_s10 * 10u));
    }
    assert_true(m->profile[MODEL_LP1].n_values > 0);
    assert_true(m->profile[MODEL_DAILY].n_values > 0 && m->profile[MODEL_MONTHLY].n_values > 0);
    assert_true((m->features & MODEL_TRADE) == 0 || (m->features & MODEL_COLUMNS_SET) != 0);
}

/* A chip of 4 MiB is the largest that such meters carry. */
static void check_memory(const struct model_meter *m)
{
    check_profiles(m);
    assert_true(m->log_depth[MODEL_LOG_STANDARD] > 0);
    assert_true(m->reserve_s >= 10 * 86400 && m->clock_ppb > 0 && m->long_outage_s > 0);
    assert_in_range(meter_n_sectors(m) * METER_SECTOR_SIZE, 1, 4 * 1024 * 1024);
}

static void periods_are_those_printed(void **state)
{
    (void)state;
    static const uint32_t any[] = {60, 420, 3540, 3600};
    const uint16_t mt = model_meter_find("MT371")->periods,
                   sx = model_meter_find("ST402D")->periods,
                   sm = model_meter_find("SM307")->periods;
    assert_true(model_period_allowed(mt, 900) && model_period_allowed(mt, 86400));
    assert_false(model_period_allowed(mt, 300) || model_period_allowed(mt, 0));
    assert_true(model_period_allowed(sx, 300) && model_period_allowed(sx, 86400));
    assert_false(model_period_allowed(sx, 1200) || model_period_allowed(sx, 60));
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
        assert_true(model_period_allowed(sm, any[i]));
    assert_false(model_period_allowed(sm, 0) || model_period_allowed(sm, 3660) ||
                 model_period_allowed(sm, 90) || model_period_allowed(sm, 86400));
    assert_true(model_period_allowed(model_meter_find("AD11A")->periods, 60));
    assert_false(model_period_allowed(model_meter_find("AD13A")->periods, 60));
}

/* Words that the tables of the bench know, and figures that hang together. */
static void check(const struct model_meter *m)
{
    static const char *const active[] = {
        "62053-21 1", "62053-21 2", "62053-22 0.5S", "50470-3 A", "50470-3 B", "50470-3 C", NULL};
    static const char *const reactive[] = {"62053-23 2", "62053-23 3", "62053-24 1", NULL};
    char word[40];
    struct legal_config c;
    static struct legal legal;
    snprintf(word, sizeof word, "%s %s", m->active_table, m->active_class);
    assert_true(among(word, active));
    snprintf(word, sizeof word, "%s %s", m->reactive_table, m->reactive_class);
    assert_true(among(word, reactive));
    assert_true(m->imax_ma >= m->in_ma && m->ist_ua <= m->in_ma * 4);
    assert_true(m->n_rates >= 4 && m->n_rates <= 8);
    meter_legal_config(m, 60000000000, 20000000000, &c);
    assert_int_equal(legal_init(&legal, &c), ERR_OK);
    assert_int_equal(c.wiring == LEGAL_3P3W, m->is_3wire);
    assert_int_equal(c.n_rates, m->n_rates);
    check_memory(m);
}

static void every_choice_makes_a_meter_that_starts(void **state)
{
    (void)state;
    for (size_t k = 0; model_meter_at(k) != NULL; k++) {
        const struct model_meter *m = model_meter_at(k);
        size_t n = 0, at;
        check(m);
        for (const struct model_choice *a; (a = model_choice_at(m, n)) != NULL; n++) {
            for (size_t i = 0; i < n; i++) {
                char words[64];
                struct model_meter out;
                const struct model_choice *b = model_choice_at(m, i);
                snprintf(words, sizeof words, "%s,%s", a->word, b->word);
                enum err err = model_order(m, words, &out, &at);
                assert_true(err == ERR_OK || (err == ERR_STATE && at == strlen(a->word) + 1));
                if (!err)
                    check(&out);
            }
        }
        printf("%s: %zu choices\n", m->name, n);
    }
}

/* The greatest signal from peak to peak: 230 V x 1.3 and 85 A in counts. */
static void legal_config_watches_for_torn_channels(void **state)
{
    (void)state;
    struct legal_config c;
    meter_legal_config(model_meter_find("MT371"), UINT64_C(60000000000), UINT64_C(20000000000), &c);
    assert_int_equal(c.slew_limit[AFE_U1], 14092866);
    assert_int_equal(c.slew_limit[AFE_I1], 12019000);
    assert_int_equal(c.slew_limit[AFE_IN], c.slew_limit[AFE_I3]);
    struct model_meter three = ordered("SMARTESOX-P", "3wire,58v");
    meter_legal_config(&three, UINT64_C(60000000000), UINT64_C(20000000000), &c);
    assert_in_range(c.un_mv, 99999, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_changes_what_its_words_say),
        cmocka_unit_test(order_chooses_reserve_and_numbers_of_events),
        cmocka_unit_test(order_has_one_name_for_one_meter),
        cmocka_unit_test(order_refuses_what_is_not_printed),
        cmocka_unit_test(periods_are_those_printed),
        cmocka_unit_test(every_choice_makes_a_meter_that_starts),
        cmocka_unit_test(legal_config_watches_for_torn_channels),
    };
    return cmocka_run_group_tests_name("orders", tests, NULL, NULL);
}
