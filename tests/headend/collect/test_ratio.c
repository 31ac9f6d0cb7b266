/* Transformer ratios by unit: who is multiplied by what, and what cannot be said in 32 bits. */
#include "headend/collect/ratio.h"

#include "lib/cosem/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void check(const struct store_meter *m, uint8_t unit, uint32_t num, uint32_t den)
{
    struct ratio r = {0, 0};
    assert_int_equal(ratio_of_unit(m, unit, &r), ERR_OK);
    assert_int_equal(r.num, num);
    assert_int_equal(r.den, den);
}

static void ratio_follows_the_unit(void **state)
{
    (void)state;
    const struct store_meter m = {.ct_num = 100, .ct_den = 5, .vt_num = 20000, .vt_den = 100};
    const uint8_t power[] = {COSEM_UNIT_W,  COSEM_UNIT_VA,  COSEM_UNIT_VAR,
                             COSEM_UNIT_WH, COSEM_UNIT_VAH, COSEM_UNIT_VARH};
    const uint8_t bare[] = {COSEM_UNIT_HZ, COSEM_UNIT_DEGREE, COSEM_UNIT_PERCENT, COSEM_UNIT_PER_WH,
                            COSEM_UNIT_NONE};
    check(&m, COSEM_UNIT_A, 20, 1);
    check(&m, COSEM_UNIT_V, 200, 1);
    for (size_t i = 0; i < sizeof power; i++)
        check(&m, power[i], 4000, 1);
    for (size_t i = 0; i < sizeof bare; i++)
        check(&m, bare[i], 1, 1);
}

static void ratio_stays_a_reduced_fraction(void **state)
{
    (void)state;
    const struct store_meter m = {.ct_num = 4, .ct_den = 6, .vt_num = 110, .vt_den = 100};
    check(&m, COSEM_UNIT_A, 2, 3);
    check(&m, COSEM_UNIT_V, 11, 10);
    check(&m, COSEM_UNIT_WH, 11, 15);
}

static void ratio_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    const struct store_meter great = {.ct_num = 4000000000u, .ct_den = 1, .vt_num = 3, .vt_den = 1};
    const struct store_meter fits = {
        .ct_num = 4000000000u, .ct_den = 1, .vt_num = 3, .vt_den = 4000000000u};
    const struct store_meter none = {.ct_num = 0, .ct_den = 1, .vt_num = 1, .vt_den = 0};
    struct ratio r;
    assert_int_equal(ratio_of_unit(&great, COSEM_UNIT_WH, &r), ERR_RANGE);
    assert_int_equal(r.num, 1);
    check(&great, COSEM_UNIT_A, 4000000000u, 1);
    check(&fits, COSEM_UNIT_WH, 3, 1);
    assert_int_equal(ratio_of_unit(&none, COSEM_UNIT_A, &r), ERR_RANGE);
    assert_int_equal(ratio_of_unit(&none, COSEM_UNIT_V, &r), ERR_RANGE);
    check(&none, COSEM_UNIT_HZ, 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratio_follows_the_unit),
        cmocka_unit_test(ratio_stays_a_reduced_fraction),
        cmocka_unit_test(ratio_that_does_not_fit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
