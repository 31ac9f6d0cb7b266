/* Wide arithmetic against the compiler's 128-bit type, on edges and random operands. */
#include "firmware/legal/legal_math.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

typedef __int128 i128;
typedef unsigned __int128 u128;

static const uint64_t edge[] = {
    0,          1,       2,         3,          0x7FFFFFFF, 0x80000000,    UINT32_MAX,
    1ull << 32, 1000000, INT64_MAX, 1ull << 63, UINT64_MAX, UINT64_MAX - 1};
#define N_EDGES (sizeof edge / sizeof edge[0])

static uint64_t state64;

/* Edges first, then numbers of random length. */
static uint64_t operand(unsigned k)
{
    if (k < N_EDGES)
        return edge[k];
    state64 = state64 * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t a = state64 ^ state64 >> 29;
    return a >> (state64 >> 58);
}

#define N_OPERANDS 200

static i128 of_wide(struct wide a)
{
    return (i128)((u128)(uint64_t)a.hi << 64 | a.lo);
}

static struct wide to_wide(i128 a)
{
    return (struct wide){(int64_t)(a >> 64), (uint64_t)a};
}

static struct wide negated(struct wide a)
{
    wide_neg(&a);
    return a;
}

static struct wide shifted_right(struct wide a, int n)
{
    wide_sar(&a, n);
    return a;
}

static struct wide shifted_left(struct wide a, int n)
{
    wide_shl(&a, n);
    return a;
}

static uint64_t root_of(i128 a)
{
    struct wide wide = to_wide(a);
    return wide_sqrt(&wide);
}

static struct wide applied(struct gain g, int64_t v)
{
    struct wide out;
    gain_apply(&out, &g, v);
    return out;
}

static void wide_mul_add_neg_match_128_bits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_OPERANDS; i++)
        for (unsigned j = 0; j < N_OPERANDS; j++) {
            int64_t a = (int64_t)operand(i), b = (int64_t)operand(j);
            i128 p = (i128)a * b;
            struct wide product = wide_mul(a, b), more = wide_of(a), less = wide_of(a);
            assert_true(of_wide(product) == p);
            assert_true(of_wide(negated(product)) == -p);
            assert_int_equal(wide_sign(&product), (p > 0) - (p < 0));
            wide_mul_add(&more, a, b);
            wide_mul_sub(&less, a, b);
            assert_true(of_wide(more) == (i128)((u128)(i128)a + (u128)p));
            assert_true(of_wide(less) == (i128)((u128)(i128)a - (u128)p));
        }
}

static void wide_shifts_match_128_bits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_OPERANDS; i++)
        for (int n = 0; n < 127; n++) {
            i128 a = (i128)(int64_t)operand(i) * (int64_t)(operand(i + 7) >> 2);
            i128 half = n ? (i128)1 << (n - 1) : 0;
            assert_true(of_wide(shifted_right(to_wide(a), n)) == (a + half) >> n);
            assert_true(of_wide(shifted_left(to_wide(a), n)) == (i128)((u128)a << n));
        }
}

static void mul_sar_rounds_to_nearest_and_saturates(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_OPERANDS; i++)
        for (int n = 1; n < 64; n++) {
            int64_t a = (int64_t)operand(i), b = (int64_t)operand(i + (unsigned)n);
            i128 q = ((i128)a * b + ((i128)1 << (n - 1))) >> n;
            q = q > INT64_MAX ? INT64_MAX : q < INT64_MIN ? INT64_MIN : q;
            assert_true(mul_sar(a, b, n) == q);
            assert_true(mul_sar(a, INT64_C(1) << (n - 1), n) == (a >> 1) + (a & 1));
        }
}

static void wide_div_rounds_to_nearest_and_saturates(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_OPERANDS; i++)
        for (unsigned j = 0; j < N_OPERANDS; j++) {
            i128 a = (i128)(int64_t)operand(i) * (int64_t)(operand(j) >> 3);
            uint64_t d = operand(j + 3) | 1;
            u128 m = (u128)(a < 0 ? -a : a), q = (m + d / 2) / d;
            if (q > INT64_MAX)
                q = INT64_MAX;
            struct wide wide = to_wide(a);
            assert_true(wide_div(&wide, d) == (a < 0 ? -(int64_t)q : (int64_t)q));
        }
}

static void mul_div_matches_128_bits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_OPERANDS; i++)
        for (unsigned j = 0; j < N_OPERANDS; j++) {
            uint64_t a = operand(i), b = operand(j), d = operand(i + j);
            if (d == 0)
                continue;
            u128 q = (u128)a * b / d;
            assert_true(mul_div_u64(a, b, d) == (q > UINT64_MAX ? UINT64_MAX : (uint64_t)q));
        }
    assert_int_equal(mul_div_i64(-7, 1, 2), -4);
    assert_int_equal(mul_div_i64(7, 1, 2), 4);
    assert_true(mul_div_i64(INT64_MIN + 1, 3, 2) == -INT64_MAX);
}

static void wide_sqrt_is_the_floor(void **state)
{
    (void)state;
    assert_int_equal(root_of(-5), 0);
    for (unsigned i = 0; i < N_OPERANDS; i++)
        for (unsigned j = 0; j < N_OPERANDS; j++) {
            u128 a = (u128)(operand(i) >> 1) * operand(j);
            u128 r = root_of((i128)a);
            assert_true(r * r <= a && a - r * r <= 2 * r);
        }
}

static void gain_keeps_64_bits(void **state)
{
    (void)state;
    /* 3 * 10^15 * 7 * 10^14 / 10^18 / 3600 * 2^40, applied to odd numbers */
    struct gain g = gain_of(UINT64_C(3000000000000000));
    gain_mul(&g, UINT64_C(700000000000000));
    gain_div(&g, UINT64_C(1000000000000000000));
    gain_div(&g, 3600);
    g.exp += 40;
    for (int64_t v = 1; v < 1000000000000; v = v * 3 + 1) {
        long double want = (long double)v * 2.1e12L / 3600 * 1099511627776.0L;
        long double got = (long double)of_wide(applied(g, v));
        assert_true(fabsl(got - want) <= want * 2e-18L + 1);
        assert_true(of_wide(applied(g, -v)) == -of_wide(applied(g, v)));
    }
    assert_true(of_wide(applied(gain_of(0), 5)) == 0);
    g.exp += 200;
    assert_true(applied(g, 5).hi == INT64_MAX); /* saturates */
    g.exp -= 500;
    assert_true(of_wide(applied(g, 5)) == 0);
}

static void atan2_is_within_a_millidegree(void **state)
{
    (void)state;
    assert_int_equal(atan2_mdeg(0, 0), 0);
    for (int deg = -1799; deg <= 1800; deg++)
        for (int k = 5; k < 19; k += 3) {
            double r = pow(10, k);
            double a = deg * 0.1 * 3.14159265358979323846 / 180;
            int64_t y = llround(r * sin(a)), x = llround(r * cos(a));
            int32_t d = atan2_mdeg(y, x) - deg * 100;
            if (d < -180000)
                d += 360000;
            assert_in_range(d + 2, 0, 4);
        }
}

static void sine_table_is_right(void **state)
{
    (void)state;
    for (int k = 0; k < SINE_SIZE + SINE_QUARTER; k++)
        assert_int_equal(sine_at((unsigned)k),
                         lround(ldexp(sin(2 * 3.14159265358979323846 * k / SINE_SIZE), SINE_BITS)));
}

static void rotor_is_right_between_the_entries(void **state)
{
    (void)state;
    double most = 0;
    for (uint32_t k = 0; k < 2000003; k++) {
        uint32_t turn = k * 2147u + (k & 1 ? 0x80000000u : 0);
        struct rotor r = rotor_of(turn);
        double x = 2 * 3.14159265358979323846 * turn / 4294967296.0;
        most = fmax(most, fabs(r.cosine - ldexp(cos(x), SINE_BITS)));
        most = fmax(most, fabs(r.sine - ldexp(sin(x), SINE_BITS)));
    }
    printf("  rotor within %.2f of 2^30\n", most);
    assert_true(most < 4);
    struct rotor r = rotor_of(0xFFFFFFFFu);
    assert_int_equal(r.cosine, INT32_C(1) << SINE_BITS);
}

/* Near squares, where a root that is one too large would show, of every length. */
static void wide_sqrt_is_the_floor_around_squares(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (unsigned k = 0; k < 200000; k++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        u128 r = (random >> 1) >> (k % 63), a = r * r;
        assert_true(root_of((i128)a) == r);
        if (r > 0) {
            assert_true(root_of((i128)(a + 1)) == r);
            assert_true(root_of((i128)(a - 1)) == r - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_mul_add_neg_match_128_bits),
        cmocka_unit_test(wide_shifts_match_128_bits),
        cmocka_unit_test(mul_sar_rounds_to_nearest_and_saturates),
        cmocka_unit_test(wide_div_rounds_to_nearest_and_saturates),
        cmocka_unit_test(mul_div_matches_128_bits),
        cmocka_unit_test(wide_sqrt_is_the_floor),
        cmocka_unit_test(gain_keeps_64_bits),
        cmocka_unit_test(atan2_is_within_a_millidegree),
        cmocka_unit_test(sine_table_is_right),
        cmocka_unit_test(rotor_is_right_between_the_entries),
        cmocka_unit_test(wide_sqrt_is_the_floor_around_squares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
