/* Rows of the ledger about present values, models, starting and no load: all at sample level. */
#include "tests/claims/claims.h"

#include <math.h>

#define RADIAN (3.14159265358979323846 / 180)

static const char *const sx402[] = {"SM402D", "ST402D", "ST402C"};
static const char *const ad1x[] = {"AD11A", "AD13A"};

enum { U = 1, I = 2, F = 4, PF = 8, ANGLE = 16, POWERS = 32 };

static double phase_power(const struct claim_load *l, unsigned p, bool reactive)
{
    double angle = l->lag[p] * RADIAN;
    return l->u[p] * l->i[p] * (reactive ? sin(angle) : cos(angle));
}

static double total_factor(const struct claim_load *l, unsigned n)
{
    double p = 0, s = 0;
    for (unsigned k = 0; k < n; k++) {
        p += phase_power(l, k, false);
        s += l->u[k] * l->i[k];
    }
    return p / s;
}

static double wrapped(double degrees)
{
    return degrees - 360 * round(degrees / 360);
}

static void check_phase(struct rig *r, const struct claim_load *l, unsigned p, unsigned what)
{
    bool alone = claim_phases(r) == 1;
    if ((what & U) != 0)
        claim_near("U", claim_get_of(r, 32, 7, p, COSEM_UNIT_V), l->u[p], 0.0005 * l->u[p] + 0.01);
    if ((what & I) != 0)
        claim_near("I", claim_get_of(r, 31, 7, p, COSEM_UNIT_A), l->i[p], 0.0005 * l->i[p] + 0.001);
    if ((what & PF) != 0)
        claim_near("PF", claim_get_of(r, 13, 7, alone ? 0 : p + 1, COSEM_UNIT_NONE),
                   cos(l->lag[p] * RADIAN), 0.0015);
    if ((what & ANGLE) != 0) {
        static const char *const angle[] = {"1-0:81.7.4.255", "1-0:81.7.15.255", "1-0:81.7.26.255"};
        double off = claim_get(r, angle[p], COSEM_UNIT_DEGREE) - l->lag[p];
        claim_near("angle of I against U", wrapped(off), 0, 0.15);
    }
}

static void check(struct rig *r, const struct claim_load *l, unsigned what)
{
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    for (unsigned p = 0; p < claim_phases(r); p++)
        check_phase(r, l, p, what);
    if ((what & F) != 0)
        claim_near("f", claim_get(r, "1-0:14.7.0.255", COSEM_UNIT_HZ), l->f, 0.011);
    if ((what & PF) != 0)
        claim_near("PF of all", claim_get(r, "1-0:13.7.0.255", COSEM_UNIT_NONE),
                   total_factor(l, claim_phases(r)), 0.0015);
    rig_release(r);
    if ((what & POWERS) != 0) {
        static const uint8_t codes[] = {1, 2, 3, 4, 0};
        claim_check_powers(r, l, codes, true);
    }
}

/* Lags and leads, import and export, a tenth and all of the maximum current, three frequencies. */
static void values_hold(const char *model, unsigned what)
{
    static const struct {
        double part, lag, f;
    } steps[] = {{0.1, 0, 50},   {1, 30, 50},     {0.5, -60, 49.5},
                 {1, 150, 50.5}, {0.3, -120, 50}, {0.02, 80, 52.37}};
    struct rig *r = claim_meter(model, 0);
    for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
        struct claim_load l = claim_load(r, steps[k].part, steps[k].lag);
        l.f = steps[k].f;
        claim_feed(r, &l, 6, 3200);
        check(r, &l, what);
    }
    rig_free(r);
}

static void claim_MT371_PQ_INSTANT(void **state)
{
    (void)state;
    values_hold("MT371", U | I);
}

static void claim_SX402_INSTANT(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        values_hold(sx402[i], U | I | F | PF);
}

static void claim_SM307_INSTANT(void **state)
{
    (void)state;
    values_hold("SM307", U | I | ANGLE);
}

static void claim_SM307_POWERS(void **state)
{
    (void)state;
    values_hold("SM307", POWERS | PF);
}

static void frequency_holds(const char *model)
{
    static const double hz[] = {50, 47.5, 48.93, 51.21, 52.5};
    struct rig *r = claim_meter(model, 0);
    for (size_t k = 0; k < sizeof hz / sizeof hz[0]; k++) {
        struct claim_load l = claim_load(r, 0.2, 10);
        l.f = hz[k];
        claim_feed(r, &l, 6, 3200);
        check(r, &l, F);
    }
    rig_free(r);
}

static void claim_SM307_FREQUENCY(void **state)
{
    (void)state;
    frequency_holds("SM307");
}

static void claim_AD1X_PQ_FREQUENCY(void **state)
{
    (void)state;
    frequency_holds("AD11A");
    frequency_holds("AD13A");
}

/* U2 and U3 against U1; a network in order, one out of balance, one with two phases swapped. */
static void claim_AD1X_PQ_ANGLES(void **state)
{
    (void)state;
    static const double degrees[][2] = {{-120, -240}, {-113.4, -247.9}, {-240, -120}, {-60, 60}};
    struct rig *r = claim_meter("AD13A", 0);
    for (size_t k = 0; k < sizeof degrees / sizeof degrees[0]; k++) {
        struct claim_load l = claim_load(r, 0.2, 10);
        l.u_deg[1] = degrees[k][0];
        l.u_deg[2] = degrees[k][1];
        claim_feed(r, &l, 4, 3200);
        assert_true(rig_connect(r, METER_SAP_READER_HLS));
        double u12 = claim_get(r, "1-0:81.7.1.255", COSEM_UNIT_DEGREE);
        double u13 = claim_get(r, "1-0:81.7.2.255", COSEM_UNIT_DEGREE);
        claim_near("U2 against U1", wrapped(u12 - degrees[k][0]), 0, 0.15);
        claim_near("U3 against U1", wrapped(u13 - degrees[k][1]), 0, 0.15);
        rig_release(r);
    }
    rig_free(r);
}

/* Lines that are only in the voltage, only in the current, in both; the highest that counts. */
static void thd_holds(const char *model)
{
    static const struct {
        unsigned order[CLAIM_LINES];
        double u[CLAIM_LINES], i[CLAIM_LINES];
    } cases[] = {{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}},
                 {{3, 5, 7}, {0.05, 0.03, 0.01}, {0.3, 0.2, 0.1}},
                 {{2, 11, 40}, {0.02, 0, 0.02}, {0, 0.15, 0.05}}};
    struct rig *r = claim_meter(model, 0);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct claim_load l = claim_load(r, 0.5, 25);
        double u = 0, i = 0;
        for (size_t n = 0; n < CLAIM_LINES; n++) {
            l.line[n].order = cases[k].order[n];
            l.line[n].u = cases[k].u[n];
            l.line[n].i = cases[k].i[n];
            u += cases[k].u[n] * cases[k].u[n];
            i += cases[k].i[n] * cases[k].i[n];
        }
        claim_feed(r, &l, 4, 8000);
        assert_true(rig_connect(r, METER_SAP_READER_HLS));
        for (unsigned p = 0; p < claim_phases(r); p++) {
            char obis[24];
            snprintf(obis, sizeof obis, "1-0:%u.7.124.255", 32 + 20 * p);
            claim_near(obis, claim_get(r, obis, COSEM_UNIT_PERCENT), 100 * sqrt(u), 0.05);
            snprintf(obis, sizeof obis, "1-0:%u.7.124.255", 31 + 20 * p);
            claim_near(obis, claim_get(r, obis, COSEM_UNIT_PERCENT), 100 * sqrt(i), 0.05);
        }
        rig_release(r);
    }
    rig_free(r);
}

static void claim_AD1X_PQ_THD(void **state)
{
    (void)state;
    thd_holds("AD11A");
    thd_holds("AD13A");
}

/* ---- models ---- */

static bool names_model(struct rig *r, const char *type)
{
    struct apdu_attr a = rig_attr(1, "0-0:42.0.0.255", 2);
    assert_true(rig_get(r, &a));
    return r->answer_len == 18 && memcmp(r->answer + 2 + 3, type, 3) == 0;
}

/* What tells the three apart: phases, maximum current (direct or behind transformers), and that
 * each really measures its maximum on each of its phases. */
static void claim_SX402_MODELS(void **state)
{
    (void)state;
    static const struct {
        const char *model, *type;
        unsigned n_phases;
        double in, imax;
    } rows[] = {
        {"SM402D", "401", 1, 5, 100}, {"ST402D", "403", 3, 5, 100}, {"ST402C", "404", 3, 5, 6}};
    for (size_t i = 0; i < 3; i++) {
        struct rig *r = claim_meter(rows[i].model, 0);
        struct claim_load l = claim_load(r, 1, 0);
        for (unsigned p = 0; p < claim_phases(r); p++)
            l.i[p] = rows[i].imax;
        claim_feed(r, &l, 4, 3200);
        assert_int_equal(claim_phases(r), rows[i].n_phases);
        assert_true(rig_connect(r, METER_SAP_READER));
        assert_true(names_model(r, rows[i].type));
        claim_near("In", claim_get(r, "1-0:0.6.1.255", COSEM_UNIT_A), rows[i].in, 1e-9);
        claim_near("Imax", claim_get(r, "1-0:0.6.3.255", COSEM_UNIT_A), rows[i].imax, 1e-9);
        assert_int_equal(claim_lacks(r, 3, "1-0:52.7.0.255"), rows[i].n_phases == 1);
        assert_int_equal(claim_lacks(r, 3, "1-0:71.7.0.255"), rows[i].n_phases == 1);
        rig_release(r);
        check(r, &l, U | I);
        rig_free(r);
    }
}

/* ---- starting and no load ---- */

struct start {
    const char *model;
    double i_min; /* A; 0: none printed */
    double i_active, i_reactive;
};

static double total(struct rig *r, unsigned c1, unsigned c2)
{
    assert_true(rig_connect(r, METER_SAP_READER));
    double sum = claim_get_of(r, c1, 8, 0, claim_unit(c1, true)) +
                 claim_get_of(r, c2, 8, 0, claim_unit(c1, true));
    rig_release(r);
    return sum;
}

static struct claim_load steady(const struct rig *r, double i, double lag)
{
    struct claim_load l = claim_load(r, 0, lag);
    for (unsigned p = 0; p < claim_phases(r); p++) {
        l.u[p] = r->config.model->un_mv * 1e-3;
        l.i[p] = i;
        l.lag[p] = lag;
    }
    return l;
}

/* Counts this current from the first seconds and goes on: 20 s, then 3 h, within `part`. */
static void starts(const struct start *s, double i, double lag, double part)
{
    struct rig *r = claim_meter(s->model, 0);
    struct claim_load l = steady(r, i, lag);
    unsigned c = fabs(sin(lag * RADIAN)) > 0.5 ? 3 : 1;
    struct claim_book book = {0};
    struct legal_energies early;
    claim_feed(r, &l, 20, 1600);
    claim_count(&book, &l, claim_phases(r), 20);
    legal_energies_get(&r->meter.legal, &early); /* below one unit of the register */
    double wh = (double)(early.total[LEGAL_A_IMPORT] + early.total[LEGAL_A_EXPORT]) * 1e-6;
    if (c == 3)
        wh = (double)(early.total[LEGAL_R_QI] + early.total[LEGAL_R_QII] +
                      early.total[LEGAL_R_QIII] + early.total[LEGAL_R_QIV]) *
             1e-6;
    double want = claim_energy(&book.of[0], c) + claim_energy(&book.of[0], c + 1);
    claim_near("energy of the first 20 s", wh, want, part * want);
    claim_live(r, &l, 3 * 3600);
    claim_count(&book, &l, claim_phases(r), 3 * 3600);
    want = claim_energy(&book.of[0], c) + claim_energy(&book.of[0], c + 1);
    claim_near("energy of 3 h", total(r, c, c + 1), want,
               part * want + 2 * pow(10, r->config.model->energy_scaler));
    rig_free(r);
}

/* 1.15 Un, current circuits open: 10 s of samples and a day; then a third of the starting current.
 */
static void counts_nothing(const struct start *s)
{
    struct rig *r = claim_meter(s->model, 0);
    struct legal_snapshot b;
    for (unsigned k = 0; k < 2; k++) {
        struct claim_load l = steady(r, k == 0 ? 0 : s->i_active / 3, 0);
        for (unsigned p = 0; p < claim_phases(r) && k == 0; p++)
            l.u[p] *= 1.15;
        claim_feed(r, &l, 10, 1600);
        claim_live(r, &l, 86400);
        l.lag[0] = l.lag[1] = l.lag[2] = 90;
        claim_feed(r, &l, 10, 1600);
        claim_live(r, &l, 3600);
    }
    legal_snapshot_get(&r->meter.legal, &b);
    assert_int_equal(b.pulses_active + b.pulses_reactive, 0);
    assert_true(total(r, 1, 2) + total(r, 3, 4) + total(r, 9, 10) == 0);
    rig_free(r);
}

/* A tenth of the reading at the starting current, half the class at the minimum current: the
 * simulated front end has no errors of its own, this is arithmetic on few counts. */
static void start_holds(const struct start *s)
{
    static const double active[] = {0, 180}, reactive[] = {90, -90};
    for (size_t k = 0; k < 2; k++) {
        starts(s, s->i_active, active[k], 0.1);
        starts(s, s->i_reactive, reactive[k], 0.1);
        if (s->i_min > 0)
            starts(s, s->i_min, active[k], 0.005);
    }
    counts_nothing(s);
}

static void claim_MT371_START(void **state)
{
    (void)state;
    start_holds(&(struct start){"MT371", 0.05 * 5, 0.004 * 5, 0.005 * 5});
}

static void claim_SM307_START(void **state)
{
    (void)state;
    start_holds(&(struct start){"SM307", 0, 0.001 * 1, 0.004 * 1});
}

static void claim_AD1X_START(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        start_holds(&(struct start){ad1x[i], 0.05 * 5, 0.004 * 5, 0.005 * 5});
}

/* ---- averages over day and month ---- */

/* An hour's load for a number of hours; adds W h of import and export. */
static void spend(struct rig *r, const struct claim_load *l, unsigned hours, double wh[2])
{
    double p = 0;
    for (unsigned k = 0; k < claim_phases(r); k++)
        p += phase_power(l, k, false);
    wh[p < 0] += fabs(p) * hours;
    claim_live(r, l, hours * INT64_C(3600));
}

/* D 15: last day, 25: last month, of P+ and P-. */
static void averages_are(struct rig *r, unsigned d, const double wh[2], double hours)
{
    char obis[24];
    assert_true(rig_connect(r, METER_SAP_READER_HLS));
    for (unsigned k = 0; k < 2; k++) {
        snprintf(obis, sizeof obis, "1-0:%u.%u.0.255", k + 1, d);
        claim_near(obis, claim_get(r, obis, COSEM_UNIT_W), wh[k] / hours,
                   0.0005 * (wh[0] + wh[1]) / hours + 0.1);
    }
    rig_release(r);
}

/* From the local midnight before the last two days of January: two days, then all of February. */
static void claim_AD1X_AVERAGE(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig *r = claim_meter_at(ad1x[i], 0, "2026-01-29T23:00:00");
        struct claim_load in = claim_load(r, 0.3, 30), out = claim_load(r, 0.2, 150);
        double first[2] = {0}, second[2] = {0}, month[2] = {0}, last[2] = {0};
        spend(r, &in, 10, first);
        spend(r, &out, 14, first);
        averages_are(r, 15, first, 24);
        spend(r, &in, 23, second);
        averages_are(r, 15, first, 24); /* until the day is over */
        spend(r, &in, 1, second);
        averages_are(r, 15, second, 24);
        for (unsigned k = 0; k < 2; k++)
            month[k] = first[k] + second[k];
        averages_are(r, 25, month, 48);
        memset(month, 0, sizeof month);
        spend(r, &out, 9 * 24, month);
        spend(r, &in, 18 * 24 + 12, month);
        spend(r, &in, 12, last);
        for (unsigned k = 0; k < 2; k++)
            month[k] += last[k];
        averages_are(r, 25, month, 28 * 24);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claim_MT371_PQ_INSTANT),  cmocka_unit_test(claim_SX402_INSTANT),
        cmocka_unit_test(claim_SX402_MODELS),      cmocka_unit_test(claim_SM307_INSTANT),
        cmocka_unit_test(claim_SM307_POWERS),      cmocka_unit_test(claim_SM307_FREQUENCY),
        cmocka_unit_test(claim_AD1X_PQ_FREQUENCY), cmocka_unit_test(claim_AD1X_PQ_ANGLES),
        cmocka_unit_test(claim_AD1X_PQ_THD),       cmocka_unit_test(claim_MT371_START),
        cmocka_unit_test(claim_SM307_START),       cmocka_unit_test(claim_AD1X_START),
        cmocka_unit_test(claim_AD1X_AVERAGE),
    };
    return cmocka_run_group_tests_name("claims_instant", tests, NULL, NULL);
}
