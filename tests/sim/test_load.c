/* Load models: plausible days, weeks and seasons, the same for the same seed, and one energy
 * whichever level counts it. */
#include "firmware/legal/legal_state.h"
#include "lib/base/civil.h"
#include "sim/load.h"
#include "sim/source.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY_S 86400

static const struct load_rating direct = {.n_phases = 3, .u = 230, .hz = 50, .i_n = 5, .i_max = 85};

static int64_t utc(int32_t year, uint8_t month, uint8_t day, uint8_t hour)
{
    const struct civil c = {.year = year, .month = month, .day = day, .hour = hour};
    return civil_to_seconds(&c);
}

static void open_rated(struct load *l, const char *words, uint64_t seed,
                       const struct load_rating *r)
{
    struct load_spec spec;
    const struct fault f = {NULL, 0};
    assert_int_equal(load_parse(words, &spec, &f), ERR_OK);
    spec.rating = *r;
    spec.seed = seed;
    load_init(l, &spec);
}

static void open_load(struct load *l, const char *words, uint64_t seed)
{
    open_rated(l, words, seed, &direct);
}

/* Active power of the fundamental, all phases. */
static double power(struct load *l, int64_t at)
{
    const struct load_state *s = load_at(l, at);
    double w = 0;
    for (unsigned p = 0; p < l->spec.rating.n_phases; p++)
        w += s->u[p][0].re * s->i[p][0].re;
    return w;
}

/* kWh of import from `from` over so many hours; export, where wanted, beside it. */
static double energy(struct load *l, int64_t from, unsigned hours, double *exported)
{
    double in = 0, out = 0;
    for (unsigned m = 0; m < hours * 60; m++) {
        double kwh = power(l, from + m * 60) / 60000;
        *(kwh > 0 ? &in : &out) += fabs(kwh);
    }
    if (exported != NULL)
        *exported = out;
    return in;
}

/* ---- days ---- */

static void household_has_plausible_days_when_a_month_is_lived(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct load l;
        double sum = 0, night = 0, evening = 0;
        open_load(&l, "household", seed);
        for (unsigned d = 0; d < 28; d++) {
            int64_t midnight = utc(2026, 10, 26, 23) + d * DAY_S; /* 0:00 of Central Europe */
            double kwh = energy(&l, midnight, 24, NULL);
            assert_true(kwh > 4 && kwh < 25);
            sum += kwh;
            night += energy(&l, midnight + 2 * 3600, 2, NULL);
            evening += energy(&l, midnight + 18 * 3600, 2, NULL);
        }
        assert_true(sum / 28 > 6 && sum / 28 < 14);
        assert_true(evening > 2.5 * night);
    }
}

static void household_differs_when_it_is_weekend(void **state)
{
    (void)state;
    struct load l;
    double early = 0, late = 0;
    open_load(&l, "household", 1);
    for (unsigned week = 0; week < 8; week++) { /* 6 to 7 o'clock local */
        early += energy(&l, utc(2026, 11, 4, 5) + week * 7 * DAY_S, 1, NULL);
        late += energy(&l, utc(2026, 11, 8, 5) + week * 7 * DAY_S, 1, NULL);
    }
    assert_true(early > 1.5 * late);
}

static void household_follows_the_cold_when_it_has_a_heat_pump(void **state)
{
    (void)state;
    struct load bare, heated;
    open_load(&bare, "household", 3);
    open_load(&heated, "household,heatpump=4", 3);
    double winter = energy(&heated, utc(2026, 1, 12, 0), 168, NULL);
    double summer = energy(&heated, utc(2026, 7, 13, 0), 168, NULL);
    assert_true(winter - energy(&bare, utc(2026, 1, 12, 0), 168, NULL) > 150);
    assert_true(summer - energy(&bare, utc(2026, 7, 13, 0), 168, NULL) < 60);
}

static void car_charges_on_some_evenings_only(void **state)
{
    (void)state;
    struct load l, bare;
    unsigned n = 0;
    open_load(&l, "household,ev=11", 3);
    open_load(&bare, "household", 3);
    for (unsigned d = 0; d < 28; d++) {
        int64_t midnight = utc(2026, 10, 26, 23) + d * DAY_S;
        double more = energy(&l, midnight, 24, NULL) - energy(&bare, midnight, 24, NULL);
        assert_true(fabs(more) < 0.1 || (more > 10 && more < 42));
        n += more > 10;
    }
    assert_in_range(n, 5, 22);
}

static void shop_is_closed_when_it_is_sunday_and_opens_by_local_time(void **state)
{
    (void)state;
    struct load l;
    open_load(&l, "shop", 2);
    double wednesday = energy(&l, utc(2026, 11, 17, 23), 24, NULL);
    double sunday = energy(&l, utc(2026, 11, 21, 23), 24, NULL);
    assert_true(sunday < 0.55 * wednesday && sunday > 0.15 * wednesday);
    /* 6:50 UTC is ten to eight before summer time, ten to nine in it: not open, open */
    double friday = power(&l, utc(2026, 3, 27, 6)), monday = power(&l, utc(2026, 3, 30, 6));
    assert_true(monday > friday + 3000);
}

static void substation_has_two_humps_and_an_unbalance(void **state)
{
    (void)state;
    const struct load_rating r = {.n_phases = 3, .u = 230, .hz = 50, .i_n = 400, .i_max = 480};
    struct load l;
    double hour[24], uneven = 0, most = 0;
    bool capacitive = false, inductive = false;
    open_rated(&l, "substation", 6, &r);
    for (unsigned h = 0; h < 24; h++) {
        int64_t at = utc(2026, 11, 17, 23) + h * 3600;
        hour[h] = energy(&l, at, 1, NULL);
        const struct load_state *s = load_at(&l, at);
        uneven = fmax(uneven, s->i[0][0].re / s->i[2][0].re);
        most = fmax(most, hypot(s->i[0][0].re, s->i[0][0].im));
        capacitive = capacitive || s->i[1][0].im > 0;
        inductive = inductive || s->i[1][0].im < 0;
    }
    assert_true(hour[8] > hour[3] * 1.4 && hour[19] > hour[14] * 1.2 && hour[8] > hour[14]);
    assert_true(uneven > 1.05 && most > 0.6 * r.i_n && most < r.i_n);
    assert_true(capacitive && inductive);
    assert_true(energy(&l, utc(2026, 11, 21, 23), 24, NULL) <
                0.97 * energy(&l, utc(2026, 11, 17, 23), 24, NULL));
    for (unsigned h = 1; h < 24; h++) /* many consumers: no leaps */
        assert_true(fabs(hour[h] - hour[h - 1]) < 0.25 * hour[19]);
}

static void workshop_rests_when_the_shifts_are_over(void **state)
{
    (void)state;
    struct load l;
    open_load(&l, "workshop", 7);
    double shift = energy(&l, utc(2026, 11, 18, 6), 2, NULL); /* 7 to 9 local */
    assert_true(shift > 5 * energy(&l, utc(2026, 11, 18, 23), 2, NULL));
    assert_true(shift > 5 * energy(&l, utc(2026, 11, 22, 6), 2, NULL)); /* Sunday */
}

/* ---- the roof ---- */

static void roof_exports_by_day_and_never_by_night(void **state)
{
    (void)state;
    struct load l;
    unsigned noons = 0;
    open_load(&l, "pv,kwp=8", 5);
    for (unsigned d = 0; d < 35; d++) {
        double exported, night;
        (void)energy(&l, utc(2026, 10, 17, 10) + d * DAY_S, 2, &exported);
        noons += exported > 0.5;
        (void)energy(&l, utc(2026, 10, 17, 19) + d * DAY_S, 8, &night);
        assert_true(night == 0);
        assert_true(exported < 2 * 8);
    }
    assert_in_range(noons, 15, 35);
}

static void roof_gives_less_when_the_sun_is_low(void **state)
{
    (void)state;
    struct load l, north;
    double june, december, up_north;
    open_load(&l, "pv", 5);
    open_load(&north, "pv,lat=65", 5);
    (void)energy(&l, utc(2026, 6, 8, 0), 14 * 24, &june);
    (void)energy(&l, utc(2026, 12, 7, 0), 14 * 24, &december);
    (void)energy(&north, utc(2026, 12, 7, 0), 14 * 24, &up_north);
    assert_true(june > 2 * december && december > 4 * up_north);
    assert_true(june / 14 > 15 && june / 14 < 55); /* kWh a day of 8 kW */
}

static void nobody_exports_but_the_roof(void **state)
{
    (void)state;
    static const char *const loads[] = {"household,heatpump=4", "shop", "substation", "workshop"};
    for (size_t k = 0; k < sizeof loads / sizeof loads[0]; k++) {
        struct load l;
        open_load(&l, loads[k], k);
        for (unsigned m = 0; m < 14 * 1440; m++) {
            const struct load_state *s = load_at(&l, utc(2026, 6, 1, 0) + m * 60);
            for (unsigned p = 0; p < 3; p++)
                assert_true(s->i[p][0].re > 0);
        }
    }
}

/* ---- waveform ---- */

/* Harmonic k over the fundamental on phase 1, in the mean over a day. */
static double share(struct load *l, unsigned k)
{
    double sum = 0;
    for (unsigned m = 0; m < 1440; m++) {
        const struct load_phasor *i = load_at(l, utc(2026, 11, 18, 0) + m * 60)->i[0];
        sum += hypot(i[k].re, i[k].im) / hypot(i[0].re, i[0].im);
    }
    return sum / 1440;
}

static void harmonics_are_those_of_the_load(void **state)
{
    (void)state;
    struct load l;
    open_load(&l, "household", 1);
    assert_true(share(&l, 1) > 0.1 && share(&l, 1) > share(&l, 2) && share(&l, 2) > share(&l, 3));
    open_load(&l, "workshop", 1);
    assert_true(share(&l, 2) > 0.05 && share(&l, 2) > share(&l, 3) && share(&l, 3) > 0.02);
    open_load(&l, "substation", 1);
    assert_true(share(&l, 1) > 0.01 && share(&l, 1) < 0.1 && share(&l, 2) > 0.01);
    const struct load_phasor *u = load_at(&l, utc(2026, 11, 18, 12))->u[0];
    double fifth = hypot(u[2].re, u[2].im) / u[0].re;
    assert_true(fifth > 0.005 && fifth < 0.03);
}

static void voltage_and_frequency_stay_within_the_norm(void **state)
{
    (void)state;
    struct load l;
    double low = 1e9, high = 0;
    open_load(&l, "household,heatpump=4,ev=11", 1);
    for (unsigned m = 0; m < 7 * 1440; m++) {
        const struct load_state *s = load_at(&l, utc(2026, 11, 9, 0) + m * 60);
        low = fmin(low, s->u[0][0].re);
        high = fmax(high, s->u[0][0].re);
        assert_true(fabs(s->hz - 50) < 0.05);
    }
    assert_true(low > 0.95 * 230 && high < 1.05 * 230 && high - low > 2);
}

static void current_ends_at_what_the_meter_is_made_for(void **state)
{
    (void)state;
    struct load l;
    open_load(&l, "shop,scale=1000", 1);
    const struct load_phasor *i = load_at(&l, utc(2026, 11, 18, 12))->i[0];
    double sum = 0;
    for (unsigned k = 0; k < LOAD_ORDERS; k++)
        sum += hypot(i[k].re, i[k].im);
    assert_true(fabs(sum - (direct.i_max)) < 1e-6);
}

/* ---- chance ---- */

static void load_is_the_same_for_a_seed_in_any_order(void **state)
{
    (void)state;
    static const char *const loads[] = {"household,ev=11,heatpump=3", "shop", "pv", "substation",
                                        "workshop"};
    uint32_t place = 1;
    for (size_t k = 0; k < sizeof loads / sizeof loads[0]; k++) {
        struct load forward, jumping, other;
        bool differs = false;
        static struct load_state states[3000];
        int64_t begin = utc(2026, 10, 24, 12); /* the clocks change that night */
        open_load(&forward, loads[k], 9);
        open_load(&jumping, loads[k], 9);
        open_load(&other, loads[k], 10);
        for (unsigned m = 0; m < 3000; m++)
            states[m] = *load_at(&forward, begin + m * 60 + 59);
        for (unsigned n = 0; n < 3000; n++) {
            place = place * 1664525u + 1013904223u;
            unsigned m = (place >> 8) % 3000;
            int64_t at = begin + m * 60 + place % 60;
            assert_memory_equal(load_at(&jumping, at), &states[m], sizeof states[m]);
            differs = differs || memcmp(load_at(&other, at), &states[m], sizeof states[m]) != 0;
        }
        assert_true(differs);
    }
}

static void ripple_has_no_mean_and_the_square_that_is_said(void **state)
{
    (void)state;
    struct load l;
    open_load(&l, "household", 1);
    for (unsigned p = 0; p < 3; p++) {
        double u, i, sums[5] = {0};
        for (int64_t s = 0; s < 60; s++) {
            load_ripple(&l, utc(2026, 11, 18, 12) + s, p, &u, &i);
            sums[0] += u / 60;
            sums[1] += i / 60;
            sums[2] += u * u / 60;
            sums[3] += i * i / 60;
            sums[4] += u * i / 60;
        }
        assert_true(fabs(sums[0] - (1)) < 1e-12);
        assert_true(fabs(sums[1] - (1)) < 1e-12);
        assert_true(fabs(sums[2] - (1 + LOAD_RIPPLE_U)) < 1e-12);
        assert_true(fabs(sums[3] - (1 + LOAD_RIPPLE_I)) < 1e-12);
        assert_true(fabs(sums[4] - (1)) < 1e-12);
    }
}

/* ---- the two levels ---- */

struct counted {
    struct legal_energies e;
    double neutral_a;
};

static struct source *open_source(const char *spec, const struct load_rating *r, struct legal *l,
                                  const struct source_options *more)
{
    struct source *s;
    struct source_info info;
    char why[512];
    struct source_options o = *more;
    o.rating = r;
    o.seed = 4;
    if (source_open(&s, spec, &o, why, sizeof why) != ERR_OK)
        fail_msg("%s: %s", spec, why);
    source_info_get(s, &info);
    struct legal_config c = {.n_phases = (uint8_t)r->n_phases,
                             .wiring = r->n_phases == 1 ? LEGAL_1P2W : LEGAL_3P4W,
                             .f_nominal_mhz = 50000,
                             .un_mv = (uint32_t)(r->u * 1000),
                             .i_start_ua = 5000,
                             .pulse_per_kwh = 1000};
    for (int p = 0; p < LEGAL_N_PHASES; p++) {
        c.u_lsb_fv[p] = info.u_lsb_fv;
        c.i_lsb_fa[p] = info.i_lsb_fa;
    }
    assert_int_equal(legal_init(l, &c), ERR_OK);
    return s;
}

static struct counted result(struct legal *l, struct source *s)
{
    struct counted out;
    struct legal_values v;
    legal_values_get(l, &v);
    out.neutral_a = v.in_ua * 1e-6;
    legal_flush(l);
    legal_energies_get(l, &out.e);
    source_close(s);
    return out;
}

static struct counted by_samples(const char *spec, const struct load_rating *r, int64_t at,
                                 unsigned min)
{
    static struct legal l;
    const struct source_options none = {0};
    struct source *s = open_source(spec, r, &l, &none);
    struct afe_block b;
    source_clock(s, at * 1000000000);
    for (double t = 0; t < min * 60.0 - 1e-9; t += b.n * 1e6 / (double)b.rate_uhz) {
        assert_true(source_next(s, 1000, &b));
        assert_int_equal(legal_feed(&l, &b), ERR_OK);
    }
    return result(&l, s);
}

static struct counted by_windows(const char *spec, const struct load_rating *r, int64_t at,
                                 unsigned min)
{
    static struct legal l;
    const struct source_options none = {0};
    struct source *s = open_source(spec, r, &l, &none);
    struct legal_window w;
    for (unsigned m = 0; m < min; m++) {
        source_clock(s, (at + m * 60) * 1000000000);
        assert_int_equal(source_window(s, 60, &w), ERR_OK);
        assert_int_equal(legal_feed_window(&l, &w), ERR_OK);
    }
    return result(&l, s);
}

/* Energies of two levels, each against the whole of its kind (active, reactive, apparent): the
 * share of a quadrant that is hardly touched is no measure. */
static double disagreement(const struct legal_energies *a, const struct legal_energies *b)
{
    static const unsigned kind[LEGAL_N_ENERGIES] = {0, 0, 1, 1, 1, 1, 2, 2};
    double whole[3] = {0}, worst = 0;
    for (unsigned k = 0; k < LEGAL_N_ENERGIES; k++)
        whole[kind[k]] += (double)a->total[k];
    for (unsigned k = 0; k < LEGAL_N_ENERGIES; k++) {
        double off = fabs((double)a->total[k] - (double)b->total[k]) / whole[kind[k]];
        worst = fmax(worst, off);
    }
    return worst;
}

static void check_levels(const char *spec, const struct load_rating *r, int64_t at, unsigned min)
{
    struct counted a = by_samples(spec, r, at, min), b = by_windows(spec, r, at, min);
    double off = disagreement(&a.e, &b.e);
    print_message("%s: %u min, %.1f Wh, levels agree to %.5f %%\n", spec, min,
                  (double)a.e.total[LEGAL_A_IMPORT] / LEGAL_ENERGY_PER_WH, off * 100);
    assert_true(a.e.total[LEGAL_A_IMPORT] + a.e.total[LEGAL_A_EXPORT] > LEGAL_ENERGY_PER_WH);
    assert_true(off < 0.001);
    if (r->n_phases == 3)
        assert_true(fabs(a.neutral_a - b.neutral_a) < 0.06 * a.neutral_a + 0.02);
}

static void levels_count_the_same_for_an_hour_of_a_household(void **state)
{
    (void)state;
    check_levels("load:household,rate=1000", &direct, utc(2026, 11, 18, 17), 60);
}

static void levels_count_the_same_for_every_load(void **state)
{
    (void)state;
    const struct load_rating single = {.n_phases = 1, .u = 230, .hz = 50, .i_n = 5, .i_max = 100};
    const struct load_rating feeder = {.n_phases = 3, .u = 230, .hz = 50, .i_n = 5, .i_max = 6};
    check_levels("load:household,rate=1000,heatpump=3", &single, utc(2026, 11, 18, 17), 4);
    check_levels("load:shop,rate=1000", &direct, utc(2026, 11, 18, 9), 4);
    check_levels("load:pv,rate=1000", &direct, utc(2026, 6, 10, 10), 4);
    check_levels("load:substation,rate=1000", &feeder, utc(2026, 11, 18, 2), 4);
    check_levels("load:workshop,rate=1000", &direct, utc(2026, 11, 18, 9), 4);
    check_levels("load:household,rate=4000", &direct, utc(2026, 11, 18, 17), 2);
}

static void window_counts_each_minute_by_its_share(void **state)
{
    (void)state;
    static struct legal l;
    const struct source_options none = {0};
    struct legal_window whole, part[2];
    int64_t at = utc(2026, 11, 18, 17) * 1000000000;
    struct source *s = open_source("load:workshop", &direct, &l, &none);
    source_clock(s, at + INT64_C(17250000000));
    assert_int_equal(source_window(s, 60, &whole), ERR_OK);
    source_clock(s, at + INT64_C(17250000000));
    assert_int_equal(source_window(s, 42.75, &part[0]), ERR_OK);
    assert_int_equal(source_window(s, 17.25, &part[1]), ERR_OK);
    assert_true(part[0].phase[0].ui != 0 && part[1].phase[0].ui != 0);
    for (unsigned p = 0; p < 3; p++) {
        int64_t sum = part[0].phase[p].ui + part[1].phase[p].ui;
        assert_in_range(sum - whole.phase[p].ui + 4, 0, 8);
        sum = part[0].phase[p].ii + part[1].phase[p].ii;
        assert_in_range(sum - whole.phase[p].ii + 4, 0, 8);
    }
    assert_int_equal(part[0].n_q16 + part[1].n_q16, whole.n_q16);
    source_close(s);
}

static void load_lives_on_the_primary_side_of_transformers(void **state)
{
    (void)state;
    static struct legal l;
    const struct load_rating r = {.n_phases = 3, .u = 110, .hz = 50, .i_n = 1, .i_max = 10};
    const struct source_options through = {.ct = 100, .vt = 105};
    struct source *s = open_source("load:substation", &r, &l, &through);
    struct source_info info;
    struct legal_window w;
    source_info_get(s, &info);
    source_clock(s, utc(2026, 11, 18, 18) * 1000000000);
    assert_int_equal(source_window(s, 60, &w), ERR_OK);
    double n = (double)w.n_q16 / 65536;
    double u = sqrt((double)w.phase[0].uu / n) * (double)info.u_lsb_fv * 1e-15;
    double i = sqrt((double)w.phase[0].ii / n) * (double)info.i_lsb_fa * 1e-15;
    assert_true(u > 104 && u < 116); /* of 11.5 kV */
    assert_true(i > 0.5 && i < 0.95);
    source_close(s);
}

static void load_refuses_words_it_does_not_know(void **state)
{
    (void)state;
    static const struct {
        const char *words, *why;
    } bad[] = {{"", "is no load"},
               {"castle", "is no load"},
               {"pv,kwp", "no number"},
               {"pv,kwp=much", "no number"},
               {"pv,lat=91", "out of range"},
               {"shop,rate=10", "out of range"},
               {"shop,open=9", "no known key"}};
    for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
        struct load_spec spec;
        char why[200] = "";
        const struct fault f = {why, sizeof why};
        assert_int_equal(load_parse(bad[k].words, &spec, &f), ERR_RANGE);
        if (strstr(why, bad[k].why) == NULL)
            fail_msg("'%s': %s", bad[k].words, why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(household_has_plausible_days_when_a_month_is_lived),
        cmocka_unit_test(household_differs_when_it_is_weekend),
        cmocka_unit_test(household_follows_the_cold_when_it_has_a_heat_pump),
        cmocka_unit_test(car_charges_on_some_evenings_only),
        cmocka_unit_test(shop_is_closed_when_it_is_sunday_and_opens_by_local_time),
        cmocka_unit_test(substation_has_two_humps_and_an_unbalance),
        cmocka_unit_test(workshop_rests_when_the_shifts_are_over),
        cmocka_unit_test(roof_exports_by_day_and_never_by_night),
        cmocka_unit_test(roof_gives_less_when_the_sun_is_low),
        cmocka_unit_test(nobody_exports_but_the_roof),
        cmocka_unit_test(harmonics_are_those_of_the_load),
        cmocka_unit_test(voltage_and_frequency_stay_within_the_norm),
        cmocka_unit_test(current_ends_at_what_the_meter_is_made_for),
        cmocka_unit_test(load_is_the_same_for_a_seed_in_any_order),
        cmocka_unit_test(ripple_has_no_mean_and_the_square_that_is_said),
        cmocka_unit_test(levels_count_the_same_for_an_hour_of_a_household),
        cmocka_unit_test(levels_count_the_same_for_every_load),
        cmocka_unit_test(window_counts_each_minute_by_its_share),
        cmocka_unit_test(load_lives_on_the_primary_side_of_transformers),
        cmocka_unit_test(load_refuses_words_it_does_not_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
