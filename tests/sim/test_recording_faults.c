/* Shapes that no sound input has, and sound shapes that look a little like them. */
#include "sim/recording_faults.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PI 3.14159265358979323846
#define N  3200

static double x[N];
static struct recording_faults found;

typedef double (*shape_fn)(double angle, size_t k);

/* Ten cycles from an odd phase on, in steps of `quantum` (0: none). */
static void look(shape_fn shape, double quantum)
{
    for (size_t k = 0; k < N; k++) {
        x[k] = shape(2 * PI * (double)k / 320 + 0.3, k);
        if (quantum > 0)
            x[k] = round(x[k] / quantum) * quantum;
    }
    recording_faults_find(x, N, &found);
}

static double sine(double a, size_t k)
{
    (void)k;
    return sin(a);
}

static double phase_fired(double a, size_t k)
{
    (void)k;
    return fmod(a, PI) < PI / 2 ? 0 : sin(a);
}

static double half_wave(double a, size_t k)
{
    (void)k;
    return fmax(0, sin(a));
}

static double rectifier(double a, size_t k)
{
    (void)k;
    return fabs(sin(a)) > 0.9 ? sin(a) - copysign(0.9, sin(a)) : 0;
}

static double inrush(double a, size_t k)
{
    return fmax(0, cos(a) - 0.3) * exp(-(double)k / 1000);
}

static double burst(double a, size_t k)
{
    return k / 640 % 2 ? 0 : sin(a);
}

static double stepped(double a, size_t k) /* a load goes on at the crest */
{
    return (k < 1283 ? 0.1 : 1) * sin(a);
}

static void sound_shapes_are_left_alone(void **state)
{
    (void)state;
    static const shape_fn shapes[] = {sine,   phase_fired, half_wave, rectifier,
                                      inrush, burst,       stepped};
    static const double quanta[] = {0, 1.0 / 32768, 1.0 / 2048, 1.0 / 100};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t q = 0; q < sizeof quanta / sizeof *quanta; q++) {
            look(shapes[s], quanta[q]);
            if (found.constant || found.flat.n || found.torn.n || found.lone.n)
                print_error("shape %zu, quantum %g: %zu flat %zu torn %zu lone\n", s, quanta[q],
                            found.flat.n, found.torn.n, found.lone.n);
            assert_false(found.constant);
            assert_int_equal(found.flat.n + found.torn.n + found.lone.n, 0);
        }
}

static double clipped(double a, size_t k)
{
    (void)k;
    return fmax(-0.98, fmin(0.98, sin(a)));
}

static double clipped_once(double a, size_t k)
{
    return fmin(1.2, (k > 1000 && k < 1200 ? 1.5 : 1) * sin(a));
}

static void flat_ends_are_found(void **state)
{
    (void)state;
    for (double quantum = 0; quantum < 0.001; quantum += 1.0 / 4096) {
        look(clipped, quantum);
        assert_in_range(found.flat.n, 380, 430); /* of 20 half cycles, acos 0.98 is 11.5 degrees */
        assert_true(fabs(fabs(found.flat.value) - 0.98) < 1e-3);
        assert_int_equal(found.torn.n + found.lone.n, 0);
    }
    look(clipped_once, 0);
    assert_in_range(found.flat.n, 50, 110);
    assert_true(found.flat.value == 1.2 && found.flat.first > 1000 && found.flat.first < 1200);
}

static double wrapped(double a, size_t k)
{
    (void)k;
    return remainder(1.2 * sin(a), 2);
}

static double with_a_wrong_bit(double a, size_t k)
{
    return sin(a) + (k == 777 ? 4 : 0);
}

static double still(double a, size_t k)
{
    (void)a, (void)k;
    return 3.25;
}

static void jumps_and_lone_samples_are_found(void **state)
{
    (void)state;
    look(wrapped, 1.0 / 4096);
    assert_int_equal(found.torn.n, 40); /* out and back, twice a cycle */
    assert_int_equal(found.lone.n, 0);
    look(with_a_wrong_bit, 0);
    assert_int_equal(found.lone.n, 1);
    assert_int_equal(found.lone.first, 777);
    assert_int_equal(found.torn.n + found.flat.n, 0);
}

static void constant_values_are_found(void **state)
{
    (void)state;
    look(still, 0);
    assert_true(found.constant && found.value == 3.25);
    assert_int_equal(found.flat.n + found.torn.n + found.lone.n, 0);
    recording_faults_find(x, 1, &found); /* one sample says nothing */
    assert_false(found.constant);
    recording_faults_find(x, 0, &found);
    assert_false(found.constant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_shapes_are_left_alone),
        cmocka_unit_test(flat_ends_are_found),
        cmocka_unit_test(jumps_and_lone_samples_are_found),
        cmocka_unit_test(constant_values_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
