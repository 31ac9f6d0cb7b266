/* Conservation to the last unit: books kept in another way agree with the registers, over random
 * loads in all quadrants, random rates, every policy of the total, and power cuts.
 *
 * The other books: whole numbers of 128 bits, one running sum of 2^-32 units for each register,
 * taken straight from the sums of the windows (load.h: a quarter unit each). Registers, rests,
 * rates, losses and pulses must be what these sums say, after every window and every cut.
 *
 * A cut with warning is legal_flush() and a snapshot; one without finds the snapshot of the minute
 * before. `full`: 30 days with 1000 cuts at each policy, and an hour of samples with 200; else a
 * tenth of the days, and a piece of the hour. */
#include "tests/firmware/legal/load.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_RATES  5
#define K_ACTIVE 12345
#define K_REACT  800
#define R_CU_OHM 2
#define R_FE_OHM 1024
#define X_M_OHM  4096

static struct legal meter;
static bool full;

/* --- the other books ------------------------------------------------------------------------ */

struct books {
    load_exact total[LEGAL_N_ENERGIES];
    load_exact phase[LEGAL_N_PHASES][LEGAL_N_ENERGIES];
    load_exact loss[LEGAL_N_LOSSES];
    uint64_t rate[N_RATES][LEGAL_N_ENERGIES];
    unsigned in_force;
};

static struct legal_config config_of(enum legal_sum sum)
{
    struct legal_config c = load_config();
    c.sum = sum;
    c.n_rates = N_RATES;
    c.pulse_per_kwh = K_ACTIVE;
    c.pulse_per_kvarh = K_REACT;
    c.loss = (struct legal_loss_config){.r_cu_uohm = R_CU_OHM * 1000000,
                                        .x_s_uohm = 500000,
                                        .r_fe_ohm = R_FE_OHM,
                                        .x_m_ohm = X_M_OHM};
    return c;
}

static load_exact absolute(load_exact x)
{
    return x < 0 ? -x : x;
}

static load_exact nearest(load_exact x, load_exact d) /* halves away from zero */
{
    return x < 0 ? -((-x + d / 2) / d) : (x + d / 2) / d;
}

static load_exact root(load_exact square)
{
    load_exact r = (load_exact)sqrtl((long double)square);
    while (r * r > square)
        r--;
    while ((r + 1) * (r + 1) <= square)
        r++;
    return r;
}

static void book(load_exact reg[LEGAL_N_ENERGIES], load_exact p, load_exact q, load_exact s,
                 bool export)
{
    static const enum legal_energy quadrant[2][2] = {{LEGAL_R_QI, LEGAL_R_QIV},
                                                     {LEGAL_R_QII, LEGAL_R_QIII}};
    reg[export ? LEGAL_A_EXPORT : LEGAL_A_IMPORT] += absolute(p);
    reg[export ? LEGAL_S_EXPORT : LEGAL_S_IMPORT] += s;
    reg[quadrant[export][q < 0]] += absolute(q);
}

static void books_add(struct books *b, enum legal_sum rule, const struct legal_window *w)
{
    load_exact sum[3] = {0}, i2 = 0, u2 = 0, old[LEGAL_N_ENERGIES];
    memcpy(old, b->total, sizeof old);
    for (unsigned k = 0; k < LEGAL_N_PHASES; k++) {
        const struct legal_window_phase *x = &w->phase[k];
        load_exact cross = (load_exact)x->u_re * x->i_im - (load_exact)x->u_im * x->i_re;
        load_exact p = LOAD_PER_SUM * (load_exact)x->ui;
        load_exact q = LOAD_PER_SUM * nearest(cross * 131072, (load_exact)w->n_q16);
        load_exact s = root((load_exact)x->uu * x->ii);
        s = LOAD_PER_SUM * (s < absolute(x->ui) ? absolute(x->ui) : s);
        book(b->phase[k], p, q, s, p < 0);
        if (rule == LEGAL_SUM_PER_PHASE)
            book(b->total, p, q, s, p < 0);
        else if (rule == LEGAL_SUM_ABSOLUTE)
            book(b->total, p, p < 0 ? -q : q, s, false);
        sum[0] += p;
        sum[1] += q;
        sum[2] += s;
        i2 += LOAD_PER_SUM * (load_exact)x->ii;
        u2 += LOAD_PER_SUM * (load_exact)x->uu;
    }
    bool export = rule != LEGAL_SUM_ABSOLUTE && sum[0] < 0;
    if (rule == LEGAL_SUM_VECTOR)
        book(b->total, sum[0], sum[1], sum[2], export);
    b->loss[LEGAL_OLA_IMPORT + export] += R_CU_OHM * i2;
    b->loss[LEGAL_OLR_IMPORT + export] += nearest(i2, 2);
    b->loss[LEGAL_NLA_IMPORT + export] += nearest(u2, R_FE_OHM);
    b->loss[LEGAL_NLR_IMPORT + export] += nearest(u2, X_M_OHM);
    b->loss[LEGAL_I2T] += i2;
    b->loss[LEGAL_U2T] += u2;
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        b->rate[b->in_force][e] += (uint64_t)(b->total[e] >> 32) - (uint64_t)(old[e] >> 32);
}

static void same(const char *what, unsigned k, load_exact want, load_exact got)
{
    if (want != got)
        fail_msg("%s %u: %+lld of 2^-32 units too much", what, k, (long long)(got - want));
}

static load_exact exact(uint64_t unit, uint32_t rest)
{
    return ((load_exact)unit << 32) + rest;
}

static void rates_are_the_total(const struct legal_snapshot *s)
{
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++) {
        uint64_t sum = 0;
        for (unsigned r = 0; r < LEGAL_N_RATES; r++)
            sum += s->energy.rate[r][e];
        assert_true(sum == s->energy.total[e]);
    }
}

static void pulses_are_the_energy(const struct legal_snapshot *s)
{
    load_exact active = load_sum(s, LEGAL_A_IMPORT, LEGAL_A_EXPORT);
    load_exact reactive = load_sum(s, LEGAL_R_QI, LEGAL_R_QIV);
    assert_true(s->pulses_active == load_pulses(active, K_ACTIVE));
    assert_true(s->pulses_reactive == load_pulses(reactive, K_REACT));
}

/* Net of a kind over one set of registers, 2^-32 units. */
static load_exact net(const uint64_t *unit, const uint32_t *rest, const int sign[LEGAL_N_ENERGIES])
{
    load_exact sum = 0;
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        sum += sign[e] * exact(unit[e], rest[e]);
    return sum;
}

/* What total and phases have to do with each other under a policy. */
static void total_is_the_phases(const struct legal_snapshot *s, enum legal_sum rule)
{
    static const int kind[][LEGAL_N_ENERGIES] = {
        {1, -1}, {0, 0, 1, 1, -1, -1}, {0, 0, 0, 0, 0, 0, 1, 1}, {1, 1}, {0, 0, 1, 1, 1, 1}};
    unsigned first = rule == LEGAL_SUM_ABSOLUTE ? 2 : 0; /* S and magnitudes */
    unsigned last = rule == LEGAL_SUM_VECTOR ? 2 : 4;    /* signed sums and S */
    for (unsigned k = first; k <= last; k++) {
        load_exact phases = 0;
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
            phases += net(s->energy.phase[p], s->phase_rest[p], kind[k]);
        assert_true(phases == net(s->energy.total, s->total_rest, kind[k]));
    }
    if (rule == LEGAL_SUM_ABSOLUTE) {
        assert_true(s->energy.total[LEGAL_A_EXPORT] == 0 && s->energy.total[LEGAL_S_EXPORT] == 0);
        assert_true(s->energy.total[LEGAL_R_QII] == 0 && s->energy.total[LEGAL_R_QIII] == 0);
    }
}

static void books_agree(const struct books *b, const struct legal_snapshot *s, enum legal_sum rule)
{
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++) {
        same("total", e, b->total[e], exact(s->energy.total[e], s->total_rest[e]));
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
            same("phase", e, b->phase[p][e], exact(s->energy.phase[p][e], s->phase_rest[p][e]));
        for (unsigned r = 0; r < N_RATES; r++)
            assert_true(b->rate[r][e] == s->energy.rate[r][e]);
    }
    for (unsigned k = 0; k < LEGAL_N_LOSSES; k++)
        same("loss", k, b->loss[k], exact(s->energy.loss[k], s->loss_rest[k]));
    rates_are_the_total(s);
    pulses_are_the_energy(s);
    total_is_the_phases(s, rule);
}

/* --- days of windows ------------------------------------------------------------------------ */

struct life {
    struct legal_config config;
    struct legal_snapshot stored, read; /* in the store; the last that anybody saw */
    struct books books, kept;           /* as of now, as of `stored` */
    uint64_t random;
    double lost_s, most_lost_s;
    unsigned n_cuts[2];
};

static double uniform(uint64_t *random, double from, double to)
{
    return from + (to - from) * load_random(random) / 4294967296.0;
}

static void random_load(struct life *x, struct load *load)
{
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        load->u[p] = load_random(&x->random) % 50 ? uniform(&x->random, 200, 250) : 0;
        load->i[p] = load_random(&x->random) % 8 ? exp(uniform(&x->random, -4, 4.7)) : 0;
        load->lag[p] = uniform(&x->random, -180, 180);
    }
}

static void none_moved_back(const struct legal_snapshot *before, const struct legal_snapshot *now)
{
    const uint64_t *a = before->energy.total, *b = now->energy.total;
    size_t n = sizeof before->energy / sizeof *a; /* nothing but registers of 64 bits */
    for (size_t k = 0; k < n; k++)
        if (b[k] < a[k])
            fail_msg("register %zu moved back", k);
    assert_true(now->pulses_active >= before->pulses_active);
    assert_true(now->pulses_reactive >= before->pulses_reactive);
}

/* Power goes and comes. Without warning the last window is as if it had never been. */
static void cut(struct life *x, bool warned, double window_s)
{
    struct legal_snapshot now;
    if (warned) {
        legal_flush(&meter);
        legal_snapshot_get(&meter, &x->stored);
        x->kept = x->books;
    }
    assert_int_equal(legal_init(&meter, &x->config), ERR_OK);
    assert_int_equal(legal_snapshot_set(&meter, &x->stored), ERR_OK);
    legal_snapshot_get(&meter, &now);
    assert_memory_equal(&now, &x->stored, sizeof now);
    x->books = x->kept;
    books_agree(&x->books, &now, x->config.sum);
    if (warned)
        none_moved_back(&x->read, &now);
    else
        x->lost_s += window_s;
    if (!warned && window_s > x->most_lost_s)
        x->most_lost_s = window_s;
    x->n_cuts[warned]++;
}

static void live(struct life *x, double seconds, unsigned n_cuts)
{
    double mean_s = 32.5; /* of a window */
    uint32_t per_cut = (uint32_t)(seconds / mean_s / n_cuts);
    struct load load;
    random_load(x, &load);
    while (seconds > 0) {
        double s = uniform(&x->random, 5, 60);
        if (load_random(&x->random) % 10 == 0)
            random_load(x, &load);
        if (load_random(&x->random) % 30 == 0) {
            x->books.in_force = load_random(&x->random) % N_RATES;
            assert_int_equal(legal_rate_set(&meter, (uint8_t)x->books.in_force), ERR_OK);
        }
        struct legal_window w = load_window(&load, load_samples(s));
        assert_int_equal(legal_feed_window(&meter, &w), ERR_OK);
        books_add(&x->books, x->config.sum, &w);
        seconds -= s;
        if (load_random(&x->random) % per_cut == 0) {
            cut(x, load_random(&x->random) % 2, s);
            continue;
        }
        struct legal_snapshot now;
        legal_snapshot_get(&meter, &now);
        books_agree(&x->books, &now, x->config.sum);
        none_moved_back(&x->stored, &now);
        x->stored = x->read = now;
        x->kept = x->books;
    }
}

static void books_agree_for_days(enum legal_sum rule)
{
    static struct life x;
    double days = full ? 30 : 3;
    memset(&x, 0, sizeof x);
    x.random = 7 + rule;
    x.config = config_of(rule);
    assert_int_equal(legal_init(&meter, &x.config), ERR_OK);
    legal_snapshot_get(&meter, &x.stored);
    x.read = x.stored;
    live(&x, days * 86400, (unsigned)(days * 1100 / 30));
    printf("  %.0f days, %u cuts with warning, %u without: %.0f s lost, %.1f s at most\n", days,
           x.n_cuts[1], x.n_cuts[0], x.lost_s, x.most_lost_s);
    assert_true(x.n_cuts[0] + x.n_cuts[1] >= (full ? 1000 : 80));
    assert_true(x.most_lost_s <= 60);
    for (unsigned r = 0; r < N_RATES; r++)
        assert_true(x.books.rate[r][LEGAL_A_IMPORT] > 0);
}

static void vector_sum_is_conserved(void **state)
{
    (void)state;
    books_agree_for_days(LEGAL_SUM_VECTOR);
}

static void sum_per_phase_is_conserved(void **state)
{
    (void)state;
    books_agree_for_days(LEGAL_SUM_PER_PHASE);
}

static void absolute_sum_is_conserved(void **state)
{
    (void)state;
    books_agree_for_days(LEGAL_SUM_ABSOLUTE);
}

/* --- an hour of samples --------------------------------------------------------------------- */

#define RATE   8000
#define PERIOD 160 /* samples of 50 Hz */
#define BLOCK  500
#define MINUTE (60 * RATE / BLOCK) /* blocks */

struct samples {
    int32_t wave[PERIOD * 2];
    int32_t x[AFE_N_CHANNELS][BLOCK];
    uint32_t k; /* place in the wave */
    uint64_t random;
};

static void fill(struct samples *g, const struct load *load)
{
    uint32_t at[6];
    double amplitude[6];
    for (unsigned p = 0; p < 3; p++) {
        at[p] = g->k + PERIOD / 3 * p; /* about 120 degrees */
        at[p + 3] = at[p] + (uint32_t)(PERIOD - lround(load->lag[p] / 360 * PERIOD));
        amplitude[p] = load->u[p] * sqrt(2) / 60e-6 / (1 << 20);
        amplitude[p + 3] = load->i[p] * sqrt(2) / 60e-6 / (1 << 20);
    }
    for (uint32_t n = 0; n < BLOCK; n++)
        for (unsigned c = 0; c < 6; c++)
            g->x[c][n] = (int32_t)(amplitude[c] * g->wave[(at[c] + n) % PERIOD]) +
                         (int32_t)(load_random(&g->random) >> 26) - 32;
    g->k = (g->k + BLOCK) % PERIOD;
}

/* Sum over the phases of u i: 2^-32 units are 4 x 2^30 / 8e9 of it. */
static load_exact feed_block(struct samples *g, const struct load *load)
{
    struct afe_block b = {.rate_uhz = RATE * UINT64_C(1000000), .n = BLOCK, .present = 0x3F};
    int64_t sum = 0;
    fill(g, load);
    for (unsigned c = 0; c < 6; c++)
        b.sample[c] = g->x[c];
    for (uint32_t n = 0; n < BLOCK; n++)
        for (unsigned p = 0; p < 3; p++)
            sum += (int64_t)g->x[p][n] * g->x[p + 3][n];
    assert_int_equal(legal_feed(&meter, &b), ERR_OK);
    return sum;
}

static double net_wh(const struct legal_snapshot *s)
{
    return ((double)s->energy.total[LEGAL_A_IMPORT] - (double)s->energy.total[LEGAL_A_EXPORT]) *
           1e-6;
}

struct hour {
    struct samples source;
    struct life life;
    struct load load;
    load_exact good, since; /* sums of products: in the store, and fed since */
    unsigned since_blocks;
};

static void feed_one(struct hour *h)
{
    struct life *x = &h->life;
    struct legal_snapshot now;
    if (load_random(&x->random) % 300 == 0)
        random_load(x, &h->load);
    if (load_random(&x->random) % 100 == 0)
        assert_int_equal(legal_rate_set(&meter, (uint8_t)(load_random(&x->random) % N_RATES)), 0);
    h->since += feed_block(&h->source, &h->load);
    h->since_blocks++;
    legal_snapshot_get(&meter, &now);
    none_moved_back(&x->stored, &now);
    rates_are_the_total(&now);
    pulses_are_the_energy(&now);
    total_is_the_phases(&now, LEGAL_SUM_VECTOR);
}

static void store(struct hour *h)
{
    legal_flush(&meter);
    legal_snapshot_get(&meter, &h->life.stored);
    h->good += h->since;
    h->since = 0;
    h->since_blocks = 0;
}

static void power_goes(struct hour *h, bool warned)
{
    if (warned)
        store(h);
    h->life.lost_s = fmax(h->life.lost_s, (double)h->since_blocks * BLOCK / RATE);
    h->since = 0;
    h->since_blocks = 0;
    h->life.n_cuts[warned]++;
    assert_int_equal(legal_init(&meter, &h->life.config), ERR_OK);
    assert_int_equal(legal_snapshot_set(&meter, &h->life.stored), ERR_OK);
}

static void samples_are_conserved_over_cuts(void **state)
{
    (void)state;
    static struct hour h = {.source.random = 3, .life.random = 11};
    unsigned blocks = (full ? 3600u : 24u) * RATE / BLOCK, n_cuts = full ? 200 : 10;
    double wh = LOAD_PER_SUM * (double)LOAD_RATE_UHZ / (RATE * 1e6) / 4294967296.0 * 1e-6;
    for (unsigned k = 0; k < PERIOD; k++)
        h.source.wave[k] = (int32_t)lround((1 << 20) * sin(k * 2 * acos(-1) / PERIOD));
    h.life.config = config_of(LEGAL_SUM_VECTOR);
    random_load(&h.life, &h.load);
    assert_int_equal(legal_init(&meter, &h.life.config), ERR_OK);
    for (unsigned k = 1; k <= blocks; k++) {
        feed_one(&h);
        if (h.since_blocks >= MINUTE)
            store(&h);
        if (k % (blocks / n_cuts) == 0)
            power_goes(&h, k / (blocks / n_cuts) % 2);
    }
    store(&h);
    const struct legal_snapshot *s = &h.life.stored;
    double want = (double)h.good * wh, through = 0;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        through += (double)(s->energy.phase[p][0] + s->energy.phase[p][1]) * 1e-6;
    printf("  %u s, %u cuts with warning, %u without (%.1f s lost at most):\n"
           "  %.6f Wh net, %.6f by the samples; %.3f Wh went through\n",
           blocks * BLOCK / RATE, h.life.n_cuts[1], h.life.n_cuts[0], h.life.lost_s, net_wh(s),
           want, through);
    assert_true(fabs(net_wh(s) - want) < 1e-5 * through);
    assert_true(h.life.lost_s > 0 && h.life.lost_s <= 60);
    assert_true(h.life.n_cuts[0] + h.life.n_cuts[1] >= n_cuts);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vector_sum_is_conserved),
        cmocka_unit_test(sum_per_phase_is_conserved),
        cmocka_unit_test(absolute_sum_is_conserved),
        cmocka_unit_test(samples_are_conserved_over_cuts),
    };
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
