/* Supervision: each kind at both sides of its threshold, its hysteresis and its times; what must
 * not be told of three wires, of a meter used with one phase, and of healthy networks. */
#include "firmware/pq/pq_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UN_MV   230000u
#define IMAX_MA 60000u
#define IST_UA  20000u

static struct pq pq;
static struct legal_status status;

static struct legal_config legal_of(enum legal_wiring wiring)
{
    return (struct legal_config){.n_phases = wiring == LEGAL_1P2W ? 1 : 3,
                                 .wiring = wiring,
                                 .f_nominal_mhz = 50000,
                                 .un_mv = UN_MV,
                                 .i_start_ua = IST_UA};
}

static struct pq_config start(enum legal_wiring wiring)
{
    struct legal_config l = legal_of(wiring);
    struct pq_config c;
    pq_config_default(&c, &l, IMAX_MA);
    assert_int_equal(pq_init(&pq, &c), ERR_OK);
    memset(&status, 0, sizeof status);
    return c;
}

/* 230 V, 10 A, 2.3 kW in each phase. */
static struct legal_values healthy(void)
{
    struct legal_values v = {.sequence = 1, .p_mw = 6900000};
    for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
        v.phase[p] = (struct legal_phase_values){.u_mv = UN_MV, .i_ua = 10000000, .p_mw = 2300000};
    v.sequences.u_mv[1] = UN_MV;
    v.sequences.i_ua[1] = 10000000;
    return v;
}

/* --- each kind ------------------------------------------------------------------------------ */

static uint32_t part(uint64_t base, uint32_t ppm)
{
    return (uint32_t)(base * ppm / 1000000);
}
static void set_u(struct legal_values *v, uint32_t ppm)
{
    v->phase[1].u_mv = part(UN_MV, ppm);
}
static void set_i(struct legal_values *v, uint32_t ppm)
{
    v->phase[1].i_ua = part(IMAX_MA * UINT64_C(1000), ppm);
}
static void set_back(struct legal_values *v, uint32_t ppm)
{
    v->phase[1].p_mw = -(int64_t)part((uint64_t)UN_MV * IMAX_MA / 1000, ppm);
}
static void set_order(struct legal_values *v, uint32_t ppm) /* negative over positive */
{
    v->sequences.u_mv[1] = 50000;
    v->sequences.u_mv[2] = part(50000, ppm);
}
static void set_u0(struct legal_values *v, uint32_t ppm)
{
    v->u0_ppm = ppm;
}
static void set_u2(struct legal_values *v, uint32_t ppm)
{
    v->u2_ppm = ppm;
}
static void set_i2(struct legal_values *v, uint32_t ppm)
{
    v->i2_ppm = ppm;
}
static void set_difference(struct legal_values *v, uint32_t ppm)
{
    v->in_ua = 0;
    v->i_diff_ua = part(10000000, ppm);
}
static void set_fault(struct legal_values *v, uint32_t ppm)
{
    (void)v;
    status.fault[AFE_I2] = ppm > 500000 ? LEGAL_FAULT_CLIP : 0;
}

static const struct row {
    enum pq_kind kind;
    bool below;
    uint8_t phases;
    void (*set)(struct legal_values *v, uint32_t ppm);
} rows[] = {
    {PQ_UNDER_VOLTAGE, true, 2, set_u},        {PQ_OVER_VOLTAGE, false, 2, set_u},
    {PQ_MISSING_POTENTIAL, true, 2, set_u},    {PQ_CURRENT_WITHOUT_VOLTAGE, true, 2, set_u},
    {PQ_REVERSED_CURRENT, false, 2, set_back}, {PQ_PHASE_SEQUENCE, false, 0, set_order},
    {PQ_NEUTRAL_BREAK, false, 0, set_u0},      {PQ_BYPASS, false, 0, set_difference},
    {PQ_OVER_CURRENT, false, 2, set_i},        {PQ_UNBALANCE_U, false, 0, set_u2},
    {PQ_UNBALANCE_I, false, 0, set_i2},        {PQ_DISTORTED_INPUT, false, 2, set_fault},
};
#define N_ROWS (sizeof rows / sizeof *rows)

/* A second with the quantity at `ppm` of its base; the event of this kind that came of it. */
static bool second(const struct row *r, uint32_t ppm, struct pq_event *e)
{
    struct legal_values v = healthy();
    struct pq_event x;
    bool found = false;
    r->set(&v, ppm);
    pq_watch(&pq, &v, &status, 1000);
    while (pq_event_take(&pq, &x))
        if (x.kind == r->kind) {
            assert_false(found);
            found = true;
            *e = x;
        }
    return found;
}

static void check_row(const struct row *r)
{
    struct pq_config c = start(LEGAL_3P4W);
    const struct pq_limit *l = &c.limit[r->kind];
    uint32_t on = l->on_ppm, h = l->hysteresis_ppm, d = h ? h / 20 + 2 : 1000;
    uint32_t beyond = r->below ? on - d : on + d, within = r->below ? on + d : on - d;
    uint32_t still = r->below ? on + h - d : on - h + d, back = r->below ? on + h + d : on - h - d;
    unsigned on_s = l->on_ms / 1000, off_s = l->off_ms / 1000;
    struct pq_event e = {0};
    for (unsigned k = 0; k < 3 * on_s; k++) /* just within, for long */
        assert_false(second(r, within, &e));
    for (unsigned k = 1; k < on_s; k++) /* beyond, a second too short */
        assert_false(second(r, beyond, &e));
    assert_false(second(r, within, &e));
    for (unsigned k = 1; k < on_s; k++)
        assert_false(second(r, beyond, &e));
    assert_int_equal(pq_present(&pq) >> r->kind & 1, 0);
    assert_true(second(r, beyond, &e));
    assert_int_equal(pq_present(&pq) >> r->kind & 1, 1);
    assert_false(e.ended);
    assert_int_equal(e.phases, r->phases);
    uint64_t begin = (4 * UINT64_C(1) * on_s) * 1000000;
    assert_int_equal(e.begin_us, begin);
    for (unsigned k = 0; h && k < 3 * off_s; k++) /* inside the hysteresis */
        assert_false(second(r, still, &e));
    for (unsigned k = 1; k < off_s; k++)
        assert_false(second(r, back, &e));
    assert_false(second(r, beyond, &e));
    for (unsigned k = 1; k < off_s; k++)
        assert_false(second(r, back, &e));
    uint64_t end = pq.now_ns / 1000 - (uint64_t)(off_s - 1) * 1000000;
    assert_true(second(r, back, &e));
    assert_true(e.ended && e.begin_us == begin && e.end_us == end);
    assert_int_equal(pq_present(&pq) >> r->kind & 1, 0);
}

static void pq_watch_tells_each_kind_at_its_threshold_and_time(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_ROWS; k++) {
        print_message("kind %d\n", (int)rows[k].kind);
        check_row(&rows[k]);
    }
}

static void pq_watch_is_silent_about_a_kind_without_a_threshold(void **state)
{
    (void)state;
    for (size_t k = 0; k < N_ROWS; k++) {
        struct pq_config c = start(LEGAL_3P4W);
        struct pq_event e;
        uint32_t beyond = rows[k].below ? 0 : 9000000;
        c.limit[rows[k].kind].on_ppm = 0;
        assert_int_equal(pq_init(&pq, &c), ERR_OK);
        for (unsigned n = 0; n < 200; n++)
            assert_false(second(&rows[k], beyond, &e));
    }
}

static void pq_watch_keeps_the_worst_value(void **state)
{
    struct pq_event e = {0};
    (void)state;
    start(LEGAL_3P4W);
    for (unsigned k = 0; k < 9; k++)
        assert_false(second(&rows[0], k == 4 ? 700000 : 850000, &e));
    assert_true(second(&rows[0], 850000, &e));
    assert_int_equal(e.extreme, part(UN_MV, 700000));
    assert_false(second(&rows[0], 600000, &e));
    for (unsigned k = 0; k < 9; k++)
        assert_false(second(&rows[0], 1000000, &e));
    assert_true(second(&rows[0], 1000000, &e));
    assert_int_equal(e.extreme, part(UN_MV, 600000));
}

/* --- conditions ----------------------------------------------------------------------------- */

/* The kinds present after ten minutes of the same. */
static uint32_t after(const struct legal_values *v)
{
    struct pq_event e;
    for (unsigned k = 0; k < 600; k++) {
        pq_watch(&pq, v, &status, 1000);
        while (pq_event_take(&pq, &e))
            ;
    }
    return pq_present(&pq);
}

static void pq_watch_wants_a_current_for_a_missing_potential(void **state)
{
    const uint32_t both = 1u << PQ_MISSING_POTENTIAL | 1u << PQ_CURRENT_WITHOUT_VOLTAGE;
    struct legal_values v = healthy();
    (void)state;
    start(LEGAL_3P4W);
    v.phase[2].u_mv = 1000;
    v.phase[2].i_ua = IST_UA; /* at the starting current, not above */
    assert_int_equal(after(&v) & both, 0);
    v.phase[2].i_ua = IST_UA + 1;
    assert_int_equal(after(&v) & both, both);
    v.phase[2].u_mv = part(UN_MV, 300000);
    assert_int_equal(after(&v) & both, 1u << PQ_MISSING_POTENTIAL);
    v.phase[2].i_ua = 0;
    assert_int_equal(after(&v) & both, 0);
}

/* One phase lost: u0 and u2 are 50 % of u1, and it is a voltage that is missing, no broken neutral,
 * no wrong sequence, no unbalance. */
static void pq_watch_takes_a_lost_phase_for_nothing_else(void **state)
{
    struct legal_values v = healthy();
    (void)state;
    start(LEGAL_3P4W);
    v.phase[2] = (struct legal_phase_values){0};
    v.sequences = (struct legal_sequences){.u_mv = {76667, 153333, 76667}};
    v.u0_ppm = v.u2_ppm = 500000;
    assert_int_equal(after(&v), 1u << PQ_UNDER_VOLTAGE);
}

/* The star point moved by 40 V: phases 200, 252 and 252 V against it, line voltages as before. */
static void pq_watch_sees_a_broken_neutral_by_the_star_point(void **state)
{
    struct legal_values v = healthy();
    (void)state;
    start(LEGAL_3P4W);
    v.u0_ppm = 174000;
    assert_true(after(&v) & 1u << PQ_NEUTRAL_BREAK);
    v.sequences.u_mv[1] = part(UN_MV, 880000); /* line voltages low: something else */
    assert_false(after(&v) & 1u << PQ_NEUTRAL_BREAK);
    v.sequences.u_mv[1] = UN_MV;
    v.u2_ppm = 60000;
    assert_false(after(&v) & 1u << PQ_NEUTRAL_BREAK);
}

static void pq_watch_wants_a_difference_above_the_instruments_own(void **state)
{
    struct legal_values v = healthy();
    (void)state;
    start(LEGAL_1P2W);
    v.phase[0].i_ua = 1000000;
    v.i_diff_ua = 290000; /* 29 %, but below 0.5 % of Imax */
    assert_int_equal(after(&v), 0);
    v.i_diff_ua = 310000;
    assert_int_equal(after(&v), 1u << PQ_BYPASS);
    v.in_ua = 10000000; /* 3 % of what flows in the neutral */
    assert_int_equal(after(&v), 0);
}

static void pq_watch_wants_a_load_for_unbalanced_currents(void **state)
{
    struct legal_values v = healthy();
    (void)state;
    start(LEGAL_3P4W);
    v.i2_ppm = 900000;
    for (unsigned p = 0; p < 3; p++)
        v.phase[p].i_ua = 2999999; /* 5 % of Imax is 3 A */
    assert_int_equal(after(&v), 0);
    v.phase[1].i_ua = 3000000;
    assert_int_equal(after(&v), 1u << PQ_UNBALANCE_I);
}

/* Elements of three wires: U12 and U32 of 398 V, element powers that differ by angle, no element 2.
 */
static void pq_watch_raises_nothing_false_when_three_wires(void **state)
{
    struct pq_config c = start(LEGAL_3P3W);
    struct legal_values v = {.sequence = 1, .p_mw = 3000000, .u0_ppm = 900000};
    (void)state;
    assert_int_equal(c.un_mv, 398371);
    for (unsigned p = 0; p < 3; p += 2)
        v.phase[p] = (struct legal_phase_values){.u_mv = 398000, .i_ua = 10000000};
    v.phase[0].p_mw = -500000; /* at a power factor below 0.5 */
    v.phase[2].p_mw = 3500000;
    v.i_diff_ua = v.in_ua = 5000000;
    v.sequences.u_mv[1] = 230000;
    status.fault[AFE_U2] = status.fault[AFE_IN] = LEGAL_FAULT_MISSING;
    assert_int_equal(after(&v), 0);
    v.p_mw = -3000000;
    assert_int_equal(after(&v), 1u << PQ_REVERSED_CURRENT);
}

static void pq_watch_raises_nothing_when_unused_phases_are_dead(void **state)
{
    struct pq_config c = start(LEGAL_3P4W);
    struct legal_values v = healthy();
    (void)state;
    c.phases_used = 1;
    assert_int_equal(pq_init(&pq, &c), ERR_OK);
    v.phase[1] = v.phase[2] = (struct legal_phase_values){.i_ua = 50000, .p_mw = -100000};
    v.sequences = (struct legal_sequences){.u_mv = {76667, 76667, 76667}};
    v.u0_ppm = v.u2_ppm = v.i0_ppm = v.i2_ppm = 1000000;
    status.fault[AFE_U2] = status.fault[AFE_U3] = LEGAL_FAULT_STUCK;
    assert_int_equal(after(&v), 0);
    v.phase[0].u_mv = 0;
    assert_int_equal(after(&v) & 1u << PQ_UNDER_VOLTAGE, 1u << PQ_UNDER_VOLTAGE);
}

static void pq_watch_is_silent_about_a_healthy_network(void **state)
{
    static const enum legal_wiring wirings[] = {LEGAL_1P2W, LEGAL_3P4W};
    struct legal_values v = healthy(), nothing = {0};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        start(wirings[k]);
        assert_int_equal(after(&v), 0);
        for (unsigned p = 0; p < LEGAL_N_PHASES; p++)
            v.phase[p].i_ua = 0;
        v.phase[0].p_mw = -1000; /* noise of an open circuit */
        assert_int_equal(after(&v), 0);
    }
    assert_int_equal(after(&nothing), 1u << PQ_UNDER_VOLTAGE);
}

static void pq_event_counts_what_found_no_room(void **state)
{
    struct legal_values v = healthy(), low = healthy();
    struct pq_event e;
    unsigned n = 0;
    (void)state;
    start(LEGAL_3P4W);
    for (unsigned p = 0; p < 3; p++)
        low.phase[p].u_mv = 1;
    low.sequences.u_mv[1] = 1;
    for (unsigned k = 0; k < 400; k++)
        pq_watch(&pq, k / 20 % 2 ? &low : &v, &status, 1000);
    while (pq_event_take(&pq, &e))
        n++;
    assert_int_equal(n, PQ_EVENTS_MAX);
    /* ten falls and nine returns of three phases, in three kinds of it */
    assert_int_equal(pq_lost(&pq), 19 * 9 - PQ_EVENTS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pq_watch_tells_each_kind_at_its_threshold_and_time),
        cmocka_unit_test(pq_watch_is_silent_about_a_kind_without_a_threshold),
        cmocka_unit_test(pq_watch_keeps_the_worst_value),
        cmocka_unit_test(pq_watch_wants_a_current_for_a_missing_potential),
        cmocka_unit_test(pq_watch_takes_a_lost_phase_for_nothing_else),
        cmocka_unit_test(pq_watch_sees_a_broken_neutral_by_the_star_point),
        cmocka_unit_test(pq_watch_wants_a_difference_above_the_instruments_own),
        cmocka_unit_test(pq_watch_wants_a_load_for_unbalanced_currents),
        cmocka_unit_test(pq_watch_raises_nothing_false_when_three_wires),
        cmocka_unit_test(pq_watch_raises_nothing_when_unused_phases_are_dead),
        cmocka_unit_test(pq_watch_is_silent_about_a_healthy_network),
        cmocka_unit_test(pq_event_counts_what_found_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
