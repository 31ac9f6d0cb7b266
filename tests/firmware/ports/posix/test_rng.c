/* Randomness of the host: it fills, and not twice the same. */
#include "firmware/ports/posix/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void rng_fills_all_and_never_the_same(void **state)
{
    (void)state;
    static uint8_t a[100000], b[100000];
    struct hal_rng rng = posix_rng();
    assert_int_equal(rng.fill(&rng, a, sizeof a), ERR_OK);
    assert_int_equal(rng.fill(&rng, b, sizeof b), ERR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    uint32_t ones = 0;
    for (size_t i = 0; i < sizeof a; i++)
        ones += (uint32_t)__builtin_popcount(a[i]);
    /* 800000 bits: 400000 +- 447; ten sigma, and a part left unfilled would show */
    assert_in_range(ones, 395500, 404500);
    assert_memory_not_equal(a + sizeof a - 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}

static void rng_writes_nothing_when_asked_for_nothing(void **state)
{
    (void)state;
    uint8_t octet = 0x5A;
    struct hal_rng rng = posix_rng();
    assert_int_equal(rng.fill(&rng, &octet, 0), ERR_OK);
    assert_int_equal(octet, 0x5A);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rng_fills_all_and_never_the_same),
        cmocka_unit_test(rng_writes_nothing_when_asked_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
