/* The window of invocation counters, against a model that remembers every number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "lib/dlms/replay.h"

#define NUMBERS 600u

static uint32_t draw(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* What the window promises: never twice, everything above the highest, and 64 below next - 1. */
struct reference {
    bool used[NUMBERS];
    uint32_t next;
};

static bool reference_fresh(const struct reference *m, uint32_t counter)
{
    return counter >= m->next || (!m->used[counter] && m->next - counter <= 65);
}

static void reference_use(struct reference *m, uint32_t counter)
{
    m->used[counter] = true;
    if (counter >= m->next)
        m->next = counter + 1;
}

/* Numbers that mostly rise, with gaps, repeats and late ones; all are compared after each. */
static void replay_agrees_with_a_full_memory_when_numbers_are_random(void **state)
{
    (void)state;
    uint32_t x = 0x43;
    for (unsigned round = 0; round < 60; round++) {
        struct dlms_replay w = {0, 0};
        struct reference m = {.next = 0};
        uint32_t spread = 1 + draw(&x) % 90, step = 1 + draw(&x) % 5;
        for (unsigned i = 0; i < 150; i++) {
            uint32_t base = i * step, counter = base + draw(&x) % spread;
            counter = counter < spread / 2 ? 0 : counter - spread / 2;
            if (counter >= NUMBERS)
                break;
            if (dlms_replay_fresh(&w, counter)) {
                dlms_replay_use(&w, counter);
                assert_false(m.used[counter]);
                reference_use(&m, counter);
            }
            for (uint32_t c = 0; c < NUMBERS; c++)
                assert_int_equal(dlms_replay_fresh(&w, c), reference_fresh(&m, c));
            assert_int_equal(w.next, m.next);
        }
    }
}

static void replay_takes_what_was_passed_over_once_when_it_is_late(void **state)
{
    (void)state;
    struct dlms_replay w = {10, 0};
    dlms_replay_use(&w, 13);
    assert_int_equal(w.next, 14);
    for (uint32_t c = 10; c < 13; c++) {
        assert_true(dlms_replay_fresh(&w, c));
        dlms_replay_use(&w, c);
        assert_false(dlms_replay_fresh(&w, c));
    }
    assert_int_equal(w.open, 0);
    assert_int_equal(w.next, 14);
}

/* A restart keeps `next` alone: everything below it was used. */
static void replay_refuses_everything_below_next_when_open_is_zero(void **state)
{
    (void)state;
    static const uint32_t nexts[] = {0, 1, 2, 63, 64, 65, 66, 1000, UINT32_MAX};
    for (size_t i = 0; i < sizeof nexts / sizeof nexts[0]; i++) {
        const struct dlms_replay w = {nexts[i], 0};
        for (uint32_t below = 1; below <= 130 && below <= w.next; below++)
            assert_false(dlms_replay_fresh(&w, w.next - below));
        assert_int_equal(dlms_replay_fresh(&w, w.next), w.next != UINT32_MAX);
    }
}

static void replay_holds_64_when_the_gap_is_long(void **state)
{
    (void)state;
    static const uint32_t gaps[] = {62, 63, 64, 65, 66, 1000, UINT32_MAX - 6};
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        struct dlms_replay w = {5, 0};
        uint32_t counter = 5 + gaps[i], n = 0;
        dlms_replay_use(&w, counter);
        assert_int_equal(w.next, counter + 1);
        for (uint32_t below = 1; below <= 70 && below <= counter; below++)
            n += dlms_replay_fresh(&w, counter - below);
        assert_int_equal(n, gaps[i] < 64 ? gaps[i] : 64);
        assert_false(dlms_replay_fresh(&w, 4));
        assert_false(dlms_replay_fresh(&w, counter));
    }
}

static void replay_never_takes_the_last_number(void **state)
{
    (void)state;
    struct dlms_replay w = {UINT32_MAX - 1, 0};
    assert_false(dlms_replay_fresh(&w, UINT32_MAX));
    dlms_replay_use(&w, UINT32_MAX);
    assert_int_equal(w.next, UINT32_MAX - 1);
    dlms_replay_use(&w, UINT32_MAX - 1);
    assert_int_equal(w.next, UINT32_MAX);
    assert_false(dlms_replay_fresh(&w, UINT32_MAX));
}

static void replay_is_unchanged_when_a_used_number_is_marked_again(void **state)
{
    (void)state;
    struct dlms_replay w = {0, 0};
    dlms_replay_use(&w, 3);
    dlms_replay_use(&w, 1);
    const struct dlms_replay before = w;
    dlms_replay_use(&w, 3);
    dlms_replay_use(&w, 1);
    assert_memory_equal(&w, &before, sizeof w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replay_agrees_with_a_full_memory_when_numbers_are_random),
        cmocka_unit_test(replay_takes_what_was_passed_over_once_when_it_is_late),
        cmocka_unit_test(replay_refuses_everything_below_next_when_open_is_zero),
        cmocka_unit_test(replay_holds_64_when_the_gap_is_long),
        cmocka_unit_test(replay_never_takes_the_last_number),
        cmocka_unit_test(replay_is_unchanged_when_a_used_number_is_marked_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
