/* Energy is conserved over power cuts: what the registers hold after a restart is exactly what they
 * held at a moment before the cut, and with a warning at the cut itself.
 *
 * A meter lives on loads that this test makes up from integers: all quadrants, idle phases,
 * changing rates. Every state that the registers pass through is noted. After a cut with warning
 * they must be those of the cut to the last unit; without, those of a noted moment at most 60 s
 * old. At any time phases, quadrants, rates and total agree to 2^-32 of a unit, no register is
 * below what it ever showed after a restart or a client was told, losses included, and the
 * profile's rows join.
 *
 * Without arguments two days of windows with 60 cuts, of both models, and three minutes of
 * samples with 9; `full`: 30 days with 1000, an hour with 200. */
#include "tests/firmware/meter/rig.h"

#include "firmware/meter/meter_tell.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EIGHT_RATES "ST402C"
#define WITH_LOSSES "SMARTESOX-P"
#define LOAD        "synth:phases=3,u=230,i=3,pf=0.6,h3=3%,ih5=20%,noise=0.02%"

static bool full;

/* --- states --------------------------------------------------------------------------------- */

struct state {
    int64_t at_ns;
    uint64_t total[LEGAL_N_ENERGIES];
    uint64_t phase[LEGAL_N_PHASES][LEGAL_N_ENERGIES];
    uint64_t rate[MODEL_RATES_MAX][LEGAL_N_ENERGIES];
    uint64_t loss[LEGAL_N_LOSSES];
};
#define N_STATES 4096 /* of the last minutes, at 0.1 s */
struct history {
    struct rig *rig;
    struct state state[N_STATES];
    uint32_t n;             /* ever noted */
    struct state shown;     /* after the last restart, or told since: never below */
    struct state last;      /* noted in this life */
    uint32_t n_told;        /* answers to clients */
    uint32_t n_exact;       /* cuts with warning */
    uint32_t n_cut, n_torn; /* without; in the middle of a flash operation */
    double worst_age_s;
    uint64_t lost; /* A+ in register units by cuts without warning */
};

static struct state state_with(const struct rig *r, const struct legal_energies *e)
{
    struct state s = {.at_ns = meter_crystal_ns(&r->meter)};
    memcpy(s.total, e->total, sizeof s.total);
    memcpy(s.phase, e->phase, sizeof s.phase);
    memcpy(s.rate, e->rate, sizeof s.rate);
    if ((r->config.model->features & MODEL_LOSSES) != 0) /* others do not keep them */
        memcpy(s.loss, e->loss, sizeof s.loss);
    return s;
}

static struct state state_of(const struct rig *r)
{
    struct legal_energies e;
    legal_energies_get(&r->meter.legal, &e);
    return state_with(r, &e);
}

static bool same(const struct state *a, const struct state *b)
{
    return memcmp(a->total, b->total, sizeof a->total) == 0 &&
           memcmp(a->phase, b->phase, sizeof a->phase) == 0 &&
           memcmp(a->rate, b->rate, sizeof a->rate) == 0 &&
           memcmp(a->loss, b->loss, sizeof a->loss) == 0;
}

static void forward(const uint64_t *now, const uint64_t *before, size_t n)
{
    for (size_t k = 0; k < n; k++)
        assert_true(now[k] >= before[k]);
}

static void check_not_below(const struct state *now, const struct state *before)
{
    forward(now->total, before->total, LEGAL_N_ENERGIES);
    forward(now->phase[0], before->phase[0], LEGAL_N_PHASES * LEGAL_N_ENERGIES);
    forward(now->rate[0], before->rate[0], MODEL_RATES_MAX * LEGAL_N_ENERGIES);
    forward(now->loss, before->loss, LEGAL_N_LOSSES);
}

/* Never backward from one moment to the next. */
static void note(struct history *h)
{
    struct state now = state_of(h->rig);
    check_not_below(&now, &h->last);
    h->last = now;
    h->state[h->n++ % N_STATES] = now;
}

/* --- what must always hold ------------------------------------------------------------------ */

/* Register and rest as one number of 2^-32 units, modulo 2^64: enough to compare sums of few. */
static uint64_t fine(uint64_t units, uint32_t rest)
{
    return units << 32 | rest;
}

static uint64_t net(const uint64_t *unit, const uint32_t *rest, const int8_t *sign)
{
    uint64_t sum = 0;
    for (unsigned e = 0; e < LEGAL_N_ENERGIES; e++)
        sum += (uint64_t)(int64_t)sign[e] * fine(unit[e], rest[e]);
    return sum;
}

static void check_sums(const struct rig *r)
{
    static const int8_t sign[3][LEGAL_N_ENERGIES] = {
        {1, -1, 0, 0, 0, 0, 0, 0}, {0, 0, 1, 1, -1, -1, 0, 0}, {0, 0, 0, 0, 0, 0, 1, 1}};
    struct legal_snapshot s;
    legal_snapshot_get(&r->meter.legal, &s);
    for (unsigned k = 0; k < 3; k++) {
        uint64_t phases = 0;
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
            phases += net(s.energy.phase[p], s.phase_rest[p], sign[k]);
        assert_int_equal(net(s.energy.total, s.total_rest, sign[k]), phases);
    }
    unsigned n_rates = r->config.model->n_rates;
    for (unsigned e = 0; e < LEGAL_N_ENERGIES && n_rates > 0; e++) {
        uint64_t rates = 0;
        for (unsigned t = 0; t < n_rates; t++)
            rates += s.energy.rate[t][e];
        assert_int_equal(rates, s.energy.total[e]);
    }
}

static void check_pulses(const struct rig *r)
{
    struct legal_snapshot s;
    legal_snapshot_get(&r->meter.legal, &s);
    uint64_t active =
        s.energy.total[LEGAL_A_IMPORT] + s.energy.total[LEGAL_A_EXPORT] +
        (((uint64_t)s.total_rest[LEGAL_A_IMPORT] + s.total_rest[LEGAL_A_EXPORT]) >> 32);
    uint64_t pulses = active / 1000000 * r->config.model->pulse_per_kwh / 1000 +
                      active % 1000000 * r->config.model->pulse_per_kwh / 1000000000;
    /* both divisions cut off: one pulse of slack, at the scale of 10^9 units a kWh */
    assert_in_range(s.pulses_active, pulses, pulses + 1);
}

static void check_forward(struct history *h)
{
    struct state now = state_of(h->rig);
    check_not_below(&now, &h->shown);
    h->shown = now;
}

/* --- cuts ----------------------------------------------------------------------------------- */

static uint32_t draw(struct rig *r, uint32_t n)
{
    uint8_t octet[4];
    assert_int_equal(r->rng.fill(&r->rng, octet, sizeof octet), ERR_OK);
    uint32_t x;
    memcpy(&x, octet, sizeof x);
    return x % n;
}

/* A client reads: what it is told must be durable, and may never be undone. */
static void tell(struct history *h)
{
    const struct legal_energies *told = meter_told(&h->rig->meter);
    if (meter_sync(&h->rig->meter) == ERR_OK) { /* else the supply broke, and nobody was told */
        struct state shown = state_with(h->rig, told);
        check_not_below(&shown, &h->shown);
        h->shown = shown;
        h->n_told++;
    }
}

static void restart(struct history *h)
{
    flash_emu_power(&h->rig->emu, 0, TEAR_NOTHING);
    assert_int_equal(rig_power_up(h->rig, draw(h->rig, 300)), ERR_OK);
    assert_int_equal(h->rig->meter.fault, ERR_OK);
    check_sums(h->rig);
    check_forward(h);
    h->last = h->shown;
    note(h);
}

static void cut_with_warning(struct history *h)
{
    assert_int_equal(meter_power_fail(&h->rig->meter), ERR_OK);
    check_pulses(h->rig);
    struct state before = state_of(h->rig);
    restart(h);
    struct state after = state_of(h->rig);
    assert_true(same(&before, &after));
    check_pulses(h->rig);
    h->n_exact++;
}

/* The state that came back must be a noted one, not older than a snapshot may be. */
static void cut(struct history *h)
{
    struct state before = state_of(h->rig);
    uint32_t n = h->n;
    restart(h); /* its own moment takes the place of the oldest */
    struct state after = state_of(h->rig);
    for (uint32_t k = n; k > 0 && k + N_STATES > n + 1; k--) {
        const struct state *s = &h->state[(k - 1) % N_STATES];
        if (!same(s, &after))
            continue;
        double age_s = (double)(before.at_ns - s->at_ns) / METER_NS;
        /* windows are whole samples of 1 ms, so the one at the due instant may end that later */
        if (age_s > METER_SNAPSHOT_S + 0.001)
            fail_msg("%.3f s were lost", age_s);
        if (age_s > h->worst_age_s)
            h->worst_age_s = age_s;
        h->lost += before.total[LEGAL_A_IMPORT] - after.total[LEGAL_A_IMPORT];
        h->n_cut++;
        return;
    }
    fail_msg("the registers came back as they never were");
}

static void report(const char *what, const struct history *h)
{
    print_message("%s: %u cuts with warning, loss 0; %u without (%u in a flash operation), at most "
                  "%.3f s back, %.3f of %.3f kWh; told %u times, never undone\n",
                  what, h->n_exact, h->n_cut, h->n_torn, h->worst_age_s, (double)h->lost / 1e9,
                  (double)(h->shown.total[LEGAL_A_IMPORT] + h->lost) / 1e9, h->n_told);
}

static struct history *begin(const char *model)
{
    static const enum legal_parameter loss[] = {
        LEGAL_PARAMETER_LOSS_R_CU_UOHM, LEGAL_PARAMETER_LOSS_X_S_UOHM,
        LEGAL_PARAMETER_LOSS_R_FE_OHM, LEGAL_PARAMETER_LOSS_X_M_OHM};
    struct history *h = calloc(1, sizeof *h);
    assert_non_null(h);
    h->rig = rig_new(model, "2026-03-01T00:00:00", LOAD);
    for (size_t k = 0; k < sizeof loss / sizeof loss[0]; k++)
        assert_int_equal(meter_parameter_set(&h->rig->meter, 1, loss[k], 0, 123457), ERR_OK);
    note(h);
    return h;
}

static void end(struct history *h)
{
    rig_check_rows(h->rig);
    rig_free(h->rig);
    free(h);
}

/* --- window level --------------------------------------------------------------------------- */

/* Up to a minute of load in counts: a voltage near full, currents of any angle or none. */
static struct legal_window made_up(struct rig *r, int64_t ns)
{
    const uint64_t rate_hz = 1000;
    struct legal_window w = {.rate_uhz = rate_hz * 1000000,
                             .n_q16 = (uint64_t)ns * rate_hz / (METER_NS / 65536),
                             .frequency_uhz = 50000000};
    int64_t n = (int64_t)(w.n_q16 >> 16) + 1;
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++) {
        struct legal_window_phase *x = &w.phase[p];
        int64_t u = 2000000 + draw(r, 100000), i = draw(r, 4) ? 1 + draw(r, 3000000) : 0;
        int64_t c = (int64_t)draw(r, 2001) - 1000, s = (int64_t)draw(r, 2001) - 1000;
        int64_t size = 1;
        while (size * size < c * c + s * s)
            size++;
        x->u_re = n * u / 2;
        x->i_re = n * i / 2 * c / size;
        x->i_im = n * i / 2 * s / size;
        x->uu = n * (u * u / 2);
        x->ii = n * (i * i / 2);
        x->ui = n * (u * i / 2 / size * c);
    }
    w.flags = LEGAL_WINDOW_NO_CROSS;
    return w;
}

static void live_window(struct history *h)
{
    struct rig *r = h->rig;
    int64_t ns = (int64_t)meter_due_ns(&r->meter);
    if (ns > 60 * METER_NS)
        ns = 60 * METER_NS;
    if (draw(r, 8) == 0 && ns > METER_NS)
        ns = METER_NS / 4 + draw(r, 1000000000);
    struct legal_window w = made_up(r, ns < 1000000 ? 1000000 : ns);
    if (r->config.model->n_rates > 1 && draw(r, 50) == 0)
        assert_int_equal(
            legal_rate_set(&r->meter.legal, (uint8_t)draw(r, r->config.model->n_rates)), ERR_OK);
    assert_int_equal(meter_window(&r->meter, &w), ERR_OK);
    note(h);
    if (draw(r, 30) == 0)
        tell(h);
}

/* The supply breaks in the middle of one of the next flash operations. */
static void live_until_torn(struct history *h)
{
    enum tear tear = (enum tear)draw(h->rig, N_TEARS);
    flash_emu_power(&h->rig->emu, 1 + draw(h->rig, 12), tear);
    while (!h->rig->emu.dead)
        live_window(h);
    h->n_torn++;
}

static void live_windows(const char *model)
{
    int64_t days = full ? 30 : 2;
    uint32_t n_cuts = full ? 1000 : 60, done = 0;
    struct history *h = begin(model);
    int64_t start = meter_crystal_ns(&h->rig->meter);
    while (done < n_cuts) {
        int64_t until = start + days * 86400 * METER_NS / n_cuts * (done + 1);
        bool torn = done % 3 == 2;
        while (meter_crystal_ns(&h->rig->meter) < until)
            live_window(h);
        if (torn)
            live_until_torn(h);
        check_sums(h->rig);
        if (done++ % 3 == 0)
            cut_with_warning(h);
        else
            cut(h);
    }
    report(model, h);
    assert_true(h->n_exact > n_cuts / 4 && h->n_torn > n_cuts / 4);
    end(h);
}

static void windows_lose_nothing(void **state)
{
    (void)state;
    live_windows(EIGHT_RATES);
    live_windows(WITH_LOSSES);
}

/* --- sample level --------------------------------------------------------------------------- */

static void live_block(struct history *h)
{
    struct rig *r = h->rig;
    struct afe_block b;
    if (draw(r, 100) == 0)
        source_phase_set(r->source, draw(r, 3), draw(r, 3) != 0);
    assert_true(source_next(r->source, 800, &b));
    assert_int_equal(meter_samples(&r->meter, &b), ERR_OK);
    note(h);
    if (draw(r, 1000) == 0)
        tell(h);
}

/* Most lives are half of the mean, one of eight four times and a half of it: longer than a minute,
 * so that the regular snapshot is what saves them. */
static int64_t life_ns(uint32_t k, int64_t mean_ns)
{
    return k % 8 == 7 ? mean_ns / 2 * 9 : mean_ns / 2;
}

static void samples_lose_nothing(void **state)
{
    (void)state;
    int64_t seconds = full ? 3600 : 180;
    uint32_t n_cuts = full ? 200 : 9;
    struct history *h = begin(EIGHT_RATES);
    for (uint32_t k = 0; k < n_cuts; k++) {
        int64_t until = meter_crystal_ns(&h->rig->meter) + life_ns(k, seconds * METER_NS / n_cuts);
        while (meter_crystal_ns(&h->rig->meter) < until)
            live_block(h);
        check_sums(h->rig);
        if (k % 4 == 1) { /* in the middle of a flash operation, a snapshot's at the latest */
            flash_emu_power(&h->rig->emu, 1 + draw(h->rig, 2), (enum tear)draw(h->rig, N_TEARS));
            while (!h->rig->emu.dead)
                live_block(h);
            h->n_torn++;
        }
        if (k % 2 == 0)
            cut_with_warning(h);
        else
            cut(h);
    }
    report("samples", h);
    assert_true(h->worst_age_s > (full ? 50 : 20));
    end(h);
}

int main(int argc, char **argv)
{
    full = argc > 1 && strcmp(argv[1], "full") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_lose_nothing),
        cmocka_unit_test(samples_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
