/* Rows of the ledger about what an owner sets: LED constants, transformer ratios, losses. Each is
 * set through DLMS under access control, and what follows from it is read the same way. */
#include "tests/claims/claims.h"

#include <math.h>

#define RADIAN (3.14159265358979323846 / 180)

static double get(struct rig *r, const char *obis, uint8_t unit)
{
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    double v = claim_get(r, obis, unit);
    rig_release(r);
    return v;
}

static void set(struct rig *r, uint16_t class_id, const char *obis, uint64_t raw)
{
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    enum cosem_result result = claim_set(r, class_id, obis, raw);
    if (result != COSEM_SUCCESS)
        fail_msg("%s = %llu: %s", obis, (unsigned long long)raw, cosem_result_text(result));
    rig_release(r);
}

static void refused(struct rig *r, uint16_t sap, uint16_t class_id, const char *obis, uint64_t raw)
{
    assert_true(rig_connect(r, sap));
    assert_int_not_equal(claim_set(r, class_id, obis, raw), COSEM_SUCCESS);
    rig_release(r);
}

/* ---- LED constants ---- */

static const struct {
    const char *obis;
    uint8_t unit;
} constant_of[] = {{"1-0:0.3.0.255", COSEM_UNIT_PER_WH}, {"1-0:0.3.1.255", COSEM_UNIT_PER_VARH}};

static void stated(struct rig *r, const double constant[2])
{
    for (unsigned k = 0; k < 2; k++)
        claim_near(constant_of[k].obis, get(r, constant_of[k].obis, constant_of[k].unit) * 1000,
                   constant[k], 1e-6);
}

/* What the LEDs give over an hour is the constant times what the registers gained. */
static void pulses_follow(struct rig *r, const double constant[2])
{
    struct claim_load l = claim_load(r, 0.8, 40);
    struct claim_book book = {0};
    struct legal_snapshot before, after;
    legal_snapshot_get(&r->meter.legal, &before);
    claim_live(r, &l, 3600);
    claim_count(&book, &l, claim_phases(r), 3600);
    legal_snapshot_get(&r->meter.legal, &after);
    double kwh = book.of[0].a[0] * 1e-3, kvarh = book.of[0].r[0] * 1e-3;
    claim_near("active pulses", (double)(after.pulses_active - before.pulses_active),
               kwh * constant[0], 2 + 0.0003 * kwh * constant[0]);
    claim_near("reactive pulses", (double)(after.pulses_reactive - before.pulses_reactive),
               kvarh * constant[1], 2 + 0.0003 * kvarh * constant[1]);
}

static void claim_SX402_LED(void **state)
{
    (void)state;
    static const char *const models[] = {"SM402D", "ST402D", "ST402C"};
    for (size_t i = 0; i < 3; i++) {
        struct rig *r = claim_meter(models[i], 0);
        double printed = i == 2 ? 10000 : 1000;
        double constant[2] = {printed, printed};
        stated(r, constant);
        pulses_follow(r, constant);
        static const double chosen[][2] = {{500, 2000}, {6400, 100}, {1, 100000}, {10000, 10000}};
        for (size_t k = 0; k < sizeof chosen / sizeof chosen[0]; k++) {
            set(r, 3, "1-0:0.3.0.255", (uint64_t)chosen[k][0]);
            set(r, 3, "1-0:0.3.1.255", (uint64_t)chosen[k][1]);
            stated(r, chosen[k]);
            pulses_follow(r, chosen[k]);
        }
        refused(r, METER_SAP_READER, 3, "1-0:0.3.0.255", 500);
        refused(r, METER_SAP_READER_HLS, 3, "1-0:0.3.1.255", 500);
        refused(r, METER_SAP_MANAGER, 3, "1-0:0.3.0.255", 0);
        refused(r, METER_SAP_MANAGER, 3, "1-0:0.3.0.255", 100001);
        assert_int_equal(rig_power_up(r, 60), ERR_OK);
        stated(r, chosen[3]);
        pulses_follow(r, chosen[3]);
        rig_free(r);
    }
}

/* ---- losses ---- */

static const struct losses {
    double r_cu, x_s, r_fe, x_m; /* ohm */
} transformer = {0.35, 1.2, 150000, 48000};

struct loss_book { /* [0] import, [1] export */
    double ola[2], olr[2], nla[2], nlr[2], i2h, u2h;
};

static void set_ohm(struct rig *r, const char *obis, double ohm)
{
    assert_true(rig_connect(r, METER_SAP_MANAGER));
    struct apdu_attr a = rig_attr(3, obis, 3);
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    axdr_get_struct(&rd, 2);
    double raw = ohm / pow(10, (double)axdr_get_int(&rd));
    assert_int_equal(rd.err, ERR_OK);
    assert_int_equal(claim_set(r, 3, obis, (uint64_t)llround(raw)), COSEM_SUCCESS);
    claim_near(obis, claim_get(r, obis, COSEM_UNIT_OHM), ohm, 1e-6 * ohm);
    rig_release(r);
}

/* Three elements: every phase's squares; two: what balanced line values tell of the third. */
static void count_losses(struct loss_book *b, const struct claim_load *l, double hours,
                         const struct losses *t)
{
    double i2 = 0, u2 = 0, p = 0;
    for (unsigned k = 0; k < 3; k++) {
        i2 += l->i[k] * l->i[k] * hours;
        u2 += l->u[k] * l->u[k] * hours;
        p += l->u[k] * l->i[k] * cos(l->lag[k] * RADIAN);
    }
    unsigned to = p < 0;
    b->i2h += i2;
    b->u2h += u2;
    b->ola[to] += t->r_cu * i2;
    b->olr[to] += t->x_s * i2;
    b->nla[to] += u2 / t->r_fe;
    b->nlr[to] += u2 / t->x_m;
}

static void check_kind(struct rig *r, unsigned first, const double on[2], const double no[2],
                       uint8_t unit)
{
    const double want[9] = {on[0],         on[1],         on[0] + on[1],
                            no[0],         no[1],         no[0] + no[1],
                            on[0] + no[0], on[1] + no[1], on[0] + no[0] + on[1] + no[1]};
    for (unsigned k = 0; k < 9; k++) {
        char obis[24];
        snprintf(obis, sizeof obis, "1-0:83.8.%u.255", first + k);
        claim_near(obis, get(r, obis, unit), want[k], 0.0005 * fabs(want[k]) + 0.03);
    }
}

static void check_losses(struct rig *r, const struct loss_book *b)
{
    check_kind(r, 1, b->ola, b->nla, COSEM_UNIT_WH);
    check_kind(r, 10, b->olr, b->nlr, COSEM_UNIT_VARH);
}

/* Import, export, another current, no current at all; a power cut in between. */
static void losses_walk(struct rig *r, const struct losses *t, struct loss_book *b,
                        void (*check)(struct rig *r, const struct loss_book *b))
{
    static const struct {
        double part, lag;
    } loads[] = {{1, 20}, {0.7, 200}, {0.1, -60}, {0, 0}};
    for (size_t k = 0; k < sizeof loads / sizeof loads[0]; k++) {
        struct claim_load l = claim_load(r, loads[k].part, loads[k].lag);
        claim_feed(r, &l, 5, 1600);
        count_losses(b, &l, 5.0 / 3600, t);
        claim_live(r, &l, 3 * 3600);
        count_losses(b, &l, 3, t);
        check(r, b);
        if (k == 1)
            assert_int_equal(rig_power_up(r, 60), ERR_OK);
    }
}

static void claim_ESOX_LOSSES(void **state)
{
    (void)state;
    static const char *const obis[] = {"1-0:0.10.2.255", "1-0:0.10.3.255", "1-0:0.10.1.255",
                                       "1-0:0.10.0.255"};
    const double ohm[] = {transformer.r_cu, transformer.x_s, transformer.r_fe, transformer.x_m};
    struct rig *r = claim_meter("SMARTESOX-P", 0);
    struct loss_book b = {0};
    for (size_t k = 0; k < 4; k++) {
        set_ohm(r, obis[k], ohm[k]);
        refused(r, METER_SAP_READER_HLS, 3, obis[k], 1);
    }
    losses_walk(r, &transformer, &b, check_losses);
    rig_free(r);
}

static void check_squares(struct rig *r, const struct loss_book *b)
{
    claim_near("I2h", get(r, "1-0:83.8.20.255", COSEM_UNIT_A2H), b->i2h, 0.0005 * b->i2h + 0.001);
    claim_near("U2h", get(r, "1-0:83.8.19.255", COSEM_UNIT_V2H), b->u2h, 0.0005 * b->u2h + 1);
}

/* Also of a meter that was told no transformer. */
static void claim_ESOX_I2T_U2T(void **state)
{
    (void)state;
    struct rig *r = claim_meter("SMARTESOX-P", 0);
    struct loss_book b = {0};
    losses_walk(r, &(struct losses){0, 0, 1, 1}, &b, check_squares);
    rig_free(r);
}

/* ---- transformer ratios ---- */

static const char *const ratio_obis[] = {"1-0:0.4.2.255", "1-0:0.4.3.255", "1-0:0.4.5.255",
                                         "1-0:0.4.6.255"}; /* CT, VT numerators; denominators */

/* Records of the audit trail. */
static uint32_t trail(struct rig *r)
{
    return (uint32_t)meter_audit_count(&r->meter);
}

static void last_record(struct rig *r, const char *name, uint8_t change, int64_t after)
{
    struct meter_audit a;
    assert_int_equal(meter_audit_read(&r->meter, meter_audit_newest(&r->meter), &a), ERR_OK);
    assert_string_equal(meter_audit_name(&a), name);
    assert_int_equal(a.legal.change, change);
    assert_int_equal(a.legal.after, after);
    assert_int_equal(a.client_sap, METER_SAP_MANAGER);
}

static double unit_of(struct rig *r, const char *obis)
{
    struct apdu_attr a = rig_attr(3, obis, 3);
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    assert_true(rig_get(r, &a));
    struct rd rd = rd_of(r->answer, r->answer_len);
    axdr_get_struct(&rd, 2);
    double unit = pow(10, (double)axdr_get_int(&rd));
    assert_int_equal(rd.err, ERR_OK);
    rig_release(r);
    return unit;
}

/* Each primary quantity is the secondary one times its ratio, a unit of either apart at most. */
static void primary_is_secondary_times(struct rig *r, const char *code, uint8_t unit, double ratio)
{
    char secondary[24], primary[24];
    snprintf(secondary, sizeof secondary, "1-0:%s.255", code);
    snprintf(primary, sizeof primary, "1-1:%s.255", code);
    double s = get(r, secondary, unit), p = get(r, primary, unit);
    assert_true(s > 0);
    claim_near(primary, p, s * ratio, 1.01 * (unit_of(r, secondary) * ratio + unit_of(r, primary)));
}

static void sides_hold(struct rig *r, double ct, double vt)
{
    static const struct {
        const char *code;
        uint8_t unit;
    } powers[] = {
        {"1.8.0", COSEM_UNIT_WH},   {"2.8.0", COSEM_UNIT_WH},  {"3.8.0", COSEM_UNIT_VARH},
        {"4.8.0", COSEM_UNIT_VARH}, {"1.7.0", COSEM_UNIT_W},   {"21.7.0", COSEM_UNIT_W},
        {"41.7.0", COSEM_UNIT_W},   {"61.7.0", COSEM_UNIT_W},  {"3.7.0", COSEM_UNIT_VAR},
        {"9.8.0", COSEM_UNIT_VAH},  {"15.8.0", COSEM_UNIT_WH}, {"130.8.0", COSEM_UNIT_VARH}};
    static const char *const currents[] = {"31.7.0", "51.7.0", "71.7.0"};
    static const char *const voltages[] = {"32.7.0", "52.7.0", "72.7.0"};
    for (size_t k = 0; k < sizeof powers / sizeof powers[0]; k++)
        primary_is_secondary_times(r, powers[k].code, powers[k].unit, ct * vt);
    for (size_t k = 0; k < 3; k++) {
        primary_is_secondary_times(r, currents[k], COSEM_UNIT_A, ct);
        primary_is_secondary_times(r, voltages[k], COSEM_UNIT_V, vt);
    }
}

static void claim_SM307_CTVT(void **state)
{
    (void)state;
    struct rig *r = claim_meter("SM307", 0);
    struct claim_load away = claim_load(r, 0.5, -160), l = claim_load(r, 0.8, 30);
    struct claim_book book = {0};
    claim_live(r, &away, 3600);
    claim_count(&book, &away, 3, 3600);
    claim_live(r, &l, 3600);
    claim_count(&book, &l, 3, 3600);
    claim_feed(r, &l, 4, 3200);
    claim_count(&book, &l, 3, 4);
    sides_hold(r, 1, 1);
    static const uint32_t part[][4] = {{300, 3500, 1, 11}, {1000, 11000, 5, 10}};
    static const char *const names[] = {"CT_NUM", "VT_NUM", "CT_DEN", "VT_DEN"};
    for (size_t i = 0; i < 2; i++) {
        for (unsigned k = 0; k < 4; k++) {
            uint32_t n = trail(r);
            refused(r, METER_SAP_READER, 1, ratio_obis[k], part[i][k]);
            refused(r, METER_SAP_READER_HLS, 1, ratio_obis[k], part[i][k]);
            assert_int_equal(trail(r), n); /* who may not write gets not so far */
            set(r, 1, ratio_obis[k], part[i][k]);
            last_record(r, names[k], LEGAL_CHANGE_DONE, part[i][k]);
            assert_int_equal(rig_value(r, 1, ratio_obis[k], 2), part[i][k]);
        }
        sides_hold(r, (double)part[i][0] / part[i][2], (double)part[i][1] / part[i][3]);
        claim_check_energies(r, &book, (const uint8_t[]){1, 2, 3, 4, 15, 130, 0}, false, 0.0002);
    }
    refused(r, METER_SAP_MANAGER, 1, ratio_obis[0], 0);
    last_record(r, "CT_NUM", LEGAL_CHANGE_REFUSED, 0);
    assert_int_equal(rig_power_up(r, 60), ERR_OK);
    for (unsigned k = 0; k < 4; k++)
        assert_int_equal(rig_value(r, 1, ratio_obis[k], 2), part[1][k]);
    claim_feed(r, &l, 4, 3200);
    sides_hold(r, 200, 1100);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_SX402_LED),
        cmocka_unit_test(claim_ESOX_LOSSES),
        cmocka_unit_test(claim_ESOX_I2T_U2T),
        cmocka_unit_test(claim_SM307_CTVT),
    };
    return cmocka_run_group_tests_name("claims_ratio", tests, NULL, NULL);
}
