/* The borders of dips, swells and interruptions to the millivolt (IEC 61000-4-30, 5.4 and 5.5): a
 * dip begins below its threshold and not at it, and is over at threshold plus hysteresis; half
 * cycles come straight from here, no samples are between. */
#include "firmware/pq/pq_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HALF_NS UINT64_C(10000000)

static struct pq pq;
static uint64_t now_ns;

static void start(uint8_t phases)
{
    struct legal_config legal = {
        .n_phases = 3, .wiring = LEGAL_3P4W, .f_nominal_mhz = 50000, .un_mv = 230000};
    struct pq_config c;
    pq_config_default(&c, &legal, 100000);
    c.phases_used = phases;
    assert_int_equal(pq_init(&pq, &c), ERR_OK);
    now_ns = HALF_NS;
}

/* A half cycle of each phase that is used. */
static uint32_t take(uint32_t u1_mv, uint32_t u2_mv, uint32_t u3_mv)
{
    const uint32_t u[] = {u1_mv, u2_mv, u3_mv};
    for (unsigned p = 0; p < 3; p++) {
        if (!(pq.phases >> p & 1))
            continue;
        pq.cycle[p].measured = true;
        pq.cycle[p].u_mv = u[p];
        pq_dips_take(&pq, p, u[p], now_ns);
    }
    now_ns += HALF_NS;
    return pq_present(&pq);
}

static void pq_dip_begins_below_its_threshold_and_ends_at_the_hysteresis(void **state)
{
    struct pq_event e;
    (void)state;
    start(1);
    assert_int_equal(take(207000, 0, 0), 0);
    assert_int_equal(take(206999, 0, 0), 1u << PQ_DIP);
    assert_int_equal(take(207000, 0, 0), 1u << PQ_DIP);
    assert_int_equal(take(211599, 0, 0), 1u << PQ_DIP);
    assert_int_equal(take(211600, 0, 0), 0);
    assert_true(pq_event_take(&pq, &e) && !e.ended && e.begin_us == 20000);
    assert_true(pq_event_take(&pq, &e) && e.ended && e.begin_us == 20000 && e.end_us == 50000);
    assert_int_equal(e.extreme, 206999);
    assert_false(pq_event_take(&pq, &e));
}

static void pq_swell_begins_above_its_threshold_and_ends_at_the_hysteresis(void **state)
{
    (void)state;
    start(1);
    assert_int_equal(take(253000, 0, 0), 0);
    assert_int_equal(take(253001, 0, 0), 1u << PQ_SWELL);
    assert_int_equal(take(248401, 0, 0), 1u << PQ_SWELL);
    assert_int_equal(take(248400, 0, 0), 0);
}

static void pq_interruption_is_between_its_borders_only_while_it_lasts(void **state)
{
    const uint32_t dip = 1u << PQ_DIP, cut = dip | 1u << PQ_INTERRUPTION;
    struct pq_event e;
    (void)state;
    start(7);
    assert_int_equal(take(11499, 11499, 11500), dip); /* at the threshold is not below */
    assert_int_equal(take(11500, 11499, 11499), dip); /* not all at the same time */
    assert_int_equal(take(11000, 5000, 11499), cut);
    assert_int_equal(take(16099, 16099, 16099), cut);
    assert_int_equal(take(11000, 16100, 11000), dip); /* one that is back ends it */
    assert_int_equal(take(11499, 12000, 11499), dip);
    while (pq_event_take(&pq, &e))
        if (e.kind == PQ_INTERRUPTION && e.ended)
            break;
    assert_true(e.kind == PQ_INTERRUPTION && e.ended && e.phases == 0);
    assert_true(e.begin_us == 30000 && e.end_us == 50000);
}

/* The dips go on below an interruption and keep the lowest of it. */
static void pq_dip_that_becomes_an_interruption_has_its_residual(void **state)
{
    struct pq_event e;
    unsigned dips = 0, cuts = 0;
    (void)state;
    start(7);
    take(150000, 150000, 150000);
    take(3000, 2000, 1000);
    take(4000, 2500, 1500);
    assert_int_equal(take(230000, 230000, 230000), 0);
    while (pq_event_take(&pq, &e)) {
        if (!e.ended)
            continue;
        cuts += e.kind == PQ_INTERRUPTION;
        dips += e.kind == PQ_DIP;
        assert_true(e.end_us == 40000);
        if (e.kind == PQ_DIP)
            assert_int_equal(e.extreme, e.phases == 1 ? 3000 : e.phases == 2 ? 2000 : 1000);
        else
            assert_int_equal(e.extreme, 1000);
        assert_true(e.begin_us == (e.kind == PQ_DIP ? 10000 : 20000));
    }
    assert_true(dips == 3 && cuts == 1);
}

/* What is told when it begins: phase 3, the last to fall, is not the worst. */
static void pq_interruption_has_the_worst_phase_from_the_start(void **state)
{
    struct pq_event e = {0};
    (void)state;
    start(7);
    take(230000, 230000, 230000);
    take(1000, 2000, 9000);
    while (pq_event_take(&pq, &e) && e.kind != PQ_INTERRUPTION) {
    }
    assert_int_equal(e.kind, PQ_INTERRUPTION);
    assert_int_equal(e.extreme, 1000);
}

static void pq_kind_that_is_no_longer_watched_ends(void **state)
{
    const struct pq_limit off = {0};
    (void)state;
    start(7);
    assert_int_equal(take(0, 0, 0), 1u << PQ_DIP | 1u << PQ_INTERRUPTION);
    assert_int_equal(pq_limit_set(&pq, PQ_INTERRUPTION, &off), ERR_OK);
    assert_int_equal(take(0, 0, 0), 1u << PQ_DIP);
    assert_int_equal(pq_limit_set(&pq, PQ_DIP, &off), ERR_OK);
    assert_int_equal(take(0, 0, 0), 0);
    assert_int_equal(take(300000, 0, 0), 1u << PQ_SWELL);
    assert_int_equal(pq_limit_set(&pq, PQ_SWELL, &off), ERR_OK);
    assert_int_equal(take(300000, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pq_dip_begins_below_its_threshold_and_ends_at_the_hysteresis),
        cmocka_unit_test(pq_swell_begins_above_its_threshold_and_ends_at_the_hysteresis),
        cmocka_unit_test(pq_interruption_is_between_its_borders_only_while_it_lasts),
        cmocka_unit_test(pq_dip_that_becomes_an_interruption_has_its_residual),
        cmocka_unit_test(pq_interruption_has_the_worst_phase_from_the_start),
        cmocka_unit_test(pq_kind_that_is_no_longer_watched_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
