/* Parameters, ratios, seal, rates and their audit trail, over the wire and over power cuts. */
#include "tests/firmware/meter/rig.h"

#include "firmware/meter/meter_energy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define START "2026-06-10T10:00:00"
#define LOAD  "synth:phases=3,u=230,i=4,pf=0.8"

static bool full;

static bool write_u32(struct rig *r, uint16_t sap, uint16_t class_id, const char *obis, uint32_t to)
{
    uint8_t octets[8];
    struct wr w = wr_of(octets, sizeof octets);
    struct apdu_attr a = rig_attr(class_id, obis, 2);
    axdr_put_u32(&w, to);
    assert_true(rig_connect(r, sap));
    bool done = rig_set(r, &a, (struct bytes){octets, w.len});
    rig_release(r);
    return done;
}

static struct meter_audit last_audit(const struct rig *r)
{
    struct meter_audit a;
    assert_int_equal(meter_audit_read(&r->meter, meter_audit_newest(&r->meter), &a), ERR_OK);
    return a;
}

static int64_t parameter(const struct rig *r, enum legal_parameter id, unsigned index)
{
    int64_t value;
    assert_int_equal(legal_parameter_get(&r->meter.legal, id, index, &value), ERR_OK);
    return value;
}

static bool is_sealed(const struct rig *r)
{
    struct legal_status s;
    legal_status_get(&r->meter.legal, &s);
    return s.sealed;
}

static void led_constant_is_the_owners_where_the_datasheet_says_so(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402D", START, LOAD);
    assert_int_equal(rig_value(r, 3, "1-0:0.3.0.255", 2), 1000);
    assert_false(write_u32(r, METER_SAP_READER, 3, "1-0:0.3.0.255", 500));
    assert_int_equal(meter_audit_count(&r->meter), 1); /* the seal of the first start */
    assert_true(write_u32(r, METER_SAP_MANAGER, 3, "1-0:0.3.0.255", 500));
    struct meter_audit a = last_audit(r);
    assert_int_equal(a.client_sap, METER_SAP_MANAGER);
    assert_int_equal(a.legal.change, LEGAL_CHANGE_DONE);
    assert_int_equal(a.legal.before, 1000);
    assert_int_equal(a.legal.after, 500);
    assert_int_equal(a.utc_s, rig_time(START));
    assert_string_equal(meter_audit_name(&a), "PULSE_PER_KWH");
    assert_false(write_u32(r, METER_SAP_MANAGER, 3, "1-0:0.3.1.255", 100001));
    a = last_audit(r);
    assert_int_equal(a.legal.change, LEGAL_CHANGE_REFUSED);
    assert_int_equal(a.legal.sequence, 3);
    assert_int_equal(rig_power_up(r, 100), ERR_OK);
    assert_int_equal(rig_value(r, 3, "1-0:0.3.0.255", 2), 500);
    assert_int_equal(rig_value(r, 3, "1-0:0.3.1.255", 2), 1000);
    assert_true(write_u32(r, METER_SAP_MANAGER, 3, "1-0:0.3.1.255", 250));
    assert_int_equal(last_audit(r).legal.sequence, 4); /* goes on */
    rig_free(r);
    r = rig_new("MT371", START, LOAD);
    assert_false(write_u32(r, METER_SAP_MANAGER, 3, "1-0:0.3.0.255", 500));
    assert_int_equal(rig_value(r, 3, "1-0:0.3.0.255", 2), 1000);
    rig_free(r);
}

static void ratios_tell_primary_from_secondary(void **state)
{
    (void)state;
    struct rig *r = rig_new("SMARTESOX-P", START, "synth:phases=3,u=230,i=4,pf=0.8");
    rig_live(r, 3600);
    int64_t energy = rig_value(r, 3, "1-0:1.8.0.255", 2);
    int64_t power = rig_value(r, 3, "1-0:1.7.0.255", 2);
    assert_int_equal(rig_value(r, 3, "1-1:1.8.0.255", 2), energy);
    assert_true(write_u32(r, METER_SAP_MANAGER, 1, "1-0:0.4.2.255", 200));
    assert_true(write_u32(r, METER_SAP_MANAGER, 1, "1-0:0.4.6.255", 100));
    assert_true(write_u32(r, METER_SAP_MANAGER, 1, "1-0:0.4.3.255", 35000));
    assert_false(write_u32(r, METER_SAP_MANAGER, 1, "1-0:0.4.5.255", 0));
    assert_int_equal(last_audit(r).legal.change, LEGAL_CHANGE_REFUSED);
    assert_int_equal(rig_power_up(r, 100), ERR_OK);
    struct meter_audit a = last_audit(r);
    assert_string_equal(meter_audit_name(&a), "CT_DEN");
    /* 200 x 350 = 70 000: four decades go to the scaler, 7 is left */
    assert_int_equal(rig_value(r, 3, "1-0:1.8.0.255", 2), energy);
    assert_in_range(rig_value(r, 3, "1-1:1.8.0.255", 2), energy * 7, energy * 7 + 7);
    struct apdu_attr attr = rig_attr(3, "1-1:1.8.0.255", 3);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &attr));
    assert_memory_equal(r->answer, ((uint8_t[]){2, 2, 15, 2, 22, 30}), 6); /* 10^(-2+4) Wh */
    rig_release(r);
    rig_live(r, 60);
    assert_in_range(rig_value(r, 3, "1-1:1.7.0.255", 2), power * 7 - 8, power * 7 + 8);
    assert_in_range(rig_value(r, 3, "1-1:31.7.0.255", 2), 799900, 800100);
    assert_in_range(rig_value(r, 3, "1-1:32.7.0.255", 2), 8049000, 8051000);
    rig_free(r);
}

static void audit_trail_is_a_profile(void **state)
{
    (void)state;
    struct rig *r = rig_new("SMARTESOX-P", START, LOAD);
    struct apdu_attr buffer = rig_attr(7, "0-0:99.98.128.255", 2);
    for (uint32_t k = 1; k <= 120; k++)
        assert_int_equal(meter_ratio_set(&r->meter, 1, METER_CT_NUM, k), ERR_OK);
    assert_int_equal(rig_value(r, 7, "0-0:99.98.128.255", 7), METER_AUDIT_KEPT);
    assert_true(rig_connect(r, METER_SAP_READER));
    assert_true(rig_get(r, &buffer));
    struct rd rd = rd_of(r->answer, r->answer_len);
    assert_int_equal(axdr_get_array(&rd), METER_AUDIT_KEPT);
    uint8_t selection[40];
    struct wr w = wr_of(selection, sizeof selection);
    const struct profile_entries last = {.from = 99, .to = 100, .from_column = 1};
    profile_put_entries(&w, &last);
    buffer.selector = PROFILE_BY_ENTRY;
    buffer.parameter = (struct bytes){selection, w.len};
    assert_true(rig_get(r, &buffer));
    rd = rd_of(r->answer, r->answer_len);
    assert_int_equal(axdr_get_array(&rd), 2);
    rig_release(r);
    rig_free(r);
}

static struct legal_calibration calibration_of(int32_t gain)
{
    struct legal_calibration c = {.reference_mc = 23000};
    c.channel[AFE_U1].gain_ppb = gain;
    c.channel[AFE_I3].delay_ns = -1234;
    c.phase[1].n_ct = 2;
    c.phase[1].ct[0] = (struct legal_ct_point){50000, -200000, 300000};
    c.phase[1].ct[1] = (struct legal_ct_point){5000000, -100000, 100000};
    return c;
}

static struct rig *calibrated(const struct legal_calibration *c)
{
    struct rig *r = rig_new("ST402C", START, LOAD);
    meter_end(&r->meter);
    flash_emu_free(&r->emu);
    flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(r->config.model));
    r->config.calibration = c;
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    return r;
}

static void calibration_is_taken_over_once_and_sealed(void **state)
{
    (void)state;
    struct legal_calibration first = calibration_of(1234567), second = calibration_of(7);
    struct rig *r = calibrated(&first);
    assert_true(is_sealed(r));
    r->config.calibration = &second;
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    assert_true(is_sealed(r));
    struct legal_config c;
    legal_config_get(&r->meter.legal, &c);
    assert_memory_equal(&c.calibration, &first, sizeof first);
    assert_int_equal(
        meter_parameter_set(&r->meter, METER_SAP_FACTORY, LEGAL_PARAMETER_GAIN_PPB, AFE_U1, 9),
        ERR_ACCESS);
    assert_int_equal(last_audit(r).legal.reason, 1);
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    assert_false(is_sealed(r));
    assert_int_equal(
        meter_parameter_set(&r->meter, METER_SAP_FACTORY, LEGAL_PARAMETER_GAIN_PPB, AFE_U1, 9),
        ERR_OK);
    assert_int_equal(meter_seal_set(&r->meter, true), ERR_OK);
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    assert_true(is_sealed(r));
    assert_int_equal(parameter(r, LEGAL_PARAMETER_GAIN_PPB, AFE_U1), 9);
    assert_int_equal(parameter(r, LEGAL_PARAMETER_CT_PHASE_NRAD, LEGAL_N_CT_POINTS + 1), 100000);
    assert_int_equal(last_audit(r).legal.sequence, 5);
    rig_free(r);
}

/* The front end of the source, not that of the first start: it is no parameter that was changed. */
static void another_source_may_have_another_lsb(void **state)
{
    (void)state;
    struct legal_calibration c = calibration_of(5);
    struct rig *r = calibrated(&c);
    r->config.u_lsb_fv *= 2;
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    assert_int_equal(parameter(r, LEGAL_PARAMETER_U_LSB_FV, 1), r->config.u_lsb_fv);
    assert_int_equal(parameter(r, LEGAL_PARAMETER_GAIN_PPB, AFE_U1), 5);
    rig_free(r);
}

static void meter_refuses_an_impossible_calibration(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402C", START, LOAD);
    struct legal_calibration c = calibration_of(200000001);
    flash_emu_free(&r->emu);
    flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(r->config.model));
    r->config.calibration = &c;
    assert_int_equal(rig_power_up(r, 10), ERR_RANGE);
    rig_free(r);
}

static enum err factory(struct rig *r, enum legal_parameter id, unsigned index, int64_t value)
{
    return meter_parameter_set(&r->meter, METER_SAP_FACTORY, id, index, value);
}

/* A phase's count may be 65 535 of the neutral's: 1 fA x 10^11 goes only after the neutral's went
 * up, and the phases' come first when they are read back. */
static void values_come_back_in_whatever_order_they_agree(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402C", START, LOAD);
    r->config.i_lsb_fa = 1000000000;
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
    const int64_t coarse = INT64_C(100000000000000);
    assert_int_equal(factory(r, LEGAL_PARAMETER_I_LSB_FA, 1, coarse), ERR_STATE);
    assert_int_equal(factory(r, LEGAL_PARAMETER_I_LSB_FA, 3, coarse / 100), ERR_OK);
    assert_int_equal(factory(r, LEGAL_PARAMETER_I_LSB_FA, 1, coarse), ERR_OK);
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    assert_int_equal(parameter(r, LEGAL_PARAMETER_I_LSB_FA, 1), coarse);
    assert_int_equal(parameter(r, LEGAL_PARAMETER_I_LSB_FA, 3), coarse / 100);
    rig_free(r);
}

/* Each value as far from its model's as its range goes, so that it takes the most octets. However
 * absurd, what was sealed does not keep the meter from starting. */
static void all_parameters_fit_the_store(void **state)
{
    (void)state;
    struct rig *r = rig_new("SMARTESOX-P", START, LOAD);
    unsigned n = 0;
    assert_int_equal(meter_seal_set(&r->meter, false), ERR_OK);
    for (int id = LEGAL_N_PARAMETERS - 1; id >= 0; id--) {
        const struct legal_parameter_row *row = legal_parameter_row((enum legal_parameter)id);
        for (unsigned k = row->count; k-- > 0; n++) {
            int64_t value = row->min < -row->max ? row->min : row->max;
            if (id == LEGAL_PARAMETER_CT_I_UA) /* points rise */
                value -= LEGAL_N_CT_POINTS - 1 - k % LEGAL_N_CT_POINTS;
            if (id != LEGAL_PARAMETER_N_CT)
                assert_int_equal(factory(r, (enum legal_parameter)id, k, value), ERR_OK);
        }
    }
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++)
        assert_int_equal(factory(r, LEGAL_PARAMETER_N_CT, k, LEGAL_N_CT_POINTS), ERR_OK);
    struct legal_config before, after;
    legal_config_get(&r->meter.legal, &before);
    uint8_t stored[NV_VALUE_MAX];
    size_t len = 0;
    assert_int_equal(nv_get(&r->meter.nv, 5, stored, sizeof stored, &len), ERR_OK);
    print_message("%u values in %zu octets\n", n, len);
    assert_true(n > 100);
    assert_int_equal(rig_power_up(r, 10), ERR_OK);
    legal_config_get(&r->meter.legal, &after);
    assert_memory_equal(&before.calibration, &after.calibration, sizeof after.calibration);
    assert_memory_equal(&before.i_lsb_fa, &after.i_lsb_fa, sizeof after.i_lsb_fa);
    assert_memory_equal(&before.slew_limit, &after.slew_limit, sizeof after.slew_limit);
    rig_free(r);
}

/* The key is gone (a sector was damaged): the factory's values of today are not taken instead. */
static void meter_that_lost_its_parameters_does_not_start(void **state)
{
    (void)state;
    struct rig *r = rig_new("ST402C", START, LOAD);
    assert_int_equal(nv_put(&r->meter.nv, 5, NULL, 0), ERR_OK);
    assert_int_equal(rig_power_up(r, 10), ERR_CORRUPT);
    flash_emu_free(&r->emu); /* a board that never lived does */
    flash_emu_init(&r->emu, METER_SECTOR_SIZE, meter_n_sectors(r->config.model));
    assert_int_equal(meter_init(&r->meter, &r->config), ERR_OK);
    rig_free(r);
}

/* A script of changes, cut at each of its flash operations: what was told is there, what is there
 * is in the trail, and the trail's numbers go on. */
static enum err change(struct rig *r, unsigned step)
{
    switch (step) {
    case 0:
        return meter_parameter_set(&r->meter, 1, LEGAL_PARAMETER_PULSE_PER_KWH, 0, 777);
    case 1:
        return meter_ratio_set(&r->meter, 1, METER_VT_NUM, 300);
    case 2:
        return meter_seal_set(&r->meter, false);
    case 3:
        return meter_parameter_set(&r->meter, 0, LEGAL_PARAMETER_DELAY_NS, 5, -99);
    case 4:
        return meter_seal_set(&r->meter, true);
    case 5:
        return meter_limit_set(&r->meter, 1, PQ_BYPASS, METER_LIMIT_ON_MS, 5000);
    default:
        return meter_limit_set(&r->meter, 1, PQ_BYPASS, METER_LIMIT_ON, 120000);
    }
}

static unsigned steps_done(const struct rig *r)
{
    bool led = parameter(r, LEGAL_PARAMETER_PULSE_PER_KWH, 0) == 777;
    bool ratio = r->meter.ratio.part[METER_VT_NUM] == 300;
    bool delay = parameter(r, LEGAL_PARAMETER_DELAY_NS, 5) == -99;
    if (meter_limit(&r->meter, PQ_BYPASS, METER_LIMIT_ON) == 120000)
        return 7;
    if (meter_limit(&r->meter, PQ_BYPASS, METER_LIMIT_ON_MS) == 5000)
        return 6;
    if (delay)
        return is_sealed(r) ? 5 : 4;
    if (!is_sealed(r))
        return 3;
    return ratio ? 2 : led ? 1 : 0;
}

/* Each operation, each tear; else one tear of most operations, all tears in turn. */
static void change_is_there_if_and_only_if_it_is_in_the_trail(void **state)
{
    (void)state;
    bool dead = true;
    unsigned n_cuts = 0;
    for (uint32_t cut = 0; dead || cut % N_TEARS != 0; cut += full ? 1 : 5) {
        struct rig *r = rig_new("ST402C", START, LOAD);
        unsigned told = 0;
        flash_emu_power(&r->emu, 1 + cut / N_TEARS, (enum tear)(cut % N_TEARS));
        while (told < 7 && change(r, told) == ERR_OK)
            told++;
        dead = r->emu.dead;
        n_cuts += dead;
        flash_emu_power(&r->emu, 0, TEAR_NOTHING);
        assert_int_equal(rig_power_up(r, 10), ERR_OK);
        unsigned done = steps_done(r);
        assert_true(done >= told && done <= told + 1);
        assert_int_equal(meter_audit_count(&r->meter), 1 + done);
        assert_int_equal(rig_power_up(r, 10), ERR_OK); /* the redo itself is lasting */
        assert_int_equal(steps_done(r), done);
        rig_free(r);
    }
    printf("%u cuts\n", n_cuts);
    assert_true(n_cuts >= (full ? 50 : 10) * N_TEARS);
}

static bool execute(struct rig *r, uint16_t sap, uint16_t script)
{
    uint8_t octets[3] = {18, (uint8_t)(script >> 8), (uint8_t)script};
    struct apdu_attr a = rig_attr(9, "0-0:10.0.100.255", 1);
    a.parameter = (struct bytes){octets, sizeof octets};
    assert_true(rig_connect(r, sap));
    bool done = rig_call(r, &a);
    rig_release(r);
    return done;
}

static void rate_is_switched_by_script_and_kept_over_a_cut(void **state)
{
    (void)state;
    struct rig *r = rig_new("SM307", START, "synth:phases=3,u=110,i=4,pf=0.8");
    assert_false(execute(r, METER_SAP_READER, 2));
    assert_false(execute(r, METER_SAP_MANAGER, 5)); /* the fifth of four */
    for (uint16_t script = 1; script <= 4; script++) {
        assert_true(execute(r, METER_SAP_MANAGER, script));
        assert_int_equal(rig_power_up(r, 2), ERR_OK);
        assert_int_equal(meter_rate(&r->meter), script - 1);
        struct apdu_attr a = rig_attr(1, "0-0:96.14.0.255", 2);
        assert_true(rig_connect(r, METER_SAP_READER));
        assert_true(rig_get(r, &a));
        assert_memory_equal(r->answer, ((uint8_t[]){9, 1, (uint8_t)script}), 3);
        rig_release(r);
        rig_live(r, 600 * script);
    }
    assert_int_equal(rig_power_up(r, 2), ERR_OK);
    int64_t sum = 0;
    for (unsigned rate = 1; rate <= 4; rate++) {
        char obis[24];
        snprintf(obis, sizeof obis, "1-0:1.8.%u.255", rate);
        int64_t wh = rig_value(r, 3, obis, 2);
        /* 3 x 110 x 4 x 0.8 W for 600 s x rate, in 0.01 Wh, less what the cuts took */
        assert_true(wh <= 17600 * rate + 1 && wh > 17600 * rate - 1800);
        sum += wh;
    }
    int64_t total = rig_value(r, 3, "1-0:1.8.0.255", 2);
    assert_true(total >= sum && total <= sum + 3); /* each cut off */
    struct cosem_ref o;
    uint8_t ln[6] = {1, 0, 1, 8, 5, 255};
    assert_false(cosem_find(&r->meter.device, 3, ln, &o));
    rig_free(r);
}

static void order_is_part_of_the_board(void **state)
{
    (void)state;
    struct rig *r = rig_new("MT371", START, LOAD);
    struct model_meter ordered;
    assert_int_equal(model_order(model_meter_find("MT371"), "5(85),class1", &ordered, NULL),
                     ERR_OK);
    r->config.model = &ordered; /* the standard order in words */
    assert_int_equal(rig_power_up(r, 5), ERR_OK);
    assert_int_equal(model_order(model_meter_find("MT371"), "class2", &ordered, NULL), ERR_OK);
    assert_int_equal(rig_power_up(r, 5), ERR_STATE);
    rig_free(r);
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(led_constant_is_the_owners_where_the_datasheet_says_so),
        cmocka_unit_test(ratios_tell_primary_from_secondary),
        cmocka_unit_test(audit_trail_is_a_profile),
        cmocka_unit_test(calibration_is_taken_over_once_and_sealed),
        cmocka_unit_test(another_source_may_have_another_lsb),
        cmocka_unit_test(meter_refuses_an_impossible_calibration),
        cmocka_unit_test(values_come_back_in_whatever_order_they_agree),
        cmocka_unit_test(all_parameters_fit_the_store),
        cmocka_unit_test(meter_that_lost_its_parameters_does_not_start),
        cmocka_unit_test(change_is_there_if_and_only_if_it_is_in_the_trail),
        cmocka_unit_test(rate_is_switched_by_script_and_kept_over_a_cut),
        cmocka_unit_test(order_is_part_of_the_board),
    };
    return cmocka_run_group_tests_name("meter_parameter", tests, NULL, NULL);
}
