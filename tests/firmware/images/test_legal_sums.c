/* Every variant of the legal part's inner loops that this machine can run, against sums made one
 * sample at a time. Those of the targets are held against the same in the cost image
 * (tools/legal-cost). */
#include "firmware/images/legal_cost/cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ROUNDS 4000

static void sums_plain_agrees_with_sums_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(cost_variant_differs(&legal_sums_plain, ROUNDS), 0);
}

static void sums_split_agrees_with_sums_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(cost_variant_differs(&legal_sums_split, ROUNDS), 0);
}

static void sums_best_agrees_with_sums_one_by_one(void **state)
{
    (void)state;
    assert_int_equal(cost_variant_differs(legal_sums_best(), ROUNDS), 0);
}

static void sums_baseline_agrees_with_sums_one_by_one(void **state)
{
    (void)state;
#if defined(__x86_64__)
    assert_int_equal(cost_variant_differs(&legal_sums_sse2, ROUNDS), 0);
#else
    skip();
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_plain_agrees_with_sums_one_by_one),
        cmocka_unit_test(sums_split_agrees_with_sums_one_by_one),
        cmocka_unit_test(sums_best_agrees_with_sums_one_by_one),
        cmocka_unit_test(sums_baseline_agrees_with_sums_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
