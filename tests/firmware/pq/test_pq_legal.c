/* Supervision behind the legal part, from samples on: each fault of the network told, each by its
 * own name only, and nothing told of a healthy one. */
#include "firmware/pq/pq_state.h"
#include "tests/firmware/legal/signal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BIT(kind) (1u << (kind))
#define SECONDS   5
#define RATE      4000

static struct legal legal;
static struct pq pq;

static struct legal_config legal_of(void)
{
    struct legal_config c = signal_config();
    c.i_start_ua = 20000;
    c.without_thd = true;
    return c;
}

/* All times a second, so that seconds of samples will do. */
static void hasten(struct pq_config *c)
{
    for (unsigned k = 0; k < PQ_N_KINDS; k++) {
        c->limit[k].on_ms = c->limit[k].on_ms ? 1000 : 0;
        c->limit[k].off_ms = c->limit[k].off_ms ? 1000 : 0;
    }
}

static void start(void)
{
    struct legal_config l = legal_of();
    struct pq_config c;
    pq_config_default(&c, &l, 60000);
    hasten(&c);
    assert_int_equal(legal_init(&legal, &l), ERR_OK);
    assert_int_equal(pq_init(&pq, &c), ERR_OK);
}

/* A block through both parts, and the values when there are new ones. */
static void feed(const struct afe_block *b, uint32_t *sequence)
{
    struct legal_wave wave;
    struct legal_values v;
    struct legal_status s;
    assert_int_equal(legal_feed(&legal, b), ERR_OK);
    legal_wave_get(&legal, &wave);
    assert_int_equal(pq_feed(&pq, b, &wave), ERR_OK);
    legal_values_get(&legal, &v);
    if (v.sequence == *sequence)
        return;
    *sequence = v.sequence;
    legal_status_get(&legal, &s);
    pq_watch(&pq, &v, &s, 1000);
}

/* The kinds present at the end. */
static uint32_t play(const struct signal *s)
{
    static int32_t x[AFE_N_CHANNELS][200];
    struct afe_block b = {.rate_uhz = RATE * UINT64_C(1000000), .n = 200, .present = s->present};
    uint32_t sequence = 0;
    for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
        b.sample[c] = s->present >> c & 1 ? x[c] : NULL;
    for (uint64_t at = 0; at < SECONDS * RATE; at += b.n) {
        for (uint32_t k = 0; k < b.n; k++) {
            int32_t set[AFE_N_CHANNELS];
            signal_sample(s, at + k, set);
            for (unsigned c = 0; c < AFE_N_CHANNELS; c++)
                x[c][k] = set[c];
        }
        feed(&b, &sequence);
    }
    assert_true(sequence >= SECONDS - 1);
    return pq_present(&pq);
}

static struct signal healthy(void)
{
    struct signal s = signal_balanced(50.02, RATE, 10, 20);
    s.present |= 1u << AFE_IN;
    s.noise = 20;
    return s;
}

static void expect(const char *what, const struct signal *s, uint32_t kinds)
{
    start();
    uint32_t got = play(s);
    if (got != kinds)
        fail_msg("%s: %04x are present, not %04x", what, (unsigned)got, (unsigned)kinds);
}

/* The star point moved by `volt` towards phase 1: what the phases then have against it. */
static void move_star(struct signal *s, double volt)
{
    for (unsigned p = 0; p < 3; p++) {
        double a = s->u_deg[p] * acos(-1) / 180, re = s->u[p] * cos(a) - volt,
               im = s->u[p] * sin(a);
        s->u[p] = hypot(re, im);
        s->u_deg[p] = atan2(im, re) * 180 / acos(-1);
    }
}

static void pq_tells_voltage_faults_from_samples(void **state)
{
    struct signal s = healthy();
    (void)state;
    expect("healthy", &s, 0);
    s.u[1] = 203;
    expect("88 %", &s, BIT(PQ_DIP) | BIT(PQ_UNDER_VOLTAGE) | BIT(PQ_UNBALANCE_U));
    s = healthy();
    for (unsigned p = 0; p < 3; p++)
        s.u[p] = 256;
    expect("111 %", &s, BIT(PQ_SWELL) | BIT(PQ_OVER_VOLTAGE));
    s = healthy();
    s.u[2] = 80;
    expect("missing potential", &s,
           BIT(PQ_DIP) | BIT(PQ_UNDER_VOLTAGE) | BIT(PQ_MISSING_POTENTIAL));
    s.u[2] = 0;
    expect("current without voltage", &s,
           BIT(PQ_DIP) | BIT(PQ_UNDER_VOLTAGE) | BIT(PQ_MISSING_POTENTIAL) |
               BIT(PQ_CURRENT_WITHOUT_VOLTAGE));
    for (unsigned p = 0; p < 3; p++)
        s.u[p] = s.i[p] = 0;
    expect("dark", &s, BIT(PQ_DIP) | BIT(PQ_INTERRUPTION) | BIT(PQ_UNDER_VOLTAGE));
}

static void pq_tells_faults_of_the_installation_from_samples(void **state)
{
    struct signal s = healthy();
    (void)state;
    s.lag[1] = 180;
    expect("reversed", &s, BIT(PQ_REVERSED_CURRENT) | BIT(PQ_UNBALANCE_I));
    s = healthy();
    s.u_deg[1] = 120;
    s.u_deg[2] = -120;
    uint32_t odd = BIT(PQ_PHASE_SEQUENCE) | BIT(PQ_UNBALANCE_U) | BIT(PQ_UNBALANCE_I);
    expect("sequence", &s, odd);
    s = healthy();
    move_star(&s, 20);
    expect("star point 8.7 %", &s, 0);
    s = healthy();
    move_star(&s, 28); /* to 202 V: 87.8 % */
    expect("star point 12.2 %", &s, BIT(PQ_NEUTRAL_BREAK) | BIT(PQ_DIP) | BIT(PQ_UNDER_VOLTAGE));
    s = healthy();
    s.u[0] = 245;
    s.u[1] = 215;
    expect("unbalanced voltages", &s, BIT(PQ_UNBALANCE_U));
}

static void pq_tells_faults_of_currents_from_samples(void **state)
{
    struct signal s = healthy();
    (void)state;
    s.i[0] = 30;
    s.i[1] = s.i[2] = 6;
    expect("unbalanced currents", &s, BIT(PQ_UNBALANCE_I));
    s.bypass = 0.5; /* the neutral then shows half of 24 A */
    expect("bypass", &s, BIT(PQ_UNBALANCE_I) | BIT(PQ_BYPASS));
    s.bypass = 0.05;
    expect("a leak of 4 %", &s, BIT(PQ_UNBALANCE_I));
    s = healthy();
    for (unsigned p = 0; p < 3; p++)
        s.i[p] = 64;
    expect("over-current", &s, BIT(PQ_OVER_CURRENT));
    s = healthy();
    s.error[AFE_I2].offset = 8000000; /* of 8388608 counts: half of the current is not seen */
    expect("clipped", &s, BIT(PQ_DISTORTED_INPUT) | BIT(PQ_BYPASS));
    s = healthy();
    s.present &= ~(1u << AFE_I3);
    assert_true(play(&s) & BIT(PQ_DISTORTED_INPUT));
}

static void pq_tells_a_single_phase_bypass_from_samples(void **state)
{
    struct legal_config l = legal_of();
    struct signal s = healthy();
    struct pq_config c;
    (void)state;
    l.n_phases = 1;
    l.wiring = LEGAL_1P2W;
    pq_config_default(&c, &l, 60000);
    hasten(&c);
    s.present = 1u << AFE_U1 | 1u << AFE_I1 | 1u << AFE_IN;
    s.i[1] = s.i[2] = 0;
    for (unsigned k = 0; k < 2; k++) {
        s.bypass = k ? 0.3 : 0.03;
        assert_int_equal(legal_init(&legal, &l), ERR_OK);
        assert_int_equal(pq_init(&pq, &c), ERR_OK);
        assert_int_equal(play(&s), k ? BIT(PQ_BYPASS) : 0);
    }
}

/* Elements 1 and 3 on U12 and U32; the load's power factor of 0.4 turns element 1's power negative.
 */
static void pq_tells_nothing_false_of_three_wires_from_samples(void **state)
{
    struct legal_config l = legal_of();
    struct signal s = healthy();
    struct pq_config c;
    (void)state;
    l.wiring = LEGAL_3P3W;
    pq_config_default(&c, &l, 60000);
    hasten(&c);
    s.present = 1u << AFE_U1 | 1u << AFE_U3 | 1u << AFE_I1 | 1u << AFE_I3;
    s.u[0] = s.u[2] = 230 * sqrt(3);
    s.u_deg[0] = 30;
    s.u_deg[2] = 90;
    s.lag[0] = 66.4 + 30;
    s.lag[2] = 66.4 - 30;
    assert_int_equal(legal_init(&legal, &l), ERR_OK);
    assert_int_equal(pq_init(&pq, &c), ERR_OK);
    assert_int_equal(play(&s), 0);
}

/* A three-phase meter with one phase connected, the others' inputs open. */
static void pq_tells_nothing_false_of_unused_phases_from_samples(void **state)
{
    struct legal_config l = legal_of();
    struct signal s = healthy();
    struct pq_config c;
    (void)state;
    pq_config_default(&c, &l, 60000);
    hasten(&c);
    c.phases_used = 1;
    s.u[1] = s.u[2] = s.i[1] = s.i[2] = 0;
    assert_int_equal(legal_init(&legal, &l), ERR_OK);
    assert_int_equal(pq_init(&pq, &c), ERR_OK);
    assert_int_equal(play(&s), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pq_tells_voltage_faults_from_samples),
        cmocka_unit_test(pq_tells_faults_of_the_installation_from_samples),
        cmocka_unit_test(pq_tells_faults_of_currents_from_samples),
        cmocka_unit_test(pq_tells_a_single_phase_bypass_from_samples),
        cmocka_unit_test(pq_tells_nothing_false_of_three_wires_from_samples),
        cmocka_unit_test(pq_tells_nothing_false_of_unused_phases_from_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
