/* The waits of sign-in on a clock of the test's own, and a flood that tries to end them. */
#include "headend/keys/sign_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)

static struct sign_in s;

static int fresh(void **state)
{
    (void)state;
    sign_in_init(&s, UINT64_C(0x1234567890ABCDEF));
    return 0;
}

/* A different address each time, so that only the name's count is seen. */
static const char *somewhere(void)
{
    static unsigned n;
    static char text[32];
    n++;
    snprintf(text, sizeof text, "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    return text;
}

static void sign_in_doubles_the_wait_of_a_name(void **state)
{
    (void)state;
    uint64_t now = 5 * MINUTE, expected = SECOND;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), now), 0);
        sign_in_failed(&s, "admin", somewhere(), now);
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), now), expected);
        assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), now + expected - 1), 1);
        now += expected;
        assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), now), 0);
        sign_in_failed(&s, "admin", somewhere(), now);
        expected = 2 * expected < 15 * MINUTE ? 2 * expected : 15 * MINUTE;
    }
    assert_int_equal(expected, 15 * MINUTE);
    assert_int_equal(sign_in_wait_ms(&s, "operator", somewhere(), now), 0);
}

static void sign_in_slows_an_address_whatever_the_name(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "user%d", i);
        sign_in_failed(&s, name, "192.0.2.7", 0);
    }
    assert_int_equal(sign_in_wait_ms(&s, "somebody", "192.0.2.7", 0), 2 * SECOND);
    assert_int_equal(sign_in_wait_ms(&s, "somebody", "192.0.2.8", 0), 0);
    /* the same machine by another spelling */
    assert_int_equal(sign_in_wait_ms(&s, "somebody", "::ffff:192.0.2.7", 0), 2 * SECOND);
}

static void sign_in_counts_an_ipv6_network_as_one(void **state)
{
    (void)state;
    char name[16], address[32];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "user%d", i);
        snprintf(address, sizeof address, "2001:db8:1:2::%x", i + 1);
        sign_in_failed(&s, name, address, 0);
    }
    assert_int_equal(sign_in_wait_ms(&s, "x", "2001:db8:1:2:ffff::1", 0), SECOND);
    assert_int_equal(sign_in_wait_ms(&s, "x", "2001:db8:1:3::1", 0), 0);
}

static void sign_in_success_clears_the_name_alone(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        sign_in_failed(&s, "admin", "192.0.2.7", 0);
    sign_in_succeeded(&s, "admin", "192.0.2.9");
    assert_int_equal(sign_in_wait_ms(&s, "admin", "192.0.2.9", 0), 0);
    assert_int_equal(sign_in_wait_ms(&s, "admin", "192.0.2.7", 0), 4 * SECOND);
    sign_in_succeeded(&s, "nobody", "192.0.2.9"); /* never counted: nothing to clear */
}

static void sign_in_forgets_after_a_quarter_of_an_hour(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        sign_in_failed(&s, "admin", somewhere(), 0);
    sign_in_failed(&s, "admin", somewhere(), 2 * SECOND + 15 * MINUTE - 1); /* not yet */
    assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), 2 * SECOND + 15 * MINUTE - 1),
                     4 * SECOND);
    const uint64_t quiet = 60 * MINUTE;
    for (int i = 0; i < 2; i++)
        sign_in_failed(&s, "admin", somewhere(), quiet);
    assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), quiet), 0);
    sign_in_failed(&s, "admin", somewhere(), quiet);
    assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), quiet), SECOND);
}

static void fail_often(const char *name, int times, uint64_t now)
{
    for (int i = 0; i < times; i++)
        sign_in_failed(&s, name, somewhere(), now);
}

static void flood(int n, int times, uint64_t now)
{
    static unsigned count;
    char name[16];
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "user%u", count++);
        for (int k = 0; k < times; k++)
            sign_in_failed(&s, name, name, now);
    }
}

/* A flood of other names cannot push out a name that waits, nor one that has failed twice. */
static void sign_in_keeps_a_count_through_a_flood(void **state)
{
    (void)state;
    fail_often("admin", 12, 0); /* 512 s */
    fail_often("operator", 2, 0);
    flood(2 * SIGN_IN_ENTRIES, 1, 1);
    assert_in_range(sign_in_wait_ms(&s, "admin", somewhere(), 2), 511 * SECOND, 15 * MINUTE);
    sign_in_failed(&s, "operator", somewhere(), 2);
    assert_true(sign_in_wait_ms(&s, "operator", somewhere(), 2) >= SECOND);
}

/* Every entry is attacked: who comes new is slowed by the entry he shares, never uncounted. An
 * hour of guessing at a name, each time as soon as it is allowed, with a flood in between. */
static void sign_in_counts_when_all_entries_are_attacked(void **state)
{
    (void)state;
    size_t n_waiting = 0;
    unsigned n_guesses = 0;
    flood(2 * SIGN_IN_ENTRIES, 3, 1000);
    for (size_t i = 0; i < SIGN_IN_ENTRIES; i++)
        n_waiting += s.entry[i].until_ms > 1000;
    assert_int_equal(n_waiting, SIGN_IN_ENTRIES);
    assert_true(sign_in_wait_ms(&s, "admin", "192.0.2.1", 1000) > 0);
    for (uint64_t now = 1000; now < 60 * MINUTE && n_guesses < 1000;) {
        const uint64_t wait = sign_in_wait_ms(&s, "admin", "192.0.2.1", now);
        now += wait;
        if (wait == 0) {
            sign_in_failed(&s, "admin", "192.0.2.1", now);
            n_guesses++;
        }
        flood(100, 1, now);
    }
    assert_in_range(n_guesses, 1, 20);
}

/* What was full of waits serves again when they are over. */
static void sign_in_recovers_after_a_flood(void **state)
{
    (void)state;
    flood(4 * SIGN_IN_ENTRIES, 3, 0);
    const uint64_t later = 31 * MINUTE;
    fail_often("admin", 2, later);
    assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), later), 0);
    sign_in_failed(&s, "admin", somewhere(), later);
    assert_int_equal(sign_in_wait_ms(&s, "admin", somewhere(), later), SECOND);
    assert_int_equal(sign_in_wait_ms(&s, "operator", somewhere(), later), 0);
}

/* Of a full table whose entries are all forgotten but one, nobody shares that one. */
static void sign_in_takes_a_forgotten_entry_before_it_shares(void **state)
{
    (void)state;
    char name[24];
    const uint64_t later = 20 * MINUTE;
    flood(2 * SIGN_IN_ENTRIES, 1, 0);
    fail_often("admin", 9, later);
    for (int i = 0; i < 20000; i++) {
        snprintf(name, sizeof name, "new%d", i);
        assert_int_equal(sign_in_wait_ms(&s, name, "192.0.2.7", later), 0);
    }
}

static void sign_in_hides_where_a_name_lies(void **state)
{
    (void)state;
    static struct sign_in other;
    sign_in_init(&other, 99);
    sign_in_failed(&s, "admin", "192.0.2.1", 0);
    sign_in_failed(&other, "admin", "192.0.2.1", 0);
    for (size_t i = 0; i < SIGN_IN_ENTRIES; i++)
        for (size_t k = 0; k < SIGN_IN_ENTRIES; k++)
            assert_true(s.entry[i].key == 0 || s.entry[i].key != other.entry[k].key);
    /* a name of an address' spelling is not that address */
    for (int i = 0; i < 3; i++)
        sign_in_failed(&s, "192.0.2.50", somewhere(), 0);
    assert_int_equal(sign_in_wait_ms(&s, "x", "192.0.2.50", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sign_in_doubles_the_wait_of_a_name, fresh),
        cmocka_unit_test_setup(sign_in_slows_an_address_whatever_the_name, fresh),
        cmocka_unit_test_setup(sign_in_counts_an_ipv6_network_as_one, fresh),
        cmocka_unit_test_setup(sign_in_success_clears_the_name_alone, fresh),
        cmocka_unit_test_setup(sign_in_forgets_after_a_quarter_of_an_hour, fresh),
        cmocka_unit_test_setup(sign_in_keeps_a_count_through_a_flood, fresh),
        cmocka_unit_test_setup(sign_in_counts_when_all_entries_are_attacked, fresh),
        cmocka_unit_test_setup(sign_in_recovers_after_a_flood, fresh),
        cmocka_unit_test_setup(sign_in_takes_a_forgotten_entry_before_it_shares, fresh),
        cmocka_unit_test_setup(sign_in_hides_where_a_name_lies, fresh),
    };
    return cmocka_run_group_tests_name("keys/sign_in", tests, NULL, NULL);
}
