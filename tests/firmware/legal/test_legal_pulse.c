/* LED pulses: as many as the energy is worth, never ahead of it, and evenly. */
#include "tests/firmware/legal/load.h"
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 4096

static struct legal meter;

/* Pulses as the observer saw them; `at` in seconds since the first block. */
struct seen {
    unsigned n[2];
    double at[2][MOST];
    double start, rate; /* of the block being fed */
    uint32_t block;     /* its samples */
};

static void see(void *context, enum legal_led led, uint32_t at_q16)
{
    struct seen *s = context;
    assert_true(at_q16 <= s->block * 65536);
    assert_true(s->n[led] < MOST);
    double at = s->start + at_q16 / 65536.0 / s->rate;
    if (s->n[led])
        assert_true(at >= s->at[led][s->n[led] - 1]);
    s->at[led][s->n[led]++] = at;
}

static void start(const struct legal_config *c, struct seen *s)
{
    memset(s, 0, sizeof *s);
    assert_int_equal(legal_init(&meter, c), ERR_OK);
    legal_pulse_observe(&meter, see, s);
}

static uint64_t worth(enum legal_led led, uint32_t constant)
{
    struct legal_snapshot b;
    legal_snapshot_get(&meter, &b);
    load_exact energy = led == LEGAL_LED_ACTIVE ? load_sum(&b, LEGAL_A_IMPORT, LEGAL_A_EXPORT)
                                                : load_sum(&b, LEGAL_R_QI, LEGAL_R_QIV);
    return load_pulses(energy, constant);
}

/* Feeds in blocks and checks after each that the light is not ahead, nor a window behind. */
static void watch(struct seen *s, const struct signal *sig, uint64_t from, uint64_t n)
{
    for (uint64_t at = from; at < from + n; at += s->block) {
        s->block = 300;
        s->rate = sig->rate;
        s->start = (double)at / sig->rate;
        signal_feed(&meter, sig, at, s->block, s->block);
        for (unsigned led = 0; led < 2; led++)
            assert_true(s->n[led] <= worth((enum legal_led)led, meter.config.pulse_per_kwh));
    }
}

static void print_jitter(const char *what, const struct seen *s, enum legal_led led, double *std_us)
{
    double mean = 0, square = 0, worst = 0;
    unsigned from = 0, n = 0;
    while (from < s->n[led] && s->at[led][from] < 1.5) /* lock and first windows */
        from++;
    double first = s->at[led][from], last = s->at[led][s->n[led] - 1];
    mean = (last - first) / (s->n[led] - 1 - from);
    for (unsigned k = from + 1; k < s->n[led]; k++, n++) {
        double d = s->at[led][k] - s->at[led][k - 1] - mean;
        square += d * d;
        worst = fabs(d) > worst ? fabs(d) : worst;
    }
    *std_us = 1e6 * sqrt(square / n);
    printf("  %s: %u intervals of %.4f ms, deviation %.2f us, worst %.2f us\n", what, n, 1e3 * mean,
           *std_us, 1e6 * worst);
}

static void pulses_are_even_at_steady_load(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        double f, rate, lag, noise;
        uint32_t constant;
    } row[] = {
        {"49.9 Hz PF 1", 49.9, 8000, 0, 0, 20000},
        {"49.9 Hz PF 0.5i", 49.9, 8000, 60, 0, 20000},
        {"50.013 Hz PF 0.8c", 50.013, 4000, -36.87, 0, 10000},
        {"49.9 Hz PF 0.5i, noise 101 dB", 49.9, 8000, 60, 53, 20000},
    };
    struct legal_config c = signal_config();
    static struct seen s;
    for (unsigned k = 0; k < sizeof row / sizeof row[0]; k++) {
        struct signal sig = signal_balanced(row[k].f, row[k].rate, 5, row[k].lag);
        double us;
        sig.noise = row[k].noise;
        c.pulse_per_kwh = row[k].constant;
        start(&c, &s);
        watch(&s, &sig, 0, (uint64_t)(12 * row[k].rate));
        print_jitter(row[k].what, &s, LEGAL_LED_ACTIVE, &us);
        assert_true(us < 20);
    }
}

static void pulse_rate_is_the_power(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal sig = signal_balanced(50, 8000, 20, 30);
    static struct seen s;
    c.pulse_per_kwh = 10000;
    c.pulse_per_kvarh = 40000;
    start(&c, &s);
    for (unsigned k = 0; k < 80; k++) {
        s.block = 1000;
        s.rate = 8000;
        s.start = k * 0.125;
        signal_feed(&meter, &sig, k * 1000, 1000, 1000);
    }
    for (unsigned led = 0; led < 2; led++) {
        unsigned from = s.n[led] / 2, to = s.n[led] - 1;
        double per_s = (to - from) / (s.at[led][to] - s.at[led][from]);
        double want = led ? 3 * 230 * 20 * 0.5 * 40 / 3600 : 3 * 230 * 20 * sqrt(0.75) * 10 / 3600;
        printf("  LED %u: %.6f a second, %+.5f %%\n", led, per_s, 100 * (per_s / want - 1));
        assert_true(fabs(per_s / want - 1) < 5e-5);
    }
}

static void pulses_follow_steps_and_never_lead(void **state)
{
    (void)state;
    static const double i[] = {1, 50, 0, 120, 0.5, -30, 10};
    struct legal_config c = signal_config();
    static struct seen s;
    struct legal_snapshot b;
    c.pulse_per_kwh = 10000;
    start(&c, &s);
    for (unsigned k = 0; k < sizeof i / sizeof i[0]; k++) {
        struct signal sig = signal_balanced(50.3, 8000, i[k], 20);
        watch(&s, &sig, k * 8100, 8100);
    }
    unsigned active = s.n[LEGAL_LED_ACTIVE];
    legal_flush(&meter);
    legal_snapshot_get(&meter, &b);
    assert_int_equal(s.n[LEGAL_LED_ACTIVE], active); /* a flush counts in the dark */
    assert_true(b.pulses_active == worth(LEGAL_LED_ACTIVE, 10000));
    assert_true(b.pulses_reactive == worth(LEGAL_LED_REACTIVE, 10000));
    assert_true(b.pulses_active > active && b.pulses_active < active + 25);
}

static void pulses_keep_their_time_when_the_rate_changes(void **state)
{
    (void)state;
    static const double rate[] = {8000, 8016, 4000, 12800, 7990, 2400};
    struct legal_config c = signal_config();
    static struct seen s;
    double t = 0, worst = 0;
    c.pulse_per_kwh = 100000;
    start(&c, &s);
    for (unsigned k = 0; k < 60; k++) {
        struct signal sig = signal_balanced(50, rate[k % 6], 5, 0);
        s.block = (uint32_t)(rate[k % 6] / 20);
        s.rate = rate[k % 6];
        s.start = t;
        for (unsigned p = 0; p < 3; p++) /* in phase with what was before */
            sig.u_deg[p] += 360 * fmod(50 * t, 1.0);
        signal_feed(&meter, &sig, 0, s.block, s.block);
        t += s.block / s.rate;
    }
    double mean = 36 / 3450.; /* seconds a pulse */
    for (unsigned k = 1; k < s.n[0]; k++)
        if (s.at[0][k - 1] > 1.5)
            worst = fmax(worst, fabs(s.at[0][k] - s.at[0][k - 1] - mean));
    printf("  worst interval is %.1f us off %.3f ms\n", 1e6 * worst, 1e3 * mean);
    assert_true(s.n[0] > 220);
    assert_true(worst < 120e-6); /* a seam between two rates is half a sample wide */
}

static void pulses_count_on_over_cuts(void **state)
{
    (void)state;
    struct legal_config c = load_config();
    struct load load = load_balanced(230, 17, 33);
    struct legal_snapshot b;
    c.pulse_per_kwh = 33333; /* no divisor of anything */
    c.pulse_per_kvarh = 7;
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    for (unsigned k = 0; k < 500; k++) {
        load_feed(&meter, &load, 7.3, 7.3);
        legal_snapshot_get(&meter, &b);
        assert_true(b.pulses_active ==
                    load_pulses(load_sum(&b, LEGAL_A_IMPORT, LEGAL_A_EXPORT), 33333));
        assert_true(b.pulses_reactive == load_pulses(load_sum(&b, LEGAL_R_QI, LEGAL_R_QIV), 7));
        assert_int_equal(legal_init(&meter, &c), ERR_OK);
        assert_int_equal(legal_snapshot_set(&meter, &b), ERR_OK);
    }
    assert_true(b.pulses_active > 300000 && b.pulses_reactive > 40);
}

/* A cut in the middle of a window: pulses still due count with the energy that they are of. */
static void snapshot_holds_the_pulses_still_due(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal sig = signal_balanced(50, 8000, 50, 0);
    static struct seen s;
    struct legal_snapshot b;
    unsigned due = 0;
    c.pulse_per_kwh = 10000;
    start(&c, &s);
    for (unsigned k = 0; k < 40; k++) {
        watch(&s, &sig, k * 300, 300);
        legal_snapshot_get(&meter, &b);
        assert_true(b.pulses_active == worth(LEGAL_LED_ACTIVE, 10000));
        due += b.pulses_active > s.n[LEGAL_LED_ACTIVE];
    }
    assert_true(due > 20);
}

static void changed_constant_counts_on(void **state)
{
    (void)state;
    struct legal_config c = load_config();
    struct load load = load_balanced(230, 10, 60);
    struct legal_snapshot a, b;
    assert_int_equal(legal_init(&meter, &c), ERR_OK);
    load_feed(&meter, &load, 3600, 60);
    legal_snapshot_get(&meter, &a);
    assert_int_equal(a.pulses_active, 3450);
    assert_int_equal(legal_parameter_set(&meter, LEGAL_PARAMETER_PULSE_PER_KWH, 0, 20000, NULL), 0);
    legal_snapshot_get(&meter, &b);
    assert_int_equal(b.pulses_active, a.pulses_active);
    load_feed(&meter, &load, 3600, 60);
    legal_snapshot_get(&meter, &b);
    assert_in_range(b.pulses_active - a.pulses_active, 20 * 3450 - 1, 20 * 3450 + 1);
    assert_in_range(b.pulses_reactive - a.pulses_reactive, 20 * 5975, 20 * 5976);
    assert_int_equal(legal_parameter_set(&meter, LEGAL_PARAMETER_PULSE_PER_KVARH, 0, 100, NULL), 0);
    a = b;
    load_feed(&meter, &load, 3600, 60);
    legal_snapshot_get(&meter, &b);
    assert_in_range(b.pulses_reactive - a.pulses_reactive, 597, 598);
}

/* 460 kV and 1 MA a phase: the books are right and nobody hangs. */
static void absurd_power_is_not_blinked(void **state)
{
    (void)state;
    struct legal_config c = signal_config();
    struct signal sig = signal_balanced(50, 8000, 100, 0);
    static struct seen s;
    for (unsigned p = 0; p < 3; p++)
        c.u_lsb_fv[p] = c.i_lsb_fa[p] = UINT64_C(200000000000000);
    c.i_lsb_fa[3] = c.i_lsb_fa[0];
    c.pulse_per_kwh = 100000;
    start(&c, &s);
    s.block = 256;
    s.rate = 8000;
    for (unsigned k = 0; k < 60; k++) {
        s.start = k * 0.032;
        signal_feed(&meter, &sig, k * 256, 256, 256);
    }
    legal_flush(&meter);
    struct legal_snapshot b;
    legal_snapshot_get(&meter, &b);
    assert_true(b.pulses_active == worth(LEGAL_LED_ACTIVE, 100000));
    assert_true(b.pulses_active > 1000000);
    assert_true(s.n[LEGAL_LED_ACTIVE] < MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pulses_are_even_at_steady_load),
        cmocka_unit_test(pulse_rate_is_the_power),
        cmocka_unit_test(pulses_follow_steps_and_never_lead),
        cmocka_unit_test(pulses_keep_their_time_when_the_rate_changes),
        cmocka_unit_test(pulses_count_on_over_cuts),
        cmocka_unit_test(snapshot_holds_the_pulses_still_due),
        cmocka_unit_test(changed_constant_counts_on),
        cmocka_unit_test(absurd_power_is_not_blinked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
